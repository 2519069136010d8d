"""Editorial decisions, written into the article's file.

The file belongs to its authors: a decision changes the value of `status`, where asked that of
`review_by`, and adds one review; every other byte stays. So the text is edited where YAML says
that those values stand, and nothing is written unless the edited text, parsed again, is the same
article but for the decision. A layout that this does not fit is refused, not guessed at.

Reading and checking are done without a lock. Under the lock the file has to be what was read, so
of two decisions made at once one is refused.
"""

import glob
import json
import os
import re
import stat
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from store.article import MOVES, Article, Move, Review, Status, same_person
from store.errors import ReviewRefused
from store.parse import MAX_BYTES, parse_bytes

MAX_NAME_CHARS = 100
MAX_NOTE_CHARS = 500
LOCK_WAIT_S = 10.0
"""How long one decision waits for another on the same article; either takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that now stands in the file."""

    article: Article
    """As it was."""
    after: Article
    """As the file has it now."""
    move: Move
    sha256: str
    """Of the text that was decided on; it is the same before and after."""
    before: Status
    """The effective status until now."""
    status: Status
    """The effective status from now on."""
    approvals_given: tuple[str, ...]
    """Who has approved this text, one entry a person; empty when the move ended the approvals."""
    approvals_needed: int


def decide(
    path: Path,
    move: Move,
    *,
    by: str,
    at: date,
    note: str = "",
    approvals: int = 1,
    review_by: date | None = None,
    expect: str | None = None,
    seen: Status | None = None,
) -> Decided:
    """Writes the decision into the file, or raises ReviewRefused and leaves the file as it was.

    `by` is 1 to 100 characters, `note` at most 500, both of one line without links or HTML.
    `approvals` is how many different people an approval takes: until there are so many the
    article stays under review. `review_by` is later than `at`. `expect`, at least 8 hex digits,
    begins the SHA-256 of the text that was read, and `seen` is the effective status that was;
    where the file has another by now, the decision is refused.
    """
    target = _target(path)
    raw = _read(target, path)
    article = _article(raw, path)
    before = article.effective_status(approvals)
    _refuse_other_than_read(article, before, expect, seen, path)
    _refuse_move(article, move, before, path)
    review = Review(
        by=_one_line(by, "name", 1, MAX_NAME_CHARS),
        at=at,
        decision=move.value,
        sha256=article.sha256(),
        note=_one_line(note, "note", 0, MAX_NOTE_CHARS),
    )
    _refuse_date(article, move, at, review_by, path)
    status = MOVES[move][1]
    if move is Move.APPROVE and not _enough(article, review.by, approvals, path):
        status = Status.UNDER_REVIEW
    changed, after = _edited(raw, article, status, review, review_by, path)
    with _alone(target):
        _write(target, raw, changed)
    return Decided(
        article=article,
        after=after,
        move=move,
        sha256=review.sha256,
        before=before,
        status=after.effective_status(approvals),
        approvals_given=after.approvers(),
        approvals_needed=approvals,
    )


def handed_in(raw: bytes, path: Path, *, by: str, at: date) -> bytes:
    """The file as submitted by that person: the status is `submitted`, and a review says so, which
    ends every approval that the file may bring. ReviewRefused when it cannot be edited safely."""
    article = _article(raw, path)
    review = Review(
        by=_one_line(by, "name", 1, MAX_NAME_CHARS),
        at=at,
        decision=Move.SUBMIT.value,
        sha256=article.sha256(),
    )
    return _edited(raw, article, Status.SUBMITTED, review, None, path)[0]


# --------------------------------------------------------------------------- what is allowed


def _article(raw: bytes, path: Path) -> Article:
    file = parse_bytes(raw, path)
    if file.article is not None:
        return file.article
    first = next(p for p in file.problems if p.severity == "error")
    # Also for a withdrawal: a decision names the text it is about, and there is none to be read.
    raise ReviewRefused(
        f"{path}:{first.line}: {first.message}.",
        f"Correct it first (`corollary articles check {path}`). Such a file is not served from the "
        "next reload on, as if it were deleted: to take the article out now, reload.",
    )


def _refuse_other_than_read(
    article: Article, status: Status, expect: str | None, seen: Status | None, path: Path
) -> None:
    if expect is not None:
        if not re.fullmatch(r"[0-9a-f]{8,64}", expect.lower()):
            raise ReviewRefused(
                f"{expect[:80]!r} does not begin a SHA-256.",
                "Give at least its first 8 digits, as `corollary articles show` prints them.",
            )
        if not article.sha256().startswith(expect.lower()):
            raise ReviewRefused(
                f"The text of {path.name} has changed since it was read: its SHA-256 now begins "
                f"with {article.sha256()[:12]}.",
                "Read it again, then decide.",
            )
    if seen is not None and seen is not status:
        raise ReviewRefused(
            f"{path.name} has been decided on meanwhile: it was {seen} and is {status}"
            f"{_last(article)}.",
            "Look at it again, then decide.",
        )


