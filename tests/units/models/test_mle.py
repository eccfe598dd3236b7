"""MLE and Result: likelihoods as people have them, exact standard errors and intervals, and what is not identified."""

import numpy as np
import pytest
from scipy import optimize, special, stats

import bibun as bb

RNG = np.random.default_rng(0)
N = 200
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 3))])
Y = (RNG.uniform(size=N) < special.expit(X @ [0.3, 1.0, -0.5, 0.0])).astype(float)
NAMES = ["const", "x1", "x2", "x3"]
DATA = {"X": X, "y": Y}


def logit_rows(p, d):
    eta = d.X @ p.beta
    return d.y * eta - np.logaddexp(0, eta)


def newton_by_hand(X, y):
    b = np.zeros(X.shape[1])
    for _ in range(50):
        p = special.expit(X @ b)
        b = b + np.linalg.solve((X.T * (p * (1 - p))) @ X, X.T @ (y - p))
    p = special.expit(X @ b)
    return b, np.linalg.inv((X.T * (p * (1 - p))) @ X)


@pytest.fixture(scope="module")
def fitted():
    return bb.MLE(logit_rows, {"beta": bb.Real(names=NAMES)}).fit(DATA)


def test_estimates_and_standard_errors_are_the_closed_ones(fitted):
    b, cov = newton_by_hand(X, Y)
    np.testing.assert_allclose(fitted.params["beta"], b, rtol=1e-12)
    np.testing.assert_allclose(fitted.cov_params(), cov, rtol=1e-11)
    np.testing.assert_allclose(fitted.bse["beta"], np.sqrt(np.diag(cov)), rtol=1e-11)
    assert fitted.converged and fitted.nobs == N
    assert fitted.aic == pytest.approx(8 - 2 * fitted.loglik) and fitted.bic == pytest.approx(
        4 * np.log(N) - 2 * fitted.loglik
    )


class TestAsPasted:
    """One normal sample, five ways of writing its likelihood."""

    y = np.array([1.2, 0.3, 2.2, 1.9, -0.4, 0.8])
    mu, sigma = y.mean(), y.std()

    def check(self, r, names=("mu", "sigma")):
        got = [r.params[n] for n in names] if set(names) <= set(r.params) else r.coef
        np.testing.assert_allclose(np.ravel(got), [self.mu, self.sigma], rtol=1e-9)
        np.testing.assert_allclose(r.se(), [self.sigma / np.sqrt(6), self.sigma / np.sqrt(12)], rtol=1e-8)
        assert r.loglik == pytest.approx(stats.norm.logpdf(self.y, self.mu, self.sigma).sum(), rel=1e-12)

    def test_names_and_rows(self):
        f = lambda p, d: bb.stats.norm.logpdf(d.y, p.mu, p.sigma)
        self.check(bb.MLE(f, {"mu": bb.Real(), "sigma": bb.Positive()}).fit({"y": self.y}))

    def test_items_instead_of_attributes(self):
        f = lambda p, d: -0.5 * ((d["y"] - p["mu"]) / p["sigma"]) ** 2 - np.log(p["sigma"]) - 0.5 * np.log(2 * np.pi)
        self.check(bb.MLE(f, {"mu": bb.Real(), "sigma": bb.Positive()}).fit({"y": self.y}))

    def test_a_flat_vector(self):
        def nll(theta, d):
            return np.sum(0.5 * ((d.y - theta[0]) / theta[1]) ** 2 + np.log(theta[1]) + 0.5 * np.log(2 * np.pi))

        r = bb.MLE(nll, bb.Real(shape=2, names=["mu", "sigma"], start=[0.0, 1.0]), sign=-1).fit({"y": self.y})
        self.check(r)
        assert r.labels == ["mu", "sigma"]

    def test_a_closure_over_its_data(self):
        y = self.y
        f = lambda p: -0.5 * ((y - p.mu) / p.sigma) ** 2 - np.log(p.sigma) - 0.5 * np.log(2 * np.pi)
        self.check(bb.MLE(f, {"mu": bb.Real(), "sigma": bb.Positive()}).fit())

    def test_one_number_and_what_needs_rows(self):
        f = lambda p, d: np.sum(bb.stats.norm.logpdf(d.y, p.mu, p.sigma))
        r = bb.MLE(f, {"mu": bb.Real(), "sigma": bb.Positive()}).fit({"y": self.y})
        self.check(r)
        assert r.nobs is None
        with pytest.raises(bb.NotDefined, match="number of rows"):
            _ = r.bic
        with pytest.raises(ValueError, match="one value a row"):
            r.cov_params("sandwich")

    def test_scipys_density_is_refused_by_name(self):
        f = lambda p, d: stats.norm.logpdf(d.y, p.mu, p.sigma)
        with pytest.raises(TypeError, match=r"bibun\.stats\.norm\.logpdf"):
            bb.MLE(f, {"mu": bb.Real(), "sigma": bb.Positive()}).fit({"y": self.y})

    def test_a_data_frame(self):
        pd = pytest.importorskip("pandas")
        f = lambda p, d: bb.stats.norm.logpdf(d.y, p.mu, p.sigma)
        self.check(bb.MLE(f, {"mu": bb.Real(), "sigma": bb.Positive()}).fit(pd.DataFrame({"y": self.y})))


