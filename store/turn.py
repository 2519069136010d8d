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


class Role(StrEnum):
    """What describes a person best; it changes wording and emphasis, never the facts cited."""

    PHYSICIAN = "physician"
    NURSE = "nurse"
    PHARMACIST = "pharmacist"
    TRAINEE = "trainee"
    RESEARCHER = "researcher"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Topic:
    """An article as a subject of conversation."""

    slug: str
    title: str
    name: str = ""
    """Its short name; the title is a whole question."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A statement, word for word from its article, with the reply's own citation numbers.

    With a `basis` it is a sentence that a model wrote from the statements of the basis, checked
    against them; article and passage are those of the first.
    """

    text: str
    citations: tuple[int, ...]
    article: str
    passage: str
    marks: tuple[tuple[int, tuple[int, ...]], ...] = ()
    score: float = 0.0
    section: str = ""
    """The id of the section in its article, and the place of the statement in it."""
    position: int = 0
    basis: tuple["Quote", ...] = ()

    @property
    def rests_on(self) -> tuple["Quote", ...]:
        """The statements, word for word, that the reader was shown in these words or in others."""
        return self.basis or (self,)


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


class Composer(StrEnum):
    """How the words of an answer came about."""

    QUOTED = "quoted"
    WRITTEN = "written"


class Note(StrEnum):
    """Why an answer is quoted although a model is there to write it, or is not whole."""

    UNAVAILABLE = "model_unavailable"
    """It failed, or did not finish in time."""
    UNSUPPORTED = "model_unsupported"
    """Too little of what it wrote was supported."""
    SPENT = "model_budget_spent"
    """The reader's tokens of the day are spent."""
    STOPPED = "stopped_by_reader"
    """The reader had read enough while it was being written."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence that a model wrote, and what became of it."""

    text: str
    citations: tuple[str, ...]
    """The keys that it cited."""
    supported: bool
    reason: str
    detail: str = ""
    became: str = "kept"
    """kept, replaced (by a quotation), dropped."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A statement that was found for the question, and how well it fits (larger is better)."""

    article: str
    passage: str
    text: str
    score: float
    key: str = ""
    """What the model knew it by; empty when it was not given to it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How an answer came about, enough to do it again; kept beside the turn."""

    retrieved: tuple[Looked, ...] = ()
    model: str | None = None
    prompt: str = ""
    """SHA-256 (hex) of the prompt's words, without what was filled in."""
    rewritten: str | None = None
    """What the model took the question for, when that was used."""
    rewrite_refused: str | None = None
    """Why what it took the question for was not used."""
    draft: str = ""
    judged: tuple[Judged, ...] = ()
    failure: str | None = None
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    estimated: bool = False
    """The tokens were counted from characters: the provider did not say."""


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
    composer: Composer = Composer.QUOTED
    note: Note | None = None
    replaced: int = 0
    """Sentences of the model that were not supported: quotations stand for them, or nothing."""
    unfinished: bool = False
    """More sentences are still being written and checked."""
    receipt: Receipt = field(default_factory=Receipt, compare=False)
    role: Role | None = None
    """Who it is worded for."""
    abbreviations: tuple[tuple[str, str], ...] = ()
    """Those of the quotes that the articles explain, with what they stand for."""

    def quotes(self) -> tuple[Quote, ...]:
        """Every quote of the reply, in order."""
        return tuple(q for section in self.sections for q in section.statements)

    def rests_on(self) -> tuple[Quote, ...]:
        """Every statement, word for word, that the reply quotes or was written from."""
        return tuple(q for quote in self.quotes() for q in quote.rests_on)


def quote_dict(quote: Quote) -> dict[str, Any]:
    """A statement of a reply as programs read it; `basis` where a model wrote it."""
    shape = {
        "text": quote.text,
        "citations": list(quote.citations),
        "article": quote.article,
        "passage": quote.passage,
        "marks": [[offset, list(numbers)] for offset, numbers in quote.marks],
        "score": round(quote.score, 4),
        "section": quote.section,
        "position": quote.position,
        "written": bool(quote.basis),
    }
    return shape | ({"basis": [quote_dict(q) for q in quote.basis]} if quote.basis else {})


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
                "statements": [quote_dict(q) for q in s.statements],
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
        "composer": turn.composer.value,
        "note": turn.note.value if turn.note else None,
        "replaced": turn.replaced,
        "role": turn.role.value if turn.role else None,
        "abbreviations": [list(pair) for pair in turn.abbreviations],
        "build": turn.build,
        "timings_ms": {k: round(v, 2) for k, v in turn.timings_ms.items()},
    }
