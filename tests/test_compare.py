"""A question against passages: three likenesses, each as a hand computation has it."""

from collections.abc import Sequence
from math import log

import numpy as np
import pytest
from articles import an_article

from chains.compare import MOST_ROWS, NEAREST, Compared
from chains.reading import Reading
from store.index import Build, Hit, Manifest
from store.lexical import Lexical
from store.tokens import NO_IDS, Asked, Floats, Tokens, signs_of
from store.tokens import Reading as PassageReading

SIZE = 16
WORDS = "laser scar itch redness pain dose cream wound".split()


def units(seed: int, count: int) -> Floats:
    found = np.random.default_rng(seed).normal(size=(count, SIZE)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


PIECES = {row: units(100 + row, 1 + row % 5) for row in range(80)}
IDS = {row: [row % 3, *range(10, 10 + row % 5)] for row in range(80)}


def build_of(count: int, *, pieces: bool = True) -> Build:
    """So many passages; passage 3 n + 1 speaks of word n."""
    lines = "".join(
        f"- Finding {n} of the trial was about {WORDS[n // 3 % 8] if n % 3 == 1 else 'naught'} "
        "and nothing else at all. [1]\n"
        for n in range(count)
    )
    article = an_article("## From the research\n\n" + lines)
    manifest = Manifest("b", "", "", "", SIZE, True, 0, {}, count)
    vectors = units(1, count)
    readings = [
        PassageReading(vectors[row], np.array(IDS[row], np.uint16), signs_of(PIECES[row]))
        for row in range(count)
    ]
    tokens = Tokens.of(readings) if pieces else None
    build = Build(manifest, [article], vectors, Lexical.build([]), None, tokens)
    assert len(build.passages) == count
    build.lexical = Lexical.build([p.text for p in build.passages])
    return build


def reading_of(ids: Sequence[int] = (0, 12, 999), stems: tuple[str, ...] = ("scar",)) -> Reading:
    tokens = units(3, len(ids)) if ids else np.zeros((0, 0), np.float32)
    own = np.array(ids, np.uint16) if ids else NO_IDS
    return Reading("as typed", Asked(units(2, 1)[0], own, tokens), stems, stems)


def late_by_hand(reading: Reading, row: int, count: int) -> float:
    """The mean of the likest pieces, each weighed by how few of the passages have it."""
    total = weight = 0.0
    for piece, vector in zip(reading.asked.ids.tolist(), reading.asked.tokens, strict=True):
        n = sum(piece in IDS[r] for r in range(count))
        idf = log(1 + (count - n + 0.5) / (n + 0.5))
        signs = np.where(PIECES[row] > 0, 1, -1)
        total += idf * max(float(s @ vector) for s in signs) / SIZE**0.5
        weight += idf
    return total / weight


def test_late_interaction_is_that_of_a_hand_computation() -> None:
    compared = Compared(build_of(9), reading_of())
    expected = [late_by_hand(compared.reading, row, 9) for row in range(9)]
    assert compared.late(range(9)) == pytest.approx(expected, abs=1e-5)
    assert compared.late([7, 2, 7]) == pytest.approx([expected[r] for r in (7, 2, 7)], abs=1e-5)
    assert len(set(expected)) == 9


def test_late_interaction_with_oneself_is_the_greatest_and_at_most_one() -> None:
    build = build_of(9)
    for row in range(9):
        mine = Asked(units(2, 1)[0], np.array(IDS[row], np.uint16), PIECES[row])
        late = Compared(build, Reading("", mine, (), ())).late(range(9))
        assert late.argmax() == row
        assert 0.5 < late[row] <= 1


def test_a_section_is_weighed_as_its_passages_are() -> None:
    compared = Compared(build_of(9), reading_of())
    likest = compared.likest(range(9))
    assert likest.shape == (9, 3)
    assert compared.weigh(likest) == pytest.approx(compared.late(range(9)))
    together = compared.weigh(likest.max(axis=0))
    assert together >= compared.late(range(9)).max()


def test_a_passage_is_compared_once_however_often_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows_of: list[list[int]] = []
    likest = Tokens.likest

    def noted(self: Tokens, tokens: Floats, rows: Sequence[int]) -> Floats:
        rows_of.append(list(rows))
        return likest(self, tokens, rows)

    monkeypatch.setattr(Tokens, "likest", noted)
    compared = Compared(build_of(9), reading_of())
    first = compared.late([4, 1, 4])
    assert compared.late([1, 4, 8])[:2].tolist() == [first[1], first[0]]
    compared.late([8])
    assert rows_of == [[4, 1], [8]]


@pytest.mark.parametrize("lacks", ["build", "question"])
def test_without_pieces_late_interaction_is_cosine_and_words_in_common(lacks: str) -> None:
    reading = reading_of(() if lacks == "question" else (0, 12))
    compared = Compared(build_of(9, pieces=lacks != "build"), reading)
    by_hand = [float(v @ reading.asked.vector) for v in units(1, 9)]
    assert compared.cosine([5, 0]) == pytest.approx([by_hand[5], by_hand[0]], abs=1e-6)
    assert compared.likest([5, 0]).shape == (2, 1)
    both = by_hand + compared.lexical / compared.most
    assert compared.late(range(9)) == pytest.approx(both, abs=1e-6)
    assert compared.weigh(compared.likest(range(9)).max(axis=0)) == pytest.approx(max(both))


def test_words_are_compared_with_every_passage() -> None:
    build = build_of(9)
    compared = Compared(build, reading_of(stems=("scar",)))
    assert np.flatnonzero(compared.lexical).tolist() == [4]
    assert compared.lexical.tolist() == build.lexical.scores(["scar"]).tolist()


def test_a_passage_full_of_the_words_asked_reaches_the_most_there_is() -> None:
    build = build_of(9)
    build.lexical = Lexical.build(["scar itch " * 2000, *["naught and nothing"] * 99])
    compared = Compared(build, reading_of(stems=("scar", "itch")))
    assert 0.9 * compared.most < compared.lexical[0] < compared.most


def test_a_question_without_a_word_divides_by_something() -> None:
    compared = Compared(build_of(9), reading_of(stems=()))
    assert compared.most > 0
    assert not compared.lexical.any()


def test_the_nearest_of_the_store_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    build = build_of(80)
    compared = Compared(build, reading_of())
    by_hand = np.argsort(-(build.vectors @ compared.reading.asked.vector))[:NEAREST]
    found = compared.nearest()
    assert [h.row for h in found] == by_hand.tolist()

    def refuse(*_: object) -> list[Hit]:
        raise AssertionError("asked again")

    monkeypatch.setattr(build, "nearest", refuse)
    assert compared.nearest() == found


def test_few_passages_all_look_well() -> None:
    compared = Compared(build_of(9), reading_of())
    assert compared.best_looking([8, 2, 5], most=3) == [8, 2, 5]
    assert compared.best_looking([]) == []


def test_of_many_passages_those_near_in_meaning_or_words_look_best() -> None:
    compared = Compared(build_of(80), reading_of())
    looks = {
        row: float(compared.build.vectors[row] @ compared.reading.asked.vector)
        + 0.5 * float(compared.lexical[row]) / compared.most
        for row in range(80)
    }
    by_hand = sorted(looks, key=lambda row: -looks[row])
    assert compared.best_looking(range(80)) == by_hand[:MOST_ROWS]
    assert compared.best_looking(range(79, -1, -1), most=7) == by_hand[:7]
    odd = [row for row in by_hand if row % 2]
    assert compared.best_looking(range(1, 80, 2), most=5) == odd[:5]


def test_a_word_of_the_question_makes_a_passage_look_better() -> None:
    build = build_of(80)
    build.vectors = np.full((80, SIZE), 0.25, np.float32)
    speak_of_it = [row for row in range(80) if "scar" in build.passages[row].text]
    assert 0 < len(speak_of_it) < 10
    best = Compared(build, reading_of()).best_looking(range(80), most=10)
    assert sorted(best[: len(speak_of_it)]) == speak_of_it
