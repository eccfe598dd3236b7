"""The bootstrap: replicates are fits with weights, intervals are SciPy's, draws follow rows, clusters and weights."""

import inspect

import numpy as np
import pytest
from scipy import stats

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.bootstrap import _drawn, _skewness

RNG = np.random.default_rng(3)
N = 60
D = {"x": RNG.normal(size=N), "z": RNG.normal(size=N), "w": RNG.integers(1, 4, N).astype(float)}
D["y"] = RNG.poisson(np.exp(0.3 + 0.5 * D["x"])).astype(float)
D["t"] = RNG.exponential(size=N) * np.exp(0.2 * D["x"])


def exponential(p, d):
    return -np.log(p.mean) - d.t / p.mean


def drawn(seed, reps, n=N):
    return list(_drawn(n, None, reps, np.random.default_rng(seed), None))


@pytest.mark.parametrize(("family", "y"), [("poisson", "y"), ("gaussian", "t"), ("gamma", "t")])
def test_replicates_are_weighted_fits(family, y):
    options = {"link": "log"} if family == "gamma" else {}
    b = bb.glm(f"{y} ~ x + z", D, family, **options).bootstrap(4, 9)
    for times, found in zip(drawn(9, 4), b.estimates, strict=True):
        again = bb.glm(f"{y} ~ x + z", {**D, "times": times}, family, weights="times", **options)
        np.testing.assert_allclose(found, again.coef, rtol=1e-8)
    assert b.failed == 0 and "4 replicates" in repr(b)


def test_a_penalty_and_several_parameters_too():
    r = bb.glm("y ~ x + z", D, "poisson", penalty=2.0)
    for times, found in zip(drawn(1, 3), r.bootstrap(3, 1).estimates, strict=True):
        again = bb.glm("y ~ x + z", {**D, "times": times}, "poisson", weights="times", penalty=2.0)
        np.testing.assert_allclose(found, again.coef, rtol=1e-8)
    rows = lambda p, d: -np.log(p.s) - 0.5 * ((d.t - p.m) / p.s) ** 2
    m = bb.MLE(rows, {"m": bb.Real(), "s": bb.Positive()})
    for times, found in zip(drawn(2, 3), m.fit(D).bootstrap(3, 2).estimates, strict=True):
        np.testing.assert_allclose(found, m.fit(D, weights=times).coef, rtol=1e-8)


def test_data_that_are_not_numbers():
    d = {"t": D["t"], "name": np.full(N, "a")}
    b = bb.MLE(exponential, {"mean": bb.Positive()}).fit(d).bootstrap(3, 2)
    np.testing.assert_allclose(b.estimates[:, 0], [w @ D["t"] / N for w in drawn(2, 3)], rtol=1e-9)


def test_nonlinear_regression():
    d = {"x": np.linspace(0, 3, N), "y": 2 * np.exp(-np.linspace(0, 3, N)) + 0.1 * RNG.normal(size=N)}
    mean = lambda p, d: p.a * np.exp(-p.b * d.x)
    for w in (None, D["w"]):
        r = bb.nls(mean, {"a": 1.0, "b": 0.5}, d, w)
        for times, found in zip(drawn(4, 3), r.bootstrap(3, 4).estimates, strict=True):
            again = bb.nls(mean, {"a": 1.0, "b": 0.5}, d, times if w is None else times * w)
            np.testing.assert_allclose(found, again.coef, rtol=1e-7)


def test_a_restriction_stays():
    b = bb.glm("y ~ x + z", D, "poisson").fix({"z": 0.0}).bootstrap(3, 5)
    for times, found in zip(drawn(5, 3), b.estimates, strict=True):
        again = bb.glm("y ~ x", {**D, "times": times}, "poisson", weights="times")
        np.testing.assert_allclose(found[:2], again.coef, rtol=1e-8)
    assert np.abs(b.estimates[:, 2]).max() < 1e-14


def test_intervals_are_scipys():
    # of a mean, whose jackknife is its influence
    r = bb.MLE(exponential, {"mean": bb.Positive()}).fit(D)
    b = r.bootstrap(3000, 0)
    seed = "rng" if "rng" in inspect.signature(stats.bootstrap).parameters else "random_state"  # SciPy before 1.15
    for kind, name in (("bca", "BCa"), ("percentile", "percentile")):
        right = stats.bootstrap((D["t"],), np.mean, n_resamples=9999, method=name, **{seed: np.random.default_rng(1)})
        np.testing.assert_allclose(b.conf_int(kind=kind)[0], right.confidence_interval, atol=0.2 * r.se()[0])
    centred = D["t"] - D["t"].mean()
    assert b.acceleration[0] == pytest.approx((centred**3).sum() / (6 * (centred**2).sum() ** 1.5), rel=1e-6)
    assert b.se[0] == pytest.approx(D["t"].std() / np.sqrt(N), rel=0.05) and abs(b.bias[0]) < 0.1 * b.se[0]


