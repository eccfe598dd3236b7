"""Figures by row: augment, influence for any likelihood, log-likelihood of rows; predictions of new responses."""

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.regression import linear

from .test_glm_against_r import CASES, GOLDEN, data_of, fitted, near

pytest.importorskip("formulaic")
LINEAR = [k for k in GOLDEN["cases"] if k.startswith("lm_")]


def fit(name):
    c = GOLDEN["cases"][name]
    if name in CASES:
        return c, fitted(name)[1]
    d, levels = data_of(c["data"])
    weighted = {"weights": "v", "weights_are": "variance"} if "weights = v" in c["call"] else {}
    return c, bb.glm(c["formula"], d, levels=levels, **weighted)


@pytest.mark.parametrize("name", LINEAR)
def test_intervals_of_linear_regression(name):
    c, r = fit(name)
    new = GOLDEN["new_rows"][c["new"]]
    p = r.predict(new)
    near(p.value, c["predict"]["fit"], 1e-10)
    near(p.se, c["predict"]["se"], 1e-10)
    near(p.conf_int(), np.array(c["predict"]["confidence"])[:, 1:], 1e-10)
    near(p.conf_int(interval="prediction"), np.array(c["predict"]["prediction"])[:, 1:], 1e-10)
    q = r.predict(new, interval="prediction")
    assert q.interval == "prediction"
    np.testing.assert_array_equal(q.conf_int(), p.conf_int(interval="prediction"))


def test_prediction_intervals_cover_new_responses():
    rng = np.random.default_rng(0)
    x, hit = np.linspace(0, 1, 12), []
    for _ in range(400):
        y = 1 + x + rng.normal(size=12)
        low, high = bb.glm("y ~ x", {"x": x, "y": y}).predict({"x": [2.0]}, interval="prediction").conf_int(0.8)[0]
        hit.append(low < 3 + rng.normal() < high)
    assert abs(np.mean(hit) - 0.8) < 0.06


def test_other_families_have_no_prediction_interval():
    r = fit("glm_poisson_log")[1]
    new = GOLDEN["new_rows"]["sim"]
    with pytest.raises(NotDefined, match="simulate"):
        r.predict(new, interval="prediction")
    with pytest.raises(NotDefined, match="simulate"):
        r.predict(new).conf_int(interval="prediction")
    with pytest.raises(ValueError, match="'confidence' or 'prediction'"):
        r.predict(new, interval="both")


def test_weights_of_new_responses():
    c, r = fit("lm_variance_weights")
    new = GOLDEN["new_rows"][c["new"]]
    one, four = (r.predict(new, weights=np.full(3, w)).conf_int(interval="prediction") for w in (1.0, 4.0))
    p = r.predict(new)
    t = np.diff(one, axis=1)[:, 0] / 2 / np.sqrt(p.se**2 + r.scale)
    np.testing.assert_allclose(np.diff(four, axis=1)[:, 0] / 2, t * np.sqrt(p.se**2 + r.scale / 4), rtol=1e-12)
    with pytest.raises(ValueError, match="weights"):
        r.predict(new, weights=[1.0, -1.0, 1.0])


def test_predicted_intervals_are_ordered_where_the_link_falls():
    d, _ = data_of("clotting")
    r = bb.glm("lot1 ~ log(u)", d, family="gamma")
    ends = r.predict(d).conf_int()
    assert (ends[:, 0] < r.fittedvalues).all()
    assert (ends[:, 1] > r.fittedvalues).all()


@pytest.mark.parametrize("name", [k for k, c in GOLDEN["cases"].items() if "influence" in c and "fitted" in c and (k in CASES or k in LINEAR)])  # fmt: skip
def test_augment_is_beside_r(name):
    c, r = fit(name)
    a = r.augment()
    d = data_of(c["data"])[0]
    for k in d:
        assert list(a[k]) == list(d[k])
    near(a["fitted"], c["fitted"], 1e-8)
    near(a["hat"], c["influence"]["hat"], 1e-7)
    near(a["cooks_distance"], c["influence"]["cooks"], 1e-7)
    right = c["residuals"].get("standardized_pearson", c["residuals"].get("standardized"))
    near(a["standardized_residuals"], right, 1e-7)


def test_augment_keeps_rows_and_names():
    d = {"y": [1.0, 3, 2, 5, 4, 9], "x": [0, 1, None, 3, 4, 5], "g": ["a", "b", "a", None, "b", "a"], "hat": [1] * 6}
    r = bb.glm("y ~ x", d)
    a = r.augment()
    assert np.isnan(a["fitted"]).tolist() == [False, False, True, False, False, False]
    assert a["g"].tolist() == d["g"]
    assert a["hat"].tolist() == [1] * 6
    assert np.isfinite(a[".hat"]).sum() == 5
    assert any("left out" in note for note in r.notes)
    assert "left out" in str(r.summary())
    x = np.array([0.0, 1, 2, 4])
    b = linear(np.column_stack([np.ones(4), x]), x**2, ["const", "x"]).augment()
    assert list(b) == ["const", "x", "y", "fitted", "residuals", "standardized_residuals", "hat", "cooks_distance"]


