"""Distributions on the whole line: norm, t, logistic, laplace, cauchy, Gumbel's, and what is made of the normal.

Each class gives standard forms (location 0, scale 1) in NumPy and scipy.special; distribution.py makes SciPy's
functions of them. Those of positive numbers are in positive.py, of intervals in bounded.py. Imports distribution and
exact.
"""

import math

import numpy as np

from ..core.scipy_special import erfcx, expit, log_expit, log_ndtr, ndtr, stdtr
from ..typing import Array
from .distribution import Continuous
from .exact import log1mexp, student_constant, student_kernel

__all__ = ["cauchy", "exponnorm", "gumbel_l", "gumbel_r", "laplace", "logistic", "norm", "skewnorm", "t"]

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class norm(Continuous):
    """The normal distribution: location is its mean, scale its standard deviation.

    Notes
    -----
    log f(x) = −z²/2 − log σ − ½ log 2π, with z = (x − μ)/σ. The logarithms of the distribution function hold their
    digits in both tails.

    Examples
    --------
    >>> import bibun as bb
    >>> from bibun.stats import norm
    >>> norm.logpdf(1.0, 0.0, 2.0)
    np.float64(-1.737085713764618)
    >>> bb.grad(norm.logcdf)(-40.0)
    np.float64(40.02496...)
    """

    def logpdf(z: Array) -> Array:
        return -0.5 * (z * z) - HALF_LOG_TAU

    def logcdf(z: Array) -> Array:
        return log_ndtr(z)

    def logsf(z: Array) -> Array:
        return log_ndtr(-z)

    def cdf(z: Array) -> Array:
        return ndtr(z)

    def sf(z: Array) -> Array:
        return ndtr(-z)


class t(Continuous):
    """Student's t distribution with `df` > 0 degrees of freedom.

    Notes
    -----
    f(z) = Γ((ν + 1)/2) / (√(νπ) Γ(ν/2)) (1 + z²/ν)^(−(ν + 1)/2), with z = (x − μ)/σ. The slope in ν is exact however
    large ν is: it falls to 0 as 1/ν² while its terms fall as 1/ν.

    Examples
    --------
    >>> import bibun as bb
    >>> from bibun.stats import t
    >>> t.logpdf(1.0, 5.0)
    np.float64(-1.51558...)
    >>> bb.grad(t.logpdf, 1)(3.0, 1e8)
    np.float64(-1.5499997...e-15)
    """

    def logpdf(z: Array, df: Array) -> Array:
        return student_kernel(df, z * z) + student_constant(0, df) - HALF_LOG_TAU

    def cdf(z: Array, df: Array) -> Array:
        return stdtr(df, z)

    def sf(z: Array, df: Array) -> Array:
        return stdtr(df, -z)


class cauchy(Continuous):
    """The Cauchy distribution.

    Notes
    -----
    f(z) = 1 / (π (1 + z²)), with z = (x − μ)/σ.

    Examples
    --------
    >>> from bibun.stats import cauchy
    >>> cauchy.logpdf(1.0)
    np.float64(-1.8378770664093453)
    """

    def logpdf(z: Array) -> Array:
        return -np.log1p(z * z) - math.log(math.pi)

    def cdf(z: Array) -> Array:
        return np.arctan2(1.0, -z) / math.pi

    def sf(z: Array) -> Array:
        return np.arctan2(1.0, z) / math.pi


class logistic(Continuous):
    """The logistic distribution.

    Notes
    -----
    f(z) = e⁻ᶻ / (1 + e⁻ᶻ)², with z = (x − μ)/σ; the distribution function is expit(z).

    Examples
    --------
    >>> from bibun.stats import logistic
    >>> logistic.logpdf(1000.0)
    np.float64(-1000.0)
    """

    def logpdf(z: Array) -> Array:
        return log_expit(z) + log_expit(-z)

    def logcdf(z: Array) -> Array:
        return log_expit(z)

    def logsf(z: Array) -> Array:
        return log_expit(-z)

    def cdf(z: Array) -> Array:
        return expit(z)

    def sf(z: Array) -> Array:
        return expit(-z)


