"""The one entrance: one inbound event, one transaction, before its acknowledgement."""

import contextlib
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot import receipts
from bot.audit.recording import record, who
from bot.card import Card, Errors, Paragraph, Reply
from bot.clock import Clock
from bot.command import Missing, bind, form_of
from bot.context import Context, World
from bot.conversation.rooms import changed
from bot.db import Database
from bot.directory.identity import Actor, identify
from bot.directory.rooms import room_of
from bot.errors import NotSent, NotYet, Unavailable, UserError, in_short
from bot.grammar import Command
from bot.interpret import Asked, Nothing, Wanted, understand
from bot.interpret.which import Which
from bot.memory import remember
from bot.message import Deletion, Edit, Inbound, Invocation, Message, Reaction, RoomChange, storable
from bot.outbox import Destinations, Outbox
from bot.posts import Placing
from bot.questions.find import NUMBER
from bot.questions.tables import Question
from bot.relay.holding import Choice, Stopped, follow, hold, is_held, release
from bot.relay.said import sealed_here
from bot.replying import Replies
from bot.rights import Denied, has
from bot.routing.marks import marked
from bot.texts import Reader, Text
from bot.turns import Turns, in_doubt, put_off

log = structlog.get_logger()

SOON: Final = 0.3  # seconds until an event is looked at again whose message is still being said
PATIENCE: Final = 1.5  # seconds for what is being made since the start; Slack waits three for an acknowledgement


