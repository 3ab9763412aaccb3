"""Carrying words and files from one side of a question to the other, and letting what becomes of them follow.

What is said in a room of many stays there. It crosses where somebody answers, puts `CROSSING` on a message or opens the
dialogue; what the asker says in their thread crosses, and all that is said in a direct room.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot import personal
from bot.card import Card, Paragraph
from bot.context import Context
from bot.conversation import address, redraw, shown_name, who
from bot.directory.identity import Actor, identify
from bot.directory.rooms import room_of
from bot.errors import UserError
from bot.files import safe_name
from bot.holding import encrypted_room, guard
from bot.message import Address, Attachment, Edit, Message, Reaction, User
from bot.outbox import Placing, Post, Side, message_of
from bot.questions import cards, find, moves, notes, passages, wording
from bot.questions.moves import OPEN
from bot.questions.tables import Enclosed, Endpoint, Question
from bot.routing import candidates
from bot.texts import Text

HOLD = timedelta(milliseconds=200)  # Slack may deliver two messages of a thread in the wrong order


def answer(ctx: Context, question: Question, text: str) -> Side:
    """Let words cross from the side of who says them: from the recipient's they answer, from the asker's they complete.

    Return that side. Raises UserError where they may not.
    """
    text = wording.answer(text)
    sides = moves.sides_of(ctx.session, ctx.actor, question)
    if "recipient" in sides and not (sides == {"asker", "recipient"} and _from_asker(ctx, question)):
        moves.make(ctx.session, "answer", ctx.actor, question, ctx.now)
        question.answered_at = ctx.now
        if question.taken_by is None:
            question.taken_by, question.taken_person = shown_name(ctx, ctx.actor), ctx.actor.person
        carry(ctx, question, text, "recipient")
        kept = received(ctx, question, "recipient")
        if text.strip():
            passages.answered(ctx.session, question, text, kept, ctx.now, sealed=ctx.sealed)
        return "recipient"
    moves.make(ctx.session, "add", ctx.actor, question, ctx.now)
    carry(ctx, question, text, "asker")
    return "asker"


def joins(ctx: Context, question: Question) -> bool:
    """Whether these words are part of the question itself: said at once after it, outside a thread, before it is taken.

    In a room they were said to the bot; in private whatever follows is. A file goes by itself.
    """
    said = ctx.inbound
    if not isinstance(said, Message) or not _from_asker(ctx, question) or question.taken_by is not None or said.files:
        return False
    if said.to.thread is not None or said.reply_to is not None or question.state not in ("asked_back", "routed"):
        return False
    last = find.last_word(ctx.session, question.id, said.author.id) or question.asked_at
    return ctx.now - last <= ctx.world.joined


def join(ctx: Context, question: Question, text: str) -> None:
    """Let words be part of a question. Raises `Stopped` where they hold what their author must decide about."""
    text = wording.answer(text)
    end = find.endpoint(ctx.session, question.id, "recipient")
    guard(ctx, text, address(end) if end else None, question.placed_with)
    moves.make(ctx.session, "add", ctx.actor, question, ctx.now)
    question.cleared = question.cleared or (ctx.cleared and not personal.found(question.text))
    passages.join(ctx.session, question, text, received(ctx, question, "asker"), ctx.now, sealed=ctx.sealed)
    own = (Post.question_id == question.id, Post.key.is_not(None), Post.source_id.is_(None))
    ctx.session.execute(update(Post).where(*own).values(sealed=question.sealed, cleared=question.cleared))


def _from_asker(ctx: Context, question: Question) -> bool:
    return ctx.inbound.author.id == question.asker_account


def carry(ctx: Context, question: Question, text: str, side: Side) -> None:
    """Carry somebody's words and files from their side to the other; their edits and deletion will follow them."""
    other: Side = "recipient" if side == "asker" else "asker"
    files = _files(ctx)
    if not text.strip() and not files:
        raise UserError("answer.empty")
    source = received(ctx, question, side)
    end = find.endpoint(ctx.session, question.id, other)
    if end is None:  # nobody has the question yet: who gets it gets this with it
        if text.strip():
            passages.join(ctx.session, question, text, source, ctx.now, sealed=ctx.sealed)
        enclose(ctx, question, source, files)
        return
    to, organisation = address(end), _organisation(question, other)
    guard(ctx, "\n".join((text, *(file.name for file in files))), to, organisation)
    message = _message(ctx)
    placing = Placing(
        question.id,
        other,
        source_id=source,
        sealed=ctx.sealed,
        cleared=ctx.cleared,
        source_at=message.at if message else None,
        hold=HOLD if isinstance(ctx.inbound, Message) and ctx.to.platform == "slack" else timedelta(0),
    )
    names = tuple(safe_name(file.name) for file in files)
    card = cards.words(question.number, who(ctx, _speaker(ctx)), text, _called(question, end, other), names)
    _deliver(ctx, to, card, files, f"words/{question.number}", placing)
    room = encrypted_room(ctx.session, organisation) if ctx.sealed and end.surface == "room" else None
    if room is not None and not ctx.outbox.encrypted(to):
        _deliver(ctx, room, replace(card, notify=None), files, f"sealed/{question.number}", placing)


