"""logsumexp, softmax, log_softmax: SciPy has them, but its own do not let a Variable in. Public in bibun/special.py.

Their derivatives are shares of a total. A share near 1 is known best by what the others have, so derivatives are taken
relative to the cotangent (or tangent) of the largest share. Imports core and the composites of ufuncs only.
"""

from typing import Any

import numpy as np

from ..core.dispatch import function
from ..core.domains import positive, real
from ..core.words import constant, general
from ..typing import Array
from .products import possible
from .special_own import as_operand

__all__ = ["log_softmax", "logsumexp", "softmax"]

Axis = Any


def _sums(x: Array, axis: Axis) -> Array:
    return np.sum(x, axis=axis, keepdims=True)


def _floating(x: Any) -> Array:
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


@function
def largest(w: Array, axis: Axis) -> Array:
    """Where the largest share is."""
    size = np.abs(w)
    return size == np.max(size, axis=axis, keepdims=True, initial=0)


def _centred(g: Array, w: Array, axis: Axis) -> Array:
    """g − Σ w g for shares w that sum to 1, without cancellation where one of them is almost 1."""
    top = largest(w, axis)
    g = g - _sums(g * top, axis) / np.maximum(_sums(top, axis), 1).astype(g.dtype)
    return g - _sums(w * g, axis)


def _rest(w: Array, axis: Axis) -> Array:
    """1 − w, to the last digit also of a share that is almost 1."""
    top = largest(w, axis)
    top = top & (_sums(top, axis) == 1)
    return np.where(top, _sums(np.where(top, 0, w), axis), 1 - w)


# Σ b eᵃ ---------------------------------------------------------------------------------------------------------------


