"""Zero-inflated and hurdle counts: their two halves, limits without a maximum, weights, offsets, missing rows."""

import numpy as np
import pytest

import bibun as bb

pytest.importorskip("formulaic")


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 300))
    y = rng.negative_binomial(2, 2 / (2 + np.exp(0.8 + 0.5 * x))) * (rng.random(300) < 0.7)
    return {"y": y.astype(float), "x": x, "z": z, "w": rng.integers(1, 4, 300) * 1.0, "e": rng.uniform(0.5, 2, 300)}


@pytest.mark.parametrize("model", [bb.zero_inflated, bb.hurdle])
@pytest.mark.parametrize("family", ["poisson", "negative-binomial"])
def test_weights_are_repeated_rows(data, model, family):
    a = model("y ~ x", data, "~ z", family, weights="w")
    times = data["w"].astype(int)
    b = model("y ~ x", {k: np.repeat(v, times) for k, v in data.items()}, "~ z", family)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-7)
    np.testing.assert_allclose(a.se(), b.se(), rtol=1e-7)
    np.testing.assert_allclose([a.loglik, a.null_loglik], [b.loglik, b.null_loglik], rtol=1e-11)
    assert a.nobs == b.nobs


def test_hurdle_is_two_models(data):
    r = bb.hurdle("y ~ x", data, "~ z")
    some = bb.glm("some ~ z", {**data, "some": 1.0 * (data["y"] > 0)}, "binomial")
    np.testing.assert_allclose(r.coef[2:], some.coef, rtol=1e-8)


def test_exposure_is_an_offset_of_the_counts_and_of_new_rows(data):
    a = bb.zero_inflated("y ~ x", data, "~ z", exposure="e")
    b = bb.zero_inflated("y ~ x + offset(log(e))", data, "~ z")
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-10)
    new = {"x": [0.0, 1.0], "z": [0.0, 1.0], "e": [1.0, 2.0]}
    np.testing.assert_allclose(a.predict(new).value, b.predict(new).value, rtol=1e-9)
    np.testing.assert_allclose(a.null_loglik, b.null_loglik, rtol=1e-10)


def test_rows_miss_values_of_either_formula(data):
    d = {
        **data,
        "x": np.where(np.arange(300) == 4, np.nan, data["x"]),
        "z": np.where(np.arange(300) == 7, np.nan, data["z"]),
    }
    r = bb.hurdle("y ~ x", d, "~ z")
    keep = ~np.isin(np.arange(300), [4, 7])
    np.testing.assert_allclose(
        r.coef, bb.hurdle("y ~ x", {k: v[keep] for k, v in data.items()}, "~ z").coef, rtol=1e-10
    )
    assert r.nobs == 298
    assert any("2" in note for note in r.notes)


def test_what_has_no_maximum_is_named():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = rng.poisson(np.exp(0.5 + 0.5 * x)) * 1.0
    limit = bb.hurdle("y ~ x", {"y": y, "x": x}, "~ 1", "negative-binomial")
    assert "log(theta) runs to +inf" in limit.certificate.problems[0]
    poisson = bb.hurdle("y ~ x", {"y": y, "x": x}, "~ 1")
    np.testing.assert_allclose(limit.loglik, poisson.loglik, rtol=1e-9)
    np.testing.assert_allclose(limit.se()[:2], poisson.se()[:2], rtol=1e-5)
    no_zeros = bb.hurdle("y ~ x", {"y": y + 1, "x": x}, "~ 1")
    assert "zero:Intercept runs to +inf" in no_zeros.certificate.problems[0]
    none = bb.zero_inflated("y ~ x", {"y": y + 1, "x": x}, "~ 1")
    assert "zero:Intercept runs to -inf" in none.certificate.problems[0]
    few = bb.hurdle("y ~ x", {"y": np.minimum(y, 1), "x": x}, "~ 1")
    assert "count:Intercept runs to -inf" in few.certificate.problems[0]


def test_probabilities_are_a_distribution(data):
    for model in (bb.zero_inflated, bb.hurdle):
        r = model("y ~ x", data, "~ z", "negative-binomial")
        p = r.predict(what="probability", at=range(200)).value
        np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-6)
        np.testing.assert_allclose(p @ np.arange(200), r.fittedvalues, rtol=1e-4)
        assert abs(np.std(r.residuals("quantile")) - 1) < 0.2


def test_a_response_that_is_no_count_is_refused(data):
    with pytest.raises(ValueError, match="a count is a whole number"):
        bb.hurdle("y ~ x", {**data, "y": data["y"] + 0.5})
