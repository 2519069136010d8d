"""Doses written in a way that has been misread with harm.

The list is The Joint Commission's Official "Do Not Use" List (2004, since 2010 in Information
Management standard IM.02.02.01): U, IU, Q.D., Q.O.D., a trailing zero, a lacking leading zero, MS,
MSO4 and MgSO4. As it says, a trailing zero may stand in laboratory results, in imaging that
reports the size of lesions, and in sizes of catheters and tubes.
"""

import re
from collections.abc import Callable, Iterator

from store.article import Article
from store.checks.problem import Lines, Problem, cut, stated

_UNITS = (
    r"(?:mg|mcg|[µμ]g|ug|ng|g|kg|mL|ml|cc|units?|IU|mEq|mmol|mmols|milligrams?|micrograms?|grams?"
    r"|millilitres?|milliliters?)"
)
# What makes an amount a laboratory value: per volume of blood, or of what is measured in it.
_PER_LABORATORY = (
    r"(?:\s?(?:/|per)\s?(?:100\s?)?(?:dL|dl|L|l|litre|liter|decilitre|deciliter|24\s?h|mol|mmol)\b"
    r"|\s?[·⋅]?\s?(?:d?L|l)[-⁻−]\s?[1¹])"
)
_PER_ML = r"\s?(?:/|per)\s?m[Ll]\b"
_RANGE = r"(?:\s?(?:[-–—]|to)\s?\d*\.?\d+)?"
_TRAILING = re.compile(rf"(?<![\d.,])\d+\.0+(?!\d){_RANGE}\s?-?{_UNITS}\b(?!{_PER_LABORATORY})")
_NAKED = re.compile(rf"\.(?<![\w.)\]]\.)(?<!\d\s\.)\d+{_RANGE}\s?-?{_UNITS}\b(?!{_PER_LABORATORY})")
_TRACE = re.compile(rf"(?:[nup]|[µμ]|mc)g{_PER_ML}")
_UNIT_LETTER = re.compile(
    rf"\d[\d.,]*\s?[Uu](?![\w'’])(?!{_PER_LABORATORY}|{_PER_ML}|\s?/\s?(?:L|mL|g)\b|\.[A-Z])"
)
_IU = re.compile(rf"\d[\d.,]*\s?(?:[Ii]\.?[Uu]\b\.?)(?!{_PER_LABORATORY}|{_PER_ML})")
_DAILY = re.compile(
    r"(?<![\w.])(?:Q\.\s?(?:O\.\s?)?D\.?|q\.\s?(?:o\.\s?)?d\.?|QO?D|qo?d)(?![\w-]|\.?\s?[sh]\b)"
)
_DOSED = re.compile(
    r"\d\s?(?:mg|mcg|[µμ]g|g|mL|ml|units?|mEq|mmol)\b|\b(?:tablets?|capsules?|drops?|puffs?|dos\w+"
    r"|taken|tak(?:e|ing)|give[ns]?|apply|applied|administered|orally|po|PO|oral|topical\w*)\b"
)
_MORPHINE = re.compile(
    r"(?<!\bin )(?<!\bIn )(?<!with )(?<!\bof )(?<!\bfor )(?<!\band )"
    r"\bMS\s+\d[\d.]*\s?(?:mg|mcg|g)\b(?!/mL)"
    r"|\d\s?(?:mg|mcg|g)\s(?:of\s)?(?:(?:IV|i\.v\.|oral|subcutaneous)\s)?MS\b"
    r"(?!\s(?:patients?|lesions?|relapses?|disease|analysis|spectr\w+|data))"
    r"|\b(?:IV|intravenous|oral|subcutaneous)\sMS\s\d"
    r"|\b(?:MSO|MgSO)[4₄](?=.{0,30}?\d\s?(?:mg|g|mEq|mmol|mL)\b)"
    r"|\d\s?(?:mg|g|mEq|mmol)\s(?:of\s)?(?:(?:IV|i\.v\.|oral)\s)?(?:MSO|MgSO)[4₄]"
    r"|\b(?:IV|intravenous|given|oral|injected)\s(?:MSO|MgSO)[4₄]"
)
_STATISTIC = re.compile(r"(?:\bCI|interval|ratio|difference|\bSD|\bp\s?[<=>≤≥])[^.;]{0,25}$")


def doses(article: Article, lines: Lines) -> Iterator[Problem]:
    """Doses that can be misread, each once a statement."""
    told = list(stated(article, lines))
    whole = "\n".join(s.text for s, _, _ in told)
    looks = [look for maybe, look in _LOOKS if maybe(whole)]
    for statement, line, field in told if looks else ():
        for said, why in dict(m for look in looks for m in look(statement.text)).items():
            message = f"writes {cut(said.strip(), 30)}, {why} (Joint Commission, “Do Not Use” list)"
            yield Problem("warning", "dose_notation", message, line, field)


def _trailing(text: str) -> Iterator[tuple[str, str]]:
    """(what is written, why and what instead), as the others below."""
    for m in _TRAILING.finditer(text) if ".0" in text else ():
        if not (_TRACE.match(text, _unit_start(m)) or _is_statistic(text, m)):
            yield m.group(), "which is read as ten times as much; leave out the point and nought"


def _naked(text: str) -> Iterator[tuple[str, str]]:
    for m in _NAKED.finditer(text):
        if not (_TRACE.match(text, _unit_start(m)) or _is_statistic(text, m)):
            yield m.group(), "which is read without its point; write a nought before the point"


def _unit_letters(text: str) -> Iterator[tuple[str, str]]:
    for m in _UNIT_LETTER.finditer(text):
        yield m.group(), "which is read as a nought, a 4 or cc; write units"
    for m in _IU.finditer(text):
        yield m.group(), "which is read as IV or 10; write units"


def _daily(text: str) -> Iterator[tuple[str, str]]:
    for m in _DAILY.finditer(text):
        near = text[max(0, m.start() - 60) : m.start()] + text[m.end() : m.end() + 20]
        if _DOSED.search(near):
            other = "o" in m.group().lower()
            yield m.group(), f"which is misread; write {'every other day' if other else 'daily'}"


def _morphine(text: str) -> Iterator[tuple[str, str]]:
    for m in _MORPHINE.finditer(text):
        yield m.group(), "which can be either; write morphine sulfate or magnesium sulfate"


_DAILY_STARTS = ("qd", "QD", "q.", "Q.", "qo", "QO")
_LOOKS: tuple[tuple[Callable[[str], object], Callable[[str], Iterator[tuple[str, str]]]], ...] = (
    # (what an article must have somewhere for the look at each sentence to be worth it, the look)
    (re.compile(r"\.0+\s?-?[a-zµμ]|\.0+\s?(?:[-–—]|to)", re.IGNORECASE).search, _trailing),
    (re.compile(r"\.(?<![\w.)\]]\.)\d").search, _naked),
    (re.compile(r"[Uu](?!\w)(?<=[\d\siI.][Uu])").search, _unit_letters),
    (lambda text: any(start in text for start in _DAILY_STARTS), _daily),
    (re.compile(r"MS\b|SO[4₄]").search, _morphine),
)


def _unit_start(m: re.Match[str]) -> int:
    unit = re.search(rf"{_UNITS}$", m.group())
    return m.start() + unit.start() if unit else m.end()


def _is_statistic(text: str, m: re.Match[str]) -> bool:
    return bool(_STATISTIC.search(text[max(0, m.start() - 30) : m.start()]))
