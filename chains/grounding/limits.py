"""What a statement excepts, advises against or leaves out, and the design of what it reports."""

import re
from collections.abc import Sequence
from itertools import pairwise

from chains.grounding.claims import Claim, is_harmless
from chains.grounding.failed import Failed
from chains.grounding.words import GENERIC, NEGATORS

_EXCEPT = re.compile(
    r"\b(?:except(?:ing)?|other than|apart from|aside from|excluding|save for|exception of|"
    r"but not|all but|exclud\w+|(?:not|in)eligible|not (?:eligible|enrolled|recruited|admitted))\b",
    re.IGNORECASE,
)


def check_exceptions(claim: Claim, statement: Sequence[Claim]) -> None:
    """What is excepted there is not among the rest here."""
    if _EXCEPT.search(claim.text) or _denies(claim):
        return
    for sentence in statement:
        for m in _EXCEPT.finditer(sentence.text):
            behind = [
                w
                for w in sentence.words
                if w.start >= m.end() and w.content and w.stem not in GENERIC
            ]
            if not behind or behind[0].name not in claim.names:
                continue
            elsewhere = [
                w
                for c in statement
                for w in c.words
                if w.name == behind[0].name and (c is not sentence or w.start != behind[0].start)
            ]
            if not elsewhere:
                raise Failed("overgeneral", f"“{behind[0].form}” is excepted there")


def _denies(claim: Claim) -> bool:
    return any(w.form in NEGATORS and not is_harmless(claim.text, w) for w in claim.words)


_AGAINST = re.compile(
    r"\b(?:against|contraindicat\w*|must not be|avoid(?:ed|ing|s)?|withh[eo]ld\w*|discourag\w*|forbid\w*|"
    r"prohibit\w*|stop(?:ped)?)\b",
    re.IGNORECASE,
)
_NOT_AGAINST = re.compile(
    r"\b(?:no|not|never|without|neither|nothing|n['’]t)\b(?: [\w-]+){0,4}? $", re.IGNORECASE
)


def check_advice(claim: Claim, statement: Sequence[Claim]) -> None:
    """That something need not be avoided is said only where it is said there."""
    allowed = [m for m in _AGAINST.finditer(claim.text) if _is_allowed(claim.text, m)]
    if not allowed:
        return
    for sentence in statement:
        found = list(_AGAINST.finditer(sentence.text))
        if found and not any(_is_allowed(sentence.text, m) for m in found):
            raise Failed("negation", "advised against there")


def _is_allowed(text: str, found: re.Match[str]) -> bool:
    return _NOT_AGAINST.search(text[: found.start()]) is not None


_DENIED = r"(?<!non-)(?<!non)(?<!not )(?<!no )(?<!without )(?<!without a )"
_DESIGNS = tuple(
    (re.compile(rf"{_DENIED}\b(?:{one})", re.IGNORECASE), re.compile(rf"{_DENIED}\b(?:{other})", re.I))
    for one, other in (
        (r"randomi[sz]ed (?:\w+ )?(?:trial|study|comparison)|RCTs?\b", r"random|RCT|allocat|assigned"),
        (
            r"(?:well-|placebo-|sham-)?controlled (?:trial|study|series)",
            r"control|placebo|sham|vehicle|random|versus|compar",
        ),
        (r"control (?:group|arm)s?\b", r"control|placebo|sham|vehicle|random|untreated|compar|against|versus|without"),
        (r"(?:double-|single-)?(?:blind|mask)(?:ed)?\b", r"(?:\w+-)?(?:blind|mask)"),
        (r"prospective", r"prospective"),
        (
            r"(?:high-quality|large|rigorous|well-designed|robust) (?:\w+ )?(?:trials?|stud\w+|evidence)",
            r"high(?:-| )(?:quality|certainty|grade)|large|rigorous|well-designed|robust|strong",
        ),
        (r"meta-analys\w+", r"meta-analys|pool|combin|data from"),
        (r"systematic", r"systematic|Cochrane|PRISMA|meta-analys"),
        (r"multicent\w+", r"multicent|centres|sites|hospitals"),
    )
)  # fmt: skip
"""What a sentence calls a study, and what its statement must have for that."""


_WITHOUT_CONTROL = re.compile(
    r"\b(?:uncontrolled|non-?randomi[sz]ed|retrospective|case (?:report|series)|chart review|"
    r"cohort|registry|observational|meta-analysis|systematic review|Cochrane)\b",
    re.IGNORECASE,
)
_RANDOMISED = re.compile(r"(?<!non-)\brandomi[sz]ed\b", re.IGNORECASE)


