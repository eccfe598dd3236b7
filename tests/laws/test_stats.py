"""bibun.stats: every distribution against scipy.stats, difference quotients, quadrature and mpmath.

DISTRIBUTIONS says where the arguments of each lie, EXACT what its log-density is in mpmath and where it is hard. A new
distribution is one line in each.
"""

import subprocess
import sys
import warnings
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats

import bibun as bb
import bibun.stats as stats
from bibun.core.rule import TABLE as RULES
from bibun.stats.distribution import Discrete, Distribution
from tests.laws import laws
from tests.laws.cases import cases_of

DISCRETE = ("logpmf", "pmf", "logcdf", "cdf", "logsf", "sf")
CONTINUOUS = ("logpdf", "pdf", "logcdf", "cdf", "logsf", "sf")


@dataclass
class Tried:
    """Where the arguments of a distribution are drawn: the variable, then the shapes, each (low, high) or counts."""

    at: Any
    shapes: dict[str, Any] = field(default_factory=dict)
    support: tuple[float, float] = (-np.inf, np.inf)
    bad: Any = -1.0

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...] = (5,)) -> tuple[np.ndarray, list[np.ndarray]]:
        def one(where: Any) -> np.ndarray:
            return np.asarray(rng.choice(where, shape) if isinstance(where, list) else rng.uniform(*where, shape))

        return one(self.at), [one(w) for w in self.shapes.values()]


REAL, HALF, UNIT = (-np.inf, np.inf), (0.0, np.inf), (0.0, 1.0)
SHAPE = (0.4, 4.0)
COUNTS = [0.0, 1.0, 2.0, 3.0, 5.0]
DISTRIBUTIONS = {
    "norm": Tried((-3, 3)),
    "t": Tried((-3, 3), dict(df=(0.5, 50))),
    "cauchy": Tried((-3, 3)),
    "logistic": Tried((-3, 3)),
    "laplace": Tried((0.2, 3)),
    "gumbel_r": Tried((-2, 4)),
    "gumbel_l": Tried((-4, 2)),
    "skewnorm": Tried((-2, 2), dict(a=(-2, 2)), bad=np.inf),
    "exponnorm": Tried((-2, 3), dict(K=SHAPE)),
    "expon": Tried((0.1, 3), support=HALF),
    "gamma": Tried((0.1, 4), dict(a=SHAPE), HALF),
    "chi2": Tried((0.1, 4), dict(df=SHAPE), HALF),
    "invgamma": Tried((0.1, 4), dict(a=SHAPE), HALF),
    "weibull_min": Tried((0.1, 2), dict(c=SHAPE), HALF),
    "lognorm": Tried((0.1, 4), dict(s=(0.3, 2)), HALF),
    "halfnorm": Tried((0.1, 3), support=HALF),
    "halfcauchy": Tried((0.1, 3), support=HALF),
    "rayleigh": Tried((0.1, 3), support=HALF),
    "pareto": Tried((1.1, 4), dict(b=SHAPE), (1.0, np.inf)),
    "invgauss": Tried((0.1, 3), dict(mu=SHAPE), HALF),
    "levy": Tried((0.1, 3), support=HALF),
    "betaprime": Tried((0.1, 3), dict(a=SHAPE, b=SHAPE), HALF),
    "f": Tried((0.1, 3), dict(dfn=(1, 9), dfd=(1, 9)), HALF),
    "beta": Tried((0.1, 0.9), dict(a=SHAPE, b=SHAPE), UNIT),
    "uniform": Tried((0.1, 0.9), support=UNIT),
    "triang": Tried((0.05, 0.3), dict(c=(0.4, 0.9)), UNIT),
    "truncnorm": Tried((-0.8, 0.8), dict(a=(-2, -1), b=(1, 2)), (-1.5, 1.5), bad=dict(a=3.0, b=-3.0)),
    "vonmises": Tried((-3, 3), dict(kappa=SHAPE), (-np.pi, np.pi)),
    "genextreme": Tried((-1, 1), dict(c=(-0.4, 0.4)), bad=np.inf),
    "genpareto": Tried((0.1, 1.5), dict(c=(-0.4, 0.4)), HALF, bad=np.inf),
    "bernoulli": Tried([0.0, 1.0], dict(p=(0.1, 0.9))),
    "binom": Tried(COUNTS, dict(n=[5.0, 8.0], p=(0.1, 0.9))),
    "poisson": Tried(COUNTS, dict(mu=SHAPE)),
    "nbinom": Tried(COUNTS, dict(n=SHAPE, p=(0.1, 0.9))),
    "geom": Tried([1.0, 2.0, 7.0], dict(p=(0.1, 0.9))),
    "betabinom": Tried(COUNTS, dict(n=[5.0, 8.0], a=SHAPE, b=SHAPE)),
    "zipf": Tried([1.0, 2.0, 7.0], dict(a=(1.5, 3))),
}
WAITING = {
    ("t", "df"),
    ("gamma", "a"),
    ("chi2", "df"),
    ("invgamma", "a"),
    ("beta", "a"),
    ("beta", "b"),
    ("nbinom", "n"),
}
"""Shapes of incomplete gamma and beta functions: the laws ask for no derivative of a distribution function in them."""


def of(name: str) -> tuple[Any, Any, Tried]:
    return getattr(stats, name), getattr(scipy.stats, name), DISTRIBUTIONS[name]


FUNCTIONS = [(name, f) for name in DISTRIBUTIONS for f in getattr(stats, name).functions]


