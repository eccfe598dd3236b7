"""Fits of many rows: the caller's array and no copy of it, compiled programs that serve every fit, a start from few rows."""

import tracemalloc

import numpy as np
import pytest
from scipy import special

import bibun as bb
from bibun.models import search
from bibun.models.regression import linear, logistic, multinomial

RNG = np.random.default_rng(5)
N, P = 60_000, 6
X = RNG.normal(size=(N, P)) * [1.0, 0.1, 10.0, 1.0, 1.0, 1.0] + [0.0, 0.0, 3.0, 0.0, 0.0, 0.0]
ONES = np.column_stack([np.ones(N), X])
BETA = np.array([-0.4, 0.5, 2.0, 0.05, -0.3, 0.0, 0.2])
Y = (RNG.uniform(size=N) < special.expit(ONES @ BETA)).astype(float)
COUNTS = RNG.poisson(np.exp(0.3 * (ONES @ BETA)) * RNG.gamma(2.0, 0.5, N)).astype(float)
W = RNG.integers(0, 3, size=N).astype(float)
OFFSET = RNG.normal(size=N)
NAMES = ["const", *[f"x{k}" for k in range(P)]]


def by_hand(A, y, w, offset, ridge=0.0):
    b = np.zeros(A.shape[1])
    penalty = ridge * np.diag([0.0] + [1.0] * (A.shape[1] - 1))
    for _ in range(30):
        p = special.expit(A @ b + offset)
        H = (A.T * (w * p * (1 - p))) @ A + penalty
        b = b + np.linalg.solve(H, A.T @ (w * (y - p)) - penalty @ b)
    return b, np.sqrt(np.diag(np.linalg.inv(H)))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("case", ["plain", "weights", "offset", "ridge"])
def test_logistic_of_many_rows_is_newton_by_hand(order, case):
    w, offset = W if case == "weights" else np.ones(N), OFFSET if case == "offset" else np.zeros(N)
    ridge = 50.0 if case == "ridge" else 0.0
    penalty = np.array([0.0] + [ridge] * P) if ridge else None
    coef, se = by_hand(ONES, Y, w, offset, ridge)
    given = W if case == "weights" else None, OFFSET if case == "offset" else None, penalty
    for A, intercept in ((np.asarray(X, order=order), True), (np.asarray(ONES, order=order), False)):
        r = logistic(A, Y, NAMES, *given, intercept=intercept)
        np.testing.assert_allclose(r.coef, coef, rtol=1e-9, atol=1e-12)
        if not ridge:
            np.testing.assert_allclose(r.se(), se, rtol=1e-7)
        eta = ONES @ coef + offset
        np.testing.assert_allclose(r.loglik, w @ (Y * eta - np.logaddexp(0, eta)), rtol=1e-12)
        assert r.converged


def test_the_intercept_that_is_added_is_the_column_of_ones():
    a, b = linear(X, Y, NAMES, W, OFFSET, intercept=True), linear(ONES, Y, NAMES, W, OFFSET)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-11)
    np.testing.assert_allclose(a.se(), b.se(), rtol=1e-11)
    np.testing.assert_allclose(a.se("sandwich"), b.se("sandwich"), rtol=1e-9)
    np.testing.assert_allclose([a.rsquared, a.loglik, a.deviance], [b.rsquared, b.loglik, b.deviance], rtol=1e-11)
    np.testing.assert_allclose(a.predict(X[:5]).se, b.predict(ONES[:5]).se, rtol=1e-9)
    np.testing.assert_allclose(a.residuals(), b.residuals(), atol=1e-10)
    a, b = logistic(X, Y, NAMES, intercept=True), logistic(ONES, Y, NAMES)
    np.testing.assert_allclose(a.predict(X[:5]).conf_int(), b.predict(ONES[:5]).conf_int(), rtol=1e-9)
    np.testing.assert_allclose(a.residuals("pearson"), b.residuals("pearson"), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(a.se("sandwich"), b.se("sandwich"), rtol=1e-8)
    codes = (Y + (X[:, 0] > 1)).astype(int)
    a, b = (multinomial(A, codes, NAMES, list("abc"), intercept=i) for A, i in ((X, True), (ONES, False)))
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(a.se(), b.se(), rtol=1e-7)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "name, options, most",  # of the data; rows of one number, of which a family needs many, are 1/30 each
    [
        ("LogisticRegression", {}, 0.6),
        ("LinearRegression", {}, 0.6),
        ("LikelihoodRegressor", {}, 0.6),
        ("GeneralizedLinearRegressor", {"family": "gaussian", "alpha": 0.1}, 0.6),
        ("GeneralizedLinearRegressor", {"family": "poisson"}, 0.8),
        ("GeneralizedLinearRegressor", {"family": "gamma", "link": "log"}, 0.8),
        ("GeneralizedLinearRegressor", {"family": "negative-binomial"}, 0.9),
    ],
)
def test_a_fit_makes_no_copy_of_the_data(name, options, most, order):
    pytest.importorskip("sklearn")
    A = np.asarray(np.hstack([X] * 5) + RNG.normal(size=(N, 5 * P)), order=order)
    y = Y if name.startswith("L") else Y + 1.0 if "gamma" in options.values() else COUNTS
    m = getattr(bb, name)(**options)
    m.fit(A, y)  # what is compiled and loaded once is not counted
    for call, limit in ((lambda: m.fit(A, y), most), (lambda: m.predict(A), 0.2)):
        tracemalloc.start()
        call()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < limit * A.nbytes, f"{peak / A.nbytes:.2f} of the data"


