"""Products of arrays. (being built)"""

import numpy as np

from ..core.absorbing import absorb
from ..core.broadcast import unbroadcast
from ..core.rule import multilinear


def matmul_left(g, a, b):
    if a.ndim == b.ndim == 2:
        return g @ b.T
    if b.ndim == 1:
        return unbroadcast(np.expand_dims(g, -1) * b, a) if a.ndim > 1 else g * b
    if a.ndim == 1:
        return unbroadcast(np.squeeze(np.matmul(np.expand_dims(g, -2), np.swapaxes(b, -1, -2)), -2), a)
    return unbroadcast(np.matmul(g, np.swapaxes(b, -1, -2)), a)


def matmul_right(g, a, b):
    if a.ndim == b.ndim == 2:
        return a.T @ g
    if a.ndim == 1:
        return unbroadcast(np.expand_dims(g, -2) * np.expand_dims(a, -1), b) if b.ndim > 1 else g * a
    if b.ndim == 1:
        return np.matmul(g, a)
    return unbroadcast(np.matmul(np.swapaxes(a, -1, -2), g), b)


multilinear(np.matmul, matmul_left, matmul_right, cases=[((2, 3), (3, 2)), ((3,), (3,)), ((2, 3), (3,))])
multilinear(
    absorb, lambda g, a, b: unbroadcast(absorb(g, b), a), lambda g, a, b: unbroadcast(absorb(a, g), b),
    cases=[((3,), (3,)), ((2, 3), (3,))],
)  # fmt: skip
