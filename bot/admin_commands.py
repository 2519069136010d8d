"""The commands of those who keep the articles, as they work in Telegram.

For everybody else they do not exist; who an admin is, `bot.handlers` decides before anything here
is called. A command takes its words and returns one message, as those in `bot.commands` do. A long
one tells meanwhile how far it has come; the first paragraph of its message is the summary.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePath

from bot import admin as keeping
from bot import commands, reports, voting
from bot.app import Program, articles_dir
from bot.cli_shared import moment
from bot.commands import Person, message, page, problem
from bot.render import MAX_DATA_BYTES, STATUSES, Button, Message, Paragraph, Style
from store.article import MOVES, Article, Move, Status
from store.errors import CorollaryError, ReviewRefused, UnknownArticle
from store.index import Progress
from store.parse import MAX_BYTES, ParsedFile
from store.reload import as_it_stands
from store.report import Report

MOST_LINES = 20
VOTES_BACK = timedelta(days=30)
MOST_PROBLEMS = 100
SHA_DIGITS = 8
"""How much of the SHA-256 a button carries; `store.review` takes no fewer."""
UPLOADS = (".md", ".markdown")

_SLUG = r"[a-z0-9][a-z0-9_-]{0,57}"
_BUTTON = re.compile(
    rf"review:(?:({'|'.join(Move)}):([0-9a-f]{{{SHA_DIGITS}}})([a-z]):)?({_SLUG})", re.ASCII
)
_BY_LETTER = {status.value[0]: status for status in Status}
"""A button carries the first letter of the status that it was offered for."""
_BEGINS_SHA256 = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WAITING = (Status.SUBMITTED, Status.UNDER_REVIEW)

MOVE_LABELS: dict[Move, str] = {
    Move.SUBMIT: "Hand in again",
    Move.START: "Start the review",
    Move.APPROVE: "Approve",
    Move.RETURN: "Return to the author",
    Move.RETIRE: "Retire",
    Move.WITHDRAW: "Withdraw",
}


def anew() -> Message:
    """To an admin who did not just type it."""
    return message("Send it anew: an edited or forwarded message is not carried out.")


def no_file() -> Message:
    return message("The file could not be fetched from Telegram.", "Send it again.")


def interrupted(command: str | None) -> Message:
    """Of a command, or of a button, that an earlier run had begun when it was killed."""
    lines = (command or "").splitlines()
    return message(
        *(Paragraph(line[:48], Style.HEADING) for line in lines[:1]),
        "This was being carried out when the program was ended. It was not begun again.",
        "/builds and /audit show what was done. Send it again if it is still wanted.",
    )


def _silent(step: str, done: int, total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Admin:
    """Who keeps the articles, and where a long command tells how far it has come."""

    person: Person
    progress: Progress = _silent

    @property
    def who(self) -> str:
        """As the audit and the reviews name them: by number, for no names are stored."""
        return self.person.user_id


Run = Callable[[Program, Admin, str], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class AdminCommand:
    """A command, its place in the admins' menu, and what it does."""

    name: str
    help: str
    run: Run
    long: bool = False
    """Whether it takes so long that it tells how far it has come, and nobody waits for it."""


# --------------------------------------------------------------------------- builds


async def reload(program: Program, admin: Admin, args: str) -> Message:
    words = set(args.lower().split())
    if words - {"check", "force"}:
        return message("The words after /reload are: check, force.")
    report = await keeping.reload_now(
        program.desk,
        who=admin.who,
        check_only="check" in words,
        force="force" in words,
        progress=admin.progress,
    )
    return _reported(program, report)


async def rollback(program: Program, admin: Admin, args: str) -> Message:
    words = args.split()
    named = [w for w in words if w.lower() != "force"]
    if len(named) > 1:
        return message("Name one build: /rollback BUILD. /builds lists them.")
    report = await keeping.roll_back_now(
        program.desk,
        who=admin.who,
        to=named[0] if named else None,
        force=len(named) < len(words),
        progress=admin.progress,
    )
    after = "The folder has not changed: the next /reload serves it again."
    return _reported(program, report, after)


