"""Error functions and the normal distribution as vector code: erf, erfc, erfcx, ndtr, log_ndtr, inverse_mills, ierfc.

Tails come first: exp(x²) iⁿerfc(x) is one polynomial in (x - 4) / (x + 4) on all of x >= 0, times a power of 1/(1 + 2x)
(Shepherd & Laframboise 1981); the rest is made of it and of exp(-x²), with x² as a sum of two numbers. What functions
of the same argument have in common is written once. tests/units/compiler/test_vector_special.py holds the largest
errors. Imports ir.py, vector_math.py.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from . import coefficients_special as s
from .ir import Builder, vector
from .vector_gamma import log_normal
from .vector_math import exp, exp_nonpositive

__all__: list[str] = []

ROOT_HALF, ROOT_PI = math.sqrt(0.5), math.sqrt(math.pi)
SCALED = (s.ERFCX, s.IERFC_1, s.IERFC_2)


class Line(NamedTuple):
    """The half-line x >= 0 as an interval: x, t = (x - 4) / (x + 4), t², and 1 / (1 + 2x)."""

    x: str
    t: str
    square: str
    scale: str


def kept(b: Builder, key: tuple[str, str], make: Callable[[], str]) -> str:
    """What `make` writes, once as long as it can be used."""
    if b.shared is None:
        return make()
    if key not in b.shared:
        b.shared[key] = make()
    return str(b.shared[key])


def half_line(b: Builder, x: str, factor: float) -> Line:
    """Of |x| times a factor."""
    a = kept(b, (f"line {factor}", x), lambda: b.abs(x) if factor == 1 else b.mul(b.abs(x), b.number(factor)))

    def moved() -> str:
        near = b.smaller(a, b.number(1e20))  # a quotient of infinities is none
        one, four = b.number(1.0), b.number(4.0)
        inverse = b.div(one, b.add(near, four))
        t = b.mul(b.sub(near, four), inverse)
        left = b.fma(b.neg(t), near, b.fma(b.add(t, one), b.number(-4.0), near))  # x - 4 - t (x + 4)
        return b.fma(left, inverse, t)

    t = kept(b, (f"line t {factor}", x), moved)
    square = kept(b, (f"line t² {factor}", x), lambda: b.mul(t, t))
    half = b.number(0.5)
    return Line(a, t, square, kept(b, (f"line scale {factor}", x), lambda: b.div(half, b.add(a, half))))


def scaled(b: Builder, line: Line, n: int) -> str:
    """(1 + 2x)ⁿ⁺¹ exp(x²) iⁿerfc(x)."""
    p = kept(b, (f"ierfc {n}", line.t), lambda: b.two_chains(line.t, line.square, SCALED[n]))
    return p if n else b.add(p, b.number(1.0))


def scaled_erfc(b: Builder, line: Line) -> str:
    """erfcx of the line's x >= 0."""

    def write() -> str:
        rest = kept(b, ("ierfc 0", line.t), lambda: b.two_chains(line.t, line.square, s.ERFCX))
        return b.fma(rest, line.scale, line.scale)

    return kept(b, ("erfcx", line.t), write)


def decay(b: Builder, x: str, factor: float) -> str:
    """exp(-factor x²): the square is exact, and what is rounded off comes after."""

    def write() -> str:
        a = b.smaller(b.abs(x), b.number(60.0))
        half = b.mul(a, b.number(-factor))
        high = b.mul(half, a)
        e = exp_nonpositive(b, high)
        return b.fma(e, b.fma(half, a, b.neg(high)), e)

    return kept(b, (f"decay {factor}", x), write)


# --- error functions -------------------------------------------------------------------------------------------------


def erfc_of_size(b: Builder, x: str) -> str:
    """erfc(|x|)."""
    return kept(b, ("erfc", x), lambda: b.mul(decay(b, x, 1.0), scaled_erfc(b, half_line(b, x, 1.0))))


def erf_near(b: Builder, x: str) -> str:
    """erf(x) for |x| < 1."""
    square = b.mul(x, x)
    return b.mul(x, b.two_chains(square, b.mul(square, square), s.ERF))


@vector("erf")
def erf(b: Builder, x: str) -> str:
    one = b.number(1.0)
    far = b.copysign(b.sub(one, erfc_of_size(b, x)), x)
    return b.select(b.compare("olt", b.abs(x), one), erf_near(b, x), far)


@vector("erfc")
def erfc(b: Builder, x: str) -> str:
    tail = erfc_of_size(b, x)
    y = b.select(b.compare("olt", x, b.number(0.0)), b.sub(b.number(2.0), tail), tail)
    return b.select(b.compare("olt", b.abs(x), b.number(0.5)), b.sub(b.number(1.0), erf_near(b, x)), y)


