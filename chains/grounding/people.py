"""Who was studied, what they have, by which route they were treated."""

import re
from collections.abc import Sequence
from itertools import pairwise

from chains.grounding.claims import Claim, Word
from chains.grounding.equal import fits
from chains.grounding.failed import Failed
from chains.grounding.words import (
    ABOUT,
    DOUBT,
    GENERAL_PEOPLE,
    NEGATORS,
    NOT_PEOPLE,
    ROUTES,
    SAME,
    stems_of,
)

_EXCLUSIVE: tuple[frozenset[str], ...] = tuple(
    frozenset(line.split())
    for line in (
        "black blue brown green red white yellow orange pink grey",
        "left right",
        "january february march april may june july august september october november december",
        "spring summer autumn winter",
        "squamous basal",
        "proximal distal",
        "anterior posterior",
        "systolic diastolic",
        "arterial venous",
        "bacterial viral fungal",
        "primary secondary",
        "acute chronic",
        "inpatient outpatient",
        "upper lower",
        "mild moderate severe",
        "focal diffuse localised localized generalised generalized widespread",
        "flat raised bulky",
        "thin thick",
        "benign malignant",
        "unilateral bilateral",
        "elective emergency urgent",
        "symptomatic asymptomatic",
        "stable unstable",
        "inactive active",
        "relapsing newly",
        "major minor",
        "dry wet",
        "community hospital",
        "hip knee shoulder ankle elbow wrist scalp neck chest trunk nose ear ears lip lips eyelid eyelids chin forehead axilla groin thigh",
    )
)


def check_kinds(claim: Claim, statement: Sequence[Claim]) -> None:
    """One of a closed set is not another of it."""
    forms = {w.form for c in statement for w in c.words}
    for group in _EXCLUSIVE:
        for w in claim.words:
            if (
                w.form in group
                and w.form not in forms
                and group & forms
                and w.form not in ("may", "march", "right", "left", "lower")
            ):
                raise Failed("entity", f"“{w.form}” is in no cited statement")


_UNLIKE = {
    "high": {"low", "reduced"}, "low": {"high", "full"}, "reduced": {"high", "full"}, "full": {"low", "reduced"},
    "single": {"double"}, "double": {"single"}, "short": {"long"}, "long": {"short"}, "early": {"late"}, "late": {"early"},
}  # fmt: skip
_COMPOUND = re.compile(
    r"\b(high|low|full|reduced|single|double|short|long|early|late)-(\w+)", re.IGNORECASE
)


def check_compounds(claim: Claim, statement: Sequence[Claim]) -> None:
    """ "high-dose" is no "low-dose"."""
    there: dict[str, set[str]] = {}
    for c in statement:
        for m in _COMPOUND.finditer(c.text):
            there.setdefault(m[2].lower(), set()).add(m[1].lower())
    given = " ".join(c.text for c in statement).lower()
    for m in _COMPOUND.finditer(claim.text):
        others = there.get(m[2].lower())
        if (
            others
            and _UNLIKE.get(m[1].lower(), set()) & others
            and m[1].lower() not in given.split()
        ):
            raise Failed("entity", f"“{m[0]}” is “{min(others)}-{m[2]}” there")


_WITH = re.compile(
    r"\b(?:patients|people|adults|children|women|men|those|infants|participants|persons|individuals)"
    r" (?:with|who have|who had|having) (\w+(?:[ -]\w+){0,2})",
    re.IGNORECASE,
)


_WHEN = frozenset({"after", "before", "during", "without", "than", "until"})
_NO_PEOPLE = re.compile(
    r"\W(?:[\w-]+\W){0,2}?(?:scars|isolates|lesions|eyes|samples|wounds|halves|sides|trials|studies|births|"
    r"pregnancies|sessions|treatments|sites|nails|teeth|joints|cells|mice|rats|rabbits|specimens|operations|"
    r"procedures|biopsies|keratoses|nodules|plaques|limbs|knees|hips|events|episodes|visits|centres|hospitals)\b",
    re.IGNORECASE,
)


_COUNTED = re.compile(
    r"\W(?:patients|people|adults|children|women|men|infants|participants)\b", re.I
)


def check_conditions(claim: Claim, statement: Sequence[Claim], new: Sequence[Word]) -> None:
    """What people have is what they have there, and what was counted there were people."""
    fresh = {w.start for w in new}
    for m in _WITH.finditer(claim.text):
        for w in claim.words:
            if (
                m.start(1) <= w.start < m.end(1)
                and w.start in fresh
                and w.form not in ABOUT | _WHEN
            ):
                raise Failed("population", f"“{w.form}” is in no cited statement")
    for own in claim.amounts:
        if own.dimension != "count" or not _COUNTED.match(claim.text, own.end):
            continue
        there = [(c, a) for c in statement for a in c.amounts if fits(claim, own, a)]
        if there and all(
            _NO_PEOPLE.match(c.text, a.end) and not _COUNTED.match(c.text, a.end) for c, a in there
        ):
            raise Failed("population", f"“{own.text}” are no people there")


_AGED = re.compile(r"\b(?:aged|under|over|younger than|older than|above|below)\s$", re.IGNORECASE)
_BORN = stems_of("birth births born malformations newborn delivery")


