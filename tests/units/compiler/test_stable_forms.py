"""Where stable forms are taken and where not: before derivatives, never eagerly, never behind a boundary."""

import mpmath as mp
import numpy as np
import pytest

import bibun as bb
from bibun.compiler.rewriting import Stable, recorded_again
from bibun.transforms.recording import Recorded

RANDOM = np.random.default_rng(3)
ROWS = 700
X = RANDOM.normal(size=(ROWS, 3))
Y = (RANDOM.random(ROWS) < 0.5) * 1.0


def names(f, *args, n=0):
    """The operations of a recorded function in its stable form, from the first on."""
    return [v.rule.rule.name for v in Recorded(f, args, "compile", rewriting=Stable(n)).nodes]


def loglik(b, X, y):
    return -np.sum(np.log1p(np.exp(X @ b)) - y * (X @ b))


def exactly(b):
    """Value, gradient and Hessian of `loglik`, in 40 digits."""
    value, gradient, hessian = mp.mpf(0), mp.zeros(3, 1), mp.zeros(3)
    with mp.workdps(40):
        for row, y in zip(X.tolist(), Y.tolist(), strict=True):
            x = mp.matrix(row)
            eta = mp.fdot(row, b.tolist())
            p = 1 / (1 + mp.exp(-eta))
            value -= max(eta, 0) + mp.log1p(mp.exp(-abs(eta))) - y * eta
            gradient -= (p - y) * x
            hessian -= p / (1 + mp.exp(eta)) * x * x.T
    return [np.array(v.tolist() if isinstance(v, mp.matrix) else v, float) for v in (value, gradient, hessian)]


@pytest.mark.parametrize("far", [1.0, 30.0, 5000.0])
def test_a_naive_logistic_likelihood_is_finite_and_right(far):
    b = np.array([1.0, -0.5, 0.25])
    b *= far / np.max(np.abs(X @ b))
    value, gradient, hessian = exactly(b)
    fast = bb.compile(lambda *a: (*bb.value_and_grad(loglik)(*a), bb.hessian(loglik)(*a)))
    got = fast(b, X, Y)
    assert next(iter(fast.plans.values())).passes == 1
    np.testing.assert_allclose(got[0], value, rtol=1e-13)
    np.testing.assert_allclose(got[1], gradient[:, 0], rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(got[2], hessian, rtol=1e-11, atol=1e-11)


def test_eagerly_nothing_changes():
    with np.errstate(all="ignore"):
        assert np.isinf(np.asarray(np.log1p(np.exp(bb.Variable(800.0))).data))


def test_the_recording_does_not_warn_of_what_it_will_not_compute():
    assert float(bb.compile(lambda x: np.log1p(np.exp(x)))(800.0)) == 800.0


def test_an_intermediate_with_another_use_stays_for_it():
    def f(x):
        e = np.exp(x)
        return np.log1p(e) + e

    assert sorted(names(f, np.array(1.0))) == ["add", "exp", "logaddexp"]
    assert float(bb.compile(bb.grad(f))(1.0)) == pytest.approx(float(bb.grad(f)(1.0)), rel=1e-15)


def test_the_same_written_twice_is_the_same():
    assert names(lambda x, b: np.exp(x @ b) / (1 + np.exp(x @ b)), X, X[0]) == ["matmul", "share"]
    assert "share" not in names(lambda x, b: np.exp(x @ b) / (1 + np.exp(x @ -b)), X, X[0])


def test_nothing_looks_behind_what_a_derivative_is_taken_with_respect_to():
    def f(x):
        return bb.grad(lambda u: np.log1p(u) ** 2)(np.exp(x))

    for x in (0.5, 3.0):
        assert float(bb.compile(f)(x)) == pytest.approx(float(f(x)), rel=1e-14)


def test_sums_over_rows_stay_sums():
    def partial(b, X):
        return np.log(np.sum(np.exp(X @ b)))

    assert names(partial, X[0], X, n=ROWS) == ["matmul", "exp", "sum", "log"]
    assert "log_sum" in names(partial, X[0], X)
    fast = bb.compile(bb.value_and_grad(partial))
    fast(X[0], X)
    assert next(iter(fast.plans.values())).passes == 1


def test_products_over_rows_become_sums():
    def likelihood(b, X, y):
        p = 1 / (1 + np.exp(-X @ b))
        return np.log(np.prod(p))

    fast = bb.compile(bb.value_and_grad(likelihood))
    value, gradient = fast(X[0], X, Y)
    wanted = bb.value_and_grad(lambda b: -np.sum(np.logaddexp(0, -X @ b)))(X[0])
    np.testing.assert_allclose(value, wanted[0], rtol=1e-13)
    np.testing.assert_allclose(gradient, wanted[1], rtol=1e-12)
    assert next(iter(fast.plans.values())).passes == 1


def test_softmax_by_hand_is_one_pass():
    one_hot = np.eye(3)[RANDOM.integers(0, 3, ROWS)]

    def naive(B, X, Y):
        eta = X @ B
        return -np.sum(Y * np.log(np.exp(eta) / np.exp(eta).sum(axis=1, keepdims=True)))

    def stable(B, X, Y):
        return -np.sum(Y * bb.special.log_softmax(X @ B, axis=1))

    B = RANDOM.normal(size=(3, 3))
    for size in (1.0, 1000.0):
        for f in (naive, stable):
            fast = bb.compile(bb.value_and_grad(f))
            for got, wanted in zip(
                fast(size * B, X, one_hot), bb.value_and_grad(stable)(size * B, X, one_hot), strict=True
            ):
                np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-11)
            assert next(iter(fast.plans.values())).passes == 1


