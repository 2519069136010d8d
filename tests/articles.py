"""Articles, embeddings and reloads of a size for tests."""

import asyncio
import json
import multiprocessing
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from multiprocessing import forkserver
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings

from bot import worker
from bot.app import embedder_of, recipe_of
from bot.settings import Settings
from store import conversations, index
from store import reload as reloads
from store.article import Article, Review, ServingRules
from store.conversations import Database, sqlite_url
from store.errors import CorollaryError, StoreBusy, StoreProblem
from store.parse import ParsedFile, parse_bytes
from store.reload import Recipe, in_a_thread, reload, restore, roll_back
from store.report import Report

FORKS: Any = multiprocessing.get_context("forkserver")
"""Processes of which each is ready in a moment, and that share nothing with this one."""
FORKS.set_forkserver_preload(
    "chromadb chromadb.api.rust bot.app bot.worker chains.rehearse store.reload aiosqlite "
    "sqlalchemy.dialects.sqlite.aiosqlite langchain.embeddings langchain_core.embeddings "
    "pydantic.dataclasses alembic.command onnxruntime tokenizers".split()
)
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


# ------------------------------------------------------------------ other processes


def _ends_with(run: Coroutine[Any, Any, None]) -> None:
    """Runs it; a problem that is told in words is exit code 1, and no noise."""
    try:
        asyncio.run(run)
    except CorollaryError:
        sys.exit(1)


def reload_in_a_process(folder: Path, recipe: Recipe | None = None) -> None:
    """A reload as another process makes it."""

    async def run() -> None:
        shelf = Shelf(folder)
        database = await shelf.database()
        try:
            await shelf.reload(database, recipe=recipe or shelf.recipe)
        finally:
            await database.close()

    _ends_with(run())


OLD_AFTER = (
    "reading",
    "embedding",
    "indexing",
    "manifest",
    "verifying",
    "before the switch",
    "in the switch",
)
"""Moments of a reload at which a kill leaves the old build."""
NEW_AFTER = ("after the switch", "cleaning")
"""And those at which it leaves the new one."""


def reload_killed_at(folder: Path, moment: str, recipe: Recipe | None = None) -> None:
    """A reload in a process that is killed at that moment, by itself so that it is no other."""

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def progress(step: str, done: int, total: int) -> None:
        if step == moment:
            die()

    async def run() -> None:
        shelf = Shelf(folder)
        database = await shelf.database()
        switch, remove = database.switch, index.remove_builds

        async def switching(*args: Any, **how: Any) -> Any:
            if moment == "before the switch":
                die()
            found = await switch(*args, **how)
            if moment == "after the switch":
                die()
            if moment == "cleaning":

                def removing(root: Path, keep: set[str], older_than_s: float = 0) -> list[str]:
                    remove(root, keep)
                    die()
                    return []

                index.remove_builds = removing
            return found

        database.switch = switching  # type: ignore[method-assign]
        if moment == "in the switch":
            conversations._stand = die  # type: ignore[assignment]
        if moment == "manifest":
            index._write_durably = die
        await shelf.reload(database, recipe=recipe or shelf.recipe, progress=progress)

    _ends_with(run())


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

    _ends_with(run())


def reload_with_another(folder: Path, both: Any, told: Any) -> None:
    """A reload that begins when another process is ready too; how it went is told."""

    async def run() -> str:
        shelf = Shelf(folder)
        database = await shelf.database()
        try:
            await asyncio.to_thread(both.wait, 30)
            return f"built {(await shelf.reload(database)).build}"
        except StoreBusy as e:
            return f"busy {e.what}"
        finally:
            await database.close()

    told.put((os.getpid(), asyncio.run(run())))


def open_and_search(root: Path, build: str, embedder: str, pipe: Any) -> None:
    """Opens a build and searches it, where it may crash; tells also what Chroma was handed."""
    seen: list[str] = []
    chroma = index._chroma

    def noted(folder: Path) -> Any:
        seen.append(str(folder))
        return chroma(folder)

    index._chroma = noted
    try:
        found = index.open_build(root, build, embedder=embedder)
        found.nearest_of(np.asarray(found.vectors), 3)
        pipe.send(("opened", "", seen))
    except StoreProblem as e:
        pipe.send(("damaged", e.what, seen))


