"""Where the store speaks of a question: the passages of a topic, or of the whole store, ranked.

Each passage is described by a few numbers: three likenesses to the question, how well the whole
section is like it, and whether it speaks of the aspect that was asked for. A linear model puts
them in order (a conditional logit over sections, learnt by `benchmarks/fit.py`).
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from chains.compare import NEAREST, Compared
from chains.facets import FACETS, Facets, asked_for
from chains.learned import LEARNED
from store.index import Build, Hit
from store.tokens import Floats

FEATURES = (
    "late", "cosine", "lexical", "section_late", "facet", "section_facet", "opening",
)  # fmt: skip
WEIGHTS = np.array([LEARNED["passage"][n] for n in FEATURES], np.float32)


def features(compared: Compared, facets: Facets, rows: Sequence[int]) -> Floats:
    """What describes each passage, shape (rows, features)."""
    build = compared.build
    index = np.asarray(rows, np.intp)
    likest = compared.likest(rows)
    sections: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        passage = build.passages[row]
        sections[(passage.article, passage.section)].append(i)
    whole = np.zeros(len(rows), np.float32)
    for own in sections.values():
        whole[own] = compared.weigh(likest[own].max(axis=0))
    wanted = asked_for(compared.reading.asked.vector)
    return np.column_stack(
        [
            compared.weigh(likest),
            compared.cosine(rows),
            compared.lexical[index] / compared.most,
            whole,
            facets.of_passage[index] @ wanted,
            facets.of_section[index] @ wanted,
            facets.opens[index] * wanted[FACETS.index("overview")],
        ]
    ).astype(np.float32)


def rank(
    compared: Compared, facets: Facets, rows: Sequence[int], weights: Floats | None = None
) -> list[Hit]:
    """These passages, best first; by the weights that were learnt from dialogues, unless others
    are given."""
    if not rows:
        return []
    scores = features(compared, facets, rows) @ (WEIGHTS if weights is None else weights)
    order = np.argsort(-scores, kind="stable")
    return [Hit(rows[i], float(scores[i])) for i in order]


def search_topic(
    compared: Compared, facets: Facets, rows: Sequence[int], weights: Floats | None = None
) -> list[Hit]:
    """The passages of a topic, best first; of very many, those that look best."""
    return rank(compared, facets, compared.best_looking(rows), weights)


def search_store(compared: Compared, facets: Facets) -> list[Hit]:
    """The best passages of the whole store, best first."""
    return rank(compared, facets, near(compared))


def near(compared: Compared) -> list[int]:
    """The passages nearest to the question by the index, and by BM25."""
    build = compared.build
    found = [h.row for h in compared.nearest()]
    count = min(NEAREST, build.lexical.count)
    if count:
        top = np.argpartition(-compared.lexical, count - 1)[:count]
        found += [int(r) for r in top if compared.lexical[r] > 0]
    return list(dict.fromkeys(found))


def rank_sections(build: Build, hits: list[Hit], most: int = 10) -> list[tuple[str, str, float]]:
    """(article, section id, score) of the hits, each section once with its best, best first."""
    best: dict[tuple[str, str], float] = {}
    for hit in hits:
        passage = build.passages[hit.row]
        best.setdefault((passage.article, passage.section), hit.score)
    ranked = sorted(best.items(), key=lambda item: -item[1])
    return [(slug, section, score) for (slug, section), score in ranked[:most]]
