"""The whole bot as a process, between servers that keep the truth, killed again and again while people talk."""