def test_a_column_in_other_units_changes_only_its_own_coefficient(fitted):
    model = fitted.model
    for factor in (1e6, 1e-6):
        scaled = model.fit({"X": X * [1, factor, 1, 1 / factor], "y": Y})
        assert scaled.loglik == pytest.approx(fitted.loglik, abs=1e-9)
        np.testing.assert_allclose(scaled.coef / scaled.se(), fitted.coef / fitted.se(), rtol=1e-6)
        np.testing.assert_allclose(scaled.coef * [1, factor, 1, 1 / factor], fitted.coef, rtol=1e-9)


def test_weights_are_repeated_rows(fitted):
    w = RNG.integers(0, 4, size=N)
    weighted = fitted.model.fit(DATA, weights=w)
    repeated = fitted.model.fit({"X": np.repeat(X, w, axis=0), "y": np.repeat(Y, w)})
    assert weighted.loglik == pytest.approx(repeated.loglik, rel=1e-12) and weighted.nobs == repeated.nobs
    for kind in ("observed", "opg"):
        np.testing.assert_allclose(weighted.cov_params(kind), repeated.cov_params(kind), rtol=1e-9)


def test_covariances_by_formula(fitted):
    _, cov = newton_by_hand(X, Y)
    s = X * (Y - special.expit(X @ fitted.coef))[:, None]
    np.testing.assert_allclose(fitted.scores(), s, atol=1e-13)
    np.testing.assert_allclose(fitted.cov_params("opg"), np.linalg.inv(s.T @ s), rtol=1e-9)
    np.testing.assert_allclose(fitted.cov_params("sandwich"), cov @ s.T @ s @ cov, rtol=1e-9)
    with pytest.raises(ValueError, match="observed, expected, opg, sandwich"):
        fitted.cov_params("robust")


