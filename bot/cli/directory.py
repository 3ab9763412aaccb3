"""`directory` and `rights`: who is where, and who may do what."""

import argparse
import json
import sys

from sqlalchemy.orm import Session

from bot.audit.chain import seal_all
from bot.cli import files
from bot.cli.parsing import Commands, count
from bot.clock import system_clock
from bot.directory import rights
from bot.directory.current import Current
from bot.directory.history import Author
from bot.directory.identity import OPERATOR, Actor, identify
from bot.errors import UserError
from bot.message import User
from bot.opening import CONFIG, open_database
from bot.rights import RIGHTS
from bot.routing.rules import Rules
from bot.search.current import Finder
from bot.search.hits import Hit
from config.settings import Settings


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    room = commands.add_parser("directory", help="organisations, people, rooms, competences")
    actions = room.add_subparsers(required=True, metavar="ACTION")
    files.add_to(actions)
    find = actions.add_parser("search", help="find by a few words")
    find.add_argument("text", nargs="+", metavar="TEXT")
    find.add_argument("--as", dest="person", metavar="PERSON", help="as this person sees it")
    find.add_argument("--limit", type=count, default=10, metavar="N")
    find.add_argument("--json", action="store_true")
    find.set_defaults(command=_search)

    may = commands.add_parser("rights", help="rights of use").add_subparsers(required=True, metavar="ACTION")
    for name, command, does in (("grant", _grant, "give one to a person"), ("revoke", _revoke, "take one back")):
        action = may.add_parser(name, help=does)
        action.add_argument("person", metavar="PERSON")
        action.add_argument("right", choices=RIGHTS)
        action.set_defaults(command=command)
    listing = may.add_parser("list", help="who has which")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command=_list)


def _search(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    now = system_clock()

    def work(session: Session) -> list[Hit]:
        actor: Actor | None = OPERATOR
        if options.person:
            actor = identify(session, User("console", options.person), ("console", ""), direct=True, at=now)
            if actor is None:
                raise UserError("rights.unknown_person", person=options.person)
        finder = Finder(Current(), lambda: Rules.load(CONFIG / "routing"), CONFIG)
        return finder.find(session, " ".join(options.text), limit=options.limit, visible_to=actor, at=now)

    hits = database.run_now(work)
    database.close()
    if options.json:
        keys = ("kind", "id", "name", "role", "organisation", "country", "city", "phone", "email", "score")
        print(json.dumps([{k: getattr(hit, k) for k in keys} for hit in hits], ensure_ascii=False))
    else:
        for hit in hits:
            print("  ".join(str(x) for x in (hit.id, hit.name, hit.role, hit.city, hit.phone, hit.email) if x))
    if not hits:
        print(f"passerelle: nothing found for {' '.join(options.text)}", file=sys.stderr)
    return 0 if hits else 1


def _grant(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    fresh = database.run_now(lambda s: rights.grant(s, options.person, options.right, author=_author()))
    seal_all(database)
    database.close()
    print(f"{options.person}: {options.right}" + ("" if fresh else " (already)"))
    return 0


def _revoke(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    had = database.run_now(lambda s: rights.revoke(s, options.person, options.right, author=_author()))
    seal_all(database)
    database.close()
    print(f"{options.person}: no longer {options.right}" if had else f"{options.person} was not {options.right}")
    return 0


def _author() -> Author:
    return Author(system_clock(), "command")


def _list(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    rows = database.run_now(rights.granted)
    database.close()
    if options.json:
        print(json.dumps([{"person": person, "right": right} for person, right in rows]))
    else:
        for person, right in rows:
            print(f"{person}  {right}")
    return 0
