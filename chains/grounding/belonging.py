"""Which words belong to an amount: the arm, the group, the time it was measured for."""

import re
from collections.abc import Sequence
from dataclasses import replace

from chains.grounding.claims import Claim, Word
from chains.grounding.equal import P_VALUE, fits, is_year
from chains.grounding.failed import Failed
from chains.grounding.quantities import Amount
from chains.grounding.rows import in_a_row, is_of
from chains.grounding.sides import COMPARING, parted
from chains.grounding.thesaurus import is_known
from chains.grounding.words import GENERIC

_LEADS = re.compile(
    r"\)?\s*(?:\([^()]*\)\s*)?(?:(?:more|fewer|less|points?|events?|cases?|percentage points?|of \d+) )?(?:in|with|of|on|for|after|under|by|had|thought|saw|among|from|when|where|if|using|receiving|treated|"
    r"patients|women|men|children|people|did|given|who|whose|taking|received)\b",
    re.IGNORECASE,
)
"""What follows an amount whose owner comes behind it."""


_FOLLOWS = re.compile(
    r"(?:\b(?:was|were|is|are|at|by|to|in|had|of|about|from|and|reached|averaged)|[(:])\s*$",
    re.IGNORECASE,
)
"""What stands before an amount whose owner comes before it."""


IN_ORDER = re.compile(r"\brespectively\b|\bin (?:the same|that|this) order\b", re.IGNORECASE)


_MARGIN = {"none": 0.6, "share": 0.6, "count": 1.5, "time": 2.0}
"""By how many words more a neighbour must fit before an amount is taken to be its own."""
_OTHER_MARGIN = 1.0


def _rivals(amount: Amount, claim: Claim) -> list[Amount]:
    """Amounts of the same kind; that nobody had something is one of them beside a share or a count.
    What a count is taken of is none."""
    counted_by = "share" if any(a.dimension == "share" for a in claim.amounts) else "count"
    wholes = {
        b.start
        for d in claim.amounts
        if d.derived
        for b in claim.amounts
        if b.end == d.end and b is not d
    }
    return [
        a
        for a in claim.amounts
        if a.start != amount.start
        and a.start not in wholes
        and not a.derived
        and not is_year(a)
        and not _of_another_size(amount, a)
        and ("/" in a.text) == ("/" in amount.text)
        and not (a.dimension == "share" and _is_strength(claim, a))
        and not _OF_SOMETHING_ELSE.search(claim.text[max(0, a.start - 20) : a.start])
        and (
            a.dimension == amount.dimension
            or (amount.dimension == "none" and a.dimension == counted_by)
            or (
                a.dimension == "none"
                and amount.dimension in ("share", "count")
                and (a.text.lower() != "no" or _ON_NO.search(claim.text[: a.start]))
            )
        )
    ]


def _of_another_size(one: Amount, other: Amount) -> bool:
    """A wavelength is no rival of the size of a lesion."""
    if one.dimension != other.dimension or one.dimension not in (
        "length",
        "mass",
        "volume",
        "time",
    ):
        return False
    small, large = sorted((abs(one.low), abs(other.low)))
    return large > (50 if one.dimension == "time" else 1000) * small


def _is_strength(claim: Claim, amount: Amount) -> bool:
    """Whether a share says how strong something is: before "cream", or right behind a name."""
    if STRENGTH.match(claim.text, amount.end):
        return True
    word = next((w for w in reversed(claim.words) if w.start < amount.start), None)
    if (
        word is None
        or not word.content
        or claim.text[word.start + len(word.form) : amount.start] != " "
    ):
        return False
    name = not is_known(word.stem) and word.form not in (
        "against",
        "versus",
        "without",
        "approximately",
    )
    return (
        name
        and word.form.isalpha()
        and len(word.form) > 5
        and not word.form.endswith(("ed", "ly", "s"))
    )


STRENGTH = re.compile(
    r"\s(?:[a-z-]+\s)?(?:solution|cream|gel|ointment|lotion|foam|drops|paste|spray|shampoo|topical|saline|glucose|dextrose)\b",
    re.IGNORECASE,
)
"""Behind a share that says how strong something is, not how many had it."""
_OF_SOMETHING_ELSE = re.compile(
    r"\b(?:n\s?=|p\s?[=<>≤]+|by (?:more|less) than(?: an?)?)\s*$|\(over\s$", re.IGNORECASE
)
"""Before the size of a group, or how likely chance is: no amounts that something has."""


