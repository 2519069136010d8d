"""Which topic a question means, given what was spoken of.

Every topic that the question could mean is described by a few numbers: how it is named, how near
its passages are, whether it is under discussion. A linear model ranks them (a conditional logit,
McFadden 1974), learnt from dialogues written for the purpose (`benchmarks/fit.py`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chains.compare import Compared
from chains.learned import LEARNED
from chains.retrieve import near
from chains.topics import Named, Topics
from store.lexical import stem
from store.tokens import Floats

MOST_NAMED = 12
NAMED_CLOSELY = 3
WHOLE_NAME = 0.99
"""Share of a name from which a question has all of it."""
PART_OF_A_NAME = 2.0
"""Log odds by which a topic is likelier whose whole name has the name of the other in it."""
OF_A_TOPIC = 8
"""Passages of a topic that are compared to tell topics apart."""

OTHER = (
    "spoken_of", "before", "whole", "amount", "whole_amount", "whole_squared", "all_of_it",
    "foreign", "bare", "lexical", "cosine", "late", "late_gap", "cosine_gap", "turning",
    "returning", "pointing", "whole_late_gap",
)  # fmt: skip
"""What describes a topic that is not under discussion."""
CURRENT = ("stays", "named", "late_", "cosine_", "lexical_", "late_lead", "short", "empty")
"""What describes the one that is."""
WEIGHTS = np.array([LEARNED["topic"].get(n, 0.0) for n in OTHER + CURRENT], np.float32)

_TURNING = re.compile(
    r"\b(?:and (?:for|in|with)|(?:what|how) about|same (?:q|question|thing)?\s*(?:for|in)|"
    r"(?:diff(?:erent)?|next|another|other|new|2nd|second) (?:pt|patient|one|case|kid|child|lady|"
    r"gent|guy|man|woman|baby|topic|question)|instead|now|switching|moving on)\b",
    re.IGNORECASE,
)
_RETURNING = re.compile(
    r"\b(?:back to|again|return(?:ing)?(?: to)?|re|going back|earlier|first (?:one|pt|patient))\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|its|this|that|these|those|they|them|their|he|she|his|her|him|both)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A topic that the question could mean."""

    topic: int
    features: Floats
    """In the order of OTHER and CURRENT; those of one of the two are nil."""
    named: Named | None
    score: float
    turns: bool = False
    """The question says that it leaves a topic or goes back to one."""


def candidates(
    compared: Compared, topics: Topics, current: int | None, before: Sequence[int]
) -> list[Candidate]:
    """The topics that the question could mean, likeliest first. `before` are earlier topics of
    the conversation."""
    reading = compared.reading
    named = topics.named(reading.text)
    by_name = sorted(named.values(), key=lambda n: -n.whole * n.amount)[:MOST_NAMED]
    rows = _rows(compared, topics, [n.topic for n in by_name], current, before)
    if not rows:
        return []
    every = [row for own in rows.values() for row in own]
    late = _best(rows, compared.late(every))
    cosine = _best(rows, compared.cosine(every))
    lexical = _best(rows, compared.lexical[every] / compared.most)
    best_late, best_cosine = max(late.values()), max(cosine.values())
    known = frozenset() if current is None else topics.vocabulary(current)
    turning, returning, pointing = (
        bool(p.search(reading.text)) for p in (_TURNING, _RETURNING, _POINTING)
    )
    found = []
    content = set(reading.content)
    for topic in rows:
        name = named.get(topic)
        whole = min(1.0, name.whole) if name else 0.0
        amount = min(3.0, name.amount) if name else 0.0
        foreign = (
            sum(topics.telling(t) for t in {stem(w) for w in name.matched} - known) if name else 0.0
        )
        if topic == current:
            rival = max((v for t, v in late.items() if t != topic), default=0.0)
            values = dict(
                stays=1, named=whole * amount, late_=late[topic], cosine_=cosine[topic],
                lexical_=lexical[topic], late_lead=late[topic] - rival,
                short=len(reading.content) <= 2, empty=not reading.content,
            )  # fmt: skip
        else:
            values = dict(
                spoken_of=current is not None, before=topic in before, whole=whole, amount=amount,
                whole_amount=whole * amount, whole_squared=whole * whole,
                all_of_it=whole >= WHOLE_NAME,
                foreign=min(2.0, foreign) * whole,
                bare=len(content & name.matched) / len(content) if name and content else 0.0,
                lexical=lexical[topic], cosine=cosine[topic], late=late[topic],
                late_gap=late[topic] - best_late, cosine_gap=cosine[topic] - best_cosine,
                turning=(turning or returning) * whole, returning=returning * (topic in before),
                pointing=pointing * whole, whole_late_gap=whole * (late[topic] - best_late),
            )  # fmt: skip
        features = np.array([values.get(n, 0.0) for n in OTHER + CURRENT], np.float32)
        score = float(features @ WEIGHTS)
        found.append(Candidate(topic, features, name, score, turning or returning))
    return sorted(_by_the_longer_name(found, current), key=lambda c: -c.score)


def _by_the_longer_name(found: Sequence[Candidate], current: int | None) -> Iterator[Candidate]:
    """The candidates, those put back whose name is a part of another's that the question has
    whole ("angina" in "variant angina"), or that it does not name when it names another."""
    whole = [(c.named, c.score) for c in found if c.named and c.named.whole >= WHOLE_NAME]
    for one in found:
        above = [
            score
            for name, score in whole
            if (one.named is None and name.amount >= 1)
            or (one.named is not None and one.named.matched < name.matched)
        ]
        if above and (one.topic != current or one.named is not None):
            yield replace(one, score=min(one.score, max(above) - PART_OF_A_NAME))
        else:
            yield one


def _best(rows: Mapping[int, Sequence[int]], of_rows: Floats) -> dict[int, float]:
    """The highest value of each topic's rows, which follow each other; 0 for one without."""
    with_rows = [topic for topic, own in rows.items() if own]
    starts = np.cumsum([0, *(len(rows[topic]) for topic in with_rows)])[:-1]
    best = np.maximum.reduceat(of_rows, starts).tolist() if with_rows else []
    return dict.fromkeys(rows, 0.0) | dict(zip(with_rows, best, strict=True))


def _rows(
    compared: Compared,
    topics: Topics,
    by_name: Sequence[int],
    current: int | None,
    before: Sequence[int],
) -> dict[int, list[int]]:
    """The passages to compare, by topic: the nearest of the store, and more of those topics that
    are named or were spoken of."""
    rows: dict[int, list[int]] = defaultdict(list)
    for row in near(compared):
        rows[topics.topic_of(compared.build.passages[row].article)].append(row)
    spoken_of = [*([] if current is None else [current]), *before]
    for topic in dict.fromkeys([*by_name, *spoken_of]):
        if topic in spoken_of or topic in by_name[:NAMED_CLOSELY] or topic not in rows:
            own = compared.best_looking(topics.rows(topic), OF_A_TOPIC)
            rows[topic] = list(dict.fromkeys([*rows[topic], *own]))
    return rows
