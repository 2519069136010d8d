"""Every difference is named once, where it is, and nothing else is."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from articles import BODY, REFERENCES, an_article, approval_of, quick
from hypothesis import example, given, settings
from hypothesis import strategies as st

from store.article import Article, Part, Reference, Section, Status, with_markers
from store.diff import Change, compare, diff_dict, diff_lines
from store.parse import read_statement

HEALING = "From the research: Healing"
CLOSED = "Wounds closed after nine days in most of the treated patients of the trial. [1]"
FADED = "Redness faded more slowly with the stronger setting than with the weak one. [1, 2]"
NEW = "Cooling gels were as good as plain water in one small comparison. [2]"


def changes(before: Article, after: Article) -> list[tuple[str, str | None, str | None]]:
    """Where, before and after, of all that differs."""
    found = compare({"a": before}, {"a": after})
    return [(c.where, c.before, c.after) for d in found for c in d.changes]


def edited(old: str, new: str) -> list[tuple[str, str | None, str | None]]:
    """What differs once these words of the body are others."""
    assert old in BODY
    return changes(an_article(), an_article(BODY.replace(old, new)))


def test_the_same_articles_differ_in_nothing() -> None:
    assert compare({"a": an_article()}, {"a": an_article()}) == []
    assert compare({}, {}) == []


def test_lines_and_paragraphs_alone_are_no_difference() -> None:
    assert edited("\n\n- Wounds", "\n\n\n\n* Wounds") == []


def test_articles_come_by_slug_and_say_whether_they_are_new() -> None:
    a, b, c = (an_article(slug=s) for s in "abc")
    found = compare({"b": b, "a": a}, {"c": c, "b": replace(b, title="Why?")})
    assert [(d.slug, d.kind, d.title) for d in found] == [
        ("a", "removed", a.title),
        ("b", "changed", "Why?"),
        ("c", "added", c.title),
    ]
    assert found[0].changes == (
        Change("statements", "3", None),
        Change("references", "2", None),
        Change("status", "under_review", None),
    )
    assert found[2].changes[0] == Change("statements", None, "3")


def test_an_edited_statement_is_one_change() -> None:
    assert edited("nine days", "ten days") == [
        (HEALING, CLOSED, CLOSED.replace("nine days", "ten days"))
    ]


def test_another_citation_is_a_change_of_the_statement() -> None:
    assert edited("trial. [1]", "trial. [2]") == [(HEALING, CLOSED, CLOSED.replace("[1]", "[2]"))]


def test_another_statement_is_a_loss_and_a_find() -> None:
    assert edited(CLOSED, NEW) == [(HEALING, CLOSED, None), (HEALING, None, NEW)]


def test_statements_come_in_reading_order() -> None:
    extra = [f"Point {n} about {w} was never looked into. [1]" for n, w in enumerate("abc")]
    body = f"- {CLOSED}\n- {FADED}\n"
    said = edited(
        body,
        f"- {extra[0]}\n- {CLOSED.replace('nine', 'ten')}\n- {extra[1]}\n- {extra[2]}\n",
    )
    assert said == [
        (HEALING, None, extra[0]),
        (HEALING, CLOSED, CLOSED.replace("nine", "ten")),
        (HEALING, FADED, None),
        (HEALING, None, extra[1]),
        (HEALING, None, extra[2]),
    ]


def test_statements_that_change_places_have_moved() -> None:
    said = edited(f"- {CLOSED}\n- {FADED}", f"- {FADED}\n- {CLOSED}")
    assert len(said) == 1
    where, before, after = said[0]
    assert where == f"{HEALING}, moved within"
    assert before == after in (CLOSED, FADED)


def test_a_statement_in_another_section_has_moved() -> None:
    assert edited(f"- {FADED}", f"### Colour\n\n- {FADED}") == [
        (f"From the research: Colour, moved from {HEALING}", FADED, FADED)
    ]


def test_a_text_that_is_there_twice_is_moved_from_its_own_section_first() -> None:
    one = f"## From the research\n\n- {FADED}\n- {NEW}\n\n### Colour\n\n- {FADED}\n- {CLOSED}\n"
    two = f"## From the research\n\n- {NEW}\n- {FADED}\n\n### Colour\n\n- {CLOSED}\n- {FADED}\n"
    said = changes(an_article(one), an_article(two))
    assert {where.split(", ")[1] for where, _, _ in said} == {"moved within"}


def test_another_heading_over_the_same_statements_is_one_change() -> None:
    assert edited("### Healing", "### Wound healing") == [
        ("From the research, heading", "Healing", "Wound healing")
    ]
    assert edited("### Healing\n\n", "") == [("From the research, heading", "Healing", "(none)")]


def test_another_heading_and_an_edit_below_it_are_two() -> None:
    said = edited(f"### Healing\n\n- {CLOSED}", f"### Wounds\n\n- {CLOSED.replace('nine', 'ten')}")
    assert said == [
        ("From the research, heading", "Healing", "Wounds"),
        ("From the research: Wounds", CLOSED, CLOSED.replace("nine", "ten")),
    ]


def test_sections_in_another_order_are_one_change() -> None:
    one = f"## From the research\n\n### A\n\n- {CLOSED}\n\n### B\n\n- {FADED}\n"
    two = f"## From the research\n\n### B\n\n- {FADED}\n\n### A\n\n- {CLOSED}\n"
    assert changes(an_article(one), an_article(two)) == [
        (
            "order of sections",
            "From the research: A; From the research: B",
            "From the research: B; From the research: A",
        )
    ]


def test_a_section_that_goes_takes_its_statements_with_it() -> None:
    body = f"{BODY}\n### Cooling\n\n- {NEW}\n"
    assert changes(an_article(body), an_article()) == [("From the research: Cooling", NEW, None)]
    assert changes(an_article(), an_article(body)) == [("From the research: Cooling", None, NEW)]


def test_references_are_compared_field_by_field() -> None:
    first = {**REFERENCES["1"], "year": "2021", "retracted": True, "authors": ["A One", "B Two"]}
    after = an_article(references={**REFERENCES, "1": first})
    assert changes(an_article(), after) == [
        ("references.1.authors", None, "A One; B Two"),
        ("references.1.year", "2020", "2021"),
        ("references.1.retracted", "false", "true"),
    ]


def test_a_reference_that_comes_is_named() -> None:
    third = {"kind": "rct", "title": "Third", "authors": ["A One"], "doi": "10.1000/abc"}
    after = an_article(references={**REFERENCES, "3": third})
    assert changes(an_article(), after) == [
        ("references.3", None, "rct, A One, Third, https://doi.org/10.1000/abc")
    ]
    assert changes(after, an_article())[0][2] is None


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ({"title": "Why?"}, [("title", "How is skin cared for after laser?", "Why?")]),
        ({"topic": "Skin"}, [("topic", "Aftercare", "Skin")]),
        ({"status": "withdrawn"}, [("status", "under_review", "withdrawn")]),
        ({"updated": "2026-02-02"}, [("updated", "2026-01-02", "2026-02-02")]),
        ({"review_by": "2027-02-02"}, [("review_by", None, "2027-02-02")]),
        ({"notice": "A sample"}, [("notice", None, "A sample")]),
        ({"aliases": ["AC"]}, [("aliases", None, "AC")]),
        ({"conflicts": ["They differ. [1]"]}, [("conflicts", None, "They differ. [1]")]),
        (
            {"probes": {"unanswerable": [{"question": "How deep?", "reason": "not measured"}]}},
            [
                ("probes", "0 answerable, 0 unanswerable", "0 answerable, 1 unanswerable"),
                ("probes.unanswerable", None, "How deep? (not measured)"),
            ],
        ),
        (
            {"probes": {"answerable": [{"question": "How fast?", "statements": ["Wounds"]}]}},
            [
                ("probes", "0 answerable, 0 unanswerable", "1 answerable, 0 unanswerable"),
                ("probes.answerable", None, f"How fast? (answered by: {CLOSED[:-4]})"),
            ],
        ),
    ],
)
def test_each_field_says_what_it_was_and_is(
    front: dict[str, Any], expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert changes(an_article(), an_article(**front)) == expected
    assert changes(an_article(**front), an_article()) == [(w, b, a) for w, a, b in expected]


def test_a_review_is_a_difference() -> None:
    article = an_article()
    approved = replace(article, status=Status.APPROVED, reviews=(approval_of(article),))
    assert changes(article, approved) == [
        ("status", "under_review", "approved"),
        ("reviews", None, f"approve by Dr A on 2026-01-03 of {article.sha256()[:12]}"),
    ]


def test_no_field_of_an_article_is_forgotten() -> None:
    article = an_article()
    probes = {
        "answerable": [{"question": "How fast?", "statements": ["Wounds"]}],
        "unanswerable": [{"question": "How deep?"}],
    }
    other = replace(
        an_article(
            BODY.replace("nine", "ten"),
            title="Why?",
            topic="Skin",
            aliases=["AC"],
            status="approved",
            updated="2026-02-02",
            review_by="2027-02-02",
            conflicts=["They differ. [1]"],
            notice="A sample",
            probes=probes,
            references={"1": REFERENCES["1"], "2": {**REFERENCES["2"], "year": "2022"}},
        ),
        reviews=(approval_of(article),),
    )
    for field in fields(Article):
        if field.name != "slug":
            one = replace(article, **{field.name: getattr(other, field.name)})
            assert one != article
            assert changes(article, one), field.name


def test_no_field_of_a_reference_is_forgotten() -> None:
    article = an_article()
    full = Reference(
        1, "k", "x", "T", ("A",), "J", 1999, "1", "2", "3", "10.1/x", "a", "u", True, "g"
    )
    for field in fields(Reference):
        if field.name != "number":
            first = replace(article.references[0], **{field.name: getattr(full, field.name)})
            one = replace(article, references=(first, *article.references[1:]))
            assert [w for w, _, _ in changes(article, one)] == [f"references.1.{field.name}"]


# ---------------------------------------------------------------------- shown


def test_the_differences_as_lines_and_as_json() -> None:
    old = an_article(BODY + f"\n### Colour\n\n- {NEW}\n", slug="b")
    new = an_article(
        BODY.replace("nine", "ten").replace(f"- {FADED}\n", f"- {FADED}\n- {NEW}\n"),
        slug="b",
        status="approved",
    )
    diffs = compare({"b": old, "c": an_article(slug="c")}, {"b": new})
    assert list(diff_lines(diffs)) == [
        "~ b: How is skin cared for after laser?",
        "  From the research: Healing",
        f"    - {CLOSED}",
        f"    + {CLOSED.replace('nine', 'ten')}",
        "  From the research: Healing, moved from From the research: Colour",
        f"    = {NEW}",
        "  status",
        "    - under_review",
        "    + approved",
        "- c: How is skin cared for after laser?",
        "  statements",
        "    - 3",
        "  references",
        "    - 2",
        "  status",
        "    - under_review",
    ]
    shown = json.loads(json.dumps(diff_dict(diffs)))
    assert (shown["added"], shown["removed"], shown["changed"]) == (0, 1, 1)
    assert shown["articles"][0]["changes"][2] == {
        "where": "status",
        "before": "under_review",
        "after": "approved",
    }
    assert list(diff_lines([])) == []


# ---------------------------------------------------------------------- nothing is lost


def with_sections(sections: Sequence[tuple[str, Sequence[str]]]) -> Article:
    made = [
        Section(f"s{n}", Part.RESEARCH, heading, tuple(read_statement(t) for t in texts))
        for n, (heading, texts) in enumerate(sections, 1)
    ]
    return replace(an_article(), sections=tuple(made))


def texts_of(article: Article) -> Counter[str]:
    return Counter(with_markers(s.text, s.marks) for _, s in article.statements())


WORDS = ["skin", "laser", "heals", "slowly", "[1]", "[1, 2]", "not"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(lambda w: "x " + " ".join(w))
SECTIONS = st.lists(
    st.tuples(st.sampled_from(["", "A", "B", "C"]), st.lists(TEXTS, min_size=1, max_size=5)),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(SECTIONS, SECTIONS)
@example([("A", ["x"]), ("B", ["y"]), ("A", ["z"])], [("A", ["x", "z"]), ("B", ["y"])])
def test_the_changes_lead_from_one_version_to_the_other(
    one: list[tuple[str, list[str]]], two: list[tuple[str, list[str]]]
) -> None:
    old, new = with_sections(one), with_sections(two)
    said = changes(old, new)
    about_statements = [
        c for c in said if not c[0].endswith(", heading") and c[0] != "order of sections"
    ]
    texts = texts_of(old)
    texts.subtract(before for _, before, _ in about_statements if before is not None)
    texts.update(after for _, _, after in about_statements if after is not None)
    assert +texts == texts_of(new)
    assert min(texts.values(), default=0) >= 0
    assert bool(said) == (
        [(s.heading, s.statements) for s in old.sections]
        != [(s.heading, s.statements) for s in new.sections]
    )


# ---------------------------------------------------------------------- time


def sentence(n: int, salt: int = 0) -> str:
    return " ".join(f"w{(n * 7919 + k * k + salt) % 997}" for k in range(16)) + f" n{n} [1]"


LARGE = {
    "every statement edited": (range(2000), range(2000), 1),
    "in reverse": (range(2000), range(1999, -1, -1), 0),
    "all others": (range(2000), range(5000, 7000), 3),
    "half of them new": (range(2000), range(1000, 3000), 0),
    "one over and over": ([1] * 2000, [1, 2] * 1000, 0),
    "a few over and over": ([n % 7 for n in range(2000)], [n * n % 11 for n in range(2000)], 0),
    "many over and over": ([n % 150 for n in range(2000)], [n * n % 151 for n in range(2000)], 0),
}


@pytest.mark.parametrize("case", LARGE)
@pytest.mark.parametrize("sections", [1, 2000])
def test_the_largest_articles_are_compared_in_seconds(case: str, sections: int) -> None:
    before, after, salt = LARGE[case]

    def article(numbers: Sequence[int], salt: int) -> Article:
        texts = [sentence(n, salt if n % 2 else 0) for n in numbers]
        size = len(texts) // sections
        return with_sections([(f"H{n}", texts[n * size : (n + 1) * size]) for n in range(sections)])

    old, new = article(before, 0), article(after, salt)
    with quick(5):
        assert compare({"a": old}, {"a": new})
