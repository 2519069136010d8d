"""What a store survives: kills, full and read-only disks, damage, other versions, and company.

Most faults are done to real processes over a real Chroma and SQLite; the store is small, so that
there can be many of them.
"""

import asyncio
import ctypes
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from articles import (
    BODY,
    EMBEDDER,
    FORKS,
    NEW_AFTER,
    OLD_AFTER,
    Bench,
    CountingEmbeddings,
    Shelf,
    ended,
    open_and_search,
    reload_in_a_process,
    reload_killed_at,
    reload_with_a_worker,
    reload_with_another,
)
from doors import COMMAND, Ran, process

from bot.app import Program, open_program
from chains.assistant import Assistant
from store import index
from store.article import ServingRules
from store.conversations import HEAD, Database
from store.errors import (
    CorollaryError,
    DatabaseProblem,
    EmbedderMismatch,
    StoreBusy,
    StoreProblem,
)
from store.index import open_build, verify
from store.library import Library
from store.reload import KEPT_BUILDS
from store.turn import Turn

ROOT = Path(__file__).parents[1]
SLUGS = [f"care-{n:02}" for n in range(24)]


def version(shelf: Shelf, n: int, slugs: list[str] = SLUGS) -> None:
    """Every statement of every article of the folder says `n`."""
    body = BODY.replace("nine", f"{n}").replace("weak one", f"weak one of {n}")
    body = body.replace("was found", f"was found in {n} searches")
    for slug in slugs:
        shelf.put(slug, body, topic=f"Topic {slug[-2:]}")


async def served(shelf: Shelf) -> tuple[str | None, set[str], int]:
    """The build that is served, what its articles say, and how many reloads there were; the
    pointer, the audit and the build agree, or this fails."""
    database = await shelf.database()
    try:
        pointer = await database.pointer()
        lines = await database.audit_entries(action="reload", limit=1000)
        known = await database.known_builds()
    finally:
        await database.close()
    if pointer is None:
        assert (lines, known) == ([], [])
        return None, set(), 0
    assert lines[0].detail["build"] == pointer.build
    assert lines[0].detail["previous"] == pointer.previous
    # A build is forgotten once its folder is cleaned away; the audit forgets nothing.
    assert {*known} <= {line.detail["build"] for line in lines}
    build = open_build(shelf.builds, pointer.build, embedder=shelf.recipe.embedder)
    try:
        assert verify(build).self_queries == len(build.passages) == 3 * len(build.articles)
        return pointer.build, {said(a) for a in build.articles.values()}, len(lines)
    finally:
        build.close()


def said(article: Any) -> str:
    """The number that all statements of the article say."""
    (number,) = {n for _, s in article.statements() for n in re.findall(r"\d+", s.text)}
    return str(number)


async def killed(shelf: Shelf, n: int, kill: Callable[[], object]) -> bool:
    """Whether a reload of version `n` that is killed has switched; nothing is in between, and the
    next reload needs no help and leaves nothing behind."""
    before, old, reloads = await served(shelf)
    version(shelf, n)
    kill()
    after, now, count = await served(shelf)
    if after == before:
        assert (now, count) == (old, reloads)
    else:
        assert (now, count) == ({str(n)}, reloads + 1)
    database = await shelf.database()
    try:
        report = await shelf.reload(database)
        known = await database.known_builds()
    finally:
        await database.close()
    assert not report.added and bool(report.changed) is (after == before)
    assert set(shelf.folders()) <= set(known)
    assert len(shelf.folders()) <= KEPT_BUILDS + 1
    assert (await served(shelf))[1] == {str(n)}
    return after != before


