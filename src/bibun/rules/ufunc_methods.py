"""The methods of ufuncs on Variables: `np.add.reduce`, `np.maximum.accumulate`, `np.multiply.outer`, …

Each is one function of the ufunc, registered in METHODS; what it cannot do it refuses by name. Imports core and the
constants. A method of another ufunc goes into one of the tables.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dispatch import METHODS, function, spelled
from ..core.domains import static
from ..core.graph import Node
from ..core.words import constant, linear
from ..errors import MissingRule, TrackedVariable
from ..typing import Array
from .constants import CONSTANT_UFUNCS
from .joining import frozen_index

REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.fmax: np.nanmax, np.fmin: np.nanmin,
}  # fmt: skip
"""Where a reduction has a name of its own."""

ASSOCIATIVE = frozenset({np.logaddexp, np.logaddexp2, np.hypot})
"""Where it has none, but may be taken pair by pair."""

RUNNING: dict[np.ufunc, Callable[..., Any]] = {np.add: np.cumsum, np.multiply: np.cumprod}
"""Where an accumulation has a name of its own."""

INSTEAD_OF_AT: dict[np.ufunc, str] = {
    np.add: "np.bincount(index, weights=v, minlength=n)` for new sums, or `a + np.bincount(…)",
    np.subtract: "a - np.bincount(index, weights=v, minlength=n)",
}


def refused(ufunc: np.ufunc, method: str, instead: str) -> MissingRule:
    """The error for a method without a derivative."""
    return MissingRule(f"{spelled(ufunc)}.{method} of a Variable is not differentiated: {instead}")


def without_out(ufunc: np.ufunc, method: str, out: Any) -> None:
    """Refuse an output array: it would lose the derivative."""
    if out is not None and any([o is not None for o in (out if isinstance(out, tuple) else (out,))]):
        call = f"{spelled(ufunc)}.{method}"
        raise TrackedVariable(f"{call}(out=) would lose the derivative in a plain array: write `v = {call}(…)`")


def cast(x: Any, dtype: Any) -> Any:
    """`x` as an array, of that dtype if one is asked for."""
    x = x if isinstance(x, Node) else np.asarray(x)
    return x if dtype is None else x.astype(dtype)


def reduce(
    ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, **kw: Any
) -> Any:
    """`ufunc.reduce`: all elements along an axis become one."""
    if ufunc in CONSTANT_UFUNCS:
        return step_reduced(array, kw.pop("where", True), ufunc, dict(axis=axis, dtype=dtype, keepdims=keepdims, **kw))
    without_out(ufunc, "reduce", out)
    x = cast(array, dtype)
    if ufunc in REDUCTIONS:
        return REDUCTIONS[ufunc](x, axis=axis, keepdims=keepdims, **kw)
    if ufunc not in ASSOCIATIVE or kw:
        known = ", ".join(u.__name__ for u in (*REDUCTIONS, *ASSOCIATIVE))
        raise refused(ufunc, "reduce", f"use {known} without initial= and where=, or write a loop")
    if axis is None:
        axis = tuple(range(x.ndim))
    axes = {k % x.ndim for k in (axis if isinstance(axis, tuple) else (axis,))} if x.ndim else set()
    if any([x.shape[k] == 0 for k in axes]):
        return ufunc.reduce(np.empty_like(x), axis=axis, keepdims=keepdims)
    for k in sorted(axes):
        x = pairwise(ufunc, x, k)
    return x if keepdims or not axes else np.squeeze(x, tuple(axes))


@function
def step_reduced(x: Array, where: Any, ufunc: np.ufunc, options: dict[str, Any]) -> Array:
    """`ufunc.reduce` of a step or a question."""
    return ufunc.reduce(x, where=where, **options)


@function
def step_accumulated(x: Array, ufunc: np.ufunc, axis: int, dtype: Any) -> Array:
    """`ufunc.accumulate` of a step or a question."""
    return ufunc.accumulate(x, axis=axis, dtype=dtype)


@function
def step_reduceat(x: Array, indices: Any, ufunc: np.ufunc, axis: int, dtype: Any) -> Array:
    """`ufunc.reduceat` of a step or a question."""
    return ufunc.reduceat(x, indices, axis=axis, dtype=dtype)


constant(step_reduced, step_accumulated, step_reduceat)


def part(x: Array, axis: int, *ends: int | None) -> Array:
    """`x[ends]` along an axis."""
    return x[(slice(None),) * axis + (slice(*ends),)]


def pairwise(ufunc: np.ufunc, x: Array, axis: int) -> Array:
    """One element along the axis, made in log₂ n steps of halves."""
    while (n := x.shape[axis]) > 1:
        h = n // 2
        joined = ufunc(part(x, axis, 0, h), part(x, axis, h, 2 * h))
        x = np.concatenate([joined, part(x, axis, 2 * h, None)], axis=axis) if n % 2 else joined
    return x


def accumulate(ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """`ufunc.accumulate`: what reduce would have given so far."""
    if ufunc in CONSTANT_UFUNCS:
        return step_accumulated(array, ufunc, axis, dtype)
    without_out(ufunc, "accumulate", out)
    x = cast(array, dtype)
    if ufunc in RUNNING:
        return RUNNING[ufunc](x, axis=axis)
    if ufunc in (np.maximum, np.minimum):
        return np.take_along_axis(x, attained(x, ufunc, axis), axis=axis)
    if ufunc not in ASSOCIATIVE:
        known = ", ".join(u.__name__ for u in (*RUNNING, np.maximum, np.minimum, *ASSOCIATIVE))
        raise refused(ufunc, "accumulate", f"use {known}, or write a loop")
    axis, k = axis % x.ndim, 1
    while k < x.shape[axis]:  # each element takes in the k before it, k doubling
        joined = ufunc(part(x, axis, 0, -k), part(x, axis, k, None))
        x = np.concatenate([part(x, axis, 0, k), joined], axis=axis)
        k *= 2
    return x


@function
def attained(x: Array, ufunc: np.ufunc, axis: int) -> Array:
    """Where the running extreme was first attained; a NaN stays."""
    y = np.moveaxis(ufunc.accumulate(x, axis=axis), axis, 0)
    new = np.ones(y.shape, bool)
    new[1:] = (y[1:] != y[:-1]) & ~(np.isnan(y[1:]) & np.isnan(y[:-1]))
    steps = np.arange(len(y)).reshape(-1, *[1] * (y.ndim - 1))
    return np.moveaxis(np.maximum.accumulate(np.where(new, steps, 0), axis=0), 0, axis)


constant(attained)


def outer(ufunc: np.ufunc, a: Any, b: Any, **kw: Any) -> Any:
    """`ufunc.outer`: every element of `a` with every element of `b`."""
    a, b = cast(a, None), cast(b, None)
    return ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **kw)


def at(ufunc: np.ufunc, *args: Any) -> Any:
    """`ufunc.at` changes its first argument; nothing that is recorded may change."""
    instead = INSTEAD_OF_AT.get(ufunc, f"a new array from {spelled(ufunc)}(…), np.where and np.take")
    raise TrackedVariable(f"{spelled(ufunc)}.at changes an array in place and loses the derivative: write `{instead}`")


# --- sums of segments ------------------------------------------------------------------------------------------------


@function
def segment_sum(x: Array, starts: Any, axis: int = 0) -> Array:
    """The sums of x[starts[i]:starts[i + 1]] along an axis; `starts` increases strictly."""
    return np.add.reduceat(x, starts, axis=axis)


@function
def segment_spread(g: Array, starts: Any, n: int, axis: int = 0) -> Array:
    """The transpose of `segment_sum`: each value at every place of its segment, n places in all."""
    lengths = np.diff(starts, append=n)
    out = np.repeat(g, lengths, axis=axis)
    if starts[0] == 0:
        return out
    front = [(0, 0)] * out.ndim
    front[axis] = (int(starts[0]), 0)
    return np.pad(out, front)


linear(
    segment_sum,
    lambda g, x, starts, axis=0: segment_spread(g, starts, x.shape[axis], axis),
    cases=[((5,), static(np.array([0, 2, 3]))), ((2, 5), static(np.array([1, 3])), {"axis": 1})],
)
linear(
    segment_spread,
    lambda g, x, starts, n, axis=0: segment_sum(g, starts, axis),
    cases=[((3,), static(np.array([0, 2, 3])), static(5)), ((2, 2), static(np.array([1, 3])), static(5), {"axis": 1})],
)


def reduceat(ufunc: np.ufunc, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """`np.add.reduceat`: sums of segments."""
    if ufunc in CONSTANT_UFUNCS:
        return step_reduceat(array, frozen_index(indices), ufunc, axis, dtype)
    without_out(ufunc, "reduceat", out)
    if ufunc is not np.add:
        raise refused(ufunc, "reduceat", "only np.add.reduceat is; take the segments apart with np.split")
    x, starts = cast(array, dtype), np.asarray(frozen_index(indices))
    if np.all(np.diff(starts) > 0) and starts.size:
        return segment_sum(x, starts, axis)
    axis = axis % x.ndim
    ends = [*starts[1:], x.shape[axis]]  # where they do not increase, one element is taken
    sums = [np.sum(part(x, axis, i, max(i + 1, j)), axis=axis) for i, j in zip(starts.tolist(), ends, strict=True)]
    return np.stack(sums, axis=axis)


METHODS.update(reduce=reduce, accumulate=accumulate, outer=outer, at=at, reduceat=reduceat)
