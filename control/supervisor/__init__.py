"""Keeps the processes of a node running: control, the rtmp nginx and the web nginx."""
