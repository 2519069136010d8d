"""What is wrong with an article, beyond what its format forbids.

Pure functions from what was read to problems: first the wording of any text, wherever it stands
(hidden characters, letters in disguise, links, instructions to a model), then the fields of the
references, then the article as a whole (citations, dates, doses, disagreements). Every problem
has its line in the file and, in the front matter, its field. All take time in proportion to the
text, whatever it says.
"""

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import accumulate, islice, takewhile
from typing import Any, Literal

from store.article import Article, Part, Statement, Status, is_quotable
from store.lexical import FUNCTION_WORDS, stem, words

MAX_STATEMENT_CHARS = 3000
MAX_PMID = 60_000_000
"""PubMed counts by about 1.5 million a year and passed 40 million in 2024."""

_CLOCK_STARTS = date(2026, 11, 22)
"""A clock that shows an earlier day is wrong: a dead battery must not refuse every article."""

Lines = Mapping[tuple[Any, ...], int]
"""Where each field of the front matter stands in the file, by its path."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file. An error keeps the article out; a warning does not."""

    severity: Literal["error", "warning"]
    code: str
    message: str
    line: int = 1
    field: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A text of the file with the place it came from."""

    text: str
    line: int
    path: tuple[Any, ...] = ()

    @property
    def field(self) -> str:
        """The field of the front matter, such as `references.1.title`; empty in the body."""
        return ".".join(map(str, self.path))


@dataclass(frozen=True, slots=True)
class Name:
    """A topic or alias by which questions find an article, with the place it came from."""

    text: str
    line: int
    field: str

    @property
    def same(self) -> str:
        """Equal for names that differ in case or spaces only."""
        return " ".join(self.text.casefold().split())


def utc_today() -> date:
    """Today's date in UTC."""
    return max(datetime.now(UTC).date(), _CLOCK_STARTS)


def cut(text: str, most: int = 60) -> str:
    """The start of a text in quotes, on one line, with what cannot be seen written out."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def pieces_of(value: Any, lines: Lines) -> list[Piece]:
    """Every text of the front matter as it was read, in order."""
    found: list[Piece] = []
    left: list[tuple[tuple[Any, ...], Any]] = [((), value)]
    while left:
        path, at = left.pop()
        if isinstance(at, dict):
            left.extend(((*path, key), child) for key, child in reversed(at.items()))
        elif isinstance(at, list):
            left.extend(((*path, i), at[i]) for i in range(len(at) - 1, -1, -1))
        elif isinstance(at, str):
            found.append(Piece(at, lines.get(path, 1), path))
    return found


# --------------------------------------------------------------------------- wording


def wordings(
    pieces: Sequence[Piece], code: str, *, html: bool = True, links: bool = True
) -> Iterator[Problem]:
    """`wording` of each piece. Taken together first, for nearly every file is in order."""
    whole = "\n".join(p.text for p in pieces)
    if any(True for _ in wording(whole, code, 1, ".note", html=html, links=links)):
        for p in pieces:
            yield from wording(p.text, code, p.line, p.field, html=html, links=links)


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_HTML = re.compile(r"<[A-Za-z/!?]")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\ufffd")
"""Characters that look like nothing, or stand for what was lost, though they count as others."""
_MOST_MARKS = 3
"""Accents on one letter; Vietnamese has two."""


def wording(
    text: str, code: str, line: int, field: str, *, html: bool = True, links: bool = True
) -> Iterator[Problem]:
    """What may not be carried into a reply: hidden characters, disguised letters, HTML, links."""
    several_lines = field.endswith((".note", ".reason"))
    if (_CONTROL_BUT_LINES if several_lines else _CONTROL).search(text):
        yield Problem("error", code, _hidden_message(text, several_lines), line, field)
    elif not text.isascii():
        if _has_hidden(text):
            yield Problem("error", code, _hidden_message(text, several_lines), line, field)
        for word, why in islice(_disguised(text), 3):
            yield Problem("error", "mixed_letters", f"{why} in {word}", line, field)
    if html and _HTML.search(text):
        said = "contains HTML; write plain text (a bare < with a space behind it)"
        yield Problem("error", code, f"{said}: {cut(text)}", line, field)
    if links:
        link = link_in(text)
        if link:
            said = f"contains a link or an address, {cut(link)}; leave it out and cite a reference"
            yield Problem("error", code, said, line, field)


@lru_cache(maxsize=10_000)
def _is_hidden(char: str) -> bool:
    return char in _BLANK or unicodedata.category(char) in _HIDDEN


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_odd_selector(text: str, at: int) -> bool:
    """A variation selector is in place behind a symbol or an ideograph, and once."""
    before = text[at - 1] if at else " "
    ideograph = unicodedata.name(before, "").startswith("CJK")
    return not (ideograph or unicodedata.category(before) in {"So", "Sm"})


def _hidden(text: str, several_lines: bool) -> Iterator[str]:
    marks = 0
    for at, char in enumerate(text):
        marks = marks + 1 if unicodedata.combining(char) else 0
        if several_lines and char in "\n\t":
            continue
        odd = _is_selector(char) and _is_odd_selector(text, at)
        if odd or marks > _MOST_MARKS or _is_hidden(char):
            yield char


def _has_hidden(text: str) -> bool:
    rare = _NOT_ASCII.findall(text)
    # Nearly every text has a dash or an accent and no more: the slow look is for the others.
    odd = any(map(_is_hidden, rare)) or any(map(_is_selector, rare))
    marked = sum(map(unicodedata.combining, rare)) > 0
    return (odd or marked) and any(True for _ in _hidden(text, True))


def _hidden_message(text: str, several_lines: bool) -> str:
    found = list(dict.fromkeys(islice(_hidden(text, several_lines), 1000)))
    named = ", ".join(map(_named, found[:3]))
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return (
        "contains control, direction-changing or other hidden characters "
        f"({named}{more}); delete them: {cut(text)}"
    )


def _named(char: str) -> str:
    name = unicodedata.name(char, "") or {"\n": "line break", "\t": "tab"}.get(char, "")
    return f"U+{ord(char):04X} {name}".strip()


# Greek as medicine mixes it with Latin: TNFα, NFκB, Δ9. These look like Latin letters, and are
# not used beside them.
_GREEK_IN_DISGUISE = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονϲϳͿϹ")
_WITH_LATIN = frozenset(
    {"LATIN", "GREEK", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC", "BOPOMOFO"}
)
_NO_SCRIPT = frozenset({"MICRO", "OHM", "KELVIN", "ANGSTROM", "DEGREE", "MODIFIER", "COMBINING"})
_COSTUMES = frozenset(
    {"FULLWIDTH", "MATHEMATICAL", "CIRCLED", "PARENTHESIZED", "SQUARED", "NEGATIVE", "REGIONAL"}
)
"""First words of the names of Latin letters that are drawn another way."""
_WORD_BEYOND_ASCII = re.compile(r"[^\W_]*[^\W_\x00-\x7f][^\W_]*(?:[\u0300-\u036f]+[^\W_]*)*")
_SIGN = re.compile(r"[\U0001f110-\U0001f1ff\u24b6-\u24e9]")


@lru_cache(maxsize=10_000)
def _script(char: str) -> str:
    """The first word of a letter's name: LATIN, GREEK, CJK; empty for what no script owns."""
    if not unicodedata.category(char).startswith("L"):
        return "SIGN" if _SIGN.match(char) else ""
    if char.isascii():
        return "LATIN"
    name = unicodedata.name(char, "")
    if name.startswith("LATIN SMALL LIGATURE F") or name.startswith("LATIN SMALL LIGATURE S"):
        return "LIGATURE"
    first = name.partition(" ")[0]
    if first == "FULLWIDTH" and "LATIN" not in name:
        return ""
    return "" if first in _NO_SCRIPT or char in "ªº" else first


