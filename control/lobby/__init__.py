"""What a visitor sees of rooms: one at a time, in lists, by search."""
