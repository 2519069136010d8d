"""What may be quoted of an article, and what an approval is pinned to."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from articles import TODAY, an_article, approval_of
from hypothesis import given
from hypothesis import strategies as st

from store.article import (
    CAUTION_ORDER,
    MOVES,
    Article,
    Caution,
    Move,
    Part,
    Reference,
    Section,
    ServingRules,
    Statement,
    Status,
    article_dict,
    caution_for,
    is_quotable,
    is_served,
    passages,
    quote_digest,
    quote_digests,
    weakest,
)

# ---------------------------------------------------------------------- status


def test_the_moves_are_a_table_and_withdrawn_is_reachable_from_all() -> None:
    assert set(MOVES) == set(Move)
    assert {move: (sorted(sources), to) for move, (sources, to) in MOVES.items()} == {
        "submit": (["submitted"], "submitted"),
        "start": (["approved", "retired", "submitted"], "under_review"),
        "approve": (["under_review"], "approved"),
        "return": (["approved", "under_review"], "submitted"),
        "retire": (["approved"], "retired"),
        "withdraw": (["approved", "retired", "submitted", "under_review"], "withdrawn"),
    }


def test_every_caution_has_its_place_in_the_order() -> None:
    assert sorted(CAUTION_ORDER) == sorted(Caution)


def with_status(status: Status, review_by: date | None, *, pinned: bool = True) -> Article:
    article = an_article()
    reviews = (approval_of(article),) if pinned else ()
    return replace(article, status=status, review_by=review_by, reviews=reviews)


GRACE = 30
DATES = {
    "none": None,
    "today": TODAY,
    "yesterday": TODAY - timedelta(days=1),
    "end of grace": TODAY - timedelta(days=GRACE),
    "after grace": TODAY - timedelta(days=GRACE + 1),
    "far": date.max,
    "long ago": date.min,
}


@pytest.mark.parametrize(("status", "when", "wide"), list(product(Status, DATES, [False, True])))
def test_what_may_be_quoted_follows_status_date_and_rules(
    status: Status, when: str, wide: bool
) -> None:
    article = with_status(status, DATES[when])
    rules = ServingRules(serve_under_review=wide, grace_days=GRACE)
    caution: Caution | None = Caution.UNDER_REVIEW
    served = False
    if status is Status.APPROVED:
        served = when not in ("after grace", "long ago")
        overdue = when in ("yesterday", "end of grace", "after grace", "long ago")
        caution = Caution.REVIEW_OVERDUE if overdue else None
    elif status is Status.UNDER_REVIEW:
        served = wide
    assert is_served(article, rules, TODAY) is served
    assert caution_for(article, TODAY) is caution


@pytest.mark.parametrize("wide", [False, True])
def test_an_approval_of_another_text_counts_as_under_review(wide: bool) -> None:
    article = with_status(Status.APPROVED, None, pinned=False)
    assert article.effective_status() is Status.UNDER_REVIEW
    assert is_served(article, ServingRules(serve_under_review=wide), TODAY) is wide
    assert caution_for(article, TODAY) is Caution.UNDER_REVIEW


def test_the_weakest_ground_decides_for_a_reply() -> None:
    order = [None, *CAUTION_ORDER]
    for first, second in product(order, order):
        expected = order[max(order.index(first), order.index(second))]
        assert weakest(iter([first, second])) is expected
    assert weakest(iter([])) is None


# ---------------------------------------------------------------------- approval


def edit_statement(article: Article, **changes: object) -> Article:
    section = article.sections[-1]
    first = replace(section.statements[0], **changes)  # type: ignore[arg-type]  # by name
    changed = replace(section, statements=(first, *section.statements[1:]))
    return replace(article, sections=(*article.sections[:-1], changed))


def edit_reference(article: Article, **changes: object) -> Article:
    first = replace(article.references[0], **changes)  # type: ignore[arg-type]  # by name
    return replace(article, references=(first, *article.references[1:]))


EDITS: dict[str, Callable[[Article], Article]] = {
    "wording": lambda a: edit_statement(a, text="Wounds closed after ten days."),
    "a space": lambda a: edit_statement(a, text=a.sections[-1].statements[0].text + " "),
    "citation": lambda a: edit_statement(a, citations=(2,), marks=((75, (2,)),)),
    "place of a citation": lambda a: edit_statement(a, marks=((6, (1,)),)),
    "title": lambda a: replace(a, title="Another?"),
    "topic": lambda a: replace(a, topic="Another"),
    "aliases": lambda a: replace(a, aliases=("another",)),
    "notice": lambda a: replace(a, notice="Double it."),
    "heading": lambda a: replace(
        a, sections=(a.sections[0], replace(a.sections[1], heading="Harm"))
    ),
    "part": lambda a: replace(
        a, sections=(a.sections[0], replace(a.sections[1], part=Part.GUIDELINES))
    ),
    "a section gone": lambda a: replace(a, sections=a.sections[1:]),
    "order of sections": lambda a: replace(a, sections=a.sections[::-1]),
    "conflict": lambda a: replace(a, conflicts=(Statement("They disagree.", (1,), ((14, (1,)),)),)),
    "reference gone": lambda a: replace(a, references=a.references[:1]),
    "retraction": lambda a: edit_reference(a, retracted=True),
    **{
        f"reference {name}": lambda a, name=name: edit_reference(a, **{name: "x"})  # type: ignore[misc]  # bound
        for name in "key kind title journal volume pages pmid doi accession url grade".split()
    },
    "reference authors": lambda a: edit_reference(a, authors=("A",)),
    "reference year": lambda a: edit_reference(a, year=1999),
    "reference number": lambda a: edit_reference(a, number=7),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_what_a_reader_sees_ends_the_approval(name: str) -> None:
    article = with_status(Status.APPROVED, None)
    assert article.effective_status() is Status.APPROVED
    edited = EDITS[name](article)
    assert edited.sha256() != article.sha256()
    assert edited.effective_status() is Status.UNDER_REVIEW


def test_what_changes_no_claim_keeps_the_approval() -> None:
    article = with_status(Status.APPROVED, None)
    later = replace(
        article,
        updated=date(2030, 1, 1),
        review_by=date(2031, 1, 1),
        reviews=(*article.reviews, replace(article.reviews[0], decision="comment", note="fine")),
        answerable=(),
        unanswerable=(),
    )
    assert later.sha256() == article.sha256()
    assert later.effective_status() is Status.APPROVED
    moved = edit_statement(article, line=99, block=9)
    assert moved.effective_status() is Status.APPROVED


def test_the_last_approval_is_the_one_that_counts() -> None:
    article = with_status(Status.APPROVED, None)
    other = replace(article.reviews[0], sha256="0" * 64)
    assert replace(article, reviews=(other, *article.reviews)).effective_status() == "approved"
    assert replace(article, reviews=(*article.reviews, other)).effective_status() == "under_review"


@pytest.mark.parametrize("ending", ["submit", "start", "return", "reject", "retire", "withdraw"])
def test_a_later_decision_ends_an_approval_until_the_next_one(ending: str) -> None:
    article = with_status(Status.APPROVED, None)
    ended = replace(article.reviews[0], decision=ending)
    sent_back = replace(article, reviews=(*article.reviews, ended))
    assert sent_back.effective_status() is Status.UNDER_REVIEW
    again = replace(sent_back, reviews=(*sent_back.reviews, *article.reviews))
    assert again.effective_status() is Status.APPROVED


def test_two_approvals_are_those_of_two_people() -> None:
    article = with_status(Status.APPROVED, None)
    first = article.reviews[0]
    same = replace(article, reviews=(first, replace(first, by="  dr  a ")))
    other = replace(article, reviews=(first, replace(first, by="Dr B")))
    edited = replace(article, reviews=(replace(first, sha256="0" * 64), replace(first, by="Dr B")))
    assert same.approvers() == ("Dr A",)
    assert other.approvers() == ("Dr A", "Dr B")
    assert edited.approvers() == ("Dr B",)
    strict = ServingRules(approvals=2)
    assert not is_served(same, strict, TODAY)
    assert is_served(other, strict, TODAY)
    assert not is_served(edited, strict, TODAY)
    assert same.effective_status(2) is Status.UNDER_REVIEW


def test_a_quote_is_known_by_its_words_and_its_sources() -> None:
    article = an_article()
    statement = article.sections[1].statements[1]
    keys = [article.reference(n).identity for n in statement.citations]
    assert quote_digest(statement.text, reversed(keys)) in quote_digests(article)
    assert quote_digest(statement.text, keys[:1]) not in quote_digests(article)
    assert quote_digest(statement.text + " ", keys) not in quote_digests(article)
    assert len(quote_digests(article)) == 3
    withdrawn = edit_reference(article, retracted=True)
    assert len(quote_digests(withdrawn)) == 2


# ---------------------------------------------------------------------- what has ground


def cited(*numbers: int, text: str = "A claim.") -> Statement:
    return Statement(text, numbers, ((len(text), numbers),) if numbers else ())


@pytest.mark.parametrize(
    ("statement", "quotable"),
    [
        (cited(1), True),
        (cited(2), False),
        (cited(1, 2), True),
        (cited(2, 3), False),
        (cited(), False),
        (cited(text="No guideline on this was found."), True),
        (cited(text="No trial has been published."), True),
        (cited(text="Nobody found a thing."), False),
        (cited(text="It was found that no harm came."), False),
        (cited(2, text="No guideline was found."), False),
    ],
)
def test_a_statement_needs_a_sound_source_or_reports_an_absence(
    statement: Statement, quotable: bool
) -> None:
    references = tuple(
        Reference(n, f"k{n}", "rct", "t", retracted=gone)
        for n, gone in ((1, False), (2, True), (3, True))
    )
    assert is_quotable(replace(an_article(), references=references), statement) is quotable


def test_a_link_leads_to_pubmed_then_doi_then_the_page() -> None:
    whole = Reference(1, "k", "rct", "t", pmid="7", doi="10.1/x", url="https://a.b")
    assert whole.link == "https://pubmed.ncbi.nlm.nih.gov/7/"
    assert replace(whole, pmid=None).link == "https://doi.org/10.1/x"
    assert replace(whole, pmid=None, doi=None).link == "https://a.b"
    assert replace(whole, pmid=None, doi=None, url=None).link is None


def test_an_article_is_read_by_programs_as_it_counts() -> None:
    article = with_status(Status.APPROVED, date(2027, 1, 1), pinned=False)
    shown = article_dict(article)
    assert (shown["status"], shown["review_by"]) == ("under_review", "2027-01-01")
    assert shown["sections"][1]["title"] == Part.RESEARCH.value
    assert shown["sections"][1]["statements"][1]["citations"] == [1, 2]
    assert shown["references"][0]["n"] == 1


# ---------------------------------------------------------------------- passages

CAP = 110


@st.composite
def sections(draw: st.DrawFn) -> Article:
    """Sections whose statements have lengths at the edges of joining and dividing."""
    made = []
    for n in range(draw(st.integers(0, 3))):
        block, statements = 0, []
        for i in range(draw(st.integers(0, 8))):
            block += draw(st.integers(0, 1))
            words = draw(st.sampled_from([1, 7, 8, 9, 54, 55, 56, 109, 110, 111, 300]))
            word = draw(st.sampled_from(["same", f"w{n}.{i}"]))
            numbers = draw(st.sampled_from([(1,), (2,), ()]))
            statements.append(replace(cited(*numbers, text=" ".join([word] * words)), block=block))
        heading = draw(st.sampled_from(["", "Harm"]))
        made.append(Section(f"s{n}", Part.RESEARCH, heading, tuple(statements)))
    references = (
        Reference(1, "k1", "rct", "t"),
        Reference(2, "k2", "rct", "t", retracted=True),
    )
    return replace(an_article(), sections=tuple(made), references=references)


@given(sections())
def test_every_quotable_statement_is_in_exactly_one_passage(article: Article) -> None:
    cut = passages(article)
    held = [(p.section, i) for p in cut for i in p.statements]
    assert held == [
        (s.id, i)
        for s in article.sections
        for i, statement in enumerate(s.statements)
        if is_quotable(article, statement)
    ]
    by_id = {s.id: s for s in article.sections}
    for number, p in enumerate(cut):
        assert p.ordinal == number
        assert p.text == " ".join(by_id[p.section].statements[i].text for i in p.statements)
        assert len(p.statements) == 1 or len(p.text.split()) <= CAP
        assert p.embedded.endswith(p.text)
        assert p.embedded.startswith(article.topic)


@given(sections(), st.randoms(use_true_random=False))
def test_names_of_passages_are_unique_and_survive_reordering(
    article: Article, random: object
) -> None:
    cut = passages(article)
    assert len({p.id for p in cut}) == len(cut)
    turned = replace(article, sections=article.sections[::-1])
    assert {p.id for p in passages(turned)} == {p.id for p in cut}
    assert {(p.sha256, p.text) for p in passages(turned)} == {(p.sha256, p.text) for p in cut}


def test_short_bullets_join_their_neighbour_and_long_paragraphs_are_divided() -> None:
    def groups(*lengths_and_blocks: tuple[int, int]) -> list[tuple[int, ...]]:
        statements = tuple(
            replace(cited(1, text=" ".join([f"w{i}"] * n)), block=block)
            for i, (n, block) in enumerate(lengths_and_blocks)
        )
        section = Section("s1", Part.RESEARCH, "", statements)
        return [p.statements for p in passages(replace(an_article(), sections=(section,)))]

    assert groups((20, 1), (20, 2)) == [(0,), (1,)]
    assert groups((3, 1), (20, 2), (20, 3)) == [(0, 1), (2,)]
    assert groups((20, 1), (20, 1), (20, 1)) == [(0, 1, 2)]
    assert groups((60, 1), (60, 1), (40, 1)) == [(0,), (1, 2)]
    assert groups((200, 1), (3, 1)) == [(0,), (1,)]
