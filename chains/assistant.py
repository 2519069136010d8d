"""What every door calls: recall, answer, write, remember.

`Assistant.ask` is the only way to an answer; every door calls it and renders the turn it returns.
`stream` is the same for doors that can show an answer while it grows.
"""

import asyncio
import logging
import time
import unicodedata
from collections.abc import AsyncGenerator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from chains.answer import Answerer, Clock
from chains.contextualize import OVERVIEW, Act, act_of
from chains.extract import quoted_in
from chains.glossary import spelled_out
from chains.llm import Allowance, ModelFailed
from chains.rewrite import why_not
from store.article import Article, ServingRules
from store.conversations import AskedBefore, Database, Recalled
from store.errors import QuestionRefused, UnknownArticle
from store.index import Build
from store.lexical import words
from store.library import Library, set_apart
from store.people import role_named, role_of
from store.turn import Kind, Note, Role, Topic, Turn

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from chains.write import Writer

log = logging.getLogger("corollary")

MAX_QUESTION_CHARS = 2000
WRITTEN = frozenset({Kind.ANSWERED, Kind.PARTLY_ANSWERED, Kind.NEW_TOPIC})
"""Kinds of reply that a model may put into words. An emergency and an order for one patient are
answered by quotations alone."""


class Assistant:
    """Answers questions from the served build, in the context of their conversation.

    `rarity` is how seldom a word is in general English, 0 to 1; `today` is injected for tests.
    Without a `writer` answers are quotations. `timer` measures the steps of a turn, in seconds.
    """

    def __init__(
        self,
        *,
        library: Library,
        database: Database,
        embeddings: "Embeddings",
        rules: ServingRules,
        rarity: Callable[[str], float],
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
        writer: "Writer | None" = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._library = library
        self._database = database
        self._writer = writer
        self._timer = timer
        self._answerer = Answerer(embeddings=embeddings, rules=rules, rarity=rarity, today=today)
        # One: two would take turns at the interpreter all the same, and each with its own cold
        # memory. What the loop does for an answer takes longer than this does.
        self._thread = ThreadPoolExecutor(1, "answers")
        self.suggestions = self._answerer.suggestions
        # Reading a large store takes seconds: no question waits for that but the first of all.
        library.prepare = self._prepare

    async def ask(
        self,
        conversation_id: str,
        question: str,
        user_id: str = "console",
        slug: str | None = None,
        role: Role | None = None,
        within: Recalled | None = None,
    ) -> Turn:
        """The turn that answers the question; it is remembered before it is returned.

        `slug` puts the question to that article whatever it names; `role` bears on the wording,
        and is what the user has said when not given; `within` is another context to read the
        question in than what the conversation has come to.
        Raises QuestionRefused for an empty or overlong question, StoreProblem or DatabaseProblem
        when nothing can be answered. A model that fails is not an error: the answer is quoted.
        """
        async with aclosing(
            self.stream(conversation_id, question, user_id, slug, role, within)
        ) as turns:
            async for turn in turns:
                last = turn
        return last

    async def stream(
        self,
        conversation_id: str,
        question: str,
        user_id: str = "console",
        slug: str | None = None,
        role: Role | None = None,
        within: Recalled | None = None,
    ) -> AsyncGenerator[Turn, None]:
        """As `ask`, the turn while it grows: sentences come in one by one, each checked. The last
        is whole and is remembered before it is handed out; those before it are `unfinished`."""
        asked = readable(question)
        clock = Clock(self._timer)
        with clock("recall"):
            recalled = within or await self._database.recall(conversation_id, user_id=user_id)
            writes = await self._may_write(user_id)
            if role is None and within is not None:
                role = await role_of(self._database, user_id)
            role = role or role_named(recalled.role)
        async with self._library.borrow() as build:
            turns = self.answering(build, recalled, asked, slug, role, clock, writes=writes)
            async with aclosing(turns):
                async for turn in turns:
                    if turn.unfinished:
                        yield turn
        with clock("remember"):
            turn_id = await self._database.remember(user_id, turn)
        yield replace(turn, id=turn_id, timings_ms=dict(clock.ms))

    async def answering(
        self,
        build: Build,
        recalled: Recalled,
        asked: str,
        slug: str | None = None,
        role: Role | None = None,
        clock: Clock | None = None,
        *,
        writes: bool = True,
    ) -> AsyncGenerator[Turn, None]:
        """As `stream`, from a given build and context; nothing is read from or written to the
        database. Without `writes` the answer is quoted."""
        clock = clock or Clock(self._timer)
        turn = await self._answered(build, recalled, asked, slug, clock)
        writer = self._writer
        if writer is not None and not writes:
            turn = replace(turn, note=Note.SPENT if _is_writable(turn) else None)
        elif writer is not None:
            allowance = writer.allowance()
            if slug is None:
                turn = await self._reread(writer, build, recalled, turn, clock, allowance)
            if _is_writable(turn) and turn.note is None:
                picked = quoted_in(build, turn)
                drafts = writer.write(turn, picked, self._answerer.caution, role, allowance)
                with clock("write"):
                    async with aclosing(drafts):
                        async for turn in drafts:
                            if turn.unfinished:
                                yield worded_for(role, turn, build)
        yield worded_for(role, turn, build)

    async def stopped(self, begun: Turn, user_id: str) -> Turn:
        """The turn whose reader had read enough, as far as it had come; it is remembered as any
        other, for what it quotes was shown. Raises DatabaseProblem."""
        turn = replace(begun, unfinished=False, note=Note.STOPPED)
        return replace(turn, id=await self._database.remember(user_id, turn))

    async def prepare(self) -> Turn | None:
        """Makes ready what the first question would wait for, by answering what nobody asked: the
        turn, which is not remembered; None when no article is served."""
        async with self._library.borrow() as build:
            turn = await asyncio.to_thread(self._prepare, build)
        await asyncio.to_thread(set_apart)
        return turn

    def _prepare(self, build: Build) -> Turn | None:
        self._answerer.knowledge(build)
        served = next((a for a in build.articles.values() if self._answerer.serves(a)), None)
        try:
            if served is not None:
                return self._answerer.answer(build, Recalled("nobody", served.slug), OVERVIEW)
        except Exception as e:  # noqa: BLE001 - a build is not refused for what nobody asked
            log.error("build %s: not tried out: %s", build.id, type(e).__name__)
        return None

    async def _answered(
        self,
        build: Build,
        recalled: Recalled,
        asked: str,
        slug: str | None,
        clock: Clock,
        standalone: str | None = None,
    ) -> Turn:
        """As `Answerer.answer`, while the loop goes on."""
        given = build, recalled, asked, slug, clock, standalone
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._answerer.answer, *given)

    async def _may_write(self, user_id: str) -> bool:
        """Whether the reader has tokens of the day left for a model to write with."""
        limit = self._writer.tokens_per_day if self._writer else 0
        return not limit or await self._database.tokens_spent(user_id) < limit

    async def _reread(
        self,
        writer: "Writer",
        build: Build,
        recalled: Recalled,
        turn: Turn,
        clock: Clock,
        allowance: Allowance,
    ) -> Turn:
        """The turn as the model reads a follow-up, where that holds and finds an answer; else the
        turn as it was."""
        asked_anew = turn.read_as and act_of(turn.question) is Act.ASK and recalled.turns
        if not asked_anew or turn.kind is Kind.NEEDS_CLARIFICATION:
            return turn
        try:
            with clock("rewrite"):
                found = await writer.rewrite(
                    turn.question, recalled, turn.topic.title if turn.topic else "", allowance
                )
        except ModelFailed as e:
            receipt = allowance.noted_in(replace(turn.receipt, failure=e.code))
            # It will not do better a moment later; a slow reading leaves time for the writing.
            writable = _is_writable(turn) and e.code not in {
                "timeout",
                "crowded",
                "empty",
                "declined",
            }
            return replace(turn, note=Note.UNAVAILABLE if writable else None, receipt=receipt)
        if words(found) == words(turn.question):
            # Read as it stands: the rules' reading says more.
            as_asked = replace(turn.receipt, rewritten=None)
            return replace(turn, receipt=allowance.noted_in(as_asked))
        known = self._answerer.knowledge(build)
        refused = await asyncio.to_thread(why_not, found, turn.question, recalled, known)
        receipt = allowance.noted_in(
            replace(
                turn.receipt,
                model=writer.model.name,
                rewritten=None if refused else found,
                rewrite_refused=refused,
            )
        )
        if refused is None:
            again = await self._answered(build, recalled, turn.question, None, clock, found)
            if again.sections:
                seen = replace(receipt, retrieved=again.receipt.retrieved)
                return replace(again, receipt=seen)
        return replace(turn, receipt=receipt)

    async def choose_topic(self, conversation_id: str, slug: str, user_id: str) -> Turn | None:
        """Puts the conversation on an article. When the last reply had asked which topic was
        meant, or had left this article for another, its question is answered there; None
        otherwise. Raises UnknownArticle."""
        recalled = await self._database.recall(conversation_id)
        await self.article(slug)
        await self._database.set_topic(user_id, conversation_id, slug)
        last = recalled.turns[-1] if recalled.turns else None
        # A question that names its topic was not misread.
        misread = last is not None and last.answer.get("read_as")
        left = (last.answer.get("previous_topic") or {}) if last is not None and misread else {}
        if last is not None and (
            last.kind == Kind.NEEDS_CLARIFICATION or left.get("slug") == slug != last.topic
        ):
            return await self.ask(conversation_id, last.question, user_id, slug)
        return None

    async def context_after(self, conversation_id: str, turn_id: int) -> Recalled | None:
        """The context as it was after that turn; None when the conversation has no such turn."""
        found = await self._asked_here(conversation_id, turn_id)
        if found is None:
            return None
        return Recalled(conversation_id, found.turn.topic, (*found.before.turns, found.turn)[-8:])

    async def context_before(self, conversation_id: str, turn_id: int) -> Recalled | None:
        """The context that the turn was asked in; None when the conversation has no such turn."""
        found = await self._asked_here(conversation_id, turn_id)
        return found.before if found else None

    async def _asked_here(self, conversation_id: str, turn_id: int) -> AskedBefore | None:
        found = await self._database.asked(turn_id)
        if found is None or found[0].before.conversation_id != conversation_id:
            return None
        return found[0]

    async def other_topics(self, question: str, slugs: Collection[str]) -> list[Topic]:
        """Served articles that the question may be about, the likest first; none of these."""
        async with self._library.borrow() as build:
            likest = await asyncio.to_thread(self._answerer.likest, build, question)
        served = (a for a in likest if a.slug not in slugs and self._answerer.serves(a))
        return [Topic(a.slug, a.title, a.topic) for a in served]

    async def start_anew(self, conversation_id: str, user_id: str) -> None:
        """Forgets the context of the conversation."""
        await self._database.start_anew(user_id, conversation_id)

    async def context(self, conversation_id: str) -> tuple[Recalled, Article | None]:
        """What is remembered of the conversation, and the article it is about."""
        recalled = await self._database.recall(conversation_id)
        async with self._library.borrow() as build:
            return recalled, build.articles.get(recalled.topic or "")

    async def articles(self) -> list[Article]:
        """The served articles, by title."""
        async with self._library.borrow() as build:
            served = [a for a in build.articles.values() if self._answerer.serves(a)]
        return sorted(served, key=lambda a: a.title.lower())

    async def article(self, slug: str) -> Article:
        """A served article; UnknownArticle when there is none."""
        async with self._library.borrow() as build:
            article = build.articles.get(slug)
        if article is None or not self._answerer.serves(article):
            raise UnknownArticle(
                "There is no article “{slug}” here.",
                "/articles lists those there are.",
                slug=slug,
            )
        return article