def _disguised(text: str) -> Iterator[tuple[str, str]]:
    """(word, what is wrong with it) of words whose letters are not what they look like."""
    if all(_script(c) in {"", "LATIN"} for c in set(text)):
        return
    for m in _WORD_BEYOND_ASCII.finditer(text):
        word = m.group()
        scripts = {_script(c) for c in word} - {""}
        odd: list[str] = []
        if scripts & _COSTUMES or "LIGATURE" in scripts:
            odd = [c for c in word if _script(c) in _COSTUMES or _script(c) == "LIGATURE"]
            why = f"the letters {_listed(odd)} are drawn in another way; type plain letters"
        elif "LATIN" in scripts and scripts - _WITH_LATIN:
            odd = [c for c in word if _script(c) not in {"", "LATIN"}]
            why = f"{_listed(odd)} beside Latin letters; type the word in one alphabet"
        elif scripts == {"LATIN", "GREEK"}:
            odd = [c for i, c in enumerate(word) if _script(c) == "GREEK" and _poses(word, i)]
            why = f"{_listed(odd)} in the place of Latin letters; type the word in one alphabet"
        if odd:
            yield cut(word, 40), why
    for sign in _SIGN.findall(text)[:1]:
        yield cut(sign), f"the letters {_listed([sign])} are drawn in another way; type plain ones"


def _poses(word: str, at: int) -> bool:
    """Whether a Greek letter among Latin ones stands where a Latin one would."""
    if word[at] in _GREEK_IN_DISGUISE:
        return True
    around = word[max(at - 1, 0) : at] + word[at + 1 : at + 2]
    return len(around) == 2 and all(c.islower() and _script(c) == "LATIN" for c in around)


def _listed(chars: Sequence[str]) -> str:
    return ", ".join(_named(c) for c in list(dict.fromkeys(chars))[:3])


# Begins with the colon: that is quick to find.
_SCHEME = re.compile(
    r":(?:(?<=\w:)//\S|(?<=mailto:)\S|(?<=javascript:)\S|(?<=vbscript:)\S|(?<=\bdata:)\w+/"
    r"|(?<=\btel:)\+?\d|(?<=\bfile:)/|(?<=\btg:)/)",
    re.IGNORECASE,
)
_SCHEME_NAME = re.compile(r"[\w+.-]{1,20}$")
# Real ones that articles meet. Those that are also words, or initials, count with a path only:
# `t.me/x`, but not "and so to.me".
_DOMAIN = re.compile(
    r"\.(?:(?:com|org|net|edu|gov|info|biz|xyz|site|online|shop|store|club|link|click|app|dev"
    r"|int|mil|health|ru|cn|de|fr|uk|jp|eu|br|nl|ch)(?![\w-]|\.\w)|(?:COM|ORG|NET|EDU|GOV|INFO)"
    r"(?![\w-])|(?:me|co|us|ai|io|tv|cc|to|ly|gg|gl|be|gd|tk|ml|ga|is|sh|in|it)/[^\s/])"
)
_LABELS = re.compile(r"(?:[\w-]{1,63}\.){0,8}[\w-]{1,63}$")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+|(?<![\w@])@[A-Za-z]\w{4,31}")
_KNOWN_NAMES = frozenset({"clinicaltrials.gov", "nature.com"})
"""A register and a publisher whose names in prose look like addresses."""


def link_in(text: str) -> str:
    """The first link, web address, e-mail address or Telegram name in a text; empty without."""
    if ":" in text:
        found = _SCHEME.search(text)
        if found:
            name = _SCHEME_NAME.search(text, max(0, found.start() - 20), found.start())
            return text[name.start() if name else found.start() :][:60].split()[0]
    if "@" in text:
        found = _ADDRESS.search(text)
        if found:
            return found.group()
    if "." in text:
        lowered = text.lower()
        for start in ("www.", "xn--"):
            at = lowered.find(start)
            if at >= 0 and (at == 0 or not text[at - 1].isalnum()) and text[at + 4 :][:1].isalnum():
                return text[at : at + 60].split()[0]
        for m in _DOMAIN.finditer(text):
            labels = _LABELS.search(text, max(0, m.start() - 200), m.start())
            if labels is None or not re.search(r"[^\W\d_]", labels.group()):
                continue
            address = labels.group() + m.group()
            if address.lower() not in _KNOWN_NAMES or text[m.end() : m.end() + 1] == "/":
                return address
    return ""


# --------------------------------------------------------------------------- instructions

# What a letter is taken for when somebody wants a model to read a word that a filter does not.
_TAKEN_FOR = str.maketrans(
    "l013457@$_–—−“”‘’"  # noqa: RUF001
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγεηικνορτυχωσςϲ"
    "авсеёԁһнгіїјкӏмоорԛѕтуѵԝхпАВСЕНІЈКМОРЅТУХ"
    "օոսհզցլքաΑ"
    "ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᏔᏃ"
    "ıɡɑʟᴀʙᴄᴅᴇꜰɢʜɪᴊᴋᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "ioieastas ---\"\"''"
    "abezhikmnoptyxabyenikvoptuxwsss"
    "abceedhhriijkimoopqstyvwxnabcehijkmopstyx"
    "onuhqgipaa"
    "abcdeghijkimprstvwz"
    "igaiabcdefghijkmnoprstuvwyz",
)
_FILLER = dict.fromkeys(map(ord, _BLANK))


