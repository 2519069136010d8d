"""BM25 over the passages of a build."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.lexical import FUNCTION_WORDS, Lexical, stem, terms, words

TEXTS = ["laser laser scar", "laser redness", "scar redness itch pain"]


def by_hand(tf: int, length: int, holders: int) -> float:
    """Okapi BM25 as the paper has it: three texts of 3, 2 and 4 words, k1 1.2, b 0.75."""
    idf = log(1 + (3 - holders + 0.5) / (holders + 0.5))
    return idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / 3))


def test_scores_are_those_of_a_hand_computation() -> None:
    index = Lexical.build(TEXTS)
    expected = [by_hand(2, 3, 2), by_hand(1, 2, 2), 0.0]
    assert index.scores(["laser"]) == pytest.approx(expected, rel=1e-6)
    both = [expected[0], expected[1], by_hand(1, 4, 1)]
    assert index.scores(["laser", "itch"]) == pytest.approx(both, rel=1e-6)


def test_a_word_asked_twice_counts_once() -> None:
    index = Lexical.build(TEXTS)
    assert index.scores(["laser", "laser"]).tolist() == index.scores(["laser"]).tolist()


def test_an_unknown_word_scores_nothing_and_tells_most() -> None:
    index = Lexical.build(TEXTS)
    assert not index.scores(["unheard"]).any()
    assert index.frequency("unheard") == 0
    assert index.rows_of("unheard").tolist() == []
    assert index.idf("unheard") == pytest.approx(log(1 + 3.5 / 0.5))
    assert all(index.idf("unheard") > index.idf(t) for t in index.vocabulary)


def test_rows_and_frequency_say_where_a_word_is() -> None:
    index = Lexical.build(TEXTS)
    assert index.rows_of("scar").tolist() == [0, 2]
    assert index.frequency("scar") == 2


@pytest.mark.parametrize("texts", [[], [""], ["", "the of and"]])
def test_texts_without_words_make_an_index_that_finds_nothing(texts: list[str]) -> None:
    index = Lexical.loads(Lexical.build(texts).dumps())
    assert index.scores(["laser"]).tolist() == [0.0] * len(texts)
    assert index.vocabulary == {}


@given(st.lists(st.text(alphabet="abc é5.µ\n", max_size=30), max_size=8))
def test_an_index_comes_back_from_its_bytes(texts: list[str]) -> None:
    index = Lexical.build(texts)
    again = Lexical.loads(index.dumps())
    assert again.vocabulary == index.vocabulary
    assert again.count == index.count == len(texts)
    for term in index.vocabulary:
        assert np.array_equal(again.rows_of(term), index.rows_of(term))
        assert np.array_equal(again.scores([term]), index.scores([term]))
        assert set(index.rows_of(term).tolist()) == {
            row for row, text in enumerate(texts) if term in terms(text)
        }


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("haemangioma", "hemangioma"),
        ("haemangiomas", "hemangioma"),
        ("tumour", "tumor"),
        ("tumours", "tumors"),
        ("colour", "color"),
        ("coloured", "colored"),
        ("randomised", "randomized"),
        ("randomisation", "randomization"),
        ("anaesthesia", "anesthesia"),
        ("oedema", "edema"),
        ("paediatric", "pediatric"),
        ("diarrhoea", "diarrhea"),
        ("oestrogen", "estrogen"),
        ("analysed", "analyzed"),
        ("behaviour", "behavior"),
        ("minimising", "minimizing"),
    ],
)
def test_british_and_american_spellings_share_a_stem(british: str, american: str) -> None:
    assert stem(british) == stem(american)


def test_numbers_and_short_codes_stay_as_they_are() -> None:
    assert terms("PDL at 7.5 J/cm2, 1,064 nm and 595 nm") == "pdl 7.5 j cm2 1,064 nm 595 nm".split()


def test_accents_hyphens_and_slashes_do_not_part_a_word_from_itself() -> None:
    assert words("Sézary-type naïve/CRÈME") == ["sezary", "type", "naive", "creme"]


def test_function_words_carry_no_topic() -> None:
    assert terms(" ".join(sorted(FUNCTION_WORDS))) == []


@pytest.fixture
def threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("threads_take_turns_often")
def test_threads_do_not_disturb_each_others_stems() -> None:
    roots = ("haemangiom", "recurr", "treat", "inject", "vascul", "oscillat", "pigment", "general")
    ends = ("ation", "ences", "ments", "ingly", "arities", "ational", "ousness", "izers")
    every = [root + end for root in roots for end in ends]
    uncached = stem.__wrapped__
    alone = [uncached(word) for word in every]

    def stems_from(n: int) -> list[str]:
        return [uncached(word) for word in every[n:] + every[:n]]

    with ThreadPoolExecutor(8) as pool:
        for n, found in enumerate(pool.map(stems_from, range(len(every)))):
            assert found == alone[n:] + alone[:n]
