"""`corollary articles …`, `corollary gaps` and `corollary audit`."""

import getpass
import json
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import click

from bot.cli_shared import FOUND_WRONG, Bar, Since, run, say, settings_in_force
from store.article import Move, Status

_JSON = click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")


def _who() -> str:
    """Whom the audit names for what is done on the command line."""
    try:
        return f"console:{getpass.getuser()}"[:80]
    except (OSError, KeyError):  # no name for this user id
        return "console"


def _print(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


class _Day(click.ParamType[date]):
    name = "date"

    def convert(self, value: object, param: object, ctx: object) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date; write it as 2026-11-22.")


@click.group()
def articles() -> None:
    """Keep the articles: import, check, review, reload, roll back.

    \b
    The usual way of an article:
      corollary articles import page.txt
      corollary articles check articles/
      corollary articles review SLUG start --by "Dr A"
      corollary articles review SLUG approve --by "Dr B" --review-by 2027-11-22
      corollary articles reload
    """


@articles.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@_JSON
def check(paths: tuple[Path, ...], json_output: bool) -> None:
    """Say everything that is wrong with article files or folders.

    Exit code 1 when a file is refused; warnings alone are 0.

    \b
    Example:
      corollary articles check articles/keloids.md
    """
    from bot import admin
    from bot.reports import checked_text

    result, accepted = admin.check(list(paths))
    click.echo(json.dumps(result, ensure_ascii=False) if json_output else checked_text(result))
    sys.exit(0 if accepted else FOUND_WRONG)


@articles.command("reload")
@click.option("--check", "check_only", is_flag=True, help="Do all but the switch, and report.")
@click.option("--force", is_flag=True, help="Serve it even if most articles are gone.")
@_JSON
def reload(check_only: bool, force: bool, json_output: bool) -> None:
    """Build the store anew from the article folder, rehearse it, and serve it.

    The running bot follows within seconds. Exit code 1 when files were refused.

    \b
    Examples:
      corollary articles reload --check
      corollary articles reload
    """

    async def main() -> int:
        from bot import admin
        from bot.app import open_desk
        from bot.reports import report_dict, report_lines

        async with open_desk(settings_in_force()) as desk:
            with Bar() as bar:
                report = await admin.reload_now(
                    desk, who=_who(), check_only=check_only, force=force, progress=bar
                )
        if json_output:
            _print(report_dict(report))
        else:
            click.echo("\n".join(report_lines(report, " (--json lists all)")))
        return FOUND_WRONG if report.refused else 0

    run(main())


@articles.command("builds")
@_JSON
def builds(json_output: bool) -> None:
    """The builds on disk, newest first, and which one is served.

    \b
    Example:
      corollary articles builds
    """

    async def main() -> int:
        from bot import admin
        from bot.app import open_desk
        from bot.reports import count

        async with open_desk(settings_in_force()) as desk:
            found = await admin.builds(desk)
        if json_output:
            _print([asdict(b) for b in found])
            return 0
        for b in found:
            mark = "served" if b.served else "before" if b.previous else ""
            click.echo(
                f"{b.id:24} {mark:7} {b.created_at[:19]}  "
                f"{count(b.articles, 'article')}, {count(b.passages, 'passage')}"
            )
        if not found:
            click.echo("No build yet. `corollary articles reload` makes one.")
        return 0

    run(main())


@articles.command("rollback")
@click.argument("build", required=False)
@click.option("--force", is_flag=True, help="Even if it serves what was withdrawn since.")
@_JSON
def rollback(build: str | None, force: bool, json_output: bool) -> None:
    """Serve an earlier build: the one before, or BUILD. Again: undoes it.

    \b
    Examples:
      corollary articles rollback
      corollary articles rollback 20261122T101500-a1b2c3
    """

    async def main() -> int:
        from bot import admin
        from bot.app import open_desk
        from bot.reports import report_dict, report_lines

        async with open_desk(settings_in_force()) as desk:
            with Bar() as bar:
                report = await admin.roll_back_now(
                    desk, who=_who(), to=build, force=force, progress=bar
                )
        if json_output:
            _print(report_dict(report))
        else:
            click.echo("\n".join(report_lines(report, " (--json lists all)")))
            click.echo("The folder has not changed: the next reload serves it again.")
        return 0

    run(main())


@articles.command("diff")
@click.argument("slug", required=False)
@_JSON
def diff(slug: str | None, json_output: bool) -> None:
    """What the next reload would change: the served build against the folder.

    Exit code 1 when they differ.

    \b
    Example:
      corollary articles diff keloids
    """

    async def main() -> int:
        from bot import admin
        from bot.app import open_desk
        from store.diff import diff_dict, diff_lines

        async with open_desk(settings_in_force()) as desk:
            found = await admin.diff(desk, slug)
        if json_output:
            _print(diff_dict(found))
        else:
            click.echo("\n".join(diff_lines(found)) or "No difference.")
        return FOUND_WRONG if found else 0

    run(main())


@articles.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True, dir_okay=False))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the draft. Default: SLUG.md in the article folder, or here without one.",
)
@_JSON
def import_(file: Path, output: Path | None, json_output: bool) -> None:
    """Make a draft article of a question page saved as text or HTML (- reads standard input).

    The draft is `submitted`, whatever the page says. Nothing is served by it.

    \b
    Example:
      corollary articles import page.html
    """

    async def main() -> int:
        from bot import admin
        from bot.app import open_desk

        async with open_desk(settings_in_force()) as desk:
            path, draft = await admin.import_page(desk, file, who=_who(), output=output)
        if json_output:
            notes = [asdict(n) for n in draft.notes]
            _print({"path": str(path), "slug": draft.slug, "notes": notes})
            return 0
        for n in draft.notes:
            click.echo(f"{path}:{n.line}: {n.severity}: {n.message}")
        click.echo(f"{path} is written, with the status submitted.")
        click.echo(f"Next: corollary articles check {path}")
        return 0

    run(main())


