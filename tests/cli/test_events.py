"""`events`: the agenda's calendars in and out, as an operator uses them."""

from pathlib import Path

from tests.cli.conftest import Run, one_line

SERIES = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Fictif\nBEGIN:VEVENT\nUID:a\nSUMMARY:Point\n"
    "DTSTART;TZID=Europe/Paris:20200106T090000\nRRULE:FREQ=WEEKLY\nLOCATION:Sarrebruck\nEND:VEVENT\nEND:VCALENDAR\n"
)


def test_a_file_comes_in_once_and_goes_out_as_it_is(passerelle: Run, url: str, folder: Path) -> None:
    (folder / "in.ics").write_text(SERIES)
    first = passerelle("events", "import", "in.ics", "--organisation", "prefecture-57", "--json").json
    assert 55 <= first["added"] <= 65
    assert first["problems"] == []
    assert passerelle("events", "import", "in.ics", "--json").json["same"] == first["added"]
    [row] = passerelle("events", "calendars", "--json").json  # its series has no end: it is read again
    assert (row["name"], row["site"], row["followed"]) == ("Fictif", None, True)
    coming = passerelle("events", "list", "--days", "14", "--json").json
    assert [it["title"] for it in coming] == ["Point", "Point"]
    assert (coming[0]["countries"], coming[0]["organisers"], coming[0]["place"]) == (
        ["DE"],
        ["prefecture-57"],
        "Sarrebruck",
    )
    assert passerelle("events", "export", "out.ics").status == 0
    again = passerelle("events", "import", "out.ics", "--json").json
    assert (again["added"], again["changed"], again["same"]) == (0, 0, first["added"])


def test_what_is_wrong_is_told_in_a_line(passerelle: Run, url: str, folder: Path) -> None:
    (folder / "no.ics").write_text("hello")
    (folder / "bad.ics").write_text(SERIES.replace("WEEKLY", "SECONDLY"))
    for arguments, words in (
        (("import", "no.ics"), "Ce n’est pas un calendrier"),
        (("import", "absent.ics"), "absent.ics"),
        (("import", "no.ics", "--organisation", "nowhere"), "no such organisation"),
        (("subscribe", "https://calendars.example.org/a.ics"), "Cette adresse n’est pas admise"),
        (("unsubscribe", "7"), "no calendar 7"),
        (("import", "bad.ics"), "too often"),
    ):
        result = passerelle("events", *arguments)
        assert result.status == 1
        assert words in one_line(result.err)
