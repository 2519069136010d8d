"""What stands around the two parts of a page: title, date and review status, and furniture."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

from store.errors import ArticlesProblem
from store.page.text import SUP, SUP_END, Line, Note, Page, part_of

MAX_TITLE_CHARS = 500

# --------------------------------------------------------------------------- furniture

_ENDS = re.compile(
    r"(?:(?:professional|medical|legal|important|health) ){0,3}disclaimers?(?: notice)?"
    r"|(?:do you )?have (?:a|an|another|any|more) (?:other )?(?:follow[- ]?up )?questions?"
    r"|(?:ask|type|enter) (?:a|an|any|another|your) (?:follow[- ]?up|question).*"
    r"|(?:related|similar|popular|recent|more|other) "
    r"(?:questions|articles|topics|reading|content|posts|searches|stories)"
    r"|(?:people|others|readers|clinicians) also (?:ask|asked|read|viewed|searched)(?: for)?"
    r"|(?:leave a )?comments?(?: \d+)?|about (?:us|the authors?)|contact(?: us)?|newsletter"
    r"|(?:©|\(c\)|copyright\b).*|.{0,60}\ball rights reserved|(?:your )?privacy policy.*",
    re.IGNORECASE,
)
_FURNITURE = re.compile(
    r"share(?: (?:this|on|via|with)\b.{0,40})?|tweet|facebook|twitter|linkedin|whatsapp|e-?mail"
    r"|print(?: this)?(?: page| article)?|cop(?:y|ied)(?: link| to clipboard| text)?|save|bookmark"
    r"|download(?: as)?(?: pdf)?|listen(?: to this article)?|follow us.{0,40}"
    r"|advertis(?:ement|ing)|ads?|sponsored(?: content)?|menu|home|search|close|loading|back"
    r"|(?:show|read|see|view|load) (?:more|less|all|sources|references)"
    r"|(?:expand|collapse)(?: all)?"
    r"|(?:skip|jump) to.{0,40}|back to (?:the )?top|table of contents|on this page"
    r"|(?:was|is|did) (?:this|it|you).{0,40}(?:helpful|useful|find it)|thumbs (?:up|down)|feedback"
    r"|report (?:an? )?(?:issue|problem|error)|cite(?: this.{0,40})?|like|dislike|yes|no"
    r"|(?:sign|log) ?(?:in|up|out)\b.{0,40}|subscribe\b.{0,80}|register|forgot.{0,40}password"
    r"|view editorial policy|editorial policy|personali[sz]e|help us tailor\b.{0,40}"
    r"|(?:are|which best describes) you\b.{0,200}|medical advisory board.{0,200}"
    r"|article review status|(?:accept|reject|allow|manage|necessary)\b.{0,20}\bcookies?.{0,20}"
    r"|(?:accept|reject) all|cookie (?:settings|policy|preferences)|terms (?:of|and) \w{3,12}",
    re.IGNORECASE,
)
_COOKIES = re.compile(r"(?:we|this (?:web)?site|our (?:web)?site|by)\b", re.IGNORECASE)
_LEGAL = re.compile(r"(?:the|this|our|all) (?:information|content|page|article|site)", re.I)
_LEGAL_WORDS = (
    "substitute for",
    "not replace",
    "not constitute",
    "no liability",
    "not medical advice",
)
_EDGES = " \t.:!?…·•|*_#-–—>»«<×✕✓✔→←↑↓()[]\"'“”"


def ends_content(line: Line) -> bool:
    """Whether what follows is no article any more: disclaimer, follow-up box, related, footer."""
    return len(line.text) <= 120 and bool(_ENDS.fullmatch(line.text.strip(_EDGES)))


def is_furniture(line: Line) -> bool:
    """Whether the line is a label, button, banner or disclaimer and no part of the article."""
    text = line.text.strip(_EDGES)
    if len(text) <= 250 and _FURNITURE.fullmatch(text):
        return True
    lower = text[:3000].lower()
    if _COOKIES.match(text) and " cookies" in lower:
        return True
    return bool(_LEGAL.match(text)) and any(w in lower for w in _LEGAL_WORDS)


# --------------------------------------------------------------------------- title

_SITE = re.compile(r"\s+[|–—·»-]\s+|\s*\|\s*|\s+::\s+")


def title_of(page: Page) -> tuple[str, list[Note]]:
    """The title question: the page's main heading, the browser's title, or its first line.

    ArticlesProblem when nothing stands before the parts that could be one.
    """
    head = list(_before_parts(page.lines))
    main = [x.text for x in head if x.kind == "heading" and x.level == 1]
    bar = sorted(_SITE.split(page.title), key=len, reverse=True) if page.title else []
    lines = [x for x in head if not x.margin and x.kind != "table"]
    texts = [x.text for x in lines if not is_furniture(x) and not ends_content(x)]
    # "Forgot something?" may stand above the title.
    by_size = sorted(texts, key=lambda t: len(t.split()) < 4)
    questions = [t for t in (*main, *bar, *texts[:1], *by_size) if _plain(t).endswith("?")]
    for title in (*questions, *main, *bar, *texts):
        if title and len(title) <= MAX_TITLE_CHARS:
            break
    else:
        raise ArticlesProblem(
            "The page has no title question above its parts.",
            "Save the whole page, from its title on; in plain text the title is the first line.",
        )
    if title in questions:
        return _plain(title), []
    what = f"the title is not a question: {title[:60]!r}; see that it is the page's own title"
    return _plain(title), [Note("warning", "title_not_a_question", what)]


def _before_parts(lines: Sequence[Line]) -> Iterator[Line]:
    for line in lines:
        if not line.margin and part_of(line):
            return
        yield line


def _plain(title: str) -> str:
    """Without a raised mark, and with room behind a `<`, which front matter takes for HTML."""
    text = re.sub(f"{SUP}[^{SUP_END}]*{SUP_END}", "", title)
    text = re.sub(r"https?://", "", text)
    return re.sub(r"<(?=[A-Za-z/!?])", "< ", text).strip()


# --------------------------------------------------------------------------- date

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = r"(?P<{}>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{{0,6}})\.?"
_TH = r"(?:st|nd|rd|th)?"
_UPDATED = re.compile(
    r"(?:last|date of(?: last)?)[ -](?:updated?|modified|revised|changed)\b|\bupdated\b", re.I
)
_DATES = [
    re.compile(r"[\s:–-]*(?:on )?" + pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)",
        _MONTH.format("name") + rf" (?P<d>\d{{1,2}}){_TH},? (?P<y>\d{{4}})(?!\d)",
        rf"(?P<d>\d{{1,2}}){_TH}[ -](?:of )?" + _MONTH.format("name") + r",?[ -](?P<y>\d{4})(?!\d)",
    )
]
_SLASHED = re.compile(r"[\s:–-]*(?:on )?(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?!\d)", re.IGNORECASE)


def updated_of(lines: Sequence[Line], today: date) -> tuple[date, list[Note]]:
    """When the page says that it was last updated; today, with a warning, when it does not."""
    text = "\n".join(x.text for x in lines)
    for label in _UPDATED.finditer(text):
        for pattern in _DATES:
            if found := pattern.match(text, label.end()):
                parts = found.groupdict()
                month = parts.get("m") or _MONTHS.index(parts["name"][:3].lower()) + 1
                return _checked(parts["y"], month, parts["d"], found.group(), today)
        if found := _SLASHED.match(text, label.end()):
            return _slashed(found, today)
    what = "the page does not say when it was last updated; this is the date of the import"
    return today, [Note("warning", "no_date", what)]


def _slashed(found: re.Match[str], today: date) -> tuple[date, list[Note]]:
    first, second, year = found.groups()
    shown = found.group().lstrip(" :–-on")
    if int(first) <= 12 and int(second) <= 12 and first != second:
        what = f"{shown!r} is one day or another; this is the date of the import, correct it"
        return today, [Note("warning", "ambiguous_date", what)]
    month_first = int(second) > 12
    month, day = (first, second) if month_first else (second, first)
    updated, notes = _checked(year, month, day, shown, today)
    order = "month/day/year" if month_first else "day/month/year"
    return updated, notes or [Note("info", "date_order", f"{shown!r} was read as {order}")]


def _checked(
    year: str, month: str | int, day: str, shown: str, today: date
) -> tuple[date, list[Note]]:
    try:
        updated = date(int(year), int(month), int(day))
    except ValueError:
        what = f"{shown.strip(' :')!r} is no date; this is the date of the import, correct it"
        return today, [Note("warning", "no_date", what)]
    if updated > today:
        return updated, [Note("warning", "future_date", f"{updated} is after today, {today}")]
    return updated, []


# --------------------------------------------------------------------------- review

_STEPS = frozenset({"submitted", "under review", "approved"})
_APPROVED = re.compile(r"\bapproved\b|\b(?:clinically|medically|peer)[- ]reviewed\b", re.I)


def review_notes(lines: Sequence[Line]) -> list[Note]:
    """What the page shows of its own review, and that it counts for nothing here."""
    texts = [x.text for x in lines if len(x.text) <= 300]
    steps = [t for t in texts if t.strip(_EDGES).lower() in _STEPS]
    notes, shown = [], list(dict.fromkeys(t.strip(_EDGES) for t in steps))
    if len(shown) > 1:
        notes.append(_status(f"the page shows the review steps {', '.join(shown)}"))
    single = steps if len(shown) == 1 else []
    for text in [*single, *(t for t in texts if t not in steps)]:
        if _APPROVED.search(text):
            notes.append(_status(f"the page shows a mark of approval, {text[:80]!r}"))
            break
    if any("pending human review" in t.lower() for t in texts):
        notes.append(_status("the page says that its content is pending human review"))
    caution = next((t for t in texts if "exercise caution" in t.lower()), "")
    if caution:
        notes.append(Note("info", "page_caution", f"the page carries a caution: {caution[:120]!r}"))
    return notes


def _status(what: str) -> Note:
    severity: Literal["info"] = "info"
    return Note(severity, "page_status", f"{what}; the draft is submitted all the same")
