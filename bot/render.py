"""Every text that leaves the program, and the disclaimer at its end.

Whatever is to be said is first a `Message`: paragraphs with a style, and buttons. A door then
renders it (`plain`, `rich_text`, `telegram`; `bot.rich` where Telegram shows more), and it is here
that text is cleaned, escaped and split, and that the disclaimer is put last. The doors show the
same words in the same order; only links and emphasis differ.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from html import unescape
from string import ascii_uppercase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot import words
from bot.words import marked, tr, trn
from store.article import Caution, Part, Reference, Status, with_markers
from store.turn import ArticleNote, Composer, Kind, Note, Quote, Role, Source, Topic, Turn

if TYPE_CHECKING:
    from rich.text import Text

MAX_UNITS = 4096
"""UTF-16 code units in one Telegram message, after its entities are parsed."""
MAX_ENTITIES = 90
"""Telegram ignores what comes after the hundredth, which would be the disclaimer's quotation."""
MAX_DISCLAIMER_UNITS = 3000
MAX_DATA_BYTES = 64
MAX_BUTTON_CHARS = 40
"""What one row of a phone shows."""


# ------------------------------------------------------------------------------- the nouns


class Style(StrEnum):
    """What a paragraph is; each door decides how that looks."""

    PLAIN = "plain"
    HEADING = "heading"
    BULLET = "bullet"
    CAUTION = "caution"
    URGENT = "urgent"
    NOTE = "note"
    SOURCE = "source"
    READ_AS = "read_as"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words of one style. `link` is opened by `link_text`, a piece of `text`, or by all of it."""

    text: str
    style: Style = Style.PLAIN
    link: str | None = None
    link_text: str | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """A button, its text cleaned; `data` comes back when it is pressed, 1 to 64 bytes."""

    text: str
    data: str
    beside: bool = False
    """Whether it stands in the row of the one before it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", " ".join(_cleaned(self.text).split()))
        if not self.text:
            raise ValueError("A button needs a text.")
        if not 1 <= len(self.data.encode()) <= MAX_DATA_BYTES:
            raise ValueError(f"The data of a button must be 1 to {MAX_DATA_BYTES} bytes long.")


@dataclass(frozen=True, slots=True)
class Message:
    """All that is said at once, before it is rendered for a door, and the language it is said in:
    the one that is spoken where the message is made."""

    paragraphs: tuple[Paragraph, ...]
    buttons: tuple[Button, ...] = ()
    turn_id: int | None = None
    """The answer that it shows."""
    begun: Turn | None = field(default=None, compare=False)
    """The answer that it shows as far as it is written; None when that is whole."""
    language: str = field(default_factory=words.language)


@dataclass(frozen=True, slots=True)
class Disclaimer:
    """The disclaimer with the operator's name filled in, in English and by language in others;
    never empty, at most 3000 units."""

    text: str
    others: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _usable(self.text))
        object.__setattr__(self, "others", {k: _usable(v) for k, v in self.others.items()})

    def of(self, message: Message) -> str:
        """The disclaimer that a message ends with, in the language of the message."""
        return self.others.get(message.language, self.text)


def _usable(disclaimer: str) -> str:
    text = _cleaned(disclaimer).strip()
    if not text:
        raise ValueError("The disclaimer is empty.")
    if utf16_length(text) > MAX_DISCLAIMER_UNITS:
        raise ValueError(f"The disclaimer is longer than {MAX_DISCLAIMER_UNITS} UTF-16 code units.")
    return text


# ------------------------------------------------------------------------------- the words

REASONS: dict[str, str] = {
    "no_statement": marked("nothing in the article on this topic addresses it"),
    "not_in_store": marked("no vetted article addresses it"),
    "only_unreviewed": marked(
        "the only text that addresses it has not been reviewed, and unreviewed text is not shown"
    ),
    "needs_patient": marked("it depends on the individual patient and needs clinical assessment"),
    "not_spoken_of": marked("the article does not speak of some of what was asked"),
    "no_longer_there": marked(
        "what that answer quoted does not stand in the vetted articles any more"
    ),
    "nothing_more": marked("everything the vetted articles say about it has been shown"),
    "nothing_to_explain": marked("there is no previous answer to act on"),
    "no_topic": marked("the question does not say what it is about"),
}
"""Why a question is not answered, as the end of a sentence, by the code of the reason."""

