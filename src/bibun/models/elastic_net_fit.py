"""The fit of an elastic net for one penalty after the other: standardized rows, and Newton steps on active columns.

Imports active_set, families, links. The formula, the path and its cross-validation are in elastic_net.py.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..compiler.quick import quick
from ..transforms.directional import jvp
from ..transforms.gradient import grad
from .active_set import minimum
from .families import Family
from .links import LINKS, Link

__all__ = ["Descent", "Rows"]

STEPS = 100
NEAR = 0.02  # of standardized coefficients, from whose curvature steps still settle fast


class Rows:
    """The rows of a path: standardized columns, the intercept's first where there is one."""

    def __init__(
        self, X: np.ndarray, y: np.ndarray, w: np.ndarray, offset: np.ndarray, family: Family, intercept: bool,
        standardize: bool,
    ) -> None:  # fmt: skip
        self.X, self.y, self.w, self.offset, self.family = X, y, w / w.sum(), offset, family
        self.intercept, self.standardize = intercept, standardize
        self.link = LINKS[family.links[0]]
        self.loss, self.slope, self.bend = _derivatives(family, self.link)
        used = self.w > 0
        low, high = y[used].min(), y[used].max()
        if low == high and intercept:
            raise ValueError(f"the response is {low:g} in all rows: there is nothing for columns to explain")
        center = self.w @ X if intercept else np.zeros(X.shape[1])
        deviation = np.sqrt(self.w @ (X - self.w @ X) ** 2)
        still = deviation <= 1e-12 * np.abs(X).max(axis=0, initial=0.0)
        self.scales = np.where(still, 1.0, deviation) if standardize else np.ones(X.shape[1])
        self.center = center
        Z = np.where(still & intercept, 0.0, (X - center) / self.scales)
        self.Z = np.column_stack([np.ones(len(y)), Z]) if intercept else Z
        start = np.zeros(self.Z.shape[1])
        if intercept:
            self.null = Descent(self, np.arange(1)).among(0.0, 0.0, start)[0]
        else:
            self.null = start
        self.null_deviance = self.deviance(self.null)

    def gradient(self, b: np.ndarray) -> np.ndarray:
        """The slope of the mean loss by all coefficients."""
        return np.asarray(self.slope(self.Z @ b + self.offset, self.y, self.w) @ self.Z)

    def deviance(self, b: np.ndarray, which: Any = slice(None)) -> float:
        """The mean deviance, by the weights."""
        mean = self.link.inverse(self.Z[which] @ b + self.offset[which])
        w = self.w[which]
        return float(w @ self.family.deviance(self.y[which], mean) / w.sum())

    def raw(self, b: np.ndarray) -> tuple[float, np.ndarray]:
        """Intercept and coefficients of the columns as they were."""
        coef = b[self.intercept :] / self.scales
        return (float(b[0] - self.center @ coef) if self.intercept else 0.0), coef


class Descent:
    """The minimum for one pair of penalties after the other, with what one fit leaves to the next.

    Columns that came in stay among those that are computed with. The curvature is kept until the coefficients have
    moved: steps with one that is nearly right are many, but need a pass over the columns and no product of them.
    """

    def __init__(self, rows: Rows, columns: Any = ()) -> None:
        self.rows, n = rows, len(rows.y)
        self.columns, self.Z, self.H = np.zeros(0, int), np.zeros((n, 0)), np.zeros((0, 0))
        self.bent: np.ndarray = np.ones(n)
        self.origin: np.ndarray | None = None  # the coefficients that `bent`, the rows' curvature, is of
        self._include(np.arange(rows.intercept) if not len(columns) else columns)

    def fit(self, l1: float, l2: float, b: np.ndarray) -> tuple[np.ndarray, bool]:
        """The minimum, from `b`, and whether it was reached."""
        penalized = np.arange(len(b)) >= self.rows.intercept
        self._include(np.flatnonzero((b != 0) | (penalized & (l1 == 0))))
        for _ in range(STEPS):
            b, ended = self.among(l1, l2, b)
            over = penalized & (np.abs(self.rows.gradient(b)) > l1 * (1 + 1e-9) + 1e-15)
            over[self.columns] = False
            if not over.any():
                return b, ended
            self._include(np.flatnonzero(over))
        return b, False

    def among(self, l1: float, l2: float, b: np.ndarray) -> tuple[np.ndarray, bool]:
        """The minimum over the columns that are computed with, the others being 0: Newton's method."""
        rows, Z = self.rows, self.Z
        penalized = self.columns >= rows.intercept
        p1, p2 = np.where(penalized, l1, 0.0), np.where(penalized, l2, 0.0)

        def whole(at: np.ndarray) -> float:
            loss = rows.loss(Z @ at + rows.offset, rows.y, rows.w)
            return float(loss + p1 @ np.abs(at) + 0.5 * p2 @ at**2)

        at, last, ended, b = b[self.columns], np.inf, False, b.copy()
        with np.errstate(all="ignore"):
            for _ in range(STEPS):
                eta = Z @ at + rows.offset
                self._bend(eta, at)
                H = self.H + np.diag(p2)
                slope = rows.slope(eta, rows.y, rows.w) @ Z + p2 * at
                there = minimum(H, H @ at - slope, p1, at)
                step, t = there - at, 1.0
                size = float(np.abs(step).max(initial=0.0)) / (1 + float(np.abs(at).max(initial=0.0)))
                ended = size <= 1e-13 or (size <= 1e-9 and size > 0.5 * last)  # what is left is rounding
                if ended:
                    break
                if size > 1e-6:  # so short a step gains less than the rounding of the value: it is taken whole
                    value = whole(at)
                    promised = float(slope @ step + p1 @ (np.abs(there) - np.abs(at)))
                    while t > 1e-10 and not whole(at + t * step) <= value + 1e-4 * t * promised:
                        t *= 0.5
                at, last = there if t == 1.0 else at + t * step, size
        b[self.columns] = at
        return b, ended

    def _include(self, columns: np.ndarray) -> None:
        """Compute with more columns."""
        new = np.setdiff1d(columns, self.columns)
        if not len(new):
            return
        Z = self.rows.Z[:, new]
        bent = Z * self.bent[:, None]
        across = self.Z.T @ bent
        self.H = np.block([[self.H, across], [across.T, Z.T @ bent]])
        self.Z, self.columns = np.concatenate([self.Z, Z], axis=1), np.concatenate([self.columns, new])
        if self.origin is not None:
            self.origin = np.concatenate([self.origin, np.zeros(len(new))])

    def _bend(self, eta: np.ndarray, at: np.ndarray) -> None:
        """Take the curvature at coefficients, unless it is known nearly."""
        if self.origin is not None and (
            self.rows.family.name == "gaussian" or float(np.abs(at - self.origin).max(initial=0.0)) <= NEAR
        ):
            return
        self.bent, self.origin = np.asarray(self.rows.bend(eta, self.rows.y, self.rows.w)), at.copy()
        self.H = self.Z.T @ (self.Z * self.bent[:, None])


@cache
def _derivatives(family: Family, link: Link) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """The mean loss by linear predictors, its slope, and its curvature, which is of each row alone."""

    def loss(eta: Any, y: Any, w: Any) -> Any:
        return -np.sum(w * family.rows(y, eta, link, 1.0))

    slope = grad(loss)

    def bend(eta: Any, y: Any, w: Any) -> Any:
        return jvp(lambda e: slope(e, y, w), (eta,), (np.ones(eta.shape),))[1]

    return quick(loss), quick(slope), quick(bend)
