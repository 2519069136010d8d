"""What every command of the command line needs: settings, progress, a way to say things."""

import asyncio
import os
import sys
import threading
from collections.abc import Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click

from bot.settings import Settings, read_settings, unknown_names

FOUND_WRONG = 1
"""Exit code of a command that did its work and found something wrong; 2: it could not do it."""


def say(text: str) -> None:
    """Tells the operator, on standard error."""
    click.echo(text, err=True)


def settings_in_force() -> Settings:
    """The settings, with a warning for each name that is none."""
    settings = read_settings()
    for text in unknown_names():
        say(f"Warning: {text}")
    return settings


def run(main: Coroutine[Any, Any, int]) -> None:
    """Runs a command to its exit code."""
    sys.exit(asyncio.run(main))


def leave_within(seconds: float) -> None:
    """Ends the process in so many seconds if it has not ended by then, whatever holds it up."""

    def leave() -> None:
        say("Something does not end, and is broken off.")
        os._exit(0)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


STEPS = {
    "reading": "Reading articles",
    "embedding": "Embedding passages",
    "indexing": "Indexing passages",
    "calibrating": "Calibrating",
    "verifying": "Verifying",
    "rehearsing": "Rehearsing questions",
}


class Bar:
    """Progress on standard error: a bar for each step, with its rate and the time left.

    Where standard error is no terminal nothing is drawn.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        if step not in STEPS:  # the switch, which takes no time
            self.stop()
            return
        if self._bar is None:
            self._bar = self._new()
            self._bar.start()
        if step not in self._tasks:
            for task in self._tasks.values():
                self._bar.stop_task(task)
            self._tasks[step] = self._bar.add_task(STEPS[step], total=total, rate="")
        task = self._tasks[step]
        speed = self._bar.tasks[list(self._tasks).index(step)].speed
        rate = f"{speed:,.0f}/s" if speed else ""
        self._bar.update(task, completed=done, total=total, rate=rate)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leaves the bars as they stand."""
        if self._bar is not None:
            self._bar.stop()
            self._bar, self._tasks = None, {}

    def _new(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        console = Console(stderr=True)
        return Progress(
            TextColumn("{task.description:22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            Remaining(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )


def moment(text: str) -> datetime:
    """The time, in UTC, that a date (2026-11-22) or a span until now (36h, 7d, 4w) names;
    ValueError, worded for the person who typed it, for anything else."""
    given = text.strip().lower()
    hours = {"h": 1, "d": 24, "w": 168}.get(given[-1:])
    try:
        if hours and given[:-1].isascii() and given[:-1].isdecimal():
            return datetime.now(UTC) - timedelta(hours=hours * int(given[:-1]))
        day = date.fromisoformat(given)
    except (ValueError, OverflowError):
        raise ValueError(
            f"“{text[:40]}” is neither a date (2026-11-22) nor a span (36h, 7d, 4w)."
        ) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class Since(click.ParamType[datetime]):
    """A moment in the past, for an option."""

    name = "when"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        """See `moment`."""
        try:
            return value if isinstance(value, datetime) else moment(str(value))
        except ValueError as e:
            self.fail(str(e))
