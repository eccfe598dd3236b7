"""Logistic regression, of two classes and of several: one likelihood, one search, one certificate.

Imports design, least_squares, separation, regression_result, optimize. `Search` is what another family of generalized
linear models would share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..optimize import minimize
from ..optimize.derivatives import Derivatives
from ..special import logsumexp
from .certificate import Certificate, running
from .design import (
    checked,
    constant_columns,
    factored,
    has_constant,
    linear_predictor,
    named_data,
    penalties,
    problems,
)  # fmt: skip
from .domains import Real
from .least_squares import Columns, Rows, predictor, triangle
from .likelihood import MLE, Objective
from .parameters import Values
from .regression_result import RegressionResult
from .separation import recession

__all__ = ["METHODS", "TOLERANCE", "logistic", "multinomial"]

METHODS = {"newton": "newton", "lbfgs": "l-bfgs", "gradient-descent": "gradient-descent"}
TOLERANCE = 1e-10  # of the mean log-likelihood of a row: an iteration that gains less is the last
MAXITER = {"newton": 100, "lbfgs": 1000, "gradient-descent": 10_000}
ROWS = 50_000  # from here on the search starts where it ends for some of them
RELIABLE = 1e-15  # of many rows: a squared step, in standard errors of one row, that needs no look at where it leads
SUSPICIOUS = 12.0  # a linear predictor beyond which separation is looked for


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
    columns = factored(Rows(X, intercept, w, penalties(X, penalty, constant)), names)
    objective = Objective(MLE(_Bernoulli(binary), Real(names=names)), named_data(X, y, offset), w)
    fit = Search(objective, columns, 1, method, maxiter)

    def margins() -> np.ndarray:
        sure = np.where(y == 1, 1.0, -1.0)
        used = np.ones(len(y), bool) if w is None else w > 0
        both = (y > 0) & (y < 1) & used
        return np.concatenate([sure[used][:, None] * columns.rows.of(used), columns.rows.of(both)])

    saturated = 0.0 if binary else _entropy(y, w)
    null = _null_loglik(y, w, offset, has_constant(columns, constant))
    facts = fit.finish(margins, names, "binomial", constant)
    loglik = facts["loglik"]
    facts.update(null_loglik=null, deviance=2 * (saturated - loglik), null_deviance=2 * (saturated - null), scale=1.0)
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
    K, p = len(classes), len(names)
    codes = y.astype(int)
    if (codes != y).any() or codes.min() < 0 or codes.max() >= K or K < 2:
        raise ValueError(f"y is a class number from 0 to {K - 1} in each row")
    chosen = np.zeros((len(y), K))
    chosen[np.arange(len(y)), codes] = 1.0

    labels = [f"{c}:{n}" for c in list(classes)[1:] for n in names]
    constant = constant_columns(X, intercept)
    columns = factored(Rows(X, intercept, w, penalties(X, penalty, constant)), names)
    objective = Objective(MLE(_Categorical(), Real(names=labels)), named_data(X, chosen, None), w)
    fit = Search(objective, columns, K - 1, method, maxiter)

    def margins() -> np.ndarray:
        A = columns.rows.of(slice(None))
        full = np.zeros((len(y), K, K - 1, p))  # row, the other class, coefficients
        for k in range(K):
            rows = codes == k
            if k:
                full[rows, :, k - 1] += A[rows][:, None, :]
            for j in range(1, K):
                full[rows, j, j - 1] -= A[rows]
        used = np.ones((len(y), 1), bool) if w is None else (w > 0)[:, None]
        return full[(np.arange(K)[None, :] != codes[:, None]) & used].reshape(-1, (K - 1) * p)

    facts = fit.finish(margins, labels, "multinomial", np.tile(constant, K - 1), names)
    counts = chosen.sum(axis=0) if w is None else w @ chosen
    from scipy.special import xlogy

    null = float(np.sum(xlogy(counts, counts / counts.sum())))
    facts.update(null_loglik=null, deviance=-2 * facts["loglik"], null_deviance=-2 * null, scale=1.0)
    return RegressionResult(objective, fit.coef, fit.certificate, fit.found, facts)


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


def mean_loss(gamma: Any, T: Any, P: Any, total: Any, columns: Any, weights: Any, rows: Any) -> Any:
    """Minus the mean log-likelihood of a row at coefficients T γ, and half of γ'P γ.

    `rows` gives the log-likelihood of each row; `total` is the sum of the weights. All that a fit has of its own is an
    argument, so that what is compiled serves every fit.
    """
    loglik = rows(T @ gamma, Values(columns, "data column"))
    loss = -np.sum(loglik if weights is None else loglik * weights) / total
    return loss if P is None else loss + 0.5 * (gamma @ (P @ gamma))


_mean_loss = Derivatives(mean_loss)


class InOrthonormal:
    """Minus a penalized log-likelihood over the coordinates γ of its search, as profiles ask for it."""

    def __init__(self, total: float, arguments: tuple[Any, ...]) -> None:
        self.total, self.arguments = total, arguments

    def value(self, gamma: np.ndarray) -> float:
        """The value."""
        return self.total * float(_mean_loss.value(gamma, *self.arguments))

    def all(self, gamma: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient and Hessian."""
        value, g, H = _mean_loss.symmetric(gamma, *self.arguments)
        return self.total * value, self.total * g, self.total * H


