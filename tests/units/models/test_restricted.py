"""Restricted fits: beside R's smaller models, beside the same model written with fewer parameters, and their tests."""

import pickle

import numpy as np
import pytest

import bibun as bb
from bibun.models.logistic import multinomial
from bibun.models.regression import linear
from tests.units.models import test_glm_against_r as against_r
from tests.units.models.test_glm_against_r import CASES, GOLDEN, data_of, fitted

TESTED = [k for k, c in CASES.items() if c.get("tests") and k != "glm_quasi_mu2"]
LINEAR = [k for k, c in GOLDEN["cases"].items() if k.startswith("lm_") and "weights" not in k and c.get("tests")]
RNG = np.random.default_rng(5)
N = 80
D = {"x1": RNG.normal(size=N), "x2": RNG.normal(size=N), "x3": RNG.normal(size=N)}
D["y"] = RNG.poisson(np.exp(0.4 + 0.5 * D["x1"] + 0.4 * D["x2"])).astype(float)
D["many"] = RNG.negative_binomial(2.0, 2.0 / (2.0 + np.exp(1 + 0.5 * D["x1"] + 0.4 * D["x2"]))).astype(float)
D["z"] = 1 + D["x1"] + 0.8 * D["x2"] + RNG.normal(size=N)


def normal(p, d):
    return -np.log(p.sigma) - 0.5 * ((d.z - p.a - p.b * d.x1 - p.c * d.x2) / p.sigma) ** 2


NORMAL = {"a": bb.Real(), "b": bb.Real(), "c": bb.Real(), "sigma": bb.Positive()}


def the_smaller(name, monkeypatch):
    """A case, its fit, that of R's smaller model, and the hypothesis that leads from one to the other."""
    c, r = fitted(name)
    monkeypatch.setitem(against_r.CASES, "smaller", {**c, "formula": c["smaller"]})
    s = fitted("smaller")[1]
    return c, r, s, ", ".join(f"`{n}` = 0" for n in r.labels if n not in s.labels)


def same_fit(found, right):
    """A restricted fit beside one with fewer columns."""
    keep = [found.labels.index(n) for n in right.labels]
    np.testing.assert_allclose(found.coef[keep], right.coef, rtol=1e-9, atol=1e-9)
    for kind in ("observed", "sandwich"):
        cov = found.cov_params(kind)
        np.testing.assert_allclose(cov[np.ix_(keep, keep)], right.cov_params(kind), rtol=1e-8, atol=1e-12)
    gone = [k for k in range(len(found.labels)) if k not in keep]
    assert not found.se()[gone].any() and not found.coef[gone].any()
    assert found.df_model == pytest.approx(right.df_model) and found.df_resid == pytest.approx(right.df_resid)
    assert found.scale == pytest.approx(right.scale, rel=1e-10)
    assert found.converged and found.search.success


@pytest.mark.parametrize("name", TESTED)
def test_tests_and_restricted_fits_beside_r(name, monkeypatch):
    c, r, s, hypothesis = the_smaller(name, monkeypatch)
    tests, phi = c["tests"], c["dispersion"]
    found = {
        kind: r.test(hypothesis, kind, cov="expected" if kind == "wald" else None) for kind in ("wald", "lr", "score")
    }
    for kind, key in (("wald", "wald"), ("lr", "lr_scaled_deviance"), ("score", "score")):
        t = found[kind]
        times = 1.0 if t.df_resid is None else t.df * (phi if kind == "score" else 1.0)
        assert t.statistic * times == pytest.approx(tests[key]["statistic"], rel=1e-9)
        assert t.df == tests[key]["df"]
        if t.df_resid is None:
            assert t.p_value == pytest.approx(tests[key]["p"], rel=1e-7)
    if "F" in tests:
        assert found["lr"].p_value == pytest.approx(tests["F"]["p"], rel=1e-7)
        assert [found["lr"].df, found["lr"].df_resid] == tests["F"]["df"]
    small = r.restricted(hypothesis)
    same_fit(small, s)
    assert small.deviance == pytest.approx(s.deviance, rel=1e-10)
    keep = [small.labels.index(n) for n in s.labels]
    np.testing.assert_allclose(small.se("expected")[keep], s.se("expected"), rtol=1e-8)
    if "lr" in tests:
        assert small.loglik == pytest.approx(s.loglik, rel=1e-10)
        lr = r.compare(small).lr
        assert lr.df == tests["lr"]["df"]
        if r.family != "gamma":  # where R's likelihood is at another dispersion
            assert lr.statistic == pytest.approx(tests["lr"]["statistic"], rel=1e-8)


