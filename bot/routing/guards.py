"""The rules that come before any score, in their order.

Danger to life is answered at once (product, § 2). Asylum never reaches the State of origin (Geneva Convention of 1951;
CESEDA, art. L. 121-11: OFPRA). A consular pass for a removal is issued by the foreign consulate in France, and so is
the notice of a foreigner's arrest (Vienna Convention of 1963, art. 36). Judicial cooperation is the magistrates'. What a
private person may do belongs to the public service's own site.

The words are the code's, not an administrator's: who widens or narrows a hard rule does it with a test.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.routing.asker import Asker
from bot.routing.reading import Reading
from bot.routing.topics import Scores

Rule: TypeAlias = Literal["danger", "asylum", "removal_pass", "own_consulate", "justice", "citizen"]


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule that applies, and the words that call it."""

    rule: Rule
    written: str


_DANGER = re.compile(
    r" (?:(?:danger|peril|risque) (?:de mort|imminent|immediat|vital)|(?:est|sont|trouve|trouvent|vie) en danger|"
    r"vie (?:est|serait) en danger|mettr?e?n?t? sa vie en danger|urgence (?:vitale|absolue)|pronostic vital|"
    r"en train de (?:mourir|se noyer)|se noient?|va (?:mourir|sauter|se suicider|se tuer|la tuer|le tuer|les tuer)|"
    r"(?:veut|menace de) (?:se suicider|mourir|se tuer|sauter|tuer|le tuer|la tuer)|tentative de suicide|"
    r"(?:prises?|pris|prise|prises|retenue?s?) (?:d|en|comme) otages?|kidnapp\w+|hommes armes|"
    r"(?:est|etre|ete|sont) sequestree?s?|coups? de feu|fusillade|coups? de couteau|poignardee?s?|tireur|"
    r"(?:coincee?|piegee?|ensevelie?)s? (?:sous|dans)|appelle au secours|arret cardiaque|ne respire (?:plus|pas)|"
    r"danger to life|life threatening|life in danger|hostages?|shooting|drowning|at gunpoint) "
)
_EVENT = re.compile(
    r" (?:accidents?|collision|carambolage|deraillement|incendies?|feux? de foret|explosions?|avalanche|eboulement|"
    r"naufrage|crash|attentats?|attaque|seisme|tremblement de terre|tsunami|inondations?|crue|effondrement|noyade|"
    r"ouragan|cyclone|emeutes?|bombardements?|fuite de gaz|earthquake|accident|fire|flood) "
)
_NOW = re.compile(
    r" (?:en cours|en ce moment|a l instant|vient de|viennent de|maintenant|secours|blessee?s?|coincee?s?|piegee?s?|"
    r"disparus|victimes?|morts?|urgence|urgente?|urgent|immediat\w*|evacu\w+|cette nuit|ce matin|tout de suite|injured|"
    r"trapped|right now) "
)
_NOT_NOW = re.compile(
    r" (?:exercices?|simul\w+|entrainement|formations?|seminaire|retour d experience|retex|commemor\w+|hommage|"
    r"anniversaire|prevention|scenario|hypothese|plan|convention|en cas d\w*|en (?:19|20)\d\d|l an dernier|"
    r"(?:annee|semaine) derniere|(?:mois|an) dernier|indemnis\w+|assurance|rapatriement d\w*|actes? de|certificats?|"
    r"statistiques?|etude|pays d origine|dans son pays|dans leur pays|en cas de retour|drill|training) "
)
_PASS = re.compile(
    r" (?:laissez passer|laisser passer|lpc|sauf conduit|auditions? consulaires?|reconnaissances? consulaires?|"
    r"identifi\w+ (?:par|aupres) (?:le|son|du|de son|des|les) (?:consulat|autorites consulaires)|"
    r"identification consulaire|consular pass) "
)
_REMOVAL = re.compile(
    r" (?:oqtf|irtf|obligation de quitter|eloign\w+|expuls\w+|reconduite?s?|reconduire|retention|retenus? au|cra|"
    r"readmission|retour force|vol retour|mesure d execution|renvoi|renvoyer|removal|deportation|situation irreguliere) "
)
_FRENCH = re.compile(
    r" (?:francais|francaise|francaises|compatriotes?|a perdu|ont perdu|perdus?|pertes?|volee?s?|vol|touristes?|"
    r"rentrer|vacances|passeport perdu) "
)
_NOTICE = re.compile(
    r" (?:notifications? consulaires?|(?:prevenir|avertir|informer|aviser|notifier) (?:le|son|leur|a son|au) consulats?|"
    r"consulat (?:prevenu|averti|avise)|article 36) "
)
_CITIZEN = re.compile(
    r" (?:(?:mon|ma|mes) (?:titre|carte|permis|visa|naturalisation|rendez vous|recepisse|acte|casier|immatriculation|"
    r"conjoint|conjointe|mari|femme|epouse|epoux|fils|fille|enfants?|pacs|divorce|mariage|regroupement)|"
    r"je suis (?:un particulier|une particuliere|un citoyen|une citoyenne|etudiante?|etranger|etrangere|salariee?)|"
    r"(?:renouveler|refaire|obtenir|demander) mon (?:passeport|titre|visa|permis)|"
    r"j ai (?:perdu|depose|demande|recu) (?:mon|ma|mes|une|un) |my (?:passport|residence permit|visa)) ?"
)
_PERSONAL = frozenset(
    "asile autre etat_civil nationalite sejour visa eloignement protection_consulaire securite entraide_judiciaire "
    "circulation_frontaliere crise".split()
)
_SURE = 2.5
"""The weight from which words speak clearly for a topic: « réfugié », « asile »."""


