"""Every elementwise rule of scipy.special against mpmath: first and second derivatives, far into the tails.

The functions and points are in special_points.py. Below them: points where the formula has no value, types, refusals,
and logsumexp with its kin.
"""

import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp

import bibun as bb
import bibun.special
from bibun.core.dispatch import RULES as ENTRIES
from bibun.core.elementwise import Elementwise
from bibun.core.rule import TABLE as RULES
from tests.laws.special_points import INVERSES, TABLE

DIGITS, STEP = 110, mp.mpf(10) ** -20


# --- the comparison -----------------------------------------------------------------------------------------------------


def special(rule: Any) -> bool:
    if isinstance(rule.func, np.ufunc):
        return vars(sp).get(rule.func.__name__) is rule.func
    return rule.func.__module__.startswith("bibun.rules.special")


SPECIAL = {r.name: r for r in RULES if isinstance(r, Elementwise) and special(r)}
SPECIAL["zeta"] = next(r for r in RULES if r.name == "zeta")


def test_every_rule_has_points():
    assert sorted(SPECIAL) == sorted({*TABLE, *INVERSES})


def step_of(x: Any) -> Any:
    return STEP * max(abs(x), STEP if abs(x) > 0 else 1)


def difference(f: Any, at: tuple[Any, ...], i: int) -> Any:
    h = step_of(at[i])
    plus, minus = ([*at[:i], at[i] + s, *at[i + 1 :]] for s in (h, -h))
    return (f(*plus) - f(*minus)) / (2 * h)


def exact(x: Any) -> Any:
    return mp.mpf(x) if isinstance(x, float) else x


def agree(got: Any, want: Any, rtol: float, what: str) -> None:
    got = float(got)
    if (abs(want) < 1e-290 and abs(got) < 1e-290) or (abs(want) > 1e300 and abs(got) > 1e300):
        return  # under- or overflow
    off = abs(mp.mpf(got) - want)
    near = off <= rtol * abs(want) or (abs(want) < 1e-25 and got == 0)
    assert near, f"{what}: {got!r} against {mp.nstr(want, 17)}, off by {mp.nstr(off, 3)}"


def active(rule: Any) -> list[int]:
    return [i for i, d in enumerate(rule.partials) if d is not None]


def gradient(f: Any, i: int) -> Any:
    return lambda *args: bb.grad(f, i)(*args)


CASES = [
    pytest.param(name, p if isinstance(p, tuple) else (p,), id=f"{name}{p}")
    for name, row in TABLE.items()
    for p in row.points
]


@pytest.mark.parametrize(("name", "point"), CASES)
def test_first_and_second_derivatives(name, point):
    row, rule = TABLE[name], SPECIAL[name]
    with mp.workdps(DIGITS):
        at = tuple(map(exact, point))
        if row.f and not isinstance(rule.func, np.ufunc):
            agree(rule.func(*point), row.f(*at), 5e-13, "value")
        slots = active(rule)
        for k, i in enumerate(slots):
            slope = row.slopes[k] if row.slopes else lambda *z, i=i: difference(row.f, z, i)
            mine = gradient(rule.func, i)
            agree(mine(*point), slope(*at), row.first, f"∂{i}")
            for j in slots[k:]:
                agree(gradient(mine, j)(*point), difference(slope, at, j), row.second, f"∂{i}∂{j}")


@pytest.mark.parametrize(
    ("name", "point"),
    [pytest.param(n, p if isinstance(p, tuple) else (p,), id=f"{n}{p}") for n, (_, ps) in INVERSES.items() for p in ps],
)
def test_derivatives_of_inverses(name, point):
    density, rule = INVERSES[name][0], SPECIAL[name]
    last = len(point) - 1
    with mp.workdps(DIGITS):
        at = (*map(exact, point[:-1]), mp.mpf(float(rule.func(*point))))
        slope = density(*at)
        mine = gradient(rule.func, last)
        agree(mine(*point), 1 / slope, 1e-12, "first")
        agree(gradient(mine, last)(*point), -difference(density, at, last) / slope**3, 5e-12, "second")


# --- points where the formula has no value, types, refusals ----------------------------------------------------------------


def derivatives(f: Any, *args: Any) -> list[float]:
    return [float(bb.grad(f, i)(*args)) for i in range(len(args))]


