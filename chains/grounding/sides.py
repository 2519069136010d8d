"""What stands on the two sides of a comparison."""

import re

from chains.grounding.claims import Claim

COMPARING = re.compile(
    r"\bthan\b(?! (?:\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty)\b(?! (?:drugs|groups|arms))|halv\w+|doubl\w+|tripl\w+|twice\b|half\b|an? (?:half|third|quarter|fifth|sixth|tenth)\b))|\bcompared (?:with|to)\b|\bversus\b|\bvs\.?(?=\s)|\bv\b|\bover\b(?!\s+(?:\d|half|an?\b|the\b|time\b|one\b|two\b|three\b|four\b|five\b|six\b|ten\b|twelve\b))|\bsuperior to\b|"
    r"\binferior to\b|\brather than\b|\bas (?:\w+ )?as\b(?! (?:\d|an?\b|one|two|three|four|five|six|possible|well|soon|long\b))|\b(?:came|was|were|rated|placed|ranked) ahead of\b|\binstead of\b"
    r"|\b(?:by|in) contrast (?:with|to)\b|\bunlike\b|\bas opposed to\b|\brelative to\b",
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


def _between_figures(text: str, found: re.Match[str]) -> bool:
    """ "16% against 6%" sets figures side by side."""
    return (
        re.search(r"\d\s?%?\)?,?\s$", text[: found.start()]) is not None
        and re.match(
            r"\s(?:only |about )?\d[\d.,]*\s?%?(?:\s\w+){0,4}(?:[).;,]|$)", text[found.end() :]
        )
        is not None
    )


_TO = re.compile(
    r"\bprefer(?:s|red|ring|ence for)?\b(?P<what>[^.;,]{0,60}?)\s(?:to|over)\s(?P<other>[^.;,]{2,60})",
    re.I,
)


def _preferred(claim: Claim) -> tuple[frozenset[str], frozenset[str]] | None:
    """The sides of "prefers A to B" and "A is preferred to B"."""
    found = _TO.search(claim.text)
    if found is None:
        return None
    stop = re.compile(r"\b(?:by|for|in|when|if|as|after)\b").search(
        claim.text, *found.span("other")
    )
    end = stop.start() if stop else found.end("other")
    what = _words(claim, *found.span("what")) or _words(claim, 0, found.start())
    return what, _words(claim, found.start("other"), end)


def _words(claim: Claim, start: int, end: int) -> frozenset[str]:
    return frozenset(w.name for w in claim.words if start <= w.start < end and w.content)


def parted(claim: Claim) -> tuple[frozenset[str], frozenset[str]] | None:
    """What stands before and behind the comparing word."""
    if preferred := _preferred(claim):
        return preferred
    found = next(
        (
            m
            for m in COMPARING.finditer(claim.text)
            if (m[0].lower() != "over" or _PREFERS.search(claim.text))
            and not _between_figures(claim.text, m)
        ),
        None,
    ) or next(
        (m for m in _AGAINST.finditer(claim.text) if not _between_figures(claim.text, m)), None
    )
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
    stop = re.compile(
        r"[,;(]|\b(?:in|at|after|for|by|on|with|against|because|when|if|while|and|but)\b"
    ).search(claim.text, found.end() + 4)
    end = stop.start() if stop else len(claim.text)
    right = frozenset(w.name for w in claim.words if found.end() <= w.start < end and w.content)
    return left, right
