"""Telegram's updates, turned into commands and questions.

Flat handlers of one shape: who is it, what do they want, send the message. Access is decided in
one place, before any of them; who may act as an admin in another, `right_of`.
"""

import hmac
import logging
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Collection
from enum import Enum
from functools import partial
from typing import Any

from telegram import Bot, Document, Update
from telegram import Message as TelegramMessage
from telegram.constants import ChatType
from telegram.error import TelegramError
from telegram.ext import (
    Application,
    ApplicationHandlerStop,
    CallbackQueryHandler,
    ContextTypes,
    MessageHandler,
    TypeHandler,
    filters,
)

from bot import (
    admin_commands,
    commands,
    following,
    groups,
    languages,
    long_commands,
    menus,
    other_kinds,
    privacy,
    voting,
)
from bot.admin_commands import Admin, AdminCommand
from bot.app import Program
from bot.background import Background, log_fault
from bot.commands import Person, message
from bot.growing import Growing
from bot.intake import STOPPED, key_of, place_of, thread_of, written
from bot.outgoing import Bulletin, Outgoing
from bot.rates import Rates
from bot.render import SEARCHING, Message, Paragraph, Style, reply
from bot.requests import is_taken_back
from bot.settings import Access, split_codes
from bot.words import tr, trn
from store import own_data, shown
from store.conversations import Recalled
from store.errors import CorollaryError
from store.index import Progress
from store.mailbox import Key

log = logging.getLogger("corollary.telegram")

WAITS_S = 3600.0
"""How long an update may have waited that was sent before its sender had all erased. Not for ever:
after a week without any, Telegram begins to number them anew."""


def person_of(update: Update) -> Person | None:
    """Who acts, known by number only; None for channels and other faceless senders."""
    user, where = update.effective_user, written(place_of(update))
    if user is None or where is None:
        return None
    return Person(f"telegram:{user.id}", f"telegram:{where}:{user.id}")


def conversation_of(update: Update) -> str | None:
    """The conversation that an update is part of."""
    person = person_of(update)
    return person.conversation_id if person else None


class Right(Enum):
    """What somebody may do with the commands of admins."""

    NONE = 1
    """For them there are none."""
    ANEW = 2
    """They may, but not by this message: it was edited, forwarded or written by another bot."""
    FULL = 3


def right_of(update: Update, admin_ids: Collection[int]) -> Right:
    """Decided by the number of who acts, in their own private chat with the bot, and by nothing
    else that an update says."""
    user, chat = update.effective_user, update.effective_chat
    if user is None or chat is None or user.is_bot or user.id not in admin_ids:
        return Right.NONE
    if chat.type != ChatType.PRIVATE or chat.id != user.id:
        return Right.NONE
    if update.callback_query is not None:
        return Right.FULL
    said = update.message
    if said is None or said.forward_origin or said.via_bot or said.sender_chat:
        return Right.ANEW
    return Right.FULL


