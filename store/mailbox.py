"""What came in from Telegram and what goes out again, kept until both are done with.

An update is a row of `mailbox` before Telegram is told that it arrived, and its answer is rows of
`replies` before the first of them is sent. So a kill at any moment leaves either an update to be
answered, or a reply to be sent; what was sent and not yet marked goes out twice, and nothing is
lost. Of an update that is done with, only its ids stay, to know it again.

Updates are known by their number and by what they are about: Telegram starts its numbers anew
after a week of silence. A row belongs to the process that took it in. Another process takes it
over when that one is dead, or has not renewed its lease.

What one process writes at the same time goes into one transaction: a commit costs more than a row.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from store.errors import CorollaryError
from store.migrations.tables import mailbox, replies, turns, unreachable

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

LEASE = timedelta(seconds=60)
"""How long the rows of a process on another machine are left alone after it was last heard of."""

KEPT = timedelta(days=3)
"""How long an update is known again; Telegram offers one for a day."""

_UNFIT = (sa.exc.IntegrityError, sa.exc.DataError, UnicodeEncodeError)
"""What the database says when it is one of the writings that it cannot take."""

_T = TypeVar("_T")
_Write = Callable[[Connection], Any]


class Key(NamedTuple):
    """What an update is known by: the bot it was sent to, its number, and what it is about."""

    bot_id: int
    update_id: int
    what: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """An update to be kept: where it was said, by whom, and the whole of it as JSON."""

    key: Key
    place: str | None
    user_id: str | None
    payload: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that answers an update, as the door can send it."""

    id: int
    chat_id: int
    thread_id: int | None
    part: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """An update that another run left undone, and what of its answer was not sent yet.

    `answered` when the answer is whole, so that nothing is left but to send it; `begun` when it
    was marked before it was worked on, because it must not be done twice.
    """

    parcel: Parcel
    answered: bool
    replies: tuple[Reply, ...]
    begun: bool


class Begin(Protocol):
    """Begins a transaction, as `Database.writing` does."""

    def __call__(self, *, much: bool = False) -> AbstractAsyncContextManager[AsyncConnection]: ...


class InOne(Protocol):
    """What the work does in a transaction of its own, as `Database.read` and `.write` have it."""

    async def __call__(self, work: Callable[[Connection], _T]) -> _T: ...


