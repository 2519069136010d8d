"""What those who keep the articles can do, and what it leaves in the audit."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from articles import BODY, article_file
from conftest import settings_for

from bot import admin
from bot.app import Desk, open_desk
from store.article import Move, Status
from store.errors import ArticlesProblem, ReviewRefused, UnknownArticle
from store.parse import parse_file

SOON = date(2099, 1, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "articles"
    made.mkdir()
    (made / "aftercare.md").write_bytes(article_file())
    return made


@pytest.fixture
async def desk(tmp_path: Path, folder: Path) -> AsyncIterator[Desk]:
    async with open_desk(settings_for(tmp_path / "data", articles_dir=folder)) as opened:
        yield opened


async def audited(desk: Desk) -> list[tuple[str, str, str | None]]:
    return [(e.who, e.action, e.article) for e in await admin.audit(desk.database)]


async def test_a_review_is_in_the_file_and_in_the_audit(desk: Desk, folder: Path) -> None:
    done = await admin.review(
        desk, "aftercare", Move.APPROVE, by="Dr A", who="console:x", review_by=SOON
    )
    assert done.status is Status.APPROVED
    article = parse_file(folder / "aftercare.md").article
    assert article is not None
    assert article.effective_status() is Status.APPROVED
    (entry,) = await admin.audit(desk.database)
    assert (entry.who, entry.action, entry.article) == ("console:x", "approve", "aftercare")
    assert entry.sha256 == article.sha256()
    assert entry.detail["by"] == "Dr A"


async def test_a_refused_review_is_in_the_audit_too(desk: Desk) -> None:
    with pytest.raises(ReviewRefused):
        await admin.review(desk, "aftercare", Move.RETIRE, by="Dr A", who="console:x")
    assert await audited(desk) == [("console:x", "retire refused", "aftercare")]


async def test_two_people_must_approve_when_the_setting_says_so(
    tmp_path: Path, folder: Path
) -> None:
    settings = settings_for(tmp_path / "data", articles_dir=folder, approvals=2)
    async with open_desk(settings) as desk:
        first = await admin.review(
            desk, "aftercare", Move.APPROVE, by="Dr A", who="a", review_by=SOON
        )
        assert first.status is Status.UNDER_REVIEW
        with pytest.raises(ReviewRefused, match="already"):
            await admin.review(desk, "aftercare", Move.APPROVE, by="dr  a", who="a")
        second = await admin.review(desk, "aftercare", Move.APPROVE, by="Dr B", who="b")
        assert second.status is Status.APPROVED
        assert admin.listing(settings, date.today()).rows[0]["served"] is True


async def test_the_samples_are_nobody_s_to_edit_or_to_approve(tmp_path: Path) -> None:
    async with open_desk(settings_for(tmp_path)) as desk:
        with pytest.raises(ArticlesProblem, match="sample articles"):
            await admin.review(desk, "pdl-exosomes", Move.APPROVE, by="Dr A", who="x")
        with pytest.raises(ArticlesProblem, match="sample articles"):
            await admin.store_upload(desk, article_file(), who="x")


async def test_a_slug_nearly_right_is_guessed(desk: Desk) -> None:
    with pytest.raises(UnknownArticle, match="aftercare"):
        await admin.review(desk, "aftercar", Move.APPROVE, by="Dr A", who="x")


async def test_an_article_that_is_refused_is_named_with_its_line(desk: Desk, folder: Path) -> None:
    (folder / "aftercare.md").write_bytes(article_file(colour="blue"))
    with pytest.raises(ArticlesProblem, match=r"aftercare.md:\d+: .*colour"):
        admin.find(desk.settings, "aftercare")


# ---------------------------------------------------------------------- uploads


async def test_a_sent_file_is_stored_as_submitted_whatever_it_claims(
    desk: Desk, folder: Path
) -> None:
    from articles import an_article

    review: dict[str, Any] = {
        "by": "Dr Evil",
        "at": "2026-01-03",
        "decision": "approve",
        "sha256": an_article(slug="sent").sha256(),
    }
    raw = article_file(slug="sent", status="approved", reviews=[review])
    parsed, path = await admin.store_upload(desk, raw, who="telegram:1")
    assert path == folder / "sent.md"
    article = parse_file(path).article
    assert article is not None and parsed.article == article
    assert article.status is Status.SUBMITTED
    assert article.approvers() == ()
    # Not even by setting the status by hand.
    path.write_bytes(path.read_bytes().replace(b"submitted", b"approved", 1))
    edited = parse_file(path).article
    assert edited is not None
    assert edited.effective_status() is Status.UNDER_REVIEW
    assert await audited(desk) == [("telegram:1", "upload", "sent")]


async def test_a_sent_file_with_errors_is_not_stored(desk: Desk, folder: Path) -> None:
    for raw in (b"\0", b"# no front matter", article_file(slug="../../etc/x"), b"x" * 300_000):
        parsed, path = await admin.store_upload(desk, raw, who="telegram:1")
        assert path is None
        assert any(p.severity == "error" for p in parsed.problems)
    assert [p.name for p in folder.iterdir()] == ["aftercare.md"]


async def test_a_sent_file_takes_a_place_only_when_asked_and_keeps_what_was_there(
    desk: Desk, folder: Path
) -> None:
    before = (folder / "aftercare.md").read_bytes()
    new = article_file(BODY.replace("nine", "six"))
    with pytest.raises(ArticlesProblem, match="already"):
        await admin.store_upload(desk, new, who="telegram:1")
    assert (folder / "aftercare.md").read_bytes() == before
    await admin.store_upload(desk, new, who="telegram:1", replace=True)
    assert b"six days" in (folder / "aftercare.md").read_bytes()
    (kept,) = (desk.builds.parent / "replaced").iterdir()
    assert kept.read_bytes() == before
    # Again at once: each one that was there is kept, not the first or the last alone.
    third = article_file(BODY.replace("nine", "five"))
    await admin.store_upload(desk, third, who="telegram:1", replace=True)
    first, second = sorted((desk.builds.parent / "replaced").iterdir())
    assert first.read_bytes() == before
    assert b"six days" in second.read_bytes()


# ---------------------------------------------------------------------- importing, listing, diff


PAGE = """\
Does warm water clean a slate?

