"""Conversations, pointer, gaps and migrations, on SQLite and on PostgreSQL."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from conftest import without_privileges
from sqlalchemy.ext.asyncio import create_async_engine
from turns import CARE, CHAT, OTHER_CHAT, SCARS, USER, a_reply, a_turn, rows

from store import here
from store.article import Caution, Part, Reference, Status
from store.conversations import HEAD, Database, Gap, Pointer, Recalled, sqlite_url
from store.errors import DatabaseProblem
from store.migrations import tables
from store.migrations.tables import metadata
from store.people import set_role
from store.turn import (
    AnswerSection,
    ArticleNote,
    Kind,
    Nearest,
    Quote,
    Role,
    Source,
    turn_dict,
)

pytest_plugins = ("databases", "postgres")

ROOT = Path(__file__).parents[1]


async def refusal(url: str) -> DatabaseProblem:
    """The problem that opening the database ends in, checked for what must never be in one."""
    with pytest.raises(DatabaseProblem) as caught:
        await (await Database.open(url)).close()
    text = str(caught.value)
    for foreign in ("sqlalche", "<class", "sqlite3.", "asyncpg.", "Traceback", "\n"):
        assert foreign not in text
    return caught.value


# ---------------------------------------------------------------------- conversations


async def test_of_a_rehearsal_nothing_stays(database: Database, database_url: str) -> None:
    ids: list[int] = []
    await database.rehearse(
        a_turn("?", kind=Kind.NOT_COVERED, reason="no_statement"), lambda c, i: ids.append(i)
    )
    assert len(ids) == 1
    for table in ("users", "conversations", "turns", "receipts", "quoted", "gaps"):
        assert await rows(database_url, sa.text(f"select count(*) from {table}")) == [(0,)], table
    assert await database.remember(USER, a_turn("whole"))


async def test_what_describes_the_user_comes_with_the_conversation(database: Database) -> None:
    assert (await database.recall(CHAT, user_id=USER)).role is None
    await set_role(database, USER, Role.NURSE)
    assert (await database.recall(CHAT, user_id=USER)).role == "nurse", "before the first turn"
    await database.remember(USER, a_turn("one"))
    assert (await database.recall(CHAT, user_id=USER)).role == "nurse"
    assert (await database.recall(CHAT, user_id="telegram:other")).role is None
    assert (await database.recall(CHAT)).role is None


async def test_a_remembered_turn_is_recalled_with_its_topic(database: Database) -> None:
    assert await database.recall(CHAT) == Recalled(CHAT)
    turn_id = await database.remember(USER, a_turn(read_as="May treated skin be washed?"))
    recalled = await database.recall(CHAT)
    assert recalled.conversation_id == CHAT
    assert recalled.topic == CARE.slug
    (turn,) = recalled.turns
    assert (turn.id, turn.question) == (turn_id, "May it be washed?")
    assert (turn.read_as, turn.kind) == ("May treated skin be washed?", "answered")
    assert turn.topic == CARE.slug


async def test_an_answer_comes_back_as_it_was_said(database: Database) -> None:
    reference = Reference(3, "key", "article", "Soin après laser", ("Müller A",), year=2021)
    turn = a_turn(
        "Wie lange Sonnenschutz? ☀️ 'quoted' \\ \"twice\"\nnew line",
        sections=(
            AnswerSection(
                Part.RESEARCH,
                (Quote("≥ 12 weeks…", (1,), CARE.slug, "p#1", ((3, (1,)),), 0.876543),),
            ),
        ),
        sources=(Source(1, reference, (CARE.slug,)),),
        articles=(ArticleNote(CARE.slug, CARE.title, Status.UNDER_REVIEW, date(2026, 1, 2)),),
        caution=Caution.UNDER_REVIEW,
        previous_topic=SCARS,
        followups=("And sunscreen?",),
        timings_ms={"retrieve": 12.3456},
    )
    await database.remember(USER, turn)
    (stored,) = (await database.recall(CHAT)).turns
    assert stored.question == turn.question
    assert stored.answer == turn_dict(turn)


async def test_turns_are_recalled_oldest_first_and_at_most_as_many_as_asked(
    database: Database,
) -> None:
    for n in range(5):
        await database.remember(USER, a_turn(f"q{n}"))
    assert [t.question for t in (await database.recall(CHAT, 3)).turns] == ["q2", "q3", "q4"]
    assert len((await database.recall(CHAT, 50)).turns) == 5
    none = await database.recall(CHAT, 0)
    assert (none.topic, none.turns) == (CARE.slug, ())


async def test_the_topic_is_that_of_the_last_turn(database: Database) -> None:
    await database.remember(USER, a_turn())
    await database.remember(USER, a_turn("And scars?", topic=SCARS, previous_topic=CARE))
    assert (await database.recall(CHAT)).topic == SCARS.slug
    await database.remember(USER, a_turn("Hello", topic=None, kind=Kind.OUT_OF_SCOPE))
    assert (await database.recall(CHAT)).topic is None


async def test_two_conversations_do_not_mix(database: Database) -> None:
    await database.remember(USER, a_turn("mine"))
    await database.remember("telegram:8", a_turn("theirs", OTHER_CHAT, topic=SCARS))
    await database.remember(USER, a_turn("mine again"))
    await database.remember(USER, a_turn("mine in a group", "telegram:-1:7"))
    await database.start_anew("telegram:8", OTHER_CHAT)
    mine, theirs = await database.recall(CHAT), await database.recall(OTHER_CHAT)
    assert [t.question for t in mine.turns] == ["mine", "mine again"]
    assert mine.topic == CARE.slug
    assert (theirs.topic, theirs.turns) == (None, ())


async def test_starting_anew_forgets_the_context_and_a_later_turn_works(
    database: Database, database_url: str
) -> None:
    await database.remember(USER, a_turn("before"))
    await database.start_anew(USER, CHAT)
    assert await database.recall(CHAT) == Recalled(CHAT)
    await database.remember(USER, a_turn("after", topic=SCARS))
    recalled = await database.recall(CHAT)
    assert [t.question for t in recalled.turns] == ["after"]
    assert recalled.topic == SCARS.slug
    kept = await rows(database_url, sa.select(tables.turns.c.question).order_by("id"))
    assert [row.question for row in kept] == ["before", "after"]


async def test_starting_anew_works_on_a_new_conversation(database: Database) -> None:
    await database.start_anew(USER, CHAT)
    assert await database.recall(CHAT) == Recalled(CHAT)
    await database.remember(USER, a_turn())
    assert len((await database.recall(CHAT)).turns) == 1


async def test_starting_anew_forgets_also_when_the_clock_was_set_back(
    database: Database, database_url: str
) -> None:
    await database.remember(USER, a_turn("before"))
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await rows(database_url, tables.turns.update().values(asked_at=ahead))
    await database.start_anew(USER, CHAT)
    assert (await database.recall(CHAT)).turns == ()
    await database.remember(USER, a_turn("after"))
    assert [t.question for t in (await database.recall(CHAT)).turns] == ["after"]


async def test_a_turn_is_recalled_also_when_its_conversation_began_by_a_faster_clock(
    database: Database, database_url: str
) -> None:
    await database.set_topic(USER, CHAT, None)
    ahead = datetime.now(UTC) + timedelta(hours=1)
    await rows(database_url, tables.conversations.update().values(started_at=ahead))
    await database.remember(USER, a_turn())
    assert len((await database.recall(CHAT)).turns) == 1


async def test_a_topic_can_be_set_on_a_new_conversation(database: Database) -> None:
    await database.set_topic(USER, CHAT, SCARS.slug)
    assert await database.recall(CHAT) == Recalled(CHAT, SCARS.slug)


async def test_setting_a_topic_keeps_the_turns(database: Database) -> None:
    await database.remember(USER, a_turn())
    await database.set_topic(USER, CHAT, SCARS.slug)
    recalled = await database.recall(CHAT)
    assert (recalled.topic, len(recalled.turns)) == (SCARS.slug, 1)
    await database.set_topic(USER, CHAT, None)
    assert (await database.recall(CHAT)).topic is None


async def test_concurrent_tasks_lose_no_turn_and_ids_increase(database: Database) -> None:
    async def ask(task: int) -> list[int]:
        return [await database.remember(USER, a_turn(f"{task}.{n}")) for n in range(5)]

    by_task = await asyncio.gather(*(ask(task) for task in range(4)))
    assert all(ids == sorted(ids) for ids in by_task)
    ids = sorted(i for of_task in by_task for i in of_task)
    assert len(set(ids)) == 20
    recalled = await database.recall(CHAT, 50)
    assert [t.id for t in recalled.turns] == ids
    assert {t.question for t in recalled.turns} == {f"{a}.{b}" for a in range(4) for b in range(5)}
    for task in range(4):
        own = [t.question for t in recalled.turns if t.question.startswith(f"{task}.")]
        assert own == [f"{task}.{n}" for n in range(5)]


async def test_twenty_first_turns_at_once_are_all_recalled(database: Database) -> None:
    asked = [database.remember(USER, a_turn(f"q{n}")) for n in range(20)]
    ids = await asyncio.gather(*asked)
    assert [t.id for t in (await database.recall(CHAT, 50)).turns] == sorted(ids)


async def test_two_programs_share_a_database(database: Database, database_url: str) -> None:
    other = await Database.open(database_url)
    try:
        both = (database, other)
        await asyncio.gather(*(both[n % 2].remember(USER, a_turn(f"q{n}")) for n in range(10)))
        assert len((await other.recall(CHAT, 50)).turns) == 10
    finally:
        await other.close()


async def test_turns_outlive_the_program(database_url: str) -> None:
    for n in range(2):
        database = await Database.open(database_url)
        await database.remember(USER, a_turn(f"q{n}"))
        await database.close()
    database = await Database.open(database_url)
    assert [t.question for t in (await database.recall(CHAT)).turns] == ["q0", "q1"]
    await database.close()


async def test_a_deleted_user_leaves_nothing_behind(database: Database, database_url: str) -> None:
    await database.remember(USER, a_turn(kind=Kind.NOT_COVERED, reason="nothing_near"))
    await database.remember("telegram:8", a_turn("theirs", OTHER_CHAT))
    async with database._begin() as connection:
        await connection.execute(tables.users.delete().where(tables.users.c.id == USER))
    assert await database.recall(CHAT) == Recalled(CHAT)
    assert await database.recent_gaps() == []
    left = await rows(database_url, sa.select(tables.turns.c.question))
    assert [row.question for row in left] == ["theirs"]


# ---------------------------------------------------------------------- gaps


async def test_what_is_not_covered_is_a_gap_with_its_reason_and_what_is_answered_is_none(
    database: Database,
) -> None:
    nearest = Nearest(SCARS.slug, SCARS.title, "From the research: Keloids")
    await database.remember(
        USER, a_turn("in children?", kind=Kind.NOT_COVERED, reason="below_floor", nearest=nearest)
    )
    await database.remember(USER, a_turn("answered"))
    (gap,) = await database.recent_gaps()
    expected = ("in children?", "below_floor", SCARS.slug, "From the research: Keloids")
    assert (gap.question, gap.reason, gap.article, gap.section) == expected


async def test_a_gap_has_the_question_as_it_was_read_and_else_the_topic(database: Database) -> None:
    await database.remember(
        USER, a_turn("in children?", kind=Kind.NOT_COVERED, reason="r", read_as="care in children?")
    )
    (gap,) = await database.recent_gaps()
    assert (gap.question, gap.article, gap.section) == ("care in children?", CARE.slug, None)


@pytest.mark.parametrize("kind", list(Kind))
async def test_only_what_was_not_answered_in_full_is_a_gap(tmp_path: Path, kind: Kind) -> None:
    database = await Database.open(sqlite_url(tmp_path / "c.db"))
    await database.remember(USER, a_turn(kind=kind, reason="why"))
    is_gap = kind in {Kind.NOT_COVERED, Kind.PARTLY_ANSWERED}
    assert [g.reason for g in await database.recent_gaps()] == (["why"] if is_gap else [])
    await database.close()


async def test_gaps_come_newest_first_and_at_most_as_many_as_asked(database: Database) -> None:
    for n in range(4):
        await database.remember(USER, a_turn(f"q{n}", kind=Kind.NOT_COVERED, reason="r"))
    assert [g.question for g in await database.recent_gaps(2)] == ["q3", "q2"]


async def test_gaps_since_a_time_say_who_asked(database: Database, database_url: str) -> None:
    missed: dict[str, Any] = {"kind": Kind.NOT_COVERED, "reason": "r"}
    await database.remember(USER, a_turn("old", **missed))
    ago = datetime.now(UTC) - timedelta(days=8)
    await rows(database_url, tables.gaps.update().values(noticed_at=ago))
    await database.remember(USER, a_turn("mine", **missed))
    await database.remember("telegram:8", a_turn("theirs", OTHER_CHAT, **missed))
    week = datetime.now(UTC) - timedelta(days=7)
    found = await database.gaps_since(week)
    assert [(g.question, g.user_id) for g in found] == [("theirs", "telegram:8"), ("mine", USER)]
    assert found[0].id > found[1].id
    assert [g.question for g in await database.gaps_since(None)] == ["theirs", "mine", "old"]
    assert [g.question for g in await database.gaps_since(week, 1)] == ["theirs"]
    assert await database.gaps_since(datetime.now(UTC)) == []


# ---------------------------------------------------------------------- builds and audit


async def pointer(url: str) -> list[tuple[str, str | None]]:
    return [(r.build, r.previous) for r in await rows(url, sa.select(tables.served))]


async def audited(url: str) -> list[Any]:
    return await rows(url, sa.select(tables.audit).order_by(tables.audit.c.id))


async def test_a_switch_serves_the_build_and_keeps_the_previous_one(
    database: Database, database_url: str
) -> None:
    assert await database.served_build() is None
    assert await database.known_builds() == []
    await database.switch("b1", {"articles": 12}, "admin")
    assert await pointer(database_url) == [("b1", None)]
    await database.switch("b2", {"articles": 13}, "admin")
    assert await database.served_build() == "b2"
    assert await pointer(database_url) == [("b2", "b1")]
    assert await database.known_builds() == ["b2", "b1"]
    stored = await rows(database_url, sa.select(tables.builds).order_by("id"))
    assert [row.manifest for row in stored] == [{"articles": 12}, {"articles": 13}]
    lines = await audited(database_url)
    assert [(a.who, a.action, a.detail) for a in lines] == [
        ("admin", "switch", {"build": "b1", "previous": None}),
        ("admin", "switch", {"build": "b2", "previous": "b1"}),
    ]


async def test_a_switch_whose_audit_entry_fails_changes_nothing(
    database: Database, database_url: str
) -> None:
    await database.switch("b1", {}, "admin")
    await rows(database_url, sa.text("alter table audit rename to audit_away"))
    with pytest.raises(DatabaseProblem):
        await database.switch("b2", {}, "admin")
    assert await database.served_build() == "b1"
    assert await pointer(database_url) == [("b1", None)]
    assert await database.known_builds() == ["b1"]
    await rows(database_url, sa.text("alter table audit_away rename to audit"))
    await database.switch("b2", {}, "admin")
    assert await pointer(database_url) == [("b2", "b1")]


async def test_switching_to_the_served_build_again_keeps_the_way_back(
    database: Database, database_url: str
) -> None:
    await database.switch("b1", {}, "admin")
    await database.switch("b1", {}, "admin")
    assert await pointer(database_url) == [("b1", None)]
    await database.switch("b2", {}, "admin")
    await database.switch("b2", {}, "admin")
    assert await pointer(database_url) == [("b2", "b1")]
    assert len(await audited(database_url)) == 4


async def test_switching_back_works(database: Database, database_url: str) -> None:
    for build in ("b1", "b2", "b1"):
        await database.switch(build, {}, "admin")
    assert await pointer(database_url) == [("b1", "b2")]
    assert sorted(await database.known_builds()) == ["b1", "b2"]


async def test_of_switches_at_once_each_sees_the_one_before(
    database: Database, database_url: str
) -> None:
    names = [f"b{n}" for n in range(6)]
    await asyncio.gather(*(database.switch(name, {}, "admin") for name in names))
    lines = await audited(database_url)
    order = [line.detail["build"] for line in lines]
    assert sorted(order) == names
    assert [line.detail["previous"] for line in lines] == [None, *order[:-1]]
    assert await pointer(database_url) == [(order[-1], order[-2])]


async def test_a_note_is_a_line_of_the_audit(database: Database, database_url: str) -> None:
    await database.note("admin", "export", {"turns": 3})
    await database.note("admin", "reload")
    lines = await audited(database_url)
    assert [(a.who, a.action, a.detail) for a in lines] == [
        ("admin", "export", {"turns": 3}),
        ("admin", "reload", {}),
    ]


async def test_the_pointer_says_where_it_stands_and_since_when(database: Database) -> None:
    assert await database.pointer() is None
    before = datetime.now(UTC)
    await database.switch("b1", {}, "admin")
    await database.switch("b2", {}, "admin")
    found = await database.pointer()
    assert found is not None
    assert found == Pointer("b2", "b1", found.switched_at)
    assert before <= found.switched_at <= datetime.now(UTC)


async def test_builds_come_newest_first_with_their_manifests(database: Database) -> None:
    assert await database.build_rows() == []
    for n in range(3):
        await database.switch(f"b{n}", {"articles": n}, "admin")
    found = await database.build_rows()
    assert [(b.id, b.manifest) for b in found] == [(f"b{n}", {"articles": n}) for n in (2, 1, 0)]
    assert found[0].created_at > found[1].created_at > found[2].created_at


async def test_builds_are_forgotten_but_never_the_served_one_nor_the_one_before(
    database: Database,
) -> None:
    assert await database.forget_builds(["b0"]) == 0
    await database.switch("b0", {}, "admin")
    assert await database.forget_builds(["b0"]) == 0
    for n in range(1, 5):
        await database.switch(f"b{n}", {}, "admin")
    assert await database.forget_builds([f"b{n}" for n in range(3_000)]) == 3
    assert await database.known_builds() == ["b4", "b3"]
    assert await database.forget_builds([]) == 0


# ---------------------------------------------------------------------- once a day


async def test_a_day_is_claimed_once_by_all_together(database: Database, database_url: str) -> None:
    other = await Database.open(database_url)
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    try:
        both = (database, other)
        claimed = await asyncio.gather(*(both[n % 2].claim_day("digest", monday) for n in range(8)))
        assert sorted(claimed) == [False] * 7 + [True]
        assert await other.claim_day("digest", tuesday)
        assert await database.claim_day("reminder", tuesday)
        assert not await database.claim_day("digest", tuesday)
    finally:
        await other.close()


# ---------------------------------------------------------------------- people


async def test_a_user_is_invited_once_and_for_all(database: Database) -> None:
    await database.remember(USER, a_turn())
    assert not await database.is_invited(USER)
    await asyncio.gather(database.invite(USER), database.invite(USER))
    await database.invite("telegram:8")
    await database.remember("telegram:8", a_turn("theirs", OTHER_CHAT))
    assert await database.is_invited(USER)
    assert await database.is_invited("telegram:8")
    assert not await database.is_invited("telegram:9")
    assert len((await database.recall(CHAT)).turns) == 1


# ---------------------------------------------------------------------- times


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
async def test_times_come_back_aware_and_in_utc_wherever_the_program_runs(
    database: Database,
) -> None:
    before = datetime.now(UTC)
    await database.remember(USER, a_reply("It may.", kind=Kind.PARTLY_ANSWERED, reason="r"))
    await database.invite(USER)
    await database.switch("b1", {}, "admin", standing={CARE.slug: frozenset()})
    (correction,) = await database.take_untold("")
    await database.mark_told(correction)
    await database.claim_day("digest", date(2026, 1, 2))
    after = datetime.now(UTC)
    times = [gap.noticed_at for gap in await database.recent_gaps()]
    async with database._begin() as connection:
        for table in metadata.sorted_tables:
            columns = [c for c in table.c if isinstance(c.type, tables.UtcDateTime)]
            if columns:
                times += [t for row in await connection.execute(sa.select(*columns)) for t in row]
    assert len(times) == 14
    for at in times:
        assert at.tzinfo is UTC or at.utcoffset() == timedelta(0)
        assert before <= at <= after


async def test_a_time_of_another_zone_is_stored_as_the_same_moment(database: Database) -> None:
    noon = datetime.fromisoformat("2026-03-01T12:00:00+05:30")
    await database.remember(USER, a_turn(kind=Kind.NOT_COVERED, reason="r"))
    async with database._begin() as connection:
        await connection.execute(tables.gaps.update().values(noticed_at=noon))
    (gap,) = await database.recent_gaps()
    assert isinstance(gap, Gap)
    assert gap.noticed_at.isoformat() == "2026-03-01T06:30:00+00:00"


# ---------------------------------------------------------------------- migrations


def test_head_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "store" / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_a_fresh_database_ends_at_head_with_the_tables_that_are_described(
    database: Database, database_url: str
) -> None:
    found = await rows(database_url, sa.text("select version_num from alembic_version"))
    assert [row.version_num for row in found] == [HEAD]

    def differences(connection: sa.Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    async with database._begin() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    await (await Database.open(database_url)).close()
    await rows(database_url, sa.text("update alembic_version set version_num = '9999'"))
    problem = await refusal(database_url)
    assert "newer version" in problem.what
    assert "9999" in problem.what
    assert "Install" in problem.todo
    found = await rows(database_url, sa.text("select version_num from alembic_version"))
    assert [row.version_num for row in found] == ["9999"]


async def test_a_fresh_database_opened_by_several_at_once_is_made_once(database_url: str) -> None:
    opened = await asyncio.gather(*(Database.open(database_url) for _ in range(4)))
    for n, database in enumerate(opened):
        await database.remember(USER, a_turn(f"q{n}"))
        await database.close()
    assert len(await rows(database_url, sa.select(tables.turns.c.id))) == 4


async def test_a_migration_that_fails_leaves_nothing_half_made(database_url: str) -> None:
    await rows(database_url, sa.text("create table served (mine integer)"))
    problem = await refusal(database_url)
    assert "served" in problem.what
    assert "already exists" in problem.what

    def names(connection: sa.Connection) -> list[str]:
        return sa.inspect(connection).get_table_names()

    engine = create_async_engine(database_url)
    async with engine.begin() as connection:
        assert await connection.run_sync(names) == ["served"]
        await connection.execute(sa.text("drop table served"))
    await engine.dispose()
    await (await Database.open(database_url)).close()


# ---------------------------------------------------------------------- what cannot be opened


async def test_a_database_says_what_it_is_without_its_password(
    database: Database, database_url: str
) -> None:
    url = sa.make_url(database_url)
    assert (await database.ping()).startswith(f"{url.get_backend_name()} ")
    assert url.database is not None
    assert url.database in database.shown
    if url.password:
        assert url.password not in database.shown


PASSWORDS_IN_URLS = [
    "postgresql+asyncpg://u:hunter2@127.0.0.1:1/x",
    "postgresql+asyncpg://u:hunter2@host.invalid/x",
    "postgresql+asyncpg://127.0.0.1:1/x?user=u&password=hunter2",
    "postgresql+asyncpg://u:hunter2@127.0.0.1:1/x?sslmode=require",
    "postgresql+asyncpg://u:hunter2@127.0.0.1:1/x?ssl=nonsense",
    "postgresql+asyncpg://u:hunter2@127.0.0.1:hunter2/x",
    "postgresql+asyncpg://u:an@hunter2@127.0.0.1:1/x",
    "postgresql+asyncpg://u:an@d/hunter2@127.0.0.1:1/x",
    "postgresql://u:hunter2@127.0.0.1:1/x",
    "oracle+nothing://u:hunter2@127.0.0.1/x",
    "u:hunter2@127.0.0.1/x",
    "hunter2",
]


@pytest.mark.parametrize("url", PASSWORDS_IN_URLS)
async def test_no_error_shows_the_password(url: str) -> None:
    problem = await refusal(url)
    assert "hunter2" not in "".join(traceback.format_exception(problem))
    assert problem.todo


async def test_a_database_that_the_server_does_not_have_is_named(postgres: Any) -> None:
    async with postgres.database() as url:
        missing = sa.make_url(url).set(database="corollary_nowhere")
    problem = await refusal(missing.render_as_string(hide_password=False))
    assert "corollary_nowhere" in problem.what
    assert "does not exist" in problem.what
    if missing.password:
        assert missing.password not in "".join(traceback.format_exception(problem))


async def test_a_question_that_cannot_be_stored_is_not_repeated_in_the_problem(
    database: Database,
) -> None:
    with pytest.raises(DatabaseProblem) as caught:
        await database.remember(USER, a_turn("my patient Jane \ud800"))
    assert "Jane" not in str(caught.value)
    assert await database.recall(CHAT) == Recalled(CHAT)


async def test_a_cut_connection_costs_no_turn(postgres: Any) -> None:
    async with postgres.database() as url:
        database = await Database.open(url)
        await database.remember(USER, a_turn("before"))
        name = sa.make_url(url).database
        await postgres.run(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
        )
        await database.remember(USER, a_turn("after"))
        assert [t.question for t in (await database.recall(CHAT)).turns] == ["before", "after"]
        await database.close()


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "conversations.db"
    problem = await refusal(sqlite_url(path))
    assert str(path) in problem.what
    assert "COROLLARY_DATA_DIR" in problem.todo


async def test_a_file_that_is_not_a_database_is_named_and_left_alone(tmp_path: Path) -> None:
    path, content = tmp_path / "conversations.db", b"No database, but a letter.\n" * 200
    path.write_bytes(content)
    problem = await refusal(sqlite_url(path))
    assert str(path) in problem.what
    assert "not a database" in problem.what
    assert path.read_bytes() == content


@pytest.mark.parametrize("there_before", [False, True])
async def test_a_read_only_folder_is_named(there_before: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, elsewhere = folder / "conversations.db", folder / "elsewhere.db"
        # Opened once either way: what is imported later may be out of reach by then.
        await (await Database.open(sqlite_url(path if there_before else elsewhere))).close()
        for file in folder.iterdir():
            file.chmod(0o444)
        folder.chmod(0o555)
        try:
            with without_privileges():
                problem = await refusal(sqlite_url(path))
        finally:
            folder.chmod(0o755)
        assert str(path) in problem.what


async def test_a_database_that_becomes_read_only_is_named_when_it_is_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "conversations.db"
    database = await Database.open(sqlite_url(path))
    async with database.reading() as connection:
        await connection.execute(sa.text("pragma query_only = on"))
    with pytest.raises(DatabaseProblem, match="readonly") as caught:
        await database.remember(USER, a_turn())
    assert str(path) in caught.value.what
    await database.close()


@pytest.mark.parametrize("name", ["a b", "a?b", "a%20b", "a#b", "a@b:c", "Jörg", "'"])
async def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "conversations.db"
    path.parent.mkdir()
    database = await Database.open(sqlite_url(path))
    assert str(path) in database.shown
    await database.close()
    assert path.exists()


# ---------------------------------------------------------------------- SQLite and sudden death


@pytest.mark.parametrize("much", [False, True])
async def test_sqlite_writes_a_log_ahead_and_waits_for_the_disk(tmp_path: Path, much: bool) -> None:
    database = await Database.open(sqlite_url(tmp_path / "c.db"))

    async def ask(pragma: str) -> Any:
        async with database.reading(much=much) as connection:
            await asyncio.sleep(0.01)
            return (await connection.execute(sa.text(f"pragma {pragma}"))).scalar_one()

    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    expected["busy_timeout"] = 10_000 if much else 0
    for pragma, value in expected.items():
        # On every connection of the pool, not only on the first.
        assert set(await asyncio.gather(*(ask(pragma) for _ in range(4)))) == {value}
    await database.close()


async def test_a_turn_waits_for_another_process_that_writes_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.db"
    database = await Database.open(sqlite_url(path))
    await database.remember(USER, a_turn())
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        remembering = asyncio.create_task(database.remember(USER, a_turn("and then?")))
        began = time.monotonic()
        while time.monotonic() < began + 0.1:
            assert len((await database.recall(CHAT)).turns) == 1
            await asyncio.sleep(0)
        assert not remembering.done()
        other.rollback()
    await asyncio.wait_for(remembering, 5.0)
    assert len((await database.recall(CHAT)).turns) == 2
    await database.close()


async def test_a_log_that_another_process_puts_in_order_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    with closing(sqlite3.connect(path)) as made:
        made.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (a)")
    Path(f"{path}-wal").touch()
    # As after a kill: an index of the log that says nothing.
    index = Path(f"{path}-shm")
    index.write_bytes(bytes(32_768))
    connection = await here.connecting(5.0)(path)
    pipe = subprocess.PIPE
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IN_ORDER, str(index), stdin=pipe, stdout=pipe
    )
    assert other.stdin is not None
    assert other.stdout is not None
    await other.stdout.readline()
    reading = asyncio.create_task(connection.cursor().execute("SELECT * FROM t"))
    await asyncio.sleep(0.1)
    assert not reading.done()
    other.stdin.close()
    assert await other.wait() == 0
    cursor = await reading
    assert await cursor.fetchall() == []
    await connection.close()


IN_ORDER = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    # Where SQLite has the lock of whoever does it.
    fcntl.lockf(index, fcntl.LOCK_EX, 1, 122)
    print(flush=True)
    sys.stdin.read()
"""


