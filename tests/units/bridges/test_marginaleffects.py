"""marginaleffects takes a regression, and says what bibun says of it by exact derivatives."""

import sys

import numpy as np
import pytest

import bibun as bb
from bibun.bridges import marginaleffects as bridge
from bibun.errors import NotDefined

pytest.importorskip("formulaic")


def fitted(family="poisson"):
    rng = np.random.default_rng(0)
    n = 200
    x = rng.normal(size=n)
    y = rng.poisson(np.exp(0.3 + 0.5 * x)) + (0.5 if family == "gamma" else 0.0)
    g = np.array(list("bca") * n)[:n]
    d = {"y": y, "x": np.where(np.arange(n) == 3, np.nan, x), "g": g, "e": rng.uniform(1, 2, n)}
    return bb.glm("y ~ x * g + offset(log(e))", d, family, link="log", levels={"g": ["b", "a", "c"]})


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_it_says_what_bibun_says(family):
    me, pl = pytest.importorskip("marginaleffects"), pytest.importorskip("polars")
    r = fitted(family)
    model = bridge.model(r)
    all_rows = me.predictions(model)
    np.testing.assert_allclose(all_rows["estimate"], r.predict().value, rtol=1e-10)
    np.testing.assert_allclose(all_rows["std_error"], r.predict().se, rtol=1e-5)
    for theirs, ours in (
        (me.avg_slopes(model, variables="x"), r.avg_slopes("x")),
        (me.avg_slopes(model, variables="x", vcov="sandwich"), r.avg_slopes("x", kind="sandwich")),
        (me.avg_comparisons(model, variables="g"), r.avg_slopes("g")),
        (me.avg_predictions(model, by="g").sort(pl.col("g").cast(pl.String)), r.avg_predictions(by="g")),
    ):
        np.testing.assert_allclose(theirs["estimate"], ours.value, rtol=1e-5)
        np.testing.assert_allclose(theirs["std_error"], ours.se, rtol=1e-4)
        np.testing.assert_allclose(theirs["conf_low"], ours.conf_int()[:, 0], rtol=1e-4)
        np.testing.assert_allclose(theirs["conf_high"], ours.conf_int()[:, 1], rtol=1e-4)


def test_what_is_missing_is_said(monkeypatch):
    with monkeypatch.context() as m:
        m.setitem(sys.modules, "marginaleffects.classes", None)
        with pytest.raises(ImportError, match=r'pip install "bibun\[marginaleffects\]"'):
            bridge.model(fitted())
    pytest.importorskip("marginaleffects")
    graded = bb.ordinal("y ~ x", {"y": np.arange(40) % 3.0, "x": np.sin(np.arange(40))}, levels={"y": [0.0, 1.0, 2.0]})
    with pytest.raises(NotDefined, match=r"avg_slopes\(\)"):
        bridge.model(graded)
