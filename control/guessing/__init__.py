"""How often a secret may be guessed: by an address at one account or room, and by everybody."""