def test_every_distribution_is_tried():
    known = {n for n in stats.__all__ if issubclass(getattr(stats, n), Distribution)}
    assert known == set(DISTRIBUTIONS) == set(EXACT)
    for name in known:
        assert "Notes" in getattr(stats, name).__doc__ and ">>>" in getattr(stats, name).__doc__


# --- the laws ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_values_are_scipys(name: str, function: str):
    ours, theirs, tried = of(name)
    x, shapes = tried.draw(np.random.default_rng(1), (40,))
    got = getattr(ours, function)(x, *shapes)
    np.testing.assert_allclose(got, getattr(theirs, function)(x, *shapes), rtol=1e-12, atol=1e-15)
    moved = getattr(ours, function)(2 * x + 3, *shapes, 3.0, 2.0) if not issubclass(ours, Discrete) else None
    if moved is not None:  # near zero SciPy 1.13 has lost digits of its own (ours are held against mpmath below)
        np.testing.assert_allclose(
            moved, getattr(theirs, function)(2 * x + 3, *shapes, 3.0, 2.0), rtol=1e-12, atol=1e-15
        )
    else:
        np.testing.assert_allclose(getattr(ours, function)(x + 3, *shapes, 3), got)
    alone = getattr(ours, function)(float(x[0]), *[float(s[0]) for s in shapes])
    assert type(alone) is np.float64 and alone == pytest.approx(got[0], rel=1e-13)


def case(name: str, function: str, shape: Any = (3,)) -> tuple[Any, list[np.ndarray]]:
    """The function of what is differentiated: the variable, shapes, location and scale; for counts, the shapes."""
    ours, _, tried = of(name)
    rng = np.random.default_rng(7)
    x, shapes = tried.draw(rng, shape)
    discrete = issubclass(ours, Discrete)
    waits = function.endswith(("cdf", "sf"))
    still = [isinstance(w, list) or (waits and (name, n) in WAITING) for n, w in tried.shapes.items()]
    places = [] if discrete else [rng.uniform(-0.01, 0.01, shape), rng.uniform(0.97, 1.03, shape)]

    def f(*arrays: Any) -> Any:
        left = list(arrays)
        at = x if discrete else left.pop(0)
        return getattr(ours, function)(
            at, *[s if q else left.pop(0) for s, q in zip(shapes, still, strict=True)], *left
        )

    certain = np.isneginf(f(*([] if discrete else [x]), *[s for s, q in zip(shapes, still, strict=True) if not q]))
    finite = lambda *arrays: np.where(certain, 0, f(*arrays)) if certain.any() else f(*arrays)
    return finite, [*([] if discrete else [x]), *[s for s, q in zip(shapes, still, strict=True) if not q], *places]


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_derivatives_obey_the_laws(name: str, function: str):
    f, xs = case(name, function)
    tried: Any = SimpleNamespace(f=f, rule=SimpleNamespace(second=None))
    if not xs:
        return
    laws.value(tried, xs)
    laws.adjoint(tried, xs)
    # steps of 1e-3 in arguments near the ends of their domains: the quotient's own error is what it is
    t = laws.like(xs, 1)
    numeric = laws.difference(f, xs, [0.2 * d for d in t])
    laws.close(bb.jvp(f, xs, [0.2 * d for d in t])[1], numeric[0], 1e-6, "forward against differences")
    laws.second(tried, xs)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_broadcasting_types_and_data(name: str):
    ours, _, tried = of(name)
    rng = np.random.default_rng(3)
    x, shapes = tried.draw(rng, (4,))
    density = getattr(ours, ours.density)
    first = [s[0] for s in shapes]
    column = [s[:3, None] for s in shapes]
    whole = density(x[None, :], *column) if shapes else density(x[None, :])
    rows = [density(x, *[float(s[i]) for s in shapes]) for i in range(3 if shapes else 1)]
    np.testing.assert_allclose(whole, np.array(rows), rtol=1e-12)
    single = density(x.astype(np.float32), *[s.astype(np.float32) for s in shapes])
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, density(x, *shapes), rtol=2e-4, atol=2e-5)
    assert density(x.astype(np.float32), *map(float, first)).dtype == np.float32
    g = (
        bb.grad(lambda z: np.sum(density(z, *[s.astype(np.float32) for s in shapes])))(x.astype(np.float32))
        if not (issubclass(ours, Discrete))
        else np.zeros(1, np.float32)
    )
    assert g.dtype == np.float32
    whole_numbers = np.array([1, 2, 3])
    np.testing.assert_array_equal(density(whole_numbers, *first), density(whole_numbers.astype(float), *first))
    np.testing.assert_array_equal(density([1, 2], *first), density(np.array([1.0, 2.0]), *first))
    assert density(np.zeros((0,)), *first).shape == (0,)
    v = density(bb.Variable(x) if not issubclass(ours, Discrete) else x, *[bb.Variable(s) for s in shapes])
    assert isinstance(v, bb.Variable) or (issubclass(ours, Discrete) and not shapes)


