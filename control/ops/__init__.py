"""Running the parts of one node: folders, nginx's files, the supervisor, logs."""
