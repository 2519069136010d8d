"""Multi-turn follow-up questions over a large store, through the assistant that serves clinicians.

    python -m benchmarks.followups --articles FILE[.gz] --conversations FILE --out RUN.jsonl
                                   [--limit N] [--no-headings] [--cache DIR]

ARTICLES: a JSON object a line: {"id", "title", "source", "url", "synonyms", "sections":
[{"id", "heading", "text"}]}; each becomes an approved article whose statements cite its own page.
CONVERSATIONS: {"id", "turns": [{"id", "text"}]} a line; nothing else of a turn is read. RUN: an
object a turn: {"turn_id", "ranked": [[article, section, score], ...], "topic", "abstained",
"confidence", "latency_ms"}.
"""

import argparse
import asyncio
import gzip
import hashlib
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from chains.assistant import Assistant
from store import index
from store.article import (
    Article,
    Part,
    Reference,
    Review,
    Section,
    ServingRules,
    Status,
    passages,
)
from store.conversations import Database, sqlite_url
from store.embeddings import DIMENSIONS, IDENTITY, MiniLM
from store.lexical import Lexical
from store.library import Library
from store.parse import read_statement
from store.sentences import sentence_spans
from store.tokens import Reading, Tokens
from store.turn import Turn


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as f:
        for line in f:
            if line.strip():
                yield json.loads(line)


def article_of(row: dict[str, Any], headings: bool) -> Article:
    """An approved article from a row; its statements cite the page they are from."""
    sections = []
    block = 0
    for part in row["sections"]:
        statements = []
        for paragraph in part["text"].split("\n"):
            text = paragraph.strip().removeprefix("- ").strip()
            block += 1
            for start, end in sentence_spans(text):
                found = read_statement(text[start:end], block=block)
                if found.text:
                    marks = ((len(found.text), (1,)),)
                    statements.append(replace(found, citations=(1,), marks=marks))
        heading = part["heading"] if headings else ""
        sections.append(Section(part["id"], Part.RESEARCH, heading, tuple(statements)))
    article = Article(
        slug=row["id"].lower(),
        title=row["title"],
        topic=row["title"],
        aliases=tuple(row.get("synonyms") or ()),
        status=Status.APPROVED,
        updated=date(2026, 1, 1),
        sections=tuple(sections),
        references=(
            Reference(1, row["id"], "web_page", row["title"], (row["source"],), url=row["url"]),
        ),
    )
    review = Review("benchmark", date(2026, 1, 1), "approve", article.sha256())
    return replace(article, reviews=(review,))


SHARD = 2000
"""Passages that are embedded before they are put into the cache: a kill loses no more."""


def known_readings(cache: Path, articles: list[Article], model: MiniLM) -> dict[str, Reading]:
    """What the model makes of these passages, by content; kept between runs and shared by them."""
    cache.mkdir(parents=True, exist_ok=True)
    cut = {p.sha256: p.embedded for a in articles for p in passages(a)}
    found: dict[str, Reading] = {}
    for kept in sorted(cache.glob("readings-*.npz")):
        found.update((name, r) for name, r in _cached(kept) if name in cut)
    missing = [name for name in cut if name not in found]
    started = time.monotonic()
    for at in range(0, len(missing), SHARD):
        own = missing[at : at + SHARD]
        new = dict(zip(own, model.readings([cut[name] for name in own]), strict=True))
        _cache(cache, new)
        found.update(new)
        done = at + len(own)
        rate = done / (time.monotonic() - started)
        left = (len(missing) - done) / rate
        print(f"embedded {done}/{len(missing)}, {rate:.0f}/s, {left:.0f} s left", file=sys.stderr)
    return found


def _cached(kept: Path) -> Iterator[tuple[str, Reading]]:
    with np.load(kept, allow_pickle=False) as f:
        names, start = f["names"].tolist(), f["start"]
        vectors, ids, signs = f["vectors"], f["ids"], f["signs"]
    for i, name in enumerate(names):
        span = slice(start[i], start[i + 1])
        yield name, Reading(vectors[i], ids[span], signs[span])


def _cache(cache: Path, found: dict[str, Reading]) -> None:
    name = hashlib.sha256("".join(sorted(found)).encode()).hexdigest()[:12]
    # Renamed when it is whole: other runs may be reading.
    whole, part = cache / f"readings-{name}.npz", cache / f"part-{name}-{os.getpid()}.npz"
    np.savez(
        part,
        names=np.array(list(found)),
        start=np.cumsum([0, *(len(r.ids) for r in found.values())]),
        vectors=np.vstack([r.vector for r in found.values()]),
        ids=np.concatenate([r.ids for r in found.values()]),
        signs=np.concatenate([r.signs for r in found.values()]),
    )
    part.replace(whole)


