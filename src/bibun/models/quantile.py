"""Quantile regression: a linear program, solved to a vertex that is exact. Imports linear_fit.

The program goes to SciPy's HiGHS in its dual form; the vertex it ends at is solved once more from the rows that it
passes through.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import NotDefined
from .linear_fit import LinearFit, Problem

__all__ = ["QuantileResult", "quantile_regression"]


def quantile_regression(
    formula: str,
    data: Any,
    tau: float = 0.5,
    *,
    weights: Any = None,
    offset: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    kind: str | None = None,
) -> "QuantileResult":
    """A conditional quantile of the response as a linear function of columns.

    Parameters
    ----------
    formula : str
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    tau : float
        Which quantile, between 0 and 1; 0.5 is the median.
    weights : str or array_like, optional
        How many rows each stands for, whole numbers.
    offset : str or array_like, optional
    levels : dict of str to sequence, optional
        The order of a column's categories, the first being the reference.
    kind : {"nid", "iid"}, optional
        Which standard errors are the usual ones (see `QuantileResult.cov_params`).

    Returns
    -------
    QuantileResult

    Raises
    ------
    ValueError
        For a `tau` outside of 0 and 1, columns that depend on each other, a response that is no number.

    Notes
    -----
    The minimum of Σ r (τ - 1[r < 0]) (Koenker & Bassett 1978). Where several coefficients have it, `unique` is False
    and these are one vertex.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"x": [1, 2, 3, 4, 5, 6, 7], "y": [1.0, 2.5, 2.0, 9.0, 4.5, 5.0, 8.0]}
    >>> r = bb.quantile_regression("y ~ x", d)
    >>> print({k: round(v, 4) for k, v in r.params.items()}, round(r.objective, 4))
    {'Intercept': 0.125, 'x': 0.875} 4.4375
    """
    if not 0 < tau < 1:
        raise ValueError(f"tau={tau}: a number between 0 and 1")
    problem = Problem(formula, data, weights, offset, levels)
    if not np.array_equal(problem.w, np.round(problem.w)):
        raise ValueError("weights of a quantile regression say how many rows each stands for: whole numbers")
    used = problem.w > 0
    coef, rows = vertex(problem.X[used], problem.y[used], float(tau), problem.w[used])
    return QuantileResult(problem, coef, float(tau), np.flatnonzero(used)[rows], kind)


class QuantileResult(LinearFit):
    """A fitted quantile regression.

    Attributes
    ----------
    tau : float
    objective : float
        The sum of the check function, which the coefficients are the minimum of.
    interpolated : ndarray of shape (p,)
        The rows that the fit passes through.
    unique : bool
        Whether no other coefficients are as good.
    """

    kinds = ("nid", "iid")
    title = "quantile regression"
    instead = "glm has it, for means; here are kinds 'nid' and 'iid' of errors, Wald tests and fits for other tau"

    def __init__(self, problem: Problem, coef: np.ndarray, tau: float, rows: np.ndarray, kind: str | None) -> None:
        super().__init__(problem, coef, kind)
        self.tau, self.interpolated = tau, rows
        r = self.residuals()
        self.objective = float(problem.w @ (r * (tau - (r < 0))))
        self.unique = _unique(problem.X, problem.w, tau, r, rows)

    def _covariance(self, kind: str) -> np.ndarray:
        """The covariance of coefficients, by the density of the response at its quantile.

        "iid": one density for all rows, from the spread of the residuals nearest to 0 (Koenker 2005, 3.4.1). "nid": one
        for each row, from fits at τ ± h (Hendricks & Koenker 1992). h is Hall's and Sheather's (1988).
        """
        tau, each = self.tau, np.repeat(np.arange(len(self.problem.w)), self.problem.w.astype(int))
        X, y = self.problem.X[each], self.problem.y[each]
        n, p = X.shape
        h = bandwidth(tau, n)
        if kind == "iid":
            return np.asarray(tau * (1 - tau) * self._sparsity(self.residuals()[each], h, p) ** 2 * _inverse(X))
        while not h < min(tau, 1 - tau):
            h /= 2
        ends = [vertex(X, y, t)[0] for t in (tau - h, tau + h)]
        apart = X @ (ends[1] - ends[0])
        apart = np.where(apart > 1e-9 * np.abs(y).max(initial=0.0), apart, np.inf)  # quantiles that cross tell nothing
        if not np.isfinite(apart).any():
            raise NotDefined("the quantiles on both sides do not differ: use kind='iid'")
        density = 2 * h / apart
        bread = _inverse(X * np.sqrt(density)[:, None])
        return np.asarray(tau * (1 - tau) * bread @ (X.T @ X) @ bread)

    def _sparsity(self, r: np.ndarray, h: float, p: int) -> float:
        """The slope of the residuals' quantiles at 0: a median regression of those nearest to it on their ranks."""
        n = len(r)
        zero = int(np.sum(np.abs(r) <= 1e-10 * np.abs(self.problem.y).max(initial=0.0)))
        many = max(p + 1, int(np.ceil(n * h)))
        near = np.arange(zero, min(zero + many + 1, n))
        values = np.sort(r[np.argsort(np.abs(r), kind="stable")][near])
        ranks = (near + 1) / (n - p)
        return float(vertex(np.column_stack([np.ones(len(near)), ranks]), values, 0.5)[0][1])

    @property
    def loglik(self) -> float:
        """Of the asymmetric Laplace distribution, its scale being the most likely one."""
        n = self.nobs
        return float(n * (np.log(self.tau * (1 - self.tau)) - 1 - np.log(self.objective / n)))

    def glance(self) -> dict[str, Any]:
        """The fit in one dict."""
        more = {"tau": self.tau, "objective": self.objective, "unique": self.unique}
        return {**super().glance(), **more, "loglik": self.loglik, "aic": self.aic}

    def _head(self) -> list[str]:
        also = [] if self.unique else ["other coefficients are as good: these are one vertex of several"]
        return [f"Regression of the {self.tau:g} quantile   n {self.nobs:g}   objective {self.objective:.8g}", *also]


