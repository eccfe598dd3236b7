"""Beta regression: beside `glm`'s with one precision, precision by columns, refusals."""

import numpy as np
import pytest

import bibun as bb

pytest.importorskip("formulaic")


def test_one_precision_is_that_of_glm():
    rng = np.random.default_rng(3)
    d = {"y": rng.beta(2, 3, 200), "x": rng.normal(size=200)}
    a, b = bb.beta_regression("y ~ x", d), bb.glm("y ~ x", d, "beta")
    np.testing.assert_allclose(a.coef[:2], b.coef[:2], rtol=1e-9)
    np.testing.assert_allclose(np.exp(a.coef[2]), b.coef[2], rtol=1e-9)
    np.testing.assert_allclose(a.predict(what="precision").value, b.coef[2], rtol=1e-9)
    assert abs(np.std(a.residuals("quantile")) - 1) < 0.15
    np.testing.assert_allclose(a.residuals(), d["y"] - a.fittedvalues)


def test_what_is_refused_and_what_has_no_maximum():
    x = np.linspace(-2, 2, 50)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        bb.beta_regression("y ~ x", {"y": np.round(x > 0), "x": x})
    perfect = bb.beta_regression("y ~ x", {"y": 1 / (1 + np.exp(-x)), "x": x})
    assert not perfect.converged
    assert "precision:Intercept" in perfect.certificate.problems[0]
