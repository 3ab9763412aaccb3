"""The rules that come before any score, in their order.

Danger to life is answered at once (product, § 2). Asylum never reaches the State of origin (Geneva Convention of 1951;
CESEDA, art. L. 121-11: OFPRA). A consular pass for a removal is issued by the foreign consulate in France, and so is
the notice of a foreigner's arrest (Vienna Convention of 1963, art. 36). Judicial cooperation is the magistrates'. What
a private person may do belongs to the public service's own site.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.routing.asker import Asker
from bot.routing.reading import Reading
from bot.routing.signals import CITIZEN, DANGER, EVENT, FRENCH, NOT_NOW, NOTICE, NOW, PASS, PERSON, REMOVAL
from bot.routing.topics import Scores

Rule: TypeAlias = Literal["danger", "asylum", "removal_pass", "own_consulate", "justice", "citizen"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule that applies, and the words that call it."""

    rule: Rule
    written: str


_ACTIVITIES = frozenset({"formation", "mobilite", "deplacement_officiel"})
_PROJECTS = frozenset({"cooperation_transfrontaliere", "cooperation_decentralisee", "economie"})
_SURE = 2.5
"""The weight from which words speak clearly for a topic: « réfugié », « asile »."""


def guard(reading: Reading, scores: Scores, asker: Asker) -> Guard | None:
    """Return the first rule that comes before any score, or None."""
    return (
        _danger(reading, scores)
        or _asylum(reading.spoken, scores)
        or _consulates(reading, scores, asker)
        or _justice(scores)
        or _found("citizen", CITIZEN.search(reading.spoken), reading)
    )


def _found(rule: Rule, match: re.Match[str] | None, reading: Reading) -> Guard | None:
    if match is None:
        return None
    first = match.string.count(" ", 0, match.start() + 1) - 1
    return Guard(rule, " ".join(word.written for word in reading.words[first : first + len(match[0].split())]))


def _danger(reading: Reading, scores: Scores) -> Guard | None:
    spoken = reading.spoken
    if NOT_NOW.search(spoken) or scores.weight("asile") >= _SURE:
        return None
    match = DANGER.search(spoken)
    if match is None and NOW.search(spoken):
        match = EVENT.search(spoken)
    return _found("danger", match, reading)


def _asylum(spoken: str, scores: Scores) -> Guard | None:
    """Whatever else a case of asylum is about, it is not asked abroad; a visit or a training about asylum may be."""
    about = scores.best
    if scores.weight("asile") < _SURE or about in _ACTIVITIES or (about in _PROJECTS and not PERSON.search(spoken)):
        return None
    words = scores.strongest("asile")
    return Guard("asylum", words.written if words else "asile")


def _consulates(reading: Reading, scores: Scores, asker: Asker) -> Guard | None:
    """Tell the foreign consulate's pass and notice from what a French consulate does for the French."""
    spoken = reading.spoken
    pass_ = PASS.search(spoken)
    removal = REMOVAL.search(spoken)
    if pass_ and (removal or (asker.side != "post" and not FRENCH.search(spoken))):
        return _found("removal_pass", pass_, reading)
    foreign = any(name.foreign_post for name in reading.names)
    if removal and foreign and scores.best == "eloignement":
        return _found("removal_pass", removal, reading)
    if asker.side == "post" or FRENCH.search(spoken):
        return None
    return _found("own_consulate", NOTICE.search(spoken), reading)


def _justice(scores: Scores) -> Guard | None:
    words = scores.strongest("entraide_judiciaire")
    if scores.best != "entraide_judiciaire" or words is None or words.weight < _SURE:
        return None
    return Guard("justice", words.written)
