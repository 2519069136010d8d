"""Commands that take their time: one message says how far they have come, and how they ended."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.background import log_fault
from bot.cli_shared import STEPS
from bot.commands import message, problem
from bot.outgoing import Bulletin
from bot.render import Message, Paragraph, Style
from store.errors import CorollaryError
from store.index import Progress

log = logging.getLogger("corollary.telegram")

EVERY_S = 2.0
AT_THAT_PACE = 10
LATER_EVERY_S = 4.0
"""Telegram takes some twenty changes a minute in a chat; most reloads are over before."""
ENDING_S = 3.0
STARTING = "Starting."
STOPPED = "Ended early: the bot is being stopped. /builds shows what is served."
FAULT = message(
    "The command was not carried out to its end because of a fault on our side.",
    "The operator can see the fault in the log. /builds shows what is served.",
)

Work = Callable[[Progress], Awaitable[Message]]
"""What is to be done; it tells of its steps. The first paragraph of its message is the summary."""


class HowFar:
    """How far something has come, in words, from what it tells of its steps."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now: tuple[str, int, int] | None = None
        self._began: tuple[float, int] = (0.0, 0)

    def __call__(self, step: str, done: int, total: int) -> None:
        if self._now is None or self._now[0] != step:
            self._began = self._clock(), done
        self._now = step, done, total

    def text(self) -> str:
        """For example: "Embedding passages: 120 of 480, 60 a second, about 6 s left."."""
        if self._now is None:
            return STARTING
        step, done, total = self._now
        told = f"{STEPS.get(step, step)}: {done:,} of {total:,}"
        began, first = self._began
        took_s = self._clock() - began
        if took_s < 1 or done <= first:
            return f"{told}."
        rate = (done - first) / took_s
        left_s = max(total - done, 0) / rate
        left = f"{left_s:.0f} s" if left_s < 120 else f"{left_s / 60:.0f} min"
        return f"{told}, {rate:,.0f} a second, about {left} left."


def heading(title: str) -> Paragraph:
    """What stands above all that is said of a command."""
    return Paragraph(title, Style.HEADING)


async def carry_out(bulletin: Bulletin, title: str, work: Work) -> None:
    """Does the work and says how it goes; cancelled, it ends the work and says that too.

    What there is to know besides the summary is sent as a message of its own.
    """
    how_far, above = HowFar(), heading(title)
    doing = asyncio.ensure_future(work(how_far))
    try:
        try:
            await _follow(doing, how_far, bulletin, above)
        finally:
            doing.cancel()
            await asyncio.wait({doing})
    except asyncio.CancelledError:
        await bulletin.change(message(above, STOPPED), within_s=ENDING_S)
        raise
    summary, details = await _ended(doing)
    await bulletin.change(message(above, *summary))
    if details:
        await bulletin.add(Message(details))


async def _follow(
    doing: "asyncio.Future[Message]", how_far: HowFar, bulletin: Bulletin, above: Paragraph
) -> None:
    said, times = STARTING, 0
    while not doing.done():
        await asyncio.wait({doing}, timeout=EVERY_S if times < AT_THAT_PACE else LATER_EVERY_S)
        if not doing.done() and how_far.text() != said:
            said, times = how_far.text(), times + 1
            await bulletin.change(message(above, said))


Paragraphs = tuple[Paragraph, ...]


async def _ended(doing: "asyncio.Future[Message]") -> tuple[Paragraphs, Paragraphs]:
    """The summary of what came of it, and the details. A failure is all summary."""
    try:
        told = await doing
    except CorollaryError as e:
        return problem(e).paragraphs, ()
    except Exception as e:  # noqa: BLE001 - who asked for it is told, and the log
        log_fault(log, "a long command", e)
        return FAULT.paragraphs, ()
    return told.paragraphs[:1], told.paragraphs[1:]
