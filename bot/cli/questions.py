"""`questions`: what is asked, as an operator sees it."""

import argparse
import json
import sys
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cli.parsing import Commands
from bot.opening import open_database
from bot.questions import find
from bot.questions.tables import Move, Question
from config.settings import Settings


def add_to(commands: Commands) -> None:
    """Add these commands to the grammar."""
    actions = commands.add_parser("questions", help="questions").add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="all questions, newest first")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command=_list)
    show = actions.add_parser("show", help="one question with its history")
    show.add_argument("number", metavar="Q-…")
    show.add_argument("--json", action="store_true")
    show.set_defaults(command=_show)


def _list(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)
    rows = database.run_now(lambda s: [_line(q) for q in s.scalars(select(Question).order_by(Question.id.desc()))])
    database.close()
    if options.json:
        print(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['number']}  {row['state']:10}  {row['from'] or '—'} → {row['recipient'] or '—'}")
    return 0


def _show(settings: Settings, options: argparse.Namespace) -> int:
    database = open_database(settings.database_url)

    def work(session: Session) -> dict[str, Any] | None:
        question = find.by_number(session, options.number)
        if question is None:
            return None
        history = [_move(m) for m in find.history(session, question)]
        return {**_line(question), "text": question.text, "history": history}

    found = database.run_now(work)
    database.close()
    if found is None:
        print(f"passerelle: there is no question {options.number}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    print(f"{found['number']}  {found['state']}  {found['from']} → {found['recipient']}\n\n{found['text']}\n")
    for move in found["history"]:
        print(f"{move['at']}  {move['move']}  {move['organisation'] or ''}")
    return 0


def _move(line: Move) -> dict[str, Any]:
    return {
        "at": line.at.isoformat(),
        "move": line.kind,
        "organisation": line.organisation,
        "before": line.before,
        "after": line.after,
        "from": line.whence,
        "to": line.towards,
    }


def _line(question: Question) -> dict[str, Any]:
    return {
        "number": question.number,
        "state": question.state,
        "from": question.asker_organisation,
        "recipient": question.recipient,
        "role": question.role,
        "placed_with": question.placed_with,
        "topic": question.topic,
        "asked_at": question.asked_at.isoformat(),
        "answered_at": question.answered_at.isoformat() if question.answered_at else None,
    }
