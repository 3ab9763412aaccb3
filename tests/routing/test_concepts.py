"""Families of words are found in any order, with or without articles, and told from what is denied."""

import inspect
import re
import time
import tomllib
from importlib.resources import files

import pytest

from bot.routing import danger, guards
from bot.routing.concepts import Concepts, Said, Vocabulary
from bot.routing.rules import NAMED
from bot.routing.spelling import words

FAMILIES = {
    "pass": ["laissez-passer", "lpc"],
    "person": ["homme*", "<foreigner>"],
    "hurt": ["blessé", "# personnes", "se noie"],
    "act": ["tient .. couteau", "coup/coups de feu", "en ####"],
    "one": ["=demandeur"],
    "held": ["<pass> pour .. <person>"],
}
VOCABULARY = Vocabulary(FAMILIES, ("foreigner",))


def find(text: str, **given: list[Said]) -> Concepts:
    return VOCABULARY.find(words(text), given)


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("pass", "le LAISSEZ-PASSER est prêt"),
        ("pass", "des lpc"),
        ("person", "trois hommes"),
        ("hurt", "les blessées"),
        ("hurt", "12 personnes attendent"),
        ("hurt", "il se noie"),
        ("act", "elle tient dans la main un couteau"),
        ("act", "des coups de feu"),
        ("act", "en 2019"),
        ("one", "un demandeur"),
        ("held", "laissez-passer pour un jeune homme"),
    ],
)
def test_a_family_is_found(family: str, text: str) -> None:
    assert find(text).said(family)


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("pass", "laissez donc passer"),
        ("act", "il tient bien fort dans sa main un couteau"),
        ("act", "en 12 jours"),
        ("one", "des demandeurs"),
        ("hurt", "personnes"),
    ],
)
def test_and_not_in_other_words(family: str, text: str) -> None:
    assert find(text).mentioned(family) is None


@pytest.mark.parametrize(
    "text",
    ["pas de blessés", "aucun blessé", "sans les blessés", "blessés : aucun", "blessés ? non, rien", "no blessé"],
)
def test_what_is_denied_is_mentioned_but_not_said(text: str) -> None:
    assert find(text).said("hurt") is None
    assert find(text).mentioned("hurt")


def test_what_is_not_registered_is_not_denied() -> None:
    assert find("blessé non enregistré").said("hurt")


def test_two_families_are_near_whichever_comes_first() -> None:
    for text in ("un homme est blessé", "blessé, cet homme"):
        assert find(text).near(("person",), ("hurt",), 3)
    assert find("un homme dit que son voisin est peut être blessé").near(("person",), ("hurt",), 3) is None


def test_words_within_other_words_are_set_aside() -> None:
    said = find("laissez-passer pour un homme")
    assert said.apart(("pass",), ("held",)) is None
    assert find("laissez-passer").apart(("pass",), ("held",))


def test_names_that_were_read_are_families_too() -> None:
    assert find("un Ivoirien", foreigner=[Said(1, 2)]).said("person") == Said(1, 2)


@pytest.mark.parametrize(
    "families", [{"a": ["<b>"]}, {"a": ["le la"]}, {"a": ["dans/d'ici # heures"]}, {"a": ["-> pont"]}]
)
def test_a_family_that_cannot_be_is_told(families: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError, match=r"guards\.toml"):
        Vocabulary(families)


def test_every_family_is_used() -> None:
    text = (files("config") / "routing" / "guards.toml").read_text("utf-8")
    code = inspect.getsource(danger) + inspect.getsource(guards)
    used = {*re.findall(r'"(\w+)"', code), *re.findall(r"<(\w+)>", text)}
    assert set(tomllib.loads(text)) <= used


def test_hostile_text_takes_linear_time() -> None:
    families = tomllib.loads((files("config") / "routing" / "guards.toml").read_text("utf-8"))
    vocabulary = Vocabulary(families, NAMED)

    def seconds(count: int) -> float:
        said = words("un homme menace de se tuer dans la neige, laissez-passer " * count)
        start = time.thread_time()
        vocabulary.find(said, {})
        return time.thread_time() - start

    small = min(seconds(20) for _ in range(2))
    assert min(seconds(200) for _ in range(2)) < 40 * max(small, 0.002)
