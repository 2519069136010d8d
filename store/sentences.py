"""Where one sentence ends and the next begins, in English medical prose."""

import re

_ABBREVIATIONS = frozenset(
    """
    approx al ca cf dr ed eds e.g eg etc fig figs i.e ie inc jr ltd max min mr mrs ms no nos p pp
    prof ref refs resp sp spp sr st subsp suppl tab viz vol vols vs v u.s u.k e.u ph.d m.d b.sc
    jan feb mar apr jun jul aug sep sept oct nov dec i.v i.m s.c p.o b.i.d t.i.d q.d
    """.split()
)
# Possessive, and from the start of a run only: a long row of dots is looked at once.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s++[\"'“‘(\[]*+[A-Z0-9À-ÖØ-ÞΑ-Ω])")
_LAST_WORD = re.compile(r"([\w.]+)$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence, in order, without the white space between them.

    Nothing but white space lies outside the spans.
    """
    cuts = [m.end() for m in _END.finditer(text) if not _is_abbreviation(text, m)]
    spans, start = [], 0
    for cut in [*cuts, len(text)]:
        piece = text[start:cut]
        left = len(piece) - len(piece.lstrip())
        right = len(piece.rstrip())
        if right > left:
            spans.append((start + left, start + right))
        start = cut
    return spans


def _is_abbreviation(text: str, end: re.Match[str]) -> bool:
    if not end.group().startswith("."):
        return False
    word = _LAST_WORD.search(text[max(0, end.start() - 20) : end.start()])
    if word is None:
        return False
    last = word.group().lower()
    if last in _ABBREVIATIONS:
        # "… in the U.S. The trial" ends a sentence all the same when an article or pronoun follows.
        after = text[end.end() : end.end() + 20].lstrip().split(" ", 1)[0]
        return not ("." in last and after in {"The", "A", "An", "It", "This", "These", "In"})
    return len(last) == 1 and last.isalpha() and last not in {"i", "a"} and word.group().isupper()
