"""What a new build should refuse: learnt from its own probes before it is served.

The weights of the confidence are those that were learnt from dialogues, moved towards what tells
this store's answerable probes from those to be refused, and from questions that belong to other
articles. How sure that makes the assistant is measured on articles left out, one in five at a
time: a wording that was learnt from proves nothing. With few probes nothing is moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chains import confidence, retrieve
from chains.compare import Compared
from chains.contextualize import Act, Query
from chains.cover import Missing
from chains.knowledge import Knowledge
from chains.learned import LEARNED
from chains.reading import Reading, read
from store.article import Article
from store.index import Build
from store.tokens import Floats

if TYPE_CHECKING:
    from chains.answer import Answerer

FEWEST = 8
"""Probes to be answered, and to be refused, from which a store is calibrated."""
MOST_QUESTIONS = 400
"""Of very many probes, those of an even sample of articles."""
FOLDS = 5
TRUST = 0.3
"""How much the weights learnt from dialogues hold against the store's own probes, in units of the
features' standard deviations. With less the store's probes are learnt by heart: questions in other
words than theirs are then refused (benchmarks/dialogues.py)."""
SHARPNESS = 10.0
"""By how much the ranking's weights are multiplied for its scores to be log odds."""
RANKED_AS_LEARNT = 0.1
"""How much they hold against the store's own probes, in units of the features' spread."""
LEAST_SPREAD = 0.05
"""A feature in which the probes hardly differ is left alone."""
STRANGERS = 0.5
"""What a question of another article counts beside a probe to be refused."""
REFUSED = 0.04
"""Share of the answerable probes that may be refused, of articles left out."""
REFUSED_FOR_A_WORD = 0.03
"""Share of them that may be refused for one word that their article does not have."""
SURELY = 0.8
"""How likely a word must narrow a question, at least, to be one for which it is refused."""


def study(answerer: "Answerer", build: Build) -> dict[str, Any]:
    """What is kept with a build: "weights" and "threshold" of the confidence, "narrow" (how likely
    a missing word must narrow the question to forbid an answer), "curve" ([threshold, share of
    answerable probes answered, share of those to be refused that are], on articles left out), and
    "unanswered", the probes that get no answer. Empty with too few probes."""
    known = answerer.knowledge(build)
    ranking = _ranking(answerer, known)
    described = _described(answerer, replace(known, ranked_by=ranking))
    x = np.array([d.features for d in described])
    y = np.array([d.answerable for d in described], bool)
    weight = np.array([d.weight for d in described])
    fold = np.array([d.fold for d in described])
    own = weight == 1.0
    if (y & own).sum() < FEWEST or (~y & own).sum() < FEWEST:
        return {}
    narrow = _narrow([_narrowest(d) for d in described if d.answerable])
    forbidden = np.array([d.forbidden or _narrowest(d) >= narrow for d in described])
    names = confidence.FEATURES
    prior = np.array([LEARNED["answers"][n] for n in names])
    spread = np.array([LEARNED["spread"][n] for n in names])
    sure = np.zeros(len(y))
    for k in range(FOLDS):
        left_out = fold == k
        kept = ~left_out
        found = _moved(prior, spread, x[kept], y[kept], weight[kept])
        sure[left_out] = _sure(x[left_out], found)
    # Probes are written in the words of their article, questions are not: only less can be asked
    # for than what dialogues taught, never more.
    threshold = min(float(np.quantile(sure[y], REFUSED)), LEARNED["refuse"]["below"])
    weights = _moved(prior, spread, x, y, weight)
    now = np.where(forbidden, 0.0, _sure(x, weights))
    sure[forbidden] = 0.0
    to_refuse = ~y & own
    curve = [
        [t, round(float((sure[y] >= t).mean()), 3), round(float((sure[to_refuse] < t).mean()), 3)]
        for t in (round(0.05 * i, 2) for i in range(1, 20))
    ]
    return {
        "ranking": {n: round(float(v), 4) for n, v in zip(retrieve.FEATURES, ranking, strict=True)},
        "weights": {n: round(float(v), 4) for n, v in zip(names, weights, strict=True)},
        "threshold": round(threshold, 4),
        "narrow": round(narrow, 4),
        "curve": curve,
        "unanswered": [
            [described[i].slug, described[i].question]
            for i in np.flatnonzero(y & own)
            if now[i] < threshold
        ],
    }


@dataclass(frozen=True, slots=True)
class _Probe:
    """A question put to an article: a probe of its own, or one of another's."""

    slug: str
    question: str
    answerable: bool
    weight: float
    fold: int
    features: Floats
    forbidden: bool
    missing: Sequence[Missing]


def _narrowest(probe: _Probe) -> float:
    return max((m.narrows for m in probe.missing), default=0.0)


def _narrow(answerable: Sequence[float]) -> float:
    """The least that refuses no more of the answerable probes for a word than may be."""
    falling = sorted(answerable, reverse=True)
    least = falling[int(REFUSED_FOR_A_WORD * len(falling))]
    return max(SURELY, least + 0.001)


