"""A function's value and derivatives at one set of arguments, kept at the points that were asked for last.

What certificates, profiles and constrained searches ask for: `value, value_and_grad, hessian, all`. And what both
searches of many rows do before they read all of them for a Hessian, `by_gradients`. Imports optimize.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..optimize.derivatives import Derivatives

__all__ = ["FIRST", "RELIABLE", "SECOND", "Evaluations", "by_gradients"]

FIRST, SECOND = 10_000, 100_000
"""How many of many more rows a search starts with, and among how many it then takes a step."""

WIDE, STEPS = 16, 8
"""Parameters of which a Hessian costs more than several gradients, and how many of these."""

RELIABLE = 1e-16
"""A squared step, in standard deviations of one row, that needs no look at where it leads."""

KEPT = 2
"""Points: a step and where it came from."""


class Evaluations:
    """Minus a log-likelihood of u and fixed arguments.

    Parameters
    ----------
    derivatives : Derivatives
        Of (u, *arguments) by u.
    arguments : tuple
    """

    def __init__(self, derivatives: Derivatives, arguments: tuple[Any, ...]) -> None:
        self.derivatives, self._arguments = derivatives, arguments
        self._known: list[tuple[np.ndarray, tuple[float, np.ndarray, np.ndarray]]] = []

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What the function is given after u."""
        return self._arguments

    @property
    def together(self) -> bool:
        """Whether a Hessian costs little beside a value and gradient that are asked for with it."""
        return self.derivatives.together(*self.arguments)

    def value(self, u: np.ndarray) -> float:
        """The value."""
        known = self._at(u)
        return float(self.derivatives.value(u, *self.arguments)) if known is None else known[0]

    def value_and_grad(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        known = self._at(u)
        if known is not None:
            return known[:2]
        value, g = self.derivatives.both(u, *self.arguments)
        return float(value), np.asarray(g)

    def hessian(self, u: np.ndarray) -> np.ndarray:
        """The observed information on the scale of u."""
        return self.all(u)[2].copy()

    def all(self, u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient and Hessian."""
        known = self._at(u)
        if known is None:
            known = self.derivatives.symmetric(u, *self.arguments)
            self._known = [(u.copy(), known), *self._known[: KEPT - 1]]
        return known

    def _at(self, u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray] | None:
        return next((known for there, known in self._known if np.array_equal(there, u)), None)

    def around(self, center: np.ndarray, scale: np.ndarray) -> Derivatives:
        """The function of z at u = center + z / scale, for `minimize`: what is known there is not computed again."""
        return _Around(self, center, scale)


class _Around(Derivatives):
    def __init__(self, of: Evaluations, center: np.ndarray, scale: np.ndarray) -> None:
        self.of, self.center, self.scale = of, center, scale
        self.f = lambda z: of.derivatives(self._u(z), *of.arguments)

    def _u(self, z: Any) -> Any:
        return self.center + z / self.scale

    def value(self, z: np.ndarray) -> float:
        return self.of.value(self._u(z))

    def both(self, z: np.ndarray) -> tuple[float, np.ndarray]:
        value, g = self.of.value_and_grad(self._u(z))
        return value, g / self.scale

    def hessian(self, z: np.ndarray) -> np.ndarray:
        return self.of.all(self._u(z))[2] / self.scale / self.scale[:, None]

    def all(self, z: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, g, H = self.of.all(self._u(z))
        return value, g / self.scale, H / self.scale / self.scale[:, None]

    def together(self) -> bool:
        return self.of.together


def by_gradients(
    both: Callable[[np.ndarray], tuple[Any, Any]], x: np.ndarray, H: np.ndarray, rows: float = 1.0
) -> np.ndarray:
    """Steps among all rows from the Hessian of some, amended by BFGS, to where one Hessian of all rows is enough.

    Parameters
    ----------
    both : callable
        Value and gradient of a loss among all rows: their mean, or their sum (`rows` is then how many there are).
    x : ndarray of shape (k,)
        Where to start; the answer if a step is not nearly Newton's, or if there are so few parameters that his are
        cheap.
    H : ndarray of shape (k, k)
        A Hessian near that of the loss.
    """
    if len(x) < WIDE or not np.isfinite(H).all() or np.linalg.eigvalsh(H)[0] <= 0:
        return x
    B, least, last, best, g = np.linalg.inv(H), np.inf, np.inf, x, np.zeros(0)
    step = x
    for _ in range(STEPS):
        value, slope = both(x)
        if g.size:
            B = _amended(B, -step, slope - g)
        g = np.asarray(slope)
        step = B @ g
        decrement = float(g @ step) / rows
        if not (value <= least + 1e-11 * (1 + abs(value)) and 0 <= decrement < 0.1 * last):
            return best
        least, next_one, last, best = float(value), decrement * min(decrement / last, 0.1), decrement, x
        x = x - step
        if decrement < RELIABLE or 0 < next_one < RELIABLE:
            break
    return x


def _amended(B: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The inverse of a Hessian, changed as little as a step `s` and the change `y` of the slope there ask for."""
    sy, By = float(s @ y), B @ y
    if not sy > 0:
        return B
    return np.asarray(B + (1 + float(y @ By) / sy) / sy * np.outer(s, s) - (np.outer(By, s) + np.outer(s, By)) / sy)
