"""Characters that hide, and letters that are not what they look like."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from store.checks.problem import cut, some

UNUSUAL = re.compile("[^ -~°±²³·µ×é–—‘’“”…≤≥]")
"""What neither hides nor poses as another, and nearly every text has no more than, but for this."""


# --------------------------------------------------------------------------- hidden

BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\ufffd")
"""Characters that look like nothing, or stand for what was lost, though they count as others."""
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_LINES = frozenset("\n\t")
_MOST_MARKS = 3
"""Accents on one letter; Vietnamese has two."""


def hidden(text: str, several_lines: bool) -> str:
    """What is wrong with a text that has hidden characters; empty when it has none."""
    rare = set(UNUSUAL.findall(text)) - (_LINES if several_lines else frozenset())
    if not any(is_hidden(c) or _is_selector(c) or unicodedata.combining(c) for c in rare):
        return ""
    found = list(dict.fromkeys(islice(_hidden(text, several_lines), 1000)))
    if not found:
        return ""
    return (
        "contains control, direction-changing or other hidden characters "
        f"({some([_named(c) for c in found])}); delete them: {cut(text)}"
    )


@lru_cache(maxsize=10_000)
def is_hidden(char: str) -> bool:
    """Whether nothing is seen of a character, wherever it stands."""
    return char in BLANK or unicodedata.category(char) in _HIDDEN


def _hidden(text: str, several_lines: bool) -> Iterator[str]:
    marks = 0
    for at, char in enumerate(text):
        marks = marks + 1 if unicodedata.combining(char) else 0
        if several_lines and char in _LINES:
            continue
        odd = _is_selector(char) and _is_odd_selector(text, at)
        if odd or marks > _MOST_MARKS or is_hidden(char):
            yield char


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_odd_selector(text: str, at: int) -> bool:
    """A variation selector is in place behind a symbol or an ideograph, and once."""
    before = text[at - 1] if at else " "
    ideograph = unicodedata.name(before, "").startswith("CJK")
    return not (ideograph or unicodedata.category(before) in {"So", "Sm"})


def _named(char: str) -> str:
    name = unicodedata.name(char, "") or {"\n": "line break", "\t": "tab"}.get(char, "")
    return f"U+{ord(char):04X} {name}".strip()


# --------------------------------------------------------------------------- disguised

# Greek as medicine mixes it with Latin: TNFα, NFκB, Δ9. These look like Latin letters, and are
# not used beside them.
_GREEK_IN_DISGUISE = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονϲϳͿϹ")
_WITH_LATIN = frozenset(
    {"LATIN", "GREEK", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "BOPOMOFO"}
)
_NO_SCRIPT = frozenset({"MICRO", "OHM", "KELVIN", "ANGSTROM", "DEGREE", "MODIFIER", "COMBINING"})
_COSTUMES = frozenset(
    {"FULLWIDTH", "MATHEMATICAL", "CIRCLED", "PARENTHESIZED", "SQUARED", "NEGATIVE", "REGIONAL"}
)
"""First words of the names of Latin letters that are drawn another way."""
_WORD_BEYOND_ASCII = re.compile(r"[^\W_]*[^\W_\x00-\x7f][^\W_]*(?:[\u0300-\u036f]+[^\W_]*)*")
_SIGN = re.compile(r"[\U0001f110-\U0001f1ff\u24b6-\u24e9]")


@lru_cache(maxsize=10_000)
def _script(char: str) -> str:
    """The first word of a letter's name: LATIN, GREEK, CJK; empty for what no script owns."""
    if not unicodedata.category(char).startswith("L"):
        return "SIGN" if _SIGN.match(char) else ""
    if char.isascii():
        return "LATIN"
    name = unicodedata.name(char, "")
    if name.startswith("LATIN SMALL LIGATURE F") or name.startswith("LATIN SMALL LIGATURE S"):
        return "LIGATURE"
    first = name.partition(" ")[0]
    if first == "FULLWIDTH" and "LATIN" not in name:
        return ""
    return "" if first in _NO_SCRIPT or char in "ªº" else first


def disguised(text: str) -> Iterator[tuple[str, str]]:
    """(word, what is wrong with it) of words whose letters are not what they look like."""
    if all(_script(c) in {"", "LATIN"} for c in set(UNUSUAL.findall(text))):
        return
    for m in _WORD_BEYOND_ASCII.finditer(text):
        word = m.group()
        scripts = {_script(c) for c in word} - {""}
        odd: list[str] = []
        if scripts & _COSTUMES or "LIGATURE" in scripts:
            odd = [c for c in word if _script(c) in _COSTUMES or _script(c) == "LIGATURE"]
            why = f"the letters {_listed(odd)} are drawn in another way; type plain letters"
        elif "LATIN" in scripts and scripts - _WITH_LATIN:
            odd = [c for c in word if _script(c) not in {"", "LATIN"}]
            why = f"{_listed(odd)} beside Latin letters; type the word in one alphabet"
        elif scripts == {"LATIN", "GREEK"}:
            odd = [c for i, c in enumerate(word) if _script(c) == "GREEK" and _poses(word, i)]
            why = f"{_listed(odd)} in the place of Latin letters; type the word in one alphabet"
        if odd:
            yield cut(word, 40), why
    for sign in _SIGN.findall(text)[:1]:
        yield cut(sign), f"the letters {_listed([sign])} are drawn in another way; type plain ones"


def _poses(word: str, at: int) -> bool:
    """Whether a Greek letter among Latin ones stands where a Latin one would."""
    if word[at] in _GREEK_IN_DISGUISE:
        return True
    around = word[max(at - 1, 0) : at] + word[at + 1 : at + 2]
    return len(around) == 2 and all(c.islower() and _script(c) == "LATIN" for c in around)


def _listed(chars: Sequence[str]) -> str:
    return ", ".join(map(_named, list(dict.fromkeys(chars))[:3]))
