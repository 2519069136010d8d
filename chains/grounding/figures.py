"""Whether each amount of a sentence is in the statements, and stands for the same there."""

import re
from collections.abc import Sequence
from itertools import combinations, pairwise, permutations

from chains.grounding.arithmetic import follows
from chains.grounding.belonging import check_belonging
from chains.grounding.claims import Claim
from chains.grounding.equal import fits, is_year
from chains.grounding.failed import Failed
from chains.grounding.quantities import UNITS, Amount, amounts
from store.lexical import stem


def check_amounts(claim: Claim, statement: Sequence[Claim]) -> None:
    theirs = [(c, a) for c in statement for a in c.amounts]
    for own in claim.amounts:
        if own.dimension == "none" and own.text.lower() == "none":
            nobody = [(c, a) for c, a in theirs if a.dimension == "none" and a.text.lower() != "no"]
            shared = [_shared(claim, c, a) for c, a in nobody]
            best = [x for x, n in zip(nobody, shared, strict=True) if n == max(shared)]
            if best:
                check_belonging(claim, own, best, theirs)
        if any(
            d.derived and d.start <= own.start < d.end and _is_past(claim, d, theirs)
            for d in claim.amounts
        ):
            continue
        if own.derived or own.dimension == "none":
            continue  # its two counts are looked for; what is denied is looked at elsewhere
        if (
            own.dimension == "count"
            and re.search(r"\b(?:the|these|those|all|both)\s*$", claim.text[: own.start].lower())
            and own.text.isalpha()
        ):
            continue  # "of the four treatments"
        matching = _nearest(own, [(c, a) for c, a in theirs if fits(claim, own, a)])
        if not matching and any(
            d.derived and d.start <= own.start < d.end and any(fits(claim, d, a) for _, a in theirs)
            for d in claim.amounts
            if d is not own
        ):
            continue  # "5 of every 100,000" for "1 in 20,000"
        if not matching and own.low < own.high:
            ends = [
                any(
                    a.dimension == own.dimension
                    and abs(a.low - end)
                    <= (0.015 if a.dimension == "time" else 0.003) * max(abs(end), 1e-12)
                    and a.low == a.high
                    for _, a in theirs
                )
                for end in (own.low, own.high)
            ]
            if all(ends):
                continue
        if own.dimension == "time" and matching and not _keeps_role(claim, own, matching):
            raise Failed("frequency", f"“{own.text}” is no interval there")
        if _AS_MANY.match(claim.text, own.end):
            if not _goes_into(claim, own, theirs):
                raise Failed("number", f"“{own.text}” does not follow from the figures")
            continue
        if (
            not matching
            and own.dimension == "time"
            and any(
                abs(UNITS[m[1].lower()][1] - own.low) < 0.02 * own.low
                for c in statement
                for m in _A_TIME.finditer(c.text)
            )
        ):
            continue
        if not matching and _is_bare(claim, own, theirs):
            continue
        if (
            not matching
            and _HALF.fullmatch(own.text)
            and re.search(r"\bhal[vf]", " ".join(c.text for c in statement))
        ):
            continue
        if not matching and _is_past(claim, own, theirs):
            continue
        if not matching and _lists(claim, own):
            continue
        if not matching and follows(claim, own, [a for _, a in theirs], statement):
            continue
        if not matching:
            same = [a for _, a in theirs if _same_figure(own, a)]
            if same and own.dimension != "count":
                raise Failed("unit", f"“{own.text}” stands as “{same[0].text}”")
            raise Failed("number", f"“{own.text}” is in no cited statement")
        bounded = _end_of(claim, own)
        bounds = {_end_of(c, a) for c, a in matching} if bounded else set()
        sides = {
            0 if a.low < a.high and own.low == own.high else _end_of(c, a) * _unless(claim, c, a)
            for c, a in (matching if -bounded in bounds else ())
        }
        if bounded and sides == {-bounded}:
            raise Failed("number", f"“{own.text}” is the other end there")
        if (
            own.dimension == "time"
            and _SHOULD_AFTER.search(claim.text[: own.start])
            and all(re.search(r"\bwithin\s$", c.text[: a.start]) for c, a in matching)
        ):
            raise Failed("number", f"“{own.text}” is the other end there")
        side = _beyond(claim, own)
        if side and all(
            (a.low - own.low) * side < -0.003 * own.low
            or (a.low == a.high == own.low and a.dimension == "share" and not _beyond(c, a))
            for c, a in matching
        ):
            raise Failed("number", f"“{own.text}” is on the other side there")
        whole = any(
            d.derived and d.start < own.start < d.end and any(fits(claim, d, a) for _, a in theirs)
            for d in claim.amounts
        )
        label = own.text.lower() in ("two", "three", "four") and _ARMS.match(claim.text, own.end)
        if not (whole or label) and not (
            bounded and bounds == {bounded} and own.dimension != "time"
        ):
            check_belonging(claim, own, matching, theirs)


