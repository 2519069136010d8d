"""What checks are given and what they give: texts with the places they came from, and problems."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from store.article import Article, Statement

Lines = Mapping[tuple[Any, ...], int]
"""Where each field of the front matter stands in the file, by its path."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file. An error keeps the article out; a warning does not."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    line: int = 1
    field: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A text of the file with the place it came from."""

    text: str
    line: int
    path: tuple[Any, ...] = ()

    @property
    def field(self) -> str:
        """The field of the front matter, such as `references.1.title`; empty in the body."""
        return ".".join(map(str, self.path))


def place(lines: Lines, *path: Any) -> tuple[int, str]:
    """Line and field of a path; without a line of its own, the line of what it is part of."""
    found = (lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in lines)
    return next(found, 1), ".".join(map(str, path))


def stated(article: Article, lines: Lines) -> Iterator[tuple[Statement, int, str]]:
    """Every statement with its line and field (none in the body), those of the conflicts last."""
    for _, statement in article.statements():
        yield statement, statement.line, ""
    for i, conflict in enumerate(article.conflicts):
        yield conflict, *place(lines, "conflicts", i)


def cut(text: str, most: int = 60) -> str:
    """The start of a text in quotes, on one line, with what cannot be seen written out."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def some(found: Sequence[str], most: int = 3) -> str:
    """The first of a list in words, and how many more there are."""
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
