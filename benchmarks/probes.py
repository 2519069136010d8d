"""The articles' own probes, asked as follow-ups after their article was opened.

    python -m benchmarks.probes [--articles DIR] [--questions FILE] [--json FILE] [--figures FILE]
                                [--show]

With FILE, questions that the articles do not have, and that the store was not calibrated with
(benchmarks/dialogues/asked_of_samples.jsonl): a line each, {"article", "question", "statements",
"critical"}. Answered: the reply quotes one of the statements. Refused, where there are none: the
reply quotes nothing. Critical: of doses, pregnancy, anticoagulants and the like. The baseline in
the same run is the usual one: the last question as it stands against all passages by MiniLM, four
passages, never refusing.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.followups import rows_of
from chains.answer import Answerer
from chains.assistant import Assistant
from chains.calibrate import study
from store import index
from store.article import ServingRules
from store.conversations import Database, sqlite_url
from store.embeddings import IDENTITY, MiniLM
from store.library import Library
from store.reload import SAMPLES, Recipe, in_a_thread, reload


@asynccontextmanager
async def samples(
    folder: Path, articles_dir: Path = SAMPLES
) -> AsyncIterator[tuple[Assistant, MiniLM, index.Build]]:
    """An assistant over a store of these articles, made below `folder` as a reload makes it."""
    rules, model = ServingRules(serve_under_review=True), MiniLM()
    database = await Database.open(sqlite_url(folder / "corollary.db"))
    answerer = Answerer(embeddings=model, rules=rules, rarity=model.rarity)
    worker = in_a_thread(model, lambda build: study(answerer, build))
    recipe = Recipe(articles_dir, rules, IDENTITY)
    await reload(database, folder / "builds", recipe, worker, who="benchmark")
    library = Library(database, folder / "builds", IDENTITY)
    assistant = Assistant(
        library=library, database=database, embeddings=model, rules=rules, rarity=model.rarity
    )
    async with library.borrow() as build:
        yield assistant, model, build
    await library.close()
    await database.close()


async def measure(
    assistant: Assistant, model: MiniLM, build: index.Build, questions: Path | None = None
) -> dict[str, Any]:
    """Counts and the single outcomes."""
    outcomes: list[dict[str, Any]] = []
    given = rows_of(questions) if questions else probes_of(build)
    for n, asked in enumerate(given):
        expected = asked["statements"]
        conversation = f"{questions.stem if questions else 'probe'}-{n}"
        outcome = await _ask(assistant, asked["article"], asked["question"], conversation)
        quoted = outcome["quoted"]
        outcome["expected"] = "answer" if expected else "refusal"
        outcome["style"] = asked.get("style", "question")
        outcome["critical"] = asked.get("critical", False)
        outcome["right"] = any(t in expected for t in quoted) if expected else not quoted
        outcome["baseline"] = baseline(build, model, asked["question"], expected)
        outcomes.append(outcome)
    groups = {
        "answerable": [o for o in outcomes if o["expected"] == "answer"],
        "answerable, paraphrased": [o for o in outcomes if o["style"] == "paraphrase"],
        "unanswerable refused": [o for o in outcomes if o["expected"] == "refusal"],
        "unanswerable, critical": [
            o for o in outcomes if o["expected"] == "refusal" and o["critical"]
        ],
    }
    groups["answerable"] = [o for o in groups["answerable"] if o["style"] == "question"]
    figures = {
        name: {
            "n": len(own),
            "right": _share(own, "right"),
            "baseline": _share(own, "baseline"),
        }
        for name, own in groups.items()
        if own
    }
    return {"figures": figures, "outcomes": outcomes}


def probes_of(build: index.Build) -> Iterator[dict[str, Any]]:
    """The probes of a build's articles."""
    for article in build.articles.values():
        for probe in article.answerable:
            for style, asked in [
                ("question", probe.question),
                *(("paraphrase", p) for p in probe.paraphrases),
            ]:
                yield {
                    "article": article.slug,
                    "question": asked,
                    "statements": probe.statements,
                    "style": style,
                }
        for refused in article.unanswerable:
            yield {"article": article.slug, "question": refused.question, "statements": ()}


async def _ask(assistant: Assistant, slug: str, question: str, conversation: str) -> dict[str, Any]:
    await assistant.choose_topic(conversation, slug, "benchmark")
    turn = await assistant.ask(conversation, question, "benchmark")
    return {
        "article": slug,
        "question": question,
        "kind": turn.kind.value,
        "topic": turn.topic.slug if turn.topic else None,
        "quoted": [q.text for q in turn.quotes()],
        "quoted_from": [q.article for q in turn.quotes()],
        "cited": sorted({n for q in turn.quotes() for n in q.citations}),
        "sources": [s.n for s in turn.sources],
        "confidence": round(turn.confidence, 3),
    }


def baseline(build: index.Build, model: MiniLM, question: str, statements: Sequence[str]) -> bool:
    """Whether one of the four passages nearest to the question as it stands has the answer."""
    hits = build.nearest(model.vector(question), 4)
    return any(s in build.passages[h.row].text for h in hits for s in statements)


def _share(outcomes: list[dict[str, Any]], key: str) -> float:
    return round(sum(bool(o[key]) for o in outcomes) / max(1, len(outcomes)), 3)


async def _measured(articles_dir: Path, questions: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with samples(Path(folder), articles_dir) as made:
            return await measure(*made, questions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--articles", type=Path, default=SAMPLES)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figures", type=Path, help="write the figures without the outcomes")
    parser.add_argument("--show", action="store_true", help="print what went wrong")
    options = parser.parse_args()
    result = asyncio.run(_measured(options.articles, options.questions))
    for name, f in result["figures"].items():
        print(f"{name:26} n={f['n']:3}  right {f['right']:.3f}  baseline {f['baseline']:.3f}")
    for o in result["outcomes"]:
        if options.show and not o["right"]:
            print(
                f"  wrong: {o['article']}: {o['question']} -> {o['kind']} ({o['topic']}) "
                f"{o['confidence']:.2f}"
            )
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    if options.figures:
        options.figures.write_text(json.dumps(result["figures"], indent=1) + "\n")


if __name__ == "__main__":
    main()
