"""The work of a reload in a process of its own: what it tells, and how it and its parent end."""

import asyncio
import logging
import multiprocessing
import os
import signal
import struct
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from articles import (
    BODY,
    FORKS,
    Bench,
    ended,
    reload_with_a_worker,
)
from conftest import settings_for
from doors import COMMAND
from turns import CHAT, USER, a_reply

from bot import worker
from store.conversations import Database
from store.errors import ArticlesProblem, CorollaryError, ModelUnavailable, StoreProblem
from store.index import open_build
from store.turn import Turn

QUESTION = "What would the man of Room Nine be told of his wounds?"
PROBES = {
    "answerable": [
        {
            "question": "How long until wounds closed in the trial?",
            "statements": ["Wounds closed after nine days"],
        }
    ]
}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Two articles."""
    made = Bench(tmp_path)
    made.put("aftercare", probes=PROBES)
    made.put("scars", topic="Scars")
    monkeypatch.syspath_prepend(str(made.package))
    yield made
    made.door.close()


@pytest.fixture
async def database(bench: Bench) -> AsyncIterator[Database]:
    opened = await bench.database()
    yield opened
    await opened.close()


async def started(bench: Bench, database: Database, **how: Any) -> tuple[asyncio.Task[Any], int]:
    """A reload whose worker embeds, and the worker; it goes on when the door closes."""
    bench.door.keep()
    task = asyncio.create_task(bench.work(database, **how))
    caller, _, pid = await asyncio.to_thread(bench.door.meet)
    caller.close()
    return task, pid


async def served(bench: Bench, database: Database) -> str:
    """The text that is served of `aftercare`, out of a build that is whole."""
    name = await database.served_build()
    assert name is not None
    build = open_build(bench.builds, name, embedder=bench.embedder)
    build.close()
    return " ".join(s.text for _, s in build.articles["aftercare"].statements())


async def refused(reload: Any, kind: type[CorollaryError] = StoreProblem) -> CorollaryError:
    """The problem that a reload ends with."""
    with pytest.raises(kind) as caught:
        await reload
    assert type(caught.value) is kind
    return caught.value


# ------------------------------------------------------------------ what it tells


async def test_progress_arrives_step_by_step_and_in_order(bench: Bench, database: Database) -> None:
    steps: list[tuple[str, int, int]] = []
    report = await bench.work(database, progress=lambda *step: steps.append(step))
    names = list(dict.fromkeys(step for step, _, _ in steps))
    steps_of_a_reload = ["reading", "embedding", "indexing", "calibrating", "verifying"]
    assert names[:6] == [*steps_of_a_reload, "rehearsing"]
    assert all(0 <= done <= total for _, done, total in steps)
    assert [s for s, _, _ in steps] == sorted((s for s, _, _ in steps), key=names.index)
    assert ("rehearsing", 1, 1) in steps
    assert report.rehearsal.probes == 1


async def test_a_worker_gives_way_to_those_who_ask(bench: Bench, database: Database) -> None:
    bench.door.keep()
    task = asyncio.create_task(bench.work(database))
    caller, _, pid = await asyncio.to_thread(bench.door.meet)
    with caller:
        here = os.getpriority(os.PRIO_PROCESS, os.getpid())
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, here + worker.NICENESS)
    bench.door.close()
    await task


async def test_what_a_worker_finds_wrong_arrives_as_it_was_raised(
    bench: Bench, database: Database
) -> None:
    lost = replace(bench.recipe, articles_dir=bench.folder / "nowhere")
    bench.recipe = lost
    problem = await refused(bench.work(database), ArticlesProblem)
    assert problem.what == f"The article folder {bench.folder / 'nowhere'} does not exist."
    assert "COROLLARY_ARTICLES_DIR" in problem.todo
    assert str(problem) == f"{problem.what} {problem.todo}"


async def test_a_model_that_is_not_there_is_told_by_the_worker(
    bench: Bench, database: Database
) -> None:
    bench.settings = bench.settings.model_copy(update={"embeddings": "cohere:x"})
    problem = await refused(bench.work(database), ModelUnavailable)
    assert "COROLLARY_EMBEDDINGS=cohere:x" in problem.what
    assert problem.todo


async def asked_before(database: Database) -> None:
    """Somebody asked a question, and was shown a statement of `aftercare`."""
    text = "Redness faded more slowly with the stronger setting than with the weak one."
    turn: Turn = a_reply(text, article="aftercare", chat=CHAT, question=QUESTION)
    await database.remember(USER, turn)


async def test_real_questions_are_put_again_by_the_worker(bench: Bench, database: Database) -> None:
    await bench.work(database)
    await asked_before(database)
    bench.put("aftercare", BODY.replace("nine", "six"))
    report = await bench.work(database)
    assert report.rehearsal.questions == 1


async def test_a_failure_is_logged_with_its_place_but_without_a_question(
    bench: Bench, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    before = (await bench.work(database)).build
    await asked_before(database)
    bench.put("aftercare", BODY.replace("nine", "six"))
    bench.door.keep()
    task = asyncio.create_task(bench.work(database))
    assert await asyncio.to_thread(bench.door.answer)
    caller, call, _ = await asyncio.to_thread(bench.door.meet)
    assert call == "query"
    with caller:
        caller.sendall(b"raise")
    problem = await refused(task)
    assert problem.what.startswith("The build failed: ValueError")
    assert "has not changed" in problem.todo
    (logged,) = [r for r in caplog.records if r.name == "corollary.worker"]
    assert logged.levelno == logging.ERROR
    assert "Traceback" in logged.getMessage()
    assert "embed_query" in logged.getMessage()
    for text in (logged.getMessage(), str(problem)):
        assert "Room Nine" not in text
    bench.door.close()
    assert await database.served_build() == before


async def test_a_failure_over_an_article_is_logged_with_its_words(
    bench: Bench, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    bench.door.keep()
    task = asyncio.create_task(bench.work(database))
    await asyncio.to_thread(bench.door.answer, b"raise")
    problem = await refused(task)
    assert "cannot embed: " in problem.what
    assert "cannot embed: " in caplog.text
    bench.door.close()
    assert bench.folders() == []


# ------------------------------------------------------------------ how it ends


async def test_a_worker_that_is_killed_is_named_by_its_signal_and_nothing_changes(
    bench: Bench, database: Database
) -> None:
    await bench.work(database)
    bench.put("aftercare", BODY.replace("nine", "six"))
    for number in (signal.SIGKILL, signal.SIGSEGV):
        task, pid = await started(bench, database)
        os.kill(pid, number)
        problem = await refused(task)
        assert f"({number.name})" in problem.what
        assert "has not changed" in problem.todo
        bench.door.close()
        assert "nine days" in await served(bench, database)
    report = await bench.work(database)
    assert "six days" in await served(bench, database)
    assert set(bench.folders()) == {report.previous, report.build}


def half_a_message(settings: object, job: object, pipe: Connection) -> None:
    """A worker that is killed while it hands back what it made."""
    os.write(pipe.fileno(), struct.pack("!i", 1_000_000) + b"half")
    os.kill(os.getpid(), signal.SIGKILL)


def nothing_at_all(settings: object, job: object, pipe: Connection) -> None:
    """A worker that ends without a word."""
    os._exit(7)


@pytest.mark.parametrize(
    ("main", "said"), [(half_a_message, "SIGKILL"), (nothing_at_all, "exit code 7")]
)
async def test_a_worker_that_ends_before_it_has_said_all_is_a_problem_in_words(
    bench: Bench,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    main: Callable[..., None],
    said: str,
) -> None:
    monkeypatch.setattr(worker, "_main", main)
    assert said in (await refused(bench.work(database))).what


class Unstartable:
    """In place of `multiprocessing`: no process can be started, for too many files are open."""

    def get_context(self, method: str) -> "Unstartable":
        return self

    Pipe = staticmethod(multiprocessing.Pipe)

    class Process:
        exitcode = pid = None

        def __init__(self, **_: object) -> None:
            pass

        def start(self) -> None:
            raise OSError(24, "Too many open files")


async def test_a_worker_that_cannot_be_started_is_a_problem_in_words(
    bench: Bench, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(worker, "multiprocessing", Unstartable())
        problem = await refused(bench.work(database))
    assert "Too many open files" in problem.what
    await bench.work(database)


async def test_who_gives_up_a_reload_ends_its_worker(bench: Bench, database: Database) -> None:
    before = (await bench.work(database)).build
    bench.put("aftercare", BODY.replace("nine", "six"))
    task, pid = await started(bench, database)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not Path(f"/proc/{pid}").exists()
    bench.door.close()
    assert await database.served_build() == before
    report = await bench.work(database)
    assert set(bench.folders()) == {before, report.build}


class Starting:
    """In place of `multiprocessing`: tells that a process is being started, and waits."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), threading.Event()
        self.process: Any = None
        self._loop = asyncio.get_running_loop()

    def get_context(self, method: str) -> "Starting":
        return self

    Pipe = staticmethod(FORKS.Pipe)

    def Process(self, **how: Any) -> Any:  # noqa: N802 - as it is called there
        self.process = FORKS.Process(**how)

        def slowly() -> None:
            self._loop.call_soon_threadsafe(self.begun.set)
            self.go_on.wait(30)
            del self.process.start  # it is to be pickled
            self.process.start()

        self.process.start = slowly
        return self.process


