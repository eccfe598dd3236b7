"""Every stable form a compiled function takes in place of a naive one, against 60 digits: value, slope and curvature.

A form is named by what its user wrote. What it should be is said once for each function, not for each way to write it.
"""

import math
import warnings

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp

import bibun as bb
from bibun.compiler.rewriting import patterns

ROWS = 520
POINTS = [s * x for x in (1e-300, 1e-8, 1.0, 30.0, 40.0, 700.0, 800.0, 1e4, math.inf) for s in (1, -1)]
DIGITS = 60


def part(x):
    """The logistic function."""
    return 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x))


def softplus(x):
    return max(x, mp.mpf(0)) + mp.log1p(mp.exp(-abs(x))), part(x), part(x) * part(-x)


def log_expit(x):
    y, dy, d2y = softplus(-x)
    return -y, dy, -d2y


def expit(x):
    s, r = part(x), part(-x)
    return s, s * r, s * r * (r - s)


def logistic_density(x):
    s, r = part(x), part(-x)
    return s * r, s * r * (r - s), s * r * (1 - 6 * s * r)


def log1mexp(x):
    """log(1 - exp(-x))."""
    near = -mp.expm1(-x)
    return mp.log1p(-mp.exp(-x)) if x > 1 else mp.log(near), mp.exp(-x) / near, -mp.exp(-x) / near**2


def log_expm1(x):
    y, dy, d2y = log1mexp(x)
    return x + y, 1 + dy, d2y


def log_ndtr(x):
    p = mp.erfc(-x / mp.sqrt(2)) / 2
    d = mp.npdf(x) / p
    return mp.log(p) if x < 0 else mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2), d, -d * (x + d)


