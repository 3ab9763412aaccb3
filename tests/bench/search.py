"""The directory's search beside its peers, on the same made-up entries and the same badly typed queries.

`python -m tests.bench.search` runs each contender at each size in a process of its own, so that its memory is its own,
and prints a table, from which the growth is read; `make bench` does so too. What takes minutes with a million entries gets
fewer queries there, and the table says how many. It can be run in pieces: `--figures FILE` keeps what was measured, and
`--sizes --figures FILE` prints all that is kept as one table.
"""

import argparse
import asyncio
import ctypes
import gc
import itertools
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import psutil
from sqlalchemy import select

from bot.db import Base, Database
from bot.directory.current import Current
from bot.directory.identity import OPERATOR
from bot.directory.tables import Organisation
from bot.opening import CONFIG
from bot.routing.rules import Rules
from bot.search.current import Finder
from tests.bench.made_up import MadeUp, Typed, directory, fill, typed
from tests.bench.measure import computation
from tests.servers.postgres import Postgres

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TYPOS = (0, 1, 2)
CONTENDERS = ("ours", "ours (pg)", "fts5", "trigrams (pg)", "scan")
TARGETS = "targets at 100,000: recall@5 99/99/96 %, p95 15 ms, build 2 s, 60 MB"

Search = Callable[[str], list[str]]


def measured(make: Callable[[], Search], queries: dict[int, list[Typed]]) -> dict[str, Any]:
    """Return how well and how soon a way to search finds, and what it costs to make."""
    before = memory()
    began = time.perf_counter()
    search = make()
    built = time.perf_counter() - began
    used = memory() - before
    recall: list[float] = []
    took: list[float] = []
    answers: list[list[str]] = []
    for typos in TYPOS:
        found = 0
        for query in queries[typos]:
            began = time.perf_counter()
            ids = search(query.text)
            took.append((time.perf_counter() - began) * 1000)
            found += not query.meant.isdisjoint(ids)
            answers.append(ids)
        recall.append(100 * found / len(queries[typos]))
    took.sort()
    return {
        "queries": len(took),
        "recall": recall,
        "p50": statistics.median(took),
        "p95": took[int(len(took) * 0.95)],
        "build": built,
        "memory": used,
        "answers": answers,
    }


def memory() -> float:
    """Return the megabytes that this process holds, what it gave back put aside."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss / 1024**2


def ours(url: str, entries: list[MadeUp]) -> Callable[[], Search]:
    """Return what makes our index, once the tables are filled (by a process of its own) and everything is imported."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    Finding(database).find("warm")  # what is imported and compiled is no part of an index
    if not database.run_now(lambda session: session.scalar(select(Organisation.id).limit(1))):  # it may be kept
        filling = multiprocessing.get_context("fork").Process(target=_fill, args=(url, entries))
        filling.start()
        filling.join()
    made = Finding(database)

    def make() -> Search:
        made.find("x")
        return made.find

    return make


def _fill(url: str, entries: list[MadeUp]) -> None:
    database = Database(url)
    database.run_now(lambda session: fill(session, entries))
    database.close()


class Finding:
    """Finds in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        rules = Rules.load(CONFIG / "routing")
        self._finder = Finder(Current(), lambda: rules, CONFIG)

    def find(self, text: str) -> list[str]:
        """Return the ids of the best five."""
        hits = self._database.run_now(
            lambda session: self._finder.find(session, text, limit=5, visible_to=OPERATOR, at=NOW)
        )
        return [hit.id for hit in hits]


def contend(options: argparse.Namespace) -> None:
    """Measure one contender in this process and print its figures as JSON."""
    from tests.bench import search_peers as peers

    entries = directory(options.size, options.seed)
    few = options.few if options.size >= options.few_from else options.peer_queries
    asked = options.queries if options.contender.startswith("ours") else few
    queries = {typos: typed(entries, options.queries, typos, options.seed)[:asked] for typos in TYPOS}
    folder = Path(options.folder)
    makers: dict[str, Callable[[], Callable[[], Search]]] = {
        "ours": lambda: ours(f"sqlite:///{folder}/ours.db", entries),
        "ours (pg)": lambda: ours(options.url, entries),
        "fts5": lambda: lambda: peers.fts5(entries, folder),
        "trigrams (pg)": lambda: lambda: peers.postgres(entries, options.url),
        "scan": lambda: lambda: peers.scan(entries),
    }
    make = makers[options.contender]()
    print(json.dumps(measured(make, queries)))


Figures: TypeAlias = dict[tuple[int, str], dict[str, Any]]
"""What was measured, by size and contender."""

COLUMNS = f"{'entries':>9} {'':14}{'queries':>8}{'recall@5, 0/1/2 typos':>24}{'p50 ms':>9}{'p95 ms':>9}{'build s':>9}{'MB':>7}"


async def compare(options: argparse.Namespace) -> Figures:
    """Run all contenders in turns."""
    found: Figures = {}
    async with Postgres() as cluster:
        for size, contender in itertools.product(options.sizes, options.contenders):
            with workplace(options.keep, size) as folder:
                url = cluster.create_database() if "pg" in contender else ""
                figures = run(options, contender, size, folder, url)
                if url:
                    cluster.drop_database(url)
            figures |= {"load": os.getloadavg()[0], "work": computation()}
            found[size, contender] = figures
            print(line(size, contender, figures), file=sys.stderr, flush=True)
            if options.figures:
                with options.figures.open("a") as kept:
                    kept.write(json.dumps([size, contender, figures]) + "\n")
    return found


@contextmanager
def workplace(keep: Path | None, size: int) -> Generator[str]:
    """Lend a folder for a contender's files; those of a size are kept where that is asked for."""
    if keep is not None:
        folder = keep / str(size)
        folder.mkdir(parents=True, exist_ok=True)
        yield str(folder)
        return
    with tempfile.TemporaryDirectory() as made:
        yield made


