"""Parts of log-densities that would cancel if they were written with SciPy's functions: each with exact slopes.

Declared with `own`, like the functions rules/special_*.py adds for its slopes. Imports the rules, and SciPy.
"""

import math

import numpy as np

from ..core import scipy_special as sp
from ..core.domains import above, positive, static
from ..rules import special as _rules  # noqa: F401  (declares scipy.special's)
from ..rules.special_elementary import log_mean
from ..rules.special_gamma import digamma_step
from ..rules.special_incomplete import log_beta as log_beta_of_arrays
from ..rules.special_own import orders, own, piecewise
from ..typing import Array

__all__ = [
    "log1mexp", "log1p_over", "log_beta", "log_choose", "rising", "student_constant", "student_kernel",
    "zeta_moment",
]  # fmt: skip

BERNOULLI = sp.bernoulli(44)
TERMS = 20

# --- exponentials -----------------------------------------------------------------------------------------------------


@own(lambda y, x: -y * (1.0 + y), domain=positive)
def bose(x: Array) -> Array:
    """1 / (exp(x) − 1)."""
    return 1 / np.expm1(x)


@own(lambda y, x: bose(x), domain=positive)
def log1mexp(x: Array) -> Array:
    """log(1 − exp(−x)) for x >= 0."""
    return np.where(x < math.log(2), np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))


def log1p_over(a: Array, b: Array) -> Array:
    """log(1 + a b) / b, and `a` at b = 0, smoothly."""
    return a * log_mean(0, 1.0 + a * b)


# --- beta and its kin -------------------------------------------------------------------------------------------------


@own(lambda y, a, b: -digamma_step(0, a, b), lambda y, a, b: -digamma_step(0, b, a), domain=positive)
def log_beta(a: Array, b: Array) -> Array:
    """log B(a, b), also where one argument is small and the other large."""
    return log_beta_of_arrays(*np.broadcast_arrays(a, b))


def log_choose(n: Array, k: Array) -> Array:
    """log of n over k."""
    return -np.log(n + 1) - log_beta(n - k + 1, k + 1)


# --- Student's t ------------------------------------------------------------------------------------------------------

LARGE = 30.0  # degrees of freedom from which on the constant is its asymptotic series
STEPS = [(k, (2.0**-k - 2) * float(BERNOULLI[k + 1]) / (k * (k + 1))) for k in range(1, 20, 2)]


@own(None, lambda y, n, a: student_constant(n + 1, a), domain=positive, cases=orders(0, 1, 2), source="A&S 6.1.47")
def student_constant(n: int, a: Array) -> Array:
    """The n-th derivative of log of Γ((a + 1)/2) / Γ(a/2) √(2/a), which falls to 0 as 1/a."""

    def near(a: Array) -> Array:
        half = np.asarray(0.5)
        if n == 0:
            return 0.5 * math.log(2 * math.pi) - log_beta_of_arrays(*np.broadcast_arrays(half, a / 2)) - 0.5 * np.log(a)
        return digamma_step(n - 1, a / 2, half) / 2.0**n + (-1) ** n * math.factorial(n - 1) / 2 * a ** -float(n)

    def far(a: Array) -> Array:
        x = a / 2
        terms = [c * (-1) ** n * math.perm(k + n - 1, n) * x ** -float(k + n) for k, c in STEPS]
        return sum(terms[::-1], np.zeros_like(x)) / 2.0**n

    return piecewise(a < LARGE, near, far, a)


@own(lambda y, x: x / np.square(1.0 + x), domain=positive)
def lag(x: Array) -> Array:
    """log(1 + x) − x/(1 + x), which begins as x²/2."""

    def near(x: Array) -> Array:
        v = x / (1 + x)  # log(1 + x) = −log(1 − v) = v + v²/2 + …
        return v * v * np.polynomial.polynomial.polyval(v, [1 / (k + 2) for k in range(30)])

    return piecewise(x < 0.4, near, lambda x: np.log1p(x) - x / (1 + x), x)


@own(
    lambda y, a, w: 0.5 * w / (a * (a + w)) - 0.5 * lag(w / a),
    lambda y, a, w: -0.5 * (1.0 + a) / (1.0 * a + w),
    domain=positive,
)
def student_kernel(a: Array, w: Array) -> Array:
    """−(a + 1)/2 log(1 + w/a), whose slope in `a` falls to 0 as 1/a²."""
    return -0.5 * (a + 1) * np.log1p(w / a)


# --- the negative binomial --------------------------------------------------------------------------------------------

