"""The sentence encoder: its vectors, and what it says when its files are not its own."""

import json
import math
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings
from langchain_tests.integration_tests import EmbeddingsIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from store.embeddings import DIMENSIONS, MAX_TOKENS, PACKAGE, SHA256, MiniLM, model_folder
from store.errors import ModelUnavailable

ROOT = Path(__file__).parents[1]
TEXTS = ["Is it safe in children?", "recurrence", "", "x " * 1000, "é ½ 漢字 🙂"]


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


class TestStandardUnit(EmbeddingsUnitTests):
    """What LangChain expects of any embeddings, without a call."""

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return MiniLM


class TestStandardCalls(EmbeddingsIntegrationTests):
    """What LangChain expects of any embeddings, with calls."""

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return MiniLM


def forward(folder: Path, ids: list[int]) -> "np.ndarray[Any, Any]":
    """BERT with mean pooling in plain NumPy, from the published weights."""
    raw = (folder / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + size])

    def weight(name: str) -> "np.ndarray[Any, Any]":
        start, end = header[name]["data_offsets"]
        flat = np.frombuffer(raw[8 + size + start : 8 + size + end], np.float32)
        return flat.reshape(header[name]["shape"]).astype(np.float64)

    def linear(x: Any, name: str) -> Any:
        return x @ weight(name + ".weight").T + weight(name + ".bias")

    def norm(x: Any, name: str) -> Any:
        spread = np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return (x - x.mean(-1, keepdims=True)) / spread * weight(name + ".weight") + weight(
            name + ".bias"
        )

    def heads(x: Any) -> Any:
        return x.reshape(len(ids), 12, 32).transpose(1, 0, 2)

    erf = np.vectorize(math.erf)
    e = "embeddings."
    x = (
        weight(e + "word_embeddings.weight")[ids]
        + weight(e + "position_embeddings.weight")[: len(ids)]
        + weight(e + "token_type_embeddings.weight")[0]
    )
    x = norm(x, e + "LayerNorm")
    for n in range(6):
        layer = f"encoder.layer.{n}."
        q, k, v = (
            heads(linear(x, f"{layer}attention.self.{w}")) for w in ("query", "key", "value")
        )
        scores = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(32))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ v
        flat = mixed.transpose(1, 0, 2).reshape(len(ids), DIMENSIONS)
        attended = linear(flat, layer + "attention.output.dense")
        x = norm(attended + x, layer + "attention.output.LayerNorm")
        wide = linear(x, layer + "intermediate.dense")
        narrow = linear(wide * 0.5 * (1 + erf(wide / np.sqrt(2))), layer + "output.dense")
        x = norm(narrow + x, layer + "output.LayerNorm")
    mean = x.mean(0)
    return np.asarray(mean / np.linalg.norm(mean))


def test_vectors_are_those_of_the_published_weights(model: MiniLM) -> None:
    text = "Pulsed dye laser for infantile haemangioma: is it safe?"
    tokenizer, _ = model._parts
    expected = forward(model_folder(), tokenizer.encode(text).ids)
    assert np.abs(model.vector(text) - expected).max() < 2e-6


def test_vectors_have_unit_length_whatever_the_text(model: MiniLM) -> None:
    for text, vector in zip(TEXTS, model.vectors(TEXTS), strict=True):
        assert vector.shape == (DIMENSIONS,), text
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_vector_does_not_depend_on_its_neighbours(model: MiniLM) -> None:
    together = model.embed_documents(TEXTS * 3)
    for text, vector in zip(TEXTS * 3, together, strict=True):
        assert vector == model.embed_query(text)


def test_what_goes_beyond_the_longest_text_is_cut(model: MiniLM) -> None:
    long = "laser " * (MAX_TOKENS + 50)
    assert model.embed_query(long) == model.embed_query(long + "keloid scar")


def test_near_meanings_are_nearer_than_far_ones(model: MiniLM) -> None:
    asked = model.vector("Does it hurt?")
    near, far = model.vector("Is the treatment painful?"), model.vector("Who paid for the trial?")
    assert asked @ near > asked @ far + 0.2


def test_seldom_words_are_rarer_than_common_ones(model: MiniLM) -> None:
    found = [model.rarity(w) for w in ("the", "treatment", "laser", "isotretinoin")]
    assert found == sorted(found)
    assert found[0] < 0.3
    assert found[-1] == 1.0


def test_the_graph_that_ships_is_the_one_its_tool_makes(tmp_path: Path) -> None:
    out = tmp_path / "minilm.onnx"
    tool = ROOT / "tools" / "make_minilm_graph.py"
    weights = model_folder() / "model.safetensors"
    subprocess.run([sys.executable, tool, weights, out], check=True, capture_output=True)
    assert out.read_bytes() == (ROOT / "store" / "minilm.onnx").read_bytes()


# ---------------------------------------------------------------------- files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Links to the model's files, to be spoilt one by one."""
    for name in SHA256:
        (tmp_path / name).symlink_to(model_folder() / name)
    return tmp_path


def refusal(folder: Path | None) -> ModelUnavailable:
    with pytest.raises(ModelUnavailable) as caught:
        MiniLM(folder).load()
    return caught.value


def test_a_folder_of_links_to_the_model_is_as_good_as_the_model(
    folder: Path, model: MiniLM
) -> None:
    assert MiniLM(folder).embed_query("scar") == model.embed_query("scar")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.embeddings.find_spec", lambda name: None)
    problem = refusal(None)
    assert "not installed" in problem.what
    assert PACKAGE in problem.todo


@pytest.mark.parametrize("name", SHA256)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    problem = refusal(folder)
    assert f"{folder / name} is missing" in problem.what
    assert "COROLLARY_MODEL_DIR" in problem.todo


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere") in refusal(tmp_path / "nowhere").what


@pytest.mark.parametrize("name", SHA256)
def test_an_altered_file_is_named_with_both_checksums(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).write_bytes(b"altered")
    problem = refusal(folder)
    assert str(folder / name) in problem.what
    assert SHA256[name][:12] in problem.what


def test_one_changed_byte_of_the_weights_is_found(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.unlink()
    shutil.copy(model_folder() / path.name, path)
    with path.open("r+b") as f:
        f.seek(60_000_000)
        byte = f.read(1)
        f.seek(60_000_000)
        f.write(bytes([byte[0] ^ 1]))
    assert "damaged" in refusal(folder).what
    path.unlink()


def test_links_to_files_of_other_names_are_refused_in_words(folder: Path) -> None:
    elsewhere = folder / "blobs"
    elsewhere.mkdir()
    (elsewhere / "53aa").symlink_to(model_folder() / "model.safetensors")
    real = folder / "blobs" / "be50"
    shutil.copy(model_folder() / "tokenizer.json", real)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").symlink_to(real)
    problem = refusal(folder)
    assert "links" in problem.what
    assert "Copy" in problem.todo


def test_nothing_is_read_before_the_first_use(tmp_path: Path) -> None:
    model = MiniLM(tmp_path / "nowhere")
    with pytest.raises(ModelUnavailable):
        model.embed_query("scar")
