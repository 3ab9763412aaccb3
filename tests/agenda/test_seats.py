"""Seats under concurrency, on both databases: never more than there are, none free while somebody waits."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.agenda import keeping, seats
from bot.agenda.model import Details, When
from bot.agenda.seats import Enrolment, Training
from bot.agenda.tables import Event, Participation
from bot.db import Database
from bot.directory.identity import OPERATOR
from bot.directory.tables import Person
from bot.errors import UserError

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
STARTS = NOW + timedelta(days=20)
SEATS, PEOPLE, ACTS = 4, 12, 90


def offered(session: Session) -> None:
    when = When(STARTS, STARTS + timedelta(hours=8), "Europe/Paris")
    event = keeping.add(session, OPERATOR, Details("Session imaginaire", when, kind="training"), NOW)
    session.add_all(Person(id=f"p{n}", given_name="Agent", family_name=str(n)) for n in range(PEOPLE))
    session.flush()
    session.add(Training(event=event.id, seats=SEATS))


def one(session: Session, person: str, act: str) -> Counter[str]:
    """Do as a handler does: lock the event, then act; return to whom seats were given."""
    event = session.scalars(select(Event).with_for_update()).one()
    row = session.get_one(Training, event.id)
    before = {it.person for it in seats.of(session, event.id) if it.state == "seat"}
    try:
        if act == "enrol":
            seats.enrol(session, event, row, person, NOW, organisation=None)
        else:
            mine = seats.find(session, event.id, person)
            if mine is None:
                return Counter()
            seats.leave(session, event, row, mine, NOW)
    except UserError:
        return Counter()
    after = {it.person for it in seats.of(session, event.id) if it.state == "seat"}
    return Counter(after - before)


async def test_each_seat_is_given_once(url: str) -> None:
    draw = random.Random(20261123)
    databases = [Database(url), Database(url)]  # two processes of the bot know nothing of each other
    databases[0].run_now(offered)
    acts = [(draw.choice(["enrol", "enrol", "leave"]), f"p{draw.randrange(PEOPLE)}") for _ in range(ACTS)]
    done = await asyncio.gather(
        *(
            databases[n % 2].run(lambda session, act=act, person=person: one(session, person, act))
            for n, (act, person) in enumerate(acts)
        )
    )
    given = sum(done, Counter())

    def check(session: Session) -> None:
        rows = session.scalars(select(Enrolment)).all()
        seats = [row for row in rows if row.state == "seat"]
        waiting = [row for row in rows if row.state == "waiting"]
        assert len(seats) <= SEATS
        assert not waiting or len(seats) == SEATS
        assert len({row.place for row in rows}) == len(rows)
        coming = session.scalars(select(Participation.who).where(Participation.answer == "yes")).all()
        assert sorted(coming) == sorted(row.person for row in seats)
        left = sum(row.state == "left" for row in rows)
        assert all(given[row.person] >= 1 for row in seats)
        assert sum(given.values()) >= len(seats)
        assert left  # some did leave: the draw is not idle
        latest = max(row.place for row in seats)
        assert all(row.place > latest for row in waiting)  # nobody was passed over

    databases[0].run_now(check)
    for database in databases:
        database.close()


def test_who_waits_moves_up_in_order(shipped: Database) -> None:
    shipped.run_now(offered)
    for n in range(PEOPLE):
        shipped.run_now(lambda session, n=n: one(session, f"p{n}", "enrol"))
    for n in range(SEATS):
        moved = shipped.run_now(lambda session, n=n: one(session, f"p{n}", "leave"))
        assert moved == Counter({f"p{SEATS + n}": 1})
