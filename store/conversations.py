"""Conversations, the pointer to the served build, gaps and the audit, in SQL.

The same code runs on SQLite (write-ahead log, synchronous FULL: what was acknowledged survives a
kill) and on PostgreSQL. Tables are described and made in `migrations`.

What people were shown is kept statement by statement (`quoted`), so that a switch can say whom a
statement was shown to that it takes away, and so that they can be told. A switch and the turns
that are being remembered meanwhile must not miss each other: on SQLite the one writer there can be
sees to that, on PostgreSQL an advisory lock that a switch has alone and turns share. A turn that
was answered from another build than the one served by then is compared with `standing`, the
statements that the last switches left of each article they touched.
"""

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
    suppress,
)
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from store import here
from store.article import quote_digest
from store.away import Patience
from store.errors import DatabaseProblem
from store.mailbox import Mailbox, inserting
from store.migrations.tables import (
    HEAD,
    audit,
    builds,
    claims,
    conversations,
    gaps,
    quoted,
    receipts,
    served,
    spent,
    standing,
    turns,
    users,
)
from store.records import (
    AskedBefore,
    AuditEntry,
    BuildRow,
    CorrectedQuote,
    Correction,
    Gap,
    Pointer,
    Recalled,
    RememberedTurn,
    Standing,
    Stored,
    StoredTurn,
    Withdrawn,
)
from store.turn import Receipt, Turn, turn_dict

__all__ = [
    "HEAD",
    "AskedBefore",
    "AuditEntry",
    "BuildRow",
    "CorrectedQuote",
    "Correction",
    "Database",
    "Gap",
    "Pointer",
    "Recalled",
    "RememberedTurn",
    "Standing",
    "StoredTurn",
    "Withdrawn",
    "sqlite_url",
]

log = logging.getLogger("corollary")

_T = TypeVar("_T")

AWAY_S = 30.0
"""How long a database server is waited for that has gone away. People would rather wait for an
answer than be told to ask again; longer than a restart takes, or another one taking over, they
would not."""

CLOSED_WITHIN_S = 2.0
"""How long the database may take to be left."""

_THE_ROW = 1
"""`served` has one row: the pointer."""

_MIGRATION_LOCK = 0x436F726F6C6C6172
"""The PostgreSQL advisory lock of whoever migrates; any number that no other program uses."""

_POINTER_LOCK = _MIGRATION_LOCK + 1
"""The PostgreSQL advisory lock of whoever moves the pointer or depends on where it stands."""

_CHUNK = 400
"""Rows that one statement names, by up to three values each; databases take some 32,000 values."""

_TURNS_BACK = 8
"""How many turns a question is read in the light of."""

_TELLING = timedelta(minutes=5)
"""How long a correction is left to the process that took it, before another one may try."""

_ACTS = ("more: ", "why: ", "sources: ", "shorter: ")
"""What a turn that asked nothing of its own but acted on the last answer was read as."""

_BUSY_TIMEOUT_S = 10
"""How long SQLite waits for another writer."""

_URL_FORMS = (
    "Use sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME; "
    "in the password write % as %25, @ as %40, : as %3A and / as %2F."
)


