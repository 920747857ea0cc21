"""What decided on who was here, kept for some time: so that it can be told afterwards what was believed, and why."""
