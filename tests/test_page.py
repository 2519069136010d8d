"""A published page becomes a draft: what is carried, what is left out, what a person is told."""

import html
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from articles import quick
from hypothesis import example, given, settings
from hypothesis import strategies as st

from store.article import Article, Part, Status
from store.errors import ArticlesProblem
from store.page.read import MAX_BYTES, MAX_NOTES, Draft, read_page
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
# `<|` begins the marks of a chat template, which are refused.
TOKENS = st.text(CHARACTERS, min_size=1, max_size=8).map(lambda t: t.replace("<|", "|"))
WORDS = st.lists(TOKENS, min_size=1, max_size=30).map(lambda w: f"{' '.join(w)} heron")
CITATIONS = st.sets(st.integers(1, 9), max_size=4).map(sorted)
STATEMENTS = st.lists(st.tuples(st.booleans(), WORDS, CITATIONS), min_size=1, max_size=6)
SECTIONS = st.lists(STATEMENTS, min_size=1, max_size=3)
TITLES = st.text(CHARACTERS, max_size=40).map(lambda t: " ".join(f"Is {t} a heron?".split()))


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
    page = f"<h1>Is it?</h1><h2>From the research</h2><p>It works 1.</p>{' '.join(pieces)}"
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
    found = draft(f"Is it so?\n\nFrom the Research\n\nIt is so 9. It fails 10.{REFERENCES}")
    assert body(found)[1] == "It is so [9]. It fails 10."
    assert "doubtful_citation" in codes(found)


def test_raised_numbers_are_citations_and_exponents_stay() -> None:
    page = (
        "<h1>Is it?</h1><h2>From the research</h2><p>At 7 J/cm<sup>2</sup>, 10<sup>3</sup> {}</p>"
    )
    found = draft(page.format("reeds m² grew<sup>1</sup> back.<sup>2, 3</sup>"))
    assert body(found)[1] == "At 7 J/cm², 10³ reeds m² grew [1] back. [2, 3]"


def test_what_is_cited_without_a_reference_is_named_once() -> None:
    (note,) = [n for n in of_file("model.txt").notes if n.code == "unresolved_citations"]
    assert "for 1, 2, 3, 4, 5, 6;" in note.message
    assert "references:" not in of_file("model.txt").text


# --------------------------------------------------------------------- references


def with_references(*entries: str) -> Article:
    """The article of a page that lists these, numbered from 1."""
    listed = "\n".join(f"{n}. {text}" for n, text in enumerate(entries, 1))
    return article(
        draft(f"Is it so?\n\nFrom the Research\n\nIt works 1.\n\nReferences\n\n{listed}")
    )


def test_a_reference_in_a_clear_form_is_read_field_by_field() -> None:
    text = "Wader AB, Marsh C. Wings: a count. Fen Med. 2019 Mar 4;12(3):e45-50. "
    (found,) = with_references(f"{text}doi:10.1234/fen(19)45. PMID: 900001.").references
    assert (found.kind, found.title) == ("unclassified", "Wings: a count")
    assert (found.authors, found.journal) == (("Wader AB", "Marsh C"), "Fen Med")
    assert (found.year, found.volume, found.pages) == (2019, "12", "e45-50")
    assert (found.pmid, found.doi) == ("900001", "10.1234/fen(19)45")


@pytest.mark.parametrize(
    "text",
    [
        "Notebook of the keeper, kept in the boat house since 1999.",
        "Wader A. Wings or legs? Fen Med. 2019;12:1-2.",
        "The Society of Herons, Rules, 3rd ed., 2021;5:7",
    ],
)
def test_a_reference_in_another_form_is_kept_whole(text: str) -> None:
    (found,) = with_references(text).references
    assert found.title == text
    assert (found.authors, found.journal, found.year, found.pages) == ((), None, None, None)


def test_the_address_of_a_reference_is_kept_when_it_has_no_number() -> None:
    (found,) = with_references("Rules (2021). https://example.org/rules.").references
    assert (found.url, found.year) == ("https://example.org/rules", 2021)


def test_several_documents_under_one_number_are_kept_and_named() -> None:
    found = of_file("references.txt")
    (note,) = [n for n in found.notes if n.code == "several_documents"]
    assert note.message.startswith("reference 3 ")
    assert found.text.split("\n")[note.line - 1] == "  3:"
    assert "PMID 900003; and Coot F. Whole reeds. PMID 900004." in found.text
    assert 'pmid: "900003"' not in found.text


