"""A plan: the recorded graph as a list of steps, with no graph and no Variable left in it.

A step is one pass over the rows (row_steps.py) or one call of NumPy; equal calls are made once. Imports transforms and
core, contraction, row_steps.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.absorbing import has_nan
from ..core.graph import BOUNDARY, CLOSED, SPENT, Node, Parts
from ..transforms.recording import Recorded
from .contraction import Contraction, RowRule, Uncontracted
from .row_steps import RowStep

__all__ = ["Plan", "plan"]

ENOUGH = 64
"""Rows, below which an array has none: its axes are axes like others."""


class Plan:
    """Steps in order; each reads values made before it and makes one, or several.

    Attributes
    ----------
    steps : list of Call or RowStep
    passes : int
        How many times the rows are read.
    """

    def __init__(self, recorded: Recorded, again: Callable[[], "Plan"] | None = None, absorbing: bool = False) -> None:
        self._again = again  # the same with derivatives in which zero absorbs, for values that meet zero times infinity
        where: dict[Node, int] = {x: k for k, x in enumerate(recorded.inputs)}
        self.shapes = [x._data.shape for x in recorded.inputs]
        stages: list[tuple[list[Any], list[Any]]] = []
        known: dict[Any, int] = {}
        stage_of: dict[int, int] = {}
        self.size = len(where)
        for v in recorded.nodes:
            form = v.rule
            if form in (BOUNDARY, CLOSED, SPENT):
                where[v] = where.get(v.inputs[0], -1)
                if where[v] < 0:
                    del where[v]
                continue
            slots = [(i, where[x]) for i, x in zip(form.where, v.inputs, strict=True) if x in where]
            args = list(v.values)
            for i, _ in slots:
                args[i] = None
            key = _key(form, args, slots)
            if key is not None and key in known:
                where[v] = known[key]
                continue
            k = where[v] = self.size
            self.size += 1
            if key is not None:
                known[key] = k
            stage = max([stage_of.get(s, 0) for _, s in slots], default=0)
            while len(stages) <= stage:
                stages.append(([], []))
            if isinstance(form.rule, RowRule):
                stages[stage][1].append((form.rule, args, slots, k))
                stage_of[k] = stage + 1
            else:
                stages[stage][0].append(Call(form.name, form.rule.run, args, slots, k))
                stage_of[k] = stage
        self.steps: list[Any] = []
        for calls, sums in stages:
            self.steps += calls
            if sums:
                self.steps.append(RowStep(sums, absorbing))
        self.passes = sum(isinstance(s, RowStep) for s in self.steps)
        self.results = [(where.get(y, -1), y) if isinstance(y, Node) else (-1, y) for y in recorded.outputs]
        self._prune()
        self.rebuild = recorded.rebuild

    def _prune(self) -> None:
        """Leave out what nobody reads."""
        needed = {k for k, _ in self.results}
        kept = []
        for step in reversed(self.steps):
            if isinstance(step, RowStep):
                step.keep(needed)
                if step.sums:
                    needed |= step.reads()
                    kept.append(step)
            elif step.out in needed:
                needed |= {s for _, s in step.slots}
                kept.append(step)
        self.steps = kept[::-1]

    def __call__(self, *args: Any) -> Any:
        """The value of the recorded function for other arrays of the same shapes."""
        values = [np.asarray(a) for a in args]
        for a, shape in zip(values, self.shapes, strict=True):
            if a.shape != shape:
                raise ValueError(f"this plan was recorded for shape {shape} and was given {a.shape}: record it anew")
        return self.run(values, args)

    def run(self, values: list[Any], args: tuple[Any, ...]) -> Any:
        """The same for arrays known to have those shapes."""
        values = [*values, *[None] * (self.size - len(values))]
        with np.errstate(all="ignore"):  # as derivatives do: which step is one cannot be seen here
            for step in self.steps:
                step(values)
        if self._again is not None and any(has_nan(values[k]) for k, _ in self.results if k >= 0):
            again = self._again()
            return again.run(values[: len(self.shapes)], args)
        found = [values[k] if k >= 0 else y for k, y in self.results]
        return self.rebuild([y._data if isinstance(y, Node) else y for y in found])

    def __str__(self) -> str:
        return "\n".join(str(step) for step in self.steps)


class Call:
    """One call of NumPy."""

    __slots__ = ("arguments", "name", "out", "run", "slots")

    def __init__(self, name: str, run: Any, arguments: list[Any], slots: list[tuple[int, int]], out: int) -> None:
        self.name, self.run, self.arguments, self.slots, self.out = name, run, arguments, slots, out

    def __call__(self, values: list[Any]) -> None:
        given = list(self.arguments)
        for i, k in self.slots:
            a = values[k]
            given[i] = a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind in "biu" and a.ndim else a
        out = self.run(*given)
        values[self.out] = Parts(out) if isinstance(out, tuple) else out

    def __str__(self) -> str:
        shown = [_short(a) for a in self.arguments]
        for i, s in self.slots:
            shown[i] = f"%{s}"
        return f"%{self.out} = {self.name}({', '.join(shown)})"


def _key(form: Any, args: list[Any], slots: list[tuple[int, int]]) -> Any:
    """What makes two calls equal; None where that cannot be told."""
    if isinstance(form.rule, RowRule):
        return ("rows", id(form.rule.summand), form.rule.order, form.rule.by, tuple(slots))
    statics = []
    for a in args:
        if isinstance(a, (int, float, str, slice, tuple, type(None), type)):
            statics.append((type(a), repr(a)))
        elif isinstance(a, np.ndarray) and a.size <= 256:
            statics.append((a.shape, a.dtype.str, a.tobytes()))
        else:
            statics.append((id(a),))
    return (id(form.rule.run), form.name, tuple(statics), tuple(slots))


def plan(f: Callable[..., Any], *args: Any) -> Plan:
    """Record `f` on `args` and return the plan of it.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.compiler.plan import plan
    >>> p = plan(lambda x: np.exp(-x**2), np.array(1.0))
    >>> print(p)
    %1 = power(%0, 2)
    %2 = negative(%1)
    %3 = exp(%2)
    >>> print(p(2.0) == np.exp(-4.0))
    True
    """
    return _planned(f, args, False)


def _planned(f: Callable[..., Any], args: tuple[Any, ...], absorbing: bool) -> Plan:
    @functools.cache
    def again() -> Plan:
        return _planned(f, args, True)

    rows = row_count(args, f)
    for n in rows:
        try:
            return Plan(
                Recorded(f, args, "compile", absorbing=absorbing, rewriting=Contraction(n)),
                None if absorbing else again,
                absorbing,
            )
        except Uncontracted:
            continue
    return Plan(Recorded(f, args, "compile", absorbing=absorbing), None if absorbing else again)


def row_count(args: Any, f: Any) -> list[int]:
    """The numbers of rows that the arrays of a function may have, the likeliest first."""
    from ..core.tree import flatten

    sizes: dict[int, int] = {}
    arrays = [a for tree in args for a in flatten(tree)[0]]
    arrays += _captured(f, 3)
    for a in arrays:
        if isinstance(a, np.ndarray) and a.ndim and len(a) >= ENOUGH:
            sizes[len(a)] = sizes.get(len(a), 0) + a.size
    return sorted(sizes, key=lambda n: -sizes[n])[:1]


def _captured(f: Any, depth: int) -> list[Any]:
    """The arrays that a function, and the functions it calls, know from around them."""
    f = getattr(f, "__wrapped__", f)
    code = getattr(f, "__code__", None)
    if code is None or depth == 0:
        return []
    found = [c.cell_contents for c in (f.__closure__ or ()) if c is not None and _filled(c)]
    found += [f.__globals__[name] for name in code.co_names if name in f.__globals__]
    out = [a for a in found if isinstance(a, np.ndarray)]
    for a in found:
        if isinstance(a, dict):
            out += [v for v in a.values() if isinstance(v, np.ndarray)]
        elif hasattr(a, "__code__") and a is not f and not str(getattr(a, "__module__", "")).startswith("numpy"):
            out += _captured(a, depth - 1)
    return out


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _short(a: Any) -> str:
    return f"array{a.shape}" if isinstance(a, np.ndarray) and a.ndim else str(a)
