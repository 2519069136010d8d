"""A decision changes its own lines of the file and no other byte, whole or not at all."""

import json
import multiprocessing
import os
import random
import re
import signal
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from articles import BODY, article_file, quick
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from store import review as module
from store.article import MOVES, Article, Move, Review, Status
from store.errors import ReviewRefused
from store.parse import article_files, parse_bytes, parse_file
from store.review import Decided, decide

AT = date(2026, 6, 1)
LATER = date(2027, 6, 1)
SPAWN: Any = multiprocessing.get_context("forkserver")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An article under review, in a folder of its own."""
    return put(tmp_path, "status: under_review\n")


def put(folder: Path, front: str, body: str = BODY, name: str = "aftercare.md") -> Path:
    """A file whose front matter ends with these lines."""
    needed = (
        "slug: aftercare\ntitle: How is skin cared for?\nupdated: 2026-01-02\n"
        "references: {1: {kind: rct, title: First trial}, 2: {kind: cohort, title: Second study}}\n"
    )
    path = folder / name
    path.write_bytes(f"---\n{needed}{front}---\n{body}".encode())
    return path


def article_in(path: Path) -> Article:
    file = parse_file(path)
    assert file.article is not None, file.problems
    return file.article


def by(name: str, path: Path, move: Move, **how: Any) -> Decided:
    return decide(path, move, by=name, at=AT, **how)


def refused(path: Path, move: Move = Move.APPROVE, name: str = "Dr B", **how: Any) -> str:
    """What the refusal says; the file and its folder have to be as they were."""
    before = path.read_bytes(), sorted(os.listdir(path.parent))
    with pytest.raises(ReviewRefused) as caught:
        by(name, path, move, **how)
    assert (path.read_bytes(), sorted(os.listdir(path.parent))) == before
    return str(caught.value)


def plain(article: Article) -> Article:
    """The article without the lines on which it stands."""
    return replace(
        article,
        sections=tuple(
            replace(s, statements=tuple(replace(t, line=0) for t in s.statements))
            for s in article.sections
        ),
    )


# ---------------------------------------------------------------------- what is allowed


def test_an_approval_says_what_it_did(path: Path) -> None:
    article = article_in(path)
    done = by("Dr A", path, Move.APPROVE, note="read in full")
    review = Review("Dr A", AT, "approve", article.sha256(), "read in full")
    assert plain(done.after) == plain(replace(article, status=Status.APPROVED, reviews=(review,)))
    assert done.after == article_in(path)
    assert (done.article, done.move, done.sha256) == (article, Move.APPROVE, article.sha256())
    assert (done.before, done.status) == (Status.UNDER_REVIEW, Status.APPROVED)
    assert (done.approvals_given, done.approvals_needed) == (("Dr A",), 1)
    assert os.listdir(path.parent) == ["aftercare.md"]


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("status", Status)
def test_the_table_of_moves_decides(tmp_path: Path, status: Status, move: Move) -> None:
    path = put(tmp_path, "status: under_review\n")
    if status is Status.APPROVED:
        by("Dr A", path, Move.APPROVE)
    else:
        path = put(tmp_path, f"status: {status}\n")
    sources, leads_to = MOVES[move]
    if status in sources:
        done = by("Dr B", path, move)
        assert (done.before, done.status, article_in(path).status) == (status, leads_to, leads_to)
        assert done.after.reviews[-1].decision == move
    else:
        said = refused(path, move)
        allowed = [m for m in Move if status in MOVES[m][0]]
        assert f"is {status}; `{move}` is not possible" in said
        assert (
            all(m in said.split("What is:")[1] for m in allowed) if allowed else "No move" in said
        )


def test_an_approved_text_edited_since_is_under_review(path: Path) -> None:
    by("Dr A", path, Move.APPROVE)
    path.write_bytes(path.read_bytes().replace(b"nine days", b"ten days"))
    assert "under_review, for its present text is not approved" in refused(path, Move.RETIRE)
    done = by("Dr A", path, Move.APPROVE)
    assert (done.before, done.status) == (Status.UNDER_REVIEW, Status.APPROVED)
    assert done.article.reviews[0].sha256 != done.after.reviews[1].sha256 == done.sha256


def test_two_approvals_take_two_people(path: Path) -> None:
    first = by("Dr A", path, Move.APPROVE, approvals=2)
    assert (first.status, first.after.status) == (Status.UNDER_REVIEW, Status.UNDER_REVIEW)
    assert (first.approvals_given, first.approvals_needed) == (("Dr A",), 2)
    for same in ("Dr A", " dr  a ", "DR A", "Dr\N{NO-BREAK SPACE}A"):
        assert "has approved this text of aftercare.md already; 2 different" in refused(
            path, name=same, approvals=2
        )
    second = by("Dr B", path, Move.APPROVE, approvals=2)
    assert (second.status, second.after.status) == (Status.APPROVED, Status.APPROVED)
    assert second.approvals_given == ("Dr A", "Dr B")


def test_approvals_of_an_earlier_text_or_before_a_return_do_not_count(path: Path) -> None:
    by("Dr A", path, Move.APPROVE, approvals=2)
    path.write_bytes(path.read_bytes().replace(b"nine days", b"ten days"))
    assert by("Dr B", path, Move.APPROVE, approvals=2).approvals_given == ("Dr B",)
    assert by("Dr C", path, Move.RETURN, approvals=2).approvals_given == ()
    by("Dr C", path, Move.SUBMIT, approvals=2)
    by("Dr C", path, Move.START, approvals=2)
    assert by("Dr B", path, Move.APPROVE, approvals=2).status is Status.UNDER_REVIEW
    assert by("Dr A", path, Move.APPROVE, approvals=2).status is Status.APPROVED


def test_an_edited_approval_that_needs_two_says_under_review_in_the_file(path: Path) -> None:
    by("Dr A", path, Move.APPROVE)
    path.write_bytes(path.read_bytes().replace(b"nine days", b"ten days"))
    assert by("Dr A", path, Move.APPROVE, approvals=2).after.status is Status.UNDER_REVIEW


def test_who_has_approved_may_finish_when_fewer_are_needed_by_now(path: Path) -> None:
    by("Dr A", path, Move.APPROVE, approvals=2)
    assert by("Dr A", path, Move.APPROVE, approvals=1).status is Status.APPROVED


def test_an_overdue_article_is_approved_only_with_a_new_date(tmp_path: Path) -> None:
    path = put(tmp_path, "review_by: 2026-05-31\nstatus: under_review\n")
    assert "reviewed again by 2026-05-31. Give" in refused(path)
    for soon in (AT, date(2026, 5, 31)):
        said = refused(path, review_by=soon)
        assert "would not be after this one, 2026-06-01" in said
        assert "--review-by" in said
    done = by("Dr A", path, Move.APPROVE, review_by=LATER)
    assert done.after.review_by == LATER
    assert b"\nreview_by: 2027-06-01\n" in path.read_bytes()


def test_on_the_day_of_its_review_an_article_is_not_overdue(tmp_path: Path) -> None:
    path = put(tmp_path, "review_by: 2026-06-01\nstatus: under_review\n")
    assert by("Dr A", path, Move.APPROVE).after.review_by == AT


def test_an_overdue_article_can_be_withdrawn(tmp_path: Path) -> None:
    path = put(tmp_path, "review_by: 2020-01-01\nstatus: under_review\n")
    assert by("Dr A", path, Move.WITHDRAW).status is Status.WITHDRAWN


def test_only_the_text_that_was_read_is_decided_on(path: Path) -> None:
    digest = article_in(path).sha256()
    other = "0" * 8 if not digest.startswith("0" * 8) else "1" * 8
    assert "has changed since it was read" in refused(path, expect=other)
    assert "has changed since it was read" in refused(path, expect=digest[:8] + other * 7)
    for short in ("", digest[:7], "not hex!", digest + "0"):
        assert "does not begin a SHA-256" in refused(path, expect=short)
    assert by("Dr A", path, Move.APPROVE, expect=digest[:8].upper()).status is Status.APPROVED
    assert by("Dr A", path, Move.RETIRE, expect=digest).status is Status.RETIRED


def test_a_decision_on_what_was_decided_meanwhile_is_refused(path: Path) -> None:
    by("Dr A", path, Move.APPROVE)
    said = refused(path, Move.RETURN, seen=Status.UNDER_REVIEW)
    assert "was under_review and is approved (last: approve by Dr A, 2026-06-01)" in said
    assert by("Dr B", path, Move.RETURN, seen=Status.APPROVED).status is Status.SUBMITTED


@pytest.mark.parametrize(
    "name",
    [
        "",
        " \t ",
        "x" * 101,
        "two\nlines",
        "a\x00b",
        "a\x85b",
        "a\u2028b",
        "turned \u202e round",
        "\ud800",
        "\uffff",
        "<b>bold</b>",
        "see https://example.org",
        "www.example.org",
    ],
)
def test_names_and_notes_are_one_plain_line(path: Path, name: str) -> None:
    assert "The name" in refused(path, name=name)
    if name.strip() and len(name) <= 100:
        assert "The note" in refused(path, note=name)


def test_a_note_has_its_limit(path: Path) -> None:
    assert "501 characters" in refused(path, note="x" * 501)
    assert len(by("x" * 100, path, Move.APPROVE, note="y" * 500).after.reviews[0].note) == 500


@pytest.mark.parametrize("move", Move)
def test_a_file_with_errors_is_not_decided_on(tmp_path: Path, move: Move) -> None:
    path = put(tmp_path, "status: under_review\ntitel: x\n")
    said = refused(path, move)
    assert re.search(re.escape(f"{path}:7: ") + "[`']titel", said)
    assert f"corollary articles check {path}" in said
    assert "not served from the next reload on" in said


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "loop.md").symlink_to(tmp_path / "loop.md")
    for name in ("missing.md", "folder.md", "loop.md"):
        with pytest.raises(ReviewRefused, match=re.escape(name)):
            by("Dr A", tmp_path / name, Move.APPROVE)


# ---------------------------------------------------------------------- what is written

SHA = "0" * 64
ITEM = """\
  - by: "Dr B"
    at: 2026-06-01
    decision: approve
    sha256: THE-SHA
    note: "it's \\"fine\\": # yes"
