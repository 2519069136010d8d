"""Builds: written whole or not at all, found damaged before the index library sees them."""

import errno
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from articles import (
    BODY,
    EMBEDDER,
    FORKS,
    REFERENCES,
    BrokenEmbeddings,
    CountingEmbeddings,
    an_article,
)

from store import index
from store.article import Article, ServingRules, passages
from store.errors import EmbedderMismatch, StoreProblem
from store.index import (
    Manifest,
    iter_manifests,
    kept_articles,
    kept_readings,
    known_readings,
    new_build_id,
    open_build,
    read_manifest,
    remove_builds,
    verify,
    write_build,
)

ARTICLES = [
    an_article(slug="aftercare"),
    an_article(BODY.replace("nine days", "ten days"), slug="scars", topic="Scars"),
]
RETRACTED = {"1": {**REFERENCES["1"], "retracted": True}, "2": REFERENCES["2"]}


def write(root: Path, articles: list[Article] | None = None, **how: Any) -> Manifest:
    embeddings = how.pop("embeddings", CountingEmbeddings())
    manifest, _ = write_build(
        root,
        ARTICLES if articles is None else articles,
        embeddings=lambda: embeddings,
        embedder=how.pop("embedder", EMBEDDER),
        rules=ServingRules(serve_under_review=True),
        source="test",
        **how,
    )
    return manifest


def opened(root: Path, build: str) -> index.Build:
    return open_build(root, build, embedder=EMBEDDER)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """A build to read, or to copy."""
    root = tmp_path_factory.mktemp("whole")
    return root, write(root)


@pytest.fixture
def copy(whole: tuple[Path, Manifest], tmp_path: Path) -> tuple[Path, str]:
    """A build of one's own to spoil."""
    root, manifest = whole
    shutil.copytree(root / manifest.id, tmp_path / manifest.id)
    return tmp_path, manifest.id


