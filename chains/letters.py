"""Abbreviations that the articles do not use themselves, spelled out in their words.

"PDL" is in no sentence of an article on pulsed dye laser, and the embedding model knows nothing of
it. A topic's texts say what its letters stand for: words that follow each other again and again.
"""

import re
from collections import Counter
from collections.abc import Callable

from chains.recent import Recent
from chains.topics import VOCABULARIES, Topics, stands_for
from store.index import Build
from store.lexical import FUNCTION_WORDS, words

_LETTERS = re.compile(r"(?<![\w-])[A-Za-z]{3,5}(?![\w-])")
_AGAIN = 2
"""Times that words follow each other to be a term with letters of its own."""


class Letters:
    """What the topics of a build abbreviate; the last ones are kept. `rarity` is
    how seldom a word is in general English, 0 to 1."""

    def __init__(self, build: Build, topics: Topics, rarity: Callable[[str], float]) -> None:
        self._build = build
        self._topics = topics
        self._rarity = rarity
        self._terms: Recent[int, tuple[frozenset[str], Counter[str]]] = Recent(VOCABULARIES)

    def spelled_out(self, topic: int, text: str) -> str:
        """The text with the abbreviations spelled out that the topic's texts have in full only."""
        if not _LETTERS.search(text):
            return text
        own, found = self._terms.get(topic, self._read)

        def full(match: re.Match[str]) -> str:
            short = match.group()
            letters = short.lower()
            shouted = short.isupper() and not text.isupper()
            known = letters in own or letters in FUNCTION_WORDS
            if known or not (shouted or self._rarity(letters) >= 1.0):
                return short
            one = letters.removesuffix("s") if len(letters) > 3 else letters
            likely = [t for t in found if stands_for(one, t)]
            exact = [t for t in likely if len(t.split()) == len(one)]
            return max(exact or likely, key=lambda t: found[t], default=short)

        return _LETTERS.sub(full, text)

    def _read(self, topic: int) -> tuple[frozenset[str], Counter[str]]:
        """The words of a topic's passages, and its terms of two to five words with their counts."""
        texts = [words(self._build.passages[row].embedded) for row in self._topics.rows(topic)]
        counts: Counter[str] = Counter()
        for text in texts:
            for n in (2, 3, 4, 5):
                for i in range(len(text) - n + 1):
                    term = text[i : i + n]
                    if not FUNCTION_WORDS.intersection(term) and term[0][0].isalpha():
                        counts[" ".join(term)] += 1
        often = Counter({t: c for t, c in counts.items() if c >= _AGAIN})
        return frozenset(w for text in texts for w in text), often
