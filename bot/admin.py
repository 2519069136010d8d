"""What those who keep the articles can do, whichever door they come through.

Every function returns values; `bot.reports` and the doors put them into words. Whatever changes
something leaves a line in the audit.
"""

import asyncio
import difflib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.app import Desk, articles_dir, disclaimer_of, reload_at, rules_of
from bot.commands import page
from bot.render import plain
from bot.reports import Gaps, file_dict
from bot.settings import Settings
from store.article import Article, Move, ServingRules, Status, article_dict, is_served
from store.conversations import Database
from store.diff import ArticleDiff, compare
from store.errors import ArticlesProblem, ReviewRefused, UnknownArticle
from store.index import Progress, iter_manifests, open_build
from store.page.read import Draft, read_page
from store.parse import MAX_BYTES, ParsedFile, article_files, parse_bytes, parse_paths, slug_in
from store.records import AuditEntry
from store.reload import SAMPLES, as_it_stands, roll_back
from store.report import Report
from store.review import Decided, decide, handed_in

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

CONSOLE_USER = "console"
"""Who asks at the console: the operator, whose questions are the operator's to read."""
MAX_PAGE_BYTES = 2_000_000


# --------------------------------------------------------------------------- looking


def check(paths: list[Path]) -> tuple[dict[str, Any], bool]:
    """Every problem of every file, and whether all are accepted."""
    for path in paths:
        if not os.path.lexists(path):
            raise ArticlesProblem(f"{path} does not exist.", "Name article files or folders.")
    files = parse_paths(paths)
    return {"files": [file_dict(f) for f in files]}, all(f.accepted for f in files)


@dataclass(frozen=True, slots=True)
class Listing:
    """The article folder, read once."""

    rows: tuple[dict[str, Any], ...]
    """The articles by slug, and whether each may be served."""
    refused: tuple[ParsedFile, ...]
    """The files that are no sound articles."""


def listing(
    settings: Settings, today: date, *, status: Status | None = None, overdue: bool = False
) -> Listing:
    """What the folder has: all of it, or the articles of one status, or those overdue."""
    rules = rules_of(settings)
    files = parse_paths(article_files(articles_dir(settings)))
    rows = []
    for article in _by_slug(files, rules):
        late = (
            article.status not in (Status.RETIRED, Status.WITHDRAWN)
            and article.review_by is not None
            and article.review_by < today
        )
        if (status and article.status is not status) or (overdue and not late):
            continue
        rows.append(
            {
                "slug": article.slug,
                "title": article.title,
                "status": article.status.value,
                "updated": article.updated.isoformat(),
                "review_by": article.review_by.isoformat() if article.review_by else None,
                "served": is_served(article, rules, today),
                "overdue": late,
            }
        )
    return Listing(tuple(rows), tuple(f for f in files if f.article is None))


def soon_due(found: Listing, today: date, within: timedelta) -> list[dict[str, Any]]:
    """Articles in use whose review date has passed or comes within that time, soonest first."""
    closed = (Status.RETIRED, Status.WITHDRAWN)
    rows = [
        r
        for r in found.rows
        if r["review_by"]
        and r["status"] not in closed
        and date.fromisoformat(r["review_by"]) <= today + within
    ]
    return sorted(rows, key=lambda r: str(r["review_by"]))


def _by_slug(files: Iterable[ParsedFile], rules: ServingRules) -> list[Article]:
    found = [as_it_stands(f.article, rules) for f in files if f.article]
    return sorted(found, key=lambda a: a.slug)


def find(settings: Settings, slug: str) -> Article:
    """The article of the folder; UnknownArticle names the near ones."""
    return as_it_stands(find_file(settings, slug)[1], rules_of(settings))


def find_file(settings: Settings, slug: str) -> tuple[Path, Article]:
    """The file of an article of the folder, and the article as written there.

    Raises UnknownArticle, which names near ones, or ArticlesProblem when its file is refused.
    """
    found = read_article(settings, slug)
    if found.article is not None:
        return found.path, found.article
    first = next(p for p in found.problems if p.severity == "error")
    raise ArticlesProblem(
        f"{found.path}:{first.line}: {first.message}",
        f"`corollary articles check {found.path}` lists every problem.",
    )


def read_article(settings: Settings, slug: str) -> ParsedFile:
    """The file of an article, sound or not; UnknownArticle, which names near ones, without any.

    Files that seem to give this slug are parsed first, all of them only when none does.
    """
    named = {path: slug_in(path) for path in article_files(articles_dir(settings))}
    likely = [path for path, name in named.items() if name == slug]
    for paths in (likely, list(named)):
        files = parse_paths(paths)
        for found in files:
            if found.slug == slug:
                return found
    near = difflib.get_close_matches(slug, {f.slug for f in files}, 3, 0.5)
    hint = f"Did you mean {', '.join(near)}?" if near else ""
    raise UnknownArticle(
        f"There is no article `{slug}` in {articles_dir(settings)}.",
        f"{hint} `corollary articles list` shows all.".strip(),
    )


