"""Updates on their way from Telegram to the handlers, by whichever door they come.

`take` keeps them in the mailbox; only then may Telegram be told that they arrived. Those of one
chat (and topic) are worked on one after another, in the order they came; other chats do not wait.
Those that another process has in work are waited for, when several take updates of the same bot.
A pressed button and the Stop under a growing answer do not wait either: they are about something
that is in work. What an earlier run left undone comes first, at `replay`.

The library's own queue is this one, so that it can be closed and waited for as the library does.
"""

import asyncio
import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from telegram import Bot, Update

from bot.background import log_fault
from bot.requests import is_taken_back
from store.errors import CorollaryError, DatabaseProblem
from store.mailbox import Key, Left, Mailbox, Parcel, Reply

log = logging.getLogger("corollary.telegram")

PATIENCE_S = (0.2, 1.0, 3.0)
"""How often, and after how long, keeping updates is tried again. After that they are worked on all
the same: people are then told that something is wrong, and not left alone with their question."""
MOST_NUMBERS = 2**63
"""What a database holds; Telegram's numbers of updates are below 2**31."""
AT_ONCE = 256
"""Chats in work at the same time."""

LOOKS_S, OTHERS_WITHIN_S = 0.05, 30.0
"""How often it is looked whether another process has answered what came before, and how long. When
it was killed, what it had is taken over before."""

STOPPED = "stopped_message_generation"
"""The kind of update that says that somebody pressed Stop; newer than the library."""

Mask = Callable[[str], str]


def place_of(update: Update) -> tuple[int, int | None] | None:
    """The chat, and the topic in it, where an update happened."""
    chat = update.effective_chat
    return (chat.id, thread_of(update)) if chat else None


def written(place: tuple[int, int | None] | None) -> str | None:
    """A place as the mailbox and the names of conversations have it."""
    if place is None:
        return None
    chat, thread = place
    return f"{chat}" if thread is None else f"{chat}.{thread}"


def thread_of(update: Update) -> int | None:
    """The topic of a group in which an update happened."""
    said = update.effective_message
    return said.message_thread_id if said and said.is_topic_message else None


def user_of(update: Update) -> str | None:
    """Whose update it is, as our tables name them."""
    user = update.effective_user
    return f"telegram:{user.id}" if user else None


def key_of(update: Update, bot_id: int) -> Key:
    """What an update is known by. Nothing of what was said is in it."""
    if update.callback_query is not None:
        return Key(bot_id, update.update_id, f"button:{update.callback_query.id}"[:120])
    said = update.effective_message
    if said is None:
        kind = next(iter(update.api_kwargs), "other")
        return Key(bot_id, update.update_id, f"{kind}"[:120])
    edited = f":{said.edit_date.timestamp():.0f}" if said.edit_date else ""
    told = f"{said.chat_id}:{said.message_id}:{said.date.timestamp():.0f}{edited}"
    # A digest: a chat's number can be a person's, and this stays when they are forgotten.
    digest = hashlib.sha256(told.encode()).hexdigest()[:32]
    return Key(bot_id, update.update_id, f"message:{digest}")


def read(told: Any, bot: Bot | None = None) -> tuple[Update, dict[str, Any]] | None:
    """What Telegram tells of an update, and the update that the library makes of it. Of one that
    it cannot read only the number is left, with a line in the log that holds nothing of it: it
    cannot be worked on, and must not hold up those that come after it. None when it has not even a
    number."""
    number = told.get("update_id") if isinstance(told, dict) else None
    if type(number) is not int or not 0 <= number < MOST_NUMBERS:
        log.error("an update without a number is left out")
        return None
    try:
        return Update.de_json(told, bot), told
    except Exception as e:  # noqa: BLE001 - whatever the library stumbles over
        stumbled = type(e).__name__
    try:
        # A question stays one though it replies to what cannot be read.
        update = Update.de_json(_bare(told), bot)
    except Exception:  # noqa: BLE001 - nor what is worked on
        log.error("update %s cannot be read and is left out: %s", number, stumbled)
        return Update(number), {"update_id": number}
    log.warning("update %s is read without what the library stumbles over: %s", number, stumbled)
    return update, told


