"""What a store learns from its own probes before it is served."""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from invented import build_of, on

from chains import calibrate, confidence, retrieve
from chains.answer import Answerer
from chains.calibrate import FEWEST, study
from chains.compare import Compared
from chains.knowledge import NEVER, Knowledge
from chains.learned import LEARNED
from chains.reading import read
from chains.rehearse import Remembering
from store.article import AnswerableProbe, Article, ServingRules, UnanswerableProbe
from store.embeddings import MiniLM
from store.index import Build
from store.parse import parse_bytes
from store.reload import SAMPLES

HOPELESS = "How do I repair the chain of a bicycle?"
"""A probe of the first article that nothing in the store answers, though it says so."""


@dataclass
class Samples:
    """The sample articles, with a probe more, and what was learnt from them."""

    build: Build
    embeddings: Remembering
    model: MiniLM
    study: dict[str, Any]

    def answerer(self) -> Answerer:
        return Answerer(
            embeddings=self.embeddings,
            rules=ServingRules(serve_under_review=True),
            rarity=self.model.rarity,
        )


@pytest.fixture(scope="module")
def samples() -> Samples:
    model = MiniLM()
    parsed = [parse_bytes(path.read_bytes(), path) for path in sorted(SAMPLES.glob("*.md"))]
    first, *others = [p.article for p in parsed if p.article]
    hopeless = AnswerableProbe(HOPELESS, ())
    first = replace(first, answerable=(*first.answerable, hopeless))
    build = build_of([first, *others], model)
    made = Samples(build, Remembering(model), model, {})
    made.study = study(made.answerer(), build)
    return made


def with_study(samples: Samples, learnt: dict[str, Any]) -> Build:
    """The same build, with that kept of its study."""
    same = samples.build
    manifest = replace(same.manifest, study=learnt)
    articles = list(same.articles.values())
    return Build(manifest, articles, same.vectors, same.lexical, None, same.tokens)


def probed(answerable: int, unanswerable: int) -> list[Article]:
    """Two articles that have so many probes together."""
    articles = []
    for n, topic in enumerate(("Quillonitis", "Hepatovarosis")):
        article = on(topic)
        said = tuple(s.text for _, s in article.statements())
        yes = [f"How long does {topic} last, {i}?" for i in range(n, answerable, 2)]
        no = [f"Which bicycle has {i} wheels?" for i in range(n, unanswerable, 2)]
        articles.append(
            replace(
                article,
                answerable=tuple(AnswerableProbe(q, said) for q in yes),
                unanswerable=tuple(UnanswerableProbe(q) for q in no),
            )
        )
    return articles


@pytest.mark.parametrize(
    ("answerable", "unanswerable", "enough"),
    [
        (0, 0, False),
        (FEWEST, 0, False),
        (0, FEWEST, False),
        (FEWEST - 1, FEWEST, False),
        (FEWEST, FEWEST - 1, False),
        (FEWEST, FEWEST, True),
    ],
)
def test_few_probes_teach_nothing(
    samples: Samples, answerable: int, unanswerable: int, enough: bool
) -> None:
    build = build_of(probed(answerable, unanswerable), samples.model)
    assert bool(study(samples.answerer(), build)) is enough


def test_every_feature_gets_a_weight_and_some_are_moved(samples: Samples) -> None:
    weights = samples.study["weights"]
    assert list(weights) == list(confidence.FEATURES)
    assert np.isfinite(list(weights.values())).all()
    assert any(abs(weights[n] - LEARNED["answers"][n]) > 0.1 for n in confidence.FEATURES)


def test_a_store_asks_for_no_more_than_was_learnt(samples: Samples) -> None:
    assert 0 < samples.study["threshold"] <= LEARNED["refuse"]["below"]


def test_a_higher_threshold_answers_less_and_refuses_more(samples: Samples) -> None:
    curve = samples.study["curve"]
    at, answered, refused = zip(*curve, strict=True)
    assert list(at) == sorted(set(at))
    assert list(answered) == sorted(answered, reverse=True)
    assert list(refused) == sorted(refused)
    assert answered[0] > answered[-1]
    assert refused[0] < refused[-1]
    assert all(0 <= share <= 1 for share in answered + refused)


def test_the_threshold_answers_nearly_all_probes_of_articles_left_out(samples: Samples) -> None:
    threshold = samples.study["threshold"]
    next_above = next(row for row in samples.study["curve"] if row[0] >= threshold)
    assert next_above[1] >= 0.9
    assert next_above[2] >= 0.4


