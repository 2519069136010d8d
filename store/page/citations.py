"""Which numbers in the text of a page are citations.

A page shows them in brackets, raised, or bare: "after treatment 1. To begin". A bare number is
taken for a citation only when it stands behind a word and before a stop, nothing makes a quantity
of it ("week 2,", "a score of 4."), and the page cites about as many sources as it is high. Where
two readings remain the text is left as it stands, and a person is told.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from store.page.text import SUP, SUP_END

HIGHEST = 60
"""No bare number above this is a citation, when the page has no list of references."""
_MAX_DOUBTS = 20
"""Of one paragraph."""
_GAP = 3
"""Numbers of sources follow each other; so many may be missing before the rest is doubted."""

_LIST = r"\d{1,4}(?:\s?[,;–—-]\s?\d{1,4}){0,60}"
_BRACKETED = re.compile(rf"\[\s?({_LIST})\s?\]")
_NEIGHBOURS = re.compile(r"(?<=\d)\](\s?[,;]?\s?|\s?[–-]\s?)\[(?=\d)")
_CLOSE = re.compile(rf"(?<=[^\s(\[])\[{_LIST}\]")
_RAISED = re.compile(
    rf"\s*{SUP}([^{SUP_END}]*){SUP_END}|\s*([⁰¹²³⁴-⁹](?:[⁰¹²³⁴-⁹,⁻˒–-]*[⁰¹²³⁴-⁹])?)"
)
_RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_DOWN = str.maketrans(_RAISED_DIGITS + "⁻˒", "0123456789-,")
_UP = str.maketrans("0123456789", _RAISED_DIGITS)
_BARE = re.compile(r"(?<=\s)\d{1,3}+(?:\s?[–-]\s?\d{1,3}+|,\s?\d{1,3}+){0,60}")
_STOP = re.compile(r"\s*$|[.;:?!)\]](?![\w])|,(?!\s*\d)|[\"'”’](?:\s|$)|\s[–—]\s")
_GOES_ON = re.compile(r"\s(?:and|but|or|while|whereas|although|which)\s[a-z]")
_IN_PARENTHESES = re.compile(r"(?<=\w)\s\(\d{1,2}(?:\s?[,–-]\s?\d{1,2})*\)(?=[.,;:]|\s*$)")
_ATTACHED = re.compile(r"(?<=[a-z)][.,])\d{1,2}(?:[,–-]\d{1,2})*(?=\s[A-Z]|\s*$)")
_INTERVAL = re.compile(r"\b(?:CI|IQR|range|interval)\b\W{0,3}$", re.IGNORECASE)

_UNITS_RAISED = frozenset("m cm mm km dm µm μm nm um ft in yd inch".split())
_EXPONENT_OF = frozenset("IRrχxnNQTtpHO")
_COUNTED = frozenset(
    """
    a an about above after all also among an and any approximately are around as at average be been
    before being below between but by cap counts during each either equals every exactly except few
    fewer for from had has have if in include includes into is its just last least less like median
    mean minus more most nearly next no nor not numbered of off on only onto or over per plus ratio
    roughly since some than that the their then these this those through till times to totaled
    totalled under until up upon versus via vs was were when where which with within without
    age aged appendix arm box chapter class cycle day dose equation exon factor fig figure grade
    hour item level line minute month no number option page panel part phase point question rank
    score scores second section session stage step supplement table tables tier time type types
    version visit volume week year
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    """.split()
)
"""A number behind one of these is a quantity or the name of something; nothing is said of it."""
_COUNTED_MANY = frozenset(
    """
    ages arms cycles days doses figures grades hours levels minutes months pages phases points
    seconds sessions stages steps visits weeks years
    """.split()
)
"""As in "at weeks 2, 4"; but "for 12 weeks 3." ends with a citation."""
_NUMBER_WORDS = frozenset(
    "two three four five six seven eight nine ten eleven twelve few many several some all".split()
)
_NAMED = frozenset(
    """
    asa cap carbon caspase category chromosome cin ckd cluster cohort coenzyme covid ctcae dsm ecog
    experiment gad genotype gleason group hpv hsv icd il interleukin iodine kinase method model nyha
    omega patient phq protocol received recommendation receptor reached required rule scored
    serotype sf study subtype trial vitamin
    """.split()
)
"""A number behind one of these may be part of a name, or a citation."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a page cites."""

    bare: bool
    """Whether bare numbers can be citations: not when the page has brackets or raised numbers."""
    numbers: frozenset[int]
    """Those that a citation can have."""
    listed: bool = False
    """Whether the page lists its references."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A text with its citations as `[1]`, `[2, 3]`, and what may be one and was left alone."""

    text: str
    doubts: tuple[str, ...] = ()
    """Pieces of the sentence, around each number."""


