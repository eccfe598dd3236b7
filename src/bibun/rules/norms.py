"""Norms of vectors and matrices, all orders, and condition numbers.

The Euclidean norm is the one with care: its derivative at 0 is 0, nothing overflows, and an even function of it, such
as its square, keeps its curvature at 0. Imports core, products.
"""

from typing import Any

import numpy as np

from ..core.dispatch import answers
from ..core.domains import nonzero, static, well
from ..core.rule import Rule
from ..core.words import composite, general
from ..typing import Array
from .even import limit
from .products import as_array, conjugated

# --- the Euclidean norm ---------------------------------------------------------------------------------------------


def euclidean_run(x: Array, axis: Any) -> Array:
    """The norm with its axes kept; scaled where a square would overflow or vanish."""
    with np.errstate(over="ignore", under="ignore"):
        y = np.sqrt(np.vdot(x, x).real).reshape((1,) * x.ndim) if axis is None else root(x, axis)
    info = np.finfo(y.dtype)
    odd = (y > info.max**0.5) | (y < info.tiny**0.5)
    if not np.any(odd):
        return y
    scale = np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0)
    odd = odd & (scale > 0) & np.isfinite(scale)
    scale = np.where(odd, scale, 1)
    return np.where(odd, scale * root(x / scale, axis), y)


def root(x: Array, axis: Any) -> Array:
    """The root of the sum of squares."""
    return np.sqrt(np.sum(np.real(x * np.conjugate(x)), axis=axis, keepdims=True))


def direction_run(x: Array, axis: Any) -> Array:
    """x / |x|, and 0 at 0."""
    scale = np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0)
    x = x / np.where(scale > 0, scale, 1)
    y = root(x, axis)
    return x / np.where(y > 0, y, 1)


def direction_push(t: Array, u: Array, x: Array, axis: Any) -> Array:
    """(t - u <u, t>) / |x|: infinite at 0."""
    along = np.sum(np.real(conjugated(u) * t), axis=axis, keepdims=True)
    return (t - u * along) / _euclidean(x, axis)


direction: Rule = general(
    direction_run, register=False, name="direction",
    jvp=lambda t, u, x, axis: direction_push(t, u, x, axis),
    vjp=lambda g, u, x, axis: conjugated(direction_push(conjugated(g), u, x, axis)),
    domain=nonzero, cases=[((3,), static(None)), ((2, 3), static(1)), ((2, 3), static((0, 1)))],
)  # fmt: skip
direction.func = direction


def unit(y: Array, x: Array, axis: Any) -> Array:
    """x / |x|, given y = |x|: by one division where nothing is recorded and no norm is extreme."""
    if isinstance(y, np.ndarray) and isinstance(x, np.ndarray):
        info = np.finfo(y.dtype)
        if y.size and y.min() > info.tiny**0.5 and y.max() < info.max**0.5:
            return x / y
    return direction(x, axis)


def euclidean_pull(g: Array, y: Array, x: Array, axis: Any) -> Array:
    """g·conj(x)/|x|, or its limit."""
    found = limit(g, y)
    if found is None:
        return g * conjugated(unit(y, x, axis))
    even, slope = found
    return np.where(even, slope * conjugated(x), g * conjugated(direction(np.where(even, 1, x), axis)))


_euclidean: Rule = general(
    euclidean_run, register=False, name="euclidean",
    jvp=lambda t, y, x, axis: np.sum(np.real(conjugated(unit(y, x, axis)) * t), axis=axis, keepdims=True),
    vjp=euclidean_pull, domain=nonzero,
    cases=[((3,), static(None)), ((2, 3), static(1)), ((2, 3), static((0, 1))), ((), static(None)),
           ((0,), static(None))],
)  # fmt: skip
_euclidean.func = _euclidean


def dropped(y: Array, axis: Any, keepdims: bool) -> Array:
    """The kept axes of length one taken away again, unless they are wanted."""
    if keepdims:
        return y
    return y.reshape(()) if axis is None else np.squeeze(y, axis)


# --- other orders ---------------------------------------------------------------------------------------------------


def power_norm_run(x: Array, p: float, axis: Any) -> Array:
    """The p-norm with its axes kept."""
    size = np.abs(x)
    scale = (np.max if p > 0 else np.min)(size, axis=axis, keepdims=True)
    scale = np.where((scale > 0) & np.isfinite(scale), scale, 1)
    return scale * np.sum((size / scale) ** p, axis=axis, keepdims=True) ** (1 / p)


def power_norm_slope(y: Array, x: Array, p: float) -> Array:
    """sign(x)·(|x|/y)**(p - 1), and 0 at 0."""
    zero = np.equal(y, 0)
    size = np.abs(x) / np.where(zero, 1, y)
    return np.where(zero, 0, np.sign(x) * size ** (p - 1))


_power_norm: Rule = general(
    power_norm_run, register=False, name="power_norm",
    jvp=lambda t, y, x, p, axis: np.sum(power_norm_slope(y, x, p) * t, axis=axis, keepdims=True),
    vjp=lambda g, y, x, p, axis: g * power_norm_slope(y, x, p),
    domain=nonzero, cases=[((3,), static(3), static(0)), ((2, 3), static(1.5), static(1)),
                           ((3,), static(-1.0), static(0))],
)  # fmt: skip
_power_norm.func = _power_norm


