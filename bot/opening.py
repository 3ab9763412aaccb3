"""Opening the database of an installation: tables of this release, and its reference data."""

from importlib.resources import files
from pathlib import Path

from bot.db import Database
from bot.directory import reference
from bot.migrate import upgrade

CONFIG = files("config")


def open_database(url: str) -> Database:
    """Open the database, bring its tables up to date and load the shipped reference data.

    Raises ConfigurationError when it cannot be reached or is of a newer release.
    """
    database = Database(url)
    upgrade(database)
    reference.load_shipped(database, Path(str(CONFIG / "reference")))
    return database
