"""Distributions of positive numbers: expon, gamma, weibull_min, lognorm, and their kin.

Each class gives standard forms (location 0, scale 1) in NumPy and scipy.special, for z inside the support; `edge` says
where its end has density 0. A further one is a class below. Imports distribution and exact.
"""

import math

import numpy as np

from ..core.scipy_special import erf, erfc, gammainc, gammaincc, gammaln, log_ndtr, ndtr, xlog1py, xlogy
from ..typing import Array
from .distribution import Continuous
from .exact import log1mexp, log_beta

__all__ = [
    "betaprime", "chi2", "expon", "f", "gamma", "halfcauchy", "halfnorm", "invgamma", "invgauss", "levy", "lognorm",
    "pareto", "rayleigh", "weibull_min",
]  # fmt: skip

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Positive(Continuous, abstract=True):
    """Distributions of z > 0, with density 0 at 0 unless `edge` says otherwise."""

    low = 0.0

    def edge(z: Array, *shapes: Array) -> Array:
        return np.equal(z, 0)


class expon(Positive):
    """The exponential distribution: its scale is its mean.

    Notes
    -----
    f(z) = e⁻ᶻ for z >= 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.stats import expon
    >>> expon.logpdf(np.array([-1.0, 0.0, 3.0]), scale=2.0)
    array([       -inf, -0.69314718, -2.19314718])
    """

    def edge(z: Array) -> None:
        return None

    def logpdf(z: Array) -> Array:
        return -z

    def logcdf(z: Array) -> Array:
        return log1mexp(z)

    def logsf(z: Array) -> Array:
        return -z

    def cdf(z: Array) -> Array:
        return -np.expm1(-z)


class gamma(Positive):
    """The gamma distribution of shape `a` > 0; its scale is one over the rate.

    Notes
    -----
    f(z) = zᵃ⁻¹ e⁻ᶻ / Γ(a) for z >= 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> import bibun as bb
    >>> from bibun.stats import gamma
    >>> gamma.logpdf(2.0, 3.0)
    np.float64(-1.3068528194400546)
    >>> bb.grad(gamma.logpdf, 1)(2.0, 3.0)
    np.float64(-0.2296371...)
    """

    def edge(z: Array, a: Array) -> Array:
        return np.equal(z, 0) & np.greater(a, 1)

    def logpdf(z: Array, a: Array) -> Array:
        return xlogy(a - 1, z) - z - gammaln(a)

    def cdf(z: Array, a: Array) -> Array:
        return gammainc(a, z)

    def sf(z: Array, a: Array) -> Array:
        return gammaincc(a, z)


class chi2(Positive):
    """The χ² distribution with `df` > 0 degrees of freedom.

    Notes
    -----
    The gamma distribution of shape df/2 at z/2, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import chi2
    >>> chi2.logpdf(2.0, 2)
    np.float64(-1.6931471805599454)
    """

    def edge(z: Array, df: Array) -> Array:
        return np.equal(z, 0) & np.greater(df, 2)

    def logpdf(z: Array, df: Array) -> Array:
        return xlogy(0.5 * df - 1, 0.5 * z) - 0.5 * z - gammaln(0.5 * df) - math.log(2)

    def cdf(z: Array, df: Array) -> Array:
        return gammainc(0.5 * df, 0.5 * z)

    def sf(z: Array, df: Array) -> Array:
        return gammaincc(0.5 * df, 0.5 * z)


class invgamma(Positive):
    """The inverse gamma distribution of shape `a` > 0.

    Notes
    -----
    f(z) = z⁻ᵃ⁻¹ e^(−1/z) / Γ(a) for z > 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import invgamma
    >>> invgamma.logpdf(1.0, 2.0)
    np.float64(-1.0)
    """

    def logpdf(z: Array, a: Array) -> Array:
        return -(a + 1) * np.log(z) - 1 / z - gammaln(a)

    def cdf(z: Array, a: Array) -> Array:
        return gammaincc(a, 1 / z)

    def sf(z: Array, a: Array) -> Array:
        return gammainc(a, 1 / z)


class weibull_min(Positive):
    """Weibull's distribution of the smallest value, of shape `c` > 0.

    Notes
    -----
    f(z) = c zᶜ⁻¹ exp(−zᶜ) for z >= 0, with z = (x − loc)/scale; at 0 it is 0, 1 or infinite as c is more than, equal
    to or less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.stats import weibull_min
    >>> weibull_min.logpdf(np.array([0.0, 1.0]), 2.0)
    array([       -inf, -0.30685282])
    >>> weibull_min.logsf(3.0, 2.0)
    np.float64(-9.0)
    """

    def edge(z: Array, c: Array) -> Array:
        return np.equal(z, 0) & np.greater(c, 1)

    def logpdf(z: Array, c: Array) -> Array:
        return np.log(c) + xlogy(c - 1, z) - z**c

    def logcdf(z: Array, c: Array) -> Array:
        return log1mexp(z**c)

    def logsf(z: Array, c: Array) -> Array:
        return -(z**c)

    def cdf(z: Array, c: Array) -> Array:
        return -np.expm1(-(z**c))


class lognorm(Positive):
    """The lognormal distribution: log z is normal with standard deviation `s` > 0; the scale is its median.

    Notes
    -----
    f(z) = exp(−(log z)²/(2s²)) / (s z √(2π)) for z > 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import lognorm
    >>> lognorm.logpdf(1.0, 1.0)
    np.float64(-0.9189385332046727)
    """

    def logpdf(z: Array, s: Array) -> Array:
        u = np.log(z)
        return -0.5 * np.square(u / s) - u - np.log(s) - HALF_LOG_TAU

    def logcdf(z: Array, s: Array) -> Array:
        return log_ndtr(np.log(z) / s)

    def logsf(z: Array, s: Array) -> Array:
        return log_ndtr(-np.log(z) / s)

    def cdf(z: Array, s: Array) -> Array:
        return ndtr(np.log(z) / s)

    def sf(z: Array, s: Array) -> Array:
        return ndtr(-np.log(z) / s)


