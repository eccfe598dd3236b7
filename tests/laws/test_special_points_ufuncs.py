"""Points where a formula alone would give a NaN, a warning or a silent zero: kinks, ties, jumps, the ends of domains.

Every line is a decision; warnings are errors here.
"""

import math

import numpy as np
import pytest

import bibun as bb
from bibun.core.dispatch import ADVICE, RULES
from bibun.errors import MissingRule, TrackedVariable
from bibun.rules.constants import CONSTANT_UFUNCS

inf, nan = np.inf, np.nan


def derivatives(f, x):
    """The first and the second derivative, the second by both routes."""
    first = bb.grad(f)
    second = bb.grad(first)(x)
    x = np.asarray(x, float)
    np.testing.assert_array_equal(second, bb.jvp(first, (x,), (np.ones_like(x),))[1])
    return float(first(x)), float(second)


def same(got, wanted):
    np.testing.assert_array_equal(np.asarray(got, float), np.asarray(wanted, float))


# --- every ufunc -----------------------------------------------------------------------------------------------------

UFUNCS = sorted({u for u in vars(np).values() if isinstance(u, np.ufunc)}, key=lambda u: u.__name__)


@pytest.mark.parametrize("u", UFUNCS, ids=lambda u: u.__name__)
def test_every_ufunc_has_a_derivative_is_constant_or_is_refused_by_name(u):
    assert u in RULES or u in ADVICE


@pytest.mark.parametrize("u", sorted(CONSTANT_UFUNCS, key=lambda u: u.__name__), ids=lambda u: u.__name__)
def test_constants_are_plain_arrays_with_numpys_values(u):
    kinds = [k for k in u.types if set(k[: u.nin]) <= set("d")] or [k for k in u.types if set(k[: u.nin]) <= set("l")]
    if not kinds:
        return  # isnat: dates are no Variables
    x = np.array([3, 5]) if "l" in kinds[0] else np.array([3.5, -2.5])
    args = [x, x[::-1]][: u.nin]
    out = u(*map(bb.Variable, args))
    assert not isinstance(out, bb.Variable)
    np.testing.assert_array_equal(out, u(*args))


# --- power -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "b", "first", "second"),
    [
        (0.0, 0, 0, 0),
        (0.0, 1, 1, 0),
        (0.0, 2, 0, 2),
        (0.0, 3, 0, 0),
        (0.0, 2.5, 0, 0),
        (3.0, 0, 0, 0),
        (3.0, 1, 1, 0),
        (-2.0, 2, -4, 2),
        (-2.0, 3, 12, -12),
        (-2.0, -1, -0.25, -0.25),
        (-2.0, -2, 0.25, 0.375),
        (inf, 0, 0, 0),
    ],
)
def test_powers(x, b, first, second):
    wanted = first, second
    same(derivatives(lambda x: x**b, x), wanted)
    same(derivatives(lambda x: x ** float(b), x), wanted)
    same(derivatives(lambda x: x ** np.float64(b), x), wanted)
    same(derivatives(lambda x: np.float_power(x, b), x), wanted)
    same(derivatives(lambda x: np.sum(x ** np.array([b, b])) / 2, x), wanted)
    same(derivatives(lambda x: np.sum(x ** np.array([b, b], float)) / 2, x), wanted)
    if b == int(b):
        same(derivatives(lambda x: x ** np.int64(b), x), wanted)
        same(derivatives(lambda x: np.sum(np.power(x, [int(b)] * 2)) / 2, x), wanted)


def test_powers_at_zero_where_the_exponent_is_differentiated_too():
    same(bb.grad(np.power, (0, 1))(0.0, 0.0), (0, 0))
    same(bb.grad(np.power, (0, 1))(0.0, 1.0), (1, 0))
    same(bb.grad(np.power, (0, 1))(0.0, 2.0), (0, 0))
    same(bb.grad(bb.grad(np.power, 1), 1)(0.0, 2.0), 0)
    same(bb.grad(bb.grad(np.power, 0), 0)(0.0, 2.0), 2)
    same(bb.grad(bb.grad(np.power, 0), 1)(0.5, 0.0), 2)  # 1 / a: b = 0 hides it
    same(bb.grad(bb.grad(np.power, 1), 0)(0.5, 0.0), 2)


def test_a_negative_base_has_a_slope_in_the_exponent_only_if_it_is_asked_for():
    same(bb.grad(np.power, 0)(-2.0, 3.0), 12)
    assert np.isnan(bb.grad(np.power, 1)(-2.0, 3.0))
    b = bb.Variable(3.0)
    x = bb.Variable(-2.0)
    (x**b).backward()
    same(x.grad.data, 12)
    same(bb.jvp(np.power, (-2.0, 3.0), (np.array(1.0), np.array(0.0)))[1], 12)


