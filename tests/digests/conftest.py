"""Digests on stage: the agenda's people, and rooms of a prefecture and a consulate beyond its border."""

from tests.agenda.conftest import play

__all__ = ["play"]
