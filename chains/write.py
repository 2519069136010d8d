"""An answer in a model's words, of which nothing is shown that was not checked.

What the model writes is a draft. It is cut into sentences as it comes; each is checked against the
statements that it cites (`chains/grounding`). One that fails is replaced by the quotation that it
should have been, or dropped. When less than half of the sentences hold, or the model fails, the
answer stays what it was before: quotations.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chains.extract import Chosen, Line, assemble
from chains.grounding import Evidence, Grounder, Sentences, Verdict
from chains.llm import Allowance, ChatModel, ModelFailed
from prompts import digest, load
from store.article import Article, Caution, Part, weakest
from store.conversations import Recalled
from store.turn import Composer, Judged, Note, Receipt, Role, Turn

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

MOST_SENTENCES = 12
"""Further ones are not read: six statements need no more."""
LONGEST_SENTENCE = 600
"""Characters of one sentence; what is longer is no sentence to check."""
REWRITING_S = 6.0
"""The most time that reading the question may take of the turn's."""
NOTHING = "NOTHING"
"""What the model is told to write when the statements do not answer."""

_HEADING = re.compile(r"#{1,6}\s[^\n]*|\W*from the (?:guidelines|research)\W*", re.IGNORECASE)
"""What says where sentences belong; the reply has headings of its own."""

CautionOf = Callable[[Article], Caution | None]


@dataclass(slots=True)
class _Draft:
    """What has been made of the model's text so far."""

    text: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """Sentences that held."""
        return sum(j.supported for j in self.judged)

    def covered(self) -> set[str]:
        """The texts of the statements that the lines rest on."""
        return {c.statement.text for line in self.lines for c in line.basis}


