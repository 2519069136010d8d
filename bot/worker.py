"""The work of a reload in a process of its own.

It ends with its parent, gives way to it when both want the processor, and cannot take the bot
down with it. Its only ties are a pipe and the folder that it writes.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Collection, Sequence
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from bot.settings import Settings
from store.errors import CorollaryError, StoreProblem
from store.index import Build, Progress
from store.records import AskedBefore
from store.report import Rehearsal

if TYPE_CHECKING:
    from store.reload import Job, Made, Questions, Worker

log = logging.getLogger("corollary.worker")

NICENESS = 10
"""Of 19. Questions come first."""


def in_a_process(settings: Settings) -> "Worker":
    """A worker for `store.reload` that runs each job in a new process."""

    async def work(job: "Job", progress: Progress, questions: "Questions") -> "Made":
        # Spawned, not forked: threads of the index library and of the model do not survive a fork.
        context: Any = multiprocessing.get_context("spawn")
        try:
            ours, theirs = context.Pipe()
        except OSError as e:
            raise _unstartable(e) from e
        process = context.Process(target=_main, args=(settings, job, theirs), daemon=True)
        starting = asyncio.ensure_future(asyncio.to_thread(process.start))
        try:
            try:
                await asyncio.shield(starting)
            except OSError as e:
                raise _unstartable(e) from e
            theirs.close()
            return await _converse(ours, progress, questions)
        except (EOFError, ConnectionError):
            await asyncio.to_thread(process.join)
            raise StoreProblem(
                f"The process that builds ended early ({_ending(process.exitcode)}).",
                "What is served has not changed. Try again; if memory is short, free some.",
            ) from None
        finally:
            # Who gives up while it starts would leave it running.
            await asyncio.wait([starting])
            if process.pid is not None:
                # When all went well it has ended by itself.
                process.kill()
                await asyncio.to_thread(process.join)
            theirs.close()
            ours.close()

    return work


def _unstartable(problem: OSError) -> StoreProblem:
    return StoreProblem(
        f"The process that builds cannot be started: {problem.strerror or problem}.",
        "What is served has not changed. Try again; if memory or open files are short, free some.",
    )


async def _converse(pipe: Connection, progress: Progress, questions: "Questions") -> "Made":
    while True:
        try:
            what, *rest = await asyncio.to_thread(pipe.recv)
        except OSError as e:  # it ended in the middle of a message
            raise EOFError from e
        if what == "progress":
            progress(*rest)
        elif what == "questions":
            pipe.send(await questions(*rest))
        elif what == "made":
            made: Made = rest[0]
            return made
        elif what == "problem":
            raise rest[0]
        else:
            log.error("the process that builds failed:\n%s", rest[0])
            raise StoreProblem(
                f"The build failed: {rest[0].strip().splitlines()[-1]}",
                "What is served has not changed. The log has the details.",
            )


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _main(settings: Settings, job: "Job", pipe: Connection) -> None:
    # Ctrl-C reaches the whole terminal; whether to end is the parent's to decide.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        pipe.send(("made", _run(settings, job, pipe)))
    except CorollaryError as e:
        pipe.send(("problem", e))
    except _InRehearsalError as e:
        assert e.__cause__ is not None
        place = "".join(traceback.format_tb(e.__cause__.__traceback__))
        kind = type(e.__cause__).__name__
        pipe.send(("failure", f"Traceback (most recent call last):\n{place}{kind}"))
    except Exception:  # noqa: BLE001 - told to the parent, which logs it
        pipe.send(("failure", traceback.format_exc()))


class _InRehearsalError(Exception):
    """Its cause failed over a question, and may repeat it in its message: no log has that."""


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(settings: Settings, job: "Job", pipe: Connection) -> "Made":
    from bot.app import open_embeddings, rules_of
    from chains.answer import Answerer
    from chains.calibrate import study
    from chains.rehearse import Remembering, rehearse
    from store import reload

    def progress(step: str, done: int, total: int) -> None:
        pipe.send(("progress", step, done, total))

    opened = lru_cache(1)(lambda: open_embeddings(settings))

    @lru_cache(1)
    def answerer() -> Answerer:
        # One for both: a probe that calibrates is asked again in the rehearsal, and read once.
        embeddings, _, rarity = opened()
        return Answerer(
            embeddings=Remembering(embeddings),
            rules=rules_of(settings),
            rarity=rarity,
            today=lambda: job.day,
        )

    def _study(build: Build) -> dict[str, Any]:
        return study(answerer(), build)

    def _rehearse(old: Build | None, new: Build, touched: Sequence[str]) -> Rehearsal:
        real = _ask(pipe, touched)
        try:
            return rehearse(old, new, touched, real, answerer(), progress)
        except CorollaryError:
            raise
        except Exception as e:
            raise _InRehearsalError from e

    return reload.work(job, lambda: opened()[0], progress, _rehearse, _study)


def _ask(pipe: Connection, slugs: Collection[str]) -> list[AskedBefore]:
    """Asks the parent, which has the database, for real questions on these articles."""
    if not slugs:
        return []
    pipe.send(("questions", tuple(slugs)))
    return list(pipe.recv())
