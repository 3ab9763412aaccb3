"""The bot's cards as Matrix messages."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.card import Button, Buttons, Card, Fields, Paragraph
from bot.message import User
from bot.platforms.matrix import drawing

CARD = Card(
    title="Question Q-2026-00042",
    blocks=(
        Paragraph("Un *acte* de naissance ?"),
        Paragraph("dit\nen deux lignes", quote=True),
        Fields((("Échéance", "mardi"), ("Pour", "Munich"))),
        Buttons((Button("Prendre", "prendre"), Button("Répondre", "repondre"))),
        Paragraph("Ou bien :"),
        Buttons((Button("Clore", "clore"),)),
    ),
)


def test_a_card_is_html_of_our_own() -> None:
    assert drawing.drawn(CARD).split("\n") == [
        "<p><strong>Question Q-2026-00042</strong></p>",
        "<p>Un <em>acte</em> de naissance ?</p>",
        "<blockquote><p>dit<br />",
        "en deux lignes</p></blockquote>",
        "<p><strong>Échéance</strong> : mardi<br><strong>Pour</strong> : Munich</p>",
        "<ol><li>Prendre</li><li>Répondre</li></ol>",
        "<p>Ou bien :</p>",
        '<ol start="3"><li>Clore</li></ol>',
    ]


def test_the_body_says_the_same_without_html() -> None:
    assert drawing.plain(CARD).split("\n\n") == [
        "Question Q-2026-00042",
        "Un acte de naissance ?",
        "> dit\n> en deux lignes",
        "Échéance : mardi\nPour : Munich",
        "1. Prendre\n2. Répondre",
        "Ou bien :",
        "3. Clore",
    ]


def test_plain_text_of_lists_quotes_links_and_code() -> None:
    markdown = "- a\n- b\n  1. c\n\n> [ici](https://a.fr)\n\n[https://b.fr](https://b.fr)\n\n```\nx = 1\n```\n\n---"
    assert drawing.to_plain(markdown) == ("- a\n- b\n  1. c\n\n> ici (https://a.fr)\n\nhttps://b.fr\n\nx = 1\n\n---")


def test_an_unfinished_fence_swallows_nothing_that_follows() -> None:
    card = Card(blocks=(Paragraph("```\nouvert"), Buttons((Button("Clore", "clore"),))))
    assert "<ol><li>Clore</li></ol>" in drawing.drawn(card)


def test_images_and_odd_links_are_not_drawn() -> None:
    html = drawing.drawn(
        Card(blocks=(Paragraph("![x](https://espion.fr/a.png) [y](file:///etc) [z](data:text/html,a)"),))
    )
    assert "<img" not in html
    assert html.count("<a ") == 1  # what was the image's address, to click on


def test_m_mentions_is_always_sent_and_rings_nobody_but_the_addressee() -> None:
    everyone = Card(blocks=(Paragraph("@room attention"),))
    assert drawing.message(everyone, "k")["m.mentions"] == {}
    called = Card(blocks=(Paragraph("x"),), notify=User("matrix", "@claire:a.fr"))
    assert drawing.message(called, "k")["m.mentions"] == {"user_ids": ["@claire:a.fr"]}
    assert drawing.message(Card(notify=User("slack", "U1")), "k")["m.mentions"] == {}
    rewritten = drawing.edit(called, "k", "$e")
    assert rewritten["m.mentions"] == {}
    assert rewritten["m.new_content"]["m.mentions"] == {"user_ids": ["@claire:a.fr"]}


def size(content: object) -> int:
    return len(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


@settings(deadline=None, max_examples=12)
@given(st.sampled_from(["a", "é", "<", '"', "\n\n", "😀", "*a* "]), st.integers(1, 70_000))
def test_every_content_fits_what_a_homeserver_takes(unit: str, times: int) -> None:
    card = Card(title="Réponse", blocks=(Paragraph(unit * (times // len(unit) + 1)),))
    content = drawing.message(card, "k")
    assert size(content) <= drawing.LIMIT
    assert size(drawing.edit(card, "k", "$e")) <= drawing.LIMIT
    assert content["body"].startswith("Réponse")


def test_what_is_a_little_too_long_loses_its_html_before_its_words() -> None:
    text = "mot " * 6_000
    content = drawing.message(Card(blocks=(Paragraph(text),)), "k")
    assert "formatted_body" not in content
    assert content["body"] == text.strip()
