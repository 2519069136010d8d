"""From what was typed to what is meant: the act, the topic, and the standalone form.

Rules only, and cautious ones: the topic changes when a question names another, never because some
other article scores a little higher.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from chains.asking import TALK
from chains.topics import Named, Topics
from store.conversations import Recalled, RememberedTurn
from store.index import Build, Vectors
from store.lexical import FUNCTION_WORDS, stem, terms, words


class Act(StrEnum):
    """What a message does."""

    ASK = "ask"
    MORE = "more"
    WHY = "why"
    SOURCES = "sources"
    SHORTER = "shorter"
    YES = "yes"
    GREETING = "greeting"


_ACTS: tuple[tuple[Act, re.Pattern[str]], ...] = tuple(
    (act, re.compile(rf"(?:{pattern})[\s.!?…]*", re.IGNORECASE))
    for act, pattern in (
        (
            Act.MORE,
            r"(?:and |any ?thing |tell me |show me |give me |say )?(?:more|else)(?: please)?|"
            r"(?:anything|what) else|go on|continue|more (?:details?|info(?:rmation)?)|"
            r"tell me more(?: about (?:it|this|that))?|elaborate",
        ),
        (
            Act.SOURCES,
            r"(?:(?:what|which|where) (?:is|are|was|were) |show (?:me )?|give (?:me )?)?"
            r"(?:the |your |its )?(?:sources?|refs?|references?|citations?)(?: please)?|"
            r"says who|according to whom|where (?:is|does) (?:this|that|it) (?:come )?from",
        ),
        (
            Act.WHY,
            r"(?:but )?why(?: is that| so| not)?|how come|how do (?:you|we|they) know(?: that)?|"
            r"based on what|on what basis|what is (?:this|that|it) based on",
        ),
        (
            Act.SHORTER,
            r"(?:make it |keep it |be )?(?:shorter|briefer|brief)(?: please)?|"
            r"in short|tl;?dr|(?:the )?short version|summar(?:y|ise|ize)(?: please| it| that)?",
        ),
        (
            Act.GREETING,
            r"hi|hello|hey|hi there|good (?:morning|afternoon|evening|day)|thanks|thank you"
            r"(?: very much)?|thx|cheers|bye|goodbye|test|testing",
        ),
        (Act.YES, r"y|yes|yes please|yep|yeah|sure|ok(?:ay)?|please do|correct|exactly|right"),
    )
)

_LEAD = re.compile(
    r"^(?:(?:and|but|so|also|ok(?:ay)?|well|then|now|right|thanks|thank you)\b[\s,.:;–-]*)+",
    re.IGNORECASE,
)
_CARRY = re.compile(
    r"^(?:and|what about|how about|same (?:question )?for|and what about|and for|ditto for)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the rest of the path reads it."""

    act: Act
    question: str
    """As typed, trimmed."""
    text: str
    """What is looked for; for an elliptic question without the topic, which `slug` carries."""
    slug: str | None
    """The article the question is about; None when that is to be found over the whole store."""
    read_as: str | None = None
    found: bool = False
    """The topic was found by searching, neither named nor under discussion."""
    options: tuple[str, ...] = ()
    """Slugs that fit about equally; the reader is asked."""


def act_of(question: str) -> Act:
    """What the message does; a question unless all of it is one of a few set phrases."""
    trimmed = question.strip()
    for act, pattern in _ACTS:
        if pattern.fullmatch(trimmed):
            return act
    return Act.ASK


def contextualize(
    question: str, recalled: Recalled, build: Build, topics: Topics, vector: Vectors
) -> Query:
    """The question in its context. `vector` is the embedding of the question as typed."""
    asked = " ".join(question.split())
    current = recalled.topic if recalled.topic in build.articles else None
    act = act_of(asked)
    if act is not Act.ASK:
        return Query(act, asked, asked, current)
    named = topics.named(asked)
    slug = _topic(named, current, build, topics, asked, vector)
    core = _LEAD.sub("", asked).strip() or asked
    if slug is None:
        return Query(act, asked, core, None, options=_tied(named))
    is_named = any(n.slug == slug for n in named)
    carried = _carried(asked, slug, recalled, topics) if is_named else None
    if carried:
        core = carried
    if not carried and (is_named or current is None):
        return Query(act, asked, core, slug)
    name = build.articles[slug].topic
    read_as = f"{core.rstrip(' ?.!')} — {name}"
    return Query(act, asked, core, slug, read_as)