_ROUND = 0.15
"""By how much of itself a figure may be past the round one that is named: "over 800" for 850."""


_EVERY = re.compile(
    r"\b(?:every|each|interval\w*(?: of)?|apart)\s(?:other\s)?(?:\d+ (?:to|or) )?$", re.IGNORECASE
)
_FOR = re.compile(
    r"\b(?:for|over|during|throughout)\s(?:about |up to |at least |the first |an? )?$",
    re.IGNORECASE,
)


def _keeps_role(claim: Claim, own: Amount, matching: Sequence[tuple[Claim, Amount]]) -> bool:
    """Whether "every 6 months" is no "for 6 months" there, nor the other way round."""
    every = _EVERY.search(claim.text[: own.start]) is not None
    during = _FOR.search(claim.text[: own.start]) is not None
    there = [
        _EVERY.search(c.text[: a.start]) is not None or _APART.match(c.text, a.end) is not None
        for c, a in matching
    ]
    if every and not any(there):
        lasting = [_FOR.search(c.text[: a.start]) is not None for c, a in matching]
        return not all(lasting)
    return not (during and all(there))


_APART = re.compile(r"[- ](?:apart|intervals?)\b", re.IGNORECASE)
_AS_MANY = re.compile(
    r"\s(?:as (?:many|common|often|likely|frequent|much|high)|(?:the|that) (?:rate|number|risk))",
    re.I,
)


def _goes_into(claim: Claim, own: Amount, theirs: Sequence[tuple[Claim, Amount]]) -> bool:
    """ "less than half as common": how large the smaller of two figures is beside the larger."""
    if own.dimension != "share":
        return True
    side = _beyond(claim, own)
    values = [(a.dimension, a.low) for _, a in theirs if a.low == a.high and a.low > 0]
    ratios = [100 * a / b for (d, a), (e, b) in permutations(values, 2) if d == e and a < b]
    if side:
        return any(0 < (r - own.low) * side <= 25 for r in ratios)
    return (
        any(abs(r - own.low) <= 8 for r in ratios)
        or re.search(r"\bhal[vf]|\bratio\b", " ".join(c.text for c, _ in theirs)) is not None
    )


_A_TIME = re.compile(r"\b(?:an?|one) (year|month|week|day|hour)\b", re.IGNORECASE)
_HALF = re.compile(r"(?:a |one )?half", re.IGNORECASE)
_NO_NOUN = re.compile(r"\s*(?:[.,;)]|$|(?:in|with|for|as|at|of|on|after|and|v|against)\b)")


def _is_bare(claim: Claim, own: Amount, theirs: Sequence[tuple[Claim, Amount]]) -> bool:
    """ "five days rather than ten": a number whose unit is that of another."""
    if own.dimension != "count" or not _NO_NOUN.match(claim.text, own.end):
        return False
    units = {a.dimension for a in claim.amounts if a.dimension != "count" and not a.derived}
    return any(
        a.dimension in units
        and (found := re.match(r"[\d.]+|[a-z]+", a.text.lower())) is not None
        and _number(found[0]) == own.low
        for _, a in theirs
    )


def _number(text: str) -> float | None:
    found = amounts(text)
    return found[0].low if found else None


def _unless(claim: Claim, sentence: Claim, amount: Amount) -> int:
    """0 where the end of an amount can be said the other way round: "unless over 10" for "as long as
    at most 10", "those over 65 were excluded" for "people up to 65"."""
    if re.search(r"\b(?:exclu\w+|not (?:enrolled|eligible|studied))", sentence.text):
        return 0
    there = re.search(r"\bunless\b[^,;]*$", sentence.text[: amount.start]) is not None
    return 0 if there and re.search(r"\b(?:as long as|provided|if|when)\b", claim.text) else 1


