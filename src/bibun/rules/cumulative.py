"""Functions that accumulate along an axis: cumsum, cumprod and their kin, and the product of all other elements.

A product is never divided out of its total: a zero among the factors would take the derivative with it. Everything
multiplicative rests on one linear recurrence, whose derivatives are recurrences again. Imports core only.
"""

from typing import Any

import numpy as np

from ..core.dispatch import answers, function, spelled
from ..core.record import lane_linear
from ..core.rule import Rule
from ..core.words import composite, general, linear
from ..errors import TrackedVariable
from ..typing import Array

COLUMNS = 16
"""Up to so many slices a recurrence runs in Python's own floats; beyond, NumPy steps through all slices at once."""

ALONG: list[Any] = [
    ((4,),), ((),), ((2, 3),), ((2, 3), dict(axis=0)), ((2, 3, 2), dict(axis=-2)), ((0,), dict(axis=0)), ((1,),),
    ((2, 3), dict(axis=1, dtype=np.float64)),
]  # fmt: skip
INITIAL: list[Any] = [((4,),), ((2, 3), dict(axis=0)), ((2, 3), dict(axis=-1, include_initial=True))]


def prepared(func: Any, x: Any, axis: Any, dtype: Any, out: Any) -> tuple[Array, Any]:
    """The operand and the axis, counted from the end so that leading axes may join; None runs through all elements."""
    if out is not None:
        raise TrackedVariable(
            f"{spelled(func)}(out=) into an array would lose the derivative: write `v = {spelled(func)}(…)`"
        )
    x = x if hasattr(x, "dtype") else np.asarray(x)
    x = x if dtype is None or x.dtype == dtype else x.astype(dtype)
    if axis is None:
        return np.reshape(x, (-1,)), -1
    if not isinstance(axis, int):
        axis = axis.__index__()
    if not -x.ndim <= axis < x.ndim:
        raise np.exceptions.AxisError(axis, x.ndim)
    return x, axis - x.ndim if axis >= 0 else axis


def along(axis: int, index: slice) -> tuple[Any, ...]:
    """The index that takes `index` along an axis counted from the end."""
    return (..., index, *[slice(None)] * (-axis - 1))


def before(x: Array, fill: Any, axis: int, reverse: bool = False) -> Array:
    """At every place the element one place earlier (later, with `reverse`); `fill` where there is none."""
    if not x.shape[axis]:
        return x
    end = np.full_like(x[along(axis, slice(0, 1))], fill)
    if reverse:
        return np.concatenate((x[along(axis, slice(1, None))], end), axis)
    return np.concatenate((end, x[along(axis, slice(None, -1))]), axis)


# --- sums -------------------------------------------------------------------------------------------------------------


def sums_back(g: Array, x: Array, axis: int = -1) -> Array:
    """Sums from the end: added up, not taken as a total minus sums from the front, which would cancel."""
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


cumsum_rule = linear(np.cumsum, sums_back, register=False, cases=ALONG)
cumsum_lane = lane_linear(cumsum_rule, np.cumsum)


@answers(np.cumsum)
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """np.cumsum of a Variable."""
    return cumsum_lane(*prepared(np.cumsum, a, axis, dtype, out))


# --- the linear recurrence --------------------------------------------------------------------------------------------


@function
def recurrence(a: Array, b: Array, axis: int = -1, reverse: bool = False) -> Array:
    """h[k] = a[k] h[k-1] + b[k] along an axis, from nothing; with `reverse` from the end, on h[k+1]."""
    dtype = np.result_type(a, b)
    a, b = (np.moveaxis(np.broadcast_to(x, np.broadcast_shapes(a.shape, b.shape)), axis, 0) for x in (a, b))
    if reverse:
        a, b = a[::-1], b[::-1]
    h = np.empty(b.shape, dtype)
    columns = h[:1].size
    if 0 < columns <= COLUMNS:
        flat = h.reshape(len(h), columns)
        pairs = a.reshape(flat.shape), b.reshape(flat.shape)
        for j in range(columns):
            flat[:, j] = list(_steps(pairs[0][:, j].tolist(), pairs[1][:, j].tolist()))
    elif len(h):
        h[0] = b[0]
        for k in range(1, len(h)):
            np.multiply(a[k], h[k - 1], out=h[k])
            h[k] += b[k]
    return np.moveaxis(h[::-1] if reverse else h, 0, axis)


def _steps(a: list[Any], b: list[Any]) -> Any:
    h = 0.0
    for k, (ak, bk) in enumerate(zip(a, b, strict=True)):
        h = ak * h + bk if k else bk
        yield h


