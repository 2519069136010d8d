"""A page saved as HTML, as the lines that a reader sees.

Tags are found by one regular expression that never looks at a character twice, and there is no
recursion: the standard library's `html.parser` needs 40 seconds for 60 KB of `<a <a <a`, and
stops with an assertion at `<![<![`. What a browser would hide is left out, and what stands
beside the content (navigation, forms, footers) is marked as margin.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from store.errors import ArticlesProblem
from store.page.text import (
    BOLD,
    MAX_DEPTH,
    MAX_LINES,
    SUP,
    SUP_END,
    Line,
    Page,
    clean,
    part_of,
    too_many_lines,
)

MAX_TAGS = 205_000

# Each alternative, once begun, ends at the end of the file at the latest.
_TAG = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))
    | <[!?][^>]*+(?:>|\Z)
    | <(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*+)
      (?P<attributes>(?:[^>=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?)*)(?:>|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"""([^\s=/>"']++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]*+)))?""", re.DOTALL
)
_ENTITY_TOO_LONG = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
"""Python refuses to read numbers of some thousand digits."""

_RAW = frozenset("script style title textarea iframe noembed noframes noscript xmp".split())
"""Their content is no markup, up to their end tag."""
_RAW_END = {t: re.compile(rf"</{t}(?=[\s/>])|\Z", re.IGNORECASE) for t in _RAW}
_DROPPED = frozenset("template svg select datalist object video audio canvas map".split())
_MARGIN = frozenset("nav footer aside dialog menu".split())
_MAY_BE_REGIONS = _MARGIN | {"header", "table", "form", "button"}
_MARGIN_ROLES = frozenset(
    "navigation banner contentinfo complementary search dialog alertdialog".split()
)
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_LISTS = frozenset({"ul", "ol"})
_BLOCKS = (
    frozenset(
        """address article aside blockquote body caption center dd details dialog dir div dl dt
        fieldset figcaption figure footer form header hgroup hr html legend li main menu nav ol p
        pre section summary table tbody td tfoot th thead tr ul""".split()
    )
    | _HEADINGS
)
_SCOPES = frozenset("button caption html object table td template th".split())
"""An end tag outside of these does not reach in, as in browsers."""
_ENDS_HEADING = frozenset("p ul ol table section article".split()) | _HEADINGS
_SIBLINGS = {
    "li": (("li",), ("ul", "ol")),
    "dd": (("dd", "dt"), ("dl",)),
    "dt": (("dd", "dt"), ("dl",)),
    "td": (("td", "th"), ("table",)),
    "th": (("td", "th"), ("table",)),
    "tr": (("tr",), ("table",)),
}
"""A start tag that ends an open element of these names, not beyond the nearest of those."""

_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d]*[1-9])"
    r"|opacity\s*:\s*0(?![.\d]*[1-9])",
    re.IGNORECASE,
)
_HIDING_CLASSES = frozenset("sr-only visually-hidden visuallyhidden screen-reader-text".split())
_CITING = re.compile(r"cit(?:e|ation)|ref(?:erence)?|footnote|bib|pubmed|doi\.org", re.IGNORECASE)
_NUMBERS = re.compile(r"\[?\s*(\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*)\s*\]?")


@dataclass(slots=True)
class _Open:
    """An element whose end tag has not come."""

    tag: str
    dropped: bool = False
    region: bool = False
    starts: tuple[int, int] | None = None
    """For what may be a citation, or a button: line and piece where its text began."""


@dataclass(slots=True)
class _Region:
    """A stretch of the page that is not content, unless it turns out to hold the parts."""

    kind: Literal["margin", "wrapper", "table"]
    parent: int
    holds_part: bool = False


@dataclass(slots=True)
class _List:
    ordered: bool
    next: int = 1


