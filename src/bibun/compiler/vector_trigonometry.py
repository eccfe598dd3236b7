"""Trigonometric and hyperbolic functions, their inverses, roots and remainders as vector code.

As in vector_math.py: branch-free and right at every special value. Where a reduction would need more digits than three
doubles have (sines beyond 2**30, remainders of quotients beyond 2**52) the C library is called, lane by lane.
Imports ir.py, coefficients.py, vector_math.py.
"""

import math

from . import coefficients as c
from .ir import Builder, vector
from .vector_math import MAGIC, expm1_clamped, log1p, nearest, power_of_two, reduced

__all__: list[str] = []

SMALL = 2.0**-28

# --- sine, cosine, tangent -------------------------------------------------------------------------------------------


def quarter_turns(b: Builder, x: str) -> tuple[str, str, str, str]:
    """x - n pi/2 as a sum of two numbers, n in the low bits of an integer, and where |x| is too large for that.

    The first product and difference are exact: x has no bits below 2**-53 where n is not 0, and the rest is below 1.
    """
    found: tuple[str, str, str, str] | None = (b.shared or {}).get(("quarter_turns", x))
    if found is not None:
        return found
    n, turns = nearest(b, x, c.TWO_OVER_PI)
    first = b.fma(n, b.number(-c.PI_2[0]), x)
    second = b.mul(n, b.number(c.PI_2[1]))
    r = b.sub(first, second)
    lost = b.fma(n, b.number(-c.PI_2[1]), second)
    rest = b.fma(n, b.number(-c.PI_2[2]), b.add(b.sub(b.sub(first, r), second), lost))
    found = r, rest, turns, b.compare("oge", b.abs(x), b.number(2.0**30))
    if b.shared is not None:
        b.shared["quarter_turns", x] = found
    return found


def sine_and_cosine(b: Builder, x: str, r: str, rest: str) -> tuple[str, str]:
    """sin(r + rest) and cos(r + rest), |r| <= pi / 4."""
    found: tuple[str, str] | None = (b.shared or {}).get(("sine_and_cosine", x))
    if found is not None:
        return found
    one = b.number(1.0)
    z = b.mul(r, r)
    square = b.mul(z, z)
    half = b.mul(z, b.number(0.5))
    w = b.sub(one, half)
    s = b.add(r, b.fma(b.mul(r, z), b.two_chains(z, square, c.SIN), b.mul(rest, w)))
    tail = b.fma(square, b.two_chains(z, square, c.COS), b.neg(b.mul(r, rest)))
    k = b.add(w, b.add(b.sub(b.sub(one, w), half), tail))
    if b.shared is not None:
        b.shared["sine_and_cosine", x] = s, k
    return s, k


def signed(b: Builder, y: str, turns: str) -> str:
    """y, negative where the number of quarter turns has its second bit."""
    turned = b.integers("shl", b.integers("and", turns, b.integer(2)), b.integer(62))
    return b.floating(b.integers("xor", b.bits(y), turned))


def is_odd(b: Builder, turns: str) -> str:
    return b.compare_integers("ne", b.integers("and", turns, b.integer(1)), b.integer(0))


@vector("sin")
def sin(b: Builder, x: str) -> str:
    r, rest, turns, large = quarter_turns(b, x)
    s, k = sine_and_cosine(b, x, r, rest)
    y = signed(b, b.select(is_odd(b, turns), k, s), turns)
    y = b.select(b.compare("oeq", x, b.number(0.0)), x, y)
    return b.rarely(large, y, "sin_large", lambda b, x: b.call("sin", x), x)


@vector("cos")
def cos(b: Builder, x: str) -> str:
    r, rest, turns, large = quarter_turns(b, x)
    s, k = sine_and_cosine(b, x, r, rest)
    y = signed(b, b.select(is_odd(b, turns), s, k), b.integers("add", turns, b.integer(1)))
    return b.rarely(large, y, "cos_large", lambda b, x: b.call("cos", x), x)


