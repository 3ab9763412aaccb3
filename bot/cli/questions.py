"""`questions`: what is asked, as an operator sees it."""

import argparse
import csv
import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cli.parsing import Commands, day
from bot.clock import system_clock
from bot.opening import open_database
from bot.questions import find
from bot.questions.figures import GROUPS, Figures, by, count, facts
from bot.questions.tables import Move, Question
from bot.texts import Reader, Text
from config.settings import Settings

_SEALED = "(asked in an encrypted room: its words are shown there alone)"


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
    figures = actions.add_parser("figures", help="counts, times to take and to answer; no names")
    figures.add_argument("--from", dest="start", metavar="DAY", type=day, help="default: January 1st")
    figures.add_argument("--to", dest="end", metavar="DAY", type=day, help="default: today")
    figures.add_argument("--csv", action="store_true", help="a line for each topic, territory, post and month")
    figures.add_argument("--png", metavar="FILE", type=Path, help="draw a chart")
    figures.add_argument("--by", choices=GROUPS, default="topic", help="what the chart shows")
    figures.set_defaults(command=_figures)


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
        text = None if question.sealed else question.text
        return {**_line(question), "text": text, "sealed": question.sealed, "history": history}

    found = database.run_now(work)
    database.close()
    if found is None:
        print(f"passerelle: there is no question {options.number}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    text = _SEALED if found["sealed"] else found["text"]
    print(f"{found['number']}  {found['state']}  {found['from']} → {found['recipient']}\n\n{text}\n")
    for move in found["history"]:
        print(f"{move['at']}  {move['move']}  {move['organisation'] or ''}")
    return 0


def _figures(settings: Settings, options: argparse.Namespace) -> int:
    """Times are medians in minutes, by the clock; empty where nothing was taken or answered."""
    from bot.app import world  # noqa: PLC0415 - the other commands need nothing of it
    from bot.documents.reports import chart  # noqa: PLC0415

    now = system_clock()
    end: date = options.end or now.astimezone(ZoneInfo(settings.timezone)).date()
    start: date = options.start or date(end.year, 1, 1)
    if start > end:
        print("passerelle: --from is after --to", file=sys.stderr)
        return 2
    database, around = open_database(settings.database_url), world()
    found = database.run_now(lambda s: facts(s, around.current.get(s), start, end, now, zone=settings.timezone))
    if options.png is not None:
        whole = Text.of("figures.title", whose=Text.of("figures.network"), start=start, end=end)
        reader = Reader(settings.language, settings.timezone)
        options.png.write_bytes(database.run_now(lambda s: chart(around, s, reader, found, options.by, whole)).drawn())
    database.close()
    rows = [_counted("all", "", count(found))]
    rows += [_counted(group, name, part) for group in GROUPS for name, part in by(found, group)]
    if options.csv:
        table = csv.DictWriter(sys.stdout, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    else:
        for row in rows:
            took = "—" if row["minutes_to_answer"] == "" else f"{row['minutes_to_answer']} min"
            print(f"{row['group']:10} {row['value']:40} {row['asked']:6} {row['answered']:6} {took:>10}")
    return 0


def _counted(group: str, value: str, part: Figures) -> dict[str, Any]:
    return {
        "group": group,
        "value": value,
        "asked": part.asked,
        "answered": part.answered,
        "pending": part.pending,
        "late": part.late,
        "cancelled": part.cancelled,
        "minutes_to_take": _minutes(part.to_take),
        "minutes_to_answer": _minutes(part.to_answer),
        "helped": part.helped,
        "not_helped": part.not_helped,
    }


def _minutes(span: timedelta | None) -> int | str:
    return "" if span is None else round(span.total_seconds() / 60)


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
