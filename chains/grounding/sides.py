"""What stands on the two sides of a comparison."""

import re

from chains.grounding.claims import Claim

COMPARING = re.compile(
    r"\bthan\b(?! (?:\d|half\b|an? (?:half|third|quarter|fifth|sixth|tenth)\b))|\bcompared (?:with|to)\b|\bversus\b|\bvs\.?(?=\s)|\bv\b|\bover\b(?!\s+(?:\d|half|an?\b|the\b|time\b|one\b|two\b|three\b|four\b|five\b|six\b|ten\b|twelve\b))|\bsuperior to\b|"
    r"\binferior to\b|\brather than\b|\bas (?:\w+ )?as\b(?! (?:\d|an?\b|one|two|three|four|five|six|possible|well|soon|long\b))|\bahead of\b|\binstead of\b",
    re.IGNORECASE,
)


_ADVISED_AGAINST = re.compile(
    r"\b(?:recommend|advis|warn|decid|caution|counsel)\w*\s(?:\w+\s)?against\b|\bagainst[,.]?$",
    re.IGNORECASE,
)


_PREFERS = re.compile(
    r"\b(?:prefer|favou?r|advantage|superior|benefit|better|cho[so]|gain|edge|odds)\w*",
    re.IGNORECASE,
)
"""With these, "over" compares."""


_AGAINST = re.compile(r"\bagainst\b", re.IGNORECASE)


def parted(claim: Claim) -> tuple[frozenset[str], frozenset[str]] | None:
    """What stands before and behind the comparing word."""
    found = next(
        (
            m
            for m in COMPARING.finditer(claim.text)
            if m[0].lower() != "over" or _PREFERS.search(claim.text)
        ),
        None,
    ) or _AGAINST.search(claim.text)
    if found is None or _ADVISED_AGAINST.search(claim.text):
        return None
    if found.start() < 5:
        # "Compared with A, B ...": the first side ends at the comma.
        comma = claim.text.find(",")
        if comma < 0:
            return None
        right = frozenset(
            w.name for w in claim.words if found.end() <= w.start < comma and w.content
        )
        left = frozenset(w.name for w in claim.words if w.start > comma and w.content)
        return left, right
    left = frozenset(w.name for w in claim.words if w.start < found.start() and w.content)
    stop = re.compile(r"[,;(]|\b(?:in|at|after|for|by|on|with)\b").search(
        claim.text, found.end() + 4
    )
    end = stop.start() if stop else len(claim.text)
    right = frozenset(w.name for w in claim.words if found.end() <= w.start < end and w.content)
    return left, right
