"""The program's set words, one Markdown file each, and `load` to read them."""

import hashlib
import re
from pathlib import Path

_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_HERE = Path(__file__).parent

_ENGLISH: dict[str, frozenset[str]] = {
    "answer": frozenset({"register"}),
    "contextualize": frozenset(),
    "conversation": frozenset({"mark", "topic", "questions", "question"}),
    "disclaimer": frozenset({"operator"}),
    "help": frozenset(),
    "material": frozenset({"mark", "question", "statements"}),
    "privacy": frozenset({"operator"}),
    "second_opinion": frozenset(),
    "sentences": frozenset({"mark", "statements", "sentences"}),
    **{
        f"register/{path.stem}": frozenset[str]()
        for path in sorted((_HERE / "register").glob("*.md"))
    },
}
_TRANSLATED = [p.stem.rsplit(".", 1) for p in sorted(_HERE.glob("*.??.md"))]
VARIABLES: dict[str, frozenset[str]] = {
    **_ENGLISH,
    **{f"{name}.{code}": _ENGLISH[name] for name, code in _TRANSLATED if name in _ENGLISH},
}
"""What the program fills in, by prompt; `help.de` is the German of `help`."""


def load(name: str, **values: str) -> str:
    """The text of prompts/NAME.md with its {variables} filled in.

    Raises ValueError when a variable is missing or one is given that the text does not have.
    """
    text = _text(name)
    wanted = set(_VARIABLE.findall(text))
    if wanted != set(values):
        raise ValueError(f"prompts/{name}.md wants {sorted(wanted)}, not {sorted(values)}")
    return _VARIABLE.sub(lambda m: values[m.group(1)], text)


def translated(name: str, language: str, **values: str) -> str:
    """As `load`, in that language where there is a file for it, else in English."""
    own = f"{name}.{language}"
    return load(own if own in VARIABLES else name, **values)


def check() -> list[str]:
    """What is wrong with the prompts as they stand in the folder; empty when all can be used."""
    faults = []
    for name, given in VARIABLES.items():
        try:
            wanted = set(_VARIABLE.findall(_text(name)))
        except OSError as e:
            faults.append(f"prompts/{name}.md cannot be read: {e.strerror}")
            continue
        if unknown := sorted(wanted - given):
            faults.append(f"prompts/{name}.md has variables that nothing fills in: {unknown}")
        if missing := sorted(given - wanted):
            faults.append(f"prompts/{name}.md lacks variables: {missing}")
    return faults


def digest(*names: str) -> str:
    """SHA-256 (hex) of the words of these prompts, before anything is filled in."""
    return hashlib.sha256("\0".join(_text(n) for n in names).encode()).hexdigest()


def _text(name: str) -> str:
    return (_HERE / f"{name}.md").read_text(encoding="utf-8").strip()