def _reported(program: Program, report: Report, *after: str) -> Message:
    """The summary first, for it takes the place of the progress."""
    folder = f"{articles_dir(program.settings)}/"
    *details, summary = (
        _one_line(line).replace(folder, "") for line in reports.report_lines(report)
    )
    return message(summary, *_bullets(details), *after)


async def builds(program: Program, admin: Admin, args: str) -> Message:
    found = await keeping.builds(program.desk)
    if not found:
        return message("No build yet. /reload makes one.")
    marks = {(True, False): " – served", (False, True): " – the one before"}
    lines = [
        f"{b.id}{marks.get((b.served, b.previous), '')}: {b.created_at[:16].replace('T', ' ')}, "
        f"{reports.count(b.articles, 'article')}, {reports.count(b.passages, 'passage')}"
        for b in found
    ]
    return message(
        Paragraph(f"Builds ({len(found)})", Style.HEADING),
        *_bullets(lines[:MOST_LINES]),
        "/rollback serves the one before, /rollback BUILD that one.",
    )


# --------------------------------------------------------------------------- review


async def review(program: Program, admin: Admin, args: str) -> Message:
    slug, _, rest = " ".join(args.split()).partition(" ")
    if not slug:
        return await _awaiting(program)
    if not re.fullmatch(_SLUG, slug):
        return _no_article(slug)
    if not rest:
        return await _folder_text(program, slug)
    word, _, rest = rest.partition(" ")
    if word.lower() not in [m.value for m in Move]:
        return message(
            f"There is no move “{word[:32]}”. The moves: {', '.join(Move)}.",
            "/review SLUG shows an article and what can be done with it.",
        )
    expect, rest = _leading(_BEGINS_SHA256, rest)
    day, note = _leading(_DATE, rest)
    try:
        review_by = date.fromisoformat(day) if day else None
    except ValueError:
        return message(f"{day} is not a date.")
    return await _decided(program, admin, slug, Move(word.lower()), expect, review_by, note)


def _leading(pattern: re.Pattern[str], text: str) -> tuple[str | None, str]:
    """The first word when it has that form, and what follows."""
    first, _, rest = text.partition(" ")
    return (first, rest) if pattern.fullmatch(first) else (None, text)


async def _decided(
    program: Program,
    admin: Admin,
    slug: str,
    move: Move,
    expect: str | None,
    review_by: date | None = None,
    note: str = "",
    seen: Status | None = None,
) -> Message:
    try:
        decided = await keeping.review(
            program.desk,
            slug,
            move,
            by=admin.who,
            who=admin.who,
            note=note,
            review_by=review_by,
            expect=expect,
            seen=seen,
        )
    except ReviewRefused as e:
        if "--review-by" in e.todo:
            return message(e.what, f"Give the date: {_dated(slug)}")
        raise
    return message(reports.decided_text(slug, decided), "/reload does that now.")


def _dated(slug: str) -> str:
    """How an approval with the date of the next review is typed."""
    in_a_year = datetime.now(UTC).date() + timedelta(days=365)
    return f"/review {slug} approve {in_a_year} [note]"


async def _awaiting(program: Program) -> Message:
    found = await asyncio.to_thread(keeping.listing, program.settings, datetime.now(UTC).date())
    rows = found.rows
    waiting = [r for r in rows if r["status"] in _WAITING]
    late = [r for r in rows if r["overdue"]]
    lines = [f"{r['slug']}: {_words(r['status'])}, updated {r['updated']}" for r in waiting]
    late_lines = [f"{r['slug']}: review was due {r['review_by']}" for r in late]
    paragraphs: list[Paragraph] = []
    for title, listed in (("Awaiting review", lines), ("Review overdue", late_lines)):
        if listed:
            paragraphs += [Paragraph(f"{title} ({len(listed)})", Style.HEADING), *_few(listed)]
    if not paragraphs:
        return message("Nothing awaits review, and no review is overdue.")
    slugs = dict.fromkeys(r["slug"] for r in (*waiting, *late))
    buttons = _fitting((s, f"review:{s}") for s in list(slugs)[:MOST_LINES])
    return Message((*paragraphs, Paragraph("/review SLUG shows one.")), buttons)


