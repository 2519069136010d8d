"""From a folder of articles to a served build: parse, choose, build, verify, rehearse, switch.

Until the last step nothing that is served has changed; the last step is one row in SQL. All but
that step happens in a worker, which callers run in a process of its own: it takes processor time
that questions want, and a crash of the index library ends it alone.
"""

import asyncio
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from store import index
from store.article import Article, ServingRules, Status, is_served, quote_digests
from store.conversations import Database
from store.errors import ArticlesProblem, NothingKept, StoreBusy, StoreProblem
from store.parse import ParsedFile, article_files, parse_paths
from store.records import AskedBefore
from store.report import Rehearsal, Report

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

log = logging.getLogger("corollary.store")

SAMPLES = Path(__file__).with_name("samples")
KEPT_BUILDS = 3
REHEARSED = 50
"""Real questions that are put again."""


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
        rules = ServingRules(manifest.serve_under_review, manifest.grace_days, manifest.approvals)
        return manifest.source == self.named and rules == self.rules


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is to do: make a build from the folder, look at one to go back to, or make one
    anew that was damaged."""

    root: Path
    recipe: Recipe
    current: str | None
    """The build that is served now."""
    known: index.Manifest | None
    """Its manifest as the database has it: it is there when the folder is damaged."""
    day: date
    force: bool = False
    back_to: str | None = None
    restore: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What a worker hands back: everything that the switch needs."""

    report: Report
    manifest: index.Manifest
    standing: Mapping[str, frozenset[str]]
    """Slug to what of the article may still be quoted, for every article that is not as before."""
    hashes: Mapping[str, str]
    """Slug to SHA-256 for every article that the report names."""


Rehearse = Callable[[index.Build | None, index.Build, Sequence[str]], Rehearsal]
"""Puts questions to the build before and the new one; the last is which articles are touched."""
Questions = Callable[[Collection[str]], Awaitable[Sequence[AskedBefore]]]
"""The last real questions whose answers quoted one of these articles."""
Worker = Callable[[Job, index.Progress, Questions], Awaitable[Made]]
"""Runs `work` somewhere."""


# --------------------------------------------------------------------------- the whole of it


async def reload(
    database: Database,
    root: Path,
    recipe: Recipe,
    worker: Worker,
    *,
    who: str,
    check_only: bool = False,
    force: bool = False,
    progress: index.Progress | None = None,
    today: date | None = None,
    kept_builds: int = KEPT_BUILDS,
) -> Report:
    """Makes a new build from the folder and serves it; what was served stays on any failure.

    Raises StoreBusy while another process does the same, ArticlesProblem when the new build would
    be empty or lack more than half of the articles (unless `force`). With `check_only` all is
    done but the switch.
    """
    with _one_at_a_time(root):
        current = await database.served_build()
        await _clean(database, root, kept_builds)
        day = today or datetime.now(UTC).date()
        job = Job(root, recipe, current, await _known(database, current), day, force)
        made = await worker(
            job, progress or _silent, lambda slugs: database.questions_citing(slugs, REHEARSED)
        )
        if check_only:
            await asyncio.to_thread(index.remove_build, root, made.manifest.id)
            lost = await database.would_withdraw(made.standing)
            return replace(made.report, withdrawn=lost)
        (progress or _silent)("switching", 0, 1)
        report = await _switch(database, made, "reload", who, force)
        await _clean(database, root, kept_builds)
        return report


async def roll_back(
    database: Database,
    root: Path,
    recipe: Recipe,
    worker: Worker,
    *,
    who: str,
    to: str | None = None,
    force: bool = False,
    progress: index.Progress | None = None,
    today: date | None = None,
) -> Report:
    """Serves an earlier build again: the one served before, or the one named.

    Raises StoreProblem when there is none or it is not sound, ArticlesProblem when it would serve
    what was taken out of service since (unless `force`).
    """
    with _one_at_a_time(root):
        pointer = await database.pointer()
        if pointer is None:
            raise StoreProblem("There is no build yet.", "Run `corollary articles reload`.")
        served = set(await database.known_builds())
        target = _target(root, served, pointer.build, pointer.previous, to)
        day, known = today or datetime.now(UTC).date(), await _known(database, pointer.build)
        job = Job(root, recipe, pointer.build, known, day, force, back_to=target)
        made = await worker(job, progress or _silent, _no_questions)
        return await _switch(database, made, "rollback", who, force)


