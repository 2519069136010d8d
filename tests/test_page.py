"""A published page becomes a draft: what is carried, what is left out, and what a person is told."""

import html
from datetime import date
from pathlib import Path

import pytest
from articles import quick
from hypothesis import example, given, settings
from hypothesis import strategies as st

from store.article import Article, Part, Status
from store.errors import ArticlesProblem
from store.page import MAX_BYTES, MAX_NOTES, Draft, read_page
from store.parse import ParsedFile, parse_bytes

PAGES = Path(__file__).parent / "pages"
NAMES = sorted(p.name for p in PAGES.iterdir() if p.suffix in {".txt", ".html"})
TODAY = date(2026, 6, 1)
REFERENCES = "\n\nReferences\n\n" + "\n".join(f"{n}. Source {n} of the fen." for n in range(1, 10))


def draft(page: str | bytes, name: str = "") -> Draft:
    """What becomes of a page."""
    raw = page.encode() if isinstance(page, str) else page
    return read_page(raw, today=TODAY, name=name)


def of_file(name: str) -> Draft:
    """What becomes of one of the pages beside this test."""
    return draft((PAGES / name).read_bytes(), name)


def parsed(found: Draft) -> ParsedFile:
    """What the parser makes of a draft."""
    return parse_bytes(found.text.encode(), Path(f"{found.slug}.md"))


def article(found: Draft) -> Article:
    """The article of a draft whose citations all have references."""
    file = parsed(found)
    assert file.article is not None, file.problems
    return file.article


def codes(found: Draft) -> set[str]:
    return {n.code for n in found.notes}


def body(found: Draft) -> list[str]:
    """The lines of the body that say something."""
    return [line for line in found.text.split("---\n", 2)[2].split("\n") if line]


def research(text: str, around: str = "") -> Draft:
    """A page with one part of this text."""
    return draft(f"Is it so?\n\n{around}\n\nFrom the Research\n\n{text}\n")


def cited_in(text: str) -> str:
    """How the only paragraph of a page reads in the draft; it cites 1 to 6 elsewhere."""
    found = research(f"{text}\n\nAll of the herons were counted twice 1, 2, 3, 4, 5, 6.")
    return body(found)[1]


def refused(page: str | bytes, name: str = "") -> str:
    """What is said of a page that is none."""
    with pytest.raises(ArticlesProblem) as problem:
        draft(page, name)
    assert problem.value.todo
    return problem.value.what


# --------------------------------------------------------------------- whole pages


@pytest.mark.parametrize("name", NAMES)
def test_a_page_becomes_the_draft_beside_it(name: str) -> None:
    found = of_file(name)
    notes = "".join(f"{n.line} {n.severity} {n.code}: {n.message}\n" for n in found.notes)
    said = f"{found.text}=== notes\n{notes}"
    assert said == (PAGES / f"{name}.draft").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [n for n in NAMES if n != "hostile.html"])
def test_the_parser_refuses_a_draft_for_its_references_alone(name: str) -> None:
    errors = [p for p in parsed(of_file(name)).problems if p.severity == "error"]
    assert {p.code for p in errors} <= {"citation_without_reference", "several_documents"}


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_is_submitted_whatever_the_page_shows(name: str) -> None:
    assert f"\nstatus: {Status.SUBMITTED}\n" in of_file(name).text


def test_text_and_html_of_a_page_give_the_same_draft() -> None:
    text, markup = of_file("model.txt"), of_file("model.html")
    assert markup.text.replace("model.html", "model.txt") == text.text
    assert markup.notes == text.notes


def test_line_ends_and_a_byte_order_mark_make_no_difference() -> None:
    raw = (PAGES / "model.txt").read_bytes()
    for other in (raw.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + raw, raw.replace(b"\n", b"\r")):
        assert draft(other, "model.txt") == draft(raw, "model.txt")


def test_nothing_of_the_furniture_is_in_the_draft() -> None:
    text = of_file("model.txt").text
    for word in ("Board of Editors", "describes you", "answer for nothing", "reed bed", "policy"):
        assert word not in text


def test_a_note_names_its_line_of_the_draft() -> None:
    found = of_file("browser.html")
    lines = found.text.split("\n")
    where = {n.code: lines[n.line - 1] for n in found.notes}
    assert where["page_status"].startswith("status: ")
    assert where["link_left_out"].startswith("Use fen oil")
    assert where["doubtful_heading"] == "### Editor's Diary"


