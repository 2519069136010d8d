"""An answer that is seen to grow: what is shown while it is written, and how it is stopped.

Showing is a courtesy. It never holds up the writing: of several states only the newest is shown,
at a pace that gives way to replies. A state that could not be shown is let go. When there is
nothing of the answer yet, what stands for it is shown; an answer that comes before costs nothing.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from bot.render import Message

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
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Somebody has read enough."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether somebody had read enough."""
        return self._stop.is_set()

    async def follow(self, states: AsyncGenerator[Message, None]) -> Message | None:
        """The last state of the answer; the ones before it are shown as they come. When it is
        stopped, the last one that there was, and None when there was none."""
        showing = asyncio.create_task(self._show_all())
        writing = asyncio.create_task(self._write(states))
        stopping = asyncio.create_task(self._stop.wait())
        tasks: list[asyncio.Task[object]] = [showing, writing, stopping]
        try:
            await asyncio.wait([writing, stopping], return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
                self._stop.clear()
            return self._newest
        finally:
            writing.cancel()
            stopping.cancel()
            try:
                # A state that arrived after the whole answer would stand below it for a while.
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_S), self._showing:
                        pass
            finally:
                showing.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, states: AsyncGenerator[Message, None]) -> None:
        async with aclosing(states):
            async for self._newest in states:
                self._changed.set()

    async def _show_all(self) -> None:
        useful, patience_s = True, FIRST_AFTER_S
        while useful:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._changed.wait()
            await asyncio.sleep(GATHER_S)
            self._changed.clear()
            began, patience_s = self._clock(), REFRESH_S
            async with self._showing:
                useful = await self._show(self._newest or self._first)
            took = self._clock() - began
            await asyncio.sleep(min(SLOWEST_S, max(QUICKEST_S, 4 * took)))
