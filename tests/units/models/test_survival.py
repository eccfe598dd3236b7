"""Accelerated failure times: intervals, units of time, means and medians, separation."""

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")
FAMILIES = ("weibull", "exponential", "log-normal", "log-logistic")


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    life, stop = np.exp(1 + 0.5 * x + 0.4 * np.log(rng.exponential(size=300))), rng.uniform(1, 8, 300)
    return {"t": np.minimum(life, stop), "e": life <= stop, "x": x, "life": life, "g": rng.choice(list("abc"), 300)}


@pytest.mark.parametrize("family", FAMILIES)
def test_intervals_say_what_events_say(data, family):
    a = bb.survival("t ~ x", data, "e", family)
    b = bb.survival("t ~ x", {**data, "u": np.where(data["e"], data["t"], np.inf)}, None, family, until="u")
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-9)
    np.testing.assert_allclose(a.loglik, b.loglik, rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_narrow_intervals_are_points(data, family):
    narrow = {**data, "t": data["life"] * (1 - 1e-5), "u": data["life"] * (1 + 1e-5)}
    a = bb.survival("life ~ x", data, None, family)
    b = bb.survival("t ~ x", narrow, None, family, until="u")
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-6)
    np.testing.assert_allclose(a.loglik, b.loglik - np.log(2e-5 * data["life"]).sum(), rtol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_means_by_integration(data, family):
    r = bb.survival("t ~ x", data, "e", family)
    new = {"x": [0.2]}
    times = np.exp(np.linspace(-12, 9, 4001))
    alive = r.predict(new, "survival", at=times).value[0]
    mean = np.sum(0.5 * (alive[1:] + alive[:-1]) * np.diff(times)) + times[0]
    np.testing.assert_allclose(r.predict(new, "mean").value, [mean], rtol=1e-3)
    np.testing.assert_allclose(r.predict(new, "survival", at=r.predict(new).value).value, [[0.5]], rtol=1e-12)


def test_another_unit_of_time(data):
    a, b = bb.survival("t ~ x", data, "e"), bb.survival("t ~ x", {**data, "t": 1e8 * data["t"]}, "e")
    np.testing.assert_allclose(b.coef - a.coef, [np.log(1e8), 0, 0], atol=1e-8)
    np.testing.assert_allclose(b.se(), a.se(), rtol=1e-7)


def test_what_has_no_maximum_is_named(data):
    r = bb.survival("t ~ x + g", {**data, "e": data["e"] & (data["g"] != "b")}, "e")
    assert "g[T.b] runs to +inf" in r.certificate.problems[0]
    assert np.isfinite(r.bse["g[T.c]"])
    perfect = bb.survival("t ~ x", {"t": np.exp(data["x"]), "x": data["x"]})
    assert not perfect.converged  # the scale goes to 0 until rounding stops it


def test_what_is_refused(data):
    for options, why in (
        ({"event": np.zeros(300)}, "no event"),
        ({"event": "t"}, "event is"),
        ({"event": "e", "until": "t"}, "give one of them"),
        ({"family": "gamma"}, "family='gamma'"),
    ):
        with pytest.raises(ValueError, match=why):
            bb.survival("t ~ x", data, **options)
    with pytest.raises(ValueError, match="greater than 0"):
        bb.survival("x ~ g", data)
    heavy = {"t": np.exp(3 * np.random.default_rng(0).logistic(size=100))}
    r = bb.survival("t ~ 1", heavy, family="log-logistic")
    with pytest.raises(NotDefined, match="use median"):
        r.predict(what="mean")


def test_drawn_times_have_the_median(data):
    r = bb.survival("t ~ x", data, "e")
    np.testing.assert_allclose(np.median(r.simulate(1, times=4000), axis=0), r.fittedvalues, rtol=0.1)
