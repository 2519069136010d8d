"""From what was typed to what is meant: the act, the topic, and the standalone form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from chains.asking import TALK, WHOLE
from chains.compare import Compared
from chains.knowledge import Knowledge
from chains.topics import Topics
from chains.track import WHOLE_NAME, Candidate, candidates
from store.conversations import Recalled, RememberedTurn
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
    r"^(?:(?:ok(?:ay)?|but|thanks|thank you|so|well|right|no|sorry|actually)[\s,:;.-]+)*"
    r"(?:and|what about|how about|(?:the )?same (?:q|question|thing)?\s*(?:for|in|with)|ditto|"
    r"now (?:for|in)|i mean(?:t)?)\b",
    re.IGNORECASE,
)
_COMPARING = re.compile(
    r"\b(?:vs|versus|or|than|compared?|comparison|better|differen(?:ce|t)|differs?|between|both|against)\b",
    re.IGNORECASE,
)
OVERVIEW = "What is it?"
"""What a question asks that has a topic's name and nothing else."""
OPENS_A_TOPIC = 0.40
"""Cosine similarity that a first question naming no topic needs with some passage to be answered
from its article. Questions on other diseases reach up to 0.43, those on the samples rarely lie
below."""
_SHORT = 3
"""Words up to which a question is too short to say which of two likely topics it means."""
_TIE = 0.4
_TIE_IN_NAME = 1.5
"""Log odds by which one topic must be likelier than another not to ask back: of any two, and of
two whose names both have all that was said."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the rest of the path reads it."""

    act: Act
    question: str
    """As typed, trimmed."""
    text: str
    """What is looked for; for an elliptic question without the topic, which `topics` carry."""
    topics: tuple[int, ...] = ()
    """What the question is about, first of all the first; several when it compares. Empty when
    nothing in the store is near."""
    read_as: str | None = None
    named: bool = False
    """The topic is named in the question."""
    current: int | None = None
    """The topic under discussion."""
    options: tuple[str, ...] = ()
    """Slugs that fit about equally; the reader is asked."""
    overview: bool = False
    """Nothing is asked but what the topic is."""
    rivals: tuple[int, ...] = ()
    """What it may be about instead, should the topic not answer; likeliest first."""
    at_home: bool = False
    """The topic is another than the one under discussion, which has all the words that name it."""


def act_of(question: str) -> Act:
    """What the message does; a question unless all of it is one of a few set phrases."""
    trimmed = question.strip()
    for act, pattern in _ACTS:
        if pattern.fullmatch(trimmed):
            return act
    return Act.ASK


def contextualize(
    question: str, recalled: Recalled, known: Knowledge, compared: Compared, slug: str | None = None
) -> Query:
    """The question in its context; `compared` is the question as typed, compared with the letters
    written out that the topic under discussion has. `slug` puts it to that article whatever it
    names."""
    topics = known.topics
    current, before = spoken_of(recalled, known)
    core = _LEAD.sub("", question).strip() or question
    if slug is not None:
        chosen = topics.topic_of(slug)
        return Query(
            Act.ASK, question, core, (chosen,), _read_as(core, known, chosen), current=current
        )
    found = _staying(candidates(compared, topics, current, before), current, before)
    if not found:
        return Query(Act.ASK, question, core, current=current)
    best = found[0]
    rest = _beyond(question, topics.stems_of(best.topic), best)
    options = _options(compared, topics, found, current, rest)
    if options:
        return Query(Act.ASK, question, core, current=current, options=options)
    if current is None and best.named is None:
        near = compared.nearest()
        if not about(question) or not near or near[0].score < OPENS_A_TOPIC:
            return Query(Act.ASK, question, core)
    is_named = best.named is not None and (best.topic != current or best.named.whole >= _NAMED)
    also = _compared_with(question, found)
    carried = None
    if best.topic != current and is_named and not rest:
        carried = _carried(question, recalled, known, best.topic)
    overview = is_named and not rest and not carried
    text = carried or core
    unsaid = carried is not None or (current is not None and not is_named)
    rivals: tuple[int, ...] = ()
    if best.topic != current and not (also or carried):
        if current is not None:
            rivals = (current,)
        elif not overview:
            close = (c.topic for c in found[1:] if best.score - c.score <= _RIVAL)
            rivals = tuple(close)[:MOST_RIVALS]
    return Query(
        Act.ASK,
        question,
        text,
        (best.topic, *also),
        _read_as(text, known, best.topic) if unsaid else None,
        named=is_named,
        current=current,
        overview=overview,
        rivals=rivals,
        at_home=current is not None and bool(rivals) and is_at_home(best, known, current),
    )


def _staying(
    found: Sequence[Candidate], current: int | None, before: Sequence[int]
) -> list[Candidate]:
    """The candidates, likeliest first; but the topic under discussion is left only for one that
    the question names or that was spoken of. Of thousands of others, some are always near to
    "staging?"."""
    if not found or current is None or found[0].named is not None:
        return list(found)
    return sorted(found, key=lambda c: c.topic != current and c.topic not in before)


