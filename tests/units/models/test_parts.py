"""Models of several parts beside R: every figure of tests/golden/estimation.json that they have."""

import re

import numpy as np
import pytest

import bibun as bb

from .test_glm_against_r import GOLDEN, data_of, near

pytest.importorskip("formulaic")

KINDS = ("ordinal", "zeroinfl", "hurdle", "truncated", "tobit", "aft", "multinom", "beta")
CASES = {k: c for k, c in GOLDEN["cases"].items() if k.startswith(KINDS)}
R_FAMILIES = {"lognormal": "log-normal", "loglogistic": "log-logistic"}


def fitted(name, **options):
    c = CASES[name]
    d, levels = data_of(c["data"])
    d = {k.replace(".", "_"): v for k, v in d.items()}
    formula, _, other = c.get("formula", "").replace(".", "_").partition("|")
    given = re.search(r"weights = (\w+)", c["call"])
    if given:
        options = {"weights": given.group(1), **options}
    kind = name.split("_")[0]
    counts = "negative-binomial" if "negbin" in name else "poisson"
    if kind == "ordinal":
        return bb.ordinal(formula, d, c["link"], levels=levels, **options)
    if kind == "zeroinfl":
        return bb.zero_inflated(formula, d, "~" + other, counts, levels=levels, **options)
    if kind == "hurdle":
        return bb.hurdle(formula, d, "~" + other, counts, levels=levels, **options)
    if kind == "truncated":
        return bb.truncated("yt ~ x1 + x2", d, left=0, **options)
    if kind == "tobit":
        read = re.search(r"tobit\((.*?),", c["call"])
        formula = read.group(1) if read else "durable ~ age + quant"
        return bb.censored(formula, d, c["left"], c["right"], levels=levels, **options)
    if kind == "aft":
        event = re.search(r"Surv\(\w+, (\w+)\)", formula).group(1)
        formula = re.sub(r"Surv\((\w+), \w+\)", r"\1", formula)
        family = re.search(r'dist = "(\w+)"', c["call"]).group(1)
        return bb.survival(formula, d, event, R_FAMILIES.get(family, family), levels=levels, **options)
    if kind == "multinom":
        return bb.multinomial(formula, d, levels=levels, **options)
    return bb.beta_regression(formula, d, "~" + (other or "1"), levels=levels, **options)


def as_r(name, r):
    """The order of R's estimates in these, and the slope of R's by these: R has the logarithms of what is positive."""
    n = len(r.labels)
    of = np.arange(n)
    if name.startswith("ordinal"):
        m = len(r.model.loglik.levels) - 1
        of = np.r_[n - m : n, : n - m]
    log = np.isin(r.labels, ["theta", "sigma", "scale"])
    slope = np.where(log, 1 / r.coef, 1.0)

    def change(b, axis=0):
        b = np.moveaxis(np.asarray(b, float), axis, 0).copy()
        b[log] = np.log(b[log])
        return np.moveaxis(b, 0, axis)[of]

    return of, slope, change


@pytest.mark.parametrize("name", CASES)
def test_estimates(name):
    c, r = CASES[name], fitted(name)
    of, slope, change = as_r(name, r)
    assert r.converged, r.certificate
    near(change(r.coef), c["coef"], 1e-11)
    near([r.loglik, r.aic, r.bic], [c["loglik"], c["aic"], c["bic"]], 1e-12)
    assert (r.df_model, r.nobs) == (c["npar"], c["nobs"])

    def cov(kind, cluster=None, ssc=None):
        return (r.cov_params(kind, cluster, ssc) * np.outer(slope, slope))[np.ix_(of, of)]

    near(cov("observed"), c["vcov"], 1e-10)
    near(cov("opg"), c["vcov_opg"], 1e-10)
    if "weights" not in c["call"]:
        near(cov("sandwich"), c["vcov_sandwich"], 1e-10)
    else:
        again = fitted(name, weights_are="sampling")
        near((again.cov_params() * np.outer(slope, slope))[np.ix_(of, of)], c["vcov_sandwich"], 1e-10)
    if "vcov_cluster_HC0" in c:
        ids = np.array(GOLDEN["data"]["sim"]["columns"]["id"])
        near(cov("cluster", ids, "none"), c["vcov_cluster_HC0"], 1e-10)
    if "loglik_rows" in c:
        near(r.objective.rows(r.u), c["loglik_rows"], 1e-9)
    if name.startswith(("aft", "beta")):
        near(r.residuals(), c["residuals"]["response"], 1e-9)
    if "loglik_null" in c:
        near(r.null_loglik, c["loglik_null"], 1e-11)


