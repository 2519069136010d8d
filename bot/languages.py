"""Which language a reader is spoken to in, and `/language`."""

import logging
from contextvars import ContextVar

from bot import words
from bot.app import Program
from bot.render import Button, Message, Paragraph, Style
from bot.words import LANGUAGES, marked, tr
from store.errors import CorollaryError
from store.people import language_of, note_language, set_language

log = logging.getLogger("corollary")

AUTOMATIC = "auto"
PRESSED = "lang"
"""How the data of the buttons begins."""
_hinted: ContextVar[str | None] = ContextVar("hinted", default=None)
"""The language that Telegram, or nobody, told of the reader; the one without a choice."""
_known: ContextVar[str | None] = ContextVar("known", default=None)
"""The one of them that is remembered."""
ARTICLES_STAY = marked(
    "Answers quote the articles in their own language, English; ask in English too."
)


async def speak_to(program: Program, user_id: str, hinted: str | None = None) -> None:
    """Speaks the reader's language from here on: the one they chose, else the one that is hinted
    at (a code, as Telegram has it), or was last, else the one that is set for all."""
    chosen = before = None
    try:
        chosen, before = await language_of(program.database, user_id)
    except CorollaryError as e:
        log.error("the language of a reader is not known: %s", e)
    _hinted.set(hinted or before)
    _known.set(before)
    words.speak(words.matching(chosen, _hinted.get()) or program.settings.language)


async def note_hint(program: Program, user_id: str) -> None:
    """Remembers the language that is hinted at, when it is another than before: a correction comes
    when nobody has written."""
    code = words.matching(_hinted.get())
    if code is not None and code != _known.get():
        await note_language(program.database, user_id, code)


def is_button(data: str) -> bool:
    """Whether the data is of a button with which a language is chosen."""
    return data.startswith(f"{PRESSED}:")


async def language(program: Program, user_id: str, args: str) -> Message:
    """The reply to `/language`, and to its buttons: what is spoken, or what is from now on."""
    wanted = args.strip().lower()
    if not wanted:
        return _offered(tr("The language is {language}.", language=LANGUAGES[words.language()]))
    if wanted == AUTOMATIC:
        await set_language(program.database, user_id, None)
        words.speak(words.matching(_hinted.get()) or program.settings.language)
        return _now()
    code = _named(wanted)
    if code is None:
        return _offered(tr("There is no language “{name}” here.", name=args.strip()[:32]))
    await set_language(program.database, user_id, code)
    words.speak(code)
    return _now()


def _now() -> Message:
    lines = [Paragraph(tr("The language is {language}.", language=LANGUAGES[words.language()]))]
    if words.language() != words.ENGLISH:
        lines.append(Paragraph(tr(ARTICLES_STAY)))
    return Message(tuple(lines))


def _named(wanted: str) -> str | None:
    """The code of a language, given as a code or as its name in itself."""
    names = {name.lower(): code for code, name in LANGUAGES.items()}
    return names.get(wanted) or words.matching(wanted)


def _offered(first: str) -> Message:
    listed = [
        Paragraph(f"/language {code} – {name}", Style.BULLET) for code, name in LANGUAGES.items()
    ]
    automatic = tr("as Telegram tells")
    listed.append(Paragraph(f"/language {AUTOMATIC} – {automatic}", Style.BULLET))
    buttons = [Button(name, f"{PRESSED}:{code}") for code, name in LANGUAGES.items()]
    buttons.append(Button(automatic, f"{PRESSED}:{AUTOMATIC}"))
    return Message((Paragraph(first), *listed), tuple(buttons))
