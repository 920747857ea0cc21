"""May they? Rights, bans, tickets and passwords, and the one verdict on who may publish and play."""
