"""A likelihood with its data: its value and derivatives over the real numbers of a search.

Imports parameters, evaluations, optimize. likelihood.py has `MLE`, which makes one for each fit.
"""

from typing import Any

import numpy as np

from ..core.graph import Node
from ..errors import TrackedVariable
from ..optimize import minimize
from ..optimize.derivatives import Derivatives
from ..transforms.jacobian import jacobian
from .evaluations import FIRST, SECOND, Evaluations, by_gradients
from .parameters import Values

__all__ = ["Objective"]

FEW = 64
"""Rows, whose shape tells that of all."""


class Objective(Evaluations):
    """A likelihood with its data: the log-likelihood and its derivatives as functions of the real numbers u.

    Attributes
    ----------
    by_rows : bool
        Whether the likelihood gives a value for each row.
    n_obs : int or None
        The number of rows (the sum of the weights).
    """

    def __init__(self, model: Any, data: Any, weights: Any = None, weights_are: str = "frequency") -> None:
        if weights_are not in ("frequency", "variance", "sampling"):
            raise ValueError(f"weights_are={weights_are!r}: 'frequency', 'variance' or 'sampling'")
        self.model, self.data, self.weights_are = model, data, weights_are
        self.weights = None if weights is None else np.asarray(weights, float)
        if self.weights is not None and (self.weights.ndim != 1 or (self.weights < 0).any() or not self.weights.any()):
            raise ValueError("weights are numbers ≥ 0, one for each row, not all zero")
        self.by_rows = False
        self.n_obs: float | None = None
        self._differentiate()

    def _differentiate(self) -> None:
        super().__init__(Derivatives(self.loss), ())
        self._scores = jacobian(self.rows, mode="forward")

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the derivatives, which are made anew."""
        return {k: v for k, v in self.__dict__.items() if k not in ("derivatives", "_scores", "_known", "_arguments")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._differentiate()

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The data and the weights, as `loss` may be given them."""
        columns = dict(self.data) if isinstance(self.data, Values) else None
        if columns is None or any(np.asarray(v).dtype.kind not in "biuf" for v in columns.values()):
            return ()
        return columns, self.weights

    def rows(self, u: Any, columns: Any = None) -> Any:
        """The log-likelihood of each row (or the whole), in the sign of a log-likelihood."""
        p = self.model.parameters.natural(u)
        data = self.data if columns is None else Values(columns, "data column")
        try:
            rows = self.model.loglik(p, data) if self.model.takes_data else self.model.loglik(p)
        except TrackedVariable as e:
            raise TrackedVariable(
                "in the likelihood a parameter would become a plain number and lose its derivative: write np.exp for "
                f"math.exp, np.where for a branch, np.stack for an array that is filled ({e})"
            ) from e
        if rows is None:
            raise TypeError("the likelihood returned None: it must return its value")
        return rows if self.model.sign == 1 else -rows

    def loss(self, u: Any, columns: Any = None, weights: Any = None) -> Any:
        """Minus the log-likelihood; of its own data, or of arrays that a compiled program is given."""
        rows = self.rows(u, columns)
        weights = self.weights if weights is None else weights
        if weights is not None:
            if np.shape(_plain(rows)) != np.shape(_plain(weights)):
                raise ValueError(
                    f"weights of shape {np.shape(_plain(weights))} for a likelihood of shape {np.shape(_plain(rows))}: "
                    "one weight a row"
                )
            rows = rows * weights
        return -np.sum(rows)

    def check_start(self, u: np.ndarray) -> None:
        """Learn whether there are rows; refuse a start where the log-likelihood is not finite, naming the rows."""
        with np.errstate(all="ignore"):
            if self._finite_rows(u):
                return
            rows = np.asarray(_plain(self.rows(u)), float)
        self.by_rows = rows.ndim == 1
        if rows.ndim > 1:
            raise ValueError(f"the likelihood returned shape {rows.shape}: one value a row, shape (n,), or one number")
        if rows.size == 0:
            raise ValueError("the likelihood returned no rows: the data are empty")
        if self.by_rows:
            self.n_obs = self.count(rows.size)
        bad = np.flatnonzero(~np.isfinite(np.atleast_1d(rows)))
        if bad.size:
            shown = ", ".join(
                f"{label} = {v:.6g}"
                for label, v in zip(self.model.parameters.labels, self.model.parameters.vector(u), strict=True)
            )
            where = "as a whole"
            if self.by_rows:
                listed = f"{', '.join(map(str, bad[:5]))}{' …' if bad.size > 5 else ''}"
                where = f"rows {listed}{self._row(bad[0], rows.size)}"
            raise ValueError(
                f"the log-likelihood is {np.atleast_1d(rows)[bad[0]]} at the start ({shown}) in {where}: give a start "
                "inside the domain (start={…}), or look at those rows for missing or impossible values"
            )

    def _row(self, k: int, n: int) -> str:
        """What the data say of a row, in words."""
        columns = dict(self.data) if isinstance(self.data, Values) else {}
        seen = [f"{name} = {a[k]!s}" for name, a in columns.items() if np.shape(a) == (n,)]
        return f" (row {k}: {', '.join(seen[:6])}{' …' if len(seen) > 6 else ''})" if seen else ""

    def usable(self, u: np.ndarray, given: bool) -> np.ndarray:
        """A start where the log-likelihood is finite: `u`, or the best of some draws if nobody gave it."""
        try:
            self.check_start(u)
            return u
        except ValueError:
            if given:
                raise
            draws = np.random.default_rng(0).normal(size=(40, len(u))) * np.repeat([0.5, 1, 2, 4], 10)[:, None]
            with np.errstate(all="ignore"):
                values = [self.value(u + d) for d in draws]
            if not np.isfinite(values).any():
                raise
            best = u + draws[int(np.nanargmin(np.where(np.isfinite(values), values, np.inf)))]
            self.check_start(best)
            return best

    def _finite_rows(self, u: np.ndarray) -> bool:
        """Whether all is well at the start, from one compiled pass and the shape of the first rows."""
        if not self.together:
            return False
        columns, _ = self.arguments
        n = max((len(v) for v in columns.values() if np.ndim(v)), default=0)
        try:
            head = {k: v[:FEW] if np.ndim(v) and len(v) == n else v for k, v in columns.items()}
            shape = np.shape(_plain(self.rows(u, head)))
            if shape != (FEW,) or not np.isfinite(self.value(u)):
                return False
        except Exception:  # what is wrong is said where all rows are looked at
            return False
        self.by_rows, self.n_obs = True, self.count(n)
        return True

    def count(self, rows: int) -> float:
        """How many rows there are, by their weights."""
        w = self.weights
        return float(rows if w is None else w.sum() if self.weights_are == "frequency" else (w > 0).sum())

    @property
    def labels(self) -> list[str]:
        """The names of the real numbers u."""
        return self.model.parameters.real_labels

    def scores(self, u: np.ndarray) -> np.ndarray:
        """The derivative of each row's log-likelihood, shape (n, k)."""
        return np.asarray(self._scores(u))

    def from_some_rows(self, u: np.ndarray) -> np.ndarray:
        """Where the search ends for some of many rows; `u` where all rows do not agree that this is better."""
        columns, weights = self.arguments if self.together else ({}, None)
        n = max((len(v) for v in columns.values() if np.ndim(v)), default=0)
        if n < 4 * FIRST:
            return u

        def some(rows: int) -> tuple[Evaluations, float]:
            """Some of the rows, and how many times more all are."""
            which = slice(None, None, n // rows)
            part = {k: v[which] if np.ndim(v) and len(v) == n else v for k, v in columns.items()}
            w = None if weights is None else weights[which]
            more = n / len(range(n)[which]) if w is None else float(weights.sum() / w.sum())
            return Evaluations(self.derivatives, (part, w)), more

        try:
            few, _ = some(FIRST)
            value, g, h = few.all(u)
            scale = _scale(h, g) / np.sqrt(FIRST)
            found = minimize(few.around(u, scale), np.zeros(len(u)), maxiter=50, ftol=1e-6, gtol=0.0)
            if not found.success or not found.fun < value:
                return u
            best = u + np.asarray(found.x) / scale
            if n >= 4 * SECOND:  # a step from there saves one among all rows
                part, more = some(SECOND)
                _, g, h = part.all(best)
                step = np.linalg.solve(h, g)
                if 0 < g @ step < 0.1 * SECOND:
                    best = by_gradients(self.value_and_grad, best - step, h * more, float(n))
        except (ValueError, np.linalg.LinAlgError):  # some rows need not have what all of them have
            return u
        return best if self.all(best)[0] < self.value(u) else u

    def scale(self, u: np.ndarray) -> np.ndarray:
        """The square root of a row's mean curvature in each direction: columns in other units search the same path."""
        with np.errstate(all="ignore"):
            _, g, h = self.all(u)
            return _scale(h, g) / np.sqrt(self.n_obs or 1.0)

    def polish(self, u: np.ndarray) -> tuple[np.ndarray, int]:
        """Newton steps to the last digit, as long as each is shorter than the one before and raises nothing."""
        last, steps = np.inf, 0
        for _ in range(10):
            value, g, h = self.all(u)
            try:
                step = np.linalg.solve(h, g)
            except np.linalg.LinAlgError:
                break
            decrement = float(g @ step)
            if not 0 <= decrement < min(0.25 * last, 1e-4 * (1 + abs(value))):
                break
            moved = u - step
            with np.errstate(all="ignore"):
                there = self.all(moved)[0] if self.together else self.value(moved)
                if not there <= value + 1e-12 * (1 + abs(value)):
                    break
            u, last, steps = moved, decrement, steps + 1
            if decrement <= 1e-24 * (1 + abs(value)):
                break
        return u, steps


def _scale(h: np.ndarray, g: np.ndarray) -> np.ndarray:
    d, g = np.abs(np.diag(h)), np.abs(g)
    d = np.where(np.isfinite(d) & (d > 0), np.sqrt(d), np.where(g > 0, g, 1.0))
    return np.where(np.isfinite(d) & (d > 0), d, 1.0)


def _plain(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x
