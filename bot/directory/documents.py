"""The records of a JSON document, one after the other: of a large one no more than a few are held at a time.

A document is an array, an object that wraps one, or one object a line.
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, TypeAlias, cast

from bot.directory.gathering import Unreadable
from bot.directory.records import LINE, LINES
from bot.texts import Text

UNKNOWN = 16_000_000  # bytes without a record of the kind that is looked for, after which there is none
_CHUNK = 100_000  # bytes at a time: what hostile ones become once read is many times as large

_WRAPPED = re.compile(r'\{\s*(?:"(?:total_count|nhits)"\s*:\s*\d+\s*,\s*)?"(?:service|results|records)"\s*:\s*\[')
_OPENING = re.compile(r"\[")
_CLOSING = re.compile(r"\]")
_BETWEEN = re.compile(r"[\s,]*")

Record: TypeAlias = Mapping[str, Any]


def records(stream: IO[bytes]) -> Iterator[tuple[int, Record]]:
    """Return the records of a document, numbered from 1, never holding more than a few of them.

    Raises Unreadable, from the iterator.
    """
    text = _Window(stream)
    text.skip_blanks()
    wrapped = text.skip(_WRAPPED) or text.skip(_OPENING)
    number = useful = 0
    while True:
        text.skip_blanks()
        if text.ended or (wrapped and text.skip(_CLOSING)):
            break
        number += 1
        if number > LINES:
            raise Unreadable(number, Text.of("import.too_many_lines", limit=LINES))
        found = text.value(number)
        if isinstance(found.get("fields"), dict):  # of an older API
            found = cast("dict[str, Any]", found["fields"])
        if "nom" in found or "pivot" in found:
            text.useless, useful = 0, useful + 1
        yield number, found
    if not useful:
        raise Unreadable(0, Text.of("import.not_dila"))


class _Window:
    """The part of a document that is looked at, less than a megabyte of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._done = False
        self.useless = 0  # bytes since something was met that was expected
        self._fill()

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._done and self._at >= len(self._text)

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Pass over what a short pattern matches; say whether it does."""
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found is not None

    def skip_blanks(self) -> None:
        """Pass over what stands between records."""
        while self.skip(_BETWEEN) and self._at >= len(self._text) and not self._done:
            self._fill()

    def value(self, number: int) -> dict[str, Any]:
        """Read one object.

        Raises Unreadable.
        """
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._done or len(self._text) - self._at > LINE or isinstance(error, RecursionError):
                    raise Unreadable(number, Text.of("import.bad_json", limit=LINE)) from error
                self._fill()
                continue
            if not isinstance(found, dict) or end - self._at > LINE:
                raise Unreadable(number, Text.of("import.bad_json", limit=LINE))
            self._at = end
            return cast("dict[str, Any]", found)

    def _fill(self) -> None:
        raw = self._stream.read(_CHUNK)
        self._done = not raw
        self.useless += len(raw)
        if self.useless > UNKNOWN:
            raise Unreadable(0, Text.of("import.not_dila"))
        try:
            self._text = self._text[self._at :] + self._decoder.decode(raw, final=self._done)
        except UnicodeDecodeError as error:
            raise Unreadable(0, Text.of("import.not_utf8")) from error
        self._at = 0
