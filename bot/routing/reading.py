"""What a text names: countries, places and territories, each with the words that say so.

Promised: the same findings whatever the case, the accents, the spaces and the punctuation. A name is dropped where it
is a language (« rédigé en allemand »), and a weak one (Nice, Maurice) where it is not used as a place. An ambiguous
name is settled by the rest of the text, by its article, or by its default; else it keeps its several senses.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bot.routing.cited import cited
from bot.routing.found import Found
from bot.routing.names import FRANCE, Name, Run, Sense
from bot.routing.phrases import Hit
from bot.routing.rules import Context, Rules
from bot.routing.spelling import Word, keys, words
from bot.routing.spelling import said as as_said

_TITLES = frozenset({"m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle", "mrs"})
_ARTICLES = frozenset({"la", "le", "les", "l"})
_FRENCH_CUES = frozenset({"departement", "prefecture", "sous"})
_AND = frozenset({"et", "ou", "and", "or", "et a", "ou a"})
_IN_BRACKETS = {"all": "DE", "allem": "DE", "d": "DE", "ch": "CH", "sui": "CH", "be": "BE", "it": "IT", "ital": "IT",
                "esp": "ES", "aut": "AT", "uk": "GB", "gb": "GB", "usa": "US", "can": "CA"}  # fmt: skip
"""What is written behind a town to tell its country: « Fribourg (All.) »."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of a text and the names found in it."""

    words: tuple[Word, ...]
    names: tuple[Found, ...]

    @property
    def spoken(self) -> str:
        """The words as they are compared, a space around each."""
        return f" {' '.join(word.key for word in self.words)} "

    def said(self, start: int, end: int) -> str:
        """Return the words of a stretch as they were written."""
        return as_said(self.words[start:end])

    @property
    def countries(self) -> tuple[str, ...]:
        """The countries named or clearly meant, every candidate of an open name; France left out.

        A cross-border body means one only by the names within its own: « Eurodistrict », but « franco-italien ».
        """
        codes = (sense.country for found in self.names for sense in found.senses if not found.silent)
        return tuple(dict.fromkeys(code for code in codes if code not in {FRANCE, ""}))

    @property
    def places(self) -> tuple[str, ...]:
        """The places named, in the spelling of the reference data."""
        named = (found.senses[0] for found in self.names if not found.open)
        return tuple(dict.fromkeys(sense.name for sense in named if sense.name))

    def places_in(self, country: str, meant: Sense | None) -> tuple[frozenset[Run], frozenset[Run]]:
        """Return the places named of a country (or of none) and those that hold them, as they are compared.

        A competence may be given for either. `meant` is the sense taken of a name that is still open.
        """
        senses = [
            sense
            for found in self.names
            for sense in found.senses
            if (not found.open or sense == meant) and sense.country in {country, ""}
        ]
        within = frozenset(keys(name) for sense in senses for name in sense.within)
        return frozenset(keys(sense.name) for sense in senses if sense.name) - within, within


def read(text: str, rules: Rules, *, french_only: bool = False, home: Collection[str] = ()) -> Reading:
    """Find what a text names.

    `french_only`: an open name that may lie in France does (a post asks a prefecture). `home`: the territories of who
    asks; an open name that may lie there does, when another country is named.
    """
    said = rules.mender.mend(words(text))
    spoken = [word.key for word in said]
    hits = (hit for hit in rules.names.find(spoken) if not _uncapitalized(hit, said, spoken, rules))
    found = [_found(hit, said, spoken, rules) for hit in _counted(hits, spoken, rules)]
    found = [name if not name.open else _narrowed(name, spoken, french_only=french_only) for name in found]
    settled = _settled(found, home)
    names = sorted((*settled, *cited(said, rules)), key=lambda name: name.start)
    return Reading(said, tuple(_told_apart(names)))


def _uncapitalized(hit: Hit[Name], said: Sequence[Word], spoken: Sequence[str], rules: Rules) -> bool:
    """Whether what only initials mean is not in capitals, or all of the text is: « us et coutumes », « il aura »."""
    if not _is(hit, spoken, rules, "initials"):
        return False
    return not said[hit.start].written.isupper() or all(word.written == word.written.upper() for word in said)


def _counted(hits: Iterable[Hit[Name]], spoken: Sequence[str], rules: Rules) -> Iterator[Hit[Name]]:
    """Yield the hits that count; a weak name does, too, that is joined to a place: « Portsmouth (Dominique) »."""
    before: Hit[Name] | None = None
    for hit in hits:
        between = " ".join(spoken[before.end : hit.start]) if before and not before.meaning.demonym else None
        country = any(sense.kind == "country" for sense in hit.meaning.senses)
        if _counts(hit, spoken, rules, joined=between in _AND or (between == "" and country)):
            yield hit
            before = hit


def _counts(hit: Hit[Name], spoken: Sequence[str], rules: Rules, *, joined: bool) -> bool:
    """Whether a name is one here: no language, no street or treaty, nobody's surname, a weak one used as a place."""
    if hit.start > 0 and spoken[hit.start - 1] in _TITLES:
        return False
    if _is(hit, spoken, rules, "everyday") and not _in(hit, spoken, rules, "named"):
        return False
    if _in(hit, spoken, rules, "elsewhere") or (hit.meaning.demonym and _in(hit, spoken, rules, "language")):
        return False
    return joined or not hit.meaning.weak or _as_place(hit, spoken, rules)


