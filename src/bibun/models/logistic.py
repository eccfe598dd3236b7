"""Logistic regression, of two classes and of several, from arrays. Imports design, search, regression_result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..special import logsumexp
from .design import (
    checked,
    constant_columns,
    factored,
    has_constant,
    linear_predictor,
    named_data,
    penalties,
)
from .domains import Real
from .families import FAMILIES
from .least_squares import Rows
from .likelihood import MLE
from .links import LINKS
from .objective import Objective
from .regression_model import Regression
from .regression_result import RegressionResult
from .search import Search

__all__ = ["class_margins", "logistic", "multinomial"]


def logistic(
    X: Any,
    y: Any,
    names: Sequence[str],
    weights: Any = None,
    offset: Any = None,
    penalty: Any = None,
    method: str = "newton",
    maxiter: int | None = None,
    intercept: bool = False,
) -> RegressionResult:
    """Logistic regression of two classes by maximum likelihood.

    Parameters
    ----------
    X : array_like of shape (n, p)
        The columns, a column of ones among them if there is to be an intercept (or see `intercept`).
    y : array_like of shape (n,)
        0 or 1; or proportions between them, with weights for the numbers of trials.
    names : sequence of str
        One for each coefficient.
    weights : array_like of shape (n,), optional
        How many times each row counts.
    offset : array_like of shape (n,), optional
        Added to the log odds.
    penalty : float or array_like of shape (p,), optional
        Ridge: half of it times each squared coefficient is taken from the log-likelihood. One number spares constant
        columns.
    method : {"newton", "lbfgs", "gradient-descent"}
    maxiter : int, optional
    intercept : bool
        Add an intercept that X has no column for; its coefficient and name come first. X is not copied.

    Returns
    -------
    RegressionResult

    Notes
    -----
    The search runs over orthonormal combinations of the columns (the Q of their QR), from 0, so units and the nearness
    of columns change nothing; it ends when an iteration raises the mean log-likelihood of a row by less than 1e-10, and
    Newton steps to the last digit follow, as long as they shrink quadratically. Where classes are separated there is no
    maximum: the end is the point where that rule stops the search, the same for weights and for repeated rows, and the
    certificate names the columns that run to infinity. What a direction of separation leaves undetermined has no
    standard error; the others have those of the rows that it does not touch. Collinear columns are treated as in
    `linear`. With a penalty, standard errors are from the penalized information, and `loglik` is without the penalty.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.models.regression import logistic
    >>> x = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    >>> r = logistic(np.column_stack([np.ones(6), x]), [0, 0, 1, 0, 1, 1], ["const", "x"])
    >>> print({k: round(v, 4) for k, v in r.params.items()}, r.converged)
    {'const': -3.0351, 'x': 1.214} True
    """
    X, y, names, w, offset = checked(X, y, names, weights, offset, intercept)
    low, high = y.min(), y.max()
    if low < 0 or high > 1:
        raise ValueError(f"y goes from {low:g} to {high:g}: it is 0 or 1 (or a proportion between them) in each row")
    binary = bool(((y == 0) | (y == 1)).all())
    constant = constant_columns(X, intercept)
    columns = factored(Rows(X, intercept, w, penalties(X, penalty, constant)), names, sampled=True)
    rows = _Bernoulli(binary)
    objective = Objective(MLE(rows, Real(names=names)), named_data(X, y, offset), w)
    fit = Search(objective, [columns], rows, method, maxiter)

    def margins() -> np.ndarray:
        sure = np.where(y == 1, 1.0, -1.0)
        used = np.ones(len(y), bool) if w is None else w > 0
        both = (y > 0) & (y < 1) & used
        return np.concatenate([sure[used][:, None] * columns.rows.of(used), columns.rows.of(both)])

    saturated = 0.0 if binary else _entropy(y, w)
    null = _null_loglik(y, w, offset, has_constant(columns, constant))
    facts = fit.finish("binomial", names, [names], constant, margins)
    loglik = facts["loglik"]
    facts.update(null_loglik=null, deviance=2 * (saturated - loglik), null_deviance=2 * (saturated - null), scale=1.0)
    facts["_model"] = Regression(FAMILIES["binomial"], LINKS["logit"], len(names))
    return RegressionResult(objective, fit.coef, fit.certificate, fit.found, facts)


def multinomial(
    X: Any,
    y: Any,
    names: Sequence[str],
    classes: Sequence[str],
    weights: Any = None,
    penalty: Any = None,
    method: str = "newton",
    maxiter: int | None = None,
    intercept: bool = False,
) -> RegressionResult:
    """Logistic regression of K classes; the coefficients are log odds against the first class.

    Parameters
    ----------
    X, names, weights, method, maxiter, intercept
        As for `logistic`.
    y : array_like of shape (n,)
        0 … K - 1.
    classes : sequence of str
        K names.
    penalty : float or array_like of shape (p,), optional
        On the coefficients in their symmetric form, whose sum over the classes is 0.

    Returns
    -------
    RegressionResult
        `labels` are ``"class:column"``, class by class from the second.
    """
    X, y, names, w, _ = checked(X, y, names, weights, None, intercept)
    K = len(classes)
    codes = y.astype(int)
    if (codes != y).any() or codes.min() < 0 or codes.max() >= K or K < 2:
        raise ValueError(f"y is a class number from 0 to {K - 1} in each row")
    chosen = np.zeros((len(y), K))
    chosen[np.arange(len(y)), codes] = 1.0

    labels = [f"{c}:{n}" for c in list(classes)[1:] for n in names]
    constant = constant_columns(X, intercept)
    columns = factored(Rows(X, intercept, w, penalties(X, penalty, constant)), names, sampled=True)
    rows = _Categorical()
    objective = Objective(MLE(rows, Real(names=labels)), named_data(X, chosen, None), w)
    # symmetric coefficients of K classes from those against the first: what the penalty is on
    among = np.eye(K - 1) - np.full((K - 1, K - 1), 1 / K)
    lam = columns.rows.lam
    fit = Search(objective, [columns] * (K - 1), rows, method, maxiter, penalty=np.kron(among, np.diag(lam)))

    def margins() -> np.ndarray:
        return class_margins(columns.rows.of(slice(None)), codes, K, np.ones(len(y), bool) if w is None else w > 0)

    facts = fit.finish("multinomial", labels, [names] * (K - 1), np.tile(constant, K - 1), margins)
    counts = chosen.sum(axis=0) if w is None else w @ chosen
    from scipy.special import xlogy

    null = float(np.sum(xlogy(counts, counts / counts.sum())))
    facts.update(null_loglik=null, deviance=-2 * facts["loglik"], null_deviance=-2 * null, scale=1.0)
    return RegressionResult(objective, fit.coef, fit.certificate, fit.found, facts)


def class_margins(A: np.ndarray, codes: np.ndarray, K: int, used: np.ndarray) -> np.ndarray:
    """What a unit of each coefficient adds to the margin of a row's own class over each of the others.

    Parameters
    ----------
    A : ndarray of shape (n, p)
        The columns, the intercept among them.
    codes : ndarray of shape (n,)
        The class of each row, 0 … K - 1.
    used : ndarray of bool, shape (n,)
    """
    n, p = A.shape
    full = np.zeros((n, K, K - 1, p))  # row, the other class, coefficients
    for k in range(K):
        mine = codes == k
        if k:
            full[mine, :, k - 1] += A[mine][:, None, :]
        for j in range(1, K):
            full[mine, j, j - 1] -= A[mine]
    return full[(np.arange(K)[None, :] != codes[:, None]) & used[:, None]].reshape(-1, (K - 1) * p)


@dataclass(frozen=True)
class _Bernoulli:
    """The log-likelihood of each row, in margins: exact to the last digit where a fit is nearly certain of a row.

    `binary`: all of y is 0 or 1.
    """

    binary: bool

    def __call__(self, theta: Any, d: Any) -> Any:
        eta = linear_predictor(d, theta)
        if self.binary:
            return -np.logaddexp(0.0, (1 - 2 * d.y) * eta)
        return -d.y * np.logaddexp(0.0, -eta) - (1 - d.y) * np.logaddexp(0.0, eta)


@dataclass(frozen=True)
class _Categorical:
    """The log-likelihood of each row, in margins; `d.y` has a column of 0 and 1 for each class."""

    def __call__(self, theta: Any, d: Any) -> Any:
        K = d.y.shape[1]
        eta = linear_predictor(d, np.reshape(theta, (K - 1, -1)).T)
        eta = np.concatenate([np.zeros((len(d.y), 1)), eta], axis=1)
        own = np.sum(eta * d.y, axis=1, keepdims=True)
        return -np.logaddexp(0.0, logsumexp(np.where(d.y == 1, -np.inf, eta - own), axis=1))


def _entropy(y: np.ndarray, w: np.ndarray | None) -> float:
    """The log-likelihood of a model that knows each row's proportion."""
    from scipy.special import xlog1py, xlogy

    rows = xlogy(y, y) + xlog1py(1 - y, -y)
    return float(rows.sum() if w is None else w @ rows)


def _null_loglik(y: np.ndarray, w: np.ndarray | None, offset: np.ndarray | None, constant: bool) -> float:
    """The log-likelihood of the intercept (if there is one) and the offset alone."""
    from scipy.special import expit, logit

    total = float(len(y) if w is None else w.sum())
    mean = float(y.sum() if w is None else w @ y) / total
    if offset is None or not offset.any():
        if not constant:
            return -total * float(np.log(2.0))
        return total * _entropy(np.array([mean]), None) if 0 < mean < 1 else 0.0
    w = np.ones(len(y)) if w is None else w
    b = float(logit(mean)) if constant else 0.0
    if constant and 0 < mean < 1:
        b -= float(w @ offset / total)
        for _ in range(50):
            p = expit(offset + b)
            step = float(w @ (y - p)) / float(w @ (p * (1 - p)))
            b += max(-2.0, min(2.0, step))
            if abs(step) < 1e-14 * (1 + abs(b)):
                break
    if not np.isfinite(b):
        return 0.0
    eta = offset + b
    return float(w @ (y * eta - np.logaddexp(0.0, eta)))
