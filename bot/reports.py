"""What a reload, a rollback and a check have to say, for people and for programs."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chains.gaps import GapGroup
from store.article import Move, Status
from store.parse import ParsedFile
from store.records import AuditEntry
from store.report import Difference, Report
from store.review import Decided

SHOWN = 20
"""More lines of one sort are counted instead."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Unanswered questions, grouped by meaning."""

    groups: tuple[GapGroup, ...]
    hidden: int
    """Questions in groups that too few people asked to be shown."""
    from_people: int


def file_dict(f: ParsedFile) -> dict[str, Any]:
    """One checked file as programs read it."""
    return {
        "path": str(f.path),
        "slug": f.slug,
        "accepted": f.accepted,
        "problems": [
            {
                "severity": p.severity,
                "code": p.code,
                "line": p.line,
                "field": p.field,
                "message": p.message,
            }
            for p in f.problems
        ],
    }


def checked_text(result: dict[str, Any]) -> str:
    """A check as a person reads it: one line a problem, file:line first."""
    lines = []
    for f in result["files"]:
        for p in f["problems"]:
            where = f" ({p['field']})" if p["field"] else ""
            lines.append(f"{f['path']}:{p['line']}: {p['severity']}: {p['message']}{where}")
    refused = sum(not f["accepted"] for f in result["files"])
    warned = sum(p["severity"] == "warning" for f in result["files"] for p in f["problems"])
    lines.append(
        f"{count(len(result['files']), 'file')}, {refused} refused, {count(warned, 'warning')}."
    )
    return "\n".join(lines)


def report_dict(report: Report) -> dict[str, Any]:
    """A report as programs read it."""
    return {
        "build": report.build,
        "previous": report.previous,
        "added": list(report.added),
        "changed": list(report.changed),
        "removed": list(report.removed),
        "reasons": dict(report.reasons),
        "moved": [{"slug": s, "before": a, "after": b} for s, a, b in report.moved],
        "unchanged": list(report.unchanged),
        "not_served": [{"slug": s, "status": status} for s, status in report.not_served],
        "downgraded": list(report.downgraded),
        "refused": [file_dict(f) for f in report.refused],
        "passages": report.passages,
        "embedded": report.embedded,
        "self_queries": report.self_queries,
        "recall": report.recall,
        "rehearsal": asdict(report.rehearsal),
        "study": report.study,
        "withdrawn": [asdict(w) for w in report.withdrawn],
        "revived": [{"slug": s, "status": status} for s, status in report.revived],
    }


def report_lines(report: Report, where_all: str = "") -> Iterator[str]:
    """A report as a person reads it, the summary last. `where_all` says where the lines are that
    a long list leaves out."""

    def _some(lines: Iterator[str]) -> Iterator[str]:
        return _first(lines, where_all)

    reasons = dict(report.reasons)
    yield from _some(f"added      {s}" for s in report.added)
    yield from _some(f"changed    {s}" for s in report.changed)
    yield from _some(
        f"removed    {s}{f' ({reasons[s]})' if s in reasons else ''}" for s in report.removed
    )
    yield from _some(f"moved      {s}: {a} to {b}" for s, a, b in report.moved)
    yield from _some(f"waiting    {s} ({status})" for s, status in report.not_served)
    yield from _some(
        f"downgraded {s}: its text is not the one that was approved" for s in report.downgraded
    )
    yield from _some(f"back       {s}, though it is {status} now" for s, status in report.revived)
    yield from _some(
        f"refused    {f.path}:{p.line}: {p.message}{f' ({p.field})' if p.field else ''}"
        for f in report.refused
        for p in f.problems
        if p.severity == "error"
    )
    yield from _rehearsed(report, where_all)
    yield from _calibrated(report)
    yield from _some(
        f"withdrawn  {w.article}: “{w.text[:100]}{'…' if len(w.text) > 100 else ''}” "
        f"was shown to {count(w.people, 'person', 'people')}"
        for w in report.withdrawn
    )
    yield told(report)


def told(report: Report) -> str:
    """A report in one line."""
    counts = [
        f"{len(slugs)} {word}"
        for word, slugs in (
            ("added", report.added),
            ("changed", report.changed),
            ("removed", report.removed),
            ("unchanged", report.unchanged),
            ("not served", report.not_served),
            ("refused", report.refused),
        )
        if slugs
    ]
    what = f"Build {report.build}: " if report.build else "Checked only, nothing is switched: "
    return (
        f"{what}{count(report.passages, 'passage')}, {report.embedded} embedded; "
        f"articles: {', '.join(counts) or 'none'}."
    )


