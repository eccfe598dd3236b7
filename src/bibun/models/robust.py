"""Robust regression: Huber's and Tukey's M-estimates, with a scale by medians or Huber's proposal 2.

A loss is one function, `rho`; its slope ψ and ψ' are derivatives of it. Imports linear_fit. A further loss is an entry
of `LOSSES`. For a robust likelihood write Student's t as one: `MLE` with `bibun.stats.t.logpdf`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import NotDefined
from ..transforms.gradient import grad
from .linear_fit import LinearFit, Problem

__all__ = ["LOSSES", "RobustResult", "robust_regression"]

NORMAL_MAD = 0.6745  # the median of |z|, as R rounds it
SMALL = 1e-13  # of the largest coefficient in units of the scale: a step that is the last


def _huber(u: Any, k: float) -> Any:
    return np.where(np.abs(u) <= k, 0.5 * u * u, k * np.abs(u) - 0.5 * k * k)


def _bisquare(u: Any, k: float) -> Any:
    inside = np.abs(u) <= k
    left = np.where(inside, 1 - (u / k) ** 2, 0.0)
    return k * k / 6 * (1 - left**3)


LOSSES: dict[str, tuple[Callable[[Any, float], Any], float]] = {
    "huber": (_huber, 1.345),
    "bisquare": (_bisquare, 4.685),
}


def robust_regression(
    formula: str,
    data: Any,
    loss: str = "huber",
    *,
    k: float | None = None,
    scale: str = "mad",
    weights: Any = None,
    offset: Any = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
    start: Any = None,
    maxiter: int = 5000,
) -> "RobustResult":
    """Linear regression in which rows far from the others count less.

    Parameters
    ----------
    formula : str
    data : dict of arrays, data frame (pandas, polars, Arrow), or Table
    loss : {"huber", "bisquare"}
        Squares that go over into lines; or Tukey's, which beyond `k` is flat, so that far rows do not count at all.
    k : float, optional
        Where, in units of the scale: 1.345 and 4.685, of which normal responses lose 5 % efficiency.
    scale : {"mad", "proposal2"}
        The median of the residuals' sizes over 0.6745; or Huber's proposal 2, the root of their capped mean square.
    weights : str or array_like, optional
        How many rows each stands for.
    offset : str or array_like, optional
    levels : dict of str to sequence, optional
        The order of a column's categories, the first being the reference.
    start : array_like of shape (p,), optional
        Coefficients to start from; by default those of least squares. The bisquare loss may have several minima.
    maxiter : int

    Returns
    -------
    RobustResult

    Raises
    ------
    ValueError
        If half of the rows are fitted exactly, so that there is no scale; for columns that depend on each other.

    Notes
    -----
    Coefficients and scale are where Σ ψ(r/s) x = 0 and s is of the same residuals, found by reweighted least squares
    (Huber 1981), as R's `rlm` run to the end.

    Examples
    --------
    >>> import bibun as bb
    >>> d = {"x": [1, 2, 3, 4, 5, 6, 7], "y": [1.1, 1.9, 3.2, 25.0, 4.8, 6.1, 7.0]}
    >>> r = bb.robust_regression("y ~ x", d, "bisquare")
    >>> print({n: round(v, 4) for n, v in r.params.items()}, r.weights.round(3).tolist()[3])
    {'Intercept': 0.0594, 'x': 0.9898} 0.0
    """
    if loss not in LOSSES:
        raise ValueError(f"loss={loss!r}: one of {', '.join(LOSSES)}")
    if scale not in ("mad", "proposal2"):
        raise ValueError(f"scale={scale!r}: 'mad' or 'proposal2'")
    k = LOSSES[loss][1] if k is None else float(k)
    if not 0 < k < np.inf:
        raise ValueError(f"k={k:g}: a number greater than 0, in units of the scale")
    problem = Problem(formula, data, weights, offset, levels)
    return RobustResult(problem, Loss(loss, k), scale, start, maxiter)


class Loss:
    """A loss of standardized residuals: its slope ψ and the slope of that by exact derivatives."""

    def __init__(self, name: str, k: float) -> None:
        self.name, self.k = name, k

    def _whole(self, u: Any) -> Any:
        return np.sum(LOSSES[self.name][0](u, self.k))

    def _psi(self, u: Any) -> Any:
        return grad(self._whole)(u)

    def psi(self, u: np.ndarray) -> np.ndarray:
        """ρ', shape (n,)."""
        return np.asarray(self._psi(u))

    def bend(self, u: np.ndarray) -> np.ndarray:
        """ρ'', shape (n,)."""
        return np.asarray(grad(lambda v: np.sum(self._psi(v)))(u))

    def weight(self, u: np.ndarray) -> np.ndarray:
        """ψ(u) / u, 1 at 0."""
        away = np.where(u == 0, 1.0, u)
        return np.where(u == 0, 1.0, np.abs(self.psi(away) / away))


