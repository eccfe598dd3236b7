"""Multinomial regression of a formula beside that of arrays: the same fit, the same separation."""

import numpy as np
import pytest

import bibun as bb
from bibun.models.logistic import multinomial

pytest.importorskip("formulaic")


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    return {"y": rng.integers(0, 3, 200), "x": x, "kind": np.array(list("abc"), object)[rng.integers(0, 3, 200)]}


def test_it_is_the_fit_of_arrays(data):
    a = bb.multinomial("y ~ x", data)
    b = multinomial(data["x"][:, None], data["y"], ["Intercept", "x"], "012", intercept=True)
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-9)
    figures = "loglik", "deviance", "null_loglik", "null_deviance"
    np.testing.assert_allclose([getattr(a, n) for n in figures], [getattr(b, n) for n in figures], rtol=1e-12)


def test_the_first_level_is_the_reference(data):
    r = bb.multinomial("kind ~ x", data, levels={"kind": list("cab")})
    assert r.labels == ["a:Intercept", "a:x", "b:Intercept", "b:x"]
    p = r.predict({"x": [0.0, 1.0]})
    assert p.value.shape == p.se.shape == (2, 3)
    ends = p.conf_int()
    assert ((ends[..., 0] < p.value) & (p.value < ends[..., 1]) & (ends[..., 0] > 0) & (ends[..., 1] < 1)).all()


def test_separation_is_named(data):
    r = bb.multinomial("y ~ x", {**data, "y": np.digitize(data["x"], [-0.5, 0.5])})
    assert "x runs to +inf" in r.certificate.problems[0]
    with pytest.raises(ValueError, match="nothing to tell apart"):
        bb.multinomial("y ~ x", {**data, "y": np.ones(200)})
    with pytest.raises(ValueError, match="no meaning"):
        bb.multinomial("y ~ offset(x)", data)
