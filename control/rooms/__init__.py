"""Live rooms: their data, followers, gate and search index."""
