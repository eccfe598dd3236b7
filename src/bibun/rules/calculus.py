"""Differences, slopes, areas and interpolation of sampled functions, and functions applied piece by piece.

Imports core, indexing, joining.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core.dispatch import answers, holds_node, raw
from ..core.domains import Domain, static
from ..core.modes import here, modes
from ..core.words import composite, general, linear
from ..typing import Array
from .creation import arrayed
from .indexing import getitem, scatter
from .joining import concatenate
from .shapes import astype, frozen

increasing = Domain(-2.0, 2.0, keep=lambda x: np.arange(x.size, dtype=float).reshape(x.shape) + 0.2 * x)
"""Values that grow by about one from each to the next."""


def along(x: Array, axis: int, start: int | None, stop: int | None) -> Array:
    """A stretch of an axis."""
    return getitem(x, (slice(None),) * axis + (slice(start, stop),))


NOTHING: Any = np._NoValue


# --- differences ----------------------------------------------------------------------------------------------------


def diff_back(g: Array, a: Array, n: int = 1, axis: int = -1) -> Array:
    """Differences of the cotangent between zeros, the other way round."""
    if n >= a.shape[axis]:
        return np.zeros_like(a, dtype=g.dtype)
    axis = axis % a.ndim
    end = np.zeros_like(g, shape=(*g.shape[:axis], 1, *g.shape[axis + 1 :]))
    for _ in range(n):
        g = -np.diff(np.concatenate([end, g, end], axis), axis=axis)
    return g


diff_ = linear(
    np.diff, diff_back, register=False, run=lambda a, n=1, axis=-1: np.diff(a, n, axis),
    cases=[((4,),), ((2, 3), dict(axis=0)), ((2, 4), dict(n=2)), ((3,), dict(n=0)), ((3,), dict(n=3)),
           ((3,), dict(n=5)), ((0,),), ((1,),),
           ((3,), dict(prepend=1.0, append=static(np.ones(2)))), ((2, 3), dict(axis=0, prepend=0.0))],
)  # fmt: skip


@answers(np.diff)
def diff(a: Array, n: int = 1, axis: int = -1, prepend: Any = NOTHING, append: Any = NOTHING) -> Array:
    """np.diff."""
    a, n = arrayed(a), frozen(n)
    if n < 0:
        raise ValueError(f"np.diff: order must be non-negative but got {n}")
    axis = normalize_axis_index(axis, a.ndim)
    if n == 0:
        return a
    ends = [end if end is NOTHING else arrayed(end) for end in (prepend, append)]
    if any([end is not NOTHING for end in ends]):
        row = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
        ends = [end if end is NOTHING or end.ndim else np.broadcast_to(end, row) for end in ends]
        a = concatenate([part for part in (ends[0], a, ends[1]) if part is not NOTHING], axis)
    return diff_(a, n, axis)


def ediff1d(ary: Array, to_end: Any = None, to_begin: Any = None) -> Array:
    """np.ediff1d."""
    y = diff(np.ravel(arrayed(ary)))
    ends = [None if end is None else astype(np.ravel(arrayed(end)), y.dtype) for end in (to_begin, to_end)]
    parts = [part for part in (ends[0], y, ends[1]) if part is not None]
    return concatenate(parts) if len(parts) > 1 else y


composite(
    np.ediff1d, ediff1d, cases=[((4,),), ((2, 2),), ((3,), dict(to_end=2.0, to_begin=static([0.0, 1.0]))), ((1,),)]
)

# --- slopes and areas -----------------------------------------------------------------------------------------------


def gradient(f: Array, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """np.gradient: central differences inside, one-sided ones of the order asked for at the edges."""
    f = arrayed(f)
    axes = tuple(range(f.ndim)) if axis is None else normalize_axis_tuple(axis, f.ndim)
    steps = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise TypeError(f"np.gradient of {len(axes)} axes with {len(steps)} spacings: give none, one, or one an axis")
    if edge_order not in (1, 2):
        raise ValueError("np.gradient: edge_order is 1 or 2")
    f = f if f.dtype.kind in "fc" else astype(f, float)
    out = [
        slope(f, arrayed(h) if not isinstance(h, (int, float)) else h, k, edge_order)
        for h, k in zip(steps, axes, strict=True)
    ]
    return out[0] if len(axes) == 1 else tuple(out)


def slope(f: Array, h: Any, axis: int, edge_order: int) -> Array:
    """The slope along one axis; `h` is a spacing or the coordinates."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(
            f"np.gradient along an axis of {n}: it needs at least {edge_order + 1} for edge_order={edge_order}"
        )
    if np.ndim(h):
        if h.shape != (n,):
            raise ValueError(f"np.gradient: {h.shape} coordinates for an axis of {n}")
        h = h if h.dtype.kind in "bfc" else astype(h, float)
        d = np.reshape(np.diff(h), (n - 1,) + (1,) * (f.ndim - 1 - axis))
        d = getitem(d, (None,) * axis)
    else:
        d = h
    s = np.diff(f, axis=axis) / d  # the slope of each stretch
    if np.ndim(h):
        a, b = along(d, axis, None, -1), along(d, axis, 1, None)
        weight = a / (a + b)
        last = along(b, axis, -1, None) / (along(a, axis, -1, None) + along(b, axis, -1, None)) if n > 2 else 0.5
        first = along(weight, axis, 0, 1) if n > 2 else 0.5
    else:
        weight, first, last = 0.5, 0.5, 0.5
    left, right = along(s, axis, None, -1), along(s, axis, 1, None)
    inside = left + weight * (right - left)
    begin, end = along(s, axis, 0, 1), along(s, axis, -1, None)
    if edge_order == 2:
        begin = begin - first * (along(s, axis, 1, 2) - begin)
        end = end + last * (end - along(s, axis, -2, -1))
    y = concatenate([begin, inside, end], axis)
    return y if y.dtype == f.dtype or holds_node(h, tracked=True) else astype(y, f.dtype)


