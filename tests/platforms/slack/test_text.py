"""Text in both directions: what a person wrote is what a person reads, and never more than that."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.card import Card, Fields, Paragraph
from bot.platforms.slack import mrkdwn
from bot.platforms.slack.blocks import blocks_of, fallback
from bot.platforms.slack.markdown import clean, escape
from bot.platforms.slack.options import Identity
from bot.platforms.slack.reading import spoken, typed
from bot.platforms.slack.writing import elements, plain, shown
from tests.fakes.slack.render import block_lines, pings, readable
from tests.fakes.slack.richtext import as_typed, rich_text

ME = Identity("T1", "U0BOT", "B0BOT", "passerelle")

MARKS = [*"ab1 .)-+*_~`[]()<>!&#;:=|\\/\n\n\"'éx0@\t\N{NO-BREAK SPACE}", "<!channel>", "<@U1>", "https://x.fr", "&lt;"]
nasty = st.lists(st.sampled_from(MARKS), max_size=60).map("".join)
words = nasty | st.text(max_size=80)


def lines(text: str) -> str:
    """Text as it counts: no blanks at the ends of lines, no two empty lines in a row."""
    kept = [line.replace("\N{NO-BREAK SPACE}", " ").replace("\t", " ").strip() for line in clean(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def section(*runs: dict[str, object]) -> dict[str, object]:
    return {"type": "rich_text_section", "elements": list(runs)}


def said(*blocks: dict[str, object], text: str = "") -> str:
    return spoken({"text": text, "blocks": [{"type": "rich_text", "elements": list(blocks)}]}, ME).text


def text(value: str, **style: bool) -> dict[str, object]:
    return {"type": "text", "text": value, **({"style": style} if style else {})}


@given(words)
def test_plain_text_becomes_markdown_that_slack_shows_unchanged(written: str) -> None:
    found = elements(escape(written))
    assert lines(shown(found)) == lines(written)
    assert all(run["type"] == "text" and "style" not in run for e in found for run in e["elements"])


@given(words)
def test_what_is_typed_in_a_client_comes_back_as_it_was(written: str) -> None:
    written = re.sub(r"[<>:]", "", written)  # the fake client makes links, mentions and emoji of these
    message = {"text": as_typed(written), "blocks": [rich_text(written, "b")]}
    assert lines(plain(spoken(message, ME).text)) == lines(readable(as_typed(written)))


@given(words)
def test_mrkdwn_without_marks_comes_back_as_it_was(written: str) -> None:
    written = re.sub(r"[*_~`:]", "", written)
    unquoted = "\n".join(line.lstrip("> \t\N{NO-BREAK SPACE}") for line in clean(written).split("\n"))
    assert lines(plain(typed(mrkdwn.escape(unquoted), ME))) == lines(unquoted)


@given(st.lists(st.tuples(words, st.sets(st.sampled_from(["bold", "italic", "strike", "code"]))), max_size=6))
def test_styles_never_cost_a_word(runs: list[tuple[str, set[str]]]) -> None:
    found = said(section(*(text(t, **dict.fromkeys(sorted(s), True)) for t, s in runs if t)))
    assert lines(plain(found)).split() == lines("".join(t for t, _ in runs)).split()


@given(words, words)
def test_nobody_can_smuggle_a_call_into_a_card(one: str, two: str) -> None:
    card = Card(escape(one)[:100], (Paragraph(one), Paragraph(two, quote=True), Fields(((one, two),))))
    blocks = blocks_of(card)
    assert pings({"blocks": blocks}) == []
    assert pings({"text": fallback(card)}) == []
    assert not re.search(r"<[@#!]", fallback(card))


@given(words)
def test_escaped_text_makes_no_link(written: str) -> None:
    blocks = blocks_of(Card(None, (Paragraph(escape(written)),)))
    assert '"type": "link"' not in json.dumps(blocks)


@given(words)
def test_the_card_shows_what_its_markdown_says(written: str) -> None:
    drawn = "\n".join(
        line for block in blocks_of(Card(None, (Paragraph(escape(written)),))) for line in block_lines(block)
    )
    assert lines(drawn) == (lines(written) or "…")
    assert lines(readable(fallback(Card(None, (Paragraph(escape(written)),))))) == (lines(written) or "…")


def test_rich_text_of_a_client_becomes_markdown() -> None:
    found = said(
        section(
            text("un "), text("gras", bold=True), text(" et "), text("penché ", italic=True), text("barré", strike=True)
        ),
        {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": [section(text("pomme"))]},
        {
            "type": "rich_text_list",
            "style": "ordered",
            "indent": 1,
            "elements": [section(text("rouge")), section(text("verte"))],
        },
        {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": [section(text("poire"))]},
        {"type": "rich_text_quote", "elements": [text("cité\nencore")]},
        {"type": "rich_text_preformatted", "elements": [text("x = *1*\n  y")]},
    )
    assert found == (
        "un **gras** et *penché* ~~barré~~\n\n- pomme\n    1. rouge\n    2. verte\n- poire\n\n"
        "> cité  \n> encore\n\n```\nx = *1*\n  y\n```"
    )


def test_the_markdown_of_a_client_goes_back_to_the_same_rich_text() -> None:
    blocks: list[dict[str, object]] = [
        section(text("un "), text("gras", bold=True)),
        {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": [section(text("pomme"))]},
        {"type": "rich_text_list", "style": "ordered", "indent": 1, "elements": [section(text("rouge"))]},
        {"type": "rich_text_quote", "elements": [text("cité")]},
        {"type": "rich_text_preformatted", "elements": [text("x = *1*\n  y")]},
    ]
    assert elements(said(*blocks)) == blocks


@pytest.mark.parametrize(
    ("run", "markdown"),
    [
        ({"type": "link", "url": "https://x.fr/a"}, "<https://x.fr/a>"),
        ({"type": "link", "url": "https://x.fr/a_(b)", "text": "le [site]"}, r"[le \[site\]](https://x.fr/a_%28b%29)"),
        ({"type": "link", "url": "mailto:a@b.fr", "text": "a@b.fr"}, "[a@b.fr](mailto:a@b.fr)"),
        ({"type": "link", "url": "javascript:alert(1)", "text": "ici"}, "ici"),
        ({"type": "emoji", "name": "smile", "unicode": "1f604"}, "😄"),
        ({"type": "emoji", "name": "flag", "unicode": "1f1eb-1f1f7"}, "🇫🇷"),
        ({"type": "emoji", "name": "incoming_envelope"}, "📨"),
        ({"type": "emoji", "name": "marianne"}, ":marianne:"),
        ({"type": "user", "user_id": "U9SECRET"}, "@membre"),
        ({"type": "channel", "channel_id": "C9SECRET"}, "#salon"),
        ({"type": "usergroup", "usergroup_id": "S9SECRET"}, "@groupe"),
        ({"type": "broadcast", "range": "channel"}, "@channel"),
        ({"type": "date", "timestamp": 1, "format": "{date}", "fallback": "14 mars"}, "14 mars"),
        ({"type": "color", "value": "#FF0000"}, r"\#FF0000"[1:]),
    ],
)
def test_what_stands_in_a_line(run: dict[str, object], markdown: str) -> None:
    assert said(section(text("a "), run)) == f"a {markdown}"


@pytest.mark.parametrize(
    ("classic", "markdown"),
    [
        ("un *gras* et _penché_ et ~barré~ et `code *x*`", "un **gras** et *penché* et ~~barré~~ et `code *x*`"),
        ("2 * 3 * 4, a*b*c, snake_case_name", r"2 * 3 * 4, a\*b\*c, snake_case_name"),
        ("&lt;b&gt; &amp;amp; R&amp;D", r"\<b> \&amp; R&D"),
        ("<https://x.fr|le site> <https://x.fr>", "[le site](https://x.fr) <https://x.fr>"),
        ("<@U12|Zoé> <@U12> <#C1|général> <!here> <!subteam^S1|@cellule>", "@Zoé @membre #général @here @cellule"),
        ("&gt; cité\n&gt; deux\naprès", "> cité  \n> deux\n\naprès"),
        ("avant\n```\nx = 1\n```\naprès", "avant\n\n```\nx = 1\n```\n\naprès"),
        ("avant\n&gt; cité", "avant\n\n> cité"),
        ("<!date^1^{date}|14 mars> <tel:+33|appeler> <|x>", "14 mars [appeler](tel:+33) x"),
        ("*_fort_* *<https://x.fr|lien>* `<https://x.fr|x>`", "***fort*** **[lien](https://x.fr)** `x`"),
        ("à 10:30:45 :+1:", "à 10:30:45 👍"),
        ("# titre\n1. un\n- deux", "\\# titre  \n1\\. un  \n\\- deux"),
    ],
)
def test_mrkdwn_of_commands_and_old_clients_becomes_markdown(classic: str, markdown: str) -> None:
    assert typed(classic, ME) == markdown


@pytest.mark.parametrize(
    "opening", ["<@U0BOT> ", "<@U0BOT>: ", " <@U0BOT>, ", "<@U0BOT> <@U0BOT> ", "<@U0BOT|passerelle> "]
)
def test_the_mention_that_opens_a_message_is_taken_off(opening: str) -> None:
    found = spoken({"text": f"{opening}bonjour <@U0BOT>"}, ME)
    assert found.text == "bonjour @passerelle"
    assert found.mentions_bot


def test_blocks_that_are_no_rich_text_leave_the_word_to_the_text() -> None:
    message = {"text": "bonjour", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "autre"}}]}
    assert spoken(message, ME).text == "bonjour"
    assert spoken({}, ME).text == ""


def test_our_escape_touches_three_characters_and_no_other() -> None:
    assert mrkdwn.escape("a & b < c > d *e* _f_") == "a &amp; b &lt; c &gt; d *e* _f_"
    assert mrkdwn.unescape("&amp;lt; &lt;") == "&lt; <"


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("# Titre *fort*\n\nsuite", "Titre fort\n\nsuite"),
        ("avant\n\n---\n\naprès", "avant\n\n———\n\naprès"),
        ("3. trois\n4. quatre", "3. trois\n4. quatre"),
        ("- a\n\n  - b\n\n    c\n- d", "• a\n  • b\nc\n• d"),
        ("- \n- b", "• b"),
        ("> un\n>\n> - deux\n>\n> trois", "un\n• deux\ntrois"),
        ("![plan](https://x.fr/p.png) ![](https://x.fr)", "plan https://x.fr"),
        ("    code", "code"),
        ("```\n\n```", ""),
        ("<b>gras</b> &eacute; &amp;lt;", "<b>gras</b> é &lt;"),
        ("<div>\nmot\n</div>", "<div>\nmot\n</div>"),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
        ("`*a*` **[x](https://x.fr)**", "*a* x"),
        ("a\u0007b\r\nc\rd", "ab\nc\nd"),
    ],
)
def test_markdown_as_it_is_seen(markdown: str, seen: str) -> None:
    assert plain(markdown) == seen


def test_a_numbered_list_begins_where_it_says() -> None:
    (made,) = elements("3. trois\n4. quatre")
    assert (made["style"], made["offset"]) == ("ordered", 2)


def test_a_heading_and_a_link_keep_their_styles() -> None:
    (heading,) = elements("## Titre")
    assert heading["elements"] == [{"type": "text", "text": "Titre", "style": {"bold": True}}]
    (paragraph,) = elements("**[x](https://x.fr)**")
    assert paragraph["elements"] == [{"type": "link", "url": "https://x.fr", "text": "x", "style": {"bold": True}}]
