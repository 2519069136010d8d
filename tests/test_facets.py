"""The aspect that a question asks for, and those that passages and their sections speak of."""

import numpy as np
import pytest
from articles import an_article

from chains.facets import FACETS, OTHER, Facets, asked_for, models, probabilities
from store.article import Article
from store.embeddings import DIMENSIONS, MiniLM
from store.index import Build, Manifest
from store.lexical import Lexical
from store.tokens import Floats

LONG = "as was told by nearly all of the ninety patients of the trial"
BODY = f"""\
## From the research

### Prognosis

- Most patients are alive after ten years and mortality is low, {LONG}. [1]
- Survival was shorter with metastases at the beginning, {LONG}. [1]

### Dosing

- Propranolol was given at 2 mg/kg/day in three divided doses, {LONG}. [1]
- The starting dose was 0.5 mg/kg twice daily and then doubled, {LONG}. [1]
- The dose was lowered by half in those of low weight, {LONG}. [1]
"""


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def build_of(articles: list[Article], vectors: Floats) -> Build:
    manifest = Manifest("b", "", "", "", vectors.shape[1], True, 0, {}, len(vectors))
    build = Build(manifest, articles, vectors, Lexical.build([]), None)
    assert len(build.passages) == len(vectors)
    return build


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    """Sections of two and three passages, twice."""
    return [an_article(BODY, slug="first"), an_article(BODY, slug="second", topic="Scars")]


@pytest.fixture(scope="module")
def build(articles: list[Article], model: MiniLM) -> Build:
    shell = build_of(articles, np.zeros((10, 1), np.float32))
    return build_of(articles, np.vstack(list(model.vectors([p.text for p in shell.passages]))))


def test_the_models_know_every_facet_once() -> None:
    assert len(set(FACETS)) == len(FACETS)
    assert OTHER not in FACETS
    assert models()["question"].shape == (DIMENSIONS + 1, len(FACETS) + 1)
    assert models()["passage"].shape == (DIMENSIONS + 1, len(FACETS))


def test_probabilities_are_those_of_a_hand_computation() -> None:
    weights = np.array([[1, 0, 2], [0, 1, -1], [0.5, 0, 0]], np.float32)
    scores = np.array([1.5 + 0.0, 2.0, 2.0 - 2.0])
    by_hand = np.exp(scores) / np.exp(scores).sum()
    one = np.array([1, 2], np.float32)
    assert probabilities(weights, one) == pytest.approx(by_hand, rel=1e-5)
    assert probabilities(weights, np.vstack([one, 0 * one]))[0] == pytest.approx(by_hand, rel=1e-5)


def test_scores_of_any_size_make_probabilities() -> None:
    weights = np.array([[5000, -5000], [0, 0]], np.float32)
    assert probabilities(weights, np.ones(1, np.float32)).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("question", "facet"),
    [
        ("What is the prognosis?", "prognosis"),
        ("How long do patients with melanoma survive?", "prognosis"),
        ("What dose of propranolol?", "dose"),
        ("What causes it?", "cause"),
        ("Which gene is mutated?", "genetics"),
        ("What are the side effects?", "adverse"),
        ("Which tests confirm the diagnosis?", "diagnosis"),
        ("How is it treated?", "treatment"),
        ("Which symptoms does it have?", "symptoms"),
    ],
)
def test_a_question_asks_mostly_for_what_it_names(model: MiniLM, question: str, facet: str) -> None:
    found = asked_for(model.vector(question))
    assert found.shape == (len(FACETS),)
    assert FACETS[int(found.argmax())] == facet
    assert found.max() > 0.5


def test_what_a_question_asks_for_sums_to_at_most_one(model: MiniLM) -> None:
    of_other = []
    for text in ("What is the prognosis?", "Who paid for the trial?", "Thanks!", "", "xyzzy"):
        found = asked_for(model.vector(text))
        assert (found >= 0).all()
        assert found.sum() <= 1 + 1e-5
        of_other.append(1 - float(found.sum()))
    assert max(of_other) > 0.05 > of_other[0]


@pytest.mark.parametrize("size", [0, 16, DIMENSIONS - 1, DIMENSIONS + 1])
def test_vectors_of_another_model_ask_for_nothing(size: int) -> None:
    assert asked_for(np.ones(size, np.float32)).tolist() == [0] * len(FACETS)


def test_passages_speak_of_what_their_words_say(build: Build) -> None:
    facets = Facets(build)
    assert facets.of_passage.shape == (10, len(FACETS))
    assert facets.of_passage.sum(axis=1) == pytest.approx(1, abs=1e-5)
    speaks = [FACETS[i] for i in facets.of_section.argmax(axis=1)]
    assert speaks == (["prognosis"] * 2 + ["dose"] * 3) * 2


def test_a_section_speaks_of_what_its_passages_speak_of_on_average(build: Build) -> None:
    facets = Facets(build)
    for start, end in ((0, 2), (2, 5), (5, 7), (7, 10)):
        by_hand = sum(facets.of_passage[row] for row in range(start, end)) / (end - start)
        for row in range(start, end):
            assert facets.of_section[row] == pytest.approx(by_hand, abs=1e-6)
    assert not np.allclose(facets.of_section, facets.of_passage)


def test_sections_that_follow_each_other_in_two_articles_are_two(model: MiniLM) -> None:
    bullet = "## From the research\n\n- {} and so it was for all ninety patients. [1]\n"
    articles = [
        an_article(bullet.format("Most of them died"), slug="first"),
        an_article(bullet.format("They took 2 mg/kg daily"), slug="second"),
    ]
    texts = ["Most of them died", "They took 2 mg/kg daily"]
    found = Facets(build_of(articles, np.vstack([model.vector(t) for t in texts])))
    assert articles[0].sections[0].id == articles[1].sections[0].id
    assert np.array_equal(found.of_section, found.of_passage)
    assert found.opens.all()


def test_the_first_section_of_an_article_opens_it(build: Build) -> None:
    assert Facets(build).opens.tolist() == [True, True, False, False, False] * 2


def test_passages_of_another_model_speak_of_nothing(articles: list[Article]) -> None:
    facets = Facets(build_of(articles, np.ones((10, 16), np.float32)))
    for found in (facets.of_passage, facets.of_section):
        assert found.shape == (10, len(FACETS))
        assert not found.any()
    assert facets.opens.tolist() == [True, True, False, False, False] * 2


def test_a_build_of_nothing_has_no_facets() -> None:
    facets = Facets(build_of([], np.zeros((0, 0), np.float32)))
    assert facets.of_passage.shape == facets.of_section.shape == (0, len(FACETS))
    assert facets.opens.shape == (0,)
