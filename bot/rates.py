"""How much one person may ask in an hour. Whoever asks too much is told so, and until when."""

import time
from collections import defaultdict, deque
from collections.abc import Callable

HOUR_S = 3600.0
TOLD_AGAIN_S = 60.0
"""A person who goes on is not told more often."""


class Rates:
    """Counts what people ask in a sliding hour, in this process; 0 a hour is no limit."""

    def __init__(self, per_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_hour = per_hour
        self._clock = clock
        self._asked: dict[str, deque[float]] = defaultdict(deque)
        self._told: dict[str, float] = {}

    def wait_s(self, user_id: str) -> float:
        """0 when they may ask, and it is counted; else how long it takes until they may."""
        if not self.per_hour:
            return 0.0
        now = self._clock()
        asked = self._asked[user_id]
        while asked and asked[0] <= now - HOUR_S:
            asked.popleft()
        if len(asked) >= self.per_hour:
            return asked[0] + HOUR_S - now
        asked.append(now)
        if len(self._asked) > 10_000:
            self._prune(now)
        return 0.0

    def is_to_be_told(self, user_id: str) -> bool:
        """Whether it is time to tell them."""
        now = self._clock()
        if now - self._told.get(user_id, -TOLD_AGAIN_S) < TOLD_AGAIN_S:
            return False
        self._told[user_id] = now
        return True

    def _prune(self, now: float) -> None:
        for user_id in [u for u, asked in self._asked.items() if asked[-1] <= now - HOUR_S]:
            del self._asked[user_id]
            self._told.pop(user_id, None)
