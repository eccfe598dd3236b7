"""The gamma function's relatives as vector code: gammaln, psi, polygamma, differences of psi, log B.

To the right of 4 asymptotic forms hold; to the left a recurrence leads to an interval of length 1 that has a polynomial
of its own, taken about the root there: so values near a root keep their relative accuracy. Negative arguments, and
those too small for products, are rare: code beside the usual way. Coefficients: coefficients_special.py.
tests/units/compiler/test_vector_special.py holds the largest errors. Imports ir.py, vector_math.py.
"""

import math
from collections.abc import Sequence

from . import coefficients as c
from . import coefficients_special as s
from .ir import Builder, vector
from .vector_math import log, log1p, log1p_unit, log_parts, taken_apart
from .vector_trigonometry import sin

__all__: list[str] = []

FROM = 4.0
"""Where the asymptotic forms begin."""

STEPS = 4
"""How often a recurrence is used where it leads to the asymptotic forms."""


def log_normal(b: Builder, x: str) -> str:
    """log(x) of a normal x > 0."""
    k, f, _ = taken_apart(b, x)
    q, half, rest = log_parts(b, f)
    low = b.fma(q, rest, b.mul(k, b.number(c.LN2_LONG[1])))
    return b.fma(k, b.number(c.LN2_LONG[0]), b.add(f, b.fma(half, f, low)))


def polynomial(b: Builder, x: str, coefficients: Sequence[float]) -> str:
    """In two chains."""
    return b.two_chains(x, b.mul(x, x), coefficients)


# --- gammaln ---------------------------------------------------------------------------------------------------------


def gammaln_parts(b: Builder, x: str) -> tuple[str, str, str, str]:
    """Of a normal x > 0: whether x >= 4, log Γ(x) for where it is not, log x and Stirling's rest for where it is."""
    one = b.number(1.0)
    big = b.compare("oge", x, b.number(FROM))
    above, below = b.compare("ogt", x, b.number(2.25)), b.compare("olt", x, b.number(1.25))
    far, near = b.compare("ogt", x, b.number(3.25)), b.compare("olt", x, b.number(0.25))
    # x - shift is the distance from the middle of [1.25, 2.25], x moved there: exact where it is small
    shift = b.select(above, b.select(far, b.number(3.75), b.number(2.75)), b.number(1.75))
    shift = b.select(below, b.select(near, b.number(-0.25), b.number(0.75)), shift)
    v = b.sub(x, shift)
    p = b.mul(polynomial(b, v, s.GAMMALN), b.sub(v, b.number(0.25)))
    before = b.sub(x, one)
    product = b.select(far, b.mul(before, b.sub(before, one)), b.select(above, before, one))
    product = b.select(below, b.select(near, b.fma(x, x, x), x), product)
    log_x = log_normal(b, b.select(big, x, product))
    small = b.fma(b.select(below, b.number(-1.0), one), log_x, p)
    inverse = b.div(one, x)
    rest = b.mul(polynomial(b, b.mul(inverse, inverse), s.STIRLING), inverse)
    return big, small, log_x, rest


def gammaln_usual(b: Builder, x: str) -> str:
    big, small, log_x, rest = gammaln_parts(b, x)
    y = b.fma(log_x, b.number(-0.5), b.add(rest, b.number(s.HALF_LOG_TAU)))
    return b.select(big, b.fma(x, b.sub(log_x, b.number(1.0)), y), small)


@vector("gammaln")
def gammaln(b: Builder, x: str) -> str:
    usual = gammaln_usual(b, x)
    ordinary = b.both(b.compare("ogt", x, b.number(1e-300)), b.compare("olt", x, b.number(math.inf)))
    return b.rarely(b.inverted(ordinary), usual, "gammaln_rare", gammaln_rare, x)


def gammaln_rare(b: Builder, x: str) -> str:
    """Of zero, infinities, NaN, the smallest numbers, and by reflection of negative ones."""
    zero, infinity = b.number(0.0), b.number(math.inf)
    a = b.abs(x)
    tiny = b.compare("olt", a, b.number(1e-290))
    log_a = log(b, a)
    right = b.select(tiny, b.neg(log_a), gammaln_usual(b, a))
    r = from_integer(b, a)
    sine = b.abs(sin(b, b.mul(r, b.number(math.pi))))
    # Γ(-a) Γ(a) = -π / (a sin πa)
    left = b.sub(b.sub(b.number(math.log(math.pi)), log(b, sine)), b.add(log_a, right))
    left = b.select(b.compare("oeq", r, zero), infinity, left)
    y = b.select(b.compare("olt", x, zero), left, right)
    return b.select(b.compare("olt", a, infinity), y, x)


