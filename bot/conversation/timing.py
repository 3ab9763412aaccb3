"""Time as it passes for the people of a question: their calendars, and by when they are expected to answer."""

from datetime import datetime

from bot.context import Scope
from bot.directory.calendars import calendar_of
from bot.questions import clock
from bot.questions.tables import Question
from bot.worktime.calendar import Calendar, next_opening


def calendar(ctx: Scope, organisation: str | None) -> Calendar:
    """Return an organisation's working time; the usual hours where nothing is known of it."""
    org = ctx.directory().organisations.get(organisation or "")
    return calendar_of(ctx.session, org, ctx.world.terms.hours, ctx.world.zone)


def recipients(ctx: Scope, question: Question) -> Calendar:
    """Return the working time of whoever is expected to answer."""
    return calendar(ctx, question.recipient or question.placed_with)


def expect(ctx: Scope, question: Question) -> None:
    """Settle by when an answer is expected, if one is and that is not settled yet."""
    if question.due_at is None and clock.awaits_answer(question):
        question.due_at = clock.deadline(question, recipients(ctx, question), ctx.world.terms)


def quiet_until(ctx: Scope, organisation: str | None, *, urgent: bool) -> datetime | None:
    """Return when an organisation opens if it is closed now; None when it may be spoken to."""
    if urgent:
        return None
    opening = next_opening(calendar(ctx, organisation), ctx.now)
    return opening if opening is not None and opening > ctx.now else None