class TestIntervals:
    def test_profile_ends_are_roots_of_the_likelihood_ratio(self, fitted):
        ends = fitted.conf_int(method="profile")
        for k in range(4):
            others = np.arange(4) != k
            for end in ends[k]:

                def loss(b, end=end, k=k, others=others):
                    beta = np.empty(4)
                    beta[k], beta[others] = end, b
                    eta = X @ beta
                    return np.sum(np.logaddexp(0, eta) - Y * eta)

                best = optimize.minimize(loss, fitted.coef[others], method="BFGS", options={"gtol": 1e-9})
                assert 2 * (fitted.loglik + best.fun) == pytest.approx(special.chdtri(1, 0.05), abs=1e-8)

    def test_a_poisson_mean_has_a_known_profile(self):
        y = np.array([2.0, 3.0, 1.0, 4.0, 0.0])
        r = bb.MLE(lambda p, d: bb.stats.poisson.logpmf(d.y, p.m), {"m": bb.Positive()}).fit({"y": y})
        assert r.params["m"] == pytest.approx(2.0, rel=1e-12) and r.bse["m"] == pytest.approx(np.sqrt(2 / 5), rel=1e-10)
        f = lambda m: 2 * (5 * (m - 2) - 10 * np.log(m / 2)) - special.chdtri(1, 0.05)
        expected = [optimize.brentq(f, 0.1, 2, xtol=1e-14), optimize.brentq(f, 2, 9, xtol=1e-14)]
        np.testing.assert_allclose(r.conf_int(method="profile")[0], expected, rtol=1e-9)
        wald = r.conf_int()[0]
        np.testing.assert_allclose(
            wald, 2 * np.exp([-1.959963984540054 * np.sqrt(1 / 10), 1.959963984540054 * np.sqrt(1 / 10)])
        )
        with pytest.raises(ValueError, match="between 0 and 1"):
            r.conf_int(level=95)
        with pytest.raises(ValueError, match="profile"):
            r.conf_int(method="exact")

    def test_only_some(self, fitted):
        assert fitted.conf_int(parm="beta[x2]").shape == (1, 2)
        assert fitted.conf_int(parm="beta").shape == (4, 2)
        with pytest.raises(ValueError, match="no parameter 'z'"):
            fitted.conf_int(parm="z")


def test_a_profile_over_columns_that_are_nearly_one():
    year = np.arange(1980.0, 2020.0)
    y = 0.1 * (year - 2000) + np.sin(year)
    f = lambda p, d: -0.5 * (d.y - d.X @ p.b) ** 2
    columns = np.column_stack([np.ones(40), year])
    r = bb.MLE(f, {"b": bb.Real(names=["const", "year"])}).fit({"X": columns, "y": y})
    assert r.converged
    np.testing.assert_allclose(r.conf_int(method="profile"), r.conf_int(), rtol=1e-6)  # a parabola: both are exact


class TestHypotheses:
    def test_equations(self, fitted):
        R = np.array([[0, 1, -1, 0], [0, 0, 0, 1.0]])
        by_matrix = fitted.test((R, [0.0, 0.5]))
        by_text = fitted.test("beta[x1] = beta[x2], 2*beta[x3] = 1")
        assert by_text.statistic == pytest.approx(by_matrix.statistic) and by_text.df == 2
        assert by_text.hypothesis == "beta[x1] = beta[x2], 2* beta[x3] = 1"
        gap = R @ fitted.coef - [0, 0.5]
        assert by_matrix.statistic == pytest.approx(gap @ np.linalg.solve(R @ fitted.cov_params() @ R.T, gap))
        assert by_matrix.p_value == pytest.approx(stats.chi2.sf(by_matrix.statistic, 2))

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("beta[x9] = 0", "cannot read"),
            ("beta[x1]*beta[x2] = 0", "not linear"),
            ("1 = 2", "no parameter"),
            ("beta[x1] = 0, 2*beta[x1] = 0", "twice"),
            ("__import__('os')", "cannot read"),
            ("beta[x1] = = 2", "cannot read"),
        ],
    )
    def test_what_cannot_be_tested(self, fitted, text, says):
        with pytest.raises(ValueError, match=says):
            fitted.test(text)

    def test_nested_models(self, fitted):
        small = bb.MLE(logit_rows, {"beta": bb.Real(names=NAMES[:3])}).fit({"X": X[:, :3], "y": Y})
        c = fitted.compare(small)
        assert c.lr.df == 1 and c.lr.statistic == pytest.approx(2 * (fitted.loglik - small.loglik))
        with pytest.raises(ValueError, match="neither is nested"):
            fitted.compare(fitted)
        other = fitted.model.fit({"X": X[:100], "y": Y[:100]})
        with pytest.raises(ValueError, match="same rows"):
            small.compare(other)


