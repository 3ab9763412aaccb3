"""The rules that come before any score, in their order.

Danger to life is answered at once (product, § 2). Asylum never reaches the State of origin (Geneva Convention of 1951;
CESEDA, art. L. 121-11: OFPRA). A consular pass for a removal is issued by the foreign consulate in France, and so is
the notice of a foreigner's arrest (Vienna Convention of 1963, art. 36). Judicial cooperation is the magistrates'. What
the police need within the hour at a border is the CCPD's. What a private person may do belongs to the public service's
own site.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from bot.routing import signals
from bot.routing.asker import Asker
from bot.routing.reading import Reading
from bot.routing.rules import FRANCE
from bot.routing.topics import Scores

Rule: TypeAlias = Literal["danger", "asylum", "removal_pass", "own_consulate", "justice", "operation", "citizen"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule that applies, and the words that call it; `violent`: danger that comes from people."""

    rule: Rule
    written: str
    violent: bool = False


_ACTIVITIES = frozenset({"formation", "mobilite", "deplacement_officiel"})
_PROJECTS = frozenset({"cooperation_transfrontaliere", "cooperation_decentralisee", "economie"})
_OF_POLICE = ("securite", "eloignement", "circulation_frontaliere", "crise")
_FIRST = 3
_OPENING = 2.5
_PROBABLE = 0.8
_CLEAR = 4.0
"""The weight in the lexicon from which words speak clearly for a topic."""


def guard(reading: Reading, scores: Scores, asker: Asker) -> Guard | None:
    """Return the first rule that comes before any score, or None."""
    return (
        _danger(reading)
        or _asylum(reading, scores)
        or _consulates(reading, scores, asker)
        or _justice(reading, scores)
        or _operation(reading, scores, asker)
        or _citizen(reading, scores, asker)
    )


def _found(rule: Rule, match: re.Match[str] | None, reading: Reading) -> Guard | None:
    if match is None:
        return None
    first = match.string.count(" ", 0, match.start()) - 1
    return Guard(rule, reading.said(first, first + len(match[0].split())))


def _danger(reading: Reading) -> Guard | None:
    spoken = reading.spoken
    if signals.NOT_NOW.search(spoken) or signals.ASYLUM.search(spoken):
        return None
    match = signals.DANGER.search(spoken)
    if match is None and not signals.UNHARMED.search(spoken):
        harmed = signals.HARMED.search(spoken)
        if harmed or signals.NOW.search(spoken):
            match = signals.EVENT.search(spoken)
        if match is None and harmed:
            match = signals.DISASTER.search(spoken)
    found = _found("danger", match, reading)
    return found and replace(found, violent=bool(signals.VIOLENCE.search(spoken)))


def _asylum(reading: Reading, scores: Scores) -> Guard | None:
    """Whatever else a case of asylum is about, it is not asked abroad; a visit or a training about asylum may be."""
    spoken, about = reading.spoken, scores.best
    match = signals.ASYLUM.search(spoken)
    if match is None or signals.PAST_REFUGE.search(spoken):
        return None
    person = signals.PERSON.search(spoken)
    if about in _ACTIVITIES or (about in _PROJECTS and not person) or _for_a_public(spoken, scores):
        return None
    return _found("asylum", match, reading)


def _for_a_public(spoken: str, scores: Scores) -> bool:
    """Whether a text begins with what is done, for many: « Formation à l'accueil des demandeurs d'asile »."""
    if signals.ONE_PERSON.search(spoken):
        return False
    activities = _ACTIVITIES | _PROJECTS
    return any(it.topic in activities and it.weight >= _OPENING and it.start < _FIRST for it in scores.evidence)


def _consulates(reading: Reading, scores: Scores, asker: Asker) -> Guard | None:
    """Tell the foreign consulate's pass and notice from what a French consulate does for the French."""
    spoken = reading.spoken
    french = signals.FRENCH.search(spoken)
    removal = signals.REMOVAL.search(spoken)
    pass_ = signals.PASS.search(spoken)
    if pass_ and not (french and not _detained(spoken)) and (removal or asker.side != "post"):
        return _found("removal_pass", pass_, reading)
    if removal:
        document = signals.DOCUMENT.search(spoken)
        foreign = any(name.foreign_post for name in reading.names)
        if document and asker.side != "post" and not french:
            return _found("removal_pass", document, reading)
        if foreign and scores.best == "eloignement":
            return _found("removal_pass", removal, reading)
    if asker.side == "post" or _french_person(reading):
        return None
    return _found("own_consulate", signals.NOTICE.search(spoken), reading) if _foreigner(reading) else None


def _detained(spoken: str) -> bool:
    return bool(re.search(r" (?:oqtf|irtf|eloign\w+|retention|cra|retenus?) ", spoken))


def _french_person(reading: Reading) -> bool:
    """Whether it is about somebody French; « touriste britannique » is not."""
    return bool(signals.FRENCH.search(reading.spoken)) and not (
        " touriste" in reading.spoken and not re.search(r" francais(?:es?)? ", reading.spoken) and _foreigner(reading)
    )


def _foreigner(reading: Reading) -> bool:
    return any(
        (name.demonym or name.senses[0].kind == "country") and name.senses[0].country not in {FRANCE, ""}
        for name in reading.names
    )


def _justice(reading: Reading, scores: Scores) -> Guard | None:
    if scores.best in _ACTIVITIES:
        return None
    spoken = reading.spoken
    match = signals.JUSTICE.search(spoken)
    if match is None and signals.CHILD.search(spoken) and signals.TAKEN_BY.search(spoken):
        match = signals.TAKEN.search(spoken)
    if match is not None:
        return _found("justice", match, reading)
    words = scores.strongest("entraide_judiciaire")
    probable = scores.best == "entraide_judiciaire" and scores.share("entraide_judiciaire") >= _PROBABLE
    if probable and words is not None and words.weight >= _CLEAR:
        return Guard("justice", words.written)
    return None


def _operation(reading: Reading, scores: Scores, asker: Asker) -> Guard | None:
    """Find what the police do now at a border, or a handover of people at its hour."""
    if asker.side != "prefecture" or not any(scores.weight(topic) > 0 for topic in _OF_POLICE):
        return None
    spoken = reading.spoken
    at_once = signals.AT_ONCE.search(spoken)
    match = signals.OPERATION.search(spoken) if at_once else None
    if match is None and (at_once or signals.HOUR.search(spoken)):
        match = signals.HANDOVER.search(spoken)
    return _found("operation", match, reading)


def _citizen(reading: Reading, scores: Scores, asker: Asker) -> Guard | None:
    match = signals.CITIZEN.search(reading.spoken)
    if match is None and asker.organisation is None and (scores.best != "autre" or scores.evidence):
        match = signals.OWN.search(reading.spoken)
    return _found("citizen", match, reading)
