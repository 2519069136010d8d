"""The `corollary` command. Heavy imports happen in the commands that need them."""

import asyncio
import json
import logging
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from bot.settings import Settings, example, read_settings, shown, unknown_names
from store.errors import CorollaryError

FOUND_WRONG, COULD_NOT_RUN = 1, 2


def _say(text: str) -> None:
    click.echo(text, err=True)


def _settings() -> Settings:
    settings = read_settings()
    for text in unknown_names():
        _say(f"Warning: {text}")
    return settings


def _run(main: Coroutine[Any, Any, int]) -> None:
    sys.exit(asyncio.run(main))


class _Bar:
    """A progress bar on standard error: starts at the first call, ends with the last passage."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        if self._bar is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, Remaining(), console=Console(stderr=True))
            self._bar.start()
            self._task = self._bar.add_task("Embedding passages", total=total)
        self._bar.update(self._task, completed=done, total=total)
        if done >= total:
            self._bar.stop()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="corollary")
@click.option("-v", "--verbose", is_flag=True, help="Log more, on standard error.")
def cli(verbose: bool) -> None:
    """Answers follow-up questions from vetted medical articles, word for word, with sources.

    \b
    Examples:
      corollary chat
      corollary ask "Can pulsed dye laser be combined with exosomes?"
      corollary articles list
      corollary doctor
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for name in ("httpx", "httpcore", "chromadb", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


@cli.command()
@click.option("--conversation", default="console", show_default=True, help="Whose context to use.")
@click.option("--json", "json_output", is_flag=True, help="JSON lines in, JSON lines out.")
def chat(conversation: str, json_output: bool) -> None:
    """Talk with the assistant in the console.

    Reads lines from standard input when it is not a terminal.

    \b
    Examples:
      corollary chat
      printf 'what about keloids?\\nand recurrence?\\n' | corollary chat
      echo '{"conversation": "a", "question": "and recurrence?"}' | corollary chat --json
    """

    async def main() -> int:
        from bot import console
        from bot.app import open_program

        settings = _settings()
        async with open_program(settings, say=_say, progress=_Bar()) as program:
            talk = console.chat_json if json_output else console.chat
            return await talk(program, conversation)

    _run(main())


@cli.command()
@click.argument("question")
@click.option(
    "--conversation", help="Continue this conversation; without it the question is alone."
)
@click.option("--json", "json_output", is_flag=True, help="Print the reply as JSON.")
def ask(question: str, conversation: str | None, json_output: bool) -> None:
    """Ask one question.

    \b
    Examples:
      corollary ask "How good is the evidence for laser in keloids?"
      corollary ask "and recurrence?" --conversation ward7 --json
    """

    async def main() -> int:
        from bot import console
        from bot.app import open_program
        from chains.assistant import readable

        readable(question)
        settings = _settings()
        async with open_program(settings, say=_say, progress=_Bar()) as program:
            return await console.ask(program, question, conversation, json_output)

    _run(main())


@cli.command()
def telegram() -> None:
    """Run the Telegram bot (long polling) until Ctrl-C.

    Needs COROLLARY_TELEGRAM_TOKEN; COROLLARY_ACCESS says who may ask.
    """

    async def main() -> int:
        from bot.app import open_program
        from bot.polling import serve

        settings = _settings()
        async with open_program(settings, say=_say, progress=_Bar()) as program:
            await serve(program, _say)
            return 0

    _run(main())


@cli.group()
def articles() -> None:
    """Keep the articles: check, reload, list, show."""


@articles.command("check")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "json_output", is_flag=True, help="Print the problems as JSON.")
def articles_check(paths: tuple[Path, ...], json_output: bool) -> None:
    """Say everything that is wrong with article files or folders.

    Exit code 1 when a file is refused.

    \b
    Example:
      corollary articles check articles/keloids.md
    """
    from bot import admin

    result, accepted = admin.check(list(paths))
    click.echo(
        json.dumps(result, ensure_ascii=False) if json_output else admin.checked_text(result)
    )
    sys.exit(0 if accepted else FOUND_WRONG)


