"""The picture of residuals: its numbers against closed forms and draws, many rows, labels, what models do not have."""

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from scipy import integrate, special, stats

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.diagnostic_figure import Quantiles
from bibun.report.diagnostic_plot import MEAN_ROOT, hexagons, smooth
from tests.units.report.plots import labels, overlapping

pytest.importorskip("formulaic")


def counts(n=90, seed=1, missing=False):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 3, n)
    y = rng.poisson(np.exp(0.5 + 0.7 * x)).astype(float)
    if missing:
        x[:5] = np.nan
    return bb.glm("y ~ x", {"y": y, "x": x}, "poisson")


def test_residuals_are_drawn_within_the_step_and_the_seed_fixes_them():
    r = counts()
    f = r.plot_diagnostics()
    y, mean = r.objective.data["y"], r.fittedvalues
    low, high = stats.poisson.cdf(y - 1, mean), stats.poisson.cdf(y, mean)
    at = special.ndtr(f.residuals)
    assert f.said == "randomised quantile residuals" and (at > low).all() and (at < high).all()
    assert np.array_equal(f.residuals, r.plot_diagnostics(0).residuals)
    assert not np.array_equal(f.residuals, r.plot_diagnostics(1).residuals)
    assert f.svg == r.plot_diagnostics(0).svg
    np.testing.assert_array_equal(f.fitted, mean)


def test_they_are_standard_normal_where_the_model_holds():
    for r in (counts(4000), bb.ordinal("y ~ x", grades(4000), levels={"y": [0.0, 1.0, 2.0]})):
        assert stats.kstest(r.plot_diagnostics().residuals, "norm").pvalue > 0.01


def grades(n):
    rng = np.random.default_rng(4)
    x = rng.normal(size=n)
    return {"y": np.digitize(x + rng.logistic(size=n), [-0.5, 1.0]).astype(float), "x": x}


def test_leverage_and_distances_are_those_of_influence():
    r = counts()
    f, influence = r.plot_diagnostics(), r.influence()
    np.testing.assert_array_equal(f.hat, influence["hat"])
    np.testing.assert_array_equal(f.cooks, influence["cooks_distance"])
    standardized = r.residuals("standardized")
    np.testing.assert_allclose(f.cooks, standardized**2 * f.hat / (f.coefficients * (1 - f.hat)), rtol=1e-10)
    assert f.largest_cooks[0] == int(np.argmax(f.cooks))


def test_a_far_residual_of_the_normal_distribution_keeps_its_size():
    y = np.concatenate([np.random.default_rng(0).normal(size=400), [60.0]])
    r = bb.glm("y ~ 1", {"y": y})
    f = r.plot_diagnostics()
    np.testing.assert_allclose(f.residuals, (y - y.mean()) / y.std(ddof=1), rtol=1e-12)
    assert f.rows[f.largest_residuals[0]] == 400 and "row 400" in labels(f.svg)


def test_rows_are_named_by_their_place_in_the_data():
    r = counts(missing=True)
    f = r.plot_diagnostics()
    np.testing.assert_array_equal(f.rows, np.arange(5, 90))
    assert f"row {f.rows[f.largest_cooks[0]]}" in labels(f.svg)


def test_quantiles_and_their_band():
    z = np.random.default_rng(0).normal(size=50)
    q = Quantiles(z)
    np.testing.assert_array_equal(q.ordered, np.sort(z))
    order = stats.beta(np.arange(1, 51), np.arange(50, 0, -1))
    np.testing.assert_allclose(special.ndtr(q.low), order.ppf(0.025))
    np.testing.assert_allclose(special.ndtr(q.normal), order.ppf(0.5))
    draws = np.sort(np.random.default_rng(1).normal(size=(4000, 50)), axis=1)
    inside = ((draws > q.low) & (draws < q.high)).mean(axis=0)
    assert np.abs(inside - 0.95).max() < 0.015
    many = Quantiles(np.random.default_rng(2).normal(size=100_000))
    assert len(many.position) <= 400 and {0, 1, 2, 99_998, 99_999} <= set(many.position.tolist())


