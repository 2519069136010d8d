"""The lines of a page, sorted: the two parts, the list of references, and the rest."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from store.article import Part
from store.errors import ArticlesProblem
from store.page.citations import Scheme, cited
from store.page.facts import ends_content, is_furniture
from store.page.references import opens_references
from store.page.text import BOLD, SUP, SUP_END, Line, part_of
from store.parse import MAX_BYTES, MAX_HEADING_CHARS


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the body; a table and a stray citation are only places for a note."""

    kind: Literal["part", "heading", "item", "text", "table", "stray"]
    text: str
    level: int = 0
    number: int = 0
    doubt: str = ""
    """Why it may or may not be a heading, in words for a person."""


@dataclass(slots=True)
class SortedLines:
    """The lines of a page by what they are for."""

    blocks: list[Block] = field(default_factory=list)
    outside: list[Line] = field(default_factory=list)
    references: list[Line] = field(default_factory=list)
    furniture: list[str] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    """Headings of sections that are neither part; they are left out."""


def sort_lines(lines: Sequence[Line], *, margin: bool = False) -> SortedLines:
    """The lines of the content, or those of the margin, by what they are for."""
    found = SortedLines(outside=[x for x in lines if x.margin != margin])
    content = [x for x in lines if x.margin == margin]
    deepest = _deepest_level(content)
    where, level = "outside", 0
    for i, line in enumerate(content):
        part = part_of(line)
        if part:
            where, level = "part", line.level if line.kind == "heading" else 0
            found.blocks.append(Block("part", part[0].value))
            if part[1]:
                found.blocks.append(Block("text", part[1]))
        elif where != "outside" and opens_references(line):
            where = "references"
        elif where == "references" and line.kind == "heading" and line.level < BOLD:
            where = "over"
        elif where in {"part", "references"} and ends_content(line):
            where = "over"
            found.furniture.append(line.text)
        elif where == "part" and line.kind == "heading" and _is_peer(line.level, level, deepest):
            where = "over"
            found.sections.append(line.text)
        elif where == "part":
            _place(found, line, content[i + 1] if i + 1 < len(content) else None)
            if line.kind == "heading" and line.level == level:
                what = (
                    f"{line.text[:60]!r} has the rank of the parts and was taken for a sub-heading"
                )
                found.blocks[-1:] = [replace(b, doubt=what) for b in found.blocks[-1:]]
        elif where == "references":
            found.references.append(line)
        else:
            found.outside.append(line)
            before = where == "outside" or bool(found.sections)
            label = is_furniture(line) or ends_content(line)
            if line.kind == "heading" and line.level > 1 and before and not label:
                found.sections.append(line.text)
    return found


def _deepest_level(lines: Sequence[Line]) -> int:
    return max((x.level for x in lines if x.kind == "heading"), default=0)


def _is_peer(level: int, of_part: int, deepest: int) -> bool:
    """Whether a heading ends the part: it is above it, or beside it where others are below it.

    Where the page gives all its headings one level, those after a part are sub-headings.
    """
    return 0 < level < of_part or (level == of_part and deepest > of_part)


def _place(found: SortedLines, line: Line, following: Line | None) -> None:
    """Puts a line of a part where it belongs."""
    if line.kind == "table":
        if not found.blocks or found.blocks[-1].kind != "table":
            found.blocks.append(Block("table", line.text))
    elif is_furniture(line):
        found.furniture.append(line.text)
    elif not any(map(str.isalpha, line.text)):
        found.blocks.append(Block("stray", line.text.replace(SUP, "").replace(SUP_END, "")))
    elif line.kind == "heading" and len(line.text) <= MAX_HEADING_CHARS:
        found.blocks.append(Block("heading", line.text))
    elif line.kind == "item":
        found.blocks.append(Block("item", line.text, line.level, line.number))
    elif not _may_be_heading(line):
        found.blocks.append(Block("text", line.text))
    elif following and _is_heading(line.text, following):
        found.blocks.append(Block("heading", line.text))
    else:
        what = f"is {line.text[:60]!r} a heading? Write `###` before it if so"
        found.blocks.append(Block("text", line.text, doubt=what))


_SMALL_WORDS = frozenset(
    "about after among before between during from into over than that through under using versus "
    "when with within without".split()
)


def _may_be_heading(line: Line) -> bool:
    """Whether it is a short line by itself, without a citation or a stop at its end."""
    text = line.text
    if len(text) > 100 or len(text.split()) > 14 or not line.gap or line.kind != "text":
        return False
    if text.endswith((".", ",", ";", ":", "!", "?", "]", SUP_END)) or _ends_in_number(text):
        return False
    return text[0].isupper() or text[0].isdigit()


def _is_heading(text: str, following: Line) -> bool:
    """Whether such a line is a heading: bullets follow, or a paragraph and it is in Title Case."""
    if following.kind == "item":
        return True
    words = [w for w in text.split() if len(w) > 3 and w[0].isalpha() and w not in _SMALL_WORDS]
    return following.gap and bool(words) and all(w[0].isupper() for w in words)


def _ends_in_number(text: str) -> bool:
    """Whether a citation may end the line, which no heading has."""
    result = cited(text, Scheme(bare=True, numbers=frozenset(range(1, 61))))
    return result.text.endswith("]") or bool(result.doubts)


def kept_blocks(found: SortedLines) -> list[Block]:
    """The blocks of the parts that have statements; ArticlesProblem when none has."""
    kept: list[Block] = []
    for part in _by_part(found.blocks):
        if any(b.kind in {"item", "text"} for b in part):
            kept += part
    if sum(len(b.text) for b in kept) > MAX_BYTES:
        raise ArticlesProblem(
            f"The parts have more than {MAX_BYTES:,} characters, the most an article may have.",
            "Divide the page into the questions that it answers.",
        )
    if kept:
        return kept
    names = " and ".join(f'"{p.value}"' for p in Part)
    if found.blocks:
        raise ArticlesProblem(
            f"The page has nothing below {names}.",
            "Open the page so that its text shows, then save it again.",
        )
    raise ArticlesProblem(
        f"The page has neither of the headings {names}.",
        "Only question pages with these parts can be imported; write other articles by hand.",
    )


def _by_part(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    part: list[Block] = []
    for block in blocks:
        if block.kind == "part" and part:
            yield part
            part = []
        part.append(block)
    if part:
        yield part
