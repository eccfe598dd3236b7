"""Exponentials, logarithms and powers as vector code; vector_trigonometry.py has the other functions of NumPy.

Every function is branch-free polynomials after a reduction, and right at zeros, infinities, NaN and denormals; the sign
of a zero is kept. Methods: Muller, Elementary Functions, ch. 4, 9-11; Cody & Waite. Coefficients: coefficients.py.
tests/units/compiler/test_vector_math.py holds the largest error of each. Imports ir.py, coefficients.py.
"""

import math

from . import coefficients as c
from .ir import Builder, vector

__all__: list[str] = []

MAGIC = 1.5 * 2.0**52
"""Added to a number below 2**51, it leaves the nearest integer in the low bits."""

TINY = 2.0**-54


def nearest(b: Builder, x: str, factor: float, offset: int = 0) -> tuple[str, str]:
    """n = the integer nearest to x times a factor, as a number; and n + offset, in the low bits of an integer."""
    shifted = b.fma(x, b.number(factor), b.number(MAGIC + offset))
    return b.sub(shifted, b.number(MAGIC + offset)), b.bits(shifted)


def power_of_two(b: Builder, n: str, offset: int = 0) -> str:
    """2 ** (n + offset), from an integer whose low 12 bits are n."""
    biased = b.integers("add", n, b.integer(1023 + offset))
    return b.floating(b.integers("shl", biased, b.integer(52)))


def clamped(b: Builder, x: str, low: float, high: float) -> str:
    """x in [low, high], or NaN."""
    return b.smaller(b.number(high), b.larger(b.number(low), x))


def reduced(b: Builder, x: str, n: str) -> tuple[str, str]:
    """x - n log 2 as a sum of two numbers: n has 11 bits, so the first product and difference are exact."""
    high = b.fma(n, b.number(-c.LN2[0]), x)
    r = b.fma(n, b.number(-c.LN2[1]), high)
    return r, b.fma(n, b.number(-c.LN2[1]), b.sub(high, r))


def exp_tail(b: Builder, r: str) -> str:
    """exp(r) - 1 - r for |r| <= log(2) / 2."""
    square = b.mul(r, r)
    return b.mul(square, b.two_chains(r, square, c.EXP))


# --- exponentials ----------------------------------------------------------------------------------------------------


def scaled_exp(b: Builder, r: str, tail: str, shifted: str, scale: str) -> str:
    """(1 + r + tail) 2**n. The exponent is added in two steps, the second a product, which rounds to denormals."""
    p = b.add(b.add(tail, r), b.number(1.0))
    p = b.floating(b.integers("add", b.bits(p), b.integers("shl", shifted, b.integer(52))))
    return b.mul(p, scale)


@vector("exp")
def exp(b: Builder, x: str) -> str:
    x = clamped(b, x, -746.0, 710.0)
    return _exp(b, x, None)


def _exp(b: Builder, x: str, low: str | None) -> str:
    """exp(x + low) for x clamped to where the result is neither 0 nor infinite, or a little beyond."""
    positive = b.compare("ogt", x, b.number(0.0))
    magic = b.select(positive, b.number(MAGIC - 54), b.number(MAGIC + 54))
    shifted = b.fma(x, b.number(c.LOG2_E[0]), magic)
    n = b.sub(shifted, magic)
    if low is None:
        r = b.fma(n, b.number(-c.LN2[1]), b.fma(n, b.number(-c.LN2[0]), x))
        tail = exp_tail(b, r)
    else:
        r, rest = reduced(b, x, n)
        tail = exp_tail(b, r)
        tail = b.add(tail, b.add(rest, b.fma(low, b.add(r, tail), low)))
    scale = b.select(positive, b.number(2.0**54), b.number(2.0**-54))
    return scaled_exp(b, r, tail, b.bits(shifted), scale)


