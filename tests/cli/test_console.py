"""`console`: anybody can talk to the bot on standard input; consoles share a database, and find what waits for them."""

import os
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import PASSERELLE, Result, Run, one_line

QUESTION = "Nous doutons d'un acte de naissance établi à Sarrebruck. Pouvez-vous le vérifier ?"
ASKER = ("console", "--as", "agent", "--room", "prefecture-57", "--new")
POST = ("console", "--as", "consul", "--room", "consulat-francfort", "--new")


@pytest.fixture
def linked(passerelle: Run, url: str) -> None:
    """The post's console was opened once: it is a room now."""
    assert passerelle(*POST) == Result(0, "", "")


def cards(found: Result) -> list[dict[str, Any]]:
    assert found.status == 0, found.err
    return found.lines


def test_a_question_goes_over_and_the_answer_comes_back(passerelle: Run, linked: None) -> None:
    asked = cards(passerelle(*ASKER, "--json", stdin=f"{QUESTION}\n"))
    assert asked[-1]["room"] == "prefecture-57"
    assert asked[-1]["fields"]["État"] == "En attente"

    waiting = cards(passerelle(*POST, "--json"))
    assert [card["title"] for card in waiting] == ["Question Q-" + waiting[0]["title"].partition("Q-")[2]]
    assert waiting[0]["buttons"] == ["Prendre", "Répondre", "Rediriger", "Clore", "Plus…"]
    assert QUESTION in waiting[0]["text"]
    assert cards(passerelle(*POST, "--json")) == [], "it is shown once"

    taken = cards(passerelle(*POST, "--json", stdin="1\n"))
    assert "Prise par" in taken[-1]["fields"]["État"]
    assert taken[-1]["change"] == "edited"
    answered = cards(passerelle(*POST, "--json", stdin="1\nL'acte est authentique.\n"))
    assert "Écrivez votre réponse" in answered[0]["text"]
    assert any("transmis" in card["text"] for card in answered)

    back = cards(passerelle(*ASKER, "--json"))
    assert any("L'acte est authentique." in card["text"] for card in back)
    assert any("Répondue" in card["fields"].get("État", "") for card in back)


def test_what_was_asked_before_a_post_had_a_room_is_shown_when_it_opens_one(passerelle: Run, url: str) -> None:
    assert "dès qu’un salon sera relié" in passerelle(*ASKER, stdin=f"{QUESTION}\n").out
    assert QUESTION in passerelle(*POST).out
    assert "n’a pas encore de salon" not in passerelle(*ASKER).out


def test_each_card_is_a_line_of_json_with_the_same_keys(passerelle: Run, url: str) -> None:
    for card in cards(passerelle(*ASKER, "--json", stdin=f"{QUESTION}\naide\n3\n")):
        assert list(card) == ["room", "id", "change", "title", "text", "fields", "buttons"]
        assert card["change"] in ("new", "edited", "deleted")


def test_people_read_cards_with_numbered_buttons_and_no_escapes(passerelle: Run, linked: None) -> None:
    shown = passerelle(*ASKER, stdin=f"{QUESTION}\n!langue alle_mand\n").out
    assert "[1 Compléter] [2 Rediriger] [3 Annuler]" in shown
    assert "État : En attente" in shown
    assert "« alle_mand » n’est pas un choix" in shown
    waiting = passerelle(*POST).out
    assert "── Question Q-" in waiting
    assert f"  │ {QUESTION}" in waiting


def test_a_number_presses_the_button_of_the_card_shown_last(passerelle: Run, linked: None) -> None:
    shown = passerelle(*ASKER, stdin=f"{QUESTION}\n3\n").out
    assert "↻" in shown
    assert "État : Annulée" in shown
    assert "[1 Rouvrir]" in shown


@pytest.mark.parametrize("number", ["0", "9", "00012", "00019", "1000000000000000000000", "²"])
def test_a_number_without_a_button_presses_nothing(passerelle: Run, linked: None, number: str) -> None:
    found = passerelle(*ASKER, stdin=f"{QUESTION}\n{number}\n")
    assert found.status == 0
    assert "Annulée" not in found.out


def test_a_number_means_the_newest_card_even_if_another_console_showed_it(passerelle: Run, linked: None) -> None:
    passerelle(*ASKER, stdin=f"{QUESTION}\n")
    passerelle(*POST)
    assert "Prise par" in passerelle(*POST, stdin="1\n").out


@pytest.mark.parametrize(
    "typed",
    [
        b"\xff\xfe\x00acte de naissance\n",
        b"\x00\x00\n",
        b"\n \n\t\n",
        "\u202e\u200f\n".encode(),
        b"aide",
        b"\xed\xa0\x80\n",
    ],
)
def test_whatever_is_typed_is_survived(passerelle: Run, url: str, typed: bytes) -> None:
    found = passerelle(*ASKER, stdin=typed)
    assert (found.status, found.err) == (0, "")


def test_a_text_of_any_length_is_survived(passerelle: Run, linked: None) -> None:
    long = "mot\t" * 2400
    shown = passerelle(*ASKER, stdin=f"question {QUESTION} {long}\nquestion {'x' * 100_000}\n").out
    assert "trop longue" in shown
    waiting = cards(passerelle(*POST, "--json"))
    assert len(waiting) > 1
    assert "".join(card["text"] for card in waiting).replace("\t", "").count("mot") == 2400


