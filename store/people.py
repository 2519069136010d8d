"""What is kept of people beside their conversations: what describes them, and what they said of
answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from store.conversations import ROLE_OF, Database, insert_once
from store.migrations.tables import feedback, turns, users
from store.turn import Role

LONGEST_COMMENT = 1000
"""Characters of a comment that are kept."""


async def role_of(database: Database, user_id: str) -> Role | None:
    """What the user said describes them; None when they did not say."""
    return role_named(await database.read(lambda c: c.scalar(ROLE_OF, {"user": user_id})))


def role_named(told: str | None) -> Role | None:
    """The role of that name; None when there is none, or none any more."""
    return Role(told) if told in set(Role) else None


async def set_role(database: Database, user_id: str, role: Role) -> None:
    """Remembers what describes the user."""
    await _remember(database, user_id, role=role.value)


async def language_of(database: Database, user_id: str) -> tuple[str | None, str | None]:
    """The language that the user chose, and the one that their door told of them last; None where
    there is none."""
    row = await database.read(lambda c: c.execute(_LANGUAGE, {"user": user_id}).first())
    return (row.language, row.hinted) if row else (None, None)


async def note_language(database: Database, user_id: str, code: str) -> None:
    """Remembers what the door told of somebody of whom something is kept; of others nothing."""
    async with database.writing() as c:
        await c.execute(users.update().where(users.c.id == user_id).values(hinted=code))


async def set_language(database: Database, user_id: str, code: str | None) -> None:
    """Remembers the language that the user chose; with None, that they chose none."""
    await _remember(database, user_id, language=code)


_LANGUAGE = sa.select(users.c.language, users.c.hinted).where(users.c.id == sa.bindparam("user"))


async def _remember(database: Database, user_id: str, **told: str | None) -> None:
    async with database.writing() as c:
        await insert_once(c, users, {"id": user_id, "created_at": datetime.now(UTC)})
        await c.execute(users.update().where(users.c.id == user_id).values(**told))


# ---------------------------------------------------------------------- feedback


@dataclass(frozen=True, slots=True)
class Vote:
    """What somebody said of an answer; `value` is 1, -1, or 0 for a comment alone."""

    turn_id: int
    value: int
    comment: str
    given_at: datetime
    topic: str | None
    question: str
    user_id: str
    """Who said it; for counting distinct people and nothing else."""


async def vote(
    database: Database,
    user_id: str,
    conversation_id: str,
    turn_id: int,
    value: int | None = None,
    comment: str | None = None,
) -> bool:
    """Keeps what the user says of an answer in their conversation, in place of what they said
    before; False when it has no such answer."""
    its = turns.c.id == turn_id, turns.c.conversation_id == conversation_id
    given = {"given_at": datetime.now(UTC)}
    said = {k: v for k, v in (("vote", value), ("comment", comment)) if v is not None}
    mine = sa.and_(feedback.c.user_id == user_id, feedback.c.turn_id == turn_id)
    async with database.writing() as c:
        if (await c.execute(sa.select(turns.c.id).where(*its))).first() is None:
            return False
        changed = await c.execute(feedback.update().where(mine).values(**given, **said))
        if not changed.rowcount:
            row = {"turn_id": turn_id, "user_id": user_id, "vote": 0, "comment": None}
            await c.execute(feedback.insert().values({**row, **given, **said}))
    return True


async def votes(
    database: Database, since: datetime | None = None, limit: int = 5000
) -> Sequence[Vote]:
    """What people said of answers since then, or ever, newest first."""
    query = (
        sa.select(feedback, turns.c.topic, turns.c.question)
        .join(turns, turns.c.id == feedback.c.turn_id)
        .order_by(feedback.c.given_at.desc(), feedback.c.id.desc())
        .limit(limit)
    )
    if since is not None:
        query = query.where(feedback.c.given_at >= since)
    async with database.reading(much=True) as c:
        return [
            Vote(f.turn_id, f.vote, f.comment or "", f.given_at, f.topic, f.question, f.user_id)
            for f in await c.execute(query)
        ]
