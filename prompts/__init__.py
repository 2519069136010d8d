"""The program's set words, one Markdown file each, and `load` to read them."""

import re
from pathlib import Path

_VARIABLE = re.compile(r"\{([a-z_]+)\}")


def load(name: str, **values: str) -> str:
    """The text of prompts/NAME.md with its {variables} filled in.

    Raises ValueError when a variable is missing or one is given that the text does not have.
    """
    text = Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8").strip()
    wanted = set(_VARIABLE.findall(text))
    if wanted != set(values):
        raise ValueError(f"prompts/{name}.md wants {sorted(wanted)}, not {sorted(values)}")
    return _VARIABLE.sub(lambda m: values[m.group(1)], text)
