"""The commands that every door has, and the words they answer with."""

import hashlib
import re
import unicodedata
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace

from bot import following, languages, links, roles, voting, words
from bot import privacy as data
from bot.app import Program
from bot.receipts import receipt
from bot.render import (
    MAX_BUTTON_CHARS,
    MAX_DATA_BYTES,
    PARTS,
    RETRACTED,
    STATUSES,
    Button,
    Message,
    Paragraph,
    Style,
    day_text,
    reply,
    sentence,
    shortened,
)
from bot.words import marked, tr, trn
from prompts import translated
from store.article import Article, Part, Status, is_quotable, with_markers
from store.conversations import Recalled
from store.errors import CorollaryError, UnknownArticle


@dataclass(frozen=True, slots=True)
class Person:
    """Who is talking, and where: context is kept per conversation."""

    user_id: str
    conversation_id: str


Run = Callable[[Program, Person, str], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command, its place in the menu, and what it does."""

    name: str
    help: str
    run: Run


def message(*texts: str | Paragraph, buttons: tuple[Button, ...] = ()) -> Message:
    """A message of plain paragraphs."""
    return Message(tuple(t if isinstance(t, Paragraph) else Paragraph(t) for t in texts), buttons)


def problem(error: CorollaryError) -> Message:
    """An error as the person who met it should see it."""
    what = tr(error.text, **error.values)
    return message(what, *([tr(error.todo)] if error.todo else []))


LISTED = marked("/articles lists those there are.")
PROBLEMS = (
    marked("There is no article “{slug}” here."),
    LISTED,
    marked("The question has no words."),
    marked('Type a question, for example "and recurrence?".'),
    marked("The question has {n:,} characters; at most {most:,} are read."),
    marked("Ask it more briefly."),
)
"""What readers can meet in errors of `chains`; a test compares them. Others are for operators."""


async def answer(
    program: Program,
    person: Person,
    question: str,
    within: Recalled | None = None,
    slug: str | None = None,
) -> Message:
    """The reply to a question; a refused question is a reply too. `within` is another context to
    read it in, `slug` the article to put it to."""
    async with aclosing(answering(program, person, question, within, slug)) as growing:
        async for told in growing:
            last = told
    return last


async def answering(
    program: Program,
    person: Person,
    question: str,
    within: Recalled | None = None,
    slug: str | None = None,
) -> AsyncGenerator[Message, None]:
    """The reply while it is being written, each sentence checked; the last is whole."""
    turns = program.assistant.stream(
        person.conversation_id, question, person.user_id, slug, within=within
    )
    try:
        async with aclosing(turns):
            async for turn in turns:
                yield reply(turn)
    except CorollaryError as e:
        if e.exit_code != 1:
            raise
        yield problem(e)


async def start(program: Program, person: Person, args: str) -> Message:
    asks = await roles.known(program, person.user_id) is None
    lost: tuple[Paragraph, ...] = ()
    if slug := links.slug_in(args):
        try:
            told = await opened(program, person, slug)
        except UnknownArticle as e:
            lost = problem(e).paragraphs
        else:
            return _to_a_newcomer(told) if asks and told.turn_id is None else told
    elif links.is_damaged(args):
        lost = message(tr("That link opens no article."), tr(LISTED)).paragraphs
    served = await program.assistant.articles()
    first = [
        *lost,
        Paragraph("Corollary", Style.HEADING),
        Paragraph(
            trn(
                "Follow-up questions, answered word for word from {n} vetted article, with the"
                " source of every statement.",
                "Follow-up questions, answered word for word from {n} vetted articles, with the"
                " source of every statement.",
                len(served),
            )
        ),
        Paragraph(
            tr('Ask a question, or pick an article with /articles and follow up: "and recurrence?"')
        ),
        *_before_asking(),
    ]
    if asks:
        return Message((*first, *roles.question()), roles.buttons())
    return Message(tuple(first))


def _to_a_newcomer(told: Message) -> Message:
    """The article that a link opened, with what everybody is told and asked at the first start."""
    first = (*told.paragraphs, *_before_asking(), *roles.question())
    return Message(first, (*told.buttons, *roles.buttons()))


def _before_asking() -> list[Paragraph]:
    stay = [tr(languages.ARTICLES_STAY)] if words.language() != words.ENGLISH else []
    private = tr("Please type nothing that identifies a patient. /help, /privacy")
    return [Paragraph(text) for text in (*stay, private)]


async def help_(program: Program, person: Person, args: str) -> Message:
    listed = [Paragraph(f"/{c.name} – {tr(c.help)}", Style.BULLET) for c in COMMANDS.values()]
    texts = [Paragraph(p) for p in translated("help", words.language()).split("\n\n")]
    return Message((*texts, Paragraph(tr("Commands"), Style.HEADING), *listed))


async def articles(program: Program, person: Person, args: str) -> Message:
    return await listed(program, args)


async def listed(program: Program, wanted: str, page: int = 0) -> Message:
    """A page of the articles that have all of the words, with buttons to leaf through them."""
    served = await program.assistant.articles()
    words = list(dict.fromkeys(_folded(wanted).split()))
    chosen = _with_words(served, words)
    if not chosen:
        return message(
            tr(
                "No article matches “{words}”. /articles lists all {n}.",
                words=wanted,
                n=len(served),
            )
            if served
            else tr("No article is served at present.")
        )
    last = (len(chosen) - 1) // A_PAGE
    page = min(page, last)
    shown = chosen[page * A_PAGE : (page + 1) * A_PAGE]
    lines = [
        Paragraph(
            f"{a.topic} ({tr(STATUSES[a.effective_status()])}) – /article {a.slug}", Style.BULLET
        )
        for a in shown
    ]
    buttons = list(_buttons((a.topic, f"topic:{a.slug}") for a in shown))
    if last:
        lines.append(Paragraph(tr("Page {page} of {pages}.", page=page + 1, pages=last + 1)))
        turned = [("‹", page - 1)] * (page > 0) + [("›", page + 1)] * (page < last)
        leaves = _buttons((t, f"{PAGES}:{to}:{' '.join(words)}") for t, to in turned)
        buttons += [replace(b, beside=i > 0) for i, b in enumerate(leaves)]
        narrow = tr("/articles WORD shows those with a word.")
        lines.append(Paragraph(narrow))
    head = Paragraph(tr("Articles ({n})", n=len(chosen)), Style.HEADING)
    return Message((head, *lines), tuple(buttons))


def _with_words(served: Iterable[Article], words: list[str]) -> list[Article]:
    """The articles that have all of the words in what they are called, in the order of that."""
    called = ((a, _folded(" ".join((a.title, a.topic, *a.aliases)))) for a in served)
    found = [a for a, names in called if all(w in names for w in words)]
    return sorted(found, key=lambda a: a.topic.lower())


def _folded(text: str) -> str:
    """The text as it is searched: "CO₂" and "Co2" are the same, and quotation marks say nothing."""
    return re.sub(r"[\"“”„‘’']", "", unicodedata.normalize("NFKC", text)).casefold()


A_PAGE = 12
"""Articles on a page."""
PAGES = "list"
"""How the data of the buttons begins that leaf through the list."""


async def article(program: Program, person: Person, args: str) -> Message:
    name = args.strip()
    if not name:
        return message(tr("Which article? /articles lists them; then /article NAME opens one."))
    try:
        return await opened(program, person, name)
    except UnknownArticle as e:
        # It may be called by its topic, which is what people see of it.
        alike = _with_words(await program.assistant.articles(), _folded(name).split())
        if len(alike) == 1:
            return await opened(program, person, alike[0].slug)
        return await listed(program, name) if alike else problem(e)


async def opened(program: Program, person: Person, slug: str) -> Message:
    """The article as the topic; the answer, where a question waits for which topic is meant.
    UnknownArticle when there is none of that name."""
    found = await program.assistant.article(slug)
    turn = await program.assistant.choose_topic(person.conversation_id, slug, person.user_id)
    return reply(turn) if turn else card(program, found)


def card(program: Program, article: Article) -> Message:
    """An article as a subject: its title, where it stands in review, and what to ask of it."""
    suggested = program.assistant.suggestions(article)
    paragraphs = [
        Paragraph(article.title, Style.HEADING),
        Paragraph(standing(article)),
        Paragraph(tr("Ask a follow-up question about it.")),
        *(Paragraph(q, Style.BULLET) for q in suggested),
    ]
    if article.effective_status() is not Status.APPROVED:
        notice = [sentence(article.notice)] if article.notice else []
        note = " ".join((tr("Awaiting human review."), *notice))
        paragraphs.insert(2, Paragraph(note, Style.CAUTION))
    buttons = _buttons((q, f"probe:{_digest(q)}:{article.slug}") for q in suggested)
    return Message(tuple(paragraphs), buttons)


def _buttons(labelled: Iterable[tuple[str, str]]) -> tuple[Button, ...]:
    """The buttons whose data fits: with a very long slug the question stays a line."""
    return tuple(
        Button(shortened(t, MAX_BUTTON_CHARS), data)
        for t, data in labelled
        if len(data.encode()) <= MAX_DATA_BYTES
    )


def _digest(question: str) -> str:
    """What a button names its question by: after a reload another may stand in its place."""
    return hashlib.sha256(question.encode()).hexdigest()[:6]


def standing(article: Article) -> str:
    """The review steps with the present one marked, and the date of the last update."""
    status = article.effective_status()
    marked_steps = " › ".join(
        f"[{tr(text)}]" if step is status else tr(text) for step, text in STEPS.items()
    )
    where = marked_steps if status in STEPS else tr(STATUSES[status])
    day = day_text(article.updated)
    return tr("Review: {steps}. Last updated {day}.", steps=where, day=day)


STEPS: dict[Status, str] = {
    Status.SUBMITTED: marked("submitted"),
    Status.UNDER_REVIEW: marked("under review"),
    Status.APPROVED: marked("approved"),
}


def page(article: Article) -> Message:
    """The whole article as a clinician reads it."""
    paragraphs = [
        Paragraph(article.title, Style.HEADING),
        Paragraph(standing(article)),
    ]
    if article.notice:
        paragraphs.append(Paragraph(article.notice, Style.CAUTION))
    for part in Part:
        sections = [s for s in article.sections if s.part is part]
        if not sections:
            continue
        paragraphs.append(Paragraph(tr(PARTS[part]), Style.HEADING))
        for section in sections:
            if section.heading:
                paragraphs.append(Paragraph(section.heading, Style.NOTE))
            for s in section.statements:
                text = with_markers(s.text, s.marks)
                if not is_quotable(article, s):
                    text = tr("{text} (not quoted: no usable source)", text=text)
                paragraphs.append(Paragraph(text, Style.BULLET))
    if article.conflicts:
        paragraphs.append(Paragraph(tr("Where the parts disagree"), Style.HEADING))
        paragraphs += [
            Paragraph(with_markers(c.text, c.marks), Style.BULLET) for c in article.conflicts
        ]
    if article.references:
        paragraphs.append(Paragraph(tr("References"), Style.HEADING))
    for r in article.references:
        who = f"{r.authors[0]}{' et al.' if len(r.authors) > 1 else '.'} " if r.authors else ""
        where = " ".join(str(x) for x in (r.journal, r.year) if x)
        retracted = f"{tr(RETRACTED)} " if r.retracted else ""
        text = f"[{r.number}] {retracted}{who}{r.title}. {where}".rstrip(" .") + "."
        paragraphs.append(Paragraph(text, Style.SOURCE, r.link))
    return Message(tuple(paragraphs))


async def topic(program: Program, person: Person, args: str) -> Message:
    if args.strip():
        return await article(program, person, args)
    _, current = await program.assistant.context(person.conversation_id)
    if current is None:
        return message(tr("No topic yet. Ask a question, or open an article with /articles."))
    return card(program, current)


async def context(program: Program, person: Person, args: str) -> Message:
    recalled, current = await program.assistant.context(person.conversation_id)
    if current is None and not recalled.turns:
        return message(tr("Nothing is remembered yet. Your first question starts the context."))
    lines = [Paragraph(tr("What is remembered"), Style.HEADING)]
    lines.append(
        Paragraph(
            tr("Topic: “{topic}” (/topic NAME changes it)", topic=current.topic)
            if current
            else tr("Topic: none")
        )
    )
    for turn in recalled.turns[-4:]:
        lines.append(Paragraph(turn.read_as or turn.question, Style.BULLET))
    role_told = await roles.known(program, person.user_id)
    said = words.inside(tr(roles.NAMES[role_told])) if role_told else tr("not told")
    lines.append(Paragraph(tr("Role: {role}", role=said)))
    lines.append(Paragraph(tr("/new forgets all of it for your next question; the role stays.")))
    buttons = [Button(tr("Forget it: new topic"), "do:new")]
    if recalled.turns:
        buttons.append(Button(tr("Wrong topic?"), f"wrong:{recalled.turns[-1].id}", beside=True))
    buttons.append(Button(tr("Articles"), "do:articles"))
    buttons.append(Button(tr("Role"), "do:role", beside=True))
    return Message(tuple(lines), tuple(buttons))


async def new(program: Program, person: Person, args: str) -> Message:
    await program.assistant.start_anew(person.conversation_id, person.user_id)
    return message(tr("The context is forgotten. Ask a new question, or pick from /articles."))


async def sources(program: Program, person: Person, args: str) -> Message:
    return await answer(program, person, "sources")


async def feedback(program: Program, person: Person, args: str) -> Message:
    number = await program.database.latest_turn(person.conversation_id)
    user, conversation = person.user_id, person.conversation_id
    return await voting.comment(program, user, conversation, number, args)


async def why(program: Program, person: Person, args: str) -> Message:
    number = await program.database.latest_turn(person.conversation_id)
    found = await program.database.asked(number) if number is not None else None
    if found is None:
        return message(tr("Nothing has been answered yet. Ask a question first."))
    return receipt(*found)


async def role(program: Program, person: Person, args: str) -> Message:
    return await roles.command(program, person.user_id, args)


async def language(program: Program, person: Person, args: str) -> Message:
    return await languages.language(program, person.user_id, args)


async def privacy(program: Program, person: Person, args: str) -> Message:
    return data.privacy(program)


async def export(program: Program, person: Person, args: str) -> Message:
    return await data.export(program, person.user_id)


async def forget(program: Program, person: Person, args: str) -> Message:
    return data.asks_to_confirm()


COMMANDS: dict[str, Command] = {
    c.name: c
    for c in (
        Command("start", marked("what this is"), start),
        Command("help", marked("how to ask, and these commands"), help_),
        Command("articles", marked("the articles, or those with a WORD"), articles),
        Command("article", marked("open the article NAME"), article),
        Command("topic", marked("the current topic, or change it to NAME"), topic),
        Command("context", marked("what is remembered of this conversation"), context),
        Command("new", marked("forget the context"), new),
        Command("sources", marked("the sources of the last answer"), sources),
        Command("why", marked("how the last answer came about"), why),
        Command("feedback", marked("say what was good or wrong about the last answer"), feedback),
        Command("role", marked("what describes you best; it changes wording only"), role),
        Command("language", marked("the language of this assistant"), language),
        Command("privacy", marked("what is kept, and where"), privacy),
        Command("export", marked("all that is kept of you, as a file"), export),
        Command("forget", marked("erase all that is kept of you"), forget),
    )
}


def split(text: str) -> tuple[str, str]:
    """The name of a /command and what follows it, whatever white space stands between."""
    name, *rest = text.removeprefix("/").split(maxsplit=1) or [""]
    return name, rest[0].strip() if rest else ""


async def run(program: Program, person: Person, name: str, args: str) -> Message:
    """The reply to a command; an unknown one is told so."""
    command = COMMANDS.get(name.lower())
    if command is None:
        named = name[:32]
        return message(tr("There is no command /{name}. /help lists those there are.", name=named))
    return await command.run(program, person, args)


_ONE_TAP = frozenset({"new", "articles", "role"})
"""Commands that a button runs."""


async def _at(program: Program, person: Person, turn_id: int, slug: str) -> Message | None:
    """The question of an answer, put to another article. Raises UnknownArticle."""
    asked = await following.question_at(program, person.conversation_id, turn_id)
    if asked is None:
        return None
    await program.assistant.article(slug)
    question, before = asked
    return await answer(program, person, question, before, slug)


async def pressed(program: Program, person: Person, pressed_data: str) -> Message:
    """The reply to a button. `pressed_data` is untrusted: whoever presses can send anything."""
    try:
        return await _pressed(program, person, pressed_data)
    except UnknownArticle as e:
        return problem(e)


async def _pressed(program: Program, person: Person, pressed_data: str) -> Message:
    what, _, rest = pressed_data.partition(":")
    gone = message(tr("That button is out of date. Ask your question, or use /articles."))
    if told := await roles.pressed(program, person.user_id, pressed_data):
        return told
    if pressed_data == data.CONFIRMED:
        return await data.forget(program, person.user_id)
    if what == PAGES:
        page, _, wanted = rest.partition(":")
        if page.isascii() and page.isdecimal() and len(page) < 6:
            return await listed(program, wanted, int(page))
    if what == "topic" and rest:
        return await opened(program, person, rest)
    if what == "do" and rest in _ONE_TAP:
        return await COMMANDS[rest].run(program, person, "")
    if vote := voting.read(pressed_data):
        told, _ = await voting.pressed(program, person.user_id, person.conversation_id, vote)
        return told
    if what == languages.PRESSED:
        return await languages.language(program, person.user_id, rest)
    number, _, other = rest.partition(":")
    if what == "probe":
        found = await program.assistant.article(other)
        for probe in found.answerable:
            if _digest(probe.question) == number:
                await program.database.set_topic(person.user_id, person.conversation_id, other)
                return await answer(program, person, probe.question)
        return gone
    # Nine digits: PostgreSQL refuses to compare an id with more than it can hold.
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        return gone
    turn_id = int(number)
    if what == "ask" and other.isascii() and other.isdecimal() and len(other) < 3:
        turn = await program.database.turn(person.conversation_id, turn_id)
        offered = turn.answer.get("followups", []) if turn else []
        if int(other) < len(offered):
            within = await following.after(program, person.conversation_id, turn_id)
            return await answer(program, person, str(offered[int(other)]), within)
    if what in following.ACTS and not other:
        if await program.database.turn(person.conversation_id, turn_id) is None:
            return gone
        within = await following.after(program, person.conversation_id, turn_id)
        return await answer(program, person, following.ACTS[what], within)
    if what == "wrong" and not other:
        return await following.other_topics(program, person.conversation_id, turn_id) or gone
    if what == "at":
        return await _at(program, person, turn_id, other) or gone
    return gone


__all__ = [
    "COMMANDS",
    "Person",
    "answer",
    "message",
    "page",
    "pressed",
    "problem",
    "run",
    "split",
]
