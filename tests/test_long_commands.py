"""One message says how far a long command has come, and how it ended."""

import asyncio
import re
from pathlib import Path
from typing import cast

import pytest

from bot import long_commands
from bot.cli_shared import STEPS
from bot.commands import message
from bot.long_commands import HowFar, carry_out
from bot.outgoing import Bulletin
from bot.render import Message, plain
from store.errors import StoreBusy
from store.index import Progress


class Board:
    """A bulletin that is only noted."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.added: list[str] = []

    async def change(self, to: Message, *, within_s: float | None = None) -> None:
        self.shown.append(plain(to, "D").removesuffix("\n\nD"))

    async def add(self, more: Message) -> None:
        self.added.append(plain(more, "D").removesuffix("\n\nD"))


async def followed(work: long_commands.Work) -> Board:
    board = Board()
    await carry_out(cast("Bulletin", board), "/reload", work)
    return board


async def test_it_is_changed_at_its_pace_and_only_when_there_is_something_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(long_commands, "EVERY_S", 0.05)

    async def work(progress: Progress) -> Message:
        for n in range(100):
            progress("reading", n, 100)
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.3)
        return message("All is well.", "One.", "Two.")

    board = await followed(work)
    assert 2 <= len(board.shown) <= 8, "five a fifth of a second, and then nothing new"
    assert len(set(board.shown)) == len(board.shown)
    assert board.shown[0].startswith("/reload\nReading articles: ")
    assert board.shown[-1] == "/reload\nAll is well."
    assert board.added == ["One.\n\nTwo."]


def test_every_step_has_words() -> None:
    root = Path(__file__).parents[1]
    sources = [*(root / "store").glob("*.py"), *(root / "chains").glob("*.py")]
    told = {
        step
        for path in sources
        for step in re.findall(r'progress\("(\w+)"', path.read_text("utf-8"))
    }
    assert "reading" in told
    assert told <= STEPS.keys()


async def test_it_goes_slower_when_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_commands, "EVERY_S", 0.01)
    monkeypatch.setattr(long_commands, "AT_THAT_PACE", 3)
    monkeypatch.setattr(long_commands, "LATER_EVERY_S", 60.0)

    async def work(progress: Progress) -> Message:
        for n in range(50):
            progress("reading", n, 100)
            await asyncio.sleep(0.01)
        return message("Done.")

    assert len((await followed(work)).shown) == 4


def test_the_pace_is_what_telegram_takes() -> None:
    quick_s = long_commands.EVERY_S * long_commands.AT_THAT_PACE
    in_a_minute = long_commands.AT_THAT_PACE + (60 - quick_s) / long_commands.LATER_EVERY_S
    assert long_commands.EVERY_S >= 2
    assert in_a_minute <= 20


async def test_a_failure_is_told_whole_in_the_one_message() -> None:
    async def work(progress: Progress) -> Message:
        raise StoreBusy("Another reload is running.", "Wait for it.")

    board = await followed(work)
    assert board.shown == ["/reload\nAnother reload is running.\n\nWait for it."]
    assert not board.added


async def test_cancelled_it_ends_the_work_and_says_so() -> None:
    ended = asyncio.Event()

    async def work(progress: Progress) -> Message:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return message("Never.")

    board = Board()
    task = asyncio.create_task(carry_out(cast("Bulletin", board), "/reload", work))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert board.shown == [f"/reload\n{long_commands.STOPPED}"]


def test_how_far_it_is_is_told_with_rate_and_time_left() -> None:
    now = [0.0]
    far = HowFar(clock=lambda: now[0])
    assert far.text() == "Starting."
    far("embedding", 0, 480)
    assert far.text() == "Embedding passages: 0 of 480."
    now[0] = 2.0
    far("embedding", 120, 480)
    assert far.text() == "Embedding passages: 120 of 480, 60 a second, about 6 s left."
    far("verifying", 5, 1000)
    assert far.text() == "Verifying: 5 of 1,000."
    now[0] = 12.0
    far("verifying", 15, 1000)
    assert far.text().endswith("about 16 min left.")
