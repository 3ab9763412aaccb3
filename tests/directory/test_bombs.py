"""Files that are made to harm end soon and in little memory, as small ones here and at their full size in the proofs."""

from pathlib import Path

import pytest

from tests.directory.bombs import Taken, bombs, imported_alone, read_alone, read_apart

SECONDS = 2.0
MEGABYTES = 100.0  # of the whole process
HARMLESS = ("one vCard of 60 MB", "a picture of 60 MB", "deep JSON in a string")  # long, and no more than that


def made(folder: Path, scale: float) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for name, (file, make) in bombs(scale).items():
        path = paths[name] = folder / name.replace(" ", "-") / file
        path.parent.mkdir()
        make(path)
    return paths


def is_harmless(name: str, taken: Taken) -> None:
    assert taken.seconds < SECONDS, name
    assert taken.peak < MEGABYTES, name
    assert (taken.rows <= 1) or taken.found, name
    assert taken.found or name in HARMLESS, name


def test_small_bombs(tmp_path: Path) -> None:
    paths = made(tmp_path, 0.02)
    took = dict(zip(paths, read_alone(0.02, *paths.values()), strict=True))
    for name, taken in took.items():
        is_harmless(name, taken)
    assert took["records of nothing"].found == ["import.too_many_lines"], "however small the records are"


@pytest.mark.proof
def test_the_command_line_ends_as_soon_with_the_largest(tmp_path: Path, url: str) -> None:
    named = ("a field of 200 MB", "one vCard of 100 MB", "more lines than allowed", "a zipped CSV of 1 GB in a line")
    for name in named:
        file, make = bombs(1)[name]
        make(tmp_path / file)
        seconds, peak, status, told = imported_alone(tmp_path / file, url)
        (tmp_path / file).unlink()
        print(f"{name}: {seconds:.2f} s with the start of the command, {peak:.0f} MB, {told.splitlines()[0]}")
        assert (status, "Traceback" in told) == (1, False), told
        assert peak < MEGABYTES, name


@pytest.mark.proof
@pytest.mark.parametrize("name", bombs(1))
def test_full_bombs(tmp_path: Path, name: str) -> None:
    file, make = bombs(1)[name]
    make(tmp_path / file)
    [taken] = read_alone(1, tmp_path / file)
    print(f"{name}: {taken.seconds:.2f} s, {taken.peak:.0f} MB, {taken.grown:.0f} MB more than before")
    is_harmless(name, taken)


@pytest.mark.proof
@pytest.mark.parametrize(
    "name", ["a field of 200 MB", "one vCard of 100 MB", "a zipped CSV of 1 GB in a line", "wide JSON"]
)
def test_the_process_that_reads_for_the_chat_ends_as_soon(tmp_path: Path, url: str, name: str) -> None:
    file, make = bombs(1)[name]
    make(tmp_path / file)
    seconds, peak, answer = read_apart(tmp_path / file, url)
    print(f"{name}: {seconds:.2f} s with the start of the process, {peak:.0f} MB")
    assert answer["errors"], "said in words"
    assert (answer["stored"], answer["counts"][:3]) == (False, [0, 0, 0])
    assert peak < MEGABYTES
    assert seconds < SECONDS