def in_memory(articles: Path, cache: Path, model: MiniLM) -> index.Build:
    """A build of these articles without an index on disk: it compares exactly."""
    made = [article_of(row, headings=True) for row in rows_of(articles)]
    known = known_readings(cache, made, model)
    readings = [known[p.sha256] for a in made for p in passages(a)]
    manifest = index.Manifest(
        "", "", "benchmark", IDENTITY, DIMENSIONS, False, 0, {}, len(readings)
    )
    lexical = Lexical.build([p.embedded for a in made for p in passages(a)])
    vectors = np.vstack([r.vector for r in readings])
    return index.Build(manifest, made, vectors, lexical, None, Tokens.of(readings))


def _line(turn_id: str, turn: Turn, names: dict[str, str], latency_ms: float) -> dict[str, Any]:
    ranked = []
    for slug, section, score in turn.ranked:
        ranked.append([names[slug], section, round(score, 4)])
    return {
        "turn_id": turn_id,
        "ranked": ranked,
        "topic": names[turn.topic.slug] if turn.topic else None,
        "abstained": not turn.quotes(),
        "confidence": round(turn.confidence, 4),
        "latency_ms": round(latency_ms, 2),
    }


async def build_store(
    folder: Path, articles: list[Article], cache: Path, model: MiniLM
) -> index.Manifest:
    """Makes a store of these articles in the folder, and serves it from there."""
    manifest, _ = index.write_build(
        folder / "builds",
        articles,
        embeddings=lambda: model,
        embedder=IDENTITY,
        rules=ServingRules(),
        source="benchmark",
        known=known_readings(cache, articles, model),
        progress=_say,
    )
    database = await Database.open(sqlite_url(folder / "corollary.db"))
    await database.switch(manifest.id, {}, "benchmark")
    await database.close()
    return manifest


def _say(step: str, done: int, total: int) -> None:
    if step != "embedding":
        print(f"{step} {done}/{total}", file=sys.stderr)


@asynccontextmanager
async def open_assistant(
    folder: Path, model: MiniLM, timer: Callable[[], float] = time.perf_counter
) -> AsyncIterator[Assistant]:
    """The assistant that serves clinicians, over the store in that folder."""
    database = await Database.open(sqlite_url(folder / "corollary.db"))
    library = Library(database, folder / "builds", IDENTITY)
    try:
        yield Assistant(
            library=library,
            database=database,
            embeddings=model,
            rules=ServingRules(),
            rarity=model.rarity,
            today=lambda: datetime.now(UTC).date(),
            timer=timer,
        )
    finally:
        await library.close()
        await database.close()


async def run(options: argparse.Namespace, folder: Path) -> None:
    model = MiniLM()
    articles = [article_of(r, not options.no_headings) for r in rows_of(options.articles)]
    names = {row["id"].lower(): row["id"] for row in rows_of(options.articles)}
    manifest = await build_store(folder, articles, options.cache, model)
    cpu: list[float] = []
    stages: dict[str, list[float]] = defaultdict(list)
    async with open_assistant(folder, model) as assistant:
        with options.out.open("w", encoding="utf-8") as out:
            for n, conversation in enumerate(rows_of(options.conversations)):
                if options.limit and n >= options.limit:
                    break
                for asked in conversation["turns"]:
                    start, cpu_start = time.perf_counter(), time.process_time()
                    turn = await assistant.ask(conversation["id"], asked["text"], "benchmark")
                    cpu.append(1000 * (time.process_time() - cpu_start))
                    for stage, ms in turn.timings_ms.items():
                        stages[stage].append(ms)
                    latency_ms = (time.perf_counter() - start) * 1000
                    out.write(json.dumps(_line(asked["id"], turn, names, latency_ms)) + "\n")
    print(
        f"{len(articles)} articles, {manifest.passages} passages, {len(cpu)} turns; "
        f"a turn (median): {statistics.median(cpu):.1f} ms of CPU, by stage "
        + ", ".join(f"{name} {statistics.median(ms):.1f}" for name, ms in stages.items())
        + f"; peak memory {_peak_mb()} MB",
        file=sys.stderr,
    )


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=Path, required=True)
    parser.add_argument("--conversations", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="conversations")
    parser.add_argument("--no-headings", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "corollary-bench")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(options, Path(folder)))


if __name__ == "__main__":
    main()
