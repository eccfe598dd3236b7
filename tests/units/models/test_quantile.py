"""Quantile regression beside quantreg, and against its definition."""

import json
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "estimation.json").read_text(encoding="utf-8"))
CASES = [(k, t) for k, c in GOLDEN["cases"].items() if k.startswith("rq_") for t in c["taus"]]


def data_of(name):
    d = GOLDEN["data"][name]
    return {k: np.array(v, object if k in d["levels"] else float) for k, v in d["columns"].items()}


def near(found, right, rtol=1e-9):
    right = np.array(right, float)
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * max(np.abs(right).max(), 1e-3))


@pytest.mark.parametrize(("name", "t"), CASES, ids=[f"{k}-{t['tau']}" for k, t in CASES])
def test_as_quantreg(name, t):
    c = GOLDEN["cases"][name]
    formula = c["formula"].replace("Acid.Conc.", "`Acid.Conc.`")
    r = bb.quantile_regression(formula, data_of(c["data"]), t["tau"])
    assert r.unique == t["unique"]
    near(r.coef, t["coef"])
    near([r.objective, r.loglik, r.aic], [t["objective"], t["loglik"], t["aic"]])
    near(r.bic, r.aic + len(r.coef) * (np.log(r.nobs) - 2))
    near(r.cov_params("iid"), t["iid"]["vcov"], 1e-8)
    near(r.cov_params("nid"), t["nid"]["vcov"], 1e-6)  # R takes 1.5e-8 from every difference of quantiles
    if t["predict"]:
        new = {k: np.array(v) for k, v in GOLDEN["new_rows"][c["new"]].items() if k in ("x1", "x2")}
        near(r.predict(new).value, t["predict"])


def some(n=60, seed=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "z": rng.uniform(size=n), "y": 1 + x + (1 + 0.3 * x) * rng.standard_t(4, size=n),
            "w": rng.integers(0, 4, n).astype(float)}  # fmt: skip


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.85])
def test_nothing_near_is_better(tau):
    d = some()
    r = bb.quantile_regression("y ~ x + z", d, tau)
    X = np.column_stack([np.ones(60), d["x"], d["z"]])

    def cost(b):
        e = d["y"] - X @ b
        return np.sum(e * (tau - (e < 0)))

    assert r.objective == pytest.approx(cost(r.coef))
    for step in np.random.default_rng(0).normal(size=(300, 3)) * 1e-3:
        assert cost(r.coef + step) >= r.objective - 1e-12
    near((d["y"] - X @ r.coef)[r.interpolated], np.zeros(3), 1e-9)
    share = np.sum(r.residuals() < -1e-9) / 60
    assert share <= tau <= share + 3 / 60


def test_without_columns_it_is_the_quantile():
    d = some()
    r = bb.quantile_regression("y ~ 1", d, 0.3)
    assert r.coef[0] in d["y"]
    assert r.coef[0] == np.quantile(d["y"], 0.3, method="inverted_cdf")
    even = bb.quantile_regression("y ~ 1", {"y": [1.0, 2.0, 4.0, 8.0]}, 0.5)
    assert not even.unique and "as good" in str(even._head())
    assert bb.quantile_regression("y ~ 1", {"y": [1.0, 2.0, 2.0, 2.0, 4.0, 8.0]}, 0.5).unique


def test_weights_are_rows():
    d = some()
    many = {k: np.repeat(v, d["w"].astype(int)) for k, v in d.items()}
    a, b = bb.quantile_regression("y ~ x + z", d, 0.4, weights="w"), bb.quantile_regression("y ~ x + z", many, 0.4)
    near(a.coef, b.coef)
    assert a.nobs == b.nobs and a.objective == pytest.approx(b.objective)
    for kind in ("iid", "nid"):
        near(a.se(kind), b.se(kind), 1e-8)


def test_units_do_not_matter():
    d = some()
    a = bb.quantile_regression("y ~ x + z", d, 0.4)
    b = bb.quantile_regression("y ~ x + z", {**d, "x": 1e6 * d["x"], "y": 1e-5 * d["y"]}, 0.4)
    near(b.coef * [1e5, 1e11, 1e5], a.coef, 1e-8)
    near(b.se("iid") * [1e5, 1e11, 1e5], a.se("iid"), 1e-7)
    near(b.se("nid") * [1e5, 1e11, 1e5], a.se("nid"), 1e-7)


def test_offset_and_new_rows():
    d = some()
    a = bb.quantile_regression("y ~ x", {**d, "y": d["y"] - d["z"]})
    for r in (bb.quantile_regression("y ~ x + offset(z)", d), bb.quantile_regression("y ~ x", d, offset="z")):
        near(r.coef, a.coef)
        near(r.residuals(), a.residuals())
        near(r.fittedvalues, a.fittedvalues + d["z"])
    p = bb.quantile_regression("y ~ x + offset(z)", d).predict({"x": [0.0, np.nan], "z": [1.0, 1.0]})
    assert p.value[0] == pytest.approx(a.params["Intercept"] + 1) and np.isnan(p.value[1])


def test_what_follows_from_a_fit():
    d = some()
    r = bb.quantile_regression("y ~ x + z", d, 0.5, kind="iid")
    assert list(r.params) == ["Intercept", "x", "z"]
    near(list(r.bse.values()), r.se("iid"))
    low, high = r.conf_int().T
    assert (low < r.coef).all() and (r.coef < high).all()
    t = r.test("x = 0")
    assert t.statistic == pytest.approx((r.coef[1] / r.se()[1]) ** 2)
    assert r.tidy()[1]["p_value"] == pytest.approx(t.p_value)
    e = r.delta(lambda p: p["x"] / p["Intercept"])
    assert e.se > 0
    assert "0.5 quantile" in str(r.summary()) and r.glance()["tau"] == 0.5
    near(r.predict().value, r.fittedvalues)


def test_refused_with_a_reason():
    d = some()
    with pytest.raises(ValueError, match="tau"):
        bb.quantile_regression("y ~ x", d, 1.0)
    with pytest.raises(ValueError, match="independent"):
        bb.quantile_regression("y ~ x + x2", {**d, "x2": 2 * d["x"]})
    with pytest.raises(ValueError, match="whole numbers"):
        bb.quantile_regression("y ~ x", d, weights=d["z"])
    r = bb.quantile_regression("y ~ x", d)
    with pytest.raises(NotDefined, match="nid"):
        r.se("sandwich")
    with pytest.raises(NotDefined):
        r.simulate(1)
    with pytest.raises(NotDefined):
        r.predict().conf_int(interval="prediction")
