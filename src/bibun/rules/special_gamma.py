"""The gamma function and its relatives: gammaln, psi, polygamma, zeta, beta, betaln, binom, poch.

Differences such as ψ(a+b) − ψ(a) are functions of their own here (`digamma_step`), because subtracting loses what is
wanted whenever b is small beside a. SciPy is imported. A further function of the family is a line at the end.
"""

import math
from functools import partial

import numpy as np

from ..core import scipy_special as sp
from ..core.domains import above, between, positive, static
from ..core.words import composite, elementwise
from ..typing import Array
from .products import certain, possible
from .special_own import as_operand, orders, own, piecewise

SHIFT = 10  # psi's recurrence is used this often before its asymptotic series is
BERNOULLI = sp.bernoulli(20)[2::2]


@own(
    None, lambda y, n, x: polygamma(n + 1, x), domain=positive, source="A&S 6.4",
    cases=[*orders(0, 1, 3), (static(np.array([0, 2])), ())],
)  # fmt: skip
def polygamma(n: int, x: Array) -> Array:
    """The n-th derivative of the digamma function, ψ⁽ⁿ⁾(x).

    Parameters
    ----------
    n : int or array_like of int
        The order, from 0 on; not differentiated.
    x : array_like or Variable

    Returns
    -------
    ndarray or Variable

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.special import polygamma
    >>> polygamma(1, 1.0), np.pi**2 / 6
    (np.float64(1.6449340668482266), 1.6449340668482264)
    >>> bb.grad(lambda x: polygamma(0, x))(1.0)
    np.float64(1.6449340668482266)
    """
    order = np.asarray(n)
    y = (-1.0) ** (order + 1) * sp.gamma(order + 1.0) * sp.zeta(order + 1, x)
    return np.where(order == 0, sp.psi(x), y)


@own(
    None,
    lambda y, n, a, b: digamma_step(n + 1, a, b),
    lambda y, n, a, b: polygamma(n + 1, a + b),
    domain=positive,
    cases=[(static(0), (3,), (3,)), (static(1), (), (2, 1)), (static(2), (3,), ())],
    source="A&S 6.4.6, 6.4.11",
)
def digamma_step(n: int, a: Array, b: Array) -> Array:
    """ψ⁽ⁿ⁾(a+b) − ψ⁽ⁿ⁾(a)."""
    ends = a, a + b
    low, step = np.where(b < 0, ends[1], a), np.abs(b)
    y = piecewise((low > 0) & (step < low / 2), partial(_small_step, n), partial(_large_step, n), low, step)
    return np.where(b < 0, -y, y)


def _large_step(n: int, a: Array, b: Array) -> Array:
    return polygamma(n, a + b) - polygamma(n, a)


def _small_step(n: int, a: Array, b: Array) -> Array:
    """The recurrence, then the asymptotic series, difference by difference: all terms have one sign."""
    total = np.zeros_like(a)
    for k in range(SHIFT):
        total += math.factorial(n) * _power_steps(n + 1, a + k, b)[-1]
    a = a + SHIFT
    steps = _power_steps(n + 2 * len(BERNOULLI), a, b)
    total += np.log1p(b / a) if n == 0 else math.factorial(n - 1) * steps[n - 1]
    total += math.factorial(n) / 2 * steps[n]
    for k, c in enumerate(BERNOULLI, 1):
        total += c * (math.factorial(2 * k + n - 1) / math.factorial(2 * k)) * steps[2 * k + n - 1]
    return total if n % 2 == 0 else -total


def _power_steps(top: int, a: Array, b: Array) -> list[Array]:
    """a⁻ᵖ − (a+b)⁻ᵖ for p = 1, …, top: uᵖ − vᵖ = (u − v)(uᵖ⁻¹ + uᵖ⁻²v + … + vᵖ⁻¹)."""
    u, v = 1 / a, 1 / (a + b)
    d, h, power = b * u * v, np.ones_like(a), np.ones_like(a)
    steps = [d]
    for _ in range(1, top):
        power = power * v
        h = u * h + power
        steps.append(d * h)
    return steps


