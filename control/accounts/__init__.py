"""Who a person is: accounts, passwords, sessions, codes, head pictures."""
