"""Where rows name somebody, table by table: which rows go with them, and which stay and only lose them.

Whatever is not here, and still names them, loses them to the sweep (`bot.privacy.sweeping`); their words about
questions go with `bot.privacy.words`. `person export` gives the same rows.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, or_

from bot.agenda.associates import Associate
from bot.agenda.crossings import Crossing
from bot.agenda.seats import Enrolment
from bot.agenda.tables import Event, Participation, Publication
from bot.db import Base
from bot.digests.tables import Digest
from bot.directory.confirming import Confirmation
from bot.directory.proposals import Proposal
from bot.directory.tables import Absence, Duty, LinkCode, LinkTry, Person, Posting, Right
from bot.privacy.traces import Traces
from bot.questions.notes import Note
from bot.relay.holding import Held

Column: TypeAlias = Any  # an attribute of a table's class


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of a table: those that `whose` names are somebody's and go with them; those that `named` names stay.

    `named` can be NULL, and is once they are erased; `words` are what they wrote in rows that stay: these are emptied.
    """

    name: str  # in what is given to them
    table: type[Base]
    whose: tuple[Column, ...] = ()
    named: tuple[Column, ...] = ()
    words: tuple[Column, ...] = ()

    def theirs(self, called: Collection[str]) -> ColumnElement[bool]:
        """Which rows go with somebody who is called so."""
        return _any(self.whose, called)

    def about(self, called: Collection[str]) -> ColumnElement[bool]:
        """Which rows name somebody who is called so."""
        return _any((*self.whose, *self.named), called)


ROWS: Final = (
    Kept("person", Person, (Person.id,)),
    Kept("postings", Posting, (Posting.person,)),
    Kept("absences", Absence, (Absence.person,), named=(Absence.stand_in,)),
    Kept("duties", Duty, (Duty.person,)),
    Kept("rights", Right, (Right.person,)),
    Kept("confirmation", Confirmation, (Confirmation.person,)),
    Kept("link_codes", LinkCode, (LinkCode.person, LinkCode.account)),
    Kept("link_tries", LinkTry, (LinkTry.account,)),
    Kept("proposals", Proposal, (Proposal.person, Proposal.account)),
    Kept("held", Held, (Held.account,)),
    Kept("notes", Note, named=(Note.person,)),
    Kept("events", Event, named=(Event.person, Event.account)),
    Kept(
        "participations",
        Participation,
        (Participation.person, Participation.who),
        named=(Participation.stand_in,),
    ),
    Kept("calendar_feeds", Publication, (Publication.person, Publication.account)),
    Kept("contributions", Associate, named=(Associate.person, Associate.account), words=(Associate.text,)),
    Kept("enrolments", Enrolment, (Enrolment.person,), named=(Enrolment.superior,)),
    Kept("crossings", Crossing, (Crossing.person,)),
    Kept("digests", Digest, (Digest.person,), named=(Digest.by,)),
)


def called(traces: Traces) -> frozenset[str]:
    """Return what rows call somebody: ids as they are, and with the platform before an account."""
    platforms = ("slack", "matrix", "console")
    return traces.ids | {f"{platform}:{id_}" for id_ in traces.ids for platform in platforms}


def _any(columns: Collection[Column], called_: Collection[str]) -> ColumnElement[bool]:
    return or_(*(column.in_(called_) for column in columns))
