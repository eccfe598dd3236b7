"""NumPy's ufuncs that have a derivative: for each operand ∂y/∂x, with `y` the output.

A line a ufunc. A slope whose own derivative would lose digits is a function of slopes.py. The rest of the ufuncs are in
constants.py; other functions of single elements are in elementwise_functions.py. Imports core, slopes.
"""

import math
import operator

import numpy as np

from ..core.broadcast import unbroadcast
from ..core.domains import Domain, above, between, nonzero, positive, real, static
from ..core.words import elementwise, linear
from ..typing import Array
from .even import smooth_when_even
from .slopes import cosine, inverse_gap, inverse_root, inverse_sum, sech_squared, share, share2

LN2, LN10 = math.log(2), math.log(10)
# Kept apart from each other, so that no case of the laws comes near a tie or a jump.
quarter_up = Domain(-2.0, 2.0, keep=lambda x: np.round(x) + 0.25)
quarter_down = Domain(-2.0, 2.0, keep=lambda x: np.round(x) - 0.25)
dividend, divisor = Domain(2.3, 2.7), Domain(0.96, 1.04)

# --- arithmetic ------------------------------------------------------------------------------------------------------

elementwise(np.add, 1, 1, run=operator.add)
elementwise(np.subtract, 1, -1, run=operator.sub)
elementwise(np.multiply, lambda y, a, b: b, lambda y, a, b: a, run=operator.mul)
elementwise(np.divide, lambda y, a, b: 1 / b, lambda y, a, b: -y / b, run=operator.truediv, domain=(real, nonzero))
elementwise(np.negative, -1)
elementwise(np.positive, 1)
elementwise(np.square, lambda y, x: x + x)
elementwise(np.reciprocal, lambda y, x: -y * y, domain=nonzero)
elementwise(np.sqrt, lambda y, x: 0.5 / y, domain=positive)
elementwise(np.cbrt, lambda y, x: 1 / (3 * y * y), domain=nonzero)


def power_base(y: Array, a: Array, b: Array) -> Array:
    """b a**(b - 1), and 0 where b = 0, even at a = 0."""
    if isinstance(b, (int, float)):
        if b == 2:
            return a + a
        return float(b) if b == 0 or b == 1 else a ** (b - 1) * float(b)
    if isinstance(b, np.number):
        b = b.item()
        if not isinstance(b, complex):
            return power_base(y, a, b)
    # b - 1.0: NumPy raises integers to no negative power
    return b * a ** np.where(np.equal(a, 0) & np.equal(b, 0), 1, b - 1.0)


def power_exponent(y: Array, a: Array, b: Array) -> Array:
    """y log(a), and 0 at a = 0 unless b is negative: there 0**b is 0 for every b > 0."""
    if isinstance(a, (int, float)) and a > 0:
        return y * math.log(a)  # a Python number, so that float32 stays
    return y * np.log(np.where(np.equal(a, 0) & np.greater_equal(b, 0), 1.0, a))  # 1.0: the log of uint8 is float16


elementwise(np.power, power_base, power_exponent, run=operator.pow, weak=False, domain=(positive, real))
elementwise(np.float_power, power_base, power_exponent, weak=False, domain=(positive, real))

# --- exponentials and logarithms -------------------------------------------------------------------------------------

elementwise(np.exp, lambda y, x: y)
elementwise(np.exp2, lambda y, x: LN2 * y)
elementwise(np.expm1, lambda y, x: np.exp(x))
elementwise(np.log, lambda y, x: 1 / x, domain=positive)
elementwise(np.log2, lambda y, x: 1 / LN2 / x, domain=positive)
elementwise(np.log10, lambda y, x: 1 / LN10 / x, domain=positive)
elementwise(np.log1p, lambda y, x: 1 / (1 + x), domain=Domain(-0.6, 2.0))
elementwise(np.logaddexp, lambda y, a, b: share(a, b), lambda y, a, b: share(b, a))
elementwise(np.logaddexp2, lambda y, a, b: share2(a, b), lambda y, a, b: share2(b, a))

