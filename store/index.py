"""A build: everything the assistant searches, written once and never changed.

    builds/<id>/manifest.json     what it was made of, counts and checksums
    builds/<id>/articles.json.gz  the articles as parsed; from it the rest can be made again
    builds/<id>/vectors.npy       one unit vector a passage, float32, in passage order
    builds/<id>/lexical.npz       BM25 over the passages
    builds/<id>/tokens.npz        their word pieces, where the model gives those
    builds/<id>/signs.npy         the signs of the pieces' vectors
    builds/<id>/chroma/           the same vectors under an HNSW index (Malkov & Yashunin 2020)

Which build is served is not decided here: a row in the SQL database points at it, and a folder
no row points at is rubbish. Chroma is not safe for two processes that write one folder, so one
process fills the folder, closes it, and only then is the row switched. Within one article the
vectors are compared exactly, straight from vectors.npy; over the store Chroma is asked.
"""

import ctypes
import gzip
import hashlib
import json
import math
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from store.article import Article, Passage, Section, ServingRules, passages
from store.errors import EmbedderMismatch, StoreProblem
from store.lexical import Lexical
from store.rows import Rows, rows_at
from store.tokens import NO_IDS, NO_SIGNS, Reading, Tokens, read_passages

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

SCHEMA = 1
COLLECTION = "passages"
HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 32}
"""Chroma's defaults miss the nearest passage in 2 % of queries at 5,000 vectors; these miss none of
400 at 16,000, and an ef_construction of 400 costs half as much processor time again."""
_IN_SQLITE = 1000
"""With fewer vectors Chroma keeps no index on disk."""
ADD_BATCH = 2000
"""Chroma takes at most 5,461 records a call."""

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Progress = Callable[[str, int, int], None]
"""Called with the step ("embedding"), how much of it is done, and how much there is."""

Study = Callable[["Build"], dict[str, Any]]
"""Asks a build that is not yet served, and says what is to be kept with it."""

