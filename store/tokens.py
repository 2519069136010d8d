"""Word pieces in their context: late interaction over the passages of a build.

A passage is more than its one vector: each of its word pieces has a vector of its own, which the
model makes on the way. A question is compared piece by piece: each of its pieces with the one of
the passage that is most alike, weighed by how rare it is (MaxSim; Khattab & Zaharia 2020,
ColBERT). Of a passage's pieces only the signs are kept, 48 bytes each; against the question's
whole vectors that ranks as the vectors themselves do (the asymmetric estimate of RaBitQ, Gao &
Long 2024, without its rotation, which this model's vectors do not need).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from store.rows import Rows, rows_at

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Floats = np.ndarray[Any, np.dtype[np.float32]]
Ids = np.ndarray[Any, np.dtype[np.uint16]]
Signs = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model makes of a passage."""

    vector: Floats
    """Unit vector, shape (dimensions,)."""
    ids: Ids
    """Its word pieces, shape (pieces,)."""
    signs: Signs
    """Signs of the pieces' vectors, a bit each, shape (pieces, dimensions / 8)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the model makes of a question. Without word pieces where the model gives none."""

    vector: Floats
    ids: Ids
    tokens: Floats
    """Unit vectors of the pieces, shape (pieces, dimensions)."""


@runtime_checkable
class Reader(Protocol):
    """An embedding model that also gives the vectors of word pieces."""

    def readings(self, texts: list[str]) -> Iterator[Reading]:
        """One reading a text, in order."""

    def asked(self, text: str) -> Asked:
        """The question as it is compared."""


def read_passages(model: "Embeddings", texts: list[str]) -> Iterator[Reading]:
    """One reading a text, in order; without word pieces where the model gives none."""
    if isinstance(model, Reader):
        yield from model.readings(texts)
        return
    for vector in model.embed_documents(texts):
        yield Reading(np.asarray(vector, np.float32), NO_IDS, NO_SIGNS)


def read_question(model: "Embeddings", text: str) -> Asked:
    """The question as it is compared; without word pieces where the model gives none."""
    if isinstance(model, Reader):
        return model.asked(text)
    vector = np.asarray(model.embed_query(text), np.float32)
    norm = float(np.linalg.norm(vector))
    return Asked(vector / norm if norm else vector, NO_IDS, np.zeros((0, 0), np.float32))


NO_IDS: Ids = np.zeros(0, np.uint16)
NO_SIGNS: Signs = np.zeros((0, 0), np.uint8)


def signs_of(tokens: Floats) -> Signs:
    """The signs of these vectors, packed eight to a byte."""
    return np.packbits(tokens > 0, axis=1)


class Tokens:
    """The word pieces of a build's passages; those of row r are `start[r]:start[r + 1]`."""

    def __init__(
        self, start: "np.ndarray[Any, np.dtype[np.int64]]", ids: Ids, signs: Signs | Rows
    ) -> None:
        self._start, self._ids, self._signs = start, ids, signs
        self._idf = _idf(start, ids)

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> "Tokens | None":
        """The pieces of these passages, in order; None where one has none."""
        if not readings or not all(len(r.ids) for r in readings):
            return None
        start = np.zeros(len(readings) + 1, np.int64)
        start[1:] = np.cumsum([len(r.ids) for r in readings])
        ids = np.concatenate([r.ids for r in readings])
        return cls(start, ids, np.concatenate([r.signs for r in readings]))

    def __len__(self) -> int:
        return len(self._start) - 1

    def row(self, row: int) -> tuple[Ids, Signs]:
        """The pieces of one passage and their signs."""
        span = slice(int(self._start[row]), int(self._start[row + 1]))
        return self._ids[span], self._all_signs[span]

    @cached_property
    def _all_signs(self) -> Signs:
        return self._signs.whole() if isinstance(self._signs, Rows) else self._signs

    def idf(self, ids: Ids) -> Floats:
        """How telling each piece is: ln(1 + (N - n + 0.5) / (n + 0.5)) for n of N passages."""
        found: Floats = self._idf[ids]
        return found

    def likest(self, tokens: Floats, rows: Sequence[int]) -> Floats:
        """For each passage and each of these vectors the likeness of the passage's most alike
        piece, about -1 to 1, shape (rows, vectors)."""
        index = np.asarray(rows, np.intp)
        spans = list(zip(self._start[index].tolist(), self._start[index + 1].tolist(), strict=True))
        if isinstance(self._signs, Rows):
            signs: Signs = self._signs.spans(spans)
        else:
            signs = np.concatenate([self._signs[first:last] for first, last in spans])
        found = np.empty((len(signs), len(tokens)), np.float32)
        twice = np.ascontiguousarray(2 * tokens.T)
        for at in range(0, len(signs), _AT_ONCE):
            part = slice(at, at + _AT_ONCE)
            bits = np.unpackbits(signs[part], axis=1, count=tokens.shape[1])
            # sign = 2 bit - 1, so the product with signs follows from that with bits.
            np.matmul(bits.astype(np.float32), twice, out=found[part])
        found -= tokens.sum(axis=1)
        found *= 1 / np.sqrt(tokens.shape[1])
        starts = np.cumsum([0, *(last - first for first, last in spans[:-1])])
        best: Floats = np.maximum.reduceat(found, starts, axis=0)
        return best

    def save(self, folder: Path) -> None:
        """Writes tokens.npz and, apart because it is large, signs.npy."""
        np.savez(folder / "tokens.npz", start=self._start, ids=self._ids)
        np.save(folder / "signs.npy", self._all_signs)

    @classmethod
    def load(cls, folder: Path) -> "Tokens":
        """What `save` wrote; many signs stay on disk until they are compared."""
        with np.load(folder / "tokens.npz", allow_pickle=False) as f:
            return cls(f["start"], f["ids"], rows_at(folder / "signs.npy"))

    def close(self) -> None:
        """Lets go of what is on disk; nothing may be comparing."""
        if isinstance(self._signs, Rows):
            self._signs.close()


_VOCABULARY = 1 << 16
_AT_ONCE = 512
"""Pieces that are compared at a time: their numbers stay within the processor's cache, and what
each thread needs for it stays small."""


def _idf(start: "np.ndarray[Any, np.dtype[np.int64]]", ids: Ids) -> Floats:
    total = len(start) - 1
    owner = np.repeat(np.arange(total, dtype=np.int64), np.diff(start))
    pairs = np.unique(owner * _VOCABULARY + ids) if len(ids) else np.zeros(0, np.int64)
    n = np.bincount((pairs % _VOCABULARY).astype(np.int64), minlength=_VOCABULARY)
    found: Floats = np.log(1 + (total - n + 0.5) / (n + 0.5)).astype(np.float32)
    return found