def worded_for(role: Role | None, turn: Turn, build: Build) -> Turn:
    """The turn as the role is told it: the same quotes and sources, whatever the role. Who is in
    training gets the abbreviations written out that the articles explain."""
    abbreviations: tuple[tuple[str, str], ...] = ()
    if role is Role.TRAINEE:
        slugs = dict.fromkeys([a.slug for a in turn.articles])
        articles = [build.articles[slug] for slug in slugs if slug in build.articles]
        abbreviations = spelled_out((q.text for q in turn.quotes()), articles)
    return replace(turn, role=role, abbreviations=abbreviations)


_QUOTED_AGAIN = frozenset({Act.SOURCES, Act.WHY, Act.SHORTER})
"""Acts on the last answer that want its statements as they stand."""


def _is_writable(turn: Turn) -> bool:
    """Whether the turn quotes, and is of a kind that a model may put into words."""
    said_anew = act_of(turn.question) not in _QUOTED_AGAIN
    return turn.kind in WRITTEN and bool(turn.sections) and said_anew


def readable(question: str) -> str:
    """The question with control characters and lone surrogates gone; QuestionRefused when nothing
    is left or it is too long."""
    kept = "".join(
        " " if c in "\n\r\t" else c
        for c in question
        if c in "\n\r\t\u200d" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    )
    kept = " ".join(kept.split())
    if not any(c.isalnum() for c in kept):
        raise QuestionRefused(
            "The question has no words.", 'Type a question, for example "and recurrence?".'
        )
    if len(kept) > MAX_QUESTION_CHARS:
        raise QuestionRefused(
            "The question has {n:,} characters; at most {most:,} are read.",
            "Ask it more briefly.",
            n=len(kept),
            most=MAX_QUESTION_CHARS,
        )
    return kept