_ON_NO = re.compile(r"\b(?:on|in|among|by)\s$", re.IGNORECASE)


def _gap(claim: Claim, amount: Amount, others: Sequence[Amount]) -> tuple[int, int]:
    """Where the other amount before it ends, and the one behind it starts."""
    return (
        max((o.end for o in others if o.end <= amount.start), default=0),
        min((o.start for o in others if o.start >= amount.end), default=len(claim.text)),
    )


_ROSE_OR_FELL = re.compile(r"\bfrom\s[^,;.\d]{0,12}[\d.]+[^,;.]{0,12}\sto\s", re.IGNORECASE)
_FROM_TO = re.compile(r"\bfrom\s(?:about |around |a mean of )?$", re.IGNORECASE)


def _with_partner(
    claim: Claim, amount: Amount, others: Sequence[Amount]
) -> tuple[Amount, Sequence[Amount]]:
    """ "from 3.8 to 1.9" taken as one amount, of which both belong to the same."""
    for other in others:
        first, second = (amount, other) if amount.start < other.start else (other, amount)
        if claim.text[first.end : second.start].strip() == "to" and _FROM_TO.search(
            claim.text[max(0, first.start - 20) : first.start]
        ):
            both = replace(amount, start=first.start, end=second.end)
            return both, [o for o in others if o is not other]
    return amount, others


_PAUSE = re.compile(r";|\b(?:while|whereas|but)\b", re.IGNORECASE)
"""What no word belongs to an amount across."""


def _is_a_study(claim: Claim, word: Word) -> bool:
    """Five capitals and more are the name of a study, of which all arms are."""
    return len(word.form) > 4 and claim.text[word.start : word.start + len(word.form)].isupper()


def belonging(
    claim: Claim, amount: Amount, others: Sequence[Amount], *, shared: bool = True
) -> dict[str, float]:
    """The words that belong to an amount, by name, each with how surely: those up to the next amount
    of its kind on either side. What stands before all of them, or further behind, is said of all."""
    amount, others = _with_partner(claim, amount, others)
    before, behind = _gap(claim, amount, others)
    first = min([amount.start, *(o.start for o in others)])
    last = max([amount.end, *(o.end for o in others)])
    leads = bool(_LEADS.match(claim.text, amount.end))
    follows = bool(_FOLLOWS.search(claim.text[max(0, amount.start - 12) : amount.start]))
    previous = next((o for o in others if o.end == before), None)
    taken_before = previous is not None and bool(_LEADS.match(claim.text, previous.end))
    opening = next((o for o in [amount, *others] if o.start == first), amount)
    opens = bool(_LEADS.match(claim.text, opening.end))
    said = [w for w in claim.words if w.content or w.form == "without"]
    said = [
        w
        for w in said
        if not w.form[0].isdigit()
        and w.stem not in GENERIC
        and w.form not in ("p", "only", "under", "over")
        and not _is_a_study(claim, w)
    ]
    heading = [w for w in said if w.start < first]
    stop = claim.text.find(";", last)
    tail = [w for w in said if w.start >= last and (stop < 0 or w.start < stop)]
    said = [w for w in said if w.start < last or w in tail]
    near = {w.start for w in heading[-2:]} if not opens else set()
    near_tail = {w.start for w in tail if w.segment == tail[0].segment} if tail else set()
    # With a thing and without it are two groups.
    denied = {
        v.start
        for n, u in enumerate(claim.words)
        if u.form == "without"
        for v in [v for v in claim.words[n + 1 : n + 5] if v.content and v.segment == u.segment][:2]
    }
    found: dict[str, float] = {}
    for w in said:
        if w.start < first:
            far = w.start not in near
            surely = (
                1.0 if (far and (shared or not others)) or (not far and amount is opening) else 0.0
            )
        elif w.start >= last:
            far = w.start not in near_tail
            mine = amount.end == last
            surely = 1.0 if (far and (shared or not others)) or (not far and mine) else 0.0
        elif before <= w.start < amount.start:
            surely = 0.2 if taken_before or leads else 1.0 if follows else 0.5
        elif amount.end <= w.start < behind:
            surely = 1.0 if leads else 0.2 if follows else 0.5
        else:
            continue
        # A comma between two amounts parts what belongs to them.
        between = previous is not None and before <= w.start < amount.start
        commas = "," in claim.text[before : w.start], "," in claim.text[w.start : amount.start]
        if between and commas == (False, True):
            surely = min(surely, 0.2)
        if amount.end <= w.start < behind < len(claim.text) and w.start < last:
            commas = "," in claim.text[amount.end : w.start], "," in claim.text[w.start : behind]
            if commas == (True, False):
                surely = min(surely, 0.2)
        if (first <= w.start < last or not (others or shared)) and _PAUSE.search(
            claim.text[min(w.start, amount.end) : max(w.start, amount.start)]
        ):
            surely = min(surely, 0.2)
        if surely and w.start in denied:
            found[f"no {w.name}"] = 2 * surely
        elif surely:
            found[w.name] = max(found.get(w.name, 0.0), surely)
    return found


