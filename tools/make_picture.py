"""Draws a real exchange with the sample articles, as the console shows it: docs/chat.svg.

python tools/make_picture.py [OUT.svg]
"""

import asyncio
import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot import commands
from bot.app import open_program
from bot.commands import Person
from bot.render import rich_text
from bot.settings import Settings

QUESTIONS = (
    "can pulsed dye laser be combined with exosomes?",
    "what concentration should I inject?",
)
COLUMNS = 100
OUT = Path(__file__).parents[1] / "docs" / "chat.svg"


async def exchange(folder: Path) -> list[Text]:
    """What the console prints for the questions, asked one after another in a new store."""
    settings = Settings(_env_file=None, data_dir=folder)  # type: ignore[call-arg]  # of the base class
    person = Person("console", "console:picture")
    printed = []
    async with open_program(settings, say=lambda text: None) as program:
        for question in QUESTIONS:
            message = await commands.answer(program, person, question)
            reply = rich_text(message, program.disclaimer.text)
            printed += [Text(f"> {question}\n", "bold"), reply, Text()]
    return printed


def main() -> None:
    """Writes the picture to the file named, else to docs/chat.svg."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder:
        for text in asyncio.run(exchange(Path(folder))):
            console.print(text, highlight=False)
    # A fixed id: the same exchange gives the same file.
    picture = console.export_svg(title="corollary chat", unique_id="corollary")
    # Rich asks a font server for its typeface; the reader's own monospaced one will do.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    out.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
