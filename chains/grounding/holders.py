"""On which side something was seen, and who judged it."""

import re
from collections.abc import Sequence
from itertools import pairwise

from chains.grounding.claims import Claim
from chains.grounding.equal import fits
from chains.grounding.failed import Failed
from chains.grounding.words import GENERIC, NEGATORS

_HOLDERS = frozenset("side sides half halves group groups arm arms".split())
_JUDGES = frozenset(
    "observer observers investigator investigators assessor assessors physician physicians doctor "
    "doctors parent parents dermatologist dermatologists caregiver caregivers".split()
)
_ANY_SIDE = frozenset("other each one both either than treatment treated study comparison".split())
_CLAUSE = re.compile(r"[;]|,(?= (?:but|and|with|while|whereas)\b)|\b(?:but|while|whereas)\b")
_MARGIN = 3
"""By how much more another part of the statement must fit."""


def check_holders(claim: Claim, statement: Sequence[Claim]) -> None:
    """What was seen on one side, or judged by one, is not said of the other."""
    parts = [part for c in statement for part in _parts(c)]
    if len(parts) < 2:
        return
    for said, start, end, _ in _parts(claim):
        figures = [_figures(claim, start, end, *part[1:]) for part in parts]
        shared = [len(said & names) for names, *_ in parts]
        for holder in _sides(claim, start, end):
            has = [holder in names for names, *_ in parts]
            fit = [n - h + 2 * f for n, h, f in zip(shared, has, figures, strict=True)]
            if _other(fit, has) >= _MARGIN:
                raise Failed("arm", f"it was not “{holder}” there")
        for judge in (w.stem for w in claim.words if start <= w.start < end and w.form in _JUDGES):
            has = [
                any(first <= w.start < last and w.stem == judge for w in c.words)
                for _, first, last, c in parts
            ]
            if _other(figures, has) >= 2:
                raise Failed("arm", f"it was not “{judge}” there")


def _other(fit: Sequence[int], has: Sequence[bool]) -> int:
    """By how much the best part without the holder fits better than the best with it; 0 when none
    has it."""
    if not any(has):
        return 0
    best = max(n for n, h in zip(fit, has, strict=True) if h)
    return max((n for n, h in zip(fit, has, strict=True) if not h), default=0) - best


def _figures(claim: Claim, start: int, end: int, first: int, last: int, whole: Claim) -> int:
    """How many amounts of a part of the claim are in a part of the statement."""
    there = [a for a in whole.amounts if first <= a.start < last]
    return sum(
        any(fits(claim, a, b) for b in there) for a in claim.amounts if start <= a.start < end
    )


def _parts(claim: Claim) -> list[tuple[frozenset[str], int, int, Claim]]:
    """The parts that could be said alone: their words, where they start and end."""
    cuts = [0, *(m.start() for m in _CLAUSE.finditer(claim.text)), len(claim.text)]
    found = []
    for start, end in pairwise(cuts):
        names = frozenset(w.name for w in claim.words if start <= w.start < end and w.content)
        if names:
            found.append((names, start, end, claim))
    return found


def _sides(claim: Claim, start: int, end: int) -> list[str]:
    words = [w for w in claim.words if start <= w.start < end]
    if any(w.form in NEGATORS for w in words):
        return []
    return [
        before.name
        for n, w in enumerate(words)
        for before in words[max(0, n - 2) : n]
        if w.form in _HOLDERS
        and before.content
        and before.form.isalpha()
        and before.stem not in GENERIC
        and before.form not in _ANY_SIDE
    ]
