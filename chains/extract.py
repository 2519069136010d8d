"""The extractive answer: statements word for word, with their sources, in reading order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from store.article import (
    Article,
    Part,
    Section,
    ServingRules,
    Statement,
    is_quotable,
    is_served,
    with_markers,
)
from store.index import Build, Hit
from store.lexical import terms
from store.turn import AnswerSection, ArticleNote, Quote, Source, Turn

MOST_STATEMENTS = 6
"""A reply is read on a phone between patients. The right statement is among the first four for 86 %
of the questions of benchmarks/dialogues.py, among the first six for 90 %."""
NEAR_THE_BEST = 0.45
"""A passage scoring this much less than the best one is about something else."""
STANDS_BACK = 0.15
"""By how much a passage is scored less whose statements the reader has had."""
SAME = 0.8
"""Share of common stems (Jaccard) from which two statements say the same."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A statement picked for a reply, with where it stands."""

    article: Article
    section: Section
    position: int
    """Of the statement in its section."""
    passage: str
    score: float

    @property
    def statement(self) -> Statement:
        """The statement itself."""
        return self.section.statements[self.position]


def choose(
    build: Build,
    hits: Sequence[Hit],
    question: str,
    rules: ServingRules,
    today: date,
    *,
    shown: frozenset[str] = frozenset(),
    again: bool = True,
    most: int = MOST_STATEMENTS,
) -> list[Chosen]:
    """The statements of the best passages that may be quoted today, best first.

    `shown` are texts the reader has had already: they stand back for others as good, and without
    `again` they are left out. A passage of several statements gives those that
    share words with the question, or all when none does.
    """
    told = {h.row: _told(build, h, shown) for h in hits} if shown else {}
    ordered = sorted(
        hits, key=lambda h: h.score - STANDS_BACK * told.get(h.row, False), reverse=True
    )
    picked: list[Chosen] = []
    for hit in ordered:
        if len(picked) >= most:
            break
        if hit.score < hits[0].score - NEAR_THE_BEST:
            continue
        for chosen in _statements(build, hit, question):
            if len(picked) >= most:
                break
            if chosen.statement.text in shown and not again:
                continue
            if not is_served(chosen.article, rules, today):
                continue
            if not any(_alike(chosen.statement.text, p.statement.text) for p in picked):
                picked.append(chosen)
    return picked


def _told(build: Build, hit: Hit, shown: frozenset[str]) -> bool:
    passage = build.passages[hit.row]
    _, section = build.place(passage)
    return all(section.statements[i].text in shown for i in passage.statements)


def _statements(build: Build, hit: Hit, question: str) -> list[Chosen]:
    passage = build.passages[hit.row]
    article, section = build.place(passage)
    every = [Chosen(article, section, i, passage.id, hit.score) for i in passage.statements]
    if len(every) == 1:
        return every
    asked = set(terms(question))
    speaking = [c for c in every if asked & set(terms(c.statement.text))]
    return speaking or every


def _alike(one: str, other: str) -> bool:
    a, b = set(terms(one)), set(terms(other))
    return bool(a and b) and len(a & b) / len(a | b) >= SAME


def with_absence(picked: Sequence[Chosen]) -> list[Chosen]:
    """The picks, and "no guideline was found" where research alone would answer."""
    added = list(picked)
    for article in {c.article.slug: c.article for c in picked}.values():
        quoted = [c for c in picked if c.article.slug == article.slug]
        if any(c.section.part is Part.GUIDELINES for c in quoted):
            continue
        for section in article.sections:
            if section.part is not Part.GUIDELINES:
                continue
            for i, statement in enumerate(section.statements):
                says_none = statement.reports_absence and "guideline" in statement.text.lower()
                if says_none and is_quotable(article, statement):
                    added.append(Chosen(article, section, i, "", 0.0))
                    break
    return added


