"""A person's own data, in words: /privacy, /export, /forget, and how long anything is kept."""

import json
import logging
from datetime import timedelta

from bot import words
from bot.app import Program, operator_of
from bot.render import Button, Message, Paragraph
from bot.words import tr, trn
from prompts import translated
from store import own_data

log = logging.getLogger("corollary.privacy")

EVERY_S = 24 * 3600.0
CONFIRMED = "forget:yes"
FILE_NAME = "corollary-my-data.json"


def privacy(program: Program) -> Message:
    """What is kept, how long, and where."""
    told = translated("privacy", words.language(), operator=operator_of(program.settings))
    return _message(*told.split("\n\n"), _how_long(program))


def _how_long(program: Program) -> str:
    days = program.settings.retention_days
    if not days:
        return tr("How long: until you erase it with /forget.")
    return trn(
        "How long: {n} day, then it is erased.", "How long: {n} days, then it is erased.", days
    )


def _message(*texts: str) -> Message:
    return Message(tuple(Paragraph(t) for t in texts))


async def exported(program: Program, user_id: str) -> tuple[bytes, Message]:
    """The file with all that is kept of the user, and the words that go with it."""
    found = await own_data.everything(program.database, user_id)
    whole = {"user": user_id, "at": own_data.now().isoformat(), "kept": found}
    whole["disclaimer"] = program.disclaimer.text
    file = json.dumps(whole, ensure_ascii=False, indent=1).encode()
    n = len(found["turns"])
    told = trn("All that is kept of you: {n} answer.", "All that is kept of you: {n} answers.", n)
    return file, _message(told)


async def export(program: Program, user_id: str) -> Message:
    """The reply where no file can be sent: how many rows there are of what."""
    found = await own_data.everything(program.database, user_id)
    kept = ", ".join(f"{name}: {len(rows)}" for name, rows in found.items() if rows)
    return _message(
        tr("Kept of you, by table: {kept}.", kept=kept or "0"),
        tr("The operator's command `corollary people export {user}` prints it.", user=user_id),
    )


def asks_to_confirm() -> Message:
    """What would be erased, and the button that does it."""
    return Message(
        (
            Paragraph(
                tr(
                    "Erase everything that is kept of you: questions, answers, context, role,"
                    " language, votes, comments, and an invitation that you have used? It cannot"
                    " be undone, and with an invitation you will need a code again."
                )
            ),
            Paragraph(tr("Messages in this chat stay until you delete them in Telegram.")),
        ),
        (Button(tr("Yes, erase everything"), CONFIRMED),),
    )


async def forget(program: Program, user_id: str) -> Message:
    """Erases it, and says so."""
    await own_data.forget(program.database, user_id)
    return _message(tr("Everything that was kept of you is erased."))


async def expire(program: Program) -> None:
    """Erases what is older than is kept; for once a day, and at the start."""
    days = program.settings.retention_days
    if days:
        gone = await own_data.expire(program.database, own_data.now() - timedelta(days=days))
        if gone:
            log.info("%d answers were kept long enough and are erased", gone)
