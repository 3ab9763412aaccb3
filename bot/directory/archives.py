"""Files packed in `.zip` and `.tar.bz2`: unpacked as they are read, a little at a time, never to the disk.

Only what can be unpacked in little memory is: of zip archives entries that are stored or deflated, of tar archives
plain files. An archive within an archive is left alone.
"""

import bz2
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, BinaryIO

from bot.directory.gathering import Unreadable
from bot.texts import Text

SUFFIXES = (".zip", ".tar.bz2")
FILES = 1_000  # of an archive, at most
UNPACKED = 400_000_000  # bytes of an archive that are unpacked, at most
_CATALOGUE = 500_000  # bytes of a zip archive's list of files
_TAIL = 66_000  # bytes at the end of a zip archive among which that list is announced
_BLOCK = 512  # bytes, of a tar archive
_CHUNK = 65_536


def unpacked(name: str, stream: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """Return the files of an archive with their names, each to be read before the next is asked for.

    Raises Unreadable, from the iterator and from the reading of a file.
    """
    budget = _Budget()
    members = _zip(stream, budget) if name.lower().endswith(".zip") else _tar(stream, budget)
    for number, (inside, member) in enumerate(members, 1):
        if number > FILES:
            raise Unreadable(0, Text.of("import.too_many_files", limit=FILES))
        yield PurePosixPath(inside.replace("\\", "/")).name, member


class _Budget:
    """What may still be unpacked of an archive."""

    def __init__(self) -> None:
        self.left = UNPACKED

    def spend(self, size: int) -> None:
        """Count bytes. Raises Unreadable when they are too many."""
        self.left -= size
        if self.left < 0:
            raise Unreadable(0, Text.of("import.unpacked_too_large", limit=UNPACKED))


class _Unpacking(io.RawIOBase):
    """What a packed stream holds; a fault of it is an Unreadable."""

    def __init__(self, packed: IO[bytes], budget: _Budget) -> None:
        super().__init__()
        self._packed = packed
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        try:
            data = self._packed.read(len(buffer))
        except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise Unreadable(0, Text.of("import.damaged_archive")) from error
        self._budget.spend(len(data))
        buffer[: len(data)] = data
        return len(data)


def _zip(stream: BinaryIO, budget: _Budget) -> Iterator[tuple[str, BinaryIO]]:
    _look_at_catalogue(stream)
    try:
        with zipfile.ZipFile(stream) as archive:
            for info in archive.infolist():
                if info.is_dir():
                    continue
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
                    raise Unreadable(0, Text.of("import.unknown_packing"))
                with archive.open(info) as member:
                    yield info.filename, io.BufferedReader(_Unpacking(member, budget), _CHUNK)  # pyright: ignore[reportArgumentType]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(0, Text.of("import.damaged_archive")) from error


def _look_at_catalogue(stream: BinaryIO) -> None:
    """Refuse a list of files that would not fit into memory, before anything reads it."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read()
    stream.seek(0)
    at = tail.find(b"PK\x05\x06")
    while at >= 0:
        announced = tail[at + 12 : at + 16]
        if len(announced) == 4 and struct.unpack("<L", announced)[0] > _CATALOGUE:
            raise Unreadable(0, Text.of("import.too_many_files", limit=FILES))
        at = tail.find(b"PK\x05\x06", at + 1)
    if b"PK\x06\x07" in tail:  # the form for more files than we read
        raise Unreadable(0, Text.of("import.too_many_files", limit=FILES))


def _tar(stream: BinaryIO, budget: _Budget) -> Iterator[tuple[str, BinaryIO]]:
    """Read a tar archive by its blocks: what stands beside files (long names, comments) is skipped, not kept."""
    packed: IO[bytes] = io.BufferedReader(_Unpacking(bz2.BZ2File(stream), budget), _CHUNK)
    while True:
        header = packed.read(_BLOCK)
        if not header.strip(b"\0"):
            return
        try:
            size = int(header[124:136].strip(b" \0") or b"0", 8)
        except ValueError as error:
            raise Unreadable(0, Text.of("import.damaged_archive")) from error
        if len(header) < _BLOCK or size < 0:
            raise Unreadable(0, Text.of("import.damaged_archive"))
        if size > budget.left:  # said before any of it is unpacked
            raise Unreadable(0, Text.of("import.unpacked_too_large", limit=UNPACKED))
        member = _Member(packed, size)
        if header[156:157] in (b"0", b"\0"):
            yield header[:100].rstrip(b"\0").decode(errors="replace"), io.BufferedReader(member, _CHUNK)
        member.skip(-size % _BLOCK)


class _Member(io.RawIOBase):
    """A file of a tar archive."""

    def __init__(self, packed: IO[bytes], size: int) -> None:
        super().__init__()
        self._packed = packed
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        data = self._packed.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

    def skip(self, padding: int) -> None:
        """Read on to where the next header begins."""
        left = self._left + padding
        self._left = 0
        while left > 0:
            read = len(self._packed.read(min(_CHUNK, left)))
            if not read:
                return
            left -= read