_NEEDED = frozenset({"message_id", "date", "edit_date", "chat", "from", "sender_chat",
    "forward_origin", "via_bot", "message_thread_id", "is_topic_message", "forum_topic_created",
    "media_group_id", "text", "entities", "reply_to_message"})  # fmt: skip
"""Of a message: what was asked, and all that access and rights are decided by."""


def _bare(told: dict[str, Any]) -> dict[str, Any]:
    """The update with nothing in its message, and in the one that is replied to, but what is
    needed."""
    bare = dict(told)
    for kind in ("message", "edited_message"):
        if isinstance(said := told.get(kind), dict):
            bare[kind] = _needed(said)
    return bare


def _needed(said: dict[str, Any]) -> dict[str, Any]:
    return {
        k: _needed(v) if k == "reply_to_message" and isinstance(v, dict) else v
        for k, v in said.items()
        if k in _NEEDED
    }


@dataclass(frozen=True, slots=True)
class _Work:
    """An update to be worked on; `left` when an earlier run had it already."""

    key: Key
    update: Update
    left: Left | None = None


class Intake(asyncio.Queue[object]):
    """Keeps updates, and hands them to the handlers in order; `shared` when other processes may
    take updates of the same bot."""

    def __init__(
        self,
        mailbox: Mailbox,
        bot_id: int,
        *,
        conversation_of: Callable[[Update], str | None],
        shared: bool = False,
        mask: Mask = lambda text: text,
    ) -> None:
        super().__init__()
        self._mailbox = mailbox
        self._bot_id = bot_id
        self._conversation_of = conversation_of
        self._shared = shared
        self._mask = mask
        self._bot: Bot | None = None
        self._handle: Callable[[Update], Awaitable[None]] | None = None
        self._resend: Callable[[Key, Sequence[Reply]], Awaitable[object]] | None = None
        self._lines: dict[tuple[int, int | None], deque[_Work]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._taking_over = 0
        self.closing = False
        """Whether nothing is begun any more."""

    def hand_to(
        self,
        bot: Bot,
        handle: Callable[[Update], Awaitable[None]],
        resend: Callable[[Key, Sequence[Reply]], Awaitable[object]],
    ) -> None:
        """Says whose updates they are, who works on one, and who sends the replies that an earlier
        run stored."""
        self._bot, self._handle, self._resend = bot, handle, resend

    # ------------------------------------------------------------------ in

    async def put(self, item: object) -> None:
        """As the library's own doors call it; what is no update is the library's own business."""
        if isinstance(item, Update):
            await self.take([item.to_dict()])
        else:
            await super().put(item)

    async def take(self, told: Sequence[Any]) -> int | None:
        """Keeps updates, given as Telegram tells of them, and sees to it that those not known yet
        are worked on. The number of the last one; None when none has a number."""
        keyed: dict[Key, tuple[Update, Parcel]] = {}
        number = None
        for one in told:
            found = read(one, self._bot)
            if found is None:
                continue
            update, whole = found
            number = update.update_id
            try:
                key = key_of(update, self._bot_id)
                keyed[key] = update, self._parcel(key, update, whole)
            except Exception as e:  # noqa: BLE001 - the others are taken all the same
                log_fault(log, f"taking in update {number}", e)
        new = await self._kept([parcel for _, parcel in keyed.values()])
        for key, (update, _) in keyed.items():
            if key in new:
                self._line_up(_Work(key, update))
        return number

    async def _kept(self, parcels: list[Parcel]) -> set[Key]:
        at = datetime.now(UTC)
        for pause_s in (*PATIENCE_S, None):
            try:
                return await self._mailbox.take_in(parcels, at)
            except DatabaseProblem as e:
                log.error("%d updates could not be kept: %s", len(parcels), e)
                if pause_s is not None:
                    await asyncio.sleep(pause_s)
        return {p.key for p in parcels}

    def _parcel(self, key: Key, update: Update, told: dict[str, Any]) -> Parcel:
        # In ASCII: half a surrogate pair is text in JSON, and in no database.
        text = json.dumps(_masked(told, self._mask), separators=(",", ":"))
        return Parcel(key, written(place_of(update)), user_of(update), text)

    async def replay(self) -> int:
        """Takes up what an earlier run left undone; how many updates that are."""
        self._taking_over += 1
        try:
            left = await self._mailbox.left(self._bot_id)
            for one in left:
                told = {"update_id": one.parcel.key.update_id, **json.loads(one.parcel.payload)}
                if found := read(told, self._bot):
                    self._line_up(_Work(one.parcel.key, found[0], one))
            return len(left)
        finally:
            self._taking_over -= 1

    # ------------------------------------------------------------------ order

    def _line_up(self, work: _Work) -> None:
        place = place_of(work.update)
        if place is None or work.update.callback_query is not None:
            self._start(self._alone(work))
            return
        waiting = self._lines.get(place)
        if waiting is not None:
            waiting.insert(_turn_of(work, waiting), work)
            return
        self._lines[place] = deque([work])
        self._start(self._in_order(place))

    def _start(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _alone(self, work: _Work) -> None:
        if not self.closing:
            await self._do(work)

    async def _in_order(self, place: tuple[int, int | None]) -> None:
        waiting = self._lines[place]
        try:
            while waiting and not self.closing:
                if self._shared:
                    await self._others(waiting[0].key, written(place))
                # For each one anew, so that a chat with many does not keep out another.
                async with self._slots:
                    if not self.closing:
                        await self._do(waiting.popleft())
        finally:
            del self._lines[place]

    async def _others(self, key: Key, place: str | None) -> None:
        """Waits until no other process has an earlier update of the place in work."""
        until = time.monotonic() + OTHERS_WITHIN_S
        while not self.closing and time.monotonic() < until:
            try:
                # What is being taken over is no other's any more, and not in line yet.
                if await self._mailbox.is_next(key, place) and not self._taking_over:
                    return
            except DatabaseProblem as e:
                log.warning("update %s does not wait for earlier ones: %s", key.update_id, e)
                return
            await asyncio.sleep(LOOKS_S)

    async def _do(self, work: _Work) -> None:
        assert self._handle is not None and self._resend is not None, "hand_to was not called"
        try:
            if work.left is not None and work.left.answered:
                await self._resend(work.key, work.left.replies)
            else:
                if work.left is not None:
                    await self._take_back(work)
                await self._handle(work.update)
            await self._mailbox.done(work.key)
        except Exception as e:  # noqa: BLE001 - the chat's other updates are worked on all the same
            if not is_taken_back(e):
                log_fault(log, f"update {work.key.update_id}", e)

    async def _take_back(self, work: _Work) -> None:
        conversation = self._conversation_of(work.update)
        if conversation is None:
            return
        try:
            await self._mailbox.undo(work.key, conversation)
        except CorollaryError as e:
            log.error("update %s: %s", work.key.update_id, e)

    @property
    def waiting(self) -> int:
        """How many chats have something in work."""
        return len(self._tasks)

    # ------------------------------------------------------------------ the end

    async def join(self) -> None:
        """Returns when everything that was taken is done with."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await super().join()

    async def drain(self, within_s: float) -> int:
        """Finishes what is in work and begins nothing more; how many had to be broken off.

        What was broken off or not begun is in the mailbox, and is taken up at the next start.
        """
        self.closing = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within_s)
        late = set(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)


def _turn_of(work: _Work, waiting: Sequence[_Work]) -> int:
    """Where in the line: last; but what is taken over from another process, before what came after
    it and was taken in here."""
    if work.left is None:
        return len(waiting)
    number = work.key.update_id
    later = (i for i, w in enumerate(waiting) if w.left is None and w.key.update_id > number)
    return next(later, len(waiting))


_TEXTS = frozenset({"text", "caption"})


def _masked(told: Any, mask: Mask) -> Any:
    """The update with what somebody typed masked, wherever it stands."""
    if isinstance(told, dict):
        return {
            k: mask(v) if k in _TEXTS and isinstance(v, str) else _masked(v, mask)
            for k, v in told.items()
        }
    if isinstance(told, list):
        return [_masked(v, mask) for v in told]
    return told
