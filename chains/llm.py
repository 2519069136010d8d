"""A chat model within limits: so many calls and seconds a turn, so many turns at once.

The model is any of LangChain's. Whatever goes wrong with it (no answer, an error, a cut stream,
something that is no text) becomes a `ModelFailed` with a code; nobody above has to know providers.
After `FAILURES` failed calls in a row no call is made for `PAUSE_S`; then one is tried (a circuit
breaker: Nygard, Release It!, 2nd ed. 2018).
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from store.errors import ServiceUnreachable, SettingsProblem
from store.turn import Receipt

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

log = logging.getLogger("corollary.model")

T = TypeVar("T")

CALLS = 3
"""Calls to the model in one turn, tries again included."""
FAILURES = 5
PAUSE_S = 30.0
MAX_CHARS = 8_000
"""A draft is not read further; six statements are some 1,500 characters."""
RETRY_S = 0.5
"""Before a call that met an error of the server is tried again."""
CHARS_PER_TOKEN = 4
"""Of English prose, where the provider does not count."""


class ModelFailed(Exception):
    """The model gave nothing that can be used. `code` is one word for receipts and alerts;
    `again` says whether another try may help, after `wait_s` seconds."""

    def __init__(self, code: str, *, again: bool = False, wait_s: float = RETRY_S) -> None:
        super().__init__(code)
        self.code = code
        self.again = again
        self.wait_s = wait_s


WORDS: dict[str, str] = {
    "timeout": "did not answer in time",
    "crowded": "had too many others to answer first",
    "key": "refuses the key",
    "credit": "refuses: no credit is left",
    "busy": "refuses: too many requests",
    "server": "has an internal error",
    "unreachable": "cannot be reached",
    "no_model": "does not know this model",
    "refused": "refused the request",
    "malformed": "sent something that is no answer",
    "cut": "broke off in the middle of an answer",
    "empty": "sent an empty answer",
    "declined": "declined to answer",
    "not_text": "sent something other than text",
    "paused": "is left alone for a while after repeated failures",
    "calls": "needed more calls than one question may take",
}
"""What each code says of the model, for operators."""

OPERATORS_CAN_ACT = frozenset(WORDS) - {"declined", "paused", "calls", "not_text"}
"""Codes that are worth an alert."""


class Allowance:
    """What one turn may still take of the model: calls, and time."""

    def __init__(self, seconds: float, calls: int = CALLS) -> None:
        self.calls_left = calls
        self.ends_at = time.monotonic() + seconds
        self.calls = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self.estimated = False
        self.under_way = (0, 0)
        """Tokens in and out of the call that has not ended, estimated."""

    @property
    def seconds_left(self) -> float:
        """Never below zero."""
        return max(0.0, self.ends_at - time.monotonic())

    def take(self) -> None:
        """Takes one call; ModelFailed when none is left."""
        if self.calls_left < 1:
            raise ModelFailed("calls")
        self.calls_left -= 1
        self.calls += 1

    def add(self, part: "Allowance") -> None:
        """Counts what was taken of a part that was lent out."""
        self.calls_left -= part.calls
        self.calls += part.calls
        self.tokens_in += part.tokens_in
        self.tokens_out += part.tokens_out
        self.estimated = self.estimated or part.estimated

    def noted_in(self, receipt: Receipt) -> Receipt:
        """The receipt with what the turn has taken of the model so far."""
        tokens_in, tokens_out = self.under_way
        return replace(
            receipt,
            calls=self.calls,
            tokens_in=self.tokens_in + tokens_in,
            tokens_out=self.tokens_out + tokens_out,
            estimated=self.estimated or tokens_in > 0,
        )


class Breaker:
    """Open after `failures` failed calls in a row; half open again after `pause_s`, when one call
    is let through to see."""

    def __init__(
        self,
        failures: int = FAILURES,
        pause_s: float = PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._pause_s = pause_s
        self._clock = clock
        self._failed = 0
        self._until = 0.0

    def check(self) -> None:
        """Takes leave for one call; ModelFailed while it is open."""
        if self._failed < self._limit:
            return
        now = self._clock()
        if now < self._until:
            raise ModelFailed("paused")
        # Whoever comes next waits for what this call finds.
        self._until = now + self._pause_s

    def failed(self) -> None:
        """Notes a failed call."""
        self._failed += 1
        self._until = self._clock() + self._pause_s

    def worked(self) -> None:
        """Notes a call that worked: closed."""
        self._failed = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """The last failure that an operator can do something about. `at` is monotonic seconds."""

    code: str
    at: float


class ChatModel:
    """A LangChain chat model and its limits. `at_once` bounds the calls under way."""

    def __init__(
        self,
        model: "BaseChatModel",
        name: str,
        *,
        at_once: int = 4,
        breaker: Breaker | None = None,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._close = close
        self.trouble: Trouble | None = None
        self._model = model
        self._places = asyncio.Semaphore(at_once)
        self._breaker = breaker or Breaker()

    async def stream(
        self, messages: "Sequence[BaseMessage]", allowance: Allowance
    ) -> AsyncGenerator[str, None]:
        """The text of the answer as it comes. ModelFailed when it cannot be had whole within the
        allowance; what came before is then no answer. Tried again only while nothing has come."""
        while True:
            started = False
            try:
                async with aclosing(self._once(messages, allowance)) as pieces:
                    async for piece in pieces:
                        started = True
                        yield piece
                return
            except ModelFailed as e:
                again = e.again and not started and allowance.calls_left > 0
                if not again or e.wait_s >= allowance.seconds_left:
                    raise
                wait_s = e.wait_s
            await asyncio.sleep(wait_s)

    async def answer(self, messages: "Sequence[BaseMessage]", allowance: Allowance) -> str:
        """The whole answer; ModelFailed as `stream`."""
        return "".join([piece async for piece in self.stream(messages, allowance)])

    async def _once(
        self, messages: "Sequence[BaseMessage]", allowance: Allowance
    ) -> AsyncGenerator[str, None]:
        begun = False
        asked_at, waited_s, given_s = time.monotonic(), 0.0, 0.0
        try:
            await _in_time(self._places.acquire(), allowance)
            waited_s, given_s = time.monotonic() - asked_at, allowance.seconds_left
            try:
                self._breaker.check()
                allowance.take()
                async with aclosing(self._pieces(messages, allowance)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
            finally:
                self._places.release()
            self._breaker.worked()
        except ModelFailed as e:
            # What waited for a place longer than it was given says nothing of the model.
            in_vain = e.code == "timeout" and waited_s >= given_s
            failed = ModelFailed("crowded") if in_vain else e
            self._failed(failed)
            raise failed from None
        except Exception as e:  # noqa: BLE001 - providers raise anything; each is a failed call
            failed = failure_of(e)
            if begun and failed.code == "unreachable":
                failed = ModelFailed("cut")
            self._failed(failed)
            # Not chained: the cause can quote the key or the question.
            raise failed from None

    async def close(self) -> None:
        """Gives the connections back."""
        if self._close is not None:
            await self._close()

    def _failed(self, failed: ModelFailed) -> None:
        if failed.code in {"paused", "calls"}:
            return
        log.warning("the chat model %s %s", self.name, WORDS[failed.code])
        if failed.code in OPERATORS_CAN_ACT:
            if failed.code != "crowded":
                self._breaker.failed()
            self.trouble = Trouble(failed.code, time.monotonic())

    async def _pieces(
        self, messages: "Sequence[BaseMessage]", allowance: Allowance
    ) -> AsyncGenerator[str, None]:
        """The text of the stream, checked to be text and to have an end."""
        chars, ended, counted, tells = 0, False, False, False
        given = sum(len(str(m.text)) for m in messages) // CHARS_PER_TOKEN
        allowance.under_way = (given, 0)
        thoughts = Thoughts()
        source = self._model.astream(messages)
        try:
            # The time is taken for each piece: a limit around a `yield` would end its reader.
            while (chunk := await _in_time(anext(source, None), allowance)) is not None:
                if chunk.tool_call_chunks or chunk.additional_kwargs.get("function_call"):
                    raise ModelFailed("not_text")
                if chunk.additional_kwargs.get("refusal"):
                    raise ModelFailed("declined")
                if chunk.usage_metadata:
                    counted, allowance.under_way = True, (0, 0)
                    allowance.tokens_in += chunk.usage_metadata["input_tokens"]
                    allowance.tokens_out += chunk.usage_metadata["output_tokens"]
                tells = tells or bool(chunk.response_metadata)
                reason = _ending(chunk)
                if reason.lower() in {"content_filter", "refusal", "safety"}:
                    raise ModelFailed("declined")
                # A provider that says nothing of its chunks need not say why it ended either.
                ended = ended or bool(reason) or (chunk.chunk_position == "last" and not tells)
                text = thoughts.without(str(chunk.text))
                chars += len(text)
                if not counted:
                    allowance.under_way = (given, chars // CHARS_PER_TOKEN)
                if text:
                    yield text
                if chars > MAX_CHARS:
                    ended = True
                    break
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()
            # What was asked for is paid for, however it ended.
            if not counted:
                allowance.estimated = True
                tokens_in, tokens_out = allowance.under_way
                allowance.tokens_in += tokens_in
                allowance.tokens_out += tokens_out
            allowance.under_way = (0, 0)
        if not ended:
            raise ModelFailed("cut" if chars else "empty", again=not chars)
        if not chars:
            raise ModelFailed("empty")


async def _in_time(work: Awaitable[T], allowance: Allowance) -> T:
    """What the work gives; ModelFailed when the allowance's time ends before."""
    try:
        async with asyncio.timeout(allowance.seconds_left):
            return await work
    except TimeoutError as e:
        if allowance.seconds_left:
            raise  # a limit of the provider's client, not ours
        raise ModelFailed("timeout") from e


