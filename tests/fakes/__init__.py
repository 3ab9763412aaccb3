"""Fakes of servers that tests cannot have."""
