"""Functions of single elements that are no ufuncs, and ufuncs that are two functions, one for complex numbers.

Most are written with ufuncs. Imports core, slopes, and the rules it takes over from. The next one goes here.
"""

from typing import Any

import numpy as np

from ..core.dispatch import RULES, answers, function
from ..core.domains import Domain, positive
from ..core.words import composite, constant, elementwise, general, linear
from ..errors import TrackedVariable
from ..typing import Array
from . import constants, ufuncs  # noqa: F401  (taken over below)
from .even import limit
from .indexing import settled
from .slopes import bessel_quotient

# --- sinc, i0 --------------------------------------------------------------------------------------------------------

elementwise(np.sinc, lambda y, x: -np.pi * np.pi * x * bessel_quotient(np.pi * x, 1))


def _bessel_i1(x: Array) -> Array:
    from ..core.scipy_special import i1  # only here: importing it takes longer than importing bibun

    return i1(x)


elementwise(np.i0, lambda y, x: _bessel_i1(x), source="Abramowitz & Stegun 9.6.27")

# --- complex numbers -------------------------------------------------------------------------------------------------
# A cotangent is transposed without conjugation: it pairs with a tangent as the real part of their product.


def complex_normal(n: int) -> Any:
    """Complex numbers for the laws, away from 0."""
    return lambda rng: rng.normal(size=n) + 2 + 1j * rng.normal(size=n)


def real_part(g: Array) -> Array:
    """The part of a cotangent that a real result feels."""
    return np.real(g) if g.dtype.kind == "c" else g


linear(np.real, lambda g, val: real_part(g), cases=[((),), ((2, 3),), (complex_normal(3),)])
linear(
    np.imag,
    lambda g, val: real_part(g) * -1j if val.dtype.kind == "c" else g * 0,
    cases=[((),), ((2, 3),), (complex_normal(3),)],
)


def modulus_pull(g: Array, y: Array, x: Array) -> Array:
    """g·conj(x)/|x|, or its limit."""
    found = limit(real_part(g), y)
    if found is None:
        return real_part(g) * np.conjugate(np.sign(x))
    even, slope = found
    return np.where(even, slope * np.conjugate(x), real_part(g) * np.conjugate(np.sign(np.where(even, 1, x))))


_modulus = general(
    np.absolute,
    jvp=lambda t, y, x: np.real(np.conjugate(np.sign(x)) * t),
    vjp=lambda g, y, x: modulus_pull(g, y, x),
    register=False,
    cases=[(complex_normal(3),), (complex_normal(1),)],
)
_absolute, _sign = RULES[np.absolute], RULES[np.sign]


@answers(np.absolute)
def absolute(x: Array) -> Array:
    """|x|: a kink on the real line, the modulus in the plane."""
    return _modulus(x) if x.dtype.kind == "c" else _absolute(x)


@answers(np.sign)
def sign(x: Array) -> Array:
    """A constant on the real line; z / |z| in the plane, and 0 at 0."""
    if x.dtype.kind != "c":
        return _sign(x)
    m = np.absolute(x)
    return x / np.where(np.equal(m, 0), 1, m)


@function
def real_angle(x: Array, deg: bool = False) -> Array:
    """0 or π: the angle of a real number, a step."""
    return np.angle(x, deg)


constant(real_angle)


def np_angle(z: Array, deg: bool = False) -> Array:
    if z.dtype.kind != "c":
        return real_angle(z, deg)
    a = np.arctan2(np.imag(z), np.real(z))
    return a * (180 / np.pi) if deg else a


REAL_OR_COMPLEX = "whether the result is complex depends on the values"


def np_real_if_close(a: Array, tol: float = 100) -> Array:
    if a.dtype.kind != "c":
        return a
    limit = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return np.real(a) if np.all(settled(np.absolute(np.imag(a)) < limit, "np.real_if_close")) else a


composite(
    np.angle, np_angle, cases=[(complex_normal(3),), (complex_normal(2), {"deg": True}), ((3,),)], domain=positive
)  # fmt: skip
composite(np.real_if_close, np_real_if_close, cases=[(complex_normal(3),)], traced=REAL_OR_COMPLEX)

# --- limits and missing values ---------------------------------------------------------------------------------------


def _given(*values: Any) -> Any:
    """The first that is there."""
    return next((v for v in values if v is not None and v is not np._NoValue), None)


