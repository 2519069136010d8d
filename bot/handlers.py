"""Telegram's updates, turned into commands and questions.

Flat handlers of one shape: who is it, what do they want, send the message. Access is decided in
one place, before any of them.
"""

import asyncio
import hmac
import logging
from collections import OrderedDict
from collections.abc import Awaitable
from typing import Any

from telegram import Update
from telegram.error import TelegramError
from telegram.ext import (
    Application,
    ApplicationHandlerStop,
    BaseUpdateProcessor,
    CallbackQueryHandler,
    ContextTypes,
    MessageHandler,
    TypeHandler,
    filters,
)

from bot import commands
from bot.app import Program
from bot.commands import Person, message
from bot.outgoing import Outgoing
from bot.render import Message
from bot.settings import Access, split_codes
from store.errors import CorollaryError

log = logging.getLogger("corollary.telegram")

AT_ONCE = 256
"""Updates in work at the same time, over all chats."""


class InOrder(BaseUpdateProcessor):
    """Each chat's updates one after another, in the order they came; other chats do not wait."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        super().__init__(at_once)
        self._locks: OrderedDict[tuple[int, int | None], asyncio.Lock] = OrderedDict()

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Runs the handlers of one update when those before it in its chat are done."""
        place = _place(update) if isinstance(update, Update) else None
        if place is None:
            await coroutine
            return
        lock = self._locks.setdefault(place, asyncio.Lock())
        async with lock:
            await coroutine
        if not lock.locked() and not getattr(lock, "_waiters", None):
            self._locks.pop(place, None)

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""


def _place(update: Update) -> tuple[int, int | None] | None:
    chat = update.effective_chat
    return (chat.id, _thread(update)) if chat else None


def _thread(update: Update) -> int | None:
    said = update.effective_message
    return said.message_thread_id if said and said.is_topic_message else None


def person_of(update: Update) -> Person | None:
    """Who acts, known by number only; None for channels and other faceless senders."""
    user, place = update.effective_user, _place(update)
    if user is None or place is None:
        return None
    chat, thread = place
    where = f"{chat}" if thread is None else f"{chat}.{thread}"
    return Person(f"telegram:{user.id}", f"telegram:{where}:{user.id}")


class Handlers:
    """The handlers of one running bot."""

    def __init__(self, program: Program, outgoing: Outgoing) -> None:
        self._program = program
        self._outgoing = outgoing

    def add_to(self, application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        """Registers every handler, the guard before all others."""
        application.add_handler(TypeHandler(Update, self.guard), group=-1)
        application.add_handler(CallbackQueryHandler(self.button))
        application.add_handler(MessageHandler(filters.COMMAND, self.command))
        asked = filters.TEXT & filters.ChatType.PRIVATE
        application.add_handler(MessageHandler(asked, self.question))
        application.add_handler(MessageHandler(filters.ChatType.PRIVATE, self.something_else))
        application.add_error_handler(self.error)

    # ------------------------------------------------------------------ access

    async def guard(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Stops the updates of people who may not ask, and tells them how to be let in."""
        person = person_of(update)
        if person is None or (update.effective_user and update.effective_user.is_bot):
            raise ApplicationHandlerStop
        if await self._may_ask(update, person):
            return
        private = update.effective_chat is not None and update.effective_chat.type == "private"
        if update.callback_query is not None:
            await self._outgoing.acknowledge(update.callback_query)
        if private and update.effective_user is not None:
            if await self._gave_code(update, person):
                await self._send(update, await commands.start(self._program, person, ""))
            else:
                await self._send(update, _stranger(update.effective_user.id, self._program))
        raise ApplicationHandlerStop

    async def _may_ask(self, update: Update, person: Person) -> bool:
        settings = self._program.settings
        user = update.effective_user
        assert user is not None
        if settings.access is Access.OPEN:
            return True
        if user.id in settings.admin_ids or user.id in settings.allowed_ids:
            return True
        if settings.access is Access.INVITE:
            return await self._program.database.is_invited(person.user_id)
        return False

    async def _gave_code(self, update: Update, person: Person) -> bool:
        settings = self._program.settings
        said = update.effective_message
        if settings.access is not Access.INVITE or said is None or not said.text:
            return False
        given = said.text.split()[-1].encode()
        codes = split_codes(settings.invite_codes)
        # Every code is compared, so that the time taken tells nothing.
        if not any([hmac.compare_digest(given, code.encode()) for code in codes]):
            return False
        await self._program.database.invite(person.user_id)
        await self._program.database.note(person.user_id, "invited")
        return True

    # ------------------------------------------------------------------ what people do

    async def command(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A /command, with or without the bot's name behind it."""
        said, person = update.effective_message, person_of(update)
        if said is None or not said.text or person is None:
            return
        first, args = commands.split(said.text)
        name, _, addressed = first.partition("@")
        if addressed and addressed.lower() != context.bot.username.lower():
            return
        await self._send(update, await commands.run(self._program, person, name, args))

    async def question(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A question; an edited one is answered again."""
        said, person = update.effective_message, person_of(update)
        if said is None or not said.text or person is None or update.effective_chat is None:
            return
        await self._outgoing.typing(update.effective_chat.id, _thread(update))
        await self._send(update, await commands.answer(self._program, person, said.text))

    async def button(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A pressed button."""
        query, person = update.callback_query, person_of(update)
        if query is None or person is None:
            return
        await self._outgoing.acknowledge(query)
        if query.data:
            await self._send(update, await commands.pressed(self._program, person, query.data))

    async def something_else(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A photo, a voice message, a sticker: only text is read."""
        said = update.effective_message
        if said is None or said.pinned_message or update.edited_message:
            return
        await self._send(
            update,
            message(
                "Only typed questions are read: no pictures, voice messages or files.",
                'Type your question, for example "and recurrence?". /help',
            ),
        )

    async def error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """The last resort: one line in the log without the text, one reply without details."""
        error = context.error
        number = update.update_id if isinstance(update, Update) else None
        known = isinstance(error, CorollaryError | TelegramError)
        log.error(
            "update %s failed: %s%s",
            number,
            type(error).__name__,
            f": {error}" if known else "",
            exc_info=None if known else _without_text(error),
        )
        if isinstance(update, Update) and update.effective_chat is not None:
            told = message(
                "Your question could not be answered because of a fault on our side.",
                "It was not your wording. Try again in a minute; the operator can see the "
                "fault in the log.",
            )
            try:
                await self._send(update, told)
            except TelegramError as e:
                log.error("update %s: nor could that be told: %s", number, type(e).__name__)

    async def _send(self, update: Update, what: Message) -> None:
        if update.effective_chat is not None:
            await self._outgoing.send(update.effective_chat.id, what, _thread(update))


def _stranger(user_id: int, program: Program) -> Message:
    return message(
        f"This assistant answers invited health professionals only. Your id is {user_id}.",
        "Give this number to the person who runs it, and write again when they have added you."
        + (
            " With an invitation code, send: /start CODE"
            if program.settings.access is Access.INVITE
            else ""
        ),
    )


def _without_text(error: BaseException | None) -> Any:
    """The traceback alone: messages of foreign exceptions may quote what was typed."""
    if error is None:
        return None
    bare = RuntimeError(type(error).__name__)
    return (RuntimeError, bare, error.__traceback__)
