"""`audit`: is the log whole, what is its head, what stands in it."""

import argparse
import json
import sys
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.audit import chain
from bot.audit.chain import Fault, Head, Verdict
from bot.audit.tables import Alias, Content, Entry
from bot.cli.parsing import Commands, count
from bot.opening import open_database
from config.settings import Settings

_WRONG = {
    "missing": "entry {position} is missing: entries were deleted, or put in another order",
    "changed": "entry {position} (row {entry}) was changed, put in another place, or follows one that was taken away",
    "content": "the content of row {entry} is not the one that was written",
    "truncated": "the log ends before {position}: the head given shows that entries were cut off",
    "rewritten": "entry {position} (row {entry}) is not the one of the head given: the log was written anew",
}


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    actions = commands.add_parser("audit", help="who did what").add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="walk the whole chain and name the first entry that is not as it was")
    verify.add_argument("--head", type=_head, metavar="N:HASH", help="a head that was kept: shows what was cut off")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(command=_verify)
    head = actions.add_parser("head", help="the end of the chain, to be kept elsewhere")
    head.set_defaults(command=_show_head)
    listing = actions.add_parser("list", help="the newest entries")
    listing.add_argument("--limit", type=count, default=50, metavar="N")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command=_list)


def _head(given: str) -> Head:
    found = chain.parse(given)
    if found is None:
        raise argparse.ArgumentTypeError(f"{given!r} is no head such as 1234:9f86d081…, with 64 digits")
    return found


def _verify(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    found = database.reading(lambda session: chain.verify(session, options.head))
    database.close()
    if options.json:
        print(json.dumps(_as_json(found)))
    elif found.fault is None:
        print(f"ok: {found.head.position} entries, {found.waiting} not sealed yet, {found.erased} contents erased")
        print(f"head {found.head}")
    if found.fault is not None:
        print(f"passerelle: {_in_words(found.fault)}", file=sys.stderr)
    return 0 if found.fault is None else 1


def _in_words(fault: Fault) -> str:
    return _WRONG[fault.what].format(position=fault.position, entry=fault.entry)


def _as_json(found: Verdict) -> dict[str, Any]:
    fault = found.fault
    return {
        "ok": fault is None,
        "entries": found.head.position,
        "head": str(found.head),
        "waiting": found.waiting,
        "erased": found.erased,
        "fault": {"what": fault.what, "position": fault.position, "row": fault.entry} if fault else None,
    }


def _show_head(settings: Settings, _options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    head = chain.seal_all(database)
    database.close()
    print(head)
    return 0


def _list(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    rows = database.run_now(lambda session: _rows(session, options.limit))
    database.close()
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['at']}  {row['actor']}  {row['action']}  {row['about']}  {row['content'] or ''}".rstrip())
    return 0


def _rows(session: Session, limit: int) -> list[dict[str, Any]]:
    """Return the newest entries, the oldest of them first; who is still known is named."""
    newest = session.scalars(select(Entry).order_by(Entry.id.desc()).limit(limit)).all()
    kept = session.scalars(select(Content).where(Content.entry.in_([entry.id for entry in newest])))
    contents = {row.entry: json.loads(row.content) for row in kept}
    names: dict[str, str] = {row.alias: row.name for row in session.scalars(select(Alias))}
    return [
        {
            "position": entry.position,
            "at": entry.at.isoformat(),
            "actor": names.get(entry.actor, entry.actor),
            "action": entry.action,
            "about": names.get(entry.about, entry.about),
            "content": contents.get(entry.id),
        }
        for entry in reversed(newest)
    ]
