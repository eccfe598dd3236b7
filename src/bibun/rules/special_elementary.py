"""Elementary functions under SciPy's names: logistic, entropies, Huber losses, Box-Cox, exprel.

What they share: a slope that would subtract nearly equal numbers is a function of its own here, with its own slope.
SciPy is imported. A further function is a line in the second half; see special_own.py for what a slope needs.
"""

import math

import numpy as np

from ..core import scipy_special as sp
from ..core.domains import Domain, above, between, nonzero, positive, static, unit
from ..core.words import elementwise
from ..typing import Array
from .special_own import horner, orders, own, piecewise

# Functions the slopes need --------------------------------------------------------------------------------------------


@own(lambda y, x: -y * np.tanh(0.5 * x))
def logistic_density(x: Array) -> Array:
    """expit(x) expit(−x)."""
    return sp.expit(x) * sp.expit(-x)


@own(lambda y, x: (2.0 * x - 1) * y * y, domain=unit)
def logit_slope(x: Array) -> Array:
    """1 / (x (1 − x))."""
    return 1 / (x * (1 - x))


@own(lambda y, a, b: 1.0 / b, lambda y, a, b: -quotient(y, b), domain=nonzero)
def quotient(a: Array, b: Array) -> Array:
    """a / b, and 0 for 0 / 0: what xlogy(a, b) contributes is nothing where a is 0."""
    return np.where((a == 0) & (b == 0), 0.0, a / b)


@own(lambda y, a, b: 1.0 / a, lambda y, a, b: -1.0 / b, domain=positive)
def log_ratio(a: Array, b: Array) -> Array:
    """log(a / b), relatively accurate where a is near b, and without overflow of the ratio."""
    close = (a < 2 * b) & (b < 2 * a)
    return np.where(close, np.log1p((a - b) / b), np.log(a) - np.log(b))


@own(lambda y, a, b: -1.0 / b, lambda y, a, b: quotient(1.0 * a, b) / b, domain=positive)
def shortfall(a: Array, b: Array) -> Array:
    """1 − a/b, and 1 where a is 0."""
    return np.where(a == 0, 1.0, (b - a) / b)


@own(lambda y, d, r: (r / np.hypot(d, r)) ** 3, lambda y, d, r: (d / np.hypot(d, r)) ** 3, domain=(positive, nonzero))
def pseudo_huber_r(d: Array, r: Array) -> Array:
    """d r / √(d² + r²)."""
    return r * (d / np.hypot(d, r))


def _pseudo_huber_dd(y: Array, d: Array, r: Array) -> Array:
    s = np.hypot(d, r)
    rise = r / s * (r / (s + d))  # (s - d) / s
    return -rise * rise * (2 + d / s)


@own(_pseudo_huber_dd, lambda y, d, r: (r / np.hypot(d, r)) ** 3, domain=(positive, nonzero))
def pseudo_huber_d(d: Array, r: Array) -> Array:
    """(s − d)² / s with s = √(d² + r²)."""
    s = np.hypot(d, r)
    rise = r * (r / (s + d))
    return rise * (rise / s)


@own(None, lambda y, n, x: exp_moment(n + 1, x), cases=orders(0, 1, 2))
def exp_moment(n: int, x: Array) -> Array:
    """∫₀¹ tⁿ exp(x t) dt: exprel and its derivatives."""

    def near(x: Array) -> Array:
        return horner([1 / (math.factorial(k) * (k + n + 1)) for k in range(30)], x)

    def far(x: Array) -> Array:
        y, e = sp.exprel(x), np.exp(x)
        for m in range(1, n + 1):
            y = (e - m * y) / x
        return y

    return piecewise(np.abs(x) < 2 + n, near, far, x) if n else sp.exprel(x)


@own(
    None, lambda y, n, a, b: a**n * np.exp(a * b), lambda y, n, a, b: log_moment(n + 1, a, b),
    cases=[(static(1), (3,), (3,)), (static(2), (), (2, 1))],
)  # fmt: skip
def log_moment(n: int, a: Array, b: Array) -> Array:
    """∫₀¹ of aⁿ⁺¹ tⁿ exp(a b t): the n-th derivative in b of (exp(a b) − 1)/b."""
    limit = math.factorial(n) * (-1 / b) ** (n + 1)
    return np.where(np.isneginf(a) & (b > 0), limit, a ** (n + 1) * exp_moment(n, a * b))


@own(None, lambda y, n, x: -(n + 1.0) * log_mean(n + 1, x), domain=positive, cases=orders(0, 1, 2))
def log_mean(n: int, x: Array) -> Array:
    """∫₀¹ tⁿ / (1 + (x − 1) t)ⁿ⁺¹ dt: log(x)/(x − 1) and, up to a factor, its derivatives."""

    def near(x: Array) -> Array:
        return horner([(-1) ** k * math.comb(n + k, k) / (n + k + 1) for k in range(40)], x - 1)

    def far(x: Array) -> Array:
        y, w = np.log(x) / (x - 1), x - 1
        for m in range(1, n + 1):
            y = (y - x ** -float(m) / m) / w
        return y

    return piecewise(np.abs(x - 1) < 0.3, near, far, x)