@vector("erfcx")
def erfcx(b: Builder, x: str) -> str:
    tail = scaled_erfc(b, half_line(b, x, 1.0))
    left = b.larger(b.smaller(x, b.number(0.0)), b.number(-30.0))
    high = b.mul(left, left)
    e = exp(b, high)
    e = b.select(b.compare("olt", e, b.number(math.inf)), b.fma(e, b.fma(left, left, b.neg(high)), e), e)
    return b.select(b.compare("olt", x, b.number(0.0)), b.sub(b.add(e, e), tail), tail)


@vector("ierfc_product")
def ierfc_scaled(b: Builder, n: int, x: str) -> str:
    """exp(x²) iⁿerfc(x), n = 1 or 2; of x < 0 by the recurrence."""
    line = half_line(b, x, 1.0)
    tail = scaled(b, line, n)
    for _ in range(n + 1):
        tail = b.mul(tail, line.scale)
    before, y = erfcx(b, x), b.number(2 / ROOT_PI)
    y = b.mul(b.sub(y, b.mul(b.add(x, x), before)), b.number(0.5))
    if n == 2:
        y = b.mul(b.sub(before, b.mul(b.add(x, x), y)), b.number(0.25))
    return b.select(b.compare("olt", x, b.number(0.0)), y, tail)


@vector("ierfc_quotient")
def ierfc_ratio(b: Builder, n: int, x: str) -> str:
    """iⁿerfc(x) / iⁿ⁻¹erfc(x), n = 1 or 2."""
    zero, one = b.number(0.0), b.number(1.0)
    line = half_line(b, x, 1.0)
    left = b.sub(b.div(decay(b, x, 1.0), b.mul(b.sub(b.number(2.0), erfc_of_size(b, x)), b.number(ROOT_PI))), x)
    if n == 2:
        left = b.mul(b.sub(b.div(one, left), b.add(x, x)), b.number(0.25))
    right = b.mul(b.div(scaled(b, line, n), scaled(b, line, n - 1)), line.scale)
    return b.select(b.compare("olt", x, zero), left, right)


# --- the normal distribution -----------------------------------------------------------------------------------------


def ndtr_tail(b: Builder, x: str) -> str:
    """Φ(-|x|)."""

    def write() -> str:
        return b.mul(b.mul(decay(b, x, 0.5), b.number(0.5)), scaled_erfc(b, half_line(b, x, ROOT_HALF)))

    return kept(b, ("ndtr", x), write)


@vector("ndtr")
def ndtr(b: Builder, x: str) -> str:
    tail, half = ndtr_tail(b, x), b.number(0.5)
    y = b.select(b.compare("olt", x, b.number(0.0)), tail, b.sub(b.number(1.0), tail))
    near = b.fma(erf_near(b, b.mul(x, b.number(ROOT_HALF))), half, half)
    return b.select(b.compare("olt", b.abs(x), half), near, y)


@vector("log_ndtr")
def log_ndtr(b: Builder, x: str) -> str:
    """-x²/2 + log(erfcx(-x/√2) / 2) for x < 0; log(1 - tail), with what rounding 1 - tail leaves, for x >= 0."""
    one, half = b.number(1.0), b.number(0.5)
    low, tail = b.compare("olt", x, b.number(0.0)), ndtr_tail(b, x)
    u = b.sub(one, tail)
    left = b.mul(b.sub(tail, b.sub(one, u)), b.fma(tail, tail, b.add(one, tail)))
    left = b.select(low, b.mul(b.mul(x, half), x), left)
    u = b.select(low, b.mul(scaled_erfc(b, half_line(b, x, ROOT_HALF)), half), u)
    return b.neg(b.sub(left, log_normal(b, u)))


@vector("inverse_mills")
def inverse_mills(b: Builder, x: str) -> str:
    """φ(x) / Φ(x)."""
    return kept(b, ("inverse_mills", x), lambda: _inverse_mills(b, x))


def _inverse_mills(b: Builder, x: str) -> str:
    low = b.compare("olt", x, b.number(0.0))
    density = b.mul(decay(b, x, 0.5), b.number(1 / math.sqrt(2 * math.pi)))
    top = b.select(low, b.number(math.sqrt(2 / math.pi)), density)
    bottom = b.sub(b.number(1.0), ndtr_tail(b, x))
    return b.div(top, b.select(low, scaled_erfc(b, half_line(b, x, ROOT_HALF)), bottom))


@vector("mills_excess")
def mills_excess(b: Builder, x: str) -> str:
    """φ(x) / Φ(x) + x, which falls to 0 as -1/x to the left: √2 ierfc_ratio(1, -x/√2)."""
    line = half_line(b, x, ROOT_HALF)
    ratio = b.mul(b.div(scaled(b, line, 1), scaled(b, line, 0)), b.mul(line.scale, b.number(math.sqrt(2))))
    return b.select(b.compare("olt", x, b.number(0.0)), ratio, b.add(inverse_mills(b, x), x))