# --------------------------------------------------------------------- nothing is lost

CHARACTERS = "abcdXYZéµ“’*_`<>&#[]()!\\~|+=-^$%'\";,?{}/"
TOKENS = st.text(CHARACTERS, min_size=1, max_size=8)
WORDS = st.lists(TOKENS, min_size=1, max_size=30).map(lambda w: f"{' '.join(w)} heron")
CITATIONS = st.sets(st.integers(1, 9), max_size=4).map(sorted)
STATEMENTS = st.lists(st.tuples(st.booleans(), WORDS, CITATIONS), min_size=1, max_size=6)
SECTIONS = st.lists(STATEMENTS, min_size=1, max_size=3)
TITLES = st.text(CHARACTERS, max_size=40).map(lambda t: f"Is {' '.join(t.split())} a heron?")


@settings(max_examples=150, deadline=None)
@given(TITLES, SECTIONS, st.booleans())
@example("Is a heron?", [[(True, "- 1. # heron", [1]), (False, "&amp; ]( heron", [])]], False)
def test_every_word_and_citation_of_a_page_is_in_its_draft(
    title: str, sections: list[list[tuple[bool, str, list[int]]]], as_html: bool
) -> None:
    lines = [f"<h1>{html.escape(title)}</h1><h2>From the Research</h2>"]
    plain = [title, "From the Research"]
    for n, statements in enumerate(sections):
        heading = f"Heading {'ABC'[n]} of the Fen"
        plain.append(heading)
        lines.append(f"<h3>{heading}</h3>")
        for bullet, words, citations in statements:
            text = words if bullet else f"Heron {words}"
            text += f" {', '.join(map(str, citations))}." if citations else "."
            plain.append(f"• {text}" if bullet else text)
            tag = "li" if bullet else "p"
            lines.append(f"<{tag}>{html.escape(text)}</{tag}>")
    lines.append(f"<h2>References</h2><ol>{'<li>Source of the fen.' * 9}</ol>")
    page = "\n".join(lines) if as_html else "\n\n".join(plain) + REFERENCES
    found = article(draft(page))
    assert found.title == title.replace("<", "< ") or "<" in title
    assert len(found.sections) == len(sections)
    for section, statements in zip(found.sections, sections, strict=True):
        expected = [(w if b else f"Heron {w}") + "." for b, w, _ in statements]
        assert " ".join(s.text for s in section.statements) == " ".join(expected)
        cited = [n for s in section.statements for _, ns in s.marks for n in ns]
        assert cited == [n for _, _, ns in statements for n in ns]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", "x.html"]))
def test_any_bytes_are_a_draft_or_a_refusal(raw: bytes, name: str) -> None:
    for page in (raw, b"Is it?\n\nFrom the research\n\n- x 1\n" + raw):
        try:
            draft(page, name)
        except ArticlesProblem as problem:
            assert problem.what


PIECES = st.sampled_from(
    """<div> </div> <p> </p> <ul> <ol> <li> </ul> <b> </b> <h2> </h2> <h3> <table> <td> </table>
    <sup> </sup> <button> </button> <a href="#1"> </a> <!-- --> <script> </script> <i hidden> </i>
    <form> </form> <br> <article> <header> </header> &lt; &#1; < > " word 1 From the guidelines
    References""".split()
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_any_markup_is_a_draft_or_a_refusal(pieces: list[str]) -> None:
    page = f"<h1>Is it?</h1><h2>From the research</h2><p>It is 1.</p>{' '.join(pieces)}"
    try:
        found = draft(page, "x.html")
    except ArticlesProblem:
        return
    assert body(found)[:1] == ["## From the research"]
    known = {"citation_without_reference", "citation_without_text", "empty"}
    assert {p.code for p in parsed(found).problems if p.severity == "error"} <= known


# --------------------------------------------------------------------- citations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The skin calmed after lamp treatment 1. It took days.", "treatment [1]. It"),
        ("It works with mint 2, CO2 foam 3, toxin type A 5, and tansy 5, 6.", "A [5], and"),
        ("Such as A 2, B 3, C 4, 5, 6.", "A [2], B [3], C [4, 5, 6]."),
        ("Herons did well (in winter) 1-3.", "(in winter) [1-3]."),
        ("It rose by 80% 4; nobody knows why.", "80% [4];"),
        ("The lamp was lit for 12 weeks 3.", "weeks [3]."),
        ("It was lit for several days 3, 4.", "days [3, 4]."),
        ("It failed once (see the lamp 2).", "lamp [2])."),
        ("It works 2, 3", "works [2, 3]"),
    ],
)
def test_a_bare_number_behind_a_word_and_before_a_stop_is_a_citation(
    text: str, expected: str
) -> None:
    assert expected in cited_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "Redness was gone at week 2, and stayed away.",
        "The trial was of phase 3.",
        "Grade 3, grade 4, and type 2, were left out.",
        "It is CO2, and at stage 4",
        "They were aged 5, as in Table 1.",
        "It came down by a factor 2, in 2019, with 1 or 2 sessions.",
        "It had a score of 4.",
        "It was given every 4, 6 or 8 weeks.",
        "The odds had a ratio of 3.",
        "There were few of them (n = 5).",
        "It fell from 10 to 4.",
        "They left on May 2, at 3.5, or 3:1.",
        "The dose was 2, the age 3; the mean was 4.",
    ],
)
def test_a_quantity_is_no_citation(text: str) -> None:
    assert cited_in(text) == text
    assert "doubtful_citation" not in codes(research(text))


