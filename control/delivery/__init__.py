"""How a viewer gets in: tickets, play URLs, and what they are entitled to."""
