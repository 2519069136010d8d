"""The nouns of a conversation: what a reply says, before it is put into words for a screen."""

from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from store.article import Article, Caution, Part, Reference, Status


class Kind(StrEnum):
    """What sort of reply a turn ended in."""

    ANSWERED = "answered"
    PARTLY_ANSWERED = "partly_answered"
    NOT_COVERED = "not_covered"
    NEEDS_CLARIFICATION = "needs_clarification"
    NEW_TOPIC = "new_topic"
    OUT_OF_SCOPE = "out_of_scope"
    PATIENT_SPECIFIC = "patient_specific"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Topic:
    """An article as a subject of conversation."""

    slug: str
    title: str
    name: str = ""
    """Its short name; the title is a whole question."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A statement, word for word from its article, with the reply's own citation numbers."""

    text: str
    citations: tuple[int, ...]
    article: str
    passage: str
    marks: tuple[tuple[int, tuple[int, ...]], ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class AnswerSection:
    """The quotes of one part, in reading order."""

    part: Part
    statements: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What a citation number of the reply stands for, and the articles it came through."""

    n: int
    reference: Reference
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArticleNote:
    """An article that was quoted, with the review status and date that a reader must see."""

    slug: str
    title: str
    status: Status
    updated: date
    notice: str = ""

    @classmethod
    def of(cls, article: Article) -> "ArticleNote":
        """The note for an article."""
        return cls(
            article.slug,
            article.title,
            article.effective_status(),
            article.updated,
            article.notice,
        )


@dataclass(frozen=True, slots=True)
class Nearest:
    """Where the store comes closest to a question that it does not answer."""

    slug: str
    title: str
    section: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and all that the reply to it says."""

    kind: Kind
    question: str
    conversation_id: str
    build: str
    read_as: str | None = None
    topic: Topic | None = None
    previous_topic: Topic | None = None
    """Set when the topic changed, so that the reader can go back."""
    sections: tuple[AnswerSection, ...] = ()
    sources: tuple[Source, ...] = ()
    articles: tuple[ArticleNote, ...] = ()
    caution: Caution | None = None
    conflicts: tuple[str, ...] = ()
    reason: str | None = None
    uncovered: tuple[str, ...] = ()
    """Words of the question that the article does not speak of, though it answers the rest."""
    nearest: Nearest | None = None
    options: tuple[Topic, ...] = ()
    """The topics to choose from when a question needs clarification."""
    followups: tuple[str, ...] = ()
    ranked: tuple[tuple[str, str, float], ...] = ()
    """The best (article, section id, score), best first: what was looked at, quoted or not."""
    text_asked: str = ""
    """What was looked for: the question without its lead-in, or the one carried over."""
    confidence: float = 0.0
    """Larger where the store fits better; comparable between questions to one build only."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    id: int | None = None

    def quotes(self) -> tuple[Quote, ...]:
        """Every quote of the reply, in order."""
        return tuple(q for section in self.sections for q in section.statements)


def turn_dict(turn: Turn) -> dict[str, Any]:
    """The turn as programs read it, without the words that the door adds."""
    return {
        "kind": turn.kind.value,
        "question": turn.question,
        "conversation": turn.conversation_id,
        "turn": turn.id,
        "read_as": turn.read_as,
        "topic": asdict(turn.topic) if turn.topic else None,
        "previous_topic": asdict(turn.previous_topic) if turn.previous_topic else None,
        "sections": [
            {
                "title": s.part.value,
                "statements": [
                    {
                        "text": q.text,
                        "citations": list(q.citations),
                        "article": q.article,
                        "passage": q.passage,
                        "marks": [[offset, list(numbers)] for offset, numbers in q.marks],
                        "score": round(q.score, 4),
                    }
                    for q in s.statements
                ],
            }
            for s in turn.sections
        ],
        "sources": [
            {
                "n": s.n,
                "key": s.reference.key,
                "kind": s.reference.kind,
                "first_author": s.reference.authors[0] if s.reference.authors else None,
                "title": s.reference.title,
                "journal": s.reference.journal,
                "year": s.reference.year,
                "pmid": s.reference.pmid,
                "doi": s.reference.doi,
                "url": s.reference.link,
                "articles": list(s.articles),
            }
            for s in turn.sources
        ],
        "articles": [
            {
                "slug": a.slug,
                "title": a.title,
                "status": a.status.value,
                "updated": a.updated.isoformat(),
                "notice": a.notice,
            }
            for a in turn.articles
        ],
        "caution": turn.caution.value if turn.caution else None,
        "conflicts": list(turn.conflicts),
        "reason": turn.reason,
        "uncovered": list(turn.uncovered),
        "nearest": asdict(turn.nearest) if turn.nearest else None,
        "options": [asdict(o) for o in turn.options],
        "followups": list(turn.followups),
        "ranked": [[slug, section, round(score, 4)] for slug, section, score in turn.ranked],
        "text_asked": turn.text_asked,
        "confidence": round(turn.confidence, 4),
        "build": turn.build,
        "timings_ms": {k: round(v, 2) for k, v in turn.timings_ms.items()},
    }
