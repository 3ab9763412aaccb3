"""Twenty look-ups of an official who types badly, on Slack or in an encrypted room of Matrix, and what came back.

`python -m tests.stories.lookups` writes `docs/lookups.md`.
"""

import asyncio
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.db import Database
from tests.conftest import build
from tests.search.conftest import people
from tests.stories.on_matrix import MatrixRoom
from tests.stories.on_matrix import Said as OnMatrix
from tests.stories.on_slack import Said as OnSlack
from tests.stories.platforms import Servers, on_platforms
from tests.stories.scene import Clock

PAGE = Path("docs/lookups.md")
ASKING = "prefecture-67"
MORNING = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)  # a Monday, five past ten in Strasbourg
_BUTTONS = re.compile(r"\[ |\d+\. ")
TYPED = (
    ("munchen", "the city as it is called there, without its umlaut"),
    ("cgbarcelone", "an abbreviation and a city run together"),
    ("ki pr visa tunis", "as in a text message"),
    ("slt c koi le num du consulat a londre svp", "the same, with all the courtesy"),
    ("qui pour etat civil en sarre", "a question in words, no accents"),
    ("grd est cdpr", "the wrong way round, half abbreviated; and the holder is away"),
    ("67", "the number of a département"),
    ("cdpr alsace", "a region that is no more"),
    ("amba marocaine", "an abbreviation and a demonym"),
    ("asi andore", "an office that lies in another country, misspelt"),
    ("0388001122", "a telephone number that somebody left"),
    ("sp sarguemines", "abbreviated, and two letters too few"),
    ("where is the french consulate in new yrok", "English, in a hurry"),
    ("c ouvert le consulat a munich ?", "open now, or not"),
    ("consulat osaka", "a post that was closed"),
    ("prefet du nord", "an office whose holder nobody has entered"),
    ("laissez passer consulaire algerie", "what the network is not for"),
    ("congo", "two countries have that name"),
    ("agent caché", "somebody who is there, but whom the asker may not see"),
    ("pizza", "nothing of the kind"),
)
INTRO = """# Twenty look-ups of somebody who types badly

An agent of the prefecture of Bas-Rhin looks twenty things up, on a Monday at 10 h 05, in the network that is shipped and among a few
people who are made up (`tests/search/conftest.py`). It was played on a Slack as strict as its documentation;
`python -m tests.stories.lookups` writes this page, and a test keeps it true.

The answer stands in the channel, for the asker alone, and `[…]` are buttons. In an encrypted Matrix room the same twenty are answered
with the same words in the asker's direct room with the bot, the buttons numbered: a proof (`tests/stories/test_lookups.py`)
plays them against a real Synapse and compares each line. The shipped network has no telephone numbers: they come with an
administration's own files.
"""


@dataclass(frozen=True)
class Answer:
    """What came back, for who asked alone."""

    words: tuple[str, ...]
    buttons: tuple[str, ...]

    @property
    def drawn(self) -> str:
        return "\n".join((*self.words, *([" ".join(f"[{label}]" for label in self.buttons)] if self.buttons else [])))


async def looked_up(database: Database, folder: Path, servers: Servers | None = None) -> list[Answer]:
    """Look everything up in a channel of Slack; with a homeserver, in a room there."""
    answers: list[Answer] = []
    matrix = (ASKING, ("collegue",), servers) if servers else None
    database.run_now(people)
    async with on_platforms(database, folder, clock=Clock(MORNING), matrix=matrix) as play:
        office = play.link(ASKING)
        if isinstance(office, MatrixRoom):
            office = office.as_("collegue")
            office.employ(ASKING)  # whom the directory knows is answered in a room of their own
        play.app.world.finder.warm()
        await asyncio.to_thread(play.app.world.finder.wait)
        for text, _ in TYPED:
            known = {said.id for said in office.posts}
            await office.slash("annuaire", text)
            (said,) = (said for said in office.posts if said.id not in known and said.alone)
            answers.append(_answer(said))
        assert servers or all(said.alone for said in office.posts), "a look-up is for the asker alone"
    return answers


def _answer(said: OnSlack | OnMatrix) -> Answer:
    lines = (line.replace("*", "").strip() for line in said.text.splitlines())
    return Answer(tuple(line for line in lines if line and not _BUTTONS.match(line)), tuple(said.buttons))


def page(answers: Sequence[Answer]) -> str:
    """Return the page."""
    parts = [INTRO]
    for (text, how), answer in zip(TYPED, answers, strict=True):
        parts.append(f"## `/annuaire {text}`\n\n{how[0].upper()}{how[1:]}.\n\n```text\n{answer.drawn}\n```\n")
    return "\n".join(parts)


async def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/lookups.db"
        build(url)
        database = Database(url)
        answers = await looked_up(database, Path(name))
        database.close()
    PAGE.write_text(page(answers), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
