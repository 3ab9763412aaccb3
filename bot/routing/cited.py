"""Names that are not words: départements by their number, countries by the three letters that passports bear."""

from collections.abc import Iterator, Sequence

from bot.routing.found import Found
from bot.routing.names import FRANCE, Sense
from bot.routing.rules import Rules
from bot.routing.spelling import Word

_NUMBERED = frozenset({"departement", "dept", "dpt", "prefecture", "pref"})
_LETTERED = frozenset(
    "nationalite nat ressortissant ressortissante ressortissants ressortissantes ressort passeport passeports pays "
    "origine national nationals citizen citizens passport passports sujet sujets usager usagere".split()
)
"""What stands before a country's letters: alone, MAR or COM are words of every day."""


def cited(said: Sequence[Word], rules: Rules) -> Iterator[Found]:
    """Yield départements by their number (« département 67 », « dans le 67 ») and countries by their letters."""
    shouted = all(word.written == word.written.upper() for word in said)
    for at, word in enumerate(said[1:], start=1):
        before, code = said[at - 1].key, word.key.upper()
        inside = at > 1 and before == "le" and said[at - 2].key == "dans"
        if code in rules.territories and (inside or before in _NUMBERED):
            sense = Sense(FRANCE, "departement", rules.territories[code], territory=code)
            yield Found(at, at + 1, word.written, (sense,))
        elif code in rules.letters and before in _LETTERED and word.written == code and not shouted:
            yield Found(at, at + 1, word.written, (Sense(rules.letters[code], "country"),))
