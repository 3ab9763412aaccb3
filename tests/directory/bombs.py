"""Files that are made to harm: what each holds, and a process that reads one and says what that took."""

import bz2
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PEOPLE = b"id,given_name,family_name,email,phone,language,visibility,slack_id,matrix_id\n"
MB = 1_000_000

_READ = """
import json, re, sys, time
from pathlib import Path
from bot.directory import archives, documents, records
from bot.directory.reading import read

def peak():  # the system's own; what getrusage says begins with the size of whoever started this process
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000

scale = float(sys.argv[1])
for module in (records, documents, archives):
    for name in ("LINES", "SIZE", "UNPACKED"):
        if hasattr(module, name):
            setattr(module, name, int(getattr(module, name) * scale))
for path in sys.argv[2:]:
    before = peak()
    started = time.process_time()
    parsed = read([Path(path)])
    seconds = time.process_time() - started
    found = sorted({problem.reason.key for problem in parsed.problems})
    rows = sum(len(sheet.rows) for sheet in parsed.sheets)
    print(json.dumps([seconds, peak(), peak() - before, found, rows]))
"""


_COMMAND = """
import contextlib, io, json, re, sys, time
from pathlib import Path
from bot.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as told:
    status = main(["directory", "import", *sys.argv[1:]])
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000
print(json.dumps([time.process_time(), peak, status, told.getvalue()[:2000]]))
"""


@dataclass(frozen=True)
class Taken:
    """What reading took: seconds of the processor, megabytes at most, and by how many that is more than before."""

    seconds: float
    peak: float
    grown: float
    found: list[str]
    rows: int


