"""The decision: hard rules first, then who is in charge; a tie or an open name is asked back, never guessed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bot.directory.snapshot import Snapshot
from bot.routing import wording
from bot.routing.addressed import addressed
from bot.routing.answers import Case, Option, across, near, neighbours, options
from bot.routing.asker import POSTS, adviser, who
from bot.routing.competence import InCharge
from bot.routing.deputies import standing_in
from bot.routing.guards import Guard, Rule, guard
from bot.routing.marks import marked
from bot.routing.meaning import direction, territories
from bot.routing.model import CHOICES, AdviceTo, Assignment, Choice, Question, QuestionBack, Recipient
from bot.routing.names import FRANCE
from bot.routing.reading import read
from bot.routing.register import register
from bot.routing.rules import Rules
from bot.routing.sureness import leads, organisations_of, shown
from bot.routing.topics import OTHER, score
from bot.texts import Text

_NATIONAL = frozenset(
    {"formation", "mobilite", "cooperation_decentralisee", "cooperation_transfrontaliere", "securite", "crise"}
)
"""Topics that a ministry answers when a post names no territory; anything else belongs to a prefecture, to be named."""

_RULES: dict[Rule, tuple[str, AdviceTo]] = {
    "asylum": ("asile", "ofpra"),
    "removal_pass": ("eloignement", "foreign_consulate"),
    "own_consulate": ("protection_consulaire", "foreign_consulate"),
    "justice": ("entraide_judiciaire", "justice"),
    "operation": ("", "ccpd"),
}
RIVAL = 0.1
"""Where even « something else » is less probable than this, something was said."""
_UNSURE = 0.2
"""How sure it is where nothing was found that answers."""
_BY_RULE = 0.9
"""A hard rule is sure, but for the words that called it."""


def route(question: Question, rules: Rules, directory: Snapshot, on: date) -> Assignment:
    """Return where a question goes and why: the same answer for the same question, rules, directory and day."""
    if marked(question.text):
        return Assignment("refuse", confidence=1.0, because=(wording.MARKED,))
    case = understood(question, rules, directory, on)
    ruled = guard(case.reading, case.scores, case.asker, rules)
    if ruled and ruled.rule == "danger":
        return _danger(case, ruled)
    if ruled and ruled.rule == "operation" and not _ccpd(case):
        return _assigned(case)
    return _advised(case, ruled) if ruled else _assigned(case)


def leading_to(question: Question, organisation: str, rules: Rules, directory: Snapshot, on: date) -> str | None:
    """Return the most probable topic for which an organisation is competent here, None when it is for none."""
    case = understood(question, rules, directory, on)
    for topic, _ in case.scores.ranked:
        if organisation in organisations_of(options(case, (topic,))):
            return topic
    return None


def understood(question: Question, rules: Rules, directory: Snapshot, on: date) -> Case:
    """Return all that a decision on a question rests on."""
    known = register(directory)
    asker = who(question.asker, known)
    reading = read(question.text, rules, french_only=asker.side == "post", home=asker.territories)
    scores = score(reading, rules)
    called = addressed(reading, known, asker.id)
    return Case(rules, directory, known, on, reading, scores, asker, direction(reading, scores, asker), called)


def _stated(case: Case) -> Assignment:
    """Return what is the same whatever is decided."""
    scores = case.scores
    reasons = (*wording.names(case.reading, case.rules), wording.topic(scores, case.best, case.rules))
    return Assignment(
        "ask",
        topic=case.best,
        topics=scores.shares,
        countries=case.reading.countries,
        places=case.reading.places,
        fallback=adviser(_home(case), case.register, case.on),
        because=reasons,
    )


def _home(case: Case) -> tuple[str, ...]:
    """Return the territories whose adviser stands behind a question: the asker's, else those it names."""
    if case.asker.territories:
        return case.asker.territories
    named = territories(case.reading, case.register)
    return case.register.territories_of(named[0].territory) if len(named) == 1 else ()


