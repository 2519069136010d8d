"""`corollary telegram`: the bot from start to a clean end, by long polling or by webhook.

Both doors do the same with an update: it is kept in the mailbox, and then Telegram is told, by the
offset of the next poll or by the answer to its request. What is in work at the end is finished as
far as the time allows; the rest is in the mailbox and is taken up at the next start.
"""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from filelock import FileLock, Timeout
from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.ext import Application, ApplicationBuilder

from bot import alerts, corrections, digest, menus, privacy, words
from bot.alerts import ModelAlerts
from bot.app import Program
from bot.background import Background, log_fault
from bot.digest import DailyDigest
from bot.handlers import Handlers, conversation_of
from bot.intake import STOPPED, Intake
from bot.outgoing import LONGEST_PAUSE_S, Outgoing
from bot.requests import PollRequest, Request, is_taken_back, patiently, seconds
from store import shown
from store.errors import ServiceUnreachable, SettingsProblem, StoreBusy

log = logging.getLogger("corollary.telegram")

UPDATES = [Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY, STOPPED]
POLL_S = 10
"""How long a poll waits for something to happen."""
POLL_ANSWERED_WITHIN_S = 5.0
"""How much longer it waits for the server to say that nothing has."""
FINISH_WITHIN_S = 7.0
"""How long what is in work at the end may take."""
CONFLICTS, NEWCOMER_S = 3, 60.0
"""So many refusals because of another poller, so soon after the start, end this one."""
FIRST_PAUSE_S = 1.0
TOLD_EVERY_S = 600.0
"""That another program polls too is told once in this time, however often they meet."""
PRUNE_EVERY_S, RENEW_EVERY_S, LOOK_EVERY_S = 3600.0, 20.0, 10.0
CONNECTIONS = 32
"""Under 200 people fewer connections answer faster than the library's 256."""


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


async def serve(
    program: Program, say: Callable[[str], None], ending: Callable[[], None] = lambda: None
) -> None:
    """Runs until SIGTERM or Ctrl-C, then finishes what is in work; `ending` is called before.

    Raises SettingsProblem without a token, ServiceUnreachable when Telegram refuses it or is asked
    in vain at the start, StoreBusy when the same bot already polls with this data folder.
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
    await _made_ready(program)
    background = Background()
    door = build(program, token, unauthorized, background)
    application = door.application
    try:
        with one_at_a_time(program, door.outgoing.bot_id):
            async with AsyncExitStack() as opened:
                async with asyncio.timeout(None) as starting:
                    _on_signals(ended, starting, ending)
                    await opened.enter_async_context(open_door(door))
                    listens = await opened.enter_async_context(AsyncExitStack())
                    failed = await listens.enter_async_context(listening(program, door, say))
                background.start(menus.introduce(application.bot, program))
                tell_unasked(program, door.outgoing, background)
                keep_house(program, door, background)
                say(f"@{application.bot.username} is listening. Ctrl-C ends it.")
                await _first(ended, failed)
                say("Ending: answering what is in work.")
                until = time.monotonic() + FINISH_WITHIN_S
                await listens.aclose()
                left = await door.intake.drain(max(0.0, until - time.monotonic()))
                if left:
                    say(f"{left} chats could not be answered in time; they are at the next start.")
                await background.close()
    except TimeoutError:
        if not ended.is_set():
            raise
    except InvalidToken:
        raise _refused(settings.telegram_base_url) from None
    except TelegramError as e:
        raise ServiceUnreachable(
            f"Telegram cannot be reached at {_server(settings.telegram_base_url)}: "
            f"{type(e).__name__}.",
            "Check the network and COROLLARY_TELEGRAM_BASE_URL.",
        ) from None
    finally:
        await background.close()
    if refused.is_set():
        raise _refused(settings.telegram_base_url)


def _on_signals(
    ended: asyncio.Event, starting: asyncio.Timeout, ending: Callable[[], None]
) -> None:
    """Ends the bot at SIGTERM and Ctrl-C; a start that waits for the server is broken off."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        ending()
        ended.set()
        with suppress(RuntimeError):  # It has started.
            starting.reschedule(loop.time())

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)


