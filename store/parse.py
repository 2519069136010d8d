"""From an article file to an `Article`, or to every reason why not.

A file is untrusted. Sizes are limited before anything is parsed; YAML is read as plain text
scalars (no tags, anchors or types of its own: `no`, `0123` and `1:30` mean what they look like)
and typed by the model below; Markdown is walked as tokens, so that HTML and links are seen and
refused rather than carried into a reply.
"""

import os
import re
import stat
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from store.article import (
    AnswerableProbe,
    Article,
    Part,
    Reference,
    Review,
    Section,
    Statement,
    Status,
    UnanswerableProbe,
)
from store.checks import run
from store.checks.dates import utc_today
from store.checks.instructions import instructions
from store.checks.names import Name, names_of, shared_names
from store.checks.problem import Piece, Problem, cut, place, some
from store.checks.statements import MAX_STATEMENT_CHARS as MAX_STATEMENT_CHARS
from store.errors import ArticlesProblem
from store.sentences import sentence_spans

MAX_BYTES = 250_000
MAX_LINES = 10_000
MAX_DEPTH = 8
MAX_BLOCK_CHARS = 20_000
"""A paragraph, bullet or heading."""
MAX_EMPHASIS = 10_000
"""`*` and `_` in a body: a quarter of a million of them take Markdown seconds."""
MAX_HEADING_CHARS = 300
MAX_STATEMENTS = 2_000
MAX_PROBLEMS = 1_000
"""More are not listed; the file is refused."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What reading one file gave: an article when nothing is an error."""

    path: Path
    slug: str
    article: Article | None
    problems: tuple[Problem, ...]
    names: tuple[Name, ...] = ()
    """Topic and aliases, also of a refused article; none of one that is retired or withdrawn."""
    slug_line: int = 1

    @property
    def accepted(self) -> bool:
        """Whether the article may enter a build."""
        return self.article is not None


# --------------------------------------------------------------------------- front matter


