"""Turns to remember, and what a database holds as another program sees it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from store.article import Part, Reference, quote_digest
from store.turn import AnswerSection, Kind, Quote, Source, Topic, Turn

CARE = Topic("post-laser-care", "How is skin cared for after laser treatment?", "Laser aftercare")
SCARS = Topic("pdl-scars-keloids", "Does pulsed dye laser improve scars?")
USER, CHAT, OTHER_CHAT = "telegram:7", "telegram:7:7", "telegram:8:8"


def a_turn(question: str = "May it be washed?", chat: str = CHAT, **changes: Any) -> Turn:
    values: dict[str, Any] = {"kind": Kind.ANSWERED, "build": "b1", "topic": CARE, **changes}
    return Turn(question=question, conversation_id=chat, **values)


async def rows(url: str, query: sa.Executable) -> list[Any]:
    """What another program sees: a connection of its own, and nothing uncommitted."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(query)
            return list(result.all()) if result.returns_rows else []
    finally:
        await engine.dispose()


def a_reply(*texts: str, article: str = CARE.slug, key: str = "k1", **changes: Any) -> Turn:
    """A turn that quotes these statements of the article, each resting on the source `key`."""
    quotes = tuple(Quote(text, (1,), article, "p#1") for text in texts)
    source = Source(1, Reference(1, key, "article", "A title"), (article,))
    values = {"sections": (AnswerSection(Part.RESEARCH, quotes),), "sources": (source,), **changes}
    return a_turn(**values)


def digests(*texts: str, key: str = "k1") -> frozenset[str]:
    """What a switch has to be told for the statements of `a_reply` to stand."""
    return frozenset(quote_digest(text, [key]) for text in texts)
