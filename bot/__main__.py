"""The `corollary` command. Heavy imports happen in the commands that need them."""

import gc
import json
import logging
import sys
from io import TextIOWrapper

import click

from bot.cli_articles import articles, audit, gaps
from bot.cli_ground import ground
from bot.cli_people import feedback, people
from bot.cli_shared import FOUND_WRONG, Bar, leave_within, run, say, settings_in_force
from bot.cli_turns import turns
from bot.settings import example, read_settings, shown
from store.errors import CorollaryError

LEFT_WITHIN_S = 9.0
"""How long the bot may take to end; those who run services wait for ten seconds."""


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


cli.add_command(articles)
cli.add_command(gaps)
cli.add_command(audit)
cli.add_command(turns)
cli.add_command(feedback)
cli.add_command(people)
cli.add_command(ground)


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

        settings = settings_in_force()
        with Bar() as bar:
            async with open_program(settings, say=say, progress=bar) as program:
                talk = console.chat_json if json_output else console.chat
                return await talk(program, conversation)

    run(main())


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
        settings = settings_in_force()
        with Bar() as bar:
            async with open_program(settings, say=say, progress=bar) as program:
                return await console.ask(program, question, conversation, json_output)

    run(main())


@cli.command()
def telegram() -> None:
    """Run the Telegram bot (long polling) until Ctrl-C.

    Needs COROLLARY_TELEGRAM_TOKEN; COROLLARY_ACCESS says who may ask.
    """

    async def main() -> int:
        from bot.app import open_program
        from bot.polling import serve

        settings = settings_in_force()
        with Bar() as bar:
            async with open_program(settings, say=say, progress=bar) as program:
                # What is in work then is kept as for a kill.
                await serve(program, say, lambda: leave_within(LEFT_WITHIN_S))
                return 0

    run(main())


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

    run(main())


@cli.command()
@click.option("--json", "json_output", is_flag=True, help="Print them as JSON.")
@click.option("--example", "as_example", is_flag=True, help="Print the text of .env.example.")
def settings(json_output: bool, as_example: bool) -> None:
    """The settings in force, secrets masked."""
    if as_example:
        click.echo(example(), nl=False)
        return
    values = shown(settings_in_force())
    if json_output:
        click.echo(json.dumps(values))
        return
    for name, value in values.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else value
        click.echo(f"{name}={'' if text is None else text}")


def main() -> None:
    """Runs the command; a user's mistake is two sentences, never a traceback."""
    # What is imported stays: to look through it thirty times is a tenth of a start.
    gc.set_threshold(50_000)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show "•" shows "?", and the answer.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        cli.main(prog_name="corollary")
    except CorollaryError as e:
        say(f"Error: {e.what}")
        if e.todo:
            say(e.todo)
        sys.exit(e.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
