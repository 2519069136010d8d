"""`corollary feedback`: what people said of answers."""

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