"""
FLOW = json.dumps(
    {
        "by": "Dr B",
        "at": "2026-06-01",
        "decision": "approve",
        "sha256": "THE-SHA",
        "note": 'it\'s "fine": # yes',
    }
)
OUT = ITEM.replace("\n  ", "\n").removeprefix("  ")
OLD = f"{{by: Dr A, at: 2026-01-03, decision: start, sha256: {SHA}}}"
OLD_BLOCK = f"""\
  - by: Dr A  # in a meeting
    at: 2026-01-03
    decision: start
    sha256: {SHA}
"""


LAYOUTS = {
    "absent": ("status: under_review\nx\n", f"status: approved\nreviews:\n{ITEM}x\n"),
    "comment behind the status": (
        "status: under_review  # since May\nx\n",
        f"status: approved  # since May\nreviews:\n{ITEM}x\n",
    ),
    "empty": ("reviews:\nstatus: under_review\n", f"reviews:\n{ITEM}status: approved\n"),
    "empty, with a comment": (
        "reviews:  # none\n  # yet\nstatus: under_review\n",
        f"reviews:  # none\n  # yet\n{ITEM}status: approved\n",
    ),
    "null": (
        "reviews: null # none\nstatus: 'under_review'\n",
        f"reviews: # none\n{ITEM}status: 'approved'\n",
    ),
    "tilde": ("status: under_review\nreviews: ~\n", f"status: approved\nreviews:\n{ITEM}"),
    "empty text": ('status: under_review\nreviews: ""\n', f"status: approved\nreviews:\n{ITEM}"),
    "empty brackets": (
        'status: "under_review"\nreviews: [ ]  # none\n',
        f'status: "approved"\nreviews:  # none\n{ITEM}',
    ),
    "empty brackets with a comment": (
        "status: under_review\nreviews: [ # none\n  ]\n",
        f"status: approved\nreviews: [{FLOW} # none\n  ]\n",
    ),
    "empty brackets below": (
        "reviews:\n  []\nstatus: under_review\n",
        f"reviews:\n  [{FLOW}]\nstatus: approved\n",
    ),
    "list": (
        f"reviews:\n{OLD_BLOCK}\nstatus: under_review\n",
        f"reviews:\n{OLD_BLOCK}{ITEM}\nstatus: approved\n",
    ),
    "list at the margin": (
        "status: under_review\nreviews:\n" + re.sub("(?m)^  ", "", OLD_BLOCK) + "# end\nx\n",
        "status: approved\nreviews:\n" + re.sub("(?m)^  ", "", OLD_BLOCK) + OUT + "# end\nx\n",
    ),
    "list with comments inside and after": (
        f"reviews:\n  # first\n{OLD_BLOCK}    # his remark\n  # all\n# end\nstatus: under_review\n",
        f"reviews:\n  # first\n{OLD_BLOCK}    # his remark\n{ITEM}  # all\n# end\n"
        "status: approved\n",
    ),
    "list that ends with a block of text": (
        f"reviews:\n{OLD_BLOCK}    note: |-\n      # read\n      twice\nstatus: under_review\n",
        f"reviews:\n{OLD_BLOCK}    note: |-\n      # read\n      twice\n{ITEM}status: approved\n",
    ),
    "list of brackets": (
        f"reviews:\n  - {OLD} # one\nstatus: under_review\n",
        f"reviews:\n  - {OLD} # one\n{ITEM}status: approved\n",
    ),
    "brackets": (
        f"reviews: [{OLD}] # end\nstatus: under_review\n",
        f"reviews: [{OLD}, {FLOW}] # end\nstatus: approved\n",
    ),
    "brackets on lines": (
        f"reviews: [\n    {OLD},\n    {OLD}\n  ]\nstatus: under_review\n",
        f"reviews: [\n    {OLD},\n    {OLD},\n    {FLOW}\n  ]\nstatus: approved\n",
    ),
    "brackets on lines, with a comma and a comment": (
        f"reviews: [\n    {OLD}, # one\n    # end\n  ]\nstatus: under_review\n",
        f"reviews: [\n    {OLD}, # one\n    {FLOW},\n    # end\n  ]\nstatus: approved\n",
    ),
    "brackets on lines, with a comment": (
        f"reviews: [\n    {OLD} # one\n  ]\nstatus: under_review\n",
        f"reviews: [\n    {OLD}, # one\n    {FLOW}\n  ]\nstatus: approved\n",
    ),
    "one in braces": (
        f"reviews: {OLD} # one\nstatus: under_review\n",
        f"reviews: [{OLD}, {FLOW}] # one\nstatus: approved\n",
    ),
    "quoted keys and a status below": (
        '"reviews" : []\n"status":\n    "under_review"\n',
        f'"reviews" :\n{ITEM}"status":\n    "approved"\n',
    ),
    "a status in a block": (
        "status: |-\n  under_review\nreviews: []\n",
        f"status: |-\n  approved\nreviews:\n{ITEM}",
    ),
    "a status with escapes": (
        'status: "\\x75nder_review"\nreviews: []\n',
        f'status: "approved"\nreviews:\n{ITEM}',
    ),
    "explicit keys": (
        "? reviews\n: []\n? status\n: under_review\n",
        f"? reviews\n:\n  {OUT}? status\n: approved\n".replace(
            OUT, ITEM.replace("\n", "\n  ").rstrip(" ")
        ),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_only_the_lines_of_the_decision_change(
    tmp_path: Path, layout: str, newline: str, mark: bytes
) -> None:
    old, new = LAYOUTS[layout]
    path = put(tmp_path, old.replace("x\n", "topic: Skin \n"), BODY.rstrip())
    text = path.read_text(encoding="utf-8")
    path.write_bytes(mark + text.replace("\n", newline).encode())
    done = by("Dr B", path, Move.APPROVE, note='it\'s "fine": # yes')
    expected = text.replace(
        old.replace("x\n", "topic: Skin \n"), new.replace("x\n", "topic: Skin \n")
    )
    expected = expected.replace("THE-SHA", done.sha256)
    assert path.read_bytes().decode() == mark.decode() + expected.replace("\n", newline)
    assert done.after.reviews[-1] == Review(
        "Dr B", AT, "approve", done.sha256, 'it\'s "fine": # yes'
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("review_by: 2026-01-01 # soon", "review_by: 2027-06-01 # soon"),
        ("review_by: '2026-01-01'", "review_by: '2027-06-01'"),
        ("review_by: null", "review_by: 2027-06-01"),
        ("review_by: ~ # open", "review_by: 2027-06-01 # open"),
        ("review_by:", "review_by: 2027-06-01"),
        ("review_by:  # open", "review_by: 2027-06-01  # open"),
        ('review_by: ""', 'review_by: "2027-06-01"'),
        ("reviews:  # none", "review_by: 2027-06-01\nreviews:  # none"),
    ],
)
def test_the_next_review_is_written_where_it_stood(tmp_path: Path, old: str, new: str) -> None:
    path = put(tmp_path, f"status: under_review\n{old}\n")
    by("Dr A", path, Move.APPROVE, review_by=LATER)
    text = path.read_text()
    assert "\nstatus: approved\n" in text
    assert f"\n{new}\n" in text
    assert article_in(path).review_by == LATER


JSON_FRONT = """\
---
{
  "slug": "aftercare", "title": "How?", "updated": "2026-01-02",
  "references": {"1": {"kind": "rct", "title": "A"}, "2": {"kind": "rct", "title": "B"}},
  "status": "under_review"
}
---
"""


def test_front_matter_in_json_stays_json(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(JSON_FRONT + BODY)
    done = by("Dr A", path, Move.APPROVE, review_by=LATER)
    by("Dr B", path, Move.RETURN, note="typo")
    front = path.read_text().split("---")[1]
    assert json.loads(front)["reviews"] == [
        {"by": "Dr A", "at": "2026-06-01", "decision": "approve", "sha256": done.sha256},
        {
            "by": "Dr B",
            "at": "2026-06-01",
            "decision": "return",
            "sha256": done.sha256,
            "note": "typo",
        },
    ]
    assert '\n  "status": "submitted",\n  "review_by": "2027-06-01",\n  "reviews": [' in front


@pytest.mark.parametrize("style", ["{}, # why\n  topic: X", "{} # why"])
def test_comments_between_braces_stay_where_they_are(tmp_path: Path, style: str) -> None:
    path = tmp_path / "a.md"
    status = '"status": "under_review"'
    path.write_text(JSON_FRONT.replace(status, style.format(status)) + BODY)
    by("Dr A", path, Move.APPROVE)
    assert re.search(r'"approved", # why\n  "reviews"', path.read_text())


@pytest.mark.parametrize(
    "front",
    [
        f"reviews:\n  by: Dr A\n  at: 2026-01-03\n  decision: start\n  sha256: {SHA}\n",
        "reviews: |\n\n",
        "reviews: >-\n",
    ],
)
def test_a_layout_that_does_not_fit_is_refused_with_what_to_write(
    tmp_path: Path, front: str
) -> None:
    path = put(tmp_path, f"{front}status: under_review\n")
    said = refused(path, note="fine")
    assert "laid out in a way that cannot be edited safely" in said
    written = ITEM[: ITEM.index("    note")].replace("THE-SHA", article_in(path).sha256())
    assert (
        f"by hand, behind the reviews that it has:\nstatus: approved\nreviews:\n{written}" in said
    )


def test_a_file_that_would_grow_too_large_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "status: under_review\n")
    room = 250_000 - path.stat().st_size
    pad = "\n" + "x" * 99
    path = put(
        tmp_path, "status: under_review\n#" + pad.replace("\n", "\n#") * (room // 101) + "\n"
    )
    assert article_in(path)
    assert "larger than 250,000 bytes" in refused(path)


def test_every_sample_takes_a_round_of_decisions(tmp_path: Path) -> None:
    samples = Path(module.__file__).with_name("samples")
    for sample in article_files(samples):
        path = tmp_path / sample.name
        path.write_bytes(sample.read_bytes())
        for name, move in [("A", Move.APPROVE), ("B", Move.RETIRE), ("C", Move.WITHDRAW)]:
            by(f"Dr {name}", path, move)
        kept = iter(path.read_text().splitlines())
        gone = [x for x in sample.read_text().splitlines() if x not in kept]
        assert gone[:1] in (["status: under_review"], [])
        assert [r.by for r in article_in(path).reviews] == ["Dr A", "Dr B", "Dr C"]


def test_the_largest_file_is_decided_on_in_a_few_seconds(tmp_path: Path) -> None:
    source = "  {}: {{kind: rct, title: 'A trial of some length, one of many', pmid: '{}'}}\n"
    many = "references:\n" + "".join(source.format(n, 1000 + n) for n in range(1, 1001))
    raw = article_file(references=None).decode().replace("\n---\n", f"\n{many}---\n", 1)
    noted = (
        f"- by: Dr A\n  at: 2026-01-03\n  decision: start\n  sha256: {SHA}\n  note: {'n ' * 99}\n"
    )
    raw = raw.replace("\n---\n", "\nreviews:\n" + noted * 480 + "---\n", 1)
    path = tmp_path / "a.md"
    path.write_text(raw)
    assert 200_000 < path.stat().st_size < 249_000
    with quick(10):
        by("Dr A", path, Move.APPROVE)


# ---------------------------------------------------------------------- any layout, any words


@dataclass(frozen=True)
class Layout:
    """A front matter with places for the values that a decision may change."""

    front: str
    """With `%(status)s`, `%(review_by)s` and `%(reviews)s`."""
    status: Status
    next_review: tuple[str, str]
    """The value of `review_by`, and what it is once it is 2027-06-01; absent when empty."""
    reviews: tuple[str, str]
    """`reviews` as it stands, and the part of it that a decision may take away."""
    flow: bool
    newline: str
    mark: str
    tail: str

    def text(self, status: Status, next_review: str, reviews: str) -> str:
        """The whole file with these values."""
        front = self.front.replace("%(status)s", status).replace("%(review_by)s", next_review)
        body = BODY.rstrip() + self.tail
        text = f"---\n{front.replace('%(reviews)s', reviews)}---  \n{body}"
        return self.mark + text.replace("\n", self.newline)


def old_reviews(count: int, style: str) -> str:
    fields = [("by", f'"Dr {chr(66 + count)}: x"'), ("at", "2026-01-03"), ("decision", "start")]
    fields += [("sha256", SHA), ("note", "'#1'")]
    if style == "flow":
        return "{" + ", ".join(f"{k}: {v}" for k, v in fields) + "}"
    indent = " " * (2 if style == "indented" else 0)
    first, *rest = [f"{k}: {v}" for k, v in fields]
    return "\n".join([f"{indent}- {first}", *(f"{indent}  {x}" for x in rest)]) + "\n"


def blocks(count: int, style: str, comment: str) -> str:
    return "\n" + comment.join(old_reviews(i, style) for i in range(count)) + comment


@st.composite
def layouts(draw: Any) -> Layout:
    flow = draw(st.booleans())
    status = draw(st.sampled_from(Status))
    quote = draw(st.sampled_from(["", "'", '"']))
    comment = draw(st.sampled_from(["", "# a remark\n", "   # deep: [remark]\n"]))
    behind = draw(st.sampled_from(["", " # it's: so", "  "]))
    day = draw(st.sampled_from(["2026-01-01", "2030-01-01"]))
    next_review = draw(
        st.sampled_from(
            [("", "")]
            + [(f" {q}{day}{q}", f" {q}2027-06-01{q}") for q in ("", "'", '"')]
            + [(" null", " 2027-06-01"), (" ~", " 2027-06-01")]
            + [(" " if flow else "", " 2027-06-01"), (' ""', ' "2027-06-01"')]
        )
    )
    lists = [" []", " [ ]", " null", " ~", " ''"]
    members = [f" [{', '.join(old_reviews(i, 'flow') for i in range(n))}]" for n in (1, 2)]
    spread = [x.replace("[", "[\n   ").replace("}, {", "},\n   {") for x in members]
    spread += [x.replace("]", ",\n   ]") for x in spread]
    spread += [x.replace("]", "# end\n ]").replace("}\n", "} # one\n") for x in spread]
    forms = [(x, x) for x in [*members, *spread, f" {old_reviews(1, 'flow')}"]]
    if flow:
        forms += [(" []", " []"), (" null", ""), (" ''", "")]
    else:
        forms += [(x, "") for x in ["", *lists]]
        forms += [
            (x, x) for n in (1, 2) for s in ("out", "indented") for x in [blocks(n, s, comment)]
        ]
    reviews = draw(st.sampled_from([("absent", "absent"), *forms]))
    fields = {
        "slug": " aftercare",
        "title": draw(st.sampled_from([" How so", ' "How: so?"', " 'It''s how?'"])),
        "updated": " 2026-01-02",
        "notice": draw(st.sampled_from([" 'status: under_review'", ' "reviews: []"'])),
        "references": " {1: {kind: rct, title: A}, 2: {kind: rct, title: 'reviews:'}}",
        "status": f" {quote}%(status)s{quote}",
    }
    if next_review != ("", ""):
        fields["review_by"] = "%(review_by)s"
    if reviews[0] != "absent":
        fields["reviews"] = "%(reviews)s"
    mark_keys = draw(st.booleans())
    lines = []
    for name in draw(st.permutations(list(fields))):
        key = f'"{name}"' if mark_keys else name
        # What stands on lines of its own ends with one, and has no comment behind it.
        own_lines = name == "reviews" and reviews[0].startswith("\n")
        if flow:
            lines.append(f"  {key}:{fields[name]},{behind}\n")
        else:
            lines.append(f"{comment}{key}:{fields[name]}" + ("" if own_lines else f"{behind}\n"))
    front = "".join(lines)
    return Layout(
        front="{\n" + front + "}\n" if flow else front,
        status=status,
        next_review=next_review,
        reviews=reviews if reviews[0] != "absent" else ("", ""),
        flow=flow,
        newline=draw(st.sampled_from(["\n", "\r\n"])),
        mark=draw(st.sampled_from(["", "\ufeff"])),
        tail=draw(st.sampled_from(["", "\n", "\n\n \n"])),
    )


WORDS = st.one_of(
    st.sampled_from(
        ["- Dr A", "null", "~", "'", '"', "a: b", "# c", "[x]", "{y", "|", ">-", "\\", "\\n", "%a"]
        + ["é 王 \U0001f600", "no", "&a", "*a", "!t", "---", "...", "?", "@", "`", ", ,", "x  y"]
    ),
    st.text(min_size=1, max_size=40),
)


def without_marks(text: str) -> str:
    """The text without what separates the members of a list."""
    return re.sub(r"[\s,\[\]]", "", text)


@settings(max_examples=150, deadline=None)
@given(layouts(), st.sampled_from(Move), WORDS, st.one_of(st.just(""), WORDS), st.booleans())
def test_whatever_the_layout_all_but_the_decision_stays(
    tmp_path_factory: pytest.TempPathFactory,
    layout: Layout,
    move: Move,
    name: str,
    note: str,
    dated: bool,
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any-{os.getpid()}.md"
    old = layout.text(layout.status, layout.next_review[0], layout.reviews[0])
    path.write_bytes(old.encode())
    article = article_in(path)
    try:
        done = by(name, path, move, note=note, review_by=LATER if dated else None)
    except ReviewRefused as e:
        assert path.read_bytes() == old.encode()
        assert "laid out" not in str(e)
        return
    now = Review(name.strip(), AT, move.value, article.sha256(), note.strip())
    expected = replace(
        article,
        status=MOVES[move][1],
        reviews=(*article.reviews, now),
        review_by=LATER if dated else article.review_by,
    )
    assert plain(article_in(path)) == plain(expected) == plain(done.after)

    new = path.read_bytes().decode()
    next_review = layout.next_review[1] if dated else layout.next_review[0]
    kept = layout.text(MOVES[move][1], next_review, layout.reviews[1])
    new_date = dated and "%(review_by)s" not in layout.front
    new_list = "%(reviews)s" not in layout.front
    item = json.dumps({k: str(v) for k, v in asdict(now).items() if v != ""}, ensure_ascii=False)
    if item in new:
        # Within brackets: taking the members out leaves what was there.
        rest = new.replace(item, "", 1)
        if new_date:
            rest = re.sub(r"[\"]?review_by[\"]?: [\"]?2027-06-01[\"]?", "", rest, count=1)
        if new_list:
            rest = rest.replace('"reviews":', "", 1)
        assert without_marks(rest) == without_marks(kept)
    else:
        lines = iter(new.split("\n"))
        assert [line for line in kept.split("\n") if line not in lines] == []
        added = new.count("\n") - kept.count("\n")
        assert added == 4 + bool(note.strip()) + new_list + new_date


# ---------------------------------------------------------------------- files and processes


def test_a_file_keeps_its_mode_and_its_folder_nothing_else(path: Path) -> None:
    path.chmod(0o640)
    by("Dr A", path, Move.APPROVE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == ["aftercare.md"]


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "dermatology").mkdir()
    target = put(tmp_path / "dermatology", "status: under_review\n", name="real.md")
    link = tmp_path / "link.md"
    link.symlink_to(Path("dermatology") / "real.md")
    by("Dr A", link, Move.APPROVE)
    assert link.is_symlink()
    assert article_in(target).status is Status.APPROVED
    assert os.listdir(tmp_path / "dermatology") == ["real.md"]


def test_what_a_killed_decision_left_is_not_read_and_goes_with_the_next(path: Path) -> None:
    names = [".aftercare.md.x1.tmp", ".aftercare.md.lock", ".after[care].md.x1.tmp"]
    for name in names:
        (path.parent / name).write_bytes(path.read_bytes()[:50])
    assert article_files(path.parent) == [path]
    by("Dr A", path, Move.APPROVE)
    assert sorted(os.listdir(path.parent)) == [".after[care].md.x1.tmp", "aftercare.md"]


def test_what_was_saved_meanwhile_is_not_overwritten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = path.read_bytes().replace(b"nine days", b"ten days")

    def sync(number: int) -> None:
        path.write_bytes(saved)

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(ReviewRefused, match="saved or decided on by somebody else"):
        by("Dr A", path, Move.APPROVE)
    assert path.read_bytes() == saved
    assert os.listdir(path.parent) == ["aftercare.md"]


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_disk_that_fails_leaves_the_file_as_it_was(
    path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    assert "cannot be written: No space left on device" in refused(path)


def test_what_does_not_read_back_as_meant_is_not_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_quoted", lambda text: '"Dr Z"')
    assert "laid out in a way that cannot be edited safely" in refused(path)


def test_a_decision_waits_for_another_only_so_long(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_S", 0.1)
    with FileLock(path.with_name(".aftercare.md.lock")):
        assert "Somebody else is deciding on aftercare.md" in refused(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_named(path: Path) -> None:
    path.parent.chmod(0o500)
    try:
        assert f"{path} cannot be written: Permission denied" in refused(path)
    finally:
        path.parent.chmod(0o700)


def in_a_process(run: Callable[[Path], None], path: Path) -> None:
    """Runs it in a process without threads, where forking is safe."""
    process = SPAWN.Process(target=run, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == 0


def forked(run: Callable[[], int]) -> int:
    """The id of a child whose exit code is what the function returns, or 70."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = run()
        finally:
            os._exit(code)
    return child