@pytest.mark.parametrize("name", [n for n, t in DISTRIBUTIONS.items() if np.isfinite(t.support).any()])
def test_outside_the_support_nothing_is_said_and_nothing_moves(name: str):
    ours, theirs, tried = of(name)
    if name == "vonmises":
        return  # its density is periodic
    x, shapes = tried.draw(np.random.default_rng(5), (4,))
    low, high = tried.support
    outer = [low - 2 if np.isfinite(low) else -9.0, high + 2 if np.isfinite(high) else low - 1]
    x = np.array([outer[0], x[1], x[2], outer[1]])
    places = [np.zeros(4), np.ones(4)]
    args = [x, *shapes, *places]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in ours.functions:
            np.testing.assert_allclose(
                getattr(ours, function)(x, *shapes), getattr(theirs, function)(x, *shapes), rtol=1e-12
            )
        g = bb.grad(lambda *a: np.sum(np.where(np.isin(x, outer), 0, 1) * ours.pdf(*a)), tuple(range(len(args))))(*args)
        y, pull = bb.vjp(ours.logpdf, *args)
        assert np.isneginf(y[[0, 3]]).all() and np.isfinite(y[1:3]).all()
        for back in pull(np.ones(4)):
            assert (back[[0, 3]] == 0).all() and np.isfinite(back).all()
        assert all(np.isfinite(a).all() for a in g)
        _, t = bb.jvp(ours.logpdf, args, [np.ones(4) for _ in args])
        assert (t[[0, 3]] == 0).all() and np.isfinite(t).all()
        gradient = bb.grad(lambda *a: np.sum(np.where(np.isneginf(y), 0, ours.logpdf(*a))), tuple(range(len(args))))
        for a in bb.jvp(gradient, args, [np.ones(4) for _ in args])[1]:
            assert np.isfinite(a).all() and (a[[0, 3]] == 0).all()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_invalid_parameters_are_nan_without_a_word(name: str):
    ours, theirs, tried = of(name)
    x, shapes = tried.draw(np.random.default_rng(6), (4,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i, parameter in enumerate(tried.shapes):
            bad = tried.bad[parameter] if isinstance(tried.bad, dict) else tried.bad
            broken = [np.where(np.arange(4) == 1, bad, s) if j == i else s for j, s in enumerate(shapes)]
            y = getattr(ours, ours.density)(x, *broken)
            assert np.isnan(y[1]) and not np.isnan(np.delete(y, 1)).any()
            assert np.isnan(getattr(theirs, ours.density)(x, *broken)[1])
        if not issubclass(ours, Discrete):
            for scale in (0.0, -1.0):
                y = ours.logpdf(x, *shapes, 0.0, np.array([1.0, scale, 1.0, 1.0]))
                assert np.isnan(y[1]) and not np.isnan(np.delete(y, 1)).any()
                assert np.isnan(ours.logpdf(x, *shapes, 0, scale)).all()
        assert np.isnan(getattr(ours, ours.density)(np.nan, *[s[0] for s in shapes]))


# --- quadrature -------------------------------------------------------------------------------------------------------


def nodes(support: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Double-exponential quadrature on the support, or on its pieces."""
    if len(support) > 2:
        return tuple(map(np.concatenate, zip(*[nodes(piece) for piece in pairwise(support)], strict=True)))  # type: ignore[return-value]
    u = np.linspace(-4.0, 4.0, 1601)
    s, ds = np.pi / 2 * np.sinh(u), np.pi / 2 * np.cosh(u) * (u[1] - u[0])
    low, high = support
    if np.isfinite(support).all():
        return low + (high - low) * sp.expit(2 * s), (high - low) * 2 * ds * sp.expit(2 * s) * sp.expit(-2 * s)
    return (low + np.exp(s) if np.isfinite(low) else high - np.exp(s)), np.exp(s) * ds


MIDDLE = {"f": (3.0, 7.0), "triang": (0.6,), "truncnorm": (-1.5, 1.5), "genpareto": (0.3,), "beta": (2.5, 3.5),
          "skewnorm": (-1.2,), "genextreme": (0.0,), "bernoulli": (0.3,), "binom": (8.0, 0.3), "nbinom": (2.5, 0.4),
          "geom": (0.3,), "betabinom": (8.0, 1.5, 0.7), "zipf": (7.0,)}  # fmt: skip
TIED = {("uniform", "scale"), ("pareto", "scale"), ("truncnorm", "a"), ("truncnorm", "b"), ("truncnorm", "scale"),
        ("vonmises", "scale"), ("binom", "n"), ("betabinom", "n")}  # fmt: skip
"""Parameters that move the ends of the support, or have no derivative: their score has another mean."""


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_densities_have_mass_one_and_scores_mean_zero(name: str):
    ours, _, tried = of(name)
    shapes = MIDDLE.get(name, tuple(1.6 for _ in tried.shapes))
    if issubclass(ours, Discrete):
        x, places = np.arange(0.0, 4000.0), ()
        w = np.ones_like(x)
    else:
        low, high = tried.support
        x, w = nodes((0, 0.6, 1) if name == "triang" else (low, 0, high) if tried.support == REAL else (low, high))
        places = (0.0, 1.0)
    density = getattr(ours, ours.density)
    y = density(x, *shapes, *places)
    mass = w * np.exp(y)
    assert np.sum(mass[mass > 0]) == pytest.approx(1, abs=1e-9)
    for i, parameter in enumerate([*tried.shapes, *ours.places[: len(places)]]):
        if (name, parameter) in TIED or (parameter == "loc" and tried.support != REAL):
            continue
        _, score = bb.jvp(lambda p, i=i: density(x, *[*shapes, *places][:i], p, *[*shapes, *places][i + 1 :]), (
            np.float64([*shapes, *places][i]),), (1.0,))  # fmt: skip
        some = mass > 0
        assert abs(np.sum(mass[some] * score[some])) < 1e-8, parameter


# --- far away, against mpmath -----------------------------------------------------------------------------------------

LOG2PI = mp.log(2 * mp.pi)


def log_choose(n: Any, k: Any) -> Any:
    return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)


def log_beta(a: Any, b: Any) -> Any:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def normal_mass(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def log_nbinom(k: Any, mu: Any, alpha: Any) -> Any:
    rise = sum(mp.log(1 + j * alpha) for j in range(int(k)))
    power = mp.log(1 + alpha * mu) / alpha if alpha else mu
    return rise + k * mp.log(mu) - mp.loggamma(k + 1) - k * mp.log(1 + alpha * mu) - power


def log_gev(z: Any, c: Any) -> Any:
    u = mp.log(1 - c * z) / c if c else -z
    return u - mp.exp(u) - mp.log(1 - c * z)


def log_gpd(z: Any, c: Any) -> Any:
    return -(1 + 1 / c) * mp.log(1 + c * z) if c else -z


def log_f(x: Any, m: Any, n: Any) -> Any:
    r = m / n
    return mp.log(r) + (m / 2 - 1) * mp.log(r * x) - (m + n) / 2 * mp.log(1 + r * x) - log_beta(m / 2, n / 2)


EXACT: dict[str, tuple[Any, list[tuple[float, ...]]]] = {
    "norm": (lambda z: -z * z / 2 - LOG2PI / 2, [(0.3,), (-40.0,), (1e10,)]),
    "t": (
        lambda z, v: mp.loggamma((v + 1) / 2) - mp.loggamma(v / 2) - mp.log(v * mp.pi) / 2 - (v + 1) / 2 * mp.log(1 + z * z / v),
        [(0.3, 5.0), (-4.0, 0.2), (1e6, 3.0), (2.0, 1e4), (3.0, 1e8), (0.5, 1e12), (1e-3, 40.0), (30.0, 100.0), (2.0, 29.9)],
    ),
    "cauchy": (lambda z: -mp.log(mp.pi * (1 + z * z)), [(0.3,), (-1e8,)]),
    "logistic": (lambda z: -z - 2 * mp.log(1 + mp.exp(-z)), [(0.3,), (-40.0,), (800.0,)]),
    "laplace": (lambda z: -abs(z) - mp.log(2), [(0.3,), (-900.0,)]),
    "gumbel_r": (lambda z: -z - mp.exp(-z), [(0.3,), (-6.0,), (900.0,)]),
    "gumbel_l": (lambda z: z - mp.exp(z), [(0.3,), (6.0,), (-900.0,)]),
    "skewnorm": (
        lambda z, a: mp.log(2) - z * z / 2 - LOG2PI / 2 + mp.log(normal_mass(a * z)),
        [(0.3, 2.0), (-10.0, 3.0), (10.0, 3.0), (2.0, -4.0)],
    ),
    "exponnorm": (
        lambda z, K: -mp.log(K) + 1 / (2 * K * K) - z / K + mp.log(normal_mass(z - 1 / K)),
        [(0.3, 1.0), (-20.0, 1.0), (50.0, 2.0), (0.5, 0.05), (3.0, 0.3)],
    ),
    "expon": (lambda z: -z, [(0.3,), (1e5,)]),
    "gamma": (
        lambda z, a: (a - 1) * mp.log(z) - z - mp.loggamma(a), [(0.3, 2.0), (1e-8, 0.1), (700.0, 1.5), (1e-100, 3.0)],
    ),
    "chi2": (
        lambda z, v: (v / 2 - 1) * mp.log(z / 2) - z / 2 - mp.loggamma(v / 2) - mp.log(2), [(0.3, 3.0), (1e3, 1.0)],
    ),
    "invgamma": (
        lambda z, a: -(a + 1) * mp.log(z) - 1 / z - mp.loggamma(a), [(0.3, 2.0), (1e-4, 0.5), (1e8, 3.0)],
    ),
    "weibull_min": (
        lambda z, c: mp.log(c) + (c - 1) * mp.log(z) - z**c, [(0.3, 2.0), (1e-10, 0.7), (50.0, 1.5), (0.9, 200.0)],
    ),
    "lognorm": (
        lambda z, s: -((mp.log(z) / s) ** 2) / 2 - mp.log(z * s) - LOG2PI / 2, [(0.3, 1.0), (1e-100, 0.5), (1e80, 2.0)],
    ),
    "halfnorm": (lambda z: -z * z / 2 + mp.log(2 / mp.pi) / 2, [(0.3,), (40.0,)]),
    "halfcauchy": (lambda z: mp.log(2 / mp.pi) - mp.log(1 + z * z), [(0.3,), (1e8,)]),
    "rayleigh": (lambda z: mp.log(z) - z * z / 2, [(0.3,), (1e-8,), (40.0,)]),
    "pareto": (lambda z, b: mp.log(b) - (b + 1) * mp.log(z), [(1.3, 2.0), (1e50, 0.1)]),
    "invgauss": (
        lambda z, m: -1.5 * mp.log(z) - LOG2PI / 2 - (z - m) ** 2 / (2 * z * m * m), [(0.3, 1.0), (1e-3, 2.0), (60.0, 0.5)],
    ),
    "levy": (lambda z: -1.5 * mp.log(z) - LOG2PI / 2 - 1 / (2 * z), [(0.3,), (1e-4,), (1e9,)]),
    "betaprime": (
        lambda z, a, b: (a - 1) * mp.log(z) - (a + b) * mp.log(1 + z) - log_beta(a, b), [(0.3, 2.0, 3.0), (1e9, 0.5, 2.0)],
    ),
    "f": (log_f, [(0.3, 2.0, 3.0), (1e4, 5.0, 9.0)]),
    "beta": (
        lambda z, a, b: (a - 1) * mp.log(z) + (b - 1) * mp.log(1 - z) - log_beta(a, b),
        [(0.3, 2.0, 3.0), (1e-100, 0.5, 4.0), (1 - 2.0**-40, 3.0, 0.2), (1e-6, 0.3, 1e6)],
    ),
    "uniform": (lambda z: mp.mpf(0), [(0.3,)]),
    "triang": (lambda z, c: mp.log(2 * z / c if z < c else 2 * (1 - z) / (1 - c)), [(0.3, 0.6), (0.7, 0.6)]),
    "truncnorm": (
        lambda z, a, b: -z * z / 2 - LOG2PI / 2 - mp.log(normal_mass(b) - normal_mass(a)),
        [(0.3, -1.0, 2.0), (20.5, 20.0, 21.0), (-35.5, -36.0, -35.0), (0.5, -9.0, 8.5), (8.5, 8.0, 30.0)],
    ),
    "vonmises": (
        lambda z, k: k * mp.cos(z) - LOG2PI - mp.log(mp.besseli(0, k)), [(0.3, 2.0), (1e-6, 100.0), (0.5, 1e4), (2.0, 1e-9)],
    ),
    "genextreme": (
        log_gev, [(0.3, 0.2), (1.0, 1e-9), (1.0, 1e-3), (-3.0, -0.1), (2.0, -1e-13), (5.0, 0.199), (1e4, -2.0)],
    ),
    "genpareto": (log_gpd, [(0.3, 0.2), (1.0, 1e-9), (0.8, -1e-13), (1e6, 0.5), (4.99, -0.2)]),
    "bernoulli": (lambda k, p: mp.log(p if k else 1 - p), [(1.0, 0.3), (0.0, 0.3), (1.0, 1e-100), (0.0, 1 - 2.0**-50)]),
    "binom": (
        lambda k, n, p: log_choose(n, k) + k * mp.log(p) + (n - k) * mp.log(1 - p),
        [(3.0, 10.0, 0.2), (0.0, 10.0, 1e-200), (2.0, 1e6, 1e-6), (10.0, 10.0, 1 - 2.0**-40)],
    ),
    "poisson": (lambda k, m: k * mp.log(m) - m - mp.loggamma(k + 1), [(3.0, 2.0), (0.0, 1e-300), (700.0, 1.5), (2.0, 500.0)]),
    "nbinom": (
        lambda k, n, p: mp.loggamma(k + n) - mp.loggamma(n) - mp.loggamma(k + 1) + n * mp.log(p) + k * mp.log(1 - p),
        [(3.0, 2.0, 0.4), (3.0, 1e9, 1 - 2.0**-30), (0.0, 0.1, 0.5), (1e4, 0.3, 1e-3), (40.0, 500.0, 0.9)],
    ),
    "geom": (lambda k, p: mp.log(p) + (k - 1) * mp.log(1 - p), [(3.0, 0.4), (1.0, 1 - 2.0**-50), (3e8, 1e-9)]),
    "betabinom": (
        lambda k, n, a, b: log_choose(n, k) + log_beta(k + a, n - k + b) - log_beta(a, b),
        [(1.0, 4.0, 0.5, 2.0), (0.0, 9.0, 0.05, 30.0), (5.0, 9.0, 40.0, 70.0)],
    ),
    "zipf": (lambda k, a: -a * mp.log(k) - mp.log(mp.zeta(a)), [(3.0, 2.0), (1e9, 1.01), (1.0, 30.0)]),
}  # fmt: skip
NATURAL: list[tuple[str, dict[str, float], Any, list[tuple[float, ...]]]] = [
    ("bernoulli", {"logit": 0.0}, lambda k, q: -mp.log(1 + mp.exp(-q if k else q)), [(1.0, 40.0), (0.0, 40.0), (1.0, -700.0)]),
    (
        "binom", {"n": 0.0, "logit": 0.0},
        lambda k, n, q: log_choose(n, k) + k * q - n * mp.log(1 + mp.exp(q)),
        [(3.0, 10.0, 0.5), (10.0, 10.0, 50.0), (0.0, 10.0, -50.0)],
    ),
    ("poisson", {"log_rate": 0.0}, lambda k, q: k * q - mp.exp(q) - mp.loggamma(k + 1), [(3.0, 0.5), (0.0, -700.0), (5.0, 30.0)]),
    ("geom", {"logit": 0.0}, lambda k, q: q - k * mp.log(1 + mp.exp(q)), [(3.0, 0.5), (1.0, 50.0), (3.0, -50.0)]),
    (
        "nbinom", {"mu": 0.0, "alpha": 0.0}, log_nbinom,
        [(3.0, 2.0, a) for a in (1e-15, 1e-10, 1e-5, 0.01, 0.2, 3.0, 1e4)]
        + [(k, 8.0, a) for k in (0.0, 1.0, 2.0, 400.0) for a in (1e-10, 1e-4, 2.6e-4, 0.06, 0.5)]
        + [(5e3, 5e3, 1e-10), (5e3, 4e3, 1e-3), (2.0, 1e6, 1e-8)],
    ),
    (
        "nbinom", {"log_mu": 0.0, "alpha": 0.0}, lambda k, q, a: log_nbinom(k, mp.exp(q), a),
        [(3.0, 1.0, 1e-10), (3.0, -30.0, 0.5), (7.0, 12.0, 0.3), (0.0, 2.0, 1e-3)],
    ),
]  # fmt: skip


ROUNDED = {"triang": 0.1, "nbinom": 0.1, "betabinom": 0.1, "zipf": 0.1}
"""Where terms of this size cancel to a smaller value or slope, as SciPy's do: the error is relative to them."""


def close_to(got: Any, want: Any, rtol: float, scale: Any, what: str) -> None:
    off = abs(mp.mpf(float(got)) - want)
    if abs(want) < 1e-290 and abs(got) < 1e-290:
        return  # underflow
    assert off <= rtol * max(abs(want), scale), (
        f"{what}: {float(got)!r} against {mp.nstr(want, 17)}, off by {mp.nstr(off, 3)}"
    )


def compared(ours: Any, exact: Any, point: tuple[float, ...], moving: list[int], scale: float) -> None:
    """Value, first and second derivatives in the arguments of these positions."""
    with mp.workdps(500), warnings.catch_warnings():
        warnings.simplefilter("error")
        at = tuple(mp.mpf(p) for p in point)
        want = exact(*at)
        close_to(ours(*point), want, 4e-13, scale, f"value at {point}")
        for i in moving:
            step = mp.mpf(10) ** -40 * (abs(at[i]) or 1)
            shifted = [exact(*at[:i], at[i] + s * step, *at[i + 1 :]) for s in (-1, 1)]
            one = (shifted[1] - shifted[0]) / (2 * step)
            two = (shifted[1] - 2 * want + shifted[0]) / step**2
            slope = bb.grad(ours, i)
            close_to(slope(*point), one, 1e-12, scale, f"slope {i} at {point}")
            close_to(bb.grad(slope, i)(*point), two, 1e-10, scale, f"curvature {i} at {point}")


@pytest.mark.parametrize("name", EXACT)
def test_values_and_derivatives_are_exact(name: str):
    ours, _, tried = of(name)
    exact, points = EXACT[name]
    fixed = [i for i, w in enumerate([tried.at, *tried.shapes.values()]) if isinstance(w, list)]
    for point in points:
        moving = [i for i in range(len(point)) if i not in fixed]
        compared(getattr(ours, ours.density), exact, point, moving, ROUNDED.get(name, 0.0))


@pytest.mark.parametrize(("name", "names", "exact", "points"), NATURAL)
def test_natural_parameters_are_exact(name: str, names: Any, exact: Any, points: Any):
    def ours(k: Any, *natural: Any) -> Any:
        return getattr(stats, name).logpmf(k, **dict(zip(names, natural, strict=True)))

    for point in points:
        compared(
            ours,
            exact,
            point,
            [i for i in range(1, len(point)) if list(names)[i - 1] != "n"],
            1e-3 * (name == "nbinom"),
        )


# --- the rules of its own ---------------------------------------------------------------------------------------------

OWN = [c for r in RULES if getattr(r.func, "__module__", "") == "bibun.stats.exact" for c in cases_of(r)]


@pytest.mark.parametrize("case", OWN, ids=str)
@pytest.mark.parametrize("law", ["value", "forward", "adjoint", "second", "data_types"])
def test_own_rules_obey_the_laws(case: Any, law: str):
    getattr(laws, law)(case, case.draw())


# --- ends and limits --------------------------------------------------------------------------------------------------


def test_at_the_ends_of_a_support():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # at 0 Weibull's density is 0, finite or infinite, as c is
        y = stats.weibull_min.logpdf(np.zeros(3), np.array([2.0, 1.0, 0.5]))
        assert y.tolist() == [-np.inf, 0.0, np.inf]
        y, pull = bb.vjp(stats.weibull_min.logpdf, np.zeros(2), np.array([2.0, 3.0]), 0.0, np.array([1.0, 2.0]))
        assert all((g == 0).all() for g in map(np.asarray, pull(np.ones(2))))
        assert bb.grad(lambda s: stats.weibull_min.logpdf(0.0, 1.0, 0.0, s))(2.0) == -0.5
        assert stats.gamma.logpdf(np.zeros(3), np.array([2.0, 1.0, 0.5])).tolist() == [-np.inf, 0.0, np.inf]
        assert stats.beta.logpdf([0.0, 1.0], 1.0, 1.0).tolist() == [0.0, 0.0]
        for f in ("logpdf", "logcdf", "logsf", "cdf", "sf"):
            for name in ("expon", "gamma", "lognorm", "weibull_min", "pareto", "invgamma"):
                ours, theirs, tried = of(name)
                x = np.array([-np.inf, np.inf])
                if f in ours.functions and f != "logpdf":
                    want = getattr(theirs, f)(x, *[1.5 for _ in tried.shapes])
                    np.testing.assert_array_equal(getattr(ours, f)(x, *[1.5 for _ in tried.shapes]), want)
                elif f == "logpdf":
                    assert np.isneginf(ours.logpdf(x, *[1.5 for _ in tried.shapes])).all()


def test_certain_trials():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        k = np.array([0.0, 1.0, 4.0, 5.0])
        for p in (0.0, 1.0):
            np.testing.assert_array_equal(stats.binom.logpmf(k, 4, p), scipy.stats.binom.logpmf(k, 4, p))
        assert bb.grad(lambda p: stats.binom.logpmf(0, 4, p))(0.0) == -4
        assert bb.grad(lambda p: stats.binom.logpmf(4, 4, p))(1.0) == 4
        assert bb.grad(lambda p: stats.bernoulli.logpmf(1, p))(1.0) == 1
        assert np.isneginf(stats.poisson.logpmf([1.5, -1.0], 2.0)).all()
        assert bb.grad(lambda m: np.sum(stats.poisson.logpmf([1.5, -1.0, np.inf], m)))(2.0) == 0
        assert stats.poisson.logpmf([0, 1], 0.0).tolist() == [0.0, -np.inf]
        assert stats.poisson.logpmf(True, 2) == scipy.stats.poisson.logpmf(1, 2)


def test_without_dispersion_the_negative_binomial_is_poisson():
    k = np.arange(12)
    np.testing.assert_allclose(stats.nbinom.logpmf(k, mu=3.0, alpha=0.0), stats.poisson.logpmf(k, 3.0), rtol=1e-14)
    slope = bb.jvp(lambda a: stats.nbinom.logpmf(k, mu=3.0, alpha=a), (0.0,), (1.0,))[1]
    np.testing.assert_allclose(slope, k * (k - 1) / 2 - 3 * k + 4.5, rtol=1e-13, atol=1e-14)
    by_log = bb.jvp(lambda a: stats.nbinom.logpmf(k, log_mu=np.log(3.0), alpha=a), (0.0,), (1.0,))[1]
    np.testing.assert_allclose(by_log, slope, rtol=1e-13, atol=1e-13)


def test_many_counts_of_one_dispersion_are_computed_once_for_each():
    k = np.random.default_rng(0).poisson(3.0, (20, 5)).astype(float)
    for natural in (dict(mu=3.0, alpha=0.4), dict(mu=np.full((20, 1), 3.0), alpha=np.array([[1e-9]]))):
        each = stats.nbinom.logpmf(k, mu=natural["mu"], alpha=np.full((20, 5), natural["alpha"]))
        np.testing.assert_allclose(stats.nbinom.logpmf(k, **natural), each, rtol=1e-13)
    at = np.array([1.0, np.nan, 2.0, 1.5, -1.0, np.inf])
    assert np.isnan(stats.nbinom.logpmf(at, mu=3.0, alpha=0.4)).tolist() == [False, True, False, False, False, False]


def test_large_degrees_of_freedom_are_normal():
    z = np.linspace(-4, 4, 9)
    np.testing.assert_allclose(stats.t.logpdf(z, 1e12), stats.norm.logpdf(z), rtol=1e-10)
    slope = bb.jvp(lambda v: stats.t.logpdf(z, v), (1e10,), (1.0,))[1]
    np.testing.assert_allclose(slope, -(z**4 - 2 * z**2 - 1) / 4e20, rtol=1e-8)


@pytest.mark.parametrize("name", ["norm", "gamma", "t", "beta", "poisson", "nbinom", "binom"])
def test_batches(name: str):
    ours, _, tried = of(name)
    x, shapes = tried.draw(np.random.default_rng(2), (3,))
    density = getattr(ours, ours.density)
    np.testing.assert_allclose(bb.vmap(density)(x, *shapes), density(x, *shapes), rtol=1e-13)
    if name != "norm" and name != "t":
        assert np.isneginf(bb.vmap(density)(x - 9, *shapes)).all()
        assert np.isnan(bb.vmap(density)(x, *[s - 20 for s in shapes])).all()


def test_truncation_at_infinity():
    slope, _ = bb.grad(lambda x, s: stats.truncnorm.logpdf(x, 0.0, np.inf, 0.0, s), (0, 1))(0.5, 1.0)
    assert slope == -0.5
    a = bb.grad(lambda a: stats.truncnorm.logpdf(0.5, a, np.inf))(0.0)
    assert a == pytest.approx(2 / np.sqrt(2 * np.pi), rel=1e-14)
    assert stats.truncnorm.logpdf(0.3, -np.inf, np.inf) == pytest.approx(stats.norm.logpdf(0.3), rel=1e-15)


def test_loading_is_light():
    code = "import sys, bibun.stats; print('scipy.stats' in sys.modules, 'scipy.special' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert out == ["False", "True"]


# --- arguments --------------------------------------------------------------------------------------------------------


def test_parameters_are_given_as_in_scipy():
    assert stats.gamma.logpdf(2.0, a=3.0, scale=2.0) == stats.gamma.logpdf(2.0, 3.0, 0, 2.0)
    assert stats.norm(1.0, 2.0).logpdf(0.5) == stats.norm.logpdf(0.5, 1.0, 2.0)
    assert str(__import__("inspect").signature(stats.gamma.logpdf)) == "(x, a, loc=0, scale=1)"
    for wrong in (
        lambda: stats.gamma.logpdf(2.0),
        lambda: stats.gamma.logpdf(2.0, 1.0, 0, 1, 5),
        lambda: stats.gamma.logpdf(2.0, 1.0, a=2.0),
        lambda: stats.norm.logpdf(2.0, sigma=1.0),
        lambda: stats.poisson.logpmf(1, 2.0, log_rate=1.0),
        lambda: stats.nbinom.logpmf(1, mu=2.0),
        lambda: stats.norm.logpdf(1j),
    ):
        with pytest.raises(TypeError, match=r"logp[dm]f"):
            wrong()
    with pytest.raises(TypeError, match=r"\(n, p\) or \(mu, alpha\) or \(log_mu, alpha\); it was given \(mu\)"):
        stats.nbinom.logpmf(1, mu=2.0)


def test_lists_of_variables_and_columns():
    v = bb.Variable(2.0)
    y = stats.norm.logpdf([v, 2 * v], 0.0, 1.0)
    np.sum(y).backward()
    assert v.grad.data == -10
    pd = pytest.importorskip("pandas")
    assert type(stats.norm.logpdf(pd.Series([1.0, 2.0]), 0, 1)) is np.ndarray


# --- vectors ----------------------------------------------------------------------------------------------------------

COV = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]])


