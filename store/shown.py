"""Which message in a chat showed which answer, so that a reply to it goes on from there and an
edited question changes it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from store.conversations import Database
from store.mailbox import inserting
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


def noting(
    chat_id: int,
    message_id: int,
    turn_id: int,
    *,
    what: What = What.ANSWER,
    parts: int = 1,
    question_id: int | None = None,
) -> Callable[[Connection], None]:
    """What remembers it, in a transaction; nothing happens when the answer was erased meanwhile."""
    row = {
        "of_turn": turn_id,
        "chat_id": chat_id,
        "message_id": message_id,
        "what": what.value,
        "parts": parts,
        "question_id": question_id,
    }

    def write(c: Connection) -> None:
        c.execute(_noting(c.dialect.name), row)

    return write


@cache
def _noting(dialect: str) -> sa.Insert:
    """Adds a row, or puts it in the place of the one there is; unless the turn is gone."""
    told = [shown.c[n] for n in ("chat_id", "message_id", "what", "parts", "question_id")]
    row = sa.select(turns.c.id, *(sa.bindparam(c.name, type_=c.type) for c in told))
    columns = ["turn_id", *(c.name for c in told)]
    adding = inserting(dialect, shown).from_select(
        columns, row.where(turns.c.id == sa.bindparam("of_turn"))
    )
    return adding.on_conflict_do_update(
        index_elements=[shown.c.chat_id, shown.c.message_id],
        set_={name: adding.excluded[name] for name in columns},
    )


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


async def whose(database: Database, chat_id: int, message_id: int) -> str | None:
    """The conversation in which that message was told; None when it shows no kept answer."""
    query = (
        sa.select(turns.c.conversation_id)
        .join(shown, turns.c.id == shown.c.turn_id)
        .where(shown.c.chat_id == chat_id, shown.c.message_id == message_id)
    )
    async with database.reading() as c:
        found: str | None = await c.scalar(query)
    return found


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
