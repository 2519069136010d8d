"""An answer that is seen to grow, in the running bot: what drafts show, and how one is stopped."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterator

import pytest
from botapi import BotApi, Draft, Hang, Person, RetryAfter, Status
from chatapi import Call, Hangs, Says, Script, cited, faithful, statements_in
from doors import Bot, bot_over, ends_with_disclaimer, settled
from writers import Writing, written_by

from bot import growing, outgoing
from bot.app import Program
from bot.growing import Growing
from bot.render import Message, Paragraph
from store.errors import DatabaseProblem

QUESTION = "are injected exosomes safe?"
INVENTED = "Nine in ten adults were cured for good"
SEARCHING = "Searching the vetted articles…"
STILL = "Still being written."


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


def in_pieces(pause_s: float) -> Script:
    """A model that says a true sentence, an invented one and another true one, with pauses."""

    def reply(call: Call) -> Says:
        one, two, *_ = statements_in(call)
        first = cited(one.text, one.key)
        text = f"{first} {cited(INVENTED, one.key)} {cited(two.text, two.key)}"
        return Says(text, chunk=len(first) + 1, delay_s=pause_s)

    return reply


async def loaded(writing: Writing) -> None:
    """What is loaded once is loaded, so that what follows takes the time that it takes."""
    script = writing.api._script
    writing.script(faithful)
    await writing.program.assistant.ask("growing", QUESTION, "growing")
    writing.api.script(script)


async def seen(api: BotApi, person: Person, of: str) -> Draft:
    """The first draft of the person's that shows this."""

    def find() -> Draft | None:
        return next((d for d in api.drafts if d.chat_id == person.chat_id and of in d.text), None)

    found = await asyncio.to_thread(api.wait_for, find)
    assert found is not None
    return found


def press_stop(api: BotApi, draft: Draft) -> None:
    """As Telegram tells of the Stop button under a draft."""
    chat = {"id": draft.chat_id, "type": "private", "first_name": "A"}
    api.push({"stopped_message_generation": {"chat": chat, "draft_id": draft.draft_id}})


# ------------------------------------------------------------------- what is shown, and when


async def test_a_slow_answer_is_announced_at_once_and_grows_by_what_was_checked(
    program: Program, api: BotApi
) -> None:
    async with (
        written_by(program, in_pieces(0.4)) as writing,
        bot_over(writing.program, api) as bot,
    ):
        await loaded(writing)
        person = api.private(9101)
        asked = time.monotonic()
        person.say(QUESTION)
        await settled(api, bot)
    (sent,) = api.sent_to(person.chat_id)
    first, *others = api.drafts
    typing = api.calls_of("sendChatAction")[0]
    for at in (first.at_monotonic_s, typing.at_monotonic_s):
        assert 0.2 <= at - asked < 0.5, "0.3 s, and what a busy machine adds"
    assert first.text.startswith(SEARCHING)
    assert others
    assert len({d.draft_id for d in api.drafts}) == 1
    quoted = statements_in(writing.api.calls[-1])[0].text.rstrip(".")
    assert quoted in others[0].text
    for draft in api.drafts:
        assert draft.text.endswith(f"\n\n{program.disclaimer.text}")
        assert INVENTED not in draft.text
    for draft in others:
        assert STILL in draft.text
        assert SEARCHING not in draft.text
    assert INVENTED not in sent.text
    assert STILL not in sent.text
    assert sent.buttons
    ends_with_disclaimer(sent, program.disclaimer.text)
    assert all(call.params["can_stop"] for call in api.calls_of("sendMessageDraft"))


async def test_it_is_announced_in_the_language_of_the_reader(program: Program, api: BotApi) -> None:
    async with (
        written_by(program, in_pieces(0.2)) as writing,
        bot_over(writing.program, api) as bot,
    ):
        person = api.private(9102, language_code="de")
        person.say(QUESTION)
        draft = await seen(api, person, "durchsucht")
        await settled(api, bot)
    assert draft.text.endswith(program.disclaimer.others["de"])