async def _made_ready(program: Program) -> None:
    """Does once what the first question would wait for; in a large store that is seconds."""
    try:
        turn = await program.assistant.prepare()
        if turn is not None:
            await program.database.rehearse(turn, lambda c, turn_id: shown.noting(0, 0, turn_id)(c))
    except Exception as e:  # noqa: BLE001 - whoever asks is told
        log_fault(log, "making ready", e)


@dataclass(frozen=True, slots=True)
class Door:
    """The parts of a running bot."""

    application: "Application[Any, Any, Any, Any, Any, Any]"
    requests: PollRequest
    intake: Intake
    outgoing: Outgoing


@contextmanager
def one_at_a_time(program: Program, bot_id: int) -> Iterator[None]:
    """Refuses a second process that would poll for the same bot with the same data."""
    if program.settings.telegram_webhook_url is not None:
        yield
        return
    path = program.desk.builds.parent / f"telegram-{bot_id}.lock"
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise StoreBusy(
            "This bot already runs with this data folder.",
            "End the other process, or use COROLLARY_TELEGRAM_WEBHOOK_URL for several.",
        ) from None


@asynccontextmanager
async def open_door(door: Door) -> AsyncIterator[None]:
    """The bot made ready, and what an earlier run left in work; closed in reverse."""
    application = door.application
    try:
        await patiently(application.initialize)
        await application.start()
        await door.outgoing.open()
        again = await door.intake.replay()
        if again:
            log.info("%d updates of an earlier run are taken up", again)
        yield
    finally:
        # Whatever happened, nothing is begun any more.
        await door.intake.drain(0.0)
        if application.running:
            await application.stop()
        await application.shutdown()
        await application.bot.shutdown()


@asynccontextmanager
async def listening(
    program: Program, door: Door, say: Callable[[str], None] = lambda text: None
) -> AsyncIterator["asyncio.Task[None]"]:
    """Takes updates in until it is left. The task ends only when that is not possible any more."""
    settings = program.settings
    bot = door.application.bot
    if settings.telegram_webhook_url is None:
        await patiently(lambda: bot.delete_webhook(drop_pending_updates=False))
        task = asyncio.create_task(poll(bot, door.requests, door.intake.take))
    else:
        task = asyncio.create_task(_never())
    try:
        if settings.listen is None and settings.telegram_webhook_url is None:
            yield task
            return
        from bot import webhook

        async with webhook.serving(program, bot, door.intake) as where:
            say(f"Listening on {where}.")
            yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _never() -> None:
    await asyncio.Event().wait()


