"""Plain text as Markdown that shows it unchanged, line by line."""

import re

# What CommonMark, or its usual strikethrough, could take for more than a character. An underscore inside a word and an
# ampersand without an entity are left alone: addresses stay readable to whoever looks for them.
_INLINE = re.compile(r"([\\`*~\[\]<>]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;))")
# What opens a block at the start of a line: headings, list items, underlines and rules.
_START = re.compile(r"^(#{1,6}|[+-])(?=\s|$)|^([=-])(?=[=\s-]*$)|^(\d{1,9})([.)])(?=\s|$)")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSHOWN = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f\ud800-\udfff\ue000]")


def clean(text: str) -> str:
    """Return the text with one kind of line end and without what no client shows."""
    return _UNSHOWN.sub("", _BREAKS.sub("\n", text))


def escape(text: str) -> str:
    """Return a piece of a line as Markdown that shows it unchanged in the middle of a line."""
    return _INLINE.sub(r"\\\1", text)


def escape_start(line: str) -> str:
    """Return a line of Markdown that does not open a block."""
    return _START.sub(lambda m: f"{m[3]}\\{m[4]}" if m[3] else f"\\{m[1] or m[2]}", line)


def to_markdown(text: str) -> str:
    """Return plain text as Markdown: its lines stay lines, its blank lines part paragraphs."""
    lines = [escape_start(escape(line.strip())) for line in clean(text).strip().split("\n")]
    # Two spaces hold a line end inside a paragraph; they must not stand before a blank line.
    following = [*lines[1:], ""]
    return "\n".join(line + ("  " if line and after else "") for line, after in zip(lines, following, strict=True))