def test_references_without_numbers_are_named() -> None:
    found = research("It works 1.\n\nReferences\n\nThe rules of the fen.")
    assert "unnumbered_references" in codes(found)
    assert "rules of the fen" not in found.text


# --------------------------------------------------------------------- date and review


@pytest.mark.parametrize(
    ("shown", "updated"),
    [
        ("Last updated: February 24, 2025", "2025-02-24"),
        ("Last updated: May 4, 2021View the policy", "2021-05-04"),
        ("Last Updated on 24 February 2025", "2025-02-24"),
        ("Updated 24 Feb 2025", "2025-02-24"),
        ("Last modified: 2025-02-24T10:00", "2025-02-24"),
        ("Date of last update: Feb. 24, 2025", "2025-02-24"),
        ("last updated\n24th Sept. 2024", "2024-09-24"),
        ("Published 1 May 2020. Last revised 2 May 2020.", "2020-05-02"),
    ],
)
def test_the_date_of_the_last_update_is_read(shown: str, updated: str) -> None:
    found = research("It works 1.", shown)
    assert f"\nupdated: {updated}\n" in found.text
    assert codes(found).isdisjoint({"no_date", "ambiguous_date", "date_order"})


@pytest.mark.parametrize(
    ("shown", "updated", "code"),
    [
        ("", TODAY, "no_date"),
        ("Published 1 May 2020", TODAY, "no_date"),
        ("Last updated: February 30, 2025", TODAY, "no_date"),
        ("Last updated: 02/03/2025", TODAY, "ambiguous_date"),
        ("Last updated: 02/24/2025", "2025-02-24", "date_order"),
        ("Last updated: 24.02.2025", "2025-02-24", "date_order"),
        ("Last updated: 2027-01-01", "2027-01-01", "future_date"),
    ],
)
def test_a_date_that_a_person_must_look_at_is_named(shown: str, updated: object, code: str) -> None:
    found = research("It works 1.", shown)
    assert f"\nupdated: {updated}\n" in found.text
    assert code in codes(found)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("Submitted\nUnder Review\nApproved", "steps Submitted, Under Review, Approved"),
        ("✓ Approved", "mark of approval, '✓ Approved'"),
        ("Approved by the Board of the Fen", "mark of approval"),
        ("This content is pending human review", "pending human review"),
    ],
)
def test_the_review_that_a_page_shows_is_told_and_counts_for_nothing(shown: str, said: str) -> None:
    found = research("It works 1.", shown)
    (note,) = [n for n in found.notes if n.code == "page_status"]
    assert said in note.message and note.severity == "info"
    assert "\nstatus: submitted\n" in found.text


# --------------------------------------------------------------------- title and slug


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title>Is fen oil safe? | Herons</title><h1>Herons</h1>", "Is fen oil safe?"),
        ("<title>Herons - Is fen oil safe?</title>", "Is fen oil safe?"),
        ("<title>x</title><header><h1>Is <i>fen</i> oil safe?</h1></header>", "Is fen oil safe?"),
        ("Herons\n\nForgot it?\n\nIs fen oil safe in rain?", "Is fen oil safe in rain?"),
        ("# Is it < 5 or <b?", "Is it < 5 or < b?"),
    ],
)
def test_the_title_is_the_question_of_the_page(page: str, title: str) -> None:
    end = (
        "<h2>From the research</h2><p>It works 1."
        if page[0] == "<"
        else "\n\nFrom the research\n\nIt works 1."
    )
    assert f'\ntitle: "{title}"\n' in draft(page + end).text


def test_a_title_that_is_no_question_is_named() -> None:
    assert "title_not_a_question" in codes(draft("Fen oil\n\nFrom the research\n\nIt works 1."))


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Can the Heron's élan be restored?", "herons-elan-restored"),
        ("What is it?", "what-is-it"),
        ("What about " + "reeds " * 20 + "?", "-".join(["reeds"] * 9)),
        ("Null?", "page-"),
        ("鷺は安全ですか?", "page-"),
    ],
)
def test_the_slug_is_made_of_whole_words_of_the_title(title: str, slug: str) -> None:
    found = draft(f"{title}\n\nFrom the research\n\nIt works 1.")
    assert found.slug.startswith(slug) and len(found.slug) <= 58
    assert parsed(found).slug == found.slug
    assert all(p.field != "slug" for p in parsed(found).problems)