def test_powers_of_integers():
    x = bb.Variable(np.array([0, 1, 2, -3]))
    for b, wanted in ((0, [0, 0, 0, 0]), (1, [1, 1, 1, 1]), (2, [0, 2, 4, -6]), (3, [0, 3, 12, 27])):
        for exponent in (b, np.int64(b), np.array([b] * 4)):
            x.cleargrad()
            (x**exponent).backward()
            same(x.grad.data, wanted)
            assert x.grad.dtype == np.float64
    big = bb.Variable(np.array(2))
    (big**62).backward()
    same(big.grad.data, 62 * 2.0**61)


def test_a_number_to_a_variable_power():
    same(derivatives(lambda b: 2**b, 3.0), (8 * math.log(2), 8 * math.log(2) * math.log(2)))
    same(derivatives(lambda b: 0**b, 3.0), (0, 0))
    x = np.float32(2)
    assert (bb.grad(lambda b: 2**b)(x)).dtype == np.float32


# --- kinks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [np.absolute, np.fabs, abs])
def test_absolute_value(f):
    same(derivatives(f, 0.0), (0, 0))
    same(derivatives(f, -2.0), (-1, 0))
    same(derivatives(f, -inf), (-1, 0))


@pytest.mark.parametrize("f", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_ties_share_evenly(f):
    for tie in (0.0, 1.5, inf, -inf):
        same(bb.grad(f, (0, 1))(tie, tie), (0.5, 0.5))
    same(bb.grad(f)(0.0, -0.0), 0.5)
    same(derivatives(lambda x: f(x, x), 2.0), (1, 0))
    same(derivatives(lambda x: f(x, 2) ** 2, 2.0), (2, 0.5))
    up = f in (np.maximum, np.fmax)
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    same(bb.grad(lambda a: np.sum(f(a, b)))(a), [0, 0.5, 1] if up else [1, 0.5, 0])
    g = bb.grad(lambda a: np.sum(f(a, b.astype(np.float32))))(a.astype(np.float32))
    assert g.dtype == np.float32


def test_a_missing_value_takes_nothing_from_fmax():
    same(bb.grad(np.fmax, (0, 1))(1.0, nan), (1, 0))
    same(bb.grad(np.fmin, (0, 1))(nan, 1.0), (0, 1))


def test_integers_tie_too():
    x = bb.Variable(np.array([1, 2, 3]))
    np.maximum(x, 2).backward()
    same(x.grad.data, [0, 0.5, 1])


def test_clip():
    f = lambda x: np.sum(np.clip(x, -1, 1))
    same(bb.grad(f)(np.array([-2.0, -1.0, 0.0, 1.0, 2.0])), [0, 0.5, 1, 0.5, 0])
    same(bb.grad(lambda x: np.clip(x, None, 1))(0.5), 1)
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        same(bb.grad(lambda x: np.clip(x, min=1))(0.5), 0)
    same(bb.grad(lambda low: np.sum(np.clip(np.array([0.0, 3.0]), low, 5)))(1.0), 1)
    same(bb.grad(lambda low: np.sum(np.array([0.0, 3.0]).clip(low, 5)))(1.0), 1)
    same(bb.grad(lambda x: x.clip(0, 1))(0.5), 1)


def test_signs_and_steps():
    same(derivatives(lambda x: np.copysign(x, -1.0), 2.0), (-1, 0))
    same(derivatives(lambda x: np.copysign(x, -1.0), 0.0), (0, 0))
    same(bb.grad(np.copysign, 1)(2.0, 3.0), 0)
    same(bb.grad(np.heaviside, (0, 1))(0.0, 0.3), (0, 1))
    same(bb.grad(np.heaviside, (0, 1))(2.0, 0.3), (0, 0))
    same(bb.grad(np.nextafter, (0, 1))(2.0, 3.0), (1, 0))
    same(bb.grad(lambda x: x * np.sign(x) + np.floor(x) + np.round(x) + np.trunc(x))(-2.5), -1)


def test_remainders_far_from_their_divisor():
    same(bb.grad(np.remainder, (0, 1))(-7.0, 2.0), (1, 4))
    same(bb.grad(np.fmod, (0, 1))(-7.0, 2.0), (1, 3))
    same(bb.grad(np.fmod, (0, 1))(1.0, 0.1), (1, -9))  # 1 / 0.1 rounds to 10
    same(bb.grad(np.remainder, (0, 1))(1.0, 0.1), (1, -9))


# --- numbers taken apart ---------------------------------------------------------------------------------------------


def test_frexp_modf_divmod_ldexp():
    x = bb.Variable(np.array([6.0, 0.0, -0.3]))
    mantissa, exponent = np.frexp(x)
    same(mantissa.data, np.frexp(x.data)[0])
    same(exponent, np.frexp(x.data)[1])
    same(bb.grad(lambda x: np.sum(np.frexp(x)[0]))(x.data), [0.125, 1, 2])
    same(bb.grad(lambda x: np.sum(np.modf(x)[0] + np.modf(x)[1]))(x.data), [1, 1, 1])
    same(np.modf(bb.Variable(inf))[0].data, 0)
    same(bb.grad(lambda x: sum(divmod(x, 2.0)))(7.5), 1)
    same(bb.grad(lambda x: sum(divmod(7.5, x)))(2.0), -3)
    same(bb.grad(lambda x: np.ldexp(x, 3))(1.0), 8)
    same(bb.grad(lambda x: np.ldexp(x, 2000) * 0.0 + x)(0.0), 1)


def test_nan_to_num():
    f = lambda x: np.sum(np.nan_to_num(x, nan=2.0) ** 2)
    x = np.array([1.0, nan, inf, -inf])
    same(np.nan_to_num(bb.Variable(x)).data, np.nan_to_num(x))
    same(bb.grad(f)(np.array([1.0, nan])), [2, 0])


# --- ends of domains -------------------------------------------------------------------------------------------------


def test_infinite_slopes_are_said():
    same(bb.grad(np.sqrt)(0.0), inf)
    same(bb.grad(np.cbrt)(0.0), inf)
    same(bb.grad(np.arcsin)(1.0), inf)
    same(bb.grad(np.arccos)(-1.0), -inf)
    same(bb.grad(np.arccosh)(1.0), inf)
    same(bb.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)))(np.array([0.0, 4.0])), [0, 0.25])


