"""What is kept, and the one place that knows how: the schema, the connections, the migrations."""
