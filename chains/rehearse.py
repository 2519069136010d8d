"""Puts questions to the build that is served and to the one that is to be, and compares.

The probes of the articles that change come first, then an even sample of the others (what is
written in one article can change what another is found for), then real questions that had
quoted a changed article, each in the context in which it was asked.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings

from chains.answer import Answerer
from store.article import Article
from store.index import Build
from store.records import AskedBefore, Recalled
from store.report import Difference, Rehearsal
from store.tokens import Asked, Reading, read_passages, read_question
from store.turn import Turn

if TYPE_CHECKING:
    from store.index import Progress

MOST_PROBES = 200
"""Of the articles that change."""
MOST_OTHERS = 60
_IN_REHEARSAL = "rehearsal"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question to put, in its context, and what a right answer quotes (None: not known)."""

    article: str
    question: str
    context: Recalled
    turn: int | None = None
    right: frozenset[str] | None = None
    """Empty: it must be refused."""


class Remembering(Embeddings):
    """Embeds the same question once: it is put to two builds."""

    def __init__(self, inner: Embeddings) -> None:
        self._inner = inner
        self._read: Callable[[str], Asked] = lru_cache(2048)(
            lambda text: read_question(inner, text)
        )

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._inner.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        found: list[float] = self._read(text).vector.tolist()
        return found

    def readings(self, texts: list[str]) -> Iterator[Reading]:
        """What the inner model makes of these passages."""
        return read_passages(self._inner, texts)

    def asked(self, text: str) -> Asked:
        """What the inner model makes of the question."""
        return self._read(text)


def rehearse(
    old: Build | None,
    new: Build,
    touched: Sequence[str],
    real: Sequence[AskedBefore],
    answerer: Answerer,
    progress: "Progress",
) -> Rehearsal:
    """What the new build answers otherwise than the old one; without an old one, which probes it
    does not hold. `touched` names the articles that were added, changed or removed."""
    before = old.articles if old else {}
    asked = [*_probes({**before, **new.articles}, touched)]
    probes = len(asked)
    for question in real:
        quoted = [a["slug"] for a in question.turn.answer.get("articles", ())]
        about = next((s for s in quoted if s in touched), question.turn.topic or "")
        asked.append(_Asked(about, question.turn.question, question.before, question.turn.id))
    # One build after the other: what an answerer reads of a build once is kept for the last one.
    builds = [b for b in (old, new) if b is not None]
    total = len(asked) * len(builds)
    replies: list[list[Turn]] = []
    for n, build in enumerate(builds):
        replies.append([])
        for i, a in enumerate(asked):
            replies[n].append(answerer.answer(build, _within(build, a.context), a.question))
            if i % 10 == 9 or i + 1 == len(asked):
                progress("rehearsing", n * len(asked) + i + 1, total)
    after = replies[-1]
    held = [_holds(a, r) for a, r in zip(asked[:probes], after, strict=False)]
    if old is None:
        failing = [a for a, right in zip(asked, held, strict=False) if not right]
        differences: list[Difference] = []
    else:
        failing = [
            a
            for a, right, then in zip(asked, held, replies[0], strict=False)
            if not right and _holds(a, then) and a.article in new.articles
        ]
        differences = [*_differences(asked, replies[0], after)]
    return Rehearsal(
        probes=probes,
        held=sum(held),
        questions=len(asked) - probes,
        differences=tuple(differences),
        failing=tuple((a.article, a.question) for a in failing),
    )


def _probes(articles: dict[str, Article], touched: Sequence[str]) -> Iterator[_Asked]:
    first = [a for s in touched if s in articles for a in _of(articles[s])]
    others = [a for s in articles if s not in set(touched) for a in _of(articles[s])]
    picked = np.unique(np.linspace(0, len(others) - 1, min(MOST_OTHERS, len(others))).astype(int))
    yield from first[:MOST_PROBES]
    yield from (others[i] for i in picked)


def _of(article: Article) -> Iterator[_Asked]:
    opened = Recalled(_IN_REHEARSAL, topic=article.slug)
    for probe in article.answerable:
        yield _Asked(
            article.slug, probe.question, opened, right=frozenset(probe.statements) or None
        )
    for refused in article.unanswerable:
        yield _Asked(article.slug, refused.question, opened, right=frozenset())


def _within(build: Build, context: Recalled) -> Recalled:
    """The context as it would be with that build: a topic that it does not have is none."""
    if context.topic is None or context.topic in build.articles:
        return context
    return Recalled(context.conversation_id, None, context.turns)


def _holds(asked: _Asked, reply: Turn) -> bool:
    quoted = {q.text for q in reply.quotes()}
    if not asked.right:
        return asked.right is None or not quoted
    # A probe can name a piece of a statement.
    return any(piece in text for piece in asked.right for text in quoted)


def _differences(
    asked: Sequence[_Asked], before: Sequence[Turn], after: Sequence[Turn]
) -> Iterator[Difference]:
    for a, then, now in zip(asked, before, after, strict=True):
        quoted_then, quoted_now = ([q.text for q in t.quotes()] for t in (then, now))
        cited_then, cited_now = ([s.reference.identity for s in t.sources] for t in (then, now))
        if (then.kind, quoted_then, set(cited_then)) == (now.kind, quoted_now, set(cited_now)):
            continue
        yield Difference(
            article=a.article,
            question=a.question if a.turn is None else None,
            turn=a.turn,
            before=then.kind.value,
            after=now.kind.value,
            lost=tuple(k for k in cited_then if k not in cited_now),
            gained=tuple(k for k in cited_now if k not in cited_then),
        )
