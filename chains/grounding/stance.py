"""What is advised, and what is advised against, in whatever words."""

import re
from collections.abc import Iterator, Sequence

from chains.grounding.claims import Claim
from chains.grounding.failed import Failed
from chains.grounding.sides import parted
from chains.grounding.words import GENERIC

_FOR = re.compile(
    r"\b(?:recommend\w*|advis\w+|suggest(?:s|ed|ing)? (?!that)|endors\w+|favou?r\w*|prefer\w*|support\w*|should|must|ought|"
    r"proceed\w*|continu\w+|kept on|keep (?:on|giving|taking)|carr(?:y|ied) on|go ahead|is safe|are safe|"
    r"can (?:still )?(?:safely )?be (?:used|given|taken|continued|combined)|first[- ](?:line|choice))\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    r"\b(?:against|avoid\w*|withh[eo]ld\w*|held|stopp?(?:ed|ing|s)?|discontinu\w+|omit\w*|contraindicat\w*|discourag\w*|"
    r"defer\w*|postpon\w*|delay\w*|wait(?:ing)?|refrain\w*|reject\w*|forbid\w*|forbidden|unsafe|paus\w+|interrupt\w*|skip\w*|"
    r"suspend\w*|exclud\w+|unnecessary|needless|superfluous)\b",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    r"\b(?:should|must|ought|need\w*|recommend\w*|advis\w+|suggests?|endors\w+|favou?rs?|prefers?|support\w*|against|avoid\w*|"
    r"withh[eo]ld\w*|held|contraindicat\w*|discourag\w*|unsafe|safe|justif\w+|reason to|can be|may be|proceed\w*|"
    r"guid(?:e|ance)|calls? for|asks?|to be|unnecessary|needless|tells?|to stop|to use)\b",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"\b(?:not|no|never|neither|nor|cannot|insufficient|too little|inadequate)\b[^,;.]{0,24}$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\W*(?:(?:be|been|being|not|never|it|its|their|to|the|safely|routinely|still|use|using|of)\W+)*",
    re.I,
)
"""What stands between two words of one piece of advice: "advised against its use"."""
_CUT = re.compile(
    r"[;:]|,\s|\b(?:but|while|whereas|although|though|yet|unless|except|rather than|instead of)\b",
    re.IGNORECASE,
)
_LEAST = 0.5
"""Share of what a piece of advice is about that must be in one of the statement."""


def check_stance(claim: Claim, statement: Sequence[Claim]) -> None:
    """What is advised here is not advised against there, nor the other way round."""
    theirs = [part for c in statement for part in _stances(c)]
    for ours, about in _stances(claim):
        same, other = (
            max((len(about & names) for side, names in theirs if side == way), default=0)
            for way in (ours, -ours)
        )
        if other >= max(2, _LEAST * len(about)) and other >= 2 * same:
            raise Failed("negation", "the advice is turned round")


def _stances(claim: Claim) -> Iterator[tuple[int, frozenset[str]]]:
    """Each piece of advice: +1 for, -1 against, and what it is about."""
    text = claim.text
    found = sorted(
        [
            (m.start(), m.end(), 1)
            for m in _FOR.finditer(text)
            if not text.startswith(" that", m.end())
        ]
        + [(m.start(), m.end(), -1) for m in _AGAINST.finditer(text)]
    )
    if not _ADVICE.search(text):
        return
    merged: list[list[int]] = []
    for start, end, side in found:
        if merged and _BETWEEN.fullmatch(text[merged[-1][1] : start]):
            turned = re.search(r"\b(?:not|never)\b", text[merged[-1][1] : start]) is not None
            merged[-1][1:] = [end, merged[-1][2] * side * (-1 if turned else 1)]
        else:
            turned = _TURNS.search(text[merged[-1][1] if merged else 0 : start]) is not None
            merged.append([start, end, -side if turned else side])
    for n, (start, end, side) in enumerate(merged):
        if re.match(r"\s(?:not|never)\b", text[end:]):
            side = -side
        first = merged[n - 1][1] if n else 0
        last = merged[n + 1][0] if n + 1 < len(merged) else len(text)
        cuts = [m.end() for m in _CUT.finditer(text, first, start)]
        stop = _CUT.search(text, end, last)
        to = stop.start() if stop else last
        behind = _about(claim, end, to)
        before = _about(claim, max([first, *cuts]), start)
        names = before if _PASSIVE.search(text[:start]) and len(before) >= 2 else behind
        if len(names) < 2:
            names = before | behind
        if len(names) < 3 and _IT.search(text[start:to]) and "unless" not in text[:start]:
            names |= _about(claim, 0, start)
        if len(names) >= 2:
            yield side, names


_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)(?: not)?\s$", re.IGNORECASE)
_IT = re.compile(r"\b(?:it|its|them|their)\b", re.IGNORECASE)


def _about(claim: Claim, start: int, end: int) -> frozenset[str]:
    return frozenset(
        w.name
        for w in claim.words
        if start <= w.start < end and w.content and w.stem not in GENERIC
    )


_TOGETHER = re.compile(r"\bin combination with\b|\badded to\b|\bplus\b|\band\b", re.IGNORECASE)
_IN_PLACE = re.compile(r"\b(?:rather than|instead of|in place of|replac\w+)\b", re.IGNORECASE)
_INSTEAD = re.compile(r"\b(?:rather than|instead of|in place of|not)\b", re.IGNORECASE)
_SET_AGAINST = re.compile(
    r"\b(?:rather than|instead of|in place of|not|than|over|against|prefer\w*|replac\w+|only|alternative)\b",
    re.I,
)


def check_instead(claim: Claim, statement: Sequence[Claim]) -> None:
    """One thing is advised in the place of another only where the statement sets them so."""
    found = _INSTEAD.search(claim.text)
    if found and found[0].lower() in ("instead of", "in place of"):
        behind = [w for w in claim.words if w.start >= found.end() and w.content][:1]
        together = [
            w.name
            for c in statement
            for m in _TOGETHER.finditer(c.text)
            for w in [w for w in c.words if w.start >= m.end() and w.content][:2]
        ]
        if (
            behind
            and behind[0].name in together
            and not any(_IN_PLACE.search(c.text) for c in statement)
        ):
            raise Failed("arm", f"“{behind[0].form}” was given too there")
    if found is None or found[0].lower() == "not" or not _FOR.search(claim.text[: found.start()]):
        return
    sides = parted(claim)
    if sides is None:
        return
    for c in statement:
        if _SET_AGAINST.search(c.text):
            return
    given = {w.name for c in statement for w in c.words}
    if (sides[1] - sides[0]) & given:
        raise Failed("negation", "nothing is set against it there")
