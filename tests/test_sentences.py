"""Where one sentence ends and the next begins."""

import pytest
from articles import quick
from hypothesis import example, given
from hypothesis import strategies as st

from store.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["One trial was found.", "It was small."],
        ["Was it safe?", "Yes!", "No harm was seen."],
        ["Doses of 5.5 J/cm2 were used.", "Redness fell by 0.5 points (p < 0.01)."],
        ["Smith et al. Reported nothing of it.", "The end."],
        ["Use a filter, e.g. Schott glass, vs. None at all.", "The end."],
        ["See Fig. 3 and pp. 4 to 9.", "The end."],
        ["It was done by Dr. J. R. Smith.", "Others agreed."],
        ["It was given i.v. Bleeding stopped."],
        ["It was licensed in the U.S.", "It sold well."],
        ['They said "never."', "Then they left."],
        ["(It was small.)", "Others were not."],
        ["It stopped…", "Then it began."],
        ["Ärzte sagten nichts.", "Über Narben auch nicht.", "Δ was 3."],
        ["Growth at 3 a.m. was nil."],
        ["They used vitamin C. Its dose was not given."],
        ["no capital after the stop. it is one sentence"],
    ],
)
def test_sentences_end_where_a_reader_would_end_them(expected: list[str]) -> None:
    text = " ".join(expected)
    assert sentences(text) == expected


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_white_space_alone_is_no_sentence(text: str) -> None:
    assert sentences(text) == []


@given(st.text(alphabet=' .!?…"”)(ABab1é\n\u2003', max_size=300) | st.text(max_size=200))
@example("e.g. The U.S. The")
@example("." * 50 + " A")
def test_nothing_but_white_space_lies_outside_the_spans(text: str) -> None:
    last = 0
    for start, end in sentence_spans(text):
        assert text[last:start].strip() == ""
        assert start < end
        assert text[start:end] == text[start:end].strip()
        last = end
    assert text[last:].strip() == ""


@pytest.mark.parametrize(
    "pattern",
    [".", "…", "?!", ". ", '."', ".)", "A. ", "e.g. The ", "a.B", ". (", '. "', "x. \t", " "],
)
def test_long_rows_of_marks_take_time_in_proportion(pattern: str) -> None:
    text = pattern * (250_000 // len(pattern))
    with quick():
        sentence_spans(text)
