"""Whether a text is a plain sentence, without marks, links and references of its own."""

import re

from chains.grounding.failed import Failed
from chains.grounding.words import META
from store.lexical import FUNCTION_WORDS

_LINK = re.compile(
    r"https?:|www\.|\bdoi\b|\bpmid\b|\b10\.\d{4,}/|\b[\w-]+\.(?:com|org|net|io|gov|edu|info|co|eu|uk)\b"
    r"|\S@\S|\bt\.me\b",
    re.IGNORECASE,
)


_REFERENCE = re.compile(
    r"\bet al\b|\([A-Z][\w-]+,? (?:19|20)\d\d\)|\bref(?:erence)?s?\b", re.IGNORECASE
)


_TYPOGRAPHY = frozenset("–—‘’“”…°±×≤≥µμ²³½¼¾%‐‑−\u00a0\u202f\u2009éèêëàâäöüïîôçñåøæß")


_MARKUP = frozenset("<>{}|`*_#~\\^=[]")


_PROMPTLY = re.compile(r"(?<!the )(?<!this )(?<!my )(?<!your )(?<!system )\bprompt (?=[a-z]{6,})")
""" "prompt treatment" is one that comes soon."""


def check_form(text: str, given: str) -> None:
    """Raises Failed for what is no plain sentence, or has marks that the statements do not have."""
    if _LINK.search(text) and not _LINK.search(given):
        raise Failed("link")
    reference = _REFERENCE.search(text)
    if reference and reference[0].lower() not in given.lower():
        raise Failed("reference", reference[0])
    odd = [
        c
        for c in text
        if not (c.isascii() and c.isprintable()) and c not in _TYPOGRAPHY and c not in given
    ]
    if odd:
        raise Failed("not_prose", "signs that no statement has")
    if any(c in _MARKUP and c not in given for c in text):
        raise Failed("not_prose", "markup")
    words = re.findall(r"[^\W\d_]+", _PROMPTLY.sub(" ", text.lower()))
    theirs = set(re.findall(r"[^\W\d_]+", given.lower()))
    own = next((w for w in words if w in META and w not in theirs), None)
    if own:
        raise Failed("instruction", f"“{own}”")
    if len([w for w in words if w not in FUNCTION_WORDS]) < 2 or text.rstrip().endswith("?"):
        raise Failed("not_prose", "no statement")
    if len(text) > 700:
        raise Failed("not_prose", "too long")
