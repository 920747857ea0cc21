"""Keeps the processes of a node running: control, the guard, the rtmp nginx and the web nginx."""