def _advised(case: Case, ruled: Guard) -> Assignment:
    topic, to = _RULES.get(ruled.rule, ("", "public_service"))
    topic = topic or case.best
    advice = wording.advice("own_consulate" if ruled.rule == "own_consulate" else to)
    if ruled.rule == "operation":
        advice = wording.operation(_ccpd(case), case.register)
    reason = Text.of(f"route.because.{ruled.rule}", word=ruled.written)
    stated = _stated(case)
    return replace(
        stated,
        decision="advise",
        topic=topic,
        advice=advice,
        advice_to=to,
        confidence=_BY_RULE,
        because=(reason, *stated.because),
    )


def _ccpd(case: Case) -> str:
    """Return the police and customs centre of the border concerned, empty where there is none."""
    found = [option.charge.recipient.organisation for option in options(case, ("crise",))]
    border, rows = case.register.within(near(case)), case.register.by_country.values()
    beside = [row for its in rows for row in its if row.territory in border and row.holds(case.on)]
    beside.sort(key=lambda row: row.country not in case.reading.countries)
    found += [row.organisation for row in beside]
    return next((it for it in found if case.register.organisations[it].kind == "ccpd"), "")


def _danger(case: Case, ruled: Guard) -> Assignment:
    """Answer with the numbers, and send the question to whoever handles the crisis there, as urgent."""
    found = list(options(case, ("crise",)))
    if len({option.charge.recipient for option in found}) > 1:
        found = list(options(case, ("crise",), nowhere=True))
    charge = found[0].charge if found else None
    if charge and ruled.discreet and case.register.organisations[charge.recipient.organisation].kind in POSTS:
        charge = None
    centre = _centre(case, charge)
    if centre and charge and charge.recipient.organisation != centre and not ruled.discreet:
        charge = next((it.charge for it in options(case, ("protection_consulaire",)) if it.charge.by), charge)
    to, words = _emergency(case, ruled, centre)
    stated = _stated(case)
    return replace(
        stated,
        decision="advise",
        topic="crise",
        advice=words,
        advice_to=to,
        recipient=charge.recipient if charge else stated.fallback,
        copies=_copies(case, charge.recipient) if charge else (),
        confidence=_BY_RULE,
        because=(
            Text.of("route.because.danger", word=ruled.written),
            *wording.names(case.reading, case.rules),
            *(wording.competence(charge, case.register, case.rules) if charge else ()),
        ),
    )


def _centre(case: Case, charge: InCharge | None) -> str:
    """Return the police and customs centre to call: the one in charge, else the one in the region of a place named."""
    if charge and case.register.organisations[charge.recipient.organisation].kind == "ccpd":
        return charge.recipient.organisation
    regions = {(sense.country, sense.within[0]) for name in case.reading.names for sense in name.senses if sense.within}
    for (kind, city), organisations in case.register.abroad.items():
        if kind == "ccpd" and regions:
            senses = (sense for hit in case.rules.names.find(city) for sense in hit.meaning.senses if sense.within)
            if regions.intersection((sense.country, sense.within[0]) for sense in senses):
                return organisations[0].id
    return ""


def _emergency(case: Case, ruled: Guard, ccpd: str) -> tuple[AdviceTo, Text]:
    """Return whom to call first: rescuers nearby, the police centre of that border, far away the crisis centre."""
    places = {sense.country for name in case.reading.names if not name.demonym for sense in name.senses}
    abroad = [code for code in case.reading.countries if code != case.asker.country and code in places]
    near_by = not abroad or bool(ccpd) or bool(neighbours(case).intersection(abroad))
    to: AdviceTo = "ccpd" if ccpd and ruled.violent else "emergency" if near_by else "crisis_centre"
    return to, wording.emergency(to, abroad, ccpd, case.register, case.rules)


