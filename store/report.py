"""The nouns of a reload: what it did, and what it would change for those who ask."""

from dataclasses import dataclass, field
from typing import Any

from store.parse import ParsedFile
from store.records import Withdrawn


@dataclass(frozen=True, slots=True)
class Difference:
    """A question that the new build answers otherwise than the old one."""

    article: str
    question: str | None
    """The probe; None for a real question, which only its turn number names."""
    turn: int | None
    before: str
    """The kind of reply, as in `Kind`."""
    after: str
    lost: tuple[str, ...] = ()
    """Keys of the sources that are cited no more."""
    gained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What putting the same questions to the old and the new build showed."""

    probes: int = 0
    held: int = 0
    """Probes that the new build answers with a statement they name, or refuses as they ask."""
    questions: int = 0
    """Real questions, asked before, that were put again."""
    differences: tuple[Difference, ...] = ()
    failing: tuple[tuple[str, str], ...] = ()
    """(article, probe) that the old build answered or refused as it should, and the new does not;
    without an old build, all that do not hold."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a reload (or a rollback) did, article by article."""

    build: str | None
    """The build that is served now; None when nothing was switched."""
    previous: str | None = None
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    """(slug, why) of those removed."""
    moved: tuple[tuple[str, str, str], ...] = ()
    """(slug, status before, status now) of articles whose text is the same."""
    unchanged: tuple[str, ...] = ()
    not_served: tuple[tuple[str, str], ...] = ()
    """(slug, status) of sound articles that are kept out."""
    downgraded: tuple[str, ...] = ()
    """Approved articles whose text is not the one that was approved."""
    refused: tuple[ParsedFile, ...] = ()
    passages: int = 0
    embedded: int = 0
    self_queries: int = 0
    """Passages that were asked for by their own vector; all were found, or nothing is switched."""
    recall: float = 1.0
    """Share of the ten exactly nearest passages that the index finds."""
    rehearsal: Rehearsal = Rehearsal()
    study: dict[str, Any] = field(default_factory=dict)
    """How sure an answer must be in this store, and what that refuses; empty with too few probes.
    "curve": [threshold, share of the answerable probes answered, share of the others refused]."""
    withdrawn: tuple[Withdrawn, ...] = ()
    """Statements that somebody was shown and that are quoted no more."""
    revived: tuple[tuple[str, str], ...] = ()
    """After a rollback: (slug, its status in the folder) of articles that should not be served."""
