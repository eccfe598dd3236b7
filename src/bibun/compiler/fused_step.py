"""Calls of NumPy over arrays of one shape as one pass over their elements: a row program whose rows are the elements.

The calls are kept: they run where arrays turn out to be small, or not to be as they were when they were recorded.
Imports cells.py, row_program.py; row_kernel.py or row_numpy.py when a step first runs.
"""

import contextlib
import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from . import machine
from .cells import _operation
from .expression import Expression, Expressions
from .row_arrays import order, readable
from .row_program import Block, RowProgram, Source, Term

if TYPE_CHECKING:
    from .row_kernel import Bound, RowKernel

__all__ = ["SUMS", "FusedStep", "Member", "made", "uniform"]

WORK = 40_000
"""Elements times operations, below which NumPy's calls are as quick."""

KEPT = 4
"""How many calls at once may find a kernel's tables made."""

SUMS = frozenset({"sum", "mean", "dot", "left", "right"})
"""What becomes of all elements: a number, or a vector by a matrix."""

Array = np.ndarray[Any, Any]


@dataclass
class Member:
    """A call, and what it is to a kernel.

    Attributes
    ----------
    call : Call
    role : str
        "each" element by itself, "spread" of a number, "predictor" matrix @ vector; or one of `SUMS`: "dot" vector @
        vector, "left" matrix @ vector and "right" vector @ matrix, over the elements.
    shape : tuple
        Of the arrays whose elements are worked on.
    arrays : list of int
        The arguments of that shape.
    """

    call: Any
    role: str
    shape: tuple[int, ...]
    arrays: list[int]


def made(call: Any, leaves: Mapping[int, Expression], home: Expressions) -> Any:
    """An elementwise call as an expression of those of its arguments; arguments without one are constants."""
    rule, places = call.traced.rule, list(leaves)
    recorded: Any = SimpleNamespace(
        rule=SimpleNamespace(rule=rule, where=places),
        _data=SimpleNamespace(dtype=call.traced.dtype),
        values=call.arguments,
        inputs=[leaves[i] for i in places],
    )
    return _operation(recorded, home, {id(e): e for e in leaves.values()})


