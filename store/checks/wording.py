"""What may not be carried into a reply, wherever it stands in a file."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from store.checks.characters import UNUSUAL, disguised, hidden
from store.checks.links import link_in
from store.checks.problem import Piece, Problem, cut

_HTML = re.compile(r"<[A-Za-z/!?]")
_ADDRESSES = frozenset({"url", "doi"})
"""Fields that are a link, or lead to one, and are typed as such."""
_REMARKS = frozenset({"note", "reason"})
"""Fields that may have several lines."""


def wordings(pieces: Sequence[Piece], code: str, *, html: bool = True) -> Iterator[Problem]:
    """`wording` of each piece."""
    # Taken together first, for nearly every file is in order.
    alike: dict[str, list[Piece]] = {}
    for piece in pieces:
        alike.setdefault(_kind(piece), []).append(piece)
    for kind, some in alike.items():
        whole = Piece(" ".join(_text(p) for p in some), 1, (kind,))
        if any(True for _ in wording(whole, code, html=html)):
            for piece in some:
                yield from wording(piece, code, html=html)


def wording(piece: Piece, code: str, *, html: bool = True) -> Iterator[Problem]:
    """Hidden characters, letters in disguise, HTML and links, where they are no part of it."""
    text, kind, place = _text(piece), _kind(piece), (piece.line, piece.field)
    if UNUSUAL.search(text):
        said = hidden(text, kind in _REMARKS)
        if said:
            yield Problem("error", code, said, *place)
        for word, why in islice(disguised(text), 3):
            yield Problem("error", "mixed_letters", f"{why} in {word}", *place)
    if html and _HTML.search(text):
        said = "contains HTML; write plain text (a bare < with a space behind it)"
        yield Problem("error", code, f"{said}: {cut(text)}", *place)
    link = link_in(text) if kind not in _ADDRESSES else ""
    if link:
        said = f"contains a link or an address, {cut(link)}; leave it out and cite a reference"
        yield Problem("error", code, said, *place)


def _kind(piece: Piece) -> str:
    """The name of a field that has rules of its own; empty for all others."""
    last = piece.path[-1] if piece.path else ""
    return last if last in _ADDRESSES or last in _REMARKS else ""


def _text(piece: Piece) -> str:
    """The text as it is used: YAML ends a folded one with a line break."""
    return piece.text.strip(" \t\n")
