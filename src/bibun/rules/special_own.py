"""How the table declares functions SciPy has not, which the derivatives of SciPy's functions need.

They are computed in double precision whatever comes in, and returned in the precision that came in. Their own
derivatives are declared like any other's, so that no order of derivative cancels. Imports core only.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.dispatch import function, holds_node
from ..core.domains import static
from ..core.graph import Node
from ..core.record import operand
from ..core.words import elementwise
from ..typing import Array

__all__ = ["as_operand", "double_factorial", "horner", "orders", "own", "piecewise"]


def own(*partials: Any, **kw: Any) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """Decorate a function of single elements with its partial derivatives; a Python int stays one."""

    def declare(f: Callable[..., Array]) -> Callable[..., Array]:
        @function
        @functools.wraps(f)
        def call(*args: Any) -> Array:
            dtype = np.result_type(*args)
            with np.errstate(all="ignore"):
                y = f(*[a if type(a) is int else np.asarray(a, np.float64) for a in args])
            return np.asarray(y, dtype if dtype.kind == "f" else np.float64)[()]

        elementwise(call, *partials, **kw)
        return call

    return declare


def as_operand(x: Any, name: str) -> Array:
    """`x` as an array or a Variable; a list of Variables is stacked."""
    if isinstance(x, (np.ndarray, Node)):
        return x
    return operand(x, name) if holds_node(x) else np.asarray(x)


def orders(*ns: Any) -> list[Any]:
    """Cases for functions of an order, which is not differentiated, and of x."""
    return [(static(n), shape) for n in ns for shape in [(), (3,)]] + [(static(ns[0]), (2, 0))]


def piecewise(where: Array, then: Callable[..., Array], other: Callable[..., Array], *args: Array) -> Array:
    """`then` at the elements where the condition holds, `other` elsewhere, each computed only there."""
    where, *args = np.broadcast_arrays(where, *args)  # type: ignore[assignment]
    if where.all():
        return then(*args)
    if not where.any():
        return other(*args)
    y = np.empty_like(args[0])
    y[where] = then(*[a[where] for a in args])
    y[~where] = other(*[a[~where] for a in args])
    return y


def horner(coefficients: Sequence[float], x: Array) -> Array:
    """The polynomial with these coefficients, that of degree 0 first."""
    y = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        y *= x
        y += c
    return y


def double_factorial(n: int) -> float:
    """n (n-2) (n-4) …; 1 for -1."""
    return float(math.prod(range(n, 0, -2)))