NEAR = 0.1  # k·a below which the series in it is used


def power_sum(p: int, k: Array) -> Array:
    """(0ᵖ + 1ᵖ + … + (k − 1)ᵖ) / kᵖ⁺¹, by Faulhaber's formula."""
    u = 1 / np.maximum(k, 1)
    coefficients = [math.comb(p + 1, i) * float(BERNOULLI[i]) for i in range(p + 1)]
    return np.polynomial.polynomial.polyval(u, coefficients) / (p + 1)


@own(
    None, None, lambda y, n, k, a: rising(n + 1, k, a), domain=positive, source="Faulhaber; A&S 6.3, 6.4",
    cases=[(static(0), static(np.array([0.0, 1.0, 7.0])), (3,)), (static(1), static(np.array([2.0, 4.0])), (2, 1))],
)  # fmt: skip
def rising(n: int, k: Array, a: Array) -> Array:
    """The n-th derivative in `a` of Σ log(1 + j a) over j = 0, …, k − 1: of log Γ(k + 1/a) − log Γ(1/a) + k log a.

    Exact for all a >= 0: where k a is small by its power series, whose coefficients are sums of powers.
    """

    def near(k: Array, a: Array) -> Array:
        v, total = k * a, np.zeros_like(a)
        for i in range(TERMS, -1, -1):
            if n == 0:
                c = (-1) ** (i + 1) / i if i else 0.0
            else:
                c = (-1) ** (n - 1 + i) * math.factorial(n - 1) * math.comb(n + i - 1, i)
            total = total * v + (c * power_sum(n + i, k) if c else 0.0)
        return np.where(k < 2, 0.0, total * k ** (n + 1))

    def far(k: Array, a: Array) -> Array:
        r = 1 / a
        if n == 0:
            return _log_rising(r, k) + k * np.log(a)
        total = 1.0 * k
        for i in range(1, n + 1):
            step = (-1) ** (i + 1) / math.factorial(i - 1) * digamma_step(i - 1, r, k)
            total = total + math.comb(n, i) * (-r) ** i * step
        return np.where(k < 2, 0.0, (-1) ** (n - 1) * math.factorial(n - 1) * r**n * total)

    def each(k: Array, a: Array) -> Array:
        k, a = np.broadcast_arrays(k, a)
        return piecewise(k * a < NEAR, near, far, k, a)

    if a.size == 1 and k.size > 1 and np.min(k) >= 0 and np.max(k) < k.size:  # one for each count is enough
        y = each(np.arange(np.max(k) + 1), np.reshape(a, ()))[k.astype(np.intp)]
        return np.reshape(y, np.broadcast_shapes(k.shape, a.shape))
    return each(k, a)


def _log_rising(r: Array, k: Array) -> Array:
    """log Γ(r + k) − log Γ(r), by way of B(r, k) where that does not subtract large numbers."""
    k = np.asarray(k, np.float64)
    return np.where(k == 0, 0.0, sp.gammaln(np.maximum(k, 1)) - log_beta_of_arrays(r, np.maximum(k, 1)))


# --- the zeta function ------------------------------------------------------------------------------------------------

FIRST = 16  # terms summed before the Euler-Maclaurin formula takes over


@own(None, lambda y, n, a: -zeta_moment(n + 1, a), domain=above(1), cases=orders(0, 1, 2), source="A&S 23.1.30")
def zeta_moment(n: int, a: Array) -> Array:
    """Σ (log k)ⁿ k⁻ᵃ over k = 1, 2, …: the zeta function and, up to sign, its derivatives."""
    a, log, b = np.asarray(a), math.log(FIRST), a - 1
    total = np.asarray(sum(math.log(k) ** n * k**-a for k in range(1, FIRST)))
    rest = sum(math.perm(n, n - i) * log**i / b ** (n - i + 1) for i in range(n + 1)) * FIRST**-b
    total = total + rest + 0.5 * log**n * FIRST**-a
    powers = [np.zeros_like(a) for _ in range(n)] + [np.ones_like(a)]  # of the logarithm, in f⁽ʲ⁾(x) xᵃ⁺ʲ
    for j in range(20):
        powers = [(i + 1) * q - (a + j) * p for i, (p, q) in enumerate(zip(powers, [*powers[1:], 0.0], strict=True))]
        if j % 2 == 0:
            f = sum(p * log**i for i, p in enumerate(powers)) * FIRST ** -(a + j + 1)
            total = total - float(BERNOULLI[j + 2]) / math.factorial(j + 2) * f
    return total