BYTES_A_PASSAGE = 9_000
"""Disk that a passage takes in a build, all told, to see a full disk coming (3,900 at 16,000)."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build was made of."""

    id: str
    created_at: str
    source: str
    embedder: str
    dimensions: int
    serve_under_review: bool
    grace_days: int
    articles: dict[str, str]
    """Slug to the SHA-256 of its text."""
    passages: int
    approvals: int = 1
    deleted: int = 0
    """Passages that were taken out of the index since it was made; they leave gaps in its graph."""
    study: dict[str, Any] = field(default_factory=dict)
    """What was learnt from asking the build before it is served."""
    files: dict[str, str] = field(default_factory=dict)
    """Path within the build to SHA-256, for every file that reading does not change."""
    schema: int = SCHEMA


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def new_build_id() -> str:
    """Never used before, and sorts by time to the microsecond, which is its hexadecimal part."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}-{now.microsecond:05x}{os.urandom(1).hex()[0]}"


# --------------------------------------------------------------------------- writing


def write_build(
    root: Path,
    articles: Sequence[Article],
    *,
    embeddings: Callable[[], "Embeddings"],
    embedder: str,
    rules: ServingRules,
    source: str,
    known: dict[str, Reading] | None = None,
    grown_from: "Build | None" = None,
    progress: Progress | None = None,
    study: Study | None = None,
) -> tuple[Manifest, int]:
    """Writes a build below `root` that nothing points at yet; its manifest, and how many passages
    were embedded.

    `known` maps a passage's SHA-256 to what an earlier build with the same embedder has of it; the
    model is opened only when some passage is not in it. When little differs from
    `grown_from`, its index is copied and changed, which is far quicker than to make one. Raises
    StoreProblem when the folder cannot be written; what was written is removed then.
    """
    build = new_build_id()
    folder = root / build
    try:
        cut = [p for a in articles for p in passages(a)]
        _refuse_full_disk(root, len(cut))
        folder.mkdir(parents=True)
        readings, embedded = _read(cut, embeddings, known or {}, progress)
        vectors = _stacked(readings)
        if progress:
            progress("indexing", 0, len(cut))
        np.save(folder / "vectors.npy", vectors)
        tokens = Tokens.of(readings)
        if tokens is not None:
            tokens.save(folder)
        (folder / "articles.json.gz").write_bytes(_dump_articles(articles))
        lexical = Lexical.build([p.embedded for p in cut])
        (folder / "lexical.npz").write_bytes(lexical.dumps())
        ids = [p.id for p in cut]
        growth = _growth(grown_from, ids, embedder)
        if growth is None:
            _fill_chroma(folder / "chroma", ids, vectors, progress)
        else:
            assert grown_from is not None
            _copy_chroma(root / grown_from.id / "chroma", folder / "chroma")
            _change_chroma(folder / "chroma", growth, ids, vectors)
        manifest = Manifest(
            id=build,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            source=source,
            embedder=embedder,
            dimensions=int(vectors.shape[1]) if len(vectors) else 0,
            serve_under_review=rules.serve_under_review,
            grace_days=rules.grace_days,
            approvals=rules.approvals,
            deleted=growth.deleted if growth else 0,
            articles={a.slug: a.sha256() for a in articles},
            passages=len(cut),
            files=_digests(folder),
        )
        if study is not None:
            if progress:
                progress("calibrating", 0, 1)
            whole = Build(manifest, articles, vectors, lexical, None, tokens)
            manifest = replace(manifest, study=study(whole))
        _write_durably(folder / "manifest.json", json.dumps(asdict(manifest), indent=1).encode())
        return manifest, embedded
    except OSError as e:
        free = _free_mb(root)
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreProblem(
            f"The build cannot be written to {root}: {e.strerror or e} ({free} MB are free there).",
            "Free some space or make the folder writable; what is served has not changed.",
        ) from e
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _refuse_full_disk(root: Path, count: int) -> None:
    needed = count * BYTES_A_PASSAGE // 1_000_000 + 1
    free = _free_mb(root)
    if free < needed:
        raise StoreProblem(
            f"The disk of {root} is too full for a build: it needs about {needed} MB "
            f"and {free} MB are free.",
            f"Free {needed - free} MB or more; what is served has not changed.",
        )


def _free_mb(root: Path) -> int:
    there = next(p for p in (root, *root.parents) if p.exists())
    return shutil.disk_usage(there).free // 1_000_000


def _read(
    cut: Sequence[Passage],
    embeddings: Callable[[], "Embeddings"],
    known: dict[str, Reading],
    progress: Progress | None,
) -> tuple[list[Reading], int]:
    missing = [i for i, p in enumerate(cut) if p.sha256 not in known]
    done: dict[int, Reading] = {}
    step = 32
    model = embeddings() if missing else None
    for at in range(0, len(missing), step):
        assert model is not None
        chunk = missing[at : at + step]
        for i, reading in zip(
            chunk, read_passages(model, [cut[i].embedded for i in chunk]), strict=True
        ):
            norm = float(np.linalg.norm(reading.vector))
            if not math.isfinite(norm) or norm == 0.0:
                raise StoreProblem(
                    f"The embedding model gave no usable vector for a passage of {cut[i].article}.",
                    "Check the model with `corollary doctor`.",
                )
            done[i] = Reading(reading.vector / norm, reading.ids, reading.signs)
        if progress:
            progress("embedding", min(at + step, len(missing)), len(missing))
    new_size = {len(r.vector) for r in done.values()}
    if new_size and known and new_size != {len(r.vector) for r in known.values()}:
        # The model has another size than it had under the same name: nothing of it can stay.
        return _read(cut, embeddings, {}, progress)
    return [done[i] if i in done else known[p.sha256] for i, p in enumerate(cut)], len(missing)


def _stacked(readings: Sequence[Reading]) -> Vectors:
    if not readings:
        return np.zeros((0, 0), np.float32)
    return np.vstack([r.vector for r in readings]).astype(np.float32)


def _chroma(folder: Path) -> Any:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    try:
        # allow_reset stays off; telemetry is a no-op since 1.5, but older servers heed the flag.
        return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    except BaseException as e:
        # Chroma keeps what did not start, and would hand it out for this folder ever after.
        if str(folder) not in SharedSystemClient._identifier_to_refcount:
            SharedSystemClient._identifier_to_system.pop(str(folder), None)
        if type(e).__name__ == "PanicException":  # of its Rust half, and no Exception
            raise OSError(f"Chroma: {e}") from e
        raise


@contextmanager
def _open_chroma(folder: Path) -> Iterator[Any]:
    """The index for writing; its own errors (a full disk, too many open files) become OSError."""
    from chromadb.errors import ChromaError

    try:
        client = _chroma(folder)
        try:
            yield client
        finally:
            client.close()
    except ChromaError as e:
        raise OSError(f"Chroma: {e}") from e


def _fill_chroma(folder: Path, ids: list[str], vectors: Vectors, progress: Progress | None) -> None:
    with _open_chroma(folder) as client:
        collection = client.create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": HNSW}
        )
        for at in range(0, len(ids), ADD_BATCH):
            span = slice(at, at + ADD_BATCH)
            collection.add(ids=ids[span], embeddings=vectors[span])
            if progress:
                progress("indexing", min(at + ADD_BATCH, len(ids)), len(ids))


MOST_CHANGED = 0.1
"""Share of the passages up to which an index is changed rather than made anew."""
MOST_DELETED = 0.2
"""Share of the passages that may have been taken out of an index before it is made anew."""


@dataclass(frozen=True, slots=True)
class _Growth:
    """What makes the index of an earlier build that of a new one."""

    gone: list[str]
    new: list[int]
    """Positions of the new passages."""
    deleted: int


def _growth(earlier: "Build | None", ids: list[str], embedder: str) -> _Growth | None:
    """How to change the earlier index; None where a new one is better."""
    if earlier is None or earlier.manifest.embedder != embedder or not ids:
        return None
    before, after = {p.id for p in earlier.passages}, set(ids)
    gone = sorted(before - after)
    new = [i for i, name in enumerate(ids) if name not in before]
    deleted = earlier.manifest.deleted + len(gone)
    fits = (
        # Small ones have no index on disk, and are made in a moment.
        min(len(before), len(ids)) >= 2 * _IN_SQLITE
        and len(gone) + len(new) <= MOST_CHANGED * len(ids)
        and deleted <= MOST_DELETED * len(ids)
    )
    return _Growth(gone, new, deleted) if fits else None


def may_grow(earlier: "Build | None", articles: Sequence[Article], embedder: str) -> bool:
    """Whether the index of a build of these articles is that of the earlier one with changes."""
    return _growth(earlier, [p.id for a in articles for p in passages(a)], embedder) is not None


def _copy_chroma(source: Path, target: Path) -> None:
    """A copy of an index that others may be reading: they change nothing in it but, when they
    open it, bookkeeping in its SQLite file, which is therefore copied by SQLite itself."""
    target.mkdir()
    try:
        with (
            closing(
                sqlite3.connect(f"file:{source / 'chroma.sqlite3'}?mode=ro", uri=True)
            ) as there,
            closing(sqlite3.connect(target / "chroma.sqlite3")) as here,
        ):
            there.backup(here)
    except sqlite3.Error as e:
        raise OSError(f"SQLite: {e}") from e
    for path in source.iterdir():
        if path.is_dir():
            shutil.copytree(path, target / path.name)


def _change_chroma(folder: Path, growth: _Growth, ids: list[str], vectors: Vectors) -> None:
    with _open_chroma(folder) as client:
        collection = client.get_collection(COLLECTION, embedding_function=None)
        for at in range(0, len(growth.gone), ADD_BATCH):
            collection.delete(ids=growth.gone[at : at + ADD_BATCH])
        for at in range(0, len(growth.new), ADD_BATCH):
            rows = growth.new[at : at + ADD_BATCH]
            collection.add(ids=[ids[i] for i in rows], embeddings=vectors[rows])
        if collection.count() != len(ids):
            raise OSError(f"Chroma: {collection.count()} passages in place of {len(ids)}")


def _digests(folder: Path) -> dict[str, str]:
    """Checksums of the files that reading leaves as they are.

    Chroma rewrites its SQLite file whenever it opens it, and below a thousand vectors, when it
    keeps no index on disk (no index_metadata.pickle), also the files of the segment.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        in_segment = path.parent.parent.name == "chroma"
        volatile = in_segment and not (path.parent / "index_metadata.pickle").exists()
        if path.is_file() and path.name != "chroma.sqlite3" and not volatile:
            found[str(path.relative_to(folder))] = digest(path)
    return found


