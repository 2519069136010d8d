"""What every door calls: recall, answer, remember.

`Assistant.ask` is the only way to an answer; every door calls it and renders the turn it returns.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from chains.answer import Answerer, Clock
from store.article import Article, ServingRules
from store.conversations import Database, Recalled
from store.errors import QuestionRefused, UnknownArticle
from store.library import Library
from store.turn import Kind, Turn

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

MAX_QUESTION_CHARS = 2000


class Assistant:
    """Answers questions from the served build, in the context of their conversation.

    `rarity` is how seldom a word is in general English, 0 to 1; `today` is injected for tests.
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
    ) -> None:
        self._library = library
        self._database = database
        self._answerer = Answerer(embeddings=embeddings, rules=rules, rarity=rarity, today=today)
        self.suggestions = self._answerer.suggestions

    async def ask(
        self, conversation_id: str, question: str, user_id: str = "console", slug: str | None = None
    ) -> Turn:
        """The turn that answers the question; it is remembered before it is returned.

        `slug` puts the question to that article whatever it names. Raises QuestionRefused for an
        empty or overlong question, StoreProblem or DatabaseProblem when nothing can be answered.
        """
        asked = readable(question)
        clock = Clock()
        with clock("recall"):
            recalled = await self._database.recall(conversation_id)
        async with self._library.borrow() as build:
            turn = await asyncio.to_thread(
                self._answerer.answer, build, recalled, asked, slug, clock
            )
        with clock("remember"):
            turn_id = await self._database.remember(user_id, turn)
        return replace(turn, id=turn_id, timings_ms=dict(clock.ms))

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
                f"There is no served article `{slug}`.", "`/articles` lists those there are."
            )
        return article


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
            f"The question has {len(kept):,} characters; at most {MAX_QUESTION_CHARS:,} are read.",
            "Ask it more briefly.",
        )
    return kept
