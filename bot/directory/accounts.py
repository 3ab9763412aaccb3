"""Accounts on platforms, and whose they are."""

import re
from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.directory.tables import Person
from bot.message import Address, User

COLUMNS = {"slack": "slack_id", "matrix": "matrix_id"}  # where a person's account of a platform is kept

_SLACK_USER = re.compile(r"(?<![A-Z0-9])[UW][A-Z0-9]{2,}(?![A-Z0-9])")
_ON_SLACK = select(Person.id).where(Person.slack_id.in_(bindparam("ids", expanding=True)))


def person_of(session: Session, user: User) -> Person | None:
    """Return the person an account belongs to; on the console an account is a person's id.

    A Slack id without its team, as files have it, is that of the bot's own workspace.
    """
    match user.platform:
        case "console":
            return session.get(Person, user.id)
        case "matrix":
            return session.scalar(select(Person).where(Person.matrix_id == user.id))
        case "slack":
            ids = {user.id, *(_SLACK_USER.findall(user.id) if user.insider else ())}
            known = session.connection().scalars(_ON_SLACK, {"ids": sorted(ids)}).all()
            found = [session.get_one(Person, id_) for id_ in known]
            return min(found, key=lambda person: person.slack_id != user.id, default=None)
        case _:
            return None


def account_on(person: Person, platform: str) -> User | None:
    """Return a person's account on a platform, by which they are called; None where they have none."""
    slack = _SLACK_USER.findall(person.slack_id or "")
    if platform == "slack":
        return User("slack", slack[-1]) if slack else None
    return User("matrix", person.matrix_id) if platform == "matrix" and person.matrix_id else None


def address_of(person: Person, platforms: Collection[str]) -> Address | None:
    """Return where a person is spoken to alone, on the first of these platforms where they have an account."""
    accounts = {"slack": person.slack_id, "matrix": person.matrix_id}
    found = (account_address(name, id_) for name, id_ in accounts.items() if id_ and name in platforms)
    return next((to for to in found if to is not None), None)


def account_address(platform: str, account: str) -> Address | None:
    """Return where an account is spoken to alone; None where a platform knows no such place."""
    slack = _SLACK_USER.findall(account) if platform == "slack" else []
    if slack:
        return Address("slack", slack[-1], surface="direct")
    if platform == "matrix":  # the platform finds the room
        return Address("matrix", account, audience=User("matrix", account))
    return None