def multigammaln(a: Array, d: int) -> Array:
    """The logarithm of the multivariate gamma function: of the Wishart density's constant.

    Parameters
    ----------
    a : array_like or Variable
        Greater than (d − 1)/2.
    d : int
        The dimension.

    Returns
    -------
    ndarray or Variable
        Of the shape of `a`.

    Raises
    ------
    ValueError
        If `d` is no positive integer, or `a` is too small for it (recorded for other values, there it is NaN).

    Examples
    --------
    >>> import bibun as bb
    >>> from bibun.special import multigammaln
    >>> multigammaln(3.0, 1), multigammaln(3.0, 2)
    (np.float64(0.6931471805599453), np.float64(1.5501949939575645))
    >>> bb.grad(lambda a: multigammaln(a, 2))(3.0)
    np.float64(1.62594...)
    """
    if d != int(d) or d < 1:
        raise ValueError(f"multigammaln: d = {d!r} where a positive integer (the dimension) is needed")
    a = as_operand(a, "multigammaln")
    outside = np.less_equal(a, 0.5 * (d - 1))
    if certain(outside):
        raise ValueError(f"multigammaln: an `a` that is not greater than (d - 1)/2 = {0.5 * (d - 1)}")
    a = np.where(outside, np.nan, a) if possible(outside) else a
    y = sp.gammaln(a)
    for j in range(1, int(d)):
        y = y + sp.gammaln(a - 0.5 * j)
    return y + d * (d - 1) / 4 * math.log(math.pi)


def rgamma_slope(y: Array, x: Array) -> Array:
    """−ψ(x)/Γ(x); to the left, where ψ has poles and the slope has none, by reflection."""
    left = np.less(x, 0.5)
    t = np.where(left, x, 0.25)
    turn = math.pi * (t - 2 * np.floor(t / 2 + 0.5))
    reflected = sp.gamma(1 - t) * (np.cos(turn) - np.sin(turn) * sp.psi(1 - t) / math.pi)
    return np.where(left, reflected, -y * sp.psi(np.where(left, 1.0, x)))


def _zeta_slope(y: Array, x: Array, q: Array) -> Array:
    return -1.0 * x * hurwitz(x + 1, q)


# The functions of SciPy -----------------------------------------------------------------------------------------------

hurwitz = sp._ufuncs._zeta
"""The ufunc behind scipy.special.zeta(x, q), which is a Python function."""

elementwise(sp.gammaln, lambda y, x: sp.psi(x), domain=positive)
elementwise(sp.loggamma, lambda y, x: sp.psi(x), domain=positive)
elementwise(sp.gamma, lambda y, x: y * sp.psi(x), domain=positive)
elementwise(sp.rgamma, rgamma_slope)
elementwise(sp.psi, lambda y, x: polygamma(1, x), domain=positive)
elementwise(
    hurwitz, None, _zeta_slope, domain=positive, name="zeta",
    cases=[(static(2.0), (3,)), (static(3.5), ()), (static(np.array([2.0, 4.0, 1.5])), (2, 1))],
)  # fmt: skip
elementwise(
    sp.beta, lambda y, a, b: -y * digamma_step(0, a, b), lambda y, a, b: -y * digamma_step(0, b, a), domain=positive
)
elementwise(sp.betaln, lambda y, a, b: -digamma_step(0, a, b), lambda y, a, b: -digamma_step(0, b, a), domain=positive)
elementwise(
    sp.binom,
    lambda y, a, b: y * digamma_step(0, 1 + a - b, 1.0 * b),
    lambda y, a, b: y * digamma_step(0, 1.0 + b, 1.0 * a - 2.0 * b),
    domain=(above(3), between(0, 3)),
)
elementwise(
    sp.poch, lambda y, a, b: y * digamma_step(0, a, b), lambda y, a, b: y * sp.psi(1.0 * a + b), domain=positive
)
composite(multigammaln, multigammaln, domain=above(2), cases=[((3,), static(3)), ((), static(1)), ((2, 3), static(2))])