def from_integer(b: Builder, a: str) -> str:
    """The distance of a from the nearest integer."""
    return b.sub(a, b.rint(a))


def sine_and_cosine(b: Builder, r: str) -> tuple[str, str]:
    """sin(πr) and cos(πr) for |r| <= 1/2, both relatively accurate."""
    pi = b.number(math.pi)
    return sin(b, b.mul(r, pi)), sin(b, b.mul(b.sub(b.number(0.5), b.abs(r)), pi))


# --- psi -------------------------------------------------------------------------------------------------------------


def psi_usual(b: Builder, x: str) -> str:
    """Of x > 0, and infinite at a zero."""
    one, zero = b.number(1.0), b.number(0.0)
    big = b.compare("oge", x, b.number(FROM))
    above, below = b.compare("ogt", x, b.number(2.0)), b.compare("olt", x, one)
    far = b.compare("ogt", x, b.number(3.0))
    shift = b.select(above, b.select(far, b.number(2.0), one), zero)
    shift = b.select(below, b.number(-1.0), shift)
    v = b.sub(x, b.add(shift, b.number(1.5)))
    from_root = b.sub(b.sub(v, b.number(s.DIGAMMA_ROOT[0])), b.number(s.DIGAMMA_ROOT[1]))
    p = b.mul(from_root, polynomial(b, v, s.DIGAMMA))
    before = b.sub(x, one)
    top = b.select(above, b.select(far, b.sub(b.add(x, x), b.number(3.0)), one), zero)
    bottom = b.select(above, b.select(far, b.mul(before, b.sub(before, one)), before), one)
    top = b.select(big, one, b.select(below, b.number(-1.0), top))
    bottom = b.select(b.either(big, below), x, bottom)
    quotient = b.div(top, bottom)
    t = b.mul(quotient, quotient)
    rest = b.fma(polynomial(b, t, s.DIGAMMA_REST), t, b.mul(quotient, b.number(0.5)))
    return b.select(big, b.sub(log_normal(b, x), rest), b.add(p, quotient))


@vector("psi")
def psi(b: Builder, x: str) -> str:
    usual = psi_usual(b, x)
    ordinary = b.both(b.compare("oge", x, b.number(0.0)), b.compare("olt", x, b.number(math.inf)))
    return b.rarely(b.inverted(ordinary), usual, "psi_rare", psi_rare, x)


def psi_rare(b: Builder, x: str) -> str:
    """Of infinities and NaN, and by reflection of negative numbers: ψ(-a) = ψ(a + 1) + π cot πa."""
    a = b.abs(x)
    r = from_integer(b, a)
    sine, cosine = sine_and_cosine(b, r)
    left = b.add(psi_usual(b, b.add(a, b.number(1.0))), b.div(b.mul(cosine, b.number(math.pi)), sine))
    pole = b.compare("ueq", r, b.number(0.0))  # infinity is one too
    left = b.select(pole, b.number(math.nan), left)
    return b.select(b.compare("olt", x, b.number(0.0)), left, x)


# --- polygamma -------------------------------------------------------------------------------------------------------

REST = {1: s.POLYGAMMA_1, 2: s.POLYGAMMA_2, 3: s.POLYGAMMA_3}