class Ration:
    """How many lines the audit takes of what was refused: so many a person in an hour, and so
    many in all, whoever sends how much."""

    def __init__(
        self, each: int = 20, all_: int = 1000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._each = each
        self._all = all_
        self._clock = clock
        self._hour = -1
        self._taken: Counter[str] = Counter()

    def allows(self, who: str) -> bool:
        """Whether there is room for one more line about them; it is taken."""
        hour = int(self._clock() // 3600)
        if hour != self._hour:
            self._hour, self._taken = hour, Counter()
        if self._taken[who] >= self._each or self._taken.total() >= self._all:
            return False
        self._taken[who] += 1
        return True


class Handlers:
    """The handlers of one running bot."""

    def __init__(self, program: Program, outgoing: Outgoing, background: Background) -> None:
        self._program = program
        self._outgoing = outgoing
        self._background = background
        self._ration = Ration()
        self._rates = Rates(program.settings.questions_per_hour)
        self._forgotten: dict[str, tuple[int, float]] = {}
        """With which update people had all erased that is kept of them, and when."""
        self._growing: dict[tuple[int, int], Growing] = {}
        self._albums: deque[str] = deque(maxlen=100)
        """What was sent together of late, and answered."""

    def add_to(self, application: "Application[Any, Any, Any, Any, Any, Any]") -> None:
        """Registers every handler; before all others the language is set, then the guard stands."""
        application.add_handler(TypeHandler(Update, self.stop), group=-3)
        application.add_handler(TypeHandler(Update, self.speak), group=-2)
        application.add_handler(TypeHandler(Update, self.guard), group=-1)
        application.add_handler(CallbackQueryHandler(self.button))
        application.add_handler(MessageHandler(filters.COMMAND, self.command))
        asked = filters.TEXT & (filters.ChatType.PRIVATE | filters.ChatType.GROUPS)
        application.add_handler(MessageHandler(asked, self.question))
        sent = filters.Document.ALL & filters.ChatType.PRIVATE
        application.add_handler(MessageHandler(sent, self.document))
        places = filters.ChatType.PRIVATE | filters.ChatType.GROUPS
        application.add_handler(MessageHandler(places, self.something_else))
        application.add_handler(TypeHandler(Update, self.note_language), group=1)
        application.add_handler(TypeHandler(Update, self.erase_again), group=2)
        application.add_error_handler(self.error)

    async def speak(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Speaks the language of whoever sent the update, to its end."""
        person, user = person_of(update), update.effective_user
        if person is not None and user is not None:
            await languages.speak_to(self._program, person.user_id, user.language_code)

    async def note_language(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Remembers the language of whoever was answered, to be told of corrections in it."""
        if (person := person_of(update)) is None:
            return
        try:
            await languages.note_hint(self._program, person.user_id)
        except CorollaryError as e:
            # They were answered all the same.
            log.error("update %s: its language is not kept: %s", update.update_id, e)

    async def erase_again(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Erases what came of an update that was sent before its sender had all erased, and that
        was in work or waited then."""
        person = person_of(update)
        if person is None or person.user_id not in self._forgotten:
            return
        number, at = self._forgotten[person.user_id]
        if update.update_id < number and time.monotonic() - at <= WAITS_S:
            await own_data.forget(self._program.database, person.user_id)

    # ------------------------------------------------------------------ access

    async def guard(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Stops the updates of people who may not ask, and those of which that cannot be said."""
        try:
            await self._let_in(update, context)
        except ApplicationHandlerStop:
            raise
        except Exception as e:
            # Or the library would go on to the handlers that stand behind this one.
            context.error = e
            await self.error(update, context)
            raise ApplicationHandlerStop from e

    async def _let_in(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Returns for people who may ask; others are told how to be let in."""
        person = person_of(update)
        asked = update.message or update.edited_message or update.callback_query
        if not person or not asked or (update.effective_user and update.effective_user.is_bot):
            raise ApplicationHandlerStop
        if update.effective_chat is not None:
            await self._outgoing.heard_from(update.effective_chat.id)
        await self._note_refused(update, person, context.bot.username)
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
        # Half a surrogate pair can be no part of a code.
        given = said.text.split()[-1].encode(errors="replace")
        codes = split_codes(settings.invite_codes)
        # Every code is compared, so that the time taken tells nothing.
        if not any([hmac.compare_digest(given, code.encode()) for code in codes]):
            return False
        await self._program.database.invite(person.user_id)
        await self._program.database.note(person.user_id, "invited")
        return True

    def _right(self, update: Update) -> Right:
        return right_of(update, self._program.settings.admin_ids)

    async def _note_refused(self, update: Update, person: Person, username: str) -> None:
        """Leaves a line in the audit when somebody tries what only admins can do."""
        tried = _tried(update, username)
        if tried is None or self._right(update) is Right.FULL:
            return
        if not self._ration.allows(person.user_id):
            return
        try:
            await self._program.database.note(person.user_id, "refused", {"command": tried})
        except CorollaryError as e:
            # They are answered as if nothing had been tried.
            log.error("a refusal is not in the audit: %s", e)

    # ------------------------------------------------------------------ what people do

    async def command(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A /command, with or without the bot's name behind it."""
        said, person = update.effective_message, person_of(update)
        if said is None or not said.text or person is None:
            return
        named = _named(said.text, context.bot.username)
        if named is None:
            return
        name, args = named
        right, command = self._right(update), admin_commands.named(name)
        if command is not None and right is Right.FULL:
            if not await self._is_first_time(update):
                return
            await self._admin_command(update, command, args, person)
            return
        if name.lower() in admin_commands.COMMANDS and right is Right.ANEW:
            await self._send(update, admin_commands.anew())
            return
        if name.lower() in ALONE and said.chat.type != ChatType.PRIVATE:
            told = tr(
                "Ask for that in a private chat with this bot: @{name}", name=context.bot.username
            )
            await self._send(update, message(told))
            return
        to_the_bot = said.chat.type == ChatType.PRIVATE or "@" in commands.split(said.text)[0]
        if not to_the_bot and name.lower() not in commands.COMMANDS:
            # Of another bot of the group.
            return
        if name.lower() not in ALONE and await self._is_too_much(update, person):
            return
        if name.lower() == "export":
            await self._export(update, person)
            return
        await self._send(update, await commands.run(self._program, person, name, args))
        if name.lower() in {"start", "language"}:
            await self._show_menu(update, context.bot, chose=name.lower() == "language")

    async def question(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A question; in a group one that is put to the bot. An edited one is answered again, and
        a reply to an earlier answer goes on from that."""
        said, person = update.effective_message, person_of(update)
        if said is None or not said.text or person is None or update.effective_chat is None:
            return
        text = groups.question(said, context.bot.id, context.bot.username)
        if text is None or await self._is_too_much(update, person):
            return
        chat, database = update.effective_chat, self._program.database
        about = None
        if said.reply_to_message is not None:
            number = said.reply_to_message.message_id
            about = await shown.by_message(database, person.conversation_id, chat.id, number)
        if about is not None and about.what is shown.What.ASKED_WHY:
            who, where = person.user_id, person.conversation_id
            told = await voting.comment(self._program, who, where, about.turn_id, text)
            await self._send(update, told)
            return
        before, within = None, None
        if update.edited_message is not None:
            where = person.conversation_id
            before = await shown.by_question(database, where, chat.id, said.message_id)
        if before is not None:
            assistant = self._program.assistant
            within = await assistant.context_before(person.conversation_id, before.turn_id)
        elif about is not None:
            within = await following.after(self._program, person.conversation_id, about.turn_id)
        async with self._outgoing.typing(chat.id, thread_of(update)):
            if chat.type == ChatType.PRIVATE:
                told = await self._seen_to_grow(update, person, text, within)
            else:
                told = await commands.answer(self._program, person, text, within)
        if before is None or before.parts > 1:
            await self._send(update, told)
        else:
            await self._put_in_place(update, before.message_id, told)

    async def _put_in_place(self, update: Update, message_id: int, told: Message) -> None:
        """Puts the answer to an edited question where the earlier one stands. If that fails it is
        sent as any other, for a change of a message is not kept until it is done."""
        assert update.effective_chat is not None
        chat, thread = update.effective_chat.id, thread_of(update)
        try:
            sent = await self._outgoing.edit(chat, message_id, told, thread)
        except TelegramError as e:
            name = type(e).__name__
            log.warning("chat %s: an answer was not changed, sent anew: %s", chat, name)
            await self._send(update, told)
        else:
            await self._note_changed(update, told, sent, self._outgoing.count(told))

    async def _is_too_much(self, update: Update, person: Person) -> bool:
        """Whether the person has asked more than is answered in an hour; they are told."""
        user = update.effective_user
        if user is not None and user.id in self._program.settings.admin_ids:
            return False
        wait_s = self._rates.wait_s(person.user_id)
        if not wait_s:
            return False
        if self._rates.is_to_be_told(person.user_id):
            await self._send(update, _too_much(self._rates.per_hour, wait_s))
        return True

    async def _export(self, update: Update, person: Person) -> None:
        """All that is kept of the person, as a file in their private chat."""
        chat = update.effective_chat
        assert chat is not None
        file, told = await privacy.exported(self._program, person.user_id)
        await self._outgoing.hand_over(chat.id, privacy.FILE_NAME, file, told)

    async def _seen_to_grow(
        self, update: Update, person: Person, text: str, within: Recalled | None
    ) -> Message:
        """The answer; what there is of it is shown as a draft when it takes a while, and is all of
        it when it is stopped."""
        chat, thread = update.effective_chat, thread_of(update)
        assert chat is not None
        # Any number but 0 will do, as long as no two answers of a chat have the same.
        number = update.update_id % 2_000_000_000 + 1
        searching = Message((Paragraph(tr(SEARCHING), Style.NOTE),))
        growing = Growing(partial(self._show, chat.id, number, thread), searching)
        self._growing[chat.id, number] = growing
        try:
            told = await growing.follow(commands.answering(self._program, person, text, within))
        finally:
            del self._growing[chat.id, number]
        if growing.stopped or told is None:
            return await self._stopped(person, told)
        return told

    async def _stopped(self, person: Person, told: Message | None) -> Message:
        """What there was of an answer when it was stopped, with the sources of that."""
        if told is None or told.begun is None:
            return message(tr("Stopped, before there was an answer. Ask again when you like."))
        return reply(await self._program.assistant.stopped(told.begun, person.user_id))

    async def _show(self, chat_id: int, number: int, thread: int | None, told: Message) -> bool:
        return await self._outgoing.draft(chat_id, number, told, thread)

    async def stop(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """The Stop button under an answer that grows."""
        pressed = update.api_kwargs.get(STOPPED)
        if not isinstance(pressed, dict):
            return
        chat = pressed.get("chat")
        where = (chat.get("id") if isinstance(chat, dict) else None, pressed.get("draft_id"))
        if growing := self._growing.get(where):  # type: ignore[arg-type]
            growing.stop()
        raise ApplicationHandlerStop

    async def button(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A pressed button."""
        query, person = update.callback_query, person_of(update)
        if query is None or person is None:
            return
        await self._outgoing.acknowledge(query)
        if not query.data:
            return
        forgets = query.data == privacy.CONFIRMED
        if forgets:
            # First: what is in work sees it when it ends.
            now = time.monotonic()
            late = {p: f for p, f in self._forgotten.items() if now - f[1] <= WAITS_S}
            self._forgotten = {**late, person.user_id: (update.update_id, now)}
        elif await self._is_too_much(update, person):
            return
        if await self._is_anothers(update, person):
            await self._send(update, _anothers(context.bot.username))
            return
        if vote := voting.read(query.data):
            await self._vote(update, person, vote)
            return
        told = None
        if self._right(update) is Right.FULL:
            if admin_commands.is_button(query.data) and not await self._is_first_time(update):
                return
            told = await admin_commands.pressed(self._program, Admin(person), query.data)
        if told is None:
            chat = update.effective_chat
            assert chat is not None, "a person acts in a chat"
            async with self._outgoing.typing(chat.id, thread_of(update)):
                told = await commands.pressed(self._program, person, query.data)
        await self._send(update, told)
        if forgets:
            # The language that they had chosen is forgotten, too.
            await self.speak(update, context)
        if languages.is_button(query.data) or forgets:
            await self._show_menu(update, context.bot, chose=True)

    async def _is_anothers(self, update: Update, person: Person) -> bool:
        """Whether a button was pressed under the answer to somebody else in a group."""
        query, chat = update.callback_query, update.effective_chat
        if query is None or query.message is None or chat is None or chat.type == ChatType.PRIVATE:
            return False
        whose = await shown.whose(self._program.database, chat.id, query.message.message_id)
        return whose not in (None, person.conversation_id)

    async def _show_menu(self, update: Update, bot: Bot, *, chose: bool) -> None:
        """The menu of a private chat: of admins, and of people who chose a language."""
        chat, user = update.effective_chat, update.effective_user
        if chat is None or user is None or chat.id != user.id:
            return
        is_admin = self._right(update) is Right.FULL
        if is_admin or chose:
            await menus.for_chat(bot, chat.id, is_admin=is_admin)

    async def _vote(self, update: Update, person: Person, vote: voting.Pressed) -> None:
        """A thumb is ticked where it was pressed; one that went down is asked why."""
        query, chat = update.callback_query, update.effective_chat
        who, where = person.user_id, person.conversation_id
        message = query.message if query else None
        told, counted = await voting.pressed(self._program, who, where, vote)
        if not counted:
            await self._send(update, told)
            return
        keyboard = message.reply_markup if isinstance(message, TelegramMessage) else None
        if message is not None and keyboard is not None:
            rows = [[(b.text, str(b.callback_data)) for b in r] for r in keyboard.inline_keyboard]
            ticked = [voting.ticked(row, vote) for row in rows]
            if ticked != rows:
                await self._outgoing.mark(message.chat.id, message.message_id, ticked)
        if vote.value < 0 and chat is not None:
            sent = await self._send(update, told)
            if sent is not None:
                why = shown.What.ASKED_WHY
                await self._program.database.write(
                    shown.noting(chat.id, sent, vote.turn_id, what=why)
                )

    async def document(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A file: an admin's is read as an article, anybody else's is not."""
        said, person = update.message, person_of(update)
        right = self._right(update)
        if said is None or said.document is None or person is None or right is not Right.FULL:
            if right is Right.ANEW:
                await self._send(update, admin_commands.anew())
            else:
                await self.something_else(update, context)
            return
        if not await self._is_first_time(update):
            return
        sent = said.document
        told = admin_commands.refuse_upload(sent.file_name, sent.file_size)
        if told is None:
            try:
                raw = await _fetched(sent)
            except TelegramError as e:
                log.warning("update %s: no file: %s", update.update_id, type(e).__name__)
                await self._send(update, admin_commands.no_file())
                return
            replacing = (said.caption or "").strip().lower() == "replace"
            told = await admin_commands.upload(self._program, Admin(person), raw, replacing)
        await self._send(update, told)

    async def something_else(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """A photo, a voice message, a sticker: only text is read. In a group, of those that are put
        to the bot."""
        said = update.effective_message
        if said is None or said.pinned_message or update.edited_message:
            return
        private = said.chat.type == ChatType.PRIVATE
        if not private and not groups.concerns(said, context.bot.id, context.bot.username):
            return
        if said.media_group_id is not None:
            # Told once of all that was sent together.
            if said.media_group_id in self._albums:
                return
            self._albums.append(said.media_group_id)
        kind = next((k for k in other_kinds.KINDS if getattr(said, k, None)), None)
        await self._send(update, message(*other_kinds.told(kind, bool(said.caption))))

    # ------------------------------------------------------------------ what admins do

    async def _admin_command(
        self, update: Update, command: AdminCommand, args: str, person: Person
    ) -> None:
        chat, thread = update.effective_chat, thread_of(update)
        if not command.long or chat is None:
            told = await admin_commands.run(self._program, Admin(person), command, args)
            await self._send(update, told)
            return
        title = f"/{command.name} {args[:40]}".strip()
        starting = message(long_commands.heading(title), long_commands.STARTING)
        sent = await self._outgoing.send(chat.id, starting, thread)
        if sent is not None:
            bulletin = Bulletin(self._outgoing, chat.id, sent, thread)
            work = partial(_followed, self._program, person, command, args)
            key = key_of(update, self._outgoing.bot_id)
            # Until it has ended: whoever asked for it is told at the next start if a kill ends it.
            self._program.database.mailbox.hold(key)
            self._background.start(self._to_its_end(key, bulletin, title, work))

    async def _to_its_end(
        self, key: Key, bulletin: Bulletin, title: str, work: long_commands.Work
    ) -> None:
        try:
            await long_commands.carry_out(bulletin, title, work)
        finally:
            await self._program.database.mailbox.release(key)

    # ------------------------------------------------------------------ what goes wrong

    async def error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """The last resort: one line in the log without the text, one reply without details."""
        number = update.update_id if isinstance(update, Update) else None
        if is_taken_back(context.error):
            # Nothing can be said any more; what was to be said is kept. The operator is told once.
            return
        says = (CorollaryError, TelegramError)
        log_fault(log, f"update {number}", context.error, says)
        if isinstance(update, Update) and update.effective_chat is not None:
            try:
                await self._send(update, _fault())
            except TelegramError as e:
                log.error("update %s: nor could that be told: %s", number, type(e).__name__)

    async def _send(self, update: Update, what: Message) -> int | None:
        """Sends it to where the update is from, in a group as a reply; the id it got."""
        chat, said = update.effective_chat, update.effective_message
        if chat is None:
            return None
        own = update.callback_query is None and said is not None
        asked_in = said.message_id if own and said is not None else None
        to = asked_in if chat.type != "private" else None
        key = key_of(update, self._outgoing.bot_id)
        return await self._outgoing.reply(key, chat.id, what, thread_of(update), to, asked_in)

    async def _note_changed(
        self, update: Update, what: Message, message_id: int | None, parts: int
    ) -> None:
        """Remembers which message shows the answer to an edited question now."""
        said = update.effective_message
        if message_id is None or what.turn_id is None or said is None:
            return
        turn, asked_in = what.turn_id, said.message_id
        chat, database = said.chat_id, self._program.database
        try:
            await database.write(
                shown.noting(chat, message_id, turn, parts=parts, question_id=asked_in)
            )
        except CorollaryError as e:
            # It was answered all the same.
            log.error("update %s: which message it is was not kept: %s", update.update_id, e)

    async def _is_first_time(self, update: Update) -> bool:
        """False for what only admins can do when an earlier run had begun it: it is not done
        twice, for what it changes may have changed already."""
        key = key_of(update, self._outgoing.bot_id)
        if await self._program.database.mailbox.begin(key):
            return True
        said = update.message.text if update.message else None
        await self._send(update, admin_commands.interrupted(said))
        return False


ALONE = frozenset({"export", "forget"})
"""What is between a person and the bot, and is answered however much they asked."""


def _too_much(per_hour: int, wait_s: float) -> Message:
    minutes = math.ceil(wait_s / 60)
    return message(
        trn(
            "At most {n} message of a person is answered in an hour.",
            "At most {n} messages of a person are answered in an hour.",
            per_hour,
        ),
        trn(
            "What you send in the next {n} minute is not answered later either: ask again then.",
            "What you send in the next {n} minutes is not answered later either: ask again then.",
            minutes,
        ),
    )


def _fault() -> Message:
    return message(
        tr("Your question could not be answered because of a fault on our side."),
        tr(
            "It was not your wording. Try again in a minute; the operator can see the fault in the"
            " log."
        ),
    )


def _anothers(username: str) -> Message:
    return message(
        tr("That answer was given to somebody else, and its buttons are for them."),
        tr("Put a question of your own with @{name}.", name=username),
    )


def _named(text: str, username: str) -> tuple[str, str] | None:
    """The name of a command and what follows it; None when it is addressed to another bot."""
    first, args = commands.split(text)
    name, _, addressed = first.partition("@")
    if addressed and addressed.lower() != username.lower():
        return None
    return name, args


def _tried(update: Update, username: str) -> str | None:
    """What of the admins' alone an update asks for."""
    if update.callback_query is not None:
        data = update.callback_query.data or ""
        return "button" if admin_commands.is_button(data) else None
    said = update.effective_message
    if said is None or not said.text or not said.text.startswith("/"):
        return None
    named = _named(said.text, username)
    name = named[0].lower() if named else ""
    return name if name in admin_commands.COMMANDS else None


async def _fetched(document: Document) -> bytes:
    """The bytes of a file, whose size was looked at."""
    file = await document.get_file()
    return bytes(await file.download_as_bytearray())


async def _followed(
    program: Program, person: Person, command: AdminCommand, args: str, progress: Progress
) -> Message:
    return await command.run(program, Admin(person, progress), args)


def _stranger(user_id: int, program: Program) -> Message:
    told = [
        tr(
            "This assistant answers invited health professionals only. Your id is {id}.",
            id=user_id,
        ),
        tr("Give this number to the person who runs it, and write again when they have added you."),
    ]
    if program.settings.access is Access.INVITE:
        told[1] += " " + tr("With an invitation code, send: /start CODE")
    return message(*told)