def forked(target: Callable[..., None], *args: object, limit_s: float = 60) -> int:
    """The exit code of a function in a process of its own."""
    process = FORKS.Process(target=target, args=args)
    process.start()
    process.join(limit_s)
    assert process.exitcode is not None, "still running"
    code: int = process.exitcode
    process.close()
    return code


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A folder for articles."""
    made = Bench(tmp_path)
    monkeypatch.syspath_prepend(str(made.package))
    yield made
    made.door.close()


@asynccontextmanager
async def opened(shelf: Shelf) -> AsyncIterator[Database]:
    """Its database."""
    database = await shelf.database()
    try:
        yield database
    finally:
        await database.close()


def corollary(bench: Bench, *args: str, before: tuple[str, ...] = (), **settings: str) -> Ran:
    """How the real command ends; `before` are the words that run it."""
    given = {f"COROLLARY_{name}": value for name, value in settings.items()}
    ran = subprocess.run(
        [*before, COMMAND, *args],
        env={**os.environ, **bench.environment, **given},
        cwd=bench.articles,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


# ------------------------------------------------------------------ kills (flt-01, flt-02)


async def test_a_kill_at_any_moment_of_a_reload_leaves_the_old_build_or_the_new(
    tmp_path: Path,
) -> None:
    """36 kills: at nine named moments, and at 27 that nobody chose."""
    shelf = Shelf(tmp_path)
    version(shelf, 0)
    async with opened(shelf) as database:
        await shelf.reload(database)
    for n, moment in enumerate((*OLD_AFTER, *NEW_AFTER), 1):

        def kill(moment: str = moment) -> None:
            assert forked(reload_killed_at, tmp_path, moment) == -signal.SIGKILL, moment

        assert await killed(shelf, n, kill) is (moment in NEW_AFTER), moment

    version(shelf, 99)
    started = asyncio.get_running_loop().time()
    assert forked(reload_in_a_process, tmp_path) == 0
    whole_s = asyncio.get_running_loop().time() - started
    moments = random.Random(os.urandom(4))

    def kill_at_random() -> None:
        process = FORKS.Process(target=reload_in_a_process, args=(tmp_path,))
        process.start()
        process.join(moments.uniform(0.05, 1.0) * whole_s)
        process.kill()
        process.join()

    for n in range(100, 127):
        await killed(shelf, n, kill_at_random)


@pytest.mark.parametrize("whom", ["worker", "parent", "both"])
async def test_a_kill_of_a_reload_or_of_its_worker_alone_leaves_the_old_build(
    bench: Bench, whom: str
) -> None:
    """Twelve kills; the worker ends by itself, and the reload says what became of its worker."""
    version(bench, 0)
    async with opened(bench) as database:
        await bench.work(database)

    def kill() -> None:
        bench.door.keep()
        args = (bench.folder, [str(bench.package)])
        parent = FORKS.Process(target=reload_with_a_worker, args=args)
        parent.start()
        caller, _, pid = bench.door.meet()
        if whom != "worker":
            parent.kill()
        if whom != "parent":
            os.kill(pid, signal.SIGKILL)
        assert ended(pid)
        parent.join(30)
        assert parent.exitcode == (1 if whom == "worker" else -signal.SIGKILL)
        caller.close()
        bench.door.close()

    bench.embeddings = CountingEmbeddings()
    for n in range(1, 5):
        assert not await killed(bench, n, kill)


async def test_a_killed_command_leaves_the_old_build(bench: Bench) -> None:
    """Two kills of the real command: with its worker, and without it."""
    version(bench, 0)
    async with opened(bench) as database:
        await bench.work(database)

    def kill_the_group() -> None:
        kill(lambda running: os.killpg(running.pid, signal.SIGKILL))

    def kill_the_parent() -> None:
        kill(lambda running: running.kill())

    def kill(strike: Callable[[subprocess.Popen[bytes]], None]) -> None:
        bench.door.keep()
        running = subprocess.Popen(
            [COMMAND, "articles", "reload"],
            env={**os.environ, **bench.environment},
            cwd=bench.articles,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        caller, _, pid = bench.door.meet()
        strike(running)
        assert running.wait(30) == -signal.SIGKILL
        assert ended(pid)
        caller.close()
        bench.door.close()

    assert not await killed(bench, 1, kill_the_group)
    assert not await killed(bench, 2, kill_the_parent)


async def test_twenty_kills_of_a_first_build_leave_nothing_behind(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    version(shelf, 0)
    async with opened(shelf) as database:
        whole = (await shelf.reload(database)).build or ""
    store = size(shelf.builds / whole)
    moments = random.Random(os.urandom(4))
    switched = 0
    for n in range(20):
        at = (*OLD_AFTER, NEW_AFTER[0])[n] if n < 8 else moments.choice(OLD_AFTER)
        if switched or n == 0:
            shutil.rmtree(shelf.builds)
            for path in shelf.folder.glob("corollary.db*"):
                path.unlink()
        assert forked(reload_killed_at, tmp_path, at) == -signal.SIGKILL
        build, now, _ = await served(shelf)
        switched = int(build is not None)
        assert switched == (at in NEW_AFTER)
        assert now == ({"0"} if switched else set())
        # The half of this time, and nothing of those before it.
        assert len(shelf.folders()) <= 1
        assert size(shelf.builds) <= 2 * store
    async with opened(shelf) as database:
        report = await shelf.reload(database)
    assert shelf.folders() == [report.build]
    assert (await served(shelf))[1] == {"0"}


def size(folder: Path) -> int:
    """Its bytes."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


# ------------------------------------------------------------------ the disk (flt-09, 10, 11)