def _is_past(claim: Claim, own: Amount, theirs: Sequence[tuple[Claim, Amount]]) -> bool:
    """ "More than 90%" for 93%, "less than 10%" for 9%."""
    side = _beyond(claim, own)
    if not side or own.dimension in ("time", "frequency") or own.low <= 0:
        return False
    values = [a.low for _, a in theirs if a.dimension == own.dimension and a.low == a.high]
    if own.dimension == "share":
        counts = [
            a.low for _, a in theirs if a.dimension == "count" and a.low >= 5 and not is_year(a)
        ]
        values += [
            100 * p / q for p in counts for q in counts if p < q and (p > 0.5 * q or own.derived)
        ]
        if own.derived:
            small = [a.low for _, a in theirs if a.dimension == "count" and 0 < a.low < 5]
            values += [100 * p / q for p in small for q in counts]
            return any(0 < (v - own.low) * side <= 0.5 * own.low for v in values)
    return any(0 < (v - own.low) * side <= _ROUND * own.low for v in values)


_ARMS = re.compile(
    r"\s(?:drugs?|arms?|groups?|agents?|regimens?|treatments?)\b|[,.;]|$", re.IGNORECASE
)
_SHOULD_AFTER = re.compile(r"\b(?:should|must|ought)\b[^,;.]*\bafter\s$", re.IGNORECASE)
_LISTED = re.compile(
    r"[^,;:()]{0,40}[,:(] ?(?:namely |both )?[^;:()]{3,60}\band\b[^;:(]{3,40}$", re.I
)
_FEW = ("two", "three", "four", "five")


def _lists(claim: Claim, own: Amount) -> bool:
    """ "two drugs, A and B": a number of what the sentence itself names."""
    found = _LISTED.match(claim.text.rstrip(". "), own.end) if own.text.lower() in _FEW else None
    return found is not None and 1 + len(re.findall(r",|\band\b", found[0])) in (
        _FEW.index(own.text.lower()) + 2,
        _FEW.index(own.text.lower()) + 3,
    )


def _nearest(own: Amount, matching: list[tuple[Claim, Amount]]) -> list[tuple[Claim, Amount]]:
    """Of amounts that could all be meant by a rounded one, those that are nearest to it."""
    apart = [abs(a.low - own.low) for _, a in matching if a.dimension == own.dimension]
    if len(apart) < len(matching) or len(matching) < 2 or own.vague:
        return matching
    return [x for x, d in zip(matching, apart, strict=True) if d <= 1.5 * min(apart) + 1e-9]


def _shared(claim: Claim, sentence: Claim, amount: Amount) -> int:
    """How many words of the claim are in the part of the sentence in which the amount stands."""
    start = sentence.text.rfind(";", 0, amount.start)
    end = sentence.text.find(";", amount.end)
    part = {w.name for w in sentence.words if start < w.start and (end < 0 or w.start < end)}
    return len(part & claim.names)


_OVER = re.compile(
    r"\b(?:over|above|more than|exceed(?:s|ed|ing)?|beyond) (?:an? )?$", re.IGNORECASE
)
_UNDER = re.compile(
    r"\b(?:under|below|less than|fewer than|not quite|almost|nearly) (?:an? )?$", re.IGNORECASE
)


_NO_MORE = re.compile(r"\bnot? (?:\w+ )?than\s$", re.IGNORECASE)


def _beyond(claim: Claim, amount: Amount) -> int:
    """+1 when what is meant is said to be over the amount, -1 under it, 0 when neither."""
    before = claim.text[max(0, amount.start - 16) : amount.start]
    if amount.low != amount.high or _NO_MORE.search(before):
        return 0
    return 1 if _OVER.search(before) else -1 if _UNDER.search(before) else 0


_TIMES = {"halved": 2, "halving": 2, "doubled": 2, "doubling": 2, "tripled": 3, "quadrupled": 4}


_SAYS_TIMES = {
    2: r"\b(?:halv|half|doubl|twice|two-?fold|50%)",
    3: r"\b(?:tripl|three times|three-?fold|thrice)",
    4: r"\b(?:quadrupl|four times|four-?fold)",
}


