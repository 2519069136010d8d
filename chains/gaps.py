"""Unanswered questions, grouped by meaning.

One pass over the questions, oldest first: each joins the group whose middle it is most alike, or
opens one of its own (leader clustering). That is enough for a list that a person reads, and its
cost grows with the number of groups, not with the square of the questions.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from store.records import Gap

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

ALIKE = 0.65
"""Cosine similarity from which two questions are taken for one. Of questions on one treatment,
different ones reached 0.63; rewordings lie between 0.6 and 0.98, with an abbreviation in one of
them as low as 0.4 (all-MiniLM-L6-v2): those make two groups."""


@dataclass(frozen=True, slots=True)
class GapGroup:
    """Questions that ask alike."""

    question: str
    """The one nearest to the middle of the group, in somebody's own words."""
    questions: int
    people: int
    article: str | None
    """The article that most of them came nearest to."""
    section: str | None
    reason: str
    first_at: datetime
    last_at: datetime


@dataclass(slots=True)
class _Growing:
    total: Any
    members: list[int] = field(default_factory=list)

    def middle(self) -> Any:
        return self.total / (np.linalg.norm(self.total) or 1.0)


def group(
    gaps: Sequence[Gap],
    embeddings: "Embeddings",
    fewest: int = 1,
    is_own: Callable[[str], bool] = lambda user_id: False,
) -> tuple[list[GapGroup], int]:
    """The groups, those most people asked first, and how many questions are kept out of them.

    A group of fewer than `fewest` people is left out, but for what those asked whose own
    questions the reader may see. `gaps` come in any order.
    """
    if not gaps:
        return [], 0
    ordered = sorted(gaps, key=lambda g: g.id)
    texts = list(dict.fromkeys(g.question for g in ordered))
    raw = np.asarray(embeddings.embed_documents(texts), np.float32)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    unit = dict(zip(texts, raw / np.where(lengths == 0, 1, lengths), strict=True))
    found, hidden = [], 0
    for grown in _grow([unit[g.question] for g in ordered]):
        members = [ordered[i] for i in grown.members]
        if len({g.user_id for g in members}) < fewest:
            own = [g for g in members if is_own(g.user_id)]
            hidden += len(members) - len(own)
            members = own
        if members:
            found.append(_told(grown, members, unit))
    return sorted(found, key=lambda g: (-g.people, -g.questions, -g.last_at.timestamp())), hidden


def _grow(vectors: Sequence[Any]) -> list[_Growing]:
    groups: list[_Growing] = []
    middles = np.zeros((0, len(vectors[0])), np.float32)
    for i, vector in enumerate(vectors):
        scores = middles @ vector
        best = int(np.argmax(scores)) if len(scores) else -1
        if best < 0 or scores[best] < ALIKE:
            groups.append(_Growing(vector.copy(), [i]))
            middles = np.vstack([middles, vector])
            continue
        groups[best].total += vector
        groups[best].members.append(i)
        middles[best] = groups[best].middle()
    return groups


def _told(grown: _Growing, members: list[Gap], unit: dict[str, Any]) -> GapGroup:
    middle = grown.middle()
    article, section = Counter((g.article, g.section) for g in members).most_common(1)[0][0]
    return GapGroup(
        question=max(members, key=lambda g: float(unit[g.question] @ middle)).question,
        questions=len(members),
        people=len({g.user_id for g in members}),
        article=article,
        section=section,
        reason=Counter(g.reason for g in members).most_common(1)[0][0],
        first_at=min(g.noticed_at for g in members),
        last_at=max(g.noticed_at for g in members),
    )
