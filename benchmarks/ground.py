"""The check of a model's sentences against labelled ones (benchmarks/grounding/README.md).

    python -m benchmarks.ground --labels FILE [FILE ...] [--json OUT] [--show [--really]]

Caught: the share of the unsupported sentences that are rejected. Kept: the share of the supported
that are let through, which is the recall of "supported"; precision is the share of what was let
through that is supported. The baseline in the same run is the usual one: the citations exist, every
number of the sentence is in a cited passage, and so is half of its content words. CPU is the
processor time of this process (all threads) for ten sentences, each with its own passages.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chains.grounding import Evidence, Grounder
from store.embeddings import MiniLM
from store.lexical import FUNCTION_WORDS, stem, words

HELD_OUT = "held_out"
CRITICAL = ("negation", "unit", "dose", "population", "arm")
"""The kinds whose errors harm most; also counted together."""
LEAST_SHARED = 0.5
ANSWER = 10
"""Sentences of an answer, for the processor time."""

_BRACKET = re.compile(r"\s*\[([^\[\]]*)\]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")

Line = dict[str, Any]


def read_labels(file: Path) -> list[Line]:
    """The labelled sentences of a file; ValueError names the line that is none."""
    found = []
    for n, text in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if not text.strip():
            continue
        line = json.loads(text)
        if missing := {"passages", "sentence", "supported", "kind"} - set(line):
            raise ValueError(f"{file}, line {n}: no {', '.join(sorted(missing))}")
        found.append(line)
    if not found:
        raise ValueError(f"{file} has no sentence")
    return found


def baseline(sentence: str, passages: Mapping[str, str]) -> bool:
    """Whether numbers and overlap alone would let the sentence through."""
    cited = [k.strip() for m in _BRACKET.findall(sentence) for k in m.split(",")]
    if not cited or any(key not in passages for key in cited):
        return False
    said = _BRACKET.sub("", sentence)
    given = " ".join(passages[key] for key in cited)
    if not _numbers(said) <= _numbers(given):
        return False
    own = _content(said)
    return len(own & _content(given)) >= LEAST_SHARED * len(own)


def _numbers(text: str) -> set[str]:
    return {re.sub(r",(?=\d{3}\b)", "", found) for found in _NUMBER.findall(text)}


def _content(text: str) -> set[str]:
    return {stem(w) for w in words(text) if w not in FUNCTION_WORDS and not w[0].isdigit()}


def measure(lines: Sequence[Line], grounder: Grounder) -> tuple[list[Line], list[float]]:
    """What the check and the baseline say of every sentence; CPU seconds of every ten."""
    outcomes, spent = [], []
    for at in range(0, len(lines), ANSWER):
        ten = lines[at : at + ANSWER]
        given = [{p["id"]: Evidence(p["id"], p["text"]) for p in line["passages"]} for line in ten]
        start = time.process_time()
        verdicts = [grounder.check(x["sentence"], g) for x, g in zip(ten, given, strict=True)]
        if len(ten) == ANSWER:
            spent.append(time.process_time() - start)
        for line, verdict in zip(ten, verdicts, strict=True):
            passages = {p["id"]: p["text"] for p in line["passages"]}
            outcomes.append(
                {**line, "check": verdict.supported, "why": verdict.reason}
                | {"detail": verdict.detail, "baseline": baseline(line["sentence"], passages)}
            )
    return outcomes, spent


def figures(outcomes: Sequence[Line]) -> dict[str, Any]:
    """The figures of the check and of the baseline; shares are None where there is nothing."""
    return {
        "sentences": len(outcomes),
        "supported": sum(o["supported"] for o in outcomes),
        **{judge: _judged(outcomes, judge) for judge in ("check", "baseline")},
        "kinds": {
            kind: {
                "n": len(own),
                "supported": own[0]["supported"],
                **{j: share(o[j] == o["supported"] for o in own) for j in ("check", "baseline")},
            }
            for kind, own in _by_kind(outcomes).items()
        },
    }


def _judged(outcomes: Sequence[Line], judge: str) -> dict[str, Any]:
    bad = [o for o in outcomes if not o["supported"]]
    good = [o for o in outcomes if o["supported"]]
    kept = share(o[judge] for o in good)
    return {
        "unsupported caught": share(not o[judge] for o in bad),
        "supported kept": kept,
        "precision": share(o["supported"] for o in outcomes if o[judge]),
        "recall": kept,
        "exact kept": share(o[judge] for o in good if o["kind"] == "exact"),
        f"{' + '.join(CRITICAL)} caught": share(not o[judge] for o in bad if o["kind"] in CRITICAL),
    }


def _by_kind(outcomes: Sequence[Line]) -> dict[str, list[Line]]:
    """Supported kinds first, each side by name."""
    kinds: dict[str, list[Line]] = {}
    for o in sorted(outcomes, key=lambda o: (not o["supported"], o["kind"])):
        kinds.setdefault(o["kind"], []).append(o)
    return kinds


def share(values: Iterable[bool]) -> float | None:
    """The share that is true, to three places."""
    found = list(values)
    return round(sum(found) / len(found), 3) if found else None


def merge(out: Path, found: Mapping[str, Any]) -> None:
    """Puts the figures of these label files beside those of others that the file has."""
    before = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    merged = dict(sorted({**before, **found}.items()))
    out.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")


def _print(name: str, found: Mapping[str, Any]) -> None:
    print(f"{name}: {found['sentences']} sentences, {found['supported']} supported")
    print(f"  {'':48} {'check':>8} {'baseline':>8}")
    for row, value in found["check"].items():
        print(f"  {row:48} {_percent(value)} {_percent(found['baseline'][row])}")
    for kind, own in found["kinds"].items():
        row = f"{kind} {'kept' if own['supported'] else 'caught'}, of {own['n']}"
        print(f"  {row:48} {_percent(own['check'])} {_percent(own['baseline'])}")
    if found["cpu_ms per 10 sentences"] is not None:
        print(f"  CPU for 10 sentences, median: {found['cpu_ms per 10 sentences']:.1f} ms")


def _percent(value: float | None) -> str:
    return f"{value:8.1%}" if value is not None else f"{'-':>8}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--json", type=Path, help="put the figures into this file, by label file")
    parser.add_argument("--show", action="store_true", help="print what was judged wrongly")
    parser.add_argument("--really", action="store_true", help="--show held-out sentences too")
    options = parser.parse_args(arguments)
    held = [f for f in options.labels if HELD_OUT in f.name or HELD_OUT in f.resolve().name]
    if options.show and held and not options.really:
        parser.error(
            f"--show would print sentences of {held[0].name}, which nobody who works on the check "
            "should see. --really prints them."
        )
    if len({f.stem for f in options.labels}) < len(options.labels):
        parser.error("two label files have one name, and results are kept by name")
    try:
        labels = {file.stem: read_labels(file) for file in options.labels}
    except (OSError, ValueError) as e:
        parser.error(str(e))
    model = MiniLM()
    model.load()
    grounder = Grounder(model)
    merged = {}
    for name, lines in labels.items():
        outcomes, spent = measure(lines, grounder)
        cpu = round(1000 * statistics.median(spent), 1) if spent else None
        merged[name] = figures(outcomes) | {"cpu_ms per 10 sentences": cpu}
        _print(name, merged[name])
        for o in outcomes:
            if options.show and o["check"] != o["supported"]:
                wrong = "let through" if o["check"] else f"rejected, {o['why']} {o['detail']}"
                print(f"  {o.get('id', '')} {o['kind']}: {o['sentence']} -> {wrong}")
    if options.json:
        merge(options.json, merged)


if __name__ == "__main__":
    main()
