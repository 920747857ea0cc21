"""Users: accounts, passwords, sessions, codes, head pictures."""
