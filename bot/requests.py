"""Requests to the Bot API, made with aiohttp.

The library's own way, httpx, takes two to three times the processor time for each, and every answer
makes two. Errors are told as the library tells them: whoever calls it sees no difference.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from telegram.error import (
    BadRequest,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import BaseRequest, RequestData
from yarl import URL

from store.errors import SettingsProblem

log = logging.getLogger("corollary.telegram")

CONNECT_WITHIN_S = 5.0
READ_WITHIN_S = 20.0
"""How long the server may be silent when it has been sent something."""
FREE_WITHIN_S = 30.0
"""How long a request may wait for a connection."""
ALL_WITHIN_S = 300.0
"""How long a request may take in all, a file on a slow line included."""
START_PAUSES_S = (1.0, 2.0, 4.0)
"""How often, and after how long, what the start asks for is asked again."""
_OF_A_MESSAGE = {"message_id", "date", "chat"}
_SENDS = ("/sendMessage", "/sendDocument", "/sendRichMessage")
"""What is answered with the message that was sent."""
_DONE = (b'{"ok":true', b'{"ok": true')
_URL_ENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


class Request(BaseRequest):
    """Requests to one server, over at most so many connections. `on_unauthorized` is called when
    Telegram takes the token back, which the library alone would not notice. An answer that does not
    go on for `read_within_s` seconds is given up."""

    def __init__(
        self,
        base_url: str,
        on_unauthorized: Callable[[], None],
        connections: int,
        read_within_s: float = READ_WITHIN_S,
    ) -> None:
        self._base_url = base_url
        self._on_unauthorized = on_unauthorized
        self._connections = connections
        self._read_within_s = read_within_s
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        return self._read_within_s

    async def initialize(self) -> None:
        """Makes ready; nothing is connected yet. Raises SettingsProblem for a proxy that cannot be
        used."""
        if self._session is None:
            proxy = proxy_for(self._base_url)
            # Whom httpx trusts: the authorities of certifi, unless SSL_CERT_FILE names others.
            connector = aiohttp.TCPConnector(
                limit=self._connections, ssl=httpx.create_ssl_context()
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": self.USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=proxy and proxy.with_user(None),
                proxy_auth=_login(proxy),
            )

    async def shutdown(self) -> None:
        """Closes what is open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """The status and the body of the answer. Raises TimedOut, or NetworkError when there is no
        answer."""
        if self._session is None:
            raise NetworkError("the connections are closed")
        timeout = aiohttp.ClientTimeout(
            total=ALL_WITHIN_S,
            connect=_or(pool_timeout, FREE_WITHIN_S),
            sock_connect=_or(connect_timeout, CONNECT_WITHIN_S),
            sock_read=_or(read_timeout, self._read_within_s),
        )
        form = _form(request_data)
        try:
            async with self._session.request(
                method,
                url,
                data=form,
                headers=_URL_ENCODED if isinstance(form, bytes) else None,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                code, payload = answer.status, await answer.read()
        except TimeoutError:
            raise TimedOut from None
        except (aiohttp.ClientError, OSError, ValueError) as e:
            # By its name alone: what it says can hold the address, and with it the token.
            raise NetworkError(type(e).__name__) from None
        code = _meant(code, payload)
        if code == 200 and url.endswith(_SENDS) and b'"message_id"' not in payload:
            raise TelegramError("Invalid server response")
        if code == 401:
            self._on_unauthorized()
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """As the library does, which would write what it cannot read into the log. Of a message
        that was sent only the number and the place are handed on: for the rest, which we know, the
        library would make an object of every button."""
        told = _object(payload)
        if told is None or ("result" not in told and told.get("ok") is not False):
            raise TelegramError("Invalid server response")
        result = told.get("result")
        if isinstance(result, dict) and "message_id" in result:
            if type(result["message_id"]) is not int or not result.keys() >= _OF_A_MESSAGE:
                raise TelegramError("Invalid server response")
            told["result"] = {name: result[name] for name in _OF_A_MESSAGE}
        if "parameters" in told:
            told["parameters"] = _numbers(told["parameters"])
        return told


class PollRequest(Request):
    """Keeps the updates for `fetched`. The library is told of none: it would read them a second
    time, and write what it cannot read into the log."""

    def __init__(
        self, base_url: str, on_unauthorized: Callable[[], None], read_within_s: float
    ) -> None:
        super().__init__(base_url, on_unauthorized, 2, read_within_s)
        self._fetched: list[Any] = []

    def fetched(self) -> list[Any]:
        """What the last poll brought, as Telegram told it; once."""
        fetched, self._fetched = self._fetched, []
        return fetched

    def parse_json_payload(self, payload: bytes) -> dict[str, Any]:  # type: ignore[override]
        told = Request.parse_json_payload(payload)
        if "result" in told:
            if not isinstance(told["result"], list):
                raise TelegramError("Invalid server response")
            self._fetched, told["result"] = told["result"], []
        return told


def is_taken_back(error: BaseException | None) -> bool:
    """Whether the token is not accepted any more. The library takes any 404 for that, too."""
    return isinstance(error, InvalidToken) and "not found" not in str(error).lower()


async def patiently(ask: Callable[[], Awaitable[object]]) -> None:
    """Asks what the bot cannot start without, a few times when there is no answer: the server may
    be busy, or the network not up yet on a machine that has just started. Raises what the last
    one failed with, and at once what would fail again."""
    for pause_s in START_PAUSES_S:
        try:
            await ask()
            return
        except (BadRequest, InvalidToken):
            raise
        except TelegramError as e:
            wait_s = max(pause_s, seconds(e)) if isinstance(e, RetryAfter) else pause_s
            what = type(e).__name__
            log.warning("Telegram does not answer (%s): trying again in %.0f s", what, wait_s)
            await asyncio.sleep(wait_s)
    await ask()


def seconds(error: RetryAfter) -> float:
    """How long the server says to wait."""
    wait = error.retry_after
    return wait.total_seconds() if hasattr(wait, "total_seconds") else float(wait)


def proxy_for(url: str) -> URL | None:
    """The proxy that the environment names for this address (`HTTPS_PROXY`, `ALL_PROXY`,
    `NO_PROXY`), if one is. Raises SettingsProblem when it is of a kind that is not spoken here."""
    where = URL(url)
    named = getproxies()
    proxy = named.get(where.scheme) or named.get("all")
    if not proxy or not where.host or proxy_bypass(where.host):
        return None
    found = URL(proxy if "://" in proxy else f"http://{proxy}")
    if found.scheme not in {"http", "https"}:
        raise SettingsProblem(
            f"The environment names a proxy of a kind that is not supported: {found.scheme}.",
            "Name an HTTP proxy in HTTPS_PROXY, or except the server in NO_PROXY.",
        )
    return found


def _login(proxy: URL | None) -> aiohttp.BasicAuth | None:
    if proxy is None or proxy.user is None:
        return None
    return aiohttp.BasicAuth(proxy.user, proxy.password or "")


def _object(payload: bytes) -> dict[str, Any] | None:
    """The JSON object of an answer; None when it is none."""
    try:
        told = json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _meant(code: int, payload: bytes) -> int:
    """The status that an answer means. A refusal that is not in Telegram's form comes from
    something on the way, and says nothing of the chat. What fails with the status of success has
    failed."""
    if code not in (200, 400, 403) or payload.startswith(_DONE):
        return code
    told = _object(payload)
    if code != 200:
        return code if told is not None else 502
    if told is None or told.get("ok") is not False:
        return code
    failed = told.get("error_code")
    return failed if type(failed) is int and 400 <= failed < 600 else 500


def _numbers(parameters: Any) -> dict[str, int | float]:
    """What the server says of how to go on, without what is no number."""
    if not isinstance(parameters, dict):
        return {}
    return {n: v for n, v in parameters.items() if isinstance(v, int | float) and v is not True}


def _or(given: Any, default: float) -> float | None:
    """The time that was given, if one was; None is for ever."""
    return given if given is None or isinstance(given, int | float) else default


def _form(request_data: RequestData | None) -> aiohttp.FormData | bytes | None:
    """The parameters as a form, with the files in it if there are some."""
    if request_data is None:
        return None
    if not request_data.contains_files:
        # As `urlencode` does, eight times as fast.
        return URL.build(query=request_data.json_parameters).raw_query_string.encode()
    form = aiohttp.FormData(request_data.json_parameters)
    for name, (file_name, content, kind) in request_data.multipart_data.items():
        form.add_field(name, content, filename=file_name, content_type=kind)
    return form