def _topic(
    named: list[Named],
    current: str | None,
    build: Build,
    topics: Topics,
    asked: str,
    vector: Vectors,
) -> str | None:
    if not named:
        return _hinted(current, build, topics, asked, vector)
    if current is not None:
        if any(n.slug == current for n in named):
            return current
        rival = named[0]
        # A name the current article also speaks of ("and with isotretinoin?", "FDA status?") may
        # be meant as a part of this topic; unless the question is nothing but another's name,
        # the other article must fit clearly better.
        own = _own(build, current)
        bare = not _beyond(asked, rival.terms) and not rival.terms & topics.terms_of(current)
        if rival.terms <= own and not bare:
            here, there = (_nearest(build, s, vector) for s in (current, rival.slug))
            if here + _CLEARLY >= there:
                return current
    tied = _tied(named)
    if tied:
        scores = {slug: _nearest(build, slug, vector) for slug in tied}
        first, second = sorted(scores, key=lambda s: -scores[s])[:2]
        return first if scores[first] - scores[second] > _CLEARLY else None
    return named[0].slug


def _hinted(
    current: str | None, build: Build, topics: Topics, asked: str, vector: Vectors
) -> str | None:
    """The article that a single word points at ("what about keloids?"), when nothing else in the
    question speaks for staying."""
    hints = [h for h in topics.hinted(asked) if not _beyond(asked, topics.terms_of(h.slug))]
    if len(hints) != 1 or hints[0].slug == current:
        return current
    there = hints[0]
    if current is None:
        return there.slug
    if _ANAPHORA.search(asked) or there.terms & _own(build, current):
        return current
    return there.slug


_ANAPHORA = re.compile(
    r"\b(?:it|its|this|that|these|those|they|them|both|the (?:combination|treatment|procedure|"
    r"drug|laser|device|product|study|trial|patients?))\b",
    re.IGNORECASE,
)
"""Words that point back at what was spoken of."""


def _own(build: Build, slug: str) -> set[str]:
    return {t for row in build.rows[slug] for t in terms(build.passages[row].embedded)}


_CLEARLY = 0.05
"""Cosine similarity by which one article must fit better than another not to ask back."""


def _tied(named: list[Named]) -> tuple[str, ...]:
    if len(named) < 2 or named[0].weight - named[1].weight > 1e-6:
        return ()
    return tuple(n.slug for n in named if named[0].weight - n.weight <= 1e-6)[:4]


def _nearest(build: Build, slug: str, vector: Vectors) -> float:
    return max((h.score for h in build.within(slug, vector)), default=-1.0)


def _beyond(text: str, known: frozenset[str]) -> list[str]:
    """The words of the text that carry meaning of their own beyond the known stems."""
    return [w for w in words(text) if w not in FUNCTION_WORDS and stem(w) not in known | TALK]


def about(text: str) -> set[str]:
    """The stems of the words that are about a thing rather than about asking."""
    return {stem(w) for w in _beyond(text, frozenset())}


def _carried(asked: str, slug: str, recalled: Recalled, topics: Topics) -> str | None:
    """What "and for keloids?" asks: the question before, less the name of its topic."""
    if not _CARRY.match(asked) or _beyond(asked, topics.terms_of(slug)):
        return None
    before = last_asked(recalled)
    if before is None or before.topic is None or before.topic == slug:
        return None
    core = before.answer.get("text_asked") or before.question
    old = topics.terms_of(before.topic)
    kept = [w for w in _LEAD.sub("", core).split() if not set(terms(w)) & old]
    return " ".join(kept) if any(terms(w) for w in kept) else None


def last_asked(recalled: Recalled) -> RememberedTurn | None:
    """The latest remembered turn that was a question, not an act on an answer."""
    for turn in reversed(recalled.turns):
        if act_of(turn.question) is Act.ASK:
            return turn
    return None