@vector("tan")
def tan(b: Builder, x: str) -> str:
    r, rest, turns, large = quarter_turns(b, x)
    s, k = sine_and_cosine(b, x, r, rest)
    odd = is_odd(b, turns)
    y = b.div(b.select(odd, b.neg(k), s), b.select(odd, s, k))
    y = b.select(b.compare("oeq", x, b.number(0.0)), x, y)
    return b.rarely(large, y, "tan_large", lambda b, x: b.call("tan", x), x)


# --- hyperbolic ------------------------------------------------------------------------------------------------------


def hyperbolic_parts(b: Builder, a: str) -> tuple[str, ...]:
    """With a = n log 2 + r: cosh and sinh of n log 2, quartered; then r, what its rounding lost, cosh(r) - 1 and
    sinh(r) - r."""
    n, shifted = nearest(b, a, c.LOG2_E[0])
    r, rest = reduced(b, a, n)
    up = power_of_two(b, shifted, -3)
    down = b.floating(b.integers("shl", b.integers("sub", b.integer(1020), shifted), b.integer(52)))
    down = b.select(b.compare("olt", n, b.number(100.0)), down, b.number(0.0))
    z = b.mul(r, r)
    square = b.mul(z, z)
    even = b.mul(z, b.two_chains(z, square, c.COSH))
    odd = b.fma(b.mul(r, z), b.two_chains(z, square, c.SINH), rest)
    return b.add(up, down), b.sub(up, down), r, even, odd


@vector("sinh")
def sinh(b: Builder, x: str) -> str:
    a = b.abs(x)
    large, small, r, even, odd = hyperbolic_parts(b, b.smaller(b.number(711.0), a))
    p = b.mul(large, r)
    lost = b.fma(large, r, b.neg(p))
    total = b.add(small, p)
    lost = b.add(lost, b.add(b.sub(small, total), p))
    y = b.add(total, b.fma(large, odd, b.fma(small, even, lost)))
    y = b.select(b.compare("olt", a, b.number(SMALL)), a, b.mul(y, b.number(4.0)))
    return b.copysign(y, x)


@vector("cosh")
def cosh(b: Builder, x: str) -> str:
    large, small, r, even, odd = hyperbolic_parts(b, b.smaller(b.number(711.0), b.abs(x)))
    y = b.add(large, b.fma(large, even, b.mul(small, b.add(r, odd))))
    return b.mul(y, b.number(4.0))


@vector("tanh")
def tanh(b: Builder, x: str) -> str:
    """q = e / (e + 2), e = exp(2 |x|) - 1; a small one with what the roundings of sum and quotient lost, over the sum,
    which is 2 / (1 - q)."""
    a = b.smaller(b.number(22.0), b.abs(x))
    e = expm1_clamped(b, b.add(a, a))
    two = b.number(2.0)
    d = b.add(e, two)
    q = b.neg(b.div(e, d))
    left = b.fma(q, b.add(b.sub(two, d), e), b.fma(q, d, e))
    left = b.select(b.compare("olt", e, two), left, b.number(0.0))
    y = b.fma(left, b.fma(q, b.number(0.5), b.number(0.5)), b.neg(q))
    return b.copysign(b.select(b.compare("olt", a, b.number(SMALL)), a, y), x)


@vector("arcsinh")
def arcsinh(b: Builder, x: str) -> str:
    """log(1 + a + a² / (1 + sqrt(1 + a²))), and log(2 a) where a² could overflow."""
    a, one = b.abs(x), b.number(1.0)
    huge = b.compare("oge", a, b.number(2.0**500))
    square = b.mul(a, a)
    inner = b.add(a, b.div(square, b.add(b.sqrt(b.add(square, one)), one)))
    y = log1p(b, b.select(huge, a, inner))
    y = b.add(y, b.select(huge, b.number(c.LN2_SPLIT[0]), b.number(0.0)))
    return b.copysign(b.select(b.compare("olt", a, b.number(SMALL)), a, y), x)


