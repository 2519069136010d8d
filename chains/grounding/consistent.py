"""Whether the figures of a sentence agree with its own words, and stand beside what they are of."""

import re
from collections.abc import Sequence
from itertools import pairwise

from chains.grounding.claims import Claim
from chains.grounding.equal import fits
from chains.grounding.failed import Failed
from chains.grounding.quantities import Amount

_MORE = r"more|higher|greater|larger|longer|older|commoner|oftener"
_LESS = r"less|fewer|lower|smaller|shorter|younger|rarer"
_THAN = re.compile(
    rf"\b(?:(?P<more>(?:{_MORE})(?! than (?:halv|doubl|tripl|twice|half)))|(?P<less>{_LESS}))\b[^.;]*?\bthan\b(?!\s+(?:\d|half|an? \w+th))",
    re.I,
)
_BESIDE = re.compile(
    rf"\b(?:(?P<more>(?:{_MORE})(?! than ))|(?P<less>{_LESS}))\b[^.;,()]{{0,40}}\($", re.I
)
_SIDE_BY_SIDE = re.compile(
    r"\s*(?:v|vs\.?|versus|against|compared with|and)\s*(?:about |only )?", re.I
)
_FELL = re.compile(
    r"\b(?:f[ea]ll\w*|dropp\w*|lower(?:ed|s)|reduc\w+|decreas\w+|declin\w+|shorten\w*|cut|down)\b",
    re.I,
)
_ROSE = re.compile(
    r"\b(?:r[oi]se\w*|rais\w+|increas\w+|climb\w*|grew|lengthen\w*|prolong\w*|up)\b", re.I
)
_FROM_TO = re.compile(r"\bfrom\s$")
_TO = re.compile(r"\s(?:[^,;.]{0,40}\s)?to\s(?:about |only |just )?")
_PART = re.compile(r"[;,](?= (?:but|and|yet|while|whereas)\b)|;")
_DENIES = re.compile(r"\b(?:no|not|neither|nor|never|than not)\b|n't\b", re.I)  # fmt: skip


def check_consistent(claim: Claim) -> None:
    """ "Less often with A than with B (6% v 2%)" contradicts itself."""
    comparisons = list(_THAN.finditer(claim.text))
    for one, other in pairwise(claim.amounts):
        if one.dimension != other.dimension or one.low != one.high or other.low != other.high:
            continue
        between = claim.text[one.end : other.start]
        before = claim.text[: one.start]
        start = max((m.end() for m in _PART.finditer(before)), default=0)
        if _DENIES.search(before[start:]):
            continue
        if _TO.fullmatch(between) and _FROM_TO.search(before[-8:]):
            fell, rose = _FELL.search(before), _ROSE.search(before)
            if (fell and not rose and one.low < other.low) or (
                rose and not fell and one.low > other.low
            ):
                raise Failed("direction", f"from “{one.text}” to “{other.text}”")
        if _SIDE_BY_SIDE.fullmatch(between):
            last = next((m for m in reversed(comparisons) if m.end() <= one.start), None)
            if last is None or ";" in claim.text[last.end() : one.start]:
                last = _BESIDE.search(before)
            if last is None:
                continue
            way = 1 if last["more"] else -1
            if (one.low - other.low) * way < 0:
                raise Failed("direction", f"“{one.text}” against “{other.text}”")


def check_strengths(claim: Claim, statement: Sequence[Claim]) -> None:
    """A figure right before a word ("5% cream") is the one that stands right before it there."""
    for own in claim.amounts:
        if not (noun := _noun(claim, own)):
            continue
        there = [
            (c, a)
            for c in statement
            for a in c.amounts
            if a.dimension == own.dimension and _noun(c, a) == noun
        ]
        if there and not any(fits(claim, own, a) for _, a in there):
            raise Failed("number", f"“{own.text}” is “{there[0][1].text}” there")


def _noun(claim: Claim, amount: Amount) -> str | None:
    """The word that an amount stands right before."""
    if (
        amount.dimension in ("count", "time", "frequency")
        or amount.derived
        or " of " in amount.text
    ):
        return None
    after = next((w for w in claim.words if w.start >= amount.end), None)
    if (
        after is None
        or not after.content
        or after.name == "compare"
        or claim.text[amount.end : after.start] != " "
    ):
        return None
    return after.name
