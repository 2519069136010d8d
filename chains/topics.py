"""What the articles are about, and how a question points at them.

Names come from the store: topic, title, aliases, the abbreviations that a text gives behind a
name, and those that a reader makes of one ("PPD"). A question may have a name whole or in part,
shortened, abbreviated or misspelt. Articles of one name are one topic, whoever wrote them.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from rapidfuzz import fuzz, process

from chains.asking import TALK
from chains.recent import Recent
from store.article import Article
from store.index import Build
from store.lexical import FUNCTION_WORDS, stem, terms, words

COMMON = 0.85
"""Rarity below which a word is ordinary English: nine in ten of a text's words are."""
_TYPO = 78
"""Least likeness (Indel ratio, 0 to 100) of a misspelt word and what it stands for."""
_SHORTENED = 0.85
_MISSPELT = 0.9
_ABBREVIATED = 0.8
_LETTERS = 0.6
"""What a name counts when the question has it shortened, misspelt or as letters of it."""
VOCABULARIES = 64
"""Topics whose words are kept in memory; those of another are read in a few milliseconds."""
_BEFORE_A_NAME = frozenset({"a", "an", "the", "my", "your", "our", "about"})
"""Small words that are no part of the name behind them."""
_TELLING_LETTERS = 3
"""Letters of a name that tell as much as one word of it."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a topic. `shout`: an ordinary word that means it in capitals only ("AIDS")."""

    topic: int
    stems: frozenset[str]
    weight: float
    shout: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """How a question names a topic."""

    topic: int
    whole: float
    """Share of the best matching name that the question has, 0 to 1, rare words counting more."""
    amount: float
    """How telling the matched words are, summed; a word in one name only counts 1."""
    matched: frozenset[str]
    """The question's words, lower case, that matched."""


