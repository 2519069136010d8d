"""A stand-in for an OpenAI-compatible chat model, served over HTTP on loopback.

It is strict about what it is asked, keeps a record of it, and answers as a test tells it to: as a
well-behaved model, or with any fault of a server, a network or a model. It runs in a thread of its
own, so that a program under test may block, be a process of its own, or be cancelled.

    with ChatApi() as api:  # or: async with
        api.script(Says("Recurrence fell [S1]."))
        model = init_chat_model("openai:test-model", base_url=api.base_url, api_key=api.api_key)
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal, NamedTuple, Protocol, Self

Json = dict[str, Any]

MODEL = "test-model"
PATH = "/v1/chat/completions"
JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"
ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})


# ------------------------------------------------------------------- what was asked


@dataclass(frozen=True)
class Call:
    """One request for an answer."""

    body: Json
    headers: Mapping[str, str]
    """Names in lower case."""
    at: float
    """Seconds on the monotonic clock."""

    @property
    def messages(self) -> list[Json]:
        """Role and content of each message, in order."""
        return list(self.body["messages"])

    @property
    def model(self) -> str:
        """The name of the model that was asked for."""
        return str(self.body["model"])

    @property
    def stream(self) -> bool:
        """Whether the answer is wanted in pieces."""
        return bool(self.body.get("stream"))

    @property
    def tools(self) -> list[Json]:
        """The tools that the model may call."""
        return list(self.body.get("tools") or ())

    @property
    def system(self) -> str:
        """The text of the system messages."""
        return self._said_by("system", "developer")

    @property
    def user(self) -> str:
        """The text of the user's messages."""
        return self._said_by("user")

    @property
    def text(self) -> str:
        """All that the model was given to read."""
        return self._said_by(*ROLES)

    def _said_by(self, *roles: str) -> str:
        return "\n".join(_words(one) for one in self.messages if one["role"] in roles)