def test_the_mean_of_the_spread():
    mean, _ = integrate.quad(lambda z: 2 * math.sqrt(z) * stats.norm.pdf(z), 0, np.inf)
    assert math.isclose(MEAN_ROOT, mean, rel_tol=1e-8)


def test_smooth_keeps_a_line_and_finds_a_bend():
    x = np.sort(np.random.default_rng(0).uniform(size=300))
    at = np.linspace(0.05, 0.95, 7)
    np.testing.assert_allclose(smooth(x, 2 - 3 * x, at), 2 - 3 * at, atol=1e-9)
    x = np.random.default_rng(0).uniform(size=50_000)
    np.testing.assert_allclose(smooth(x, 2 - 3 * x, at), 2 - 3 * at, atol=1e-6)
    np.testing.assert_allclose(smooth(x, np.abs(x - 0.5), at, 0.1), np.abs(at - 0.5), atol=0.02)


def test_hexagons_hold_every_point_once_and_their_middle_is_near():
    points = np.random.default_rng(0).normal(scale=30, size=(5000, 2))
    middles, held = hexagons(points[:, 0], points[:, 1], 6.0)
    assert held.sum() == 5000 and len(np.unique(middles.round(6), axis=0)) == len(middles)
    away = np.sqrt(((points[:, None, :] - middles) ** 2).sum(-1)).min(axis=1)
    assert away.max() <= 6.0 + 1e-9


def test_many_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200_000)
    r = bb.glm("y ~ x", {"y": (rng.uniform(size=len(x)) < special.expit(x)) * 1.0, "x": x}, "binomial")
    f = r.plot_diagnostics()
    assert len(f.svg) < 300_000 and "hexagon" in f.svg and "200\u202f000 rows" in f.svg
    assert overlapping(f.svg) == []


def test_own_residuals_and_what_there_is_without():
    rng = np.random.default_rng(0)
    d = {"x": rng.normal(size=60)}
    d["y"] = d["x"] + rng.normal(size=60)
    rows = lambda p, d: bb.stats.norm.logpdf(d.y, p.a + p.b * d.x, p.s)
    r = bb.MLE(rows, {"a": bb.Real(), "b": bb.Real(), "s": bb.Positive()}).fit(d)
    with pytest.raises(NotDefined, match=r"plot_diagnostics\(residuals=…, fitted=…\)"):
        r.plot_diagnostics()
    mean = r.params["a"] + r.params["b"] * d["x"]
    f = r.plot_diagnostics(residuals=(d["y"] - mean) / r.params["s"], fitted=mean)
    assert f.hat is None and "Cook's distance of the rows in their order" in labels(f.svg)
    assert overlapping(f.svg) == []
    with pytest.raises(ValueError, match=r"residuals of shape \(3,\): one number for each of the 60 rows"):
        r.plot_diagnostics(residuals=np.zeros(3), fitted=mean)


def test_weights_of_zero_and_residuals_beyond_the_distribution_function():
    rng = np.random.default_rng(0)
    y = rng.poisson(3.0, 40).astype(float)
    y[7] = 60.0
    w = np.ones(40)
    w[3] = 0
    f = bb.glm("y ~ 1", {"y": y, "w": w}, "poisson", weights="w").plot_diagnostics()
    assert 3 not in f.rows and len(f.rows) == 39
    text = " ".join(labels(f.svg))
    assert "1 row is left out" in text and "each row of frequency weights is drawn once" in text
    assert np.isinf(f.residuals[f.rows == 7]).all() and "1 beyond" in text and "row 7" in text


@pytest.mark.parametrize("seed", range(3))
def test_the_picture_is_xml_and_its_labels_do_not_overlap(seed):
    svg = counts(60, seed).plot_diagnostics().svg
    ET.fromstring(svg)
    assert overlapping(svg) == []
