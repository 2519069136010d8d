"""Directions, and the sides of comparisons."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from chains.grounding.belonging import IN_ORDER, STRENGTH, belonging, counted
from chains.grounding.claims import Claim, Word
from chains.grounding.equal import P_VALUE, fits, is_year
from chains.grounding.failed import Failed
from chains.grounding.quantities import Amount
from chains.grounding.rows import NOT_GIVEN, in_a_row, nearest, sides_of
from chains.grounding.sides import parted
from chains.grounding.thesaurus import opposites
from chains.grounding.words import CONTRASTS, GENERIC, NEGATORS, OPPOSITE, SAME, stems_of
from store.lexical import stem

_RATIO = re.compile(r"\bratio\b[^,;]*$|\bCI\b|\brisk\b[^,;]{0,4}$|\bper\s$", re.IGNORECASE)


_MORE = OPPOSITE[0][0] | stems_of("common frequent often likely")


_LESS = OPPOSITE[0][1]


_ADVERB = re.compile(r"\b(?:more|less)(?: \w+)? than\b(?! \d)", re.IGNORECASE)
"""Of a change, how much it was: "fell less than"."""


def check_figures(claim: Claim, statement: Sequence[Claim]) -> None:
    """ "More often with A than with B": the figures of the statement must say so."""
    sides = parted(claim)
    if sides is None or not re.search(r"\bthan\b", claim.text):
        return
    left, right = sides[0] - sides[1], sides[1] - sides[0]
    before = [w for w in claim.words if w.start < claim.text.find("than")]
    less = any(w.stem in _LESS for w in before)
    more = any(w.stem in _MORE and w.form not in ("most",) for w in before)
    if any(w.name in _GOOD for w in before):
        more = more or any(w.form == "better" for w in before)
        less = less or any(w.form == "worse" for w in before)
    elif any(w.name in _BAD for w in before):
        more = more or any(w.form in ("worse", "severe") for w in before)
        less = less or any(w.form in ("better", "milder") for w in before)
    if less == more and not less:
        return
    way = -1 if less else 1
    if any(w.negated for w in claim.words):
        return
    for sentence in statement:
        if IN_ORDER.search(sentence.text):
            continue
        if any(w.stem in _LESS | _MORE for w in sentence.words) and not _ADVERB.search(claim.text):
            continue
        wholes = {
            b.start
            for d in sentence.amounts
            if d.derived
            for b in sentence.amounts
            if b.end == d.end
        } - {d.start for d in sentence.amounts if d.derived}
        figures = [
            a
            for a in map(_none_is_zero, sentence.amounts)
            if a.low == a.high
            and not a.derived
            and not is_year(a)
            and a.dimension not in ("frequency", "none")
            and a.start not in wholes
            and not (a.dimension == "share" and STRENGTH.match(sentence.text, a.end))
            and not _RATIO.search(sentence.text[max(0, a.start - 24) : a.start])
            and not P_VALUE.search(sentence.text[: a.start])
        ]
        scored: list[tuple[int, bool, Amount, Amount]] = []
        measured = claim.names - left - right
        for one, other in _pairs(figures):
            nouns = {counted(sentence, one), counted(sentence, other)} - {None}
            if len(nouns) == 2:
                continue  # so many of one thing, so many of another
            if one.dimension == "count" and _is_whole(sentence, one, figures) != _is_whole(
                sentence, other, figures
            ):
                continue  # so many of so many
            rest = [
                [a for a in figures if a is not x and a.dimension == x.dimension]
                for x in (one, other)
            ]
            a_words = belonging(sentence, one, rest[0])
            b_words = belonging(sentence, other, rest[1])
            if in_a_row(sentence, one, [other]):
                earlier = [s for s in sides_of(sentence) if s[2] < one.start]
                named = next(iter(nearest(sentence, one, earlier)), None)
                if named is not None:
                    a_words, b_words = (dict.fromkeys(names, 1.0) for names in named[:2])
            straight = _meets(left, a_words, b_words) + _meets(right, b_words, a_words)
            turned = _meets(left, b_words, a_words) + _meets(right, a_words, b_words)
            if (
                max(straight, turned)
                < (
                    0.8
                    if one.dimension == "share"
                    or _is_score(one, other)
                    or in_a_row(sentence, one, [other])
                    else 1.6
                )
                or abs(straight - turned) < 0.5
            ):
                continue
            first, second = (one, other) if straight > turned else (other, one)
            about = len(_ahead(sentence, one, figures) & measured)
            scored.append((about, (first.low - second.low) * way >= 0, first, second))
        if scored:
            most = max(about for about, *_ in scored)
            _, holds, first, second = next(s for s in scored if s[0] == most)
            if not holds:
                raise Failed("direction", f"“{first.text}” against “{second.text}”")
            return


def _ahead(sentence: Claim, amount: Amount, figures: Sequence[Amount]) -> set[str]:
    """What stands between the figure before and this one, within its part of the sentence."""
    start = max((a.end for a in figures if a.end <= amount.start), default=0)
    start = max(start, sentence.text.rfind(";", 0, amount.start))
    return {w.name for w in sentence.telling if start <= w.start < amount.start}


def _none_is_zero(amount: Amount) -> Amount:
    return replace(amount, dimension="count") if amount.text.lower() == "none" else amount


def _is_score(one: Amount, other: Amount) -> bool:
    """Whether they are no numbers of people or things."""
    return one.low != int(one.low) or other.low != int(other.low)


def _is_whole(sentence: Claim, amount: Amount, figures: Sequence[Amount]) -> bool:
    """Whether the count is of those of whom others are a part: "11 patients" beside "9 (82%)"."""
    shares = [a for a in figures if a.dimension == "share"]
    return not any(0 <= a.start - amount.end <= 2 for a in shares) and bool(shares)


_BAD = {
    SAME.get(s, s)
    for s in stems_of(
        "pain itching redness swelling bleeding nausea fatigue tenderness burning discomfort bruising"
    )
}
"""What is worse when there is more of it."""
_GOOD = {
    SAME.get(s, s)
    for s in stems_of(
        "respond responded response cure cured cleared clearance healed healing survival remission"
    )
}
"""What is better when there is more of it."""


_FAR = 20
"""How many times as large a bare number can be and still be of the same kind."""


def _pairs(figures: Sequence[Amount]) -> list[tuple[Amount, Amount]]:
    """Neighbours of one kind; shares and counts first."""
    kinds = dict.fromkeys(["share", "count", *(a.dimension for a in figures)])
    return [
        (one, other)
        for kind in kinds
        for one, other in pairwise([a for a in figures if a.dimension == kind])
        if max(one.low, other.low) <= _FAR * max(min(one.low, other.low), 0.0) or kind != "count"
    ]


def _meets(side: frozenset[str], words: Mapping[str, float], others: Mapping[str, float]) -> float:
    return sum(v for n, v in words.items() if n in side and v > others.get(n, 0.0))


NO_DIFFERENCE = re.compile(
    r"\b(?:no|not|without|neither)\b[^.;]{0,40}\b(?:differ\w*|significan\w*)|\bdid not (?:differ|change)\b"
    r"|\bp\s?>\s?0?\.05",
    re.IGNORECASE,
)


NOT_SHOWN = re.compile(r"\bp\s?[=>]\s?0?\.(?:0[6-9]|[1-9])", re.IGNORECASE)


_BETTER = re.compile(
    r"\b(?:better|superior|more|fewer|less|higher|lower|worse|greater|inferior|outperform\w*|beat)\b",
    re.IGNORECASE,
)


_NO_BETTER = re.compile(
    r"\bno (?:more|less|better|worse|higher|lower|fewer|greater|quicker|faster|longer|shorter) (?:\w+ )?than\b(?! \d)",
    re.IGNORECASE,
)
_DIFFERS = re.compile(
    rf"{_BETTER.pattern}|\b(?:lower|reduc|rais|increas|improv|shorten|halv)\w+", re.I
)
_PART = re.compile(r";|,\s(?:but|and|while|whereas|although|though)\b")


def check_difference(claim: Claim, about: Sequence[Claim]) -> None:
    """What did not differ there is not better here."""
    text = _BOUND.sub(" ", claim.text)
    if not _BETTER.search(text) or not re.search(r"\bthan\b|\bover\b|\bto\b", text):
        return
    if any(w.form in NEGATORS for w in claim.words) or "differ" in claim.text:
        return
    parts = [
        (p, len({w.name for w in c.telling if w.form in p.lower()} & claim.names))
        for c in about
        for p in _PART.split(c.text)
    ]
    better = max((n for p, n in parts if _DIFFERS.search(p)), default=-1)
    if any(
        (NO_DIFFERENCE.search(p) and not _DIFFERS.search(p) and n > better)
        or (_NO_BETTER.search(p) and n >= better)
        for p, n in parts
    ):
        raise Failed("negation", "no difference was shown there")


_BOUND = re.compile(
    r"\bat (?:least|most)\b|\bor (?:more|less|fewer|longer|older|later|higher|lower|above|below)\b"
    r"|\bno (?:more|less|fewer|longer|later)\b|\b(?:more|less|fewer|longer|higher|lower|greater) than (?=[\d]|an? |half|one|two)",
    re.IGNORECASE,
)
"""What only says where an amount ends."""


_COMPARATIVES = frozenset(
    "longer shorter higher lower larger smaller earlier later older newer younger stronger weaker".split()
)
_POLES: dict[str, list[tuple[int, int]]] = {}
"""By stem, the pairs of opposites in which it is, and on which side."""
for _i, _pair in enumerate(OPPOSITE):
    for _side, _stems in zip((1, -1), _pair, strict=True):
        for _stem in _stems:
            _POLES.setdefault(_stem, []).append((_i, _side))


def _poles(claims: Sequence[Claim]) -> dict[int, int]:
    """By pair of opposites, +1 or -1 for the side that the claims take; 0 for both."""
    found: dict[int, int] = {}
    for claim in claims:
        bounds = [(m.start(), m.end()) for m in _BOUND.finditer(claim.text)]
        for n, w in enumerate(claim.words):
            if w.stem not in _POLES or any(a <= w.start < b for a, b in bounds):
                continue
            if claim.text[w.start + len(w.form) : w.start + len(w.form) + 1] == "-":
                continue  # "low-dose" is a name
            if (
                w.form in _COMPARATIVES
                and n
                and claim.words[n - 1].form == "the"
                and not claim.text.startswith(" than", w.start + len(w.form))
            ):
                continue  # "the longer course" names one
            turned = (n > 0 and claim.words[n - 1].form == "without") or any(
                v.form == "against" for v in claim.words[n + 1 : n + 3]
            )
            for i, to in _POLES[w.stem]:
                side = -to if turned else to
                found[i] = side if found.get(i, side) == side else 0
    return found


_LEVELS = frozenset(
    i
    for i, pair in enumerate(OPPOSITE)
    if pair[0] & stems_of("gain darker effective") and not pair[0] & stems_of("common")
)


def _poles_beside(claim: Claim, amount: Amount) -> dict[int, int]:
    at = claim.segment_of(amount.start)
    found: dict[int, int] = {}
    for w in claim.words:
        if w.segment != at:
            continue
        for i, side in _POLES.get(w.stem, ()):
            found[i] = side if found.get(i, side) == side else 0
    return found


_BEFORE_AFTER = next(i for i, pair in enumerate(OPPOSITE) if stem("before") in pair[0])


_BEFORE = re.compile(r"\b(?:before|prior to|until|till)\b", re.IGNORECASE)
_AFTER = re.compile(r"\b(?:after|afterwards|following|once)\b", re.IGNORECASE)
_BEFORE_LIKE = re.compile(
    r"\b(?:before\w*|prior|preced\w+|previous\w*|until|till|ahead|pre-?\w*|within|earlier|followed|"
    r"baseline|history|later|subsequent\w*|delay\w*|wait\w*)\b",
    re.IGNORECASE,
)


def _order(claims: Sequence[Claim]) -> set[tuple[int, str]]:
    """What is said to come before (-1) or after (+1) what, by the two words that follow."""
    found = set()
    for claim in claims:
        for n, w in enumerate(claim.words):
            side = (
                -1
                if w.form in ("before", "until")
                else 1
                if w.form in ("after", "following")
                else 0
            )
            behind = [v for v in claim.words[n + 1 :] if v.content][:2]
            found |= {(side, v.name) for v in behind if side}
    return found


def check_sides(claim: Claim, statement: Sequence[Claim]) -> None:
    ours = parted(claim)
    if ours is None:
        return
    left, right = ours[0] - ours[1], ours[1] - ours[0]
    for sentence in statement:
        theirs = parted(sentence)
        if theirs is None:
            continue
        their_left, their_right = theirs[0] - theirs[1], theirs[1] - theirs[0]
        same = len(right & their_right)
        crossed = len(right & their_left) + len(left & their_right)
        if not right & (their_left | their_right):
            continue
        own_poles, poles = _poles([claim]), _poles([sentence])
        turned = any(own_poles[i] * poles[i] == -1 for i in own_poles if i in poles)
        if crossed > same and not turned:
            raise Failed("arm", "the sides of the comparison are exchanged")
        if same > crossed and turned:
            raise Failed("direction", "the comparison is turned round")
        return


_THAN = re.compile(r"\bthan\b", re.IGNORECASE)
_THAN_ENDS = re.compile(r"[,;(.]|\b(?:and|but|yet|while|whereas|although|though)\b")


def check_than(claim: Claim, statement: Sequence[Claim]) -> None:
    """Each "darker than A": the statement must not say "lighter than A"."""
    theirs = [found for c in statement for found in _thans(c)]
    for pair, side, right in _thans(claim):
        scored = [(len(right & other), way) for i, way, other in theirs if i == pair]
        most = max((n for n, _ in scored), default=0)
        if most and {way for n, way in scored if n == most} == {-side}:
            raise Failed("direction", "than that it goes the other way there")


def _thans(claim: Claim) -> list[tuple[int, int, frozenset[str]]]:
    """By "than": the pair of opposites before it, the side taken, and what is behind it."""
    found = []
    for m in _THAN.finditer(claim.text):
        stop = _THAN_ENDS.search(claim.text, m.end())
        end = stop.start() if stop else len(claim.text)
        right = frozenset(
            w.name
            for w in claim.words
            if m.end() <= w.start < end and w.content and w.form[0].isalpha()
        )
        before = [w for w in claim.words if w.start < m.start() and w.stem in _POLES][-1:]
        if (
            before
            and not before[0].negated
            and len(claim.text[before[0].start : m.start()].split()) <= 4
        ):
            found += [(i, side, right) for i, side in _POLES[before[0].stem]]
    return found


def check_contrasts(claim: Claim, statement: Sequence[Claim]) -> None:
    """Words that tell sides apart must govern what they govern in the statement: what follows
    them up to the next of their kind."""
    for group in CONTRASTS:
        used = _regions(claim, group)
        if not used or _EITHER.search(claim.text):
            continue
        there = [(stem_, region) for c in statement for stem_, region in _regions(c, group)]
        if len({stem_ for stem_, _ in there}) < 2:
            continue
        if stem("before") in group and any(_AFTERWARDS.search(c.text) for c in statement):
            continue  # what comes later is not named again
        for own, region in used:
            mine = frozenset[str]().union(*(r for stem_, r in there if stem_ == own))
            others = [r for stem_, r in there if stem_ != own]
            if not any(stem_ == own for stem_, _ in there) or not others:
                continue
            against = max(len((region & r) - mine) for r in others)
            support = len((region & mine) - frozenset[str]().union(*others))
            if against > support + (1 if support else 0):
                raise Failed("arm", f"“{own}” stands with something else")


_AFTERWARDS = re.compile(r"\b(?:afterwards|thereafter|later|then)\b", re.IGNORECASE)
_EITHER = re.compile(
    r"\bwhether\b[^.;]*\bor\b|\b(?:alone|itself|own) or\b|\bor (?:alone|by itself)", re.IGNORECASE
)
"""Both sides are spoken of as one."""


def _regions(claim: Claim, group: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Each word of the group with the names of the content words up to the next of the group."""
    found: list[tuple[str, frozenset[str]]] = []
    places = [i for i, w in enumerate(claim.words) if w.stem in group]
    for n, i in enumerate(places):
        end = places[n + 1] if n + 1 < len(places) else len(claim.words)
        names = frozenset(
            w.name for w in claim.words[i + 1 : end] if w.content and not w.form[0].isdigit()
        )
        found.append((claim.words[i].stem, names))
    return found


