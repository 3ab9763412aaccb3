"""The life of a question as one table: which move leads from which states to which, and who may make it.

Every move goes through `make`, which checks it, changes the state and writes its line in the history. Two people who
move the same question come one after the other (`find` locks its row); who comes second is told what the first did.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import due, personal
from bot.audit.recording import CLOCK as CLOCKWORK
from bot.audit.recording import record, who
from bot.card import Words
from bot.db import insert_into
from bot.directory.identity import Actor
from bot.directory.tables import Organisation
from bot.errors import UserError
from bot.questions.tables import Counter, Move, Question
from bot.rights import Denied, may
from bot.routing.identifiers import masked
from bot.texts import Text

State = Literal["asked_back", "routed", "taken", "answered", "closed", "cancelled", "merged"]
Kind = Literal[
    "ask", "route", "add", "ask_back", "take", "release", "answer", "redirect", "escalate", "close", "reopen", "cancel",
    "merge", "split", "rate", "dialogue",
]  # fmt: skip
Side = Literal["asker", "recipient"]
Who: TypeAlias = Side | Literal["clock"]

PENDING: Final[tuple[State, ...]] = ("asked_back", "routed", "taken")  # an answer is expected
OPEN: Final[tuple[State, ...]] = (*PENDING, "answered")
REASON = 200  # characters of a reason that are kept
CLOCK: Final = "question"  # the kind of due things that looks at a question: after each move, and when time has passed

_HELD = {"routed", "taken"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A move that somebody may make from some states.

    `after` is None where the state stays, and "held" where the question returns to whoever had it: taken if somebody
    took it, routed else. `button` is the command that a card offers for it, None where it is only typed.
    """

    kind: Kind
    who: Who
    before: tuple[State, ...]
    after: State | Literal["held"] | None
    button: str | None = None


TABLE: Final = (
    Rule("take", "recipient", ("routed",), "taken", "prendre"),
    Rule("answer", "recipient", ("routed", "taken", "answered", "asked_back"), "answered", "repondre"),
    Rule("redirect", "recipient", ("asked_back", "routed", "taken", "answered"), "routed", "rediriger"),
    Rule("close", "recipient", ("asked_back", "routed", "taken", "answered"), "closed", "clore"),
    Rule("ask_back", "recipient", ("routed", "taken"), "asked_back", "preciser"),
    Rule("reopen", "recipient", ("closed",), "routed", "rouvrir"),
    Rule("reopen", "recipient", ("answered",), "routed"),
    Rule("release", "recipient", ("taken",), "routed"),
    Rule("escalate", "recipient", PENDING, None),
    Rule("merge", "recipient", OPEN, "merged"),
    Rule("split", "recipient", OPEN, None),
    Rule("add", "asker", ("routed", "taken"), None, "repondre"),
    Rule("add", "asker", ("asked_back", "answered"), "held", "repondre"),
    Rule("redirect", "asker", ("routed", "taken"), "routed", "rediriger"),
    Rule("redirect", "asker", ("asked_back", "answered"), "routed"),
    Rule("close", "asker", ("answered",), "closed", "clore"),
    Rule("close", "asker", PENDING, "closed"),
    Rule("cancel", "asker", PENDING, "cancelled", "annuler"),
    Rule("reopen", "asker", ("closed", "cancelled"), "routed", "rouvrir"),
    Rule("reopen", "asker", ("answered", "merged"), "routed"),
    Rule("escalate", "asker", PENDING, None),
    Rule("merge", "asker", OPEN, "merged"),
    Rule("split", "asker", OPEN, None),
    Rule("rate", "asker", ("answered", "closed"), None),
    Rule("escalate", "clock", PENDING, None),
    Rule("release", "clock", ("taken",), "routed"),
    Rule("redirect", "clock", PENDING, "routed"),
    Rule("close", "clock", ("asked_back", "answered"), "closed"),
)


def rules(kind: Kind, state: str) -> Iterator[Rule]:
    """Yield who may make a move in a state, and where it leads."""
    return (rule for rule in TABLE if rule.kind == kind and state in rule.before)


