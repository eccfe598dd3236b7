"""Sorting, and sets of values: where each value comes from is found out by plain NumPy, and it is taken from there.

Among equal values the one NumPy puts first counts. Imports core, indexing, joining.
"""

from typing import Any

import numpy as np

from ..core.dispatch import RULES, answers, holds_node
from ..core.domains import Domain, static
from ..core.words import composite, constant
from ..typing import Array
from .creation import arrayed
from .indexing import getitem, settled, take
from .joining import concatenate
from .shapes import frozen

apart = Domain(
    -2.0, 2.0, keep=lambda x: np.reshape(np.argsort(np.argsort(x, axis=None)) * 0.31 - 0.8, np.shape(x)) + 0.02 * x
)
"""Values that differ by at least 0.2, so that a small step changes no order."""


def sort(a: Array, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Array:
    """np.sort."""
    a = arrayed(a)
    if axis is None:
        a, axis = np.ravel(a), -1
    positions = RULES[sorted_positions](a, axis, kind, order, stable)
    return getitem(a, positions) if a.ndim == 1 else np.take_along_axis(a, positions, axis)


def sorted_positions(a: Array, axis: int, kind: Any, order: Any, stable: Any) -> Array:
    """Where np.sort takes its elements."""
    return np.argsort(a, axis, kind=kind, order=order, stable=stable)


def partitioned_positions(a: Array, kth: Any, axis: int, kind: Any, order: Any) -> Array:
    """Where np.partition takes its elements: np.argpartition may arrange the rest otherwise, so ranks are matched."""
    ordered = np.argsort(a, axis, kind="stable")
    ranks = np.argsort(np.argsort(np.partition(a, kth, axis, kind, order), axis, kind="stable"), axis)
    return np.take_along_axis(ordered, ranks, axis)


constant(sorted_positions, partitioned_positions)


def partition(a: Array, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None) -> Array:
    """np.partition."""
    a = arrayed(a)
    if axis is None:
        a, axis = np.ravel(a), -1
    return np.take_along_axis(a, RULES[partitioned_positions](a, frozen(kth), axis, kind, order), axis)


def sort_complex(a: Array) -> Array:
    """np.sort_complex."""
    y = sort(a)
    return (
        y
        if y.dtype.kind == "c"
        else y.astype(np.complex64 if y.dtype.char in "bhBH" else "G" if y.dtype.char == "g" else "D")
    )


composite(
    np.sort,
    sort,
    domain=apart,
    cases=[((4,),), ((3, 4),), ((3, 4), dict(axis=0)), ((2, 3), dict(axis=None)), ((0,),), ((4,), dict(kind="stable"))],
)
composite(
    np.partition,
    partition,
    domain=apart,
    cases=[((5,), static(2)), ((3, 4), static((0, 2)), dict(axis=0)), ((2, 3), static(1), dict(axis=None))],
)
composite(np.sort_complex, sort_complex, domain=apart, cases=[((4,),)])

HOW_MANY = "how many elements the result has depends on the values"

# --- sets -----------------------------------------------------------------------------------------------------------


def unique(
    ar: Array,
    return_index: Any = False,
    return_inverse: Any = False,
    return_counts: Any = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """np.unique: the values are those of the first appearances; the rest are plain arrays."""
    ar = arrayed(ar)
    values = settled(ar, "np.unique")
    _, index, *rest = np.unique(values, True, return_inverse, return_counts, axis, equal_nan=equal_nan)
    values = take(ar, index, axis)
    out = ([index] if return_index else []) + rest
    return (values, *out) if out else values


def union1d(ar1: Array, ar2: Array) -> Array:
    """np.union1d."""
    return unique(concatenate((ar1, ar2), None))


def setdiff1d(ar1: Array, ar2: Array, assume_unique: bool = False) -> Array:
    """np.setdiff1d."""
    values = np.ravel(arrayed(ar1)) if assume_unique else unique(ar1)
    kept = ~np.isin(settled(values, "np.setdiff1d"), np.asarray(settled(ar2, "np.setdiff1d")))
    return getitem(values, np.nonzero(kept)[0])


@answers(np.intersect1d)
def intersect1d(ar1: Array, ar2: Array, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """np.intersect1d: the values as they stand in the first array, or in the second where only that is tracked."""
    ar1, ar2 = arrayed(ar1), arrayed(ar2)
    _, one, two = np.intersect1d(
        settled(ar1, "np.intersect1d"), settled(ar2, "np.intersect1d"), assume_unique, return_indices=True
    )
    first = holds_node(ar1, tracked=True) or not holds_node(ar2, tracked=True)
    values = take(ar1, one) if first else take(ar2, two)
    return (values, one, two) if return_indices else values


def setxor1d(ar1: Array, ar2: Array, assume_unique: bool = False) -> Array:
    """np.setxor1d."""
    both = concatenate((ar1, ar2), None) if assume_unique else concatenate((unique(ar1), unique(ar2)))
    plain = settled(both, "np.setxor1d")
    values, counts = np.unique(plain, return_counts=True)
    return unique(getitem(both, np.nonzero(np.isin(plain, values[counts == 1]))[0]))


def trim_zeros(filt: Array, trim: str = "fb", axis: Any = None) -> Array:
    """np.trim_zeros: what it keeps of the positions is kept of the values."""
    filt = arrayed(filt)
    kept = np.nonzero(settled(filt, "np.trim_zeros"))
    axes = range(filt.ndim) if axis is None else [k % filt.ndim for k in (axis if isinstance(axis, tuple) else (axis,))]
    stretch = [slice(None)] * filt.ndim
    for k in axes:
        n, some = filt.shape[k], kept[k].size > 0
        first = (int(kept[k].min()) if some else n) if "f" in trim.lower() else 0
        last = (int(kept[k].max()) + 1 if some else 0) if "b" in trim.lower() else n
        stretch[k] = slice(first, max(first, last))
    return getitem(filt, tuple(stretch))


composite(np.unique, unique, domain=apart, traced=HOW_MANY, cases=[((4,),), ((2, 3),), ((3, 2), dict(axis=0)), ((0,),)])
composite(
    np.union1d, union1d, domain=apart, traced=HOW_MANY, cases=[((3,), static([5.0, 6.0])), ((2, 2), static([5.0]))]
)
composite(
    np.setdiff1d,
    setdiff1d,
    domain=apart,
    traced=HOW_MANY,
    cases=[((3,), static([5.0])), ((3,), static([5.0]), dict(assume_unique=True))],
)
composite(np.setxor1d, setxor1d, domain=apart, traced=HOW_MANY, cases=[((3,), static([5.0]))])
composite(np.trim_zeros, trim_zeros, domain=apart, traced=HOW_MANY, cases=[((3,),), ((0,),)])
if hasattr(np, "unique_values"):
    RULES[np.unique_values] = lambda x: unique(x, equal_nan=False)
