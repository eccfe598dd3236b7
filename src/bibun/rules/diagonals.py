"""Diagonals and triangles of matrices, and windows of arrays.

Imports core, indexing, shapes. The next function that takes or puts elements in a pattern goes here.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..core.broadcast import spread
from ..core.dispatch import RULES
from ..core.domains import static
from ..core.words import composite, linear
from ..typing import Array
from .indexing import scatter
from .shapes import immutable

__all__: list[str] = []

# --- diagonals and triangles ----------------------------------------------------------------------------------------


def _places(x: Array, offset: int) -> tuple[Any, ...]:
    """Where the diagonal of the last two axes lies."""
    m, n = x.shape[-2:]
    first = (0, offset) if offset >= 0 else (-offset, 0)
    k = np.arange(max(0, min(m - first[0], n - first[1])))
    return (Ellipsis, first[0] + k, first[1] + k)


def diagonal_back(g: Array, a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The diagonal put back between zeros."""
    last = [k for k in range(a.ndim) if k not in (axis1 % a.ndim, axis2 % a.ndim)]
    moved = spread(np.zeros((), bool), tuple([a.shape[k] for k in (*last, axis1, axis2)]))
    return np.moveaxis(scatter(g, _places(moved, offset), moved.shape), (-2, -1), (axis1, axis2))


linear(
    np.diagonal, diagonal_back,
    cases=[((3, 3),), ((2, 3), dict(offset=1)), ((3, 2), dict(offset=-1)), ((2, 3, 4), dict(axis1=2, axis2=0)),
           ((2, 3), dict(offset=7))],
)  # fmt: skip


def diag(v: Array, k: int = 0) -> Array:
    """np.diag: a matrix of a vector, or the diagonal of a matrix."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"np.diag of {v.ndim} axes: it takes one or two; np.diagonal takes more")
    n = v.shape[0] + abs(k)
    return scatter(v, _places(spread(np.zeros((), bool), (n, n)), k), (n, n))


composite(np.diag, diag, cases=[((3,),), ((2,), dict(k=-1)), ((2, 3), dict(k=1)), ((3, 3),), ((0,),)])
composite(np.diagflat, lambda v, k=0: diag(np.ravel(v), k), cases=[((2, 2),), ((), dict(k=1))])
linear(
    np.tril, lambda g, m, k=0: np.tril(g, k), cases=[((3, 3),), ((2, 2, 3), dict(k=-1)), ((3, 2), dict(k=1)), ((3,),)]
)
linear(
    np.triu, lambda g, m, k=0: np.triu(g, k), cases=[((3, 3),), ((2, 2, 3), dict(k=-1)), ((3, 2), dict(k=1)), ((3,),)]
)


def _of_rows(entry: Any) -> Any:
    """A triangle of one row is that of as many equal rows."""
    return lambda m, k=0: entry(m if m.ndim > 1 else np.broadcast_to(m, (m.size, m.size)), k)


RULES[np.tril], RULES[np.triu] = _of_rows(RULES[np.tril]), _of_rows(RULES[np.triu])

# --- windows --------------------------------------------------------------------------------------------------------


def windows_back(g: Array, x: Array, window_shape: Any, axis: Any = None) -> Array:
    """Every window added back where it was."""
    positions = sliding_window_view(np.arange(x.size).reshape(x.shape), window_shape, axis)
    return np.reshape(scatter(g, positions, (x.size,)), x.shape)


linear(
    sliding_window_view, windows_back,
    run=lambda x, window_shape, axis=None: sliding_window_view(np.asarray(x), window_shape, axis),
    cases=[((5,), static(3)), ((3, 4), static((2, 2))), ((3, 4), static(2), dict(axis=-1))],
)  # fmt: skip

immutable(sliding_window_view)