def scheme_of(texts: Iterable[str], highest: int) -> Scheme:
    """How these texts cite; `highest` is the last number of the list of references, or 0."""
    marked, bare = set[int](), set[int]()
    for text in texts:
        for found in _BRACKETED.finditer(text):
            marked.update(_numbers(found.group(1)))
        for raised in _RAISED.finditer(text):
            if _judge_raised(text, raised) == "cite":
                marked.update(_numbers(_lowered(raised)))
        for found in _BARE.finditer(text):
            if _judge(text, found) == "cite":
                bare.update(_numbers(found.group()))
    if highest:
        return Scheme(not marked, frozenset(range(1, highest + 1)), listed=True)
    known, last = set[int](), 0
    for n in sorted(marked or bare):
        if n - last > _GAP or (not marked and n > HIGHEST):
            break
        known.add(n)
        last = n
    return Scheme(not marked, frozenset(known))


def cited(text: str, scheme: Scheme) -> Cited:
    """The text with its citations in brackets; every word stays."""
    doubts: list[str] = []
    raised = _replaced(text, _raised(text, scheme, doubts))
    tidy = _NEIGHBOURS.sub(_between, _BRACKETED.sub(r"[\1]", raised))
    tidy = _CLOSE.sub(r" \g<0>", tidy)
    for found in _BRACKETED.finditer(tidy):
        before = tidy[max(0, found.start() - 20) : found.start()]
        strange = not scheme.listed and not scheme.numbers.issuperset(_numbers(found.group(1)))
        if strange or _INTERVAL.search(before):
            doubts.append(_around(tidy, found))
    if not scheme.bare:
        return Cited(tidy, tuple(doubts[:_MAX_DOUBTS]))
    for pattern in (_IN_PARENTHESES, _ATTACHED):
        doubts += [_around(tidy, found) for found in pattern.finditer(tidy)]
    bracketed = _replaced(tidy, _bracketed(tidy, scheme, doubts))
    return Cited(bracketed, tuple(doubts[:_MAX_DOUBTS]))