_COMPARED_ROW = re.compile(
    r"\bthan\b[^;()]*\(\d[\d.]*\s?%? (?:v|vs\.?|versus|against|and) \d[\d.]*\s?%?[^()]*\)",
    re.IGNORECASE,
)


def check_crossed(claim: Claim, statement: Sequence[Claim]) -> None:
    """Two things said of two others must not be exchanged: "A did more for X and B for Y"."""
    if _COMPARED_ROW.search(claim.text) and parted(claim) is not None:
        return  # whose the figures are is looked at elsewhere
    _check_crossed(_by_segment(claim, join=True), [_by_segment(s) for s in statement])
    _check_crossed(_by_clause(claim), [_by_clause(s) for s in statement])


def _check_crossed(
    ours: Sequence[frozenset[str]], statement: Sequence[Sequence[frozenset[str]]]
) -> None:
    if len(ours) < 2:
        return
    for theirs in statement:
        for i, one in enumerate(theirs):
            for other in theirs[i + 1 :]:
                left, right = one - other, other - one
                both = [s for s in ours if s & (left | right)]
                if len(both) < 2:
                    continue
                shared = frozenset.intersection(*both)
                mixed = [s - shared for s in both if (s - shared) & left and (s - shared) & right]
                if len(mixed) == len(both) == 2 and not mixed[0] & mixed[1] & (left | right):
                    raise Failed("arm", "what belongs together is exchanged")


