"""From a question in its context to a turn: contextualize, retrieve, compose, in one thread.

Nothing is read from or written to a database here, so that the same question can be put to
another build to see what would change.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, cast

import numpy as np

from chains.asking import BINDING
from chains.contextualize import (
    Act,
    Query,
    about,
    act_of,
    contextualize,
    last_asked,
)
from chains.cover import TALK_WEIGHT, Cover, Missing
from chains.extract import Chosen, choose, compose, with_absence
from chains.quantity import gives_what_is_asked
from chains.retrieve import rank_articles, rank_sections, search_article, search_store
from chains.safety import orders_for_one_patient, urgency
from chains.topics import Topics
from store.article import Article, ServingRules, caution_for, is_quotable, is_served, weakest
from store.conversations import Recalled, RememberedTurn
from store.index import Build, Hit, Vectors
from store.lexical import stem, terms
from store.turn import AnswerSection, Kind, Nearest, Topic, Turn

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

MAX_MISSING = 1.2
"""Summed weight of what a question says and the article does not, from which the article is taken
not to answer: one binding word, or more than one rare term. Chosen on the probes of the sample
articles (`python -m benchmarks.probes`), between 0.95 and 1.3."""
UNSPOKEN = 0.85
"""Weight from which a missing word is named in the reply: rarer than nine in ten English words."""
OPENS_A_TOPIC = 0.40
"""Cosine similarity that a question naming no topic needs with some passage to be answered from
its article. Questions on other diseases reach up to 0.43, those on the samples rarely lie below."""
OFF_TOPIC = 0.30
"""A question whose nearest passage in the whole store is less alike is not about its subjects."""
TWO_FIT = 0.015
"""Scores of two articles this near to each other are a tie: the reader is asked."""
FOLLOWUPS = 3
SAME_QUESTION = 0.5
"""Share of common stems (Jaccard) from which two questions are taken for one."""


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
        self._embeddings = embeddings
        self._rules = rules
        self._rarity = rarity
        self._today = today
        self._read: tuple[Build, Topics, Cover] | None = None

    def serves(self, article: Article) -> bool:
        """Whether the article may be quoted today."""
        return is_served(article, self._rules, self._today())

    def suggestions(
        self,
        article: Article,
        asked: Iterable[str] = (),
        shown: frozenset[str] = frozenset(),
    ) -> list[str]:
        """Questions that the article says it answers, in its order: none like one that was asked,
        none whose statements have all been shown."""
        before = [set(terms(q)) for q in asked]
        found = []
        for probe in article.answerable:
            own = set(terms(probe.question))
            alike = any(len(own & b) >= SAME_QUESTION * len(own | b) for b in before if b)
            if not alike and not set(probe.statements) <= shown:
                found.append(probe.question)
        return found[:FOLLOWUPS]

    def answer(
        self,
        build: Build,
        recalled: Recalled,
        asked: str,
        slug: str | None = None,
        clock: "Clock | None" = None,
    ) -> Turn:
        """The turn that answers the question in its context; `slug` puts it to that article."""
        clock = clock or Clock()
        topics, cover = self._reader(build)
        with clock("embed"):
            vector = self._vector(asked)
        with clock("contextualize"):
            recalled, asked, slug = _chosen_option(recalled, asked, slug)
            if slug in build.articles:
                recalled = replace(recalled, topic=slug)
            query = contextualize(asked, recalled, build, topics, vector)
            if slug in build.articles:
                query = replace(query, slug=slug, options=())
            if query.act is not Act.ASK:
                return self._act(build, recalled, query)
            if query.text != asked:
                vector = self._vector(query.text)
        if query.slug is None:
            with clock("find_topic"):
                query = self._find_topic(build, query, topics, cover, vector)
            if query.slug is None:
                return self._without_topic(build, recalled, query, vector)
        with clock("retrieve"):
            hits = search_article(build, query.slug, query.text, vector)
            missing = cover.missing(query.slug, query.text)
        with clock("compose"):
            return self._compose(build, recalled, query, hits, missing, vector)

    def _find_topic(
        self, build: Build, query: Query, topics: Topics, cover: Cover, vector: Vectors
    ) -> Query:
        """The article whose names the question consists of, else the one that the store-wide
        search votes for, when one clearly fits."""
        if not query.options:
            query = _only_names(query, topics)
        hits = search_store(build, query.text, vector)
        if query.slug or query.options or _alikeness(build, hits, vector) < OPENS_A_TOPIC:
            return query
        ranked = rank_articles(build, hits)
        near = [r for r in ranked[:4] if ranked[0].score - r.score <= TWO_FIT]
        weights = {r.slug: _weight(cover.missing(r.slug, query.text)) for r in near}
        lightest = min(weights.values())
        fitting = [r.slug for r in near if weights[r.slug] <= lightest + 0.01]
        if len(fitting) > 1 and len(query.text.split()) <= 3:
            return replace(query, options=tuple(fitting))
        return replace(query, slug=fitting[0], found=True)

    def _without_topic(
        self, build: Build, recalled: Recalled, query: Query, vector: Vectors
    ) -> Turn:
        if query.options:
            options = tuple(_topic(build.articles[s]) for s in query.options)
            return self._turn(
                build, recalled, query, Kind.NEEDS_CLARIFICATION, options=options, topic=None
            )
        if not about(query.text):
            return self._turn(build, recalled, query, Kind.NEEDS_CLARIFICATION, reason="no_topic")
        return self._refusal(build, recalled, query, vector)

    def _refusal(self, build: Build, recalled: Recalled, query: Query, vector: Vectors) -> Turn:
        """Not covered, or not even near: with the place where the store comes closest."""
        urgent = urgency(query.question)
        hits = search_store(build, query.text, vector)
        near = hits[0] if hits else None
        if near is None or (
            _alikeness(build, hits, vector) < OFF_TOPIC and self._is_foreign(build, query)
        ):
            kind = Kind.URGENT if urgent else Kind.OUT_OF_SCOPE
            return self._turn(build, recalled, query, kind, reason=urgent or "not_in_store")
        if query.slug is not None:
            # Stay in the topic unless another article is the better place to look.
            own = [h for h in hits if build.passages[h.row].article == query.slug]
            if own and own[0].score >= near.score - 0.1:
                near = own[0]
        reason = urgent or ("no_statement" if query.slug else "not_in_store")
        closest = build.articles[build.passages[near.row].article]
        return self._turn(
            build,
            recalled,
            query,
            Kind.URGENT if urgent else Kind.NOT_COVERED,
            reason=reason,
            nearest=_nearest(build, near),
            ranked=tuple(rank_sections(build, hits)),
            caution=caution_for(closest, self._today()),
            confidence=near.score,
        )

    def _compose(
        self,
        build: Build,
        recalled: Recalled,
        query: Query,
        hits: list[Hit],
        missing: list[Missing],
        vector: Vectors,
    ) -> Turn:
        weight, urgent = _weight(missing), urgency(query.question)
        unknown = _all_missing(about(query.text), missing)
        # In an emergency statements beside the point are in the way.
        limit = MAX_MISSING if urgent is None else TALK_WEIGHT
        picked = (
            choose(build, hits, query.text, self._rules, self._today())
            if weight < limit and not unknown
            else []
        )
        confidence = (hits[0].score if hits else 0.0) - weight
        ranked = tuple(rank_sections(build, hits))
        if not any(gives_what_is_asked(query.text, c.statement.text) for c in picked):
            topics, _ = self._reader(build)
            elsewhere = _only_names(replace(query, slug=None), topics)
            if elsewhere.options and unknown:
                return self._without_topic(build, recalled, elsewhere, vector)
            if query.found and query.slug not in {h.slug for h in topics.hinted(query.text)}:
                # Nothing but likeness spoke for this article: it does not become the topic.
                query = replace(query, slug=None, read_as=None)
            refused = self._refusal(build, recalled, query, vector)
            return replace(refused, confidence=confidence, ranked=ranked)
        changed = recalled.topic is not None and query.slug != recalled.topic
        kind, reason = (Kind.NEW_TOPIC if changed else Kind.ANSWERED), None
        uncovered = tuple(m.word for m in missing if m.weight >= UNSPOKEN)
        if uncovered:
            kind, reason = (kind if changed else Kind.PARTLY_ANSWERED), "not_spoken_of"
        if orders_for_one_patient(query.question):
            kind, reason = Kind.PATIENT_SPECIFIC, "needs_patient"
        if urgent:
            kind, reason = Kind.URGENT, urgent
        answer = self._quoting(
            build, recalled, query, kind, picked, reason=reason, confidence=confidence
        )
        return replace(answer, ranked=ranked, uncovered=uncovered)

    def _quoting(
        self,
        build: Build,
        recalled: Recalled,
        query: Query,
        kind: Kind,
        picked: list[Chosen],
        *,
        reason: str | None = None,
        confidence: float = 0.0,
    ) -> Turn:
        composed = compose(with_absence(picked))
        cautions = (caution_for(build.articles[a.slug], self._today()) for a in composed.articles)
        return self._turn(
            build,
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

    def _act(self, build: Build, recalled: Recalled, query: Query) -> Turn:
        """ "More", "why?", "sources", "shorter", "yes": acts on the last answer."""
        if query.act is Act.GREETING:
            return self._turn(build, recalled, query, Kind.OUT_OF_SCOPE)
        last = last_asked(recalled)
        quoted = [t for t in recalled.turns if t.answer.get("sections")]
        if query.act is Act.YES:
            followups = recalled.turns[-1].answer.get("followups") if recalled.turns else None
            if followups:
                return self.answer(build, recalled, str(followups[0]))
        refused = last is not None and not last.answer.get("sections")
        if query.act is Act.WHY and last is not None and refused and last.answer.get("nearest"):
            # The last reply was a refusal: that is what "why?" is about.
            nearest = Nearest(**last.answer["nearest"])
            reason = str(last.answer.get("reason") or "no_statement")
            return self._turn(
                build, recalled, query, Kind.NOT_COVERED, reason=reason, nearest=nearest
            )
        if last is None or not quoted or query.act is Act.YES:
            return self._turn(
                build, recalled, query, Kind.NEEDS_CLARIFICATION, reason="nothing_to_explain"
            )
        answered = quoted[-1]
        again = [c for c in _find(build, _texts(answered)) if self.serves(c.article)]
        core = str(answered.answer.get("text_asked") or answered.question)
        slug = answered.topic if answered.topic in build.articles else None
        query = replace(query, text=core, slug=slug, read_as=f"{query.act.value}: {core}")
        picked = again
        if query.act is Act.SHORTER:
            picked = again[:1]
        elif query.act in (Act.MORE, Act.WHY) and slug is not None:
            shown = _texts(*quoted)
            hits = search_article(build, slug, core, self._vector(core))
            if query.act is Act.WHY:
                hits = _same_sources(build, hits, again)
            picked = choose(build, hits, core, self._rules, self._today(), shown=shown)
        if not picked:
            return self._turn(build, recalled, query, Kind.NOT_COVERED, reason="nothing_more")
        return self._quoting(build, recalled, query, Kind.ANSWERED, picked)

    def _turn(
        self,
        build: Build,
        recalled: Recalled,
        query: Query,
        kind: Kind,
        **said: object,
    ) -> Turn:
        slug = query.slug or recalled.topic
        article = build.articles.get(slug or "")
        before = build.articles.get(recalled.topic or "")
        asked = [query.question, query.text, *(t.question for t in recalled.turns)]
        sections = cast("tuple[AnswerSection, ...]", said.get("sections", ()))
        quoted = {q.text for section in sections for q in section.statements}
        shown = _texts(*recalled.turns) | quoted
        base = Turn(
            kind=kind,
            question=query.question,
            conversation_id=recalled.conversation_id,
            build=build.id,
            read_as=query.read_as,
            topic=_topic(article) if article else None,
            previous_topic=(
                _topic(before) if before and article and before.slug != article.slug else None
            ),
            text_asked=query.text,
            followups=(
                tuple(self.suggestions(article, asked, shown))
                if article and kind is not Kind.NEEDS_CLARIFICATION
                else ()
            ),
        )
        return replace(base, **said)  # type: ignore[arg-type]  # the fields of Turn, by name

    # ------------------------------------------------------------------ what a build needs once

    def _reader(self, build: Build) -> tuple[Topics, Cover]:
        if self._read is None or self._read[0] is not build:
            self._read = (build, Topics(build), Cover(build, self._rarity))
        return self._read[1], self._read[2]

    def _is_foreign(self, build: Build, query: Query) -> bool:
        """Whether the question is about other things than the store: on a topic, a short
        question ("in PHACE?") is unlike any passage and belongs all the same."""
        if query.slug is None:
            return True
        subjects = about(query.text)
        known = any(build.lexical.frequency(t) for t in subjects) or subjects & BINDING
        return len(subjects) > 1 and not known

    def _vector(self, text: str) -> Vectors:
        vector = np.asarray(self._embeddings.embed_query(text), np.float32)
        norm = float(np.linalg.norm(vector))
        return vector / norm if norm else vector


class Clock:
    """Milliseconds of wall time by step."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.ms[step] = self.ms.get(step, 0.0) + (time.perf_counter() - start) * 1000


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


