"""Fits under inequalities: closed forms, SciPy's, derivatives of the maximum, and what is refused near a bound."""

import pickle

import numpy as np
import pytest
from scipy import optimize

import bibun as bb
from bibun.models.held import _consistent, _signs
from bibun.models.inference import Hypothesis
from bibun.models.logistic import logistic

RNG = np.random.default_rng(7)
N = 80
D = {"x1": RNG.normal(size=N), "x2": RNG.normal(size=N), "x3": RNG.normal(size=N)}
D["z"] = 1 + D["x1"] - 0.2 * D["x2"] + RNG.normal(size=N)
D["many"] = RNG.negative_binomial(2.0, 2.0 / (2.0 + np.exp(1 + 0.5 * D["x1"] - 0.4 * D["x2"]))).astype(float)
D["y"] = RNG.poisson(np.exp(0.3 + 0.4 * D["x1"] - 0.1 * D["x2"])).astype(float)


def normal(p, d):
    return -np.log(p.sigma) - 0.5 * ((d.z - p.a - p.b * d.x1 - p.c * d.x2) / p.sigma) ** 2


NORMAL = {"a": bb.Real(), "b": bb.Real(), "c": bb.Real(), "sigma": bb.Positive()}
MODEL = bb.MLE(normal, NORMAL)
FULL = MODEL.fit(D)


def binding(r):
    return [row["constraint"] for row in r.constraints if row["binds"]]