def guard(reading: Reading, scores: Scores, asker: Asker) -> Guard | None:
    """Return the first rule that comes before any score, or None."""
    spoken = reading.spoken
    return (
        _danger(spoken, scores)
        or _asylum(scores)
        or _consulates(spoken, reading, scores, asker)
        or _justice(scores)
        or _found("citizen", _CITIZEN.search(spoken))
    )


def _found(rule: Rule, match: re.Match[str] | None) -> Guard | None:
    return Guard(rule, match[0].strip()) if match else None


def _danger(spoken: str, scores: Scores) -> Guard | None:
    if _NOT_NOW.search(spoken) or scores.weight("asile") >= _SURE:
        return None
    match = _DANGER.search(spoken)
    if match is None and _NOW.search(spoken):
        match = _EVENT.search(spoken)
    return _found("danger", match)


def _asylum(scores: Scores) -> Guard | None:
    """Whatever else a case of asylum is about, it is not asked abroad; a visit or a training about asylum may be."""
    if scores.weight("asile") < _SURE or (scores.best not in _PERSONAL and "asile" not in scores.tied):
        return None
    words = scores.strongest("asile")
    return Guard("asylum", words.written if words else "asile")


def _consulates(spoken: str, reading: Reading, scores: Scores, asker: Asker) -> Guard | None:
    """Tell the foreign consulate's pass and notice from what a French consulate does for the French."""
    pass_ = _PASS.search(spoken)
    removal = _REMOVAL.search(spoken)
    if pass_ and (removal or (asker.side != "post" and not _FRENCH.search(spoken))):
        return _found("removal_pass", pass_)
    foreign = any(name.foreign_post for name in reading.names)
    if removal and foreign and scores.best == "eloignement":
        return _found("removal_pass", removal)
    if asker.side == "post" or _FRENCH.search(spoken):
        return None
    return _found("own_consulate", _NOTICE.search(spoken))


def _justice(scores: Scores) -> Guard | None:
    words = scores.strongest("entraide_judiciaire")
    if scores.best != "entraide_judiciaire" or words is None or words.weight < _SURE:
        return None
    return Guard("justice", words.written)
