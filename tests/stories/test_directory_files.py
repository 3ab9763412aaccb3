"""The directory's files in chat: sent, shown as what they would change, agreed to, stored; and sent back."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.db import Database
from bot.directory import apart, rights
from bot.directory.history import Change
from bot.directory.tables import Person, Posting
from bot.files import Parcel, Slice
from bot.message import User
from bot.performers.beside import Beside
from bot.performers.importing import Importing
from config.settings import Settings
from tests.stories.scene import Place, Scene, Shown, scene

PEOPLE = "id,given_name,family_name,phone\n"
ONE = PEOPLE + "agent-x,Agente,Nouvelle-Exemple,+33 1 00 00 00 01\n"


def known(session: Session) -> None:
    """A coordinator of the prefecture in Metz, an editor of the consulate general in Frankfurt, one of its agents."""
    session.add_all(
        [
            Person(id="coord", given_name="Agent", family_name="Coordinateur", matrix_id="@coord:example.org"),
            Person(id="redac", given_name="Agente", family_name="Rédactrice", matrix_id="@redac:example.org"),
            Person(
                id="guichet", given_name="Agent", family_name="Guichet", phone="+49 1", matrix_id="@guichet:example.org"
            ),
            Person(id="ailleurs", given_name="Agent", family_name="Ailleurs", phone="+33 9"),
        ]
    )
    session.flush()
    for person, organisation in (
        ("coord", "prefecture-57"),
        ("redac", "consulat-francfort"),
        ("guichet", "consulat-francfort"),
        ("ailleurs", "prefecture-57"),
    ):
        session.add(Posting(person=person, organisation=organisation, role="desk", start=date(2026, 1, 1)))
    rights.grant(session, "coord", "coordinator")
    rights.grant(session, "redac", "editor")


@dataclass
class Alone(Place):
    """The direct room of somebody whose account is known."""

    @property
    def user(self) -> User:
        return User("matrix", f"@{self.account}:example.org", insider=True)


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in a thread: to start a process for each takes a second."""

    async def at_once(self: Beside, asked: dict[str, object], told: object = None) -> dict[str, object]:
        del self, told
        return await asyncio.to_thread(apart.answer, json.loads(json.dumps(asked)), lambda _: None)

    monkeypatch.setattr(Beside, "answer", at_once)


@pytest.fixture
async def play(new_url: Callable[[str], str], tmp_path: Path, in_threads: None) -> AsyncIterator[Scene]:
    del in_threads
    database = Database(new_url("sqlite"))
    database.run_now(known)
    async with scene(database, platform="matrix", settings=Settings(data_dir=tmp_path)) as made:
        yield made
    database.close()


@pytest.fixture
def coordinator(play: Scene) -> Place:
    return alone(play, "coord")


@pytest.fixture
def editor(play: Scene) -> Place:
    return alone(play, "redac")


def alone(play: Scene, person: str) -> Place:
    return Alone(play, person, account=person, surface="direct")


async def send(place: Place, **files: str | bytes) -> Shown:
    """Send files to be imported; return what came of reading them."""
    await place.say("annuaire importer", files=named(files))
    return [shown for shown in place.posts if not shown.text.startswith("📎")][-1]


