"""`corollary telegram`: the bot by long polling, from start to a clean end."""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Any

from telegram import Update
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder
from telegram.request import HTTPXRequest

from bot import alerts, corrections, digest, menus, words
from bot.alerts import ModelAlerts
from bot.app import Program
from bot.background import Background
from bot.digest import DailyDigest
from bot.handlers import Handlers, InOrder
from bot.outgoing import Outgoing
from store.errors import ServiceUnreachable, SettingsProblem

log = logging.getLogger("corollary.telegram")

UPDATES = [Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY]
CONNECTIONS = 32
"""Under 200 people fewer connections answer faster than the library's 256."""


class WatchedRequest(HTTPXRequest):
    """Notices when Telegram takes the token back, which the poller alone would not survive."""

    def __init__(self, on_unauthorized: Callable[[], None], **options: Any) -> None:
        super().__init__(**options)
        self._on_unauthorized = on_unauthorized

    async def do_request(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        code, payload = await super().do_request(*args, **options)
        if code == 401:
            self._on_unauthorized()
        return code, payload


class _HideToken(logging.Filter):
    """Takes the token out of every record, whoever wrote it."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if self._token in text:
            record.msg, record.args = text.replace(self._token, "<token>"), ()
        if record.exc_info:
            # With the causes: an error that does not name the token can come of one that does.
            trace = record.exc_text or _FORMATTER.formatException(record.exc_info)
            if self._token in trace:
                record.exc_text = trace.replace(self._token, "<token>")
                record.exc_info = None
        return True


_FORMATTER = logging.Formatter()


def quiet_logs(token: str) -> None:
    """No request lines (Telegram's contain the token), and no token anywhere."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_HideToken(token))


async def serve(program: Program, say: Callable[[str], None]) -> None:
    """Runs until SIGTERM or Ctrl-C, then finishes what is in work.

    Raises SettingsProblem without a token, ServiceUnreachable when Telegram refuses it or cannot
    be reached at the start.
    """
    settings = program.settings
    if settings.telegram_token is None:
        raise SettingsProblem(
            "COROLLARY_TELEGRAM_TOKEN is not set.",
            "Get a token from @BotFather in Telegram and put it into .env.",
        )
    token = settings.telegram_token.get_secret_value()
    quiet_logs(token)
    ended, refused = asyncio.Event(), asyncio.Event()

    def unauthorized() -> None:
        # The library and its lost polls would tell of it several times, each with a traceback;
        # the operator gets the one line below.
        for name in ("telegram.ext", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        refused.set()
        ended.set()

    words.speak(settings.language)
    background = Background()
    application = build(program, token, unauthorized, background)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        await application.initialize()
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling(
            allowed_updates=UPDATES, drop_pending_updates=False, error_callback=_poll_error
        )
        background.start(menus.introduce(application.bot, program))
        tell_unasked(program, Outgoing(application.bot, program.disclaimer), background)
        say(f"@{application.bot.username} is listening. Ctrl-C ends it.")
        await ended.wait()
        say("Ending: answering what is in work.")
    except InvalidToken:
        raise _refused(settings.telegram_base_url) from None
    except TelegramError as e:
        raise ServiceUnreachable(
            f"Telegram cannot be reached at {_server(settings.telegram_base_url)}: "
            f"{type(e).__name__}.",
            "Check the network and COROLLARY_TELEGRAM_BASE_URL.",
        ) from None
    finally:
        await _end(application, background)
    if refused.is_set():
        raise _refused(settings.telegram_base_url)


def tell_unasked(program: Program, outgoing: Outgoing, background: Background) -> None:
    """Starts what is told without a question: corrections, the daily digest of admins, and that
    the chat model does not work."""
    settings = program.settings
    if settings.corrections:
        background.repeat(
            corrections.EVERY_S, lambda: corrections.tell_all(program, outgoing.deliver)
        )
    if settings.admin_ids and settings.digest_hour >= 0:
        background.repeat(digest.EVERY_S, DailyDigest(program, outgoing.deliver).look)
    if settings.admin_ids and program.chat_model is not None:
        background.repeat(alerts.EVERY_S, ModelAlerts(program, outgoing.deliver).look)


async def _end(
    application: "Application[Any, Any, Any, Any, Any, Any]", background: Background
) -> None:
    """Ends what runs: no more updates, then what is in work, then the connections."""
    if application.updater is not None and application.updater.running:
        await application.updater.stop()
    if application.running:
        await application.stop()
    await background.close()
    await application.shutdown()
    await application.bot.shutdown()


def build(
    program: Program,
    token: str,
    on_unauthorized: Callable[[], None],
    background: Background | None = None,
) -> "Application[Any, Any, Any, Any, Any, Any]":
    """The PTB application with our order, our door and our handlers. `background` holds what
    goes on besides; who gives it closes it."""
    base_url = program.settings.telegram_base_url
    application = (
        ApplicationBuilder()
        .token(token)
        .base_url(base_url)
        .base_file_url(f"{_server(base_url)}/file/bot")
        .request(WatchedRequest(on_unauthorized, **_REQUEST))
        .get_updates_request(WatchedRequest(on_unauthorized, connection_pool_size=2))
        .concurrent_updates(InOrder())
        .build()
    )
    outgoing = Outgoing(application.bot, program.disclaimer)
    Handlers(program, outgoing, background or Background()).add_to(application)
    return application


_REQUEST: dict[str, Any] = {
    "connection_pool_size": CONNECTIONS,
    "pool_timeout": 30.0,
    "read_timeout": 20.0,
    "write_timeout": 20.0,
}


def _poll_error(error: TelegramError) -> None:
    log.warning("polling: %s; trying again", type(error).__name__)


def _server(base_url: str) -> str:
    return base_url.rstrip("/").removesuffix("/bot")


def _refused(base_url: str) -> ServiceUnreachable:
    return ServiceUnreachable(
        f"{_server(base_url)} does not accept COROLLARY_TELEGRAM_TOKEN.",
        "Compare it with the one that @BotFather gave; /revoke there makes a new one.",
    )
