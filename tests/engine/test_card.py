"""Cards and forms: values that a row keeps and that every platform can draw."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.card import (
    Button,
    Buttons,
    Card,
    Choice,
    Field,
    Fields,
    Form,
    Paragraph,
    Words,
    buttons_of,
    from_json,
    rendered,
    rendered_form,
    to_json,
    to_text,
)
from bot.message import User
from bot.texts import Text

STRINGS = st.text()
CARDS = st.builds(
    Card,
    title=st.none() | STRINGS,
    blocks=st.lists(
        st.builds(Paragraph, STRINGS, st.booleans())
        | st.builds(Fields, st.lists(st.tuples(STRINGS, STRINGS)).map(tuple))
        | st.builds(
            Buttons,
            st.lists(st.builds(Button, STRINGS, STRINGS, STRINGS, st.sampled_from(["plain", "primary", "danger"]))).map(
                tuple
            ),
        )
    ).map(tuple),
    notify=st.none() | st.builds(User, STRINGS, STRINGS),
)
TWO_ROWS = Card(
    "Titre",
    (
        Paragraph("ligne un\nligne deux", quote=True),
        Buttons((Button("Prendre", "prendre"), Button("Clore", "clore"))),
        Paragraph("entre"),
        Fields((("De", "Metz"), ("État", "En attente"))),
        Buttons((Button("Aide", "aide"),)),
    ),
)


@given(CARDS)
def test_a_row_gives_a_card_back_as_it_was(card: Card) -> None:
    assert from_json(to_json(card)) == card


def test_a_row_that_nobody_wrote_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such block"):
        from_json('{"b":[["x","?"]]}')


def test_a_card_can_always_be_drawn_as_text() -> None:
    assert to_text(TWO_ROWS) == (
        "**Titre**\n\n> ligne un\n> ligne deux\n\n1. Prendre\n2. Clore\n\nentre\n\nDe : Metz  \nÉtat : En attente  \n\n3. Aide"
    )


@given(CARDS)
def test_buttons_are_numbered_over_the_whole_card(card: Card) -> None:
    drawn = to_text(card)
    for number, button in enumerate(buttons_of(card), 1):
        assert f"{number}. {button.label}" in drawn


def upper(words: Words) -> str:
    return (words.key if isinstance(words, Text) else words).upper()


def test_every_word_of_a_card_is_rendered_and_nothing_else_changes() -> None:
    card = Card(
        Text.of("t"),
        (
            Paragraph(Text.of("p"), quote=True, theirs=True),
            Fields(((Text.of("k"), "v"),)),
            Buttons((Button(Text.of("l"), "prendre", "q-1", "danger"),)),
        ),
        User("p", "u"),
    )
    assert rendered(card, upper) == Card(
        "T",
        (
            Paragraph("P", quote=True, theirs=True),
            Fields((("K", "V"),)),
            Buttons((Button("L", "prendre", "q-1", "danger"),)),
        ),
        User("p", "u"),
    )
    assert rendered(Card(), upper) == Card()


def test_every_word_of_a_form_is_rendered_and_no_value() -> None:
    form = Form(
        command="langue",
        title=Text.of("t"),
        submit="ok",
        line="x",
        intro=Text.of("i"),
        fields=(
            Field("langue", Text.of("l"), "choice", "fr", Text.of("h"), (Choice("fr", Text.of("choice")),)),
            Field("bare", "b"),
        ),
    )
    found = rendered_form(form, upper)
    assert (found.title, found.submit, found.intro, found.line) == ("T", "OK", "I", "x")
    assert found.fields == (
        Field("langue", "L", "choice", "fr", "H", (Choice("fr", "CHOICE"),)),
        Field("bare", "B"),
    )
    assert rendered_form(Form("c", "t", "s", ()), upper).intro is None
