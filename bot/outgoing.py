"""The one door through which text leaves to Telegram. Nothing else calls it with text.

What is sent is a `Message`, rendered in `bot.render`, where every part gets the disclaimer; so is
what a sent message is changed to, and a draft. Everything leaves at the pace of `bot.limits`.

`reply` answers an update, and is not given up: it is kept in the mailbox before it is sent, and
sent again until the server says that it has it or that it never will. After a time-out the server
may have it already; then it arrives twice rather than not at all. `send` and `deliver` are for what
is told without a question, and give up after a few attempts.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from telegram import (
    Bot,
    CallbackQuery,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot import rich
from bot.background import later
from bot.limits import Gate, Limits
from bot.render import Button, Disclaimer, Message, telegram, telegram_plain, utf16_length
from bot.requests import is_taken_back, seconds
from store import shown
from store.errors import DatabaseProblem
from store.mailbox import Key, Mailbox
from store.mailbox import Reply as Kept

log = logging.getLogger("corollary.telegram")

ATTEMPTS = 4
FIRST_PAUSE_S = 0.5
"""Before an attempt to send is repeated; longer each time."""
LONGEST_WAIT_S = 60.0
MAX_IN_ROW = 8
MAX_CAPTION_UNITS = 1024
"""UTF-16 code units beside a file, after the entities are parsed."""
LONGEST_PAUSE_S = 15.0
"""Between two attempts to send a reply, however long the server has been away."""
TYPING_AFTER_S, TYPING_EVERY_S = 0.2, 4.5
"""When the sign that somebody types is shown, and how soon it fades."""
MANY_IN_WORK = 3
"""With more answers in work than this, the sign comes later."""

T = TypeVar("T")
Mark = Callable[[int, int | None], Awaitable[None]]
"""Marks a part as done with: in which chat, and as which message; None when it never arrives."""


class Outgoing:
    """Sends messages to chats, each part ending with the disclaimer. One for a running bot."""

    def __init__(
        self,
        bot: Bot,
        disclaimer: Disclaimer,
        mailbox: Mailbox,
        limits: Limits | None = None,
        *,
        rich: bool = False,
    ) -> None:
        self._bot = bot
        self._disclaimer = disclaimer
        self._mailbox = mailbox
        self._limits = limits or Limits()
        self._gate = Gate()
        self._closed: set[int] = set()
        self._missing = set() if rich else {"rich"}
        self._no_drafts_until: dict[int, float] = {}
        self._in_work = 0
        self.bot_id = int(bot.token.partition(":")[0])

    async def open(self) -> None:
        """Learns from the database which chats are closed to the bot."""
        self._closed = await self._mailbox.closed_chats(self.bot_id)

    # ------------------------------------------------------------------ replies

    async def reply(
        self,
        key: Key,
        chat_id: int,
        message: Message,
        thread_id: int | None = None,
        to: int | None = None,
        asked_in: int | None = None,
    ) -> int | None:
        """Answers an update: every part is kept before the first is sent, and sent in order. The
        buttons come with the last one, whose id is returned; None when the chat is closed. The
        first is shown as a reply to the message `to`, if that is still there. Of an answer that is
        kept it is remembered where it stands, and that it answers the message `asked_in`.

        Raises InvalidToken, with what is left still kept, when the token is not accepted any more.
        """
        first, *rest = self._parts(message, as_rich="rich" not in self._missing)
        *before, last = [replace(first, reply_to=to), *rest]
        if message.turn_id is not None:
            last = replace(last, shows=(message.turn_id, len(before) + 1, asked_in))
        parts = [*before, last]
        try:
            kept = await self._mailbox.keep(
                key, chat_id, thread_id, [one.as_dict() for one in parts]
            )
        except DatabaseProblem as e:
            log.error("update %s: its reply is sent without being kept: %s", key.update_id, e)
            kept = []
        sent = None
        for i, part in enumerate(parts):
            own = kept[i] if kept else None
            sent = await self._surely(chat_id, part, thread_id, self._marking(key, own, part))
        return sent

    async def resend(self, key: Key, kept: Sequence[Kept]) -> None:
        """Sends replies that an earlier run kept, and marks each when it was sent."""
        for one in kept:
            part = _Part.of_dict(one.part)
            marking = self._marking(key, one, part)
            await self._surely(one.chat_id, part, one.thread_id, marking)

    def _marking(self, key: Key, kept: Kept | None, part: "_Part") -> Mark:
        """What marks a part as sent; of one that is not kept nothing is marked."""

        async def mark(chat_id: int, message_id: int | None) -> None:
            if kept is None:
                return
            noted = None
            if message_id is not None and part.shows is not None:
                turn, parts, asked_in = part.shows
                if chat_id != kept.chat_id:
                    # In the chat that a group has become, the question has another number.
                    asked_in = None
                noted = shown.noting(chat_id, message_id, turn, parts=parts, question_id=asked_in)
            try:
                await self._mailbox.sent(key, kept, noted)
            except DatabaseProblem as e:
                log.error("update %s: its reply was sent, not marked: %s", key.update_id, e)

        return mark

    async def _surely(
        self,
        chat_id: int,
        part: "_Part",
        thread_id: int | None,
        mark: Mark,
    ) -> int | None:
        """Sends a part for as long as it takes; None when it can never arrive."""
        pause_s = FIRST_PAUSE_S
        while True:
            await self._limits.turn(chat_id)
            try:
                async with self._gate.passing():
                    sent = await self._post(chat_id, part, thread_id)
                    await mark(chat_id, sent)
                    return sent
            except RetryAfter as e:
                self._limits.hold(chat_id, seconds(e))
                continue
            except Forbidden:
                await self._close(chat_id)
                await mark(chat_id, None)
                return None
            except ChatMigrated as e:
                chat_id, thread_id = e.new_chat_id, None
                continue
            except BadRequest as e:
                simpler = _simpler(part, thread_id, str(e).lower())
                if simpler is None:
                    log.error("chat %s: a reply is refused: %s", chat_id, e)
                    await mark(chat_id, None)
                    return None
                log.warning("chat %s: sent more simply: %s", chat_id, _reason(e))
                part, thread_id = simpler
                continue
            except TelegramError as e:
                if is_taken_back(e):
                    raise
                log.warning("chat %s: not sent yet: %s", chat_id, type(e).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    # ------------------------------------------------------------------ what nobody asked for

    async def send(
        self,
        chat_id: int,
        message: Message,
        thread_id: int | None = None,
        *,
        asked_for: bool = True,
    ) -> int | None:
        """Sends every part in order; the buttons come with the last, whose id is returned.

        Gives up quietly (with a line in the log, and None) when the person has blocked the bot.
        """
        return await self._send_parts(chat_id, self._parts(message), thread_id, asked_for)

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
            await self._close(chat_id)
            return None
        except BadRequest as e:
            if "not modified" not in str(e).lower():
                log.info("chat %s: a message cannot be changed, sent anew", chat_id)
                rest = [first, *rest]
        return await self._send_parts(chat_id, rest, thread_id, True) if rest else message_id

    async def deliver(self, chat_id: int, message: Message, thread_id: int | None = None) -> bool:
        """As `send`, for what nobody waits for: False when it is to be tried again later.

        True also when no later attempt can help: the chat is gone, or closed to the bot.
        """
        if chat_id in self._closed:
            return True
        try:
            await self.send(chat_id, message, thread_id, asked_for=False)
        except ChatMigrated as e:
            return await self.deliver(e.new_chat_id, message)
        except BadRequest as e:
            log.warning("chat %s: cannot be written to: %s", chat_id, e)
        except TelegramError as e:
            log.warning("chat %s: not told yet: %s", chat_id, type(e).__name__)
            return False
        return True

    async def hand_over(self, chat_id: int, name: str, content: bytes, message: Message) -> None:
        """Sends a file with the message beside it, or behind it where that is too long for it.
        Raises TelegramError when it cannot be sent."""
        (caption,) = self._parts(message)[:1]
        fits = utf16_length(telegram_plain(caption.text)) <= MAX_CAPTION_UNITS
        await self._patiently(
            chat_id,
            lambda: self._bot.send_document(
                chat_id,
                content,
                filename=name,
                caption=caption.text if fits else None,
                parse_mode=caption.parse_mode,
            ),
            True,
        )
        if not fits:
            await self.send(chat_id, message)

    def count(self, message: Message) -> int:
        """How many messages it is sent as."""
        return len(self._parts(message))

    async def mark(
        self, chat_id: int, message_id: int, rows: Sequence[Sequence[tuple[str, str]]]
    ) -> None:
        """Changes the buttons under a message, given as labels and data; worth no retry."""
        try:
            await self._bot.edit_message_reply_markup(
                chat_id,
                message_id,
                reply_markup=_markup([[_button(*b) for b in row] for row in rows]),
            )
        except TelegramError as e:
            log.debug("chat %s: buttons not changed: %s", chat_id, type(e).__name__)

    # ------------------------------------------------------------------ signs of life

    @asynccontextmanager
    async def typing(self, chat_id: int, thread_id: int | None = None) -> AsyncIterator[None]:
        """Shows that an answer is on its way, as long as it takes; not when it is quick."""
        self._in_work += 1
        # Where many wait, the signs would hold up the answers.
        after_s = TYPING_AFTER_S * max(1.0, self._in_work / MANY_IN_WORK)
        async with later(after_s, lambda: self._type(chat_id, thread_id)):
            try:
                yield
            finally:
                self._in_work -= 1

    async def _type(self, chat_id: int, thread_id: int | None) -> None:
        while True:
            if self._limits.spare(chat_id):
                try:
                    await self._bot.send_chat_action(
                        chat_id, ChatAction.TYPING, message_thread_id=thread_id
                    )
                except RetryAfter as e:
                    await asyncio.sleep(seconds(e))
                except TelegramError as e:
                    log.debug("chat %s: no chat action: %s", chat_id, type(e).__name__)
            await asyncio.sleep(TYPING_EVERY_S)

    async def draft(
        self, chat_id: int, draft_id: int, message: Message, thread_id: int | None = None
    ) -> bool:
        """Shows what there is of an answer, with a button to stop it where the server has one.

        False when there is no use in another one: the server does not know drafts, or has had
        enough of them. A draft is never worth a message.
        """
        now = time.monotonic()
        if "draft" in self._missing or self._no_drafts_until.get(chat_id, now) > now:
            return False
        if not self._limits.spare(chat_id):
            return True
        last = self._parts(message)[-1]
        try:
            await self._bot.send_message_draft(
                chat_id,
                draft_id,
                last.text,
                message_thread_id=thread_id,
                parse_mode=last.parse_mode,
                api_kwargs={"can_stop": True},
                read_timeout=5.0,
            )
        except RetryAfter as e:
            self._no_drafts_until[chat_id] = now + seconds(e)
            return False
        except InvalidToken as e:
            if not is_taken_back(e):
                log.info("this server does not know drafts: answers are shown when they are whole")
                self._missing.add("draft")
            return False
        except BadRequest as e:
            log.info("chat %s: no draft: %s", chat_id, _reason(e))
            return False
        except TelegramError as e:
            log.debug("chat %s: no draft: %s", chat_id, type(e).__name__)
        return True

    async def acknowledge(self, query: CallbackQuery) -> None:
        """Ends the waiting sign of a pressed button. One pressed while the bot was away is too old
        for that, and is answered all the same."""
        try:
            await query.answer()
        except TelegramError as e:
            log.debug("a pressed button was not acknowledged: %s", type(e).__name__)

    # ------------------------------------------------------------------ chats

    async def heard_from(self, chat_id: int) -> None:
        """Somebody wrote there: the bot may write there again."""
        if chat_id in self._closed:
            self._closed.discard(chat_id)
            await self._mailbox.open_chat(self.bot_id, chat_id)

    async def _close(self, chat_id: int) -> None:
        log.info("chat %s: not allowed to write there any more", chat_id)
        self._closed.add(chat_id)
        try:
            await self._mailbox.close_chat(self.bot_id, chat_id)
        except DatabaseProblem as e:
            log.error("chat %s: that it is closed was not kept: %s", chat_id, e)

    # ------------------------------------------------------------------ the server

    def _parts(self, message: Message, *, as_rich: bool = False) -> list["_Part"]:
        ending = self._disclaimer.of(message)
        texts = telegram(message, ending)
        # Only what is not changed later: it cannot be changed to an ordinary one.
        richer = rich.rich(message, ending) if as_rich else [None] * len(texts)
        *before, last = [_Part(t, rich=r) for t, r in zip(texts, richer, strict=True)]
        return [*before, replace(last, buttons=_keyboard(message.buttons))]

    async def _send_parts(
        self, chat_id: int, parts: list["_Part"], thread_id: int | None, asked_for: bool
    ) -> int | None:
        async def say(part: "_Part") -> int:
            return await self._patiently(
                chat_id, lambda: self._post(chat_id, part, thread_id), asked_for
            )

        sent = None
        for one in parts:
            try:
                sent = await _formatted(chat_id, one, say)
            except Forbidden:
                await self._close(chat_id)
                return None
        return sent

    async def _post(self, chat_id: int, part: "_Part", thread_id: int | None) -> int:
        refused = None
        if part.rich is not None and "rich" not in self._missing:
            try:
                return await self._post_rich(chat_id, part, thread_id)
            except EndPointNotFound:
                refused = "not known"
            except BadRequest as e:
                refused = _reason(e)
        sent = await self._bot.send_message(
            chat_id,
            part.text,
            parse_mode=part.parse_mode,
            reply_markup=part.buttons,
            message_thread_id=thread_id,
            link_preview_options=_NO_PREVIEW,
            reply_parameters=_replying(part.reply_to),
        )
        if refused is not None:
            # The ordinary one was not, so it is not the chat: it gets no other rich one.
            log.warning(
                "this server takes no rich messages, replies are ordinary ones: %s", refused
            )
            self._missing.add("rich")
        return sent.message_id

    async def _post_rich(self, chat_id: int, part: "_Part", thread_id: int | None) -> int:
        said = {
            "chat_id": chat_id,
            "message_thread_id": thread_id,
            "rich_message": {"html": part.rich},
            "reply_markup": part.buttons,
            "reply_parameters": _replying(part.reply_to),
        }
        sent = await self._bot.do_api_request(rich.METHOD, said)
        return int(sent["message_id"])

    async def _change(self, chat_id: int, message_id: int, part: "_Part") -> int:
        await self._patiently(
            chat_id,
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

    async def _patiently(
        self,
        chat_id: int,
        send: Callable[[], Awaitable[T]],
        asked_for: bool = True,
        *,
        twice_is_once: bool = False,
    ) -> T:
        """The result of `send`, tried again a few times while waiting can help; after a time-out
        only where doing it twice is the same as once."""
        for attempt in range(1, ATTEMPTS + 1):
            await self._limits.turn(chat_id, asked_for=asked_for)
            try:
                return await send()
            except RetryAfter as e:
                if attempt == ATTEMPTS or seconds(e) > LONGEST_WAIT_S:
                    raise
                self._limits.hold(chat_id, seconds(e))
            except BadRequest:
                raise
            except NetworkError as e:
                if attempt == ATTEMPTS or (isinstance(e, TimedOut) and not twice_is_once):
                    raise
                await asyncio.sleep(FIRST_PAUSE_S * 2.0**attempt)
        raise AssertionError("unreachable")


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


def _replying(to: int | None) -> ReplyParameters | None:
    return ReplyParameters(to, allow_sending_without_reply=True) if to is not None else None


_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class _Part:
    """One message as Telegram takes it, the disclaimer at its end; `rich` is the same for servers
    that take rich messages."""

    text: str
    buttons: Any = None
    """As Telegram has them: the library's own form would be made to be turned into that."""
    parse_mode: str | None = ParseMode.HTML
    reply_to: int | None = None
    rich: str | None = None
    shows: tuple[int, int, int | None] | None = None
    """The answer that it is the last part of: its turn, in how many parts, what message asked."""

    def as_dict(self) -> dict[str, Any]:
        """As it is kept."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_dict(cls, kept: dict[str, Any]) -> "_Part":
        """As it was kept."""
        return cls(**kept)


_NOWHERE = ("chat not found", "user not found", "chat_write_forbidden", "not enough rights",
            "have no rights", "peer_id_invalid", "user is deactivated")  # fmt: skip
"""What the server says of a chat that nothing can be sent to."""
_NO_TOPIC = ("thread not found", "topic_deleted", "topic_id_invalid")
"""What it says of a topic of a group that is gone."""


def _simpler(part: _Part, thread_id: int | None, refused: str) -> tuple[_Part, int | None] | None:
    """What to send after a refusal, and to which topic; None when nothing will do."""
    if any(words in refused for words in _NOWHERE):
        return None
    if thread_id is not None and any(words in refused for words in _NO_TOPIC):
        return part, None
    if part.reply_to is not None and "repl" in refused:
        return replace(part, reply_to=None), thread_id
    if part.parse_mode is not None:
        plain = replace(part, text=telegram_plain(part.text), parse_mode=None, rich=None)
        return plain, thread_id
    if part.buttons is not None:
        return replace(part, buttons=None), thread_id
    return None


def _reason(error: TelegramError) -> str:
    """What the server said, without what it quotes."""
    return str(error).partition(":")[0][:80]


async def _formatted(chat_id: int, part: _Part, send: Callable[[_Part], Awaitable[int]]) -> int:
    """The result of `send`, with the markup taken out when the server refuses that."""
    try:
        return await send(part)
    except BadRequest as e:
        if "parse entities" not in str(e).lower():
            raise
    log.warning("chat %s: markup refused, sent as plain text", chat_id)
    return await send(replace(part, text=telegram_plain(part.text), parse_mode=None))


def _keyboard(buttons: tuple[Button, ...]) -> Any:
    """One button a row, for their texts are questions; short ones stand beside each other."""
    rows: list[list[dict[str, str]]] = []
    for b in buttons:
        button = _button(b.text, b.data)
        if b.beside and rows and len(rows[-1]) < MAX_IN_ROW:
            rows[-1].append(button)
        else:
            rows.append([button])
    return _markup(rows) if rows else None


def _button(text: str, data: str) -> dict[str, str]:
    return {"text": text, "callback_data": data}


def _markup(rows: list[list[dict[str, str]]]) -> Any:
    return {"inline_keyboard": rows}
