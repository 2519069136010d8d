"""Links that open an article in Telegram, and the same as a QR code for a page or a poster."""

import io
import re
from pathlib import Path

from store.errors import SettingsProblem

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ARTICLE = "a_"
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}", re.ASCII)


def slug_in(payload: str) -> str | None:
    """The article that a payload opens; None when it opens none. A payload is untrusted."""
    if _PAYLOAD.fullmatch(payload) and payload.startswith(_ARTICLE):
        return payload.removeprefix(_ARTICLE) or None
    return None


def is_damaged(payload: str) -> bool:
    """Whether a payload was meant to open an article, and opens none."""
    return payload.startswith(_ARTICLE) and slug_in(payload) is None


def link_to(username: str, slug: str) -> str:
    """The link that opens the article; SettingsProblem for what can be no bot or no payload."""
    payload = f"{_ARTICLE}{slug}"
    name = username.removeprefix("@")
    if not _USERNAME.fullmatch(name):
        raise SettingsProblem(f"{username} is not the name of a bot.", "Give it as @name_bot.")
    if not _PAYLOAD.fullmatch(payload):
        raise SettingsProblem(
            f"{slug} is too long for a link, or has other signs than a-z, 0-9, - and _.",
            "Give the article a slug of at most 62 signs.",
        )
    return f"https://t.me/{name}?start={payload}"


def drawn(link: str) -> str:
    """The link as a QR code for a terminal."""
    import segno

    out = io.StringIO()
    segno.make(link, error="m").terminal(out, compact=True)
    return out.getvalue()


def save(link: str, path: Path) -> None:
    """The link as a QR code in a file, SVG or PNG by its name."""
    import segno

    if path.suffix.lower() not in (".svg", ".png"):
        raise SettingsProblem(f"{path} is neither .svg nor .png.", "Name it so.")
    try:
        segno.make(link, error="m").save(str(path), scale=8, border=4)
    except OSError as e:
        raise SettingsProblem(
            f"{path} cannot be written: {e.strerror or e}.", "Name another file."
        ) from e