@vector("exp_nonpositive")
def exp_nonpositive(b: Builder, x: str) -> str:
    x = b.larger(b.number(-745.5), x)
    n, shifted = nearest(b, x, c.LOG2_E[0], 54)
    r = b.fma(n, b.number(-c.LN2[1]), b.fma(n, b.number(-c.LN2[0]), x))
    return scaled_exp(b, r, exp_tail(b, r), shifted, b.number(2.0**-54))


@vector("exp2")
def exp2(b: Builder, x: str) -> str:
    x = clamped(b, x, -1076.0, 1025.0)
    positive = b.compare("ogt", x, b.number(0.0))
    magic = b.select(positive, b.number(MAGIC - 54), b.number(MAGIC + 54))
    shifted = b.add(x, magic)
    f = b.sub(x, b.sub(shifted, magic))
    r = b.mul(f, b.number(c.LN2_SPLIT[0]))
    rest = b.fma(f, b.number(c.LN2_SPLIT[1]), b.fma(f, b.number(c.LN2_SPLIT[0]), b.neg(r)))
    tail = b.add(exp_tail(b, r), rest)
    scale = b.select(positive, b.number(2.0**54), b.number(2.0**-54))
    return scaled_exp(b, r, tail, b.bits(shifted), scale)


@vector("expm1")
def expm1(b: Builder, x: str) -> str:
    y = expm1_clamped(b, clamped(b, x, -40.0, 709.9))
    return b.select(b.compare("olt", b.abs(x), b.number(TINY)), x, y)


def expm1_clamped(b: Builder, x: str) -> str:
    """2 ((s - 1/2) + s (r + r²/2 + tail)) with s = 2**(n - 1): what is exact is summed without loss, and the square is
    rounded in the sum only."""
    n, shifted = nearest(b, x, c.LOG2_E[0])
    r, rest = reduced(b, x, n)
    s = power_of_two(b, shifted, -1)
    a = b.sub(s, b.number(0.5))
    total = b.fma(s, r, a)
    lost = b.add(b.fma(s, r, b.sub(a, total)), b.sub(b.sub(s, a), b.number(0.5)))
    square = b.mul(r, r)
    tail = b.fma(b.mul(square, r), b.two_chains(r, square, c.EXP[1:]), rest)
    half = b.mul(b.mul(r, b.number(0.5)), s)
    y = b.add(total, b.fma(half, r, b.fma(s, tail, lost)))
    return b.add(y, y)


# --- logarithms ------------------------------------------------------------------------------------------------------


def taken_apart(b: Builder, x: str) -> tuple[str, str, str]:
    """x > 0, normal, is m 2**k: the number k, m - 1 with m in [sqrt(1/2), sqrt(2)), and k in the upper bits."""
    bits = b.bits(x)
    over = b.integers("sub", bits, b.integer(0x3FE6A09E667F3BCD))
    k = b.integers("and", over, b.integer(-(1 << 52)))
    m = b.floating(b.integers("sub", bits, k))
    small = b.integers("ashr", over, b.integer(52))
    magic = b.integers("add", small, b.integer(0x4338000000000000))
    return b.sub(b.floating(magic), b.number(MAGIC)), b.sub(m, b.number(1.0)), k


def without_denormals(b: Builder, x: str) -> tuple[str, str]:
    """x, or 2**54 x where that is denormal; and what to add to its exponent."""
    small = b.compare("olt", x, b.number(2.0**-1022))
    x = b.mul(x, b.select(small, b.number(2.0**54), b.number(1.0)))
    return x, b.select(small, b.number(-54.0), b.number(0.0))


def log_ends(b: Builder, x: str, y: str) -> str:
    """The logarithm of infinity, NaN, zero and negative numbers; of the others it is y."""
    y = b.select(b.compare("olt", x, b.number(math.inf)), y, x)
    zero = b.compare("oeq", x, b.number(0.0))
    end = b.select(zero, b.number(-math.inf), b.number(math.nan))
    return b.select(b.compare("ole", x, b.number(0.0)), end, y)


