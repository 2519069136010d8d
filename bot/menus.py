"""What the bot tells Telegram of itself: the commands for whom they are, its name, what it is.

What Telegram has is read first, and only what differs is set: a name that is set again and again is
soon refused for a day. That something is refused, or that a server does not know the method, is a
line in the log and nothing more.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)
from telegram.error import TelegramError

from bot import admin_commands, commands, languages, words
from bot.app import Program
from bot.words import LANGUAGES, marked, tr

log = logging.getLogger("corollary.telegram")

DESCRIPTION = marked(
    "Answers follow-up questions of health professionals from vetted medical articles, word for"
    " word, with the source of every statement, and says so when the articles do not answer.\n\n"
    "For education only; it does not replace clinical judgement. Please type nothing that"
    " identifies a patient."
)
"""What an empty chat shows; at most 512 units."""
SHORT_DESCRIPTION = marked(
    "Follow-up questions on vetted medical articles, with sources. For health professionals."
)
"""What the bot's profile shows; at most 120 units."""
NOT_IN_GROUPS = frozenset({"start", "role", "export", "forget", "invite"})
"""What a person has to do with the bot alone."""


async def introduce(bot: Bot, program: Program) -> None:
    """Sets what is not yet as it should be, in each language and for each scope."""
    settings = program.settings
    # Without a language it is for all whose Telegram speaks another one.
    for code in (None, *LANGUAGES):
        with words.speaking(code or settings.language):
            for scope in (BotCommandScopeDefault(), BotCommandScopeAllGroupChats()):
                await _put(_commands(bot, scope, menu(scope), code))
            await _put(_description(bot, tr(DESCRIPTION), code))
            await _put(_short_description(bot, tr(SHORT_DESCRIPTION), code))
    if settings.bot_name is not None:
        await _put(_name(bot, settings.bot_name))
    for admin_id in settings.admin_ids:
        await languages.speak_to(program, f"telegram:{admin_id}")
        await for_chat(bot, admin_id, is_admin=True)


async def for_chat(bot: Bot, chat_id: int, *, is_admin: bool) -> None:
    """Shows in a private chat the menu in the language that is spoken, to an admin with the
    commands that others do not have. Telegram refuses it until they have started the bot, so it is
    done at their /start too."""
    scope = BotCommandScopeChat(chat_id)
    await _put(_commands(bot, scope, menu(scope, is_admin=is_admin), None))


def menu(scope: BotCommandScope, *, is_admin: bool = False) -> list[tuple[str, str]]:
    """The commands of a scope with what they are for, in the language that is spoken."""
    grouped = isinstance(scope, BotCommandScopeAllGroupChats)
    listed = [
        (c.name, tr(c.help))
        for c in commands.COMMANDS.values()
        if not (grouped and c.name in NOT_IN_GROUPS)
    ]
    if is_admin:
        listed += [(c.name, c.help) for c in admin_commands.COMMANDS.values()]
    return listed


# --------------------------------------------------------------------- one thing to be set


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing that Telegram keeps: what it should be, how it is read and set."""

    what: str
    wanted: object
    read: Callable[[], Awaitable[object]]
    set: Callable[[], Awaitable[object]]


async def _put(item: _Item) -> None:
    """Sets it, unless it is so already."""
    try:
        if await item.read() != item.wanted:
            await item.set()
    except TelegramError as e:
        # Whatever it is (too many requests, no such method): the bot answers without it.
        log.info("%s could not be set: %s", item.what, type(e).__name__)


def _commands(
    bot: Bot, scope: BotCommandScope, wanted: list[tuple[str, str]], code: str | None
) -> _Item:
    async def read() -> object:
        found: tuple[BotCommand, ...] = await bot.get_my_commands(scope, code)
        return [(c.command, c.description) for c in found]

    return _Item(
        f"the command menu ({scope.type}, {code or 'any language'})",
        wanted,
        read,
        lambda: bot.set_my_commands(wanted, scope, code),
    )


def _description(bot: Bot, wanted: str, code: str | None) -> _Item:
    async def read() -> object:
        return (await bot.get_my_description(code)).description

    return _Item(
        f"the description ({code or 'any language'})",
        wanted,
        read,
        lambda: bot.set_my_description(wanted, code),
    )


def _short_description(bot: Bot, wanted: str, code: str | None) -> _Item:
    async def read() -> object:
        return (await bot.get_my_short_description(code)).short_description

    return _Item(
        f"the short description ({code or 'any language'})",
        wanted,
        read,
        lambda: bot.set_my_short_description(wanted, code),
    )


def _name(bot: Bot, wanted: str) -> _Item:
    async def read() -> object:
        return (await bot.get_my_name()).name

    return _Item("the name", wanted, read, lambda: bot.set_my_name(wanted))