@vector("arccosh")
def arccosh(b: Builder, x: str) -> str:
    """log(1 + t + sqrt(t (t + 2))), t = x - 1, and log(2 x) where t² could overflow."""
    t = b.sub(x, b.number(1.0))
    huge = b.compare("oge", x, b.number(2.0**500))
    root = b.sqrt(b.mul(t, b.add(t, b.number(2.0))))
    y = log1p(b, b.select(huge, x, b.add(t, root)))
    y = b.add(y, b.select(huge, b.number(c.LN2_SPLIT[0]), b.number(0.0)))
    return b.select(b.compare("olt", x, b.number(1.0)), b.number(math.nan), y)


@vector("arctanh")
def arctanh(b: Builder, x: str) -> str:
    """log(1 + 2 a / (1 - a)) / 2."""
    a = b.abs(x)
    twice = b.add(a, a)
    near = b.compare("olt", a, b.number(0.5))
    quotient = b.div(b.select(near, b.mul(twice, a), twice), b.sub(b.number(1.0), a))
    y = log1p(b, b.select(near, b.add(twice, quotient), quotient))
    y = b.mul(y, b.number(0.5))
    return b.copysign(b.select(b.compare("olt", a, b.number(SMALL)), a, y), x)


# --- inverse trigonometric -------------------------------------------------------------------------------------------


def arcsin_parts(b: Builder, x: str) -> tuple[str, str, str]:
    """Whether |x| > 1/2; s, which is |x|, or then the root of (1 - |x|) / 2; and arcsin(s) - s."""
    a = b.abs(x)
    beyond = b.compare("ogt", a, b.number(0.5))
    folded = b.fma(a, b.number(-0.5), b.number(0.5))
    z = b.select(beyond, folded, b.mul(a, a))
    root = b.sqrt(folded)
    s = b.select(beyond, root, a)
    tail = b.mul(s, b.mul(z, b.two_chains(z, b.mul(z, z), c.ARCSIN)))
    return beyond, s, tail


@vector("arcsin")
def arcsin(b: Builder, x: str) -> str:
    beyond, s, tail = arcsin_parts(b, x)
    near = b.add(s, tail)
    # pi/2 - 2 (s + tail): near 1/2 the first difference is exact
    far = b.fma(s, b.number(-2.0), b.number(c.PI_2[0]))
    far = b.add(far, b.fma(tail, b.number(-2.0), b.number(c.PI_2[1])))
    return b.copysign(b.select(beyond, far, near), x)


@vector("arccos")
def arccos(b: Builder, x: str) -> str:
    beyond, s, tail = arcsin_parts(b, x)
    below = b.compare("olt", x, b.number(0.0))
    low = b.number(c.PI_2[1])
    near = b.sub(b.number(math.pi / 2), b.add(b.copysign(s, x), b.sub(b.copysign(tail, x), low)))
    angle = b.add(s, tail)
    angle = b.add(angle, angle)
    opposite = b.sub(b.number(math.pi), b.sub(angle, b.number(c.PI[1])))
    return b.select(beyond, b.select(below, opposite, angle), near)


def angle(b: Builder, small: str, large: str, swapped: str, opposite: str | None) -> str:
    """The angle of a right triangle with these legs, 0 <= small <= large; from its other leg where `swapped`, and the
    supplement of that where `opposite`."""
    zero, one = b.number(0.0), b.number(1.0)
    middle = b.compare("ogt", small, b.mul(large, b.number(0.41421356237309503)))
    top = b.select(middle, b.sub(small, large), small)
    bottom = b.select(middle, b.add(small, large), large)
    t = b.div(top, bottom)
    z = b.mul(t, t)
    tail = b.mul(b.mul(t, z), b.two_chains(z, b.mul(z, z), c.ARCTAN))
    eighths, sign = b.select(middle, one, zero), one
    eighths = b.select(swapped, b.sub(b.number(2.0), eighths), eighths)
    sign = b.select(swapped, b.number(-1.0), sign)
    if opposite is not None:
        eighths = b.select(opposite, b.sub(b.number(4.0), eighths), eighths)
        sign = b.select(opposite, b.neg(sign), sign)
    t, tail = b.mul(t, sign), b.fma(tail, sign, b.mul(eighths, b.number(c.PI_4[1])))
    return b.add(b.mul(eighths, b.number(c.PI_4[0])), b.add(t, tail))