def _last(article: Article) -> str:
    if not article.reviews:
        return ""
    last = article.reviews[-1]
    return f" (last: {last.decision} by {last.by}, {last.at})"


def _refuse_move(article: Article, move: Move, status: Status, path: Path) -> None:
    if status in MOVES[move][0]:
        return
    why = ""
    if article.status is Status.APPROVED and status is Status.UNDER_REVIEW:
        why = ", for its present text is not approved"
    allowed = [m.value for m, (sources, _) in MOVES.items() if status in sources]
    raise ReviewRefused(
        f"{path.name} is {status}{why}; `{move}` is not possible from there.",
        f"What is: {', '.join(allowed)}." if allowed else "No move leads on from there.",
    )


def _refuse_date(
    article: Article, move: Move, at: date, review_by: date | None, path: Path
) -> None:
    if review_by is not None and review_by <= at:
        raise ReviewRefused(
            f"The next review, {review_by}, would not be after this one, {at}.",
            "Give a later date with `--review-by`.",
        )
    overdue = article.review_by is not None and article.review_by < at
    if move is Move.APPROVE and review_by is None and overdue:
        raise ReviewRefused(
            f"{path.name} was to be reviewed again by {article.review_by}.",
            "Give the date of the next review with `--review-by`.",
        )


def _enough(article: Article, by: str, approvals: int, path: Path) -> bool:
    """Whether the article is approved once this person has approved it too."""
    given = article.approvers()
    people = {same_person(name) for name in given}
    if len(given) < approvals and same_person(by) in people:
        raise ReviewRefused(
            f"{by} has approved this text of {path.name} already; {approvals} different people "
            f"have to, and {len(given)} {'has' if len(given) == 1 else 'have'}.",
            "Somebody else has to approve it.",
        )
    return len(people | {same_person(by)}) >= approvals


_MARKUP = re.compile(r"<[A-Za-z/!?]|\w://|\bwww\.", re.IGNORECASE)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _one_line(text: str, what: str, fewest: int, most: int) -> str:
    # The parser strips it too; so it reads back as it was given.
    clean = text.strip()
    if not fewest <= len(clean) <= most:
        raise ReviewRefused(
            f"The {what} has {len(clean):,} characters.", f"Give one of {fewest} to {most}."
        )
    # The last two are no characters, and YAML refuses them.
    if any(unicodedata.category(c) in _UNSEEN or c in "\ufffe\uffff" for c in clean):
        raise ReviewRefused(
            f"The {what} contains control or direction-changing characters.",
            "Write it on one line of plain text.",
        )
    if _MARKUP.search(clean):
        raise ReviewRefused(f"The {what} contains HTML or a link.", "Write plain text.")
    return clean


# --------------------------------------------------------------------------- the edited text

# The parser's: the two that there are disagree about tabs.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_Edit = tuple[int, int, str]
"""What to put in place of the characters from here to there."""


def _edited(
    raw: bytes,
    article: Article,
    status: Status,
    review: Review,
    review_by: date | None,
    path: Path,
) -> tuple[bytes, Article]:
    """The file with the decision in it, and its article: the same but for the decision."""
    changes = {
        "status": status.value if status is not article.status else None,
        "review_by": review_by.isoformat() if review_by else None,
    }
    wanted = replace(
        article,
        status=status,
        reviews=(*article.reviews, review),
        review_by=review_by or article.review_by,
    )
    why, added = "", f"reviews.{len(article.reviews)}"
    try:
        changed = _with_decision(raw.decode(), changes, review).encode()
        found = parse_bytes(changed, path)
        if found.article is not None and _without_lines(found.article) == _without_lines(wanted):
            return changed, found.article
        errors = [p for p in found.problems if p.severity == "error"]
        for p in errors:
            if p.field in (f"{added}.by", f"{added}.note"):
                raise ReviewRefused(
                    f"The {'name' if p.field.endswith('by') else 'note'} {p.message}."
                )
        why = next((f" ({p.message})" for p in errors), "")
    except yaml.YAMLError:
        pass
    except _Unfit as e:
        why = f" ({e})"
    by_hand = [f"{name}: {value}" for name, value in changes.items() if value]
    by_hand += ["reviews:", *_block_item(review, "  ")]
    raise ReviewRefused(
        f"The front matter of {path.name} is laid out in a way that cannot be edited safely{why}.",
        "\n".join(["Write this into it by hand, behind the reviews that it has:", *by_hand]),
    )


class _Unfit(Exception):
    """Why the front matter cannot be edited in place."""