@pytest.mark.parametrize("name", LINEAR)
def test_linear_beside_r(name):
    c = GOLDEN["cases"][name]
    d, levels = data_of(c["data"])
    r, s = (bb.glm(f, d, levels=levels) for f in (c["formula"], c["smaller"]))
    hypothesis = ", ".join(f"`{n}` = 0" for n in r.labels if n not in s.labels)
    tests = c["tests"]
    for kind in ("wald", "lr", "score"):
        t = r.test(hypothesis, kind)
        assert t.statistic == pytest.approx(tests["F"]["statistic"], rel=1e-9)
        assert t.p_value == pytest.approx(tests["F"]["p"], rel=1e-8)
    small = r.restricted(hypothesis)
    same_fit(small, s)
    assert small.rsquared == pytest.approx(s.rsquared, rel=1e-10)
    np.testing.assert_allclose(small.residuals(), s.residuals(), atol=1e-10)
    assert r.compare(small).lr.statistic == pytest.approx(tests["lr"]["statistic"], rel=1e-9)


class TestLikelihoods:
    full = bb.MLE(normal, NORMAL).fit(D)

    def test_fixed(self):
        for r in (self.full.restricted("sigma = 1, a = 0.5"), self.full.fix({"sigma": 1.0, "a": 0.5})):
            s = bb.MLE(normal, {**NORMAL, "sigma": bb.Fixed(1.0), "a": bb.Fixed(0.5)}).fit(D)
            np.testing.assert_allclose(r.coef[1:3], s.coef, rtol=1e-9)
            for kind in ("observed", "opg", "sandwich"):
                np.testing.assert_allclose(r.cov_params(kind)[1:3, 1:3], s.cov_params(kind), rtol=1e-8)
            assert r.params["sigma"] == pytest.approx(1.0, abs=1e-14) and r.bse["sigma"] == 0 and r.df_model == 2
            assert r.loglik == pytest.approx(s.loglik, abs=1e-10) and r.aic == pytest.approx(s.aic)
            np.testing.assert_allclose(r.conf_int(method="profile")[1:3], s.conf_int(method="profile"), rtol=1e-8)
            np.testing.assert_allclose(r.conf_int(method="score")[1:3], s.conf_int(method="score"), rtol=1e-7)
            np.testing.assert_allclose(r.conf_int()[3], [1, 1])
            for kind in ("wald", "lr", "score"):
                assert r.test("b = c", kind).statistic == pytest.approx(s.test("b = c", kind).statistic, rel=1e-8)

    def test_tied(self):
        r = self.full.tie("b", "c")
        s = bb.MLE(normal, {**NORMAL, "c": bb.Tied("b")}).fit(D)
        np.testing.assert_allclose(r.coef[[0, 1, 3]], s.coef, rtol=1e-9)
        np.testing.assert_allclose(r.cov_params()[np.ix_([0, 1, 3], [0, 1, 3])], s.cov_params(), rtol=1e-8, atol=1e-15)
        assert r.coef[1] == pytest.approx(r.coef[2], abs=1e-14)
        assert r.bse["b"] == pytest.approx(r.bse["c"], rel=1e-12) and r.converged
        np.testing.assert_allclose(r.conf_int(method="profile")[1], r.conf_int(method="profile")[2], rtol=1e-9)
        lr = self.full.compare(r).lr
        assert lr.df == 1 and lr.statistic == pytest.approx(self.full.test("b = c", "lr").statistic, rel=1e-9)

    def test_an_equation_between_domains(self):
        r = self.full.restricted("sigma = b")

        def rows(p, d):
            return -np.log(p.b) - 0.5 * ((d.z - p.a - p.b * d.x1 - p.c * d.x2) / p.b) ** 2

        s = bb.MLE(rows, {"a": bb.Real(), "b": bb.Positive(), "c": bb.Real()}).fit(D)
        np.testing.assert_allclose(r.coef[:3], s.coef, rtol=1e-8)
        np.testing.assert_allclose(r.cov_params()[:3, :3], s.cov_params(), rtol=1e-7)
        assert r.bse["sigma"] == pytest.approx(r.bse["b"], rel=1e-9)

    def test_one_after_another(self):
        a, b = self.full.restricted("b = c").restricted("sigma = 1"), self.full.restricted("b = c, sigma = 1")
        np.testing.assert_allclose(a.coef, b.coef, rtol=1e-10)
        np.testing.assert_allclose(a.cov_params(), b.cov_params(), rtol=1e-8, atol=1e-15)
        assert a.df_model == b.df_model == 2
        with pytest.raises(ValueError, match="twice, and b = c holds already"):
            self.full.restricted("b = c").restricted("b = c")

    def test_everything_fixed(self):
        r = self.full.fix({"a": 1.0, "b": 1.0, "c": 1.0, "sigma": 1.0})
        assert r.df_model == 0 and r.converged and not r.se().any()

    def test_pickles(self):
        D2 = {k: D[k] for k in ("x1", "z")}
        r = bb.nls(decay, {"a": 1.0, "b": 0.5}, D2, response="z").restricted("b = 0.3")
        s = pickle.loads(pickle.dumps(r))
        np.testing.assert_allclose(s.conf_int(method="profile"), r.conf_int(method="profile"))

    @pytest.mark.parametrize(
        ("words", "call"),
        [
            ("not inside the domain", lambda r: r.restricted("sigma = -1")),
            ("no parameter 'q'", lambda r: r.fix({"q": 1.0})),
            ("a finite number", lambda r: r.fix({"a": np.nan})),
            ("two parameters or more", lambda r: r.tie("a")),
            ("same thing twice", lambda r: r.restricted("a = 1, 2*a = 2")),
        ],
    )
    def test_what_is_refused(self, words, call):
        with pytest.raises(ValueError, match=words):
            call(self.full)

    def test_vectors(self):
        def rows(p, d):
            return -0.5 * (d.z - p.b[0] - p.b[1] * d.x1 - p.b[2] * d.x2) ** 2

        r = bb.MLE(rows, {"b": bb.Real(3)}).fit(D)
        np.testing.assert_allclose(r.fix({"b": [1.0, 2.0, 3.0]}).coef, [1, 2, 3])
        np.testing.assert_allclose(r.fix({"b": 1.0}).coef, 1.0)
        s = r.fix({"b[1]": 0.0})
        right = linear(np.column_stack([np.ones(N), D["x2"]]), D["z"], ["0", "2"])
        np.testing.assert_allclose(s.coef[[0, 2]], right.coef, rtol=1e-9)


