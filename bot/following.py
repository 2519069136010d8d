"""What can be done with an answer that was shown: more of it, its sources, another topic.

A button names its answer, so an old one acts on what it stands under, not on what was said since.
"""

from bot.app import Program
from bot.render import (
    MAX_BUTTON_CHARS,
    MAX_DATA_BYTES,
    Button,
    Message,
    Paragraph,
    Style,
    shortened,
)
from bot.words import tr
from chains.contextualize import Act, act_of
from store.conversations import Recalled
from store.records import RememberedTurn

ACTS = {"more": "more", "sources": "sources"}
"""The buttons that act on an answer, and the words that do the same."""
MOST_TOPICS = 4


async def after(program: Program, conversation_id: str, turn_id: int) -> Recalled | None:
    """The context to go on from that answer, when it is another than what the conversation has
    come to."""
    if await program.database.latest_turn(conversation_id) == turn_id:
        return None
    return await program.assistant.context_after(conversation_id, turn_id)


async def other_topics(program: Program, conversation_id: str, turn_id: int) -> Message | None:
    """Which topic the question was about instead; None when there is no such answer."""
    turn = await program.database.turn(conversation_id, turn_id)
    before = await program.assistant.context_before(conversation_id, turn_id)
    if turn is None or before is None:
        return None
    question = _asked(turn)
    # What was under discussion comes first, then what the question is like.
    spoken_of = [t for t in (before.topic, *(e.topic for e in reversed(before.turns))) if t]
    known = {a.slug: a for a in await program.assistant.articles()}
    named = [(s, known[s].topic) for s in dict.fromkeys(spoken_of) if s in known]
    taken = {turn.topic or "", *(slug for slug, _ in named)}
    likest = await program.assistant.other_topics(question, taken)
    offered = [(s, name) for s, name in named if s != turn.topic]
    offered += [(t.slug, t.name) for t in likest]
    offered = offered[:MOST_TOPICS]
    lines = [Paragraph(tr("“{question}”: which topic is meant?", question=question))]
    if turn.topic in known:
        current = known[turn.topic].topic
        lines.append(Paragraph(tr("It was taken to be about “{topic}”.", topic=current)))
    lines += [Paragraph(f"{name} – /topic {slug}", Style.BULLET) for slug, name in offered]
    lines.append(Paragraph(tr("None of these? /articles WORD finds others.")))
    buttons = tuple(
        Button(shortened(name, MAX_BUTTON_CHARS), data)
        for slug, name in offered
        if len((data := f"at:{turn_id}:{slug}").encode()) <= MAX_DATA_BYTES
    )
    return Message(tuple(lines), buttons)


def _asked(turn: RememberedTurn) -> str:
    """What the turn asked; for "more" and the like, what it went on about."""
    if act_of(turn.question) is Act.ASK:
        return turn.question
    return str(turn.answer.get("text_asked") or turn.question)


async def question_at(
    program: Program, conversation_id: str, turn_id: int
) -> tuple[str, Recalled] | None:
    """The question of that answer, and the context it was asked in, to put it to another topic."""
    turn = await program.database.turn(conversation_id, turn_id)
    before = await program.assistant.context_before(conversation_id, turn_id)
    return (_asked(turn), before) if turn is not None and before is not None else None
