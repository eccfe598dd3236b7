"""What a category changes in models of several parts: beside differences of `predict`, and difference quotients."""

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")
RNG = np.random.default_rng(5)
N = 150
X, G = RNG.uniform(-1, 1, N), np.tile(list("abc"), N // 3)
ETA = 0.3 + 0.5 * X + 0.4 * (G == "b") - 0.3 * (G == "c")
W = RNG.integers(1, 4, N).astype(float)
DATA = {
    "x": X, "g": G, "w": W, "o": 0.1 * X, "event": (RNG.uniform(size=N) < 0.8) * 1.0,
    "grade": np.digitize(ETA + RNG.logistic(size=N), [-0.5, 1.0]).astype(float),
    "choice": np.array(list("uvw"))[RNG.integers(0, 3, N)],
    "count": np.where(RNG.uniform(size=N) < 0.3, 0.0, RNG.poisson(np.exp(1 + ETA))),
    "share": RNG.beta(5 / (1 + np.exp(-ETA)), 5 / (1 + np.exp(ETA))),
    "time": RNG.weibull(1.5, N) * np.exp(ETA), "y": np.maximum(ETA + RNG.normal(size=N), 0.0),
}  # fmt: skip
MODELS = {
    "ordinal": lambda d: bb.ordinal("grade ~ x + g", d, levels={"grade": [0.0, 1.0, 2.0]}),
    "multinomial": lambda d: bb.multinomial("choice ~ x + g", d),
    "zero-inflated": lambda d: bb.zero_inflated("count ~ x + g + offset(o)", d, weights="w"),
    "hurdle": lambda d: bb.hurdle("count ~ x * g", d),
    "beta": lambda d: bb.beta_regression("share ~ x + g", d, precision="~ g"),
    "censored": lambda d: bb.censored("y ~ x + g", d, left=0.0),
    "survival": lambda d: bb.survival("time ~ x + g", d, event="event"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_category_changes_what_two_predictions_differ_by(name):
    r = MODELS[name](DATA)
    w = W if name == "zero-inflated" else np.ones(N)
    what = next(iter(r.model.loglik.answers))

    def mean(level):
        return w @ r.predict({**DATA, "g": np.full(N, level)}, what).value / w.sum()

    found = r.avg_slopes("g")
    right = np.concatenate([np.atleast_1d(mean(b) - mean("a")) for b in "bc"])
    np.testing.assert_allclose(found.value, right, rtol=1e-10, atol=1e-12)
    assert found.labels[0].startswith("g: b - a") and found.labels[-1].startswith("g: c - a")
    u, J = r.u.copy(), []
    for k in range(len(u)):  # the delta method with quotients in place of derivatives
        ends = []
        for h in (1e-5, -1e-5):
            r.u = u + h * (np.arange(len(u)) == k)
            ends.append(np.concatenate([np.atleast_1d(mean(b) - mean("a")) for b in "bc"]))
        J.append((ends[0] - ends[1]) / 2e-5)
    r.u = u
    cov = np.transpose(J) @ r._any_covariance(r.cov) @ np.array(J)
    np.testing.assert_allclose(found.se, np.sqrt(np.diag(cov)), rtol=1e-6, atol=1e-10)


def test_by_default_all_columns():
    r = MODELS["beta"](DATA)
    assert r.avg_slopes().labels == ["x", "g: b - a", "g: c - a"]
    with pytest.raises(NotDefined, match="there are x, g"):
        r.avg_slopes("share")
    with pytest.raises(NotDefined, match="avg_slopes"):
        r.contrasts("g")
