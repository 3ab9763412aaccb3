"""Letting a question begin: it is routed, placed and shown to who asked; one that is split off or rerouted too."""

from bot import jobs
from bot.card import Button, Buttons, Card, Paragraph
from bot.context import Scope
from bot.conversation import adopt, place, redraw, retire
from bot.conversation.telling import otherwise
from bot.directory.identity import Actor
from bot.errors import UserError
from bot.message import Address
from bot.posts import Placing
from bot.questions import cards, find, moves
from bot.questions.tables import Endpoint, Question
from bot.routing.decide import route
from bot.routing.model import Assignment
from bot.routing.model import Question as Asked
from bot.texts import Text


def decide(ctx: Scope, text: str, asker: str | None) -> Assignment:
    """Return where a text of an organisation's goes. Raises UserError for a text under a mark of protection."""
    decision = route(Asked(text=text, asker=asker), ctx.rules(), ctx.directory(), ctx.today)
    if decision.decision == "refuse":
        raise UserError("marked.refused")
    return decision


def declined(decision: Assignment, text: str) -> Card | None:
    """Return what is said where a text becomes no question: whom to turn to, or what it lacks. None if it becomes one.

    It is for who wrote the text: it repeats it.
    """
    if decision.decision == "advise" and decision.recipient is None:
        return Card(Text.of("advice.title"), (Paragraph(decision.advice or Text.of("advice.other")),))
    back = decision.question_back
    if back is not None and not back.choices:
        return Card(None, (Paragraph(back.text), Paragraph(text, quote=True, theirs=True)))
    return None


def send_off(ctx: Scope, question: Question, decision: Assignment, *, repeat: bool) -> Card:
    """Let a question go where routing says, or wait for a choice; return the card of who asked."""
    adopt(question, decision)
    moves.wait_anew(question, ctx.now)
    if decision.decision == "ask":
        question.state = "asked_back"
        _ask_for_an_opinion(ctx, question, decision)
        return _choices(question, decision)
    question.state = "routed"
    place(ctx, question)
    card = cards.for_asker(ctx.directory(), question, repeat=repeat)
    if question.placed_with != question.recipient:
        card = Card(card.title, (*card.blocks, Paragraph(otherwise(ctx, question.recipient))), card.notify)
    return card


def show(ctx: Scope, question: Question, card: Card, to: Address, key: str) -> None:
    """Show the asker's card under `key`, and remember where their side is."""
    ctx.session.add(
        Endpoint(
            question_id=question.id,
            side="asker",
            platform=to.platform,
            room=to.room,
            thread=to.thread,
            surface=to.surface,
            card_key=key,
        )
    )
    said_in = Address(to.platform, to.room, None if to.thread == f"key:{key}" else to.thread, surface=to.surface)
    placing = Placing(question.id, "asker", sealed=question.sealed, cleared=question.cleared, redrawn=True)
    ctx.outbox.put(said_in, card, key=key, placing=placing)


def again(ctx: Scope, actor: Actor, question: Question) -> Card | None:
    """Route a question anew that went nowhere yet, and rewrite its asker's card.

    Return what it still lacks where it does.
    """
    decision = decide(ctx, question.text, question.asker_organisation)
    told = declined(decision, question.text)
    if told is not None:
        return told
    card = send_off(ctx, question, decision, repeat=True)
    if question.recipient is not None:
        moves.write(ctx.session, "route", actor, question, ctx.now, before="asked_back", towards=question.recipient)
    end = find.endpoint(ctx.session, question.id, "asker")
    if end is not None:
        ctx.outbox.edit(end.card_key, card, revision=ctx.key)
    return None


def extend(ctx: Scope, actor: Actor, question: Question) -> Card | None:
    """Look again where a question goes whose text became longer; one that nobody took may still go elsewhere.

    Return what it still lacks where it went nowhere yet.
    """
    if question.recipient is None:
        return again(ctx, actor, question)
    decision = decide(ctx, question.text, question.asker_organisation)
    to = decision.recipient
    if to is not None and decision.decision != "ask" and to.organisation != question.recipient:
        old = find.endpoint(ctx.session, question.id, "recipient")
        adopt(question, decision)
        if old is not None:
            retire(ctx, question, old)
        place(ctx, question)
        moves.write(ctx.session, "route", actor, question, ctx.now, before=question.state, towards=to.organisation)
    redraw(ctx, question)
    return None


def propose(ctx: Scope, number: str, organisation: str) -> None:
    """Show on the asker's card which choice a model proposes; a question that no longer waits for one is left alone."""
    question = find.by_number(ctx.session, number)
    end = question and find.endpoint(ctx.session, question.id, "asker")
    if question is None or end is None or question.state != "asked_back":
        return
    decision = decide(ctx, question.text, question.asker_organisation)
    choices = decision.question_back.choices if decision.question_back else ()
    chosen = next((it for it in choices if it.recipient.organisation == organisation), None)
    if chosen is not None:
        card = _choices(question, decision)
        proposal = Paragraph(Text.of("route.opinion", choice=chosen.label))
        ctx.outbox.edit(end.card_key, Card(card.title, (*card.blocks, proposal)), revision=ctx.key)


def _ask_for_an_opinion(ctx: Scope, question: Question, decision: Assignment) -> None:
    """Let a model say which choice fits, once all is stored; what an encrypted room said is never asked elsewhere."""
    choices = decision.question_back.choices if decision.question_back else ()
    if ctx.world.seconded and not question.sealed and len(choices) > 1:
        args = {"question": question.number, "choices": [choice.recipient.organisation for choice in choices]}
        key = f"{ctx.key}/opinion"
        jobs.put(ctx.session, "opinion", args, lane="opinion", queue="in", key=key, now=ctx.now)


def _choices(question: Question, decision: Assignment) -> Card:
    back = decision.question_back
    if back is None:
        raise UserError("question.unclear")
    buttons = tuple(
        Button(choice.label, "rediriger", f"{question.number} {choice.recipient.organisation} {choice.recipient.role}")
        for choice in back.choices
    )
    cancel = Button(Text.of("button.annuler"), "annuler", question.number)
    return Card(Text.of("card.asker", number=question.number), (Paragraph(back.text), Buttons((*buttons, cancel))))
