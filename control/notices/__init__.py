"""Notices: who follows a room is told that it is live, by the ways that they chose."""
