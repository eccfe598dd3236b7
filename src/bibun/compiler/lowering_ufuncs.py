"""NumPy's functions of single elements, and the slopes of rules/slopes.py, written with what kernels know: a line each.

What has vector code of its own (exp, sin, hypot, …) needs no line. Logarithms of sums and the shares in them all have
the form of `decay`, so that one program computes one exp(-|a - b|). Where a formula could differ from NumPy's at a
special value, the special value is asked for. A new line goes here. Imports scalar_math.py and vector_math.py.
"""

import math
from typing import Any

from . import vector_math  # noqa: F401  (registers its functions)
from .expression import Expression
from .scalar_math import LOWERED, m

__all__ = ["decay", "finite", "softmax_of_two"]

LN2, LOG2_E = math.log(2), 1 / math.log(2)

# --- arithmetic ------------------------------------------------------------------------------------------------------

LOWERED["positive"] = lambda x: x
LOWERED["conjugate"] = lambda x: x
LOWERED["real"] = lambda x: x
LOWERED["square"] = lambda x: x * x
LOWERED["reciprocal"] = lambda x: 1.0 / x
LOWERED["fabs"] = lambda x: m.absolute(x)
LOWERED["deg2rad"] = LOWERED["radians"] = lambda x: x * (math.pi / 180)
LOWERED["rad2deg"] = LOWERED["degrees"] = lambda x: x * (180 / math.pi)
LOWERED["absorb"] = lambda g, d: m.where(m.logical_or(m.equal(g, 0.0), m.equal(d, 0.0)), 0.0, g * d)
LOWERED["float_power"] = lambda x, y: m.pow(x, y)