PARTS: dict[Part, str] = {
    Part.GUIDELINES: marked("From the guidelines"),
    Part.RESEARCH: marked("From the research"),
}
STATUSES: dict[Status, str] = {
    Status.SUBMITTED: marked("submitted, not reviewed"),
    Status.UNDER_REVIEW: marked("under review"),
    Status.APPROVED: marked("approved"),
    Status.RETIRED: marked("retired"),
    Status.WITHDRAWN: marked("withdrawn"),
}

CAUTIONS: dict[Caution, str] = {
    Caution.UNDER_REVIEW: marked("Awaiting human review: read with caution."),
    Caution.REVIEW_OVERDUE: marked("Review date passed: this may be out of date."),
}

STUDY_KINDS: dict[str, str] = {
    "rct": marked("Randomised trial"),
    "randomised_trial": marked("Randomised trial"),
    "randomized_trial": marked("Randomised trial"),
    "nonrandomised_trial": marked("Non-randomised trial"),
    "nonrandomized_trial": marked("Non-randomised trial"),
    "clinical_trial": marked("Clinical trial"),
    "systematic_review": marked("Systematic review"),
    "meta_analysis": marked("Meta-analysis"),
    "guideline": marked("Guideline"),
    "consensus": marked("Consensus statement"),
    "regulatory": marked("Regulatory document"),
    "cohort": marked("Cohort study"),
    "case_control": marked("Case-control study"),
    "cross_sectional": marked("Cross-sectional study"),
    "case_series": marked("Case series"),
    "case_report": marked("Case report"),
    "narrative_review": marked("Narrative review"),
    "in_vitro": marked("Laboratory study"),
    "animal": marked("Animal study"),
    "expert_opinion": marked("Expert opinion"),
}
"""The kind of a source, in words. Kinds not listed are shown with spaces for underscores."""
RETRACTED = marked("RETRACTED.")

EMERGENCY = marked(
    "If this is an emergency: call the local emergency number now, or follow your local emergency"
    " protocol. Do not wait for this assistant."
)
SELF_HARM = marked(
    "If someone may harm themselves: do not leave them alone, and contact a crisis line or the"
    " psychiatric emergency service now."
)

NEXT: dict[Kind, str] = {
    Kind.NOT_COVERED: marked(
        "Next: ask about another aspect, name another treatment or condition, or search the primary"
        " literature."
    ),
    Kind.NEEDS_CLARIFICATION: marked("Next: name the treatment or condition in a few words."),
    Kind.OUT_OF_SCOPE: marked(
        "Next: ask a medical question that names a treatment, a product or a condition."
    ),
    Kind.PATIENT_SPECIFIC: marked(
        "Next: ask what the evidence says in general, without details of the patient."
    ),
    Kind.URGENT: marked("Next: once help is on its way, ask what the evidence says in general."),
}
"""What the reader can do after a reply of that kind that quotes nothing."""

NEXT_FOR_REASON: dict[str, str] = {
    "needs_patient": NEXT[Kind.PATIENT_SPECIFIC],
    "nothing_to_explain": marked(
        "Next: ask a question first; “why?”, “more” and “source?” act on its answer."
    ),
    "no_topic": NEXT[Kind.NEEDS_CLARIFICATION],
}

SEARCHING = marked("Searching the vetted articles…")
STILL_WRITING = marked("Still being written. What is shown has been checked.")
WRITTEN_BY_MODEL = marked(
    "Put into words by a language model; every sentence was checked against the statements that it"
    " cites. Words in quotation marks are the article's own."
)
NOTES: dict[Note, str] = {
    Note.UNAVAILABLE: marked(
        "Answered by quotation: the language model cannot be used at the moment."
    ),
    Note.UNSUPPORTED: marked(
        "Answered by quotation: too little of what the language model wrote is supported by the"
        " statements."
    ),
    Note.SPENT: marked("Answered by quotation: your use of the language model for today is spent."),
    Note.STOPPED: marked("Stopped here, before the end of the answer."),
}
"""Why an answer is quoted although a model is there to write it, or is not whole."""

THUMBS = {1: "👍", -1: "👎"}
"""The buttons of a vote, by what it counts."""

_MONTHS = [
    marked("Jan"), marked("Feb"), marked("Mar"), marked("Apr"), marked("May"), marked("Jun"),
    marked("Jul"), marked("Aug"), marked("Sep"), marked("Oct"), marked("Nov"), marked("Dec"),
]  # fmt: skip


