"""What people send that is no text, and what they are told."""

ADVICE = 'Type your question, for example "and recurrence?". /help'
_KINDS: dict[str, str] = {
    "photo": "Pictures are not looked at, and were not kept. Please send none that shows a patient.",
    "voice": "Voice messages are not listened to: only typed questions are read. "
    "Your keyboard's dictation types for you.",
    "video": "Videos are not watched. Please send none that shows a patient.",
    "video_note": "Videos are not watched. Please send none that shows a patient.",
    "audio": "Recordings are not listened to: only typed questions are read.",
    "animation": "Animations are not watched: only typed questions are read.",
    "document": "Files are not opened: only typed questions are read. "
    "Please send none about a patient.",
    "sticker": "A sticker says nothing to this assistant: only typed questions are read.",
    "location": "Places are not used: only typed questions are read.",
    "contact": "Contacts are not used, and were not kept. Please send no one's details.",
    "poll": "Polls are not answered: only typed questions are read.",
}
_OTHERWISE = "Only typed questions are read: no pictures, voice messages or files."
KINDS = tuple(_KINDS)


def told(kind: str | None, has_caption: bool) -> tuple[str, str]:
    """What to say of something of that kind (the name that Telegram has for it)."""
    words = _KINDS.get(kind or "", _OTHERWISE)
    if has_caption:
        words += " The words beside it were not read either: send them alone."
    return words, ADVICE