class Topics:
    """The topics of a build. Made once a build; `rarity` is how seldom a word is, 0 to 1."""

    def __init__(self, build: Build, rarity: Callable[[str], float]) -> None:
        self._build = build
        self._rarity = rarity
        self.members, self._of = _grouped(build.articles.values())
        given = [
            (topic, name)
            for topic, slugs in enumerate(self.members)
            for name in dict.fromkeys(n for s in slugs for n in _all_names(build, s))
        ]
        having: dict[str, set[int]] = defaultdict(set)
        for topic, name in given:
            for t in terms(name):
                having[t].add(topic)
        count = max(2, len(self.members))
        self._telling = {
            t: float(np.log(count / len(topics)) / np.log(count)) if len(topics) < count else 0.0
            for t, topics in having.items()
        }
        self._names: list[Name] = []
        self._phrases: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._by_stem: dict[str, list[int]] = defaultdict(list)
        for topic, name in given:
            parts = tuple(words(name))
            if _is_phrase(parts):
                self._phrases[parts].append(topic)
                continue
            stems = frozenset(terms(name))
            weight = sum(self._telling[t] for t in stems)
            if not stems or weight <= 0:
                continue
            shout = name.isupper() and len(stems) == 1 and rarity(name.lower()) < COMMON
            for t in stems:
                self._by_stem[t].append(len(self._names))
            self._names.append(Name(topic, stems, weight, shout))
        self._vocabulary = sorted(t for t in self._telling if len(t) >= 4 and not t.isdigit())
        self._letters: dict[str, list[int]] = defaultdict(list)
        for i, (_, name) in enumerate(given):
            letters = words(name)
            if 2 <= len(letters) <= 8 and letters[0][0].isalpha():
                self._letters[letters[0][0]].append(i)
        self._given = given
        named_by: dict[int, set[str]] = defaultdict(set)
        for given_name in self._names:
            if not given_name.shout:
                named_by[given_name.topic] |= given_name.stems
        self._stems_of = {topic: frozenset(stems) for topic, stems in named_by.items()}
        self._vocabularies: Recent[int, frozenset[str]] = Recent(VOCABULARIES)

    def topic_of(self, slug: str) -> int:
        """The topic of an article."""
        return self._of[slug]

    def rows(self, topic: int) -> list[int]:
        """The passages of all articles of a topic."""
        return [row for slug in self.members[topic] for row in self._build.rows[slug]]

    def stems_of(self, topic: int) -> frozenset[str]:
        """Every stem of a topic's names."""
        return self._stems_of.get(topic, frozenset())

    def vocabulary(self, topic: int) -> frozenset[str]:
        """Every stem of a topic's names and passages."""
        return self._vocabularies.get(topic, self._read_vocabulary)

    def _read_vocabulary(self, topic: int) -> frozenset[str]:
        passages = (self._build.passages[row].embedded for row in self.rows(topic))
        found = {w for text in passages for w in words(text)} - FUNCTION_WORDS
        return self.stems_of(topic) | set(map(stem, found))

    def telling(self, stemmed: str) -> float:
        """How few topics have the stem in a name: 1 for one of them, 0 for all or none."""
        return self._telling.get(stemmed, 0.0)

    def named(self, question: str) -> dict[int, Named]:
        """The topics of which the question has a telling word, each with its best name."""
        meant = self._meant(question)
        shouted = {w.lower() for w in re.findall(r"\b[A-Z][A-Z0-9]+\b", question)}
        reached: dict[int, float] = defaultdict(float)
        for stemmed, (likeness, word) in meant.items():
            for i in self._by_stem.get(stemmed, ()):
                if self._names[i].shout and word not in shouted:
                    continue
                reached[i] += likeness * self._telling[stemmed]
        # Thousands of names have "disease" in them: of a topic's, only the best is looked at.
        found: dict[int, tuple[float, float, float, int]] = {}
        for i, amount in reached.items():
            name = self._names[i]
            whole = amount / name.weight
            old = found.get(name.topic)
            if old is None or (whole * amount, whole) > old[:2]:
                found[name.topic] = (whole * amount, whole, amount, i)
        best = {
            topic: Named(topic, whole, amount, self._matched(i, meant, shouted))
            for topic, (_, whole, amount, i) in found.items()
        }
        for pair in pairwise(words(question)):
            for topic in self._phrases.get(pair, ()):
                if topic not in best or best[topic].whole < 1:
                    best[topic] = Named(topic, 1.0, 1.0, frozenset(pair))
        for word in self._odd(question, shouted):
            for topic, whole in self._abbreviated(word).items():
                if topic not in best or best[topic].whole < whole:
                    amount = whole * len(word) / _TELLING_LETTERS
                    best[topic] = Named(topic, whole, amount, frozenset({word}))
        return best

    def _matched(
        self, i: int, meant: dict[str, tuple[float, str]], shouted: set[str]
    ) -> frozenset[str]:
        name = self._names[i]
        by = (meant[s][1] for s in name.stems if s in meant)
        return frozenset(word for word in by if not name.shout or word in shouted)

    def _meant(self, question: str) -> dict[str, tuple[float, str]]:
        """Name stems that the question's words are or stand for: (likeness, word)."""
        found: dict[str, tuple[float, str]] = {}

        def add(stemmed: str, likeness: float, word: str) -> None:
            if stemmed not in found or found[stemmed][0] < likeness:
                found[stemmed] = (likeness, word)

        for word in dict.fromkeys(words(question)):
            if word in FUNCTION_WORDS:
                continue
            stemmed = stem(word)
            if stemmed in self._telling:
                add(stemmed, 1.0, word)
                continue
            if len(word) < 3 or stemmed in TALK or word.isdigit():
                continue
            if len(word) < 4 and self._rarity(word) < COMMON:
                continue
            longer = self._longer(word) or self._longer(stemmed)
            for t in longer[:8]:
                add(t, _SHORTENED, word)
            if not longer and len(word) >= 5 and self._rarity(word) >= COMMON:
                for t, score, _ in process.extract(
                    stemmed, self._vocabulary, scorer=fuzz.ratio, score_cutoff=_TYPO, limit=3
                ):
                    add(t, _MISSPELT * score / 100, word)
        return found

    def _longer(self, start: str) -> list[str]:
        first = bisect_left(self._vocabulary, start)
        last = bisect_left(self._vocabulary, start + "\uffff")
        return self._vocabulary[first:last]

    def _odd(self, question: str, shouted: set[str]) -> list[str]:
        """The words that may be letters of a name: in capitals, or known nowhere."""
        return [
            w
            for w in dict.fromkeys(words(question))
            if 2 <= len(w) <= 7
            and w not in FUNCTION_WORDS
            and w not in self._telling
            and (w in shouted or (len(w) >= 3 and self._rarity(w) >= 1.0))
        ]

    def _abbreviated(self, letters: str) -> dict[int, float]:
        """The topics with a name that these letters are taken from in order, and what it counts:
        more when they are the first letters of its words and no others."""
        found: dict[int, float] = {}
        for i in self._letters.get(letters[0], ()):
            topic, name = self._given[i]
            if stands_for(letters, name):
                parts = [w for w in words(name) if w not in FUNCTION_WORDS]
                worth = _ABBREVIATED if len(parts) == len(letters) else _LETTERS
                found[topic] = max(worth, found.get(topic, 0.0))
        return found