Last updated: May 3, 2026

From the Guidelines

  • No guideline on slates was found.

From the Research

  • Warm water cleaned nine of ten slates in the trial of the slate makers 1.
"""


async def test_an_imported_page_never_takes_the_place_of_a_file(
    desk: Desk, folder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.txt"
    page.write_text(PAGE, encoding="utf-8")
    path, draft = await admin.import_page(desk, page, who="console")
    assert path.parent == folder
    assert "status: submitted" in draft.text
    with pytest.raises(ArticlesProblem, match="there already"):
        await admin.import_page(desk, page, who="console")
    elsewhere = tmp_path / "draft.md"
    assert (await admin.import_page(desk, page, who="console", output=elsewhere))[0] == elsewhere
    with pytest.raises(ArticlesProblem, match="cannot be read"):
        await admin.import_page(desk, tmp_path / "no.txt", who="console")
    assert [action for _, action, _ in await audited(desk)] == ["import", "import"]


async def test_the_list_can_be_narrowed_to_a_status_and_to_what_is_overdue(
    desk: Desk, folder: Path
) -> None:
    (folder / "late.md").write_bytes(article_file(slug="late", review_by="2026-01-03"))
    (folder / "draft.md").write_bytes(article_file(slug="draft", status="submitted"))
    today = datetime.now(UTC).date()

    def slugs(**how: Any) -> list[str]:
        return [r["slug"] for r in admin.listing(desk.settings, today, **how).rows]

    assert slugs() == ["aftercare", "draft", "late"]
    assert slugs(status=Status.SUBMITTED) == ["draft"]
    assert slugs(overdue=True) == ["late"]
    found = admin.listing(desk.settings, today)
    assert [r["slug"] for r in admin.soon_due(found, today, timedelta(0))] == ["late"]
    (folder / "bad.md").write_text("x")
    assert [f.slug for f in admin.listing(desk.settings, today).refused] == ["bad"]


async def test_the_difference_between_served_and_folder_is_shown(
    tmp_path: Path, folder: Path
) -> None:
    settings = settings_for(tmp_path / "data", articles_dir=folder, serve_under_review=True)
    async with open_desk(settings) as desk:
        assert [d.kind for d in await admin.diff(desk)] == ["added"]
        await admin.reload_now(desk, who="test")
        assert await admin.diff(desk) == []
        (folder / "aftercare.md").write_bytes(article_file(BODY.replace("nine", "six")))
        (found,) = await admin.diff(desk, "aftercare")
        assert found.kind == "changed"
        (change,) = found.changes
        assert "nine days" in (change.before or "") and "six days" in (change.after or "")
        with pytest.raises(UnknownArticle):
            await admin.diff(desk, "nowhere")


# ---------------------------------------------------------------------- reload and rollback


async def test_reload_and_rollback_leave_their_lines_in_the_audit(
    tmp_path: Path, folder: Path
) -> None:
    settings = settings_for(tmp_path / "data", articles_dir=folder, serve_under_review=True)
    async with open_desk(settings) as desk:
        first = await admin.reload_now(desk, who="console:x")
        (folder / "aftercare.md").write_bytes(article_file(BODY.replace("nine", "six")))
        second = await admin.reload_now(desk, who="console:x")
        back = await admin.roll_back_now(desk, who="console:y")
        assert (back.build, back.previous) == (first.build, second.build)
        assert back.changed == ("aftercare",)
        named = [(b.id, b.served, b.previous) for b in await admin.builds(desk)]
        assert named == [(second.build, False, True), (first.build, True, False)]
        assert await audited(desk) == [
            ("console:y", "changed", "aftercare"),
            ("console:y", "rollback", None),
            ("console:x", "changed", "aftercare"),
            ("console:x", "reload", None),
            ("console:x", "added", "aftercare"),
            ("console:x", "reload", None),
        ]
