"""A database with the directory's tables, on both engines; files and people to put into it, all made up."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Table, delete
from sqlalchemy.orm import Session

from bot.db import Base, Database
from bot.directory.importing import apply
from bot.directory.parsed import Result
from bot.directory.reading import read
from tests.servers.postgres import Postgres

Databases = Callable[[str], Database]

OF_DIRECTORY = (
    "bot.audit.tables",
    "bot.due",
    "bot.directory.confirming",
    "bot.directory.current",
    "bot.directory.history",
    "bot.directory.tables",
)
TODAY = date(2026, 3, 14)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)

NONE: Mapping[str, str] = {}

ORGANISATIONS = """\
id,kind,name,short_name,country,city,territory,parent,timezone,status,phone
region-exemple,region,Préfecture de la région Exemple,Exemple,FR,Chef-Lieu,region-exemple,,Europe/Paris,open,
prefecture-67,prefecture,Préfecture du Bas-Rhin,Bas-Rhin,FR,Strasbourg,67,region-exemple,Europe/Paris,open,
consulat-munich,consulate_general,Consulat général à Munich,CG Munich,DE,Munich,,,Europe/Berlin,open,+49 89 000
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

COMPETENCES = "organisation,role,topic,country,territory,place,direction,legal_basis,valid_from,valid_to\n"
OPEN = "consulat-munich,consul,etat_civil,DE,,Bavière,both,Arrêté,,\n"
CLOSED = "consulat-munich,consul,etat_civil,DE,,Bavière,both,Arrêté,,2026-12-31\n"


def tables() -> list[Table]:
    mapped = [mapper for mapper in Base.registry.mappers if mapper.class_.__module__ in OF_DIRECTORY]
    return [mapper.local_table for mapper in mapped if isinstance(mapper.local_table, Table)]


def create(url: str) -> None:
    database = Database(url)
    Base.metadata.create_all(database.engine, tables=tables())
    database.close()


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Returns the database of an engine; the real server starts when it is first asked for."""
    made: dict[str, Database] = {}

    def get(engine: str) -> Database:
        if engine not in made:
            if engine == "sqlite":
                url = f"sqlite:///{tmp_path_factory.mktemp('directory')}/directory.db"
            else:
                server: Postgres = request.getfixturevalue("postgres")
                url = server.create_database()
            create(url)
            made[engine] = Database(url)
        return made[engine]

    yield get
    for database in made.values():
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, databases: Databases) -> Database:
    """An empty database."""
    found = databases(request.param)

    def clear(session: Session) -> None:
        for table in reversed(Base.metadata.sorted_tables):
            if table in tables():
                session.execute(delete(table))

    found.run_now(clear)
    return found


class Files:
    """A folder of directory files."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database
        folder.mkdir(exist_ok=True)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def load(
        self,
        several: Mapping[str, str] = NONE,
        *,
        shipped: bool = False,
        dry_run: bool = False,
        **contents: str | bytes,
    ) -> Result:
        """Import files of this content, named by what they hold, and nothing else."""
        paths = [self.write(f"{name}.csv", content) for name, content in {**several, **contents}.items()]
        parsed = read(paths)
        return self.database.run_now(lambda session: apply(session, parsed, shipped=shipped, dry_run=dry_run))

    def load_one(self, name: str, content: str | bytes) -> Result:
        """Import one file."""
        parsed = read([self.write(f"{name}.csv", content)])
        return self.database.run_now(lambda session: apply(session, parsed))


def faults(result: Result) -> list[tuple[str, int, str | None, str | None, str]]:
    return [(error.file, error.line, error.column, error.value, error.reason.key) for error in result.errors]


@pytest.fixture
def files(tmp_path: Path, database: Database) -> Files:
    return Files(tmp_path / "files", database)


@pytest.fixture
def peopled(files: Files) -> Files:
    """A small directory is loaded."""
    result = files.load(organisations=ORGANISATIONS, people=PEOPLE, postings=POSTINGS)
    assert (result.added, result.errors) == (10, ())
    return files