_CLONE_NEWNS = 0x20000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 0x1000, 0x4000, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def mount(
    target: Path,
    flags: int = 0,
    options: str = "",
    kind: bytes = b"tmpfs",
    source: Path | None = None,
) -> None:
    """Mounts a disk in memory, or does what the flags say."""
    given = os.fsencode(source or kind)
    done = _libc.mount(given, os.fsencode(target), kind, flags, options.encode())
    if done != 0:
        raise OSError(ctypes.get_errno(), f"mount: {os.strerror(ctypes.get_errno())}")


def _on_a_small_disk(test: Any, folder: Path, mebibytes: int, pipe: Any, path: list[str]) -> None:
    import sys

    sys.path[:0] = path
    try:
        if _libc.unshare(_CLONE_NEWNS) != 0:
            raise PermissionError("unshare")
        mount(Path("/"), _MS_REC | _MS_PRIVATE)
        mount(folder, options=f"size={mebibytes}m")
    except OSError as e:
        pipe.send(("skip", f"no disk can be mounted here: {e}"))
        return
    try:
        asyncio.run(test(folder))
    except BaseException:  # noqa: BLE001 - handed to the test, which fails with it
        pipe.send(("failed", traceback.format_exc()))
    else:
        pipe.send(("passed", ""))


def on_a_small_disk(
    test: Any, folder: Path, mebibytes: int = 8, path: tuple[str, ...] = ()
) -> None:
    """Runs an asynchronous test in a process that has a disk of its own at the folder."""
    ours, theirs = FORKS.Pipe()
    args = (test, folder, mebibytes, theirs, list(path))
    process = FORKS.Process(target=_on_a_small_disk, args=args)
    process.start()
    theirs.close()
    try:
        assert ours.poll(120), "still running"
        how, told = ours.recv()
    except EOFError:
        process.join()
        pytest.fail(f"the process ended with {process.exitcode}")
    finally:
        process.kill()
        process.join()
        ours.close()
    if how == "skip":
        pytest.skip(told)
    assert how == "passed", told


@contextmanager
def full(folder: Path, left: int) -> Iterator[None]:
    """A disk with that many bytes left, filled by somebody else."""
    filler = folder / "filler"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with filler.open("wb") as f:
        os.posix_fallocate(f.fileno(), 0, max(1, free - left))
    try:
        yield
    finally:
        filler.unlink()


def an_assistant(database: Database, library: Library) -> Assistant:
    """Who answers from it."""
    return Assistant(
        library=library,
        database=database,
        embeddings=CountingEmbeddings(),
        rules=ServingRules(serve_under_review=True),
        rarity=lambda word: 0.0,
    )


QUESTION = "Topic 03: how were wounds closed?"


def numbers(turn: Turn) -> set[str]:
    """The numbers in what it quotes."""
    return {n for q in turn.quotes() for n in re.findall(r"\d+", q.text)}