def log_parts(b: Builder, f: str) -> tuple[str, str, str]:
    """log(1 + f) = f - f f / 2 + q rest: q = f / (2 + f), minus f / 2, and rest."""
    q = b.div(f, b.add(f, b.number(2.0)))
    z = b.mul(q, q)
    half = b.mul(f, b.number(-0.5))
    square = b.mul(z, z)
    rest = b.mul(z, b.two_chains(z, square, c.LOG))
    return q, half, b.fma(b.neg(half), f, rest)


@vector("log")
def log(b: Builder, x: str) -> str:
    scaled, extra = without_denormals(b, x)
    k, f, _ = taken_apart(b, scaled)
    k = b.add(k, extra)
    q, half, rest = log_parts(b, f)
    low = b.fma(q, rest, b.mul(k, b.number(c.LN2_LONG[1])))
    y = b.fma(k, b.number(c.LN2_LONG[0]), b.add(f, b.fma(half, f, low)))
    return log_ends(b, x, y)


@vector("log1p")
def log1p(b: Builder, x: str) -> str:
    """log(u) of u = 1 + x rounded, and what was rounded off over u."""
    one = b.number(1.0)
    u = b.add(x, one)
    back = b.sub(u, one)
    lost = b.add(b.sub(one, b.sub(u, back)), b.sub(x, back))
    k, f, upper = taken_apart(b, u)
    lost = b.mul(lost, b.floating(b.integers("sub", b.integer(1024 << 52), upper)))  # times 2 ** (1 - k)
    q, half, rest = log_parts(b, f)
    # 1 / (1 + f) = (1 - q) / (1 + q), halved, to a few bits: what was lost is small, or f is
    inverse = b.fma(q, b.sub(q, one), b.number(0.5))
    low = b.fma(lost, inverse, b.mul(k, b.number(c.LN2_LONG[1])))
    y = b.fma(k, b.number(c.LN2_LONG[0]), b.add(f, b.fma(half, f, b.fma(q, rest, low))))
    y = log_ends(b, u, y)
    return b.select(b.compare("olt", b.abs(x), b.number(TINY)), x, y)


@vector("log1p_unit")
def log1p_unit(b: Builder, x: str) -> str:
    """log(1 + x) for x in [0, 1]."""
    q = b.div(x, b.add(x, b.number(2.0)))
    z = b.mul(q, q)
    half = b.mul(x, b.number(-0.5))
    rest = b.fma(b.neg(half), x, b.mul(z, b.two_chains(z, b.mul(z, z), c.LOG1P_UNIT)))
    return b.add(x, b.fma(half, x, b.mul(q, rest)))


def log_to_base(b: Builder, x: str, factor: tuple[float, ...], per_two: tuple[float, ...]) -> str:
    """log(x) times a factor, both as sums of two numbers; `per_two` is the logarithm of 2 in the base."""
    scaled, extra = without_denormals(b, x)
    k, f, _ = taken_apart(b, scaled)
    k = b.add(k, extra)
    q, half, rest = log_parts(b, f)
    high = b.fma(half, f, f)
    low = b.fma(q, rest, b.fma(half, f, b.sub(f, high)))
    p = b.mul(high, b.number(factor[0]))
    tail = b.fma(high, b.number(factor[1]), b.fma(high, b.number(factor[0]), b.neg(p)))
    tail = b.fma(low, b.number(factor[0]), tail)
    whole = b.mul(k, b.number(per_two[0]))
    y = b.add(whole, p)
    tail = b.fma(k, b.number(per_two[1]), b.add(tail, b.add(b.sub(whole, y), p)))
    return log_ends(b, x, b.add(y, tail))


@vector("log2")
def log2(b: Builder, x: str) -> str:
    return log_to_base(b, x, c.LOG2_E, (1.0, 0.0))


@vector("log10")
def log10(b: Builder, x: str) -> str:
    return log_to_base(b, x, c.LOG10_E, c.LOG10_2)


# --- powers ----------------------------------------------------------------------------------------------------------