def test_where_zero_absorbs():
    assert derivatives(sp.xlogy, 0.0, 0.0) == [-math.inf, 0.0]
    assert derivatives(sp.xlogy, 0.0, 3.0) == [math.log(3.0), 0.0]
    assert derivatives(sp.xlog1py, 0.0, -1.0) == [-math.inf, 0.0]
    assert derivatives(gradient(sp.xlogy, 1), 0.0, 2.0) == [0.5, 0.0]
    assert derivatives(sp.entr, 0.0) == [math.inf]
    assert derivatives(sp.rel_entr, 0.0, 2.0) == [-math.inf, 0.0]
    assert derivatives(sp.kl_div, 0.0, 2.0) == [-math.inf, 1.0]
    assert derivatives(sp.kl_div, 0.0, 0.0)[1] == 1.0


def test_huber_at_its_corner():
    assert derivatives(sp.huber, 1.5, 1.5) == [0.0, 1.5]
    assert derivatives(sp.huber, 1.5, -1.5) == [0.0, -1.5]
    assert derivatives(gradient(sp.huber, 1), 1.5, -2.0) == [-1.0, 0.0]
    assert derivatives(gradient(sp.huber, 1), 1.5, 1.0) == [0.0, 1.0]


def test_edges():
    assert derivatives(sp.boxcox, 2.0, 0.0) == pytest.approx([0.5, math.log(2) ** 2 / 2], rel=1e-15)
    assert derivatives(lambda b: sp.boxcox(0.0, b), 0.5) == [4.0]
    assert derivatives(sp.i0e, 0.0) == [0.0]
    assert derivatives(sp.i1e, 0.0) == [0.5]
    assert derivatives(lambda x: sp.gammainc(1.0, x), 0.0) == [1.0]
    assert derivatives(lambda x: sp.betainc(1.0, 2.0, x), 0.0) == [2.0]
    assert derivatives(lambda x: sp.stdtr(np.inf, x), 0.0) == pytest.approx([1 / math.sqrt(2 * math.pi)])
    assert derivatives(sp.log_ndtr, -np.inf) == [math.inf]
    assert derivatives(sp.log_ndtr, np.inf) == [0.0]


INTEGER = ["gammaln", "psi", "gamma", "rgamma", "erf", "erfc", "erfcx", "dawsn", "ndtr", "log_ndtr", "expit", "log_expit", "entr",
           "exprel", "cosm1", "j0", "j1", "y0", "y1", "i0", "i0e", "i1", "k0", "k0e", "wrightomega", "xlogy", "xlog1py", "beta",
           "betaln", "binom", "poch", "rel_entr", "kl_div", "huber", "pseudo_huber", "boxcox", "boxcox1p", "inv_boxcox", "softplus",
           "owens_t", "expi", "exp1", "powm1", "erfi"]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
@pytest.mark.parametrize("name", INTEGER)
def test_integers_differentiate_as_floats(name, dtype):
    f = getattr(bb.special, name)
    args = [3, 2][: getattr(f, "nin", 1)]
    for i in range(len(args)):
        for g in (f, lambda *a: bb.grad(f, i)(*a)):
            whole = bb.grad(g, i)(*[np.array(a, dtype) for a in args])
            real = bb.grad(g, i)(*map(float, args))
            assert whole == pytest.approx(float(real), rel=1e-13)
            assert np.asarray(whole).dtype == np.float64


def test_orders_and_shapes_are_refused_by_name():
    v = bb.Variable(np.array(2.0))
    for call, name in [
        (lambda: sp.jv(v, 1.0), "jv"), (lambda: sp.gammainc(v, 1.0), "gammainc"), (lambda: sp.betainc(2.0, v, 0.5), "betainc"),
        (lambda: sp.stdtr(v, 0.5), "stdtr"), (lambda: sp.kve(v, v), "kve"), (lambda: sp.zeta(v, 2.0), "zeta"),
        (lambda: sp.struve(1, v), "struve"), (lambda: bb.special.polygamma(v, 1.0), "polygamma"),
    ]:  # fmt: skip
        with pytest.raises(bb.MissingRule, match=name):
            call()