@articles.command("review")
@click.argument("slug")
@click.argument("move", metavar="MOVE", type=click.Choice([m.value for m in Move]))
@click.option("--by", required=True, help="Who decides; it is written into the file.")
@click.option("--note", default="", help="A remark, one line.")
@click.option("--review-by", type=_Day(), help="When it is to be reviewed again.")
@click.option("--sha256", "expect", help="Only if the text still begins with this SHA-256.")
@_JSON
def review(
    slug: str,
    move: str,
    by: str,
    note: str,
    review_by: date | None,
    expect: str | None,
    json_output: bool,
) -> None:
    """Decide on an article: the move is written into its file, pinned to its present text.

    \b
    submit    submitted to submitted: hand this text in (again)
    start     submitted, approved or retired to under review
    approve   under review to approved (COROLLARY_APPROVALS people, when more than one)
    return    under review or approved to submitted
    retire    approved to retired
    withdraw  anything to withdrawn

    \b
    Example:
      corollary articles review keloids approve --by "Dr B" --review-by 2027-11-22
    """

    async def main() -> int:
        from bot import admin
        from bot.app import open_desk
        from bot.reports import decided_text

        async with open_desk(settings_in_force()) as desk:
            decided = await admin.review(
                desk,
                slug,
                Move(move),
                by=by,
                who=_who(),
                note=note,
                review_by=review_by,
                expect=expect,
            )
        if json_output:
            _print(
                {
                    "slug": slug,
                    "move": move,
                    "before": decided.before.value,
                    "status": decided.status.value,
                    "sha256": decided.sha256,
                    "approvals": list(decided.approvals_given),
                    "needed": decided.approvals_needed,
                }
            )
        else:
            click.echo(decided_text(slug, decided))
        return 0

    run(main())