async def _reloads_on_a_full_disk(folder: Path) -> None:
    shelf = Shelf(folder)
    version(shelf, 0)
    async with opened(shelf) as database:
        before = (await shelf.reload(database)).build
        library = Library(database, shelf.builds, EMBEDDER, follow_s=0)
        needed = size(shelf.builds)
        async with library.borrow() as build:
            assert build.id == before
        try:
            # Seen before anything is written.
            version(shelf, 1)
            with full(folder, 300_000):
                problem = await refusal(shelf.reload(database))
                assert f"The disk of {shelf.builds} is too full" in problem.what
                assert "needs about 1 MB and 0 MB are free" in problem.what
                assert problem.todo.startswith("Free 1 MB or more")
            # It fills up when the build is on its way: every write of it fails once.
            index._refuse_full_disk = lambda *_: None
            refused = 0
            for left in range(0, needed + 150_000, max(1, needed // 12)):
                with full(folder, left):
                    try:
                        await shelf.reload(database)
                    except (StoreProblem, DatabaseProblem) as e:
                        refused += 1
                        assert str(folder) in e.what, e.what
                        if isinstance(e, StoreProblem) and "cannot be written" in e.what:
                            assert "free" in e.what or "full" in e.what or "space" in e.what
                        assert await database.served_build() == before
                        async with library.borrow() as build:
                            assert build.id == before
                            assert build.nearest(build.vectors[0], 1)[0].row == 0
                    else:
                        before = await database.served_build()
                # A build that went through is opened while there is space for that.
                async with library.borrow() as build:
                    assert build.id == before
                version(shelf, left + 2)
            assert refused >= 4
            # Space is there again: the same process goes on.
            report = await shelf.reload(database)
            assert set(shelf.folders()) <= set(await database.known_builds())
            async with library.borrow() as build:
                assert build.id == report.build
        finally:
            await library.close()


async def refusal(doing: Any) -> CorollaryError:
    """The problem that something ends with."""
    try:
        await doing
    except CorollaryError as e:
        return e
    raise AssertionError("nothing was wrong")


def test_a_disk_that_is_full_during_a_reload_leaves_what_was_served(tmp_path: Path) -> None:
    on_a_small_disk(_reloads_on_a_full_disk, tmp_path)


async def _command_on_a_full_disk(folder: Path) -> None:
    bench = Bench(folder)
    version(bench, 0, SLUGS[:3])
    assert corollary(bench, "articles", "reload").code == 0
    version(bench, 1, SLUGS[:3])
    with full(folder, 0):
        ran = corollary(bench, "articles", "reload")
        assert ran.code == 2, ran
        assert str(folder) in ran.told()
        assert len(ran.err.splitlines()) == 2
    ran = corollary(bench, "articles", "reload", "--json")
    assert ran.code == 0, ran.err
    assert len(json.loads(ran.out)["changed"]) == 3


def test_the_command_names_a_full_disk_and_goes_on_once_there_is_space(tmp_path: Path) -> None:
    on_a_small_disk(_command_on_a_full_disk, tmp_path)


def _with_files_of_at_most(folder: Path, pipe: Any) -> None:
    async def run() -> None:
        shelf = Shelf(folder)
        async with opened(shelf) as database:
            before = await database.served_build()
            refused = 0
            for limit in (1_000, 20_000, 60_000, 120_000, 180_000):
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
                try:
                    await shelf.reload(database)
                except (StoreProblem, DatabaseProblem) as e:
                    refused += 1
                    assert str(folder) in e.what, e.what
                finally:
                    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
                    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
            assert refused == 5
            assert await database.served_build() == before
            report = await shelf.reload(database)
            assert report.previous == before
            assert set(shelf.folders()) == {before, report.build}

    try:
        asyncio.run(run())
    except BaseException:  # noqa: BLE001 - handed to the test, which fails with it
        pipe.send(traceback.format_exc())
    else:
        pipe.send("")


async def test_files_that_may_not_grow_leave_what_was_served(tmp_path: Path) -> None:
    """A full disk for those who may not mount one: a write fails with EFBIG."""
    shelf = Shelf(tmp_path)
    version(shelf, 0)
    async with opened(shelf) as database:
        await shelf.reload(database)
    version(shelf, 1)
    ours, theirs = FORKS.Pipe()
    forked(_with_files_of_at_most, tmp_path, theirs)
    theirs.close()
    told = ours.recv()
    ours.close()
    assert not told, told
    assert (await served(shelf))[1] == {"1"}


async def _turns_on_a_full_disk(folder: Path) -> None:
    shelf = Shelf(folder)
    version(shelf, 7)
    async with opened(shelf) as database:
        await shelf.reload(database)
        library = Library(database, shelf.builds, EMBEDDER)
        assistant = an_assistant(database, library)
        await assistant.ask("chat-0", QUESTION)
        answered, refused = 1, 0
        try:
            for left in (0, 4096, 20_000, 60_000):
                with full(folder, left):
                    for n in range(25):
                        try:
                            turn = await assistant.ask(f"chat-{n % 3}", QUESTION)
                        except DatabaseProblem as e:
                            refused += 1
                            assert str(folder) in e.what
                            assert "space" in e.todo
                        else:
                            answered += 1
                            assert numbers(turn) == {"7"}
                        try:
                            await database.note("test", "note", {"n": n, "long": "x" * 500})
                        except DatabaseProblem:
                            refused += 1
            assert refused > 10
            # What was refused is forgotten, what was answered is remembered, and it goes on.
            turn = await assistant.ask("chat-0", QUESTION)
            assert numbers(turn) == {"7"}
        finally:
            await library.close()
    with closing(sqlite3.connect(folder / "corollary.db")) as plain:
        assert plain.execute("pragma integrity_check").fetchall() == [("ok",)]
        rows = plain.execute("select answer from turns").fetchall()
        assert len(rows) == answered + 1
        assert all(json.loads(row)["kind"] == "answered" for (row,) in rows)
        details = plain.execute("select detail from audit where action = 'note'").fetchall()
        assert all(len(json.loads(d)["long"]) == 500 for (d,) in details)
        (orphans,) = plain.execute(
            "select count(*) from quoted where turn_id not in (select id from turns)"
        ).fetchone()
        assert orphans == 0


def test_a_full_disk_leaves_whole_turns_and_whole_lines_of_the_audit(tmp_path: Path) -> None:
    on_a_small_disk(_turns_on_a_full_disk, tmp_path)


async def _on_a_disk_that_is_read_only(folder: Path) -> None:
    bench = Bench(folder)
    version(bench, 0, SLUGS[:4])
    async with opened(bench) as database:
        await bench.reload(database)
    mount(folder, _MS_REMOUNT | _MS_RDONLY)
    for args in (["ask", QUESTION], ["articles", "reload"]):
        ran = corollary(bench, *args)
        assert ran.code == 2
        assert f"The data folder {folder} cannot be written to: Read-only" in ran.told()
        assert "COROLLARY_DATA_DIR" in ran.err
    # Who asks for less is told as plainly.
    problem = await refusal(bench.database())
    assert isinstance(problem, DatabaseProblem)
    assert str(folder) in problem.what
    mount(folder, _MS_REMOUNT, "size=8m")
    async with opened(bench) as database:
        # Only the builds, while a program runs: it says so, and serves what it serves.
        library = Library(database, bench.builds, bench.embedder, follow_s=0)
        assistant = an_assistant(database, library)
        await assistant.ask("a", QUESTION)
        mount(bench.builds, _MS_BIND, kind=b"none", source=bench.builds)
        mount(bench.builds, _MS_BIND | _MS_REMOUNT | _MS_RDONLY, kind=b"none")
        problem = await refusal(bench.reload(database))
        assert isinstance(problem, StoreProblem) and not isinstance(problem, StoreBusy)
        assert str(bench.builds) in problem.what
        assert numbers(await assistant.ask("a", QUESTION)) == {"0"}
        mount(bench.builds, _MS_BIND | _MS_REMOUNT, kind=b"none")
        assert (await bench.reload(database)).unchanged
        assert numbers(await assistant.ask("a", QUESTION)) == {"0"}
        await library.close()


def test_a_read_only_data_folder_is_named_and_nothing_hangs(tmp_path: Path) -> None:
    on_a_small_disk(_on_a_disk_that_is_read_only, tmp_path)


# ------------------------------------------------------------------ damage (flt-12, flt-13)

PER_ARTICLE = 100


def long_body(article: int, saying: str = "was seen") -> str:
    """An article of a hundred passages."""
    return "## From the research\n\n" + "".join(
        f"- Finding {n} of article {article} {saying} in the trial of many years. [1]\n"
        for n in range(PER_ARTICLE)
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with 2,500 passages, whose vectors are in the files of the index."""
    folder = tmp_path_factory.mktemp("large")
    bench = Bench(folder)
    for n in range(25):
        bench.put(f"care-{n:02}", long_body(n), topic=f"Topic {n:02}")

    async def build() -> None:
        async with opened(bench) as database:
            await bench.reload(database)

    asyncio.run(build())
    yield folder


@pytest.fixture
def damaged(large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Bench, Path]:
    """A copy of it to spoil, and where its build lies. It has the embeddings of the first."""
    data = tmp_path / "data"
    shutil.copytree(large, data)
    bench = Bench(data)
    # The articles of the build are those of the other folder, which a test may edit here.
    first = Bench(large)
    bench.settings = first.settings.model_copy(update={"data_dir": data})
    bench.recipe, bench.embedder = first.recipe, first.embedder
    monkeypatch.syspath_prepend(str(bench.package))
    (build,) = bench.folders()
    return bench, bench.builds / build


def segment(build: Path) -> Path:
    (folder,) = (p for p in (build / "chroma").iterdir() if p.is_dir())
    return folder


def zero_header(build: Path) -> None:
    path = segment(build) / "header.bin"
    path.write_bytes(bytes(path.stat().st_size))


def cut_level(build: Path) -> None:
    os.truncate(segment(build) / "data_level0.bin", 300_000)


def random_links(build: Path) -> None:
    path = segment(build) / "link_lists.bin"
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))


def random_level(build: Path) -> None:
    path = segment(build) / "data_level0.bin"
    path.write_bytes(random.Random(2).randbytes(path.stat().st_size))


def no_segment(build: Path) -> None:
    shutil.rmtree(segment(build))


def cut_pickle(build: Path) -> None:
    os.truncate(segment(build) / "index_metadata.pickle", 1000)


def cut_sqlite(build: Path) -> None:
    path = build / "chroma" / "chroma.sqlite3"
    os.truncate(path, path.stat().st_size * 4 // 10)


def zero_sqlite(build: Path) -> None:
    with (build / "chroma" / "chroma.sqlite3").open("r+b") as f:
        f.write(bytes(100))


def overwrite_sqlite(build: Path) -> None:
    path = build / "chroma" / "chroma.sqlite3"
    with path.open("r+b") as f:
        for at in range(0, path.stat().st_size, 40_960):
            f.seek(at)
            f.write(b"\xaa" * 512)


def no_sqlite(build: Path) -> None:
    (build / "chroma" / "chroma.sqlite3").unlink()


INDEX_DAMAGE = [
    zero_header,
    cut_level,
    random_links,
    random_level,
    no_segment,
    cut_pickle,
    cut_sqlite,
    zero_sqlite,
    overwrite_sqlite,
    no_sqlite,
]


def named(function: Callable[..., object]) -> str:
    return function.__name__


@pytest.mark.parametrize("harm", INDEX_DAMAGE, ids=named)
def test_a_damaged_index_is_found_before_the_index_library_opens_it(
    large: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    bench = Bench(large)
    (build,) = bench.folders()
    shutil.copytree(bench.builds / build, tmp_path / build)
    harm(tmp_path / build)
    ours, theirs = FORKS.Pipe()
    assert forked(open_and_search, tmp_path, build, bench.embedder, theirs) == 0
    theirs.close()
    how, told, seen = ours.recv()
    ours.close()
    assert (how, seen) == ("damaged", [])
    assert str(tmp_path / build) in told


def test_an_index_that_is_whole_is_opened(large: Path) -> None:
    bench = Bench(large)
    (build,) = bench.folders()
    ours, theirs = FORKS.Pipe()
    assert forked(open_and_search, bench.builds, build, bench.embedder, theirs) == 0
    theirs.close()
    assert ours.recv()[0] == "opened"
    ours.close()


@asynccontextmanager
async def running(bench: Bench, says: list[str]) -> AsyncIterator[Program]:
    """The program over its data folder; what it says to the operator is kept."""
    async with open_program(bench.settings, say=says.append) as program:
        yield program


@contextmanager
def edited(bench: Bench) -> Iterator[None]:
    """Meanwhile an article of the folder says something else."""
    path = bench.recipe.articles_dir / "care-03.md"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"was seen", b"was never seen"))
    assert path.read_bytes() != kept
    try:
        yield
    finally:
        path.write_bytes(kept)


def no_build(build: Path) -> None:
    shutil.rmtree(build)


def no_articles(build: Path) -> None:
    os.truncate(build / "articles.json.gz", 100)


def no_vectors(build: Path) -> None:
    with (build / "vectors.npy").open("r+b") as f:
        f.seek(5000)
        f.write(b"\xaa" * 512)


def no_manifest(build: Path) -> None:
    (build / "manifest.json").write_bytes(b"{")


@pytest.mark.parametrize(
    ("harm", "from_the_folder", "embedded"),
    [
        (random_level, False, 0),
        (no_sqlite, False, 0),
        (no_vectors, False, 2500),
        (no_manifest, False, 0),
        (no_articles, True, 2500),
    ],
    ids=lambda x: x.__name__ if callable(x) else "",
)
async def test_a_damaged_build_is_made_anew_from_what_it_keeps_when_the_program_starts(
    damaged: tuple[Bench, Path],
    harm: Callable[[Path], None],
    from_the_folder: bool,
    embedded: int,
) -> None:
    bench, build = damaged
    harm(build)
    says: list[str] = []
    with edited(bench):
        async with running(bench, says) as program:
            async with program.library.borrow() as found:
                assert found.id != build.name
                assert len(found.passages) == 2500
                texts = [s.text for _, s in found.articles["care-03"].statements()]
            pointer = await program.database.pointer()
            line = (await program.database.audit_entries(limit=1000))[-1 - (not from_the_folder)]
            actions = {e.action for e in await program.database.audit_entries(limit=1000)}
    never = [t for t in texts if "never seen" in t]
    # What was damaged was served for a reason; the folder goes live by a reload and else by none.
    assert len(never) == (PER_ARTICLE if from_the_folder else 0)
    assert pointer is not None and pointer.previous == build.name
    assert line is not None
    assert ("restore" in actions) is not from_the_folder
    told = " ".join(says)
    assert str(build) in told or build.name in told
    assert "from the articles that it keeps" in told
    assert ("from the article folder" in told) is from_the_folder
    assert f"{embedded:,} embedded" in told or f"{embedded} embedded" in told


async def test_a_damaged_build_that_is_started_again_is_sound(
    damaged: tuple[Bench, Path],
) -> None:
    bench, build = damaged
    zero_header(build)
    async with running(bench, []) as program:
        first = await program.database.served_build()
    says: list[str] = []
    async with running(bench, says) as program:
        assert await program.database.served_build() == first
    assert says == []


# ------------------------------------------------------------------ other versions (flt-15, 16)


async def test_another_embedding_model_is_refused_at_the_start_until_a_reload(
    bench: Bench,
) -> None:
    version(bench, 0, SLUGS[:2])
    async with opened(bench) as database:
        await bench.work(database)
    name = f"ollama:{bench.folder / 'other'}"
    bench.settings = bench.settings.model_copy(update={"embeddings": name})
    with pytest.raises(EmbedderMismatch) as caught:
        async with running(bench, []):
            pass
    assert f"`{bench.embedder}`" in caught.value.what
    assert f"`{name}`" in caught.value.what
    assert "corollary articles reload" in caught.value.todo
    bench.recipe = replace(bench.recipe, embedder=name)
    async with opened(bench) as database:
        report = await bench.work(database)
    assert report.embedded == report.passages == 6
    async with running(bench, []) as program:
        assert said(await program.assistant.article(SLUGS[0])) == "0"


def alembic(folder: Path, revision: str) -> None:
    """Brings an SQLite database to that revision, as a program of that version had it."""
    import sqlalchemy as sa

    config = Config()
    config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
    engine = sa.create_engine(f"sqlite:///{folder / 'corollary.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


async def test_a_data_folder_of_the_first_version_is_brought_up_to_date(bench: Bench) -> None:
    """Its tables as they were, with a pointer, a build and a turn in them."""
    version(bench, 0, SLUGS[:2])
    async with opened(bench) as database:
        build = (await bench.work(database)).build or ""
        manifest = (await database.build_rows())[0].manifest
    for path in bench.folder.glob("corollary.db*"):
        path.unlink()
    alembic(bench.folder, "0001")
    # What the first version did not write into its manifests.
    for later in ("approvals", "deleted"):
        del manifest[later]
    (bench.builds / build / "manifest.json").write_text(json.dumps(manifest))
    now = "2026-01-01 00:00:00.000000"
    with closing(sqlite3.connect(bench.folder / "corollary.db")) as plain:
        plain.execute("insert into builds values (?, ?, ?)", (build, now, json.dumps(manifest)))
        plain.execute("insert into served values (1, ?, null, ?)", (build, now))
        plain.commit()
    says: list[str] = []
    async with running(bench, says) as program:
        assert (await program.assistant.ask("a", QUESTION)).build == build
        assert said(await program.assistant.article(SLUGS[0])) == "0"
        assert await program.database.served_build() == build
    assert says == []
    with closing(sqlite3.connect(bench.folder / "corollary.db")) as plain:
        assert plain.execute("select version_num from alembic_version").fetchone() == (HEAD,)


async def test_a_data_folder_of_a_newer_version_is_refused_with_the_reason(bench: Bench) -> None:
    version(bench, 0, SLUGS[:2])
    async with opened(bench) as database:
        await bench.work(database)
    with closing(sqlite3.connect(bench.folder / "corollary.db")) as plain:
        plain.execute("update alembic_version set version_num = '9999'")
        plain.commit()
    ran = corollary(bench, "ask", QUESTION)
    assert ran.code == 2
    assert "made by a newer version of Corollary (its layout is 9999)" in ran.told()
    assert len(bench.folders()) == 1


# ------------------------------------------------------------------ open files (flt-17)


def _with_few_open_files(folder: Path, pipe: Any) -> None:
    from chromadb.errors import ChromaError

    async def run() -> tuple[int, int]:
        shelf = Shelf(folder)
        async with opened(shelf) as database:
            library = Library(database, shelf.builds, EMBEDDER, follow_s=0)
            await shelf.reload(database)  # what is imported late is there
            async with library.borrow():
                pass
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            done = failed = 0
            for more in range(0, 40, 2):
                there = max(int(f) for f in os.listdir("/proc/self/fd"))
                resource.setrlimit(resource.RLIMIT_NOFILE, (there + 1 + more, hard))
                try:
                    await shelf.reload(database)
                    done += 1
                except (CorollaryError, ChromaError, OSError):
                    # A worker's process puts the last two into words; a panic is neither.
                    failed += 1
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
                resource.setrlimit(resource.RLIMIT_NOFILE, (there + 1 + more, hard))
                try:
                    async with library.borrow() as build:
                        assert build.nearest(build.vectors[0], 1)[0].row == 0
                except (CorollaryError, ChromaError):
                    pass
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
                # What could not be opened then can be now.
                async with library.borrow() as build:
                    assert build.id == await database.served_build()
            await shelf.reload(database)
            await library.close()
            return done, failed

    try:
        done, failed = asyncio.run(run())
        assert done >= 1 and failed >= 1, (done, failed)
    except BaseException:  # noqa: BLE001 - handed to the test, which fails with it
        pipe.send(traceback.format_exc())
    else:
        pipe.send("")


def test_too_few_open_files_end_no_program_and_are_forgotten(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    version(shelf, 0, SLUGS[:3])
    ours, theirs = FORKS.Pipe()
    forked(_with_few_open_files, tmp_path, theirs)
    theirs.close()
    told = ours.recv()
    ours.close()
    assert not told, told


def test_sixty_four_open_files_are_enough_for_the_command(bench: Bench) -> None:
    version(bench, 0, SLUGS[:3])
    few = ("prlimit", "--nofile=64")
    if shutil.which(few[0]) is None:
        pytest.skip("no prlimit here")
    ran = corollary(bench, "articles", "reload", "--json", before=few)
    assert ran.code == 0, ran.told()
    assert len(json.loads(ran.out)["added"]) == 3


# ------------------------------------------------------------------ company (flt-18, 19, 20)


async def test_of_two_processes_that_reload_at_once_one_waits_or_says_who_holds_the_lock(
    tmp_path: Path,
) -> None:
    shelf = Shelf(tmp_path)
    version(shelf, 0, SLUGS[:4])
    async with opened(shelf) as database:
        await shelf.reload(database)
    busy = 0
    for n in range(1, 21):
        version(shelf, n, SLUGS[:4])
        both, told = FORKS.Barrier(2), FORKS.SimpleQueue()
        pair = [
            FORKS.Process(target=reload_with_another, args=(tmp_path, both, told)) for _ in range(2)
        ]
        for one in pair:
            one.start()
        for one in pair:
            one.join(60)
            assert one.exitcode == 0
        ends = dict(told.get() for _ in pair)
        told.close()
        built = [pid for pid, said in ends.items() if said.startswith("built")]
        assert built
        for pid, what in ends.items():
            if pid not in built:
                busy += 1
                assert f"(process {built[0]}, since 20" in what or "owner unknown" in what
                assert " s ago)" in what or "owner unknown" in what
        build, now, _ = await served(shelf)
        assert now == {str(n)}
        assert f"built {build}" in ends.values()
        assert not (shelf.builds / ".lock-owner").exists()
        assert len(shelf.folders()) <= KEPT_BUILDS + 1
    assert busy > 0, "never at once"


def said_in(reply: dict[str, Any]) -> set[str]:
    """The numbers in what a reply quotes."""
    quoted = [s["text"] for section in reply["sections"] for s in section["statements"]]
    return {n for text in quoted for n in re.findall(r"\d+", text)}


async def test_a_running_chat_follows_a_reload_of_another_process(bench: Bench) -> None:
    version(bench, 0, ["care-03"])
    async with opened(bench) as database:
        await bench.work(database)
        settings = {
            name.removeprefix("COROLLARY_"): value
            for name, value in bench.environment.items()
            if name.startswith("COROLLARY_")
        }
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("PYTHONPATH", bench.environment["PYTHONPATH"])
            chat = process(bench.folder, "chat", "--json", **settings)
            with chat as running:

                def ask() -> dict[str, Any]:
                    before = len(running.out.splitlines())
                    running.type(json.dumps({"question": QUESTION}))
                    running.wait_for(lambda: len(running.out.splitlines()) > before)
                    line: dict[str, Any] = json.loads(running.out.splitlines()[-1])
                    return line

                assert said_in(await asyncio.to_thread(ask)) == {"0"}
                version(bench, 1, ["care-03"])
                build = (await bench.work(database)).build
                deadline = asyncio.get_running_loop().time() + 5
                reply = await asyncio.to_thread(ask)
                while reply["build"] != build:
                    assert asyncio.get_running_loop().time() < deadline, "not followed"
                    assert said_in(reply) == {"0"}
                    reply = await asyncio.to_thread(ask)
                assert said_in(reply) == {"1"}
                assert (await asyncio.to_thread(running.end)).code == 0


async def test_fifty_people_ask_while_the_store_is_reloaded(bench: Bench) -> None:
    """1,000 turns and five reloads: no turn fails, and each is of one build."""
    version(bench, 0)
    says: dict[str, str] = {}
    async with opened(bench) as database:
        says[(await bench.work(database)).build or ""] = "0"
        library = Library(database, bench.builds, bench.embedder, follow_s=0.05)
        assistant = an_assistant(database, library)
        turns: list[Turn] = []
        done = asyncio.Event()
        # More than there are when fifty people ask once a second; it leaves out how SQLite deals
        # with fifty writers in one instant.
        at_once = asyncio.Semaphore(6)

        async def person(n: int) -> None:
            asked = 0
            while asked < 20 or not done.is_set():
                slug = SLUGS[(n + asked) % len(SLUGS)]
                question = f"Topic {slug[-2:]}: how were wounds closed?"
                async with at_once:
                    turns.append(await assistant.ask(f"chat-{n}", question, f"user-{n}"))
                asked += 1

        people = [asyncio.create_task(person(n)) for n in range(50)]
        for n in range(1, 6):
            version(bench, n)
            says[(await bench.work(database)).build or ""] = str(n)
        done.set()
        await asyncio.gather(*people)
        await library.close()
    assert len(turns) >= 1000
    for turn in turns:
        assert numbers(turn) == {says[turn.build]}, turn
    assert len({turn.build for turn in turns}) >= 5