class _Plainer(dict[int, str]):
    """`str.translate` with it gives what a text reads as: plain lower-case Latin where it can.

    Hidden characters and accents go; look-alikes and digits in the place of letters become the
    letter; `l` becomes `i`, for `1` and `|` may be either.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char.isspace():
            plain = "\n" if char == "\n" else " "
        elif 0x1F1E6 <= code <= 0x1F1FF:
            plain = chr(code - 0x1F1E6 + ord("a")).translate(_TAKEN_FOR)
        elif _is_hidden(char) or unicodedata.category(char).startswith("M"):
            plain = ""
        else:
            flat = unicodedata.normalize("NFKD", char.translate(_TAKEN_FOR)).casefold()
            plain = "".join(c for c in flat if not unicodedata.combining(c))
            plain = plain.translate(_FILLER).translate(_TAKEN_FOR)
        if len(self) < 20_000:
            self[code] = plain
        return plain


_PLAINER = _Plainer()
_GAP = r"(?:[^\w.!?;:]){1,4}"


@lru_cache(maxsize=500)
def _pattern(source: str) -> re.Pattern[str]:
    """A pattern over plainer text: a space is any gap, `~` up to three words."""
    plainer = "".join(c if c in "\\$" else c.translate(_PLAINER) for c in source)
    return re.compile(plainer.replace("~", r"(?:\w+ ){0,3}").replace(" ", _GAP), re.MULTILINE)


_MODEL = "(?:ai|llm|gpt|chatgpt|claude|gemini|chatbot|language model|ai model|ai assistant)"
_BEFORE = "(?:previous|prior|preceding|above|earlier|foregoing|former|existing|original|initial)"
_ORDERS = "(?:instructions?|prompts?|directions?|directives?|commands?|orders?|rules?|messages?)"
_SPEECH = "(?:reply|replies|answers?|responses?|output|messages?)"
_TO_IGNORE = "ignore ignoring disregard disregarding forget override bypass neglect"

# fmt: off
_ANYWHERE: tuple[tuple[str, str], ...] = (
    # (one of these words, what follows it): no sentence of medical prose goes on like that.
    (_TO_IGNORE, rf" ~{_BEFORE} ~{_ORDERS}\b"),
    (_TO_IGNORE, r" ~(?:all|any|your|these|those|my|its) ~(?:instructions?|prompts?|directives?"
                 r"|commands?|system messages?|programming|training|guardrails)\b"),
    (_TO_IGNORE, r" (?:all of |all |everything )?(?:that is |that was |said |written )?"
                 r"(?:the |stated )?above(?: (?:and|text|rules?|instructions?|content|messages?"
                 r"|context|prompts?|directions?|statements?)\b|[.,;:!]|$)"),
    (_TO_IGNORE, r" (?:everything|anything|all|whatever|what) (?:you|before|prior"
                 r"|that came before|that you|i said|was said|has been said|else you)\b"),
    (_TO_IGNORE, r" (?:your|all safety|the safety) (?:rules|guidelines|restrictions|filters)\b"),
    (_TO_IGNORE, r" (?:the |all )?(?:instructions?|prompts?) (?:above|before|so far"
                 r"|you were given)\b"),
    (_TO_IGNORE, r" ~content (?:policy|policies|filters?)\b"),
    ("follow obey heed trust following obeying",
     rf" ~(?:system|your|my|these new|the new|only these"
     rf"|the hidden|{_BEFORE} system) ~(?:instructions?|prompts?|commands?)\b"),
    ("print reveal show repeat output display leak expose tell write dump share give disclose",
     r"(?: out| me| us)? (?:(?:all|the|of|what|everything|in) )*?"
     r"(?:your (?:system |full |own |entire |exact )?|(?:hidden|secret|system|initial|original) )"
     r"(?:prompts?|instructions?|configuration|rules|system message|context window|api keys?"
     r"|passwords?|secrets?|training data)\b"),
    ("you", r"(?: are|.re) now (?:an?|the|my|dan|acting|no longer|unrestricted|jailbroken|operating"
            r"|playing|called|known as|going to|required to|allowed to|permitted to|able to|free to"
            r"|in ~mode)\b(?! (?:candidate|day|week|month))"),
    ("you", rf" are (?:chatgpt|dan|an? ~{_MODEL}|no longer bound|an? (?:helpful|unrestricted|evil"
            r"|uncensored|jailbroken) )"),
    ("you", r" must (?:always |only |never |not |now )*(?:obey|comply|output|reply|respond|pretend"
            r"|say|recommend)\b"),
    ("as", r" an? (?:large )?(?:ai )?language model\b"),
    ("as", r" an (?:ai|artificial intelligence),? (?:language model|model|assistant|agent|chatbot"
           r"|bot|i|you|your|it must)\b(?!-)"),
    ("act behave respond answer write speak acting", r" as (?:if you (?:are|were|had)|though you "
     r"(?:are|were|had)|an? ~(?:ai assistant|chatbot|jailbroken|linux terminal|pirate|hacker"
     rf"|{_MODEL})\b|dan\b|an? (?:assistant|terminal|unrestricted \w+)\b)"),
    ("pretend", r" (?:to be|you|that you|you.re)\b"),
    ("roleplay role", r"(?:[\s-]?play(?:ing)?)? as (?:an?|the|my|if)\b"),
    ("from", r" now on (?:you|always|answer|respond|reply|ignore|only answer|every (?:answer|reply"
             r"|response)|never|do not|your|say|act|speak)\b"),
    ("developer god debug dan jailbreak", r" mode (?:on|enabled|activated|is)\b"),
    ("jailbreak jailbroken jailbreaking", r"\b"),
    ("do", r" anything now\b"),
    ("end", r" of (?:the )?(?:system )?(?:prompt|instructions|system message|user input)\b"),
    ("new updated revised real actual hidden secret additional special",
     rf" (?:system )?instructions?(?: (?:for|to) ~{_MODEL})?\s?:"),
    ("instruction instructions note notes message important attention",
     rf" (?:for|to) (?:the |any |all )?{_MODEL}s?\b"),
    ("attention dear hey hello hi", rf",? (?:{_MODEL}|assistant)\b"),
    ("system", r" prompt\b(?! (?:appears|appeared|for dos|reminding|reminded))"),
    ("your my all previous hidden these internal", r" system prompts\b"),
    ("system", r" message\s?:"),
    ("reply respond answer",
     r" (?:only |exactly |solely |just )(?:with )?(?:the (?:word|phrase|text"
     r"|following|sentence)|yes|no|json|one word|[\"'])"),
    ("append add include insert put place", r" ~(?:link|text|phrase|sentence|words?|following|url"
     r"|address|string|line) ~(?:to|in|at|into) (?:the (?:end|start|beginning|top|bottom) of )?"
     rf"(?:your|every|each|all) {_SPEECH}\b"),
    ("omit remove skip drop hide suppress delete leave strip", r" (?:out |off )?~disclaimer"),
    ("mention show include display add output print repeat reveal append say write give send state",
     r" ~disclaimer()"),
    ("without no", r" (?:the |any |a )?(?:\w+ )?disclaimer"),
    ("if when whenever once", r" (?:the|a|any) user (?:asks?|says?|types?|writes?|mentions?"
     r"|questions?|wants|requests)\b"),
    ("your", r" (?:new|only|real|true|actual|secret) (?:task|job|role|goal|purpose|mission"
             r"|objective|instructions?|identity|name)\b"),
    ("your", r" (?:task|job|role|mission|objective) is (?:now )?(?:to|not)\b"),
    ("your", r" (?:system|hidden|secret|initial|internal|original) (?:prompt|instructions?|message"
             r"|rules)\b"),
    ("without no disable remove lift off", r" ~guardrails\b"),
    ("bypass disable violate without override", r" ~content (?:policy|policies|filters?)\b"),
    ("supersede supersedes override overrides replace replaces",
     r" ~(?:your|system|previous|prior|earlier) ~(?:instructions?|prompts?)\b"),
    # Spanish, Portuguese, Italian, French, German, Dutch, Russian.
    ("ignora ignore ignorar olvida olvide desconsidere esqueca", r" ~(?:instrucciones|instrucoes"
     r"|indicaciones) (?:anteriores|previas|de arriba|acima|del sistema)"),
    ("ignora ignore ignorar olvida olvide desconsidere esqueca",
     r" ~(?:anteriores|previas) (?:instrucciones|instrucoes)"),
    ("ignora ignorate dimentica",
     r" ~(?:istruzioni (?:precedenti|di sopra)|precedenti istruzioni)"),
    ("ignore ignorez oublie oubliez", r" ~(?:instructions|consignes) (?:precedentes|anterieures"
     r"|ci.dessus)"),
    ("ignore ignorez oublie oubliez", r" ~consignes "),
    ("ignoriere ignorieren vergiss vergessen missachte", r" ~(?:vorherig\w+|bisherig\w+|obig\w+"
     r"|fruher\w+|vorangegangen\w+) ~anweisung"),
    ("negeer", r" ~(?:vorige|eerdere|bovenstaande) instructies"),
    ("игнорируй игнорируйте забудь забудьте проигнорируй",
     r" ~(?:предыдущие|прежние|все) ~инструкции"),
)
_AS_ORDER: tuple[tuple[str, str], ...] = (
    # The same at the start of a sentence only, or behind "please" and "you must": there the verb
    # orders. "Lesions respond with oedema" does not.
    ("as", r" an ai\b(?!-| (?:based|driven|powered|assisted|tool|system|enabled|algorithm))"),
    ("reply respond answer", r"(?: (?:to |the )?(?:every |all |any |each |the |this )?(?:questions?"
     r"|messages?|users?|it|query|queries|prompts?))?(?: back)?(?: only| exactly| solely| simply)? "
     r"(?:with|in|as|by|using|yes|no)\b"),
    ("always only just never", r" (?:reply|respond|answer) "),
    ("do don’t don't dont never", r"(?: not)? (?:mention|show|include|display|add|output|print|cite"
     r"|reveal|append) ~(?:citation|source|caution|warning|reference|instruction"
     r"|safety information)"),
    ("start begin end finish prefix close conclude", rf" (?:your|every|each|all) {_SPEECH} "
     r"(?:with|by|in)\b"),
    ("tell inform convince persuade ask advise", r" (?:the|every|each|all) users? "),
    ("execute run", r" (?:the following|this) (?:code|command|script|function|tool)\b"),
    ("call", r" (?:the )?(?:\w+ )?(?:tool|function|api)\b"),
)
_MARKERS: tuple[tuple[str, str], ...] = (
    # (what must occur, pattern): the marks between turns in what models are trained on, and text
    # without spaces between its words.
    ("<|", r"<\|[a-z\s/]+\|?>"),
    ("[", r"\[/?(?:inst|sys|system|assistant)\]"),
    ("<", r"<<?/?(?:sys|system|assistant|instructions?|prompt)>"),
    ("##", r"##+\s*(?:instructions?\s*:|instruction\s*(?![^\n])|system(?: prompt| message)?\s*:?\s*"
           r"(?![^\n])|(?:system|assistant|user|human|response|input|prompt)\s*:)"),
    *((f"{role}{colon}", rf"(?:(?<![^\n])|(?<=[.!?]\s)|(?<=[\"'(])){role}{colon}\s")
      for role in ("system", "assistant", "developer", "user") for colon in (":", " :")),
    ("human:", r"(?<![^\n])human:\s(?:ignore|please|you|tell|write|what|how|now|forget|print"
               r"|show|say|answer|can you)\b"),
    ("role", r"\brole(?:[\"']\s*[:=]|\s?=\s?[\"'])\s*[\"']?(?:system|assistant|user|developer)\b"),
    ("忽略", r"忽略\w*?(?:指令|指示|提示)"),
    ("无视", r"无视\w*?(?:指令|指示|提示)"),
    ("無視", r"(?:指示|命令)を(?:すべて)?無視"),
)
# fmt: on
_NEGATED = "(?:do not|don.?t|never|must not|should not|stop|not|without) $"
_ORDERED = (
    r"(?:[.!?:;]\s+|\s-\s|\s[\"'(\[]"
    r"|\b(?:please|now|then|you must|you should|you will|you shall|you have to|you are to) )$"
)
_DOING = r"(?:\s(?:often|may|might|can|could|would|will|tend\sto|sometimes|commonly|to|do|did))*"
_OF_PEOPLE = (
    r"(?:\b(?:patients?|parents?|participants?|subjects|people|caregivers?|famil(?:y|ies)|nurses?"
    r"|clinicians?|physicians?|surgeons?|adolescents|children|volunteers?|users|who|they)"
    r"(?:\s(?:are|were|was|is|had\sbeen|have\sbeen))?"
    rf"(?:\s(?:instructed|told|asked|advised|taught|trained|free))?{_DOING}|\bnot|\bnever|\bdon.t)\s$"
)
"""What stands before "ignore previous instructions" when people do it, or are told not to."""

# The same said letter by letter.
_SPELT_RUN = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){7,}")
_SPELT = re.compile(
    "(?:ignore|disregard|forget)(?:aii|any|the|your|my|these)*(?:previous|prior|above|eariier)?"
    "(?:instruction|prompt|ruie|command)|systemprompt|youarenow|donotmention|jaiibreak|repiyoniy"
)
_FEWEST_SPELT = 5
_NO_MARKS = str.maketrans({c: " " for c in map(chr, range(128)) if not c.isalnum()})


def _by_word() -> dict[str, list[tuple[str, bool]]]:
    """What may follow each word that begins an order, and whether it must be one."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for table, ordered in ((_ANYWHERE, False), (_AS_ORDER, True)):
        for some, rest in table:
            for word in some.split():
                found.setdefault(word.translate(_PLAINER), []).append((rest, ordered))
    return found