def is_at_home(other: Candidate, known: Knowledge, current: int) -> bool:
    """Whether the topic under discussion has every word by which the other one is named, and
    nothing says that it is left."""
    if other.named is None or other.turns:
        return False
    return {stem(w) for w in other.named.matched} <= known.topics.vocabulary(current)


def put_to(query: Query, known: Knowledge, topic: int) -> Query:
    """The same question about another topic."""
    unsaid = query.current is not None
    read_as = _read_as(query.text, known, topic) if unsaid else None
    return replace(
        query,
        topics=(topic,),
        read_as=read_as,
        named=False,
        overview=False,
        rivals=(),
        at_home=False,
    )


_RIVAL = 3.0
"""Log odds by which a first question's topic may be likelier than another that answers it."""
MOST_RIVALS = 3
_NAMED = 0.6
"""Share of a name from which a question is taken to name the topic under discussion."""


def spoken_of(recalled: Recalled, known: Knowledge) -> tuple[int | None, list[int]]:
    """The topic under discussion, and those before it, the latest first."""
    have = known.build.articles
    current = known.topics.topic_of(recalled.topic) if recalled.topic in have else None
    slugs = [t.topic for t in reversed(recalled.turns) if t.topic in have]
    before = dict.fromkeys(known.topics.topic_of(s) for s in slugs if s is not None)
    return current, [t for t in before if t != current]


def _read_as(text: str, known: Knowledge, topic: int) -> str:
    article = known.build.articles[known.topics.members[topic][0]]
    return f"{text.rstrip(' ?.!')} — {article.topic}"


def _options(
    compared: Compared,
    topics: Topics,
    found: Sequence[Candidate],
    current: int | None,
    rest: Sequence[str],
) -> tuple[str, ...]:
    """The articles that a question too short to tell may mean, when there are several."""
    best = found[0]
    if best.topic == current:
        return ()
    subjects = {stem(w) for w in compared.reading.content}
    likely = [c for c in found if best.score - c.score <= _TIE and c.topic != current]
    if not rest and subjects:
        sharing = [c for c in found if subjects <= topics.stems_of(c.topic)]
        whole = [c for c in sharing if c.named and c.named.whole >= WHOLE_NAME]
        if any(c.topic == current for c in sharing):
            return ()
        named_alike = whole or sharing
        likely = [c for c in named_alike if best.score - c.score <= _TIE_IN_NAME] or likely
        if len(whole) == 1:
            return ()
    elif len(compared.reading.text.split()) > _SHORT:
        return ()
    members = [topics.members[c.topic][0] for c in likely[:4]]
    return tuple(members) if len(members) > 1 else ()


def _compared_with(question: str, found: Sequence[Candidate]) -> tuple[int, ...]:
    """The other topics that a comparing question names whole."""
    if not _COMPARING.search(question):
        return ()
    best = found[0]
    own = best.named.matched if best.named else frozenset()
    also = [
        c.topic
        for c in found[1:6]
        if c.named and c.named.whole >= WHOLE_NAME and not c.named.matched <= own
    ]
    return tuple(also[:2])


def _beyond(text: str, known: frozenset[str], candidate: Candidate) -> list[str]:
    """The words of the text that carry meaning beyond the names of the candidate."""
    matched = candidate.named.matched if candidate.named else frozenset()
    return [
        w
        for w in words(text)
        if w not in FUNCTION_WORDS and stem(w) not in known | WHOLE and w not in matched
    ]


def about(text: str) -> set[str]:
    """The stems of the words that are about a thing rather than about asking."""
    return {stem(w) for w in words(text) if w not in FUNCTION_WORDS and stem(w) not in TALK}


def _carried(question: str, recalled: Recalled, known: Knowledge, topic: int) -> str | None:
    """What "and for keloids?" asks: the question before, less the name of its topic."""
    before = last_asked(recalled)
    if not _CARRY.match(question) or before is None or before.topic not in known.build.articles:
        return None
    old = known.topics.topic_of(before.topic)
    if old == topic:
        return None
    core = before.answer.get("text_asked") or before.question
    named = known.topics.named(core).get(old)
    matched = named.matched if named else frozenset()
    kept = [
        w
        for w in _LEAD.sub("", core).split()
        if not set(terms(w)) & known.topics.stems_of(old) and not set(words(w)) & matched
    ]
    return " ".join(kept) if any(terms(w) for w in kept) else None


def last_asked(recalled: Recalled) -> RememberedTurn | None:
    """The latest remembered turn that was a question, not an act on an answer."""
    for turn in reversed(recalled.turns):
        if act_of(turn.question) is Act.ASK:
            return turn
    return None
