"""What another version of the articles says otherwise, article by article.

An edited statement is one change, from what it was to what it is, and not a loss and a find.
Statements are aligned section by section; of what does not align, equal ones have moved, and
neighbours that are alike were edited.
"""

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any, Literal

from rapidfuzz.distance import Indel

from store.article import (
    AnswerableProbe,
    Article,
    Part,
    Reference,
    Section,
    Statement,
    UnanswerableProbe,
    reference_dict,
    with_markers,
)

ALIKE = 0.6
"""From this share of common words on, one text is taken for an edited form of another."""
NEIGHBOURS = 20
"""Among how many texts on either side of its place an edited one is looked for."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is said otherwise; a text that only moved is the same before and after."""

    where: str
    """A section, a field or a part of one: "From the research: Healing", "references.3.year"."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ArticleDiff:
    """What differs in one article. One that comes or goes has its size and status as changes."""

    slug: str
    title: str
    kind: Literal["added", "removed", "changed"]
    changes: tuple[Change, ...]


def compare(before: Mapping[str, Article], after: Mapping[str, Article]) -> list[ArticleDiff]:
    """The articles that differ, by slug, and what differs in each in reading order.

    Everything that an article holds is compared but the lines and paragraphs its statements stand
    in. Takes a second at most for an article of 2,000 statements.
    """
    found = []
    for slug in sorted({*before, *after}):
        old, new = before.get(slug), after.get(slug)
        if old is None and new is not None:
            changes = [Change(w, None, size) for w, size in _size(new)]
            found.append(ArticleDiff(slug, new.title, "added", tuple(changes)))
        elif new is None and old is not None:
            changes = [Change(w, size, None) for w, size in _size(old)]
            found.append(ArticleDiff(slug, old.title, "removed", tuple(changes)))
        elif old is not None and new is not None:
            changes = list(_changes(old, new))
            if changes:
                found.append(ArticleDiff(slug, new.title, "changed", tuple(changes)))
    return found


def diff_dict(diffs: Sequence[ArticleDiff]) -> dict[str, Any]:
    """The differences as programs read them (`corollary articles diff --json`)."""
    kinds = Counter(d.kind for d in diffs)
    return {
        "added": kinds["added"],
        "removed": kinds["removed"],
        "changed": kinds["changed"],
        "articles": [
            {
                "slug": d.slug,
                "title": d.title,
                "kind": d.kind,
                "changes": [
                    {"where": c.where, "before": c.before, "after": c.after} for c in d.changes
                ],
            }
            for d in diffs
        ],
    }


_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def diff_lines(diffs: Iterable[ArticleDiff]) -> Iterator[str]:
    """The differences as lines of plain text: `~ slug: title`, then each place with `-` and `+`.

    A text that moved has one line with `=`.
    """
    for d in diffs:
        yield f"{_SIGNS[d.kind]} {d.slug}: {d.title}"
        place = None
        for change in d.changes:
            if change.where != place:
                place = change.where
                yield f"  {place}"
            if change.before == change.after:
                yield f"    = {change.after}"
                continue
            if change.before is not None:
                yield f"    - {change.before}"
            if change.after is not None:
                yield f"    + {change.after}"


def _size(article: Article) -> Iterator[tuple[str, str]]:
    yield "statements", str(sum(1 for _ in article.statements()))
    yield "references", str(len(article.references))
    yield "status", article.status.value


def _changes(old: Article, new: Article) -> Iterator[Change]:
    yield from _field("title", old.title, new.title)
    yield from _field("topic", old.topic, new.topic)
    yield from _statements(old.sections, new.sections)
    yield from _references(old, new)
    yield from _field("status", old.status.value, new.status.value)
    yield from _field("updated", _day(old.updated), _day(new.updated))
    yield from _field("review_by", _day(old.review_by), _day(new.review_by))
    yield from _field("notice", old.notice or None, new.notice or None)
    yield from _list("aliases", old.aliases, new.aliases)
    yield from _list("conflicts", _marked(old.conflicts), _marked(new.conflicts))
    yield from _probes(old, new)
    yield from _list("reviews", _reviews(old), _reviews(new))


def _field(where: str, old: str | None, new: str | None) -> Iterator[Change]:
    if old != new:
        yield Change(where, old, new)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _marked(statements: Iterable[Statement]) -> list[str]:
    return [with_markers(s.text, s.marks) for s in statements]


# --------------------------------------------------------------------------- sections

_Key = tuple[Part, str, int]
"""Part, heading, and how many sections before have the same: two may."""


def _statements(old: Sequence[Section], new: Sequence[Section]) -> Iterator[Change]:
    befores, afters = _keyed(old), _keyed(new)
    renamed = _renamed(befores, afters)
    came_from = {to: was for was, to in renamed.items()}
    for was, to in renamed.items():
        yield Change(f"{to[0].value}, heading", was[1] or "(none)", to[1] or "(none)")
    order_before = [k for k in (renamed.get(k, k) for k in befores) if k in afters]
    order_after = [k for k in afters if came_from.get(k, k) in befores]
    if order_before != order_after:
        titles = ["; ".join(_title(k) for k in keys) for keys in (order_before, order_after)]
        yield Change("order of sections", *titles)

    pairs = [(came_from.get(k, k), k) for k in afters]
    pairs += [(k, k) for k in befores if k not in renamed and k not in afters]
    spots = [_Spot(_title(to), befores.get(was, []), afters.get(to, [])) for was, to in pairs]
    yield from _spot_changes(spots)


def _title(key: _Key) -> str:
    part, heading, _ = key
    return f"{part.value}: {heading}" if heading else part.value


def _keyed(sections: Sequence[Section]) -> dict[_Key, list[str]]:
    seen: Counter[tuple[Part, str]] = Counter()
    found = {}
    for section in sections:
        key = (section.part, section.heading)
        found[*key, seen[key]] = _marked(section.statements)
        seen[key] += 1
    return found


def _renamed(befores: dict[_Key, list[str]], afters: dict[_Key, list[str]]) -> dict[_Key, _Key]:
    """Sections that have another heading and half of their statements in common."""
    home = {text: key for key, texts in befores.items() if key not in afters for text in set(texts)}
    found: dict[_Key, _Key] = {}
    for key, texts in afters.items():
        if key in befores:
            continue
        common = Counter(
            home[t] for t in dict.fromkeys(texts) if t in home and home[t][0] is key[0]
        ).most_common(1)
        if common:
            was, count = common[0]
            if was not in found and count * 2 >= min(len(set(texts)), len(set(befores[was]))):
                found[was] = key
    return found


# --------------------------------------------------------------------------- lists of texts


@dataclass(frozen=True, slots=True)
class _Spot:
    """A list of texts as it was and as it is."""

    title: str
    before: Sequence[str]
    after: Sequence[str]

    def left_over(self) -> tuple[dict[int, int], list[int]]:
        """Position of each text that went, with where it would stand now, and of each that came."""
        # Texts that stand there by the dozen are left to `autojunk`: they take long to align.
        blocks = SequenceMatcher(None, self.before, self.after).get_matching_blocks()
        went: dict[int, int] = {}
        came: list[int] = []
        i, j = 0, 0
        for block in blocks:
            came += range(j, block.b)
            went |= {k: min(j + k - i, block.b) for k in range(i, block.a)}
            i, j = block.a + block.size, block.b + block.size
        return went, came


def _list(where: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    yield from _spot_changes([_Spot(where, old, new)])


def _spot_changes(spots: Sequence[_Spot]) -> Iterator[Change]:
    left = [spot.left_over() for spot in spots]
    moved = _moved(spots, left)
    sources = set(moved.values())
    for n, (spot, (went, came)) in enumerate(zip(spots, left, strict=True)):
        gone = {i: at for i, at in went.items() if (n, i) not in sources}
        new = [j for j in came if (n, j) not in moved]
        edited = _edited(spot, gone, new)
        now = {i: j for j, i in edited.items()}
        found: list[tuple[int, int, int, Change]] = []
        place: dict[int, int] = {}
        for i, at in gone.items():
            # What went stands behind what stood before it, wherever that is now.
            place[i] = now[i] if i in now else place.get(i - 1, at - 1)
            if i not in now:
                found.append((place[i], 1, i, Change(spot.title, spot.before[i], None)))
        for j in came:
            where, was = spot.title, None
            if (n, j) in moved:
                m, _ = moved[n, j]
                where += ", moved within" if m == n else f", moved from {spots[m].title}"
                was = spot.after[j]
            elif j in edited:
                was = spot.before[edited[j]]
            found.append((j, 0, j, Change(where, was, spot.after[j])))
        yield from (f[-1] for f in sorted(found, key=lambda f: f[:3]))


def _moved(
    spots: Sequence[_Spot], left: Sequence[tuple[dict[int, int], list[int]]]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Where each text that came was before, as (spot, position); from its own spot if it can."""
    gone: dict[str, deque[tuple[int, int]]] = defaultdict(deque)
    at_home: dict[tuple[int, str], deque[int]] = defaultdict(deque)
    for n, (went, _) in enumerate(left):
        for i in went:
            gone[spots[n].before[i]].append((n, i))
            at_home[n, spots[n].before[i]].append(i)
    came = [(n, j) for n, (_, positions) in enumerate(left) for j in positions]
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for n, j in came:
        if home := at_home.get((n, spots[n].after[j])):
            found[n, j] = (n, home.popleft())
    taken = set(found.values())
    for n, j in came:
        others = gone.get(spots[n].after[j])
        while (n, j) not in found and others:
            source = others.popleft()
            if source not in taken:
                found[n, j] = source
    return found


