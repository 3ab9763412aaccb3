"""Files that somebody sent in chat to change the directory: what they would change is shown, and agreed to, first.

States: `coming` (its files are being fetched), `reading`, `shown` (it waits for its author's word), `asked` (its
author agreed, a second person has to), `storing`, and the ends: `stored`, `refused` (nothing could be read, or a line
is bad), `dropped` (by its author or that second person, or because it waited too long). Only one that waits or is under
way keeps its files.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import String, func, select, update
from sqlalchemy import Text as LongText
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import due, files, jobs
from bot.db import Base, Instant
from bot.directory.tables import ID
from bot.errors import UserError
from bot.message import Address, Attachment
from bot.outbox import from_args, queue_of, to_args

State = Literal["coming", "reading", "shown", "asked", "storing", "stored", "refused", "dropped"]

KEPT: Final = timedelta(hours=24)  # for its author's word
EXPIRY: Final = "proposal"  # the kind of due things that drops one
MANY: Final = "directory.import_many"  # the act to which a second person agrees
LANE: Final = "directory"  # one after the other, in the background
ENDINGS: Final = frozenset("csv vcf vcard json jsonl ndjson zip bz2".split())
OVER: Final = ("stored", "refused", "dropped")


class Proposal(Base):
    """What somebody sent. `agreed` is the digest of what was shown, `card_key` the message in which it was."""

    __tablename__ = "directory_proposal"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(String(ID))
    account: Mapped[str] = mapped_column(String(255))
    place: Mapped[str] = mapped_column(LongText)  # JSON: where its author is told of it
    files: Mapped[str] = mapped_column(LongText)  # JSON: [[key of the parcel, name], …]
    scope: Mapped[str] = mapped_column(LongText)  # JSON: [right, [organisations]], as they were when it was let through
    state: Mapped[str] = mapped_column(String(10), default="coming")
    shown: Mapped[int] = mapped_column(default=0)  # how often
    agreed: Mapped[str | None] = mapped_column(String(64))
    added: Mapped[int] = mapped_column(default=0)  # rows, as it was shown
    changed: Mapped[int] = mapped_column(default=0)
    closed: Mapped[int] = mapped_column(default=0)
    card_key: Mapped[str | None] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(Instant)

    @property
    def to(self) -> Address:
        """Where its author is told of it."""
        return from_args(json.loads(self.place))

    @property
    def parcels(self) -> list[tuple[str, str]]:
        """Its files: the key under which each is kept, and its name."""
        return [(key, name) for key, name in json.loads(self.files)]

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many rows it adds, changes and closes, as it was shown."""
        return self.added, self.changed, self.closed

    @property
    def seconded(self) -> dict[str, int]:
        """With what the act is asked for that lets a second person agree to it."""
        return {"proposal": self.id}

    @property
    def key(self) -> str:
        """What the keys of its messages begin with."""
        return f"proposal/{self.id}"


def begin(
    session: Session,
    person: str,
    account: str,
    attached: Sequence[Attachment],
    *,
    scope: str,
    said_at: Address,
    to: Address,
    now: datetime,
) -> Proposal:
    """Let files be fetched and read; `said_at` is where they lie, `to` where their author is told of them."""
    place = json.dumps(to_args(to))
    row = Proposal(person=person, account=account, place=place, scope=scope, files="[]", at=now)
    session.add(row)
    session.flush()
    named = [(f"{row.key}/{n}", name) for n, name in enumerate(_told_apart(file.name for file in attached))]
    row.files = json.dumps(named, ensure_ascii=False)
    for (key, name), file in zip(named, attached, strict=True):
        jobs.put(
            session,
            "fetch",
            {"from": to_args(said_at), "source": file.source, "name": name, "target": key, "proposal": row.id},
            lane=f"files:{said_at.platform}:{said_at.room}",
            queue=queue_of(said_at),
            key=f"fetch:{key}",
            now=now,
        )
    due.put(session, EXPIRY, str(row.id), now + KEPT)
    return row


def _told_apart(names: Iterable[str]) -> list[str]:
    """Return names that are safe and unlike each other: what is wrong is told by them."""
    found: list[str] = []
    for name in names:
        safe = files.safe_name(name)
        stem, _, suffix = safe.rpartition(".")
        number = 1
        while safe in found:
            number += 1
            safe = f"{stem}-{number}.{suffix}"
        found.append(safe)
    return found


def arrived(session: Session, id_: int, key: str, now: datetime) -> None:
    """Note that a file is here; once all are, they are read. One that is wanted no longer is forgotten."""
    row = locked(session, id_)
    if row is None or row.state != "coming":
        files.discard(session, [key])
        return
    keys = [kept for kept, _ in row.parcels]
    here = session.scalar(select(func.count()).where(files.Parcel.key.in_(keys)))
    if here == len(keys):
        row.state = "reading"
        _work(session, row, now)


def agree(session: Session, row: Proposal, scope: str, now: datetime, alone_up_to: int) -> bool:
    """Let what was shown be stored within the scope of its author, who agrees to it: the one place that decides it.

    What would change or close more rows than `alone_up_to` waits for a second person instead: then return False. Raises
    UserError when it waits for nobody's word any more.
    """
    if row.state != "shown":
        raise UserError("proposal.over")
    row.scope = scope
    if row.changed + row.closed > alone_up_to:
        row.state = "asked"
        return False
    _store(session, row, now)
    return True


def second(session: Session, row: Proposal | None, scope: str, now: datetime) -> Proposal:
    """Let be stored what a second person agreed to, within the scope that its author has by now; return it.

    Raises UserError when it waits for that no more.
    """
    if row is None or row.state != "asked":
        raise UserError("proposal.over")
    row.scope = scope
    _store(session, row, now)
    return row


def show(row: Proposal, agreed: str, counts: tuple[int, int, int]) -> str:
    """Let it wait for its author's word on what is to be shown to them; return the key to show it under."""
    row.shown += 1
    key = f"{row.key}/shown{row.shown}"
    row.state, row.agreed, row.card_key = "shown", agreed, key
    row.added, row.changed, row.closed = counts
    return key


def end(session: Session, row: Proposal, state: State) -> None:
    """End it; its files are forgotten."""
    row.state = state
    files.discard(session, [key for key, _ in row.parcels])
    due.drop(session, EXPIRY, str(row.id))


def note_stored(session: Session, id_: int) -> None:
    """Note within the transaction that stores it that it is. Raises UserError unless that is still to be done."""
    mine = (Proposal.id == id_, Proposal.state == "storing")
    done = session.execute(update(Proposal).where(*mine).values(state="stored").returning(Proposal.id))
    if done.first() is None:
        raise UserError("proposal.over")


def locked(session: Session, id_: int) -> Proposal | None:
    """Return a proposal, for this transaction alone."""
    return session.get(Proposal, id_, with_for_update=True, populate_existing=True)


def of(session: Session, id_: int, person: str | None) -> Proposal:
    """Return somebody's own proposal. Raises UserError: the same whether there is none or it is another's."""
    row = locked(session, id_)
    if row is None or person is None or row.person != person:
        raise UserError("proposal.unknown")
    return row


def _store(session: Session, row: Proposal, now: datetime) -> None:
    row.state = "storing"
    _work(session, row, now)


def _work(session: Session, row: Proposal, now: datetime) -> None:
    args = {"proposal": row.id}
    key = f"import:{row.id}:{row.state}:{row.shown}"
    jobs.put(session, "import", args, lane=LANE, queue="in", key=key, now=now)
