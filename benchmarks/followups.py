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
import json
import sys
import tempfile
import time
from collections.abc import Iterator
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
from store.embeddings import IDENTITY, MiniLM
from store.library import Library
from store.parse import read_statement
from store.sentences import sentence_spans
from store.turn import Turn


def _rows(path: Path) -> Iterator[dict[str, Any]]:
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


def _known(cache: Path, articles: list[Article], model: MiniLM) -> dict[str, index.Vectors]:
    """Vectors by content, kept between runs; what is missing is embedded with progress."""
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / "vectors.npz"
    known: dict[str, index.Vectors] = {}
    if path.exists():
        with np.load(path, allow_pickle=False) as f:
            known = dict(zip(f["names"].tolist(), f["vectors"], strict=True))
    cut = [p for a in articles for p in passages(a)]
    missing = {p.sha256: p.embedded for p in cut if p.sha256 not in known}
    started = time.monotonic()
    found = model.vectors(list(missing.values()))
    for n, (name, vector) in enumerate(zip(missing, found, strict=True), 1):
        known[name] = vector
        if n % 500 == 0 or n == len(missing):
            rate = n / (time.monotonic() - started)
            left = (len(missing) - n) / rate
            print(f"embedded {n}/{len(missing)}, {rate:.0f}/s, {left:.0f} s left", file=sys.stderr)
    if missing:
        np.savez(path, names=np.array(list(known)), vectors=np.vstack(list(known.values())))
    return known


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


async def run(options: argparse.Namespace, folder: Path) -> None:
    model = MiniLM()
    articles, names = [], {}
    for row in _rows(options.articles):
        article = article_of(row, not options.no_headings)
        names[article.slug] = row["id"]
        articles.append(article)
    known = _known(options.cache, articles, model)
    rules = ServingRules()
    manifest, _ = index.write_build(
        folder / "builds",
        articles,
        embeddings=lambda: model,
        embedder=IDENTITY,
        rules=rules,
        source="benchmark",
        known=known,
    )
    database = await Database.open(sqlite_url(folder / "corollary.db"))
    await database.switch(manifest.id, {}, "benchmark")
    library = Library(database, folder / "builds", IDENTITY)
    assistant = Assistant(
        library=library,
        database=database,
        embeddings=model,
        rules=rules,
        rarity=model.rarity,
        today=lambda: datetime.now(UTC).date(),
    )
    cpu, turns = 0.0, 0
    with options.out.open("w", encoding="utf-8") as out:
        for n, conversation in enumerate(_rows(options.conversations)):
            if options.limit and n >= options.limit:
                break
            for asked in conversation["turns"]:
                start, cpu_start = time.perf_counter(), time.process_time()
                turn = await assistant.ask(conversation["id"], asked["text"], "benchmark")
                cpu += time.process_time() - cpu_start
                turns += 1
                latency_ms = (time.perf_counter() - start) * 1000
                out.write(json.dumps(_line(asked["id"], turn, names, latency_ms)) + "\n")
    print(
        f"{len(articles)} articles, {manifest.passages} passages, {turns} turns, "
        f"{1000 * cpu / max(1, turns):.1f} ms of CPU a turn",
        file=sys.stderr,
    )
    await library.close()
    await database.close()


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
