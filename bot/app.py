"""The program, built top to bottom from its settings, and closed in reverse."""

import asyncio
import hashlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values

import prompts
from bot import words
from bot.render import Disclaimer
from bot.reports import told
from bot.settings import OPERATOR, PREFIX, Settings
from bot.worker import in_a_process
from chains.assistant import Assistant
from chains.llm import ChatModel, open_chat_model
from prompts import translated
from store.article import ServingRules
from store.conversations import Database, sqlite_url
from store.errors import (
    EmbedderMismatch,
    ModelUnavailable,
    NothingKept,
    SettingsProblem,
    StoreBusy,
    StoreProblem,
)
from store.index import Progress, read_manifest
from store.library import Library
from store.reload import SAMPLES, Recipe, Worker, reload, restore
from store.report import Report

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from chains.write import Writer

log = logging.getLogger("corollary")

SAMPLES_NAMED = "samples "
"""How the source of a build of the sample articles begins."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What keeping the articles needs; no embedding model and no open build."""

    settings: Settings
    database: Database
    recipe: Recipe
    worker: Worker
    builds: Path


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that a door needs. Without a chat model answers are quotations."""

    settings: Settings
    database: Database
    library: Library
    assistant: Assistant
    embeddings: "Embeddings"
    desk: Desk
    disclaimer: Disclaimer
    chat_model: ChatModel | None = None


Say = Callable[[str], None]
"""Tells the operator, not the clinician, what is being done."""


def rules_of(settings: Settings) -> ServingRules:
    """What may be quoted."""
    return ServingRules(
        settings.serves_under_review, settings.review_grace_days, settings.approvals
    )


def operator_of(settings: Settings) -> str:
    """Who runs this; the name that stands there by itself in the language that is spoken."""
    name = settings.operator_name
    return words.tr(name) if name == OPERATOR else name


def disclaimer_of(settings: Settings) -> Disclaimer:
    """The disclaimer in each language, with the operator's name in it."""
    texts = {}
    for code in words.LANGUAGES:
        with words.speaking(code):
            texts[code] = translated("disclaimer", code, operator=operator_of(settings))
    return Disclaimer(texts.pop(words.ENGLISH), texts)


def articles_dir(settings: Settings) -> Path:
    """The article folder in force: the configured one, else the samples."""
    return settings.articles_dir.expanduser().absolute() if settings.articles_dir else SAMPLES


def recipe_of(settings: Settings, embedder: str) -> Recipe:
    """What a build is to be made from. The samples count as another source when they change."""
    if settings.articles_dir is not None:
        folder = articles_dir(settings)
        return Recipe(folder, rules_of(settings), embedder, str(folder))
    digest = hashlib.sha256()
    for path in sorted(SAMPLES.glob("*.md")):
        digest.update(path.read_bytes())
    return Recipe(
        SAMPLES, rules_of(settings), embedder, f"{SAMPLES_NAMED}{digest.hexdigest()[:12]}"
    )


def embedder_of(settings: Settings) -> str:
    """The identity of the embedding model in force, which a build remembers."""
    if settings.embeddings == "minilm":
        from store.embeddings import IDENTITY

        return IDENTITY
    return settings.embeddings


def open_embeddings(settings: Settings) -> tuple["Embeddings", str, Callable[[str], float]]:
    """The embedding model, its identity, and how rare a word is. Raises ModelUnavailable."""
    if settings.embeddings == "minilm":
        from store.embeddings import IDENTITY, MiniLM

        model = MiniLM(settings.model_dir)
        model.load()
        return model, IDENTITY, model.rarity
    from langchain.embeddings import init_embeddings

    provider_keys()
    try:
        found = init_embeddings(settings.embeddings)
    except (ImportError, ValueError) as e:
        raise ModelUnavailable(
            f"COROLLARY_EMBEDDINGS={settings.embeddings} cannot be used: {e}",
            "Install the provider's package, or unset COROLLARY_EMBEDDINGS.",
        ) from e
    # Other models tell nothing of word frequency: every word counts in full.
    return found, settings.embeddings, lambda word: 1.0


def provider_keys() -> None:
    """Puts the keys of model providers that stand in `.env` where their clients look for them.
    What is in the environment already stays."""
    for name, value in dotenv_values(".env").items():
        if value and not name.startswith(PREFIX) and name.endswith(("_API_KEY", "_API_TOKEN")):
            os.environ.setdefault(name, value)


def open_model(settings: Settings) -> ChatModel | None:
    """The chat model that is set, without a call to it; None when none is. Raises SettingsProblem
    and ServiceUnreachable."""
    if settings.chat_model is None:
        return None
    provider_keys()
    key = settings.chat_model_key
    return open_chat_model(
        settings.chat_model,
        base_url=settings.chat_model_base_url,
        key=key.get_secret_value() if key else None,
        timeout_s=settings.chat_model_timeout_s,
        at_once=settings.chat_model_at_once,
    )


def writer_of(
    settings: Settings, model: ChatModel | None, embeddings: "Embeddings"
) -> "Writer | None":
    """What puts answers into words; None without a model."""
    if model is None:
        return None
    # Its check of sentences takes a fifth of the time of a start to import.
    from chains.grounding import Grounder
    from chains.write import Writer

    return Writer(
        model,
        Grounder(embeddings),
        timeout_s=settings.chat_model_timeout_s,
        second_opinion=settings.chat_model_second_opinion,
        tokens_per_day=settings.chat_model_tokens_per_day,
    )