_CHANGED = re.compile(r"\bfrom\s(?:an?\s\w+\sof\s)?$", re.IGNORECASE)


_TO = re.compile(r"\bfrom\s[^,;.]{1,16}\sto\s$", re.IGNORECASE)
"""What went from one amount to another has no sides."""


def counted(claim: Claim, amount: Amount) -> str | None:
    """What a bare number counts: the word behind it."""
    if amount.dimension != "count":
        return None
    if claim.text[amount.end : amount.end + 1] == "-":
        return next((w.name for w in claim.words if w.start == amount.end + 1), None)
    after = next((w for w in claim.words if w.start >= amount.end), None)
    if after is None or claim.text[amount.end : after.start].strip() or not after.content:
        return None
    return after.name


_SIDE_BY_SIDE = re.compile(
    r"\s*(?:v|vs\.?|versus|against|and|rather than|instead of|compared with|to|or),?\s*(?:about |only |at )?",
    re.IGNORECASE,
)


_PARALLEL = re.compile(
    r"\b(with|on|after|under|among|from|given|for|in|by)\b(?P<one>(?:(?!\b(?:with|on|after|under|among|from|given|for|by)\b)[^,;.])"
    r"{2,60}?)\b(?:than|as) (?:those |that |the \w+ )?(?:with|on|after|under|among|from|given|for|in|by)\b(?P<other>[^,;.(]{2,60})",
    re.IGNORECASE,
)


def _parallel(claim: Claim) -> tuple[frozenset[str], frozenset[str]] | None:
    """The two sides of "with A than with B", "on A as often as those on B"."""
    found = _PARALLEL.search(claim.text)
    if found is None:
        return None
    one, other = (
        frozenset(w.name for w in claim.words if w.content and a <= w.start < b)
        for a, b in (found.span("one"), found.span("other"))
    )
    return one, other


_NEW_PART = re.compile(
    r";|,\s(?:and|but|yet|while|whereas|although|though|with)\b|\d\)?,\s", re.IGNORECASE
)


_MORE_BEFORE = re.compile(
    r"\b(?:more|less|fewer|longer|shorter|higher|lower|better|worse|larger|smaller|commoner|rarer)\b"
    r"[^;,().]{0,40}\($",
    re.IGNORECASE,
)
_DIFFERED_FROM = re.compile(r"\bdiffer\w*\b[^;,.()]{0,40}\bfrom ([^;,.()]+) \($", re.IGNORECASE)
_ACTED = re.compile(
    r"\b(?:rais|lower|reduc|increas|improv|shorten|lengthen|prolong|cut|brought|decreas)(?:ed|t|es|s)?\b",
    re.IGNORECASE,
)
_BASELINE = re.compile(
    r"\b(?:from|before|baseline|initial\w*|at first|start\w*|without|untreated|control\w*|placebo|sham|usual|compared|against|than|"
    r"other|began|previous\w*)\b",
    re.IGNORECASE,
)
_STATIC = re.compile(
    r"\b(?:was|were|is|are|lasted|averaged|occurred|had|reached|scored|stood)\b[^,;.]{0,30}$", re.I
)
_THE_OTHER = frozenset({"-"})
"""The side that is not named."""


