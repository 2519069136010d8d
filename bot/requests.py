"""Requests to the Bot API, made with aiohttp.

The library's own way, httpx, takes three times the processor time for each: half of what an answer
from memory costs. Errors are told as the library tells them, so that nobody else sees a difference.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.request import getproxies

import aiohttp
import httpx
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

CONNECT_WITHIN_S = 5.0
READ_WITHIN_S = 20.0
"""How long the server may be silent when it has been sent something."""
FREE_WITHIN_S = 30.0
"""How long a request may wait for a connection."""
UPLOADED_WITHIN_S = 300.0
"""How long a file may take, there and with the answer back."""
_OF_A_MESSAGE = ("message_id", "date", "chat")
_URL_ENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


class Request(BaseRequest):
    """Requests over at most so many connections. `on_unauthorized` is called when Telegram takes
    the token back, which the library alone would not notice. An answer that does not go on for
    `read_within_s` seconds is given up."""

    def __init__(
        self,
        on_unauthorized: Callable[[], None],
        connections: int,
        read_within_s: float = READ_WITHIN_S,
    ) -> None:
        self._on_unauthorized = on_unauthorized
        self._connections = connections
        self._read_within_s = read_within_s
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        return self._read_within_s

    async def initialize(self) -> None:
        """Opens the connections' pool; nothing is connected yet."""
        if self._session is None:
            # Whom httpx trusts: the authorities of certifi, unless SSL_CERT_FILE names others.
            connector = aiohttp.TCPConnector(
                limit=self._connections, ssl=httpx.create_ssl_context()
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": self.USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                # Looking for a proxy takes a thread for every request: only where there is one.
                trust_env=bool(getproxies()),
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
        answer. The sending is timed with files only: anything else is in the network's hands at
        once."""
        if self._session is None:
            raise NetworkError("the connections are closed")
        has_files = request_data is not None and request_data.contains_files
        timeout = aiohttp.ClientTimeout(
            total=UPLOADED_WITHIN_S if has_files else None,
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
        except TimeoutError as e:
            raise TimedOut from e
        except (aiohttp.ClientError, OSError, ValueError) as e:
            # By its name alone: what it says can hold the address, and with it the token.
            raise NetworkError(type(e).__name__) from None
        if code == 401:
            self._on_unauthorized()
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """As the library does, which would write what it cannot read into the log. Of a message
        that was sent only the number and the place are handed on: for the rest, which we know, the
        library would make an object of every button."""
        try:
            told = json.loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise TelegramError("Invalid server response")
        result = told.get("result")
        if isinstance(result, dict) and "message_id" in result:
            told["result"] = {name: result[name] for name in _OF_A_MESSAGE if name in result}
        return told


class PollRequest(Request):
    """Keeps the updates for `fetched`. The library is told of none: it would read them a second
    time, and write what it cannot read into the log."""

    def __init__(self, on_unauthorized: Callable[[], None], read_within_s: float) -> None:
        super().__init__(on_unauthorized, 2, read_within_s)
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