def steps_from(g: Array, a: Array, axis: int, reverse: bool) -> Array:
    """What each step of the recurrence is worth: the recurrence the other way."""
    return recurrence_rule(before(a, 0, axis, not reverse), g, axis, not reverse)


recurrence_rule: Rule = general(
    recurrence,
    jvp=(
        lambda t, h, a, b, axis=-1, reverse=False: recurrence_rule(a, t * before(h, 0, axis, reverse), axis, reverse),
        lambda t, h, a, b, axis=-1, reverse=False: recurrence_rule(a, t, axis, reverse),
    ),
    vjp=(
        lambda g, h, a, b, axis=-1, reverse=False: steps_from(g, a, axis, reverse) * before(h, 0, axis, reverse),
        lambda g, h, a, b, axis=-1, reverse=False: steps_from(g, a, axis, reverse),
    ),
    batch="stacks", cases=[((4,), (4,)), ((2, 3), (2, 3)), ((3, 2), (3, 2), dict(axis=-2, reverse=True)),
           ((2, 20), (2, 20), dict(axis=-2)), ((0,), (0,))],
)  # fmt: skip


# --- products ---------------------------------------------------------------------------------------------------------

cumprod_rule = general(
    np.cumprod,
    jvp=lambda t, y, x, axis=-1: recurrence_rule(x, t * before(y, 1, axis), axis, False),
    vjp=lambda g, y, x, axis=-1: steps_from(g, x, axis, False) * before(y, 1, axis),
    register=False, batch="stacks", cases=ALONG,
)  # fmt: skip


@answers(np.cumprod)
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """np.cumprod of a Variable."""
    return cumprod_rule(*prepared(np.cumprod, a, axis, dtype, out))


def others(x: Array, axis: Any) -> Array:
    """For each element the product of all the others along `axis` (an int, several, None: all): before times after."""
    shape = x.shape
    if axis is None:
        return np.reshape(_others(np.reshape(x, (-1,)), -1), shape)
    axes = [a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))]
    if len(axes) == 1:
        return _others(x, axes[0] - len(shape))
    order = (*[a for a in range(len(shape)) if a not in axes], *axes)
    moved = np.transpose(x, order)
    flat = np.reshape(moved, (*moved.shape[: len(shape) - len(axes)], -1 if x.size else 0))
    back = tuple(sorted(range(len(order)), key=order.__getitem__))
    return np.transpose(np.reshape(_others(flat, -1), moved.shape), back)


def _others(x: Array, axis: int) -> Array:
    after = np.flip(np.cumprod(np.flip(x, axis), axis), axis)
    return before(np.cumprod(x, axis), 1, axis) * before(after, 1, axis, reverse=True)


# --- with NaNs left out, and by the array API's names -----------------------------------------------------------------


def without_nan(x: Any, fill: Any) -> Array:
    """`x` with `fill` in the place of every NaN."""
    x = x if hasattr(x, "dtype") else np.asarray(x)
    return np.where(np.isnan(x), fill, x) if x.dtype.kind in "fc" else x


def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """np.nancumsum of a Variable."""
    return cumsum(without_nan(a, 0), axis, dtype, out)


def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """np.nancumprod of a Variable."""
    return cumprod(without_nan(a, 1), axis, dtype, out)


HOLES: list[Any] = [lambda rng: np.where(np.arange(6) % 4 == 1, np.nan, rng.uniform(0.5, 2, 6)).reshape(2, 3)]
composite(np.nancumsum, nancumsum, cases=[(*HOLES,), (*HOLES, dict(axis=0))])
composite(np.nancumprod, nancumprod, cases=[(*HOLES,), (*HOLES, dict(axis=-1))])


def _array_api(name: str, along_axis: Any, identity: int) -> None:
    """cumulative_sum, cumulative_prod: an axis is demanded, and the empty sum or product may stand in front."""
    func = getattr(np, name, None)
    if func is None:  # before NumPy 2.1
        return

    def definition(
        x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
    ) -> Any:
        x = x if x.ndim else np.reshape(x, (1,))
        if axis is None and x.ndim > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
        axis = -1 if axis is None else axis - x.ndim if axis >= 0 else axis
        y = along_axis(x, axis, dtype, out)
        if not include_initial:
            return y
        first = np.full((*x.shape[:axis], 1, *x.shape[axis:][1:]), identity, y.dtype)
        return np.concatenate((first, y), axis)

    composite(func, definition, cases=INITIAL)


_array_api("cumulative_sum", cumsum, 0)
_array_api("cumulative_prod", cumprod, 1)