def test_multivariate_values_are_scipys():
    rng = np.random.default_rng(0)
    x, m = rng.normal(size=(5, 3)), rng.normal(size=3)
    ours, theirs = stats.multivariate_normal, scipy.stats.multivariate_normal
    for at in (x, x[0]):
        for cov in (COV, 2.0, [1.0, 2.0, 3.0]):
            np.testing.assert_allclose(ours.logpdf(at, m, cov), theirs.logpdf(at, m, cov), rtol=1e-13)
            np.testing.assert_allclose(ours.pdf(at, m, cov), theirs.pdf(at, m, cov), rtol=1e-13)
        want = theirs.logpdf(at, m, COV)
        np.testing.assert_allclose(ours.logpdf(at, m, chol=np.linalg.cholesky(COV)), want, rtol=1e-13)
        np.testing.assert_allclose(ours.logpdf(at, m, precision=np.linalg.inv(COV)), want, rtol=1e-12)
        t = stats.multivariate_t.logpdf(at, m, COV, 3.5)
        np.testing.assert_allclose(t, scipy.stats.multivariate_t.logpdf(at, m, COV, 3.5), rtol=1e-13)
    np.testing.assert_allclose(ours.logpdf(x, m, np.stack([COV] * 5)), theirs.logpdf(x, m, COV), rtol=1e-13)
    np.testing.assert_allclose(ours.logpdf([0.1, 0.2]), theirs.logpdf([0.1, 0.2]), rtol=1e-14)
    assert np.shape(ours.logpdf(x[0], m, COV)) == () and ours.logpdf(x[None], m, COV).shape == (1, 5)
    shares = np.array([[0.2, 0.1], [0.3, 0.4], [0.5, 0.5]])
    a = np.array([1.0, 2.0, 3.5])
    np.testing.assert_allclose(stats.dirichlet.logpdf(shares, a), scipy.stats.dirichlet.logpdf(shares, a), rtol=1e-13)
    np.testing.assert_allclose(stats.dirichlet.logpdf(shares[:2], a), stats.dirichlet.logpdf(shares, a), rtol=1e-13)
    assert (
        np.isneginf(stats.dirichlet.logpdf([0.5, 0.6, -0.1], a)) and np.isnan(stats.dirichlet.logpdf(shares, -a)).all()
    )
    counts, p = [[1, 2, 1], [0, 0, 4], [1, 1, 1]], [0.2, 0.5, 0.3]
    want = scipy.stats.multinomial.logpmf(counts, 4, p)
    np.testing.assert_allclose(stats.multinomial.logpmf(counts, 4, p), want, rtol=1e-13)
    np.testing.assert_allclose(stats.multinomial.logpmf(counts, 4, logits=np.log(p) + 3), want, rtol=1e-13)