def vector_norm_of(x: Array, order: Any, axis: Any, keepdims: bool) -> Array:
    """The norm of the vectors along `axis` (an int, a tuple, or None for all elements)."""
    if order is None or order == 2:
        return dropped(_euclidean(x, axis), axis, keepdims)
    size = np.abs(x)
    if order == np.inf:
        return np.max(size, axis=axis, keepdims=keepdims)
    if order == -np.inf:
        return np.min(size, axis=axis, keepdims=keepdims)
    if order == 0:
        return np.sum(np.not_equal(x, 0).astype(size.dtype), axis=axis, keepdims=keepdims)
    if order == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order {order!r} for vectors")
    return dropped(_power_norm(size if x.dtype.kind == "c" else x, order, axis), axis, keepdims)


def matrix_norm_of(x: Array, order: Any, axis: tuple[int, int], keepdims: bool) -> Array:
    """The norm of the matrices in two axes."""
    row, column = (k % x.ndim for k in axis)
    if row == column:
        raise ValueError("np.linalg.norm: duplicate axes given")
    if order is None or order in ("fro", "f"):
        return dropped(_euclidean(x, (row, column)), (row, column), keepdims)
    largest = order in (1, 2, np.inf)
    if order in (1, -1, np.inf, -np.inf):
        over, along = (row, column) if abs(order) == 1 else (column, row)
        sums = np.sum(np.abs(x), axis=over, keepdims=True)
        y = (np.max if largest else np.min)(sums, axis=along, keepdims=True)
    elif order in (2, -2, "nuc"):
        s = np.linalg.svdvals(np.moveaxis(x, (row, column), (-2, -1)))
        y = np.sum(s, axis=-1) if order == "nuc" else np.max(s, axis=-1) if largest else np.min(s, axis=-1)
        y = np.expand_dims(y, tuple(sorted((row, column))))
    else:
        raise ValueError(f"Invalid norm order {order!r} for matrices")
    return dropped(y, (row, column), keepdims)


@answers(np.linalg.norm)
def norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    """np.linalg.norm."""
    x = floating(as_array(x, "norm"))
    if axis is None:
        if ord is None or (ord in ("f", "fro") and x.ndim == 2) or (ord == 2 and x.ndim == 1):
            return dropped(_euclidean(x, None), None, keepdims)
        axis = tuple(range(x.ndim))
    axis = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    if len(axis) == 1:
        return vector_norm_of(x, ord, axis[0], keepdims)
    if len(axis) == 2:
        return matrix_norm_of(x, ord, axis, keepdims)
    raise ValueError("Improper number of dimensions to norm.")


def floating(x: Array) -> Array:
    """Integers as float64."""
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


@answers(np.linalg.vector_norm)
def vector_norm(x: Array, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    """np.linalg.vector_norm: the elements in `axis` as one vector."""
    x = floating(as_array(x, "vector_norm"))
    return vector_norm_of(x, ord, tuple(axis) if isinstance(axis, list) else axis, keepdims)


@answers(np.linalg.matrix_norm)
def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    """np.linalg.matrix_norm: of the last two axes."""
    return matrix_norm_of(floating(as_array(x, "matrix_norm")), ord, (-2, -1), keepdims)


@answers(np.linalg.cond)
def cond(x: Array, p: Any = None) -> Array:
    """np.linalg.cond: the product of the norms of a matrix and its inverse."""
    x = as_array(x, "cond")
    if p is None or p in (2, -2):
        s = np.linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(np.linalg.inv(x), p, (-2, -1))


_ORDERS = [dict(ord=p) for p in (1, -1, np.inf, -np.inf, 2, -2, "nuc", "fro")]
composite(
    np.linalg.norm, norm, domain=nonzero,
    cases=[((3,),), ((2, 3),), ((2, 3, 2),), ((),), ((2, 3), dict(axis=-1)),
           ((2, 3), dict(axis=(0, 1), keepdims=True)), *[((3, 3), kw) for kw in _ORDERS],
           *[((3,), dict(ord=p)) for p in (0, 1, 2, 3, 0.5, -1, -2, np.inf, -np.inf)],
           ((2, 3), dict(ord=3, axis=0, keepdims=True)), *[((2, 3, 4), dict(axis=(2, 0), **kw)) for kw in _ORDERS],
           ((2, 3), dict(keepdims=True)), ((0,),)],
)  # fmt: skip
composite(
    np.linalg.vector_norm, vector_norm, domain=nonzero,
    cases=[((2, 3),), ((2, 3), dict(axis=-1)), ((2, 3), dict(axis=(0, 1), ord=1, keepdims=True)),
           ((2, 3), dict(ord=3))],
)  # fmt: skip
composite(
    np.linalg.matrix_norm,
    matrix_norm,
    domain=nonzero,
    cases=[((2, 3),), ((2, 3, 3), dict(ord=2)), ((3, 2), dict(ord="nuc"))],
)
composite(
    np.linalg.cond, cond, cases=[(well(3),), (well(3, 2), dict(p=-2)), (well(3), dict(p=1)), (well(3), dict(p="fro"))]
)