# --------------------------------------------------------------------- parts and headings


def test_parts_stay_in_the_order_of_the_page() -> None:
    found = of_file("other_order.txt")
    parts = [x for x in body(found) if x.startswith("## ")]
    assert parts == [f"## {Part.RESEARCH}", f"## {Part.GUIDELINES}"]


@pytest.mark.parametrize(
    "heading",
    ["FROM THE RESEARCH", "From the research:", "**From the Research**", "## From the research"],
)
def test_a_part_is_known_however_its_heading_is_written(heading: str) -> None:
    assert body(draft(f"Is it?\n\n{heading}\n\nIt works 1."))[0] == "## From the research"


def test_a_heading_with_text_on_its_line_opens_the_part() -> None:
    found = draft("Is it?\n\nFrom the research: It is so 1.\n\nFrom the research we know 1.")
    assert body(found)[1:] == ["It is so [1].", "From the research we know [1]."]


def test_a_part_that_comes_twice_is_named() -> None:
    again = "It works 1.\n\nFrom the research\n\nIt worked 1."
    assert "part_twice" in codes(research(again))


def test_a_section_that_is_neither_part_is_left_out_and_named() -> None:
    found = in_html("<h3>Oil</h3><p>It works 1.<h2>Diary</h2><p>Rain 1.")
    assert "Rain" not in found.text
    assert "unknown_section" in codes(found)


def test_a_long_bullet_is_divided_when_each_sentence_has_its_own_citation() -> None:
    words = " ".join(["reed"] * 22)
    found = research(f"• A {words} 1. B {words} 2, 3. C {words} 3.")
    assert body(found)[1:] == [f"- A {words} [1].", f"- B {words} [2, 3].", f"- C {words} [3]."]
    assert "bullet_divided" in codes(found)
    whole = research(f"• A {words}. B {words} 2. C {words} 1.")
    assert len(body(whole)) == 2
    assert "long_bullet" in codes(whole)


def test_a_bullet_on_a_line_of_its_own_belongs_to_the_next_line() -> None:
    assert body(research("•\nIt is so 1.\n•\nIt worked 1."))[1:] == [
        "- It is so [1].",
        "- It worked [1].",
    ]


def test_a_number_that_stands_alone_is_left_out_and_named() -> None:
    found = research("It is so 1.\n\n1\n\n2\n\nIt worked 1.")
    assert body(found)[1:] == ["It is so [1].", "It worked [1]."]
    assert "stray_number" in codes(found)


# --------------------------------------------------------------------- HTML


def in_html(markup: str) -> Draft:
    """A page with one part of this markup."""
    return draft(f"<h1>Is it?</h1><h2>From the research</h2>{markup}")


@pytest.mark.parametrize(
    "markup",
    [
        "<p hidden>Unseen.</p>",
        "<div style='x:y; DISPLAY:none'><p>Unseen.</div>",
        "<p><span aria-hidden=true>Unseen.</span></p>",
        "<!-- <p>Unseen.</p> -->",
        "<script>Unseen.</script>",
        "<template><p>Unseen.</p></template>",
        "<i><div hidden>Un</i>seen.</div>",
        "<nav><p>Unseen.</p></nav>",
        "<form><p>Unseen.</p><select><option>Unseen.</select></form>",
        "<aside>Unseen.</aside><footer>Unseen.</footer>",
        "<div role=dialog>Unseen.</div>",
        "<p><button>Unseen.</button></p>",
        "<svg><text>Unseen.</text></svg>",
        "<table><tr><td>Unseen.</table>",
    ],
)
def test_what_is_no_part_of_the_content_is_left_out_whole(markup: str) -> None:
    found = in_html(f"<p>It works 1.</p>{markup}<p>It worked 1.</p>")
    assert body(found)[1:] == ["It works [1].", "It worked [1]."]


def test_a_form_or_table_around_the_whole_page_is_no_furniture() -> None:
    for tag in ("form", "table><tr><td", "div aria-hidden=true"):
        found = draft(f"<{tag}><h1>Is it?</h1><h2>From the research</h2><p>It works 1.</p>")
        assert body(found)[1:] == ["It works [1]."]


