"""The bot over HTTP, and as a process: who may ask, in what order, and what may break."""

import asyncio
import logging
import os
import shutil
import signal
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botapi import (
    BotApi,
    Fault,
    Garbage,
    Group,
    Hang,
    HtmlError,
    Outgoing,
    Person,
    ResetBefore,
    RetryAfter,
    Status,
)
from conftest import settings_for
from doors import (
    Bot,
    Process,
    TelegramDoor,
    bot_over,
    ends_with_disclaimer,
    process,
    settled,
)

from bot import polling, requests
from bot.app import Program
from bot.commands import COMMANDS
from chains.assistant import Assistant
from store.conversations import Database
from store.errors import DatabaseProblem, ServiceUnreachable
from store.turn import Turn

HEMANGIOMA = "Does topical timolol work for infantile hemangioma?"
FOLLOW_UP = "and ECG screening?"
READ_AS = "Read as: ECG screening — Infantile hemangioma"


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


@asynccontextmanager
async def open_bot(program: Program, api: BotApi, person: int) -> AsyncIterator[TelegramDoor]:
    """A bot open to everybody, and somebody's chat with it."""
    async with bot_over(program, api) as bot:
        yield TelegramDoor(program, api, bot, api.private(person))


# ------------------------------------------------------------------------------ deep links


async def test_the_link_under_an_article_opens_it(program: Program, api: BotApi) -> None:
    async with open_bot(program, api, 101) as door:
        opened = await door.say("/start a_infantile-hemangioma")
        assert opened.text.startswith("How should infantile hemangioma be treated")
        assert opened.buttons
        assert READ_AS in (await door.say(FOLLOW_UP)).text


# ------------------------------------------------------------------------------ order


class Held(Assistant):
    """The assistant, which lets one conversation wait."""

    def __init__(self, inner: Assistant, conversation: str) -> None:
        vars(self).update(vars(inner))
        self.released = asyncio.Event()
        self.asked: list[str] = []
        self._conversation = conversation

    async def stream(
        self, conversation_id: str, question: str, *args: Any, **options: Any
    ) -> AsyncGenerator[Turn, None]:
        self.asked.append(question)
        if conversation_id == self._conversation:
            await self.released.wait()
        async for turn in super().stream(conversation_id, question, *args, **options):
            yield turn


QUICK = [
    "What dose of propranolol and for how long in infantile hemangioma?",
    "and ECG screening?",
    "and timolol?",
    "and bleomycin?",
]


async def test_one_chat_is_answered_in_order_while_another_waits(
    program: Program, api: BotApi
) -> None:
    held = Held(program.assistant, "telegram:201:201")
    async with bot_over(replace(program, assistant=held), api) as bot:
        slow, quick = api.private(201), api.private(202)
        slow.say(HEMANGIOMA)
        slow.say(FOLLOW_UP)
        await asyncio.to_thread(api.wait_calls, "sendChatAction", 1)
        for question in QUICK:
            quick.say(question)
        sent = await asyncio.to_thread(api.wait_sent, quick.chat_id, len(QUICK), 30.0)
        for question, reply in zip(QUICK[1:], sent[1:], strict=True):
            core = question.removeprefix("and ").rstrip("?")
            assert reply.text.startswith(f"Read as: {core} — Infantile hemangioma")
        assert not api.sent_to(slow.chat_id)
        assert FOLLOW_UP not in [q for q in held.asked if q not in QUICK]
        held.released.set()
        await settled(api, bot)
        first, second = api.texts(slow.chat_id)
        assert "timolol" in first
        assert second.startswith(READ_AS)


# ------------------------------------------------------------------------------ access


async def asked(api: BotApi, bot: Bot, person: Person, text: str = HEMANGIOMA) -> str:
    """What they read after they wrote; nothing when the bot keeps silent."""
    before = len(api.sent_to(person.chat_id))
    person.say(text)
    await settled(api, bot)
    return "\n".join(one.text for one in api.sent_to(person.chat_id)[before:])


async def test_by_default_only_the_people_on_the_lists_are_answered(
    program: Program, api: BotApi
) -> None:
    async with bot_over(
        program, api, access="allowlist", admin_ids=(301,), allowed_ids=(302,)
    ) as bot:
        for listed in (301, 302):
            assert "timolol" in await asked(api, bot, api.private(listed))
        stranger = api.private(303)
        for text in (HEMANGIOMA, "/start", "/articles", "/start a_pdl-exosomes", "/start 301"):
            refused = await asked(api, bot, stranger, text)
            assert refused.startswith("This assistant answers invited health professionals only.")
            assert "Your id is 303." in refused
            assert refused.endswith(program.disclaimer.text)
        door = TelegramDoor(program, api, bot, stranger)
        for act in (stranger.send_sticker, stranger.send_photo):
            assert "Your id is 303." in (await door.after(act)).text
        pressed = await door.press("topic:pdl-exosomes")
        assert "Your id is 303." in pressed.text
        assert len(api.calls_of("answerCallbackQuery")) == 1
    recalled = await program.database.recall("telegram:303:303")
    assert not recalled.turns
    assert recalled.topic is None


