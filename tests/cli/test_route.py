"""`route`: the decision in the promised form, nothing stored."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.db import Base, Database
from bot.routing import candidates
from bot.routing.tables import RoutingExample
from tests.cli.conftest import Run, one_line

BIRTH = "Nous doutons d'un acte de naissance établi à Sarrebruck."
KEYS = (
    "topic topics countries places decision recipient copies fallback confidence question_back advice advice_to because"
).split()


def test_a_decision_has_the_promised_keys(passerelle: Run, url: str) -> None:
    found = passerelle("route", BIRTH, "--from", "prefecture-57", "--json")
    assert found.status == 0
    decision = found.json
    assert list(decision) == KEYS
    assert decision["decision"] == "route"
    assert decision["topic"] == "etat_civil"
    assert decision["topics"][0][0] == "etat_civil"
    assert decision["countries"] == ["DE"]
    assert decision["recipient"] == {"organisation": "consulat-francfort", "role": "consul"}
    assert decision["fallback"] == {"organisation": "region-grand-est", "role": "cdpr"}
    assert 0 <= decision["confidence"] <= 1
    assert all(isinstance(reason, str) and reason for reason in decision["because"])
    assert "\\" not in "".join(decision["because"])


def test_people_read_where_and_why(passerelle: Run, url: str) -> None:
    lines = passerelle("route", BIRTH, "--from", "prefecture-57", "--explain").out.splitlines()
    assert lines[0] == "route: consulat-francfort (consul)"
    assert any("Sarrebruck" in line for line in lines[1:])


@pytest.mark.parametrize(
    ("words", "decision"),
    [
        ("Un acte de naissance du Congo", "ask"),
        ("SECRET DÉFENSE : liste des passages à Sarrebruck", "refuse"),
        ("Demande d'asile d'un ressortissant afghan", "advise"),
    ],
)
def test_other_decisions_keep_to_the_form(passerelle: Run, url: str, words: str, decision: str) -> None:
    found = passerelle("route", words, "--json").json
    assert list(found) == KEYS
    assert found["decision"] == decision
    assert found["recipient"] is None
    match decision:
        case "ask":
            assert found["question_back"]["text"]
            for choice in found["question_back"]["choices"]:
                assert set(choice) == {"label", "recipient"}
        case "refuse":
            assert found["topic"] is None
            assert "passages" not in json.dumps(found)
        case _:
            assert found["advice_to"] == "ofpra"
            assert found["advice"]
    assert passerelle("route", words).out.startswith(f"{decision}: —")


def test_the_date_decides_which_competences_count(passerelle: Run, url: str) -> None:
    Path("competences.csv").write_text(
        "organisation,role,topic,country,territory,place,direction,valid_from,valid_to\n"
        "consulat-francfort,consul,etat_civil,DE,,Sarre,to_post,,2029-12-31\n"
    )
    assert passerelle("directory", "import", "competences.csv", "--json").json["closed"] == 1
    last = passerelle("route", BIRTH, "--on", "2029-12-31", "--json").json
    after = passerelle("route", BIRTH, "--on", "2030-01-01", "--json").json
    assert last["recipient"] == {"organisation": "consulat-francfort", "role": "consul"}
    assert after["recipient"] != last["recipient"]


def test_an_unknown_asker_is_wrong_use(passerelle: Run, url: str) -> None:
    found = passerelle("route", BIRTH, "--from", "prefecture-999")
    assert found.status == 2
    assert one_line(found.err) == "passerelle route: --from prefecture-999: no such organisation"


def test_nothing_is_stored(passerelle: Run, url: str) -> None:
    def rows() -> dict[str, int]:
        database = Database(url)
        counted = database.run_now(
            lambda s: {t.name: s.scalar(text(f"SELECT count(*) FROM {t.name}")) for t in Base.metadata.sorted_tables}
        )
        database.close()
        return counted

    before = rows()
    passerelle("route", BIRTH, "--from", "prefecture-57")
    assert rows() == before


# --- batches


def batch(text: str, name: str = "batch.csv", encoding: str = "utf-8") -> str:
    Path(name).write_bytes(text.encode(encoding))
    return name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_batch_gives_a_line_a_row_in_order(passerelle: Run, url: str, encoding: str) -> None:
    rows = f'text,from\n"{BIRTH}",prefecture-57\n"Visa refusé, à Munich",\n"Deux\nlignes : acte de naissance, Metz",\n'
    found = passerelle("route", "--batch", batch(rows, encoding=encoding))
    assert (found.status, found.err) == (0, "")
    assert [list(line) for line in found.lines] == [KEYS] * 3
    alone = passerelle("route", BIRTH, "--from", "prefecture-57", "--json").json
    assert found.lines[0] == alone


def test_bad_rows_are_told_in_their_place_and_the_others_done(passerelle: Run, url: str) -> None:
    rows = f'from,text\n,\n,"{BIRTH}"\nprefecture-999,"{BIRTH}"\nprefecture-57\n,"{BIRTH}",too,many\n'
    found = passerelle("route", "--batch", batch(rows))
    assert found.status == 1
    assert [line.get("error") for line in found.lines] == [
        "no text",
        None,
        "no such organisation: prefecture-999",
        "no text",
        None,
    ]
    assert [line.split(": ", 1)[0] for line in found.err.splitlines()] == [
        "passerelle route",
        "passerelle route",
        "passerelle route",
    ]
    assert "batch.csv, line 4: no such organisation: prefecture-999" in found.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"text\n\xff\xfe\n", "not UTF-8; save it as such"),
        (b'text\n"' + b"a" * 200_000 + b'"\n', "field larger"),
    ],
)
def test_a_file_that_cannot_be_read_on_is_one_line(passerelle: Run, url: str, content: bytes, words: str) -> None:
    Path("batch.csv").write_bytes(content)
    found = passerelle("route", "--batch", "batch.csv")
    assert found.status == 1
    assert "batch.csv" in one_line(found.err)
    assert words in found.err


def test_a_batch_that_is_not_there_or_empty(passerelle: Run, url: str) -> None:
    assert one_line(passerelle("route", "--batch", "no.csv").err) == "passerelle: no.csv: No such file or directory"
    assert passerelle("route", "--batch", batch("")).out == ""
    wrong_column = passerelle("route", "--batch", batch("question\nQui ?\n"))
    assert wrong_column.status == 1
    assert wrong_column.lines == [{"error": "no text"}]


# --- learning


def propose(url: str, **more: str) -> int:
    given = {
        "number": "Q-2026-00001",
        "text": "Acte bavarois",
        "organisation": "consulat-munich",
        "before": "ambassade-de",
    }
    example = RoutingExample(**given, **more, at=datetime(2026, 11, 23, tzinfo=UTC))
    database = Database(url)
    database.run_now(lambda s: candidates.propose(s, example))
    found = database.run_now(lambda s: candidates.listed(s)[0].id)
    database.close()
    return found


def test_a_candidate_is_listed_confirmed_and_reported(passerelle: Run, url: str) -> None:
    number = str(propose(url, why="l'acte est de Munich"))
    (listed,) = passerelle("route", "examples", "list", "--json").json
    assert (listed["state"], listed["before"], listed["organisation"]) == (
        "proposed",
        "ambassade-de",
        "consulat-munich",
    )
    assert "l'acte est de Munich" in passerelle("route", "examples", "list").out
    without = passerelle("route", "examples", "confirm", number)
    assert (without.status, "--topic" in without.err) == (1, True)
    done = passerelle("route", "examples", "confirm", number, "--topic", "etat_civil", "--json").json
    assert (done["state"], done["topic"]) == ("confirmed", "etat_civil")


def test_only_a_coordinator_confirms(passerelle: Run, url: str) -> None:
    number = str(propose(url, topic="etat_civil"))
    refused = passerelle("route", "examples", "confirm", number, "--by", "agent-a")
    assert refused.status == 1
    assert "agent-a" in one_line(refused.err)
    assert passerelle("route", "examples", "refuse", number).status == 0


@pytest.mark.parametrize(
    "words",
    [("examples", "confirm"), ("examples", "confirm", "x"), ("examples", "confirm", "1", "--topic", "nothing")],
)
def test_wrong_use_of_examples_is_told(passerelle: Run, url: str, words: tuple[str, ...]) -> None:
    found = passerelle("route", *words)
    assert found.status == 2
    assert one_line(found.err).startswith("passerelle route: ")


def test_what_weighed_is_explained(passerelle: Run, url: str) -> None:
    found = passerelle("route", BIRTH, "--from", "prefecture-57", "--explain", "--json").json
    assert "acte de naissance" in dict(found["weighed"]["etat_civil"])


@pytest.mark.proof
def test_training_takes_what_was_confirmed(passerelle: Run, url: str) -> None:
    number = str(propose(url, topic="etat_civil"))
    before = passerelle("route", "train", "--json").json
    passerelle("route", "examples", "confirm", number)
    after = passerelle("route", "train", "--json").json
    assert after["examples"] == before["examples"] + 1
    assert after["first"] > 0.8
    assert passerelle("route", "examples", "report", "--json").json["confusions"]
