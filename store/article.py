"""The nouns of the store: an article, what it states, and what of it may be quoted.

Plain frozen values with no library behind them, so that most of the program can be read and
tested without Chroma, SQL or a model.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar


class Status(StrEnum):
    """Where an article stands in review. The order is the order of the steps."""

    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    APPROVED = "approved"
    RETIRED = "retired"
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    """What a reviewer can do with an article. The value is the word of the command."""

    SUBMIT = "submit"
    START = "start"
    APPROVE = "approve"
    RETURN = "return"
    RETIRE = "retire"
    WITHDRAW = "withdraw"


_ANY = frozenset(Status)

MOVES: dict[Move, tuple[frozenset[Status], Status]] = {
    Move.SUBMIT: (frozenset({Status.SUBMITTED}), Status.SUBMITTED),
    Move.START: (
        frozenset({Status.SUBMITTED, Status.APPROVED, Status.RETIRED}),
        Status.UNDER_REVIEW,
    ),
    Move.APPROVE: (frozenset({Status.UNDER_REVIEW}), Status.APPROVED),
    Move.RETURN: (frozenset({Status.UNDER_REVIEW, Status.APPROVED}), Status.SUBMITTED),
    Move.RETIRE: (frozenset({Status.APPROVED}), Status.RETIRED),
    Move.WITHDRAW: (_ANY - {Status.WITHDRAWN}, Status.WITHDRAWN),
}
"""From which (effective) statuses a move is allowed, and where it leads; nothing else is.

`submit` on a submitted article hands the present text in again, after a return or an edit.
"""

_ENDS_APPROVAL = frozenset({"submit", "start", "return", "reject", "retire", "withdraw"})


class Caution(StrEnum):
    """Why a reply carries a caution banner. Later members are weaker ground."""

    REVIEW_OVERDUE = "review_overdue"
    UNDER_REVIEW = "under_review"


CAUTION_ORDER = (Caution.REVIEW_OVERDUE, Caution.UNDER_REVIEW)


class Part(StrEnum):
    """The two halves of an article. The value is the heading a reader sees."""

    GUIDELINES = "From the guidelines"
    RESEARCH = "From the research"


@dataclass(frozen=True, slots=True)
class Reference:
    """A numbered source in an article. Fields that were not verified are absent, never guessed."""

    number: int
    key: str
    kind: str
    title: str
    authors: tuple[str, ...] = ()
    journal: str | None = None
    year: int | None = None
    volume: str | None = None
    pages: str | None = None
    pmid: str | None = None
    doi: str | None = None
    accession: str | None = None
    url: str | None = None
    retracted: bool = False
    grade: str | None = None

    @property
    def identity(self) -> str:
        """What makes two references one source, also under other keys: PMID, else DOI, else key."""
        return self.pmid or self.doi or self.key

    @property
    def link(self) -> str | None:
        """Where the source can be opened: PubMed, else the DOI resolver, else its own page."""
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"
        if self.doi:
            return f"https://doi.org/{self.doi}"
        return self.url


_T = TypeVar("_T")


@lru_cache(maxsize=10_000)
def _shared(value: _T) -> _T:
    """An equal value that is there already, so that it is in memory once."""
    return value


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence or bullet, as the article has it, without its citation markers.

    `marks` says where the markers stood: (offset into `text`, numbers), so that a citation in
    mid-sentence stays with the words it supports.
    """

    text: str
    citations: tuple[int, ...]
    marks: tuple[tuple[int, tuple[int, ...]], ...] = ()
    line: int = 0
    block: int = 0

    def __post_init__(self) -> None:
        # A large store has some hundred thousand of these, and few that differ.
        object.__setattr__(self, "citations", _shared(self.citations))
        object.__setattr__(self, "marks", _shared(self.marks))

    @property
    def reports_absence(self) -> bool:
        """True when the sentence says that something was not found: the article is its source."""
        return bool(_ABSENCE.match(self.text))


