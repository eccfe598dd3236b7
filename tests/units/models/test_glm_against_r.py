"""Generalized linear models beside R: every figure of tests/golden/estimation.json (make_estimation.R) that `glm` has."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "estimation.json").read_text(encoding="utf-8"))
CASES = {k: c for k, c in GOLDEN["cases"].items() if k.startswith("glm_") and "formula" in c}
LINKS = {"1/mu^2": "inverse-squared", "default": None}


def data_of(name):
    d = GOLDEN["data"][name]
    columns = {}
    for k, v in d["columns"].items():
        columns[k] = np.array(v, object) if k in d.get("levels", {}) else np.array(v, float)
    levels = dict(d.get("levels", {}))
    return columns, levels


def fitted(name):
    c = CASES[name]
    d, levels = data_of(c["data"])
    call = c["call"]
    options = {}
    given = re.search(r"weights = (\w+)", call)
    if given:
        options = {"weights": given.group(1), "weights_are": "variance"}
    family = c["family"].lower().replace("inverse.gaussian", "inverse-gaussian")
    family = {"quasibinomial": "quasi-binomial", "quasipoisson": "quasi-poisson"}.get(family, family)
    return c, bb.glm(c["formula"], d, family, link=LINKS.get(c["link"], c["link"]), levels=levels, **options)


def near(found, right, rtol):
    right = np.array(right, float)
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * max(np.abs(right).max(), 1e-3))


@pytest.mark.parametrize("name", [k for k in CASES if k != "glm_quasi_mu2"])
def test_glm(name):
    c, r = fitted(name)
    tol = 1e-9
    near(r.coef, c["coef"], tol)
    near(np.sqrt(np.diag(r.cov_params("expected"))), c["se"], 1e-8)
    near(r.cov_params("expected"), c["vcov"], 1e-8)
    if c.get("vcov_observed") is not None:
        near(r.cov_params("observed"), c["vcov_observed"], 1e-7)
    near([r.deviance, r.null_deviance, r.scale], [c["deviance"], c["null_deviance"], c["dispersion"]], tol)
    assert r.df_resid == pytest.approx(c["df_residual"])
    if c["loglik"] is None:
        with pytest.raises(NotDefined):
            _ = r.loglik
    elif "dispersion of R" not in c.get("note", "") and c["dispersion"] == 1:
        near(r.loglik, c["loglik"], 1e-10)
        near([r.aic, r.bic], [c["aic"], c["bic"]], 1e-10)
    if "residuals" in c:
        for kind in ("response", "pearson", "deviance"):
            near(r.residuals(kind), c["residuals"][kind], 1e-8)
    if "influence" in c:
        near(r.influence()["hat"], c["influence"]["hat"], 1e-7)
        near(r.influence()["cooks_distance"], c["influence"]["cooks"], 1e-7)
    if "predict" in c and "new" in c:
        new = c["new"] if isinstance(c["new"], dict) else GOLDEN["new_rows"][c["new"]]
        new = {k: v for k, v in new.items() if k in GOLDEN["data"][c["data"]]["columns"]}
        p = r.predict(new, kind="expected")
        near(p.value, c["predict"]["response"], 1e-8)
        near(p.se, c["predict"]["response_se"], 1e-7)
    if "profile" in c and c["profile"] and r.statistic == "z":
        near(r.conf_int(method="profile"), c["profile"], 1e-7)


def test_the_log_likelihood_of_variance_weights_is_rs():
    c = GOLDEN["cases"]["lm_variance_weights"]
    d, levels = data_of(c["data"])
    r = bb.glm(c["formula"], d, "gaussian", levels=levels, weights="v", weights_are="variance")
    near(r.coef, c["coef"], 1e-10)
    near(r.se(), c["se"], 1e-9)
    near([r.loglik, r.aic, r.bic], [c["loglik"], c["aic"], c["bic"]], 1e-10)


def test_lines_far_below_are_to_the_last_digit():
    from bibun.models.links import LINKS

    assert LINKS["cloglog"].log_mean(np.array([-800.0, -41.0])).tolist() == [-800.0, -41.0]
    assert LINKS["loglog"].log_rest(np.array([800.0])).tolist() == [-800.0]


def test_what_is_not_defined_without_an_intercept_says_so():
    d = {"y": [1.0, 2.0, 4.0, 3.0, 6.0], "x": [0.2, 0.4, 0.3, 0.9, 1.0]}
    r = bb.glm("y ~ x - 1", d, "gamma")  # the inverse link has no mean at a predictor of 0
    with pytest.raises(NotDefined, match="deviance"):
        _ = r.null_deviance
    assert np.isfinite(r.deviance) and "null deviance" not in str(r.summary())
    with pytest.raises(ValueError, match="for the log link; the link is identity"):
        bb.glm("y ~ x", d, exposure="x")
