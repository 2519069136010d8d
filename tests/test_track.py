"""Which topic a question means in its conversation, what it asks there, and how sure that is."""

import math
from dataclasses import replace

import numpy as np
import pytest
from invented import STORE, build_of, on

from chains import confidence, retrieve, track
from chains.answer import Answerer, Found
from chains.compare import Compared
from chains.contextualize import Act, Query, contextualize
from chains.knowledge import Knowledge
from chains.learned import LEARNED
from chains.reading import read
from store.article import ServingRules
from store.embeddings import MiniLM
from store.records import Recalled, RememberedTurn

QUILLONITIS, HEPATOVAROSIS, CORVANE = "quillonitis", "hepatovarosis", "corvane-dystrophy"
RED, BLUE = "red-marsh-fever", "blue-marsh-fever"
TREATED = "How is quillonitis treated?"


class Desk:
    """A store that is asked in the light of what was asked before."""

    def __init__(self) -> None:
        self.model = MiniLM()
        self.build = build_of(STORE, self.model)
        self.known = Knowledge.of(self.build, self.model.rarity)
        rules = ServingRules(serve_under_review=True)
        self.answerer = Answerer(embeddings=self.model, rules=rules, rarity=self.model.rarity)

    def compared(self, question: str) -> Compared:
        return Compared(self.build, read(self.model, question))

    def candidates(self, question: str, *before: str) -> list[track.Candidate]:
        """`before`: the topics that were spoken of, the last of them under discussion."""
        spoken_of = [self.known.topics.topic_of(slug) for slug in before]
        current = spoken_of[-1] if spoken_of else None
        return track.candidates(self.compared(question), self.known.topics, current, spoken_of[:-1])

    def topic(self, question: str, *before: str) -> str:
        return self.slug(self.candidates(question, *before)[0].topic)

    def slug(self, topic: int) -> str:
        return self.known.topics.members[topic][0]

    def query(self, question: str, *before: tuple[str, str], at: str | None = None) -> Query:
        """`before`: (topic, question) of the turns before, oldest first."""
        turns = tuple(
            RememberedTurn(n, asked, None, "answered", slug, {})
            for n, (slug, asked) in enumerate(before)
        )
        recalled = Recalled("c", before[-1][0] if before else None, turns)
        return contextualize(question, recalled, self.known, self.compared(question), at)

    def slugs(self, query: Query) -> list[str]:
        return [self.slug(t) for t in query.topics]

    def found(self, question: str, topic: str) -> Found:
        query = Query(Act.ASK, question, question, (self.known.topics.topic_of(topic),))
        return self.answerer.find(self.known, query, self.compared(question))


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


# ------------------------------------------------------------------------------- which topic


@pytest.mark.parametrize("current", [QUILLONITIS, HEPATOVAROSIS, CORVANE])
@pytest.mark.parametrize(
    "question", ["and the cause?", "how is it treated?", "is it worse in men?", "what is it?"]
)
def test_a_question_without_a_name_stays_on_the_topic(
    desk: Desk, question: str, current: str
) -> None:
    assert desk.topic(question, current) == current


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("How is hepatovarosis diagnosed?", HEPATOVAROSIS),
        ("and for hepatovrosis?", HEPATOVAROSIS),
        ("what about KXD?", CORVANE),
        ("does it recur in corvane dystrophy?", CORVANE),
        ("red marsh fever", RED),
        ("I meant hepatovarosis", HEPATOVAROSIS),
    ],
)
def test_a_named_other_topic_takes_over(desk: Desk, question: str, topic: str) -> None:
    assert desk.topic(question, QUILLONITIS) == topic


@pytest.mark.parametrize(
    "question", ["back to quillonitis", "how often does quillonitis return?", "quillonitis again"]
)
def test_an_earlier_topic_comes_back_by_name(desk: Desk, question: str) -> None:
    assert desk.topic(question, QUILLONITIS, HEPATOVAROSIS) == QUILLONITIS
    assert desk.topic("and recurrence?", QUILLONITIS, HEPATOVAROSIS) == HEPATOVAROSIS


def test_having_been_spoken_of_makes_a_topic_likelier(desk: Desk) -> None:
    def score(*before: str) -> float:
        found = desk.candidates("the skin scraping", *before)
        return next(c.score for c in found if desk.slug(c.topic) == QUILLONITIS)

    assert score(QUILLONITIS, HEPATOVAROSIS) > score(HEPATOVAROSIS)


def test_candidates_are_each_topic_once_likeliest_first(desk: Desk) -> None:
    found = desk.candidates("and for quillonitis?", HEPATOVAROSIS, CORVANE)
    assert len({c.topic for c in found}) == len(found) >= 3
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    assert {desk.slug(c.topic) for c in found} >= {QUILLONITIS, HEPATOVAROSIS, CORVANE}
    size = len(track.OTHER + track.CURRENT)
    for c in found:
        assert c.features.shape == (size,)
        assert np.isfinite(c.features).all()
        assert c.score == pytest.approx(float(c.features @ track.WEIGHTS), abs=1e-4)


