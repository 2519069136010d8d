"""From an article file to an article, or to every reason why not."""

import os
from pathlib import Path
from typing import Any

import pytest
from articles import BODY, REFERENCES, an_article, article_file, parsed, quick
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from markdown_it.token import Token

from store.article import Part, Status, with_markers
from store.errors import ArticlesProblem
from store.parse import (
    MAX_BYTES,
    MAX_LINES,
    MAX_PROBLEMS,
    MAX_STATEMENTS,
    ParsedFile,
    article_files,
    parse_bytes,
    parse_file,
    parse_paths,
    read_statement,
)
from store.sentences import sentence_spans

RESEARCH = "## From the research\n\n"
SAMPLE = Path(__file__).parents[1] / "store" / "samples" / "pdl-port-wine.md"


def found(file: ParsedFile) -> list[tuple[int, str, str]]:
    """Line, field and code of each error."""
    return [(p.line, p.field, p.code) for p in file.problems if p.severity == "error"]


def codes(file: ParsedFile) -> set[str]:
    return {p.code for p in file.problems}


def statements(body: str, **front: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Text and citations of what the research part of an article states."""
    article = an_article(RESEARCH + body, **front)
    return [(s.text, s.citations) for _, s in article.statements()]


def raw_file(front: str, body: str = BODY) -> ParsedFile:
    """A file whose front matter has the needed fields from line 2 to 5, then these lines."""
    needed = "slug: aftercare\ntitle: How?\nstatus: under_review\nupdated: 2026-01-02\n"
    return parse_bytes(f"---\n{needed}{front}---\n{body}".encode(), Path("x.md"))


# ---------------------------------------------------------------------- front matter


def test_a_sound_file_is_an_article() -> None:
    file = parsed()
    assert file.problems == ()
    assert file.article is not None
    assert (file.slug, file.article.status) == ("aftercare", Status.UNDER_REVIEW)
    assert [(s.part, s.heading) for s in file.article.sections] == [
        (Part.GUIDELINES, ""),
        (Part.RESEARCH, "Healing"),
    ]
    assert file.article.reference(2).doi == "10.1000/xyz"


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ({"title": None}, (2, "title", "missing_field")),
        ({"status": None}, (2, "status", "missing_field")),
        ({"titel": "x"}, (8, "titel", "unknown_field")),
        ({"status": "aproved"}, (5, "status", "unknown_status")),
        ({"status": "no"}, (5, "status", "unknown_status")),
        ({"status": ""}, (5, "status", "unknown_status")),
        ({"slug": "Big Slug"}, (2, "slug", "bad_value")),
        ({"slug": "../up"}, (2, "slug", "bad_value")),
        ({"title": ""}, (3, "title", "bad_value")),
        ({"title": "x" * 1001}, (3, "title", "bad_value")),
        ({"title": "a <b>bold</b> one"}, (3, "title", "bad_value")),
        ({"title": "see https://example.org"}, (3, "title", "bad_value")),
        ({"title": "turned \u202e around"}, (3, "title", "bad_value")),
        ({"updated": "2026-13-01"}, (6, "updated", "bad_value")),
        ({"updated": "2026-02-30"}, (6, "updated", "bad_value")),
        ({"updated": "02/03/2026"}, (6, "updated", "bad_value")),
        ({"updated": "20260102"}, (6, "updated", "bad_value")),
        ({"updated": "0"}, (6, "updated", "bad_value")),
        ({"updated": 1735689600}, (6, "updated", "bad_value")),
        ({"updated": "2026-01-02T10:00:00"}, (6, "updated", "bad_value")),
        ({"updated": "soon"}, (6, "updated", "bad_value")),
        ({"review_by": "never"}, (8, "review_by", "bad_value")),
        ({"aliases": {"a": "b"}}, (8, "aliases.0", "bad_value")),
        ({"aliases": ["fine", "<i>not</i>"]}, (8, "aliases.1", "bad_value")),
        ({"references": "none"}, (7, "references", "bad_value")),
        ({"references": {"one": REFERENCES["1"]}}, (7, "references.one", "bad_value")),
        ({"references": {"0": REFERENCES["1"]}}, (7, "references.0", "bad_value")),
        ({"references": {"01": REFERENCES["1"]}}, (7, "references.01", "bad_value")),
        ({"references": {"1": {"kind": "rct"}}}, (7, "references.1.title", "missing_field")),
        (
            {"references": {"1": {**REFERENCES["1"], "pmid": "0123"}}},
            (7, "references.1.pmid", "bad_pmid"),
        ),
        (
            {"references": {"1": {**REFERENCES["1"], "year": "20x1"}}},
            (7, "references.1.year", "bad_value"),
        ),
        (
            {"references": {"1": {**REFERENCES["1"], "url": "javascript:alert(1)"}}},
            (7, "references.1.url", "bad_value"),
        ),
        (
            {"references": {"1": {**REFERENCES["1"], "doi": "doi:10.1/x"}}},
            (7, "references.1.doi", "bad_doi"),
        ),
        ({"reviews": [{"by": "me"}]}, (8, "reviews.0.at", "missing_field")),
        (
            {"probes": {"answerable": [{"question": "?"}]}},
            (8, "probes.answerable.0.statements", ""),
        ),
        ({"conflicts": ["They disagree. [3]"]}, (8, "conflicts.0", "citation_without_reference")),
    ],
)
def test_a_bad_field_is_named_with_its_line(
    front: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    errors = found(parsed(**front))
    if not expected[2]:
        expected = (*expected[:2], "missing_field")
    assert expected in errors


def test_every_problem_is_reported_at_once_in_the_order_of_lines() -> None:
    file = raw_file(
        "titel: x\nreview_by: soon\n"
        "references:\n  1:\n    kind: RCT\n    title: t\n    pmid: 0123\n",
        "text too early\n\n## Elsewhere\n\n- A [link](http://a.b). [1]\n\n<b>bold</b>\n",
    )
    assert found(file) == [
        (6, "titel", "unknown_field"),
        (7, "review_by", "bad_value"),
        (10, "references.1.kind", "bad_value"),
        (12, "references.1.pmid", "bad_pmid"),
        (14, "", "text_before_part"),
        (16, "", "unknown_part"),
        (18, "", "markup"),
        (20, "", "markup"),
        (20, "", "markup"),
    ]
    assert file.article is None


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("title: again\n", (6, "title", "duplicate_field")),
        ("references:\n  1: {}\n  1: {}\n", (8, "references.1", "duplicate_field")),
        ("topic: &a x\n", (6, "", "yaml")),
        ("aliases: [x, *a]\n", (6, "", "yaml")),
        ("topic: !!python/name:os.system x\n", (6, "", "yaml")),
        ("topic: !x y\n", (6, "", "yaml")),
        ("<<: {slug: x}\n", (6, "<<", "unknown_field")),
        ("topic: " + "[" * 9 + "]" * 9 + "\n", (6, "", "yaml")),
        ("topic: " + "[" * 90_000 + "\n", (6, "", "yaml")),
        ("topic: 'open\n", (7, "", "yaml")),
        ("\ttopic: x\n", (6, "", "yaml")),
        ("topic: \x01\n", (6, "", "yaml")),
        ("topic: a\u2028b\n", (6, "", "yaml")),
        ("topic: a\x85b\n", (6, "", "yaml")),
        ("? [a, b]\n: 1\n", (6, "", "yaml")),
        ("--- x\n", (6, "", "yaml")),
    ],
)
def test_yaml_with_a_will_of_its_own_is_refused(front: str, expected: tuple[int, str, str]) -> None:
    file = raw_file(front)
    assert file.article is None
    assert expected in found(file)


def test_plain_words_and_numbers_stay_what_they_look_like() -> None:
    file = raw_file(
        "aliases: [no, yes, null-like, 0x10, 1e3, 2026-01-01]\nreferences:\n"
        "  1: {kind: rct, title: 1984, year: 2020, volume: 012, pages: 1:30, pmid: 123, key: 1e5}\n"
        "  2: {kind: rct, title: t, retracted: no}\n  3: {kind: rct, title: t, retracted: yes}\n"
    )
    assert file.article is not None, file.problems
    assert file.article.aliases == ("no", "yes", "null-like", "0x10", "1e3", "2026-01-01")
    first = file.article.reference(1)
    assert (first.title, first.year, first.volume) == ("1984", 2020, "012")
    assert (first.pages, first.pmid, first.key) == ("1:30", "123", "1e5")
    assert [r.retracted for r in file.article.references] == [False, False, True]


def test_authors_are_names_between_semicolons_or_a_list() -> None:
    for authors in ("Ann B; C Dee ;", ["Ann B", "C Dee"]):
        article = an_article(
            references={**REFERENCES, "1": {**REFERENCES["1"], "authors": authors}}
        )
        assert article.reference(1).authors == ("Ann B", "C Dee")


# ---------------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "front_matter"),
        (b"\n---\nslug: x\n---\n", "front_matter"),
        (b"# Just text\n", "front_matter"),
        (b"---\nslug: x\ntitle: never closed\n", "front_matter"),
        (b"---\n---\n", "front_matter"),
        (b"---\n- a\n- b\n---\n", "front_matter"),
        (b"---\nword\n---\n", "front_matter"),
        (article_file() + b"\0", "binary"),
        (article_file(title="Größe?").replace("Größe".encode(), "Größe".encode("latin-1")), None),
        (article_file().replace(b"How is", "Naïve".encode("latin-1")), "encoding"),
        (article_file().decode().encode("utf-16"), "binary"),
        (article_file() + b"\xff", "encoding"),
        (article_file() + b"x" * MAX_BYTES, "too_large"),
        (article_file() + b"\n" * MAX_LINES, "too_large"),
    ],
)
def test_bytes_that_are_no_article_are_refused(raw: bytes, code: str | None) -> None:
    file = parse_bytes(raw, Path("x.md"))
    if code is None:  # JSON escapes what is not ASCII: nothing was replaced
        assert file.accepted
    else:
        assert codes(file) == {code}


def test_a_wrong_encoding_names_the_line() -> None:
    raw = article_file() + "- Naïve. [1]\n".encode("latin-1")
    assert found(parse_bytes(raw, Path("x.md"))) == [(raw.count(b"\n"), "", "encoding")]


def test_a_byte_order_mark_and_line_ends_of_other_systems_change_nothing() -> None:
    plain = an_article()
    for raw in (
        b"\xef\xbb\xbf" + article_file(),
        article_file().replace(b"\n", b"\r\n"),
        article_file().replace(b"\n", b"\r"),
    ):
        assert parse_bytes(raw, Path("x.md")).article == plain


# ---------------------------------------------------------------------- body


@pytest.mark.parametrize(
    ("body", "line", "code"),
    [
        ("Too early.\n\n## From the research\n\n- Fine. [1]\n", 1, "text_before_part"),
        ("### Too early\n\n- Early. [1]\n", 3, "text_before_part"),
        ("## From research\n\n- A. [1]\n", 1, "unknown_part"),
        (RESEARCH + "- A <b>bold</b> word. [1]\n", 3, "markup"),
        (RESEARCH + "<div>block</div>\n\n- A. [1]\n", 3, "markup"),
        (RESEARCH + "<!-- hidden -->\n\n- A. [1]\n", 3, "markup"),
        (RESEARCH + "- A [link](https://example.org). [1]\n", 3, "markup"),
        (RESEARCH + "- A [link](<b c> 'd'). [1]\n", 3, "markup"),
        (RESEARCH + "- An ![image](x.png). [1]\n", 3, "markup"),
        (RESEARCH + "- See <https://example.org>. [1]\n", 3, "markup"),
        (RESEARCH + "- See https://example.org. [1]\n", 3, "markup"),
        (RESEARCH + "- Turned \u202earound. [1]\n", 3, "markup"),
        (RESEARCH + "### See https://example.org\n\n- A. [1]\n", 3, "markup"),
        (RESEARCH + "### A <i>b</i>\n\n- A. [1]\n", 3, "markup"),
        (RESEARCH + "### " + "x" * 301 + "\n\n- A. [1]\n", 3, "heading_too_long"),
        (RESEARCH + "- A. [1]\n\n```\ncode\n```\n", 5, "markup"),
        (RESEARCH + "- A. [1]\n\n~~~~\ncode\n", 5, "markup"),
        (RESEARCH + "    indented code\n", 3, "markup"),
        (RESEARCH + "- A. [3]\n", 3, "citation_without_reference"),
        (RESEARCH + "- A. [1, 0]\n", 3, "citation_without_reference"),
        (RESEARCH + "Some.\n\nAnother line\nand more. [1-3]\n", 5, "citation_without_reference"),
        (RESEARCH + "- A. [1]\n- [2]\n", 4, "citation_without_text"),
        (RESEARCH + "A. [1]\n\n[2]\n", 5, "citation_without_text"),
        (RESEARCH + f"- {'x' * 3001} [1]\n", 3, "statement_too_long"),
        (RESEARCH + f"- {'x ' * 10_001} [1]\n", 3, "too_large"),
        (RESEARCH + "- A. [1]\n" * (MAX_STATEMENTS + 1), MAX_STATEMENTS + 3, "too_large"),
        ("", 1, "empty"),
        ("## From the research\n\n### Only headings\n", 1, "empty"),
        ("# Title\n", 1, "empty"),
    ],
)
def test_a_body_that_cannot_be_quoted_is_refused_with_its_line(
    body: str, line: int, code: str
) -> None:
    file = parsed(body)
    before = article_file("").count(b"\n")
    where = {p.line for p in file.problems if p.code == code and p.severity == "error"}
    assert where == {line if code == "empty" else before + line}
    assert file.article is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("- One. [1]\n- Two. [1, 2]", [("One.", (1,)), ("Two.", (1, 2))]),
        ("- Marker before [1].", [("Marker before.", (1,))]),
        ("- In the [1] middle. [2]", [("In the middle.", (1, 2))]),
        ("- Several. [1][2] [1]", [("Several.", (1, 2))]),
        ("- A range. [2-4]", [("A range.", (2, 3, 4))]),
        ("- A range. [2–4; 1]", [("A range.", (2, 3, 4, 1))]),
        ("- Two sentences. In one bullet. [1]", [("Two sentences. In one bullet.", (1,))]),
        ("One. [1] Two. [2]", [("One.", (1,)), ("Two.", (2,))]),
        ("One [1]. Two [2].", [("One.", (1,)), ("Two.", (2,))]),
        ("One.[1] Two.", [("One.", (1,)), ("Two.", ())]),
        ("[1] First. Second. [2]", [("First.", (1,)), ("Second.", (2,))]),
        ("By Smith et al. In 2020. [1]", [("By Smith et al. In 2020.", (1,))]),
        ("Soft\nwrapped\nline. [1]\nNext. [2]", [("Soft wrapped line.", (1,)), ("Next.", (2,))]),
        ("- Soft\n  wrapped\nlazily. [1]", [("Soft wrapped lazily.", (1,))]),
        ("- Hard  \n  break. [1]", [("Hard break.", (1,))]),
        ("- Outer. [1]\n  - Inner. [2]\n", [("Outer.", (1,)), ("Inner.", (2,))]),
        ("1. First. [1]\n2. Second. [2]", [("First.", (1,)), ("Second.", (2,))]),
        ("- Para. [1]\n\n  Second para. [2]", [("Para.", (1,)), ("Second para.", (2,))]),
        ("> Quoted. [1]", [("Quoted.", (1,))]),
        ("- *Much* **better** with `PDL`. [1]", [("Much better with PDL.", (1,))]),
        ("- Better (p < 0.01) and n > 3. [1]", [("Better (p < 0.01) and n > 3.", (1,))]),
        ("- Better (p\\<0.01). [1]", [("Better (p<0.01).", (1,))]),
        ("- 5 &lt; 6 &amp; 7 µg/cm². [1]", [("5 < 6 & 7 µg/cm².", (1,))]),
        ("- Interval [1.2, 3.4] held. [1]", [("Interval [1.2, 3.4] held.", (1,))]),
        ("- Not a citation [a] or []. [1]", [("Not a citation [a] or [].", (1,))]),
        ("[1]: not a definition [2]", [(": not a definition", (1, 2))]),
        ("- snake_case_word * 2 * 3. [1]", [("snake_case_word * 2 * 3.", (1,))]),
    ],
)
def test_statements_are_read_as_they_look(
    body: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    references = {str(n): REFERENCES["1"] for n in range(1, 5)}
    assert statements(body, references=references) == expected


def test_a_statement_knows_its_line_and_its_paragraph() -> None:
    article = an_article(RESEARCH + "One. [1] Two. [1]\n\n- Three. [1]\n- Four. [1]\n")
    first = article_file("").count(b"\n") + 3
    assert [s.line - first for _, s in article.statements()] == [0, 0, 2, 3]
    blocks = [s.block for _, s in article.statements()]
    assert blocks[0] == blocks[1] < blocks[2] < blocks[3]


def test_citations_of_a_conflict_are_read_too() -> None:
    article = an_article(conflicts=["They [1] disagree. [2]"])
    assert article.conflicts[0].text == "They disagree."
    assert article.conflicts[0].citations == (1, 2)


def test_what_is_odd_but_harmless_is_a_warning() -> None:
    file = parsed(
        RESEARCH + "- Cited. [1]\n- Not cited.\n",
        probes={"answerable": [{"question": "Why?", "statements": ["Cited", "elsewhere"]}]},
    )
    assert file.accepted
    assert {(p.severity, p.code, p.field) for p in file.problems} == {
        ("warning", "uncited", ""),
        ("warning", "reference_never_cited", "references.2"),
        ("warning", "probe_without_statement", "probes.answerable.0.statements.1"),
    }


def test_a_probe_names_a_statement_by_a_piece_of_it() -> None:
    article = an_article(
        probes={"answerable": [{"question": "How long?", "statements": "nine days"}]}
    )
    assert article.answerable[0].statements == (
        "Wounds closed after nine days in most of the treated patients of the trial.",
    )


def test_a_probe_cannot_rest_on_a_retracted_source() -> None:
    retracted = {**REFERENCES, "1": {**REFERENCES["1"], "retracted": True}}
    file = parsed(
        references=retracted,
        probes={"answerable": [{"question": "How long?", "statements": "nine days"}]},
    )
    assert "probe_without_statement" in codes(file)


def test_more_problems_than_anyone_reads_are_cut_and_still_refused() -> None:
    file = parsed(RESEARCH + "- A. [1, 7]\n\nB. [8]\n\n" * 900)
    assert len(file.problems) == MAX_PROBLEMS + 1
    assert "too_many_problems" in codes(file)
    assert not file.accepted


# ---------------------------------------------------------------------- properties

PROSE = st.text(alphabet="ab AB1.!?…()\"'%é<,;-\n", max_size=120)
MARKER = st.lists(st.integers(1, 9999), min_size=1, max_size=4).map(
    lambda numbers: " [" + ", ".join(map(str, numbers)) + "]"
)


@given(st.lists(PROSE | MARKER, max_size=12).map("".join))
@example("One. [1] Two")
@example("[1] One.")
@example(" [1] ")
def test_sentences_of_a_paragraph_lose_neither_words_nor_citations(text: str) -> None:
    from store.parse import _split_sentences

    whole = read_statement(text)
    split = list(_split_sentences(text, 1, 1))
    assert "".join("".join(s.text for s in split).split()) == "".join(whole.text.split())
    assert [whole.text[a:b] for a, b in sentence_spans(whole.text)] == [s.text for s in split]
    if split:
        assert {n for s in split for n in s.citations} == set(whole.citations)
    for s in split:
        assert all(0 <= offset <= len(s.text) for offset, _ in s.marks)


WORDS = st.text(alphabet="abcé().,%", min_size=1, max_size=12)


@given(
    st.lists(
        st.tuples(
            st.lists(WORDS, min_size=1, max_size=4),
            st.lists(st.integers(1, 9999), min_size=1, max_size=5, unique=True),
        ),
        min_size=1,
        max_size=5,
    ),
    st.lists(WORDS, max_size=3),
)
def test_markers_come_back_where_they_stood(
    pieces: list[tuple[list[str], list[int]]], rest: list[str]
) -> None:
    text = " ".join(
        " ".join(found) + " [" + ", ".join(map(str, numbers)) + "]" for found, numbers in pieces
    )
    text = " ".join([text, *rest])
    statement = read_statement(text)
    assert with_markers(statement.text, statement.marks) == text
    assert "[" not in statement.text


@given(st.text(alphabet="a. [1],-–;29\n", max_size=60))
def test_reading_what_was_written_changes_nothing_more(text: str) -> None:
    once = read_statement(text)
    # Taking a marker out can bring two brackets together; the second reading would find that.
    assume("[" not in once.text)
    again = read_statement(with_markers(once.text, once.marks))
    assert again.citations == once.citations
    assert again.text.split() == once.text.split()


@given(st.text(alphabet="ab. \t\n[]()!#-+=~|>\"':/@1é\u00a0", max_size=40).map(str.strip))
def test_text_without_marks_is_read_as_markdown_reads_it(text: str) -> None:
    from store.parse import _inline_text

    def read(content: str) -> str:
        return _inline_text(Token("inline", "", 0, content=content), 1, [])

    assert read(text + "\\*") == read(text) + "*"


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda b: b"---\n" + b + b"\n---\n"))
def test_no_bytes_make_the_parser_fail(raw: bytes) -> None:
    file = parse_bytes(raw, Path("x.md"))
    assert file.accepted or any(p.severity == "error" for p in file.problems)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_no_change_to_a_sound_file_makes_the_parser_fail(data: st.DataObject) -> None:
    raw = bytearray(SAMPLE.read_bytes()[:4000] + SAMPLE.read_bytes()[-3000:])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        width = data.draw(st.sampled_from([0, 1, 3, 50]))
        new = data.draw(
            st.sampled_from(
                [b"[", b"]", b":", b"\n", b"\n---\n", b"- ", b"&a ", b"*", b"\xff", b"{"]
            )
            | st.binary(max_size=4)
            | st.text(max_size=3).map(str.encode)
        )
        raw[at : at + width] = new
    file = parse_bytes(bytes(raw), Path("x.md"))
    assert file.accepted or any(p.severity == "error" for p in file.problems)
    lines = bytes(raw).count(b"\n") + bytes(raw).count(b"\r") + 2
    assert all(1 <= p.line <= lines for p in file.problems)


# ---------------------------------------------------------------------- hostile files


@pytest.mark.parametrize(
    "pattern",
    ["[", "[1-99]", "*", "*x*", ">", "`a", "<", ".", "A. [1] ", "e.g. The "]
    + ["> a\n", "- ", "a\n\n", "-\n", "## x\n", "[a]: b\n", "- a [9]\n", "- Not. [1]\n", "![a]("],
)
def test_no_file_of_the_allowed_size_takes_long(pattern: str) -> None:
    head = article_file(RESEARCH)
    room = MAX_BYTES - len(head)
    # As one row, and as paragraphs that are just short enough to be read.
    paragraph = "a" + pattern * (19_000 // len(pattern)) + "\n\n"
    for body in (pattern * (room // len(pattern)), paragraph * (room // len(paragraph))):
        with quick():
            parse_bytes(head + body.encode(), Path("x.md"))


@pytest.mark.parametrize("mark", ["*", "_"])
def test_emphasis_beyond_reason_is_refused(mark: str) -> None:
    file = parsed(RESEARCH + f"- A {mark}b{mark} c. [1]\n\n" * 1_900 + f"{mark}a " * 6_300)
    assert codes(file) == {"too_large", "empty", "reference_never_cited"}


def test_deep_lists_and_quotations_take_no_long_time() -> None:
    for body in (
        "".join("  " * n + "- a [1]\n" for n in range(450)),
        ("> " * 500 + "a\n") * 200,
        "".join("`" * n + " " for n in range(1, 190)),
        "- " * 9_000 + "a\n",
    ):
        with quick():
            parsed(RESEARCH + body)


@pytest.mark.parametrize(
    "front",
    [
        "aliases:\n" + "- a\n" * 9_900,
        "a: " + "[" * 200_000,
        "references:\n" + "".join(f" {n}: {{kind: r}}\n" for n in range(1, 9_900)),
        "? " * 100_000,
        "a: " * 80_000,
        "aliases: [" + '"<a>",' * 30_000 + "]\n",
        "conflicts:\n" + '- "a [1-99,100-199]"\n' * 9_900,
        "probes:\n answerable:\n"
        + "- {question: q, statements: [a, b]}\n".replace("-", "  -") * 6_000,
    ],
    ids=lambda front: str(front)[:12],
)
def test_no_front_matter_of_the_allowed_size_takes_long(front: str) -> None:
    raw = f"---\n{front}\n---\n{RESEARCH}- A. [1]\n".encode()
    assert len(raw) < MAX_BYTES
    with quick():
        assert not parse_bytes(raw, Path("x.md")).accepted


def test_many_statements_probes_and_references_together_take_no_long_time() -> None:
    references = {str(n): {"kind": "rct", "title": "t"} for n in range(1, 1001)}
    probe = {"question": "q", "statements": [f"z{n}" for n in range(20)]}
    with quick():
        parsed(
            RESEARCH + "- A statement of some length, for zest. [1000]\n" * MAX_STATEMENTS,
            references=references,
            probes={"answerable": [probe] * 100},
        )


# ---------------------------------------------------------------------- folders


def names(folder: Path) -> list[str]:
    return [str(p.relative_to(folder)) for p in article_files(folder)]


def test_a_folder_is_read_in_a_fixed_order_without_readmes_and_hidden_files(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", "README.md", "sub/c.md", "sub/Readme.md", ".git/d.md", ".e.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(article_file())
    (tmp_path / "notes.txt").write_text("no article")
    (tmp_path / "folder.md").mkdir()
    assert names(tmp_path) == ["a.md", "b.md", "sub/c.md"]


def test_a_hidden_folder_may_be_named_itself(tmp_path: Path) -> None:
    hidden = tmp_path / ".articles"
    hidden.mkdir()
    (hidden / "a.md").write_bytes(article_file())
    assert names(hidden) == ["a.md"]


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.md").write_bytes(article_file())
    (inside / "link.md").symlink_to(outside / "secret.md")
    (inside / "sub").symlink_to(outside)
    (inside / "dead.md").symlink_to(tmp_path / "nowhere")
    (inside / "own.md").write_bytes(article_file())
    assert names(inside) == ["own.md"]


def test_a_missing_folder_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ArticlesProblem, match="COROLLARY_ARTICLES_DIR"):
        article_files(tmp_path / "nowhere")


def test_a_file_named_twice_is_no_twin_of_itself(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(article_file())
    found = parse_paths([tmp_path, tmp_path / "a.md", tmp_path / "." / "a.md"])
    assert [(f.accepted, f.problems) for f in found] == [(True, ())] * 3


def test_a_bad_field_is_told_with_what_to_do() -> None:
    for front, said in (
        ({"slug": "Big Slug"}, "use a-z"),
        ({"title": ""}, "write one text"),
        ({"updated": "2026-02-30"}, "YYYY-MM-DD"),
        ({"titel": "x"}, "check its spelling"),
        ({"title": None}, "add it"),
        ({"references": {"1": {**REFERENCES["1"], "year": "soon"}}}, "such as 2024"),
        ({"references": {"1": {**REFERENCES["1"], "retracted": "perhaps"}}}, "true nor false"),
        ({"references": "none"}, "one `name: value` a line"),
        ({"references": {"1": {**REFERENCES["1"], "url": "x"}}}, "starts with https://"),
    ):
        (message,) = {p.message for p in parsed(**front).problems if p.severity == "error"}
        assert said in message


def test_a_slug_used_twice_is_refused_in_both_files(tmp_path: Path) -> None:
    for name, slug in (("a.md", "same"), ("b.md", "same"), ("c.md", "other")):
        (tmp_path / name).write_bytes(article_file(slug=slug, topic=slug))
    first, second, third = parse_paths([tmp_path])
    assert third.accepted
    for file, other in ((first, "b.md"), (second, "a.md")):
        assert [(p.code, p.field) for p in file.problems] == [("duplicate_slug", "slug")]
        assert other in file.problems[0].message
        assert not file.accepted


def test_a_broken_file_keeps_its_slug_from_others(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(article_file(slug="same", status="?"))
    (tmp_path / "b.md").write_bytes(article_file().replace(b'"aftercare"', b"same"))
    assert all("duplicate_slug" in codes(f) for f in parse_paths([tmp_path]))


def test_a_file_that_cannot_be_read_is_a_problem_of_its_own(tmp_path: Path) -> None:
    assert codes(parse_file(tmp_path / "nowhere.md")) == {"unreadable"}
    assert codes(parse_file(tmp_path)) == {"unreadable"}
    path = tmp_path / "locked.md"
    path.write_bytes(article_file())
    path.chmod(0)
    if not os.access(path, os.R_OK):
        assert codes(parse_file(path)) == {"unreadable"}


def test_a_file_without_end_is_not_read_to_it() -> None:
    with quick():
        assert codes(parse_file(Path("/dev/zero"))) == {"unreadable"}
