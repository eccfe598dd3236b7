"""GeneralizedLinearRegressor: scikit-learn's spelling of `bibun.models.glm.regression`. Imports base.py and models.

One estimator for all families: a new family is an entry of models/families.py, and nothing here.
"""

import contextlib
from typing import Any

import numpy as np

from ..models.families import family_named
from ..models.glm import regression
from ..models.links import Link, link_named
from .base import iterations, labels, one_each, read, repetitions, warn

from sklearn.base import BaseEstimator, RegressorMixin  # isort: skip  (after base.py, which says so where it is absent)
from sklearn.utils.validation import check_is_fitted  # isort: skip

__all__ = ["GeneralizedLinearRegressor"]


class GeneralizedLinearRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Generalized linear model with standard errors: counts, amounts, proportions; no penalty unless asked for.

    Parameters
    ----------
    family : str or Family
        "gaussian", "binomial", "poisson", "gamma", "inverse-gaussian", "negative-binomial", "tweedie", "beta",
        "quasi-binomial", "quasi-poisson".
    link : str, optional
        By default the family's own, as in R: "inverse" for gamma, where scikit-learn's GammaRegressor has "log".
    alpha : float
        Ridge, as in scikit-learn's GLMs: half of it times the sum of squared coefficients (never the intercept) is
        taken from the mean log-likelihood of a row, or where a dispersion is estimated, from minus half the mean
        deviance. 0 is none.
    fit_intercept : bool
    power : float, optional
        The power of the mean that the variance goes with, for tweedie: strictly between 1 and 2, by default 1.5.
    weights_are : {"frequency", "variance", "sampling"}
        What `sample_weight` says: how many rows each stands for; how precisely it was measured; how many of the
        population it stands for. The coefficients are the same; standard errors are not.
    solver : {"newton", "lbfgs", "gradient-descent"}
        All arrive at the same coefficients; `result_.search` says what it took.
    max_iter : int, optional

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
    intercept_ : float
    bse_ : ndarray of shape (p + 1,)
        Standard errors, the intercept first (if there is one); NaN where the data do not determine a coefficient.
    result_ : RegressionResult
        Everything else: intervals, tests, residuals, predictions with standard errors; and what is estimated besides
        the coefficients, such as `result_.params["theta"]` of the negative binomial.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had column names: pandas, polars, Arrow.

    Notes
    -----
    ``GeneralizedLinearRegressor("poisson", alpha=a)`` has the coefficients of scikit-learn's PoissonRegressor(alpha=a).
    The penalty of `bibun.models.glm.regression`, and of scikit-learn's Ridge, is `alpha` times the number of rows (the
    sum of the weights). Standard errors of a penalized fit are from the penalized information.

    `offset` is added to the linear predictor; `exposure` does so by its logarithm, and is for the log link. Both are
    given to `fit`, `predict` and `score` alike, and scikit-learn's metadata routing carries them there.

    Collinear and separated columns are named in a warning (`NotIdentified`), and nothing is raised for them.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.estimators import GeneralizedLinearRegressor
    >>> X = np.arange(6.0)[:, None]
    >>> m = GeneralizedLinearRegressor("poisson").fit(X, [1, 1, 3, 4, 9, 13])
    >>> round(m.intercept_, 4), m.coef_.round(4).tolist(), m.bse_.round(4).tolist()
    (-0.1495, [0.5528], [0.5506, 0.1344])
    >>> m.fit(X, [1, 1, 3, 4, 9, 13], exposure=[1, 1, 2, 2, 3, 3]).predict([[6.0]], exposure=[2.0]).round(4).tolist()
    [11.9456]
    """

    def __init__(
        self,
        family: Any = "poisson",
        *,
        link: Any = None,
        alpha: float = 0.0,
        fit_intercept: bool = True,
        power: float | None = None,
        weights_are: str = "frequency",
        solver: str = "newton",
        max_iter: int | None = None,
    ) -> None:
        self.family = family
        self.link = link
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.power = power
        self.weights_are = weights_are
        self.solver = solver
        self.max_iter = max_iter

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None, exposure: Any = None
    ) -> "GeneralizedLinearRegressor":
        """Fit to X of shape (n, p), y of shape (n,), and a number for each row of the others."""
        X, y = read(self, X, "none" if y is None else y, finite=False)
        (n, p), intercept = X.shape, bool(self.fit_intercept)
        if not 0 <= self.alpha < np.inf:
            raise ValueError(f"alpha={self.alpha!r}: a number of 0 or more, the strength of the ridge")
        family = family_named(self.family, self.power)
        link = link_named(self.link, family.links, family.name)
        more, w = _added(offset, exposure, n, link), repetitions(sample_weight, n)
        total = n if w is None else w.sum()
        penalty = np.array([0.0] * intercept + [self.alpha * total] * p) if self.alpha else None
        self.result_ = r = regression(
            X, y, labels(self, p, intercept), family, link, w, self.weights_are, offset=more, penalty=penalty,
            method=self.solver, maxiter=self.max_iter, intercept=intercept,
        )  # fmt: skip
        self.coef_ = r.coef[intercept : intercept + p].copy()
        self.intercept_ = float(r.coef[0]) if intercept else 0.0
        self.bse_ = r.se()[: intercept + p]
        self.n_iter_ = iterations(r)
        warn(r, "GeneralizedLinearRegressor")
        return self

    def predict(self, X: Any, offset: Any = None, exposure: Any = None) -> np.ndarray:
        """The means at X, shape (n,)."""
        check_is_fitted(self)
        link, X = self.result_._model.link, read(self, X)
        eta, more = X @ self.coef_ + self.intercept_, _added(offset, exposure, len(X), link)
        return np.asarray(link.inverse(eta if more is None else eta + more))

    def score(self, X: Any, y: Any, sample_weight: Any = None, offset: Any = None, exposure: Any = None) -> float:
        """The share of the deviance that the model explains, D² = 1 - D(y, predicted) / D(y, mean of y).

        Raises
        ------
        NotDefined
            For the beta family, which has no deviance.

        Notes
        -----
        As of scikit-learn's GLMs: means are weighted, and the mean of y knows no offset. Where all of y is one number,
        1 if it is predicted and 0 if not, as of scikit-learn's R².
        """
        mean = self.predict(X, offset, exposure)
        family, y, w = self.result_._model.family, one_each("y", y, len(mean)), repetitions(sample_weight, len(mean))
        if not family.fits(y).all():
            raise ValueError(f"y holds what is no {family.name} response: that is {family.responses}")

        def deviance(center: np.ndarray) -> float:
            return float(np.average(family.deviance(y, center, **self.result_._more), weights=w))

        with np.errstate(all="ignore"):
            left, null = deviance(mean), deviance(np.full(len(y), np.average(y, weights=w)))
        return 1 - left / null if null > 0 else float(left == 0)

    def summary(self, level: float = 0.95, kind: Any = None) -> Any:
        """The coefficients as a table to print."""
        check_is_fitted(self)
        return self.result_.summary(level, kind)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        with contextlib.suppress(ValueError):  # fit says what is wrong with the family
            tags.target_tags.positive_only = not bool(family_named(self.family).fits(np.array([-1.0]))[0])
        return tags


def _added(offset: Any, exposure: Any, n: int, link: Link) -> np.ndarray | None:
    """What is added to the linear predictor of each of n rows."""
    total = None if offset is None else one_each("offset", offset, n)
    if exposure is None:
        return total
    if link.name != "log":
        raise ValueError(f"exposure= is for the log link; the link is {link}: use offset=")
    e = one_each("exposure", exposure, n)
    if not (e > 0).all():
        raise ValueError("exposure holds numbers that are not greater than 0: their logarithm is the offset")
    return np.asarray(np.log(e) if total is None else total + np.log(e))
