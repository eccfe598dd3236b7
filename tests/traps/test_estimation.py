"""Traps of estimation: what other libraries get wrong in silence, each a test, for every model where it can happen."""

from functools import cache

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined

pytest.importorskip("formulaic")

RNG = np.random.default_rng(7)
N = 120
X, Z = RNG.uniform(-1, 1, size=(2, N))
G = np.array(list("abc") * (N // 3))
ETA = 0.3 + 0.8 * X - 0.5 * Z + 0.3 * (G == "b")
COUNTS = RNG.poisson(np.exp(ETA) * RNG.gamma(2, 0.5, size=N)).astype(float)
D = {
    "x": X,
    "z": Z,
    "g": G,
    "y": ETA + RNG.normal(size=N),
    "yes": (RNG.uniform(size=N) < 1 / (1 + np.exp(-ETA))) * 1.0,
    "count": COUNTS,
    "cost": RNG.gamma(3.0, np.exp(ETA) / 3),
    "part": np.where(RNG.uniform(size=N) < 0.3, 0.0, RNG.gamma(2.0, np.exp(ETA) / 2)),
    "share": RNG.beta(4 / (1 + np.exp(-ETA)), 4 / (1 + np.exp(ETA))),
    "grade": np.array(list("lmh"))[np.digitize(ETA + RNG.logistic(size=N), [-0.5, 1.0])],
    "zeros": np.where(RNG.uniform(size=N) < 0.3, 0.0, COUNTS),
    "time": RNG.exponential(np.exp(ETA)),
    "event": (RNG.uniform(size=N) < 0.8) * 1.0,
    "w": RNG.integers(1, 4, size=N).astype(float),
    "o": 0.3 * RNG.normal(size=N),
}
GRADES = {"grade": ["l", "m", "h"]}
MODELS = {
    "gaussian": lambda d, **o: bb.glm("y ~ x + z", d, **o),
    "binomial": lambda d, **o: bb.glm("yes ~ x + z", d, family="binomial", **o),
    "cloglog": lambda d, **o: bb.glm("yes ~ x + z", d, family="binomial", link="cloglog", **o),
    "poisson": lambda d, **o: bb.glm("count ~ x + z", d, family="poisson", **o),
    "quasi-poisson": lambda d, **o: bb.glm("count ~ x + z", d, family="quasi-poisson", **o),
    "negative-binomial": lambda d, **o: bb.glm("count ~ x + z", d, family="negative-binomial", **o),
    "gamma": lambda d, **o: bb.glm("cost ~ x + z", d, family="gamma", link="log", **o),
    "inverse-gaussian": lambda d, **o: bb.glm("cost ~ x + z", d, family="inverse-gaussian", link="log", **o),
    "tweedie": lambda d, **o: bb.glm("part ~ x + z", d, family="tweedie", power=1.5, **o),
    "beta": lambda d, **o: bb.beta_regression("share ~ x + z", d, **o),
    "ordinal": lambda d, **o: bb.ordinal("grade ~ x + z", d, levels=GRADES, **o),
    "multinomial": lambda d, **o: bb.multinomial("g ~ x + z", d, **o),
    "zero-inflated": lambda d, **o: bb.zero_inflated("zeros ~ x + z", d, zeros="~ 1", **o),
    "hurdle": lambda d, **o: bb.hurdle("zeros ~ x + z", d, **o),
    "censored": lambda d, **o: bb.censored("y ~ x + z", d, left=0.0, **o),
    "truncated": lambda d, **o: bb.truncated("cost ~ x + z", d, left=0.0, **o),
    "survival": lambda d, **o: bb.survival("time ~ x + z", d, event="event", **o),
    "cox": lambda d, **o: bb.cox("~ x + z", d, **o),
    "firth": lambda d, **o: bb.firth("yes ~ x + z", d, **o),
}
NO_OFFSET = {"multinomial"}
NULL_APART = {"firth"}  # its null model is without the penalty


@cache
def fitted(name):
    return MODELS[name](D)


def z_values(r):
    return np.array([t["statistic"] for t in r.tidy()])


def said(r):
    return " | ".join(r.certificate.problems)


# --- scale ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1e6, 1e-6])
@pytest.mark.parametrize("name", MODELS)
def test_a_column_in_other_units_changes_only_its_own_coefficient(name, factor):
    a, b = fitted(name), MODELS[name]({**D, "x": factor * X})
    assert a.converged and b.converged
    own = np.array([label.split(":")[-1] == "x" or label == "x" or label.endswith("[x]") for label in a.labels])
    assert own.any()
    np.testing.assert_allclose(b.coef * np.where(own, factor, 1.0), a.coef, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(z_values(b), z_values(a), rtol=1e-6, atol=1e-8)
    if name not in ("quasi-poisson", "tweedie", "firth"):  # no likelihood; a penalty in units of the columns
        assert b.loglik == pytest.approx(a.loglik, rel=1e-9)


# --- separation, collinearity, empty and single categories ------------------------------------------------------------


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_a_category_without_events_is_named_and_the_others_stay(family):
    y = np.where(G == "c", 0.0, D["yes"])
    r = bb.glm("y ~ x + g", {**D, "y": y}, family=family)
    assert not r.converged and "g[T.c] runs to -inf" in said(r)
    keep = G != "c"
    rest = bb.glm("y ~ x + g", {k: v[keep] for k, v in {**D, "y": y}.items()}, family=family)
    np.testing.assert_allclose(r.coef[:3], rest.coef[:3], rtol=1e-6)
    np.testing.assert_allclose(r.se()[:3], rest.se()[:3], rtol=1e-6)
    assert np.isnan(r.se()[3])


def test_perfect_separation_names_the_column_and_firth_is_finite():
    d = {**D, "y": (X > 0) * 1.0}
    r = bb.glm("y ~ x + z", d, family="binomial")
    assert not r.converged and "x" in said(r) and np.isfinite(r.coef).all() and np.isnan(r.bse["x"])
    f = bb.firth("y ~ x + z", d)
    assert f.converged and np.isfinite(f.se()).all()


@pytest.mark.parametrize("name", [k for k in MODELS if k != "firth"])
def test_a_column_twice_is_named_and_what_is_determined_stays(name):
    b = MODELS[name]({**D, "z": 2 * X})
    assert fitted(name).converged and not b.converged and "x" in said(b) and "z" in said(b)
    lost = np.isnan(b.se())
    assert lost.any()
    assert all(("x" in label or "z" in label) for label in np.array(b.labels)[lost])
    alone = MODELS[name]({**D, "z": X})  # the same column in other units
    np.testing.assert_allclose(alone.se()[~lost], b.se()[~lost], rtol=1e-5)


def test_a_constant_column_is_named():
    r = bb.glm("y ~ x + k", {**D, "k": np.full(N, 3.0)})
    assert not r.converged and "k" in said(r) and "Intercept" in said(r) and np.isfinite(r.bse["x"])


def test_more_columns_than_rows_is_said():
    d = {k: v[:4] for k, v in D.items()}
    r = bb.glm("y ~ x + z + w + o + count", d)
    assert not r.converged and np.isnan(r.se()).any() and r.certificate.problems


def test_an_empty_category_is_no_row_and_its_coefficient_is_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(D)
    frame["g"] = pandas.Categorical(G, categories=["a", "b", "c", "never"])
    r = bb.glm("y ~ x + g", frame)
    assert "g[T.never]" not in r.labels or "g[T.never]" in said(r)
    np.testing.assert_allclose(r.fittedvalues, bb.glm("y ~ x + g", D).fittedvalues, rtol=1e-9)


def test_one_class_only_is_said():
    r = bb.glm("y ~ x", {**D, "y": np.ones(N)}, family="binomial")
    assert not r.converged and r.certificate.problems and r.loglik == pytest.approx(0.0, abs=1e-6)


# --- rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_missing_values_are_counted_said_and_are_rows_left_out(name):
    holes = X.copy()
    holes[[3, 50]] = np.nan
    r = MODELS[name]({**D, "x": holes})
    keep = ~np.isnan(holes)
    whole = MODELS[name]({k: v[keep] for k, v in D.items()})
    np.testing.assert_allclose(r.coef, whole.coef, rtol=1e-7)
    assert r.nobs == N - 2 and f"2 of {N} rows are left out for missing values: 2 of 'x'" in str(r.summary())


def test_predictions_keep_the_order_of_rows_and_missing_ones_are_missing():
    r = bb.glm("y ~ x + g", D)
    rows = {"x": [0.1, np.nan, 0.3], "g": ["c", "a", "b"]}
    value = r.predict(rows).value
    assert np.isnan(value[1])
    single = [r.predict({"x": [x], "g": [g]}).value[0] for x, g in (((0.1), "c"), (0.3, "b"))]
    np.testing.assert_allclose(value[[0, 2]], single)


def test_unseen_categories_are_named():
    with pytest.raises(ValueError, match="'zebra'"):
        bb.glm("y ~ g", D).predict({"g": ["a", "zebra"]})


def test_ordered_levels_keep_their_order():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(D)
    frame["grade"] = pandas.Categorical(D["grade"], categories=["l", "m", "h"], ordered=True)
    np.testing.assert_array_equal(bb.ordinal("grade ~ x", frame).coef, bb.ordinal("grade ~ x", D, levels=GRADES).coef)
    assert bb.glm("y ~ grade", D, levels=GRADES).labels == ["Intercept", "grade[T.m]", "grade[T.h]"]


# --- weights, offsets, exposures, in every method ---------------------------------------------------------------------

METHODS = {
    "coef": lambda r, rows: r.coef,
    "loglik": lambda r, rows: [r.loglik, r.aic, r.bic],
    "null": lambda r, rows: r.null_loglik,
    "deviance": lambda r, rows: [r.deviance, r.null_deviance],
    "se": lambda r, rows: r.se(),
    "expected": lambda r, rows: r.se("expected"),
    "opg": lambda r, rows: r.se("opg"),
    "sandwich": lambda r, rows: r.se("sandwich"),
    "factor": lambda r, rows: r.cov_params("sandwich", ssc="full"),
    "wald": lambda r, rows: r.test("x = 0").p_value,
    "lr": lambda r, rows: r.test("x = 0", kind="lr").p_value,
    "score": lambda r, rows: r.test("x = 0", kind="score").p_value,
    "profile": lambda r, rows: r.conf_int(method="profile", parm="x"),
    "score interval": lambda r, rows: r.conf_int(method="score", parm="x"),
    "restricted": lambda r, rows: r.fix({"x": 0.1}).loglik,
    "slopes": lambda r, rows: r.avg_slopes().value,
    "predictions": lambda r, rows: [r.avg_predictions().value, r.avg_predictions().se],
    "fitted": lambda r, rows: r.fittedvalues[rows],
}
REPEATED = np.repeat(np.arange(N), D["w"].astype(int))
FIRST = np.searchsorted(REPEATED, np.arange(N))


@cache
def weighted_and_repeated(name):
    options = {"ties": "breslow"} if name == "cox" else {}
    return MODELS[name](D, weights="w", **options), MODELS[name]({k: v[REPEATED] for k, v in D.items()}, **options)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "name", ["gaussian", "binomial", "poisson", "negative-binomial", "gamma", "cox", "survival", "censored"]
)
def test_frequency_weights_are_repeated_rows_in_every_method(name, method):
    a, b = weighted_and_repeated(name)
    try:
        expected = METHODS[method](b, FIRST)
    except NotDefined:
        with pytest.raises(NotDefined):
            METHODS[method](a, np.arange(N))
        return
    np.testing.assert_allclose(METHODS[method](a, np.arange(N)), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", [k for k in MODELS if k not in NO_OFFSET])
def test_an_offset_is_a_coefficient_of_one_and_the_null_model_has_it(name):
    a = MODELS[name](D, offset="o")
    assert abs(a.coef - fitted(name).coef).max() > 1e-4
    try:
        null = a.null_loglik
    except NotDefined:
        return
    if "Intercept" in a.labels and name not in NULL_APART:
        assert a.fix({"x": 0.0, "z": 0.0}).loglik == pytest.approx(null, rel=1e-8)


def test_an_exposure_is_its_logarithm_as_an_offset():
    e = np.exp(D["o"])
    a = bb.glm("count ~ x", {**D, "e": e}, family="poisson", exposure="e")
    b = bb.glm("count ~ x + offset(o)", D, family="poisson")
    np.testing.assert_allclose(a.coef, b.coef, rtol=1e-12)
    assert a.null_deviance == pytest.approx(b.null_deviance, rel=1e-12)


def test_the_intercept_is_never_penalized_and_nothing_is_by_default():
    d = {**D, "y": D["y"] + 1000.0}
    far = bb.glm("y ~ x", d, penalty=1e9)
    assert far.params["Intercept"] == pytest.approx(np.mean(d["y"]), rel=1e-9)
    assert far.params["x"] == pytest.approx(0.0, abs=1e-5)
    np.testing.assert_allclose(bb.glm("y ~ x", d).coef, np.polyfit(X, d["y"], 1)[::-1], rtol=1e-9)


# --- every method, every model; what is missing has a reason -----------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_every_result_prints(name):
    r = fitted(name)
    assert "converged" in repr(r) and str(r.summary()) and r.summary()._repr_html_()


def test_a_likelihood_that_is_not_finite_names_the_row_and_the_values():
    def rows(p, d):
        return np.log(d.y - p.a) * 0 - (d.y - p.a - 1) ** 2 + 0 * p.a

    y = np.array([3.0, 4.0, -2.0, 5.0])
    with np.errstate(all="ignore"), pytest.raises((ValueError, bb.NonFinite), match=r"a = 0.*row[s]? 2"):
        bb.MLE(rows, {"a": bb.Real()}).fit({"y": y}, start={"a": 0.0})


def test_a_search_backs_away_from_where_the_likelihood_is_not_finite():
    y = np.array([0.3, 1.2, 2.5, 0.1])

    def rows(p, d):  # the rate may be searched anywhere, and has no logarithm below 0
        return np.log(p.rate) - p.rate * d.y

    with np.errstate(all="ignore"):
        r = bb.MLE(rows, {"rate": bb.Real(start=5.0)}).fit({"y": y})
    assert r.converged and r.coef[0] == pytest.approx(1 / y.mean(), rel=1e-9)


def test_minus_a_log_likelihood_is_asked_about():
    def rows(p, d):
        return (d.y - p.level) ** 2

    r = bb.MLE(rows, {"level": bb.Real()}).fit(D)
    assert not r.converged and "sign=-1" in said(r) and np.isnan(r.se()).all()
    assert bb.MLE(rows, {"level": bb.Real()}, sign=-1).fit(D).coef[0] == pytest.approx(D["y"].mean())


@pytest.mark.parametrize("kind, here", [("HC1", 'ssc="full"'), ("newey-west", 'kind="hac"'), ("robust", '"sandwich"')])
def test_what_others_call_a_covariance_is_answered_by_its_name_here(kind, here):
    with pytest.raises(ValueError, match=here):
        fitted("poisson").with_cov(kind)


def test_a_standard_error_that_is_missing_has_a_reason_with_its_name():
    def rows(p, d):
        return -((d.y - p.level - p.shift) ** 2) - p.other**2

    r = bb.MLE(rows, {"level": bb.Real(), "shift": bb.Real(), "other": bb.Real()}).fit(D)
    missing = [label for label, s in zip(r.labels, r.se(), strict=True) if np.isnan(s)]
    assert missing == ["level", "shift"] and all(label in said(r) for label in missing)
    assert "! not identified" in str(r.summary())


def test_a_file_of_a_result_has_no_data_and_no_code(tmp_path):
    path = tmp_path / "fit.json"
    r = bb.glm("cost ~ x + g", D, family="gamma", link="log")
    r.save(path)
    text = path.read_text(encoding="utf-8")
    assert not any(repr(float(v)) in text for v in D["cost"]) and "lambda" not in text and "import" not in text
    np.testing.assert_array_equal(bb.load(path).coef, r.coef)


@pytest.mark.parametrize("y, end", [(np.ones(20), "1"), (np.zeros(20), "0")])
def test_an_estimate_at_the_end_of_its_domain_is_no_maximum(y, end):
    def rows(p, d):  # 0 log 0 is no number where q is rounded to 1
        return d.y * np.log(p.q) + (1 - d.y) * np.log(1 - p.q)

    r = bb.MLE(rows, {"q": bb.UnitInterval()}).fit({"y": y})
    assert not r.converged and f"q runs to {end}" in said(r) and np.isnan(r.se()).all()


NEW = {"x": [0.2, -0.4], "z": [0.1, 0.3], "o": [0.5, -1.0], "e": [2.0, 0.5]}
WITH_OFFSET = {
    **{k: v for k, v in MODELS.items() if k not in NO_OFFSET and k not in ("ordinal", "survival", "beta")},
    "quantile": lambda d, **o: bb.quantile_regression("y ~ x + z", d, **o),
    "robust": lambda d, **o: bb.robust_regression("y ~ x + z", d, **o),
}


@pytest.mark.parametrize("name", WITH_OFFSET)
def test_predictions_of_new_rows_have_the_offset_of_the_fit(name):
    named = WITH_OFFSET[name](D, offset="o")
    rest = {k: v for k, v in NEW.items() if k != "o"}
    np.testing.assert_allclose(
        named.predict(NEW).value, named.predict({**NEW, "o": [0.0, 0.0]}, offset=NEW["o"]).value, rtol=1e-12
    )
    assert (named.predict(NEW).value != named.predict({**NEW, "o": [0.0, 0.0]}).value).all()
    with pytest.raises(ValueError, match="'o'"):
        named.predict(rest)


def test_predictions_of_new_rows_have_the_exposure_of_the_fit(tmp_path):
    d = {**D, "e": np.exp(D["o"])}
    named = bb.glm("count ~ x", d, family="poisson", exposure="e")
    by_formula = bb.glm("count ~ x + offset(log(e))", d, family="poisson")
    np.testing.assert_allclose(named.predict(NEW).value, by_formula.predict(NEW).value, rtol=1e-9)
    np.testing.assert_allclose(named.predict(d).value, named.fittedvalues)
    named.save(tmp_path / "fit.json")
    np.testing.assert_array_equal(bb.load(tmp_path / "fit.json").predict(NEW).value, named.predict(NEW).value)
    net = bb.elastic_net("count ~ x + z", D, "poisson", offset="o", n_lambdas=5)
    lam = float(net.lambdas[2])
    np.testing.assert_allclose(net.predict(D, lam), net.predict(lam=lam))
