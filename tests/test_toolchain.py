"""What the machinery around the code promises: names, locks, the wheel, make's targets, the image."""

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bot", "handlers", "config")
LOCKS = ("requirements-uv.lock", "requirements.lock", "requirements-dev.lock")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(lock: str) -> dict[str, Requirement]:
    """The requirements of a lock file by name, each checked to carry hashes."""
    found: dict[str, Requirement] = {}
    for entry in re.sub(r"\\\n\s*", " ", (ROOT / lock).read_text()).splitlines():
        if entry.strip() and not entry.lstrip().startswith("#"):
            requirement, *hashes = entry.split(" --hash=")
            assert hashes, entry
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each.strip()) for each in hashes), entry
            pinned = Requirement(requirement)
            assert str(pinned.specifier).startswith("=="), entry
            if canonical(pinned.name) not in found or holds(pinned):  # one pin for each version of Python
                found[canonical(pinned.name)] = pinned
    return found


def holds(pinned: Requirement) -> bool:
    return not pinned.marker or pinned.marker.evaluate()


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def version(pinned: Requirement) -> str:
    return str(pinned.specifier).removeprefix("==")


@pytest.mark.parametrize("name", PACKAGES)
def test_the_name_belongs_to_us(name: str) -> None:
    spec = find_spec(name)
    assert spec
    assert spec.origin
    assert Path(spec.origin).is_relative_to(ROOT / name)
    assert set(packages_distributions().get(name, [])) <= {"passerelle"}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_with_hashes_and_names_no_address(lock: str) -> None:
    assert pins(lock)
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", (ROOT / lock).read_text())


def test_locks_hold_what_the_project_asks_for() -> None:
    project = pyproject()
    groups = project["dependency-groups"]
    asked = {
        "requirements.lock": project["project"]["dependencies"],
        "requirements-dev.lock": project["project"]["dependencies"] + groups["dev"],
        "requirements-uv.lock": groups["setup"],
    }
    for lock, wanted in asked.items():
        pinned = pins(lock)
        for requirement in map(Requirement, wanted):
            assert requirement.specifier.contains(version(pinned[canonical(requirement.name)])), (
                lock,
                str(requirement),
            )


def test_what_is_tested_is_what_runs() -> None:
    tested = pins("requirements-dev.lock")
    for name, pinned in pins("requirements.lock").items():
        assert version(tested[name]) == version(pinned), name


def test_every_dependency_has_its_line() -> None:
    lines = (ROOT / "docs" / "adr" / "0006-dependencies.md").read_text()
    explained = set(re.findall(r"^\| ([\w-]+) \|", lines, re.MULTILINE)) - {"package"}
    assert explained == {canonical(Requirement(each).name) for each in pyproject()["project"]["dependencies"]}


def test_every_module_has_its_layer() -> None:
    layers = pyproject()["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = {name for layer in layers for name in re.findall(r"[\w.]+", layer)}
    modules = {
        f"bot.{path.stem}" for path in (ROOT / "bot").iterdir() if path.suffix == ".py" or list(path.glob("*.py"))
    }
    assert modules - {"bot.__init__", "bot.migrations"} <= placed


def test_there_is_no_lock_that_records_addresses() -> None:
    assert not (ROOT / "uv.lock").exists()
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in {".git", ".venv", "node_modules", "var"}]
        if "package-lock.json" in files:
            text = Path(folder, "package-lock.json").read_text()
            assert '"resolved"' not in text, folder
            assert '"integrity"' in text, folder


