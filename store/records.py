"""What the database hands out: remembered turns, gaps, audit entries, builds, and corrections.

Values only; how they are kept is in `conversations.py`, and nothing here loads the SQL library.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

Standing = Mapping[str, frozenset[str]]
"""By article, the digests of the statements that may still be quoted; none: all of it is gone.

An article that is not in it is not affected.
"""


class Stored(Mapping[str, Any]):
    """A JSON object that is read when it is first looked into: of the turns that a question is read
    in the light of, that is mostly the last."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _values(self) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(self._text)
        return values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class RememberedTurn:
    """A turn as it was stored. `answer` has the shape of `turn_dict`."""

    id: int
    question: str
    read_as: str | None
    kind: str
    topic: str | None
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered of a conversation: its topic, and its last turns, oldest first; and what
    the user who asks said describes them."""

    conversation_id: str
    topic: str | None = None
    turns: tuple[RememberedTurn, ...] = ()
    role: str | None = None


@dataclass(frozen=True, slots=True)
class AskedBefore:
    """A question that somebody asked, with the context it was asked in as far as that is known."""

    turn: RememberedTurn
    before: Recalled
    """The topic that was under discussion, and the turns before this one, oldest first."""
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """How a turn was made. `receipt` has the shape of `store.turn.Receipt`; empty for turns of
    versions that kept none."""

    build: str
    timings_ms: dict[str, float]
    receipt: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that the store did not answer."""

    question: str
    reason: str
    article: str | None
    section: str | None
    noticed_at: datetime
    id: int
    user_id: str
    """Who asked; for counting distinct people and nothing else."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line of the audit: who did what, when, and to which article."""

    at: datetime
    who: str
    action: str
    article: str | None
    sha256: str | None
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A statement that was quoted and may not be any more, and how widely it was shown."""

    article: str
    text: str
    turns: int
    people: int


@dataclass(frozen=True, slots=True)
class CorrectedQuote:
    """A statement that somebody was shown and that was withdrawn since."""

    article: str
    text: str
    asked_at: datetime
    turn_id: int
    quoted_key: str
    """Its digest; with the turn and the article it names one quote."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What one conversation has to be told: the statements withdrawn since, oldest first."""

    conversation_id: str
    user_id: str
    items: tuple[CorrectedQuote, ...]


@dataclass(frozen=True, slots=True)
class BuildRow:
    """A build that was switched to at some time."""

    id: str
    created_at: datetime
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which build is served, which one was before, and since when."""

    build: str
    previous: str | None
    switched_at: datetime
