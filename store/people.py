"""What is kept of people beside their conversations: what describes them."""

from datetime import UTC, datetime

import sqlalchemy as sa

from store.conversations import Database, insert_once
from store.migrations.tables import users
from store.turn import Role


async def role_of(database: Database, user_id: str) -> Role | None:
    """What the user said describes them; None when they did not say."""
    async with database.reading() as c:
        told = await c.scalar(sa.select(users.c.role).where(users.c.id == user_id))
    return Role(told) if told in set(Role) else None


async def set_role(database: Database, user_id: str, role: Role) -> None:
    """Remembers what describes the user."""
    async with database.writing() as c:
        await insert_once(c, users, {"id": user_id, "created_at": datetime.now(UTC)})
        await c.execute(users.update().where(users.c.id == user_id).values(role=role.value))
