"""A question that was asked before: nothing of it is computed again, and none of its words kept."""

from datetime import date
from typing import Any

import pytest
from invented import STORE, Counting, build_of

from chains.answer import LONGEST_KEPT, Answerer
from store.article import ServingRules
from store.conversations import Recalled
from store.index import Build
from store.turn import Turn


@pytest.fixture(scope="module")
def model() -> Counting:
    return Counting()


@pytest.fixture(scope="module")
def build(model: Counting) -> Build:
    return build_of(STORE, model)


@pytest.fixture
def answerer(model: Counting) -> Answerer:
    rules = ServingRules(serve_under_review=True)
    return Answerer(
        embeddings=model, rules=rules, rarity=model.rarity, today=lambda: date(2026, 1, 1)
    )


def ask(answerer: Answerer, build: Build, question: str, topic: str | None = None) -> Turn:
    return answerer.answer(build, Recalled("c", topic), question)


def test_it_is_answered_as_before_without_being_read_again(
    answerer: Answerer, build: Build, model: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.known = None
    searched: list[int] = []
    nearest = Build.nearest

    def counted(*asked: Any) -> Any:
        searched.append(1)
        return nearest(*asked)

    monkeypatch.setattr(Build, "nearest", counted)
    first = ask(answerer, build, "What causes quillonitis?")
    assert first.sections
    assert searched
    model.read.clear()
    searched.clear()
    assert ask(answerer, build, "What causes quillonitis?") == first
    assert model.read == []
    assert searched == []


def test_the_topic_is_that_of_the_conversation_and_not_of_who_asked_before(
    answerer: Answerer, build: Build, model: Counting
) -> None:
    build.known = None
    one = ask(answerer, build, "and the cause?", "quillonitis")
    other = ask(answerer, build, "and the cause?", "hepatovarosis")
    assert model.read.count("and the cause?") == 1
    assert "fungus" in " ".join(q.text for q in one.quotes())
    assert "parasite" in " ".join(q.text for q in other.quotes())
    build.known = None
    assert ask(answerer, build, "and the cause?", "hepatovarosis") == other


def test_none_of_its_words_are_kept(answerer: Answerer, build: Build) -> None:
    build.known = None
    ask(answerer, build, "What causes quillonitis in Ada Lovelace?")
    known = answerer.knowledge(build).asked
    assert len(known) >= 1
    for digest, kept in known._kept.items():
        assert len(digest) == 16
        reading = kept.reading
        assert (reading.text, reading.stems, reading.content) == ("", (), ())


def test_of_long_ones_nothing_is_kept(answerer: Answerer, build: Build) -> None:
    build.known = None
    long = "What causes quillonitis? " + "It itches. " * 20
    assert len(long) > LONGEST_KEPT
    compared = answerer.compared(answerer.knowledge(build), long)
    assert compared.reading.text == long
    assert len(answerer.knowledge(build).asked) == 0
