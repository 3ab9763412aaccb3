"""Who may do what: one table, right by action and scope. What is not in it is denied.

A right of use is somebody's own, whatever their office; each includes those before it. They are read from their rows in
the transaction of what is asked, so that a grant holds from the next command on. Commands name the right that they ask
for at all where they are declared (`bot.command`), fields where they are shown (`bot.directory.visibility`);
`docs/rights.md` is written from all three.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal, TypeAlias

from bot.errors import UserError

RIGHTS: Final = ("reader", "member", "editor", "coordinator", "administrator")

Scope: TypeAlias = Literal[
    "any",  # whatever it is
    "own",  # it is theirs: their card, their data, what they entered
    "organisation",  # it is their organisation's; to keep a card or to import, one where they hold an office
    "asker",  # a question that they or their organisation asked
    "recipient",  # a question that lies with their organisation, is meant for it, or was raised to it
    "seen",  # what its visibility shows them
    "asked",  # a visit for which their organisation was asked to contribute
    "copy",  # a visit of which their organisation is told everything
]
Row: TypeAlias = Mapping[Scope, str]

_BOTH: Final[Row] = {"asker": "member", "recipient": "member", "any": "coordinator"}
_ASKER: Final[Row] = {"asker": "member", "any": "coordinator"}
_RECIPIENT: Final[Row] = {"recipient": "member", "any": "coordinator"}
_ALL: Final[Row] = {"any": "coordinator"}
_OFFICE: Final[Row] = {"organisation": "editor", "any": "coordinator"}

TABLE: Final[Mapping[str, Row]] = {
    "question.see": _BOTH,
    "question.take": _RECIPIENT,
    "question.release": _RECIPIENT,
    "question.answer": _RECIPIENT,
    "question.ask_back": _RECIPIENT,
    "question.add": {"asker": "member"},
    "question.redirect": _BOTH,
    "question.escalate": _BOTH,
    "question.close": _BOTH,
    "question.reopen": _BOTH,
    "question.merge": _BOTH,
    "question.split": _BOTH,
    "question.dialogue": _BOTH,
    "question.keep_open": _BOTH,
    "question.cancel": _ASKER,
    "question.rate": _ASKER,
    "question.keep_note": _RECIPIENT,
    "note.keep": {"organisation": "member"},
    "queue.see": {"own": "member", "organisation": "member", "any": "coordinator"},
    "figures.see": {"organisation": "member", "any": "coordinator"},
    "report.see": _ALL,
    "directory.correct": {"own": "member", "organisation": "editor", "any": "coordinator"},
    "directory.overdue": _ALL,
    "rota.keep": _OFFICE,
    "directory.import_many": _ALL,
    "import.organisations": _OFFICE,
    "import.organisations.official": _ALL,
    "import.people": _OFFICE,
    "import.people.account": {"any": "administrator"},
    "import.postings": _OFFICE,
    "import.absences": _OFFICE,
    "import.rooms": _ALL,
    "import.competences": _ALL,
    "import.closures": _OFFICE,
    "import.duties": _OFFICE,
    "room.link": _ALL,
    "room.language": {"organisation": "member", "any": "coordinator"},
    "person.erase": {"any": "administrator"},
    "event.see": {"seen": "reader"},
    "event.answer": {"seen": "member"},
    "event.add": {"any": "member"},
    "event.add_for_others": {"any": "editor"},
    "event.change": {"own": "member", "organisation": "editor", "any": "coordinator"},
    "training.approve": {"organisation": "reader", "any": "coordinator"},
    "digest.keep": {"organisation": "member", "any": "coordinator"},
    "event.subscribe": _ALL,
    "event.announce": _ALL,
    "event.contribute": {"asked": "member"},
    "event.brief": {"own": "member", "organisation": "member", "copy": "member", "any": "coordinator"},
    "event.participants": {"own": "member", "organisation": "member", "any": "coordinator"},
}
"""The least right, by scope."""


class Denied(UserError):
    """Somebody may not do something: they are told why, and the audit keeps that they tried."""

    def __init__(self, action: str, key: str, /, **values: object) -> None:
        """`key` and `values` are the sentence that tells why."""
        super().__init__(key, **values)
        self.action = action


def has(rights: Collection[str], needed: str) -> bool:
    """Say whether any of these rights is `needed` or includes it.

    Raises ValueError when `needed` is no right.
    """
    return not set(RIGHTS[RIGHTS.index(needed) :]).isdisjoint(rights)


def may(rights: Collection[str], action: str, *scopes: Scope) -> bool:
    """Say whether somebody with these rights may do something that stands in these scopes to them, and in `any`."""
    row = TABLE.get(action, {})
    return any(has(rights, row[scope]) for scope in {*scopes, "any"} if scope in row)


def least(action: str) -> str:
    """Return the least right by which something may be done whatever it is. Raises KeyError where there is none."""
    return TABLE[action]["any"]
