"""Censored and truncated normal regression: limits by row, predictions by simulation, what has no maximum."""

import numpy as np
import pytest

import bibun as bb

pytest.importorskip("formulaic")


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=400)
    return {"t": 0.5 + x + rng.normal(size=400), "x": x, "low": rng.uniform(-1, 0, 400), "high": rng.uniform(1, 2, 400)}


def test_limits_that_nobody_reaches_are_no_limits(data):
    a, b = bb.censored("t ~ x", data, -100, 100), bb.glm("t ~ x", data)
    np.testing.assert_allclose(a.coef[:2], b.coef, rtol=1e-9)
    np.testing.assert_allclose(a.coef[2] ** 2 * 400, b.scale * b.df_resid, rtol=1e-8)
    np.testing.assert_allclose(a.loglik, b.loglik, rtol=1e-11)
    np.testing.assert_allclose(a.null_loglik, bb.glm("t ~ 1", data).loglik, rtol=1e-11)


def test_limits_by_row(data):
    d = {**data, "y": np.clip(data["t"], data["low"], data["high"])}
    r = bb.censored("y ~ x", d, "low", "high")
    assert r.converged
    assert np.all(np.abs(r.coef - [0.5, 1, 1]) < 4 * r.se())
    p = r.predict({"x": [0.3], "low": [-0.5], "high": [1.0]})
    drawn = np.clip(r.coef[0] + 0.3 * r.coef[1] + r.coef[2] * np.random.default_rng(1).normal(size=400_000), -0.5, 1.0)
    assert abs(p.value[0] - drawn.mean()) < 0.005
    assert r.predict(what="seen").value.shape == (400,)


def test_the_mean_of_what_is_not_cut_off(data):
    keep = (data["t"] > 0) & (data["t"] < 3)
    d = {k: v[keep] for k, v in data.items()}
    r = bb.truncated("t ~ x", d, 0, 3)
    drawn = r.coef[0] + r.coef[1] + r.coef[2] * np.random.default_rng(1).normal(size=800_000)
    seen = (drawn > 0) & (drawn < 3)
    new = {"x": [1.0]}
    assert abs(r.predict(new).value[0] - drawn[seen].mean()) < 0.005
    assert abs(r.predict(new, "seen").value[0] - seen.mean()) < 0.005
    assert abs(np.std(r.residuals("quantile")) - 1) < 0.1
    with pytest.raises(ValueError, match="beyond a limit"):
        bb.truncated("t ~ x", data, 0)


def test_what_has_no_maximum_is_named(data):
    perfect = bb.censored("y ~ x", {"y": np.maximum(1 + data["x"], 0), "x": data["x"]})
    assert "log(sigma) runs to -inf" in perfect.certificate.problems[0]
    group = 1.0 * (np.arange(400) < 50)
    d = {"y": np.where(group > 0, 0, np.maximum(data["t"], 0)), "x": data["x"], "b": group}
    assert "b runs to -inf" in bb.censored("y ~ x + b", d).certificate.problems[0]
    with pytest.raises(ValueError, match="at a limit in every row"):
        bb.censored("y ~ x", {**data, "y": np.zeros(400)})
    with pytest.raises(ValueError, match="the lower limit comes first"):
        bb.censored("t ~ x", data, 2, 0)