@dataclass(slots=True)
class _Reader:
    """The elements that are open, and the lines so far."""

    open: list[_Open] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    blocks: list[int] = field(default_factory=list)
    scopes: list[int] = field(default_factory=list)
    dropped: int = 0
    regions: list[_Region] = field(default_factory=lambda: [_Region("wrapper", 0, True)])
    inside: list[int] = field(default_factory=lambda: [0])
    headings: list[str] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    bold: int = 0
    plain: bool = False
    """Whether some of the line's text is not in bold."""
    item: int = -1
    """Number of the list item that has begun and has no line yet; -1 when there is none."""
    lines: list[tuple[Line, int]] = field(default_factory=list)
    title: str = ""
    hidden_passages: int = 0
    hidden_characters: int = 0
    counted: bool = False

    # ----------------------------------------------------------------- text and lines

    def text(self, raw: str) -> None:
        """Takes what stands between two tags."""
        if self.dropped:
            if not self.counted and not raw.isspace():
                self.hidden_passages += 1
                self.counted = True
            return
        if "&" in raw:
            raw = html.unescape(_ENTITY_TOO_LONG.sub("\ufffd", raw))
        self.pieces.append(raw.replace(SUP, "").replace(SUP_END, ""))
        if not self.bold and not raw.isspace():
            self.plain = True

    def end_line(self) -> None:
        """What was collected becomes a line."""
        if not self.pieces:
            return
        joined, hidden = clean("".join(self.pieces))
        self.hidden_characters += hidden
        text = " ".join(joined.split())
        bold, self.pieces, self.plain = not self.plain, [], False
        if not any(map(str.isalnum, text)):
            return
        if len(self.lines) >= MAX_LINES:
            raise too_many_lines()
        self.lines.append((self.line(text, bold), self.inside[-1]))

    def line(self, text: str, bold: bool) -> Line:
        """The line that this text is where the reader stands now."""
        if self.headings:
            return Line(text, "heading", int(self.headings[-1][1]))
        if self.lists and self.places["li"]:
            number, self.item = max(self.item, 0), -1
            return Line(text, "item", min(len(self.lists) - 1, MAX_DEPTH), number)
        if bold and len(text) <= 120 and not text.endswith((".", "!", "?", ";", ",")):
            return Line(text, "heading", BOLD)
        return Line(text)

    # ----------------------------------------------------------------- tags

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Takes a start tag."""
        if tag in _BLOCKS:
            self.make_room(tag)
        if tag == "br":
            self.soft_break()
        if tag in _VOID:
            return
        element = _Open(tag)
        hidden = _is_hidden(tag, attributes)
        if tag in _DROPPED or hidden:
            element.dropped = True
            if not self.dropped:
                # Only what was hidden is counted; an icon is not a hidden text.
                self.counted = not hidden
            self.dropped += 1
        elif not self.dropped:
            if kind := self.region_of(tag, attributes):
                self.regions.append(_Region(kind, self.inside[-1]))
                self.inside.append(len(self.regions) - 1)
                element.region = True
            if _may_cite(tag, attributes) or (tag == "button" and not self.in_title()):
                element.starts = (len(self.lines), len(self.pieces))
        if tag in _LISTS:
            self.lists.append(_List(tag == "ol", _small(attributes.get("start", ""), 1)))
        elif tag == "li" and self.lists:
            around = self.lists[-1]
            number = _small(attributes.get("value", ""), around.next)
            around.next = number + 1
            self.item = number if around.ordered else 0
        elif tag in _HEADINGS:
            self.headings.append(tag)
        elif tag in {"b", "strong"}:
            self.bold += 1
        self.push(element)

    def make_room(self, tag: str) -> None:
        """Ends the line, and the elements that a block start tag ends by itself."""
        if self.headings and tag in _ENDS_HEADING:
            self.close(self.headings[-1])
        if self.places["p"] and self.places["p"][-1] > self.last(self.scopes):
            self.close("p")
        if tag in _SIBLINGS:
            names, within = _SIBLINGS[tag]
            barrier = max(self.last(self.places[w]) for w in within)
            nearest = max(names, key=lambda n: self.last(self.places[n]))
            if self.last(self.places[nearest]) > barrier:
                self.close(nearest)
        if tag in {"div", "p", "span"} and not self.dropped and self.is_inside_item():
            self.pieces.append(" ")
        else:
            self.end_line()

    def soft_break(self) -> None:
        """A line break is a new line in a paragraph, and a space in an item or a heading."""
        if self.is_inside_item():
            self.pieces.append(" ")
        else:
            self.end_line()

    def is_inside_item(self) -> bool:
        """Whether text goes on in a list item or a heading."""
        if self.headings:
            return True
        item = self.last(self.places["li"])
        return item > max(self.last(self.places["ul"]), self.last(self.places["ol"]))

    def in_title(self) -> bool:
        """Whether a button here is the handle of a section that folds."""
        return bool(self.headings or self.places["summary"])

    def region_of(
        self, tag: str, attributes: dict[str, str]
    ) -> Literal["margin", "wrapper", "table"] | None:
        """What kind of region the element opens, if any."""
        if not attributes and tag not in _MAY_BE_REGIONS:
            return None
        role = attributes.get("role", "").strip().lower()
        in_article = any(self.places[t] for t in ("article", "main", "section"))
        if tag in _MARGIN or role in _MARGIN_ROLES or (tag == "header" and not in_article):
            return "margin"
        if tag == "table":
            return "table"
        # Some systems wrap the page into a form, and a dialogue mutes the page behind it.
        if tag == "form" or attributes.get("aria-hidden", "").lower() == "true":
            return "wrapper"
        return "margin" if tag == "button" and not self.in_title() else None

    def end(self, tag: str) -> None:
        """Takes an end tag; one that nothing opened is passed over."""
        if tag == "br":
            self.soft_break()
        place = self.last(self.places[tag]) if tag in self.places else -1
        if place < 0:
            return
        barrier = self.scopes if tag in _BLOCKS else self.blocks
        if tag in _SCOPES or self.last(barrier) <= place:
            self.close(tag)

    def close(self, tag: str) -> None:
        """Ends the innermost element of that name and all that is open in it."""
        for _ in range(len(self.open) - self.places[tag][-1]):
            self.pop()

    def push(self, element: _Open) -> None:
        """Opens an element."""
        place = len(self.open)
        self.open.append(element)
        self.places[element.tag].append(place)
        if element.tag in _BLOCKS:
            self.blocks.append(place)
        if element.tag in _SCOPES:
            self.scopes.append(place)

    def pop(self) -> None:
        """Ends the innermost element."""
        element = self.open[-1]
        tag = element.tag
        if element.starts:
            self.settle(element)
        if tag in _BLOCKS:
            soft = tag in {"div", "p"} and self.is_inside_item()
            if soft:
                self.pieces.append(" ")
            else:
                self.end_line()
            self.blocks.pop()
        if tag in _SCOPES:
            self.scopes.pop()
        self.open.pop()
        self.places[tag].pop()
        if element.dropped:
            self.dropped -= 1
        if element.region:
            self.inside.pop()
        if tag in _LISTS:
            self.lists.pop()
            self.item = 0
        elif tag in _HEADINGS:
            self.headings.pop()
        elif tag in {"b", "strong"}:
            self.bold -= 1

    def settle(self, element: _Open) -> None:
        """Makes a citation of a number that was raised, linked or a button; drops a button."""
        line, piece = element.starts or (0, 0)
        if line != len(self.lines):
            return
        inner = "".join(self.pieces[piece : piece + 12])[:100].strip()
        short = len(self.pieces) - piece <= 12 and len(inner) < 60
        numbers = _NUMBERS.fullmatch(inner) if short else None
        if numbers and element.tag == "sup" and not inner.startswith("["):
            self.pieces[piece:] = [f"{SUP}{numbers.group(1)}{SUP_END}"]
        elif numbers:
            self.pieces[piece:] = [f"[{numbers.group(1)}]"]
        elif element.tag == "button":
            del self.pieces[piece:]

    @staticmethod
    def last(places: list[int]) -> int:
        """The last place; -1 when there is none."""
        return places[-1] if places else -1


def _small(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else otherwise


_NONE: dict[str, str] = {}


def _attributes(text: str) -> dict[str, str]:
    """Attributes by name in lower case; of two of one name the first counts."""
    if not text or text.isspace():
        return _NONE
    found: dict[str, str] = {}
    for m in _ATTRIBUTE.finditer(text):
        found.setdefault(m.group(1).lower(), m.group(2) or m.group(3) or m.group(4) or "")
    return found


def _is_hidden(tag: str, attributes: dict[str, str]) -> bool:
    if not attributes:
        return False
    if "hidden" in attributes or _HIDING.search(attributes.get("style", "")):
        return True
    if not _HIDING_CLASSES.isdisjoint(attributes.get("class", "").lower().split()):
        return True
    return tag not in _BLOCKS and attributes.get("aria-hidden", "").lower() == "true"


def _may_cite(tag: str, attributes: dict[str, str]) -> bool:
    if tag in {"sup", "cite"}:
        return True
    if tag == "a":
        href = attributes.get("href", "")
        return href.startswith("#") or bool(_CITING.search(href + attributes.get("class", "")))
    return tag == "span" and bool(_CITING.search(attributes.get("class", "")))


def html_page(source: str) -> Page:
    """The lines of a page that was saved as HTML.

    ArticlesProblem when there are more than MAX_TAGS tags, or MAX_LINES lines.
    """
    reader = _Reader()
    position = tags = 0
    while tag := _TAG.search(source, position):
        if tag.start() > position:
            reader.text(source[position : tag.start()])
        position = tag.end()
        if not tag["name"]:
            continue
        tags += 1
        if tags > MAX_TAGS:
            raise ArticlesProblem(
                f"The page has more than {MAX_TAGS:,} HTML tags.",
                "Copy the text of the article into a plain text file, and import that.",
            )
        name = tag["name"].lower()
        if tag["end"]:
            reader.end(name)
        elif name in _RAW:
            position = _skip_raw(reader, name, source, position)
        elif not (name == "svg" and tag["attributes"].endswith("/")):
            reader.start(name, _attributes(tag["attributes"]))
    reader.text(source[position:])
    reader.end_line()
    return Page(
        tuple(_settled(reader)), reader.title, reader.hidden_characters, reader.hidden_passages
    )


def _skip_raw(reader: _Reader, name: str, source: str, position: int) -> int:
    """Where the content ends that is no markup; that of the first <title> is kept."""
    found = _RAW_END[name].search(source, position)
    end = found.start() if found else len(source)
    if name == "title" and not reader.title and not reader.dropped:
        text = html.unescape(
            _ENTITY_TOO_LONG.sub("\ufffd", source[position : min(end, position + 5000)])
        )
        reader.title = " ".join(clean(text)[0].split())
    return end


def _settled(reader: _Reader) -> Iterator[Line]:
    """The lines, now that it is known which forms and tables hold the article itself."""
    regions = reader.regions
    for line, place in reader.lines:
        if part_of(line):
            regions[place].holds_part = True
    for region in reversed(regions):
        if region.holds_part and region.kind != "margin":
            regions[region.parent].holds_part = True
    kinds = ["content"]
    for region in regions[1:]:
        kind = "content" if region.kind != "margin" and region.holds_part else region.kind
        above = kinds[region.parent]
        kinds.append(kind if above == "content" else above)
    for line, place in reader.lines:
        if kinds[place] == "table":
            yield replace(line, kind="table")
        else:
            yield replace(line, margin=kinds[place] != "content")
