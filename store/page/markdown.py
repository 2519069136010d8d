"""The blocks of a page as the body of an article, word for word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from store.article import Statement, with_markers
from store.page.blocks import Block
from store.page.citations import Scheme, cited
from store.page.text import MAX_DEPTH, SUP, SUP_END, Note
from store.parse import read_statement
from store.sentences import sentence_spans

_URL = re.compile(r"https?://[^\s<>\"]*")
_SPECIAL = re.compile(r"[\\`*_<~]|&(?=#?\w{1,40};)|(?<=\])\(|#+$")
_LEADING = re.compile(r"[#>+=-]|\d{1,9}(?=[.)](?:\s|$))")
_MARKERS = re.compile(r"\s*\[\d{1,4}(?:\s?[,;–-]\s?\d{1,4})*\]")


@dataclass(slots=True)
class Markdown:
    """The body so far."""

    lines: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    """Their lines count from 1 in the body."""
    cited: dict[int, int] = field(default_factory=dict)
    """Each number that is cited, with the first line that cites it."""
    indents: list[int] = field(default_factory=list)
    """Of a list that goes on: columns where the texts of its levels begin."""

    def note(self, severity: Literal["warning", "info"], code: str, message: str) -> None:
        """A note for the line that comes next."""
        self.notes.append(Note(severity, code, message, len(self.lines) + 1))

    def open(self) -> None:
        """A blank line, after which a paragraph or heading can stand."""
        self.indents = []
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def item(self, text: str, level: int, number: int) -> None:
        """An item of a list, which goes on or begins."""
        if not self.indents:
            self.open()
        del self.indents[min(level, MAX_DEPTH) :]
        marker = f"{number}. " if number else "- "
        column = self.indents[-1] if self.indents else 0
        self.indents.append(column + len(marker))
        self.lines.append(" " * column + marker + text)


def body_of(blocks: Sequence[Block], scheme: Scheme) -> Markdown:
    """The parts in Markdown, in the order of the page."""
    markdown = Markdown()
    parts: set[str] = set()
    for block in blocks:
        if block.kind == "part":
            markdown.open()
            if block.text in parts:
                what = f"the page has more than one part {block.text!r}; see that both belong"
                markdown.note("warning", "part_twice", what)
            parts.add(block.text)
            markdown.lines += [f"## {block.text}", ""]
        elif block.kind == "heading":
            _add_heading(markdown, block)
        elif block.kind == "table":
            what = f"a table stands here on the page and was left out: {block.text[:60]!r}"
            markdown.note("warning", "table_left_out", what)
        elif block.kind == "stray":
            what = f"{block.text[:60]!r} stands alone on the page, behind no text; left out"
            markdown.note("warning", "stray_number", what)
        else:
            _add_statement(markdown, block, scheme)
    while markdown.lines and not markdown.lines[-1]:
        markdown.lines.pop()
    return markdown


def _add_heading(markdown: Markdown, block: Block) -> None:
    text = _MARKERS.sub("", re.sub(f"{SUP}[^{SUP_END}]*{SUP_END}", "", block.text))
    text = _URL.sub("", text).rstrip(": ").strip()
    markdown.open()
    if text != block.text.rstrip(": "):
        what = "a citation or link in the heading was left out; headings are not cited"
        markdown.note("warning", "citation_in_heading", what)
    if block.doubt:
        markdown.note("warning", "doubtful_heading", block.doubt)
    markdown.lines += [f"### {_escaped(text)}", ""]


def _add_statement(markdown: Markdown, block: Block, scheme: Scheme) -> None:
    without_links = _URL.sub(lambda m: m.group()[len(m.group().rstrip(".,;:)")) :], block.text)
    result = cited(" ".join(without_links.split()), scheme)
    texts, notes = [result.text], list[Note]()
    if block.kind == "item":
        texts, notes = _divided(result.text)
    else:
        markdown.open()
    if without_links != block.text:
        notes.append(Note("warning", "link_left_out", "an address in the text was left out"))
    for piece in result.doubts:
        what = f"is the number a citation? Write it as [n] if so: {piece!r}"
        notes.append(Note("warning", "doubtful_citation", what))
    if block.doubt:
        notes.append(Note("warning", "doubtful_heading", block.doubt))
    for note in notes:
        markdown.note(note.severity, note.code, note.message)
    for text in texts:
        for number in read_statement(text).citations:
            markdown.cited.setdefault(number, len(markdown.lines) + 1)
        if block.kind == "item":
            markdown.item(_escaped(text), block.level, block.number)
        else:
            markdown.lines += [_escaped(text), ""]


def _divided(text: str) -> tuple[list[str], list[Note]]:
    """A long bullet as one for each sentence, when every sentence carries its own citation.

    Otherwise it stays whole, for only a person can say what its citations support.
    """
    whole = read_statement(text)
    spans = sentence_spans(whole.text)
    if len(spans) < 3 or len(text.split()) <= 60:
        return [text], []
    pieces = [_piece(whole, start, end, end == spans[-1][1]) for start, end in spans]
    lengths = f"a bullet of {len(spans)} sentences"
    if all(p.citations for p in pieces):
        what = f"{lengths}, each with its own citation, was divided into {len(spans)} bullets"
        return [with_markers(p.text, p.marks) for p in pieces], [
            Note("info", "bullet_divided", what)
        ]
    what = (
        f"{lengths}, some without a citation of their own; it is quoted whole unless you divide it"
    )
    return [text], [Note("warning", "long_bullet", what)]


def _piece(whole: Statement, start: int, end: int, last: bool) -> Statement:
    """A sentence with the marks behind the words from `start` to `end`."""
    marks = tuple(
        (min(offset, end) - start, numbers)
        for offset, numbers in whole.marks
        if start < offset and (offset <= end or last)
    )
    return Statement(whole.text[start:end], tuple(n for _, ns in marks for n in ns), marks)


def _escaped(text: str) -> str:
    """The text as Markdown that means these very characters."""
    safe = _SPECIAL.sub(r"\\\g<0>", text)
    if found := _LEADING.match(safe):
        cut = found.end() if found.group().isdigit() else 0
        safe = f"{safe[:cut]}\\{safe[cut:]}"
    return safe
