"""Words: a value shows as it is, a stored text comes back as it was, instants are the reader's, nothing is unsaid."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.opening import CONFIG
from bot.texts import (
    LANGUAGES,
    PLACE,
    Catalogues,
    Lines,
    Markdown,
    Reader,
    Row,
    Text,
    escape,
    from_data,
    instant,
    to_data,
    unescaped,
)
from scripts import check_texts

ONE = Catalogues({"fr": {"s": "« {x} »", "start": "{x}", "two": "{x} et {y}"}, "en": {"s": "“{x}”"}})
FRENCH = Reader("fr", "Europe/Paris")
CommonMark = MarkdownIt("commonmark")


class _Shown(HTMLParser):
    """What a page shows: its words, and the tags that made them look or sit otherwise than plain words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""
        self.tags: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def shown(markdown: str) -> _Shown:
    return _Shown(CommonMark.render(markdown))


# What Markdown has no way to show (controls, and the line ends it normalises) stays out of the draw.
VISIBLE = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]) | st.sampled_from("\\`*_~[]()<>&#+-=.!|1\n")
).map(lambda s: "\n".join(line.strip() for line in s.split("\n")))


@given(VISIBLE)
@example("# titre")
@example("- tiret")
@example("1. un")
@example("1) un")
@example("+ plus")
@example("a\n---")
@example("a\n===")
@example("***")
@example("&lt;b&gt; &amp; &#42; &nbsp;")
@example("<b>gras</b> <!-- caché -->")
@example("[lien](https://example.org) ![image](x)")
@example("<https://example.org>")
@example("`code` ~~barré~~ **gras** __gras__")
@example("\\* \\")
@example("[a]: https://example.org")
@example("> citation")
@example("```\nbloc")
@example("un\n\ndeux")
def test_whatever_a_value_holds_is_shown_unchanged(value: str) -> None:
    for place in ("« {} »", "{}"):
        page = shown(place.format(escape(value)))
        assert page.words.split() == place.format(value).split()
        assert page.tags <= {"p"}


@given(st.text())
def test_where_markdown_is_shown_as_typed_no_escape_is_seen(value: str) -> None:
    assert unescaped(escape(value)).split() == value.split()


@given(st.from_regex(r"[A-Za-zÀ-ÿ0-9 ,.'’:/@()-]+", fullmatch=True))
def test_ordinary_values_need_no_escape(value: str) -> None:
    lines_up = re.match(r" {4}|\s*(\d+[.)]|-+)(\s|$)", value)
    if not lines_up:
        assert escape(value) == value


def test_only_values_marked_as_markdown_may_be_markdown() -> None:
    assert ONE.render(Text.of("s", x="*a*"), FRENCH) == r"« \*a\* »"
    assert ONE.render(Text.of("s", x=Markdown("*a*")), FRENCH) == "« *a* »"
    assert ONE.render("*a*", FRENCH) == "*a*"


def test_a_value_is_not_taken_for_a_place_of_the_sentence() -> None:
    assert ONE.render(Text.of("two", x="{y}", y="b"), FRENCH) == "{y} et b"


def test_lists_stand_in_a_line_or_below_each_other() -> None:
    pair = ("a", Text.of("s", x="b"))
    assert ONE.render(Text.of("start", x=pair), FRENCH) == "a, « b »"
    assert ONE.render(Text.of("start", x=Row(pair)), FRENCH) == "a · « b »"
    assert ONE.render(Text.of("start", x=Lines(pair)), FRENCH) == "- a\n- « b »"


def test_what_a_language_lacks_is_said_in_french_and_what_nobody_says_is_an_error() -> None:
    assert ONE.render(Text.of("s", x=1), Reader("en")) == "“1”"
    assert ONE.render(Text.of("start", x=1), Reader("en")) == "1"
    assert ONE.render(Text.of("start", x=1), Reader("de")) == "1"
    with pytest.raises(KeyError):
        ONE.render(Text.of("nothing"), FRENCH)


@pytest.mark.parametrize(
    ("reader", "words"),
    [
        (FRENCH, "mardi 31 décembre à 23 h 05"),
        (Reader("en", "Europe/Paris"), "Tuesday 31 December at 23:05"),
        (Reader("fr", "Asia/Tokyo"), "mercredi 1er janvier à 7 h 05"),
        (Reader("en", "America/Cayenne"), "Tuesday 31 December at 19:05"),
        (Reader("fr", "Pacific/Noumea"), "mercredi 1er janvier à 9 h 05"),
    ],
)
def test_an_instant_is_told_in_the_readers_language_and_zone(reader: Reader, words: str) -> None:
    at = datetime(2024, 12, 31, 22, 5, tzinfo=UTC)
    assert ONE.render(Text.of("start", x=at), reader) == words


