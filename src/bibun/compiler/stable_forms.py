"""Stable forms users miss: what was written, what is computed instead, and what is gained. A line each.

Both sides are NumPy code. The left is recorded once and looked for in the graph (rewriting.py) before a derivative is
recorded, the right recorded in its place, so its derivatives are the table's own. `p` and `q` stand for sums of
exponentials and shares with positive weights, `u` and `v` for what is positive whatever its arguments are, other names
for anything at all; what is not an operand on the left (an axis, an index) comes after the operands on the right.

A line may change a result by a few units in the last place of its largest term, and must be right where the left
overflows, underflows or cancels; NaN stays NaN. That is why `sqrt(x**2 + y**2)` is not here (`hypot(inf, nan)` is inf),
nor `log(w*exp(a) + ...)` for a weight that may be zero (the derivative by it would be lost). Imports rules.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.graph import Node
from ..rules.slopes import share
from ..rules.special_sums import log_softmax, log_sum, softmax
from ..typing import Array

__all__ = ["OF_NUMPY", "SCIPY", "of_scipy"]

Line = tuple[Callable[..., Any], Callable[..., Any], str]
OVERFLOW = "exp overflows from 710 on, underflows below -745"
CANCELS = "the maximum cancels, and its derivative with it"
ADDS = "no overflow, no underflow: logarithms are added"


def log1mexp(x: Array) -> Array:
    """log(1 - exp(x)) by the one of two logarithms that does not cancel, written as no line has it."""
    return np.where(np.greater(x, -math.log(2)), np.log(0.0 - np.expm1(x)), np.log1p(0.0 - np.exp(x)))


def log_of_sum(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """log Σ exp(x): pair by pair where numbers are few, as a kernel would; there it is the same."""
    if not 0 < np.size(x) <= 64 or isinstance(axis, tuple):
        return log_sum(x, 1.0, axis, keepdims)
    flat = np.reshape(x, -1) if axis is None else np.moveaxis(x, axis, 0)
    total = functools.reduce(np.logaddexp, [flat[k] for k in range(len(flat))])
    if not keepdims:
        return total
    return np.reshape(total, (1,) * np.ndim(x)) if axis is None else np.expand_dims(total, axis)


def log_of_share(x: Array, axis: Any, keepdims: bool) -> Any:
    """log(exp(x) / Σ exp(x)), where every element is divided by the sum it is in."""
    if axis is not None and not keepdims:
        return None
    if np.size(x) <= 64:
        return x - log_of_sum(x, axis, True)
    return log_softmax(x, axis)


MOVED = frozenset(["getitem", "reshape", "expand_dims", "squeeze"])
"""What puts a largest element beside those it was taken from."""


def is_largest(m: Any, x: Any, axis: Any, shape: tuple[int, ...]) -> bool:
    """Whether `m` is the largest of `x` along an axis, every one in its place of an array of this shape."""
    ndim = np.ndim(x)
    if (1,) * (len(shape) - np.ndim(m)) + np.shape(m) != shape:
        return False
    while isinstance(m, Node) and m.inputs and m.rule.name in MOVED:
        index = m.values[1] if isinstance(m.values[1], tuple) else (m.values[1],)
        plain = all(
            i is None or i is Ellipsis or type(i) is int or (type(i) is slice and i == slice(None)) for i in index
        )
        if m.rule.name == "getitem" and not (plain and np.size(m) == np.size(m.inputs[0])):
            return False
        m = m.inputs[0]
    if not isinstance(m, Node) or not m.inputs or m.rule.name != "max" or m.inputs[0] is not x:
        return False
    return _axes(m.values[1], ndim) == _axes(axis, ndim) and all(v is None for v in m.values[3:])


def _axes(axis: Any, ndim: int) -> set[int]:
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return {k % ndim for k in axes} if ndim else set()


def _kept(x: Any, axis: Any) -> tuple[int, ...]:
    """The shape of a sum along an axis that is kept."""
    over = _axes(axis, np.ndim(x))
    return tuple([1 if k in over else size for k, size in enumerate(np.shape(x))])


def unshifted(x: Array, m: Array, k: Array, axis: Any, keepdims: bool, c: Any = 0.0) -> Any:
    """log Σ exp(x - m + c) + k, where m and k are the largest of x."""
    kept = _kept(x, axis)
    shape = kept if keepdims else tuple([s for i, s in enumerate(kept) if i not in _axes(axis, np.ndim(x))])
    if not is_largest(m, x, axis, kept) or not is_largest(k, x, axis, shape):
        return None
    total = x if type(c) is float else x + c
    return log_of_sum(total, axis, keepdims) if np.shape(total) == np.shape(x) else None


def softmax_of(x: Array, m: Array, axis: Any, keepdims: bool, logarithm: bool) -> Any:
    """Shares of exp(x - m), where m is the largest of x, or their logarithms."""
    if not (keepdims or axis is None) or isinstance(axis, tuple) or not is_largest(m, x, axis, _kept(x, axis)):
        return None
    return log_softmax(x, axis) if logarithm else softmax(x, axis)


def gammaln_of_positive(x: Array) -> Array:
    """log Γ(x), and NaN where Γ is negative: between -1 and 0, -3 and -2, …"""
    from ..core import scipy_special as sp

    n = np.floor(x)
    below = np.logical_and(np.not_equal(x, n), np.equal(2 * np.floor(n / 2), n))
    return sp.gammaln(np.where(np.logical_or(np.greater_equal(x, 0), below), x, math.nan))


# fmt: off
OF_NUMPY: list[Line] = [
    # shares: the logistic function is share(x, 0)
    (lambda x: np.exp(x) / (1 + np.exp(x)), lambda x: share(x, 0.0), "no inf / inf"),
    (lambda x: 1 / (1 + np.exp(x)), lambda x: share(0.0, x), "a derivative that is not inf / inf"),
    (lambda x: (1 + np.exp(x)) ** -1, lambda x: share(0.0, x), "a derivative that is not 0 inf"),
    (lambda a, b: np.exp(a) / (np.exp(a) + np.exp(b)), lambda a, b: share(a, b), "no inf / inf, no 0 / 0"),
    (lambda x: np.exp(x) / (1 + np.exp(x)) ** 2, lambda x: share(x, 0.0) * share(0.0, x), "no inf / inf"),
    (lambda a, b: 1 - share(a, b), lambda a, b: share(b, a), "no cancellation where the share is nearly 1"),
    (lambda a, b: np.log(share(a, 0.0)), lambda a: -np.logaddexp(0, -a), "no log of 0; exact near 1"),
    (lambda a, b: np.log(share(0.0, a)), lambda a: -np.logaddexp(0, a), "no log of 0; exact near 1"),
    (lambda a, b: np.log(share(a, b)), lambda a, b: -np.logaddexp(0, b - a), "no log of 0; exact near 1"),
    (lambda a, b: np.log1p(-share(a, b)), lambda a, b: np.log(share(b, a)), "no log of 0"),
    # logarithms of sums of exponentials
    (lambda x: np.log(np.exp(x)), lambda x: x, OVERFLOW),
    (lambda p: np.log1p(p), lambda p: np.logaddexp(0, np.log(p)), OVERFLOW),
    (lambda p, q: np.log(p + q), lambda p, q: np.logaddexp(np.log(p), np.log(q)), OVERFLOW),
    (lambda p: np.log(np.sum(p)), lambda p, axis, keep: log_of_sum(np.log(p), axis, keep), OVERFLOW),
    # logarithms of products of positive numbers, densities among them
    (lambda x: np.log(np.exp(x) / np.sum(np.exp(x))), lambda x, axis, keep: log_of_share(x, axis, keep), OVERFLOW),
    (lambda u, v: np.log(u * v), lambda u, v: np.log(u) + np.log(v), ADDS),
    (lambda u, v: np.log(u / v), lambda u, v: np.log(u) - np.log(v), ADDS),
    (lambda u: np.log(np.prod(u)), lambda u, axis, keep: np.sum(np.log(u), axis=axis, keepdims=keep), ADDS),
    (lambda x, w: np.log(np.exp(x) * w), lambda x, w: x + np.log(w), ADDS),
    (lambda x, w: np.log(np.exp(x) / w), lambda x, w: x - np.log(w), ADDS),
    (lambda x, w: np.log(w / np.exp(x)), lambda x, w: np.log(w) - x, ADDS),
    (lambda x, a, b: np.log(np.exp(x) * a * b), lambda x, a, b: x + np.log(a * b), ADDS),
    (lambda x, a, b: np.log(np.exp(x) * a / b), lambda x, a, b: x + np.log(a / b), ADDS),
    (lambda x, a, b: np.log(np.exp(x) / a / b), lambda x, a, b: x - np.log(a * b), ADDS),
    (lambda x, a, b: np.log(np.exp(x) / a * b), lambda x, a, b: x + np.log(b / a), ADDS),
    (lambda u: np.log(u[0]), lambda u, index: np.log(u)[index], "the logarithm goes to where the exponential is"),
    (lambda u: np.log(np.reshape(u, (-1,))), lambda u, shape: np.reshape(np.log(u), shape), "the same"),
    (lambda u: np.log(np.expand_dims(u, 0)), lambda u, axis: np.expand_dims(np.log(u), axis), "the same"),
    # what has been made stable by a maximum, which takes part in no derivative
    (lambda x, m, k: log_sum(x - m, 1.0) + k, unshifted, CANCELS),
    (lambda x, m, c, k: log_sum(x - m + c, 1.0) + k,
     lambda x, m, c, k, axis, keep: unshifted(x, m, k, axis, keep, c), CANCELS),
    (lambda x, m: x - m - log_sum(x - m, 1.0),
     lambda x, m, axis, keep: softmax_of(x, m, axis, keep, True), CANCELS),
    (lambda x, m: np.exp(x - m) / np.sum(np.exp(x - m)),
     lambda x, m, axis, keep: softmax_of(x, m, axis, keep, False), CANCELS),
    (lambda x: np.log(softmax(x)), lambda x, axis: log_softmax(x, axis), "no log of 0"),
    (lambda a, b: np.logaddexp(a - np.maximum(a, b), b - np.maximum(a, b)) + np.maximum(a, b),
     lambda a, b: np.logaddexp(a, b), CANCELS),
    # squares of square roots
    (lambda x: np.std(x) ** 2, lambda x, axis, ddof, keep: np.var(x, axis, ddof=ddof, keepdims=keep), "curved at 0"),
    # differences from 1
    (lambda x: np.exp(x) - 1, lambda x: np.expm1(x), "no cancellation near 0"),
    (lambda x: 1 - np.exp(x), lambda x: -np.expm1(x), "no cancellation near 0"),
    (lambda x: np.log(-np.expm1(x)), lambda x: log1mexp(x), "exact where exp(x) is small, too"),
    (lambda x: np.log1p(-np.exp(x)), lambda x: log1mexp(x), "no cancellation near 0"),
    (lambda x: np.log(np.expm1(x)), lambda x: x + log1mexp(-x), OVERFLOW),
    (lambda x: np.log(1 + x), lambda x: np.log1p(x), "no cancellation near 0"),
    (lambda x: np.log(1 - x), lambda x: np.log1p(-x), "no cancellation near 0"),
]
"""Lines of NumPy's functions, tried in this order."""