def _list(value: Any) -> Any:
    """One item where a list is expected is a list of one; nothing is an empty list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _names(value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(";") if part.strip()]
    return _list(value)


Text = Annotated[str, Field(min_length=1, max_length=1000)]
Remark = Annotated[str, Field(max_length=2000)]
Texts = Annotated[list[Text], BeforeValidator(_list), Field(max_length=200)]


def _day(value: Any) -> Any:
    # Left to itself pydantic takes a number for seconds since 1970.
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)):
        raise ValueError("not a date; write it as YYYY-MM-DD")
    return value


def _number(value: Any) -> Any:
    # `1` and `01` would be one number, and one of the two references lost.
    if not re.fullmatch(r"[1-9][0-9]{0,3}", str(value)):
        raise ValueError(f"{str(value)[:20]!r} is not a reference number; use 1 to 9999")
    return value


Day = Annotated[date, BeforeValidator(_day)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class _Reference(_Model):
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,40}$")]
    title: Text
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,80}$")] | None = None
    authors: Annotated[list[Text], BeforeValidator(_names), Field(max_length=500)] = []
    journal: Text | None = None
    year: Annotated[int, Field(ge=1800, le=2200)] | None = None
    volume: Text | None = None
    pages: Text | None = None
    pmid: Text | None = None
    doi: Text | None = None
    accession: Text | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"]{3,500}$")] | None = None
    retracted: bool = False
    grade: Text | None = None


class _Review(_Model):
    by: Text
    at: Day
    decision: Text
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    note: Remark = ""


class _Answerable(_Model):
    question: Text
    statements: Annotated[list[Text], BeforeValidator(_list), Field(min_length=1, max_length=20)]
    paraphrases: Texts = []


class _Unanswerable(_Model):
    question: Text
    reason: Remark = ""


class _Probes(_Model):
    answerable: Annotated[list[_Answerable], BeforeValidator(_list), Field(max_length=100)] = []
    unanswerable: Annotated[list[_Unanswerable], BeforeValidator(_list), Field(max_length=100)] = []


class _FrontMatter(_Model):
    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,57}$")]
    title: Text
    status: Status
    updated: Day
    topic: Text | None = None
    aliases: Texts = []
    notice: Annotated[str, Field(max_length=200)] = ""
    review_by: Day | None = None
    reviews: Annotated[list[_Review], BeforeValidator(_list)] = []
    references: Annotated[
        dict[Annotated[int, BeforeValidator(_number)], _Reference],
        Field(max_length=1000),
    ] = {}
    conflicts: Texts = []
    probes: _Probes = _Probes()


_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# YAML refuses the first and counts the others as line ends, which no editor does.
_NO_YAML = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


@dataclass(slots=True)
class _Open:
    """A list or mapping of the front matter that has begun and not ended."""

    value: dict[str, Any] | list[Any]
    path: tuple[Any, ...]
    key: str | None = None


def _front_matter(
    text: str, lines: dict[tuple[Any, ...], int], pieces: list[Piece]
) -> dict[str, Any]:
    """The YAML as nested dicts, lists and strings.

    `lines` gets where each field stands, and `pieces` every text, known as a field or not.
    """
    odd = _NO_YAML.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 2
        raise _Bad("yaml", f"has the control character U+{ord(odd[0]):04X}; delete it", line)
    root: Any = None
    opened: list[_Open] = []
    documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        kind = type(event)
        if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            opened.pop()
            continue
        if kind is yaml.DocumentStartEvent:
            documents += 1
            if documents > 1:
                raise _Bad("yaml", "a second document begins; write one list of fields", _at(event))
        if not isinstance(event, yaml.NodeEvent):
            continue
        if kind is yaml.AliasEvent or event.anchor:
            said = "anchors and aliases (&a, *a) are not allowed; quote the value, or write it out"
            raise _Bad("yaml", said, _at(event))
        if getattr(event, "tag", None):
            raise _Bad(
                "yaml", "tags (!…) are not allowed; quote the value, or leave it out", _at(event)
            )
        inside = opened[-1] if opened else None
        if inside is not None and inside.key is None and isinstance(inside.value, dict):
            inside.key = _key(event, inside, lines)
            continue
        path = _path(inside)
        line = lines.setdefault(path, _at(event))
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            empty = event.value == "" or (not event.style and event.value in {"null", "~"})
            value = None if empty else event.value
            if not empty:
                pieces.append(Piece(event.value, line, path))
        else:
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
            opened.append(_Open(value, path))
            if len(opened) > MAX_DEPTH:
                said = f"nested deeper than {MAX_DEPTH} levels; no field of an article is"
                raise _Bad("yaml", said, _at(event))
        if inside is None:
            root = value
        elif isinstance(inside.value, dict):
            inside.value[str(inside.key)], inside.key = value, None
        else:
            inside.value.append(value)
    if not isinstance(root, dict):
        raise _Bad("front_matter", "the front matter is not a list of `field: value` lines", 2)
    return root


def _key(event: yaml.NodeEvent, inside: _Open, lines: dict[tuple[Any, ...], int]) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise _Bad("yaml", "a list or mapping in the place of a field's name", _at(event))
    key = str(event.value)
    path = (*inside.path, key)
    if key in inside.value:
        field = ".".join(map(str, path))
        said = f"{cut(key)} is given twice; keep one"
        raise _Bad("duplicate_field", said, _at(event), field)
    lines[path] = _at(event)
    return key


def _path(inside: _Open | None) -> tuple[Any, ...]:
    if inside is None:
        return ()
    last = inside.key if isinstance(inside.value, dict) else len(inside.value)
    return (*inside.path, last)


def _at(event: yaml.Event) -> int:
    """The line in the file: YAML counts from nought, and `---` stands before it."""
    return int(event.start_mark.line) + 2  # type: ignore[union-attr]  # always marked


class _Bad(Exception):
    def __init__(self, code: str, message: str, line: int = 1, field: str = "") -> None:
        self.problem = Problem("error", code, message, line, field)


# --------------------------------------------------------------------------- body

_CITATION = re.compile(r"\[(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\]")
# Blocks first, and what is in them one by one, so that a long one can be refused unread. Link
# definitions (`[1]: …`) are ordinary text: otherwise they would vanish without a word. Links are
# looked for here: a row of brackets is what Markdown reads slowest.
_BLOCKS = MarkdownIt("commonmark").disable(["inline", "reference"])
_INLINE = MarkdownIt("commonmark").disable(["link", "image"])
_MARKED = re.compile(r"[\\`*_<&]")
"""Without one of these, what stands in a line of Markdown is its text."""
_SPACES = re.compile(r"[ \t\n]+")
_LINK = re.compile(r"(!\[[^\[\]]*)?\]\(")
_PARTS = {part.value.lower(): part for part in Part}


def read_statement(text: str, line: int = 0, block: int = 0) -> Statement:
    """A statement from text with `[1]`, `[2, 3]` or `[4-6]` markers."""
    pieces, length, last = [], 0, 0
    marks: dict[int, list[int]] = {}
    for m in _CITATION.finditer(text):
        pieces.append(text[last : m.start()].rstrip(" \t"))
        length += len(pieces[-1])
        last = m.end()
        # Markers side by side stand for one.
        marks.setdefault(length, []).extend(_numbers(m.group(1)))
    spaced = "".join((*pieces, text[last:]))
    clean = spaced.strip()
    lead = len(spaced) - len(spaced.lstrip())
    fitted: dict[int, list[int]] = {}
    for offset, numbers in marks.items():
        fitted.setdefault(min(max(offset - lead, 0), len(clean)), []).extend(numbers)
    kept = tuple((offset, _unique(numbers)) for offset, numbers in fitted.items())
    return Statement(clean, _unique(n for _, ns in kept for n in ns), kept, line, block)


def _unique(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))


def _numbers(inside: str) -> Iterator[int]:
    if inside.isdecimal():
        yield int(inside)
        return
    for item in re.split(r"[,;]", inside):
        ends = [int(x) for x in re.split(r"[–-]", item)]
        if len(ends) == 2 and ends[0] < ends[1] <= ends[0] + 100:
            yield from range(ends[0], ends[1] + 1)
        else:
            yield from ends


def _split_sentences(text: str, line: int, block: int) -> Iterator[Statement]:
    """A paragraph's sentences; a marker after the full stop stays with the sentence it closes."""
    whole = read_statement(text, line, block)
    spans = sentence_spans(whole.text)
    left = deque(whole.marks)
    for start, end in spans:
        marks = []
        while left and (left[0][0] <= end or end == spans[-1][1]):
            offset, mentioned = left.popleft()
            marks.append((max(offset - start, 0), mentioned))
        numbers = _unique(n for _, ns in marks for n in ns)
        yield Statement(whole.text[start:end], numbers, tuple(marks), line, block)