def _rehearsed(report: Report, where_all: str) -> Iterator[str]:
    rehearsal = report.rehearsal
    if not rehearsal.probes and not rehearsal.questions:
        return
    yield from _first(
        (f"probe      {a}: “{question}” does not hold" for a, question in rehearsal.failing),
        where_all,
    )
    yield from _first(map(_different, rehearsal.differences), where_all)
    yield (
        f"Rehearsed: {rehearsal.held} of {count(rehearsal.probes, 'probe')} hold; "
        f"{count(rehearsal.questions, 'real question')} asked again; "
        f"{count(len(rehearsal.differences), 'reply', 'replies')} differ."
    )


def _calibrated(report: Report) -> Iterator[str]:
    """How sure an answer must be, and what that answered and refused of articles left out."""
    curve = report.study.get("curve")
    if not curve:
        return
    threshold = float(report.study["threshold"])
    _, answered, refused = min(curve, key=lambda point: abs(point[0] - threshold))
    yield (
        f"Calibrated: an answer must be {threshold:.2f} sure. Of probes left out of that, "
        f"{answered:.0%} are answered; of those to be refused, {refused:.0%} are."
    )
    silent = report.study.get("unanswered", [])
    if silent:
        yield f"Not suggested, as they get no answer: {count(len(silent), 'probe')}."


def _different(d: Difference) -> str:
    asked = f"“{d.question}”" if d.question is not None else f"the question of turn {d.turn}"
    kinds = f"{d.before} to {d.after}"
    if d.before == d.after:
        kinds = f"{d.after} with other statements"
    lost = f"; cited no more: {', '.join(d.lost)}" if d.lost else ""
    gained = f"; cited now: {', '.join(d.gained)}" if d.gained else ""
    return f"reply      {d.article}: {asked}: {kinds}{lost}{gained}"


def _first(lines: Iterator[str], where_all: str) -> Iterator[str]:
    more = 0
    for n, line in enumerate(lines):
        if n < SHOWN:
            yield line
        else:
            more += 1
    if more:
        yield f"… and {more} more{where_all}"


def count(n: int, one: str, several: str = "") -> str:
    """A number with its noun: "1 file", "2 files"."""
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def decided_text(slug: str, decided: Decided) -> str:
    """What a review move did, in one line."""
    given = len(decided.approvals_given)
    text = f"{slug}: {_words(decided.before)} to {_words(decided.status)}"
    if decided.move is Move.APPROVE and decided.status is not Status.APPROVED:
        missing = decided.approvals_needed - given
        names = ", ".join(decided.approvals_given)
        return f"{slug}: approved by {names}; {missing} more needed (text {decided.sha256[:12]})."
    return f"{text} (text {decided.sha256[:12]}). It takes effect with the next reload."


def _words(status: Status) -> str:
    return status.value.replace("_", " ")


def gap_dict(g: GapGroup) -> dict[str, Any]:
    """A group of unanswered questions as programs read it."""
    return {
        "question": g.question,
        "questions": g.questions,
        "people": g.people,
        "article": g.article,
        "section": g.section,
        "reason": g.reason,
        "first_at": g.first_at.isoformat(timespec="seconds"),
        "noticed_at": g.last_at.isoformat(timespec="seconds"),
    }


def gaps_lines(found: Gaps, limit: int) -> Iterator[str]:
    """Unanswered questions as a person reads them."""
    for g in found.groups[:limit]:
        near = f"nearest: {g.article}{f', {g.section}' if g.section else ''}" if g.article else "-"
        yield (
            f"{g.last_at:%Y-%m-%d}  {count(g.questions, 'time'):8} "
            f"{count(g.people, 'person', 'people'):9}  {g.question}  ({near})"
        )
    asked = sum(g.questions for g in found.groups)
    yield (f"{count(asked, 'question')} without an answer, {count(len(found.groups), 'meaning')}.")
    if found.hidden:
        yield (
            f"{found.hidden} more are not shown: fewer than {found.from_people} people asked "
            "alike (COROLLARY_GAPS_FROM_PEOPLE)."
        )


def audit_dict(e: AuditEntry) -> dict[str, Any]:
    """A line of the audit as programs read it."""
    return asdict(e) | {"at": e.at.isoformat(timespec="seconds")}


def audit_lines(entries: Sequence[AuditEntry]) -> Iterator[str]:
    """The audit as a person reads it."""
    for e in entries:
        sha256 = f" {e.sha256[:12]}" if e.sha256 else ""
        detail = ", ".join(f"{k}: {v}" for k, v in e.detail.items() if v not in (None, ""))
        yield (
            f"{e.at:%Y-%m-%d %H:%M:%S}  {e.who:24} {e.action:16} {e.article or '-'}{sha256}"
            f"{f'  ({_visible(detail)})' if detail else ''}"
        )


def _visible(text: str) -> str:
    """The text without characters that a terminal would obey: what was refused is in it too."""
    return "".join("?" if unicodedata.category(c)[0] == "C" else c for c in text)
