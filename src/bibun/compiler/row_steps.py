"""One pass over the rows: every sum over rows of one stage of a plan, as one row program.

Built from the rules of sums (row_rule.py) when the types of the arrays are first seen; run by machine code, or by
NumPy where there is none. Imports cells, row_rule, row_program; row_kernel or row_numpy when a program first runs.
"""

import contextlib
import math
from typing import Any, NamedTuple

import numpy as np

from ..core.modes import mode
from . import machine
from .cells import translated
from .constants import identity
from .expression import Expressions, ordered
from .row_arrays import order, readable
from .row_layout import SIMPLE
from .row_program import Block, RowProgram, Source, Term
from .row_rule import RowRule
from .scalar_math import lowered

__all__ = ["RowStep"]


SMALL = 32
"""Numbers a term, on average, up to which results are gathered number by number; larger blocks are added whole."""


class Written(NamedTuple):
    """What is kept of the rule of a sum when its program is written: nothing of what was recorded."""

    name: str
    order: int
    by: tuple[int, ...]
    dtype: Any
    shapes: list[tuple[int, ...]]  # of its parameter arrays
    own: int
    depth: int
    outer: int

    @classmethod
    def of(cls, rule: RowRule) -> "Written":
        s = rule.summand
        shapes = [np.shape(getattr(x, "_data", x)) for x in s.parameters]
        return cls(rule.name, rule.order, rule.by, s.dtype, shapes, s.own, s.depth, s.outer)