_FOLLOWS = _by_word()
_MARKS = tuple((mark.translate(_PLAINER), source) for mark, source in _MARKERS)


# The same for ASCII as a table of bytes, which is many times quicker.
_DROPPED = bytes(n for n in range(128) if not chr(n).translate(_PLAINER))
_ASCII = "".join(chr(n).translate(_PLAINER) or " " for n in range(128)).replace("\n", " ")
_PLAINER_BYTES = _ASCII.encode() + bytes(range(128, 256))


def _plainer(text: str) -> str:
    """The text as it reads, on one line."""
    if text.isascii():
        return text.encode().translate(_PLAINER_BYTES, _DROPPED).decode()
    return text.translate(_PLAINER).replace("\n", " ")


def instructions(pieces: Sequence[Piece]) -> Iterator[Problem]:
    """Text that reads as if written to a model: the article is kept out until somebody looked.

    Hidden characters, look-alike letters and spelling letter by letter do not help it.
    """
    plain = [_plainer(p.text) for p in pieces]
    whole = "\n".join(plain)
    starts = list(accumulate((len(text) + 1 for text in plain), initial=0))
    found: dict[int, str] = {}
    for start, said in _told(whole):
        found.setdefault(bisect_right(starts, start) - 1, said)
    for i, said in sorted(found.items()):
        yield Problem(
            "error",
            "instructions",
            f"reads like an instruction to a model ({cut(_as_written(pieces[i].text, said))}); "
            "delete it, or say it in other words",
            pieces[i].line,
            pieces[i].field,
        )


def _told(whole: str) -> Iterator[tuple[int, str]]:
    """(where, what) of each order in plainer text."""
    known = set(whole.translate(_NO_MARKS).split())
    for word in _FOLLOWS.keys() & known:
        for found in re.finditer(rf"{word}(?<![^\W_]{word})(?![^\W_])", whole):
            at, end = found.span()
            for rest, ordered in _FOLLOWS[word]:
                told = _pattern(rest).match(whole, end)
                if told and _is_order(whole, at, rest, ordered):
                    yield at, whole[at : told.end()]
    for mark, source in _MARKS:
        if mark in whole:
            yield from ((m.start(), m.group()) for m in _pattern(source).finditer(whole))
    if len([word for word in known if len(word) == 1]) > _FEWEST_SPELT:
        for run in _SPELT_RUN.finditer(whole):
            if _SPELT.search(re.sub(r"[\W_]", "", run.group())):
                yield run.start(), run.group()


def _is_order(whole: str, at: int, rest: str, ordered: bool) -> bool:
    before = whole[max(0, at - 80) : at]
    if ordered:
        return not before or before.endswith("\n") or bool(_pattern(_ORDERED).search(before))
    if rest.endswith("disclaimer()"):
        return bool(_pattern(_NEGATED).search(before))
    if whole.startswith(_IGNORING, at):
        return not _pattern(_OF_PEOPLE).search(before)
    return True


_IGNORING = tuple(word.translate(_PLAINER) for word in _TO_IGNORE.split())


def _as_written(text: str, said: str) -> str:
    """The part of a text that reads as `said`; the text when that is not found again."""
    plainer, origin = [], []
    for i, char in enumerate(text):
        for c in char.translate(_PLAINER):
            plainer.append(" " if c == "\n" else c)
            origin.append(i)
    start = "".join(plainer).find(said.strip())
    if start < 0:
        return text
    return text[origin[start] : origin[start + len(said.strip()) - 1] + 1]


# --------------------------------------------------------------------------- references

_PMID = re.compile(r"[1-9][0-9]{0,8}")
_DOI = re.compile(r"10\.[0-9]{4,9}/[^\s<>\"]{1,200}")
_READ_CLOSELY = frozenset({"pmid", "doi", "title", "authors", "journal", "accession"})
_DOI_PREFIX = re.compile(
    r"(?:https?://)?(?:dx\.)?doi\.org/|doi:?\s*|https?://\S*?(?=10\.\d{4})", re.I
)
_IDENTIFIERS = re.compile(r"\bPMID:?\s*\d{4,9}|\b10\.\d{4,9}/\S", re.I)
_NUMBERED = re.compile(r"\s*[(\[]?1[)\].:]\s+\S.{10,}?\s[(\[]?2[)\].:]\s+\S", re.S)