async def _folder_text(program: Program, slug: str) -> Message:
    """The article as the folder has it, and the moves that lead on from where it stands."""
    settings = program.settings
    file = await asyncio.to_thread(keeping.read_article, settings, slug)
    if file.article is None:
        return _refused(file)
    article = as_it_stands(file.article, program.desk.recipe.rules)
    text = page(article).paragraphs
    return Message(
        (*text, *await _where_it_stands(program, article), *_how_to_decide(program, article)),
        _move_buttons(program, article),
    )


async def _where_it_stands(program: Program, article: Article) -> list[Paragraph]:
    needed = program.settings.approvals
    facts = [_words(article.status), f"text {article.sha256()[:12]}"]
    if needed > 1:
        facts.append(f"approved by {len(article.approvers())} of {needed}")
    if article.review_by:
        facts.append(f"to be reviewed by {article.review_by}")
    facts.append(await _served(program, article))
    last = [
        f"{r.at} {r.decision} by {r.by}, text {r.sha256[:12]}{f': {r.note}' if r.note else ''}"
        for r in article.reviews[-3:]
    ]
    return [
        Paragraph("In the article folder", Style.HEADING),
        Paragraph(f"Status: {'; '.join(facts)}."),
        *_bullets(last),
    ]


async def _served(program: Program, article: Article) -> str:
    try:
        served = await program.assistant.article(article.slug)
    except UnknownArticle:
        return "not served"
    same = served.sha256() == article.sha256()
    return "served" if same else f"served with another text ({served.sha256()[:12]})"


def _how_to_decide(program: Program, article: Article) -> list[Paragraph]:
    if program.settings.articles_dir is None:
        return [Paragraph("A sample article: it cannot be decided on.")]
    moves = _allowed(article)
    if not moves:
        return [Paragraph("No move leads on from there.")]
    sha256 = article.sha256()[:SHA_DIGITS]
    lines = [
        "Decide with a button, or type: "
        f"/review {article.slug} MOVE {sha256} [note]. The moves: {', '.join(moves)}."
    ]
    if Move.APPROVE in moves and _is_late(article):
        lines.append(
            f"The review date has passed. To approve, give the next: {_dated(article.slug)}"
        )
    return [Paragraph(line) for line in lines]


def _allowed(article: Article) -> list[Move]:
    return [m for m, (sources, _) in MOVES.items() if article.status in sources]


def _is_late(article: Article) -> bool:
    return article.review_by is not None and article.review_by < datetime.now(UTC).date()


def _move_buttons(program: Program, article: Article) -> tuple[Button, ...]:
    """A button carries what was shown: it decides on that text or not at all."""
    if program.settings.articles_dir is None:
        return ()
    sha256 = article.sha256()[:SHA_DIGITS]
    return _fitting(
        (MOVE_LABELS[m], f"review:{m}:{sha256}{article.status.value[0]}:{article.slug}")
        for m in _allowed(article)
        if not (m is Move.APPROVE and _is_late(article))
    )


async def article(program: Program, admin: Admin, args: str) -> Message:
    """The card that everybody gets, and how its text in the folder stands; what is not served is
    shown as the folder has it."""
    slug = args.strip()
    own = program.settings.articles_dir is not None
    if not own or not re.fullmatch(_SLUG, slug):
        return await commands.article(program, admin.person, args)
    try:
        await program.assistant.article(slug)
    except UnknownArticle:
        return await _folder_text(program, slug)
    card = await commands.article(program, admin.person, slug)
    try:
        found = await asyncio.to_thread(keeping.find, program.settings, slug)
    except CorollaryError as e:
        return Message((*card.paragraphs, *problem(e).paragraphs), card.buttons)
    added = [*await _where_it_stands(program, found), Paragraph(f"/review {slug} shows its text.")]
    return Message(
        (*card.paragraphs, *added), (*card.buttons, *_fitting([("Review", f"review:{slug}")]))
    )