async def test_who_gives_up_while_the_worker_starts_ends_it_too(
    bench: Bench, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = Starting()
    monkeypatch.setattr(worker, "multiprocessing", starting)
    bench.door.keep()
    task = asyncio.create_task(bench.work(database))
    await starting.begun.wait()
    task.cancel()
    asyncio.get_running_loop().call_later(0.1, starting.go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    process = starting.process
    assert process.pid is not None, "started after nobody wanted it any more"
    assert await asyncio.to_thread(ended, process.pid)
    assert process.exitcode == -signal.SIGKILL
    bench.door.close()


async def test_ctrl_c_is_for_the_parent_to_decide(bench: Bench, database: Database) -> None:
    """It reaches every process of a terminal."""
    bench.door.keep()
    task = asyncio.create_task(bench.work(database))
    caller, _, pid = await asyncio.to_thread(bench.door.meet)
    with caller:
        os.kill(pid, signal.SIGINT)
        caller.sendall(b"go")
    bench.door.close()
    assert (await task).embedded == 6


async def test_a_worker_ends_with_its_parent_and_leaves_the_lock_free(
    bench: Bench, database: Database
) -> None:
    before = (await bench.work(database)).build
    bench.put("aftercare", BODY.replace("nine", "six"))
    bench.door.keep()
    parent = FORKS.Process(target=reload_with_a_worker, args=(bench.folder, [str(bench.package)]))
    parent.start()
    caller, _, pid = await asyncio.to_thread(bench.door.meet)
    assert pid != parent.pid
    parent.kill()
    parent.join()
    assert await asyncio.to_thread(ended, pid)
    caller.close()
    bench.door.close()
    assert await database.served_build() == before
    report = await bench.work(database)
    assert set(bench.folders()) == {before, report.build}


# ------------------------------------------------------------------ the real command


def test_ctrl_c_ends_a_reload_at_once_with_its_worker(bench: Bench) -> None:
    bench.door.keep()
    pipe = subprocess.PIPE
    command = subprocess.Popen(
        [COMMAND, "articles", "reload"],
        env={**os.environ, **bench.environment},
        cwd=bench.folder,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,
        # Whoever runs these tests in the background may have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    caller, _, pid = bench.door.meet()
    assert os.getpgid(pid) == command.pid
    os.killpg(command.pid, signal.SIGINT)
    out, err = command.communicate(timeout=20)
    # The worker would wait for an answer as long as it lives.
    assert not Path(f"/proc/{pid}").exists()
    caller.close()
    bench.door.close()
    assert command.returncode in (1, 130)
    assert b"Traceback" not in out + err
    assert len(err.splitlines()) <= 2
    asyncio.run(_reloads_and_leaves_nothing(bench))


async def _reloads_and_leaves_nothing(bench: Bench) -> None:
    database = await bench.database()
    try:
        report = await bench.work(database)
    finally:
        await database.close()
    assert report.previous is None
    assert bench.folders() == [report.build]


def test_settings_reach_the_worker_as_they_are(tmp_path: Path) -> None:
    """A spawned process gets them pickled; a secret must arrive too, and stay one."""
    import pickle

    given = settings_for(tmp_path, telegram_token="123:s3cret")
    raw = pickle.dumps(given)
    arrived = pickle.loads(raw)
    assert arrived == given
    assert "s3cret" not in repr(arrived)