def ended(pid: int, timeout_s: float = 30) -> bool:
    """Whether a process, anybody's child, has ended or ends within the time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], timeout_s)[0])
    finally:
        os.close(handle)


# ------------------------------------------------------------------ a worker that can be met


class Attended(CountingEmbeddings):
    """An embedding model as a provider's package brings it. Its name is that of a door: whoever
    keeps it is told of every call, and says how it goes on."""

    def __init__(self, model: str, **_: object) -> None:
        super().__init__()
        self._door = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self._attend("documents", texts[0])
        return super().embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        self._attend("query", text)
        return super().embed_query(text)

    def _attend(self, call: str, text: str) -> None:
        order = b""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
            caller.connect(self._door)
            caller.sendall(f"{call} {os.getpid()}".encode())
            order = caller.recv(100)
        if order == b"raise":
            raise ValueError(f"cannot embed: {text}")
        if order == b"kill":
            os.kill(os.getpid(), signal.SIGKILL)


class Door:
    """Where a worker that embeds is met. Nobody waits at one that is closed or was never kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket: socket.socket | None = None

    def keep(self) -> "Door":
        """From now on every call waits."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.path))
        self._socket.listen()
        self._socket.settimeout(60)
        return self

    def meet(self) -> tuple[socket.socket, str, int]:
        """The next caller (answer it), what it calls, and its process."""
        assert self._socket is not None
        caller, _ = self._socket.accept()
        call, pid = caller.recv(100).decode().split()
        return caller, call, int(pid)

    def answer(self, order: bytes = b"go") -> int:
        """Tells the next caller how it goes on; its process."""
        caller, _, pid = self.meet()
        with caller:
            caller.sendall(order)
        return pid

    def close(self) -> None:
        """From now on no call waits."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self.path.unlink()


class Bench(Shelf):
    """A shelf kept with the program's own settings and worker; its embedding model is attended.

    Its folder is the data folder, so that `corollary` works on it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.door = Door(folder / "door")
        self.package = folder / "package"
        self.package.mkdir(exist_ok=True)
        (self.package / "langchain_ollama.py").write_text(
            "from articles import Attended as OllamaEmbeddings\n"
        )
        self.settings = Settings(
            _env_file=None,  # type: ignore[call-arg]  # as pydantic-settings has it
            data_dir=folder,
            articles_dir=self.articles,
            serve_under_review=True,
            embeddings=f"ollama:{self.door.path}",
        )
        self.embedder = embedder_of(self.settings)
        self.recipe = recipe_of(self.settings, self.embedder)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs besides its data folder to run with these settings."""
        return {
            "COROLLARY_DATA_DIR": str(self.folder),
            "COROLLARY_ARTICLES_DIR": str(self.articles),
            "COROLLARY_SERVE_UNDER_REVIEW": "true",
            "COROLLARY_EMBEDDINGS": self.embedder,
            "PYTHONPATH": os.pathsep.join([str(self.package), str(Path(__file__).parent)]),
        }

    async def work(self, database: Database, **how: Any) -> Report:
        """A reload with the program's own worker."""
        return await reloads.reload(
            database,
            self.builds,
            self.recipe,
            worker.in_a_process(self.settings),
            who="test",
            **how,
        )


FORKED = SimpleNamespace(
    get_context=lambda method: FORKS, parent_process=multiprocessing.parent_process
)
"""In place of `multiprocessing` in `bot.worker`: a worker that is forked from a process which has
imported all, and is otherwise the one of the program."""


def reload_with_a_worker(folder: Path, packages: list[str]) -> None:
    """What `corollary articles reload` does, in a process that is ready in a moment."""
    sys.path[:0] = packages
    # Asks the server that made this process for the worker too, in place of a new one.
    vars(forkserver._forkserver)["ensure_running"] = lambda: None
    vars(worker)["multiprocessing"] = FORKED

    async def run() -> None:
        bench = Bench(folder)
        database = await bench.database()
        try:
            await bench.work(database)
        finally:
            await database.close()

    _ends_with(run())
