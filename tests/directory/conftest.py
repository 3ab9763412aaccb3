"""A database with the directory's tables, on both engines; files and people to put into it, all made up."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.db import Base, Database
from bot.directory import current, tables
from bot.directory.importing import apply
from bot.directory.parsed import Result
from bot.directory.reading import read
from tests.servers.postgres import Postgres

TABLES = [
    *(
        value.__table__
        for value in vars(tables).values()
        if isinstance(value, type) and issubclass(value, Base) and value is not Base
    ),
    current.Stamp.__table__,
]
TODAY = date(2026, 3, 14)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)

ORGANISATIONS = """\
id,kind,name,short_name,country,city,territory,parent,timezone,status,phone
region-exemple,region,Préfecture de la région Exemple,Exemple,FR,Chef-Lieu,region-exemple,,Europe/Paris,open,
prefecture-67,prefecture,Préfecture du Bas-Rhin,Bas-Rhin,FR,Strasbourg,67,region-exemple,Europe/Paris,open,
consulat-munich,consulate_general,Consulat général de France à Munich,CG Munich,DE,Munich,,,Europe/Berlin,open,+49 89 000
ambassade-es,embassy,Ambassade de France en Espagne,Ambassade Espagne,ES,Madrid,,,Europe/Madrid,open,
"""
PEOPLE = """\
id,given_name,family_name,email,phone,language,visibility,slack_id,matrix_id
agent-a,Agent,Exemple,a@example.org,+33 1 00 00 00 00,fr,all,T0EX:U0AGENTA,@agent.a:example.org
agent-b,Agente,Modèle,,,en,own,,@agent.b:example.org
agent-c,Agent,Témoin,,,,network,U0AGENTC,
"""
POSTINGS = """\
person,organisation,role,start,end
agent-a,prefecture-67,desk,2024-01-01,
agent-b,consulat-munich,consul,2025-09-01,
agent-c,prefecture-67,head,2020-01-01,2025-12-31
"""


def create(url: str) -> None:
    database = Database(url)
    Base.metadata.create_all(database.engine, tables=TABLES)
    database.close()


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes databases with the tables on the real server, which starts when the first is asked for."""
    made: list[str] = []

    def url() -> str:
        server: Postgres = request.getfixturevalue("postgres")
        if not made:
            made.append(server.make_template(create, name="directory"))
        return server.create_database(made[0])

    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, postgres_url: Callable[[], str]) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/directory.db"
        create(url)
    else:
        url = postgres_url()
    made = Database(url)
    yield made
    made.close()


class Files:
    """A folder of directory files."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        self.folder = folder
        self.database = database
        folder.mkdir(exist_ok=True)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def load(self, *, shipped: bool = False, dry_run: bool = False, **contents: str | bytes) -> Result:
        """Import files of this content, named by what they hold, and nothing else."""
        assert self.database is not None
        paths = [self.write(f"{name}.csv", content) for name, content in contents.items()]
        parsed = read(paths)
        return self.database.run_now(lambda session: apply(session, parsed, shipped=shipped, dry_run=dry_run))


@pytest.fixture
def files(tmp_path: Path, database: Database) -> Files:
    return Files(tmp_path / "files", database)


@pytest.fixture
def peopled(files: Files) -> Files:
    """A small directory is loaded."""
    result = files.load(organisations=ORGANISATIONS, people=PEOPLE, postings=POSTINGS)
    assert (result.added, result.errors) == (10, ())
    return files


@pytest.fixture
def within(database: Database) -> Callable[..., object]:
    """Runs a function in a transaction."""

    def run(work: Callable[..., object], *args: object, **named: object) -> object:
        def transaction(session: Session) -> object:
            return work(session, *args, **named)

        return database.run_now(transaction)

    return run
