"""How an answer came about, in words: `/why` and `corollary turns`."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot import render
from bot.render import Message, Paragraph, Style, day_text
from bot.words import marked, tr
from store.records import AskedBefore, StoredTurn
from store.turn import Kind, Turn, turn_dict

MOST_LOOKED = 6
"""Statements listed for a reader; `corollary turns show ID --json` has all that are kept."""
MOST_DRAFT_CHARS = 1500

FATES = {
    "kept": marked("kept"),
    "replaced": marked("replaced by a quotation"),
    "dropped": marked("left out"),
}
REASONS = {
    "ok": marked("supported"),
    "quotation": marked("word for word"),
    "no_citation": marked("cites nothing"),
    "unknown_citation": marked("cites what was not given"),
    "number": marked("a number differs"),
    "unit": marked("a unit differs"),
    "negation": marked("says the opposite"),
    "direction": marked("turns the direction round"),
    "arm": marked("mixes up the groups compared"),
    "population": marked("speaks of other people"),
    "route": marked("another route"),
    "frequency": marked("another frequency or time"),
    "certainty": marked("is surer than the statement"),
    "causal": marked("claims a cause that the statement does not"),
    "overgeneral": marked("says more than the statement"),
    "merged_studies": marked("joins what no statement joins"),
    "merged_parts": marked("mixes guidelines and research"),
    "entity": marked("names what no statement names"),
    "unlike": marked("is not what the statement says"),
    "link": marked("has a link"),
    "reference": marked("has a reference of its own"),
    "instruction": marked("tells the reader what to do"),
    "not_prose": marked("is no sentence"),
    "too_long": marked("is too long to check"),
    "second_opinion": marked("rejected by the second look"),
}
"""What the reasons of the check mean."""
KINDS: dict[Kind, str] = {
    Kind.ANSWERED: marked("answered"),
    Kind.PARTLY_ANSWERED: marked("partly answered"),
    Kind.NOT_COVERED: marked("not covered"),
    Kind.NEEDS_CLARIFICATION: marked("needs clarification"),
    Kind.NEW_TOPIC: marked("new topic"),
    Kind.OUT_OF_SCOPE: marked("out of scope"),
    Kind.PATIENT_SPECIFIC: marked("patient specific"),
    Kind.URGENT: marked("urgent"),
}
URGENT: dict[str, str] = {
    "emergency": marked("signs of an emergency"),
    "self_harm": marked("signs that somebody may harm themselves"),
}
"""Why a reply is an urgent one, by the codes of `chains.safety`."""
FAILED: dict[str, str] = {
    "timeout": marked("It did not answer in time."),
    "crowded": marked("It had too many others to answer first."),
    "key": marked("It refuses the key."),
    "credit": marked("It refuses: no credit is left."),
    "busy": marked("It refuses: too many requests."),
    "server": marked("It has an internal error."),
    "unreachable": marked("It cannot be reached."),
    "no_model": marked("It does not know this model."),
    "refused": marked("It refused the request."),
    "malformed": marked("It sent something that is no answer."),
    "cut": marked("It broke off in the middle of an answer."),
    "empty": marked("It sent an empty answer."),
    "declined": marked("It declined to answer."),
    "not_text": marked("It sent something other than text."),
    "paused": marked("It is left alone for a while after repeated failures."),
    "calls": marked("It needed more calls than one question may take."),
}
"""How the language model failed, by the codes of `chains.llm`."""


def in_words(code: str, detail: str) -> str:
    """Why a sentence was judged so: "a number differs (“63.6%” is in no cited statement)"."""
    reason = tr(REASONS[code]) if code in REASONS else code
    return f"{reason} ({detail})" if detail else reason


def receipt(asked: AskedBefore, stored: StoredTurn) -> Message:
    """How the turn came about, for whoever asked it or keeps the articles."""
    return Message(tuple(_lines(asked, stored)))


def _lines(asked: AskedBefore, stored: StoredTurn) -> Iterator[Paragraph]:
    turn, answer, told = asked.turn, asked.turn.answer, stored.receipt
    yield Paragraph(tr("How answer {id} came about", id=turn.id), Style.HEADING)
    day = day_text(asked.asked_at.date())
    yield Paragraph(tr("Asked {day}: {question}", day=day, question=turn.question))
    if turn.read_as:
        yield Paragraph(tr("Read as: {question}", question=turn.read_as), Style.READ_AS)
    kind = tr(KINDS[Kind(turn.kind)]) if turn.kind in set(Kind) else turn.kind
    reason = answer.get("reason")
    because = tr("{kind}, because: {reason}", kind=kind, reason=_in_words(reason or ""))
    lines = [tr("Reply: {kind}.", kind=because if reason else kind)]
    if told.get("retrieved"):
        # "Sources", say, compares nothing.
        confidence = answer.get("confidence", 0)
        lines.append(tr("Confidence {confidence:.2f} (of 1).", confidence=confidence))
    lines.append(tr("Build {build}.", build=stored.build))
    yield Paragraph(" ".join(lines))
    yield from _looked(told, answer)
    yield from _model(told, answer)
    spent = ", ".join(f"{step} {ms:.0f}" for step, ms in stored.timings_ms.items())
    if spent:
        yield Paragraph(tr("Milliseconds: {steps}.", steps=spent), Style.NOTE)


def _in_words(code: str) -> str:
    """The reason of a reply; that of another version of the program as it is."""
    known = render.REASONS.get(code) or URGENT.get(code)
    return tr(known) if known else code.replace("_", " ")


def _looked(told: dict[str, Any], answer: Mapping[str, Any]) -> Iterator[Paragraph]:
    looked = told.get("retrieved") or []
    if not looked:
        return
    shown = {
        q["text"]
        for s in answer.get("sections", ())
        for said in s["statements"]
        for q in said.get("basis") or (said,)
    }
    yield Paragraph(tr("Statements found, best first"), Style.HEADING)
    for found in looked[:MOST_LOOKED]:
        used = tr("used") if found["text"] in shown else tr("not used")
        yield Paragraph(f"{found['score']:.2f}, {used}: {found['text']}", Style.BULLET)


def _model(told: dict[str, Any], answer: Mapping[str, Any]) -> Iterator[Paragraph]:
    if not told.get("calls") and not told.get("failure"):
        yield Paragraph(tr("No language model took part: the statements are quoted."))
        return
    model = told.get("model") or tr("set")
    yield Paragraph(tr("The language model: {model}", model=model), Style.HEADING)
    yield Paragraph(_spent(told))
    if told.get("rewritten"):
        yield Paragraph(tr("It took the question for: {question}", question=told["rewritten"]))
    if why := told.get("rewrite_refused"):
        yield Paragraph(tr("Its reading of the question was not used: {why}.", why=why))
    if code := told.get("failure"):
        failed = tr(FAILED[code]) if code in FAILED else f"{code}."
        yield Paragraph(f"{failed} " + tr("No word of it was used."))
    for judged in told.get("judged") or ():
        why = in_words(judged["reason"], judged.get("detail") or "")
        became = judged["became"]
        fate = tr(FATES[became]) if became in FATES else became
        yield Paragraph(f"{fate}: {judged['text']} – {why}", Style.BULLET)


def _spent(told: dict[str, Any]) -> str:
    of = {
        "calls": told.get("calls", 0),
        "tokens_in": told.get("tokens_in", 0),
        "tokens_out": told.get("tokens_out", 0),
        "prompt": str(told.get("prompt", ""))[:12],
    }
    if told.get("estimated"):
        return tr(
            "{calls} calls, about {tokens_in} tokens in and {tokens_out} out. Prompt {prompt}.",
            **of,
        )
    return tr("{calls} calls, {tokens_in} tokens in and {tokens_out} out. Prompt {prompt}.", **of)


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


def _told(answer: Mapping[str, Any]) -> tuple[Any, ...]:
    return (answer.get("kind"), *_statements(answer))


def _statements(answer: Mapping[str, Any]) -> list[str]:
    return [q["text"] for s in answer.get("sections", ()) for q in s["statements"]]


def _summary(answer: Mapping[str, Any]) -> dict[str, Any]:
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
