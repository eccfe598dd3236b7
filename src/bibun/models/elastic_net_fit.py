"""The fit of an elastic net for one penalty after the other: exact minima, each from where the last one was.

Squares need products of columns alone, other likelihoods Newton steps on their rows. Imports active_set, families,
links. The formula, the path and its cross-validation are in elastic_net.py.
"""

from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from ..compiler.quick import quick
from ..transforms.directional import jvp
from ..transforms.gradient import grad, value_and_grad
from .active_set import Factors, minimum
from .families import Family
from .links import LINKS, Link

__all__ = ["Rows"]

PIECE = 1024  # rows that are standardized at a time, so that they stay in the cache
WHOLE = 500  # columns up to which all products cost less than looking for those that are needed
PROMISING = 0.8  # of the penalty: columns with such a slope come in with those whose slope exceeds it
STEPS = 200
SLOW = 0.1  # of the step before: a step as long as that asks for the curvature where it is
LEAST = 1e-11  # of the largest coefficient: a step that is the last


class Rows:
    """The rows of a path, and the standard columns that its coefficients are of.

    The intercept's coefficient comes first where there is one.
    """

    def __init__(
        self, X: np.ndarray, y: np.ndarray, w: np.ndarray, offset: np.ndarray, family: Family, intercept: bool,
        standardize: bool,
    ) -> None:  # fmt: skip
        self.X, self.y, self.w, self.offset, self.family = X, y, w / w.sum(), offset, family
        self.intercept, self.standardize = intercept, standardize
        self.link = LINKS[family.links[0]]
        used = self.w > 0
        low, high = y[used].min(), y[used].max()
        if low == high and (intercept or low == 0):
            raise ValueError(f"the response is {low:g} in all rows: there is nothing for columns to explain")
        mean = self.w @ X
        self.center, self.scales = mean, np.ones(len(mean))
        deviation = np.sqrt(sum(self.w[at] @ (Z * Z) for at, Z in self.pieces()))
        still = deviation <= 1e-12 * np.abs(mean)
        if standardize:
            self.scales = np.where(still, 1.0, deviation)
        if intercept:
            self.scales = np.where(still, np.inf, self.scales)  # such a column says nothing beside the intercept
        else:
            self.center = np.zeros(len(mean))

    def pieces(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Some rows after others, and their standard columns."""
        for i in range(0, len(self.X), PIECE):
            at = slice(i, i + PIECE)
            Z = self.X[at] - self.center
            Z /= self.scales
            yield at, Z

    @cached_property
    def descent(self) -> "Squares | Descent":
        """What finds the minima."""
        return Squares(self) if self.family.name == "gaussian" else Descent(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "descent"}

    def raw(self, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Intercept and coefficients of the columns as they are, of `b` or of each row of it."""
        coef = b[..., self.intercept :] / self.scales
        first = b[..., 0] if self.intercept else np.zeros(b.shape[:-1])
        return first - coef @ self.center, coef


class Squares:
    """The minimum of a mean of squares and one pair of penalties after the other.

    Products of columns say all of it. They are made once, for the columns that come in; rows are not looked at again.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows, y, p = rows, rows.y - rows.offset, rows.X.shape[1]
        self.null = np.zeros(rows.intercept + p)
        if rows.intercept:
            self.null[0] = rows.w @ y
            y = y - self.null[0]
        self.null_deviance = float(rows.w @ y**2)
        self.c = np.sum([(rows.w[at] * y[at]) @ Z for at, Z in rows.pieces()], axis=0)
        self.columns, self.G = np.zeros(0, int), np.zeros((p, 0))
        self.H, self.l2, self.factors = np.zeros((0, 0)), 0.0, Factors()
        if p <= WHOLE:
            self._include(np.arange(p))

    def slopes(self, b: np.ndarray) -> np.ndarray:
        """Of half the mean square, by the columns."""
        return np.asarray(self.G @ b[self.rows.intercept :][self.columns] - self.c)

    def fit(self, l1: float, l2: float, b: np.ndarray) -> tuple[np.ndarray, bool]:
        """The minimum, from `b`, and whether it was reached."""
        b = b.copy()
        at = b[self.rows.intercept :]
        self._include(np.flatnonzero((at != 0) | (l1 == 0)))
        while True:
            A, p1, p2 = self.columns, np.full(len(self.columns), l1), np.full(len(self.columns), l2)
            if l2 != self.l2:
                self.l2, self.factors = l2, Factors()
            at[A] = minimum(self.H, self.c[A], p1, p2, at[A], self.factors)
            if len(A) == len(at):
                return b, True
            size = np.abs(self.slopes(b))
            size[A] = 0.0
            if not size.max() > l1 * (1 + 1e-9) + 1e-15:
                return b, True
            self._include(np.flatnonzero(size > PROMISING * l1))

    def explained(self, ends: np.ndarray) -> np.ndarray:
        """The share of the null deviance that coefficients explain, of each row of `ends`."""
        B = ends[:, self.rows.intercept :]
        return np.asarray(np.sum(B * (2 * self.c - B[:, self.columns] @ self.G.T), axis=1) / self.null_deviance)

    def _include(self, columns: np.ndarray) -> None:
        """Make the products of all columns with more of them."""
        new = np.setdiff1d(columns, self.columns) if len(self.columns) < len(self.c) else np.zeros(0, int)
        if not len(new):
            return
        more, root = np.zeros((len(self.c), len(new))), np.sqrt(self.rows.w)
        for at, Z in self.rows.pieces():
            Z *= root[at, None]
            more += Z.T @ (Z if len(new) == Z.shape[1] else Z[:, new])  # BLAS has Z'Z in half the time
        self.G, self.columns = np.concatenate([self.G, more], axis=1), np.concatenate([self.columns, new])
        self.H, self.factors = self.G[self.columns], Factors()


class Point(NamedTuple):
    """Coefficients, and the mean loss and its slopes there."""

    b: np.ndarray
    loss: float
    slope: np.ndarray


class Descent:
    """The minimum of a family's mean loss and one pair of penalties after the other, by Newton's method.

    Columns that came in stay among those that may leave 0. Their curvature is computed anew where steps get shorter
    slowly; from one step to the next it follows from the slopes there (Broyden, Fletcher, Goldfarb, Shanno).
    """

    def __init__(self, rows: Rows) -> None:
        self.rows, self.Z = rows, np.concatenate([Z for _, Z in rows.pieces()])
        if rows.intercept:
            self.Z = np.column_stack([np.ones(len(self.Z)), self.Z])
        self.loss, self.bend = _derivatives(rows.family, rows.link)
        self.columns = np.arange(rows.intercept)  # places among the coefficients
        self.H: np.ndarray | None = None  # of the mean loss by these, somewhere near
        self.last, _ = self._among(0.0, 0.0, self._point(np.zeros(self.Z.shape[1])))
        self.null = self.last.b
        self.null_deviance = float(self._deviances(self.null[None])[0])

    def slopes(self, b: np.ndarray) -> np.ndarray:
        """Of the mean loss, by the columns."""
        return self._point(b).slope[self.rows.intercept :]

    def fit(self, l1: float, l2: float, b: np.ndarray) -> tuple[np.ndarray, bool]:
        """The minimum, from `b`, and whether it was reached."""
        self._include(np.flatnonzero((b != 0) | (l1 == 0)))
        point = self.last if np.array_equal(self.last.b, b) else self._point(b)
        while True:
            point, ended = self._among(l1, l2, point)
            size = np.abs(point.slope)
            size[self.columns] = 0.0
            if not size.max() > l1 * (1 + 1e-9) + 1e-15:
                self.last = point
                return point.b, ended
            self._include(np.flatnonzero(size > PROMISING * l1))

    def explained(self, ends: np.ndarray) -> np.ndarray:
        """The share of the null deviance that coefficients explain, of each row of `ends`."""
        return np.asarray(1 - self._deviances(ends) / self.null_deviance)

    def _deviances(self, ends: np.ndarray) -> np.ndarray:
        rows, total = self.rows, np.zeros(len(ends))
        for i in range(0, len(rows.y), PIECE):
            at = slice(i, i + PIECE)
            mean = rows.link.inverse(ends @ self.Z[at].T + rows.offset[at])
            total += rows.family.deviance(rows.y[at], mean) @ rows.w[at]
        return total

    def _point(self, b: np.ndarray) -> Point:
        loss, slope = self.loss(b, self.Z, self.rows.y, self.rows.w, self.rows.offset)
        return Point(b, float(loss), np.asarray(slope))

    def _among(self, l1: float, l2: float, point: Point) -> tuple[Point, bool]:
        """The minimum over the columns that came in, the others being 0; whether it was reached."""
        columns, last, fresh = self.columns, np.inf, False
        penalized = columns >= self.rows.intercept
        p1, p2 = np.where(penalized, l1, 0.0), np.where(penalized, l2, 0.0)
        with np.errstate(all="ignore"):
            for _ in range(STEPS):
                if self.H is None:
                    self.H, fresh = self._curvature(point.b), True
                at, slope = point.b[columns], point.slope[columns]
                there = minimum(self.H, self.H @ at - slope, p1, p2, at)
                step = there - at
                size = float(np.abs(step).max(initial=0.0)) / (1 + float(np.abs(at).max(initial=0.0)))
                if size > max(SLOW * last, LEAST) and not fresh:
                    self.H = None
                    continue
                ended = size <= LEAST or (size <= 1e-9 and size > 0.5 * last)  # what is left is rounding
                value = point.loss + p1 @ np.abs(at) + 0.5 * p2 @ at**2
                promised = float((slope + p2 * at) @ step + p1 @ (np.abs(there) - np.abs(at)))
                t, b = 1.0, np.zeros(len(point.b))
                while True:
                    b[columns] = to = there if t == 1.0 else at + t * step
                    point = self._point(b)
                    # so short a step gains less than the rounding of the value: it is taken whole
                    if size <= 1e-6 or t <= 1e-10:
                        break
                    if point.loss + p1 @ np.abs(to) + 0.5 * p2 @ to**2 <= value + 1e-4 * t * promised:
                        break
                    t *= 0.5
                if ended:
                    return point, True
                if size > 1e-6:
                    self.H = _bent(self.H, to - at, point.slope[columns] - slope)
                last, fresh = size, False
        return point, False

    def _curvature(self, b: np.ndarray) -> np.ndarray:
        rows = self.rows
        bend = np.asarray(self.bend(self.Z @ b + rows.offset, rows.y, rows.w))
        half = self.Z[:, self.columns] * np.sqrt(np.maximum(bend, 0.0))[:, None]
        return np.asarray(half.T @ half)

    def _include(self, columns: np.ndarray) -> None:
        """Let more columns leave 0."""
        new = np.setdiff1d(columns, self.columns)
        if len(new):
            self.columns, self.H = np.concatenate([self.columns, new]), None


def _bent(H: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """A curvature that says of a step what the slopes say of it."""
    along, expected = float(change @ step), H @ step
    if not along > 1e-3 * float(expected @ step) > 0:
        return H
    both = np.outer(change, change) / along - np.outer(expected, expected) / float(expected @ step)
    return np.asarray(H + both)


@cache
def _derivatives(family: Family, link: Link) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The mean loss by coefficients with its slopes, in one pass; the rows' curvature by predictors."""

    def of_predictors(eta: Any, y: Any, w: Any) -> Any:
        return -np.sum(w * family.rows(y, eta, link, 1.0))

    def loss(b: Any, Z: Any, y: Any, w: Any, offset: Any) -> Any:
        return of_predictors(Z @ b + offset, y, w)

    def bend(eta: Any, y: Any, w: Any) -> Any:
        return jvp(lambda e: grad(of_predictors)(e, y, w), (eta,), (np.ones(eta.shape),))[1]

    return quick(value_and_grad(loss)), quick(bend)
