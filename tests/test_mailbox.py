"""Updates and replies that outlive the process, on SQLite and on PostgreSQL."""

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from telegram import Bot, Update
from turns import CARE, a_turn

from bot.intake import Intake
from store.conversations import Database, sqlite_url
from store.errors import DatabaseProblem
from store.mailbox import Key, Left, Mailbox, Parcel, is_gone

pytest_plugins = ("databases", "postgres")

BOT = 123
CHAT = "telegram:7:7"


def parcel(number: int, *, bot: int = BOT, what: str = "message:7:1", place: str = "7") -> Parcel:
    return Parcel(Key(bot, number, what), place, "telegram:7", '{"text": "May it be washed?"}')


def another_run(database: Database) -> Mailbox:
    """The mailbox as a process sees it that starts after this one was killed."""
    again = Mailbox(database.read, database.write, database.writing)
    # Nothing on this machine has that number.
    database.mailbox.owner = f"{socket.gethostname()[:60]}:4194305:1"
    return again


async def killed(database: Database) -> Mailbox:
    """What is written from here on belongs to a process that is dead by then."""
    database.mailbox.owner = f"{socket.gethostname()[:60]}:4194305:1"
    return database.mailbox


async def test_an_update_is_taken_in_once(database: Database) -> None:
    box = database.mailbox
    one = parcel(1)
    assert await box.take_in([one, parcel(2)]) == {one.key, parcel(2).key}
    assert await box.take_in([one, parcel(3)]) == {parcel(3).key}
    await box.done(one.key)
    assert await box.take_in([one]) == set()
    assert await box.take_in([]) == set()


async def test_the_same_number_for_something_else_is_another_update(database: Database) -> None:
    box = database.mailbox
    others = [parcel(1, what="message:7:2"), parcel(1, bot=BOT + 1)]
    assert len(await box.take_in([parcel(1), *others])) == 3


async def test_what_a_dead_process_left_is_taken_over_in_order_and_once(
    database: Database,
) -> None:
    box = await killed(database)
    numbers = [5, 3, 4]
    for number in numbers:
        await box.take_in([parcel(number)])
    await box.done(parcel(3).key)
    again = another_run(database)
    found = await again.left(BOT)
    assert [one.parcel.key.update_id for one in found] == [5, 4]
    assert found[0].parcel == parcel(5)
    assert not any(one.answered or one.replies or one.begun for one in found)
    assert await again.left(BOT) == []
    assert await Mailbox(database.read, database.write, database.writing).left(BOT) == []
    assert await again.left(BOT + 1) == []


async def test_a_process_that_runs_keeps_what_it_took_in(database: Database) -> None:
    await database.mailbox.take_in([parcel(1)])
    other = Mailbox(database.read, database.write, database.writing)
    other.owner = "elsewhere:1:1"
    assert await other.left(BOT) == []


async def test_replies_that_were_not_sent_are_left_with_their_update(database: Database) -> None:
    box = await killed(database)
    key = parcel(1).key
    await box.take_in([parcel(1)])
    parts = [{"text": "one"}, {"text": "two"}, {"text": "three"}]
    first, *_ = await box.keep(key, 7, None, parts)
    await box.sent(key, first)
    again = another_run(database)
    (left,) = await again.left(BOT)
    assert left.answered
    assert [r.part for r in left.replies] == parts[1:]
    assert {(r.chat_id, r.thread_id) for r in left.replies} == {(7, None)}
    await again.done(key)
    for reply in left.replies:
        assert await database.mailbox.left(BOT) == []
        await again.sent(key, reply)
    assert await rows(database, "select payload, done_at is null from mailbox") == [(None, 0)]
    assert await rows(database, "select count(*) from replies") == [(0,)]


async def test_nothing_is_kept_for_an_update_that_is_done_with(database: Database) -> None:
    box = database.mailbox
    assert await box.keep(parcel(1).key, 7, None, [{"text": "one"}]) == []
    await box.take_in([parcel(1)])
    await box.done(parcel(1).key)
    assert await box.keep(parcel(1).key, 7, None, [{"text": "one"}]) == []


async def test_what_must_not_be_done_twice_is_marked(database: Database) -> None:
    box = await killed(database)
    await box.take_in([parcel(1)])
    assert await box.begin(parcel(1).key)
    (left,) = await another_run(database).left(BOT)
    assert left.begun
    assert not await box.begin(parcel(1).key)
    assert await box.begin(parcel(2).key), "what is not kept cannot have begun"


