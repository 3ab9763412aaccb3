"""Marks of protection: is a text one that must be refused before anything is written?

Promised: a pure function, linear in the length of the text, that finds the marks however they are spelled (case,
accents, spaced letters, punctuation, unseen or look-alike characters, Markdown) and leaves « secret professionnel »,
« secrétariat » or « Dr Martin » alone. In doubt it says yes: a question refused can be put otherwise, a marked text
that was stored cannot be taken back.

Sources: IGI 1300 of 9 August 2021 (Secret, Très Secret; Spécial France as an additional mark; Diffusion Restreinte as a
mark of protection) and the levels before it (Confidentiel Défense, Secret Défense, Très Secret Défense); NATO
C-M(2002)49 and Council decision 2013/488/EU for the equivalents; the German ones are met along the Rhine.
"""

import re

from bot.routing.spelling import plain

_REACH = 64
"""How far around a word its context is read."""


def _loose(phrase: str) -> str:
    """Return a pattern for a phrase whose letters may stand apart; one may be optional (`S?`) or a choice (`[SC]`)."""
    return " ?".join(re.findall(r"(?:\[[^\]]*\]|[A-Z])\??", phrase))


def _any_of(*phrases: str) -> re.Pattern[str]:
    first = "".join({phrase[0] for phrase in phrases})
    return re.compile(rf"\b(?=[{first}])(?:{'|'.join(map(_loose, phrases))})\b")


