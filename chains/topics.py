"""What articles are called, and which of them a question names.

Names come from the store: topic, aliases, and abbreviations made of a name's initials.
"""

from collections import Counter
from dataclasses import dataclass

from chains.asking import TALK
from store.article import Article
from store.index import Build
from store.lexical import terms, words


@dataclass(frozen=True, slots=True)
class Named:
    """An article that a question names, with how telling the name is (summed idf)."""

    slug: str
    weight: float
    terms: frozenset[str]


class Topics:
    """The names of a build's articles. Made once a build."""

    def __init__(self, build: Build) -> None:
        self._names: list[tuple[frozenset[str], str, float]] = []
        self._terms: dict[str, frozenset[str]] = {}
        for article in build.articles.values():
            every: set[str] = set()
            for name in names(article):
                stems = frozenset(terms(name))
                if stems:
                    weight = sum(build.lexical.idf(t) for t in stems)
                    self._names.append((stems, article.slug, weight))
                    every |= stems
            self._terms[article.slug] = frozenset(every)
        self._owners = Counter(t for own in self._terms.values() for t in own)
        self._idf = build.lexical.idf

    def terms_of(self, slug: str) -> frozenset[str]:
        """Every stem of an article's names."""
        return self._terms.get(slug, frozenset())

    def hinted(self, question: str) -> list[Named]:
        """The articles of which the question has a word that is in no other article's names,
        most telling first: "keloids" where one article is "laser for keloids"."""
        asked = frozenset(terms(question)) - TALK
        found = []
        for slug, own in self._terms.items():
            only = frozenset(t for t in asked & own if self._owners[t] == 1)
            if only:
                found.append(Named(slug, sum(self._idf(t) for t in only), only))
        return sorted(found, key=lambda n: -n.weight)

    def sharing(self, subjects: set[str]) -> list[str]:
        """The articles among whose names are all of these stems."""
        return [slug for slug, own in self._terms.items() if subjects and subjects <= own]

    def named(self, question: str) -> list[Named]:
        """The articles whose whole name the question has, most telling first.

        A name that lies within another matched name does not count: "keloid" is not meant by
        "keloid after burns" when both are names.
        """
        asked = frozenset(terms(question))
        best: dict[str, Named] = {}
        for stems, slug, weight in self._names:
            if stems <= asked and (slug not in best or weight > best[slug].weight):
                best[slug] = Named(slug, weight, stems)
        found = sorted(best.values(), key=lambda n: -n.weight)
        return [n for n in found if not any(n.terms < other.terms for other in found)]


def names(article: Article) -> list[str]:
    """Every name of the article, its own abbreviations included."""
    given = [article.topic, *article.aliases]
    if article.topic == article.title or len(words(article.title)) <= 6:
        given.append(article.title)
    return list(dict.fromkeys(given))