class Mailbox:
    """The updates and replies of all bots that share the database."""

    def __init__(self, read: InOne, in_one: InOne, writing: Begin) -> None:
        self._read = read
        self._in_one = in_one
        self._writing = writing
        self._waiting: list[tuple[_Write, asyncio.Future[Any]]] = []
        self._at_it: asyncio.Task[None] | None = None
        self._unsent: Counter[Key] = Counter()
        self._finished: set[Key] = set()
        self._owed: set[Key] = set()
        """What is done with and could not be marked so."""
        self.owner = _this_process()

    # ------------------------------------------------------------------ updates

    async def take_in(self, parcels: Sequence[Parcel], at: datetime | None = None) -> set[Key]:
        """Keeps the updates; those of them that were not known. They are safe once it returns.
        With the same `at` they are as new as before: nobody knows of a failed attempt whether it
        has kept them."""
        if not parcels:
            return set()
        now = at or datetime.now(UTC)
        rows = [
            {
                **p.key._asdict(),
                "place": p.place,
                "user_id": p.user_id,
                "payload": p.payload,
                "received_at": now,
                "owner": self.owner,
                "leased_until": now + LEASE,
            }
            for p in {p.key: p for p in parcels}.values()
        ]

        def write(c: Connection) -> set[Key]:
            return {Key(*row) for row in c.execute(_taking_in(c.dialect.name), rows)}

        return await self._write(write)

    async def is_next(self, key: Key, place: str | None) -> bool:
        """Whether no other process has an earlier message of the place in work. What is marked as
        begun goes on for long, and nothing waits for it."""
        undone = await self._read(lambda c: c.execute(_UNDONE, {"place": place}).all())
        return not any(
            bot_id == key.bot_id and number < key.update_id and owner != self.owner
            for bot_id, number, owner in undone
        )

    async def begin(self, key: Key) -> bool:
        """Marks that work on an update has begun that must not be done twice; False when it had
        begun before."""
        mine = sa.and_(_is(mailbox, key), mailbox.c.begun_at.is_(None))
        now = datetime.now(UTC)

        def write(c: Connection) -> bool:
            marked = c.execute(mailbox.update().where(mine).values(begun_at=now))
            known = c.execute(sa.select(mailbox.c.what).where(_is(mailbox, key))).first()
            return marked.rowcount > 0 or known is None

        return await self._write(write)

    def hold(self, key: Key) -> None:
        """Work on the update goes on after it was answered: it is not done before `release`."""
        self._unsent[key] += 1

    async def release(self, key: Key) -> None:
        """That work has ended, too."""
        self._unsent[key] -= 1
        await self.done(key)

    async def done(self, key: Key) -> None:
        """Of the update only its ids stay. Nothing happens while a reply to it is to be sent, or
        while it is held."""
        if self._unsent[key] > 0:
            return
        del self._unsent[key]
        if key in self._finished:
            self._finished.discard(key)
            return

        # Else it would be answered once more at the next start.
        self._owed.add(key)
        await self._write(lambda c: _finish(c, key))
        self._owed.discard(key)

    async def left(self, bot_id: int, place_limit: int = 100_000) -> list[Left]:
        """Takes over what dead processes left undone, in the order it came."""
        now = datetime.now(UTC)

        def write(c: Connection) -> list[Left]:
            undone = sa.and_(mailbox.c.bot_id == bot_id, mailbox.c.done_at.is_(None))
            owners = c.execute(
                sa.select(mailbox.c.owner, sa.func.max(mailbox.c.leased_until))
                .where(undone, mailbox.c.owner != self.owner)
                .group_by(mailbox.c.owner)
            ).all()
            gone = [o for o, until in owners if is_gone(o, until, now)]
            if not gone:
                return []
            theirs = sa.and_(undone, mailbox.c.owner.in_(gone))
            taken = {
                Key(*row)
                for row in c.execute(
                    mailbox.update()
                    .where(theirs)
                    .values(owner=self.owner, leased_until=now + LEASE)
                    .returning(mailbox.c.bot_id, mailbox.c.update_id, mailbox.c.what)
                )
            }
            found = c.execute(
                sa.select(mailbox)
                .where(undone, mailbox.c.owner == self.owner)
                .order_by(mailbox.c.received_at, mailbox.c.update_id)
                .limit(place_limit)
            ).all()
            kept: dict[Key, list[Any]] = {}
            stored = sa.select(replies).where(replies.c.bot_id == bot_id).order_by(replies.c.id)
            for r in c.execute(stored):
                kept.setdefault(Key(r.bot_id, r.update_id, r.what), []).append(r)
            return [
                _left(row, kept.get(key, []))
                for row in found
                if (key := Key(row.bot_id, row.update_id, row.what)) in taken
            ]

        found = await self._write(write)
        for one in found:
            if one.replies:
                self._unsent[one.parcel.key] = len(one.replies)
        return found

    async def renew(self) -> None:
        """Says that this process is alive, to those that cannot see it, and what it owes them."""
        owed = set(self._owed)
        mine = sa.and_(mailbox.c.owner == self.owner, mailbox.c.done_at.is_(None))
        until = datetime.now(UTC) + LEASE

        def write(c: Connection) -> None:
            for key in owed:
                _finish(c, key)
            c.execute(mailbox.update().where(mine).values(leased_until=until))

        await self._write(write)
        self._owed -= owed

    async def undo(self, key: Key, conversation_id: str) -> int:
        """Takes back the turns that an interrupted run remembered for an update and never showed,
        so that it can be worked on again as if for the first time; how many."""

        def write(c: Connection) -> int:
            row = c.execute(sa.select(mailbox).where(_is(mailbox, key))).first()
            if row is None:
                return 0
            before = c.execute(
                sa.select(sa.func.max(mailbox.c.done_at)).where(
                    mailbox.c.bot_id == key.bot_id, mailbox.c.place == row.place
                )
            ).scalar()
            since = max(row.received_at, before) if before else row.received_at
            ours = turns.c.conversation_id == conversation_id
            # The topic stays: it may have been chosen, and a question that moved it leads there
            # again.
            gone = c.execute(turns.delete().where(ours, turns.c.asked_at >= since))
            return gone.rowcount

        return await self._write(write)

    async def prune(self) -> None:
        """Forgets the ids of updates that cannot come again."""
        old = mailbox.c.done_at < datetime.now(UTC) - KEPT
        # After a long rest they are many.
        async with self._writing(much=True) as c:
            await c.execute(mailbox.delete().where(old))

    async def forget(self, user_id: str) -> None:
        """Deletes what is kept of a user's updates and of the replies to them. Their numbers stay,
        so that what Telegram offers once more is not answered."""
        theirs = mailbox.c.user_id == user_id
        now = datetime.now(UTC)

        def write(c: Connection) -> None:
            for row in c.execute(sa.select(mailbox).where(theirs)):
                c.execute(replies.delete().where(_is(replies, Key(*row[:3]))))
            c.execute(
                mailbox.update()
                .where(theirs)
                .values(
                    user_id=None,
                    place=None,
                    payload=None,
                    done_at=sa.func.coalesce(mailbox.c.done_at, now),
                )
            )

        await self._write(write)

    # ------------------------------------------------------------------ replies

    async def keep(
        self, key: Key, chat_id: int, thread_id: int | None, parts: Sequence[dict[str, Any]]
    ) -> list[Reply]:
        """Keeps the whole answer to an update before it is sent. Empty when the update is not
        kept, or not any more: there is nothing to come back to."""
        rows = [
            {**key._asdict(), "chat_id": chat_id, "thread_id": thread_id, "part": part}
            for part in parts
        ]

        def write(c: Connection) -> list[Reply]:
            if c.execute(_TO_ANSWER, _named(key)).first() is None:
                return []
            added = [c.execute(_KEEP, row).scalar_one() for row in rows]
            return [
                Reply(number, chat_id, thread_id, part)
                for number, part in zip(added, parts, strict=True)
            ]

        found = await self._write(write)
        if found:
            self._unsent[key] += len(found)
        return found

    async def sent(
        self, key: Key, reply: Reply, also: Callable[[Connection], None] | None = None
    ) -> None:
        """Marks a reply; with the last one the update is done. `also` is written with it."""
        self._unsent[key] -= 1
        last = self._unsent[key] <= 0
        if last:
            del self._unsent[key]
        now = datetime.now(UTC)

        def write(c: Connection) -> None:
            if also is not None:
                also(c)
            if last:
                _finish(c, key)
            else:
                c.execute(_SENT, {"of": reply.id, "now": now})

        await self._write(write)
        if last:
            self._finished.add(key)

    # ------------------------------------------------------------------ chats

    async def close_chat(self, bot_id: int, chat_id: int) -> None:
        """Remembers that the bot may not write there."""
        row = {"bot_id": bot_id, "chat_id": chat_id, "since": datetime.now(UTC)}

        def write(c: Connection) -> None:
            c.execute(inserting(c.dialect.name, unreachable).values(row).on_conflict_do_nothing())

        await self._write(write)

    async def open_chat(self, bot_id: int, chat_id: int) -> None:
        """Somebody wrote there: the bot may write again."""
        where = sa.and_(unreachable.c.bot_id == bot_id, unreachable.c.chat_id == chat_id)

        def write(c: Connection) -> None:
            c.execute(unreachable.delete().where(where))

        await self._write(write)

    async def closed_chats(self, bot_id: int) -> set[int]:
        """Where the bot may not write."""
        chats = sa.select(unreachable.c.chat_id).where(unreachable.c.bot_id == bot_id)
        return await self._write(lambda c: set(c.execute(chats).scalars()))

    # ------------------------------------------------------------------ writing

    async def settle(self) -> None:
        """Returns when nothing waits to be written any more, also of those who stopped waiting."""
        while self._at_it is not None and not self._at_it.done():
            await asyncio.wait([self._at_it])

    async def _write(self, write: Callable[[Connection], _T]) -> _T:
        """The result of `write`, in a transaction with whatever else waits to be written."""
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, future))
        if self._at_it is None or self._at_it.done():
            self._at_it = asyncio.create_task(self._write_all())
        # Whoever stops waiting does not stop the writing, which others share.
        return await asyncio.shield(future)

    async def _write_all(self) -> None:
        while self._waiting:
            await self._write_some()

    async def _write_some(self) -> None:
        together: list[tuple[_Write, asyncio.Future[Any]]] = []

        def write_each(c: Connection) -> list[Any]:
            nonlocal together
            # Whatever waits by now: others may have been written for a while, or to no avail.
            together, self._waiting = [*together, *self._waiting], []
            return [write(c) for write, _ in together]

        try:
            found = await self._in_one(write_each)
        except Exception as e:  # noqa: BLE001 - handed to those who wait for it
            together = together or self._waiting
            self._waiting = [w for w in self._waiting if w not in together]
            one_does_not_fit = isinstance(e.__cause__, _UNFIT) or not isinstance(e, CorollaryError)
            for write, future in together:
                if one_does_not_fit and len(together) > 1:
                    # And the others are not to blame.
                    await self._write_alone(write, future)
                else:
                    _fail(future, e)
            return
        for (_, future), result in zip(together, found, strict=True):
            if not future.done():
                future.set_result(result)

    async def _write_alone(self, write: _Write, future: "asyncio.Future[Any]") -> None:
        try:
            result = await self._in_one(write)
        except Exception as e:  # noqa: BLE001 - as above
            _fail(future, e)
        else:
            if not future.done():
                future.set_result(result)