@pytest.fixture
def chroma_stays_shut(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails the test when the index library is asked to open anything."""

    def refuse(folder: Path) -> None:
        raise AssertionError(f"Chroma was handed {folder}")

    monkeypatch.setattr(index, "_chroma", refuse)
    yield


def test_every_passage_of_a_build_finds_itself(whole: tuple[Path, Manifest]) -> None:
    root, manifest = whole
    build = opened(root, manifest.id)
    try:
        expected = [p for a in ARTICLES for p in passages(a)]
        assert build.passages == expected
        assert manifest.passages == len(expected) == len(build.vectors) == build.lexical.count
        for row, vector in enumerate(build.vectors):
            hits = build.nearest(vector, 3)
            assert len(hits) == 3
            assert hits[0].score == pytest.approx(1, abs=1e-5)
            assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
            # Equal texts of two articles have equal vectors only if their topics are equal too.
            assert hits[0].row == row
        assert len(build.nearest(build.vectors[0], 10_000)) == len(expected)
        assert build.articles == {a.slug: a for a in ARTICLES}
    finally:
        build.close()


def test_within_an_article_every_passage_has_its_exact_similarity(
    whole: tuple[Path, Manifest],
) -> None:
    root, manifest = whole
    build = open_build(root, manifest.id, embedder=EMBEDDER, vector_search=False)
    hits = build.within("scars", build.vectors[-1])
    assert [h.row for h in hits] == list(build.rows["scars"])
    assert hits[-1].score == pytest.approx(1, abs=1e-6)
    exact = [float(build.vectors[h.row] @ build.vectors[-1]) for h in hits]
    assert [h.score for h in hits] == pytest.approx(exact, abs=1e-6)
    with pytest.raises(KeyError):
        build.within("elsewhere", build.vectors[0])


def test_a_build_opens_twice_at_once_and_again_after_closing(
    whole: tuple[Path, Manifest],
) -> None:
    root, manifest = whole
    first, second = opened(root, manifest.id), opened(root, manifest.id)
    first.close()
    first.close()
    assert second.nearest(second.vectors[0], 1)[0].row == 0
    second.close()
    third = opened(root, manifest.id)
    assert third.nearest(third.vectors[1], 1)[0].row == 1
    third.close()


def test_statements_without_ground_never_enter_a_build(tmp_path: Path) -> None:
    article = an_article(references=RETRACTED)
    manifest = write(tmp_path, [article])
    build = opened(tmp_path, manifest.id)
    inside = " ".join(p.text for p in build.passages)
    stored = build._client.get_collection("passages", embedding_function=None).get()["ids"]
    assert sorted(stored) == sorted(p.id for p in build.passages)
    build.close()
    assert "nine days" not in inside
    assert "Redness faded" in inside
    assert "No guideline" in inside


@pytest.mark.parametrize("what", ["no article", "no quotable statement", "one passage"])
def test_the_smallest_builds_open_and_search(tmp_path: Path, what: str) -> None:
    empty = an_article("## From the research\n\n- Nothing cited here.\n")
    one = an_article("## From the research\n\n- One thing. [1]\n")
    articles = {"no article": [], "no quotable statement": [empty], "one passage": [one]}[what]
    manifest = write(tmp_path, articles)
    build = opened(tmp_path, manifest.id)
    vector = np.ones(16, np.float32)
    count = 1 if what == "one passage" else 0
    assert len(build.nearest(vector, 5)) == count
    for slug in build.articles:
        assert len(build.within(slug, vector)) == count
    build.close()


def test_passages_with_equal_text_are_all_kept(tmp_path: Path) -> None:
    twins = [replace(ARTICLES[0], slug=f"twin{n}") for n in range(8)]
    manifest = write(tmp_path, twins)
    build = opened(tmp_path, manifest.id)
    assert len(build.nearest(build.vectors[0], 100)) == manifest.passages == 8 * 3
    build.close()


# ---------------------------------------------------------------------- damage


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def scramble(path: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(path.stat().st_size))


def scramble_the_middle(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    middle = len(raw) // 2 // 4096 * 4096
    width = min(4096, len(raw) - middle)
    raw[middle : middle + width] = random.Random(7).randbytes(width)
    path.write_bytes(raw)


def delete(path: Path) -> None:
    path.unlink()


DAMAGE = [truncate, empty, zero, scramble, scramble_the_middle, delete]
FILES = [
    "manifest.json",
    "articles.json.gz",
    "vectors.npy",
    "lexical.npz",
    "chroma/chroma.sqlite3",
]


@pytest.mark.parametrize("harm", DAMAGE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.usefixtures("chroma_stays_shut")
def test_damage_is_found_and_named_before_the_index_library_sees_it(
    copy: tuple[Path, str], name: str, harm: Callable[[Path], None]
) -> None:
    root, build = copy
    harm(root / build / name)
    with pytest.raises(StoreProblem) as caught:
        opened(root, build)
    assert str(root / build / name) in str(caught.value)
    assert "corollary articles reload" in caught.value.todo
    assert "\n" not in str(caught.value)


def test_every_file_of_a_build_is_recorded_or_checked_otherwise(
    whole: tuple[Path, Manifest],
) -> None:
    root, manifest = whole
    below = {str(p.relative_to(root / manifest.id)) for p in (root / manifest.id).rglob("*.*")}
    unrecorded = {
        n for n in below if n not in manifest.files and (root / manifest.id / n).is_file()
    }
    # The segment of so small a store is made anew from SQLite whenever it is opened.
    assert {n for n in unrecorded if not n.endswith(".bin")} == {
        "manifest.json",
        "chroma/chroma.sqlite3",
    }


def test_a_changed_byte_inside_a_stored_vector_is_found(copy: tuple[Path, str]) -> None:
    root, build = copy
    vector = np.load(root / build / "vectors.npy")[2].tobytes()
    path = root / build / "chroma" / "chroma.sqlite3"
    raw = path.read_bytes()
    assert vector in raw
    path.write_bytes(raw.replace(vector, bytes(4) + vector[4:]))
    with pytest.raises(StoreProblem, match="damaged"):
        opened(root, build)


def test_a_file_of_another_build_is_damage_too(copy: tuple[Path, str]) -> None:
    root, build = copy
    other = write(root, ARTICLES[:1])
    shutil.copytree(root / other.id / "chroma", root / build / "chroma", dirs_exist_ok=True)
    with pytest.raises(StoreProblem, match="damaged"):
        opened(root, build)


@pytest.mark.usefixtures("chroma_stays_shut")
def test_a_large_index_is_recorded_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    lines = "".join(
        f"- Finding {n} was seen in the trial of the year {n}. [1]\n" for n in range(1100)
    )
    article = an_article("## From the research\n\n" + lines)
    manifest = write(tmp_path, [article])
    assert manifest.passages == 1100
    segment = [n for n in manifest.files if n.startswith("chroma/")]
    assert {"data_level0.bin", "link_lists.bin", "header.bin"} <= {Path(n).name for n in segment}
    opened(tmp_path, manifest.id).close()
    opened(tmp_path, manifest.id).close()  # reading has changed none of them
    for name in segment:
        kept = (tmp_path / manifest.id / name).read_bytes()
        (tmp_path / manifest.id / name).write_bytes(kept + b"\0")
        with pytest.raises(StoreProblem, match=Path(name).name):
            opened(tmp_path, manifest.id)
        (tmp_path / manifest.id / name).write_bytes(kept)


def test_a_failed_opening_leaves_the_build_to_be_opened_later(
    copy: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(build: index.Build) -> None:
        raise RuntimeError("index is odd")

    root, build = copy
    with monkeypatch.context() as patched:
        patched.setattr(index, "_spot_check", fail)
        with pytest.raises(StoreProblem, match="index is odd"):
            opened(root, build)
    opened(root, build).close()


def test_a_build_of_another_model_names_both(whole: tuple[Path, Manifest]) -> None:
    root, manifest = whole
    with pytest.raises(EmbedderMismatch) as caught:
        open_build(root, manifest.id, embedder="other 32")
    assert EMBEDDER in caught.value.what
    assert "other 32" in caught.value.what
    assert "COROLLARY_EMBEDDINGS" in caught.value.todo


def test_a_build_of_another_layout_is_refused(copy: tuple[Path, str]) -> None:
    root, build = copy
    path = root / build / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 99}))
    with pytest.raises(StoreProblem, match="layout 99"):
        opened(root, build)


def test_builds_of_one_second_sort_in_the_order_of_their_making(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    apart = [0, 1, 15, 16, 999, 1_000, 65_536, 999_999, 1_000_000]
    times = iter([start + timedelta(microseconds=n) for n in apart])

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            at = next(times)
            return cls.combine(at.date(), at.timetz())

    monkeypatch.setattr(index, "datetime", Clock)
    made = [new_build_id() for _ in apart]
    assert made == sorted(made)
    assert all(re.fullmatch(r"20260102T03040[56]-[0-9a-f]{6}", name) for name in made)


def test_a_build_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreProblem, match="20260101T000000-abcdef"):
        opened(tmp_path, "20260101T000000-abcdef")


def test_what_chroma_could_not_start_is_not_kept(
    copy: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that was full, or a panic of its Rust half, must not outlast its cause."""
    from chromadb.api.rust import RustBindingsAPI
    from chromadb.errors import InternalError

    class PanicException(BaseException):  # noqa: N818 - its name in pyo3
        pass

    def fail(self: object) -> None:
        raise problem

    root, build = copy
    for problem in (InternalError("disk is full"), PanicException("too many open files")):
        with monkeypatch.context() as patched:
            patched.setattr(RustBindingsAPI, "start", fail)
            with pytest.raises(StoreProblem, match=str(problem)):
                opened(root, build)
            with pytest.raises(StoreProblem, match=str(problem)):
                write(root)
        opened(root, build).close()


def test_a_file_that_cannot_be_read_is_a_problem_in_words(
    copy: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    root, build = copy
    monkeypatch.setattr(np, "load", fail)
    with pytest.raises(StoreProblem, match="cannot be read: .*: Too many open files"):
        opened(root, build)


# ---------------------------------------------------------------------- changing an index

BIG = 21
"""Articles of a hundred passages each: as many as an index has that is changed in a copy."""


def big(article: int, saying: str = "was seen", lines: int = 100) -> Article:
    body = "## From the research\n\n" + "".join(
        f"- Finding {n} of article {article} {saying} in the trial of many years. [1]\n"
        for n in range(lines)
    )
    return an_article(body, slug=f"big-{article:02}", topic=f"Topic {article}")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest, list[Article]]:
    """A build of 2,100 passages, and its articles."""
    root = tmp_path_factory.mktemp("large")
    articles = [big(n) for n in range(BIG)]
    return root, write(root, articles), articles


def grow(root: Path, earlier: str, articles: list[Article]) -> Manifest:
    """A build of these articles out of an earlier one."""
    old = open_build(root, earlier, embedder=EMBEDDER, vector_search=False)
    return write(root, articles, known=known_readings(old), grown_from=old)


def same_as_exact(root: Path, build: str, queries: int = 200) -> None:
    """Fails unless the index finds what an exact search finds."""
    indexed = opened(root, build)
    exact = open_build(root, build, embedder=EMBEDDER, vector_search=False)
    asked = np.random.default_rng(5).normal(size=(queries, 16)).astype(np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    found = 0
    for near, right in zip(indexed.nearest_of(asked, 10), exact.nearest_of(asked, 10), strict=True):
        assert len(near) == 10
        found += len({h.row for h in near} & {h.row for h in right})
        assert [h.score for h in near] == sorted((h.score for h in near), reverse=True)
        assert near[0].score == pytest.approx(right[0].score, abs=1e-5)
    assert found >= queries * 10 * 0.999
    assert verify(indexed).recall >= 0.999
    indexed.close()


def test_a_small_change_is_made_in_a_copy_of_the_index(
    large: tuple[Path, Manifest, list[Article]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, first, articles = large
    # 40 passages go, 30 others come, all the rest stays.
    changed = [*articles[:-1], big(BIG - 1, lines=60), big(BIG, lines=30)]
    before = index.digest(root / first.id / "chroma" / "chroma.sqlite3")
    with monkeypatch.context() as patched:
        patched.setattr(index, "_fill_chroma", None)  # not made anew
        grown = grow(root, first.id, changed)
    assert (grown.passages, grown.deleted) == (2090, 40)
    assert index.digest(root / first.id / "chroma" / "chroma.sqlite3") == before
    same_as_exact(root, grown.id)
    same_as_exact(root, grown.id)  # opening it has changed nothing
    same_as_exact(root, first.id)
    full = write(root, changed)
    assert full.deleted == 0
    one, other = opened(root, grown.id), opened(root, full.id)
    assert np.array_equal(one.vectors, other.vectors)
    for a, b in zip(
        one.nearest_of(one.vectors[::10], 5), other.nearest_of(one.vectors[::10], 5), strict=True
    ):
        assert [h.row for h in a] == [h.row for h in b]
    one.close()
    other.close()


def keep_open(root: Path, build: str, opened_there: Any, done: Any) -> None:
    """Another process that serves a build."""
    found = open_build(root, build, embedder=EMBEDDER)
    opened_there.set()
    done.wait(120)
    sound = all(h[0].score > 0.999 for h in found.nearest_of(np.asarray(found.vectors), 1))
    os._exit(0 if sound else 1)


def test_an_index_is_changed_thirty_times_while_others_read_it(
    large: tuple[Path, Manifest, list[Article]],
) -> None:
    root, first, articles = large
    opened_there, done = FORKS.Event(), FORKS.Event()
    reader = FORKS.Process(target=keep_open, args=(root, first.id, opened_there, done))
    reader.start()
    assert opened_there.wait(60)
    last = first
    for n in range(30):
        articles = [*articles[: BIG - 1], big(BIG - 1, f"was seen {n} times", lines=10)]
        grown = grow(root, last.id, articles)
        # What was there at first went in the first step; ten more go in each.
        assert grown.deleted == 100 + 10 * n
        if last is not first:
            shutil.rmtree(root / last.id)
        last = grown
        if n % 10 == 9:
            same_as_exact(root, last.id)
    done.set()
    reader.join(60)
    assert reader.exitcode == 0
    shutil.rmtree(root / last.id)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (lambda a: [*a[:-1], big(40), big(41), big(42)], "a tenth is new"),
        (lambda a: a[: BIG - 3], "too few are left"),
        (lambda a: [], "none is left"),
    ],
    ids=["much new", "few left", "none left"],
)
def test_a_large_change_makes_the_index_anew(
    large: tuple[Path, Manifest, list[Article]],
    changed: Callable[[list[Article]], list[Article]],
    why: str,
) -> None:
    root, first, articles = large
    old = open_build(root, first.id, embedder=EMBEDDER, vector_search=False)
    ids = [p.id for a in changed(articles) for p in passages(a)]
    assert index._growth(old, ids, EMBEDDER) is None, why
    ids = [p.id for p in old.passages]
    assert index._growth(old, ids, EMBEDDER) is not None
    assert index._growth(old, ids, "other 16") is None
    assert index._growth(None, ids, EMBEDDER) is None


def test_an_index_from_which_much_was_taken_is_made_anew(
    large: tuple[Path, Manifest, list[Article]],
) -> None:
    root, first, articles = large
    old = open_build(root, first.id, embedder=EMBEDDER, vector_search=False)
    ids = [p.id for a in [*articles[:-1], big(BIG - 1, "was unseen", 10)] for p in passages(a)]
    found = index._growth(old, ids, EMBEDDER)
    assert found is not None and found.deleted == 100
    most = int(index.MOST_DELETED * len(ids))
    old.manifest = replace(first, deleted=most - 100)
    assert index._growth(old, ids, EMBEDDER) is not None
    old.manifest = replace(first, deleted=most - 99)
    assert index._growth(old, ids, EMBEDDER) is None


# ---------------------------------------------------------------------- writing


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (RuntimeError("the model broke"), RuntimeError),
        (OSError(errno.ENOSPC, "No space left on device"), StoreProblem),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_while_writing_leaves_no_folder(
    tmp_path: Path, problem: Any, expected: type[BaseException]
) -> None:
    with pytest.raises(expected):
        write(tmp_path, embeddings=BrokenEmbeddings(problem, after=0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["_fill_chroma", "_dump_articles", "_write_durably"])
def test_a_full_disk_at_any_step_leaves_no_folder_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(index, step, full)
    with pytest.raises(StoreProblem, match="No space left") as caught:
        write(tmp_path)
    assert "has not changed" in caught.value.todo
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf")])
def test_a_vector_that_says_nothing_is_refused(tmp_path: Path, bad: float) -> None:
    class Bad(CountingEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[bad] * 16 for _ in texts]

    with pytest.raises(StoreProblem, match="no usable vector for a passage of aftercare"):
        write(tmp_path, embeddings=Bad())
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_does_not_answer_for_itself_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = index._fill_chroma
    monkeypatch.setattr(
        index,
        "_fill_chroma",
        lambda folder, ids, vectors, progress: fill(folder, ids, vectors[::-1], progress),
    )
    manifest = write(tmp_path)
    with pytest.raises(StoreProblem, match="its index has another"):
        opened(tmp_path, manifest.id)
    monkeypatch.setattr(index, "_spot_check", lambda build: None)
    build = opened(tmp_path, manifest.id)
    with pytest.raises(StoreProblem, match="does not find passage"):
        verify(build)
    build.close()


def test_a_new_build_is_asked_for_every_passage_and_for_its_neighbours(
    whole: tuple[Path, Manifest],
) -> None:
    root, manifest = whole
    build = opened(root, manifest.id)
    steps: list[str] = []
    found = verify(build, lambda step, done, total: steps.append(step))
    build.close()
    assert (found.self_queries, found.recall) == (manifest.passages, 1.0)
    assert set(steps) == {"verifying"}


def test_an_index_that_misses_neighbours_is_refused(
    whole: tuple[Path, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, manifest = whole
    build = opened(root, manifest.id)
    near = build.nearest_of
    # Each passage finds itself and nothing else that is near it.
    monkeypatch.setattr(
        index.Build, "nearest_of", lambda self, vectors, k: [h[:1] for h in near(vectors, k)]
    )
    with pytest.raises(StoreProblem, match="17% of what an exact search finds"):
        verify(build)
    build.close()


def test_without_its_index_a_build_compares_exactly(whole: tuple[Path, Manifest]) -> None:
    root, manifest = whole
    indexed = opened(root, manifest.id)
    plain = open_build(root, manifest.id, embedder=EMBEDDER, vector_search=False)
    for vector in indexed.vectors:
        assert [h.row for h in indexed.nearest(vector, 3)] == [
            h.row for h in plain.nearest(vector, 3)
        ]
    indexed.close()


def test_what_a_damaged_build_was_made_of_is_kept(copy: tuple[Path, str]) -> None:
    root, build = copy
    manifest = read_manifest(root, build)
    shutil.rmtree(root / build / "chroma")
    articles = kept_articles(root, manifest)
    assert [a.slug for a in articles] == ["aftercare", "scars"]
    assert len(kept_readings(root, manifest, articles)) == 6
    (root / build / "vectors.npy").write_bytes(b"x")
    assert kept_readings(root, manifest, articles) == {}
    (root / build / "articles.json.gz").write_bytes(b"x")
    with pytest.raises(StoreProblem, match="articles.json.gz"):
        kept_articles(root, manifest)


def test_a_disk_too_small_for_the_build_is_seen_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "BYTES_A_PASSAGE", 10**18)
    with pytest.raises(StoreProblem, match="MB are free") as caught:
        write(tmp_path / "builds")
    assert str(tmp_path) in caught.value.what
    assert "Free" in caught.value.todo
    assert list(tmp_path.iterdir()) == []


def test_only_passages_that_changed_are_embedded_again(whole: tuple[Path, Manifest]) -> None:
    root, manifest = whole
    known = known_readings(opened(root, manifest.id))
    changed = [ARTICLES[0], an_article(BODY.replace("nine", "six"), slug="scars", topic="Scars")]
    embeddings, steps = CountingEmbeddings(), []
    again = write(
        root,
        changed,
        embeddings=embeddings,
        known=known,
        progress=lambda step, done, total: steps.append((step, done, total)),
    )
    assert [("six days" in t) for t in embeddings.asked] == [True]
    assert [s for s in steps if s[0] == "embedding"] == [("embedding", 1, 1)]
    first, second = opened(root, manifest.id), opened(root, again.id)
    assert np.array_equal(first.vectors[:3], second.vectors[:3])
    first.close()
    second.close()


def test_vectors_are_stored_at_unit_length(tmp_path: Path) -> None:
    manifest = write(tmp_path)
    vectors = np.load(tmp_path / manifest.id / "vectors.npy")
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)
    assert manifest.dimensions == 16


# ---------------------------------------------------------------------- keeping house


def test_builds_not_kept_are_removed_and_files_left_alone(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / ".lock").write_text("")
    assert remove_builds(tmp_path, {"b"}, older_than_s=3600) == []
    assert remove_builds(tmp_path, {"b"}) == ["a", "c"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [".lock", "b"]
    assert remove_builds(tmp_path / "nowhere", set()) == []


def test_manifests_are_those_of_whole_builds(whole: tuple[Path, Manifest], tmp_path: Path) -> None:
    root, manifest = whole
    shutil.copytree(root / manifest.id, tmp_path / manifest.id)
    (tmp_path / "half").mkdir()
    assert [m.id for m in iter_manifests(tmp_path)] == [manifest.id]
    assert read_manifest(tmp_path, manifest.id) == manifest
