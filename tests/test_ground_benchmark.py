"""The figures of the check on labelled sentences, and of the baseline beside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ground import baseline, figures, main, measure, merge, read_labels
from chains.grounding import Grounder
from store.embeddings import MiniLM

PASSAGES = {
    "p1": "In a trial of 1,204 adults, redness faded in 36.4% after one pass.",
    "p2": "Swelling was seen in 2 of 12 women.",
}


def line(n: int, sentence: str, supported: bool, kind: str) -> dict[str, Any]:
    passages = [{"id": key, "text": text} for key, text in PASSAGES.items()]
    return {
        "id": f"t-{n}",
        "passages": passages,
        "sentence": sentence,
        "supported": supported,
        "kind": kind,
    }


LINES = [
    line(
        1, "In a trial of 1,204 adults, redness faded in 36.4% after one pass [p1].", True, "exact"
    ),
    line(2, "Swelling was seen in 2 of 12 women [p2].", True, "exact"),
    line(3, "Camels grew wings during 99 winters [p1].", False, "number"),
    line(4, "Swelling was seen in 2 of 12 women [p9].", False, "invented_reference"),
    line(5, "Swelling was not seen in 2 of 12 women [p2].", False, "negation"),
]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    found = tmp_path / "tiny.jsonl"
    found.write_text("".join(json.dumps(x) + "\n" for x in LINES))
    return found


@pytest.mark.parametrize(
    ("sentence", "passes"),
    [
        ("Redness faded in 36.4% of 1204 adults [p1].", True),
        ("Redness faded in 63.6% of 1,204 adults [p1].", False),
        ("Redness faded in 36.4% of adults.", False),
        ("Redness faded in 36.4% of adults [p3].", False),
        ("Redness faded in 36.4% of adults [p1, p3].", False),
        ("Redness faded in 36.4% of adults [p2].", False),
        ("Redness faded in 36.4%, swelling in 2 of 12 [p1, p2].", True),
        ("Redness faded in 36.4%, swelling in 2 of 12 [p1] [p2].", True),
        # Half of the words are enough, one less is not; function words do not count.
        ("Redness in adults or camels with wings [p1].", True),
        ("Redness in camels with wings [p1].", False),
        # What numbers and words cannot see.
        ("Redness never faded in 36.4% of adults [p1].", True),
    ],
)
def test_the_baseline_looks_at_numbers_words_and_citations(sentence: str, passes: bool) -> None:
    assert baseline(sentence, PASSAGES) is passes


def test_figures_are_shares_of_what_they_name() -> None:
    judged = [(True, True), (False, False), (True, False), (False, True), (False, False)]
    outcomes = [
        {**x, "check": check, "baseline": base}
        for x, (check, base) in zip(LINES, judged, strict=True)
    ]
    found = figures(outcomes)
    assert (found["sentences"], found["supported"]) == (5, 2)
    assert found["check"] == {
        "unsupported caught": 0.667,
        "supported kept": 0.5,
        "precision": 0.5,
        "recall": 0.5,
        "exact kept": 0.5,
        "negation + unit + dose + population + arm caught": 1.0,
    }
    assert found["kinds"]["exact"] == {"n": 2, "supported": True, "check": 0.5, "baseline": 0.5}
    assert found["kinds"]["number"]["check"] == 0.0
    assert found["kinds"]["number"]["baseline"] == 1.0
    assert list(found["kinds"])[0] == "exact", "supported kinds come first"


def test_a_share_of_nothing_is_none() -> None:
    found = figures([{**LINES[0], "check": False, "baseline": False}])
    assert found["check"]["unsupported caught"] is None
    assert found["check"]["precision"] is None


def test_every_sentence_is_judged_by_both_in_one_run() -> None:
    outcomes, spent = measure([*LINES, *LINES, *LINES], Grounder(MiniLM()))
    assert len(outcomes) == 15 and len(spent) == 1
    assert [o["baseline"] for o in outcomes[:5]] == [True, True, False, False, True]
    assert [o["check"] for o in outcomes[:4]] == [True, True, False, False]


def test_results_of_other_files_stay(tmp_path: Path) -> None:
    out = tmp_path / "ground.json"
    merge(out, {"dev": {"n": 1}, "other": {"n": 2}})
    merge(out, {"held_out": {"n": 3}, "dev": {"n": 4}})
    assert json.loads(out.read_text()) == {"dev": {"n": 4}, "held_out": {"n": 3}, "other": {"n": 2}}


def test_the_command_prints_and_writes_the_figures(
    labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ground.json"
    main(["--labels", str(labels), "--json", str(out), "--show"])
    printed = capsys.readouterr().out
    assert "tiny: 5 sentences, 2 supported" in printed and "negation caught, of 1" in printed
    assert json.loads(out.read_text())["tiny"]["check"]["exact kept"] == 1.0


def test_held_out_sentences_are_not_shown_by_mistake(
    labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = labels.with_name("held_out.jsonl")
    wrong = line(6, "In adults, redness faded in 36.4% after one pass [p1].", False, "number")
    held.write_text(json.dumps(wrong) + "\n")
    link = labels.with_name("link.jsonl")
    link.symlink_to(held)
    for file in (held, link):
        with pytest.raises(SystemExit) as ended:
            main(["--labels", str(labels), str(file), "--show"])
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert "--really" in said.err and "36.4" not in said.out + said.err
    main(["--labels", str(held), "--show", "--really"])
    assert wrong["sentence"] in capsys.readouterr().out
    main(["--labels", str(held)])
    assert wrong["sentence"] not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{}\n", "no json\n", '{"sentence": "x"}\n'])
def test_a_file_without_labels_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(text)
    with pytest.raises(ValueError):
        read_labels(file)
    with pytest.raises(SystemExit) as ended:
        main(["--labels", str(file)])
    assert ended.value.code == 2