def test_unanswered_are_answerable_probes_of_their_articles(samples: Samples) -> None:
    unanswered = samples.study["unanswered"]
    assert [next(iter(samples.build.articles)), HOPELESS] in unanswered
    probes = {
        (slug, text)
        for slug, article in samples.build.articles.items()
        for probe in article.answerable
        for text in (probe.question, *probe.paraphrases)
    }
    assert {tuple(u) for u in unanswered} <= probes
    assert len(unanswered) < 0.1 * len(probes)


def test_unanswered_are_not_suggested(samples: Samples) -> None:
    slug, article = next(iter(samples.build.articles.items()))
    first, second = (p.question for p in article.answerable[:2])
    taught = with_study(samples, {"unanswered": [[slug, first], ["another-article", second]]})
    answerer = samples.answerer()
    answerer.knowledge(samples.build)
    assert first in answerer.suggestions(article)
    answerer.knowledge(taught)
    assert first not in answerer.suggestions(article)
    assert second in answerer.suggestions(article)


def test_words_that_forbid_an_answer_refuse_few_of_the_answerable_probes(samples: Samples) -> None:
    narrow = samples.study["narrow"]
    assert calibrate.SURELY <= narrow <= 1.1
    rude = with_study(samples, samples.study | {"narrow": 0.0})
    taught = Knowledge.of(rude, samples.model.rarity)
    assert taught.narrow == 0.0
    assert Knowledge.of(with_study(samples, {}), samples.model.rarity).narrow == NEVER


def test_the_ranking_puts_more_of_what_the_probes_name_first(samples: Samples) -> None:
    answerer = samples.answerer()
    known = answerer.knowledge(samples.build)
    taught = answerer.knowledge(with_study(samples, samples.study))
    assert list(samples.study["ranking"]) == list(retrieve.FEATURES)
    learnt = np.array([LEARNED["passage"][n] for n in retrieve.FEATURES], np.float32)
    assert np.array_equal(known.ranking, learnt)
    before, after = first_of(samples, learnt), first_of(samples, taught.ranking)
    assert after > before


def first_of(samples: Samples, weights: Any) -> float:
    """The mean of one over the rank of the first statement that a probe names."""
    answerer = samples.answerer()
    known = answerer.knowledge(samples.build)
    found = []
    for slug, article in samples.build.articles.items():
        rows = known.topics.rows(known.topics.topic_of(slug))
        for probe in article.answerable:
            compared = Compared(samples.build, read(samples.embeddings, probe.question))
            hits = retrieve.search_topic(compared, known.facets, rows, weights)
            texts = [samples.build.passages[h.row].text for h in hits]
            ranks = [i for i, t in enumerate(texts, 1) if any(s in t for s in probe.statements)]
            found.append(1 / ranks[0] if ranks else 0.0)
    return float(np.mean(found))


def test_the_same_store_teaches_the_same(samples: Samples) -> None:
    again = study(samples.answerer(), samples.build)
    assert again == samples.study
    assert json.loads(json.dumps(again)) == again


def test_what_was_learnt_before_does_not_sway_what_is_learnt_now(samples: Samples) -> None:
    odd = {
        "weights": dict.fromkeys(confidence.FEATURES, -9.0),
        "ranking": dict.fromkeys(retrieve.FEATURES, -9.0),
        "threshold": 0.9,
        "narrow": 0.0,
    }
    assert study(samples.answerer(), with_study(samples, odd)) == samples.study


def test_a_store_answers_by_what_it_learnt(samples: Samples) -> None:
    taught = Knowledge.of(with_study(samples, samples.study), samples.model.rarity)
    assert taught.weights == list(samples.study["weights"].values())
    assert taught.threshold == samples.study["threshold"]
    untaught = Knowledge.of(with_study(samples, {}), samples.model.rarity)
    assert untaught.weights == [LEARNED["answers"][n] for n in confidence.FEATURES]
    assert untaught.threshold == LEARNED["refuse"]["below"]


def test_of_very_many_probes_those_of_some_articles_are_asked(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> set[str]:
        calls: set[str] = set()

        class Noting(MiniLM):
            def asked(self, text: str) -> Any:
                calls.add(text)
                return samples.embeddings.asked(text)

        rules = ServingRules(serve_under_review=True)
        noting = Answerer(embeddings=Noting(), rules=rules, rarity=samples.model.rarity)
        study(noting, samples.build)
        return calls

    every = asked()
    monkeypatch.setattr(calibrate, "MOST_QUESTIONS", 1)
    some = asked()
    assert 0 < len(some) < 0.7 * len(every)
    assert some < every
