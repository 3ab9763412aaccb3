"""Tests of routing: marks, reading, competence, decisions."""
