"""Who is in: the sessions nginx holds, the audience, and what is on air."""
