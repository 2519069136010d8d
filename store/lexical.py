"""BM25 over the passages of a build: which words are where, and how telling each one is.

Okapi BM25 (Robertson & Zaragoza 2009) with k1 = 1.2 and b = 0.75, weights computed at build time.
Words are lower-cased, stripped of accents and stemmed (Snowball English); function words are
dropped. Arrays are compressed sparse rows by word: the rows of word w are
`rows[start[w]:start[w + 1]]`.
"""

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
import snowballstemmer

K1, B = 1.2, 0.75

FUNCTION_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being below
    between both but by can could did do does doing done down during each either else few for from
    further get gets give given gives go got had has have having he her here hers him his how i if
    in into is it its itself just let me might more most much must my need needs no nor not now of
    off on once one only or other our out over own per please put same say see she should show so
    some such tell than that the their them then there these they thing this those through to too
    under until up us use used very via was we were what when where whether which while who whom
    whose why will with within without would you your yes ok okay hi hello thanks thank
    """.split()
)
"""Words that say how something is asked rather than what; they carry no topic of their own."""

_WORD = re.compile(r"[a-z0-9]+(?:[.,]\d+)*")
_stemmer = snowballstemmer.stemmer("english")
_stemming = threading.Lock()
"""A stemmer keeps the word in work in itself, and questions are answered in several threads."""


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The Snowball stem of a lower-case word; numbers and short codes stay as they are.

    British and American spellings have one stem (haemangioma, tumour, randomised).
    """
    if len(word) < 4 or any(c.isdigit() for c in word):
        return word
    if len(word) > 5:
        for british, american in _SPELLINGS:
            word = british.sub(american, word)
    with _stemming:
        return str(_stemmer.stemWord(word))


_SPELLINGS = (
    (re.compile(r"ae|oe"), "e"),
    (re.compile(r"our(?=$|s$|ed$|ing$|less$)"), "or"),
    (re.compile(r"is(?=(e|ed|es|ing|ation|ations)$)"), "iz"),
    (re.compile(r"yse(?=(d|s)?$)"), "yze"),
)


def words(text: str) -> list[str]:
    """The lower-case words of the text, accents stripped, hyphens and slashes taken as spaces."""
    flat = text.lower()
    if not flat.isascii():
        decomposed = unicodedata.normalize("NFKD", flat)
        flat = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _WORD.findall(flat)


def terms(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order, with repeats."""
    return [stem(w) for w in words(text) if w not in FUNCTION_WORDS]


class Lexical:
    """An immutable BM25 index; row numbers are the positions of the texts it was built from."""

    def __init__(
        self,
        vocabulary: dict[str, int],
        start: "np.ndarray[Any, np.dtype[np.int64]]",
        rows: "np.ndarray[Any, np.dtype[np.int32]]",
        weights: "np.ndarray[Any, np.dtype[np.float32]]",
        count: int,
    ) -> None:
        self.vocabulary = vocabulary
        self.count = count
        self._start, self._rows, self._weights = start, rows, weights

    @classmethod
    def build(cls, texts: Sequence[str]) -> "Lexical":
        """The index of these texts."""
        counted = [Counter(terms(t)) for t in texts]
        lengths = np.array([sum(c.values()) for c in counted], np.float64)
        mean = max(float(lengths.mean()) if len(texts) else 1.0, 1.0)
        postings: dict[str, list[tuple[int, int]]] = {}
        for row, counts in enumerate(counted):
            for term, n in counts.items():
                postings.setdefault(term, []).append((row, n))
        vocabulary = {term: i for i, term in enumerate(sorted(postings))}
        start = np.zeros(len(vocabulary) + 1, np.int64)
        rows, weights = [], []
        for term, i in vocabulary.items():
            where = np.array([r for r, _ in postings[term]], np.int32)
            tf = np.array([n for _, n in postings[term]], np.float64)
            norm = tf + K1 * (1 - B + B * lengths[where] / mean)
            rows.append(where)
            weights.append((_idf(len(where), len(texts)) * tf * (K1 + 1) / norm).astype(np.float32))
            start[i + 1] = start[i] + len(where)
        return cls(
            vocabulary,
            start,
            np.concatenate(rows) if rows else np.zeros(0, np.int32),
            np.concatenate(weights) if weights else np.zeros(0, np.float32),
            len(texts),
        )

    def idf(self, term: str) -> float:
        """How telling a stem is: ln(1 + (N - n + 0.5) / (n + 0.5)); greatest when unknown."""
        return _idf(self.frequency(term), self.count)

    def frequency(self, term: str) -> int:
        """Number of passages that have the stem."""
        i = self.vocabulary.get(term)
        return 0 if i is None else int(self._start[i + 1] - self._start[i])

    def rows_of(self, term: str) -> "np.ndarray[Any, np.dtype[np.int32]]":
        """The passages that have the stem."""
        i = self.vocabulary.get(term)
        return self._rows[0:0] if i is None else self._rows[self._start[i] : self._start[i + 1]]

    def scores(self, query: Iterable[str]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """BM25 of every passage for these stems, shape (count,); larger is better."""
        total = np.zeros(self.count, np.float32)
        for term in set(query):
            i = self.vocabulary.get(term)
            if i is not None:
                span = slice(self._start[i], self._start[i + 1])
                total[self._rows[span]] += self._weights[span]
        return total

    def dumps(self) -> bytes:
        """The index as bytes (NumPy's .npz)."""
        out = BytesIO()
        np.savez(
            out,
            vocabulary=np.frombuffer("\n".join(self.vocabulary).encode(), np.uint8),
            start=self._start,
            rows=self._rows,
            weights=self._weights,
            count=np.array([self.count]),
        )
        return out.getvalue()

    @classmethod
    def loads(cls, raw: bytes) -> "Lexical":
        """The index from its bytes."""
        with np.load(BytesIO(raw), allow_pickle=False) as f:
            text = f["vocabulary"].tobytes().decode()
            vocabulary = {term: i for i, term in enumerate(text.split("\n") if text else [])}
            return cls(vocabulary, f["start"], f["rows"], f["weights"], int(f["count"][0]))


def _idf(n: int, total: int) -> float:
    return float(np.log(1 + (total - n + 0.5) / (n + 0.5)))
