"""Functions that reduce along axes by adding or multiplying: sum, mean, prod, trace; and what all reductions share.

What accumulates is in cumulative.py, what sorts or compares in order_statistics.py, variances in variances.py, what
ignores NaNs, weighs, correlates or counts in statistics.py: the next of its kind goes there. Imports core, cumulative.
"""

import math
import warnings
from typing import Any

import numpy as np

from ..core.broadcast import spread
from ..core.dispatch import answers, spelled
from ..core.graph import Node
from ..core.record import lane_linear, refuse_tracked
from ..core.words import composite, constant, general, linear
from ..errors import TrackedVariable
from ..typing import Array
from .cumulative import others
from .products import certain

NO: Any = np._NoValue
add_reduce: Any = np.add.reduce
multiply_reduce: Any = np.multiply.reduce
ndarray = np.ndarray

constant(np.all, np.any, np.count_nonzero)


# --- what every reduction shares --------------------------------------------------------------------------------------


def given(value: Any) -> bool:
    """Whether an optional argument was given."""
    return value is not None and value is not NO


def flag(keepdims: Any) -> bool:
    """`keepdims=` as True or False."""
    return keepdims is not NO and bool(keepdims)


def refuse(func: Any, out: Any, *untracked: Any) -> None:
    """`out=` cannot be honoured; an initial value, a rank, a frequency cannot be tracked."""
    if out is not None:
        raise TrackedVariable(
            f"{spelled(func)}(out=) would write a tracked Variable into an array and lose its derivative: "
            f"write `v = {spelled(func)}(…)`"
        )
    refuse_tracked(untracked, spelled(func))


def numbers(x: Any) -> Array:
    """The operand as something with a shape and a dtype."""
    return x if hasattr(x, "dtype") else np.asarray(x)


def cast(x: Array, dtype: Any) -> Array:
    """`x` in the dtype asked for: what `dtype=` means is that the elements are converted before they are added."""
    x = numbers(x)
    return x if not given(dtype) or x.dtype == dtype else x.astype(dtype)


def masked(x: Array, where: Any, fill: Any) -> Array:
    """`x` with `fill` where `where` says no."""
    if where is True or not given(where):
        return x
    where = where if isinstance(where, Node) else np.asarray(where)
    if np.broadcast_shapes(where.shape, x.shape) != x.shape:
        raise ValueError(f"where= of shape {where.shape} does not broadcast to the operand's shape {x.shape}")
    return np.where(where, x, fill)


def slice_size(x: Array, axis: Any) -> int:
    """How many elements are reduced to one."""
    if axis is None:
        return int(x.size)
    return math.prod([x.shape[a] for a in (axis if isinstance(axis, tuple) else (axis,))])


def unreduced(g: Array, axis: Any, keepdims: bool) -> Array:
    """`g` with the reduced axes put back, of length one, so that it broadcasts against the operand."""
    return g if keepdims or axis is None else np.expand_dims(g, axis)


# --- sum and mean -----------------------------------------------------------------------------------------------------


def sum_run(x: Array, axis: Any, keepdims: bool) -> Array:
    if type(x) is ndarray:
        return add_reduce(x, axis, None, None, keepdims)
    return np.sum(x, axis=axis, keepdims=keepdims)  # a NumPy scalar, or another library's array


