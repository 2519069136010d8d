"""A question against the passages of a build: three likenesses, each computed once a passage."""

import copy
from collections.abc import Sequence

import numpy as np

from chains.reading import Reading
from store.index import Build, Hit
from store.tokens import Floats

NEAREST = 20
TELLING = 0.01
"""Share of a question's weight from which one of its word pieces is compared."""
MOST_ROWS = 60
"""Passages of one topic that are compared piece by piece; of more, those that look best."""


class Compared:
    """The likenesses of one question to the passages of one build."""

    def __init__(self, build: Build, reading: Reading) -> None:
        self.build = build
        self.reading = reading
        self.lexical = build.lexical.scores(reading.stems)
        """BM25 of every passage."""
        self.most = sum(build.lexical.idf(t) for t in reading.stems) * 2.2 or 1.0
        """What BM25 would be for a passage that has every word of the question often."""
        asked, tokens = reading.asked, build.tokens
        self._pieces, self._weights = asked.tokens[:0], np.zeros(0, np.float32)
        if tokens is not None and len(asked.tokens):
            idf = tokens.idf(asked.ids)
            weights = idf / max(float(idf.sum()), 1e-6)
            # Most of a question's pieces are in nearly every passage: "the", "of", the marks.
            telling = weights >= min(TELLING, float(weights.max()))
            self._pieces, self._weights = asked.tokens[telling], weights[telling]
        self._likest: dict[int, Floats] = {}
        self._cosine: dict[int, float] = {}
        self._nearest: list[Hit] = []

    def shared_by(self, reading: Reading) -> "Compared":
        """The same for another reading of the same question; each has what the other finds."""
        other = copy.copy(self)
        other.reading = reading
        return other

    def nearest(self) -> list[Hit]:
        """The passages of the whole store nearest to the question by the index, nearest first."""
        if not self._nearest:
            self._nearest[:] = self.build.nearest(self.reading.asked.vector, NEAREST)
        return self._nearest

    def cosine(self, rows: Sequence[int]) -> Floats:
        """Cosine similarity of question and passage, -1 to 1."""
        new = [r for r in dict.fromkeys(rows) if r not in self._cosine]
        if new:
            found = self.build.vectors_of(new) @ self.reading.asked.vector
            self._cosine.update(zip(new, found.tolist(), strict=True))
        return np.array([self._cosine[r] for r in rows], np.float32)

    def likest(self, rows: Sequence[int]) -> Floats:
        """For each passage and piece of the question the likeness of the passage's likest piece,
        shape (rows, pieces). Without word pieces: cosine similarity and words in common, as of
        one piece."""
        tokens = self.build.tokens
        if not len(rows):
            return np.zeros((0, len(self._weights) or 1), np.float32)
        if tokens is None or not len(self._pieces):
            words = self.lexical[np.asarray(rows, np.intp)] / self.most
            return (self.cosine(rows) + words)[:, None].astype(np.float32)
        new = [r for r in dict.fromkeys(rows) if r not in self._likest]
        if new:
            found = tokens.likest(self._pieces, new)
            self._likest.update(zip(new, found, strict=True))
        return np.array([self._likest[r] for r in rows])

    def weigh(self, likest: Floats) -> Floats:
        """Late interaction: the likenesses of the pieces in one number, rare ones counting more;
        about 0 to 1."""
        return likest @ self._weights if len(self._weights) else likest[..., 0]

    def late(self, rows: Sequence[int]) -> Floats:
        """`weigh` of each passage."""
        return self.weigh(self.likest(rows))

    def best_looking(self, rows: Sequence[int], most: int = MOST_ROWS) -> list[int]:
        """At most so many of these passages: those of the highest cosine similarity and BM25."""
        if len(rows) <= most:
            return list(rows)
        looks = self.cosine(rows) + 0.5 * self.lexical[np.asarray(rows)] / self.most
        return [rows[i] for i in np.argsort(-looks, kind="stable")[:most]]