class Dispatcher:
    """Handles events. `pointers` names the platforms where what is private goes to a direct room."""

    def __init__(
        self,
        database: Database,
        world: World,
        destinations: Destinations,
        clock: Clock,
        *,
        pointers: Collection[str] = ("matrix",),
    ) -> None:
        self._database = database
        self._world = world
        self._destinations = destinations
        self._clock = clock
        self._replies = Replies(pointers)
        self._turns = Turns()

    async def receive(self, inbound: Inbound) -> Reply:
        """Commit an event and all that follows from it, and return the direct reply.

        A handler's fault is kept as a failed receipt and told with its number. Raises `Unavailable` when nothing
        could be committed: the platform must offer the event again. What it takes may still be being made after a
        start: then the event is kept, its author told so, and answered as soon as that is there.
        """
        if inbound.author.bot or _chatter(inbound):
            return None
        inbound = storable(inbound)
        floods = self._turns.floods(inbound)
        try:
            return await self._handle(
                inbound,
                lambda session: self._take_in_turn(session, inbound, floods=floods),
                patience=None if marked(_words(inbound)) or _answered_at_once(inbound) else PATIENCE,
            )
        except NotYet:
            return await self._database.run(lambda session: self._take_later(session, inbound))

    async def again(self, inbound: Inbound) -> None:
        """Handle an event whose receipt says that it was put off or failed; one that was handled since is left alone.

        Raises `NotSent` while it is too early still.
        """
        await self._handle(inbound, lambda session: self._take_again(session, inbound))

    async def _handle(self, inbound: Inbound, work: Callable[[Session], Reply], patience: float | None = None) -> Reply:
        try:
            return await self._database.run(work, patience=patience)
        except (Unavailable, NotSent, NotYet):
            raise
        except Exception as error:  # whatever it is, it costs this event alone
            reason = in_short(error)
            log.error("handler_failed", platform=inbound.to.platform, kind=type(inbound).__name__, reason=reason)
            return await self._database.run(lambda session: self._fail(session, inbound, reason))

    def _take_in_turn(self, session: Session, inbound: Inbound, *, floods: bool) -> Reply:
        if not marked(_words(inbound)) and (floods or self._turns.must_wait(session, inbound)):
            put_off(session, inbound, self._clock())
            return None
        if not receipts.record(session, inbound, self._clock()):
            return None
        outcome, reply = self._take(session, inbound)
        if outcome != "done":
            receipts.conclude(session, inbound, outcome)
        return reply

    def _take_later(self, session: Session, inbound: Inbound) -> Reply:
        """Keep an event for when what it takes is made, and say so to its author."""
        put_off(session, inbound, self._clock())
        inbound = _seated(session, inbound)
        to = inbound.to
        actor = identify(session, inbound.author, (to.platform, to.room), to.surface != "room", self._clock())
        ctx = self._context(session, inbound, actor or _STRANGER)
        card = Card(None, (Paragraph(Text.of("reply.starting")),))
        self._replies.say(ctx, self._replies.place(ctx, private=True), card, "starting")
        return None

    def _take_again(self, session: Session, inbound: Inbound) -> Reply:
        if in_doubt(session, inbound):
            raise NotSent("what it belongs to is still being said", retry_after=SOON)
        if is_held(session, inbound) or not receipts.reopen(session, inbound):
            return None
        inbound, choice = release(session, inbound)
        outcome, reply = self._take(session, inbound, choice)
        receipts.conclude(session, inbound, outcome)
        return reply

    def _take(self, session: Session, inbound: Inbound, choice: Choice | None = None) -> tuple[receipts.Outcome, Reply]:
        if inbound.cursor is not None:
            remember(session, inbound.to.platform, dict([inbound.cursor]))
        return self._outcome(session, inbound, choice)

    def _outcome(self, session: Session, inbound: Inbound, choice: Choice | None) -> tuple[receipts.Outcome, Reply]:
        now = self._clock()
        inbound = _seated(session, inbound)
        to = inbound.to
        actor = identify(session, inbound.author, (to.platform, to.room), to.surface != "room", now)
        ctx = self._context(session, inbound, actor or _STRANGER, choice)
        if isinstance(inbound, RoomChange):
            changed(ctx, inbound, known=actor is not None or inbound.author.insider)
            return "done", None
        if marked(_words(inbound)):
            _record_refusal(ctx, "marked text")
            return "refused", self._refuse_marked(ctx)
        if follow(session, inbound):
            return "done", None
        plan = understand(ctx, inbound)
        if isinstance(plan, Nothing):
            return "ignored", None
        if actor is None and not (isinstance(plan, Wanted) and plan.command.strangers):
            _record_refusal(ctx, "stranger")
            return "stranger", self._refuse_stranger(ctx)
        try:
            return "done", self._obey(ctx, plan)
        except Stopped as stopped:
            to = self._replies.place(ctx, private=True)
            self._replies.say(ctx, to, hold(ctx, stopped, to), "choice")
            return "deferred", None

    def _context(self, session: Session, inbound: Inbound, actor: Actor, choice: Choice | None = None) -> Context:
        now = self._clock()
        return Context(
            session=session,
            now=now,
            actor=actor,
            inbound=inbound,
            outbox=Outbox(
                session, self._world.catalogues, self._destinations, now, self._personal(session, inbound, actor)
            ),
            world=self._world,
            key=f"{inbound.to.platform}:{inbound.id}",
            sealed=choice == "chiffrer" or sealed_here(session, inbound.to, encrypted=inbound.encrypted),
            choice=choice,
        )

    def _personal(self, session: Session, inbound: Inbound, actor: Actor) -> tuple[str, Reader] | None:
        """Return how what is for the author alone is rendered: in their own language and zone, if they said which."""
        if actor.language is None and actor.zone is None:
            return None
        there = self._destinations(session, inbound.to).reader
        return inbound.to.room, Reader(actor.language or there.language, actor.zone or there.zone)

    def _obey(self, ctx: Context, plan: Wanted | Asked) -> Reply:
        if isinstance(plan, Asked):
            if plan.refused is not None:
                _record_refusal(ctx, plan.refused)
            return self._replies.answer(ctx, plan.card, private=False)
        ctx = replace(ctx, about=plan.about)
        try:
            with ctx.session.begin_nested():
                reply, about = self._run(ctx, plan)
        except UserError as error:
            if isinstance(error, Denied):
                _record_refusal(ctx, error.action)
            return self._replies.answer(ctx, _told(plan, error), private=True)
        return self._replies.answer(replace(ctx, about=about), reply, private=plan.command.private)

    def _run(self, ctx: Context, plan: Wanted) -> tuple[Reply, Question | None]:
        """Return what a command replies, and the question that it is about."""
        command = plan.command
        if not (command.strangers or has(ctx.actor.rights, command.right)):
            raise Denied(f"use {command.name}", "right.missing", right=Text.of(f"right.{command.right}"))
        if plan.act is not None:
            plan.act(ctx)
            return None, plan.about
        bound = bind(ctx, command, plan.line, plan.form)
        if isinstance(bound, Missing):
            return self._ask_for(ctx, command, bound), plan.about
        named = next((value for value in bound.values() if isinstance(value, Question)), plan.about)
        return command.handler(ctx, **bound), named

    def _ask_for(self, ctx: Context, command: Command, missing: Missing) -> Reply:
        """Ask for what is missing: by a form where the platform has some, else by a card to reply to."""
        if missing.parameter.kind == "question":
            raise Which(ctx, command, missing.line)
        if isinstance(ctx.inbound, Invocation) and ctx.inbound.form:
            return Errors(((missing.parameter.name, Text.of("form.required")),))
        if isinstance(ctx.inbound, Invocation) and ctx.inbound.trigger is not None:
            return form_of(command, missing.line, {})
        if missing.parameter.kind != "rest":
            raise UserError("command.missing", usage=command.usage())
        line = missing.line or (ctx.about.number if ctx.about else "")
        card = Card(None, (Paragraph(Text.of(f"prompt.{command.name}")),))
        about = ctx.about.id if ctx.about else None
        placing = Placing(about, prompt=(command.name, line), asked_of=ctx.inbound.author.id)
        ctx.say(self._replies.place(ctx, private=False), card, "prompt", placing)
        return None

    def _refuse_marked(self, ctx: Context) -> Reply:
        if isinstance(ctx.inbound, Invocation) and ctx.inbound.form:
            name = next(iter(ctx.inbound.form))
            return self._replies.answer(ctx, Errors(((name, Text.of("marked.refused")),)), private=True)
        return self._replies.answer(ctx, Card(None, (Paragraph(Text.of("marked.refused")),)), private=True)

    def _refuse_stranger(self, ctx: Context) -> Reply:
        """Refuse politely, once a day: a program that answers back gets silence."""
        to = self._replies.place(ctx, private=False)
        card = Card(None, (Paragraph(Text.of("stranger.refused")),))
        if ctx.to.surface == "home":
            return self._replies.answer(ctx, card, private=True)
        ctx.outbox.put(to, card, key=f"stranger:{to.platform}:{to.room}:{ctx.inbound.author.id}:{ctx.today}")
        return None

    def _fail(self, session: Session, inbound: Inbound, reason: str) -> Reply:
        now = self._clock()
        if marked(_words(inbound)):  # it failed before that was seen: nothing of it is kept, here neither
            receipts.record(session, inbound, now)
            receipts.conclude(session, inbound, "refused")
            words = Text.of("marked.refused")
        else:
            words = Text.of("failed.apology", number=receipts.fail(session, inbound, now, reason))
        ctx = self._context(session, inbound, _STRANGER)
        card = Card(None, (Paragraph(words),))
        if isinstance(inbound, Message | Invocation):
            with (
                contextlib.suppress(SQLAlchemyError),
                session.begin_nested(),
            ):  # the receipt stays whatever becomes of it
                ctx.say(self._replies.place(ctx, private=False), card, "apology")
        return None


