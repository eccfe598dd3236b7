"""Functions that reduce along axes by adding or multiplying: sum, mean, prod, var, std, trace.

What accumulates is in cumulative.py, what sorts or compares in order_statistics.py, what ignores NaNs, counts,
weighs or correlates in statistics.py. A new reduction of those kinds goes there. Imports core, and cumulative for prod.
"""

import math
import warnings
from typing import Any

import numpy as np

from ..core.broadcast import spread
from ..core.dispatch import answers, function, raw, spelled
from ..core.domains import positive
from ..core.graph import Node
from ..core.record import lane_linear, refuse_tracked
from ..core.rule import composite, constant, elementwise, general, linear
from ..errors import TrackedVariable
from ..typing import Array
from .cumulative import others

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


def tally(where: Any, x: Array, axis: Any, keepdims: bool) -> Array:
    """How many elements of each slice of `x` take part."""
    return np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=keepdims)


def divided(total: Array, count: Array, empty: str) -> Array:
    """`total / count` in the dtype of `total`; where nothing is counted NumPy's warning `empty`."""
    if np.any(raw(count) <= 0):
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


# --- var and std ------------------------------------------------------------------------------------------------------


def per_freedom(x: Array, axis: Any, ddof: Any) -> float:
    """One over the degrees of freedom."""
    freedom = slice_size(x, axis) - ddof
    return 1 / freedom if freedom > 0 else math.inf


def deviations(x: Array, axis: Any) -> Array:
    """`x` minus its mean, and once more minus the mean of that: exactly zero for equal elements, whatever they are."""
    d = x - np.mean(x, axis=axis, keepdims=True)
    return d - np.mean(d, axis=axis, keepdims=True)


def var_slope(x: Array, axis: Any, ddof: Any) -> Array:
    return (x - np.mean(x, axis=axis, keepdims=True)) * (2 * per_freedom(x, axis, ddof))


def std_slope(y: Array, x: Array, axis: Any, ddof: Any, keepdims: bool) -> Array:
    y = unreduced(y, axis, keepdims)
    return deviations(x, axis) / np.where(np.equal(y, 0), 1, y) * per_freedom(x, axis, ddof)  # 0 where y is


def var_run(x: Array, axis: Any, ddof: Any, keepdims: bool) -> Array:
    return np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)


def std_run(x: Array, axis: Any, ddof: Any, keepdims: bool) -> Array:
    return np.std(x, axis=axis, ddof=ddof, keepdims=keepdims)


SPREAD: list[Any] = [
    *[c for c in REDUCED if c not in (((),), ((1,),))], *MASKED, ((4,), dict(ddof=1)), ((2, 3), dict(axis=1, ddof=1.5)),
    ((2, 3), dict(axis=1, ddof=1, where=np.array([True, True, False]))), ((2, 3), dict(axis=0, dtype=np.float64)),
]  # fmt: skip
CORRECTED: list[Any] = [((4,), dict(correction=1)), ((2, 3), dict(axis=1, mean=np.ones((2, 1))))]

var_rule = general(
    np.var,
    jvp=lambda t, y, x, axis=None, ddof=0, keepdims=False: np.sum(
        t * var_slope(x, axis, ddof), axis=axis, keepdims=keepdims
    ),
    vjp=lambda g, y, x, axis=None, ddof=0, keepdims=False: unreduced(g, axis, keepdims) * var_slope(x, axis, ddof),
    run=var_run, register=False, cases=[*SPREAD, ((1,),), ((),), *CORRECTED],
)  # fmt: skip
std_rule = general(
    np.std,
    jvp=lambda t, y, x, axis=None, ddof=0, keepdims=False: np.sum(
        t * std_slope(y, x, axis, ddof, keepdims), axis=axis, keepdims=keepdims
    ),
    vjp=lambda g, y, x, axis=None, ddof=0, keepdims=False: (
        unreduced(g, axis, keepdims) * std_slope(y, x, axis, ddof, keepdims)
    ),
    run=std_run, register=False, cases=[*SPREAD, *CORRECTED],
)  # fmt: skip


@function
def root(x: Array) -> Array:
    """The square root, with slope 0 at 0: what makes a standard deviation of a variance."""
    return np.sqrt(x)


elementwise(
    root, lambda y, x: np.where(np.equal(y, 0), 0, 0.5 / np.where(np.equal(y, 0), 1, y)), run=np.sqrt, domain=positive
)


def freedom(ddof: Any, correction: Any) -> Any:
    """`correction=` is the array API's name of `ddof=`."""
    if given(correction) and ddof != 0:
        raise ValueError("ddof and correction can't be provided simultaneously.")
    return correction if given(correction) else ddof


def square(d: Array) -> Array:
    """The squared modulus."""
    return np.real(d) ** 2 + np.imag(d) ** 2 if d.dtype.kind == "c" else d * d


def variance(x: Array, axis: Any, ddof: Any, keepdims: bool, where: Any, mean: Any) -> Array:
    """The variance where part of the elements count, a mean is given, or the numbers are complex."""
    where = np.broadcast_to(True, x.shape) if where is True or not given(where) else where
    count = tally(where, x, axis, True)
    if not given(mean):
        mean = np.sum(masked(x, where, 0), axis=axis, keepdims=True) / cast(np.maximum(count, 1), x.dtype)
    total = np.sum(masked(square(x - mean), where, 0), axis=axis, keepdims=keepdims)
    freedom = np.maximum(np.reshape(count, total.shape) - ddof, 0)
    return divided(total, freedom, "Degrees of freedom <= 0 for slice")


@answers(np.var)
def var_entry(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    """np.var of a Variable."""
    ddof, keepdims = freedom(ddof, correction), flag(keepdims)
    refuse(np.var, out, ddof)
    x = cast(a, dtype)
    if (where is True or not given(where)) and not given(mean) and x.dtype.kind != "c":
        return var_rule(x, axis, ddof, keepdims)
    return variance(x, axis, ddof, keepdims, where, mean)


@answers(np.std)
def std_entry(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    """np.std of a Variable."""
    ddof, keepdims = freedom(ddof, correction), flag(keepdims)
    refuse(np.std, out, ddof)
    x = cast(a, dtype)
    if (where is True or not given(where)) and not given(mean) and x.dtype.kind != "c":
        return std_rule(x, axis, ddof, keepdims)
    return root(variance(x, axis, ddof, keepdims, where, mean))


# --- trace ------------------------------------------------------------------------------------------------------------


def trace(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Any = None) -> Any:
    refuse(np.trace, out)
    return np.sum(cast(np.diagonal(a, offset, axis1, axis2), dtype), axis=-1)


composite(np.trace, trace, cases=[((3, 3),), ((2, 3), dict(offset=1)), ((2, 3, 2), dict(axis1=0, axis2=-1))])
