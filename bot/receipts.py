"""How an answer came about, in words: `/why` and `corollary turns`."""

from collections.abc import Iterator
from typing import Any

from bot.render import Message, Paragraph, Style, day_text
from chains.llm import WORDS
from store.records import AskedBefore, StoredTurn
from store.turn import Turn, turn_dict

MOST_LOOKED = 6
"""Statements listed for a reader; `corollary turns show ID --json` has all that are kept."""
MOST_DRAFT_CHARS = 1500

FATES = {"kept": "kept", "replaced": "replaced by a quotation", "dropped": "left out"}
REASONS = {
    "ok": "supported",
    "quotation": "word for word",
    "no_citation": "cites nothing",
    "unknown_citation": "cites what was not given",
    "number": "a number differs",
    "unit": "a unit differs",
    "negation": "says the opposite",
    "direction": "turns the direction round",
    "arm": "mixes up the groups compared",
    "population": "speaks of other people",
    "route": "another route",
    "frequency": "another frequency or time",
    "certainty": "is surer than the statement",
    "causal": "claims a cause that the statement does not",
    "overgeneral": "says more than the statement",
    "merged_studies": "joins what no statement joins",
    "merged_parts": "mixes guidelines and research",
    "entity": "names what no statement names",
    "unlike": "is not what the statement says",
    "link": "has a link",
    "reference": "has a reference of its own",
    "instruction": "tells the reader what to do",
    "not_prose": "is no sentence",
    "too_long": "is too long to check",
    "second_opinion": "rejected by the second look",
}
"""What the reasons of the check mean."""


def in_words(code: str, detail: str) -> str:
    """Why a sentence was judged so: "a number differs (“63.6%” is in no cited statement)"."""
    return f"{REASONS.get(code, code)} ({detail})" if detail else REASONS.get(code, code)


def receipt(asked: AskedBefore, stored: StoredTurn) -> Message:
    """How the turn came about, for whoever asked it or keeps the articles."""
    return Message(tuple(_lines(asked, stored)))


def _lines(asked: AskedBefore, stored: StoredTurn) -> Iterator[Paragraph]:
    turn, answer, told = asked.turn, asked.turn.answer, stored.receipt
    yield Paragraph(f"How answer {turn.id} came about", Style.HEADING)
    yield Paragraph(f"Asked {day_text(asked.asked_at.date())}: {turn.question}")
    if turn.read_as:
        yield Paragraph(f"Read as: {turn.read_as}", Style.READ_AS)
    reason = f", because: {answer['reason']}" if answer.get("reason") else ""
    yield Paragraph(
        f"Reply: {turn.kind.replace('_', ' ')}{reason}. "
        f"Confidence {answer.get('confidence', 0):.2f} (of 1). Build {stored.build}."
    )
    yield from _looked(told, answer)
    yield from _model(told, answer)
    spent = ", ".join(f"{step} {ms:.0f}" for step, ms in stored.timings_ms.items())
    if spent:
        yield Paragraph(f"Milliseconds: {spent}.", Style.NOTE)


def _looked(told: dict[str, Any], answer: dict[str, Any]) -> Iterator[Paragraph]:
    looked = told.get("retrieved") or []
    if not looked:
        return
    shown = {
        q["text"]
        for s in answer.get("sections", ())
        for said in s["statements"]
        for q in said.get("basis") or (said,)
    }
    yield Paragraph("Statements found, best first", Style.HEADING)
    for found in looked[:MOST_LOOKED]:
        used = "used" if found["text"] in shown else "not used"
        yield Paragraph(f"{found['score']:.2f}, {used}: {found['text']}", Style.BULLET)


def _model(told: dict[str, Any], answer: dict[str, Any]) -> Iterator[Paragraph]:
    if not told.get("calls") and not told.get("failure"):
        yield Paragraph("No language model took part: the statements are quoted.")
        return
    yield Paragraph(f"The language model: {told.get('model') or 'set'}", Style.HEADING)
    counted = "about " if told.get("estimated") else ""
    yield Paragraph(
        f"{told.get('calls', 0)} calls, {counted}{told.get('tokens_in', 0)} tokens in and "
        f"{told.get('tokens_out', 0)} out. Prompt {str(told.get('prompt', ''))[:12]}."
    )
    if told.get("rewritten"):
        yield Paragraph(f"It took the question for: {told['rewritten']}")
    if told.get("rewrite_refused"):
        yield Paragraph(f"Its reading of the question was not used: {told['rewrite_refused']}.")
    if told.get("failure"):
        code = told["failure"]
        yield Paragraph(f"It {WORDS.get(code, code)}. No word of it was used.")
    for judged in told.get("judged") or ():
        why = in_words(judged["reason"], judged.get("detail") or "")
        fate = FATES.get(judged["became"], judged["became"])
        yield Paragraph(f"{fate}: {judged['text']} – {why}", Style.BULLET)


def receipt_dict(asked: AskedBefore, stored: StoredTurn) -> dict[str, Any]:
    """The same as programs read it."""
    return {
        "turn": asked.turn.id,
        "asked_at": asked.asked_at.isoformat(),
        "question": asked.turn.question,
        "topic_before": asked.before.topic,
        "asked_before": [t.question for t in asked.before.turns],
        "answer": asked.turn.answer,
        "receipt": stored.receipt,
        "build": stored.build,
        "timings_ms": stored.timings_ms,
    }


def compared(asked: AskedBefore, stored: StoredTurn, again: Turn) -> dict[str, Any]:
    """What a turn was and what it is now, and whether the reader is told the same."""
    then, now = asked.turn.answer, turn_dict(again)
    return {
        "turn": asked.turn.id,
        "question": asked.turn.question,
        "same": _told(then) == _told(now),
        "then": {"build": stored.build, **_summary(then)},
        "now": {"build": again.build, **_summary(now)},
    }


def _told(answer: dict[str, Any]) -> tuple[Any, ...]:
    return (answer.get("kind"), *_statements(answer))


def _statements(answer: dict[str, Any]) -> list[str]:
    return [q["text"] for s in answer.get("sections", ()) for q in s["statements"]]


def _summary(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": answer.get("kind"),
        "read_as": answer.get("read_as"),
        "composer": answer.get("composer", "quoted"),
        "note": answer.get("note"),
        "statements": _statements(answer),
        "sources": [s["key"] for s in answer.get("sources", ())],
    }


def comparison(found: dict[str, Any]) -> Message:
    """The comparison in words."""
    then, now = found["then"], found["now"]
    lines = [
        Paragraph(f"Answer {found['turn']}, asked again", Style.HEADING),
        Paragraph(found["question"]),
        Paragraph("The reader is told the same." if found["same"] else "The answer differs."),
    ]
    for name, side in (("Then", then), ("Now", now)):
        about = f"{name}: {side['kind']}, {side['composer']}, build {side['build']}"
        lines.append(Paragraph(about, Style.HEADING))
        other = now if side is then else then
        for text in side["statements"]:
            mark = "" if text in other["statements"] else "(only here) "
            lines.append(Paragraph(f"{mark}{text}", Style.BULLET))
    return Message(tuple(lines))
