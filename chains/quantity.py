"""Questions that want an amount, and whether a statement gives one of that kind.

"How many particles?" is not answered by a sentence about particles that has no number in it, and
a wrong number is the worst answer there is.
"""

import re

from chains.asking import TALK
from chains.shorthand import written_out
from store.lexical import FUNCTION_WORDS, stem, words

_NUMBER = r"(?:\d[\d.,]*(?:\s*(?:[-–]|to)\s*\d[\d.,]*)?)"

_WORDS = """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
    hundred thousand million""".split()

_KINDS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(given, re.IGNORECASE))
    for asked, given in (
        (
            r"\b(?:doses?|dosages?|dosing)\b",
            rf"{_NUMBER}\s*(?:mg|mcg|[uµμ]g|g|kg|ml|cc|iu|u|units?|mmol|mol|ppm)\b|{_NUMBER}\s*mg/",
        ),
        (
            r"\b(?:concentrations?|strengths?)\b",
            rf"{_NUMBER}\s*(?:mg|mcg|[uµμ]g|g|kg|ml|cc|iu|u|units?|mmol|mol|ppm)\b|{_NUMBER}\s*mg/"
            # "5% fluorouracil", but not "40% of patients" or "improved by 40%, ...".
            rf"|{_NUMBER}\s*(?:%|percent)\s+(?!(?:of|in|to|and|with|more|less|had|were|was|at|for|or|"
            r"after|by|versus|vs|had|improve\w*|reduc\w*|increas\w*|decreas\w*|clear\w*)\b)[a-z-]{4,}",
        ),
        (
            r"\bhow much\b(?! (?:\w+ )?(?:evidence|data|research|experience|is known))",
            rf"{_NUMBER}\s*(?:mg|mcg|[uµμ]g|g|kg|ml|cc|iu|u|units?|mmol|mol|ppm|percent)\b"
            rf"|{_NUMBER}\s*(?:%|mg/)",
        ),
        (
            r"\b(?:fluences?|settings?|parameters?|energy|spot size|pulse (?:width|duration))\b",
            rf"{_NUMBER}\s*-?(?:m?j|mm|ms|hz|w|mj)\b|{_NUMBER}\s*(?:m?j/cm)",
        ),
        (r"\bwavelengths?\b", rf"{_NUMBER}\s*-?nm\b"),
        (
            r"\b(?:percentages?|proportion|how common|how frequent|incidence|prevalence|"
            r"what share|rates?)\b",
            rf"{_NUMBER}\s*(?:%|percent)|\b{_NUMBER} (?:of|in|out of) (?:the )?{_NUMBER}"
            r"|\b(?:half|third|quarter|fifth|majority|none)\b",
        ),
        (
            r"\bhow long (?:do|does|did|will|would|is|are|was|were|until|till|before|after)\b",
            rf"(?:{_NUMBER}|\b(?:a|an|few|several|some|many|couple of|{'|'.join(_WORDS)}))[ -]*"
            rf"(?:to (?:{'|'.join(_WORDS)}) )?(?:minute|hour|day|week|month|year|decade|wk)s?\b"
            r"|\b(?:lifelong|for life|permanent\w*|indefinite\w*|age|"
            r"(?:hour|day|week|month|year|decade)s)\b",
        ),
    )
)
_HOW_MANY = re.compile(r"\bhow many ([a-z]+)", re.IGNORECASE)
_NEAR = 4
"""Words between a number and what it counts: "25 patients", "eight otherwise healthy women"."""

_NUMBER_WORDS = frozenset(_WORDS)

_DOSING = re.compile(
    r"\b(?:doses?|dosages?|dosing|concentrations?|strengths?|fluences?|settings?|mg|mcg|"
    r"milligrams?)\b",
    re.IGNORECASE,
)


def wants_a_dose(question: str) -> bool:
    """Whether the question asks how much of something to give, or how to set a device."""
    return bool(_DOSING.search(question))


_MORE_OR_LESS = re.compile(
    r"\b(?:higher|lower|larger|smaller|greater|high|low|more|less)[- ](?:doses?|concentrations?|"
    r"fluences?|settings?|energy)\b",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(
    r"(?:and |but )?(?:do|does|did|is|are|was|were|will|would)\b", re.IGNORECASE
)


def gives_what_is_asked(question: str, statement: str) -> bool:
    """False when the question wants an amount of a kind that the statement does not give. "Does a
    higher dose work better?" wants none."""
    question = written_out(question)
    if _YES_OR_NO.match(question):
        question = _MORE_OR_LESS.sub("", question)
    for asked, given in _KINDS:
        if asked.search(question):
            return bool(given.search(statement)) and _is_of(question, statement)
    counted = _HOW_MANY.search(question)
    if counted and counted.group(1).lower() not in FUNCTION_WORDS | {"times"}:
        return _counts(stem(counted.group(1).lower()), statement)
    return True


_DOSE_OF = re.compile(
    r"\b(?:dos(?:es?|ages?|ing)|concentrations?|strengths?) of (?:the )?([a-z-]{4,})"
    r"|\b([a-z-]{5,}) concentrations?\b",
    re.IGNORECASE,
)
_NO_DRUG = FUNCTION_WORDS | {"maximum", "usual", "starting", "highest", "lowest", "total", "daily"}


_WITH = re.compile(
    r"\b(?:(?:with|alongside|plus|beside|besides) (?:the )?|combined with |added to )([a-z-]{4,})",
    re.IGNORECASE,
)
_WITHOUT = re.compile(r"\b(?:without|no)((?: [a-z-]+){1,2})", re.IGNORECASE)
_OF_WHOM = frozenset(
    stem(w)
    for w in """patient patients people person child children woman women man men infant
    someone""".split()
)


def _is_of(question: str, statement: str) -> bool:
    """Whether the statement speaks of the drug whose dose is asked for, and of what it is to be
    given with: the dose alone is another one."""
    partner = _WITH.search(question)
    if partner and wants_a_dose(question):
        meant = stem(partner.group(1).lower())
        lacking = {stem(w) for said in _WITHOUT.findall(statement) for w in words(said)}
        has = {stem(w) for w in words(statement)} - lacking
        vague = _OF_WHOM | TALK | FUNCTION_WORDS
        if meant not in vague and meant not in has:
            return False
    drug = _DOSE_OF.search(question)
    if drug is None:
        return True
    spoken = {stem(w) for w in words(statement)}
    named = [w for w in words(drug.group(1) or drug.group(2)) if w not in _NO_DRUG]
    return all(stem(w) in spoken for w in named)


_PEOPLE = frozenset(
    stem(w)
    for w in """patients people persons participants subjects volunteers adults women men girls boys
    children infants babies individuals cases recipients""".split()
)


def _counts(noun: str, statement: str) -> bool:
    sequence = words(statement)
    nouns = _PEOPLE if noun in _PEOPLE else {noun}
    numbers = [i for i, w in enumerate(sequence) if w[0].isdigit() or w in _NUMBER_WORDS]
    return any(
        stem(w) in nouns and any(0 < i - n <= _NEAR for n in numbers)
        for i, w in enumerate(sequence)
    )
