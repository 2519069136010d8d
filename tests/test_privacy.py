"""A person's own data: told, handed over, erased to the last row, and not kept for ever."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa
from botapi import BotApi
from conftest import settings_for
from doors import TelegramDoor, bot_over, settled
from turns import a_reply

from bot import privacy
from bot.app import Program, open_program
from bot.intake import Intake
from store import own_data
from store.conversations import Database
from store.mailbox import Key, Parcel
from store.migrations.tables import metadata
from store.people import role_of, set_role, vote
from store.shown import noting
from store.turn import Role

pytest_plugins = ("databases", "postgres")

WORDS = "zebrafish-marker washing question"
USER, CHAT, OTHER = "telegram:990001", "telegram:990001:990001", "telegram:990002"


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as server:
        yield server


async def dump(database: Database) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    found = {}
    async with database.reading() as c:
        for name, table in metadata.tables.items():
            found[name] = [repr(tuple(row)) for row in await c.execute(sa.select(table))]
    return found


def with_them(found: dict[str, list[str]], number: str = "990001") -> dict[str, list[str]]:
    """The rows that name the person or what they asked."""
    rows = {t: [r for r in all_ if number in r or WORDS in r] for t, all_ in found.items()}
    return {t: r for t, r in rows.items() if r}


async def live(database: Database, user: str, chat: str) -> None:
    """Leaves something of the user in every table that can have it."""
    turn = a_reply("May be washed.", chat=chat, question=WORDS, reason="no_statement")
    number = await database.remember(user, turn)
    await set_role(database, user, Role.NURSE)
    await database.invite(user)
    await vote(database, user, chat, number, -1, f"{WORDS} was wrong")
    person = int(user.rpartition(":")[2])
    await database.write(noting(person, 5, number, question_id=4))
    await database.note(user, "invited")
    await database.note(user, "refused", {"command": "reload"})
    key = Key(1, person, f"button:{person % 1000}")
    await database.mailbox.take_in([Parcel(key, str(person), user, json.dumps({"text": WORDS}))])
    await database.mailbox.keep(key, person, None, [{"text": WORDS}])


async def test_no_table_has_anything_of_who_is_forgotten(database: Database) -> None:
    await live(database, USER, CHAT)
    await live(database, OTHER, "telegram:990002:990002")
    left = {"users", "conversations", "turns", "feedback", "shown", "mailbox", "audit", "replies"}
    assert left <= with_them(await dump(database)).keys()
    kept = await own_data.everything(database, USER)
    assert {t for t, rows in kept.items() if rows} >= {"users", "turns", "feedback", "mailbox"}
    assert json.loads(json.dumps(kept))["turns"][0]["question"] == WORDS

    await own_data.forget(database, USER)
    found = await dump(database)
    # The update's number alone stays, so that Telegram cannot bring it once more.
    numbers = [r for r in found["mailbox"] if "990001" in r]
    assert all("None, None" in r and WORDS not in r for r in numbers)
    found["mailbox"] = [r for r in found["mailbox"] if r not in numbers]
    assert {t: r for t, r in with_them(found).items() if any("990001" in x for x in r)} == {}
    assert with_them(found, "990002")["turns"]
    assert not any(rows for rows in (await own_data.everything(database, USER)).values())
    await own_data.forget(database, USER)


async def test_what_admins_did_to_articles_stays_in_the_audit(database: Database) -> None:
    await database.note(USER, "review", article="keloids")
    await database.note(USER, "invited")
    await own_data.forget(database, USER)
    assert [e.action for e in await database.audit_entries()] == ["review"]
    with pytest.raises(Exception, match="append-only"):
        async with database.writing() as c:
            await c.execute(metadata.tables["audit"].delete())


async def test_nothing_is_left_in_the_file_its_log_and_its_copies(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    database = await Database.open(f"sqlite+aiosqlite:///{path}")
    await live(database, USER, CHAT)
    old = tmp_path / "c.db.0006"
    with closing(sqlite3.connect(path)) as there, closing(sqlite3.connect(old)) as copy:
        there.backup(copy)
    assert any(WORDS.encode() in p.read_bytes() for p in tmp_path.iterdir())
    await own_data.forget(database, USER)
    for file in tmp_path.iterdir():
        held = file.read_bytes()
        if file.name == "c.db.0006":
            with closing(sqlite3.connect(file)) as copy:
                assert copy.execute("SELECT count(*) FROM turns").fetchone() == (0,)
            continue
        assert WORDS.encode() not in held, file.name
    await database.close()


async def test_what_is_older_than_is_kept_is_erased(database: Database) -> None:
    await live(database, USER, CHAT)
    assert await own_data.expire(database, datetime.now(UTC) - timedelta(days=1)) == 0
    assert with_them(await dump(database))["turns"]
    assert await own_data.expire(database, datetime.now(UTC) + timedelta(seconds=5)) == 1
    found = await dump(database)
    for table in ("turns", "conversations", "gaps", "quoted", "receipts", "feedback", "shown"):
        assert found[table] == []
    assert len(found["users"]) == 1, "an invitation and a role stay"


async def test_retention_is_enforced_by_the_setting(data: Path) -> None:
    for days, left in ((0, 1), (30, 1), (1, 0)):
        given = settings_for(data, retention_days=days)
        async with open_program(given, say=lambda text: None) as program:
            await own_data.forget(program.database, "kept")
            await program.assistant.ask("kept", "Does topical timolol work?", "kept")
            async with program.database.writing() as c:
                old = datetime.now(UTC) - timedelta(days=7)
                turns = metadata.tables["turns"]
                await c.execute(turns.update().values(asked_at=old))
            await privacy.expire(program)
            found = await own_data.everything(program.database, "kept")
            assert len(found["turns"]) == left


# ------------------------------------------------------------------------------ in Telegram


async def test_a_person_gets_their_data_and_has_it_erased(program: Program, api: BotApi) -> None:
    async with bot_over(program, api) as bot:
        door = TelegramDoor(program, api, bot, api.private(990011))
        told = await door.say("/privacy")
        assert "How long: 365 days" in told.text
        assert "/export" in told.text and "/forget" in told.text
        await door.say("Does topical timolol work for infantile hemangioma?")
        await door.say("/role nurse")
        door.person.say("/export")
        await settled(api, bot)
        file = api.sent_to(990011)[-1]
        assert file.kind == "document" and file.document is not None
        assert file.text.endswith(program.disclaimer.text)
        held = json.loads(file.document.content)
        assert held["kept"]["turns"][0]["question"].startswith("Does topical timolol")
        assert held["kept"]["users"][0]["role"] == "nurse"

        asked = await door.say("/forget")
        assert [data for _, data in asked.buttons] == [privacy.CONFIRMED]
        assert (await own_data.everything(program.database, "telegram:990011"))["turns"]
        told = await door.press(privacy.CONFIRMED)
        assert "is erased" in told.text
        rows = await dump(program.database)
        assert {t: r for t, r in rows.items() if any("990011" in x for x in r)} == {}
        again = await door.say("/context")
        assert "Nothing is remembered yet" in again.text


async def test_the_menu_of_who_is_forgotten_is_in_the_language_that_telegram_tells(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        ada = api.private(7931)

        async def menu() -> str:
            await settled(api, bot)
            first = api.commands({"type": "chat", "chat_id": ada.chat_id})[0]
            return str(first["description"])

        ada.say("/language de")
        assert await menu() == "worum es hier geht"
        ada.press(api.sent_to(ada.chat_id)[-1], privacy.CONFIRMED, forged=True)
        assert await menu() == "what this is"


async def test_private_things_are_not_done_in_a_group(program: Program, api: BotApi) -> None:
    async with bot_over(program, api) as bot:
        group, ada = api.group(-990, "Ward"), api.member(990021)
        for command in ("/export", "/forget"):
            group.say(ada, command)
            await settled(api, bot)
            assert "in a private chat with this bot" in api.sent_to(-990)[-1].text


async def test_who_asks_too_much_is_told_once_and_until_when(program: Program, api: BotApi) -> None:
    limited = {"questions_per_hour": 3, "admin_ids": (990032,)}
    async with bot_over(program, api, **limited) as bot:
        door = TelegramDoor(program, api, bot, api.private(990031))
        for _ in range(3):
            assert "Articles (" in (await door.say("/articles")).text
        told = await door.say("/articles")
        assert "At most 3 messages of a person are answered in an hour" in told.text
        assert "in the next 60 minutes" in told.text
        door.person.say("Does topical timolol work?")
        await settled(api, bot)
        assert len(api.sent_to(990031)) == 4
        # Their data is theirs, and others are not kept waiting.
        assert "Erase everything" in (await door.say("/forget")).text
        other = TelegramDoor(program, api, bot, api.private(990033))
        assert "Articles (" in (await other.say("/articles")).text
        admin = TelegramDoor(program, api, bot, api.private(990032))
        for _ in range(5):
            assert "Articles (" in (await admin.say("/articles")).text


async def test_what_waits_is_answered_and_erased_with_the_rest(
    program: Program, api: BotApi
) -> None:
    async with bot_over(program, api) as bot:
        person = api.private(990051)
        person.say("/forget")
        await asyncio.to_thread(api.wait_sent, 990051, 1, 30.0)
        (asked,) = api.sent_to(990051)
        said = ["Does topical timolol work for infantile hemangioma?", "and ECG screening?"]
        for text in (*said, "/role nurse", "/language de"):
            person.say(text)
        person.press(asked, privacy.CONFIRMED)
        await settled(api, bot)
        assert len(api.sent_to(990051)) == 6
        found = await own_data.everything(program.database, "telegram:990051")
        assert not any(found.values())
        # What is said from then on is kept.
        person.say("/role nurse")
        await settled(api, bot)
        found = await own_data.everything(program.database, "telegram:990051")
        assert found["users"][0]["role"] == "nurse"


async def test_an_answer_in_work_is_erased_with_the_rest(program: Program, api: BotApi) -> None:
    async with bot_over(program, api) as bot:
        person = api.private(990041)
        person.say("/forget")
        await asyncio.to_thread(api.wait_sent, 990041, 1, 30.0)
        (asked,) = api.sent_to(990041)
        person.say("Does topical timolol work for infantile hemangioma?")
        person.press(asked, privacy.CONFIRMED)
        await settled(api, bot)
        found = await own_data.everything(program.database, "telegram:990041")
        assert not found["turns"] or len(api.sent_to(990041)) == 3


async def test_updates_that_are_numbered_anew_are_kept_of_who_once_had_all_erased(
    program: Program, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bot_over(program, api) as bot:
        person = api.private(990061)
        person.say("/forget")
        await asyncio.to_thread(api.wait_sent, 990061, 1, 30.0)
        person.press(api.sent_to(990061)[0], privacy.CONFIRMED)
        await settled(api, bot)
        # What waited then is done with, long before Telegram begins to number anew.
        monkeypatch.setattr("bot.handlers.WAITS_S", 0.0)
        user = {"id": 990061, "is_bot": False, "first_name": "Ada"}
        chat = {"id": 990061, "type": "private", "first_name": "Ada"}
        word = {"type": "bot_command", "offset": 0, "length": 5}
        said = {"text": "/role nurse", "entities": [word], "message_id": 900, "date": 1_800_000_000}
        message = {**said, "from": user, "chat": chat}
        await cast(Intake, bot.update_queue).take([{"update_id": 7, "message": message}])
        await bot.update_queue.join()
        assert await role_of(program.database, "telegram:990061") is Role.NURSE