# ------------------------------------------------------------------- a turn as a message


def reply(turn: Turn) -> Message:
    """The answer of a turn, of whatever kind, in reading order; while it is still being written,
    what there is of it."""
    if turn.unfinished:
        begun = (*_read_as(turn), *_topic_change(turn), *_caution(turn), *_answer(turn))
        return Message((*begun, Paragraph(tr(STILL_WRITING), Style.NOTE)), begun=turn)
    paragraphs = (
        *_urgent(turn),
        *_read_as(turn),
        *_topic_change(turn),
        *_caution(turn),
        *_opening(turn),
        *_answer(turn),
        *_abbreviations(turn),
        *_composer(turn),
        *_foreign(turn),
        *_conflicts(turn),
        *_sources(turn),
        *_next_step(turn),
        *_followups(turn),
    )
    return Message(paragraphs, tuple(_buttons(turn)), turn.id)


def _urgent(turn: Turn) -> Iterator[Paragraph]:
    if turn.kind is Kind.URGENT:
        lines = [SELF_HARM, EMERGENCY] if turn.reason == "self_harm" else [EMERGENCY]
        for line in lines:
            yield Paragraph(tr(line), Style.URGENT)


def _read_as(turn: Turn) -> Iterator[Paragraph]:
    if turn.read_as:
        question = " ".join(turn.read_as.split())
        yield Paragraph(tr("Read as: {question}", question=question), Style.READ_AS)


def _topic_change(turn: Turn) -> Iterator[Paragraph]:
    old, new = turn.previous_topic, turn.topic
    if old and new and old.slug != new.slug:
        changed = tr("Topic changed from “{old}” to “{new}”.", old=_name(old), new=_name(new))
        yield Paragraph(changed, Style.NOTE)
    elif old and not new:
        yield Paragraph(tr("Topic changed from “{old}”.", old=_name(old)), Style.NOTE)
    elif new and turn.kind is Kind.NEW_TOPIC:
        yield Paragraph(tr("New topic: “{new}”.", new=_name(new)), Style.NOTE)


def _caution(turn: Turn) -> Iterator[Paragraph]:
    if turn.caution is None:
        return
    told = tr(CAUTIONS[turn.caution])
    approved = any(a.status is Status.APPROVED for a in turn.articles)
    if turn.caution is Caution.UNDER_REVIEW and approved:
        told = tr("Partly awaiting human review, see Sources: read with caution.")
    if turn.articles and all(a.notice for a in turn.articles):
        told += "".join(f" {sentence(n)}" for n in dict.fromkeys(a.notice for a in turn.articles))
    yield Paragraph(told, Style.CAUTION)


def _opening(turn: Turn) -> Iterator[Paragraph]:
    """What kind of reply this is, where the quotes do not say it themselves."""
    if turn.kind is Kind.NEEDS_CLARIFICATION:
        yield from _clarification(turn)
        return
    if turn.kind is Kind.OUT_OF_SCOPE:
        yield Paragraph(
            tr(
                "This is outside what this assistant covers: it answers clinicians' medical"
                " questions from vetted articles."
            )
        )
        return
    if turn.kind is Kind.PATIENT_SPECIFIC:
        stays = tr(
            "A decision or prescription for one patient stays with the treating clinician and is"
            " not made here."
        )
        then = tr("What the vetted articles say in general:")
        yield Paragraph(f"{stays} {then}" if turn.sections else stays)
    if turn.uncovered and turn.sections:
        listed = ", ".join(in_quotes(w) for w in turn.uncovered)
        in_part = tr("Covered in part: the article does not speak of {words}.", words=listed)
        yield Paragraph(in_part, Style.NOTE)
    elif turn.kind is Kind.PARTLY_ANSWERED and turn.sections:
        yield Paragraph(_covered_in_part(turn))
    elif turn.kind is Kind.NOT_COVERED or not turn.sections:
        yield Paragraph(_not_covered(turn))
    else:
        return
    if turn.nearest:
        title, section = turn.nearest.title, _section_named(turn.nearest.section)
        yield Paragraph(
            tr("Nearest: “{title}”, section “{section}”.", title=title, section=section)
            if section
            else tr("Nearest: “{title}”.", title=title)
        )


def _section_named(title: str) -> str:
    """The title of a section, the part before its heading in the language that is spoken."""
    part, colon, heading = title.partition(":")
    return (tr(PARTS[Part(part)]) if part in set(Part) else part) + colon + heading


