"""The maximum of a likelihood where something about its parameters is known: c(u) = 0.

One method serves likelihood ratio and score tests, restricted fits, replicates of a bootstrap, and what profiles need
(profile.py). Imports the transforms; reads an Objective.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..transforms.hessian import hessian
from ..transforms.jacobian import jacobian

__all__ = ["Constrained", "Constraints", "along", "constrained", "covariance_along", "units"]

STEPS = 200
EXACT = 1e-12  # of the log-likelihood still to be gained, which one more step gains
ROUNDING = 1e-13  # of the value
FLAT = 1e-14  # curvature, in units of each parameter's own, that is rounding


class Constraints:
    """c(u) = level, of several equations.

    Parameters
    ----------
    of : callable or ndarray of shape (m, k)
        From (k,) to (m,), plain NumPy; or the matrix of a linear one.
    level : ndarray of shape (m,)
    """

    def __init__(self, of: Callable[[Any], Any] | np.ndarray, level: Any = 0.0) -> None:
        self.level = np.atleast_1d(np.asarray(level, float))
        self.matrix = np.atleast_2d(of) if isinstance(of, np.ndarray) else None
        self.of = _flat(of) if callable(of) else _product(np.atleast_2d(of))
        self._normals = None if self.matrix is not None else jacobian(self.of)

    def value(self, u: np.ndarray) -> np.ndarray:
        """c(u), shape (m,)."""
        return np.asarray(_plain(self.of(u)), float)

    def off(self, u: np.ndarray) -> np.ndarray:
        """By how much each equation does not hold."""
        return np.asarray(self.value(u) - self.level)

    def normals(self, u: np.ndarray) -> np.ndarray:
        """The gradients, shape (m, k)."""
        return self.matrix if self._normals is None else np.asarray(self._normals(u))  # type: ignore[return-value]

    def bend(self, u: np.ndarray, weights: np.ndarray) -> Any:
        """The second derivatives of a weighted sum of the equations."""
        return 0.0 if self.matrix is not None else np.asarray(hessian(lambda v: weights @ self.of(v))(u))

    def at(self, level: Any) -> "Constraints":
        """The same left sides, with other right sides."""
        other = object.__new__(Constraints)
        other.__dict__.update(self.__dict__, level=np.atleast_1d(np.asarray(level, float)))
        return other

    def __and__(self, other: "Constraints") -> "Constraints":
        """Both: these equations first."""
        m, n = len(self.level), len(other.level)
        if not n or not m:
            return other if not m else self
        level = np.concatenate([self.level, other.level])
        if self.matrix is not None and other.matrix is not None:
            return Constraints(np.concatenate([self.matrix, other.matrix]), level)
        return Constraints(lambda v: np.concatenate([self.of(v), other.of(v)]), level)

    def __getitem__(self, which: np.ndarray) -> "Constraints":
        """Some of the equations."""
        at = np.flatnonzero(which)
        if self.matrix is not None:
            return Constraints(self.matrix[at], self.level[at])
        return Constraints(lambda v: self.of(v)[at], self.level[at])

    @staticmethod
    def none(size: int) -> "Constraints":
        """No equation."""
        return Constraints(np.zeros((0, size)), np.zeros(0))


class Constrained:
    """Where a search under constraints ended.

    Attributes
    ----------
    u : ndarray
    value : float
        Minus the log-likelihood there.
    gradient : ndarray
        Of minus the log-likelihood: the combination `multipliers` of the constraints' gradients.
    information : ndarray
        The Hessian of minus the log-likelihood.
    hessian : ndarray
        Of the Lagrangian, whose curvature along the constraints is what standard errors come from.
    normals : ndarray of shape (m, k)
        The constraints' gradients.
    multipliers : ndarray of shape (m,)
    decrement : float
        By how much the log-likelihood could still rise.
    success : bool
    nit : int
    message : str
    """

    def __init__(
        self, u: np.ndarray, known: tuple[Any, ...], c: Constraints, decrement: float, success: bool, nit: int
    ) -> None:
        self.u, self.success, self.nit, self.decrement = u, success, nit, decrement
        self.value, self.gradient, self.information = known
        self.normals = c.normals(u)
        self.multipliers = _multipliers(self.normals, self.gradient, units(self.information))
        self.hessian = self.information - c.bend(u, self.multipliers)

    @property
    def message(self) -> str:
        """How the search ended, in words."""
        ended = "Converged" if self.success else "Stopped"
        return f"{ended} after {self.nit} steps under {len(self.normals)} constraints."


def constrained(
    objective: Any,
    u: np.ndarray,
    c: Callable[[Any], Any] | Constraints,
    known: tuple[float, np.ndarray, np.ndarray] | None = None,
) -> Constrained:
    """Minimize minus the log-likelihood over c(u) = 0, from `u`.

    Parameters
    ----------
    objective : Objective
    u : ndarray of shape (k,)
        Need not satisfy the constraints.
    c : callable or Constraints
        From (k,) to (m,), plain NumPy.
    known : tuple, optional
        Value, gradient and Hessian at `u`, if they are known.

    Notes
    -----
    Newton's method on the Lagrangian with its exact Hessian: a step onto the linearized constraints, one along them
    within a trust region, judged by the value plus a penalty for what the constraints are off (Nocedal and Wright 2006,
    chapter 18). Directions in which the Lagrangian bends down are taken as bending up as much.
    """
    c = c if isinstance(c, Constraints) else Constraints(c)
    u = np.array(u, float)
    known = objective.all(u) if known is None else known
    value, g, H = known
    noise = float(getattr(objective, "noise", 0.0))
    weight, radius, decrement = 0.0, math.inf, math.inf
    for nit in range(STEPS):
        off, A, d = c.off(u), c.normals(u), units(H)
        m = -_multipliers(A, g, d)
        W = (H + c.bend(u, m)) / np.outer(d, d)
        if not np.isfinite(W).all():
            break
        onto = -np.linalg.lstsq(A / d, off, rcond=None)[0] if len(A) else np.zeros(len(u))
        Z = along(A / d)
        curvature, V = np.linalg.eigh(Z.T @ W @ Z)
        Z = Z @ V
        curvature = np.where(np.abs(curvature) > FLAT * len(u), np.abs(curvature), math.inf)
        free = Z.T @ (g / d + W @ onto)
        decrement = 0.5 * float(np.sum(free**2 / curvature))
        away = float(onto @ onto)
        slack = ROUNDING * (1 + abs(value)) + noise
        if not math.isfinite(decrement + away):
            break
        if decrement + away <= EXACT:
            u, known = _last(objective, u, (onto - Z @ (free / curvature)) / d, known, EXACT + slack)
            return Constrained(u, known, c, decrement, True, nit)
        missing = float(np.abs(off).sum())
        while True:
            short = min(1.0, 0.8 * radius / math.sqrt(away)) if away else 1.0
            # what the step along promises depends on where the one onto ends
            inner = _within(free if short == 1.0 else Z.T @ (g / d + W @ (short * onto)), curvature, radius)
            step = short * onto + Z @ inner
            length = float(np.linalg.norm(step))
            rise = float(g / d @ step + 0.5 * step @ W @ step)
            if away:  # so dear that the step pays
                weight = max(weight, 2 * rise / (short * missing))
            hoped = weight * short * missing - rise
            there, sure = u + step / d, decrement + away < 1
            with np.errstate(all="ignore"):
                found = objective.all(there) if sure else None
                after = objective.value(there) if found is None else found[0]
                gain = value + weight * missing - after - weight * float(np.abs(c.off(there)).sum())
            if gain >= 1e-4 * hoped - slack:
                break
            radius = 0.25 * min(length, radius)
            if not length > 1e-12 * (1 + float(np.linalg.norm(u * d))):
                return Constrained(u, known, c, decrement, decrement + away <= max(1e-9, 30 * slack), nit)
        if gain >= 0.75 * hoped and length >= 0.8 * radius:
            radius *= 3
        elif gain < 0.25 * hoped:
            radius = min(radius, 0.5 * length)
        u = there
        with np.errstate(all="ignore"):
            known = value, g, H = objective.all(u) if found is None else found
        if not (np.isfinite(g).all() and np.isfinite(H).all()):
            break
    return Constrained(u, known, c, decrement, False, nit + 1)


def covariance_along(W: np.ndarray, A: np.ndarray) -> np.ndarray:
    """The inverse of the information `W` along the constraints with normals `A`, 0 across them."""
    d = units(W)
    Z = along(A / d)
    inner = np.linalg.pinv(Z.T @ (W / np.outer(d, d)) @ Z, rcond=1e-14, hermitian=True)
    return np.asarray(Z @ inner @ Z.T / np.outer(d, d))


def _last(
    objective: Any, u: np.ndarray, step: np.ndarray, known: tuple[Any, ...], slack: float
) -> tuple[np.ndarray, tuple[Any, ...]]:
    """The step that gains the last digits, if rounding lets it."""
    with np.errstate(all="ignore"):
        there = objective.all(u + step)
    rise = float(known[1] @ step + 0.5 * step @ known[2] @ step)
    if there[0] <= known[0] + rise + slack and np.isfinite(there[1]).all() and np.isfinite(there[2]).all():
        return u + step, there
    return u, known


def _within(q: np.ndarray, curvature: np.ndarray, radius: float) -> np.ndarray:
    """The minimum of q·s + Σ curvature s²/2 within ‖s‖ ≤ radius, by Newton's method on 1 / ‖s‖ (Moré 1978)."""
    s, damping = -q / curvature, 0.0
    for _ in range(50):
        length = float(np.linalg.norm(s))
        if length <= (1.1 if damping else 1.0) * radius:
            break
        damping += (length / radius - 1) * length**2 / float(s @ (s / (curvature + damping)))
        s = -q / (curvature + damping)
    return np.asarray(s)


