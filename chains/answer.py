"""From a question in its context to a turn: contextualize, retrieve, compose, in one thread.

Nothing is read from or written to a database here, so that the same question can be put to
another build to see what would change.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from chains import confidence
from chains.asking import BINDING
from chains.compare import Compared
from chains.contextualize import (
    OVERVIEW,
    Act,
    Query,
    about,
    act_of,
    contextualize,
    last_asked,
    put_to,
    spoken_of,
)
from chains.cover import Missing
from chains.extract import Chosen, choose, compose, with_absence
from chains.kinds import Kinds
from chains.knowledge import Knowledge
from chains.quantity import gives_what_is_asked, wants_a_dose
from chains.reading import Reading, read
from chains.retrieve import rank_sections, search_store, search_topic
from chains.safety import orders_for_one_patient, urgency
from store.article import (
    Article,
    Caution,
    ServingRules,
    caution_for,
    is_quotable,
    is_served,
    weakest,
)
from store.conversations import Recalled, RememberedTurn
from store.index import Build, Hit
from store.lexical import terms, words
from store.tokens import Floats
from store.turn import AnswerSection, Kind, Looked, Nearest, Receipt, Topic, Turn

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

UNSPOKEN = 0.85
"""Weight from which a missing word is named in the reply: rarer than nine in ten English words."""
RARE = 0.99
"""Weight of a missing word that is no ordinary English. Two of them in a question for a dose, and
the dose would be for something that the article does not speak of."""
OFF_TOPIC = 0.30
"""A question whose nearest passage in the whole store is less alike (cosine similarity) is not
about its subjects."""
FAR = 0.20
"""The same of a question on a topic, none of whose words occurs anywhere in the store."""
IN_AN_EMERGENCY = 0.7
"""Confidence that an answer needs in an emergency, where statements beside the point are in the
way."""
STAYS = 0.5
"""Confidence from which the topic under discussion answers rather than another one that is named
in words of both."""
LONGEST_KEPT = 160
"""Characters of the longest question of which anything is kept; few come again that are longer."""
FOLLOWUPS = 3
KEPT_IN_RECEIPT = 12
"""Passages of which a receipt says how well they fitted."""
SAME_QUESTION = 0.5
"""Share of common stems (Jaccard) from which two questions are taken for one."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a question."""

    hits: list[Hit]
    missing: list[Missing]
    described: Floats
    """What speaks for an answer, as `confidence.FEATURES` has it."""
    confidence: float


