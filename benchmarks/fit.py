"""Learns the numbers in chains/learned.json and chains/facets.npz.

    python -m benchmarks.fit --articles FILE[.gz] [--cache DIR] [--only facets|words|numbers]

ARTICLES as `benchmarks.followups` reads them: those that benchmarks/dialogues/learn.jsonl speaks
of (NIH pages of MedQuAD, Ben Abacha & Demner-Fushman 2019, CC BY 4.0). All questions, headings and
statements learnt from were written for the purpose, none is from an evaluation:

- benchmarks/facets/: 1,000 questions, 550 headings and 550 statements by the aspect they are about.
- benchmarks/words/kinds.jsonl: 830 words by whether they narrow a question, and to what.
- benchmarks/dialogues/learn.jsonl: 120 conversations in the format of `benchmarks.followups`, with
  "kind", "gold", "topic" and "topic_ok" beside each question.

Each model is linear. Topics and passages: the right one among those that could be meant (a
conditional logit). Facets: multinomial logistic regression. Whether the best passage answers:
logistic regression. The penalty on the weights is the squared norm in units of the features'
standard deviations.
"""

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.followups import in_memory, rows_of
from chains import confidence, facets, retrieve, track
from chains.compare import Compared
from chains.cover import Cover
from chains.facets import FACETS, OTHER, Facets
from chains.kinds import KINDS, Kinds
from chains.reading import read
from chains.topics import Topics
from store.embeddings import MiniLM
from store.index import Build
from store.tokens import Floats

HERE = Path(__file__).parent
CHAINS = HERE.parent / "chains"
CHANGES = 0.15
"""What a first question counts that is asked in the middle of another conversation: a change of
topic is rarer than staying, and named more plainly there than a first question names it."""
REFUSED = 0.04
"""Share of the answerable questions that may be refused where nothing is known of a store."""
RIDGE = {
    "question": 1e-4,
    "passage": 1e-4,
    "word": 1e-4,
    "topic": 1e-3,
    "rank": 1e-3,
    "answers": 3e-3,
}


def adam(gradient: Any, start: Floats, steps: int, rate: float) -> Floats:
    """Minimises by Adam (Kingma & Ba 2015)."""
    w, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for k in range(1, steps + 1):
        g = gradient(w)
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
        w -= rate * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.99**k)) + 1e-9)
    return w


def multinomial(x: Floats, y: Sequence[int], classes: int, ridge: float) -> Floats:
    """Weights of shape (features + 1, classes); the last row is the bias."""
    padded, truth = np.c_[x, np.ones(len(x))], np.eye(classes)[list(y)]

    def gradient(w: Floats) -> Floats:
        penalty = ridge * w
        penalty[-1] = 0
        slope = padded.T @ (facets.probabilities(w, x) - truth) / len(x)
        return np.asarray(slope + penalty)

    return adam(gradient, np.zeros((x.shape[1] + 1, classes)), 400, 0.1)


def conditional(
    groups: Sequence[tuple[Floats, Sequence[int]]],
    ridge: float,
    counts: Sequence[float] | None = None,
    steps: int = 600,
) -> Floats:
    """Weights under which one of the right rows of each group comes first; `counts` is how much
    each group does."""
    kept = [i for i, (x, right) in enumerate(groups) if 0 < len(right) < len(x)]
    usable = [(groups[i][0], list(groups[i][1])) for i in kept]
    of_each = np.array([1.0 if counts is None else counts[i] for i in kept])
    of_each /= of_each.sum()
    spread = np.vstack([x for x, _ in usable]).std(axis=0) + 1e-6
    most, count = max(len(x) for x, _ in usable), spread.shape[0]
    x_all = np.zeros((len(usable), most, count))
    absent = np.full((len(usable), most), -1e9)
    truth = np.zeros((len(usable), most))
    for i, (x, right) in enumerate(usable):
        x_all[i, : len(x)] = x / spread
        absent[i, : len(x)] = 0
        truth[i, right] = 1

    def gradient(w: Floats) -> Floats:
        scores = x_all @ w + absent
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        own = p * truth
        own /= own.sum(axis=1, keepdims=True) + 1e-12
        slope = ((of_each[:, None] * (p - own))[:, :, None] * x_all).sum(axis=(0, 1))
        return np.asarray(slope + ridge * w)

    return np.asarray(adam(gradient, np.zeros(count), steps, 0.05) / spread)


def _said(name: str) -> list[dict[str, str]]:
    """The lines of a file of benchmarks/facets: {"facet", "text"}."""
    return list(rows_of(HERE / "facets" / f"{name}.jsonl"))