def _is_phrase(parts: Sequence[str]) -> bool:
    """Whether a name is nothing without a word that otherwise says little ("Down syndrome"): then
    it is named by both words, one behind the other."""
    small = FUNCTION_WORDS.intersection(parts) - _BEFORE_A_NAME
    return len(parts) == 2 and len(small) == 1


def stands_for(letters: str, name: str) -> bool:
    """Whether the letters are taken from the name in order, the first of every word among them
    (after Schwartz & Hearst 2003, from the reader's side)."""
    parts = [w for w in words(name) if w not in FUNCTION_WORDS]
    if not 2 <= len(parts) <= len(letters):
        return False

    def fits(rest: str, at: int) -> bool:
        if at == len(parts):
            return not rest
        part = parts[at]
        if not rest or rest[0] != part[0]:
            return False
        for taken in range(1, len(rest) - (len(parts) - at - 1) + 1):
            inner, where = rest[1:taken], 0
            for c in inner:
                where = part.find(c, where + 1)
                if where < 0:
                    break
            if where >= 0 and fits(rest[taken:], at + 1):
                return True
        return False

    return fits(letters, 0)


def names(article: Article) -> list[str]:
    """The names that the article's author gave its topic."""
    given = [article.topic, *article.aliases]
    if article.topic == article.title or len(words(article.title)) <= 6:
        given.append(article.title)
    return list(dict.fromkeys(given))


def _all_names(build: Build, slug: str) -> list[str]:
    article = build.articles[slug]
    own = names(article)
    text = " ".join(build.passages[row].text for row in build.rows[slug][:8])
    behind = (
        re.search(
            rf"\b{re.escape(name)}s?\s*\(([A-Z][A-Za-z0-9/-]{{1,9}}?)s?\)", text, re.IGNORECASE
        )
        for name in own
        if len(name) > 8
    )
    short = [m.group(1) for m in behind if m and m.group(1).isupper()]
    parts = [p for name in own for p in _parts(name)]
    return list(dict.fromkeys([*own, *parts, *short]))


def _parts(name: str) -> list[str]:
    """What stands before and behind a colon or a dash, outside and inside of brackets."""
    outside = _outside(name)
    inside = re.findall(r"\(([^)]{2,40})\)", name)
    divided = re.split(r"\s*:\s+|\s+[-–—]\s+", outside)
    return [p.strip() for p in (outside, *inside, *divided) if p.strip() and p.strip() != name]


def _outside(name: str) -> str:
    return re.sub(r"\s*\([^)]*\)", "", name)


def _grouped(articles: Iterable[Article]) -> tuple[list[tuple[str, ...]], dict[str, int]]:
    """Articles of one topic together: those whose topic is a name of the other."""
    every = list(articles)
    topic_named: dict[str, list[str]] = defaultdict(list)
    for article in every:
        for key in {_key(article.topic), _key(_outside(article.topic))}:
            topic_named[key].append(article.slug)
    leader: dict[str, str] = {a.slug: a.slug for a in every}

    def find(slug: str) -> str:
        while leader[slug] != slug:
            slug = leader[slug]
        return slug

    for article in every:
        for name in (*names(article), _outside(article.topic)):
            for other in topic_named.get(_key(name), ()):
                first, second = sorted((find(article.slug), find(other)))
                leader[second] = first
    groups: dict[str, list[str]] = defaultdict(list)
    for article in every:
        groups[find(article.slug)].append(article.slug)
    members = [tuple(slugs) for slugs in groups.values()]
    return members, {slug: i for i, slugs in enumerate(members) for slug in slugs}


def _key(name: str) -> str:
    parts = words(name)
    return " ".join(sorted(set(parts if _is_phrase(parts) else terms(name)))) or name