def _covered_in_part(turn: Turn) -> str:
    if turn.reason:
        return tr(
            "This answers part of the question. The rest is not covered: {why}.", why=_why(turn)
        )
    return tr("This answers part of the question. The rest is not covered.")


def _not_covered(turn: Turn) -> str:
    if turn.reason == "nothing_more":
        return tr("No further vetted statement answers this: {why}.", why=_why(turn))
    if _reason_is_told(turn):
        return tr("No vetted statement answers this: {why}.", why=_why(turn))
    return tr("No vetted statement answers this.")


def in_quotes(text: str) -> str:
    """The text in quotation marks."""
    return tr("“{text}”", text=text)


def _clarification(turn: Turn) -> Iterator[Paragraph]:
    why = f"{sentence(_why(turn))} " if turn.reason else ""
    if turn.options:
        yield Paragraph(why + tr("Which of these do you mean?"))
        for option in turn.options:
            yield Paragraph(_name(option), Style.BULLET)
    elif turn.reason == "nothing_to_explain":
        yield Paragraph(why)
    else:
        yield Paragraph(why + tr("Which treatment or condition do you mean?"))


def _reason_is_told(turn: Turn) -> bool:
    """Whether the reason says why nothing is quoted; that of an urgent reply may say what is."""
    return bool(turn.reason) and (turn.kind is not Kind.URGENT or turn.reason in REASONS)


def _why(turn: Turn) -> str:
    code = turn.reason or ""
    known = REASONS.get(code)
    return (tr(known) if known else code.replace("_", " ")).strip().rstrip(".")


def _answer(turn: Turn) -> Iterator[Paragraph]:
    labels = _labels(turn)
    for section in turn.sections:
        yield Paragraph(tr(PARTS[section.part]), Style.HEADING)
        for quote in section.statements:
            text = _quoted(quote, labels) + _kinds_of_study(quote, turn)
            if turn.composer is Composer.WRITTEN and not quote.basis:
                text = in_quotes(text)
            yield Paragraph(text, Style.BULLET)


def _kinds_of_study(quote: Quote, turn: Turn) -> str:
    """For researchers the kinds of study stand with the statement, not in the list alone."""
    if turn.role is not Role.RESEARCHER:
        return ""
    of = {source.n: source.reference for source in turn.sources}
    kinds = dict.fromkeys(words.inside(_study_kind(of[n])) for n in quote.citations if n in of)
    return f" ({', '.join(kinds)})" if kinds else ""


def _abbreviations(turn: Turn) -> Iterator[Paragraph]:
    if turn.abbreviations:
        listed = "; ".join(f"{short}: {full}" for short, full in turn.abbreviations)
        yield Paragraph(tr("Abbreviations. {listed}.", listed=listed), Style.NOTE)


def _composer(turn: Turn) -> Iterator[Paragraph]:
    """Who wrote it, where it was not quoted, and why it was quoted where a model should write."""
    if turn.composer is Composer.WRITTEN:
        told = tr(WRITTEN_BY_MODEL)
        if turn.replaced:
            told += " " + trn(
                "{n} sentence was not supported: quoted instead, or left out.",
                "{n} sentences were not supported: quoted instead, or left out.",
                turn.replaced,
            )
        yield Paragraph(told, Style.NOTE)
    if turn.note is not None:
        yield Paragraph(tr(NOTES[turn.note]), Style.NOTE)


def _foreign(turn: Turn) -> Iterator[Paragraph]:
    """To readers of other languages: the one of what is quoted, and of what can be asked."""
    if words.language() == words.ENGLISH:
        return
    if turn.sections:
        yield Paragraph(tr("The articles are quoted in their own language."), Style.NOTE)
    else:
        yield Paragraph(tr("Only questions in English are understood."), Style.NOTE)


def _quoted(quote: Quote, labels: dict[str, str]) -> str:
    if quote.marks:
        return with_markers(quote.text, quote.marks)
    if quote.citations:
        return with_markers(quote.text, ((len(quote.text), quote.citations),))
    return tr(
        "{text} (reported by {reporter} itself, no citation)",
        text=quote.text,
        reporter=labels.get(quote.article) or tr("the article"),
    )


def _conflicts(turn: Turn) -> Iterator[Paragraph]:
    if turn.conflicts:
        yield Paragraph(tr("Where the two parts disagree"), Style.HEADING)
        for conflict in turn.conflicts:
            yield Paragraph(conflict, Style.BULLET)


