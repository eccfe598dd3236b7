"""Variances and standard deviations: var, std, and the two that leave NaNs out.

The variance has a rule of its own, so that nothing of its curvature hangs on a root. A standard deviation has slope 0
where all values are equal, and its square the right curvature there. Imports core, norms, reductions.
"""

import math
from typing import Any

import numpy as np

from ..core.dispatch import answers, function
from ..core.domains import positive
from ..core.graph import Node
from ..core.words import composite, general
from ..typing import Array
from .even import limit
from .norms import direction
from .products import possible
from .reductions import (
    HOLED,
    HOLES,
    MASKED,
    REDUCED,
    cast,
    divided,
    flag,
    float_of,
    given,
    masked,
    present,
    refuse,
    slice_size,
    tally,
    unreduced,
)


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


def std_slope(y: Array, x: Array, axis: Any, ddof: Any, keepdims: bool, even: Any = False) -> Array:
    """The derivative: deviations over y. Equal values have 0, with an infinite curvature but where `even`."""
    y = unreduced(y, axis, keepdims)
    d, scale = deviations(x, axis), per_freedom(x, axis, ddof)
    zero = np.equal(y, 0)
    slope = d / np.where(zero, 1, y) * scale
    if isinstance(x, Node) and possible(curved := np.logical_and(zero, np.logical_not(even))):
        return np.where(curved, direction(np.where(curved, d, 1), axis) * scale**0.5, slope)
    return slope


def std_pull(g: Array, y: Array, x: Array, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Array:
    """g·(x - mean)/(y·(n - ddof)), or its limit."""
    found = limit(g, y)
    g = unreduced(g, axis, keepdims)
    if found is None:
        return g * std_slope(y, x, axis, ddof, keepdims)
    even, slope = (unreduced(v, axis, keepdims) for v in found)
    limits = slope * deviations(x, axis) * per_freedom(x, axis, ddof)
    return np.where(even, limits, g * std_slope(y, x, axis, ddof, keepdims, even))


def root_pull(g: Array, y: Array, x: Array) -> Array:
    """g/(2y), or its limit."""
    found = limit(g, y)
    usual = g * root_slope(y)
    return usual if found is None else np.where(found[0], found[1] * 0.5, usual)


def root_slope(y: Array) -> Array:
    zero = np.equal(y, 0)
    return np.where(zero, 0, 0.5 / np.where(zero, 1, y))


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
    vjp=std_pull,
    run=std_run, register=False, cases=[*SPREAD, *CORRECTED],
)  # fmt: skip


@function
def root(x: Array) -> Array:
    """The square root, with slope 0 at 0: what makes a standard deviation of a variance."""
    return np.sqrt(x)


general(
    root, jvp=lambda t, y, x: t * root_slope(y), vjp=root_pull, run=np.sqrt, batch="stacks", domain=positive,
    cases=[((),), ((2, 3),), ((0,),)],
)  # fmt: skip


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


# --- with NaNs left out -----------------------------------------------------------------------------------------------


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    refuse(np.nanvar, out)
    x, keepdims, ddof = cast(a, dtype), flag(keepdims), freedom(ddof, correction)
    held = present(x, where)
    x = masked(x, held, 0)
    count = tally(held, x, axis, True)
    if not given(mean):
        mean = np.sum(x, axis=axis, keepdims=True) / cast(np.maximum(count, 1), float_of(x))
    d = cast(x - mean, float_of(x))  # NumPy keeps the dtype of the elements, whatever the mean's is
    total = np.sum(masked(square(d), held, 0), axis=axis, keepdims=keepdims)
    free = np.maximum(np.reshape(count, total.shape) - ddof, 0)
    variance = divided(total, free, "Degrees of freedom <= 0 for slice.")
    return np.where(np.equal(free, 0), np.nan, variance)


def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, *,
    where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    refuse(np.nanstd, out)
    return root(nanvar(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction))


HOLED_SPREAD: list[Any] = [*HOLED, (*HOLES, dict(axis=1, ddof=1)), (*HOLES, dict(axis=1, correction=1, keepdims=True)),
                     (*HOLES, dict(axis=1, mean=np.ones((3, 1))))]  # fmt: skip
composite(np.nanvar, nanvar, cases=HOLED_SPREAD)
composite(np.nanstd, nanstd, cases=HOLED_SPREAD)