def offered(who: Who, state: str) -> tuple[Rule, ...]:
    """Return the moves that the card of a side offers in a state, in their order."""
    return tuple(rule for rule in TABLE if rule.who == who and rule.button is not None and state in rule.before)


def states_for(command: str) -> tuple[str, ...]:
    """Return the states in which a command may do something; those of all open questions for one that is no move."""
    found = {state for rule in TABLE if rule.button == command for state in rule.before}
    return tuple(sorted(found)) or OPEN


def sides_of(session: Session, actor: Actor, question: Question) -> set[Side]:
    """Return the sides an actor is on: who asked, or for whom they asked; where it lies, belongs or was raised to.

    A coordinator stands on both.
    """
    if may(actor.rights, "question.see"):
        return {"asker", "recipient"}
    sides: set[Side] = set()
    account = actor.user.id if actor.user else None
    own = actor.organisation
    if account == question.asker_account or (actor.person and actor.person == question.asker_person):
        sides.add("asker")
    if own and own == question.asker_organisation:
        sides.add("asker")
    if own and (own in (question.placed_with, question.recipient) or own in raised_to(session, question)):
        sides.add("recipient")
    return sides


def sides_for(session: Session, action: str, actor: Actor, question: Question) -> set[Side]:
    """Return the sides from which an actor may do something to a question, as `bot.rights` has it.

    Raises Denied where there is none.
    """
    sides = sides_of(session, actor, question)
    allowed: set[Side] = {side for side in sides if may(actor.rights, f"question.{action}", side)}
    if not allowed:
        raise Denied(f"question.{action}", "question.not_yours", number=question.number)
    return allowed


def raised_to(session: Session, question: Question) -> tuple[str, ...]:
    """Return the organisations that a question was escalated to, in order."""
    lines = select(Move.towards).where(Move.question_id == question.id, Move.kind == "escalate").order_by(Move.id)
    return tuple(dict.fromkeys(to for to in session.scalars(lines) if to))


def raised_since(session: Session, question: Question) -> frozenset[tuple[str, str | None]]:
    """Return the organisations that the question was escalated to since its answer is waited for, each with the reason.

    The clockwork's reason is the office that it turned to.
    """
    lines = select(Move.towards, Move.reason).where(Move.question_id == question.id, Move.kind == "escalate")
    rows = session.execute(lines.where(Move.at >= (question.counted_from or question.asked_at)))
    return frozenset((row.towards, row.reason) for row in rows if row.towards)


def check(session: Session, kind: Kind, actor: Actor | None, question: Question) -> Rule:
    """Return the rule by which an actor, or the clockwork (None), may make this move now.

    Raises UserError when they may not, and says who was first where somebody was.
    """
    who: set[Who] = {"clock"} if actor is None else {*sides_for(session, kind, actor, question)}
    if not any(rule.kind == kind and rule.who in who for rule in TABLE):
        raise Denied(f"question.{kind}", "question.not_yours", number=question.number)
    found = next((rule for rule in rules(kind, question.state) if rule.who in who), None)
    if found is None:
        raise _refusal(session, kind, question)
    return found


def make(
    session: Session,
    kind: Kind,
    actor: Actor | None,
    question: Question,
    now: datetime,
    *,
    towards: str | None = None,
    reason: str = "",
) -> Rule:
    """Make a move after checking it: the state changes, and what no longer holds in the new state is forgotten.

    `towards` is the organisation that a redirection or escalation leads to, `reason` what who made it said of it.
    """
    rule = check(session, kind, actor, question)
    before = question.state
    after = rule.after
    if after == "held":
        after = "taken" if question.taken_by is not None else "routed"
    if after == "routed" and question.recipient is None and towards is None:
        after = "asked_back"  # it has nowhere to go yet
    if after is not None:
        _enter(question, after, now)
    write(session, kind, actor, question, now, before=before, towards=towards, reason=reason)
    return rule


