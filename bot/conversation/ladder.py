"""Who else is turned to while nobody answers: the steps of the ladder, each as the offices it stands for."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import or_, select

from bot.context import Scope
from bot.conversation.telling import coordinators, region_of
from bot.directory.tables import Person, Posting
from bot.questions.tables import Question
from bot.questions.terms import Rung
from bot.routing.deputies import standing_in
from bot.routing.model import Recipient

_HEADS = ("head", "consul", "ambassador", "prefect")


@dataclass(frozen=True, slots=True)
class Office:
    """A role at an organisation, and who holds it today: nobody need be known."""

    organisation: str
    role: str
    people: tuple[Person, ...] = ()


def offices(ctx: Scope, question: Question, rung: Rung) -> Iterator[Office]:
    """Yield the offices of a step, best first."""
    if question.recipient is None:
        rung = "coordinator"
    own = question.recipient or ""
    match rung:
        case "stand_in":
            other = standing_in(Recipient(own, question.role or "member"), ctx.directory(), ctx.today)
            if other is not None:
                yield office(ctx, other.organisation, other.role)
            deputy = office(ctx, own, "deputy")
            if deputy.people:
                yield deputy
        case "head":
            held = (office(ctx, own, role) for role in _HEADS if role != question.role)
            yield next((it for it in held if it.people), Office(own, "head"))
        case "cdpr":
            regions = (region_of(ctx, it) for it in (question.asker_organisation, own, question.fallback))
            for region in dict.fromkeys(it for it in regions if it and it != own):
                yield office(ctx, region, "cdpr")
        case "coordinator":
            for organisation in coordinators(ctx.session, ctx.now):
                yield Office(organisation, "coordinator")


def office(ctx: Scope, organisation: str, role: str) -> Office:
    """Return an office with those who hold it today."""
    held = select(Posting.person).where(
        Posting.organisation == organisation,
        Posting.role == role,
        Posting.start <= ctx.today,
        or_(Posting.end.is_(None), Posting.end >= ctx.today),
    )
    people = ctx.session.scalars(select(Person).where(Person.id.in_(held)).order_by(Person.id))
    return Office(organisation, role, tuple(people))
