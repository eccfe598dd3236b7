"""LikelihoodRegressor: a likelihood that somebody wrote, in scikit-learn's clothes. Imports base.py and models.

What it is without arguments, Poisson regression, is below as an example of the three functions that it takes.
"""

from typing import Any

import numpy as np

from .. import special
from ..errors import NotDefined
from ..models.domains import Real
from ..models.likelihood import MLE
from ..models.parameters import Values
from .base import iterations, labels, one_each, read, repetitions, warn

from sklearn.base import BaseEstimator, RegressorMixin  # isort: skip  (after base.py, which says so where it is absent)
from sklearn.utils.validation import check_is_fitted  # isort: skip

__all__ = ["LikelihoodRegressor"]


class LikelihoodRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Any likelihood as a regressor: with standard errors, in pipelines and cross-validation.

    Parameters
    ----------
    loglik : callable, optional
        `loglik(p, d)`: parameters by name and the data `d.X` of shape (n, p) and `d.y` of shape (n,); the
        log-likelihood of each row, shape (n,), in plain NumPy. By default that of Poisson regression.
    params : dict of str to Parameter, or callable
        `Real()`, `Positive()`, … by name; or `params(columns)`, which gives such a dict for a list of column names, so
        that there may be a number for each: ``lambda columns: {"a": Real(), "b": Real(names=columns)}``.
    mean : callable, optional
        `mean(p, d)`: what is predicted, shape (n,), of `p` and `d.X`.
    weights_are : {"frequency", "variance", "sampling"}
        What `sample_weight` says: how many rows each stands for; how precisely it was measured; how many of the
        population it stands for. The estimates are the same; standard errors are not.
    solver : str
        Any method of `bibun.minimize`.
    max_iter : int

    Attributes
    ----------
    result_ : Result
        The estimates (`result_.params`, `result_.bse`), intervals, tests, and everything else.
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had column names: pandas, polars, Arrow.

    Notes
    -----
    To be pickled, or sent to other processes by ``n_jobs``, `loglik`, `params` and `mean` must be functions of a
    module, not lambdas. `score` is R². What is not identified is named in a warning (`NotIdentified`).

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> def mean(p, d):
    ...     return np.exp(p.a + p.b * d.X[:, 0])
    >>> def rows(p, d):  # Poisson, but for a constant
    ...     return d.y * np.log(mean(p, d)) - mean(p, d)
    >>> m = bb.LikelihoodRegressor(rows, {"a": bb.Real(), "b": bb.Real()}, mean)
    >>> m.fit(np.arange(6.0)[:, None], [1, 1, 3, 4, 9, 13]).predict([[6.0]]).round(2).tolist()
    [23.74]
    >>> print({k: f"{v:.4f} ± {m.result_.bse[k]:.4f}" for k, v in m.result_.params.items()})
    {'a': '-0.1495 ± 0.5506', 'b': '0.5528 ± 0.1344'}
    """

    def __init__(
        self,
        loglik: Any = None,
        params: Any = None,
        mean: Any = None,
        *,
        weights_are: str = "frequency",
        solver: str = "trust-newton",
        max_iter: int = 200,
    ) -> None:
        self.loglik = loglik
        self.params = params
        self.mean = mean
        self.weights_are = weights_are
        self.solver = solver
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LikelihoodRegressor":
        """Fit to X of shape (n, p) and y of shape (n,)."""
        X, y = read(self, X, "none" if y is None else y)
        loglik, params, _ = self._declared()
        model = MLE(loglik, params(labels(self, X.shape[1], False)) if callable(params) else params)
        self.result_ = r = model.fit(
            {"X": X, "y": np.asarray(y, float)},
            weights=repetitions(sample_weight, len(y)), weights_are=self.weights_are,
            method=self.solver, maxiter=self.max_iter,
        )  # fmt: skip
        self.n_iter_ = iterations(r)
        warn(r, "LikelihoodRegressor")
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The mean at X, shape (n,).

        Raises
        ------
        NotDefined
            If the regressor was made without `mean`.
        """
        check_is_fitted(self)
        mean = self._declared()[2]
        if mean is None:
            raise NotDefined(
                "a likelihood does not say what its mean is: give mean=, a function of (p, d); or use result_.delta"
            )
        X, r = read(self, X), self.result_
        return one_each("what mean returned,", mean(r.parameters.natural(r.u), Values({"X": X}, "data column")), len(X))

    def summary(self, level: float = 0.95, kind: Any = None) -> Any:
        """The estimates as a table to print."""
        check_is_fitted(self)
        return self.result_.summary(level, kind)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loglik is None
        return tags

    def _declared(self) -> tuple[Any, Any, Any]:
        """The likelihood, its parameters and its mean."""
        if self.loglik is None and self.params is None and self.mean is None:
            return poisson_rows, poisson_parameters, poisson_mean
        if self.loglik is None or self.params is None:
            raise ValueError("a likelihood has parameters: give loglik= and params= together, or neither")
        return self.loglik, self.params, self.mean


# --- Poisson regression -----------------------------------------------------------------------------------------------


def poisson_parameters(columns: list[str]) -> dict[str, Any]:
    """A coefficient for each column."""
    return {"intercept": Real(), "coef": Real(names=columns)}


def poisson_rows(p: Any, d: Any) -> Any:
    """The log-likelihood of each row."""
    eta = p.intercept + d.X @ p.coef
    return d.y * eta - np.exp(eta) - special.gammaln(d.y + 1)


def poisson_mean(p: Any, d: Any) -> Any:
    """The mean of each row."""
    return np.exp(p.intercept + d.X @ p.coef)