async def test_a_commit_is_waited_for_however_often_it_is_cancelled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = await Database.open(sqlite_url(tmp_path / "c.db"))
    await database.remember(USER, a_turn("before"))
    async with database.reading() as c:
        driver = (await c.get_raw_connection()).driver_connection
    assert isinstance(driver, here.Connection)
    disk = threading.Event()
    driver._commits.submit(disk.wait)
    remembering = asyncio.create_task(database.remember(USER, a_turn("slow")))
    for _ in range(3):
        await asyncio.sleep(0.02)
        remembering.cancel()
    await asyncio.sleep(0.02)
    assert not remembering.done()
    disk.set()
    with pytest.raises(asyncio.CancelledError):
        await remembering
    assert [t.question for t in (await database.recall(CHAT)).turns] == ["before", "slow"]
    await database.close()
    assert not caplog.records


async def test_a_turn_that_is_broken_off_leaves_the_database_as_it_was_or_whole(
    tmp_path: Path,
) -> None:
    database = await Database.open(sqlite_url(tmp_path / "c.db"))
    for steps in range(60):
        remembering = asyncio.create_task(database.remember(USER, a_turn(str(steps))))
        for _ in range(steps):
            await asyncio.sleep(0)
        remembering.cancel()
        await asyncio.gather(remembering, return_exceptions=True)
        turn_id = await database.remember(USER, a_turn("whole"))
        assert await database.latest_turn(CHAT) == turn_id
    await database.close()