class RowStep:
    """The sums over rows of one stage.

    Attributes
    ----------
    sums : list
        For each its rule, its constant arguments, the slots of the others, and the slot of the result.
    """

    def __init__(self, sums: list[tuple[Any, list[Any], list[tuple[int, int]], int]], absorbing: bool) -> None:
        self.sums, self.absorbing = sums, absorbing
        self.runners: dict[Any, Any] = {}
        self.gathered: dict[Any, Any] = {}  # by runner and shapes of the results: where each number goes

    def keep(self, needed: set[int]) -> None:
        """Only the sums whose results are read."""
        self.sums = [s for s in self.sums if s[3] in needed]

    def reads(self) -> set[int]:
        """The slots it reads."""
        return {k for _, _, slots, _ in self.sums for _, k in slots}

    def same_as(self, other: "RowStep") -> bool:
        """Whether it is the same program."""
        return bool(self._described() == other._described())

    def _described(self) -> Any:
        """All that makes the program, to compare."""
        e = [(e.op, [getattr(a, "index", a) for a in e.args], repr(e.number)) for e in self.home.table.values()]
        terms = [(t.e.index, t.left, t.right) for t in self.term_list]
        blocks = [(b[0], b[1], b[2], b[3] if isinstance(b[3], int) else _numbers(b[3]), b[4]) for b in self.block_list]
        sums = [(r.order, r.by, s, k) for r, _, s, k in self.sums]
        return e, terms, blocks, list(self.columns), [k if k[0] == "slot" else k[0] for k in self.arrays], sums

    def write(self) -> None:
        """The program, but for the types of its arrays.

        Raises
        ------
        Unsupported
            Something in it is no operation on single numbers.
        """
        self.home = Expressions()
        self.arrays: dict[Any, tuple[Any, int]] = {}  # key -> (slot or constant, position)
        self.columns: dict[tuple[int, int], int] = {}
        self.blocks: dict[Any, int] = {}
        self.block_list: list[tuple[str, int, int, Any, tuple[int, ...]]] = []
        self.terms: dict[Any, int] = {}
        self.term_list: list[Term] = []
        self.pieces: list[list[tuple[Any, ...]]] = []
        with mode("tracing", "compile"), mode("absorbing", self.absorbing):
            for rule, args, slots, _ in self.sums:
                self.pieces.append(self._pieces(rule, args, dict(slots)))
        self.sums = [(Written.of(rule), args, slots, out) for rule, args, slots, out in self.sums]

    def _pieces(self, rule: RowRule, args: list[Any], slots: dict[int, int]) -> list[tuple[Any, ...]]:
        """Which terms make a result: (term, where it goes)."""
        s = rule.summand
        place = {id(x): i for i, x in enumerate([*s.parameters, *s.data])}

        def origin(x: Any) -> tuple[str, Any]:
            i = place[id(x)]
            return ("slot", slots[i]) if i in slots else ("constant", identity(args[i]))

        def given(x: Any) -> Any:
            i = place[id(x)]
            return slots.get(i, args[i])

        def array(x: Any) -> int:
            if origin(x) not in self.arrays:
                self.arrays[origin(x)] = (given(x), len(self.arrays))
            return self.arrays[origin(x)][1]

        leaves: dict[int, Any] = {}
        for source, position, variable in s.columns:
            key = array(source), position
            k = self.columns.setdefault(key, len(self.columns))
            leaves[id(variable)] = self.home.leaf("column", k)
        at: dict[int, int] = {}
        for a in s.atoms:
            source = array(a.data) if a.data is not None else -1
            block = (a.kind, source, origin(a.source), a.positions)
            if block not in self.blocks:
                self.blocks[block] = len(self.block_list)
                width = {"scalar": 1, "codes": 0}.get(a.kind, len(a.positions))
                self.block_list.append((a.kind, source, width, given(a.source), a.positions))
            at[id(a.variable)] = self.blocks[block]
            leaves[id(a.variable)] = self.home.leaf("predictor", self.blocks[block])
        done: dict[int, Any] = {}

        def term(e: Any, left: int | None, right: int | None) -> tuple[int, bool]:
            turned = left is not None and right is not None and left > right
            if turned:
                left, right = right, left
            expression = translated(e, leaves, self.home, done)
            key = (expression, left, right)
            if key not in self.terms:
                self.terms[key] = len(self.term_list)
                self.term_list.append(Term(*key))
            return self.terms[key], turned

        if rule.order == 0:
            return [(*term(s.e, None, None),)]
        first = s.slopes
        i = rule.by[0]
        mine = [a for a in s.atoms if a.source is s.parameters[i] and id(a.variable) in first]
        if rule.order == 1:
            return [(term(first[id(a.variable)], at[id(a.variable)], None)[0], _places(a.positions)) for a in mine]
        j = rule.by[1]
        out, alive = [], []  # `done` knows by identity
        others = [b for b in s.atoms if b.source is s.parameters[j]]
        for a in mine:
            second = s.cells.derivatives(first[id(a.variable)])
            alive.append(second)
            for b in others:
                if id(b.variable) in second:
                    k, turned = term(second[id(b.variable)], at[id(a.variable)], at[id(b.variable)])
                    out.append((k, turned, a.positions, b.positions))
        return out

    def __call__(self, values: list[Any]) -> None:
        arrays = [readable(np.asarray(values[k] if isinstance(k, int) else k)) for k, _ in self.arrays.values()]
        key = tuple([(a.dtype, a.ndim > 1 and order(a), a.shape[1:]) for a in arrays])
        runner = self.runners.get(key)
        if runner is None:
            runner = self.runners[key] = self._runner(arrays)
        parameters = []
        for kind, _, _, k, positions in self.block_list:
            p = np.asarray(values[k] if isinstance(k, int) else getattr(k, "_data", k), np.float64)
            flat = p.reshape(-1)
            parameters.append(flat[positions[0]] if kind == "scalar" else _taken(flat, positions))
        shapes = [_shape(rule, args, dict(slots), values) for rule, args, slots, _ in self.sums]
        gathered = key, tuple(shapes)
        if gathered not in self.gathered:
            self.gathered[gathered] = self._gathered(runner, shapes)
        places = self.gathered[gathered]
        if places is None:
            terms, _ = runner(arrays, parameters)
            given = zip(self.sums, shapes, self.pieces, strict=True)
            results = [_result(rule.order, shape, pieces, terms) for (rule, *_), shape, pieces in given]
        else:
            flat = runner.flat(arrays, parameters)
            results = [
                _counted(shape, where, which, flat) for shape, (where, which) in zip(shapes, places, strict=True)
            ]
        for (rule, _, _, out), found in zip(self.sums, results, strict=True):
            values[out] = found if found.dtype == rule.dtype else found.astype(rule.dtype)

    def _gathered(self, runner: Any, shapes: list[Any]) -> list[tuple[Any, Any]] | None:
        """For each result, which of the kernel's numbers are added (where each goes, which it is); None: terms are."""
        terms = runner.places() if hasattr(runner, "places") else None
        if terms is None or sum(t.size for t in terms) > SMALL * len(terms) or len(terms) < SMALL:
            return None
        given = zip(self.sums, shapes, self.pieces, strict=True)
        return [_places_of(rule.order, shape, pieces, terms) for (rule, *_), shape, pieces in given]

    @property
    def time(self) -> float:
        """Nanoseconds a row's own operations take, roughly."""
        roots = lowered([t.e for t in self.term_list])
        return math.inf if roots is None else sum(0.1 if e.op in SIMPLE else 1.5 for e in ordered(roots))

    def _runner(self, arrays: list[np.ndarray]) -> Any:
        """What runs the program for arrays of these types."""
        program = RowProgram(
            [Source(a.dtype, a.shape[1] if a.ndim > 1 else None, order(a) if a.ndim > 1 else "C") for a in arrays],
            list(self.columns),
            [Block(kind, source, width) for kind, source, width, _, _ in self.block_list],
            self.term_list,
        )
        if machine.available():
            from .row_kernel import RowKernel

            with contextlib.suppress(NotImplementedError):
                return RowKernel(program)
        from .row_numpy import RowNumpy

        return RowNumpy(program)

    def __str__(self) -> str:
        names = ", ".join(f"%{out} = {rule.name}" for rule, _, _, out in self.sums)
        return f"one pass over the rows: {names}"


