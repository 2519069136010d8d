"""Amounts that follow from those of a statement."""

import re
from collections.abc import Sequence

from chains.grounding.claims import Claim
from chains.grounding.equal import is_hedged, is_year
from chains.grounding.quantities import Amount
from chains.grounding.rhythm import rhythms_of

_APART = re.compile(
    r"\b(?:than|by|difference|points?|shorter|longer|fewer|less|more|did not|missing|lost|excluded|rest|remainder|others?)\b",
    re.IGNORECASE,
)


_COUNTS_APART = re.compile(
    r"\b(?:difference|points?|shorter|longer|fewer|less|more (?!than)|did not|missing|lost|excluded|rest|remainder|remaining|"
    r"others?|withdrew|dropped|left)\b",
    re.IGNORECASE,
)


_IN_ALL = re.compile(
    r"\b(?:in all|altogether|in total|total|both|across|overall|together|combined|of the|all)\b",
    re.IGNORECASE,
)


_AS_OFTEN = re.compile(
    r"\b(?:(half|twice|double|(?:\w+|[\d.]+) times) (?:as|the|that)\b|(halved|doubled|tripled|halving|doubling)\b"
    r"|(?:a|by|one) (half|third|quarter|fifth) (?:fewer|less|lower|more|higher)\b)",
    re.IGNORECASE,
)


_DOSES = re.compile(
    r"\s(?:equal |divided |separate |daily )?(?:doses|portions|parts)\b", re.IGNORECASE
)


_PARTS = {"two": 2, "three": 3, "four": 4}
_DIVIDED = re.compile(
    r"\bin (?:(two|three|four) )(?:equal |divided |daily )?(?:doses|portions|parts)\b", re.I
)


def _split(statement: Sequence[Claim]) -> set[int]:
    """Into how many a dose is divided there."""
    divided = (m[1].lower() for c in statement for m in _DIVIDED.finditer(c.text))
    return {_PARTS[word] for word in divided}


_BY_BOTH = re.compile(
    r"\bby (?:about )?[\d.]+[^;.\d]{0,30}(?:compared with|against|v|versus|and)(?: by| about)? $",
    re.IGNORECASE,
)
_RATIO = re.compile(r"\bratio\b|\b(?:rr|hr|or|irr)\b", re.IGNORECASE)
_A_DAY = re.compile(r"\b(?:a|each|every|per) day\b|\bdaily\b|\b24 hours\b", re.IGNORECASE)
_BY = re.compile(
    r"\bby (?:about |nearly |almost |roughly |around |just over |some )?$", re.IGNORECASE
)


def _counted(claim: Claim, amount: Amount) -> set[str]:
    """The words right behind a number, one of which is what it counts."""
    behind = [w for w in claim.words if w.start >= amount.end][:4]
    if behind and behind[0].form in ("of", "had", "were", "was", "did", "have", "are", "in"):
        return set()
    return {
        w.name for w in behind if w.content and claim.text[amount.end : w.start].count(",") == 0
    }