class Thoughts:
    """Takes out what a reasoning model says to itself, `<think> ... </think>` in front of its
    answer, also when the marks come in pieces."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "before"

    def without(self, piece: str) -> str:
        """The part of the piece that is answer, as far as it can be told yet."""
        if self._state == "after":
            return piece
        self._held += piece
        start = self._held.lstrip()
        if self._state == "before":
            if len(start) < len("<think>") and "<think>".startswith(start):
                return ""
            if not start.startswith("<think>"):
                self._state = "after"
                return self._held
            self._state = "within"
        _, mark, answer = start.partition("</think>")
        if not mark:
            return ""
        self._state = "after"
        return answer


def _ending(chunk: "AIMessageChunk") -> str:
    """Why the provider says the answer ended here; empty before its end."""
    told = chunk.response_metadata
    for name in ("finish_reason", "stop_reason", "done_reason"):
        if told.get(name):
            return str(told[name])
    return ""


def failure_of(error: Exception) -> ModelFailed:
    """What an exception of a provider's client means."""
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    names = " ".join(c.__name__ for c in type(error).__mro__)
    if not isinstance(status, int):
        if "Timeout" in names:
            return ModelFailed("timeout")
        if "ProtocolError" in names or "ReadError" in names:
            return ModelFailed("cut", again=True)
        if "Connect" in names or "Network" in names or isinstance(error, OSError):
            return ModelFailed("unreachable", again=True)
        return ModelFailed("malformed")
    if status == 429:
        if "insufficient_quota" in str(getattr(error, "code", "")):
            return ModelFailed("credit")
        return ModelFailed("busy", again=True, wait_s=_retry_after(response))
    if status >= 500:
        return ModelFailed("server", again=True)
    codes = {401: "key", 403: "key", 402: "credit", 404: "no_model", 408: "timeout"}
    return ModelFailed(codes.get(status, "refused"))


