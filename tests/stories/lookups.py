"""Twenty look-ups of an official who types badly, on Slack and in an encrypted room on Matrix, and what came back.

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
from tests.servers.strict_client import StrictClients
from tests.servers.synapse import Synapse
from tests.stories.on_matrix import Said as OnMatrix
from tests.stories.on_slack import Said as OnSlack
from tests.stories.platforms import Servers, on_platforms
from tests.stories.scene import Clock
from tests.typed import typed

PAGE = Path("docs/lookups.md")
ASKING = "prefecture-67"
MORNING = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)  # a Monday, five past ten in Strasbourg
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
people who are made up (`tests/search/conftest.py`). It was played on a Slack as strict as its documentation and in an
end-to-end encrypted room of a real Synapse; `python -m tests.stories.lookups` writes this page, and tests keep it true.

On Slack the answer stands in the channel, for the asker alone, and `[…]` are buttons. On Matrix the same words
stand in the asker's direct room with the bot; buttons are numbered there, and `1` presses the first. What Matrix shows otherwise is
shown besides. The shipped network has no telephone numbers: they come with an administration's own files.
"""
_NUMBERED = re.compile(r"^\d+\. ")


@dataclass(frozen=True)
class Answer:
    """What came back to who asked, and what everybody in the room saw besides."""

    words: tuple[str, ...]
    buttons: tuple[str, ...]
    beside: tuple[str, ...]

    @property
    def drawn(self) -> str:
        return "\n".join((*self.words, *([" ".join(f"[{label}]" for label in self.buttons)] if self.buttons else [])))


async def looked_up(database: Database, folder: Path, servers: Servers | None = None) -> list[Answer]:
    """Look everything up in a channel of Slack, or in an encrypted room of the homeserver."""
    matrix = None if servers is None else (ASKING, ("agent",), servers)
    answers: list[Answer] = []
    async with on_platforms(database, folder, clock=Clock(MORNING), matrix=matrix) as play:
        database.run_now(people)
        office = play.link(ASKING)
        for text, _ in TYPED:
            known = {said.id for said in office.posts}
            await office.slash("annuaire", text)
            answers.append(_answer([said for said in office.posts if said.id not in known]))
    return answers


def _answer(shown: Sequence[OnSlack | OnMatrix]) -> Answer:
    (own,) = (said for said in shown if said.alone)
    lines = (line.replace("*", "").strip() for line in own.text.splitlines())
    words = tuple(line for line in lines if line and not line.startswith("[ ") and not _NUMBERED.match(line))
    return Answer(words, tuple(own.buttons), tuple(typed(said.text) for said in shown if not said.alone))


def page(slack: Sequence[Answer], matrix: Sequence[Answer]) -> str:
    """Return the page: what Slack shows, and what Matrix shows where it differs."""
    parts = [INTRO]
    for (text, how), here, there in zip(TYPED, slack, matrix, strict=True):
        parts.append(f"## `/annuaire {text}`\n\n{how[0].upper()}{how[1:]}.\n\n```text\n{here.drawn}\n```\n")
        if there.drawn != here.drawn:
            parts.append(f"On Matrix:\n\n```text\n{there.drawn}\n```\n")
        parts += [f"The room on Matrix reads: « {line} »\n" for line in there.beside]
    return "\n".join(parts)


def on_slack(written: str) -> list[str]:
    """Return what the page says that Slack shows."""
    return re.findall(r"^## `/annuaire .*?^```text\n(.*?)\n```$", written, re.MULTILINE | re.DOTALL)


async def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Synapse(folder / "synapse") as homeserver, StrictClients(folder / "strict.log") as strict:
            answers: list[list[Answer]] = []
            for platform, servers in (("slack", None), ("matrix", (homeserver, strict))):
                url = f"sqlite:///{folder}/{platform}.db"
                build(url)
                database = Database(url)
                answers.append(await looked_up(database, folder / platform, servers))
                database.close()
    PAGE.write_text(page(*answers), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
