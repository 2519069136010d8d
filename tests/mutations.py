"""Copies of a sentence in which one small thing was changed so that it says something else."""

import re
from collections.abc import Iterator

_DENIED = (
    (r"\bdid not (\w+)", r"did \1"),
    (r"\b(was|were|is|are|has|have|had|does|can|could|should|may|be) not\b", r"\1"),
    (r"\bcannot\b", "can"),
    (r"\bwithout\b", "with"),
    (r"\bno (?=\w)", ""),
    (r"\bnone\b", "some"),
    (r"\b(was|were|is|are|may|can|should|could|will)\b(?! not\b)", r"\1 not"),
    (r"\b(improved|reduced|increased|responded|occurred|remained)\b", r"never \1"),
    (r"\b(recommends|advises|asks|shows|reports|says|states)\b", r"never \1"),
    (r"\bwith\b", "without"),
)
_OPPOSITES = """increased/decreased higher/lower more/less better/worse improved/worsened rose/fell
shorter/longer fewer/more before/after earlier/later larger/smaller darker/lighter above/below
strongly/weakly start/stop effective/ineffective under/over maximum/minimum""".split()
_SURER = (
    (r"\b(may|might|could|can) (?!not)", "will "),
    (r"\b(suggests?|suggested)\b", "proves"),
    (r"\b(often|usually|sometimes|mainly|mostly)\b", "always"),
    (r"\b(some|several|few|many|most)\b", "all"),
    (r"\bconditionally ", ""),
    (r"\b(possibly|probably|apparently) ", ""),
    (r"\bassociated with\b", "the cause of"),
)


def denied(sentence: str) -> Iterator[str]:
    """What is denied is said, and the other way round."""
    yield from _replaced(sentence, _DENIED)


def turned(sentence: str) -> Iterator[str]:
    """One word is its opposite."""
    other: dict[str, str] = {}
    for pair in _OPPOSITES:
        one, two = pair.split("/")
        other.setdefault(one, two)
        other.setdefault(two, one)
    for word in re.finditer(r"\b[a-z]+\b", sentence):
        if word[0] in other:
            yield sentence[: word.start()] + other[word[0]] + sentence[word.end() :]


def surer(sentence: str) -> Iterator[str]:
    """What was said with care is said without."""
    yield from _replaced(sentence, _SURER)


def _replaced(sentence: str, patterns: tuple[tuple[str, str], ...]) -> Iterator[str]:
    # "with or without", "no more than" are turned into what says the same.
    if re.search(r"with or without|no (?:more|less|longer)", sentence):
        return
    for pattern, instead in patterns:
        found = re.sub(pattern, instead, sentence, count=1)
        if found != sentence:
            yield found
