"""scikit-learn's own checks of an estimator, the whole set, none excused."""

import pytest

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from bibun.estimators import LinearRegression, LogisticRegression

CASES = [
    LinearRegression(),
    LinearRegression(alpha=0.5),
    LogisticRegression(),
    LogisticRegression(C=1.0),
    LogisticRegression(C=1.0, solver="lbfgs"),
]


# their data are often separated or collinear, and we say so; the other warnings are scikit-learn's about its own skips
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(CASES)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
