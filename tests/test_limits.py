"""The pace of what leaves, on a clock of its own."""

import asyncio

import pytest

from bot.limits import CAREFUL_S, MOST_CHATS, SPARE_BURST, SPARE_S, Gate, Limits

pytestmark = pytest.mark.paced


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def limits() -> tuple[Limits, Time]:
    time = Time()
    return Limits(time, time.sleep), time


async def test_a_chat_gets_a_burst_and_then_one_a_second() -> None:
    pace, time = limits()
    left_at = []
    for _ in range(6):
        await pace.turn(7)
        left_at.append(time.now - 100)
    assert left_at == [0, 0, 0, 1, 2, 3]


async def test_a_group_gets_twenty_a_minute() -> None:
    pace, time = limits()
    left_at = []
    for _ in range(65):
        await pace.turn(-7)
        left_at.append(time.now)
    assert left_at[4] == 100, "five at once"
    assert 59 < left_at[24] - 100 < 61
    assert left_at[-1] - 100 < 185
    # In any minute, and not only on an average.
    assert all(later - first >= 60 for first, later in zip(left_at, left_at[20:], strict=False))


async def test_other_chats_do_not_wait_for_one_that_must() -> None:
    pace, time = limits()
    pace.hold(7, 30.0)
    await pace.turn(8)
    assert time.now == 100
    await pace.turn(7)
    assert time.now == 130


async def test_replies_keep_to_the_overall_limit_only_after_a_complaint() -> None:
    pace, time = limits()
    for chat in range(1, 201):
        await pace.turn(chat)
    assert time.now == 100
    pace.hold(999, 0.5)
    assert pace.careful
    for chat in range(201, 401):
        await pace.turn(chat)
    assert time.now - 100 > 5
    await time.sleep(CAREFUL_S)
    assert not pace.careful


async def test_what_nobody_asked_for_keeps_to_the_overall_limit() -> None:
    pace, time = limits()
    for chat in range(1, 301):
        await pace.turn(chat, asked_for=False)
    assert 9 < time.now - 100 < 12


async def test_what_can_be_left_out_is_when_a_chat_must_wait() -> None:
    pace, time = limits()
    assert pace.spare(7)
    pace.hold(7, 2.0)
    assert not pace.spare(7)
    assert pace.spare(8)
    await time.sleep(3.0)
    assert pace.spare(7)


async def test_when_many_wait_what_can_be_left_out_is() -> None:
    pace, time = limits()
    assert [pace.spare(chat) for chat in range(1, 101)].count(True) == SPARE_BURST
    await time.sleep(0.5)
    assert [pace.spare(chat) for chat in range(1, 101)].count(True) == SPARE_S / 2


async def test_chats_are_not_remembered_for_ever() -> None:
    pace, _ = limits()
    for chat in range(1, MOST_CHATS + 500):
        await pace.turn(chat)
    assert len(pace) == MOST_CHATS


async def test_the_gate_lets_one_through_at_a_time() -> None:
    gate, inside, most = Gate(moment_s=30.0, many=99), 0, 0

    async def pass_through() -> None:
        nonlocal inside, most
        async with gate.passing():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(pass_through() for _ in range(50)))
    assert most == 1


async def test_one_that_stands_in_the_gate_does_not_block_it() -> None:
    gate, go = Gate(moment_s=0.01), asyncio.Event()

    async def stand() -> None:
        async with gate.passing():
            await go.wait()

    standing = asyncio.create_task(stand())
    await asyncio.sleep(0)
    async with asyncio.timeout(5), gate.passing():
        go.set()
    await standing
    async with asyncio.timeout(5), gate.passing():
        pass
