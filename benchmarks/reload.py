"""What a reload costs, against embedding alone, and what questions feel of it.

    python -m benchmarks.reload [--articles 2000] [--figures FILE]

Articles are made of words of the sample articles, eight passages each. In one run: the processor
time of embedding all passages and nothing else (the baseline), of a full build, and of a reload
with one changed article; then questions at a steady pace, idle and during a full build.
"""

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.app import Desk, Program, open_desk, open_program, reload_at
from bot.settings import Settings
from store.article import passages
from store.parse import article_files, parse_paths
from store.reload import SAMPLES

PASSAGES = 8
QUESTIONS_A_SECOND = 2.0


def write_articles(folder: Path, count: int, seed: int = 7) -> None:
    """That many articles of eight bullets, of words as common as they are in the samples."""
    words = [
        w
        for f in parse_paths(article_files(SAMPLES))
        if f.article
        for _, s in f.article.statements()
        for w in s.text.split()
        if w.isalpha()
    ]
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (folder / f"made-{n}.md").write_text(_article(n, words, chance), encoding="utf-8")


def _article(n: int, words: Sequence[str], chance: random.Random) -> str:
    def sentence() -> str:
        return " ".join(chance.choices(words, k=chance.randint(15, 40))).capitalize()

    topic = " ".join(chance.choices(words, k=3))
    bullets = [f"- {sentence()}. [1]" for _ in range(PASSAGES)]
    probe = json.dumps(bullets[0][2:60])
    return "\n".join(
        [
            "---",
            f"slug: made-{n}",
            f"title: What is known of {topic}?",
            f"topic: {topic} {n}",
            "status: under_review",
            "updated: 2026-01-01",
            "references:",
            f"  1: {{kind: made, title: Made up for measuring {n}}}",
            "probes:",
            "  answerable:",
            f"    - {{question: {probe}, statements: [{probe}]}}",
            "---",
            "",
            "## From the research",
            "",
            *bullets,
            "",
        ]
    )


def cpu_s() -> float:
    """Processor time of this process and of its ended children, seconds."""
    spent = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        spent += usage.ru_utime + usage.ru_stime
    return spent


def embed_alone(folder: Path) -> None:
    """Embeds every passage as a build does, and nothing else; run in a process of its own."""
    from store.embeddings import MiniLM

    articles = [f.article for f in parse_paths(article_files(folder)) if f.article]
    texts = [p.embedded for a in articles for p in passages(a)]
    model = MiniLM()
    started = time.process_time()
    for at in range(0, len(texts), 32):
        model.embed_documents(texts[at : at + 32])
    print(json.dumps({"cpu_s": time.process_time() - started, "passages": len(texts)}))


def _embedded_alone(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.reload", "--embed-alone", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def _timed(desk: Desk) -> dict[str, float]:
    start, cpu = time.perf_counter(), cpu_s()
    report = await reload_at(desk, who="benchmark")
    return {
        "cpu_s": round(cpu_s() - cpu, 2),
        "wall_s": round(time.perf_counter() - start, 2),
        "passages": report.passages,
        "embedded": report.embedded,
        "recall": report.recall,
    }


async def _ask(program: Program, seconds: float, until: "asyncio.Task[Any] | None") -> list[float]:
    """Milliseconds from question to reply, at a steady pace: for some time, or until it is done."""
    questions = [p.question for a in await program.assistant.articles() for p in a.answerable]
    chance, took = random.Random(3), list[float]()
    started = time.perf_counter()
    while not until.done() if until else time.perf_counter() - started < seconds:
        begin = time.perf_counter()
        await program.assistant.ask(f"bench-{len(took) % 20}", chance.choice(questions), "bench")
        took.append((time.perf_counter() - begin) * 1000)
        await asyncio.sleep(max(0.0, 1 / QUESTIONS_A_SECOND - (time.perf_counter() - begin)))
    return took


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)] if values else 0.0


async def measure(folder: Path, count: int, idle_s: float) -> dict[str, Any]:
    """All figures, in a store made for it below `folder`."""
    articles = folder / "articles"
    write_articles(articles, count)
    alone = await asyncio.to_thread(_embedded_alone, articles)
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # of pydantic-settings
        data_dir=folder / "data",
        articles_dir=articles,
        serve_under_review=True,
    )
    async with open_desk(settings) as desk:
        full = await _timed(desk)
        changed = articles / "made-1.md"
        text = changed.read_text(encoding="utf-8")
        changed.write_text(
            text.replace("## From the research\n\n- ", "## From the research\n\n- And ")
        )
        one = await _timed(desk)
    async with open_program(settings, say=print) as program:
        await _ask(program, 5, None)  # the first questions read the build
        idle = await _ask(program, idle_s, None)
        for path in articles.iterdir():
            path.write_text(path.read_text(encoding="utf-8").replace("topic: ", "topic: new "))
        building = asyncio.create_task(reload_at(program.desk, who="benchmark"))
        busy = await _ask(program, 0, building)
        await building
    return {
        "embedding alone": alone,
        "full build": full,
        "one article changed": one,
        "full build / embedding alone, CPU": round(full["cpu_s"] / alone["cpu_s"], 3),
        "one changed / full build, CPU": round(one["cpu_s"] / full["cpu_s"], 4),
        "question p95 idle, ms": round(_p95(idle), 1),
        "question p95 during a full build, ms": round(_p95(busy), 1),
        "p95 during / idle": round(_p95(busy) / _p95(idle), 2),
        "questions": {"idle": len(idle), "during": len(busy)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--articles", type=int, default=2000, help="eight passages each")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of questions when idle")
    parser.add_argument("--figures", type=Path, help="write the figures there too")
    parser.add_argument("--embed-alone", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.embed_alone:
        embed_alone(options.embed_alone)
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), options.articles, options.idle))
    text = json.dumps(figures, indent=1)
    print(text)
    if options.figures:
        options.figures.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