class TestClosedForms:
    @pytest.mark.parametrize("n", [2, 7, 40])
    def test_isotonic_means(self, n):
        y, w = RNG.normal(size=n) + np.linspace(0, 2, n), RNG.integers(1, 5, n).astype(float)
        m = bb.MLE(lambda p, d: -0.5 * (d.y - p.m) ** 2, {"m": bb.Real(n)})
        r = m.fit({"y": y}, weights=w, constraints=", ".join(f"m[{i}] <= m[{i + 1}]" for i in range(n - 1)))
        right = optimize.isotonic_regression(y, weights=w)
        np.testing.assert_allclose(r.params["m"], right.x, atol=1e-12)
        assert r.df_model == len(right.blocks) - 1 == n - len(binding(r)) and r.converged
        pooled = np.add.reduceat(w, right.blocks[:-1])  # a pooled mean has the weight of its rows
        np.testing.assert_allclose(r.se() ** -2, np.repeat(pooled, np.diff(right.blocks)), rtol=1e-10)

    @pytest.mark.parametrize("spread", [0.02, 1.0])
    def test_a_variance_at_zero(self, spread):
        """A balanced one-way analysis of variance: between groups nothing where their means vary less than chance."""
        rng = np.random.default_rng(2)
        k, n = 4, 12
        e = rng.normal(size=(n, k))
        y = e - e.mean(axis=1, keepdims=True) + spread * np.linspace(-1, 1, n)[:, None]
        d = {"mean": y.mean(axis=1), "within": y.var(axis=1) * k}

        def rows(p, d):
            total = p.within + k * p.between
            return -0.5 * (
                (k - 1) * np.log(p.within) + np.log(total) + d.within / p.within + k * (d.mean - p.mu) ** 2 / total
            )

        declared = {"mu": bb.Real(), "within": bb.Real(start=1.0), "between": bb.Real(start=0.5)}
        r = bb.MLE(rows, declared).fit(d, constraints="between >= 0")
        inner, outer = d["within"].sum() / (n * (k - 1)), k * d["mean"].var()
        if outer > inner:
            right = {"within": inner, "between": (outer - inner) / k}
        else:
            right = {"within": (d["within"].sum() + k * n * d["mean"].var()) / (n * k), "between": 0.0}
        assert binding(r) == ([] if outer > inner else ["between >= 0"]) and (spread < 0.1) == (outer < inner)
        for name, value in right.items():
            assert r.params[name] == pytest.approx(value, rel=1e-10, abs=1e-14)
        assert r.params["between"] >= 0 and r.converged

    def test_ordered_probabilities(self):
        d = {"y": np.array([6.0, 3.0, 8.0]), "n": np.array([10.0, 30.0, 10.0])}
        rows = lambda p, d: d.y * np.log(p.p) + (d.n - d.y) * np.log(1 - p.p)
        r = bb.MLE(rows, {"p": bb.UnitInterval(3)}).fit(d, constraints="p[0] <= p[1] <= p[2]")
        np.testing.assert_allclose(r.params["p"], [9 / 40, 9 / 40, 0.8], rtol=1e-10)
        assert r.bse["p"][0] == pytest.approx(np.sqrt(9 / 40 * 31 / 40 / 40), rel=1e-8)
        assert r.df_model == 2 and binding(r) == ["p[0] <= p[1]"]

    def test_shares_that_are_not_a_simplex(self):
        counts = np.array([30.0, 10.0, 5.0])
        m = bb.MLE(lambda p: np.sum(counts * np.log(p.p)) - 20 * np.sum(p.p), {"p": bb.Real(3, start=0.2)})
        np.testing.assert_allclose(m.fit().params["p"], counts / 20, rtol=1e-10)
        r = m.fit(constraints="p[0] + p[1] + p[2] <= 1, p[0] <= 0.5")
        np.testing.assert_allclose(r.params["p"], [0.5, 0.5 * 2 / 3, 0.5 / 3], rtol=1e-10)
        assert [row["multiplier"] for row in r.constraints] == pytest.approx([30 - 20, 60 - 30])

    def test_elements_of_a_simplex(self):
        m = bb.MLE(lambda p, d: d.c * np.log(p.p), {"p": bb.Simplex(4)})
        d = {"c": np.array([3.0, 9.0, 4.0, 2.0])}
        r = m.fit(d, constraints="p[0] >= p[1] >= p[2] >= p[3]")
        np.testing.assert_allclose(r.params["p"], np.array([6, 6, 4, 2]) / 18, rtol=1e-9)
        r = m.fit(d, constraints="p[0] >= 0.5")
        np.testing.assert_allclose(r.params["p"], [0.5, 0.3, 0.4 / 3, 0.2 / 3], rtol=1e-9)
        assert r.bse["p"][0] == 0 and r.constraints[0]["multiplier"] == pytest.approx(24.0)

    def test_a_support_that_depends_on_the_parameter(self):
        y = np.array([1.0, 2.0, 5.0, 3.0])
        r = bb.MLE(lambda p, d: -np.log(p.top) + 0 * d.y, {"top": bb.Real(start=1.0)}).fit(
            {"y": y}, constraints="top >= 5"
        )
        assert r.params["top"] == 5 and r.constraints[0]["multiplier"] == pytest.approx(4 / 5)

    def test_no_event_at_all(self):
        """A Poisson rate on its bound; below 0 the likelihood is not defined, and without the bound has no maximum."""
        rows = lambda p, d: bb.stats.poisson.logpmf(d.y, p.rate * d.t)
        for start in (1.0, 1e-4):
            m = bb.MLE(rows, {"rate": bb.Real(start=start)})
            r = m.fit({"y": np.zeros(3), "t": np.array([1.0, 2.0, 4.0])}, constraints="rate >= 0")
            assert r.params["rate"] == 0 and r.constraints[0]["multiplier"] == pytest.approx(7.0) and r.loglik == 0

    def test_a_linear_program(self):
        m = bb.MLE(lambda p: p.a + 2 * p.b, {"a": bb.Real(), "b": bb.Real()})
        r = m.fit(constraints="a + b <= 4, a + 3*b <= 6, a >= 0, b >= 0")
        np.testing.assert_allclose(r.coef, [3.0, 1.0])
        assert not r.search.success or not m.fit(constraints="a + b <= 4").converged