@articles.command("reload")
@click.option("--check", "check_only", is_flag=True, help="Report, and change nothing.")
@click.option("--force", is_flag=True, help="Serve it even if most articles are gone.")
@click.option("--json", "json_output", is_flag=True, help="Print the report as JSON.")
def articles_reload(check_only: bool, force: bool, json_output: bool) -> None:
    """Build the store anew from the article folder, and serve it.

    The running bot follows by itself. Exit code 1 when files were refused.

    \b
    Example:
      COROLLARY_ARTICLES_DIR=articles corollary articles reload
    """

    async def main() -> int:
        from bot import admin

        settings = _settings()
        report = await admin.reload_now(
            settings, check_only=check_only, force=force, progress=_Bar()
        )
        text = admin.report_text(report)
        click.echo(json.dumps(admin.report_dict(report)) if json_output else text)
        return FOUND_WRONG if report.refused else 0

    _run(main())


@articles.command("list")
@click.option("--json", "json_output", is_flag=True, help="Print the list as JSON.")
def articles_list(json_output: bool) -> None:
    """The articles of the folder, with status and last update."""
    from bot import admin

    rows = admin.listed(_settings(), datetime.now(UTC).date())
    if json_output:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        served = "served" if row["served"] else "not served"
        click.echo(
            f"{row['slug']:28} {row['status']:13} {row['updated']}  {served:10}  {row['title']}"
        )


@articles.command("show")
@click.argument("slug")
@click.option("--json", "json_output", is_flag=True, help="Print the article as JSON.")
def articles_show(slug: str, json_output: bool) -> None:
    """One article as a clinician reads it.

    \b
    Example:
      corollary articles show pdl-exosomes
    """
    from bot import admin

    settings = _settings()
    article = admin.find(settings, slug)
    text = admin.shown_json(article) if json_output else admin.shown_text(settings, article)
    click.echo(text)


@cli.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "json_output", is_flag=True, help="Print them as JSON.")
def gaps(limit: int, json_output: bool) -> None:
    """Questions that the articles did not answer, newest first."""

    async def main() -> int:
        from bot.app import open_database

        database = await open_database(_settings())
        try:
            found = await database.recent_gaps(limit)
        finally:
            await database.close()
        rows = [
            {
                "question": g.question,
                "reason": g.reason,
                "article": g.article,
                "section": g.section,
                "noticed_at": g.noticed_at.isoformat(timespec="seconds"),
            }
            for g in found
        ]
        if json_output:
            click.echo(json.dumps(rows, ensure_ascii=False))
        else:
            for r in rows:
                click.echo(f"{r['noticed_at']}  {r['article'] or '-':24} {r['question']}")
            click.echo(f"{len(rows)} questions without an answer.")
        return 0

    _run(main())


@cli.command()
@click.option("--json", "json_output", is_flag=True, help="Print the findings as JSON.")
def doctor(json_output: bool) -> None:
    """Look at everything that answering needs; say what to do about what does not work."""

    async def main() -> int:
        from dataclasses import asdict

        from bot.doctor import examine

        found = await examine(read_settings())
        if json_output:
            click.echo(json.dumps([asdict(f) for f in found], ensure_ascii=False))
        else:
            marks = {True: "ok  ", False: "FAIL", None: "--  "}
            for f in found:
                click.echo(f"{marks[f.works]} {f.subject}: {f.told}")
                if f.todo:
                    click.echo(f"       {f.todo}")
        return FOUND_WRONG if any(f.works is False for f in found) else 0

    _run(main())


@cli.command()
@click.option("--json", "json_output", is_flag=True, help="Print them as JSON.")
@click.option("--example", "as_example", is_flag=True, help="Print the text of .env.example.")
def settings(json_output: bool, as_example: bool) -> None:
    """The settings in force, secrets masked."""
    if as_example:
        click.echo(example(), nl=False)
        return
    values = shown(_settings())
    if json_output:
        click.echo(json.dumps(values))
        return
    for name, value in values.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else value
        click.echo(f"{name}={'' if text is None else text}")


def main() -> None:
    """Runs the command; a user's mistake is two sentences, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show "•" shows "?", and the answer.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        cli.main(prog_name="corollary")
    except CorollaryError as e:
        _say(f"Error: {e.what}")
        if e.todo:
            _say(e.todo)
        sys.exit(e.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