async def test_with_nobody_on_the_lists_nobody_is_answered(program: Program, api: BotApi) -> None:
    given = settings_for(program.settings.data_dir, admin_ids="", allowed_ids=" , ")
    assert (given.admin_ids, given.allowed_ids) == ((), ())
    async with bot_over(program, api, access=given.access, admin_ids="", allowed_ids=" , ") as bot:
        refused = await asked(api, bot, api.private(304))
    assert refused.startswith("This assistant answers invited health professionals only.")


async def test_a_stranger_is_not_listened_to_in_a_group(program: Program, api: BotApi) -> None:
    async with bot_over(program, api, access="allowlist", admin_ids=(311,)) as bot:
        group = api.group(-312, "Ward 7")
        admin, stranger = api.private(311), api.member(313)
        group.say(admin, "/articles")
        await settled(api, bot)
        (shown,) = api.sent_to(group.chat_id)
        group.say(stranger, "/articles")
        group.press(stranger, shown, shown.buttons[0][1])
        await settled(api, bot)
        assert len(api.sent_to(group.chat_id)) == 1
        assert len(api.calls_of("answerCallbackQuery")) == 1


async def test_an_invitation_code_lets_somebody_in_for_good(program: Program, api: BotApi) -> None:
    invited = {"access": "invite", "invite_codes": "keloid-2026,second_code", "admin_ids": (321,)}
    async with bot_over(program, api, **invited) as bot:
        guest = api.private(322)
        for wrong in (
            "/start keloid-2025",
            "/start KELOID-2026",
            "keloid-202",
            "keloid-2026,second_code",
            "/start",
            "keloid-2026 or so",
            "é",
            "keloid-2026\ud800",
        ):
            assert "With an invitation code, send: /start CODE" in await asked(
                api, bot, guest, wrong
            )
        assert "Follow-up questions" in await asked(api, bot, guest, "/start keloid-2026")
        assert "timolol" in await asked(api, bot, guest)
        assert "Your id is 323." in await asked(api, bot, api.private(323))
        assert "timolol" in await asked(api, bot, api.private(321))
    async with bot_over(program, api, **invited) as bot:
        assert "timolol" in await asked(api, bot, guest)
    async with bot_over(program, api, access="allowlist") as bot:
        assert "Your id is 322." in await asked(api, bot, guest)