def _ranking(answerer: "Answerer", known: Knowledge) -> Floats:
    """What each feature of a passage counts: the weights that were learnt from dialogues, moved
    towards those that put first what this store's probes name (a conditional logit)."""
    build = known.build
    groups: list[tuple[Floats, list[int]]] = []
    for article in _sample([a for a in build.articles.values() if a.answerable]):
        topic = known.topics.topic_of(article.slug)
        for probe in article.answerable:
            for text in (probe.question, *probe.paraphrases):
                compared = Compared(build, read(answerer.embeddings, text))
                compared = answerer.spelled_out(known, topic, compared)
                rows = compared.best_looking(known.topics.rows(topic))
                right = [i for i, row in enumerate(rows) if _has(build, row, probe.statements)]
                if 0 < len(right) < len(rows):
                    groups.append((retrieve.features(compared, known.facets, rows), right))
    learned = retrieve.WEIGHTS
    if len(groups) < FEWEST:
        return learned
    spread = np.maximum(np.vstack([x for x, _ in groups]).std(axis=0), LEAST_SPREAD)
    scaled = [(x / spread, right) for x, right in groups]
    start = SHARPNESS * learned * spread
    w = start.copy()
    for _ in range(300):
        slope = RANKED_AS_LEARNT * (w - start)
        for x, right in scaled:
            scores = x @ w
            p = np.exp(scores - scores.max())
            p /= p.sum()
            own = np.zeros_like(p)
            own[right] = p[right] / max(float(p[right].sum()), 1e-12)
            slope += x.T @ (p - own) / len(scaled)
        w -= 0.12 * slope
    # Only the order counts: late interaction keeps its weight.
    found = w / spread
    return (found / found[0] * learned[0]).astype(np.float32) if found[0] > 0 else learned


def _has(build: Build, row: int, texts: Sequence[str]) -> bool:
    passage = build.passages[row]
    _, section = build.place(passage)
    return any(section.statements[i].text in texts for i in passage.statements)


def _described(answerer: "Answerer", known: Knowledge) -> list[_Probe]:
    """Every probe in its article, and the first of each article in another one."""
    build = known.build
    articles = _sample([a for a in build.articles.values() if a.answerable or a.unanswerable])
    described: list[_Probe] = []

    def add(slug: str, reading: Reading, answerable: bool, counts: float, k: int) -> None:
        compared = Compared(build, reading)
        query = Query(Act.ASK, reading.text, reading.text, (known.topics.topic_of(slug),))
        found = answerer.find(known, query, compared)
        described.append(
            _Probe(
                slug,
                reading.text,
                answerable,
                counts,
                k % FOLDS,
                found.described,
                any(m.binding for m in found.missing),
                found.missing,
            )
        )

    for k, article in enumerate(articles):
        topic = known.topics.topic_of(article.slug)
        others = [a for a in articles if known.topics.topic_of(a.slug) != topic]
        for refused in article.unanswerable:
            add(article.slug, read(answerer.embeddings, refused.question), False, 1.0, k)
        for n, probe in enumerate(article.answerable):
            for text in (probe.question, *probe.paraphrases):
                add(article.slug, read(answerer.embeddings, text), True, 1.0, k)
            if others:
                stranger = others[(k + n) % len(others)]
                question = read(answerer.embeddings, probe.question)
                add(stranger.slug, question, False, STRANGERS, k)
    return described


def _sample(articles: list[Article]) -> list[Article]:
    probes = sum(len(a.answerable) + len(a.unanswerable) for a in articles)
    most = max(FOLDS, int(len(articles) * MOST_QUESTIONS / max(3 * probes, 1)))
    if most >= len(articles):
        return articles
    return [articles[i] for i in np.linspace(0, len(articles) - 1, most).astype(int)]


def _moved(prior: Floats, spread: Floats, x: Floats, y: Any, weight: Floats) -> Floats:
    """The prior weights moved by a ridge-penalised logistic regression (Newton's method)."""
    of_each = np.where(y, weight[y].sum(), weight[~y].sum())
    balance = 0.5 * weight / np.maximum(of_each, 1e-9)
    z, start = x / spread, prior * spread
    w = start.copy()
    for _ in range(60):
        p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
        slope = z.T @ (balance * (p - y)) + TRUST * (w - start)
        curvature = (z * (balance * p * (1 - p))[:, None]).T @ z + TRUST * np.eye(len(w))
        step = np.linalg.solve(curvature, slope)
        # Where the logistic curve is flat a full step leads astray.
        step *= min(1.0, 0.5 / max(float(np.abs(step).max()), 1e-9))
        w = w - step
        if float(np.abs(step).max()) < 1e-6:
            break
    return np.asarray(w / spread)


def _sure(x: Floats, weights: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x @ weights, -30, 30))))