# --- trigonometric and hyperbolic ------------------------------------------------------------------------------------

elementwise(np.sin, lambda y, x: np.cos(x))
elementwise(np.cos, lambda y, x: -np.sin(x))
elementwise(np.tan, lambda y, x: 1 + y * y, domain=between(-1, 1))
elementwise(np.arcsin, lambda y, x: inverse_root(x), domain=Domain(-0.8, 0.8))
elementwise(np.arccos, lambda y, x: -inverse_root(x), domain=Domain(-0.8, 0.8))
elementwise(np.arctan, lambda y, x: inverse_sum(x))
elementwise(np.sinh, lambda y, x: np.cosh(x))
elementwise(np.cosh, lambda y, x: np.sinh(x))
elementwise(np.tanh, lambda y, x: sech_squared(x))
elementwise(np.arccosh, lambda y, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)), domain=above(1.2))
elementwise(np.arctanh, lambda y, x: inverse_gap(x), domain=Domain(-0.8, 0.8))
hypot = elementwise(np.hypot, lambda y, a, b: cosine(a, b), lambda y, a, b: cosine(b, a), domain=nonzero)
elementwise(np.deg2rad, math.pi / 180)
elementwise(np.radians, math.pi / 180)
elementwise(np.rad2deg, 180 / math.pi)
elementwise(np.degrees, 180 / math.pi)


def arcsinh_slope(y: Array, x: Array) -> Array:
    """1 / sqrt(1 + x²), without overflow."""
    return 1 / (np.hypot(1, x) if x.dtype.kind != "c" else np.sqrt(1 + x * x))


elementwise(np.arcsinh, arcsinh_slope)
elementwise(
    np.arctan2,
    lambda y, a, b: cosine(b, a) / np.hypot(a, b),
    lambda y, a, b: -cosine(a, b) / np.hypot(a, b),
    domain=nonzero,
)

# --- kinks and jumps -------------------------------------------------------------------------------------------------


def chosen(y: Array, x: Array, other: Array) -> Array:
    """1 where `x` is the result, 0 where `other` is, a half where they are equal."""
    tie = np.equal(x, other)
    if isinstance(tie, (np.ndarray, np.generic)) and not np.count_nonzero(tie):
        return np.equal(x, y)
    return np.where(tie, y.dtype.type(0.5) or 0.5, np.equal(x, y))


for extreme in (np.maximum, np.minimum, np.fmax, np.fmin):
    elementwise(
        extreme,
        lambda y, a, b: chosen(y, a, b),
        lambda y, a, b: chosen(y, b, a),
        domain=(quarter_up, quarter_down),
    )

absolute = elementwise(np.absolute, lambda y, x: np.sign(x), domain=nonzero)
fabs = elementwise(np.fabs, lambda y, x: np.sign(x), domain=nonzero)
for norm in (absolute, fabs, hypot):
    smooth_when_even(norm)
elementwise(np.copysign, lambda y, a, b: np.sign(a) * np.copysign(1, b), 0, domain=nonzero)
elementwise(np.heaviside, 0, lambda y, a, b: np.equal(a, 0), domain=nonzero)
elementwise(np.nextafter, 1, 0)
elementwise(np.remainder, 1, lambda y, a, b: -np.floor_divide(a, b), domain=(dividend, divisor))
elementwise(np.fmod, 1, lambda y, a, b: -np.rint((a - y) / b), domain=(dividend, divisor))

# --- linear ----------------------------------------------------------------------------------------------------------

linear(np.conjugate, lambda g, x: np.conjugate(g), cases=[((),), ((2, 3),), ((0,),)])
linear(
    np.ldexp,
    lambda g, x1, x2: unbroadcast(np.ldexp(g, x2), x1),
    None,
    cases=[((3,), static(np.array([1, -2, 0]))), ((), static(np.array([3, 1]))), ((2, 3), static(2))],
)
