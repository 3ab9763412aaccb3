"""Matrix, Tchap among it: an ordinary account, end-to-end encrypted, signed, and careful with whom it obeys."""

import importlib
import sys

# nio's key store is SQLite; the library under it would load PostgreSQL's driver too, just because it is installed.
_unneeded = "psycopg" not in sys.modules
if _unneeded:
    sys.modules["psycopg"] = None  # type: ignore[assignment]
importlib.import_module("peewee")
if _unneeded:
    del sys.modules["psycopg"]

from bot.platforms.matrix.adapter import MatrixPlatform  # noqa: E402
from bot.platforms.matrix.options import MatrixOptions  # noqa: E402

__all__ = ["MatrixOptions", "MatrixPlatform"]