class FusedStep:
    """One pass over the elements of arrays.

    Parameters
    ----------
    members : list of Member
        In an order in which they can be run.
    results : set of int
        The slots that somebody else reads.
    turned : dict
        Slots of transposed matrices, and the slots of what they are transposed from.
    """

    def __init__(self, members: Sequence[Member], results: set[int], turned: Mapping[int, int]) -> None:
        self.members = [Member(_plainer(m), m.role, m.shape, m.arrays) for m in members]
        self.turned = turned
        self.done: list[int] = []
        self.operations = len(members)
        self.home = Expressions()
        self.known: dict[Any, Any] = {}  # a slot, or a constant's identity -> its expression
        self.sources: dict[Any, tuple[Any, bool, bool]] = {}  # what it is, whether a matrix, whether transposed
        self.columns: list[tuple[int, int]] = []
        self.blocks: list[tuple[Block, Any]] = []  # with the slot of the parameters
        self.terms: list[Term] = []
        self.sums: list[tuple[int, str]] = []
        self.maps: list[tuple[Expression, np.dtype[Any]]] = []
        self.outs: list[int] = []
        for m in self.members:
            if m.role in SUMS:
                self._sum(m)
                continue
            e = self.known[m.call.out] = self._expression(m)
            if m.call.out in results:
                self.maps.append((_stored(e, m.call.traced.dtype), m.call.traced.dtype))
                self.outs.append(m.call.out)
        self.runners: dict[Any, Any] = {}

    # --- the program -------------------------------------------------------------------------------------------------

    def _expression(self, m: Member) -> Expression:
        call, slots = m.call, dict(m.call.slots)
        if m.role == "spread":
            return self._number(slots[0])
        if m.role == "predictor":
            return self._dense(
                self._source(call, 0, True, False), call.traced.given[0][0][1], slots.get(1, call.arguments[1])
            )
        leaves = {i: self._element(call, i) if i in m.arrays else self._number(k) for i, k in slots.items()}
        leaves |= {i: self._element(call, i) for i in m.arrays if isinstance(call.arguments[i], np.ndarray)}
        return made(call, leaves, self.home)  # type: ignore[no-any-return]

    def _number(self, slot: int) -> Expression:
        """A number that is computed before."""
        if slot not in self.known:
            self.known[slot] = self.home.leaf("predictor", len(self.blocks))
            self.blocks.append((Block("scalar", -1, 1), slot))
        return self.known[slot]  # type: ignore[no-any-return]

    def _element(self, call: Any, i: int) -> Expression:
        """An element of an array."""
        key = _origin(call, i)[0]
        if key not in self.known:
            self.known[key] = self.home.leaf("column", len(self.columns))
            self.columns.append((self._source(call, i, False, False), 0))
        return self.known[key]  # type: ignore[no-any-return]

    def _source(self, call: Any, i: int, matrix: bool, transposed: bool) -> int:
        key, origin = _origin(call, i)
        if matrix and key in self.turned:
            key = origin = self.turned[key]
            transposed = not transposed
        key = key, matrix, transposed
        self.sources.setdefault(key, (origin, matrix, transposed))
        return list(self.sources).index(key)

    def _dense(self, source: int, width: int, parameters: Any) -> Expression:
        self.blocks.append((Block("dense", source, width), parameters))
        return self.home.leaf("predictor", len(self.blocks) - 1)

    def _sum(self, m: Member) -> None:
        call, left = m.call, None
        if m.role in ("left", "right"):
            i = 0 if m.role == "left" else 1
            left = len(self.blocks)
            self._dense(self._source(call, i, True, m.role == "left"), call.traced.given[i][0][i], None)
            e = self._element(call, 1 - i)
        else:
            e = self._element(call, 0)
            if m.role == "dot":
                e = self.home.make("multiply", e, self._element(call, 1))
        self.sums.append((call.out, m.role))
        self.terms.append(Term(e, left))

    # --- a step of a plan --------------------------------------------------------------------------------------------

    def reads(self) -> set[int]:
        """The slots it reads."""
        direct = {k for k, _, _ in self.sources.values() if isinstance(k, int)}
        return direct | {k for m in self.members for k in m.call.reads()} - {m.call.out for m in self.members}

    def makes(self) -> list[int]:
        """The slots it writes."""
        return [*self.outs, *(k for k, _ in self.sums)]

    def same_as(self, other: "FusedStep") -> bool:
        """Whether it is the same program, though recorded on other rows."""
        return (
            len(self.members) == len(other.members)
            and self.outs == other.outs
            and all(
                a.role == b.role
                and (
                    (a.call.slots, a.call.out) == (b.call.slots, b.call.out)
                    if a.role == "spread"
                    else a.call.same_as(b.call)
                )
                for a, b in zip(self.members, other.members, strict=True)
            )
        )

    def __call__(self, values: list[Any]) -> None:
        arrays, shape = self._arrays(values)
        if arrays is None or math.prod(shape) * self.operations < WORK:
            self._called(values, shape)
        else:
            self._run(arrays, shape, values)
        for k in self.done:
            values[k] = None

    def _arrays(self, values: list[Any]) -> tuple[list[Array] | None, tuple[int, ...]]:
        """The arrays as a kernel reads them, None where it cannot; and the shape of those of elements."""
        found = [values[k] if isinstance(k, int) else k for k, _, _ in self.sources.values()]
        kinds = list(self.sources.values())
        shape: tuple[int, ...] = ()
        for a, (_, matrix, transposed) in zip(found, kinds, strict=True):
            if not isinstance(a, np.ndarray) or not (a.dtype == np.float64 or a.dtype.kind in "biu"):
                return None, shape or np.shape(a)
            mine = a.shape if not matrix else a.shape[1:] if transposed else a.shape[:1]
            if shape and shape != mine:
                return None, np.broadcast_shapes(shape, mine)
            shape = mine
        return found, shape

    def _called(self, values: list[Any], shape: tuple[int, ...]) -> None:
        """NumPy's calls."""
        for m in self.members:
            if m.role == "spread":
                values[m.call.out] = np.broadcast_to(np.reshape(values[m.call.slots[0][1]], ()), shape)
                continue
            m.call(values)
            if m.role == "each" and not m.arrays:
                values[m.call.out] = np.broadcast_to(values[m.call.out], shape)

    def _run(self, arrays: list[Array], shape: tuple[int, ...], values: list[Any]) -> None:
        """The kernel."""
        kinds = list(self.sources.values())
        flat = [a for a, (_, matrix, _) in zip(arrays, kinds, strict=True) if not matrix]
        columns = (
            len(shape) > 1 and not all(a.flags.c_contiguous for a in flat) and all(a.flags.f_contiguous for a in flat)
        )
        read = []
        for a, (_, matrix, transposed) in zip(arrays, kinds, strict=True):
            if matrix or columns:
                a = a.T if transposed or not matrix else a
            read.append(readable(a if matrix or a.ndim == 1 else a.reshape(-1)))
        key = tuple([(a.dtype, a.shape[1:], a.ndim > 1 and order(a)) for a in read])
        runner = self.runners.get(key)
        if runner is None:
            runner = self.runners[key] = self._runner(read)
        parameters = [
            None if p is None else np.reshape(values[p] if isinstance(p, int) else p, () if b.kind == "scalar" else -1)
            for b, p in self.blocks
        ]
        terms, maps = runner(read, parameters)
        for k, a in zip(self.outs, maps, strict=True):
            if len(shape) > 1:
                a = a.reshape(shape[::-1]).T if columns else a.reshape(shape)
            values[k] = a
        for (k, role), total in zip(self.sums, terms, strict=True):
            values[k] = total / math.prod(shape) if role == "mean" else total

    def _runner(self, arrays: list[Array]) -> Any:
        """What runs the program for arrays of these types."""
        sources = [Source(a.dtype, a.shape[1] if a.ndim > 1 else None, order(a) if a.ndim > 1 else "C") for a in arrays]
        program = RowProgram(sources, self.columns, [b for b, _ in self.blocks], self.terms, self.maps)
        if machine.available():
            from .row_kernel import RowKernel

            with contextlib.suppress(NotImplementedError):
                return Pool(RowKernel(program))
        from .row_numpy import RowNumpy

        return RowNumpy(program)

    def __str__(self) -> str:
        inside = "".join(f"\n    {m.call}" for m in self.members)
        return f"one pass over the elements:{inside}"