async def test_turns_of_an_interrupted_run_are_taken_back(database: Database) -> None:
    box = database.mailbox
    await database.remember("telegram:7", a_turn(chat=CHAT))
    await box.take_in([parcel(1), parcel(2)])
    await database.remember("telegram:7", a_turn(chat=CHAT))
    await box.done(parcel(1).key)
    await database.remember("telegram:7", a_turn(chat=CHAT))
    await database.remember("telegram:7", a_turn(chat="telegram:7:8"))
    assert await box.undo(parcel(2).key, CHAT) == 1
    assert len((await database.recall(CHAT)).turns) == 2
    assert len((await database.recall("telegram:7:8")).turns) == 1
    assert await box.undo(parcel(2).key, CHAT) == 0


async def test_a_topic_that_was_chosen_outlives_an_interrupted_question(
    database: Database,
) -> None:
    box = database.mailbox
    await database.set_topic("telegram:7", CHAT, CARE.slug)
    await box.take_in([parcel(1)])
    await database.remember("telegram:7", a_turn(chat=CHAT))
    assert await box.undo(parcel(1).key, CHAT) == 1
    assert (await database.recall(CHAT)).topic == CARE.slug


async def test_a_user_is_forgotten_and_the_numbers_are_still_known(database: Database) -> None:
    box = database.mailbox
    mine, other = parcel(1), parcel(2)
    other = Parcel(other.key, "8", "telegram:8", other.payload)
    await box.take_in([mine, other])
    for one in (mine, other):
        await box.keep(one.key, 7, None, [{"text": "an answer"}])
    await database.mailbox.forget("telegram:7")
    assert await box.take_in([mine]) == set()
    kept = await rows(database, "select user_id, place, payload is null from mailbox order by 1")
    assert sorted(kept, key=str) == sorted([(None, None, 1), ("telegram:8", "8", 0)], key=str)
    assert await rows(database, "select update_id from replies") == [(2,)]


async def test_old_numbers_are_pruned(database: Database) -> None:
    box = database.mailbox
    await box.take_in([parcel(1), parcel(2), parcel(3)])
    for number in (1, 2):
        await box.done(parcel(number).key)
    long_ago = datetime.now(UTC) - timedelta(days=4)
    await rows(database, "update mailbox set done_at = :then where update_id = 1", then=long_ago)
    await box.prune()
    assert await rows(database, "select update_id from mailbox order by 1") == [(2,), (3,)]


