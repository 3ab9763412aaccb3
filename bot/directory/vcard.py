"""vCard: content lines in and out, versions 3 (RFC 2426) and 4 (RFC 6350), whatever their properties mean."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

from bot.directory.cells import FIELD
from bot.directory.gathering import Unreadable
from bot.directory.records import Told, decoded
from bot.texts import Text

VERSIONS = ("3.0", "4.0")
PROPERTIES = 1_000  # of a card, at most
_OCTETS = 75  # of a line, before it is folded
_MOST = 2 * FIELD + 1_000  # characters of a value that is looked at: each may be escaped

_NAME = re.compile(r"\s*(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)\s*(?=[;:])")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)\s*=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = re.compile(r"[\\,;\n]")
_PIECE = re.compile(r"\\.|[^\\;]+|;|\\\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Property:
    """A property as it is written: its value still escaped, its parameters by their names in capitals."""

    line: int
    name: str
    value: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        """Its value as one text."""
        return unescaped(self.value)

    @property
    def types(self) -> list[str]:
        """What kind of property it is: work, home, fax …."""
        return self.parameters.get("TYPE", "").lower().split(",")

    @property
    def parts(self) -> list[str]:
        """The components of its value: what stands between semicolons, each a text."""
        parts = [""]
        for piece in _PIECE.findall(self.value):
            if piece == ";":
                parts.append("")
            else:
                parts[-1] += piece
        return [unescaped(part) for part in parts]


@dataclass(frozen=True, slots=True)
class VCard:
    """A card: the line where it begins, and its properties of the names that were asked for."""

    line: int
    properties: list[Property]

    def all(self, name: str) -> list[Property]:
        """Return the properties of a name, in the order of preference, then as they stand."""
        found = [each for each in self.properties if each.name == name]
        return sorted(found, key=_preference)

    def first(self, name: str) -> Property | None:
        """Return the preferred property of a name."""
        return next(iter(self.all(name)), None)


def cards(stream: IO[bytes], wanted: Collection[str], told: Told = lambda _: None) -> Iterator[VCard]:
    """Return the cards of a file, with the properties whose names are `wanted`; of others nothing is kept.

    Raises Unreadable, from the iterator.
    """
    card: VCard | None = None
    met = False
    for line, name, content in _unfolded(stream, {*wanted, "BEGIN", "END", "VERSION"}, told):
        value = _value(content).strip()
        if name == "BEGIN":
            if card is not None or value.upper() != "VCARD":
                raise Unreadable(line, Text.of("import.vcard_in_vcard"), name, value)
            card = VCard(line, [])
        elif card is None:
            raise Unreadable(line, Text.of("import.not_a_vcard"), None, content)
        elif name == "END":
            yield card
            card, met = None, True
        elif name == "VERSION":
            if value not in VERSIONS:
                raise Unreadable(line, Text.of("import.vcard_version", expected=VERSIONS), name, value)
        else:
            _take(card, _property(line, name, content))
    if card is not None or not met:
        raise Unreadable(
            card.line if card else 1, Text.of("import.vcard_without_end" if card else "import.not_a_vcard")
        )


def _take(card: VCard, each: Property) -> None:
    card.properties.append(each)
    if len(card.properties) > PROPERTIES:
        raise Unreadable(each.line, Text.of("import.vcard_too_long", limit=PROPERTIES))


def written(properties: Iterable[Property]) -> str:
    """Return a card of version 4 as it is sent; it names its own values, in the order given."""
    lines = ["BEGIN:VCARD", "VERSION:4.0"]
    for each in properties:
        parameters = "".join(f";{name}={value}" for name, value in each.parameters.items())
        lines += folded(f"{each.name}{parameters}:{each.value}")
    return "\r\n".join([*lines, "END:VCARD", ""])


def escaped(text: str) -> str:
    """Return a text as a value, or as one component of it."""
    return _ESCAPED.sub(lambda m: "\\n" if m[0] == "\n" else f"\\{m[0]}", text)


def unescaped(value: str) -> str:
    """Return the text that a value stands for."""
    return _ESCAPE.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)


def _unfolded(stream: IO[bytes], names: Collection[str], told: Told) -> Iterator[tuple[int, str, str]]:
    """Return the wanted content lines whole, with where they begin and their names in capitals."""
    start, name, parts, size = 0, "", list[str](), 0
    for line, raw in enumerate(decoded(stream, told), 1):
        text = raw.rstrip("\r\n")
        if text[:1] in (" ", "\t") and start:
            if name in names:
                parts.append(text[1:])
                size += len(text)
            if size > _MOST:
                raise Unreadable(start, Text.of("import.field_too_long", limit=FIELD), name)
            continue
        if name in names:
            yield start, name, "".join(parts)
        if not text.strip():
            start, name = 0, ""
            continue
        match = _NAME.match(text)
        if match is None:
            raise Unreadable(line, Text.of("import.not_a_vcard"), None, text)
        start, name, parts, size = line, match[1].upper(), [text], len(text)
        if name in names and size > _MOST:
            raise Unreadable(line, Text.of("import.field_too_long", limit=FIELD), name)
    if name in names:
        yield start, name, "".join(parts)


def _property(line: int, name: str, content: str) -> Property:
    match = _NAME.match(content)
    at = match.end() if match else 0
    parameters: dict[str, str] = {}
    while found := _PARAMETER.match(content, at):
        called, value = found[1].upper(), found[2].replace('"', "")
        parameters[called] = f"{parameters[called]},{value}" if called in parameters else value
        at = found.end()
    return Property(line, name, _value(content[at:]), parameters)


def _value(content: str) -> str:
    return content.partition(":")[2]


def _preference(each: Property) -> int:
    """Return 1 for the most preferred, 100 for one that says nothing of it (RFC 6350, 5.3)."""
    given = each.parameters.get("PREF", "")
    if given.isascii() and given.isdecimal() and len(given) <= 3:
        return int(given)
    return 1 if "pref" in each.types else 100


def folded(line: str) -> Iterator[str]:
    """Cut a line into pieces of at most 75 octets, never within a character; each but the first begins with a space."""
    raw = line.encode()
    limit = _OCTETS
    while len(raw) > limit:
        at = limit
        while raw[at] & 0xC0 == 0x80:
            at -= 1
        piece, raw = raw[:at], b" " + raw[at:]
        yield piece.decode()
    yield raw.decode()
