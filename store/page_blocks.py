"""The lines of a page, sorted: the two parts, the list of references, and the rest."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from store.article import Part
from store.errors import ArticlesProblem
from store.page_citations import Scheme, cited
from store.page_facts import ends_content, is_furniture
from store.page_references import opens_references
from store.page_text import BOLD, SUP, SUP_END, Line, part_of
from store.parse import MAX_HEADING_CHARS


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the body; a table and a stray citation are only places for a note."""

    kind: Literal["part", "heading", "item", "text", "table", "stray"]
    text: str
    level: int = 0
    number: int = 0


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
        elif where == "references":
            found.references.append(line)
        else:
            found.outside.append(line)
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
    else:
        kind: Literal["heading", "text"] = "heading" if _is_heading(line, following) else "text"
        found.blocks.append(Block(kind, line.text))


_SMALL_WORDS = frozenset(
    "about after among before between during from into over than that through under using versus "
    "when with within without".split()
)


def _is_heading(line: Line, following: Line | None) -> bool:
    """Whether a short line between blank lines is a heading by its looks."""
    text, words = line.text, line.text.split()
    short = line.kind == "text" and line.gap and len(text) <= 100 and len(words) <= 14
    if not short or following is None or not (text[0].isupper() or text[0].isdigit()):
        return False
    if text.endswith((".", ",", ";", ":", "!", "?", "]", SUP_END)) or _ends_in_number(text):
        return False
    if following.kind == "item":
        return True
    long_words = [w for w in words if len(w) > 3 and w[0].isalpha() and w not in _SMALL_WORDS]
    return following.gap and bool(long_words) and all(w[0].isupper() for w in long_words)


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
