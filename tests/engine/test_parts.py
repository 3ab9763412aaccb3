"""Long cards in parts: every part fits everywhere, nothing is lost, the buttons stand on the last."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bot.card import Button, Buttons, Card, Fields, Paragraph, buttons_of
from bot.message import User
from bot.parts import BLOCKS, BUTTONS, FIELD, FIELDS, LABEL, PART, TITLE, cut, pieces, split, weight

# Slack, docs.slack.dev, Block Kit: what a message may hold at most.
SECTION, FIELD_LIMIT, BUTTON, BLOCK_LIMIT = 3000, 2000, 75, 50

WORDS = st.text(st.sampled_from("aé&<> \n\t\u00a0…🙂"), max_size=60)
LONG = st.builds(lambda words, times: words * times, WORDS, st.integers(1, 200))
PAIRS = st.lists(st.tuples(LONG, LONG), max_size=25).map(tuple)
ROWS = st.lists(st.builds(Button, label=LONG, command=st.just("aide")), max_size=BUTTONS).map(tuple)
BLOCK = st.builds(Paragraph, LONG, st.booleans()) | st.builds(Fields, PAIRS) | st.builds(Buttons, ROWS)
CARDS = st.builds(Card, st.none() | LONG, st.lists(BLOCK, max_size=8).map(tuple), st.none() | st.just(User("p", "u")))


def letters(card: Card) -> str:
    """What all paragraphs say, without the spaces at which they may be cut."""
    return re.sub(r"\s", "", "".join(str(b.text) for b in card.blocks if isinstance(b, Paragraph)))


@given(CARDS)
@example(Card(None, (Paragraph("a" + "\t" * 3 * PART + "b"),)))
@example(Card(None, (Paragraph("\t" * 2 * PART),)))
@example(Card(None, (Paragraph("\n" * 2 * PART + "x"),)))
@example(Card(None, tuple(Paragraph("x") for _ in range(120))))
@example(Card(None, (Fields(tuple(("k" * 100, "v" * 3000) for _ in range(25))),)))
@example(Card(None, (Paragraph("&" * PART),)))
@example(Card(None, (Paragraph("…" * 2 * PART),)))
def test_every_part_of_any_card_fits(card: Card) -> None:
    for part in split(card):
        assert weight(str(part.title or "")) <= TITLE
        assert len(part.blocks) <= BLOCKS + len([b for b in card.blocks if isinstance(b, Buttons)]) < BLOCK_LIMIT
        assert sum(weight(str(b.text)) for b in part.blocks if isinstance(b, Paragraph)) <= PART < SECTION
        for block in part.blocks:
            match block:
                case Fields(pairs):
                    assert len(pairs) <= FIELDS
                    assert all(weight(str(k)) <= LABEL and weight(str(v)) <= FIELD < FIELD_LIMIT for k, v in pairs)
                case Buttons(buttons):
                    assert all(weight(str(b.label)) <= LABEL < BUTTON for b in buttons)
                case Paragraph():
                    pass


@given(CARDS)
def test_no_word_of_a_paragraph_is_lost(card: Card) -> None:
    assert "".join(letters(part) for part in split(card)) == letters(card)


@given(CARDS)
def test_every_field_is_there_and_in_order(card: Card) -> None:
    def names(parts: tuple[Card, ...]) -> list[str]:
        found = [str(k) for part in parts for b in part.blocks if isinstance(b, Fields) for k, _ in b.pairs]
        return [cut(name, LABEL) for name in found]

    assert names(split(card)) == names((card,))


@given(CARDS)
def test_buttons_stand_on_the_last_part_and_title_and_call_on_the_first(card: Card) -> None:
    first, *rest = split(card)
    assert (first.title is None) == (card.title is None)
    assert first.notify == card.notify
    assert all(part.title is None and part.notify is None for part in rest)
    *before, last = first, *rest
    assert [b.command for b in buttons_of(last)] == [b.command for b in buttons_of(card)]
    assert all(buttons_of(part) == () for part in before)


@given(CARDS)
def test_a_part_is_never_empty_unless_the_card_is(card: Card) -> None:
    if any(b for b in card.blocks):
        assert all(part.blocks or part.title is not None for part in split(card)[1:])


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert weight(short) <= limit or (limit == 1 and short == "…")
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@given(LONG, st.integers(6, 400))
def test_pieces_hold_every_letter(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert re.sub(r"\s", "", "".join(found)) == re.sub(r"\s", "", text)
    assert all(weight(piece) <= limit for piece in found)


def test_a_text_is_cut_where_it_reads_best() -> None:
    assert pieces("Premier paragraphe.\n\nUn autre.", 26) == ["Premier paragraphe.", "Un autre."]
    assert pieces("Un deux trois.\nQuatre cinq.", 20) == ["Un deux trois.", "Quatre cinq."]
    assert pieces("Un deux trois quatre.", 16) == ["Un deux trois", "quatre."]
    assert pieces("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]
    assert pieces("", 10) == [""]


def test_a_short_card_stays_as_it_is() -> None:
    card = Card("Titre", (Paragraph("Texte"), Fields((("a", "b"),)), Buttons((Button("Aide", "aide"),))))
    assert split(card) == (card,)