class TestMaxima:
    def test_a_free_maximum_that_satisfies_all(self):
        r = MODEL.fit(D, constraints="a + b <= 10, 0 <= sigma <= 5, c >= -3")
        np.testing.assert_allclose(r.coef, FULL.coef, rtol=1e-9)
        np.testing.assert_allclose(r.cov_params(), FULL.cov_params(), rtol=1e-7, atol=1e-12)
        assert r.df_model == 4 and binding(r) == [] and r.loglik == pytest.approx(FULL.loglik)

    @pytest.mark.parametrize(
        ("said", "equations"),
        [
            ("c >= 0", "c = 0"),
            ("sigma <= 0.5, b >= 0.2", "sigma = 0.5"),
            ("sigma <= b", "sigma = b"),
            ("a + b <= 1, b >= c, c >= 0", "a + b = 1, c = 0"),
            ("b = 0.5, a <= 0.5, c >= -1", "b = 0.5, a = 0.5"),
        ],
    )
    def test_what_binds_is_as_if_held(self, said, equations):
        for r in (FULL.restricted(said), MODEL.fit(D, constraints=said)):
            s = FULL.restricted(equations)
            np.testing.assert_allclose(r.coef, s.coef, rtol=1e-8, atol=1e-12)
            np.testing.assert_allclose(r.cov_params(), s.cov_params(), rtol=1e-7, atol=1e-14)
            assert r.df_model == s.df_model and r.aic == pytest.approx(s.aic) and r.converged
            np.testing.assert_allclose(r.se("sandwich"), s.se("sandwich"), rtol=1e-6, atol=1e-12)

    @pytest.mark.parametrize("said", ["a + b <= {}", "{} >= c + 2*b", "b <= {}", "sigma <= {}", "sigma + a <= {}"])
    def test_multipliers_are_slopes_of_the_maximum(self, said):
        h, bound = 1e-4, 0.7
        at = [MODEL.fit(D, constraints=said.format(bound + k * h)) for k in (-1, 0, 1)]
        assert at[1].constraints[0]["multiplier"] > 0
        assert at[1].constraints[0]["multiplier"] == pytest.approx((at[2].loglik - at[0].loglik) / (2 * h), rel=1e-5)
        down = FULL.restricted("b = 2"), FULL.restricted("b = 2.0001"), FULL.restricted("b = 1.9999")
        slope = (down[1].loglik - down[2].loglik) / 2e-4
        assert down[0].constraints[0]["multiplier"] == pytest.approx(slope, rel=1e-5)

    @pytest.mark.parametrize("seed", range(6))
    def test_a_mixture_that_is_finite_inside_alone(self, seed):
        F = np.random.default_rng(seed).gamma(0.5, size=(30, 3)) * [1.0, 0.4, 0.1]
        rows = lambda p, d: np.log(p.a * d.f + p.b * d.g + (1 - p.a - p.b) * d.h)
        d = dict(zip("fgh", F.T, strict=True))
        m = bb.MLE(rows, {"a": bb.Real(), "b": bb.Real()})
        r = m.fit(d, constraints="a >= 0, b >= 0, a + b <= 1")
        w = np.array([*r.coef, 1 - r.coef.sum()])
        slopes = (F / (F @ w)[:, None]).sum(axis=0)  # at a maximum n, and no more where a weight is 0 (Lindsay 1983)
        assert slopes.max() <= 30 + 1e-6 and (w * slopes).sum() == pytest.approx(30) and w.min() >= -1e-12

    @pytest.mark.parametrize("seed", range(8))
    def test_karush_kuhn_tucker_by_difference_quotients(self, seed):
        """Random statements about the parameters of a logistic and a normal regression, some in domains of their own."""
        rng = np.random.default_rng(seed)
        x, k = rng.normal(size=(60, 3)), 4
        d = {"x": x, "y": (rng.random(60) < 0.5).astype(float), "z": x @ rng.normal(size=3) + rng.normal(size=60)}
        if seed % 2:
            rows = lambda p, d: d.y * (d.x @ p.b) - np.log1p(np.exp(d.x @ p.b)) - 0.1 * p.s**2
            there = np.array([0.5, -0.5, 0.2, 0.7])
        else:
            rows = lambda p, d: -np.log(p.s) - 0.5 * ((d.z - d.x @ p.b) / p.s) ** 2
            there = np.array([0.5, -0.5, 0.2, 1.5])
        R = np.round(rng.normal(size=(5, k)), 1)
        r = R @ there - rng.gamma(0.3, size=5) * rng.integers(0, 2, 5)
        names = ["b[0]", "b[1]", "b[2]", "s"]
        sums = [" + ".join(f"{c!r} * {n}" for c, n in zip(row.tolist(), names, strict=True)) for row in R]
        said = ", ".join(f"{left} >= {right!r}" for left, right in zip(sums, r.tolist(), strict=True))
        found = bb.MLE(rows, {"b": bb.Real(3), "s": bb.Positive()}).fit(d, constraints=said)
        h, at = 1e-6, found.coef

        def loglik(v):
            return float(
                np.sum(rows(bb.models.parameters.Values({"b": v[:3], "s": v[3]}, "parameter"), found.objective.data))
            )

        slope = [(loglik(at + h * e) - loglik(at - h * e)) / (2 * h) for e in np.eye(k)]
        multipliers = np.array([row["multiplier"] for row in found.constraints])
        np.testing.assert_allclose(slope, -R.T @ multipliers, atol=2e-5)
        assert (R @ at - r).min() > -1e-10 and multipliers.min() > -1e-9 and found.converged
        np.testing.assert_allclose(multipliers * (R @ at - r), 0.0, atol=1e-7)

    def test_several_maxima(self):
        m = bb.MLE(lambda p: -((p.a**2 - 1) ** 2) + 0.1 * p.a, {"a": bb.Real(start=0.5)})
        assert m.fit(constraints="a <= -2").params["a"] == -2
        assert m.fit(constraints="-0.2 <= a <= 0.3").params["a"] == 0.3
        r = m.fit(start={"a": -0.9}, constraints="a <= -0.5")
        assert -1 < r.params["a"] < -0.9 and r.converged

    def test_equations_that_make_it_unique(self):
        m = bb.MLE(lambda p, d: -0.5 * (d.z - p.a - p.b) ** 2, {"a": bb.Real(), "b": bb.Real()})
        r = m.fit(D, constraints="a = b")
        assert r.params["a"] == pytest.approx(D["z"].mean() / 2) and r.converged
        assert not m.fit(D, constraints="0 <= a <= 1").converged

    def test_redundant_statements(self):
        r = MODEL.fit(D, constraints="c >= 0, 2*c >= 0, c >= -1, b + c >= b, 0 <= c <= 9, c <= 9")
        np.testing.assert_allclose(r.coef, FULL.restricted("c = 0").coef, rtol=1e-8, atol=1e-14)
        assert r.df_model == 3
        r = MODEL.fit(D, constraints="c >= 0.1, c <= 0.1")
        assert r.params["c"] == pytest.approx(0.1) and r.df_model == 3
        r = FULL.restricted("c = 0, c <= 0, c >= 0")
        assert r.params["c"] == 0 and r.df_model == 3

    def test_one_after_another(self):
        r = FULL.restricted("c >= 0").restricted("b = 0.5").restricted("sigma <= 0.9")
        s = FULL.restricted("c >= 0, b = 0.5, sigma <= 0.9")
        np.testing.assert_allclose(r.coef, s.coef, rtol=1e-9, atol=1e-14)
        assert [row["constraint"] for row in r.constraints] == [row["constraint"] for row in s.constraints]
        t = FULL.restricted("c >= 0").restricted("b <= 5, c <= 5")
        assert t.inequalities == 3 and binding(t) == ["c >= 0"]
        assert FULL.restricted("c >= 0").restricted("c = 0.2").params["c"] == 0.2

    def test_priors_starts_and_matrices(self):
        r = MODEL.fit(D, prior=lambda p: -50 * p.c**2, constraints="c >= 0.1")
        assert r.params["c"] == 0.1 and "a prior" in str(r.summary())
        r = MODEL.fit(D, starts=3, rng=1, constraints="c >= 0.1")
        assert r.params["c"] == 0.1
        r = FULL.restricted((np.array([[0.0, 1.0, -1.0, 0.0]]), [0.0]))
        assert r.params["b"] == pytest.approx(r.params["c"])

    def test_bounds_in_domains(self):
        """What a domain says already does not bind; a bound in it does, on a scale that may fall too."""

        class Falling(bb.Positive):
            def natural(self, u):
                return np.exp(-u)

            def real(self, value):
                return -np.log(value)

        d = {"y": np.array([6.0, 3.0, 8.0]), "n": np.array([10.0, 10.0, 10.0])}
        m = bb.MLE(lambda p, d: d.y * np.log(p.p) + (d.n - d.y) * np.log(1 - p.p), {"p": bb.UnitInterval(3)})
        r = m.fit(d, constraints="p[0] <= 0.4, p[1] >= 0, p[2] <= 1, p[1] <= 2, p[2] >= 0.2")
        np.testing.assert_allclose(r.params["p"], [0.4, 0.3, 0.8], rtol=1e-10)
        assert binding(r) == ["p[0] <= 0.4"] and r.inequalities == 5
        for domain in (bb.Positive(), Falling()):
            s = bb.MLE(normal, {**NORMAL, "sigma": domain})
            for said in ("sigma <= 0.5", "sigma >= 3, sigma <= 4", "sigma >= 0, b <= 9"):
                t = MODEL.fit(D, constraints=said)
                np.testing.assert_allclose(s.fit(D, constraints=said).coef, t.coef, rtol=1e-8)
                assert binding(t) == ([said.split(",")[0]] if "b" not in said else [])
            with pytest.raises(ValueError, match="cannot hold"):
                s.fit(D, constraints="sigma <= 0")

    def test_an_element_of_a_covariance_matrix(self):
        Y = RNG.normal(size=(60, 2)) @ np.array([[1.0, 0.9], [0.0, 0.4]])
        rows = lambda p, d: -0.5 * np.linalg.slogdet(p.S)[1] - 0.5 * np.sum(d.Y * np.linalg.solve(p.S, d.Y.T).T, axis=1)
        m = bb.MLE(rows, {"S": bb.CovarianceMatrix(2)})
        r = m.fit({"Y": Y}, constraints="S[1, 0] <= 0.3")
        assert r.params["S"][1, 0] == pytest.approx(0.3, abs=1e-10) and r.converged and r.se()[1] == 0