def _sources(turn: Turn) -> Iterator[Paragraph]:
    if not turn.sources and not turn.articles:
        return
    yield Paragraph(tr("Sources"), Style.HEADING)
    labels = _labels(turn)
    for source in turn.sources:
        yield _source(source, turn.articles, labels)
    for note in turn.articles:
        notice = f" · {note.notice}" if note.notice else ""
        label = _capital(labels[note.slug]) if len(labels) > 1 else tr("Article quoted")
        text = f"{label}: {in_quotes(note.title)} · {_standing(note)}{notice}"
        yield Paragraph(text, Style.SOURCE)


def _source(source: Source, notes: tuple[ArticleNote, ...], labels: dict[str, str]) -> Paragraph:
    """One numbered source: its kind, what it is, where it is found, and the articles it is from."""
    of = source.reference
    kind = _study_kind(of)
    graded = tr("{kind} (grade {grade})", kind=kind, grade=of.grade)
    kind = graded if of.grade else kind
    kind = f"{tr(RETRACTED)} {kind}" if of.retracted else kind
    identifier = _identifier(of)
    what = f"{sentence(_work(of))} {identifier}" if identifier else _work(of)
    return Paragraph(
        f"[{source.n}] {kind}. {what} · {_through(source, notes, labels)}",
        Style.SOURCE,
        of.link,
        identifier or (None if of.journal and of.authors else of.title),
    )


def _study_kind(of: Reference) -> str:
    known = STUDY_KINDS.get(of.kind)
    return tr(known) if known else _capital(of.kind.replace("_", " "))


def _through(source: Source, notes: tuple[ArticleNote, ...], labels: dict[str, str]) -> str:
    """The articles that a source came through, each with its status and date."""
    via = [note for note in notes if note.slug in source.articles]
    if not via:
        return tr("review status unknown")
    if len(labels) == 1:
        return tr("article {standing}", standing=_standing(via[0]))
    articles = ", ".join(f"{labels[note.slug]} ({_standing(note)})" for note in via)
    return tr("via {articles}", articles=articles)


def _work(of: Reference) -> str:
    """Author, journal and year; the title where author or journal do not tell which work it is."""
    parts = []
    if of.authors:
        first = of.authors[0]
        several = len(of.authors) > 1 and "et al" not in first
        parts.append(f"{first} et al." if several else first)
    if not (of.authors and of.journal):
        parts.append(in_quotes(of.title))
    published = " ".join(str(x) for x in (of.journal, of.year) if x)
    return ", ".join([*parts, published] if published else parts)


def _identifier(of: Reference) -> str:
    if of.pmid:
        return f"PMID {of.pmid}"
    if of.doi:
        return f"DOI {of.doi}"
    return of.accession or ""


def _standing(note: ArticleNote) -> str:
    status, day = tr(STATUSES[note.status]), day_text(note.updated)
    return tr("{status}, updated {day}", status=status, day=day)


def _labels(turn: Turn) -> dict[str, str]:
    """What the quoted articles are called in the reply, by slug: their titles are too long."""
    if len(turn.articles) == 1:
        return {turn.articles[0].slug: tr("the article")}
    letters = [*ascii_uppercase, *map(str, range(27, len(turn.articles) + 1))]
    named = zip(turn.articles, letters, strict=False)
    return {note.slug: tr("article {letter}", letter=letter) for note, letter in named}


def _next_step(turn: Turn) -> Iterator[Paragraph]:
    if turn.sections:
        return
    step = NEXT.get(turn.kind, NEXT[Kind.NOT_COVERED])
    if turn.kind is Kind.NEEDS_CLARIFICATION and turn.options:
        step = marked("Next: choose one of these, or name another treatment or condition.")
    elif turn.kind is not Kind.URGENT:
        step = NEXT_FOR_REASON.get(turn.reason or "", step)
    yield Paragraph(tr(step), Style.NOTE)


def _followups(turn: Turn) -> Iterator[Paragraph]:
    if turn.followups:
        yield Paragraph(tr("You could ask"), Style.HEADING)
        for question in turn.followups:
            yield Paragraph(question, Style.BULLET)


