"""nginx-rtmp: its callbacks, its /stat and /control, and how what it says and what we know are kept the same."""
