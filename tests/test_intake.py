"""Nothing is lost and nothing out of order: kills, bursts, repeats and faults, over HTTP."""

import asyncio
import logging
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botapi import (
    BotApi,
    Fault,
    Flood,
    Garbage,
    Hang,
    HtmlError,
    Person,
    ResetAfter,
    ResetBefore,
    RetryAfter,
    Status,
)
from doors import Process, bot_over, ends_with_disclaimer, settled
from telegram import Bot, Update

from bot import polling
from bot.app import Program
from bot.intake import Intake
from bot.polling import poll
from bot.requests import PollRequest
from store import shown
from store.errors import ServiceUnreachable
from store.mailbox import Key, Mailbox, Parcel

TOKEN = "123:SECRET-token_of-this-bot"
HEMANGIOMA = "Does topical timolol work for infantile hemangioma?"
QUICK = ["and ECG screening?", "and timolol?", "and bleomycin?", "and propranolol?"]
READ_AS = re.compile(r"^Read as: (.*?) — Infantile hemangioma", re.MULTILINE)

pytestmark = pytest.mark.paced
DURATION = pytest.mark.filterwarnings("ignore:.*retry_after.*:DeprecationWarning")


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


def settings_of(api: BotApi, mode: str) -> dict[str, str]:
    given = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_BASE_URL": api.base_url, "ACCESS": "open"}
    if mode == "webhook":
        with socket.create_server(("127.0.0.1", 0)) as free:
            where = f"127.0.0.1:{free.getsockname()[1]}"
        given |= {"TELEGRAM_WEBHOOK_URL": f"http://{where}/telegram", "LISTEN": where}
    return given


def topics_read(api: BotApi, person: Person) -> list[str]:
    """What each of their questions was read as, in the order of the replies."""
    return [m[1] for text in api.texts(person.chat_id) if (m := READ_AS.search(text))]


def cores(questions: list[str]) -> list[str]:
    return [q.removeprefix("and ").rstrip("?") for q in questions]


# ------------------------------------------------------------------------------ kills


KILLED_AFTER = (2, 9, 15)
"""How many of the twenty questions are answered when the process is killed."""


@pytest.mark.parametrize("mode", ["polling", "webhook"])
def test_a_kill_loses_nothing(mode: str, data: Path) -> None:
    with BotApi(TOKEN, webhook_attempts=1000) as api:
        settings = settings_of(api, mode)
        people = [api.private(9000 + n) for n in range(5)]
        for person in people:
            person.say("/article infantile-hemangioma")
        asked = len(people) * len(QUICK)

        def answered() -> int:
            return sum(len(set(topics_read(api, p))) for p in people)

        running = Process(data, "-v", "telegram", **settings)
        try:
            running.wait_for(lambda: all(api.sent_to(p.chat_id) for p in people))
            for question in QUICK:
                for person in people:
                    person.say(question)
            for enough in KILLED_AFTER:
                running.wait_for(lambda n=enough: answered() >= n)  # type: ignore[misc]
                running.close()
                running = Process(data, "-v", "telegram", **settings)
            running.wait_for(lambda: answered() == asked)
            running.popen.send_signal(signal.SIGTERM)
            assert running.end(20.0).code == 0
        finally:
            if not running.kept:
                running.close()
        twice = 0
        for person in people:
            read = topics_read(api, person)
            twice += sum(n - 1 for n in Counter(read).values())
            firsts = list(dict.fromkeys(read))
            assert firsts == cores(QUICK), "lost, or out of order"
        assert twice <= len(KILLED_AFTER), "more than one a kill"


# ------------------------------------------------------------------------------ repeats


async def test_the_same_update_many_times_is_answered_once(program: Program, api: BotApi) -> None:
    ada = api.private(9101)
    async with bot_over(program, api) as bot:
        update = api.update(ada.say("/articles"))
        for _ in range(250):
            api.push(update)
        await settled(api, bot)
    async with bot_over(program, api) as bot:
        for _ in range(250):
            api.push(update)
        await settled(api, bot)
    assert len(api.texts(ada.chat_id)) == 1