@pytest.mark.parametrize("name", [k for k, c in CASES.items() if any("mean_" in n for n in c)])
def test_means_between_limits(name):
    c, r = CASES[name], fitted(name)
    (right,) = (v for k, v in c.items() if k.startswith("mean_"))
    p = r.predict()
    near(p.value[:3], right["estimate"], 1e-9)
    near(p.se[:3], right["se"], 1e-9)
    near([r.params["sigma"], r.bse["sigma"]], [c["more"]["sigma"], c["more"]["se_sigma"]], 1e-10)


@pytest.mark.parametrize("name", [k for k, c in CASES.items() if any("average_slope" in n for n in c)])
def test_average_slopes(name):
    c = CASES[name]
    right = c.get("average_slope_x1", c.get("average_slopes_x1"))
    s = fitted(name).avg_slopes("x1")
    near(s.value, right["estimate"], 1e-9)
    near(s.se, right["se"], 1e-9)
    near(s.conf_int(), np.stack([right["low"], right["high"]], axis=-1), 1e-8)


@pytest.mark.parametrize("name", CASES)
def test_profiles(name):
    c, r = CASES[name], fitted(name)
    _, _, change = as_r(name, r)
    near(change(r.conf_int(method="profile")), c["profile"], 1e-7)


def new_rows(c):
    return dict(GOLDEN["new_rows"][c["new"]])


@pytest.mark.parametrize("name", [k for k, c in CASES.items() if "new" in c])
def test_predictions(name):
    c, r = CASES[name], fitted(name)
    right, new = c["predict"], new_rows(c)
    if "probabilities" in right:
        p = r.predict(new)
        near(p.value, right["probabilities"], 1e-9)
        near(p.se, right["se"], 1e-9)
        np.testing.assert_allclose(p.value.sum(axis=1), 1.0, rtol=1e-14)
        if "low" in right:
            near(p.conf_int(), np.stack([right["low"], right["high"]], axis=-1), 1e-8)
    elif "quantile" in right:
        for what, at in (("linear", None), ("scale", None), ("quantile", right["quantiles"])):
            key = {"linear": "lp", "scale": "response"}.get(what, what)
            p = r.predict(new, what, at=at)
            near(p.value, right[key], 1e-10)
            near(p.se, right[key + "_se"], 1e-9)
        times = r.predict(new, "quantile", at=[0.1, 0.9]).value
        for k in range(3):
            row = {n: v[k : k + 1] for n, v in new.items()}
            np.testing.assert_allclose(r.predict(row, "survival", at=times[k]).value, [[0.9, 0.1]], rtol=1e-12)
    else:
        p = r.predict(new)
        near(p.value, right["response"], 1e-10)
        near(p.se, right["response_se"], 1e-9)
        near(r.predict(new, "zero" if name.startswith("zero") else "positive").value, right["zero"], 1e-10)
        near(r.predict(new, "probability", at=range(5)).value, right["probabilities_0_to_4"], 1e-9)
        near(r.fittedvalues, c["fitted"], 1e-10)


@pytest.mark.parametrize("name", [k for k, c in CASES.items() if "lr" in c])
def test_likelihood_ratios(name):
    c = CASES[name]
    r = fitted(name)
    kept = set(re.findall(r"\w+", c["lr"]["smaller"].split("~")[1].split("|")[0]))
    prefix = {"zeroinfl": "count:", "hurdle": "count:", "beta": "mean:"}.get(name.split("_")[0], "")
    gone = []
    for label in r.labels:
        if label in ("theta", "sigma", "scale") or "|" in label or label.endswith("Intercept"):
            continue
        if label.startswith(prefix) and label.split(":")[-1].split("[")[0] not in kept:
            gone.append(label)
    t = r.test(", ".join(f"{label} = 0" for label in gone), kind="lr")
    assert t.df == c["lr"]["df"]
    near([t.statistic, t.p_value], [c["lr"]["statistic"], c["lr"]["p"]], 1e-7)
