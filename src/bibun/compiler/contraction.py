"""Sums over rows as one node each: what a function computes row by row leaves the graph before it is differentiated.

A sum over rows becomes a rule of the parameters and the data (row_rule.py), and so do its derivatives: value, gradient
and products with the Hessian are results of one pass. A new kind of sum is a case in `_summed`. Imports cells.py,
rewriting.py, row_rule.py.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..core.backward import arguments, depends, within
from ..core.graph import Node, Parts, history
from ..core.kinds import Constant
from ..core.record import record
from ..core.rule import TABLE
from ..core.tree import flatten
from .cells import LEAVES, WIDE, Cells, Unsupported
from .rewriting import Stable, recorded_again
from .row_rule import Summand, multiplied

__all__ = ["Contraction"]


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
            return multiplied(self.contracted(out, leaves), inputs) if leaves else out

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
        rule, args = v.rule.rule, arguments(v)
        count: Any = 1.0
        if rule.name in ("var", "std"):
            return self._spread(rule.name, args, cells)
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
                count = _counted(cells, args[0], over)
        elif rule.name == "matmul":
            a, b = args
            ra, rb = cells.rows_of(a), cells.rows_of(b)
            if ra != np.ndim(v.values[0]) - 1 or rb != max(np.ndim(v.values[1]) - 2, 0):
                raise Unsupported("matmul")
            found = self._by_matrix(v, a, b, cells)
            if found is not None:
                return found
            e = cells.computed(a) @ cells.computed(b)
        elif rule.name in ("bincount", "counted"):
            if not cells.counts(args[0]):
                raise Unsupported("groups that are computed")
            (e,) = cells.computed(args[1]).reshape(-1)
            return self._outer(cells, "codes", args[0], e, v)
        else:
            raise Unsupported(rule.name)
        if not isinstance(e, np.ndarray):
            return self._node(cells, e, count, v)
        if e.size > WIDE:
            raise Unsupported("many sums over rows")
        parts = [self._node(cells, x, count, v) for x in e.reshape(-1)]
        if e.ndim == 0:
            return parts[0]
        return np.reshape(np.stack(parts), e.shape)

    def _by_matrix(self, v: Node, a: Any, b: Any, cells: Cells) -> Any:
        """`Z.T @ r` or `r @ Z` with the rows of Z in the data: sums of r times the row, not one for each column."""
        if max(np.ndim(a), np.ndim(b)) > 2:
            return None
        left = np.ndim(a) == 2 and not (isinstance(a, Node) and cells.moves(a))
        if not left and (np.ndim(b) != 2 or (isinstance(b, Node) and cells.moves(b))):
            return None
        z = b if not left else a.inputs[0] if _is_transpose(a) else np.transpose(a)
        if np.ndim(z) != 2 or not cells.readable(z):
            return None
        e = cells.computed(b if left else a)
        if e.size > WIDE:
            raise Unsupported("many sums over rows")
        parts = [self._outer(cells, "dense", z, x, v) for x in e.reshape(-1)]
        return np.stack(parts, axis=-1 if left else 0) if e.ndim > 1 else parts[0]

    def _outer(self, cells: Cells, kind: str, data: Any, e: Any, v: Node) -> Any:
        """Σ e a for the block `a` by which parameters would enter a row: their gradient, wherever they are."""
        if not isinstance(e, Node):
            raise Unsupported("a sum that does not depend on the data")
        width = np.shape(data)[1] if kind == "dense" else v._data.size
        atom = cells.outer(kind, data, width)
        summand = Summand(cells, atom.variable * e, v._data.dtype)
        summand.outer = next(i for i, p in enumerate(summand.parameters) if p is atom.source)
        return summand.node(1, summand.outer)

    def _spread(self, name: str, args: Sequence[Any], cells: Cells) -> Any:
        """A variance, or its root: the sum of the squares of the differences from the mean, which is a sum itself."""
        x, axes, less, keep = args
        mean = np.mean(x, axis=axes, keepdims=True)
        cells.instead[mean] = self._summed(mean, cells)
        d = x - mean
        if type(less) is int and less == 0:
            variance = self._summed(np.mean(d * d, axis=axes, keepdims=keep), cells)
        else:
            total = np.sum(d * d, axis=axes, keepdims=keep)
            free = _counted(cells, x, range(np.ndim(d)) if axes is None else np.atleast_1d(axes)) - less
            variance = self._summed(total, cells) / np.maximum(free, 0.0).astype(total.dtype)
        return np.sqrt(variance) if name == "std" else variance

    def _node(self, cells: Cells, e: Any, count: Any, v: Node) -> Any:
        if not isinstance(e, Node):
            raise Unsupported("a sum that does not depend on the data")
        y = Summand(cells, e, v._data.dtype).node(0)
        if isinstance(count, float):
            return y if count == 1.0 else y / count
        return y / (count if y.dtype == count.dtype else count.astype(y.dtype))


count_rule = Constant(lambda x: np.array(float(np.shape(x)[0])), name="row count")
TABLE.remove(count_rule)


def _counted(cells: Cells, x: Any, over: Iterable[int]) -> Any:
    """How many elements some axes have, the rows' among them: something that is read anew whenever the program runs."""
    shape, rows = np.shape(x), cells.rows_of(x)
    beside = float(np.prod([shape[k] for k in over if k % len(shape) != rows]))
    behind = [x, *history([x])[0]] if isinstance(x, Node) else []
    data = [i for v in behind for i in v.inputs if cells.rows_of(i) == 0 and i.rule in LEAVES]
    return beside * (record(count_rule, count_rule.run, (data[0],)) if data else float(cells.n))


def _is_transpose(x: Any) -> bool:
    """Whether a matrix is the transpose of a recorded one."""
    return isinstance(x, Node) and bool(x.order) and x.rule.name == "transpose" and len(x.inputs) == 1