def fit_facets(model: MiniLM, topics: Sequence[str]) -> None:
    """Learns chains/facets.npz; a heading and a topic are put before statements as in a store."""
    said = {name: _said(name) for name in ("questions", "headings", "statements")}
    classes = [*FACETS, OTHER]
    asked = np.array([read(model, q["text"]).asked.vector for q in said["questions"]])
    question = multinomial(
        asked,
        [classes.index(q["facet"]) for q in said["questions"]],
        len(classes),
        RIDGE["question"],
    )
    draw = random.Random(5)
    headings = {f: [h["text"] for h in said["headings"] if h["facet"] == f] for f in FACETS}
    texts, of = [], []
    for s in said["statements"]:
        for form in ("{t}. {h}. {s}", "{h}. {s}", "{t}. {s}", "{s}"):
            heading = draw.choice(headings[s["facet"]])
            texts.append(form.format(t=draw.choice(topics), h=heading, s=s["text"]))
            of.append(FACETS.index(s["facet"]))
    for h in said["headings"]:
        texts.append(f"{draw.choice(topics)}. {h['text']}.")
        of.append(FACETS.index(h["facet"]))
    vectors = np.array(list(model.vectors(texts)))
    passage = multinomial(vectors, of, len(FACETS), RIDGE["passage"])
    _save(question=question, passage=passage)
    print(f"facets: {len(asked)} questions, {len(texts)} passages")


def fit_words(model: MiniLM) -> None:
    """Learns which words narrow a question, into chains/facets.npz."""
    lists = list(rows_of(HERE / "words" / "kinds.jsonl"))
    words = [
        (w, len(KINDS) if row["kind"] == OTHER else KINDS.index(row["kind"]))
        for row in lists
        for w in row["words"].split()
    ]
    vectors = np.array(list(model.vectors([w for w, _ in words])))
    classes = [k for _, k in words]
    _save(word=multinomial(vectors, classes, len(KINDS) + 1, RIDGE["word"]))
    print(f"words: {len(words)}")


def _save(**learned: Floats) -> None:
    path = CHAINS / "facets.npz"
    kept = dict(facets.models()) if path.exists() else {}
    kept |= learned
    halves: dict[str, Any] = {name: w.astype(np.float16) for name, w in kept.items()}
    np.savez(path, **halves)
    facets.models.cache_clear()


def turns_of(conversations: Iterable[dict[str, Any]], topics: Topics, build: Build) -> Any:
    """Each turn with what went before it, as if all before had been understood rightly: (turn,
    current topic, earlier topics, right topics, whether it is the question before over again)."""
    for conversation in conversations:
        current: int | None = None
        before: list[int] = []
        for turn in conversation["turns"]:
            right = {topics.topic_of(a.lower()) for a in turn.get("topic_ok") or ()}
            yield turn, current, tuple(before), right
            if turn.get("topic"):
                now = topics.topic_of(turn["topic"].lower())
                if current is not None and now != current:
                    before = [current, *(t for t in before if t != current)]
                current = now
                before = [t for t in before if t != now]


