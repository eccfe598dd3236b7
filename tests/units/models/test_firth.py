"""Firth's penalty beside brglm2; priors and Jeffreys' penalty of likelihoods in general."""

import json
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "estimation.json").read_text(encoding="utf-8"))
CASES = {k: c for k, c in GOLDEN["cases"].items() if k.startswith("firth_")}


def data_of(name):
    d = GOLDEN["data"][name]
    return {k: np.array(v, object if k in d["levels"] else float) for k, v in d["columns"].items()}, dict(d["levels"])


def near(found, right, rtol=1e-9):
    right = np.array(right, float)
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * max(np.abs(right).max(), 1e-3))


@pytest.mark.parametrize("name", list(CASES))
def test_as_brglm2(name):
    c = CASES[name]
    d, levels = data_of(c["data"])
    r = bb.firth(c["formula"], d, c["family"], levels=levels)
    assert r.converged, r.certificate
    near(r.coef, c["coef"])
    for kind in ("observed", "expected"):
        near(r.cov_params(kind), c["vcov"], 1e-8)
    near([r.loglik, r.penalized_loglik], [c["loglik"], c["penalized_loglik"]])
    ends, right = r.conf_int(method="profile"), np.array(c["profile_penalized"])
    if name == "firth_logit_separated":  # R's script stopped on the way to the lower end, which has two hills
        ends[0, 0] = right[0, 0] = 0.0
    near(ends, right, 1e-7)
    near(r.fittedvalues, c["fitted"])
    assert "Firth" in str(r.summary())


def test_probit_is_the_mode_under_jeffreys_prior():
    from scipy.optimize import minimize
    from scipy.stats import norm

    d, _ = data_of("endometrial")
    r = bb.firth("HG ~ NV + PI + EH", d, link="probit")
    X = np.column_stack([np.ones(79), d["NV"], d["PI"], d["EH"]])
    T = X / np.abs(X).max(axis=0)

    def minus(b):
        eta = T @ b
        p = norm.cdf(eta)
        W = norm.pdf(eta) ** 2 / (p * (1 - p))
        rows = np.where(d["HG"] == 1, norm.logcdf(eta), norm.logcdf(-eta))
        return -rows.sum() - 0.5 * np.linalg.slogdet((T * W[:, None]).T @ T)[1]

    found = minimize(minus, r.coef * np.abs(X).max(axis=0) + 0.1, method="BFGS", options={"gtol": 1e-7})
    near(r.coef * np.abs(X).max(axis=0), found.x, 1e-4)
    assert minus(r.coef * np.abs(X).max(axis=0)) <= found.fun + 1e-9


def test_profile_of_two_hills_is_that_of_the_higher():
    from scipy.optimize import minimize

    d, _ = data_of("separated")
    r = bb.firth("y ~ x + z", d)
    end = r.conf_int(method="profile", parm="Intercept")[0, 0]
    falls = []
    for start in ([4.0, 5.5], [4.0, -5.0]):
        f = minimize(
            lambda b: r.objective.value(np.array([end, *b])),
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12},
        )
        falls.append(2 * (f.fun + r.penalized_loglik))
    assert min(falls) == pytest.approx(3.841458820694124, abs=1e-7)


def test_weights_are_rows():
    d, _ = data_of("separated")
    w = np.array([1.0, 2, 1, 3, 1, 1, 2, 0, 1, 2])
    many = {k: np.repeat(v, w.astype(int)) for k, v in d.items()}
    a, b = bb.firth("y ~ x + z", {**d, "w": w}, weights="w"), bb.firth("y ~ x + z", many)
    near(a.coef, b.coef, 1e-9)
    near(a.cov_params(), b.cov_params(), 1e-8)
    near(a.cov_params("sandwich"), b.cov_params("sandwich"), 1e-8)
    near(a.penalized_loglik, b.penalized_loglik, 1e-9)


def test_units_of_a_column_do_not_matter():
    d, _ = data_of("separated")
    a = bb.firth("y ~ x + z", d)
    b = bb.firth("y ~ x + z", {**d, "x": d["x"] * 1e6})
    near(b.coef * [1, 1e6, 1], a.coef, 1e-9)
    near(b.loglik, a.loglik, 1e-10)


