"""The two regressions beside R's lm and glm (tests/golden/r.json, made by make_r.R): 10 digits, and what follows."""

import json
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.models import regression

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/r.json").read_text())
CASES = [k for k in GOLDEN if k != "made by"]


def fitted(name):
    g = GOLDEN[name]
    X = np.reshape(g["X"], (len(g["y"]), len(g["names"])))
    fit = regression.linear if g["family"] == "gaussian" else regression.logistic
    return g, X, np.array(g["y"]), fit(X, np.array(g["y"]), g["names"])


@pytest.mark.parametrize("name", CASES)
def test_coefficients_errors_and_likelihood(name):
    g, _, _, r = fitted(name)
    np.testing.assert_allclose(r.coef, g["coef"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(r.se(), g["se"], rtol=1e-10)
    np.testing.assert_allclose([t["statistic"] for t in r.tidy()], g["statistic"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose([t["p_value"] for t in r.tidy()], g["p"], rtol=1e-8)
    np.testing.assert_allclose(r.cov_params(), np.reshape(g["cov"], (len(g["coef"]),) * 2), rtol=1e-8, atol=1e-12)
    assert r.loglik == pytest.approx(g["loglik"], rel=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_intervals(name):
    # confint of lm is Wald with t; of glm it profiles, by interpolation, so to fewer digits
    g, _, _, r = fitted(name)
    method, rtol = ("wald", 1e-9) if g["family"] == "gaussian" else ("profile", 2e-3)
    np.testing.assert_allclose(r.conf_int(method=method), np.reshape(g["profile"], (-1, 2)), rtol=rtol, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_estimators(name):
    g, X, y, _ = fitted(name)
    cls = bb.LinearRegression if g["family"] == "gaussian" else bb.LogisticRegression
    m = cls().fit(X[:, 1:], y)
    np.testing.assert_allclose(np.r_[np.ravel(m.intercept_), np.ravel(m.coef_)], g["coef"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.ravel(m.bse_), g["se"], rtol=1e-10)