def ndtr(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2, mp.npdf(x), -x * mp.npdf(x)


def turned(f):
    """f(-x)."""

    def reference(x):
        y, dy, d2y = f(-x)
        return y, -dy, d2y

    return reference


def added_to_x(f):
    """x + f(x)."""

    def reference(x):
        y, dy, d2y = f(x)
        return x + y, 1 + dy, d2y

    return reference


def log_of_three(x):
    """log(1 + exp(x) + exp(-x))."""
    u = 2 * mp.cosh(x) + 1
    return mp.log(u), 2 * mp.sinh(x) / u, (2 * mp.cosh(x) * u - (2 * mp.sinh(x)) ** 2) / u**2


def w(x):
    """A weight that no line knows to be positive."""
    return x * x + 1


def weighted(k, m, n=0):
    """k x + m log w(x) + n log w(2 x)."""

    def reference(x):
        u, v = 1 + x * x, 1 + 4 * x * x
        d = k + m * 2 * x / u + n * 8 * x / v
        return k * x + m * mp.log(u) + n * mp.log(v), d, m * (2 - 2 * x * x) / u**2 + n * (8 - 32 * x * x) / v**2

    return reference


def shares(eta):
    return np.exp(eta) / np.sum(np.exp(eta), axis=-1, keepdims=True)


def three(x):
    """x, 0 and -x side by side, and the largest of them."""
    e = np.stack([x, np.zeros_like(x), -x], axis=-1)
    return e, np.max(e, axis=-1, keepdims=True)


def sum_less_its_largest(e, m, keepdims=False):
    return np.log(np.sum(np.exp(e - m), axis=-1, keepdims=keepdims))


def log_share_of_three(x):
    """x - log(1 + exp(x) + exp(-x))."""
    y, dy, d2y = log_of_three(x)
    return x - y, 1 - dy, -d2y


def share_of_three(x):
    y, dy, d2y = log_share_of_three(x)
    return mp.exp(y), mp.exp(y) * dy, mp.exp(y) * (dy * dy + d2y)


def log_2_cosh(x):
    t = mp.tanh(x)
    return abs(x) + mp.log1p(mp.exp(-2 * abs(x))), t, 1 / mp.cosh(x) ** 2


FORMS = {
    "log1p(exp(x))": (lambda x: np.log1p(np.exp(x)), softplus),
    "log(1 + exp(x))": (lambda x: np.log(1 + np.exp(x)), softplus),
    "log(exp(x) + 1.0)": (lambda x: np.log(np.exp(x) + 1.0), softplus),
    "log(exp(x) + exp(2 x))": (lambda x: np.log(np.exp(x) + np.exp(2 * x)), added_to_x(softplus)),
    "log(1 + exp(x) + exp(-x))": (lambda x: np.log(1 + np.exp(x) + np.exp(-x)), log_of_three),
    "log1p(exp(x) + exp(-x))": (lambda x: np.log1p(np.exp(x) + np.exp(-x)), log_of_three),
    "log(2*exp(x) + exp(x))": (
        lambda x: np.log(2 * np.exp(x) + np.exp(x)),
        lambda x: (x + mp.log(3), mp.mpf(1), mp.mpf(0)),
    ),
    "log(sum(exp([x, 0, -x])))": (
        lambda x: np.log(np.sum(np.exp(np.stack([x, np.zeros_like(x), -x], axis=-1)), axis=-1)),
        log_of_three,
    ),
    "log(exp(x) / sum(exp([x, -x])))": (
        lambda x: np.log(shares(np.stack([x, -x], axis=-1))[..., 0]),
        lambda x: tuple(2**k * y for k, y in enumerate(log_expit(2 * x))),
    ),
    "log(expit(x))": (lambda x: np.log(sp.expit(x)), log_expit),
    "log(1 / (1 + exp(-x)))": (lambda x: np.log(1 / (1 + np.exp(-x))), log_expit),
    "log(exp(x) / (1 + exp(x)))": (lambda x: np.log(np.exp(x) / (1 + np.exp(x))), log_expit),
    "-log1p(exp(-x))": (lambda x: -np.log1p(np.exp(-x)), log_expit),
    "log(1 - expit(x))": (lambda x: np.log(1 - sp.expit(x)), turned(log_expit)),
    "log1p(-expit(x))": (lambda x: np.log1p(-sp.expit(x)), turned(log_expit)),
    "log(1 - 1 / (1 + exp(-x)))": (lambda x: np.log(1 - 1 / (1 + np.exp(-x))), turned(log_expit)),
    "log1p(-1 / (1 + exp(-x)))": (lambda x: np.log1p(-(1 / (1 + np.exp(-x)))), turned(log_expit)),
    "1 - expit(x)": (lambda x: 1 - sp.expit(x), turned(expit)),
    "exp(x) / (1 + exp(x))": (lambda x: np.exp(x) / (1 + np.exp(x)), expit),
    "1 / (1 + exp(-x))": (lambda x: 1 / (1 + np.exp(-x)), expit),
    "(1 + exp(-x))**-1": (lambda x: (1 + np.exp(-x)) ** -1, expit),
    "1 - 1 / (1 + exp(-x))": (lambda x: 1 - 1 / (1 + np.exp(-x)), turned(expit)),
    "exp(x) / (exp(x) + exp(-x))": (
        lambda x: np.exp(x) / (np.exp(x) + np.exp(-x)),
        lambda x: tuple(2**k * y for k, y in enumerate(expit(2 * x))),
    ),
    "exp(-x) / (1 + exp(-x))**2": (lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, logistic_density),
    "log(1 - exp(-x))": (lambda x: np.log(1 - np.exp(-x)), log1mexp),
    "log(-expm1(-x))": (lambda x: np.log(-np.expm1(-x)), log1mexp),
    "log1p(-exp(-x))": (lambda x: np.log1p(-np.exp(-x)), log1mexp),
    "log(exp(x) - 1)": (lambda x: np.log(np.exp(x) - 1), log_expm1),
    "exp(x) - 1": (lambda x: np.exp(x) - 1, lambda x: (mp.expm1(x), mp.exp(x), mp.exp(x))),
    "1 - exp(-x)": (lambda x: 1 - np.exp(-x), lambda x: (-mp.expm1(-x), mp.exp(-x), -mp.exp(-x))),
    "log(1 + x)": (lambda x: np.log(1 + x), lambda x: (mp.log1p(x), 1 / (1 + x), -1 / (1 + x) ** 2)),
    "log(1 - x)": (lambda x: np.log(1 - x), lambda x: (mp.log1p(-x), -1 / (1 - x), -1 / (1 - x) ** 2)),
    "log(exp(x))": (lambda x: np.log(np.exp(x)), lambda x: (x, mp.mpf(1), mp.mpf(0))),
    "log(exp(-x**2 / 2) / sqrt(2 pi))": (
        lambda x: np.log(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),
        lambda x: (-(x**2) / 2 - mp.log(2 * mp.pi) / 2, -x, mp.mpf(-1)),
    ),
    "log(3 exp(x) 2)": (
        lambda x: np.log(3 * np.exp(x) * 2),
        lambda x: (x + mp.log(6), mp.mpf(1), mp.mpf(0)),
    ),
    "log(exp(x) / (exp(x) + exp(-x)))": (
        lambda x: np.log(np.exp(x) / (np.exp(x) + np.exp(-x))),
        lambda x: tuple(2**k * y for k, y in enumerate(log_expit(2 * x))),
    ),
    "log(exp(x) w)": (lambda x: np.log(np.exp(x) * w(x)), weighted(1, 1)),
    "log(exp(x) / w)": (lambda x: np.log(np.exp(x) / w(x)), weighted(1, -1)),
    "log(w / exp(x))": (lambda x: np.log(w(x) / np.exp(x)), weighted(-1, 1)),
    "log(exp(x) w w)": (lambda x: np.log(np.exp(x) * w(x) * w(x)), weighted(1, 2)),
    "log(w exp(x) / w)": (lambda x: np.log(w(x) * np.exp(x) / w(2 * x)), weighted(1, 1, -1)),
    "log(exp(x) / w / w)": (lambda x: np.log(np.exp(x) / w(x) / w(x)), weighted(1, -2)),
    "log(exp(x) / w w)": (lambda x: np.log(np.exp(x) / w(2 * x) * w(x)), weighted(1, 1, -1)),
    "log(exp(x).reshape(1, -1))": (
        lambda x: np.reshape(np.log(np.reshape(np.exp(x), (*x.shape, 1))), x.shape),
        lambda x: (x, mp.mpf(1), mp.mpf(0)),
    ),
    "log(expand_dims(exp(x), -1))": (
        lambda x: np.sum(np.log(np.expand_dims(np.exp(x), -1)), axis=-1),
        lambda x: (x, mp.mpf(1), mp.mpf(0)),
    ),
    "log(prod(exp([x, x])))": (
        lambda x: np.log(np.prod(np.exp(np.stack([x, x], axis=-1)), axis=-1)),
        lambda x: (2 * x, mp.mpf(2), mp.mpf(0)),
    ),
    "log(sum(exp(e - max(e)))) + max(e)": (
        lambda x: (lambda e, m: sum_less_its_largest(e, m) + m[..., 0])(*three(x)),
        log_of_three,
    ),
    "log(sum(1.0 exp(e - max(e)))) + max(e)": (
        lambda x: (lambda e, m: np.log(np.sum(1.0 * np.exp(e - m), axis=-1)) + m[..., 0])(*three(x)),
        log_of_three,
    ),
    "e - max(e) - log(sum(exp(e - max(e))))": (
        lambda x: (lambda e, m: (e - m - sum_less_its_largest(e, m, True))[..., 0])(*three(x)),
        log_share_of_three,
    ),
    "exp(e - max(e)) / sum(exp(e - max(e)))": (
        lambda x: (lambda e, m: (np.exp(e - m) / np.sum(np.exp(e - m), -1, keepdims=True))[..., 0])(*three(x)),
        share_of_three,
    ),
    "log(exp(e - max(e)) / sum(exp(e - max(e))))": (
        lambda x: (lambda e, m: np.log(np.exp(e - m) / np.sum(np.exp(e - m), -1, keepdims=True))[..., 0])(*three(x)),
        log_share_of_three,
    ),
    "log(softmax(e))": (
        lambda x: np.log(bb.special.softmax(three(x)[0], axis=-1))[..., 0],
        log_share_of_three,
    ),
    "log(exp(x - max(x, -x)) + exp(-x - max(x, -x))) + max(x, -x)": (
        lambda x: (lambda m: np.log(np.exp(x - m) + np.exp(-x - m)) + m)(np.maximum(x, -x)),
        log_2_cosh,
    ),
    "std([x, -x])**2": (
        lambda x: np.std(np.stack([x, -x], axis=-1), axis=-1) ** 2,
        lambda x: (x * x, 2 * x, mp.mpf(2)),
    ),
    "log(ndtr(x))": (lambda x: np.log(sp.ndtr(x)), log_ndtr),
    "log(1 - ndtr(x))": (lambda x: np.log(1 - sp.ndtr(x)), turned(log_ndtr)),
    "log1p(-ndtr(x))": (lambda x: np.log1p(-sp.ndtr(x)), turned(log_ndtr)),
    "log(0.5 (1 + erf(x / sqrt 2)))": (lambda x: np.log(0.5 * (1 + sp.erf(x / np.sqrt(2)))), log_ndtr),
    "log((1 + erf(x / sqrt 2)) / 2)": (lambda x: np.log((1 + sp.erf(x / np.sqrt(2))) / 2), log_ndtr),
    "log(0.5 erfc(-x / sqrt 2))": (lambda x: np.log(0.5 * sp.erfc(-x / np.sqrt(2))), log_ndtr),
    "1 - ndtr(x)": (lambda x: 1 - sp.ndtr(x), turned(ndtr)),
    "log(gamma(x))": (
        lambda x: np.log(sp.gamma(x)),
        lambda x: (mp.loggamma(x), mp.digamma(x), mp.polygamma(1, x)),
    ),
}

POSITIVE = {"log(1 - exp(-x))", "log(-expm1(-x))", "log1p(-exp(-x))", "log(exp(x) - 1)", "log(gamma(x))"}
BELOW = {"log(1 + x)": lambda x: x > -1, "log(1 - x)": lambda x: x < 1}


def expected(label, x):
    """Value, slope and curvature; their limits at infinity."""
    far = 10**9 if label.startswith("log(0.5") or "ndtr" in label or "erf" in label else 10**30
    with mp.workdps(DIGITS):
        exact = FORMS[label][1](mp.mpf(x) if math.isfinite(x) else mp.sign(x) * far)
        return [limit(float(y)) if math.isinf(x) else float(y) for y in exact]


def limit(y):
    return math.copysign(math.inf, y) if abs(y) > 60 else float(round(y, 6))


def points(label):
    inside = BELOW.get(label, (lambda x: x > 0) if label in POSITIVE else lambda x: True)
    return [x for x in POINTS if inside(x)]


TWO_INFINITIES = {
    "log(exp(x) + exp(2 x))",
    "log(exp(x) / sum(exp([x, -x])))",
    "std([x, -x])**2",
    *[label for label in FORMS if "max(" in label or "softmax" in label],
}
SUMS = {
    "log(1 + exp(x) + exp(-x))": 1,
    "log1p(exp(x) + exp(-x))": 1,
    "log(sum(exp([x, 0, -x])))": 1,
    "log(exp(x) / sum(exp([x, -x])))": 40,
    "log(3 exp(x) 2)": 1,
    "log(2*exp(x) + exp(x))": 1,
}
"""Forms that are sums of numbers of such a size, and exact to the last places of those."""


def near(label, k, x, got, wanted):
    """Exact to a few units in the last place; a small exponential to those of its logarithm."""
    if math.isinf(wanted) or math.isinf(got):
        return got == wanted
    size = 1 + abs(math.log(abs(wanted))) / 64 if wanted else 1
    zero = SUMS.get(label, 1 if weights(label) else 0.5 if k else 0) if 1e-300 < abs(x) < 1e5 else 0
    return abs(got - wanted) <= 3e-14 * size * abs(wanted) + 4e-16 * zero + 1e-300


def weights(label):
    return " w" in label or "(w" in label


def known(label, k, x):
    """All but a difference or a ratio of two infinities, and the curvature of log_ndtr at them: NaN eagerly too."""
    if math.isinf(x) and (weights(label) or label in TWO_INFINITIES):
        return False
    return not (k == 2 and math.isinf(x) and ("ndtr" in label or "erf" in label) and "log" in label)


@pytest.mark.parametrize("label", FORMS)
def test_compiled_without_rows(label):
    f = FORMS[label][0]
    compiled = [bb.compile(d(f)) for d in (lambda f: f, bb.grad, lambda f: bb.grad(bb.grad(f)))]
    for x in points(label):
        for k, (run, wanted) in enumerate(zip(compiled, expected(label, x), strict=True)):
            got = float(run(np.array(x)))
            assert not known(label, k, x) or near(label, k, x, got, wanted), (k, x, got, wanted)


@pytest.mark.parametrize("label", FORMS)
def test_compiled_with_rows(label):
    f = FORMS[label][0]

    def summed(t, x):
        return np.sum(f(x + t))

    compiled = [bb.compile(d(summed)) for d in (lambda f: f, bb.grad, lambda f: bb.grad(bb.grad(f)))]
    for x in points(label):
        for k, (run, wanted) in enumerate(zip(compiled, expected(label, x), strict=True)):
            got = float(run(0.0, np.full(ROWS, x))) / ROWS
            assert not known(label, k, x) or near(label, k, x, got, wanted), (k, x, got, wanted)


@pytest.mark.parametrize("label", FORMS)
def test_where_the_naive_form_is_accurate_nothing_changes(label):
    f = FORMS[label][0]
    x = np.linspace(0.3, 0.9, 13) if label in POSITIVE | set(BELOW) else np.linspace(-3, 3, 31)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = np.array([f(v) for v in x])
    got = np.array([float(bb.compile(f)(v)) for v in x])
    np.testing.assert_allclose(got, wanted, rtol=4e-15, atol=1e-15)


@pytest.mark.parametrize("label", FORMS)
def test_nan_stays_nan(label):
    assert math.isnan(float(bb.compile(FORMS[label][0])(np.array(math.nan))))
    f = FORMS[label][0]
    assert math.isnan(float(bb.compile(lambda t, x: np.sum(f(x + t)))(0.0, np.full(ROWS, math.nan))))


def test_every_line_is_in_a_form():
    """A pattern that no form here has is not tested."""
    from bibun.compiler import rewriting

    met = set()

    class Noted(rewriting.Stable):
        def _matches(self, p, u, found):
            for one in super()._matches(p, u, found):
                met.add(p)
                yield one

    for f, _ in FORMS.values():
        from bibun.transforms.recording import Recorded

        for x in (np.array(0.5), np.full(40, 0.5)):  # a sum of few exponentials is added up pair by pair
            Recorded(f, (x,), "compile", rewriting=Noted())
    unmet = [form for found in patterns(True).values() for line, form in found if line not in met]
    assert not unmet, "\n".join(f"line {f.__code__.co_firstlineno}" for f in unmet)