def follows(claim: Claim, own: Amount, given: Sequence[Amount], statement: Sequence[Claim]) -> bool:
    """Whether the amount follows by simple arithmetic that the claim speaks of: how much two
    amounts differ, what they come to, how often one goes into the other, a share of a count, a
    relative reduction for a ratio, a dose a day."""
    if own.low != own.high or is_year(own):
        return False
    given = [a for a in given if not is_year(a)]
    if own.dimension == "frequency":
        # "once daily" for "daily"
        once = own.text.lower().startswith(("once", "one "))
        every = [
            a.low
            for c in statement
            for a in c.amounts
            if a.dimension == "time"
            and re.search(r"\bevery\s$|\binterval\b[^;.]{0,30}\s(?:to|of|is)\s$", c.text[: a.start])
        ]
        if any(abs(own.low * t - 1) < 0.02 for t in every):
            return True
        if own.low in _split(statement):
            return True
        same = rhythms_of(own.text) & rhythms_of(" ".join(c.text for c in statement))
        return once and bool(same) and not any(a.dimension == "frequency" for a in given)
    around = claim.text[max(0, own.start - 40) : own.end + 60]
    pairs = [
        (a, b)
        for i, a in enumerate(given)
        for b in given[i + 1 :]
        if a.dimension == b.dimension and a.low == a.high and b.low == b.high
    ]
    alike = [(a.low, b.low) for a, b in pairs if a.dimension == own.dimension]
    near = max(0.004 * own.low, 0.011 if own.dimension == "share" else 1e-6)
    if is_hedged(claim, own):
        near = max(near, 0.06 * own.low)
    by = _BY.search(claim.text[: own.start]) or _BY_BOTH.search(claim.text[: own.start])
    if by and is_hedged(claim, own):
        near = max(near, 0.25)
    apart = _APART.search(around)
    if own.dimension == "count":
        apart = by or _COUNTS_APART.search(claim.text[max(0, own.start - 40) : own.end + 24])
    if apart and any(abs(abs(a - b) - own.low) <= near for a, b in alike):
        return True
    summed = own.dimension in ("count", "mass") and _IN_ALL.search(around)
    if summed and any(abs(a + b - own.low) <= near for a, b in alike):
        return True
    if own.dimension == "share":
        ratios = [a.low for a in given if a.dimension == "count" and 0 < a.low < 1]
        said = " ".join(c.text for c in statement).lower()
        of = [(a.low, b.low) for a, b in pairs if a.dimension == "count" and min(a.low, b.low) > 0]
        told = own.vague or any(a.dimension == "count" and a.low >= 5 for a in claim.amounts)
        near_share = 3.0 if is_hedged(claim, own) else 0.6 if own.low >= 5 else 0.06 * own.low
        if told and any(abs(100 * min(p) / max(p) - own.low) <= near_share for p in of):
            return True
        more = [a.low for a in given if a.dimension == "count" and 1 < a.low < 3]
        if _RATIO.search(said) and any(abs(100 * (r - 1) - own.low) <= 0.6 for r in more):
            return True
        near_ratio = 3.5 if own.vague or is_hedged(claim, own) else 0.6
        if _RATIO.search(said) and any(abs(100 * (1 - r) - own.low) <= near_ratio for r in ratios):
            return True
    doses = own.dimension == "count" and _DOSES.match(claim.text, own.end)
    if doses and any(a.dimension == "frequency" and abs(a.low - own.low) < 0.01 for a in given):
        return True
    if own.dimension == "count" and own.low >= 1:
        shares = [a.low / 100 for a in given if a.dimension == "share"]
        what = _counted(claim, own)
        counts = [
            a.low
            for c in statement
            for a in c.amounts
            if a.dimension == "count" and a.low >= 5 and (not what or _counted(c, a) & what)
        ]
        if any(abs(share * n - own.low) < 0.5 and share < 1 for share in shares for n in counts):
            return True
    often = [a.low for a in [*claim.amounts, *given] if a.dimension == "frequency"]
    often += _split(statement)
    for dimension, factor in (("mass/time", 1.0), ("mass/mass/time", 0.01)):
        if own.dimension == ("mass" if factor == 1.0 else "share") and any(
            a.dimension == dimension and abs(own.low * factor * n - a.low) <= 0.01 * a.low
            for a in given
            for n in often
            if n >= 2
        ):
            return True
    if own.dimension == "mass/mass/time" and any(
        a.dimension == "share" and abs(a.low * 0.01 * n - own.low) <= 0.01 * own.low
        for a in given
        for n in often
    ):
        return True
    if own.dimension == "mass":
        strengths = [a.low for a in given if a.dimension == "mass/volume"]
        volumes = [a.low for a in given if a.dimension == "volume"]
        if any(abs(s * v - own.low) <= 0.02 * own.low for s in strengths for v in volumes):
            return True
    if own.dimension == "mass/time" or (own.dimension == "mass" and _A_DAY.search(around)):
        masses = [a.low for a in given if a.dimension == "mass"]
        often = [a.low for a in given if a.dimension == "frequency"]
        often += [1 / a.low for a in given if a.dimension == "time" and 0 < a.low <= 1]
        if any(abs(m * n - own.low) <= 0.004 * own.low for m in masses for n in often):
            return True
    if own.dimension == "share" and re.search(r"\bby\b[\w\s]{0,14}$", claim.text[: own.start]):
        least = 3.0 if own.vague else 0.6
        if any(
            abs(100 * (1 - min(a.low, b.low) / max(a.low, b.low)) - own.low) <= least
            for a, b in pairs
            if max(a.low, b.low) > 0
        ):
            return True
    times = _AS_OFTEN.search(around)
    if times and (own.dimension == "count" or own.vague):
        value = own.low / 100 if own.dimension == "share" else own.low
        if times[3]:
            value = 1 - value
        return any(
            abs(max(a, b) / max(min(a, b), 1e-9) - max(value, 1 / value))
            <= 0.15 * max(value, 1 / value)
            for a, b in ((p.low, q.low) for p, q in pairs)
            if value > 0
        )
    return False
