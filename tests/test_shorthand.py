"""Shorthand is written out before a question is read, and names stay as they are."""

from collections.abc import Iterator

import numpy as np
import pytest
from articles import quick
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings

from chains.reading import read
from chains.shorthand import written_out
from store.embeddings import MiniLM
from store.tokens import Asked
from store.tokens import Reading as PassageReading


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("dx of mets w/ preg pts?", "diagnosis of metastases with pregnant patients?"),
        ("rash w/ fever", "rash with fever"),
        ("rash w/o fever", "rash without fever"),
        ("rash w fever", "rash with fever"),
        ("a 5 y/o boy", "a 5 years old boy"),
        ("f/u after surg", "follow-up after surgery"),
        ("s/e of tx?", "side effects of treatment?"),
        ("c/i in htn", "contraindicated in hypertension"),
        ("stop b4 op", "stop before operation"),
        ("scar & itch", "scar and itch"),
        ("Dx and Tx", "diagnosis and treatment"),
        ("pt's hx", "patient's history"),
        ("mets.", "metastases."),
        ("(6 mths, 3 wks)", "(6 months, 3 weeks)"),
        ("tx\nrx", "treatment\ntreatment"),
    ],
)
def test_shorthand_is_written_out(typed: str, meant: str) -> None:
    assert written_out(typed) == meant


@pytest.mark.parametrize("name", ["US", "CI", "SE", "HR", "CA", "RT", "MAX"])
def test_capitals_that_are_likelier_a_name_are_kept(name: str) -> None:
    assert written_out(f"{name} 95%") == f"{name} 95%"
    assert written_out(f"{name.lower()} 95%") != f"{name.lower()} 95%"


@pytest.mark.parametrize(
    "text",
    [
        "What is the prognosis of neurofibromatosis type 1?",
        "Sturge-Weber syndrome",
        "GNAQ p.R183Q",
        "NF1, PDL and MTX",
        "hydroxychloroquine 200 mg/day",
        "595 nm at 7.5 J/cm2",
        "PT/INR",
        "naïve ptosis",
        "tx1 and tx_2",
        "µg",
        "",
    ],
)
def test_names_and_plain_words_stay_as_they_are(text: str) -> None:
    assert written_out(text) == text


@given(st.text(alphabet="abwxptf/&2. \nWT"))
def test_what_is_written_out_stays_so(text: str) -> None:
    once = written_out(text)
    assert written_out(once) == once


def test_a_long_text_takes_no_time() -> None:
    with quick():
        assert written_out("w/" * 20_000) == "w/" * 20_000
        assert written_out("pt " * 20_000) == "patient " * 20_000


# ---------------------------------------------------------------------- reading


class Listening(Embeddings):
    """Says the same of every text; remembers which those were."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(t) for t in texts]

    def embed_query(self, text: str) -> list[float]:
        self.heard.append(text)
        return [0.6, 0.8]


class Piecewise(Listening):
    """The same by word pieces."""

    def readings(self, texts: list[str]) -> Iterator[PassageReading]:
        raise AssertionError("a question was read as a passage")

    def asked(self, text: str) -> Asked:
        self.heard.append(text)
        return Asked(np.ones(1, np.float32), np.ones(1, np.uint16), np.ones((1, 1), np.float32))


@pytest.mark.parametrize("kind", [Listening, Piecewise])
def test_the_model_reads_what_is_written_out(kind: type[Listening]) -> None:
    model = kind()
    reading = read(model, "tx of haemangiomas w/ propranolol?")
    assert model.heard == ["treatment of haemangiomas with propranolol?"]
    assert reading.text == "tx of haemangiomas w/ propranolol?"
    assert len(reading.asked.tokens) == len(reading.asked.ids) == (kind is Piecewise)


def test_words_that_carry_meaning_are_kept_once() -> None:
    reading = read(Listening(), "Scar or scars: is the scar treated, and the Haemangioma?")
    assert reading.stems == ("scar", "treat", "hemangioma")
    assert reading.content == ("scar", "scars", "haemangioma")


def test_a_question_of_nothing_but_talk_is_about_no_thing() -> None:
    reading = read(Listening(), "what is the best tx?")
    assert reading.content == ()
    assert reading.stems == ("best", "treatment")


def test_shorthand_is_read_as_what_it_stands_for() -> None:
    model = MiniLM()
    short = read(model, "px of pts w/ mets?")
    full = read(model, "prognosis of patients with metastases?")
    assert np.array_equal(short.asked.vector, full.asked.vector)
    assert short.asked.ids.tolist() == full.asked.ids.tolist()
    assert short.stems == full.stems
    assert model.vector(short.text) @ full.asked.vector < 0.8


@pytest.mark.parametrize(
    "text",
    ["5-FU dose", "stage IV melanoma", "factor IX deficiency", "ca-125", "vitamin B4", "LN", "MED"],
)
def test_what_stands_in_capitals_or_hangs_on_a_hyphen_is_a_name(text: str) -> None:
    assert written_out(text) == text
