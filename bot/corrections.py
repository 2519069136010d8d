"""Telling people that a statement they were shown no longer stands.

A switch notes which statements it takes away from whom (`store.conversations`). The running bot
looks for that every few seconds and tells each person once; the console tells at its next start.
Of several processes one gets each correction, and one that could not be sent is given out again.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from bot import languages
from bot.app import Program
from bot.render import (
    MAX_BUTTON_CHARS,
    MAX_DATA_BYTES,
    Button,
    Message,
    Paragraph,
    Style,
    day_text,
    in_quotes,
    shortened,
)
from bot.words import tr, trn
from store.article import Article
from store.errors import UnknownArticle
from store.records import CorrectedQuote, Correction

log = logging.getLogger("corollary.corrections")

EVERY_S = 5.0
"""How often a running bot looks."""
AT_A_TIME = 20
"""Conversations taken in one look; full, the next look follows at once."""
FOLLOWS_S = 2.5
"""After this long a running bot serves what the pointer names (see `store.library`)."""
QUOTED = 3
QUOTE_CHARS = 160
TELEGRAM = "telegram:"

Send = Callable[[int, Message, int | None], Awaitable[bool]]
"""Tells a chat, or a topic of it; False when it is to be tried again later."""


@dataclass(frozen=True, slots=True)
class Place:
    """A chat of Telegram, or a topic in it."""

    chat_id: int
    thread_id: int | None


_CONVERSATION = re.compile(r"telegram:(-?\d{1,19})(?:\.(\d{1,19}))?:\d{1,19}", re.ASCII)


def place_of(conversation_id: str) -> Place | None:
    """Where a conversation takes place, from the id that `bot.handlers.person_of` gave it."""
    found = _CONVERSATION.fullmatch(conversation_id)
    if found is None:
        return None
    chat, thread = found.groups()
    return Place(int(chat), int(thread) if thread else None)


# --------------------------------------------------------------------------- the words


async def worded(program: Program, correction: Correction) -> Message:
    """What to tell about it: the statements, from which replies, and what holds now."""
    shown = _newest(correction.items)
    more = len(shown) - QUOTED
    served = {
        slug: await _served(program, slug) for slug in dict.fromkeys(i.article for i in shown)
    }
    return Message(
        (
            Paragraph(
                trn(
                    "Correction: {n} statement you were shown here no longer stands. Do not rely"
                    " on it.",
                    "Correction: {n} statements you were shown here no longer stand. Do not rely"
                    " on them.",
                    len(shown),
                ),
                Style.CAUTION,
            ),
            *(Paragraph(_withdrawn(item), Style.BULLET) for item in shown[:QUOTED]),
            *([Paragraph(_more_fell(more))] if more > 0 else []),
            *(Paragraph(text) for text in _what_holds(served)),
        ),
        tuple(_buttons(served.values())),
    )


def _more_fell(more: int) -> str:
    return trn("And {n} more statement.", "And {n} more statements.", more)


def _newest(items: Iterable[CorrectedQuote]) -> list[CorrectedQuote]:
    """Each statement once, as it was shown last; the latest first."""
    last = {(i.article, i.text): i for i in sorted(items, key=lambda i: (i.asked_at, i.turn_id))}
    return sorted(last.values(), key=lambda i: (i.asked_at, i.turn_id), reverse=True)


def _withdrawn(item: CorrectedQuote) -> str:
    quoted = shortened(item.text, QUOTE_CHARS)
    return tr(
        "No longer stands (reply of {day}): “{text}”", day=day_text(item.asked_at), text=quoted
    )


async def _served(program: Program, slug: str) -> Article | None:
    try:
        return await program.assistant.article(slug)
    except UnknownArticle:
        return None


def _what_holds(served: dict[str, Article | None]) -> Iterable[str]:
    there = [a.topic for a in served.values() if a is not None]
    gone = [slug for slug, a in served.items() if a is None]
    if there:
        yield (
            _listed(there)
            + ": "
            + tr("the article was changed and is still served. Ask again to read what it says now.")
        )
    if gone:
        yield _listed(gone) + ": " + tr("the article is not served any more.")


def _listed(names: list[str]) -> str:
    more = len(names) - QUOTED
    listed = ", ".join(in_quotes(n) for n in names[:QUOTED])
    if more <= 0:
        return listed
    return trn("{names} and {n} more", "{names} and {n} more", more, names=listed)


def _buttons(served: Iterable[Article | None]) -> Iterable[Button]:
    for article in [a for a in served if a is not None][:QUOTED]:
        data = f"topic:{article.slug}"
        if len(data.encode()) <= MAX_DATA_BYTES:
            text = tr("Open: {topic}", topic=article.topic)
            yield Button(shortened(text, MAX_BUTTON_CHARS), data)


# --------------------------------------------------------------------------- the doors


async def tell(program: Program, send: Send, *, follows_s: float = FOLLOWS_S) -> int:
    """Tells what waits to be told in Telegram; how many conversations were taken."""
    taken = await program.database.take_untold(TELEGRAM, AT_A_TIME)
    if taken:
        # The build at hand can still be the one before: it would call a withdrawn article served.
        await asyncio.sleep(follows_s)
    told = 0
    for claimed in taken:
        correction = await _still_untold(program, claimed)
        if not correction.items:
            continue
        place = place_of(correction.conversation_id)
        await languages.speak_to(program, correction.user_id)
        if place is None or await send(
            place.chat_id, await worded(program, correction), place.thread_id
        ):
            await program.database.mark_told(correction)
            told += 1
    if taken:
        log.info("corrections: %d of %d conversations told", told, len(taken))
    return len(taken)


async def _still_untold(program: Program, claimed: Correction) -> Correction:
    """Without what stands again since it was claimed: a rollback may have undone the reload."""
    waiting = await program.database.untold(claimed.conversation_id, exact=True)
    still = {item for correction in waiting for item in correction.items}
    return replace(claimed, items=tuple(item for item in claimed.items if item in still))


async def tell_all(program: Program, send: Send) -> None:
    """Tells until nobody waits."""
    while await tell(program, send) == AT_A_TIME:
        pass


async def tell_here(
    program: Program, conversation_id: str, show: Callable[[Message], None]
) -> None:
    """Tells what this one conversation has to be told, at a door that can show it at once."""
    for correction in await program.database.take_untold(conversation_id, exact=True):
        show(await worded(program, correction))
        await program.database.mark_told(correction)
