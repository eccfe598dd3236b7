"""NumPy's ufuncs. (being built)"""

import operator

import numpy as np

from ..core.domains import nonzero, positive
from ..core.rule import elementwise


def power_slope(y, a, b):
    if isinstance(b, (int, float)):
        return a + a if b == 2 else b * a ** (b - 1) if b != 0 else 0 * a
    return b * a ** np.where(b == 0, 1, b - 1)


elementwise(np.sin, lambda y, x: np.cos(x))
elementwise(np.cos, lambda y, x: -np.sin(x))
elementwise(np.exp, lambda y, x: y)
elementwise(np.log, lambda y, x: 1 / x, domain=positive)
elementwise(np.tanh, lambda y, x: 1 - y * y)
elementwise(np.negative, -1)
elementwise(np.absolute, lambda y, x: np.sign(x), domain=nonzero)
elementwise(np.add, 1, 1, run=operator.add)
elementwise(np.subtract, 1, -1, run=operator.sub)
elementwise(np.multiply, lambda y, a, b: b, lambda y, a, b: a, run=operator.mul)
elementwise(np.divide, lambda y, a, b: 1 / b, lambda y, a, b: -y / b, run=operator.truediv, domain=(positive, nonzero))
elementwise(
    np.power, power_slope, lambda y, a, b: y * np.log(np.where(a > 0, a, 1)), run=operator.pow, weak=False, domain=positive
)
elementwise(np.logaddexp, lambda y, a, b: np.exp(a - y), lambda y, a, b: np.exp(b - y))
