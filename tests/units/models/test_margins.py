"""Averages, means and contrasts: beside R (emmeans, and averages by numerical differentiation), and by hand."""

import pickle

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined
from bibun.models.data import table
from bibun.models.formula import design
from bibun.models.formula_slopes import matrix_slope, offset_slope
from bibun.models.glm import regression

from .test_glm_against_r import CASES, GOLDEN, data_of, fitted

pytest.importorskip("formulaic")
AVERAGED = [k for k, c in GOLDEN["cases"].items() if "averages" in c and (k in CASES or k[:3] in ("lm_", "nb_"))]


def fit(name):
    if name in CASES:
        return fitted(name)[1]
    c = GOLDEN["cases"][name]
    d, levels = data_of(c["data"])
    return bb.glm(c["formula"], d, "negative-binomial" if name.startswith("nb_") else "gaussian", levels=levels)


def agrees(found, right, rtol=1e-8):
    np.testing.assert_allclose(found.value, np.atleast_1d(right["estimate"]), rtol=rtol)
    np.testing.assert_allclose(found.se, np.atleast_1d(right["se"]), rtol=rtol)
    if found._result.statistic == "z":
        np.testing.assert_allclose(found.conf_int()[:, 0], np.atleast_1d(right["low"]), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", AVERAGED)
def test_averages_are_those_of_r(name):
    r, right = fit(name), GOLDEN["cases"][name]["averages"]
    kind = "observed" if name.startswith("nb_") else "expected"
    if "slopes" in right:
        agrees(r.avg_slopes(np.atleast_1d(right["slopes"]["terms"]).tolist(), kind=kind), right["slopes"])
    for g in right.get("means", ()):
        agrees(r.avg_predictions(g, kind=kind), right["means"][g])
        agrees(r.avg_slopes(g, kind=kind), right["contrasts"][g])
        assert r.avg_slopes(g).labels == [f"{g}: {t}" for t in right["contrasts"][g]["terms"]]


@pytest.mark.parametrize(
    ("name", "formula", "family"),
    [("emmeans_poisson", "count ~ x1 + x2 + g", "poisson"), ("emmeans_lm", "y ~ x1 + x2 + g", "gaussian")],
)
def test_means_and_pairs_are_those_of_emmeans(name, formula, family):
    d, levels = data_of("sim")
    right, r = GOLDEN["cases"][name], bb.glm(formula, d, family, levels=levels)
    means, pairs = r.marginal_means("g"), r.contrasts("g", "pairwise")
    agrees(means, {**right["means"], "low": means.conf_int()[:, 0]}, 1e-10)
    np.testing.assert_allclose(
        means.conf_int(), np.transpose([right["means"]["low"], right["means"]["high"]]), rtol=1e-9
    )
    agrees(pairs, {**right["pairs"], "low": pairs.conf_int()[:, 0]}, 1e-10)
    assert pairs.labels == right["pairs"]["terms"]
    np.testing.assert_allclose([t["p_value"] for t in pairs.tidy()], right["pairs"]["p"], rtol=1e-9)


def rows(n=60):
    rng = np.random.default_rng(4)
    return {
        "y": rng.poisson(3, n).astype(float), "x": rng.uniform(1, 5, n), "z": rng.normal(size=n),
        "b": rng.integers(0, 2, n).astype(float), "g": np.array(list("abc") * (n // 3), object),
        "h": np.array(list("uuvv") * (n // 4), object), "w": rng.integers(1, 4, n).astype(float),
    }  # fmt: skip


def test_kinds_of_contrasts():
    r = bb.glm("y ~ x + g", rows(), "poisson")
    at = dict(zip("abc", r.marginal_means("g").value.tolist(), strict=True))
    for kind, labels, values in (
        ("reference", ["b - a", "c - a"], [at["b"] - at["a"], at["c"] - at["a"]]),
        ("sequential", ["b - a", "c - b"], [at["b"] - at["a"], at["c"] - at["b"]]),
        ("mean", ["a - mean", "b - mean", "c - mean"], [v - np.mean(list(at.values())) for v in at.values()]),
    ):
        found = r.contrasts("g", kind)
        assert found.labels == labels
        np.testing.assert_allclose(found.value, values, atol=1e-12)
    np.testing.assert_allclose(r.contrasts("g").se, r.se()[2:], rtol=1e-12)
    cluster = r.with_cov("cluster", rows()["w"])
    np.testing.assert_allclose(cluster.contrasts("g").se, cluster.se()[2:], rtol=1e-12)
    np.testing.assert_allclose(r.contrasts("g", cov="sandwich").se, r.se("sandwich")[2:], rtol=1e-12)
    with pytest.raises(ValueError, match="kind='tukey'"):
        r.contrasts("g", "tukey")


def test_other_factors_count_alike_on_the_grid():
    d = rows()
    r = bb.glm("y ~ g * h + x", d, "poisson")
    new = {"g": list("aabbcc"), "h": list("uvuvuv"), "x": [d["x"].mean()] * 6}
    eta = np.log(r.predict(new).value).reshape(3, 2).mean(axis=1)
    np.testing.assert_allclose(r.marginal_means("g").value, eta, rtol=1e-10)


def test_slopes_by_differences_of_predictions():
    d = rows()
    r = bb.glm("y ~ bs(x, df=5) + poly(z, 2) + b*h + log(x):b + offset(log(x))", d, "poisson")
    e, inside = 1e-5, (d["x"] > d["x"].min() + 1e-4) & (d["x"] < d["x"].max() - 1e-4)
    part = {k: v[inside] for k, v in d.items()}
    up, down = (r.predict({**part, "x": part["x"] + s * e}).value for s in (1, -1))
    s = r.avg_predictions(by=np.where(inside, "in", "out")).value
    assert s.shape == (2,)
    X = matrix_slope(r.design, table(d), "x")
    eta = X @ r.coef + offset_slope(r.design, table(d), "x")
    np.testing.assert_allclose((eta * r.fittedvalues)[inside], (up - down) / (2 * e), rtol=1e-5, atol=1e-7)
    assert r.avg_slopes("x").value[0] == pytest.approx(np.mean(eta * r.fittedvalues), rel=1e-12)
    both = [r.predict({**d, "b": np.full(60, v)}).value.mean() for v in (0.0, 1.0)]
    assert r.avg_slopes("b").labels == ["b: 1 - 0"]
    assert r.avg_slopes("b").value[0] == pytest.approx(both[1] - both[0], rel=1e-12)


def test_slope_of_a_matrix_is_exact_at_the_ends_and_the_knots():
    x = np.linspace(1, 5, 41)
    d = design("~ 0 + bs(x, knots=[2.0, 3.5]) + cr(x, df=5) + poly(x, 3) + I(x**3) + scale(x):I(1/x)", {"x": x})
    S, e = matrix_slope(d, table({"x": x}), "x"), 1e-5
    up, down = d.matrix({"x": x[1:-1] + e}), d.matrix({"x": x[1:-1] - e})
    np.testing.assert_allclose(S[1:-1], (up - down) / (2 * e), atol=2e-4)
    smooth = np.abs(x[:, None] - [1, 2, 3.5, 5]).min(axis=1) > 1e-3
    np.testing.assert_allclose(S[smooth], ((d.matrix({"x": x[smooth] + e}) - d.matrix({"x": x[smooth] - e})) / (2 * e)), atol=1e-7)  # fmt: skip
    first = d.matrix({"x": x[:1] + 1e-6 * np.arange(3)[:, None].ravel()})
    np.testing.assert_allclose(S[0], (-3 * first[0] + 4 * first[1] - first[2]) / 2e-6, atol=1e-5)


def test_weights_count_rows():
    d = rows()
    many = {k: np.repeat(v, d["w"].astype(int)) for k, v in d.items()}
    one, other = bb.glm("y ~ x*g + b", d, "poisson", weights="w"), bb.glm("y ~ x*g + b", many, "poisson")
    for f in (
        lambda r: r.avg_slopes(),
        lambda r: r.avg_predictions("g"),
        lambda r: r.avg_predictions(by="h"),
        lambda r: r.contrasts("g"),
        lambda r: r.marginal_means("b"),
    ):
        np.testing.assert_allclose([f(one).value, f(one).se], [f(other).value, f(other).se], rtol=1e-7, atol=1e-9)


def test_arrays_say_the_same_as_formulas():
    d = rows()
    r = regression(
        np.column_stack([d["x"], d["b"]]), d["y"], ["Intercept", "x", "b"], "poisson", offset=d["z"], intercept=True
    )
    s = bb.glm("y ~ x + b", d, "poisson", offset="z")
    for f in (
        lambda r: r.avg_slopes(),
        lambda r: r.avg_predictions("b"),
        lambda r: r.contrasts("b"),
        lambda r: r.marginal_means("b"),
        lambda r: r.avg_predictions(by=d["g"].astype(str)),
    ):
        a, b = f(r), f(s)
        assert a.labels == b.labels
        np.testing.assert_allclose([a.value, a.se], [b.value, b.se], rtol=1e-9)


def test_missing_rows_and_lags():
    d = rows()
    d["x"][7] = np.nan
    r = bb.glm("y ~ x + lag(z, 1) + g", d, "poisson")
    kept = np.delete(np.arange(1, 60), 6)
    group = r.avg_predictions(by="h")
    np.testing.assert_allclose(group.value, [r.fittedvalues[d["h"][kept] == h].mean() for h in "uv"], rtol=1e-12)
    assert r.avg_slopes("g").value.shape == (2,)
    with pytest.raises(NotDefined, match="lags"):
        r.avg_slopes("z")
    with pytest.raises(ValueError, match="reads no column 'q'"):
        r.avg_slopes("q")
    with pytest.raises(NotDefined, match="column of numbers"):
        r.contrasts("x")


def test_what_is_not_determined_has_no_error():
    d = rows()
    d["x2"] = 2 * d["x"]
    r = bb.glm("y ~ x + x2 + g", d, "poisson")
    assert np.isnan(r.avg_slopes("x").se).all()
    assert np.isfinite(r.contrasts("g").se).all()


def test_after_a_pickle():
    r = bb.glm("y ~ x + g", rows(), "poisson")
    s = pickle.loads(pickle.dumps(r))
    assert str(s.avg_slopes()) == str(r.avg_slopes())
    assert list(s.augment()) == list(r.augment())


def test_it_prints():
    a = bb.glm("y ~ x + g", rows(), "poisson").avg_slopes()
    assert "g: b - a" in repr(a)
    assert "<table" in a._repr_html_()