def test_hypot_and_arctan2_at_the_origin():
    same(bb.grad(np.hypot, (0, 1))(0.0, 0.0), (0, 0))
    same(bb.grad(np.hypot, (0, 1))(1e-200, 0.0), (1, 0))
    same(bb.grad(np.arctan2, (0, 1))(0.0, -2.0), (-0.5, 0))
    same(bb.grad(lambda x: np.where(x > 0, np.arctan2(x, x), x))(0.0), 1)


def test_logaddexp_with_nothing_in_it():
    for f in (np.logaddexp, np.logaddexp2):
        same(bb.grad(f, (0, 1))(-inf, -inf), (0.5, 0.5))
        same(bb.grad(f, (0, 1))(-inf, 1.0), (0, 1))
        same(bb.grad(bb.grad(f))(-inf, 1.0), 0)
        same(bb.grad(f, (0, 1))(0.0, inf), (0, 1))
        same(bb.grad(f, (0, 1))(-1000.0, 1000.0), (0, 1))
        same(bb.grad(f, (0, 1))(2.0, 2.0), (0.5, 0.5))
    same(derivatives(lambda x: np.logaddexp(x, 2.0), 2.0), (0.5, 0.25))


def test_far_tails_underflow_without_a_word():
    same(derivatives(np.tanh, 1000.0), (0, 0))
    same(derivatives(np.arctan, 1e300), (0, 0))
    same(derivatives(np.exp, -1000.0), (0, 0))
    np.testing.assert_allclose(derivatives(np.sinc, 0.0), (0, -np.pi * np.pi / 3), rtol=1e-15)
    same(derivatives(np.i0, 0.0), (0, 0.5))


# --- complex numbers -------------------------------------------------------------------------------------------------


def test_complex_absolute_value_angle_and_parts():
    z = np.array([3 + 4j, 0j])
    same(np.abs(bb.Variable(z)).data, [5, 0])
    g = bb.grad(lambda z: np.sum(np.abs(z)))(z)
    np.testing.assert_allclose(g, [0.6 - 0.8j, 0])
    np.testing.assert_allclose(bb.grad(lambda z: np.sum(np.real(z)))(z), [1, 1])
    np.testing.assert_allclose(bb.grad(lambda z: np.sum(np.imag(z)))(z), [-1j, -1j])
    np.testing.assert_allclose(bb.grad(lambda z: np.sum(np.real(np.conj(z) * z)))(z), 2 * np.conj(z))
    np.testing.assert_allclose(bb.grad(lambda x: np.real(np.exp(1j * x)))(0.3), -math.sin(0.3))
    np.testing.assert_allclose(bb.grad(bb.grad(lambda x: np.abs(np.exp((1 + 1j) * x))))(0.3), math.exp(0.3))
    np.testing.assert_allclose(bb.grad(lambda x: np.angle(np.exp(1j * x)))(0.3), 1)
    np.testing.assert_allclose(bb.grad(lambda x: np.real(np.sign(np.exp(1j * x))))(0.3), -math.sin(0.3))
    same(bb.grad(lambda x: np.angle(x))(0.0), 0)
    same(bb.grad(lambda x: np.imag(x))(2.0), 0)