WRITER = """
import asyncio, sys
from store.conversations import Database, sqlite_url
from store.turn import Kind, Turn

async def ask(database, task):
    for n in range(100_000):
        turn = Turn(Kind.NOT_COVERED, f"{task}.{n} " + "x" * 500, "c", "b", reason="r")
        print(await database.remember("u", turn), turn.question.split()[0], flush=True)

async def main():
    database = await Database.open(sqlite_url(sys.argv[1]))
    await asyncio.gather(*(ask(database, task) for task in range(3)))

asyncio.run(main())
"""


def written_until_killed(path: Path, turns: int) -> dict[int, str]:
    """The acknowledged turns of a process that is killed after about so many of them."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if len(lines) == turns:
                process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    whole = [line.split() for line in lines if line.endswith("\n")]
    return {int(turn_id): name for turn_id, name in whole}


async def test_a_killed_process_loses_no_acknowledged_turn(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    acknowledged: dict[int, str] = {}
    for turns in (1, 25, 60):
        acknowledged |= await asyncio.to_thread(written_until_killed, path, turns)
        with sqlite3.connect(path) as connection:
            assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
            assert connection.execute("pragma foreign_key_check").fetchall() == []
            stored = dict(connection.execute("select id, question from turns").fetchall())
            (gaps,) = connection.execute("select count(*) from gaps").fetchone()
        connection.close()
        assert {i: stored[i].split()[0] for i in acknowledged} == acknowledged
        assert gaps == len(stored)
    assert len(acknowledged) >= 1 + 25 + 60
    database = await Database.open(sqlite_url(path))
    recalled = await database.recall("c", 10_000)
    assert set(acknowledged) <= {t.id for t in recalled.turns}
    await database.close()