def fit_numbers(build: Build, conversations: list[dict[str, Any]], model: MiniLM) -> None:
    """Learns chains/learned.json."""
    topics, aspects = Topics(build, model.rarity), Facets(build)
    cover = Cover(build, topics, model.rarity, Kinds(model))
    by_topic, by_passage = [], []
    kept = []
    for turn, current, before, right in turns_of(conversations, topics, build):
        compared = Compared(build, read(model, turn["text"]))
        found = track.candidates(compared, topics, current, before)
        if right:
            rows = np.array([c.features for c in found])
            by_topic.append((rows, [i for i, c in enumerate(found) if c.topic in right]))
        own = topics.topic_of(turn["topic"].lower()) if turn.get("topic") else current
        if own is None:
            continue
        passages = compared.best_looking(topics.rows(own))
        gold = {(a.lower(), s) for a, s in turn["gold"]}
        places = [(build.passages[r].article, build.passages[r].section) for r in passages]
        by_passage.append((retrieve.features(compared, aspects, passages), places, gold))
        kept.append((compared, own, passages, bool(gold)))
    learned: dict[str, dict[str, float]] = {}
    changes = changes_of_topic(build, topics, conversations, model)
    counts = [1.0] * len(by_topic) + [CHANGES] * len(changes)
    weights = conditional([*by_topic, *changes], RIDGE["topic"], counts)
    learned["topic"] = dict(zip(track.OTHER + track.CURRENT, map(float, weights), strict=True))
    right = np.mean([np.argmax(x @ weights) in ok for x, ok in by_topic])
    print(f"topic: {len(by_topic)} turns, {right:.3f} right when all before was")
    by_passage += asked_by_heading(build, topics, aspects, model, count=len(by_passage) // 3)
    weights = retrieve.WEIGHTS.astype(float)
    for _ in range(4):
        # The best passage of each section stands for it; which one that is depends on the weights.
        groups = [_sections(x, places, gold, weights) for x, places, gold in by_passage if gold]
        weights = conditional(groups, RIDGE["rank"])
    right = np.mean([np.argmax(x @ weights) in ok for x, ok in groups])
    print(f"passage: {len(groups)} turns, {right:.3f} with the right section first")
    # Only the order counts, so the scale is free: late interaction has weight 1.
    weights = weights / weights[0]
    learned["passage"] = dict(zip(retrieve.FEATURES, map(float, weights), strict=True))
    retrieve.WEIGHTS = weights.astype(np.float32)
    described = []
    for compared, own, passages, _ in kept:
        hits = retrieve.rank(compared, aspects, passages)
        described.append(confidence.features(compared, topics, cover, aspects, own, hits))
    x = np.array(described)
    y = np.array([answerable for *_, answerable in kept])
    weights = logistic(x, y)
    learned["answers"] = dict(zip(confidence.FEATURES, map(float, weights), strict=True))
    spread = x.std(axis=0)
    spread[spread < 1e-6] = 1.0
    learned["spread"] = dict(zip(confidence.FEATURES, map(float, spread), strict=True))
    sure = 1 / (1 + np.exp(-x @ weights))
    learned["refuse"] = {"below": float(np.quantile(sure[y], REFUSED))}
    (CHAINS / "learned.json").write_text(json.dumps(_rounded(learned), indent=1) + "\n")
    print(f"answers: {len(y)} turns, {y.mean():.2f} of them answerable")


def changes_of_topic(
    build: Build, topics: Topics, conversations: Sequence[dict[str, Any]], model: MiniLM
) -> list[tuple[Floats, list[int]]]:
    """First questions of conversations, each asked in the middle of two others."""
    draw = random.Random(3)
    first = [c["turns"][0] for c in conversations if c["turns"][0]["kind"] == "open"]
    found = []
    for turn in first * 2:
        right = {topics.topic_of(a.lower()) for a in turn["topic_ok"]}
        compared = Compared(build, read(model, turn["text"]))
        spoken_of = [topics.topic_of(t["topic"].lower()) for t in draw.sample(first, 3)]
        others = list(dict.fromkeys(t for t in spoken_of if t not in right))
        before = others[1 : 1 + draw.randint(0, 2)]
        meant = track.candidates(compared, topics, others[0], before)
        rows = np.array([c.features for c in meant])
        found.append((rows, [i for i, c in enumerate(meant) if c.topic in right]))
    return found


def asked_by_heading(
    build: Build, topics: Topics, aspects: Facets, model: MiniLM, count: int
) -> list[Any]:
    """Questions for an aspect, each put to a topic that has a section of that heading."""
    draw = random.Random(7)
    said = {name: _said(name) for name in ("questions", "headings")}
    facet_of = {h["text"].lower(): h["facet"] for h in said["headings"]}
    having: dict[str, list[int]] = {f: [] for f in FACETS}
    for topic, slugs in enumerate(topics.members):
        titles = {s.heading.lower() for slug in slugs for s in build.articles[slug].sections}
        for f in {facet_of[t] for t in titles if t in facet_of} if len(titles) > 2 else ():
            having[f].append(topic)
    found = []
    questions = [q for q in said["questions"] if having.get(q["facet"])]
    for q in draw.sample(questions, min(count, len(questions))):
        topic = draw.choice(having[q["facet"]])
        compared = Compared(build, read(model, q["text"]))
        passages = compared.best_looking(topics.rows(topic))
        places = [(build.passages[r].article, build.passages[r].section) for r in passages]
        gold = {
            (slug, s.id)
            for slug in topics.members[topic]
            for s in build.articles[slug].sections
            if facet_of.get(s.heading.lower()) == q["facet"]
        }
        found.append((retrieve.features(compared, aspects, passages), places, gold))
    return found


def logistic(x: Floats, y: "np.ndarray[Any, Any]") -> Floats:
    """Weights of a logistic regression in which both outcomes count the same; the first feature
    is the constant."""
    spread = x.std(axis=0)
    spread[spread < 1e-6] = 1.0
    scaled = x / spread
    balance = np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))

    def gradient(w: Floats) -> Floats:
        p = 1 / (1 + np.exp(-scaled @ w))
        penalty = RIDGE["answers"] * w
        penalty[0] = 0
        return np.asarray(scaled.T @ (balance * (p - y)) / len(y) + penalty)

    return np.asarray(adam(gradient, np.zeros(x.shape[1]), 1500, 0.03) / spread)


def _sections(
    x: Floats, places: Sequence[tuple[str, str]], gold: set[tuple[str, str]], weights: Floats
) -> tuple[Floats, list[int]]:
    best: dict[tuple[str, str], int] = {}
    scores = x @ weights
    for i, place in enumerate(places):
        if place not in best or scores[i] > scores[best[place]]:
            best[place] = i
    order = list(best)
    return x[[best[p] for p in order]], [i for i, p in enumerate(order) if p in gold]


def _rounded(learned: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {k: {n: round(v, 4) for n, v in of.items()} for k, of in learned.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "corollary-bench")
    parser.add_argument("--only", choices=("facets", "words", "numbers"))
    options = parser.parse_args()
    model = MiniLM()
    if options.only in (None, "facets"):
        fit_facets(model, sorted({row["title"] for row in rows_of(options.articles)}))
    if options.only in (None, "words"):
        fit_words(model)
    if options.only in (None, "numbers"):
        conversations = list(rows_of(HERE / "dialogues" / "learn.jsonl"))
        fit_numbers(in_memory(options.articles, options.cache, model), conversations, model)


if __name__ == "__main__":
    main()