def _body(
    body: str, first_line: int, problems: list[Problem], pieces: list[Piece]
) -> tuple[Section, ...]:
    """The sections; `pieces` gets every text of the body, whether it is quoted or not."""
    sections: list[tuple[Part, str, list[Statement]]] = []
    part: Part | None = None
    if body.count("*") + body.count("_") > MAX_EMPHASIS:
        what = f"more than {MAX_EMPHASIS:,} `*` and `_`; write plain text"
        problems.append(Problem("error", "too_large", what, first_line))
        return ()
    item_depth, block, stated = 0, 0, 0
    tokens = _BLOCKS.parse(body)
    for i, token in enumerate(tokens):
        if len(problems) > MAX_PROBLEMS:
            break
        line = first_line + (token.map[0] if token.map else 0)
        if token.type == "list_item_open":
            item_depth += 1
        elif token.type == "list_item_close":
            item_depth -= 1
        elif token.type in {"html_block", "fence", "code_block"}:
            what = "HTML" if token.type == "html_block" else "a code block"
            pieces.append(Piece(token.content, line))
            problems.append(
                Problem("error", "markup", f"{what} is not carried into replies; remove it", line)
            )
        elif token.type == "heading_open":
            text = _inline_text(tokens[i + 1], line, problems)
            pieces.append(Piece(f"{token.markup} {text}", line))
            if token.tag == "h2":
                part = _PARTS.get(text.lower())
                if part is None:
                    known = " and ".join(f"`## {p.value}`" for p in Part)
                    problems.append(
                        Problem(
                            "error",
                            "unknown_part",
                            f"{cut('## ' + text)} is not a part of an article; the parts are "
                            f"{known}, and headings below them start with `###`",
                            line,
                        )
                    )
                    part = Part.RESEARCH
                sections.append((part, "", []))
            elif token.tag in {"h3", "h4", "h5", "h6"} and part is not None:
                if len(text) > MAX_HEADING_CHARS:
                    what = (
                        f"a heading of {len(text):,} characters; at most {MAX_HEADING_CHARS}, "
                        f"so shorten it: {cut(text)}"
                    )
                    problems.append(Problem("error", "heading_too_long", what, line))
                sections.append((part, text, []))
        elif token.type == "inline" and tokens[i - 1].type == "paragraph_open":
            text = _inline_text(token, line, problems)
            pieces.append(Piece(text, line))
            if not sections:
                problems.append(
                    Problem(
                        "error",
                        "text_before_part",
                        f"text before the first part heading: {cut(text)}; put it below "
                        f"`## {Part.GUIDELINES.value}` or `## {Part.RESEARCH.value}`",
                        line,
                    )
                )
                continue
            block += 1
            if item_depth > 0:
                found = [s for s in [read_statement(text, line, block)] if s.text]
            else:
                found = list(_split_sentences(text, line, block))
            if text and not found:
                problems.append(
                    Problem(
                        "error",
                        "citation_without_text",
                        f"{cut(text)} stands alone; put it behind the sentence that it supports",
                        line,
                    )
                )
            sections[-1][2].extend(found)
            stated += len(found)
            if stated > MAX_STATEMENTS:
                what = f"more than {MAX_STATEMENTS:,} statements; divide the article"
                problems.append(Problem("error", "too_large", what, line))
                break
    kept = [(p, h, s) for p, h, s in sections if s]
    return tuple(
        Section(f"s{n}", p, heading, tuple(statements))
        for n, (p, heading, statements) in enumerate(kept, 1)
    )


