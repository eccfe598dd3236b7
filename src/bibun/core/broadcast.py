"""Broadcasting and its transpose, for arrays and for Variables alike: NumPy's protocols decide which.

Imports nothing of bibun.
"""

from typing import Any

import numpy as np

from ..typing import Array

__all__ = ["spread", "unbroadcast", "zeros_for"]


ndarray: Any = np.ndarray
add_reduce: Any = np.add.reduce
PLAIN: Any = (np.ndarray, np.generic)


def unbroadcast(g: Array, like: Array) -> Array:
    """Sum the cotangent `g` back to the shape of `like`, which had been broadcast to g's."""
    shape = like.shape
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    ones = [i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1]
    if type(g) is ndarray:  # np.sum of it, without np.sum's own cost
        if not shape:
            return add_reduce(g, None)
        return add_reduce(g, (*range(extra), *ones), None, None, True).reshape(shape)
    if extra or ones:
        g = np.sum(g, axis=(*range(extra), *ones), keepdims=True)
    return g.reshape(shape)


def spread(g: Array, shape: tuple[int, ...]) -> Array:
    """`g` seen at every position of `shape` (read-only, no copy). Broadcasting as NumPy's, at a tenth of its cost."""
    if isinstance(g, PLAIN) and g.ndim == 0:
        if not shape:
            return g
        return ndarray(shape, g.dtype, g[()], 0, (0,) * len(shape))  # the buffer of a NumPy scalar is read-only
    return np.broadcast_to(g, shape)


def zeros_for(x: Array) -> Array:
    """A zero cotangent or tangent of `x`: its shape, its dtype made floating, its array library."""
    x = getattr(x, "_data", x)
    if isinstance(x, tuple):
        return type(x)(zeros_for(p) for p in x)
    if isinstance(x, np.ndarray) and x.dtype.kind in "fc":
        return np.zeros(x.shape, x.dtype)
    dtype = np.result_type(x)
    return np.zeros_like(x, dtype=dtype if dtype.kind in "fc" else np.float64)
