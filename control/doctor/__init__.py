"""Looks for what is wrong with a node, and tells how to mend it."""