@pytest.mark.parametrize(
    "text",
    [
        "They were given vitamin B 12.",
        "They looked at weeks 2, 4, 6.",
        "It helped with HPV 16, 18.",
        "It rose with interleukin 6.",
        "It works on mint 4, 5 herons said.",
        "In chicks 2 and elders it did less.",
        "It works (1, 2).",
        "It worked.1 Then it rained.",
        "It works 40.",
        "Smaller was a ratio, 0.8 3.",
    ],
)
def test_a_number_in_doubt_is_left_and_named(text: str) -> None:
    found = research(f"{text}\n\nAll of the herons were counted twice 1, 2, 3, 4, 5, 6.")
    assert body(found)[1] == text
    (note,) = [n for n in found.notes if n.code == "doubtful_citation"]
    assert found.text.split("\n")[note.line - 1] == text
    assert note.severity == "warning"


def test_where_a_page_has_brackets_a_bare_number_is_no_citation() -> None:
    found = research("Herons chose lamp 2. Others did not [1], [2] [3].")
    assert body(found)[1] == "Herons chose lamp 2. Others did not [1, 2, 3]."
    assert "doubtful_citation" not in codes(found)


def test_no_number_above_the_last_reference_is_a_citation() -> None:
    found = draft(f"Is it so?\n\nFrom the Research\n\nIt is so 9. It is not 10.{REFERENCES}")
    assert body(found)[1] == "It is so [9]. It is not 10."
    assert "doubtful_citation" in codes(found)


def test_raised_numbers_are_citations_and_exponents_stay() -> None:
    page = "<h1>Is it?</h1><h2>From the research</h2><p>At 7 J/cm<sup>2</sup>, 10<sup>3</sup> {}</p>"
    found = draft(page.format("reeds m² grew<sup>1</sup> back.<sup>2, 3</sup>"))
    assert body(found)[1] == "At 7 J/cm², 10³ reeds m² grew [1] back. [2, 3]"


def test_what_is_cited_without_a_reference_is_named_once() -> None:
    (note,) = [n for n in of_file("model.txt").notes if n.code == "unresolved_citations"]
    assert "for 1, 2, 3, 4, 5, 6;" in note.message
    assert "references:" not in of_file("model.txt").text


# --------------------------------------------------------------------- references


def test_fields_of_a_reference_are_read_where_its_form_is_clear() -> None:
    file = parsed(of_file("references.txt"))
    text = of_file("references.txt").text
    assert "several_documents" in {p.code for p in file.problems}
    sound = draft((PAGES / "references.txt").read_text().replace("; and Coot F. Whole reeds", ""))
    found = article(draft(sound.text and (PAGES / "references.txt").read_text().split("3. Bitt")[0]))
    one, two = found.references[:2]
    assert (one.authors, one.title) == (("Wader AB", "Marsh C"), "Splints for wings")
    assert (one.journal, one.year, one.volume, one.pages) == ("Annals of Reeds", 2019, "12", "45-50")
    assert (one.pmid, one.doi, one.kind) == ("900001", "10.1234/reeds.2019.45", "unclassified")
    assert (two.title, two.authors) == ("The Heron Society. Rules of the wing (2021).", ())
    assert "900004" in text
