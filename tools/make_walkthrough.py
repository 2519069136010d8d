"""Runs docs/editing.md in an empty folder and writes what was printed back into it.

    python tools/make_walkthrough.py

A `console` block is commands (lines that start with `$ `), each followed by what it printed. A
`diff` block is an edit: its lines are found in the file that it names, and replaced.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "editing.md"
_FENCE = re.compile(r"^```(console|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(page: str, folder: Path) -> str:
    """The page with the output of its commands as it is now, run in that folder."""
    shutil.copy(PAGE.parent / "walkthrough" / "page.txt", folder)
    settings: dict[str, str] = {}

    def again(fence: re.Match[str]) -> str:
        if fence.group(1) == "diff":
            apply(fence.group(2), folder)
            return fence.group(0)
        lines = "".join(_ran(fence.group(2), folder, settings))
        return f"```console\n{lines}```"

    return _FENCE.sub(again, page)


def _ran(block: str, folder: Path, settings: dict[str, str]) -> Iterator[str]:
    for command in [line[2:] for line in block.splitlines() if line.startswith("$ ")]:
        yield f"$ {command}\n"
        if command.startswith("export "):
            script = f"{command}; env -0"
            printed = _bash(script, folder, settings)
            settings |= dict(
                pair.split("=", 1) for pair in printed.split("\0") if pair.startswith("COROLLARY_")
            )
        else:
            yield _bash(command, folder, settings).replace(f"{folder}/", "")


def _bash(command: str, folder: Path, settings: dict[str, str]) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COROLLARY_")}
    path = f"{Path(sys.executable).parent}:{kept.get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**kept, **settings, "PATH": path, "PWD": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return done.stdout


def apply(diff: str, folder: Path) -> None:
    """Makes the edit; ValueError when its lines are not in the file exactly once."""
    head, *hunks = re.split(r"^@@.*\n", diff, flags=re.MULTILINE)
    path = folder / head.strip().removeprefix("--- ")
    text = path.read_text(encoding="utf-8")
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[:1] in " -")
        after = "".join(line[1:] for line in lines if line[:1] in " +")
        if text.count(before) != 1:
            raise ValueError(f"{path.name} does not have these lines once:\n{before}")
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def steady(text: str) -> str:
    """The text without what differs from run to run: build names, days, times, the user."""
    text = re.sub(r"\d{8}T\d{6}-[0-9a-f]{6}", "BUILD", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"imported on \d{4}-\d\d-\d\d|console:\S+ *", "", text)
    return re.sub(r"at \d{4}-\d\d-\d\d|by .*? on \d{4}-\d\d-\d\d", "DAY", text)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = run(PAGE.read_text(encoding="utf-8"), Path(folder).resolve())
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
