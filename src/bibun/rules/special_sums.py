"""logsumexp, softmax, log_softmax: functions of bibun's own, which SciPy has but does not let a Variable into.

Their derivatives are shares of a total. A share near 1 is known best by what the others have, so derivatives are taken
relative to the cotangent (or tangent) of the largest share. Imports core; the public functions are in bibun/special.py.
"""

from typing import Any

import numpy as np

from ..core.broadcast import unbroadcast
from ..core.dispatch import function, raw
from ..core.domains import nonzero, positive, real
from ..core.rule import general
from ..typing import Array

__all__ = ["log_softmax_along", "logsumexp_along", "softmax_along"]

Axis = Any


def sums(x: Array, axis: Axis) -> Array:
    return np.sum(x, axis=axis, keepdims=True)


def _largest(w: Array, axis: Axis) -> Array:
    """1 at the largest share in absolute value, shared where several are; a plain array."""
    size = np.abs(raw(w))
    if size.size == 0:
        return size
    top = size == np.max(size, axis=axis, keepdims=True)
    return np.asarray(top / np.maximum(sums(top, axis), 1), size.dtype)


def _centred(g: Array, w: Array, axis: Axis) -> Array:
    """g − Σ w g for shares w that sum to 1, without cancellation where one of them is almost 1."""
    g = g - sums(_largest(w, axis) * g, axis)
    return g - sums(w * g, axis)


def _parts(a: Array, b: Array, axis: Axis) -> tuple[Array, Array, Array]:
    """exp(a − m), the sum of b exp(a − m), and m, the largest `a` that has a weight; m = 0 if it is -inf.

    Where m is +inf, only the infinite elements count.
    """
    a = np.where(b == 0, -np.inf, a) if np.ndim(b) or b == 0 else a
    m = np.max(a, axis=axis, keepdims=True, initial=-np.inf)
    infinite = np.isposinf(m)
    e = np.where(infinite, np.isposinf(a), np.exp(a - np.where(np.isfinite(m), m, 0)))
    return np.asarray(e, a.dtype), sums(b * e, axis), m


def _log_of_sum(a: Array, b: Array, axis: Axis) -> Array:
    """log(Σ b exp(a)), NaN where the sum is negative: the largest terms kept apart, for log1p."""
    e, total, m = _parts(a, b, axis)
    top = (a == m) & (b != 0)
    first = sums(np.where(top, b, 0), axis)
    rest = sums(np.where(top, 0, b * e), axis)
    apart = np.isfinite(m) & (first > 0)
    with np.errstate(all="ignore"):
        y = np.where(apart, np.log1p(rest / first) + np.log(first), np.log(total))
    return np.asarray(y + np.where(m == -np.inf, 0, m), e.dtype)


def _squeezed(y: Array, axis: Axis, keepdims: bool) -> Array:
    return y if keepdims else np.squeeze(y, axis)[()]


def _unsqueezed(g: Array, like: Array, axis: Axis, keepdims: bool) -> Array:
    """The cotangent of a reduction with its axes back."""
    if keepdims:
        return g
    if axis is None:
        return np.reshape(g, (1,) * like.ndim)
    return np.expand_dims(g, axis)


# The shares: e^a / Σ b e^a, and b times that --------------------------------------------------------------------------


@function
def exp_shares(a: Array, b: Array, axis: Axis) -> Array:
    """exp(a) / Σ b exp(a); 0 where every a is -inf."""
    e, total, _ = _parts(a, b, axis)
    if np.ndim(b) and np.any(b == 0):
        m = np.max(np.where(b == 0, -np.inf, a), axis=axis, keepdims=True, initial=-np.inf)
        e = np.where(b == 0, np.exp(a - np.where(np.isfinite(m), m, 0)), e)
    return np.asarray(e / np.where(np.equal(e, 0) & np.equal(total, 0), 1, total), e.dtype)