@own(lambda y, x: 1 / np.square(1.0 + x), domain=positive)
def proper_part(x: Array) -> Array:
    """x / (1 + x)."""
    return np.where(np.isposinf(x), 1.0, x / (1 + x))


@own(lambda y, x: sp.expit(x))
def softplus(x: Array) -> Array:
    """log(1 + exp(x)), without overflow.

    Parameters
    ----------
    x : array_like or Variable

    Returns
    -------
    ndarray or Variable
        Of the shape of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.special import softplus
    >>> softplus(np.array([-800.0, 0.0, 800.0]))
    array([0.00000000e+00, 6.93147181e-01, 8.00000000e+02])
    """
    return np.logaddexp(0, x)


def _log_inverse(a: Array, b: Array) -> Array:
    """log(1 + a b) / b, and `a` for b = 0."""
    return 1.0 * a * log_mean(0, 1 + 1.0 * a * b)


# The functions of SciPy -----------------------------------------------------------------------------------------------

elementwise(sp.expit, lambda y, x: logistic_density(x))
elementwise(sp.logit, lambda y, x: logit_slope(x), domain=unit)
elementwise(sp.log_expit, lambda y, x: sp.expit(-1.0 * x))

elementwise(sp.xlogy, lambda y, a, b: np.log(1.0 * b), lambda y, a, b: quotient(a, b), domain=positive)
elementwise(sp.xlog1py, lambda y, a, b: np.log1p(1.0 * b), lambda y, a, b: quotient(a, 1.0 + b), domain=positive)
elementwise(sp.entr, lambda y, x: -np.log(x) - 1, domain=positive)
elementwise(sp.rel_entr, lambda y, a, b: log_ratio(a, b) + 1, lambda y, a, b: -quotient(a, b), domain=positive)
elementwise(sp.kl_div, lambda y, a, b: log_ratio(a, b), lambda y, a, b: shortfall(a, b), domain=positive)

elementwise(
    sp.huber,  # (delta, r)
    lambda y, a, b: np.where(np.abs(b) <= a, 0, np.abs(b) - a),
    lambda y, a, b: np.where(np.abs(b) <= a, b, a * np.sign(b)),
    domain=(between(0.5, 1), between(1.2, 2)),
)
elementwise(
    sp.pseudo_huber, lambda y, a, b: pseudo_huber_d(a, b), lambda y, a, b: pseudo_huber_r(a, b),
    domain=(positive, nonzero),
)  # fmt: skip

elementwise(
    sp.boxcox, lambda y, a, b: np.exp(sp.xlogy(b - 1.0, a)), lambda y, a, b: log_moment(1, np.log(1.0 * a), b),
    domain=(positive, nonzero),
)  # fmt: skip
elementwise(
    sp.boxcox1p, lambda y, a, b: np.exp(sp.xlog1py(b - 1.0, a)), lambda y, a, b: log_moment(1, np.log1p(1.0 * a), b),
    domain=(positive, nonzero),
)  # fmt: skip
elementwise(
    sp.inv_boxcox,
    lambda y, a, b: np.exp((1.0 - b) * _log_inverse(a, b)),
    lambda y, a, b: -y * np.square(1.0 * a) * log_mean(1, 1 + 1.0 * a * b),
    domain=(positive, Domain(0.2, 1.5)),
)
elementwise(
    sp.inv_boxcox1p,
    lambda y, a, b: np.exp((1.0 - b) * _log_inverse(a, b)),
    lambda y, a, b: -(1 + y) * np.square(1.0 * a) * log_mean(1, 1 + 1.0 * a * b),
    domain=(positive, Domain(0.2, 1.5)),
)

elementwise(sp.exprel, lambda y, x: exp_moment(1, x))
elementwise(sp.cosm1, lambda y, x: -np.sin(x))
elementwise(sp.expm1, lambda y, x: np.exp(x))
elementwise(sp.log1p, lambda y, x: 1 / (1.0 + x), domain=positive)
elementwise(sp.cbrt, lambda y, x: 1 / (3 * y * y), domain=positive)
elementwise(sp.exp2, lambda y, x: math.log(2) * y)
elementwise(sp.exp10, lambda y, x: math.log(10) * y)
elementwise(sp.wrightomega, lambda y, x: proper_part(y))
elementwise(sp.spence, lambda y, x: -log_mean(0, x), domain=above(1.5))
elementwise(sp.expi, lambda y, x: np.exp(x) / x, domain=nonzero)
elementwise(sp.exp1, lambda y, x: -np.exp(-1.0 * x) / x, domain=positive)
elementwise(
    sp.powm1, lambda y, a, b: b * np.exp(sp.xlogy(b - 1.0, a)), lambda y, a, b: (1 + y) * np.log(1.0 * a),
    domain=positive,
)  # fmt: skip
