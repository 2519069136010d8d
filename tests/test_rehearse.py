"""What a reload would change for those who ask is seen before it happens."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from articles import BODY, EMBEDDER, TODAY, CountingEmbeddings, Shelf

from chains.answer import Answerer
from chains.learned import LEARNED
from chains.rehearse import MOST_OTHERS, rehearse
from store.article import ServingRules
from store.conversations import Database
from store.index import Build, open_build
from store.records import AskedBefore
from store.report import Rehearsal

PROBES: dict[str, list[dict[str, Any]]] = {
    "answerable": [
        {
            "question": "How long until wounds closed in the trial?",
            "statements": ["Wounds closed after nine days"],
        }
    ],
    "unanswerable": [{"question": "What does a tattoo of a swallow cost in pregnancy?"}],
}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.put("aftercare", probes=PROBES)
    return made


@pytest.fixture
async def database(shelf: Shelf) -> AsyncIterator[Database]:
    opened = await shelf.database()
    yield opened
    await opened.close()


async def two_builds(shelf: Shelf, database: Database) -> tuple[Build, Build]:
    builds = []
    for front in ({"probes": PROBES}, {}):
        if not front:
            gone = "- Wounds closed after nine days in most"
            body = BODY.replace(gone, "- Nobody healed, of all")
            shelf.put("aftercare", body, probes=PROBES)
        report = await shelf.reload(database)
        assert report.build
        builds.append(open_build(shelf.builds, report.build, embedder=EMBEDDER))
    return builds[0], builds[1]


@pytest.fixture(autouse=True)
def _sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vectors of the counting model say nothing of what is alike."""
    monkeypatch.setitem(LEARNED["refuse"], "below", 0.0)


def put(
    old: Build | None, new: Build, touched: list[str], real: list[AskedBefore] | None = None
) -> Rehearsal:
    answerer = Answerer(
        embeddings=CountingEmbeddings(),
        rules=ServingRules(serve_under_review=True),
        rarity=lambda word: 0.0,
        today=lambda: TODAY,
    )
    return rehearse(old, new, touched, real or [], answerer, lambda step, done, total: None)


async def test_a_probe_that_no_longer_holds_is_named_with_what_changed(
    shelf: Shelf, database: Database
) -> None:
    old, new = await two_builds(shelf, database)
    found = put(old, new, ["aftercare"])
    old.close()
    new.close()
    assert (found.probes, found.questions) == (2, 0)
    assert ("aftercare", PROBES["answerable"][0]["question"]) in found.failing
    named = {d.question: d for d in found.differences}
    assert PROBES["answerable"][0]["question"] in named


async def test_the_same_articles_answer_the_same(shelf: Shelf, database: Database) -> None:
    await shelf.reload(database)
    report = await shelf.reload(database)
    build = open_build(shelf.builds, report.build or "", embedder=EMBEDDER)
    found = put(build, build, [])
    build.close()
    assert found.differences == ()
    assert found.failing == ()
    assert found.probes == 2


async def test_a_first_build_says_which_probes_do_not_hold(
    shelf: Shelf, database: Database
) -> None:
    shelf.put(
        "aftercare",
        probes={"answerable": [{**PROBES["answerable"][0], "statements": ["Redness faded"]}]},
    )
    report = await shelf.reload(database)
    build = open_build(shelf.builds, report.build or "", embedder=EMBEDDER)
    found = put(None, build, ["aftercare"])
    build.close()
    assert found.probes == 1
    assert found.held + len(found.failing) == 1


async def test_only_a_sample_of_untouched_articles_is_asked(
    shelf: Shelf, database: Database
) -> None:
    many = [{**PROBES["answerable"][0], "question": f"How long, in trial {n}?"} for n in range(90)]
    shelf.put("scars", topic="Scars", probes={"answerable": many})
    report = await shelf.reload(database)
    build = open_build(shelf.builds, report.build or "", embedder=EMBEDDER)
    assert put(build, build, []).probes == MOST_OTHERS
    assert put(build, build, ["scars"]).probes == 90 + 2
    build.close()
