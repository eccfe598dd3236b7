"""Bessel functions in x, for a fixed order: j, y, i, k and their scaled forms; and the hypergeometric functions in x.

The scaled forms e⁻ˣIᵥ and eˣKᵥ vary slowly far out, where the difference of neighbours would cancel: their derivatives
come from the asymptotic series there. The order is refused (None); it may be of a small type: v - 1.0, not v - 1.
SciPy is imported.
"""

import math
from functools import partial

import numpy as np

from ..core import scipy_special as sp
from ..core.domains import nonzero, positive, static, unit
from ..core.words import elementwise
from ..typing import Array
from .special_own import orders, own, piecewise

TERMS = 30


def _far(sign: int, n: int, v: Array, x: Array) -> Array:
    """The n-th derivative of x^(-1/2) (1 + s a₁/x + a₂/x² + s a₃/x³ + …): but for a factor, e⁻ˣIᵥ or eˣKᵥ."""
    total, term = np.zeros_like(x), x**-0.5
    for k in range(TERMS):
        total += term * math.prod(-0.5 - k - m for m in range(n))
        term = term * (sign * (4 * v * v - (2 * k + 1) ** 2) / (8 * (k + 1) * x))
    return total * x ** -float(n)


def _out(v: Array, x: Array) -> Array:
    """Where the asymptotic series is good to the last digit."""
    return x > 20 + v * v / 2


def _repeated(sign: int, n: int, f: Array, v: Array, x: Array) -> Array:
    """The n-th derivative by ±((f(v-1) + f(v+1))/2 − f(v)), n times over."""
    if n == 0:
        return f(v, x)
    low, high, here = (_repeated(sign, n - 1, f, u, x) for u in (v - 1, v + 1, v))
    return sign * ((low + high) / 2 - here)


@own(None, None, lambda y, n, v, x: ive_derivative(n + 1, v, x), domain=positive,
     cases=[(static(1), static(0), ()), (static(1), static(2.5), (3,)), (static(2), static(np.ones((2, 1))), (3,))],
     source="A&S 9.6.26, 9.7.1")  # fmt: skip
def ive_derivative(n: int, v: Array, x: Array) -> Array:
    """The n-th derivative of exp(−|x|) Iᵥ(x); 0 at 0 as for |x|."""
    v = np.asarray(v, np.float64)
    near = partial(_repeated, 1, n, sp.ive)
    size = np.abs(x)
    y = piecewise(_out(v, size), lambda v, x: _far(-1, n, v, x) / math.sqrt(2 * math.pi), near, v, size)
    odd = np.where((v + n) % 2 == 1, np.sign(x), 1.0)
    return np.where(x < 0, np.where(v % 1 == 0, odd, np.nan), np.where(x == 0, np.abs(odd), 1.0)) * y


@own(None, None, lambda y, n, v, x: kve_derivative(n + 1, v, x), domain=positive,
     cases=[(static(1), static(0), ()), (static(1), static(2.5), (3,)), (static(2), static(np.ones((2, 1))), (3,))],
     source="A&S 9.6.26, 9.7.2")  # fmt: skip
def kve_derivative(n: int, v: Array, x: Array) -> Array:
    """The n-th derivative of exp(x) Kᵥ(x)."""
    v = np.asarray(v, np.float64)
    near = partial(_repeated, -1, n, sp.kve)
    return piecewise(_out(v, x), lambda v, x: _far(1, n, v, x) * math.sqrt(math.pi / 2), near, v, x)


@own(None, lambda y, n, x: -exp_integral(n - 1.0, x), domain=positive, source="A&S 5.1.14, 5.1.26",
     cases=[*orders(2, 0), (static(np.array([2, 0])), ())])  # fmt: skip
def exp_integral(n: int, x: Array) -> Array:
    """The exponential integral Eₙ(x), also for negative n."""
    y = sp.expn(np.maximum(n, 0), x)
    for m in range(1, 1 - int(np.min(n))):
        y = np.where(-m >= np.asarray(n), (np.exp(-x) + m * y) / x, y)
    return y


# A&S 9.1.27 and 9.6.26: half the difference, or the sum, of the neighbours.

