"""Arrays of a build: a large one stays on disk, and its rows are read when they are asked for.

A turn looks at a few hundred of a store's hundred thousand rows. Mapped into memory, each look
would leave the pages around it resident, until all of the file is; and a file cut short meanwhile
would end the process where a read only fails.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

Array = np.ndarray[Any, Any]

IN_MEMORY = 64 * 2**20
"""Bytes up to which an array is read whole: a few hundred articles have smaller ones, and reading
a hundred rows from the file takes half a millisecond of every turn."""


def rows_at(path: Path, in_memory: int = IN_MEMORY) -> "Array | Rows":
    """The array of rows in a .npy file, in memory when it has at most so many bytes."""
    rows = Rows(path)
    if len(rows) * rows.row_bytes > in_memory:
        return rows
    found = np.array(rows.whole())
    rows.close()
    return found


class Rows:
    """The rows of a .npy file of two dimensions. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        with path.open("rb") as f:
            npy.read_magic(f)
            self.shape, by_column, self.dtype = npy.read_array_header_1_0(f)
            self._at = f.tell()
        if by_column or len(self.shape) != 2:
            raise ValueError(f"{path} is not an array of rows")
        self.row_bytes = self.shape[1] * self.dtype.itemsize
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, row: int | slice) -> Array:
        if isinstance(row, slice):
            return self.take(range(*row.indices(len(self))))
        position = row + len(self) if row < 0 else row
        if not 0 <= position < len(self):
            raise IndexError(row)
        found: Array = self.spans([(position, position + 1)])[0]
        return found

    def __iter__(self) -> Iterator[Array]:
        return iter(self.whole())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.whole(), dtype=dtype)

    def spans(self, spans: Sequence[tuple[int, int]]) -> Array:
        """The rows of each span (first, behind the last), one span after the other."""
        found = np.empty((sum(stop - start for start, stop in spans), self.shape[1]), self.dtype)
        into = found.reshape(-1).view(np.uint8).data
        done = 0
        for start, stop in _joined(spans):
            size = (stop - start) * self.row_bytes
            self._read(into[done : done + size], self._at + start * self.row_bytes)
            done += size
        return found

    def take(self, rows: Sequence[int] | Array) -> Array:
        """These rows, in the order given."""
        return self.spans([(int(r), int(r) + 1) for r in rows])

    def whole(self) -> Array:
        """All rows, mapped into memory: for what looks at each once and goes."""
        found: Array = np.load(self._path, mmap_mode="r", allow_pickle=False)
        return found

    def _read(self, into: memoryview, at: int) -> None:
        while into:
            count = os.preadv(self._file, [into], at)
            if not count:
                raise OSError(f"{self._path} has been cut short")
            into, at = into[count:], at + count

    def close(self) -> None:
        """Lets go of the file; nothing may be reading."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    __del__ = close


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same rows in the same order with fewer reads: what lies end to end is one span."""
    last: tuple[int, int] | None = None
    for start, stop in spans:
        if last is not None and last[1] == start:
            last = last[0], stop
            continue
        if last is not None:
            yield last
        last = start, stop
    if last is not None:
        yield last
