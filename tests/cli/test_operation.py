"""`check`, `db`, `questions`, `failed`, `demo`, `run`, `matrix`: what an operator looks at and mends."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from bot import alerts, jobs
from bot.cli import service
from bot.clock import system_clock
from bot.db import Database
from bot.directory import rooms
from bot.jobs.tables import Job
from bot.questions.tables import Question
from tests.cli.conftest import Result, Run, one_line

QUESTION = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"
ASKER = ("console", "--as", "agent", "--room", "prefecture-57", "--new")
POST = ("console", "--as", "consul", "--room", "consulat-francfort", "--new")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def only_number(passerelle: Run) -> str:
    [row] = passerelle("questions", "list", "--json").json
    return row["number"]


# --- check, db


def test_an_upgrade_of_a_fresh_database_brings_tables_and_reference_data(
    passerelle: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", f"sqlite:///{folder}/fresh.db")
    for _ in range(2):
        found = passerelle("db", "upgrade")
        assert (found.status, found.out, found.err) == (0, "ok: tables and reference data are up to date\n", "")
    lines = {line["what"]: line for line in passerelle("check", "--json").json}
    assert lines["database"]["ok"]
    assert int(lines["reference data"]["detail"].split()[0]) > 400


def test_check_says_a_line_each_and_what_to_do(
    passerelle: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = passerelle("check")
    assert found.status == 1
    assert found.out.splitlines()[0] == "ok   configuration: read"
    assert "FAIL rooms: none is linked: import rooms.csv, or say `relier` there" in found.out
    assert "FAIL rights: nobody is administrator: passerelle rights grant PERSON administrator" in found.out
    assert "FAIL platforms: none is configured" in found.out
    assert one_line(found.err).startswith("passerelle: to be mended: rooms, rights, ")
    assert "ok   alerts: operator.alerts is not set" in found.out
    monkeypatch.setenv("PASSERELLE_OPERATOR__ALERTS", "slack:C0123")
    assert "FAIL alerts: nobody is told what is wrong" in passerelle("check").out


def test_check_looks_at_the_file_that_was_named(passerelle: Run, folder: Path, url: str) -> None:
    (folder / "own.toml").write_text('language = "fr"')
    (folder / "own.toml").chmod(0o644)
    assert "FAIL secrets: own.toml can be read by others" in passerelle("check", "--config", "own.toml").out
    (folder / "own.toml").chmod(0o600)
    assert "ok   secrets:" in passerelle("--config", "own.toml", "check").out


def test_check_finds_what_is_stuck_and_what_is_lost(passerelle: Run, database: Database) -> None:
    def work(session: Session) -> None:
        rooms.link(session, "prefecture-67", "console", "prefecture-67", system_clock())
        rooms.link(session, "prefecture-68", "console", "prefecture-68", system_clock())
        rooms.note(session, "console", "prefecture-68", state="closed")
        now = system_clock()
        jobs.put(session, "say", {}, lane="slack:C1", queue="slack", key="k", now=now)
        jobs.write(session)
        session.query(Job).filter_by(key="k").update({"state": "failed", "done_at": now})

    database.run_now(work)
    Path("people.csv").write_text("id,given_name\nagent-a,Agent\n")
    passerelle("directory", "import", "people.csv")
    passerelle("rights", "grant", "agent-a", "administrator")
    lines = [(line["ok"], line["what"], line["detail"]) for line in passerelle("check", "--json").json]
    assert (True, "rooms", "1 linked") in lines
    assert (False, "rooms", "1 linked room(s) can no longer be reached") in lines
    assert (True, "rights", "1 administrator(s)") in lines
    [(ok, detail)] = [(ok, detail) for ok, what, detail in lines if what == "jobs_failed"]
    assert not ok
    assert detail.startswith("1 since 20")
    assert detail.endswith("passerelle failed list, then failed replay")
    assert set(alerts.STUCK) == set(service._TO_DO)


def test_check_tries_the_platforms(passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSERELLE_SLACK__BOT_TOKEN", "xoxb-geheim")
    monkeypatch.setenv("PASSERELLE_SLACK__APP_TOKEN", "xapp-geheim")
    monkeypatch.setenv("PASSERELLE_SLACK__API_URL", "http://127.0.0.1:1/api/")
    monkeypatch.setenv("PASSERELLE_MATRIX__HOMESERVER", "http://127.0.0.1:1")
    monkeypatch.setenv("PASSERELLE_MATRIX__USER_ID", "@bot:example.org")
    monkeypatch.setenv("PASSERELLE_MATRIX__PASSWORD", "geheim")
    monkeypatch.setenv("PASSERELLE_MATRIX__STORE_KEY", "geheim")
    found = passerelle("check")
    assert found.status == 1
    assert "FAIL slack: " in found.out
    assert "FAIL matrix: " in found.out
    assert "geheim" not in found.out + found.err


# --- questions


def test_questions_are_listed_and_shown_with_their_history(passerelle: Run, database: Database) -> None:
    assert passerelle("questions", "list") == Result(0, "", "")
    assert passerelle("questions", "list", "--json").json == []
    passerelle(*POST)
    passerelle(*ASKER, stdin=f"{QUESTION}\n")
    passerelle(*POST, stdin="1\n")
    number = only_number(passerelle)
    [row] = passerelle("questions", "list", "--json").json
    assert (row["state"], row["from"], row["recipient"]) == ("taken", "prefecture-57", "consulat-francfort")
    assert (row["role"], row["topic"], row["answered_at"]) == ("consul", "etat_civil", None)
    assert passerelle("questions", "list").out == f"{number}  taken       prefecture-57 → consulat-francfort\n"

    shown = passerelle("questions", "show", number, "--json").json
    assert shown["text"] == QUESTION
    assert [(m["move"], m["organisation"]) for m in shown["history"]] == [
        ("ask", "prefecture-57"),
        ("take", "consulat-francfort"),
    ]
    year, last = number.removeprefix("Q-").split("-")
    spoken = passerelle("questions", "show", f"q{year}-{int(last)}").out
    assert spoken.startswith(f"{number}  taken  prefecture-57 → consulat-francfort")
    assert QUESTION in spoken

    database.run_now(lambda s: s.execute(update(Question).values(sealed=True)))
    shown = passerelle("questions", "show", number, "--json")
    assert (shown.json["text"], shown.json["sealed"]) == (None, True)
    assert QUESTION not in shown.out + passerelle("questions", "show", number).out


@pytest.mark.parametrize("number", ["Q-2026-99999", "nonsense", ""])
def test_a_question_that_is_not_there(passerelle: Run, url: str, number: str) -> None:
    found = passerelle("questions", "show", number)
    assert (found.status, found.err) == (1, f"passerelle: there is no question {number}\n")


def test_what_was_asked_without_a_recipient_is_listed_too(passerelle: Run, url: str) -> None:
    passerelle(*ASKER, stdin="question Un acte de naissance du Congo\n")
    assert passerelle("questions", "list").out.rstrip().endswith("prefecture-57 → —")


# --- failed


def test_an_event_that_failed_is_listed_and_replayed(
    passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError(QUESTION)

    assert passerelle("failed", "list") == Result(0, "", "")
    passerelle(*POST)
    with monkeypatch.context() as broken:
        broken.setattr("bot.conversation.asking.place", crash)
        told = passerelle(*ASKER, stdin=f"{QUESTION}\n")
        [row] = passerelle("failed", "list", "--json").json
        number = row["id"]
        assert f"gardé sous le numéro {number} " in told.out
        assert QUESTION not in told.err
        again = passerelle("failed", "replay", number)
        assert again.status == 1
        assert again.err.splitlines()[-1] == f"passerelle: {number} still fails, or there is no such failure"
    [row] = passerelle("failed", "list", "--json").json
    assert (row["id"], row["what"]) == (number, "console message")
    assert "ZeroDivisionError" in row["reason"]
    assert passerelle("failed", "list").out.startswith(f"{number}  ")
    assert passerelle("failed", "replay", number.lower()) == Result(0, f"{number.lower()}: done\n", "")
    assert QUESTION in passerelle(*POST).out
    assert passerelle("failed", "list", "--json").json == []
    assert passerelle("failed", "replay", number).status == 1


def test_a_delivery_that_failed_is_listed_and_tried_again(passerelle: Run, database: Database) -> None:
    passerelle(*POST)
    passerelle(*ASKER, stdin=f"{QUESTION}\n")

    def give_up(session: Session) -> None:
        session.query(Job).filter_by(lane="console:consulat-francfort").update(
            {"state": "failed", "error": "kicked", "done_at": system_clock()}
        )

    database.run_now(give_up)
    [row] = passerelle("failed", "list", "--json").json
    assert row["what"] == "say to console:consulat-francfort"
    assert row["reason"] == "kicked"
    assert passerelle(*POST).out == ""
    assert passerelle("failed", "replay", row["id"]).status == 0
    assert QUESTION in passerelle(*POST).out
    assert passerelle("failed", "replay", row["id"]).status == 1
    assert passerelle("failed", "replay", "J999").status == 1


# --- demo


def test_the_demo_plays_to_its_end_with_nobody_there(process: Callable[..., Result], folder: Path) -> None:
    found = process(shell='"$0" demo <&-')
    assert (found.status, found.err) == (0, "")
    for words in ("Sarrebruck", "Prise par", "authentique", "Close"):
        assert words in found.out
    assert {path.name for path in folder.iterdir()} == {"var"}, "its data lies under var/"


def test_the_demo_can_be_run_again_and_beside_a_pilot(passerelle: Run, url: str) -> None:
    for _ in range(2):
        found = passerelle("demo")
        assert found.status == 0
        assert "Close" in found.out
    assert passerelle("questions", "list", "--json").json == []


def test_in_a_terminal_one_goes_on_typing(passerelle: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("console", "demo"):
        monkeypatch.setattr(f"bot.cli.{module}.at_a_terminal", lambda: True)
    monkeypatch.setattr("bot.cli.demo.PAUSE", 0.0)
    found = passerelle("demo", stdin="p\ndemandes\nc\naide\n\nr\ndemandes\n")
    assert found.status == 0
    typed = found.out.partition("À vous.")[2]
    assert "[préfecture du Bas-Rhin]" in typed
    assert "[consulat général à Francfort]" in typed
    assert "[conseiller diplomatique, Grand Est]" in typed


def test_where_the_demo_cannot_write_is_told(passerelle: Run) -> None:
    Path("var").write_text("a file")
    found = passerelle("demo")
    assert found.status == 1
    assert "var" in one_line(found.err)


# --- run


def test_run_needs_a_platform(passerelle: Run, url: str) -> None:
    found = passerelle("run")
    assert found.status == 1
    assert "no platform is configured: set slack.bot_token or matrix.homeserver" in one_line(found.err)


@pytest.fixture
def unreachable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack, where nobody answers."""
    monkeypatch.setenv("PASSERELLE_SLACK__BOT_TOKEN", "xoxb-geheim")
    monkeypatch.setenv("PASSERELLE_SLACK__APP_TOKEN", "xapp-geheim")
    monkeypatch.setenv("PASSERELLE_SLACK__API_URL", "http://127.0.0.1:1/api/")
    monkeypatch.setenv("PASSERELLE_HTTP__PORT", "0")


