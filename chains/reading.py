"""A question as it is compared with passages: shorthand written out, read once by the model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chains.asking import TALK
from chains.shorthand import written_out
from store.lexical import FUNCTION_WORDS, stem, terms, words
from store.tokens import Asked

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


@dataclass(frozen=True, slots=True)
class Reading:
    """A question, read."""

    text: str
    """As typed."""
    asked: Asked
    stems: tuple[str, ...]
    """Of its words that carry meaning, each once."""
    content: tuple[str, ...]
    """Its words, lower case, that are about a thing rather than about asking."""


def read(embeddings: "Embeddings", text: str) -> Reading:
    """The question, read by the model; without word pieces where it gives none."""
    full = written_out(text)
    own = [w for w in dict.fromkeys(words(full)) if w not in FUNCTION_WORDS]
    return Reading(
        text,
        asked(embeddings, full),
        tuple(dict.fromkeys(terms(full))),
        tuple(w for w in own if stem(w) not in TALK),
    )


def asked(embeddings: "Embeddings", text: str) -> Asked:
    """What the model makes of the text as it is."""
    read_pieces = getattr(embeddings, "asked", None)
    if read_pieces is not None:
        found: Asked = read_pieces(text)
        return found
    vector = np.asarray(embeddings.embed_query(text), np.float32)
    norm = float(np.linalg.norm(vector))
    return Asked(
        vector / norm if norm else vector, np.zeros(0, np.uint16), np.zeros((0, 0), np.float32)
    )
