"""The picture of profiles: its numbers are those of the result, its lines are where they say, its labels have room."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.constrained import constrained
from bibun.report.profile_plot import curves
from tests.units.report.plots import hostile, labels, overlapping

pytest.importorskip("formulaic")


def normal(n=25, seed=3):
    rng = np.random.default_rng(seed)
    rows = lambda p, d: bb.stats.norm.logpdf(d.y, p.mu, p.sigma)
    return bb.MLE(rows, {"mu": bb.Real(), "sigma": bb.Positive()}).fit({"y": rng.normal(2, 1.5, n)})


def separated():
    d = {"y": np.array([0, 0, 0, 0, 1, 1, 1.0]), "x": np.array([1, 2, 3, 4.2, 4.1, 6, 7])}
    return bb.glm("y ~ x", d, "binomial")


def test_ends_are_those_of_conf_int():
    r = separated()
    f = r.plot_profile(levels=(0.5, 0.9))
    assert list(f.quantiles) == [0.9, 0.5]
    for k, trace in enumerate(f.traces):
        for level in (0.5, 0.9):
            assert trace.ends[level] == tuple(r.conf_int(level, method="profile")[k])
            assert trace.wald_ends[level] == tuple(r.conf_int(level)[k])
            at = [int(np.argmin(np.abs(trace.values - e))) for e in trace.ends[level]]
            np.testing.assert_allclose(trace.root[at], [-f.quantiles[level], f.quantiles[level]])
            np.testing.assert_allclose(trace.values[at], trace.ends[level], rtol=1e-12)


def test_values_between_are_maxima_of_the_likelihood_by_a_second_route():
    r = normal()
    y = r.objective.data.y
    mu, sigma = r.plot_profile().traces
    n = len(y)
    best = -0.5 * n * np.log(np.var(y))
    np.testing.assert_allclose(
        mu.loglik, -0.5 * n * np.log(np.mean((y - mu.values[:, None]) ** 2, 1)) - best, atol=1e-9
    )
    s = sigma.values
    by_hand = -n * np.log(s) - 0.5 * n * np.var(y) / s**2 - (best - 0.5 * n)
    np.testing.assert_allclose(sigma.loglik, by_hand, atol=1e-9)
    assert (np.diff(sigma.root) > 0).all() and (sigma.root[sigma.values == r.params["sigma"]] == 0).all()


@pytest.mark.parametrize("family", ["gaussian", "gamma", "poisson"])
def test_regressions(family):
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    y = rng.poisson(np.exp(1 + 0.3 * x)) + (0.5 if family == "gamma" else 0.0)
    r = bb.glm("y ~ x", {"y": y, "x": x}, family, link="log" if family == "gamma" else None)
    f = r.plot_profile("x")
    (trace,) = f.traces
    assert trace.ends[0.95] == tuple(r.conf_int(method="profile", parm="x")[0])
    assert f.statistic == ("t" if family == "gamma" else "z")
    if family == "gaussian":  # a new fit with the coefficient held is another route
        for value, fall in zip(trace.values[::3], trace.loglik[::3], strict=True):
            refit = np.polynomial.polynomial.polyfit(x, y - value * x, 0)
            left = np.sum((y - value * x - refit[0]) ** 2)
            np.testing.assert_allclose(fall, -20 * np.log(left / np.sum(r.residuals() ** 2)), atol=1e-9)
    else:
        space = r._space()
        k = 1
        for t, root in zip(trace.stretched[::3], trace.root[::3], strict=True):
            found = constrained(space.objective, space.gamma, space.stretched(k).at(t))
            np.testing.assert_allclose(abs(root), np.sqrt(2 * max(found.value - space.best, 0.0)), atol=1e-6)


def test_what_is_held_or_not_determined_says_so():
    r = normal().fix({"sigma": 1.0})
    mu, sigma = r.plot_profile().traces
    assert not mu.absent and "held" in sigma.absent
    d = {"y": np.arange(6.0), "x": np.arange(6.0) % 3, "x2": 2 * (np.arange(6.0) % 3)}
    f = bb.glm("y ~ x + x2", d).plot_profile()
    assert [bool(t.absent) for t in f.traces] == [False, True, True]
    ET.fromstring(f.svg)
    assert "not determined by the data" in f.svg


def test_units_levels_and_refusals():
    r = normal()
    f = r.plot_profile("mu", units={"mu": "kg <m>"}, levels=[0.8])
    assert "mu (kg &lt;m&gt;)" in f.svg and "80 %" in f.svg and "95 %" not in f.svg
    with pytest.raises(ValueError, match="a unit for 'nu'"):
        r.plot_profile(units={"nu": "kg"})
    with pytest.raises(ValueError, match="scale='square'"):
        r.plot_profile(scale="square")
    with pytest.raises(ValueError, match="no parameter 'nu'"):
        r.plot_profile("nu")
    many = bb.MLE(lambda p, d: -((d.y - p.a) ** 2), {"a": bb.Real(25)}).fit({"y": np.ones(25)})
    with pytest.raises(ValueError, match="parm="):
        many.plot_profile()
    with pytest.raises(NotDefined):
        r.with_cov("sandwich").plot_diagnostics()


def test_an_end_that_is_not_there():
    rows = lambda p, d: -((p.a - d.y) ** 2) / (1 + (p.a - d.y) ** 2)  # it never falls by more than 1
    r = bb.MLE(rows, {"a": bb.Real()}).fit({"y": np.array([3.0])})
    f = r.plot_profile("a")
    (trace,) = f.traces
    assert trace.ends[0.95] == (-np.inf, np.inf) and np.isfinite(trace.ends[0.5]).all()
    np.testing.assert_allclose(trace.loglik, -((trace.values - 3) ** 2) / (1 + (trace.values - 3) ** 2), atol=1e-9)
    assert overlapping(f.svg) == [] and "−∞ to ∞" in f.svg


@pytest.mark.parametrize("scale", ["loglik", "root"])
def test_the_picture_is_xml_and_its_labels_do_not_overlap(scale):
    for f in (separated().plot_profile(scale=scale), normal().plot_profile(scale=scale)):
        assert overlapping(f.svg) == []
        texts = labels(f.svg)
        for trace in f.traces:
            assert trace.label in texts


def test_long_names_and_numbers_have_room():
    names = ["a name that goes on and on, and further, and never ends " + str(k) for k in range(4)]
    rows = lambda p, d: -0.5 * np.sum((np.stack([p[n] for n in names]) - 123456789.123 * d.y) ** 2)
    r = bb.MLE(rows, {n: bb.Real(start=1e8) for n in names}).fit({"y": np.arange(1, 5.0)})
    f = r.plot_profile(units=dict.fromkeys(names, "per square metre and year"))
    assert overlapping(f.svg) == []


def test_curves_go_through_what_was_computed():
    trace = separated().plot_profile().traces[1]
    values, root, wald = curves(trace, trace.values[0] - 10, trace.values[-1] + 10)
    for v, r in zip(trace.values, trace.root, strict=True):
        k = int(np.argmin(np.abs(values - v)))
        np.testing.assert_allclose([values[k], root[k]], [v, r], atol=1e-9)
    assert np.isnan(root[[0, -1]]).all() and np.isfinite(wald).all()
    np.testing.assert_allclose(np.interp(-1.959964, wald, values), trace.wald_ends[0.95][0], rtol=1e-3)


def test_files_and_notebooks(tmp_path):
    f = normal().plot_profile("mu")
    assert f.save(tmp_path / "a.svg") == str(tmp_path / "a.svg")
    ET.parse(tmp_path / "a.svg")
    f.save(tmp_path / "a.html")
    assert f.svg in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert f._repr_svg_() == f.svg and f.svg in f._repr_html_()
    assert repr(f) == "<ProfileFigure of mu>"
    with pytest.raises(ValueError, match=r"\.svg or \.html"):
        f.save(tmp_path / "a.png")


def test_hostile_names_are_text():
    name = hostile
    rows = lambda p, d: -0.5 * (d.y - p[name]) ** 2
    f = bb.MLE(rows, {name: bb.Real()}).fit({"y": np.array([1.0, 2.0])}).plot_profile(units={name: hostile})
    ET.fromstring(f.svg)
    assert "<script" not in f.svg
