"""The rules that come before any score, in their order; each is a combination of the families of `guards.toml`.

Danger to life is answered at once (product, § 2). Asylum never reaches the State of origin (Geneva Convention of 1951;
CESEDA, art. L. 121-11: OFPRA). A consular pass for a removal is issued by the foreign consulate in France, and so is
the notice of a foreigner's arrest (Vienna Convention of 1963, art. 36). Judicial cooperation is the magistrates'. What
the police need within the hour at a border is the CCPD's. What a private person may do belongs to the public service's
own site.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.routing.asker import Asker
from bot.routing.concepts import Concepts, Said
from bot.routing.danger import danger
from bot.routing.found import Found
from bot.routing.names import FRANCE
from bot.routing.reading import Reading
from bot.routing.rules import NAMED, Rules
from bot.routing.spelling import keys
from bot.routing.topics import Scores

Rule: TypeAlias = Literal["danger", "asylum", "removal_pass", "own_consulate", "justice", "operation", "citizen"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule that applies, and the words that call it.

    `violent`: danger that comes from people. `discreet`: it is about somebody who asks for asylum, and goes to no post.
    """

    rule: Rule
    written: str
    violent: bool = False
    discreet: bool = False


_OF_TOPIC: dict[str, Rule] = {"asile": "asylum", "entraide_judiciaire": "justice", "eloignement": "removal_pass"}
_FRENCH_PEOPLE = re.compile(r"(?:ais|ois|ain|ien|éen|in|ard|ot|iot|ate|and)(?:n?es?|s|e)?$")


def guard(reading: Reading, scores: Scores, asker: Asker, rules: Rules) -> Guard | None:
    """Return the first rule that comes before any score, or None."""
    said = rules.guards.find(reading.words, _names(reading))
    feared = _feared(said)
    if (found := danger(said)) and not (feared and said.said("origin")) and not _told_afterwards(said, asker):
        written = reading.said(found.start, found.end)
        return Guard("danger", written, bool(said.said("violence")), bool(feared or _asylum(said)))
    checks: tuple[tuple[Rule, Said | None], ...] = (
        ("asylum", feared or _asylum(said)),
        ("removal_pass", _removal_pass(said, asker)),
        ("own_consulate", _own_consulate(said, asker)),
        ("justice", _justice(said, scores)),
        ("operation", _operation(said, asker)),
        ("citizen", _citizen(said, asker)),
    )
    called = next((Guard(rule, reading.said(it.start, it.end)) for rule, it in checks if it), None)
    return called or _probable(said, reading, scores, rules)


FEW = 8
"""Words; fewer tell too little for a rule whose own words are missing."""


def _probable(said: Concepts, reading: Reading, scores: Scores, rules: Rules) -> Guard | None:
    """Return the rule of a topic that goes to nobody, where no words call it but it most probably is that topic."""
    topic, share = scores.ranked[0]
    margin = rules.confidence.rule
    rule = _OF_TOPIC.get(topic)
    if rule is None or share < margin or len(reading.words) < FEW or not _case(said):
        return None
    if rule == "removal_pass":
        needed = said.mentioned("document", "consul") and said.said("abroad") and not said.said("figures")
        excepted = not needed or said.said("french", "not_removal", "other_pass", "ceremony")
    else:
        excepted = said.said("not_asylum", "old_refuge", "not_justice")
    return None if excepted else Guard(rule, _telling(reading, scores, topic, rules))


def _telling(reading: Reading, scores: Scores, topic: str, rules: Rules) -> str:
    """Return the words that say a topic most: the lexicon's, else the word that weighs most of those learnt."""
    if words := scores.strongest(topic):
        return words.written
    stems = {word.stem: word.written for word in reading.words}
    learnt = (feature for feature, weight in rules.model.weighed(scores.features, topic) if weight > 0)
    return next((stems[feature] for feature in learnt if feature in stems), reading.said(0, 1))


def _names(reading: Reading) -> dict[str, list[Said]]:
    """Return the names that were read, as families."""
    found: dict[str, list[Said]] = {kind: [] for kind in NAMED}
    for name in reading.names:
        for kind in _kinds(name):
            found[kind].append(Said(name.start, name.end))
    return found


def _kinds(name: Found) -> Iterator[str]:
    countries = {sense.country for sense in name.senses}
    if FRANCE not in countries and countries != {""}:
        yield "abroad"
        if name.demonym:
            yield "foreigner"
        if name.foreign_post:
            yield "their_post"
    elif FRANCE in countries:
        own = keys(name.written) == keys(name.senses[0].name)
        yield "frenchman" if not own and _FRENCH_PEOPLE.search(name.written.lower()) else "place"


