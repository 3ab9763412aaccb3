"""vCards 3 and 4 in, 4 out: what address books write is understood, and our own come back unchanged."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bot.directory.exporting import export_vcards
from bot.directory.importing import apply
from bot.directory.reading import read
from bot.directory.tables import Organisation, Person, Posting
from bot.directory.vcard import Property, cards, escaped, written
from tests.directory.conftest import Files, faults

OURS = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:{id}\r\n{rest}\r\nEND:VCARD\r\n"
VERSION_3 = """\
BEGIN:VCARD
VERSION:3.0
item1.N;CHARSET=UTF-8:Exemple;Agnès;;Mme;
FN:Mme Agnès Exemple
ORG:Consulat;Section\\, visas
TEL;TYPE=FAX:+49 89 9
TEL;type=WORK;type=pref:+49 89 1
EMAIL;TYPE="INTERNET,WORK":agnes@exa
 mple.org
PHOTO;ENCODING=b:{photo}
NOTE:première ligne\\nseconde
UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1
END:VCARD
"""


def loaded(files: Files, *contents: str | bytes) -> list[tuple[str, int, str | None, str | None, str]]:
    paths = [files.write(f"{number}.vcf", content) for number, content in enumerate(contents)]
    parsed = read(paths)
    return faults(files.database.run_now(lambda session: apply(session, parsed)))


def people(files: Files) -> dict[str, Person]:
    return {row.id: row for row in files.database.run_now(lambda s: list(s.scalars(select(Person))))}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_card_of_an_address_book_is_understood(files: Files, newline: str) -> None:
    photo = f"{newline} ".join(["A" * 75] * 4000)
    assert loaded(files, VERSION_3.replace("\n", newline).replace("{photo}", photo)) == []
    row = people(files)["4fbe8971-0bc3-424c-9c26-36c3e1eff6b1"]
    assert (row.given_name, row.family_name, row.phone, row.email) == (
        "Agnès",
        "Exemple",
        "+49 89 1",
        "agnes@example.org",
    )


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_card_does_not_mention_stays(peopled: Files) -> None:
    assert loaded(peopled, OURS.format(id="agent-a", rest="FN:x\nTEL;VALUE=uri:tel:+33-2;ext=5\nLANG:en-GB")) == []
    row = people(peopled)["agent-a"]
    assert (row.phone, row.language, row.email, row.slack_id) == ("+33-2", "en", "a@example.org", "T0EX:U0AGENTA")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_card_without_an_id_has_one_of_its_name(files: Files) -> None:
    card = "BEGIN:VCARD\nVERSION:4.0\nFN:Œuvre d’Été\nEND:VCARD\n"
    assert loaded(files, card) == []
    assert loaded(files, card) == []
    assert list(people(files)) == ["oeuvre-d-ete"]
    assert [found[4] for found in loaded(files, card, card)] == ["import.repeated"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_organisations_too(files: Files) -> None:
    rest = (
        "KIND:org\nFN:Consulat\nX-PASSERELLE-KIND:consulate_general\nTZ:Europe/Berlin\n"
        "ADR;CC=DE:;;Heimeranstr. 31\\n80339;München;BY;;Allemagne\nLANG;PREF=2:de\nLANG;PREF=1:fr\n"
        "X-PASSERELLE-LANGUAGE:en"
    )
    assert loaded(files, OURS.format(id="consulat-x", rest=rest)) == []
    row = files.database.run_now(lambda s: s.get_one(Organisation, "consulat-x"))
    assert (row.address, row.city, row.subdivision, row.country) == ("Heimeranstr. 31\n80339", "München", "BY", "DE")
    assert (row.timezone, row.languages, row.language) == ("Europe/Berlin", "fr de", "en")
    assert row.kind == "consulate_general"
    assert loaded(files, OURS.format(id="nouveau", rest="KIND:org\nFN:Sans genre\nTZ:+01:00")) == [
        ("0.vcf", 1, "kind", None, "import.required")
    ]


BAD = {
    "BEGIN:VCARD\nVERSION:2.1\nEND:VCARD\n": (2, "VERSION", "2.1", "import.vcard_version"),
    "BEGIN:VCARD\nVERSION:4.0\nFN:x\n": (1, None, None, "import.vcard_without_end"),
    "BEGIN:VCARD\nBEGIN:VCARD\n": (2, "BEGIN", "VCARD", "import.vcard_in_vcard"),
    "FN:x\n": (1, None, "FN:x", "import.not_a_vcard"),
    "NOTE:x\n": (1, None, None, "import.not_a_vcard"),
    "": (1, None, None, "import.not_a_vcard"),
    "id,name\nx,y\n": (1, None, "id,name", "import.not_a_vcard"),
    "\n\nBEGIN:VCARD\nFN:y\nEMAIL:nobody\nEND:VCARD\n": (3, "email", "nobody", "import.bad_email"),
    "BEGIN:VCARD\nFN:y\nLANG:fr\nX-PASSERELLE-VISIBILITY:king\nEND:VCARD\n": (
        1,
        "visibility",
        "king",
        "import.not_one_of",
    ),
    "BEGIN:VCARD\nFN:y\nTEL:" + "1" * 10_001 + "\nEND:VCARD\n": (1, "phone", "1" * 100, "import.field_too_long"),
    "BEGIN:VCARD\nFN:\\\nEND:VCARD\n": (1, "id", "", "import.required"),
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("content", BAD)
def test_what_is_wrong_is_named(files: Files, content: str) -> None:
    assert loaded(files, content)[:1] == [("0.vcf", *BAD[content])]


def test_an_export_is_read_again_without_a_change(peopled: Files) -> None:
    peopled.load(
        organisations='id,address,subdivision,opening_hours\nconsulat-munich,"Rue; 1\n,x",BY,Mo-Fr 09:00-12:00\n'
    )
    folder = peopled.folder / "cards"
    peopled.database.run_now(lambda session: export_vcards(session, folder))
    assert {path.name for path in folder.iterdir()} == {"organisations.vcf", "people.vcf"}
    assert all(len(line) <= 75 for path in folder.iterdir() for line in path.read_bytes().split(b"\r\n"))
    assert "ORG:Préfecture du Bas-Rhin" in (folder / "people.vcf").read_text()
    parsed = read([folder])
    result = peopled.database.run_now(lambda session: apply(session, parsed))
    assert (result.added, result.changed, result.closed, result.errors) == (0, 0, 0, ())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_end_of_a_line_is_the_same_in_every_format(peopled: Files) -> None:
    peopled.load(organisations=b'id,address\nconsulat-munich,"a\r\nb\rc\nd"\n')
    row = peopled.database.run_now(lambda s: s.get_one(Organisation, "consulat-munich"))
    assert row.address == "a\nb\nc\nd"
    peopled.database.run_now(lambda session: export_vcards(session, peopled.folder / "cards"))
    parsed = read([peopled.folder / "cards"])
    assert peopled.database.run_now(lambda session: apply(session, parsed)).differences == ()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_export_fills_an_empty_directory(peopled: Files, tmp_path: Path) -> None:
    from bot.db import Database
    from tests.directory.conftest import create

    peopled.database.run_now(lambda session: export_vcards(session, tmp_path / "cards"))
    create(f"sqlite:///{tmp_path}/other.db")
    other = Database(f"sqlite:///{tmp_path}/other.db")
    parsed = read([tmp_path / "cards"])
    result = other.run_now(lambda session: apply(session, parsed))
    assert (result.added, result.errors) == (10, ())
    assert len(other.run_now(lambda s: list(s.scalars(select(Posting))))) == 3
    other.close()


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from('\\;,\n:" '), max_size=200
)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_every_text_comes_back_from_a_card(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]]
) -> None:
    from io import BytesIO

    made = [Property(0, "N", ";".join(map(escaped, pair))) for pair in texts]
    [card] = cards(BytesIO(written(made).encode()), {"N"})
    assert [tuple(each.parts) for each in card.properties] == texts
    [card] = cards(BytesIO(written([Property(0, "FN", escaped(pair[0])) for pair in texts]).encode()), {"FN"})
    assert [each.text for each in card.properties] == [pair[0] for pair in texts]
