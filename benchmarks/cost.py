"""What a turn costs in processor time, and what the process that answers holds in memory.

    python -m benchmarks.cost --articles FILE[.gz] --conversations FILE [--turns 200]
                              [--data DIR] [--cache DIR] [--figures FILE]

Files as in benchmarks/followups.py. The store is made in a process of its own (in DATA, where it
is found again by the next run), and served by another: memory is what that one has resident, and
processor time that of all its threads. The baseline is the embedding of the question and nothing
else, in the same process.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

WARMING = 5
"""Turns that are not counted: what is read once is read in them."""


def resident_mb() -> dict[str, float]:
    """Resident memory of this process, MB: all of it, and the part that no file could give back.
    Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kb = {k: v.split()[0] for k, _, v in (line.partition(":") for line in lines) if v.split()}
    return {
        "resident": round(int(kb["VmRSS"]) / 1024, 1),
        "of its own": round(int(kb["RssAnon"]) / 1024, 1),
    }


def spread(conversations: Sequence[dict[str, Any]], turns: int) -> list[dict[str, Any]]:
    """Conversations from all over the list, of that many turns or a few more."""
    mean = sum(len(c["turns"]) for c in conversations) / max(1, len(conversations))
    step = max(1.0, len(conversations) * mean / turns)
    found, asked, at = [], 0, 0.0
    while asked < turns and int(at) < len(conversations):
        found.append(conversations[int(at)])
        asked += len(found[-1]["turns"])
        at += step
    return found


def make(articles: Path, data: Path, cache: Path) -> None:
    """Makes the store."""
    from benchmarks.followups import article_of, build_store, rows_of
    from store.embeddings import MiniLM

    made = [article_of(row, headings=True) for row in rows_of(articles)]
    asyncio.run(build_store(data, made, cache, MiniLM()))


def serve(conversations: Path, data: Path, turns: int, answer: Callable[[Any], None]) -> None:
    """Answers from the store, and says what that took."""
    answer(asyncio.run(_serve(conversations, data, turns)))


async def _serve(conversations: Path, data: Path, turns: int) -> dict[str, Any]:
    memory = {"interpreter": resident_mb()}
    from benchmarks.followups import open_assistant, rows_of
    from store.embeddings import MiniLM

    memory["imports"] = resident_mb()
    model = MiniLM()
    model.load()
    memory["model"] = resident_mb()
    asked = spread(list(rows_of(conversations)), turns)
    texts = [t["text"] for c in asked for t in c["turns"]]
    alone, cpu = [], []
    for text in texts:
        start = time.process_time()
        model.vector(text)
        alone.append(1000 * (time.process_time() - start))
    stages: dict[str, list[float]] = defaultdict(list)
    new = [text not in texts[:n] for n, text in enumerate(texts)]
    async with open_assistant(data, model, time.process_time) as assistant:
        articles = len(await assistant.articles())
        memory["store opened"] = resident_mb()
        for conversation in asked:
            for said in conversation["turns"]:
                start = time.process_time()
                turn = await assistant.ask(conversation["id"], said["text"], "benchmark")
                cpu.append(1000 * (time.process_time() - start))
                if len(cpu) == 1:
                    memory["first turn"] = resident_mb()
                if len(cpu) > WARMING:
                    for stage, ms in turn.timings_ms.items():
                        stages[stage].append(ms)
        memory[f"{len(cpu)} turns"] = resident_mb()
    cpu, alone, new = cpu[WARMING:], alone[WARMING:], new[WARMING:]
    # Questions that were asked before are not read again.
    first = [ms for ms, is_new in zip(cpu, new, strict=True) if is_new]
    return {
        "articles": articles,
        "turns": len(cpu),
        "CPU of a turn, ms": {
            "median": round(statistics.median(cpu), 1),
            "95 of 100": round(statistics.quantiles(cpu, n=20)[-1], 1),
        },
        "of those asked for the first time": {
            "turns": len(first),
            "median": round(statistics.median(first), 1) if first else None,
        },
        "by stage, median ms": {s: round(statistics.median(ms), 1) for s, ms in stages.items()},
        "embedding the question alone, median ms": round(statistics.median(alone), 1),
        "a turn / embedding alone": round(statistics.median(cpu) / statistics.median(alone), 2),
        "memory, MB": memory,
    }


def measure(options: argparse.Namespace, data: Path) -> dict[str, Any]:
    """The figures of one store."""
    context = multiprocessing.get_context("spawn")
    if not (data / "corollary.db").exists():
        _run(context.Process(target=make, args=(options.articles, data, options.cache)))
    answers = context.SimpleQueue()
    args = (options.conversations, data, options.turns, answers.put)
    _run(context.Process(target=serve, args=args))
    found: dict[str, Any] = answers.get()
    return found


def _run(process: Any) -> None:
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=Path, required=True)
    parser.add_argument("--conversations", type=Path, required=True)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--data", type=Path, help="where the store is kept (default: nowhere)")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "corollary-bench")
    parser.add_argument("--figures", type=Path, help="JSON file that the figures are added to")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options, options.data or Path(folder))
    told = json.dumps(found, indent=1)
    print(told)
    if options.figures:
        every = json.loads(options.figures.read_bytes()) if options.figures.exists() else {}
        every[f"{found['articles']} articles"] = found
        options.figures.write_text(json.dumps(every, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