class TestRegressions:
    def test_nonnegative_least_squares(self):
        r = bb.glm("z ~ x1 + x2 + x3", D)
        s = r.restricted("Intercept >= 0, x1 >= 0, x2 >= 0, x3 >= 0")
        X = np.column_stack([np.ones(N), D["x1"], D["x2"], D["x3"]])
        np.testing.assert_allclose(s.coef, optimize.nnls(X, D["z"])[0], atol=1e-12)
        assert s.df_resid == N - np.sum(s.coef > 0) and np.sum(s.coef == 0) >= 1
        with pytest.raises(bb.errors.NotDefined, match="mixture"):
            s.conf_int(method="profile")

    @pytest.mark.parametrize(("family", "y"), [("poisson", "y"), ("quasi-poisson", "y"), ("negative-binomial", "many")])
    def test_families(self, family, y):
        r = bb.glm(f"{y} ~ x1 + x2 + x3", D, family)
        s, t = r.restricted("x2 >= 0.2, x1 + x3 <= 0.3, Intercept >= -9"), r.restricted("x2 = 0.2, x1 + x3 = 0.3")
        np.testing.assert_allclose(s.coef, t.coef, rtol=1e-6)
        np.testing.assert_allclose(s.se(), t.se(), rtol=1e-6)
        assert s.df_resid == t.df_resid and s.deviance == pytest.approx(t.deviance)

    def test_a_bound_is_an_end_of_separation(self):
        X = np.column_stack([np.ones(10), np.arange(10.0)])
        r = logistic(X, np.arange(10) > 4, ["c", "x"])
        s = r.restricted("x <= 2")
        assert not r.converged and s.converged
        assert s.params["x"] == 2 and s.params["c"] == pytest.approx(-9.0)

    def test_weights(self):
        w = RNG.integers(1, 4, N).astype(float)
        for kind in ("frequency", "variance", "sampling"):
            r, s = (bb.glm(f"y ~ {x}", D, "poisson", weights=w, weights_are=kind) for x in ("x1 + x2", "x1"))
            r = r.restricted("x2 >= 0.0" if r.params["x2"] < 0 else "x2 <= 0")
            np.testing.assert_allclose(r.coef[:2], s.coef, rtol=1e-8)
            np.testing.assert_allclose(r.se()[:2], s.se(), rtol=1e-7)
            assert r.constraints[0]["binds"]

    def test_models_of_other_kinds(self):
        d = {**D, "t": RNG.exponential(np.exp(D["x2"])), "e": np.ones(N), "grade": np.digitize(D["z"], [0, 1.5]) * 1.0}
        for r in (bb.cox("Surv(t, e) ~ x1 + x2", d), bb.ordinal("grade ~ x1 + x2", d)):
            s, t = r.restricted("x1 <= 0.2, x2 >= 0.1, x1 + x2 <= 9"), r.restricted("x2 = 0.1")
            u = r.restricted(", ".join(binding(s)).replace("<=", "=").replace(">=", "="))
            np.testing.assert_allclose(s.coef, u.coef, rtol=1e-8)
            np.testing.assert_allclose(s.se(), u.se(), rtol=1e-7, atol=1e-12)
            assert "held: " in str(s.summary()) and "held: x2 = 0.1" in str(t.summary())

    def test_collinear_columns(self):
        X = np.column_stack([np.ones(N), D["x1"], D["x2"], 2 * D["x1"]])
        r = logistic(X, D["z"] > 1, ["c", "x1", "x2", "x4"])
        assert r.restricted("x2 >= 0").params["x2"] == 0
        for said in ("x1 >= 0", "x4 = 0", "x1 + x2 <= 1"):
            with pytest.raises(ValueError, match="not determined"):
                r.restricted(said)

    def test_nonlinear_regression(self):
        x = np.linspace(0.5, 6, 25)
        d = {"x": x, "y": 3 * np.exp(-0.6 * x) + 0.5 + 0.05 * np.cos(17 * x)}
        r = bb.nls(lambda p, d: p.a * np.exp(-p.b * d.x) + p.c, {"a": 1.0, "b": 1.0, "c": 0.0}, d)
        s, t = r.restricted("c <= 0.4, a >= 2"), r.restricted("c = 0.4")
        np.testing.assert_allclose(s.coef, t.coef, rtol=1e-8)
        assert s.df_resid == t.df_resid and s.rss == pytest.approx(t.rss)


