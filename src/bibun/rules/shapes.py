"""Functions that move elements and change none. (being built)"""

import numpy as np

from ..core.broadcast import unbroadcast
from ..core.domains import static
from ..core.rule import linear

linear(np.reshape, lambda g, x, shape: np.reshape(g, x.shape), cases=[((2, 3), static((3, 2))), ((4,), static(-1))])
linear(np.expand_dims, lambda g, x, axis: np.reshape(g, x.shape), cases=[((2, 3), dict(axis=1))])
linear(np.broadcast_to, lambda g, x, shape: unbroadcast(g, x), cases=[((3,), static((2, 3)))])


def astype(x, dtype):
    return x