def _deliver(ctx: Context, to: Address, card: Card, files: Sequence[Attachment], name: str, placing: Placing) -> None:
    key = ctx.say(to, card, name, placing)
    if placing.sealed and not ctx.outbox.encrypted(to):
        return  # the card says that they wait elsewhere
    for number, file in enumerate(files):
        ctx.outbox.carry_file(to, file, said_at(ctx), key=f"{key}/file{number}", placing=placing)


def _called(question: Question, end: Endpoint, side: Side) -> User | None:
    """Return the account that is called to what is said: who asked, in a room of many."""
    if side != "asker" or end.surface != "room" or end.platform == "console":
        return None
    return User(end.platform, question.asker_account)


def _organisation(question: Question, side: Side) -> str | None:
    return question.placed_with if side == "recipient" else question.asker_organisation


def _message(ctx: Context) -> Message | None:
    """Return the message whose words are handled: the one said, or the one on which an emoji lets it cross."""
    match ctx.inbound:
        case Message() as message:
            return message
        case Reaction(on=message):
            return message
        case _:
            return None


def _speaker(ctx: Context) -> Actor:
    """Return whose words they are: those of the message, whoever lets it cross."""
    message = _message(ctx)
    if message is None or message.author == ctx.inbound.author:
        return ctx.actor
    to = message.to
    found = identify(ctx.session, message.author, (to.platform, to.room), to.surface != "room", ctx.now)
    if found is None:
        raise UserError("crossing.stranger")
    return found


def said_at(ctx: Context) -> Address:
    """Return where its author is told what became of what they said: beneath it."""
    message = _message(ctx)
    if message is None or message.to.surface != "room":
        return Address(ctx.to.platform, ctx.to.room, ctx.to.thread, surface=ctx.to.surface)
    return replace(message.to, thread=message.to.thread or message.message_id)


def _files(ctx: Context) -> tuple[Attachment, ...]:
    """Return the files that may cross; who attached others is told why they do not."""
    message = _message(ctx)
    if message is None:
        return ()
    judged = [(file, ctx.world.limits.refuse(safe_name(file.name), file.size)) for file in message.files]
    refused = [(safe_name(file.name), reason) for file, reason in judged if reason is not None]
    if refused and len(refused) == len(judged) and not message.text.strip():
        raise UserError("file.not_sent", name=refused[0][0], reason=refused[0][1])
    for number, (name, reason) in enumerate(refused):
        words = Text.of("file.not_sent", name=name, reason=reason)
        ctx.say(said_at(ctx), Card(None, (Paragraph(words),)), f"refused{number}")
    return tuple(file for file, reason in judged if reason is None)


def enclose(ctx: Context, question: Question, source: int | None, files: Sequence[Attachment] | None = None) -> None:
    """Keep with a question the files of the message that is being handled."""
    here = said_at(ctx)
    for file in _files(ctx) if files is None else files:
        if source is not None:
            ctx.session.add(
                Enclosed(
                    question_id=question.id,
                    post_id=source,
                    file=file.id,
                    name=file.name,
                    size=file.size,
                    source=file.source,
                    platform=here.platform,
                    room=here.room,
                    thread=here.thread,
                    direct=here.surface == "direct",
                )
            )
    ctx.session.flush()


def hand_over(ctx: Context, question: Question, message: Message) -> None:
    """Let a message cross on which somebody put `CROSSING`; one that has crossed stays as it is."""
    known = find.post_of(ctx.session, message.to.platform, message.to.room, message.message_id)
    if known is not None and any(True for _ in _copies(ctx.session, known)):
        return
    answer(ctx, question, message.text)
    redraw(ctx, question)
    sent = Text.of("crossing.sent", number=question.number)
    ctx.say(said_at(ctx), Card(None, (Paragraph(sent),)), "crossed", Placing(question.id))


def in_dialogue(session: Session, question: Question, side: str | None) -> bool:
    """Whether all that is said in the thread of a side crosses: not before that side could read that it does."""
    if question.dialogue is None or question.state not in OPEN or side is None:
        return False
    return message_of(session, f"{question.dialogue}/{side}") is not None


def add_words(ctx: Context, into: Question, merged: Question) -> None:
    """Let the words of a question that was merged into another reach who has that one."""
    end = find.endpoint(ctx.session, into.id, "recipient")
    if end is None:
        into.text = wording.question(f"{into.text}\n\n{merged.text}")
        into.sealed = into.sealed or merged.sealed
        return
    name = cards.name_of(ctx.directory(), merged.asker_organisation)
    placing = Placing(into.id, "recipient", sealed=merged.sealed)
    ctx.say(address(end), cards.words(merged.number, name, merged.text), f"merged/{merged.number}", placing)


