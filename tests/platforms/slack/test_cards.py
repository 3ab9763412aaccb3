"""Cards as blocks: every limit kept whatever the card, and what a person sees of it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.card import Button, Buttons, Card, Fields, Paragraph
from bot.message import User
from bot.platforms.slack.blocks import VIEW_BLOCKS, blocks_of, fallback
from bot.platforms.slack.views import home_view
from tests.fakes.slack.blocks import checked_blocks, checked_view
from tests.fakes.slack.render import block_lines, pings

texts = (
    st.text(max_size=300)
    | st.builds(lambda t, n: t * n, st.text(min_size=1, max_size=30), st.integers(1, 900))
    | st.sampled_from(
        [
            "",
            " ",
            "\n",
            "&" * 5000,
            "*a* **b** `c` ~~d~~ <https://x.fr> [l](https://y.fr)",
            "# t\n\n- a\n  - b\n\n> q\n\n```\nc\n```",
        ]
    )
    | st.lists(
        st.sampled_from(
            ["[a](https://x.fr) ", "**g** ", "`c` ", "~~s~~ ", "- x\n", "1. y\n", "> z\n\n", "---\n\n", "mot "]
        ),
        max_size=400,
    ).map("".join)
)
buttons = st.builds(Button, texts, st.text(max_size=30), texts, st.sampled_from(["plain", "primary", "danger"]))
blocks = st.one_of(
    st.builds(Paragraph, texts, st.booleans()),
    st.builds(Fields, st.lists(st.tuples(texts, texts), max_size=15).map(tuple)),
    st.builds(Buttons, st.lists(buttons, max_size=40).map(tuple)),
)
accounts = st.none() | st.builds(
    User, st.sampled_from(["slack", "matrix"]), st.sampled_from(["U1AGENT", "!channel", "U1> <!here"])
)
cards = st.builds(Card, st.none() | texts, st.lists(blocks, max_size=60).map(tuple), accounts)


@settings(deadline=None, max_examples=40)
@given(cards)
def test_slack_takes_every_card(card: Card) -> None:
    made = blocks_of(card)
    assert made
    checked_blocks(made)
    words = fallback(card)
    assert words.strip()
    assert len(words) <= 4000
    for ping in (*pings({"blocks": made}), *pings({"text": words})):
        assert card.notify
        assert ping == "@U1AGENT" == f"@{card.notify.id}"


@settings(deadline=None, max_examples=40)
@given(cards)
def test_slack_takes_every_card_as_an_app_home(card: Card) -> None:
    checked_view(home_view(card))


@settings(deadline=None, max_examples=40)
@given(st.lists(buttons, min_size=1, max_size=20), st.lists(blocks, max_size=60))
def test_buttons_stay_whatever_else_must_go(row: list[Button], others: list[Paragraph | Fields | Buttons]) -> None:
    said = [b for b in others if not isinstance(b, Buttons)]
    made = blocks_of(Card("T" * 200, (*said, Buttons(tuple(row)))))
    assert [len(b["elements"]) for b in made if b["type"] == "actions"] == [len(row)]


SIZES = [limit + more for limit in (24, 50, 75, 100, 150, 2000, 3000, 4000, 13_200) for more in (-1, 0, 1)]


@pytest.mark.parametrize("size", SIZES)
def test_at_the_edge_of_every_limit_slack_takes_the_card(size: int) -> None:
    text = "x" * size
    button = Button(text, "prendre", text)
    card = Card(text, (Paragraph(text), Fields(((text, text),)), Buttons((button,) * min(size, 120))))
    for each in (
        card,
        Card(None, (Buttons((button,)),) * min(size, 120)),
        Card(text, (Paragraph("x"),) * min(size, 120)),
    ):
        checked_blocks(blocks_of(each))
        checked_view(home_view(each))
        assert len(fallback(each)) <= 4000


def test_a_card_as_a_person_sees_it() -> None:
    card = Card(
        "Question Q-2026-00042",
        (
            Paragraph("Posée par **Strasbourg**, voir <https://x.fr/a_b>"),
            Paragraph("Mes mots *à moi*\n- un\n- deux", quote=True),
            Fields((("Poste", "Francfort"), ("Délai", "14 mars"))),
            Buttons(
                (Button("Prendre", "prendre", "Q-2026-00042", "primary"), Button("Clore", "clore", "Q-2026-00042"))
            ),
        ),
        User("slack", "U1AGENT"),
    )
    made = blocks_of(card)
    assert [line for block in made for line in block_lines(block)] == [
        "*Question Q-2026-00042*",
        "<@U1AGENT>",
        "Posée par Strasbourg, voir https://x.fr/a_b",
        "> Mes mots à moi",
        "• un",
        "• deux",
        "Poste : Francfort",
        "Délai : 14 mars",
        "[ Prendre ] [ Clore ]",
    ]
    row = made[-1]["elements"]
    assert [json.loads(b["value"]) for b in row] == [
        {"c": "prendre", "l": "Q-2026-00042"},
        {"c": "clore", "l": "Q-2026-00042"},
    ]
    assert [b.get("style") for b in row] == ["primary", None]
    assert fallback(card) == (
        "<@U1AGENT> Question Q-2026-00042\nPosée par Strasbourg, voir https://x.fr/a_b\n"
        "Mes mots à moi\n• un\n• deux\nPoste : Francfort\nDélai : 14 mars"
    )


def test_a_long_title_becomes_a_section() -> None:
    made = blocks_of(Card("mot " * 50))
    assert made[0]["type"] == "rich_text"
    assert made[0]["elements"][0]["elements"][0]["style"] == {"bold": True}


def test_a_card_of_buttons_alone_still_says_something_to_a_screen_reader() -> None:
    assert (
        fallback(Card(None, (Buttons((Button("Prendre", "prendre"), Button("Clore", "clore"))),))) == "Prendre\nClore"
    )
    assert fallback(Card()) == "…"
    assert blocks_of(Card())


def test_a_home_has_room_for_a_hundred_blocks() -> None:
    card = Card(None, tuple(Paragraph(f"ligne {n}") for n in range(200)))
    assert len(home_view(card)["blocks"]) == VIEW_BLOCKS


def test_links_are_never_cut_and_only_harmless_ones_are_made() -> None:
    made = blocks_of(Card(None, (Paragraph("a" * 11_990 + " <https://example.org/une/longue/adresse>"),)))
    assert '"link"' not in json.dumps(made)
    assert '"link"' not in json.dumps(
        blocks_of(Card(None, (Paragraph("[x](javascript:alert) <file:///etc> ![i](data:x)"),)))
    )


def test_entities_in_plain_text_objects_are_shown_as_they_were_written() -> None:
    made = blocks_of(Card(r"R&D \&lt;b> \&amp;"))
    assert block_lines(made[0]) == ["*R&D &lt;b> &amp;*"]
