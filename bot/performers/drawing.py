"""Drawing: what takes too long for a transaction. A job makes a chart or document and keeps it until it is said."""

import asyncio
from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import files
from bot.clock import Clock
from bot.context import World
from bot.db import Database
from bot.documents import reports
from bot.jobs.tables import Leased
from bot.jobs.worker import Perform
from bot.outbox import from_args
from bot.performers.fetching import Exit
from bot.posts import Post
from bot.texts import Reader


def drawing(database: Database, world: World, clock: Clock, exit_: Exit) -> Perform:
    """Return what performs `draw` jobs."""

    async def draw(job: Leased) -> None:
        reader = Reader(*job.args["reader"])
        plan = await database.run(lambda s: _planned(world, s, reader, job.args["what"], clock))
        content = await asyncio.to_thread(plan.drawn)
        key, name = str(job.args["target"]), str(job.args["name"])

        def say(session: Session) -> None:
            post = session.scalar(select(Post).where(Post.key == key).with_for_update())
            if post is not None and not post.gone:
                now = clock()
                files.keep(session, key, name, content, now)
                exit_(session, now).put_file(from_args(job.args["to"]), key, name)

        await database.run(say)

    return draw


def _planned(
    world: World, session: Session, reader: Reader, what: Mapping[str, str], clock: Clock
) -> reports.Chart | reports.Report:
    """Return what is to be drawn, as `bot.documents.reports` asked for it."""
    if what["kind"] == "figures":
        start, end = date.fromisoformat(what["start"]), date.fromisoformat(what["end"])
        found, title = reports.figures_of(world, session, reader, start, end, clock(), of=what["of"] or None)
        return reports.chart(world, session, reader, found, reports.group_of(what["group"]), title)
    return reports.of_adviser(world, session, reader, what["region"], int(what["year"]), clock())
