"""The wire contract with clients, and nothing else: names, numbers and texts that shipped apps know."""
