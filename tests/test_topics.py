"""A question names a topic whole, in part, shortened, misspelt or by letters."""

import pytest
from invented import CORVANE, QUILLONITIS, STORE, build_of, on

from chains.topics import Named, Topics
from store.article import Article
from store.embeddings import MiniLM
from store.lexical import stem


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="module")
def topics(model: MiniLM) -> Topics:
    return Topics(build_of(STORE, model), model.rarity)


def named(topics: Topics, question: str) -> dict[str, Named]:
    """What the question names, by the first article of the topic."""
    return {topics.members[t][0]: found for t, found in topics.named(question).items()}


@pytest.mark.parametrize(
    ("question", "slug", "word"),
    [
        ("What causes quillonitis?", "quillonitis", "quillonitis"),
        ("QUILLONITIS", "quillonitis", "quillonitis"),
        ("grip in corvane", "corvane-dystrophy", "corvane"),
        ("hep treatment", "hepatovarosis", "hep"),
        ("treatment of qillonitis", "quillonitis", "qillonitis"),
        ("cause of hepatovrosis", "hepatovarosis", "hepatovrosis"),
        ("pallid dermatoses", "pebbled-pallid-dermatosis", "dermatoses"),
        ("What treats PPD?", "pebbled-pallid-dermatosis", "ppd"),
        ("what treats ppd?", "pebbled-pallid-dermatosis", "ppd"),
        ("splints in kxd?", "corvane-dystrophy", "kxd"),
        ("MEN in children", "myrel-endocrine-nodosis", "men"),
    ],
)
def test_a_name_is_understood_as_people_type_it(
    topics: Topics, question: str, slug: str, word: str
) -> None:
    found = named(topics, question)
    assert list(found) == [slug]
    assert word in found[slug].matched


@pytest.mark.parametrize(
    "question",
    [
        "is it worse in men?",
        "Men and women alike?",
        "What is the capital of France?",
        "how is it treated?",
        "does the hand recover?",
        "and now?",
        "",
    ],
)
def test_ordinary_words_name_nothing(topics: Topics, question: str) -> None:
    assert named(topics, question) == {}


def test_a_whole_name_counts_more_than_one_that_is_partly_there_or_misspelt(
    topics: Topics,
) -> None:
    def whole(question: str) -> float:
        return max(n.whole for n in topics.named(question).values())

    assert whole("quillonitis") == pytest.approx(1)
    assert whole("corvane dystrophy") == pytest.approx(1)
    for less in ("quilonitis", "hep", "PPD", "corvane", "marsh fever"):
        assert 0 < whole(less) < 0.99, less


def test_the_fuller_of_two_names_stands_out(topics: Topics) -> None:
    found = named(topics, "red marsh fever")
    assert set(found) == {"red-marsh-fever", "blue-marsh-fever"}
    assert found["red-marsh-fever"].whole > 0.99 > found["blue-marsh-fever"].whole
    both = named(topics, "marsh fever")
    assert both["red-marsh-fever"].whole == both["blue-marsh-fever"].whole


def test_two_topics_in_one_question_are_both_named(topics: Topics) -> None:
    found = named(topics, "quillonitis or corvane dystrophy?")
    assert {slug for slug, n in found.items() if n.whole > 0.99} == {
        "quillonitis",
        "corvane-dystrophy",
    }
    assert not found["quillonitis"].matched & found["corvane-dystrophy"].matched


def test_a_name_that_is_nothing_without_a_small_word_needs_both_words(model: MiniLM) -> None:
    articles = [on("Down syndrome"), on("Antivarosis", aliases=["AS syndrome"]), on("Acne")]
    topics = Topics(build_of(articles, model), model.rarity)
    assert len(topics.members) == 3
    assert set(named(topics, "What is Down syndrome?")) == {"down-syndrome"}
    assert set(named(topics, "and in as syndrome?")) == {"antivarosis"}
    for other in ("Does the swelling go down?", "which syndrome?", "syndrome, down to the feet"):
        assert named(topics, other) == {}, other