elementwise(sp.j0, lambda y, x: -sp.j1(x))
elementwise(sp.j1, lambda y, x: 0.5 * (sp.j0(x) - sp.jv(2, x)))
elementwise(sp.y0, lambda y, x: -sp.y1(x), domain=positive)
elementwise(sp.y1, lambda y, x: 0.5 * (sp.y0(x) - sp.yn(2, x)), domain=positive)
elementwise(sp.i0, lambda y, x: sp.i1(x))
elementwise(sp.i1, lambda y, x: 0.5 * (sp.i0(x) + sp.iv(2, x)))
elementwise(sp.k0, lambda y, x: -sp.k1(x), domain=positive)
elementwise(sp.k1, lambda y, x: -0.5 * (sp.k0(x) + sp.kn(2, x)), domain=positive)
elementwise(sp.i0e, lambda y, x: ive_derivative(1, 0, x), domain=nonzero)
elementwise(sp.i1e, lambda y, x: ive_derivative(1, 1, x), domain=nonzero)
elementwise(sp.k0e, lambda y, x: kve_derivative(1, 0, x), domain=positive)
elementwise(sp.k1e, lambda y, x: kve_derivative(1, 1, x), domain=positive)

REAL = [*orders(1, 0, 2.5), (static(np.array([0.5, 2.0])), ())]
WHOLE = [*orders(1, 0, 4), (static(np.array([1, 3])), ())]
elementwise(sp.jv, None, lambda y, v, x: 0.5 * (sp.jv(v - 1.0, x) - sp.jv(v + 1.0, x)), domain=positive, cases=REAL)
elementwise(sp.jve, None, lambda y, v, x: 0.5 * (sp.jve(v - 1.0, x) - sp.jve(v + 1.0, x)), domain=positive, cases=REAL)
elementwise(sp.yn, None, lambda y, v, x: 0.5 * (sp.yn(v - 1.0, x) - sp.yn(v + 1.0, x)), domain=positive, cases=WHOLE)
elementwise(sp.yv, None, lambda y, v, x: 0.5 * (sp.yv(v - 1.0, x) - sp.yv(v + 1.0, x)), domain=positive, cases=REAL)
elementwise(sp.yve, None, lambda y, v, x: 0.5 * (sp.yve(v - 1.0, x) - sp.yve(v + 1.0, x)), domain=positive, cases=REAL)
elementwise(sp.iv, None, lambda y, v, x: 0.5 * (sp.iv(v - 1.0, x) + sp.iv(v + 1.0, x)), domain=positive, cases=REAL)
elementwise(
    sp.kn, None, lambda y, v, x: -0.5 * (sp.kn(abs(v - 1.0), x) + sp.kn(v + 1.0, x)), domain=positive, cases=WHOLE
)
elementwise(sp.kv, None, lambda y, v, x: -0.5 * (sp.kv(v - 1.0, x) + sp.kv(v + 1.0, x)), domain=positive, cases=REAL)
elementwise(sp.ive, None, lambda y, v, x: ive_derivative(1, v, x), domain=positive, cases=REAL)
elementwise(sp.kve, None, lambda y, v, x: kve_derivative(1, v, x), domain=positive, cases=REAL)

elementwise(
    sp.hyp0f1,
    None,
    lambda y, v, x: sp.hyp0f1(v + 1.0, x) / v,
    domain=positive,
    cases=[*orders(1.5, 3), (static(np.array([1.5, 3])), ())],
)
elementwise(
    sp.hyp1f1, None, None, lambda y, a, b, x: a / b * sp.hyp1f1(a + 1.0, b + 1.0, x),
    cases=[(static(1.5), static(2.5), (3,)), (static(np.array([2.0, 1.2])), static(0.7), ())], source="A&S 13.4.8",
)  # fmt: skip
elementwise(
    sp.hyp2f1, None, None, None, lambda y, a, b, c, x: a * b / c * sp.hyp2f1(a + 1.0, b + 1.0, c + 1.0, x), domain=unit,
    cases=[(static(1.5), static(0.4), static(2.5), ()), (static(0.3), static(np.ones((2, 1))), static(2.0), (3,))],
    source="A&S 15.2.1",
)  # fmt: skip
elementwise(sp.expn, None, lambda y, n, x: -exp_integral(n - 1.0, x), domain=positive, cases=WHOLE)
