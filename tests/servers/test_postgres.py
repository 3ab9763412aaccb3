"""PostgreSQL for tests: fresh databases at once, and failures on demand."""

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.servers.postgres import Postgres


def test_databases_are_fresh_and_templates_are_copied(postgres: Postgres) -> None:
    def build(url: str) -> None:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE question (text text)")

    template = postgres.make_template(build, name="with_question")
    first, second = postgres.create_database(template), postgres.create_database(template)
    with psycopg.connect(first.replace("+psycopg", "")) as connection:
        connection.execute("INSERT INTO question VALUES ('one')")
    with psycopg.connect(second.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM question").fetchone() == (0,)
    postgres.drop_database(first)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(first.replace("+psycopg", ""))


@pytest.mark.parametrize("how", ["restart", "kill"])
async def test_what_was_committed_outlives_a_restart_and_a_crash(postgres: Postgres, how: str) -> None:
    engine = sa.create_engine(postgres.create_database())
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept AS SELECT 42 AS answer"))
    with engine.connect() as open_over_it:
        open_over_it.execute(sa.text("SELECT 1"))
        if how == "restart":
            await postgres.restart()
        else:
            await postgres.kill()
            await postgres.start()
        with pytest.raises(OperationalError):
            open_over_it.execute(sa.text("SELECT 1"))
    engine.dispose()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT answer FROM kept")).scalar() == 42
    engine.dispose()


def test_connections_can_be_broken(postgres: Postgres) -> None:
    url = postgres.create_database()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT 1")
        assert postgres.kill_connections(url) == 1
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