class Writer:
    """Puts turns into words by a model. `timeout_s` is for all that one turn asks of it."""

    def __init__(
        self,
        model: ChatModel,
        grounder: Grounder,
        *,
        timeout_s: float = 20.0,
        second_opinion: bool = False,
        tokens_per_day: int = 0,
    ) -> None:
        self.model = model
        self.tokens_per_day = tokens_per_day
        self._grounder = grounder
        self._timeout_s = timeout_s
        self._second_opinion = second_opinion

    def allowance(self) -> Allowance:
        """What one turn may take."""
        return Allowance(self._timeout_s)

    async def rewrite(
        self, question: str, recalled: Recalled, topic: str, allowance: Allowance
    ) -> str:
        """What the model takes a follow-up for; ModelFailed. To be looked at by `rewrite.why_not`
        before it is used."""
        mark = secrets.token_hex(4)
        asked = "\n".join(f"Asked before: {_on_a_line(t.question)}" for t in recalled.turns[-4:])
        data = load(
            "conversation",
            mark=mark,
            topic=_on_a_line(topic),
            questions=asked,
            question=_on_a_line(question),
        )
        within = Allowance(min(REWRITING_S, allowance.seconds_left), allowance.calls_left)
        try:
            found = await self.model.answer(_messages(load("contextualize"), data), within)
        finally:
            allowance.add(within)
        return found.strip().strip("\"'“”").strip()

    async def write(
        self,
        turn: Turn,
        picked: Sequence[Chosen],
        caution: CautionOf,
        role: Role | None,
        allowance: Allowance,
    ) -> AsyncGenerator[Turn, None]:
        """The turn in the model's words, growing sentence by sentence; the last is whole.

        `picked` are the statements that the turn quotes. When the words cannot be had, or do not
        hold, the last is the turn as it was, with a note that says so.
        """
        keyed = _keyed(picked)
        key_of = {c.statement.text: key for key, c in keyed.items()}
        receipt = replace(
            turn.receipt,
            model=self.model.name,
            prompt=digest("answer", "material", f"register/{(role or Role.OTHER).value}"),
            retrieved=tuple(replace(r, key=key_of.get(r.text, "")) for r in turn.receipt.retrieved),
        )
        draft = _Draft()
        failure: str | None = None
        try:
            async with aclosing(self._drafted(turn, keyed, role, allowance, draft)) as grown:
                async for _ in grown:
                    if not self._second_opinion:
                        so_far = allowance.noted_in(_with_draft(receipt, draft))
                        yield _composed(turn, draft, caution, so_far, unfinished=True)
            if self._second_opinion:
                await self._ask_again(keyed, draft, allowance)
        except ModelFailed as e:
            failure = e.code
        receipt = replace(_with_draft(receipt, draft), failure=failure)
        receipt = allowance.noted_in(receipt)
        if failure is not None:
            yield replace(turn, note=Note.UNAVAILABLE, receipt=receipt)
        elif not draft.kept or 2 * draft.kept < len(draft.judged):
            yield replace(turn, note=Note.UNSUPPORTED, receipt=receipt)
        else:
            _complete(draft, picked)
            yield _composed(turn, draft, caution, receipt, unfinished=False)

    async def _drafted(
        self,
        turn: Turn,
        keyed: Mapping[str, Chosen],
        role: Role | None,
        allowance: Allowance,
        draft: _Draft,
    ) -> AsyncGenerator[None, None]:
        """Reads the model's answer into the draft; yields when a sentence has been added."""
        evidence = {k: Evidence(k, c.statement.text) for k, c in keyed.items()}
        register = load(f"register/{(role or Role.OTHER).value}")
        mark = secrets.token_hex(4)
        data = load(
            "material", mark=mark, question=turn.read_as or turn.question, statements=_listed(keyed)
        )
        messages = _messages(load("answer", register=register), data)
        sentences = Sentences()
        async with aclosing(self.model.stream(messages, allowance)) as pieces:
            async for piece in pieces:
                draft.text.append(piece)
                for sentence in sentences.feed(piece):
                    if len(draft.judged) >= MOST_SENTENCES:
                        return
                    if await self._add(sentence, keyed, evidence, draft):
                        yield
        for sentence in sentences.close():
            if len(draft.judged) >= MOST_SENTENCES:
                return
            if await self._add(sentence, keyed, evidence, draft):
                yield

    async def _add(
        self,
        sentence: str,
        keyed: Mapping[str, Chosen],
        evidence: Mapping[str, Evidence],
        draft: _Draft,
    ) -> bool:
        """Checks one sentence and puts it, or what stands for it, into the draft; whether anything
        was added."""
        if sentence.strip(" .") == NOTHING or _HEADING.fullmatch(sentence.strip()):
            return False
        verdict = await asyncio.to_thread(
            self._grounder.check, sentence[: LONGEST_SENTENCE + 1], evidence
        )
        if verdict.quoted is not None:
            return _quote(keyed[verdict.quoted], verdict, draft)
        cited = [keyed[k] for k in dict.fromkeys(verdict.citations) if k in keyed]
        supported, reason = verdict.supported, verdict.reason
        if len(sentence) > LONGEST_SENTENCE:
            supported, reason = False, "too_long"
        elif supported and len({c.section.part for c in cited}) > 1:
            # Nobody could tell what of it is a guideline's word.
            supported, reason = False, "merged_parts"
        judged = Judged(verdict.text, verdict.citations, supported, reason, verdict.detail)
        if supported:
            draft.judged.append(judged)
            draft.lines.append(Line(tuple(cited), verdict.text))
            return True
        instead = keyed.get(verdict.repair or "") or (cited[0] if cited else None)
        if instead is None or instead.statement.text in draft.covered():
            draft.judged.append(replace(judged, became="dropped"))
            return False
        draft.judged.append(replace(judged, became="replaced"))
        draft.lines.append(Line((instead,)))
        return True

    async def _ask_again(
        self, keyed: Mapping[str, Chosen], draft: _Draft, allowance: Allowance
    ) -> None:
        """Lets the model look at what held; it can only reject. Left out when no call is left."""
        written = [i for i, line in enumerate(draft.lines) if line.text is not None]
        if not written or allowance.calls_left < 1:
            return
        keys = {id(c): k for k, c in keyed.items()}
        listed = "\n".join(
            f"{n}. {draft.lines[i].text} [{', '.join(keys[id(c)] for c in draft.lines[i].basis)}]"
            for n, i in enumerate(written, 1)
        )
        data = load(
            "sentences", mark=secrets.token_hex(4), statements=_listed(keyed), sentences=listed
        )
        try:
            told = await self.model.answer(_messages(load("second_opinion"), data), allowance)
        except ModelFailed:
            return
        rejected = {int(n) for n in re.findall(r"\b\d{1,2}\b", told[:200])}
        for n, i in enumerate(written, 1):
            if n not in rejected:
                continue
            line = draft.lines[i]
            at = next(
                j for j, judged in enumerate(draft.judged)
                if judged.supported and judged.text == line.text
            )  # fmt: skip
            draft.judged[at] = replace(
                draft.judged[at], supported=False, reason="second_opinion", became="replaced"
            )
            draft.lines[i] = Line(line.basis[:1])


