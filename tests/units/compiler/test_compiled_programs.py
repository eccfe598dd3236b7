"""`bb.compile`: whole programs, compiled and eager, must agree; and what is recorded must serve what comes later."""

import pickle
import threading

import numpy as np
import pytest
from scipy.special import gammaln

import bibun as bb
from bibun.core.tree import flatten

rng = np.random.default_rng(5)
n = 700
X = np.column_stack([np.ones(n), rng.normal(size=(n, 4))])
codes = rng.integers(0, 6, n)
y = (rng.random(n) < 0.4) * 1.0
counts = rng.poisson(2.0, n).astype(float)


def logistic(t, X, y):
    return np.sum(np.logaddexp(0, X @ t[:5]) - y * (X @ t[:5]))


def naive(t, X, y):
    return np.mean(np.log1p(np.exp(X @ t[:5])) - y * (X @ t[:5]))


def poisson(t, X, y):
    eta = X @ t[:5] + t[5]
    return -np.sum(y * eta - np.exp(eta) - gammaln(y + 1))


def normal(t, X, y):
    z = (y - X @ t[:5]) / np.exp(t[5])
    return np.sum(0.5 * z**2 + t[5]) + np.sum(t**2)


def student(t, X, y):
    z, nu = (y - X @ t[:5]) / np.exp(t[5]), np.exp(t[6])
    ll = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - t[5] - (nu + 1) / 2 * np.log1p(z * z / nu)
    return -np.sum(ll)


def mixture(t, X, y):
    a, b = -0.5 * (y - t[0]) ** 2, -0.5 * ((y - t[1]) / np.exp(t[2])) ** 2 - t[2]
    p = 1 / (1 + np.exp(-t[3]))
    return -np.sum(np.logaddexp(np.log(p) + a, np.log(1 - p) + b))


def softmax(t, X, y):
    eta = X[:, :2] @ t[:6].reshape(2, 3)
    return np.sum(bb.special.logsumexp(eta, axis=1) - eta[:, 1] * y)


def centred(t, X, y):
    eta = X @ t[:5]
    return np.sum((y - eta - np.mean(y - eta)) ** 2) + t[6] ** 2


def chosen(t, X, y):
    return np.sum(np.where(y > 0, np.log(np.where(y > 0, y, 0.0) * np.exp(t[0])), (X @ t[:5]) ** 2))


FUNCTIONS = [logistic, naive, poisson, normal, student, mixture, softmax, centred, chosen]
theta = np.array([0.1, -0.2, 0.3, 0.1, -0.1, 0.2, 0.7])


def agree(one, two, rtol=1e-9):
    for a, b in zip(flatten(one)[0], flatten(two)[0], strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * (1 + np.abs(b).max(initial=0)))


def everything(f):
    return lambda t, X, y: (*bb.value_and_grad(f)(t, X, y), bb.hessian(f)(t, X, y))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("derivative", [lambda f: f, bb.value_and_grad, bb.hessian, everything])
def test_compiled_is_eager(f, derivative):
    g = derivative(f)
    fast = bb.compile(g)
    agree(fast(theta, X, counts), g(theta, X, counts))
    agree(fast(theta / 2, X[:600], counts[:600]), g(theta / 2, X[:600], counts[:600]))
    agree(fast(theta, np.asfortranarray(X), counts), g(theta, X, counts))
    agree(fast(theta, X[::7], counts[::7]), g(theta, X[::7], counts[::7]))
    agree(fast(theta, X[::-1], counts[::-1]), g(theta, X[::-1], counts[::-1]))
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    agree(fast(theta, wide, counts), g(theta, wide, counts))


def test_one_pass_gives_value_gradient_and_hessian():
    fast = bb.compile(everything(student))
    fast(theta, X, y)
    (plan,) = fast.plans.values()
    assert plan.passes == 1 and plan.any_rows
    fast(theta, X[:650], y[:650])
    assert set(map(id, fast.plans.values())) == {id(plan)}


def test_groups_by_codes():
    def f(t, X, y, g):
        return np.sum((y - X @ t["b"] - t["u"][g]) ** 2) + np.sum(t["u"] ** 2)

    t = {"b": np.full(5, 0.1), "u": np.arange(6.0)}
    for g in (bb.grad(f), bb.hessian(f)):
        fast = bb.compile(g)
        agree(fast(t, X, y, codes), g(t, X, y, codes))
        agree(fast(t, X, y, codes - 6), g(t, X, y, codes - 6))  # counted from the end: as NumPy


def test_what_the_number_of_rows_decides_is_recorded_for_each():
    def f(t, y):
        return np.sum((y - t[0]) ** 2) / len(y) if len(y) > 650 else np.sum(y * t[0])

    fast = bb.compile(bb.grad(f))
    for k in (700, 600, 680):
        agree(fast(theta, y[:k]), bb.grad(f)(theta, y[:k]))


def test_other_derivatives_run_without_the_pass():
    by_data = bb.grad(normal, 2)
    agree(bb.compile(by_data)(theta, X, y), by_data(theta, X, y))
    third = bb.grad(lambda t, X, y: bb.hessian(poisson)(t, X, y)[0, 1])
    agree(bb.compile(third)(theta, X, y), third(theta, X, y))
    rows = bb.jacobian(lambda t, X: np.tanh(X @ t[:5]))
    agree(bb.compile(rows)(theta, X), rows(theta, X))
    product = lambda t, v, X, y: bb.hvp(lambda t: student(t, X, y), (t,), (v,))
    agree(bb.compile(product)(theta, theta[::-1].copy(), X, y), product(theta, theta[::-1].copy(), X, y))


def test_float32_stays():
    t, X32, y32 = (a.astype(np.float32) for a in (theta, X, y))
    agree(bb.compile(bb.value_and_grad(naive))(t, X32, y32), bb.value_and_grad(naive)(t, X32, y32), 1e-5)


def test_small_programs():
    def f(x, A):
        for _ in range(3):
            x = np.tanh(A @ x)
        return np.sum(x**2)

    A, x = rng.normal(size=(3, 3)), np.array([0.1, 0.2, 0.3])
    fast = bb.compile(bb.hessian(f))
    agree(fast(x, A), bb.hessian(f)(x, A))
    agree(fast(-x, A), bb.hessian(f)(-x, A))


def test_threads_and_pickles():
    fast, found = bb.compile(bb.value_and_grad(logistic)), []

    def work(k):
        found.extend(np.abs(fast(theta * k, X, y)[1] - bb.grad(logistic)(theta * k, X, y)).max() for _ in range(5))

    workers = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    assert len(found) == 15 and max(found) < 1e-9
    again = pickle.loads(pickle.dumps(bb.compile(logistic)))
    agree(again(theta, X, y), np.asarray(logistic(theta, X, y))[()])


def test_a_branch_on_a_value_is_refused_by_name():
    with pytest.raises(TypeError, match=r"np\.where"):
        bb.compile(lambda t, X: np.sum(X @ t[:5]) if t[0] > 0 else 0.0)(theta, X)


def test_by_name_and_with_options():
    def f(x, kind="sin", *, scale=2):
        return scale * (np.sin(x) if kind == "sin" else np.cos(x))

    fast = bb.compile(f)
    assert fast(0.3, kind="cos", scale=3) == pytest.approx(f(0.3, "cos", scale=3))
    assert fast(0.3, "sin") == pytest.approx(f(0.3))
