"""Distributions of integers: bernoulli, binom, poisson, nbinom, geom, …, some also by their natural parameters.

Each class gives standard forms (location 0) in NumPy and scipy.special; a `Natural` gives other parameters (`logit`,
`log_rate`, `mu` and `alpha`), with the forms that hold more digits by them. Imports distribution and exact.
"""

import numpy as np

from ..core.scipy_special import (
    betainc,
    betaincc,
    expit,
    gammaln,
    log_expit,
    pdtr,
    pdtrc,
    xlog1py,
    xlogy,
)
from ..typing import Array
from .distribution import Discrete, Natural
from .exact import log1mexp, log1p_over, log_beta, log_choose, rising, zeta_moment

__all__ = ["bernoulli", "betabinom", "binom", "geom", "nbinom", "poisson", "zipf"]


def no_probability(p: Array) -> Array:
    """Where `p` is no probability."""
    return np.less(p, 0) | np.greater(p, 1)


def no_count(n: Array) -> Array:
    """Where `n` is no number of trials."""
    return np.less(n, 0) | np.greater(n - np.floor(n), 0)


def never(*_: Array) -> None:
    """For parameters that are valid whatever they are."""


class bernoulli(Discrete):
    """One trial that succeeds with probability `p`; or `logit`, the logarithm of the odds.

    Notes
    -----
    P(1) = p, P(0) = 1 − p, with p = expit(logit): log P(k) = log_expit((2k − 1) logit), exact in both tails.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.stats import bernoulli
    >>> bernoulli.logpmf(np.array([0, 1, 2]), 0.25)
    array([-0.28768207, -1.38629436,        -inf])
    >>> bernoulli.logpmf(1, logit=50.0)
    np.float64(-1.92874984796391...e-22)
    >>> bb.grad(lambda b: bernoulli.logpmf(1, logit=b))(50.0)
    np.float64(1.92874984796391...e-22)
    """

    high, interior = 1.0, 0.0
    invalid = no_probability

    def logpmf(k: Array, p: Array) -> Array:
        return xlogy(k, p) + xlog1py(1 - k, -p)

    def cdf(k: Array, p: Array) -> Array:
        return np.where(np.less(k, 1), 1 - p, 1.0)

    def sf(k: Array, p: Array) -> Array:
        return np.where(np.less(k, 1), p, 0.0)

    by_logit = Natural(
        "logit", lambda logit: (expit(logit),), never, logpmf=lambda k, logit: log_expit((2 * k - 1) * logit)
    )


class binom(Discrete):
    """The successes of `n` trials, each of probability `p`; or `logit`, the logarithm of the odds.

    Notes
    -----
    P(k) = C(n, k) pᵏ (1 − p)ⁿ⁻ᵏ, with p = expit(logit).

    Examples
    --------
    >>> import bibun as bb
    >>> from bibun.stats import binom
    >>> binom.logpmf(3, 10, 0.5), binom.logpmf(0, 10, 0.0)
    (np.float64(-2.143980...), np.float64(0.0))
    >>> bb.grad(lambda b: binom.logpmf(3, 10, logit=b))(0.0)
    np.float64(-2.0)
    """

    def invalid(n: Array, p: Array) -> Array:
        return no_count(n) | no_probability(p)

    def edge(k: Array, n: Array, p: Array) -> Array:
        return np.greater(k, n)

    def logpmf(k: Array, n: Array, p: Array) -> Array:
        return log_choose(n, k) + xlogy(k, p) + xlog1py(n - k, -p)

    def cdf(k: Array, n: Array, p: Array) -> Array:
        full, k = np.greater_equal(k, n), np.floor(k)
        return np.where(full, 1.0, betaincc(np.where(full, 0.0, k) + 1, np.where(full, 1.0, n - k), p))

    def sf(k: Array, n: Array, p: Array) -> Array:
        full, k = np.greater_equal(k, n), np.floor(k)
        return np.where(full, 0.0, betainc(np.where(full, 0.0, k) + 1, np.where(full, 1.0, n - k), p))

    by_logit = Natural(
        "n logit",
        lambda n, logit: (n, expit(logit)),
        lambda n, logit: no_count(n),
        logpmf=lambda k, n, logit: log_choose(n, k) + k * log_expit(logit) + (n - k) * log_expit(-logit),
    )


class poisson(Discrete):
    """Counts of mean `mu` >= 0; or `log_rate`, its logarithm.

    Notes
    -----
    P(k) = μᵏ e^(−μ) / k!, with μ = exp(log_rate).

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.stats import poisson
    >>> poisson.logpmf(np.array([0, 1, 2]), 2.0)
    array([-2.        , -1.30685282, -1.30685282])
    >>> bb.grad(lambda eta: poisson.logpmf(3, log_rate=eta))(0.0)
    np.float64(2.0)
    """

    def invalid(mu: Array) -> Array:
        return np.less(mu, 0)

    def logpmf(k: Array, mu: Array) -> Array:
        return xlogy(k, mu) - mu - gammaln(k + 1)

    def cdf(k: Array, mu: Array) -> Array:
        return pdtr(np.floor(k), mu)

    def sf(k: Array, mu: Array) -> Array:
        return pdtrc(np.floor(k), mu)

    by_log_rate = Natural(
        "log_rate",
        lambda log_rate: (np.exp(log_rate),),
        never,
        logpmf=lambda k, log_rate: k * log_rate - np.exp(log_rate) - gammaln(k + 1),
    )