def test_a_full_hour_and_a_day() -> None:
    assert instant(datetime(2026, 3, 16, 8, tzinfo=UTC), FRENCH) == "lundi 16 mars à 9 h"
    day = Text.of("start", x=date(2026, 3, 16))
    assert ONE.render(day, FRENCH) == "lundi 16 mars 2026"
    assert ONE.render(day, Reader("en")) == "Monday, 16 March 2026"


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["Europe/Paris", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca"]),
)
def test_an_instant_names_the_day_and_minute_of_its_zone(at: datetime, zone: str) -> None:
    local = at.astimezone(ZoneInfo(zone))
    words = instant(at, Reader("en", zone))
    assert f" {local.day} " in words
    assert words.endswith(f"{local.hour:02d}:{local.minute:02d}")


VALUES = st.recursive(
    st.text()
    | st.integers()
    | st.text().map(Markdown)
    | st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC) | st.just(ZoneInfo("Asia/Tokyo")))
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, max_size=3).map(Lines)
        | st.lists(inner, max_size=3).map(Row)
        | st.dictionaries(st.text(min_size=1), inner, max_size=3).map(lambda d: Text("key", tuple(d.items())))
    ),
    max_leaves=8,
)


def alike(one: object, other: object) -> bool:
    """Equal, and of the same kind all the way down: a line and a list read differently."""
    if isinstance(one, Text) and isinstance(other, Text):
        return one.key == other.key and alike(one.values, other.values)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, datetime) and isinstance(other, datetime):
        return one == other and one.utcoffset() == other.utcoffset()
    return type(one) is type(other) and one == other


@given(st.text() | st.dictionaries(st.text(min_size=1), VALUES, max_size=4).map(lambda d: Text("k", tuple(d.items()))))
def test_stored_words_come_back_as_they_were(words: str | Text) -> None:
    assert alike(from_data(json.loads(json.dumps(to_data(words)))), words)


def test_stored_words_can_be_read_later_by_another_reader() -> None:
    said = Text.of("two", x=datetime(2026, 3, 16, 12, tzinfo=UTC), y=Text.of("s", x=Lines(["a", "b"])))
    again = from_data(json.loads(json.dumps(to_data(said))))
    for reader in (FRENCH, Reader("en", "Asia/Tokyo")):
        assert ONE.render(again, reader) == ONE.render(said, reader)
    other = ONE.render(again, Reader("fr", "Asia/Tokyo"))
    assert "21 h" in other


def test_every_sentence_of_the_code_has_words_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_texts.main() == 0, capsys.readouterr().out


def test_every_sentence_is_given_the_values_that_it_shows(catalogues: Catalogues) -> None:
    lacking = [
        f"{file}:{call.lineno} {key} lacks {sorted(places - given_)}"
        for folder in ("bot", "handlers")
        for file in sorted(Path(folder).rglob("*.py"))
        for call, key, given_ in _sentences(file)
        for language in LANGUAGES
        if key in set(catalogues.keys(language))
        for places in [{place for place, _ in PLACE.findall(catalogues.sentence(key, language))}]
        if not places <= given_
    ]
    assert lacking == []


def _sentences(file: Path) -> Iterator[Any]:
    """The texts that a file makes with a plain key and named values."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("of", "UserError") and all(k.arg for k in node.keywords):
            yield node, node.args[0].value, {k.arg for k in node.keywords}


def test_every_sentence_can_be_said_in_both_languages(catalogues: Catalogues) -> None:
    for language in LANGUAGES:
        for key in catalogues.keys(language):
            places = [place for place, _ in PLACE.findall(catalogues.sentence(key, language))]
            values = {place: f"⟨{number}⟩" for number, place in enumerate(places)}
            said = catalogues.render(Text.of(key, **values), Reader(language))
            assert all(value in said for value in values.values())
            assert "{" not in said


def test_the_catalogues_are_read_from_their_files() -> None:
    french = Catalogues.load(CONFIG / "texts")
    assert french.sentence("button.prendre", "fr") == "Prendre"
    assert french.sentence("button.prendre", "en") != "Prendre"
