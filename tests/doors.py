"""The doors as tests use them: the console, the bot over HTTP, the command as a process."""

import asyncio
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi, Person, Sent
from conftest import settings_for
from telegram.ext import Application

from bot import commands, console, polling
from bot.app import Program
from bot.render import Message, plain
from bot.words import ENGLISH

Bot = Application[Any, Any, Any, Any, Any, Any]


# ------------------------------------------------------------------- what was replied


@dataclass(frozen=True)
class Reply:
    """One reply as its reader has it: the words without the disclaimers, and the buttons."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()

    def words(self) -> str:
        """The words alone, without white space, which differs where a long text is divided; the
        console writes out links, which Telegram puts behind words."""
        return "".join(re.sub(r"^ {4}https?://\S+$", "", self.text, flags=re.MULTILINE).split())


def cited(text: str) -> set[int]:
    """The numbers in brackets before the list of sources."""
    answer = text.partition("\nSources\n")[0]
    marks: list[str] = re.findall(r"\[(\d+(?:, \d+)*)\]", answer)
    return {int(n) for mark in marks for n in mark.split(", ")}


def listed(text: str) -> set[int]:
    """The numbers that have an entry in the list of sources."""
    return {int(n) for n in re.findall(r"^\[(\d+)\] ", text.partition("\nSources\n")[2], re.M)}


# ------------------------------------------------------------------- the two doors


class ConsoleDoor:
    """What `corollary chat` replies to a line."""

    def __init__(self, program: Program, conversation: str) -> None:
        self._program = program
        self._reader = console.person(conversation)

    async def say(self, text: str) -> Reply:
        """The reply to a line."""
        return self._read(await console.respond(self._program, self._reader, text))

    async def press(self, data: str) -> Reply:
        """The console has no buttons; what pressing one would reply."""
        return self._read(await commands.pressed(self._program, self._reader, data))

    def _read(self, message: Message) -> Reply:
        disclaimer = self._program.disclaimer.text
        text = plain(message, disclaimer)
        assert text.endswith(f"\n\n{disclaimer}")
        assert text.count(disclaimer) == 1
        buttons = tuple((b.text, b.data) for b in message.buttons)
        return Reply(text.removesuffix(disclaimer).strip(), buttons)


class TelegramDoor:
    """What a person reads in their private chat with the running bot."""

    def __init__(
        self, program: Program, api: BotApi, bot: Bot, person: Person, language: str = ENGLISH
    ) -> None:
        self.person = person
        self._disclaimer = program.disclaimer.others.get(language, program.disclaimer.text)
        self._api = api
        self._bot = bot

    async def say(self, text: str) -> Reply:
        """The reply to a text, also to one longer than Telegram would let a person send."""
        if text.startswith("/") and len(text) <= 4096:
            return await self.after(lambda: self.person.say(text))
        return await self.after(lambda: self.person.send(text=text))

    async def press(self, data: str) -> Reply:
        """The reply to a pressed or forged button of the last message."""
        last = self._api.sent_to(self.person.chat_id)[-1]
        return await self.after(lambda: self.person.press(last, data, forged=True))

    def links(self) -> set[str]:
        """Every link that the person was ever shown."""
        shown = self._api.sent_to(self.person.chat_id)
        return {e["url"] for part in shown for e in part.entities if "url" in e}

    async def after(self, act: Callable[[], int]) -> Reply:
        """The one reply that an act brings: its parts in order, each with the disclaimer last."""
        before = len(self._api.sent_to(self.person.chat_id))
        act()
        await settled(self._api, self._bot)
        parts = self._api.sent_to(self.person.chat_id)[before:]
        assert parts, "no reply"
        for part in parts:
            ends_with_disclaimer(part, self._disclaimer)
        assert not any(part.buttons for part in parts[:-1]), "buttons before the last part"
        texts = [part.text.removesuffix(self._disclaimer).strip() for part in parts]
        return Reply("\n\n".join(texts), tuple(parts[-1].buttons))


def ends_with_disclaimer(part: Sent, disclaimer: str) -> None:
    """Fails unless the disclaimer is the last that is read, once, in a quotation of its own."""
    assert part.text.endswith(f"\n\n{disclaimer}")
    assert part.text.count(disclaimer) == 1
    quotations = [e for e in part.entities if e["type"] == "expandable_blockquote"]
    assert quotations[-1]["length"] == len(disclaimer.encode("utf-16-le")) // 2


@asynccontextmanager
async def bot_over(program: Program, api: BotApi, **settings: object) -> AsyncIterator[Bot]:
    """The bot as it runs, polling the stand-in; open to everybody unless told otherwise."""
    settings = {"access": "open", **settings}
    folder = program.settings.data_dir
    given = settings_for(
        folder, telegram_token=api.token, telegram_base_url=api.base_url, **settings
    )
    ours = replace(program, settings=given)
    door = polling.build(ours, api.token, lambda: None)
    async with polling.open_door(door), polling.listening(ours, door):
        yield door.application


async def settled(api: BotApi, bot: Bot) -> None:
    """Returns when the bot has fetched every update and is done with it."""
    await asyncio.to_thread(api.wait_for, lambda: api.pending == 0, 30.0)
    await bot.update_queue.join()


# ------------------------------------------------------------------- the command as a process


@dataclass(frozen=True)
class Ran:
    """How a process or a command in this process ended."""

    code: int
    out: str
    err: str

    def told(self) -> str:
        """What it wrote to standard error; fails when that is a traceback."""
        assert "Traceback" not in self.out + self.err, self.err
        return self.err


COMMAND = str(Path(sysconfig.get_path("scripts")) / "corollary")


def environment(data: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process with its own data folder and these settings."""
    given = {f"COROLLARY_{name}": value for name, value in settings.items()}
    return {**os.environ, "COROLLARY_DATA_DIR": str(data), **given}


