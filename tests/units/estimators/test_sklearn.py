"""scikit-learn's own checks of an estimator, the whole set, none excused.

Families without a case have responses between 0 and 1, which scikit-learn's data are not and no tag asks for: binomial
(see LogisticRegression), quasi-binomial, beta.
"""

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from bibun.estimators import (
    GeneralizedLinearRegressor,
    LikelihoodRegressor,
    LinearRegression,
    LogisticRegression,
)

CASES = [
    LinearRegression(),
    LinearRegression(alpha=0.5),
    LogisticRegression(),
    LogisticRegression(C=1.0),
    LogisticRegression(C=1.0, solver="lbfgs"),
    GeneralizedLinearRegressor(),
    GeneralizedLinearRegressor(alpha=0.5),
    GeneralizedLinearRegressor(solver="lbfgs"),
    GeneralizedLinearRegressor("gaussian"),
    GeneralizedLinearRegressor("gamma", link="log"),
    GeneralizedLinearRegressor("inverse-gaussian", link="log"),
    GeneralizedLinearRegressor("negative-binomial"),
    GeneralizedLinearRegressor("tweedie", power=1.3),
    GeneralizedLinearRegressor("quasi-poisson", weights_are="variance"),
    LikelihoodRegressor(),
]


# their data are often separated or collinear, and we say so; the other warnings are scikit-learn's about its own skips
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(CASES)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