def references(pieces: Iterable[Piece]) -> Iterator[Problem]:
    """PMIDs and DOIs that are none, and numbers that carry more than one document.

    Reads the front matter as it was written, so that it does not wait for other errors.
    """
    for piece in pieces:
        path = piece.path
        if len(path) < 3 or path[0] != "references":
            continue
        name, text = str(path[2]), piece.text.strip()
        if name not in _READ_CLOSELY:
            continue
        where = (piece.line, piece.field)
        if _several(name, text):
            said = (
                f"reference {str(path[1])[:20]} holds several documents: {cut(text)}; give each a "
                "number of its own (write a single title with a colon, not with `;`)"
            )
            yield Problem("error", "several_documents", said, *where)
        elif name == "pmid" and not _PMID.fullmatch(text):
            said = "a PMID is the number in PubMed, 1 to 9 digits without a nought in front"
            yield Problem("error", "bad_pmid", f"{cut(text)} is no PMID; {said}", *where)
        elif name == "pmid" and int(text) > MAX_PMID:
            said = f"PubMed has not counted to {text}; check the PMID, or leave it out"
            yield Problem("warning", "implausible_pmid", said, *where)
        elif name == "doi" and not _DOI.fullmatch(text):
            said = _bad_doi(text)
            yield Problem("error", "bad_doi", f"{cut(text)} is no DOI; {said}", *where)


def _bad_doi(text: str) -> str:
    bare = _DOI_PREFIX.sub("", text, count=1)
    if bare != text and _DOI.fullmatch(bare):
        return f"leave out what stands before it and write {cut(bare, 80)}"
    return "a DOI starts with `10.`, a number and `/`, such as 10.1000/xyz, and has no spaces"


def _several(name: str, text: str) -> bool:
    """Whether a field of one reference names several documents."""
    if name == "pmid":
        return len(re.findall(r"\d{3,9}", text)) > 1 and bool(re.search(r"\d\D+\d", text))
    if name == "doi":
        return bool(re.search(r"[\s;,|]\S{0,30}?10\.\d{4,9}/", text))
    if name in {"title", "authors", "journal", "accession"}:
        if len(_IDENTIFIERS.findall(text)) > 1:
            return True
        return name == "title" and (bool(_NUMBERED.match(text)) or _joined_titles(text))
    return False


def _joined_titles(text: str) -> bool:
    titles = re.split(r";\s+(?=[A-Z\"“])", text)
    return len(titles) > 1 and all(len(t.split()) > 3 for t in titles)


# --------------------------------------------------------------------------- the article


def article(found: Article, lines: Lines, today: date) -> Iterator[Problem]:
    """Everything that the article says which cannot be so, or should be looked at."""
    yield from _citations(found, lines)
    yield from _same_documents(found, lines)
    yield from _retracted(found, lines)
    yield from _probes(found, lines)
    yield from _repeated_aliases(found, lines)
    yield from _dates(found, lines, today)
    yield from _doses(found, lines)
    yield from _unrecorded_conflicts(found)


def _citations(article: Article, lines: Lines) -> Iterator[Problem]:
    """Citations of nothing, statements that are too long or not cited, unused references."""
    known = {r.number for r in article.references}
    cited: set[int] = set()
    everywhere = [(s.line, "", s) for _, s in article.statements()]
    everywhere += [
        (lines.get(("conflicts", i), lines.get(("conflicts",), 1)), f"conflicts.{i}", c)
        for i, c in enumerate(article.conflicts)
    ]
    if not any(True for _ in article.statements()):
        said = "the article has no statements below its part headings; write at least one"
        yield Problem("error", "empty", said)
    for line, field, statement in everywhere:
        cited.update(statement.citations)
        for number in statement.citations:
            if number not in known:
                yield Problem(
                    "error",
                    "citation_without_reference",
                    f"cites [{number}], but `references` has no {number}; add it or cite another: "
                    f"{cut(statement.text)}",
                    line,
                    field or "references",
                )
        if len(statement.text) > MAX_STATEMENT_CHARS:
            yield Problem(
                "error",
                "statement_too_long",
                f"a statement of {len(statement.text):,} characters; "
                f"at most {MAX_STATEMENT_CHARS:,}, so divide it: {cut(statement.text)}",
                line,
                field,
            )
    for _, statement in article.statements():
        if not statement.citations and not statement.reports_absence:
            yield Problem(
                "warning",
                "uncited",
                f"carries no citation and will not be quoted; cite its source: "
                f"{cut(statement.text)}",
                statement.line,
            )
    for number in sorted(known - cited):
        yield Problem(
            "warning",
            "reference_never_cited",
            f"reference {number} is never cited; cite it or leave it out",
            *_reference_place(number, lines),
        )


def _reference_place(number: int, lines: Lines) -> tuple[int, str]:
    return lines.get(("references", str(number)), 1), f"references.{number}"


def _same_documents(article: Article, lines: Lines) -> Iterator[Problem]:
    """Two numbers for one document count as two sources where there is one."""
    owners: dict[tuple[str, str], int] = {}
    for r in article.references:
        names = [
            (kind, str(name))
            for kind, name in (("PMID", r.pmid), ("DOI", (r.doi or "").lower()), ("key", r.key))
            if name
        ]
        for kind, name in names:
            owner = owners.setdefault((kind, name), r.number)
            if owner != r.number:
                yield Problem(
                    "warning",
                    "same_document_twice",
                    f"references {owner} and {r.number} are one document ({kind} {cut(name)}); "
                    "cite one number and leave the other out",
                    *_reference_place(r.number, lines),
                )
                break


def _retracted(article: Article, lines: Lines) -> Iterator[Problem]:
    gone = {r.number for r in article.references if r.retracted}
    if not gone:
        return
    known = {r.number for r in article.references}
    for number in sorted(gone):
        citing = [s for _, s in article.statements() if number in s.citations]
        alone = [s for s in citing if set(s.citations) & known <= gone]
        others = [s for s in citing if not set(s.citations) & known <= gone]
        told = [
            f"{what} {', '.join(f'line {s.line} {cut(s.text, 40)}' for s in some[:3])}"
            + (f" and {len(some) - 3} more" if len(some) > 3 else "")
            for what, some in (
                ("not quoted, for they rest on it alone:", alone),
                ("cited beside other sources:", others),
            )
            if some
        ]
        yield Problem(
            "warning",
            "retracted_reference",
            f"reference {number} is retracted; rest what it supports on another source or remove "
            f"it ({'; '.join(told) or 'nothing cites it'})",
            *_reference_place(number, lines),
        )


def _probes(article: Article, lines: Lines) -> Iterator[Problem]:
    known = {r.number for r in article.references}
    texts = {
        s.text
        for _, s in article.statements()
        if set(s.citations) <= known and is_quotable(article, s)
    }
    for i, probe in enumerate(article.answerable):
        for j, text in enumerate(probe.statements):
            if text not in texts:
                path: tuple[Any, ...] = ("probes", "answerable", i, "statements", j)
                line = lines.get(path, lines.get(path[:-1], 1))
                said = (
                    f"no quotable statement contains {cut(text)}; copy a piece of one word by word"
                )
                field = ".".join(map(str, path))
                yield Problem("warning", "probe_without_statement", said, line, field)


def names(article: Article, lines: Lines) -> tuple[Name, ...]:
    """The names by which questions find the article."""
    topic = lines.get(("topic",), lines.get(("title",), 1))
    found = [Name(article.topic, topic, "topic" if ("topic",) in lines else "title")]
    for i, alias in enumerate(article.aliases):
        path = ("aliases", i) if ("aliases", i) in lines else ("aliases",)
        found.append(Name(alias, lines.get(path, 1), ".".join(map(str, path))))
    return tuple(found)


def _repeated_aliases(article: Article, lines: Lines) -> Iterator[Problem]:
    seen: dict[str, Name] = {}
    for name in names(article, lines):
        first = seen.setdefault(name.same, name)
        if first is not name:
            yield Problem(
                "warning",
                "duplicate_alias",
                f"{cut(name.text)} is given already (line {first.line}); leave one out",
                name.line,
                name.field,
            )