def _inline_text(token: Token, line: int, problems: list[Problem]) -> str:
    if len(token.content) > MAX_BLOCK_CHARS:
        what = (
            f"{len(token.content):,} characters without a blank line; at most {MAX_BLOCK_CHARS:,}, "
            f"so divide them: {cut(token.content)}"
        )
        problems.append(Problem("error", "too_large", what, line))
        return ""
    for m in _LINK.finditer(token.content):
        problems.append(_markup("an image" if m.group(1) else "a link", line))
    if not _MARKED.search(token.content):
        return _SPACES.sub(" ", token.content).strip()
    out = []
    for child in _INLINE.parseInline(token.content)[0].children or []:
        if child.type in {"softbreak", "hardbreak"}:
            out.append(" ")
        elif child.type in {"html_inline", "link_open"}:
            problems.append(_markup("HTML" if child.type == "html_inline" else "a link", line))
        if child.type in {"text", "text_special", "code_inline"}:
            out.append(child.content)
    return _SPACES.sub(" ", "".join(out)).strip()


def _markup(what: str, line: int) -> Problem:
    message = (
        f"{what} is not carried into replies; write plain text (a bare < as `\\<`) "
        "and cite a reference"
    )
    return Problem("error", "markup", message, line)


# --------------------------------------------------------------------------- a file


def parse_bytes(raw: bytes, path: Path, today: date | None = None) -> ParsedFile:
    """The article in a file's bytes, or all its problems, each with line and field.

    `today` (UTC unless given) decides which dates lie in the future and which reviews are due.
    """
    problems: list[Problem] = []
    article: Article | None = None
    names: tuple[Name, ...] = ()
    try:
        article, names = _parse(raw, problems, today or utc_today())
    except _Bad as bad:
        problems.append(bad.problem)
    if len(problems) > MAX_PROBLEMS:
        problems = [
            *problems[:MAX_PROBLEMS],
            Problem("error", "too_many_problems", "there are more problems than are listed here"),
        ]
    slug, slug_line = _guess_slug(raw, path)
    slug = article.slug if article else slug
    if any(p.severity == "error" for p in problems):
        article = None
    last = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n") + 1
    tidied = sorted((_tidy(p, last) for p in problems), key=lambda p: p.line)
    return ParsedFile(path, slug, article, tuple(tidied), names, slug_line)


