"""`corollary feedback` and `corollary people`: what people said, and what is kept of them."""

import json
from datetime import datetime

import click

from bot.cli_shared import Since, run, settings_in_force


@click.command()
@click.option("--since", type=Since(), help="A date, or a span until now: 36h, 7d, 4w.")
@click.option("--json", "json_output", is_flag=True, help="Print it as JSON.")
def feedback(since: datetime | None, json_output: bool) -> None:
    """Thumbs up and down by topic, and the comments, newest first.

    \b
    Example:
      corollary feedback --since 7d
    """

    async def main() -> int:
        from bot import voting
        from bot.app import open_database
        from store.people import votes

        database = await open_database(settings_in_force())
        try:
            found = await votes(database, since)
        finally:
            await database.close()
        if json_output:
            click.echo(json.dumps(voting.as_json(found), ensure_ascii=False))
        elif found:
            click.echo("\n".join(p.text for p in voting.paragraphs(found, len(found))))
        else:
            click.echo("Nobody said anything of an answer yet.")
        return 0

    run(main())


@click.group()
def people() -> None:
    """What is kept of a person, for those who ask the operator instead of the bot."""


@people.command()
@click.argument("user")
def export(user: str) -> None:
    """All that is kept of USER (telegram:NUMBER, or console), as JSON.

    \b
    Example:
      corollary people export telegram:123456
    """

    async def main() -> int:
        from bot.app import open_database
        from store.own_data import everything

        database = await open_database(settings_in_force())
        try:
            click.echo(json.dumps(await everything(database, user), ensure_ascii=False, indent=1))
        finally:
            await database.close()
        return 0

    run(main())


@people.command()
@click.argument("user")
@click.confirmation_option(prompt="Erase all that is kept of this person?")
def forget(user: str) -> None:
    """Erase all that is kept of USER (telegram:NUMBER, or console).

    \b
    Example:
      corollary people forget telegram:123456 --yes
    """

    async def main() -> int:
        from bot.app import open_database
        from store.own_data import forget as erase

        database = await open_database(settings_in_force())
        try:
            await erase(database, user)
        finally:
            await database.close()
        click.echo("Erased.")
        return 0

    run(main())
