"""Conversations, the pointer to the served build, gaps and the audit, in SQL.

The same code runs on SQLite (write-ahead log, synchronous FULL: what was acknowledged survives a
kill) and on PostgreSQL. Tables are described here and made by the migrations beside this module.
"""

import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from store.errors import DatabaseProblem
from store.turn import Turn, turn_dict

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

HEAD = "0001"
"""The newest migration; a test compares it with the scripts."""


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps no zone of its own."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("role", sa.String(20)),
    sa.Column("language", sa.String(12)),
    sa.Column("invited_at", UtcDateTime),
)
conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.String(120), primary_key=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("topic", sa.String(60)),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)
turns = sa.Table(
    "turns",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column(
        "conversation_id",
        sa.ForeignKey("conversations.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("asked_at", UtcDateTime, nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("read_as", sa.Text),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("topic", sa.String(60)),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("build", sa.String(40), nullable=False),
    sa.Column("timings_ms", sa.JSON, nullable=False),
)
feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("turn_id", sa.ForeignKey("turns.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("user_id", sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("given_at", UtcDateTime, nullable=False),
    sa.Column("vote", sa.Integer, nullable=False),
    sa.Column("comment", sa.Text),
)
gaps = sa.Table(
    "gaps",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("turn_id", sa.ForeignKey("turns.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("noticed_at", UtcDateTime, nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("reason", sa.String(40), nullable=False),
    sa.Column("article", sa.String(60)),
    sa.Column("section", sa.Text),
)
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("who", sa.String(80), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("article", sa.String(60)),
    sa.Column("sha256", sa.String(64)),
    sa.Column("detail", sa.JSON),
)
builds = sa.Table(
    "builds",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("manifest", sa.JSON, nullable=False),
)
served = sa.Table(
    "served",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("build", sa.String(40), nullable=False),
    sa.Column("previous", sa.String(40)),
    sa.Column("switched_at", UtcDateTime, nullable=False),
)

_THE_ROW = 1
"""`served` has one row: the pointer."""

_MIGRATION_LOCK = 0x436F726F6C6C6172
"""The PostgreSQL advisory lock of whoever migrates; any number that no other program uses."""

_BUSY_TIMEOUT_S = 10
"""How long SQLite waits for another writer."""

_URL_FORMS = (
    "Use sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME; "
    "in the password write % as %25, @ as %40, : as %3A and / as %2F."
)


@dataclass(frozen=True, slots=True)
class RememberedTurn:
    """A turn as it was stored. `answer` has the shape of `turn_dict`."""

    id: int
    question: str
    read_as: str | None
    kind: str
    topic: str | None
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered of a conversation: its topic, and its last turns, oldest first."""

    conversation_id: str
    topic: str | None = None
    turns: tuple[RememberedTurn, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that the store did not answer."""

    question: str
    reason: str
    article: str | None
    section: str | None
    noticed_at: datetime


class Database:
    """The SQL side of the store. Open it with `Database.open`, close it with `close`."""

    def __init__(self, engine: AsyncEngine, shown: str) -> None:
        self._engine = engine
        self.shown = shown
        """The database as it may be shown: no password."""

    @classmethod
    async def open(cls, url: str) -> "Database":
        """Connects and brings the tables up to date; DatabaseProblem when either fails."""
        parsed = _parsed(url)
        try:
            # The ping costs a round trip, and saves the turn that finds its connection cut.
            engine = create_async_engine(
                parsed, json_serializer=_json, hide_parameters=True, pool_pre_ping=True
            )
        except (SQLAlchemyError, ModuleNotFoundError) as e:
            raise DatabaseProblem(
                "COROLLARY_DATABASE_URL cannot be used: "
                f"{parsed.drivername} is not installed, or no asynchronous driver.",
                _URL_FORMS,
            ) from e
        # Options can hold a password too.
        shown = unquote(engine.url.set(query={}).render_as_string(hide_password=True))
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        self = cls(engine, shown)
        try:
            await self._connect()
            await self._migrate()
        except BaseException:
            await engine.dispose()
            raise
        return self

    async def close(self) -> None:
        """Gives the connections back."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError, UnicodeEncodeError) as e:
            raise DatabaseProblem(
                f"The database {self.shown} cannot be used: {_reason(e)}",
                "Check that it exists, has space and may be written to "
                "(COROLLARY_DATA_DIR, COROLLARY_DATABASE_URL).",
            ) from e

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
            # Alembic is half a second of import: only where there is something to migrate.
            await connection.run_sync(_upgrade, found)

    # ------------------------------------------------------------------ conversations

    async def recall(self, conversation_id: str, turns_back: int = 8) -> Recalled:
        """What is remembered of the conversation; empty when it is new."""
        async with self._begin() as c:
            row = (
                await c.execute(
                    sa.select(conversations.c.topic, conversations.c.started_at).where(
                        conversations.c.id == conversation_id
                    )
                )
            ).first()
            if row is None:
                return Recalled(conversation_id)
            found = await c.execute(
                sa.select(turns)
                .where(
                    turns.c.conversation_id == conversation_id, turns.c.asked_at >= row.started_at
                )
                .order_by(turns.c.id.desc())
                .limit(turns_back)
            )
            remembered = tuple(
                RememberedTurn(t.id, t.question, t.read_as, t.kind, t.topic, t.answer)
                for t in reversed(found.all())
            )
            return Recalled(conversation_id, row.topic, remembered)

    async def remember(self, user_id: str, turn: Turn) -> int:
        """Stores the turn and the topic it ended on, in one transaction; the turn's id."""
        now = datetime.now(UTC)
        topic = turn.topic.slug if turn.topic else None
        async with self._begin() as c:
            started_at = await self._ensure(c, user_id, turn.conversation_id, now)
            result = await c.execute(
                turns.insert().values(
                    conversation_id=turn.conversation_id,
                    # Never before the start, whoever made the conversation and by whose clock:
                    # such a turn would not be recalled.
                    asked_at=max(now, started_at),
                    question=turn.question,
                    read_as=turn.read_as,
                    kind=turn.kind.value,
                    topic=topic,
                    answer=turn_dict(turn),
                    build=turn.build,
                    timings_ms=turn.timings_ms,
                )
            )
            key = result.inserted_primary_key
            assert key is not None
            turn_id = int(key[0])
            await c.execute(
                conversations.update()
                .where(conversations.c.id == turn.conversation_id)
                .values(topic=topic, updated_at=now)
            )
            if turn.reason is not None and turn.kind.value in {"not_covered", "partly_answered"}:
                await c.execute(
                    gaps.insert().values(
                        turn_id=turn_id,
                        noticed_at=now,
                        question=turn.read_as or turn.question,
                        reason=turn.reason,
                        article=turn.nearest.slug if turn.nearest else topic,
                        section=turn.nearest.section if turn.nearest else None,
                    )
                )
            return turn_id

    async def turn(self, conversation_id: str, turn_id: int) -> RememberedTurn | None:
        """One turn of the conversation; None when it has no such turn."""
        async with self._begin() as c:
            found = await c.execute(
                sa.select(turns).where(
                    turns.c.id == turn_id, turns.c.conversation_id == conversation_id
                )
            )
            t = found.first()
            return (
                RememberedTurn(t.id, t.question, t.read_as, t.kind, t.topic, t.answer)
                if t
                else None
            )

    async def set_topic(self, user_id: str, conversation_id: str, topic: str | None) -> None:
        """Puts the conversation on a topic, or on none; its turns stay remembered."""
        now = datetime.now(UTC)
        async with self._begin() as c:
            await self._ensure(c, user_id, conversation_id, now)
            await c.execute(
                conversations.update()
                .where(conversations.c.id == conversation_id)
                .values(topic=topic, updated_at=now)
            )

    async def start_anew(self, user_id: str, conversation_id: str) -> None:
        """Forgets the context: no topic, and earlier turns are not recalled any more."""
        now = datetime.now(UTC)
        async with self._begin() as c:
            await self._ensure(c, user_id, conversation_id, now)
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

    async def _ensure(
        self, c: AsyncConnection, user: str, conversation: str, at: datetime
    ) -> datetime:
        """Makes the user and the conversation unless they exist; when the conversation started."""
        known = await c.execute(sa.select(users.c.id).where(users.c.id == user))
        if known.first() is None:
            await _insert_once(c, users, {"id": user, "created_at": at})
        start = sa.select(conversations.c.started_at).where(conversations.c.id == conversation)
        started_at: datetime | None = await c.scalar(start)
        if started_at is None:
            row = {"id": conversation, "user_id": user, "started_at": at, "updated_at": at}
            await _insert_once(c, conversations, row)
            started_at = await c.scalar(start)
        assert started_at is not None
        return started_at

    # ------------------------------------------------------------------ people

    async def is_invited(self, user_id: str) -> bool:
        """Whether the user has given an invitation code."""
        async with self._begin() as c:
            found = await c.execute(
                sa.select(users.c.id).where(users.c.id == user_id, users.c.invited_at.is_not(None))
            )
            return found.first() is not None

    async def invite(self, user_id: str) -> None:
        """Remembers that the user gave a valid invitation code."""
        now = datetime.now(UTC)
        async with self._begin() as c:
            await _insert_once(c, users, {"id": user_id, "created_at": now})
            await c.execute(users.update().where(users.c.id == user_id).values(invited_at=now))

    # ------------------------------------------------------------------ builds

    async def served_build(self) -> str | None:
        """The build that the pointer names; None before the first one."""
        async with self._begin() as c:
            row = (await c.execute(sa.select(served.c.build))).first()
            return str(row.build) if row else None

    async def switch(self, build: str, manifest: dict[str, Any], who: str) -> None:
        """Points at another build, in one transaction with its audit entry.

        `previous` becomes the build that was served before, and stays what it was when the
        pointer already names this build.
        """
        now = datetime.now(UTC)
        async with self._begin() as c:
            row = {"id": build, "created_at": now, "manifest": manifest}
            await _insert_once(c, builds, row)
            # One statement: of two that switch at once, the later sees what the earlier served.
            pointer = _insert(c, served).values(
                id=_THE_ROW, build=build, previous=None, switched_at=now
            )
            kept = sa.case((served.c.build == build, served.c.previous), else_=served.c.build)
            await c.execute(
                pointer.on_conflict_do_update(
                    index_elements=[served.c.id],
                    set_={"build": build, "previous": kept, "switched_at": now},
                )
            )
            await c.execute(
                audit.insert().values(at=now, who=who, action="switch", detail={"build": build})
            )

    async def known_builds(self) -> list[str]:
        """Every build ever switched to, newest first."""
        async with self._begin() as c:
            found = await c.execute(sa.select(builds.c.id).order_by(builds.c.created_at.desc()))
            return [str(row.id) for row in found]

    # ------------------------------------------------------------------ gaps and audit

    async def recent_gaps(self, limit: int = 100) -> list[Gap]:
        """Questions that were not answered, newest first."""
        async with self._begin() as c:
            found = await c.execute(sa.select(gaps).order_by(gaps.c.id.desc()).limit(limit))
            return [
                Gap(g.question, g.reason, g.article, g.section, g.noticed_at) for g in found.all()
            ]

    async def note(self, who: str, action: str, detail: dict[str, Any] | None = None) -> None:
        """Adds a line to the audit."""
        async with self._begin() as c:
            await c.execute(
                audit.insert().values(
                    at=datetime.now(UTC), who=who, action=action, detail=detail or {}
                )
            )

    async def ping(self) -> str:
        """The database's own name and version; DatabaseProblem when it does not answer."""
        async with self._begin() as c:
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


def _insert(c: AsyncConnection, table: sa.Table) -> "postgresql.Insert | sqlite.Insert":
    """An insert that can say what happens when the primary key is there already."""
    from sqlalchemy.dialects import postgresql, sqlite

    return postgresql.insert(table) if c.dialect.name == "postgresql" else sqlite.insert(table)


async def _insert_once(c: AsyncConnection, table: sa.Table, row: dict[str, Any]) -> None:
    """Inserts unless the primary key is there already, also when two do so at once."""
    await c.execute(_insert(c, table).values(row).on_conflict_do_nothing())


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @sa.event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        try:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_S * 1000}")
            _write_ahead(cursor)
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
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