def _found(hit: Hit[Name], said: Sequence[Word], spoken: Sequence[str], rules: Rules) -> Found:
    written = as_said(said[hit.start : hit.end])
    name = hit.meaning
    senses = sorted(name.senses, key=lambda sense: sense.code != name.default) if name.default else name.senses
    city = any(sense.kind == "city" for sense in name.senses)
    foreign = not city and _in(hit, spoken, rules, "foreign_post")
    default = len(name.senses) > 1 and bool(name.default)
    silent = senses[0].kind == "body" and not any(
        sense.country == senses[0].country and sense.kind != "body"
        for within in rules.names.find(spoken[hit.start + 1 : hit.end])
        for sense in within.meaning.senses
    )
    return Found(
        hit.start,
        hit.end,
        written,
        tuple(senses),
        name.demonym,
        foreign_post=foreign,
        by_default=default,
        silent=silent,
    )


def _fits(context: Context, hit: Hit[Name], spoken: Sequence[str]) -> bool:
    before = tuple(spoken[max(0, hit.start - len(context.before)) : hit.start])
    return before == context.before and tuple(spoken[hit.end : hit.end + len(context.after)]) == context.after


def _is(hit: Hit[Name], spoken: Sequence[str], rules: Rules, listed: str) -> bool:
    name = tuple(spoken[hit.start : hit.end])
    return any(it.before == name for it in rules.contexts.get(listed, ()))


def _in(hit: Hit[Name], spoken: Sequence[str], rules: Rules, context: str) -> bool:
    return any(_fits(it, hit, spoken) for it in rules.contexts.get(context, ()))


def _as_place(hit: Hit[Name], spoken: Sequence[str], rules: Rules) -> bool:
    """Whether a weak name is used as a place; a country's or a département's may also follow its article."""
    if _in(hit, spoken, rules, "place"):
        return True
    land = any(sense.kind in {"country", "departement", "region"} for sense in hit.meaning.senses)
    after_article = hit.start > 0 and spoken[hit.start - 1] in _ARTICLES
    return land and (after_article or _in(hit, spoken, rules, "land"))


def _narrowed(name: Found, spoken: Sequence[str], *, french_only: bool) -> Found:
    """Settle an open name by what stands before it: « la Vienne » is the département, « à Vienne » a town."""
    french = tuple(sense for sense in name.senses if sense.country == FRANCE)
    beside = {key.upper() for key in (*spoken[max(0, name.start - 1) : name.start], *spoken[name.end : name.end + 1])}
    numbered = tuple(sense for sense in french if sense.territory in beside)
    if numbered:
        return replace(name, senses=numbered, by_default=False)
    told = {_IN_BRACKETS.get(key, "") for key in spoken[name.end : name.end + 1]}
    if len(meant := tuple(sense for sense in name.senses if sense.country in told)) == 1:
        return replace(name, senses=meant, by_default=False)
    before = spoken[max(0, name.start - 3) : name.start]
    if french and (french_only or _FRENCH_CUES.intersection(before)):
        name = replace(name, senses=french, by_default=name.by_default and name.senses[0] in french)
    lands = tuple(sense for sense in name.senses if sense.kind == "departement")
    towns = [sense for sense in name.senses if sense.kind == "city"]
    if lands and towns and len(lands) + len(towns) == len(name.senses):
        return replace(name, senses=lands if _ARTICLES.intersection(before[-1:]) else tuple(towns), by_default=False)
    return name


def _settled(found: Iterable[Found], home: Collection[str]) -> list[Found]:
    """Settle each open name by a candidate that is named elsewhere, else by who asks, else by its default."""
    found = list(found)
    sure = {sense.code for name in found if not name.open for sense in name.senses}
    abroad = any(not code.startswith(FRANCE) for code in sure)
    sure -= {f"{FRANCE}-{territory}" for territory in home}  # who asks names their own territory without meaning it
    return [_settle(name, sure, home, abroad=abroad) for name in found]


def _settle(name: Found, sure: set[str], home: Collection[str], *, abroad: bool) -> Found:
    if not name.open:
        return name
    across = tuple(sense for sense in name.senses if sense.country != FRANCE and sense.territory in home)
    own = {f"{FRANCE}-{territory}" for territory in home if abroad}
    for likely in (sure, own):
        named = tuple(sense for sense in name.senses if sense.code in likely)
        if len(named) == 1:
            return replace(name, senses=named, by_default=False)
    if len(across) == 1:
        return replace(name, senses=across, by_default=False)
    return replace(name, senses=name.senses[:1], others=name.senses[1:]) if name.by_default else name


def _told_apart(found: Sequence[Found]) -> Iterator[Found]:
    """Leave out a town that the country named behind it tells is another: « Portsmouth (Dominique) »."""
    for name, after in pairwise((*found, None)):
        if name and after and after.start == name.end and not (after.demonym or name.demonym or after.open):
            land, codes = after.senses[0], {sense.country for sense in name.senses}
            town = all(sense.kind == "city" for sense in name.senses)
            if town and land.kind in {"country", "region"} and land.country not in codes | {FRANCE}:
                continue
        if name:
            yield name
