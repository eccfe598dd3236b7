"""A row program as machine code, and calling it: arrays are bound once, then a call costs little more than its work.

The rows are cut into chunks that threads take one after another. Each chunk has sums of its own, and these are added
pairwise: results do not hang on which thread took what, nor on how many threads there are. Imports row_code.py,
row_layout.py, machine.py and threads.py.
"""

import contextlib
import functools
import weakref
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from . import machine, threads
from .row_code import NAME, text
from .row_layout import JOB, Layout, Made, Sizes
from .row_program import RowProgram
from .scalar_math import lowered

__all__ = ["Bound", "RowKernel"]

Array = np.ndarray[Any, Any]

CHUNKS = 64
"""Rows are cut into no more chunks than this."""

CHUNK_TIME, THREADED_TIME = 20_000, 60_000
"""Nanoseconds, by estimate, that a chunk should take, and from which work is for several threads."""

KEPT = 4
"""How many sets of arrays a kernel stays bound to."""

MEMORY = 4 << 20
"""How many float64 numbers the sums of all chunks may be."""


class RowKernel:
    """A row program, ready to be called.

    Parameters
    ----------
    program : RowProgram
    lanes : int, optional
        The width of vectors; the machine's own unless given.

    Raises
    ------
    NotImplementedError
        An expression has no kernel, or an array's type cannot be read.
    RuntimeError
        There is no machine code here (`machine.available()`).
    """

    def __init__(self, program: RowProgram, lanes: int | None = None) -> None:
        self.program = program
        roots = lowered(program.roots())
        if roots is None:
            raise NotImplementedError("an operation of this row program has no kernel: run it with RowNumpy")
        self.layout = Layout(program, roots, lanes or machine.lanes())
        self.ir = text(self.layout)
        self.code = machine.load(self.ir, _symbols(self.ir), level=1)  # 2 is slower to make, and no faster to run
        self.address = self.code.address(NAME)
        self.bound: deque[Bound] = deque()

    def __call__(self, arrays: Sequence[Array], parameters: Sequence[Any]) -> tuple[list[Array], list[Array]]:
        """The terms and maps of the program.

        Parameters
        ----------
        arrays : sequence of ndarray
            One a source, with equally many rows, of the program's types and orders.
        parameters : sequence of array_like
            One a block.

        Returns
        -------
        terms, maps : list of ndarray

        Raises
        ------
        IndexError
            A code is not the number of a parameter.
        """
        terms, maps = self._run(Bound.run, arrays, parameters)
        return terms, maps

    def flat(self, arrays: Sequence[Array], parameters: Sequence[Any]) -> Array:
        """The numbers of all terms, in the memory's own order: `places` says which is which."""
        sums, _ = self._run(Bound.flat, arrays, parameters)
        return np.asarray(sums)

    def places(self) -> list[Array] | None:
        """Where each number of each term is in `flat`; None where that hangs on the number of groups."""
        if self.layout.codes:
            return None
        shapes = [(0,) if s.width is None else (0, s.width) for s in self.program.sources]
        arrays = [np.empty(shape, s.dtype) for shape, s in zip(shapes, self.program.sources, strict=True)]
        bound = Bound(self, arrays, ())
        places = np.arange(bound.sizes.result_size)
        return [finish(places[start:stop]) for start, stop, finish in bound.results]

    def _run(self, run: Any, arrays: Sequence[Array], parameters: Sequence[Any]) -> Any:
        """What `run` makes of what is bound to the arrays."""
        groups = tuple(len(parameters[k]) for k in self.layout.codes)
        bound = self._bound(arrays, groups) or Bound(self, arrays, groups)
        result = run(bound, self.address, arrays, parameters)
        self.bound.append(bound)
        if len(self.bound) > KEPT:
            with contextlib.suppress(IndexError):
                self.bound.popleft()
        return result

    def _bound(self, arrays: Sequence[Array], groups: tuple[int, ...]) -> "Bound | None":
        """What was bound to these arrays, taken so that no other thread has it until it is given back."""
        others, found = [], None
        while found is None and self.bound:
            try:
                bound = self.bound.pop()
            except IndexError:  # another thread was quicker
                break
            if bound.serves(arrays, groups):
                found = bound
            elif bound.alive:
                others.append(bound)
        self.bound.extendleft(others)
        return found


def _symbols(ir: str) -> Mapping[str, int]:
    """The addresses of C functions that the code calls besides those of the process."""
    if not any(line.startswith("declare") and "@bibun_" in line for line in ir.split("\n")):
        return {}
    from .vector_special import symbols

    return symbols()


def _aligned(n: int, dtype: Any = np.float64) -> Array:
    """Zeros that begin at a multiple of 64 bytes."""
    size = n * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype)


def _result(n: int, dtype: Any) -> Array:
    """Room for a result with one value a row."""
    return np.empty(n, dtype)


def _address(a: Array) -> int:
    return int(a.__array_interface__["data"][0])


