"""Likelihoods as users write them, once for every library: `f(np, special, theta, *data)`, the negative log-likelihood.

`np` and `special` are the library's own modules of the names of NumPy and scipy.special. A new likelihood is a function
and an entry of `LIKELIHOODS`. Imports NumPy only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy

__all__ = ["LIKELIHOODS", "LOGISTIC", "Likelihood", "made"]

Array = numpy.ndarray


# --- logistic, three ways and a half ----------------------------------------------------------------------------------


def logistic_logaddexp(np: Any, special: Any, beta: Any, X: Any, y: Any) -> Any:
    eta = X @ beta
    return np.sum(np.logaddexp(0.0, eta) - y * eta)


def logistic_log1p(np: Any, special: Any, beta: Any, X: Any, y: Any) -> Any:
    eta = X @ beta
    return np.sum(np.log1p(np.exp(eta)) - y * eta)


def logistic_log_expit(np: Any, special: Any, beta: Any, X: Any, y: Any) -> Any:
    eta = X @ beta
    return -np.sum(y * special.log_expit(eta) + (1 - y) * special.log_expit(-eta))


def logistic_xlogy(np: Any, special: Any, beta: Any, X: Any, y: Any) -> Any:
    p = special.expit(X @ beta)
    return -np.sum(special.xlogy(y, p) + special.xlog1py(1 - y, -p))


LOGISTIC: dict[str, Callable[..., Any]] = {
    "np.logaddexp(0, eta)": logistic_logaddexp,
    "np.log1p(np.exp(eta))": logistic_log1p,
    "special.log_expit(eta)": logistic_log_expit,
    "special.xlogy(y, special.expit(eta))": logistic_xlogy,
}


# --- others -----------------------------------------------------------------------------------------------------------


def poisson(np: Any, special: Any, beta: Any, X: Any, y: Any) -> Any:
    eta = X @ beta
    return np.sum(np.exp(eta) - y * eta + special.gammaln(y + 1))


def negative_binomial(np: Any, special: Any, theta: Any, X: Any, y: Any) -> Any:
    eta, log_r = X @ theta[:-1], theta[-1]
    r = np.exp(log_r)
    log_total = np.logaddexp(eta, log_r)
    rows = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1)
    return -np.sum(rows + r * (log_r - log_total) + y * (eta - log_total))


def student_t(np: Any, special: Any, theta: Any, X: Any, y: Any) -> Any:
    nu, sigma = np.exp(theta[-2]), np.exp(theta[-1])
    z = (y - X @ theta[:-2]) / sigma
    constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * numpy.pi) - np.log(sigma)
    return -np.sum(constant - (nu + 1) / 2 * np.log1p(z * z / nu))


def zero_inflated_poisson(np: Any, special: Any, theta: Any, X: Any, y: Any) -> Any:
    eta, a = X @ theta[:-1], theta[-1]
    mu = np.exp(eta)
    log_zero, log_count = -np.logaddexp(0.0, -a), -np.logaddexp(0.0, a)
    zero = np.logaddexp(log_zero, log_count - mu)
    count = log_count + y * eta - mu - special.gammaln(y + 1)
    return -np.sum(np.where(y == 0, zero, count))


def ordinal_logit(np: Any, special: Any, theta: Any, X: Any, upper: Any, lower: Any) -> Any:
    """Five grades: four thresholds, the first and the logarithms of the steps, between two that are out of reach."""
    steps = np.cumsum(np.concatenate([theta[-4:-3], np.exp(theta[-3:])]), 0)
    ends = np.zeros_like(steps[:1])
    cuts = np.concatenate([ends - 40.0, steps, ends + 40.0])
    eta = X @ theta[:-4]
    return -np.sum(np.log(special.expit(cuts[upper] - eta) - special.expit(cuts[lower] - eta)))


def normal_mixture(np: Any, special: Any, theta: Any, y: Any) -> Any:
    """Weights, means and logarithms of the standard deviations of two normals."""
    a = -np.logaddexp(0.0, -theta[0]) - theta[3] - 0.5 * ((y - theta[1]) / np.exp(theta[3])) ** 2
    b = -np.logaddexp(0.0, theta[0]) - theta[4] - 0.5 * ((y - theta[2]) / np.exp(theta[4])) ** 2
    return -np.sum(np.logaddexp(a, b) - 0.5 * numpy.log(2 * numpy.pi))


# --- data -------------------------------------------------------------------------------------------------------------


def made(n: int, k: int) -> tuple[Array, Array, Array]:
    """A design, coefficients and a binary response; rows are drawn a million at a time, to use little memory beyond."""
    rng = numpy.random.default_rng(n + k)
    X = numpy.empty((n, k))
    for i in range(0, n, 1_000_000):
        rng.standard_normal(out=X[i : i + 1_000_000])
    X[:, 0] = 1
    beta = rng.normal(size=k) / numpy.sqrt(k)
    y = (rng.random(n) < 1 / (1 + numpy.exp(-X @ beta))).astype(float)
    return X, beta, y


def design(n: int, k: int, scale: float = 0.5) -> tuple[numpy.random.Generator, Array, Array, Array]:
    X, beta, _ = made(n, k)
    beta = beta * scale
    return numpy.random.default_rng(7), X, beta, X @ beta


def poisson_data(n: int, k: int) -> tuple[Array, ...]:
    rng, X, beta, eta = design(n, k)
    return beta * 0.9, X, rng.poisson(numpy.exp(eta)).astype(float)


def negative_binomial_data(n: int, k: int) -> tuple[Array, ...]:
    rng, X, beta, eta = design(n, k)
    y = rng.poisson(numpy.exp(eta) * rng.gamma(1.5, 1 / 1.5, n)).astype(float)
    return numpy.append(beta * 0.9, 0.3), X, y


def student_t_data(n: int, k: int) -> tuple[Array, ...]:
    rng, X, beta, eta = design(n, k)
    return numpy.append(beta * 0.9, [1.2, 0.1]), X, eta + rng.standard_t(4, n)


def zero_inflated_data(n: int, k: int) -> tuple[Array, ...]:
    rng, X, beta, eta = design(n, k)
    y = numpy.where(rng.random(n) < 0.3, 0, rng.poisson(numpy.exp(eta))).astype(float)
    return numpy.append(beta * 0.9, -0.8), X, y


def ordinal_data(n: int, k: int) -> tuple[Array, ...]:
    rng, X, beta, eta = design(n, k)
    grade = numpy.searchsorted([-1.5, -0.5, 0.5, 1.5], eta + rng.logistic(size=n))
    return numpy.concatenate([beta * 0.9, [-1.4, 0.1, 0.1, 0.0]]), X, grade + 1, grade


def mixture_data(n: int, k: int) -> tuple[Array, ...]:
    rng = numpy.random.default_rng(7)
    y = numpy.where(rng.random(n) < 0.4, rng.normal(-1, 0.5, n), rng.normal(1.5, 1.2, n))
    return numpy.array([0.1, -0.8, 1.2, -0.5, 0.1]), y


@dataclass
class Likelihood:
    """`data(n, k)` gives the parameters to differentiate at, and the constants."""

    name: str
    program: Callable[..., Any]
    data: Callable[[int, int], tuple[Array, ...]]


LIKELIHOODS: list[Likelihood] = [
    Likelihood("Poisson", poisson, poisson_data),
    Likelihood("negative binomial, dispersion free", negative_binomial, negative_binomial_data),
    Likelihood("Student t, degrees and scale free", student_t, student_t_data),
    Likelihood("zero-inflated Poisson", zero_inflated_poisson, zero_inflated_data),
    Likelihood("ordinal logit, 5 grades", ordinal_logit, ordinal_data),
    Likelihood("mixture of two normals", normal_mixture, mixture_data),
]
