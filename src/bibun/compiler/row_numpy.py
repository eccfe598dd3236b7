"""Row programs by NumPy, for machines without llvmlite or FMA: block by block, so that what is made stays in cache.

Every expression is one NumPy call a block, in an order that lets few buffers serve all of them. row_sums.py has what is
summed. A function that a kernel has under a name of its own is a line of `FUNCTIONS`. Imports row_program.py,
row_sums.py and threads.py; SciPy when an expression asks for it.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import threads
from .expression import Expression, ordered
from .row_program import RowProgram
from .row_sums import Rows, Sum, sum_of

__all__ = ["FUNCTIONS", "RowNumpy", "function"]

Array = np.ndarray[Any, Any]

LOGICAL = frozenset({"where", "logical_and", "logical_or", "logical_xor", "logical_not"})
"""Operations that take truth values as they are; to all others they are 0 and 1."""

BLOCK = 1 << 19
"""How many numbers of the data a block has, about; more would not stay in cache, fewer would be mostly Python."""

THREADED = 100_000
"""Rows from which another thread pays for its start."""


def _special(name: str, *first: Any) -> Callable[..., Any]:
    """A function of scipy.special, loaded when it is first called."""
    return lambda *args: getattr(importlib.import_module("bibun.core.scipy_special"), name)(*first, *args)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "digamma": _special("psi"),
    "trigamma": _special("polygamma", 1),
    "where": np.where,
}
"""What an operation without a `run` calls where neither NumPy nor scipy.special has its name."""


def function(e: Expression) -> Callable[..., Any]:
    """The NumPy function of an operation: the one it was recorded with, or the one of its name."""
    if e.run is not None:
        return e.run
    if e.op in FUNCTIONS:
        return FUNCTIONS[e.op]
    for module in ("numpy", "scipy.special", "bibun.special"):
        found = getattr(importlib.import_module(module), e.op, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
    raise NotImplementedError(f"no NumPy function computes {e.op!r}: give it a line in FUNCTIONS of {__name__}")


@dataclass
class Step:
    """One expression of a block.

    Attributes
    ----------
    value, args : int, list
        Where the value goes, and what it is made of: (position, whether it is a truth value to be made a number), or
        a static argument in a list of one.
    run : callable
    buffer : int
        Which buffer the value is written to; -1 where `run` brings its own array.
    terms, maps : list of int
        The results that are waiting for it.
    done : list of int
        The values of rows that nothing after it reads.
    """

    e: Expression
    value: int
    run: Callable[..., Any]
    args: list[Any]
    buffer: int
    terms: list[int]
    maps: list[int]
    done: list[int] = field(default_factory=list)


class RowNumpy:
    """A row program, ready to be called.

    Parameters
    ----------
    program : RowProgram
    rows : int, optional
        How many rows a block has.
    """

    def __init__(self, program: RowProgram, rows: int | None = None) -> None:
        self.program = program
        width = sum(s.width or 1 for s in program.sources)
        self.rows = rows or min(max(1 << (BLOCK // max(width, 1)).bit_length() - 1, 1024), 16384)
        matrices = any(program.blocks[k].kind == "dense" for t in program.terms for k in (t.right,) if k is not None)
        self.threaded = not matrices  # NumPy's own threads make the products of matrices
        self.scalars = frozenset(k for k, b in enumerate(program.blocks) if b.kind == "scalar")
        expressions = ordered(program.roots())
        self.place = {e: k for k, e in enumerate(expressions)}
        self.varies: set[Expression] = set()
        for e in expressions:
            if self._reads_rows(e) or any(a in self.varies for a in e.args if isinstance(a, Expression)):
                self.varies.add(e)
        self.head = [self._step(e) for e in expressions if e not in self.varies]
        self.body = [self._step(e) for e in expressions if e in self.varies]
        self.buffers = self._share_buffers()

    def _reads_rows(self, e: Expression) -> bool:
        return e.op == "column" or (e.op == "predictor" and e.number not in self.scalars)

    def _step(self, e: Expression) -> Step:
        if e.op == "predictor" and e.number in self.scalars:
            run: Callable[..., Any] = lambda parameters: parameters[e.number]
        elif e.op == "number":
            run = lambda parameters: np.float64(e.number)
        elif e.op in ("column", "predictor"):
            run = Rows.column if e.op == "column" else Rows.predictor
        else:
            run = function(e)
        args = [
            (self.place[a], a.boolean and e.op not in LOGICAL) if isinstance(a, Expression) else [a] for a in e.args
        ]
        terms = [k for k, t in enumerate(self.program.terms) if t.e is e]
        maps = [k for k, (m, _) in enumerate(self.program.maps) if m is e]
        return Step(e, self.place[e], run, args, -1, terms, maps)

    def _share_buffers(self) -> int:
        """Give a buffer to every ufunc's result, and to the next one when it was read for the last time."""
        rows = {s.value for s in self.body}
        last = {a[0]: k for k, s in enumerate(self.body) for a in s.args if isinstance(a, tuple)}
        held: dict[int, int] = {}
        free: list[int] = []
        count = 0
        for k, s in enumerate(self.body):
            if isinstance(s.run, np.ufunc) and s.run.nout == 1 and not s.e.boolean:
                if not free:
                    free.append(count)
                    count += 1
                s.buffer = held[s.value] = free.pop()
            s.done = [d for d in {a[0] for a in s.args if isinstance(a, tuple)} if last[d] == k and d in rows]
            if s.value not in last:  # only a result: taken at once
                s.done.append(s.value)
            free += [held.pop(d) for d in s.done if d in held]
        return count

    def __call__(self, arrays: Sequence[Array], parameters: Sequence[Any]) -> tuple[list[Any], list[Array]]:
        """The sums and the results a row, for arrays of any number of rows and one parameter array a block.

        Raises
        ------
        IndexError
            Where a code is not that of a group.
        """
        n = len(arrays[0]) if arrays else 0
        for k, a in enumerate(arrays):
            if len(a) != n:
                raise ValueError(f"array {k} of a row program has {len(a)} rows and array 0 has {n}: give equally many")
        given = [np.asarray(p, dtype=np.float64) for p in parameters]
        maps = [np.empty(n, dtype) for _, dtype in self.program.maps]
        with np.errstate(all="ignore"):
            values: list[Any] = [None] * len(self.place)
            for s in self.head:
                values[s.value] = s.run(given) if not s.args else s.run(*_arguments(s, values))
        count = (min(threads.count(), n // THREADED) if self.threaded else 1) or 1
        edges = [round(n / self.rows * k / count) * self.rows for k in range(count)] + [n]
        parts = [Part(self, arrays, given, list(values), maps) for _ in range(count)]
        if count == 1:
            parts[0].run(0, n)
        else:
            _together(parts, edges)
        with np.errstate(all="ignore"):
            return [sums[0].total(sums[1:]) for sums in zip(*(p.sums for p in parts), strict=True)], maps


def _together(parts: list["Part"], edges: list[int]) -> None:
    """Each part in a thread of its own; when one fails, or Ctrl-C comes, the others stop at their next block."""
    from concurrent.futures import ThreadPoolExecutor  # which imports half a library

    with ThreadPoolExecutor(len(parts) - 1) as pool:
        try:
            others = [pool.submit(p.run, a, b) for p, a, b in zip(parts[1:], edges[1:], edges[2:], strict=False)]
            parts[0].run(edges[0], edges[1])
            for other in others:
                other.result()
        finally:
            for p in parts:
                p.stopped = True


def _arguments(s: Step, values: list[Any]) -> list[Any]:
    out = []
    for a in s.args:
        if isinstance(a, list):
            out.append(a[0])
        else:
            out.append(np.asarray(values[a[0]], np.float64) if a[1] else values[a[0]])
    return out


class Part:
    """What one thread has of a call: a stretch of rows, buffers, and its sums."""

    def __init__(
        self, owner: RowNumpy, arrays: Sequence[Array], parameters: list[Array], values: list[Any], maps: list[Array]
    ) -> None:
        self.owner, self.values, self.maps = owner, values, maps
        program = owner.program
        self.rows = Rows(program, arrays, parameters)
        self.sums: list[Sum] = [sum_of(t, self.rows, owner.rows) for t in program.terms]
        self.buffers = [np.empty(owner.rows) for _ in range(owner.buffers)]
        self.stopped = False

    def run(self, start: int, stop: int) -> None:
        with np.errstate(all="ignore"):  # a thread has its own
            for low in range(start, stop, self.owner.rows):
                if self.stopped:
                    return
                self.block(low, min(low + self.owner.rows, stop))

    def block(self, low: int, high: int) -> None:
        """The rows from `low` to `high`."""
        rows, values, m = self.rows, self.values, high - low
        rows.move(low, high)
        for s in self.owner.head:
            if s.terms or s.maps:
                self.give(s, np.full(m, values[s.value]))
        for s in self.owner.body:
            if not s.args:
                y = s.run(rows, s.e.number)
            elif s.buffer < 0:
                y = s.run(*_arguments(s, values))
            else:
                y = s.run(*_arguments(s, values), out=self.buffers[s.buffer][:m])
            values[s.value] = y
            if s.terms or s.maps:
                self.give(s, y)
            for d in s.done:
                values[d] = None

    def give(self, s: Step, y: Array) -> None:
        """A value of every row to the sums and results that are made of it."""
        for k in s.maps:
            self.maps[k][self.rows.low : self.rows.high] = y
        if s.terms:
            y = np.asarray(y, dtype=np.float64)
            for k in s.terms:
                self.sums[k].add(y)