def test_functions_of_the_parameters(fitted):
    odds = fitted.delta(lambda p: np.exp(p.beta))
    np.testing.assert_allclose(odds.value, np.exp(fitted.coef))
    np.testing.assert_allclose(odds.se, np.exp(fitted.coef) * fitted.se(), rtol=1e-12)
    new = {"X": X[:3], "y": Y[:3]}
    p = fitted.predict(lambda p, d: 1 / (1 + np.exp(-(d.X @ p.beta))), new)
    mu = special.expit(X[:3] @ fitted.coef)
    J = X[:3] * (mu * (1 - mu))[:, None]
    np.testing.assert_allclose(p.value, mu)
    np.testing.assert_allclose(p.se, np.sqrt(np.diag(J @ fitted.cov_params() @ J.T)), rtol=1e-12)
    assert p.conf_int().shape == (3, 2)


def test_tables(fitted):
    assert [t["term"] for t in fitted.tidy()] == fitted.labels == [f"beta[{n}]" for n in NAMES]
    assert fitted.glance()["converged"] is True
    text = str(fitted.summary())
    assert "beta[x1]" in text and "log-likelihood" in text and "95%" in text


class TestNotIdentified:
    def test_collinear_columns_are_named(self):
        Xc = X.copy()
        Xc[:, 3] = 2 * Xc[:, 1] - Xc[:, 2]
        r = bb.MLE(logit_rows, {"beta": bb.Real(names=NAMES)}).fit({"X": Xc, "y": Y})
        assert not r.converged
        (problem,) = r.certificate.problems
        assert "not identified" in problem and all(n in problem for n in ("x1", "x2", "x3")) and "const" not in problem
        assert np.isnan(r.bse["beta"]).tolist() == [False, True, True, True]
        assert problem in str(r.summary())
        with pytest.raises(ValueError, match=r"beta\[x1\].*not determined"):
            r.test("beta[x1] = 0")

    def test_separation_is_named(self):
        Xq, yq = X.copy(), Y.copy()
        Xq[:, 3] = RNG.uniform(size=N) < 0.05
        yq[Xq[:, 3] == 1] = 1
        r = bb.MLE(logit_rows, {"beta": bb.Real(names=NAMES)}).fit({"X": Xq, "y": yq})
        assert "beta[x3] runs to +inf" in str(r.certificate) and "x1" not in str(r.certificate)
        assert np.isnan(r.bse["beta"]).tolist() == [False, False, False, True]
        small, _ = newton_by_hand(Xq[Xq[:, 3] == 0][:, :3], yq[Xq[:, 3] == 0])
        np.testing.assert_allclose(r.coef[:3], small, rtol=1e-6)

    def test_a_parameter_the_likelihood_does_not_read(self):
        r = bb.MLE(lambda p, d: -((d.y - p.a) ** 2), {"a": bb.Real(), "b": bb.Real()}).fit({"y": Y})
        assert not r.converged and "b" in str(r.certificate) and np.isnan(r.bse["b"]) and np.isfinite(r.bse["a"])


