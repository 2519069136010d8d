"""A question as it is compared with passages: shorthand written out, read once by the model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chains.asking import TALK
from chains.shorthand import written_out
from store.lexical import FUNCTION_WORDS, stem, terms, words
from store.tokens import Asked, read_question

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


def read(embeddings: "Embeddings", text: str, asked: Asked | None = None) -> Reading:
    """The question, read by the model; without word pieces where it gives none. `asked` is what
    the model makes of it, where that is known."""
    full = written_out(text)
    own = [w for w in dict.fromkeys(words(full)) if w not in FUNCTION_WORDS]
    return Reading(
        text,
        read_question(embeddings, full) if asked is None else asked,
        tuple(dict.fromkeys(terms(full))),
        tuple(w for w in own if stem(w) not in TALK),
    )