def _edited(spot: _Spot, gone: dict[int, int], new: Sequence[int]) -> dict[int, int]:
    """Position now -> position before, of texts that are alike; the most alike pair first."""
    words = {j: spot.after[j].split() for j in new}
    pairs = []
    for i, at in gone.items():
        was = spot.before[i].split()
        nearest = bisect_left(new, at)
        for j in new[max(nearest - NEIGHBOURS, 0) : nearest + NEIGHBOURS]:
            likeness = Indel.normalized_similarity(was, words[j], score_cutoff=ALIKE)
            if likeness:
                pairs.append((-likeness, abs(j - at), i, j))
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, i, j in sorted(pairs):
        if i not in taken and j not in found:
            taken.add(i)
            found[j] = i
    return found


# --------------------------------------------------------------------------- sources and the rest


def _references(old: Article, new: Article) -> Iterator[Change]:
    befores = {r.number: r for r in old.references}
    afters = {r.number: r for r in new.references}
    for number in sorted({*befores, *afters}):
        was, now = befores.get(number), afters.get(number)
        where = f"references.{number}"
        if was is None or now is None:
            yield Change(where, _source(was) if was else None, _source(now) if now else None)
            continue
        fields = reference_dict(now)
        for name, before in reference_dict(was).items():
            yield from _field(f"{where}.{name}", _worded(before), _worded(fields[name]))


