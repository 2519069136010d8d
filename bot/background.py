"""What a running bot does besides answering: nobody waits for it, and it ends with the bot."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from store.errors import CorollaryError

log = logging.getLogger("corollary.background")


class Background:
    """Tasks that are cancelled, and waited for, by `close`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Does the work once."""
        task = asyncio.create_task(_logged(work))
        # The loop itself keeps tasks by weak references only.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def repeat(self, every_s: float, work: Callable[[], Awaitable[object]]) -> None:
        """Does it at once and then again and again; a failure is logged and ends one round."""
        self.start(_repeated(every_s, work))

    async def close(self) -> None:
        """Ends everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def later(
    after_s: float, work: Callable[[], Coroutine[Any, Any, object]]
) -> AsyncIterator[None]:
    """Begins the work unless it is left before that time, and ends it when it is left."""
    loop = asyncio.get_running_loop()
    begun: list[asyncio.Task[object]] = []
    timer = loop.call_later(after_s, lambda: begun.append(loop.create_task(work())))
    try:
        yield
    finally:
        timer.cancel()
        for task in begun:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _repeated(every_s: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        await _logged(work())
        await asyncio.sleep(every_s)


async def _logged(work: Awaitable[object]) -> None:
    try:
        await work
    except CorollaryError as e:
        log.warning("%s", e)
    except Exception as e:  # noqa: BLE001 - there is nobody else to tell, and the bot goes on
        log_fault(log, "what runs besides", e)


def log_fault(
    to: logging.Logger,
    what: str,
    error: BaseException | None,
    says: tuple[type[BaseException], ...] = (CorollaryError,),
) -> None:
    """A line about a failure, and where it came from. Only errors of these types are quoted: the
    message of any other may hold what somebody typed."""
    if isinstance(error, says):
        to.error("%s failed: %s: %s", what, type(error).__name__, error)
        return
    bare = RuntimeError(type(error).__name__)
    trace = (RuntimeError, bare, error.__traceback__) if error is not None else None
    to.error("%s failed: %s", what, type(error).__name__, exc_info=trace)