def read_alone(scale: float, *paths: Path) -> list[Taken]:
    """Read files, one after the other, in a process of their own whose limits are scaled like them."""
    done = subprocess.run([sys.executable, "-c", _READ, str(scale), *map(str, paths)], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return [Taken(*json.loads(line)) for line in done.stdout.splitlines()]


def imported_alone(path: Path, url: str) -> tuple[float, float, int, str]:
    """Import a file by the command line; return seconds of the processor, megabytes, the status and what was told."""
    environment = {**os.environ, "PASSERELLE_DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, str(path)], capture_output=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr.decode()
    seconds, peak, status, told = json.loads(done.stdout)
    return seconds, peak, status, told


_APART = """
import json, re, runpy, sys, time
from pathlib import Path
try:
    runpy.run_module("bot.directory.apart", run_name="__main__")
finally:
    peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1000
    print(json.dumps([time.process_time(), peak]))
"""


def read_apart(path: Path, url: str) -> tuple[float, float, dict[str, Any]]:
    """Read a file as the chat does; return seconds of the processor, megabytes and the answer."""
    asked = {"kind": "import", "url": url, "scope": [4, []], "at": "2026-03-14T12:00:00+00:00", "person": "p"}
    asked |= {"account": "a", "paths": [str(path)], "agreed": None, "store": None, "changes": f"{path}.changes"}
    done = subprocess.run(
        [sys.executable, "-c", _APART], input=json.dumps(asked).encode(), capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    *_, answer, (seconds, peak) = (json.loads(line) for line in done.stdout.splitlines())
    return seconds, peak, answer


def _zipped(content: Callable[[io.BufferedWriter], None], name: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as member:
            content(member)  # type: ignore[arg-type]

    return make


def _repeated(piece: bytes, times: int, first: bytes = b"", last: bytes = b"") -> Callable[..., None]:
    def write(stream: io.BufferedWriter) -> None:
        stream.write(first)
        stream.writelines(piece for _ in range(times))
        stream.write(last)

    return write


def _plain(content: Callable[..., None]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with path.open("wb") as stream:
            content(stream)

    return make


def _hollow(size: int, first: bytes = b"") -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(first)
        os.truncate(path, size)

    return make


def _rows(count: int) -> Callable[..., None]:
    def write(stream: io.BufferedWriter) -> None:
        stream.write(PEOPLE)
        for start in range(0, count, 1000):
            lines = [
                f"person-{n},Given,Family,p{n}@example.org,+33 {n},fr,all,U{n},\n" for n in range(start, start + 1000)
            ]
            stream.write("".join(lines).encode())

    return write


def _packed_tar(size: int) -> Callable[[Path], None]:
    """A tar archive whose one file begins with its header and goes on with nothing."""

    def make(path: Path) -> None:
        import tarfile

        info = tarfile.TarInfo("data.json")
        info.size = size
        packer = bz2.BZ2Compressor()
        with path.open("wb") as stream:
            stream.write(packer.compress(info.tobuf()))
            for _ in range(size // MB):
                stream.write(packer.compress(b" " * MB))
            stream.write(packer.flush())

    return make


def _many_files(count: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}", b"")

    return make


def _long_header(kind: bytes, size: int) -> Callable[[Path], None]:
    """A tar archive that announces a comment, or a name, of this many bytes."""

    def make(path: Path) -> None:
        import tarfile

        info = tarfile.TarInfo("x")
        info.type, info.size = kind, size
        packer = bz2.BZ2Compressor()
        content = packer.compress(info.tobuf())
        for _ in range(size // MB):
            content += packer.compress(b"a" * MB)
        path.write_bytes(content + packer.flush())

    return make


_CARD = b"BEGIN:VCARD\nVERSION:4.0\nFN:x\n"


def bombs(scale: float) -> dict[str, tuple[str, Callable[[Path], None]]]:
    """Return bombs by name, each with a file's name and what makes it; `scale` 1 is the full size."""

    def n(count: int) -> int:
        return max(1, int(count * scale))

    return {
        "a field of 200 MB": ("people.csv", _hollow(n(200 * MB), PEOPLE)),
        "a field of 60 MB": ("people.csv", _plain(_repeated(b"x" * MB, n(60), PEOPLE + b'"'))),
        "more lines than allowed": ("people.csv", _plain(_rows(n(300_000)))),
        "an open quote": ("people.csv", _plain(_repeated(b"a\n" * 1000, n(190), PEOPLE + b'"'))),
        "columns without end": ("people.csv", _plain(_repeated(b"," * 400_000 + b"\n", n(150), PEOPLE))),
        "one vCard of 100 MB": (
            "x.vcf",
            _plain(_repeated(b"NOTE:" + b"x" * 70 + b"\n", n(1_300_000), _CARD, b"END:VCARD\n")),
        ),
        "one vCard of 60 MB": (
            "x.vcf",
            _plain(_repeated(b"NOTE:" + b"x" * 250 + b"\n", n(190_000), _CARD, b"END:VCARD\n")),
        ),
        "a folded value of 60 MB": (
            "x.vcf",
            _plain(_repeated(b" " + b"x" * 400 + b"\n", n(150_000), _CARD + b"TEL:1\n")),
        ),
        "a picture of 60 MB": (
            "x.vcf",
            _plain(_repeated(b" " + b"x" * 400 + b"\n", n(150_000), _CARD + b"PHOTO:1\n", b"END:VCARD\n")),
        ),
        "a card of many properties": ("x.vcf", _plain(_repeated(b"TEL:1\n", n(190_000), _CARD))),
        "deep JSON": ("x.json", _plain(_repeated(b"[" * 1000, n(60_000)))),
        "deep JSON in a record": ("x.json", _plain(_repeated(b'{"a":' * 1000, n(12_000), b'[{"nom":'))),
        "deep JSON in a string": ("x.json", _plain(_repeated(b"[" * 1000, n(400), b'[{"nom":"x","pivot":"', b'"}]'))),
        "a string of 60 MB": ("x.json", _plain(_repeated(b"x" * MB, n(60), b'[{"nom":"'))),
        "wide JSON": ("x.json", _plain(_repeated(b"[]," * 1000, n(20_000), b'[{"nom":['))),
        "blanks": ("x.json", _plain(_repeated(b" " * MB, n(60)))),
        "records of nothing": ("x.json", _plain(_repeated(b"{}," * 1000, n(20_000), b"["))),
        "a packed JSON of 1 GB of blanks": ("x.tar.bz2", _packed_tar(n(1000 * MB))),
        "a zipped JSON of 1 GB of blanks": ("x.zip", _zipped(_repeated(b" " * MB, n(1000)), "data.json")),
        "a zipped CSV of 1 GB in a line": ("x.zip", _zipped(_repeated(b"x" * MB, n(1000), PEOPLE), "people.csv")),
        "a zipped CSV of too many lines": ("x.zip", _zipped(_rows(n(300_000)), "people.csv")),
        "a zip of 100,000 files": ("x.zip", _many_files(n(100_000))),
        "a tar with a comment of 1 GB": ("x.tar.bz2", _long_header(b"x", n(1000 * MB))),
        "a tar with a name of 1 GB": ("x.tar.bz2", _long_header(b"L", n(1000 * MB))),
    }
