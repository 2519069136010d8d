"""From a folder of articles to a served build, and never to less than what was served."""

import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from articles import (
    BODY,
    EMBEDDER,
    FORKS,
    TODAY,
    BrokenEmbeddings,
    CountingEmbeddings,
    Shelf,
    an_article,
    reload_in_a_process,
    reload_that_never_ends,
)

from store import index
from store.article import ServingRules
from store.conversations import Database
from store.errors import ArticlesProblem, CorollaryError, StoreBusy, StoreProblem
from store.reload import KEPT_BUILDS


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    for slug in ("aftercare", "scars", "veins", "warts"):
        made.put(slug, topic=slug.title())
    return made


@pytest.fixture
async def database(shelf: Shelf) -> AsyncIterator[Database]:
    opened = await shelf.database()
    yield opened
    await opened.close()


def slugs_in(shelf: Shelf, build: str | None) -> list[str]:
    assert build is not None
    opened = index.open_build(shelf.builds, build, embedder=EMBEDDER)
    opened.close()
    return sorted(opened.articles)


async def test_a_first_reload_serves_what_is_there(shelf: Shelf, database: Database) -> None:
    report = await shelf.reload(database)
    assert report.build == await database.served_build()
    assert report.added == ("aftercare", "scars", "veins", "warts")
    assert (report.changed, report.removed, report.unchanged, report.refused) == ((),) * 4
    assert (report.passages, report.embedded) == (12, 12)
    assert slugs_in(shelf, report.build) == sorted(report.added)


async def test_a_second_reload_embeds_what_changed_and_says_what_happened(
    shelf: Shelf, database: Database
) -> None:
    await shelf.reload(database)
    shelf.put("scars", BODY.replace("nine", "six"), topic="Scars")
    shelf.put("zits", topic="Zits")
    (shelf.articles / "warts.md").unlink()
    (shelf.articles / "bad.md").write_text("not an article")
    shelf.put("draft", status="submitted")
    embeddings = CountingEmbeddings()
    report = await shelf.reload(database, embeddings=embeddings)
    assert report.added == ("zits",)
    assert report.changed == ("scars",)
    assert report.removed == ("warts",)
    assert report.unchanged == ("aftercare", "veins")
    assert report.not_served == (("draft", "submitted"),)
    assert [f.slug for f in report.refused] == ["bad"]
    assert len(embeddings.asked) == report.embedded == 1 + 3
    third = await shelf.reload(database, embeddings=embeddings)
    assert third.embedded == 0
    assert third.unchanged == ("aftercare", "scars", "veins", "zits")


async def test_another_model_embeds_everything_again(shelf: Shelf, database: Database) -> None:
    await shelf.reload(database)
    report = await shelf.reload(database, recipe=replace(shelf.recipe, embedder="other 16"))
    assert report.embedded == report.passages == 12


async def test_an_edited_approval_is_reported_and_not_served_by_default(
    shelf: Shelf, database: Database
) -> None:
    article = an_article(slug="sound", topic="Sound")
    review = {"by": "Dr A", "at": "2026-01-03", "decision": "approve", "sha256": article.sha256()}
    shelf.put("sound", topic="Sound", status="approved", reviews=[review])
    shelf.put(
        "edited", BODY.replace("nine", "six"), status="approved", reviews=[review], topic="Sound"
    )
    late = str(TODAY - timedelta(days=91))
    shelf.put("late", status="approved", review_by=late)
    strict = replace(shelf.recipe, rules=ServingRules())
    report = await shelf.reload(database, recipe=strict)
    assert report.added == ("sound",)
    assert report.downgraded == ("edited", "late")
    assert dict(report.not_served)["edited"] == "under_review"
    assert slugs_in(shelf, report.build) == ["sound"]


@pytest.mark.parametrize(("review_by", "served"), [(90, True), (91, False)])
async def test_grace_after_the_review_date_is_counted_in_days(
    shelf: Shelf, database: Database, review_by: int, served: bool
) -> None:
    digest = an_article(slug="old", topic="Old").sha256()
    review = {"by": "Dr A", "at": "2026-01-03", "decision": "approve", "sha256": digest}
    day = (TODAY - timedelta(days=review_by)).isoformat()
    shelf.put("old", topic="Old", status="approved", reviews=[review], review_by=day)
    report = await shelf.reload(database, check_only=True)
    assert ("old" in report.added) is served


