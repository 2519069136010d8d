"""The labelled sentences that measure the grounding check: well formed, and the sets apart."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from store.parse import parse_paths
from store.reload import SAMPLES

FOLDER = Path(__file__).parents[1] / "benchmarks" / "grounding"
SUPPORTED = {
    "exact", "hedged", "merged", "paraphrase", "rounding", "shortened", "synonym", "unit_conversion"
}  # fmt: skip
UNSUPPORTED = {
    "arm", "causal", "certainty", "direction", "dose", "entity", "frequency", "invented_reference",
    "merged_studies", "negation", "number", "overgeneral", "population", "route", "time", "unit",
    "wrong_citation",
}  # fmt: skip
FIELDS = {"id", "passages", "sentence", "supported", "kind", "source", "note"}
LEAST = {
    "dev": 8,
    "other_references": 7,
    "other_fields": 3,
    "more_fields": 5,
    "answers": 5,
    "prose": 4,
    "varied": 4,
    "reworded": 4,
    "held_out": 4,
}  # sentences of each kind
BRACKETS = re.compile(r"\s*\[(p\d+(?:, p\d+)*)\]")

Line = dict[str, Any]


def read(name: str) -> list[Line]:
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


SETS = {name: read(name) for name in LEAST}
LINES = [line for lines in SETS.values() for line in lines]
SOURCES: dict[str, list[str]] = json.loads((FOLDER / "sources.json").read_text(encoding="utf-8"))


def cited(line: Line) -> list[str]:
    return [p for found in BRACKETS.findall(line["sentence"]) for p in found.split(", ")]


def bare(sentence: str) -> str:
    """The sentence without citations and closing full stop."""
    return BRACKETS.sub("", sentence).strip().rstrip(".")


def plain(sentence: str) -> str:
    """Letters and digits only, so that a comma or a citation makes no new sentence."""
    return re.sub(r"[^a-z0-9]+", " ", bare(sentence).lower())


def texts(line: Line) -> dict[str, str]:
    return {p["id"]: p["text"] for p in line["passages"]}


def test_every_line_has_the_fields_that_the_readme_names() -> None:
    for line in LINES:
        assert set(line) == FIELDS, line["id"]
        assert isinstance(line["supported"], bool)
        assert line["note"].strip() and line["source"], line["id"]
        assert 1 <= len(line["passages"]) <= 4, line["id"]
        assert [p["id"] for p in line["passages"]] == [
            f"p{n}" for n in range(1, len(line["passages"]) + 1)
        ]
        assert all(
            set(p) == {"id", "text"} and p["text"].endswith((".", ")")) for p in line["passages"]
        ), line["id"]


def test_ids_are_unique_across_the_sets() -> None:
    assert [i for i, n in Counter(line["id"] for line in LINES).items() if n > 1] == []


def test_the_kind_decides_the_label() -> None:
    for line in LINES:
        assert line["kind"] in (SUPPORTED if line["supported"] else UNSUPPORTED), line["id"]


@pytest.mark.parametrize("name", LEAST)
def test_every_kind_is_there_often_enough(name: str) -> None:
    kinds = Counter(line["kind"] for line in SETS[name])
    assert {k: kinds[k] for k in SUPPORTED | UNSUPPORTED if kinds[k] < LEAST[name]} == {}


def test_the_development_set_has_many_paraphrases_and_quotations() -> None:
    kinds = Counter(line["kind"] for line in SETS["dev"])
    assert kinds["exact"] >= 12
    assert kinds["paraphrase"] + kinds["synonym"] >= 40


@pytest.mark.parametrize("name", LEAST)
def test_neither_label_is_rare(name: str) -> None:
    share = sum(line["supported"] for line in SETS[name]) / len(SETS[name])
    assert 0.4 <= share <= 0.6


def test_every_sentence_cites_and_only_an_invented_reference_cites_what_is_not_there() -> None:
    for line in LINES:
        assert cited(line), line["id"]
        assert "[" not in BRACKETS.sub("", line["sentence"]), line["id"]
        if set(cited(line)) - texts(line).keys():
            assert line["kind"] == "invented_reference", line["id"]


def test_every_line_holds_one_sentence() -> None:
    for line in LINES:
        assert not re.search(r"[.?!]\s+[A-Z]", BRACKETS.sub("", line["sentence"])), line["id"]


def test_exact_is_word_for_word_in_what_it_cites_and_nothing_else_is() -> None:
    for line in LINES:
        quoted = any(
            bare(line["sentence"]) in texts(line)[p] for p in cited(line) if p in texts(line)
        )
        if line["kind"] == "exact":
            assert quoted, line["id"]
        elif not line["supported"]:
            assert not quoted, line["id"]


def test_what_joins_two_passages_cites_both() -> None:
    for line in LINES:
        if line["kind"] == "merged":
            assert len(set(cited(line))) >= 2, line["id"]


def test_a_result_given_to_another_study_leaves_a_passage_that_it_is_of() -> None:
    for line in LINES:
        if line["kind"] == "merged_studies":
            assert len(texts(line)) >= 2, line["id"]


def test_a_wrong_citation_leaves_a_passage_that_it_could_have_cited() -> None:
    for line in LINES:
        if line["kind"] == "wrong_citation":
            assert set(cited(line)) < texts(line).keys(), line["id"]


@pytest.mark.parametrize("name", LEAST)
def test_every_source_is_listed_and_every_listed_source_is_used(name: str) -> None:
    assert {key for line in SETS[name] for key in line["source"]} == set(SOURCES[name])


def test_sources_are_references_of_the_sample_articles_or_openly_invented() -> None:
    keys = {r.key for f in parse_paths([SAMPLES]) if f.article for r in f.article.references}
    assert set(SOURCES["dev"]) | set(SOURCES["other_references"]) <= keys
    assert SOURCES["other_fields"] == SOURCES["more_fields"] == ["invented"]
    uncited = {"novoa2018", "shi2021"}  # read for the samples, but cited by none
    assert set().union(
        *(SOURCES[s] for s in ("prose", "varied", "reworded", "held_out"))
    ) <= keys | uncited | {"invented"}
    assert set(SOURCES["answers"]) <= {*SOURCES["dev"], "invented"}
    for line in SETS["other_fields"]:
        assert all("invented" in p["text"].lower() for p in line["passages"]), line["id"]


def test_no_sentence_is_in_two_sets_and_no_passage_of_those_held_apart() -> None:
    assert not set(SOURCES["dev"]) & set(SOURCES["other_references"])
    passages = {
        name: {plain(t) for line in lines for t in texts(line).values()}
        for name, lines in SETS.items()
    }
    for one, other in combinations(SETS, 2):
        if {one, other} != {"dev", "answers"}:  # answers.jsonl uses statements of dev.jsonl
            assert not passages[one] & passages[other], (one, other)
    sentences = Counter(plain(line["sentence"]) for line in LINES)
    assert [s for s, n in sentences.items() if n > 1] == []


def test_the_readme_gives_the_true_sizes() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, lines in SETS.items():
        row = f"| `{name}.jsonl` | {len(lines)} | {sum(line['supported'] for line in lines)} |"
        assert row in readme
