"""The two regressions: figures beside statsmodels, units, weights, collinearity, separation, everything a result says."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import bibun as bb
from bibun.models.domains import Positive, Real
from bibun.models.likelihood import MLE
from bibun.models.regression import linear, logistic, multinomial

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "regressions.json").read_text(encoding="utf-8"))
X, Y, B, C, W, OFFSET = (np.array(GOLDEN[k], float) for k in ("X", "y", "b", "c", "w", "offset"))
NAMES = ["const", "x1", "x2", "x3"]
METHODS = ["newton", "lbfgs", "gradient-descent"]


def near(found, right, rtol=1e-10):
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * np.abs(right).max())


def repeated(a):
    return np.repeat(a, W.astype(int), axis=0)


# --- beside statsmodels ------------------------------------------------------------------------------------------------


def test_linear_is_statsmodels():
    g, r = GOLDEN["ols"], linear(X, Y, NAMES)
    near(r.coef, g["coef"])
    near(r.se(), g["bse"])
    near(r.loglik, g["loglik"])
    near(r.rsquared, g["rsquared"])
    near(r.conf_int(0.9), g["conf_int"])
    near(r.se("sandwich"), g["hc0"])
    near(r.predict(X[:3]).se, g["se_mean"])
    near([t["p_value"] for t in r.tidy()], g["p_value"], 1e-9)
    near([t["statistic"] for t in r.tidy()], g["statistic"])
    test = r.test("x1 = 0, x3 = 0")
    near([test.statistic, test.p_value], [g["f"], g["f_p"]], 1e-9)
    assert (r.statistic, r.df_resid, r.converged) == ("t", 76.0, True)
    assert "F(2, 76)" in repr(test)


@pytest.mark.parametrize("method", METHODS)
def test_logistic_is_statsmodels(method):
    g, r = GOLDEN["logit"], logistic(X, B, NAMES, offset=OFFSET, method=method)
    near(r.coef, g["coef"])
    near(r.se(), g["bse"])
    near(r.loglik, g["loglik"])
    near(r.conf_int(0.9), g["conf_int"])
    near(r.se("sandwich"), g["hc0"], 1e-9)
    near([t["p_value"] for t in r.tidy()], g["p_value"], 1e-9)
    near(r.test("x1, x3").statistic, g["wald"], 1e-9)
    assert (r.statistic, r.converged) == ("z", True)


@pytest.mark.parametrize("method", METHODS)
def test_multinomial_is_statsmodels(method):
    g, r = GOLDEN["mnlogit"], multinomial(X, C, NAMES, ["a", "b", "c"], method=method)
    near(r.coef, g["coef"])
    near(r.se(), g["bse"], 1e-9)
    near(r.loglik, g["loglik"])
    assert r.labels[:2] == ["b:const", "b:x1"] and r.converged


@pytest.mark.parametrize("method", METHODS)
def test_linear_by_search_is_linear(method):
    r = linear(X, Y, NAMES, method=method)
    near(r.coef, GOLDEN["ols"]["coef"])
    assert r.search.nit >= 1 and r.converged
    assert linear(X, Y, NAMES, method=method, maxiter=1).nobs == 80


# --- laws ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1e6, 1e-6, 1e100, 1e-100])
@pytest.mark.parametrize("fit, y", [(linear, Y), (logistic, B)])
def test_units_change_nothing_but_their_own_coefficient(fit, y, factor):
    a, b = fit(X, y, NAMES), fit(X * [1, 1, factor, 1], y, NAMES)
    assert abs(a.loglik - b.loglik) < 1e-9
    near(b.coef * [1, 1, factor, 1], a.coef, 1e-9)
    with np.errstate(under="ignore", over="ignore"):
        near([t["statistic"] for t in b.tidy()], [t["statistic"] for t in a.tidy()], 1e-6)
    assert b.converged


@pytest.mark.parametrize("factor", [1e6, 1e-6])
def test_units_change_nothing_where_columns_are_collinear_or_classes_separated(factor):
    A = np.column_stack([X, X[:, 1] + X[:, 3], X[:, 1] > 0.5])
    y = np.where(A[:, 5] == 1, 1.0, B)
    names = [*NAMES, "sum", "sure"]
    a = logistic(A, y, names)
    for k in range(6):
        scale = np.where(np.arange(6) == k, factor, 1.0)
        b = logistic(A * scale, y, names)
        near(b.coef * scale, a.coef, 1e-7)
        assert abs(a.loglik - b.loglik) < 1e-9
        assert (b.certificate.undetermined == a.certificate.undetermined).all()
        assert b.certificate.problems[1] == a.certificate.problems[1]


@pytest.mark.parametrize("kind", ["observed", "opg", "sandwich"])
@pytest.mark.parametrize("fit, y", [(linear, Y), (logistic, B)])
def test_weights_are_repeated_rows(fit, y, kind):
    a = fit(X, y, NAMES, weights=W, offset=OFFSET)
    b = fit(repeated(X), repeated(y), NAMES, offset=repeated(OFFSET))
    near(a.coef, b.coef)
    near(a.cov_params(kind), b.cov_params(kind))
    assert set(a.glance()) == set(b.glance())
    for name, value in b.glance().items():
        if isinstance(value, float):
            near(a.glance()[name], value)
    assert repr(a.test("x1 = x3")) == repr(b.test("x1 = x3"))


def test_weighted_linear_is_statsmodels_on_repeated_rows():
    g, r = GOLDEN["ols weighted"], linear(X, Y, NAMES, weights=W)
    near(r.coef, g["coef"])
    near(r.se(), g["bse"])
    near([r.loglik, r.rsquared], [g["loglik"], g["rsquared"]])


def test_weights_are_repeated_rows_where_classes_are_separated():
    y = (X[:, 1] > 0.2).astype(float)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        a, b = logistic(X, y, NAMES, weights=W), logistic(repeated(X), repeated(y), NAMES)
    near(a.coef, b.coef, 1e-8)
    assert a.certificate.problems == b.certificate.problems
    zero = np.where(X[:, 3] == 1, 0.0, 1.0)
    near(logistic(X, B, NAMES, weights=zero).coef[:3], logistic(X[zero == 1, :3], B[zero == 1], NAMES[:3]).coef, 1e-9)


def test_proportions_are_weighted_successes_and_failures():
    share = np.linspace(0.1, 0.9, 80)
    a = logistic(X, share, NAMES, weights=W)
    b = logistic(
        np.vstack([X, X]), np.repeat([1.0, 0.0], 80), NAMES, weights=np.concatenate([W * share, W * (1 - share)])
    )
    near(a.coef, b.coef)
    near(a.se(), b.se())


def test_the_derivatives_are_those_of_the_likelihood():
    r = logistic(X, B, NAMES, offset=OFFSET)
    f = lambda b: np.sum(np.logaddexp(0.0, X @ b + OFFSET) - B * (X @ b + OFFSET))
    assert np.abs(bb.grad(f)(r.coef)).max() < 1e-9
    near(r.cov_params(), np.linalg.inv(bb.hessian(f)(r.coef)), 1e-9)
    assert r.scores().shape == (80, 4)


def test_linear_is_the_likelihood_with_its_variance_free():
    def loglik(p, d):
        return -0.5 * ((d.y - d.X @ p.b) / p.s) ** 2 - np.log(p.s) - 0.5 * np.log(2 * np.pi)

    m = MLE(loglik, {"b": Real(4), "s": Positive()}).fit({"X": X, "y": Y})
    r = linear(X, Y, NAMES)
    near([r.loglik, r.aic, r.bic], [m.loglik, m.aic, m.bic])
    near(r.conf_int(method="profile"), m.conf_int(method="profile")[:4], 1e-7)
    assert r.compare(linear(X[:, :2], Y, NAMES[:2])).lr.df == 2


def test_a_profile_end_is_where_the_likelihood_ratio_says():
    from scipy.special import chdtri

    r = logistic(X, B, NAMES)
    for k in (1, 2):
        for end in r.conf_int(method="profile", parm=NAMES[k])[0]:
            rest = [j for j in range(4) if j != k]
            held = logistic(X[:, rest], B, [NAMES[j] for j in rest], offset=X[:, k] * end)
            near(2 * (r.loglik - held.loglik), chdtri(1, 0.05), 1e-8)


def test_near_columns_are_not_taken_for_collinear():
    year = np.arange(1950.0, 2010.0)
    y = (np.random.default_rng(3).uniform(size=60) < 0.3 + 0.4 * (year > 1980)).astype(float)
    z = (year - 1980) / 10
    a = logistic(year[:, None] ** [0, 1, 2], y, ["const", "year", "square"])
    b = logistic(z[:, None] ** [0, 1, 2], y, ["const", "year", "square"])
    assert a.converged and abs(a.loglik - b.loglik) < 1e-9
    near(a.coef[2] * 100, b.coef[2], 1e-8)
    near(a.conf_int(method="profile")[2] * 100, b.conf_int(method="profile")[2], 1e-6)


# --- what is not determined --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit, y", [(linear, Y), (logistic, B)])
def test_collinear_columns_are_named(fit, y):
    A = np.column_stack([X, 2 * X[:, 1] - X[:, 3], np.zeros(80)])
    r = fit(A, y, [*NAMES, "extra", "none"])
    assert not r.converged
    assert r.certificate.problems == [
        "collinear columns: extra = 2 x1 - x3; none is 0 in every row; not determined: x1, x3, extra, none"
    ]
    s = fit(X, y, NAMES)
    near(r.loglik, s.loglik)
    near([r.bse["const"], r.bse["x2"], r.params["x2"]], [s.bse["const"], s.bse["x2"], s.params["x2"]], 1e-9)
    assert np.isnan([r.bse[n] for n in ("x1", "x3", "extra", "none")]).all()
    near(r.predict().value, s.predict().value, 1e-9)
    near(r.predict().se, s.predict().se, 1e-8)
    assert np.isnan(r.predict(np.eye(6)).se[[1, 3, 4, 5]]).all()
    norms = np.linalg.norm(A, axis=0)
    assert abs((r.coef * norms) @ ([0, 2, 0, -1, -1, 0] * norms)) < 1e-8  # the shortest: no part along the null vector
    assert r.df_model == s.df_model and r.df_resid == s.df_resid
    assert "! collinear columns: extra = 2 x1 - x3" in str(r.summary())
    with pytest.raises(ValueError, match="x1 is not determined"):
        r.test("x1 = 0")
    assert np.isnan(r.conf_int(method="profile")[1]).all() and np.isfinite(r.conf_int(method="profile")[0]).all()


def test_a_constant_beside_the_intercept():
    r = linear(np.column_stack([X, np.full(80, 3.0)]), Y, [*NAMES, "three"])
    assert "three = 3 const" in r.certificate.problems[0]


@pytest.mark.parametrize("fit", [linear, logistic])
def test_more_columns_than_rows(fit):
    A = np.random.default_rng(0).normal(size=(8, 20))
    r = fit(A, np.array([0.0, 1, 0, 1, 1, 0, 1, 0]), [f"c{k}" for k in range(20)])
    assert not r.converged and np.isnan(r.se()).all() and np.isfinite(r.coef).all()
    assert "of which 8 are independent" in r.certificate.problems[0]
    str(r.summary()), r.glance(), r.predict().conf_int(), r.residuals("pearson"), r.conf_int(method="profile")
    if fit is linear:
        assert "none is left to estimate the error from" in r.certificate.problems[1]
        near(r.predict().value, [0, 1, 0, 1, 1, 0, 1, 0], 1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_separation_is_named(method):
    y = (X[:, 1] > 0.2).astype(float)
    r = logistic(X, y, NAMES, method=method)
    assert r.certificate.problems[0] == "no finite maximum: the log-likelihood still rises as x1 runs to +inf"
    assert not r.converged and np.isnan(r.se()).all() and np.isfinite(r.coef).all()
    assert logistic(X, 1 - y, NAMES, method=method).certificate.problems[0].endswith("x1 runs to -inf")
    if method != "gradient-descent":  # it takes its time
        assert -1e-6 < r.loglik <= 0


def test_quasi_separation_leaves_the_others_as_the_rows_left_have_them():
    sure = (X[:, 1] > 0.5) * 1.0
    y = np.where(sure == 1, 1.0, B)
    r = logistic(np.column_stack([X, sure]), y, [*NAMES, "sure"])
    assert r.certificate.problems == ["no finite maximum: the log-likelihood still rises as sure runs to +inf"]
    left = sure == 0
    s = logistic(X[left], y[left], NAMES)
    near(r.coef[:4], s.coef, 1e-7)
    near(r.se()[:4], s.se(), 1e-7)
    assert np.isnan(r.bse["sure"])
    assert np.isfinite(r.predict().se[left]).all() and np.isnan(r.predict().se[~left]).all()


def test_two_separated_groups_are_both_named():
    one, two = (X[:, 1] > 0.8) * 1.0, (X[:, 1] < -0.8) * 1.0
    y = np.where(one == 1, 1.0, np.where(two == 1, 0.0, B))
    said = " ".join(logistic(np.column_stack([X, one, two]), y, [*NAMES, "one", "two"]).certificate.problems)
    assert "one runs to +inf" in said and "two runs to -inf" in said


def test_one_class_only_and_multinomial_separation():
    r = logistic(X, np.ones(80), NAMES)
    assert "const runs to +inf" in r.certificate.problems[0] and r.null_loglik == 0
    c = np.where(X[:, 1] > 1, 2, B)
    r = multinomial(X, c, NAMES, ["a", "b", "c"])
    assert "c:x1 runs to +inf" in r.certificate.problems[0]
    assert np.isfinite(r.se()[:4]).all() and np.isnan(r.se()[4:]).all()


def test_large_coefficients_that_exist_are_no_separation():
    x = np.repeat([-20.0, 0.0, 20.0], 50)
    y = np.concatenate([np.zeros(50), np.arange(50) % 2, np.ones(50)])
    y[0], y[-1] = 1.0, 0.0
    assert logistic(np.column_stack([np.ones(150), x]), y, ["const", "x"]).converged
    y = np.concatenate([np.zeros(50), np.arange(50) % 2, np.ones(50)])
    assert not logistic(np.column_stack([np.ones(150), x]), y, ["const", "x"]).converged


@pytest.mark.parametrize("method", METHODS)
def test_a_search_cut_short_says_so(method):
    r = logistic(X, B, NAMES, method=method, maxiter=1)
    assert not r.converged and f"{method} stopped after 1 iterations" in r.certificate.problems[0]


# --- penalties, null models, and the rest of the result -------------------------------------------------------------


def test_a_penalty_spares_the_intercept_and_counts_parameters_as_they_are_free():
    r = linear(X, Y, NAMES, penalty=2.5)
    centred = X[:, 1:] - X[:, 1:].mean(axis=0)
    b = np.linalg.solve(centred.T @ centred + 2.5 * np.eye(3), centred.T @ Y)
    near(r.coef[1:], b)
    near(r.coef, linear(X, Y, NAMES, penalty=[0, 2.5, 2.5, 2.5]).coef)
    assert 2 < r.df_model < 5
    q = logistic(X, B, NAMES, penalty=2.5)
    loss = lambda b: np.sum(np.logaddexp(0, X @ b) - B * (X @ b)) + 1.25 * np.sum(b[1:] ** 2)
    assert np.abs(bb.grad(loss)(q.coef)).max() < 1e-9
    near(q.cov_params(), np.linalg.inv(bb.hessian(loss)(q.coef)), 1e-9)
    assert q.loglik < logistic(X, B, NAMES).loglik and 1 < q.df_model < 4
    assert np.isfinite(q.conf_int(method="profile")).all()


def test_a_penalty_ends_separation_and_collinearity():
    y = (X[:, 1] > 0.2).astype(float)
    assert logistic(X, y, NAMES, penalty=1.0).converged
    assert linear(np.column_stack([X, X[:, 1]]), Y, [*NAMES, "again"], penalty=1.0).converged


def test_the_null_model_keeps_weights_and_offset():
    one = np.ones((80, 1))
    r = logistic(X, B, NAMES, weights=W, offset=OFFSET)
    near(r.null_loglik, logistic(one, B, ["const"], weights=W, offset=OFFSET).loglik)
    near(r.null_deviance - r.deviance, 2 * (r.loglik - r.null_loglik))
    r = linear(X, Y, NAMES, weights=W, offset=OFFSET)
    near(r.null_deviance, linear(one, Y, ["const"], weights=W, offset=OFFSET).deviance)
    bare = logistic(X[:, 1:2], B, ["x1"], offset=OFFSET)
    near(bare.null_loglik, -np.sum(np.logaddexp(0, OFFSET) - B * OFFSET))
    sums = linear(np.column_stack([X[:, 3], 1 - X[:, 3]]), Y, ["no", "yes"])  # a constant without a constant column
    near(sums.null_deviance, np.sum((Y - Y.mean()) ** 2))


def test_everything_a_result_says():
    r = logistic(X, B, NAMES, offset=OFFSET)
    assert list(r.params) == r.labels == NAMES
    p = r.predict()
    assert p.value.shape == p.se.shape == (80,)
    ends = p.conf_int()
    assert ((ends > 0) & (ends < 1)).all() and (ends[:, 0] < p.value).all() and (p.value < ends[:, 1]).all()
    ratio = r.delta(lambda q: q["x1"] / q.x2)
    near(ratio.value, r.params["x1"] / r.params["x2"])
    near(np.sum(r.residuals("deviance") ** 2), r.deviance)
    near(r.residuals(), B - p.value)
    assert r.residuals("pearson").shape == (80,)
    assert "Logistic regression" in str(r.summary()) and "P>|z|" in str(r.summary())
    s = linear(X, Y, NAMES)
    assert "Linear regression" in str(s.summary()) and "P>|t|" in str(s.summary())
    assert s.predict().conf_int().shape == (80, 2)
    near(s.residuals(), Y - s.predict().value, 1e-9)
    assert {"family", "rsquared", "residual_se", "df_resid"} <= set(s.glance())
    for fit in (r, s, multinomial(X, C, NAMES, ["a", "b", "c"])):
        again = pickle.loads(pickle.dumps(fit))
        near(again.cov_params("sandwich"), fit.cov_params("sandwich"))
        assert copy.deepcopy(fit).loglik == fit.loglik
        json.dumps(fit.glance()), json.dumps(fit.tidy())


def test_an_exact_fit_has_no_errors():
    with np.errstate(all="raise"):
        r = linear(X, X @ [1.0, 2.0, 4.0, 8.0], NAMES)
    assert r.scale < 1e-25 and r.rsquared == 1
    zero = linear(X, np.zeros(80), NAMES)
    assert (zero.se() == 0).all() and zero.loglik == np.inf
    str(zero.summary())


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"X": X[:5]}, "y has a value for each row"),
        ({"names": ["a"]}, "1 names for 4 columns"),
        ({"names": ["a", "a", "b", "c"]}, "names of a parameter must differ"),
        ({"weights": W[:5]}, "weights of shape (5,) for 80 rows"),
        ({"weights": -W}, "weights are finite numbers"),
        ({"weights": 0 * W}, "not all zero"),
        ({"offset": OFFSET * np.nan}, "offset is missing or infinite in 80 rows"),
        ({"X": np.where(X[3, 2] == X, np.nan, X)}, "missing or infinite values in x2"),
        ({"X": np.zeros((80, 0)), "names": []}, "is empty"),
        ({"penalty": -1.0}, "a number ≥ 0"),
        ({"method": "magic"}, "newton, lbfgs, gradient-descent"),
    ],
)
@pytest.mark.parametrize("fit", [linear, logistic])
def test_mistakes_are_refused_in_a_sentence(fit, change, sentence):
    import re

    with pytest.raises(ValueError, match=re.escape(sentence)):
        fit(**{"X": X, "y": B, "names": NAMES, **change})


def test_a_response_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match="y goes from 1 to 2"):
        logistic(X, B + 1, NAMES)
    with pytest.raises(ValueError, match="class number from 0 to 1"):
        multinomial(X, C, NAMES, ["a", "b"])
