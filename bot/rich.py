"""Parts of a message as rich messages: headings, lists, and sources that open at a touch.

Telegram's servers know them since Bot API 10.1, but not all of its apps show them: Telegram Web
said that the message is not supported. So they are sent only where the operator wants them
(COROLLARY_TELEGRAM_RICH), only for replies that gain by it, and a part is always there as ordinary
HTML too (`bot.render`), which is sent wherever a server takes no rich messages.
"""

from collections.abc import Iterator
from itertools import groupby

from bot.render import MARKERS, Disclaimer, Message, Piece, Style, divided, escaped, linked

METHOD = "sendRichMessage"
MAX_BLOCKS = 500
"""Those within others counted too. Its 32,768 characters are more than any part has."""

_STRUCTURED = {Style.HEADING, Style.SOURCE}
_EMPHASIS = {Style.CAUTION: "b", Style.URGENT: "b", Style.NOTE: "i", Style.READ_AS: "i"}


def rich(message: Message, disclaimer: str) -> list[str | None]:
    """The parts of `bot.render.telegram` as rich messages, each with the disclaimer last; None for
    one that has nothing to show for it, or more of it than Telegram takes."""
    ending = Disclaimer(disclaimer).text
    return [_whole(part, ending) for part in divided(message, ending)]


def _whole(part: list[Piece], ending: str) -> str | None:
    # A paragraph in an item of a list are three, and no paragraph makes more.
    if 3 * len(part) + 1 > MAX_BLOCKS or not any(p.style in _STRUCTURED for p in part):
        return None
    return "".join(_blocks(part)) + f"<footer>{_lines(escaped(ending))}</footer>"


def _blocks(part: list[Piece]) -> Iterator[str]:
    heading: Piece | None = None
    for style, group in groupby(part, key=lambda piece: piece.style):
        pieces = list(group)
        if heading is not None and style is not Style.SOURCE:
            yield f"<h3>{_inside(heading)}</h3>"
            heading = None
        if style is Style.HEADING:
            *before, heading = pieces
            yield from (f"<h3>{_inside(piece)}</h3>" for piece in before)
        elif style is Style.BULLET:
            yield f"<ul>{''.join(f'<li>{_inside(piece)}</li>' for piece in pieces)}</ul>"
        elif style is Style.SOURCE:
            listed = "".join(f"<p>{_inside(piece)}</p>" for piece in pieces)
            if heading is None:
                yield f"<blockquote>{listed}</blockquote>"
            else:
                yield f"<details><summary>{_inside(heading)}</summary>{listed}</details>"
            heading = None
        else:
            yield from (f"<p>{_emphasised(piece)}</p>" for piece in pieces)
    if heading is not None:
        yield f"<h3>{_inside(heading)}</h3>"


def _emphasised(piece: Piece) -> str:
    tag = _EMPHASIS.get(piece.style)
    return f"<{tag}>{_inside(piece)}</{tag}>" if tag else _inside(piece)


def _inside(piece: Piece) -> str:
    """The words of a piece with its link, without the sign that lists have of their own."""
    words = linked(piece)
    if piece.style is Style.BULLET:
        words = words.removeprefix(MARKERS[Style.BULLET])
    return _lines(words)


def _lines(html: str) -> str:
    """White space is as good as any in HTML: where a line ends, it is said."""
    return html.replace("\n", "<br>")