def _by_segment(claim: Claim, *, join: bool = False) -> list[frozenset[str]]:
    last = max((w.segment for w in claim.words), default=0)
    joined = {w.segment for w in claim.words if w.form == "or"} if join else set()
    runs: list[set[int]] = []
    for i in range(last + 1):
        if i in joined and runs:
            runs[-1].add(i)  # "keloids or hypertrophic scars" are not set side by side
        else:
            runs.append({i})
    found = [claim.in_segments(frozenset(run)) - _NOTHING for run in runs]
    return [f for f in found if f]


_CONTRAST = re.compile(r",?\s*\b(?:whereas|while)\b", re.IGNORECASE)


def check_subject(claim: Claim, statement: Sequence[Claim]) -> None:
    """What one of two set against each other does is not said of the other."""
    if _CONTRAST.search(claim.text):
        return
    own = {w.name for w in claim.telling}
    for sentence in statement:
        cut = _CONTRAST.search(sentence.text)
        if cut is None:
            continue
        halves = [
            [w for w in sentence.telling if w.start < cut.start()],
            [w for w in sentence.telling if w.start >= cut.end()],
        ]
        for doing, other in (halves, halves[::-1]):
            if len(doing) < 3 or len(other) < 3:
                continue
            elsewhere = {w.name for w in other}
            subject = {w.name for w in doing[:2]} - elsewhere
            done = {w.name for w in doing[2:]} - elsewhere
            theirs = {w.name for w in other[:2]} - {w.name for w in doing}
            rest = elsewhere - {w.name for w in doing} - theirs
            exchanged = subject and not subject & own and theirs and theirs <= own
            if exchanged and len(done & own) >= max(3, 3 * len(rest & own)):
                raise Failed("arm", f"“{doing[0].form}” does that there")