def check_multiples(claim: Claim, statement: Sequence[Claim]) -> None:
    """What is said to have doubled or halved must have done so by the figures there, or in words."""
    given = " ".join(c.text for c in statement).lower()
    amounts = [a for c in statement for a in c.amounts if a.low == a.high]
    for word in claim.words:
        times = _TIMES.get(word.form)
        if not times or re.search(_SAYS_TIMES[times], given):
            continue
        if not any(
            a.dimension == b.dimension
            and min(a.low, b.low) > 0
            and _is_times(max(a.low, b.low) / min(a.low, b.low), times, claim.text[: word.start])
            for a, b in combinations(amounts, 2)
        ):
            raise Failed("number", f"“{word.form}” does not follow from the figures")


def _is_times(ratio: float, times: int, before: str) -> bool:
    if before.lower().endswith("more than "):
        return ratio >= 0.98 * times
    return abs(ratio - times) <= 0.1 * times


_LOWER_END = re.compile(
    r"\b(?:over|above|more than|older than|at least|from|exceed(?:s|ed|ing)?|longer than|later than|higher than|greater than|(?:a )?minimum of|at least [a-z]+|no (?:less|fewer|shorter|earlier|sooner|lower|younger) than)\s(?:an? )?$",
    re.IGNORECASE,
)


_UPPER_END = re.compile(
    r"\b(?:under|below|less than|fewer than|younger than|at most|up to|shorter than|earlier than|sooner than|lower than|smaller than|(?:a )?maximum of|at most [a-z]+|no (?:more|longer|later|higher|older) than)\s(?:an? )?$",
    re.IGNORECASE,
)


_LOWER_AFTER = re.compile(
    r"\s?(?:years |months )?(?:of age )?(?:or|and) (?:older|over|more|above|longer|later|higher|larger|greater)",
    re.IGNORECASE,
)


_UPPER_AFTER = re.compile(
    r"\s?(?:years |months )?(?:of age )?(?:or|and) (?:younger|under|less|fewer|below|earlier|shorter|lower|smaller)",
    re.IGNORECASE,
)


def _end_of(claim: Claim, amount: Amount) -> int:
    """+1 when the amount is said to be the least there is, -1 the most, 0 when neither."""
    before, after = claim.text[max(0, amount.start - 24) : amount.start], claim.text[amount.end :]
    if _NOT_THAN.search(before):
        return 0
    if amount.dimension == "time" and _DURING.search(claim.text[: amount.start]):
        return 0
    denied = _NOT_BEFORE.search(claim.text[: amount.start]) is not None
    if (
        denied
        and not _LEAST.search(before)
        and (_LOWER_END.search(before) or _UPPER_END.search(before))
    ):
        return -1 if _LOWER_END.search(before) else 1
    if _LIMITED.search(claim.text[: amount.start]):
        return -1
    if (said := _NO_THAN.search(before)) and _AHEAD.match(after):
        return 1 if said["most"] else -1
    if said:
        return -1 if said["most"] else 1
    if _LOWER_END.search(before) or _LOWER_AFTER.match(after):
        return 1
    if _OF_AGE.match(after) and before.endswith("after "):
        return -1 if denied else 1
    if amount.dimension == "time" and _WITHIN.search(before):
        return -1
    return -1 if _UPPER_END.search(before) or _UPPER_AFTER.match(after) else 0


_NOT_THAN = re.compile(r"\bnot (?:\w+ )?than\s$", re.IGNORECASE)
_AHEAD = re.compile(r"\s(?:before|prior to)\b")
_OF_AGE = re.compile(r"\s?(?:years?|months?|weeks?)? of age\b")
_WITHIN = re.compile(r"\bwithin\s(?:the first\s|an?\s)?$", re.IGNORECASE)
_NOT_BEFORE = re.compile(
    r"\b(?:should|must|may|can|do|need)\s?(?:not|never)\b[^,;.]{1,40}$|\bnever (?:be )?(?:given|taken|used)\b[^,;.]{1,40}$",
    re.IGNORECASE,
)
_LEAST = re.compile(r"\bat (?:least|most)\s(?:[a-z]+\s)?$", re.IGNORECASE)
_LIMITED = re.compile(
    r"\b(?:limit|restrict|cap|confin)\w*\b[^,;.]{0,60}\bto\s(?:a maximum of )?$", re.IGNORECASE
)
_DURING = re.compile(
    r"(?<!\bin )(?<!\bfor )(?<!\bof )(?<!\bafter )(?<!\bby )(?<!\bto )(?<!\baged )(?<!people )(?<!adults )(?<!children )"
    r"(?<!patients )(?<!those )(?<!women )(?<!men )(?<!anyone )(?<!infants )(?<!lasted )(?<!lasting )(?<!took )(?<!was )(?<!were )"
    r"\bover\s(?:an? )?$",
    re.IGNORECASE,
)
""" "over 3 years" that says for how long."""
_NO_THAN = re.compile(
    r"\bno (?:(?P<most>more|longer|later|higher|older|greater|larger|above|beyond)"
    r"|less|fewer|shorter|earlier|sooner|lower|younger|smaller) than\s(?:an? )?$",
    re.IGNORECASE,
)


