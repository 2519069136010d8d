"""Arrays that stay on disk: the same rows as in memory, and no more of them held than asked for."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.rows import Rows, rows_at

WIDTH = 5


def kept(
    folder: Path, count: int = 40
) -> "tuple[Rows, np.ndarray[tuple[int, int], np.dtype[np.float32]]]":
    made = np.random.default_rng(3).standard_normal((count, WIDTH)).astype(np.float32)
    np.save(folder / "made.npy", made)
    return Rows(folder / "made.npy"), made


def test_every_way_of_asking_gives_the_rows_of_the_file(tmp_path: Path) -> None:
    rows, made = kept(tmp_path)
    assert len(rows) == 40
    assert rows.shape == (40, WIDTH)
    assert rows.dtype == np.dtype(np.float32)
    assert np.array_equal(rows[7], made[7])
    assert np.array_equal(rows[-1], made[-1])
    assert np.array_equal(rows[3:30:4], made[3:30:4])
    assert np.array_equal(np.asarray(rows), made)
    assert np.array_equal(np.array(list(rows)), made)
    assert np.array_equal(rows.whole(), made)
    for beyond in (40, -41):
        with pytest.raises(IndexError):
            rows[beyond]


@given(asked=st.lists(st.integers(0, 39), max_size=30))
def test_rows_come_in_the_order_asked_for_repeats_and_all(
    asked: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows, made = kept(tmp_path_factory.mktemp("rows"))
    assert np.array_equal(rows.take(asked), made[asked].reshape(-1, WIDTH))
    spans = [(first, min(40, first + 3)) for first in asked]
    by_hand = [made[first:last] for first, last in spans]
    assert np.array_equal(rows.spans(spans), np.vstack([np.zeros((0, WIDTH)), *by_hand]))
    rows.close()


def test_a_file_that_is_cut_short_fails_the_read_and_not_the_process(tmp_path: Path) -> None:
    rows, made = kept(tmp_path)
    os.truncate(tmp_path / "made.npy", (tmp_path / "made.npy").stat().st_size - 4)
    assert np.array_equal(rows.take([38]), made[[38]])
    with pytest.raises(OSError, match="cut short"):
        rows.take([39])


def test_what_is_not_an_array_of_rows_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "line.npy", np.zeros(4))
    np.save(tmp_path / "by-column.npy", np.asfortranarray(np.arange(12.0).reshape(3, 4)))
    for name in ("line.npy", "by-column.npy"):
        with pytest.raises(ValueError, match="not an array of rows"):
            Rows(tmp_path / name)


def test_the_file_is_let_go_of(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0

    gc.collect()
    before = open_files()
    held = [kept(tmp_path)[0] for _ in range(5)]
    held[0].close()
    held[0].close()
    del held
    gc.collect()
    assert open_files() == before


def test_a_small_array_is_read_whole_and_a_large_one_when_its_rows_are_asked_for(
    tmp_path: Path,
) -> None:
    _, made = kept(tmp_path)
    path = tmp_path / "made.npy"
    small, large = rows_at(path, made.nbytes), rows_at(path, made.nbytes - 1)
    assert isinstance(large, Rows)
    assert not isinstance(small, Rows)
    assert np.array_equal(large.take([3]), made[[3]])
    os.truncate(path, path.stat().st_size - 4)
    assert np.array_equal(small, made)
    with pytest.raises(ValueError, match="mmap"):
        rows_at(path)
