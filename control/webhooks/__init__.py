"""Webhooks: what happened in a room, posted to where its owner wants it."""
