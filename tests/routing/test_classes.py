"""Words of one class are known alike, whichever word was used."""

import pytest

from bot.routing.classes import Classes
from bot.routing.spelling import words

CLASSES = Classes({"goods": "lithium vin*", "death": "urne cercueil*", "vote": "urne"})


@pytest.mark.parametrize(
    ("word", "classes"),
    [
        ("Lithium", ("<goods>",)),
        ("viticole", ()),
        ("VINS", ("<goods>",)),
        ("vinicole", ("<goods>",)),
        ("urnes", ("<death>", "<vote>")),
        ("cercueils", ("<death>",)),
    ],
)
def test_a_word_has_its_classes(word: str, classes: tuple[str, ...]) -> None:
    (found,) = words(word)
    assert CLASSES.of(found) == classes


@pytest.mark.parametrize("listed", ["d'offres", "vi*", "*", "beau-père"])
def test_what_is_not_one_word_is_refused(listed: str) -> None:
    with pytest.raises(ValueError, match=r"classes\.toml"):
        Classes({"trade": listed})
