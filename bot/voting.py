"""Thumbs up and down under an answer, a comment with them, and what comes of it for admins.

A vote can be changed; the last one counts. Comments are read by the operator, and whoever writes
one is told so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.app import Program, operator_of
from bot.render import THUMBS, Message, Paragraph, Style, shortened
from bot.words import marked, tr
from store.people import LONGEST_COMMENT, Vote, vote, votes

VALUES = {"up": 1, "down": -1}
CHOSEN = " ✓"
MOST_COMMENTS = 20
GONE = marked("That answer is not kept any more, so nothing can be said of it.")
WHY = marked("What was wrong with that answer? Reply to this message in a few words, or leave it.")
NO_ANSWER = marked("Nothing has been answered yet. Ask a question first.")


@dataclass(frozen=True, slots=True)
class Pressed:
    """A thumb under an answer."""

    turn_id: int
    value: int


def read(data: str) -> Pressed | None:
    """What a button says of which answer; None when it is no vote. `data` is untrusted."""
    what, _, number = data.partition(":")
    if what in VALUES and number.isascii() and number.isdecimal() and len(number) < 10:
        return Pressed(int(number), VALUES[what])
    return None


async def count(program: Program, user_id: str, conversation_id: str, press: Pressed) -> bool:
    """Counts the vote; False when the answer is not theirs, or gone."""
    return await vote(program.database, user_id, conversation_id, press.turn_id, press.value)


def ticked(buttons: Sequence[tuple[str, str]], press: Pressed) -> list[tuple[str, str]]:
    """The labels and data of the buttons under the answer, with the thumb that counts ticked."""
    of = {f"{name}:{press.turn_id}": value for name, value in VALUES.items()}
    return [
        (THUMBS[of[data]] + CHOSEN * (of[data] == press.value), data)
        if data in of
        else (label, data)
        for label, data in buttons
    ]


def asks_why(program: Program) -> Message:
    """Asks for a comment, once a thumb went down."""
    return _message(tr("Thank you."), tr(WHY), _who_reads(program))


def _who_reads(program: Program) -> Paragraph:
    told = tr(
        "{operator} reads it; please name no patient.", operator=operator_of(program.settings)
    )
    return Paragraph(told, Style.NOTE)


def _message(*texts: str | Paragraph) -> Message:
    return Message(tuple(t if isinstance(t, Paragraph) else Paragraph(t) for t in texts))


async def pressed(
    program: Program, user_id: str, conversation_id: str, press: Pressed
) -> tuple[Message, bool]:
    """The reply to a vote where no button can be ticked, and whether it counted."""
    if not await count(program, user_id, conversation_id, press):
        return _message(tr(GONE)), False
    if press.value < 0:
        return asks_why(program), True
    return _message(tr("Noted, thank you. /feedback adds a comment.")), True


async def comment(
    program: Program, user_id: str, conversation_id: str, turn_id: int | None, text: str
) -> Message:
    """Keeps a comment on an answer."""
    whole = " ".join(text.split())
    said = whole[:LONGEST_COMMENT]
    if turn_id is None:
        return _message(tr(NO_ANSWER))
    if not said:
        asked = tr("Type it behind the command: /feedback the dose was missing")
        return _message(asked, _who_reads(program))
    if not await vote(program.database, user_id, conversation_id, turn_id, comment=said):
        return _message(tr(GONE))
    if said != whole:
        cut = tr(
            "Noted, thank you. The first {n} characters of the comment were kept with the answer.",
            n=LONGEST_COMMENT,
        )
        return _message(cut, tr("A shorter comment takes its place."))
    return _message(tr("Noted, thank you. The comment was kept with the answer."))


# ------------------------------------------------------------------- what comes of it


async def summary(program: Program, since: datetime | None = None) -> list[Paragraph]:
    """Counts and comments for admins; empty when nobody said anything."""
    return paragraphs(await votes(program.database, since))


def paragraphs(found: Sequence[Vote], most: int = MOST_COMMENTS) -> list[Paragraph]:
    """The same of these votes, with at most so many comments."""
    if not found:
        return []
    lines = [Paragraph(f"Feedback: {_counted(found)}", Style.HEADING)]
    by_topic: dict[str, list[Vote]] = {}
    for one in found:
        by_topic.setdefault(one.topic or "no topic", []).append(one)
    lines += [Paragraph(f"{t}: {_counted(v)}", Style.BULLET) for t, v in sorted(by_topic.items())]
    said = [one for one in found if one.comment]
    if said:
        lines.append(Paragraph("Comments", Style.HEADING))
    for one in said[:most]:
        mark = f"{THUMBS[one.value]} " if one.value else ""
        text = f"{mark}on answer {one.turn_id}: {shortened(one.comment, 300)}"
        lines.append(Paragraph(text, Style.BULLET))
    if len(said) > most:
        lines.append(Paragraph(f"… and {len(said) - most} more: `corollary feedback`."))
    return lines


def _counted(found: Sequence[Vote]) -> str:
    counts = Counter(one.value for one in found)
    people = len({one.user_id for one in found})
    who = "1 person" if people == 1 else f"{people} people"
    return f"{counts[1]} {THUMBS[1]}, {counts[-1]} {THUMBS[-1]} from {who}"


def as_json(found: Sequence[Vote]) -> dict[str, Any]:
    """The same as programs read it; nothing in it says who somebody is."""
    counts = Counter(one.value for one in found)
    return {
        "up": counts[1],
        "down": counts[-1],
        "people": len({one.user_id for one in found}),
        "said": [
            {
                "turn": one.turn_id,
                "vote": one.value,
                "comment": one.comment,
                "at": one.given_at.isoformat(),
                "topic": one.topic,
            }
            for one in found
        ],
    }