def _tidy(problem: Problem, last_line: int) -> Problem:
    """The problem on one line of bearable length, within the file."""
    message, field = _shown(problem.message, 700), _shown(problem.field, 200)
    line = min(max(problem.line, 1), last_line)
    if (message, field, line) == (problem.message, problem.field, problem.line):
        return problem
    return replace(problem, message=message, field=field, line=line)


def _shown(text: str, most: int) -> str:
    if not text.isprintable():
        seen = text[:most]
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in seen) + text[most:]
    return text if len(text) <= most else text[: most - 1] + "…"


def _guess_slug(raw: bytes, path: Path) -> tuple[str, int]:
    """The slug as it stands in a file that need not be sound, and its line."""
    named = re.search(rb"^slug:[ \t]*[\"']?([a-z0-9][a-z0-9_-]{0,57})", raw[:4000], re.MULTILINE)
    if named is None:
        return _shown(path.stem, 200), 1
    return named.group(1).decode(), raw.count(b"\n", 0, named.start()) + 1


def _parse(
    raw: bytes, problems: list[Problem], today: date
) -> tuple[Article | None, tuple[Name, ...]]:
    if len(raw) > MAX_BYTES:
        said = f"larger than {MAX_BYTES:,} bytes, the most an article may have; divide it"
        raise _Bad("too_large", said)
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        said = "contains NUL bytes, so it is no text in UTF-8; save it as UTF-8"
        raise _Bad("binary", said, line)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw[: e.start].count(b"\n") + 1
        raise _Bad("encoding", f"not UTF-8 at byte {e.start}; save it as UTF-8", line) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MAX_LINES:
        said = f"more than {MAX_LINES:,} lines, the most an article may have; divide it"
        raise _Bad("too_large", said)
    opened = re.match(r"---[ \t]*\n(.*?\n)---[ \t]*(\n|$)", text, re.DOTALL)
    if not opened:
        raise _Bad("front_matter", "does not start with front matter between two `---` lines")
    lines: dict[tuple[Any, ...], int] = {}
    pieces: list[Piece] = []
    try:
        data = _front_matter(opened.group(1), lines, pieces)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        what = getattr(e, "problem", None) or "not valid YAML"
        said = f"{what}; check quotes, colons and indents here"
        raise _Bad("yaml", said, mark.line + 2 if mark else 2) from None
    front = _typed(data, lines, problems)
    problems.extend(islice(run.front_matter(pieces), MAX_PROBLEMS))
    body_line = text[: opened.end()].count("\n") + 1
    stated: list[Piece] = []
    sections = _body(text[opened.end() :], body_line, problems, stated)
    # Markup is told once.
    told = {p.line for p in problems if p.code == "markup"}
    plain = [p for p in stated if p.line not in told]
    problems.extend(islice(run.body(plain), MAX_PROBLEMS))
    pieces += [*_comments(opened.group(1)), *stated]
    problems.extend(islice(instructions(pieces), MAX_PROBLEMS))
    if front is None:
        return None, ()
    article = _article(front, sections)
    if len(problems) <= MAX_PROBLEMS:
        problems.extend(islice(run.article(article, lines, today), MAX_PROBLEMS + 1))
    served = article.status not in {Status.RETIRED, Status.WITHDRAWN}
    return article, names_of(article, lines) if served else ()


def _comments(front: str) -> Iterator[Piece]:
    """What stands behind `#` in the front matter: nobody is shown it, but a model may be."""
    if "#" not in front:
        return
    for n, line in enumerate(front.split("\n"), 2):
        before, mark, comment = line.partition("#")
        if mark and not before.strip():
            yield Piece(comment, n)


