"""LikelihoodRegressor: the models it can be made into, names, weights, pickles, clones, mistakes."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import bibun as bb
from bibun.errors import NotDefined
from bibun.estimators import GeneralizedLinearRegressor, LikelihoodRegressor, LinearRegression, NotIdentified
from bibun.models.likelihood import MLE

RNG = np.random.default_rng(9)
N = 150
X = RNG.normal(size=(N, 2))
Y = 1.0 + X @ [2.0, -0.5] + 0.3 * RNG.normal(size=N)
COUNTS = RNG.poisson(np.exp(0.3 + X @ [0.3, -0.4])).astype(float)
W = RNG.integers(0, 4, size=N).astype(float)


def normal_mean(p, d):
    return p.intercept + d.X @ p.coef


def normal_rows(p, d):
    return -0.5 * ((d.y - normal_mean(p, d)) / p.sigma) ** 2 - np.log(p.sigma) - 0.5 * np.log(2 * np.pi)


def normal_parameters(columns):
    return {"intercept": bb.Real(), "coef": bb.Real(names=columns), "sigma": bb.Positive()}


NORMAL = LikelihoodRegressor(normal_rows, normal_parameters, normal_mean)
PARAMETERS = {"intercept": bb.Real(), "coef": bb.Real(shape=2), "sigma": bb.Positive()}


def near(found, right, rtol=1e-9):
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * np.abs(right).max())


def test_without_arguments_it_is_poisson_regression():
    m, g = LikelihoodRegressor().fit(X, COUNTS), GeneralizedLinearRegressor("poisson").fit(X, COUNTS)
    near(m.result_.coef, g.result_.coef)
    near(m.result_.se(), g.result_.se())
    near(m.result_.loglik, g.result_.loglik)
    near(m.predict(X), g.predict(X))
    assert m.n_features_in_ == 2 and m.n_iter_ >= 1 and "coef[x1]" in str(m.summary())


def test_a_likelihood_and_its_mean():
    m, right = clone(NORMAL).fit(X, Y), LinearRegression().fit(X, Y)
    near(m.predict(X), right.predict(X))
    near(m.score(X, Y), right.score(X, Y))
    near(m.result_.bse["coef"], right.bse_[1:] * np.sqrt((N - 3) / N))
    assert m.result_.converged


def test_it_is_the_mle():
    r = MLE(normal_rows, PARAMETERS).fit({"X": X, "y": Y}, weights=W, weights_are="sampling")
    m = LikelihoodRegressor(normal_rows, PARAMETERS, normal_mean, weights_are="sampling").fit(X, Y, W)
    near(m.result_.coef, r.coef, 1e-12)
    near(m.result_.se(), r.se(), 1e-12)
    assert m.result_.cov.kind == "sandwich"


def test_parameters_by_the_names_of_columns():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=["age", "dose"])
    m = clone(NORMAL).fit(table, pandas.Series(Y))
    assert m.result_.labels == ["intercept", "coef[age]", "coef[dose]", "sigma"]
    near(m.predict(table), clone(NORMAL).fit(X, Y).predict(X))
    table = pytest.importorskip("polars").DataFrame({"age": X[:, 0], "dose": X[:, 1]})
    assert clone(NORMAL).fit(table, Y).result_.labels[1] == "coef[age]"


def test_frequency_weights_are_repeated_rows():
    rows = np.repeat(np.arange(N), W.astype(int))
    a, b = clone(NORMAL).fit(X, Y, W), clone(NORMAL).fit(X[rows], Y[rows])
    near(a.result_.coef, b.result_.coef)
    near(a.result_.se(), b.result_.se())
    assert a.result_.nobs == W.sum()


def test_fixed_and_tied_parameters_reach_the_mean():
    fixed = {"intercept": bb.Real(), "coef": bb.Fixed([2.0, -0.5]), "sigma": bb.Positive()}
    m = LikelihoodRegressor(normal_rows, fixed, normal_mean).fit(X, Y)
    near(m.predict(X), np.mean(Y - X @ [2.0, -0.5]) + X @ [2.0, -0.5])


def test_clones_pickles_parameters():
    m = LikelihoodRegressor(normal_rows, PARAMETERS, normal_mean)
    assert m.get_params()["loglik"] is normal_rows and m.set_params(max_iter=50).max_iter == 50
    near(clone(m).fit(X, Y).predict(X), m.fit(X, Y).predict(X), 1e-12)
    again = pickle.loads(pickle.dumps(m))
    near(again.predict(X), m.predict(X), 1e-15)
    near(again.result_.cov_params("sandwich"), m.result_.cov_params("sandwich"))
    near(again.result_.conf_int(method="profile"), m.result_.conf_int(method="profile"), 1e-7)


def test_in_pipelines_and_cross_validation():
    assert cross_val_score(make_pipeline(StandardScaler(), NORMAL), X, Y, cv=3).min() > 0.9
    for solver in ("l-bfgs", "trust-newton"):
        near(
            clone(NORMAL).set_params(solver=solver).fit(X, Y).predict(X), LinearRegression().fit(X, Y).predict(X), 1e-7
        )


def test_what_is_not_identified_is_named():
    with pytest.warns(NotIdentified, match="LikelihoodRegressor: .*coef") as said:
        clone(NORMAL).fit(np.column_stack([X, X[:, 0]]), Y)
    assert said[0].filename == __file__


def test_mistakes():
    with pytest.raises(NotDefined, match="give mean="):
        LikelihoodRegressor(normal_rows, normal_parameters).fit(X, Y).predict(X)
    for given in ({"loglik": normal_rows}, {"params": normal_parameters}, {"mean": normal_mean}):
        with pytest.raises(ValueError, match="give loglik= and params= together"):
            LikelihoodRegressor(**given).fit(X, Y)
    with pytest.raises(ValueError, match=r"what mean returned, of shape \(\) for 150 rows"):
        LikelihoodRegressor(normal_rows, PARAMETERS, lambda p, d: p.intercept).fit(X, Y).predict(X)
    with pytest.raises(ValueError, match=r"sample_weight of shape \(149,\)"):
        clone(NORMAL).fit(X, Y, W[1:])
    with pytest.raises(TypeError, match="params is a dict"):
        LikelihoodRegressor(normal_rows, 3.0).fit(X, Y)


def test_it_is_bibun_s():
    assert bb.LikelihoodRegressor is LikelihoodRegressor