_AS = re.compile(
    r"\b(?:just |about |equally |almost )?as (effective|common|frequent|often|likely|safe|good|well|high|severe|many|much|long|quick|rare|low)\w* "
    r"(?:\w+ ){0,3}?as\b",
    re.IGNORECASE,
)


_MORE_THAN = re.compile(
    r"\b(?:more|less) (frequent|common|often|effective|likely|severe|painful)\b", re.IGNORECASE
)


def check_as(claim: Claim, about: Sequence[Claim]) -> None:
    """What is as effective here is not less effective there."""
    if any(w.form in NEGATORS for w in claim.words):
        return
    given = " ".join(c.text for c in about)
    more = _MORE_THAN.search(claim.text)
    if (
        more
        and re.search(rf"\b(?<!not )as {more[1]}\b", given, re.IGNORECASE)
        and not re.search(rf"\b(?:more|less) {more[1]}\b", given, re.IGNORECASE)
    ):
        raise Failed("direction", f"“{more[0]}” where it was the same")
    found = _AS.search(claim.text)
    if found is None:
        return
    adjective = found[1].lower()
    if re.search(
        rf"\b(?:more|less) {adjective}", given, re.IGNORECASE
    ) and not NO_DIFFERENCE.search(given):
        raise Failed("direction", f"“{found[0]}” where it is not")


