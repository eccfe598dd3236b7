"""Functions that reduce or accumulate along axes. (being built)"""

import numpy as np

from ..core.broadcast import spread
from ..core.rule import linear


def np_sum(x, axis, keepdims):
    return np.add.reduce(x, axis=axis, keepdims=keepdims)


def sum_back(g, x, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    elif keepdims and axis is None:
        g = g.reshape(())
    return spread(g, x.shape)


linear(np.sum, sum_back, run=np_sum, cases=[((3,),), ((2, 3), dict(axis=0)), ((2, 3), dict(axis=(0, 1), keepdims=True)), ((),)])