def test_letters_stand_for_a_name_only_in_its_order_and_with_every_word(topics: Topics) -> None:
    for letters in ("DPP", "PDP", "PXD", "PD", "PPDX"):
        assert "pebbled-pallid-dermatosis" not in named(topics, letters), letters
    assert named(topics, "PPDS")["pebbled-pallid-dermatosis"].whole < 0.8
    assert named(topics, "PPD")["pebbled-pallid-dermatosis"].whole == pytest.approx(0.8)


def test_an_abbreviation_counts_because_the_text_gives_it(model: MiniLM) -> None:
    silent = on("Corvane dystrophy", "Overview: Corvane dystrophy weakens the hand for years.")
    for article, expected in ((CORVANE, {"corvane-dystrophy"}), (silent, set())):
        topics = Topics(build_of([article, QUILLONITIS], model), model.rarity)
        assert set(named(topics, "KXD")) == expected


def test_what_many_topics_have_in_their_names_tells_little(topics: Topics) -> None:
    assert topics.telling(stem("quillonitis")) == pytest.approx(1)
    assert 0 < topics.telling("fever") < 0.9
    assert topics.telling("bicycle") == 0


def test_a_topic_alone_in_its_store_is_named(model: MiniLM) -> None:
    topics = Topics(build_of([QUILLONITIS], model), model.rarity)
    assert set(named(topics, "quillonitis")) == {"quillonitis"}


def test_the_vocabulary_is_that_of_names_and_passages(topics: Topics) -> None:
    corvane = topics.topic_of("corvane-dystrophy")
    assert {stem("corvane"), "kxd"} <= topics.stems_of(corvane)
    assert "splint" in topics.vocabulary(corvane) - topics.stems_of(corvane)
    assert stem("terbolin") not in topics.vocabulary(corvane)


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        (on("Varosis", slug="first"), on("Varosis", slug="second"), True),
        (on("Varosis (VR)", slug="first"), on("Varosis", slug="second"), True),
        (on("Varosis", slug="first"), on("Varosis (VR)", slug="second"), True),
        (on("Varosis (VR)", slug="first"), on("Varosis (wool)", slug="second"), True),
        (on("Wool arm", slug="first", aliases=["Varosis"]), on("Varosis", slug="second"), True),
        (on("Varosis", slug="first"), on("Wool arm", slug="second", aliases=["the VAROSIS"]), True),
        (on("Varosis", slug="first"), on("Varosis of the hand", slug="second"), False),
        (on("Varosis 1", slug="first"), on("Varosis 2", slug="second"), False),
        (
            on("Varosis", slug="first", aliases=["Wool arm"]),
            on("Lamp fever", slug="second", aliases=["Wool arm"]),
            False,
        ),
    ],
)
def test_articles_of_one_name_are_one_topic(
    model: MiniLM, first: Article, second: Article, one: bool
) -> None:
    topics = Topics(build_of([first, second, QUILLONITIS], model), model.rarity)
    assert (topics.topic_of("first") == topics.topic_of("second")) is one
    assert topics.topic_of("quillonitis") != topics.topic_of("first")
    assert sorted(slug for slugs in topics.members for slug in slugs) == [
        "first",
        "quillonitis",
        "second",
    ]


def test_a_topic_has_the_passages_of_all_its_articles(model: MiniLM) -> None:
    made = [on("Varosis (VR)", slug="a"), QUILLONITIS, on("Varosis", slug="b")]
    build = build_of(made, model)
    topics = Topics(build, model.rarity)
    rows = topics.rows(topics.topic_of("a"))
    assert {build.passages[row].article for row in rows} == {"a", "b"}
    assert rows == [*build.rows["a"], *build.rows["b"]]


def test_names_that_chain_are_one_topic_in_any_order(model: MiniLM) -> None:
    made = [
        on("Varosis", slug="a"),
        on("Wool arm", slug="b", aliases=["Varosis", "Lamp fever"]),
        on("Lamp fever", slug="c"),
    ]
    for order in (made, made[::-1], [made[1], made[0], made[2]]):
        topics = Topics(build_of([*order, QUILLONITIS], model), model.rarity)
        assert {frozenset(slugs) for slugs in topics.members} == {
            frozenset("abc"),
            frozenset({"quillonitis"}),
        }
