"""The reasons, questions and advice of routing as sentences of the catalogues; names go in both languages."""

from collections.abc import Iterable

from bot.routing.competence import InCharge
from bot.routing.found import Found
from bot.routing.model import AdviceTo, Choice, Recipient
from bot.routing.names import FRANCE, Sense
from bot.routing.reading import Reading
from bot.routing.register import Register
from bot.routing.rules import Label, Rules
from bot.routing.topics import OTHER, Scores
from bot.texts import Text

_CRISIS_CENTRE = "CDCS"
"""Where `emergency.csv` has the number of the ministry's crisis centre."""

MARKED = Text("route.because.marked")
"""What a marked text gets: nothing of it is repeated."""


def advice(to: str) -> Text:
    """Return whom to turn to; `to` names an advice of the contract, or a sharper one of ours."""
    return Text(f"route.advice.{to}")


def emergency(to: AdviceTo, countries: Iterable[str], ccpd: str, register: Register, rules: Rules) -> Text:
    """Return the numbers to call: in France, in the countries named where they are known, and who answers beside."""
    there = tuple(
        Text.of(
            "route.advice.there", country=rules.countries[code].fr, country_en=rules.countries[code].en, numbers=numbers
        )
        for code in countries
        if code in rules.countries and (numbers := rules.emergency.get(code))
    )
    key = f"route.advice.{'ccpd' if ccpd else to}"
    both = Text.of("route.advice.both", one=there[0], other=there[1]) if len(there) > 1 else there[0] if there else ""
    numbers = {"france": rules.emergency.get(FRANCE, "112"), "cdcs": rules.emergency.get(_CRISIS_CENTRE, "")}
    return Text.of(key, **numbers, there=both, ccpd=_organisation(ccpd, register))


def operation(ccpd: str, register: Register) -> Text:
    """Return which centre answers for an operation at the border."""
    return Text.of("route.advice.operation", ccpd=_organisation(ccpd, register))


def names(reading: Reading, rules: Rules) -> tuple[Text, ...]:
    """Return what the text names and the words that say so, each country and place once."""
    reasons = (_name(found, rules) for found in reading.names)
    return tuple(dict.fromkeys(reason for reason in reasons if reason))


def _name(found: Found, rules: Rules) -> Text | None:
    sense = found.senses[0]
    if found.open:
        labels = [_label(sense, rules) for sense in found.senses]
        return Text.of(
            "route.because.ambiguous",
            word=found.written,
            candidates=" / ".join(label.fr for label in labels),
            candidates_en=" / ".join(label.en for label in labels),
        )
    if sense.country == FRANCE or not sense.country:
        return Text.of("route.because.place", place=sense.name or found.written, word=found.written)
    label = rules.countries.get(sense.country, Label(sense.country, sense.country))
    key = "default" if found.by_default else "country_place" if sense.name else "country"
    return Text.of(f"route.because.{key}", country=label.fr, country_en=label.en, place=sense.name, word=found.written)


def _label(sense: Sense, rules: Rules) -> Label:
    if sense.country == FRANCE:
        name = rules.territories.get(sense.territory, sense.territory)
        return Label(f"{name} ({sense.territory}, France)", f"{name} ({sense.territory}, France)")
    return rules.countries.get(sense.country, Label(sense.country, sense.country))


def topic(scores: Scores, chosen: str, rules: Rules) -> Text:
    """Return the topic and the words that say so."""
    words = scores.strongest(chosen)
    if chosen == OTHER or words is None:
        return Text("route.because.no_topic")
    label = rules.topics[chosen]
    return Text.of("route.because.topic", topic=label.fr, topic_en=label.en, word=words.written)


def competence(charge: InCharge, register: Register, rules: Rules) -> tuple[Text, ...]:
    """Return by what competence an organisation is in charge, since when, for which border, and whom it succeeds."""
    name = _organisation(charge.recipient.organisation, register)
    row = charge.by
    if row is None:
        return (Text.of("route.because.addressed", organisation=name),)
    key = "route.because.competence_since" if row.valid_from else "route.because.competence"
    reasons = [Text.of(key, organisation=name, basis=row.legal_basis or "—", since=row.valid_from or "")]
    if row.territory:
        territory = rules.territories.get(row.territory, row.territory)
        reasons.append(Text.of("route.because.territory", territory=territory))
    if charge.closed:
        closed = _organisation(charge.closed, register)
        reasons.append(Text.of("route.because.successor", organisation=name, closed=closed))
    return tuple(reasons)


def stand_in(absent: Recipient, instead: Recipient, register: Register) -> Text:
    """Return who stands in for an office whose holders are away."""
    names = {"organisation": instead.organisation, "absent": absent.organisation}
    return Text.of("route.because.stand_in", **{key: _organisation(it, register) for key, it in names.items()})


def choice(recipient: Recipient, register: Register, about: Text | None = None) -> Choice:
    """Return a choice: the organisation, and what chooses it where that is not plain."""
    name = _organisation(recipient.organisation, register)
    if about is None:
        return Choice(Text.of("route.choice.organisation", organisation=name), recipient)
    return Choice(Text.of("route.choice.about", about=about, organisation=name), recipient)


def meant(sense: Sense, rules: Rules) -> Text:
    """Return the name of a country or territory, as a choice shows it."""
    label = _label(sense, rules)
    return Text.of("route.choice.name", name=label.fr, name_en=label.en)


def topic_name(key: str, rules: Rules) -> Text:
    """Return the name of a topic, as a choice shows it."""
    label = rules.topics.get(key, Label(key, key))
    return Text.of("route.choice.name", name=label.fr, name_en=label.en)


def _organisation(ident: str, register: Register) -> str:
    organisation = register.organisations.get(ident)
    return organisation.name if organisation else ident
