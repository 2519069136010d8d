"""Word pieces: kept as signs, compared as vectors, and carried from build to build."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from articles import BODY, EMBEDDER, CountingEmbeddings, an_article
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.embeddings import Embeddings

from store.article import ServingRules
from store.embeddings import DIMENSIONS, MAX_TOKENS, MiniLM
from store.errors import StoreProblem
from store.index import (
    Build,
    Manifest,
    kept_articles,
    kept_readings,
    known_readings,
    open_build,
    read_manifest,
    write_build,
)
from store.tokens import (
    NO_IDS,
    NO_SIGNS,
    Asked,
    Floats,
    Reader,
    Reading,
    Tokens,
    read_passages,
    read_question,
    signs_of,
)

ARTICLES = [
    an_article(slug="aftercare"),
    an_article(BODY.replace("nine days", "ten days"), slug="scars", topic="Scars"),
]
TEXTS = [
    "Scars formed in four of ninety patients.",
    "Propranolol was given at 2 mg/kg for six months.",
    "The trial was paid for by the makers of the laser.",
]


def units(seed: int, count: int, size: int) -> Floats:
    found = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def reading_of(pieces: Floats, ids: list[int] | None = None) -> Reading:
    own = np.array(range(len(pieces)) if ids is None else ids, np.uint16)
    return Reading(pieces[0], own, signs_of(pieces))


def tokens_of(*readings: Reading) -> Tokens:
    found = Tokens.of(readings)
    assert found is not None
    return found


def likest_by_hand(question: Floats, pieces: Floats) -> list[float]:
    """Each product of a whole vector with the signs of another, one by one."""
    size = question.shape[1]
    signs = [[1 if x > 0 else -1 for x in piece] for piece in pieces.tolist()]
    return [
        max(sum(a * b for a, b in zip(q, s, strict=True)) for s in signs) / size**0.5
        for q in question.tolist()
    ]


def test_signs_are_packed_eight_to_a_byte() -> None:
    vectors = np.array([[1, -1, 1, -1, -1, -1, -1, 0.1, -2, 3], [-1] * 10], np.float32)
    assert signs_of(vectors).tolist() == [[0b10100001, 0b01000000], [0, 0]]


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=5),
    st.integers(1, 4),
    st.sampled_from([8, 12, 16, 33]),
    st.integers(0, 1000),
)
def test_the_likest_piece_is_the_one_that_comparing_all_finds(
    lengths: list[int], asked: int, size: int, seed: int
) -> None:
    passages = [units(seed + n + 1, length, size) for n, length in enumerate(lengths)]
    question = units(seed, asked, size)
    found = tokens_of(*map(reading_of, passages)).likest(question, range(len(lengths)))
    assert found.shape == (len(lengths), asked)
    for row, pieces in zip(found, passages, strict=True):
        assert row == pytest.approx(likest_by_hand(question, pieces), abs=1e-5)


def test_passages_are_compared_in_the_order_they_are_asked_for() -> None:
    passages = [units(n, n + 1, 16) for n in range(4)]
    tokens, question = tokens_of(*map(reading_of, passages)), units(9, 3, 16)
    expected = [likest_by_hand(question, passages[row]) for row in (3, 0, 3, 2)]
    assert tokens.likest(question, [3, 0, 3, 2]) == pytest.approx(np.array(expected), abs=1e-5)


def test_a_vector_of_nothing_but_signs_is_wholly_like_itself() -> None:
    piece = np.array([[1, -1, 1, 1, -1, -1, 1, -1]], np.float32) / np.sqrt(8, dtype=np.float32)
    tokens = tokens_of(reading_of(piece))
    assert tokens.likest(np.vstack([piece, -piece]), [0]) == pytest.approx(np.array([[1, -1]]))


def test_a_row_is_what_its_passage_was_given() -> None:
    readings = [reading_of(units(n, n + 1, 16), [7 * n] * (n + 1)) for n in range(3)]
    tokens = tokens_of(*readings)
    assert len(tokens) == 3
    for row, reading in enumerate(readings):
        ids, signs = tokens.row(row)
        assert ids.tolist() == reading.ids.tolist()
        assert np.array_equal(signs, reading.signs)


def test_a_piece_is_the_more_telling_the_fewer_passages_have_it() -> None:
    own = [[5, 5, 5, 6], [5, 7], [5, 6, 65_535]]
    tokens = tokens_of(*(reading_of(units(0, len(ids), 16), ids) for ids in own))
    held = np.array([3, 2, 1, 1, 0])
    found = tokens.idf(np.array([5, 6, 7, 65_535, 8], np.uint16))
    assert found == pytest.approx(np.log(1 + (3 - held + 0.5) / (held + 0.5)), rel=1e-5)


@pytest.mark.parametrize("without", [0, 1, 2])
def test_where_one_passage_has_no_pieces_there_are_none(without: int) -> None:
    readings = [reading_of(units(n, 2, 16)) for n in range(3)]
    assert Tokens.of(readings) is not None
    readings[without] = Reading(readings[without].vector, NO_IDS, NO_SIGNS)
    assert Tokens.of(readings) is None


def test_no_passages_have_no_pieces() -> None:
    assert Tokens.of([]) is None


def test_pieces_come_back_from_their_files(tmp_path: Path) -> None:
    tokens = tokens_of(*(reading_of(units(n, n + 2, 16)) for n in range(3)))
    tokens.save(tmp_path)
    again, question = Tokens.load(tmp_path), units(9, 4, 16)
    assert len(again) == 3
    for row in range(3):
        (ids, signs), (kept_ids, kept_signs) = tokens.row(row), again.row(row)
        assert kept_ids.dtype == np.uint16
        assert kept_signs.dtype == np.uint8
        assert np.array_equal(kept_ids, ids)
        assert np.array_equal(kept_signs, signs)
    every = np.arange(9, dtype=np.uint16)
    assert np.array_equal(again.idf(every), tokens.idf(every))
    assert np.array_equal(again.likest(question, [2, 0]), tokens.likest(question, [2, 0]))


# ---------------------------------------------------------------------- the model


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


@pytest.mark.parametrize("text", ["", "scar", *TEXTS, "laser " * (MAX_TOKENS + 50)])
def test_a_question_is_read_as_one_vector_and_one_of_each_piece(model: MiniLM, text: str) -> None:
    asked = model.asked(text)
    tokenizer, _ = model._parts
    assert asked.ids.tolist() == tokenizer.encode(text).ids
    assert tokenizer.id_to_token(asked.ids[0]) == "[CLS]"
    assert tokenizer.id_to_token(asked.ids[-1]) == "[SEP]"
    assert len(asked.ids) <= MAX_TOKENS
    assert asked.tokens.shape == (len(asked.ids), DIMENSIONS)
    assert asked.tokens.dtype == asked.vector.dtype == np.float32
    assert np.linalg.norm(asked.tokens, axis=1) == pytest.approx(1, abs=1e-5)
    assert asked.vector == pytest.approx(model.vector(text), abs=1e-6)


def test_readings_come_in_order_with_the_signs_of_their_pieces(model: MiniLM) -> None:
    texts = TEXTS * 3
    for text, reading in zip(texts, model.readings(texts), strict=True):
        asked = model.asked(text)
        assert reading.vector == pytest.approx(asked.vector, abs=1e-6)
        assert reading.ids.tolist() == asked.ids.tolist()
        assert reading.signs.shape == (len(asked.ids), DIMENSIONS // 8)
        assert np.array_equal(reading.signs, signs_of(asked.tokens))


def test_a_piece_is_read_in_its_context(model: MiniLM) -> None:
    first, second = model.asked("a cold sore"), model.asked("a cold room")
    assert first.ids[2] == second.ids[2]
    assert first.tokens[2] @ second.tokens[2] < 0.9


def test_signs_are_as_good_as_vectors_at_telling_which_passage_is_meant(model: MiniLM) -> None:
    tokens = tokens_of(*model.readings(TEXTS))
    questions = ["How many got a scar?", "What dose of propranolol?", "Who funded the study?"]
    for row, question in enumerate(questions):
        asked = model.asked(question).tokens
        whole = [(asked @ model.asked(t).tokens.T).max(axis=1).mean() for t in TEXTS]
        signs = tokens.likest(asked, range(3)).mean(axis=1)
        assert signs.argmax() == np.argmax(whole) == row
        assert signs[row] > 2 * np.delete(signs, row).max()


# ---------------------------------------------------------------------- builds


class Plain(Embeddings):
    """Gives one vector, whatever the text."""

    def __init__(self, *vector: float) -> None:
        self._vector = vector

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [list(self._vector) for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return list(self._vector)


class Spelling(Embeddings):
    """Reads word by word: each word has a vector of sixteen numbers. Remembers what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def asked(self, text: str) -> Asked:
        ids = np.array([crc32(w.encode()) % 1000 for w in text.split()], np.uint16)
        tokens = np.vstack([units(int(i), 1, 16) for i in ids])
        return Asked(tokens.sum(axis=0), ids, tokens)

    def readings(self, texts: list[str]) -> Iterator[Reading]:
        for text in texts:
            self.read.append(text)
            found = self.asked(text)
            yield Reading(found.vector, found.ids, signs_of(found.tokens))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise AssertionError("a model that reads pieces was asked for vectors alone")

    def embed_query(self, text: str) -> list[float]:
        raise AssertionError("a model that reads pieces was asked for a vector alone")


