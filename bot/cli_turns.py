"""`corollary turns`: how an answer came about, and what it would be today."""

import json

import click

from bot.cli_shared import FOUND_WRONG, Bar, run, say, settings_in_force
from store.errors import SettingsProblem, UnknownTurn


@click.group()
def turns() -> None:
    """How answers came about. Every reply's JSON has its number as `turn`; /why names it."""


@turns.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("--json", "json_output", is_flag=True, help="Print all that is kept, as JSON.")
def show(number: int, json_output: bool) -> None:
    """The receipt of answer NUMBER: question, what was found, what a model wrote and what held.

    \b
    Examples:
      corollary turns show 12
      corollary turns show 12 --json
    """

    async def main() -> int:
        from bot.app import disclaimer_of, open_database
        from bot.receipts import receipt, receipt_dict
        from bot.render import plain

        settings = settings_in_force()
        database = await open_database(settings)
        try:
            found = await database.asked(number)
        finally:
            await database.close()
        if found is None:
            raise _unknown(number)
        if json_output:
            click.echo(json.dumps(receipt_dict(*found), ensure_ascii=False))
        else:
            click.echo(plain(receipt(*found), disclaimer_of(settings).text))
        return 0

    run(main())


@turns.command()
@click.argument("number", type=click.IntRange(min=1))
@click.option("--build", help="Ask this build (see `corollary articles builds`); else the served.")
@click.option("--model", help="Let this chat model write (provider:name); else the one set.")
@click.option("--no-model", is_flag=True, help="Quote, whatever model is set.")
@click.option("--json", "json_output", is_flag=True, help="Print both answers as JSON.")
def replay(
    number: int, build: str | None, model: str | None, no_model: bool, json_output: bool
) -> None:
    """Put the question of answer NUMBER again, in its context, and compare. Nothing is stored.

    Exit code 1 when the reader would be told something else.

    \b
    Examples:
      corollary turns replay 12
      corollary turns replay 12 --build b20261122-101500-3f2a
      corollary turns replay 12 --model openai:gpt-5-mini
    """

    async def main() -> int:
        from bot.app import open_program
        from bot.receipts import compared, comparison
        from bot.render import plain
        from bot.replay import again

        if model is not None and no_model:
            raise SettingsProblem("--model and --no-model contradict each other.", "Give one.")
        settings = settings_in_force()
        if model is not None or no_model:
            settings = settings.model_copy(update={"chat_model": model})
        with Bar() as bar:
            async with open_program(settings, say=say, progress=bar) as program:
                found = await program.database.asked(number)
                if found is None:
                    raise _unknown(number)
                turn = await again(program, found[0], build)
                told = compared(*found, turn)
                if json_output:
                    click.echo(json.dumps(told, ensure_ascii=False))
                else:
                    click.echo(plain(comparison(told), program.disclaimer.text))
        return 0 if told["same"] else FOUND_WRONG

    run(main())


def _unknown(number: int) -> UnknownTurn:
    return UnknownTurn(
        f"There is no answer {number}.", "Numbers are in the JSON of replies, and in /why."
    )
