"""Digests: what comes, said to a room or a person on their own rhythm, once for each day and time of it."""
