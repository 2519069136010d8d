"""Dialogues with the sample articles, through the assistant that serves clinicians.

    python -m benchmarks.dialogues [--file FILE] [--figures FILE] [--show]

FILE (benchmarks/dialogues/samples.jsonl): a conversation a line, {"id", "turns": [{"id", "kind",
"text", "answers", "topic", "topic_ok", "critical"}]}. Answered: the reply quotes a statement of
"answers". Refused: it quotes nothing. Topic: the one after the turn is among "topic_ok". Critical:
of doses, pregnancy, anticoagulants and the like. The baseline in the same run is the usual one: the
last question as it stands against all passages by MiniLM, four passages, never refusing.
"""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.followups import rows_of
from benchmarks.probes import baseline, samples
from store.turn import Turn

FILE = Path(__file__).parent / "dialogues" / "samples.jsonl"


async def measure(file: Path, folder: Path) -> list[dict[str, Any]]:
    """The outcome of every turn, in a store made for it below `folder`."""
    outcomes = []
    async with samples(folder) as (assistant, model, build):
        for conversation in rows_of(file):
            for asked in conversation["turns"]:
                turn = await assistant.ask(conversation["id"], asked["text"], "benchmark")
                outcomes.append(
                    _outcome(asked, turn)
                    | {"baseline": baseline(build, model, asked["text"], asked["answers"])}
                )
    return outcomes


def _outcome(asked: dict[str, Any], turn: Turn) -> dict[str, Any]:
    quoted = [q.text for q in turn.quotes()]
    right = any(text in asked["answers"] for text in quoted) if asked["answers"] else not quoted
    return {
        **{k: asked[k] for k in ("id", "kind", "text", "critical")},
        "answerable": bool(asked["answers"]),
        "right": right,
        "refused": not quoted,
        "topic": (
            None
            if asked["topic"] is None
            else turn.topic is not None and turn.topic.slug in asked["topic_ok"]
        ),
        "got": (turn.kind.value, turn.topic.slug if turn.topic else None, quoted[:2]),
        "confidence": round(turn.confidence, 2),
    }


def figures(outcomes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Shares by kind of turn."""
    answerable = [o for o in outcomes if o["answerable"]]
    groups = {kind: [o for o in outcomes if o["kind"] == kind] for kind in _kinds(outcomes)}
    groups["all answerable"] = answerable
    groups["all to be refused"] = [o for o in outcomes if not o["answerable"]]
    groups["critical, answerable"] = [o for o in answerable if o["critical"]]
    groups["critical, to be refused"] = [
        o for o in outcomes if o["critical"] and not o["answerable"]
    ]
    return {
        name: {
            "n": len(own),
            "right": _share(o["right"] for o in own),
            "refused": _share(o["refused"] for o in own),
            "topic": _share(o["topic"] for o in own if o["topic"] is not None),
            "baseline": _share(o["baseline"] for o in own),
        }
        for name, own in groups.items()
        if own
    }


def _kinds(outcomes: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(o["kind"] for o in outcomes))


def _share(values: Any) -> float | None:
    found = list(values)
    return round(sum(found) / len(found), 3) if found else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--figures", type=Path, help="write the figures as JSON")
    parser.add_argument("--show", action="store_true", help="print what went wrong")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = asyncio.run(measure(options.file, Path(folder)))
    for o in outcomes:
        if options.show and (not o["right"] or o["topic"] is False):
            print(f"  {o['id']} {o['kind']}: {o['text']} -> {o['confidence']} {o['got']}")
    found = figures(outcomes)
    for name, f in found.items():
        shown = "  ".join(f"{k} {f[k]}" for k in ("right", "refused", "topic", "baseline"))
        print(f"{name:24} n={f['n']:3}  {shown}")
    if options.figures:
        options.figures.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