_ALONE = frozenset("alone only single monotherapy without itself own solely just merely no".split())


def check_alone(claim: Claim, statement: Sequence[Claim]) -> None:
    """What was given together with something is not given alone here."""
    if (
        any(w.form in ("alone", "monotherapy") for w in claim.words)
        and not any(w.form in _ALONE for c in statement for w in c.words)
        and not any(w.form in NEGATORS for w in claim.words)
    ):
        raise Failed("arm", "it was not alone there")


_ITEM = re.compile(
    r"(?P<what>[^;,.()]{3,60}?) (?P<word>for) (?!\d|at |an? |the |about |up |over |more |less |two |three |four |six |twelve )(?P<of>[^;,.()]{3,60})(?=[;,.()]|$| and )",
    re.IGNORECASE,
)


def check_paired(claim: Claim, statement: Sequence[Claim]) -> None:
    """Of "A for X, B for Y and C for Z", B is not for X."""
    own = {w.name for w in claim.telling}
    for c in statement:
        items: dict[str, list[tuple[set[str], set[str]]]] = {}
        for m in _ITEM.finditer(c.text):
            sides = [
                {w.name for w in c.telling if a <= w.start < b}
                for a, b in (m.span("what"), m.span("of"))
            ]
            items.setdefault(m["word"].lower(), []).append((sides[0], sides[1]))
        for listed in items.values():
            if len(listed) < 2:
                continue
            whats, ofs = (
                [
                    n
                    for n, x in enumerate(side)
                    if own & (x - set().union(*(y for k, y in enumerate(side) if k != n)))
                ]
                for side in ([what for what, _ in listed], [of for _, of in listed])
            )
            if len(whats) == len(ofs) == 1 and whats != ofs:
                whole = [own & listed[whats[0]][0], own & listed[ofs[0]][1]]
                if len(whole[0] | whole[1]) >= 3:
                    raise Failed("arm", "it is of something else there")


