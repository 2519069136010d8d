"""A published question page, saved as plain text or HTML, as the draft of an article.

The page becomes lines (`text`, `html`), the lines become blocks below the two parts
(`blocks`), and the blocks become Markdown that the parser reads back word for word
(`markdown`). Nothing is rephrased and nothing is filled in: what is not certain is left as it
stands and named in a note. The draft is always `submitted`, whatever review the page claims, and
nothing is ever fetched.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import PurePath

from store.article import Part, Status
from store.errors import ArticlesProblem
from store.page.blocks import SortedLines, kept_blocks, sort_lines
from store.page.citations import scheme_of
from store.page.facts import review_notes, title_of, updated_of
from store.page.html import html_page
from store.page.markdown import body_of
from store.page.references import ReferenceList, read_references
from store.page.text import Note, Page, clean, text_page

__all__ = ["Draft", "Note", "read_page"]

MAX_BYTES = 2_000_000
MAX_NOTES = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """A Markdown file with front matter, and what a person must look at in it."""

    slug: str
    text: str
    notes: tuple[Note, ...]
    """In the order of the lines; at most MAX_NOTES."""


def read_page(raw: bytes, *, today: date, name: str = "") -> Draft:
    """The draft of an article from a page in UTF-8 plain text or HTML.

    `name` is the file's name; its ending may say that it is HTML. ArticlesProblem when the page
    is too large or no text, or has no title question, or nothing below "From the guidelines" and
    "From the research".
    """
    page, notes = _page(raw, name)
    title, title_notes = title_of(page)
    found = sort_lines(page.lines)
    references = read_references(found.references or sort_lines(page.lines, margin=True).references)
    blocks = kept_blocks(found)
    highest = max((e.number for e in references.entries), default=0)
    scheme = scheme_of((b.text for b in blocks if b.kind in {"item", "text"}), highest)
    body = body_of(blocks, scheme)
    updated, date_notes = updated_of(found.outside, today)
    slug = _slug(title)
    front = _Front()
    front.add("---")
    front.add(f"# Unreviewed draft, imported on {today} from {_file_name(name)}. Nothing in it has")
    front.add("# been checked. Read it against the page and its sources.", *notes)
    front.add(f"slug: {slug}")
    front.add(f"title: {_quoted(title)}", *title_notes)
    front.add(f"status: {Status.SUBMITTED}", *review_notes(found.outside))
    front.add(f"updated: {updated}", *date_notes)
    _add_references(front, references)
    for line in _HINTS:
        front.add(line)
    front.add("---", *_left_out(page, found, title))
    front.add("")
    shift = len(front.lines)
    notes = [*front.notes, *(replace(n, line=n.line + shift) for n in body.notes)]
    notes += _unresolved(body.cited, {e.number for e in references.entries}, shift)
    notes.sort(key=lambda n: n.line)
    if len(notes) > MAX_NOTES:
        more = f"{len(notes) - MAX_NOTES + 1} more notes are not listed"
        notes = [*notes[: MAX_NOTES - 1], Note("warning", "too_many_notes", more)]
    return Draft(slug, "\n".join([*front.lines, *body.lines]) + "\n", tuple(notes))


# --------------------------------------------------------------------------- the file

_SAVE = 'Save the page as "Web page, HTML only", or its text as a plain text file in UTF-8.'
_FORMATS = {b"%PDF": "a PDF", b"PK\3\4": "a Word or ZIP file", b"{\\rtf": "an RTF file"}
_MHTML = re.compile(rb"^MIME-Version:.{0,2000}?multipart/related", re.I | re.M | re.S)
_IS_HTML = re.compile(
    r"<(?:!doctype html|html|head|body|article|main|section|div|title|meta|h[1-6])\b", re.I
)
_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I)
_SINGLE_BYTE = re.compile(r"windows-125\d|iso-8859-\d{1,2}|koi8-[ru]")
_AS_WINDOWS = frozenset({"iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii", "cp1252"})


def _page(raw: bytes, name: str) -> tuple[Page, list[Note]]:
    """The lines of the file, and what reading it has to say."""
    if len(raw) > MAX_BYTES:
        raise ArticlesProblem(
            f"The page is larger than {MAX_BYTES:,} bytes.", "Save the page of one question alone."
        )
    for signature, what in _FORMATS.items():
        if raw.startswith(signature):
            raise ArticlesProblem(f"The file is {what}, not a text or HTML page.", _SAVE)
    if _MHTML.search(raw[:5000]):
        raise ArticlesProblem("The file is a web archive (MHTML), not an HTML page.", _SAVE)
    if b"\0" in raw:
        raise ArticlesProblem("The file contains NUL bytes; it is not UTF-8 text.", _SAVE)
    named = name.lower().endswith((".html", ".htm", ".xhtml"))
    is_html = named or bool(_IS_HTML.search(raw[:5000].decode("latin-1")))
    text, notes = _decoded(raw, is_html)
    return (html_page(text) if is_html else text_page(text)), notes


def _decoded(raw: bytes, is_html: bool) -> tuple[str, list[Note]]:
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as e:
        problem = ArticlesProblem(f"The page is not UTF-8 at byte {e.start}.", _SAVE)
    declared = _CHARSET.search(raw[:5000])
    charset = declared.group(1).decode("ascii", "replace").lower() if declared else "windows-1252"
    charset = "windows-1252" if charset in _AS_WINDOWS else charset
    if not is_html or not _SINGLE_BYTE.fullmatch(charset):
        raise problem
    try:
        text = raw.decode(charset)
    except (UnicodeDecodeError, LookupError):
        raise problem from None
    what = f"the page is not UTF-8 and was read as {charset}; see that accents and signs are right"
    return text, [Note("warning", "encoding", what)]


# --------------------------------------------------------------------------- front matter

_HINTS = """\
# For the editor to fill in, without the `# `; docs/articles.md says what each field means.
# topic: short name of the subject
# aliases: [another name, an abbreviation]
# review_by: YYYY-MM-DD
# conflicts: ["What the two parts disagree on, with citations. [1, 2]"]
# probes:
#   answerable:
#     - question: a follow-up that the article must answer
#       statements: [a piece of each statement that answers it]
#   unanswerable:
#     - question: a follow-up that it must refuse
#       reason: why""".split("\n")
_STOP_WORDS = frozenset(
    """
    a about an and any are as at be been by can could did do does for from had has have how i in
    into is it its may me my no not null of on or our should than that the their there these this
    those to was we were what when where which who whom why will with would you your
    """.split()
)
_MAX_SLUG = 58