def _alikeness(build: Build, hits: list[Hit], vector: Vectors) -> float:
    """Cosine similarity of the most alike of these passages; words in common do not count."""
    return max((float(build.vectors[h.row] @ vector) for h in hits), default=-1.0)


def _topic(article: Article) -> Topic:
    return Topic(article.slug, article.title, article.topic)


def _weight(missing: list[Missing]) -> float:
    return sum(m.weight for m in missing)


def _only_names(query: Query, topics: Topics) -> Query:
    """The query with the article, or the few articles, whose names are all it is about: "PDL?"."""
    sharing = topics.sharing(about(query.text))
    if len(sharing) == 1:
        return replace(query, slug=sharing[0])
    return replace(query, options=tuple(sharing[:4]))


def _all_missing(subjects: set[str], missing: list[Missing]) -> bool:
    """Whether nothing of what the question is about occurs in the article: "and recurrence?"."""
    return bool(subjects) and subjects <= {stem(m.word) for m in missing}


def _nearest(build: Build, hit: Hit) -> Nearest:
    passage = build.passages[hit.row]
    article, section = build.place(passage)
    return Nearest(article.slug, article.title, section.title)


def _texts(*turns: RememberedTurn) -> frozenset[str]:
    """The statements that these turns quoted."""
    return frozenset(
        q["text"] for t in turns for s in t.answer.get("sections", ()) for q in s["statements"]
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
