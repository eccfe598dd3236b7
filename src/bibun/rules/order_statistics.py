"""Functions that pick elements by their order: max, min, ptp, median, quantile, percentile, with and without NaNs.

Ties of max and min share the cotangent evenly; a quantile puts its two weights on the elements NumPy's sort finds
there, so tied values together carry mass 1. A NaN that is the result carries the cotangent. Imports core, reductions.
"""

import math
from typing import Any

import numpy as np

from ..core.dispatch import answers, function, raw, spelled
from ..core.domains import Domain, static
from ..core.rule import Rule
from ..core.words import composite, constant, general, linear
from ..errors import MissingRule
from ..typing import Array
from .reductions import flag, given, masked, numbers, refuse, unreduced

constant(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.lexsort, np.searchsorted, np.digitize)

apart = Domain(-2.0, 2.0, keep=lambda x: np.argsort(np.argsort(x, axis=None)).reshape(x.shape) / 2 + 0.1 * np.tanh(x))
"""Numbers at a distance from each other, in any order: no ties within the reach of a difference quotient."""

PICKED: list[Any] = [
    ((4,),), ((2, 3), dict(axis=0)), ((2, 3), dict(axis=-1, keepdims=True)), ((2, 3, 2), dict(axis=(0, -1))), ((1,),),
    ((2, 3), dict(keepdims=True)), ((),),
]  # fmt: skip
HOLES: list[Any] = [lambda rng: np.where(np.arange(12) % 5 == 1, np.nan, rng.permutation(12) / 3).reshape(3, 4)]
HOLED: list[Any] = [
    (*HOLES,),
    (*HOLES, dict(axis=0)),
    (*HOLES, dict(axis=-1, keepdims=True)),
    (*HOLES, dict(axis=(1, 0))),
]
BOUNDED: list[Any] = [((2, 3), dict(axis=1, initial=0.7)),
                      ((3,), dict(where=np.array([True, False, True]), initial=-9.0)),
                      ((2, 3), dict(axis=0, initial=9.0, where=np.array([True, False, True])))]  # fmt: skip


# --- extremes ---------------------------------------------------------------------------------------------------------


