"""nls: what it refuses, what it returns beside R's nls and closed forms, and the traps of least squares."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.models.nls import nls

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/nls.json").read_text(encoding="utf-8"))
BOD = {"x": np.array([1.0, 2, 3, 5, 7, 10]), "y": np.array([109.0, 149, 149, 191, 213, 224])}


def saturating(p, d):
    return p.top * (1 - np.exp(-p.rate * d.x))


def michaelis(p, d):
    return p.top * d.conc / (p.half + d.conc)


def logistic(p, d):
    return p.top / (1 + np.exp((p.mid - d.age) / p.wide))


def bod():
    return nls(saturating, {"top": 100.0, "rate": 0.75}, BOD)


# --- beside R ---------------------------------------------------------------------------------------------------------

CASES = {
    "puromycin": (michaelis, {"top": 200.0, "half": 0.05}, "rate", "half = 0.05"),
    "weighted": (michaelis, {"top": 200.0, "half": 0.05}, "rate", "half = 0.05"),
    "orange": (logistic, {"top": 190.0, "mid": 700.0, "wide": 350.0}, "y", "mid = 700"),
}


@pytest.mark.parametrize("name", CASES)
def test_beside_r(name):
    # R's nls stops at a relative offset of 1e-8 and differentiates by differences
    g, (f, start, response, hypothesis) = GOLDEN[name], CASES[name]
    d = {k: np.array(v) for k, v in g["data"].items()}
    r = nls(f, start, d, d.get("w"), response=response)
    k = len(r.coef)
    np.testing.assert_allclose(r.coef, g["coef"], rtol=1e-8)
    np.testing.assert_allclose(r.se(), g["se"], rtol=1e-7)
    np.testing.assert_allclose([t["statistic"] for t in r.tidy()], g["t"], rtol=1e-7)
    np.testing.assert_allclose([t["p_value"] for t in r.tidy()], g["p"], rtol=1e-6)
    np.testing.assert_allclose(r.cov_params(), np.reshape(g["cov"], (k, k)), rtol=1e-7)
    for value, right in ((np.sqrt(r.scale), "sigma"), (r.loglik, "loglik"), (r.aic, "aic"), (r.bic, "bic")):
        assert value == pytest.approx(g[right], rel=1e-12)
    # R counts a row of weight 0 in these two, and not in sigma
    rows, counted = len(d[response]), r.nobs
    sandwich = np.reshape(g["sandwich"], (k, k)) * (rows / counted) ** 2
    np.testing.assert_allclose(r.cov_params("sandwich"), sandwich, rtol=1e-7)
    pearson = np.array(g["pearson"]) * np.sqrt((counted - k) / (rows - k))
    np.testing.assert_allclose(r.residuals("pearson"), pearson, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(r.conf_int(method="profile"), np.reshape(g["profile"], (-1, 2)), rtol=4e-3)
    test = r.test(hypothesis, kind="lr")
    assert test.statistic == pytest.approx(g["F"], rel=1e-7) and test.p_value == pytest.approx(g["F p"], rel=1e-7)


# --- closed forms -----------------------------------------------------------------------------------------------------


def test_a_linear_mean_is_linear_regression():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(30), rng.normal(size=(30, 2))])
    w = rng.uniform(0.5, 2, 30)
    y = X @ [1.0, 2.0, -1.0] + rng.normal(size=30) / np.sqrt(w)
    r = nls(lambda p, d: d.X @ p.b, {"b": np.zeros(3)}, {"X": X, "y": y}, w)
    A = X.T * w @ X
    b = np.linalg.solve(A, X.T @ (w * y))
    s2 = np.sum(w * (y - X @ b) ** 2) / 27
    np.testing.assert_allclose(r.params["b"], b, rtol=1e-12)
    np.testing.assert_allclose(r.cov_params(), s2 * np.linalg.inv(A), rtol=1e-10)
    np.testing.assert_allclose(r.cov_params("observed"), r.cov_params(), rtol=1e-10)
    np.testing.assert_allclose(r.conf_int(method="profile"), r.conf_int(), rtol=1e-9)
    new = rng.normal(size=(4, 3))
    mean, variance = new @ b, np.sum(new @ np.linalg.inv(A) * new, axis=1)
    p, t = r.predict({"X": new}), r._quantile(0.9)
    np.testing.assert_allclose(p.value, mean, rtol=1e-12)
    np.testing.assert_allclose(p.conf_int(0.9)[:, 1], mean + t * np.sqrt(s2 * variance), rtol=1e-10)
    above = p.conf_int(0.9, interval="prediction")[:, 1]
    np.testing.assert_allclose(above, mean + t * np.sqrt(s2 * (1 + variance)), rtol=1e-10)
    weighed = r.predict({"X": new}, weights=np.full(4, 4.0)).conf_int(0.9, interval="prediction")[:, 1]
    np.testing.assert_allclose(weighed, mean + t * np.sqrt(s2 * (0.25 + variance)), rtol=1e-10)


def test_observed_information_has_the_curvature():
    r = bod()
    half = bb.hessian(lambda b: np.sum((BOD["y"] - b[0] * (1 - np.exp(-b[1] * BOD["x"]))) ** 2) / 2)(r.coef)
    np.testing.assert_allclose(r.cov_params("observed"), r.scale * np.linalg.inv(half), rtol=1e-9)
    assert not np.allclose(r.cov_params("observed"), r.cov_params(), rtol=1e-2)


def test_what_a_result_tells():
    r = bod()
    assert r.df_resid == 4 and r.df_model == 3 and r.nobs == 6 and r.glance()["residual_se"] == np.sqrt(r.scale)
    mean = r.predict().value
    np.testing.assert_allclose(r.residuals(), BOD["y"] - mean)
    np.testing.assert_allclose(r.residuals("deviance"), r.residuals())
    text = str(r.summary())
    assert "Nonlinear regression" in text and "17.088072 on 4 degrees of freedom" in text and "P>|t|" in text
    wald, lr = r.test("rate = 0.5"), r.test("rate = 0.5", kind="lr")
    assert wald.name == "F test" and wald.statistic == pytest.approx(((r.coef[1] - 0.5) / r.se()[1]) ** 2)
    fixed = nls(saturating, {"top": 200.0, "rate": bb.Fixed(0.5)}, BOD)
    assert lr.statistic == pytest.approx((fixed.rss - r.rss) / r.scale, rel=1e-8)
    assert r.compare(fixed).lr.df == 1
    assert r.delta(lambda p: p.top * p.rate).se.shape == ()


def test_weights_of_zero_leave_rows_out():
    w = np.array([1.0, 1, 0, 2, 1, 1])
    keep = w > 0
    r = nls(saturating, {"top": 100.0, "rate": 0.75}, BOD, w)
    s = nls(saturating, {"top": 100.0, "rate": 0.75}, {k: v[keep] for k, v in BOD.items()}, w[keep])
    np.testing.assert_allclose(r.coef, s.coef, rtol=1e-12)
    np.testing.assert_allclose(r.se(), s.se(), rtol=1e-12)
    assert (r.loglik, r.bic, r.df_resid) == (pytest.approx(s.loglik), pytest.approx(s.bic), s.df_resid)


# --- parameters and data ----------------------------------------------------------------------------------------------


def test_domains_change_the_scale_of_wald_intervals_only():
    r = bod()
    s = nls(saturating, {"top": bb.Positive(start=100.0), "rate": bb.Interval(0, 5, start=0.75)}, BOD)
    np.testing.assert_allclose(s.coef, r.coef, rtol=1e-12)
    np.testing.assert_allclose(s.se(), r.se(), rtol=1e-10)
    np.testing.assert_allclose(s.conf_int(method="profile"), r.conf_int(method="profile"), rtol=1e-9)
    assert (s.conf_int()[1] > 0).all() and not np.allclose(s.conf_int(), r.conf_int(), rtol=1e-3)


def test_a_frame_another_response_and_array_parameters():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"dose": BOD["x"], "uptake": BOD["y"]})
    r = nls(lambda p, d: p.b[0] * (1 - np.exp(-p.b[1] * d.dose)), {"b": [100.0, 0.75]}, frame, response="uptake")
    assert r.labels == ["b[0]", "b[1]"]
    np.testing.assert_allclose(r.coef, bod().coef, rtol=1e-12)


def test_units_change_nothing_but_their_own_parameter():
    r, names = bod(), ("top", "rate")
    for scale in (1e-6, 1e6):
        s = nls(saturating, {"top": 100.0, "rate": 0.75 / scale}, {"x": BOD["x"] * scale, "y": BOD["y"]})
        assert s.rss == pytest.approx(r.rss, rel=1e-12) and s.search.nit == r.search.nit
        z = [[f.params[n] / f.bse[n] for n in names] for f in (r, s)]
        np.testing.assert_allclose(z[0], z[1], rtol=1e-10)


def test_many_rows_are_compiled_to_the_same():
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 5, 6000)
    y = 3 * np.exp(-1.2 * x) + 0.5 + rng.normal(size=6000) * 0.1

    def mean(p, d):
        return p.a * np.exp(-p.b * d.x) + p.c

    start = {"a": 1.0, "b": 1.0, "c": 0.0}
    r = nls(mean, start, {"x": x, "y": y})
    s = nls(mean, start, {"x": x, "y": y, "name": np.full(6000, "a")})  # text: not compiled
    assert r.objective.squares.jacobian.pays(*r.objective.arguments) and not s.objective.arguments
    np.testing.assert_allclose(r.coef, s.coef, rtol=1e-11)
    np.testing.assert_allclose(r.se(), s.se(), rtol=1e-11)
    assert r.converged


def test_pickles():
    r = bod()
    s = pickle.loads(pickle.dumps(r))
    np.testing.assert_array_equal(s.conf_int(method="profile"), r.conf_int(method="profile"))


# --- traps ------------------------------------------------------------------------------------------------------------


def test_combinations_that_are_not_identified_are_named():
    r = nls(lambda p, d: p.a * p.b * np.exp(-p.c * d.x), {"a": 10.0, "b": 20.0, "c": 0.1}, BOD)
    assert not r.converged and any("identified: 0.5 a − b" in s for s in r.certificate.problems)
    assert np.isnan(r.bse["a"]) and np.isnan(r.bse["b"]) and np.isfinite(r.bse["c"])
    assert np.isfinite(r.predict().se).all()  # the mean is determined all the same
    assert np.isnan(r.conf_int(method="profile")[0]).all() and np.isfinite(r.conf_int(method="profile", parm="c")).all()


def test_a_parameter_without_effect():
    r = nls(lambda p, d: p.a + 0 * p.b * d.x, {"a": 1.0, "b": 1.0}, BOD)
    assert r.params["a"] == pytest.approx(BOD["y"].mean()) and np.isnan(r.bse["b"]) and not r.converged


@pytest.mark.parametrize("start", [-0.1, -0.01])
def test_overflow_on_the_way_is_backed_away_from(start):
    x = np.linspace(0, 1e5, 40)
    d = {"x": x, "y": np.exp(1e-4 * x) + np.cos(x)}
    r = nls(lambda p, d: np.exp(p.b * d.x), {"b": start}, d)
    assert r.converged and r.params["b"] == pytest.approx(1e-4, rel=1e-5)
    assert "not finite at" in r.search.message


def test_an_exact_fit():
    d = {"x": BOD["x"], "y": 2.0 * (1 - np.exp(-0.5 * BOD["x"]))}
    r = nls(saturating, {"top": 1.0, "rate": 1.0}, d)
    np.testing.assert_allclose(r.coef, [2.0, 0.5], rtol=1e-14)
    assert r.converged and (r.se() < 1e-13).all()
    np.testing.assert_allclose(r.conf_int(method="profile"), r.conf_int(), rtol=1e-13)
    zero = nls(lambda p, d: p.a * d.x, {"a": 1.0}, {"x": BOD["x"], "y": 2 * BOD["x"]})
    assert zero.rss == 0 and zero.converged and zero.conf_int(method="profile").tolist() == [[2.0, 2.0]]


def test_as_many_rows_as_parameters():
    r = nls(saturating, {"top": 100.0, "rate": 0.75}, {k: v[[0, 5]] for k, v in BOD.items()})
    assert r.rss < 1e-20 and np.isnan(r.se()).all() and np.isnan(r.conf_int(method="profile")).all()
    assert "–" in str(r.summary())


def test_another_minimum_met_on_the_way_of_a_profile_is_told():
    x = np.linspace(0, 10, 60)
    d = {"x": x, "y": np.sin(1.5 * x)}
    r = nls(lambda p, d: np.sin(p.w * d.x), {"w": 3.0}, d)
    with pytest.raises(ArithmeticError, match=r"the log-likelihood is higher.*w = \d.*fit again from there"):
        for level in (0.5, 0.9, 0.99, 0.9999, 1 - 1e-9):
            r.conf_int(level, method="profile")


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (ValueError, r"shape \(\) and the response 'y' \(6,\)", lambda: nls(lambda p, d: p.a, {"a": 1.0}, BOD)),
        (ValueError, r"shape \(2,\).*one value for each row", lambda: nls(lambda p, d: p.a + d.x[:2], {"a": 1.0}, BOD)),
        (TypeError, "returned None", lambda: nls(lambda p, d: None, {"a": 1.0}, BOD)),
        (AttributeError, "no parameter 'b'; there are a", lambda: nls(lambda p, d: p.b * d.x, {"a": 1.0}, BOD)),
        (AttributeError, "no data column 'z'", lambda: nls(lambda p, d: p.a * d.z, {"a": 1.0}, BOD)),
        (ValueError, "no data column 'z'; there are x, y", lambda: nls(saturating, {"a": 1.0}, BOD, response="z")),
        (ValueError, "6 rows for 7 parameters", lambda: nls(lambda p, d: p.a[:6], {"a": np.ones(7)}, BOD)),
        (ValueError, "start of 'a' is nan", lambda: nls(lambda p, d: p.a * d.x, {"a": np.nan}, BOD)),
        (TypeError, "start of 'a' is 'one'", lambda: nls(lambda p, d: p.a * d.x, {"a": "one"}, BOD)),
        (TypeError, "start is a dict", lambda: nls(lambda p, d: p * d.x, [1.0], BOD)),
        (ValueError, "Fixed", lambda: nls(lambda p, d: p.a * d.x, {"a": bb.Fixed(1.0)}, BOD)),
        (TypeError, "f is a function", lambda: nls(3, {"a": 1.0}, BOD)),
        (TypeError, "data is a dict", lambda: nls(saturating, {"a": 1.0}, BOD["x"])),
        (ValueError, r"mean is inf at the start \(a = 1\).*row 0", lambda: nls(lambda p, d: p.a / (d.x - 1), {"a": 1.0}, BOD)),
        (ValueError, "weights of shape", lambda: nls(saturating, {"top": 1.0, "rate": 1.0}, BOD, np.ones(5))),
        (ValueError, "weights of shape", lambda: nls(saturating, {"top": 1.0, "rate": 1.0}, BOD, -np.ones(6))),
        (ValueError, "interval='both'", lambda: bod().predict().conf_int(interval="both")),
        (ValueError, "kind='odd'", lambda: bod().residuals("odd")),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_refusals(error, words, call):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(("column", "rows"), [("y", [1, 4]), ("x", [2])])
def test_rows_with_missing_values_are_named(column, rows):
    d = {k: v.copy() for k, v in BOD.items()}
    d[column][rows] = np.nan
    with pytest.raises(ValueError, match=rf"'{column}' .* in rows? {', '.join(map(str, rows))} .*leave such rows out"):
        nls(saturating, {"top": 100.0, "rate": 0.75}, d)
