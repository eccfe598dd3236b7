"""GeneralizedLinearRegressor: scikit-learn's figures, the model's figures, weights, offsets and their routing, mistakes."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

import sklearn
from sklearn import linear_model
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import bibun as bb
from bibun.errors import NotDefined
from bibun.estimators import GeneralizedLinearRegressor, NotIdentified
from bibun.models.glm import regression

RNG = np.random.default_rng(8)
N = 200
X = RNG.normal(size=(N, 3))
EXPOSURE = RNG.uniform(0.5, 3.0, N)
MEAN = np.exp(0.3 + X @ [0.3, -0.4, 0.2])
COUNTS = RNG.poisson(MEAN * EXPOSURE * RNG.gamma(3.0, 1 / 3.0, N)).astype(float)
AMOUNTS = RNG.gamma(2.0, MEAN / 2)
CLAIMS = np.where(COUNTS > 0, RNG.gamma(np.maximum(COUNTS, 1) * 2, 0.5), 0.0)
SHARES = RNG.beta(3 / (1 + 1 / MEAN), 3 / (1 + MEAN))
W = RNG.integers(0, 4, size=N).astype(float)
RESPONSES = {
    "gaussian": CLAIMS, "poisson": COUNTS, "quasi-poisson": COUNTS, "negative-binomial": COUNTS, "gamma": AMOUNTS,
    "inverse-gaussian": AMOUNTS, "tweedie": CLAIMS, "binomial": (SHARES > 0.5) * 1.0, "quasi-binomial": SHARES,
    "beta": SHARES,
}  # fmt: skip
LINKS = {"gamma": "log", "inverse-gaussian": "log"}


def near(found, right, rtol=1e-9):
    np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol * np.abs(right).max())


def made(family, **options):
    return GeneralizedLinearRegressor(family, **{"link": LINKS.get(family), **options})


@pytest.mark.parametrize("weights", [None, W])
@pytest.mark.parametrize("alpha", [0.0, 0.01, 1.0])
@pytest.mark.parametrize(
    "family, theirs",
    [
        ("poisson", linear_model.PoissonRegressor()),
        ("gamma", linear_model.GammaRegressor()),
        ("tweedie", linear_model.TweedieRegressor(power=1.5)),
        ("gaussian", linear_model.TweedieRegressor(power=0)),
    ],
)
def test_the_same_alpha_gives_scikit_learns_coefficients(family, theirs, alpha, weights):
    theirs = clone(theirs).set_params(alpha=alpha, tol=1e-12, solver="newton-cholesky", max_iter=500)
    y = RESPONSES[family]
    theirs.fit(X, y, weights)
    m = made(family, alpha=alpha).fit(X, y, weights)
    near([m.intercept_, *m.coef_], [theirs.intercept_, *theirs.coef_])
    near(m.predict(X), theirs.predict(X))
    near(m.score(X, y, weights), theirs.score(X, y, weights))


def test_ridge_counts_rows_and_ours_does_not():
    m = made("gaussian", alpha=0.3).fit(X, CLAIMS, W)
    theirs = linear_model.Ridge(alpha=0.3 * W.sum()).fit(X, CLAIMS, W)
    near([m.intercept_, *m.coef_], [theirs.intercept_, *theirs.coef_])


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("family", RESPONSES)
def test_every_family_is_the_model_s(family, intercept):
    y = RESPONSES[family]
    m = made(family, fit_intercept=intercept).fit(X, y)
    r = regression(X, y, list("cxyz")[1 - intercept :], family, LINKS.get(family), intercept=intercept)
    k = 3 + intercept
    near([m.intercept_, *m.coef_][1 - intercept :], r.coef[:k], 1e-12)
    near(m.bse_, r.se()[:k], 1e-12)
    assert m.coef_.shape == (3,) and m.bse_.shape == (k,) and isinstance(m.intercept_, float) and m.n_iter_ >= 1
    near(m.predict(X), r.fittedvalues, 1e-12)
    assert m.result_.labels[0] == ("const" if intercept else "x0")
    if family == "beta":
        with pytest.raises(NotDefined, match="no deviance"):
            m.score(X, y)
    elif intercept and family != "negative-binomial":  # whose null model has another theta
        near(m.score(X, y), 1 - r.deviance / r.null_deviance, 1e-7)


@pytest.mark.parametrize("solver", ["lbfgs", "gradient-descent"])
@pytest.mark.parametrize("family", ["poisson", "gamma", "gaussian"])
def test_solvers_agree(family, solver):
    a, b = made(family).fit(X, RESPONSES[family]), made(family, solver=solver).fit(X, RESPONSES[family])
    near(b.coef_, a.coef_)
    near(b.bse_, a.bse_, 1e-7)


@pytest.mark.parametrize("family", RESPONSES)
def test_frequency_weights_are_repeated_rows(family):
    y, rows = RESPONSES[family], np.repeat(np.arange(N), W.astype(int))
    a, b = made(family).fit(X, y, sample_weight=W), made(family).fit(X[rows], y[rows])
    near(a.coef_, b.coef_, 1e-8)
    near(a.bse_, b.bse_, 1e-7)
    if family != "beta":
        near(a.score(X, y, W), b.score(X[rows], y[rows]), 1e-8)


def test_the_summary_is_the_model_s():
    m = made("poisson").fit(X, COUNTS)
    assert str(m.summary(0.9)) == str(m.result_.summary(0.9)) and "x2" in str(m.summary())


def test_the_other_kinds_of_weights():
    fits = {k: made("poisson", weights_are=k).fit(X, COUNTS, W) for k in ("frequency", "variance", "sampling")}
    for kind, m in fits.items():
        r = regression(X, COUNTS, list("cxyz"), "poisson", weights=W, weights_are=kind, intercept=True)
        near(m.coef_, fits["frequency"].coef_)
        near(m.bse_, r.se())
    assert fits["sampling"].result_.cov.kind == "sandwich"
    once = made("poisson").fit(X, COUNTS)
    near(made("poisson").fit(X, COUNTS, sample_weight=4.0).bse_ * 2, once.bse_)


@pytest.mark.parametrize("family", ["poisson", "negative-binomial", "tweedie", "gamma"])
def test_exposure_is_an_offset_by_its_logarithm(family):
    y = RESPONSES[family]
    a = made(family, link="log").fit(X, y, exposure=EXPOSURE)
    b = made(family, link="log").fit(X, y, offset=np.log(EXPOSURE))
    both = made(family, link="log").fit(X, y, offset=np.log(EXPOSURE) / 2, exposure=np.sqrt(EXPOSURE))
    near(b.coef_, a.coef_, 1e-12)
    near(both.coef_, a.coef_)
    near(a.predict(X, exposure=EXPOSURE), a.result_.fittedvalues, 1e-12)
    near(a.predict(X, exposure=2 * EXPOSURE), 2 * a.predict(X, exposure=EXPOSURE), 1e-12)
    assert a.score(X, y, exposure=EXPOSURE) == pytest.approx(b.score(X, y, offset=np.log(EXPOSURE)), rel=1e-12)
    if family != "gamma":
        assert a.score(X, y, exposure=EXPOSURE) > a.score(X, y)


def test_a_rate_weighted_by_its_exposure_has_the_same_coefficients():
    a = made("poisson").fit(X, COUNTS, exposure=EXPOSURE)
    b = made("poisson", weights_are="variance").fit(X, COUNTS / EXPOSURE, EXPOSURE)
    near([b.intercept_, *b.coef_], [a.intercept_, *a.coef_])
    near(b.bse_, a.bse_)


def test_an_offset_of_the_normal_model_is_taken_from_y():
    a, b = made("gaussian").fit(X, CLAIMS, offset=EXPOSURE), made("gaussian").fit(X, CLAIMS - EXPOSURE)
    near(a.coef_, b.coef_)
    near(a.predict(X, offset=EXPOSURE), b.predict(X) + EXPOSURE)


def test_exposure_and_weights_are_routed():
    with sklearn.config_context(enable_metadata_routing=True):
        m = (
            made("poisson")
            .set_fit_request(exposure=True, sample_weight=True)
            .set_score_request(exposure=True, sample_weight=True)
            .set_predict_request(exposure=True)
        )
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), m)
        scores = cross_validate(pipe, X, COUNTS, cv=4, params={"exposure": EXPOSURE, "sample_weight": W})["test_score"]
        right = []
        for k in range(4):
            test = np.arange(N) // (N // 4) == k
            fit = made("poisson").fit(X[~test], COUNTS[~test], W[~test], exposure=EXPOSURE[~test])
            right.append(fit.score(X[test], COUNTS[test], W[test], exposure=EXPOSURE[test]))
        near(scores, right)


@pytest.mark.parametrize("frame", ["pandas", "polars", "pyarrow"])
def test_tables_in_and_out(frame):
    module = pytest.importorskip(frame)
    columns = {"width": X[:, 0], "幅": X[:, 1], "const": X[:, 2]}
    table = module.table(columns) if frame == "pyarrow" else module.DataFrame(columns)
    a, b = made("poisson").fit(table, COUNTS), made("poisson").fit(X, COUNTS)
    near(a.coef_, b.coef_, 1e-12)
    near(a.predict(table), b.predict(X), 1e-12)
    assert a.result_.labels == ["(const)", *columns]
    if frame == "pandas":
        series = module.Series(EXPOSURE, index=range(100, 100 + N))
        near(made("poisson").fit(table, module.Series(COUNTS), exposure=series).coef_,
             made("poisson").fit(X, COUNTS, exposure=EXPOSURE).coef_, 1e-12)  # fmt: skip
    if frame != "pyarrow":
        pipe = make_pipeline(StandardScaler(), made("poisson")).set_output(transform=frame)
        assert list(pipe.fit(table, COUNTS)[-1].feature_names_in_) == list(columns)
        near(pipe.predict(table), a.predict(table))


def test_float32_integers_and_copies():
    m = made("poisson").fit(X.astype(np.float32), COUNTS.astype(int))
    near(m.coef_, made("poisson").fit(X.astype(np.float32).astype(float), COUNTS).coef_, 1e-12)
    assert m.coef_.dtype == np.float64
    again = pickle.loads(pickle.dumps(m))
    near(again.predict(X), m.predict(X), 1e-15)
    near(again.result_.cov_params("sandwich"), m.result_.cov_params("sandwich"))
    assert repr(clone(made("tweedie", power=1.2))) == "GeneralizedLinearRegressor(family='tweedie', power=1.2)"


def test_searches_over_families_and_penalties():
    grid = {"family": ["poisson", "tweedie"], "alpha": [0.0, 0.1]}
    found = GridSearchCV(GeneralizedLinearRegressor(), grid, cv=3).fit(X, COUNTS)
    assert set(found.best_params_) == {"family", "alpha"}
    assert cross_val_score(made("gamma"), X, AMOUNTS, cv=3).mean() > 0


def test_what_is_not_identified_is_named():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"age": X[:, 0], "dose": X[:, 1], "both": X[:, 0] + X[:, 1]})
    with pytest.warns(
        NotIdentified, match=r"GeneralizedLinearRegressor: collinear columns: both = age \+ dose"
    ) as said:
        m = made("poisson").fit(table, COUNTS)
    assert said[0].filename == __file__ and np.isnan(m.bse_[1:]).all() and np.isfinite(m.coef_).all()


def test_the_score_where_all_of_y_is_one_number():
    m = made("gaussian").fit(X, CLAIMS)
    assert m.score(X, np.ones(N)) == 0.0
    m = made("gaussian").fit(X, np.ones(N))
    assert m.score(X, m.predict(X).round(6)) in (0.0, 1.0)


@pytest.mark.parametrize(
    "options, more, sentence",
    [
        ({"family": "cauchy"}, {}, "family='cauchy': one of gaussian"),
        ({"family": "poisson", "link": "logit"}, {}, "link='logit' for the poisson family: one of log"),
        ({"family": "poisson", "power": 1.5}, {}, "power= is for the tweedie family"),
        ({"alpha": -1.0}, {}, "alpha=-1.0: a number of 0 or more"),
        ({"solver": "magic"}, {}, "newton, lbfgs, gradient-descent"),
        ({"weights_are": "heavy"}, {"sample_weight": W}, "weights_are='heavy'"),
        ({"family": "gaussian"}, {"exposure": EXPOSURE}, "exposure= is for the log link; the link is identity"),
        ({}, {"exposure": EXPOSURE - 1}, "exposure holds numbers that are not greater than 0"),
        ({}, {"exposure": EXPOSURE[:-1]}, r"exposure of shape \(199,\) for 200 rows"),
        ({}, {"offset": 1.0}, r"offset of shape \(\) for 200 rows"),
        ({}, {"sample_weight": W[:, None]}, r"sample_weight of shape \(200, 1\) for 200 rows"),
    ],
)
def test_mistakes(options, more, sentence):
    with pytest.raises(ValueError, match=sentence):
        GeneralizedLinearRegressor(**options).fit(X, COUNTS, **more)


def test_responses_that_a_family_does_not_have():
    with pytest.raises(ValueError, match="a gamma response is numbers greater than 0"):
        made("gamma").fit(X, COUNTS)
    with pytest.raises(ValueError, match="no gamma response: that is numbers greater than 0"):
        made("gamma").fit(X, AMOUNTS).score(X, COUNTS)


def test_it_is_bibun_s():
    assert bb.GeneralizedLinearRegressor is GeneralizedLinearRegressor