# ------------------------------------------------------------------------------ what cannot be read

PRIVATE = "my patient Ada Lovelace"
CHAT_OF = {"id": 9131, "type": "private", "first_name": "A"}
UNREADABLE: list[dict[str, Any]] = [
    {"message": {"message_id": 1, "chat": CHAT_OF, "text": PRIVATE}},  # no date
    {"message": {"message_id": 1, "date": 10**18, "chat": CHAT_OF, "text": PRIVATE}},
    {"message": {"message_id": 1, "date": 1, "chat": CHAT_OF, "text": PRIVATE, "entities": [1]}},
    {"callback_query": {"id": "1", "data": PRIVATE}},
    {"edited_message": PRIVATE},
    {"message": [PRIVATE]},
]
"""Updates that the library stumbles over; an older one does over what a newer server sends."""


@pytest.mark.filterwarnings("error")
async def test_an_update_that_cannot_be_read_is_left_out_and_those_around_it_answered(
    program: Program, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    ada = api.private(9131)
    ada.say("/articles")
    for update in UNREADABLE:
        api.push(update)
    ada.say("/topic")
    async with bot_over(program, api) as bot:
        await settled(api, bot)
        assert len(api.sent_to(ada.chat_id)) == 2
        ada.say("/context")
        await settled(api, bot)
        await asyncio.to_thread(api.wait_for, lambda: api.pending == 0)
    assert len(api.sent_to(ada.chat_id)) == 3
    told = [r.getMessage() for r in caplog.records if "cannot be read" in r.getMessage()]
    assert len(told) == len(UNREADABLE)
    shown = logging.Formatter("%(name)s %(message)s")
    assert not [r for r in caplog.records if PRIVATE in shown.format(r)]


POLL = {"id": "1", "question": "Laser?", "options": [{"text": "yes"}], "type": "regular"}
"""Without what the library wants of a poll and older servers do not tell."""


async def test_a_poll_that_cannot_be_read_is_told_of_and_a_question_about_it_answered(
    program: Program, api: BotApi
) -> None:
    ada = api.private(9135)
    poll = {"message_id": 500, "date": 1, "chat": CHAT_OF | {"id": ada.chat_id}, "poll": POLL}
    poll["from"] = ada.json()
    asked = {**poll, "message_id": 501, "text": HEMANGIOMA, "reply_to_message": poll}
    del asked["poll"]
    async with bot_over(program, api) as bot:
        api.push({"message": poll})
        await settled(api, bot)
        api.push({"message": asked})
        await settled(api, bot)
        told, answer = api.texts(ada.chat_id)
        assert told.startswith("Only typed questions are read")
        assert "timolol" in answer
        # What rights are decided by is never left out.
        forged = {**asked, "forward_origin": {"type": "user", "date": "x"}}
        assert isinstance(bot.update_queue, Intake)
        await bot.update_queue.take([{"update_id": 90_000, "message": forged}])
        await settled(api, bot)
    assert len(api.texts(ada.chat_id)) == 2


@pytest.mark.parametrize("number", ["7", True, 7.5, -7, 2**63, None])
async def test_what_is_no_number_of_an_update_moves_no_offset(
    number: object, program: Program, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    async with bot_over(program, api) as bot:
        intake = bot.update_queue
        assert isinstance(intake, Intake)
        message = {"message_id": 1, "date": 1, "chat": CHAT_OF, "text": PRIVATE}
        assert await intake.take([{"update_id": number, "message": message}]) is None
    assert PRIVATE not in caplog.text


async def test_what_is_not_said_to_the_bot_itself_is_not_answered(
    program: Program, api: BotApi
) -> None:
    ada = api.private(9134)
    said = {
        "message_id": 1,
        "date": 1,
        "chat": {"id": ada.chat_id, "type": "private"},
        "from": ada.json(),
        "text": "hello",
    }
    async with bot_over(program, api) as bot:
        intake = bot.update_queue
        assert isinstance(intake, Intake)
        for n, kind in enumerate(("business_message", "guest_message", "channel_post")):
            await intake.take([{"update_id": 70_000 + n, kind: said}])
        await intake.join()
    assert not api.sent_to(ada.chat_id)


async def test_an_update_that_cannot_be_kept_is_left_out(
    program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    really = Intake._parcel

    def stumbles(self: Intake, key: Key, update: Update, told: Any) -> Parcel:
        if update.message is not None and update.message.text == PRIVATE:
            raise ValueError(PRIVATE)
        return really(self, key, update, told)

    monkeypatch.setattr(Intake, "_parcel", stumbles)
    async with bot_over(program, api) as bot:
        ada = api.private(9132)
        for text in ("/articles", PRIVATE, "/topic"):
            ada.say(text)
        await settled(api, bot)
    assert len(api.sent_to(ada.chat_id)) == 2
    shown = logging.Formatter("%(name)s %(message)s")
    assert [r for r in caplog.records if "taking in update" in r.getMessage()]
    assert not [r for r in caplog.records if PRIVATE in shown.format(r)]


async def test_what_is_no_answer_to_a_poll_ends_no_polling(
    program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(polling, "FIRST_PAUSE_S", 0.02)
    ada = api.private(9133)
    body = b'{"ok": true, "result": [{"update_id": 1, "message": {"text": "my patient'
    answers = iter([body, b"[1]", b"{}", b'{"ok": true, "result": 7}'])
    do_request = PollRequest.do_request

    async def broken(self: PollRequest, *args: Any, **options: Any) -> tuple[int, bytes]:
        said = await do_request(self, *args, **options)
        return 200, next(answers, said[1])

    monkeypatch.setattr(PollRequest, "do_request", broken)
    async with bot_over(program, api) as bot:
        ada.say("/articles")
        await asyncio.to_thread(api.wait_sent, ada.chat_id)
        await settled(api, bot)
    shown = logging.Formatter("%(name)s %(message)s")
    assert not [r for r in caplog.records if "my patient" in shown.format(r)]


async def test_what_cannot_be_passed_over_is_not_asked_for_without_a_pause(
    api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def numberless(*args: Any, **options: Any) -> tuple[int, bytes]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return 200, b'{"ok": true, "result": [{"message": {}}]}'

    async def take(told: Sequence[Any]) -> int | None:
        assert told == [{"message": {}}]
        return None

    requesting = PollRequest(api.base_url, lambda: None, 5.0)
    monkeypatch.setattr(requesting, "do_request", numberless)
    async with Bot(api.token, api.base_url, get_updates_request=requesting) as bot:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(polling.FIRST_PAUSE_S / 2):
                await poll(bot, requesting, take)
    assert asked == 1


# ------------------------------------------------------------------------------ two pollers


async def test_of_two_pollers_the_newcomer_ends_and_the_other_goes_on(
    api: BotApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(polling, "FIRST_PAUSE_S", 0.05)
    taken: list[int] = []

    async def take(told: Sequence[Any]) -> int | None:
        taken.extend(u["update_id"] for u in told)
        return taken[-1] if told else None

    started = iter([0.0])
    ada = api.private(9141)
    asking = [PollRequest(api.base_url, lambda: None, 5.0) for _ in range(2)]
    bots = [Bot(api.token, api.base_url, get_updates_request=one) for one in asking]
    async with bots[0] as one, bots[1] as other:
        older = asyncio.create_task(poll(one, asking[0], take, lambda: next(started, 1000.0)))
        await asyncio.to_thread(api.wait_calls, "getMe", 2)
        await asyncio.sleep(0.1)
        with pytest.raises(ServiceUnreachable) as told:
            async with asyncio.timeout(10):
                await poll(other, asking[1], take)
        number = ada.say("x")
        while number not in taken:
            await asyncio.sleep(0.01)
            assert not older.done()
        older.cancel()
        await asyncio.gather(older, return_exceptions=True)
    assert told.value.what == "Another program already fetches the messages of this bot."
    said = [r.getMessage() for r in caplog.records if "another program" in r.getMessage()]
    assert len(said) == 2, "each says it once"
    assert len(set(said)) == 1


async def test_a_newcomer_goes_on_when_the_other_stops_soon(
    program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "FIRST_PAUSE_S", 0.05)
    api.fail_next("getUpdates", Status(409, "Conflict: terminated by other getUpdates request"), 2)
    async with bot_over(program, api) as bot:
        ada = api.private(9142)
        ada.say("/articles")
        await settled(api, bot)
    assert len(api.sent_to(ada.chat_id)) == 1


# ------------------------------------------------------------------------------ bursts


async def test_bursts_of_twenty_people_are_answered_in_order(program: Program, api: BotApi) -> None:
    people = [api.private(9200 + n) for n in range(20)]
    async with bot_over(program, api) as bot:
        for person in people:
            person.say("/article infantile-hemangioma")
        await settled(api, bot)
        for question in QUICK:
            for person in people:
                person.say(question)
        await settled(api, bot)
    for person in people:
        assert topics_read(api, person) == cores(QUICK)
        assert len(api.texts(person.chat_id)) == 1 + len(QUICK)


# ------------------------------------------------------------------------------ faults

FAULTS: list[Fault] = [
    RetryAfter(1),
    Status(500, "Internal Server Error"),
    HtmlError(502),
    ResetBefore(),
    ResetAfter(),
    Garbage(),
    Garbage(handled=True),
    Status(404, "Not Found"),
]


@DURATION
async def test_no_reply_is_lost_whatever_the_server_does(program: Program, api: BotApi) -> None:
    people = [api.private(9300 + n) for n in range(40)]
    async with bot_over(program, api) as bot:
        for n in range(80):
            api.fail_next("sendMessage", FAULTS[n % len(FAULTS)])
        for _ in range(2):
            for person in people:
                person.say("/privacy")
        await settled(api, bot)
    assert not api.faults_left
    for person in people:
        assert len(api.texts(person.chat_id)) >= 2
        for part in api.sent_to(person.chat_id):
            ends_with_disclaimer(part, program.disclaimer.text)
    # Ten each of the two faults after which the server has the message.
    assert sum(len(api.texts(p.chat_id)) for p in people) <= 2 * len(people) + 20


async def test_a_question_that_is_gone_is_answered_whole(program: Program, api: BotApi) -> None:
    async with bot_over(program, api) as bot:
        ward, ada = api.group(-935, "Ward"), api.member(9351)
        # A server that does not know that a reply may stand alone.
        gone = Status(400, "Bad Request: message to be replied not found")
        api.fail_next("sendMessage", gone)
        ward.say(ada, "/role")
        await settled(api, bot)
    (sent,) = api.sent_to(ward.chat_id)
    assert sent.reply_to is None
    assert sent.buttons
    assert api.calls_of("sendMessage")[-1].params["parse_mode"] == "HTML"


@DURATION
async def test_one_chat_that_must_wait_holds_up_no_other(program: Program, api: BotApi) -> None:
    slow, quick = api.private(9401), api.private(9402)
    async with bot_over(program, api) as bot:
        api.fail_next("sendMessage", RetryAfter(2), chat_id=slow.chat_id)
        slow.say("/privacy")
        await asyncio.to_thread(api.wait_calls, "sendMessage")
        asked_at = time.monotonic()
        quick.say("/privacy")
        (sent,) = await asyncio.to_thread(api.wait_sent, quick.chat_id)
        assert sent.at_monotonic_s - asked_at < 1.5
        assert not api.texts(slow.chat_id)
        await settled(api, bot)
        assert len(api.texts(slow.chat_id)) == 1


@DURATION
async def test_a_reply_that_hangs_arrives_and_holds_up_no_other(
    program: Program, api: BotApi
) -> None:
    slow, quick = api.private(9411), api.private(9412)
    async with bot_over(program, api) as bot:
        api.fail_next("sendMessage", Hang(3.0), chat_id=slow.chat_id)
        slow.say("/privacy")
        await asyncio.to_thread(api.wait_calls, "sendMessage")
        asked_at = time.monotonic()
        quick.say("/privacy")
        (sent,) = await asyncio.to_thread(api.wait_sent, quick.chat_id)
        assert sent.at_monotonic_s - asked_at < 2.0
        await settled(api, bot)
    assert len(api.texts(slow.chat_id)) == 1


@DURATION
async def test_under_the_servers_limits_nothing_is_lost(program: Program) -> None:
    with BotApi(flood=Flood()) as api:
        people = [api.private(9500 + n) for n in range(60)]
        async with bot_over(program, api) as bot:
            for _ in range(2):
                for person in people:
                    person.say("/privacy")
            await settled(api, bot)
        for person in people:
            assert len(api.texts(person.chat_id)) == 2


@DURATION
async def test_a_chat_that_is_closed_is_remembered_until_it_opens(
    program: Program, api: BotApi
) -> None:
    gone = api.private(9601)
    mailbox = program.database.mailbox
    async with bot_over(program, api) as bot:
        blocked = Status(403, "Forbidden: bot was blocked by the user")
        api.fail_next("sendMessage", blocked, chat_id=gone.chat_id)
        gone.say("/privacy")
        await settled(api, bot)
        assert gone.chat_id in await mailbox.closed_chats(123)
        assert len(api.calls_of("sendMessage")) == 1
        gone.say("/privacy")
        await settled(api, bot)
        assert gone.chat_id not in await mailbox.closed_chats(123)
        assert len(api.texts(gone.chat_id)) == 1


# ------------------------------------------------------------------------------ what is kept


async def test_an_answer_that_a_later_run_sends_can_be_replied_to(
    program: Program, api: BotApi
) -> None:
    ada, database = api.private(9731), program.database
    where = f"telegram:{ada.chat_id}:{ada.chat_id}"
    turn = await program.assistant.ask(where, HEMANGIOMA, f"telegram:{ada.chat_id}")
    assert turn.id is not None
    killed = Mailbox(database.read, database.write, database.writing)
    # Nothing on this machine has that number.
    killed.owner = f"{socket.gethostname()[:60]}:4194305:1"
    key = Key(int(api.token.partition(":")[0]), 1, "message:9731")
    await killed.take_in([Parcel(key, f"{ada.chat_id}", f"telegram:{ada.chat_id}", "{}")])
    part = {"text": "It does.", "parse_mode": None, "shows": [turn.id, 1, 77]}
    await killed.keep(key, ada.chat_id, None, [part])
    async with bot_over(program, api) as bot:
        (sent,) = await asyncio.to_thread(api.wait_sent, ada.chat_id, 1)
        await settled(api, bot)
    found = await shown.by_message(database, where, ada.chat_id, sent.message_id)
    assert found is not None
    assert found.turn_id == turn.id
    assert await shown.by_question(database, where, ada.chat_id, 77) == found


async def test_of_an_answered_question_no_text_stays_in_the_mailbox(
    program: Program, api: BotApi
) -> None:
    ada = api.private(9701)
    async with bot_over(program, api) as bot:
        ada.say(HEMANGIOMA)
        await settled(api, bot)
    import sqlalchemy as sa

    async with program.database._begin() as c:
        kept = (
            await c.execute(sa.text("select payload from mailbox where user_id = 'telegram:9701'"))
        ).all()
        assert [row.payload for row in kept] == [None]
        replies = sa.text("select count(*) from replies where chat_id = 9701")
        assert (await c.execute(replies)).scalar() == 0


async def test_it_works_while_nothing_can_be_kept(
    program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.errors import DatabaseProblem

    async def full(*args: object) -> None:
        raise DatabaseProblem("No space.")

    monkeypatch.setattr("bot.intake.PATIENCE_S", (0.01,))
    broken = replace(program)
    mailbox = program.database.mailbox
    ada = api.private(9711)
    async with bot_over(broken, api) as bot:
        for name in ("take_in", "keep", "done"):
            monkeypatch.setattr(mailbox, name, full)
        ada.say("/privacy")
        await settled(api, bot)
        assert len(api.texts(ada.chat_id)) == 1