def test_emath_leaves_the_real_line():
    np.testing.assert_allclose(np.emath.sqrt(bb.Variable(-4.0)).data, 2j)
    np.testing.assert_allclose(bb.grad(lambda x: np.imag(np.emath.sqrt(x)))(-4.0), -0.25)
    np.testing.assert_allclose(bb.grad(lambda x: np.emath.sqrt(x))(4.0), 0.25)


# --- methods of ufuncs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "u", [np.add, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp, np.logaddexp2, np.hypot]
)
@pytest.mark.parametrize("axis", [0, 1, -1, None, (0, 1)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reduce(u, axis, keepdims):
    x = (np.arange(15.0) * 7 % 15).reshape(3, 5) / 3 + 0.1
    f = lambda x: u.reduce(x, axis=axis, keepdims=keepdims)
    y = f(bb.Variable(x))
    np.testing.assert_allclose(y.data, f(x), rtol=1e-14)
    check(f, x)


@pytest.mark.parametrize("u", [np.add, np.multiply, np.maximum, np.minimum, np.logaddexp, np.logaddexp2, np.hypot])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_accumulate(u, axis):
    x = np.sin(np.arange(15.0)).reshape(3, 5) + 2
    f = lambda x: u.accumulate(x, axis=axis)
    np.testing.assert_allclose(f(bb.Variable(x)).data, f(x), rtol=1e-14)
    check(f, x)


@pytest.mark.parametrize("u", [np.add, np.multiply, np.power, np.maximum, np.hypot])
def test_outer(u):
    a, b = np.array([[1.2, 2.5], [0.3, 0.4]]), np.array([0.7, 1.9, 3.3])
    np.testing.assert_allclose(u.outer(bb.Variable(a), bb.Variable(b)).data, u.outer(a, b))
    check(lambda a: u.outer(a, b), a)
    check(lambda b: u.outer(a, b), b)


@pytest.mark.parametrize("starts", [[0, 2, 3], [1, 4], [0], [2, 0, 3, 3]])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_reduceat(starts, axis):
    x = np.arange(25.0).reshape(5, 5)
    f = lambda x: np.add.reduceat(x, starts, axis=axis)
    same(f(bb.Variable(x)).data, f(x))
    check(f, x)


def check(f, x):
    """Forward and backward against a difference quotient."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=x.shape)
    h = 1e-6
    numeric = (f(x + h * t) - f(x - h * t)) / (2 * h)
    y, forward = bb.jvp(f, (x,), (t,))
    np.testing.assert_allclose(forward, numeric, rtol=1e-6, atol=1e-8)
    g = rng.normal(size=np.shape(y))
    np.testing.assert_allclose(np.sum(bb.vjp(f, x)[1](g)[0] * t), np.sum(g * forward), rtol=1e-10)


def test_reductions_of_steps_are_constants():
    v = bb.Variable(np.array([1.0, 0.0]))
    assert np.logical_or.reduce(v)
    assert not np.logical_and.reduce(v)
    same(np.maximum.accumulate(bb.Variable(np.array([1.0, nan, 3.0]))).data, [1, nan, nan])
    same(np.logaddexp.reduce(bb.Variable(np.array([-inf, -inf]))).data, -inf)
    same(bb.grad(lambda x: np.logaddexp.reduce(x))(np.full(4, -inf)), np.full(4, 0.25))


def test_what_methods_refuse_names_the_way_out():
    v = bb.Variable(np.ones(3))
    with pytest.raises(TrackedVariable, match="bincount"):
        np.add.at(np.zeros(3), np.array([0, 1, 1]), v)
    with pytest.raises(TrackedVariable, match=r"np\.multiply\.at"):
        np.multiply.at(np.zeros(3), np.array([0, 1, 1]), v)
    with pytest.raises(MissingRule, match=r"np\.subtract\.reduce"):
        np.subtract.reduce(v)
    with pytest.raises(MissingRule, match=r"np\.divide\.accumulate"):
        np.divide.accumulate(v)
    with pytest.raises(MissingRule, match=r"np\.multiply\.reduceat"):
        np.multiply.reduceat(v, [0, 1])
    with pytest.raises(TrackedVariable, match="out="):
        np.add.reduce(v, out=np.zeros(()))