class Answerer:
    """Answers from a build that it is handed.

    `rarity` is how seldom a word is in general English, 0 to 1; `today` is injected for tests.
    """

    def __init__(
        self,
        *,
        embeddings: "Embeddings",
        rules: ServingRules,
        rarity: Callable[[str], float],
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self.embeddings = embeddings
        self._rules = rules
        self._rarity = rarity
        self._today = today
        self._kinds = Kinds(embeddings)
        self._study: dict[str, Any] = {}
        self._reading = Lock()

    def serves(self, article: Article) -> bool:
        """Whether the article may be quoted today."""
        return is_served(article, self._rules, self._today())

    def caution(self, article: Article) -> Caution | None:
        """What a reader of the article must be told today."""
        return caution_for(article, self._today())

    def suggestions(
        self,
        article: Article,
        asked: Iterable[str] = (),
        shown: frozenset[str] = frozenset(),
    ) -> list[str]:
        """Questions that the article says it answers, in its order: none like one that was asked
        or is suggested already, none whose statements have all been shown, and none that the
        build was seen not to answer when it was made."""
        unanswered = {q for slug, q in self._study.get("unanswered", ()) if slug == article.slug}
        before = [set(terms(q)) for q in asked]
        found: list[str] = []
        for probe in article.answerable:
            own = set(terms(probe.question))
            alike = any(len(own & b) >= SAME_QUESTION * len(own | b) for b in before if b)
            seen = set(probe.statements) <= shown or probe.question in unanswered
            if not alike and not seen:
                found.append(probe.question)
                before.append(own)
        return found[:FOLLOWUPS]

    def likest(self, build: Build, question: str) -> list[Article]:
        """The articles with passages near the question, the nearest first."""
        known = self.knowledge(build)
        compared = self.compared(known, question)
        hits = search_store(compared, known.facets)
        slugs = dict.fromkeys(build.passages[hit.row].article for hit in hits)
        return [build.articles[slug] for slug in slugs]

    def answer(
        self,
        build: Build,
        recalled: Recalled,
        asked: str,
        slug: str | None = None,
        clock: "Clock | None" = None,
        standalone: str | None = None,
    ) -> Turn:
        """The turn that answers the question in its context; `slug` puts it to that article.
        `standalone` is what a follow-up is to be taken for, where a model has said so."""
        clock = clock or Clock()
        known = self.knowledge(build)
        recalled, asked, slug = _chosen_option(recalled, asked, slug)
        act = act_of(asked)
        if act is not Act.ASK:
            return self._act(known, recalled, Query(act, asked, asked), clock)
        put = standalone or asked
        current, _ = spoken_of(recalled, known)
        with clock("read"):
            full = put if current is None else _spelled_out(known, current, put)
            compared = self.compared(known, put, full)
        with clock("contextualize"):
            at = slug if slug in build.articles else None
            query = contextualize(put, recalled, known, compared, at)
            if full != put and query.topics and query.topics[0] != current:
                # Elsewhere the letters may stand for something else.
                compared = self.compared(known, put)
            if standalone is not None:
                query = replace(query, question=asked, read_as=standalone)
            as_typed = compared
            if query.overview:
                compared = self.compared(known, OVERVIEW)
            elif query.text not in put:
                compared = as_typed = self.compared(known, query.text)
        if not query.topics or query.options:
            return self._without_topic(known, recalled, query, compared)
        with clock("retrieve"):
            found = self.find(known, query, compared, as_typed)
            query, found, compared = self._where_answered(known, query, compared, as_typed, found)
        with clock("compose"):
            return self._compose(known, recalled, query, compared, found)

    def find(
        self, known: Knowledge, query: Query, compared: Compared, as_typed: Compared | None = None
    ) -> Found:
        """The passages of the query's topics, best first, and how likely the first answers. A
        question that asks for an overview says itself, `as_typed`, whether there is one."""
        rows = [row for topic in query.topics for row in known.topics.rows(topic)]
        spelled_out = self.spelled_out(known, query.topics[0], compared)
        typed = spelled_out
        if as_typed is not None and as_typed is not compared:
            typed = self.spelled_out(known, query.topics[0], as_typed)
        hits = search_topic(spelled_out, known.facets, rows, known.ranking)
        missing = _missing(known, query)
        described = confidence.features(
            typed,
            known.topics,
            known.cover,
            known.facets,
            query.topics[0],
            hits,
            missing,
        )
        sure = confidence.confidence(described, known.weights)
        return Found(hits, missing, described, sure)

    def _where_answered(
        self, known: Knowledge, query: Query, compared: Compared, as_typed: Compared, found: Found
    ) -> tuple[Query, Found, Compared]:
        """The query as it is, or put to a topic that answers where its own does not; or to the one
        under discussion, when that has all that was named and answers with confidence."""
        best = (query, found, compared)
        own = bool(query.rivals) and self._answers(known, query, compared, found, known.threshold)
        if own and not query.at_home:
            return best
        least = STAYS if own else known.threshold
        for topic in query.rivals:
            other = put_to(query, known, topic)
            there = self.find(known, other, as_typed)
            is_better = best[0] is query or there.confidence > best[1].confidence
            if is_better and self._answers(known, other, as_typed, there, least):
                best = (other, there, as_typed)
        return best

    def _answers(
        self, known: Knowledge, query: Query, compared: Compared, found: Found, least: float
    ) -> bool:
        """Whether the best passages may be taken for an answer."""
        build = known.build
        texts = [build.passages[h.row].text for h in found.hits[: confidence.LOOKED_AT]]
        return (
            found.confidence >= least
            and not forbids(query.text, found.missing, known.narrow)
            and not _off_topic(known, query, compared, found)
            and any(gives_what_is_asked(query.text, t) for t in texts)
        )

    def compared(self, known: Knowledge, text: str, full: str | None = None) -> Compared:
        """The question against the build, compared by what it says in `full`; of one of the last
        questions what is known is kept.

        It is kept by a digest and without the words: what somebody typed is in memory no longer
        than it takes to answer.
        """
        full = text if full is None else full
        if len(full) > LONGEST_KEPT:
            found = Compared(known.build, read(self.embeddings, full))
            return found.shared_by(read(self.embeddings, text, found.reading.asked))

        def compare(digest: bytes) -> Compared:
            first = Compared(known.build, read(self.embeddings, full))
            return first.shared_by(Reading("", first.reading.asked, (), ()))

        digest = blake2b(full.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        kept = known.asked.get(digest, compare)
        return kept.shared_by(read(self.embeddings, text, kept.reading.asked))

    def spelled_out(self, known: Knowledge, topic: int, compared: Compared) -> Compared:
        """The question with the topic's abbreviations written out, where it has some."""
        text = compared.reading.text
        full = known.letters.spelled_out(topic, text)
        return compared if full == text else self.compared(known, full)

    def _without_topic(
        self, known: Knowledge, recalled: Recalled, query: Query, compared: Compared
    ) -> Turn:
        if query.options:
            options = tuple(_topic(known.build.articles[s]) for s in query.options)
            return self._turn(
                known, recalled, query, Kind.NEEDS_CLARIFICATION, options=options, topic=None
            )
        if not about(query.text):
            return self._turn(known, recalled, query, Kind.NEEDS_CLARIFICATION, reason="no_topic")
        return self._refusal(known, recalled, query, compared)

    def _refusal(
        self, known: Knowledge, recalled: Recalled, query: Query, compared: Compared
    ) -> Turn:
        """Not covered, or not even near: with the place where the store comes closest."""
        build, urgent = known.build, urgency(query.question)
        hits = search_store(compared, known.facets)
        likest = max((float(c) for c in compared.cosine([h.row for h in hits])), default=-1.0)
        if not hits or (likest < OFF_TOPIC and self._is_foreign(build, query)):
            kind = Kind.URGENT if urgent else Kind.OUT_OF_SCOPE
            return self._turn(known, recalled, query, kind, reason=urgent or "not_in_store")
        near_by = hits[0]
        if query.topics:
            # Stay in the topic unless another article is the better place to look.
            own = [h for h in hits if known.topic_of(h.row) in query.topics]
            if own and own[0].score >= near_by.score - 0.2:
                near_by = own[0]
        reason = urgent or ("no_statement" if query.topics else "not_in_store")
        closest = build.articles[build.passages[near_by.row].article]
        return self._turn(
            known,
            recalled,
            query,
            Kind.URGENT if urgent else Kind.NOT_COVERED,
            reason=reason,
            nearest=_nearest(build, near_by),
            ranked=tuple(rank_sections(build, hits)),
            caution=self.caution(closest),
        )

    def _compose(
        self,
        known: Knowledge,
        recalled: Recalled,
        query: Query,
        compared: Compared,
        found: Found,
    ) -> Turn:
        build, hits, missing = known.build, found.hits, found.missing
        urgent = urgency(query.question)
        least = max(known.threshold, IN_AN_EMERGENCY if urgent else 0.0)
        shown = _texts(*recalled.turns)
        answerable = (
            found.confidence >= least
            and not forbids(query.text, missing, known.narrow)
            and not _off_topic(known, query, compared, found)
        )
        picked: list[Chosen] = []
        unmet: tuple[str, ...] = ()
        if answerable:
            picked = choose(build, hits, query.text, self._rules, self._today(), shown=shown)
            picked, unmet = self._by_parts(known, query, least, picked, shown)
        ranked = tuple(rank_sections(build, hits))
        if not any(gives_what_is_asked(query.text, c.statement.text) for c in picked):
            if not query.named and query.current not in query.topics:
                # Nothing but likeness spoke for this topic: it does not become the subject.
                query = replace(query, topics=(), read_as=None)
            refused = self._refusal(known, recalled, query, compared)
            receipt = Receipt(retrieved=_looked(build, hits))
            return replace(refused, confidence=found.confidence, ranked=ranked, receipt=receipt)
        changed = query.current is not None and query.current not in query.topics
        kind, reason = (Kind.NEW_TOPIC if changed else Kind.ANSWERED), None
        uncovered = tuple(m.word for m in missing if m.weight >= UNSPOKEN)
        if unmet:
            uncovered = unmet
        if uncovered:
            kind, reason = (kind if changed else Kind.PARTLY_ANSWERED), "not_spoken_of"
        if orders_for_one_patient(query.question):
            kind, reason = Kind.PATIENT_SPECIFIC, "needs_patient"
        if urgent:
            kind, reason = Kind.URGENT, urgent
        answer = self._quoting(
            known, recalled, query, kind, picked, reason=reason, confidence=found.confidence
        )
        topic = _topic(build.articles[build.passages[hits[0].row].article])
        receipt = Receipt(retrieved=_looked(build, hits))
        return replace(answer, ranked=ranked, uncovered=uncovered, topic=topic, receipt=receipt)

    def _by_parts(
        self,
        known: Knowledge,
        query: Query,
        least: float,
        picked: list[Chosen],
        shown: frozenset[str],
    ) -> tuple[list[Chosen], tuple[str, ...]]:
        """Where two things are asked at once: the best statements for each, and those that have
        none. What was picked for the whole stays when it cannot be divided."""
        answered: list[list[Chosen]] = []
        unmet = []
        for part in _parts(query.text):
            compared = self.compared(known, part)
            found = self.find(known, replace(query, text=part), compared)
            of_part = (
                choose(
                    known.build, found.hits, part, self._rules, self._today(), shown=shown, most=3
                )
                if found.confidence >= least and not forbids(part, found.missing, known.narrow)
                else []
            )
            if any(gives_what_is_asked(part, c.statement.text) for c in of_part):
                answered.append(of_part)
            else:
                unmet.append(part)
        if not answered:
            return picked, ()
        every = {c.statement.text: c for of_part in answered for c in of_part}
        return list(every.values()), tuple(unmet)

    def _quoting(
        self,
        known: Knowledge,
        recalled: Recalled,
        query: Query,
        kind: Kind,
        picked: list[Chosen],
        *,
        reason: str | None = None,
        confidence: float = 0.0,
    ) -> Turn:
        composed = compose(with_absence(picked))
        articles = known.build.articles
        cautions = (self.caution(articles[a.slug]) for a in composed.articles)
        return self._turn(
            known,
            recalled,
            query,
            kind,
            reason=reason,
            confidence=confidence,
            sections=composed.sections,
            sources=composed.sources,
            articles=composed.articles,
            conflicts=composed.conflicts,
            caution=weakest(cautions),
        )

    def _act(self, known: Knowledge, recalled: Recalled, query: Query, clock: "Clock") -> Turn:
        """ "More", "why?", "sources", "shorter", "yes": acts on the last answer."""
        if query.act is Act.GREETING:
            return self._turn(known, recalled, query, Kind.OUT_OF_SCOPE)
        last = last_asked(recalled)
        quoted = [t for t in recalled.turns if t.answer.get("sections")]
        if query.act is Act.YES:
            followups = recalled.turns[-1].answer.get("followups") if recalled.turns else None
            if followups:
                return self.answer(known.build, recalled, str(followups[0]), clock=clock)
        refused = last is not None and not last.answer.get("sections")
        if query.act is Act.WHY and last is not None and refused and last.answer.get("nearest"):
            # The last reply was a refusal: that is what "why?" is about.
            nearest = Nearest(**last.answer["nearest"])
            reason = str(last.answer.get("reason") or "no_statement")
            return self._turn(
                known, recalled, query, Kind.NOT_COVERED, reason=reason, nearest=nearest
            )
        if last is None or not quoted or query.act is Act.YES:
            return self._turn(
                known, recalled, query, Kind.NEEDS_CLARIFICATION, reason="nothing_to_explain"
            )
        answered = quoted[-1]
        again = [c for c in _find(known.build, _texts(answered)) if self.serves(c.article)]
        core = str(answered.answer.get("text_asked") or answered.question)
        has_topic = answered.topic in known.build.articles
        topics = (known.topics.topic_of(str(answered.topic)),) if has_topic else ()
        query = replace(query, text=core, topics=topics, read_as=f"{query.act.value}: {core}")
        picked = again
        if query.act is Act.SHORTER:
            picked = again[:1]
        elif query.act in (Act.MORE, Act.WHY) and topics:
            with clock("read"):
                compared = self.compared(known, core)
            with clock("retrieve"):
                rows = known.topics.rows(topics[0])
                hits = search_topic(compared, known.facets, rows, known.ranking)
            if query.act is Act.WHY:
                hits = _same_sources(known.build, hits, again)
            picked = choose(
                known.build,
                hits,
                core,
                self._rules,
                self._today(),
                shown=_texts(*quoted),
                again=False,
            )
        if not picked:
            reason = "nothing_more" if again else "no_longer_there"
            return self._turn(known, recalled, query, Kind.NOT_COVERED, reason=reason)
        return self._quoting(known, recalled, query, Kind.ANSWERED, picked)

    def _turn(
        self,
        known: Knowledge,
        recalled: Recalled,
        query: Query,
        kind: Kind,
        **said: object,
    ) -> Turn:
        build = known.build
        before = build.articles.get(recalled.topic or "")
        article = before
        if query.topics and query.topics[0] != query.current:
            article = build.articles[known.topics.members[query.topics[0]][0]]
        asked = [query.question, query.text, *(t.question for t in recalled.turns)]
        sections = cast("tuple[AnswerSection, ...]", said.get("sections", ()))
        quoted = {q.text for section in sections for q in section.statements}
        shown = _texts(*recalled.turns) | quoted
        moved = before and article and before.slug != article.slug
        base = Turn(
            kind=kind,
            question=query.question,
            conversation_id=recalled.conversation_id,
            build=build.id,
            read_as=query.read_as,
            topic=_topic(article) if article else None,
            previous_topic=_topic(before) if before and moved else None,
            text_asked=query.text,
            followups=(
                tuple(self.suggestions(article, asked, shown))
                if article and kind is not Kind.NEEDS_CLARIFICATION
                else ()
            ),
        )
        return replace(base, **said)  # type: ignore[arg-type]  # the fields of Turn, by name

    def knowledge(self, build: Build) -> Knowledge:
        """What is read of the build once; it is kept with the build."""
        known = cast("Knowledge | None", build.known)
        if known is None or known.build is not build:
            with self._reading:
                known = cast("Knowledge | None", build.known)
                if known is None or known.build is not build:
                    known = build.known = Knowledge.of(build, self._rarity, self._kinds)
        self._study = build.manifest.study
        return known

    def _is_foreign(self, build: Build, query: Query) -> bool:
        """Whether the question is about other things than the store: on a topic, a short
        question ("in PHACE?") is unlike any passage and belongs all the same."""
        if not query.topics:
            return True
        subjects = about(query.text)
        known = any(build.lexical.frequency(t) for t in subjects) or subjects & set(BINDING)
        return len(subjects) > 1 and not known


class Clock:
    """Milliseconds by step, of wall time or of what else `timer` tells in seconds."""

    def __init__(self, timer: Callable[[], float] = time.perf_counter) -> None:
        self.ms: dict[str, float] = {}
        self._timer = timer

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = self._timer()
        try:
            yield
        finally:
            self.ms[step] = self.ms.get(step, 0.0) + (self._timer() - start) * 1000


_PART = re.compile(
    r"\?+\s+(?=\S)|[,;]?\s+and\s+(?=(?:how|what|which|when|who|why|where|is|are|does|do|can|should)\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:how|what|which|when|who|why|where|is|are|does|do|did|can|should|will|any)\b|\?",
    re.IGNORECASE,
)


def _parts(text: str) -> list[str]:
    """The questions in a question, when there are two or three with something to look for each."""
    found = [p.strip(" ,;") for p in _PART.split(text)]
    if not 2 <= len(found) <= 3:
        return []
    asks = all(_ASKS.search(p) and about(p) for p in found)
    return found if asks else []


def _chosen_option(
    recalled: Recalled, asked: str, slug: str | None
) -> tuple[Recalled, str, str | None]:
    """ "2" or "yes" after "which of these do you mean?" answers the question that was left open."""
    last = recalled.turns[-1] if recalled.turns else None
    options = last.answer.get("options") if last else None
    if slug is None and last is not None and last.kind == Kind.NEEDS_CLARIFICATION and options:
        number = asked.strip(" .)")
        if number.isdecimal() and 1 <= int(number) <= len(options):
            return recalled, last.question, str(options[int(number) - 1]["slug"])
        if act_of(asked) is Act.YES:
            return recalled, last.question, str(options[0]["slug"])
    return recalled, asked, slug


def _topic(article: Article) -> Topic:
    return Topic(article.slug, article.title, article.topic)


def forbids(question: str, missing: Sequence[Missing], narrow: float) -> bool:
    """Whether what the articles do not speak of forbids to quote them, however near they are: the
    people, places or medicine that the question is about, or what a dose is asked for. `narrow` is
    how likely a word must narrow the question to forbid it by itself."""
    if any(m.binding or m.narrows >= narrow for m in missing):
        return True
    return wants_a_dose(question) and sum(m.weight >= RARE for m in missing) > 1


def _off_topic(known: Knowledge, query: Query, compared: Compared, found: Found) -> bool:
    """Whether nothing of what the question is about occurs anywhere in the store, and no passage
    of the topic is like it either."""
    lexical, topic = compared.build.lexical, query.topics[0]
    subjects = about(known.letters.spelled_out(topic, query.text))
    if not subjects or any(lexical.frequency(t) for t in subjects):
        return False
    if any(t.startswith(s) for s in subjects if len(s) > 3 for t in known.topics.vocabulary(topic)):
        return False
    return float(compared.cosine([h.row for h in found.hits]).max(initial=-1.0)) < FAR


def _spelled_out(known: Knowledge, topic: int, text: str) -> str:
    """The text with the topic's abbreviations written out; as it is when they are letters of
    another topic."""
    full = known.letters.spelled_out(topic, text)
    short = set(words(text)) - set(words(full))
    if short:
        named = known.topics.named(text)
        if any(named[other].matched & short for other in named if other != topic):
            return text
    return full


def _missing(known: Knowledge, query: Query) -> list[Missing]:
    """The words of the question that none of its topics speaks of."""
    every = [known.cover.missing(topic, query.text) for topic in query.topics]
    common = set.intersection(*({m.word for m in found} for found in every))
    return [m for m in every[0] if m.word in common]


def _looked(build: Build, hits: list[Hit]) -> tuple[Looked, ...]:
    """The statements of the best passages, with their scores."""
    found = []
    for hit in hits[:KEPT_IN_RECEIPT]:
        passage = build.passages[hit.row]
        article, section = build.place(passage)
        for i in passage.statements:
            text = section.statements[i].text
            found.append(Looked(article.slug, passage.id, text, round(hit.score, 4)))
    return tuple(found)


def _nearest(build: Build, hit: Hit) -> Nearest:
    passage = build.passages[hit.row]
    article, section = build.place(passage)
    return Nearest(article.slug, article.title, section.title)


def _texts(*turns: RememberedTurn) -> frozenset[str]:
    """The statements that these turns quoted, or were written from."""
    return frozenset(
        q["text"]
        for t in turns
        for s in t.answer.get("sections", ())
        for said in s["statements"]
        for q in said.get("basis") or (said,)
    )


def _find(build: Build, texts: frozenset[str]) -> list[Chosen]:
    """Statements quoted before, as the present build has them; those it has not are gone."""
    wanted = set(texts)
    found = []
    for passage in build.passages:
        article, section = build.place(passage)
        for i in passage.statements:
            text = section.statements[i].text
            if text in wanted and is_quotable(article, section.statements[i]):
                wanted.discard(text)
                found.append(Chosen(article, section, i, passage.id, 0.0))
    return found


def _same_sources(build: Build, hits: list[Hit], quoted: list[Chosen]) -> list[Hit]:
    """The hits whose statements rest on the sources of what was quoted."""
    cited = {(c.article.slug, n) for c in quoted for n in c.statement.citations}

    def rests(hit: Hit) -> bool:
        passage = build.passages[hit.row]
        article, section = build.place(passage)
        return any(
            (article.slug, n) in cited
            for i in passage.statements
            for n in section.statements[i].citations
        )

    return [h for h in hits if rests(h)]
