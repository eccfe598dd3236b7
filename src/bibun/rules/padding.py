"""np.pad: every mode, as the taking of elements from where padded positions say, or as strips joined on.

Imports core, indexing, joining.
"""

from typing import Any

import numpy as np
from numpy.lib import NumpyVersion

from ..core.dispatch import answers, holds_node
from ..core.domains import static
from ..core.words import linear
from ..typing import Array
from .creation import arrayed
from .indexing import getitem, take
from .joining import concatenate
from .shapes import frozen

Pairs = tuple[tuple[Any, Any], ...]


def pairs(given: Any, ndim: int) -> Pairs:
    """A (before, after) for each axis, from what np.pad accepts: a number, a pair, a pair an axis."""
    if isinstance(given, dict):
        return tuple([pairs(given[k] if k in given else given.get(k - ndim, 0), 1)[0] for k in range(ndim)])
    if holds_node(given):
        return _spelled(given, ndim)
    return tuple([(a, b) for a, b in np.broadcast_to(np.asarray(given), (ndim, 2)).tolist()])


def _spelled(given: Any, ndim: int) -> Pairs:
    """The same for values with Variables among them."""
    if not isinstance(given, (tuple, list)):
        return ((given, given),) * ndim
    if not any([isinstance(v, (tuple, list)) for v in given]):
        return (tuple(given * (2 if len(given) == 1 else 1)),) * ndim
    return tuple([_spelled(v, 1)[0] for v in (given if len(given) > 1 else tuple(given) * ndim)])


def pad_back(g: Array, x: Array, width: Pairs) -> Array:
    """What lies inside the frame."""
    return g[tuple([slice(before, before + n) for (before, _), n in zip(width, x.shape, strict=True)])]


zeros_around = linear(
    np.pad, pad_back, register=False, run=lambda x, width: np.pad(x, width) if width else x,
    cases=[
        ((3,), static(2)), ((2, 3), static(((1, 2), (0, 1)))), ((0,), static(1)), ((), static(2)),
        *([((2, 3), static({-1: (1, 2)}))] if NumpyVersion(np.__version__) >= "2.2.0" else []),
        ((3,), static((2, 1)), dict(constant_values=(1.0, 2.0))), ((3,), static(2), dict(constant_values=1.0)),
        ((2, 3), static(((1, 2), (0, 1))), dict(constant_values=((1.0, 2.0), (3.0, 4.0)))),
        *[((2, 3), static(((1, 2),
        (3, 5))), dict(mode=mode)) for mode in ("edge", "reflect", "symmetric", "wrap", "linear_ramp", "mean")],
        *[((2, 3), static(((1, 2), (3, 7))), dict(mode=mode, reflect_type="odd")) for mode in ("reflect", "symmetric")],
        *[((3, 4), static(2), dict(mode=mode, stat_length=((2, 1),
        (1, 3)))) for mode in ("maximum", "minimum", "median", "mean")],
        ((3,), static(2), dict(mode="maximum")), ((1,), static(2), dict(mode="reflect")),
        ((1,), static(2), dict(mode="reflect", reflect_type="odd")),
        ((3,), static(3), dict(mode="linear_ramp", end_values=(2.0, -1.0))),
    ],
)  # fmt: skip


@answers(np.pad)
def pad(array: Array, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Array:
    """np.pad."""
    x = arrayed(array)
    width = pairs(pad_width if isinstance(pad_width, dict) else frozen(pad_width), x.ndim) if x.ndim else ()
    odd = kwargs.get("reflect_type", "even") == "odd"
    if mode == "empty":
        mode = "constant"
    if mode == "constant":
        values = kwargs.get("constant_values", 0)
        plain = not holds_node(values) and not np.any(values)
        if plain:
            return zeros_around(x, width)
        fill = pairs(values, x.ndim)
        return _strips(x, width, lambda a, k, n, end: _flat(a, k, n, fill[k][end]))
    if mode in ("edge", "wrap") or (mode in ("reflect", "symmetric") and not odd):
        positions = np.pad(np.arange(x.size).reshape(x.shape), width, mode, **kwargs)
        return take(x, positions)
    if mode == "linear_ramp":
        ends = pairs(kwargs.get("end_values", 0), x.ndim)
        return _strips(x, width, lambda a, k, n, end: _ramp(a, k, n, end, ends[k][end]))
    if mode in STATISTICS:
        lengths = pairs(kwargs["stat_length"], x.ndim) if kwargs.get("stat_length") is not None else None
        return _strips(x, width, lambda a, k, n, end: _summary(a, k, n, end, STATISTICS[mode], lengths))
    if mode in ("reflect", "symmetric"):
        return _odd(x, width, mode)
    raise TypeError(f"np.pad with mode {mode!r} fills a plain array: write np.concatenate of the pieces")


STATISTICS = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}


def _strips(x: Array, width: Pairs, strip: Any) -> Array:
    """`x` with `strip(x, axis, how many, end)` joined on at either end (0 or 1) of one axis after another."""
    for k, (before, after) in enumerate(width):
        if before or after:
            x = concatenate([strip(x, k, before, 0), x, strip(x, k, after, 1)], k)
    return x


def _flat(x: Array, axis: int, n: int, value: Any) -> Array:
    shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
    return np.full_like(x, value, shape=shape)


def _edge(x: Array, axis: int, end: int) -> Array:
    return getitem(x, (slice(None),) * axis + ((slice(0, 1), slice(-1, None))[end],))


def _ramp(x: Array, axis: int, n: int, end: int, value: Any) -> Array:
    steps = (np.arange(n, dtype=x.dtype) / max(n, 1)).reshape((n,) + (1,) * (x.ndim - 1 - axis))
    strip = value + (_edge(x, axis, end) - value) * steps
    return np.flip(strip, axis) if end else strip


def _summary(x: Array, axis: int, n: int, end: int, statistic: Any, lengths: Pairs | None) -> Array:
    if lengths is not None:
        m = min(lengths[axis][end], x.shape[axis])
        x = getitem(x, (slice(None),) * axis + (slice(x.shape[axis] - m, None) if end else slice(0, m),))
    return np.repeat(statistic(x, axis=axis, keepdims=True), n, axis)


def _odd(x: Array, width: Pairs, mode: str) -> Array:
    """Reflected about the edge's value too: twice the edge, less the mirror image, over and over until it is full."""
    skip = mode == "reflect"
    for k, (before, after) in enumerate(width):
        left, right, size = before, after, x.shape[k]
        while left > 0 or right > 0:
            lead, n = (slice(None),) * k, x.shape[k]
            most = max((size - 1 if skip else size) if n == size else n - skip, 1)
            a, b = min(left, most), min(right, most)
            first = skip if n > 1 else 0
            before_part = 2 * _edge(x, k, 0) - np.flip(getitem(x, (*lead, slice(first, first + a))), k)
            after_part = 2 * _edge(x, k, 1) - np.flip(getitem(x, (*lead, slice(n - first - b, n - first))), k)
            x = concatenate([before_part, x, after_part], k)
            left, right = left - a, right - b
    return x
