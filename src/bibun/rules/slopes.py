"""Derivatives of ufuncs that have a rule of their own.

Written out in NumPy inside the rule of the ufunc, the slope of each of these would cancel, overflow or divide by zero;
as a function with its own partial derivatives it is accurate to every order. Imports core only. The next one goes
here when a second derivative in ufuncs.py loses digits that its own closed form keeps.
"""

import math

import numpy as np

from ..core.absorbing import has_nan
from ..core.dispatch import function
from ..core.domains import Domain, nonzero, real, static
from ..core.words import elementwise, general
from ..typing import Array

__all__ = ["bessel_quotient", "cosine", "inverse_gap", "inverse_root", "inverse_sum", "sech_squared", "share", "share2"]

LN2 = math.log(2)


@function
def inverse_root(x: Array) -> Array:
    """1 / sqrt(1 - x²): the slope of arcsin. Near 1 the product keeps what the difference loses."""
    if np.iscomplexobj(x):  # -(x - 1), not 1 - x: the sign of a zero imaginary part says which side of the cut
        return 1 / (np.sqrt(-(x - 1)) * np.sqrt(1 + x))
    return 1 / np.sqrt((1 - x) * (1 + x))


@function
def inverse_gap(x: Array) -> Array:
    """1 / (1 - x²): the slope of arctanh."""
    return 1 / ((1 - x) * (1 + x))


@function
def inverse_sum(x: Array) -> Array:
    """1 / (1 + x²): the slope of arctan."""
    return 1 / (1 + x * x)


@function
def sech_squared(x: Array) -> Array:
    """1 / cosh(x)²: the slope of tanh, where 1 - tanh(x)² would cancel."""
    return (1 / np.cosh(x)) ** 2


elementwise(sech_squared, lambda y, x: -2 * np.tanh(x) * y)
elementwise(inverse_root, lambda y, x: x * y * y * y, domain=Domain(-0.8, 0.8))
elementwise(inverse_gap, lambda y, x: 2 * x * y * y, domain=Domain(-0.8, 0.8))
elementwise(inverse_sum, lambda y, x: -2 * (x * y) * y)  # x * y first: y * y underflows where the product does not


@function
def cosine(a: Array, b: Array) -> Array:
    """a / hypot(a, b): the cosine of the angle of the point (a, b), and 0 at the origin, where it has none."""
    h = np.hypot(a, b)
    with np.errstate(invalid="ignore"):
        y = a / h
    return np.where(h == 0, 0, y) if has_nan(y) else y  # asked first: np.where costs more than all the rest


def _cosine_along(y: Array, a: Array, b: Array) -> Array:
    s = cosine(b, a)
    return s * (s / np.hypot(a, b))


elementwise(
    cosine,
    _cosine_along,
    lambda y, a, b: -y * (cosine(b, a) / np.hypot(a, b)),
    domain=nonzero,
)


@function
def share(a: Array, b: Array) -> Array:
    """exp(a) / (exp(a) + exp(b)): the part of a in logaddexp(a, b). Equal infinities have a half each."""
    return _halved(1 / (1 + np.exp(b - a)), a, b)


@function
def share2(a: Array, b: Array) -> Array:
    """2**a / (2**a + 2**b): the part of a in logaddexp2(a, b)."""
    return _halved(1 / (1 + np.exp2(b - a)), a, b)


def _halved(y: Array, a: Array, b: Array) -> Array:
    return np.where(np.equal(a, b), 0.5, y) if has_nan(y) else y


elementwise(share, lambda y, a, b: y * share(b, a), lambda y, a, b: -y * share(b, a))
elementwise(share2, lambda y, a, b: LN2 * y * share2(b, a), lambda y, a, b: -LN2 * y * share2(b, a))


# --- sinc ------------------------------------------------------------------------------------------------------------


@function
def bessel_quotient(x: Array, n: int) -> Array:
    """j_n(x) / x**n, with j_n the spherical Bessel function: even, smooth, and at n = 0 sin(x) / x."""
    near = np.abs(x) < n + 2
    return np.where(near, _series(np.where(near, x, 0), n), _recurrence(np.where(near, n + 2, x), n))


def _series(x: Array, n: int) -> Array:
    z, total = x * x / 2, 1 + 0 * x
    for k in range(16, 0, -1):
        total = 1 - z / (k * (2 * n + 2 * k + 1)) * total
    return total / math.prod(range(1, 2 * n + 2, 2))


def _recurrence(x: Array, n: int) -> Array:
    below, here = np.cos(x), np.sin(x) / x
    for m in range(n):
        below, here = here, ((2 * m + 1) * here - below) / (x * x)
    return here


general(
    bessel_quotient,
    jvp=lambda t, y, x, n: t * (-x * bessel_quotient(x, n + 1)),
    vjp=lambda g, y, x, n: g * (-x * bessel_quotient(x, n + 1)),
    domain=real,
    cases=[((3,), static(1)), ((2, 3), static(0)), ((), static(2)), ((0,), static(1))],
    source="Abramowitz & Stegun 10.1.2, 10.1.19, 10.1.24",
)
