"""SQLite in the thread of the event loop, for what takes a fraction of a millisecond.

The usual driver hands every step of a statement to a thread and back, which costs as much as the
statement does. Here a statement runs where it is called; only what may wait for the disk
or for another process is awaited: a commit in a thread, a lock by trying again. For whole tables
the usual driver is the right one, since nobody else gets a word in while a statement runs here.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")

AGAIN_S = 0.005
"""Between two looks at whether another process still writes."""
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY}
"""Another process writes, or puts the log in order that one left which was killed."""


class Connection:
    """What SQLAlchemy uses of a connection of aiosqlite; `patience_s` is how long another process
    that writes is waited for, and `commits` the thread that waits for the disk."""

    def __init__(
        self, connection: sqlite3.Connection, patience_s: float, commits: ThreadPoolExecutor
    ) -> None:
        self._connection = connection
        self._patience_s = patience_s
        self._commits = commits

    @property
    def isolation_level(self) -> str | None:
        return self._connection.isolation_level

    async def create_function(self, *args: Any, **options: Any) -> None:
        self._connection.create_function(*args, **options)

    def cursor(self) -> "Cursor":
        return Cursor(self._connection.cursor(), self._patience_s)

    async def commit(self) -> None:
        # Reading begins no transaction.
        if self._connection.in_transaction:
            loop = asyncio.get_running_loop()
            written = loop.run_in_executor(self._commits, self._connection.commit)
            try:
                await asyncio.shield(written)
            except asyncio.CancelledError:
                # The thread is not to be left alone with a connection that somebody closes, however
                # often this is cancelled.
                while not written.done():
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait([written])
                raise

    async def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.rollback()

    async def close(self) -> None:
        self._connection.close()

    def stop(self) -> None:
        self._connection.close()


class Cursor:
    """A cursor of it."""

    def __init__(self, cursor: sqlite3.Cursor, patience_s: float) -> None:
        self._cursor = cursor
        self._patience_s = patience_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None
    ) -> None:
        self._cursor.close()

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def execute(self, sql: str, values: Any = ()) -> Self:
        await self._patiently(lambda: self._cursor.execute(sql, values))
        return self

    async def executemany(self, sql: str, rows: Sequence[Any]) -> Self:
        await self._patiently(lambda: self._cursor.executemany(sql, rows))
        return self

    async def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    async def close(self) -> None:
        self._cursor.close()

    async def _patiently(self, statement: Callable[[], T]) -> T:
        """What the statement gives, once no other process keeps it from writing."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return statement()
            except sqlite3.OperationalError as e:
                if e.sqlite_errorcode not in _LOCKED or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(AGAIN_S)


def connecting(patience_s: float) -> Callable[..., Any]:
    """What makes such connections, given what the usual driver is given."""
    # One for a database and not for the process: a fork would have the pool without its thread.
    commits = ThreadPoolExecutor(1, "commit")

    async def connect(path: Any, **options: Any) -> Connection:
        given = {**options, "timeout": 0.0, "check_same_thread": False}
        return Connection(sqlite3.connect(path, **given), patience_s, commits)

    return connect