VECTORS = {
    "mean and covariance": (lambda x, m, f: stats.multivariate_normal.logpdf(x, m, f @ f.T), [(4, 3), (3,), (3, 3)]),
    "factor": (lambda x, m, f: stats.multivariate_normal.logpdf(x, m, chol=f), [(4, 3), (3,), (3, 3)]),
    "precision": (lambda x, m, f: stats.multivariate_normal.logpdf(x, m, precision=f @ f.T), [(3,), (3,), (3, 3)]),
    "stack": (lambda x, f: stats.multivariate_normal.logpdf(x, cov=np.stack([f @ f.T, 2 * f @ f.T])), [(2, 3), (3, 3)]),
    "diagonal": (lambda x, m, s: stats.multivariate_normal.logpdf(x, m, s), [(4, 3), (3,), "positive"]),
    "t": (lambda x, m, f, v: stats.multivariate_t.logpdf(x, m, f @ f.T, v[0]), [(4, 3), (3,), (3, 3), "positive"]),
    "dirichlet": (lambda a: stats.dirichlet.logpdf([0.2, 0.3, 0.5], a), ["positive"]),
    "dirichlet shares": (lambda x, a: stats.dirichlet.logpdf(x / 5, a), ["pair", "positive"]),
    "multinomial": (lambda p: stats.multinomial.logpmf([[1, 2, 1], [0, 0, 4]], 4, p / 5), ["positive"]),
    "logits": (lambda u: stats.multinomial.logpmf([[1, 2, 1], [0, 0, 4]], 4, logits=u), [(3,)]),
}


