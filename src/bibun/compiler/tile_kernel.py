"""A tile program as machine code, and calling it.

The long axis is cut into chunks that threads take one after another; each has sums of its own, added pairwise: results
do not hang on how many threads there are. Imports tile_code.py, row_kernel.py, machine.py and threads.py.
"""

import math
from typing import Any

import numpy as np

from . import machine, threads
from .row_kernel import CHUNK_TIME, CHUNKS, MEMORY, THREADED_TIME, _address, _aligned, _result, _symbols
from .tile_code import NAME, text
from .tile_layout import JOB, TileLayout

__all__ = ["TileKernel"]

Array = np.ndarray[Any, Any]

LONG = 10_000
"""Lines of code, from which it is translated one instruction at a time: in a sixth of the time, to run three times as
long, which is still as quick as NumPy."""

KEPT = 4
"""How many calls at once may find the kernel's tables made."""


class TileKernel:
    """A tile program, ready to be called.

    Parameters
    ----------
    layout : TileLayout
        Of the program.

    Raises
    ------
    NotImplementedError
        An operation has no code.
    RuntimeError
        There is no machine code here (`machine.available()`).
    """

    def __init__(self, layout: TileLayout) -> None:
        self.layout = layout
        self.ir = text(self.layout)
        level = 1 if self.ir.count("\n") < LONG else 0
        self.code = machine.load(self.ir, _symbols(self.ir), level)
        self.address = self.code.address(NAME)
        self.free: list[Tables] = []

    def __call__(self, values: list[Any], n: int) -> bool:
        """Make the sums and outputs, for an axis of length `n`; whether that could be done."""
        tables = None
        if self.free:
            try:
                tables = self.free.pop()
            except IndexError:  # another thread was quicker
                tables = None
        if tables is None or tables.n != n:
            tables = Tables(self.layout, n)
        done = tables.run(self.address, values)
        if len(self.free) < KEPT:
            self.free.append(tables)
        return done


class Tables:
    """Where everything is for an axis of length `n`: one call at a time."""

    def __init__(self, layout: TileLayout, n: int) -> None:
        self.layout, self.n = layout, n
        program = layout.program
        self.time = n * layout.time
        size = max(layout.sum_size, layout.lanes)
        chunks = max(int(min(self.time / CHUNK_TIME, CHUNKS, max(MEMORY / size, 2))), 1)
        rows = max(-(-n // (chunks * layout.rows)) * layout.rows, layout.rows)
        self.chunks = -(-n // rows)
        self.sums = _aligned(self.chunks * size).reshape(self.chunks, size)
        self.job = _aligned(layout.job_size, np.int64)
        for name, value in {
            "chunks": self.chunks, "rows": rows, "stop": n, "sums": _address(self.sums), "size": 8 * size,
        }.items():  # fmt: skip
            self.job[JOB[name]] = value
        self.reads = [(program.bases[k], layout.at["base", k]) for kind, k in layout.table if kind == "base"]
        self.strides: list[tuple[int, ...]] = [()] * len(self.reads)
        self.outputs: list[tuple[int, Any, int]] = []
        for k, out in enumerate(program.outputs):
            shape, at = tuple([n if j == program.n else j for j in out.shape]), layout.at["output", k]
            self.job[at + 1 : at + 1 + len(shape)] = np.empty(shape).strides
            self.outputs.append((out.slot, shape, at))
        self.totals = []
        for t, s in zip(program.totals, layout.sums, strict=True):
            left = [1 if k in t.axes else j for k, j in enumerate(t.shape) if t.keepdims or k not in t.axes]
            cut = slice(s.start, s.start + t.size // s.last * s.tiles * s.room)
            self.totals.append((t, s, cut, tuple(left), math.prod([t.shape[k] for k in t.axes]) > 1))
        self.kept: list[Array] = []  # memory of threads
        self.contexts: list[int] = []

    def run(self, address: int, values: list[Any]) -> bool:
        """Run the kernel; whether it could be."""
        job, held = self.job, []
        for k, (base, at) in enumerate(self.reads):
            a = values[base.slot] if isinstance(base.slot, int) else base.slot
            if type(a) is not np.ndarray or a.dtype != np.float64 or (base.kind == "fixed" and not _plain(a)):
                if np.asarray(a).dtype.kind not in "biuf":
                    return False
                a = np.array(a, np.float64, order="C")
            held.append(a)
            job[at] = a.__array_interface__["data"][0]
            if a.strides != self.strides[k] and base.kind == "rows":
                self.strides[k] = a.strides
                job[at + 1 : at + 1 + a.ndim] = a.strides
        outs = [(slot, _result(shape, np.float64), at) for slot, shape, at in self.outputs]
        for _, a, at in outs:
            job[at] = a.__array_interface__["data"][0]
        job[JOB["next"]] = job[JOB["bad"]] = 0
        self.sums.fill(0)
        threads.run(address, self._threads())
        if job[JOB["bad"]]:
            return False
        n = self.chunks
        while n > 1:
            half = (n + 1) // 2
            self.sums[: n - half] += self.sums[half:n]
            n = half
        self._totals(values)
        for slot, a, _ in outs:
            values[slot] = a
        return True

    def _totals(self, values: list[Any]) -> None:
        """The sums, as arrays of their shapes."""
        first = self.sums[0]
        for t, s, cut, shape, more in self.totals:
            x = first[cut].reshape(-1, s.tiles, s.room)
            if s.room != s.many or s.tiles * s.many != s.last:
                x = x[:, :, : s.many].reshape(-1, s.tiles * s.many)[:, : s.last]
            if more:
                values[t.slot] = np.sum(x.reshape(t.shape), t.axes, keepdims=t.keepdims)
            else:
                values[t.slot] = x.reshape(shape).copy() if shape else x.reshape(-1)[0]

    def _threads(self) -> list[int]:
        """A context for each thread of the call."""
        n = min(threads.count(self.time), self.chunks) if self.time > THREADED_TIME and self.chunks > 1 else 1
        while len(self.contexts) < n:
            memory, context = _aligned(max(self.layout.room // 8, 1)), _aligned(2, np.int64)
            context[:] = _address(self.job), _address(memory)
            self.kept += [memory, context]
            self.contexts.append(_address(context))
        return self.contexts[:n]


def _plain(a: Array) -> bool:
    return a.flags.c_contiguous and a.flags.aligned