def _same_figure(own: Amount, other: Amount) -> bool:
    figure = re.compile(r"\d[\d.,]*\d|\d")
    return bool(set(figure.findall(own.text)) & set(figure.findall(other.text)))


def check_doses(claim: Claim, statement: Sequence[Claim]) -> None:
    """A dose and the rhythm beside it belong together."""
    for dose, rhythm in _doses(claim):
        there = [(d, r) for c in statement for d, r in _doses(c) if fits(claim, dose, d)]
        if there and not any(fits(claim, rhythm, r) for _, r in there):
            raise Failed("frequency", f"“{dose.text}” is given “{there[0][1].text}”")


def _doses(claim: Claim) -> list[tuple[Amount, Amount]]:
    return [
        (a, b)
        for a, b in pairwise(claim.amounts)
        if b.dimension == "frequency"
        and a.dimension.startswith(("mass", "volume", "activity"))
        and len(claim.text[a.end : b.start].strip()) <= 8
    ]


_ORDINAL = re.compile(r"\b(first|second|third|fourth|fifth|sixth|last)(?:-|\s)(\w+)", re.IGNORECASE)


_ORDERS = frozenset("first second third fourth last".split())


def _check_orders(claim: Claim, statement: Sequence[Claim]) -> None:
    """ "with surgery second" where this has surgery first."""
    last = {
        before.name: word.form
        for c in statement
        for before, word in pairwise(c.words)
        if word.form in _ORDERS and before.content and before.form not in ("the", "line")
    }
    for n, word in enumerate(claim.words):
        if word.form not in _ORDERS:
            continue
        for w in claim.words[max(0, n - 4) : n]:
            if w.clause == word.clause and last.get(w.name, word.form) != word.form:
                raise Failed("arm", f"“{w.form}” is {last[w.name]} there")


def check_ordinals(claim: Claim, statement: Sequence[Claim]) -> None:
    """ "the third trimester" where the statement has the first only."""
    _check_orders(claim, statement)
    there: dict[str, set[str]] = {}
    for c in statement:
        for m in _ORDINAL.finditer(c.text):
            there.setdefault(stem(m[2].lower()), set()).add(m[1].lower())
    for m in _ORDINAL.finditer(claim.text):
        others = there.get(stem(m[2].lower()))
        if others and m[1].lower() not in others:
            raise Failed("number", f"“{m[0]}” is the {min(others)} there")


_GRADE = re.compile(
    r"\b(?:grade|evidence|level|class|type|stage|phase)\s(?:of\s)?([A-E]|I{1,3}V?|IV|\d[ab]?)\b(?!')"
)


_CERTAINTY = re.compile(
    r"\b(very low|low|moderate|high)(?:-|\s)(?:quality|certainty|grade|strength)\b"
    r"|\b(?:quality|certainty|strength)\b[^.;,]{0,40}?\b(very low|low|moderate|high)\b",
    re.IGNORECASE,
)


def check_grades(claim: Claim, statement: Sequence[Claim]) -> None:
    """Classes of evidence, of disease and of trials are given as they are given there."""
    given = " ".join(c.text for c in statement)
    letters = {m[1] for m in _GRADE.finditer(given)}
    for m in _GRADE.finditer(claim.text):
        if m[1] not in letters and letters:
            raise Failed("certainty", f"“{m[0]}” is “{min(letters)}” there")
    theirs = {(m[1] or m[2]).lower() for m in _CERTAINTY.finditer(given)}
    for m in _CERTAINTY.finditer(claim.text):
        level = (m[1] or m[2]).lower()
        if level not in theirs and not re.search(rf"\b{level}\b", given, re.IGNORECASE):
            raise Failed("certainty", f"“{m[0]}” is in no cited statement")
