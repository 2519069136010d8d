"""`corollary articles …`: check, reload, list, show."""

import json
from pathlib import Path
from typing import Any

from bot.app import (
    articles_dir,
    data_dir,
    disclaimer_of,
    open_database,
    open_embeddings,
    recipe_of,
    rules_of,
    told,
)
from bot.commands import page
from bot.render import plain
from bot.settings import Settings
from store.article import Article, article_dict, is_served
from store.errors import ArticlesProblem, UnknownArticle
from store.index import Progress
from store.parse import ParsedFile, article_files, parse_paths
from store.reload import Report, reload


def check(paths: list[Path]) -> tuple[dict[str, Any], bool]:
    """Every problem of every file, and whether all are accepted."""
    for path in paths:
        if not path.exists():
            raise ArticlesProblem(f"{path} does not exist.", "Name article files or folders.")
    files = parse_paths(paths)
    return {"files": [file_dict(f) for f in files]}, all(f.accepted for f in files)


def file_dict(f: ParsedFile) -> dict[str, Any]:
    """One checked file as programs read it."""
    return {
        "path": str(f.path),
        "slug": f.slug,
        "accepted": f.accepted,
        "problems": [
            {
                "severity": p.severity,
                "code": p.code,
                "line": p.line,
                "field": p.field,
                "message": p.message,
            }
            for p in f.problems
        ],
    }


def checked_text(result: dict[str, Any]) -> str:
    """The check as a person reads it: one line a problem, file:line first."""
    lines = []
    for f in result["files"]:
        for p in f["problems"]:
            where = f" ({p['field']})" if p["field"] else ""
            lines.append(f"{f['path']}:{p['line']}: {p['severity']}: {p['message']}{where}")
    refused = sum(not f["accepted"] for f in result["files"])
    lines.append(f"{len(result['files'])} files, {refused} refused.")
    return "\n".join(lines)


def listed(settings: Settings, today: Any) -> list[dict[str, Any]]:
    """The articles of the folder, by slug, and whether each may be served."""
    rules = rules_of(settings)
    return [
        {
            "slug": a.slug,
            "title": a.title,
            "status": a.effective_status().value,
            "updated": a.updated.isoformat(),
            "review_by": a.review_by.isoformat() if a.review_by else None,
            "served": is_served(a, rules, today),
        }
        for a in _articles(settings)
    ]


def _articles(settings: Settings) -> list[Article]:
    files = parse_paths(article_files(articles_dir(settings)))
    return sorted((f.article for f in files if f.article), key=lambda a: a.slug)


def find(settings: Settings, slug: str) -> Article:
    """The article of the folder; UnknownArticle names the near ones."""
    articles = {a.slug: a for a in _articles(settings)}
    if slug in articles:
        return articles[slug]
    import difflib

    near = difflib.get_close_matches(slug, articles, 3, 0.5)
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


async def reload_now(
    settings: Settings, *, check_only: bool, force: bool, progress: Progress | None
) -> Report:
    """A reload from the command line."""
    builds = data_dir(settings) / "builds"
    embeddings, embedder, _ = open_embeddings(settings)
    database = await open_database(settings)
    try:
        return await reload(
            database,
            builds,
            recipe_of(settings, embedder),
            embeddings,
            who="console",
            check_only=check_only,
            force=force,
            progress=progress,
        )
    finally:
        await database.close()


def report_dict(report: Report) -> dict[str, Any]:
    """The report as programs read it."""
    return {
        "build": report.build,
        "added": list(report.added),
        "changed": list(report.changed),
        "removed": list(report.removed),
        "unchanged": list(report.unchanged),
        "not_served": [{"slug": s, "status": status} for s, status in report.not_served],
        "downgraded": list(report.downgraded),
        "refused": [file_dict(f) for f in report.refused],
        "passages": report.passages,
        "embedded": report.embedded,
    }


def report_text(report: Report) -> str:
    """The report as a person reads it."""
    lines = []
    for word, slugs in (
        ("added", report.added),
        ("changed", report.changed),
        ("removed", report.removed),
    ):
        lines += [f"{word:9} {slug}" for slug in slugs]
    lines += [f"waiting   {slug} ({status})" for slug, status in report.not_served]
    lines += [f"downgraded {slug}: its text is not the one approved" for slug in report.downgraded]
    for f in report.refused:
        for p in f.problems:
            if p.severity == "error":
                lines.append(f"refused   {f.path}:{p.line}: {p.message}")
    if report.build is None:
        lines.append("Checked only: what is served has not changed.")
    else:
        lines.append(told(report))
    return "\n".join(lines)