async def test_whom_the_database_does_not_tell_of_is_not_let_in(
    program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(self: Database, user_id: str) -> bool:
        raise DatabaseProblem("the disk is full")

    monkeypatch.setattr(Database, "is_invited", away)
    invited = {"access": "invite", "invite_codes": "keloid-2026"}
    async with bot_over(program, api, **invited) as bot:
        stranger = api.private(331)
        for text in (HEMANGIOMA, "/articles"):
            told = await asked(api, bot, stranger, text)
            assert "fault on our side" in told
        assert len(api.sent_to(331)) == 2


# ------------------------------------------------------------------------------ groups


async def test_in_a_group_commands_are_answered_and_chatter_is_not(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        group, ada = api.group(-401, "Ward 7"), api.member(402)
        for chatter in ("Good morning", HEMANGIOMA, "keloid?", "@somebody_else " + HEMANGIOMA):
            group.say(ada, chatter)
        for anothers in ("/play", "/start@somebody_else", "/play@somebody_else"):
            group.say(ada, anothers)
        await settled(api, bot)
        assert not api.sent_to(group.chat_id)
        group.say(ada, f"/article@{api.username} infantile-hemangioma")
        group.say(ada, "/context")
        await settled(api, bot)
        group.say(ada, f"/play@{api.username}")
        await settled(api, bot)
        opened, context, unknown = api.sent_to(group.chat_id)
        assert "There is no command /play" in unknown.text
        assert "infantile hemangioma" in opened.text
        assert "Topic: “Infantile hemangioma”" in context.text
        for part in (opened, context):
            ends_with_disclaimer(part, program.disclaimer.text)


async def test_in_a_group_who_names_the_bot_or_replies_to_it_is_answered(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        group, ada, bob = api.group(-421, "Ward 9"), api.member(422), api.member(423)
        group.say(ada, f"@{api.username}, {HEMANGIOMA}")
        asked = group.last_message_id
        await settled(api, bot)
        (first,) = api.sent_to(group.chat_id)
        assert "timolol" in first.text
        assert first.reply_to == asked
        group.say(bob, "Interesting", asked)
        group.say(ada, "No question")
        await settled(api, bot)
        assert len(api.sent_to(group.chat_id)) == 1
        group.say(ada, FOLLOW_UP, first)
        asked = group.last_message_id
        await settled(api, bot)
        second = api.sent_to(group.chat_id)[-1]
        assert second.text.startswith(READ_AS)
        assert second.reply_to == asked
        # By a link to it, as the apps do for bots that are named by their title.
        link = {"type": "text_mention", "offset": 0, "length": 10, "user": api._me()}
        group._post(ada, {"text": f"The 😀 bot, {FOLLOW_UP}", "entities": [link]}, None)
        await settled(api, bot)
        assert api.sent_to(group.chat_id)[-1].text.startswith(READ_AS)
        # Somebody else's reply has a context of its own: this one names no topic.
        group.say(bob, FOLLOW_UP, first)
        await settled(api, bot)
        third = api.sent_to(group.chat_id)[-1]
        assert not third.text.startswith(READ_AS)
        assert len(api.sent_to(group.chat_id)) == 4
        assert not [call for call in api.calls_of("sendMessageDraft") if call.ok]
        group.say(bob, f"@{api.username}")
        await settled(api, bot)
        assert api.sent_to(group.chat_id)[-1].text.startswith("The question has no words.")


async def test_people_and_topics_of_a_group_have_contexts_of_their_own(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        one, other = api.group(-411, "Ward 8", 5), api.group(-411, "Ward 8", 6)
        ada, bob = api.member(412), api.member(413)
        one.say(ada, "/article infantile-hemangioma")
        await settled(api, bot)
        for place, who in ((one, bob), (other, ada)):
            place.say(who, "/context")
            await settled(api, bot)
            last = _last(api, place)
            assert last.startswith("Nothing is remembered yet")
        one.say(ada, "/context")
        await settled(api, bot)
        assert "Infantile hemangioma" in _last(api, one)


def _last(api: BotApi, group: Group) -> str:
    return api.sent_to(group.chat_id, group.topic_thread)[-1].text


# ------------------------------------------------------------------------------ the token


@contextmanager
def root_handlers_kept() -> Iterator[None]:
    """Takes back the filters that the bot puts on the root logger's handlers."""
    kept = {h: list(h.filters) for h in logging.getLogger().handlers}
    levels = {n: logging.getLogger(n).level for n in ("httpx", "httpcore")}
    yield
    for handler, filters in kept.items():
        handler.filters = filters
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


TOKEN = "123:SECRET-token_of-this-bot"


async def test_no_log_record_has_the_token(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    with root_handlers_kept(), BotApi(TOKEN) as api, caplog.at_level(logging.DEBUG):
        polling.quiet_logs(TOKEN)
        async with open_bot(program, api, 501) as door:
            await door.say(HEMANGIOMA)
            api.fail_next("sendMessage", HtmlError())
            await door.say(FOLLOW_UP)
            other = logging.getLogger("somebody.else")
            other.warning("GET %s/bot%s/getMe", "http://x", TOKEN)
            for error in (_cause(TOKEN), ValueError(TOKEN)):
                other.error("it failed", exc_info=error)
        assert len(caplog.records) > 10
        shown = logging.Formatter("%(name)s %(message)s")
        for record in caplog.records:
            assert TOKEN not in shown.format(record)
        questions = [r for r in caplog.records if r.name.startswith("corollary")]
        assert not [r for r in questions if "timolol" in r.getMessage()]


def _cause(text: str) -> Exception:
    try:
        raise RuntimeError("outer") from ValueError(f"inner {text}")
    except RuntimeError as e:
        return e


# ------------------------------------------------------------------------------ faults


DURATION = pytest.mark.filterwarnings("ignore:.*retry_after.*:DeprecationWarning")
"""The library changes its type some day; either is understood."""


@DURATION
@pytest.mark.parametrize("fault", [RetryAfter(1), HtmlError(502), ResetBefore()])
async def test_a_reply_arrives_after_a_fault_of_the_server(
    fault: Fault, program: Program, api: BotApi
) -> None:
    async with open_bot(program, api, 601) as door:
        api.fail_next("sendMessage", fault)
        reply = await door.say(HEMANGIOMA)
        assert "timolol" in reply.text
        assert not api.faults_left
        assert len(api.texts(601)) == 1


async def test_a_reply_whose_markup_is_refused_arrives_as_plain_text(
    program: Program, api: BotApi
) -> None:
    async with open_bot(program, api, 611) as door:
        refused = "Bad Request: can't parse entities: Unsupported start tag"
        api.fail_next("sendMessage", Status(400, refused))
        door.person.say("/articles")
        await asyncio.to_thread(api.wait_sent, 611)
        (sent,) = api.sent_to(611)
        assert not sent.entities
        assert sent.text.startswith("Articles (12)")
        assert sent.text.endswith(program.disclaimer.text)
        assert len(sent.buttons) == 12
        assert not set(sent.text) & {"<", ">"}


async def test_somebody_who_blocked_the_bot_harms_nobody(program: Program, api: BotApi) -> None:
    async with bot_over(program, api) as bot:
        gone, there = api.private(621), api.private(622)
        blocked = Status(403, "Forbidden: bot was blocked by the user")
        api.fail_next("sendMessage", blocked, chat_id=gone.chat_id, times=9)
        api.fail_next("sendChatAction", blocked, chat_id=gone.chat_id, times=9)
        assert not await asked(api, bot, gone)
        assert "timolol" in await asked(api, bot, there)
        assert not await asked(api, bot, gone, "/articles")
        api.clear_faults()
        assert (await asked(api, bot, gone, FOLLOW_UP)).startswith(READ_AS)


class Broken(Assistant):
    """An assistant that cannot answer."""

    def __init__(self, inner: Assistant, error: Exception) -> None:
        vars(self).update(vars(inner))
        self._error = error

    async def stream(self, *args: Any, **options: Any) -> AsyncGenerator[Turn, None]:
        raise self._error
        yield


@pytest.mark.parametrize(
    ("person", "error"), [(631, DatabaseProblem("No space.")), (632, ValueError(HEMANGIOMA))]
)
async def test_a_fault_of_ours_is_told_without_details_and_logged_without_the_question(
    person: int, error: Exception, program: Program, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    broken = replace(program, assistant=Broken(program.assistant, error))
    async with open_bot(broken, api, person) as door:
        reply = await door.say(HEMANGIOMA)
        assert reply.text.startswith("Your question could not be answered because of a fault")
        assert "No space" not in reply.text
        assert "Articles (12)" in (await door.say("/articles")).text
    logged = [r for r in caplog.records if r.name == "corollary.telegram"]
    assert [r.levelname for r in logged] == ["ERROR"]
    assert HEMANGIOMA not in logging.Formatter("%(message)s").format(logged[0])


@DURATION
@pytest.mark.parametrize("method", ["getMe", "deleteWebhook"])
@pytest.mark.parametrize("fault", [RetryAfter(1), HtmlError(502), Status(409, "Conflict: x")])
async def test_a_server_that_fails_at_the_start_is_told_in_a_sentence(
    fault: Fault, method: str, program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "START_PAUSES_S", (0.01,))
    api.fail_next(method, fault, times=9)
    given = settings_for(
        program.settings.data_dir, telegram_token=api.token, telegram_base_url=api.base_url
    )
    with root_handlers_kept(), pytest.raises(ServiceUnreachable) as told:
        await polling.serve(replace(program, settings=given), lambda text: None)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)
    assert "Telegram cannot be reached at http://127.0.0.1" in told.value.what


@DURATION
@pytest.mark.parametrize("method", ["getMe", "deleteWebhook", "setWebhook"])
@pytest.mark.parametrize("fault", [RetryAfter(1), HtmlError(502), Garbage(), ResetBefore()])
async def test_a_server_that_is_busy_at_the_start_is_asked_again(
    fault: Fault, method: str, program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "START_PAUSES_S", (0.01, 0.01))
    api.fail_next(method, fault)
    webhook = {"telegram_webhook_url": "https://bot.example.org/x", "listen": "127.0.0.1:0"}
    given = settings_for(
        program.settings.data_dir,
        telegram_token=api.token,
        telegram_base_url=api.base_url,
        **(webhook if method == "setWebhook" else {}),
    )
    with root_handlers_kept():
        running = asyncio.create_task(
            polling.serve(replace(program, settings=given), lambda text: None)
        )
        await asyncio.to_thread(api.wait_calls, method, 2)
        await asyncio.to_thread(api.wait_calls, "getMyCommands")
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 5.0)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


@DURATION
@pytest.mark.parametrize("method", ["getMe", "deleteWebhook"])
async def test_a_start_that_waits_for_the_server_can_be_ended(
    method: str, program: Program, api: BotApi
) -> None:
    api.fail_next(method, Hang(4.0))
    given = settings_for(
        program.settings.data_dir, telegram_token=api.token, telegram_base_url=api.base_url
    )
    ending: list[bool] = []
    with root_handlers_kept():
        running = asyncio.create_task(
            polling.serve(
                replace(program, settings=given), lambda text: None, lambda: ending.append(True)
            )
        )
        await asyncio.to_thread(api.wait_calls, method)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 2.0)
    assert ending
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


# ------------------------------------------------------------------------------ as a process


@contextmanager
def telegram(data: Path, api: BotApi, **settings: str) -> Iterator[Process]:
    """`corollary telegram`, running."""
    given = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_BASE_URL": api.base_url, "ACCESS": "open"}
    with process(data, "-v", "telegram", **{**given, **settings}) as running:
        yield running


def replied(api: BotApi, person: Person, text: str) -> Outgoing:
    """The reply of a running process."""
    before = len(api.sent_to(person.chat_id))
    person.say(text)
    api.wait_sent(person.chat_id, before + 1, 60.0)
    return list(api.outgoing_texts())[-1]


def test_the_context_survives_a_kill_and_sigterm_ends_in_peace(data: Path) -> None:
    with BotApi(TOKEN) as api:
        ada = api.private(701)
        with telegram(data, api) as first:
            first.wait_for(lambda: "is listening" in first.err)
            first.wait_for(lambda: [c["command"] for c in api.commands()] == list(COMMANDS))
            assert "timolol" in replied(api, ada, HEMANGIOMA).text
            first.popen.kill()
            first.popen.wait()
        ada.say(FOLLOW_UP)
        with telegram(data, api) as second:
            # The first answer may come again: it was sent, and perhaps not yet marked.
            api.wait_for(lambda: api.texts(ada.chat_id)[-1].startswith(READ_AS), 60.0)
            assert len(api.texts(ada.chat_id)) in {2, 3}
            asked_at = time.monotonic()
            second.popen.send_signal(signal.SIGTERM)
            ended = second.end(10.0)
        assert time.monotonic() - asked_at < 10
        assert ended.code == 0
        assert "Ending" in ended.told()
        assert TOKEN not in ended.err + first.kept
        assert "timolol" not in ended.err
        assert "ECG" not in ended.err


def test_a_token_that_is_taken_back_ends_it_with_a_clear_line(data: Path) -> None:
    with BotApi(TOKEN) as api, telegram(data, api) as running:
        running.wait_for(lambda: "is listening" in running.err)
        api.fail_next("sendMessage", Status(401, "Unauthorized"), times=9)
        for n in range(5):
            api.private(711 + n).say(HEMANGIOMA)
        ended = running.end(30.0)
    assert ended.code == 2
    assert "does not accept COROLLARY_TELEGRAM_TOKEN" in ended.told()
    assert "failed" not in ended.err
    assert TOKEN not in ended.err


def test_a_wrong_token_and_an_unreachable_server_end_it_with_two_sentences(
    data: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(data, tmp_path / "other"))
    with BotApi("123:ANOTHER") as api, telegram(data, api) as wrong:
        nowhere = "http://127.0.0.1:9/bot"
        with telegram(other, api, TELEGRAM_BASE_URL=nowhere) as unreachable:
            ended = {"wrong": wrong.end(), "unreachable": unreachable.end()}
    assert "does not accept COROLLARY_TELEGRAM_TOKEN." in ended["wrong"].told()
    assert "cannot be reached at http://127.0.0.1:9" in ended["unreachable"].told()
    for one in ended.values():
        assert one.code == 2
        assert TOKEN not in one.err
    assert len(ended["wrong"].err.splitlines()) == 2
    *again, _, _ = ended["unreachable"].err.splitlines()
    assert [line.partition("trying again in ")[2] for line in again] == ["1 s", "2 s", "4 s"]


def test_a_chat_on_the_console_survives_a_kill(data: Path) -> None:
    with process(data, "chat") as first:
        first.type(HEMANGIOMA)
        first.wait_for(lambda: "Professional disclaimer" in first.out)
        first.popen.kill()
        assert first.popen.wait() == -signal.SIGKILL
    with process(data, "chat") as second:
        second.type(FOLLOW_UP)
        ended = second.end()
    assert ended.code == 0
    assert READ_AS in ended.out
    assert not ended.told()