_UNDECORATED = str.maketrans("_", " ", "*~`\\")
_NEITHER = re.compile(r"[^A-Z0-9]+")
_BETWEEN = bytes(set(range(128)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
_CLEARANCE = re.compile(r"\bHABILITATIONS? (?:AU )?(?:NIVEAU )?(?:TRES )?(?:SECRET|CONFIDENTIEL)(?: DEFENSE)?\b")
"""A clearance that somebody has or asks for marks no text."""
_PHRASES = _any_of(
    "TRES SECRETS?",
    "TOP SECRET",
    "SECRETS? DEFF?EN[SC]E",
    "SECRETS? DEF",
    "CONFIDENTIEL?L?E?S? DEFF?EN[SC]E",
    "CONFIDENTIELS? DEF",
    "CONF DEF",
    "CONF DEFEN[SC]E",
    "DIFF?US?S?I?ONS? RESTR?[EA]?I?NT[ES]?S?",
    "DIFFSUIONS? RESTREINTES?",
    "DIF?F? REST",
    "DIF?F? RESTREINTE?",
    "OFFICIAL SENSITIVE",
    "EYES ONLY",
    "DIFUSION LIMITADA",
    "BEPERKTE VERSPREIDING",
    "STRENG GEHEIM",
    "ZEER GEHEIM",
    "VERTROUWELIJK",
    "RISERVATO",
    "RISERVATISSIMO",
    "SEGRETO",
    "SEGRETISSIMO",
    "RESERVADO",
    "SECRETO",
    "NOFORN",
    "ATOMAL",
    "VS NFD",
    "VS VERTRAULICH",
    "NUR FUR DEN DIENSTGEBRAUCH",
)
_LEVELS = (
    r"SECRET|CONFIDENTIEL|CONFIDENTIAL|RESTRICTED|(?<!FORMAT )(?<!COMITE )(?<!GROUPE )(?<!CADRE )(?<!ACCES )RESTREINTE?"
)
_OWNERS = "OTAN|NATO|UE|EU|EURA|EURATOM"
_OWNED = re.compile(rf"\b(?=[OUENSCR])(?:(?:{_OWNERS}) (?:{_LEVELS})|(?:{_LEVELS}) (?:{_OWNERS}))\b")
_SPACED = re.compile(rf"\b(?!SECRET){_loose('SECRET')}\b")
_SPECIAL = re.compile(
    rf"\b(?:{_loose('SPECIAL FRANCE')}|SPEC?I?[AE]?[AI]?L F(?:RANC|ARNC|RNAC|RACN|ANC|RANEC|RANSE)E?)\b(?! CFA)"
)
_NEARLY = re.compile(r"SPEC?I?[AE]?[AI]?LF[RA]")
"""Where « Spécial France » may be, mistyped too."""
_SPECIAL_FLIGHT = re.compile(r"\b(?:VOLS?|ENVOYEE?S?|REGIMES?|TARIFS?|NUMERO|EDITION|SERIE|OFFRE|TRAIN|FORFAIT) $")
_ABBREVIATED = re.compile(r"\b(?=[TSCDR])(?:(?:TS|TSD|SD|CD|DR) SF|(?<!VLS )TS FRANCE|R UE EU R)\b")
_CLASSIFIED = re.compile(r"\b(?:EST|SONT|RESTE|RESTENT) CLASSIFIEE?S?\b(?! (?:COMME|PAR|EN|DANS|SELON|PARMI)\b)")

_MARKS = (
    (
        _PHRASES,
        (
            "SECRET",
            "DEF",
            "DIF",
            "GEHEIM",
            "NFD",
            "VERTRAULICH",
            "DIENSTGEBRAUCH",
            "SENSITIVE",
            "EYESONLY",
            "BEPERKTE",
            "VERTROUWELIJK",
            "RISERVAT",
            "SEGRET",
            "RESERVADO",
            "NOFORN",
            "ATOMAL",
        ),
    ),
    (_OWNED, ("SECRET", "CONFIDENTI", "RESTREINT", "RESTRICTED")),
    (_ABBREVIATED, ("TSSF", "DSF", "DRSF", "RUEEUR", "TSFRANCE")),
    (_CLASSIFIED, ("CLASSIFIE",)),
)
"""The marks of several words, each with letters without which it cannot be there."""

_ALONE = tuple(
    re.compile(rf"{word}\b") for word in ("secret", r"d\.?r", r"[cs]\.?d", "ts", "tsd", "sf", "restricted", "geheim")
)
_OPENS = re.compile(r"(?:^|[\n\[({}|/<>\":;.!?])[\s\"'<>#>*-]*$|\s-+\s*$")
_CLOSES = re.compile(r"[ \t\"'<>]*(?:$|[\n\])}|/:;!?<>\"]|\.\s*(?:$|\n)|,?\s*-+\s|-+$)")
_CLASSED = re.compile(r"\b(?:class(?:e|ee|es|ees)|classifi(?:e|ee|es|ees)|niveau) $", re.IGNORECASE)
_BRACKETED = re.compile(r"[\[(]\s*$")
_ENDS = re.compile(r"[ \t\"']*\.")
_NAMES_A_MARK = re.compile(
    r"\b(?:class(?:e|ee|es|ees)|classifi(?:e|ee|es|ees)|classification|mention(?:s|ne|nee|nes|nees)?|niveau|"
    r"marqu(?:e|ee|es|ees|age)|estampille(?:e|s|es)?|tamponne(?:e|s|es)?|timbree?s?|cachet|tampon|protection|"
    r"diffusion|habilite(?:e|s|es)?|documents?|docs?|pj|infos?|syntheses?|"
    r"comptes? rendus?|releves?|bulletins?|notes?|pieces?|fiches?|rapports?|telegrammes?|td|annexes?|courriers?|"
    r"fichiers?|messages?|mails?)(?: (?:est|sont))?[\s:=\"'<>()\[\]-]*$",
    re.IGNORECASE,
)

_AFTER_SECRET = re.compile(
    r"[ ']*(?:professionnel|medica|bancaire|fisca|statistique|industriel|commercia|partage|absolu|postal|service\b|"
    r"(?:de|des|du|d)\b)",
    re.IGNORECASE,
)
_BEFORE_SECRET = re.compile(
    r"\b(?:en|le|au|du|un|ce|son|leur|notre|votre|aucun|services?|agents?|agente|votes?|scrutin|bulletin|fonds|codes?|"
    r"compte|jardin|mariage|rendez-vous|mot|passage|tunnel|non|pas|sans) $",
    re.IGNORECASE,
)

_PROPER = re.compile(r" [A-Z][a-z]")
_AFTER_DR = re.compile(
    r"[ \t]+(?:(?:de|des|du|d|a|au|aux|chez|en|et|ofii|ofpra)\b|[A-Z][A-Za-z]|[A-Z]\.)|\.[A-Za-z]|-\d"
)
_SENTENCE_AFTER_DR = re.compile(
    r"[ \t]+(?:bonjour|merci|note|objet|suite|document|demande|information|pour|je|nous|qui|que|quel|quelle|quels|"
    r"quelles|pouvez|peut|voici|ci|cf|veuillez|please|which|who|la|le|les|un|une|ce|cette|plans?|listes?|fiches?|"
    r"comptes? rendus?|rapports?|synthese|point|etat|telegramme|annexes?|courrier|message|projet)\b",
    re.IGNORECASE,
)
_PROTECTED_DR = re.compile(r"\b(?:en|sous|protegee?s?|classee?s?|marquee?s?|mention(?:nee?s?)?) $", re.IGNORECASE)
_SPELLED_OUT = re.compile(r"\bd\w+ (?:\w+ )?r\w+ \($", re.IGNORECASE)
_SENTENCE_AFTER_NAMED = re.compile(r"[ \t]+(?:du|des|de la|de l'(?!ofii|ofpra|insee)|a|au|aux|chez)\b", re.IGNORECASE)
_STATED_DR = re.compile(r"\b(?:est|sont|sous|en|reste|restent) $", re.IGNORECASE)
_PAUSE = re.compile(r"[ \t]*(?:,|$|(?:et|mais|donc|car|qui|sur)\b)")


def marked(text: str) -> bool:
    """Return whether the text carries a mark of protection, or seems to."""
    lined = plain(text).translate(_UNDECORATED)
    return _phrase(lined) or _lone_word(lined)


def _phrase(lined: str) -> bool:
    """Find the marks of several words, and « S E C R E T »."""
    capitals = lined.upper()
    squeezed = capitals.encode("ascii").translate(None, _BETWEEN).decode("ascii")
    possible = [pattern for pattern, traces in _MARKS if any(trace in squeezed for trace in traces)]
    special = "SPEC" in squeezed and bool(_NEARLY.search(squeezed))
    if not (possible or special):
        return False
    flat = _CLEARANCE.sub(" ", _NEITHER.sub(" ", capitals))
    if squeezed.count("SECRET") > flat.count("SECRET"):
        possible.append(_SPACED)
    return any(pattern.search(flat) for pattern in possible) or (special and _special(flat))


def _special(flat: str) -> bool:
    """Tell « Spécial France » from a « vol spécial France-Mali »."""
    return any(
        not _SPECIAL_FLIGHT.search(flat, max(0, found.start() - _REACH), found.start())
        for found in _SPECIAL.finditer(flat)
    )


def _lone_word(lined: str) -> bool:
    """Find the marks of one word, which are words or initials of every day elsewhere."""
    shouting = lined.isupper()
    lowered = lined.lower()
    return any(_is_mark(lined, *found.span(), shouting=shouting) for word in _ALONE for found in word.finditer(lowered))


def _is_mark(lined: str, start: int, end: int, *, shouting: bool) -> bool:
    if lined[start - 1 : start].isalnum():
        return False
    before = lined[max(0, start - _REACH) : start]
    if start > _REACH:
        before = f"x{before[1:]}"  # the text does not begin here
    after = lined[end : end + _REACH]
    word = lined[start:end]
    match word.lower():
        case "secret":
            return _secret(word, before, after, shouting=shouting)
        case "dr" | "d.r":
            return _restricted(word, before, after.removeprefix(".") if "." in word else after)
        case "ts":
            bracketed = _BRACKETED.search(before) and _CLOSES.match(after)
            return word == "TS" and bool(bracketed or _CLASSED.search(before))
        case "tsd":
            opens = bool(_OPENS.search(before))
            return bool(opens and _CLOSES.match(after)) or (
                word.isupper() and (opens or bool(_NAMES_A_MARK.search(before)))
            )
        case "cd" | "c.d" | "sd" | "s.d":
            return word.isupper() and bool(_CLASSED.search(before))
        case "sf":
            return word == "SF" and before.rstrip().endswith("[") and bool(_CLOSES.match(after))
        case _:
            return bool(_OPENS.search(before) and _CLOSES.match(after))


def _secret(word: str, before: str, after: str, *, shouting: bool) -> bool:
    """Tell « Secret » as a mark from « secret professionnel », « en secret », « service secret »."""
    if _AFTER_SECRET.match(after):
        return False
    if _NAMES_A_MARK.search(before) or _OPENS.search(before):
        return True
    named = word == "Secret" and _PROPER.match(after)
    return word[0].isupper() and not shouting and not named and not _BEFORE_SECRET.search(before)


def _restricted(word: str, before: str, after: str) -> bool:
    """Tell « DR », Diffusion Restreinte, from a doctor, a regional director or somebody's initials."""
    opens = bool(_OPENS.search(before))
    if opens and _CLOSES.match(after):
        if _SPELLED_OUT.search(before):
            return False
        return word != "Dr" or before.rstrip(" \"'").endswith(("[", "("))
    if word == "Dr":
        return False
    if opens and word.isupper() and (_SENTENCE_AFTER_DR.match(after) or after.startswith(",")):
        return True
    if _PROTECTED_DR.search(before):
        return True
    named = bool(_NAMES_A_MARK.search(before))
    if _AFTER_DR.match(after) and not (named and _SENTENCE_AFTER_NAMED.match(after)):
        return False
    if named:
        return True
    return bool(_STATED_DR.search(before) and (_CLOSES.match(after) or _ENDS.match(after) or _PAUSE.match(after)))
