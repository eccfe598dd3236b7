"""Distributions on an interval, and those whose support depends on a shape: beta, uniform, truncnorm, genextreme, ….

Each class gives standard forms (location 0, scale 1). A further one is a class below. Imports distribution and exact.
"""

import math
from typing import Any

import numpy as np

from ..core.scipy_special import betainc, betaincc, i0e, log_ndtr, xlog1py, xlogy
from ..typing import Array
from .distribution import Continuous
from .exact import log1mexp, log1p_over, log_beta

__all__ = ["beta", "genextreme", "genpareto", "triang", "truncnorm", "uniform", "vonmises"]

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class beta(Continuous):
    """The beta distribution of shapes `a`, `b` > 0.

    Notes
    -----
    f(z) = zᵃ⁻¹ (1 − z)ᵇ⁻¹ / B(a, b) for 0 <= z <= 1, with z = (x − loc)/scale.

    Examples
    --------
    >>> import bibun as bb
    >>> from bibun.stats import beta
    >>> beta.logpdf(0.5, 2.0, 2.0)
    np.float64(0.4054651081081...)
    >>> bb.grad(beta.logpdf, (1, 2))(0.5, 2.0, 2.0)
    (np.float64(0.1401861...), np.float64(0.1401861...))
    """

    low, high = 0.0, 1.0

    def edge(z: Array, a: Array, b: Array) -> Array:
        return (np.equal(z, 0) & np.greater(a, 1)) | (np.equal(z, 1) & np.greater(b, 1))

    def logpdf(z: Array, a: Array, b: Array) -> Array:
        return xlogy(a - 1, z) + xlog1py(b - 1, -z) - log_beta(a, b)

    def cdf(z: Array, a: Array, b: Array) -> Array:
        return betainc(a, b, z)

    def sf(z: Array, a: Array, b: Array) -> Array:
        return betaincc(a, b, z)


class uniform(Continuous):
    """The uniform distribution from `loc` to `loc + scale`.

    Notes
    -----
    f(z) = 1 for 0 <= z <= 1, with z = (x − loc)/scale. The derivative is that inside the interval.

    Examples
    --------
    >>> from bibun.stats import uniform
    >>> uniform.logpdf(1.0, 0.0, 2.0), uniform.logpdf(3.0, 0.0, 2.0)
    (np.float64(-0.6931471805599453), np.float64(-inf))
    """

    low, high = 0.0, 1.0

    def logpdf(z: Array) -> Array:
        return 0.0 * z

    def cdf(z: Array) -> Array:
        return z

    def sf(z: Array) -> Array:
        return 1 - z


class triang(Continuous):
    """The triangular distribution on [0, 1] with its mode at `c`.

    Notes
    -----
    f(z) = 2z/c up to c, and 2(1 − z)/(1 − c) from there on, with z = (x − loc)/scale.

    Examples
    --------
    >>> from bibun.stats import triang
    >>> triang.pdf(0.5, 0.5)
    np.float64(2.0)
    """

    low, high = 0.0, 1.0

    def invalid(c: Array) -> Array:
        return np.less(c, 0) | np.greater(c, 1)

    def edge(z: Array, c: Array) -> Array:
        return (np.equal(z, 0) & np.greater(c, 0)) | (np.equal(z, 1) & np.less(c, 1))

    def logpdf(z: Array, c: Array) -> Array:
        rising = np.less(z, c) | np.equal(c, 1)
        up = np.log(np.where(rising, z, 0.5)) - np.log(np.where(rising, c, 0.5))
        down = np.log1p(-np.where(rising, 0.5, z)) - np.log1p(-np.where(rising, 0.5, c))
        return math.log(2) + np.where(rising, up, down)


class truncnorm(Continuous):
    """The normal distribution cut to a <= z <= b; `a` and `b` are in units of the scale, counted from the location.

    Notes
    -----
    f(z) = φ(z) / (Φ(b) − Φ(a)), with z = (x − loc)/scale. The difference is taken in the tail where both are small.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.stats import truncnorm
    >>> truncnorm.logpdf(0.5, 0.0, np.inf)
    np.float64(-0.350791...)
    >>> truncnorm.logpdf(20.5, 20.0, 21.0)
    np.float64(-7.1267...)
    """

    def invalid(a: Array, b: Array) -> Array:
        return np.greater_equal(a, b)

    @classmethod
    def outside(cls, name: str, z: Array, shapes: tuple[Array, ...]) -> tuple[Any, Any]:
        return np.less(z, shapes[0]), np.greater(z, shapes[1])

    def logpdf(z: Array, a: Array, b: Array) -> Array:
        return -0.5 * (z * z) - HALF_LOG_TAU - _log_normal_mass(a, b)

    def logcdf(z: Array, a: Array, b: Array) -> Array:
        return _log_normal_mass(a, z) - _log_normal_mass(a, b)

    def logsf(z: Array, a: Array, b: Array) -> Array:
        return _log_normal_mass(z, b) - _log_normal_mass(a, b)