def test_a_mixture_with_a_share_for_a_weight_does_not_underflow():
    def mixture(p, y):
        w = 1 / (1 + np.exp(-p[0]))
        return np.sum(np.log(w * np.exp(-0.5 * (y - p[1]) ** 2) + (1 - w) * np.exp(-0.5 * (y + p[1]) ** 2)))

    def stable(p, y):
        first = -np.logaddexp(0, -p[0]) - 0.5 * (y - p[1]) ** 2
        return np.sum(np.logaddexp(first, -np.logaddexp(0, p[0]) - 0.5 * (y + p[1]) ** 2))

    for y in (50 * X[:, 0], 50 * X[:5, 0]):  # with rows, and without
        for p in (np.array([0.3, 1.0]), np.array([-800.0, 2.0])):
            for d in (bb.value_and_grad, bb.hessian):
                got, wanted = bb.compile(d(mixture))(p, y), d(stable)(p, y)
                for a, b in zip(got, wanted, strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.log(1 + 1 / (1 + np.exp(-x))), 1.0),  # no exponential but in a share
        (lambda x: np.log(np.exp(x) * -1.0 * np.minimum(x, -2.0)), 0.5),  # two negative factors
        (lambda x: np.log(np.exp(x) - 2.0), 1.0),  # no exponential of 2
        (lambda x: np.log(np.exp(x) + x), 1.0),
        (lambda x: np.log(-np.exp(x) * -1.0), 1.0),
        (lambda x: np.log1p(np.exp(x) * x), 1.0),
        (lambda x: np.exp(x) / (2 + np.exp(x)), 1.0),
    ],
)
def test_what_only_looks_like_a_form_is_computed_as_written(f, x):
    assert float(bb.compile(f)(x)) == pytest.approx(float(f(x)), rel=1e-15)
    for d in (bb.grad, bb.hessian):
        assert float(bb.compile(d(f))(x)) == pytest.approx(float(d(f)(x)), rel=1e-13)


def test_the_logarithm_of_a_negative_gamma_stays_nan():
    from scipy.special import gamma

    fast = bb.compile(lambda x: np.log(gamma(x)))
    x = np.array([-0.5, -1.5, -2.5, -3.5, 0.5, 3.0, 180.0])
    with np.errstate(all="ignore"):
        wanted = np.log(gamma(x))
    assert np.isnan(fast(x)).tolist() == np.isnan(wanted).tolist()
    assert np.isfinite(fast(x)[-1])


def test_several_results_are_recorded_again():
    def f(a):
        values, vectors = np.linalg.eigh(np.log1p(np.exp(a + a.T)))
        return np.sum(values * vectors[0] ** 2)

    a = X[:3]
    np.testing.assert_allclose(bb.compile(bb.grad(f))(a), bb.grad(f)(a), rtol=1e-9, atol=1e-12)
    assert names(f, a)[2:4] == ["logaddexp", "eigh"]


def test_shapes_and_types_are_kept():
    for dtype in (np.float32, np.float64):
        x = np.array([[1.0, 2.0]], dtype)
        for f in (
            lambda x: np.log1p(np.exp(x)),
            lambda x: 1 / (1 + np.exp(-x)),
            lambda x: np.log(1 + np.exp(x).sum(1)),
        ):
            got, wanted = bb.compile(f)(x), f(x)
            assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
            np.testing.assert_allclose(got, wanted, rtol=1e-6 if dtype is np.float32 else 1e-15)


def test_what_nothing_has_replaced_is_itself():
    y = np.exp(bb.Variable(1.0))
    assert recorded_again(y, {}) is y