_CLAUSES = re.compile(
    r"[;]|,\s(?:but|and|while|whereas|although|so)\b|\b(?:while|whereas)\b", re.IGNORECASE
)


def check_side_of_clause(claim: Claim, statement: Sequence[Claim]) -> None:
    """What a part of the statement says of one of two compared things is not said of the other."""
    own = {w.name for w in claim.telling}
    parts: list[set[str]] = []
    for c in statement:
        cuts = [0, *(m.end() for m in _CLAUSES.finditer(c.text)), len(c.text)]
        parts += [{w.name for w in c.telling if a <= w.start < b} for a, b in pairwise(cuts)]
    for c in statement:
        for one, other, _ in sides_of(c):
            if other is NOT_GIVEN:
                continue
            for mine, its in ((one, other), (other, one)):
                if not own & mine or own & its:
                    continue
                scored = [
                    (len((p - mine - its) & own), bool(p & mine), bool(p & its)) for p in parts
                ]
                most = max(n for n, *_ in scored)
                best = [s for s in scored if s[0] == most]
                rest = len(own - mine)
                if most >= max(2, 0.6 * rest) and all(i and not m for _, m, i in best):
                    raise Failed("arm", "it is said of the other there")


_NO_OPPOSITES = stems_of(
    "most least single half more fewer less above below known unknown unchanged change first last only other good well "
    "treated untreated published unpublished selected unselected control controls controlled uncontrolled exposed unexposed"
)


