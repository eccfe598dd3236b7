"""Regressions by name: `linear` here, `logistic` and `multinomial` from their file.

Imports design, least_squares, logistic, regression_result; a new family is a file beside logistic.py and a name here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..optimize import minimize
from .certificate import Certificate
from .design import checked, constant_columns, factored, has_constant, linear_predictor, named_data, penalties, problems
from .domains import Real
from .families import FAMILIES
from .least_squares import Columns, Rows, predictor
from .likelihood import MLE
from .links import LINKS
from .logistic import logistic, multinomial
from .objective import Objective
from .regression_model import Regression
from .regression_result import Prediction, RegressionResult
from .search import MAXITER, METHODS

__all__ = ["Prediction", "RegressionResult", "linear", "logistic", "multinomial"]


def linear(
    X: Any,
    y: Any,
    names: Sequence[str],
    weights: Any = None,
    offset: Any = None,
    penalty: Any = None,
    method: str = "qr",
    maxiter: int | None = None,
    intercept: bool = False,
) -> RegressionResult:
    """Linear regression by least squares.

    Parameters
    ----------
    X : array_like of shape (n, p)
        The columns, a column of ones among them if there is to be an intercept (or see `intercept`).
    y : array_like of shape (n,)
    names : sequence of str
        One for each coefficient.
    weights : array_like of shape (n,), optional
        How many times each row counts.
    offset : array_like of shape (n,), optional
        Added to the mean.
    penalty : float or array_like of shape (p,), optional
        Ridge: added to the sum of squares times each squared coefficient. One number spares constant columns.
    method : {"qr", "newton", "lbfgs", "gradient-descent"}
        The last three search for the minimum as `logistic` does, for comparison: over orthonormal combinations of the
        columns, the course of it being kept in `search`; where they arrive, the last digits are those of QR.
    maxiter : int, optional
    intercept : bool
        Add an intercept that X has no column for; its coefficient and name come first. X is not copied.

    Returns
    -------
    RegressionResult

    Notes
    -----
    Householder QR of scaled columns, refined in twice the precision. Standard errors use s² = RSS / (n - rank) and the
    t distribution; the log-likelihood is at its maximum over the variance, RSS / n, which counts as a parameter in AIC
    and BIC. Where columns depend on each other, the coefficients of these are the shortest with columns scaled to the
    same length, and have no standard error; the certificate names them. With a penalty, the inverse of the penalized
    information takes the place of the information's.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.models.regression import linear
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> r = linear(np.column_stack([np.ones(4), x]), [2.0, 3.0, 5.0, 6.0], ["const", "x"])
    >>> print({k: round(v, 6) for k, v in r.params.items()}, round(r.rsquared, 6))
    {'const': 0.5, 'x': 1.4} 0.98
    """
    X, y, names, w, offset = checked(X, y, names, weights, offset, intercept)
    constant = constant_columns(X, intercept)
    lam = penalties(X, penalty, constant)
    A = Rows(X, intercept, w, lam)
    columns = factored(A, names)
    root: Any = 1.0 if A.root is None else A.root
    target = root * (y if offset is None else y - offset)
    with np.errstate(over="ignore", invalid="ignore"):
        beta, r, inverse = columns.solve(np.concatenate([target, np.zeros(len(A.below))]))
    r = r[: len(y)]
    search: Any = _Direct()
    if method != "qr":
        search = _searched(columns, A, target, method, maxiter)
        if not search.success:
            beta = columns.shortest((columns.transform() @ search.x)[columns.basis])
            r = target - A.times(beta)[: len(y)]
    total, rss = float(len(y) if w is None else w.sum()), float(r @ r)
    rank: float = columns.rank
    if lam.any():
        rank = columns.rank - float(np.sum(np.diag(columns.whole(inverse)) * lam))
    df_resid = total - rank
    with np.errstate(divide="ignore", invalid="ignore"):
        s2 = rss / df_resid if df_resid > 1e-9 else np.nan
        loglik = -0.5 * total * (np.log(2 * np.pi * rss / total) + 1) if rss > 0 else np.inf
    mean = float(np.sum(root * target)) / total if has_constant(columns, constant) else 0.0
    around = target - root * mean
    tss = float(around @ around)
    null = -0.5 * total * (np.log(2 * np.pi * tss / total) + 1) if tss > 0 else np.inf
    sigma = float(np.sqrt(s2)) if s2 > 0 else 1.0

    objective = Objective(MLE(_Gaussian(sigma), Real(names=names)), named_data(X, y, offset), w)
    objective.by_rows, objective.n_obs = True, total
    undetermined, found = problems(columns, names)
    if not search.success:
        found.append(f"not converged: {search.message}")
    if not df_resid > 1e-9:
        found.append(
            f"{total:g} rows for {columns.rank} independent columns: none is left to estimate the error from, so there "
            "are no standard errors"
        )
    left = np.concatenate([r, -np.sqrt(lam[lam > 0]) * beta[lam > 0]])
    slope = float(np.abs(columns.transform().T @ A.transposed(left)).max(initial=0.0))
    certificate = Certificate(
        not found, 0.5 * slope**2 / s2 if s2 > 0 else 0.0, columns.condition**-2.0,
        list((columns.null / columns.norms[:, None]).T), undetermined, found,
    )  # fmt: skip
    facts = {
        "family": "gaussian", "df_resid": df_resid, "df_model": rank + 1, "inverse": s2 * columns.whole(inverse),
        "null": columns.null / columns.norms[:, None], "loglik": float(loglik), "scale": float(s2), "deviance": rss,
        "null_deviance": tss,
        "null_loglik": null, "rsquared": 1 - rss / tss if tss > 0 else np.nan, "_residuals": r,
        "_model": Regression(FAMILIES["gaussian"], LINKS["identity"], len(names)),
    }  # fmt: skip
    if w is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            left = (y if offset is None else y - offset) - predictor(X, beta)
            facts["_residuals"] = np.where(root > 0, r / root, left)
    return RegressionResult(objective, beta, certificate, search, facts)


class _Gaussian:
    """The log-likelihood of each row, the standard deviation being known."""

    def __init__(self, sigma: float) -> None:
        self.sigma = sigma

    def scaled(self, scale: float) -> "_Gaussian":
        """The same with another variance."""
        return _Gaussian(float(np.sqrt(scale)))

    def __call__(self, theta: Any, d: Any) -> Any:
        z = (d.y - linear_predictor(d, theta)) / self.sigma
        return -0.5 * z**2 - np.log(self.sigma) - 0.5 * np.log(2 * np.pi)


class _Direct:
    """In place of a search: least squares needs none."""

    nit, success, message = 1, True, "Solved directly by QR."


def _searched(columns: Columns, A: Rows, target: np.ndarray, method: str, maxiter: int | None) -> Any:
    """The least sum of squares, looked for step by step."""
    if method not in METHODS:
        raise ValueError(f"method={method!r}: one of qr, {', '.join(METHODS)}")
    T = columns.transform()
    y = np.concatenate([target, np.zeros(len(A.below))])
    size = float(y @ y) or 1.0
    M = A.matrix

    def f(gamma: Any) -> Any:
        return np.sum((y - M @ (T @ gamma)) ** 2) / size

    if not T.shape[1]:
        return _Direct()
    start = np.zeros(T.shape[1])
    return minimize(f, start, METHODS[method], gtol=1e-9, maxiter=maxiter or MAXITER[method])
