"""From a folder of articles to a served build, and never to less than what was served."""

import asyncio
import json
import shutil
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
    reload_killed_at,
    reload_that_never_ends,
)
from turns import a_reply

from store import index
from store.article import ServingRules
from store.conversations import Database
from store.errors import ArticlesProblem, CorollaryError, StoreBusy, StoreProblem
from store.reload import KEPT_BUILDS
from store.report import Report


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
    assert report.added == ("new",)
    assert report.removed == ("aftercare", "scars", "veins", "warts")


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


# ---------------------------------------------------------------------- going back


async def two(shelf: Shelf, database: Database) -> tuple[str, str]:
    """Two builds; of `scars` the second says another thing."""
    first = (await shelf.reload(database)).build or ""
    shelf.put("scars", BODY.replace("nine", "six"), topic="Scars")
    return first, (await shelf.reload(database)).build or ""


async def test_a_rollback_serves_the_build_before_and_another_one_undoes_it(
    shelf: Shelf, database: Database
) -> None:
    first, second = await two(shelf, database)
    for expected, before in ((first, second), (second, first), (first, second)):
        report = await shelf.roll_back(database)
        assert (report.build, report.previous) == (expected, before)
        assert (report.changed, report.added, report.removed) == (("scars",), (), ())
        assert report.self_queries == report.passages == 12
        assert await database.served_build() == expected
        (line,) = await database.audit_entries(action="rollback", limit=1)
        assert (line.who, line.detail) == ("test", {"build": expected, "previous": before})
        changed = (await database.audit_entries(action="changed", limit=1))[0]
        assert (changed.article, changed.detail) == ("scars", {"build": expected})
    assert shelf.folders() == sorted([first, second])


async def test_a_rollback_to_a_build_by_its_name(shelf: Shelf, database: Database) -> None:
    first, second = await two(shelf, database)
    shelf.put("zits", topic="Zits")
    third = (await shelf.reload(database)).build or ""
    report = await shelf.roll_back(database, first)
    assert (report.removed, report.changed) == (("zits",), ("scars",))
    assert report.reasons == (("zits", "not in that build"),)
    assert (await database.served_build()) == first
    # The one served before that is the one to go back to now.
    assert (await shelf.roll_back(database)).build == third
    assert (await shelf.roll_back(database, second)).build == second
    # What the folder has goes live by the next reload, as it says.
    assert (await shelf.reload(database)).added == ("zits",)


async def refused(rolling_back: Any, database: Database, said: str) -> CorollaryError:
    """The problem that a rollback ends with; the pointer and the audit stay."""
    before, lines = await database.pointer(), await database.audit_entries(limit=1000)
    with pytest.raises(CorollaryError, match=said) as caught:
        await rolling_back
    assert await database.pointer() == before
    assert await database.audit_entries(limit=1000) == lines
    return caught.value


async def test_where_there_is_nothing_to_go_back_to_it_is_said(
    shelf: Shelf, database: Database
) -> None:
    await refused(shelf.roll_back(database), database, "There is no build yet")
    only = (await shelf.reload(database)).build or ""
    problem = await refused(shelf.roll_back(database), database, "There is no other build")
    assert "corollary articles builds" in problem.todo
    await refused(shelf.roll_back(database, only), database, "is the one that is served")
    await refused(shelf.roll_back(database, "../x"), database, "There is no build ../x")
    await shelf.reload(database)
    await refused(shelf.roll_back(database, "20200101T000000-aaaaaa"), database, "no build 2020")


@pytest.mark.parametrize("name", ["vectors.npy", "chroma/chroma.sqlite3", "articles.json.gz"])
async def test_a_damaged_build_is_not_gone_back_to(
    shelf: Shelf, database: Database, name: str
) -> None:
    first, second = await two(shelf, database)
    path = shelf.builds / first / name
    path.write_bytes(path.read_bytes()[:-100])
    problem = await refused(shelf.roll_back(database), database, "is damaged")
    assert str(path) in problem.what
    assert slugs_in(shelf, second)


async def test_what_a_killed_reload_left_is_not_gone_back_to(
    shelf: Shelf, database: Database
) -> None:
    """A whole build that nobody ever switched to: it may have been made by a mere check."""
    first, second = await two(shelf, database)
    shelf.put("scars", BODY.replace("nine", "no"), topic="Scars")
    process = FORKS.Process(target=reload_killed_at, args=(shelf.folder, "before the switch"))
    process.start()
    await asyncio.to_thread(process.join)
    (left,) = set(shelf.folders()) - {first, second}
    assert left in [m.id for m in index.iter_manifests(shelf.builds)]
    await refused(shelf.roll_back(database, left), database, f"There is no build {left}")
    await database.forget_builds([first])
    assert (await shelf.roll_back(database)).build == first
    shutil.rmtree(shelf.builds / second)
    await refused(shelf.roll_back(database), database, "There is no other build")