class Pool:
    """A kernel with its tables, which serve arrays of the same shapes wherever they are."""

    def __init__(self, kernel: "RowKernel") -> None:
        self.kernel = kernel
        self.free: list[Bound] = []

    def __call__(self, arrays: list[Array], parameters: list[Any]) -> tuple[list[Any], list[Array]]:
        bound = None
        if self.free:
            try:
                bound = self.free.pop()
            except IndexError:  # another thread was quicker
                bound = None
        if bound is None or any(
            a.shape != shape or a.strides != strides
            for a, (_, shape, strides) in zip(arrays, bound.arrays, strict=True)
        ):
            from .row_kernel import Bound

            bound = Bound(self.kernel, arrays, ())
        else:
            for k, a in enumerate(arrays):
                bound.data[3 * k] = a.__array_interface__["data"][0]
        result = bound.run(self.kernel.address, arrays, parameters)
        if len(self.free) < KEPT:
            self.free.append(bound)
        return result


def _plainer(m: Member) -> Any:
    """The call with numbers for arrays of one number, which are as long as there are elements."""
    call = m.call
    if m.role != "each" or not any(isinstance(call.arguments[i], np.ndarray) for i in m.arrays):
        return call
    call = copy.copy(call)
    call.arguments = list(call.arguments)
    for i in list(m.arrays):
        a = call.arguments[i]
        if isinstance(a, np.ndarray) and a.size and uniform(a):
            call.arguments[i] = a.flat[0]
            m.arrays = [k for k in m.arrays if k != i]
    return call


def uniform(a: Array) -> bool:
    """Whether every bit of every element is the same."""
    if not any(a.strides):
        return True
    bits = np.ascontiguousarray(a).view(np.uint8).reshape(a.size, -1)
    return bool((bits == bits[0]).all())


def _origin(call: Any, i: int) -> tuple[Any, Any]:
    """What an argument is known by, and its slot; or the constant."""
    for place, slot in call.slots:
        if place == i:
            return slot, slot
    return ("constant", id(call.arguments[i])), call.arguments[i]


def _stored(e: Expression, dtype: Any) -> Expression:
    """An expression as what its array has: a truth value, or a number."""
    if dtype.kind == "b":
        return e if e.boolean else e.home.make("not_equal", e, 0.0)
    return e.home.make("where", e, 1.0, 0.0) if e.boolean else e
