"""The build that is served, kept open and followed when the pointer moves.

A turn borrows the build for its whole length, so that it never sees half of one and half of
another; an old build is closed when its last borrower has gone.
"""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from store.conversations import Database
from store.errors import StoreProblem
from store.index import Build, open_build

log = logging.getLogger("corollary.store")


@dataclass
class _Loan:
    build: Build
    borrowers: int = 0
    retired: bool = False


class Library:
    """Lends the served build. `follow_s` is how old its knowledge of the pointer may be."""

    def __init__(
        self, database: Database, root: Path, embedder: str, follow_s: float = 2.0
    ) -> None:
        self._database = database
        self._root = root
        self._embedder = embedder
        self._follow_s = follow_s
        self.prepare: Callable[[Build], object] | None = None
        """What those who borrow do with a build before the first of them gets it."""
        self._current: _Loan | None = None
        self._looked_at = float("-inf")
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Build]:
        """The served build, open until the block ends. StoreProblem when there is none."""
        loan = await self._loan()
        loan.borrowers += 1
        try:
            yield loan.build
        finally:
            loan.borrowers -= 1
            await self._close_if_done(loan)

    async def close(self) -> None:
        """Closes the build; nobody may be borrowing."""
        if self._current is not None:
            await asyncio.to_thread(self._current.build.close)
            self._current = None

    async def _loan(self) -> _Loan:
        loan = self._current
        fresh = time.monotonic() - self._looked_at < self._follow_s
        # While a new build is being opened, turns go on with the one there is.
        if loan is not None and (fresh or self._opening.locked()):
            return loan
        async with self._opening:
            if self._current is None or time.monotonic() - self._looked_at >= self._follow_s:
                await self._look()
            assert self._current is not None
            return self._current

    async def _look(self) -> None:
        name = await self._database.served_build()
        if name is None:
            raise StoreProblem("There is no build yet.", "Run `corollary articles reload`.")
        old = self._current
        if old is None or old.build.id != name:
            try:
                build = await asyncio.to_thread(self._open, name)
            except StoreProblem as e:
                if old is None:
                    raise
                # A sound build is open: a question does not fail because of a reload gone wrong.
                log.error("still serving build %s: %s", old.build.id, e.what)
            else:
                self._current = _Loan(build)
                if old is not None:
                    old.retired = True
                    await self._close_if_done(old)
        self._looked_at = time.monotonic()

    def _open(self, name: str) -> Build:
        build = open_build(self._root, name, embedder=self._embedder)
        try:
            if self.prepare is not None:
                self.prepare(build)
        except BaseException:
            build.close()
            raise
        set_apart()
        return build

    async def _close_if_done(self, loan: _Loan) -> None:
        if loan.retired and loan.borrowers == 0:
            await asyncio.to_thread(loan.build.close)


NEW_OBJECTS = 10_000


def set_apart() -> None:
    """Takes what there is now out of what the garbage collector looks through from time to time: a
    build is hundreds of thousands of objects, and everybody waits while they are looked at. They
    still go when nothing refers to them any more. What comes after them is looked at as often as
    there are so many new objects, a few answers' worth, and not several times an answer."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