def _write_durably(path: Path, raw: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as f:
        f.write(raw)
        f.flush()
        os.fsync(f.fileno())
    temporary.replace(path)


def _dump_articles(articles: Sequence[Article]) -> bytes:
    raw = _articles_adapter().dump_json(list(articles))
    return gzip.compress(raw, compresslevel=6, mtime=0)


def _articles_adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(list[Article])


# --------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage and how near it is: cosine similarity, -1 to 1, larger is nearer."""

    row: int
    score: float


class Build:
    """An open build. Safe to share between threads; close it after the last search."""

    def __init__(
        self,
        manifest: Manifest,
        articles: Sequence[Article],
        vectors: Vectors | Rows,
        lexical: Lexical,
        client: Any,
        tokens: Tokens | None = None,
    ) -> None:
        self.manifest = manifest
        self.articles = {a.slug: a for a in articles}
        self.passages: list[Passage] = []
        self.rows: dict[str, range] = {}
        for article in articles:
            first = len(self.passages)
            self.passages.extend(passages(article))
            self.rows[article.slug] = range(first, len(self.passages))
        self.vectors = vectors
        self.lexical = lexical
        self.tokens = tokens
        self.known: Any = None
        """What those who answer from the build have read of it; it goes with the build."""
        self.closed = False
        self._row_by_id = {p.id: i for i, p in enumerate(self.passages)}
        self._client = client
        self._collection = (
            client.get_collection(COLLECTION, embedding_function=None) if client else None
        )

    @property
    def id(self) -> str:
        """The build's name."""
        return self.manifest.id

    def place(self, passage: Passage) -> tuple[Article, Section]:
        """The article and section that the passage is from."""
        article = self.articles[passage.article]
        return article, next(s for s in article.sections if s.id == passage.section)

    def vectors_of(self, rows: "Sequence[int] | np.ndarray[Any, Any]") -> Vectors:
        """The vectors of these passages, shape (rows, dimensions)."""
        if isinstance(self.vectors, Rows):
            return self.vectors.take(rows)
        return self.vectors[np.asarray(rows, np.intp)]

    def every_vector(self) -> Vectors:
        """The vectors of all passages; not to be kept, for they are large."""
        return self.vectors.whole() if isinstance(self.vectors, Rows) else self.vectors

    def nearest(self, vector: Vectors, k: int) -> list[Hit]:
        """The nearest passages of the whole store, nearest first; at most `k`."""
        return self.nearest_of(vector[None, :], k)[0]

    def nearest_of(self, vectors: Vectors, k: int) -> list[list[Hit]]:
        """The same for each row of `vectors`.

        Without its index (`vector_search=False`) a build compares exactly, which is slower in a
        large store and finds the same.
        """
        if not self.passages:
            return [[] for _ in vectors]
        if self._collection is None:
            scores = np.asarray(vectors) @ self.every_vector().T
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            return [
                [Hit(int(row), float(of[row])) for row in rows]
                for rows, of in zip(best, scores, strict=True)
            ]
        found = self._collection.query(
            query_embeddings=vectors,
            n_results=min(k, len(self.passages)),
            include=["distances"],
        )
        known = self._row_by_id
        return [
            [
                Hit(known[i], 1.0 - float(d))
                for i, d in zip(ids, distances, strict=True)
                if i in known
            ]
            for ids, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    def within(self, slug: str, vector: Vectors) -> list[Hit]:
        """Every passage of one article with its exact similarity, in reading order."""
        rows = self.rows[slug]
        if not rows:  # a build without any passage has vectors of no dimension
            return []
        scores = self.vectors_of(rows) @ vector
        return [Hit(row, float(s)) for row, s in zip(rows, scores, strict=True)]

    def close(self) -> None:
        """Lets go of the index; no search may be running."""
        self.closed = True
        self.known = None
        for kept in (self.vectors, self.tokens):
            if isinstance(kept, Rows | Tokens):
                kept.close()
        if self._client is not None:
            self._client.close()
            self._client = self._collection = None


def read_manifest(root: Path, build: str) -> Manifest:
    """The manifest of a build; StoreProblem when there is none or it is not readable."""
    path = root / build / "manifest.json"
    try:
        found = Manifest(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as e:
        raise StoreProblem(f"Build {build} has no readable manifest ({path}).", _RELOAD) from e
    if found.schema != SCHEMA:
        raise StoreProblem(
            f"Build {build} has layout {found.schema}; this version reads layout {SCHEMA}.", _RELOAD
        )
    return found


_RELOAD = "Run `corollary articles reload` to make a new build from the articles."


def open_build(root: Path, build: str, *, embedder: str, vector_search: bool = True) -> Build:
    """The build, checked before the index library sees it.

    Raises EmbedderMismatch when it was made with another model, StoreProblem when a file is
    missing or altered: damaged index bytes can end the process, so checksums come first.
    """
    folder, manifest = root / build, read_manifest(root, build)
    if manifest.embedder != embedder:
        raise EmbedderMismatch(
            f"Build {build} was made with the embedding model `{manifest.embedder}`, "
            f"but `{embedder}` is configured.",
            "Run `corollary articles reload` to embed the articles anew, "
            "or set COROLLARY_EMBEDDINGS back.",
        )
    try:
        for name, expected in manifest.files.items():
            path = folder / name
            if not path.is_file():
                raise StoreProblem(f"Build {build} is damaged: {path} is missing.", _RELOAD)
            if digest(path) != expected:
                raise StoreProblem(f"Build {build} is damaged: {path} has been altered.", _RELOAD)
        if vector_search:
            _check_sqlite(folder / "chroma" / "chroma.sqlite3", build)
        articles = _articles_adapter().validate_json(
            gzip.decompress((folder / "articles.json.gz").read_bytes())
        )
        vectors = rows_at(folder / "vectors.npy")
        lexical = Lexical.loads((folder / "lexical.npz").read_bytes())
        tokens = Tokens.load(folder) if "tokens.npz" in manifest.files else None
    except OSError as e:  # too many open files, a bad sector
        raise StoreProblem(
            f"Build {build} cannot be read: {folder}: {e.strerror or e}.", _RELOAD
        ) from e
    client = None
    try:
        client = _chroma(folder / "chroma") if vector_search else None
        opened = Build(manifest, articles, vectors, lexical, client, tokens)
        counts = {len(opened.passages), len(vectors), len(tokens or vectors), manifest.passages}
        if len(counts) > 1:
            raise StoreProblem(f"Build {build} does not have the passages it lists.", _RELOAD)
        if client is not None:
            _spot_check(opened)
        _give_back()
        return opened
    except BaseException as e:
        if client is not None:
            client.close()
        if isinstance(e, StoreProblem) or not isinstance(e, Exception):
            raise
        raise StoreProblem(
            f"Build {build} cannot be opened by Chroma: {e}",
            f"If {folder} is read-only, make it writable. {_RELOAD}",
        ) from e


def _give_back() -> None:
    """Hands the memory that reading took, and that nothing holds any more, back to the system;
    of the C libraries only GNU's keeps it."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def _check_sqlite(path: Path, build: str) -> None:
    # Chroma makes a new, empty database where there is none, and rewrites parts of a whole one
    # when it opens it, so the file is asked instead of compared.
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            named = connection.execute("SELECT name FROM collections").fetchall()
            if answer == "ok" and named != [(COLLECTION,)]:
                answer = "the collection is missing"
        finally:
            connection.close()
    except sqlite3.Error as e:
        answer = str(e)
    if answer != "ok":
        said = " ".join(str(answer).split())
        raise StoreProblem(f"Build {build} is damaged: {path}: {said}.", _RELOAD)


def _spot_check(build: Build) -> None:
    """A handful of passages must find themselves; a count alone proves nothing.

    A small store has its vectors in SQLite and nowhere else; there a changed byte is no damage
    that SQLite could see, so all of them are compared.
    """
    total = len(build.passages)
    if 0 < total < _IN_SQLITE and build._collection is not None:
        stored = build._collection.get(include=["embeddings"])
        there = dict(zip(stored["ids"], stored["embeddings"], strict=True))
        for passage, vector in zip(build.passages, build.every_vector(), strict=True):
            if not np.allclose(there.get(passage.id, 0.0), vector, atol=1e-5):
                raise StoreProblem(
                    f"Build {build.id} is damaged: its index has another {passage.id}.", _RELOAD
                )
    for row in {0, total // 3, (2 * total) // 3, total - 1} if total else set():
        near = build.nearest(build.vectors[row], 5)
        if not near or near[0].score < 0.999:
            raise StoreProblem(f"Build {build.id} is damaged: its index lost passages.", _RELOAD)


def known_readings(earlier: Build) -> dict[str, Reading]:
    """Passage SHA-256 to what is known of it, from an earlier build of the same embedder."""
    return _by_digest(earlier.passages, np.array(earlier.every_vector()), earlier.tokens)


def _by_digest(
    cut: Sequence[Passage], vectors: Vectors, tokens: Tokens | None
) -> dict[str, Reading]:
    pieces = tokens.row if tokens is not None else lambda row: (NO_IDS, NO_SIGNS)
    return {p.sha256: Reading(vectors[row], *pieces(row)) for row, p in enumerate(cut)}


def kept_articles(root: Path, manifest: Manifest) -> list[Article]:
    """The articles that a build was made of, whatever became of its index; StoreProblem when they
    are damaged themselves."""
    return list(_articles_adapter().validate_json(_kept(root, manifest, "articles.json.gz")))


def kept_readings(
    root: Path, manifest: Manifest, articles: Sequence[Article]
) -> dict[str, Reading]:
    """Passage SHA-256 to what is known of it, as far as the build's own files of that are whole."""
    folder = root / manifest.id
    has_tokens = "tokens.npz" in manifest.files
    try:
        for name in ("vectors.npy", *(("tokens.npz", "signs.npy") if has_tokens else ())):
            _kept(root, manifest, name)
    except StoreProblem:
        return {}
    vectors = np.load(folder / "vectors.npy", allow_pickle=False)
    cut = [p for a in articles for p in passages(a)]
    return _by_digest(cut, vectors, Tokens.load(folder) if has_tokens else None)


def _kept(root: Path, manifest: Manifest, name: str) -> bytes:
    """A file of a build, compared with its checksum; unpacked when it is packed."""
    path = root / manifest.id / name
    try:
        whole = digest(path) == manifest.files[name]
        raw = path.read_bytes() if whole else b""
    except (OSError, KeyError):
        whole, raw = False, b""
    if not whole:
        raise StoreProblem(f"Build {manifest.id} is damaged: {path}.", _RELOAD)
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


@dataclass(frozen=True, slots=True)
class Verified:
    """What asking a new build for its own passages showed."""

    self_queries: int
    """Passages that were asked for by their own vector; each was found first."""
    recall: float
    """Share of the ten exactly nearest passages that the index finds, 0 to 1."""


SELF_QUERIES = 400
RECALL_QUERIES = 200
LEAST_RECALL = 0.95


def verify(build: Build, progress: Progress | None = None, new: Collection[str] = ()) -> Verified:
    """Asks passages for themselves and for their neighbours: an even sample, and those of the
    articles in `new`.

    Raises StoreProblem when one is not found, or the index misses more than a twentieth of the
    ten nearest that exact search finds.
    """
    total = len(build.passages)
    if not total:
        return Verified(0, 1.0)
    if progress:
        progress("verifying", 0, 1)
    fresh = [row for slug in new for row in build.rows.get(slug, ())]
    asked = np.union1d(_sample(total, SELF_QUERIES), np.asarray(fresh[:SELF_QUERIES], np.int64))
    for rows in np.array_split(asked, max(1, len(asked) // 100)):
        for row, near in zip(rows, build.nearest_of(build.vectors_of(rows), 5), strict=True):
            # Passages with equal text share a vector: any of those at distance nil will do.
            twins = {h.row for h in near if h.score > 1 - 1e-5}
            if not twins or (len(twins) < len(near) and row not in twins):
                raise StoreProblem(
                    f"The new index does not find passage {build.passages[row].id}.",
                    "Try `corollary articles reload` again; what is served has not changed.",
                )
    recall = _recall(build, _sample(total, RECALL_QUERIES))
    if recall < LEAST_RECALL:
        raise StoreProblem(
            f"The new index finds {recall:.0%} of what an exact search finds; "
            f"{LEAST_RECALL:.0%} is the least.",
            "Try `corollary articles reload` again; what is served has not changed.",
        )
    return Verified(len(asked), round(recall, 4))


def _sample(total: int, most: int) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return np.unique(np.linspace(0, total - 1, min(most, total)).astype(np.int64))


def _recall(build: Build, rows: "np.ndarray[Any, np.dtype[np.int64]]") -> float:
    k = min(10, len(build.passages))
    found = 0
    exact = build.vectors_of(rows) @ build.every_vector().T
    # The k-th best exact score; what reaches it is among the nearest, also when several are equal.
    kth = np.partition(exact, -k, axis=1)[:, -k]
    for row, hits, least in zip(
        range(len(rows)), build.nearest_of(build.vectors_of(rows), k), kth, strict=True
    ):
        found += sum(exact[row, h.row] >= least - 1e-5 for h in hits)
    return found / (len(rows) * k)


def remove_build(root: Path, build: str) -> None:
    """Deletes one build folder that nothing points at."""
    shutil.rmtree(root / build, ignore_errors=True)


def remove_builds(root: Path, keep: set[str], older_than_s: float = 0.0) -> list[str]:
    """Deletes every build folder not in `keep`; the names that went."""
    gone = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if not folder.is_dir() or folder.name in keep:
            continue
        if time.time() - folder.stat().st_mtime >= older_than_s:
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder.name)
    return gone


def iter_manifests(root: Path) -> Iterator[Manifest]:
    """The manifests of all whole builds, oldest first."""
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        try:
            yield read_manifest(root, folder.name)
        except StoreProblem:
            continue