class halfnorm(Positive):
    """The absolute value of a normal variable.

    Notes
    -----
    f(z) = √(2/π) exp(−z²/2) for z >= 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import halfnorm
    >>> halfnorm.logpdf(1.0)
    np.float64(-0.7257913526447274)
    """

    def edge(z: Array) -> None:
        return None

    def logpdf(z: Array) -> Array:
        return -0.5 * (z * z) + (math.log(2) - HALF_LOG_TAU)

    def cdf(z: Array) -> Array:
        return erf(z * math.sqrt(0.5))

    def logsf(z: Array) -> Array:
        return log_ndtr(-z) + math.log(2)

    def sf(z: Array) -> Array:
        return erfc(z * math.sqrt(0.5))


class halfcauchy(Positive):
    """The absolute value of a Cauchy variable.

    Notes
    -----
    f(z) = 2 / (π (1 + z²)) for z >= 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import halfcauchy
    >>> halfcauchy.logpdf(0.0)
    np.float64(-0.4515827052894548)
    """

    def edge(z: Array) -> None:
        return None

    def logpdf(z: Array) -> Array:
        return math.log(2 / math.pi) - np.log1p(z * z)

    def cdf(z: Array) -> Array:
        return 2 / math.pi * np.arctan(z)

    def sf(z: Array) -> Array:
        return 2 / math.pi * np.arctan2(1.0, z)


class rayleigh(Positive):
    """Rayleigh's distribution: of the length of a vector of two normal variables.

    Notes
    -----
    f(z) = z exp(−z²/2) for z >= 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import rayleigh
    >>> rayleigh.logpdf(1.0)
    np.float64(-0.5)
    """

    def logpdf(z: Array) -> Array:
        return np.log(z) - 0.5 * (z * z)

    def logcdf(z: Array) -> Array:
        return log1mexp(0.5 * (z * z))

    def logsf(z: Array) -> Array:
        return -0.5 * (z * z)

    def cdf(z: Array) -> Array:
        return -np.expm1(-0.5 * (z * z))


class pareto(Continuous):
    """Pareto's distribution of exponent `b` > 0; its scale is the least value.

    Notes
    -----
    f(z) = b z^(−b − 1) for z >= 1, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import pareto
    >>> pareto.logsf(10.0, 2.0)
    np.float64(-4.605170185988092)
    """

    low, interior = 1.0, 2.0

    def logpdf(z: Array, b: Array) -> Array:
        return np.log(b) - (b + 1) * np.log(z)

    def logcdf(z: Array, b: Array) -> Array:
        return log1mexp(b * np.log(z))

    def logsf(z: Array, b: Array) -> Array:
        return -b * np.log(z)

    def cdf(z: Array, b: Array) -> Array:
        return -np.expm1(-b * np.log(z))


class invgauss(Positive):
    """The inverse Gaussian distribution; `mu` > 0 is its mean divided by its scale.

    Notes
    -----
    f(z) = exp(−(z − μ)²/(2 z μ²)) / √(2π z³) for z > 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import invgauss
    >>> invgauss.logpdf(1.0, 1.0)
    np.float64(-0.9189385332046727)
    """

    def logpdf(z: Array, mu: Array) -> Array:
        return -1.5 * np.log(z) - HALF_LOG_TAU - 0.5 * np.square(z / mu - 1) / z


class levy(Positive):
    """Lévy's distribution.

    Notes
    -----
    f(z) = exp(−1/(2z)) / √(2π z³) for z > 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import levy
    >>> levy.logpdf(1.0)
    np.float64(-1.4189385332046727)
    """

    def logpdf(z: Array) -> Array:
        return -1.5 * np.log(z) - HALF_LOG_TAU - 0.5 / z

    def cdf(z: Array) -> Array:
        return erfc(np.sqrt(0.5 / z))

    def sf(z: Array) -> Array:
        return erf(np.sqrt(0.5 / z))


class betaprime(Positive):
    """The beta prime distribution of shapes `a`, `b` > 0: of the odds of a beta variable.

    Notes
    -----
    f(z) = zᵃ⁻¹ (1 + z)^(−a − b) / B(a, b) for z >= 0, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import betaprime
    >>> betaprime.logpdf(1.0, 1.0, 1.0)
    np.float64(-1.3862943611198906)
    """

    def edge(z: Array, a: Array, b: Array) -> Array:
        return np.equal(z, 0) & np.greater(a, 1)

    def logpdf(z: Array, a: Array, b: Array) -> Array:
        return xlogy(a - 1, z) - xlog1py(a + b, z) - log_beta(a, b)


class f(Positive):
    """Fisher's F distribution with `dfn` and `dfd` > 0 degrees of freedom.

    Notes
    -----
    z dfn/dfd has the beta prime distribution of shapes dfn/2 and dfd/2, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import f
    >>> f.logpdf(1.0, 2.0, 2.0)
    np.float64(-1.3862943611198906)
    """

    def edge(z: Array, dfn: Array, dfd: Array) -> Array:
        return np.equal(z, 0) & np.greater(dfn, 2)

    def logpdf(z: Array, dfn: Array, dfd: Array) -> Array:
        a, b, r = 0.5 * dfn, 0.5 * dfd, dfn / dfd
        return xlogy(a - 1, r * z) - xlog1py(a + b, r * z) - log_beta(a, b) + np.log(r)
