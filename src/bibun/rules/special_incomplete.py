"""Incomplete gamma and beta functions, and the distribution functions SciPy makes of them, in x.

Their slopes are densities, computed as Loader's saddle-point form does: the direct exponent would lose a digit for
every digit of the parameters. Shape parameters are refused for now (None). SciPy is imported.
"""

import math

import numpy as np

from ..core import scipy_special as sp
from ..core.domains import positive, static, unit
from ..core.words import elementwise
from ..typing import Array
from .special_own import horner, own, piecewise

LARGE = 10.0  # parameters from here on take the saddle-point form
STIRLING = [float(b) / (2 * k * (2 * k - 1)) for k, b in enumerate(sp.bernoulli(20)[2::2], 1)]


def stirling_rest(a: Array) -> Array:
    """log Γ(a) − (a − ½) log a + a − ½ log 2π, for a >= 10."""
    return horner(STIRLING, 1 / (a * a)) / a


def log1p_rest(x: Array) -> Array:
    """log(1 + x) − x, relatively accurate near 0: with r = x/(2+x), log(1+x) = 2 artanh(r)."""

    def near(x: Array) -> Array:
        r = x / (2 + x)
        return r * (2 * r * r * horner([1 / (2 * k + 3) for k in range(18)], r * r) - x)

    return piecewise(np.abs(x) < 0.5, near, lambda x: np.log1p(x) - x, x)


def log_beta(a: Array, b: Array) -> Array:
    """log B(a, b), where SciPy's subtracts large logarithms: one argument small, the other large."""
    a, b = np.minimum(a, b), np.maximum(a, b)

    def mixed(a: Array, b: Array) -> Array:
        rise = a * np.log(a + b) + b * log1p_rest(a / b) - 0.5 * np.log1p(a / b)
        return sp.gammaln(a) - (rise + stirling_rest(a + b) - stirling_rest(b))

    return piecewise((a < LARGE) & (b >= LARGE), mixed, sp.betaln, a, b)


SHAPES = [(static(2.5), ()), (static(0.7), (3,)), (static(np.array([14.0, 2.0, 30.0])), (2, 1))]


@own(None, lambda y, a, x: y * ((a - x) - 1.0) / x, domain=positive, cases=SHAPES, source="Loader 2000")
def gamma_density(a: Array, x: Array) -> Array:
    """xᵃ⁻¹ exp(−x) / Γ(a)."""

    def direct(a: Array, x: Array) -> Array:
        return np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))

    def saddle(a: Array, x: Array) -> Array:
        return np.exp(a * log1p_rest((x - a) / a) - stirling_rest(a)) * np.sqrt(a / (2 * math.pi)) / x

    return np.where(x < 0, 0.0, piecewise((a < LARGE) | (x <= 0), direct, saddle, a, x))


BETAS = [
    (static(2.5), static(0.7), (3,)), (static(14.0), static(30.0), ()),
    (static(np.array([[4.0], [12.0]])), static(11), (3,)),
]  # fmt: skip


@own(
    None, None, lambda y, a, b, x: y * ((a - 1.0) * (1.0 - x) - (b - 1.0) * x) / (x * (1.0 - x)),
    domain=unit, cases=BETAS, source="Loader 2000",
)  # fmt: skip
def beta_density(a: Array, b: Array, x: Array) -> Array:
    """xᵃ⁻¹ (1 − x)ᵇ⁻¹ / B(a, b)."""

    def direct(a: Array, b: Array, x: Array) -> Array:
        return np.exp(sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - log_beta(a, b))

    def saddle(a: Array, b: Array, x: Array) -> Array:
        n, d = a + b, b * x - a * (1 - x)
        rest = stirling_rest(n) - stirling_rest(a) - stirling_rest(b)
        exponent = a * log1p_rest(d / a) + b * log1p_rest(-d / b) + rest
        return np.exp(exponent) * np.sqrt(a / n * b / (2 * math.pi)) / (x * (1 - x))

    y = piecewise((np.minimum(a, b) < LARGE) | (x <= 0) | (x >= 1), direct, saddle, a, b, x)
    return np.where((x < 0) | (x > 1), 0.0, y)


@own(None, lambda y, a, x: -(a + 1.0) * (x / (a + x * x)) * y, cases=SHAPES)
def t_density(a: Array, x: Array) -> Array:
    """The density of Student's t with `a` degrees of freedom."""
    normal = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    y = np.exp(-0.5 * (a + 1) * np.log1p(x * x / a) - log_beta(np.asarray(0.5), a / 2)) / np.sqrt(a)
    return np.where(np.isposinf(a), normal, y)