def vertex(X: np.ndarray, y: np.ndarray, tau: float, w: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A minimum of the check function, exactly, and the rows that it passes through.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Of full rank.
    y : ndarray of shape (n,)
    tau : float
    w : ndarray of shape (n,), optional

    Returns
    -------
    coef : ndarray of shape (p,)
    rows : ndarray of int, shape (p,)
    """
    from scipy import linalg, optimize

    n, p = X.shape
    if not p:
        return np.zeros(0), np.zeros(0, int)
    w = np.ones(n) if w is None else w
    size, spread = np.abs(X).max(axis=0), float(np.abs(y).max()) or 1.0
    Z = X / size
    found = optimize.linprog(
        -y / spread, A_eq=Z.T, b_eq=(1 - tau) * (w @ Z), bounds=np.column_stack([np.zeros(n), w]), method="highs"
    )
    if found.status:
        raise ValueError(f"the linear program of the quantile was not solved: {found.message}")
    b = -found.eqlin.marginals * spread
    r = np.abs(y - Z @ b)
    near = np.argsort(r, kind="stable")
    close = near[: max(p, int(np.sum(r <= 1e-9 * spread)))]
    while True:
        R, pivots = linalg.qr(Z[close].T, mode="r", pivoting=True)
        if np.abs(np.diag(R)).min() > 1e-10 * np.abs(R[0, 0]):
            break
        close = near[: len(close) + 1]
    rows = np.sort(close[pivots[:p]])
    exact = np.linalg.solve(Z[rows], y[rows])

    def cost(b: np.ndarray) -> float:
        r = y - Z @ b
        return float(w @ (r * (tau - (r < 0))))

    if not cost(exact) <= cost(b) + 1e-9 * spread * n:
        raise ValueError("the linear program of the quantile ended at no vertex: scale the columns to sizes near 1")
    return exact / size, rows


def _unique(X: np.ndarray, w: np.ndarray, tau: float, r: np.ndarray, rows: np.ndarray) -> bool:
    """Whether subgradients of the rows that the fit passes through, all inside their bounds, balance the others."""
    from scipy import optimize

    on = np.abs(r) <= 1e-10 * np.abs(r).max(initial=0.0)
    on[rows] = True
    size = np.abs(X).max(axis=0)
    Z = X / size
    pull = (w * (tau - (r < 0)))[~on] @ Z[~on]
    v = w[on]
    # the largest t for which subgradients v (τ - 1 + t) ≤ a ≤ v (τ - t) do
    k = len(v)
    bounds = np.concatenate([np.column_stack([-np.eye(k), v]), np.column_stack([np.eye(k), v])])
    found = optimize.linprog(
        np.append(np.zeros(k), -1.0),
        A_ub=bounds, b_ub=np.concatenate([v * (1 - tau), v * tau]),
        A_eq=np.column_stack([Z[on].T, np.zeros(Z.shape[1])]), b_eq=-pull, bounds=(None, None), method="highs",
    )  # fmt: skip
    return bool(found.status == 0 and -found.fun > 1e-9)


def bandwidth(tau: float, n: float, level: float = 0.95) -> float:
    """How far on both sides of τ the density is looked at (Hall & Sheather 1988)."""
    from scipy import special

    z = float(special.ndtri(tau))
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    wide = float(special.ndtri(0.5 + 0.5 * level)) ** (2 / 3)
    return float(n ** (-1 / 3) * wide * (1.5 * density**2 / (2 * z**2 + 1)) ** (1 / 3))


def _inverse(X: np.ndarray) -> np.ndarray:
    """(X'X)⁻¹ by QR."""
    R = np.linalg.qr(X, mode="r")
    half = np.linalg.solve(R, np.eye(len(R)))
    return np.asarray(half @ half.T)