def shown_text(settings: Settings, article: Article) -> str:
    """The article as a clinician reads it, with the disclaimer."""
    return plain(page(article), disclaimer_of(settings).text)


def shown_json(article: Article) -> str:
    """The article as programs read it."""
    return json.dumps(article_dict(article), ensure_ascii=False, indent=1)


async def diff(desk: Desk, slug: str | None = None) -> list[ArticleDiff]:
    """What the next reload would change: the served build against the folder."""
    settings = desk.settings
    if slug is not None:
        served = await _served_articles(desk)
        if slug not in served:
            await asyncio.to_thread(find_file, settings, slug)
    else:
        served = await _served_articles(desk)
    rules, today = rules_of(settings), datetime.now(UTC).date()
    folder = {
        a.slug: a
        for a in await asyncio.to_thread(_articles, settings, rules)
        if is_served(a, rules, today)
    }
    found = compare(served, folder)
    return [d for d in found if slug is None or d.slug == slug]


def _articles(settings: Settings, rules: ServingRules) -> list[Article]:
    return _by_slug(parse_paths(article_files(articles_dir(settings))), rules)


async def _served_articles(desk: Desk) -> dict[str, Article]:
    name = await desk.database.served_build()
    if name is None:
        return {}
    build = await asyncio.to_thread(
        open_build, desk.builds, name, embedder=desk.recipe.embedder, vector_search=False
    )
    return dict(build.articles)


# --------------------------------------------------------------------------- builds


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """A build on disk."""

    id: str
    created_at: str
    articles: int
    passages: int
    source: str
    served: bool
    previous: bool
    """Whether a plain rollback would go back to it."""


async def builds(desk: Desk) -> list[BuildInfo]:
    """The builds on disk, newest first."""
    pointer = await desk.database.pointer()
    return [
        BuildInfo(
            id=m.id,
            created_at=m.created_at,
            articles=len(m.articles),
            passages=m.passages,
            source=m.source,
            served=pointer is not None and m.id == pointer.build,
            previous=pointer is not None and m.id == pointer.previous,
        )
        for m in sorted(iter_manifests(desk.builds), key=lambda m: m.id, reverse=True)
    ]