def line(size: int, contender: str, figures: dict[str, Any]) -> str:
    """Return a row of the table."""
    recall = "/".join(f"{value:.1f}" for value in figures["recall"])
    numbers = f"{figures['p50']:9.1f}{figures['p95']:9.1f}{figures['build']:9.2f}{figures['memory']:7.0f}"
    return f"{size:>9} {contender:14}{figures['queries']:>8}{recall:>24}{numbers}"


def report(found: Figures) -> str:
    """Return the table, by size, ours first."""
    lines = [COLUMNS]
    for size in sorted({size for size, _ in found}):
        here = {contender: found[size, contender] for contender in CONTENDERS if (size, contender) in found}
        lines += [line(size, contender, figures) for contender, figures in here.items()]
        if {"ours", "ours (pg)"} <= here.keys():
            same = here["ours"]["answers"] == here["ours (pg)"]["answers"]
            lines.append(f"{size:>9} both databases give {'the same' if same else 'DIFFERENT'} answers")
    work, load = ([figures[name] for figures in found.values()] for name in ("work", "load"))
    lines.append(TARGETS)
    if work:
        lines.append(
            f"a fixed computation took {min(work):.0f} to {max(work):.0f} ms, load {min(load):.1f} to {max(load):.1f}"
        )
    return "\n".join(lines)


def kept(path: Path) -> Figures:
    """Return what earlier pieces measured; of what was measured twice the last."""
    rows = [json.loads(row) for row in path.read_text().splitlines()] if path.exists() else []
    return {(size, contender): figures for size, contender, figures in rows}


def run(options: argparse.Namespace, contender: str, size: int, folder: str, url: str) -> dict[str, Any]:
    """Measure one contender in a process of its own."""
    argv = [sys.executable, "-m", "tests.bench.search", "--contender", contender, "--size", str(size)]
    argv += ["--folder", folder, "--url", url, "--seed", str(options.seed), "--queries", str(options.queries)]
    argv += ["--peer-queries", str(options.peer_queries), "--few", str(options.few)]
    argv += ["--few-from", str(options.few_from)]
    found = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(found.stdout.splitlines()[-1])


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the sizes of a run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.search", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--queries", type=int, default=300, help="for each number of typos")
    parser.add_argument("--peer-queries", type=int, default=100, help="of these, so many for slow peers")
    parser.add_argument(
        "--few-from", type=int, default=1_000_000, help="with so many entries, peers get `--few` queries"
    )
    parser.add_argument("--few", type=int, default=10, help="for each number of typos")
    parser.add_argument("--keep", type=Path, help="a folder that keeps our filled tables, so that a piece may go on")
    parser.add_argument("--figures", type=Path, help="a file that keeps what was measured")
    parser.add_argument("--contenders", nargs="+", default=CONTENDERS, choices=CONTENDERS)
    for hidden in ("--contender", "--folder", "--url"):
        parser.add_argument(hidden, default="", help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = parsed(arguments)
    if options.contender:
        contend(options)
    else:
        found = asyncio.run(compare(options)) if options.sizes else {}
        print(report({**kept(options.figures), **found} if options.figures else found))


if __name__ == "__main__":
    main()
