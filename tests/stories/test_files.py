"""Files that the bot makes, and files that cross."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from bot.card import Card, Paragraph
from bot.db import Database
from bot.errors import NotSent, Refused
from bot.files import LONGEST_NAME, SLICE, Parcel, Slice, media_type, safe_name
from bot.jobs.tables import Job, Leased
from bot.message import Address, File
from bot.outbox import Outbox
from bot.posts import NOWHERE, Placing
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene

CHART = bytes(range(256)) * 5000  # more than two slices


async def say(play: Scene, to: Address, card: Card, key: str = "k", placing: Placing = NOWHERE) -> None:
    texts, where = play.app.dispatcher._world.catalogues, play.app.dispatcher._destinations
    await play.app.database.run(lambda s: Outbox(s, texts, where, play.clock()).put(to, card, key=key, placing=placing))
    await play.settle()


def kept(database: Database) -> int:
    return database.run_now(lambda s: s.query(Parcel).count() + s.query(Slice).count())


async def test_a_file_of_the_bots_follows_its_card(play: Scene, prefecture: Place) -> None:
    assert len(CHART) > 2 * SLICE
    card = Card("Bilan", (Paragraph("Mars"),), files=(File("bilan.png", CHART), File("bilan.ics", b"BEGIN")))
    for _ in range(2):
        await say(play, prefecture.to(), card)
    assert [p.text.splitlines()[0] for p in prefecture.posts] == ["**Bilan**", "📎 bilan.png", "📎 bilan.ics"]
    assert sorted(play.stage.files.values()) == sorted([CHART, b"BEGIN"])
    assert kept(play.app.database) == 0, "what is said is kept no longer"


async def test_a_file_waits_for_its_platform_and_is_said_once(play: Scene, prefecture: Place) -> None:
    play.stage.fail = lambda _, key: NotSent("away", outage=True) if key.endswith("file0") else None
    card = Card("Bilan", files=(File("bilan.png", CHART),))
    await say(play, prefecture.to(), card)
    assert play.stage.files == {}
    play.stage.fail = lambda *_: None
    play.clock.pass_(minutes=5)
    await play.settle()
    assert list(play.stage.files.values()) == [CHART]


async def test_a_file_about_what_an_encrypted_room_keeps_is_not_said_in_clear(play: Scene, prefecture: Place) -> None:
    card = Card("Bilan", (Paragraph("Mars", theirs=True),), files=(File("bilan.png", CHART),))
    await say(play, prefecture.to(), card, placing=Placing(sealed=True))
    prefecture.sees("Bilan")
    prefecture.sees_not("Mars")
    assert play.stage.files == {}
    assert kept(play.app.database) == 0


async def test_a_file_that_is_refused_is_not_kept(play: Scene, prefecture: Place) -> None:
    play.stage.fail = lambda _, key: Refused("no") if key.endswith("file0") else None
    await say(play, prefecture.to(), Card("Bilan", files=(File("bilan.png", CHART),)))
    assert kept(play.app.database) == 0
    prefecture.sees("Bilan")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("acte de naissance.PDF", "acte de naissance.pdf"),
        ("../../etc/passwd", "etc passwd"),
        ("C:\\temp\\a.docx", "C temp a.docx"),
        ("facture\u202efdp.exe", "facture fdp.exe"),
        ("é\u0301tat\x00.pdf", "é\u0301tat.pdf"),
        (".pdf", "fichier.pdf"),
        ("", "fichier"),
        ("...", "fichier"),
        ("a" * 400 + ".pdf", "a" * LONGEST_NAME + ".pdf"),
        ("\ud800.pdf", "fichier.pdf"),
        ("note.p*d f", "note.p d f"),
    ],
)
def test_a_name_is_safe_everywhere_and_keeps_its_ending(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert safe_name(safe) == safe


def test_the_type_is_what_the_ending_says() -> None:
    assert [media_type(n) for n in ("a.pdf", "a.ics", "a.vcf", "a", "a.docx")] == [
        "application/pdf",
        "text/calendar",
        "text/vcard",
        "application/octet-stream",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ]


@pytest.mark.parametrize("there", [True, False])
async def test_where_a_file_lies_is_forgotten_once_it_was_fetched_or_could_not_be(
    play: Scene, prefecture: Place, consulate: Place, there: bool
) -> None:
    """On Matrix that is the key of an encrypted file."""
    await prefecture.say(SAARBRUCKEN)
    if not there:
        play.stage.fetch = nothing  # type: ignore[method-assign,assignment]
    await consulate.say("!repondre Q-2026-00001 Voici", mention=False, files={"acte.pdf": b"%PDF"})
    prefecture.sees("acte.pdf")
    assert bool(play.stage.files) == there
    jobs = play.app.database.run_now(lambda s: s.execute(select(Job.state, Job.args).where(Job.kind == "fetch")).all())
    assert [tuple(job) for job in jobs] == [("sent" if there else "failed", "{}")]


async def test_a_file_that_is_on_its_way_is_not_fetched_again_under_it(
    play: Scene, prefecture: Place, consulate: Place
) -> None:
    """The process died after it had kept the file, and before it wrote down that it had fetched it."""
    await prefecture.say(SAARBRUCKEN)
    play.stage.fail = lambda _, key: NotSent("away", outage=True) if key.endswith("file0") else None
    await consulate.say("!repondre Q-2026-00001 Voici", mention=False, files={"acte.pdf": b"%PDF"})
    target = play.app.database.run_now(lambda s: s.scalars(select(Job.key).where(Job.kind == "file")).one())
    place: list[str | None] = ["stage", "consulat-francfort", None, None, "room"]
    args = {"to": place, "from": place, "source": "gone", "name": "acte.pdf", "target": target}
    now = play.clock()
    again = Leased(99, "fetch", "files", f"fetch:{target}", args, 2, now, now, again=True)
    await play.app.worker._kinds["fetch"](again)
    assert kept(play.app.database) == 2, "one parcel, one slice, as they were"
    play.stage.fail = lambda *_: None
    play.clock.pass_(minutes=5)
    await play.settle()
    assert list(play.stage.files.values()) == [b"%PDF"]


async def nothing(_source: str) -> AsyncIterator[bytes]:
    raise Refused("no such file")
    yield b""