def test_the_wheel_holds_code_and_data_of_the_three_packages(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "uv", "build", "--quiet", "--offline", "--wheel", "--no-build-isolation"]
    subprocess.run([*build, "--python", sys.executable, "--out-dir", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/") and ".dist-info/" not in name}
    assert held == {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for data in ("bot/migrations/*.py", "config/*.csv", "config/*.po", "config/*.toml"):
        assert any(fnmatch(name, data) for name in held), data


@pytest.mark.parametrize("target", ["demo", "demo-matrix", "test", "proof", "bench", "check", "lock", "clean"])
def test_make_has_the_target(target: str) -> None:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, env=surroundings, capture_output=True, check=True)


def test_make_runs_only_modules_that_exist() -> None:
    for module in re.findall(r"python -m ([\w.]+)", (ROOT / "Makefile").read_text()):
        assert find_spec(module), module


def test_ci_checks_and_then_tests() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert script.index("make check") < script.index("make test")


# -- the image, built here without an engine -------------------------------------------------------------------------


@dataclass
class Image:
    """The last stage of the Dockerfile after its steps were carried out below a folder."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    settings: dict[str, str] = field(default_factory=dict)


def instructions() -> Iterator[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def build(root: Path, arguments: Mapping[str, str]) -> Image:
    """Carry out the Dockerfile with its absolute folders moved below `root`, which its arguments make possible."""
    image = Image(root)
    for name, rest in instructions():
        filled = Template(rest).safe_substitute(image.environment)
        match name:
            case "FROM":
                image = Image(root, {"PATH": f"{root}/bin:{os.environ['PATH']}"})
                image.settings["FROM"] = rest
            case "ARG":
                key, _, default = rest.partition("=")
                image.environment[key] = arguments.get(key, default)
            case "ENV":
                image.environment |= dict(pair.split("=", 1) for pair in shlex.split(filled))
            case "WORKDIR":
                image.folder = root / filled.removeprefix(str(root)).lstrip("/")
                image.folder.mkdir(parents=True, exist_ok=True)
            case "COPY":
                copy(image, *shlex.split(filled))
            case "RUN":
                surroundings = os.environ | image.environment
                done = subprocess.run(
                    ["sh", "-euc", rest], cwd=image.folder, env=surroundings, capture_output=True, text=True
                )
                assert done.returncode == 0, f"RUN {rest}\n{done.stdout}{done.stderr}"
            case _:
                image.settings[name] = filled
    return image


def copy(image: Image, *words: str) -> None:
    *sources, target = words
    if sources[0].startswith("--from="):
        assert sources[1:] == [target]  # stages share `root`, so that it is there already
        return
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for source in sources:
        assert source in allowed, f"{source} is kept out by .dockerignore"
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, image.folder / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, image.folder / target)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    root = tmp_path_factory.mktemp("image")
    python = root / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")}" "$@"\n')
    python.chmod(0o755)
    arguments = {"TOOLS": f"{root}/tools", "HOUSE": f"{root}/house", "DATA": f"{root}/data", "OWNER": str(os.getuid())}
    return build(root, arguments)


@pytest.mark.one_in(4)
def test_the_image_keeps_its_promises(image: Image) -> None:
    """One test: the image is built once, whoever runs it."""
    starts_and_holds_nothing_of_development(image)
    takes_its_code_from_the_wheel_only(image)
    is_pinned_and_serves_as_nobody_in_particular(image)


def starts_and_holds_nothing_of_development(image: Image) -> None:
    told = subprocess.run(
        [*json.loads(image.settings["ENTRYPOINT"]), "--help"],
        cwd=image.folder,
        env=image.environment,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    assert "passerelle" in told.stdout
    listing = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "list",
        "--quiet",
        "--format",
        "json",
        "--python",
        f"{image.root}/house",
    ]
    listed = json.loads(subprocess.run(listing, capture_output=True, check=True).stdout)
    wanted = {name for name, pin in pins("requirements.lock").items() if holds(pin)}
    assert {canonical(each["name"]) for each in listed} == wanted | {"passerelle"}


def takes_its_code_from_the_wheel_only(image: Image) -> None:
    (image.folder / "bot").mkdir()
    (image.folder / "bot" / "__init__.py").write_text("raise SystemExit('taken from the working folder')")
    origin = "import bot, handlers, config; print(bot.__file__, handlers.__file__, config.__file__)"
    told = subprocess.run(
        ["python3", "-c", origin], cwd=image.folder, env=image.environment, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    assert all(Path(each).is_relative_to(image.root / "house") for each in told.stdout.split())


def is_pinned_and_serves_as_nobody_in_particular(image: Image) -> None:
    stages = [rest for name, rest in instructions() if name == "FROM"]
    assert all(re.match(r"python:3\.\d+-slim-\w+( AS \w+)?$", stage) for stage in stages)
    assert next(rest for name, rest in instructions() if name == "ARG" and rest.startswith("OWNER=")) == "OWNER=10001"
    assert image.settings["USER"] == f"{os.getuid()}:{os.getuid()}"
    assert image.settings["VOLUME"] == str(image.folder)
    assert json.loads(image.settings["CMD"]) == ["run"]
    assert image.environment["PYTHONSAFEPATH"] == "1"


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1)])
def test_the_image_is_well_when_the_bot_says_so(status: int, exit_status: int) -> None:
    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    (check,) = (rest for name, rest in instructions() if name == "HEALTHCHECK")
    _, program, code = json.loads(check.partition("CMD ")[2])
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asked = [sys.executable, program, code.replace("8080", str(server.server_port))]
        behind_a_proxy = os.environ | {"http_proxy": "http://127.0.0.1:9"}
        assert subprocess.run(asked, env=behind_a_proxy, capture_output=True).returncode == exit_status
        server.shutdown()


@pytest.mark.proof
def test_a_fresh_clone_plays_the_demonstration_twice(tmp_path: Path) -> None:
    checkout = tmp_path / "passerelle"
    subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
    (tmp_path / "home").mkdir()
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PASSERELLE_"))}
    surroundings["HOME"] = str(tmp_path / "home")
    subprocess.run(["make", "env-run"], cwd=checkout, env=surroundings, stdin=subprocess.DEVNULL, check=True)
    for _ in range(2):
        played = subprocess.run(
            ["make", "demo"],
            cwd=checkout,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert played.returncode == 0, played.stdout + played.stderr
        assert "setting up" not in played.stderr
    kept = subprocess.run(["git", "status", "--short"], cwd=checkout, capture_output=True, check=True)
    assert not kept.stdout
    caches = {".cache", ".local", ".rustup"}  # the last is made by whatever looks which toolchain there is
    assert {path.name for path in (tmp_path / "home").iterdir()} <= caches
