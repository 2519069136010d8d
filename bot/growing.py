"""An answer that is seen to grow: what is shown while it is written, and how it is stopped.

Showing is a courtesy. It never holds up the writing: of several states only the newest is shown,
at a pace that gives way to replies. A state that could not be shown is let go. When there is
nothing of the answer yet, what stands for it is shown; an answer that comes before costs nothing.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from bot.background import log_fault
from bot.render import Message

log = logging.getLogger("corollary.telegram")

QUICKEST_S, SLOWEST_S = 0.4, 3.0
"""Between two states; slower when showing one takes long."""
GATHER_S = 0.03
"""What comes within this time of a state is shown with it; the end of a quick answer, alone."""
FIRST_AFTER_S = 0.2
"""How long the answer may take before it is shown that it is on its way."""
LAST_S = 0.3
"""How long the end waits for a state that is being shown."""
REFRESH_S = 20.0
"""A draft fades after half a minute: it is shown again before that."""

Show = Callable[[Message], Awaitable[bool]]
"""Shows a state; False when there is no use in trying again."""


class Growing:
    """One answer while it is written; `first` stands for it until there is something of it."""

    def __init__(
        self, show: Show, first: Message, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show = show
        self._first = first
        self._clock = clock
        self._newest: Message | None = None
        self._changed = asyncio.Event()
        self._showing = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._shown: asyncio.Task[None] | None = None
        self._writing: asyncio.Timeout | None = None
        self.stopped = False
        """Whether somebody had read enough."""

    def stop(self) -> None:
        """Somebody has read enough."""
        if self._writing is not None and not self.stopped:
            self.stopped = True
            self._writing.reschedule(0.0)

    async def follow(self, states: AsyncGenerator[Message, None]) -> Message | None:
        """The last state of the answer; the ones before it are shown as they come. When it is
        stopped, the last one that there was, and None when there was none."""
        self._show_after(FIRST_AFTER_S)
        try:
            async with asyncio.timeout(None) as self._writing:
                await self._write(states)
        except Exception as e:
            if not self.stopped:
                raise
            if not isinstance(e, TimeoutError):
                # What it ended with does not matter any more to whoever has read enough.
                log_fault(log, "an answer that was stopped", e)
        else:
            self.stopped = False
        finally:
            self._writing = None
            if self._timer is not None:
                self._timer.cancel()
            if self._shown is not None:
                await self._end(self._shown)
        return self._newest

    async def _write(self, states: AsyncGenerator[Message, None]) -> None:
        async with aclosing(states):
            async for told in states:
                if self._newest is None and self._shown is None:
                    self._show_after(GATHER_S)
                self._newest = told
                self._changed.set()

    def _show_after(self, wait_s: float) -> None:
        """Begins to show what there is; an answer that is whole before that costs nothing."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._begin)

    def _begin(self) -> None:
        self._shown = asyncio.create_task(self._show_all())

    async def _show_all(self) -> None:
        useful = True
        while useful:
            self._changed.clear()
            began = self._clock()
            async with self._showing:
                useful = await self._show(self._newest or self._first)
            took = self._clock() - began
            await asyncio.sleep(min(SLOWEST_S, max(QUICKEST_S, 4 * took)))
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self._changed.wait()
            await asyncio.sleep(GATHER_S)

    async def _end(self, shown: "asyncio.Task[None]") -> None:
        try:
            # A state that arrived after the whole answer would stand below it for a while.
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_S), self._showing:
                    pass
        finally:
            shown.cancel()
            await asyncio.gather(shown, return_exceptions=True)
