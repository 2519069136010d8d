"""The one door through which text leaves to Telegram. Nothing else calls it with text.

What is sent is a `Message`, rendered in `bot.render`, where every part gets the disclaimer; so is
what a sent message is changed to. A reply is worth some patience: a full queue is waited for, a
broken connection tried again. A time-out is not, but for a change, which may be made twice: the
server may have delivered the message already.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.render import Button, Disclaimer, Message, telegram, telegram_plain

log = logging.getLogger("corollary.telegram")

ATTEMPTS = 4
LONGEST_WAIT_S = 60.0

T = TypeVar("T")


class Outgoing:
    """Sends messages to chats, each part ending with the disclaimer."""

    def __init__(self, bot: Bot, disclaimer: Disclaimer) -> None:
        self._bot = bot
        self._disclaimer = disclaimer

    async def send(
        self, chat_id: int, message: Message, thread_id: int | None = None
    ) -> int | None:
        """Sends every part in order; the buttons come with the last, whose id is returned.

        Gives up quietly (with a line in the log, and None) when the person has blocked the bot.
        """
        return await self._send_parts(chat_id, self._parts(message), thread_id)

    async def edit(
        self, chat_id: int, message_id: int, message: Message, thread_id: int | None = None
    ) -> int | None:
        """Puts a message in the place of one that was sent; what of it does not fit follows anew.

        Returns what `send` does. A message that cannot be changed any more stays, and the other
        one is sent.
        """
        first, *rest = self._parts(message)
        try:
            await _formatted(chat_id, first, lambda part: self._change(chat_id, message_id, part))
        except Forbidden:
            log.info("chat %s: not allowed to write there any more", chat_id)
            return None
        except BadRequest as e:
            if "not modified" not in str(e).lower():
                log.info("chat %s: a message cannot be changed, sent anew", chat_id)
                rest = [first, *rest]
        return await self._send_parts(chat_id, rest, thread_id) if rest else message_id

    async def deliver(self, chat_id: int, message: Message, thread_id: int | None = None) -> bool:
        """As `send`, for what nobody waits for: False when it is to be tried again later.

        True also when no later attempt can help: the chat is gone, or closed to the bot.
        """
        try:
            await self.send(chat_id, message, thread_id)
        except ChatMigrated as e:
            return await self.deliver(e.new_chat_id, message)
        except BadRequest as e:
            log.warning("chat %s: cannot be written to: %s", chat_id, e)
        except TelegramError as e:
            log.warning("chat %s: not told yet: %s", chat_id, type(e).__name__)
            return False
        return True

    async def typing(self, chat_id: int, thread_id: int | None = None) -> None:
        """Shows that an answer is on its way; worth no retry."""
        try:
            await self._bot.send_chat_action(
                chat_id, ChatAction.TYPING, message_thread_id=thread_id
            )
        except TelegramError as e:
            log.debug("chat %s: no chat action: %s", chat_id, type(e).__name__)

    async def acknowledge(self, query: CallbackQuery) -> None:
        """Ends the waiting sign of a pressed button. One pressed while the bot was away is too old
        for that, and is answered all the same."""
        try:
            await query.answer()
        except TelegramError as e:
            log.debug("a pressed button was not acknowledged: %s", type(e).__name__)

    def _parts(self, message: Message) -> list["_Part"]:
        texts = telegram(message, self._disclaimer.of(message))
        buttons = _keyboard(message.buttons)
        last = len(texts)
        return [_Part(t, buttons if n == last else None) for n, t in enumerate(texts, 1)]

    async def _send_parts(
        self, chat_id: int, parts: list["_Part"], thread_id: int | None
    ) -> int | None:
        sent = None
        for one in parts:
            try:
                sent = await _formatted(
                    chat_id, one, lambda part: self._say(chat_id, part, thread_id)
                )
            except Forbidden:
                log.info("chat %s: not allowed to write there any more", chat_id)
                return None
        return sent

    async def _say(self, chat_id: int, part: "_Part", thread_id: int | None) -> int:
        sent = await _patiently(
            lambda: self._bot.send_message(
                chat_id,
                part.text,
                parse_mode=part.parse_mode,
                reply_markup=part.buttons,
                message_thread_id=thread_id,
                link_preview_options=_NO_PREVIEW,
            )
        )
        return sent.message_id

    async def _change(self, chat_id: int, message_id: int, part: "_Part") -> int:
        await _patiently(
            lambda: self._bot.edit_message_text(
                part.text,
                chat_id,
                message_id,
                parse_mode=part.parse_mode,
                reply_markup=part.buttons,
                link_preview_options=_NO_PREVIEW,
            ),
            twice_is_once=True,
        )
        return message_id


class Bulletin:
    """A sent message that is changed as things go on; that it cannot be ends nothing."""

    def __init__(
        self, outgoing: Outgoing, chat_id: int, message_id: int, thread_id: int | None
    ) -> None:
        self._outgoing = outgoing
        self._chat_id = chat_id
        self._message_id = message_id
        self._thread_id = thread_id

    async def change(self, message: Message, *, within_s: float | None = None) -> None:
        """Says this instead. Sent anew, because the old one is gone, it is the new one that is
        changed from then on."""
        try:
            async with asyncio.timeout(within_s):
                shown = await self._outgoing.edit(
                    self._chat_id, self._message_id, message, self._thread_id
                )
        except (TelegramError, TimeoutError) as e:
            log.warning("chat %s: a message was not changed: %s", self._chat_id, type(e).__name__)
        else:
            self._message_id = shown or self._message_id

    async def add(self, message: Message) -> None:
        """Says something more, in a message of its own."""
        await self._outgoing.deliver(self._chat_id, message, self._thread_id)


_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """One message as Telegram takes it, the disclaimer at its end."""

    text: str
    buttons: InlineKeyboardMarkup | None
    parse_mode: str | None = ParseMode.HTML


async def _formatted(chat_id: int, part: _Part, send: Callable[[_Part], Awaitable[int]]) -> int:
    """The result of `send`, with the markup taken out when the server refuses that."""
    try:
        return await send(part)
    except BadRequest as e:
        if "parse entities" not in str(e).lower():
            raise
    log.warning("chat %s: markup refused, sent as plain text", chat_id)
    return await send(replace(part, text=telegram_plain(part.text), parse_mode=None))


async def _patiently(send: Callable[[], Awaitable[T]], *, twice_is_once: bool = False) -> T:
    """The result of `send`, tried again while waiting can help; after a time-out only where doing
    it twice is the same as once."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await send()
        except RetryAfter as e:
            wait = e.retry_after
            pause_s = wait.total_seconds() if hasattr(wait, "total_seconds") else float(wait)
            if attempt == ATTEMPTS or pause_s > LONGEST_WAIT_S:
                raise
        except BadRequest:
            raise
        except NetworkError as e:
            if attempt == ATTEMPTS or (isinstance(e, TimedOut) and not twice_is_once):
                raise
            pause_s = 0.5 * 2.0**attempt
        await asyncio.sleep(pause_s)
    raise AssertionError("unreachable")


def _keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    """One button a row: their texts are questions."""
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(b.text, callback_data=b.data)] for b in buttons]
    )
