"""Chat: the messages of a room's current broadcast, and who may write how often."""
