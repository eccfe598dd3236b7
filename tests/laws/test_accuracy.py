"""Value, first and second derivative of every elementwise rule against mpmath, at points chosen to break it.

POINTS has a line a function: its form in mpmath, then the points. A rule without a line fails. Relative accuracy is
asked for; points where the result itself is ill-conditioned (a root of a partial derivative) are not.
"""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest

import bibun as bb
from bibun.core.elementwise import Elementwise
from bibun.core.rule import TABLE
from bibun.rules import slopes

DIGITS = 500  # a difference quotient of cos at 1e-200 sees 1e-1400
TOLERANCE = 2e-13
LAST = math.nextafter(1, 0)
HUGE, TINY = 1e150, 1e-20

LINE = [-30.0, -2.5, -TINY, 1e-200, TINY, 1e-5, 0.7, 3.0, 40.0]
HALF = [1e-200, TINY, 1e-5, 0.7, LAST, 1.5, 40.0, 1e20]
UNIT = [-0.9999, -0.5, -1e-9, 1e-200, TINY, 1e-5, 0.3, 1 - 1e-10, LAST]
PLANE = [(0.3, -1.2), (3.0, 4.0), (1e-9, 1.0), (1.0, -1e-9), (1e-100, 2e-100), (-1e100, 3e99), (1e-200, 1.0)]
LEVELS = [(0.3, -1.2), (-800.0, -801.0), (900.0, 0.5), (-3.0, 30.0), (TINY, -TINY), (700.0, 700.5), (1e-9, 40.0)]
POWERS = [(0.3, 2.5), (3.0, -1.5), (1e-5, 3.0), (1e-20, 2.5), (2.0, 1e-9), (1.0000001, 5.0), (40.0, 7.0)]
REMAINDERS = [(7.3, 2.0), (-7.3, 2.0), (7.3, -2.0), (1e15 + 0.5, 3.0), (TINY, 3.0)]


def sinc(x):
    return mp.sin(mp.pi * x) / (mp.pi * x)


def share(base):
    return lambda a, b: 1 / (1 + base ** (b - a))


POINTS = {
    np.add: (lambda a, b: a + b, PLANE),
    np.subtract: (lambda a, b: a - b, PLANE),
    np.multiply: (lambda a, b: a * b, PLANE),
    np.divide: (lambda a, b: a / b, [(0.3, -1.2), (1e-9, 1e50), (1e50, 1e-9), (-3.0, 1e-60)]),
    np.negative: (lambda x: -x, LINE),
    np.positive: (lambda x: +x, LINE),
    np.square: (lambda x: x**2, LINE),
    np.reciprocal: (lambda x: 1 / x, [-3.0, 1e-90, 1e90]),
    np.sqrt: (mp.sqrt, HALF),
    np.cbrt: (lambda x: mp.sign(x) * mp.cbrt(abs(x)), [-8.0, -1e-9, 1e-30, 0.3, 1e30]),
    np.power: (mp.power, POWERS),
    np.float_power: (mp.power, POWERS),
    np.exp: (mp.exp, [-700.0, -30.0, *LINE]),
    np.exp2: (lambda x: mp.mpf(2) ** x, [-1000.0, *LINE]),
    np.expm1: (mp.expm1, [-700.0, *LINE]),
    np.log: (mp.log, [1e-100, TINY, 0.7, 1 - 1e-10, LAST, 1.5, 1e100]),
    np.log2: (lambda x: mp.log(x) / mp.log(2), [1e-100, TINY, 0.7, LAST, 1.5, 1e100]),
    np.log10: (lambda x: mp.log(x) / mp.log(10), [1e-100, TINY, 0.7, LAST, 1.5, 1e100]),
    np.log1p: (mp.log1p, [-LAST, -0.5, -TINY, 1e-200, TINY, 1e-9, 3.0, 1e100]),
    np.logaddexp: (lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), LEVELS),
    np.logaddexp2: (lambda a, b: mp.log(mp.mpf(2) ** a + mp.mpf(2) ** b) / mp.log(2), LEVELS),
    np.sin: (mp.sin, LINE),
    np.cos: (mp.cos, LINE),
    np.tan: (mp.tan, [-1.2, 1e-200, TINY, 1e-5, 0.7, 1.5707]),
    np.arcsin: (mp.asin, UNIT),
    np.arccos: (mp.acos, [x for x in UNIT if x != 1e-200]),
    np.arctan: (mp.atan, [*LINE, 1e100, -HUGE]),
    np.arctan2: (mp.atan2, PLANE),
    np.sinh: (mp.sinh, [-700.0, *LINE]),
    np.cosh: (mp.cosh, [-700.0, *LINE]),
    np.tanh: (mp.tanh, [-300.0, 20.0, 5.0, *LINE]),
    np.arcsinh: (mp.asinh, [*LINE, 1e120, -HUGE]),
    np.arccosh: (mp.acosh, [1 + 1e-10, 1.0001, 1.5, 40.0, 1e100, HUGE]),
    np.arctanh: (mp.atanh, UNIT),
    np.hypot: (mp.hypot, [*PLANE, (1e-200, 1e-200), (1e-150, 1e-180), (HUGE, 1e20)]),
    np.deg2rad: (lambda x: x * mp.pi / 180, LINE),
    np.radians: (lambda x: x * mp.pi / 180, LINE),
    np.rad2deg: (lambda x: x * 180 / mp.pi, LINE),
    np.degrees: (lambda x: x * 180 / mp.pi, LINE),
    np.maximum: (max, PLANE),
    np.minimum: (min, PLANE),
    np.fmax: (max, PLANE),
    np.fmin: (min, PLANE),
    np.absolute: (abs, LINE),
    np.fabs: (abs, LINE),
    np.copysign: (lambda a, b: abs(a) * mp.sign(b), PLANE),
    np.heaviside: (lambda a, b: mp.mpf(a > 0), PLANE),
    np.remainder: (lambda a, b: a - b * mp.floor(a / b), REMAINDERS),
    np.fmod: (lambda a, b: a - b * mp.sign(a / b) * mp.floor(abs(a / b)), REMAINDERS),
    np.sinc: (sinc, [-1.5, -1e-9, 1e-200, TINY, 1e-5, 0.01, 0.3, 0.7, 0.95, 1.3, 2.4, 10.3]),
    np.i0: (lambda x: mp.besseli(0, x), [-3.0, 1e-9, 1e-5, 0.7, 3.0, 40.0]),
    slopes.inverse_root: (lambda x: (1 - x**2) ** mp.mpf(-0.5), UNIT),
    slopes.inverse_gap: (lambda x: 1 / (1 - x**2), UNIT),
    slopes.inverse_sum: (lambda x: 1 / (1 + x**2), [*[x for x in LINE if abs(x) != 0.7], 1e100]),
    slopes.cosine: (lambda a, b: a / mp.hypot(a, b), [(0.3, -1.2), (3.0, 4.5), (1e-100, 3e-100), (-1e100, 3e99)]),
    slopes.sech_squared: (lambda x: mp.sech(x) ** 2, [-300.0, 20.0, *LINE]),
    slopes.share: (share(mp.e), [p for p in LEVELS if p[0] != TINY]),
    slopes.share2: (share(mp.mpf(2)), [p for p in LEVELS if p[0] != TINY]),
}  # fmt: skip
"""The function, its form in mpmath, and where."""