def double_log(b: Builder, x: str) -> tuple[str, str]:
    """log(x), x > 0, as a sum of two numbers, to a relative 2**-65.

    With m = 1 + f and q = f / (2 + f): log(m) = 2 q (1 + z T(z)), z = q². All but the far end of T is carried in two
    numbers.
    """
    scaled, extra = without_denormals(b, x)
    k, f, _ = taken_apart(b, scaled)
    k = b.add(k, extra)
    two = b.number(2.0)
    d = b.add(f, two)
    d_low = b.add(b.sub(two, d), f)
    inverse = b.div(b.number(1.0), d)
    q = b.mul(f, inverse)
    left = b.fma(b.neg(q), d_low, b.fma(b.neg(q), d, f))
    q_low = b.mul(left, inverse)
    z = b.mul(q, q)
    z_low = b.fma(b.add(q, q), q_low, b.fma(q, q, b.neg(z)))
    far = b.mul(z, b.two_chains(z, b.mul(z, z), c.LOG_TAIL))
    t = b.add(far, b.number(c.THIRD[0]))
    t_low = b.add(b.add(b.sub(b.number(c.THIRD[0]), t), far), b.number(c.THIRD[1]))
    w = b.mul(z, t)
    w_low = b.fma(z, t_low, b.fma(z_low, t, b.fma(z, t, b.neg(w))))
    p = b.mul(q, w)
    p_low = b.fma(q, w_low, b.fma(q_low, w, b.fma(q, w, b.neg(p))))
    high = b.add(q, p)
    low = b.add(b.add(b.sub(q, high), p), b.add(q_low, p_low))
    high, low = b.add(high, high), b.add(low, low)
    whole = b.mul(k, b.number(c.LN2_LONG[0]))
    total = b.add(whole, high)
    low = b.fma(k, b.number(c.LN2_LONG[1]), b.add(low, b.add(b.sub(whole, total), high)))
    result = b.add(total, low)
    return result, b.add(b.sub(total, result), low)


@vector("pow")
def pow(b: Builder, x: str, y: str) -> str:
    """|x| ** y by logarithms, for x > 0 and a finite y; the other cases are rare and C's."""
    infinity = b.number(math.inf)
    log_high, log_low = double_log(b, b.abs(x))
    p = b.mul(y, log_high)
    p_low = b.fma(y, log_low, b.fma(y, log_high, b.neg(p)))
    p_low = b.select(b.compare("olt", b.abs(p), b.number(750.0)), p_low, b.number(0.0))
    usual = _exp(b, clamped(b, p, -746.0, 710.0), p_low)
    ordinary = b.both(b.compare("ogt", x, b.number(0.0)), b.compare("olt", x, infinity))
    ordinary = b.both(ordinary, b.compare("olt", b.abs(y), infinity))
    return b.rarely(b.inverted(ordinary), usual, "pow_special", pow_special, x, y, usual)


def pow_special(b: Builder, x: str, y: str, usual: str) -> str:
    """C's pow of zeros, infinities, NaN and negative numbers; `usual` is |x| ** y where neither is 0 or infinite."""
    zero, one, infinity = b.number(0.0), b.number(1.0), b.number(math.inf)
    a, falling = b.abs(x), b.compare("olt", y, zero)
    at_zero, at_infinity = b.compare("oeq", a, zero), b.compare("oeq", a, infinity)
    # 0 ** y is infinite where y is negative, inf ** y where it is not
    edge = b.select(b.value(f"xor {b.M} {falling}, {at_infinity}"), infinity, zero)
    result = b.select(b.either(at_zero, at_infinity), edge, usual)
    result = b.select(b.compare("oeq", a, one), one, result)
    whole, half = b.compare("oeq", b.rint(y), y), b.mul(y, b.number(0.5))
    odd = b.both(whole, b.compare("une", b.rint(half), half))
    result = b.select(odd, b.copysign(result, x), result)
    below = b.both(b.compare("olt", x, zero), b.compare("one", a, infinity))
    result = b.select(b.both(below, b.inverted(whole)), b.number(math.nan), result)
    result = b.select(b.compare("uno", x, y), b.number(math.nan), result)
    return b.select(b.either(b.compare("oeq", y, zero), b.compare("oeq", x, one)), one, result)
