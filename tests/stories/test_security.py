"""The security review: every threat has tests that exist; and those that belong nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot.errors import NotSent, Refused, SendError
from bot.life import tick
from bot.message import Address
from tests.stories.conftest import SAARBRUCKEN
from tests.stories.scene import Place, Scene

ROW = re.compile(r"^\| (\d+)\. (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
CANARY = "Zorglonde"


def known_names() -> Iterator[str]:
    for file in Path("tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield node.name


def test_every_threat_is_closed_by_tests_that_exist() -> None:
    rows = ROW.findall(Path("docs/security.md").read_text("utf-8"))
    assert [int(number) for number, *_ in rows] == list(range(1, 17))
    known = set(known_names())
    for number, threat, _, named in rows:
        tests = re.findall(r"`(test_\w+)`", named)
        assert tests, (number, threat)
        assert set(tests) <= known, (number, set(tests) - known)


async def test_nobody_else_rewrites_what_somebody_said(prefecture: Place, consulate: Place, play: Scene) -> None:
    root = await prefecture.say(SAARBRUCKEN)
    said = await prefecture.say("Voici le numéro de l'acte : douze.", mention=False, thread=root)
    consulate.sees("douze")
    other = prefecture.as_("collegue")
    await other.edit(said, "treize")
    await other.edit(root, "Une tout autre question")
    consulate.sees("douze")
    consulate.sees_not("treize")
    assert play.question().text == SAARBRUCKEN


@pytest.mark.parametrize(
    "error", [None, Refused("no"), NotSent("no", retry_after=1.0)], ids=["sent", "refused", "later"]
)
async def test_logs_hold_no_word_of_anybody(
    prefecture: Place, consulate: Place, play: Scene, error: SendError | None, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    structlog.reset_defaults()  # prints all there is

    def crash(*_: object) -> None:
        raise ZeroDivisionError(CANARY)

    def fails(to: Address, key: str) -> SendError | None:
        return error

    await prefecture.say(f"{SAARBRUCKEN} {CANARY}")
    play.stage.fail = fails
    await consulate.invoke("repondre", f"Q-2026-00001 {CANARY}")
    play.clock.pass_(hours=1)
    await tick(play.app)
    with monkeypatch.context() as broken:
        broken.setattr("bot.conversation.asking.place", crash)
        await prefecture.say(f"{SAARBRUCKEN} {CANARY} encore")
    await prefecture.as_("passant", insider=False).say(f"{CANARY} !")
    await prefecture.say(f"[DIFFUSION RESTREINTE] {CANARY}")
    out, err = capfd.readouterr()
    assert CANARY not in out + err