class TestWhatIsSaid:
    r = FULL.restricted("a + b <= 1, sigma <= 9, c = 0")

    def test_summary(self):
        text = str(self.r.summary())
        assert (
            "held: a + b <= 1 (binds, multiplier " in text and "c = 0" in text and "sigma <= 9 (does not bind)" in text
        )
        assert "Self & Liang 1987" in text
        text = str(FULL.restricted("b = c, a = 1").summary())
        assert "held: b = c, a = 1\n" in text and "Self" not in text
        assert "held: x1 = x2" in str(bb.glm("y ~ x1 + x2", D, "poisson").tie("x1", "x2").summary())
        row = FULL.restricted("c = 1").tidy()[2]
        assert row["std_error"] == 0 and np.isnan(row["statistic"]) and np.isnan(row["p_value"])

    def test_many_statements_are_not_all_said(self):
        r = bb.MLE(lambda p, d: -0.5 * (d.y - p.m) ** 2, {"m": bb.Real(30)})
        r = r.fit({"y": np.arange(30.0, 0, -1)}, constraints=", ".join(f"m[{i}] <= m[{i + 1}]" for i in range(29)))
        assert "and 17 more (see constraints)" in str(r.summary()) and len(r.constraints) == 29

    def test_saved_and_pickled(self, tmp_path):
        self.r.save(tmp_path / "fit.json")
        s = bb.load(tmp_path / "fit.json")
        assert s.constraints == self.r.constraints and s.inequalities == 2
        assert str(s.summary()) == str(self.r.summary())
        with pytest.raises(bb.errors.NotDefined, match="mixture"):
            s.compare(FULL)
        assert pickle.loads(pickle.dumps(self.r)).constraints == self.r.constraints
        assert FULL.constraints == []

    @pytest.mark.parametrize(
        "call",
        [
            lambda r: r.conf_int(method="profile"),
            lambda r: r.conf_int(method="score"),
            lambda r: r.bootstrap(9, rng=1),
            lambda r: r.test("b = 1", "lr"),
            lambda r: r.test("b = 1", "score"),
            lambda r: r.compare(FULL),
            lambda r: FULL.compare(r),
            lambda r: FULL.test("b >= 0"),
        ],
    )
    def test_what_is_no_chi_square(self, call):
        with pytest.raises(bb.errors.NotDefined, match="mixture of chi-squares"):
            call(self.r)

    def test_what_works(self):
        assert self.r.conf_int()[2].tolist() == [0, 0] and self.r.test("b = 1").df == 1
        assert self.r.delta(lambda p: p.a + p.b).se == 0
        with pytest.raises(ValueError, match=r"twice, and .* holds already"):
            self.r.test("a + b = 1")

    def test_the_certificate_looks_at_signs(self):
        """An estimate that is held by an inequality that should have been dropped."""
        held = self.r._held
        space = self.r._space()
        found = FULL.restricted("a + b = 3, c = 0").search
        slopes = held.asked.R @ space.parameters.jacobian(space.gamma)
        assert _signs(held, slopes, found) == []
        held = pickle.loads(pickle.dumps(held))
        held.multipliers = -held.multipliers
        assert _signs(held, slopes, found) == ["not a maximum: the log-likelihood rises away from a + b <= 1"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("b >= 1, c >= 5, b <= 0", "cannot hold together: b >= 1, b <= 0"),
        ("a = 1, a = 2", "cannot hold together|twice"),
        ("b = 1, b <= 0.5", "cannot hold together: b = 1, b <= 0.5"),
        ("a + b >= 3, a - b >= 5, a <= 1", "cannot hold together"),
        ("sigma <= 0", "sigma <= 0 cannot hold: sigma is of numbers greater than 0"),
        ("sigma <= -1", "cannot hold"),
        ("q >= 0", "no parameter 'q'; there are a, b, c, sigma"),
        ("b[0] >= 0", r"no parameter 'b\[0\]'; there are a"),
        ("a < 1", "write <= or >="),
        ("a <= 1, , b >= 0", "cannot read"),
        ("a * b <= 1", "not linear"),
        ("1 <= 2", "holds no parameter"),
        ("a <= b <=", "cannot read"),
    ],
)
def test_what_is_refused(said, words):
    for call in (lambda: FULL.restricted(said), lambda: MODEL.fit(D, constraints=said)):
        with pytest.raises(ValueError, match=words):
            call()


