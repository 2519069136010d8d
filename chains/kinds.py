"""What kind of thing a word is: whether an answer that does not speak of it can be one.

A linear model over the vector of the word alone (multinomial logistic regression), learnt from
lists written for the purpose (`benchmarks/fit.py`). It knows words that no list has: what reads
like a medicine, an illness or a group of people is one. Ordinary words are of no kind.
"""

from typing import TYPE_CHECKING

import numpy as np

from chains.asking import TALK
from chains.facets import models, probabilities
from store.embeddings import DIMENSIONS
from store.lexical import stem
from store.tokens import read_question

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

KINDS = ("medicine", "condition", "people", "procedure", "body", "thing")
"""Kinds of words that narrow a question. The model has one more class, of all other words."""
_STRICT = (KINDS.index("medicine"), KINDS.index("people"))
MOST_KEPT = 20_000


class Kinds:
    """The kinds of words, each looked up once. Of no kind with another embedding model than the
    one that this was learnt with."""

    def __init__(self, embeddings: "Embeddings") -> None:
        self._embeddings = embeddings
        self._kept: dict[str, tuple[float, float]] = {}

    def narrows(self, word: str) -> float:
        """How likely the word is of one of the kinds, 0 to 1."""
        return self._of(word)[0]

    def is_strict(self, word: str) -> bool:
        """Whether it is a medicine or a group of people: what is said of others is no answer."""
        return self._of(word)[1] >= 0.5

    def _of(self, word: str) -> tuple[float, float]:
        if word.isdigit() or stem(word) in TALK:
            return 0.0, 0.0
        if word not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            vector = read_question(self._embeddings, word).vector
            known = len(vector) == DIMENSIONS
            found = probabilities(models()["word"], vector)[:-1] if known else np.zeros(len(KINDS))
            self._kept[word] = float(found.sum()), float(found[list(_STRICT)].sum())
        return self._kept[word]
