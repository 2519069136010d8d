"""A follow-up turned by the model into a question of its own, and the guard that it did no more.

The guard is strict, since whatever follows (what is found, what is refused) depends on these
words: every word that carried meaning is kept, and none comes in that neither the conversation nor
its articles have. Numbers, people and negations come from the reader alone.
"""

import re

from chains.asking import BINDING, TALK
from chains.contextualize import spoken_of
from chains.knowledge import Knowledge
from chains.shorthand import written_out
from store.conversations import Recalled
from store.lexical import FUNCTION_WORDS, stem, words

MAX_CHARS = 300
_NEGATIONS = frozenset("no not non without never neither nor none cannot except".split())
_POINTING = frozenset(
    "it its this that these those they them their he she his her him one ones same there".split()
)
_MARKUP = re.compile(r"[<>\[\]{}|`\n]|https?:|www\.|@")


def why_not(rewritten: str, question: str, recalled: Recalled, known: Knowledge) -> str | None:
    """Why the rewritten question must not stand for the question; None when it may."""
    if not rewritten or len(rewritten) > MAX_CHARS or _MARKUP.search(rewritten):
        return "not a question"
    have = {stem(w) for w in words(rewritten)}
    # A name with letters apart or together ("co2", "co 2") is one name.
    together = "".join(words(rewritten))
    for word in _meant(question):
        if stem(word) not in have and word not in together:
            return f"loses “{word}”"
    said = [question, *(t.question for t in recalled.turns)]
    own = {stem(w) for text in said for w in words(written_out(text))}
    current, before = spoken_of(recalled, known)
    topics = [t for t in (current, *before) if t is not None]
    of_articles = frozenset[str]().union(*(known.topics.vocabulary(t) for t in topics))
    for word in _meant(rewritten):
        found = stem(word)
        if found in own:
            continue
        bound = any(c.isdigit() for c in word) or found in BINDING
        if bound or (found not in TALK and found not in of_articles):
            return f"adds “{word}”"
    if _negated(question) and not _negated(rewritten):
        return "loses a negation"
    if _negated(rewritten) and not any(_negated(text) for text in said):
        return "adds a negation"
    return None


def _meant(text: str) -> list[str]:
    """The words that carry meaning, each once, in order; shorthand written out."""
    found = dict.fromkeys(words(written_out(text)))
    return [w for w in found if w not in FUNCTION_WORDS and w not in _POINTING]


def _negated(text: str) -> bool:
    return not _NEGATIONS.isdisjoint(words(text.replace("n't", " not")))
