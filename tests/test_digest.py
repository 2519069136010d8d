"""Once a day admins are told what waits for them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botapi import BotApi, Status
from doors import ends_with_disclaimer
from keeping import ADMIN, approve, fill, program_over, running, write

from bot import admin
from bot.app import Program
from bot.digest import DailyDigest, collected, worded
from bot.render import Message, plain
from bot.reports import Gaps

TODAY = datetime.now(UTC).replace(hour=7, minute=0, second=0, microsecond=0)
UNANSWERED = "Does pulsed dye laser help warts in pregnancy?"


@pytest.fixture(scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with articles in every state, that nobody has used."""
    folder = tmp_path_factory.mktemp("digest")
    fill(folder / "articles")
    soon = TODAY.date() + timedelta(days=20)
    approve(write(folder / "articles", "soon"), review_by=soon)
    write(folder / "articles", "closed", status="retired", review_by="2025-01-01")
    async with program_over(folder):
        return folder


@pytest.fixture
async def kept(built: Path, tmp_path: Path) -> AsyncIterator[Program]:
    """A program over it."""
    async with program_over(built, tmp_path / "data", gaps_from_people=2) as opened:
        yield opened


class Sender:
    """Notes what it is to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []

    async def __call__(self, chat_id: int, message: Message) -> bool:
        self.sent.append((chat_id, plain(message, "D")))
        return True


class Day:
    """A clock that is set by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


async def ask(program: Program, *users: str) -> None:
    for user in users:
        turn = await program.assistant.ask(f"telegram:{user}:{user}", UNANSWERED, user)
        assert turn.reason is not None


async def test_it_tells_what_waits_once_a_day(kept: Program) -> None:
    await ask(kept, "telegram:1", "telegram:2")
    sender, day = Sender(), Day(TODAY - timedelta(minutes=1))
    daily = DailyDigest(kept, sender, day)
    assert not await daily.look(), "it is not time yet"
    day.now = TODAY
    assert await daily.look()
    assert not await daily.look()
    assert not await DailyDigest(kept, sender, day).look(), "also after a restart"
    ((to, told),) = sender.sent
    assert to == ADMIN
    assert f"Digest of {TODAY:%Y-%m-%d}" in told
    assert "Reviews overdue\n• keloids: was due 2025-01-01" in told
    assert f"Reviews due within 30 days\n• soon: {TODAY.date() + timedelta(days=20)}" in told
    assert "1 article submitted" in told
    assert "2 articles under review" in told
    assert "broken.md" in told
    assert UNANSWERED in told
    assert "closed" not in told
    pointer = await kept.database.pointer()
    assert pointer is not None
    assert f"build {pointer.build}" in told
    noted = await kept.database.audit_entries(action="digest")
    assert [e.detail["gaps"] for e in noted] == [1]
    day.now = TODAY + timedelta(days=1, hours=3)
    assert await daily.look(), "late is better than never"
    assert UNANSWERED not in sender.sent[1][1], "it is not new any more"


async def test_of_several_processes_one_tells(kept: Program) -> None:
    senders = [Sender() for _ in range(4)]
    daily = [DailyDigest(kept, s, Day(TODAY)) for s in senders]
    assert sum(await asyncio.gather(*(d.look() for d in daily))) == 1
    assert sum(len(s.sent) for s in senders) == 1


async def test_questions_that_too_few_people_asked_are_not_told(kept: Program) -> None:
    await ask(kept, "telegram:1", "telegram:1")
    found = await collected(kept, datetime.now(UTC))
    assert not found.gaps.groups
    assert UNANSWERED not in plain(await worded(kept, found, TODAY), "D")


async def test_when_there_is_nothing_to_tell_nothing_is_sent(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "gaps", _no_gaps)
    given = program.settings.model_copy(update={"admin_ids": (ADMIN,)})
    sender = Sender()
    far = datetime(2100, 1, 1, 12, tzinfo=UTC)
    assert not await DailyDigest(replace(program, settings=given), sender, Day(far)).look()
    assert not sender.sent


async def _no_gaps(*_: object, **__: object) -> object:
    return Gaps((), 3, 3)


@pytest.mark.parametrize("given", [{"digest_hour": -1}, {"admin_ids": ()}])
async def test_it_can_be_switched_off(given: dict[str, object], kept: Program) -> None:
    off = replace(kept, settings=kept.settings.model_copy(update=given))
    sender = Sender()
    assert not await DailyDigest(off, sender, Day(TODAY.replace(hour=23))).look()
    assert await kept.database.claim_day("digest", TODAY.date()), "nobody has claimed the day"


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


async def test_the_running_bot_sends_it_to_every_admin_that_it_can_reach(
    kept: Program, api: BotApi
) -> None:
    there = api.private(ADMIN)
    api.private(7102)
    blocked = Status(403, "Forbidden: bot was blocked by the user")
    api.fail_next("sendMessage", blocked, chat_id=7102)
    admins = (7101, 7102, ADMIN)  # the first has never started the bot
    async with running(kept, api, unasked=True, admin_ids=admins, digest_hour=0):
        (told,) = await asyncio.to_thread(api.wait_sent, there.chat_id, 1, 30.0)
    assert told.text.startswith("Digest of ")
    ends_with_disclaimer(told, kept.disclaimer.text)
    assert not api.faults_left
    async with running(kept, api, unasked=True, admin_ids=admins, digest_hour=0):
        await asyncio.sleep(0.5)
    assert len(api.sent_to(ADMIN)) == 1