def _extreme(func: Any, other: Any, reduce: Any, lowest: int, holes: bool) -> None:
    """Declare a maximum or minimum: `lowest` is the sign of the infinity no element is beyond."""

    def run(x: Array, axis: Any, keepdims: bool, initial: Any) -> Array:
        if initial is not None:
            return func(x, axis=axis, keepdims=keepdims, initial=initial)
        if reduce is not None and type(x) is np.ndarray:
            return reduce(x, axis, None, None, keepdims)
        return func(x, axis=axis, keepdims=keepdims)

    def chosen(y: Array, x: Array, axis: Any, keepdims: bool, initial: Any, dtype: Any) -> tuple[Array, Array]:
        """Which elements are the extreme one, and how many share it: more than one only where they tie."""
        y = unreduced(y, axis, keepdims)
        mask = np.equal(x, y)
        if not holes:
            mask = np.logical_or(mask, np.not_equal(x, x))
        count = np.sum(mask, axis=axis, keepdims=True, dtype=dtype)
        if initial is not None:
            count = count + np.equal(y, initial)
        return mask, np.maximum(count, 1)

    def pull(g: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Array:
        mask, count = chosen(y, x, axis, keepdims, initial, g.dtype)
        return np.where(mask, unreduced(g, axis, keepdims) / count, 0)

    def push(t: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Array:
        mask, count = chosen(y, x, axis, keepdims, initial, t.dtype)
        return np.sum(np.where(mask, t / count, 0), axis=axis, keepdims=keepdims)

    cases = [*(HOLED if holes else []), *PICKED, *BOUNDED]
    rule = general(func, jvp=push, vjp=pull, run=run, register=False, domain=apart, cases=cases)

    @answers(func, other)
    def entry(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Any:
        refuse(func, out, initial)
        x = numbers(a)
        if given(where) and where is not True:
            if not given(initial):
                raise ValueError(f"{spelled(func)}(where=) needs initial=: no element is beyond every other")
            x = masked(x, where, _beyond(x.dtype, lowest))
        return rule(x, axis, flag(keepdims), initial if given(initial) else None)


def _beyond(dtype: Any, sign: int) -> Any:
    """The smallest (sign -1) or largest value of a dtype."""
    if dtype.kind in "fc":
        return sign * np.inf
    if dtype.kind == "b":
        return sign > 0
    return np.iinfo(dtype).min if sign < 0 else np.iinfo(dtype).max


_extreme(np.max, np.amax, np.maximum.reduce, -1, holes=False)
_extreme(np.min, np.amin, np.minimum.reduce, 1, holes=False)
_extreme(np.nanmax, np.nanmax, None, -1, holes=True)
_extreme(np.nanmin, np.nanmin, None, 1, holes=True)


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    refuse(np.ptp, out)
    return np.max(a, axis=axis, keepdims=flag(keepdims)) - np.min(a, axis=axis, keepdims=flag(keepdims))


composite(np.ptp, ptp, domain=apart, cases=PICKED)


# --- quantiles --------------------------------------------------------------------------------------------------------


FEW = 8
"""Up to so many places among the sorted elements are found without sorting the others."""


def _flat(index: Array) -> tuple[int, ...]:
    """The shape with the last two axes as one."""
    *stay, m, n = index.shape
    return (*stay, m * n)


def blend(x: Array, index: Array, weight: Array) -> Array:
    """Weighted sums of elements of the last axis: `index` and `weight` are (…, terms, sums)."""
    flat = np.take_along_axis(x, np.reshape(index, _flat(index)), -1)
    return np.sum(np.reshape(flat, index.shape) * weight, axis=-2)


def unblend(g: Array, index: Array, weight: Array, n: int) -> Array:
    """The transpose: every sum gives its weights back to `n` elements."""
    spread_out = np.broadcast_to(np.expand_dims(g, -2), index.shape) * weight
    out = np.zeros((*index.shape[:-2], n), spread_out.dtype)
    rows = out.reshape(math.prod(out.shape[:-1]), n)
    flat = index.reshape(len(rows), index.shape[-2] * index.shape[-1])
    np.add.at(rows, (np.arange(len(rows))[:, None], flat), spread_out.reshape(flat.shape))
    return out


INDEX: Any = np.array([[[0, 1], [1, 1]], [[3, 0], [0, 2]]])
WEIGHT: Any = np.array([[[0.3, 0.5], [0.7, 0.5]], [[1.0, 0.25], [0.0, 0.75]]])
blend_rule: Rule = linear(
    blend, lambda g, x, index, weight: unblend_rule(g, index, weight, x.shape[-1]), register=False
)  # fmt: skip
unblend_rule: Rule = linear(unblend, lambda g, x, index, weight, n: blend_rule(g, index, weight), register=False)
for rule, shape, statics in ((blend_rule, (2, 4), ()), (unblend_rule, (2, 2), (static(4),))):
    rule.func = rule
    rule.cases = [(shape, static(INDEX), static(WEIGHT), *statics)]


def _ends(x: Array, axis: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of `x` with those reduced at the end, and the lengths of those that stay."""
    axes = (
        tuple(range(x.ndim))
        if axis is None
        else tuple([a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))])
    )
    stay = tuple([a for a in range(x.ndim) if a not in axes])
    return (*stay, *axes), tuple([x.shape[a] for a in stay])


def _rows(x: Array, axis: Any) -> Array:
    """`x` with the reduced axes at the end, as one."""
    order, stay = _ends(x, axis)
    return np.reshape(np.transpose(x, order), (*stay, math.prod([x.shape[a] for a in order[len(stay) :]])))


def _unrows(rows: Array, x: Array, axis: Any) -> Array:
    """The inverse of `_rows`, for an array of the shape of `x`."""
    order, _ = _ends(x, axis)
    back = tuple(sorted(range(len(order)), key=order.__getitem__))
    return np.transpose(np.reshape(rows, tuple([x.shape[a] for a in order])), back)


def _positions(func: Any, n: int, q: Any, method: Any, dtype: Any) -> Any:
    """Where NumPy finds quantiles among `n` sorted elements: the quantiles of 0, 1, …, n - 1 by the same method."""
    if q is None:
        return (n - 1) / 2
    if method == "linear":
        return np.ravel(q) * (n - 1) / (100 if func in (np.percentile, np.nanpercentile) else 1)
    dtype = dtype if dtype.kind == "f" and n < 2 ** (np.finfo(dtype).nmant - 3) else np.float64  # q is rounded to it
    return np.ravel(func(np.arange(n, dtype=dtype), q, method=method)).astype(np.float64)


def _places(rows: Array, func: Any, q: Any, method: Any, holes: bool) -> Array:
    """Where among the sorted elements of each row the quantiles lie."""
    n = rows.shape[-1]
    held = n - np.sum(np.isnan(rows), axis=-1)
    places = np.zeros((*held.shape, 1 if q is None else np.size(q)))
    for m in np.unique(held):
        if m == n or (holes and m):
            places[held == m] = _positions(func, int(m), q, method, rows.dtype)
        elif not holes:
            places[held == m] = n - 1  # a NaN, sorted last, is the result
    return places


@function
def quantile_index(rows: Array, func: Any, q: Any, method: Any, holes: bool) -> Array:
    """The two elements of each row that each quantile lies between."""
    low = np.floor(_places(rows, func, q, method, holes)).astype(np.intp)
    index = np.stack((low, np.minimum(low + 1, rows.shape[-1] - 1)), -2)
    wanted = np.unique(index)
    order = np.argpartition(rows, wanted, -1) if len(wanted) <= FEW else np.argsort(rows, -1)
    flat = np.take_along_axis(order, index.reshape(_flat(index)), -1)
    return flat.reshape(index.shape)


@function
def quantile_weight(rows: Array, func: Any, q: Any, method: Any, holes: bool) -> Array:
    """How much of each of the two the quantile is; nothing of a row that is all NaN."""
    places = _places(rows, func, q, method, holes)
    above = places - np.floor(places)
    weight = np.stack((1 - above, above), -2).astype(rows.dtype if rows.dtype.kind == "f" else np.float64)
    return weight * ~np.all(np.isnan(rows), -1)[..., None, None] if holes else weight


constant(quantile_index, quantile_weight)


def _quantile(func: Any, holes: bool, cases: list[Any]) -> Any:
    """Declare a median or a quantile: the value is NumPy's, its derivative that of the elements it lies between."""

    def run(x: Array, q: Any, axis: Any, method: str, keepdims: bool) -> Array:
        if q is None:
            return func(x, axis=axis, keepdims=keepdims)
        return func(x, q, axis=axis, method=method, keepdims=keepdims)

    def terms(rows: Array, q: Any, method: str) -> tuple[Array, Array]:
        args = (rows, func, q, method, holes)
        return quantile_index(*args), quantile_weight(*args)

    def push(
        t: Array, y: Array, x: Array, q: Any = None, axis: Any = None, method: str = "linear", keepdims: bool = False
    ) -> Array:
        sums = blend_rule(_rows(t, axis), *terms(_rows(x, axis), q, method))
        return np.reshape(np.moveaxis(sums, -1, 0), y.shape)

    def pull(
        g: Array, y: Array, x: Array, q: Any = None, axis: Any = None, method: str = "linear", keepdims: bool = False
    ) -> Array:
        rows = _rows(x, axis)
        sums = np.moveaxis(np.reshape(g, (1 if q is None else np.size(q), *rows.shape[:-1])), 0, -1)
        return _unrows(unblend_rule(sums, *terms(rows, q, method), rows.shape[-1]), x, axis)

    return general(func, jvp=push, vjp=pull, run=run, register=False, domain=apart, cases=cases)


def _no_weights(func: Any, q: Any, out: Any, weights: Any) -> None:
    refuse(func, out, q)
    if weights is not None:
        raise MissingRule(
            f"{spelled(func)}(weights=) on a Variable is not differentiated: leave it out, or pass `v.data`"
        )


METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip


def _declare_quantile(func: Any, scale: float, holes: bool) -> None:
    tried: list[Any] = [
        (*c[:1], q, *c[1:]) for c in PICKED for q in (static(0.3 * scale), static([[0.25 * scale, 0.9 * scale]]))
    ]
    tried += [((5,), static(0.37 * scale), dict(method=m)) for m in METHODS]
    if holes:
        tried += [(*c[:1], static([0.3 * scale, 0.6 * scale]), *c[1:]) for c in HOLED]
    rule = _quantile(func, holes, tried)

    @answers(func)
    def entry(
        a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear",
        keepdims: Any = False, *, weights: Any = None,
    ) -> Any:  # fmt: skip
        _no_weights(func, q, out, weights)
        return rule(numbers(a), raw(q), axis, method, flag(keepdims))


def _declare_median(func: Any, holes: bool) -> None:
    rule = _quantile(func, holes, [*(HOLED if holes else []), *PICKED, ((4,), dict(axis=0)), ((5,),)])

    @answers(func)
    def entry(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
        refuse(func, out)
        return rule(numbers(a), None, axis, "linear", flag(keepdims))


_declare_quantile(np.quantile, 1.0, holes=False)
_declare_quantile(np.percentile, 100.0, holes=False)
_declare_quantile(np.nanquantile, 1.0, holes=True)
_declare_quantile(np.nanpercentile, 100.0, holes=True)
_declare_median(np.median, holes=False)
_declare_median(np.nanmedian, holes=True)
