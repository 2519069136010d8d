"""A chat model within limits, over HTTP and through the provider's own client."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from chatapi import (
    ChatApi,
    Compressed,
    CutStream,
    Drip,
    EndlessLine,
    Hangs,
    Malformed,
    NoEvents,
    Redirects,
    Reset,
    Says,
    Script,
    Status,
    WrongShape,
    WrongType,
    empty,
    error_in_stream,
    filtered,
    long,
    refuses,
    thinks,
    tool_call,
)
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage

from chains.llm import (
    CALLS,
    FAILURES,
    MAX_CHARS,
    OPERATORS_CAN_ACT,
    WORDS,
    Allowance,
    Breaker,
    ChatModel,
    ModelFailed,
    Thoughts,
    open_chat_model,
)
from store.errors import SettingsProblem

ASKED = [HumanMessage("[S101] It faded in 12 of 20 patients.")]
CUT = "Größe faded in some [S101]. And more of it"


@asynccontextmanager
async def model_at(api: ChatApi, at_once: int = 4) -> AsyncIterator[ChatModel]:
    model = open_chat_model(
        "openai:test-model", base_url=api.base_url, key=api.api_key, at_once=at_once
    )
    try:
        yield model
    finally:
        await model.close()


async def answer_of(api: ChatApi, allowance: Allowance) -> str:
    async with model_at(api) as model:
        return await model.answer(ASKED, allowance)


async def outcome(api: ChatApi, seconds: float = 5.0) -> str:
    """The code of the failure; an answer fails the test."""
    with pytest.raises(ModelFailed) as failed:
        await answer_of(api, Allowance(seconds))
    return failed.value.code


async def test_the_answer_comes_in_pieces_and_its_tokens_are_counted() -> None:
    with ChatApi() as api:
        api.script(Says("It faded in 12 of 20 [S101]."))
        allowance = Allowance(5)
        async with model_at(api) as model:
            pieces = [p async for p in model.stream(ASKED, allowance)]
    assert len(pieces) > 1
    assert "".join(pieces) == "It faded in 12 of 20 [S101]."
    assert allowance.calls == 1
    assert allowance.tokens_in > 0 < allowance.tokens_out
    assert not allowance.estimated


async def test_a_server_that_does_not_count_is_counted_for() -> None:
    with ChatApi() as api:
        api.script(Says("x" * 400, usage=False))
        allowance = Allowance(5)
        await answer_of(api, allowance)
    assert allowance.estimated
    assert allowance.tokens_out == 100


FAULTS: dict[str, tuple[Script, str]] = {
    "401": (Status(401), "key"),
    "402": (Status(402), "credit"),
    "403": (Status(403), "key"),
    "404": (Status(404), "no_model"),
    "400": (Status(400), "refused"),
    "500": (Status(500), "server"),
    "503": (Status(503), "server"),
    "cut": (CutStream(CUT, 30), "cut"),
    "reset": (Reset(), "unreachable"),
    "garbage": (Compressed(), "unreachable"),
    "cut in a character": (CutStream(CUT, 2, "character"), "cut"),
    "cut by a reset": (CutStream(CUT, 30, end="reset"), "cut"),
    "cut quietly": (CutStream(CUT, 30, end="quiet"), "cut"),
    "cut in JSON": (CutStream(CUT, 30, "json", "quiet"), "cut"),
    "empty": (empty(), "empty"),
    "white space": (empty(" \n"), "empty"),
    "refusal field": (refuses(in_field=True), "empty"),
    "filtered": (filtered("It"), "declined"),
    "tool call": (tool_call(), "not_text"),
    "not JSON": (Malformed(), "malformed"),
    "no choices": (WrongShape({}), "empty"),
    "error in stream": (error_in_stream("It faded"), "malformed"),
    "no events": (NoEvents(), "malformed"),
    "wrong type": (WrongType(), "malformed"),
    "redirect": (Redirects(), "refused"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_every_fault_has_a_code_and_takes_at_most_three_calls(name: str) -> None:
    script, code = FAULTS[name]
    with ChatApi() as api:
        api.script(script)
        assert await outcome(api) == code
        assert 1 <= len(api.calls) <= CALLS


@pytest.mark.parametrize("script", [Hangs(), Drip(every_s=0.05), EndlessLine()])
async def test_the_time_limit_is_for_the_whole_answer(script: Script) -> None:
    with ChatApi() as api:
        api.script(script)
        started = time.monotonic()
        assert await outcome(api, 0.5) == "timeout"
        assert time.monotonic() - started < 2.5
        assert len(api.calls) == 1


async def test_nobody_listens_there() -> None:
    model = open_chat_model("openai:test-model", base_url="http://127.0.0.1:9/v1", key="k")
    with pytest.raises(ModelFailed) as failed:
        await model.answer(ASKED, Allowance(5))
    await model.close()
    assert failed.value.code == "unreachable"


async def test_it_waits_as_long_as_it_is_told_and_tries_again() -> None:
    with ChatApi() as api:
        api.script_once(Status(429, retry_after=1), Says("Later [S101]."))
        started = time.monotonic()
        assert await answer_of(api, Allowance(5)) == "Later [S101]."
        assert time.monotonic() - started >= 1.0
        assert len(api.calls) == 2


async def test_it_does_not_wait_longer_than_the_turn_may_take() -> None:
    with ChatApi() as api:
        api.script(Status(429, retry_after=60))
        started = time.monotonic()
        assert await outcome(api, 2.0) == "busy"
        assert time.monotonic() - started < 1.5
        assert len(api.calls) == 1


async def test_an_answer_that_had_begun_is_not_asked_for_again() -> None:
    with ChatApi() as api:
        api.script_once(CutStream(CUT, 30), Says("Whole [S101]."))
        assert await outcome(api) == "cut"
        assert len(api.calls) == 1


async def test_a_very_long_answer_is_read_to_a_limit() -> None:
    with ChatApi() as api:
        api.script(long(200_000))
        text = await answer_of(api, Allowance(5))
    assert MAX_CHARS < len(text) < MAX_CHARS + 1000


async def test_what_a_model_thinks_is_not_its_answer() -> None:
    with ChatApi() as api:
        api.script(thinks("It faded [S101]."))
        assert (await answer_of(api, Allowance(5))).strip() == "It faded [S101]."


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_thoughts_are_taken_out_however_the_text_is_cut(size: int) -> None:
    text = " <think>Hmm [S1]. </thi nk> Aha.</think>\n\nIt faded [S101]."
    thoughts = Thoughts()
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert "".join(map(thoughts.without, pieces)).strip() == "It faded [S101]."
    plain = Thoughts()
    pieces = ["<th", "is is not a thought"]
    assert "".join(map(plain.without, pieces)) == "<this is not a thought"


async def test_after_five_failures_it_is_left_alone_and_then_tried_once() -> None:
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    async with AsyncExitStack() as stack:
        api = stack.enter_context(ChatApi())
        model = await stack.enter_async_context(model_at(api))
        model._breaker = breaker
        api.script(Status(500))
        for _ in range(4):
            with pytest.raises(ModelFailed):
                await model.answer(ASKED, Allowance(3))
        assert len(api.calls) == FAILURES
        with pytest.raises(ModelFailed) as failed:
            await model.answer(ASKED, Allowance(3))
        assert failed.value.code == "paused"
        assert len(api.calls) == FAILURES
        now[0] += 31
        with pytest.raises(ModelFailed):
            await model.answer(ASKED, Allowance(3, calls=1))
        assert len(api.calls) == FAILURES + 1
        with pytest.raises(ModelFailed) as failed:
            await model.answer(ASKED, Allowance(3))
        assert failed.value.code == "paused"
        now[0] += 31
        api.script(Says("Back [S101]."))
        assert await model.answer(ASKED, Allowance(3)) == "Back [S101]."
        assert await model.answer(ASKED, Allowance(3)) == "Back [S101]."


async def test_calls_at_the_same_time_are_bounded() -> None:
    async with AsyncExitStack() as stack:
        api = stack.enter_context(ChatApi())
        api.script(Says("It faded [S101].", delay_s=0.02))
        model = await stack.enter_async_context(model_at(api, at_once=2))
        running, most = 0, 0

        async def ask() -> None:
            nonlocal running, most
            started = False
            async for _ in model.stream(ASKED, Allowance(10)):
                if not started:
                    started, running = True, running + 1
                    most = max(most, running)
            running -= 1

        await asyncio.gather(*(ask() for _ in range(6)))
        assert most <= 2
        assert len(api.calls) == 6


async def test_who_waits_for_a_place_in_vain_does_not_count_against_the_model() -> None:
    with ChatApi() as api:
        api.script(Says("It faded [S101].", chunk=100, delay_s=0.25))
        async with model_at(api, at_once=1) as model:
            asked = [asyncio.create_task(model.answer(ASKED, Allowance(5)))]
            await api.until(lambda api: len(api.calls) == 1)
            asked += [asyncio.create_task(model.answer(ASKED, Allowance(0.05))) for _ in range(7)]
            first, *others = await asyncio.gather(*asked, return_exceptions=True)
            assert first == "It faded [S101]."
            assert {getattr(o, "code", o) for o in others} == {"crowded"}
            assert model.trouble and model.trouble.code == "crowded", "whoever runs it can act"
        assert FAILURES < 7
        async with model_at(api, at_once=7) as model:
            # They get a place, but too late.
            asked = [asyncio.create_task(model.answer(ASKED, Allowance(5))) for _ in range(7)]
            await api.until(lambda api: len(api.calls) == 1 + 7)
            asked += [asyncio.create_task(model.answer(ASKED, Allowance(0.8))) for _ in range(7)]
            others = (await asyncio.gather(*asked, return_exceptions=True))[7:]
            assert {getattr(o, "code", o) for o in others} == {"crowded"}
            assert await model.answer(ASKED, Allowance(5)) == "It faded [S101]."


async def test_an_answer_given_up_by_its_reader_ends_the_call() -> None:
    with ChatApi() as api:
        api.script(Drip(every_s=0.02))
        async with model_at(api) as model:
            stream = model.stream(ASKED, Allowance(10))
            await anext(stream)
            await stream.aclose()
        await api.until(lambda a: bool(a.abandoned), 5.0)


async def test_logs_name_the_failure_and_neither_key_nor_question(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ChatApi(api_key="sk-secret-key-1234") as api, caplog.at_level(logging.DEBUG, "corollary"):
        api.script(Status(401))
        assert await outcome(api) == "key"
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("corollary")]
    assert ours == ["the chat model openai:test-model refuses the key"]


async def test_any_langchain_model_will_do() -> None:
    model = ChatModel(FakeListChatModel(responses=["Fine [S101]."]), "fake:list")
    assert await model.answer(ASKED, Allowance(5)) == "Fine [S101]."


def test_a_model_that_cannot_be_set_up_says_which_setting() -> None:
    with pytest.raises(SettingsProblem, match="COROLLARY_CHAT_MODEL=nowhere:x") as problem:
        open_chat_model("nowhere:x", key="sk-secret-key-1234")
    assert "sk-secret" not in str(problem.value)


def test_every_code_has_words() -> None:
    assert set(WORDS) > OPERATORS_CAN_ACT
    assert {code for _, code in FAULTS.values()} <= set(WORDS)