def _assigned(case: Case) -> Assignment:
    lost = case.direction == "to_prefecture" and case.best not in _NATIONAL
    if lost and not territories(case.reading, case.register):
        return _asked_where(case)
    if _says_nothing(case):
        return _asked_what(case)
    found = list(options(case, (case.best,)))
    if len(organisations_of(found)) > 1:
        return _asked(case, found)
    if found:
        led = leads(case)
        sure = case.rules.confidence.sure(shown(case, found[0], led))
        if case.addressed and organisations_of(found) == {case.addressed.organisation.id}:
            sure = max(sure, case.rules.confidence.margin)
        if sure >= case.rules.confidence.margin or case.direction == "to_prefecture":
            return _routed(case, found[0], sure)
        return _asked(case, led.options) if len(led.weights) > 1 else _asked_what(case)
    stated = _stated(case)
    if stated.fallback and stated.fallback.organisation != case.asker.id:
        because = (*stated.because, Text("route.because.nothing"))
        return replace(stated, decision="route", recipient=stated.fallback, confidence=_UNSURE, because=because)
    if case.direction == "to_prefecture":
        return _asked_where(case)
    return replace(stated, question_back=QuestionBack(Text("route.ask.where")), confidence=_UNSURE)


def _says_nothing(case: Case) -> bool:
    """Whether neither a topic nor a place was said: « qui s'en occupe ? »."""
    return case.best == OTHER and not case.reading.names and case.scores.share(OTHER) >= RIVAL


def _asked_what(case: Case) -> Assignment:
    """Ask what it is about; the adviser, who answers for all the rest, may be chosen at once."""
    stated = _stated(case)
    known = stated.fallback and stated.fallback.organisation != case.asker.id
    choices = (wording.choice(stated.fallback, case.register),) if stated.fallback and known else ()
    return replace(stated, question_back=QuestionBack(Text("route.ask.what"), choices), confidence=_UNSURE)


def _asked_where(case: Case) -> Assignment:
    """Ask a post that named no territory which prefecture it means; those across its own border are proposed."""
    choices = dict.fromkeys(wording.choice(charge.recipient, case.register) for charge in across(case))
    back = QuestionBack(Text("route.ask.territory"), tuple(choices)[:CHOICES])
    return replace(_stated(case), question_back=back, confidence=_UNSURE)


def _routed(case: Case, option: Option, sure: float) -> Assignment:
    stated = _stated(case)
    recipient = option.charge.recipient
    because = (*stated.because, *wording.competence(option.charge, case.register, case.rules))
    instead = standing_in(recipient, case.directory, case.on)
    if instead is not None and instead.organisation != case.asker.id:
        because = (*because, wording.stand_in(recipient, instead, case.register))
        recipient = instead
    return replace(
        stated,
        decision="route",
        topic=option.topic,
        recipient=recipient,
        copies=_copies(case, recipient),
        confidence=round(sure, 2),
        because=because,
    )


def _asked(case: Case, found: Sequence[Option]) -> Assignment:
    """Ask back with the first answers: among countries or places, among topics, or among organisations."""
    senses = {option.sense for option in found}
    topics = {option.topic for option in found}
    choices: dict[str, Choice] = {}
    for option in found:
        about = None
        if len(senses) > 1 and option.sense:
            about = wording.meant(option.sense, case.rules)
        elif len(topics) > 1:
            about = wording.topic_name(option.topic, case.rules)
        recipient = option.charge.recipient
        choices.setdefault(recipient.organisation, wording.choice(recipient, case.register, about))
    key = "place" if len(senses) > 1 else "topic" if len(topics) > 1 else "recipient"
    back = QuestionBack(Text(f"route.ask.{key}"), tuple(choices.values())[:CHOICES])
    stated = _stated(case)
    doubted = {sense.country for name in case.reading.names for sense in name.others if sense in senses}
    return replace(
        stated,
        countries=tuple(dict.fromkeys((*stated.countries, *sorted(doubted - {FRANCE})))),
        question_back=back,
        confidence=round(1 / (len(choices) + 1), 2),
    )


def _copies(case: Case, recipient: Recipient) -> tuple[Recipient, ...]:
    """The adviser of the asker's region is in copy of what goes to a post abroad (agreement of 2015, point 1)."""
    organisation = case.register.organisations.get(recipient.organisation)
    if case.asker.side != "prefecture" or organisation is None or organisation.kind not in POSTS:
        return ()
    copy = adviser(case.asker.territories, case.register, case.on)
    return (copy,) if copy and copy != recipient else ()