def _multipliers(A: np.ndarray, g: np.ndarray, d: np.ndarray) -> np.ndarray:
    """The combination of the rows of A that is nearest to g."""
    return np.asarray(np.linalg.lstsq((A / d).T, g / d, rcond=None)[0]) if len(A) else np.zeros(0)


def units(H: np.ndarray) -> np.ndarray:
    """The root of each coordinate's curvature, 1 where it has none."""
    d = np.abs(np.diag(H))
    return np.asarray(np.where((d > 0) & np.isfinite(d), np.sqrt(np.where(d > 0, d, 1.0)), 1.0))


def along(A: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the directions that leave linearized constraints alone, shape (k, k - rank)."""
    if not len(A):
        return np.eye(A.shape[1])
    _, s, V = np.linalg.svd(A, full_matrices=True)
    rank = int(np.sum(s > 1e-12 * s.max(initial=0.0)))
    Z = V[rank:].T
    return np.where(np.linalg.norm(Z, axis=1, keepdims=True) > FLAT * len(Z), Z, 0.0)  # what is fixed stays


def _flat(c: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda v: np.reshape(c(v), -1)


def _product(A: np.ndarray) -> Callable[[Any], Any]:
    return lambda v: A @ v


def _plain(x: Any) -> Any:
    return getattr(x, "_data", x)