def multiplied(x: Expression, n: int) -> Expression:
    """x ** n by squaring."""
    if n == 1:
        return x
    half = multiplied(x, n // 2)
    return half * half * x if n % 2 else half * half


def power(x: Any, y: Any) -> Any:
    """x ** y. NumPy takes exponents of -1, 0, 1/2, 1 and 2 apart; other small ones are as good as C's pow.

    A root is not C's pow at -inf, nor at -0.0: NumPy's operator has that of sqrt for 1/2, and pow's for the rest.
    """
    n = y.number if isinstance(y, Expression) and y.op == "number" else y
    if isinstance(n, Expression):
        return m.pow(x, y)
    if n == 0:
        return 1.0
    if n == 0.5:
        return m.sqrt(x)
    if n in (1, 2, 3, 4, 5, 6):
        return multiplied(x, int(n))
    if n in (-1, -2, -3):
        return multiplied(1.0 / x, int(-n))
    if n in (-0.5, 1.5, -1.5):
        root = m.sqrt(m.where(m.equal(x, -math.inf), math.inf, x + 0.0))
        cube = root if n == -0.5 else root * m.absolute(x)
        return 1.0 / cube if n < 0 else cube
    return m.pow(x, float(n))


LOWERED["power"] = power


def ldexp(x: Any, n: Any) -> Any:
    """x 2**n, for a fixed n whose power of two has a double."""
    n = n.number if isinstance(n, Expression) and n.op == "number" else n
    if isinstance(n, Expression) or not -1022 <= n <= 1023 or n != int(n):
        return None
    return x * 2.0 ** int(n)


LOWERED["ldexp"] = ldexp

# --- logarithms of sums ----------------------------------------------------------------------------------------------


def finite(x: Any) -> bool:
    """Whether this is a constant that is neither infinite nor NaN."""
    return isinstance(x, (int, float)) or (x.op == "number" and math.isfinite(x.number))


def is_zero(x: Any) -> bool:
    return x == 0 if isinstance(x, (int, float)) else x.op == "number" and x.number == 0


def decay(a: Any, b: Any, exp: Any = m.exp) -> Any:
    """exp(-|a - b|): in [0, 1], and exact where a or b is 0."""
    return exp(-m.absolute(b if is_zero(a) else a if is_zero(b) else a - b))


def where_equal(a: Any, b: Any, value: Any, y: Any) -> Any:
    """y, but `value` where a and b are equal: infinities have no difference. Finite constants need no such care."""
    return y if finite(a) or finite(b) else m.where(m.equal(a, b), value, y)


def softmax_of_two(a: Any, b: Any, exp: Any = m.exp) -> Any:
    """exp(a) / (exp(a) + exp(b)), and a half of equal infinities."""
    e = decay(a, b, exp)
    whole = 1.0 / (1.0 + e)
    return where_equal(a, b, 0.5, m.where(m.greater_equal(a, b), whole, e * whole))


LOWERED["share"] = lambda a, b: softmax_of_two(a, b)
LOWERED["share2"] = lambda a, b: softmax_of_two(a, b, m.exp2)
LOWERED["logaddexp"] = lambda a, b: where_equal(a, b, a + LN2, m.maximum(a, b) + m.log1p_unit(decay(a, b)))
LOWERED["logaddexp2"] = lambda a, b: where_equal(
    a, b, a + 1.0, m.maximum(a, b) + m.log1p_unit(decay(a, b, m.exp2)) * LOG2_E
)

# --- slopes ----------------------------------------------------------------------------------------------------------

LOWERED["inverse_root"] = lambda x: 1.0 / m.sqrt((1.0 - x) * (1.0 + x))
LOWERED["inverse_gap"] = lambda x: 1.0 / ((1.0 - x) * (1.0 + x))
LOWERED["inverse_sum"] = lambda x: 1.0 / (1.0 + x * x)


def sech_squared(x: Expression) -> Expression:
    """4 e / (1 + e)², e = exp(-2 |x|)."""
    e = m.exp(-(m.absolute(x) * 2.0))
    whole = 1.0 + e
    return e * 4.0 / (whole * whole)


def cosine(a: Any, b: Any) -> Expression:
    h = m.hypot(a, b)
    return m.where(m.equal(h, 0.0), 0.0, a / h)


LOWERED["sech_squared"] = sech_squared
LOWERED["cosine"] = cosine
LOWERED["within_one"] = lambda x: m.minimum(m.maximum(x, -1.0), 1.0) + 0.0


def sinc(x: Expression) -> Expression:
    """sin(pi x) / (pi x), and 1 at 0."""
    y = m.where(m.equal(x, 0.0), math.pi * 1e-20, x * math.pi)
    return m.sin(y) / y


def bessel_quotient(x: Expression, n: Any) -> Any:
    """j_n(x) / x**n by its series near 0, by the recurrence beyond: see rules/slopes.py."""
    if not isinstance(n, int) or n > 8:
        return None
    half, total = x * x / 2.0, 1.0 + 0.0 * x
    for k in range(16, 0, -1):
        total = 1.0 - half / float(k * (2 * n + 2 * k + 1)) * total
    near = total / float(math.prod(range(1, 2 * n + 2, 2)))
    below, here = m.cos(x), m.sin(x) / x
    for j in range(n):
        below, here = here, ((2.0 * j + 1.0) * here - below) / (x * x)
    return m.where(m.less(m.absolute(x), float(n + 2)), near, here)


LOWERED["sinc"] = sinc
LOWERED["bessel_quotient"] = bessel_quotient

# --- kinks, jumps, questions -----------------------------------------------------------------------------------------

LOWERED["fmax"] = lambda a, b: m.where(m.isnan(b), a, m.where(m.greater(a, b), a, b))
LOWERED["fmin"] = lambda a, b: m.where(m.isnan(b), a, m.where(m.less(a, b), a, b))
LOWERED["sign"] = lambda x: m.where(m.greater(x, 0.0), 1.0, m.where(m.less(x, 0.0), -1.0, x + 0.0))
LOWERED["heaviside"] = lambda x, h: m.where(
    m.greater(x, 0.0), 1.0, m.where(m.less(x, 0.0), 0.0, m.where(m.equal(x, 0.0), h, x))
)
LOWERED["isfinite"] = lambda x: m.less(m.absolute(x), math.inf)
LOWERED["isinf"] = lambda x: m.equal(m.absolute(x), math.inf)
LOWERED["isposinf"] = lambda x, out=None: None if out is not None else m.equal(x, math.inf)
LOWERED["isneginf"] = lambda x, out=None: None if out is not None else m.equal(x, -math.inf)
LOWERED["signbit"] = lambda x: m.less(m.copysign(1.0, x), 0.0)
LOWERED["fix"] = lambda x, out=None: None if out is not None else m.trunc(x)


def rounded(x: Expression, decimals: Any = 0, out: None = None) -> Any:
    """To a fixed number of decimals, as NumPy: scaled, rounded, scaled back."""
    places = decimals.number if isinstance(decimals, Expression) and decimals.op == "number" else decimals
    if out is not None or isinstance(places, Expression) or not -300 < places < 300:
        return None
    scale = 10.0 ** abs(places)
    if places == 0:
        return m.rint(x)
    return m.rint(x * scale) / scale if places > 0 else m.rint(x / scale) * scale


LOWERED["round"] = LOWERED["around"] = rounded


def boolean_only(op: str) -> Any:
    """The bitwise operation of truth values; that of integers is not for kernels."""
    return lambda *args: getattr(m, op)(*args) if all(isinstance(a, Expression) and a.boolean for a in args) else None


LOWERED["bitwise_and"], LOWERED["bitwise_or"] = boolean_only("logical_and"), boolean_only("logical_or")
LOWERED["bitwise_xor"], LOWERED["invert"] = boolean_only("logical_xor"), boolean_only("logical_not")