def _typed(
    data: Any, lines: dict[tuple[Any, ...], int], problems: list[Problem]
) -> _FrontMatter | None:
    try:
        return _FrontMatter.model_validate(data)
    except ValidationError as e:
        for error in e.errors(include_url=False, include_input=False):
            path = tuple(p for p in error["loc"] if p != "[key]")
            line, field = place(lines, *path)
            code, message = _worded(error["type"], error["msg"], str(path[-1]) if path else "")
            problems.append(Problem("error", code, message, line, field))
        return None


_FORMS = {
    "slug": "use a-z, 0-9, - and _ only, at most 58 characters",
    "kind": "use a word in lower case, such as rct, cohort or case_series",
    "key": "use letters, digits and . _ : - only, at most 80 characters",
    "url": "use an address that starts with https:// and has no spaces",
    "sha256": "copy the 64 digits from `corollary articles show`",
}
_TYPES = {
    "string_too_short": "is empty; write it, or leave the field out",
    "string_type": "is empty or a list; write one text, in quotes, or leave the field out",
    "int_parsing": "is not a whole number; write one, such as 2024",
    "bool_parsing": "is neither true nor false; write one of the two",
    "date_from_datetime_parsing": "is not a day of the calendar; write it as YYYY-MM-DD",
    "date_parsing": "is not a day of the calendar; write it as YYYY-MM-DD",
    "dict_type": "has no fields of its own; write them below it, one `name: value` a line",
    "model_type": "has no fields of its own; write them below it, one `name: value` a line",
}


def _worded(kind: str, message: str, name: str) -> tuple[str, str]:
    if kind == "missing":
        return "missing_field", f"`{name}` is missing; add it"
    if kind == "extra_forbidden":
        return "unknown_field", f"{cut(name)} is not a field of an article; check its spelling"
    code = f"unknown_{name}" if kind == "enum" else "bad_value"
    if kind == "string_pattern_mismatch" and name in _FORMS:
        return code, f"is not a {name}; {_FORMS[name]}"
    return code, _TYPES.get(kind, message.removeprefix("Value error, "))


def _article(front: _FrontMatter, sections: tuple[Section, ...]) -> Article:
    references = tuple(
        Reference(
            **{
                **dict(r),
                "number": number,
                "key": r.key or r.pmid or r.doi or f"{front.slug}.{number}",
                "authors": tuple(r.authors),
            }
        )
        for number, r in sorted(front.references.items())
    )
    texts = [s.text for section in sections for s in section.statements]
    return Article(
        slug=front.slug,
        title=front.title,
        topic=front.topic or front.title,
        aliases=tuple(front.aliases),
        status=front.status,
        updated=front.updated,
        review_by=front.review_by,
        reviews=tuple(Review(**dict(r)) for r in front.reviews),
        references=references,
        sections=sections,
        conflicts=tuple(read_statement(c) for c in front.conflicts),
        answerable=tuple(
            AnswerableProbe(
                p.question,
                tuple(next((t for t in texts if x in t), x) for x in p.statements),
                tuple(p.paraphrases),
            )
            for p in front.probes.answerable
        ),
        unanswerable=tuple(
            UnanswerableProbe(p.question, p.reason) for p in front.probes.unanswerable
        ),
        notice=front.notice,
    )


def slug_in(path: Path) -> str:
    """The slug as it stands near the start of a file that need not be sound; nothing is parsed.

    The name of the file when it gives none, or cannot be read.
    """
    try:
        raw = path.read_bytes()[:4000] if path.is_file() else b""
    except OSError:
        raw = b""
    return _guess_slug(raw, path)[0]


# --------------------------------------------------------------------------- a folder


def parse_file(path: Path, today: date | None = None) -> ParsedFile:
    """The article in a file, or all its problems; an unreadable file is a problem too."""
    if any(unicodedata.category(c) in {"Cc", "Cs"} for c in str(path)):
        # It could not even be told which file it is without harm to a terminal, or at all.
        shown = Path(_shown(os.fsencode(path).decode(errors="backslashreplace"), 1000))
        return _unreadable(shown, "its name has characters that cannot be shown; rename it")
    try:
        return parse_bytes(_read(path), path, today)
    except OSError as e:
        return _unreadable(
            path, f"cannot be read ({e.strerror or e}); check the file and its rights"
        )
    except _Bad as bad:
        return _unreadable(path, bad.problem.message)


