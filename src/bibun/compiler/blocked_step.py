"""Calls of NumPy over arrays with one long axis, made block by block, so that what they make stays in cache.

For what no row program is: products with matrices, broadcasting, reductions over other axes. `blocked` finds the steps
that do to a stretch of the axis what they do to all of it, or add up over it. Where every one of them has machine code,
that is what runs (tile_kernel.py). Imports ordering.py, fused_step.py; tile_program.py and the others when a step runs.
"""

import copy
import functools
import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import blas, machine, threads
from .cells import PASSED, Unsupported
from .fused_step import uniform
from .ordering import Order, freed, makes

__all__ = ["BlockedStep", "blocked"]

WIDE = 8
"""Numbers beside one another for each place of the axis, from which arrays are worked on in blocks."""

CACHE = 1 << 24
"""Bytes that a block's arrays may take together."""

THREADED = 1 << 22
"""Numbers that are made, from which another thread pays for its start."""

WORK = 20_000
"""Numbers that are made, below which NumPy is as quick."""

KEPT, HELD = 4, 64
"""How many threads' memory is kept for the next call, and how many arrays of each."""

Array = np.ndarray[Any, Any]


def blocked(steps: list[Any], kept: set[int], n: int) -> list[Any]:
    """The same steps, those that can go block by block along the axis of length `n` as one."""
    if not n:
        return steps
    ways = [_way(s, n) for s in steps]
    if sum(w is not None for w in ways) < 3:
        return steps

    def closed(inside: list[int], read: set[int]) -> list[Any]:
        """A step of these; themselves where all that they make is narrow, they are few, or nothing given has rows."""
        group = [(steps[i], w) for i in inside if (w := ways[i]) is not None]
        wide = max(w.width for _, w in group) >= WIDE and not all(w.single for _, w in group)
        step = BlockedStep(group, read, n) if len(group) > 2 and wide else None
        return [step] if step is not None and step.inputs else [s for s, _ in group]

    late: list[set[int]] = [set() if w is None else set(w.sums) for w in ways]
    return Order(steps, [None if w is None else n for w in ways], late, kept, closed).made()


class Way:
    """How a step goes along the axis.

    Attributes
    ----------
    sums : list of int
        The slots that it adds up.
    width : int
        How many numbers it makes for each place of the axis.
    single : bool
        Whether it works on single elements of arrays of one shape: then a kernel is better.
    """

    def __init__(self, sums: list[int], width: int, single: bool = False) -> None:
        self.sums, self.width, self.single = sums, width, single