_OF_AGE = re.compile(
    r"\b(working|school|retirement|childbearing|reproductive|middle|advanced|old|young|younger)(?: |-)age(?:d)?\b"
    r"|\b(middle-aged|schoolchild\w*|teenage\w*|pre-?menopausal|post-?menopausal|pre-?school|young (?:adults|women|men|people)|veterans)\b",
    re.IGNORECASE,
)


def check_people(claim: Claim, statement: Sequence[Claim], about: Sequence[Claim]) -> None:
    given = " ".join(c.text for c in statement).lower()
    if (aged := _OF_AGE.search(claim.text)) and aged[0].lower().split()[0] not in given:
        raise Failed("population", f"“{aged[0]}” is in no cited statement")
    theirs = frozenset[str]().union(*(c.populations for c in statement))
    extra = claim.populations - theirs
    if "pregnancy" in theirs or any(w.stem in _BORN for c in statement for w in c.words):
        extra -= {"infant", "woman"}
    if any(w.form == "infantile" for c in statement for w in c.words):
        extra -= {"infant"}
    if extra:
        raise Failed("population", f"“{next(iter(extra))}” is in no cited statement")
    near = frozenset[str]().union(*(c.populations for c in about))
    lost = near - claim.populations
    if {"child", "adult"} <= near:
        lost -= {"child"}  # that is everybody
    if any(a.dimension == "time" and _AGED.search(claim.text[: a.start]) for a in claim.amounts):
        lost -= {"child", "infant", "elderly"}  # told by their age
    stems = {w.stem for w in claim.words}
    human = any(
        w.form in ("volunteer", "volunteers", "patients", "patient")
        for c in statement
        for w in c.words
    )
    doubted = any(w.form in NEGATORS | DOUBT | {"whether", "volunteers"} for w in claim.words)
    if human and doubted:
        lost -= NOT_PEOPLE
    if lost & NOT_PEOPLE and not {"in"} & claim.populations and not claim.populations & NOT_PEOPLE:
        raise Failed("overgeneral", "was not seen in people")
    people = {w.stem for c in about for w in c.words} & GENERAL_PEOPLE
    if len(lost - NOT_PEOPLE - {"human", "adult"}) == 1 and stems & GENERAL_PEOPLE and not people:
        raise Failed("overgeneral", f"was seen in: {next(iter(lost))}")


_INJECTED = frozenset(
    {"intralesional", "intravenous", "intramuscular", "subcutaneous", "intradermal", "epidural"}
)


_TAKEN = re.compile(r"\b(?:take|takes|taken|taking|took)\b", re.IGNORECASE)


def check_routes(claim: Claim, statement: Sequence[Claim]) -> None:
    theirs = frozenset[str]().union(*(c.routes for c in statement))
    extra = claim.routes - theirs
    swallowed = any(w.form.startswith("swallow") for w in claim.words)
    if swallowed and not theirs and any(_TAKEN.search(c.text) for c in statement):
        extra -= {"oral"}
    if theirs & _INJECTED:
        extra -= {"injected"}
    if extra:
        raise Failed("route", f"“{next(iter(extra))}” is in no cited statement")
    if len(theirs) > 1:
        _check_which_route(claim, statement)
        _check_next_to(claim, statement)


def _check_which_route(claim: Claim, statement: Sequence[Claim]) -> None:
    """Of several routes, the one of that part of the statement that a part of the claim is of."""
    parts = [part for c in statement for part in _with_routes(c)]
    for names, routes in _with_routes(claim):
        if len(routes) != 1:
            continue
        if routes == {"injected"}:
            routes = frozenset({*_INJECTED, "injected"})
        here = max((len(names & n) for n, r in parts if routes & r), default=0)
        there = max((len(names & n) for n, r in parts if r and not routes & r), default=0)
        if there >= 3 and there > here + 1:
            raise Failed("route", f"“{next(iter(routes))}” is another one there")


def _check_next_to(claim: Claim, statement: Sequence[Claim]) -> None:
    """ "intravenous A and oral B" is not "oral A and intravenous B"."""
    there: dict[str, set[str]] = {}
    for c in statement:
        for name, route in _next_to(c):
            there.setdefault(name, set()).add(route)
    for name, route in _next_to(claim):
        injected = route == "injected" and there.get(name, set()) & _INJECTED
        if name in there and route not in there[name] and not injected:
            raise Failed("route", f"“{name}” is {min(there[name])} there")


def _next_to(claim: Claim) -> list[tuple[str, str]]:
    """What stands right before or behind a route."""
    found = []
    for one, other in pairwise(claim.words):
        for route, what in ((one, other), (other, one)):
            if route.stem in ROUTES and what.stem not in ROUTES | SAME.keys() and what.content:
                found.append((what.name, ROUTES[route.stem]))
    return found


def _with_routes(claim: Claim) -> list[tuple[frozenset[str], frozenset[str]]]:
    """What each segment names, and by which routes."""
    named: dict[int, set[str]] = {}
    routes: dict[int, set[str]] = {}
    for w in claim.words:
        if w.stem in ROUTES:
            routes.setdefault(w.segment, set()).add(ROUTES[w.stem])
        elif w.content:
            named.setdefault(w.segment, set()).add(w.name)
    return [
        (frozenset(names), frozenset(routes.get(segment, ()))) for segment, names in named.items()
    ]
