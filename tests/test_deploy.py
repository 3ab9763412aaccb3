"""What is shipped for those who deploy names what exists."""

import configparser
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def settings_named(text: str) -> Iterator[list[str]]:
    for name in re.findall(rf"{PREFIX}([A-Z_]+)", text):
        if name != "CONFIG":
            yield name.lower().split("__")


@pytest.mark.parametrize("file", sorted(DEPLOY.iterdir()), ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    for section, *key in settings_named(file.read_text()):
        kind = Settings.model_fields[section].annotation
        models: list[Any] = [t for t in (kind, *getattr(kind, "__args__", ())) if hasattr(t, "model_fields")]
        assert not key or any(key[0] in model.model_fields for model in models), f"{section}.{key[0]}"


def test_the_unit_is_one_that_systemd_reads_and_runs_what_is_installed() -> None:
    unit = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "passerelle.service")
    assert unit["Service"]["ExecStart"] == "/opt/passerelle/bin/passerelle run"
    assert (unit["Service"]["User"], unit["Service"]["UMask"]) == ("passerelle", "0077")
    assert unit["Service"]["StateDirectory"] in unit["Service"]["WorkingDirectory"]
    script = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert list(script) == ["passerelle"]


def test_every_metric_of_the_rules_is_one_that_we_give() -> None:
    given = (ROOT / "bot" / "health.py").read_text()
    named = set(re.findall(r"passerelle_([a-z_]+)", (DEPLOY / "prometheus-rules.yaml").read_text()))
    assert len(named) > 4
    assert {name for name in named if f'"{name}"' not in given} == set()


def test_every_shipped_file_stands_in_the_guide() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text()
    assert [file.name for file in DEPLOY.iterdir() if f"deploy/{file.name}" not in guide] == []
