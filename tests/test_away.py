"""A database server that goes away and comes back, at the end of a line that can be cut."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import sqlalchemy as sa
from postgres import Postgres

from store import away, conversations
from store.conversations import Database
from store.errors import DatabaseProblem
from store.mailbox import Key, Parcel

KEY = Key(7, 1, "message:a")
PARCEL = Parcel(KEY, "5", "telegram:5", "{}")


class Line:
    """Hands on to a server what comes in, and back."""

    def __init__(self, host: str, port: int) -> None:
        self._far = host, port
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.silent = False
        """Whether nothing comes back any more."""
        self.cut_after: bytes | None = None
        """When this has been said, the line is cut before the answer comes back."""

    async def up(self) -> None:
        """The server can be reached."""
        self._server = await asyncio.start_server(self._hand_on, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """It cannot, and nobody is connected to it any more."""
        assert self._server is not None
        self._server.close()
        self._cut()
        await asyncio.sleep(0)

    def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _hand_on(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        far, to_far = await asyncio.open_connection(*self._far)
        self._open |= {to_near, to_far}
        with suppress(ConnectionError):
            await asyncio.gather(self._forth(near, to_far), self._back(far, to_near))
        to_far.transport.abort()
        to_near.transport.abort()
        self._open -= {to_near, to_far}

    async def _forth(self, near: asyncio.StreamReader, to_far: asyncio.StreamWriter) -> None:
        while said := await near.read(65536):
            to_far.write(said)
            if self.cut_after is not None and self.cut_after in said:
                self.cut_after = None
                self.silent = True
                await asyncio.sleep(0.1)
                self._cut()
                self.silent = False

    async def _back(self, far: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        while answered := await far.read(65536):
            if not self.silent:
                to_near.write(answered)
        to_near.close()


@asynccontextmanager
async def at_the_end_of(url: str) -> AsyncIterator[tuple[Line, Database]]:
    """A database behind a line."""
    parsed = sa.make_url(url)
    line = Line(str(parsed.host), parsed.port or 5432)
    await line.up()
    near = parsed.set(host="127.0.0.1", port=line.port)
    database = await Database.open(near.render_as_string(hide_password=False))
    try:
        yield line, database
    finally:
        await database.close()
        await line.down()


@pytest.fixture
async def both(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Line, Database]]:
    monkeypatch.setattr(away, "AGAIN_S", 0.02)
    async with postgres.database() as url, at_the_end_of(url) as (line, database):
        yield line, database


async def _seen(database: Database) -> int:
    async with database.reading() as c:
        return int((await c.execute(sa.text("select count(*) from mailbox"))).scalar_one())


async def test_a_server_that_comes_back_soon_is_waited_for(
    both: tuple[Line, Database], caplog: pytest.LogCaptureFixture
) -> None:
    line, database = both
    await line.down()
    others = [PARCEL, Parcel(KEY._replace(update_id=2), "6", None, "{}")]
    work = [
        asyncio.create_task(database.mailbox.take_in([others[0]])),
        asyncio.create_task(database.mailbox.take_in([others[1]])),
        asyncio.create_task(database.set_topic("telegram:5", "telegram:5:5", "keloid")),
        asyncio.create_task(_seen(database)),
        asyncio.create_task(database.served_build()),
    ]
    await asyncio.sleep(0.1)
    assert not any(one.done() for one in work)
    with pytest.raises(DatabaseProblem):
        await database.ping()
    await line.up()
    assert (await asyncio.gather(*work))[:2] == [{p.key} for p in others]
    assert (await database.recall("telegram:5:5", 1)).topic == "keloid"
    told = [r.getMessage() for r in caplog.records if r.name == "corollary"]
    assert ["is away" in t for t in told] == [True, False]
    assert "is back" in told[1]


async def test_one_that_stays_away_is_told_of_and_the_next_ones_do_not_wait(
    both: tuple[Line, Database],
) -> None:
    line, database = both
    database._patience.within_s = 0.2
    await line.down()
    began = time.monotonic()
    with pytest.raises(DatabaseProblem):
        await database.served_build()
    assert 0.2 <= (waited := time.monotonic() - began) < 2.0, waited
    database._patience.within_s = 0.2
    began = time.monotonic()
    for _ in range(10):
        with pytest.raises(DatabaseProblem):
            await database.served_build()
    assert time.monotonic() - began < 0.2
    await line.up()
    assert await database.served_build() is None


async def test_an_update_that_was_kept_as_the_line_was_cut_is_a_new_one(
    both: tuple[Line, Database],
) -> None:
    line, database = both
    line.cut_after = b"COMMIT"
    assert await database.mailbox.take_in([PARCEL]) == {KEY}
    assert line.cut_after is None
    assert await database.mailbox.take_in([PARCEL]) == set()
    assert await _seen(database) == 1


async def test_what_could_not_be_marked_as_done_is_marked_later(
    both: tuple[Line, Database],
) -> None:
    line, database = both
    mailbox = database.mailbox
    await mailbox.take_in([PARCEL])
    database._patience.within_s = 0
    await line.down()
    with pytest.raises(DatabaseProblem):
        await mailbox.done(KEY)
    await line.up()
    await mailbox.renew()
    async with database.reading() as c:
        undone = sa.text("select count(*) from mailbox where done_at is null")
        assert (await c.execute(undone)).scalar_one() == 0


async def test_one_that_does_not_answer_holds_up_no_end(
    both: tuple[Line, Database],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    line, database = both
    monkeypatch.setattr(conversations, "CLOSED_WITHIN_S", 0.2)
    line.silent = True
    writing = asyncio.create_task(database.mailbox.take_in([PARCEL]))
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await database.close()
    assert time.monotonic() - began < 1.0
    assert "does not answer" in caplog.text
    await line.down()
    with pytest.raises(DatabaseProblem):
        await writing


@pytest.mark.parametrize(
    ("problem", "gone"),
    [
        (ConnectionRefusedError(), True),
        (ValueError("no"), False),
        (sa.exc.IntegrityError("insert", None, Exception("unique")), False),
        (sa.exc.DBAPIError("select", None, Exception("cut"), connection_invalidated=True), True),
        (sa.exc.OperationalError("select", None, Exception("disk is full")), False),
    ],
)
def test_what_is_away_is_told_from_what_is_wrong(problem: Exception, gone: bool) -> None:
    assert away.is_away(problem) is gone
