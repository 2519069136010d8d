"""From an article file to an `Article`, or to every reason why not.

A file is untrusted. Sizes are limited before anything is parsed; YAML is read as plain text
scalars (no tags, anchors or types of its own: `no`, `0123` and `1:30` mean what they look like)
and typed by the model below; Markdown is walked as tokens, so that HTML and links are seen and
refused rather than carried into a reply.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import (
    AfterValidator,
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
    is_quotable,
)
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
MAX_STATEMENT_CHARS = 3000
MAX_PROBLEMS = 1_000
"""More are not listed; the file is refused."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file. An error keeps the article out; a warning does not."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    line: int = 1
    field: str = ""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What reading one file gave: an article when nothing is an error."""

    path: Path
    slug: str
    article: Article | None
    problems: tuple[Problem, ...]

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


def _plain(text: str) -> str:
    if any(unicodedata.category(c) in {"Cc", "Cf"} for c in text):
        raise ValueError("contains control or direction-changing characters; delete them")
    if re.search(r"<[A-Za-z/!]|https?://", text):
        raise ValueError("contains HTML or a link; write plain text and cite a reference")
    return text


Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_plain)]
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
    pmid: Annotated[str, Field(pattern=r"^[1-9]\d{0,8}$")] | None = None
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/[^\s<>\"]{1,200}$")] | None = None
    accession: Text | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"]{3,500}$")] | None = None
    retracted: bool = False
    grade: Text | None = None


class _Review(_Model):
    by: Text
    at: Day
    decision: Text
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    note: str = ""


class _Answerable(_Model):
    question: Text
    statements: Annotated[list[Text], BeforeValidator(_list), Field(min_length=1, max_length=20)]
    paraphrases: Texts = []


class _Unanswerable(_Model):
    question: Text
    reason: str = ""


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
    notice: Annotated[str, AfterValidator(_plain), Field(max_length=200)] = ""
    review_by: Day | None = None
    reviews: Annotated[list[_Review], BeforeValidator(_list)] = []
    references: Annotated[
        dict[Annotated[int, BeforeValidator(_number)], _Reference],
        Field(max_length=1000),
    ] = {}
    conflicts: Texts = []
    probes: _Probes = _Probes()


def _front_matter(text: str, lines: dict[tuple[Any, ...], int]) -> Any:
    """The YAML as nested dicts, lists and strings; `lines` is filled with where each stands."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Bad("yaml", "anchors and aliases are not allowed", _line(event))
        if getattr(event, "tag", None):
            raise _Bad("yaml", "tags (!…) are not allowed", _line(event))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _Bad("yaml", f"nested deeper than {MAX_DEPTH}", _line(event))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    node = yaml.compose(text, Loader=_LOADER)
    if not isinstance(node, yaml.MappingNode):
        raise _Bad("front_matter", "the front matter is not a list of `field: value` lines", 2)
    return _value(node, (), lines)


def _line(of: Any) -> int:
    """The line in the file: YAML counts from nought, and `---` stands before it."""
    return int(of.start_mark.line) + 2


_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def _value(node: yaml.Node, path: tuple[Any, ...], lines: dict[tuple[Any, ...], int]) -> Any:
    lines.setdefault(path, _line(node))
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in found:
                raise _Bad(
                    "duplicate_field",
                    f"`{key}` is given twice",
                    _line(key_node),
                    ".".join(map(str, (*path, key))),
                )
            lines[(*path, key)] = _line(key_node)
            found[key] = _value(value_node, (*path, key), lines)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, i), lines) for i, child in enumerate(node.value)]
    empty = node.value == "" or (
        getattr(node, "style", None) is None and node.value in {"null", "~"}
    )
    return None if empty else node.value


class _Bad(Exception):
    def __init__(self, code: str, message: str, line: int = 1, field: str = "") -> None:
        self.problem = Problem("error", code, message, line, field)


# --------------------------------------------------------------------------- body