def test_what_is_compiled_serves_every_fit_of_as_many_columns():
    logistic(X, Y, NAMES, intercept=True)
    plans = search._mean_loss._all.compiled.any_rows
    before = {k: id(p) for k, p in plans.items()}
    r = logistic(X[5_000:], 1 - Y[5_000:], NAMES, intercept=True)
    assert {k: id(p) for k, p in plans.items()} == before and before
    np.testing.assert_allclose(r.coef, by_hand(ONES[5_000:], 1 - Y[5_000:], 1.0, 0.0)[0], rtol=1e-9, atol=1e-12)


def test_what_is_not_finite_is_named():
    for bad in (np.nan, np.inf, -np.inf):
        A = X.copy()
        A[777, 2] = bad
        for fit in (linear, logistic):
            with pytest.raises(ValueError, match="missing or infinite values in x2"):
                fit(A, Y, NAMES, intercept=True)
    A = X * 1e160  # squares overflow, the numbers do not
    assert np.isfinite(linear(A, Y, NAMES, intercept=True).coef).all()


def test_separated_classes_of_many_rows():
    r = logistic(X, (X[:, 0] > 0).astype(float), NAMES, intercept=True)
    assert not r.converged and "no finite maximum" in str(r.certificate) and "x0" in str(r.certificate)