@articles.command("list")
@click.option("--status", type=click.Choice([s.value for s in Status]), help="Only those.")
@click.option("--overdue", is_flag=True, help="Only those whose review date has passed.")
@_JSON
def list_(status: str | None, overdue: bool, json_output: bool) -> None:
    """The articles of the folder, with status and last update.

    \b
    Example:
      corollary articles list --overdue
    """
    from bot import admin

    found = admin.listing(
        settings_in_force(),
        datetime.now(UTC).date(),
        status=Status(status) if status else None,
        overdue=overdue,
    )
    if json_output:
        _print(found.rows)
    for row in () if json_output else found.rows:
        served = "served" if row["served"] else "not served"
        late = f"  review was due {row['review_by']}" if row["overdue"] else ""
        click.echo(
            f"{row['slug']:28} {row['status']:13} {row['updated']}  {served:10}  "
            f"{row['title']}{late}"
        )
    if found.refused:
        few = ", ".join(str(f.path) for f in found.refused[:5])
        say(
            f"{len(found.refused)} more cannot be read as articles: "
            f"{few}{' …' if len(found.refused) > 5 else ''}. "
            "`corollary articles check` says why."
        )


@articles.command("show")
@click.argument("slug")
@_JSON
def show(slug: str, json_output: bool) -> None:
    """One article as a clinician reads it.

    \b
    Example:
      corollary articles show pdl-exosomes
    """
    from bot import admin

    settings = settings_in_force()
    article = admin.find(settings, slug)
    text = admin.shown_json(article) if json_output else admin.shown_text(settings, article)
    click.echo(text)


@articles.command()
@click.argument("slug")
@click.option("--bot", help="The bot's @name; without it Telegram is asked, with the token set.")
@click.option(
    "--file", type=click.Path(path_type=Path), help="Write the QR code to a .svg or .png."
)
@_JSON
def link(slug: str, bot: str | None, file: Path | None, json_output: bool) -> None:
    """The link that opens article SLUG in Telegram, and its QR code.

    \b
    Examples:
      corollary articles link pdl-exosomes --bot @your_bot
      corollary articles link pdl-exosomes --bot @your_bot --file pdl-exosomes.svg
    """

    async def main() -> int:
        from bot import admin, links
        from bot.doctor import bot_name

        settings = settings_in_force()
        article = admin.find(settings, slug)
        found = links.link_to(bot or await bot_name(settings), article.slug)
        if file is not None:
            links.save(found, file)
        if json_output:
            _print({"slug": article.slug, "link": found})
        else:
            click.echo(found)
            if file is None:
                click.echo(links.drawn(found))
        return 0

    run(main())


@click.command("gaps")
@click.option("--since", type=Since(), help="A date, or a span until now: 36h, 7d, 4w.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@_JSON
def gaps(since: datetime | None, limit: int, json_output: bool) -> None:
    """Questions that the articles did not answer, grouped by meaning, most asked first.

    \b
    Example:
      corollary gaps --since 7d
    """

    async def main() -> int:
        from bot import admin
        from bot.app import open_desk, open_embeddings
        from bot.reports import gap_dict, gaps_lines

        settings = settings_in_force()
        async with open_desk(settings) as desk:
            embeddings, _, _ = open_embeddings(settings)
            found = await admin.gaps(desk, embeddings, since=since)
        if json_output:
            _print([gap_dict(g) for g in found.groups[:limit]])
            if found.hidden:
                say(f"{found.hidden} more are not shown: fewer than {found.from_people} asked.")
        else:
            click.echo("\n".join(gaps_lines(found, limit)))
        return 0

    run(main())


@click.command("audit")
@click.option("--since", type=Since(), help="A date, or a span until now: 36h, 7d, 4w.")
@click.option("--article", help="Only what was done to this article.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@_JSON
def audit(since: datetime | None, article: str | None, limit: int, json_output: bool) -> None:
    """Who did what, when, to which article, newest first. Nothing in it can be changed.

    \b
    Example:
      corollary audit --article keloids
    """

    async def main() -> int:
        from bot import admin
        from bot.app import open_desk
        from bot.reports import audit_dict, audit_lines

        async with open_desk(settings_in_force()) as desk:
            found = await admin.audit(desk.database, since=since, article=article, limit=limit)
        if json_output:
            _print([audit_dict(e) for e in found])
        else:
            click.echo("\n".join(audit_lines(found)) or "Nothing was done yet.")
        return 0

    run(main())