async def test_a_check_changes_nothing(shelf: Shelf, database: Database) -> None:
    report = await shelf.reload(database, check_only=True)
    assert report.build is None
    assert len(report.added) == 4
    assert (report.passages, report.embedded, report.self_queries, report.recall) == (12, 12, 12, 1)
    assert await database.served_build() is None
    assert shelf.folders() == []


@pytest.mark.parametrize("moment", ["embedding", "index", "manifest", "switch"])
async def test_a_failure_leaves_what_was_served(
    shelf: Shelf, database: Database, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (await shelf.reload(database)).build
    shelf.put("new", topic="New")
    embeddings: Any = CountingEmbeddings()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if moment == "embedding":
        embeddings = BrokenEmbeddings(OSError(28, "No space left on device"))
    elif moment == "switch":
        monkeypatch.setattr(database, "switch", fail)
    else:
        name = {"index": "_fill_chroma", "manifest": "_write_durably"}[moment]
        monkeypatch.setattr(index, name, fail)
    with pytest.raises((StoreProblem, OSError)):
        await shelf.reload(database, embeddings=embeddings)
    assert await database.served_build() == before
    assert slugs_in(shelf, before) == ["aftercare", "scars", "veins", "warts"]
    if moment != "switch":
        assert shelf.folders() == [before]
    monkeypatch.undo()
    after = (await shelf.reload(database)).build
    assert shelf.folders() == sorted(b for b in (before, after) if b)


# ---------------------------------------------------------------------- what must not be lost


async def test_an_empty_store_is_not_served_unless_forced(shelf: Shelf, database: Database) -> None:
    before = (await shelf.reload(database)).build
    for path in shelf.articles.iterdir():
        path.unlink()
    with pytest.raises(ArticlesProblem, match="no article files") as caught:
        await shelf.reload(database)
    assert "--force" in caught.value.todo
    assert await database.served_build() == before
    report = await shelf.reload(database, force=True)
    assert slugs_in(shelf, report.build) == []


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ({"status": "?"}, "1 refused"),
        ({"status": "submitted"}, "all are submitted"),
    ],
)
async def test_why_nothing_can_be_served_is_said(
    tmp_path: Path, front: dict[str, str], said: str
) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("only", **front)
    database = await shelf.database()
    with pytest.raises(ArticlesProblem, match=said):
        await shelf.reload(database)
    assert await database.served_build() is None
    await database.close()


@pytest.mark.parametrize(("gone", "refused"), [(2, False), (3, True)])
async def test_losing_more_than_half_is_refused_unless_forced(
    shelf: Shelf, database: Database, gone: int, refused: bool
) -> None:
    before = (await shelf.reload(database)).build
    for path in sorted(shelf.articles.iterdir())[:gone]:
        path.unlink()
    if refused:
        with pytest.raises(ArticlesProblem, match="3 of 4 served articles would go"):
            await shelf.reload(database, check_only=True)
        with pytest.raises(ArticlesProblem):
            await shelf.reload(database)
        assert await database.served_build() == before
    report = await shelf.reload(database, force=refused)
    assert len(report.removed) == gone


async def test_another_folder_may_have_other_articles(
    shelf: Shelf, database: Database, tmp_path: Path
) -> None:
    await shelf.reload(database)
    other = tmp_path / "other"
    other.mkdir()
    (other / "new.md").write_bytes(shelf.put("new").read_bytes())
    report = await shelf.reload(database, recipe=replace(shelf.recipe, articles_dir=other))
    assert (report.added, report.removed) == (("new",), ())


async def test_a_missing_folder_leaves_what_was_served(shelf: Shelf, database: Database) -> None:
    before = (await shelf.reload(database)).build
    lost = replace(shelf.recipe, articles_dir=shelf.folder / "nowhere")
    for force in (False, True):
        with pytest.raises(ArticlesProblem, match="does not exist"):
            await shelf.reload(database, recipe=lost, force=force)
    assert await database.served_build() == before


async def test_a_review_date_at_the_end_of_time_stops_no_reload(
    shelf: Shelf, database: Database
) -> None:
    digest = an_article(slug="old", topic="Old").sha256()
    review = {"by": "Dr A", "at": "2026-01-03", "decision": "approve", "sha256": digest}
    shelf.put("old", topic="Old", status="approved", reviews=[review], review_by=str(date.max))
    assert "old" in (await shelf.reload(database, check_only=True)).added


# ---------------------------------------------------------------------- old builds