def _answered_at_once(inbound: Inbound) -> bool:
    """Whether the reply belongs into the acknowledgement: a page that is drawn, or a form's errors."""
    return inbound.to.surface == "home" or (isinstance(inbound, Invocation) and bool(inbound.form))


_STRANGER = Actor(None, None, None, None, frozenset(), None, None)


def _told(plan: Wanted, error: UserError) -> Card | Errors:
    """Return how an error is told: beside the field of the form, else as a card."""
    if plan.form:
        return Errors(((next(iter(plan.form)), error.text),))
    return error.card if isinstance(error, Which) else Card(None, (Paragraph(error.text),))


def _record_refusal(ctx: Context, action: str) -> None:
    """Let the audit keep that somebody was refused something; which question it was, not what they said."""
    actor = who(ctx.actor.person, ctx.inbound.author.id)
    about = f"question:{ctx.about.number}" if ctx.about is not None else ""
    content = {"action": action, "platform": ctx.to.platform, "organisation": ctx.actor.organisation}
    record(ctx.session, ctx.now, "refused", actor=actor, about=about, content=content)


def _seated(session: Session, inbound: Inbound) -> Inbound:
    """Let an organisation's room be a room while only one of its people is there: what they say stays internal."""
    to = inbound.to
    row = room_of(session, to.platform, to.room) if to.surface == "direct" else None
    return inbound if row is None or row.organisation is None else replace(inbound, to=replace(to, surface="room"))


def _chatter(inbound: Inbound) -> bool:
    """Whether an event is what people say among themselves: it costs no transaction."""
    return (
        isinstance(inbound, Message)
        and inbound.to.surface == "room"
        and not (inbound.mentions_bot or inbound.reply_to or inbound.to.thread)
        and not inbound.text.lstrip().startswith(("!", "/"))
        and NUMBER.search(inbound.text) is None
    )


def _words(inbound: Inbound) -> str:
    """Return what somebody wrote: marks are looked for in it."""
    match inbound:
        case Message(text=text, files=files) | Edit(text=text, files=files):
            return "\n".join((text, *(file.name for file in files)))
        case Invocation(line=line, form=form):
            return "\n".join((line, *form.values()))
        case Reaction(on=Message() as message):
            return _words(message)
        case Deletion() | Reaction() | RoomChange():
            return ""