def received(ctx: Context, question: Question, side: Side) -> int | None:
    """Enter the message that is being handled in the map, once, and return its row."""
    message = _message(ctx)
    if message is None:
        return None
    known = find.post_of(ctx.session, message.to.platform, message.to.room, message.message_id)
    if known is None:
        known = Post(
            platform=message.to.platform,
            room=message.to.room,
            message_id=message.message_id,
            thread=message.to.thread,
            question_id=question.id,
            side=side,
            author=message.author.id,
            sealed=ctx.sealed,
            at=ctx.now,
        )
        ctx.session.add(known)
    known.cleared = ctx.cleared
    ctx.session.flush()
    return known.id


def sealed_here(session: Session, to: Address, *, encrypted: bool) -> bool:
    """Say whether what is said at an address keeps to encrypted rooms."""
    if not encrypted:
        return False
    row = room_of(session, to.platform, to.room)
    return row is None or not row.relay_unencrypted


def rewrite(ctx: Context, post: Post, edit: Edit, text: str) -> None:
    """Rewrite the copies of a received message, and take back the files that it lost.

    What came from a sealed room stays sealed; identifiers that its author has not agreed to show are masked.
    """
    left = {file.id: safe_name(file.name) for file in edit.files}
    ctx.session.execute(delete(Enclosed).where(Enclosed.post_id == post.id, Enclosed.file.not_in(left)))
    copies = list(_copies(ctx.session, post))
    names = tuple(left[file] for file in dict.fromkeys(c.file for c in copies if c.file) if file in left)
    for copy in copies:
        if copy.file is not None:
            if copy.file not in left:
                ctx.outbox.delete(str(copy.key), revision=ctx.key)
            continue
        question = ctx.session.get_one(Question, copy.question_id)
        card = cards.words(question.number, who(ctx, ctx.actor), text, files=names)
        ctx.outbox.edit(str(copy.key), card, revision=ctx.key)
    masks = not (post.cleared or post.sealed) and personal.found(text)
    if masks and not all(ctx.outbox.encrypted(Address(c.platform, c.room)) for c in copies):
        here = replace(ctx.to, thread=ctx.to.thread or post.thread or post.message_id)
        told = Text.of("personal.edited")
        ctx.say(here if ctx.to.surface == "room" else ctx.to, Card(None, (Paragraph(told),)), "masked")


def take_back(ctx: Context, post: Post) -> None:
    """Take back the copies of a received message, its files with them."""
    post.gone = True
    ctx.session.execute(delete(Enclosed).where(Enclosed.post_id == post.id))
    for copy in _copies(ctx.session, post):
        ctx.outbox.delete(str(copy.key), revision=ctx.key)


def _copies(session: Session, post: Post) -> Iterable[Post]:
    found = select(Post).where(Post.source_id == post.id, Post.part == 0, Post.key.is_not(None), Post.gone.is_(False))
    return session.scalars(found).all()


def follow_edit(ctx: Context, post: Post, text: str) -> None:
    """Let an edit of a received message reach all that was made of it. Only its author's edits count."""
    edit = ctx.inbound
    if not isinstance(edit, Edit) or edit.author.id != post.author:
        return
    question = ctx.session.get(Question, post.question_id)
    if question is not None and passages.rewrite(ctx.session, question, post.id, text):
        redraw(ctx, question)
    elif question is not None and is_opening(ctx, question, post):
        question.text = wording.question(text)
        redraw(ctx, question)
    if question is not None:
        notes.follow(ctx.session, question)
    rewrite(ctx, post, edit, wording.answer(text))


def follow_deletion(ctx: Context, post: Post) -> None:
    """Let the deletion of a received message reach all that was made of it; a question whose message goes, goes."""
    question = ctx.session.get(Question, post.question_id)
    if question is not None and passages.rewrite(ctx.session, question, post.id, "") and question.text:
        redraw(ctx, question)
    elif question is not None and (not question.text or is_opening(ctx, question, post)):
        question.text = ""
        candidates.withdraw(ctx.session, question.number)
        moves.withdraw(ctx.session, ctx.actor, question, ctx.now)
        redraw(ctx, question)
    if question is not None:
        notes.follow(ctx.session, question)
    take_back(ctx, post)


def is_opening(ctx: Context, question: Question, post: Post) -> bool:
    """Whether a received message is the one that asked the question: the first of its side, and never carried."""
    if any(copy.file is None for copy in _copies(ctx.session, post)):
        return False
    first = select(Post.id).where(Post.question_id == question.id, Post.side == "asker", Post.key.is_(None))
    return ctx.session.scalar(first.order_by(Post.id).limit(1)) == post.id
