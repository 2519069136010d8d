"""What admins are told at once: that the chat model does not work, at most once an hour."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.app import Program
from bot.commands import message
from bot.render import Message
from chains.llm import WORDS

EVERY_S = 5.0
"""How often the model's last failure is looked at."""
APART_S = 3600.0

Send = Callable[[int, Message], Awaitable[bool]]


class ModelAlerts:
    """Tells every admin of the model's last failure, once an hour among all processes."""

    def __init__(
        self, program: Program, send: Send, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._program = program
        self._send = send
        self._clock = clock
        self._seen = self._told = float("-inf")

    async def look(self) -> None:
        """Tells, when there is a failure that is newer than the last look."""
        model, now = self._program.chat_model, self._clock()
        trouble = model.trouble if model is not None else None
        if model is None or trouble is None or trouble.at <= self._seen:
            return
        self._seen = trouble.at
        if now - self._told < APART_S:
            return
        self._told = now
        hour = datetime.now(UTC)
        if not await self._program.database.claim_day(f"model alert {hour:%H}", hour.date()):
            return
        told = message(
            f"The chat model {model.name} {WORDS[trouble.code]}. People get quotations instead.",
            "`corollary doctor` on the server makes a call and says more. This is told at most "
            "once an hour.",
        )
        for admin in self._program.settings.admin_ids:
            await self._send(admin, told)
