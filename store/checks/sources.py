"""The references of an article: what is none, what is several, and what was retracted."""

import re
from collections.abc import Iterable, Iterator

from store.article import Article
from store.checks.problem import Lines, Piece, Problem, cut, place, some

MAX_PMID = 60_000_000
"""PubMed counts by about 1.5 million a year and passed 40 million in 2024."""

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
        if _several(name, text):
            said = (
                f"reference {str(path[1])[:20]} holds several documents: {cut(text)}; give each a "
                "number of its own (write a single title with a colon, not with `;`)"
            )
            yield Problem("error", "several_documents", said, piece.line, piece.field)
        elif name == "pmid" and not _PMID.fullmatch(text):
            said = "a PMID is the number in PubMed, 1 to 9 digits without a nought in front"
            yield Problem(
                "error", "bad_pmid", f"{cut(text)} is no PMID; {said}", piece.line, piece.field
            )
        elif name == "pmid" and int(text) > MAX_PMID:
            said = f"PubMed has not counted to {text}; check the PMID, or leave it out"
            yield Problem("warning", "implausible_pmid", said, piece.line, piece.field)
        elif name == "doi" and not _DOI.fullmatch(text):
            said = _bad_doi(text)
            yield Problem(
                "error", "bad_doi", f"{cut(text)} is no DOI; {said}", piece.line, piece.field
            )


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


def same_documents(article: Article, lines: Lines) -> Iterator[Problem]:
    """Two numbers for one document count as two sources where there is one."""
    owners: dict[tuple[str, str], int] = {}
    for r in article.references:
        kinds = (("PMID", r.pmid or ""), ("DOI", (r.doi or "").lower()), ("key", r.key))
        for kind, name in kinds:
            owner = owners.setdefault((kind, name), r.number) if name else r.number
            if owner != r.number:
                yield Problem(
                    "warning",
                    "same_document_twice",
                    f"references {owner} and {r.number} are one document ({kind} {cut(name)}); "
                    "cite one number and leave the other out",
                    *place(lines, "references", str(r.number)),
                )
                break


def retracted(article: Article, lines: Lines) -> Iterator[Problem]:
    """What rests on a retracted source: on such alone, and beside others."""
    gone = {r.number for r in article.references if r.retracted}
    known = {r.number for r in article.references}
    for number in sorted(gone):
        citing = [s for _, s in article.statements() if number in s.citations]
        alone = [s for s in citing if set(s.citations) & known <= gone]
        others = [s for s in citing if not set(s.citations) & known <= gone]
        told = [
            f"{what} {some([f'line {s.line} {cut(s.text, 40)}' for s in statements])}"
            for what, statements in (
                ("not quoted, for they rest on it alone:", alone),
                ("cited beside other sources:", others),
            )
            if statements
        ]
        yield Problem(
            "warning",
            "retracted_reference",
            f"reference {number} is retracted; rest what it supports on another source or remove "
            f"it ({'; '.join(told) or 'nothing cites it'})",
            *place(lines, "references", str(number)),
        )
