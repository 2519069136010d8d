"""Statements that cannot be shown, sources that none of them cites, and probes of none."""

from collections.abc import Iterator, Sequence

from store.article import Article, is_quotable
from store.checks.problem import Lines, Problem, cut, place, stated

MAX_STATEMENT_CHARS = 3000
_MOST_NUMBERS = 40
"""Numbers that are listed one by one."""


def statements(article: Article, lines: Lines) -> Iterator[Problem]:
    """No statement at all, and statements that are too long, uncited, or cite what is not there."""
    known = {r.number for r in article.references}
    if not any(True for _ in article.statements()):
        said = "the article has no statements below its part headings; write at least one"
        yield Problem("error", "empty", said)
    for statement, line, field in stated(article, lines):
        text = statement.text
        missing = [n for n in statement.citations if n not in known]
        if missing:
            said = f"{_cites(missing)}: {cut(text)}"
            yield Problem("error", "citation_without_reference", said, line, field or "references")
        if len(text) > MAX_STATEMENT_CHARS:
            said = (
                f"a statement of {len(text):,} characters; at most {MAX_STATEMENT_CHARS:,}, "
                f"so divide it: {cut(text)}"
            )
            yield Problem("error", "statement_too_long", said, line, field)
    for _, statement in article.statements():
        if not statement.citations and not statement.reports_absence:
            said = "carries no citation and will not be quoted; cite its source"
            message = f"{said}: {cut(statement.text)}"
            yield Problem("warning", "uncited", message, statement.line)


def _cites(missing: Sequence[int]) -> str:
    if len(missing) == 1:
        (n,) = missing
        return f"cites [{n}], but `references` has no {n}; add it or cite another"
    marks = [f"[{n}]" for n in missing]
    first, more = marks[:_MOST_NUMBERS], len(marks[_MOST_NUMBERS:])
    last = f"{more} more" if more else first.pop()
    return (
        f"cites {', '.join(first)} and {last}, which `references` does not have; "
        "add them or cite others"
    )


def never_cited(article: Article, lines: Lines) -> Iterator[Problem]:
    """References that neither a statement nor a conflict cites."""
    cited = {n for statement, _, _ in stated(article, lines) for n in statement.citations}
    for r in article.references:
        if r.number not in cited:
            said = f"reference {r.number} is never cited; cite it or leave it out"
            where = place(lines, "references", str(r.number))
            yield Problem("warning", "reference_never_cited", said, *where)


def probes(article: Article, lines: Lines) -> Iterator[Problem]:
    """Probes that name words which no quotable statement has."""
    known = {r.number for r in article.references}
    texts = {
        s.text
        for _, s in article.statements()
        if set(s.citations) <= known and is_quotable(article, s)
    }
    for i, probe in enumerate(article.answerable):
        for j, text in enumerate(probe.statements):
            if text not in texts:
                said = (
                    f"no quotable statement contains {cut(text)}; copy a piece of one word by word"
                )
                where = place(lines, "probes", "answerable", i, "statements", j)
                yield Problem("warning", "probe_without_statement", said, *where)
