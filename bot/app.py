"""The program, built top to bottom from its settings, and closed in reverse."""

import asyncio
import hashlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.render import Disclaimer
from bot.settings import Settings
from chains.assistant import Assistant
from prompts import load
from store.article import ServingRules
from store.conversations import Database, sqlite_url
from store.errors import EmbedderMismatch, ModelUnavailable, StoreBusy, StoreProblem
from store.index import Progress, read_manifest
from store.library import Library
from store.reload import SAMPLES, Recipe, Report, reload

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

log = logging.getLogger("corollary")


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that a door needs."""

    settings: Settings
    database: Database
    library: Library
    assistant: Assistant
    embeddings: "Embeddings"
    recipe: Recipe
    builds: Path
    disclaimer: Disclaimer


Say = Callable[[str], None]
"""Tells the operator, not the clinician, what is being done."""


def rules_of(settings: Settings) -> ServingRules:
    """What may be quoted."""
    return ServingRules(settings.serves_under_review, settings.review_grace_days)


def disclaimer_of(settings: Settings) -> Disclaimer:
    """The disclaimer with the operator's name in it."""
    return Disclaimer(load("disclaimer", operator=settings.operator_name))


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
    return Recipe(SAMPLES, rules_of(settings), embedder, f"samples {digest.hexdigest()[:12]}")


def open_embeddings(settings: Settings) -> tuple["Embeddings", str, Callable[[str], float]]:
    """The embedding model, its identity, and how rare a word is. Raises ModelUnavailable."""
    if settings.embeddings == "minilm":
        from store.embeddings import IDENTITY, MiniLM

        model = MiniLM(settings.model_dir)
        model.load()
        return model, IDENTITY, model.rarity
    from langchain.embeddings import init_embeddings

    try:
        found = init_embeddings(settings.embeddings)
    except (ImportError, ValueError) as e:
        raise ModelUnavailable(
            f"COROLLARY_EMBEDDINGS={settings.embeddings} cannot be used: {e}",
            "Install the provider's package, or unset COROLLARY_EMBEDDINGS.",
        ) from e
    # Other models tell nothing of word frequency: every word counts in full.
    return found, settings.embeddings, lambda word: 1.0


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
async def open_program(
    settings: Settings, *, say: Say, progress: Progress | None = None, who: str = "start"
) -> AsyncIterator[Program]:
    """The program, with a build to serve: the one there is, or one made now."""
    keep_questions_here(settings, say)
    builds = data_dir(settings) / "builds"
    disclaimer = disclaimer_of(settings)
    database = await open_database(settings)
    try:
        embeddings, embedder, rarity = await asyncio.to_thread(open_embeddings, settings)
        recipe = recipe_of(settings, embedder)
        library = Library(database, builds, embedder)
        try:
            await _ensure_build(database, library, builds, recipe, embeddings, say, progress, who)
            assistant = Assistant(
                library=library,
                database=database,
                embeddings=embeddings,
                rules=rules_of(settings),
                rarity=rarity,
            )
            yield Program(
                settings, database, library, assistant, embeddings, recipe, builds, disclaimer
            )
        finally:
            await library.close()
    finally:
        await database.close()


async def _ensure_build(
    database: Database,
    library: Library,
    builds: Path,
    recipe: Recipe,
    embeddings: "Embeddings",
    say: Say,
    progress: Progress | None,
    who: str,
) -> None:
    deadline = time.monotonic() + WAIT_FOR_BUILD_S
    while not await _opens(database, library, builds, recipe, say):
        try:
            report = await reload(database, builds, recipe, embeddings, who=who, progress=progress)
            say(told(report))
        except StoreBusy as e:
            if time.monotonic() > deadline:
                raise
            say(f"{e.what} Waiting for it.")
            await asyncio.sleep(2)


WAIT_FOR_BUILD_S = 600
"""Another process that builds the same store is waited for this long at the start."""


async def _opens(
    database: Database, library: Library, builds: Path, recipe: Recipe, say: Say
) -> bool:
    """Whether the served build is the one the settings ask for, and whole."""
    name = await database.served_build()
    if name is None:
        return False
    try:
        if not recipe.made(read_manifest(builds, name)):
            say("The settings name other articles or rules than the build has: building anew.")
            return False
        async with library.borrow():
            return True
    except EmbedderMismatch:
        raise
    except StoreProblem as e:
        say(f"{e.what} Building anew from the articles.")
        return False


def told(report: Report) -> str:
    """A reload in one line."""
    counts = [
        f"{len(slugs)} {word}"
        for word, slugs in (
            ("added", report.added),
            ("changed", report.changed),
            ("removed", report.removed),
            ("unchanged", report.unchanged),
            ("not served", report.not_served),
            ("refused", report.refused),
        )
        if slugs
    ]
    return (
        f"Build {report.build}: {report.passages} passages, {report.embedded} embedded; "
        f"articles: {', '.join(counts) or 'none'}."
    )