def decay(p, d):
    return p.a + p.b * d.x1


class TestRegressions:
    def test_equal_coefficients_are_those_of_the_sum(self):
        both = {**D, "sum": D["x1"] + D["x2"]}
        for family, y in (("poisson", "y"), ("negative-binomial", "many"), ("gaussian", "z"), ("quasi-poisson", "y")):
            r = bb.glm(f"{y} ~ x1 + x2 + x3", D, family).tie("x1", "x2")
            s = bb.glm(f"{y} ~ sum + x3", both, family)
            at = [0, 1, 3, *range(4, len(r.labels))]
            np.testing.assert_allclose(r.coef[at], s.coef, rtol=1e-7)
            np.testing.assert_allclose(r.se()[at], s.se(), rtol=1e-6)
            np.testing.assert_allclose(r.se("sandwich")[at], s.se("sandwich"), rtol=1e-6)
            np.testing.assert_allclose(r.conf_int(method="profile")[at], s.conf_int(method="profile"), rtol=1e-6)
            assert r.df_model == s.df_model and r.scale == pytest.approx(s.scale, rel=1e-8)
            np.testing.assert_allclose(r.predict().value, s.predict().value, rtol=1e-8)
            np.testing.assert_allclose(r.predict().se, s.predict().se, rtol=1e-6)

    def test_a_coefficient_that_is_known_is_an_offset(self):
        r = bb.glm("y ~ x1 + x2", D, "poisson").fix({"x1": 0.5})
        s = bb.glm("y ~ x2", D, "poisson", offset=0.5 * D["x1"])
        np.testing.assert_allclose(r.coef[[0, 2]], s.coef, rtol=1e-9)
        assert r.loglik == pytest.approx(s.loglik) and r.params["x1"] == pytest.approx(0.5, abs=1e-14)

    def test_a_penalty_stays(self):
        for family, y in (("poisson", "y"), ("gaussian", "z")):
            r = bb.glm(f"{y} ~ x1 + x2 + x3", D, family, penalty=3.0).fix({"x3": 0.0})
            s = bb.glm(f"{y} ~ x1 + x2", D, family, penalty=3.0)
            same_fit(r, s)
            assert r.loglik == pytest.approx(s.loglik, rel=1e-9)

    def test_several_classes(self):
        kinds = RNG.integers(3, size=N)
        X = np.column_stack([np.ones(N), D["x1"], D["x2"]])
        r = multinomial(X, kinds, ["c", "x1", "x2"], ["p", "q", "r"]).restricted("`q:x2` = 0, `r:x2` = 0")
        s = multinomial(X[:, :2], kinds, ["c", "x1"], ["p", "q", "r"])
        same_fit(r, s)
        assert r.loglik == pytest.approx(s.loglik, rel=1e-10) and r.deviance == pytest.approx(s.deviance, rel=1e-10)

    def test_collinear_columns_stay_named(self):
        X = np.column_stack([np.ones(N), D["x1"], D["x2"], D["x1"]])
        for r in (
            linear(X, D["z"], ["c", "x1", "x2", "x4"]),
            bb.models.logistic.logistic(X, D["z"] > 1, ["c", "x1", "x2", "x4"]),
        ):
            s = r.fix({"x2": 0.0})
            assert not s.converged and "collinear" in s.certificate.problems[0]
            assert np.isnan(s.bse["x1"]) and np.isfinite(s.bse["c"]) and s.null.shape[1] == 1
            with pytest.raises(ValueError, match="not determined"):
                r.fix({"x1": 0.0})

    def test_clusters_and_weights(self):
        g = np.arange(N) // 4
        w = RNG.integers(1, 4, N).astype(float)
        for given in ({}, {"weights": w}, {"weights": w, "weights_are": "sampling"}):
            r = bb.glm("y ~ x1 + x2", D, "poisson", cluster=g, **given).fix({"x2": 0.0})
            s = bb.glm("y ~ x1", D, "poisson", cluster=g, **given)
            np.testing.assert_allclose(r.se()[:2], s.se(), rtol=1e-8)
            assert r.cov_said() == s.cov_said()


