"""`digest`: subscriptions as an operator makes, sees and issues them."""

from pathlib import Path

from tests.cli.conftest import Run, one_line

ROOMS = "organisation,platform,room,language,relay_unencrypted\nprefecture-57,console,prefecture-57,,\n"
PEOPLE = "id,given_name,family_name,slack_id\nagent-a,Agent,Exemple,U0AGENTA\n"
POSTINGS = "person,organisation,role,start,end\nagent-a,prefecture-57,desk,2020-01-01,\n"


def test_subscribed_listed_looked_at_and_issued_once(passerelle: Run, url: str, folder: Path) -> None:
    for name, content in (("rooms", ROOMS), ("people", PEOPLE), ("postings", POSTINGS)):
        (folder / f"{name}.csv").write_text(content)
    assert passerelle("directory", "import", "rooms.csv", "people.csv", "postings.csv").status == 0
    room = passerelle("digest", "add", "--room", "prefecture-57", "--rhythm", "chaque lundi à 8 h", "--json").json
    assert (room["id"], room["organisation"], room["timezone"]) == ("D-1", "prefecture-57", "Europe/Paris")
    own = ("--person", "agent-a", "--rhythm", "jours ouvrés à 7 h 30, en anglais", "--about", "67", "--horizon", "14")
    person = passerelle("digest", "add", *own, "--json").json
    assert (person["id"], person["about"], person["horizon"], person["language"]) == ("D-2", "67", 14, "en")
    assert [row["id"] for row in passerelle("digest", "list", "--json").json] == ["D-1", "D-2"]
    assert "Ce qui passe la frontière" in passerelle("digest", "preview", "D-1").out
    shown = passerelle("digest", "preview", "2", "--json").json
    assert shown["id"] == "D-2"
    assert "What crosses the border" in shown["text"]
    monday = room["next"]
    issued = passerelle("digest", "run", "--at", monday, "--json").json
    assert {"id": "D-1", "day": monday[:10], "at": "08:00", "outcome": "said"} in issued
    assert passerelle("digest", "run", "--at", monday, "--json").json == issued
    shown = passerelle("console", "--as", "agent-a", "--room", "prefecture-57", "--at", monday)
    assert shown.out.count("Ce qui passe la frontière") == 1


def test_what_is_wrong_is_told_in_a_line(passerelle: Run, url: str) -> None:
    for arguments, words in (
        (("add", "--room", "prefecture-57", "--rhythm", "parfois"), "Dites quand"),
        (("add", "--room", "prefecture-57", "--rhythm", "lundi"), "no room speaks for it"),
        (("add", "--person", "personne", "--rhythm", "lundi"), "no such person"),
        (("preview", "D-7"), "nobody can read a digest D-7"),
    ):
        result = passerelle("digest", *arguments)
        assert result.status == 1
        assert words in one_line(result.err)
