"""What a running bot does besides answering."""

import asyncio
import logging

import pytest

from bot.background import Background
from store.errors import DatabaseProblem

SAID = "what somebody typed"


async def test_a_failure_ends_one_round_and_is_logged_without_what_was_typed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    background, done = Background(), asyncio.Event()
    failures: list[Exception] = [ValueError(SAID), DatabaseProblem("No space.")]

    async def work() -> None:
        if failures:
            raise failures.pop(0)
        done.set()

    with caplog.at_level(logging.WARNING):
        background.repeat(0.001, work)
        await asyncio.wait_for(done.wait(), 5)
    await background.close()
    told = [logging.Formatter("%(message)s").format(r) for r in caplog.records]
    assert len(told) == 2
    assert "failed: ValueError" in told[0]
    assert "No space." in told[1]
    assert SAID not in "".join(told)


async def test_closing_ends_what_runs_and_waits_for_it() -> None:
    background, begun, ended = Background(), asyncio.Event(), False

    async def work() -> None:
        nonlocal ended
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended = True

    background.start(work())
    await begun.wait()
    await background.close()
    assert ended
    await background.close()
