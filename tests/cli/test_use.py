"""Wrong use, wrong settings, wrong databases: one clear line and the promised exit status, never a traceback."""

import argparse
import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot import engines
from bot.cli import parser
from bot.db import Database
from bot.errors import ConfigurationError, Unavailable
from tests.cli.conftest import Result, Run, one_line
from tests.cli.documented import documented

COMMANDS = [
    ("db", "upgrade"),
    ("check",),
    ("rights", "list"),
    ("directory", "search", "metz"),
    ("directory", "export", "out"),
    ("route", "acte de naissance"),
    ("questions", "list"),
    ("questions", "show", "Q-2026-00001"),
    ("failed", "list"),
    ("failed", "replay", "E1"),
    ("console", "--as", "agent", "--room", "prefecture-67", "--new"),
]


def test_a_command_loads_its_own_modules_only() -> None:
    """What others need takes longer to load than most commands to run."""
    code = "import sys; from bot.cli import parser; parser(['directory', 'import', 'x']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "bot.cli.directory" in loaded
    assert {"alembic", "bot.app", "bot.cli.service", "handlers", "numpy"}.isdisjoint(loaded)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nothing",),
        ("rights",),
        ("rights", "grant", "agent-a"),
        ("rights", "grant", "agent-a", "king"),
        ("directory", "import"),
        ("directory", "search", "metz", "--limit", "0"),
        ("directory", "search", "metz", "--limit", "-1"),
        ("directory", "search", "metz", "--limit", "viele"),
        ("route",),
        ("route", "a", "--batch", "b.csv"),
        ("route", "a", "--on", "tomorrow"),
        ("route", "a", "--on", "0001-01-01"),
        ("console", "--room", "prefecture-67"),
        ("console", "--as", "a", "--room", "prefecture-67", "--at", "noon"),
        ("console", "--as", "a", "--room", "prefecture-67", "--at", "9999-12-31"),
        ("failed", "replay", "12"),
        ("failed", "replay", ""),
        ("failed", "replay", "E" + "9" * 40),
        ("failed", "replay", "X1"),
        ("questions", "show"),
        ("questions", "figures", "--from", "0001-01-01"),
        ("questions", "figures", "--to", "gestern"),
        ("matrix", "trust", "agent"),
        ("db", "downgrade"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(passerelle: Run, url: str, arguments: tuple[str, ...]) -> None:
    found = passerelle(*arguments)
    assert found.status == 2
    assert found.out == ""
    assert "passerelle" in found.err.splitlines()[-1]
    assert "function" not in found.err
    assert "fromisoformat" not in found.err


def test_help_names_every_command(passerelle: Run) -> None:
    found = passerelle("--help")
    assert found.status == 0
    for name in "run demo console check db rights directory route questions failed matrix".split():
        assert f"    {name} " in found.out
    for name, actions in {"rights": "grant revoke list", "failed": "list replay", "outbox": "list release"}.items():
        said = passerelle(name, "--help").out
        assert all(f"    {action} " in said for action in actions.split())


def test_the_page_names_every_command_and_what_its_json_holds() -> None:
    def leaves(grammar: argparse.ArgumentParser, *path: str) -> Iterator[tuple[tuple[str, ...], bool]]:
        below = [action.choices for action in grammar._actions if isinstance(action.choices, dict)]
        for choices in below:
            for name, each in choices.items():
                yield from leaves(each, *path, name)
        if not below:
            yield path, any("--json" in action.option_strings for action in grammar._actions)

    learning = {name for name in documented() if name[0] == "route" and len(name) > 1}
    said = {name: bool(groups) for name, groups in documented().items() if name not in learning}
    assert said == dict(leaves(parser(())))
    assert learning == {("route", "train"), *(("route", "examples", a) for a in "list confirm refuse report".split())}


@pytest.mark.parametrize("arguments", [*COMMANDS, ("run",), ("demo",), ("matrix", "fingerprint")], ids=" ".join)
@pytest.mark.parametrize("how", ["file", "named", "variable"])
def test_wrong_settings_are_one_line_naming_key_value_and_what_was_expected(
    passerelle: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], how: str
) -> None:
    Path("passerelle.toml" if how == "file" else "other.toml").write_text('language = "de"')
    if how == "variable":
        monkeypatch.setenv("PASSERELLE_CONFIG", "other.toml")
    options = ("--config", "other.toml") if how == "named" else ()
    found = passerelle(*options, *arguments)
    assert found.status == 1
    assert found.out == ""
    assert one_line(found.err) == "passerelle: language: 'de' is not valid: Input should be 'fr' or 'en'"


def test_settings_that_are_not_there_are_named(passerelle: Run) -> None:
    for arguments in (("--config", "no.toml", "check"), ("route", "examples", "list", "--config", "no.toml")):
        assert one_line(passerelle(*arguments).err) == "passerelle: no.toml: No such file or directory"


