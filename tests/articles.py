"""Articles, embeddings and reloads of a size for tests."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings

from store.article import Article, Review, ServingRules
from store.conversations import Database, sqlite_url
from store.parse import ParsedFile, parse_bytes
from store.reload import Recipe, in_a_thread, reload, restore, roll_back
from store.report import Report

EMBEDDER = "fake 16"
REFERENCES = {
    "1": {"kind": "rct", "title": "First trial", "pmid": "101", "year": "2020"},
    "2": {"kind": "cohort", "title": "Second study", "doi": "10.1000/xyz", "year": "2021"},
}
BODY = """\
## From the guidelines

- No guideline on aftercare was found.

## From the research

### Healing

- Wounds closed after nine days in most of the treated patients of the trial. [1]
- Redness faded more slowly with the stronger setting than with the weak one. [1, 2]
"""
TODAY = date(2026, 6, 1)


def article_file(body: str = BODY, **front: Any) -> bytes:
    """A sound article file; a field given as None is left out."""
    fields = {
        "slug": "aftercare",
        "title": "How is skin cared for after laser?",
        "topic": "Aftercare",
        "status": "under_review",
        "updated": "2026-01-02",
        "references": REFERENCES,
        **front,
    }
    # JSON is YAML; one field a line.
    lines = [f"{k}: {json.dumps(v)}" for k, v in fields.items() if v is not None]
    return "\n".join(["---", *lines, "---", "", body]).encode()


def parsed(body: str = BODY, **front: Any) -> ParsedFile:
    """What the parser makes of such a file."""
    return parse_bytes(article_file(body, **front), Path("aftercare.md"))


def an_article(body: str = BODY, **front: Any) -> Article:
    """The article of such a file."""
    found = parsed(body, **front)
    assert found.article is not None, found.problems
    return found.article


@contextmanager
def quick(seconds: float = 2) -> Iterator[None]:
    """Fails a block that takes more time of its own than this; a tracer's time is not counted."""
    started = time.thread_time()
    yield
    assert time.thread_time() - started < seconds or sys.gettrace() is not None


def approval_of(article: Article) -> Review:
    """An approval of the article as it is."""
    return Review("Dr A", date(2026, 1, 3), "approve", article.sha256())


class CountingEmbeddings(Embeddings):
    """Sixteen numbers that follow from the text; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._inner = DeterministicFakeEmbedding(size=16)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.asked.extend(texts)
        return self._inner.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        return self._inner.embed_query(text)


class BrokenEmbeddings(Embeddings):
    """Fails after so many texts."""

    def __init__(self, problem: Exception, after: int = 0) -> None:
        self._problem, self._left = problem, after

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self._left -= len(texts)
        if self._left < 0:
            raise self._problem
        return [[1.0, float(i)] for i, _ in enumerate(texts)]

    def embed_query(self, text: str) -> list[float]:
        raise self._problem


class Shelf:
    """A folder of articles and the store made from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.articles, self.builds = folder / "articles", folder / "builds"
        self.articles.mkdir(exist_ok=True)
        self.embeddings: Embeddings = CountingEmbeddings()
        self.recipe = Recipe(self.articles, ServingRules(serve_under_review=True), EMBEDDER)

    def put(self, slug: str, body: str = BODY, **front: Any) -> Path:
        """Writes an article."""
        path = self.articles / f"{slug}.md"
        path.write_bytes(article_file(body, slug=slug, **front))
        return path

    async def database(self) -> Database:
        """The database of the store; close it."""
        return await Database.open(sqlite_url(self.folder / "corollary.db"))

    async def reload(self, database: Database, **how: Any) -> Report:
        """A reload of it."""
        recipe = how.pop("recipe", self.recipe)
        worker = in_a_thread(how.pop("embeddings", self.embeddings))
        return await reload(database, self.builds, recipe, worker, who="test", today=TODAY, **how)

    async def roll_back(self, database: Database, to: str | None = None, **how: Any) -> Report:
        """A rollback of it."""
        worker = in_a_thread(self.embeddings)
        return await roll_back(
            database, self.builds, self.recipe, worker, who="test", to=to, today=TODAY, **how
        )

    async def restore(self, database: Database) -> Report:
        """A damaged build made anew from what it keeps."""
        worker = in_a_thread(self.embeddings)
        return await restore(database, self.builds, self.recipe, worker, who="test", today=TODAY)

    def folders(self) -> list[str]:
        """The builds on disk."""
        return sorted(p.name for p in self.builds.iterdir() if p.is_dir())


def reload_in_a_process(folder: Path) -> None:
    """A reload as another process makes it."""

    async def run() -> None:
        shelf = Shelf(folder)
        database = await shelf.database()
        try:
            await shelf.reload(database)
        finally:
            await database.close()

    asyncio.run(run())


class _Waiting(CountingEmbeddings):
    def __init__(self, ready: Any) -> None:
        super().__init__()
        self._ready = ready

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self._ready.set()
        time.sleep(60)
        return super().embed_documents(texts)


def reload_that_never_ends(folder: Path, ready: Any) -> None:
    """A reload in another process that is still embedding; `ready` is set once it is."""

    async def run() -> None:
        shelf = Shelf(folder)
        database = await shelf.database()
        await shelf.reload(database, embeddings=_Waiting(ready))

    asyncio.run(run())