def test_the_same_seed_draws_the_same():
    r = bb.glm("y ~ x", D, "poisson")
    ends = r.conf_int(method="bootstrap", reps=50, rng=7)
    np.testing.assert_array_equal(ends, r.conf_int(method="bootstrap", reps=50, rng=np.random.default_rng(7)))
    np.testing.assert_array_equal(ends[[1]], r.conf_int(method="bootstrap", reps=50, rng=7, parm="x"))
    assert not np.array_equal(ends, r.conf_int(method="bootstrap", reps=50, rng=8))


def test_clusters_are_drawn_whole():
    codes = np.arange(N) // 5
    for times in _drawn(N, None, 20, np.random.default_rng(1), codes):
        per = times.reshape(12, 5)
        assert (per == per[:, :1]).all() and per[:, 0].sum() == 12
    r = bb.glm("t ~ x", {**D, "g": codes}, "gaussian")
    b = r.bootstrap(400, 1, cluster=codes)
    np.testing.assert_allclose(b.se, r.with_cov("cluster", codes).se(), rtol=0.3)
    m = bb.MLE(exponential, {"mean": bb.Positive()}).fit({**D, "g": codes})
    np.testing.assert_array_equal(m.bootstrap(5, 1, "g").estimates, m.bootstrap(5, 1, codes).estimates)


def test_frequency_weights_stand_for_rows():
    for times in _drawn(N, D["w"], 20, np.random.default_rng(1), None):
        counts = times * D["w"]
        np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
        assert counts.sum() == pytest.approx(D["w"].sum())
    # as many as rows repeated: the same spread and the same acceleration
    again = np.repeat(np.arange(N), D["w"].astype(int))
    r = bb.glm("y ~ x", D, "poisson", weights="w")
    s = bb.glm("y ~ x", {k: v[again] for k, v in D.items()}, "poisson")
    a, b = r.bootstrap(600, 1), s.bootstrap(600, 2)
    np.testing.assert_allclose(a.se, b.se, rtol=0.15)
    np.testing.assert_allclose(a.acceleration, b.acceleration, rtol=1e-9)
    assert _skewness(np.zeros((3, 1)), None, None).tolist() == [0.0]


def test_failed_replicates_are_counted_and_said():
    d = {"x": np.array([0.0, 1, 2, 3, 4, 5, 6, 7]), "y": np.array([0.0, 0, 1, 0, 1, 0, 1, 1])}
    r = bb.glm("y ~ x", d, "binomial")
    with pytest.warns(UserWarning, match=r"\d+ of 200 replicates have no maximum"):
        b = r.bootstrap(200, 1)
    assert b.failed > 0 and len(b.estimates) == 200 - b.failed and f"{b.failed} more failed" in repr(b)
    rare = {"x": np.array([0.0, 1, 2, 3, 4]), "y": np.array([0.0, 1, 0, 1, 1])}
    with pytest.raises(ArithmeticError, match="have no maximum: use method='profile'"):
        bb.glm("y ~ x", rare, "binomial").bootstrap(60, 1)


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("rng= is missing", {}),
        ("2 or more", {"rng": 1, "reps": 1}),
        ("no.* column.*q", {"rng": 1, "cluster": "q"}),
        ("3 clusters for 60 rows", {"rng": 1, "cluster": [1, 2, 3]}),
    ],
)
def test_what_is_refused(words, options):
    with pytest.raises(ValueError, match=words):
        bb.glm("y ~ x", D, "poisson").conf_int(method="bootstrap", **options)


def test_it_needs_rows_and_known_kinds():
    r = bb.MLE(lambda p: -((p.a - 1.0) ** 2), {"a": bb.Real()}).fit()
    with pytest.raises(NotDefined, match="one value a row"):
        r.bootstrap(10, 1)
    b = bb.glm("y ~ x", D, "poisson").bootstrap(10, 1)
    with pytest.raises(ValueError, match="'bca' or 'percentile'"):
        b.conf_int(kind="t")
    with pytest.raises(ValueError, match="between 0 and 1"):
        b.conf_int(95)
