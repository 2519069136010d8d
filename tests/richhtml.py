"""The HTML of rich messages, as far as text goes, read as strictly as Telegram says it reads it."""

import re
from dataclasses import dataclass, field
from html import unescape

MAX_CHARS, MAX_BLOCKS, MAX_DEPTH = 32_768, 500, 16

_HEADINGS = {f"h{n}" for n in range(1, 7)}
_LEAVES = {"p", "footer", "summary", "pre", *_HEADINGS}
"""Blocks of words alone."""
_HOLDERS = {"blockquote", "details", "li", "aside"}
"""Blocks of words or of other blocks."""
_LISTS = {"ul", "ol"}
_INLINE = {"b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "mark", "sub", "sup",
           "tg-spoiler", "a"}  # fmt: skip
_ATTRIBUTES = {("a", "href"), ("a", "name"), ("details", "open"), ("ol", "start")}
_ENTITIES = {"lt", "gt", "amp", "quot", "apos", "nbsp", "hellip", "mdash", "ndash",
             "lsquo", "rsquo", "ldquo", "rdquo"}  # fmt: skip
_TOKEN = re.compile(
    r"<(/?)([a-z][a-z0-9-]*)((?:\s[^<>]*?)?)(/?)>|&(#?\w+);|([^<&]+)", re.IGNORECASE
)
_ATTRIBUTE = re.compile(r'\s+([a-z-]+)(?:="([^"<>]*)")?', re.IGNORECASE)


class RichError(Exception):
    """Why it is refused."""


@dataclass
class Block:
    """A block with the words that stand in it, those of blocks within it left out."""

    kind: str
    words: str = ""


@dataclass
class Rich:
    """What a reader sees."""

    blocks: list[Block] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All words, a line for each block that has some."""
        lines = (re.sub(r"[ \t]*\n[ \t]*", "\n", b.words).strip() for b in self.blocks)
        return "\n".join(line for line in lines if line)


def parse_rich(source: str) -> Rich:
    """The message; RichError when a server would refuse it."""
    rich = Rich()
    opened: list[tuple[str, Block | None]] = []
    at = 0
    while at < len(source):
        token = _TOKEN.match(source, at)
        if token is None:
            raise RichError(f"what stands at offset {at} is no markup")
        at = token.end()
        closing, tag, attributes, _, entity, words = token.groups()
        if tag is None:
            _say(rich, opened, words if entity is None else _character(entity))
        elif closing:
            if not opened or opened[-1][0] != tag:
                raise RichError(f"</{tag}> ends nothing")
            opened.pop()
        elif tag == "br":
            _say(rich, opened, "\n")
        else:
            opened.append((tag, _begin(rich, opened, tag, attributes)))
            if len(opened) > MAX_DEPTH:
                raise RichError("nested too deeply")
    if opened:
        raise RichError(f"<{opened[-1][0]}> does not end")
    if len(rich.blocks) > MAX_BLOCKS:
        raise RichError("too many blocks")
    if not rich.text or len(rich.text) > MAX_CHARS:
        raise RichError("empty, or too long")
    return rich


def _character(entity: str) -> str:
    if not entity.startswith("#") and entity not in _ENTITIES:
        raise RichError(f"&{entity}; is not known")
    return unescape(f"&{entity};")


def _begin(
    rich: Rich, opened: list[tuple[str, Block | None]], tag: str, attributes: str
) -> Block | None:
    around = opened[-1][0] if opened else ""
    if tag not in _LEAVES | _HOLDERS | _LISTS | _INLINE:
        raise RichError(f"<{tag}> is not known")
    for name, value in _ATTRIBUTE.findall(attributes):
        if (tag, name) not in _ATTRIBUTES:
            raise RichError(f"<{tag}> has no {name}")
        if name == "href":
            rich.links.append(unescape(value))
    if _ATTRIBUTE.sub("", attributes).strip():
        raise RichError(f"the attributes of <{tag}> are no attributes")
    if tag in _INLINE:
        return None
    if around in _LEAVES | _INLINE or (around in _LISTS) != (tag == "li"):
        raise RichError(f"<{tag}> may not stand in <{around}>")
    if (tag == "summary") != (around == "details" and rich.blocks[-1] is opened[-1][1]):
        raise RichError("a summary is the first of details, and of nothing else")
    block = Block("heading" if tag in _HEADINGS else tag)
    rich.blocks.append(block)
    return block


def _say(rich: Rich, opened: list[tuple[str, Block | None]], words: str) -> None:
    block = next((block for _, block in reversed(opened) if block is not None), None)
    if words != "\n":
        words = re.sub(r"\s+", " ", words)
    if block is None or block.kind in _LISTS | {"details"}:
        if words.strip():
            raise RichError("words stand outside of all blocks")
        return
    block.words += words