def test_nonlinear_regression():
    x = np.linspace(0.5, 6, 25)
    d = {"x": x, "y": 3 * np.exp(-0.6 * x) + 0.5 + 0.05 * np.cos(17 * x)}

    def mean(p, d):
        return p.a * np.exp(-p.b * d.x) + p.c

    r = bb.nls(mean, {"a": 1.0, "b": 1.0, "c": 0.0}, d)
    found, right = r.restricted("c = 0.4"), bb.nls(mean, {"a": 1.0, "b": 1.0, "c": bb.Fixed(0.4)}, d)
    np.testing.assert_allclose(found.coef[:2], right.coef, rtol=1e-9)
    for kind in ("expected", "observed", "sandwich"):
        np.testing.assert_allclose(found.cov_params(kind)[:2, :2], right.cov_params(kind), rtol=1e-7)
    assert (found.rss, found.loglik) == (pytest.approx(right.rss), pytest.approx(right.loglik))
    assert (found.df_resid, found.df_model, found.scale) == (right.df_resid, right.df_model, pytest.approx(right.scale))
    np.testing.assert_allclose(found.conf_int(method="profile")[:2], right.conf_int(method="profile"), rtol=1e-7)
    lr = r.test("c = 0.4", "lr")
    assert lr.statistic == pytest.approx((right.rss - r.rss) / r.scale, rel=1e-8)
    # the score test: how much of the restricted residuals the three directions explain
    e, J = found.objective.linear(found.u)
    explained = e @ J @ np.linalg.solve(J.T @ J, J.T @ e)
    score = r.test("c = 0.4", "score")
    assert score.statistic == pytest.approx(explained / r.scale, rel=1e-8) and score.df_resid == 22
    assert found.predict().se.shape == (25,) and found.converged
