"""LinearRegression and LogisticRegression: figures beside scikit-learn, tables in, warnings by name."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bibun.estimators import LinearRegression, LogisticRegression, NotIdentified
from bibun.models.regression import linear, logistic

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "regressions.json").read_text(encoding="utf-8"))
DESIGN, Y, B, C, W = (np.array(GOLDEN[k], float) for k in ("X", "y", "b", "c", "w"))
X = DESIGN[:, 1:]
SOLVERS = ["newton", "lbfgs", "gradient-descent"]


def near(found, right, rtol=1e-10):
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * np.abs(right).max())


@pytest.mark.parametrize("solver", ["qr", *SOLVERS])
def test_linear_regression(solver):
    m = LinearRegression(solver=solver).fit(X, Y)
    near([m.intercept_, *m.coef_], GOLDEN["ols"]["coef"])
    near(m.bse_, GOLDEN["ols"]["bse"])
    near(m.score(X, Y), GOLDEN["ols"]["rsquared"])
    assert m.coef_.shape == (3,) and isinstance(m.intercept_, float) and m.bse_.shape == (4,)
    assert m.n_iter_ >= 1 and m.n_features_in_ == 3
    assert m.result_.labels == ["const", "x0", "x1", "x2"] and "x2" in str(m.summary())


def test_ridge_is_scikit_learns():
    m = LinearRegression(alpha=2.5).fit(X, Y)
    near(m.coef_, GOLDEN["ridge"]["coef"])
    near(m.intercept_, GOLDEN["ridge"]["intercept"])


def test_without_intercept():
    m = LinearRegression(fit_intercept=False).fit(X, Y)
    near(m.coef_, np.linalg.lstsq(X, Y, rcond=None)[0])
    assert m.intercept_ == 0.0 and m.bse_.shape == (3,)
    q = LogisticRegression(fit_intercept=False).fit(X, B)
    near(q.coef_[0], logistic(X, B, ["a", "b", "c"]).coef)
    assert q.intercept_.tolist() == [0.0] and q.bse_.shape == (3,)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name, y", [("l2", B), ("l2 multinomial", C)])
def test_penalized_logistic_is_scikit_learns(name, y, solver):
    m = LogisticRegression(C=0.7, solver=solver).fit(X, y, sample_weight=W)
    near(m.coef_, GOLDEN[name]["coef"], 1e-9)
    # scikit-learn leaves the level of K intercepts open; ours sum to 0
    right = np.array(GOLDEN[name]["intercept"])
    near(m.intercept_, right - (right.mean() if len(right) > 1 else 0), 1e-9)
    near(m.predict_proba(X[:3]), GOLDEN[name]["proba"], 1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_logistic_regression_has_no_penalty_by_default(solver):
    r = logistic(DESIGN, B, ["const", "x0", "x1", "x2"])
    m = LogisticRegression(solver=solver).fit(X, B)
    near([*m.intercept_, *m.coef_[0]], r.coef)
    near(m.bse_, r.se())
    assert m.coef_.shape == (1, 3) and m.n_iter_.shape == (1,)
    near(m.decision_function(X), DESIGN @ r.coef)
    near(np.exp(m.predict_log_proba(X)), m.predict_proba(X))
    assert m.score(X, B) == np.mean(m.predict(X) == B)


@pytest.mark.parametrize("solver", SOLVERS)
def test_multinomial_is_symmetric_and_its_result_is_against_the_first_class(solver):
    m = LogisticRegression(solver=solver).fit(X, np.array(["a", "b", "c"])[C.astype(int)])
    assert m.coef_.shape == (3, 3) and m.intercept_.shape == (3,) and m.bse_.shape == (3, 4)
    near(np.abs(m.coef_.sum(axis=0)) + 1, np.ones(3), 1e-12)
    both = np.column_stack([m.intercept_, m.coef_])
    near((both[1:] - both[0]).ravel(), GOLDEN["mnlogit"]["coef"])
    near(m.result_.se(), GOLDEN["mnlogit"]["bse"], 1e-9)
    assert m.classes_.tolist() == ["a", "b", "c"] and m.result_.labels[0] == "b:const"
    near(m.predict_proba(X).sum(axis=1), np.ones(80))
    d = m.result_.delta(lambda p: -(p["b:const"] + p["c:const"]) / 3)
    near([d.value, d.se], [m.intercept_[0], m.bse_[0, 0]], 1e-9)
    first = {"c": 0, "a": 1, "b": 2}  # which class is first changes nothing
    again = LogisticRegression(solver=solver).fit(
        X, np.array([first[k] for k in np.array(["a", "b", "c"])[C.astype(int)]])
    )
    near(again.coef_[[1, 2, 0]], m.coef_, 1e-9)
    near(again.bse_[[1, 2, 0]], m.bse_, 1e-9)


@pytest.mark.parametrize(
    "estimator, y", [(LinearRegression(), Y), (LogisticRegression(), B), (LogisticRegression(), C)]
)
def test_weights_are_repeated_rows(estimator, y):
    a = clone(estimator).fit(X, y, sample_weight=W)
    rows = np.repeat(np.arange(80), W.astype(int))
    b = clone(estimator).fit(X[rows], y[rows])
    near(a.coef_, b.coef_)
    near(a.bse_, b.bse_)
    near(clone(estimator).fit(X, y, sample_weight=2.0).bse_ * np.sqrt(2), clone(estimator).fit(X, y).bse_, 0.02)


@pytest.mark.parametrize("frame", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("estimator, y", [(LinearRegression(), Y), (LogisticRegression(), B)])
def test_tables_in(frame, estimator, y):
    module = pytest.importorskip(frame)
    columns = {"width": X[:, 0], "幅": X[:, 1], "const": X[:, 2]}
    table = module.table(columns) if frame == "pyarrow" else module.DataFrame(columns)
    a, b = clone(estimator).fit(table, y), clone(estimator).fit(X, y)
    near(a.coef_, b.coef_)
    near(a.predict(table), b.predict(X))
    assert list(a.feature_names_in_) == list(columns)
    assert a.result_.labels == ["(const)", *columns]
    if frame == "pandas":
        series = module.Series(y, index=range(100, 180))
        near(clone(estimator).fit(table, series, sample_weight=module.Series(W)).coef_, b.fit(X, y, W).coef_)


def test_integers_float32_and_booleans():
    k = np.round(X * 10).astype(int)
    near(LinearRegression().fit(k, Y).coef_, LinearRegression().fit(k.astype(float), Y).coef_)
    assert LogisticRegression().fit(X.astype(np.float32), B).coef_.dtype == np.float64
    m = LogisticRegression().fit(X, B == 1)
    assert m.classes_.tolist() == [False, True] and m.predict(X).dtype == bool


def test_separation_and_collinear_columns_warn_by_name_and_raise_nothing():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"age": X[:, 0], "dose": X[:, 1], "both": X[:, 0] + X[:, 1]})
    with pytest.warns(NotIdentified, match=r"LinearRegression: collinear columns: both = age \+ dose") as caught:
        m = LinearRegression().fit(table, Y)
    assert caught[0].filename == __file__
    assert np.isnan(m.bse_[1:]).all() and m.bse_[0] > 0 and np.isfinite(m.coef_).all()
    with pytest.warns(ConvergenceWarning, match=r"LogisticRegression: no finite maximum.* age runs to \+inf"):
        q = LogisticRegression().fit(table[["age", "dose"]], X[:, 0] > 0)
    assert q.score(table[["age", "dose"]], X[:, 0] > 0) == 1
    with pytest.warns(NotIdentified, match="c:age runs to"):
        LogisticRegression().fit(table[["age"]], np.where(X[:, 0] > 1, "c", np.where(B == 1, "a", "b")))
    with pytest.warns(NotIdentified, match="not converged: lbfgs stopped after 1 iterations"):
        LogisticRegression(solver="lbfgs", max_iter=1).fit(X, B)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LogisticRegression(C=1.0).fit(table, X[:, 0] > 0)
        LinearRegression(alpha=0.1).fit(table, Y)


def test_the_separated_end_is_the_same_for_weights_and_repeated_rows():
    rows = np.repeat(np.arange(80), W.astype(int))
    with pytest.warns(NotIdentified):
        a = LogisticRegression().fit(X, X[:, 0] > 0.1, W)
    with pytest.warns(NotIdentified):
        b = LogisticRegression().fit(X[rows], X[rows, 0] > 0.1)
    near(a.coef_, b.coef_, 1e-8)


@pytest.mark.parametrize(
    "estimator, y, sentence",
    [
        (LogisticRegression(), np.ones(80), "y holds one class only"),
        (LogisticRegression(C=0), B, "a number greater than 0"),
        (LogisticRegression(solver="magic"), B, "newton, lbfgs, gradient-descent"),
        (LogisticRegression(), Y, "Unknown label type"),
        (LinearRegression(alpha=-1), Y, "a number ≥ 0"),
        (LinearRegression(solver="magic"), Y, "qr, newton, lbfgs, gradient-descent"),
    ],
)
def test_mistakes(estimator, y, sentence):
    with pytest.raises(ValueError, match=sentence):
        estimator.fit(X, y)


def test_in_a_pipeline():
    m = make_pipeline(StandardScaler(), LogisticRegression())
    assert cross_val_score(m, X, B, cv=3).mean() > 0.5
    near(m.fit(X, B).predict_proba(X), LogisticRegression().fit(X, B).predict_proba(X), 1e-9)


def test_the_result_of_the_estimator_is_the_result():
    m = LinearRegression().fit(X, Y)
    near(m.result_.cov_params(), linear(DESIGN, Y, list("abcd")).cov_params())


def test_without_scikit_learn_one_sentence():
    code = (
        "import sys; sys.modules['sklearn'] = None\ntry:\n import bibun.estimators\nexcept ImportError as e: print(e)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "scikit-learn" in said and 'pip install "bibun[all]"' in said