@pytest.mark.parametrize("seed", range(40))
def test_contradictions_are_those_there_are(seed):
    rng = np.random.default_rng(seed)
    m, k = int(rng.integers(2, 12)), int(rng.integers(1, 6))
    R, there = rng.normal(size=(m, k)) * 10 ** rng.uniform(-5, 5, k), rng.normal(size=k) * 10 ** rng.uniform(-5, 5, k)
    R = np.concatenate([R, R[:1]])
    r = R @ there - np.abs(R @ there) * rng.gamma(0.3, size=m + 1) * rng.integers(0, 2, m + 1)
    equal = np.zeros(m + 1, bool)
    asked = Hypothesis(R, r, equal, [f"row {i}" for i in range(m + 1)])
    _consistent(asked)
    w = rng.gamma(1.0, size=m + 1)
    less = Hypothesis(-(w @ R)[None], np.array([-(w @ r) + 1e-6 * (w @ np.abs(r))]), np.zeros(1, bool), ["the sum"])
    with pytest.raises(ValueError, match=r"cannot hold together: .*the sum"):
        _consistent(asked & less)


def test_no_maximum():
    m = bb.MLE(lambda p: -np.sqrt(p.a) - p.b**2, {"a": bb.Real(start=1.0), "b": bb.Real()})
    with pytest.raises(ValueError, match="finite on a bound"):
        m.fit(constraints="a >= 0")
    simplex = bb.MLE(lambda p, d: d.c * np.log(p.p), {"p": bb.Simplex(3)})
    with pytest.raises(ValueError, match="no maximum with"):
        simplex.fit({"c": np.array([3.0, 9.0, 4.0])}, constraints="p[0] + p[1] >= 1.2")