@vector("arctan")
def arctan(b: Builder, x: str) -> str:
    a, one = b.abs(x), b.number(1.0)
    swapped = b.compare("ogt", a, one)
    y = angle(b, b.select(swapped, one, a), b.select(swapped, a, one), swapped, None)
    return b.copysign(y, x)


@vector("arctan2")
def arctan2(b: Builder, y: str, x: str) -> str:
    """The angle of the point (x, y); a zero's sign says from which side the axis is reached, as in C's atan2."""
    zero, one, infinity = b.number(0.0), b.number(1.0), b.number(math.inf)
    p, q = b.abs(y), b.abs(x)
    swapped = b.compare("ogt", p, q)
    small, large = b.select(swapped, q, p), b.select(swapped, p, q)
    scale = b.select(b.compare("ogt", large, b.number(2.0**1000)), b.number(2.0**-100), one)
    scale = b.select(b.compare("olt", large, b.number(2.0**-900)), b.number(2.0**100), scale)
    infinite = b.compare("oeq", large, infinity)
    both = b.compare("oeq", small, infinity)
    small = b.select(infinite, b.select(both, one, zero), b.mul(small, scale))
    large = b.select(b.either(infinite, b.compare("oeq", large, zero)), one, b.mul(large, scale))
    left = b.compare_integers("slt", b.bits(x), b.integer(0))
    found = b.copysign(angle(b, small, large, swapped, left), y)
    return b.select(b.compare("uno", x, y), b.number(math.nan), found)


# --- roots -----------------------------------------------------------------------------------------------------------


@vector("hypot")
def hypot(b: Builder, x: str, y: str) -> str:
    """The root of x² + y², scaled where a square would leave the range; infinite if one is, the other even NaN."""
    p, q, infinity = b.abs(x), b.abs(y), b.number(math.inf)
    larger = b.compare("ogt", p, q)
    large, small = b.select(larger, p, q), b.select(larger, q, p)
    one = b.number(1.0)
    huge, tiny = b.compare("ogt", large, b.number(2.0**500)), b.compare("olt", large, b.number(2.0**-400))
    scale = b.select(huge, b.number(2.0**-600), b.select(tiny, b.number(2.0**600), one))
    back = b.select(huge, b.number(2.0**600), b.select(tiny, b.number(2.0**-600), one))
    large, small = b.mul(large, scale), b.mul(small, scale)
    h = b.sqrt(b.fma(large, large, b.mul(small, small)))
    h = b.mul(h, back)
    infinite = b.either(b.compare("oeq", p, infinity), b.compare("oeq", q, infinity))
    return b.select(infinite, infinity, h)


@vector("cbrt")
def cbrt(b: Builder, x: str) -> str:
    """|x| = m 8**k, m in [1, 8): z = m ** (-1/3) by a polynomial and two steps of Newton's kind, then m z²."""
    a, one = b.abs(x), b.number(1.0)
    small = b.compare("olt", a, b.number(2.0**-1022))
    scaled = b.mul(a, b.select(small, b.number(2.0**54), one))
    exponent = b.integers("lshr", b.bits(scaled), b.integer(52))
    biased = b.floating(b.integers("or", exponent, b.integer(0x4330000000000000)))  # 2**52 + exponent
    third = b.fma(b.sub(biased, b.number(2.0**52)), b.number(1 / 3), b.number(-1 / 3 - 341 + 0.001))
    shifted = b.add(third, b.number(MAGIC))  # k = floor((exponent - 1023) / 3), in the low bits
    k = b.bits(shifted)
    thrice = b.integers("add", k, b.integers("add", k, k))
    m = b.floating(b.integers("sub", b.bits(scaled), b.integers("shl", thrice, b.integer(52))))
    z = b.polynomial(m, c.INVERSE_CBRT)
    h = b.fma(b.neg(b.mul(b.mul(z, z), z)), m, one)
    z = b.fma(b.mul(z, h), b.polynomial(h, (1 / 3, 2 / 9, 14 / 81)), z)
    h = b.fma(b.neg(b.mul(b.mul(z, z), z)), m, one)
    z = b.fma(b.mul(z, h), b.number(1 / 3), z)
    square = b.mul(z, z)
    y = b.mul(m, square)
    # m - y³ with the rounding of y², over 3 y²
    y2 = b.mul(y, y)
    y2_low = b.fma(y, y, b.neg(y2))
    left = b.fma(b.neg(y2_low), y, b.fma(b.neg(y2), y, m))
    y = b.fma(left, b.mul(square, b.number(1 / 3)), y)
    y = b.mul(y, power_of_two(b, k))
    y = b.mul(y, b.select(small, b.number(2.0**-18), one))
    ordinary = b.both(b.compare("ogt", a, b.number(0.0)), b.compare("olt", a, b.number(math.inf)))
    return b.copysign(b.select(ordinary, y, a), x)