def are_of_one_design(one: str, other: str) -> bool:
    """Whether two texts may be of one study: not a trial and something else."""
    return not any(
        _RANDOMISED.search(a) and _WITHOUT_CONTROL.search(b) and not _WITHOUT_CONTROL.search(a)
        for a, b in ((one, other), (other, one))
    )


def check_design(claim: Claim, statement: Sequence[Claim]) -> None:
    """A study is not made a better one."""
    given = " ".join(c.text for c in statement)
    for called, shown in _DESIGNS:
        found = called.search(claim.text)
        if found and not shown.search(given):
            raise Failed("certainty", f"“{found[0]}” is in no cited statement")


_LIMITS = frozenset(
    "severe moderate persistent refractory recurrent relapsing relapsed resistant superficial deep "
    "focal uncomplicated complicated acute chronic advanced unstable metastatic localised localized "
    "primary inoperable asymptomatic symptomatic intermittent".split()
)
_STRICT = frozenset(
    "persistent refractory resistant recurrent relapsed unstable metastatic".split()
)
_IN_VERBS = {"refractory": "resist", "resistant": "resist", "persistent": "persist"}


def check_limits(claim: Claim, statement: Sequence[Claim]) -> None:
    """What was said of a kind of something only is not said of all of it."""
    said = {w.name for w in claim.words} | {w.stem for w in claim.words}
    limited = {v.name for u, v in pairwise(claim.words) if u.form in _LIMITS}
    bare = {
        v.name
        for c in statement
        for n, v in enumerate(c.words)
        if n == 0 or c.words[n - 1].form not in _LIMITS
    }
    for sentence in statement:
        for n, word in enumerate(sentence.words):
            if word.form not in _LIMITS or word.name in said or word.stem in said:
                continue
            after = next((w for w in sentence.words[n + 1 :] if w.form not in _PASSED), None)
            if after is not None and after.segment != word.segment:
                continue
            if after is None or not after.content or after.name not in claim.names:
                continue
            chain = {w.form for w in sentence.words[max(0, n - 2) : n + 3] if w.form in _LIMITS}
            if after.name in limited and word.form in _STRICT and len(chain) > 1:
                otherwise = _IN_VERBS.get(word.form, word.form[:6])
                if chain & {w.form for w in claim.words} and not any(
                    s.startswith(otherwise) for s in said
                ):
                    raise Failed("overgeneral", f"was said of “{word.form} {after.form}”")
            otherwise = _IN_VERBS.get(word.form, "-")
            if after.name not in limited | bare and not any(s.startswith(otherwise) for s in said):
                raise Failed("overgeneral", f"was said of “{word.form} {after.form}”")


_PASSED = _LIMITS | {"and", "or", "mild", "early"}


_ONLY_IF = re.compile(
    r"\b(?:unless|only (?:if|when|after|once|where)|provided(?: that)?|on condition that|after failure of|"
    r"after (?:\w+ ){1,3}(?:has|have) failed|when (?:\w+ ){1,4}(?:fails?|failed)|if (?:\w+ ){1,4}(?:fails?|failed))\b",
    re.IGNORECASE,
)
_CONDITIONAL = re.compile(
    r"\b(?:unless|if|when|where|once|only|provided|except\w*|after|until|fail\w*|without|with|for|whose|who|in the event|"
    r"apart from|other than|as long as|refractory|resistant|needs?)\b",
    re.IGNORECASE,
)


def check_condition(claim: Claim, about: Sequence[Claim]) -> None:
    """What holds on a condition there does not hold without it here."""
    for sentence in about:
        for m in _ONLY_IF.finditer(sentence.text):
            stop = re.compile(r"[;,.](?=\s|$)").search(sentence.text, m.end())
            end = stop.start() if stop else len(sentence.text)
            condition = {
                w.name
                for w in sentence.words
                if m.start() <= w.start < end and w.content and w.stem not in GENERIC
            }
            start = max(
                (x.end() for x in re.finditer(r"[;,]\s|\band\b", sentence.text[: m.start() - 1])),
                default=0,
            )
            if m.start() - start < 12:
                start = 0
            main = {w.name for w in sentence.telling if start <= w.start < m.start()} - condition
            if not main:
                main = {w.name for w in sentence.telling if w.start >= end} - condition
            if len(main & claim.names) >= max(2, 0.5 * len(claim.telling)) and not (
                condition & claim.names or _CONDITIONAL.search(claim.text)
            ):
                raise Failed("overgeneral", f"holds there “{m[0].lower()} ...”")