@dataclass(frozen=True, slots=True)
class Composed:
    """The parts of a turn that quoting fills."""

    sections: tuple[AnswerSection, ...]
    sources: tuple[Source, ...]
    articles: tuple[ArticleNote, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What a reply says in one place: a statement as it stands, or a sentence written from some."""

    basis: tuple[Chosen, ...]
    """Statements of one part, at least one; one alone when they are quoted."""
    text: str | None = None
    """The sentence, without markers, when it is written."""

    @property
    def part(self) -> Part:
        """Where in the reply it belongs."""
        return self.basis[0].section.part


def compose(picked: Iterable[Chosen]) -> Composed:
    """Quotations in reading order, numbered by first use; conflicts that touch what is quoted."""
    return assemble([Line((c,)) for c in _reading_order(picked)])


def assemble(lines: Sequence[Line]) -> Composed:
    """The lines as they stand, each in its part; the same numbering and conflicts."""
    numbers = _Numbers()
    sections = []
    ordered = [line for part in Part for line in lines if line.part is part]
    for part in Part:
        quotes = [_quote(line, numbers) for line in ordered if line.part is part]
        if quotes:
            sections.append(AnswerSection(part, tuple(quotes)))
    used = [c for line in ordered for c in line.basis]
    articles = list({c.article.slug: c.article for c in used}.values())
    conflicts = []
    for article in articles:
        cited = {n for c in used if c.article is article for n in c.statement.citations}
        for conflict in article.conflicts:
            if cited & set(conflict.citations) and is_quotable(article, conflict):
                marks = numbers.marks(article, conflict)
                conflicts.append(with_markers(conflict.text, marks))
    return Composed(
        tuple(sections),
        numbers.sources(),
        tuple(ArticleNote.of(a) for a in articles),
        tuple(conflicts),
    )


def _reading_order(picked: Iterable[Chosen]) -> list[Chosen]:
    """By article as first picked, then as the article has it; guidelines come first there."""
    chosen = list(picked)
    articles = list(dict.fromkeys(c.article.slug for c in chosen))
    places = {(c.article.slug, s.id): i for c in chosen for i, s in enumerate(c.article.sections)}
    parts = list(Part)
    return sorted(
        chosen,
        key=lambda c: (
            parts.index(c.section.part),
            articles.index(c.article.slug),
            places[(c.article.slug, c.section.id)],
            c.position,
        ),
    )


def _quote(line: Line, numbers: "_Numbers") -> Quote:
    quotes = tuple(_word_for_word(c, numbers) for c in line.basis)
    if line.text is None:
        return quotes[0]
    cited = tuple(dict.fromkeys(n for q in quotes for n in q.citations))
    marks = ((len(line.text), cited),) if cited else ()
    return replace(quotes[0], text=line.text, citations=cited, marks=marks, basis=quotes)


def _word_for_word(chosen: Chosen, numbers: "_Numbers") -> Quote:
    statement = chosen.statement
    marks = numbers.marks(chosen.article, statement)
    cited = tuple(dict.fromkeys(n for _, ns in marks for n in ns))
    return Quote(
        statement.text,
        cited,
        chosen.article.slug,
        chosen.passage,
        marks,
        chosen.score,
        chosen.section.id,
        chosen.position,
    )


def quoted_in(build: Build, turn: Turn) -> list[Chosen]:
    """The statements that a turn answered from this build quotes, as they were picked."""
    return [_of_quote(build, quote) for quote in turn.rests_on()]


def _of_quote(build: Build, quote: Quote) -> Chosen:
    article = build.articles[quote.article]
    section = next(s for s in article.sections if s.id == quote.section)
    return Chosen(article, section, quote.position, quote.passage, quote.score)


class _Numbers:
    """The reply's own citation numbers, in order of first use; one a source, however named."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, Article, int, list[str]]] = {}

    def marks(
        self, article: Article, statement: Statement
    ) -> tuple[tuple[int, tuple[int, ...]], ...]:
        return tuple(
            (offset, tuple(sorted(self._number(article, n) for n in given)))
            for offset, given in statement.marks
        )

    def _number(self, article: Article, given: int) -> int:
        reference = article.reference(given)
        same = reference.identity
        if same not in self._found:
            self._found[same] = (len(self._found) + 1, article, given, [])
        n, _, _, through = self._found[same]
        if article.slug not in through:
            through.append(article.slug)
        return n

    def sources(self) -> tuple[Source, ...]:
        return tuple(
            Source(n, article.reference(given), tuple(through))
            for n, article, given, through in self._found.values()
        )