def _buttons(turn: Turn) -> Iterator[Button]:
    """Questions to ask, topics to choose and the way back.

    A turn that was not stored cannot be asked from; a slug too long for a button stays a line.
    """
    for i, question in enumerate(turn.followups):
        text = shortened(question, MAX_BUTTON_CHARS)
        if text and turn.id is not None:
            yield Button(text, f"ask:{turn.id}:{i}")
    old = turn.previous_topic
    topics = [(option, _name(option)) for option in turn.options]
    if old and not (turn.topic and turn.topic.slug == old.slug):
        topics.append((old, tr("Back to {topic}", topic=_name(old))))
    for topic, name in topics:
        data = f"topic:{topic.slug}"
        if len(data.encode()) <= MAX_DATA_BYTES:
            yield Button(shortened(name, MAX_BUTTON_CHARS), data)
    if turn.id is not None:
        yield from _elsewhere(turn)
        yield from _about_this(turn)


def _elsewhere(turn: Turn) -> Iterator[Button]:
    """The way to the article that comes closest, where that is another one: the reader knows
    whether it was meant."""
    at, near = turn.topic, turn.nearest
    if near and turn.kind is Kind.NOT_COVERED and (at is None or at.slug != near.slug):
        data = f"at:{turn.id}:{near.slug}"
        if len(data.encode()) <= MAX_DATA_BYTES:
            yield Button(tr("Ask the nearest article"), data)


def _about_this(turn: Turn) -> Iterator[Button]:
    """What can be done with this very answer, in rows of short buttons."""
    acts = [(tr("Sources"), "sources"), (tr("More"), "more")] if turn.sources else []
    if turn.topic is not None and turn.kind is not Kind.NEEDS_CLARIFICATION:
        acts.append((tr("Wrong topic?"), "wrong"))
    for i, (label, act) in enumerate(acts):
        yield Button(label, f"{act}:{turn.id}", beside=i > 0)
    if turn.kind not in (Kind.NEEDS_CLARIFICATION, Kind.URGENT):
        yield Button(THUMBS[1], f"up:{turn.id}")
        yield Button(THUMBS[-1], f"down:{turn.id}", beside=True)


def shortened(text: str, chars: int) -> str:
    """The text on one line, cut after a word where it is longer than that."""
    text = " ".join(_cleaned(text).split())
    if len(text) <= chars:
        return text
    return text[: _cut_at(text, chars - 1, (_WORD_END,))].rstrip(" ,;:") + "…"


def _name(topic: Topic) -> str:
    return topic.name or topic.title or topic.slug