def shared_names(articles: Sequence[tuple[str, Sequence[Name]]]) -> dict[int, list[Problem]]:
    """A warning for each name that two of these articles, (label, names), have, by position.

    Not an error: either article is sound without the other, and refusing both for a name would
    take two answers away where a question only becomes ambiguous.
    """
    owners: dict[str, list[int]] = {}
    for at, (_, given) in enumerate(articles):
        for same in {n.same for n in given}:
            owners.setdefault(same, []).append(at)
    found: dict[int, list[Problem]] = {}
    for at, (label, given) in enumerate(articles):
        for name in {n.same: n for n in reversed(given)}.values():
            # Two of one label are refused for that already.
            others = [s for s in (articles[o][0] for o in owners[name.same]) if s != label]
            if others:
                more = f" and {len(others) - 3} more" if len(others) > 3 else ""
                said = (
                    f"{cut(name.text)} is also a name of {', '.join(others[:3])}{more}, so a "
                    "question by that name fits both; keep it in one"
                )
                found.setdefault(at, []).append(
                    Problem("warning", "duplicate_alias", said, name.line, name.field)
                )
    return found


def _dates(article: Article, lines: Lines, today: date) -> Iterator[Problem]:
    """Days that cannot be, and reviews that are due. The day has begun somewhere already."""
    dated: list[tuple[tuple[Any, ...], date]] = [(("updated",), article.updated)]
    dated += [(("reviews", i, "at"), r.at) for i, r in enumerate(article.reviews)]
    for path, day in dated:
        if (day - today).days > 1:
            yield Problem(
                "error",
                "future_date",
                f"{day} is in the future (today is {today}, UTC); correct the date",
                lines.get(path, 1),
                ".".join(map(str, path)),
            )
    line, updated = lines.get(("review_by",), 1), lines.get(("status",), 1)
    ended = article.status in {Status.RETIRED, Status.WITHDRAWN}
    if article.review_by is not None and not ended:
        if article.review_by < today:
            said = f"was to be reviewed by {article.review_by}; review it and set a later date"
            yield Problem("warning", "review_overdue", said, line, "review_by")
        if article.review_by < article.updated:
            said = (
                f"`review_by` {article.review_by} is before `updated` {article.updated}; "
                "set the date of the next review"
            )
            yield Problem("warning", "review_by_before_updated", said, line, "review_by")
    if article.status is not Status.APPROVED:
        return
    if article.review_by is None:
        said = (
            "approved without `review_by`, so it never falls due; set the date of the next review"
        )
        yield Problem("warning", "no_review_date", said, updated, "status")
    if article.effective_status() is not Status.APPROVED:
        said = (
            "no review that still holds approves this text, so it falls back to under review; "
            f"have it approved as {article.sha256()[:12]}…"
        )
        yield Problem("warning", "approval_of_another_text", said, updated, "status")


# --------------------------------------------------------------------------- doses

_UNITS = r"(?:mg|mcg|[µμ]g|ug|ng|g|kg|mL|ml|cc|units?|IU|mEq|mmol|mmols|milligrams?|micrograms?|grams?|millilitres?|milliliters?)"  # noqa: E501
# What makes an amount a laboratory value: per volume of blood, or of what is measured in it.
_PER_LABORATORY = (
    r"(?:\s?(?:/|per)\s?(?:100\s?)?(?:dL|dl|L|l|litre|liter|decilitre|deciliter|24\s?h|mol|mmol)\b"
    r"|\s?[·⋅]?\s?(?:d?L|l)[-⁻−]\s?[1¹])"
)
_PER_ML = r"\s?(?:/|per)\s?m[Ll]\b"
_RANGE = r"(?:\s?(?:[-–—]|to)\s?\d*\.?\d+)?"  # noqa: RUF001
_TRAILING = re.compile(rf"(?<![\d.,])\d+\.0+(?!\d){_RANGE}\s?-?{_UNITS}\b(?!{_PER_LABORATORY})")
_NAKED = re.compile(rf"(?<![\w.)\]])(?<!\d\s)\.\d+{_RANGE}\s?-?{_UNITS}\b(?!{_PER_LABORATORY})")
_TRACE = re.compile(rf"(?:[nup]|[µμ]|mc)g{_PER_ML}")
_UNIT_LETTER = re.compile(
    rf"\d[\d.,]*\s?[Uu](?![\w'’])(?!{_PER_LABORATORY}|{_PER_ML}|\s?/\s?(?:L|mL|g)\b|\.[A-Z])"  # noqa: RUF001
)
_IU = re.compile(rf"\d[\d.,]*\s?(?:[Ii]\.?[Uu]\b\.?)(?!{_PER_LABORATORY}|{_PER_ML})")
_DAILY = re.compile(
    r"(?<![\w.])(?:Q\.\s?(?:O\.\s?)?D\.?|q\.\s?(?:o\.\s?)?d\.?|QO?D|qo?d)(?![\w-]|\.?\s?[sh]\b)"
)
_DOSED = re.compile(
    r"\d\s?(?:mg|mcg|[µμ]g|g|mL|ml|units?|mEq|mmol)\b|\b(?:tablets?|capsules?|drops?|puffs?|dos\w+"
    r"|taken|tak(?:e|ing)|give[ns]?|apply|applied|administered|orally|po|PO|oral|topical\w*)\b"
)
_MORPHINE = re.compile(
    r"(?<!\bin )(?<!\bIn )(?<!with )(?<!\bof )(?<!\bfor )(?<!\band )"
    r"\bMS\s+\d[\d.]*\s?(?:mg|mcg|g)\b(?!/mL)"
    r"|\d\s?(?:mg|mcg|g)\s(?:of\s)?(?:(?:IV|i\.v\.|oral|subcutaneous)\s)?MS\b"
    r"(?!\s(?:patients?|lesions?|relapses?|disease|analysis|spectr\w+|data))"
    r"|\b(?:IV|intravenous|oral|subcutaneous)\sMS\s\d"
    r"|\b(?:MSO|MgSO)[4₄](?=.{0,30}?\d\s?(?:mg|g|mEq|mmol|mL)\b)"
    r"|\d\s?(?:mg|g|mEq|mmol)\s(?:of\s)?(?:(?:IV|i\.v\.|oral)\s)?(?:MSO|MgSO)[4₄]"
    r"|\b(?:IV|intravenous|given|oral|injected)\s(?:MSO|MgSO)[4₄]"
)
_STATISTIC = re.compile(r"(?:\bCI|interval|ratio|difference|\bSD|\bp\s?[<=>≤≥])[^.;]{0,25}$")


def _doses(article: Article, lines: Lines) -> Iterator[Problem]:
    """Doses written in a way that has been misread with harm.

    The list is The Joint Commission's Official "Do Not Use" List (2004, since 2010 in Information
    Management standard IM.02.02.01): U, IU, Q.D., Q.O.D., a trailing zero, a lacking leading
    zero, MS, MSO4 and MgSO4. As it says, a trailing zero may stand in laboratory results, in
    imaging that reports the size of lesions, and in sizes of catheters and tubes.
    """
    told = [Piece(s.text, s.line) for _, s in article.statements()]
    told += [
        Piece(c.text, lines.get(("conflicts", i), lines.get(("conflicts",), 1)), ("conflicts", i))
        for i, c in enumerate(article.conflicts)
    ]
    whole = "\n".join(p.text for p in told)
    looks = [look for maybe, look in _LOOKS if maybe(whole)]
    if not looks:
        return
    for piece in told:
        for said, why in dict(m for look in looks for m in look(piece.text)).items():
            message = f"writes {cut(said.strip(), 30)}, {why} (Joint Commission, “Do Not Use” list)"
            yield Problem("warning", "dose_notation", message, piece.line, piece.field)


