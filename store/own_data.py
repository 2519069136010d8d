"""A person's own data: all of it to take away, all of it erased, and an end to keeping it.

Everything that is kept of somebody hangs on their row in `users` and goes with it, but for what is
on its way (`mailbox`), and lines of the audit about their being let in. What an admin did to
articles stays in the audit: it is the record of the articles.
"""

import asyncio
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from store.conversations import Database
from store.migrations.tables import (
    audit,
    conversations,
    feedback,
    gaps,
    mailbox,
    quoted,
    receipts,
    shown,
    spent,
    turns,
    unreachable,
    users,
)

ERASABLE = ("invited", "refused")
"""Lines of the audit that are about a person and no article."""
_COPY = re.compile(r"\.\d{4}$")


async def everything(database: Database, user_id: str) -> dict[str, Any]:
    """All that is kept of the user, by table, as JSON values."""
    own = sa.select(conversations.c.id).where(conversations.c.user_id == user_id)
    their_turns = sa.select(turns.c.id).where(turns.c.conversation_id.in_(own))
    queries = {
        "users": sa.select(users).where(users.c.id == user_id),
        "conversations": sa.select(conversations).where(conversations.c.user_id == user_id),
        "turns": sa.select(turns).where(turns.c.conversation_id.in_(own)).order_by(turns.c.id),
        "gaps": sa.select(gaps).where(gaps.c.turn_id.in_(their_turns)),
        "quoted": sa.select(quoted).where(quoted.c.turn_id.in_(their_turns)),
        "receipts": sa.select(receipts).where(receipts.c.turn_id.in_(their_turns)),
        "shown": sa.select(shown).where(shown.c.turn_id.in_(their_turns)),
        "feedback": sa.select(feedback).where(feedback.c.user_id == user_id),
        "spent": sa.select(spent).where(spent.c.user_id == user_id),
        "mailbox": sa.select(mailbox).where(mailbox.c.user_id == user_id),
        "audit": sa.select(audit).where(audit.c.who == user_id),
    }
    async with database.reading(much=True) as c:
        return {name: await _rows(c, query) for name, query in queries.items()}


async def _rows(c: AsyncConnection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [
        {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row._mapping.items()}
        for row in await c.execute(query)
    ]


async def forget(database: Database, user_id: str) -> None:
    """Erases all that is kept of the user; doing so again does no harm."""
    async with database.writing(much=True) as c:
        await _forget(c, user_id)
    await database.mailbox.forget(user_id)
    await database.scrub()
    copies = [p for p in database.copies() if _COPY.search(p.name)]
    await asyncio.to_thread(_forget_in, copies, user_id)


async def _forget(c: AsyncConnection, user_id: str) -> None:
    await c.execute(users.delete().where(users.c.id == user_id))
    await c.execute(audit.delete().where(audit.c.who == user_id, audit.c.action.in_(ERASABLE)))
    number = user_id.rpartition(":")[2]
    if user_id.startswith("telegram:") and number.isdecimal() and int(number) < 2**63:
        await c.execute(unreachable.delete().where(unreachable.c.chat_id == int(number)))


def _forget_in(copies: Iterable[Path], user_id: str) -> None:
    """The same in the copies that were made of the SQLite file before it was migrated."""
    for path in copies:
        with closing(sqlite3.connect(path)) as c, c:
            c.execute("PRAGMA foreign_keys=ON")
            c.execute("PRAGMA secure_delete=ON")
            c.execute("DELETE FROM users WHERE id = ?", (user_id,))
            query = "SELECT sql FROM sqlite_master WHERE name = 'audit_no_delete'"
            guard = c.execute(query).fetchone()
            c.execute("DROP TRIGGER IF EXISTS audit_no_delete")
            marks = ", ".join("?" * len(ERASABLE))
            lines = f"DELETE FROM audit WHERE who = ? AND action IN ({marks})"
            c.execute(lines, (user_id, *ERASABLE))
            if guard:
                c.execute(guard[0])


async def expire(database: Database, before: datetime) -> int:
    """Erases turns asked before then with all that hangs on them, and people of whom nothing is
    left but that they were there; how many turns."""
    async with database.writing(much=True) as c:
        gone = await c.execute(turns.delete().where(turns.c.asked_at < before))
        has_turns = sa.exists().where(turns.c.conversation_id == conversations.c.id)
        old = conversations.c.updated_at < before
        await c.execute(conversations.delete().where(old, ~has_turns))
        await c.execute(spent.delete().where(spent.c.day < before.date()))
        talks = sa.exists().where(conversations.c.user_id == users.c.id)
        nothing = [users.c[n].is_(None) for n in ("role", "language", "invited_at")]
        await c.execute(users.delete().where(users.c.created_at < before, ~talks, *nothing))
        refused = audit.c.action == "refused"
        await c.execute(audit.delete().where(refused, audit.c.at < before))
    if gone.rowcount:
        await database.scrub()
    return int(gone.rowcount)


def now() -> datetime:
    """The present, with its zone."""
    return datetime.now(UTC)
