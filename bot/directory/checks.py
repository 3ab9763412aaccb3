"""What can be wrong with directory files that only the stored directory, or more than one cell, shows."""

import re
from collections.abc import Iterator, Sequence

from bot.directory.files import ABSENCES, ORGANISATIONS, PEOPLE, ROOMS, Target
from bot.directory.matching import Match, Stored
from bot.directory.parsed import Parsed, Problem
from bot.texts import Text

_UNKNOWN: dict[Target, Text] = {
    "organisation": Text.of("import.unknown_organisation"),
    "person": Text.of("import.unknown_person"),
}
_ROOM_IDS = {"slack": re.compile(r"[CDG][A-Z0-9]+"), "matrix": re.compile(r"!\S+")}  # names of rooms lead nowhere
_TREES = ("parent", "successor")  # columns that lead from one organisation to another, and never back


def problems(found: Sequence[Match], stored: Stored, parsed: Parsed) -> Iterator[Problem]:
    """Complain about references that lead nowhere or in a circle, accounts of others, and new rows that lack a value.

    `stored` holds all organisations and people. What bad rows and unread files might have brought is not missed.
    """
    known: dict[Target, set[str]] = {"organisation": set(), "person": set()}
    for file in (ORGANISATIONS, PEOPLE):
        if file.target is not None:
            known[file.target] |= parsed.doubtful[file.target] | {row["id"] for row in stored[file.name].values()}
    for match in found:
        if match.sheet.file.target is not None:
            known[match.sheet.file.target].add(match.row["id"])
    for match in found:
        yield from _references(match, known, parsed)
        yield from _missing(match)
        yield from _room(match)
    yield from _accounts(found, stored)
    for column in _TREES:
        yield from _circles(found, stored, column)


def _references(match: Match, known: dict[Target, set[str]], parsed: Parsed) -> Iterator[Problem]:
    for column in match.sheet.file.columns:
        value = match.row.get(column.name)
        if not value:
            continue
        region = column.name == "territory" and value.startswith("region-")
        target: Target | None = "organisation" if region else column.refers
        if target is not None and target not in parsed.broken and value not in known[target]:
            yield _problem(match, column.name, _UNKNOWN[target])
    if match.sheet.file is ABSENCES and match.row.get("stand_in") == match.row["person"]:
        yield _problem(match, "stand_in", Text.of("import.own_stand_in"))


def _missing(match: Match) -> Iterator[Problem]:
    if match.old is None:
        for column in match.sheet.file.columns:
            if column.required and column.name not in match.row:
                yield _problem(match, column.name, Text.of("import.required"))


def _room(match: Match) -> Iterator[Problem]:
    """Complain about a new room by a name or an alias: what comes from the platform carries its id."""
    if match.sheet.file is ROOMS and match.old is None:
        form = _ROOM_IDS.get(match.row["platform"])
        if form is not None and not form.fullmatch(match.row["room"]):
            yield _problem(match, "room", Text.of("import.bad_room"))


def _accounts(found: Sequence[Match], stored: Stored) -> Iterator[Problem]:
    """Complain about an account that is another person's and stays so."""
    changes = [match for match in found if match.sheet.file is PEOPLE]
    if not changes:
        return
    for column in (column.name for column in PEOPLE.columns if column.account):
        owners = {row["id"]: row[column] for row in stored[PEOPLE.name].values()}
        owners |= {match.row["id"]: match.row[column] for match in changes if column in match.row}
        held: dict[str, set[str]] = {}
        for person, account in owners.items():
            held.setdefault(account, set()).add(person)
        for match in changes:
            account = match.row.get(column)
            if account is not None and len(held[account]) > 1:
                yield _problem(match, column, Text.of("import.account_taken"))


def _circles(found: Sequence[Match], stored: Stored, column: str) -> Iterator[Problem]:
    """Complain about an organisation that is, by way of others, its own."""
    changes = [match for match in found if match.sheet.file is ORGANISATIONS and match.row.get(column) is not None]
    if not changes:
        return
    leads = {row["id"]: row[column] for row in stored[ORGANISATIONS.name].values()}
    leads |= {match.row["id"]: match.row[column] for match in changes}
    settled: set[str] = set()
    circular: set[str] = set()
    for match in changes:
        walked: list[str] = []
        at = match.row["id"]
        while at is not None and at not in settled:
            settled.add(at)
            walked.append(at)
            at = leads.get(at)
        if at in walked:
            circular.update(walked[walked.index(at) :])
    for match in changes:
        if match.row["id"] in circular:
            yield _problem(match, column, Text.of("import.circle"))


def _problem(match: Match, column: str, reason: Text) -> Problem:
    value = match.row.get(column)
    return Problem(match.sheet.name, match.line, column, None if value is None else str(value), reason)
