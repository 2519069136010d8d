"""Unanswered questions are grouped by meaning, and no single person's question is read."""

from datetime import UTC, datetime, timedelta

import pytest

from chains.gaps import group
from store.embeddings import MiniLM
from store.records import Gap

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def gap(n: int, question: str, user: str = "telegram:1", article: str | None = "keloids") -> Gap:
    return Gap(question, "no_statement", article, "s1", NOON + timedelta(hours=n), n, user)


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


ALIKE = (
    "Can pulsed dye laser be done in patients on warfarin?",
    "pulsed dye laser with warfarin",
    "is pulsed dye laser safe for a patient taking warfarin",
)
OTHER = "What does a session of laser cost?"


def test_rewordings_are_one_group_and_other_questions_another(model: MiniLM) -> None:
    gaps = [gap(n, q, f"telegram:{n}") for n, q in enumerate(ALIKE)]
    found, hidden = group([*gaps, gap(9, OTHER)], model)
    assert [(g.questions, g.people) for g in found] == [(3, 3), (1, 1)]
    assert found[0].question in ALIKE
    assert found[1].question == OTHER
    assert (found[0].first_at, found[0].last_at) == (NOON, NOON + timedelta(hours=2))
    assert hidden == 0


def test_most_asked_comes_first_and_the_order_given_does_not_matter(model: MiniLM) -> None:
    gaps = [gap(0, OTHER), *(gap(n, q, f"telegram:{n}") for n, q in enumerate(ALIKE, 1))]
    assert group(gaps, model) == group(gaps[::-1], model)
    assert group(gaps, model)[0][0].questions == 3


def test_one_person_asking_often_is_one_person(model: MiniLM) -> None:
    found, hidden = group([gap(n, q) for n, q in enumerate(ALIKE)], model, fewest=2)
    assert (found, hidden) == ([], 3)


def test_below_the_number_of_people_only_own_questions_are_shown(model: MiniLM) -> None:
    gaps = [
        *(gap(n, q, f"telegram:{n}") for n, q in enumerate(ALIKE)),
        gap(7, OTHER, "telegram:7"),
        gap(8, "How much does one laser session cost?", "console"),
    ]
    found, hidden = group(gaps, model, 3, lambda user: user == "console")
    assert [g.question for g in found[1:]] == ["How much does one laser session cost?"]
    assert found[0].people == 3
    assert hidden == 1
    assert OTHER not in [g.question for g in found]


def test_the_article_is_the_one_most_came_nearest_to(model: MiniLM) -> None:
    named = ["a", "b", "b"]
    gaps = [
        gap(n, q, f"u{n}", article) for n, (q, article) in enumerate(zip(ALIKE, named, strict=True))
    ]
    assert group(gaps, model)[0][0].article == "b"


def test_no_gaps_are_no_groups(model: MiniLM) -> None:
    assert group([], model) == ([], 0)
