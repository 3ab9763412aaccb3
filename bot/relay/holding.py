"""What waits for its author's choice: words with identifiers of persons that are bound for a place in clear.

The whole event is kept, undone, and handled again once its author has chosen: masked, as it is, or only where it is
encrypted. Nobody else can choose. Who does not is reminded once; after a day it is deleted, and was never sent.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias, get_args

from sqlalchemy import Index, String, select
from sqlalchemy import Text as LongText
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import jobs, personal, receipts, wire
from bot.card import Button, Buttons, Card, Paragraph, Words
from bot.context import Context
from bot.db import Base, Instant
from bot.directory.rooms import rooms_of
from bot.errors import UserError
from bot.message import Address, Deletion, Edit, Inbound, Invocation, Message, Reaction
from bot.outbox import Outbox, from_args, to_args
from bot.personal import Kind
from bot.texts import Text

Choice: TypeAlias = Literal["masquer", "tel_quel", "chiffrer", "abandonner"]
CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)

REMINDED: Final = timedelta(hours=4)
EXPIRES: Final = timedelta(days=1)


class Held(Base):
    """An event that waits; `event` is deleted with the row as soon as it is decided."""

    __tablename__ = "held"
    id: Mapped[int] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(String(20))
    account: Mapped[str] = mapped_column(String(255))
    room: Mapped[str] = mapped_column(String(255))
    message_id: Mapped[str | None] = mapped_column(String(255))  # the message whose words these are
    event_id: Mapped[str] = mapped_column(String(255))
    event: Mapped[str] = mapped_column(LongText)
    kinds: Mapped[str] = mapped_column(String(200))
    encrypted: Mapped[bool] = mapped_column(default=False)  # there is an encrypted room it could go to
    told: Mapped[str] = mapped_column(LongText)  # JSON: where its author is asked
    choice: Mapped[str | None] = mapped_column(String(10))
    reminded: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (
        Index("ix_held_event", "platform", "event_id", unique=True),
        Index("ix_held_message", "platform", "room", "message_id"),
        Index("ix_held_at", "at"),
    )


class Stopped(Exception):
    """Words hold identifiers and are bound for a place in clear: their author must choose. Undoes the handler."""

    def __init__(self, kinds: tuple[Kind, ...], *, encrypted: bool) -> None:
        super().__init__()
        self.kinds = kinds
        self.encrypted = encrypted


def guard(ctx: Context, text: str, to: Address | None, organisation: str | None) -> None:
    """Stop words with identifiers that are bound for a place in clear, unless their author has chosen already.

    Where a question may go is not known yet while `to` is None.
    """
    if ctx.choice is not None or ctx.sealed or (to is not None and ctx.outbox.encrypted(to)):
        return
    kinds: tuple[Kind, ...] = tuple(dict.fromkeys(it.kind for it in personal.found(text)))
    if kinds:
        raise Stopped(kinds, encrypted=encrypted_room(ctx.session, organisation) is not None)


def encrypted_room(session: Session, organisation: str | None) -> Address | None:
    """Return an organisation's encrypted room, if it has one."""
    rooms = rooms_of(session, organisation) if organisation else []
    return next((Address(room.platform, room.room) for room in rooms if room.encrypted), None)


def hold(ctx: Context, stopped: Stopped, to: Address) -> Card:
    """Keep the event that was stopped, and return what its author is asked, which repeats none of it."""
    inbound = ctx.inbound
    held = Held(
        platform=inbound.to.platform,
        account=inbound.author.id,
        room=inbound.to.room,
        message_id=_message_of(inbound),
        event_id=inbound.id,
        event=wire.dump(inbound),
        kinds=" ".join(stopped.kinds),
        encrypted=stopped.encrypted,
        told=json.dumps(to_args(to)),
        at=ctx.now,
    )
    ctx.session.add(held)
    ctx.session.flush()
    return _asked(held)


def _message_of(inbound: Inbound) -> str | None:
    match inbound:
        case Message(message_id=message) | Edit(message_id=message) | Reaction(message_id=message):
            return message
        case _:
            return None


def _asked(held: Held, key: str = "personal.stopped") -> Card:
    kinds = tuple(Text.of(f"personal.kind.{kind}") for kind in held.kinds.split())
    offered = [c for c in CHOICES if c != "chiffrer" or held.encrypted]
    buttons = tuple(
        Button(Text.of(f"button.{choice}"), "decider", f"{held.id} {choice}", "primary" if n == 0 else "plain")
        for n, choice in enumerate(offered)
    )
    return Card(None, (Paragraph(Text.of(key, kinds=kinds)), Buttons(buttons)))