@pytest.mark.parametrize("how", ["retired", "withdrawn", "submitted"])
async def test_what_was_taken_out_of_service_since_comes_back_only_by_force(
    shelf: Shelf, database: Database, how: str
) -> None:
    await two(shelf, database)
    shelf.put("veins", topic="Veins", status=how)
    await shelf.reload(database)
    said = rf"out of service now: veins \({how}\)"
    problem = await refused(shelf.roll_back(database), database, said)
    assert "--force" in problem.todo
    report = await shelf.roll_back(database, force=True)
    assert report.revived == (("veins", how),)
    assert "veins" in slugs_in(shelf, report.build)


async def test_an_article_whose_file_is_gone_comes_back_and_is_named(
    shelf: Shelf, database: Database
) -> None:
    await two(shelf, database)
    (shelf.articles / "veins.md").unlink()
    await shelf.reload(database)
    report = await shelf.roll_back(database)
    assert (report.added, report.revived) == (("veins",), (("veins", "deleted"),))


async def test_a_file_that_is_broken_meanwhile_does_not_stop_a_rollback(
    shelf: Shelf, database: Database
) -> None:
    first, _ = await two(shelf, database)
    (shelf.articles / "veins.md").write_text("half a fi")
    assert (await shelf.roll_back(database)).revived == (("veins", "refused by the check"),)
    shutil.move(shelf.articles, shelf.folder / "away")
    report: Report = await shelf.roll_back(database)
    assert report.previous == first


async def test_what_a_reload_took_back_a_rollback_gives_back_to_those_not_told_yet(
    shelf: Shelf, database: Database
) -> None:
    await shelf.reload(database)
    nine = "Wounds closed after nine days in most of the treated patients of the trial."
    for user in ("telegram:1", "telegram:2"):
        turn = a_reply(nine, article="scars", key="101", chat=f"{user}:chat")
        await database.remember(user, turn)
    shelf.put("scars", BODY.replace("nine", "six"), topic="Scars")
    (withdrawn,) = (await shelf.reload(database)).withdrawn
    assert (withdrawn.article, withdrawn.text, withdrawn.people) == ("scars", nine, 2)
    waiting = await database.take_untold("telegram:")
    assert [c.conversation_id for c in waiting] == ["telegram:1:chat", "telegram:2:chat"]
    await database.mark_told(waiting[0])
    report = await shelf.roll_back(database)
    # It stands again: who was not told need not be, and what was told cannot be taken back.
    assert report.withdrawn == ()
    assert await database.untold("telegram:") == []
    (again,) = (await shelf.roll_back(database)).withdrawn
    assert (again.article, again.turns, again.people) == ("scars", 1, 1)
    (correction,) = await database.untold("telegram:")
    assert correction.conversation_id == "telegram:2:chat"


async def test_a_turn_that_was_answered_during_a_rollback_is_corrected_too(
    shelf: Shelf, database: Database
) -> None:
    _, second = await two(shelf, database)
    await shelf.roll_back(database)
    six = "Wounds closed after six days in most of the treated patients of the trial."
    late = a_reply(six, article="scars", key="101", chat="telegram:1:chat", build=second)
    await database.remember("telegram:1", late)
    (correction,) = await database.untold("telegram:")
    assert [i.text for i in correction.items] == [six]


# ---------------------------------------------------------------------- making one anew


async def test_a_damaged_build_is_made_anew_from_its_own_articles(
    shelf: Shelf, database: Database
) -> None:
    _, second = await two(shelf, database)
    shelf.put("scars", BODY.replace("nine", "no"), topic="Scars")
    (shelf.articles / "veins.md").unlink()
    (shelf.builds / second / "chroma" / "chroma.sqlite3").unlink()
    report = await shelf.restore(database)
    assert (report.previous, report.embedded, report.passages) == (second, 0, 12)
    assert report.unchanged == ("aftercare", "scars", "veins", "warts")
    build = index.open_build(shelf.builds, report.build or "", embedder=EMBEDDER)
    build.close()
    assert "six days" in build.articles["scars"].sections[1].statements[0].text
    assert (await database.audit_entries(limit=1))[0].action == "restore"
    assert await database.untold("") == []


async def test_without_its_articles_a_build_is_not_made_anew(
    shelf: Shelf, database: Database
) -> None:
    with pytest.raises(StoreProblem):
        await shelf.restore(database)
    _, second = await two(shelf, database)
    (shelf.builds / second / "articles.json.gz").write_bytes(b"")
    with pytest.raises(StoreProblem, match="articles.json.gz"):
        await shelf.restore(database)
    assert await database.served_build() == second
    assert len(shelf.folders()) == 2


# ---------------------------------------------------------------------- an index that was changed