@vector("nextafter")
def nextafter(b: Builder, x: str, y: str) -> str:
    """The next double after x on the way to y: as integers, the bits of doubles of one sign follow each other."""
    zero, bits = b.number(0.0), b.bits(x)
    outward = b.value(f"xor {b.M} {b.compare('olt', y, x)}, {b.compare('olt', x, zero)}")
    step = b.select_integers(outward, b.integer(-1), b.integer(1))
    found = b.floating(b.integers("add", bits, step))
    found = b.select(b.compare("oeq", x, zero), b.copysign(b.number(5e-324), y), found)
    found = b.select(b.compare("oeq", x, y), y, found)
    return b.select(b.compare("uno", x, y), b.add(x, y), found)


# --- remainders ------------------------------------------------------------------------------------------------------


@vector("fmod")
def fmod(b: Builder, x: str, y: str) -> str:
    """x - n y, n the quotient's whole part: exact, if n has a double; where not, C's fmod."""
    p, q, zero = b.abs(x), b.abs(y), b.number(0.0)
    quotient = b.intrinsic("trunc", b.div(p, q))
    r = b.fma(b.neg(quotient), q, p)
    r = b.select(b.compare("olt", r, zero), b.add(r, q), r)  # the quotient was rounded up to the next integer
    r = b.select(b.compare("oge", r, q), b.sub(r, q), r)
    r = b.select(b.compare("olt", p, q), p, r)  # an infinite y too
    usual = b.copysign(r, x)
    large = b.compare("oge", quotient, b.number(2.0**52))
    return b.rarely(large, usual, "fmod_large", lambda b, x, y: b.call("fmod", x, y), x, y)


def divided(b: Builder, x: str, y: str) -> tuple[str, str, str]:
    """C's remainder, the same with the sign of y as Python has it, and whether the two differ."""
    zero = b.number(0.0)
    r = fmod(b, x, y)
    signs = b.value(f"xor {b.M} {b.compare('olt', r, zero)}, {b.compare('olt', y, zero)}")
    differ = b.both(signs, b.compare("one", r, zero))
    return r, b.select(differ, b.add(r, y), r), differ


@vector("remainder")
def remainder(b: Builder, x: str, y: str) -> str:
    """Python's x % y: a zero has the sign of y."""
    r, found, _ = divided(b, x, y)
    return b.select(b.compare("oeq", r, b.number(0.0)), b.copysign(r, y), found)


@vector("floor_divide")
def floor_divide(b: Builder, x: str, y: str) -> str:
    """Python's x // y: the quotient of what the remainder leaves, so that the two agree."""
    zero, one = b.number(0.0), b.number(1.0)
    r, _, differ = divided(b, x, y)
    whole = b.div(b.sub(x, r), y)
    whole = b.sub(whole, b.select(differ, one, zero))
    below = b.intrinsic("floor", whole)
    below = b.add(below, b.select(b.compare("ogt", b.sub(whole, below), b.number(0.5)), one, zero))
    quotient = b.div(x, y)
    below = b.select(b.compare("oeq", whole, zero), b.copysign(zero, quotient), below)
    return b.select(b.compare("oeq", y, zero), quotient, below)
