"""Whom to tell, where, and by which name: a side of a question, a person, the rooms of an organisation."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.card import Card, Paragraph, Words
from bot.context import Scope
from bot.directory.accounts import address_of
from bot.directory.days import postings_held
from bot.directory.identity import Actor, reader_of
from bot.directory.rooms import rooms_of
from bot.directory.tables import Organisation, Person, Right
from bot.message import Address
from bot.posts import Placing, Side
from bot.questions import cards, find, moves
from bot.questions.tables import Endpoint, Question
from bot.texts import Text


def region_of(ctx: Scope, organisation: str | None) -> str | None:
    """Return the region that an organisation belongs to, or is."""
    orgs = ctx.directory().organisations
    seen: set[str] = set()
    while organisation and organisation in orgs and organisation not in seen:
        seen.add(organisation)
        if orgs[organisation].kind == "region":
            return organisation
        organisation = orgs[organisation].parent
    return None


def coordinators(session: Session, at: datetime) -> list[str]:
    """Return the organisations where coordinators hold an office now, in a stable order."""
    return holders(session, at, "coordinator", "administrator")


def holders(session: Session, at: datetime, *rights: str) -> list[str]:
    """Return the organisations where people with one of these rights hold an office now, in a stable order."""
    people = session.scalars(select(Right.person).where(Right.right.in_(rights)).distinct())
    return sorted({posting.organisation for person in people for posting, _ in postings_held(session, person, at)})


def tell_administrators(ctx: Scope, card: Card, key: str) -> None:
    """Say a card in the first room of each organisation where an administrator holds an office."""
    say_in_rooms(ctx, holders(ctx.session, ctx.now, "administrator"), card, key)


def say_in_rooms(ctx: Scope, organisations: Iterable[str], card: Card, key: str) -> None:
    """Say a card in the first room of each of these organisations."""
    for organisation in organisations:
        for room in rooms_of(ctx.session, organisation)[:1]:
            ctx.outbox.put(Address(room.platform, room.room), card, key=f"{key}/{organisation}")


def tell_person(ctx: Scope, person: Person | None, card: Card, name: str) -> None:
    """Say a card to somebody alone, where they have an account."""
    to = address_of(person, ctx.world.platforms) if person is not None else None
    if person is not None and to is not None:
        reader = reader_of(ctx.session, person, ctx.outbox.reader(to), ctx.now)
        ctx.outbox.for_reader(reader).put(to, card, key=f"{ctx.key}/{name}")


def tell(ctx: Scope, question: Question, side: Side, words: Words) -> None:
    """Say a line to a side of a question, beneath its card: what is only rewritten calls nobody."""
    end = find.endpoint(ctx.session, question.id, side)
    if end is not None:
        key = f"{ctx.key}/told/{question.number}/{side}"
        ctx.outbox.put(address(end), Card(None, (Paragraph(words),)), key=key, placing=Placing(question.id, side))


def tell_other(ctx: Scope, question: Question, kind: str, actor: Actor) -> None:
    """Tell the side that did not make a move who made it; who stands on both made it for the asker."""
    name = cards.name_of(ctx.directory(), actor.organisation)
    other: Side = "recipient" if "asker" in moves.sides_of(ctx.session, actor, question) else "asker"
    tell(ctx, question, other, Text.of(f"moved.{kind}", number=question.number, who=name))


def address(end: Endpoint) -> Address:
    """Return where words of a side are said."""
    surface = "direct" if end.surface == "direct" else "room"
    return Address(end.platform, end.room, None if surface == "direct" else end.thread, surface=surface)


def who(ctx: Scope, actor: Actor) -> Words:
    """Return how an actor is named to the other side: by the directory, never by the account."""
    organisation = cards.name_of(ctx.directory(), actor.organisation)
    if actor.name is None:
        return organisation
    return Text.of("who", name=actor.name, organisation=organisation)


def asker_name(ctx: Scope, question: Question) -> str:
    """Return for whom a question was asked."""
    return cards.name_of(ctx.directory(), question.asker_organisation)


def otherwise(ctx: Scope, organisation: str | None) -> Words:
    """Return how to reach an organisation by telephone or mail."""
    row = ctx.session.get(Organisation, organisation) if organisation else None
    org = ctx.directory().organisations.get(organisation or "")
    return cards.contact(org, row.phone if row else "", row.email if row else "")


def shown_name(ctx: Scope, actor: Actor) -> str:
    """Return how an actor is named in a state: the same for every reader."""
    organisation = cards.name_of(ctx.directory(), actor.organisation)
    return f"{actor.name} ({organisation})" if actor.name else organisation
