"""Where the arguments of a rule may lie, said beside the rule; the laws draw their test points from here.

Imports nothing of bibun.
"""

from __future__ import annotations  # np.random is not loaded for an annotation

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "Domain", "above", "below", "between", "lower", "nonzero", "positive", "real", "spd", "static", "symmetric",
    "unit", "well",
]  # fmt: skip


@dataclass(frozen=True)
class Domain:
    """An open interval to draw from, its ends kept at a distance where a function is singular there."""

    low: float
    high: float
    keep: Callable[[Any], Any] | None = None

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Numbers of the domain, of the shape asked for."""
        x = rng.uniform(self.low, self.high, shape)
        return np.asarray(x if self.keep is None else self.keep(x))


real = Domain(-2.0, 2.0)
positive = Domain(0.2, 3.0)
unit = Domain(0.1, 0.9)
nonzero = Domain(-2.0, 2.0, keep=lambda x: np.where(np.abs(x) < 0.2, x + np.copysign(0.3, x), x))


def above(a: float) -> Domain:
    """Numbers greater than `a`."""
    return Domain(a + 0.1, a + 3.0)


def below(a: float) -> Domain:
    """Numbers less than `a`."""
    return Domain(a - 3.0, a - 0.1)


def between(a: float, b: float) -> Domain:
    """Numbers strictly between `a` and `b`."""
    gap = 0.02 * (b - a)
    return Domain(a + gap, b - gap)


# --- arguments of a case that are no plain shape --------------------------------------------------------------------


@dataclass(frozen=True)
class static:
    """An argument of a case that is given as it is and not differentiated: an axis, an index, a list of counts."""

    value: Any


def spd(n: int, *stack: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Symmetric positive definite matrices."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        a = rng.normal(size=(*stack, n, n))
        return np.asarray(a @ np.swapaxes(a, -1, -2) + n * np.eye(n))

    return draw


def symmetric(n: int, *stack: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Symmetric matrices with distinct eigenvalues."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        a = rng.normal(size=(*stack, n, n))
        return np.asarray((a + np.swapaxes(a, -1, -2)) / 2 + np.diag(np.arange(n)))

    return draw


def well(n: int, *stack: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Well-conditioned square matrices."""
    return lambda rng: np.asarray(rng.normal(size=(*stack, n, n)) + n * np.eye(n))


def lower(n: int, *stack: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Well-conditioned lower triangular matrices."""
    return lambda rng: np.tril(rng.normal(size=(*stack, n, n))) + n * np.eye(n)
