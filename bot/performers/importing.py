"""The directory's files in and out of the chat: read and written by a process of its own (`bot.performers.beside`).

The bot tells its person how far that is, and says what came of it. Whatever becomes of either process, a proposal is
stored once or not at all: what is stored and that it is are written in one transaction (`proposals.note_stored`), and
who comes again finds it done.
"""

import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from bot import foureyes
from bot.card import Card, Paragraph
from bot.clock import Clock
from bot.clockwork import Again, Kind, Ring
from bot.context import Scope, World
from bot.db import Database
from bot.directory import preview, proposals, scopes
from bot.directory.identity import identify, reader_of
from bot.directory.preview import Outcome
from bot.directory.proposals import Proposal
from bot.directory.tables import Person
from bot.errors import UserError
from bot.foureyes import Act
from bot.jobs.leases import Settled
from bot.jobs.tables import Leased
from bot.message import Address, File, User
from bot.outbox import Destinations, Outbox, from_args
from bot.performers.beside import Beside, GaveUp, Told
from bot.performers.fetching import REASONS
from bot.texts import Reader, Text, unescaped

TOLD_EVERY: Final = timedelta(seconds=3)  # how far it is


class Importing:
    """Performs `import` and `export` jobs."""

    def __init__(self, database: Database, world: World, where: Destinations, folder: Path, clock: Clock) -> None:
        self._database = database
        self._world = world
        self._where = where
        self._clock = clock
        self._beside = Beside(database, folder, clock)

    async def bring(self, job: Leased) -> None:
        """Read what a proposal holds and show it, or store what was agreed to."""
        id_ = int(job.args["proposal"])
        row = await self._database.run(lambda session: session.get(Proposal, id_))
        if row is None or row.state not in ("reading", "storing"):
            await self._database.run(lambda session: self._tell_stored(session, id_))
            return
        try:
            found, listing = await self._beside.read(row, self._progress(row), store=row.state == "storing")
        except GaveUp:
            await self._database.run(lambda session: self._fail(session, id_, "proposal.gave_up"))
            return
        await self._database.run(lambda session: self._conclude(session, id_, found, listing))

    async def show(self, job: Leased) -> None:
        """Show a second person what a proposal would change that waits for them."""
        id_ = int(job.args["shown"])
        row = await self._database.run(lambda session: session.get(Proposal, id_))
        found = listing = None
        if row is not None and row.state == "asked":
            with contextlib.suppress(GaveUp):
                found, listing = await self._beside.read(row)
        await self._database.run(lambda session: self._show(session, job, found, listing or b""))

    async def send(self, job: Leased) -> None:
        """Write what somebody may see of the directory into an archive, and say it."""
        to, at = from_args(job.args["to"]), datetime.fromisoformat(job.args["at"])
        try:
            content = await self._beside.write(job.args, at, self._world.limits.largest)
        except GaveUp:
            content = None
        card = Card(None, (Paragraph(Text.of("export.too_large" if content is None else "export.done")),))
        made = (File(Text.of("export.file", day=f"{at:%Y-%m-%d}"), content),) if content is not None else ()

        def say(session: Session) -> None:
            outbox = self._outbox(session, str(job.args["person"]), to)
            outbox.put(to, Card(card.title, card.blocks, files=made), key=f"{job.key}/said")

        await self._database.run(say)

    def _progress(self, row: Proposal) -> Told:
        begun = last = self._clock()

        async def tell(name: str, line: int) -> None:
            nonlocal last
            now = self._clock()
            if now - last >= TOLD_EVERY:
                last = now
                revision = f"{begun.isoformat()}/{name}/{line}"
                card = preview.progress(name, line)
                await self._database.run(
                    lambda session: self._outbox(session, row.person, row.to).edit(row.key, card, revision=revision)
                )

        return tell

    def _conclude(self, session: Session, id_: int, found: Outcome, listing: bytes) -> None:
        """Say what came of a proposal, and let it wait or end."""
        row = proposals.locked(session, id_)
        if row is None or row.state in proposals.OVER:
            self._tell_stored(session, id_)
            return
        outbox = self._outbox(session, row.person, row.to)
        again = row.state == "storing"
        outbox.edit(row.key, preview.read(found), revision="read")
        if again and row.card_key is not None:
            outbox.edit(row.card_key, preview.over("proposal.overtaken"), revision="overtaken")
        if found.total and not found.errors:
            key = proposals.show(row, found.digest, (found.added, found.changed, found.closed))
            note = Text.of("proposal.again") if again else None
            outbox.put(row.to, preview.changes(found, listing, preview.choices(id_), note), key=key)
            return
        proposals.end(session, row, "refused")
        outbox.put(row.to, self._nothing(found, outbox.reader(row.to)), key=f"{row.key}/nothing")

    def _show(self, session: Session, job: Leased, found: Outcome | None, listing: bytes) -> None:
        """Say what a second person is asked to confirm, or that there is nothing any more; None could not be read."""
        row, to = proposals.locked(session, int(job.args["shown"])), from_args(job.args["to"])
        outbox = self._outbox(session, str(job.args["person"]), to)
        number = foureyes.waiting(session, proposals.MANY, row.seconded) if row is not None else None
        if row is None or row.state != "asked" or number is None:
            card = preview.over("proposal.over")
        elif found is None:
            card = preview.over("proposal.unshown")
        elif found.errors or not found.total:
            card = self._nothing(found, outbox.reader(to))
        else:
            note = Text.of("proposal.changed_since") if found.digest != row.agreed else None
            card = preview.changes(found, listing, foureyes.answers(number), note)
        outbox.edit(str(job.args["target"]), preview.over("proposal.shown"), revision="shown")
        outbox.put(to, card, key=f"{job.args['target']}/all")

    def _nothing(self, found: Outcome, reader: Reader) -> Card:
        """Return why there is nothing to agree to."""
        if not found.errors:
            return preview.nothing(found)
        return preview.complaints(found, lambda text: unescaped(self._world.catalogues.render(text, reader)))

    def _tell_stored(self, session: Session, id_: int) -> None:
        """Say of a proposal that is stored that it is, once; its files are of no use any more."""
        row = proposals.locked(session, id_)
        if row is not None and row.state == "stored":
            proposals.end(session, row, "stored")
            card = preview.stored(row.counts)
            self._outbox(session, row.person, row.to).edit(row.card_key or row.key, card, revision="stored")

    def _fail(self, session: Session, id_: int, why: str) -> None:
        row = proposals.locked(session, id_)
        if row is None or row.state in proposals.OVER:
            self._tell_stored(session, id_)
            return
        proposals.end(session, row, "refused")
        self._outbox(session, row.person, row.to).put(row.to, preview.over(why), key=f"{row.key}/failed")

    def _outbox(self, session: Session, person: str, to: Address) -> Outbox:
        """Return the exit for one person: in their language and zone."""
        now = self._clock()
        there = self._where(session, to).reader
        row = session.get(Person, person)
        reader = reader_of(session, row, there, now) if row is not None else there
        return Outbox(session, self._world.catalogues, self._where, now, (to.room, reader))