def _trailing(text: str) -> Iterator[tuple[str, str]]:
    """(what is written, why and what instead), as the others below."""
    for m in _TRAILING.finditer(text) if ".0" in text else ():
        if not (_TRACE.match(text, _unit_start(m)) or _is_statistic(text, m)):
            yield m.group(), "which is read as ten times as much; leave out the point and nought"


def _naked(text: str) -> Iterator[tuple[str, str]]:
    for m in _NAKED.finditer(text):
        if not (_TRACE.match(text, _unit_start(m)) or _is_statistic(text, m)):
            yield m.group(), "which is read without its point; write a nought before the point"


def _unit_letters(text: str) -> Iterator[tuple[str, str]]:
    for m in _UNIT_LETTER.finditer(text):
        yield m.group(), "which is read as a nought, a 4 or cc; write units"
    for m in _IU.finditer(text):
        yield m.group(), "which is read as IV or 10; write units"


def _daily(text: str) -> Iterator[tuple[str, str]]:
    for m in _DAILY.finditer(text):
        near = text[max(0, m.start() - 60) : m.start()] + text[m.end() : m.end() + 20]
        if _DOSED.search(near):
            other = "o" in m.group().lower()
            yield m.group(), f"which is misread; write {'every other day' if other else 'daily'}"


def _morphine(text: str) -> Iterator[tuple[str, str]]:
    for m in _MORPHINE.finditer(text):
        yield m.group(), "which can be either; write morphine sulfate or magnesium sulfate"


_DAILY_STARTS = (
    "qd",
    "QD",
    "q.d",
    "Q.D",
    "q. d",
    "Q. D",
    "qod",
    "QOD",
    "q.o",
    "Q.O",
    "q. o",
    "Q. O",
)
_LOOKS: tuple[tuple[Callable[[str], object], Callable[[str], Iterator[tuple[str, str]]]], ...] = (
    # (what an article must have somewhere for the look at each sentence to be worth it, the look)
    (re.compile(r"\.0+\s?-?[a-zµμ]|\.0+\s?(?:[-–—]|to)", re.IGNORECASE).search, _trailing),  # noqa: RUF001
    (re.compile(r"\.(?<![\w.)\]]\.)\d").search, _naked),
    (re.compile(r"[Uu](?!\w)(?<=[\d\siI.][Uu])").search, _unit_letters),
    (lambda text: any(start in text for start in _DAILY_STARTS), _daily),
    (re.compile(r"MS\b|SO[4₄]").search, _morphine),
)


def _unit_start(m: re.Match[str]) -> int:
    unit = re.search(rf"{_UNITS}$", m.group())
    return m.start() + unit.start() if unit else m.end()


def _is_statistic(text: str, m: re.Match[str]) -> bool:
    return bool(_STATISTIC.search(text[max(0, m.start() - 30) : m.start()]))


# --------------------------------------------------------------------------- disagreement


@dataclass(frozen=True, slots=True)
class _Matter:
    """Something that two sentences can say opposite things about."""

    name: str
    hints: frozenset[str]
    """A sentence without one of these words says nothing about it, and is not looked at closer."""
    yes: re.Pattern[str]
    no: re.Pattern[str]
    first: Literal["yes", "no"] = "no"
    """Which is looked for first, when the words of one are part of the other."""

    def side(self, text: str) -> str:
        """What a sentence in lower case says: "yes", "no", or nothing."""
        order = (("no", self.no), ("yes", self.yes))
        for side, pattern in order if self.first == "no" else reversed(order):
            if pattern.search(text):
                return side
        return ""


_DONE = (
    r"(?:combined|used|given|added|applied|performed|offered|started|continued|treated|delivered"
    r"|injected|repeated|followed|administered|undertaken|carried out)"
)
_CHANGE = _Matter(
    "which way it changes",
    frozenset(
        "increase increases increased raise raises raised worsen worsens worsened reduce "
        "reduces reduced lower lowers lowered decrease decreases decreased shorten shortens "
        "shortened prevent prevents prevented lengthen lengthens lengthened doubles doubled "
        "halves halved".split()
    ),
    re.compile(r"\b(?:increase[sd]?|raise[sd]?|worsen(?:s|ed)?|lengthen(?:s|ed)?|double[sd])\b"),
    re.compile(
        r"\b(?:reduce[sd]?|lower(?:s|ed)|decrease[sd]?|shorten(?:s|ed)?|prevent(?:s|ed)?"
        r"|halve[sd])\b"
    ),
)
_MATTERS = (
    _Matter(
        "whether it is advised",
        frozenset(
            "recommend recommends recommended should can may advise advises advised against "
            "contraindicated avoid avoided indicated not must".split()
        ),
        re.compile(
            rf"\b(?:recommends?|recommended|should|advis(?:es?|ed)|is indicated|are indicated"
            rf"|(?:can|may|must) (?:\w+ )?be (?:\w+ )?{_DONE})\b"
        ),
        re.compile(
            rf"\b(?:not (?:\w+ )?(?:be )?(?:recommend\w*|advis\w+|indicated|{_DONE})"
            r"|(?:recommend\w*|advis\w+) (?:\w+ )?against|should (?:not|never)|must not|cannot be"
            r"|evidence to recommend|contraindicated|(?:be|is|are) avoided|to avoid|avoid)\b"
        ),
    ),
    _Matter(
        "whether it works",
        frozenset(
            "effective ineffective efficacious improve improves improved improvement benefit "
            "benefits beneficial superior no not without fails failed nor neither".split()
        ),
        re.compile(
            r"\b(?:effective|efficacious|beneficial|superior|improves?|improved|improvement"
            r"|benefits?|benefited)\b"
        ),
        re.compile(
            r"\b(?:ineffective|not (?:\w+ )?(?:effective|improve|beneficial|superior|benefit)"
            r"|(?:no|without) (?:\w+ ){0,2}(?:difference|benefit|effect|improvement|advantage|gain)"
            r"|(?:did|does|do) not (?:\w+ )?(?:improve|differ|help|work|benefit)"
            r"|fail(?:s|ed) to (?:improve|help|work)|no (?:\w+ )?better)\b"
        ),
    ),
    _Matter(
        "whether it is safe",
        frozenset(
            "safe unsafe tolerated harmless harmful harm harmed harms adverse complications side "
            "dangerous necrosis safely".split()
        ),
        re.compile(
            r"\b(?:(?<!not )(?<!not be )safe|safely|well[ -]tolerated|harmless"
            r"|(?:no|without) (?:\w+ ){0,3}(?:adverse|side[ -]effects?|complications?|harms?))\b"
        ),
        re.compile(
            r"\b(?:unsafe|not (?:\w+ ){0,2}safe|harmful|harmed|dangerous|necrosis"
            r"|serious (?:\w+ ){0,2}adverse|(?:adverse \w+|complications?|side[ -]effects?) "
            r"(?:\w+ )?(?:occurred|followed|appeared|were common|were frequent|were seen"
            r"|were reported))\b"
        ),
        "yes",
    ),
    _CHANGE,
    _Matter(
        "whether it has been studied",
        frozenset(
            "should can may established recommended recommends performed proven shown no not "
            "never lack lacks lacking insufficient little unknown untested unproven unstudied "
            "effective safe nobody none improve improves improved".split()
        ),
        re.compile(
            rf"\b(?:(?:can|may|should|must|would|is|are) (?:\w+ ){{0,2}}be (?:\w+ )?{_DONE}"
            rf"|(?:is|are) (?:usually|typically|generally|best|routinely) {_DONE}"
            r"|(?:well )?established|(?:is|are|was|were|be) (?:\w+ )?(?:effective|safe)"
            r"|proven|recommend(?:s|ed)|improves?|improved|should)\b"
        ),
        re.compile(
            r"\b(?:(?:do|does|did) not (?:\w+ )?address"
            r"|(?:no|nor any) (?:\w+ ){0,3}(?:study|studies|trials?|evidence|data|research)"
            r"(?! (?:of (?!benefit|efficacy|effect|safety)|was lost|were lost))(?=\b)"
            r"|no (?:study|studies|trials?) of"
            r"|(?:has|have|had|was|were) (?:not|never) (?:been )?(?:\w+ )?(?:studied|investigated"
            r"|tested|evaluated|examined|trialled|established)"
            r"|lack(?:s|ing)? (?:of )?(?:\w+ ){0,2}(?:evidence|data|trials|studies)"
            r"|(?:insufficient|too little|not enough) (?:\w+ )?(?:evidence|data)"
            r"|evidence (?:is|was) (?:\w+ )?(?:insufficient|lacking|absent)"
            r"|remains? (?:\w+ )?(?:unknown|unproven|untested|unstudied)"
            r"|nobody has|none of the (?:\w+ )?(?:studies|trials))\b"
        ),
    ),
)
_GAINSAYS = (
    # (what the one part says, what the other says), either way round.
    *(((m.name, "yes"), (m.name, "no")) for m in _MATTERS),
    (("whether it is advised", "yes"), ("whether it works", "no")),
    (("whether it is advised", "yes"), ("whether it is safe", "no")),
    (("whether it is advised", "no"), ("whether it works", "yes")),
    (("whether it is advised", "no"), ("whether it is safe", "yes")),
)
_ABOUT_GUIDELINES = re.compile(r"\bno (?:\w+ ){0,3}(?:guidelines?|recommendations?|guidance)\b")
"""That no guideline speaks of it does not gainsay a trial."""

