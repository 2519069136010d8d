"""What admins are told once a day: what waits for them, and nothing when nothing does."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot import admin as keeping
from bot import voting
from bot.admin_commands import gap_paragraphs
from bot.app import Program
from bot.commands import message
from bot.render import Message, Paragraph, Style
from bot.reports import Gaps, count
from store.article import Status
from store.people import Vote, votes

log = logging.getLogger("corollary.digest")

EVERY_S = 60.0
"""How often the clock is looked at; the database only when the hour has come."""
AHEAD = timedelta(days=30)
LOOK_BACK = timedelta(days=30)
"""Questions so old are grouped with new ones: who ask alike on three days are three people."""
FIRST = timedelta(days=7)
"""What counts as new in the first digest."""
MOST_LINES = 10

Clock = Callable[[], datetime]
Send = Callable[[int, Message], Awaitable[bool]]


def utc_now() -> datetime:
    """The present, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Digest:
    """What there is to tell."""

    gaps: Gaps
    due: tuple[dict[str, Any], ...]
    """Articles whose review date has passed or comes soon, soonest first."""
    waiting: dict[str, int]
    """How many articles await review, by status."""
    refused: tuple[str, ...]
    """Names of files in the folder that are no sound articles."""
    votes: tuple[Vote, ...] = ()
    """What people said of answers since the last digest."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        told = self.gaps.groups, self.due, self.waiting, self.refused, self.votes
        return not any(told)


class DailyDigest:
    """Sends the digest at its hour, once a day among all processes."""

    def __init__(self, program: Program, send: Send, clock: Clock = utc_now) -> None:
        self._program = program
        self._send = send
        self._clock = clock
        self._done: date | None = None

    async def look(self) -> bool:
        """Sends today's digest when its hour has come; whether it did.

        A bot that was away at that hour sends it when it is back, on the same day.
        """
        settings, now = self._program.settings, self._clock()
        if settings.digest_hour < 0 or not settings.admin_ids:
            return False
        if now.hour < settings.digest_hour or now.date() == self._done:
            return False
        # First, so that of several replicas one does the work.
        mine = await self._program.database.claim_day("digest", now.date())
        self._done = now.date()
        if not mine:
            return False
        found = await collected(self._program, now)
        if found.is_empty:
            return False
        told = await worded(self._program, found, now)
        reached = [await self._send(admin_id, told) for admin_id in settings.admin_ids]
        log.info("digest: %d of %d admins", sum(reached), len(reached))
        await self._program.database.note(
            "digest",
            "digest",
            {"gaps": len(found.gaps.groups), "due": len(found.due), "refused": len(found.refused)},
        )
        return True


async def collected(program: Program, now: datetime) -> Digest:
    """What there is to tell at that moment."""
    settings, today = program.settings, now.date()
    last = await program.database.audit_entries(action="digest", limit=1)
    since = last[0].at if last else now - FIRST
    found = await keeping.gaps(program.desk, program.embeddings, since=now - LOOK_BACK)
    said = tuple(await votes(program.database, since))
    new = tuple(g for g in found.groups if g.last_at > since)
    if settings.articles_dir is None:
        # The samples: nobody can review them.
        return Digest(replace(found, groups=new, hidden=0), (), {}, (), said)
    due, waiting, refused = await asyncio.to_thread(_folder, program, today)
    return Digest(replace(found, groups=new, hidden=0), due, waiting, refused, said)


def _folder(
    program: Program, today: date
) -> tuple[tuple[dict[str, Any], ...], dict[str, int], tuple[str, ...]]:
    settings = program.settings
    listing = keeping.listing(settings, today)
    due = tuple(keeping.soon_due(listing, today, AHEAD))
    by_status = Counter(r["status"] for r in listing.rows)
    waiting = {s: n for s in (Status.SUBMITTED, Status.UNDER_REVIEW) if (n := by_status[s])}
    refused = tuple(f.path.name for f in listing.refused)
    return due, {s.value: n for s, n in waiting.items()}, refused


async def worded(program: Program, found: Digest, now: datetime) -> Message:
    """The digest as admins read it."""
    late = [r for r in found.due if r["overdue"]]
    soon = [r for r in found.due if not r["overdue"]]
    waiting = [f"{count(n, 'article')} {s.replace('_', ' ')}" for s, n in found.waiting.items()]
    paragraphs = [
        *_part("Reviews overdue", (f"{r['slug']}: was due {r['review_by']}" for r in late)),
        *_part("Reviews due within 30 days", (f"{r['slug']}: {r['review_by']}" for r in soon)),
        *_part("Awaiting review (/review)", waiting),
        *_part("Files that no reload takes", found.refused),
    ]
    if found.gaps.groups:
        title = Paragraph("Newly not answered (/gaps)", Style.HEADING)
        paragraphs += [title, *gap_paragraphs(found.gaps, MOST_LINES)]
    paragraphs += voting.paragraphs(found.votes)
    pointer = await program.database.pointer()
    if pointer is not None:
        at = f"{pointer.switched_at:%Y-%m-%d %H:%M} UTC"
        paragraphs.append(Paragraph(f"Served since {at}: build {pointer.build}."))
    return message(Paragraph(f"Digest of {now:%Y-%m-%d}", Style.HEADING), *paragraphs)


def _part(title: str, lines: Iterable[str]) -> list[Paragraph]:
    listed = list(lines)
    more = len(listed) - MOST_LINES
    return [
        *([Paragraph(title, Style.HEADING)] if listed else []),
        *(Paragraph(line, Style.BULLET) for line in listed[:MOST_LINES]),
        *([Paragraph(f"… and {more} more.")] if more > 0 else []),
    ]
