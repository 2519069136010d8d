"""Abbreviations written out, as the articles themselves explain them.

An article explains one in three ways: "extracellular vesicle (EV)", "EV (extracellular vesicle)",
and a name beside its letters among its names ("PDL" and "pulsed dye laser"). What none explains
is not in the list: nothing comes from anywhere else.
"""

import re
from collections.abc import Iterable, Iterator

from rapidfuzz import fuzz

from store.article import Article

_SAME = 80
"""Likeness (0 to 100) from which two forms of a name are one: "haemangioma", "hemangiomas"."""
_SHORT = r"[A-Z](?:[A-Za-z0-9]|[-/](?=[A-Z0-9])){1,7}"
_BEFORE = re.compile(rf"((?:[\w'’-]+ ){{1,10}})\(({_SHORT})s?\)")
_BEHIND = re.compile(rf"(?<![\w-])({_SHORT}) \(([a-z][\w'’ -]{{5,80}})\)")
_IN_USE = re.compile(rf"(?<![\w-])({_SHORT})(?![\w-])")


def glossary(article: Article) -> dict[str, str]:
    """By abbreviation what it stands for, where the article says so."""
    found: dict[str, str] = {}
    texts = [
        *_names(article),
        *(s.text for section in article.sections for s in section.statements),
        *(reference.title for reference in article.references),
    ]
    for text in texts:
        for before, short in _BEFORE.findall(text):
            _add(found, short, _from_behind(before.split(), short))
        for short, behind in _BEHIND.findall(text):
            if _has_letters(behind.split(), short):
                _add(found, short, behind)
    names = _names(article)
    for short in dict.fromkeys(short for name in names for short in _IN_USE.findall(name)):
        spelt = [run for name in names for run in _initials(name, short)]
        if spelt and all(fuzz.ratio(spelt[0], other) >= _SAME for other in spelt):
            _add(found, short, spelt[0])
    return found


def spelled_out(texts: Iterable[str], articles: Iterable[Article]) -> tuple[tuple[str, str], ...]:
    """The abbreviations in the texts, in order of first use, that one of the articles explains and
    the texts themselves do not."""
    known: dict[str, str] = {}
    for article in articles:
        known = glossary(article) | known
    said = list(texts)
    lowered = " ".join(said).lower()
    used = dict.fromkeys(short for text in said for short in _IN_USE.findall(text))
    pairs = ((short, known.get(short) or known.get(short.removesuffix("s"))) for short in used)
    return tuple((s, full) for s, full in pairs if full and full.lower() not in lowered)


def _names(article: Article) -> list[str]:
    return list(dict.fromkeys((article.topic, article.title, *article.aliases)))


def _is_short(name: str) -> bool:
    return re.fullmatch(_SHORT, name) is not None and sum(c.isupper() for c in name) >= 2


def _add(found: dict[str, str], short: str, full: str | None) -> None:
    if full and _is_short(short):
        found.setdefault(short, full)


def _letters(short: str) -> str:
    return "".join(c for c in short.lower() if c.isalpha())


def _from_behind(words: list[str], short: str) -> str | None:
    """The fewest last words, the first of which begins with the first letter, that have the letters
    in order."""
    for count in range(1, min(len(words), len(short) + 5) + 1):
        tail = words[-count:]
        if tail[0][:1].lower() == short[0].lower() and _has_letters(tail, short):
            return " ".join(tail)
    return None


def _has_letters(words: list[str], short: str) -> bool:
    """Whether the words have the letters in order, each word's first or after another of it; and
    whether no word is without a part in it but small ones."""
    letters = _letters(short)
    text = " ".join(words).lower()
    if not letters or len(text) <= len(short) + 2 or text[:1] != letters[0]:
        return False
    at = 0
    for letter in letters:
        at = text.find(letter, at) + 1
        if at == 0:
            return False
    starts = [w[0].lower() for w in words if len(w) > 3]
    return all(s in letters for s in starts)


def _initials(name: str, short: str) -> Iterator[str]:
    """The runs of words in the name of which the abbreviation has the first letters."""
    letters = _letters(short)
    if len(letters) != len(short):
        return
    words = list(re.finditer(r"[^\W\d_]+", name))
    for start in range(len(words) - len(letters) + 1):
        run = words[start : start + len(letters)]
        firsts = [w.group()[0].lower() for w in run]
        if firsts == list(letters) and all(len(w.group()) > 2 for w in run):
            yield " ".join(name[run[0].start() : run[-1].end()].lower().split())