_MAX_CONFLICTS = 5
_OBJECT_WORDS = 6
_ENDS_OBJECT = frozenset("after in with by at on during when before than among for from".split())
_MAX_SIDE = 150
"""Statements of one part that take one side, beyond which the rest are not compared."""
_MAX_STEMMED = 6_000
"""Different words an article that are reduced to stems; some 0.1 s of time."""
_LEAST_SHARED = 2
_LEAST_ALIKE = 0.4
_MANY_SHARED = 3
_LEAST_ALIKE_OF_MANY = 0.3
"""Stems that two sentences must share, and how much of the shorter one's subject that must be.
Set on the samples, where nothing fires from 0.25 up, and on made-up pairs that should."""

_OF_NO_SUBJECT = frozenset(
    map(
        stem,
        "address advise against article author avoid beneficial benefit clinical data describe "
        "difference direct directly effect effective efficacy established evidence expert found "
        "guideline improve improvement insufficient patient people person provided random "
        "randomised recommend recommendation report research result review safe safety say should "
        "significant study studies summary support systematic trial well year month week".split(),
    )
)
"""Stems of words with which anything is said, so that sharing them is no common subject."""


_RAW_WORD = re.compile(r"[^\W_]+")


class _Stems:
    """The telling stems of sentences and how rare each is in the article."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._words = Counter(w for t in texts for w in set(_RAW_WORD.findall(t.lower())))
        self._count = len(texts)
        self._allowed = set(islice(self._words, _MAX_STEMMED))

    def of(self, text: str) -> dict[str, float]:
        """Each stem with its weight: the greater, the fewer sentences have the word; 0.8 to 3.3."""
        found: dict[str, float] = {}
        for word in words(text):
            if word not in FUNCTION_WORDS and word in self._allowed:
                name = stem(word)
                if name not in _OF_NO_SUBJECT:
                    weight = 1 / (0.3 + self._words[word] / self._count)
                    found[name] = max(found.get(name, 0), weight)
        return found


def _unrecorded_conflicts(article: Article) -> Iterator[Problem]:
    """Pairs of a guideline and a research sentence that speak of one thing and gainsay each other.

    Words decide, so it errs both ways: it asks the author to look. Pairs that a recorded conflict
    speaks of are left alone.
    """
    parts = {part: [s for sec, s in article.statements() if sec.part is part] for part in Part}
    guidelines, research = parts[Part.GUIDELINES], parts[Part.RESEARCH]
    if not guidelines or not research:
        return
    first = _sides(guidelines, _MATTERS)
    gainsaid = {two[1 - i][0] for two in _GAINSAYS for i in (0, 1) if two[i] in first}
    sides = first, _sides(research, [m for m in _MATTERS if m.name in gainsaid])
    pairs = [
        (one[0], ours, theirs)
        for one, other in _GAINSAYS
        for mine, yours in ((one, other), (other, one))
        for ours in sides[0].get(mine, ())
        for theirs in sides[1].get(yours, ())
    ]
    if not pairs:
        return
    stems = _Stems([s.text for s in (*guidelines, *research)])
    known: dict[int, dict[str, float]] = {}
    for _, *two in pairs:
        for s in two:
            if id(s) not in known:
                known[id(s)] = stems.of(s.text)
    recorded = [set(stems.of(c.text)) for c in article.conflicts]
    ranked: list[tuple[float, str, Statement, Statement]] = []
    for matter, ours, theirs in pairs:
        alike, shared = _likeness(known[id(ours)], known[id(theirs)])
        least = _LEAST_ALIKE if len(shared) < _MANY_SHARED else _LEAST_ALIKE_OF_MANY
        if len(shared) < _LEAST_SHARED or alike < least:
            continue
        if any(len(shared & c) >= _LEAST_SHARED for c in recorded):
            continue
        if matter != _CHANGE.name or _changes_one_thing(ours.text, theirs.text):
            ranked.append((alike, matter, ours, theirs))
    ranked.sort(key=lambda r: -r[0])
    seen: set[tuple[int, int]] = set()
    for _, matter, ours, theirs in ranked:
        if (id(ours), id(theirs)) in seen or len(seen) == _MAX_CONFLICTS:
            continue
        seen.add((id(ours), id(theirs)))
        yield Problem(
            "warning",
            "unrecorded_conflict",
            f"the parts seem to disagree on {matter}, and no `conflicts` line says so; add "
            f"one, or reword: guidelines {cut(ours.text, 160)}, research (line {theirs.line}) "
            f"{cut(theirs.text, 160)}",
            ours.line,
        )


def _sides(
    statements: Sequence[Statement], matters: Sequence[_Matter]
) -> dict[tuple[str, str], list[Statement]]:
    """The statements that take a side, by matter and side."""
    found: dict[tuple[str, str], list[Statement]] = {}
    for statement in statements:
        text = statement.text.lower()
        said = set(text.translate(_NO_MARKS).split())
        hinted = [m for m in matters if not m.hints.isdisjoint(said)]
        if not hinted or _ABOUT_GUIDELINES.search(text):
            continue
        for matter in hinted:
            side = matter.side(text)
            if side:
                some = found.setdefault((matter.name, side), [])
                if len(some) < _MAX_SIDE:
                    some.append(statement)
    return found


def _changes_one_thing(one: str, other: str) -> bool:
    """Whether what goes up in the one sentence is what goes down in the other."""
    things: list[set[str]] = []
    for text in (one.lower(), other.lower()):
        verb = _CHANGE.no.search(text) or _CHANGE.yes.search(text)
        behind = words(text[verb.end() :])[:_OBJECT_WORDS] if verb else []
        object_ = takewhile(lambda w: w not in _ENDS_OBJECT, behind)
        things.append({stem(w) for w in object_ if w not in FUNCTION_WORDS})
    return bool(things[0] & things[1])


def _likeness(one: dict[str, float], other: dict[str, float]) -> tuple[float, frozenset[str]]:
    """How much of the shorter sentence's subject is in the other, 0 to 1, and what they share."""
    shared = frozenset(one.keys() & other.keys())
    least = min(sum(one.values()), sum(other.values()))
    return sum(min(one[s], other[s]) for s in shared) / least if least else 0.0, shared