async def test_an_answer_that_is_there_at_once_costs_one_call(
    program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As long as a busy machine may take for what takes some hundredths of a second.
    monkeypatch.setattr(growing, "FIRST_AFTER_S", 2.0)
    monkeypatch.setattr(outgoing, "TYPING_AFTER_S", 2.0)
    async with bot_over(program, api) as bot:
        person = api.private(9103)
        for _ in range(3):
            person.say(QUESTION)
        await settled(api, bot)
    told = [c.method for c in api.calls if c.params.get("chat_id") == person.chat_id]
    assert told == ["sendMessage"] * 3


async def test_in_a_group_there_is_typing_and_no_draft(program: Program, api: BotApi) -> None:
    async with (
        written_by(program, in_pieces(0.2)) as writing,
        bot_over(writing.program, api) as bot,
    ):
        group, ada = api.group(-9104, "Ward 4"), api.member(9104)
        group.say(ada, f"@{api.username} {QUESTION}")
        await settled(api, bot)
        assert len(api.sent_to(group.chat_id)) == 1
    assert [c.params["action"] for c in api.calls_of("sendChatAction")] == ["typing"]
    assert not api.calls_of("sendMessageDraft")


async def test_a_draft_that_hangs_holds_up_no_answer(program: Program, api: BotApi) -> None:
    api.fail_next("sendMessageDraft", Hang(4.0), times=9)
    async with written_by(program, in_pieces(0.15)) as writing, bot_over(writing.program, api):
        await loaded(writing)
        person, asked = api.private(9105), time.monotonic()
        person.say(QUESTION)
        (sent,) = await asyncio.to_thread(api.wait_sent, person.chat_id)
        assert api.calls_of("sendMessageDraft")
    assert sent.at_monotonic_s - asked < 2.0


# ------------------------------------------------------------------- servers that do not want it


async def test_that_a_server_has_no_drafts_is_remembered(
    program: Program, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail_next("sendMessageDraft", Status(404, "Not Found: method not found"), times=99)
    caplog.set_level(logging.INFO, "corollary.telegram")
    async with (
        written_by(program, in_pieces(0.15)) as writing,
        bot_over(writing.program, api) as bot,
    ):
        for number in (9106, 9107):
            person = api.private(number)
            person.say(QUESTION)
            await settled(api, bot)
            (sent,) = api.sent_to(person.chat_id)
            ends_with_disclaimer(sent, program.disclaimer.text)
            assert sent.buttons
    assert len(api.calls_of("sendMessageDraft")) == 1
    told = [r.getMessage() for r in caplog.records if "drafts" in r.getMessage()]
    assert told == ["this server does not know drafts: answers are shown when they are whole"]


@pytest.mark.filterwarnings("ignore:.*retry_after.*:DeprecationWarning")
@pytest.mark.parametrize(
    "fault", [RetryAfter(30), Status(400, "Bad Request: TEXTDRAFT_PEER_INVALID")]
)
async def test_a_chat_whose_drafts_are_refused_has_its_answer(
    fault: RetryAfter | Status, program: Program, api: BotApi
) -> None:
    person, other = api.private(9108), api.private(9109)
    api.fail_next("sendMessageDraft", fault, times=99, chat_id=person.chat_id)
    async with (
        written_by(program, in_pieces(0.3)) as writing,
        bot_over(writing.program, api) as bot,
    ):
        person.say(QUESTION)
        other.say(QUESTION)
        await settled(api, bot)
        assert len(api.sent_to(person.chat_id)) == len(api.sent_to(other.chat_id)) == 1
    tried = [c.params["chat_id"] for c in api.calls_of("sendMessageDraft")]
    assert tried.count(person.chat_id) == 1, "of one answer, only the first state is tried"
    assert tried.count(other.chat_id) > 1


# ------------------------------------------------------------------- Stop


def then_silent(call: Call) -> Hangs:
    """A model that says a true sentence and an invented one, and does not go on."""
    one = statements_in(call)[0]
    return Hangs(f"{cited(one.text, one.key)} {cited(INVENTED, one.key)} And")


async def test_stop_ends_the_call_and_keeps_what_was_checked(program: Program, api: BotApi) -> None:
    async with (
        written_by(program, then_silent) as writing,
        bot_over(writing.program, api) as bot,
    ):
        await loaded(writing)
        person = api.private(9111)
        person.say(QUESTION)
        draft = await seen(api, person, STILL)
        pressed = time.monotonic()
        press_stop(api, draft)
        (sent,) = await asyncio.to_thread(api.wait_sent, person.chat_id)
        assert sent.at_monotonic_s - pressed < 1.5, "it would have been waited for longer"
        await writing.api.until(lambda model: len(model.abandoned) == 1)
        await settled(api, bot)
        assert statements_in(writing.api.calls[-1])[0].text.rstrip(".") in sent.text
        assert "Stopped here, before the end of the answer." in sent.text
        assert STILL not in sent.text
        assert INVENTED not in sent.text
        ends_with_disclaimer(sent, program.disclaimer.text)
        await goes_on(writing, api, bot, person)


async def test_what_was_stopped_has_its_sources_and_is_remembered(
    program: Program, api: BotApi
) -> None:
    async with (
        written_by(program, then_silent) as writing,
        bot_over(writing.program, api) as bot,
    ):
        await loaded(writing)
        person = api.private(9117)
        person.say(QUESTION)
        press_stop(api, await seen(api, person, STILL))
        (sent,) = await asyncio.to_thread(api.wait_sent, person.chat_id)
        assert "[1]" in sent.text
        assert "\nSources\n[1] " in sent.text, "what is cited can be looked up"
        person.say("/why")
        await settled(api, bot)
        person.press(sent, next(data for text, data in sent.buttons if text == "Sources"))
        await settled(api, bot)
        _, why, sources = api.sent_to(person.chat_id)
        who = f"telegram:{person.chat_id}"
        (turn, *_) = (await program.database.recall(f"{who}:{person.chat_id}")).turns
        spent = await program.database.tokens_spent(who)
    assert statements_in(writing.api.calls[-1])[0].text.rstrip(".") in sources.text
    assert "The language model: openai:test-model" in why.text
    assert turn.question == QUESTION
    assert turn.answer["note"] == "stopped_by_reader"
    assert spent > 100, "what was asked for is paid for"


async def test_stop_before_there_is_anything_is_answered_too(program: Program, api: BotApi) -> None:
    async with written_by(program, Hangs()) as writing, bot_over(writing.program, api) as bot:
        await loaded(writing)
        person = api.private(9112)
        person.say(QUESTION)
        press_stop(api, await seen(api, person, SEARCHING))
        (sent,) = await asyncio.to_thread(api.wait_sent, person.chat_id)
        assert sent.text.startswith("Stopped, before there was an answer.")
        ends_with_disclaimer(sent, program.disclaimer.text)
        await writing.api.until(lambda model: len(model.abandoned) == 1)
        await goes_on(writing, api, bot, person)


async def goes_on(writing: Writing, api: BotApi, bot: Bot, person: Person) -> None:
    """The next question is answered whole."""
    writing.script(faithful)
    person.say(QUESTION)
    await settled(api, bot)
    assert len(api.sent_to(person.chat_id)) == 2
    last = api.sent_to(person.chat_id)[-1]
    assert last.buttons
    assert "Stopped" not in last.text


@pytest.mark.parametrize(
    "pressed",
    [None, 7, {}, {"chat": 7}, {"chat": {"id": [1]}, "draft_id": {}}, {"chat": {}, "draft_id": 1}],
)
async def test_a_stop_for_nothing_is_nothing(
    pressed: object, program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        person = api.private(9113)
        person.say("/topic")
        api.push({"stopped_message_generation": pressed})
        await settled(api, bot)
        assert len(api.sent_to(person.chat_id)) == 1
    assert not [c for c in api.calls if c.method == "sendMessage" and not c.ok]


# ------------------------------------------------------------------- the pace


async def test_of_many_states_only_the_newest_is_shown_and_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growing, "QUICKEST_S", 0.1)
    states = [Message((Paragraph(f"{n}"),)) for n in range(30)]
    shown: list[Message] = []

    async def show(message: Message) -> bool:
        shown.append(message)
        return True

    async def written() -> AsyncGenerator[Message, None]:
        for state in states:
            await asyncio.sleep(0.01)
            yield state

    began = time.monotonic()
    last = await Growing(show, states[0]).follow(written())
    assert last is states[-1]
    assert 1 <= len(shown) <= 1 + (time.monotonic() - began) / 0.1
    assert shown == sorted(shown, key=states.index)


async def test_an_answer_that_is_given_up_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(growing, "FIRST_AFTER_S", 0.0)
    hanging, ended = asyncio.Event(), []

    async def show(message: Message) -> bool:
        hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("showing")
        return True

    async def written() -> AsyncGenerator[Message, None]:
        try:
            await asyncio.Event().wait()
            yield FIRST
        finally:
            ended.append("writing")

    before = asyncio.all_tasks()
    following = asyncio.create_task(Growing(show, FIRST).follow(written()))
    await hanging.wait()
    following.cancel()
    await asyncio.sleep(0.02)
    assert ended == ["writing"], "what is being shown is waited for, the model is not"
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert ended == ["writing", "showing"]
    assert asyncio.all_tasks() == before


FIRST = Message((Paragraph("Searching."),))


async def test_an_answer_that_ends_badly_when_it_is_stopped_is_still_what_there_was_of_it() -> None:
    first, half = (Message((Paragraph(text),)) for text in ("searching", "half of it"))

    async def states() -> AsyncGenerator[Message, None]:
        try:
            yield half
            await asyncio.sleep(10.0)
        finally:
            one.stop()
            raise DatabaseProblem("No space.")

    async def show(told: Message) -> bool:
        one.stop()
        one.stop()
        return True

    one = Growing(show, first)
    assert await one.follow(states()) == half
    assert one.stopped
    one.stop()