def _by_mean(k: Array, mu: Array, alpha: Array) -> Array:
    return _by_log_mean(k, xlogy(k, mu), mu, alpha)


def _by_log_mean(k: Array, k_log_mu: Array, mu: Array, alpha: Array) -> Array:
    return rising(0, k, alpha) + k_log_mu - gammaln(k + 1) - k * np.log1p(alpha * mu) - log1p_over(mu, alpha)


def _standard(mu: Array, alpha: Array) -> tuple[Array, Array]:
    return 1 / alpha, 1 / (1 + alpha * mu)


class nbinom(Discrete):
    """Failures before the n-th success; or counts of mean `mu` (`log_mu`) and dispersion `alpha` >= 0.

    Notes
    -----
    P(k) = Γ(k + n)/(Γ(n) k!) pⁿ (1 − p)ᵏ, with n = 1/α and p = 1/(1 + αμ): the variance is μ + αμ². By mean and
    dispersion it passes smoothly into the Poisson distribution at α = 0, with its derivatives:
    log P(k) = Σ_{j<k} log(1 + jα) + k log μ − log k! − k log(1 + αμ) − log(1 + αμ)/α.

    Examples
    --------
    >>> import bibun as bb
    >>> from bibun.stats import nbinom
    >>> nbinom.logpmf(3, 2.0, 0.5)
    np.float64(-2.0794415416798...)
    >>> nbinom.logpmf(3, mu=2.0, alpha=0.0), nbinom.logpmf(3, mu=2.0, alpha=1e-10)
    (np.float64(-1.7123179275482...), np.float64(-1.7123179276482...))
    >>> bb.grad(lambda a: nbinom.logpmf(3, mu=2.0, alpha=a))(1e-10)
    np.float64(-0.99999999983...)
    """

    def invalid(n: Array, p: Array) -> Array:
        return np.less_equal(n, 0) | np.less_equal(p, 0) | np.greater(p, 1)

    def logpmf(k: Array, n: Array, p: Array) -> Array:
        return -log_beta(n, k + 1) - np.log(n + k) + xlogy(n, p) + xlog1py(k, -p)

    def cdf(k: Array, n: Array, p: Array) -> Array:
        return betainc(n, np.floor(k) + 1, p)

    def sf(k: Array, n: Array, p: Array) -> Array:
        return betaincc(n, np.floor(k) + 1, p)

    by_mean = Natural("mu alpha", _standard, lambda mu, alpha: np.less(mu, 0) | np.less(alpha, 0), logpmf=_by_mean)
    by_log_mean = Natural(
        "log_mu alpha",
        lambda log_mu, alpha: _standard(np.exp(log_mu), alpha),
        lambda log_mu, alpha: np.less(alpha, 0),
        logpmf=lambda k, log_mu, alpha: _by_log_mean(k, k * log_mu, np.exp(log_mu), alpha),
    )


class geom(Discrete):
    """Trials up to the first success, each of probability `p`; or `logit`, the logarithm of the odds.

    Notes
    -----
    P(k) = p (1 − p)ᵏ⁻¹ for k = 1, 2, …, with p = expit(logit).

    Examples
    --------
    >>> from bibun.stats import geom
    >>> geom.logpmf(3, 0.5)
    np.float64(-2.0794415416798357)
    """

    low = 1.0

    def invalid(p: Array) -> Array:
        return np.less_equal(p, 0) | np.greater(p, 1)

    def logpmf(k: Array, p: Array) -> Array:
        return np.log(p) + xlog1py(k - 1, -p)

    def logcdf(k: Array, p: Array) -> Array:
        return log1mexp(-np.floor(k) * np.log1p(-p))

    def cdf(k: Array, p: Array) -> Array:
        return -np.expm1(np.floor(k) * np.log1p(-p))

    def logsf(k: Array, p: Array) -> Array:
        return np.floor(k) * np.log1p(-p)

    by_logit = Natural(
        "logit",
        lambda logit: (expit(logit),),
        never,
        logpmf=lambda k, logit: log_expit(logit) + (k - 1) * log_expit(-logit),
    )


class betabinom(Discrete):
    """The successes of `n` trials whose probability has the beta distribution of shapes `a`, `b` > 0.

    Notes
    -----
    P(k) = C(n, k) B(k + a, n − k + b) / B(a, b).

    Examples
    --------
    >>> from bibun.stats import betabinom
    >>> betabinom.logpmf(1, 2, 1.0, 1.0)
    np.float64(-1.0986122886681...)
    """

    def invalid(n: Array, a: Array, b: Array) -> Array:
        return no_count(n) | np.less_equal(a, 0) | np.less_equal(b, 0)

    def edge(k: Array, n: Array, a: Array, b: Array) -> Array:
        return np.greater(k, n)

    def logpmf(k: Array, n: Array, a: Array, b: Array) -> Array:
        return log_choose(n, k) + log_beta(k + a, n - k + b) - log_beta(a, b)


class zipf(Discrete):
    """Zipf's distribution of exponent `a` > 1.

    Notes
    -----
    P(k) = k⁻ᵃ / ζ(a) for k = 1, 2, ….

    Examples
    --------
    >>> from bibun.stats import zipf
    >>> zipf.logpmf(1, 2.0)
    np.float64(-0.4977003024707...)
    """

    low = 1.0

    def invalid(a: Array) -> Array:
        return np.less_equal(a, 1)

    def logpmf(k: Array, a: Array) -> Array:
        return -a * np.log(k) - np.log(zeta_moment(0, a))
