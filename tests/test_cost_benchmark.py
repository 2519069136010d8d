"""The measuring of what a turn costs, and what the process that answers may not hold."""

import json
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from invented import STORE, build_of

from benchmarks.cost import spread
from chains.answer import Answerer
from chains.topics import VOCABULARIES, Topics
from store.article import Passage, ServingRules, Statement, passages
from store.embeddings import MiniLM


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def test_conversations_are_taken_from_all_over_the_list() -> None:
    every = [{"id": n, "turns": ["a", "b", "c", "d", "e"]} for n in range(100)]
    taken = [c["id"] for c in spread(every, 50)]
    assert len(taken) == 10
    assert taken == sorted(set(taken))
    assert taken[0] < 10
    assert taken[-1] >= 90
    assert [c["id"] for c in spread(every[:3], 50)] == [0, 1, 2]


def test_a_passage_has_no_text_of_its_own() -> None:
    article = STORE[0]
    for passage in passages(article):
        section = next(s for s in article.sections if s.id == passage.section)
        assert passage.source is section
        assert passage.text == " ".join(section.statements[i].text for i in passage.statements)
        held = [getattr(passage, f.name) for f in fields(Passage)]
        assert passage.text not in held
        assert passage.embedded not in held


def test_what_statements_have_in_common_is_there_once() -> None:
    one = Statement("First.", tuple([1, 2]), ((6, tuple([1, 2])),))
    other = Statement("Other.", tuple([1, 2]), ((6, tuple([1, 2])),))
    assert one.citations is other.citations
    assert one.marks is other.marks


def test_the_words_of_the_last_topics_alone_are_kept(
    model: MiniLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chains.topics.VOCABULARIES", 2)
    topics = Topics(build_of(STORE, model), model.rarity)
    first = topics.vocabulary(0)
    for topic in range(len(topics.members)):
        topics.vocabulary(topic)
    assert len(topics.members) > 2
    assert len(topics._vocabularies) == 2
    assert topics.vocabulary(0) == first
    assert VOCABULARIES < 1000


def test_what_is_read_of_a_build_goes_with_it(model: MiniLM) -> None:
    answerer = Answerer(embeddings=model, rules=ServingRules(), rarity=model.rarity)
    one, other = build_of(STORE, model), build_of(STORE[:2], model)
    known = answerer.knowledge(one)
    assert answerer.knowledge(other).build is other
    assert answerer.knowledge(one) is known
    one.close()
    assert one.known is None
    assert other.known is not None


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_the_figures_of_a_small_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import cost

    rows = [
        {
            "id": f"A{n}",
            "title": name,
            "source": "made",
            "url": f"https://example.org/{n}",
            "synonyms": [],
            "sections": [
                {"id": "s1", "heading": "Colour", "text": f"{name} is blue.\nIt fades in June."},
                {"id": "s2", "heading": "Weight", "text": f"Most of {name} weighs nine grams."},
            ],
        }
        for n, name in enumerate(("Quillonite", "Corvane", "Marsh salt"))
    ]
    asked = [["What colour is quillonite?", "and its weight?"], ["weight of corvane", "colour?"]]
    conversations = [
        {"id": f"c{n}", "turns": [{"id": f"c{n}.{i}", "text": t} for i, t in enumerate(texts)]}
        for n, texts in enumerate(asked * 3)
    ]
    for name, made in (("articles", rows), ("conversations", conversations)):
        text = "".join(json.dumps(row) + "\n" for row in made)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    figures = tmp_path / "figures.json"
    given = {
        "--articles": tmp_path / "articles.jsonl",
        "--conversations": tmp_path / "conversations.jsonl",
        "--data": tmp_path / "data",
        "--cache": tmp_path / "cache",
        "--figures": figures,
    }
    monkeypatch.setattr(sys, "argv", ["cost", *(str(x) for pair in given.items() for x in pair)])
    for _ in range(2):  # the second time with the store of the first
        cost.main()
        (found,) = json.loads(figures.read_text(encoding="utf-8")).values()
        assert found["articles"] == 3
        assert found["turns"] == 12 - cost.WARMING
        assert {"recall", "read", "contextualize", "remember"} <= set(found["by stage, median ms"])
        assert found["CPU of a turn, ms"]["median"] > 0
        memory = found["memory, MB"]
        assert list(memory)[-1] == "12 turns"
        assert all(m["resident"] >= m["of its own"] > 0 for m in memory.values())
        figures.unlink()
    assert len(list((tmp_path / "data" / "builds").iterdir())) == 1
