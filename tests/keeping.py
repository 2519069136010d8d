"""A folder of articles in every state of review, a program over it, and its running bot."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from articles import article_file
from botapi import BotApi, Person, Sent
from conftest import settings_for
from doors import Bot, ends_with_disclaimer, settled
from pydantic import SecretStr

from bot import polling
from bot.app import Program, open_program
from bot.background import Background
from store.article import Move
from store.review import decide

ADMIN, COLLEAGUE, STRANGER = 7001, 7002, 7003
WARTS = "How often do warts clear after pulsed dye laser?"
SENTENCE = "In a trial, pulsed dye laser cleared warts in 66% of 40 patients after three sessions."


def body_of(sentence: str = SENTENCE) -> str:
    """A body that states this about warts."""
    return (
        "## From the guidelines\n\n"
        "- No guideline on pulsed dye laser for warts was found.\n\n"
        "## From the research\n\n"
        f"- {sentence} [1]\n"
        "- Purpura lasted about ten days in most of those patients with the laser. [1, 2]\n"
    )


def write(folder: Path, slug: str, sentence: str = SENTENCE, **front: object) -> Path:
    """An article file in the folder; under review unless told otherwise."""
    path = folder / f"{slug}.md"
    named = {"title": f"Does pulsed dye laser clear {slug}?", "topic": f"Laser for {slug}"}
    path.write_bytes(article_file(body_of(sentence), slug=slug, **{**named, **front}))
    return path


def approve(path: Path, review_by: date | None = None) -> None:
    """What it says is approved."""
    day = datetime.now(UTC).date()
    decide(path, Move.APPROVE, by="Dr A", at=day, review_by=review_by)


def fill(folder: Path) -> None:
    """One article approved, one submitted, one under review, one overdue, one that is none."""
    folder.mkdir(exist_ok=True)
    approve(write(folder, "warts", title="Does pulsed dye laser clear warts?"))
    write(folder, "scars", status="submitted")
    write(folder, "rosacea")
    write(folder, "keloids", review_by="2025-01-01")
    (folder / "broken.md").write_text("---\nslug: broken\ntitle: [\n---\nNothing.\n")


@asynccontextmanager
async def program_over(
    folder: Path, data: Path | None = None, **settings: object
) -> AsyncIterator[Program]:
    """A program over `articles` in that folder, with an admin and a colleague. Its data is in
    `data` there, or in a copy of that, in the folder that is given."""
    given = {"admin_ids": (ADMIN,), "allowed_ids": (COLLEAGUE,), **settings}
    if data is not None:
        shutil.copytree(folder / "data", data)
    own = data or folder / "data"
    ours = settings_for(own, articles_dir=folder / "articles", **given)
    async with open_program(ours, say=lambda text: None) as opened:
        yield opened


@asynccontextmanager
async def running(
    program: Program, api: BotApi, *, unasked: bool = False, **settings: object
) -> AsyncIterator[Bot]:
    """The bot as `polling.serve` runs it; `unasked` with what it tells of its own accord."""
    server = {"telegram_token": SecretStr(api.token), "telegram_base_url": api.base_url}
    given = program.settings.model_copy(update={**server, **settings})
    ours = replace(program, settings=given, desk=replace(program.desk, settings=given))
    background = Background()
    door = polling.build(ours, api.token, lambda: None, background)
    async with polling.open_door(door), polling.listening(ours, door):
        if unasked:
            polling.tell_unasked(ours, door.outgoing, background)
        try:
            yield door.application
        finally:
            await background.close()


class Chat:
    """Somebody's private chat with the bot, as they read it."""

    def __init__(self, program: Program, api: BotApi, bot: Bot, user_id: int) -> None:
        self.person: Person = api.private(user_id)
        self.api = api
        self._bot = bot
        self._disclaimer = program.disclaimer.text

    async def say(self, text: str) -> str:
        """The reply to a text, without disclaimers."""
        return await self.after(lambda: self.person.say(text))

    async def press(self, data: str) -> str:
        """The reply to a button, offered or forged."""
        last = self.sent()[-1]
        return await self.after(lambda: self.person.press(last, data, forged=True))

    async def after(self, act: Callable[[], int]) -> str:
        """The reply to an act, "" when there is none; everything ends with the disclaimer."""
        before = len(self.sent())
        act()
        await settled(self.api, self._bot)
        return self.read(self.sent()[before:])

    def read(self, parts: list[Sent]) -> str:
        """Their words without disclaimers."""
        for part in parts:
            ends_with_disclaimer(part, self._disclaimer)
        return "\n\n".join(p.text.removesuffix(self._disclaimer).strip() for p in parts)

    def sent(self) -> list[Sent]:
        """All that was sent here."""
        return self.api.sent_to(self.person.chat_id)

    def buttons(self) -> dict[str, str]:
        """Those under the last message: what they say, and their data."""
        return dict(self.sent()[-1].buttons)

    async def ended_of(self, text: str) -> str:
        """What the message of a long command says when it has ended, and what came with it."""
        before = len(self.sent())
        self.person.say(text)
        await asyncio.to_thread(self.api.wait_sent, self.person.chat_id, before + 1)
        told = self.sent()[before]
        await asyncio.to_thread(self.api.wait_for, lambda: "Starting." not in told.text, 30.0)
        return self.read(self.sent()[before:])

    async def ended(self, what: str, timeout_s: float = 60.0) -> str:
        """Waits until some message of this chat has these words; all that was sent since."""
        seen = lambda: [s for s in self.sent() if what in s.text]  # noqa: E731 - waited for
        await asyncio.to_thread(self.api.wait_for, seen, timeout_s)
        return self.read(self.sent())


def fingerprint(program: Program) -> str:
    """Of the article folder and the builds: it changes when anything in them does."""
    digest = hashlib.sha256()
    folder = program.settings.articles_dir
    assert folder is not None
    for path in sorted(folder.rglob("*")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    for build in sorted(program.desk.builds.iterdir()):
        digest.update(build.name.encode())
    return digest.hexdigest()