def _beside(claim: Claim, own: Amount) -> frozenset[str]:
    """For "... with A than with B (1% v 2%)": the words of A for the first amount, of B for the
    second; nothing when the amounts do not stand like that."""
    sides = parted(claim)
    for other in _rivals(own, claim):
        first, second = (own, other) if own.start < other.start else (other, own)
        if _SIDE_BY_SIDE.fullmatch(claim.text[first.end : second.start]):
            if sides is None and (both := _parallel(claim)) and claim.text[first.start - 1] == "(":
                return both[0] - both[1] if own is first else both[1] - both[0]
            if sides is None and (from_ := _DIFFERED_FROM.search(claim.text[: first.start])):
                of = frozenset(
                    w.name for w in claim.telling if from_.start(1) <= w.start < from_.end(1)
                )
                return _THE_OTHER if own is first else of
            if sides is None:
                more = _MORE_BEFORE.search(claim.text[: first.start])
                if more is None:
                    return frozenset()
                subject = frozenset(w.name for w in claim.telling if w.start < more.start())
                return subject if own is first else _THE_OTHER
            than = COMPARING.search(claim.text)
            if than is None or not (than.end() < first.start or than.start() > second.end):
                continue
            if _NEW_PART.search(claim.text[than.end() : first.start]):
                continue  # what is compared there is something else
            left, right = _parallel(claim) or sides
            mine, its = (left, right) if own is first else (right, left)
            return mine - its
    return frozenset()


def check_belonging(
    claim: Claim,
    own: Amount,
    matching: Sequence[tuple[Claim, Amount]],
    theirs: Sequence[tuple[Claim, Amount]],
) -> None:
    """The amount must belong to what it belongs to in the statement, not to its neighbour."""
    if P_VALUE.search(claim.text[: own.start]) or is_year(own):
        return
    turned = 0
    for sentence, amount in matching:
        stop = sentence.text.find(";", amount.end)
        ordered = IN_ORDER.search(
            sentence.text,
            sentence.text.rfind(";", 0, amount.start) + 1,
            stop if stop >= 0 else len(sentence.text),
        )
        row = in_a_row(sentence, amount, _rivals(amount, sentence))
        if row is not None:
            place, beside = row
            rivals = _rivals(own, claim)
            other = next((a for a in rivals if fits(claim, a, beside)), None)
            straight = is_of(
                _owned(claim, own),
                _owned(claim, other) if other else {},
                claim,
                list(dict.fromkeys(c for c, _ in theirs)),
                sentence,
                amount,
                place,
            )
            if straight is False:
                turned += 1
                continue
            if straight:
                _check_measure(claim, (own, other or own), sentence, amount, beside)
                return
        if ordered or _ends_a_row(sentence, amount):
            straight = _in_order(claim, own, [c for c, _ in theirs], sentence, amount)
            if ordered and straight is False:
                raise Failed("arm", f"“{own.text}” belongs to the other side")
            if ordered or straight:
                return
    if turned and turned == len(matching):
        raise Failed("arm", f"“{own.text}” belongs to the other side")
    _check_before(claim, own, matching)
    if any(
        (_CHANGED.search(c.text[: a.start]) or _TO.search(c.text[: a.start]))
        and len(_ROSE_OR_FELL.findall(c.text)) < 2
        for c, a in matching
    ):
        return
    if (
        _FROM_TO.search(claim.text[: own.start]) and re.match(r"\s?%?\sto\s", claim.text[own.end :])
    ) or _TO.search(claim.text[: own.start]):
        return  # what it went from is of the other; the direction is looked at elsewhere
    noun = counted(claim, own)
    if noun and any(
        noun == counted(c, a) and not any(noun == counted(c, r) for r in _rivals(a, c))
        for c, a in matching
    ):
        return
    mine = _owned(claim, own)
    if (told := _by_label(mine, claim, own, matching)) is not None:
        if told:
            return
        raise Failed("arm", f"“{own.text}” belongs to something else")
    if own.dimension == "none":
        near = claim.in_segments(frozenset({claim.segment_of(own.start)}))
        mine = {n: v for n, v in mine.items() if n in near}
    lead: float | None = None
    for sentence, amount in matching:
        rivals = [
            a for a in _rivals(amount, sentence) if not P_VALUE.search(sentence.text[: a.start])
        ]
        words = belonging(sentence, amount, rivals)
        support = sum(min(v, words.get(n, 0.0)) for n, v in mine.items())
        against = 0.0
        for rival in rivals:
            if fits(claim, own, rival) or (
                own.dimension in ("count", "time") and abs(rival.start - amount.start) > 90
            ):
                continue
            words = belonging(sentence, rival, [amount, *(a for a in rivals if a is not rival)])
            against = max(against, sum(min(v, words.get(n, 0.0)) for n, v in mine.items()))
        lead = support - against if lead is None else max(lead, support - against)
    of_a_whole = any(d.derived and d.start <= own.start < d.end for d in claim.amounts)
    kind = "share" if of_a_whole else own.dimension
    with_and_without = any(name.startswith("no ") for name in mine)
    margin = _OTHER_MARGIN if with_and_without else _MARGIN.get(kind, _OTHER_MARGIN)
    if lead is not None and lead < -margin:
        raise Failed("arm", f"“{own.text}” belongs to something else")


