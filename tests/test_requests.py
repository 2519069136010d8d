"""Requests to the Bot API: what is sent arrives as it was meant, and every failure is an error that
the library knows."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from urllib.parse import parse_qs

import pytest
from botapi import BotApi
from hypothesis import given
from hypothesis import strategies as st
from telegram import Bot
from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
    TimedOut,
)
from telegram.request import RequestData

from bot.requests import PollRequest, Request, _form, proxy_for
from store.errors import SettingsProblem


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as api:
        yield api


@asynccontextmanager
async def bot_with(request: Request, api: BotApi, token: str = "") -> AsyncIterator[Bot]:
    """A bot that makes these requests; closed at the end."""
    bot = Bot(token or api.token, api.base_url, request=request)
    await request.initialize()
    try:
        yield bot
    finally:
        await request.shutdown()


def quiet() -> None:
    raise AssertionError("the token is accepted")


# What Telegram is sent cannot hold half a surrogate pair: `readable` takes those out.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS, TEXTS)
def test_a_form_says_what_it_was_given(text: str, other: str) -> None:
    class Given:
        contains_files = False
        json_parameters = {"text": text, "other": other}

    form = _form(Given())  # type: ignore[arg-type]
    assert isinstance(form, bytes)
    told = parse_qs(form.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert told == {"text": [text], "other": [other]}


def test_nothing_is_no_form() -> None:
    assert _form(None) is None
    assert _form(RequestData()) == b""


async def test_text_and_buttons_arrive(api: BotApi) -> None:
    ada = api.private(7101)
    async with bot_with(Request(api.base_url, quiet, 4), api) as bot:
        text = "a < b & c = d; 50 % +1 “ü” \U0001f600 \u202eabc\n" * 40
        markup = {"inline_keyboard": [[{"text": "ü & ö", "callback_data": "a=b&c"}]]}
        sent = await bot.send_message(ada.chat_id, text, reply_markup=markup)  # type: ignore[arg-type]
    (arrived,) = api.wait_sent(ada.chat_id, 1)
    assert arrived.text == text.rstrip()
    assert arrived.buttons == [("ü & ö", "a=b&c")]
    # No more is read of what the server repeats.
    assert (sent.message_id, sent.chat.id) == (arrived.message_id, ada.chat_id)
    assert sent.text is None
    assert sent.reply_markup is None


async def test_a_file_arrives_with_its_caption(api: BotApi) -> None:
    ada = api.private(7102)
    content = bytes(range(256)) * 40
    async with bot_with(Request(api.base_url, quiet, 4), api) as bot:
        await bot.send_document(
            ada.chat_id, content, filename="data.bin", caption="all of it & more"
        )
    (sent,) = api.wait_sent(ada.chat_id, 1)
    assert sent.document is not None
    assert sent.document.content == content
    assert sent.text == "all of it & more"


async def test_many_at_once_share_the_connections(api: BotApi) -> None:
    people = [api.private(7110 + n) for n in range(20)]
    async with bot_with(Request(api.base_url, quiet, 3), api) as bot:
        await asyncio.gather(*(bot.send_message(p.chat_id, "hello") for p in people))
    assert all(len(api.sent_to(p.chat_id)) == 1 for p in people)


async def test_a_token_that_is_taken_back_is_noticed(api: BotApi) -> None:
    noticed: list[bool] = []
    ada = api.private(7103)
    other = f"{api.token}x"
    async with bot_with(Request(api.base_url, lambda: noticed.append(True), 4), api, other) as bot:
        with pytest.raises(InvalidToken):
            await bot.send_message(ada.chat_id, "hello")
    assert noticed == [True]


@contextmanager
def answering(said: bytes | None) -> Iterator[str]:
    """The address of a server that answers any request with these bytes and hangs up; with None it
    is silent."""
    over = Event()

    class Answers(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            if said is None:
                over.wait(10.0)
            else:
                self.request.sendall(said)

    with ThreadingTCPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/bot"
        finally:
            over.set()
            server.shutdown()


BROKEN = {
    "nothing": b"",
    "garbage": b"\x00\x01\x02 this is no HTTP \r\n\r\n",
    "half": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "zipped": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "long": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_answer_is_an_error_of_the_network(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    token = "123:SECRET"
    with answering(said) as base_url:
        request = Request(base_url, quiet, 2)
        await request.initialize()
        try:
            with pytest.raises(NetworkError) as told:
                await Bot(token, base_url, request=request).get_me()
        finally:
            await request.shutdown()
    shown = logging.Formatter("%(name)s %(message)s")
    assert token not in str(told.value)
    assert not [r for r in caplog.records if token in shown.format(r)]


async def test_no_json_is_no_answer() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]") as base_url:
        request = Request(base_url, quiet, 2)
        await request.initialize()
        try:
            with pytest.raises(TelegramError, match="Invalid server response"):
                await Bot("123:A", base_url, request=request).get_me()
        finally:
            await request.shutdown()


MEANT: dict[str, tuple[int, bytes, type[TelegramError]]] = {
    "failed": (200, b'{"ok": false, "error_code": 500, "description": "x"}', NetworkError),
    "blocked": (200, b'{"ok": false, "error_code": 403, "description": "x"}', Forbidden),
    "refused": (200, b'{"ok": false, "error_code": 400, "description": "x"}', BadRequest),
    "no code": (200, b'{"ok": false}', NetworkError),
    "no result": (200, b'{"ok": true}', TelegramError),
    "done": (200, b'{"ok": true, "result": true}', TelegramError),
    "nothing": (200, b'{"ok":true,"result":null}', TelegramError),
    "half": (200, b'{"ok":true,"result":{"message_id":5}}', TelegramError),
    "no number": (
        200,
        b'{"ok":true,"result":{"message_id":"5","date":1,"chat":{}}}',
        TelegramError,
    ),
    "a page": (400, b"<html>Bad Request</html>", NetworkError),
    "a wall": (403, b"<html>Forbidden</html>", NetworkError),
    "no method": (404, b"404: Not Found", InvalidToken),
    "a list": (500, b'{"ok":false,"description":"x","parameters":[1]}', NetworkError),
    "words": (
        429,
        b'{"ok":false,"description":"x","parameters":{"retry_after":"2"}}',
        NetworkError,
    ),
}
"""What a server, or something on the way to it, may say to a message: the status, the body and what
that is."""


@pytest.mark.parametrize(("code", "body", "means"), MEANT.values(), ids=MEANT)
async def test_what_is_said_to_a_message_has_a_meaning(
    code: int, body: bytes, means: type[TelegramError]
) -> None:
    head = f"HTTP/1.1 {code} X\r\nContent-Length: {len(body)}\r\n\r\n"
    with answering(head.encode() + body) as base_url:
        request = Request(base_url, quiet, 2)
        await request.initialize()
        try:
            with pytest.raises(TelegramError) as told:
                await Bot("123:A", base_url, request=request).send_message(1, "hello")
        finally:
            await request.shutdown()
    assert type(told.value) is means


async def test_silence_is_a_time_out() -> None:
    with answering(None) as base_url:
        request = Request(base_url, quiet, 2, read_within_s=0.1)
        await request.initialize()
        try:
            with pytest.raises(TimedOut):
                await Bot("123:A", base_url, request=request).get_me()
        finally:
            await request.shutdown()


async def test_nobody_there_is_an_error_of_the_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    base_url = f"http://127.0.0.1:{port}/bot"
    request = Request(base_url, quiet, 2)
    await request.initialize()
    try:
        with pytest.raises(NetworkError):
            await Bot("123:A", base_url, request=request).get_me()
    finally:
        await request.shutdown()


async def test_closed_requests_say_so_and_can_be_opened_again(api: BotApi) -> None:
    request = Request(api.base_url, quiet, 2)
    bot = Bot(api.token, api.base_url, request=request)
    with pytest.raises(NetworkError, match="closed"):
        await bot.get_me()
    for _ in range(2):
        await request.initialize()
        assert (await bot.get_me()).is_bot
        await request.shutdown()
        await request.shutdown()


async def test_updates_are_handed_over_once_and_the_library_reads_none(api: BotApi) -> None:
    polls = PollRequest(api.base_url, quiet, 5.0)
    await polls.initialize()
    try:
        bot = Bot(api.token, api.base_url, get_updates_request=polls)
        api.private(7120).say("and recurrence?")
        assert await bot.get_updates(timeout=5) == ()
        (update,) = polls.fetched()
        assert update["message"]["text"] == "and recurrence?"
        assert polls.fetched() == []
    finally:
        await polls.shutdown()


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    said = b'HTTP/1.1 200 OK\r\nContent-Length: 28\r\n\r\n{"ok": true, "result": true}'
    base_url = "http://telegram.invalid/bot"
    with answering(said) as proxy:
        monkeypatch.setenv("all_proxy", proxy.removesuffix("/bot"))
        for name in ("no_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        request = Request(base_url, quiet, 2)
        await request.initialize()
        try:
            assert await Bot("123:A", base_url, request=request).log_out()
        finally:
            await request.shutdown()


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://api.telegram.org/bot", None),
        ({"https_proxy": "http://p:1"}, "https://api.telegram.org/bot", "http://p:1"),
        ({"https_proxy": "p:1"}, "https://api.telegram.org/bot", "http://p:1"),
        ({"https_proxy": "http://p:1"}, "http://127.0.0.1:8081/bot", None),
        ({"all_proxy": "https://u:w@p:1"}, "http://h/bot", "https://u:w@p:1"),
        ({"all_proxy": "http://p:1", "https_proxy": "http://q:1"}, "https://h/", "http://q:1"),
        (
            {"https_proxy": "http://p:1", "no_proxy": ".telegram.org"},
            "https://api.telegram.org/",
            None,
        ),
        ({"https_proxy": "http://p:1", "no_proxy": "*"}, "https://api.telegram.org/", None),
        ({"https_proxy": ""}, "https://api.telegram.org/", None),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str | None
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(url)
    assert (None if found is None else str(found)) == proxy


def test_a_proxy_that_cannot_be_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://user:secret@127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(SettingsProblem, match="not supported: socks5") as told:
        proxy_for("https://api.telegram.org/bot")
    assert "secret" not in str(told.value)