async def restore(
    database: Database,
    root: Path,
    recipe: Recipe,
    worker: Worker,
    *,
    who: str,
    progress: index.Progress | None = None,
    today: date | None = None,
) -> Report:
    """Makes the served build anew, from the articles that it keeps: what the folder has become
    since does not go live by an accident. StoreProblem when they are damaged too."""
    with _one_at_a_time(root):
        current = await database.served_build()
        known = await _known(database, current)
        if known is None:
            raise NothingKept(
                f"Nothing is known of build {current}.", "Run `corollary articles reload`."
            )
        day = today or datetime.now(UTC).date()
        job = Job(root, recipe, current, known, day, restore=True)
        made = await worker(job, progress or _silent, _no_questions)
        (progress or _silent)("switching", 0, 1)
        report = await _switch(database, made, "restore", who)
        # Damaged: nothing to go back to.
        await asyncio.to_thread(index.remove_build, root, known.id)
        await database.forget_builds([known.id])
        return report


async def _known(database: Database, build: str | None) -> index.Manifest | None:
    """What the database has of a build; None for one that it does not know."""
    row = await database.build_row(build) if build else None
    try:
        return index.Manifest(**row.manifest) if row else None
    except TypeError:  # of a version with other fields
        return None


async def _switch(
    database: Database, made: Made, action: str, who: str, force: bool = False
) -> Report:
    report = made.report
    named: list[tuple[str, str]] = [
        *(("added", s) for s in report.added),
        *(("changed", s) for s in report.changed),
        *(("removed", s) for s in report.removed),
        *(("downgraded", s) for s in report.downgraded),
        *((f"now {now}", s) for s, _, now in report.moved),
        *((f"back though {why}", s) for s, why in report.revived),
    ]
    how = {"forced": True} if force else {}
    entries = [
        (what, slug, made.hashes.get(slug), {"build": made.manifest.id, **how})
        for what, slug in named
    ]
    lost = await database.switch(
        made.manifest.id,
        asdict(made.manifest),
        who,
        action=action,
        entries=entries,
        standing=made.standing,
    )
    return replace(report, build=made.manifest.id, withdrawn=lost)


def _target(
    root: Path, served: Collection[str], current: str, previous: str | None, to: str | None
) -> str:
    """The build to go back to: one that was served, and none that a killed reload left behind."""
    whole = [m.id for m in index.iter_manifests(root) if m.id != current and m.id in served]
    if to is None:
        to = previous if previous in whole else max(whole, default=None)
    if to == current:
        raise StoreProblem(
            f"Build {to} is the one that is served.", "`corollary articles builds` lists all."
        )
    if to not in whole:
        wanted = f"build {to}" if to else "other build"
        raise StoreProblem(
            f"There is no {wanted} to go back to.", "`corollary articles builds` lists all."
        )
    return to


async def _clean(database: Database, root: Path, kept_builds: int) -> None:
    """Removes what no reload will need: older builds, and what killed ones left behind.

    The one that is served and the one before it stay, however old a rollback has made them.
    """
    pointer = await database.pointer()
    needed = {pointer.build, pointer.previous} - {None} if pointer else set()
    keep = {*(await database.known_builds())[:kept_builds], *needed}
    await asyncio.to_thread(index.remove_builds, root, {k for k in keep if k})
    await database.forget_builds([b for b in await database.known_builds() if b not in keep])


def _silent(step: str, done: int, total: int) -> None:
    pass


async def _no_questions(slugs: Collection[str]) -> Sequence[AskedBefore]:
    return ()


# --------------------------------------------------------------------------- what a worker does


def work(
    job: Job,
    embeddings: Callable[[], "Embeddings"],
    progress: index.Progress,
    rehearse: Rehearse | None = None,
    study: index.Study | None = None,
) -> Made:
    """Does the job. `embeddings` opens the model; it is called only when a passage is new."""
    if job.back_to is not None:
        return look_back(job, progress)
    if job.restore and job.known is not None:
        return remake(job, job.known, embeddings, progress, study)
    return make(job, embeddings, progress, rehearse, study)