NEARLY_IDENTITY = {np.nextafter}
"""Its derivative is 1 by decision; mpmath has no neighbouring numbers."""


def ours() -> list[Elementwise]:
    known = {id(f) for module in (np, slopes) for f in vars(module).values()}
    return [r for r in TABLE if isinstance(r, Elementwise) and id(r.func) in known]


def test_every_elementwise_rule_has_points():
    missing = {r.name for r in ours() if r.func not in POINTS} - {f.__name__ for f in NEARLY_IDENTITY}
    assert not missing


CASES = [(f, p if isinstance(p, tuple) else (p,)) for f, (_, points) in POINTS.items() for p in points]


def name(case) -> str:
    return str(case) if isinstance(case, tuple) else case.__name__


def exact(f, point, orders):
    """A partial derivative, by differences with so many digits that it is exact."""
    with mp.workdps(DIGITS):
        form, x = POINTS[f][0], [mp.mpf(float(v)) for v in point]

        def scaled(*s):  # a step in proportion to the point, however small or large that is
            return form(*[v * (1 + k) for v, k in zip(x, s, strict=True)])

        if not sum(orders):
            return form(*x)
        d = mp.diff(scaled, (0,) * len(x), orders) if len(x) > 1 else mp.diff(scaled, 0, orders[0])
        return mp.re(d) / mp.fprod(v**k for v, k in zip(x, orders, strict=True))


def agree(got, wanted, what) -> None:
    got = float(got)
    smallest = 1e-300  # below it numbers have fewer digits
    if abs(wanted) > 1.7e308:
        assert np.isinf(got), f"{what}: {got} against {mp.nstr(wanted, 17)}"
    else:
        error = abs(mp.mpf(got) - wanted)
        assert error <= max(TOLERANCE * abs(wanted), smallest), f"{what}: {got!r} against {mp.nstr(wanted, 17)}"


def partial(f, i):
    """∂f/∂xᵢ as a function of all arguments."""
    return bb.grad(f, i)


@pytest.mark.parametrize(("f", "point"), CASES, ids=name)
def test_value(f, point):
    wanted = exact(f, point, (0,) * len(point))
    with np.errstate(all="ignore"):  # slopes are computed inside of walks, which are silent
        agree(f(*point), wanted, "value")
        agree(f(*map(bb.Variable, point)).data, wanted, "value on Variables")


@pytest.mark.parametrize(("f", "point"), CASES, ids=name)
def test_first_derivative(f, point):
    for i in range(len(point)):
        orders = tuple(int(i == k) for k in range(len(point)))
        agree(partial(f, i)(*point), exact(f, point, orders), f"∂{i}")


@pytest.mark.parametrize(("f", "point"), CASES, ids=name)
def test_second_derivative(f, point):
    for i, j in itertools.product(range(len(point)), repeat=2):
        orders = tuple((i == k) + (j == k) for k in range(len(point)))
        wanted = exact(f, point, orders)
        agree(bb.grad(partial(f, i), j)(*point), wanted, f"∂{i}∂{j}, reverse over reverse")
        along = [np.asarray(float(k == j)) for k in range(len(point))]
        agree(bb.jvp(partial(f, i), point, along)[1], wanted, f"∂{i}∂{j}, forward over reverse")