class RobustResult(LinearFit):
    """A fitted robust regression.

    Attributes
    ----------
    loss : str
    k : float
    scale : float
        Of the residuals; for normal responses an estimate of their standard deviation.
    weights : ndarray of shape (n,)
        By how much each row counted in the last least squares, between 0 and 1.
    iterations : int
    converged : bool
    """

    kinds = ("huber", "sandwich")
    title = "robust regression"
    instead = (
        "MLE with bibun.stats.t.logpdf is a likelihood that is robust too; compare fits by their scale and coefficients"
    )

    def __init__(self, problem: Problem, loss: Loss, scale: str, start: Any, maxiter: int) -> None:
        self._loss, self.loss, self.k, self.scale_by = loss, loss.name, loss.k, scale
        X, y, w = problem.X, problem.y, problem.w
        b = _least_squares(X, y, w) if start is None else np.asarray(start, float)
        if b.shape != (X.shape[1],):
            raise ValueError(f"start of shape {b.shape} for {X.shape[1]} coefficients: {', '.join(problem.names)}")
        size = np.abs(X).max(axis=0, initial=0.0)
        self.scale = self._scaled(y - X @ b, w, None, X.shape[1])
        self.converged, self.iterations = False, 0
        while self.iterations < maxiter and not self.converged:
            self.iterations += 1
            r = y - X @ b
            s = self._scaled(r, w, self.scale, X.shape[1])
            moved = _least_squares(X, y, w * loss.weight(r / s))
            step = max(float(np.max(size * np.abs(moved - b), initial=0.0)) / s, abs(s / self.scale - 1))
            b, self.scale = moved, s
            self.converged = step <= SMALL * (1 + float(np.max(size * np.abs(b), initial=0.0)) / s)
        super().__init__(problem, b)
        self.weights = loss.weight(self.residuals() / self.scale)
        if not self.converged:
            self.notes = (*self.notes, f"! not converged after {maxiter} iterations: allow more")

    def _scaled(self, r: np.ndarray, w: np.ndarray, last: float | None, p: int) -> float:
        """The scale of residuals; for proposal 2 one step from the last scale."""
        if last is None or self.scale_by == "mad":
            scale = _median(np.abs(r), w) / NORMAL_MAD
        else:
            from scipy import special

            k = LOSSES["huber"][1]
            inside = 2 * float(special.ndtr(k)) - 1
            expected = inside + k * k * (1 - inside) - 2 * k * np.exp(-0.5 * k * k) / np.sqrt(2 * np.pi)
            scale = float(np.sqrt(w @ np.minimum(r**2, (k * last) ** 2) / ((w.sum() - p) * expected)))
        if not scale > 0:
            raise ValueError("half of the rows or more are fitted exactly: there is no scale of the others' residuals")
        return scale

    def _covariance(self, kind: str) -> np.ndarray:
        """The covariance of coefficients, the scale being known.

        "huber": one for all rows, as R's `summary.rlm` (Huber 1981, 7.6). "sandwich": of rows whose spread differs.
        """
        X, w, n, p = self.problem.X, self.problem.w, self.nobs, len(self.coef)
        u = self.residuals() / self.scale
        psi, bend = self._loss.psi(u), self._loss.bend(u)
        if kind == "sandwich":
            bread = np.linalg.pinv(X.T @ (X * (w * bend)[:, None]), hermitian=True) * self.scale
            return np.asarray(bread @ (X.T @ (X * (w * psi**2)[:, None])) @ bread)
        mean = float(w @ bend) / n
        if not mean > 0:
            raise NotDefined("the mean slope of ψ is not positive at this fit: use kind='sandwich'")
        spread = float(w @ (bend - mean) ** 2) / (n - 1)
        correction = 1 + p * spread / (n * mean**2)
        variance = self.scale**2 * float(w @ psi**2) / (n - p) * (correction / mean) ** 2
        R = np.linalg.qr(X * np.sqrt(w)[:, None], mode="r")
        half = np.linalg.solve(R, np.eye(p))
        return np.asarray(variance * half @ half.T)

    def residuals(self, kind: str = "response") -> np.ndarray:
        """The response less the fitted value ("response"), or that over the scale ("standardized"), shape (n,)."""
        return super().residuals() / self.scale if kind == "standardized" else super().residuals(kind)

    def influence(self) -> dict[str, np.ndarray]:
        """How much each row pulls: "dfbeta", shape (n, p), to first order, the scale being known; "weights"."""
        X, u = self.problem.X, self.residuals() / self.scale
        bread = np.linalg.pinv(X.T @ (X * (self.problem.w * self._loss.bend(u))[:, None]), hermitian=True) * self.scale
        return {"dfbeta": self._loss.psi(u)[:, None] * X @ bread, "weights": self.weights}

    def glance(self) -> dict[str, Any]:
        """The fit in one dict."""
        return {**super().glance(), "scale": self.scale, "loss": self.loss, "iterations": self.iterations}

    def _head(self) -> list[str]:
        by = "median of sizes" if self.scale_by == "mad" else "proposal 2"
        first = f"Robust regression, {self.loss} loss, k {self.k:g}   n {self.nobs:g}"
        return [first, f"scale {self.scale:.6g} ({by})   on {self.df_resid:g} degrees of freedom"]


def _least_squares(X: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    root = np.sqrt(w)
    b, _, rank, _ = np.linalg.lstsq(X * root[:, None], root * y, rcond=None)
    if rank < X.shape[1]:
        raise ValueError("the rows that still count do not determine all coefficients: use a larger k, or loss='huber'")
    return np.asarray(b)


def _median(a: np.ndarray, w: np.ndarray) -> float:
    """The median of numbers that stand for so many each."""
    order = np.argsort(a, kind="stable")
    upto, total = np.cumsum(w[order]), float(w.sum())
    low = int(np.searchsorted(upto, 0.5 * total * (1 - 1e-14), "left"))
    high = min(int(np.searchsorted(upto, 0.5 * total * (1 + 1e-14), "right")), len(a) - 1)
    return float(0.5 * (a[order[low]] + a[order[high]]))
