"""Robust regression beside MASS, by its own equations; Student's t as a likelihood."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "estimation.json").read_text(encoding="utf-8"))
CASES = {k: c for k, c in GOLDEN["cases"].items() if k.startswith("rlm_")}


def data_of(name):
    d = GOLDEN["data"][name]
    return {k: np.array(v, object if k in d["levels"] else float) for k, v in d["columns"].items()}


def near(found, right, rtol=1e-9):
    right = np.array(right, float)
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * max(np.abs(right).max(), 1e-3))


@pytest.mark.parametrize("name", list(CASES))
def test_as_rlm(name):
    c = CASES[name]
    formula = c["formula"].replace("Acid.Conc.", "`Acid.Conc.`")
    k = re.search(r"k = (\d)", c["call"])
    r = bb.robust_regression(
        formula,
        data_of(c["data"]),
        "bisquare" if "bisquare" in c["call"] else "huber",
        k=float(k.group(1)) if k else None,
        scale="proposal2" if "proposal" in c["call"] else "mad",
    )
    assert r.converged
    near(r.coef, c["coef"])
    near(r.scale, c["scale"])
    near(r.cov_params(), c["vcov"], 1e-8)
    near(r.se(), c["se"], 1e-8)
    near(r.weights, c["weights"], 1e-8)
    near(r.fittedvalues, c["fitted"])
    assert r.df_resid == c["df_residual"]
    near([t["statistic"] for t in r.tidy()], c["statistic"], 1e-8)


def some(n=60, seed=5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "z": rng.uniform(size=n), "y": 1 + x + rng.standard_t(2, size=n),
            "w": rng.integers(0, 4, n).astype(float)}  # fmt: skip


@pytest.mark.parametrize("loss", ["huber", "bisquare"])
@pytest.mark.parametrize("scale", ["mad", "proposal2"])
def test_equations_hold(loss, scale):
    d = some()
    r = bb.robust_regression("y ~ x + z", d, loss, scale=scale)
    X = np.column_stack([np.ones(60), d["x"], d["z"]])
    u = (d["y"] - X @ r.coef) / r.scale
    psi = (
        np.clip(u, -1.345, 1.345)
        if loss == "huber"
        else np.where(np.abs(u) < 4.685, u * (1 - (u / 4.685) ** 2) ** 2, 0)
    )
    near(X.T @ psi, np.zeros(3), 1e-8)
    if scale == "mad":
        assert r.scale == pytest.approx(np.median(np.abs(d["y"] - X @ r.coef)) / 0.6745)


@pytest.mark.parametrize("scale", ["mad", "proposal2"])
@pytest.mark.parametrize("loss", ["huber", "bisquare"])
def test_weights_are_rows(loss, scale):
    d = some()
    many = {k: np.repeat(v, d["w"].astype(int)) for k, v in d.items()}
    a = bb.robust_regression("y ~ x + z", d, loss, scale=scale, weights="w")
    b = bb.robust_regression("y ~ x + z", many, loss, scale=scale)
    near(a.coef, b.coef)
    near(a.scale, b.scale)
    for kind in ("huber", "sandwich"):
        near(a.cov_params(kind), b.cov_params(kind), 1e-8)
    assert a.nobs == b.nobs


def test_units_do_not_matter():
    d = some()
    a = bb.robust_regression("y ~ x + z", d)
    b = bb.robust_regression("y ~ x + z", {**d, "x": 1e6 * d["x"], "y": 1e-5 * d["y"]})
    near(b.coef * [1e5, 1e11, 1e5], a.coef, 1e-9)
    near(b.se() * [1e5, 1e11, 1e5], a.se(), 1e-9)


def test_a_row_far_away_counts_little_or_not():
    d = some()
    d["y"] = d["y"].copy()
    d["y"][7] = 1e6
    assert bb.robust_regression("y ~ x", d, "bisquare").weights[7] == 0
    far = bb.robust_regression("y ~ x", d)
    d["y"][7] = 1e9
    near(far.coef, bb.robust_regression("y ~ x", d).coef, 1e-9)
    assert 0 < far.weights[7] < 1e-4


def test_sandwich_and_influence_are_of_the_estimating_equations():
    d = some()
    r = bb.robust_regression("y ~ x", d)
    dfbeta = r.influence()["dfbeta"]
    near(dfbeta.T @ dfbeta, r.cov_params("sandwich"), 1e-9)


def test_large_k_is_least_squares():
    d = some()
    a, b = bb.robust_regression("y ~ x + z", d, k=1e6), bb.glm("y ~ x + z", d)
    near(a.coef, b.coef)
    near(a.se(), b.se(), 1e-9)


def test_refused_with_a_reason():
    d = some()
    with pytest.raises(ValueError, match="loss="):
        bb.robust_regression("y ~ x", d, "other")
    with pytest.raises(ValueError, match="k="):
        bb.robust_regression("y ~ x", d, k=-1)
    with pytest.raises(ValueError, match="fitted exactly"):
        bb.robust_regression("y ~ x", {"x": np.arange(9.0), "y": np.where(np.arange(9) == 4, 7.0, 0.0)}, start=[0, 0])
    r = bb.robust_regression("y ~ x", d)
    with pytest.raises(NotDefined, match="logpdf"):
        _ = r.loglik
    with pytest.raises(NotDefined, match="huber"):
        r.se("observed")
    short = bb.robust_regression("y ~ x", d, maxiter=1)
    assert not short.converged and "not converged" in str(short.summary())
    assert "huber loss" in str(r.summary()) and r.glance()["scale"] == r.scale


# --- Student's t: a likelihood ----------------------------------------------------------------------------------------


def student_rows(p, d):
    return bb.stats.t.logpdf(d.y, p.get("df", 4.0), d.X @ p.b, p.s)


@pytest.mark.parametrize("name", ["student_t_4", "student_t_free"])
def test_student_t_regression(name):
    c, d = GOLDEN["cases"][name], data_of("sim")
    X = np.column_stack([np.ones(120), d["x1"], d["x2"], d["g"] == "b", d["g"] == "c"]).astype(float)
    params = {"b": bb.Real(names=c["names"][:5]), "s": bb.Positive()}
    if name == "student_t_free":
        params["df"] = bb.Positive(start=5.0)
    r = bb.MLE(student_rows, params).fit({"X": X, "y": d["heavy"], "id": d["id"]})
    assert r.converged
    shown = np.concatenate([r.params["b"], np.log(r.coef[5:])])
    near(shown, c["coef"])
    J = np.diag([1.0] * 5 + list(1 / r.coef[5:]))
    near(J @ r.cov_params() @ J, c["vcov"], 1e-8)
    near(J @ r.cov_params("opg") @ J, c["vcov_opg"], 1e-8)
    near(J @ r.cov_params("sandwich") @ J, c["vcov_sandwich"], 1e-8)
    near(J @ r.cov_params("cluster", "id", ssc="none") @ J, c["vcov_cluster_HC0"], 1e-8)
    near([r.loglik, r.aic, r.bic], [c["loglik"], c["aic"], c["bic"]])
    near(r.loglik_rows(), c["loglik_rows"])
    ends = r.conf_int(method="profile")
    ends[5:] = np.log(ends[5:])
    near(ends, c["profile"], 1e-7)