def _unreadable(path: Path, message: str) -> ParsedFile:
    problem = Problem("error", "unreadable", message)
    return ParsedFile(path, _shown(path.stem, 200), None, (problem,))


def _read(path: Path) -> bytes:
    """The bytes of a regular file, one more than an article may have at most.

    A pipe would be waited for and a device may do anything, so neither is opened; should the file
    have become one meanwhile, opening does not wait.
    """
    _be_regular(os.stat(path))
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    opened = os.open(path, flags)
    try:
        _be_regular(os.fstat(opened))
        read = b""
        while len(read) <= MAX_BYTES:
            more = os.read(opened, MAX_BYTES + 1 - len(read))
            if not more:
                break
            read += more
        return read
    finally:
        os.close(opened)


def _be_regular(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        said = "is a folder; name a file, or see that the folder may be read"
        raise _Bad("unreadable", said)
    if not stat.S_ISREG(found.st_mode):
        raise _Bad("unreadable", "is a pipe, socket or device; name a file")


def article_files(folder: Path) -> list[Path]:
    """The Markdown files below the folder but READMEs, in a fixed order; never one outside it.

    A folder below it that cannot be listed is among them, so that reading it says so.
    """
    if not os.path.isdir(folder):
        raise ArticlesProblem(
            f"The article folder {folder} does not exist.",
            "Create it, or point COROLLARY_ARTICLES_DIR at the folder that holds the articles.",
        )
    root = Path(os.path.realpath(folder))
    found: list[Path] = []
    left = [folder]
    while left:
        at = left.pop()
        try:
            with os.scandir(at) as listing:
                entries = [e for e in listing if not e.name.startswith(".")]
        except OSError as e:
            if at == folder:
                raise ArticlesProblem(
                    f"The article folder {folder} cannot be read: {e.strerror or e}.",
                    "Allow this user to read it, or point COROLLARY_ARTICLES_DIR elsewhere.",
                ) from e
            found.append(at)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                left.append(at / entry.name)
            elif _is_article(entry, root):
                found.append(at / entry.name)
    return sorted(found)


def _is_article(entry: os.DirEntry[str], root: Path) -> bool:
    """Whether an entry is a Markdown file of the folder, or a link to one within it."""
    name = entry.name.lower()
    if not name.endswith(".md") or name == "readme.md":
        return False
    if entry.is_symlink():
        # Links may form a ring, which asking the entry itself would trip over.
        real = os.path.realpath(entry.path)
        return Path(real).is_relative_to(root) and os.path.isfile(real)
    return entry.is_file()


def parse_paths(paths: Iterable[Path], today: date | None = None) -> list[ParsedFile]:
    """Every file, with slugs that occur twice refused in both places and shared names told."""
    files: list[ParsedFile] = []
    for path in paths:
        within = article_files(path) if os.path.isdir(path) else [path]
        files.extend(parse_file(p, today) for p in within)
    owners: dict[str, list[Path]] = {}
    for f in files:
        owners.setdefault(f.slug, []).append(f.path)
    files = [_refuse_twin(f, owners[f.slug]) for f in files]
    # A file named twice is one file.
    once = {os.path.abspath(f.path): i for i, f in enumerate(files)}
    named = [i for i in once.values() if files[i].names]
    shared = shared_names([(files[i].slug, files[i].names) for i in named])
    for at, told in shared.items():
        f = files[named[at]]
        problems = sorted((*f.problems, *told), key=lambda p: p.line)
        files[named[at]] = replace(f, problems=tuple(problems))
    return files


def _refuse_twin(f: ParsedFile, owners: list[Path]) -> ParsedFile:
    here = os.path.abspath(f.path)
    others = [p for p in owners if os.path.abspath(p) != here]
    if not others:
        return f
    message = (
        f"the slug `{f.slug}` is also used by {some([str(p) for p in others])}; "
        "give one another slug"
    )
    problem = Problem("error", "duplicate_slug", message, f.slug_line, "slug")
    problems = sorted((*f.problems, problem), key=lambda p: p.line)
    return replace(f, article=None, problems=tuple(problems))
