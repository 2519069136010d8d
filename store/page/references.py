"""The list of references at the end of a page, as far as its entries are beyond doubt."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from store.page.text import SUP, SUP_END, Line

MAX_REFERENCES = 1000
MAX_TITLE_CHARS = 1000

_HEADING = re.compile(
    r"\W*(?:(?:full |cited |key )?(?:references?|sources?|citations?|bibliography|literature)"
    r"(?: cited| list)?|reference list)\W*(?:\(?\d+\)?)?\W*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\[(\d{1,4})\][.:]?\s+|(\d{1,4})[.):]\s+|(\d{1,4})\s+(?=[A-Z])|(\d{1,4})$")
_ARROWS = " ^↑↩"
_URL = re.compile(r"https?://[^\s<>\"]{1,2000}")
_PMID = re.compile(r"\bPMID\s?:?\s?(\d{1,9})\b|pubmed\.ncbi\.nlm\.nih\.gov/(\d{1,9})\b")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s<>\"]{1,200}")
_LABELLED = re.compile(
    r"\s?(?:\bPMID\s?:?\s?\d{1,9}|(?:\bdoi\s?:?\s?|https?://(?:dx\.)?doi\.org/)10\.[^\s]+"
    r"|\bPMCID\s?:?\s?PMC\d{1,9}|https?://[^\s<>\"]+)[.;]?",
    re.IGNORECASE,
)
_LINKS = re.compile(
    r"(?:[\s,;|·]{0,5}\[?\b"
    r"(?:doi|pubmed|google scholar|crossref|full text|abstract|link|pmc)\b\]?:?){1,6}[\s.]*$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\(((?:19|20)\d\d)\)")
_AUTHOR = re.compile(r"[^\W\d_][^\d.,;:?!()]{0,40} [A-Z]{1,4}|et al|[A-Z][^\d.,;:?!()]{2,60} Group")
_TAIL = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?: [A-Z][a-z]{2}(?:[-–][A-Z][a-z]{2})?)?(?: \d{1,2})?;"
    r"\s?(?P<volume>\d{1,5}[A-Za-z]?)\s?(?:\([^()]{1,30}\))?"
    r":\s?(?P<pages>[A-Za-z]{0,8}\d[\w.]{0,20}(?:[-–][A-Za-z]{0,3}\d{1,8})?)\.?"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One reference: its number, and the fields of an article's `references` that are known."""

    number: int
    fields: dict[str, str | list[str]] = field(default_factory=dict)
    several: bool = False
    """Whether it seems to be more than one document."""


@dataclass(frozen=True, slots=True)
class ReferenceList:
    """What a list of references gave."""

    entries: tuple[Entry, ...] = ()
    unnumbered: int = 0
    """Lines that no number stands before; they are left out."""


def opens_references(line: Line) -> bool:
    """Whether the line is the heading of a list of references."""
    return line.kind in {"heading", "text"} and bool(
        len(line.text) < 60 and _HEADING.fullmatch(line.text)
    )


def read_references(lines: Iterable[Line]) -> ReferenceList:
    """The numbered entries of a list, at most MAX_REFERENCES, sorted."""
    texts: dict[int, list[str]] = {}
    repeated = set[int]()
    last = unnumbered = 0
    for number, text in _numbered(lines):
        if number and number in texts:
            repeated.add(number)
            texts[number].append(text)
        elif number and len(texts) < MAX_REFERENCES:
            texts[number] = [text]
        elif not last:
            unnumbered += 1
        elif len(texts[last]) < 20:
            texts[last].append(text)
        last = number if number in texts else last
    entries = [
        _entry(number, " ".join(" ".join(pieces).split()), number in repeated)
        for number, pieces in sorted(texts.items())
    ]
    return ReferenceList(tuple(e for e in entries if e.fields), unnumbered)


def _numbered(lines: Iterable[Line]) -> Iterator[tuple[int, str]]:
    """Each line with the number before it; 0 when it goes on with the entry before."""
    last = 0
    for line in lines:
        text = re.sub(f"{SUP}[^{SUP_END}]*{SUP_END}", "", line.text).strip(_ARROWS)
        number = line.number
        found = _NUMBER.match(text)
        if found and not number:
            number = int(next(g for g in found.groups() if g))
            bare = bool(found.group(3) or found.group(4))
            # "2019 update of …" and "45 patients …" go on with the entry.
            if not 0 < number < 10_000 or (number != last + 1 if bare else number < last):
                number = 0
            else:
                text = text[found.end() :]
        last = number or last
        if number or text:
            yield number, text.strip(_ARROWS)


def _entry(number: int, text: str, repeated: bool) -> Entry:
    pmids = {a or b for a, b in _PMID.findall(text)}
    dois = {_trimmed(d).lower(): _trimmed(d) for d in _DOI.findall(text)}
    urls = [_trimmed(u) for u in _URL.findall(text)]
    title = " ".join(_URL.sub("", text).split()) or re.sub(r"https?://", "", " ".join(urls))
    # In front matter a `<` before a letter would be taken for HTML.
    fields: dict[str, str | list[str]] = {
        "title": re.sub(r"<(?=[A-Za-z/!?])", "< ", title)[:MAX_TITLE_CHARS].strip()
    }
    if not fields["title"]:
        return Entry(number)
    if repeated or len(pmids) > 1 or len(dois) > 1 or len(title) > MAX_TITLE_CHARS:
        return Entry(number, fields, several=True)
    fields.update(_vancouver(_LINKS.sub("", _LABELLED.sub(" ", text))))
    years = set(_YEAR.findall(text))
    if "year" not in fields and len(years) == 1:
        fields["year"] = years.pop()
    pmid, doi = next(iter(pmids), ""), next(iter(dois.values()), "")
    if pmid and pmid[0] != "0":
        fields["pmid"] = pmid
    if doi:
        fields["doi"] = doi
    others = [u for u in urls if "doi.org/" not in u and "pubmed.ncbi" not in u]
    if len(others) == 1 and not pmid and not doi and 10 < len(others[0]) < 500:
        fields["url"] = others[0]
    return Entry(number, fields)


def _trimmed(found: str) -> str:
    """A DOI or address without the punctuation of the sentence around it."""
    found = found.rstrip(".,;:'\"”’")
    if found.endswith((")", "]")) and found.count("(") + found.count("[") < found.count(found[-1]):
        return found[:-1].rstrip(".,;")
    return found


def _vancouver(text: str) -> dict[str, str | list[str]]:
    """The fields of "Authors. Title. Journal. Year;Volume(Issue):Pages."; none when unsure."""
    text = " ".join(text.split())
    pieces = text.split(". ")
    tail = _TAIL.fullmatch(pieces[-1]) if 3 < len(pieces) < 40 else None
    if not tail:
        return {}
    authors = [a.strip() for a in pieces[0].split(",")]
    title, journal = ". ".join(pieces[1:-2]), pieces[-2]
    # "Title? Journal." is split at the question mark.
    if not all(map(_AUTHOR.fullmatch, authors)) or not 2 < len(journal) < 100 or "?" in journal:
        return {}
    return {"authors": authors, "title": title, "journal": journal, **tail.groupdict()}