def powers(b: Builder, x: str, n: int) -> list[str]:
    """x, x², …, xⁿ, each from two of half its degree."""
    out = [x]
    for k in range(2, n + 1):
        out.append(b.mul(out[k // 2 - 1], out[k - k // 2 - 1]))
    return out


def far_polygamma(b: Builder, n: int, u: str) -> str:
    """|ψ⁽ⁿ⁾(z)| of u = 1/z, z >= 4."""
    p = powers(b, u, n)
    rest = b.fma(polynomial(b, b.mul(u, u), REST[n]), u, b.number(math.factorial(n) / 2))
    return b.mul(b.fma(rest, u, b.number(float(math.factorial(n - 1)))), p[-1])


def polygamma_usual(b: Builder, n: int, x: str) -> str:
    """|ψ⁽ⁿ⁾(x)| for x > 0 whose powers are normal numbers."""
    one = b.number(1.0)
    big = b.compare("oge", x, b.number(FROM))
    y = far_polygamma(b, n, b.div(one, b.select(big, x, b.add(x, b.number(float(STEPS))))))
    top, bottom = one, powers(b, x, n + 1)[-1]
    for i in range(1, STEPS):
        power = powers(b, b.add(x, b.number(float(i))), n + 1)[-1]
        top = b.fma(top, power, bottom)
        bottom = b.mul(bottom, power)
    near = b.div(top, bottom) if n == 1 else b.div(b.mul(top, b.number(float(math.factorial(n)))), bottom)
    return b.select(big, y, b.add(y, near))


def polygamma(b: Builder, n: int, x: str) -> str:
    usual = polygamma_usual(b, n, x)
    ordinary = b.compare("ogt", x, b.number(1e-60))
    usual = usual if n % 2 else b.neg(usual)
    return b.rarely(b.inverted(ordinary), usual, f"polygamma_rare_{n}", lambda b, x: polygamma_rare(b, n, x), x)


def polygamma_rare(b: Builder, n: int, x: str) -> str:
    """Of small numbers, by reflection of negative ones, and infinite at poles."""
    zero, one, pi = b.number(0.0), b.number(1.0), b.number(math.pi)
    a = b.abs(x)
    r = from_integer(b, a)
    sine, cosine = sine_and_cosine(b, r)
    # (-1)ⁿ⁺¹ ψ⁽ⁿ⁾(-a) = -ψ… (1 + a) and the n-th derivative of π cot πx, in c = cot(-πa) and 1/sin²
    cot, csc = b.div(cosine, b.neg(sine)), b.div(pi, sine)
    square = b.mul(csc, csc)
    if n == 2:
        square = b.mul(square, b.mul(b.mul(cot, pi), b.number(2.0)))
    if n == 3:
        wide = b.fma(b.mul(cot, cot), b.number(3.0), one)
        square = b.mul(square, b.mul(wide, b.number(2 * math.pi**2)))
    mirrored = polygamma_usual(b, n, b.add(a, one))
    left = b.sub(square, mirrored) if n % 2 else b.neg(b.add(mirrored, square))
    inverse = b.div(one, x)
    power = inverse
    for _ in range(n):
        power = b.mul(power, inverse)
    right = b.mul(power, b.number(float((-1) ** (n + 1) * math.factorial(n))))
    y = b.select(b.compare("olt", x, b.number(-1e-60)), left, right)
    pole = b.either(b.compare("oeq", r, zero), b.compare("oeq", a, b.number(math.inf)))
    pole = b.both(pole, b.either(b.compare("oeq", x, zero), b.compare("olt", x, b.number(-0.5))))
    return b.select(pole, b.number(math.inf if n % 2 else -math.inf), y)


@vector("trigamma")
def trigamma(b: Builder, x: str) -> str:
    return polygamma(b, 1, x)


@vector("tetragamma")
def tetragamma(b: Builder, x: str) -> str:
    return polygamma(b, 2, x)


@vector("pentagamma")
def pentagamma(b: Builder, x: str) -> str:
    return polygamma(b, 3, x)


# --- differences of psi ----------------------------------------------------------------------------------------------


def divided(b: Builder, t: str, u: str, coefficients: Sequence[float]) -> tuple[str, str]:
    """The polynomial at t, and its divided difference between t and u: (p(t) - p(u)) / (t - u)."""
    p, d = b.number(coefficients[-1]), b.number(0.0)
    for k in coefficients[-2::-1]:
        d = b.fma(d, u, p)
        p = b.fma(p, t, b.number(k))
    return p, d


def step_sum(b: Builder, n: int, low: str, step: str) -> str:
    """Σ (low + i)⁻ⁿ⁻¹ - (low + step + i)⁻ⁿ⁻¹ over i = 0, …, 3, as one quotient."""
    top = bottom = ""
    for i in range(STEPS):
        x = low if not i else b.add(low, b.number(float(i)))
        y = b.add(x, step)
        product = b.mul(x, y)
        over = step
        if n == 1:
            over, product = b.mul(step, b.add(x, y)), b.mul(product, product)
        top = over if not i else b.fma(top, product, b.mul(over, bottom))
        bottom = product if not i else b.mul(bottom, product)
    return b.div(top, bottom)


def step_usual(b: Builder, n: int, low: str, step: str) -> str:
    """(-1)ⁿ times the difference, for low > 0 and step >= 0: all terms have one sign."""
    one = b.number(1.0)
    z = b.add(low, b.number(float(STEPS)))
    u, v = b.div(one, z), b.div(one, b.add(z, step))
    relative = b.mul(step, u)
    change, total = b.mul(relative, v), b.add(u, v)  # change = u - v
    squares = b.mul(change, total)
    t, w = b.mul(u, u), b.mul(v, v)
    near = step_sum(b, n, low, step)
    half = b.number(0.5)
    if n == 0:
        p, d = divided(b, t, w, s.DIGAMMA_REST)
        rest = b.mul(squares, b.fma(w, d, p))
        return b.add(near, b.add(log1p(b, relative), b.fma(change, half, rest)))
    p, d = divided(b, t, w, s.POLYGAMMA_1)
    cubes = b.fma(total, total, b.neg(b.mul(u, v)))
    rest = b.mul(change, b.fma(b.mul(b.mul(v, w), total), d, b.mul(cubes, p)))
    return b.add(near, b.add(change, b.fma(squares, half, rest)))


@vector("polygamma_step")
def digamma_step(b: Builder, n: int, x: str, step: str) -> str:
    """ψ⁽ⁿ⁾(x + step) - ψ⁽ⁿ⁾(x), n = 0 or 1."""
    zero, end = b.number(0.0), b.add(x, step)
    falling = b.compare("olt", step, zero)
    low, size = b.select(falling, end, x), b.abs(step)
    usual = step_usual(b, n, low, size)
    usual = b.select(falling, b.neg(usual), usual)
    usual = b.neg(usual) if n else usual
    ordinary = b.both(b.compare("ogt", low, b.number(1e-30)), b.compare("olt", b.add(low, size), b.number(1e100)))
    return b.rarely(
        b.inverted(ordinary), usual, f"digamma_step_rare_{n}", lambda b, x, y: step_rare(b, n, x, y), x, end
    )


def step_rare(b: Builder, n: int, x: str, end: str) -> str:
    f = trigamma if n else psi
    return b.sub(f(b, end), f(b, x))


# --- beta ------------------------------------------------------------------------------------------------------------


@vector("stirling_rest")
def stirling_rest(b: Builder, x: str) -> str:
    """What Stirling's formula leaves of log Γ(x), x >= 4."""
    return stirling(b, b.div(b.number(1.0), x))


def stirling(b: Builder, inverse: str) -> str:
    return b.mul(polynomial(b, b.mul(inverse, inverse), s.STIRLING), inverse)


@vector("log_beta")
def log_beta(b: Builder, x: str, y: str) -> str:
    """log B(x, y), for x, y > 0: where the larger is at least 4, without large terms that cancel."""
    one = b.number(1.0)
    low, high = b.smaller(x, y), b.larger(x, y)
    low = b.select(b.compare("uno", y, y), y, low)
    total = b.add(low, high)
    big, small, log_low, rest = gammaln_parts(b, low)
    head = b.fma(log_low, b.number(-0.5), b.add(rest, b.number(s.HALF_LOG_TAU)))
    head = b.select(big, head, b.add(small, low))
    large = log_normal(b, b.select(big, b.div(total, low), total))
    rise = log1p_unit(b, b.div(low, high))
    tail = b.sub(stirling(b, b.div(one, high)), stirling(b, b.div(one, total)))
    usual = b.sub(b.add(head, tail), b.fma(low, large, b.mul(b.sub(high, b.number(0.5)), rise)))
    ordinary = b.both(b.compare("oge", high, b.number(FROM)), b.compare("olt", total, b.number(math.inf)))
    ordinary = b.both(ordinary, b.compare("ogt", low, b.number(1e-300)))
    return b.rarely(b.inverted(ordinary), usual, "log_beta_rare", log_beta_rare, x, y)


def log_beta_rare(b: Builder, x: str, y: str) -> str:
    """Of two small numbers, of those that are no positive numbers, and of an infinite one: exp(-inf) is its limit."""
    infinity = b.number(math.inf)
    plain = b.add(gammaln(b, x), b.sub(gammaln(b, y), gammaln(b, b.add(x, y))))
    low, high = b.smaller(x, y), b.larger(x, y)
    limit = b.both(b.compare("oeq", high, infinity), b.compare("ogt", low, b.number(0.0)))
    limit = b.both(limit, b.compare("olt", low, infinity))
    return b.select(limit, b.number(-math.inf), plain)