def test_lr_test_is_of_the_penalized_likelihood():
    d, _ = data_of("separated")
    r = bb.firth("y ~ x + z", d)
    for end in r.conf_int(0.9, method="profile", parm="x")[0]:
        t = r.test(f"x = {float(end)!r}", kind="lr")
        assert t.p_value == pytest.approx(0.1, rel=1e-6)
    with pytest.raises(NotDefined, match="test"):
        r.compare(bb.firth("y ~ x", d))


def test_families_with_a_dispersion_name_the_alternative():
    d, _ = data_of("sim")
    for family in ("gaussian", "gamma", "negative-binomial"):
        with pytest.raises(NotDefined, match="jeffreys"):
            bb.firth("cost ~ x1" if family == "gamma" else "over ~ x1", d, family)


def logistic(b, d):
    eta = d.X @ b
    return d.y * eta - np.logaddexp(0, eta)


def test_jeffreys_of_any_likelihood_is_firths_for_logistic_regression():
    d, _ = data_of("endometrial")
    X = np.column_stack([np.ones(79), d["NV"], d["PI"], d["EH"]])
    r = bb.MLE(logistic, bb.Real(names=["1", "NV", "PI", "EH"])).fit({"X": X, "y": d["HG"]}, penalty="jeffreys")
    c = CASES["firth_logit_endometrial"]
    assert r.converged
    near(r.coef, c["coef"], 1e-8)
    near([r.loglik, r.penalized_loglik], [c["loglik"], c["penalized_loglik"]])
    near(r.conf_int(method="profile"), c["profile_penalized"], 1e-6)
    assert "Jeffreys" in str(r.rows_said())


def test_jeffreys_is_of_the_natural_parameters():
    """A scale's: information 2n/σ² about σ, whatever scale it is searched on."""
    y = np.array([1.0, -2.0, 0.5, 3.0, -1.5])

    def rows(p, d):
        return -0.5 * (d.y / p.sigma) ** 2 - np.log(p.sigma)

    r = bb.MLE(rows, {"sigma": bb.Positive(start=1.0)}).fit({"y": y}, penalty="jeffreys")

    def minus(s):
        # minus the second derivative by log σ, over σ²
        return -np.sum(rows_at(s)) - 0.5 * np.log(2 * np.sum((y / s) ** 2) / s**2)

    def rows_at(s):
        return -0.5 * (y / s) ** 2 - np.log(s)

    from scipy.optimize import minimize_scalar

    assert r.params["sigma"] == pytest.approx(minimize_scalar(minus, bracket=(0.5, 3)).x, rel=1e-6)


def test_a_prior_is_counted_once():
    """Normal mean with a normal prior: the posterior is known."""
    y = np.array([1.0, 2.0, 4.0])

    def rows(p, d):
        return -0.5 * (d.y - p.mu) ** 2

    model = bb.MLE(rows, {"mu": bb.Real()})
    r = model.fit({"y": y}, prior=lambda p: -0.5 * (p.mu / 2.0) ** 2)
    precision = 3 + 0.25
    assert r.params["mu"] == pytest.approx(7 / precision)
    assert r.bse["mu"] == pytest.approx(precision**-0.5)
    assert r.loglik == pytest.approx(-0.5 * np.sum((y - 7 / precision) ** 2))
    assert r.penalized_loglik == pytest.approx(r.loglik - 0.125 * (7 / precision) ** 2)
    near(r.conf_int(method="profile"), r.conf_int(), 1e-8)
    t = r.test("mu = 0", kind="lr")
    assert t.statistic == pytest.approx(49 / precision)
    w = model.fit({"y": y}, prior=lambda p: -0.5 * (p.mu / 2.0) ** 2, weights=[2, 1, 3])
    assert w.params["mu"] == pytest.approx((2 + 2 + 12) / 6.25)


def test_what_cannot_be_is_said():
    model = bb.MLE(lambda p, d: -0.5 * (d.y - p.mu) ** 2, {"mu": bb.Real()})
    with pytest.raises(ValueError, match="prior"):
        model.fit({"y": [1.0]}, {"mu": 0.0}, prior=lambda p: np.log(p.mu - 1))
    with pytest.raises(ValueError, match="jeffreys"):
        model.fit({"y": [1.0]}, penalty="ridge")
    p = bb.MLE(lambda p, d: np.log(p.s[d.k]), {"s": bb.Simplex(3)})
    with pytest.raises(NotDefined, match="prior="):
        p.fit({"k": np.array([0, 1, 2])}, penalty="jeffreys")
