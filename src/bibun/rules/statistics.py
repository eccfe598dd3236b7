"""Functions that leave NaNs out, weigh, correlate or count: nan… sums, average, cov, bincount, histogram.

Each is written with reductions and products that have rules; only bincount has one of its own. What is counted (data
in bins) has no derivative, its weights have. Imports core, reductions, cumulative.
"""

import warnings
from typing import Any

import numpy as np

from ..core.dispatch import RULES, answers, function, holds_node, raw
from ..core.domains import between, positive, real, static
from ..core.graph import Node
from ..core.modes import here, modes
from ..core.words import composite, constant, elementwise, linear
from ..typing import Array
from .cumulative import without_nan
from .indexing import settled
from .products import certain, possible
from .reductions import HOLED, HOLES, cast, divided, flag, float_of, given, masked, numbers, present, refuse, tally

constant(np.histogram_bin_edges)
_bin_edges = RULES[np.histogram_bin_edges]


@answers(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """np.histogram_bin_edges."""
    if isinstance(bins, str):
        settled((a, weights), "np.histogram_bin_edges with a named number of bins")
    return _bin_edges(a, bins, range, weights)


# --- NaNs left out ----------------------------------------------------------------------------------------------------


def nansum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    refuse(np.nansum, out)
    return np.sum(without_nan(a, 0), axis=axis, dtype=dtype, keepdims=flag(keepdims), initial=initial, where=where)


def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    refuse(np.nanprod, out)
    return np.prod(without_nan(a, 1), axis=axis, dtype=dtype, keepdims=flag(keepdims), initial=initial, where=where)


def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    refuse(np.nanmean, out)
    x, keepdims = cast(a, dtype), flag(keepdims)
    held = present(x, where)
    total = np.sum(masked(x, held, 0), axis=axis, keepdims=keepdims)
    return divided(total, tally(held, x, axis, keepdims), "Mean of empty slice")


composite(np.nansum, nansum, cases=[*HOLED, (*HOLES, dict(axis=0, initial=2.0))])
composite(np.nanprod, nanprod, cases=[*HOLED, (*HOLES, dict(axis=0, initial=2.0))])
composite(np.nanmean, nanmean, cases=HOLED)


# --- weighing and correlating -----------------------------------------------------------------------------------------


def weights_for(x: Array, weights: Any, axis: Any) -> Array:
    """The weights, shaped to broadcast against `x`, as np.average reads them."""
    w = numbers(weights)
    if w.shape == x.shape:
        return w
    if axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    axes = [a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    if w.shape != tuple([x.shape[a] for a in axes]):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    w = np.transpose(w, tuple(sorted(range(len(axes)), key=axes.__getitem__)))
    return np.reshape(w, tuple([n if a in axes else 1 for a, n in enumerate(x.shape)]))


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    x, keepdims = numbers(a), flag(keepdims)
    if weights is None:
        y = np.mean(x, axis=axis, keepdims=keepdims)
        return (y, np.full_like(y, x.size / y.size)) if returned else y
    w = weights_for(x, weights, axis)
    dtype = np.result_type(x.dtype, w.dtype, *(["f8"] if x.dtype.kind in "biu" else []))
    w = cast(w, dtype)
    total = np.sum(np.broadcast_to(w, x.shape), axis=axis, keepdims=keepdims)
    if certain(np.equal(total, 0)):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    y = np.sum(cast(x, dtype) * w, axis=axis, keepdims=keepdims) / total
    return (y, total) if returned else y


composite(
    np.average, average, domain=(real, real, positive),
    cases=[((3,),), ((2, 3), dict(axis=0)), ((3,), static(None), (3,)), ((2, 3), static(1), (3,)),
           ((2, 3), static(0), (2, 3)),
           ((2, 3), static(-1), (3,), dict(returned=True)), ((2, 3, 2), static((2, 0)), (2, 2), dict(keepdims=True)),
           ((2, 3), dict(returned=True, axis=0))],
)  # fmt: skip


def _observations(m: Any, rowvar: bool, dtype: Any, second: bool) -> Array:
    """One variable a row, as np.cov reads its first and its second argument."""
    x = cast(m, dtype)
    if x.ndim > 2:
        raise ValueError(f"{'y' if second else 'm'} has more than 2 dimensions")
    flat = x.ndim < 2
    x = np.reshape(x, (1, -1)) if flat else x
    return x if rowvar or flat or (second and x.shape[0] == 1) else np.transpose(x)


def _frequencies(fweights: Any, aweights: Any, n: int) -> Any:
    """The product of both kinds of weights, each checked as np.cov does; None without any."""
    w = None
    for name, weights in (("fweights", fweights), ("aweights", aweights)):
        if weights is None:
            continue
        v = cast(weights, np.float64)
        if name == "fweights" and certain(np.not_equal(v, np.around(v))):
            raise TypeError("fweights must be integer")
        if v.ndim > 1:
            raise RuntimeError(f"cannot handle multidimensional {name}")
        if v.shape[0] != n:
            raise RuntimeError(f"incompatible numbers of samples and {name}")
        if certain(np.less(v, 0)):
            raise ValueError(f"{name} cannot be negative")
        w = v if w is None else w * v
    return w


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    m = numbers(m)
    y = y if y is None else numbers(y)
    dtype = np.result_type(m.dtype, np.float64, *([] if y is None else [y.dtype])) if dtype is None else dtype
    x = _observations(m, rowvar, dtype, second=False)
    if x.shape[0] == 0:
        return np.array([]).reshape(0, 0)
    if y is not None:
        x = np.concatenate((x, _observations(y, rowvar, dtype, second=True)), 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = _frequencies(fweights, aweights, x.shape[1])
    x = x - np.expand_dims(np.average(x, 1, w), 1)
    if w is None:
        free: Any = x.shape[1] - ddof
    else:
        total = np.sum(w)
        free = total if ddof == 0 else total - ddof * (1 if aweights is None else np.sum(w * numbers(aweights)) / total)
    none = np.less_equal(free, 0)
    if certain(none):
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
    free = np.where(none, 0.0, free) if possible(none) else free
    right = np.transpose(x if w is None else x * w)
    c = np.matmul(x, np.conjugate(right) if right.dtype.kind == "c" else right)
    return np.squeeze(c * np.true_divide(1, cast(free, float_of(c))))


@function
def within_one(c: Array) -> Array:
    """A correlation that rounding took past ±1, put back; its derivative is that of the unrounded one."""
    return np.clip(c.real, -1, 1) + (1j * np.clip(c.imag, -1, 1) if c.dtype.kind == "c" else 0)


elementwise(within_one, 1, domain=between(-1, 1))


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = np.cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.real(np.diagonal(c)) if c.dtype.kind == "c" else np.diagonal(c))
    return within_one(c / np.expand_dims(deviation, 1) / np.expand_dims(deviation, 0))


composite(
    np.cov, cov, domain=(real, real, real, real, real, real, positive),
    cases=[((4,),), ((2, 4),), ((4,), (4,)), ((4, 2), static(None), static(False)), ((2, 4), dict(bias=True)),
           ((2, 4), (1, 4), dict(ddof=2)), ((4, 2), (4, 2), dict(rowvar=False)),
           ((2, 4), dict(fweights=np.array([1, 2, 1, 3]))), ((2, 4), dict(aweights=np.array([1.0, 0.5, 2.0, 0.7]))),
           ((2, 4), *[static(v) for v in (None, True, False, 1, None)], (4,)),
           ((2, 4), *[static(v) for v in (None, True, False, 0, np.array([1, 2, 1, 3]))], (4,))],
)  # fmt: skip
composite(np.corrcoef, corrcoef, cases=[((2, 4),), ((4,), (4,)), ((4, 2), dict(rowvar=False)), ((2, 4), (2, 4))])


# --- counting ---------------------------------------------------------------------------------------------------------

bincount_rule = linear(
    np.bincount, None, lambda g, x, weights=None, minlength=0: g[x], register=False,
    cases=[(static(np.array([0, 2, 2, 5])), (4,)), (static(np.array([1, 1])), (2,), dict(minlength=4)),
           (static(np.array([], int)), (0,), dict(minlength=2))],
)  # fmt: skip


@answers(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """np.bincount of Variables: sums of the weights by group; of recorded ones, as many as `minlength` says."""
    if minlength and modes.on and here.tracing and holds_node(x, tracked=True):
        return counted_rule(x, weights if given(weights) else 1, minlength)
    if not isinstance(weights, Node):
        return np.bincount(settled(x, "np.bincount"), weights, minlength)
    return bincount_rule(np.asarray(settled(x, "np.bincount")), weights, minlength)


def counted(index: Any, weights: Any, n: int) -> Any:
    """Sums of the weights by number, the numbers less than `n`; how many there are of each, where the weight is 1."""
    sums = np.bincount(index, weights if np.ndim(weights) else None, n)
    if len(sums) > n:
        raise IndexError(f"group {len(sums) - 1} of np.bincount, and there are {n}: give minlength={len(sums)}")
    return sums


counted_rule = linear(
    counted, None, lambda g, index, weights, n: g[index], register=False,
    cases=[(static(np.array([0, 2, 2, 5])), (4,), static(7))],
)  # fmt: skip
counted_rule.func = counted_rule


@function
def bin_numbers(sample: Any, *edges: Any) -> Any:
    """The number of the bin each row lies in, one more bin at either end of every axis."""
    numbers_of = []
    for x, e in zip(sample.T, edges, strict=True):
        k = np.searchsorted(e, x, side="right")
        numbers_of.append(np.where(x == e[-1], k - 1, k))  # the last bin is closed
    return np.ravel_multi_index(tuple(numbers_of), tuple([len(e) + 1 for e in edges]))


@function
def counts(a: Any, weights: Any, bins: Any, range: Any, density: Any) -> Any:
    """How many data lie in each bin, or the sum of their constant weights there."""
    return np.histogram(a, bins, range, density, weights)[0]


constant(bin_numbers, counts)


def _binned(sample: Any, edges: Any, weights: Any) -> Any:
    """Sums of weights in the bins between `edges`."""
    shape = tuple([len(e) + 1 for e in edges])
    sums = counted_rule(bin_numbers(sample, *edges), weights, int(np.prod(shape)))
    return np.reshape(sums, shape)[(slice(1, -1),) * len(shape)]


def _dense(h: Any, edges: Any) -> Any:
    """The sums as a density: divided by their total and by the volumes of the bins."""
    total = np.sum(h)
    for i, e in enumerate(edges):
        h = h / np.diff(e).reshape([-1 if k == i else 1 for k in range(h.ndim)])
    return h / total


def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    a = numbers(a)
    bins = settled(bins, "np.histogram with bins")
    edges = np.histogram_bin_edges(a, bins, range, weights if isinstance(bins, str) else None)
    if not holds_node(weights, tracked=True):
        return counts(a, raw(weights), bins, range, density), edges
    if weights.shape != a.shape:
        raise ValueError("weights should have the same shape as a.")
    h = cast(_binned(a.reshape(-1, 1), [edges], np.reshape(weights, (-1,))), weights.dtype)
    return (_dense(h, [edges]) if density else h), edges


def histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    sample, bins, range = (settled(v, "np.histogramdd") for v in (sample, bins, range))
    if not holds_node(weights, tracked=True):
        return np.histogramdd(sample, bins, range, density, raw(weights))
    edges = np.histogramdd(sample, bins, range)[1]
    rows = sample if hasattr(sample, "ndim") else np.atleast_2d(sample).T
    rows = np.asarray(rows) if np.ndim(rows) == 2 else np.atleast_2d(np.asarray(rows)).T
    h = _binned(rows, edges, weights)
    return (_dense(h, edges) if density else h), edges


def histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    x, y, bins = (settled(v, "np.histogram2d") for v in (x, y, bins))
    if not isinstance(bins, (int, np.integer)) and len(bins) not in (1, 2):
        bins = [np.asarray(bins)] * 2
    h, edges = histogramdd(np.stack((np.asarray(x), np.asarray(y)), 1), bins, range, density, weights)
    return h, edges[0], edges[1]


DATA: Any = np.array([0.1, 0.4, 0.45, 0.9, 1.0, 0.0])
PAIRS: Any = np.stack((DATA, DATA[::-1]), 1)
BINS: list[Any] = [static(4), static(None), static(False)]
DENSE: list[Any] = [static(4), static((0.0, 0.95)), static(True)]
composite(np.histogram, histogram, domain=positive, cases=[(static(DATA), *b, (6,)) for b in (BINS, DENSE)])
grid_rule = composite(np.histogramdd, histogramdd, domain=positive, cases=[
    (static(PAIRS), *BINS, (6,)), (static(PAIRS), static([2, 3]), static(None), static(True), (6,))])  # fmt: skip
grid_rule.func = lambda *args: np.histogramdd(*args)[0]  # for the laws, which know no lists of results
composite(np.histogram2d, histogram2d, domain=positive, cases=[
    (static(DATA), static(DATA[::-1]), *BINS, (6,)),
    (static(DATA), static(DATA), static(3), static(None), static(True), (6,))])  # fmt: skip
