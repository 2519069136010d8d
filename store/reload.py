"""From a folder of articles to a served build: parse, choose, build aside, verify, switch.

Until the last step nothing that is served has changed; the last step is one row in SQL.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from store import index
from store.article import Article, ServingRules, Status, is_served
from store.conversations import Database
from store.errors import ArticlesProblem, StoreBusy, StoreProblem
from store.parse import ParsedFile, article_files, parse_paths

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

SAMPLES = Path(__file__).with_name("samples")
KEPT_BUILDS = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What a reload did, article by article."""

    build: str | None
    """The new build; None when nothing was written."""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    not_served: tuple[tuple[str, str], ...] = ()
    """(slug, status) of sound articles whose status keeps them out."""
    downgraded: tuple[str, ...] = ()
    """Approved articles whose text is not the one that was approved."""
    refused: tuple[ParsedFile, ...] = ()
    passages: int = 0
    embedded: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a build is made from; another recipe makes another build."""

    articles_dir: Path
    rules: ServingRules
    embedder: str
    source: str = ""
    """What the folder is known as; the folder itself when empty."""

    @property
    def named(self) -> str:
        """The source as a manifest has it."""
        return self.source or str(self.articles_dir)

    def made(self, manifest: index.Manifest) -> bool:
        """Whether that build came from this recipe (its articles may have changed since)."""
        return (
            manifest.source == self.named
            and manifest.serve_under_review == self.rules.serve_under_review
            and manifest.grace_days == self.rules.grace_days
        )


async def reload(
    database: Database,
    root: Path,
    recipe: Recipe,
    embeddings: "Embeddings",
    *,
    who: str,
    check_only: bool = False,
    force: bool = False,
    progress: index.Progress | None = None,
    today: date | None = None,
) -> Report:
    """Makes a new build from the folder and serves it; what was served stays on any failure.

    Raises StoreBusy while another process does the same, ArticlesProblem when the new build would
    be empty or lack more than half of the articles (unless `force`).
    """
    current = await database.served_build()
    day = today or datetime.now(UTC).date()
    files = await asyncio.to_thread(lambda: parse_paths(article_files(recipe.articles_dir)))
    articles = [f.article for f in files if f.article is not None]
    chosen = [a for a in articles if is_served(a, recipe.rules, day)]
    before = _articles_before(root, current, recipe)
    report = _compare(files, articles, chosen, before)
    _refuse_loss(report, chosen, before, recipe, force)
    if check_only:
        return report
    with _one_at_a_time(root):
        known = index.known_vectors(root, current, recipe.embedder) if current else {}
        counted = 0

        def count(done: int, total: int) -> None:
            nonlocal counted
            counted = done
            if progress:
                progress(done, total)

        manifest = await asyncio.to_thread(
            lambda: index.write_build(
                root,
                chosen,
                embeddings=embeddings,
                embedder=recipe.embedder,
                rules=recipe.rules,
                source=recipe.named,
                known=known,
                progress=count,
            )
        )
        await database.switch(manifest.id, asdict(manifest), who)
        # The one served until now may be older than those, after a rollback, and is still open.
        keep = {manifest.id, *(await database.known_builds())[:KEPT_BUILDS]}
        keep |= {current} if current else set()
        await asyncio.to_thread(index.remove_builds, root, keep)
    return replace(report, build=manifest.id, passages=manifest.passages, embedded=counted)


def _articles_before(root: Path, build: str | None, recipe: Recipe) -> dict[str, str]:
    """What the served build has; nothing when it came from another folder or other rules."""
    try:
        manifest = index.read_manifest(root, build) if build else None
    except StoreProblem:
        return {}
    return manifest.articles if manifest and recipe.made(manifest) else {}


def _compare(
    files: Sequence[ParsedFile],
    articles: Sequence[Article],
    chosen: Sequence[Article],
    before: dict[str, str],
) -> Report:
    now = {a.slug: a.sha256() for a in chosen}
    left_out = [a for a in articles if a.slug not in now]
    return Report(
        build=None,
        added=tuple(s for s in now if s not in before),
        changed=tuple(s for s in now if s in before and before[s] != now[s]),
        removed=tuple(s for s in before if s not in now),
        unchanged=tuple(s for s in now if before.get(s) == now[s]),
        not_served=tuple((a.slug, a.effective_status().value) for a in left_out),
        downgraded=tuple(
            a.slug
            for a in articles
            if a.status is Status.APPROVED and a.effective_status() is not Status.APPROVED
        ),
        refused=tuple(f for f in files if f.article is None),
    )


def _refuse_loss(
    report: Report,
    chosen: Sequence[Article],
    before: dict[str, str],
    recipe: Recipe,
    force: bool,
) -> None:
    if force:
        return
    if not chosen:
        waiting = ", ".join(sorted({status for _, status in report.not_served}))
        why = (
            f"{len(report.refused)} refused (see `corollary articles check {recipe.articles_dir}`)"
            if report.refused
            else f"all are {waiting}{_undone(report)}; only approved articles are served unless "
            "COROLLARY_SERVE_UNDER_REVIEW=true"
            if report.not_served
            else "it has no article files (*.md)"
        )
        raise ArticlesProblem(
            f"No article in {recipe.articles_dir} can be served: {why}.",
            "What is served has not changed; `--force` serves an empty store.",
        )
    if len(report.removed) * 2 > len(before):
        raise ArticlesProblem(
            f"{len(report.removed)} of {len(before)} served articles would go: "
            f"{', '.join(report.removed[:8])}…",
            "What is served has not changed. If that is meant, repeat with `--force`.",
        )


def _undone(report: Report) -> str:
    """What to say of approvals that no longer hold, in the middle of a sentence."""
    if not report.downgraded:
        return ""
    return f" ({', '.join(report.downgraded)}: approved as another text than it has now)"


class _one_at_a_time:  # noqa: N801 - read as a statement: `with _one_at_a_time(root):`
    """The lock of the builds folder; the operating system frees it when its owner dies."""

    def __init__(self, root: Path) -> None:
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise StoreProblem(
                f"The data folder {root} cannot be made: {e.strerror or e}.",
                "Set COROLLARY_DATA_DIR to a folder that may be written to.",
            ) from e
        self._lock = FileLock(root / ".lock")
        self._owner = root / ".lock-owner"

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=0)
            started = datetime.now(UTC).isoformat(timespec="seconds")
            self._owner.write_text(json.dumps({"pid": os.getpid(), "since": started}))
        except Timeout:
            raise StoreBusy(
                f"Another reload is running ({self._described()}).", "Wait for it, then try again."
            ) from None
        except OSError as e:
            self._lock.release()
            raise StoreProblem(
                f"The data folder {self._owner.parent} cannot be written to: {e.strerror or e}.",
                "Set COROLLARY_DATA_DIR to a folder that may be written to.",
            ) from e

    def __exit__(self, *_: object) -> None:
        self._owner.unlink(missing_ok=True)
        self._lock.release()

    def _described(self) -> str:
        try:
            owner = json.loads(self._owner.read_text())
            return f"process {owner['pid']}, since {owner['since']}"
        except (OSError, ValueError, KeyError):
            return "owner unknown"