def sum_back(g: Array, x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    elif keepdims and axis is None:
        g = g.reshape(())
    return spread(g, x.shape)


def mean_run(x: Array, axis: Any, keepdims: bool) -> Array:
    if type(x) is ndarray and x.dtype.kind == "f" and x.itemsize > 2 and x.size:
        total = add_reduce(x, axis, None, None, keepdims)
        return total / (x.size // total.size)
    return np.mean(x, axis=axis, keepdims=keepdims)


def mean_back(g: Array, x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    return sum_back(g / (slice_size(x, axis) or 1), x, axis, keepdims)


REDUCED: list[Any] = [
    ((3,),), ((2, 3), dict(axis=0)), ((2, 3), dict(axis=-1, keepdims=True)), ((2, 3, 2), dict(axis=(0, -1))),
    ((2, 3), dict(axis=(0, 1), keepdims=True)), ((2, 3), dict(keepdims=True)), ((),), ((1,),),
]  # fmt: skip
MASK: Any = np.array([[True, False, True], [False, True, True]])
MASKED: list[Any] = [
    ((2, 3), dict(where=MASK)),
    ((2, 3), dict(axis=1, where=MASK, keepdims=True)),
    ((2, 3), dict(where=MASK[0])),
]

HOLES: list[Any] = [lambda rng: np.where(np.arange(12) % 5 == 1, np.nan, rng.uniform(0.5, 2, 12)).reshape(3, 4)]
HOLED: list[Any] = [
    (*HOLES,), (*HOLES, dict(axis=0)), (*HOLES, dict(axis=-1, keepdims=True)), (*HOLES, dict(axis=(1, 0))), ((3,),),
    (*HOLES, dict(axis=1, where=np.array([True, True, False, True]))),
]  # fmt: skip

sum_rule = linear(
    np.sum, sum_back, run=sum_run, register=False,
    cases=[*REDUCED, ((0,),), ((0, 2), dict(axis=0)), ((2, 3), dict(axis=())), *MASKED, ((2,), dict(initial=3.0)),
           ((2, 3), dict(axis=0, dtype=np.float64)), ((2, 3), dict(axis=0, initial=1.5, where=MASK))],
)  # fmt: skip
mean_rule = linear(
    np.mean, mean_back, run=mean_run, register=False,
    cases=[*REDUCED, ((0, 2), dict(axis=1)), *MASKED, ((2, 3), dict(axis=0, dtype=np.float64))],
)  # fmt: skip
sum_lane = lane_linear(sum_rule, sum_run)
mean_lane = lane_linear(mean_rule, mean_run)


@answers(np.sum)
def sum_entry(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """np.sum of a Variable."""
    if dtype is None and out is None and initial is None and where is True and keepdims is not NO:
        return sum_lane(a, axis, keepdims)
    refuse(np.sum, out, initial)
    total = sum_lane(masked(cast(a, dtype), where, 0), axis, flag(keepdims))
    return total + np.asarray(initial).astype(total.dtype) if given(initial) else total


@answers(np.mean)
def mean_entry(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    """np.mean of a Variable."""
    if dtype is None and out is None and where is True and keepdims is not NO:
        return mean_lane(a, axis, keepdims)
    refuse(np.mean, out)
    x, keepdims = cast(a, dtype), flag(keepdims)
    if where is True or not given(where):
        return mean_lane(x, axis, keepdims)
    total = np.sum(masked(x, where, 0), axis=axis, keepdims=keepdims)
    return divided(total, tally(where, x, axis, keepdims), "Mean of empty slice")


def present(x: Array, where: Any) -> Array:
    """Which elements take part: those that are numbers, among those asked for."""
    held = np.logical_not(np.isnan(x))
    return held if where is True or not given(where) else np.logical_and(held, where)


def float_of(x: Array) -> Any:
    """The dtype of a quotient by `x`."""
    return x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)


def tally(where: Any, x: Array, axis: Any, keepdims: bool) -> Array:
    """How many elements of each slice of `x` take part."""
    return np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=keepdims)


def divided(total: Array, count: Array, empty: str) -> Array:
    """`total / count` in the dtype of `total`; where nothing is counted NumPy's warning `empty`."""
    if certain(np.less_equal(count, 0)):
        warnings.warn(empty, RuntimeWarning, stacklevel=3)
    dtype = total.dtype if total.dtype.kind in "fc" else np.dtype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return total / cast(count, dtype)


# --- prod -------------------------------------------------------------------------------------------------------------


def prod_run(x: Array, axis: Any, keepdims: bool) -> Array:
    return (
        multiply_reduce(x, axis, None, None, keepdims)
        if type(x) is ndarray
        else np.prod(x, axis=axis, keepdims=keepdims)
    )


prod_rule = general(
    np.prod,
    jvp=lambda t, y, x, axis=None, keepdims=False: np.sum(t * others(x, axis), axis=axis, keepdims=keepdims),
    vjp=lambda g, y, x, axis=None, keepdims=False: unreduced(g, axis, keepdims) * others(x, axis),
    run=prod_run, register=False,
    cases=[*REDUCED, ((0,),), *MASKED, ((4,), dict(initial=3.0)), ((2, 3), dict(axis=0, dtype=np.float64))],
)  # fmt: skip


@answers(np.prod)
def prod_entry(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """np.prod of a Variable."""
    refuse(np.prod, out, initial)
    y = prod_rule(masked(cast(a, dtype), where, 1), axis, flag(keepdims))
    return y * np.asarray(initial).astype(y.dtype) if given(initial) else y


# --- trace ------------------------------------------------------------------------------------------------------------


def trace(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Any = None) -> Any:
    refuse(np.trace, out)
    return np.sum(cast(np.diagonal(a, offset, axis1, axis2), dtype), axis=-1)


composite(np.trace, trace, cases=[((3, 3),), ((2, 3), dict(offset=1)), ((2, 3, 2), dict(axis1=0, axis2=-1))])