def _words(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return content or ""


class Statement(NamedTuple):
    """A statement of the prompt, with the key to cite it by and the part it stands in."""

    key: str
    text: str
    part: str


_LINE = re.compile(r"^\[(S\d+)\] (.*)$")
_PART = re.compile(r"^\W*(From the (?:guidelines|research))\W*$", re.IGNORECASE)


def statements_in(call: Call) -> list[Statement]:
    """The statements that the model may write from, in the order of the prompt."""
    found, part = [], ""
    for line in call.user.splitlines():
        if heading := _PART.match(line):
            part = heading[1]
        elif statement := _LINE.match(line):
            found.append(Statement(statement[1], statement[2].strip(), part))
    return found


# ------------------------------------------------------------------- how it is answered


class Reply(Protocol):
    """A way to answer."""

    async def answer(self, call: Call, wire: Wire) -> None:
        """Write the answer to the wire; what is left open afterwards serves the next request."""


Script = Reply | Callable[[Call], Reply]


class Wire:
    """One connection, as an answer is written to it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    @property
    def closed(self) -> bool:
        """Whether the answer ended the connection."""
        return self._writer.is_closing()

    async def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def head(self, status: int, content_type: str, **headers: str) -> None:
        """Status line and headers; underscores in names stand for hyphens."""
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"Content-Type: {content_type}",
            *(f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()),
        ]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def whole(
        self, body: bytes, *, status: int = 200, content_type: str = JSON, **headers: str
    ) -> None:
        """An answer in one piece."""
        await self.head(status, content_type, content_length=str(len(body)), **headers)
        await self.raw(body)

    async def begin(self, content_type: str = EVENTS) -> None:
        """The head of an answer in pieces."""
        await self.head(200, content_type, transfer_encoding="chunked")

    async def part(self, data: bytes) -> None:
        """A piece of an answer that was begun."""
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        """The end of an answer in pieces."""
        await self.raw(b"0\r\n\r\n")

    def close(self) -> None:
        """Hang up after what was written."""
        self._writer.close()

    def reset(self) -> None:
        """Hang up at once, as a crash does."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


def event(data: Any) -> bytes:
    """A server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def piece(delta: Json, finish: str | None = None, model: str = MODEL) -> Json:
    """A chunk of a streamed completion."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _completion("chat.completion.chunk", model) | {"choices": [choice]}


def _completion(kind: str, model: str) -> Json:
    created = int(time.time())
    return {"id": "chatcmpl-test", "object": kind, "created": created, "model": model}


@dataclass(frozen=True)
class Says:
    """A model that says this."""

    text: str
    chunk: int = 7
    """Characters in a piece of a stream."""
    usage: bool = True
    """Count tokens where that is asked for."""
    delay_s: float = 0.0
    """Before each piece; before the whole where the answer is not streamed."""
    finish: str | None = "stop"
    refusal: str | None = None
    reasoning: str | None = None
    """What it thought, in the field that other providers use for that."""
    tool_calls: tuple[Json, ...] = ()

    def deltas(self) -> Iterator[Json]:
        """The pieces of the message."""
        yield {"role": "assistant", "content": ""}
        for name, text in (
            ("reasoning_content", self.reasoning),
            ("content", self.text),
            ("refusal", self.refusal),
        ):
            for at in range(0, len(text or ""), self.chunk):
                yield {name: (text or "")[at : at + self.chunk]}
        for index, one in enumerate(self.tool_calls):
            function = {"name": one["name"], "arguments": ""}
            yield _tool_delta(index, id=one["id"], type="function", function=function)
            for at in range(0, len(one["arguments"]), self.chunk):
                arguments = one["arguments"][at : at + self.chunk]
                yield _tool_delta(index, function={"arguments": arguments})

    def message(self) -> Json:
        """The message in one piece."""
        message: Json = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        if self.reasoning is not None:
            message["reasoning_content"] = self.reasoning
        if self.tool_calls:
            message["content"] = self.text or None
            message["tool_calls"] = [
                {
                    "id": one["id"],
                    "type": "function",
                    "function": {"name": one["name"], "arguments": one["arguments"]},
                }
                for one in self.tool_calls
            ]
        return message

    def whole(self, call: Call) -> Json:
        """The completion in one piece."""
        choice = {
            "index": 0,
            "message": self.message(),
            "logprobs": None,
            "finish_reason": self.finish,
        }
        completion = _completion("chat.completion", call.model) | {"choices": [choice]}
        return completion | ({"usage": _usage(call, self.text)} if self.usage else {})

    async def pieces(self, call: Call) -> AsyncIterator[Json]:
        """The completion in pieces, each in its time."""
        for delta in self.deltas():
            await asyncio.sleep(self.delay_s)
            yield piece(delta, model=call.model)
        yield piece({}, self.finish, call.model)
        if self.usage and (call.body.get("stream_options") or {}).get("include_usage"):
            usage = {"choices": [], "usage": _usage(call, self.text)}
            yield _completion("chat.completion.chunk", call.model) | usage

    async def answer(self, call: Call, wire: Wire) -> None:
        """All of it, and a proper end."""
        if not call.stream:
            await asyncio.sleep(self.delay_s)
            await wire.whole(json.dumps(self.whole(call)).encode())
            return
        await wire.begin()
        async for one in self.pieces(call):
            await wire.part(event(one))
        await wire.part(DONE)
        await wire.end()


def _tool_delta(index: int, **fields: Any) -> Json:
    return {"tool_calls": [{"index": index, **fields}]}


def _usage(call: Call, text: str) -> Json:
    given, said = len(call.text.split()), len(text.split())
    return {"prompt_tokens": given, "completion_tokens": said, "total_tokens": given + said}


# ------------------------------------------------------------------- models that behave


def cited(text: str, *keys: str) -> str:
    """A sentence with its citations before the full stop."""
    return f"{text.rstrip(' .')} [{', '.join(keys)}]."


_OPENING = re.compile(r"^In (?:one|a|this) (?:\w+ )?(?:study|trial|series), (\w)")
_LOWERED = frozenset("A After An At Both In It No Most None Of Some The These This Two".split())


def _reworded(number: int, statement: Statement) -> str:
    """The same claim in slightly other words."""
    text = statement.text
    if _OPENING.match(text):
        return _OPENING.sub(lambda found: found[1].upper(), text)
    first = text.split(" ", 1)[0]
    if number % 2 == 0 and first in _LOWERED:
        whose = "guidelines say" if "guidelines" in statement.part else "authors report"
        return f"The {whose} that {text[0].lower()}{text[1:]}"
    return text


def _written(call: Call, words: Callable[[int, Statement], str]) -> Says:
    given = statements_in(call)[:MOST_SENTENCES]
    sentences = [cited(words(number, one), one.key) for number, one in enumerate(given)]
    return Says(" ".join(sentences) or "NOTHING")


MOST_SENTENCES = 6
"""As many as a model is asked for at most."""


def faithful(call: Call) -> Says:
    """A model that says what it was given, lightly reworded, and cites it; NOTHING without any."""
    return _written(call, _reworded)


def fluent(call: Call) -> Says:
    """A model that says what it was given word for word, and cites it."""
    return _written(call, lambda number, statement: statement.text)


# ------------------------------------------------------------------- models that do not


def refuses(text: str = "I cannot help with that.", *, in_field: bool = False) -> Says:
    """A model that declines, in its text or in the field for that."""
    return Says("", refusal=text) if in_field else Says(text)


def empty(text: str = "") -> Says:
    """A model that says nothing, or only this white space."""
    return Says(text, usage=False)


def long(characters: int = 200_000, *, stops: bool = True) -> Says:
    """A model that does not come to an end: with full stops, or one sentence."""
    words = "Scars were seen again in some people" + (". " if stops else " and ")
    return Says((words * (characters // len(words) + 1))[:characters], chunk=400, finish="length")


def tool_call(name: str = "prescribe", **arguments: Any) -> Says:
    """A model that calls a tool instead of answering."""
    one = {"id": "call_1", "name": name, "arguments": json.dumps(arguments)}
    return Says("", finish="tool_calls", tool_calls=(one,))


def repeats_prompt(call: Call) -> Says:
    """A model that says all that it was given."""
    return Says(call.text, chunk=400)


def thinks(
    text: str = "", *, thoughts: str = "The reader wants an answer.", tags: bool = False
) -> Says:
    """A model whose thoughts arrive: in a field of their own, or in tags before the text."""
    if tags:
        return Says(f"<think>\n{thoughts}\n</think>\n\n{text}")
    return Says(text, reasoning=thoughts)


def filtered(text: str = "") -> Says:
    """A model whose provider stops it after this text."""
    return Says(text, finish="content_filter")


# ------------------------------------------------------------------- faults


async def _for_ever() -> None:
    await asyncio.Event().wait()


@dataclass(frozen=True)
class Hangs:
    """Never answers; or says this in a stream, and then nothing more."""

    text: str = ""

    async def answer(self, call: Call, wire: Wire) -> None:
        if self.text and call.stream:
            await wire.begin()
            for delta in Says(self.text).deltas():
                await wire.part(event(piece(delta, model=call.model)))
        await _for_ever()


@dataclass(frozen=True)
class Status:
    """Refuses with this status."""

    code: int
    body: Json | None = None
    retry_after: int | None = None
    """Seconds."""
    html: bool = False
    """With a page, as a proxy does."""

    async def answer(self, call: Call, wire: Wire) -> None:
        phrase = HTTPStatus(self.code).phrase
        kind, body = JSON, json.dumps(self.body or _error(phrase)).encode()
        if self.html:
            kind = "text/html"
            body = f"<html><head><title>{self.code} {phrase}</title></head></html>".encode()
        later = {} if self.retry_after is None else {"retry_after": str(self.retry_after)}
        await wire.head(self.code, kind, content_length=str(len(body)), **later)
        await wire.raw(body)


def _error(message: str, kind: str = "invalid_request_error") -> Json:
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


Within = Literal["", "character", "json"]
End = Literal["close", "reset", "quiet"]


@dataclass(frozen=True)
class CutStream:
    """Breaks off after so many characters of the text.

    Within a character or the JSON of a piece, where that is wanted; the text needs a character
    beyond ASCII there. A quiet end is a proper end of the HTTP answer, without any sign that the
    model had more to say.
    """

    text: str
    after: int
    within: Within = ""
    end: End = "close"

    async def answer(self, call: Call, wire: Wire) -> None:
        if call.stream:
            await self._stream(call, wire)
        else:
            body = json.dumps(Says(self.text).whole(call), ensure_ascii=False)
            cut = self._cut(body.encode(), body.index(self.text) + self.after, body)
            length = {} if self.end == "quiet" else {"content_length": str(len(body.encode()))}
            await wire.head(200, JSON, **length, connection="close")
            await wire.raw(cut)
        if self.end == "reset":
            wire.reset()
        elif self.end == "close" or not call.stream:
            wire.close()

    async def _stream(self, call: Call, wire: Wire) -> None:
        await wire.begin()
        for delta in Says(self.text[: self.after]).deltas():
            await wire.part(event(piece(delta, model=call.model)))
        if self.within:
            rest = event(piece({"content": self.text[self.after :]}, model=call.model)).decode()
            await wire.part(self._cut(rest.encode(), rest.index(self.text[self.after :]), rest))
        if self.end == "quiet":
            await wire.end()

    def _cut(self, data: bytes, at: int, text: str) -> bytes:
        if self.within != "character":
            return text[:at].encode()
        beyond = next(n for n in range(at, len(text)) if not text[n].isascii())
        return data[: len(text[:beyond].encode()) + 1]


@dataclass(frozen=True)
class Malformed:
    """Says this in a stream, then something that is not JSON; the whole is not JSON otherwise."""

    text: str = ""
    garbage: bytes = b'{"choices": [}'

    async def answer(self, call: Call, wire: Wire) -> None:
        if not call.stream:
            await wire.whole(self.garbage)
            return
        await wire.begin()
        for delta in Says(self.text).deltas():
            await wire.part(event(piece(delta, model=call.model)))
        await wire.part(b"data: " + self.garbage + b"\n\n" + DONE)
        await wire.end()


@dataclass(frozen=True)
class WrongShape:
    """JSON which is no completion: this body, or this event after some text in a stream."""

    body: Any = field(default_factory=dict)
    text: str = ""

    async def answer(self, call: Call, wire: Wire) -> None:
        garbage = json.dumps(self.body).encode()
        await Malformed(self.text, garbage).answer(call, wire)


def error_in_stream(text: str = "", message: str = "The server had an error") -> WrongShape:
    """An error which comes after the status said that all is well."""
    return WrongShape(_error(message, "server_error"), text)


@dataclass(frozen=True)
class NoEvents:
    """A stream which ends before it says anything; otherwise an empty body."""

    done: bool = True
    """With the mark of the end."""

    async def answer(self, call: Call, wire: Wire) -> None:
        if not call.stream:
            await wire.whole(b"")
            return
        await wire.begin()
        if self.done:
            await wire.part(DONE)
        await wire.end()


@dataclass(frozen=True)
class Drip:
    """Says a token at a time, for ever; nothing but the start of an answer otherwise."""

    token: str = "and "
    every_s: float = 0.05

    async def answer(self, call: Call, wire: Wire) -> None:
        if not call.stream:
            await wire.head(200, JSON, transfer_encoding="chunked")
            await wire.part(b" ")
        else:
            await wire.begin()
        for _ in itertools.count():
            sent = event(piece({"content": self.token}, model=call.model)) if call.stream else b" "
            await wire.part(sent)
            await asyncio.sleep(self.every_s)


@dataclass(frozen=True)
class Pings:
    """Comments which keep the connection alive, for ever, and no answer."""

    every_s: float = 0.05

    async def answer(self, call: Call, wire: Wire) -> None:
        await wire.begin()
        for _ in itertools.count():
            await wire.part(b": waiting\n\n")
            await asyncio.sleep(self.every_s)


@dataclass(frozen=True)
class EndlessLine:
    """One event which never ends, so that nothing can be read of what has arrived."""

    every_s: float = 0.01

    async def answer(self, call: Call, wire: Wire) -> None:
        await wire.begin(EVENTS if call.stream else JSON)
        await wire.part(b'data: {"choices": "' if call.stream else b'{"choices": "')
        for _ in itertools.count():
            await wire.part(b"x" * 1000)
            await asyncio.sleep(self.every_s)


@dataclass(frozen=True)
class Reset:
    """Hangs up before it answers, as a crash does or as an orderly stop does."""

    orderly: bool = False

    async def answer(self, call: Call, wire: Wire) -> None:
        if self.orderly:
            wire.close()
        else:
            wire.reset()


@dataclass(frozen=True)
class SlowHeaders:
    """Headers one by one, and then the answer."""

    text: str
    headers: int = 10
    every_s: float = 0.05

    async def answer(self, call: Call, wire: Wire) -> None:
        await wire.raw(b"HTTP/1.1 200 OK\r\n")
        for n in range(self.headers):
            await asyncio.sleep(self.every_s)
            await wire.raw(f"X-Slow-{n}: 1\r\n".encode())
        body = json.dumps(Says(self.text).whole(call)).encode()
        if call.stream:
            said = Says(self.text)
            body = b"".join([event(one) async for one in said.pieces(call)]) + DONE
        kind = EVENTS if call.stream else JSON
        await wire.raw(f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        await wire.raw(body)


@dataclass(frozen=True)
class WrongType:
    """A page where an answer should be, as a login page of a network is."""

    content_type: str = "text/html"
    body: bytes = b"<html><body>Please log in to the network.</body></html>"

    async def answer(self, call: Call, wire: Wire) -> None:
        await wire.whole(self.body, content_type=self.content_type)


@dataclass(frozen=True)
class Compressed:
    """An answer which claims to be gzip and is not; or is, and is far larger than it looks."""

    megabytes: int = 0

    async def answer(self, call: Call, wire: Wire) -> None:
        body = b"\x1f\x8b\x08 not gzip at all"
        if self.megabytes:
            body = gzip.compress(b" " * (self.megabytes * 2**20))
        kind = EVENTS if call.stream else JSON
        await wire.whole(body, content_type=kind, content_encoding="gzip")


@dataclass(frozen=True)
class Redirects:
    """Sends the caller elsewhere; to itself when no place is named."""

    to: str = PATH

    async def answer(self, call: Call, wire: Wire) -> None:
        await wire.whole(b"", status=307, location=self.to)


# ------------------------------------------------------------------- the server


class _Refused(Exception):
    """A request that no model would answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ChatApi:
    """The server. `with` or `async with` starts and stops it. An empty key lets anybody in."""

    def __init__(self, reply: Script = fluent, *, api_key: str = "test") -> None:
        self.api_key = api_key
        self._script = reply
        self._queue: deque[Script] = deque()
        self._calls: list[Call] = []
        self._abandoned: list[Call] = []
        self._failures: list[Exception] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    @property
    def base_url(self) -> str:
        """What a client takes as the address of the API."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def calls(self) -> list[Call]:
        """What was asked, in order."""
        return list(self._calls)

    @property
    def abandoned(self) -> list[Call]:
        """The calls whose callers hung up before the answer was complete."""
        return list(self._abandoned)

    @property
    def connections(self) -> int:
        """How many callers are connected."""
        return len(self._connections)

    def script(self, reply: Script) -> None:
        """How the next call and all later ones are answered."""
        self._script = reply

    def script_once(self, *replies: Script) -> None:
        """How the next calls are answered, before what holds for all."""
        self._queue.extend(replies)

    async def until(self, holds: Callable[[ChatApi], bool], timeout_s: float = 5.0) -> None:
        """Returns when this is so; raises TimeoutError when it is not in time."""
        deadline = time.monotonic() + timeout_s
        while not holds(self):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not so within {timeout_s} s")
            await asyncio.sleep(0.005)

    # --- Life ---

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("the stand-in for a chat model did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._failures and error is None:
            raise AssertionError("a scripted answer failed") from self._failures[0]

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await server.wait_closed()

    # --- Requests ---

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, Wire(writer))
        finally:
            self._connections.discard(task)
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, wire: Wire) -> None:
        """Serve one request after another. While one is answered, the next byte or the caller's
        hanging up is waited for."""
        following = asyncio.create_task(_first_byte(reader))
        answering: asyncio.Task[None] | None = None
        try:
            while not wire.closed and (first := await following):
                line, headers, body = await _request(first, reader)
                following = asyncio.create_task(_first_byte(reader))
                try:
                    call = self._accepted(line, headers, body)
                except _Refused as error:
                    refusal = json.dumps(_error(str(error))).encode()
                    await wire.whole(refusal, status=error.status)
                    continue
                reply = self._next(call)
                answering = asyncio.create_task(reply.answer(call, wire))
                await asyncio.wait({answering, following}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done() and following.result() == b"":
                    self._abandoned.append(call)
                    return
                try:
                    await answering
                except OSError:
                    self._abandoned.append(call)
                    return
                except Exception as error:  # noqa: BLE001  # the fault is in the reply
                    self._failures.append(error)
                    return
        finally:
            for task in (following, answering):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    def _accepted(self, line: str, headers: Mapping[str, str], body: bytes) -> Call:
        method, path, _ = line.split(" ")
        if path != PATH:
            raise _Refused(404, f"Invalid URL ({method} {path})")
        if method != "POST":
            raise _Refused(405, f"Not allowed to {method} on {path}")
        if self.api_key and headers.get("authorization") != f"Bearer {self.api_key}":
            raise _Refused(401, "Incorrect API key provided.")
        try:
            given = json.loads(body)
        except ValueError:
            raise _Refused(400, "We could not parse the JSON body of your request.") from None
        if not isinstance(given, dict) or not isinstance(given.get("model"), str):
            raise _Refused(400, "you must provide a model parameter")
        messages = given.get("messages")
        if not isinstance(messages, list) or not messages:
            raise _Refused(400, "Invalid 'messages': empty array.")
        for n, one in enumerate(messages):
            if not isinstance(one, dict) or one.get("role") not in ROLES:
                raise _Refused(400, f"Invalid value: 'messages[{n}].role'.")
        call = Call(given, headers, time.monotonic())
        self._calls.append(call)
        return call

    def _next(self, call: Call) -> Reply:
        script = self._queue.popleft() if self._queue else self._script
        if not callable(script):
            return script
        try:
            return script(call)
        except Exception as error:  # noqa: BLE001  # whatever a test's script raises is its fault
            self._failures.append(error)
            return Status(500, _error(repr(error), "server_error"))


async def _first_byte(reader: asyncio.StreamReader) -> bytes:
    """The first byte of what comes next; nothing when the caller has hung up."""
    try:
        return await reader.read(1)
    except OSError:
        return b""


async def _request(
    first: bytes, reader: asyncio.StreamReader
) -> tuple[str, Mapping[str, str], bytes]:
    head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.rstrip("\r\n").split("\r\n")
    headers = {}
    for one in rest:
        name, _, value = one.partition(":")
        headers[name.strip().lower()] = value.strip()
    return line, headers, await reader.readexactly(int(headers.get("content-length", 0)))