def test_a_platform_that_never_answers_is_told_instead_of_waited_for(
    passerelle: Run, unreachable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.service.PATIENCE", 0.3)
    found = passerelle("run")
    assert found.status == 1
    assert found.err.splitlines()[-1].startswith("passerelle: no platform could be reached: slack: ")
    assert "geheim" not in found.err


def test_a_port_that_is_taken_is_told_where_a_platform_needs_it(
    passerelle: Run, unreachable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("PASSERELLE_SLACK__MODE", "http")
        monkeypatch.setenv("PASSERELLE_SLACK__SIGNING_SECRET", "geheim")
        monkeypatch.setenv("PASSERELLE_HTTP__PORT", str(port))
        found = passerelle("run")
    assert found.status == 1
    line = found.err.splitlines()[-1]
    assert line.startswith(f"passerelle: http.port: {port} on 127.0.0.1 cannot be listened on: ")
    assert "already in use" in line


# --- matrix


@pytest.mark.parametrize("arguments", [("fingerprint",), ("trust", "@a:example.org"), ("reset-identity",)])
def test_matrix_commands_need_matrix(passerelle: Run, url: str, arguments: tuple[str, ...]) -> None:
    found = passerelle("matrix", *arguments)
    assert found.status == 1
    assert one_line(found.err) == "passerelle: matrix: not configured"


def test_before_the_first_start_there_is_no_fingerprint_and_nothing_to_reset(
    passerelle: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSERELLE_MATRIX__HOMESERVER", "http://127.0.0.1:1")
    monkeypatch.setenv("PASSERELLE_MATRIX__USER_ID", "@bot:example.org")
    monkeypatch.setenv("PASSERELLE_MATRIX__PASSWORD", "geheim")
    monkeypatch.setenv("PASSERELLE_MATRIX__STORE_KEY", "geheim")
    found = passerelle("matrix", "fingerprint")
    assert found.status == 1
    assert "no identity yet" in one_line(found.err)
    away = passerelle("matrix", "reset-identity")
    assert (away.status, away.out) == (1, "")
    assert one_line(away.err).startswith("passerelle: matrix.homeserver: ")
    assert "geheim" not in away.err