_PREFIXES = ("un", "in", "im", "ir", "dis", "non")


def check_opposites(claim: Claim, new: Sequence[Word], statement: Sequence[Claim]) -> None:
    """A word that the statement does not have, but its opposite."""
    there = {w.stem: w for c in statement for w in c.words}
    for word in new:
        opposed = (
            opposites(word.stem)
            | {p + word.stem for p in _PREFIXES}
            | {word.stem.removeprefix(p) for p in _PREFIXES if len(word.stem) > len(p) + 4}
        )
        other = next((there[s] for s in opposed - {word.stem} if s in there), None)
        if other is None or word.stem in _NO_OPPOSITES or other.stem in _NO_OPPOSITES:
            continue
        if not word.negated and not other.negated:
            raise Failed("direction", f"“{word.form}” for “{other.form}”")


_UNLIKE = re.compile(
    r"\b(?:in contrast (?:to|with)|unlike|as opposed to)\b([^;,.()]*)", re.IGNORECASE
)


def check_unlike(claim: Claim, statement: Sequence[Claim]) -> None:
    """What is said of one "in contrast to" another is not said of that other."""
    if re.search(r"\bcontrast\b|\bunlike\b|\bopposed\b|\bdiffer", claim.text, re.IGNORECASE):
        return
    for c in statement:
        for m in _UNLIKE.finditer(c.text):
            other = {w.name for w in c.telling if m.start(1) <= w.start < m.end(1)}
            main = {w.name for w in c.telling if not m.start() <= w.start < m.end()}
            own = {w.name for w in claim.telling}
            only, missed = other - main, main - other - own
            if len(only & own) >= max(2, 0.6 * len(only)) and len(main & own) >= 3 and missed:
                raise Failed("arm", "it was otherwise there")


_NOTHING = GENERIC | {"occur", "show", "report", "conclude", "compare"} - {"without"}


def _by_clause(claim: Claim) -> list[frozenset[str]]:
    """Clauses of three words of their own or more; figures are looked at elsewhere."""
    found: dict[int, set[str]] = {}
    for w in claim.telling:
        if not w.form[0].isdigit():
            found.setdefault(w.clause, set()).add(w.name)
    return [frozenset(names) for names in found.values() if len(names) >= 3]


def _measured(claims: Sequence[Claim]) -> set[tuple[int, str]]:
    """What is said to be more (+1) or less (-1): the word after "more", "fewer", "less"."""
    found = set()
    for claim in claims:
        for n, w in enumerate(claim.words[:-1]):
            if w.form in ("more", "less", "fewer", "higher", "lower", "increased", "reduced"):
                noun = claim.words[n + 1]
                if noun.content and noun.stem not in GENERIC:
                    found.add((1 if w.form in ("more", "higher", "increased") else -1, noun.name))
    return found


