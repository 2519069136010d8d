"""The sample articles: sound, honest about their status, and able to answer for themselves."""

import re
from datetime import date
from pathlib import Path

import pytest

from store.article import Article, Caution, Part, Status, caution_for, is_quotable, passages
from store.parse import parse_paths
from store.reload import SAMPLES

FILES = parse_paths([SAMPLES])
ARTICLES = [f.article for f in FILES if f.article is not None]
NOTICE = "Sample, not clinically reviewed"


def test_all_twelve_are_accepted_without_a_warning() -> None:
    assert len(FILES) == len(ARTICLES) == 12
    assert [p for f in FILES for p in f.problems] == []


@pytest.mark.parametrize("article", ARTICLES, ids=lambda a: a.slug)
class TestEachSample:
    def test_is_nobodys_approved_advice(self, article: Article) -> None:
        assert article.status is article.effective_status() is Status.UNDER_REVIEW
        assert article.reviews == ()
        assert article.notice == NOTICE
        assert caution_for(article, date(2027, 1, 1)) is Caution.UNDER_REVIEW

    def test_has_its_own_name_as_file_name(self, article: Article) -> None:
        assert (SAMPLES / f"{article.slug}.md").is_file()

    def test_asks_a_question_and_has_other_names(self, article: Article) -> None:
        assert article.title.endswith("?")
        assert not article.topic.endswith("?")
        assert len(article.aliases) >= 3
        names = [a.lower() for a in article.aliases]
        assert len(set(names)) == len(names)

    def test_has_both_parts_with_guidelines_first(self, article: Article) -> None:
        parts = [s.part for s in article.sections]
        assert set(parts) == set(Part)
        assert parts == sorted(parts, key=list(Part).index)

    def test_rests_every_statement_on_a_source_or_an_absence(self, article: Article) -> None:
        for _, statement in article.statements():
            assert is_quotable(article, statement), statement.text
            assert bool(statement.citations) is not statement.reports_absence, statement.text
            for number in statement.citations:
                assert article.reference(number).number == number

    def test_numbers_its_references_from_one_and_cites_each(self, article: Article) -> None:
        numbers = [r.number for r in article.references]
        assert numbers == list(range(1, len(numbers) + 1))
        cited = {n for _, s in article.statements() for n in s.citations}
        cited |= {n for c in article.conflicts for n in c.citations}
        assert cited == set(numbers)

    def test_gives_every_reference_a_title_and_a_way_to_find_it(self, article: Article) -> None:
        assert len({r.key for r in article.references}) == len(article.references)
        for reference in article.references:
            printed = reference.journal and reference.year
            assert reference.link or printed or reference.accession, reference.key
            assert not reference.retracted

    def test_names_both_sides_of_a_conflict(self, article: Article) -> None:
        for conflict in article.conflicts:
            assert conflict.citations, conflict.text

    def test_has_probes_that_its_own_statements_answer(self, article: Article) -> None:
        texts = {s.text for _, s in article.statements() if is_quotable(article, s)}
        assert len(article.answerable) >= 3
        assert article.unanswerable
        for probe in article.answerable:
            assert probe.statements
            assert set(probe.statements) <= texts
        asked = [p.question for p in article.answerable]
        asked += [p.question for p in article.unanswerable]
        assert len(set(asked)) == len(asked)
        assert all(p.reason for p in article.unanswerable)

    def test_is_plain_text_in_whole_sentences(self, article: Article) -> None:
        said = [s for _, s in article.statements()]
        for statement in (*said, *article.conflicts):
            assert not re.search(r"https?:|[*_`<>]{2}|\[\d|  ", statement.text), statement.text
            assert statement.text.endswith((".", ")")), statement.text
            assert statement.text[0].isupper() or statement.text[0].isdigit(), statement.text
        texts = [s.text for s in said]
        assert len(set(texts)) == len(texts)

    def test_fits_the_encoder(self, article: Article) -> None:
        for passage in passages(article):
            assert len(passage.statements) == 1 or len(passage.text.split()) <= 110


def test_no_two_articles_share_a_name() -> None:
    names = [n.lower() for a in ARTICLES for n in {a.slug, a.title, a.topic, *a.aliases}]
    assert len(set(names)) == len(names)


def test_one_source_has_one_key_throughout() -> None:
    owners: dict[str, set[str]] = {}
    for article in ARTICLES:
        for r in article.references:
            if r.pmid:
                owners.setdefault(r.pmid, set()).add(r.title)
    assert {pmid: titles for pmid, titles in owners.items() if len(titles) > 1} == {}


def test_the_package_ships_every_sample() -> None:
    assert sorted(p.name for p in Path(SAMPLES).glob("*.md")) == sorted(f.path.name for f in FILES)
