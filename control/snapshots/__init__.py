"""A picture of each live room, made from its HLS segments."""