def _way(step: Any, n: int) -> Way | None:
    """How a step goes along the axis of length `n`; None if it does not."""
    traced = getattr(step, "traced", None)
    if traced is None or traced.dtype is None:
        return None
    shapes = {i: g[0] for i, g in enumerate(traced.given) if g is not None and n in g[0]}
    if any(s.count(n) > 1 for s in (*shapes.values(), traced.shape)) or not shapes:
        return None
    axes = {i: s.index(n) - len(s) for i, s in shapes.items()}
    out = traced.shape.index(n) - len(traced.shape) if n in traced.shape else None
    rule = traced.rule
    if (
        rule.kind == "elementwise"
        or rule.name in ("where", "absorb", *SAME)
        or (rule.kind == "constant" and isinstance(rule.func, np.ufunc))
    ):
        kind = "along" if out is not None and set(axes.values()) == {out} else ""
    else:
        kind = RULES[rule.name](step, axes, out) if rule.name in RULES else ""
    if kind == "along" and out is not None:
        single = rule.name not in RULES and {g[0] for g in traced.given if g is not None and g[0]} == {traced.shape}
        return Way([], math.prod(traced.shape) // n, single)
    return Way([step.out], 0) if kind == "sum" and traced.dtype == np.float64 else None


SAME = PASSED - {"reshape", "broadcast_to"}


def _over(axes: Any, ndim: int) -> set[int]:
    """Axes as they are counted from the last."""
    every = range(ndim) if axes is None else axes if isinstance(axes, tuple) else (axes,)
    return {k % ndim - ndim for k in every}


def _reduced(step: Any, axes: dict[int, int], out: int | None) -> str:
    if 0 not in axes:
        return ""
    if axes[0] not in _over(step.arguments[1], len(step.traced.given[0][0])):
        return "along"
    return "sum" if step.traced.rule.name == "sum" else ""


def _shared(step: Any, axes: dict[int, int], out: int | None) -> str:
    """A logarithm of a sum of exponentials, or the shares of such a sum, along another axis."""
    if set(axes) != {0} or step.arguments[2] is None:
        return ""
    return "" if axes[0] in _over(step.arguments[2], len(step.traced.given[0][0])) else "along"


def _multiplied(step: Any, axes: dict[int, int], out: int | None) -> str:
    a, b = (g[0] for g in step.traced.given[:2])
    if len(a) < 2 or len(b) < 2:
        return ""
    if set(axes) == {0, 1} and axes == {0: -1, 1: -2}:
        return "sum"
    if set(axes) == {0, 1}:
        return "along" if axes[0] == axes[1] == out else ""
    if axes == {0: -1} or axes == {1: -2}:
        return ""  # the other one is 1 long there
    return "along" if out is not None else ""


def _indexed(step: Any, axes: dict[int, int], out: int | None) -> str:
    index = step.arguments[1]
    index = index if isinstance(index, tuple) else (index,)
    if out is None or set(axes) != {0} or any(not (i is None or isinstance(i, (int, slice))) for i in index):
        return ""
    at = 0
    for i in index:
        if i is None:
            continue
        if at - len(step.traced.given[0][0]) == axes[0] and i != slice(None):
            return ""
        at += 1
    return "along"


def _moved(step: Any, axes: dict[int, int], out: int | None) -> str:
    return "along" if set(axes) == {0} and out is not None else ""


def _reshaped(step: Any, axes: dict[int, int], out: int | None) -> str:
    if set(axes) != {0} or out is None:
        return ""
    before, after = step.traced.given[0][0], step.traced.shape
    return "along" if math.prod(before[: axes[0]]) == math.prod(after[:out]) else ""


def _spread(step: Any, axes: dict[int, int], out: int | None) -> str:
    return "along" if out is not None and axes.get(0, out) == out else ""


RULES: dict[str, Callable[[Any, dict[int, int], int | None], str]] = {
    **dict.fromkeys(["sum", "max", "min"], _reduced),
    **dict.fromkeys(["log_sum", "shares", "exp_shares"], _shared),
    **dict.fromkeys(["transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze"], _moved),
    "matmul": _multiplied, "getitem": _indexed, "reshape": _reshaped, "broadcast_to": _spread,
}  # fmt: skip
"""What each function of arrays does to a stretch of an axis: "along", the same stretch of its result; "sum", a part of
its result, to be added up; or nothing of the kind."""


class BlockedStep:
    """Steps made block by block.

    Parameters
    ----------
    group : list of (step, Way)
    read : set of int
        The slots that are read elsewhere.
    n : int
        The length of the axis where it was recorded.
    """

    def __init__(self, group: Sequence[tuple[Any, Way]], read: set[int], n: int) -> None:
        self.n, self.done, self.width = n, list[int](), sum(w.width for _, w in group)
        self.size = 1 + max(k for s, _ in group for k in (*s.reads(), *makes(s)))
        self.constants: list[tuple[Any, tuple[int, ...] | None]] = []
        self.buffered: dict[int, tuple[int, tuple[int, ...]]] = {}  # for each place of the axis, and all
        self.buffers: list[Buffers] = []
        made = {k for s, _ in group for k in makes(s)}
        shapes: dict[int, tuple[Any, ...]] = {}
        for step, _ in group:
            shapes |= {k: step.traced.given[i] for i, k in step.slots}
            shapes[step.out] = step.traced.shape, step.traced.dtype
        self.steps = [self._cut(s) for s, _ in group]
        products = {k for s in self.steps if s.name == "matmul" for k in s.reads()}
        for step in self.steps:
            if step.name in ("transpose", "swapaxes") and step.out not in products | read:
                step.run = _laid_out(step.run)  # read once across its rows, and not by every operation on it
        sums = {k for _, w in group for k in w.sums}
        self.sums = sorted(sums & read)
        self.outs = [(k, *shapes[k]) for k in sorted((made - sums) & read)]
        self.slots = {k for s in self.steps for k in s.reads()} - made
        self.group = [s for s, _ in group], sums & read | {k for k, _, _ in self.outs}
        self.inputs = {k: s.index(n) for k, (s, _) in shapes.items() if k in self.slots and n in s}
        freed(self.steps, {*range(self.size + len(self.constants))} - (made - read))

    def _cut(self, step: Any) -> Any:
        """The call with slots of their own for those of its constants that hang on the length of a block."""
        n, traced = self.n, step.traced
        step = copy.copy(step)
        step.slots, step.arguments = list(step.slots), list(step.arguments)
        if _into(step) and traced.dtype == np.float64 and n in traced.shape:
            step.run = _putting(traced.rule.func)
            step.arguments.append(None)  # where the result goes
            self.buffered[step.out] = math.prod(traced.shape) // n, traced.shape
            step.slots.append((len(step.arguments) - 1, step.out))
        tracked = {i for i, _ in step.slots}
        for i, a in enumerate(step.arguments):
            shape = isinstance(a, tuple) and n in a and traced.rule.name in ("reshape", "broadcast_to")
            if i in tracked or not (shape or (isinstance(a, np.ndarray) and n in a.shape)):
                continue
            step.arguments[i] = None
            step.slots.append((i, self.size + len(self.constants)))
            alike = not shape and uniform(a)
            self.constants.append((a.flat[0], a.shape) if alike else (a, None))
        return step

    @functools.cached_property
    def layout(self) -> Any:
        """How machine code makes the steps; None where there is none for one of them."""
        if not machine.available():
            return None
        from .tile_layout import TileLayout
        from .tile_program import TileProgram

        try:
            return TileLayout(TileProgram(*self.group, self.n), machine.lanes())
        except (Unsupported, AttributeError, TypeError):  # the latter of a function that makes no number of numbers
            return None

    @functools.cached_property
    def kernel(self) -> Any:
        """The machine code, or None."""
        if self.layout is None:
            return None
        from .tile_kernel import TileKernel

        return TileKernel(self.layout)

    def reads(self) -> set[int]:
        """The slots it reads."""
        return {k for k in self.slots if k < self.size}

    def makes(self) -> list[int]:
        """The slots it writes."""
        return [*self.sums, *(k for k, _, _ in self.outs)]

    def same_as(self, other: "BlockedStep") -> bool:
        """Whether it is the same steps, though recorded for another length."""

        def described(step: BlockedStep) -> Any:
            places = [[-1 if k == step.n else k for k in s or ()] for _, s in step.constants]
            shapes = [[-1 if k == step.n else k for k in a] for a, _ in step.constants if isinstance(a, tuple)]
            return step.makes(), step.inputs, places, shapes

        return (
            described(self) == described(other)
            and len(self.steps) == len(other.steps)
            and all(type(a) is type(b) and a.same_as(b) for a, b in zip(self.steps, other.steps, strict=True))
            and all(
                isinstance(a, tuple) or (np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True))
                for (a, _), (b, _) in zip(self.constants, other.constants, strict=True)
            )
        )

    def __call__(self, values: list[Any]) -> None:
        (n,) = {values[k].shape[axis] for k, axis in self.inputs.items()}
        if n * self.width > WORK and self.kernel is not None and self.kernel(values, n):
            for k in self.done:
                values[k] = None
            return
        size = max(CACHE // (8 * self.width), 8)
        count = min(threads.count(), max(n // 64, 1)) if n * self.width > THREADED else 1
        blocks = max(round(n / size / count), 1) * count
        size = max(-(-n // blocks), 1)
        edges = [min(blocks // count * size * k, n) for k in range(count)] + [n]
        outs = [np.empty([n if j == self.n else j for j in shape], dtype) for _, shape, dtype in self.outs]
        parts: list[Any] = [Part(self, values, outs, _taken(self.buffers), size) for _ in edges[1:]]
        with blas.alone():
            if count == 1:
                parts[0].run(0, n)
            else:
                from .row_numpy import _together

                _together(parts, edges)
        self.buffers += [p.buffers for p in parts][: max(KEPT - len(self.buffers), 0)]
        for k, *totals in zip(self.sums, *(p.sums for p in parts), strict=True):
            values[k] = sum(totals[1:], totals[0])
        for (k, _, _), out in zip(self.outs, outs, strict=True):
            values[k] = out
        for k in self.done:
            values[k] = None

    def __str__(self) -> str:
        inside = "".join(f"\n    {line}" for s in self.steps for line in str(s).split("\n"))
        return f"block by block:{inside}"


def _into(call: Any) -> bool:
    """Whether a call can be told where to put its result. A power is not what its ufunc is: it knows squares."""
    func = call.traced.rule.func
    if not isinstance(func, np.ufunc) or len(call.arguments) != func.nin:
        return False
    return call.name == "matmul" or call.run in (func, operator.add, operator.sub, operator.mul, operator.truediv)


def _putting(func: Any) -> Callable[..., Any]:
    return lambda *args: func(*args[:-1], out=args[-1])


def _laid_out(run: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: np.ascontiguousarray(run(*args))


class Part:
    """What one thread has of a call."""

    def __init__(self, owner: BlockedStep, values: list[Any], outs: list[Array], buffers: "Buffers", size: int) -> None:
        self.owner, self.values, self.outs, self.buffers, self.size = owner, values, outs, buffers, size
        self.sums: list[Any] = []
        self.stopped = False

    def run(self, start: int, stop: int) -> None:
        """The stretch from `start` to `stop`, in blocks."""
        with np.errstate(all="ignore"):  # a thread has its own
            for low in range(start, max(stop, start + 1), self.size):
                if not self.stopped:
                    self.block(low, min(low + self.size, stop))

    def block(self, low: int, high: int) -> None:
        owner = self.owner
        local = [*self.values[: owner.size], *[None] * (owner.size - len(self.values))]
        for k, axis in owner.inputs.items():
            local[k] = _stretch(local[k], axis, low, high)
        for a, shape in owner.constants:
            if shape is not None:
                local.append(np.broadcast_to(a, [high - low if j == owner.n else j for j in shape]))
            elif isinstance(a, tuple):
                local.append(tuple([high - low if j == owner.n else j for j in a]))
            else:
                local.append(_stretch(a, a.shape.index(owner.n), low, high))
        for step in owner.steps:
            if step.out in owner.buffered:
                room, shape = owner.buffered[step.out]
                shape = tuple([high - low if j == owner.n else j for j in shape])
                local[step.out] = self.buffers.one(room * self.size, shape)
            step(local)
        if self.sums:
            self.sums = [a + local[k] for a, k in zip(self.sums, owner.sums, strict=True)]
        else:
            self.sums = [np.array(local[k]) if isinstance(local[k], np.ndarray) else local[k] for k in owner.sums]
        for (k, shape, _), out in zip(owner.outs, self.outs, strict=True):
            _stretch(out, shape.index(owner.n), low, high)[...] = local[k]


def _alone() -> int:
    """What `sys.getrefcount` says of an array that only a list and a loop over it know; -1 where that tells nothing."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return -1
    for a in [np.empty(1)]:
        return sys.getrefcount(a)
    return -1


ALONE = _alone()


class Buffers:
    """Memory that is used again as soon as nobody refers to it any more."""

    def __init__(self) -> None:
        self.held: list[Array] = []

    def one(self, room: int, shape: tuple[int, ...]) -> Array:
        """An array of this shape that nobody else has, in memory of `room` numbers."""
        for a in self.held:
            if a.size == room and sys.getrefcount(a) == ALONE:
                break
        else:
            self.held = [a for a in self.held if sys.getrefcount(a) > ALONE or a.size == room][-HELD:]
            a = np.empty(room)
            self.held.append(a)
        return a[: math.prod(shape)].reshape(shape)


def _taken(buffers: list[Buffers]) -> Buffers:
    try:
        return buffers.pop()
    except IndexError:
        return Buffers()


def _stretch(a: Array, axis: int, low: int, high: int) -> Array:
    return a[(*(slice(None),) * axis, slice(low, high))]