def _log_normal_mass(a: Array, b: Array) -> Array:
    """log(Φ(b) − Φ(a)) for a < b, by the tail in which both lie: the lower, after a reflection."""
    turned = np.greater(a + b, 0)
    low, high = np.where(turned, -b, a), np.where(turned, -a, b)
    top = log_ndtr(high)
    return top + log1mexp(top - log_ndtr(low))


class vonmises(Continuous):
    """Von Mises' distribution of an angle, with concentration `kappa` >= 0; its density is periodic.

    Notes
    -----
    f(z) = exp(κ cos z) / (2π I₀(κ)), with z = (x − loc)/scale; as exp(κ (cos z − 1)) over the scaled Bessel function.

    Examples
    --------
    >>> from bibun.stats import vonmises
    >>> vonmises.logpdf(0.5, 1000.0)
    np.float64(-119.88262...)
    """

    def invalid(kappa: Array) -> Array:
        return np.less(kappa, 0)

    def logpdf(z: Array, kappa: Array) -> Array:
        return -2 * kappa * np.square(np.sin(0.5 * z)) - math.log(2 * math.pi) - np.log(i0e(kappa))


class genextreme(Continuous):
    """The generalised distribution of extreme values, with SciPy's sign of `c`: at 0 it is Gumbel's.

    Notes
    -----
    F(z) = exp(−(1 − c z)^(1/c)), exp(−e⁻ᶻ) at c = 0, with z = (x − loc)/scale. Bounded above by 1/c where c > 0, below
    where c < 0. Values and slopes pass smoothly through c = 0.

    Examples
    --------
    >>> import bibun as bb
    >>> from bibun.stats import genextreme
    >>> genextreme.logpdf(1.0, 0.0), genextreme.logpdf(1.0, 1e-12)
    (np.float64(-1.3678794411714423), np.float64(-1.36787944117075...))
    >>> bb.grad(genextreme.logpdf, 1)(1.0, 0.0)
    np.float64(0.6839397205857...)
    """

    interior = 0.0

    def invalid(c: Array) -> Array:
        return np.isinf(c)

    @classmethod
    def outside(cls, name: str, z: Array, shapes: tuple[Array, ...]) -> tuple[Any, Any]:
        (c,) = shapes
        beyond = np.greater_equal(c * z, 1)
        return beyond & np.less(c, 0), beyond & np.greater(c, 0)

    def logpdf(z: Array, c: Array) -> Array:
        u = log1p_over(-z, c)
        return u - np.exp(u) - np.log1p(-c * z)

    def logcdf(z: Array, c: Array) -> Array:
        return -np.exp(log1p_over(-z, c))

    def logsf(z: Array, c: Array) -> Array:
        return log1mexp(np.exp(log1p_over(-z, c)))


class genpareto(Continuous):
    """The generalised Pareto distribution: c = 0 is exponential, c < 0 is bounded above by −1/c.

    Notes
    -----
    1 − F(z) = (1 + c z)^(−1/c), e⁻ᶻ at c = 0, for z >= 0, with z = (x − loc)/scale. Values and slopes pass smoothly
    through c = 0.

    Examples
    --------
    >>> from bibun.stats import genpareto
    >>> genpareto.logpdf(1.0, 0.0), genpareto.logpdf(1.0, 0.5)
    (np.float64(-1.0), np.float64(-1.216395324324493...))
    """

    def invalid(c: Array) -> Array:
        return np.isinf(c)

    @classmethod
    def outside(cls, name: str, z: Array, shapes: tuple[Array, ...]) -> tuple[Any, Any]:
        below = np.less_equal(z, 0) if name == "logcdf" else np.less(z, 0)
        return below, np.less_equal(1 + shapes[0] * z, 0) | np.equal(z, np.inf)

    def logpdf(z: Array, c: Array) -> Array:
        return -log1p_over(z, c) - np.log1p(c * z)

    def logcdf(z: Array, c: Array) -> Array:
        return log1mexp(log1p_over(z, c))

    def logsf(z: Array, c: Array) -> Array:
        return -log1p_over(z, c)
