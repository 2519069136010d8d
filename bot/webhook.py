"""The HTTP side of the bot: Telegram's requests, and whether all is well.

A request with an update is answered when the update is safe in the mailbox, and not before: what is
not answered, Telegram sends again. The secret that Telegram sends along tells its requests from
those of anybody else who finds the address.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from telegram import Bot, Update

from bot.app import Program
from bot.intake import STOPPED, Intake
from bot.requests import patiently
from bot.settings import Settings
from store.errors import CorollaryError, SettingsProblem

log = logging.getLogger("corollary.telegram")

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
MOST_BYTES = 1_000_000
"""Of one request; the largest updates have some tens of thousands."""
CONNECTIONS = 40
"""How many of Telegram's requests may be open at once."""
READY_WITHIN_S = 3.0
BODY_WITHIN_S = 10.0
"""How long a request may take to come whole."""
ANSWERED_WITHIN_S = 2
"""How long requests that are open at the end may take."""
UPDATES = [Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY, STOPPED]

Handle = Callable[[Request], Awaitable[Response]]


def secret_of(settings: Settings) -> str:
    """The secret in force: the one that is set, else one that only who knows the token can make."""
    if settings.telegram_webhook_secret is not None:
        return settings.telegram_webhook_secret.get_secret_value()
    assert settings.telegram_token is not None
    token = settings.telegram_token.get_secret_value().encode()
    return hmac.new(token, b"corollary webhook", hashlib.sha256).hexdigest()


def app(program: Program, intake: Intake) -> Starlette:
    """The routes: /healthz, /readyz, and the path of the webhook when there is one."""

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    @_to_the_end
    async def ready(request: Request) -> Response:
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await program.database.ping()
                serves = await program.database.served_build() is not None
        except (CorollaryError, TimeoutError):
            return PlainTextResponse("the database does not answer", 503)
        if not serves or intake.closing:
            return PlainTextResponse("not serving", 503)
        return PlainTextResponse("ready")

    routes = [Route("/healthz", health), Route("/readyz", ready)]
    url = program.settings.telegram_webhook_url
    if url is not None:
        secret = secret_of(program.settings).encode()

        @_to_the_end
        async def update(request: Request) -> Response:
            given = request.headers.get(SECRET_HEADER, "").encode()
            if not hmac.compare_digest(given, secret):
                return PlainTextResponse("forbidden", 403)
            try:
                async with asyncio.timeout(BODY_WITHIN_S):
                    body = await _body(request)
            except (TimeoutError, ClientDisconnect):
                return PlainTextResponse("not whole in time", 408)
            if body is None:
                return PlainTextResponse("too large", 413)
            if intake.closing:
                return PlainTextResponse("ending", 503)
            try:
                told = json.loads(body)
            except (ValueError, RecursionError):
                told = None
            if await intake.take([told]) is None:
                return PlainTextResponse("not an update", 400)
            return PlainTextResponse("")

        routes.append(Route(urlsplit(url).path or "/", update, methods=["POST"]))
    return Starlette(routes=routes)


def _to_the_end(handle: Handle) -> Handle:
    """One that is broken off at the end is answered, too: what it brought comes again."""

    async def handled(request: Request) -> Response:
        try:
            return await handle(request)
        except asyncio.CancelledError:
            return PlainTextResponse("ending", 503)

    return handled


async def _body(request: Request) -> bytes | None:
    """The body of a request; None when it is too large, whatever it claims to be."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


@asynccontextmanager
async def serving(program: Program, bot: Bot, intake: Intake) -> AsyncIterator[str]:
    """Serves HTTP, and tells Telegram where when there is a webhook; the address."""
    settings = program.settings
    listener = _listen(settings.listen or "127.0.0.1:8080")
    host, port = listener.getsockname()[:2]
    server = _Server(
        uvicorn.Config(
            app(program, intake),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=ANSWERED_WITHIN_S,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        if settings.telegram_webhook_url is not None:
            set_webhook = partial(
                bot.set_webhook,
                settings.telegram_webhook_url,
                secret_token=secret_of(settings),
                allowed_updates=UPDATES,
                max_connections=CONNECTIONS,
                drop_pending_updates=False,
            )
            await patiently(set_webhook)
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listener.close()


class _Server(uvicorn.Server):
    """One that leaves the signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(where: str) -> socket.socket:
    """The open socket; SettingsProblem when it cannot be opened."""
    host, _, port = where.rpartition(":")
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    try:
        return socket.create_server((bare, int(port)), family=family, backlog=512)
    except OSError as e:
        raise SettingsProblem(
            f"COROLLARY_LISTEN={where} cannot be listened on: {e.strerror or e}.",
            "Choose another port, or end what uses it.",
        ) from e