def _check_before(claim: Claim, own: Amount, matching: Sequence[tuple[Claim, Amount]]) -> None:
    """What something was raised or lowered from is not what it was with that."""
    if not all(_CHANGED.search(c.text[: a.start]) for c, a in matching):
        return
    if _BASELINE.search(claim.text) or not _STATIC.search(claim.text[: own.start]):
        return
    sentence, amount = matching[0]
    acted = max((m.start() for m in _ACTED.finditer(sentence.text, 0, amount.start)), default=0)
    behind = {w.name for w in sentence.telling if w.start >= acted}
    subject = {w.name for w in sentence.telling if w.start < acted} - behind
    if len(subject & claim.names) >= 2:
        raise Failed("arm", f"“{own.text}” was so before there")


_LABEL = re.compile(
    r"\)?\s?(?:%|[a-z]+)?\)?\s(?:\([^()]*\)\s)?(?:of \w+ )?(?:with|after|on|under|among|in those (?:on|with|given)|for) "
    r"(?P<of>(?:(?!\b(?:and|but|against|compared|versus|while|whereas|over|at|in)\b)[^,;.()\d]){3,50})",
    re.IGNORECASE,
)
""" "4 days with the cannula": whose an amount is, right behind it."""


def _label(sentence: Claim, amount: Amount) -> set[str]:
    """The words that an amount is given to right behind it."""
    alone = re.search(r"\d\s?\($", sentence.text[: amount.start]) is None
    if alone and re.match(r"\s?%?\)", sentence.text[amount.end :]):
        return set()  # its owner stands before the bracket
    found = _LABEL.match(sentence.text, amount.end)
    if found is None:
        return set()
    a, b = found.span("of")
    return {w.name for w in sentence.telling if a <= w.start < b and w.form[0].isalpha()}


def _by_label(
    mine: dict[str, float], claim: Claim, own: Amount, matching: Sequence[tuple[Claim, Amount]]
) -> bool | None:
    """Whether the amount is of what the statement gives it to in so many words; None when that, or
    what the claim gives it to, cannot be told."""
    if len(matching) != 1:
        return None
    sentence, amount = matching[0]
    label = _label(sentence, amount)
    others = [
        _label(sentence, r) for r in _rivals(amount, sentence) if r.dimension == amount.dimension
    ]
    others = [o for o in others if o and o - label]
    if not label or not others or any(o == label for o in others):
        return None
    names = {n for n, v in mine.items() if v >= 0.5}
    rest = set().union(*others)
    said = _label(claim, own)
    if said & (label - rest) or said & (rest - label):
        right, wrong = len(said & (label - rest)), len(said & (rest - label))
        return None if right == wrong else right > wrong
    if names & (label - rest) and not names & (rest - label):
        return True
    if names & (rest - label) and not claim.names & (label - rest):
        return False
    return None


def _check_measure(
    claim: Claim, row: tuple[Amount, Amount], sentence: Claim, amount: Amount, beside: Amount
) -> None:
    """What was measured, where the statement has other rows of other things."""
    rivals = _rivals(amount, sentence)
    measured = _ahead(sentence, min(amount.start, beside.start), rivals)
    own = row[0]
    mine = set(_owned(claim, own)) | _ahead(claim, min(a.start for a in row), _rivals(own, claim))
    for rival in rivals:
        if rival is beside or fits(claim, own, rival):
            continue
        other = _ahead(sentence, rival.start, [amount, *(a for a in rivals if a is not rival)])
        if (
            not mine & (measured - other)
            and len(mine & (other - measured)) > 0
            and other & measured
        ):
            raise Failed("arm", f"“{own.text}” is of something else there")


