"""What a sentence claims, taken apart so that two sentences can be compared.

Words are stems; those that say the same have one name (`words.SAME`). A segment is what stands
between commas and the words that set things side by side; a sentence is what stands between full
stops.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache

from chains.grounding.quantities import Amount, amounts
from chains.grounding.words import (
    GENERIC,
    NEGATORS,
    POPULATIONS,
    ROUTES,
    SAME,
)
from store.lexical import FUNCTION_WORDS, stem

_WORD = re.compile(r"(?:[Nn]on-)?[^\W\d_]+(?:\d\w*)?(?:['’][a-z]{1,2})?|\d+(?:[.,]\d+)*")
_SEGMENT_END = re.compile(
    r"[;:]|,(?!\d{3})|\.(?=\s|$)|\b(?:and|but|or|while|whereas|although|though|versus|vs\.?|v|than|against|yet|however|"
    r"compared (?:with|to)|rather than|as opposed to|in contrast to)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[;:]|,(?! (?:or|nor)\b|\d{3})|\.(?=\s|$)|\b(?:but|while|whereas|although|though|yet|however|because)\b"
    r"|\band\b(?=(?:[^,;.]|[.,](?=\d))*\b(?:was|were|is|are|had|has|have|did|does|do|can|may|should|could|no|not|none|\w{3,}ed)\b)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\b(?:between|both)\b(?:(?!\band\b)[^,;.])*$", re.IGNORECASE)
"""Before the "and" that joins the two things between which something is."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“(])")
_HARMLESS = re.compile(
    r"not only|with or without|whether or not|no (?:more|longer|less|later|fewer|earlier|sooner|higher|lower|older|younger|greater|larger|smaller|shorter) than|if not"
)
_NEGATED_VERB = re.compile(r"n['’]t$")
_FUNCTION = FUNCTION_WORDS - {"no", "not", "none", "without", "than", "before", "after", "during",
                              "only", "under", "over", "more", "most", "few", "further", "both",
                              "above", "below", "up", "down", "off", "against", "until"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: as it stands, its stem, what it is called among its like, its place."""

    form: str
    stem: str
    name: str
    start: int
    segment: int
    clause: int
    content: bool
    """Whether it says something."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence, taken apart."""

    text: str
    words: tuple[Word, ...]
    amounts: tuple[Amount, ...]
    names: frozenset[str]
    """The names of its content words."""
    telling: tuple[Word, ...]
    """Its content words but those that add nothing to a finding (`words.GENERIC`)."""
    populations: frozenset[str]
    routes: frozenset[str]

    def denied(self) -> "list[tuple[Word, list[Word]]]":
        """Each word that denies, with the content words that it reaches: three before it, and all
        behind it up to the end of its clause."""
        found: list[tuple[Word, list[Word]]] = []
        for i, word in enumerate(self.words):
            advised = any(w.name == "recommend" for w in self.words[max(0, i - 3) : i])
            again = found and found[-1][0].form == "against" and self.words[i - 1].form == "and"
            if word.form == "against" and (advised or again):
                after = [
                    w for w in self.words[i + 1 : i + 8] if w.clause == word.clause and w.content
                ]
                if not after:
                    after = [
                        w
                        for w in self.words[max(0, i - 8) : i]
                        if w.clause == word.clause and w.content and w.name != "recommend"
                    ]
                found.append((word, after))
            elif word.form in NEGATORS and not is_harmless(self.text, word):
                before = [
                    w
                    for w in self.words[max(0, i - 6) : i]
                    if w.content and w.clause == word.clause
                ][-3:]
                if word.form != "not" and not word.form.startswith("un"):
                    before = []
                after = [w for w in self.words[i + 1 :] if w.clause == word.clause and w.content]
                found.append((word, [*before, *after]))
        return found

    def segment_of(self, at: int) -> int:
        """The segment in which the character stands."""
        before = [w.segment for w in self.words if w.start <= at]
        return before[-1] if before else 0

    def in_segments(self, segments: frozenset[int]) -> frozenset[str]:
        """The names of the content words of these segments."""
        return frozenset(
            w.name
            for w in self.words
            if w.segment in segments and (w.content or w.form == "without")
        )


@lru_cache(maxsize=4096)
def claims_of(text: str) -> tuple[Claim, ...]:
    """The sentences of the text, taken apart."""
    return tuple(map(_claim, parts_of(text)))


def parts_of(text: str) -> list[str]:
    """The sentences of the text, as they stand."""
    return [part for part in _SENTENCE_END.split(text) if part.strip()]


def _claim(text: str) -> Claim:
    # Inside brackets nothing is set side by side.
    flat = re.sub(
        r"\([^()]*\)",
        lambda m: m[0].replace(",", " ").replace(";", " ").replace(" v ", "   "),
        text,
    )
    segments = [m.start() for m in _SEGMENT_END.finditer(flat)]
    clauses = [
        m.start()
        for m in _CLAUSE_END.finditer(flat)
        if m[0].lower() != "and" or not _BETWEEN.search(flat[: m.start()])
    ]
    found: list[Word] = []
    for m in _WORD.finditer(text):
        form = m[0].lower().replace("’", "'")
        form = form.replace("-", "")
        negated_verb = bool(_NEGATED_VERB.search(form))
        form = "not" if negated_verb else form.removesuffix("'s")
        segment = bisect_right(segments, m.start())
        clause = bisect_right(clauses, m.start())
        stemmed = stem(form)
        content = form not in _FUNCTION and form not in NEGATORS
        name = SAME.get(stemmed, stemmed)
        found.append(Word(form, stemmed, name, m.start(), segment, clause, content))
    words = tuple(_with_negation(text, found))
    stems = {w.stem for w in words}
    return Claim(
        text,
        words,
        tuple(amounts(text)),
        frozenset(w.name for w in words if w.content),
        tuple(w for w in words if w.content and w.stem not in GENERIC),
        frozenset(POPULATIONS[s] for s in stems if s in POPULATIONS),
        frozenset(ROUTES[s] for s in stems if s in ROUTES),
    )


def _with_negation(text: str, words: list[Word]) -> list[Word]:
    odd: dict[int, int] = {}
    for w in words:
        # "Neither A nor B" denies once; "without A" denies A and not what is said.
        if w.form in NEGATORS and w.form not in ("nor", "without") and not is_harmless(text, w):
            odd[w.clause] = odd.get(w.clause, 0) + 1
    return [replace(w, negated=True) if odd.get(w.clause, 0) % 2 else w for w in words]


def is_harmless(text: str, word: Word) -> bool:
    """ "not only", "with or without": nothing is denied."""
    around = text[max(0, word.start - 10) : word.start + 16].lower()
    hyphened = word.start > 0 and text[word.start - 1] == "-"
    return (word.form == "free" and hyphened) or bool(_HARMLESS.search(around))