@pytest.mark.parametrize("how", ["it cannot be changed", "it does not find what was added"])
async def test_an_index_that_cannot_be_changed_is_made_anew(
    shelf: Shelf, database: Database, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_IN_SQLITE", 3)  # a small one is changed too
    for n in range(8):
        shelf.put(f"more-{n}", topic=f"More {n}")
    before = (await shelf.reload(database)).build
    change, tried = index._change_chroma, []

    def wrongly(folder: Path, growth: Any, ids: list[str], vectors: Any) -> None:
        tried.append(folder)
        if how == "it cannot be changed":
            raise OSError("Chroma: 35 passages in place of 36")
        change(folder, growth, ids, vectors[::-1])

    with monkeypatch.context() as patched:
        patched.setattr(index, "_change_chroma", wrongly)
        shelf.put("scars", BODY.replace("nine", "six"), topic="Scars")
        report = await shelf.reload(database)
    assert len(tried) == 1
    assert report.changed == ("scars",)
    assert index.read_manifest(shelf.builds, report.build or "").deleted == 0
    assert set(shelf.folders()) == {before, report.build}
    shelf.put("scars", BODY.replace("nine", "ten"), topic="Scars")
    report = await shelf.reload(database)
    assert index.read_manifest(shelf.builds, report.build or "").deleted == 1
    assert report.self_queries == report.passages == 36


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


# ---------------------------------------------------------------------- what a rollback must not do


async def approved_shelf(shelf: Shelf, database: Database) -> None:
    for slug in ("aftercare", "scars"):
        digest = an_article(slug=slug, topic=slug.title()).sha256()
        review = {"by": "Dr A", "at": "2026-01-03", "decision": "approve", "sha256": digest}
        shelf.put(slug, topic=slug.title(), status="approved", reviews=[review])
    for slug in ("veins", "warts"):
        (shelf.articles / f"{slug}.md").unlink()
    shelf.recipe = replace(shelf.recipe, rules=ServingRules())
    await shelf.reload(database)


async def test_a_rollback_serves_nothing_that_is_under_review_again(
    shelf: Shelf, database: Database
) -> None:
    await approved_shelf(shelf, database)
    path = shelf.articles / "scars.md"
    path.write_bytes(path.read_bytes().replace(b'"approved"', b'"under_review"'))
    assert (await shelf.reload(database)).removed == ("scars",)
    with pytest.raises(ArticlesProblem, match=r"scars \(under review\)"):
        await shelf.roll_back(database)
    report = await shelf.roll_back(database, force=True)
    entries = await database.audit_entries(limit=10)
    assert [e.action for e in entries if e.article == "scars"][:2] == [
        "back though under review",
        "added",
    ]
    assert entries[0].detail == {"build": report.build, "forced": True}


async def test_a_rollback_serves_no_statement_whose_source_was_retracted(
    shelf: Shelf, database: Database
) -> None:
    await shelf.reload(database)
    references = {
        "1": {"kind": "rct", "title": "First trial", "pmid": "101", "retracted": "true"},
        "2": {"kind": "cohort", "title": "Second study", "doi": "10.1000/xyz", "year": "2021"},
    }
    shelf.put("scars", topic="Scars", references=references)
    await shelf.reload(database)
    with pytest.raises(ArticlesProblem, match="a source was retracted"):
        await shelf.roll_back(database)


async def test_a_rollback_to_other_rules_needs_force(shelf: Shelf, database: Database) -> None:
    await shelf.reload(database)
    shelf.recipe = replace(shelf.recipe, rules=ServingRules(True, approvals=2))
    await shelf.reload(database)
    with pytest.raises(ArticlesProblem, match="other rules"):
        await shelf.roll_back(database)
    assert (await shelf.roll_back(database, force=True)).build


async def test_a_loss_by_other_rules_is_a_loss(shelf: Shelf, database: Database) -> None:
    before = (await shelf.reload(database)).build
    digest = an_article(slug="scars", topic="Scars").sha256()
    review = {"by": "Dr A", "at": "2026-01-03", "decision": "approve", "sha256": digest}
    shelf.put("scars", topic="Scars", status="approved", reviews=[review])
    strict = replace(shelf.recipe, rules=ServingRules())
    with pytest.raises(ArticlesProblem, match="3 of 4 served articles would go"):
        await shelf.reload(database, recipe=strict)
    assert await database.served_build() == before
    report = await shelf.reload(database, recipe=strict, force=True)
    assert report.removed == ("aftercare", "veins", "warts")


async def test_the_build_to_go_back_to_is_not_cleaned_away(
    shelf: Shelf, database: Database
) -> None:
    made = [(await shelf.reload(database)).build or "" for _ in range(KEPT_BUILDS)]
    await shelf.roll_back(database, to=made[0])
    await shelf.reload(database)
    await shelf.reload(database, check_only=True)
    assert (await shelf.roll_back(database)).build == made[0]


async def test_after_a_restore_a_rollback_goes_to_a_sound_build(
    shelf: Shelf, database: Database
) -> None:
    first = (await shelf.reload(database)).build
    damaged = (await shelf.reload(database)).build or ""
    (shelf.builds / damaged / "vectors.npy").write_bytes(b"x")
    restored = (await shelf.restore(database)).build
    assert damaged not in shelf.folders()
    assert restored not in (first, damaged)
    assert (await shelf.roll_back(database)).build == first


async def test_a_model_of_another_size_under_the_same_name_embeds_all_anew(
    shelf: Shelf, database: Database
) -> None:
    await shelf.reload(database)
    shelf.put("scars", BODY.replace("nine", "six"), topic="Scars")

    class Larger(CountingEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[*v, *v] for v in super().embed_documents(texts)]

    report = await shelf.reload(database, embeddings=Larger())
    assert report.embedded == report.passages == 12