_CITATION = re.compile(r"[ \t]*\[(\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*)\]")
# Blocks first, and what is in them one by one, so that a long one can be refused unread. Link
# definitions (`[1]: …`) are ordinary text: otherwise they would vanish without a word. Links are
# looked for here: a row of brackets is what Markdown reads slowest.
_BLOCKS = MarkdownIt("commonmark").disable(["inline", "reference"])
_INLINE = MarkdownIt("commonmark").disable(["link", "image"])
_LINK = re.compile(r"(!\[[^\[\]]*)?\]\(")
_PARTS = {part.value.lower(): part for part in Part}


def read_statement(text: str, line: int = 0, block: int = 0) -> Statement:
    """A statement from text with `[1]`, `[2, 3]` or `[4-6]` markers."""
    pieces, length, last = [], 0, 0
    marks: dict[int, list[int]] = {}
    for m in _CITATION.finditer(text):
        pieces.append(text[last : m.start()])
        length += m.start() - last
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


def _body(body: str, first_line: int, problems: list[Problem]) -> tuple[Section, ...]:
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
            problems.append(
                Problem("error", "markup", f"{what} is not carried into replies; remove it", line)
            )
        elif token.type == "heading_open":
            text = _inline_text(tokens[i + 1], line, problems)
            if token.tag == "h2":
                part = _PARTS.get(text.lower())
                if part is None:
                    known = " and ".join(f"`## {p.value}`" for p in Part)
                    problems.append(
                        Problem(
                            "error",
                            "unknown_part",
                            f"`## {text}` is not a part of an article; the parts are {known}, "
                            "and headings below them start with `###`",
                            line,
                        )
                    )
                    part = Part.RESEARCH
                sections.append((part, "", []))
            elif token.tag in {"h3", "h4", "h5", "h6"} and part is not None:
                try:
                    _plain(text.replace("<", "< "))
                except ValueError as e:
                    problems.append(Problem("error", "markup", f"the heading {e}", line))
                if len(text) > MAX_HEADING_CHARS:
                    what = f"a heading of {len(text):,} characters; at most {MAX_HEADING_CHARS}"
                    problems.append(Problem("error", "heading_too_long", what, line))
                sections.append((part, text, []))
        elif token.type == "inline" and tokens[i - 1].type == "paragraph_open":
            text = _inline_text(token, line, problems)
            if not sections:
                problems.append(
                    Problem(
                        "error",
                        "text_before_part",
                        f"text before the first part heading: {text[:60]!r}; put it below "
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
                        f"{text[:60]!r} stands alone; put it behind the sentence that it supports",
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
            f"{len(token.content):,} characters without a blank line; at most {MAX_BLOCK_CHARS:,}"
        )
        problems.append(Problem("error", "too_large", what, line))
        return ""
    for m in _LINK.finditer(token.content):
        problems.append(_markup("an image" if m.group(1) else "a link", line))
    out = []
    for child in _INLINE.parseInline(token.content)[0].children or []:
        if child.type in {"softbreak", "hardbreak"}:
            out.append(" ")
        elif child.type in {"html_inline", "link_open"}:
            problems.append(_markup("HTML" if child.type == "html_inline" else "a link", line))
        if child.type in {"text", "text_special", "code_inline"}:
            out.append(child.content)
    return re.sub(r"\s+", " ", "".join(out)).strip()


def _markup(what: str, line: int) -> Problem:
    message = (
        f"{what} is not carried into replies; write plain text (a bare < as `\\<`) "
        "and cite a reference"
    )
    return Problem("error", "markup", message, line)


# --------------------------------------------------------------------------- a file


def parse_bytes(raw: bytes, path: Path) -> ParsedFile:
    """The article in a file's bytes, or all its problems, each with line and field."""
    problems: list[Problem] = []
    try:
        article = _parse(raw, problems)
    except _Bad as bad:
        problems.append(bad.problem)
        article = None
    if len(problems) > MAX_PROBLEMS:
        problems = [
            *problems[:MAX_PROBLEMS],
            Problem("error", "too_many_problems", "there are more problems than are listed here"),
        ]
    slug = article.slug if article else _guess_slug(raw, path)
    if any(p.severity == "error" for p in problems):
        article = None
    return ParsedFile(path, slug, article, tuple(sorted(problems, key=lambda p: p.line)))


def _guess_slug(raw: bytes, path: Path) -> str:
    named = re.search(rb"^slug:[ \t]*[\"']?([a-z0-9][a-z0-9_-]{0,57})", raw[:4000], re.MULTILINE)
    return named.group(1).decode() if named else path.stem


def _parse(raw: bytes, problems: list[Problem]) -> Article | None:
    if len(raw) > MAX_BYTES:
        raise _Bad("too_large", f"larger than {MAX_BYTES:,} bytes, the most an article may have")
    if b"\0" in raw:
        raise _Bad("binary", "contains NUL bytes; this is not a text file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw[: e.start].count(b"\n") + 1
        raise _Bad("encoding", f"not UTF-8 at byte {e.start}; save it as UTF-8", line) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MAX_LINES:
        raise _Bad("too_large", f"more than {MAX_LINES:,} lines, the most an article may have")
    opened = re.match(r"---[ \t]*\n(.*?\n)---[ \t]*(\n|$)", text, re.DOTALL)
    if not opened:
        raise _Bad("front_matter", "does not start with front matter between two `---` lines")
    lines: dict[tuple[Any, ...], int] = {}
    try:
        data = _front_matter(opened.group(1), lines)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        what = getattr(e, "problem", None) or "not valid YAML"
        raise _Bad("yaml", str(what), mark.line + 2 if mark else 2) from None
    front = _typed(data, lines, problems)
    body_line = text[: opened.end()].count("\n") + 1
    sections = _body(text[opened.end() :], body_line, problems)
    if front is None:
        return None
    article = _article(front, sections)
    if len(problems) <= MAX_PROBLEMS:
        problems.extend(islice(_check(article, lines), MAX_PROBLEMS + 1))
    return article


def _typed(
    data: Any, lines: dict[tuple[Any, ...], int], problems: list[Problem]
) -> _FrontMatter | None:
    try:
        return _FrontMatter.model_validate(data)
    except ValidationError as e:
        for error in e.errors(include_url=False, include_input=False):
            path = tuple(p for p in error["loc"] if p != "[key]")
            line = next((lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in lines), 1)
            field = ".".join(map(str, path))
            code, message = _worded(error["type"], error["msg"], str(path[-1]) if path else "")
            problems.append(Problem("error", code, message, line, field))
        return None


def _worded(kind: str, message: str, name: str) -> tuple[str, str]:
    if kind == "missing":
        return "missing_field", f"`{name}` is missing"
    if kind == "extra_forbidden":
        return "unknown_field", f"`{name}` is not a field of an article; check its spelling"
    code = f"unknown_{name}" if kind == "enum" else "bad_value"
    return code, message.removeprefix("Value error, ")


def _article(front: _FrontMatter, sections: tuple[Section, ...]) -> Article:
    references = tuple(
        Reference(
            number=number,
            key=r.key or r.pmid or r.doi or f"{front.slug}.{number}",
            authors=tuple(r.authors),
            **r.model_dump(exclude={"key", "authors"}),
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
        reviews=tuple(Review(**r.model_dump()) for r in front.reviews),
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


def _check(article: Article, lines: dict[tuple[Any, ...], int]) -> Iterator[Problem]:
    """What the format alone does not forbid: dangling citations, probes that point nowhere."""
    known = {r.number for r in article.references}
    cited: set[int] = set()
    everywhere = [(s.line, "", s) for _, s in article.statements()]
    everywhere += [
        (lines.get(("conflicts", i), 1), f"conflicts.{i}", c)
        for i, c in enumerate(article.conflicts)
    ]
    if not any(True for _ in article.statements()):
        yield Problem("error", "empty", "the article has no statements below its part headings")
    for line, field, statement in everywhere:
        cited.update(statement.citations)
        for number in statement.citations:
            if number not in known:
                yield Problem(
                    "error",
                    "citation_without_reference",
                    f"cites [{number}], but `references` has no {number}: {statement.text[:60]!r}",
                    line,
                    field or "references",
                )
        if len(statement.text) > MAX_STATEMENT_CHARS:
            yield Problem(
                "error",
                "statement_too_long",
                f"a statement of {len(statement.text):,} characters; "
                f"at most {MAX_STATEMENT_CHARS:,}",
                line,
                field,
            )
        try:
            _plain(statement.text.replace("<", "< "))
        except ValueError as e:
            yield Problem("error", "markup", str(e), line, field)
    for _, statement in article.statements():
        if not statement.citations and not statement.reports_absence:
            yield Problem(
                "warning",
                "uncited",
                f"carries no citation and will not be quoted: {statement.text[:60]!r}",
                statement.line,
            )
    for number in sorted(known - cited):
        yield Problem(
            "warning",
            "reference_never_cited",
            f"reference {number} is never cited",
            lines.get(("references", str(number)), 1),
            f"references.{number}",
        )
    texts = {s.text for _, s in article.statements() if _quotable(article, s, known)}
    for i, probe in enumerate(article.answerable):
        for j, text in enumerate(probe.statements):
            if text not in texts:
                path: tuple[Any, ...] = ("probes", "answerable", i, "statements", j)
                yield Problem(
                    "warning",
                    "probe_without_statement",
                    f"no quotable statement contains {text[:60]!r}",
                    lines.get(path, 1),
                    ".".join(map(str, path)),
                )


def _quotable(article: Article, statement: Statement, known: set[int]) -> bool:
    return set(statement.citations) <= known and is_quotable(article, statement)


# --------------------------------------------------------------------------- a folder


def parse_file(path: Path) -> ParsedFile:
    """The article in a file, or all its problems; an unreadable file is a problem too."""
    try:
        with path.open("rb") as f:
            return parse_bytes(f.read(MAX_BYTES + 1), path)
    except OSError as e:
        problem = Problem("error", "unreadable", f"cannot be read: {e.strerror or e}")
        return ParsedFile(path, path.stem, None, (problem,))


def article_files(folder: Path) -> list[Path]:
    """The Markdown files below the folder but READMEs, in a fixed order; never one outside it."""
    if not folder.is_dir():
        raise ArticlesProblem(
            f"The article folder {folder} does not exist.",
            "Create it, or point COROLLARY_ARTICLES_DIR at the folder that holds the articles.",
        )
    root = folder.resolve()
    found = []
    for path in sorted(folder.rglob("*.md")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.name.lower() == "readme.md" or hidden:
            continue
        if path.is_file() and path.resolve().is_relative_to(root):
            found.append(path)
    return found


def parse_paths(paths: Iterable[Path]) -> list[ParsedFile]:
    """Every file, with slugs that occur twice refused in both places."""
    files: list[ParsedFile] = []
    for path in paths:
        files.extend(map(parse_file, article_files(path) if path.is_dir() else [path]))
    owners: dict[str, list[Path]] = {}
    for f in files:
        owners.setdefault(f.slug, []).append(f.path)
    return [_refuse_twin(f, owners[f.slug]) for f in files]


def _refuse_twin(f: ParsedFile, owners: list[Path]) -> ParsedFile:
    others = [p for p in owners if p != f.path]
    if not others:
        return f
    message = f"the slug `{f.slug}` is also used by {', '.join(str(p) for p in others)}"
    problem = Problem("error", "duplicate_slug", message, 2, "slug")
    return replace(f, article=None, problems=(*f.problems, problem))