def _worded(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "; ".join(value) or None
    return None if value is None else str(value)


def _source(r: Reference) -> str:
    parts = [r.kind, r.authors[0] if r.authors else None, r.title, r.journal, r.year, r.link]
    return ", ".join(str(p) for p in [*parts, "retracted" if r.retracted else None] if p)


def _probes(old: Article, new: Article) -> Iterator[Change]:
    yield from _field("probes", _count(old), _count(new))
    for name in ("answerable", "unanswerable"):
        befores, afters = ([_probe(p) for p in getattr(a, name)] for a in (old, new))
        yield from _list(f"probes.{name}", befores, afters)


def _count(article: Article) -> str:
    return f"{len(article.answerable)} answerable, {len(article.unanswerable)} unanswerable"


def _probe(probe: AnswerableProbe | UnanswerableProbe) -> str:
    if isinstance(probe, UnanswerableProbe):
        return f"{probe.question} ({probe.reason})" if probe.reason else probe.question
    also = f"; also asked: {' / '.join(probe.paraphrases)}" if probe.paraphrases else ""
    return f"{probe.question} (answered by: {' / '.join(probe.statements)}{also})"


def _reviews(article: Article) -> list[str]:
    return [
        f"{r.decision} by {r.by} on {r.at} of {r.sha256[:12]}" + (f": {r.note}" if r.note else "")
        for r in article.reviews
    ]
