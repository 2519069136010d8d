"""Copies of a sentence in which one small thing was changed so that it says something else."""

import re
from collections.abc import Iterator
from itertools import pairwise

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


_IMPLIED = (
    (r"\bwith (?=[a-z])(?!or\b|regard)", "in the absence of "),
    (r"\b(improved|reduced|lowered|increased|relieved|prevented)\b", "failed to change"),
    (r"\b(recommends|advises)\b(?! against)", "advises against"),
    (r"\b(recommends|advises) against\b", r"\1"),
    (r"\bshould not\b", "need no longer hesitate to"),
    (r"\bdid not differ\b", "differed"),
    (r"\bno (?:significant )?difference\b", "a significant difference"),
    (r"\b(unclear|unknown|uncertain)\b", "well known"),
    (r"\bcannot be\b", "can be"),
)
_WIDER = (
    (
        r"\b(severe|refractory|recurrent|superficial|focal|uncomplicated|persistent) (?=[a-z]{4})",
        "",
    ),
    (r"\bin (children|infants|women|men|adults)\b", "in everyone"),
    (r"\bexcept (?:for |in )?", "including "),
    (r"\b(some|most|many|several|few) (patients|people|children|women|adults)\b", r"all \2"),
)
_BOUNDS = (
    (r"\bat least\b", "at most"),
    (r"\bat most\b", "at least"),
    (r"\bup to\b", "at least"),
    (r"\bmore than (?=\d)", "less than "),
    (r"\bless than (?=\d)", "more than "),
    (r"\bunder (?=\d)", "over "),
    (r"\bover (?=\d)", "under "),
    (r"\bor older\b", "or younger"),
)
_BETTER_STUDIED = (
    (r"\bretrospective\b", "prospective"),
    (r"\b(?:a|one) case (?:series|report)\b", "a randomised trial"),
    (r"\buncontrolled\b", "controlled"),
    (r"\bcohort\b", "randomised trial"),
    (r"\bnarrative review\b", "systematic review"),
    (r"\bopen-label\b", "double-blind"),
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


def implied(sentence: str) -> Iterator[str]:
    """What is denied is said, and the other way round, without "no" and "not"."""
    yield from _replaced(sentence, _IMPLIED)


def wider(sentence: str) -> Iterator[str]:
    """What was said of some is said of all."""
    yield from _replaced(sentence, _WIDER)


def bounded(sentence: str) -> Iterator[str]:
    """The least is the most."""
    yield from _replaced(sentence, _BOUNDS)


def better_studied(sentence: str) -> Iterator[str]:
    """A weak study is a strong one."""
    yield from _replaced(sentence, _BETTER_STUDIED)


def exchanged(sentence: str) -> Iterator[str]:
    """Two shares of one sentence have changed places."""
    shares = list(re.finditer(r"(?<![\w.-])\d+(?:\.\d+)? ?%(?!\w)", sentence))
    for one, other in pairwise(shares):
        between = sentence[one.end() : other.start()]
        if one[0] != other[0] and not re.fullmatch(r"\s*(?:to|and|-|–)\s*", between):
            yield sentence[: one.start()] + other[0] + between + one[0] + sentence[other.end() :]


def _replaced(sentence: str, patterns: tuple[tuple[str, str], ...]) -> Iterator[str]:
    # "with or without", "no more than" are turned into what says the same.
    if re.search(r"with or without|no (?:more|less|longer)", sentence):
        return
    for pattern, instead in patterns:
        found = re.sub(pattern, instead, sentence, count=1)
        if found != sentence:
            yield found