class Bound:
    """A kernel bound to arrays: tables with their addresses, memory for sums and for threads.

    It does not keep the arrays alive, and holds one call at a time.
    """

    def __init__(self, kernel: RowKernel, arrays: Sequence[Array], groups: tuple[int, ...]) -> None:
        layout = self.layout = kernel.layout
        self.rows = _checked(layout, arrays)
        self.arrays = [(weakref.ref(a), a.shape, a.strides) for a in arrays]
        self.groups = groups
        self.sizes = Sizes(layout, dict(zip(layout.codes, groups, strict=True)))
        self.parameters = _aligned(self.sizes.parameter_size)
        self.given = [(k, self._place(k, at)) for k, at in self.sizes.parameters.items()]
        self.results: list[tuple[int, int, Any]] = []
        for k, made in enumerate(layout.made):
            start, stop, finish = self._finish(k, made)
            twice = any(start == other for other, _, _ in self.results)  # results never share memory
            self.results.append((start, stop, (lambda v, f=finish: f(v).copy()) if twice else finish))
        self._cut()
        self.sums = _aligned(self.chunks * self.sizes.result_size).reshape(self.chunks, self.sizes.result_size)
        self.job = _aligned(layout.job_size, np.int64)
        self._tables(arrays)
        self.kept: list[Array] = []  # memory of threads
        self.contexts: list[int] = []

    def serves(self, arrays: Sequence[Array], groups: tuple[int, ...]) -> bool:
        """Whether it was bound to these very arrays and numbers of groups."""
        return (
            len(arrays) == len(self.arrays)
            and groups == self.groups
            and all(
                known() is a and a.shape == shape and a.strides == strides
                for a, (known, shape, strides) in zip(arrays, self.arrays, strict=True)
            )
        )

    @property
    def alive(self) -> bool:
        """Whether somebody may still give these arrays."""
        return all(known() is not None for known, _, _ in self.arrays)

    def _place(self, k: int, at: int) -> Any:
        """Where the parameters of a block go."""
        block = self.layout.program.blocks[k]
        if block.kind == "scalar":
            return at
        return slice(at, at + (self.sizes.groups[k] if block.kind == "codes" else block.width))

    def _cut(self) -> None:
        """Cut the rows into chunks: the same ones for any number of threads."""
        layout, lanes = self.layout, self.layout.lanes
        full = self.rows // lanes * lanes
        self.time = self.rows * layout.time
        size = max(self.sizes.result_size, 1)
        chunks = min(self.time / CHUNK_TIME, CHUNKS, max(MEMORY / size, 2), self.time / (2 * size))
        rows = -(-full // max(int(chunks), 1))
        self.chunk_rows = max(-(-rows // layout.rows) * layout.rows, layout.rows)
        self.chunks = max(-(-full // self.chunk_rows), 1)
        self.full = full

    def _tables(self, arrays: Sequence[Array]) -> None:
        """Where arrays and memory are."""
        layout, lanes, program = self.layout, self.layout.lanes, self.layout.program
        size = 3 * len(program.sources) + len(program.maps)
        self.data, self.ragged = _aligned(size, np.int64), _aligned(size, np.int64)
        self.tails = []
        for s, (a, source) in enumerate(zip(arrays, program.sources, strict=True)):
            item, width = source.dtype.itemsize, source.width or 1
            steps = (item, lanes * item) if source.order == "F" else (width * item, item)
            self.tails.append(_aligned(lanes * width * item, np.uint8))
            self.data[3 * s : 3 * s + 3] = [_address(a), a.strides[0], a.strides[-1]]
            self.ragged[3 * s : 3 * s + 3] = [_address(self.tails[-1]), *steps]
        for k, (_, dtype) in enumerate(program.maps):
            self.tails.append(_aligned(lanes * dtype.itemsize, np.uint8))
            self.ragged[3 * len(program.sources) + k] = _address(self.tails[-1])
        for name, value in {
            "chunks": self.chunks, "rows": self.chunk_rows, "full": self.full, "tail": self.rows - self.full,
            "sums": _address(self.sums), "size": 8 * self.sizes.result_size, "parameters": _address(self.parameters),
            "data": _address(self.data), "ragged": _address(self.ragged),
        }.items():  # fmt: skip
            self.job[JOB[name]] = value
        for k, count in self.sizes.groups.items():
            place = layout.place_of_codes(k)
            self.job[place], self.job[place + 1] = self.sizes.parameters[k], count
        for key in layout.grouped:
            self.job[layout.place_of_sum(key)] = self.sizes.sums[key]

    def _threads(self) -> list[int]:
        """A context for each thread of the call."""
        n = min(threads.count(self.time), self.chunks) if self.time > THREADED_TIME and self.chunks > 1 else 1
        while len(self.contexts) < n:
            scratch, context = _aligned(self.layout.scratch_size), _aligned(2, np.int64)
            context[:] = _address(self.job), _address(scratch)
            self.kept += [scratch, context]
            self.contexts.append(_address(context))
        return self.contexts[:n]

    def run(self, address: int, arrays: Sequence[Array], parameters: Sequence[Any]) -> tuple[list[Array], list[Array]]:
        """Run the kernel, for its terms and maps; `arrays` are those it was bound to."""
        sums, maps = self.flat(address, arrays, parameters)
        return [finish(sums[start:stop]) for start, stop, finish in self.results], maps

    def flat(self, address: int, arrays: Sequence[Array], parameters: Sequence[Any]) -> tuple[Array, list[Array]]:
        """The same, with the numbers of all terms as they lie in memory."""
        for k, place in self.given:
            self.parameters[place] = parameters[k]
        maps = [_result(self.rows, dtype) for _, dtype in self.layout.program.maps]
        if self.rows and 0 in self.groups:
            _complain(self.layout, arrays, self.groups)
        if self.rows:
            for k, a in enumerate(maps, 3 * len(arrays)):
                self.data[k] = _address(a)
            self.job[JOB["next"]] = self.job[JOB["bad"]] = 0
            threads.run(address, self._threads())
            if self.layout.codes and self.job[JOB["bad"]]:
                _complain(self.layout, arrays, self.groups)
        return self._added(), maps

    def _added(self) -> Array:
        """The chunks' sums, added pairwise, in memory of the caller's own."""
        if not self.rows:
            return np.zeros(self.sizes.result_size)
        n = self.chunks
        with np.errstate(all="ignore"):
            while n > 1:
                half = (n + 1) // 2
                self.sums[: n - half] += self.sums[half:n]
                n = half
        return np.array(self.sums[0])

    def _finish(self, term: int, made: Made) -> tuple[int, int, Any]:
        """Where a term's numbers are in the sums, and the function that gives them their shape."""
        layout, (kind, *of) = self.layout, made.key
        size = layout.size(made.key, self.sizes.groups)
        start = self.sizes.sums[made.key] + made.position * size
        if kind == "value":
            return start, start + 1, lambda v: v.reshape(())
        if kind == "gradient":
            return start, start + layout.matrix(of[0]).width, lambda v: v
        if kind == "group":
            given, blocks = layout.program.terms[term], layout.program.blocks
            sides = [k for k in (given.left, given.right) if k is not None and blocks[k].kind == "codes"]
            shape = tuple(self.sizes.groups[k] for k in sides)
            return start, start + size, (lambda v: v) if len(sides) == 1 else lambda v: _diagonal(v, shape)
        if kind == "pair":
            lines, width, columns = *(self.sizes.groups[k] for k in of), None
        else:
            width = columns = layout.matrix(of[1]).width
            lines, width = size // layout.padded(of[1]), layout.padded(of[1])
        if kind == "product" and of[0] == of[1]:
            return start, start + size, lambda v: _mirrored(v.reshape(lines, width)[:, :columns])
        if made.transposed:
            return start, start + size, lambda v: v.reshape(lines, width)[:, :columns].T
        return start, start + size, lambda v: v.reshape(lines, width)[:, :columns]


def _diagonal(v: Array, shape: tuple[int, ...]) -> Array:
    """Sums over groups where both sides are codes: a row is in one group of both."""
    out = np.zeros(shape)
    small = min(shape)
    out[range(small), range(small)] = v[:small]
    return out


def _mirrored(v: Array) -> Array:
    """A symmetric matrix of its upper triangle."""
    return np.asarray(np.where(_upper(len(v)), v, v.T))


@functools.lru_cache(maxsize=16)
def _upper(n: int) -> Array:
    return np.asarray(np.triu(np.ones((n, n), bool)))


def _checked(layout: Layout, arrays: Sequence[Array]) -> int:
    """The number of rows of arrays that are as the program says."""
    sources = layout.program.sources
    if len(arrays) != len(sources):
        raise ValueError(f"a row program of {len(sources)} arrays was given {len(arrays)}")
    n = len(arrays[0]) if arrays else 0
    for k, (a, source) in enumerate(zip(arrays, sources, strict=True)):
        shape = (n,) if source.width is None else (n, source.width)
        if a.shape != shape:
            raise ValueError(
                f"array {k} of a row program has shape {a.shape}, and should have {shape}: give equally many rows"
            )
        if a.dtype != source.dtype or not a.dtype.isnative:
            raise TypeError(
                f"array {k} of a row program has dtype {a.dtype.str}, and its code reads {source.dtype} "
                f"in this machine's byte order: convert it with astype"
            )
        if source.width is not None and n:
            side = 1 if source.order == "C" else 0
            if shape[side] > 1 and a.strides[side] != a.itemsize:
                raise ValueError(
                    f"array {k} of a row program has strides {a.strides}, and its code reads order {source.order}: "
                    f"copy it with np.array(a, order={source.order!r})"
                )
    return n


def _complain(layout: Layout, arrays: Sequence[Array], groups: tuple[int, ...]) -> None:
    """Say which code is out of range."""
    for k, count in zip(layout.codes, groups, strict=True):
        given = arrays[layout.program.blocks[k].source]
        wrong = (given < 0) | (given >= count)
        if wrong.any():
            r = int(wrong.argmax())
            raise IndexError(
                f"the code in row {r} is {given[r]}, and there are parameters for 0 to {count - 1}: "
                "give more parameters, or number the groups from 0"
            )
    raise IndexError("a code was out of range while the rows were read, and is not now: arrays must not change then")