def two_at_once(path: Path) -> None:
    """Twenty rounds of two processes that have read the same file before either writes."""
    original = path.read_bytes()

    def deciding(name: str, move: Move, arrived: int, go: int) -> Callable[[], int]:
        def run() -> int:
            parse, patch = parse_bytes, pytest.MonkeyPatch()

            def parse_and_wait(*args: Any) -> Any:
                patch.undo()
                os.write(arrived, b".")
                os.read(go, 1)
                return parse(*args)

            patch.setattr(module, "parse_bytes", parse_and_wait)
            try:
                decide(path, move, by=name, at=AT)
            except ReviewRefused as e:
                assert "somebody else" in str(e).lower(), e
                return 1
            return 0

        return run

    for _ in range(20):
        path.write_bytes(original)
        (arrived, arrive), (wait, go) = os.pipe(), os.pipe()
        children = {
            forked(deciding("Dr A", Move.APPROVE, arrive, wait)): "approve",
            forked(deciding("Dr B", Move.RETURN, arrive, wait)): "return",
        }
        assert os.read(arrived, 1) + os.read(arrived, 1) == b".."
        os.write(go, b"..")
        codes = {children[c]: os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children}
        assert sorted(codes.values()) == [0, 1], codes
        winner = min(codes, key=codes.__getitem__)
        article = article_in(path)
        assert [r.decision for r in article.reviews] == [winner]
        assert article.status is MOVES[Move(winner)][1]
        assert os.listdir(path.parent) == [path.name]
        for end in (arrived, arrive, wait, go):
            os.close(end)