class Process:
    """A running `corollary`; what it writes is kept in files."""

    def __init__(self, data: Path, *args: str, **settings: str) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self.kept = ""
        """All that it had written to standard error when it was closed."""
        self.popen = subprocess.Popen(
            [COMMAND, *args],
            cwd=data,
            env=environment(data, settings),
            stdin=subprocess.PIPE,
            stdout=self._out,
            stderr=self._err,
        )

    @property
    def out(self) -> str:
        """What it has written to standard output."""
        return _read(self._out)

    @property
    def err(self) -> str:
        """What it has written to standard error."""
        return _read(self._err)

    def type(self, line: str) -> None:
        """Writes a line to its standard input."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{line}\n".encode())
        self.popen.stdin.flush()

    def wait_for(self, seen: Callable[[], object], timeout_s: float = 60.0) -> None:
        """Returns when something is seen; fails when the process ends before, or in time."""
        deadline = time.monotonic() + timeout_s
        while not seen():
            ended = self.popen.poll()
            assert ended is None or seen(), f"ended with {ended}: {self.err}"
            assert time.monotonic() < deadline, f"not seen in {timeout_s} s: {self.err}"
            time.sleep(0.02)

    def end(self, timeout_s: float = 60.0) -> Ran:
        """How it ends, within the time."""
        assert self.popen.stdin is not None
        self.popen.stdin.close()
        return Ran(self.popen.wait(timeout_s), self.out, self.err)

    def close(self) -> None:
        """Leaves nothing running."""
        self.popen.kill()
        self.popen.wait()
        if self.popen.stdin is not None and not self.popen.stdin.closed:
            self.popen.stdin.close()
        self.kept = self.err
        self._out.close()
        self._err.close()


def _read(file: Any) -> str:
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), size, 0).decode("utf-8", "replace")


@contextmanager
def process(data: Path, *args: str, **settings: str) -> Iterator[Process]:
    """A running `corollary`, killed at the end if it still runs."""
    running = Process(data, *args, **settings)
    try:
        yield running
    finally:
        running.close()


class InProcess:
    """Runs `corollary` in this process, as cheap as a function call."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path
    ) -> None:
        self.data = data
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *args: str, stdin: str | bytes = "", **settings: str) -> Ran:
        """How the command ended."""
        from io import BytesIO, TextIOWrapper

        from bot.__main__ import main

        raw = stdin.encode() if isinstance(stdin, str) else stdin
        with self._monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["corollary", *args])
            patched.setattr(sys, "stdin", TextIOWrapper(BytesIO(raw), encoding="utf-8"))
            for name in [n for n in os.environ if n.startswith("COROLLARY_")]:
                patched.delenv(name)
            for name, value in environment(self.data, settings).items():
                patched.setenv(name, value)
            self._capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        said = self._capsys.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else int(code is not None), said.out, said.err)
