"""How long the first checked sentence takes after the model has finished it, and what that costs.

    python -m benchmarks.writing [--questions N] [--json OUT]

The model is the stand-in of the tests, over HTTP on loopback: it sends its sentences one by one,
with pauses. Waiting is counted from when it sends the first to when that could be shown, so it
holds the transport, the check and the composing. CPU is that of this process for a whole written
answer, beside the same answer quoted, in the same run.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAUSE_S = 0.3
QUESTIONS = (
    "topical timolol for infantile hemangioma",
    "Does adding pulsed dye laser to triamcinolone and 5-FU help in keloids?",
    "How much propranolol for infantile hemangioma and for how long?",
    "fluorouracil for actinic keratosis: how well does it work?",
)


async def measure(questions: int) -> dict[str, float]:
    """The figures, in milliseconds: medians over the questions."""
    from chatapi import Call, Says, cited, statements_in  # type: ignore[import-not-found, unused-ignore]
    from conftest import settings_for  # type: ignore[import-not-found, unused-ignore]
    from writers import written_by  # type: ignore[import-not-found, unused-ignore]

    from bot.app import open_program

    asked: list[float] = []

    def pauses(call: Call) -> Says:
        texts = [cited(s.text.split(". ")[0].rstrip("."), s.key) for s in statements_in(call)]
        # Its role is a piece of its own, before the text.
        asked.append(time.monotonic() + 2 * PAUSE_S)
        return Says(" ".join(texts), chunk=len(texts[0]) + 1, delay_s=PAUSE_S)

    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), serve_under_review=True)
        async with (
            open_program(settings, say=lambda line: None) as program,
            written_by(program, pauses) as writing,
        ):
            waits, written, quoted = [], [], []
            for n in range(questions + 1):
                question = QUESTIONS[n % len(QUESTIONS)]
                start = time.process_time()
                await program.assistant.ask(f"quoted-{n}", question, "benchmark")
                quoted.append(time.process_time() - start)
                start, first = time.process_time(), None
                stream = writing.program.assistant.stream(f"written-{n}", question, "benchmark")
                async for _ in stream:
                    first = first or time.monotonic()
                written.append(time.process_time() - start)
                assert first is not None
                waits.append(first - asked[-1])
    # The first question loads what is loaded once.
    return {
        "questions": questions,
        "first sentence, ms after the model sent it": _ms(waits[1:]),
        "first sentence, slowest, ms": round(1000 * max(waits[1:]), 1),
        "CPU of a written answer, ms": _ms(written[1:]),
        "CPU of the same answer quoted, ms": _ms(quoted[1:]),
    }


def _ms(seconds: list[float]) -> float:
    return round(1000 * statistics.median(seconds), 1)


def main() -> None:
    """Prints the figures."""
    sys.path.insert(0, str(ROOT / "tests"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--json", type=Path, help="put the figures into this file")
    args = parser.parse_args()
    found = asyncio.run(measure(args.questions))
    for name, value in found.items():
        print(f"{name:45} {value:8}")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