def _ahead(claim: Claim, at: int, others: Sequence[Amount]) -> set[str]:
    """What stands between the amount before and here."""
    start = max((a.end for a in others if a.end <= at), default=0)
    start = max(start, claim.text.rfind(";", 0, at))
    return {w.name for w in claim.telling if start <= w.start < at and w.form[0].isalpha()}


def _owned(claim: Claim, own: Amount) -> dict[str, float]:
    return dict.fromkeys(_beside(claim, own), 1.0) or belonging(
        claim, own, _rivals(own, claim), shared=False
    )


def _next_to(claim: Claim, amount: Amount, others: Sequence[Amount]) -> frozenset[str]:
    """The two words that stand closest to an amount, on the side where its owner is."""
    before, behind = _gap(claim, amount, others)
    said = [w for w in claim.telling if w.form[0].isalpha()]
    after = [w for w in said if amount.end <= w.start < behind][:2]
    ahead = [w for w in said if before <= w.start < amount.start][-2:]
    leads = _LEADS.match(claim.text, amount.end)
    return frozenset(w.name for w in (after if leads and after else ahead))


_ROW = re.compile(r"\s*(?:and|v|vs\.?|versus|against|or)\s*", re.IGNORECASE)
_ROW_END = re.compile(
    r"\s*(?:[.;,()]|$|(?:in|over|at|after|by|within)\b[^.;,]{0,12}?\d|per\b)", re.IGNORECASE
)


def _ends_a_row(sentence: Claim, amount: Amount) -> bool:
    """Whether the amount is one of two side by side with nothing said of either: "6% and 9%."."""
    for other in _rivals(amount, sentence):
        first, second = sorted((amount, other), key=lambda a: a.start)
        if _ROW.fullmatch(sentence.text[first.end : second.start]) and _ROW_END.match(
            sentence.text, second.end
        ):
            return True
    return False


def _owners(claim: Claim, amount: Amount, others: Sequence[Amount]) -> frozenset[str]:
    found = belonging(claim, amount, others, shared=False)
    return frozenset(n for n, surely in found.items() if surely >= 0.5)


def _halves(claim: Claim, own: Amount, other: Amount) -> tuple[frozenset[str], frozenset[str]]:
    """What is said up to the first amount, and from there on."""
    first, second = sorted((own, other), key=lambda a: a.start)
    at = claim.segment_of(first.start)
    said = [w for w in claim.telling if w.form[0].isalpha()]
    before = frozenset(w.name for w in said if w.segment <= at)
    behind = frozenset(w.name for w in said if w.segment > at)
    return (before, behind) if own is first else (behind, before)


def _in_order(
    claim: Claim, own: Amount, sentences: Sequence[Claim], statement: Claim, amount: Amount
) -> bool | None:
    """ "20 (86%) and 5 (21%) respectively": whether amounts and what they belong to go in one order;
    None when it cannot be told."""
    straight: bool | None = None
    rivals = _rivals(own, claim)
    places: dict[str, int] = {}
    for n, sentence in enumerate(dict.fromkeys([statement, *sentences])):
        for w in sentence.words:
            # What this sentence does not name is looked for in those before it.
            places.setdefault(w.name, w.start if n == 0 else w.start - 10_000)
    for other in rivals:
        pair = next(
            (a for a in statement.amounts if a is not amount and fits(claim, other, a)), None
        )
        if pair is None:
            continue
        rest = [own, *(a for a in rivals if a is not other)]
        beside = _beside(claim, own), _beside(claim, other)
        # Whose an amount is can be read in two ways; one of them in order is enough.
        readings = [
            (beside[0] or whose(claim, own, rivals), beside[1] or whose(claim, other, rest))
            for whose in (_next_to, _owners)
        ]
        readings.append(beside if all(beside) else _halves(claim, own, other))
        firsts = [
            (
                min((places[n] for n in mine - its if n in places), default=None),
                min((places[n] for n in its - mine if n in places), default=None),
            )
            for mine, its in readings
        ]
        orders = {a < b for a, b in firsts if a is not None and b is not None and a != b}
        if orders:
            straight = (amount.start < pair.start) in orders
        if straight is False:
            break
    return straight
