"""What the database remembers of its own doings: the audit, what people were shown, and whom to
correct; on SQLite and on PostgreSQL."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from turns import CARE, CHAT, OTHER_CHAT, SCARS, USER, a_reply, a_turn, digests, rows

from store.conversations import (
    _POINTER_LOCK,
    HEAD,
    AuditEntry,
    Database,
    Withdrawn,
    sqlite_url,
)
from store.errors import DatabaseProblem
from store.migrations import tables
from store.turn import AnswerSection, Quote, turn_dict

pytest_plugins = ("databases", "postgres")

ROOT = Path(__file__).parents[1]
OTHER = "telegram:8"
NOTHING: frozenset[str] = frozenset()

quoted = tables.quoted.c


async def shown(url: str) -> dict[str, str | None]:
    """Text of every quote -> the build that withdrew it; None when it stands."""
    found = await rows(url, sa.select(quoted.text, quoted.withdrawn_build))
    return {row.text: row.withdrawn_build for row in found}


# ---------------------------------------------------------------------- audit


REFUSED = {
    "sqlite": [
        "insert or replace into audit (id, at, who, action) values (1, '2026-01-01', 'x', 'y')",
    ],
    "postgresql": ["truncate audit", "truncate users, audit cascade"],
}


async def test_nobody_changes_or_deletes_a_line_of_the_audit(
    database: Database, database_url: str
) -> None:
    await database.note("admin", "reload", {"articles": 12})
    before = await rows(database_url, sa.select(tables.audit))
    for statement in (
        "update audit set who = 'somebody else'",
        "delete from audit",
        "delete from audit where id = 1",
        *REFUSED[sa.make_url(database_url).get_backend_name()],
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            await rows(database_url, sa.text(statement))
        assert await rows(database_url, sa.select(tables.audit)) == before
    await database.note("admin", "reload")
    assert len(await database.audit_entries()) == 2


async def test_audit_entries_come_newest_first_and_can_be_chosen(
    database: Database, database_url: str
) -> None:
    start = datetime.now(UTC)
    await database.note("ann", "approve", {"by": "Ann"}, article="scars", sha256="a" * 64)
    await database.note("bob", "retire", article="scars")
    await database.note("bob", "approve", article="care")
    await database.note("bob", "invited")
    found = await database.audit_entries()
    assert [(e.who, e.action, e.article, e.sha256, e.detail) for e in found] == [
        ("bob", "invited", None, None, {}),
        ("bob", "approve", "care", None, {}),
        ("bob", "retire", "scars", None, {}),
        ("ann", "approve", "scars", "a" * 64, {"by": "Ann"}),
    ]
    assert all(start <= e.at <= datetime.now(UTC) for e in found)
    assert found[0] == AuditEntry(found[0].at, "bob", "invited", None, None, {})

    async def chosen(**by: Any) -> list[str]:
        return [f"{e.action} {e.article}" for e in await database.audit_entries(**by)]

    assert await chosen(article="scars") == ["retire scars", "approve scars"]
    assert await chosen(action="approve") == ["approve care", "approve scars"]
    assert await chosen(action="approve", article="care") == ["approve care"]
    assert await chosen(since=found[1].at) == ["invited None", "approve care"]
    assert await chosen(since=datetime.now(UTC)) == []
    assert await chosen(limit=1) == ["invited None"]


async def test_a_switch_writes_its_entries_after_its_own_and_all_at_one_time(
    database: Database,
) -> None:
    await database.switch("b1", {}, "admin")
    entries: list[tuple[str, str | None, str | None, dict[str, Any]]] = [
        ("changed", "care", "c" * 64, {"was": "b" * 64}),
        ("removed", "scars", None, {}),
    ]
    await database.switch("b2", {}, "admin", action="rollback", entries=entries)
    removed, changed, moved, first = await database.audit_entries()
    assert (first.action, first.detail) == ("switch", {"build": "b1", "previous": None})
    assert (moved.action, moved.detail) == ("rollback", {"build": "b2", "previous": "b1"})
    assert changed == AuditEntry(moved.at, "admin", "changed", "care", "c" * 64, {"was": "b" * 64})
    assert removed == AuditEntry(moved.at, "admin", "removed", "scars", None, {})


async def test_a_switch_of_which_one_entry_cannot_be_written_changes_nothing(
    database: Database, database_url: str
) -> None:
    await database.switch("b1", {}, "admin")
    await database.remember(USER, a_reply("A."))
    bad = ("changed", "care", None, {"when": object()})
    with pytest.raises(DatabaseProblem):
        await database.switch(
            "b2",
            {},
            "admin",
            entries=[("added", None, None, {}), bad],
            standing={CARE.slug: NOTHING},
        )
    assert await database.served_build() == "b1"
    assert await database.known_builds() == ["b1"]
    assert len(await database.audit_entries()) == 1
    assert await shown(database_url) == {"A.": None}


# ---------------------------------------------------------------------- what was quoted


async def test_each_quote_of_a_turn_is_kept_once_with_its_digest(
    database: Database, database_url: str
) -> None:
    turn_id = await database.remember(USER, a_reply("A.", "B.", "A."))
    await database.remember(USER, a_turn("nothing quoted"))
    found = await rows(database_url, sa.select(tables.quoted).order_by(quoted.text))
    assert [(q.turn_id, q.article, q.text) for q in found] == [
        (turn_id, CARE.slug, "A."),
        (turn_id, CARE.slug, "B."),
    ]
    assert {q.digest for q in found} == digests("A.", "B.")
    assert all(q[4:] == (None, None, None, None) for q in found)


async def test_a_statement_that_two_articles_share_is_kept_for_both(
    database: Database, database_url: str
) -> None:
    one = a_reply("A.")
    quotes = (*one.quotes(), Quote("A.", (1,), SCARS.slug, "p#2"))
    both = a_reply("A.", sections=(AnswerSection(one.sections[0].part, quotes),))
    await database.remember(USER, both)
    lost = await database.switch("b2", {}, "admin", standing={SCARS.slug: NOTHING})
    assert lost == (Withdrawn(SCARS.slug, "A.", 1, 1),)
    found = await rows(database_url, sa.select(quoted.article, quoted.withdrawn_build))
    assert {row.article: row.withdrawn_build for row in found} == {
        CARE.slug: None,
        SCARS.slug: "b2",
    }


async def test_a_quote_without_citations_is_kept_and_one_of_an_unknown_source_is_not(
    database: Database, database_url: str
) -> None:
    # A digest over fewer sources than there were would be taken for a statement that fell.
    part = a_reply("A.").sections[0].part
    quotes = (Quote("No guideline.", (), CARE.slug, "p"), Quote("A.", (2,), CARE.slug, "p"))
    await database.remember(USER, a_reply("A.", sections=(AnswerSection(part, quotes),)))
    assert await shown(database_url) == {"No guideline.": None}


async def test_what_was_quoted_goes_with_its_user(database: Database, database_url: str) -> None:
    await database.remember(USER, a_reply("A."))
    await database.remember(OTHER, a_reply("B.", chat=OTHER_CHAT))
    async with database._begin() as connection:
        await connection.execute(tables.users.delete().where(tables.users.c.id == USER))
    assert await shown(database_url) == {"B.": None}


# ---------------------------------------------------------------------- a switch takes away


async def test_a_switch_withdraws_what_no_longer_stands_and_counts_turns_and_people(
    database: Database, database_url: str
) -> None:
    for user, chat in ((USER, CHAT), (USER, CHAT), (USER, "telegram:-1:7"), (OTHER, OTHER_CHAT)):
        await database.remember(user, a_reply("A.", "B.", chat=chat))
    await database.remember(USER, a_reply("B.", key="k2"))
    await database.remember(USER, a_reply("C.", article=SCARS.slug))
    await database.remember(USER, a_reply("D.", article="elsewhere"))
    standing = {CARE.slug: digests("A.", "new"), SCARS.slug: NOTHING, "unheard-of": NOTHING}
    would = await database.would_withdraw(standing)
    assert [(w.article, w.text) for w in would] == [
        (SCARS.slug, "C."),
        (CARE.slug, "B."),
        (CARE.slug, "B."),
    ]
    # "B." on its two sources: two statements.
    assert sorted((w.turns, w.people) for w in would) == [(1, 1), (1, 1), (4, 2)]
    assert set((await shown(database_url)).values()) == {None}
    before = datetime.now(UTC)
    assert await database.switch("b2", {}, "admin", standing=standing) == would
    found = await rows(database_url, sa.select(tables.quoted))
    assert {q.text for q in found if q.withdrawn_at is None} == {"A.", "D."}
    assert {(q.text, q.withdrawn_build) for q in found if q.withdrawn_at} == {
        ("B.", "b2"),
        ("C.", "b2"),
    }
    assert all(before <= q.withdrawn_at <= datetime.now(UTC) for q in found if q.withdrawn_at)
    # Once: the next switch has nothing new to say of the same statements.
    assert await database.switch("b3", {}, "admin", standing=standing) == ()
    assert {b for b in (await shown(database_url)).values() if b} == {"b2"}


async def test_a_switch_that_does_not_say_what_stands_withdraws_nothing(
    database: Database, database_url: str
) -> None:
    await database.remember(USER, a_reply("A."))
    assert await database.switch("b2", {}, "admin") == ()
    assert await database.switch("b3", {}, "admin", standing={}) == ()
    assert await shown(database_url) == {"A.": None}


async def test_what_stands_again_before_anybody_was_told_is_not_withdrawn_any_more(
    database: Database, database_url: str
) -> None:
    await database.remember(USER, a_reply("A.", "B."))
    await database.switch("b2", {}, "admin", standing={CARE.slug: NOTHING})
    (taken,) = await database.take_untold("")
    await database.switch("b1", {}, "admin", standing={CARE.slug: digests("A.")})
    assert await shown(database_url) == {"A.": None, "B.": "b2"}
    await database.mark_told(taken)
    # "A." was told too late to count: if it goes again, that is news again.
    again = await database.switch("b3", {}, "admin", standing={CARE.slug: NOTHING})
    assert again == (Withdrawn(CARE.slug, "A.", 1, 1),)
    (correction,) = await database.untold("")
    assert [item.text for item in correction.items] == ["A."]


async def test_what_was_told_stays_withdrawn_also_when_it_stands_again(
    database: Database, database_url: str
) -> None:
    await database.remember(USER, a_reply("A."))
    await database.switch("b2", {}, "admin", standing={CARE.slug: NOTHING})
    (taken,) = await database.take_untold("")
    await database.mark_told(taken)
    await database.switch("b1", {}, "admin", standing={CARE.slug: digests("A.")})
    assert await shown(database_url) == {"A.": "b2"}
    assert await database.untold("") == []


async def test_a_switch_of_thousands_of_statements_fits_into_statements(
    database: Database, database_url: str
) -> None:
    texts = [f"Statement {n}." for n in range(2_500)]
    for start in range(0, 2_500, 250):
        article = f"article-{start % 1_000}"
        await database.remember(USER, a_reply(*texts[start : start + 250], article=article))
    others = {f"other-{n}": NOTHING for n in range(1_000)}
    half = digests(*texts[::2])
    standing = {f"article-{n}": half for n in (0, 250, 500, 750)} | others
    lost = await database.switch("b2", {}, "admin", standing=standing)
    assert {w.text for w in lost} == set(texts[1::2])
    found = await shown(database_url)
    assert {text for text, build in found.items() if build} == set(texts[1::2])
    every = digests(*texts)
    back = {f"article-{n}": every for n in (0, 250, 500, 750)}
    assert await database.switch("b1", {}, "admin", standing=back) == ()
    assert set((await shown(database_url)).values()) == {None}


async def test_a_turn_that_was_overtaken_by_a_switch_is_withdrawn_when_it_is_remembered(
    database: Database, database_url: str
) -> None:
    await database.switch("b1", {}, "admin")
    await database.switch("b2", {}, "admin", standing={CARE.slug: digests("A.")})
    await database.remember(USER, a_reply("A.", "B.", build="b1"))
    await database.remember(USER, a_reply("C.", build="b1", article=SCARS.slug))
    assert await shown(database_url) == {"A.": None, "B.": "b2", "C.": None}
    (correction,) = await database.untold("telegram:")
    assert [item.text for item in correction.items] == ["B."]
    # Two switches later it still shows, although the second one did not touch the article.
    await database.switch("b3", {}, "admin", standing={SCARS.slug: NOTHING})
    await database.remember(USER, a_reply("B1", "C1", build="b1"))
    assert (await shown(database_url))["B1"] == "b3"
    # The served build is its own judge.
    await database.remember(USER, a_reply("D.", build="b3"))
    assert (await shown(database_url))["D."] is None


async def test_after_a_switch_that_did_not_say_what_stands_nothing_is_held_against_a_late_turn(
    database: Database, database_url: str
) -> None:
    await database.switch("b2", {}, "admin", standing={CARE.slug: NOTHING})
    await database.switch("b1", {}, "admin")
    await database.remember(USER, a_reply("A.", build="b0"))
    assert await shown(database_url) == {"A.": None}


async def test_a_turn_waits_for_a_switch_and_a_switch_for_turns_but_no_turn_for_another(
    postgres: Any,
) -> None:
    """On PostgreSQL; SQLite has one writer at a time."""
    held = "select pg_advisory_xact_lock{}({})"
    async with postgres.database() as url:
        database = await Database.open(url)
        await database.switch("b1", {}, "admin")
        engine = create_async_engine(url)
        try:
            async with engine.begin() as switching:
                await switching.execute(sa.text(held.format("", _POINTER_LOCK)))
                await database.remember(USER, a_turn("nothing quoted"))
                late = asyncio.create_task(database.remember(USER, a_reply("A.")))
                assert not (await asyncio.wait([late], timeout=0.2))[0]
                await switching.execute(sa.text("update served set build = 'b2'"))
                stands = tables.standing.insert().values(article=CARE.slug, digests=[])
                await switching.execute(stands)
            await late
            assert await shown(url) == {"A.": "b2"}
            async with engine.begin() as remembering:
                await remembering.execute(sa.text(held.format("_shared", _POINTER_LOCK)))
                await database.remember(USER, a_reply("B.", build="b2"))
                switch = asyncio.create_task(database.switch("b3", {}, "admin"))
                assert not (await asyncio.wait([switch], timeout=0.2))[0]
                assert await database.served_build() == "b2"
            await switch
            assert await database.served_build() == "b3"
        finally:
            await engine.dispose()
            await database.close()


async def test_switches_and_turns_at_once_miss_nothing(
    database: Database, database_url: str
) -> None:
    """Builds that take turns in what stands, while people are shown the one they began with."""
    builds = {f"b{n}": n % 3 for n in range(30)}
    chance = random.Random(7)
    others = [await Database.open(database_url) for _ in range(2)]
    databases = [database, *others]
    await database.switch("b0", {}, "admin", standing={CARE.slug: digests("Statement 0.")})
    done = asyncio.Event()

    async def switch() -> None:
        for build, which in list(builds.items())[1:]:
            standing = {CARE.slug: digests(f"Statement {which}.")}
            await chance.choice(databases).switch(build, {}, "admin", standing=standing)
            await asyncio.sleep(chance.random() * 0.01)
        done.set()

    async def ask(person: int) -> int:
        mine, asked = databases[person % 3], 0
        while not done.is_set():
            build = await mine.served_build()
            assert build is not None
            await asyncio.sleep(chance.random() * 0.02)
            text = f"Statement {builds[build]}."
            chat = f"telegram:{person}:{person}"
            await mine.remember(f"telegram:{person}", a_reply(text, build=build, chat=chat))
            asked += 1
        return asked

    try:
        _, *asked = await asyncio.gather(switch(), *(ask(person) for person in range(6)))
    finally:
        for other in others:
            await other.close()
    found = await rows(database_url, sa.select(quoted.text, quoted.withdrawn_build))
    assert len(found) == sum(n or 0 for n in asked) > 30
    standing_last = f"Statement {builds['b29']}."
    for row in found:
        assert (row.withdrawn_build is None) == (row.text == standing_last)
    assert {row.text for row in found} == {f"Statement {n}." for n in range(3)}


SWITCHER = """
import asyncio, sys
from store.article import quote_digest
from store.conversations import Database, sqlite_url

