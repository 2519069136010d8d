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
        ours, theirs = context.Pipe()
        process = context.Process(target=_main, args=(settings, job, theirs), daemon=True)
        await asyncio.to_thread(process.start)
        theirs.close()
        try:
            return await _converse(ours, progress, questions)
        except (EOFError, ConnectionError):
            await asyncio.to_thread(process.join)
            raise StoreProblem(
                f"The process that builds ended early ({_ending(process.exitcode)}).",
                "What is served has not changed. Try again; if memory is short, free some.",
            ) from None
        finally:
            # When all went well it has ended by itself.
            process.kill()
            await asyncio.to_thread(process.join)
            ours.close()

    return work


async def _converse(pipe: Connection, progress: Progress, questions: "Questions") -> "Made":
    while True:
        what, *rest = await asyncio.to_thread(pipe.recv)
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
    except Exception:  # noqa: BLE001 - told to the parent, which logs it
        pipe.send(("failure", traceback.format_exc()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(settings: Settings, job: "Job", pipe: Connection) -> "Made":
    from bot.app import open_embeddings, rules_of
    from chains.answer import Answerer
    from chains.rehearse import Remembering, rehearse
    from store import reload

    def progress(step: str, done: int, total: int) -> None:
        pipe.send(("progress", step, done, total))

    opened = lru_cache(1)(lambda: open_embeddings(settings))

    def _rehearse(old: Build | None, new: Build, touched: Sequence[str]) -> Rehearsal:
        embeddings, _, rarity = opened()
        answerer = Answerer(
            embeddings=Remembering(embeddings),
            rules=rules_of(settings),
            rarity=rarity,
            today=lambda: job.day,
        )
        return rehearse(old, new, touched, _ask(pipe, touched), answerer, progress)

    return reload.work(job, lambda: opened()[0], progress, _rehearse)


def _ask(pipe: Connection, slugs: Collection[str]) -> list[AskedBefore]:
    """Asks the parent, which has the database, for real questions on these articles."""
    if not slugs:
        return []
    pipe.send(("questions", tuple(slugs)))
    return list(pipe.recv())
