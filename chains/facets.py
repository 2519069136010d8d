"""Which aspect a question asks for, and which a passage speaks of: cause, dose, prognosis, ...

Two linear models over the vectors of the embedding model (multinomial logistic regression), learnt
from questions, headings and statements written for the purpose (`benchmarks/fit.py`). A question
that names no aspect is given to none of them.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from store.embeddings import DIMENSIONS
from store.index import Build
from store.tokens import Floats

FACETS = (
    "overview", "cause", "genetics", "inheritance", "risk", "frequency", "symptoms", "diagnosis",
    "stages", "treatment", "dose", "adverse", "contraindication", "prevention", "prognosis",
    "complications", "timing", "population", "diet", "research", "comparison", "evidence",
)  # fmt: skip
_AT_ONCE = 4096
"""Passages whose vectors are in memory at a time."""
OTHER = "other"
"""What a question asks that asks for none of these."""


@lru_cache(1)
def models() -> dict[str, Floats]:
    """The linear models: "question" and "passage" by facet."""
    with np.load(Path(__file__).with_name("facets.npz"), allow_pickle=False) as f:
        return {name: f[name].astype(np.float32) for name in f.files}


def probabilities(weights: Floats, vectors: Floats) -> Floats:
    """Of each class (columns of `weights`, its last row the bias) for each vector, summing to 1."""
    scores = vectors @ weights[:-1] + weights[-1]
    scores -= scores.max(axis=-1, keepdims=True)
    found = np.exp(scores)
    normal: Floats = found / found.sum(axis=-1, keepdims=True)
    return normal


def asked_for(vector: Floats) -> Floats:
    """How likely a question asks for each facet, shape (facets,); they sum to at most 1."""
    if len(vector) != DIMENSIONS:
        return np.zeros(len(FACETS), np.float32)
    found: Floats = probabilities(models()["question"], vector)[: len(FACETS)]
    return found


class Facets:
    """What the passages of a build speak of: per passage, and averaged over its section. Made
    once a build; nil for vectors of another model than the one that this was learnt with."""

    def __init__(self, build: Build) -> None:
        count = len(build.passages)
        self.of_passage = np.zeros((count, len(FACETS)), np.float32)
        if count and build.vectors.shape[1] == DIMENSIONS:
            for at in range(0, count, _AT_ONCE):
                rows = range(at, min(at + _AT_ONCE, count))
                self.of_passage[at : rows.stop] = probabilities(
                    models()["passage"], build.vectors_of(rows)
                )
        self.of_section = self.of_passage.copy()
        self.opens = np.zeros(count, bool)
        """Whether the passage is in the first section of its article."""
        start = 0
        while start < count:
            first = build.passages[start]
            end = start
            while end < count and (
                build.passages[end].article == first.article
                and build.passages[end].section == first.section
            ):
                end += 1
            self.of_section[start:end] = self.of_passage[start:end].mean(axis=0)
            self.opens[start:end] = first.ordinal == 0
            start = end