class Search:
    """The maximum of a likelihood of linear predictors, over orthonormal combinations of their columns.

    `blocks` predictors share the columns (K - 1 for K classes).
    """

    def __init__(self, objective: Objective, columns: Columns, blocks: int, method: str, maxiter: int | None) -> None:
        if method not in METHODS:
            raise ValueError(f"method={method!r}: one of {', '.join(METHODS)}")
        self.objective, self.columns, self.blocks, self.method = objective, columns, blocks, method
        rows = columns.rows
        self.total = float(len(rows.X) if rows.w is None else rows.w.sum())
        objective.by_rows, objective.n_obs = True, self.total
        self.T = np.kron(np.eye(blocks), self.columns.transform()) * np.sqrt(self.total)
        self.lam = np.zeros(rows.shape[1]) if rows.lam is None else rows.lam
        # symmetric coefficients of K classes from those against the first: what the penalty is on
        among = np.eye(blocks) - np.full((blocks, blocks), 1 / (blocks + 1)) if blocks > 1 else np.eye(1)
        self.penalty = np.kron(among, np.diag(self.lam))
        self.P = self.T.T @ self.penalty @ self.T / self.total
        self.arguments = self._arguments(self.total, dict(objective.data), objective.weights)
        self.gamma, self.found = self._search(method, maxiter)
        self.gamma, self.polished = self._polish(self.gamma)

    def _arguments(self, total: float, data: dict[str, Any], weights: Any) -> tuple[Any, ...]:
        """What `mean_loss` is given after γ."""
        return self.T, self.P if self.lam.any() else None, total, data, weights, self.objective.model.loglik

    def _search(self, method: str, maxiter: int | None) -> tuple[np.ndarray, Any]:
        start = np.zeros(self.T.shape[1])
        self.ended = True
        if not start.size:
            from scipy.optimize import OptimizeResult

            value = float(mean_loss(start, *self.arguments))
            return start, OptimizeResult(x=start, fun=value, nit=0, success=True, message="There is nothing to search.")
        self.many = len(self.columns.rows.X) >= ROWS
        if method == "newton" and self.many:
            start = self._start(start)
        last = np.inf

        def gained_little(intermediate_result: Any) -> None:
            nonlocal last
            gain, last = last - float(intermediate_result.fun), float(intermediate_result.fun)
            if gain <= TOLERANCE:
                raise StopIteration

        found = minimize(
            _mean_loss,
            start,
            args=self.arguments,
            method=METHODS[method],
            gtol=1e-8 if self.many else 1e-13,
            maxiter=maxiter or MAXITER[method],
            callback=gained_little,
        )
        if found.status == 99:  # the rule above
            found.success = True
            found.message = (
                f"Converged after {found.nit} iterations: the last one raised the mean log-likelihood of a row by less "
                f"than {TOLERANCE:g}."
            )
        self.ended = bool(found.success)
        return np.asarray(found.x, float), found

    def _start(self, zero: np.ndarray) -> np.ndarray:
        """The maximum for some rows, if it is there; all rows then have one too, so the end does not depend on it."""
        X = self.columns.rows.X
        x = zero
        for rows, gtol in ((10_000, 1e-6), (100_000, 1e-4)):  # so many that a step among all of them is saved
            if len(X) < 4 * rows:
                break
            some = slice(None, None, len(X) // rows)
            w = None if self.objective.weights is None else self.objective.weights[some]
            data = {name: a[some] for name, a in dict(self.objective.data).items()}
            total = float(len(data["y"]) if w is None else w.sum())
            if not total > 0:
                return zero
            found = minimize(
                _mean_loss, x, args=self._arguments(total, data, w), method="newton", gtol=gtol, maxiter=12
            )
            x = np.asarray(found.x)
            eta = predictor(data["X"], (self.T @ x).reshape(self.blocks, -1).T)
            if not found.success or max(eta.max(), -eta.min()) > SUSPICIOUS:
                return zero
        return x

    def _polish(self, gamma: np.ndarray) -> tuple[np.ndarray, int]:
        """Newton steps to the last digit, as long as each gains less than a quarter of the one before."""
        last, steps = np.inf, 0
        known = self.found.get("hess")
        if known is None:
            self.value, self.slope, self.H = self._at(gamma)
        else:
            self.value, self.slope, self.H = float(self.found.fun), np.asarray(self.found.jac), known
        while gamma.size and steps < 10 and self.ended:
            step = _solved(self.H, self.slope)
            decrement = float(self.slope @ step)
            if not 0 < decrement < min(0.25 * last, 1e-3):
                break
            if self.many and decrement < RELIABLE:
                return gamma - step, steps + 1
            there = self._at(gamma - step)
            if not there[0] <= self.value + 1e-14:
                break
            gamma, last, steps = gamma - step, decrement, steps + 1
            self.value, self.slope, self.H = there
        return gamma, steps

    def _at(self, gamma: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        if not gamma.size:
            return float(mean_loss(gamma, *self.arguments)), gamma, np.zeros((0, 0))
        return _mean_loss.symmetric(gamma, *self.arguments)

    def finish(
        self,
        margins: Callable[[], np.ndarray],
        labels: list[str],
        family: str,
        constant: np.ndarray,
        names: list[str] | None = None,
    ) -> dict[str, Any]:
        """The coefficients, the certificate and the facts of the result."""
        raw = (self.T @ self.gamma).reshape(self.blocks, -1)
        self.coef = np.concatenate([self.columns.shortest(row[self.columns.basis]) for row in raw])
        undetermined, found = problems(self.columns, names or labels)
        undetermined = np.tile(undetermined, self.blocks)
        null = np.kron(np.eye(self.blocks), self.columns.null / self.columns.norms[:, None])
        directions = list(null.T)
        H = self.H
        decrement = 0.5 * float(self.slope @ _solved(H, self.slope)) * self.total if self.gamma.size else 0.0
        smallest = float(np.linalg.eigvalsh(H)[0]) if self.gamma.size else 1.0
        predictors = predictor(self.columns.rows.X, self.coef.reshape(self.blocks, -1).T)
        runs: list[np.ndarray] = []
        short = decrement > 1e-8 * (1 + self.total) or not self.ended
        if self.gamma.size and (short or smallest < 1e-6 or max(predictors.max(), -predictors.min()) > SUSPICIOUS):
            runs, left = self._separated(margins(), constant)
        if runs:
            spread = np.tile(self.columns.norms, self.blocks)
            seen = np.zeros(len(labels), bool)
            for k, d in enumerate(runs):
                named = np.where(constant, 0.0, d)  # an intercept only makes room for the others
                if (named[~seen] != 0).any() or k == 0:
                    words = running(named if named.any() else d, spread, labels)
                    found.append(f"no finite maximum: the log-likelihood still rises as {words}")
                seen |= named != 0
            H, more = self._limit(margins()[left])
            lost = self._members(more)
            others = [
                n for n, u, r in zip(labels, lost, np.any([d != 0 for d in runs], axis=0), strict=True) if u and not r
            ]
            if others:
                found.append(f"separation leaves {', '.join(others[:8])}{' …' if len(others) > 8 else ''} undetermined")
            undetermined |= lost
            directions += runs
            size = np.abs(more) * np.tile(self.columns.norms, self.blocks)[:, None]
            null = np.concatenate([null, np.where(size > 1e-9 * size.max(axis=0), more, 0.0)], axis=1)
        elif short:
            way = "" if self.method == "newton" else ", or use newton"
            found.append(
                f"not converged: {self.method} stopped after {self.found.nit} iterations, and the log-likelihood can "
                f"still rise by about {decrement:.2g}; allow more iterations{way}"
            )
        inverse = self.T @ np.linalg.pinv(H, rcond=1e-13, hermitian=True) @ self.T.T / self.total
        self.certificate = Certificate(not found, decrement, smallest, directions, undetermined, found)
        rank: float = len(self.gamma)
        loglik = -self.value * self.total
        if self.lam.any():
            loglik += 0.5 * self.total * float(self.gamma @ (self.P @ self.gamma))
            rank -= float(np.sum(inverse * self.penalty))
        return {
            "family": family, "df_resid": self.total - rank, "df_model": rank, "inverse": inverse, "null": null,
            "loglik": loglik, "polished": self.polished, "_T": self.T, "_gamma": self.gamma,
            "_over_gamma": InOrthonormal(self.total, self.arguments),
        }  # fmt: skip

    def _separated(self, margins: np.ndarray, constant: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Directions of separation; only among the coefficients that no penalty holds."""
        basis = np.zeros(len(self.lam), bool)
        basis[self.columns.basis] = True
        use = np.tile(basis & (self.lam == 0), self.blocks)
        size = np.abs(margins).max(axis=0, initial=0.0)
        size = np.where(size > 0, size, 1.0)
        ahead = -(self.T @ _solved(self.H, self.slope)) * size
        found, left = recession(margins[:, use] / size[use], constant[use], ahead[use])
        out = []
        for d in found:
            whole = np.zeros(len(size))
            whole[use] = d / size[use]
            out.append(whole)
        return out, left

    def _limit(self, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The information that is left when what is separated has gone to its limit, and what it does not determine."""
        Z = margins @ self.T
        _, s, V = (
            np.linalg.svd(triangle(Z), full_matrices=True) if len(Z) else (0, np.zeros(0), np.eye(self.T.shape[1]))
        )
        keep = np.zeros(len(V), bool)
        keep[: len(s)] = s > 1e-9 * max(float(s.max(initial=0.0)), 1e-300)
        held = np.zeros(len(V), bool) if not self.lam.any() else np.abs(V @ self.P).max(axis=1) > 1e-12
        keep |= held
        project = V[keep].T @ V[keep]
        return project @ self.H @ project, self.T @ V[~keep].T

    def _members(self, directions: np.ndarray) -> np.ndarray:
        size = np.abs(directions) * np.tile(self.columns.norms, self.blocks)[:, None]
        return (size > 1e-7 * size.max(initial=1e-300)).any(axis=1) if size.size else np.zeros(len(size), bool)


def _solved(H: np.ndarray, g: np.ndarray) -> np.ndarray:
    """H⁻¹g in the directions that have curvature."""
    eigenvalues, V = np.linalg.eigh(H)
    keep = eigenvalues > 1e-15
    return np.asarray((V[:, keep] / eigenvalues[keep]) @ (V[:, keep].T @ g))


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