def _without_lines(article: Article) -> Article:
    """The article wherever in its file it stands: added lines push the body down."""
    return replace(
        article,
        sections=tuple(
            replace(s, statements=tuple(replace(t, line=0) for t in s.statements))
            for s in article.sections
        ),
    )


def _with_decision(raw: str, changes: dict[str, str | None], review: Review) -> str:
    # YAML's positions are found in the text as the parser sees it: without a byte order mark, and
    # with "\n" at the end of each line. `kept` leads from there to the same characters in the file.
    start = 1 if raw.startswith("\ufeff") else 0
    kept = [
        i
        for i in range(start, len(raw))
        if not (raw[i] == "\n" and i > start and raw[i - 1] == "\r")
    ]
    text = "".join("\n" if raw[i] == "\r" else raw[i] for i in kept)
    kept.append(len(raw))
    opened = re.match(r"---[ \t]*\n(.*?\n)---[ \t]*(\n|$)", text, re.DOTALL)
    newline = re.search(r"\r\n|\r|\n", raw)
    if opened is None or newline is None:
        raise _Unfit("no front matter")
    out, last = [], 0
    for begin, end, new in sorted(_edits(opened.group(1), changes, review), key=lambda e: e[:2]):
        first = kept[opened.start(1) + begin]
        out += [raw[last:first], new.replace("\n", newline.group())]
        last = kept[opened.start(1) + end]
    return "".join([*out, raw[last:]])


def _edits(front: str, changes: dict[str, str | None], review: Review) -> list[_Edit]:
    root = yaml.compose(front, Loader=_LOADER)
    if not isinstance(root, yaml.MappingNode):
        raise _Unfit("no `field: value` lines")
    fields = {str(key.value): (key, value) for key, value in root.value}
    if "status" not in fields:
        raise _Unfit("no `status`")
    edits: list[_Edit] = []
    absent: dict[str, str] = {}
    for name, new in changes.items():
        if new and name in fields:
            edits.append(_replaced(front, fields[name][1], new))
        elif new:
            absent[name] = new
    if "reviews" in fields:
        edits += _appended(front, root, *fields["reviews"], review)
    status_key, status = fields["status"]
    if root.flow_style:
        members = [json.dumps(name) + ": " + json.dumps(new) for name, new in absent.items()]
        if "reviews" not in fields:
            members.append(f'"reviews": [{_flow_item(review)}]')
        return edits + (_after(front, status_key, status, members) if members else [])
    column = root.start_mark.column
    lines = [f"{name}: {new}" for name, new in absent.items()]
    if "reviews" not in fields:
        lines += ["reviews:", *_block_item(review, "  ")]
    at = _below(front, status, column)
    return [*edits, (at, at, "".join(f"{' ' * column}{line}\n" for line in lines))]


def _replaced(front: str, node: yaml.Node, new: str) -> _Edit:
    """Another value for a field, in the same quotes."""
    start, end = _span(node)
    old = front[start:end]
    if node.value and old.count(node.value) == 1:
        return start, end, old.replace(node.value, new)
    if not old:
        return start, end, f" {new}"
    return start, end, f'"{new}"'


def _appended(
    front: str, root: yaml.MappingNode, key: yaml.Node, node: yaml.Node, review: Review
) -> list[_Edit]:
    """One review more in what `reviews` has."""
    start, end = _span(node)
    inside = front[start:end]
    if isinstance(node, yaml.SequenceNode) and node.value:
        if node.flow_style:
            return _after(front, node.value[-1], node.value[-1], [_flow_item(review)])
        column = node.start_mark.column
        return _lines_below(front, node, column, _block_item(review, " " * column))
    if isinstance(node, yaml.MappingNode):
        if not node.flow_style:
            raise _Unfit("`reviews` has one review and is no list: put `- ` before it")
        return [(start, start, "["), (end, end, f", {_flow_item(review)}]")]
    # Nothing yet: `reviews:`, `reviews: null`, `reviews: []`.
    line = front[front.rfind("\n", 0, start) + 1 : start].rstrip(" \t")
    if not root.flow_style and line.endswith(":") and re.fullmatch(r"\[[ \t]*\]|[^\[\n]*", inside):
        column = key.start_mark.column
        item = _block_item(review, " " * (column + 2))
        blank = len(front[:start].rstrip(" \t"))
        return [(blank, end, ""), *_lines_below(front, node, column, item)]
    if isinstance(node, yaml.SequenceNode):
        return [(start + 1, start + 1, _flow_item(review))]
    return [(start, end, f"{'' if inside else ' '}[{_flow_item(review)}]")]


def _lines_below(front: str, node: yaml.Node, column: int, lines: list[str]) -> list[_Edit]:
    at = _below(front, node, column)
    return [(at, at, "".join(f"{line}\n" for line in lines))]