def is_button(data: str) -> bool:
    """Whether the data of a button is, or pretends to be, one of the admins'."""
    return data.startswith("review:")


async def pressed(program: Program, admin: Admin, data: str) -> Message | None:
    """What an admin's button brings; None when it is none of theirs. `data` is untrusted."""
    found = _BUTTON.fullmatch(data)
    if found is None:
        return None
    move, sha256, letter, slug = found.groups()
    try:
        if move is None:
            return await _folder_text(program, slug)
        seen = _BY_LETTER.get(letter)
        if seen is None:
            return None
        return await _decided(program, admin, slug, Move(move), sha256, seen=seen)
    except CorollaryError as e:
        return problem(e)


# --------------------------------------------------------------------------- files


def refuse_upload(name: str | None, size: int | None) -> Message | None:
    """Why a sent file is not even fetched; None when it may be. The name is never a path."""
    if PurePath(name or "").suffix.lower() not in UPLOADS:
        return message(
            "Only article files are read here, and their names end in .md.",
            "Send the Markdown file as it is, not as a picture or in an archive.",
        )
    if size is None or size > MAX_BYTES:
        large = f"{size:,}" if size is not None else "an unknown number of"
        return message(f"The file has {large} bytes; an article has at most {MAX_BYTES:,}.")
    return None


async def upload(program: Program, admin: Admin, raw: bytes, replace: bool) -> Message:
    """What became of a sent article file: every problem, or what to do next."""
    if len(raw) > MAX_BYTES:
        return message(f"The file is larger than {MAX_BYTES:,} bytes.")
    try:
        file, path = await keeping.store_upload(program.desk, raw, who=admin.who, replace=replace)
    except CorollaryError as e:
        return problem(e)
    if path is None or file.article is None:
        return _refused(file)
    stored = file.article
    text = (
        f"{stored.slug} is stored as submitted (text {stored.sha256()[:12]}); nothing that is "
        "served has changed."
    )
    return Message(
        (
            Paragraph(text),
            *_problems(file),
            Paragraph(f"Next: /review {stored.slug} shows it and what can be done with it."),
        ),
        _fitting([("Read and review it", f"review:{stored.slug}")]),
    )


def _refused(file: ParsedFile) -> Message:
    return message(
        "This is not a sound article; a reload leaves it out:",
        *_problems(file),
        "Correct the file and send it again.",
    )


def _problems(file: ParsedFile) -> list[Paragraph]:
    lines = [
        f"line {p.line}{f' ({p.field})' if p.field else ''}: {p.severity}: {p.message}"
        for p in file.problems
    ]
    return _few(lines, MOST_PROBLEMS)


# --------------------------------------------------------------------------- upkeep


async def gaps(program: Program, admin: Admin, args: str) -> Message:
    try:
        since = moment(args) if args.strip() else None
    except ValueError as e:
        return message(str(e))
    found = await keeping.gaps(program.desk, program.embeddings, since=since)
    return message(Paragraph("Not answered", Style.HEADING), *gap_paragraphs(found))


def gap_paragraphs(found: reports.Gaps, limit: int = MOST_LINES) -> list[Paragraph]:
    """Unanswered questions, and how many there are."""
    lines = [_one_line(line) for line in reports.gaps_lines(found, limit)]
    shown = min(limit, len(found.groups))
    return [*_bullets(lines[:shown]), *(Paragraph(line) for line in lines[shown:])]