@dataclass(slots=True)
class _Front:
    """The lines before the body, and the notes on them."""

    lines: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def add(self, line: str, *notes: Note) -> None:
        """A line with what is to be said of it."""
        self.lines.append(line)
        self.notes += [replace(n, line=len(self.lines)) for n in notes]


def _add_references(front: _Front, references: ReferenceList) -> None:
    if references.unnumbered:
        what = f"{references.unnumbered} lines of the list of references have no number; left out"
        front.notes.append(Note("warning", "unnumbered_references", what, len(front.lines)))
    if references.entries:
        front.add("references:")
    for entry in references.entries:
        what = f"reference {entry.number} seems to be several documents; the text is kept whole"
        several = [Note("warning", "several_documents", what)] if entry.several else []
        front.add(f"  {entry.number}:", *several)
        front.add("    kind: unclassified")
        for name, value in entry.fields.items():
            front.add(f"    {name}: {_quoted(value)}")


def _left_out(page: Page, found: SortedLines, title: str) -> Iterator[Note]:
    """What of the page is not in the draft, besides what has a place of its own."""
    if page.hidden_characters:
        what = f"invisible or direction-changing characters were left out: {page.hidden_characters}"
        yield Note("warning", "hidden_characters", what)
    if page.hidden_passages:
        what = (
            f"passages that the page hides from its readers were left out: {page.hidden_passages}"
        )
        yield Note("info", "hidden_text", what)
    for heading in (h for h in found.sections if h != title):
        what = f"the section {heading[:60]!r} is neither part and was left out"
        yield Note("warning", "unknown_section", what)
    shown = {b.text for b in found.blocks if b.kind == "part"}
    for part in Part:
        if part.value not in shown:
            yield Note("info", "part_missing", f"the page has no part {part.value!r}")
    if found.furniture:
        some = ", ".join(repr(t[:40]) for t in found.furniture[:5])
        what = f"left out as furniture of the page: {some}"
        yield Note("info", "furniture", what)


def _unresolved(cited_at: dict[int, int], known: set[int], shift: int) -> list[Note]:
    """One warning with all numbers that no reference stands behind."""
    missing = sorted(set(cited_at) - known)
    if not missing:
        return []
    shown = ", ".join(map(str, missing[:50])) + (", …" if len(missing) > 50 else "")
    what = f"no reference on the page for {shown}; add them under `references`"
    line = min(cited_at[n] for n in missing) + shift
    return [Note("warning", "unresolved_citations", what, line)]


def _slug(title: str) -> str:
    """Words of the title in lower-case ASCII, as many as fit; a digest when it has none."""
    plain = title.replace("'", "")
    ascii_title = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", ascii_title)
    slug = ""
    for word in [w for w in words if w not in _STOP_WORDS] or [w for w in words if w != "null"]:
        longer = f"{slug}-{word}" if slug else word
        if len(longer) > _MAX_SLUG:
            break
        slug = longer
    return slug or f"page-{hashlib.sha256(title.encode()).hexdigest()[:10]}"


def _quoted(value: str | list[str]) -> str:
    """The value as JSON, which is YAML too."""
    return json.dumps(value, ensure_ascii=False)


def _file_name(name: str) -> str:
    shown = " ".join(clean(PurePath(name).name)[0].split())[:80]
    return shown or "a page"