def test_a_name_that_is_part_of_a_whole_one_stands_back(desk: Desk) -> None:
    model = desk.model
    both = [on("Quillova"), on("Variant quillova"), on("Hepatovarosis")]
    known = Knowledge.of(build_of(both, model), model.rarity)
    named = {known.topics.members[t][0]: t for t in range(3)}
    asked = "variant quillova: what comes and goes over weeks?"

    def scores(current: int | None) -> dict[int, float]:
        compared = Compared(known.build, read(model, asked))
        return {c.topic: c.score for c in track.candidates(compared, known.topics, current, [])}

    first = scores(None)
    best = first[named["variant-quillova"]]
    assert first[named["quillova"]] <= best - track.PART_OF_A_NAME
    # What is spoken of stands back too, but for a question that does not name it at all.
    spoken_of = scores(named["quillova"])
    assert spoken_of[named["quillova"]] <= spoken_of[named["variant-quillova"]] - 2.0
    spoken_of = scores(named["hepatovarosis"])
    lead = spoken_of[named["variant-quillova"]] - spoken_of[named["hepatovarosis"]]
    assert lead != pytest.approx(track.PART_OF_A_NAME)


def test_a_topic_is_left_only_for_one_that_is_named_or_was_spoken_of(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    likely = desk.candidates("treatment of hepatovarosis", QUILLONITIS)
    assert desk.slug(likely[0].topic) == HEPATOVAROSIS
    asked = ("how is it treated?", (QUILLONITIS, "What is quillonitis?"))
    assert desk.slugs(desk.query("treatment of hepatovarosis", asked[1])) == [HEPATOVAROSIS]
    nearer = [replace(c, named=None) for c in likely]
    monkeypatch.setattr("chains.contextualize.candidates", lambda *_: nearer)
    assert desk.slugs(desk.query(*asked)) == [QUILLONITIS]
    earlier = (HEPATOVAROSIS, "What is hepatovarosis?")
    assert desk.slugs(desk.query(asked[0], earlier, asked[1])) == [HEPATOVAROSIS]


def test_the_topic_under_discussion_is_described_apart_from_the_others(desk: Desk) -> None:
    split = len(track.OTHER)
    for c in desk.candidates("and the cause?", QUILLONITIS):
        current = desk.slug(c.topic) == QUILLONITIS
        assert bool(c.features[:split].any()) is not current
        assert bool(c.features[split:].any()) is current


def test_without_a_topic_none_is_under_discussion(desk: Desk) -> None:
    split = len(track.OTHER)
    found = desk.candidates("cause of quillonitis")
    assert desk.slug(found[0].topic) == QUILLONITIS
    assert not any(c.features[split:].any() for c in found)
    assert not any(c.features[track.OTHER.index("spoken_of")] for c in found)


# ------------------------------------------------------------------------------- what it asks


@pytest.mark.parametrize(
    "question",
    [
        "and for hepatovarosis?",
        "what about hepatovarosis?",
        "How about hepatovarosis?",
        "same for hepatovarosis",
        "I meant hepatovarosis",
        "no, I meant hepatovarosis",
        "and for hepatovrosis?",
    ],
)
def test_another_name_repeats_the_question_before(desk: Desk, question: str) -> None:
    query = desk.query(question, (QUILLONITIS, TREATED))
    assert desk.slugs(query) == [HEPATOVAROSIS]
    assert "treated" in query.text
    assert "quillonitis" not in query.text.lower()
    assert "hepatov" not in query.text.lower()
    assert query.read_as is not None
    assert query.read_as.endswith("treated — Hepatovarosis")
    assert query.named
    assert not query.overview


def test_the_question_that_is_repeated_is_the_last_one_and_no_act(desk: Desk) -> None:
    first = (QUILLONITIS, TREATED)
    later = (QUILLONITIS, "What causes quillonitis?")
    assert "causes" in desk.query("and for KXD?", first, later, (QUILLONITIS, "more")).text
    assert "treated" in desk.query("and for KXD?", later, first, (QUILLONITIS, "why?")).text


def test_a_name_that_follows_a_name_has_nothing_to_repeat(desk: Desk) -> None:
    query = desk.query("and hepatovarosis?", (QUILLONITIS, "quillonitis"))
    assert desk.slugs(query) == [HEPATOVAROSIS]
    assert query.overview


@pytest.mark.parametrize(
    ("question", "before"),
    [
        ("hepatovarosis", ()),
        ("What is hepatovarosis?", ()),
        ("tell me about hepatovarosis", ()),
        ("and for hepatovarosis?", ()),
        ("hepatovarosis", ((QUILLONITIS, TREATED),)),
        ("hepatovarosis", ((HEPATOVAROSIS, "How is hepatovarosis treated?"),)),
        ("back to hepatovarosis", ((HEPATOVAROSIS, "hepatovarosis"), (QUILLONITIS, TREATED))),
    ],
)
def test_a_bare_name_asks_for_the_topic_as_a_whole(
    desk: Desk, question: str, before: tuple[tuple[str, str], ...]
) -> None:
    query = desk.query(question, *before)
    assert desk.slugs(query) == [HEPATOVAROSIS]
    assert query.overview
    assert query.read_as is None


@pytest.mark.parametrize(
    "question", ["hepatovarosis cause", "and recurrence?", "does hepatovarosis recur?", "why so?"]
)
def test_what_asks_for_more_than_a_name_is_no_overview(desk: Desk, question: str) -> None:
    assert not desk.query(question, (HEPATOVAROSIS, "hepatovarosis")).overview


def test_an_elliptic_question_says_as_what_it_was_read(desk: Desk) -> None:
    query = desk.query("and recurrence?", (QUILLONITIS, TREATED))
    assert (query.text, query.read_as) == ("recurrence?", "recurrence — Quillonitis")
    assert not query.named
    assert query.current == query.topics[0]


@pytest.mark.parametrize(
    ("question", "both"),
    [
        ("which is better, quillonitis or hepatovarosis?", {QUILLONITIS, HEPATOVAROSIS}),
        ("red marsh fever versus blue marsh fever", {RED, BLUE}),
        ("is terbolin better in quillonitis than in corvane dystrophy?", {QUILLONITIS, CORVANE}),
    ],
)
@pytest.mark.parametrize("before", [(), ((QUILLONITIS, TREATED),)])
def test_a_comparison_is_about_both(
    desk: Desk, question: str, both: set[str], before: tuple[tuple[str, str], ...]
) -> None:
    query = desk.query(question, *before)
    assert set(desk.slugs(query)) == both
    assert len(query.topics) == 2
    assert not query.options


def test_only_what_compares_is_about_two_topics(desk: Desk) -> None:
    assert len(desk.query("how is quillonitis treated in corvane dystrophy?").topics) == 1
    assert len(desk.query("is terbolin better in quillonitis?").topics) == 1


@pytest.mark.parametrize("question", ["fever", "and for marsh fever?"])
def test_a_name_that_two_topics_share_is_asked_back(desk: Desk, question: str) -> None:
    before = ((QUILLONITIS, TREATED),) if "and" in question else ()
    query = desk.query(question, *before)
    assert set(query.options) == {RED, BLUE}
    assert query.topics == ()


def test_one_that_fits_whole_or_is_under_discussion_is_not_asked_back(desk: Desk) -> None:
    whole = desk.query("red marsh fever")
    assert (desk.slugs(whole), whole.options) == ([RED], ())
    spoken_of = desk.query("the fever?", (BLUE, "blue marsh fever"))
    assert (desk.slugs(spoken_of), spoken_of.options) == ([BLUE], ())


def test_a_question_put_to_an_article_stays_there(desk: Desk) -> None:
    query = desk.query("How is quillonitis treated?", at=CORVANE)
    assert desk.slugs(query) == [CORVANE]


# ------------------------------------------------------------------------------- how sure

ANSWERABLE = [
    ("How is quillonitis treated?", QUILLONITIS),
    ("What causes hepatovarosis?", HEPATOVAROSIS),
    ("how often does quillonitis return?", QUILLONITIS),
    ("Which protein is lacking in corvane dystrophy?", CORVANE),
]
FOREIGN = [
    "What is the capital of France?",
    "How do I repair the chain of a bicycle?",
    "Which stars are seen in winter?",
]


@pytest.mark.parametrize(("question", "topic"), ANSWERABLE)
def test_passages_are_described_by_finite_numbers_in_order(
    desk: Desk, question: str, topic: str
) -> None:
    compared = desk.compared(question)
    rows = desk.known.topics.rows(desk.known.topics.topic_of(topic))
    found = retrieve.features(compared, desk.known.facets, rows)
    assert found.shape == (len(rows), len(retrieve.FEATURES))
    assert np.isfinite(found).all()
    for name, expected in (
        ("late", compared.late(rows)),
        ("cosine", compared.cosine(rows)),
        ("lexical", compared.lexical[rows] / compared.most),
    ):
        assert np.allclose(found[:, retrieve.FEATURES.index(name)], expected, atol=1e-5), name
    hits = retrieve.rank(compared, desk.known.facets, rows)
    assert sorted(h.row for h in hits) == rows
    scores = dict(zip(rows, found @ retrieve.WEIGHTS, strict=True))
    assert [h.score for h in hits] == sorted((float(s) for s in scores.values()), reverse=True)
    assert all(h.score == pytest.approx(float(scores[h.row])) for h in hits)


@pytest.mark.parametrize(
    ("question", "topic", "says"),
    [
        ("How is quillonitis treated?", QUILLONITIS, "Terbolin"),
        ("treatment", HEPATOVAROSIS, "Moralam"),
        ("what causes it?", QUILLONITIS, "damp wool"),
        ("how is it diagnosed?", HEPATOVAROSIS, "Ultrasound"),
    ],
)
def test_the_passage_that_answers_comes_first(
    desk: Desk, question: str, topic: str, says: str
) -> None:
    best = desk.found(question, topic).hits[0]
    assert says in desk.build.passages[best.row].text


def test_no_passages_are_no_hits(desk: Desk) -> None:
    assert retrieve.rank(desk.compared("treatment"), desk.known.facets, []) == []


def test_confidence_is_described_in_order_and_lies_between_0_and_1(desk: Desk) -> None:
    for question, topic in [*ANSWERABLE, *((q, CORVANE) for q in FOREIGN), ("?!", RED)]:
        found = desk.found(question, topic)
        named = dict(zip(confidence.FEATURES, found.described, strict=True))
        assert np.isfinite(found.described).all()
        assert 0 < found.confidence < 1
        assert named["constant"] == 1
        compared, best = desk.compared(question), found.hits[0].row
        assert named["late"] == pytest.approx(float(compared.late([best])[0]), abs=1e-5)
        assert named["cosine"] == pytest.approx(float(compared.cosine([best])[0]), abs=1e-5)
        assert named["few_words"] == pytest.approx(1 / (1 + len(compared.reading.content)))


def test_an_off_topic_question_gets_less_than_an_answerable_one(desk: Desk) -> None:
    for question, topic in ANSWERABLE:
        sure = desk.found(question, topic).confidence
        assert sure > max(0.5, desk.known.threshold)
        for foreign in FOREIGN:
            assert desk.found(foreign, topic).confidence < sure / 2


@pytest.mark.parametrize("question", FOREIGN)
def test_an_off_topic_question_is_not_answered(desk: Desk, question: str) -> None:
    turn = desk.answerer.answer(desk.build, Recalled("c"), question)
    assert not turn.quotes()
    assert turn.confidence < desk.known.threshold


def test_what_narrows_a_question_to_others_makes_it_less_sure(desk: Desk) -> None:
    plain = desk.found("How is quillonitis treated?", QUILLONITIS)
    bound = desk.found("How is quillonitis treated on dialysis?", QUILLONITIS)
    binding = confidence.FEATURES.index("binding")
    assert (plain.described[binding], bound.described[binding]) == (0, 1)
    assert bound.confidence < plain.confidence


def test_nothing_found_is_as_unsure_as_nothing_said(desk: Desk) -> None:
    known, compared = desk.known, desk.compared("treatment")
    found = confidence.features(compared, known.topics, known.cover, known.facets, 0, [])
    assert found.tolist() == [1.0] + [0.0] * (len(confidence.FEATURES) - 1)
    assert confidence.confidence(found, known.weights) < known.threshold


def test_confidence_rises_with_what_speaks_for_an_answer_and_never_overflows() -> None:
    described = np.array([1.0, 2.0], np.float32)
    assert confidence.confidence(described, [0.0, 0.0]) == 0.5
    assert confidence.confidence(described, [2.0, -1.0]) == 0.5
    assert confidence.confidence(described, [0.0, 1.0]) == pytest.approx(1 / (1 + math.exp(-2)))
    assert 0 < confidence.confidence(described, [-1e9, 0.0]) < 1e-9
    assert 1 - 1e-9 < confidence.confidence(described, [1e9, 0.0]) <= 1


# ------------------------------------------------------------------------------- what was learnt


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("topic", track.OTHER + track.CURRENT),
        ("passage", retrieve.FEATURES),
        ("answers", confidence.FEATURES),
        ("spread", confidence.FEATURES),
        ("refuse", ("below",)),
    ],
)
def test_every_feature_was_learnt_and_nothing_else(group: str, names: tuple[str, ...]) -> None:
    assert len(set(names)) == len(names)
    assert set(LEARNED[group]) == set(names)
    assert all(math.isfinite(v) for v in LEARNED[group].values())


def test_what_was_learnt_is_usable() -> None:
    assert all(v > 0 for v in LEARNED["spread"].values())
    assert 0 < LEARNED["refuse"]["below"] < 1
    assert track.WEIGHTS.any()
    assert len(track.WEIGHTS) == len(track.OTHER) + len(track.CURRENT)
    assert len(retrieve.WEIGHTS) == len(retrieve.FEATURES)
