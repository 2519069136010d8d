"""Whether two amounts are the same one."""

import re

from chains.grounding.claims import Claim
from chains.grounding.quantities import Amount
from chains.grounding.words import ABOUT

_LETTERS = re.compile(r"[a-z]+")
_MORE_THAN = re.compile(r"\b(?:more than|over|above)\s(?:an?\s)?$")
_LESS_THAN = re.compile(r"\b(?:less than|fewer than|under|below)\s(?:an?\s)?$")
_AT_MOST = re.compile(r"\b(?:up to|at most|maximum(?: of)?|to)\s*$")
_AT_LEAST = re.compile(r"\b(?:at least|from|minimum(?: of)?|as (?:little|few|early) as)\s*$")
_OR_MORE = re.compile(r"(?: [\w-]+)? (?:or|and) (?:more|over|above|older|longer|higher|better)\b")


def is_hedged(claim: Claim, amount: Amount) -> bool:
    earlier = [
        a for a in claim.amounts if a.start <= amount.start and a.dimension == amount.dimension
    ]
    return any(
        not ABOUT.isdisjoint(
            _LETTERS.findall(claim.text[max(0, a.start - 22) : a.start].lower())[-3:]
        )
        for a in earlier
    )


def _equal(own: Amount, other: Amount, hedged: bool) -> bool:
    if own.vague or other.vague:
        near = 5.0 if hedged else 1.5
        return abs(own.low - other.low) <= near and abs(own.high - other.high) <= near
    if other.derived and not own.derived:
        return abs(own.low - other.low) <= 0.51
    share = 0.09 if hedged else 0.003
    whole = own.low == int(own.low) and other.low == int(other.low)
    if own.dimension == "count" and whole and (not hedged or 1900 <= own.low <= 2100):
        share = 0.0
    if own.dimension == "time":
        weeks = "week" in own.text.lower(), "week" in other.text.lower()
        share = max(share, 0.09 if weeks[0] != weeks[1] and max(own.low, other.low) > 27 else 0.015)
    pairs = ((own.low, other.low), (own.high, other.high))
    return all(
        abs(a - b) <= share * max(abs(a), abs(b), 1e-12) or (hedged and _rounds(own, a, b))
        for a, b in pairs
    )


def _rounds(own: Amount, value: float, other: float) -> bool:
    """ "about 1%" for 1.1%: rounded to as many places as are given."""
    if own.dimension not in ("share", "count") or value < 1 or other == int(other):
        return False
    places = len(own.text.partition(".")[2].rstrip("% ")) if own.text[0].isdigit() else 0
    return abs(round(other, places) - value) < 1e-9


def fits(claim: Claim, own: Amount, other: Amount) -> bool:
    """Whether an amount of the statement is the one that the claim gives."""
    if {own.dimension, other.dimension} == {"count", "time"}:
        # "over 65", said of people in one of the two only
        count, time = (own, other) if own.dimension == "count" else (other, own)
        return time.text.isdigit() and abs(count.low * 365.25 - time.low) < 1
    if own.dimension != other.dimension:
        one = own.plain or (own.low, own.high, own.dimension)
        two = other.plain or (other.low, other.high, other.dimension)
        if own.vague and one[2] == two[2] == "share":
            return abs(one[0] - two[0]) <= (5.0 if is_hedged(claim, own) else 1.5)
        # "10 mg" and, elsewhere in the sentence, "a day": the rhythm is looked at on its own.
        return one[2] == two[2] and all(
            abs(a - b) <= 0.003 * max(abs(a), abs(b)) for a, b in zip(one[:2], two[:2], strict=True)
        )
    hedged = is_hedged(claim, own)
    between = own.high <= 1.4 * own.low and claim.text[: own.start].lower().endswith("between ")
    if between and own.low < other.low == other.high < own.high:
        return True  # "between four and five" for 4.5
    if own.vague and own.dimension == "share":
        said = claim.text[max(0, own.start - 12) : own.start].lower()
        if other.vague and _equal(own, other, False):
            return True  # on which side is looked at elsewhere
        if _MORE_THAN.search(said):
            return own.low < other.low <= own.low + 25
        if _LESS_THAN.search(said):
            return own.low - 25 <= other.low < own.low
    if _equal(own, other, hedged):
        return True
    before = claim.text[max(0, own.start - 18) : own.start].lower()
    if own.low == own.high and other.low < other.high:
        if _AT_MOST.search(before):
            return bool(abs(own.low - other.high) <= 0.003 * other.high)
        if _AT_LEAST.search(before) or _OR_MORE.match(claim.text, own.end):
            return bool(abs(own.low - other.low) <= 0.003 * max(other.low, 1e-12))
    return False


P_VALUE = re.compile(r"\bp\s?[=<>≤]+\s*$", re.IGNORECASE)


def is_year(amount: Amount) -> bool:
    return amount.dimension == "count" and 1900 <= amount.low <= 2100 and len(amount.text) == 4
