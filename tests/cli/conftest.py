"""The command line as an operator uses it: in an empty folder, with settings in the environment."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.app import world
from bot.cli import main
from bot.context import World
from bot.directory.current import Current
from tests.cli.documented import check
from tests.typed import typed

PASSERELLE = Path(sys.executable).with_name("passerelle")


@dataclass(frozen=True)
class Result:
    """What a command said, and the status it ended with."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Its output, where each line is JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and nothing of ours in the environment."""
    for name in [n for n in os.environ if n.startswith("PASSERELLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def url(new_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the database that commands work on, with tables and reference data."""
    made = new_url("sqlite")
    monkeypatch.setenv("PASSERELLE_DATABASE_URL", made)
    return made


@pytest.fixture(scope="session")
def around() -> World:
    """What is shipped, read once for all tests."""
    made = world()
    made.learnt.read()
    return made


@pytest.fixture
def passerelle(
    folder: Path, around: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Runs a command in this process. Whatever it is, it shows no traceback, and JSON as it is documented."""
    monkeypatch.setattr("bot.app.world", lambda: replace(around, current=Current()))

    def run(*arguments: object, stdin: str | bytes = "") -> Result:
        keys = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(keys), encoding="utf-8"))
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # of the parser
            status = int(str(end.code))
        finally:
            structlog.reset_defaults()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err, err
        if "--json" in arguments:
            check([str(argument) for argument in arguments], out)
        return Result(status, typed(out), typed(err))

    return run


@pytest.fixture
def process(folder: Path) -> Callable[..., Result]:
    """Runs a command in a process of its own."""

    def run(*arguments: str, stdin: bytes | None = b"", shell: str = "", **environment: str) -> Result:
        argv: Sequence[str] = [str(PASSERELLE), *arguments]
        if shell:
            argv = ["bash", "-c", shell, str(PASSERELLE), *arguments]
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=60, env={**os.environ, **environment})
        err = done.stderr.decode(errors="replace")
        assert "Traceback" not in err, err
        return Result(done.returncode, typed(done.stdout.decode(errors="replace")), typed(err))

    return run


def one_line(err: str) -> str:
    """The only line of standard error."""
    [line] = err.splitlines()
    return line