@pytest.mark.parametrize("rows", [1, 40])
def test_a_few_separated_ones_of_many_rows(rows):
    """A rare column whose rows are of one class: no eigenvalue is small, no predictor far out, when the search ends."""
    rare = np.zeros(N)
    rare[:: N // rows][:rows] = 1.0
    y = np.maximum(Y, rare)
    r = logistic(np.column_stack([X, rare]), y, [*NAMES, "rare"], intercept=True)
    assert not r.converged and "rare runs to +inf" in str(r.certificate)
    assert logistic(np.column_stack([X, X[:, 0] ** 2]), Y, [*NAMES, "square"], intercept=True).converged


@pytest.fixture
def passes(monkeypatch):
    """What passes over so many rows gave: `passes(n)` of those since the start; of each, whether a Hessian."""
    from bibun.compiler import row_steps

    seen, run = [], row_steps.RowStep.__call__

    def counted(self, values):
        hessian = any(rule.order == 2 for rule, *_ in self.sums)
        seen.extend((len(values[k]), hessian) for k in sorted(self.reads()) if np.ndim(values[k]) == 2)
        return run(self, values)

    monkeypatch.setattr(row_steps.RowStep, "__call__", counted)
    return lambda n: [hessian for rows, hessian in seen if rows == n]


def test_passes_of_a_user_s_likelihood(passes):
    """How often all rows are read: the start, the search, the last step and the certificate."""
    A, y = np.tile(X, (3, 1)), np.tile(Y, 3)
    model = bb.MLE(lambda p, d: d.y * (d.X @ p.b) - np.logaddexp(0, d.X @ p.b), {"b": bb.Real(shape=P)})
    assert model.fit({"X": A, "y": y}).converged
    found = passes(len(A))
    assert len(found) <= 10 and sum(found) <= 6


def test_passes_of_a_logistic_fit(passes):
    """Of very many rows and a few dozen columns: their sums, a few gradients, one Hessian."""
    rng = np.random.default_rng(3)
    A = rng.normal(size=(450_000, 16))
    y = (rng.random(len(A)) < 1 / (1 + np.exp(-A @ np.linspace(-0.5, 0.5, 16)))) * 1.0
    r = logistic(A, y, [f"x{k}" for k in range(16)])
    found = passes(len(A))
    assert r.converged and sum(found) == 1 and len(found) <= 8, found
    p = 1 / (1 + np.exp(-A @ r.coef))
    assert np.abs(A.T @ (y - p)).max() < 1e-8 * len(A) ** 0.5
    information = (A * (p * (1 - p))[:, None]).T @ A
    np.testing.assert_allclose(r.cov_params(), np.linalg.inv(information), rtol=1e-7, atol=1e-12)
    before = len(found)
    own = bb.MLE(lambda p, d: d.y * (d.X @ p.b) - np.logaddexp(0, d.X @ p.b), {"b": bb.Real(shape=16)}).fit(
        {"X": A, "y": y}
    )
    found = passes(len(A))[before:]
    assert own.converged and sum(found) <= 3 and len(found) <= 13, found
    np.testing.assert_allclose(own.coef, r.coef, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(own.se(), r.se(), rtol=1e-7)


def test_very_many_rows_with_weights_an_offset_a_ridge_and_an_intercept():
    rng = np.random.default_rng(4)
    n, p = 420_000, 16
    A, w, offset = rng.normal(size=(n, p)) * np.geomspace(0.01, 100, p), rng.integers(0, 3, n) * 1.0, rng.normal(size=n)
    eta = offset - 1 + A @ (np.linspace(-0.3, 0.3, p) / np.geomspace(0.01, 100, p))
    y = (rng.random(n) < special.expit(eta)) * 1.0
    penalty = np.array([0.0, *np.geomspace(1e-2, 1e4, p)])
    r = logistic(A, y, ["const", *map(str, range(p))], w, offset, penalty, intercept=True)
    B = np.column_stack([np.ones(n), A])
    mean = special.expit(B @ r.coef + offset)
    information = (B * (w * mean * (1 - mean))[:, None]).T @ B + np.diag(penalty)
    se = np.sqrt(np.diag(np.linalg.inv(information)))
    slope = B.T @ (w * (y - mean)) - penalty * r.coef
    assert r.converged and np.abs(slope * se).max() < 1e-9
    np.testing.assert_allclose(r.se(), se, rtol=1e-7)


def test_some_rows_that_do_not_show_what_the_columns_are_like():
    """A category of a few rows, a column that is huge in one row, columns that only these rows tell apart."""
    rare, huge, twin = np.zeros(N), X[:, 1].copy(), X[:, 0].copy()
    rare[[1, 10_003, 40_007, 50_001]] = 1.0
    huge[7], twin[[11, 13]] = 1e6, 30.0
    y = Y.copy()
    y[[1, 10_003, 11]], y[[40_007, 50_001, 13]] = 1.0, 0.0
    for column in (rare, huge, twin):
        A = np.column_stack([X, column])[:, [0, 2, 3, 4, 5, 6]]
        coef, se = by_hand(np.column_stack([np.ones(N), A]), y, 1.0, 0.0)
        r = logistic(A, y, NAMES, intercept=True)
        np.testing.assert_allclose(r.coef, coef, rtol=1e-8, atol=1e-11)
        np.testing.assert_allclose(r.se(), se, rtol=1e-5 if column is huge else 1e-7)  # it hangs on the odds of a row
    A = np.column_stack([X[:, :5], X[:, 0] + X[:, 1]])
    assert "x5 = x0 + x1" in str(logistic(A, Y, NAMES, intercept=True).certificate)


def test_a_user_s_likelihood_of_many_rows():
    def rows(p, d):
        eta = p.a + d.X @ p.b
        return d.y * eta - np.logaddexp(0, eta)

    model = bb.MLE(rows, {"a": bb.Real(), "b": bb.Real(shape=P)})
    coef, se = by_hand(ONES, Y, 1.0, 0.0)
    r = model.fit({"X": X, "y": Y})
    np.testing.assert_allclose(r.coef, coef, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(r.se(), se, rtol=1e-9)
    assert r.converged and r.nobs == N and r.search.nit <= 5
    w = model.fit({"X": X, "y": Y}, weights=W)
    np.testing.assert_allclose(w.coef, by_hand(ONES, Y, W, 0.0)[0], rtol=1e-9, atol=1e-11)
    assert w.nobs == W.sum()


def test_a_start_where_some_of_many_rows_are_impossible_names_them():
    def rows(p, d):
        return -0.5 * (d.y - p.mu) ** 2 / p.s**2 - np.log(p.s)

    y = Y.copy()
    y[123] = np.inf
    with pytest.raises(ValueError, match=r"rows 123 \(row 123: y = inf\)"):
        bb.MLE(rows, {"mu": bb.Real(), "s": bb.Positive()}).fit({"y": y})


def test_the_hessian_that_minimize_ends_with():
    f = lambda b, X, y: np.sum(np.logaddexp(0, X @ b) - y * (X @ b))
    r = bb.minimize(f, np.zeros(P), args=(X, Y))
    np.testing.assert_allclose(r.hess, bb.hessian(f)(r.x, X, Y), rtol=1e-9, atol=1e-8)