def _below(front: str, node: yaml.Node, column: int) -> int:
    """Where the line after a value begins, and after the comments that are set deeper than it."""
    at = _end(node)
    # A block of text (`|`) ends where the next line begins, any other value within its line.
    if front[at - 1] != "\n":
        at = front.index("\n", at) + 1
    comment = re.compile(r"( *)#[^\n]*\n")
    while (m := comment.match(front, at)) and len(m.group(1)) > column:
        at = m.end()
    return at


def _after(front: str, first: yaml.Node, last: yaml.Node, members: list[str]) -> list[_Edit]:
    """More members in brackets, behind the one that begins and ends with these nodes."""
    start, end = _span(first)[0], _span(last)[1]
    lead = front[front.rfind("\n", 0, start) + 1 : start]
    # On a line of their own when that is how the member before stands.
    gap = " " if lead.strip() else f"\n{lead}"
    new = f",{gap}".join(members)
    comment = re.compile(r"[ \t]*(,?)[ \t]+#[^\n]*").match(front, end)
    if comment is None or gap == " ":
        return [(end, end, f",{gap}{new}")]
    # The comment stays with the member that it stands behind.
    if comment.group(1):
        return [(comment.end(), comment.end(), f"{gap}{new},")]
    return [(end, end, ","), (comment.end(), comment.end(), f"{gap}{new}")]


def _span(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _end(node: yaml.Node) -> int:
    """Where a value ends; a block in YAML ends only where the next begins, behind comments."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return _span(node)[1]


def _block_item(review: Review, indent: str) -> list[str]:
    lines = [
        f"- by: {_quoted(review.by)}",
        f"  at: {review.at}",
        f"  decision: {review.decision}",
        f"  sha256: {review.sha256}",
    ]
    lines += [f"  note: {_quoted(review.note)}"] if review.note else []
    return [indent + line for line in lines]


def _flow_item(review: Review) -> str:
    fields = {
        "by": review.by,
        "at": review.at.isoformat(),
        "decision": review.decision,
        "sha256": review.sha256,
    }
    fields |= {"note": review.note} if review.note else {}
    return json.dumps(fields, ensure_ascii=False)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


# --------------------------------------------------------------------------- the file


def _target(path: Path) -> Path:
    """The file itself when the path is a link to it: the link is not to be replaced by a file."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as e:
        why = e.strerror if isinstance(e, OSError) else e
        raise ReviewRefused(f"{path} cannot be read: {why}.") from None
    if not target.is_file():
        raise ReviewRefused(f"{path} is not a file.")
    return target


def _read(target: Path, path: Path) -> bytes:
    try:
        with target.open("rb") as f:
            return f.read(MAX_BYTES + 1)
    except OSError as e:
        raise ReviewRefused(f"{path} cannot be read: {e.strerror or e}.") from None


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Nobody else decides on this article; the operating system frees a dead owner's lock."""
    # Beside the article, for two containers share the folder and not /tmp. Hidden, so not read.
    lock = FileLock(target.with_name(f".{target.name}.lock"), timeout=LOCK_WAIT_S)
    try:
        lock.acquire()
    except Timeout:
        raise ReviewRefused(
            f"Somebody else is deciding on {target.name} at this moment.",
            "Look at it again, then decide.",
        ) from None
    except OSError as e:
        raise _unwritable(target, e) from e
    try:
        yield
    finally:
        # While it is held: whoever waits for this very file sees that it has gone, and makes
        # another.
        with suppress(OSError):
            os.unlink(lock.lock_file)
        lock.release()


def _write(target: Path, old: bytes, new: bytes) -> None:
    """Puts a new file in the place of the old one, whole or not at all."""
    prefix = f".{target.name}."
    try:
        for stray in target.parent.glob(f"{glob.escape(prefix)}*.tmp"):
            stray.unlink(missing_ok=True)  # of a decision that was killed
        number, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=target.parent)
    except OSError as e:
        raise _unwritable(target, e) from e
    try:
        with os.fdopen(number, "wb") as f:
            f.write(new)
            f.flush()
            os.fsync(f.fileno())
        was = target.stat()
        with suppress(PermissionError):
            os.chown(name, was.st_uid, was.st_gid)
        os.chmod(name, stat.S_IMODE(was.st_mode))
        if _read(target, target) != old:
            raise ReviewRefused(
                f"{target.name} was saved or decided on by somebody else at this moment.",
                "Look at it again, then decide.",
            )
        os.replace(name, target)
        _sync(target.parent)
    except OSError as e:
        raise _unwritable(target, e) from e
    finally:
        with suppress(OSError):
            os.unlink(name)


def _sync(folder: Path) -> None:
    """Makes a replacement outlast a power cut, where folders can be told to."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _unwritable(target: Path, e: OSError) -> ReviewRefused:
    return ReviewRefused(
        f"{target} cannot be written: {e.strerror or e}.",
        "Whoever decides needs to be able to write to the folder of the articles.",
    )
