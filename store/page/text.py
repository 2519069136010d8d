"""A saved page as lines, and how plain text becomes such lines.

HTML is turned into the same lines (`store/page/html.py`), so that one reader does for both.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from store.article import Part
from store.errors import ArticlesProblem

MAX_LINES = 20_000
"""Lines with text in them; a page has a few hundred."""
MAX_DEPTH = 3
"""Lists in lists; what is deeper stands at this depth."""
MIN_WIDTH = 40
"""A shorter line was not wrapped by an editor."""
MAX_WIDTH = 120
"""A page with longer lines was not wrapped by an editor."""
BOLD = 7
"""Level of a heading that is only a line in bold: below `<h6>`."""
SUP, SUP_END = "\ufdd0", "\ufdd1"
"""Around what stood raised in HTML; these characters are in no text."""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph, list item, heading or table cell, with single spaces between its words."""

    text: str
    kind: Literal["text", "item", "heading", "table"] = "text"
    level: int = 0
    """Of a heading: 1 to 6 or BOLD. Of an item: 0 for the outermost list."""
    number: int = 0
    """Of an item in a numbered list; 0 has a bullet."""
    gap: bool = True
    """Whether it stands apart from the line before it."""
    margin: bool = False
    """Whether it stands beside the content: navigation, header, footer, forms."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person must look at, or may want to know."""

    severity: Literal["warning", "info"]
    code: str
    message: str
    line: int = 1
    """Of the draft."""


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of a page, in reading order."""

    lines: tuple[Line, ...]
    title: str = ""
    """What the browser's title bar shows; empty for plain text."""
    hidden_characters: int = 0
    """Invisible and direction-changing characters that were left out."""
    hidden_passages: int = 0
    """Elements with text that a reader does not see, left out."""


_PART = re.compile(
    rf"[\W_]*from the (guideline|research)s?\b(?:{SUP}[^{SUP_END}]*{SUP_END}|\s?\[\d+\])*[\W_]*",
    re.IGNORECASE,
)


def part_of(line: Line) -> tuple[Part, str] | None:
    """The part that the line opens, and what of its text follows on the same line."""
    if line.kind == "table" or not (found := _PART.match(line.text)):
        return None
    part = Part.GUIDELINES if found.group(1).lower() == "guideline" else Part.RESEARCH
    rest = line.text[found.end() :]
    if rest and ":" not in found.group():
        return None
    return part, rest


def clean(text: str) -> tuple[str, int]:
    """The text without characters that nobody sees, and how many those were."""
    odd = {c for c in set(text) if _is_hidden(c)}
    if not odd:
        return text, 0
    count = sum(text.count(c) for c in odd)
    return text.translate(dict.fromkeys(map(ord, odd))), count


_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d")
"""Letters and signs that look like nothing."""


def _is_hidden(c: str) -> bool:
    if c.isascii():
        return not c.isprintable() and c not in "\n\t"
    # A row of variation selectors can spell a message.
    selector = "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"
    odd = selector or c in _BLANK or unicodedata.category(c) in _HIDDEN
    return odd and c not in {SUP, SUP_END}


def too_many_lines() -> ArticlesProblem:
    """What is raised when there are more than MAX_LINES."""
    return ArticlesProblem(
        f"The page has more than {MAX_LINES:,} lines.", "Save the page of one question alone."
    )


# --------------------------------------------------------------------------- plain text

_BREAK = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_BULLET = re.compile(r"(?:([•‣⁃◦▪▫●○∙])\s*|[*·–—-](?:\s+|$)|(\d{1,3})[.)](?:\s+|$))")
_HASHES = re.compile(r"(#{1,6})\s+(?=\S)")
_STARS = re.compile(r"(\*\*|__)(?=\S)([^*_]{1,120})\1(:?)$")
_ENDS = (".", "!", "?", ":", ";")


def text_page(text: str) -> Page:
    """The lines of a page that was saved as plain text."""
    visible, hidden = clean(_BREAK.sub("\n", text).replace(SUP, "").replace(SUP_END, ""))
    lines = list(_joined(list(_raw_lines(visible))))
    return Page(tuple(lines), hidden_characters=hidden)


@dataclass(frozen=True, slots=True)
class _Raw:
    line: Line
    width: int
    """Characters of the physical line."""


def _raw_lines(text: str) -> Iterator[_Raw]:
    """Physical lines that say something, with what they are by their own looks."""
    gap, indents, count = True, list[int](), 0
    marker: Line | None = None
    for physical in text.split("\n"):
        stripped = physical.strip()
        if not any(map(str.isalnum, stripped)) and not _BULLET.fullmatch(stripped):
            gap = True
            continue
        count += 1
        if count > MAX_LINES:
            raise too_many_lines()
        found = _looks(stripped)
        if found.kind == "item":
            indent = len(physical.expandtabs(4)) - len(physical.expandtabs(4).lstrip())
            while indents and indents[-1] >= indent:
                indents.pop()
            found = replace(found, level=min(len(indents), MAX_DEPTH))
            indents.append(indent)
        elif marker is not None:
            # A browser's copy may put the bullet on a line of its own.
            found = replace(marker, text=found.text)
        else:
            indents = []
        marker = found if found.kind == "item" and not found.text else None
        if marker is None:
            yield _Raw(replace(found, gap=gap), len(physical.rstrip()))
            gap = False


def _looks(stripped: str) -> Line:
    if stripped.count("\t") > 1 or (stripped[0] == "|" == stripped[-1]):
        return Line(" ".join(stripped.replace("|", " ").split()), "table")
    if hashes := _HASHES.match(stripped):
        return Line(_words(stripped[hashes.end() :]), "heading", len(hashes.group(1)))
    if stars := _STARS.match(stripped):
        return Line(_words(stars.group(2)) + stars.group(3), "heading", BOLD)
    if bullet := _BULLET.match(stripped):
        return Line(_words(stripped[bullet.end() :]), "item", number=int(bullet.group(2) or 0))
    return Line(_words(stripped))


def _words(text: str) -> str:
    return " ".join(text.split())


def _joined(raws: list[_Raw]) -> Iterator[Line]:
    """Lines that an editor wrapped are made whole again.

    A line was wrapped when the first word of the next would not have fitted into the width
    of the page. Pages with long lines were not wrapped at all.
    """
    width = max((r.width for r in raws), default=0)
    pieces: list[str] = []
    first: Line | None = None
    before: _Raw | None = None
    for raw in raws:
        if first and before and _continues(before, raw, width):
            pieces.append(raw.line.text if raw.line.kind == "text" else _marked(raw.line))
        else:
            if first:
                yield replace(first, text=" ".join(pieces))
            first, pieces = raw.line, [raw.line.text]
        before = raw
    if first:
        yield replace(first, text=" ".join(pieces))


def _continues(before: _Raw, raw: _Raw, width: int) -> bool:
    line = raw.line
    if line.gap or before.line.kind not in {"text", "item"}:
        return False
    if part_of(line) or part_of(before.line):
        return False
    if before.width < MIN_WIDTH:
        return False
    open_ended = not before.line.text.endswith(_ENDS)
    if line.kind == "text" and open_ended and line.text[0].islower():
        return True
    if width > MAX_WIDTH or before.width + 1 + len(line.text.split(" ", 1)[0]) <= width:
        return False
    # "treatment\n2. To begin" is a citation at the end of a line, not a list.
    numbered = line.kind == "item" and 0 < line.number != before.line.number + 1
    return line.kind == "text" or (numbered and open_ended)


def _marked(line: Line) -> str:
    return f"{line.number}. {line.text}"