def keep_questions_here(settings: Settings, say: Say) -> None:
    """LangSmith tracing would send every question to another service: off unless allowed."""
    wanted = [
        n
        for n in ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2")
        if os.environ.get(n, "").lower() in {"1", "true", "yes"}
    ]
    if wanted and not settings.allow_tracing:
        for name in wanted:
            os.environ[name] = "false"
        say(
            f"{', '.join(wanted)} ignored: tracing sends questions to another service. "
            "COROLLARY_ALLOW_TRACING=true allows it."
        )


async def open_database(settings: Settings) -> Database:
    """The SQL database; the data folder is made when the default one is used."""
    if settings.database_url is not None:
        return await Database.open(settings.database_url.get_secret_value())
    folder = data_dir(settings)
    return await Database.open(sqlite_url(folder / "corollary.db"))


def data_dir(settings: Settings) -> Path:
    """The data folder, made when missing; StoreProblem when it cannot be written to."""
    folder = settings.data_dir.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as e:
        raise StoreProblem(
            f"The data folder {folder} cannot be written to: {e.strerror or e}.",
            "Set COROLLARY_DATA_DIR to a folder that may be written to.",
        ) from e
    return folder


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """The database and the builds folder, for those who keep the articles."""
    builds = data_dir(settings) / "builds"
    database = await open_database(settings)
    try:
        recipe = recipe_of(settings, embedder_of(settings))
        yield Desk(settings, database, recipe, in_a_process(settings), builds)
    finally:
        await database.close()


@asynccontextmanager
async def open_program(
    settings: Settings, *, say: Say, progress: Progress | None = None
) -> AsyncIterator[Program]:
    """The program, with a build to serve: the one there is, or one made now."""
    keep_questions_here(settings, say)
    if faults := prompts.check():
        raise SettingsProblem(f"{faults[0]}.", "Put the prompt back as it was installed.")
    disclaimer = disclaimer_of(settings)
    async with open_desk(settings) as desk:
        embeddings, _, rarity = await asyncio.to_thread(open_embeddings, settings)
        chat_model = await asyncio.to_thread(open_model, settings)
        library = Library(desk.database, desk.builds, desk.recipe.embedder)
        try:
            await _ensure_build(desk, library, say, progress)
            assistant = Assistant(
                library=library,
                database=desk.database,
                embeddings=embeddings,
                rules=desk.recipe.rules,
                rarity=rarity,
                writer=writer_of(settings, chat_model, embeddings),
            )
            yield Program(
                settings=settings,
                database=desk.database,
                library=library,
                assistant=assistant,
                embeddings=embeddings,
                desk=desk,
                disclaimer=disclaimer,
                chat_model=chat_model,
            )
        finally:
            await library.close()
            if chat_model is not None:
                await chat_model.close()


async def _ensure_build(desk: Desk, library: Library, say: Say, progress: Progress | None) -> None:
    deadline = time.monotonic() + WAIT_FOR_BUILD_S
    restored = False
    while (state := await _state(desk, library, say)) is not _State.SOUND:
        try:
            if state is _State.DAMAGED and not restored:
                try:
                    say(told(await restore_at(desk, progress)))
                    restored = True
                    continue
                except NothingKept as e:
                    say(f"{e.what} Building anew from the article folder.")
            say(told(await reload_at(desk, who="start", progress=progress)))
        except StoreBusy as e:
            if time.monotonic() > deadline:
                raise
            say(f"{e.what} Waiting for it.")
            await asyncio.sleep(2)


async def restore_at(desk: Desk, progress: Progress | None) -> Report:
    """The served build made anew from what it keeps; see `store.reload.restore`."""
    return await restore(
        desk.database, desk.builds, desk.recipe, desk.worker, who="start", progress=progress
    )


async def reload_at(
    desk: Desk,
    *,
    who: str,
    check_only: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """A reload of the article folder; see `store.reload.reload`."""
    return await reload(
        desk.database,
        desk.builds,
        desk.recipe,
        desk.worker,
        who=who,
        check_only=check_only,
        force=force,
        progress=progress,
        kept_builds=desk.settings.keep_builds,
    )


WAIT_FOR_BUILD_S = 600
"""Another process that builds the same store is waited for this long at the start."""


class _State(Enum):
    """How the served build is found at the start."""

    SOUND = 1
    DAMAGED = 2
    NOT_WANTED = 3
    """There is none, or it was made from other articles or by other rules."""


def _refuse_other_folder(desk: Desk, served: str) -> None:
    """A start never takes the articles of another folder out of service; a reload does, which
    says so. The samples give way to whatever is configured."""
    if served != desk.recipe.named and not served.startswith(SAMPLES_NAMED):
        raise SettingsProblem(
            f"{desk.builds.parent} serves the articles of {served}; the settings name "
            f"{desk.recipe.named}.",
            "Set COROLLARY_ARTICLES_DIR to that folder or COROLLARY_DATA_DIR to another one, or "
            "run `corollary articles reload` to serve these instead.",
        )


async def _state(desk: Desk, library: Library, say: Say) -> _State:
    name = await desk.database.served_build()
    if name is None:
        return _State.NOT_WANTED
    try:
        manifest = read_manifest(desk.builds, name)
        if not desk.recipe.made(manifest):
            _refuse_other_folder(desk, manifest.source)
            say("The settings name other articles or rules than the build has: building anew.")
            return _State.NOT_WANTED
        async with library.borrow():
            return _State.SOUND
    except EmbedderMismatch:
        raise
    except StoreProblem as e:
        say(f"{e.what} Building anew from the articles that it keeps.")
        return _State.DAMAGED