def trapezoid(y: Array, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    """np.trapezoid."""
    y = arrayed(y)
    axis = normalize_axis_index(axis, y.ndim)
    if x is not None:
        x = arrayed(x)
        if x.ndim == 1:
            dx = np.reshape(np.diff(x), (x.size - 1,) + (1,) * (y.ndim - 1 - axis))
        else:
            dx = np.diff(x, axis=axis)
    return np.sum(dx * (along(y, axis, 1, None) + along(y, axis, None, -1)) / 2.0, axis)


composite(
    np.gradient, gradient,
    cases=[((5,),), ((4,), static(0.5), dict(edge_order=2)), ((3, 4),), ((3, 4), static(2.0), dict(axis=0)), ((2,),),
           ((4,), ()),
           ((4, 3), static([0.0, 1.0, 3.0]), dict(axis=-1, edge_order=2)),
           ((3, 3), static(0.5), static([0.0, 1.0, 3.0])),
           ((5,), lambda rng: np.arange(5) + 0.1 * rng.uniform(size=5), dict(edge_order=2))],
)  # fmt: skip
composite(
    np.trapezoid, trapezoid,
    cases=[((4,),), ((4,), (4,)), ((2, 3), static([0.0, 1.0, 3.0])), ((3, 2), dict(axis=0, dx=0.5)), ((2, 3),
           (2, 3)), ((1,),), ((3, 2), (3,), dict(axis=0))],
)  # fmt: skip

# --- interpolation --------------------------------------------------------------------------------------------------


def interp(x: Array, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Array:
    """np.interp, with respect to the points, the nodes and the values. At a node the piece to its right counts."""
    x, xp, fp = arrayed(x), arrayed(xp), arrayed(fp)
    x, xp, fp = (
        a if a.dtype.char in "dD" else astype(a, complex if a.dtype.kind == "c" else float) for a in (x, xp, fp)
    )
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(f"np.interp: nodes and values of one axis and one length, not {xp.shape} and {fp.shape}")
    if period is not None:
        period = abs(period)
        x, xp = np.remainder(x, period), np.remainder(xp, period)
        order = np.argsort(xp)
        xp, fp = getitem(xp, order), getitem(fp, order)
        xp = concatenate([along(xp, 0, -1, None) - period, xp, along(xp, 0, 0, 1) + period])
        fp = concatenate([along(fp, 0, -1, None), fp, along(fp, 0, 0, 1)])
        left = right = None
    n = xp.size
    left = getitem(fp, 0) if left is None else left
    right = getitem(fp, n - 1) if right is None else right
    if n == 1:
        inside = getitem(fp, np.zeros(x.shape, np.intp))
    else:
        k = np.clip(np.searchsorted(xp, x, "right") - 1, 0, n - 2)
        x0, y0 = getitem(xp, k), getitem(fp, k)
        inside = y0 + (getitem(fp, k + 1) - y0) * ((x - x0) / (getitem(xp, k + 1) - x0))
    return np.where(np.less(x, xp[0]), left, np.where(np.greater(x, xp[-1]), right, inside))


_between = lambda rng: np.array([0.5, 2.7, -1.0, 9.3, 1.3])
composite(
    np.interp, interp, domain=increasing,
    cases=[(_between, (4,), (4,)), (_between, (4,), (4,), dict(left=0.0, right=static(1.0))),
           (_between, static([0.0, 1.0, 2.5]), (3,), dict(period=4.0)),
           (lambda rng: np.array(1.5), (4,), (4,)), (_between, static([1.0]), (1,))],
)  # fmt: skip

# --- unwrapping -----------------------------------------------------------------------------------------------------

general(
    np.unwrap,
    jvp=lambda t, y, p, discont=None, axis=-1, period=2 * np.pi: t,
    vjp=lambda g, y, p, discont=None, axis=-1, period=2 * np.pi: g,
    run=lambda p, discont=None, axis=-1, period=2 * np.pi: np.unwrap(p, discont, axis, period=period),
    domain=Domain(-2.0, 2.0, keep=lambda x: np.round(2 * x) * 4 + 0.3 * x),
    cases=[((5,),), ((2, 4), dict(axis=0)), ((4,), dict(period=4.0)), ((4,), dict(discont=5.0)), ((0,),)],
)  # fmt: skip

# --- functions, piece by piece --------------------------------------------------------------------------------------


def piecewise(x: Array, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Array:
    """np.piecewise: each function sees the elements of its condition only; the last condition that holds counts."""
    x = arrayed(x)
    if modes.on and here.tracing and holds_node(condlist, tracked=True):
        return _everywhere(x, condlist, funclist, *args, **kw)
    conditions = _conditions(x, raw(condlist), len(funclist))
    y = np.zeros_like(x)
    for condition, func in zip(conditions, funclist, strict=True):
        if not callable(func):
            y = np.where(condition, func, y)
        elif condition.any():
            where = np.nonzero(condition) if x.ndim else ()
            value = arrayed(func(getitem(x, where) if x.ndim else x, *args, **kw))
            value = np.broadcast_to(value, where[0].shape if x.ndim else ())
            y = np.where(condition, scatter(value, condition, x.shape) if x.ndim else value, y)
    return y if y.dtype == x.dtype else astype(y, x.dtype)


def _everywhere(x: Array, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Array:
    """While recording for other values: every function of every element, and the one that counts is chosen."""
    conditions = list(condlist) if isinstance(condlist, (list, tuple)) else [condlist]
    parts = [func(x, *args, **kw) if callable(func) else func for func in funclist]
    y: Array = parts[-1] if len(parts) == len(conditions) + 1 else 0.0
    for condition, part in zip(conditions, parts, strict=False):
        y = np.where(condition, part, y)
    return y


def _conditions(x: Array, given: Any, n: int) -> list[Array]:
    if np.isscalar(given) or (not isinstance(given[0], (list, np.ndarray)) and x.ndim != 0):
        given = [given]
    conditions = [
        np.broadcast_to(np.asarray(c, bool), x.shape) if np.size(c) == 1 else np.asarray(c, bool) for c in given
    ]
    if len(conditions) == n - 1:
        conditions.append(~np.any(np.stack(conditions), axis=0))
    if len(conditions) != n:
        raise ValueError(
            f"np.piecewise: {len(conditions)} conditions and {n} functions: as many of each, or one function more"
        )
    return conditions


def apply_along_axis(func1d: Any, axis: int, arr: Array, *args: Any, **kwargs: Any) -> Array:
    """np.apply_along_axis: the results of each line, joined."""
    arr = arrayed(arr)
    axis = normalize_axis_index(axis, arr.ndim)
    rows = np.moveaxis(arr, axis, -1)
    around = rows.shape[:-1]
    if 0 in around:
        raise ValueError("np.apply_along_axis: no line to apply the function to")
    parts = [arrayed(func1d(getitem(rows, k), *args, **kwargs)) for k in np.ndindex(*around)]
    inner = parts[0].ndim
    y = np.reshape(np.stack(parts), (*around, *parts[0].shape))
    last = tuple(range(len(around), y.ndim))
    return np.moveaxis(y, last, tuple(range(axis, axis + inner))) if inner else y


def apply_over_axes(func: Any, a: Array, axes: Any) -> Array:
    """np.apply_over_axes: one axis after another, each kept with length one."""
    y = arrayed(a)
    for axis in np.ravel(axes).tolist():
        axis = normalize_axis_index(axis, np.ndim(a))
        result = func(y, axis)
        y = result if result.ndim == y.ndim else np.expand_dims(result, axis)
        if y.ndim != np.ndim(a):
            raise ValueError("np.apply_over_axes: the function has to keep the axes or drop the one it is given")
    return y


composite(
    np.piecewise, piecewise,
    cases=[(lambda rng: np.array([-1.0, 0.5, 2.0]), static([[True, False, False], [False, False, True]]),
            static([lambda x: x**2, lambda x: 3 * x, 7.0]))],
)  # fmt: skip
composite(
    np.apply_along_axis, apply_along_axis,
    cases=[(static(lambda r: np.sum(r * r)), static(0), (3, 2)), (static(lambda r: r * r[0]), static(-1), (2, 3)),
           (static(lambda r: np.stack([r, r * r])), static(0), (3, 2))],
)  # fmt: skip
composite(
    np.apply_over_axes,
    apply_over_axes,
    cases=[(static(np.sum), (2, 3, 2), static((0, -1))), (static(np.cumsum), (2, 3), static(1))],
)
