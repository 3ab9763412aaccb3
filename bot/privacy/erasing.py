"""Erasing a person: their card, their words, and whatever names them, in one transaction; then the free pages.

What stays is that something happened: questions in the figures, moves with the organisation that made them, entries of
the audit under an alias that nobody can resolve. Events of the agenda stay too, as their organisation's.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from bot import due, foureyes, jobs
from bot.agenda.keeping import CHANGED
from bot.agenda.seats import Enrolment
from bot.audit.recording import record
from bot.audit.tables import Alias, Content, Entry
from bot.context import Scope
from bot.digests.tables import Digest, Issue
from bot.directory import current, history, proposals
from bot.directory.files import PEOPLE
from bot.directory.history import Change
from bot.directory.proposals import Proposal
from bot.directory.tables import Person
from bot.jobs.tables import Job, Lane
from bot.memory import Remembered
from bot.privacy import compacting, kept, words
from bot.privacy.sweeping import holds, sweep
from bot.privacy.traces import Traces, core, gather
from bot.receipts import Receipt

_BLIND: Final = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure found, or would find: how many of what."""

    counts: Mapping[str, int]


def erase(ctx: Scope, person: str, actor: str) -> Erased:
    """Erase a person; `actor` is who does it, as the audit names them. Raises UserError where there is no such person.

    To be called outside of any savepoint. The database's file, which may still hold what was deleted, is written anew
    by the next tick.
    """
    session = ctx.session
    traces = gather(session, person)
    its = words.said(session, traces)
    counts = {"questions": len(its.asked), "passages": len(its.passages), "copies": len(its.copies)}
    record(session, ctx.now, "person.erase", actor=actor, about=f"person:{person}")
    foureyes.forget(ctx, person)
    words.take_back(ctx, traces, its)
    jobs.write(session)  # what takes words back names rooms: it is swept too
    counts |= _rows(session, traces, ctx.now)
    _messages(session, traces)
    token = f"erased-{secrets.token_hex(6)}"
    counts |= sweep(session, traces, token)
    counts["audit_content"] = _audit(session, traces)
    history.mark(session, [(PEOPLE.name, "")])
    compacting.wish(session)
    current.touch(session)
    session.expire_all()
    return Erased({name: count for name, count in counts.items() if count})


def _rows(session: Session, traces: Traces, now: datetime) -> Mapping[str, int]:
    """Delete what is about them alone, and leave the rest without them; return how much of what was deleted."""
    person, called = traces.person, kept.called(traces)
    for event in session.scalars(select(Enrolment.event).where(Enrolment.person == person)):
        due.hasten(session, CHANGED, str(event), now)  # who waits for their seat moves up
    for kind in kept.ROWS:
        _unname(session, kind, called)
    digests = select(Digest.id).where(Digest.person == person)
    session.execute(delete(Issue).where(Issue.digest.in_(digests)), execution_options=_BLIND)
    for proposal in session.scalars(select(Proposal).where(Proposal.person == person)):
        proposals.end(session, proposal, "dropped")
    session.flush()
    about = Change.row == person, Change.row.contains(f"{person} ", autoescape=True), Change.row.endswith(f" {person}")
    gone = [(kind.table, kind.theirs(called)) for kind in kept.ROWS if kind.whose and kind.table is not Person]
    gone += [(Change, or_(*about)), (due.Due, due.Due.key == person), (Person, Person.id == person)]
    counts: dict[str, int] = {}
    for table, whose in gone:
        found = session.execute(delete(table).where(whose).returning(1), execution_options=_BLIND).all()
        counts[table.__tablename__] = len(found)
    return counts


def _unname(session: Session, kind: kept.Kept, called: Collection[str]) -> None:
    """Take somebody, and what they wrote, out of rows that stay."""
    for column in kind.words:
        written = column.is_not(None), or_(*(named.in_(called) for named in kind.named))
        session.execute(update(kind.table).where(*written).values({column: ""}), execution_options=_BLIND)
    for column in kind.named:
        session.execute(update(kind.table).where(column.in_(called)).values({column: None}), execution_options=_BLIND)


def _messages(session: Session, traces: Traces) -> None:
    """Delete what is on its way to or from them alone, and what platforms remember of them."""
    for account in traces.ids:
        lanes = select(Lane.name).where(Lane.name.endswith(f":{account}", autoescape=True))
        session.execute(delete(Job).where(Job.lane.in_(lanes), Job.state != "sending"), execution_options=_BLIND)
        busy = select(Job.lane).where(Job.lane == Lane.name)
        idle = Lane.name.in_(lanes), ~busy.exists()
        session.execute(delete(Lane).where(*idle), execution_options=_BLIND)
        known = or_(Remembered.name.contains(account, autoescape=True), Remembered.value == account)
        session.execute(delete(Remembered).where(known), execution_options=_BLIND)
        failed = Receipt.outcome == "failed", Receipt.payload.contains(account, autoescape=True)
        session.execute(
            update(Receipt).where(*failed).values(payload=None, outcome="ignored"), execution_options=_BLIND
        )


def _audit(session: Session, traces: Traces) -> int:
    """Delete what the audit knows of them but that it happened, and the aliases by which it calls them."""
    named = [f"person:{traces.person}", *(f"account:{id_}" for id_ in traces.ids)]
    aliases = list(session.scalars(select(Alias.alias).where(Alias.name.in_(named))))
    about = select(Entry.id).where(or_(Entry.actor.in_(aliases), Entry.about.in_(aliases)))
    gone = set(session.scalars(select(Content.entry).where(Content.entry.in_(about))))
    for text in {core(text) for text in (*traces.ids, *traces.names)} - {""}:
        rows = session.execute(
            select(Content.entry, Content.content).where(Content.content.icontains(text, autoescape=True))
        )
        gone |= {entry for entry, content in rows if holds(content, traces)}
    ordered = sorted(gone)
    for start in range(0, len(ordered), 500):
        session.execute(delete(Content).where(Content.entry.in_(ordered[start : start + 500])))
    session.execute(delete(Alias).where(Alias.name.in_(named)))
    return len(gone)
