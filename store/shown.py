"""Which message in a chat showed which answer, so that a reply to it goes on from there and an
edited question changes it."""

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from store.conversations import Database, insert_once
from store.migrations.tables import shown, turns


class What(StrEnum):
    """What a message is about an answer."""

    ANSWER = "answer"
    ASKED_WHY = "asked_why"
    """It asks what was wrong with the answer."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A message and the answer it is about. Of an answer in several parts it is the last."""

    message_id: int
    turn_id: int
    what: What
    parts: int


async def note(
    database: Database,
    chat_id: int,
    message_id: int,
    turn_id: int,
    *,
    what: What = What.ANSWER,
    parts: int = 1,
    question_id: int | None = None,
) -> None:
    """Remembers it; nothing happens when the answer was erased meanwhile."""
    row = {
        "chat_id": chat_id,
        "message_id": message_id,
        "turn_id": turn_id,
        "what": what.value,
        "parts": parts,
        "question_id": question_id,
    }
    here = shown.c.chat_id == chat_id, shown.c.message_id == message_id
    async with database.writing() as c:
        if (await c.execute(sa.select(turns.c.id).where(turns.c.id == turn_id))).first() is None:
            return
        await c.execute(shown.delete().where(*here))
        await insert_once(c, shown, row)


async def by_message(
    database: Database, conversation_id: str, chat_id: int, message_id: int
) -> Shown | None:
    """What that message was about, when it was told in this conversation."""
    return await _found(database, conversation_id, chat_id, shown.c.message_id == message_id)


async def by_question(
    database: Database, conversation_id: str, chat_id: int, question_id: int
) -> Shown | None:
    """The last answer to that message."""
    return await _found(database, conversation_id, chat_id, shown.c.question_id == question_id)


async def _found(
    database: Database, conversation_id: str, chat_id: int, which: sa.ColumnElement[bool]
) -> Shown | None:
    query = (
        sa.select(shown)
        .join(turns, turns.c.id == shown.c.turn_id)
        .where(turns.c.conversation_id == conversation_id, shown.c.chat_id == chat_id, which)
        .order_by(shown.c.turn_id.desc())
    )
    async with database.reading() as c:
        row = (await c.execute(query)).first()
    return Shown(row.message_id, row.turn_id, What(row.what), row.parts) if row else None