async def main():
    database = await Database.open(sqlite_url(sys.argv[1]))
    here = await database.served_build()
    number = int(here[1:]) if here else 0
    print("ready", flush=True)
    while True:
        number += 1
        entries = [("changed", f"a{n}", None, {"build": f"b{number}"}) for n in range(300)]
        texts = [f"Statement {n}." for n in range(2_000) if n % 2 == number % 2]
        standing = {"care": frozenset(quote_digest(t, ["k1"]) for t in texts)}
        await database.switch(f"b{number}", {}, "admin", entries=entries, standing=standing)
        print(number, flush=True)

asyncio.run(main())
"""


def switched_until_killed(path: Path, wait_s: float) -> int:
    """The last acknowledged switch of a process that is killed so long after its first."""
    with subprocess.Popen(
        [sys.executable, "-c", SWITCHER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        last = int(process.stdout.readline())
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            last = int(line) if line.endswith("\n") else last
    assert process.returncode == -signal.SIGKILL
    return last


async def test_a_process_killed_while_it_switches_leaves_all_of_it_or_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "conversations.db"
    database = await Database.open(sqlite_url(path))
    texts = [f"Statement {n}." for n in range(2_000)]
    await database.remember(USER, a_reply(*texts, article="care"))
    await database.close()
    chance = random.Random(11)
    for _ in range(10):
        last = await asyncio.to_thread(switched_until_killed, path, chance.random() * 0.15)
        with sqlite3.connect(path) as connection:
            assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
            ((build,),) = connection.execute("select build from served")
            number = int(build[1:])
            assert number in (last, last + 1)
            lines = dict(
                connection.execute(
                    "select json_extract(detail, '$.build'), count(*) from audit group by 1"
                ).fetchall()
            )
            assert lines == {f"b{n}": 301 for n in range(1, number + 1)}
            ((known,),) = connection.execute("select count(*) from builds")
            assert known == number
            gone = connection.execute("select text, withdrawn_at is not null from quoted")
            for text, is_gone in gone:
                assert is_gone == (int(text[10:-1]) % 2 != number % 2)
            ((stands,),) = connection.execute("select digests from standing")
            assert json.loads(stands) == sorted(digests(*texts[number % 2 :: 2]))
        connection.close()


# ---------------------------------------------------------------------- corrections


async def withdrawn_from(database: Database, *said: tuple[str, str, str]) -> None:
    """Remembers (user, conversation, text) in this order and withdraws all of it."""
    for user, chat, text in said:
        await database.remember(user, a_reply(text, chat=chat))
    await database.switch("b2", {}, "admin", standing={CARE.slug: NOTHING})


async def test_what_was_withdrawn_is_told_by_conversation_oldest_first(database: Database) -> None:
    await withdrawn_from(
        database,
        (OTHER, OTHER_CHAT, "A."),
        (USER, CHAT, "B."),
        ("console", "console:x", "A."),
        (OTHER, OTHER_CHAT, "C."),
    )
    found = await database.untold("telegram:")
    assert [(c.conversation_id, c.user_id) for c in found] == [(OTHER_CHAT, OTHER), (CHAT, USER)]
    first = found[0].items
    assert [(i.article, i.text) for i in first] == [(CARE.slug, "A."), (CARE.slug, "C.")]
    assert first[0].turn_id < first[1].turn_id
    assert first[0].asked_at < first[1].asked_at < datetime.now(UTC)
    assert {first[0].quoted_key} == digests("A.")
    assert [c.conversation_id for c in await database.untold("telegram:", 1)] == [OTHER_CHAT]
    assert len(await database.untold("")) == 3
    assert await database.take_untold("telegram:") == found
    assert await database.take_untold("telegram:") == []
    for correction in [*found, *found]:
        await database.mark_told(correction)
    assert await database.untold("telegram:") == []
    assert [c.conversation_id for c in await database.untold("console:")] == ["console:x"]


async def test_a_prefix_is_taken_by_the_letter(database: Database) -> None:
    names = ["console:a", "console:a2", "console:_", "console:%", "Console:a", "console:\\"]
    await withdrawn_from(database, *(("u", name, "A.") for name in names))

    async def matching(prefix: str, **options: bool) -> set[str]:
        return {c.conversation_id for c in await database.untold(prefix, **options)}

    assert await matching("console:a") == {"console:a", "console:a2"}
    assert await matching("console:a", exact=True) == {"console:a"}
    for wildcard in ("_", "%", "\\"):
        assert await matching(f"console:{wildcard}") == {f"console:{wildcard}"}
    assert await matching("%") == set()
    (taken,) = await database.take_untold("console:a", exact=True)
    assert taken.conversation_id == "console:a"
    assert len(await database.take_untold("c", 2)) == 2


async def test_a_correction_that_was_taken_and_never_told_is_given_out_again(
    database: Database, database_url: str
) -> None:
    await withdrawn_from(database, (USER, CHAT, "A."))
    (taken,) = await database.take_untold("")
    almost = datetime.now(UTC) - timedelta(minutes=4, seconds=50)
    await rows(database_url, tables.quoted.update().values(claimed_at=almost))
    assert await database.take_untold("") == []
    assert await database.untold("") == [taken]
    await rows(
        database_url, tables.quoted.update().values(claimed_at=almost - timedelta(seconds=11))
    )
    assert await database.take_untold("") == [taken]
    await database.mark_told(taken)
    told = await rows(database_url, sa.select(quoted.told_at))
    await database.mark_told(taken)
    assert await rows(database_url, sa.select(quoted.told_at)) == told


async def test_marking_tells_nothing_of_what_was_withdrawn_since(database: Database) -> None:
    await withdrawn_from(database, (USER, CHAT, "A."))
    (taken,) = await database.take_untold("")
    await database.remember(USER, a_reply("B."))
    (news,) = await database.take_untold("")
    assert [item.text for item in news.items] == ["B."]
    await database.mark_told(taken)
    assert await database.untold("") == [news]


async def test_of_several_that_deliver_one_gets_each_correction(
    database: Database, database_url: str
) -> None:
    chats = [f"telegram:{n}:{n}" for n in range(20)]
    await withdrawn_from(database, *((USER, chat, text) for chat in chats for text in ("A.", "B.")))
    others = [await Database.open(database_url) for _ in range(3)]
    told: list[str] = []

    async def deliver(mine: Database) -> None:
        while found := await mine.take_untold("telegram:", 3):
            for correction in found:
                assert [i.text for i in correction.items] == ["A.", "B."]
                told.append(correction.conversation_id)
                await asyncio.sleep(0.001)
                await mine.mark_told(correction)

    try:
        await asyncio.gather(*(deliver(mine) for mine in [database, *others]))
    finally:
        for other in others:
            await other.close()
    assert sorted(told) == sorted(chats)
    assert await database.untold("") == []


# ---------------------------------------------------------------------- questions to put again


async def test_the_newest_questions_that_quoted_an_article_come_with_their_context(
    database: Database,
) -> None:
    for n in range(12):
        await database.remember(USER, a_reply("A.", "B.", question=f"q{n}"))
    await database.remember(OTHER, a_reply("C.", chat=OTHER_CHAT, article=SCARS.slug))
    found = await database.questions_citing([CARE.slug], 3)
    assert [a.turn.question for a in found] == ["q11", "q10", "q9"]
    assert [t.question for t in found[0].before.turns] == [f"q{n}" for n in range(3, 11)]
    assert (found[0].before.conversation_id, found[0].before.topic) == (CHAT, CARE.slug)
    assert found[0].turn == (await database.recall(CHAT)).turns[-1]
    assert found[0].asked_at > found[1].asked_at
    both = await database.questions_citing([SCARS.slug, CARE.slug, *map(str, range(900))])
    assert len(both) == 13
    assert [a.turn.id for a in both] == sorted((a.turn.id for a in both), reverse=True)
    assert both[-1].before.turns == ()
    assert await database.questions_citing(["elsewhere"]) == []
    assert await database.questions_citing([]) == []
    assert await database.questions_citing([CARE.slug], 0) == []


async def test_the_topic_before_is_the_one_that_the_question_was_put_to(
    database: Database,
) -> None:
    async def topic_before(**changes: Any) -> str | None:
        await database.remember(USER, a_reply("A.", **changes))
        return (await database.questions_citing([CARE.slug], 1))[0].before.topic

    assert await topic_before() is None
    assert await topic_before() == CARE.slug
    assert await topic_before(topic=SCARS, previous_topic=CARE) == CARE.slug
    # Neither left nor carried on: chosen by hand in between, and then named.
    assert await topic_before() is None
    assert await topic_before(topic=SCARS, read_as="recurrence — scars") == SCARS.slug
    await database.start_anew(USER, CHAT)
    assert await topic_before(topic=SCARS) is None
    await database.start_anew(USER, CHAT)
    # From the link in an article: the first question is about it already.
    assert await topic_before(read_as="washing — aftercare") == CARE.slug


async def test_a_new_start_cuts_the_turns_before(database: Database) -> None:
    await database.remember(USER, a_reply("A.", question="old 1"))
    await database.remember(USER, a_reply("A.", question="old 2"))
    await database.start_anew(USER, CHAT)
    await database.remember(USER, a_reply("A.", question="new 1"))
    await database.remember(USER, a_reply("A.", question="new 2"))
    found = await database.questions_citing([CARE.slug])
    assert [[t.question for t in a.before.turns] for a in found] == [
        ["new 1"],
        [],
        ["old 1"],
        [],
    ]


async def test_what_only_acted_on_an_answer_is_not_put_again(database: Database) -> None:
    await database.remember(USER, a_reply("A.", question="Washing?"))
    for act in ("more", "why", "sources", "shorter"):
        await database.remember(USER, a_reply("A.", question=act, read_as=f"{act}: Washing?"))
    await database.remember(USER, a_reply("A.", question="And sun?", read_as="And sun — care"))
    found = await database.questions_citing([CARE.slug])
    assert [a.turn.question for a in found] == ["And sun?", "Washing?"]
    assert len(found[0].before.turns) == 5


# ---------------------------------------------------------------------- from the first tables


ODD: list[tuple[str, Any]] = [
    ("not an object", []),
    ("nothing", None),
    ("sections are no list", {"sections": {"statements": []}, "sources": 3}),
    (
        "no sources",
        {"sections": [{"statements": [{"text": "T", "citations": [1], "article": "a"}]}]},
    ),
    ("no text", {"sections": [{"statements": [{"citations": [], "article": "a"}, 5]}, None]}),
    ("no citations", {"sections": [{"statements": [{"text": "T", "article": "a"}]}]}),
    (
        "odd numbers",
        {
            "sections": [{"statements": [{"text": "T", "citations": [[1]], "article": "a"}]}],
            "sources": [{"n": [1], "key": "k"}, {"n": 1}, "x"],
        },
    ),
    (
        "odd text",
        {
            "sections": [
                {
                    "statements": [
                        {"text": "a\0b", "citations": [], "article": "a"},
                        {"text": "T", "citations": [], "article": "a" * 61},
                        {"text": "lone \ud800", "citations": [], "article": "a"},
                        {"text": "", "citations": [], "article": "a"},
                        {"text": "Sound.", "citations": [], "article": "sound"},
                    ]
                }
            ]
        },
    ),
]


async def first_tables(url: str, answers: list[Any]) -> None:
    """A database as the first version left it, with a turn for each of these answers."""

    def upgrade(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
        at = "'2026-01-02 03:04:05+00:00'"
        for statement in (
            f"insert into users (id, created_at) values ('u', {at})",
            "insert into conversations (id, user_id, started_at, updated_at) "
            f"values ('c', 'u', {at}, {at})",
            f"insert into audit (at, who, action, detail) values ({at}, 'admin', 'switch', '{{}}')",
            f"insert into served (id, build, switched_at) values (1, 'b1', {at})",
            f"insert into builds (id, created_at, manifest) values ('b1', {at}, '{{}}')",
        ):
            await connection.execute(sa.text(statement))
        if answers:
            await connection.execute(
                sa.text(
                    "insert into turns (conversation_id, asked_at, question, kind, answer, build, "
                    f"timings_ms) values ('c', {at}, 'q', 'answered', "
                    + ("cast(:answer as json)" if "postgresql" in url else ":answer")
                    + ", 'b1', '{}')"
                ),
                [{"answer": a if isinstance(a, str) else json.dumps(a)} for a in answers],
            )
    await engine.dispose()


async def test_a_database_of_the_first_version_gets_what_its_turns_quoted(
    database_url: str,
) -> None:
    replies = [a_reply("A.", "B.", "A.", key=f"k{n % 2}") for n in range(1_100)]
    odd = [answer for _, answer in ODD]
    if "sqlite" in database_url:
        odd += ["{ no JSON", "[" * 100_000]
    await first_tables(database_url, [*odd, *map(turn_dict, replies), turn_dict(a_turn())])
    opened = await asyncio.gather(*(Database.open(database_url) for _ in range(3)))
    for database in opened[1:]:
        await database.close()
    database = opened[0]
    found = await rows(database_url, sa.text("select version_num from alembic_version"))
    assert [row.version_num for row in found] == [HEAD]
    kept = await rows(database_url, sa.select(tables.quoted).order_by(quoted.turn_id, quoted.text))
    assert [k.text for k in kept] == ["Sound.", *["A.", "B."] * 1_100]
    turn_id = await database.remember("u", a_reply("A.", "B.", key="k1", chat="c"))
    mine = [k for k in await rows(database_url, sa.select(tables.quoted)) if k.turn_id == turn_id]
    last = [k for k in kept if k.turn_id == kept[-1].turn_id]
    assert {k[1:] for k in mine} == {k[1:] for k in last}
    lost = await database.switch("b2", {}, "admin", standing={CARE.slug: digests("A.")})
    # Half of the turns rest on the source that stands, and one was asked since.
    assert {(w.text, w.turns, w.people) for w in lost} == {
        ("A.", 550, 1),
        ("B.", 550, 1),
        ("B.", 551, 1),
    }
    assert [e.detail for e in await database.audit_entries()] == [
        {"build": "b2", "previous": "b1"},
        {},
    ]
    with pytest.raises(DBAPIError, match="append-only"):
        await rows(database_url, sa.text("delete from audit"))
    await database.close()


async def test_a_migration_of_full_tables_that_fails_leaves_them_as_they_were(
    database_url: str,
) -> None:
    await first_tables(database_url, [turn_dict(a_reply("A."))])
    await rows(database_url, sa.text("create table claims (mine integer)"))
    with pytest.raises(DatabaseProblem, match="claims"):
        await Database.open(database_url)
    found = await rows(database_url, sa.text("select version_num from alembic_version"))
    assert [row.version_num for row in found] == ["0001"]
    with pytest.raises(DBAPIError):
        await rows(database_url, sa.text("select * from quoted"))
    await rows(database_url, sa.text("drop table claims"))
    await (await Database.open(database_url)).close()
    assert await shown(database_url) == {"A.": None}


async def test_the_way_back_to_the_first_tables_works(database_url: str) -> None:
    database = await Database.open(database_url)
    await database.note("admin", "reload")
    await database.close()

    def downgrade(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")

    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        await connection.run_sync(downgrade)
    await engine.dispose()
    await rows(database_url, sa.text("delete from audit"))
    await (await Database.open(database_url)).close()


async def test_the_sqlite_file_is_kept_as_the_earlier_version_left_it(tmp_path: Path) -> None:
    file = tmp_path / "corollary.db"
    await first_tables(sqlite_url(file), [turn_dict(a_reply("A."))])
    opened = await asyncio.gather(*(Database.open(sqlite_url(file)) for _ in range(3)))
    for database in opened:
        await database.close()
    kept = sqlite_url(tmp_path / "corollary.db.0001")
    found = await rows(kept, sa.text("select version_num from alembic_version"))
    assert [row.version_num for row in found] == ["0001"]
    assert len(await rows(kept, sa.text("select id from turns"))) == 1
    assert sorted(p.name for p in tmp_path.glob("*.tmp")) == []
