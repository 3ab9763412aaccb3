"""`route`: the routing decision, with nothing stored."""

import argparse
import csv
import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from bot.cli import learning
from bot.cli.parsing import Commands, day
from bot.clock import system_clock
from bot.directory.snapshot import Snapshot, load
from bot.opening import CONFIG, open_database
from bot.routing.decide import route
from bot.routing.learnt import newest
from bot.routing.model import Question, to_json
from bot.routing.reading import read
from bot.routing.rules import Rules
from bot.routing.topics import explained, score
from bot.texts import Catalogues, Reader, Text, unescaped
from config.settings import Settings


def add_to(commands: Commands) -> None:
    """Add this command to the grammar."""
    cmd = commands.add_parser("route", help="where a question would go, and why")
    cmd.add_argument("text", nargs="*", metavar="TEXT", help=f"a question; or {learning.USAGE}")
    cmd.add_argument("--from", dest="asker", metavar="ORG", help="who asks")
    cmd.add_argument("--on", type=day, metavar="DATE")
    cmd.add_argument("--batch", type=Path, metavar="FILE.csv", help="columns text and, optionally, from")
    cmd.add_argument("--explain", action="store_true", help="also what weighed for the topics")
    cmd.add_argument("--topic", metavar="TOPIC", help="of an example to confirm")
    cmd.add_argument("--by", metavar="PERSON", help="the coordinator who confirms or refuses")
    cmd.add_argument("--json", action="store_true")
    cmd.set_defaults(command=_run)


def _run(settings: Settings, options: argparse.Namespace) -> int:
    if learning.is_meant(options.text):
        return learning.run(settings, options)
    if len(options.text) + (options.batch is not None) != 1:
        print("passerelle route: give a TEXT, or --batch FILE.csv", file=sys.stderr)
        return 2
    shipped = Rules.load(CONFIG / "routing")
    database = open_database(settings.database_url)
    directory, rules = database.run_now(lambda session: (load(session), newest(session, shipped)))
    database.close()
    decide = _decider(settings, rules, directory, options.on or system_clock().date())
    if options.batch is not None:
        return _batch(options.batch, decide, directory)
    if options.asker and options.asker not in directory.organisations:
        print(f"passerelle route: --from {options.asker}: no such organisation", file=sys.stderr)
        return 2
    text: str = options.text[0]
    found = decide(text, options.asker)
    if options.explain and found["decision"] != "refuse":
        found["weighed"] = _weighed(text, rules, found["topics"])
    print(json.dumps(found, ensure_ascii=False) if options.json else _in_words(found))
    return 0


def _weighed(text: str, rules: Rules, topics: list[list[Any]]) -> dict[str, list[tuple[str, float]]]:
    """Return what weighed for and against each of the topics."""
    scores = score(read(text, rules), rules)
    return {topic: explained(scores, rules, topic) for topic, _ in topics}


def _decider(
    settings: Settings, rules: Rules, directory: Snapshot, on: date
) -> Callable[[str, str | None], dict[str, Any]]:
    catalogues = Catalogues.load(CONFIG / "texts")
    reader = Reader(settings.language, settings.timezone)

    def words(text: Text | str) -> str:
        return unescaped(catalogues.render(text, reader))

    def decide(text: str, asker: str | None) -> dict[str, Any]:
        return to_json(route(Question(text=text, asker=asker), rules, directory, on), words)

    return decide


def _batch(file: Path, decide: Callable[[str, str | None], dict[str, Any]], directory: Snapshot) -> int:
    status = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            for row in rows:
                wrong = _wrong(row, directory)
                found = {"error": wrong} if wrong else decide(row["text"], row.get("from") or None)
                print(json.dumps(found, ensure_ascii=False))
                if wrong:
                    print(f"passerelle route: {file}, line {rows.line_num}: {wrong}", file=sys.stderr)
                    status = 1
    except (UnicodeDecodeError, csv.Error) as error:
        reason = "not UTF-8; save it as such" if isinstance(error, UnicodeDecodeError) else error
        print(f"passerelle route: {file}: {reason}", file=sys.stderr)
        return 1
    return status


def _wrong(row: dict[str, str], directory: Snapshot) -> str | None:
    """Return what is wrong with a row, if anything is."""
    asker = row.get("from")
    if asker and asker not in directory.organisations:
        return f"no such organisation: {asker}"
    return None if row.get("text") else "no text"


def _in_words(found: dict[str, Any]) -> str:
    recipient = found["recipient"]
    head = f"{found['decision']}: " + (f"{recipient['organisation']} ({recipient['role']})" if recipient else "—")
    lines = [head, *(f"  · {reason}" for reason in found["because"])]
    for topic, words in found.get("weighed", {}).items():
        lines.append(f"  {topic}: " + ", ".join(f"{word} {weight:+.2f}" for word, weight in words))
    return "\n".join(lines)