class laplace(Continuous):
    """The Laplace, or double exponential, distribution.

    Notes
    -----
    f(z) = e^(−|z|) / 2, with z = (x − μ)/σ. The derivative at z = 0 is 0.

    Examples
    --------
    >>> from bibun.stats import laplace
    >>> laplace.logpdf(2.0, 0.0, 1.0)
    np.float64(-2.6931471805599454)
    """

    def logpdf(z: Array) -> Array:
        return -np.abs(z) - math.log(2)

    def logcdf(z: Array) -> Array:
        low = np.less(z, 0)
        return np.where(low, z - math.log(2), np.log1p(-0.5 * np.exp(-np.where(low, 0.0, z))))

    def logsf(z: Array) -> Array:
        low = np.less(z, 0)
        return np.where(low, np.log1p(-0.5 * np.exp(np.where(low, z, 0.0))), -z - math.log(2))


class gumbel_r(Continuous):
    """Gumbel's distribution of the largest value, skewed to the right.

    Notes
    -----
    F(z) = exp(−e⁻ᶻ), with z = (x − μ)/σ.

    Examples
    --------
    >>> from bibun.stats import gumbel_r
    >>> gumbel_r.logpdf(0.0)
    np.float64(-1.0)
    """

    def logpdf(z: Array) -> Array:
        return -z - np.exp(-z)

    def logcdf(z: Array) -> Array:
        return -np.exp(-z)

    def logsf(z: Array) -> Array:
        return log1mexp(np.exp(-z))

    def sf(z: Array) -> Array:
        return -np.expm1(-np.exp(-z))


class gumbel_l(Continuous):
    """Gumbel's distribution of the smallest value, skewed to the left.

    Notes
    -----
    F(z) = 1 − exp(−eᶻ), with z = (x − μ)/σ: the distribution of the logarithm of a Weibull variable.

    Examples
    --------
    >>> from bibun.stats import gumbel_l
    >>> gumbel_l.logsf(0.0)
    np.float64(-1.0)
    """

    def logpdf(z: Array) -> Array:
        return z - np.exp(z)

    def logcdf(z: Array) -> Array:
        return log1mexp(np.exp(z))

    def logsf(z: Array) -> Array:
        return -np.exp(z)

    def cdf(z: Array) -> Array:
        return -np.expm1(-np.exp(z))


class skewnorm(Continuous):
    """The skew-normal distribution; `a` is its skewness parameter, of either sign.

    Notes
    -----
    f(z) = 2 φ(z) Φ(a z), with z = (x − μ)/σ (Azzalini 1985).

    Examples
    --------
    >>> from bibun.stats import skewnorm
    >>> skewnorm.logpdf(-10.0, 3.0)
    np.float64(-504.54703...)
    """

    def invalid(a: Array) -> Array:
        return np.isinf(a)

    def logpdf(z: Array, a: Array) -> Array:
        return math.log(2) - 0.5 * (z * z) - HALF_LOG_TAU + log_ndtr(a * z)


class exponnorm(Continuous):
    """The sum of a normal and an exponential variable, the latter of mean `K` > 0 times the scale.

    Notes
    -----
    f(z) = exp(1/(2K²) − z/K) Φ(z − 1/K) / K, with z = (x − μ)/σ. Where Φ is small its exponential is drawn into erfcx.

    Examples
    --------
    >>> from bibun.stats import exponnorm
    >>> exponnorm.logpdf(0.0, 1.0)
    np.float64(-1.3410216...)
    """

    def logpdf(z: Array, K: Array) -> Array:
        r = 1 / K
        below = np.less(z, r)
        u = (r - np.where(below, z, 0.0)) * math.sqrt(0.5)
        inner = -0.5 * (z * z) + np.log(0.5 * erfcx(u))
        outer = r * (0.5 * r - z) + log_ndtr(np.where(below, 0.0, z - r))
        return np.where(below, inner, outer) - np.log(K)
