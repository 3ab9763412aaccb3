"""Who is in charge, when a look-up asks for a topic: routing answers, on what the asker may see of the directory."""

from collections.abc import Iterator, Sequence
from datetime import date

from bot.directory.identity import Actor
from bot.directory.snapshot import Snapshot
from bot.directory.visibility import seen_by
from bot.routing.asker import who
from bot.routing.decide import route
from bot.routing.model import Question, Recipient
from bot.routing.names import FRANCE
from bot.routing.reading import Reading, read
from bot.routing.register import register
from bot.routing.rules import Rules
from bot.routing.spelling import keys
from bot.routing.topics import score
from bot.search.words import Lexicon, code


def in_charge(
    text: str, lexicon: Lexicon, rules: Rules, directory: Snapshot, actor: Actor, on: date
) -> tuple[Recipient, ...]:
    """Return who is in charge of what a text asks, best first; nobody unless all of it names a topic and places.

    Words that say which kind of office is thought of may stand beside: « service visa consulat tunis ». A question goes
    to the other side; a look-up says who is in charge of a place, whoever asks.
    """
    reading = read(text, rules)
    evidence = score(reading, rules).evidence
    topic, places = (
        {reading.words[at].key for it in found for at in range(it.start, it.end)} for found in (evidence, reading.names)
    )
    typed = lexicon.tokens(text)
    telling = lexicon.telling(typed)
    if not topic or not (topic | places).issuperset(typed if topic.isdisjoint(telling) else telling):
        return ()
    seen = seen_by(directory, actor)
    assignment = route(Question(text, asker=_asker(reading, actor, seen)), rules, seen, on)
    back = assignment.question_back.choices if assignment.question_back else ()
    found = (assignment.recipient, *(choice.recipient for choice in back))
    return tuple(dict.fromkeys(recipient for recipient in found if recipient is not None))


def _asker(reading: Reading, actor: Actor, directory: Snapshot) -> str | None:
    """Return who asks where that matters: no place is named, or the border of a prefecture may be meant."""
    abroad = any(sense.country not in {FRANCE, ""} for name in reading.names for sense in name.senses)
    beside = abroad and who(actor.organisation, register(directory)).side == "prefecture"
    return actor.organisation if beside or not reading.names else None


def wider(text: str, lexicon: Lexicon, rules: Rules) -> Iterator[tuple[str, ...]]:
    """Yield words in which a country's name is mended, or a foreign place replaced by its region, then its country."""
    tokens = lexicon.tokens(text)
    mended = lexicon.countries_in(tokens)
    if mended != tokens:
        yield mended
    reading = read(lexicon.places_in(text), rules)
    meant = lexicon.tokens(lexicon.places_in(text))
    for level in (0, 1):
        found = tuple(dict.fromkeys(_widened(reading, meant, level)))
        if found != meant:
            yield found


def _widened(reading: Reading, tokens: Sequence[str], level: int) -> Iterator[str]:
    instead: dict[str, tuple[str, ...]] = {}
    for name in reading.names:
        sense = name.senses[0]
        if name.open or name.demonym or sense.country in {FRANCE, ""} or sense.kind == "country":
            continue
        holders = [keys(within) for within in sense.within]
        outer = holders[0] if holders and not level else (code(sense.country),)
        instead |= {word.key: outer for word in reading.words[name.start : name.end]}
    for token in tokens:
        yield from instead.get(token, (token,))
