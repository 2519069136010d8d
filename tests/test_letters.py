"""Abbreviations are spelled out in the words of the articles."""

import pytest
from invented import build_of

from chains.letters import Letters
from chains.topics import Topics
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