async def test_many_writers_at_once_all_get_their_own(database: Database) -> None:
    box = database.mailbox
    taken = await asyncio.gather(*(box.take_in([parcel(n // 2)]) for n in range(200)))
    assert sorted(len(t) for t in taken) == [0] * 100 + [1] * 100
    kept = await asyncio.gather(
        *(box.keep(parcel(n).key, n, None, [{"text": str(n)}]) for n in range(100))
    )
    assert [r[0].chat_id for r in kept] == list(range(100))
    await asyncio.gather(*(box.sent(parcel(n).key, kept[n][0]) for n in range(100)))
    assert await rows(database, "select count(*) from mailbox where done_at is null") == [(0,)]


async def test_what_does_not_fit_takes_nothing_else_with_it(database: Database) -> None:
    box = database.mailbox

    def unfit(c: sa.Connection) -> None:
        c.execute(sa.text("insert into turns (conversation_id) values ('nobody')"))

    def too_large(c: sa.Connection) -> None:
        c.execute(sa.text("delete from turns where id = :n"), {"n": 2**70})

    given = [
        box.take_in([parcel(1)]),
        box._write(unfit),
        box._write(too_large),
        box.take_in([parcel(2)]),
    ]
    first, failed, larger, second = await asyncio.gather(*given, return_exceptions=True)
    assert isinstance(failed, DatabaseProblem)
    assert isinstance(larger, Exception)
    assert (first, second) == ({parcel(1).key}, {parcel(2).key})
    assert await rows(database, "select count(*) from mailbox") == [(2,)]


def said(number: int, chat: int) -> dict[str, object]:
    place = {"id": chat, "type": "private"}
    person = {"id": chat, "is_bot": False, "first_name": "A"}
    message = {"message_id": number, "date": 1, "chat": place, "from": person, "text": "x"}
    return {"update_id": number, "message": message}


def door_of(mailbox: Mailbox, begun: list[int], go_on: asyncio.Event) -> Intake:
    """A door whose work on the first update goes on until it may end."""

    async def work(update: Update) -> None:
        begun.append(update.update_id)
        if update.update_id == 1:
            await go_on.wait()

    async def resend(key: Key, kept: object) -> None:
        raise AssertionError("nothing was answered before")

    door = Intake(mailbox, BOT, conversation_of=lambda update: None, shared=True)
    door.hand_to(Bot("123:x"), work, resend)
    return door


async def test_what_another_process_has_of_a_chat_is_waited_for(database: Database) -> None:
    other = Mailbox(database.read, database.write, database.writing)
    other.owner = "another:1:1"
    begun: list[int] = []
    go_on = asyncio.Event()
    there, here = (door_of(mailbox, begun, go_on) for mailbox in (other, database.mailbox))
    await there.take([said(1, 7)])
    await here.take([said(2, 7), said(3, 8)])
    await asyncio.sleep(0.2)
    assert begun == [1, 3]
    go_on.set()
    await asyncio.wait_for(asyncio.gather(there.join(), here.join()), 5.0)
    assert begun == [1, 3, 2]
    await other.settle()


async def test_what_a_process_leaves_is_answered_before_what_waits_for_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    go_on = asyncio.Event()
    here = another_run(database)
    there = door_of(database.mailbox, begun, go_on)
    there.closing = True  # It is killed before it begins.
    await there.take([said(2, 7)])
    door = door_of(here, begun, go_on)
    await door.take([said(3, 7), said(4, 7)])
    await asyncio.sleep(0.1)
    assert begun == []
    taking_over = here.left

    async def slowly(bot_id: int) -> list[Left]:
        left = await taking_over(bot_id)
        # In which it is looked again whose the earlier one is.
        await asyncio.sleep(0.15)
        return left

    monkeypatch.setattr(here, "left", slowly)
    assert await door.replay() == 1
    await asyncio.wait_for(door.join(), 5.0)
    assert begun == [2, 3, 4]
    await here.settle()


async def test_a_chat_is_closed_until_it_is_opened(database: Database) -> None:
    box = database.mailbox
    for _ in range(2):
        await box.close_chat(BOT, 7)
    await box.close_chat(BOT + 1, 8)
    assert await box.closed_chats(BOT) == {7}
    await box.open_chat(BOT, 7)
    await box.open_chat(BOT, 7)
    assert await box.closed_chats(BOT) == set()


def test_a_process_is_known_to_be_dead_or_alive() -> None:
    now = datetime.now(UTC)
    soon, past = now + timedelta(seconds=9), now - timedelta(seconds=9)
    here = Mailbox(None, None, None).owner  # type: ignore[arg-type]
    assert not is_gone(here, past, now)
    host, pid, started = here.rsplit(":", 2)
    assert int(pid) == os.getpid()
    if started:
        assert is_gone(f"{host}:{pid}:{int(started) - 1}", soon, now), "the number given again"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_gone(f"{host}:{ended.pid}:1", soon, now)
    assert not is_gone("another:1:1", soon, now)
    assert is_gone("another:1:1", past, now)


async def rows(database: Database, statement: str, **values: object) -> list[tuple[object, ...]]:
    text = sa.text(statement)
    if "then" in values:
        text = text.bindparams(sa.bindparam("then", type_=sa.DateTime(timezone=True)))
    async with database._begin() as c:
        found = await c.execute(text, values)
        return [tuple(row) for row in found] if found.returns_rows else []


pytestmark = pytest.mark.filterwarnings("error")


async def test_what_nobody_waits_for_any_more_is_written_before_the_database_is_closed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.db"
    database = await Database.open(sqlite_url(path))
    await database.mailbox.take_in([parcel(1)])
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        marking = asyncio.create_task(database.mailbox.done(parcel(1).key))
        await asyncio.sleep(0.02)
        marking.cancel()
        closed = asyncio.create_task(database.close())
        await asyncio.sleep(0.02)
        other.rollback()
        await closed
        ((done_at,),) = other.execute("SELECT done_at FROM mailbox")
    assert done_at is not None