async def votes(program: Program, admin: Admin, args: str) -> Message:
    try:
        since = moment(args) if args.strip() else datetime.now(UTC) - VOTES_BACK
    except ValueError as e:
        return message(str(e))
    found = await voting.summary(program, since)
    span = args.strip() or f"{VOTES_BACK.days}d"
    return message(*found) if found else message(f"Nobody said anything of an answer in {span}.")


async def audit(program: Program, admin: Admin, args: str) -> Message:
    slug = args.strip()
    if slug and not re.fullmatch(_SLUG, slug):
        return _no_article(slug)
    entries = await keeping.audit(program.database, article=slug or None, limit=MOST_LINES)
    lines = [_one_line(line) for line in reports.audit_lines(entries)]
    if not lines:
        return message(f"Nothing was done{f' to {slug}' if slug else ''} yet.")
    return message(Paragraph("Who did what, newest first", Style.HEADING), *_bullets(lines))


# --------------------------------------------------------------------------- words


def _no_article(slug: str) -> Message:
    return message(f"No article can be called “{slug[:58]}”. /review lists those that wait.")


def _words(status: str) -> str:
    return STATUSES[Status(status)]


def _one_line(text: str) -> str:
    """Without the spaces that make columns in a terminal."""
    return " ".join(text.split())


def _bullets(lines: Iterable[str]) -> list[Paragraph]:
    return [Paragraph(line, Style.BULLET) for line in lines]


def _few(lines: list[str], most: int = MOST_LINES) -> list[Paragraph]:
    more = len(lines) - most
    return [*_bullets(lines[:most]), *([Paragraph(f"… and {more} more.")] if more > 0 else [])]


def _fitting(labelled: Iterable[tuple[str, str]]) -> tuple[Button, ...]:
    """The buttons whose data fits: with a very long slug the command is typed."""
    return tuple(Button(t, data) for t, data in labelled if len(data.encode()) <= MAX_DATA_BYTES)


# --------------------------------------------------------------------------- the table


async def help_(program: Program, admin: Admin, args: str) -> Message:
    """What everybody is told, and the commands of admins."""
    told = await commands.help_(program, admin.person, args)
    listed = _bullets(f"/{c.name} – {c.help}" for c in COMMANDS.values())
    sending = (
        "Send an article as a .md file to have it checked and stored as submitted; with the "
        "caption “replace” it takes the place of the one there."
    )
    return Message(
        (
            *told.paragraphs,
            Paragraph("For admins", Style.HEADING),
            *listed,
            Paragraph(sending),
        ),
        told.buttons,
    )


COMMANDS: dict[str, AdminCommand] = {
    c.name: c
    for c in (
        AdminCommand(
            "reload",
            "serve the articles as the folder has them; “check” only looks, “force” also when "
            "many articles would be lost",
            reload,
            long=True,
        ),
        AdminCommand("builds", "the builds on disk, and which one is served", builds),
        AdminCommand(
            "rollback",
            "serve the build before, or the one named BUILD; “force” also what was withdrawn since",
            rollback,
            long=True,
        ),
        AdminCommand(
            "review",
            "what awaits review; SLUG shows an article; SLUG MOVE [date of next review] [note] "
            "decides",
            review,
        ),
        AdminCommand("gaps", "questions without an answer, for example of the last 7d", gaps),
        AdminCommand("votes", "what people said of answers, for example in the last 7d", votes),
        AdminCommand("audit", "who did what, or what was done to SLUG", audit),
    )
}
"""What only admins have."""

MORE: dict[str, AdminCommand] = {
    c.name: c for c in (AdminCommand("help", "", help_), AdminCommand("article", "", article))
}
"""Commands that everybody has, and that tell admins more."""


def named(name: str) -> AdminCommand | None:
    """The command of that name when it is one for admins."""
    return COMMANDS.get(name.lower()) or MORE.get(name.lower())


async def run(program: Program, admin: Admin, command: AdminCommand, args: str) -> Message:
    """The reply to a command; what went wrong is told with what to do about it."""
    try:
        return await command.run(program, admin, args)
    except CorollaryError as e:
        return problem(e)
