"""How fast messages may leave: the one limiter of the bot.

Telegram allows about a message a second in a chat with short bursts, twenty a minute in a group,
and some thirty a second in all for messages that nobody asked for. Replies may go faster than that
until the server says otherwise; then they keep to it for a minute. When the server says of a chat
how long to wait, that chat waits, and no other.

A place in a bucket is reserved before it is waited for, so that whoever came first goes first, and
of many that wait only one wakes up at a time.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PER_CHAT_S, CHAT_BURST = 1.0, 3.0
"""Messages a second in a private chat, and how many at once; Telegram bears a few more."""
GROUP_A_MINUTE = 20
PER_GROUP_S, GROUP_BURST = GROUP_A_MINUTE / 60, 5.0
MINUTE_S = 60.5
"""In which a group gets no more than that, burst and all; longer by what a message may be late."""
OVERALL_S, OVERALL_BURST = 28.0, 20.0
"""Messages a second in all; a little less than the 30 that are allowed, since clocks differ."""
SPARE_S, SPARE_BURST = 20.0, 20.0
"""Drafts and signs of typing a second: when many wait, showing it would make them wait longer."""
CAREFUL_S = 60.0
"""How long replies keep to the overall limit after the server has said it was too much."""
MOST_CHATS = 4096
"""Chats whose buckets are remembered; a bucket that was not used for this long is full again."""


@dataclass(slots=True)
class Bucket:
    """Fills at `rate` a second up to `size`. Places can be reserved ahead of time."""

    rate: float
    size: float
    at: float
    level: float = field(default=0.0)
    left_at: deque[float] | None = None
    """When the last ones left, where no more than its length may leave in a minute."""

    def _fill(self, now: float) -> None:
        self.level = min(self.size, self.level + max(0.0, now - self.at) * self.rate)
        self.at = now

    def reserve(self, now: float) -> float:
        """Takes a place; how many seconds it is away."""
        self._fill(now)
        self.level -= 1.0
        wait_s = max(0.0, -self.level / self.rate)
        if self.left_at is not None:
            if len(self.left_at) == self.left_at.maxlen:
                wait_s = max(wait_s, self.left_at[0] + MINUTE_S - now)
            self.left_at.append(now + wait_s)
        return wait_s

    def spend(self, now: float) -> None:
        """Takes a place if there is one."""
        self._fill(now)
        self.level = max(min(self.level, 0.0), self.level - 1.0)

    def has_room(self, now: float) -> bool:
        """Whether one could pass at once."""
        self._fill(now)
        return self.level >= 1.0


class Limits:
    """Says when a message may leave."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._chats: OrderedDict[int, Bucket] = OrderedDict()
        self._held: dict[int, float] = {}
        self._overall = Bucket(OVERALL_S, OVERALL_BURST, clock(), OVERALL_BURST)
        self._spare = Bucket(SPARE_S, SPARE_BURST, clock(), SPARE_BURST)
        self._careful_until = float("-inf")

    async def turn(self, chat_id: int, *, asked_for: bool = True) -> None:
        """Returns when a message may leave to the chat."""
        await self._wait(self._chat(chat_id).reserve(self._clock()))
        if not asked_for or self.careful:
            await self._wait(self._overall.reserve(self._clock()))
        else:
            # What leaves freely still counts for what does not.
            self._overall.spend(self._clock())
        while (left := self._held.get(chat_id, 0.0) - self._clock()) > 0:
            await self._wait(left)

    def hold(self, chat_id: int, seconds: float) -> None:
        """The server has said that nothing may leave to the chat for so long."""
        now = self._clock()
        self._held = {c: until for c, until in self._held.items() if until > now}
        self._held[chat_id] = max(self._held.get(chat_id, 0.0), now + seconds)
        self._careful_until = now + CAREFUL_S

    @property
    def careful(self) -> bool:
        """Whether the server has complained of late."""
        return self._clock() < self._careful_until

    def spare(self, chat_id: int) -> bool:
        """Whether something that may as well be left out, as a draft, can leave to the chat now; it
        is counted."""
        now = self._clock()
        if self._held.get(chat_id, 0.0) > now or not self._spare.has_room(now):
            return False
        if self.careful and not self._overall.has_room(now):
            return False
        self._spare.spend(now)
        return True

    def __len__(self) -> int:
        """How many chats are remembered."""
        return len(self._chats)

    def _chat(self, chat_id: int) -> Bucket:
        bucket = self._chats.get(chat_id)
        if bucket is None:
            now = self._clock()
            if chat_id > 0:
                bucket = Bucket(PER_CHAT_S, CHAT_BURST, now, CHAT_BURST)
            else:
                left_at: deque[float] = deque(maxlen=GROUP_A_MINUTE)
                bucket = Bucket(PER_GROUP_S, GROUP_BURST, now, GROUP_BURST, left_at)
            self._chats[chat_id] = bucket
            if len(self._chats) > MOST_CHATS:
                self._chats.popitem(last=False)
        self._chats.move_to_end(chat_id)
        return bucket

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)


class Gate:
    """Lets one through at a time, the next one at the latest after a moment.

    Between the sending of a message and the mark that it was sent a kill makes it go out twice.
    Behind the gate this can befall one message and not as many as there are chats; and a slow
    server holds up the others by no more than the moment, which is shorter when many wait.
    """

    def __init__(self, moment_s: float = 0.15, shortest_s: float = 0.03, many: int = 4) -> None:
        self._moment_s = moment_s
        self._shortest_s = shortest_s
        self._many = many
        self._waiting = 0
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Waits for its turn, and holds up the next one until the end or for the moment."""
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
        held = True

        def leave() -> None:
            nonlocal held
            if held:
                held = False
                self._lock.release()

        moment_s = self._moment_s if self._waiting < self._many else self._shortest_s
        timer = asyncio.get_running_loop().call_later(moment_s, leave)
        try:
            yield
        finally:
            timer.cancel()
            leave()