def write(root: Path, model: Embeddings | None, **how: Any) -> tuple[Manifest, int]:
    def embeddings() -> Embeddings:
        assert model is not None, "the model was opened"
        return model

    return write_build(
        root,
        how.pop("articles", ARTICLES),
        embeddings=embeddings,
        embedder=EMBEDDER,
        rules=ServingRules(serve_under_review=True),
        source="test",
        **how,
    )


def opened(root: Path, build: str) -> Build:
    return open_build(root, build, embedder=EMBEDDER, vector_search=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """A build with word pieces, to read or to copy."""
    root = tmp_path_factory.mktemp("whole")
    return root, write(root, Spelling())[0]


@pytest.fixture
def copy(whole: tuple[Path, Manifest], tmp_path: Path) -> tuple[Path, str]:
    """One to spoil."""
    root, manifest = whole
    shutil.copytree(root / manifest.id, tmp_path / manifest.id)
    return tmp_path, manifest.id


def test_only_a_model_that_reads_pieces_is_a_reader() -> None:
    assert isinstance(MiniLM(), Reader)
    assert isinstance(Spelling(), Reader)
    assert not isinstance(CountingEmbeddings(), Reader)


def test_a_model_that_reads_pieces_is_asked_for_them() -> None:
    model = Spelling()
    (reading,) = read_passages(model, ["laser scar"])
    asked = read_question(model, "laser scar")
    assert model.read == ["laser scar"]
    assert reading.ids.tolist() == asked.ids.tolist()
    assert np.array_equal(reading.signs, signs_of(asked.tokens))
    assert len(asked.ids) == 2


def test_another_model_is_asked_for_vectors_which_are_brought_to_length_one() -> None:
    asked = read_question(Plain(3, 4), "scar")
    assert asked.vector.tolist() == pytest.approx([0.6, 0.8])
    assert asked.vector.dtype == np.float32
    assert (len(asked.ids), len(asked.tokens)) == (0, 0)
    first, second = read_passages(Plain(3, 4), ["scar", "itch"])
    assert first.vector.tolist() == second.vector.tolist() == [3, 4]
    assert (len(first.ids), len(first.signs)) == (0, 0)


def test_a_vector_that_says_nothing_stays_so() -> None:
    assert read_question(Plain(0, 0), "scar").vector.tolist() == [0, 0]


def test_a_build_keeps_the_pieces_of_every_passage(whole: tuple[Path, Manifest]) -> None:
    root, manifest = whole
    build, model = opened(root, manifest.id), Spelling()
    assert build.tokens is not None
    assert len(build.tokens) == manifest.passages == 6
    expected = model.readings([p.embedded for p in build.passages])
    for row, reading in enumerate(expected):
        ids, signs = build.tokens.row(row)
        assert ids.tolist() == reading.ids.tolist()
        assert np.array_equal(signs, reading.signs)
        unit = reading.vector / np.linalg.norm(reading.vector)
        assert build.vectors[row] == pytest.approx(unit, abs=1e-6)


def test_a_model_without_pieces_makes_a_build_without(tmp_path: Path) -> None:
    manifest, _ = write(tmp_path, CountingEmbeddings())
    assert not {"tokens.npz", "signs.npy"} & set(manifest.files)
    build = opened(tmp_path, manifest.id)
    assert build.tokens is None
    assert all(not len(r.ids) and not len(r.signs) for r in known_readings(build).values())


def test_what_is_known_is_kept_without_opening_the_model(
    whole: tuple[Path, Manifest], tmp_path: Path
) -> None:
    root, manifest = whole
    again, embedded = write(tmp_path, None, known=known_readings(opened(root, manifest.id)))
    assert embedded == 0
    for name in ("vectors.npy", "signs.npy"):
        assert again.files[name] == manifest.files[name]
    first, second = opened(root, manifest.id).tokens, opened(tmp_path, again.id).tokens
    assert first is not None and second is not None
    for row in range(manifest.passages):
        assert first.row(row)[0].tolist() == second.row(row)[0].tolist()


def test_only_what_changed_is_read_again(whole: tuple[Path, Manifest], tmp_path: Path) -> None:
    root, manifest = whole
    model = Spelling()
    changed = [ARTICLES[0], an_article(BODY.replace("nine", "six"), slug="scars", topic="Scars")]
    known = known_readings(opened(root, manifest.id))
    again, embedded = write(tmp_path, model, known=known, articles=changed)
    assert ["six days" in text for text in model.read] == [True]
    assert embedded == 1
    anew, _ = write(tmp_path, Spelling(), articles=changed)
    for name in ("vectors.npy", "signs.npy"):
        assert again.files[name] == anew.files[name]


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change_a_bit(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("harm", [shorten, change_a_bit, Path.unlink], ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", ["signs.npy", "tokens.npz"])
def test_damaged_pieces_are_found_at_opening_and_never_kept(
    copy: tuple[Path, str], name: str, harm: Callable[[Path], None]
) -> None:
    root, build = copy
    manifest = read_manifest(root, build)
    articles = kept_articles(root, manifest)
    whole = known_readings(opened(root, build))
    kept = kept_readings(root, manifest, articles)
    assert kept.keys() == whole.keys()
    for sha256, reading in kept.items():
        assert reading.ids.tolist() == whole[sha256].ids.tolist()
        assert np.array_equal(reading.signs, whole[sha256].signs)
    harm(root / build / name)
    with pytest.raises(StoreProblem) as caught:
        opened(root, build)
    assert str(root / build / name) in caught.value.what
    assert kept_readings(root, manifest, articles) == {}


def test_a_study_asks_the_build_it_is_kept_with(tmp_path: Path) -> None:
    steps: list[str] = []

    def study(build: Build) -> dict[str, Any]:
        assert build.tokens is not None
        found = [build.nearest(v, 1)[0].row for v in build.vectors]
        best = build.tokens.likest(Spelling().asked("ten").tokens, range(len(found)))
        words = build.lexical.scores(["ten"])
        return {"found": found, "likest": int(best.argmax()), "word": int(words.argmax())}

    manifest, _ = write(
        tmp_path, Spelling(), study=study, progress=lambda step, *_: steps.append(step)
    )
    assert manifest.study["found"] == list(range(6))
    for row in (manifest.study["likest"], manifest.study["word"]):
        assert "ten days" in opened(tmp_path, manifest.id).passages[row].text
    assert read_manifest(tmp_path, manifest.id).study == manifest.study
    assert steps.count("calibrating") == 1
    assert opened(tmp_path, manifest.id).manifest == manifest


def test_a_build_that_was_not_studied_keeps_nothing_of_it(whole: tuple[Path, Manifest]) -> None:
    root, manifest = whole
    assert json.loads((root / manifest.id / "manifest.json").read_text())["study"] == {}


@pytest.mark.parametrize("told", [RuntimeError("no questions"), {"not": {"JSON"}}])
def test_a_study_that_fails_leaves_no_folder(tmp_path: Path, told: Any) -> None:
    def study(build: Build) -> dict[str, Any]:
        if isinstance(told, Exception):
            raise told
        return dict(told)

    with pytest.raises((RuntimeError, TypeError)):
        write(tmp_path, Spelling(), study=study)
    assert list(tmp_path.iterdir()) == []
