"""A node among people who come and go for minutes: does it always know who is there?

make soak MINUTES=10 ROOMS=20 PLAYERS=200 KILLS=1
"""