async def test_old_builds_are_cleaned_but_for_those_to_roll_back_to(
    shelf: Shelf, database: Database
) -> None:
    made = []
    for _ in range(KEPT_BUILDS + 3):
        (shelf.builds / "rubbish").mkdir(parents=True, exist_ok=True)
        made.append((await shelf.reload(database)).build)
        assert len(shelf.folders()) <= KEPT_BUILDS + 1
        assert "rubbish" not in shelf.folders()
    assert shelf.folders() == sorted(b for b in made[-KEPT_BUILDS:] if b)


async def test_a_build_rolled_back_to_outlives_the_next_reload(
    shelf: Shelf, database: Database
) -> None:
    made = [(await shelf.reload(database)).build or "" for _ in range(KEPT_BUILDS)]
    await database.switch(made[0], {}, "test")
    newest = (await shelf.reload(database)).build or ""
    assert set(shelf.folders()) == {newest, *made}


async def test_a_damaged_build_is_replaced_by_the_next_reload(
    shelf: Shelf, database: Database
) -> None:
    before = (await shelf.reload(database)).build or ""
    (shelf.builds / before / "manifest.json").write_bytes(b"")
    report = await shelf.reload(database)
    assert report.embedded == report.passages
    assert slugs_in(shelf, report.build) == ["aftercare", "scars", "veins", "warts"]


# ---------------------------------------------------------------------- other processes


async def test_of_two_reloads_at_once_one_is_told_to_wait(shelf: Shelf, database: Database) -> None:
    done = await asyncio.gather(
        shelf.reload(database), shelf.reload(database), return_exceptions=True
    )
    kinds = sorted(type(d).__name__ for d in done)
    assert kinds in (["Report", "StoreBusy"], ["Report", "Report"])
    assert slugs_in(shelf, await database.served_build())


async def test_a_reload_elsewhere_is_named_and_its_death_frees_the_lock(
    shelf: Shelf, database: Database
) -> None:
    ready = FORKS.Event()
    process = FORKS.Process(target=reload_that_never_ends, args=(shelf.folder, ready))
    process.start()
    try:
        assert await asyncio.to_thread(ready.wait, 30)
        with pytest.raises(StoreBusy, match=f"process {process.pid}, since 20"):
            await shelf.reload(database)
    finally:
        process.kill()
        process.join()
    owner = json.loads((shelf.builds / ".lock-owner").read_text())
    assert owner["pid"] == process.pid
    report = await shelf.reload(database)
    assert shelf.folders() == [report.build]
    assert not (shelf.builds / ".lock-owner").exists()


async def test_a_folder_that_cannot_be_made_is_named(shelf: Shelf, database: Database) -> None:
    shelf.builds.write_text("a file is in the way")
    with pytest.raises(CorollaryError, match="COROLLARY_DATA_DIR"):
        await shelf.reload(database)


async def test_a_kill_at_any_moment_leaves_the_old_build_or_the_new(
    tmp_path: Path,
) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("aftercare", BODY.replace("nine", "0"))
    shelf.put("scars", topic="Scars")
    for _ in range(2):  # the first one warms up
        started = time.monotonic()
        process = FORKS.Process(target=reload_in_a_process, args=(shelf.folder,))
        process.start()
        process.join()
        assert process.exitcode == 0
        whole_s = time.monotonic() - started

    async def served_text() -> str:
        database = await shelf.database()
        try:
            build = await database.served_build()
        finally:
            await database.close()
        assert build is not None
        opened = index.open_build(shelf.builds, build, embedder=EMBEDDER)
        try:
            assert all(opened.nearest(v, 1)[0].row == i for i, v in enumerate(opened.vectors))
            return opened.articles["aftercare"].sections[1].statements[0].text
        finally:
            opened.close()

    moments = random.Random(os.urandom(4))
    for version in range(1, 6):
        old = await served_text()
        shelf.put("aftercare", BODY.replace("nine", str(version)))
        process = FORKS.Process(target=reload_in_a_process, args=(shelf.folder,))
        process.start()
        await asyncio.sleep(moments.uniform(0.1, 1.0) * whole_s)
        process.kill()
        process.join()
        assert await served_text() in (old, old.replace(f"after {version - 1}", f"after {version}"))
        database = await shelf.database()
        await shelf.reload(database)
        await database.close()
        assert f"after {version} days" in await served_text()
        assert len(shelf.folders()) <= KEPT_BUILDS + 1
