"""Sums over rows as one node each: what a function computes row by row leaves the graph before it is differentiated.

A sum over rows becomes a `RowRule` of the parameters and the data. Its derivative is another sum over the same rows,
and so is the derivative of that: value, gradient and Hessian are then three results of one pass. Imports cells.py and
rewriting.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.backward import depends, within
from ..core.graph import BOUNDARY, Form, Node, Parts, history
from ..core.kinds import Constant
from ..core.record import record
from ..core.rule import TABLE
from ..core.tree import flatten
from .cells import LEAVES, Cells, Unsupported
from .rewriting import Stable, recorded_again

__all__ = ["Contraction", "RowRule", "Uncontracted"]


class Uncontracted(Exception):
    """A derivative of a sum over rows that only the recorded arrays have: of third order, or by the data."""


class Contraction:
    """What is done to the result of a function, before a derivative of it is recorded.

    Parameters
    ----------
    n : int
        The number of rows.
    """

    def __init__(self, n: int) -> None:
        self.n, self.stable = n, Stable(n)

    def __call__(self, out: Any, leaves: Sequence[Node]) -> Any:
        """`out` in stable forms, with every sum over rows that can be one node as one."""
        out = self.stable(out, leaves)
        if any(self._has_rows(x) for x in leaves):
            return out  # a derivative by the data
        with np.errstate(all="ignore"):  # on the zeros that stand for sums
            return self.contracted(out, leaves)

    def whole(self, out: Any, inputs: Sequence[Node]) -> Any:
        """The same for the recorded function itself, of which no derivative will be recorded."""
        out = self.stable(out, inputs)
        leaves = [x for x in inputs if not self._has_rows(x)]
        with np.errstate(all="ignore"):
            return self.contracted(out, leaves) if leaves else out

    def contracted(self, out: Any, leaves: Sequence[Node]) -> Any:
        """`out`, with every sum over rows that depends on `leaves` as one node."""
        ys, rebuild = flatten(out)
        tracked = [y for y in ys if isinstance(y, Node) and y.order]
        if not tracked:
            return out
        nodes = within(tracked, list(leaves))[0]
        if not any(self._has_rows(v) for v in nodes):
            return out
        moving = depends(nodes, set(leaves))
        cells = Cells(self.n, leaves)
        instead = cells.instead
        order = [v for v in reversed(nodes) if v in moving]
        for v in order:
            if self._has_rows(v) or isinstance(v._data, Parts):
                continue
            if any(self._has_rows(x) for x in v.inputs):
                try:
                    instead[v] = self._summed(v, cells)
                except (Unsupported, TypeError, ValueError, IndexError):  # then it stays as it was recorded
                    if any(x in instead for x in v.inputs):
                        instead[v] = self._again(v, instead, moving)
            elif any(x in instead for x in v.inputs):
                instead[v] = self._again(v, instead, moving)
        if not instead:
            return out
        return rebuild([self._again(y, instead, moving) if isinstance(y, Node) else y for y in ys])

    def _has_rows(self, v: Node) -> bool:
        return not isinstance(v._data, Parts) and self.n in np.shape(v._data)

    def _again(self, v: Node, instead: dict[Node, Any], moving: Any) -> Any:
        """A Variable recorded again on what has taken the place of its inputs."""
        stack = [v]
        while stack:
            x = stack[-1]
            if x in instead or x not in moving or not x.inputs:
                instead.setdefault(x, x)
                stack.pop()
                continue
            waiting = [i for i in x.inputs if i not in instead and i in moving and i.inputs]
            if waiting:
                stack += waiting
                continue
            instead[x] = recorded_again(x, instead)
        return instead[v]

    def _summed(self, v: Node, cells: Cells) -> Any:
        """The node of a sum over rows."""
        rule, args = v.rule.rule, list(v.values)
        for i, x in zip(v.rule.where, v.inputs, strict=True):
            args[i] = x
        count: Any = 1.0
        if rule.name in ("sum", "mean"):
            axis = cells.rows_of(args[0])
            axes = args[1]
            ndim = np.ndim(v.values[0])
            over = range(ndim) if axes is None else [axes] if isinstance(axes, int) else axes
            over = {k % ndim for k in over}
            if axis not in over:
                raise Unsupported(rule.name)
            e = cells.computed(args[0])
            e = np.add.reduce(e, axis=tuple(sorted(over)), keepdims=bool(args[2]))
            if rule.name == "mean":
                beside = float(np.prod([np.shape(v.values[0])[k] for k in over if k != axis]))
                count = beside * _counted(cells, args[0])
        elif rule.name == "matmul":
            a, b = args
            ra, rb = cells.rows_of(a), cells.rows_of(b)
            if ra != np.ndim(v.values[0]) - 1 or rb != max(np.ndim(v.values[1]) - 2, 0):
                raise Unsupported("matmul")
            e = cells.computed(a) @ cells.computed(b)
        else:
            raise Unsupported(rule.name)
        if not isinstance(e, np.ndarray):
            return self._node(cells, e, count, v)
        if e.size > 16:
            raise Unsupported("many sums over rows")
        parts = [self._node(cells, x, count, v) for x in e.reshape(-1)]
        if e.ndim == 0:
            return parts[0]
        return np.reshape(np.stack(parts), e.shape)

    def _node(self, cells: Cells, e: Any, count: Any, v: Node) -> Any:
        if not isinstance(e, Node):
            raise Unsupported("a sum that does not depend on the data")
        y = Summand(cells, e, v._data.dtype).node(0)
        if isinstance(count, float):
            return y if count == 1.0 else y / count
        return y / (count if y.dtype == count.dtype else count.astype(y.dtype))


count_rule = Constant(lambda x: np.array(float(np.shape(x)[0])), name="row count")
TABLE.remove(count_rule)


def _counted(cells: Cells, x: Any) -> Any:
    """The number of rows, as something that is read anew whenever the program runs."""
    behind = [x, *history([x])[0]] if isinstance(x, Node) else []
    data = [i for v in behind for i in v.inputs if cells.rows_of(i) == 0 and i.rule in LEAVES]
    return record(count_rule, count_rule.run, (data[0],)) if data else float(cells.n)


class Summand:
    """An expression of one row that is summed, with the parameters and data it reads.

    Attributes
    ----------
    parameters, data : list
        The arguments of its rules: arrays without rows, then arrays of rows.
    dtype : numpy.dtype
        What the sum was recorded in. It is computed in float64 and rounded to this.
    """

    def __init__(self, cells: Cells, e: Node, dtype: Any) -> None:
        self.cells, self.e = cells, e
        self.dtype = dtype if dtype.kind == "f" else np.dtype(float)
        behind = [e, *history([e])[0]]
        used = {id(v) for v in behind} | {id(x) for v in behind for x in v.inputs}
        self.atoms = [a for a in cells.atoms.values() if id(a.variable) in used]
        self.columns = [c for c in cells.columns.values() if id(c[2]) in used]
        self.parameters = _unique([a.source for a in self.atoms])
        self.data = _unique([a.data for a in self.atoms if a.data is not None] + [c[0] for c in self.columns])
        for x in self.data:
            behind = (x, *history([x])[0]) if isinstance(x, Node) and x.order else ()
            if any(v.rule is BOUNDARY and v.inputs for v in behind):
                raise Unsupported("data that a derivative is taken with respect to")
        if not self.data:
            raise Unsupported("no data")

    def node(self, order: int, *by: int) -> Any:
        """The sum, or its derivative with respect to `by`, as a node."""
        return RowRule(self, order, by)(*self.parameters, *self.data)


def _unique(xs: list[Any]) -> list[Any]:
    return list({id(x): x for x in xs}.values())


class RowRule:
    """The rule of a sum over rows: order 0 the sum, 1 its gradient by one parameter array, 2 its Hessian by two."""

    kind = "rows"
    reads = False
    broadcasts = False
    outputs = None
    func = None
    traced = second = ""
    batch = None
    without: frozenset[int] = frozenset()

    def __init__(self, summand: Summand, order: int, by: tuple[int, ...]) -> None:
        self.summand, self.order, self.by = summand, order, by
        self.operands = len(summand.parameters) + len(summand.data)
        self.name = ("row sum", "row gradient", "row Hessian")[order]
        self.m = len(summand.parameters)

    def __call__(self, *args: Any) -> Any:
        if not any(isinstance(x, Node) and x.order for x in args):
            raise Uncontracted
        return record(self, self.run, args)

    def run(self, *values: Any) -> Any:
        """Zeros in place of the result, which only the compiled program computes."""
        sizes = [np.size(values[i]) for i in self.by]
        shape = np.shape(values[self.by[0]]) if self.order == 1 else tuple(sizes)
        return np.zeros(shape, self.summand.dtype)

    def form(self, where: tuple[int, ...], same: bool) -> Form:
        """The walks: the derivative is a sum over the same rows."""

        def derivative(args: Any, i: int) -> Any:
            if self.order == 2:
                raise Uncontracted
            return RowRule(self.summand, self.order + 1, (*self.by, i))(*args)

        def pull(g: Any, y: Any, args: Any) -> Any:
            out: list[Any] = []
            for i in where:
                if i >= self.m:
                    out.append(None)
                elif self.order == 0:
                    out.append(g * derivative(args, i))
                else:
                    out.append(np.reshape(np.reshape(g, -1) @ derivative(args, i), np.shape(args[i])))
            return out[0] if len(where) == 1 else tuple(out)

        def push(y: Any, args: Any, ts: Any) -> Any:
            total: Any = None
            for i, t in zip(where, ts, strict=True):
                if t is None:
                    continue
                if i >= self.m:
                    raise Uncontracted
                if self.order == 0:
                    term = np.sum(derivative(args, i) * t)
                else:
                    flat = derivative(args, i) @ np.reshape(t, -1)
                    term = np.reshape(flat, np.shape(args[self.by[0]]))
                total = term if total is None else total + term
            return total

        return Form(self, where, pull, push)

    def creator_of(self, v: Node) -> Any:
        """What made `v`."""
        from ..core.variable import Creator

        return Creator(v)  # type: ignore[arg-type]

    def parts(self, v: Node) -> list[Any]:
        """It has one result."""
        return [v]