# --- databases that cannot be used


def fails(found: Result, words: str) -> None:
    assert found.status == 1
    assert words in found.err + found.out
    assert len(found.err.splitlines()) <= 1


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///no/such/folder/p.db", "unable to open database file"),
        ("postgresql+psycopg://u:geheim@127.0.0.1:1/p", "Connection refused"),
        ("mysql://u:geheim@h/p", "'mysql' is not supported"),
        ("geheim", "this is no address of a database"),
        ("sqlite:///file:p.db?mode=ro&uri=true", "unable to open database file"),
    ],
)
def test_a_database_out_of_reach_is_one_line(
    passerelle: Run, monkeypatch: pytest.MonkeyPatch, url: str, words: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", url)
    found = passerelle(*arguments)
    fails(found, words)
    assert "database_url" in found.err + found.out
    assert "geheim" not in found.err + found.out


def test_a_database_that_cannot_be_written_is_one_line(
    passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_only = url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", read_only)
    Path("people.csv").write_text("id,given_name\nagent-a,Agent\n")
    fails(passerelle("directory", "import", "people.csv"), "readonly database")
    assert passerelle("rights", "list").status == 0, "what only reads works"


def test_a_locked_database_is_one_line(passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_haste(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA busy_timeout=100")

    prepare = engines._prepare_sqlite
    monkeypatch.setattr(engines, "_prepare_sqlite", in_haste)
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        for arguments in COMMANDS:
            fails(passerelle(*arguments), "database is locked")


def test_a_database_that_is_lost_while_one_talks_is_one_line(
    passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise Unavailable("disk I/O error\nmore of it")

    monkeypatch.setattr("bot.platforms.console.Console.typed", lost)
    found = passerelle("console", "--as", "a", "--room", "prefecture-67", "--new", stdin="bonjour\n")
    assert (found.status, one_line(found.err)) == (1, "passerelle: disk I/O error")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_database_of_a_newer_release_is_one_line(passerelle: Run, url: str, arguments: tuple[str, ...]) -> None:
    database = Database(url)
    database.run_now(lambda s: s.execute(text("UPDATE alembic_version SET version_num = 'ffffffffffff'")))
    database.close()
    fails(passerelle(*arguments), "the database is of a newer release (revision ffffffffffff); run that release")


def test_a_file_that_is_no_database_is_one_line(passerelle: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("notes.txt").write_text("not a database" * 100)
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", "sqlite:///notes.txt")
    fails(passerelle("db", "upgrade"), "file is not a database")


# --- what nobody foresaw


def test_a_fault_of_ours_is_one_line_that_says_where(
    passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError("somebody's words")

    monkeypatch.setattr("bot.cli.directory.rights.granted", fault)
    found = passerelle("rights", "list")
    assert found.status == 1
    assert "please report it: ZeroDivisionError at " in one_line(found.err)
    assert "words" not in found.err


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([ZeroDivisionError(), ConfigurationError("matrix.password: refused")], "matrix.password: refused"),
        ([Unavailable("gone")], "gone"),
        ([Unavailable()], "Unavailable"),
        ([ExceptionGroup("inner", [ConfigurationError("slack: no")])], "slack: no"),
        ([PermissionError(13, "Permission denied", "var")], "var: Permission denied"),
        ([OSError(24, "Too many open files")], "Too many open files"),
    ],
)
def test_of_several_faults_the_one_that_can_be_mended_is_told(
    passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch, errors: list[Exception], told: str
) -> None:
    def fault(*_: object) -> None:
        raise ExceptionGroup("tasks", errors)

    monkeypatch.setattr("bot.cli.directory.rights.granted", fault)
    assert one_line(passerelle("rights", "list").err) == f"passerelle: {told}"


def test_interrupted_it_ends_with_130(passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.cli.directory.rights.granted", interrupted)
    assert passerelle("rights", "list") == Result(130, "", "")


# --- terminals and pipes


def test_a_terminal_without_accents_gets_the_words_all_the_same(process: Callable[..., Result], url: str) -> None:
    found = process("directory", "search", "consulat", "munich", PYTHONIOENCODING="ascii")
    assert found.status == 0
    assert "g\\xe9n\\xe9ral" in found.out


def test_who_reads_us_may_stop_reading(process: Callable[..., Result], url: str) -> None:
    found = process(shell='"$0" directory search consulat --limit 500 | head -1; echo "${PIPESTATUS[0]}"')
    assert found.err == ""
    assert len(found.out.splitlines()) == 2


def test_the_commands_name_is_installed(process: Callable[..., Result]) -> None:
    assert process("--help").status == 0
    assert list(Path().iterdir()) == []