def _fail(future: "asyncio.Future[Any]", e: Exception) -> None:
    if not future.done():
        future.set_exception(e)
        # Nobody may be waiting any more.
        future.exception()


def _finish(c: Connection, key: Key) -> None:
    c.execute(_DROP_REPLIES, _named(key))
    c.execute(_DONE, {**_named(key), "now": datetime.now(UTC)})


def _left(row: Any, stored: Collection[Any]) -> Left:
    key = Key(row.bot_id, row.update_id, row.what)
    unsent = tuple(
        Reply(r.id, r.chat_id, r.thread_id, dict(r.part)) for r in stored if r.sent_at is None
    )
    parcel = Parcel(key, row.place, row.user_id, row.payload or "{}")
    return Left(parcel, bool(stored), unsent, row.begun_at is not None)


def _is(table: sa.Table, key: Key) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.bot_id == key.bot_id,
        table.c.update_id == key.update_id,
        table.c.what == key.what,
    )


# What every answer needs is put together once: making a statement costs more than carrying it out.


def _is_named(table: sa.Table) -> sa.ColumnElement[bool]:
    """As `_is`, of a key that is given when the statement is carried out, as `_named` has it."""
    columns = ((table.c[name], f"its_{name}") for name in Key._fields)
    return sa.and_(*(column == sa.bindparam(name) for column, name in columns))


