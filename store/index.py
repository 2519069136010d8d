"""A build: everything the assistant searches, written once and never changed.

    builds/<id>/manifest.json     what it was made of, counts and checksums
    builds/<id>/articles.json.gz  the articles as parsed; from it the rest can be made again
    builds/<id>/vectors.npy       one unit vector a passage, float32, in passage order
    builds/<id>/lexical.npz       BM25 over the passages
    builds/<id>/chroma/           the same vectors under an HNSW index (Malkov & Yashunin 2020)

Which build is served is not decided here: a row in the SQL database points at it, and a folder
no row points at is rubbish. Chroma is not safe for two processes that write one folder, so one
process fills the folder, closes it, and only then is the row switched. Within one article the
vectors are compared exactly, straight from vectors.npy; over the store Chroma is asked.
"""

import gzip
import hashlib
import json
import math
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from store.article import Article, Passage, Section, ServingRules, passages
from store.errors import EmbedderMismatch, StoreProblem
from store.lexical import Lexical

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

SCHEMA = 1
COLLECTION = "passages"
HNSW = {"space": "cosine", "ef_construction": 400, "ef_search": 400, "max_neighbors": 32}
"""Chroma's defaults miss the nearest passage in 2 % of queries at 5,000 vectors, these in 0.1 %."""
_IN_SQLITE = 1000
"""With fewer vectors Chroma keeps no index on disk."""
ADD_BATCH = 2000
"""Chroma takes at most 5,461 records a call."""

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Progress = Callable[[int, int], None]
"""Called with (passages embedded so far, passages to embed)."""


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
    files: dict[str, str] = field(default_factory=dict)
    """Path within the build to SHA-256, for every file that reading does not change."""
    schema: int = SCHEMA


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def new_build_id() -> str:
    """Sorts by time; never used before."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S") + "-" + os.urandom(3).hex()


# --------------------------------------------------------------------------- writing


def write_build(
    root: Path,
    articles: Sequence[Article],
    *,
    embeddings: "Embeddings",
    embedder: str,
    rules: ServingRules,
    source: str,
    known: dict[str, Vectors] | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Writes and verifies a build below `root`; nothing points at it yet.

    `known` maps a passage's SHA-256 to the vector it had in an earlier build with the same
    embedder. Raises StoreProblem when the folder cannot be written or the result does not answer
    for itself; what was written is removed then.
    """
    build = new_build_id()
    folder = root / build
    try:
        folder.mkdir(parents=True)
        cut = [p for a in articles for p in passages(a)]
        vectors = _embed(cut, embeddings, known or {}, progress)
        np.save(folder / "vectors.npy", vectors)
        (folder / "articles.json.gz").write_bytes(_dump_articles(articles))
        lexical = Lexical.build([p.embedded for p in cut])
        (folder / "lexical.npz").write_bytes(lexical.dumps())
        _fill_chroma(folder / "chroma", [p.id for p in cut], vectors)
        _self_query(folder / "chroma", [p.id for p in cut], vectors)
        manifest = Manifest(
            id=build,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            source=source,
            embedder=embedder,
            dimensions=int(vectors.shape[1]) if len(vectors) else 0,
            serve_under_review=rules.serve_under_review,
            grace_days=rules.grace_days,
            articles={a.slug: a.sha256() for a in articles},
            passages=len(cut),
            files=_digests(folder),
        )
        _write_durably(folder / "manifest.json", json.dumps(asdict(manifest), indent=1).encode())
        return manifest
    except OSError as e:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreProblem(
            f"The build cannot be written to {root}: {e.strerror or e}.",
            "Free some space or make the folder writable; what is served has not changed.",
        ) from e
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _embed(
    cut: Sequence[Passage],
    embeddings: "Embeddings",
    known: dict[str, Vectors],
    progress: Progress | None,
) -> Vectors:
    missing = [i for i, p in enumerate(cut) if p.sha256 not in known]
    done: dict[int, Vectors] = {}
    step = 32
    for at in range(0, len(missing), step):
        chunk = missing[at : at + step]
        found = embeddings.embed_documents([cut[i].embedded for i in chunk])
        for i, vector in zip(chunk, found, strict=True):
            unit = np.asarray(vector, np.float32)
            norm = float(np.linalg.norm(unit))
            if not math.isfinite(norm) or norm == 0.0:
                raise StoreProblem(
                    f"The embedding model gave no usable vector for a passage of {cut[i].article}.",
                    "Check the model with `corollary doctor`.",
                )
            done[i] = unit / norm
        if progress:
            progress(min(at + step, len(missing)), len(missing))
    rows = [done[i] if i in done else known[p.sha256] for i, p in enumerate(cut)]
    return np.vstack(rows).astype(np.float32) if rows else np.zeros((0, 0), np.float32)