def test_public_names():
    ruled = {n for n in dir(sp) if isinstance(getattr(sp, n), np.ufunc) and getattr(sp, n) in ENTRIES}
    ours = {"log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "softplus", "zeta"}
    assert ruled | ours == set(bb.special.__all__)
    for name in ours - {"softplus"}:
        assert hasattr(sp, name)


# --- logsumexp, softmax, log_softmax --------------------------------------------------------------------------------------

INF = np.inf


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([-INF, -INF], None), ([INF, 1.0], None), ([INF, INF], None), ([INF, -INF], None), ([np.nan, 1.0], None), ([], None),
        ([1.0, 2.0], [1.0, -1.0]), ([1.0, 2.0], [-1.0, 1.0]), ([INF, 2.0], [0.0, 1.0]), ([0.0, 2.0], [0.0, 0.0]),
        ([1e3, -1e3], [1e-300, 1.0]), ([1.0, 1.0], [1.0, -1.0]), ([0.0, -800.0], None), ([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0]),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_logsumexp_has_scipys_values(a, b):
    for sign in (False, True):
        ours = bb.special.logsumexp(np.array(a), b=None if b is None else np.array(b), return_sign=sign)
        recorded = bb.special.logsumexp(bb.Variable(np.array(a)), b=b, return_sign=sign)
        empty = (-INF, 0.0) if sign else -INF  # as SciPy since 1.15; before, it refused
        theirs = sp.logsumexp(np.array(a), b=b, return_sign=sign) if a else empty
        for x, y, z in zip(
            *map(np.atleast_1d, (ours, theirs)),
            np.atleast_1d(recorded[0].data if sign else recorded.data),
            strict=False,
        ):
            np.testing.assert_allclose(x, y, rtol=1e-15)
            np.testing.assert_allclose(z, x, rtol=0)


def test_logsumexp_at_infinities():
    g = bb.grad(bb.special.logsumexp)
    np.testing.assert_array_equal(g(np.array([-INF, -INF])), [0, 0])
    np.testing.assert_array_equal(g(np.array([INF, 1.0])), [1, 0])
    np.testing.assert_array_equal(g(np.array([INF, INF, -INF])), [0.5, 0.5, 0])
    np.testing.assert_array_equal(g(np.array([0.0, -INF])), [1, 0])
    rows = np.array([[-INF, -INF], [0.0, 0.0]])
    np.testing.assert_array_equal(
        bb.grad(lambda a: np.sum(np.exp(bb.special.logsumexp(a, axis=1))))(rows), [[0, 0], [1, 1]]
    )
    assert bb.special.logsumexp(bb.Variable(np.zeros((2, 0))), axis=1).data.tolist() == [-INF, -INF]
    assert np.shape(bb.grad(lambda a: np.sum(bb.special.logsumexp(a, axis=1)))(np.zeros((2, 0)))) == (2, 0)


def test_logsumexp_with_weights():
    a, b = np.array([0.3, -1.0, 2.0]), np.array([1.5, 0.0, -0.1])
    total = np.sum(b * np.exp(a))
    ga, gb = (bb.grad(lambda a, b: bb.special.logsumexp(a, b=b), i)(a, b) for i in (0, 1))
    np.testing.assert_allclose(ga, b * np.exp(a) / total, rtol=1e-14)
    np.testing.assert_allclose(gb, np.exp(a) / total, rtol=1e-14)
    h = bb.hessian(lambda a: bb.special.logsumexp(a, b=b))(a)
    w = b * np.exp(a) / total
    np.testing.assert_allclose(h, np.diag(w) - np.outer(w, w), rtol=1e-13)
    np.testing.assert_array_equal(
        bb.grad(lambda a: bb.special.logsumexp(a, b=np.array([0, 1])))(np.array([INF, 2.0])), [0, 1]
    )


def test_second_derivatives_of_a_share_that_is_almost_one():
    x = np.array([0.0, 40.0, 1.0])
    with mp.workdps(60):
        e = [mp.exp(mp.mpf(v)) for v in x]
        w = [v / sum(e) for v in e]
        want = np.array([[float(w[i] * ((i == j) - w[j])) for j in range(3)] for i in range(3)])
        rest = np.array([[float((i == j) - w[j]) for j in range(3)] for i in range(3)])
    np.testing.assert_allclose(bb.hessian(bb.special.logsumexp)(x), want, rtol=1e-13)
    np.testing.assert_allclose(bb.jacobian(bb.special.softmax)(x), want, rtol=1e-13)
    np.testing.assert_allclose(bb.jacobian(bb.special.log_softmax)(x), rest, rtol=1e-13)
    np.testing.assert_allclose(bb.hessian(lambda x: bb.special.log_softmax(x)[1])(x), -want, rtol=1e-13)


@pytest.mark.parametrize("f", [bb.special.logsumexp, bb.special.softmax, bb.special.log_softmax])
def test_float32_and_integers_of_the_sums(f):
    x = np.array([1, 2, 3])
    y = np.sum(f(bb.Variable(x.astype(np.float32))))
    assert y.dtype == np.float32
    assert bb.grad(lambda x: np.sum(f(x) ** 2))(x.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(
        bb.grad(lambda x: np.sum(f(x) ** 2))(x), bb.grad(lambda x: np.sum(f(x) ** 2))(x * 1.0), rtol=1e-14
    )
    np.testing.assert_allclose(f(x), getattr(sp, f.__name__)(x), rtol=1e-14)


def test_a_list_of_variables():
    f = lambda x, y: bb.special.logsumexp([x, y])
    assert derivatives(f, 0.0, 0.0) == [0.5, 0.5]
