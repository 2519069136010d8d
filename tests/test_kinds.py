"""Words that narrow a question, and those that do not."""

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from chains.kinds import Kinds
from store.embeddings import MiniLM


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    return Kinds(MiniLM())


@pytest.mark.parametrize(
    "word",
    ["atenolol", "sirolimus", "minoxidil", "spironolactone", "rivaroxaban"],
)
def test_a_medicine_on_no_list_is_strict(kinds: Kinds, word: str) -> None:
    assert kinds.is_strict(word)
    assert kinds.narrows(word) > 0.8


@pytest.mark.parametrize("word", ["vitiligo", "melasma", "cheilitis", "radiotherapy"])
def test_an_illness_or_a_procedure_narrows(kinds: Kinds, word: str) -> None:
    assert kinds.narrows(word) > 0.8
    assert not kinds.is_strict(word)


@pytest.mark.parametrize("word", ["quicker", "worthwhile", "arranged", "happy", "12", "treatment"])
def test_an_ordinary_word_does_not(kinds: Kinds, word: str) -> None:
    assert kinds.narrows(word) < 0.3
    assert not kinds.is_strict(word)


def test_nothing_is_known_of_the_vectors_of_another_model() -> None:
    kinds = Kinds(DeterministicFakeEmbedding(size=8))
    assert kinds.narrows("atenolol") == 0.0
    assert not kinds.is_strict("atenolol")