def np_clip(
    a: Array, a_min: Any = None, a_max: Any = None, out: None = None, *, min: Any = None, max: Any = None
) -> Array:
    if out is not None:
        raise TrackedVariable("np.clip(out=) of a Variable would lose its derivative: write `v = np.clip(…)`")
    low, high = _given(a_min, min), _given(a_max, max)
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


composite(
    np.clip,
    np_clip,
    cases=[((3,), {"a_min": -0.5, "a_max": 1.0}), ((2, 3), (3,), (2, 1)), ((3,), {"a_min": None, "a_max": 0.5})],
    domain=(ufuncs.quarter_up, Domain(-1.1, -0.9), Domain(0.9, 1.1)),
)
RULES[vars(np)["_core"].umath.clip] = np_clip  # what `array.clip(v, w)` calls


def np_nan_to_num(x: Array, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    if x.dtype.kind == "c":
        a, b = (np_nan_to_num(p, copy, nan, posinf, neginf) for p in (np.real(x), np.imag(x)))
        return a + 1j * b
    if x.dtype.kind != "f":
        return x
    largest = float(np.finfo(x.dtype).max)
    posinf, neginf = largest if posinf is None else posinf, -largest if neginf is None else neginf
    infinite = np.where(np.equal(x, np.inf), posinf, np.where(np.equal(x, -np.inf), neginf, x))
    return np.where(np.isnan(x), nan, infinite)


composite(np.nan_to_num, np_nan_to_num, cases=[((3,),), ((2, 3), {"nan": 1.0}), ((),)])

# --- a number taken apart --------------------------------------------------------------------------------------------


def np_divmod(a: Array, b: Array) -> tuple[Array, Array]:
    return np.floor_divide(a, b), np.remainder(a, b)


def np_modf(x: Array) -> tuple[Array, Array]:
    return np.fmod(np.where(np.isinf(x), 0, x), 1), np.trunc(x)


@function
def exponent_of(x: Array) -> Array:
    """The exponent of `np.frexp`, a step."""
    return np.frexp(x)[1]


constant(exponent_of)


@answers(np.frexp)
def np_frexp(x: Array) -> tuple[Array, Array]:
    exponent = exponent_of(x)
    return np.ldexp(x, -exponent), exponent


composite(
    np.divmod, np_divmod, cases=[((3,), (3,)), ((2, 3), (3,)), ((), ())], domain=(ufuncs.dividend, ufuncs.divisor)
)  # fmt: skip
composite(np.modf, np_modf, cases=[((3,),), ((),)], domain=ufuncs.dividend)

# --- np.emath: real functions that leave the real line where they must -----------------------------------------------


def beyond(x: Array, outside: Any) -> Array:
    """`x`, made complex if it has an element outside of the real function's domain."""
    return np.add(x, 0j) if np.isrealobj(x) and np.any(settled(outside(x), "np.emath")) else x


def _negative(x: Array) -> Array:
    return np.less(x, 0)


def _beyond_one(x: Array) -> Array:
    return np.greater(np.abs(x), 1)


def _extended(func: Any, outside: Any) -> Any:
    return lambda x: func(beyond(x, outside))


wide, below, far = Domain(1.3, 2.0), Domain(-2.0, -0.5), Domain(1.5, 3.0)
for func in (np.sqrt, np.log, np.log2, np.log10):
    composite(getattr(np.emath, func.__name__), _extended(func, _negative), cases=[((3,),), ((),)], domain=below,
              name=f"emath.{func.__name__}", traced=REAL_OR_COMPLEX)  # fmt: skip
for inverse in (np.arccos, np.arcsin, np.arctanh):
    composite(getattr(np.emath, inverse.__name__), _extended(inverse, _beyond_one), cases=[((3,),), ((),)], domain=far,
              name=f"emath.{inverse.__name__}", traced=REAL_OR_COMPLEX)  # fmt: skip
composite(np.emath.logn, lambda n, x: np.emath.log(x) / np.emath.log(n), cases=[((3,), (3,))], domain=wide,
          name="emath.logn", traced=REAL_OR_COMPLEX)  # fmt: skip
composite(np.emath.power, lambda x, p: np.power(beyond(x, _negative), p), cases=[((3,), (3,))], domain=positive,
          name="emath.power", traced=REAL_OR_COMPLEX)  # fmt: skip
