"""Which words of a question the articles on a topic do not speak of at all.

Embeddings find what is alike; they do not notice that "in a patient on warfarin" has no
counterpart anywhere in the nearest text. This does: each word of the question that carries
meaning is looked for in the articles, and what is missing is weighed by how much it binds.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from chains.asking import BINDING, TALK
from chains.kinds import Kinds
from chains.recent import Recent
from chains.topics import COMMON, VOCABULARIES, Topics, names
from store.index import Build
from store.lexical import FUNCTION_WORDS, stem, words

TALK_WEIGHT = 0.25
BINDING_WEIGHT = 1.5


@dataclass(frozen=True, slots=True)
class Missing:
    """A word that the article lacks. Weight: 0 says nothing, 1 as much as a rare term."""

    word: str
    weight: float
    binding: bool = False
    """It narrows the question to people, places, money or a medicine that the articles do not
    speak of."""
    narrows: float = 0.0
    """How likely it is a word of a kind that narrows a question at all, 0 to 1."""


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    stems: frozenset[str]
    initials: str
    """First letters of the words of each text, a line each: "pdl" stands in it for "pulsed dye
    laser"."""


class Cover:
    """The vocabularies of a build's topics; the last ones are kept.

    `rarity` says how seldom a word is in general English, 0 to 1; `kinds` what kind of word it is.
    """

    def __init__(
        self,
        build: Build,
        topics: Topics,
        rarity: Callable[[str], float],
        kinds: Kinds | None = None,
    ) -> None:
        self._build = build
        self._topics = topics
        self._rarity = rarity
        self._kinds = kinds
        self._vocabularies: Recent[int, _Vocabulary] = Recent(VOCABULARIES)
        self._subjects = frozenset(
            stem(w) for a in build.articles.values() for name in names(a) for w in words(name)
        )

    def missing(self, topic: int, question: str) -> list[Missing]:
        """The words of the question that the topic's articles do not speak of, heaviest first."""
        vocabulary = self._vocabularies.get(topic, self._read_vocabulary)
        found = [
            Missing(w, self._weight(w), self._binds(w), self._narrows(w))
            for w in dict.fromkeys(words(question))
            if w not in FUNCTION_WORDS and not _speaks_of(vocabulary, w)
        ]
        return sorted(found, key=lambda m: -m.weight)

    def _binds(self, word: str) -> bool:
        # What another article is about binds too: this one is silent on a subject of the store.
        stemmed = stem(word)
        own = stemmed in self._subjects and stemmed not in TALK
        if stemmed in BINDING or (own and self._rarity(word) >= COMMON):
            return True
        return self._is_looked_up(word) and self._kinds is not None and self._kinds.is_strict(word)

    def _narrows(self, word: str) -> float:
        return self._kinds.narrows(word) if self._kinds and self._is_looked_up(word) else 0.0

    def _is_looked_up(self, word: str) -> bool:
        # Ordinary words are spared the time that looking up takes.
        return self._rarity(word) >= COMMON

    def _weight(self, word: str) -> float:
        stemmed = stem(word)
        if stemmed in BINDING or (stemmed in self._subjects and stemmed not in TALK):
            return BINDING_WEIGHT
        rarity = self._rarity(word)
        return rarity * TALK_WEIGHT if stemmed in TALK else rarity

    def _read_vocabulary(self, topic: int) -> _Vocabulary:
        articles = [self._build.articles[slug] for slug in self._topics.members[topic]]
        texts = [self._build.passages[row].embedded for row in self._topics.rows(topic)]
        texts += [text for a in articles for text in (a.title, *names(a))]
        sequences = [words(text) for text in texts]
        initials = "\n".join("".join(w[0] for w in sequence) for sequence in sequences)
        for reference in (r for a in articles for r in a.references):
            sequences += [words(text) for text in (reference.title, *reference.authors[:1])]
        return _Vocabulary(frozenset(map(stem, set().union(*sequences))), initials)


def _speaks_of(vocabulary: _Vocabulary, word: str) -> bool:
    stemmed = stem(word)
    if stemmed in vocabulary.stems or not BINDING.get(stemmed, frozenset()).isdisjoint(
        vocabulary.stems
    ):
        return True
    short = word.rstrip("s")
    if word.isalpha() and 2 <= len(short) <= 5 and len(word) <= 6 and short in vocabulary.initials:
        return True
    if len(word) >= 4 and any(s.startswith(stemmed) for s in vocabulary.stems):
        return True
    if len(word) >= 6:
        near = process.extractOne(stemmed, vocabulary.stems, scorer=fuzz.ratio, score_cutoff=86)
        return near is not None
    return False
