"""`corollary doctor`: what is configured, what works, and what to do about what does not."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from langchain_core.messages import HumanMessage

from bot.app import articles_dir, data_dir, open_database, open_embeddings, open_model
from bot.settings import Settings, unknown_names
from chains.llm import WORDS, Allowance, ModelFailed
from store.errors import CorollaryError, ServiceUnreachable, SettingsProblem, StoreProblem
from store.index import open_build
from store.parse import article_files, parse_paths


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `works` is None when it is not configured or could not be looked at."""

    subject: str
    works: bool | None
    told: str
    todo: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Every check, each on its own: one that fails does not hide the next."""
    found = [
        await _look("data folder", lambda: _data_folder(settings)),
        await _look("embedding model", lambda: _model(settings)),
        await _look("database", lambda: _database(settings)),
        await _look("articles", lambda: _articles(settings)),
        await _look("store", lambda: _store(settings)),
        await _look("Telegram", lambda: _telegram(settings)),
        await _look("chat model", lambda: _chat_model(settings)),
    ]
    found += [Finding("settings", False, text, "Correct or unset it.") for text in unknown_names()]
    if os.environ.get("LANGSMITH_TRACING", "").lower() in {"1", "true"}:
        told = "LANGSMITH_TRACING is set: it sends questions to another service"
        ignored = "" if settings.allow_tracing else " (switched off here)"
        found.append(Finding("tracing", not settings.allow_tracing, told + ignored))
    return found


async def _look(subject: str, check: Callable[[], Awaitable[tuple[bool | None, str]]]) -> Finding:
    try:
        works, told = await check()
        return Finding(subject, works, told)
    except CorollaryError as e:
        return Finding(subject, False, e.what, e.todo)


async def _data_folder(settings: Settings) -> tuple[bool, str]:
    return True, f"{data_dir(settings)} can be written to"


async def _model(settings: Settings) -> tuple[bool, str]:
    embeddings, identity, _ = await asyncio.to_thread(open_embeddings, settings)
    try:
        vector = await asyncio.to_thread(embeddings.embed_query, "recurrence")
    except Exception as e:  # noqa: BLE001 - a provider may raise anything; it is told, not hidden
        raise ServiceUnreachable(
            f"{identity} does not answer: {type(e).__name__}.", "Check its key and network."
        ) from e
    return True, f"{identity}, {len(vector)} dimensions"


async def _database(settings: Settings) -> tuple[bool, str]:
    database = await open_database(settings)
    try:
        return True, f"{await database.ping()} at {database.shown}"
    finally:
        await database.close()


async def _articles(settings: Settings) -> tuple[bool, str]:
    folder = articles_dir(settings)
    files = await asyncio.to_thread(parse_paths, article_files(folder))
    refused = [f.path.name for f in files if not f.accepted]
    if refused:
        raise StoreProblem(
            f"{len(refused)} of {len(files)} files in {folder} are refused: "
            f"{', '.join(refused[:5])}.",
            f"`corollary articles check {folder}` says why.",
        )
    return True, f"{len(files)} in {folder}"


async def _store(settings: Settings) -> tuple[bool | None, str]:
    _, embedder, _ = await asyncio.to_thread(open_embeddings, settings)
    database = await open_database(settings)
    try:
        name = await database.served_build()
    finally:
        await database.close()
    if name is None:
        return None, "no build yet; the first chat, or `corollary articles reload`, makes one"
    root: Path = data_dir(settings) / "builds"
    build = await asyncio.to_thread(open_build, root, name, embedder=embedder)
    try:
        told = f"build {name}: {len(build.articles)} articles, {len(build.passages)} passages"
        return True, told + ", files whole, index answers"
    finally:
        await asyncio.to_thread(build.close)


async def _telegram(settings: Settings) -> tuple[bool | None, str]:
    if settings.telegram_token is None:
        return None, "COROLLARY_TELEGRAM_TOKEN is not set"
    return True, f"@{await bot_name(settings)} (access: {settings.access.value})"


async def bot_name(settings: Settings) -> str:
    """The name that the bot has in Telegram, asked with its token."""
    from telegram import Bot
    from telegram.error import InvalidToken, TelegramError

    from bot.polling import quiet_logs
    from bot.requests import Request

    if settings.telegram_token is None:
        raise SettingsProblem(
            "COROLLARY_TELEGRAM_TOKEN is not set.", "Set it, or give the bot's name: --bot @name."
        )
    token = settings.telegram_token.get_secret_value()
    quiet_logs(token)
    try:
        requests = Request(settings.telegram_base_url, lambda: None, 1)
        async with Bot(token, settings.telegram_base_url, request=requests) as bot:
            return str(bot.username)
    except InvalidToken:
        raise ServiceUnreachable(
            "the server does not accept COROLLARY_TELEGRAM_TOKEN.",
            "Compare it with the one from @BotFather.",
        ) from None
    except TelegramError as e:
        raise ServiceUnreachable(
            f"{settings.telegram_base_url} does not answer: {type(e).__name__}.",
            "Check the network and COROLLARY_TELEGRAM_BASE_URL.",
        ) from None


async def _chat_model(settings: Settings) -> tuple[bool | None, str]:
    model = open_model(settings)
    if model is None:
        return None, "none set: answers are quotations"
    asked = [HumanMessage("Answer with the word yes.")]
    try:
        await model.answer(asked, Allowance(settings.chat_model_timeout_s, calls=1))
    except ModelFailed as e:
        raise ServiceUnreachable(
            f"{model.name} {WORDS[e.code]}.",
            "Check its key, its name and COROLLARY_CHAT_MODEL_BASE_URL. Until it answers, people "
            "get quotations.",
        ) from None
    finally:
        await model.close()
    return True, f"{model.name} answers and writes; every sentence is checked"