@pytest.mark.parametrize("name", ["lm_cars", "lm_sim", "lm_variance_weights"])
def test_dfbeta_is_the_fit_without_the_row(name):
    c, r = fit(name)
    dfbeta = r.influence()["dfbeta"]
    for case in c["deleted"]:
        near(r.coef - dfbeta[case["row"] - 1], case["coef"], 1e-9)


def student(p, d):
    z = (d["y"] - p.a - p.b * d["x"]) / p.s
    return -2.5 * np.log1p(z**2 / 4) - np.log(p.s)


def rows(n=400):
    rng = np.random.default_rng(2)
    x = rng.normal(size=n)
    return {"x": x, "y": 1 + 2 * x + rng.standard_t(4, n)}


PARAMS = {"a": bb.Real(), "b": bb.Real(), "s": bb.Positive()}


def test_influence_of_any_likelihood_is_near_the_fit_without_the_row():
    d = rows()
    r = bb.MLE(student, PARAMS).fit(d)
    found = r.influence()
    assert found["dfbeta"].shape == (400, 3)
    for k in (0, 7, int(np.argmax(found["cooks_distance"]))):
        less = bb.MLE(student, PARAMS).fit({n: np.delete(v, k) for n, v in d.items()})
        np.testing.assert_allclose(found["dfbeta"][k], r.coef - less.coef, atol=0.06 * r.se().max() * 0.2)
        moved = 0.5 * (r.u - less.u) @ r.objective.hessian(r.u) @ (r.u - less.u) * 2 / 3
        assert found["cooks_distance"][k] == pytest.approx(moved, rel=0.1, abs=1e-6)
    np.testing.assert_allclose(found["dfbeta"].sum(axis=0), 0.0, atol=1e-8)
    np.testing.assert_allclose(found["dfbetas"], found["dfbeta"] / r.se(), rtol=1e-12)
    assert r.loglik_rows().sum() == pytest.approx(r.loglik, rel=1e-12)
    a = r.augment()
    assert list(a) == ["x", "y", "loglik", "cooks_distance"]


def test_one_number_has_no_rows():
    r = bb.MLE(lambda p, d: np.sum(student(p, d)), PARAMS).fit(rows(50))
    for name in ("influence", "loglik_rows", "augment"):
        with pytest.raises(NotDefined, match="one number"):
            getattr(r, name)()


def test_frequency_weights_count_one_at_a_time():
    d = rows(30)
    w = np.tile([1.0, 2.0, 3.0], 10)
    one = bb.MLE(student, PARAMS).fit(d, weights=w)
    many = bb.MLE(student, PARAMS).fit({k: np.repeat(v, w.astype(int)) for k, v in d.items()})
    first = np.concatenate([[0], np.cumsum(w)[:-1]]).astype(int)
    for name in ("dfbeta", "cooks_distance"):
        np.testing.assert_allclose(one.influence()[name], many.influence()[name][first], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("family", ["gaussian", "gamma", "inverse-gaussian", "poisson", "negative-binomial", "beta"])
@pytest.mark.parametrize("weights", [None, "w"])
def test_rows_sum_to_the_loglikelihood(family, weights):
    d, levels = data_of("sim")
    y = {"gaussian": "y", "gamma": "cost", "inverse-gaussian": "wait", "poisson": "count", "negative-binomial": "over"}
    link = "log" if "ga" in family and family != "gaussian" else None
    r = bb.glm(f"{y.get(family, 'share')} ~ x1 + g", d, family, levels=levels, weights=weights, link=link)
    w = d["w"] if weights else 1.0
    assert np.sum(w * r.loglik_rows()) == pytest.approx(r.loglik, rel=1e-10)


def test_negative_binomial_rows_beside_r():
    c = GOLDEN["cases"]["nb_sim"]
    d, levels = data_of("sim")
    near(bb.glm(c["formula"], d, "negative-binomial", levels=levels).loglik_rows(), c["loglik_rows"], 1e-8)


def test_nonlinear_rows():
    x = np.linspace(1, 5, 30)
    y = 2 * np.exp(-0.5 * x) + np.random.default_rng(0).normal(size=30) * 0.05
    r = bb.nls(lambda p, d: p.a * np.exp(-p.b * d.x), {"a": 1.0, "b": 1.0}, {"x": x, "y": y})
    assert r.loglik_rows().sum() == pytest.approx(r.loglik, rel=1e-12)
    a = r.augment()
    assert a["hat"].sum() == pytest.approx(2)
    s = bb.nls(lambda p, d: p.a + p.b * d.x, {"a": 1.0, "b": 1.0}, {"x": x, "y": y}).augment()
    t = bb.glm("y ~ x", {"x": x, "y": y}).augment()
    for name in t:
        np.testing.assert_allclose(s[name], t[name], rtol=1e-6, atol=1e-9)
