"""How often: rhythms and repetitions."""

import re
from collections.abc import Sequence

from chains.grounding.claims import Claim
from chains.grounding.failed import Failed


def rhythms_of(text: str) -> set[str]:
    """The periods by which a text counts, by their first letters."""
    found = {
        next(g for g in m.groups() if g).lower()[:3] for m in _RHYTHM.finditer(_PART.sub(" ", text))
    }
    return {
        {"h": "hou", "d": "day", "dai": "day", "nig": "day", "ann": "yea"}.get(r, r) for r in found
    }


_PART = re.compile(
    r"\b(?:within|after|for|in|than|long as|next|up to|about|nearly|over|under|once|last|lasts|lasted|takes|took) an? (?:hour|day|week|month|year)\b(?! (?:for|during))|\b(?:half|third|quarter|thirds|quarters)\s(?:of\s)?an?\s(?:hour|day|week|month|year)\b",
    re.IGNORECASE,
)


_RHYTHM = re.compile(
    r"\b(?:per|an?|each|every)\s(hour|day|week|month|year)\b|\b(hour|dai|week|month|year|annual|night)ly\b"
    r"|/(hour|h|day|d|week|month|year)\b",
    re.IGNORECASE,
)


_ONCE = re.compile(
    r"\b(?<!at )(once|twice|thrice|(?:two|three|four|five|\d) times)\b(?! (?:[\w-]+ ){1,4}(?:has|have|had|is|are|was|were)\b)(?! (?:as|more|higher|less|greater|a\b|an\b|per|daily|weekly|monthly|every|each))",
    re.IGNORECASE,
)


_AS_ONCE = {"two times": "twice", "2 times": "twice", "three times": "thrice", "3 times": "thrice"}


def check_rhythm(claim: Claim, statement: Sequence[Claim]) -> None:
    given = " ".join(c.text for c in statement)
    rhythms = [rhythms_of(claim.text), rhythms_of(given)]
    for period, length in (
        ("day", 1.0),
        ("wee", 7.0),
        ("mon", 30.4375),
        ("yea", 365.25),
        ("hou", 1 / 24),
    ):
        if any(
            a.dimension == "time"
            and re.search(
                r"\b(?:every|each|interval\w*|monthly|weekly|yearly|in 24 hours|apart)\b", c.text
            )
            and abs(a.low - length) < (0.09 if period == "mon" else 0.02) * length
            for c in statement
            for a in c.amounts
        ):
            rhythms[1].add(period)
    if any(a.dimension == "frequency" for a in claim.amounts):
        rhythms[0] -= {"yea", "mon", "wee"}  # looked at among the amounts
    if extra := rhythms[0] - rhythms[1]:
        raise Failed("frequency", f"“{next(iter(extra))}” is another rhythm")
    often = [
        {_AS_ONCE.get(m[1].lower(), m[1].lower()) for m in _ONCE.finditer(t)}
        for t in (claim.text, given)
    ]
    single = re.search(
        r"\b(?:one|single) (?:[\w-]+ ){0,5}?(?:session|treatment|dose|injection|time|pass|application|visit|cycle)",
        given,
        re.IGNORECASE,
    )
    if any(own.dimension == "frequency" for own in claim.amounts):
        often[0].discard("once")  # looked at among the amounts
    sessions = {
        {"two": "twice", "three": "thrice", "2": "twice", "3": "thrice"}.get(m[1].lower(), "")
        for m in re.finditer(
            r"\b(two|three|2|3) (?:[\w-]+ ){0,4}?(?:sessions|treatments|doses|times)", given, re.I
        )
    }
    if re.search(r"\b(?:doubl|twofold|two-fold)\w*", given, re.I):
        often[1].add("twice")
    if extra := often[0] - often[1] - ({"once"} if single else set()) - sessions:
        raise Failed("frequency", f"“{next(iter(extra))}” is in no cited statement")