def of_scipy() -> list[Line]:
    """Lines of SciPy's functions."""
    from ..core import scipy_special as sp

    return [
        (lambda x: 1 - sp.expit(x), lambda x: sp.expit(-x), "no cancellation where it is nearly 1"),
        (lambda x: np.log(sp.expit(x)), lambda x: sp.log_expit(x), "no log of 0; exact near 1"),
        (lambda x: np.log1p(-sp.expit(x)), lambda x: sp.log_expit(-x), "no log of 0"),
        (lambda x: 0.5 * (1 + sp.erf(x / math.sqrt(2))), lambda x: sp.ndtr(x), "no cancellation in the left tail"),
        (lambda x: (1 + sp.erf(x / math.sqrt(2))) / 2, lambda x: sp.ndtr(x), "no cancellation in the left tail"),
        (lambda x: 0.5 * sp.erfc(x / math.sqrt(2)), lambda x: sp.ndtr(-x), "its logarithm has a line"),
        (lambda x: 1 - sp.ndtr(x), lambda x: sp.ndtr(-x), "no cancellation in the right tail"),
        (lambda x: np.log(sp.ndtr(x)), lambda x: sp.log_ndtr(x), "no log of 0"),
        (lambda x: np.log1p(-sp.ndtr(x)), lambda x: sp.log_ndtr(-x), "no log of 0; exact where ndtr is nearly 1"),
        (lambda x: np.log(sp.gamma(x)), lambda x: gammaln_of_positive(x), "gamma overflows from 172 on"),
    ]
# fmt: on


SCIPY = frozenset(["erf", "erfc", "expit", "gamma", "ndtr"])
"""The functions that SciPy's lines are about: without one of them in a graph nobody looks at these lines."""
