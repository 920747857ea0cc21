"""Live rooms: what they are, their passwords, who follows them."""