_ABSENCE = re.compile(
    r"no\b.*\b(found|identified|available|exists?|address(es|ed)?|reported|published)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Section:
    """The statements under one heading of one part. `id` is unique within the article."""

    id: str
    part: Part
    heading: str
    statements: tuple[Statement, ...]

    @property
    def title(self) -> str:
        """The part, and the sub-heading where there is one."""
        return f"{self.part.value}: {self.heading}" if self.heading else self.part.value


@dataclass(frozen=True, slots=True)
class Review:
    """One editorial decision, pinned to the text that was read."""

    by: str
    at: date
    decision: str
    sha256: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class AnswerableProbe:
    """A follow-up that the article must answer, and the statements that answer it."""

    question: str
    statements: tuple[str, ...]
    paraphrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnanswerableProbe:
    """A follow-up that the article must refuse, and why."""

    question: str
    reason: str = ""


class _Digested:
    """Keeps a digest that costs a reading of the whole text; it is no part of the value."""

    __slots__ = ("_sha256",)
    _sha256: str


@dataclass(frozen=True, slots=True)
class Article(_Digested):
    """One vetted answer to one title question."""

    slug: str
    title: str
    topic: str
    status: Status
    updated: date
    sections: tuple[Section, ...]
    references: tuple[Reference, ...]
    aliases: tuple[str, ...] = ()
    review_by: date | None = None
    reviews: tuple[Review, ...] = ()
    conflicts: tuple[Statement, ...] = ()
    answerable: tuple[AnswerableProbe, ...] = ()
    unanswerable: tuple[UnanswerableProbe, ...] = ()
    notice: str = ""

    def statements(self) -> Iterator[tuple[Section, Statement]]:
        """Every statement with its section, in reading order."""
        for section in self.sections:
            for statement in section.statements:
                yield section, statement

    def reference(self, number: int) -> Reference:
        """The reference with that number; KeyError when the article has none."""
        for reference in self.references:
            if reference.number == number:
                return reference
        raise KeyError(number)

    def sha256(self) -> str:
        """SHA-256 (hex) of all that a reader can be shown; what an approval is pinned to.

        It covers wording, citations, references, conflicts and notice, and leaves out status,
        reviews, dates and probes, which change without changing what is claimed.
        """
        if not hasattr(self, "_sha256"):
            object.__setattr__(self, "_sha256", self._digest())
        return self._sha256

    def _digest(self) -> str:
        shown: dict[str, Any] = {
            "title": self.title,
            "topic": self.topic,
            "aliases": self.aliases,
            "sections": [
                [s.part.value, s.heading, [[t.text, t.marks] for t in s.statements]]
                for s in self.sections
            ],
            "references": [reference_dict(r) for r in self.references],
            "conflicts": [[c.text, c.marks] for c in self.conflicts],
        }
        if self.notice:
            shown["notice"] = self.notice
        canonical = json.dumps(shown, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def approvers(self) -> tuple[str, ...]:
        """Who approved exactly this text, one entry a person, since it last lost its approval."""
        found: dict[str, str] = {}
        pinned = self.sha256()
        for review in reversed(self.reviews):
            if review.decision in _ENDS_APPROVAL:
                break
            if review.decision != Move.APPROVE:
                continue
            if review.sha256 != pinned:
                break
            found[same_person(review.by)] = review.by
        return tuple(reversed(found.values()))

    def effective_status(self, approvals: int = 1) -> Status:
        """The status that counts: approved means that `approvals` people approved this text."""
        if self.status is Status.APPROVED and len(self.approvers()) < approvals:
            return Status.UNDER_REVIEW
        return self.status


def same_person(name: str) -> str:
    """A name without what may differ between two spellings of it: case, spaces, code points."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


@dataclass(frozen=True, slots=True)
class ServingRules:
    """What may be quoted besides approved articles."""

    serve_under_review: bool = False
    grace_days: int = 90
    """Days after `review_by` during which an approved article is still served, with a caution."""
    approvals: int = 1
    """How many different people must have approved the text."""


def is_served(article: Article, rules: ServingRules, today: date) -> bool:
    """Whether anything of the article may be quoted today."""
    status = article.effective_status(rules.approvals)
    if status is Status.UNDER_REVIEW:
        return rules.serve_under_review
    if status is not Status.APPROVED:
        return False
    # Subtracted, for adding the grace to the year 9999 is an error.
    return article.review_by is None or (today - article.review_by).days <= rules.grace_days


def caution_for(article: Article, today: date) -> Caution | None:
    """The caution that quoting this article brings; None for approved and up to date."""
    if article.effective_status() is not Status.APPROVED:
        return Caution.UNDER_REVIEW
    if article.review_by is not None and today > article.review_by:
        return Caution.REVIEW_OVERDUE
    return None


def weakest(cautions: Iterator[Caution | None]) -> Caution | None:
    """The caution that decides for a reply quoting several articles."""
    present = [c for c in cautions if c is not None]
    return max(present, key=CAUTION_ORDER.index) if present else None


def is_quotable(article: Article, statement: Statement) -> bool:
    """Whether the statement has ground to stand on: a source not retracted, or an absence."""
    if not statement.citations:
        return statement.reports_absence
    return any(not article.reference(n).retracted for n in statement.citations)


def quote_digest(text: str, sources: Iterable[str]) -> str:
    """SHA-256 (hex) of a statement with the identities of its sources, in any order.

    It tells whether what somebody was shown still stands: other words or other sources are
    another statement.
    """
    parts = [text, *sorted(set(sources))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def quote_digests(article: Article) -> frozenset[str]:
    """The digest of every statement of the article that may be quoted."""
    return frozenset(
        quote_digest(s.text, [article.reference(n).identity for n in s.citations])
        for _, s in article.statements()
        if is_quotable(article, s)
    )


@dataclass(frozen=True, slots=True)
class Passage:
    """What is embedded and retrieved: a few statements of one section that belong together.

    Its words are the article's, which are in memory once; its text is put together when asked for.
    """

    id: str
    article: str
    section: str
    ordinal: int
    statements: tuple[int, ...]
    """Positions of its statements in the section."""
    topic: str = field(repr=False)
    source: Section = field(repr=False)

    @property
    def text(self) -> str:
        """The statements, joined by spaces."""
        return _text_of(self.source, self.statements)

    @property
    def embedded(self) -> str:
        """The text that the embedding model reads: topic and heading in front."""
        return _embedded(self.topic, self.source, self.statements)

    @property
    def sha256(self) -> str:
        """Of what the model reads, hex."""
        return hashlib.sha256(self.embedded.encode()).hexdigest()


def _text_of(section: Section, statements: Sequence[int]) -> str:
    return " ".join(section.statements[i].text for i in statements)


def _embedded(topic: str, section: Section, statements: Sequence[int]) -> str:
    lead = ". ".join(x for x in (topic, section.heading) if x)
    return f"{lead}. {_text_of(section, statements)}"


_FEWEST_WORDS = 8
"""A bullet shorter than this says too little on its own to be found, and joins its neighbour."""
_MOST_WORDS = 110
"""About 170 word pieces: with topic and heading it stays within the model's 256."""


def passages(article: Article) -> list[Passage]:
    """The article cut where its author cut it: bullet by bullet, paragraph by paragraph.

    Short neighbours are joined, long paragraphs divided between sentences.
    """
    found: list[Passage] = []
    seen: set[str] = set()
    for section in article.sections:
        quotable = [i for i, s in enumerate(section.statements) if is_quotable(article, s)]
        for group in _groups(section, quotable):
            embedded = _embedded(article.topic, section, group)
            digest = hashlib.sha256(embedded.encode()).hexdigest()
            name = f"{article.slug}#{digest[:10]}"
            while name in seen:
                name += "'"
            seen.add(name)
            ordinal = len(found)
            found.append(
                Passage(
                    name, article.slug, section.id, ordinal, tuple(group), article.topic, section
                )
            )
    return found


def _groups(section: Section, quotable: list[int]) -> Iterator[list[int]]:
    group: list[int] = []
    words = 0
    for i in quotable:
        statement = section.statements[i]
        count = len(statement.text.split())
        if group:
            same_block = section.statements[group[-1]].block == statement.block
            joins = same_block or words < _FEWEST_WORDS or count < _FEWEST_WORDS
            if not joins or words + count > _MOST_WORDS:
                yield group
                group, words = [], 0
        group.append(i)
        words += count
    if group:
        yield group


def reference_dict(r: Reference) -> dict[str, Any]:
    """The reference as programs read it."""
    return {
        "n": r.number,
        "key": r.key,
        "kind": r.kind,
        "title": r.title,
        "authors": list(r.authors),
        "journal": r.journal,
        "year": r.year,
        "volume": r.volume,
        "pages": r.pages,
        "pmid": r.pmid,
        "doi": r.doi,
        "accession": r.accession,
        "url": r.url,
        "retracted": r.retracted,
        "grade": r.grade,
    }


def with_markers(text: str, marks: tuple[tuple[int, tuple[int, ...]], ...]) -> str:
    """The text with its citation markers back where they stood, e.g. "… at 12 weeks. [1, 2]"."""
    out, last = [], 0
    for offset, numbers in marks:
        out.append(text[last:offset])
        out.append(" [" + ", ".join(map(str, numbers)) + "]")
        last = offset
    out.append(text[last:])
    return "".join(out)


def article_dict(article: Article) -> dict[str, Any]:
    """The article as programs read it (`corollary articles show SLUG --json`)."""
    return {
        "slug": article.slug,
        "title": article.title,
        "topic": article.topic,
        "aliases": list(article.aliases),
        "status": article.effective_status().value,
        "notice": article.notice,
        "updated": article.updated.isoformat(),
        "review_by": article.review_by.isoformat() if article.review_by else None,
        "sha256": article.sha256(),
        "reviews": [
            {
                "by": r.by,
                "at": r.at.isoformat(),
                "decision": r.decision,
                "sha256": r.sha256,
                "note": r.note,
            }
            for r in article.reviews
        ],
        "references": [reference_dict(r) for r in article.references],
        "sections": [
            {
                "title": s.part.value,
                "heading": s.heading or None,
                "statements": [
                    {"text": t.text, "citations": list(t.citations)} for t in s.statements
                ],
            }
            for s in article.sections
        ],
        "conflicts": [with_markers(c.text, c.marks) for c in article.conflicts],
        "probes": {
            "answerable": [
                {
                    "question": p.question,
                    "paraphrases": list(p.paraphrases),
                    "statements": list(p.statements),
                }
                for p in article.answerable
            ],
            "unanswerable": [
                {"question": p.question, "reason": p.reason} for p in article.unanswerable
            ],
        },
    }
