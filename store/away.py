"""A database server that has gone away, as it does while it is restarted, is waited for.

What is asked of it meanwhile is asked again until it is back. Everybody counts from the moment when
it went: when it stays away, those who come later are told so at once.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

log = logging.getLogger("corollary")

T = TypeVar("T")

AGAIN_S = 0.2
"""Between two attempts."""
_GONE = ("08", "57P")
"""How the codes begin with which PostgreSQL says that a connection is lost, or that it shuts down
or starts."""
_FULL = "53300"
"""It has as many connections as it takes."""


class Patience:
    """How long a server is waited for, in seconds; 0 is not at all. `name` is what it is called in
    the log."""

    def __init__(self, name: str) -> None:
        self.within_s = 0.0
        self._name = name
        self._gone_at: float | None = None

    async def of(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the attempt gives, once the server is there."""
        while True:
            try:
                found = await attempt()
            except Exception as e:
                if not is_away(e):
                    raise
                if self._gone_at is None:
                    self._gone_at = time.monotonic()
                    if self.within_s:
                        log.warning("The database %s is away, and is waited for.", self._name)
                if time.monotonic() - self._gone_at >= self.within_s:
                    raise
            else:
                if self._gone_at is not None and self.within_s:
                    log.warning("The database %s is back.", self._name)
                self._gone_at = None
                return found
            await asyncio.sleep(AGAIN_S)


def is_away(problem: Exception) -> bool:
    """Whether it is the server that is not there, rather than what was asked of it."""
    if isinstance(problem, OSError):
        return True
    code = str(getattr(getattr(problem, "orig", problem), "sqlstate", None) or "")
    lost = getattr(problem, "connection_invalidated", False)
    return bool(lost) or code.startswith(_GONE) or code == _FULL
