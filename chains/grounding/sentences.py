"""Where a sentence of a model's text ends, and which statements it cites.

Markers stand in square brackets, before the full stop or behind it. The text comes in pieces of any
size; what is given out does not depend on how it was cut.
"""

import re
from collections.abc import Container

_STOP = re.compile(r"\n|[.!?…][\"'”’)]{0,3}(?=(\s)|$)")
_MARKERS = re.compile(r"[ \t]*(?:\[[^\[\]\n]{0,300}\][ \t]*)+[.]?")
_CITED_BEFORE = re.compile(r"\][\"'”’)]{0,3}[.!?…][\"'”’)]{0,3}$")
_NOT_AN_END = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs?|ca|approx|dr|prof|fig|no|nos|st|resp|incl|al|p|pp|vol|mr|mrs|ms)"
    r"|\b[A-Z]|(?:^|\n)\s*\d{1,2})\.$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*•‣–]|\d{1,2}[.)])\s+")
_OPEN = str.maketrans({"【": "[", "】": "]", "［": "[", "］": "]"})
_BRACKET = re.compile(r"\s*\[([^\[\]\n]{0,300})\]")
_KEY = re.compile(r"[A-Za-z]{0,3}\d{1,4}[a-z]?")


class Sentences:
    """Takes text as it arrives, and gives its sentences as soon as they are whole."""

    def __init__(self) -> None:
        self._text = ""
        self._from = 0
        """Before this no end is to be found."""

    def feed(self, piece: str) -> list[str]:
        """The sentences that this piece completes, markers included."""
        self._text += piece
        found = []
        while (end := self._end()) is not None:
            sentence, self._text = self._text[:end].strip(), self._text[end:]
            self._from = 0
            if sentence:
                found.append(sentence)
        return found

    def close(self) -> list[str]:
        """What is left when the text has ended."""
        left = self.feed("\n")
        rest, self._text, self._from = self._text.strip(), "", 0
        return [*left, rest] if rest else left

    def _end(self) -> int | None:
        """Where the first sentence ends; None while that cannot be told."""
        for stop in _STOP.finditer(self._text, self._from):
            end = stop.end()
            if stop[0] == "\n":
                return end
            if not stop[1]:
                break  # the next character decides
            before = self._text[max(0, stop.start() - 24) : stop.start() + 1]
            if stop[0][0] == "." and _NOT_AN_END.search(before):
                continue
            if _CITED_BEFORE.search(self._text[max(0, end - 12) : end]):
                return end
            markers = _MARKERS.match(self._text, end)
            after = markers.end() if markers else end
            following = re.compile(r"[ \t]*").match(self._text, after)
            at = following.end() if following else after
            if at >= len(self._text):
                self._from = stop.start()
                return None
            if self._text[at] == "[" and "]" not in self._text[at : at + 300]:
                self._from = stop.start()
                return None
            if markers or not self._text[at].islower():
                return after
        else:
            self._from = max(self._from, len(self._text) - 4)
            return None
        self._from = max(0, stop.start())
        return None


def sentences_of(text: str) -> list[str]:
    """The sentences of a whole text, with their markers."""
    found = Sentences()
    return [*found.feed(text), *found.close()]


def read_sentence(sentence: str, known: Container[str]) -> tuple[str, tuple[str, ...]]:
    """The words of the sentence without markers and bullet, and the keys that it cites, in order."""
    cited: list[str] = []

    def marker(found: re.Match[str]) -> str:
        keys = [k for k in re.split(r"[\s,;]+", found[1]) if k]
        if found[1].strip() in known:
            keys = [found[1].strip()]
        # One that is given makes the others keys that are not.
        all_keys = keys and all(k in known or _KEY.fullmatch(k) for k in keys)
        if not all_keys and not any(k in known for k in keys):
            return found[0]
        cited.extend(keys)
        return ""

    words = _BRACKET.sub(marker, sentence.translate(_OPEN))
    words = re.sub(r"\s+([.,;:!?])", r"\1", _BULLET.sub("", words))
    words = re.sub(r"([.!?])\.+$", r"\1", " ".join(words.split()))
    return words, tuple(dict.fromkeys(cited))


_JOINED = re.compile(
    r"^[\s,;.]*(?:(?:and|but|while|whereas|yet|although|though|however)\b,?\s*)?", re.IGNORECASE
)


def parts_by_citation(sentence: str, known: Container[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The parts of a sentence that cites in its midst, each with the keys behind it; empty when it
    cites at its end only."""
    found: list[tuple[str, tuple[str, ...]]] = []
    start = 0
    text = sentence.translate(_OPEN)
    markers = re.compile(r"(?:\s*\[[^\[\]\n]{0,300}\])+")
    for m in markers.finditer(text):
        _, keys = read_sentence(m[0], known)
        part = _JOINED.sub("", _BULLET.sub("", text[start : m.start()])).strip(" ,;")
        if keys and part:
            found.append((part, keys))
            start = m.end()
    left = text[start:].strip(" .!?\"'”’)")
    return found if len(found) > 1 and not left else []