def _chroma(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    # allow_reset stays off; telemetry is a no-op since 1.5 but older servers would heed the flag.
    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


def _fill_chroma(folder: Path, ids: list[str], vectors: Vectors) -> None:
    client = _chroma(folder)
    try:
        collection = client.create_collection(
            COLLECTION, embedding_function=None, configuration={"hnsw": HNSW}
        )
        for at in range(0, len(ids), ADD_BATCH):
            span = slice(at, at + ADD_BATCH)
            collection.add(ids=ids[span], embeddings=vectors[span])
    finally:
        client.close()


def _self_query(folder: Path, ids: list[str], vectors: Vectors, sample: int = 500) -> None:
    """Every passage (or an even sample of them) must be what its own vector finds first."""
    if not ids:
        return
    picked = np.unique(np.linspace(0, len(ids) - 1, min(sample, len(ids))).astype(int))
    client = _chroma(folder)
    try:
        collection = client.get_collection(COLLECTION, embedding_function=None)
        found = collection.query(
            query_embeddings=vectors[picked], n_results=min(5, len(ids)), include=["distances"]
        )
        for row, near, distances in zip(picked, found["ids"], found["distances"], strict=True):
            # Passages with equal text share a vector: any of those at distance nil will do.
            twins = [i for i, d in zip(near, distances, strict=True) if d < 1e-5]
            if not twins or (len(twins) < len(near) and ids[row] not in twins):
                raise StoreProblem(
                    f"The new index does not find passage {ids[row]}.",
                    "Try `corollary articles reload` again; what is served has not changed.",
                )
    finally:
        client.close()


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
        vectors: Vectors,
        lexical: Lexical,
        client: Any,
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

    def nearest(self, vector: Vectors, k: int) -> list[Hit]:
        """The nearest passages of the whole store, nearest first; at most `k`."""
        if self._collection is None or not self.passages:
            return []
        found = self._collection.query(
            query_embeddings=[vector],
            n_results=min(k, len(self.passages)),
            include=["distances"],
        )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [Hit(self._row_by_id[i], 1.0 - float(d)) for i, d in pairs if i in self._row_by_id]

    def within(self, slug: str, vector: Vectors) -> list[Hit]:
        """Every passage of one article with its exact similarity, in reading order."""
        rows = self.rows[slug]
        if not rows:  # a build without any passage has vectors of no dimension
            return []
        scores = self.vectors[rows.start : rows.stop] @ vector
        return [Hit(row, float(s)) for row, s in zip(rows, scores, strict=True)]

    def close(self) -> None:
        """Lets go of the index; no search may be running."""
        if self._client is not None:
            self._client.close()
            self._client = self._collection = None


def build_folder(root: Path, build: str) -> Path:
    """Where a build lies."""
    return root / build


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
    vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    lexical = Lexical.loads((folder / "lexical.npz").read_bytes())
    client = None
    try:
        client = _chroma(folder / "chroma") if vector_search else None
        opened = Build(manifest, articles, vectors, lexical, client)
        if not len(opened.passages) == len(vectors) == manifest.passages:
            raise StoreProblem(f"Build {build} does not have the passages it lists.", _RELOAD)
        if client is not None:
            _spot_check(opened)
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
        for passage, vector in zip(build.passages, build.vectors, strict=True):
            if not np.allclose(there.get(passage.id, 0.0), vector, atol=1e-5):
                raise StoreProblem(
                    f"Build {build.id} is damaged: its index has another {passage.id}.", _RELOAD
                )
    for row in {0, total // 3, (2 * total) // 3, total - 1} if total else set():
        near = build.nearest(build.vectors[row], 5)
        if not near or near[0].score < 0.999:
            raise StoreProblem(f"Build {build.id} is damaged: its index lost passages.", _RELOAD)


def known_vectors(root: Path, build: str, embedder: str) -> dict[str, Vectors]:
    """Passage SHA-256 to vector, from an earlier build of the same embedder; empty otherwise.

    Reads vectors.npy only, so that a folder in use by another process is left alone.
    """
    try:
        earlier = open_build(root, build, embedder=embedder, vector_search=False)
    except StoreProblem:
        return {}
    vectors = np.array(earlier.vectors)
    return {p.sha256: vectors[i] for i, p in enumerate(earlier.passages)}


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
