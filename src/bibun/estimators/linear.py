"""LinearRegression: scikit-learn's spelling of `bibun.models.regression.linear`. Imports base.py and models."""

from typing import Any

import numpy as np

from ..models.regression import linear
from .base import iterations, labels, read, repetitions, warn

from sklearn.base import BaseEstimator, RegressorMixin  # isort: skip  (after base.py, which says so where it is absent)
from sklearn.utils.validation import check_is_fitted  # isort: skip

__all__ = ["LinearRegression"]


class LinearRegression(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Linear regression with standard errors.

    Parameters
    ----------
    alpha : float
        Ridge: times the sum of squared coefficients (never the intercept) added to the sum of squares. 0 is none.
    fit_intercept : bool
    solver : {"qr", "newton", "lbfgs", "gradient-descent"}
        "qr" solves at once and to the last digit; the others search, for comparison.
    max_iter : int, optional
        Iterations of a search.

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
    intercept_ : float
    bse_ : ndarray of shape (p + 1,)
        Standard errors, the intercept first (if there is one); NaN where the data do not determine a coefficient.
    result_ : RegressionResult
        Everything else: intervals, tests, predictions with standard errors.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had column names: pandas, polars, Arrow.

    Notes
    -----
    `sample_weight` says how many times each row counts. Collinear columns are named in a warning (`NotIdentified`)
    and have the shortest coefficients with columns scaled to the same length; nothing is raised for them.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.estimators import LinearRegression
    >>> m = LinearRegression().fit([[1.0], [2.0], [3.0], [4.0]], [2.0, 3.0, 5.0, 6.0])
    >>> round(m.intercept_, 6), m.coef_.round(6).tolist(), m.bse_.round(4).tolist()
    (0.5, [1.4], [0.3873, 0.1414])
    """

    def __init__(
        self, *, alpha: float = 0.0, fit_intercept: bool = True, solver: str = "qr", max_iter: int | None = None
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LinearRegression":
        """Fit to X of shape (n, p) and y of shape (n,)."""
        X, y = read(self, X, "none" if y is None else y, finite=False)
        intercept = bool(self.fit_intercept)
        names = labels(self, X.shape[1], intercept)
        w = repetitions(sample_weight, len(y))
        penalty = np.array([0.0] * intercept + [self.alpha] * X.shape[1]) if self.alpha else None
        r = linear(X, y, names, w, None, penalty, self.solver, self.max_iter, intercept)
        self.result_ = r
        self.coef_ = r.coef[-X.shape[1] :].copy()
        self.intercept_ = float(r.coef[0]) if self.fit_intercept else 0.0
        self.bse_ = r.se()
        self.n_iter_ = iterations(r)
        warn(r, "LinearRegression")
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The means at X, shape (n,)."""
        check_is_fitted(self)
        return np.asarray(read(self, X) @ self.coef_ + self.intercept_)

    def summary(self, level: float = 0.95, kind: Any = None) -> Any:
        """The coefficients as a table to print."""
        check_is_fitted(self)
        return self.result_.summary(level, kind)