def _named(key: Key) -> dict[str, Any]:
    return {f"its_{name}": value for name, value in key._asdict().items()}


@cache
def _taking_in(dialect: str) -> sa.Insert:
    known = mailbox.c.bot_id, mailbox.c.update_id, mailbox.c.what
    adding = inserting(dialect, mailbox)
    at = adding.excluded.received_at
    ours = sa.and_(mailbox.c.owner == adding.excluded.owner, mailbox.c.received_at == at)
    again = adding.on_conflict_do_update(index_elements=known, set_={"received_at": at}, where=ours)
    return again.returning(*known)


# By the place and by what is undone, which are few; with the numbers in it, SQLite would go through
# all of three days.
_UNDONE = sa.select(mailbox.c.bot_id, mailbox.c.update_id, mailbox.c.owner).where(
    mailbox.c.place == sa.bindparam("place"),
    mailbox.c.what.startswith("message:"),
    mailbox.c.begun_at.is_(None),
    mailbox.c.done_at.is_(None),
)
_TO_ANSWER = sa.select(mailbox.c.what).where(_is_named(mailbox), mailbox.c.payload.is_not(None))
_KEEP = replies.insert().returning(replies.c.id)
_SENT = (
    replies.update().where(replies.c.id == sa.bindparam("of")).values(sent_at=sa.bindparam("now"))
)
_DROP_REPLIES = replies.delete().where(_is_named(replies))
_DONE = mailbox.update().where(_is_named(mailbox)).values(done_at=sa.bindparam("now"), payload=None)


def inserting(dialect: str, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """An insert that can say what happens when the primary key is there already."""
    from sqlalchemy.dialects import postgresql, sqlite

    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


# ---------------------------------------------------------------------- whose a row is


def _this_process() -> str:
    """Its machine, its number, and when it started: numbers are given again."""
    pid = os.getpid()
    return f"{socket.gethostname()[:60]}:{pid}:{_started(pid)}"


def _started(pid: int) -> str:
    """When a process started, in whatever unit the system has; empty where it does not tell."""
    try:
        # The name of the program stands in brackets and may hold anything.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def is_gone(owner: str, leased_until: datetime, now: datetime) -> bool:
    """Whether a process has ended: seen on this machine, guessed by its lease on any other."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    started = owner.rpartition(":")[2]
    if host != socket.gethostname()[:60] or not rest.isdecimal():
        return leased_until < now
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return _started(int(rest)) != started