def test_of_two_decisions_at_once_one_stands_and_the_other_is_refused(path: Path) -> None:
    in_a_process(two_at_once, path)


def many_at_once(path: Path) -> None:
    """Eight processes that add reviews as quickly as they can; none of what stood is lost."""

    def run() -> int:
        done = 0
        for _ in range(10):
            with suppress(ReviewRefused):
                decide(path, Move.SUBMIT, by=f"Dr {os.getpid()}", at=AT)
                done += 1
        return done

    children = [forked(run) for _ in range(8)]
    done = [os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children]
    assert max(done) <= 10, done
    assert len(article_in(path).reviews) == sum(done) > 0
    assert os.listdir(path.parent) == [path.name]


def test_every_decision_that_was_confirmed_is_in_the_file(tmp_path: Path) -> None:
    in_a_process(many_at_once, put(tmp_path, "status: submitted\n"))


def many_kills(path: Path) -> None:
    """Thirty processes killed while they decide; the file is sound, and each decision whole."""
    moments = random.Random(7)
    strays = 0

    def run() -> int:
        make = tempfile.mkstemp

        def make_and_tell(**how: Any) -> Any:
            os.write(told, b"w")
            return make(**how)

        pytest.MonkeyPatch().setattr(tempfile, "mkstemp", make_and_tell)
        for n in range(10_000):
            decide(path, Move.SUBMIT, by="Dr A", at=AT, note=f"{n} " + "word " * 80)
            os.write(told, b".")
        return 0

    stood = 0
    for _ in range(30):
        (tell, told) = os.pipe()
        child = forked(run)
        os.close(told)
        heard = b""
        while heard.count(b"w") < 2:
            heard += os.read(tell, 1)
        time.sleep(moments.uniform(0, 0.003))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while some := os.read(tell, 4096):
            heard += some
        os.close(tell)
        confirmed = heard.count(b".")
        article = article_in(path)
        added = len(article.reviews) - stood
        # The last may stand without having been confirmed.
        assert confirmed <= added <= confirmed + 1
        assert [r.note.split()[0] for r in article.reviews[stood:]] == list(map(str, range(added)))
        stood += added
        strays += len(os.listdir(path.parent)) > 1
        assert article_files(path.parent) == [path]
    assert strays, "no process was killed within a decision"
    decide(path, Move.SUBMIT, by="Dr A", at=AT)
    assert os.listdir(path.parent) == [path.name]


def test_a_decision_that_is_killed_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    in_a_process(many_kills, put(tmp_path, "status: submitted\n"))
