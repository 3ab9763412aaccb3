"""`route examples …` and `route train`: what routing learns from the questions that people redirected."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.clock import system_clock
from bot.directory.rights import of
from bot.directory.snapshot import load
from bot.errors import UserError
from bot.opening import CONFIG, open_database
from bot.rights import has
from bot.routing import candidates, learnt
from bot.routing.rules import Rules, examples
from bot.routing.tables import RoutingExample
from bot.routing.teaching import Tried, doubtful, teach
from config.settings import Settings

_STALE = timedelta(days=730)
_ACTIONS = {"list", "confirm", "refuse", "report"}
USAGE = "examples list | examples confirm|refuse NUMBER [--topic T] [--by PERSON] | examples report | train"


def is_meant(words: Sequence[str]) -> bool:
    """Whether words after `route` are one of these commands, not a question."""
    return list(words) == ["train"] or (len(words) > 1 and words[0] == "examples" and words[1] in _ACTIONS)


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Run one of these commands."""
    words: list[str] = options.text
    match words:
        case ["train"]:
            return _train(settings, as_json=options.json)
        case ["examples", "list"]:
            return _list(settings, as_json=options.json)
        case ["examples", "report"]:
            return _report(settings, as_json=options.json)
        case ["examples", "confirm" | "refuse" as action, number] if number.isdecimal():
            return _settle(settings, int(number), f"{action.removesuffix('e')}ed", options)
        case _:
            print(f"passerelle route: {USAGE}", file=sys.stderr)
            return 2


def _list(settings: Settings, *, as_json: bool) -> int:
    database = open_database(settings.database_url)
    rows = database.run_now(lambda session: [_shown(row) for row in candidates.listed(session)])
    database.close()
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        print(f"{row['id']:5}  {row['state']:9}  {row['topic'] or '—':28} {row['before']} → {row['organisation']}")
        print(f"       {row['text'][:100]}" + (f"\n       {row['why']}" if row["why"] else ""))
    return 0


def _shown(row: RoutingExample) -> dict[str, Any]:
    return {
        "id": row.id,
        "question": row.number,
        "state": row.state,
        "topic": row.topic,
        "text": row.text,
        "from": row.asker,
        "before": row.before,
        "organisation": row.organisation,
        "role": row.role,
        "by": row.by,
        "why": row.why,
        "at": row.at.isoformat(),
    }


def _settle(settings: Settings, number: int, state: str, options: argparse.Namespace) -> int:
    topics = Rules.load(CONFIG / "routing").topics
    if options.topic and options.topic not in topics:
        print(f"passerelle route: --topic {options.topic}: expected one of {' '.join(topics)}", file=sys.stderr)
        return 2
    database = open_database(settings.database_url)

    def work(session: Session) -> dict[str, Any]:
        if options.by and not has(of(session, options.by), "coordinator"):
            raise UserError("route.examples.coordinator", person=options.by)
        by = options.by or "operator"
        return _shown(candidates.settle(session, number, state, options.topic, by, system_clock()))

    try:
        row = database.run_now(work)
    finally:
        database.close()
    print(json.dumps(row, ensure_ascii=False) if options.json else f"{row['id']}: {row['state']}, {row['topic']}")
    return 0


def _train(settings: Settings, *, as_json: bool) -> int:
    """Learn anew from the shipped examples and the confirmed ones; running processes take it up."""
    rules = Rules.load(CONFIG / "routing")
    database = open_database(settings.database_url)
    known = [*examples(CONFIG / "routing"), *database.run_now(candidates.confirmed)]
    model, tried = teach(known, rules)
    database.run_now(lambda session: learnt.keep(session, model, rules, len(known), system_clock()))
    database.close()
    found = {"examples": len(known), **_figures(tried)}
    if as_json:
        print(json.dumps(found))
        return 0
    print(f"{found['examples']} examples; on those not learnt from, the topic is right")
    print(f"first in {found['first']:.1%}, among three in {found['among_three']:.1%}")
    return 0


def _figures(tried: Sequence[Tried]) -> dict[str, float]:
    first = sum(it.ranked[0] == it.topic for it in tried)
    three = sum(it.topic in it.ranked[:3] for it in tried)
    return {"first": round(first / len(tried), 4), "among_three": round(three / len(tried), 4)}


def _report(settings: Settings, *, as_json: bool) -> int:
    """Show which topics are taken for which, and the examples that seem out of date."""
    rules = Rules.load(CONFIG / "routing")
    database = open_database(settings.database_url)

    def work(session: Session) -> tuple[list[tuple[str, str]], list[dict[str, Any]]]:
        return candidates.confirmed(session), _stale(session, system_clock())

    confirmed, stale = database.run_now(work)
    database.close()
    _, tried = teach([*examples(CONFIG / "routing"), *confirmed], rules)
    pairs = Counter((it.topic, it.ranked[0]) for it in tried if it.ranked[0] != it.topic)
    found: dict[str, Any] = {
        **_figures(tried),
        "confusions": [[topic, taken, count] for (topic, taken), count in pairs.most_common(20)],
        "doubtful": [[it.topic, it.ranked[0], it.text] for it in doubtful(tried)],
        "stale": stale,
    }
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    print(f"topic right first: {found['first']:.1%}, among three: {found['among_three']:.1%}")
    for topic, taken, count in found["confusions"]:
        print(f"{count:4} × {topic} taken for {taken}")
    for topic, taken, text in found["doubtful"]:
        print(f"doubtful: {topic}, all others say {taken}: {text[:90]}")
    for row in stale:
        print(f"stale: {row['id']} ({row['reason']}): {row['text'][:90]}")
    return 0


def _stale(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Return the confirmed examples that are old, or whose recipient is closed."""
    organisations = load(session).organisations
    found: list[dict[str, Any]] = []
    for row in candidates.listed(session, "confirmed"):
        organisation = organisations.get(row.organisation)
        closed = organisation is None or organisation.status != "open"
        if closed or now - row.at > _STALE:
            found.append({**_shown(row), "reason": "closed" if closed else "old"})
    return found