def named(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    return {f"{name}.csv": text.encode() if isinstance(text, str) else text for name, text in files.items()}


def person(play: Scene, id_: str) -> Person | None:
    return play.app.database.run_now(lambda session: session.get(Person, id_))


def kept(play: Scene) -> int:
    count = select(func.count())
    return play.app.database.run_now(
        lambda s: (s.scalar(count.select_from(Parcel)) or 0) + (s.scalar(count.select_from(Slice)) or 0)
    )


async def test_files_are_shown_agreed_to_and_stored(shipped: Database, tmp_path: Path) -> None:
    shipped.run_now(known)
    async with scene(shipped, platform="matrix", settings=Settings(data_dir=tmp_path)) as play:
        await shown_agreed_to_and_stored(play, alone(play, "coord"))


async def shown_agreed_to_and_stored(play: Scene, coordinator: Place) -> None:
    changed = "id,phone\nconsulat-munich,+49 89 123\n"
    preview = await send(coordinator, people=ONE, organisations=changed)
    assert "Ajoutées : 1 · modifiées : 1 · closes : 0" in preview.text
    assert "+ people.csv : agent-x" in preview.text
    assert "~ organisations.csv : consulat-munich — phone « " in preview.text
    assert "→ « +49 89 123 »" in preview.text
    assert person(play, "agent-x") is None, "nothing changes before that is agreed to"
    await coordinator.click(preview, "Appliquer")
    assert "Importé. Ajoutées : 1 · modifiées : 1 · closes : 0." in preview.text
    assert preview.buttons == []
    stored = person(play, "agent-x")
    assert stored is not None
    assert stored.family_name == "Nouvelle-Exemple"
    assert kept(play) == 0, "files are kept no longer than they are needed"
    await coordinator.slash("annuaire", "nouvelle exemple")
    assert "Agente Nouvelle-Exemple" in coordinator.posts[-1].text, "found at once"
    await coordinator.say("annuaire historique agent-x")
    assert "Agent Coordinateur" in coordinator.posts[-1].text, "the history has who did it"


async def test_every_bad_line_is_named_and_nothing_is_stored(play: Scene, coordinator: Place) -> None:
    lines = "".join(f"agent-{n},Agent,Exemple,pas une adresse {n}\n" for n in range(30))
    told = await send(coordinator, people="id,given_name,family_name,email\nagent-ok,Agent,Bon,\n" + lines)
    assert "30 lignes à corriger" in told.text
    assert "people.csv, ligne 3, email « pas une adresse 0 » :" in told.text
    assert told.buttons == []
    name, content = next((p.text, play.stage.files[p.id]) for p in coordinator.posts if p.id in play.stage.files)
    assert name == "📎 erreurs.csv"
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == ["file", "line", "column", "value", "reason"]
    assert [row[1] for row in rows[1:]] == [str(n) for n in range(3, 33)]
    assert all(row[4] for row in rows[1:])
    assert person(play, "agent-ok") is None
    assert kept(play) == 0


async def test_what_changed_in_between_is_shown_anew(play: Scene, coordinator: Place) -> None:
    preview = await send(coordinator, people="id,phone\nguichet,+49 2\n")
    assert "phone « +49 1 » → « +49 2 »" in preview.text
    guichet = alone(play, "guichet")
    await guichet.say("corriger téléphone +49 3")
    await coordinator.click(preview, "Appliquer")
    again = coordinator.sees("L’annuaire a changé entre-temps ; rien n’a été importé.")
    assert "phone « +49 3 » → « +49 2 »" in again.text
    changed = person(play, "guichet")
    assert changed is not None
    assert changed.phone == "+49 3", "a correction is not overwritten unseen"
    await coordinator.click(again, "Appliquer")
    changed = person(play, "guichet")
    assert changed is not None
    assert changed.phone == "+49 2"


async def test_a_proposal_is_stored_once_and_by_its_author_alone(
    play: Scene, coordinator: Place, editor: Place
) -> None:
    preview = await send(coordinator, people=ONE)
    await editor.say("annuaire importer appliquer 1")
    editor.sees("Je ne trouve pas cet import.")
    await coordinator.click(preview, "Appliquer")
    await coordinator.say("annuaire importer appliquer 1")
    coordinator.sees("Cet import n’attend plus de réponse.")
    dropped = await send(coordinator, people=PEOPLE + "agent-y,Agent,Autre,\n")
    await coordinator.click(dropped, "Abandonner")
    assert "Import abandonné" in dropped.text
    assert person(play, "agent-y") is None
    forgotten = await send(coordinator, people=PEOPLE + "agent-z,Agent,Autre,\n")
    play.clock.pass_(hours=25)
    await play.tick()
    assert "abandonné" in forgotten.text
    assert kept(play) == 0


async def test_an_editor_imports_what_is_of_their_office(play: Scene, editor: Place) -> None:
    mine = {
        "people": PEOPLE + "guichet,Agent,Guichet,+49 7\nrecrue,Agent,Recrue,\n",
        "postings": "person,organisation,role,start,end\nrecrue,consulat-francfort,desk,2026-03-01,\n",
        "organisations": "id,phone\nconsulat-francfort,+49 69 1\n",
        "closures": "organisation,start,end,open,reason\nconsulat-francfort,2026-05-15,2026-05-15,,pont\n",
    }
    preview = await send(editor, **mine)
    await editor.click(preview, "Appliquer")
    assert "Importé. Ajoutées : 3 · modifiées : 2" in preview.text
    told = await send(editor, people=PEOPLE + "ailleurs,Agent,Ailleurs,+33 8\n")
    assert "people.csv, ligne 2, id « ailleurs » : cette ligne n’est pas de votre service" in told.text


async def test_who_may_not_is_told_so(play: Scene, coordinator: Place) -> None:
    guichet = alone(play, "guichet")
    for words in ("annuaire importer", "annuaire exporter"):
        await guichet.say(words, files=named({"people": ONE}))
        assert "Seuls les rédacteurs" in guichet.posts[-1].text
    await coordinator.say("annuaire importer", files={"virus.exe": b"MZ"})
    assert "n’est pas un fichier de l’annuaire" in coordinator.posts[-1].text
    told = await send(coordinator, people="id,matrix_id\ncoord,@admin:example.org\n")
    assert "il faut être administrateur" in told.text, "nobody becomes somebody else by a file"


async def test_files_follow_the_word_in_a_direct_room_and_stay_private_in_one_of_many(
    play: Scene, coordinator: Place
) -> None:
    await coordinator.say("annuaire importer")
    assert "Envoyez maintenant les fichiers" in coordinator.posts[-1].text
    await coordinator.say("", files=named({"people": ONE}))
    coordinator.sees("Aperçu de l’import")
    office = play.link("prefecture-57", "salle")
    in_room = Alone(play, "salle", account="coord")
    await in_room.say("annuaire importer", files=named({"people": PEOPLE + "agent-w,Agent,Autre,\n"}))
    office.sees("Je vous réponds en privé.")
    office.sees_not("agent-w")
    assert "agent-w" in Place(play, "@coord:example.org").posts[-1].text


async def test_an_export_imported_again_changes_nothing(play: Scene, coordinator: Place, editor: Place) -> None:
    for place, whole in ((coordinator, True), (editor, False)):
        for words in ("annuaire exporter", "annuaire exporter vcard"):
            await place.say(words)
            archive = play.stage.files[place.posts[-1].id]
            with zipfile.ZipFile(io.BytesIO(archive)) as packed:
                names = packed.namelist()
                people = next(packed.read(name).decode() for name in names if name.startswith("people"))
            assert ("people.vcf" if "vcard" in words else "people.csv") in names
            assert "Guichet" in people
            assert ("Ailleurs" in people) == whole
            assert ("@guichet:" in people) == whole, "accounts are none of an editor's business"
            assert ("competences.csv" in names) == (whole and "vcard" not in words)
            await place.say("annuaire importer", files={"annuaire.zip": archive})
            assert "Rien à changer" in place.posts[-1].text
    assert kept(play) == 0


@pytest.mark.usefixtures("in_threads")
@pytest.mark.parametrize("dies", ["bring", "_tell_stored"])
async def test_a_death_in_the_midst_loses_nothing_and_stores_once(
    new_url: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """Before it is stored; and after, but before anybody heard of it."""
    database, settings = Database(new_url("sqlite")), Settings(data_dir=tmp_path)
    database.run_now(known)
    with monkeypatch.context() as broken:
        async with scene(database, platform="matrix", settings=settings) as first:
            preview = await send(alone(first, "coord"), people=ONE)
            broken.setattr(Importing, dies, _die)
            first.app.worker._kinds = {**first.app.worker._kinds, "import": Importing.bring.__get__(_of(first))}
            await alone(first, "coord").click(preview, "Appliquer")
    assert (person(first, "agent-x") is not None) == (dies == "_tell_stored")
    assert "J’importe" in preview.text
    async with scene(database, first.clock, "matrix", settings, first.stage) as second:
        second.clock.pass_(minutes=1)
        await second.settle()
        assert "Importé. Ajoutées : 1" in preview.text
        assert person(second, "agent-x") is not None
        changes = database.run_now(lambda s: s.scalars(select(Change).where(Change.row == "agent-x")).all())
        assert len(changes) == 1
        assert kept(second) == 0
    database.close()


def _of(play: Scene) -> Importing:
    return play.app.worker._kinds["import"].__self__  # type: ignore[attr-defined]


def _die(*_: object) -> None:
    raise OSError("this process dies here")