def _f_slope(y: Array, a: Array, b: Array, x: Array) -> Array:
    """The density of F: fdtr is betainc(a/2, b/2, z) with z = a x / (b + a x)."""
    s = b + 1.0 * a * x
    return beta_density(0.5 * a, 0.5 * b, a * x / s) * (a / s) * (b / s)


# Gamma ----------------------------------------------------------------------------------------------------------------

QUANTILES = [(static(2.5), ()), (static(0.7), (3,)), (static(np.array([14.0, 2.0, 30.0])), (2, 1))]

elementwise(sp.gammainc, None, lambda y, a, x: gamma_density(a, x), domain=positive, cases=SHAPES)
elementwise(sp.gammaincc, None, lambda y, a, x: -gamma_density(a, x), domain=positive, cases=SHAPES)
elementwise(sp.gammaincinv, None, lambda y, a, x: 1 / gamma_density(a, y), domain=unit, cases=QUANTILES)
elementwise(sp.gammainccinv, None, lambda y, a, x: -1 / gamma_density(a, y), domain=unit, cases=QUANTILES)
elementwise(sp.chdtr, None, lambda y, a, x: 0.5 * gamma_density(0.5 * a, 0.5 * x), domain=positive, cases=SHAPES)
elementwise(sp.chdtrc, None, lambda y, a, x: -0.5 * gamma_density(0.5 * a, 0.5 * x), domain=positive, cases=SHAPES)
elementwise(sp.chdtri, None, lambda y, a, x: -2 / gamma_density(0.5 * a, 0.5 * y), domain=unit, cases=QUANTILES)
COUNTS = [(static(2), ()), (static(0), (3,)), (static(np.array([14.0, 2.0, 3.0])), (2, 1))]
elementwise(sp.pdtr, None, lambda y, a, x: -gamma_density(np.floor(a) + 1.0, x), domain=positive, cases=COUNTS)
elementwise(sp.pdtrc, None, lambda y, a, x: gamma_density(np.floor(a) + 1.0, x), domain=positive, cases=COUNTS)
RATES = [((3,), static(2.5), (3,)), ((), static(12.0), (2, 1))]
elementwise(
    sp.gdtr, lambda y, a, b, x: x * gamma_density(b, 1.0 * a * x), None,
    lambda y, a, b, x: a * gamma_density(b, 1.0 * a * x), domain=positive, cases=RATES,
)  # fmt: skip
elementwise(
    sp.gdtrc, lambda y, a, b, x: x * -gamma_density(b, 1.0 * a * x), None,
    lambda y, a, b, x: a * -gamma_density(b, 1.0 * a * x), domain=positive, cases=RATES,
)  # fmt: skip

# Beta -----------------------------------------------------------------------------------------------------------------

elementwise(sp.betainc, None, None, lambda y, a, b, x: beta_density(a, b, x), domain=unit, cases=BETAS)
elementwise(sp.betaincc, None, None, lambda y, a, b, x: -beta_density(a, b, x), domain=unit, cases=BETAS)
elementwise(sp.betaincinv, None, None, lambda y, a, b, x: 1 / beta_density(a, b, y), domain=unit, cases=BETAS)
elementwise(sp.betainccinv, None, None, lambda y, a, b, x: -1 / beta_density(a, b, y), domain=unit, cases=BETAS)
FAILURES = [(static(2), static(5), ()), (static(0), static(3), (3,)), (static(np.array([14, 3])), static(30), (2, 1))]
elementwise(
    sp.nbdtr, None, None, lambda y, a, b, x: beta_density(1.0 * b, np.floor(a) + 1.0, x), domain=unit, cases=FAILURES
)
elementwise(
    sp.nbdtrc, None, None, lambda y, a, b, x: -beta_density(1.0 * b, np.floor(a) + 1.0, x), domain=unit, cases=FAILURES
)
elementwise(sp.fdtr, None, None, _f_slope, domain=positive, cases=BETAS)
elementwise(sp.fdtrc, None, None, lambda y, a, b, x: -_f_slope(y, a, b, x), domain=positive, cases=BETAS)
elementwise(sp.fdtri, None, None, lambda y, a, b, x: 1 / _f_slope(y, a, b, y), domain=unit, cases=BETAS)
elementwise(sp.stdtr, None, lambda y, a, x: t_density(a, x), cases=SHAPES)
elementwise(sp.stdtrit, None, lambda y, a, x: 1 / t_density(a, y), domain=unit, cases=QUANTILES)