def escalate(
    session: Session, question: Question, *, to: str, now: datetime, by: Actor | None = None, reason: str = ""
) -> None:
    """Raise a question to another organisation: it may act as the recipient does, and where the question lies stays.

    Without `by` it is the clockwork's doing. Raises UserError where no answer is expected any more.
    """
    make(session, "escalate", by, question, now, towards=to, reason=reason)


def write(
    session: Session,
    kind: Kind,
    actor: Actor | None,
    question: Question,
    now: datetime,
    *,
    before: str | None = None,
    towards: str | None = None,
    reason: str = "",
) -> None:
    """Write a line of a question's history: where it lay is kept beside where it goes, its words never are."""
    told = actor is None or not question.sealed  # the clockwork's reasons are no words of anybody's
    session.add(
        Move(
            question_id=question.id,
            at=now,
            kind=kind,
            account=actor.user.id if actor and actor.user else None,
            person=actor.person if actor else None,
            organisation=actor.organisation if actor else None,
            before=before,
            after=question.state,
            whence=question.recipient if kind == "redirect" else None,
            towards=towards,
            reason=personal.masked(masked(reason))[:REASON] if reason and told else None,
        )
    )
    record(
        session,
        now,
        f"question.{kind}",
        actor=CLOCKWORK if actor is None else who(actor.person, actor.user.id if actor.user else None),
        about=f"question:{question.number}",
        content={
            "organisation": actor.organisation if actor else None,
            "before": before,
            "after": question.state,
            "towards": towards,
        },
    )
    if _changes_what_is_waited_for(kind, before, question.state):
        wait_anew(question, now)
    session.flush()
    ring(session, question, now)


def withdraw(session: Session, actor: Actor | None, question: Question, now: datetime) -> None:
    """Cancel a question whose author deleted it, if an answer is still expected."""
    if not any(rules("cancel", question.state)):
        return
    before = question.state
    _enter(question, "cancelled", now)
    write(session, "cancel", actor, question, now, before=before, reason="deleted")


def next_number(session: Session, now: datetime) -> str:
    """Return a number never given before: consecutive within the year, in UTC."""
    first = insert_into(session, Counter).values(year=now.year, last=1)
    more = first.on_conflict_do_update(index_elements=["year"], set_={"last": Counter.last + 1})
    last = session.scalars(more.returning(Counter.last)).one()
    return f"Q-{now.year}-{last:05d}"


def _enter(question: Question, state: State, now: datetime) -> None:
    question.state = state
    question.closed_at = None if state in OPEN else question.closed_at or now
    if state == "routed":
        question.taken_by = question.taken_person = question.taken_at = None
        question.answered_at = question.helped = None
    if state != "merged":
        question.merged_into = None


def ring(session: Session, question: Question, now: datetime) -> None:
    """Let the clockwork look at a question: what comes next may have changed."""
    due.hasten(session, CLOCK, question.number, now)


def wait_anew(question: Question, now: datetime) -> None:
    """Count from now on: something else is waited for than before, or somebody else.

    By when an answer was expected stays known of a question that was answered or has ended.
    """
    question.counted_from, question.steps, question.stepped_at = now, 0, None
    if question.state in PENDING:
        question.due_at = None


def _changes_what_is_waited_for(kind: Kind, before: str | None, after: str) -> bool:
    if kind in ("redirect", "reopen"):
        return True
    settled = kind in ("ask", "route")  # by who sent it off
    return not settled and before != after and {before, after} != _HELD


def _refusal(session: Session, kind: Kind, question: Question) -> UserError:
    """Say why a move is not possible: what somebody else did before, and who that was."""
    if kind == "take" and question.taken_by is not None:
        return UserError("question.taken_already", number=question.number, who=question.taken_by)
    return UserError(f"question.state.{question.state}.refuses", number=question.number, who=_last(session, question))


def _last(session: Session, question: Question) -> Words:
    """Return which organisation brought a question to its state."""
    led = select(Move).where(Move.question_id == question.id, Move.after == question.state, Move.before != Move.after)
    line = session.scalar(led.order_by(Move.id.desc()).limit(1))
    if line is None or line.organisation is None:
        return Text.of("who.clock")
    row = session.get(Organisation, line.organisation)
    return row.name if row is not None else line.organisation
