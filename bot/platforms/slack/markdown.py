"""Markdown as this package reads and writes it: CommonMark and `~~strike~~`, no HTML, no links but harmless ones."""

import re
from collections.abc import Callable
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

LINK = re.compile(r"(?:https?://|mailto:|tel:)[^\s<>|\x00-\x20]+", re.IGNORECASE)
_URL_LIMIT = 3000

# What Markdown would obey, and only there: most texts pass without a single backslash.
_INLINE = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|\n|$)"
    r"|[`\[\]]"
    r"|(?<!\s)\*|^\*|\*(?!\s)"
    r"|(?<![^\W_])_|_(?![^\W_])"
    r"|~(?=~)|(?<=~)~"
    r"|<(?=[A-Za-z/!?])"
    r"|&(?=\#?\w+;)",
    re.MULTILINE,
)
_LINE_START = re.compile(
    r"^(?P<lead>[ \t]*)"
    r"(?:(?P<mark>\#{1,6}(?=[ \t]|$)|[-+](?=[ \t-]|$)|>|=(?==*[ \t]*$))|(?P<number>\d{1,9})(?P<dot>[.)])(?=[ \t]|$))?"
)
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class _Parser(MarkdownIt):
    """URLs stay as they were written, and only some of them are links."""

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return is_link(url)

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


_PARSER = _Parser("commonmark", {"html": False}).enable("strikethrough")


def is_link(url: str) -> bool:
    """Tell whether an address may be offered for a click."""
    return len(url) <= _URL_LIMIT and LINK.fullmatch(url) is not None


@lru_cache(maxsize=8)  # blocks and plain text of one card are drawn one after the other
def tree(text: str) -> SyntaxTreeNode:
    """Parse Markdown; nobody changes what is returned."""
    return SyntaxTreeNode(_PARSER.parse(text))


def clean(text: str) -> str:
    """Drop control characters but the newline and the tabulator."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def escape_inline(text: str) -> str:
    """Write plain text so that Markdown shows it unchanged inside a line."""
    return _INLINE.sub(lambda m: f"\\{m[0]}", text)


def escape_everything(text: str) -> str:
    """Put a backslash before every mark: ugly, and always right."""
    return _PUNCTUATION.sub(r"\\\1", text)


def guard_line(line: str) -> str:
    """Keep the start of a written line from becoming a heading, a list, a quote or code."""

    def guarded(match: re.Match[str]) -> str:
        lead = "\N{NO-BREAK SPACE}" * len(match["lead"])  # four plain spaces would be a block of code
        if match["mark"]:
            return f"{lead}\\{match['mark']}"
        if match["number"]:
            return f"{lead}{match['number']}\\{match['dot']}"
        return lead

    return _LINE_START.sub(guarded, line)


def paragraphs(lines: list[str]) -> str:
    """Join finished lines: a line break stays one, empty lines part paragraphs."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            parts[-1].append(line.rstrip())
        elif parts[-1]:
            parts.append([])
    return "\n\n".join("  \n".join(part) for part in parts if part)


def escape(text: str, *, inline: Callable[[str], str] = escape_inline) -> str:
    """Write plain text of any number of lines as Markdown that shows it unchanged."""
    return paragraphs([guard_line(inline(line.rstrip())) for line in clean(text).split("\n")])
