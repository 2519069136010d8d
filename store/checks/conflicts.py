"""Guideline and research sentences that speak of one thing and gainsay each other.

Words decide, so it errs both ways: it asks the author to look.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from store.article import Article, Part, Statement
from store.checks.plainer import ascii_words
from store.checks.problem import Problem, cut
from store.checks.sides import ABOUT_GUIDELINES, CHANGE, GAINSAYS, MATTERS, Matter
from store.lexical import FUNCTION_WORDS, stem, words

_MAX_CONFLICTS = 5
_OBJECT_WORDS = 6
_ENDS_OBJECT = frozenset("after in with by at on during when before than among for from".split())
_MAX_SIDE = 150
"""Statements of one part that take one side, beyond which the rest are not compared."""
_MAX_STEMMED = 6_000
"""Different words an article that are reduced to stems; some 0.1 s of time."""
_LEAST_SHARED = 2
_LEAST_ALIKE = 0.4
_MANY_SHARED = 3
_LEAST_ALIKE_OF_MANY = 0.3
"""Stems that two sentences must share, and how much of the shorter one's subject that must be.
Set on the samples, where nothing fires from 0.25 up, and on made-up pairs that should."""

_OF_NO_SUBJECT = frozenset(
    map(
        stem,
        "address advise against article author avoid beneficial benefit clinical data describe "
        "difference direct directly effect effective efficacy established evidence expert found "
        "guideline improve improvement insufficient patient people person provided random "
        "randomised recommend recommendation report research result review safe safety say should "
        "significant study studies summary support systematic trial well year month week".split(),
    )
)
"""Stems of words with which anything is said, so that sharing them is no common subject."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sentence:
    """A statement with its text and its different words in lower case."""

    statement: Statement
    text: str
    words: dict[str, None]


class _Stems:
    """The telling stems of sentences and how rare each is among them."""

    def __init__(self, sentences: Sequence[_Sentence]) -> None:
        self._words = Counter(w for s in sentences for w in s.words)
        self._count = len(sentences)
        self._allowed = set(islice(self._words, _MAX_STEMMED))

    def of(self, text: str) -> dict[str, float]:
        """Each stem with its weight: the greater, the fewer sentences have the word; 0.8 to 3.3."""
        found: dict[str, float] = {}
        for word in words(text):
            if word not in FUNCTION_WORDS and word in self._allowed:
                name = stem(word)
                if name not in _OF_NO_SUBJECT:
                    weight = 1 / (0.3 + self._words[word] / self._count)
                    found[name] = max(found.get(name, 0), weight)
        return found


def unrecorded_conflicts(article: Article) -> Iterator[Problem]:
    """The strongest pair of each guideline statement that research gainsays, strongest first.

    At most five an article. Pairs that a recorded conflict speaks of are left alone.
    """
    ours, theirs = _sentences(article, Part.GUIDELINES), _sentences(article, Part.RESEARCH)
    if not ours or not theirs:
        return
    pairs = _opposed(ours, theirs)
    if not pairs:
        return
    stems = _Stems([*ours, *theirs])
    known = {s: stems.of(s.text) for s in dict.fromkeys(s for _, *two in pairs for s in two)}
    recorded = [stems.of(c.text).keys() for c in article.conflicts]
    ranked: list[tuple[float, str, _Sentence, _Sentence]] = []
    for matter, one, other in pairs:
        alike, shared = _likeness(known[one], known[other])
        least = _LEAST_ALIKE if len(shared) < _MANY_SHARED else _LEAST_ALIKE_OF_MANY
        if len(shared) < _LEAST_SHARED or alike < least:
            continue
        if any(len(shared & c) >= _LEAST_SHARED for c in recorded):
            continue
        if matter != CHANGE.name or _changes_one_thing(one.text, other.text):
            ranked.append((alike, matter, one, other))
    ranked.sort(key=lambda r: -r[0])
    strongest: dict[_Sentence, Problem] = {}
    for _, matter, one, other in ranked:
        if one not in strongest and len(strongest) < _MAX_CONFLICTS:
            strongest[one] = _conflict(matter, one.statement, other.statement)
    yield from strongest.values()


def _conflict(matter: str, ours: Statement, theirs: Statement) -> Problem:
    said = (
        f"the parts seem to disagree on {matter}, and no `conflicts` line says so; add one, or "
        f"reword: guidelines {cut(ours.text, 160)}, research (line {theirs.line}) "
        f"{cut(theirs.text, 160)}"
    )
    return Problem("warning", "unrecorded_conflict", said, ours.line)


def _sentences(article: Article, part: Part) -> list[_Sentence]:
    found = []
    for section, statement in article.statements():
        if section.part is part:
            text = statement.text.lower()
            found.append(_Sentence(statement, text, dict.fromkeys(ascii_words(text))))
    return found


def _opposed(
    ours: Sequence[_Sentence], theirs: Sequence[_Sentence]
) -> list[tuple[str, _Sentence, _Sentence]]:
    """(matter, guideline sentence, research sentence) of those that take opposite sides."""
    first = _sides(ours, MATTERS)
    ways = [(one[0], *way) for one, other in GAINSAYS for way in ((one, other), (other, one))]
    gainsaid = {yours[0] for _, mine, yours in ways if mine in first}
    second = _sides(theirs, [m for m in MATTERS if m.name in gainsaid])
    return [
        (matter, one, other)
        for matter, mine, yours in ways
        for one in first.get(mine, ())
        for other in second.get(yours, ())
    ]


def _sides(
    sentences: Sequence[_Sentence], matters: Sequence[Matter]
) -> dict[tuple[str, str], list[_Sentence]]:
    """The sentences that take a side, by matter and side."""
    found: dict[tuple[str, str], list[_Sentence]] = {}
    for sentence in sentences:
        hinted = [m for m in matters if not m.hints.isdisjoint(sentence.words)]
        if not hinted or ABOUT_GUIDELINES.search(sentence.text):
            continue
        for matter in hinted:
            side = matter.side(sentence.text)
            if side:
                some = found.setdefault((matter.name, side), [])
                if len(some) < _MAX_SIDE:
                    some.append(sentence)
    return found


def _changes_one_thing(one: str, other: str) -> bool:
    """Whether what goes up in the one sentence is what goes down in the other, in lower case."""
    things: list[set[str]] = []
    for text in (one, other):
        verb = CHANGE.no.search(text) or CHANGE.yes.search(text)
        behind = words(text[verb.end() :])[:_OBJECT_WORDS] if verb else []
        object_ = takewhile(lambda w: w not in _ENDS_OBJECT, behind)
        things.append({stem(w) for w in object_ if w not in FUNCTION_WORDS})
    return bool(things[0] & things[1])


def _likeness(one: dict[str, float], other: dict[str, float]) -> tuple[float, frozenset[str]]:
    """How much of the shorter sentence's subject is in the other, 0 to 1, and what they share."""
    shared = frozenset(one.keys() & other.keys())
    least = min(sum(one.values()), sum(other.values()))
    return sum(min(one[s], other[s]) for s in shared) / least if least else 0.0, shared
