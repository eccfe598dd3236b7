"""LogisticRegression: scikit-learn's spelling of `bibun.models.regression.logistic`. Imports base.py and models."""

from typing import Any

import numpy as np

from ..models.regression import logistic, multinomial
from .base import iterations, labels, read, repetitions, warn

from sklearn.base import BaseEstimator, ClassifierMixin  # isort: skip  (after base.py, which says so where it is absent)
from sklearn.utils.multiclass import check_classification_targets  # isort: skip
from sklearn.utils.validation import check_is_fitted  # isort: skip

__all__ = ["LogisticRegression"]


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Logistic regression with standard errors, of two classes or more; no penalty unless asked for.

    Parameters
    ----------
    C : float
        1 / strength of the ridge: half the sum of squared coefficients (never the intercept) is taken from C times the
        log-likelihood, as in scikit-learn. `np.inf` is no penalty.
    fit_intercept : bool
    solver : {"newton", "lbfgs", "gradient-descent"}
        All arrive at the same coefficients; `result_.search` says what it took.
    max_iter : int, optional

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
    coef_ : ndarray of shape (1, p), or (K, p) for more than two classes
        Log odds of the second class; for K classes the symmetric form, whose sum over the classes is 0.
    intercept_ : ndarray of shape (1,) or (K,)
    bse_ : ndarray of shape (p + 1,) or (K, p + 1)
        Standard errors, the intercept first (if there is one); NaN where there is no finite, unique estimate.
    result_ : RegressionResult
        For K classes its coefficients are against the first class, ``"class:column"``.
    n_iter_ : ndarray of shape (1,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had column names: pandas, polars, Arrow.

    Notes
    -----
    `sample_weight` says how many times each row counts. Separated classes and collinear columns are named in a warning
    (`NotIdentified`), nothing is raised for them; `bibun.models.logistic.logistic` says where the search ends then.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.estimators import LogisticRegression
    >>> m = LogisticRegression().fit(np.arange(6.0)[:, None], ["no", "no", "yes", "no", "yes", "yes"])
    >>> m.intercept_.round(4).tolist(), m.coef_.round(4).tolist(), m.bse_.round(4).tolist()
    ([-3.0351], [[1.214]], [2.5457, 0.9126])
    """

    def __init__(
        self,
        *,
        C: float = np.inf,
        fit_intercept: bool = True,
        solver: str = "newton",
        max_iter: int | None = None,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LogisticRegression":
        """Fit to X of shape (n, p) and labels y of shape (n,)."""
        X, y = read(self, X, "none" if y is None else y, numeric=False, finite=False)
        self.classes_, codes = _classes(y)
        K, p = len(self.classes_), X.shape[1]
        if K < 2:
            raise ValueError(f"y holds one class only, {self.classes_[0]!r}: a classifier needs two or more")
        if not self.C > 0:
            raise ValueError(f"C={self.C!r}: a number greater than 0; np.inf is no penalty")
        intercept = bool(self.fit_intercept)
        names = labels(self, p, intercept)
        w = repetitions(sample_weight, len(y))
        penalty = None if np.inf == self.C else np.array([0.0] * intercept + [1 / self.C] * p)
        if K == 2:
            r = logistic(X, codes, names, w, None, penalty, self.solver, self.max_iter, intercept)
            B, self.bse_ = r.coef[None, :], r.se()
        else:
            classes = [str(c) for c in self.classes_]
            r = multinomial(X, codes, names, classes, w, penalty, self.solver, self.max_iter, intercept)
            B, self.bse_ = _symmetric(r, K)
        self.result_ = r
        self.coef_ = B[:, -p:].copy()
        self.intercept_ = B[:, 0].copy() if self.fit_intercept else np.zeros(len(B))
        self.n_iter_ = np.array([iterations(r)])
        warn(r, "LogisticRegression")
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """The log odds of the second class, shape (n,); for K classes a score for each, shape (n, K)."""
        check_is_fitted(self)
        scores = read(self, X) @ self.coef_.T + self.intercept_
        return np.asarray(scores[:, 0] if len(self.classes_) == 2 else scores)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each row."""
        scores = self.decision_function(X)
        chosen = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The log-probability of each class, shape (n, K)."""
        from scipy import special

        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([special.log_expit(-scores), special.log_expit(scores)], axis=1)
        return np.asarray(special.log_softmax(scores, axis=1))

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, shape (n, K)."""
        from scipy import special

        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([special.expit(-scores), special.expit(scores)], axis=1)
        return np.asarray(special.softmax(scores, axis=1))

    def summary(self, level: float = 0.95, kind: Any = None) -> Any:
        """The coefficients as a table to print."""
        check_is_fitted(self)
        return self.result_.summary(level, kind)


def _classes(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The labels in order, and the number of each row's."""
    if y.dtype.kind in "biuf":  # two whole numbers need no sorting
        ends = np.array([y.min(), y.max()])
        high = y == ends[1]
        if ends[0] < ends[1] and (ends == np.floor(ends)).all() and (high | (y == ends[0])).all():
            return ends, high
    check_classification_targets(y)
    found, codes = np.unique(y, return_inverse=True)
    return found, codes


def _symmetric(r: Any, K: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients against the first class as coefficients whose sum over the classes is 0, and standard errors."""
    p = len(r.coef) // (K - 1)
    M = np.eye(K)[:, 1:] - 1 / K  # of 0, b_1, …, b_(K-1)
    cov = r.cov_params().reshape(K - 1, p, K - 1, p)
    variance = np.einsum("ka,ajbj,kb->kj", M, cov, M)
    return M @ r.coef.reshape(K - 1, p), np.sqrt(np.maximum(variance, 0.0))
