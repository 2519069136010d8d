"""What people send that is no text, and what they are told."""

from bot.words import marked, tr

ADVICE = marked('Type your question, for example "and recurrence?". /help')
_MOVING = marked("Videos are not watched. Please send none that shows a patient.")
_KINDS: dict[str, str] = {
    "photo": marked("Pictures are not looked at. Please send none that shows a patient."),
    "voice": marked(
        "Voice messages are not listened to: only typed questions are read. Your keyboard's"
        " dictation types for you."
    ),
    "audio": marked("Recordings are not listened to: only typed questions are read."),
    "video": _MOVING,
    "video_note": _MOVING,
    "animation": _MOVING,
    "document": marked("Files are not opened here. Please send none about a patient."),
    "contact": marked("Contacts are not used. Please send nobody's details."),
}
_OTHERWISE = marked("Only typed questions are read: no pictures, voice messages or files.")
_CAPTION = marked("The words beside it were not read either: send them alone.")
KINDS = tuple(_KINDS)


def told(kind: str | None, has_caption: bool) -> tuple[str, ...]:
    """What to say of something of that kind (the name that Telegram has for it)."""
    caption = [tr(_CAPTION)] if has_caption else []
    words = _KINDS.get(kind or "", _OTHERWISE)
    return (tr(words), *caption, tr(ADVICE))