def _shape(rule: Written, args: list[Any], slots: dict[int, int], values: list[Any]) -> tuple[int, ...]:
    """The shape of a result: a parameter's, or that of a matrix with a line for each number of one."""
    shapes = [np.shape(values[slots[i]] if i in slots else args[i]) for i in rule.by]
    return shapes[0] if rule.order == 1 else tuple([math.prod(shape) for shape in shapes])


def _result(order: int, shape: tuple[int, ...], pieces: list[tuple[Any, ...]], terms: list[Any]) -> Any:
    """A result, of the terms it is made of."""
    if order == 0:
        return terms[pieces[0][0]]
    if order == 1:
        out = np.zeros(math.prod(shape))
        for k, where in pieces:
            _add(out, where, terms[k])
        return out.reshape(shape)
    H = np.zeros(shape)
    for k, turned, rows, columns in pieces:
        block = np.reshape(terms[k], (len(columns), len(rows)) if turned else (len(rows), len(columns)))
        _add(H, (_places(rows), _places(columns)), block.T if turned else block)
    return H


def _places_of(order: int, shape: tuple[int, ...], pieces: list[Any], terms: list[Any]) -> tuple[Any, Any]:
    """Of a result, in the order in which `_result` adds: where in it each number goes, and which one that is."""
    at = np.arange(math.prod(shape)).reshape(shape)
    where, which = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for k, *place in pieces:
        if order == 0:
            to, block = at, terms[k]
        elif order == 1:
            to, block = at.reshape(-1)[place[0]], terms[k]
        else:
            turned, rows, columns = place
            to = at[np.ix_(rows, columns)]
            block = terms[k].reshape(to.T.shape).T if turned else terms[k].reshape(to.shape)
        where.append(to.reshape(-1))
        which.append(block.reshape(-1))
    return np.concatenate(where), np.concatenate(which)


def _counted(shape: tuple[int, ...], where: Any, which: Any, flat: np.ndarray) -> np.ndarray:
    """A result, of the kernel's numbers: added, for a parameter may enter a row by several columns."""
    return np.bincount(where, flat[which], math.prod(shape)).reshape(shape)


def _numbers(x: Any) -> tuple[tuple[int, ...], bytes]:
    """A constant's shape and numbers, to compare."""
    a = np.asarray(getattr(x, "_data", x), np.float64)
    return a.shape, a.tobytes()


def _places(positions: tuple[int, ...]) -> Any:
    """Consecutive positions as a slice."""
    k = positions[0]
    if positions == tuple(range(k, k + len(positions))):
        return slice(k, k + len(positions))
    return np.array(positions)


def _add(out: np.ndarray, where: Any, block: Any) -> None:
    """`block` added at places that may come twice: a parameter may enter a row by several columns."""
    if isinstance(where, slice) or (isinstance(where, tuple) and all(isinstance(w, slice) for w in where)):
        out[where] += block
        return
    if isinstance(where, tuple):
        where = np.ix_(*[np.r_[w] for w in where])
    np.add.at(out, where, block)


def _taken(flat: np.ndarray, positions: tuple[int, ...]) -> np.ndarray:
    where = _places(positions)
    return np.ascontiguousarray(flat[where])
