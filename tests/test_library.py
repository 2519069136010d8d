"""The served build: borrowed for a turn, followed when the pointer moves."""

import asyncio
import gc
import shutil
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from articles import BODY, EMBEDDER, Shelf

from store import library as module
from store.conversations import Database
from store.errors import EmbedderMismatch, StoreProblem
from store.index import Build, open_build
from store.library import Library, set_apart


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.put("aftercare")
    return made


@pytest.fixture
async def database(shelf: Shelf) -> AsyncIterator[Database]:
    opened = await shelf.database()
    yield opened
    await opened.close()


@pytest.fixture
async def library(shelf: Shelf, database: Database) -> AsyncIterator[Library]:
    """Looks at the pointer before every loan."""
    made = Library(database, shelf.builds, EMBEDDER, follow_s=0)
    yield made
    await made.close()


def is_open(build: Build) -> bool:
    return not build.closed and bool(build.nearest(build.vectors[0], 1))


async def test_without_a_build_there_is_nothing_to_borrow(library: Library) -> None:
    with pytest.raises(StoreProblem, match="no build yet"):
        async with library.borrow():
            pass


async def test_a_borrowed_build_stays_usable_while_the_pointer_moves(
    shelf: Shelf, database: Database, library: Library
) -> None:
    first = (await shelf.reload(database)).build
    async with library.borrow() as old:
        assert old.id == first
        shelf.put("aftercare", BODY.replace("nine", "six"))
        second = (await shelf.reload(database)).build
        async with library.borrow() as new:
            assert new.id == second
            assert is_open(old)
            assert is_open(new)
        assert is_open(old)
        assert is_open(new)
    assert not is_open(old)
    assert is_open(new)


async def test_an_old_build_nobody_borrows_is_closed_when_the_pointer_moves(
    shelf: Shelf, database: Database, library: Library
) -> None:
    await shelf.reload(database)
    async with library.borrow() as old:
        pass
    assert is_open(old)
    await shelf.reload(database)
    async with library.borrow() as new:
        assert new is not old
        assert not is_open(old)


async def test_the_last_of_several_borrowers_closes_an_old_build(
    shelf: Shelf, database: Database, library: Library
) -> None:
    await shelf.reload(database)
    leave, both = [asyncio.Event(), asyncio.Event()], asyncio.Barrier(3)
    lent: list[Build] = []

    async def borrower(event: asyncio.Event) -> None:
        async with library.borrow() as build:
            lent.append(build)
            await both.wait()
            await event.wait()

    tasks = [asyncio.create_task(borrower(e)) for e in leave]
    await both.wait()
    assert lent[0] is lent[1]
    await shelf.reload(database)
    async with library.borrow():
        pass
    leave[0].set()
    await tasks[0]
    assert is_open(lent[0])
    leave[1].set()
    await tasks[1]
    assert not is_open(lent[0])


async def test_borrowers_who_come_together_open_the_build_once(
    shelf: Shelf, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf.reload(database)
    opened: list[str] = []

    def counting(root: Path, build: str, *, embedder: str) -> Build:
        opened.append(build)
        return open_build(root, build, embedder=embedder)

    monkeypatch.setattr(module, "open_build", counting)
    library = Library(database, shelf.builds, EMBEDDER)

    async def ask() -> str:
        async with library.borrow() as build:
            assert await asyncio.to_thread(is_open, build)
            return build.id

    assert len(set(await asyncio.gather(*(ask() for _ in range(30))))) == 1
    assert len(opened) == 1
    await library.close()


async def test_borrowers_during_reloads_never_meet_a_closed_build(
    shelf: Shelf, database: Database, library: Library
) -> None:
    await shelf.reload(database)
    last: str | None = None
    seen: set[str] = set()

    async def ask() -> None:
        while last is None or last not in seen:
            async with library.borrow() as build:
                seen.add(build.id)
                assert await asyncio.to_thread(is_open, build)
                await asyncio.sleep(0)
                assert await asyncio.to_thread(is_open, build)

    tasks = [asyncio.create_task(ask()) for _ in range(4)]
    for _ in range(3):
        await shelf.reload(database)
    last = await database.served_build()
    await asyncio.gather(*tasks)
    assert len(seen) >= 2


async def test_a_turn_that_fails_gives_its_build_back(
    shelf: Shelf, database: Database, library: Library
) -> None:
    await shelf.reload(database)
    with pytest.raises(ZeroDivisionError):
        async with library.borrow() as old:
            raise ZeroDivisionError
    await shelf.reload(database)
    async with library.borrow():
        assert not is_open(old)


async def test_the_pointer_is_not_asked_more_often_than_said(
    shelf: Shelf, database: Database
) -> None:
    first = (await shelf.reload(database)).build
    library = Library(database, shelf.builds, EMBEDDER, follow_s=3600)
    async with library.borrow():
        pass
    await shelf.reload(database)
    async with library.borrow() as build:
        assert build.id == first
    await library.close()


async def test_a_rollback_is_followed_like_a_reload(
    shelf: Shelf, database: Database, library: Library
) -> None:
    first = (await shelf.reload(database)).build or ""
    await shelf.reload(database)
    async with library.borrow() as build:
        assert build.id != first
    await database.switch(first, {}, "test")
    async with library.borrow() as build:
        assert build.id == first


async def test_a_build_that_cannot_be_trusted_is_not_lent_while_a_sound_one_is_open(
    shelf: Shelf, database: Database, library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    build = (await shelf.reload(database)).build or ""
    async with library.borrow():
        pass
    other = Library(database, shelf.builds, "other 32")
    with pytest.raises(EmbedderMismatch):
        async with other.borrow():
            pass
    await other.close()
    newer = (await shelf.reload(database)).build or ""
    shutil.move(shelf.builds / newer, shelf.folder / "away")
    async with library.borrow() as found:
        assert found.id == build
        assert is_open(found)
    assert newer in caplog.text
    fresh = Library(database, shelf.builds, EMBEDDER)
    with pytest.raises(StoreProblem, match=newer):
        async with fresh.borrow():
            pass
    shutil.move(shelf.folder / "away", shelf.builds / newer)
    async with library.borrow() as found:
        assert found.id == newer != build


async def test_a_build_is_made_ready_before_it_is_lent(
    shelf: Shelf, database: Database, library: Library
) -> None:
    ready: list[str] = []
    library.prepare = lambda build: ready.append(build.id)
    first = (await shelf.reload(database)).build
    async with library.borrow() as build:
        assert ready == [first] == [build.id]
    shelf.put("aftercare", BODY.replace("nine", "six"))
    second = (await shelf.reload(database)).build
    async with library.borrow() as build:
        assert ready == [first, second]
        assert build.id == second


async def test_what_is_served_is_no_work_for_the_collector_and_goes_all_the_same(
    shelf: Shelf,
    database: Database,
    library: Library,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "set_apart", set_apart)
    await shelf.reload(database)
    gc.unfreeze()
    async with library.borrow() as build:
        old = weakref.ref(build)
        article = next(iter(build.articles.values()))
        assert gc.get_freeze_count() > 0
        assert article not in gc.get_objects()
    del build, article
    await shelf.reload(database)
    async with library.borrow() as new:
        assert new is not old()
    for _ in range(500):
        # The thread that closed it lets go of it a moment after it has said so.
        if old() is None:
            break
        await asyncio.sleep(0.01)
    assert old() is None
