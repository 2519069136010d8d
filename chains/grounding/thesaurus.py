"""Words that say the same or less, and opposites, from WordNet 3.1 (WORDNET_LICENSE).

Made by `benchmarks/thesaurus.py`. All words are stems.
"""

import gzip
from functools import cache, lru_cache
from pathlib import Path


@cache
def _entries() -> dict[str, tuple[str, str, str]]:
    """By stem: the type, what it covers, its opposites."""
    text = gzip.decompress(Path(__file__).with_name("thesaurus.txt.gz").read_bytes()).decode()
    found = {}
    for line in text.split("\n"):
        word, kind, covered, opposite = line.split(" ")
        found[word] = (kind, covered, opposite)
    return found


_NONE = ("-", "", "")


@lru_cache(maxsize=4096)
def covers(of: str) -> frozenset[str]:
    """The stems of words in whose place this one may stand: the same in another word, or a kind
    of it. Empty for an unknown word."""
    return frozenset(_entries().get(of, _NONE)[1].split(",")) - {""}


@lru_cache(maxsize=4096)
def opposites(of: str) -> frozenset[str]:
    """The stems of the words that say the opposite."""
    return frozenset(_entries().get(of, _NONE)[2].split(",")) - {""}


def is_known(of: str) -> bool:
    """Whether it is an ordinary word that has an entry."""
    return of in _entries()


def names_a_thing(of: str) -> bool:
    """Whether it is the name of a substance, a disease, a part of the body, a living thing, a place
    or a procedure."""
    return _entries().get(of, _NONE)[0] == "n"
