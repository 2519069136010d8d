"""Amounts that stand in a row, each of which is of one of two things named before: "compared A with
B: 38% and 17%"."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from chains.grounding.claims import Claim, claims_of
from chains.grounding.failed import Failed
from chains.grounding.quantities import UNITS, Amount
from chains.grounding.words import GENERIC, stems_of
from store.lexical import stem

_P = r"(?:with|after|on|in|under|by|from|for|among|at)"
_A = r"(?P<a>[^;.()]{2,70}?)"
_A_BARE = rf"(?P<a>(?:(?!\b{_P}\b)[^,;.()]){{2,60}}?)"
_B = r"(?P<b>[^;.()]{2,70})"
_PAIRS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bcompar(?:ed|es|ing|ison of) {_A} (?:with|to|and|against|versus|v) {_B}",
        rf"\b(?:randomi[sz]\w+|assign\w*|allocat\w*)(?: [\w-]+){{0,4}}? (?:to|between) {_A} (?:or|and|versus) {_B}",
        rf"\b(?:took|received|given|got|used|applied|had|started?|start|tested|set|gave|pitted) {_A} (?:or|against|versus) {_B}",
        rf"\b{_P} {_A_BARE} (?:and|or|against|versus|v|than|as opposed to) {_P} {_B}",
        rf"\b(?:had|received|took) {_A} and (?:[\w,]+ )?(?:had|received|took) {_B}",
        rf"\bbetween {_A} and {_B}",
        rf"\d\)?\s?%?\)? {_P} {_A_BARE}(?: \([^()]*\))?,? (?:and|but|against|v|versus|compared with) (?:\w+ ){{0,2}}?"
        rf"\d[\d.]*\s?%?[^;.,\d]{{0,20}}? {_P} {_B}",
        rf"\d\s?%?(?: of \w+)? (?:given|receiving|taking|using) {_A_BARE},? (?:and|but|against|v|versus|compared with) "
        rf"\d[\d.]*\s?%?(?: of \w+)? (?:given|receiving|taking|using) {_B}",
    )
)
"""How two things that are set side by side are named."""
_AFTER_ONE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf" (?:was|were|is) (?:compared|tested|set|pitted|judged) (?:with|to|against) {_B}",
        rf" on (?:one|the one) (?:side|half)\b[^,;.]{{0,40}} and {_B} on the other",
        r" and (?P<b>[^;.,()]{2,70}?) (?:was|were) (?:compared|tested|used|studied)",
        rf" (?:caused|led to|gave|had|produced|lowered|reduced|raised|increased|improved|shortened|cut|cleared|relieved|healed|reported|showed|saw|"
        rf"felt|scored|lost|gained|needed|took)\b"
        rf"[^;.()]{{2,80}}? than {_B}",
        rf" (?:versus|vs\.?|v) {_B}",
        rf" (?:was|were|is|are|proved)(?: just| about| no| not)? (?:as|more|less|better|worse|superior|inferior|non-?inferior)\b"
        rf"[^;.()]{{0,40}}? (?:as|than|to) {_B}",
    )
)
"""The same, behind the first of the two."""
_FAR = 70
_NEAR = 14
_STOPS = re.compile(
    r"[,:]|\b(?:who|which|that|after|over|in|for|during|on|at|by|was|were|did|had)\b", re.I
)
_ROW = re.compile(
    r"(?:\s[a-z]+)?\)?\s*,?\s*(?:and|v|vs\.?|versus|against|or)\s*(?:about |in )?(?:\d+ \()?", re.I
)
_ROW_END = re.compile(
    r"\s*(?:(?:patients|people|women|men|children|infants|adults|participants|cases|of them)\b\s*)?(?:[.;,()]|$|respectively|(?:in|over|at|after|by|within)\b[^.;,]{0,12}?\d|per\b|in (?:the|that) |on (?:an?|the) )",
    re.IGNORECASE,
)
_NOTHING = (
    GENERIC
    | {stem(u) for u in UNITS}
    | stems_of("daily weekly every treated randomised half side twice once")
)


_ACTS = re.compile(
    r" (?:(?:did|does|do) not )?(?:prevent|lower|reduc|rais|increas|improv|shorten|halv|doubl|caus)(?:s|es|ed|e)?\b"
    r"(?:(?!\bthan\b)[^;()]){2,120}\(",
    re.IGNORECASE,
)
""" "A prevents B (8% v 19%)": the first figure is of A."""
_NEW_CLAUSE = re.compile(
    r";|, (?:but|and|while|whereas|although|though)\b|\b(?:while|whereas)\b", re.IGNORECASE
)
_MORE_OFTEN = re.compile(
    r"\b(?:more|less) (?:often|frequently|commonly|quickly|slowly|strongly) (?=\()", re.IGNORECASE
)
""" "but A cleared it more often (44% v 31%)"."""
_CLAUSE = re.compile(r"[;]|\b(?:but|and|while|whereas|although|though)\b")
NOT_GIVEN = frozenset({"without", "placebo", "control", "sham", "vehicl", "usual"})
_WITHOUT = frozenset({"without"})
_WITH_AND_WITHOUT = (
    (
        re.compile(
            r"\bwithout (?P<a>[^;,.()]{2,40}?) (?:and|or|than|against|versus)\b[^;]{0,60}?\bwith(?: it| them| one|\b(?= (?P=a)))",
            re.I,
        ),
        True,
    ),
    (
        re.compile(
            r"\bwith (?P<a>[^;,.()]{2,40}?) (?:and|or|than|against|versus)\b[^;]{0,60}?\bwithout\b(?: it| them| one| (?P=a))?",
            re.I,
        ),
        False,
    ),
)


Sides = tuple[frozenset[str], frozenset[str], int]


def sides_of(sentence: Claim) -> tuple[Sides, ...]:
    """Two things that the sentence sets side by side: the words that only one of them has, and
    where they are named."""
    return _sides_of(sentence.text)


@lru_cache(maxsize=1024)
def _sides_of(text: str) -> tuple[Sides, ...]:
    sentence = claims_of(text)[0]
    found: list[Sides] = []
    for pattern, order in _WITH_AND_WITHOUT if "without" in text else ():
        for m in pattern.finditer(text):
            what = frozenset(_words(sentence, *m.span("a"))[:3])
            if what:
                found.append((_WITHOUT, what, m.start()) if order else (what, _WITHOUT, m.start()))
    for m in _ACTS.finditer(text) if "(" in text else ():
        start = _from(text, m.start())
        what = frozenset(_words(sentence, start, m.start())[:4])
        if what:
            found.append((what, NOT_GIVEN, start))
    for m in _MORE_OFTEN.finditer(text):
        start = max((x.end() for x in _CLAUSE.finditer(text, 0, m.start())), default=0)
        what = frozenset(_words(sentence, start, m.start())[:2])
        if what:
            found.append((what, NOT_GIVEN, start))
    pairs = [(m, m.span("a")) for pattern in _PAIRS for m in pattern.finditer(text)]
    pairs += [
        (m, (_from(text, m.start()), m.start()))
        for pattern in _AFTER_ONE
        for m in pattern.finditer(text)
    ]
    for m, (start_a, end_a) in pairs:
        start_b, end_b = m.span("b")
        if stop := _STOPS.search(text, start_b + 3, end_b):
            end_b = stop.start()
        a = frozenset(_words(sentence, start_a, end_a)[-5:])
        b = frozenset(_words(sentence, start_b, end_b)[:5])
        if a - b and b - a:
            found.append((a - b, b - a, start_a))
    return tuple(found)


def _from(text: str, end: int) -> int:
    """Where the part begins that ends here."""
    return max(end - _FAR, *(text.rfind(mark, 0, end) + 1 for mark in ";.,()"), 0)


def _words(sentence: Claim, start: int, end: int) -> list[str]:
    return [
        w.name
        for w in sentence.words
        if start <= w.start < end and w.content and w.stem not in _NOTHING and w.form[0].isalpha()
    ]


def in_a_row(
    sentence: Claim, amount: Amount, others: Sequence[Amount]
) -> tuple[int, Amount] | None:
    """Whether the amount is the first (0) or second (1) of two that stand side by side with nothing
    said of either, and the other one."""
    if amount.dimension == "time":
        return None
    for other in others:
        first, second = sorted((amount, other), key=lambda a: a.start)
        if _ROW.fullmatch(sentence.text[first.end : second.start]) and _ROW_END.match(
            sentence.text, second.end
        ):
            return (0 if amount is first else 1), other
    return None


def nearest(sentence: Claim, amount: Amount, named: Sequence[Sides]) -> Sequence[Sides]:
    """Those that are named in the clause of the amount, if there are any."""
    cut = max((m.end() for m in _NEW_CLAUSE.finditer(sentence.text, 0, amount.start)), default=0)
    return [s for s in named if s[2] >= cut] or named


def check_rows(claim: Claim, statement: Sequence[Claim]) -> None:
    """Where the statement gives two things twice in one order, they are not given in two here."""
    for sentence in statement:
        pairs = [
            (a, b)
            for a, b in pairwise([a for a in sentence.amounts if a.dimension == "share"])
            if b.start - a.end < _NEAR
        ]
        orders = set()
        for one, other in pairwise([a for a in claim.amounts if a.dimension == "share"]):
            if in_a_row(claim, one, [other]) is None:
                continue
            for a, b in pairs:
                if (one.low, other.low) in ((a.low, b.low), (b.low, a.low)) and a.low != b.low:
                    orders.add(one.low == a.low)
        if len(orders) == 2:
            raise Failed("arm", "two rows go in two orders")


def is_of(
    words: Mapping[str, float],
    others: Mapping[str, float],
    claim: Claim,
    statement: Sequence[Claim],
    sentence: Claim,
    amount: Amount,
    place: int,
) -> bool | None:
    """Whether what the claim gives the amount to (and the other one of the row, if it has it) is what
    it is of, by the order in which the two things were named; None when that cannot be told."""
    found: set[bool] = set()
    if words.get("without", 0.0) >= 0.5:
        words = {"without": 1.0}
    if others.get("without", 0.0) >= 0.5:
        others = {"without": 1.0}
    named = [s for s in sides_of(sentence) if s[2] < amount.start] or [
        s for c in statement if c is not sentence for s in sides_of(c)
    ]
    for a, b, _ in nearest(sentence, amount, named):
        mine, its = (a, b) if place == 0 else (b, a)
        lead = sum(v for n, v in words.items() if n in mine) - sum(
            v for n, v in words.items() if n in its
        )
        lead += sum(v for n, v in others.items() if n in its) - sum(
            v for n, v in others.items() if n in mine
        )
        if not lead and not others:
            lead = bool(claim.names & mine) - bool(claim.names & its)
        if lead:
            found.add(lead > 0)
    return found.pop() if len(found) == 1 else None
