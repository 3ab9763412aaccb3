"""Cards to keep: vCard 4 (RFC 6350), of what may be shown."""

from collections.abc import Iterator, Sequence

_OCTETS = 75  # of a line, before it goes on in the next
_ESCAPES = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": "\\n", "\r": ""})

Property = tuple[str, Sequence[str]]
"""A name with its parameters, and the components of its value."""


def vcard(name: str, properties: Sequence[Property]) -> str:
    """Return a card; properties without a value are left out."""
    told = [(key, parts) for key, parts in properties if any(parts)]
    lines = [
        "BEGIN:VCARD",
        "VERSION:4.0",
        _line("FN", [name]),
        *(_line(key, parts) for key, parts in told),
        "END:VCARD",
    ]
    return "\n".join(folded for line in lines for folded in _folded(line))


def _line(key: str, parts: Sequence[str]) -> str:
    return f"{key}:{';'.join(part.translate(_ESCAPES) for part in parts)}"


def _folded(line: str) -> Iterator[str]:
    """Yield a line in pieces that hold whole characters."""
    piece, size = "", 0
    for character in line:
        octets = len(character.encode("utf-8", "replace"))
        if size + octets > _OCTETS:
            yield piece
            piece, size = " ", 1
        piece += character
        size += octets
    yield piece
