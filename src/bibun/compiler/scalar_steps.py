"""Programs of few numbers as straight machine code: every array of a recorded graph taken apart, no rows left.

For unrolled loops, recurrences, likelihoods of a handful of observations. What cannot be taken apart stays a plan of
NumPy calls. Imports cells.py, scalar_kernel.py.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.graph import BOUNDARY, CLOSED, SPENT, Node, Parts
from ..transforms.recording import Recorded
from . import machine
from .cells import STRUCTURE, Cells, Unsupported
from .expression import Expression, Expressions
from .scalar_kernel import NoKernel, ScalarKernel

__all__ = ["scalar_program"]

SMALL = 256
"""Numbers among the arguments, up to which a program is taken apart."""

WORTH = 6
"""Operations, from which on a kernel is quicker than the calls."""


NO_ROWS = -(1 << 40)
"""A number of rows that no axis, shape or index is."""


class Apart(Cells):
    """The elements of the arrays of a recorded function, as expressions of its inputs."""

    def __init__(self, inputs: Sequence[Node]) -> None:
        super().__init__(NO_ROWS, inputs)
        self.home = Expressions()
        self.place: dict[int, int] = {}
        k = 0
        for x in inputs:
            self.place[id(x)] = k
            k += x._data.size

    def rows_of(self, x: Any) -> int | None:
        """There are no rows."""
        return None

    def cell(self, e: Any) -> Any:
        """An element to compute with."""
        return e.item() if isinstance(e, np.ndarray) else e

    def _elements(self, x: Any) -> Any:
        if not isinstance(x, Node):
            return self._constants(x)
        if id(x) in self.place:
            out = np.empty(x._data.size, object)
            for i in range(out.size):
                out[i] = self.home.leaf("input", self.place[id(x)] + i)
            return out.reshape(x._data.shape)
        if isinstance(x._data, Parts) or x._data.size > 16 * SMALL or x._data.dtype.kind not in "biuf":
            raise Unsupported("several results, many numbers, or complex ones")
        if x.rule in (BOUNDARY, CLOSED, SPENT) and x.inputs:
            return self.elements(x.inputs[0])
        if x.rule is None or not x.inputs or not x.order:
            return self._constants(x._data)
        return self._computed(x, None)

    def _constants(self, x: Any) -> Any:
        if x.dtype.kind not in "biuf" or x.size > 16 * SMALL:
            raise Unsupported("constants that are no numbers, or many")
        out = np.empty(x.size, object)
        for i, value in enumerate(x.reshape(-1).tolist()):
            out[i] = float(value)
        return out.reshape(x.shape)

    def _computed(self, v: Node, axis: int | None) -> Any:
        rule, args = v.rule.rule, list(v.values)
        for i, x in zip(v.rule.where, v.inputs, strict=True):
            args[i] = x
        if rule.kind == "elementwise" or (rule.kind == "constant" and isinstance(rule.func, np.ufunc)):
            k = rule.operands
            static = {
                i for i in range(k) if rule.kind == "elementwise" and rule.partials[i] is None and type(args[i]) is int
            }

            def run(*cells: Any) -> Any:
                return self._made(rule, [args[i] if i in static else _number(c) for i, c in enumerate(cells)])

            return self._each(run, *args[:k])
        if rule.name in ("where", "absorb"):
            return self._each(lambda *cells: self._made(rule, [_number(c) for c in cells]), *args)
        if rule.name == "mean":
            total = self._summed(args[0], args[1], args[2])
            each = v.values[0].size // max(np.size(v._data), 1)
            return total / float(each) if isinstance(total, np.ndarray) else _boxed(total / float(each))
        if rule.name == "scatter":
            out = rule.run(self.elements(args[0]), *args[1:])
            return out
        if rule.name in ("astype", "identity", "copy") and v.dtype.kind == "f":
            return self.elements(args[0])
        if rule.name not in STRUCTURE:
            raise Unsupported(rule.name)
        return self._moved(v, rule, args, None)

    def _summed(self, x: Any, axis: Any, keepdims: Any) -> Any:
        return np.add.reduce(self.elements(x), axis=axis, keepdims=bool(keepdims))

    def _made(self, rule: Any, cells: Sequence[Any]) -> Any:
        if not any(isinstance(c, Expression) for c in cells):
            with np.errstate(all="ignore"):
                return float(rule.run(*cells))
        return self.home.make(rule.name, *cells, run=rule.run)


def _number(x: Any) -> Any:
    return x if isinstance(x, Expression) else float(x)


def _plain(elements: Any) -> Any:
    """Elements that NumPy has left in arrays of their own taken out of them."""
    out = np.empty(elements.size, object)
    for i, e in enumerate(elements.reshape(-1)):
        out[i] = e.item() if isinstance(e, np.ndarray) else e
    return out.reshape(elements.shape)


def _boxed(x: Any) -> Any:
    out = np.empty((), object)
    out[()] = x
    return out


def scalar_program(recorded: Recorded, kinds: Any) -> Callable[..., Any] | None:
    """What computes the results of a recorded function of few numbers; None where it has to be NumPy.

    Returns
    -------
    callable
        From the list of arguments as arrays to the list of results.
    """
    inputs = recorded.inputs
    if not machine.available() or sum(x._data.size for x in inputs) > SMALL or len(recorded.nodes) < WORTH:
        return None
    if len(recorded.nodes) > 20_000 or any(x._data.dtype != np.float64 for x in inputs):
        return None
    if kinds and any(k.kind != "f" for k in kinds):
        return None
    apart = Apart(inputs)
    try:
        for v in recorded.nodes:  # in order, so that nothing recurses deeply
            apart.elements(v)
        outputs = []
        for y in recorded.outputs:
            data = getattr(y, "_data", y)
            if np.asarray(data).dtype.kind not in "fb":
                return None
            elements = apart.elements(y if isinstance(y, Node) else np.asarray(data))
            outputs.append((_plain(elements), np.asarray(data).dtype))
        return ScalarKernel([(x._data.shape, x._data.dtype) for x in inputs], outputs)
    except (Unsupported, NoKernel):
        return None
