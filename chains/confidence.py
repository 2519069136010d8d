"""How likely the best passage answers the question: a number from 0 to 1.

A logistic regression over what was seen on the way, learnt from dialogues written for the purpose,
as many unanswerable questions counting as answerable ones (`benchmarks/fit.py`). The threshold
below which the assistant refuses is calibrated per store (`chains/calibrate.py`).
"""

from collections.abc import Sequence

import numpy as np

from chains.compare import Compared
from chains.cover import Cover, Missing
from chains.facets import Facets, asked_for
from chains.quantity import gives_what_is_asked
from chains.topics import Topics
from store.index import Hit
from store.lexical import stem
from store.tokens import Floats

FEATURES = (
    "constant", "late", "cosine", "lexical", "section_late", "facet", "facet_asked",
    "unlike", "missing", "binding", "all_missing", "no_amount", "few_words", "elsewhere",
)  # fmt: skip
_LIKE = 0.6
"""Likeness of a piece of the question to one of an article that speaks of it."""
LOOKED_AT = 6
"""Of the best passages, for an amount that the question asks for."""


def features(
    compared: Compared,
    topics: Topics,
    cover: Cover,
    facets: Facets,
    topic: int,
    hits: Sequence[Hit],
    missing: Sequence[Missing] | None = None,
) -> Floats:
    """What describes a question and the passages found for it, best first."""
    build, reading = compared.build, compared.reading
    if missing is None:
        missing = cover.missing(topic, reading.text)
    gone = {stem(m.word) for m in missing}
    subjects = {stem(w) for w in reading.content}
    wanted = asked_for(reading.asked.vector)
    if not hits:
        return np.array([1.0] + [0.0] * (len(FEATURES) - 1), np.float32)
    best = hits[0].row
    rows = [h.row for h in hits]
    likest = compared.likest(rows)
    best_place = (build.passages[best].article, build.passages[best].section)
    section = [
        i
        for i, row in enumerate(rows)
        if (build.passages[row].article, build.passages[row].section) == best_place
    ]
    others = [
        h.score
        for h in compared.nearest()
        if topics.topic_of(build.passages[h.row].article) != topic
    ]
    texts = [build.passages[row].text for row in rows[:LOOKED_AT]]
    amounts = any(gives_what_is_asked(reading.text, text) for text in texts)
    values = {
        "constant": 1.0,
        "late": float(compared.late([best])[0]),
        "cosine": float(compared.cosine([best])[0]),
        "lexical": float(compared.lexical[best]) / compared.most,
        "section_late": float(compared.weigh(likest[section].max(axis=0))),
        "facet": float(facets.of_section[best] @ wanted),
        "facet_asked": float(wanted.sum()),
        "unlike": float(compared.weigh(np.maximum(0.0, _LIKE - likest.max(axis=0)))),
        "missing": min(3.0, sum(m.weight for m in missing)),
        "binding": float(any(m.binding for m in missing)),
        "all_missing": float(bool(subjects) and subjects <= gone),
        "no_amount": float(not amounts),
        "few_words": 1.0 / (1 + len(reading.content)),
        "elsewhere": max(others, default=0.0) - float(compared.cosine(rows).max()),
    }
    return np.array([values[n] for n in FEATURES], np.float32)


def confidence(described: Floats, weights: Sequence[float]) -> float:
    """The probability of an answer, answerable and unanswerable questions being equally common."""
    z = float(np.clip(described @ np.asarray(weights), -30, 30))
    return float(1 / (1 + np.exp(-z)))