async def _first(ended: asyncio.Event, failed: "asyncio.Task[None]") -> None:
    """Waits for the end; raises what polling ended with."""
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait([waiting, failed], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if failed.done() and not ended.is_set():
        failed.result()


Take = Callable[[Sequence[Any]], Awaitable[int | None]]
"""Takes updates as Telegram tells of them; the number of the last one."""


async def poll(
    bot: Bot, requests: PollRequest, take: Take, clock: Callable[[], float] = time.monotonic
) -> None:
    """Fetches updates until it is cancelled, by the requests that the bot has for that. The offset
    moves when they have been taken. When another program begins to poll for the same bot, it goes
    on as soon as that one ends.

    Raises ServiceUnreachable when another program turns out to poll for the same bot, and
    InvalidToken when the token is not accepted.
    """
    offset: int | None = None
    pause_s, began, conflicts, told_at = FIRST_PAUSE_S, clock(), 0, -TOLD_EVERY_S
    while True:
        try:
            await bot.get_updates(offset=offset, timeout=POLL_S, allowed_updates=UPDATES)
            told = requests.fetched()
        except RetryAfter as e:
            await asyncio.sleep(seconds(e))
            continue
        except Conflict:
            # Telegram refuses each of two in turn. The one that came last gives way.
            conflicts += 1
            if conflicts >= CONFLICTS and clock() - began < NEWCOMER_S:
                raise ServiceUnreachable(
                    "Another program already fetches the messages of this bot.",
                    "End it, or use a token of its own for this one.",
                ) from None
            if clock() - told_at >= TOLD_EVERY_S:
                told_at = clock()
                log.warning(
                    "another program fetches the messages of this bot too: end it, or let it have "
                    "a token of its own; until then this one tries again and again"
                )
        except InvalidToken as e:
            if is_taken_back(e):
                raise
            log.warning("polling: not found; trying again")
        except TimedOut:
            continue
        except TelegramError as e:
            log.warning("polling: %s; trying again", type(e).__name__)
        except Exception as e:  # noqa: BLE001 - a server may answer anything
            log_fault(log, "polling", e)
        else:
            try:
                number = await take(told)
            except Exception as e:  # noqa: BLE001 - what was not taken comes again
                log_fault(log, "taking updates in", e)
            else:
                if number is not None:
                    offset = number + 1
                if number is not None or not told:
                    pause_s = FIRST_PAUSE_S
                    continue
                # Without a number no offset moves: they would come again at once, and for ever.
                log.warning("polling: updates without a number; trying again")
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def keep_house(program: Program, door: Door, background: Background) -> None:
    """Starts what keeps the mailbox small and this process known to be alive; and, since nothing
    is fetched by webhook, a look at whether the token is still accepted."""
    mailbox, bot = program.database.mailbox, door.application.bot
    background.repeat(PRUNE_EVERY_S, mailbox.prune)
    background.repeat(RENEW_EVERY_S, mailbox.renew)
    if program.settings.telegram_webhook_url is not None:
        background.repeat(RENEW_EVERY_S, door.intake.replay)
        background.repeat(LOOK_EVERY_S, lambda: _look(bot))


async def _look(bot: Bot) -> None:
    try:
        await bot.get_me()
    except TelegramError as e:
        log.warning("Telegram does not answer: %s", type(e).__name__)


def tell_unasked(program: Program, outgoing: Outgoing, background: Background) -> None:
    """Starts what is told without a question: corrections, the daily digest of admins, and that
    the chat model does not work."""
    settings = program.settings
    background.repeat(privacy.EVERY_S, lambda: privacy.expire(program))
    if settings.corrections:
        background.repeat(
            corrections.EVERY_S, lambda: corrections.tell_all(program, outgoing.deliver)
        )
    if settings.admin_ids and settings.digest_hour >= 0:
        background.repeat(digest.EVERY_S, DailyDigest(program, outgoing.deliver).look)
    if settings.admin_ids and program.chat_model is not None:
        background.repeat(alerts.EVERY_S, ModelAlerts(program, outgoing.deliver).look)


def build(
    program: Program,
    token: str,
    on_unauthorized: Callable[[], None],
    background: Background | None = None,
) -> Door:
    """The PTB application with our mailbox, our door and our handlers. `background` holds what goes
    on besides; who gives it closes it."""
    base_url = program.settings.telegram_base_url
    mailbox = program.database.mailbox
    intake = Intake(
        mailbox,
        int(token.partition(":")[0]),
        conversation_of=conversation_of,
        # Of several that poll Telegram lets only one.
        shared=program.settings.telegram_webhook_url is not None,
    )
    polls = PollRequest(base_url, on_unauthorized, POLL_ANSWERED_WITHIN_S)
    application = (
        ApplicationBuilder()
        .token(token)
        .base_url(base_url)
        .base_file_url(f"{_server(base_url)}/file/bot")
        .request(Request(base_url, on_unauthorized, CONNECTIONS))
        .get_updates_request(polls)
        .updater(None)
        .update_queue(intake)
        .build()
    )
    rich = program.settings.telegram_rich
    outgoing = Outgoing(application.bot, program.disclaimer, mailbox, rich=rich)
    intake.hand_to(application.bot, application.process_update, outgoing.resend)
    Handlers(program, outgoing, background or Background()).add_to(application)
    return Door(application, polls, intake, outgoing)


def _server(base_url: str) -> str:
    return base_url.rstrip("/").removesuffix("/bot")


def _refused(base_url: str) -> ServiceUnreachable:
    return ServiceUnreachable(
        f"{_server(base_url)} does not accept COROLLARY_TELEGRAM_TOKEN.",
        "Compare it with the one that @BotFather gave; /revoke there makes a new one.",
    )
