"""Acts, topics and carry-over."""

import pytest

from bot.app import Program
from chains.contextualize import Act, act_of
from chains.cover import Cover
from chains.topics import Topics
from store.embeddings import MiniLM


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("more", Act.MORE),
        ("Tell me more.", Act.MORE),
        ("anything else?", Act.MORE),
        ("why?", Act.WHY),
        ("But why not?", Act.WHY),
        ("source?", Act.SOURCES),
        ("show me the references", Act.SOURCES),
        ("shorter please", Act.SHORTER),
        ("tl;dr", Act.SHORTER),
        ("yes", Act.YES),
        ("Hello!", Act.GREETING),
        ("why does it recur?", Act.ASK),
        ("more effective than silicone?", Act.ASK),
        ("sources of exosomes?", Act.ASK),
        ("and recurrence?", Act.ASK),
        ("ok and recurrence?", Act.ASK),
    ],
)
def test_only_whole_phrases_are_acts(text: str, act: Act) -> None:
    assert act_of(text) is act


async def test_topics_are_named_by_topic_and_alias(program: Program) -> None:
    async with program.library.borrow() as build:
        topics = Topics(build, MiniLM().rarity)
        for slug, article in build.articles.items():
            for name in (article.topic, *article.aliases):
                named = topics.named(f"what about {name}?")
                assert named[topics.topic_of(slug)].whole >= 0.99, name


async def test_cover_sees_what_an_article_does_not_speak_of(program: Program) -> None:
    async with program.library.borrow() as build:
        topics = Topics(build, lambda word: 1.0)
        cover, port_wine = Cover(build, topics, lambda word: 1.0), topics.topic_of("pdl-port-wine")

        def missing(question: str) -> set[str]:
            return {m.word for m in cover.missing(port_wine, question)}

        assert missing("is it safe on warfarin?") == {"warfarin"}
        assert missing("does the stain redarken?") == set()
        assert missing("PDL for PWS") == set()
        assert missing("Sturge-Weber haemangioma?") == {"haemangioma"}
        binding = cover.missing(port_wine, "and in pregnancy?")
        assert binding[0].binding