def tell_unread(session: Session, settled: Settled, outbox: Outbox) -> None:
    """Tell the author of a proposal that a file of it could not be fetched, or that it could not be read."""
    row = proposals.locked(session, int(settled.job.args["proposal"]))
    if row is None or row.state in proposals.OVER:
        return
    proposals.end(session, row, "refused")
    name = settled.job.args.get("name")
    if name is None:
        words = Text.of("proposal.gave_up")
    else:
        reason = settled.error if settled.error in REASONS else "file.unreadable"
        words = Text.of("proposal.unfetched", name=name, reason=Text.of(reason))
    outbox.put(row.to, Card(None, (Paragraph(words),)), key=f"{row.key}/failed")


def expire(ctx: Scope, ring: Ring) -> Again:
    """Forget a proposal that waited too long for its author's word."""
    row = proposals.locked(ctx.session, int(ring.key))
    if row is None or row.state in proposals.OVER:
        return None
    if row.state in ("asked", "storing"):
        return ctx.now + timedelta(hours=1)
    _over(ctx, row, "expired")
    proposals.end(ctx.session, row, "dropped")
    return None


def _store(ctx: Scope, args: Mapping[str, Any], _who: str) -> None:
    """Store what a second person agreed to, as far as its author still may. Raises UserError."""
    row = proposals.locked(ctx.session, int(args["proposal"]))
    author = row and identify(ctx.session, User("console", row.person), ("console", ""), direct=True, at=ctx.now)
    scope = scopes.of(ctx.session, author, ctx.now) if author else None
    if scope is None or not scope.useful:
        _drop(ctx, args)
        raise UserError("proposal.editors_only")
    _over(ctx, proposals.second(ctx.session, row, scope.as_json(), ctx.now), "storing")


def _drop(ctx: Scope, args: Mapping[str, Any]) -> None:
    """Forget a proposal that no second person agreed to."""
    row = proposals.locked(ctx.session, int(args["proposal"]))
    if row is not None and row.state == "asked":
        _over(ctx, row, "not_seconded")
        proposals.end(ctx.session, row, "dropped")


def _over(ctx: Scope, row: Proposal, state: str) -> None:
    if row.card_key is not None:
        ctx.outbox.edit(row.card_key, preview.ended(state), revision=state)


KINDS = {proposals.EXPIRY: Kind(expire)}
SECONDED = Act(_store, _drop)
"""What becomes of an import of many rows once a second person has decided."""
