"""What steps over arrays with one long axis compute, said for a kernel: tile by tile of the long axis, loop by loop.

A tile is as many places of the axis as some vectors hold. Of every array that is made, the numbers of a tile stand in
memory of the thread's own, axis by axis, those of one tile beside one another. Views (a transpose, a slice, a new axis)
are no work: NumPy is asked what they do to strides. What more a kernel should know of arrays is a line of `READ`.
Imports fusion.py, scalar_math.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .cells import Unsupported
from .expression import Expression, Expressions, ordered
from .fused_step import made, uniform
from .fusion import single
from .scalar_math import lowered

__all__ = ["Base", "Operand", "Statement", "TileProgram"]

Array = np.ndarray[Any, Any]

PRIMES = (101, 103, 107, 109, 113, 127, 131, 137, 139, 149)
"""Lengths that stand for the long axis while views are looked at."""

INNER = 1000
"""Up to so many numbers are multiplied and added up by a kernel for each one that is made; BLAS has more."""


@dataclass
class Base:
    """An array that is read or made: of `size` numbers for each place of the long axis, or in all.

    Attributes
    ----------
    kind : str
        "rows", an argument with the long axis; "fixed", one without; "made", memory of the kernel's own.
    slot : int or ndarray
        Where the argument is, or what it is.
    shape : tuple
        Of the argument or of what is made, the long axis in it where there is one.
    """

    kind: str
    size: int
    slot: Any
    shape: tuple[int, ...]


class Operand(NamedTuple):
    """What an expression reads: the first number, and how far it is to the next along each axis of its loops."""

    base: int
    offset: int
    kept: tuple[int, ...]
    over: tuple[int, ...]


@dataclass
class Statement:
    """Loops over the axes `kept`, and within them over the axes `over`, at each place of a tile.

    Attributes
    ----------
    kind : str
        "map", a value is stored; "sum", "max", "min" over the axes `over`; "exponentials", of numbers less the largest
        of them: the logarithm of the sum, the largest added, and what share of it each has; "total", the sum over the
        long axis.
    e : Expression
        Of primitive operations; `column[k]` is operand k.
    out : int
        The base that is made, -1 for none; of a total, which it is.
    shares : int
        The operand that shares are written to, -1 for none.
    """

    kind: str
    kept: tuple[int, ...]
    over: tuple[int, ...]
    e: Expression
    operands: list[Operand]
    out: int = -1
    shares: int = -1

    def reads(self) -> set[int]:
        """The bases it reads."""
        return {o.base for k, o in enumerate(self.operands) if k != self.shares}

    def makes(self) -> set[int]:
        """The bases it makes."""
        made = {self.out} if self.kind != "total" and self.out >= 0 else set()
        return made | ({self.operands[self.shares].base} if self.shares >= 0 else set())


@dataclass
class Total:
    """A sum over the long axis: its slot, the axes it is over, whether they are kept, and the shape before it."""

    slot: int
    axes: tuple[int, ...]
    keepdims: bool
    shape: tuple[int, ...]
    size: int


@dataclass
class Output:
    """What is made for each place of the axis and read elsewhere."""

    slot: int
    operand: Operand
    shape: tuple[int, ...]
    axis: int


@dataclass
class Known:
    """A value: an array as NumPy would see it in the memory of a base, or an expression that is not stored."""

    shape: tuple[int, ...]
    base: int = -1
    seen: Any = None
    e: Expression | None = None


def _address(a: Array) -> int:
    return int(a.__array_interface__["data"][0])


WHOLE = frozenset(["maximum", "minimum", "equal", "not_equal", "astype"])
"""Operations on counts that are exact in double precision."""


class TileProgram:
    """The program of steps along an axis of length `n`.

    Parameters
    ----------
    steps : sequence of Call
        In an order in which they can be run.
    read : set of int
        The slots that are read elsewhere.
    n : int

    Raises
    ------
    Unsupported
        One of them is not for a kernel.
    """

    def __init__(self, steps: Sequence[Any], read: set[int], n: int) -> None:
        self.n = n
        every = {k for s in steps for g in (*s.traced.given, (s.traced.shape, None)) if g is not None for k in g[0]}
        self.m = next((p for p in PRIMES if p not in every or p == n), 0)
        if not self.m:
            raise Unsupported("lengths")
        self.home = Expressions()
        self.bases: list[Base] = []
        self.memory: list[Array] = []  # a stand-in for that of each base
        self.statements: list[Statement] = []
        self.totals: list[Total] = []
        self.leaves: list[tuple[int, Any]] = []  # the base and the view of it that `column[k]` is
        self.numbers: dict[Any, int] = {}
        self.known: dict[Any, Known] = {}
        self.read = read
        self.counts: set[int] = set()  # slots of whole numbers, of how many are true
        self.readers: dict[int, int] = {}
        for step in steps:
            for k in step.reads():
                self.readers[k] = self.readers.get(k, 0) + 1
        self.steps = {s.out: s for s in steps}
        for step in steps:
            READ.get(step.name, TileProgram.single)(self, step)
        sums = {t.slot for t in self.totals}
        self.outputs = [self._output(s.out) for s in steps if s.out in read and s.out not in sums]

    # --- values ------------------------------------------------------------------------------------------------------

    def shaped(self, shape: Sequence[int]) -> tuple[int, ...]:
        """A shape with the stand-in for the long axis."""
        return tuple([self.m if k == self.n else k for k in shape])

    def argument(self, step: Any, i: int) -> Known:
        """An argument of a step, stored."""
        found = self.value(step, i)
        if found.base < 0:
            slot = dict(step.slots)[i]
            self.store(slot, found)
            found = self.known[slot]
        return found

    def value(self, step: Any, i: int) -> Known:
        """An argument of a step, as it is known."""
        slot = dict(step.slots).get(i)
        given = step.traced.given[i]
        if given is None or given[1].kind not in "biuf" or given[1].itemsize > 8 or 0 in given[0]:
            raise Unsupported("not numbers")
        key = slot if slot is not None else ("constant", id(step.arguments[i]))
        if key not in self.known:
            shape = self.shaped(given[0])
            along = self.m in shape
            size = math.prod(shape) // self.m if along else math.prod(shape)
            source = slot if slot is not None else np.asarray(step.arguments[i])
            self.known[key] = self.made_base(Base("rows" if along else "fixed", size, source, tuple(given[0])), shape)
        return self.known[key]

    def made_base(self, base: Base, shape: tuple[int, ...]) -> Known:
        """A new base, and the array that is seen in it."""
        self.bases.append(base)
        axis = shape.index(self.m) if self.m in shape else -1
        self.memory.append(np.empty(shape if axis < 0 else (*shape[:axis], *shape[axis + 1 :], self.m)))
        return Known(shape, len(self.bases) - 1, np.moveaxis(self.memory[-1], -1, axis) if shape else self.memory[-1])

    def expression(self, known: Known) -> Expression:
        """A value as what an expression reads, or is."""
        if known.e is not None:
            return known.e
        key = known.base, _address(known.seen), known.seen.shape, known.seen.strides
        if key not in self.numbers:
            self.numbers[key] = len(self.leaves)
            self.leaves.append((known.base, known.seen))
        return self.home.leaf("column", self.numbers[key])

    def room(self, shape: tuple[int, ...]) -> Known:
        """Memory for an array that is made."""
        if self.m not in shape:
            raise Unsupported("an array without the axis")
        return self.made_base(Base("made", math.prod(shape) // self.m, None, shape), shape)

    def store(self, slot: int, known: Known) -> None:
        """Have the value of an expression in memory."""
        assert known.e is not None
        to = self.room(known.shape)
        e = self.home.make("where", known.e, 1.0, 0.0) if known.e.boolean else known.e
        self.statement("map", e, known.shape, (), to.base)
        self.known[slot] = to

    def statement(self, kind: str, e: Expression, shape: tuple[int, ...], over: Sequence[int], out: int) -> None:
        """Loops over `shape`, those over the axes `over` inside."""
        axis = shape.index(self.m)
        kept = [k for k in range(len(shape)) if k != axis and k not in over]
        simple = lowered([e])
        if simple is None:
            raise Unsupported("an operation without a kernel")
        operands, places = [], {}
        for leaf in ordered(simple):
            if leaf.op == "column" and leaf.number not in places:
                places[leaf.number] = len(operands)
                operands.append(self.operand(*self.leaves[leaf.number], shape, kept, over))
        sizes = [tuple([shape[k] for k in axes]) for axes in (kept, over)]
        home = Expressions()
        done: dict[Expression, Any] = {}
        for x in ordered(simple):
            if x.op == "column":
                done[x] = home.leaf("column", places[x.number])
            else:
                args = tuple([done[a] if isinstance(a, Expression) else a for a in x.args])
                done[x] = home._put(x.op, args, x.number, x.run, args if x.op != "number" else (repr(x.number),))
        self.statements.append(Statement(kind, *sizes, done[simple[0]], operands, out))

    def operand(
        self, base: int, seen: Array, shape: tuple[int, ...], kept: Sequence[int], over: Sequence[int]
    ) -> Operand:
        """How loops over `shape` go through a view."""
        offset = _address(seen) - _address(self.memory[base])
        strides = np.broadcast_to(seen, shape).strides
        unit = 8
        if self.bases[base].kind != "fixed":
            unit = 8 * self.m
            if strides[shape.index(self.m)] != 8:
                raise Unsupported("another axis")
        if offset % unit or any(strides[k] % unit for k in (*kept, *over)):
            raise Unsupported("a view")
        far = [tuple([strides[k] // unit for k in axes]) for axes in (kept, over)]
        return Operand(base, offset // unit, *far)

    def _output(self, slot: int) -> Output:
        step, known = self.steps[slot], self.known[slot]
        if step.traced.dtype != np.float64:
            raise Unsupported("a result that is not float64")
        if known.base < 0:
            self.store(slot, known)
            known = self.known[slot]
        axis = known.shape.index(self.m)
        kept = [k for k in range(len(known.shape)) if k != axis]
        operand = self.operand(known.base, known.seen, known.shape, kept, ())
        return Output(slot, operand, tuple(step.traced.shape), axis)

    # --- steps -------------------------------------------------------------------------------------------------------

    def single(self, step: Any) -> None:
        """An operation on single elements."""
        operands = single(step, step.traced)
        if operands is None and step.name in WHOLE and {k for _, k in step.slots} <= self.counts:
            operands = [i for i, g in enumerate(step.traced.given) if g is not None]
            self.counts |= {step.out} if step.traced.dtype.kind == "i" else set()
        if operands is None:
            raise Unsupported(step.name)
        shape, slots = self.shaped(step.traced.shape), dict(step.slots)
        leaves = {}
        for i in operands:
            a = step.arguments[i]
            if i not in slots and (np.ndim(a) == 0 or uniform(np.asarray(a))):
                continue
            known = self.value(step, i)
            leaves[i] = self.expression(known if known.e is None or known.shape == shape else self.argument(step, i))
        known = Known(shape, e=made(step, leaves, self.home))
        self.known[step.out] = known
        if self.readers.get(step.out, 0) != 1 or step.out in self.read:
            self.store(step.out, known)

    def view(self, step: Any) -> None:
        """The same memory seen in another way."""
        known = self.argument(step, 0)
        arguments = [
            self.shaped(a) if isinstance(a, tuple) and step.name in ("reshape", "broadcast_to") else a
            for a in step.arguments[1:]
        ]
        if any(i for i, _ in step.slots):
            raise Unsupported("a view that hangs on a value")
        seen = step.run(known.seen, *arguments)
        if not isinstance(seen, np.ndarray) or not np.may_share_memory(seen, known.seen):
            raise Unsupported("not a view")
        if seen.shape != self.shaped(step.traced.shape):
            raise Unsupported("another shape")
        self.known[step.out] = Known(seen.shape, known.base, seen)

    def reduced(self, step: Any) -> None:
        """A sum, a maximum or a minimum; of sums also those over the long axis."""
        x, axes, keepdims = self.reducible(step)
        axis = x.shape.index(self.m)
        if axis in axes:
            if step.name != "sum":
                raise Unsupported(step.name)
            self.total(step, self.expression(x), x.shape, axes, keepdims)
        else:
            to = self.known[step.out] = self.room(self.shaped(step.traced.shape))
            self.statement(step.name, self.expression(x), x.shape, axes, to.base)

    def reducible(self, step: Any) -> tuple[Known, tuple[int, ...], bool]:
        """What is reduced, over which axes, and whether they are kept."""
        if step.name == "sum" and step.traced.given[0][1].kind == "b" and self.m in self.shaped(step.traced.shape):
            self.counts.add(step.out)
        elif step.traced.given[0][1] != np.float64 or step.traced.dtype != np.float64:
            raise Unsupported("not in double precision")
        axes, keepdims, *more = step.arguments[1:]
        if any(a is not None for a in more):
            raise Unsupported("a first value")
        x = self.value(step, 0)
        if self.m not in x.shape:
            raise Unsupported("nothing along the axis")
        every = range(len(x.shape)) if axes is None else axes if isinstance(axes, tuple) else (axes,)
        return x, tuple(sorted({k % len(x.shape) for k in every})), bool(keepdims)

    def total(self, step: Any, e: Expression, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> None:
        """A sum over the long axis; other axes are added up after it."""
        self.statement("total", e, shape, (), len(self.totals))
        whole = tuple([1 if k == self.m else k for k in shape])
        self.totals.append(Total(step.out, axes, keepdims, whole, math.prod(whole)))

    def product(self, step: Any) -> None:
        """A product of matrices."""
        if any(g[1] != np.float64 for g in step.traced.given[:2]) or step.traced.dtype != np.float64:
            raise Unsupported("not in double precision")
        a, b = self.argument(step, 0).seen, self.argument(step, 1).seen
        bases = [self.argument(step, i).base for i in (0, 1)]
        if a.ndim < 2 or b.ndim < 2:
            raise Unsupported("a product with a vector")
        inner = a.shape[-1]
        views = [a[..., :, None, :], np.swapaxes(b, -1, -2)[..., None, :, :]]
        factors = [self.expression(Known(v.shape, base, v)) for v, base in zip(views, bases, strict=True)]
        e = self.home.make("multiply", *factors)
        shape = (*self.shaped(step.traced.shape), inner)
        if inner == self.m:
            self.total(step, e, shape, (len(shape) - 1,), False)
        elif inner > INNER:
            raise Unsupported("a large product")
        else:
            to = self.known[step.out] = self.room(shape[:-1])
            self.statement("sum", e, shape, (len(shape) - 1,), to.base)

    def exponentials(self, step: Any) -> None:
        """The logarithm of a sum of exponentials, and the shares of the same sum where they are wanted too."""
        if step.out in self.known:
            return
        x = self.argument(step, 0)
        same = []
        for s in self.steps.values():
            if s.name in ("log_sum", "shares") and s.slots == step.slots and s.arguments[1:3] == step.arguments[1:3]:
                same.append(s)
        if type(step.arguments[1]) is not float or step.arguments[1] != 1.0 or step.arguments[2] is None:
            raise Unsupported("weights")
        if len({s.name for s in same}) < len(same) or step.traced.dtype != np.float64:
            raise Unsupported("twice the same")
        axes = step.arguments[2] if isinstance(step.arguments[2], tuple) else (step.arguments[2],)
        over = tuple(sorted({k % len(x.shape) for k in axes}))
        if x.shape.index(self.m) in over or step.traced.given[0][1] != np.float64:
            raise Unsupported("over the axis")
        whole = tuple([k for i, k in enumerate(x.shape) if i not in over])
        largest, to = self.room(whole), {s.name: self.room(self.shaped(s.traced.shape)) for s in same}
        for s in same:
            self.known[s.out] = to[s.name]
        e = self.expression(x)
        self.statement("max", e, x.shape, over, largest.base)
        shown = np.expand_dims(largest.seen, over)
        e = self.home.make("subtract", e, self.expression(Known(shown.shape, largest.base, shown)))
        self.statement("exponentials", e, x.shape, over, to["log_sum"].base if "log_sum" in to else -1)
        if "shares" in to:
            kept = [k for k in range(len(x.shape)) if k not in over and x.shape[k] != self.m]
            made = self.statements[-1]
            made.shares = len(made.operands)
            made.operands.append(self.operand(to["shares"].base, to["shares"].seen, x.shape, kept, over))


READ: dict[str, Callable[[TileProgram, Any], None]] = {
    **dict.fromkeys(
        ["transpose", "swapaxes", "moveaxis", "expand_dims", "squeeze", "getitem", "reshape", "broadcast_to"],
        TileProgram.view,
    ),
    **dict.fromkeys(["sum", "max", "min"], TileProgram.reduced),
    **dict.fromkeys(["log_sum", "shares"], TileProgram.exponentials),
    "matmul": TileProgram.product,
}
"""What each function of arrays is to a kernel; all others are operations on single elements, or nothing."""