def _check_beside(claim: Claim, statement: Sequence[Claim]) -> None:
    """More or less, better or worse: of what the words beside it are about."""
    there = [side for c in statement for side in _sides_taken(c)]
    for pair, side, names in _sides_taken(claim):
        scored = sorted(
            ((len(names & others), other) for i, other, others in there if i == pair), reverse=True
        )
        if not scored or scored[0][0] < 1:
            continue
        best = {other for n, other in scored if n == scored[0][0]}
        if best == {-side}:
            raise Failed("direction", "goes the other way there")


def _sides_taken(claim: Claim) -> list[tuple[int, int, frozenset[str]]]:
    """Each opposite that the claim has: its pair, its side, and what stands with it."""
    bounds = [(m.start(), m.end()) for m in _BOUND.finditer(claim.text)]
    found = []
    for n, w in enumerate(claim.words):
        if w.stem not in _POLES or w.negated or any(a <= w.start < b for a, b in bounds):
            continue
        if claim.text[w.start + len(w.form) : w.start + len(w.form) + 1] == "-":
            continue
        following = claim.words[n + 1] if n + 1 < len(claim.words) else w
        if w.form in ("more", "most", "less", "least") and (
            not following.content or following.form == "than" or following.form.endswith("ly")
        ):
            continue  # of a verb
        names = frozenset(
            v.name
            for v in claim.words
            if v.segment == w.segment and v is not w and v.content and v.stem not in GENERIC
        )
        for i, side in _POLES[w.stem]:
            if i in _TOLD_BESIDE:
                found.append((i, side, names))
    both = {(i, names) for i, side, names in found} & {
        (i, names) for i, side, names in found if (i, -side, names) in found
    }
    return [(i, side, names) for i, side, names in found if (i, names) not in both]


_TOLD_BESIDE = frozenset(
    i
    for i, pair in enumerate(OPPOSITE)
    if pair[0] & stems_of("increase improve early darker faster common gain shorter")
)


def check_directions(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    there = _measured(statement)
    for side, name in _measured([claim]):
        if (-side, name) in there and (side, name) not in there and not parted(claim):
            raise Failed("direction", f"less and more “{name}” are exchanged")
    for amount in claim.amounts:
        for c in statement:
            for a in c.amounts:
                if not fits(claim, amount, a) or amount.dimension in ("time", "count"):
                    continue
                here, yonder = _poles_beside(claim, amount), _poles_beside(c, a)
                if any(here[i] * yonder[i] == -1 for i in here if i in yonder and i in _LEVELS):
                    raise Failed("direction", f"“{amount.text}” goes the other way")
    _check_beside(claim, statement)
    own, near, every = _poles([claim]), _poles(about), _poles(statement)
    given = " ".join(c.text for c in statement)
    before = _BEFORE.search(claim.text)
    both = _AFTER.search(claim.text) and _AFTER.search(given) and re.search(r"\bfrom\b", given)
    if before and not _BEFORE_LIKE.search(given) and not both:
        raise Failed("direction", f"“{before[0]}” is in no cited statement")
    theirs_order = _order(statement)
    for side, name in _order([claim]):
        if (-side, name) in theirs_order and (side, name) not in theirs_order:
            raise Failed("direction", "before and after are exchanged")
    for i, side in own.items():
        other = near.get(i, every.get(i))
        if other is None or side == 0 or other == 0 or side == other:
            continue
        if i == _BEFORE_AFTER or parted(claim) is not None:
            continue  # looked at elsewhere
        words = {w.negated for w in claim.words if w.stem in OPPOSITE[i][0] | OPPOSITE[i][1]}
        theirs = {
            w.negated
            for c in statement
            for w in c.words
            if w.stem in OPPOSITE[i][0] | OPPOSITE[i][1]
        }
        if words != theirs and len(words) == len(theirs) == 1:
            continue  # "not worse" for "better"
        raise Failed("direction")
