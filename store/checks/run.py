"""Every check, in order: of the front matter and the body as they were read, and of the article."""

from collections.abc import Iterator, Sequence
from datetime import date

from store.article import Article
from store.checks.conflicts import unrecorded_conflicts
from store.checks.dates import dates
from store.checks.doses import doses
from store.checks.names import repeated_aliases
from store.checks.problem import Lines, Piece, Problem
from store.checks.sources import references, retracted, same_documents
from store.checks.statements import never_cited, probes, statements
from store.checks.wording import wordings


def front_matter(pieces: Sequence[Piece]) -> Iterator[Problem]:
    """What is wrong with the texts of the front matter, in fields that are known or not."""
    yield from references(pieces)
    yield from wordings(pieces, "bad_value")


def body(pieces: Sequence[Piece]) -> Iterator[Problem]:
    """What is wrong with the texts of the body. HTML in it was seen as such."""
    yield from wordings(pieces, "markup", html=False)


def article(found: Article, lines: Lines, today: date) -> Iterator[Problem]:
    """Everything that the article says which cannot be so, or should be looked at."""
    yield from statements(found, lines)
    yield from never_cited(found, lines)
    yield from same_documents(found, lines)
    yield from retracted(found, lines)
    yield from probes(found, lines)
    yield from repeated_aliases(found, lines)
    yield from dates(found, lines, today)
    yield from doses(found, lines)
    yield from unrecorded_conflicts(found)
