"""Ordinal regression: links R has no figures of here, the order of grades, separation, new rows."""

import numpy as np
import pytest

import bibun as bb

pytest.importorskip("formulaic")


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 200))
    return {"y": np.digitize(x + rng.logistic(size=200), [-1, 0, 1.0]), "x": x, "z": z}


def test_loglog_is_cloglog_from_the_other_end(data):
    a = bb.ordinal("y ~ x + z", data, "loglog")
    b = bb.ordinal("y ~ x + z", {**data, "y": 3 - data["y"]}, "cloglog")
    np.testing.assert_allclose(a.loglik, b.loglik, rtol=1e-12)
    np.testing.assert_allclose(a.coef, -b.coef[[0, 1, 4, 3, 2]], rtol=1e-8)


def test_two_grades_are_binomial_regression(data):
    d = {**data, "y": (data["y"] > 1) * 1}
    for link in ("logit", "probit", "cauchit"):
        a, b = bb.ordinal("y ~ x + z", d, link), bb.glm("y ~ x + z", d, "binomial", link=link)
        np.testing.assert_allclose(a.coef, [b.coef[1], b.coef[2], -b.coef[0]], rtol=1e-8)
        np.testing.assert_allclose([a.loglik, a.null_loglik], [b.loglik, b.null_loglik], rtol=1e-12)


def test_the_order_of_grades_is_never_guessed(data):
    d = {**data, "y": np.array(list("wxyz"), object)[data["y"]]}
    with pytest.raises(ValueError, match="the order of `y` is not known"):
        bb.ordinal("y ~ x", d)
    r = bb.ordinal("y ~ x", d, levels={"y": list("zyxw")})
    assert r.labels == ["x", "z|y", "y|x", "x|w"]
    np.testing.assert_allclose(r.coef[0], -bb.ordinal("y ~ x", data).coef[0], rtol=1e-8)
    with pytest.raises(ValueError, match="no row has 'm' of `y`"):
        bb.ordinal("y ~ x", d, levels={"y": list("wxmyz")})


def test_thresholds_stand_in_place_of_the_intercept(data):
    for formula in ("y ~ 0 + x", "y ~ x + one", "y ~ a + b"):
        d = {**data, "one": np.ones(200), "a": data["x"] > 0, "b": 1.0 * (data["x"] <= 0)}
        with pytest.raises(ValueError, match="in whose place stand the thresholds"):
            bb.ordinal(formula, {k: np.asarray(v, float) for k, v in d.items()})
    r = bb.ordinal("y ~ 1", data)
    np.testing.assert_allclose(r.loglik, r.null_loglik, rtol=1e-12)


def test_separation_is_named(data):
    top = bb.ordinal("y ~ x + b", {**data, "b": 1.0 * (data["y"] == 3)})
    assert not top.converged
    assert "b runs to +inf" in top.certificate.problems[0]
    assert np.isfinite(top.bse["x"])
    assert np.isnan(top.bse["b"])
    whole = bb.ordinal("y ~ x + z", {**data, "y": np.digitize(data["x"], [-0.5, 0.5])})
    assert "x runs to +inf" in whole.certificate.problems[0]
    collinear = bb.ordinal("y ~ x + u", {**data, "u": 2 * data["x"]})
    assert "u = 2 x" in collinear.certificate.problems[0]
    seen, not_seen = collinear.predict({"x": [1.0, 1.0], "u": [2.0, 1.0]}).se
    assert np.isfinite(seen).all()
    assert np.isnan(not_seen).all()


def test_units_change_nothing_but_their_own_coefficient(data):
    a, b = bb.ordinal("y ~ x", data), bb.ordinal("y ~ x", {**data, "x": 1e6 * data["x"]})
    np.testing.assert_allclose(b.loglik, a.loglik, rtol=1e-13)
    np.testing.assert_allclose(b.coef / b.se(), a.coef / a.se(), rtol=1e-8)


def test_quantile_residuals_and_draws(data):
    r = bb.ordinal("y ~ x", data)
    assert abs(np.mean(r.residuals("quantile"))) < 0.1
    drawn = r.simulate(1, times=400)
    share = np.stack([(drawn == k).mean(axis=0) for k in range(4)], axis=1)
    assert np.abs(share - r.fittedvalues).max() < 0.12