@pytest.mark.parametrize("name", VECTORS)
def test_multivariate_derivatives_obey_the_laws(name: str):
    f, shapes = VECTORS[name]
    rng = np.random.default_rng(4)

    def draw(shape: Any) -> np.ndarray:
        if shape == (3, 3):
            return np.tril(0.3 * rng.normal(size=(3, 3))) + 1.5 * np.eye(3)
        if isinstance(shape, str):
            return rng.uniform(0.8, 2.0, 2 if shape == "pair" else 3)
        return rng.normal(size=shape)

    xs = [draw(s) for s in shapes]
    tried: Any = SimpleNamespace(f=f, rule=SimpleNamespace(second=None))
    for law in (laws.value, laws.forward, laws.adjoint, laws.second):
        law(tried, xs)


def test_multivariate_mistakes_have_sentences():
    normal = stats.multivariate_normal
    with pytest.raises(np.linalg.LinAlgError):
        normal.logpdf([0.0, 0.0], cov=[[1.0, 2.0], [2.0, 1.0]])
    for wrong in (
        lambda: normal.logpdf([0.0, 1.0], [0.0, 1.0, 2.0], np.eye(2)),
        lambda: normal.logpdf([0.0, 1.0, 2.0], cov=np.eye(2)),
        lambda: normal.logpdf([0.0, 1.0], cov=np.ones((3, 2))),
        lambda: normal.logpdf([0.0, 1.0], chol=2.0),
        lambda: stats.dirichlet.logpdf([0.5, 0.5, 0.0, 0.0], [1.0, 1.0]),
    ):
        with pytest.raises(ValueError, match=r"logpdf"):
            wrong()
    with pytest.raises(TypeError, match="one of cov, chol and precision"):
        normal.logpdf([0.0], cov=2.0, chol=[[1.0]])
    with pytest.raises(TypeError, match="one of p and logits"):
        stats.multinomial.logpmf([1], 1)
