"""A plan: the recorded graph as a list of steps, each a call, with no graph and no Variable left in it.

The beginning of the compiler: NumPy executes every step. Imports transforms and core.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.absorbing import has_nan
from ..core.graph import Node, Parts
from ..transforms.recording import Recorded

__all__ = ["Plan", "plan"]


class Plan:
    """Steps in order; each reads values made before it and makes one.

    Attributes
    ----------
    steps : list of (name, run, arguments, slots)
        `run(*arguments)` after the arguments at `slots` (position, where the value is) are put in.
    """

    def __init__(self, recorded: Recorded, again: Callable[[], "Plan"] | None = None) -> None:
        self._again = again  # the same with derivatives in which zero absorbs, for values that meet zero times infinity
        where: dict[Node, int] = {x: k for k, x in enumerate(recorded.inputs)}
        self.shapes = [x._data.shape for x in recorded.inputs]
        self.steps: list[tuple[str, Callable[..., Any], list[Any], list[tuple[int, int]]]] = []
        for v in recorded.nodes:
            form = v.rule
            slots = [(i, where[x]) for i, x in zip(form.where, v.inputs, strict=True) if x in where]
            args = list(v.values)
            for i, _ in slots:
                args[i] = None
            where[v] = len(where)
            self.steps.append((form.name, form.rule.run, args, slots))
        self.results = [(where.get(y, -1), y) if isinstance(y, Node) else (-1, y) for y in recorded.outputs]
        self.rebuild = recorded.rebuild

    def __call__(self, *args: Any) -> Any:
        """The value of the recorded function for other arrays of the same shapes."""
        values = [np.asarray(a) for a in args]
        for a, shape in zip(values, self.shapes, strict=True):
            if a.shape != shape:
                raise ValueError(f"this plan was recorded for shape {shape} and was given {a.shape}: record it anew")
        values = [a.astype(np.float64) if a.dtype.kind in "biu" else a for a in values]
        with np.errstate(all="ignore"):  # as derivatives do: which step is one cannot be seen here
            for _, run, arguments, slots in self.steps:
                given = list(arguments)
                for i, k in slots:
                    given[i] = values[k]
                out = run(*given)
                values.append(Parts(out) if isinstance(out, tuple) else out)
        if self._again is not None and any(has_nan(values[k]) for k, _ in self.results if k >= 0):
            return self._again()(*args)
        found = [values[k] if k >= 0 else y for k, y in self.results]
        return self.rebuild([y._data if isinstance(y, Node) else y for y in found])

    def __str__(self) -> str:
        lines = []
        n = len(self.shapes)
        for k, (name, _, arguments, slots) in enumerate(self.steps):
            shown = [_short(a) for a in arguments]
            for i, s in slots:
                shown[i] = f"%{s}"
            lines.append(f"%{n + k} = {name}({', '.join(shown)})")
        return "\n".join(lines)


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

    @functools.cache
    def again() -> Plan:
        return Plan(Recorded(f, args, "compile", absorbing=True))

    return Plan(Recorded(f, args, "compile"), again)


def _short(a: Any) -> str:
    return f"array{a.shape}" if isinstance(a, np.ndarray) and a.ndim else str(a)