def _quote(statement: Chosen, verdict: Verdict, draft: _Draft) -> bool:
    """Puts a statement that was written down word for word, all of it or a sentence of it, into the
    draft as the quotation it is, with its own sources; whether it was not there yet."""
    draft.judged.append(Judged(verdict.text, verdict.citations, True, "quotation"))
    line = Line((statement,))
    new = line not in draft.lines
    if new:
        draft.lines.append(line)
    return new


def _complete(draft: _Draft, picked: Sequence[Chosen]) -> None:
    """Quotes what the model left out: which facts a reader is shown depends neither on the model
    nor on the words that it was asked to choose for the reader."""
    covered = draft.covered()
    draft.lines += [Line((c,)) for c in picked if c.statement.text not in covered]
    # The same statement quoted for two sentences is said once.
    once: dict[tuple[str, ...], Line] = {}
    for line in draft.lines:
        once.setdefault((line.text or "", *(c.statement.text for c in line.basis)), line)
    draft.lines = list(once.values())


def _with_draft(receipt: Receipt, draft: _Draft) -> Receipt:
    return replace(receipt, draft="".join(draft.text), judged=tuple(draft.judged))


def _composed(
    turn: Turn, draft: _Draft, caution: CautionOf, receipt: Receipt, *, unfinished: bool
) -> Turn:
    composed = assemble(draft.lines)
    of = {c.article.slug: c.article for line in draft.lines for c in line.basis}
    return replace(
        turn,
        sections=composed.sections,
        sources=composed.sources,
        articles=composed.articles,
        conflicts=composed.conflicts,
        caution=weakest(caution(of[note.slug]) for note in composed.articles),
        composer=Composer.WRITTEN,
        replaced=sum(not j.supported for j in draft.judged),
        unfinished=unfinished,
        receipt=receipt,
    )


def _keyed(picked: Sequence[Chosen]) -> dict[str, Chosen]:
    """Each statement under a key that cannot be guessed, so that an invented one is seen."""
    numbers = secrets.SystemRandom().sample(range(100, 1000), len(picked))
    return {f"S{n}": c for n, c in zip(numbers, picked, strict=True)}


def _listed(keyed: Mapping[str, Chosen]) -> str:
    """The statements by part, each with its key, one a line."""
    lines: list[str] = []
    for part in Part:
        own = [
            f"[{key}] {_on_a_line(c.statement.text)}"
            for key, c in keyed.items()
            if c.section.part is part
        ]
        lines += [part.value, *own] if own else []
    return "\n".join(lines)


def _on_a_line(text: str) -> str:
    return " ".join(text.split())


def _messages(system: str, data: str) -> "list[BaseMessage]":
    from langchain_core.messages import HumanMessage, SystemMessage

    return [SystemMessage(system), HumanMessage(data)]
