"""Learning is deterministic, says what weighed, and takes nothing that nobody confirmed."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from bot.db import Database
from bot.directory.snapshot import load
from bot.errors import UserError
from bot.routing import candidates, learnt
from bot.routing.fitting import train
from bot.routing.learning import Example, Features, dump, restore, softmax
from bot.routing.reading import read
from bot.routing.rules import Rules, examples
from bot.routing.tables import RoutingExample, RoutingModel
from bot.routing.teaching import Tried, doubtful, prepare, teach
from bot.routing.topics import explained, score
from tests.routing.shipped import CONFIG, rules

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def few() -> list[tuple[str, str]]:
    return [row for at, row in enumerate(examples(CONFIG / "routing")) if at % 9 == 0]


def test_the_order_of_examples_changes_nothing() -> None:
    prepared = [it.example for it in prepare(few(), rules())]
    shuffled = random.Random(1).sample(prepared, len(prepared))
    topics = sorted(rules().topics)
    assert dump(train(prepared, topics)) == dump(train(shuffled, topics))


def test_a_model_is_kept_as_it_is() -> None:
    model = rules().model
    assert dump(restore(dump(model))) == dump(model)


@pytest.mark.proof
def test_the_shipped_model_is_what_the_shipped_examples_teach() -> None:
    model, _ = teach(examples(CONFIG / "routing"), rules())
    assert dump(model) == dump(rules().model)


def test_probabilities_add_up_to_one() -> None:
    assert sum(softmax({"a": 3.0, "b": 1.0, "c": -900.0}).values()) == pytest.approx(1.0)
    assert softmax({}) == {}


def test_every_topic_has_its_examples() -> None:
    counts = {topic: sum(it == topic for it, _ in examples(CONFIG / "routing")) for topic in rules().topics}
    assert min(counts.values()) >= 20


def test_what_weighed_is_told() -> None:
    scores = score(read("acte de naissance allemand", rules()), rules())
    words = dict(explained(scores, rules(), "etat_civil"))
    assert words["acte de naissance"] > 0


def test_what_all_others_contradict_is_doubtful() -> None:
    wrong = Tried("", "b", {"a": 9.0, "b": 0.0})
    assert doubtful([wrong, Tried("", "a", {"a": 9.0, "b": 0.0}), Tried("", "b", {"a": 1.0, "b": 0.0})]) == [wrong]


def test_an_example_without_features_is_borne() -> None:
    nothing: Features = ((), (), ())
    word: Features = (("x",), (), ())
    model = train([Example("a", nothing), *[Example("b", word)] * 9], ("a", "b"))
    shares = softmax(model.logits(word))
    assert shares["b"] > softmax(model.logits(nothing))["b"]
    assert sum(shares.values()) == pytest.approx(1.0)


# --- from a redirection to an example


def proposal(
    number: str = "Q-2026-00001", text: str = "Acte de M. Essai, 06 12 34 56 78", **more: object
) -> RoutingExample:
    given = {"number": number, "text": text, "before": "ambassade-de", "organisation": "consulat-munich", "at": NOW}
    return RoutingExample(**{**given, "topic": "etat_civil", "why": "car M. Essai", **more})


def test_a_candidate_is_masked_and_counts_only_once_confirmed(shipped: Database) -> None:
    shipped.run_now(lambda s: candidates.propose(s, proposal()))
    (row,) = shipped.run_now(candidates.listed)
    assert (row.text, row.why, row.state) == ("Acte de M. …, …", "car M. …", "proposed")
    assert shipped.run_now(candidates.confirmed) == []
    shipped.run_now(lambda s: candidates.settle(s, row.id, "confirmed", None, "agent-a", NOW))
    assert shipped.run_now(candidates.confirmed) == [("etat_civil", "Acte de M. …, …")]


def test_a_question_redirected_twice_is_one_candidate(shipped: Database) -> None:
    shipped.run_now(lambda s: candidates.propose(s, proposal()))
    shipped.run_now(lambda s: candidates.propose(s, proposal(organisation="consulat-stuttgart")))
    assert [row.organisation for row in shipped.run_now(candidates.listed)] == ["consulat-stuttgart"]


def test_a_candidate_needs_a_topic_and_to_exist(shipped: Database) -> None:
    shipped.run_now(lambda s: candidates.propose(s, proposal(topic=None)))
    (row,) = shipped.run_now(candidates.listed)
    for ident, key in ((row.id, "route.examples.topic"), (row.id + 7, "route.examples.unknown")):
        with pytest.raises(UserError, match=key):
            shipped.run_now(lambda s, ident=ident: candidates.settle(s, ident, "confirmed", None, "agent-a", NOW))


def test_what_nobody_confirms_is_forgotten(shipped: Database) -> None:
    old = NOW - candidates.KEPT - timedelta(days=1)
    shipped.run_now(lambda s: candidates.propose(s, proposal("Q-2026-00001", at=old)))
    shipped.run_now(lambda s: candidates.propose(s, proposal("Q-2026-00002", at=NOW)))
    shipped.run_now(lambda s: candidates.forget(s, NOW))
    assert [row.number for row in shipped.run_now(candidates.listed)] == ["Q-2026-00002"]


def test_a_model_trained_here_is_used_until_a_release_brings_other_words(shipped: Database) -> None:
    fresh = rules()
    known = learnt.Learnt(lambda: fresh)

    def used(database: Database) -> Rules:
        return database.run_now(lambda s: known.get(s, load(s)))

    assert used(shipped) is fresh
    other = train([it.example for it in prepare(few(), fresh)], sorted(fresh.topics))
    shipped.run_now(lambda s: learnt.keep(s, other, fresh, 10, NOW))
    assert dump(used(shipped).model) == dump(other)

    def forge(session: object) -> None:
        session.query(RoutingModel).update({"shipped": "another release"})  # type: ignore[attr-defined]

    shipped.run_now(forge)
    assert used(shipped) is fresh