class TestBadInput:
    def test_a_start_that_is_not_finite_names_rows_and_values(self):
        y = np.array([1.0, np.nan, 2.0])
        with pytest.raises(ValueError, match=r"rows 1\b.*|mu = 0"):
            bb.MLE(lambda p, d: -((d.y - p.mu) ** 2), {"mu": bb.Real()}).fit({"y": y})

    def test_a_region_without_values_is_backed_away_from(self):
        y = RNG.gamma(2.0, 3.0, size=100)
        f = lambda p, d: bb.stats.gamma.logpdf(d.y, p.a, 0, p.s)
        r = bb.MLE(f, {"a": bb.Real(start=1.0), "s": bb.Real(start=1.0)}).fit({"y": y})
        assert r.converged
        a, _, s = stats.gamma.fit(y, floc=0)
        np.testing.assert_allclose(r.coef, [a, s], rtol=1e-3)

    @pytest.mark.parametrize(
        ("make", "says"),
        [
            (lambda: bb.MLE("x", {"a": bb.Real()}), "function"),
            (lambda: bb.MLE(lambda p: p, {"a": 1.0}), "Real"),
            (lambda: bb.MLE(lambda p: p, {}), "dict of names"),
            (lambda: bb.MLE(lambda: 1, {"a": bb.Real()}), "no argument"),
            (lambda: bb.MLE(lambda p: p.a, {"a": bb.Real()}, sign=2), "sign"),
            (lambda: bb.MLE(lambda p: p.a, {"a": bb.Fixed(1.0)}).fit(), "Fixed"),
            (lambda: bb.MLE(lambda p: None, {"a": bb.Real()}).fit(), "None"),
            (lambda: bb.MLE(lambda p: np.ones((2, 2)) * p.a, {"a": bb.Real()}).fit(), r"shape \(2, 2\)"),
            (lambda: bb.MLE(lambda p: np.zeros(0) * p.a, {"a": bb.Real()}).fit(), "empty"),
            (lambda: bb.MLE(lambda p: -(p.a**2), {"a": bb.Real()}).fit(start={"b": 1.0}), "no parameter"),
            (lambda: bb.MLE(lambda p: -(p.a**2), {"a": bb.Positive()}).fit(start={"a": -1.0}), "domain"),
            (lambda: bb.MLE(lambda p: -np.ones(3) * p.a**2, {"a": bb.Real()}).fit(weights=[1, 2]), "one weight a row"),
            (lambda: bb.MLE(lambda p: -(p.zz**2), {"a": bb.Real()}).fit(), "no parameter 'zz'"),
            (lambda: bb.Interval(2, 1), "lower first"),
            (lambda: bb.Real(shape=3, names=["a"]), "names"),
        ],
    )
    def test_is_refused_with_a_sentence(self, make, says):
        with pytest.raises((ValueError, TypeError, AttributeError), match=says):
            make()


def test_domains_and_fixed_parameters():
    y = np.array([1.0, 0.0, 1.0, 1.0])
    r = bb.MLE(lambda p, d: bb.stats.bernoulli.logpmf(d.y, p.q), {"q": bb.UnitInterval()}).fit({"y": y})
    assert r.params["q"] == pytest.approx(0.75, rel=1e-10) and 0 < r.conf_int()[0, 0] < 0.75 < r.conf_int()[0, 1] < 1
    f = lambda p, d: bb.stats.norm.logpdf(d.y, p.mu, p.sigma)
    r = bb.MLE(f, {"mu": bb.Real(), "sigma": bb.Fixed(2.0)}).fit({"y": y})
    assert list(r.params) == ["mu"] and r.bse["mu"] == pytest.approx(1.0)
    r = bb.MLE(f, {"mu": bb.Interval(-1, 3), "sigma": bb.Positive(start=0.5)}).fit({"y": y})
    assert r.params["mu"] == pytest.approx(0.75) and r.params["sigma"] == pytest.approx(y.std())


def test_interrupted_it_keeps_the_best_point():
    calls = 0

    def rows(p, d):
        nonlocal calls
        calls += 1
        if calls == 12:
            raise KeyboardInterrupt
        return bb.stats.norm.logpdf(d.y, p.a, p.s)

    r = bb.MLE(rows, {"a": bb.Real(), "s": bb.Positive()}).fit({"y": np.array([10.0, 12.0, 15.0, 31.0])})
    assert calls > 12 and not r.converged and "Interrupted" in r.search.message and r.certificate.problems