def _terms(a: Array, b: Array, axis: Axis) -> tuple[Array, Array, Array]:
    """exp(a − m), the sum of b exp(a − m), and m: the largest `a` with a weight.

    Where m is +inf only the infinite elements count; where it is -inf, m counts as 0.
    """
    a = _floating(a)
    m = np.max(np.where(b == 0, -np.inf, a), axis=axis, keepdims=True, initial=-np.inf).astype(a.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.where(np.isposinf(m), np.isposinf(a).astype(a.dtype), np.exp(a - np.where(np.isfinite(m), m, 0)))
        return e, _sums(np.where(b == 0, 0, b * e).astype(e.dtype, copy=False), axis), m


def _run(a: Array, b: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """log |Σ b exp(a)|, the largest terms kept apart, for log1p."""
    a = _floating(a)
    e, total, m = _terms(a, b, axis)
    top = (a == m) & (b != 0)
    first = _sums(np.where(top, b, 0).astype(e.dtype), axis)
    with np.errstate(all="ignore"):
        rest = _sums(np.where(top | (b == 0), 0, b * e).astype(e.dtype), axis)
        apart = np.isfinite(m) & (rest > -np.abs(first)) & (first > 0)
        y = np.where(apart, np.log1p(rest / first) + np.log(first), np.log(np.abs(total)))
    y = y + np.where(np.isneginf(m), 0, m)
    return y if keepdims else np.squeeze(y, axis)[()]


def _unsqueezed(g: Array, a: Array, axis: Axis, keepdims: bool) -> Array:
    if keepdims:
        return g
    return np.reshape(g, (1,) * a.ndim) if axis is None else np.expand_dims(g, axis)


@function
def log_sum(a: Array, b: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """log |Σ b exp(a)| for `b` of the shape of `a`, or a number."""
    return _run(a, b, axis, keepdims)


@function
def exp_shares(a: Array, b: Array, axis: Axis = None) -> Array:
    """exp(a) / Σ b exp(a), and 0 for 0/0."""
    e, total, _ = _terms(a, b, axis)
    with np.errstate(all="ignore"):
        return e / np.where((e == 0) & (total == 0), 1, total)


@function
def shares(a: Array, b: Array, axis: Axis = None) -> Array:
    """b exp(a) / Σ b exp(a), and 0 for 0/0."""
    e = exp_shares(a, b, axis)
    with np.errstate(all="ignore"):
        return np.where(b == 0, 0, b * e).astype(e.dtype, copy=False)


WEIGHTED = [((3,), (3,)), ((2, 3), (2, 3), dict(axis=1)), ((2, 3), (2, 3), dict(axis=(0, 1)))]

general(
    log_sum,
    jvp=(
        lambda t, y, a, b, axis=None, keepdims=False: np.sum(shares(a, b, axis) * t, axis=axis, keepdims=keepdims),
        lambda t, y, a, b, axis=None, keepdims=False: np.sum(exp_shares(a, b, axis) * t, axis=axis, keepdims=keepdims),
    ),
    vjp=(
        lambda g, y, a, b, axis=None, keepdims=False: _unsqueezed(g, a, axis, keepdims) * shares(a, b, axis),
        lambda g, y, a, b, axis=None, keepdims=False: _unsqueezed(g, a, axis, keepdims) * exp_shares(a, b, axis),
    ),
    domain=(real, positive),
    cases=[*WEIGHTED, ((2, 3), (2, 3), dict(axis=-1, keepdims=True)), ((), ())],
)
general(
    exp_shares,
    jvp=(
        lambda t, y, a, b, axis=None: y * (t - _sums(shares(a, b, axis) * t, axis)),
        lambda t, y, a, b, axis=None: -y * _sums(y * t, axis),
    ),
    vjp=(
        lambda g, y, a, b, axis=None: g * y - shares(a, b, axis) * _sums(g * y, axis),
        lambda g, y, a, b, axis=None: -y * _sums(g * y, axis),
    ),
    domain=(real, positive),
    cases=WEIGHTED,
)
general(
    shares,
    jvp=(
        lambda t, y, a, b, axis=None: y * _centred(t, y, axis),
        lambda t, y, a, b, axis=None: _lifted(t, y, exp_shares(a, b, axis), axis),
    ),
    vjp=(
        lambda g, y, a, b, axis=None: y * _centred(g, y, axis),
        lambda g, y, a, b, axis=None: exp_shares(a, b, axis) * _centred(g, y, axis),
    ),
    domain=(real, positive),
    cases=WEIGHTED,
)


def _lifted(t: Array, y: Array, e: Array, axis: Axis) -> Array:
    return e * t - y * _sums(e * t, axis)


def logsumexp(
    a: Array, axis: Axis = None, b: Array | None = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """The logarithm of a sum of exponentials, log Σ b exp(a), without overflow.

    Parameters
    ----------
    a : array_like or Variable
    axis : int or tuple of int, optional
        The axes summed over; all of them by default.
    b : array_like or Variable, optional
        Weights that broadcast with `a`; zero and negative ones too. An element of weight 0 does not count, whatever
        its `a`.
    keepdims : bool
        Whether the summed axes stay, with length 1.
    return_sign : bool
        Whether to return the sign of the sum apart, and the logarithm of its absolute value.

    Returns
    -------
    ndarray or Variable
        -inf for an empty sum. NaN where the sum is negative, unless `return_sign`.
    sign : ndarray
        Only with `return_sign`. It has no derivative.

    Notes
    -----
    The derivative is softmax(a), and 0 where every `a` is -inf.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.special import logsumexp
    >>> logsumexp(np.array([1000.0, 1000.0]))
    np.float64(1000.6931471805599)
    >>> bb.grad(logsumexp)(np.array([1000.0, 1000.0, -np.inf]))
    array([0.5, 0.5, 0. ])
    """
    a = as_operand(a, "logsumexp")
    if b is None:
        y = log_sum(a, 1.0, axis, keepdims)
        return (y, signs(a, 1.0, axis, keepdims)) if return_sign else y
    b = as_operand(b, "logsumexp")
    if b.dtype.kind in "biu":
        b = b.astype(a.dtype if a.dtype.kind == "f" else np.float64)
    shape = np.broadcast_shapes(a.shape, b.shape)
    a, b = (x if x.shape == shape else np.broadcast_to(x, shape) for x in (a, b))
    y, sign = log_sum(a, b, axis, keepdims), signs(a, b, axis, keepdims)
    if return_sign:
        return y, sign
    negative = np.less(sign, 0)
    return np.where(negative, np.nan, y) if possible(negative) else y


@function
def signs(a: Array, b: Array, axis: Axis, keepdims: bool) -> Array:
    """The sign of Σ b exp(a)."""
    sign = np.sign(_terms(a, b, axis)[1])
    return sign if keepdims else np.squeeze(sign, axis)[()]


constant(largest, signs)

# softmax --------------------------------------------------------------------------------------------------------------


@function
def softmax(x: Array, axis: Axis = None) -> Array:
    """Shares of the exponentials: exp(x) / Σ exp(x).

    Parameters
    ----------
    x : array_like or Variable
    axis : int or tuple of int, optional
        The axes whose elements are shares of one total; all of them by default.

    Returns
    -------
    ndarray or Variable
        Of the shape of `x`.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.special import softmax
    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    >>> bb.grad(lambda x: softmax(x)[0])(np.array([0.0, np.log(3.0)]))
    array([ 0.1875, -0.1875])
    """
    x = _floating(x)
    with np.errstate(all="ignore"):
        e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
        return (e / _sums(e, axis))[()]


@function
def log_softmax(x: Array, axis: Axis = None) -> Array:
    """The logarithm of softmax, x − log Σ exp(x), also where a share is nearly 0 or nearly 1.

    Parameters
    ----------
    x : array_like or Variable
    axis : int or tuple of int, optional
        The axes whose elements are shares of one total; all of them by default.

    Returns
    -------
    ndarray or Variable
        Of the shape of `x`.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.special import log_softmax
    >>> log_softmax(np.array([0.0, 50.0]))
    array([-5.00000000e+01, -1.92874985e-22])
    >>> bb.grad(lambda x: log_softmax(x)[1])(np.array([0.0, 50.0]))
    array([-1.92874985e-22,  1.92874985e-22])
    """
    x = _floating(x)
    m = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    m = np.where(np.isfinite(m), m, 0).astype(x.dtype)
    with np.errstate(all="ignore"):
        return (x - m - _run(x - m, 1.0, axis, True))[()]


SHAPES = [((3,),), ((2, 3), dict(axis=1)), ((2, 3), dict(axis=(-2, 1))), ((2, 3),), ((),), ((2, 0), dict(axis=1))]
general(
    softmax,
    jvp=lambda t, y, x, axis=None: y * _centred(t, y, axis),
    vjp=lambda g, y, x, axis=None: y * _centred(g, y, axis),
    cases=SHAPES,
)


def _log_softmax_vjp(g: Array, y: Array, x: Array, axis: Axis = None) -> Array:
    w = shares(x, 1.0, axis)
    return g * _rest(w, axis) - w * (_sums(g, axis) - g)


general(
    log_softmax,
    jvp=lambda t, y, x, axis=None: _centred(t, shares(x, 1.0, axis), axis),
    vjp=_log_softmax_vjp,
    cases=SHAPES,
)