class Database:
    """The SQL side of the store. Open it with `Database.open`, close it with `close`."""

    def __init__(self, engine: AsyncEngine, quick: AsyncEngine, shown: str) -> None:
        self._engine = engine
        self._quick = quick
        # SQLite does not queue its writers: of many at once some would wait until they give up.
        one_writer = engine.dialect.name == "sqlite"
        self._turn_at_writing = asyncio.Semaphore(1 if one_writer else 1_000)
        self._patience = Patience(shown)
        self.shown = shown
        """The database as it may be shown: no password."""
        self.mailbox = Mailbox(self.read, self.write, self.writing)
        """What Telegram sent and has not been answered yet."""

    @classmethod
    async def open(cls, url: str) -> "Database":
        """Connects and brings the tables up to date; DatabaseProblem when either fails."""
        parsed = _parsed(url)
        try:
            # The ping costs a round trip, and saves the turn that finds its connection cut; a file
            # is not cut.
            engine = create_async_engine(
                parsed,
                json_serializer=_json,
                hide_parameters=True,
                pool_pre_ping=parsed.get_backend_name() != "sqlite",
            )
        except (SQLAlchemyError, ModuleNotFoundError) as e:
            raise DatabaseProblem(
                "COROLLARY_DATABASE_URL cannot be used: "
                f"{parsed.drivername} is not installed, or no asynchronous driver.",
                _URL_FORMS,
            ) from e
        # Options can hold a password too.
        shown = unquote(engine.url.set(query={}).render_as_string(hide_password=True))
        quick = engine
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
            if parsed.database not in {None, "", ":memory:"}:
                quick = create_async_engine(
                    parsed,
                    json_serializer=_json,
                    hide_parameters=True,
                    connect_args={"async_creator_fn": here.connecting(_BUSY_TIMEOUT_S)},
                )
                _prepare_sqlite(quick, wait_s=0)
        self = cls(engine, quick, shown)
        try:
            await self._connect()
            await self._migrate()
        except BaseException:
            await self.close()
            raise
        if parsed.get_backend_name() != "sqlite":
            self._patience.within_s = AWAY_S
        return self

    async def close(self) -> None:
        """Gives the connections back, when what the mailbox has in hand is written; a database
        that does not answer is not waited for long."""
        self._patience.within_s = 0
        try:
            async with asyncio.timeout(CLOSED_WITHIN_S):
                await self.mailbox.settle()
                await self._quick.dispose()
                await self._engine.dispose()
        except TimeoutError:
            log.warning("The database %s does not answer, and is left as it is.", self.shown)

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError, UnicodeEncodeError) as e:
            raise DatabaseProblem(
                f"The database {self.shown} cannot be used: {_reason(e)}",
                "Check that it exists, has space and may be written to "
                "(COROLLARY_DATA_DIR, COROLLARY_DATABASE_URL).",
            ) from e

    @asynccontextmanager
    async def _begin(self, engine: AsyncEngine | None = None) -> AsyncIterator[AsyncConnection]:
        begun = (engine or self._engine).begin
        with self._told_plainly():
            async with AsyncExitStack() as open_:
                yield await self._patience.of(lambda: open_.enter_async_context(begun()))

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """What the work finds in a transaction of its own. For what every answer needs: to go
        through the library once for all of it costs half of going there for every step. It is
        done again when the server goes away meanwhile; if that was at the very end, for the second
        time."""
        with self._told_plainly():
            engine = self._quick.sync_engine
            return await self._patience.of(lambda: greenlet_spawn(_within, engine, work))

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """The same for work that writes, in its turn."""
        async with self._turn_at_writing:
            return await self.read(work)

    def reading(self, *, much: bool = False) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction, for modules of the store that have tables of their own. `much` says that
        it goes through many rows: it then costs more, and holds up nobody."""
        return self._begin(self._engine if much else self._quick)

    @asynccontextmanager
    async def writing(self, *, much: bool = False) -> AsyncIterator[AsyncConnection]:
        """The same for those that write, in their turn."""
        async with self._turn_at_writing, self.reading(much=much) as connection:
            yield connection

    async def _connect(self) -> None:
        try:
            async with self._begin():
                pass
        except (TypeError, ValueError) as e:
            raise DatabaseProblem(
                f"The database {self.shown} cannot be used: "
                f"its driver does not take an option of COROLLARY_DATABASE_URL ({e}).",
                "Correct what follows the question mark; for TLS to PostgreSQL it is ssl=require.",
            ) from e

    async def _migrate(self) -> None:
        async with self._begin() as connection:
            if await connection.run_sync(_version) == HEAD:
                return
            # One process migrates, all or nothing; another waits here and finds it done.
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            found = await connection.run_sync(_version)
            if found == HEAD:
                return
            if found is not None and connection.dialect.name == "sqlite":
                self._keep_copy(found)
            # Alembic is half a second of import: only where there is something to migrate.
            await connection.run_sync(_upgrade, found)

    def _keep_copy(self, version: str) -> None:
        """A copy of the SQLite file as that version left it, for going back to that version."""
        path = self._engine.url.database
        if not path or path == ":memory:":
            return
        copy = Path(f"{path}.{version}")
        half = copy.with_name(f"{copy.name}.tmp")
        half.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as there, closing(sqlite3.connect(half)) as here:
            there.backup(here)
        half.replace(copy)

    def copies(self) -> list[Path]:
        """The copies of the SQLite file that migrations left."""
        path = self._engine.url.database
        if self._engine.dialect.name != "sqlite" or not path or path == ":memory:":
            return []
        return sorted(Path(path).parent.glob(f"{Path(path).name}.*"))

    async def scrub(self) -> None:
        """Takes what was deleted out of the write-ahead log of SQLite too, unless somebody reads
        just now: then the next one does."""
        if self._engine.dialect.name == "sqlite":
            async with self._engine.connect() as connection:
                own = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await own.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    # ------------------------------------------------------------------ conversations

    async def recall(
        self, conversation_id: str, turns_back: int = _TURNS_BACK, user_id: str | None = None
    ) -> Recalled:
        """What is remembered of the conversation, and what the user said describes them; empty
        when both are new."""
        wanted = {"conversation": conversation_id, "most": max(1, turns_back), "user": user_id}

        def work(c: Connection) -> Recalled:
            found = c.execute(_RECALL, wanted).all()
            if not found:
                # The first question: nothing is known but the user, if that.
                role = c.scalar(ROLE_OF, {"user": user_id}) if user_id else None
                return Recalled(conversation_id, role=role)
            last = [t for t in found if t.id is not None][:turns_back]
            remembered = tuple(_remembered(t) for t in reversed(last))
            return Recalled(conversation_id, found[0].current, remembered, found[0].role)

        return await self.read(work)

    async def remember(self, user_id: str, turn: Turn) -> int:
        """Stores the turn, what it quoted and the topic it ended on, in one transaction; its id.

        A quote that a switch has taken away since the turn began is stored as withdrawn.
        """
        return await self.write(lambda c: _remember(c, user_id, turn))

    async def rehearse(self, turn: Turn, also: Callable[[Connection, int], None]) -> None:
        """Stores the turn of nobody, and what `also` adds to it by its id, and takes it back: the
        statements are put together when they are first used, which takes longer than an answer."""

        def work(c: Connection) -> None:
            also(c, _remember(c, "nobody", turn))
            raise _TakenBack

        with suppress(_TakenBack):
            await self.write(work)

    async def turn(self, conversation_id: str, turn_id: int) -> RememberedTurn | None:
        """One turn of the conversation; None when it has no such turn."""
        async with self.reading() as c:
            found = await c.execute(
                sa.select(turns).where(
                    turns.c.id == turn_id, turns.c.conversation_id == conversation_id
                )
            )
            t = found.first()
            return _remembered(t) if t else None

    async def asked(self, turn_id: int) -> tuple[AskedBefore, StoredTurn] | None:
        """One turn of whatever conversation: what was asked in which context, and what was made of
        it, with its receipt; None when there is no such turn."""
        async with self._begin() as c:
            row = (await c.execute(sa.select(turns).where(turns.c.id == turn_id))).first()
            if row is None:
                return None
            earlier = (await _turns_before(c, [turn_id])).get(turn_id, [])
            found = await c.execute(sa.select(turns).where(turns.c.id.in_(earlier)))
            before = {t.id: t for t in found}
            kept = sa.select(receipts.c.receipt).where(receipts.c.turn_id == turn_id)
            receipt = (await c.execute(kept)).first()
        asked = _asked_before(row, [before[i] for i in earlier])
        told = dict(receipt.receipt) if receipt else {}
        return asked, StoredTurn(row.build, row.timings_ms, told)

    async def latest_turn(self, conversation_id: str) -> int | None:
        """The id of the conversation's last turn since it started; None when there is none."""
        recalled = await self.recall(conversation_id, 1)
        return recalled.turns[-1].id if recalled.turns else None

    async def tokens_spent(self, user_id: str) -> int:
        """Tokens in and out that the user has spent of a chat model today (UTC)."""
        today = datetime.now(UTC).date()
        async with self.reading() as c:
            total = await c.scalar(
                sa.select(spent.c.tokens_in + spent.c.tokens_out).where(
                    spent.c.user_id == user_id, spent.c.day == today
                )
            )
            return int(total or 0)

    async def set_topic(self, user_id: str, conversation_id: str, topic: str | None) -> None:
        """Puts the conversation on a topic, or on none; its turns stay remembered."""
        now = datetime.now(UTC)
        async with self.writing() as c:
            await c.run_sync(_ensure, user_id, conversation_id, now)
            moved = {"conversation": conversation_id, "to": topic, "now": now}
            await c.execute(_MOVE, moved)

    async def start_anew(self, user_id: str, conversation_id: str) -> None:
        """Forgets the context: no topic, and earlier turns are not recalled any more."""
        now = datetime.now(UTC)
        async with self.writing() as c:
            await c.run_sync(_ensure, user_id, conversation_id, now)
            last = await c.scalar(
                sa.select(sa.func.max(turns.c.asked_at)).where(
                    turns.c.conversation_id == conversation_id
                )
            )
            # After every turn so far, also when the clock was set back since.
            started_at = max(now, last + timedelta(microseconds=1)) if last else now
            await c.execute(
                conversations.update()
                .where(conversations.c.id == conversation_id)
                .values(topic=None, started_at=started_at, updated_at=now)
            )

    # ------------------------------------------------------------------ people

    async def is_invited(self, user_id: str) -> bool:
        """Whether the user has given an invitation code."""
        async with self.reading() as c:
            found = await c.execute(
                sa.select(users.c.id).where(users.c.id == user_id, users.c.invited_at.is_not(None))
            )
            return found.first() is not None

    async def invite(self, user_id: str) -> None:
        """Remembers that the user gave a valid invitation code."""
        now = datetime.now(UTC)
        async with self.writing() as c:
            await insert_once(c, users, {"id": user_id, "created_at": now})
            await c.execute(users.update().where(users.c.id == user_id).values(invited_at=now))

    # ------------------------------------------------------------------ builds

    async def served_build(self) -> str | None:
        """The build that the pointer names; None before the first one."""
        return await self.read(lambda c: c.scalar(_SERVED))

    async def pointer(self) -> Pointer | None:
        """Where the pointer stands; None before the first switch."""
        async with self._begin() as c:
            row = (await c.execute(sa.select(served))).first()
            return Pointer(row.build, row.previous, row.switched_at) if row else None

    async def switch(
        self,
        build: str,
        manifest: dict[str, Any],
        who: str,
        *,
        action: str = "switch",
        entries: Sequence[tuple[str, str | None, str | None, dict[str, Any]]] = (),
        standing: Standing | None = None,
    ) -> tuple[Withdrawn, ...]:
        """Points at another build and writes the audit; what was withdrawn, by article and text.

        All in one transaction. `previous` becomes the build that was served before, and stays what
        it was when the pointer already names this build. The first audit entry is `action` with
        the two builds, then come `entries`: (action, article, SHA-256, detail).

        `standing` must name every article of which the new build has other statements than the
        old one. What was quoted from those and stands no more is withdrawn; what was withdrawn
        and stands again is not, unless somebody was told already. Without it nothing is withdrawn.
        """
        now = datetime.now(UTC)
        async with self._begin() as c:
            await _hold_pointer(c)
            row = {"id": build, "created_at": now, "manifest": manifest}
            await insert_once(c, builds, row)
            before = await c.scalar(sa.select(served.c.build))
            pointer = inserting(c.dialect.name, served).values(
                id=_THE_ROW, build=build, previous=None, switched_at=now
            )
            kept = sa.case((served.c.build == build, served.c.previous), else_=served.c.build)
            await c.execute(
                pointer.on_conflict_do_update(
                    index_elements=[served.c.id],
                    set_={"build": build, "previous": kept, "switched_at": now},
                )
            )
            moved = (action, None, None, {"build": build, "previous": before})
            await _audit(c, now, who, [moved, *entries])
            await _stand(c, standing)
            if standing is None:
                return ()
            fallen, risen = await _fallen_and_risen(c, standing)
            withdrawn = await _widely_shown(c, fallen)
            gone = {"withdrawn_at": now, "withdrawn_build": build}
            for pairs in _chunks(fallen):
                is_fallen = _pair.in_(pairs), quoted.c.withdrawn_at.is_(None)
                await c.execute(quoted.update().where(*is_fallen).values(gone))
            back = {"withdrawn_at": None, "withdrawn_build": None, "claimed_at": None}
            for pairs in _chunks(risen):
                # Not `_UNTOLD`: PostgreSQL would go through all of those for every chunk.
                is_risen = _pair.in_(pairs), quoted.c.told_at.is_(None)
                await c.execute(quoted.update().where(*is_risen).values(back))
            return withdrawn

    async def would_withdraw(self, standing: Standing) -> tuple[Withdrawn, ...]:
        """What a switch with this `standing` would withdraw; nothing is changed."""
        async with self._begin() as c:
            fallen, _ = await _fallen_and_risen(c, standing)
            return await _widely_shown(c, fallen)

    async def known_builds(self) -> list[str]:
        """Every build ever switched to and not forgotten since, newest first."""
        async with self._begin() as c:
            found = await c.scalars(sa.select(builds.c.id).order_by(*_NEWEST_BUILD))
            return list(found)

    async def build_rows(self) -> list[BuildRow]:
        """The same with their manifests, newest first."""
        async with self._begin() as c:
            found = await c.execute(sa.select(builds).order_by(*_NEWEST_BUILD))
            return [BuildRow(b.id, b.created_at, b.manifest) for b in found]

    async def build_row(self, build: str) -> BuildRow | None:
        """What is known of one build."""
        async with self._begin() as c:
            found = (await c.execute(sa.select(builds).where(builds.c.id == build))).first()
            return BuildRow(found.id, found.created_at, found.manifest) if found else None

    async def forget_builds(self, gone: Collection[str]) -> int:
        """Drops what is known of these builds, but never of the one served nor of the one before
        it; how many were dropped."""
        dropped = 0
        async with self._begin() as c:
            await _hold_pointer(c)
            needed = sa.union(sa.select(served.c.build), sa.select(served.c.previous)).subquery()
            needed_ids = sa.select(needed.c.build).where(needed.c.build.is_not(None))
            for ids in _chunks(gone):
                result = await c.execute(
                    builds.delete().where(builds.c.id.in_(ids), builds.c.id.not_in(needed_ids))
                )
                dropped += result.rowcount
        return dropped

    # ------------------------------------------------------------------ corrections

    async def untold(
        self, prefix: str, limit: int = 100, *, exact: bool = False
    ) -> list[Correction]:
        """What was withdrawn and nobody was told, for at most `limit` conversations whose id
        starts with the prefix (or is it, with `exact`); longest waiting first. Nothing is taken."""
        async with self._begin() as c:
            ids = await c.scalars(_waiting(prefix, limit, exact))
            return await _corrections(c, _UNTOLD, turns.c.conversation_id.in_(ids.all()))

    async def take_untold(
        self, prefix: str, limit: int = 100, *, exact: bool = False
    ) -> list[Correction]:
        """The same, for sending: of several processes one gets each correction.

        Tell the reader, then `mark_told`. A correction that is not marked within five minutes is
        given out again, so that one is told at least once and, after a crash, at most once more.
        """
        # Looked at first: most times there is nothing, and then nobody is kept waiting.
        if await self.read(lambda c: c.execute(_ANY_UNTOLD).first()) is None:
            return []
        now = datetime.now(UTC)
        free = sa.or_(quoted.c.claimed_at.is_(None), quoted.c.claimed_at <= now - _TELLING)
        async with self._begin() as c:
            if (await c.execute(_waiting(prefix, 1, exact, free))).first() is None:
                return []
            await _hold_pointer(c)
            of_them = sa.select(turns.c.id).where(
                turns.c.conversation_id.in_(_waiting(prefix, limit, exact, free))
            )
            taken = await c.execute(
                quoted.update()
                .where(_UNTOLD, free, quoted.c.turn_id.in_(of_them))
                .values(claimed_at=now)
                .returning(quoted.c.turn_id, quoted.c.article, quoted.c.digest)
            )
            keys = {(row.turn_id, row.article, row.digest) for row in taken}
            found = await _corrections(c, _UNTOLD, quoted.c.claimed_at == now)
        mine = (replace(f, items=tuple(i for i in f.items if _key(i) in keys)) for f in found)
        return [correction for correction in mine if correction.items]

    async def mark_told(self, correction: Correction) -> None:
        """Notes that the reader was told; doing so again changes nothing."""
        now = datetime.now(UTC)
        key = sa.tuple_(quoted.c.turn_id, quoted.c.article, quoted.c.digest)
        async with self._begin() as c:
            await _hold_pointer(c, shared=True)
            for keys in _chunks(_key(item) for item in correction.items):
                await c.execute(quoted.update().where(key.in_(keys), _UNTOLD).values(told_at=now))

    # ------------------------------------------------------------------ questions to put again

    async def questions_citing(
        self, articles: Collection[str], limit: int = 50
    ) -> list[AskedBefore]:
        """The newest questions whose answers quoted one of the articles, newest first.

        "More" and "sources" asked nothing of their own and are left out. Each comes with the topic
        and the turns before it. A conversation keeps only its latest start: what was asked before
        that start is given all the turns that preceded it.
        """
        asked = sa.or_(
            turns.c.read_as.is_(None),
            sa.not_(sa.or_(*(turns.c.read_as.startswith(act) for act in _ACTS))),
        )
        async with self._begin() as c:
            newest: set[int] = set()
            for slugs in _chunks(articles):
                query = (
                    sa.select(quoted.c.turn_id)
                    .join(turns)
                    .where(quoted.c.article.in_(slugs), asked)
                    .distinct()
                    .order_by(quoted.c.turn_id.desc())
                    .limit(limit)
                )
                newest |= set((await c.scalars(query)).all())
            ids = sorted(newest, reverse=True)[:limit]
            earlier = await _turns_before(c, ids)
            needed = {*ids, *(turn_id for before in earlier.values() for turn_id in before)}
            rows: dict[int, sa.Row[Any]] = {}
            for chunk in _chunks(sorted(needed)):
                query = sa.select(turns).where(turns.c.id.in_(chunk))
                rows |= {t.id: t for t in await c.execute(query)}
        # A turn can have been erased between two of these queries.
        return [
            _asked_before(rows[i], [rows[e] for e in earlier.get(i, ()) if e in rows])
            for i in ids
            if i in rows
        ]

    # ------------------------------------------------------------------ gaps and audit

    async def recent_gaps(self, limit: int = 100) -> list[Gap]:
        """Questions that were not answered, newest first."""
        return await self.gaps_since(None, limit)

    async def gaps_since(self, since: datetime | None, limit: int = 5000) -> list[Gap]:
        """Questions that were not answered since then, or ever, newest first."""
        query = (
            sa.select(gaps, conversations.c.user_id)
            .join(turns, turns.c.id == gaps.c.turn_id)
            .join(conversations, conversations.c.id == turns.c.conversation_id)
            .order_by(gaps.c.id.desc())
            .limit(limit)
        )
        if since is not None:
            query = query.where(gaps.c.noticed_at >= since)
        async with self._begin() as c:
            return [
                Gap(g.question, g.reason, g.article, g.section, g.noticed_at, g.id, g.user_id)
                for g in await c.execute(query)
            ]

    async def note(
        self,
        who: str,
        action: str,
        detail: dict[str, Any] | None = None,
        *,
        article: str | None = None,
        sha256: str | None = None,
    ) -> None:
        """Adds a line to the audit, which nobody can change or delete afterwards."""
        async with self._begin() as c:
            await _audit(c, datetime.now(UTC), who, [(action, article, sha256, detail or {})])

    async def audit_entries(
        self,
        *,
        since: datetime | None = None,
        article: str | None = None,
        action: str | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Lines of the audit, newest first; only those since then, on that article, of that
        action."""
        query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if article is not None:
            query = query.where(audit.c.article == article)
        if action is not None:
            query = query.where(audit.c.action == action)
        async with self._begin() as c:
            return [
                AuditEntry(a.at, a.who, a.action, a.article, a.sha256, a.detail or {})
                for a in await c.execute(query)
            ]

    async def claim_day(self, what: str, day: date) -> bool:
        """Whether the caller is the one, of all processes, who does this on that day."""
        row = {"what": what, "day": day, "claimed_at": datetime.now(UTC)}
        async with self._begin() as c:
            made = await c.execute(
                inserting(c.dialect.name, claims)
                .values(row)
                .on_conflict_do_nothing()
                .returning(claims.c.what)
            )
            return made.first() is not None

    async def ping(self) -> str:
        """The database's own name and version; DatabaseProblem when it does not answer now."""
        with self._told_plainly():
            async with self._engine.begin() as c:
                name = c.dialect.name
                query = "select sqlite_version()" if name == "sqlite" else "show server_version"
                version = (await c.execute(sa.text(query))).scalar_one()
                return f"{name} {version}"


def sqlite_url(path: Path) -> str:
    """The default database, a file of this machine."""
    return sa.URL.create("sqlite+aiosqlite", database=str(path)).render_as_string()


def _parsed(url: str) -> sa.URL:
    """The URL in its parts; a password that breaks it is not repeated in the problem."""
    try:
        parsed = sa.make_url(url)
    except (SQLAlchemyError, ValueError):
        parsed = None
    server = parsed is not None and not parsed.drivername.startswith("sqlite")
    if parsed is None or (server and "@" in f"{parsed.host}{parsed.database}"):
        raise DatabaseProblem("COROLLARY_DATABASE_URL cannot be read.", _URL_FORMS)
    return parsed


def _reason(problem: Exception) -> str:
    """What the driver says, in a line without the values at hand: they can be a question."""
    cause = getattr(problem, "orig", None) or problem
    if isinstance(cause, UnicodeEncodeError) or "invalid input for query argument" in str(cause):
        return "a value is of a kind that it does not store"
    text = str(cause.args[0]) if isinstance(cause, SQLAlchemyError) and cause.args else str(cause)
    return text.partition("\n")[0] or "no answer in time"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def insert_once(c: AsyncConnection, table: sa.Table, row: dict[str, Any]) -> None:
    """Inserts unless the primary key is there already, also when two do so at once."""
    await c.run_sync(_insert_once, table, row)


def _insert_once(c: Connection, table: sa.Table, row: dict[str, Any]) -> None:
    c.execute(inserting(c.dialect.name, table).values(row).on_conflict_do_nothing())


_UNTOLD = sa.and_(quoted.c.withdrawn_at.is_not(None), quoted.c.told_at.is_(None))
"""Withdrawn, and whoever was shown it does not know yet."""

_ANY_UNTOLD = sa.select(quoted.c.turn_id).where(_UNTOLD).limit(1)

_NEWEST_BUILD = (builds.c.created_at.desc(), builds.c.id.desc())
_pair = sa.tuple_(quoted.c.article, quoted.c.digest)


# What every turn needs is put together once: making a statement costs more than carrying it out.
_STARTED = sa.select(conversations.c.started_at).where(
    conversations.c.id == sa.bindparam("conversation")
)
_KNOWN = sa.select(
    sa.select(users.c.id).where(users.c.id == sa.bindparam("user")).scalar_subquery(),
    _STARTED.scalar_subquery(),
)
ROLE_OF = sa.select(users.c.role).where(users.c.id == sa.bindparam("user"))
_SINCE_THE_START = sa.and_(
    turns.c.conversation_id == conversations.c.id,
    turns.c.asked_at >= conversations.c.started_at,
)
_RECALL = (
    sa.select(
        conversations.c.topic.label("current"),
        *(turns.c[n] for n in ("id", "question", "read_as", "kind", "topic")),
        sa.type_coerce(turns.c.answer, sa.Text).label("answer"),
        ROLE_OF.scalar_subquery().label("role"),
    )
    .select_from(conversations.outerjoin(turns, _SINCE_THE_START))
    .where(conversations.c.id == sa.bindparam("conversation"))
    .order_by(turns.c.id.desc())
    .limit(sa.bindparam("most"))
)
_ADD_TURN = turns.insert().returning(turns.c.id)
_ADD_RECEIPT = receipts.insert()
_QUOTE = quoted.insert()
_ADD_GAP = gaps.insert()
_SERVED = sa.select(served.c.build)
_MOVE = (
    conversations.update()
    .where(conversations.c.id == sa.bindparam("conversation"))
    .values(topic=sa.bindparam("to"), updated_at=sa.bindparam("now"))
)


class _TakenBack(Exception):
    """Ends a transaction that nothing is to stay of."""


def _within(engine: Engine, work: Callable[[Connection], _T]) -> _T:
    with engine.begin() as c:
        return work(c)


def _chunks(values: Iterable[_T]) -> Iterator[list[_T]]:
    """The values in lists that fit into a statement."""
    left = iter(values)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _remembered(row: sa.Row[Any]) -> RememberedTurn:
    answer = Stored(row.answer) if isinstance(row.answer, str) else row.answer
    return RememberedTurn(row.id, row.question, row.read_as, row.kind, row.topic, answer)


async def _hold_pointer(c: AsyncConnection, *, shared: bool = False) -> None:
    await c.run_sync(_pointer_held, shared)


def _pointer_held(c: Connection, shared: bool) -> None:
    """Until the transaction ends the pointer stays where it is, or is ours alone to move.

    Only PostgreSQL needs it: SQLite has one writer, and each transaction that calls this writes.
    """
    if c.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
        c.execute(sa.select(lock(_POINTER_LOCK)))


async def _audit(
    c: AsyncConnection,
    at: datetime,
    who: str,
    entries: Sequence[tuple[str, str | None, str | None, dict[str, Any]]],
) -> None:
    await c.execute(
        audit.insert(),
        [
            {
                "at": at,
                "who": who,
                "action": action,
                "article": article,
                "sha256": sha256,
                "detail": detail,
            }
            for action, article, sha256, detail in entries
        ],
    )


# ---------------------------------------------------------------------- a turn


def _remember(c: Connection, user_id: str, turn: Turn) -> int:
    now = datetime.now(UTC)
    topic = turn.topic.slug if turn.topic else None
    started_at = _ensure(c, user_id, turn.conversation_id, now)
    row = {
        "conversation_id": turn.conversation_id,
        # Never before the start, whoever made the conversation and by whose clock:
        # such a turn would not be recalled.
        "asked_at": max(now, started_at),
        "question": turn.question,
        "read_as": turn.read_as,
        "kind": turn.kind.value,
        "topic": topic,
        "answer": turn_dict(turn),
        "build": turn.build,
        "timings_ms": turn.timings_ms,
    }
    turn_id = int(c.execute(_ADD_TURN, row).scalar_one())
    _remember_quotes(c, turn_id, turn, now)
    c.execute(_ADD_RECEIPT, {"turn_id": turn_id, "receipt": asdict(turn.receipt)})
    _spend(c, user_id, turn.receipt, now)
    c.execute(_MOVE, {"conversation": turn.conversation_id, "to": topic, "now": now})
    if turn.reason is not None and turn.kind.value in {"not_covered", "partly_answered"}:
        gap = {
            "turn_id": turn_id,
            "noticed_at": now,
            "question": turn.read_as or turn.question,
            "reason": turn.reason,
            "article": turn.nearest.slug if turn.nearest else topic,
            "section": turn.nearest.section if turn.nearest else None,
        }
        c.execute(_ADD_GAP, gap)
    return turn_id


def _ensure(c: Connection, user: str, conversation: str, at: datetime) -> datetime:
    """Makes the user and the conversation unless they exist; when the conversation started."""
    named = {"user": user, "conversation": conversation}
    known: str | None
    started_at: datetime | None
    known, started_at = c.execute(_KNOWN, named).one()
    if known is None:
        _insert_once(c, users, {"id": user, "created_at": at})
    if started_at is None:
        row = {"id": conversation, "user_id": user, "started_at": at, "updated_at": at}
        _insert_once(c, conversations, row)
        started_at = c.scalar(_STARTED, named)
    assert started_at is not None
    return started_at


def _remember_quotes(c: Connection, turn_id: int, turn: Turn, now: datetime) -> None:
    keys = {source.n: source.reference.identity for source in turn.sources}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for quote in turn.rests_on():
        # A digest over fewer sources than it had would look like a statement that fell.
        if keys.keys() >= set(quote.citations):
            digest = quote_digest(quote.text, [keys[n] for n in quote.citations])
            rows[quote.article, digest] = {
                "turn_id": turn_id,
                "article": quote.article,
                "digest": digest,
                "text": quote.text,
                "withdrawn_at": None,
                "withdrawn_build": None,
            }
    if not rows:
        return
    _pointer_held(c, True)
    build = c.scalar(_SERVED)
    if build is not None and build != turn.build:
        # Switched while this was answered. The switch could not see these quotes, and who made it
        # may be gone: what it left behind of each article is the one thing that decides.
        left = c.execute(
            sa.select(standing).where(standing.c.article.in_({slug for slug, _ in rows}))
        )
        for article, digests in left:
            for (slug, digest), row in rows.items():
                if slug == article and digest not in digests:
                    row |= {"withdrawn_at": now, "withdrawn_build": build}
    c.execute(_QUOTE, list(rows.values()))


def _spend(c: Connection, user_id: str, receipt: Receipt, now: datetime) -> None:
    if not receipt.calls:
        return
    row = {
        "user_id": user_id,
        "day": now.date(),
        "tokens_in": receipt.tokens_in,
        "tokens_out": receipt.tokens_out,
    }
    more = {n: spent.c[n] + row[n] for n in ("tokens_in", "tokens_out")}
    c.execute(
        inserting(c.dialect.name, spent)
        .values(row)
        .on_conflict_do_update(index_elements=[spent.c.user_id, spent.c.day], set_=more)
    )


# ---------------------------------------------------------------------- what was quoted


async def _stand(c: AsyncConnection, left: Standing | None) -> None:
    """Keeps what is left of the articles, for turns that are still being answered."""
    if left is None:
        # Nobody said what stands in this build; what stood in another one decides nothing.
        await c.execute(standing.delete())
        return
    for slugs in _chunks(left):
        await c.execute(standing.delete().where(standing.c.article.in_(slugs)))
        rows = [{"article": slug, "digests": sorted(left[slug])} for slug in slugs]
        await c.execute(standing.insert(), rows)


async def _fallen_and_risen(
    c: AsyncConnection, left: Standing
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(article, digest) of what was quoted and stands no more, and of what stands again before
    anybody was told."""
    fallen, risen = [], []
    gone = quoted.c.withdrawn_at.is_not(None).label("gone")
    for slugs in _chunks(left):
        found = await c.execute(
            sa.select(quoted.c.article, quoted.c.digest, gone)
            .where(quoted.c.article.in_(slugs), quoted.c.told_at.is_(None))
            .distinct()
        )
        for article, digest, is_gone in found:
            stands = digest in left[article]
            if stands and is_gone:
                risen.append((article, digest))
            elif not stands and not is_gone:
                fallen.append((article, digest))
    return fallen, risen


async def _widely_shown(
    c: AsyncConnection, pairs: Collection[tuple[str, str]]
) -> tuple[Withdrawn, ...]:
    found: list[sa.Row[Any]] = []
    for chunk in _chunks(pairs):
        query = (
            sa.select(
                quoted.c.article,
                quoted.c.digest,
                sa.func.min(quoted.c.text).label("text"),
                sa.func.count().label("turns"),
                sa.func.count(conversations.c.user_id.distinct()).label("people"),
            )
            .join(turns, turns.c.id == quoted.c.turn_id)
            .join(conversations, conversations.c.id == turns.c.conversation_id)
            .where(_pair.in_(chunk), quoted.c.withdrawn_at.is_(None))
            .group_by(quoted.c.article, quoted.c.digest)
        )
        found += (await c.execute(query)).all()
    found.sort(key=lambda row: (row.article, row.text, row.digest))
    return tuple(Withdrawn(row.article, row.text, row.turns, row.people) for row in found)


def _waiting(
    prefix: str, limit: int, exact: bool, *conditions: sa.ColumnElement[bool]
) -> sa.Select[tuple[str]]:
    """The conversations that wait for a correction, the longest waiting first."""
    column = turns.c.conversation_id
    # Not LIKE: it has wildcards, and in SQLite it takes A for a.
    named = column == prefix if exact else sa.func.substr(column, 1, len(prefix)) == prefix
    return (
        sa.select(column)
        .join(quoted, quoted.c.turn_id == turns.c.id)
        .where(_UNTOLD, named, *conditions)
        .group_by(column)
        .order_by(sa.func.min(quoted.c.turn_id))
        .limit(limit)
    )


async def _corrections(c: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> list[Correction]:
    found = await c.execute(
        sa.select(quoted, turns.c.asked_at, turns.c.conversation_id, conversations.c.user_id)
        .join(turns, turns.c.id == quoted.c.turn_id)
        .join(conversations, conversations.c.id == turns.c.conversation_id)
        .where(*conditions)
        .order_by(quoted.c.turn_id, quoted.c.article, quoted.c.digest)
    )
    by_conversation: dict[tuple[str, str], list[CorrectedQuote]] = {}
    for q in found:
        item = CorrectedQuote(q.article, q.text, q.asked_at, q.turn_id, q.digest)
        by_conversation.setdefault((q.conversation_id, q.user_id), []).append(item)
    return [
        Correction(conversation, user, tuple(items))
        for (conversation, user), items in by_conversation.items()
    ]


def _key(item: CorrectedQuote) -> tuple[int, str, str]:
    return item.turn_id, item.article, item.quoted_key


# ---------------------------------------------------------------------- what was asked before


async def _turns_before(c: AsyncConnection, ids: Sequence[int]) -> dict[int, list[int]]:
    """By turn, the ids of those before it that its question was read in the light of, oldest
    first."""
    asked, earlier = turns.alias("asked"), turns.alias("earlier")
    found: dict[int, list[int]] = {}
    for chunk in _chunks(ids):
        nearest = (
            sa.func.row_number()
            .over(partition_by=asked.c.id, order_by=earlier.c.id.desc())
            .label("nearest")
        )
        of_one_start = sa.or_(
            earlier.c.asked_at >= conversations.c.started_at,
            asked.c.asked_at < conversations.c.started_at,
        )
        ranked = (
            sa.select(asked.c.id, earlier.c.id.label("earlier_id"), nearest)
            .join(conversations, conversations.c.id == asked.c.conversation_id)
            .join(
                earlier,
                sa.and_(
                    earlier.c.conversation_id == asked.c.conversation_id,
                    earlier.c.id < asked.c.id,
                ),
            )
            .where(asked.c.id.in_(chunk), of_one_start)
            .subquery()
        )
        rows = await c.execute(
            sa.select(ranked.c.id, ranked.c.earlier_id)
            .where(ranked.c.nearest <= _TURNS_BACK)
            .order_by(ranked.c.earlier_id)
        )
        for turn_id, earlier_id in rows:
            found.setdefault(turn_id, []).append(earlier_id)
    return found


def _asked_before(row: sa.Row[Any], earlier: Sequence[sa.Row[Any]]) -> AskedBefore:
    turn = _remembered(row)
    before = tuple(_remembered(e) for e in earlier)
    recalled = Recalled(row.conversation_id, _topic_before(turn, before), before)
    return AskedBefore(turn, recalled, row.asked_at)


def _topic_before(turn: RememberedTurn, before: Sequence[RememberedTurn]) -> str | None:
    """The topic that the question was put to: a turn says from which it turned away, and is silent
    when it stayed on its topic or found none."""
    left = turn.answer.get("previous_topic")
    if left:
        return str(left["slug"])
    # Only a question on the topic under discussion is read as something else than it says; it may
    # have been chosen by hand, or by the link from an article.
    stayed = turn.read_as is not None or (before and before[-1].topic == turn.topic)
    return turn.topic if stayed else None


def _prepare_sqlite(engine: AsyncEngine, wait_s: float = _BUSY_TIMEOUT_S) -> None:
    @sa.event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        try:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={wait_s * 1000:.0f}")
            _write_ahead(cursor)
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            # What is erased is overwritten, not only unlinked.
            cursor.execute("PRAGMA secure_delete=ON")
            cursor.close()
        except BaseException:
            # Nobody else closes it, and its thread would go on.
            connection.close()
            raise


def _write_ahead(cursor: Any) -> None:
    """Turns the log on; when several open a new file at once, SQLite itself does not wait."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as e:
            if "locked" not in str(e) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _version(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(sa.text("select version_num from alembic_version")).first()
    return str(row[0]) if row else None


def _upgrade(connection: Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    known = {s.revision for s in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise DatabaseProblem(
            f"The database was made by a newer version of Corollary (its layout is {found}).",
            "Install that version or a later one, or start with another COROLLARY_DATA_DIR.",
        )
    command.upgrade(config, "head")