def test_an_unclosed_tag_loses_nothing() -> None:
    found = in_html("<ul><li>It works 1.<li>It was<b> so 1.</ul><p>It will work 1. <a href='")
    assert body(found)[1:] == ["- It works [1].", "- It was so [1].", "It will work [1]."]


def test_invisible_characters_are_left_out_and_counted() -> None:
    found = research("It is\u200b so\u202e and\u2066 so\ufeff 1.")
    assert body(found)[1] == "It is so and so [1]."
    (note,) = [n for n in found.notes if n.code == "hidden_characters"]
    assert note.message.endswith(": 4")


def test_addresses_and_links_are_left_out_and_their_text_stays() -> None:
    found = in_html(
        "<p>See <a href='https://example.org'>the fen</a> at https://example.org/x, now 1."
    )
    assert body(found)[1] == "See the fen at , now [1]."
    assert "link_left_out" in codes(found)


# --------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (b"x" * (MAX_BYTES + 1), "larger than 2,000,000 bytes"),
        (b"Is it?\0", "NUL"),
        ("Is it?".encode("utf-16"), "NUL"),
        (b"Is it? caf\xe9", "not UTF-8"),
        (b"<html><meta charset=utf-8><h1>caf\xe9?", "not UTF-8"),
        (b"<html><meta charset=rot13><h1>caf\xe9?", "not UTF-8"),
        (b"%PDF-1.7", "a PDF"),
        (b"From: x\nMIME-Version: 1.0\nContent-Type: multipart/related;", "web archive"),
        (b"", "no title"),
        (b"From the research\n\nIt works 1.", "no title"),
        (b"Is it?\n\nIt is.", "neither of the headings"),
        (b"Is it?\n\nFrom the research\n\nDisclaimer\n\nIt works 1.", "nothing below"),
        (b"Is it?\n\nFrom the research\n\n" + b"It is so 1. " * 30_000, "250,000 characters"),
    ],
)
def test_what_is_no_such_page_is_refused(page: bytes, said: str) -> None:
    assert said in refused(page)


def test_html_in_windows_1252_is_read_and_named() -> None:
    for meta in (b"", b"<meta charset=iso-8859-1>", b"<meta charset='windows-1252'>"):
        found = draft(
            b"<html>" + meta + b"<h1>Is it?</h1><h2>From the research</h2>Caf\xe9 \x93reed 1."
        )
        assert body(found)[1] == "Café “reed [1]."
        assert "encoding" in codes(found)


HOSTILE = [
    *["<a ", "<!--", "</a ", "<![", "<a x='", "<script>", "&#9", "<div>", "<p>a", "<ul><li>a"],
    *["<sup>1", "<button>", "<table><td>", "<h2>", "<div hidden>a", "a<br>", "1, ", "[1-99,"],
    *["x ¹⁻", "• a\n", "a\n\n", "\t", "a\t", "(", "From the research\n", "*", "a 1. ", "<", "1\n"],
    *["a https://", "References\n1. 10.1234/)", "a (1,", "\u200b", "&#" + "9" * 5000, "¹"],
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_page_takes_long(piece: str) -> None:
    for begins in (
        "",
        "<h1>Is it?</h1><h2>From the research</h2>",
        "Is it?\n\nFrom the research\n\n",
    ):
        page = (begins + piece * (300_000 // len(piece.encode())))[:300_000]
        with quick(2), suppress(ArticlesProblem):
            draft(page)


@pytest.mark.parametrize("piece", ["<h2>", "<div>", "<p>a", "1, 2. "])
def test_the_largest_page_takes_less_than_two_seconds(piece: str) -> None:
    page = (f"<h1>Is it?</h1><h2>From the research</h2>{piece * 700_000}")[:MAX_BYTES]
    with quick(2), pytest.raises(ArticlesProblem):
        draft(page)


def test_a_hundred_thousand_elements_in_each_other_are_read() -> None:
    found = in_html("<div>" * 100_000 + "It works 1." + "</div>" * 100_000)
    assert body(found)[1:] == ["It works [1]."]


def test_notes_are_not_without_end() -> None:
    found = research("\n\n".join(["It is with interleukin 6."] * (MAX_NOTES + 5)))
    assert len(found.notes) == MAX_NOTES
    assert found.notes[-1].code == "too_many_notes"
