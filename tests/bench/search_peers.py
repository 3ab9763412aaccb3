"""Other ways to search the same entries: FTS5 trigrams with rerank, a trigram table on PostgreSQL, a plain scan.

Each gets the entries' words without accents, and queries as they are typed; each is as one would write it from its
documentation: candidates by shared trigrams where there is an index, the best of them by rapidfuzz.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
from rapidfuzz import fuzz, process, utils

from tests.bench.made_up import MadeUp, bare

Search = Callable[[str], list[str]]
"""The ids of the five best entries for a query."""

BEST = 5
CANDIDATES = 200


def fts5(entries: Sequence[MadeUp], folder: Path) -> Search:
    """Index in SQLite's FTS5 with its trigram tokenizer."""
    database = sqlite3.connect(folder / "fts5.db")
    database.execute("CREATE VIRTUAL TABLE entry USING fts5(id UNINDEXED, text, tokenize='trigram')")
    database.executemany("INSERT INTO entry VALUES (?, ?)", ((it.id, bare(it.text)) for it in entries))
    database.commit()

    def search(query: str) -> list[str]:
        wanted = " OR ".join(f'"{it}"' for it in sorted(trigrams(query)))
        found = database.execute(
            "SELECT id, text FROM entry WHERE entry MATCH ? ORDER BY rank LIMIT ?", (wanted, CANDIDATES)
        )
        return reranked(query, dict(found.fetchall()))

    return search


def postgres(entries: Sequence[MadeUp], url: str) -> Search:
    """Index in a table of trigrams: what there is without the extension pg_trgm."""
    connection = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
    connection.execute("CREATE TABLE bench_entry (number int PRIMARY KEY, id text, text text)")
    connection.execute("CREATE TABLE bench_trigram (trigram text, number int)")
    texts = [bare(it.text) for it in entries]
    with connection.cursor() as cursor:
        with cursor.copy("COPY bench_entry FROM STDIN") as rows:
            for number, (it, text) in enumerate(zip(entries, texts, strict=True)):
                rows.write_row((number, it.id, text))
        with cursor.copy("COPY bench_trigram FROM STDIN") as rows:
            for number, text in enumerate(texts):
                for trigram in trigrams(text):
                    rows.write_row((trigram, number))
    connection.execute("CREATE INDEX ON bench_trigram (trigram) INCLUDE (number)")
    connection.execute("ANALYZE")
    connection.execute("VACUUM bench_trigram")

    def search(query: str) -> list[str]:
        found = connection.execute(
            "SELECT e.id, e.text FROM bench_entry e JOIN (SELECT number, count(*) AS shared FROM bench_trigram"
            " WHERE trigram = ANY(%s) GROUP BY number ORDER BY shared DESC LIMIT %s) t USING (number)",
            (sorted(trigrams(query)), CANDIDATES),
        )
        return reranked(query, dict(found.fetchall()))

    return search


def scan(entries: Sequence[MadeUp]) -> Search:
    """Compare with all entries."""
    texts = {it.id: bare(it.text) for it in entries}

    def search(query: str) -> list[str]:
        return [id_ for _, _, id_ in process.extract(query, texts, scorer=fuzz.token_set_ratio, limit=BEST)]

    return search


def trigrams(text: str) -> set[str]:
    """Return the runs of three characters of each word."""
    words = utils.default_process(text).split()
    return {word[at : at + 3] for word in words for at in range(max(1, len(word) - 2)) if len(word) > 2}


def reranked(query: str, candidates: dict[str, str]) -> list[str]:
    """Return the best candidates."""
    return [id_ for _, _, id_ in process.extract(query, candidates, scorer=fuzz.token_set_ratio, limit=BEST)]
