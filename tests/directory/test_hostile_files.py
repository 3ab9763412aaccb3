"""Hostile files: a clear complaint, soon, and in little memory."""

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from bot.directory.files import PEOPLE
from bot.directory.gathering import PROBLEMS
from bot.directory.reading import read
from tests.directory.conftest import Files

HEADER = ",".join(column.name for column in PEOPLE.columns).encode() + b"\n"
HOSTILE = {  # a beginning, what comes how often after it, and a size
    "a field of 200 MB": (HEADER, b"", 0, 200_000_000),
    "nothing but NUL": (b"", b"", 0, 60_000_000),
    "an open quote": (HEADER + b'"', b"a\n" * 100_000, 50, 0),
    "quotes": (HEADER, b'"' * 1_000_000, 20, 0),
    "lines of quotes": (HEADER, b'""""\n', 190_000, 0),
    "commas": (HEADER, b"," * 400_000 + b"\n", 20, 0),
    "bad rows": (HEADER, b"p1,,,,,zz,,,\n", 199_000, 0),
    "the same row": (HEADER, b"p1,,,,,,,,\n", 199_000, 0),
    "too many lines": (HEADER, b"\n" * 1000, 210, 0),
    "apostrophes": (HEADER, b"p," + b"'" * 9900 + b",,,,,,,\n", 500, 0),
    "noise": (b"", bytes(range(255, -1, -1)), 10_000, 0),
    "UTF-16": (HEADER.decode().encode("utf-16"), b"", 0, 0),
}


def hostile(folder: Path, name: str) -> Path:
    content, repeated, times, size = HOSTILE[name]
    path = folder / "people.csv"
    with path.open("wb") as stream:
        stream.write(content)
        for _ in range(times):
            stream.write(repeated)
    if size:
        os.truncate(path, size)
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_soon(tmp_path: Path, name: str) -> None:
    path = hostile(tmp_path, name)
    started = time.process_time()
    problems = read([path]).problems
    assert time.process_time() - started < 2
    assert 0 < len(problems) <= PROBLEMS + 1


@pytest.mark.parametrize("name", ["a field of 200 MB", "nothing but NUL", "quotes", "commas", "UTF-16"])
def test_hostile_files_take_little_memory(tmp_path: Path, name: str) -> None:
    path = hostile(tmp_path, name)
    tracemalloc.start()
    read([path])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_long_circles_are_found_in_linear_time(files: Files) -> None:
    count = 20_000
    rows = "".join(f"o{n},body,X,o{(n + 1) % count}\n" for n in range(count))
    started = time.process_time()
    result = files.load(organisations="id,kind,name,parent\n" + rows + "p,body,X,o7\n")
    assert time.process_time() - started < 5
    assert len(result.errors) == count