def in_a_thread(embeddings: "Embeddings", study: index.Study | None = None) -> Worker:
    """A worker in this process, without rehearsal: for measurements and tests."""

    async def run(job: Job, progress: index.Progress, questions: Questions) -> Made:
        return await asyncio.to_thread(
            work, job, lambda: embeddings, progress, rehearse=None, study=study
        )

    return run


def make(
    job: Job,
    embeddings: Callable[[], "Embeddings"],
    progress: index.Progress,
    rehearse: Rehearse | None = None,
    study: index.Study | None = None,
) -> Made:
    """A new build from the folder, verified and rehearsed, that nothing points at yet."""
    recipe = job.recipe
    found = article_files(recipe.articles_dir)
    progress("reading", 0, len(found))
    files = parse_paths(found)
    progress("reading", len(found), len(found))
    articles = [as_it_stands(f.article, recipe.rules) for f in files if f.article is not None]
    chosen = [a for a in articles if is_served(a, recipe.rules, job.day)]
    old = _open_quietly(job.root, job.current, recipe.embedder)
    served = _served_articles(job, old)
    made_of = old.manifest if old else job.known
    hashes = made_of.articles if made_of else {}
    before = hashes, {slug: a.status for slug, a in served.items()}
    report = _compare(files, articles, chosen, *before)
    if not job.force:
        # Of another folder other articles are to be expected.
        alike = made_of is not None and made_of.source == recipe.named
        _refuse_loss(report, chosen, len(hashes) if alike else None, recipe)
    touched = [*report.added, *report.changed, *report.removed]

    def build(grown_from: index.Build | None) -> tuple[index.Manifest, int, index.Verified]:
        manifest, embedded = index.write_build(
            job.root,
            chosen,
            embeddings=embeddings,
            embedder=recipe.embedder,
            rules=recipe.rules,
            source=recipe.named,
            known=index.known_readings(old) if old else {},
            grown_from=grown_from,
            progress=progress,
            study=study,
        )
        with (
            _removed_on_failure(job.root, manifest.id),
            _opened(job.root, manifest.id, recipe.embedder) as new,
        ):
            return manifest, embedded, index.verify(new, progress, touched)

    grows = index.may_grow(old, chosen, recipe.embedder)
    try:
        manifest, embedded, verified = build(old if grows else None)
    except Exception as e:
        if not grows:
            raise
        # An index that was changed once too often, or cannot be changed, is made anew.
        log.warning("the index of build %s cannot be changed: %s", job.current, e)
        manifest, embedded, verified = build(None)
    with (
        _removed_on_failure(job.root, manifest.id),
        _opened(job.root, manifest.id, recipe.embedder) as new,
    ):
        standing = _standing(served, new.articles, made_of)
        rehearsal = rehearse(old, new, touched) if rehearse else Rehearsal()
    report = replace(
        report,
        previous=job.current,
        passages=manifest.passages,
        embedded=embedded,
        self_queries=verified.self_queries,
        recall=verified.recall,
        rehearsal=rehearsal,
        study=manifest.study,
    )
    return Made(report, manifest, standing, _hashes(articles, served))


