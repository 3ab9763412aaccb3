"""Cards to keep: vCard 4 (RFC 6350), of what may be shown."""

from collections.abc import Sequence

from bot.directory import vcard as vcards

Property = tuple[str, Sequence[str]]
"""A name, and the components of its value."""


def vcard(name: str, properties: Sequence[Property]) -> str:
    """Return a card as a file has it; properties without a value are left out."""
    told = [(key, parts) for key, parts in properties if any(parts)]
    return vcards.written(vcards.Property(0, key, _value(parts)) for key, parts in [("FN", [name]), *told])


def _value(parts: Sequence[str]) -> str:
    return ";".join(vcards.escaped(part.replace("\r", "")) for part in parts)
