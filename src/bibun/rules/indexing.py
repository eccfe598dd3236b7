"""Taking elements by position, and putting them back. (being built)"""

import operator

import numpy as np

from ..core.broadcast import unbroadcast
from ..core.domains import static
from ..core.graph import Node
from ..core.record import lane_linear
from ..core.rule import linear


def plain(i):
    return isinstance(i, (int, slice, np.integer)) or i is None or i is Ellipsis


def scatter(g, i, shape):
    z = np.zeros(shape, g.dtype)
    if plain(i) or (isinstance(i, tuple) and all(map(plain, i))):
        z[i] = g
    else:
        np.add.at(z, i, g)
    return z


scatter_ = linear(scatter, lambda g, x, i, shape: getitem(g, i), register=False)
scatter_.func = scatter_
scatter_.cases = [((2,), static(slice(1, 3)), static((4,))), ((3,), static(np.array([0, 0, 2])), static((4,)))]
getitem_ = linear(
    operator.getitem, lambda g, x, i: scatter_(g, i, x.shape), register=False, name="getitem",
    cases=[((2, 3), static((0, slice(1, None)))), ((3,), static(1)), ((3,), static(np.array([0, 0, 2])))],
)  # fmt: skip
lane = lane_linear(getitem_, operator.getitem)


def getitem(x, i):
    return lane(x, i) if isinstance(x, Node) else x[i]


linear(
    np.where, None, lambda g, c, a, b: unbroadcast(np.where(c, g, 0), a), lambda g, c, a, b: unbroadcast(np.where(c, 0, g), b),
    cases=[(static(np.array([True, False, True])), (3,), (2, 3)), (static(True), (), ())],
)  # fmt: skip
