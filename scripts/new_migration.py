"""Write the migration from the newest revision to the tables as the code has them.

`python -m scripts.new_migration "what changes"`
"""

import sys
import tempfile

from alembic import command
from sqlalchemy import Connection

from bot.db import Database
from bot.migrate import configuration, upgrade


def main(what: str) -> None:
    """Compare on an empty database brought to the newest revision."""
    folder = tempfile.mkdtemp()
    database = Database(f"sqlite:///{folder}/empty.db")
    upgrade(database)

    def write(connection: Connection) -> None:
        command.revision(configuration(connection), message=what, autogenerate=True)

    database.run_now(lambda session: write(session.connection()))
    database.close()


if __name__ == "__main__":
    main(sys.argv[1])