def test_time_may_be_another(passerelle: Run, linked: None) -> None:
    shown = passerelle(*ASKER, "--at", "2031-07-14T23:30+02:00", stdin=f"{QUESTION}\n").out
    assert "Question Q-2031-00001" in shown
    passerelle(*POST, "--at", "2031-07-14T22:00", stdin="2\nOui.\n")
    back = passerelle(*ASKER, "--at", "2031-07-15").out
    assert "Répondue mardi 15 juillet à 0 h" in back


def test_several_questions_in_one_session_are_each_asked(passerelle: Run, linked: None) -> None:
    passerelle(*ASKER, stdin=f"{QUESTION}\n{QUESTION}\n")
    assert len(cards(passerelle(*POST, "--json"))) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--as", "agent", "--room", "prefecture-999", "--new"), "--room prefecture-999: no such organisation"),
        (("--as", "nobody", "--room", "prefecture-57"), "--as nobody: no such person; --new makes up a member"),
    ],
)
def test_who_and_where_must_be_known(passerelle: Run, url: str, arguments: tuple[str, ...], words: str) -> None:
    found = passerelle("console", *arguments, stdin="aide\n")
    assert (found.status, found.out) == (1, "")
    assert words in one_line(found.err)


def test_a_person_of_the_directory_speaks_with_their_own_rights(passerelle: Run, url: str) -> None:
    Path("people.csv").write_text("id,given_name,family_name\ncoord-a,Agent,Exemple\n")
    Path("postings.csv").write_text("person,organisation,role,start\ncoord-a,prefecture-67,desk,2020-01-01\n")
    assert passerelle("directory", "import", "people.csv", "postings.csv").status == 0
    say = ("console", "--as", "coord-a", "--room", "prefecture-67")
    assert "Seul un coordinateur" in passerelle(*say, stdin="relier prefecture-68\n").out
    passerelle("rights", "grant", "coord-a", "coordinator")
    assert "relié **à la préfecture du Haut-Rhin" in passerelle(*say, stdin="relier prefecture-68\n").out


# --- at the same time


class Live:
    """A console that stays open in a process of its own."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        self.process = subprocess.Popen(
            [str(PASSERELLE), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def type(self, line: str) -> None:
        self.stdin.write(line + "\n")
        self.stdin.flush()

    def reads(self, words: str) -> None:
        """Wait until these words are shown; the test's own limit ends a wait in vain."""
        for line in self.stdout:
            if words in line:
                return
        raise AssertionError(f"{words!r} was not shown")


@contextmanager
def open_(arguments: tuple[str, ...]) -> Generator[Live]:
    console = Live(arguments)
    try:
        yield console
        _, err = console.process.communicate(timeout=30)
        assert console.process.returncode == 0, err
        assert err == ""
    finally:
        console.process.kill()
        console.process.wait()


@pytest.mark.one_in(2)
def test_two_open_consoles_talk_to_each_other(linked: None) -> None:
    with open_(POST) as post, open_(ASKER) as asker:
        asker.type(QUESTION)
        asker.reads("En attente")
        post.reads("Prendre")
        post.type("2")
        post.reads("Écrivez votre réponse")
        post.type("Il est authentique.")
        asker.reads("Il est authentique.")


def test_closed_standard_input_is_an_end_of_input(process: Callable[..., Result], linked: None) -> None:
    found = process(shell='"$0" console --as agent --room prefecture-57 --new <&-')
    assert (found.status, found.err) == (0, "")


def test_files_come_in_and_go_out(passerelle: Run, linked: None, folder: Path) -> None:
    """`@PATH` attaches a file of this machine; what the bot sends is put into a folder."""
    (folder / "people.csv").write_text("id,given_name,family_name\nredac,Agente,Rédactrice\n")
    (folder / "postings.csv").write_text("person,organisation,role,start\nredac,consulat-francfort,desk,2026-01-01\n")
    assert passerelle("directory", "import", "people.csv", "postings.csv").status == 0
    passerelle("rights", "grant", "redac", "editor")
    (folder / "absences.csv").write_text("person,start,end\nredac,2026-12-24,2026-12-31\n")
    desk = ("console", "--as", "redac", "--room", "consulat-francfort", "--json", "--files", "sent")
    shown = cards(passerelle(*desk, stdin="annuaire importer @absences.csv\n1\nannuaire exporter\n"))
    preview = next(card for card in shown if card["buttons"] == ["Appliquer", "Abandonner"])
    assert "Ajoutées : 1" in preview["text"]
    assert any(card["id"] == preview["id"] and "Importé. Ajoutées : 1" in card["text"] for card in shown)
    [archive] = (folder / "sent").iterdir()
    assert f"📎 {Path('sent', archive.name)}" in [card["text"] for card in shown]
    assert archive.stat().st_mode & 0o077 == 0, "it names people"
    assert passerelle("directory", "import", archive, "--dry-run").out == "would be added 0, changed 0, closed 0\n"