def _case(said: Concepts) -> bool:
    """Whether it is about somebody, or about nothing that is only a subject: statistics, a visit, a training."""
    return not said.said("about", "activity") or bool(said.said("one"))


def _feared(said: Concepts) -> Said | None:
    """Whoever fears their own State or what awaits them there, whether or not they have asked for asylum."""
    if said.said("french"):
        return None
    return said.said("fled") or said.near(("fear",), ("origin",), 8) or said.said("kept_from")


def _asylum(said: Concepts) -> Said | None:
    """Whatever else a case of asylum is about, it is not asked abroad; a visit or a training about asylum may be."""
    found = None if said.said("old_refuge") else said.apart(("asylum",), ("not_asylum",))
    known = _case(said) or said.said("resettled") or (said.said("consul") and said.said("verify"))
    return found if known else None


def _removal_pass(said: Concepts, asker: Asker) -> Said | None:
    """Tell the foreign consulate's pass from what the French are given, and from removals as a subject."""
    removed = said.apart(("removal",), ("not_removal",), denied=True)
    if said.said("other_pass") or (said.said("french") and not said.said("foreigner")):
        return None
    if said.said("figures") and not said.said("one", "foreigner"):
        return None
    for_the_french = asker.side == "post" or (said.said("lost", "french") and not removed)
    pass_ = said.mentioned("pass") or (said.mentioned("plain_pass") if removed or said.said("one") else None)
    if pass_ or for_the_french:
        return pass_ if removed or not for_the_french else None
    hearing = said.said("hearing")
    if hearing and not said.said("french_post"):
        return hearing
    if removed is None or not _case(said):
        return None
    if said.said("lost") and not said.said("foreigner"):
        return None
    foreign = said.apart(("consul",), ("french_post",), denied=True)
    return removed if foreign or said.mentioned("document") else None


def _own_consulate(said: Concepts, asker: Asker) -> Said | None:
    """A foreigner in France whose consulate is to be told of an arrest, a death, a child alone."""
    if asker.side == "post" or said.said("french") or not said.said("abroad"):
        return None
    own = said.near(("notify", "trouble"), ("own_consulate",), 12) or said.said("notice")
    if said.said("foreigner"):
        own = own or said.said("found_papers")
    if said.said("trouble"):
        own = own or said.near(("notify", "trouble"), ("their_post",), 8)
        own = own or (said.said("alone") if said.said("foreigner") else None)
    if own or not (said.said("foreigner") and said.said("trouble")) or said.said("french_post"):
        return own
    return said.near(("notify",), ("mission",), 4)


def _told_afterwards(said: Concepts, asker: Asker) -> bool:
    """Whether only a foreigner's consulate is still to hear of it: « mort dans un accident, prévenir son consulat »."""
    return bool(_own_consulate(said, asker)) and not said.said("now", "urgent", "dying")


def _justice(said: Concepts, scores: Scores) -> Said | None:
    """Whatever a court, a prosecutor or a sentence asks across the border; not a visit to a court."""
    if not _case(said) and (scores.best != "entraide_judiciaire" or said.said("activity")):
        return None
    if found := said.apart(("justice",), ("not_justice",)):
        return found
    if said.said("not_justice"):
        return None
    if found := said.near(("prisoner",), ("moved",), 8):
        return found
    ruling = said.said("ruling") or said.near(("sentence",), ("enforced",), 10)
    if said.said("record"):
        ruling = None
    return ruling or said.near(("judge",), ("proceeding",), 10) or _taken(said)


def _taken(said: Concepts) -> Said | None:
    """A child taken abroad, or kept there, by a parent: said in many ways, so the three are looked for apart."""
    return said.near(("taken",), ("child",), 8) if said.said("parent") else None


def _operation(said: Concepts, asker: Asker) -> Said | None:
    """Find what the police do now at a border, or a handover of people at its hour."""
    if asker.side != "prefecture" or not _case(said):
        return None
    at_once = said.said("at_once")
    handover = said.apart(("handover",), ("ceremony",), denied=True)
    refused = said.apart(("refused",), ("handover",))
    if handover and (at_once or refused or said.said("hour")):
        return handover
    return said.said("pursuit") or (said.said("operation") if at_once else None)


def _citizen(said: Concepts, asker: Asker) -> Said | None:
    """A private person's own affair; of somebody whose organisation is not known, the first person says it."""
    professional = {it.start for it in said.all("office")}
    own = [it for it in said.all("owner") if it.end not in professional]
    if asker.organisation is None:
        return said.said("citizen", "self") or next(iter(own), None)
    return None if said.said("official_paper", "quoting") else said.said("citizen")