@contextmanager
def _removed_on_failure(root: Path, build: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        index.remove_build(root, build)
        raise


@contextmanager
def _opened(root: Path, build: str, embedder: str) -> Iterator[index.Build]:
    """The build with its index, closed at the end."""
    found = index.open_build(root, build, embedder=embedder)
    try:
        yield found
    finally:
        found.close()


def remake(
    job: Job,
    damaged: index.Manifest,
    embeddings: Callable[[], "Embeddings"],
    progress: index.Progress,
    study: index.Study | None = None,
) -> Made:
    """A build of the same articles as the damaged one, verified."""
    try:
        articles = index.kept_articles(job.root, damaged)
    except StoreProblem as e:
        raise NothingKept(e.what, e.todo) from e
    manifest, embedded = index.write_build(
        job.root,
        articles,
        embeddings=embeddings,
        embedder=job.recipe.embedder,
        rules=ServingRules(damaged.serve_under_review, damaged.grace_days, damaged.approvals),
        source=damaged.source,
        known=(
            index.kept_readings(job.root, damaged, articles)
            if damaged.embedder == job.recipe.embedder
            else {}
        ),
        progress=progress,
        study=study,
    )
    try:
        with _opened(job.root, manifest.id, job.recipe.embedder) as new:
            verified = index.verify(new, progress)
    except BaseException:
        index.remove_build(job.root, manifest.id)
        raise
    report = Report(
        build=None,
        previous=job.current,
        unchanged=tuple(a.slug for a in articles),
        passages=manifest.passages,
        embedded=embedded,
        self_queries=verified.self_queries,
        recall=verified.recall,
    )
    return Made(report, manifest, {}, {})


def look_back(job: Job, progress: index.Progress) -> Made:
    """An earlier build, opened and asked for its own passages, and what going back would change."""
    assert job.back_to is not None
    then_made = index.read_manifest(job.root, job.back_to)
    if not job.recipe.made(then_made) and not job.force:
        raise ArticlesProblem(
            f"Build {job.back_to} was made from {then_made.source}, or by other rules than those "
            "of the settings.",
            "What is served has not changed. If that is meant, repeat with `--force`.",
        )
    with _opened(job.root, job.back_to, job.recipe.embedder) as target:
        verified = index.verify(target, progress)
        then = target.articles
    now = _served_articles(job, _open_quietly(job.root, job.current, job.recipe.embedder))
    hashes = {slug: a.sha256() for slug, a in now.items()}
    statuses = {slug: a.status for slug, a in now.items()}
    report = _compare([], list(then.values()), list(then.values()), hashes, statuses)
    revived = _out_of_service(job, then)
    # A file that is gone may be what the rollback is to undo; a decision is not.
    decided = [(slug, why) for slug, why in revived if why not in (_DELETED, _UNREADABLE)]
    if decided and not job.force:
        named = ", ".join(f"{slug} ({status})" for slug, status in decided)
        raise ArticlesProblem(
            f"Build {job.back_to} would serve what is out of service now: {named}.",
            "What is served has not changed. If that is meant, repeat with `--force`.",
        )
    report = replace(
        report,
        previous=job.current,
        passages=target.manifest.passages,
        self_queries=verified.self_queries,
        recall=verified.recall,
        revived=revived,
        reasons=tuple((s, "not in that build") for s in report.removed),
    )
    standing = _standing(now, then, job.known)
    return Made(report, target.manifest, standing, _hashes(list(then.values()), now))


def as_it_stands(article: Article, rules: ServingRules) -> Article:
    """The article with the status that counts, so that nobody downstream need know the rules."""
    status = article.effective_status(rules.approvals)
    return article if status is article.status else replace(article, status=status)


_DELETED = "deleted"
_UNREADABLE = "refused by the check"


def _retracted(article: Article) -> set[str]:
    return {r.identity for r in article.references if r.retracted}


def _out_of_service(job: Job, then: Mapping[str, Article]) -> tuple[tuple[str, str], ...]:
    """Articles of an earlier build that the folder, as it is now, would not serve for a reason:
    retired, withdrawn or sent back, or gone."""
    recipe = job.recipe
    try:
        files = parse_paths(article_files(recipe.articles_dir))
    except ArticlesProblem:
        return ()
    now = {f.article.slug: as_it_stands(f.article, recipe.rules) for f in files if f.article}
    unreadable = {f.slug for f in files if f.article is None}
    found = []
    for slug in then:
        if slug not in now:
            found.append((slug, _UNREADABLE if slug in unreadable else _DELETED))
            continue
        here = now[slug]
        same = here.sha256() == then[slug].sha256()
        if here.status in (Status.RETIRED, Status.WITHDRAWN, Status.SUBMITTED) or (
            same and not is_served(here, recipe.rules, job.day)
        ):
            found.append((slug, here.status.value.replace("_", " ")))
        elif _retracted(here) & {r.identity for r in then[slug].references} - _retracted(
            then[slug]
        ):
            found.append((slug, "a source was retracted"))
    return tuple(found)


def _open_quietly(root: Path, build: str | None, embedder: str) -> index.Build | None:
    """The build without its index, so that a folder in use is left alone; None when damaged."""
    try:
        return (
            index.open_build(root, build, embedder=embedder, vector_search=False) if build else None
        )
    except StoreProblem:
        return None


def _served_articles(job: Job, opened: index.Build | None) -> dict[str, Article]:
    """The articles of the served build, of a damaged one as well when it keeps them whole."""
    if opened is not None:
        return opened.articles
    try:
        kept = index.kept_articles(job.root, job.known) if job.known else []
    except StoreProblem:
        kept = []
    return {a.slug: a for a in kept}


def _compare(
    files: Sequence[ParsedFile],
    articles: Sequence[Article],
    chosen: Sequence[Article],
    then: Mapping[str, str],
    statuses: Mapping[str, Status],
) -> Report:
    """What is not as before: `then` has the SHA-256 of each text, `statuses` where it stood."""
    now = {a.slug: a for a in chosen}
    hashes = {a.slug: a.sha256() for a in chosen}
    refused = tuple(f for f in files if f.article is None)
    left_out = {
        # An approved one is left out when its review is long overdue.
        a.slug: "review overdue" if a.status is Status.APPROVED else a.status.value
        for a in articles
        if a.slug not in now
    }
    removed = tuple(s for s in then if s not in now)
    unreadable = {f.slug for f in refused}
    written = {f.article.slug: f.article.status for f in files if f.article}
    return Report(
        build=None,
        added=tuple(s for s in now if s not in then),
        changed=tuple(s for s in now if s in then and then[s] != hashes[s]),
        removed=removed,
        reasons=tuple(
            (
                s,
                left_out.get(s)
                or ("its file is refused" if s in unreadable else "its file is gone"),
            )
            for s in removed
        ),
        moved=tuple(
            (s, statuses[s].value, now[s].status.value)
            for s in now
            if then.get(s) == hashes[s] and statuses.get(s, now[s].status) is not now[s].status
        ),
        unchanged=tuple(
            s
            for s in now
            if then.get(s) == hashes[s] and statuses.get(s, now[s].status) is now[s].status
        ),
        not_served=tuple(left_out.items()),
        downgraded=tuple(
            a.slug
            for a in articles
            if written.get(a.slug) is Status.APPROVED and a.status is not Status.APPROVED
        ),
        refused=refused,
    )


def _standing(
    before: Mapping[str, Article],
    after: Mapping[str, Article],
    known: index.Manifest | None,
) -> dict[str, frozenset[str]]:
    """What may still be quoted of each article whose quotable statements are not as before.

    Of a build that cannot be read only the names of its articles are known: then of all.
    """
    then = {slug: quote_digests(a) for slug, a in before.items()}
    now = {slug: quote_digests(a) for slug, a in after.items()}
    nothing: frozenset[str] = frozenset()
    return {
        slug: now.get(slug, nothing)
        for slug in sorted({*then, *now, *(known.articles if known else ())})
        if slug not in then or then[slug] != now.get(slug, nothing)
    }


def _hashes(articles: Sequence[Article], before: Mapping[str, Article]) -> dict[str, str]:
    return {slug: a.sha256() for slug, a in before.items()} | {a.slug: a.sha256() for a in articles}


def _refuse_loss(
    report: Report, chosen: Sequence[Article], before: int | None, recipe: Recipe
) -> None:
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
    if before is not None and len(report.removed) * 2 > before:
        named = ", ".join(f"{s} ({why})" for s, why in report.reasons[:8])
        more = "…" if len(report.removed) > 8 else ""
        raise ArticlesProblem(
            f"{len(report.removed)} of {before} served articles would go: {named}{more}.",
            "What is served has not changed. If that is meant, repeat with `--force`.",
        )


def _undone(report: Report) -> str:
    """What to say of approvals that no longer hold, in the middle of a sentence."""
    if not report.downgraded:
        return ""
    return f" ({', '.join(report.downgraded)}: approved as another text than it has now)"


# --------------------------------------------------------------------------- one at a time


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
            age_s = max(0, round(time.time() - datetime.fromisoformat(owner["since"]).timestamp()))
            return f"process {owner['pid']}, since {owner['since']}, {age_s} s ago"
        except (OSError, ValueError, KeyError, TypeError):
            return "owner unknown"