def day_text(day: date) -> str:
    """A date as readers see it: "5 Mar 2026"."""
    month = tr(_MONTHS[day.month - 1])
    return tr("{day} {month} {year}", day=day.day, month=month, year=day.year)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text with a capital first and a full stop last."""
    text = _capital(text.strip())
    return text if text.endswith((".", "!", "?", ".”")) else f"{text}."


# ------------------------------------------------------------------------------- the doors


def plain(message: Message, disclaimer: str) -> str:
    """The message without colours, disclaimer last; nothing is wrapped."""
    return "".join(text for text, _, _ in _console(message, disclaimer))


def rich_text(message: Message, disclaimer: str) -> "Text":
    """The words of `plain`, with emphasis and links for a terminal."""
    from rich.style import Style as Look
    from rich.text import Text

    styled = Text()
    for text, look, link in _console(message, disclaimer):
        styled.append(text, Look.parse(look) + Look(link=link))
    return styled


def telegram(message: Message, disclaimer: str) -> list[str]:
    """The message as HTML, in parts that Telegram accepts, each with the disclaimer last."""
    ending = Disclaimer(disclaimer).text
    last = f"{_PARAGRAPH_GAP}{_QUOTE_START}{escaped(ending)}{_QUOTE_END}"
    return [_html(part) + last for part in divided(message, ending)]


def divided(message: Message, disclaimer: str) -> "list[list[Piece]]":
    """The message in parts, each of which Telegram accepts with the disclaimer behind it."""
    return _parts(_pieces(message), MAX_UNITS - utf16_length(_PARAGRAPH_GAP + disclaimer))


_LOOKS = {
    Style.HEADING: "bold cyan",
    Style.CAUTION: "bold yellow",
    Style.URGENT: "bold red",
    Style.NOTE: "italic",
    Style.READ_AS: "italic dim",
}


def _console(message: Message, disclaimer: str) -> Iterator[tuple[str, str, str | None]]:
    """Text, look and link of each run of words, in order."""
    ending = Disclaimer(disclaimer).text
    before: Piece | None = None
    for piece in _pieces(message):
        yield _gap(before, piece), "", None
        look = _LOOKS.get(piece.style, "")
        if piece.link:
            start, end = piece.span
            yield piece.text[:start], look, None
            yield piece.text[start:end], look, piece.link
            yield piece.text[end:], look, None
            yield f"\n    {piece.link}", "dim", piece.link
        else:
            yield piece.text, look, None
        before = piece
    yield _PARAGRAPH_GAP, "", None
    yield ending, "dim", None


# ------------------------------------------------------- paragraphs, cleaned and marked

MARKERS = {Style.BULLET: "• ", Style.CAUTION: "⚠️ ", Style.URGENT: "🚨 "}
_LINE_GAP, _PARAGRAPH_GAP = "\n", "\n\n"
_SHORT_BULLET_CHARS = 120
"""Longer bullets fill several lines of a phone and want a blank line between them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph as it is shown, or what a split left of it; `span` is what the link covers."""

    text: str
    style: Style
    link: str | None
    span: tuple[int, int]

    @property
    def entities(self) -> int:
        """The most formatting marks that Telegram makes of it."""
        return (self.style in _TAGS) + (self.style is Style.SOURCE) + (self.link is not None)

    def cut(self, units: int) -> "tuple[Piece, Piece]":
        """What fits into so many units, and the rest."""
        at = _cut_at(self.text, units, (_SENTENCE_END, _WORD_END, _SPACE))
        tail = self.text[at:].lstrip()
        gone = len(self.text) - len(tail)
        start, end = self.span
        return (
            Piece(self.text[:at], self.style, self.link, (min(start, at), min(end, at))),
            Piece(tail, self.style, self.link, (max(start - gone, 0), max(end - gone, 0))),
        )


def _pieces(message: Message) -> list[Piece]:
    """The paragraphs that say something; ValueError when none does."""
    pieces = [p for p in map(_piece, message.paragraphs) if p]
    if not pieces:
        raise ValueError("The message is empty.")
    return pieces


def _piece(paragraph: Paragraph) -> Piece | None:
    words = _cleaned(paragraph.text).strip()
    if not words:
        return None
    text = MARKERS.get(paragraph.style, "") + words
    linked = _cleaned(paragraph.link_text or "").strip()
    start = text.rfind(linked) if linked else -1
    span = (start, start + len(linked)) if start >= 0 else (len(text) - len(words), len(text))
    return Piece(text, paragraph.style, _safe_link(paragraph.link), span)


def _gap(before: Piece | None, after: Piece) -> str:
    """The white space between two paragraphs: what belongs together stays together."""
    if before is None:
        return ""
    if before.style is Style.HEADING or before.style is after.style is Style.SOURCE:
        return _LINE_GAP
    short = max(len(before.text), len(after.text)) <= _SHORT_BULLET_CHARS
    return _LINE_GAP if short and before.style is after.style is Style.BULLET else _PARAGRAPH_GAP


_REPLACED: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], None),
    **dict.fromkeys([0x09, 0x1C, 0x1D, 0x1E, 0x1F], " "),
    **dict.fromkeys([0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029], "\n"),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], None),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
"""Control characters, which Telegram strips and a terminal obeys; direction changes, which could
reorder what follows; lone surrogates, which cannot be sent."""


def _cleaned(text: str) -> str:
    return text.replace("\r\n", "\n").translate(_REPLACED)


def _safe_link(link: str | None) -> str | None:
    """The link when it is a web address and nothing else."""
    if link is None or link != _cleaned(link) or re.search(r"\s", link):
        return None
    try:
        address = urlsplit(link)
    except ValueError:
        return None
    return link if address.scheme in ("http", "https") and address.hostname else None


# ------------------------------------------------------------------ Telegram: HTML and parts

_TAGS = {
    Style.HEADING: "b",
    Style.CAUTION: "b",
    Style.URGENT: "b",
    Style.NOTE: "i",
    Style.READ_AS: "i",
}
_QUOTE_START, _QUOTE_END = "<blockquote expandable>", "</blockquote>"
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, in which Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def escaped(text: str) -> str:
    """The text with what would be markup written out."""
    return text.translate(_ESCAPES)


def _html(part: list[Piece]) -> str:
    """The pieces with their tags; sources that follow each other share one quotation."""
    out: list[str] = []
    for before, piece, after in zip([None, *part], part, [*part[1:], None], strict=False):
        source = piece.style is Style.SOURCE
        out.append(_gap(before, piece))
        if source and not (before and before.style is Style.SOURCE):
            out.append(_QUOTE_START)
        out.append(_piece_html(piece))
        if source and not (after and after.style is Style.SOURCE):
            out.append(_QUOTE_END)
    return "".join(out)


def _piece_html(piece: Piece) -> str:
    inside, tag = linked(piece), _TAGS.get(piece.style)
    return f"<{tag}>{inside}</{tag}>" if tag else inside


def linked(piece: Piece) -> str:
    """The words of a piece, escaped, with its link."""
    start, end = piece.span
    if not piece.link or start >= end:
        return escaped(piece.text)
    link = f'<a href="{escaped(piece.link)}">{escaped(piece.text[start:end])}</a>'
    return escaped(piece.text[:start]) + link + escaped(piece.text[end:])


def _parts(pieces: Iterable[Piece], room: int) -> list[list[Piece]]:
    """The pieces in parts of at most `room` units, divided between paragraphs where possible.

    A short heading goes with what follows it. A paragraph too long for any part begins in the
    current one when half of that is free.
    """
    parts: list[list[Piece]] = []
    part: list[Piece] = []
    used = entities = 0
    waiting = deque(pieces)
    while waiting:
        piece = waiting.popleft()
        size = utf16_length(piece.text)
        free = room - used - len(_gap(part[-1] if part else None, piece))
        if size <= free and entities + piece.entities <= MAX_ENTITIES:
            part.append(piece)
            used, entities = room - free + size, entities + piece.entities
            continue
        if part and (size <= room or free < room // 2):
            carried = part[-1:] if len(part) > 1 and _is_short_heading(part[-1], room) else []
            parts.append(part[: len(part) - len(carried)])
            waiting.extendleft([piece, *carried])
        else:
            head, tail = piece.cut(free)
            parts.append([*part, head])
            waiting.appendleft(tail)
        part, used, entities = [], 0, 0
    return [*parts, part] if part else parts


def _is_short_heading(piece: Piece, room: int) -> bool:
    return piece.style is Style.HEADING and utf16_length(piece.text) <= room // 4


_CITATION = r"\[\d[\d, ]*\]"
_SENTENCE_END = re.compile(
    r"\S(?=[ ]{0,9}\n)"
    rf"|[.!?…][\"'\u201d\u2019)\]]{{0,9}}(?: {_CITATION})?(?=\s{{1,9}}[^\s\[a-z])"
)
"""The end of a line or sentence. A citation stays with what it supports."""
_WORD_END = re.compile(r"\S(?=\s)(?!\s\[\d)(?!\s\d[\d, ]{0,40}\])")
_SPACE = re.compile(r"\S(?=\s)")
_LOOK_AHEAD_CHARS = 60


def _cut_at(text: str, units: int, ends: Iterable[re.Pattern[str]]) -> int:
    """Where to cut so that at most `units` UTF-16 units come before, at the best of the ends.

    With none of them in reach, between two characters as a reader sees them; when a single one is
    longer than that, between its code points.
    """
    fits = len(text.encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore"))
    if fits == len(text):
        return fits
    near = text[: fits + _LOOK_AHEAD_CHARS]
    for end in ends:
        found = [m.end() for m in end.finditer(near) if m.end() <= fits]
        if found:
            return found[-1]
    return next((at for at in range(fits, 0, -1) if not _joined(text, at)), fits)


_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA = 9
"""The combining class of the signs that join two consonants, as in Hindi."""


def _joined(text: str, at: int) -> bool:
    """Whether the characters before and after the position are seen as one."""
    before, after = text[at - 1], text[at]
    if _ZERO_WIDTH_JOINER in (before, after) or unicodedata.category(after).startswith("M"):
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        letters = at
        while letters > 0 and _is_flag_letter(text[letters - 1]):
            letters -= 1
        return (at - letters) % 2 == 1
    return (
        unicodedata.combining(before) == _VIRAMA
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= after <= "\U000e007f"  # tags of regional flags
        or "\u1160" <= after <= "\u11ff"  # Hangul vowels and finals
    )


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def telegram_plain(html: str) -> str:
    """The words of a part made by `telegram`, for a server that refuses its markup.

    The disclaimer stays last, because the words stay in order.
    """
    return unescape(re.sub(r"<[^>]+>", "", html))