async def reload_now(
    desk: Desk,
    *,
    who: str,
    check_only: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """A reload of the article folder."""
    return await reload_at(desk, who=who, check_only=check_only, force=force, progress=progress)


async def roll_back_now(
    desk: Desk,
    *,
    who: str,
    to: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Serves an earlier build: the one before, or the one that is named."""
    return await roll_back(
        desk.database,
        desk.builds,
        desk.recipe,
        desk.worker,
        who=who,
        to=to,
        force=force,
        progress=progress,
    )


# --------------------------------------------------------------------------- editing


async def review(
    desk: Desk,
    slug: str,
    move: Move,
    *,
    by: str,
    who: str,
    note: str = "",
    review_by: date | None = None,
    expect: str | None = None,
    seen: Status | None = None,
) -> Decided:
    """One editorial move, written into the article's file and into the audit; a refused one is in
    the audit too. `expect` and `seen` are the text and the status that were read: when they are
    others by now, the move is refused."""
    settings = desk.settings
    path, article = await asyncio.to_thread(find_file, _own_folder(settings), slug)
    try:
        decided = await asyncio.to_thread(
            lambda: decide(
                path,
                move,
                by=by,
                at=datetime.now(UTC).date(),
                note=note,
                approvals=settings.approvals,
                review_by=review_by,
                expect=expect,
                seen=seen,
            )
        )
    except ReviewRefused as e:
        await desk.database.note(
            who,
            f"{move.value} refused",
            {"by": _storable(by[:100]), "why": _storable(e.what[:300])},
            article=slug,
            sha256=article.sha256(),
        )
        raise
    await desk.database.note(
        who,
        move.value,
        {"by": by, "note": note, "before": decided.before.value, "status": decided.status.value},
        article=slug,
        sha256=decided.sha256,
    )
    return decided


def _storable(text: str) -> str:
    """What a database takes: bytes of the command line that were no UTF-8 are not."""
    return text.encode("utf-8", "replace").decode()


def _own_folder(settings: Settings) -> Settings:
    """The settings, unless the articles are the samples, which nobody may change or approve."""
    if settings.articles_dir is None or articles_dir(settings).resolve() == SAMPLES.resolve():
        raise ArticlesProblem(
            "These are the sample articles that come with the program; they are not edited.",
            "Set COROLLARY_ARTICLES_DIR to a folder of your own.",
        )
    return settings


async def import_page(
    desk: Desk, page: Path, *, who: str, output: Path | None = None
) -> tuple[Path, Draft]:
    """A published page as a draft in the article folder (or at `output`); never over a file.

    `page` is a file, or `-` for standard input.
    """
    from_input = str(page) == "-"
    try:
        with sys.stdin.buffer if from_input else page.open("rb") as f:
            raw = f.read(MAX_PAGE_BYTES + 1)
    except OSError as e:
        raise ArticlesProblem(
            f"{page} cannot be read: {e.strerror or e}.", "Name a page saved as text or HTML."
        ) from e
    name = "" if from_input else page.name
    draft = read_page(raw, today=datetime.now(UTC).date(), name=name)
    if output is None:
        # Without a folder of one's own, where one stands.
        own = desk.settings.articles_dir is not None
        folder = articles_dir(desk.settings) if own else Path.cwd()
        folder.mkdir(parents=True, exist_ok=True)
        output = folder / f"{draft.slug}.md"
    try:
        with output.open("x", encoding="utf-8", newline="\n") as f:
            f.write(draft.text)
    except FileExistsError:
        raise ArticlesProblem(
            f"{output} is there already.", "Move it away, or name another file with --output."
        ) from None
    except OSError as e:
        raise ArticlesProblem(f"{output} cannot be written: {e.strerror or e}.") from e
    await desk.database.note(
        who, "import", {"from": name[:200], "file": output.name}, article=draft.slug
    )
    return output, draft


async def store_upload(
    desk: Desk, raw: bytes, *, who: str, replace: bool = False
) -> tuple[ParsedFile, Path | None]:
    """A sent article file, checked, and stored as submitted when it is sound.

    The path is None when it was refused. A file that is there already is replaced only when that
    is asked for, and kept below the data folder. Reviews that the sent file brings are not
    carried over: an approval is given here or not at all.
    """
    settings = _own_folder(desk.settings)
    parsed, target, there = await asyncio.to_thread(
        _store, settings, raw, who, replace, desk.builds.parent / "replaced"
    )
    if target is not None and parsed.article is not None:
        await desk.database.note(
            who,
            "upload",
            {"file": target.name, "replaced": there},
            article=parsed.slug,
            sha256=parsed.article.sha256(),
        )
    return parsed, target


def _store(
    settings: Settings, raw: bytes, who: str, replace: bool, kept: Path
) -> tuple[ParsedFile, Path | None, bool]:
    """What was sent, where it lies now, and whether it took the place of another file."""
    name = Path("sent.md")
    sent = parse_bytes(raw[: MAX_BYTES + 1], name)
    if sent.article is None:
        return sent, None, False
    text = handed_in(raw, name, by=who, at=datetime.now(UTC).date())
    slug = sent.article.slug
    parsed = parse_bytes(text, name)
    folder = articles_dir(settings)
    folder.mkdir(parents=True, exist_ok=True)
    there = next((p for p in article_files(folder) if slug_in(p) == slug), None)
    target = there or folder / f"{slug}.md"
    if target.exists():
        if not replace:
            raise ArticlesProblem(
                f"There is an article `{slug}` already.",
                "Send the file with the caption `replace` to put it in its place; it will be out "
                "of service from the next reload until it is approved.",
            )
        kept.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        shutil.copy2(target, kept / f"{slug}.{stamp}.md")
    _write_whole(target, text)
    return parsed, target, there is not None


def _write_whole(path: Path, raw: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as f:
            f.write(raw)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
    except OSError as e:
        temporary.unlink(missing_ok=True)
        raise ArticlesProblem(f"{path} cannot be written: {e.strerror or e}.") from e


# --------------------------------------------------------------------------- upkeep


async def gaps(desk: Desk, embeddings: "Embeddings", *, since: datetime | None = None) -> Gaps:
    """What the articles did not answer. Questions of others than the console's own user are shown
    from a number of people on, so that no single person's question is read."""
    from chains.gaps import group

    found = await desk.database.gaps_since(since)
    fewest = desk.settings.gaps_from_people
    groups, hidden = await asyncio.to_thread(
        group, found, embeddings, fewest, lambda user_id: user_id == CONSOLE_USER
    )
    return Gaps(tuple(groups), hidden, fewest)


async def audit(
    database: Database,
    *,
    since: datetime | None = None,
    article: str | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Who did what, when, to which article; newest first."""
    return await database.audit_entries(since=since, article=article, limit=limit)