def _replaced(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    pieces, last = [], 0
    for start, end, new in changes:
        pieces += [text[last:start], new]
        last = end
    return "".join((*pieces, text[last:]))


def _bracketed(text: str, scheme: Scheme, doubts: list[str]) -> Iterator[tuple[int, int, str]]:
    for found in _BARE.finditer(text):
        verdict = _judge(text, found)
        if verdict == "cite" and scheme.numbers.issuperset(_numbers(found.group())):
            yield found.start(), found.end(), f"[{found.group()}]"
        elif verdict != "text":
            doubts.append(_around(text, found))


def _judge(text: str, found: re.Match[str]) -> str:
    """What a bare number, or a row of them, is: "cite", "doubt" or "text"."""
    numbers = _numbers(found.group())
    if not numbers or not 0 < numbers[0] < 1000 or re.search(r"(?<!\d)0", found.group()):
        return "text"
    before = text[max(0, found.start() - 60) : found.start()].split()
    word = before[-1].lstrip("([\"'“‘") if before else ""
    name = word.rstrip(")]\"'”’%").lower()
    if not name or not name[-1].isalnum():
        after_stop = name.endswith(".") and re.match(r"\s[A-Z]", text[found.end() :][:2])
        return "doubt" if after_stop and len(name) > 4 else "text"
    lettered = len(name) == 1
    if word.islower() if lettered else name in _COUNTED:
        return "text"
    if not _STOP.match(text, found.end()):
        # "in children 2 and adults 3." cites twice, "isotretinoin 4, 5 patients" may cite once.
        goes_on = _GOES_ON.match(text, found.end()) or (len(numbers) > 1 and "," in found.group())
        return "doubt" if goes_on and name.isalpha() else "text"
    if numbers != sorted(set(numbers)) or numbers[-1] - numbers[0] > HIGHEST:
        return "doubt"
    if name in _COUNTED_MANY:
        many = before[-2].lower() if len(before) > 1 else ""
        return "cite" if many[:1].isdigit() or many in _NUMBER_WORDS else "doubt"
    stem = re.split(r"[-–/]", name)[0]
    part_of_name = lettered and len(before) > 1 and before[-2].lower() in _NAMED
    if (
        name in _NAMED
        or stem in _NAMED
        or part_of_name
        or not any(map(str.isalpha, name + word[-1:]))
    ):
        return "cite" if word.endswith(("%", ")", "]")) else "doubt"
    return "cite"


def _raised(text: str, scheme: Scheme, doubts: list[str]) -> Iterator[tuple[int, int, str]]:
    for found in _RAISED.finditer(text):
        verdict, digits = _judge_raised(text, found), _lowered(found)
        if verdict == "cite" and scheme.numbers.issuperset(_numbers(digits)):
            yield found.start(), found.end(), f" [{digits}]"
            continue
        if verdict != "text":
            doubts.append(_around(text, found))
        if found.group(1) is not None:
            lead = " " if found.group()[0].isspace() else ""
            yield found.start(), found.end(), lead + found.group(1).translate(_UP)


def _judge_raised(text: str, found: re.Match[str]) -> str:
    """What a raised number is: a citation, an exponent ("cm²", "I²") or in doubt."""
    if not _numbers(_lowered(found)):
        return "text"
    before = text[max(0, found.start() - 20) : found.start()]
    after = text[found.end() : found.end() + 1]
    if not before or after.isalnum() or (after and after in "⁺⁻+"):
        return "text"
    if found.group()[0].isspace():
        return "cite"
    word = re.split(r"[^\w]", before)[-1]
    if word in _UNITS_RAISED or word in _EXPONENT_OF or word == "10":
        return "text"
    return "doubt" if word.isdigit() or len(word) == 1 else "cite"


def _lowered(found: re.Match[str]) -> str:
    inner = found.group(1) if found.group(1) is not None else found.group(2).translate(_DOWN)
    return re.sub(r"\s+", " ", inner)


def _numbers(row: str) -> list[int]:
    """The numbers of "2, 3" or "4-6"; empty when a part is no number."""
    found: list[int] = []
    for item in re.split(r"[,;]", row):
        ends = [int(x) for x in re.split(r"[–—-]", item) if re.fullmatch(r"\s?\d{1,4}\s?", x)]
        if len(ends) == 2 and ends[0] < ends[1] <= ends[0] + 100:
            found += range(ends[0], ends[1] + 1)
        else:
            found += ends
    return found


def _between(found: re.Match[str]) -> str:
    return "-" if found.group(1).strip() in {"-", "–"} else ", "


def _around(text: str, found: re.Match[str]) -> str:
    """The words around a number, with what is raised shown so."""
    start = max(0, found.start() - 40)
    start = text.find(" ", start) + 1 if start else 0
    pieces = re.split(f"([{SUP}{SUP_END}])", text[min(start, found.start()) : found.end() + 20])
    shown = [
        p.translate(_UP) if b == SUP else p for b, p in zip(["", *pieces], pieces, strict=False)
    ]
    return "".join(p for p in shown if p not in {SUP, SUP_END}).strip()
