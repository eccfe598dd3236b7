"""Error functions and the normal distribution: erf, erfc, erfcx, dawsn, ndtr, log_ndtr, and their inverses.

Tails are the subject here: every slope is written so that it and its own slope hold their relative accuracy where the
function is 1e-300. SciPy is imported. A further function of the family is a line at the end.
"""

import math

import numpy as np

from ..core import scipy_special as sp
from ..core.domains import between, real, unit
from ..core.words import elementwise
from ..typing import Array
from .special_own import double_factorial, horner, orders, own, piecewise

ROOT_PI, ROOT_2 = math.sqrt(math.pi), math.sqrt(2)
DENSITY = 1 / math.sqrt(2 * math.pi)
TERMS = 60  # of the continued fraction; it is used from 2 on, and converges faster further out


def ratio_far(n: int, x: Array) -> Array:
    """J_n / J_(n-1) for x >= 2, from its continued fraction backwards; the tail begins as a quadratic's root."""
    last = n + TERMS
    r = 1 / (x + np.sqrt(x * x + 2 * (last + 1)))
    for m in range(last - 1, n - 1, -1):
        r = 1 / (2 * x + 2 * (m + 1) * r)
    return r


def ratio_near(n: int, x: Array) -> Array:
    r = 1 / (ROOT_PI * sp.erfcx(x)) - x
    for m in range(2, n + 1):
        r = (1 / r - 2 * x) / (2 * m)
    return r


@own(None, lambda y, n, x: 2.0 * y * (n * y - (n + 1) * ierfc_ratio(n + 1, x)), cases=orders(1, 2), source="A&S 7.2.5")
def ierfc_ratio(n: int, x: Array) -> Array:
    """iⁿerfc(x) / iⁿ⁻¹erfc(x), the repeated integrals of erfc, n >= 1."""
    return piecewise(x < 2, lambda x: ratio_near(n, x), lambda x: ratio_far(n, x), x)


@own(None, lambda y, n, x: -2.0 * (n + 1) * ierfc_scaled(n + 1, x), cases=orders(1, 2), source="A&S 7.2.9")
def ierfc_scaled(n: int, x: Array) -> Array:
    """exp(x²) iⁿerfc(x), n >= 1."""
    y = sp.erfcx(x)
    for m in range(1, n + 1):
        y = y * ierfc_ratio(m, x)
    return y


@own(lambda y, x: -ROOT_2 * y * ierfc_ratio(1, x * (-1 / ROOT_2)))
def inverse_mills(x: Array) -> Array:
    """φ(x) / Φ(x)."""
    return math.sqrt(2 / math.pi) / sp.erfcx(x * (-1 / ROOT_2))


@own(None, lambda y, n, x: dawsn_derivative(n + 1, x), cases=orders(1, 2), source="A&S 7.1.15, 7.1.23")
def dawsn_derivative(n: int, x: Array) -> Array:
    """The n-th derivative of Dawson's integral, n >= 1."""

    def near(x: Array) -> Array:
        before, y = sp.dawsn(x), 1 - 2 * x * sp.dawsn(x)
        for m in range(1, n):
            before, y = y, -2 * x * y - 2 * m * before
        return y

    def far(x: Array) -> Array:
        rising = [math.prod(range(2 * k + 1, 2 * k + 1 + n)) for k in range(36)]
        terms = [double_factorial(2 * k - 1) * r / 2 ** (k + 1) for k, r in enumerate(rising)]
        u = 1 / x
        return (-u) ** n * u * horner(terms, u * u)

    return piecewise(np.abs(x) < 6.5, near, far, x)


elementwise(sp.erf, lambda y, x: 2 / ROOT_PI * np.exp(-1.0 * x * x))
elementwise(sp.erfc, lambda y, x: -2 / ROOT_PI * np.exp(-1.0 * x * x))
elementwise(sp.erfi, lambda y, x: 2 / ROOT_PI * np.exp(1.0 * x * x))
elementwise(sp.erfcx, lambda y, x: -2.0 * ierfc_scaled(1, x), source="A&S 7.2.9")
elementwise(sp.dawsn, lambda y, x: dawsn_derivative(1, x))
elementwise(sp.erfinv, lambda y, x: ROOT_PI / 2 * np.exp(y * y), domain=between(-0.9, 0.9))
elementwise(sp.erfcinv, lambda y, x: -ROOT_PI / 2 * np.exp(y * y), domain=between(0.1, 1.9))
elementwise(sp.ndtr, lambda y, x: DENSITY * np.exp(-0.5 * x * x))
elementwise(sp.ndtri, lambda y, x: 1 / DENSITY * np.exp(0.5 * y * y), domain=unit)
elementwise(sp.log_ndtr, lambda y, x: inverse_mills(x), domain=real)
elementwise(sp.ndtri_exp, lambda y, x: math.sqrt(math.pi / 2) * sp.erfcx(y * (-1 / ROOT_2)), domain=between(-3, -0.1))
elementwise(
    sp.owens_t,
    lambda y, a, b: -0.5 * DENSITY * np.exp(-0.5 * a * a) * sp.erf(a * b / ROOT_2),
    lambda y, a, b: np.exp(-0.5 * a * a * (1 + b * b)) / (2 * math.pi * (1 + b * b)),
    source="Owen 1956",
)
