"""`relier moi`: a code made by one account and entered by another shows that one person holds both.

Whoever enters a code is told nothing but that it worked or did not.
"""

import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from bot.directory import rights
from bot.directory.accounts import COLUMNS, person_of
from bot.directory.files import PEOPLE
from bot.directory.history import Author, Via, last, record
from bot.directory.tables import LinkCode, LinkTry, Person
from bot.errors import UserError
from bot.message import User
from bot.rights import may
from bot.texts import Text

LIFE = timedelta(minutes=15)  # of a code
TRIES = 5  # of an account within the last hour, successful or not
_HOUR = timedelta(hours=1)

_SIGNS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # without those that are read for one another: I L 1, O 0, U V
_LENGTH = 8


def start(session: Session, user: User, at: datetime) -> str:
    """Return a code, `XXXX-XXXX`, for another account of the same person to enter; it replaces the account's last one.

    Raises UserError for an outsider who is not linked: they enter a code made by an account that is.
    """
    person = person_of(session, user)
    if person is None and not user.insider:
        raise UserError("linking.start_from_linked_account")
    mine = and_(LinkCode.platform == user.platform, LinkCode.account == user.id)
    session.execute(delete(LinkCode).where(or_(mine, LinkCode.created_at <= at - LIFE)))
    code = "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))
    row = LinkCode(
        code=code,
        platform=user.platform,
        account=user.id,
        person=person.id if person else None,
        created_at=at,
    )
    session.add(row)
    session.flush()
    return f"{code[:4]}-{code[4:]}"


def prove(session: Session, code: str, user: User, at: datetime) -> str | Text:
    """Link the account that made `code` and the one that enters it; return the id of their person, or why not.

    Exactly one of the two must be linked already, or both to the same person. A code works once, whatever comes of
    it, and the reason for a refusal is the same for all but too many tries. The try is counted in this transaction:
    the caller answers with the reason and does not raise.
    """
    if _tries(session, user, at) >= TRIES:
        return Text.of("linking.too_many_tries")
    session.add(LinkTry(platform=user.platform, account=user.id, at=at))
    session.flush()
    made = _taken(session, code, at)
    person = _link(session, made, user, at) if made is not None else None
    return person if person is not None else Text.of("linking.refused")


def unlinked_maker(session: Session, code: str, at: datetime) -> str | None:
    """Return the account that made a code, if it belongs to nobody yet: who enters the code must recognise it."""
    found = select(LinkCode).where(LinkCode.code == _plain(code), LinkCode.created_at > at - LIFE)
    made = session.scalar(found)
    return made.account if made is not None and made.person is None else None


def by_email(session: Session, user: User, at: datetime) -> Person | None:
    """Link an account to the one person whose address of electronic mail the platform verified to be its own.

    Nobody is linked when two people share the address, when the person has another account there, or when somebody
    wrote the address into their card who may not write accounts into it.
    """
    if user.email is None or not user.insider:
        return None
    found = session.scalars(select(Person).where(func.lower(Person.email) == user.email.lower()).limit(2)).all()
    if len(found) != 1 or not _vouched(session, found[0]):
        return None
    return found[0] if _give(session, found[0], user.platform, user.id, at, "email") is not None else None


def _vouched(session: Session, person: Person) -> bool:
    """Say whether an address stands for its person: they wrote it, the operator, or who may write accounts."""
    change = last(session, PEOPLE, {"id": person.id}, "email")
    if change is None or change.person in {None, person.id}:
        return True
    return may(rights.of(session, str(change.person)), "import.people.account")


def _tries(session: Session, user: User, at: datetime) -> int:
    session.execute(delete(LinkTry).where(LinkTry.at <= at - _HOUR))
    mine = select(func.count()).where(LinkTry.platform == user.platform, LinkTry.account == user.id)
    return session.scalar(mine) or 0


def _taken(session: Session, code: str, at: datetime) -> LinkCode | None:
    """Return the code's row, gone from the table: of two who enter it at once, one gets it."""
    found = delete(LinkCode).where(LinkCode.code == _plain(code), LinkCode.created_at > at - LIFE).returning(LinkCode)
    return session.scalars(found).one_or_none()


def _plain(code: str) -> str:
    return re.sub(r"[\W_]", "", code).upper()


def _link(session: Session, made: LinkCode, user: User, at: datetime) -> str | None:
    if (made.platform, made.account) == (user.platform, user.id):
        return None
    theirs, mine = made.person, person_of(session, user)
    if theirs is not None and mine is not None:
        return theirs if theirs == mine.id else None
    if mine is not None:
        return _give(session, mine, made.platform, made.account, at, "link")
    known = session.get(Person, theirs) if theirs is not None else None
    return _give(session, known, user.platform, user.id, at, "link") if known is not None else None


def _give(session: Session, person: Person, platform: str, account: str, at: datetime, via: Via) -> str | None:
    """Make an account the person's, if they have none on its platform and it has no person."""
    column = COLUMNS.get(platform)
    if column is None or getattr(person, column) is not None:
        return None
    if session.scalar(select(Person.id).where(getattr(Person, column) == account)) is not None:
        return None
    setattr(person, column, account)
    author = Author(at, via, person.id, account)
    record(session, author, PEOPLE, {"id": person.id}, {column: None}, {column: account})
    return person.id
