"""What stands in the audit after people did things: moves, corrections, refusals; and none of their words."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.audit import chain
from bot.audit.tables import Alias, Content, Entry
from bot.life import tick
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene


def acts(session: Session) -> list[tuple[str, str, str]]:
    names: dict[str, str] = {row.alias: row.name for row in session.scalars(select(Alias))}
    rows = session.scalars(select(Entry).order_by(Entry.id))
    return [(names.get(row.actor, row.actor), row.action, names.get(row.about, row.about)) for row in rows]


async def test_moves_and_refusals_stand_there(play: Scene, prefecture: Place, consulate: Place) -> None:
    await prefecture.invoke("poser", SAARBRUCKEN)
    await consulate.invoke("prendre", "Q-2026-00001")
    await consulate.invoke("annuler", "Q-2026-00001")
    other = play.link("consulat-munich")
    await other.invoke("voir", "Q-2026-00001")
    stranger = other.as_("passant", insider=False)
    await stranger.say("Bonjour, une question")
    await prefecture.say("[DIFFUSION RESTREINTE] rien de tout cela")
    question = "question:Q-2026-00001"
    found = play.app.database.run_now(acts)
    assert [act for act in found if act[1] != "process.start"] == [
        ("account:prefecture-57/agent", "question.ask", question),
        ("account:consulat-francfort/agent", "question.take", question),
        ("account:consulat-francfort/agent", "refused", ""),
        ("account:consulat-munich/agent", "refused", ""),
        ("account:consulat-munich/passant", "refused", ""),
        ("account:prefecture-57/agent", "refused", ""),
    ]
    kept = play.app.database.run_now(lambda s: " ".join(s.scalars(select(Content.content))))
    assert "Sarrebruck" not in kept
    assert "tout cela" not in kept
    for refused in ("question.cancel", "question.see", "stranger", "marked text"):
        assert f'"{refused}"' in kept


async def test_the_tick_seals_what_was_done(play: Scene, prefecture: Place) -> None:
    await prefecture.invoke("poser", SAARBRUCKEN)
    await tick(play.app)
    found = play.app.database.reading(chain.verify)
    assert found.fault is None
    assert found.head.position > 0
    assert found.waiting == 0
