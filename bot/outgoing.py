"""The one door through which text leaves to Telegram. Nothing else calls it with text.

What is sent is a `Message`, rendered in `bot.render`, where every part gets the disclaimer. A
reply is worth some patience: a full queue is waited for, a broken connection tried again. A
time-out is not: the server may have delivered the message already.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

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

    async def send(self, chat_id: int, message: Message, thread_id: int | None = None) -> None:
        """Sends every part in order; the buttons come with the last. Gives up quietly (with a
        line in the log) when the person has blocked the bot."""
        parts = telegram(message, self._disclaimer.text)
        for n, html in enumerate(parts, 1):
            buttons = _keyboard(message.buttons) if n == len(parts) else None
            try:
                await self._part(chat_id, html, buttons, thread_id)
            except Forbidden:
                log.info("chat %s: not allowed to write there any more", chat_id)
                return
            except BadRequest as e:
                if "parse entities" not in str(e).lower():
                    raise
                log.warning("chat %s: markup refused, sent as plain text", chat_id)
                text = telegram_plain(html)
                await self._part(chat_id, text, buttons, thread_id, parse_mode=None)

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

    async def _part(
        self,
        chat_id: int,
        text: str,
        buttons: InlineKeyboardMarkup | None,
        thread_id: int | None,
        parse_mode: str | None = ParseMode.HTML,
    ) -> None:
        await _patiently(
            lambda: self._bot.send_message(
                chat_id,
                text,
                parse_mode=parse_mode,
                reply_markup=buttons,
                message_thread_id=thread_id,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        )


async def _patiently(send: Callable[[], Awaitable[T]]) -> T:
    """The result of `send`, tried again while waiting can help."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await send()
        except RetryAfter as e:
            wait = e.retry_after
            pause_s = wait.total_seconds() if hasattr(wait, "total_seconds") else float(wait)
            if attempt == ATTEMPTS or pause_s > LONGEST_WAIT_S:
                raise
        except (BadRequest, TimedOut):
            raise
        except NetworkError:
            if attempt == ATTEMPTS:
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
