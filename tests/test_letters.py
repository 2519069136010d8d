"""Abbreviations are spelled out in the words of the articles."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from invented import Counting, build_of

from chains.answer import Answerer, _spelled_out
from chains.letters import Letters
from chains.topics import Topics
from store.article import ServingRules
from store.conversations import Recalled
from store.embeddings import MiniLM
from store.parse import parse_bytes
from store.reload import SAMPLES


@pytest.fixture(scope="module")
def spelled() -> dict[str, object]:
    model = MiniLM()
    parsed = [parse_bytes(path.read_bytes(), path) for path in sorted(SAMPLES.glob("*.md"))]
    build = build_of([p.article for p in parsed if p.article], model)
    topics = Topics(build, model.rarity)
    return {"letters": Letters(build, topics, model.rarity), "topics": topics}


@pytest.mark.parametrize(
    ("slug", "typed", "read"),
    [
        ("infantile-hemangioma", "early PDL vs wait", "early pulsed dye laser vs wait"),
        ("infantile-hemangioma", "early pdl vs wait", "early pulsed dye laser vs wait"),
        ("topical-exosomes", "exosomes vs PRP", "exosomes vs platelet rich plasma"),
        ("pdl-port-wine", "redo PWS?", "redo port wine stains?"),
        ("actinic-keratosis", "PDT pain", "photodynamic therapy pain"),
        ("infantile-hemangioma", "ECG first?", "ECG first?"),
        ("infantile-hemangioma", "why the fog and the sun?", "why the fog and the sun?"),
        ("infantile-hemangioma", "XQZ?", "XQZ?"),
    ],
)
def test_letters_become_words(spelled: dict[str, object], slug: str, typed: str, read: str) -> None:
    letters, topics = spelled["letters"], spelled["topics"]
    assert isinstance(letters, Letters)
    assert isinstance(topics, Topics)
    assert letters.spelled_out(topics.topic_of(slug), typed) == read


def test_a_question_with_letters_is_read_once() -> None:
    model = Counting()
    parsed = [parse_bytes(path.read_bytes(), path) for path in sorted(SAMPLES.glob("*.md"))]
    build = build_of([p.article for p in parsed if p.article], model)
    rules = ServingRules(serve_under_review=True)
    answerer = Answerer(embeddings=model, rules=rules, rarity=model.rarity)
    model.read.clear()
    turn = answerer.answer(build, Recalled("c", "actinic-keratosis"), "PDT pain")
    assert turn.topic is not None
    assert turn.topic.slug == "actinic-keratosis"
    assert turn.question == "PDT pain"
    assert [text for text in model.read if "pain" in text] == ["photodynamic therapy pain"]


@dataclass(frozen=True)
class Named:
    matched: frozenset[str]


def known_to(named: dict[int, Named]) -> Any:
    """A build where CLS can be written out for topic 1, and these topics are named."""
    letters = SimpleNamespace(spelled_out=lambda _, text: text.replace("CLS", "cat liver scan"))
    return SimpleNamespace(letters=letters, topics=SimpleNamespace(named=lambda _: named))


@pytest.mark.parametrize(
    ("named", "read"),
    [
        ({}, "and cat liver scan?"),
        ({1: Named(frozenset({"cls"}))}, "and cat liver scan?"),
        ({2: Named(frozenset({"other"}))}, "and cat liver scan?"),
        ({1: Named(frozenset({"cls"})), 2: Named(frozenset({"cls"}))}, "and CLS?"),
    ],
)
def test_letters_of_another_topic_are_left_to_it(named: dict[int, Named], read: str) -> None:
    assert _spelled_out(known_to(named), 1, "and CLS?") == read