def decide(ctx: Context, number: int, choice: Choice) -> Words:
    """Let an author choose; what was held is handled again, in its author's own line. Raises UserError."""
    held = ctx.session.get(Held, number, with_for_update=True)
    mine = held is not None and (held.platform, held.account) == (ctx.to.platform, ctx.inbound.author.id)
    if held is None or not mine or held.choice is not None:
        raise UserError("personal.gone")
    if choice == "chiffrer" and not held.encrypted:
        raise UserError("personal.no_room")
    if choice == "abandonner":
        _end(ctx.session, held)
        return Text.of("personal.abandoned")
    held.choice = choice
    key = f"held:{held.id}"
    lane = f"in:{held.platform}:{held.account}"
    event = wire.dump(_without_words(wire.load(held.event)))  # jobs are remembered for longer than what was held
    jobs.put(ctx.session, "handle", {"event": event}, lane=lane, queue="in", key=key, now=ctx.now)
    return Text.of(f"personal.chosen.{choice}")


def release(session: Session, inbound: Inbound) -> tuple[Inbound, Choice | None]:
    """Return an event as its author chose that it be handled, and forget that it was held."""
    held = session.scalar(
        select(Held).where(Held.platform == inbound.to.platform, Held.event_id == inbound.id).with_for_update()
    )
    if held is None or held.choice not in CHOICES:
        return inbound, None
    choice: Choice = held.choice
    inbound = wire.load(held.event)  # as it was edited meanwhile
    session.delete(held)
    session.flush()
    if isinstance(inbound, Invocation):
        inbound = replace(inbound, trigger=None)  # too old for a form
    return _masked(inbound) if choice == "masquer" else inbound, choice


def _without_words(inbound: Inbound) -> Inbound:
    match inbound:
        case Message() | Edit():
            return replace(inbound, text="", files=())
        case Reaction():
            return replace(inbound, on=None)
        case Invocation():
            return replace(inbound, line="", form={})
        case _:
            return inbound


def _masked(inbound: Inbound) -> Inbound:
    match inbound:
        case Message() | Edit():
            return replace(inbound, text=personal.masked(inbound.text))
        case Reaction(on=Message() as message):
            return replace(inbound, on=replace(message, text=personal.masked(message.text)))
        case Invocation():
            form = {name: personal.masked(value) for name, value in inbound.form.items()}
            return replace(inbound, line=personal.masked(inbound.line), form=form)
        case _:
            return inbound


def is_held(session: Session, inbound: Inbound) -> bool:
    """Say whether an event still waits for its author's choice."""
    waits = select(Held.id).where(Held.platform == inbound.to.platform, Held.event_id == inbound.id)
    return session.scalar(waits.where(Held.choice.is_(None))) is not None


def follow(session: Session, inbound: Inbound) -> bool:
    """Let the edit or deletion of a message reach what is held of it; say whether anything is."""
    if not isinstance(inbound, Edit | Deletion):
        return False
    found = session.scalars(
        select(Held)
        .where(
            Held.platform == inbound.to.platform, Held.room == inbound.to.room, Held.message_id == inbound.message_id
        )
        .with_for_update()
    ).all()
    for held in found:
        event = wire.load(held.event)
        words = event.on if isinstance(event, Reaction) else event
        if not isinstance(words, Message) or words.author.id != inbound.author.id:
            continue
        if not isinstance(inbound, Edit):
            _end(session, held)
            continue
        new = replace(words, text=inbound.text, files=inbound.files)
        event = replace(event, on=new) if isinstance(event, Reaction) else new
        held.event = wire.dump(replace(event, encrypted=event.encrypted or inbound.encrypted))
    return bool(found)


def _end(session: Session, held: Held) -> None:
    receipts.conclude_held(session, held.platform, held.event_id)
    session.delete(held)


def remind(session: Session, outbox: Outbox, now: datetime) -> None:
    """Ask anew who has not chosen, once, and delete what nobody decided about within a day."""
    for held in _waiting(session, now - REMINDED):
        to = from_args(json.loads(held.told))
        if held.at <= now - EXPIRES:
            _end(session, held)
            outbox.put(to, Card(None, (Paragraph(Text.of("personal.expired")),)), key=f"held/{held.id}/expired")
        elif not held.reminded:
            held.reminded = True
            outbox.put(to, _asked(held, "personal.reminder"), key=f"held/{held.id}/reminder")


def _waiting(session: Session, until: datetime) -> Sequence[Held]:
    waits = select(Held).where(Held.choice.is_(None), Held.at <= until).order_by(Held.at).limit(100)
    return session.scalars(waits.with_for_update(skip_locked=True)).all()
