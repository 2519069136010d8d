"""What admins can do in Telegram, and that nobody else can."""

import asyncio
import json
import random
import shutil
import signal
import socket
import string
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from articles import article_file
from botapi import BotApi, Hang, ResetBefore, Status, Upload
from doors import ends_with_disclaimer, process, settled
from keeping import (
    ADMIN,
    COLLEAGUE,
    SENTENCE,
    STRANGER,
    WARTS,
    Chat,
    approve,
    body_of,
    fill,
    fingerprint,
    program_over,
    running,
    write,
)
from telegram import Bot as TelegramBot
from telegram import Update
from telegram.request import HTTPXRequest

from bot import admin as bot_admin
from bot import admin_commands, commands, long_commands, outgoing
from bot.admin_commands import Admin
from bot.app import Program
from bot.commands import Person, message
from bot.handlers import Ration, Right, right_of
from bot.intake import key_of
from bot.outgoing import Outgoing
from store.article import Move
from store.conversations import Database, sqlite_url
from store.errors import ArticlesProblem, StoreProblem
from store.mailbox import Parcel

NAMES = tuple(admin_commands.COMMANDS)


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


@pytest.fixture(scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """A store with articles in every state; tests that change an article make one of their own."""
    folder = tmp_path_factory.mktemp("kept")
    fill(folder / "articles")
    async with program_over(folder) as opened:
        yield opened


@pytest.fixture
def folder(kept: Program) -> Path:
    """The article folder."""
    assert kept.settings.articles_dir is not None
    return kept.settings.articles_dir


@pytest.fixture
async def chat(kept: Program, api: BotApi) -> AsyncIterator[Chat]:
    """The admin's chat with the running bot."""
    async with running(kept, api) as bot:
        yield Chat(kept, api, bot, ADMIN)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is shown as it comes."""
    monkeypatch.setattr(long_commands, "EVERY_S", 0.02)
    monkeypatch.setattr(long_commands, "AT_THAT_PACE", 1000)


async def audited(program: Program, action: str) -> list[tuple[str, dict[str, Any]]]:
    entries = await program.database.audit_entries(action=action, limit=1000)
    return [(e.who, e.detail) for e in entries]


# ------------------------------------------------------------------------------ looking


async def test_help_and_menu_have_the_commands_of_admins_for_admins_alone(
    kept: Program, api: BotApi
) -> None:
    async with running(kept, api) as bot:
        admin, colleague = (Chat(kept, api, bot, who) for who in (ADMIN, COLLEAGUE))
        told, others = await admin.say("/help"), await colleague.say("/help")
        assert "For admins" in told
        assert told.startswith(others)
        for name in NAMES:
            assert f"/{name} – " in told
            assert f"/{name}" not in others
        await admin.say("/start")
        await colleague.say("/start")
        menu = [c["command"] for c in api.commands({"type": "chat", "chat_id": ADMIN})]
        assert menu == [*commands.COMMANDS, *NAMES]
        assert not api.commands({"type": "chat", "chat_id": COLLEAGUE})


def test_the_help_of_every_command_fits_into_the_menu() -> None:
    for command in admin_commands.COMMANDS.values():
        assert 3 <= len(command.help) <= 256
    assert not set(NAMES) & set(commands.COMMANDS)


async def test_the_lists_say_what_there_is(chat: Chat, kept: Program) -> None:
    pointer = await kept.database.pointer()
    assert pointer is not None
    assert f"• {pointer.build} – served" in await chat.say("/builds")
    waiting = await chat.say("/review")
    assert "scars: submitted, not reviewed" in waiting
    assert "rosacea: under review" in waiting
    assert "keloids: review was due 2025-01-01" in waiting
    assert chat.buttons()["scars"] == "review:scars"
    assert "question" in await chat.say("/gaps 7d")
    assert "neither a date" in await chat.say("/gaps soon")
    assert "switch" in await chat.say("/audit") or "reload" in await chat.say("/audit")
    assert "Nothing was done to nobody yet." in await chat.say("/audit nobody")
    assert "No article can be called" in await chat.say("/audit ../etc")


async def test_an_article_that_is_not_served_is_shown_with_its_state_and_moves(
    chat: Chat, kept: Program
) -> None:
    shown = await chat.say("/article scars")
    assert SENTENCE in shown
    assert "Status: submitted, not reviewed; text " in shown
    assert "not served" in shown
    assert [data.split(":")[1] for data in chat.buttons().values()] == [
        "submit",
        "start",
        "withdraw",
    ]
    broken = await chat.say("/article broken")
    assert "not a sound article" in broken
    assert "line " in broken
    assert "error: " in broken
    served = await chat.say("/article warts")
    assert "Status: approved; text " in served
    assert chat.buttons()["Review"] == "review:warts"
    assert SENTENCE not in served
    assert SENTENCE in await chat.press("review:warts")
    assert "There is no article `nothing`" in await chat.say("/article nothing")


async def test_others_are_shown_served_articles_alone(kept: Program, api: BotApi) -> None:
    async with running(kept, api) as bot:
        colleague = Chat(kept, api, bot, COLLEAGUE)
        assert "There is no article" in await colleague.say("/article scars")
        assert "Status:" not in await colleague.say("/article warts")
        assert not any(d.startswith("review") for d in colleague.buttons().values())


# ------------------------------------------------------------------------------ deciding


async def test_a_button_decides_on_the_text_that_was_shown_and_on_no_other(
    chat: Chat, kept: Program, folder: Path
) -> None:
    path = write(folder, "pressed", status="submitted")
    await chat.say("/review pressed")
    assert "pressed: submitted to under review" in await chat.press(
        chat.buttons()["Start the review"]
    )
    await chat.say("/article pressed")
    stale = chat.buttons()["Approve"]
    path.write_text(path.read_text().replace("66%", "99%"))
    assert "has changed since it was read" in await chat.press(stale)
    assert 'status: "under_review"' in path.read_text() or "under_review" in path.read_text()
    await chat.say("/review pressed")
    approve_it = chat.buttons()["Approve"]
    assert "pressed: under review to approved" in await chat.press(approve_it)
    assert f"telegram:{ADMIN}" in path.read_text()
    approvals = await kept.database.audit_entries(article="pressed", action="approve")
    assert [e.who for e in approvals] == [f"telegram:{ADMIN}"]
    assert "decided on meanwhile" in await chat.press(approve_it)


async def test_a_typed_decision_takes_a_text_a_date_and_a_note(chat: Chat, folder: Path) -> None:
    path = write(folder, "typed", review_by="2025-01-01")
    shown = await chat.say("/review typed")
    assert "Approve" not in chat.buttons()
    assert "/review typed approve " in shown
    refused = await chat.say("/review typed approve")
    assert "/review typed approve 20" in refused
    assert "--review-by" not in refused
    for wrong, told in (
        ("/review typed bless", "There is no move “bless”"),
        ("/review typed approve 2027-02-30", "is not a date"),
        ("/review typed approve 00000000 2099-01-01", "has changed since it was read"),
        ("/review typed approve 2001-01-01", "would not be after this one"),
        ("/review ../typed approve", "No article can be called"),
        ("/review nothing approve", "There is no article `nothing`"),
    ):
        assert told in await chat.say(wrong)
    next_year = datetime.now(UTC).date() + timedelta(days=365)
    told = await chat.say(f"/review typed approve {next_year} read\nwith care")
    assert "typed: under review to approved" in told
    assert "read with care" in path.read_text()
    assert str(next_year) in path.read_text()


async def test_with_a_slug_too_long_for_a_button_the_command_is_said(
    chat: Chat, folder: Path
) -> None:
    slug = "l" * 58
    write(folder, slug, status="submitted")
    shown = await chat.say(f"/review {slug}")
    assert not chat.buttons()
    sha256 = shown.partition(f"/review {slug} MOVE ")[2][:8]
    assert "to under review" in await chat.say(f"/review {slug} start {sha256} as shown")


async def test_samples_cannot_be_decided_on(program: Program, api: BotApi) -> None:
    async with running(program, api, admin_ids=(ADMIN,)) as bot:
        admin = Chat(program, api, bot, ADMIN)
        before = await admin.say("/review pdl-exosomes")
        assert "A sample article" in before
        assert not admin.buttons()
        assert "not edited" in await admin.say("/review pdl-exosomes withdraw")
        raw = article_file(body_of(), slug="new")
        sent = await admin.after(lambda: admin.person.send_document("new.md", raw))
        assert "not edited" in sent


# ------------------------------------------------------------------------------ nobody else


async def test_for_others_the_commands_do_not_exist(kept: Program, api: BotApi) -> None:
    before = fingerprint(kept)
    async with running(kept, api) as bot:
        colleague, stranger = (Chat(kept, api, bot, who) for who in (COLLEAGUE, STRANGER))
        unknown = await colleague.say("/nosuch x")
        turned_away = await stranger.say("hello")
        for name in NAMES:
            told = await colleague.say(f"/{name} warts withdraw")
            assert told == unknown.replace("/nosuch", f"/{name}")
            assert await colleague.say(f"/{name.upper()}@{api.username}") == unknown.replace(
                "nosuch", name.upper()
            )
            assert await stranger.say(f"/{name} warts withdraw") == turned_away
        out_of_date = await colleague.press("nosuch:1:2")
        for data in ("review:warts", "review:withdraw:00000000u:warts"):
            assert await colleague.press(data) == out_of_date
            assert await stranger.press(data) == turned_away
        document = await colleague.after(
            lambda: colleague.person.send_document("warts.md", b"---\n", caption="replace")
        )
        assert document == await colleague.after(
            lambda: colleague.person.send_document("notes.txt", b"anything", caption="and this")
        )
        assert not any("reload" in text for text in api.texts(COLLEAGUE) if "/reload" not in text)
    assert fingerprint(kept) == before
    tried = {(who, d["command"]) for who, d in await audited(kept, "refused")}
    for who in (COLLEAGUE, STRANGER):
        assert {c for w, c in tried if w == f"telegram:{who}"} == {*NAMES, "button"}


async def test_a_flood_of_refused_commands_does_not_fill_the_audit(
    kept: Program, api: BotApi
) -> None:
    async with running(kept, api) as bot:
        flooder = Chat(kept, api, bot, 7009)
        for _ in range(30):
            flooder.person.say("/reload")
        await settled(api, bot)
    refused = [who for who, _ in await audited(kept, "refused")]
    assert refused.count("telegram:7009") == 20


def test_the_ration_is_by_person_and_hour_and_has_an_end() -> None:
    now = [0.0]
    ration = Ration(each=2, all_=5, clock=lambda: now[0])
    assert [ration.allows("a") for _ in range(3)] == [True, True, False]
    assert [ration.allows(who) for who in "bcdef"] == [True, True, True, False, False]
    now[0] = 3600.0
    assert ration.allows("a")


async def test_in_a_group_an_admin_is_nobody_special(kept: Program, api: BotApi) -> None:
    before = fingerprint(kept)
    async with running(kept, api) as bot:
        admin, group = api.private(ADMIN), api.group(-7100, "Ward 7")
        for name in (*NAMES, "nosuch"):
            group.say(admin, f"/{name} warts")
        await settled(api, bot)
        assert not api.sent_to(group.chat_id)
        for name in (*NAMES, "nosuch"):
            group.say(admin, f"/{name}@{api.username} warts")
        group.say(admin, "/help")
        await settled(api, bot)
        *told, helped = api.sent_to(group.chat_id)
        unknown = told[-1].text
        assert [t.text for t in told[:-1]] == [unknown.replace("nosuch", n) for n in NAMES]
        assert "For admins" not in helped.text
        group.press(admin, helped, "review:withdraw:00000000u:warts", forged=True)
        group.press(admin, helped, "review:warts", forged=True)
        await settled(api, bot)
        for pressed in api.sent_to(group.chat_id)[-2:]:
            assert "out of date" in pressed.text
    assert fingerprint(kept) == before


async def test_what_an_admin_did_not_just_type_is_not_carried_out(
    kept: Program, api: BotApi
) -> None:
    before = fingerprint(kept)
    async with running(kept, api) as bot:
        chat = Chat(kept, api, bot, ADMIN)
        person = chat.person
        for name in NAMES:
            text = f"/{name} warts withdraw"
            assert "Send it anew" in await chat.after(partial(person.forward, text))
            await chat.say("/context")
            edit = partial(person.edit, person.last_message_id, text)
            assert "Send it anew" in await chat.after(edit)
            inline = partial(
                person.send,
                text=text,
                entities=[{"type": "bot_command", "offset": 0, "length": len(name) + 1}],
                via_bot={"id": 5, "is_bot": True, "first_name": "Inline"},
            )
            assert "Send it anew" in await chat.after(inline)
        raw = article_file(body_of(), slug="forwarded")
        document = api._store(Upload("forwarded.md", raw))
        origin = {"type": "hidden_user", "sender_user_name": "X", "date": 1}
        told = await chat.after(
            lambda: person.send(
                document={**document, "file_name": "forwarded.md"}, forward_origin=origin
            )
        )
        assert "Send it anew" in told
        assert not api.calls_of("getFile")
    assert fingerprint(kept) == before


def an_update(**fields: Any) -> Update:
    """An update of an admin's private chat, with these fields otherwise."""
    user = {"id": ADMIN, "is_bot": False, "first_name": "Ada"}
    said = {
        "message_id": 1,
        "date": 1,
        "chat": {"id": ADMIN, "type": "private"},
        "from": user,
        "text": "/reload",
    }
    kind = fields.pop("kind", "message")
    found = Update.de_json({"update_id": 1, kind: {**said, **fields}}, TelegramBot("1:x"))
    assert found is not None
    return found


CHANNEL = {"id": -100, "type": "channel", "title": "News"}


@pytest.mark.parametrize(
    ("fields", "right"),
    [
        ({}, Right.FULL),
        ({"from": {"id": COLLEAGUE, "is_bot": False, "first_name": "B"}}, Right.NONE),
        ({"from": {"id": ADMIN, "is_bot": True, "first_name": "B"}}, Right.NONE),
        ({"from": {"id": -ADMIN, "is_bot": False, "first_name": "B"}}, Right.NONE),
        ({"chat": {"id": -5, "type": "group", "title": "G"}}, Right.NONE),
        ({"chat": {"id": -5, "type": "supergroup", "title": "G"}}, Right.NONE),
        ({"chat": CHANNEL}, Right.NONE),
        ({"chat": {"id": COLLEAGUE, "type": "private"}}, Right.NONE),
        ({"kind": "channel_post", "chat": CHANNEL, "from": None}, Right.NONE),
        ({"kind": "edited_message", "edit_date": 2}, Right.ANEW),
        ({"sender_chat": CHANNEL}, Right.ANEW),
        ({"via_bot": {"id": 5, "is_bot": True, "first_name": "I"}}, Right.ANEW),
        (
            {"forward_origin": {"type": "hidden_user", "sender_user_name": "x", "date": 1}},
            Right.ANEW,
        ),
        ({"kind": "business_message", "business_connection_id": "b"}, Right.ANEW),
    ],
)
def test_the_right_is_by_number_and_place(fields: dict[str, Any], right: Right) -> None:
    assert right_of(an_update(**fields), (ADMIN,)) is right
    assert right_of(an_update(**fields), ()) is Right.NONE


@pytest.mark.parametrize("place", [None, {"id": -5, "type": "group", "title": "G"}])
def test_a_button_pressed_elsewhere_gives_no_right(place: dict[str, Any] | None) -> None:
    query: dict[str, Any] = {
        "id": "1",
        "from": {"id": ADMIN, "is_bot": False, "first_name": "Ada"},
        "chat_instance": "1",
        "data": "review:warts",
    }
    if place is None:
        query["inline_message_id"] = "1"
    else:
        query["message"] = {"message_id": 1, "date": 1, "chat": place, "text": "x"}
    update = Update.de_json({"update_id": 1, "callback_query": query}, TelegramBot("1:x"))
    assert update is not None
    assert right_of(update, (ADMIN,)) is Right.NONE


# ------------------------------------------------------------------------------ forged buttons


def forged(count: int) -> Iterator[str]:
    """Payloads at random and near the truth, as bytes that a button could carry."""
    chance = random.Random(2026)
    moves = [*(m.value for m in Move), "bless", "", "APPROVE"]
    slugs = ["warts", "scars", "../warts", "", "w" * 58, "warts\n", "wärts", "nothing", "%", "a:b"]
    alphabet = string.printable + "äß漢🎉\u202e\x00\ud800"
    for n in range(count):
        sha256 = "".join(chance.choices("0123456789abcdefG", k=chance.choice([0, 7, 8, 8, 8, 9])))
        shape = n % 4
        if shape == 0:
            yield "".join(chance.choices(alphabet, k=chance.randint(1, 64)))
        elif shape == 1:
            letter = chance.choice("saurwx1")
            yield f"review:{chance.choice(moves)}:{sha256}{letter}:{chance.choice(slugs)}"
        elif shape == 2:
            yield f"review:{chance.choice(slugs)}{chance.choice(['', ':', chr(10)])}"
        else:
            kind = chance.choice(["ask", "probe", "topic", "review", "Review", "reload"])
            tail = ":".join(chance.choices(["1", "-1", "0", "9" * 30, "²", *slugs], k=2))
            yield f"{kind}:{tail}"


async def test_ten_thousand_forged_buttons_change_nothing(
    kept: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most decisions that are asked for would be allowed: only the SHA-256 is wrong."""
    looked: list[str] = []

    def read(settings: object, slug: str) -> object:
        looked.append(slug)
        raise ArticlesProblem("Looked for.")

    async def review(desk: object, slug: str, move: object, *, expect: str, **_: object) -> object:
        assert len(expect) == 8
        raise ArticlesProblem("Refused.")

    monkeypatch.setattr(bot_admin, "read_article", read)
    monkeypatch.setattr(bot_admin, "review", review)
    admin = Admin(Person(f"telegram:{ADMIN}", f"telegram:{ADMIN}:{ADMIN}"))
    before = fingerprint(kept)
    carried = 0
    for data in forged(10_000):
        told = await admin_commands.pressed(kept, admin, data)
        carried += told is not None
        assert told is None or admin_commands.is_button(data)
        if told is None:
            assert (await commands.pressed(kept, admin.person, data)).paragraphs
    assert carried
    assert set(looked) <= {"warts", "scars", "nothing", "w" * 58}
    assert fingerprint(kept) == before


async def test_forged_buttons_through_the_whole_bot_are_answered_and_change_nothing(
    kept: Program, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    before = fingerprint(kept)
    async with running(kept, api) as bot:
        chat = Chat(kept, api, bot, ADMIN)
        await chat.say("/context")
        at = chat.sent()[-1]
        for data in forged(120):
            if 1 <= len(data.encode("utf-8", "replace")) <= 64:
                chat.person.press(at, data, forged=True)
        await settled(api, bot)
        for part in chat.sent():
            ends_with_disclaimer(part, kept.disclaimer.text)
    assert fingerprint(kept) == before
    assert not [r for r in caplog.records if r.levelname == "ERROR"]


# ------------------------------------------------------------------------------ reloading


async def test_a_reload_tells_how_far_it_is_and_others_are_answered_meanwhile(
    kept: Program, api: BotApi, folder: Path, quick: None
) -> None:
    approve(write(folder, "angiomas"))
    async with running(kept, api) as bot:
        admin, colleague = (Chat(kept, api, bot, who) for who in (ADMIN, COLLEAGUE))
        assert "/reload\nStarting." in await admin.say("/reload")
        assert "66%" in await colleague.say(WARTS)
        assert "– served" in await admin.say("/builds")
        assert "Another reload is running" in await admin.ended_of("/reload")
        told = await admin.ended("added angiomas")
    first = admin.sent()[0]
    assert "Build " in first.text
    assert " added" in first.text
    assert "broken.md:" in told
    assert str(folder) not in told
    steps = [v.text.splitlines()[1] for v in first.versions]
    assert steps[0] == "Starting."
    assert any(step.startswith("Reading articles: ") for step in steps[1:])
    for version in first.versions:
        assert version.text.endswith(kept.disclaimer.text)
    edits = [o for o in api.outgoing_texts() if o.method == "editMessageText"]
    assert len(edits) >= 2
    assert all(o.text.endswith(kept.disclaimer.text) for o in edits)
    switched = await kept.database.audit_entries(action="reload", limit=1)
    assert switched[0].who == f"telegram:{ADMIN}"


async def test_a_check_switches_nothing_and_a_wrong_word_starts_nothing(
    chat: Chat, kept: Program, quick: None
) -> None:
    pointer = await kept.database.pointer()
    assert "The words after /reload are" in await chat.ended_of("/reload now")
    await chat.say("/reload check")
    assert "nothing is switched" in await chat.ended("Checked only")
    assert await kept.database.pointer() == pointer


async def test_a_rollback_and_one_to_a_build_that_is_not_there(
    chat: Chat, kept: Program, folder: Path, quick: None
) -> None:
    before = await kept.database.pointer()
    await chat.say("/reload")
    await chat.ended("passages,")
    await chat.say("/rollback")
    assert "The folder has not changed" in await chat.ended("The folder has not changed")
    after = await kept.database.pointer()
    assert before is not None
    assert after is not None
    assert after.build == before.build
    await chat.say("/rollback nothing")
    assert "There is no build nothing" in await chat.ended("There is no build nothing")
    assert "Name one build" in await chat.ended_of("/rollback one two")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StoreProblem("The disk is full.", "Free some space."), "Free some space."),
        (ValueError(WARTS), "because of a fault on our side"),
    ],
)
async def test_a_reload_that_fails_says_so(
    error: Exception,
    told: str,
    chat: Chat,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(bot_admin, "reload_now", failing)
    await chat.say("/reload")
    assert told in await chat.ended(told)
    assert WARTS not in caplog.text


async def test_a_message_that_cannot_be_changed_is_sent_anew_and_that_one_changed(
    chat: Chat, api: BotApi, quick: None
) -> None:
    api.fail_next("editMessageText", Status(400, "Bad Request: message to edit not found"))
    await chat.say("/reload check")
    assert "Checked only" in await chat.ended("Checked only")
    assert not api.faults_left
    first, second, *details = chat.sent()
    assert "Starting." in first.text
    assert "Checked only" in second.text
    assert len(details) <= 1


async def test_a_reload_goes_on_when_telegram_is_out_of_reach(
    chat: Chat, api: BotApi, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "ATTEMPTS", 1)
    api.fail_next("editMessageText", ResetBefore(), times=3)
    await chat.say("/reload check")
    assert "Checked only" in await chat.ended("Checked only")
    assert not api.faults_left


# ------------------------------------------------------------------------------ sending files


async def upload(chat: Chat, name: str, raw: bytes, **more: Any) -> str:
    return await chat.after(lambda: chat.person.send_document(name, raw, **more))


async def test_a_sound_file_is_stored_as_submitted_and_can_be_replaced(
    chat: Chat, kept: Program, folder: Path
) -> None:
    raw = article_file(body_of(), slug="sent", status="approved")
    told = await upload(chat, "../../outside/whatever.md", raw)
    assert "sent is stored as submitted" in told
    assert chat.buttons() == {"Read and review it": "review:sent"}
    assert SENTENCE in await chat.press("review:sent")
    stored = folder / "sent.md"
    assert b"submitted" in stored.read_bytes()
    assert not list(folder.parent.rglob("whatever*"))
    changed = article_file(body_of(SENTENCE.replace("66%", "77%")), slug="sent")
    assert "There is an article `sent` already." in await upload(chat, "x.md", changed)
    assert b"77%" not in stored.read_bytes()
    assert "is stored" in await upload(chat, "x.md", changed, caption=" Replace ")
    assert b"77%" in stored.read_bytes()
    assert await kept.database.audit_entries(article="sent", action="upload")


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("bad.md", b"---\nslug: bad\nstatus: nonsense\n---\nText.\n", "line "),
        ("binary.md", bytes(range(256)) * 40, "line "),
        ("empty.md", b"\n", "line "),
        ("warts.pdf", b"%PDF-1.7", "their names end in .md"),
        ("archive.md.zip", b"PK", "their names end in .md"),
        ("md", b"---\n", "their names end in .md"),
        ("large.md", b"x" * 250_001, "at most 250,000"),
    ],
)
async def test_a_file_that_is_no_article_is_answered_with_every_reason(
    name: str, raw: bytes, told: str, chat: Chat, kept: Program
) -> None:
    before = fingerprint(kept)
    answer = await upload(chat, name, raw)
    assert told in answer
    if told == "line ":
        assert "error: " in answer
    else:
        assert not chat.api.calls_of("getFile")
    assert fingerprint(kept) == before


async def test_a_file_larger_than_it_claims_and_one_that_cannot_be_fetched(
    chat: Chat, kept: Program, api: BotApi
) -> None:
    before = fingerprint(kept)
    huge = await upload(chat, "huge.md", b"x" * 300_000, claimed_size=1000)
    assert "larger than 250,000 bytes" in huge
    api.fail_next("getFile", Status(400, "Bad Request: file is too big"))
    assert "could not be fetched" in await upload(chat, "x.md", b"x")
    assert fingerprint(kept) == before


# ------------------------------------------------------------------------------ the door


async def test_a_change_ends_with_the_disclaimer_whatever_becomes_of_it(
    kept: Program, api: BotApi
) -> None:
    person = api.private(7201)
    async with TelegramBot(api.token, base_url=api.base_url) as bot:
        out = Outgoing(bot, kept.disclaimer, kept.database.mailbox)
        first = await out.send(person.chat_id, message("One."))
        assert first is not None
        assert await out.edit(person.chat_id, first, message("Two.")) == first
        assert await out.edit(person.chat_id, first, message("Two.")) == first
        refused = Status(400, "Bad Request: can't parse entities: Unsupported start tag")
        api.fail_next("editMessageText", refused)
        assert await out.edit(person.chat_id, first, message("a < b")) == first
        assert api.sent_to(person.chat_id)[0].text.startswith("a < b\n\n")
        anew = await out.edit(person.chat_id, 999_999, message("Three."))
        assert anew not in (None, first)
        long = message(*(f"Paragraph {n}. " + "word " * 150 for n in range(12)))
        last = await out.edit(person.chat_id, first, long)
        assert last not in (first, anew)
        api.fail_next("editMessageText", Status(403, "Forbidden: bot was blocked by the user"))
        assert await out.edit(person.chat_id, first, message("Four.")) is None
    assert len(api.sent_to(person.chat_id)) > 3
    for out_text in api.outgoing_texts():
        assert out_text.text.endswith(kept.disclaimer.text)


async def test_a_change_that_times_out_is_made_again(kept: Program, api: BotApi) -> None:
    person = api.private(7202)
    request = HTTPXRequest(read_timeout=0.5)
    async with TelegramBot(api.token, base_url=api.base_url, request=request) as bot:
        out = Outgoing(bot, kept.disclaimer, kept.database.mailbox)
        first = await out.send(person.chat_id, message("One."))
        assert first is not None
        api.fail_next("editMessageText", Hang(1))
        assert await out.edit(person.chat_id, first, message("Two.")) == first
    assert len(api.sent_to(person.chat_id)) == 1
    assert api.texts(person.chat_id)[0].startswith("Two.")


async def test_what_nobody_waits_for_is_delivered_or_left_for_later(
    kept: Program, api: BotApi
) -> None:
    person = api.private(7203)
    async with TelegramBot(api.token, base_url=api.base_url) as bot:
        out = Outgoing(bot, kept.disclaimer, kept.database.mailbox)
        assert await out.deliver(person.chat_id, message("One."))
        assert await out.deliver(4242, message("Nobody has this chat."))
        api.fail_next("sendMessage", Status(403, "Forbidden: bot was blocked by the user"))
        assert await out.deliver(person.chat_id, message("Two."))
        assert await out.deliver(person.chat_id, message("Not tried: the chat is closed."))
        assert len(api.calls_of("sendMessage")) == 3
        other = api.private(7204)
        api.fail_next("sendMessage", Status(429, "Too Many Requests: retry after 500"), times=9)
        assert not await out.deliver(other.chat_id, message("Three."))


# ------------------------------------------------------------------------------ as a process


def stat_of(pid: int) -> list[str]:
    """State, parent and so on of a process; empty when there is none, or it only waits to be
    reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] == "Z" else fields


def is_alive(pid: int) -> bool:
    return bool(stat_of(pid))


def children(pid: int) -> list[int]:
    """The processes that a process started and that still run."""
    pids = [int(e.name) for e in Path("/proc").iterdir() if e.name.isdecimal()]
    return [p for p in pids if stat_of(p)[1:2] == [str(pid)]]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_reload_ends_with_the_bot(tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    write(articles, "warts")
    given = {
        "ARTICLES_DIR": str(articles),
        "SERVE_UNDER_REVIEW": "true",
        "ADMIN_IDS": f"7999,{ADMIN}",
        "DIGEST_HOUR": "-1",
    }
    with BotApi() as api:
        admin = api.private(ADMIN)
        given |= {"TELEGRAM_TOKEN": api.token, "TELEGRAM_BASE_URL": api.base_url}
        with process(tmp_path, "-v", "telegram", **given) as bot:
            bot.wait_for(lambda: "is listening" in bot.err)
            own = {"type": "chat", "chat_id": ADMIN}
            bot.wait_for(lambda: api.commands(own))
            menu = [c["command"] for c in api.commands(own)]
            assert menu == [*commands.COMMANDS, *NAMES]
            assert [c["command"] for c in api.commands()] == list(commands.COMMANDS)
            for n in range(60):
                lines = [
                    f"- Patient group {n} of arm {i} healed in {i + 3} days. [1]" for i in range(60)
                ]
                body = "## From the research\n\n" + "\n".join(lines) + "\n"
                front = {"slug": f"many-{n}", "topic": f"Topic {n}", "title": f"Does {n} work?"}
                (articles / f"many-{n}.md").write_bytes(article_file(body, **front))
            admin.say("/reload")
            bot.wait_for(lambda: "of" in "".join(api.texts(ADMIN)) and children(bot.popen.pid))
            workers = children(bot.popen.pid)
            assert workers
            bot.popen.send_signal(signal.SIGTERM)
            ended = bot.end(20.0)
        assert ended.code == 0, ended.err
        ended.told()
        assert "Ended early: the bot is being stopped." in api.texts(ADMIN)[0]
        deadline = time.monotonic() + 5
        while left := [w for w in workers if is_alive(w)]:
            assert time.monotonic() < deadline, left
            time.sleep(0.05)


# ------------------------------------------------------------------------------ kills


async def test_what_a_kill_interrupted_is_told_and_not_begun_again(
    kept: Program, api: BotApi
) -> None:
    mailbox = kept.database.mailbox
    alive, mailbox.owner = mailbox.owner, DEAD
    try:
        admin = api.private(ADMIN)
        for text in ("/rollback", "/review approve rosacea", "/builds"):
            number = admin.say(text)
            update = Update.de_json(api.update(number), None)
            key = key_of(update, int(api.token.partition(":")[0]))
            payload = json.dumps(update.to_dict())
            await mailbox.take_in([Parcel(key, f"{ADMIN}", f"telegram:{ADMIN}", payload)])
            if text != "/builds":
                assert await mailbox.begin(key)
    finally:
        mailbox.owner = alive
    before = (await kept.database.pointer(), fingerprint(kept))
    async with running(kept, api) as bot:
        await settled(api, bot)
        told = [sent.text for sent in api.sent_to(ADMIN)]
    assert len(told) == 3
    for title, text in zip(("/rollback", "/review approve rosacea"), told, strict=False):
        assert text.startswith(f"{title}\nThis was being carried out when the program was ended.")
        assert text.endswith(kept.disclaimer.text)
    assert (await kept.database.pointer(), fingerprint(kept)) == before
    async with running(kept, api) as bot:
        await settled(api, bot)
    assert len(api.sent_to(ADMIN)) == 3


DEAD = f"{socket.gethostname()[:60]}:4194305:1"
"""A process of this machine that is not there any more."""


async def test_a_reload_is_not_done_before_it_has_ended(
    program: Program, data_folder: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(data_folder, tmp_path / "data"))
    with BotApi() as api:
        given = {"TELEGRAM_TOKEN": api.token, "TELEGRAM_BASE_URL": api.base_url}
        given |= {"ADMIN_IDS": f"{ADMIN}", "DIGEST_HOUR": "-1"}
        admin = api.private(ADMIN)
        with process(data, "telegram", **given) as bot:
            bot.wait_for(lambda: "is listening" in bot.err)
            number = admin.say("/reload")
            bot.wait_for(lambda: api.texts(ADMIN))
            # Had it been done with when the message was answered, it would be by now.
            bot.wait_for(lambda: children(bot.popen.pid))
        assert "Starting." in api.texts(ADMIN)[0]
    database = await Database.open(sqlite_url(data / "corollary.db"))
    try:
        (left,) = await database.mailbox.left(int(api.token.partition(":")[0]))
    finally:
        await database.close()
    assert (left.parcel.key.update_id, left.begun, left.answered) == (number, True, False)


async def test_a_reload_that_has_ended_is_done(kept: Program, api: BotApi, quick: None) -> None:
    async with running(kept, api) as bot:
        chat = Chat(kept, api, bot, ADMIN)
        await chat.say("/reload check")
        await chat.ended("Checked only")
        for _ in range(250):
            if not await undone(kept):
                break
            await asyncio.sleep(0.02)
        assert not await undone(kept)


async def undone(program: Program) -> int:
    """How many updates are in the mailbox that are not done with."""
    async with program.database._begin() as c:
        query = "SELECT count(*) FROM mailbox WHERE done_at IS NULL"
        return int((await c.execute(sqlalchemy.text(query))).scalar_one())