def _retry_after(response: Any) -> float:
    """Seconds that the server asks to wait; one when it does not say."""
    told = getattr(response, "headers", {}).get("retry-after", "")
    try:
        return max(0.0, float(told))
    except ValueError:
        return 1.0


def open_chat_model(
    name: str,
    *,
    base_url: str | None = None,
    key: str | None = None,
    timeout_s: float = 20.0,
    at_once: int = 4,
) -> ChatModel:
    """The chat model `provider:name`, without a call to it. ServiceUnreachable when the package of
    the provider is missing, SettingsProblem when it cannot be set up (no key, no such provider)."""
    from langchain.chat_models import init_chat_model

    provider = name.partition(":")[0]
    close: Callable[[], Awaitable[None]] | None = None
    options: dict[str, Any] = {"timeout": timeout_s, "max_retries": 0}
    if provider == "ollama":
        options = {"client_kwargs": {"timeout": timeout_s}}
    if provider in {"openai", "azure_openai"}:
        # Asked for, since a server of one's own counts only then. A redirect is not followed: it
        # would carry the question elsewhere, and a loop of them would be many calls.
        options["stream_usage"] = True
        client = _openai_client(name, timeout_s)
        options["http_async_client"], close = client, client.aclose
        if base_url and key is None and not _has_key("OPENAI_API_KEY"):
            key = "none"  # such servers take any, the client insists on one
    if base_url:
        options["base_url"] = base_url
    if key:
        options["api_key"] = key
    try:
        model = init_chat_model(name, **options)
    except ImportError:
        raise _not_installed(name) from None
    except Exception as e:  # noqa: BLE001 - providers raise anything; the cause can quote the key
        raise SettingsProblem(
            f"COROLLARY_CHAT_MODEL={name} cannot be set up ({type(e).__name__}).",
            "Write it as provider:name, and set COROLLARY_CHAT_MODEL_KEY or the provider's own "
            "variable (OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY).",
        ) from None
    return ChatModel(model, name, at_once=at_once, close=close)


def _openai_client(name: str, timeout_s: float) -> Any:
    """An HTTP client of the kind that OpenAI's package wants."""
    try:
        from openai import DefaultAsyncHttpxClient
    except ImportError:
        raise _not_installed(name) from None
    return DefaultAsyncHttpxClient(timeout=timeout_s, follow_redirects=False)


def _not_installed(name: str) -> ServiceUnreachable:
    provider = name.partition(":")[0]
    extras = {"google_genai": "google", "azure_openai": "openai"}
    return ServiceUnreachable(
        f"COROLLARY_CHAT_MODEL={name} needs a package that is not installed.",
        f"Install the extra: pip install --editable '.[{extras.get(provider, provider)}]'.",
    )


def _has_key(variable: str) -> bool:
    import os

    return bool(os.environ.get(variable))
