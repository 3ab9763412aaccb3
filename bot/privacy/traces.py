"""By what somebody can be found: their id, accounts and names, in every way in which rows hold them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.directory.history import Change
from bot.directory.tables import Person
from bot.errors import UserError
from bot.questions.tables import Move, Question
from bot.texts import escape

SHORTEST: Final = 3  # letters of a family name that is looked for by itself


@dataclass(frozen=True, slots=True)
class Traces:
    """What to look for: `ids` stand for somebody in rows, `names` tell who they are wherever they stand."""

    person: str
    accounts: frozenset[str]
    names: tuple[str, ...]  # the longest first

    @property
    def ids(self) -> frozenset[str]:
        """The id and the accounts."""
        return self.accounts | {self.person}


def gather(session: Session, person: str) -> Traces:
    """Return by what a person is found. Raises UserError when there is none."""
    row = session.get(Person, person)
    if row is None:
        raise UserError("rights.unknown_person", person=person[:80])
    given, family = row.given_name.strip(), row.family_name.strip()
    names = {f"{given} {family}", f"{family} {given}"} if given and family else {given or family}
    others = select(func.count()).where(func.lower(Person.family_name) == family.lower(), Person.id != person)
    if len(family) >= SHORTEST and not session.scalar(others):
        names.add(family)
    names |= {row.email.strip(), row.phone.strip()}
    found = sorted(filter(None, names), key=lambda name: (-len(name), name))
    return Traces(person, frozenset(_accounts(session, row)), tuple(found))


def _accounts(session: Session, row: Person) -> Iterable[str]:
    """Return the accounts that are theirs, and those by which they acted before."""
    for account in filter(None, (row.slack_id, row.matrix_id)):
        yield account
        yield from (part for part in re.split(r"[:/]", account) if re.fullmatch(r"[UW][A-Z0-9]{5,}", part))
    for column, own in (
        (Question.asker_account, Question.asker_person),
        (Move.account, Move.person),
        (Change.account, Change.person),
    ):
        yield from filter(None, session.scalars(select(column).where(own == row.id).distinct()))


def written(text: str) -> tuple[str, ...]:
    """Return how a text may stand in a column: as it is, as Markdown, within JSON of either kind."""
    forms = (text, escape(text))
    return tuple(
        dict.fromkeys((*forms, *(json.dumps(f, ensure_ascii=plain)[1:-1] for f in forms for plain in (False, True))))
    )


def pattern(texts: Iterable[str], *, exact: bool = False) -> re.Pattern[str]:
    """Return what finds texts in words of their own, not within a longer id or name; `exact` in their own capitals."""
    each = sorted({form for text in texts for form in written(text)}, key=len, reverse=True)
    found = "|".join(rf"(?<![\w.+-]){re.escape(form)}" if "@" in form else _alone(form) for form in each) or r"(?!)"
    return re.compile(rf"(?:{found})(?![\w-])", re.NOFLAG if exact else re.IGNORECASE)


def _alone(form: str) -> str:
    """Return what finds a form where no word or id goes before it; a line's end in JSON is none."""
    return rf"(?:(?<![\w-])|(?<=\\[nrt])){re.escape(form)}"


def core(text: str) -> str:
    """Return the longest run of a text that is the same however it is written: what a database can look for."""
    return max(re.findall(r"[A-Za-z0-9]+", text), key=len, default="")
