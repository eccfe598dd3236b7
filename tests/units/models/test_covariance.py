"""Covariances beside R's sandwich and survey: heteroskedastic, clustered of two ways, autocorrelated, three kinds of weights."""

import json
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.covariance import Covariance

pytest.importorskip("formulaic")

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "estimation.json").read_text(encoding="utf-8"))
SIM = {k: np.array(v, object if k in GOLDEN["data"]["sim"]["levels"] else float)
       for k, v in GOLDEN["data"]["sim"]["columns"].items()}  # fmt: skip
CASES = {"lm_sim": ("y ~ x1 + x2 + g", "gaussian"), "glm_poisson_log": ("count ~ x1 + x2 + g", "poisson"),
         "glm_binomial_logit": ("bin ~ x1 + x2 + g", "binomial")}  # fmt: skip


def near(found, right, rtol=1e-8):
    right = np.array(right, float)
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * np.abs(right).max())


@pytest.mark.parametrize("name", CASES)
def test_beside_r(name):
    r, robust = bb.glm(CASES[name][0], SIM, CASES[name][1]), GOLDEN["cases"][name]["robust"]
    near(r.cov_params("sandwich"), robust["HC0"])
    near(r.cov_params("sandwich", ssc="full"), robust["HC1"])
    near(r.cov_params("sandwich", ssc="HC2"), robust["HC2"])
    near(r.cov_params("sandwich", ssc="HC3"), robust["HC3"])
    one, two = robust["cluster_id"], robust["cluster_id_block"]
    near(r.cov_params("cluster", "id", ssc="none"), one["HC0_plain"])
    near(r.cov_params("cluster", SIM["id"]), one["HC0"])
    near(r.cov_params(cluster="id", ssc="full"), one["HC1"])
    near(r.cov_params("cluster", ["id", "block"], ssc="none"), two["HC0_plain"])
    near(r.cov_params("cluster", ["id", SIM["block"]]), two["HC0"])
    near(r.cov_params("hac", lags=3), robust["newey_west_lag3"])
    near(r.cov_params("hac", lags=3, ssc="full"), robust["newey_west_lag3_adjusted"])


def test_sampling_weights_are_svyglms():
    for name, (formula, family) in {
        "binomial": ("bin ~ x1 + x2 + g", "binomial"),
        "poisson": ("count ~ x1 + x2 + g", "poisson"),
        "gaussian": ("y ~ x1 + x2 + g", "gaussian"),
    }.items():
        c = GOLDEN["cases"]["weights_sampling"][name]
        r = bb.glm(formula, SIM, family, weights="v", weights_are="sampling")
        near(r.coef, c["coef"])
        assert r.cov.kind == "sandwich" and r.nobs == 120
        near(r.cov_params() * 120 / 119, c["vcov"])
    c = GOLDEN["cases"]["weights_sampling"]["binomial_clusters"]
    r = bb.glm("bin ~ x1 + x2 + g", SIM, "binomial", weights="v", weights_are="sampling", cluster="id")
    near(r.coef, c["coef"])
    near(r.cov_params(), c["vcov"])


def test_frequency_weights_are_repeated_rows():
    c = GOLDEN["cases"]["weights_frequency"]
    for family, response in (("poisson", "count"), ("gaussian", "y")):
        r = bb.glm(f"{response} ~ x1 + x2 + g", SIM, family, weights="w")
        near(r.coef, c[family]["coef"])
        near(r.se(), c[family]["se"])


def test_another_covariance_is_another_view_of_the_same_fit():
    r = bb.glm("count ~ x1 + x2 + g", SIM, "poisson")
    k = r.with_cov("cluster", "id", ssc="full")
    assert r.cov.kind == "observed" and k.coef is r.coef
    near(k.se(), np.sqrt(np.diag(r.cov_params("cluster", "id", ssc="full"))))
    near([t["std_error"] for t in k.tidy()], k.se())
    near(k.test("x1 = 0").statistic, (k.coef[1] / k.se()[1]) ** 2)
    said = str(k.summary())
    assert "clustered by id (24)" in said and "G/(G-1) (n-1)/(n-k) = 1.07977" in said
    assert "clustered" not in str(r.summary())
    near(bb.glm("count ~ x1 + x2 + g", SIM, "poisson", cluster="id").cov_params(), r.cov_params(cluster="id"))
    assert "HC3: scores over 1 - h" in str(r.with_cov("sandwich", ssc="HC3").summary())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (dict(kind="robust"), "one of observed"),
        (dict(kind="cluster"), "needs cluster="),
        (dict(kind="cluster", cluster="nobody"), "no data column 'nobody'"),
        (dict(kind="cluster", cluster=np.ones((3, 2, 2))), "one for each row"),
        (dict(kind="cluster", cluster=[1.0, np.nan, 2.0]), "missing in 1 rows"),
        (dict(kind="sandwich", cluster="id"), "kind='cluster'"),
        (dict(kind="hac"), "lags="),
        (dict(kind="hac", lags=-1), "0 or more"),
        (dict(kind="observed", ssc="full"), "one of none"),
        (dict(kind="sandwich", ssc="G"), "one of none, full"),
    ],
)
def test_what_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        Covariance.of(**arguments, data=SIM)


def test_what_a_likelihood_has_not():
    r = bb.MLE(lambda p, d: -0.5 * (d.y - p.mu) ** 2, {"mu": bb.Real()}).fit({"y": SIM["y"]})
    with pytest.raises(NotDefined, match="use kind='observed'"):
        r.cov_params("expected")
    with pytest.raises(NotDefined, match="regressions have"):
        r.cov_params("sandwich", ssc="HC3")
    with pytest.raises(ValueError, match="nothing to compare"):
        r.cov_params(cluster=np.zeros(120))
    with pytest.raises(ValueError, match="100 clusters for 120 rows"):
        r.cov_params(cluster=np.arange(100))
    whole = bb.MLE(lambda p, d: np.sum(-0.5 * (d.y - p.mu) ** 2), {"mu": bb.Real()}).fit({"y": SIM["y"]})
    with pytest.raises(NotDefined, match="one value a row"):
        whole.cov_params("opg")
