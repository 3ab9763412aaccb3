"""French as it is written: signs that keep with their word, and names that take their article inside a sentence.

A sentence of the French catalogue says `{name:à}`, `{name:de}`, `{name:le}` or, at its beginning, `{name:Le}`; the name
« Ambassade de France en Italie » then reads « à l’ambassade de France en Italie ». A name whose first word is not known
here is somebody's or something's own name: it takes no article, and « de » is elided before a vowel.
"""

import re

_WIDE = re.compile(r" (?=[:»](?:[\s.,)]|$))|(?<=«) ")
_THIN = re.compile(r" (?=[;!?](?:[\s»)]|$))")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_VOWELS = frozenset("aàâeéèêiîoôuyœ")
_FEMININE = frozenset(
    "académie administration ambassade commission conférence coordination délégation direction mission préfecture "
    "représentation section sous-direction sous-préfecture".split()
)
_MASCULINE = frozenset(
    "adjoint ambassadeur attaché bureau centre chef comité conseil conseiller consulat eurodistrict gect glct "
    "haut-commissariat membre ministère office préfet protocole secrétariat service sommet".split()
)
_JOINED = {"à": ("à l’", "à la ", "au "), "de": ("de l’", "de la ", "du "), "le": ("l’", "la ", "le ")}


def typeset(text: str) -> str:
    """Keep French signs with the word before them, as the national printing house does: no line begins with one."""
    return _THIN.sub("\N{NARROW NO-BREAK SPACE}", _WIDE.sub("\N{NO-BREAK SPACE}", text))


def joined(form: str, name: str) -> str:
    """Return a name after « à », « de » or with its article alone (« le »; « Le » begins a sentence).

    Raises KeyError for another form.
    """
    with_vowel, feminine, masculine = _JOINED[form.lower()]
    found = _WORD.match(name)
    first = found[0] if found else ""
    noun = first.lower()
    if noun not in _FEMININE and noun not in _MASCULINE:
        return _bare(form.lower(), name)
    before = with_vowel if noun[0] in _VOWELS else feminine if noun in _FEMININE else masculine
    whole = before + (name if first.isupper() else name[:1].lower() + name[1:])
    return whole[:1].upper() + whole[1:] if form[0].isupper() else whole


def of_city(city: str) -> str:
    """Return « de » and a city: « du Caire », « d’Oslo », « de Cayenne »."""
    return f"du {city[3:]}" if city.startswith("Le ") else _bare("de", city)


def _bare(form: str, name: str) -> str:
    if form == "le":
        return name
    if form == "de" and name[:1].lower() in _VOWELS:
        return f"d’{name}"
    return f"{form} {name}"
