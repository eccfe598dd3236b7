"""Which result depends on which argument: the pattern of a Jacobian, found from the graph.

The recorded operations run once more on objects that are sets of arguments: a sum is a union, a product with a constant
keeps the set. The pattern holds for every value of the arguments, given the branches taken. The beginning of
`sparse_jacobian` and `sparse_hessian`. Imports core, recording.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from ..core.graph import Node, Parts
from .recording import Recorded, operands

__all__ = ["jacobian_pattern"]


class Deps:
    """The set of argument elements one number depends on, as the bits of an int."""

    __slots__ = ("bits",)

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def _union(self, other: Any) -> "Deps":
        return Deps(self.bits | other.bits) if isinstance(other, Deps) else self

    def _scaled(self, other: Any) -> Any:
        return self._union(other) if isinstance(other, Deps) else self if other != 0 else 0

    __add__ = __radd__ = __sub__ = __rsub__ = _union
    __mul__ = __rmul__ = _scaled

    def __truediv__(self, other: Any) -> "Deps":
        return self._union(other)

    def __neg__(self) -> "Deps":
        return self

    def conjugate(self) -> "Deps":
        return self

    real = imag = property(lambda self: self)


def bits(a: Any) -> int:
    a = a.item() if isinstance(a, np.ndarray) else a  # NumPy may keep a 0-d array as an element
    return a.bits if isinstance(a, Deps) else 0


_bits = np.frompyfunc(bits, 1, 1)
_deps = np.frompyfunc(lambda b: Deps(b) if b else 0, 1, 1)


def union(a: Any) -> int:
    """All that any element depends on."""
    parts = a if isinstance(a, Parts) else [a]
    return reduce(lambda x, y: x | y, (bits(e) for p in parts for e in np.asarray(p, object).ravel()), 0)


def filled(shape: tuple[int, ...], b: int) -> Any:
    out = np.empty(shape, object)
    out[...] = Deps(b) if b else 0
    return out


def jacobian_pattern(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function that gives the sparsity pattern of the Jacobian of `f` with respect to its first argument.

    Returns
    -------
    callable
        Gives a `scipy.sparse` boolean array of shape `(y.size, x.size)`: True where the derivative may not be 0.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.transforms.sparsity import jacobian_pattern
    >>> jacobian_pattern(lambda x: x[1:] * x[:-1])(np.ones(4)).toarray().astype(int).tolist()
    [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    """

    def pattern(*args: Any) -> Any:
        from scipy import sparse

        recorded = Recorded(lambda x: f(x, *args[1:]), args[:1], "sparsity")
        found: dict[Node, Any] = {}
        k = 0
        for x in recorded.inputs:
            index = np.arange(k, k + x._data.size).reshape(x._data.shape)
            found[x] = np.asarray(_deps(np.frompyfunc(lambda i: 1 << i, 1, 1)(index.astype(object))), object)
            k += x._data.size
        for v in recorded.nodes:
            found[v] = through(v, found)
        rows, columns, row = [], [], 0
        for y in recorded.outputs:
            for element in np.asarray(
                found[y] if isinstance(y, Node) and y in found else filled(np.shape(y), 0), object
            ).ravel():
                b = bits(element)
                while b:
                    low = b & -b
                    rows.append(row)
                    columns.append(low.bit_length() - 1)
                    b ^= low
                row += 1
        return sparse.csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(row, k))

    return pattern


def through(v: Node, found: dict[Node, Any]) -> Any:
    """The sets after one operation, by its kind."""
    rule, where = v.rule.rule, v.rule.where
    shape = np.shape(v._data) if not isinstance(v._data, Parts) else ()
    sets = operands(v, lambda x: found.get(x))
    if rule.kind == "elementwise":
        out = filled(shape, 0)
        for i in where:
            if sets[i] is not None and rule.partials[i] is not None:
                out = np.add(out, np.broadcast_to(sets[i], shape))
        return out
    if rule.kind == "constant":
        return filled(shape, 0)
    try:
        if rule.kind == "linear":
            return linear(rule, where, sets, v, shape)
        if rule.kind == "multilinear":
            out = filled(shape, 0)
            for i in where:
                ones = [
                    np.ones(np.shape(a), object) if j in where and j != i else _objects(a)
                    for j, a in enumerate(v.values)
                ]
                ones[i] = sets[i]
                out = np.add(out, rule.run(*ones))
            return out
    except (TypeError, ValueError, AttributeError):
        pass  # a function that does not compute with objects: everything may depend on everything
    everything = reduce(lambda a, b: a | b, (union(sets[i]) for i in where if sets[i] is not None), 0)
    if isinstance(v._data, Parts):
        return Parts(filled(np.shape(p), everything) for p in v._data)
    return filled(shape, everything)


def linear(rule: Any, where: tuple[int, ...], sets: list[Any], v: Node, shape: tuple[int, ...]) -> Any:
    """A linear function of the sets themselves: it computes with objects, or raises and is taken to be dense."""
    args = list(sets)
    for i, a in enumerate(v.values):
        if i in rule.without:
            args[i] = a  # a flag, an index: its value, no set
        elif i in where:
            args[i] = args[i] if isinstance(args[i], Parts) else np.asarray(args[i], object)
        elif isinstance(a, np.ndarray) and (i < rule.operands or (rule.joint and i >= rule.first)):
            args[i] = filled(a.shape, 0)  # an operand that is constant adds nothing
    out = rule.run(*args)
    out = out if isinstance(out, Parts) or isinstance(sets[where[0]], Parts) else np.asarray(out, object)
    if np.shape(out) != shape or any(isinstance(e, float) and e != 0 for e in np.ravel(out)):
        raise ValueError("computed something else with objects")
    return out


def _objects(a: Any) -> Any:
    return a.astype(object) if isinstance(a, np.ndarray) else a
