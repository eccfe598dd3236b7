"""The maximum of a likelihood where something about its parameters is known: c(u) = 0.

One method serves likelihood ratio and score tests, restricted fits, and what profiles need. Imports the transforms;
reads an Objective.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..transforms.gradient import grad
from ..transforms.hessian import hessian
from ..transforms.jacobian import jacobian

__all__ = ["Constrained", "constrained", "covariance_along", "profile_end"]

STEPS = 100
EXACT = 1e-20  # of the value: half a squared step, in standard errors, that is the last


class Constrained:
    """Where a search under constraints ended.

    Attributes
    ----------
    u : ndarray
    value : float
        Minus the log-likelihood there.
    gradient : ndarray
        Of minus the log-likelihood: a combination of the constraints' gradients.
    hessian : ndarray
        Of the Lagrangian, whose curvature along the constraints is what standard errors come from.
    normals : ndarray of shape (m, k)
        The constraints' gradients.
    success : bool
    """

    def __init__(
        self, u: np.ndarray, value: float, gradient: np.ndarray, H: np.ndarray, normals: np.ndarray, success: bool
    ) -> None:
        self.u, self.value, self.gradient, self.hessian = u, value, gradient, H
        self.normals, self.success = normals, success


def constrained(objective: Any, u: np.ndarray, c: Callable[[Any], Any]) -> Constrained:
    """Minimize minus the log-likelihood over c(u) = 0, from `u`.

    Parameters
    ----------
    objective : Objective
    u : ndarray of shape (k,)
        Need not satisfy the constraints.
    c : callable
        From (k,) to (m,), plain NumPy.

    Notes
    -----
    Newton's method on the Lagrangian with its exact Hessian: a step onto the linearized constraints, one along them; a
    line search on the value plus a penalty for what the constraints are off (Nocedal and Wright 2006, chapter 18).
    """
    normals_of = jacobian(lambda v: np.reshape(c(v), -1))
    u = np.array(u, float)
    value, g, H = objective.all(u)
    weight, success = 0.0, False
    for _ in range(STEPS):
        off, A = np.reshape(_plain(c(u)), -1), np.asarray(normals_of(u))
        d = _scale(H)
        A_d = A / d
        multipliers = np.linalg.lstsq(A_d.T, -g / d, rcond=None)[0]
        W = H + np.asarray(hessian(lambda v, m=multipliers: m @ np.reshape(c(v), -1))(u))
        onto = -np.linalg.lstsq(A_d, off, rcond=None)[0]
        Z = _along(A_d)
        W_d = W / np.outer(d, d)
        eigenvalues, V = np.linalg.eigh(Z.T @ W_d @ Z)
        size = np.maximum(np.abs(eigenvalues), 1e-10)
        free = Z.T @ (g / d + W_d @ onto)
        along = -Z @ (V @ ((V.T @ free) / size))
        step = (onto + along) / d
        promised = float(onto @ onto + along @ along)
        if not np.isfinite(promised):
            break
        if promised <= EXACT * (1 + abs(value)):
            u = u + step
            value, g, H = objective.all(u)
            success = True
            break
        weight = max(weight, 2 * float(np.abs(multipliers).max(initial=0.0)))
        before, t = value + weight * float(np.abs(off).sum()), 1.0
        while True:
            there = u + t * step
            with np.errstate(all="ignore"):
                v = objective.value(there)
                merit = v + weight * float(np.abs(_plain(c(there))).sum())
            if np.isfinite(merit) and merit <= before + 1e-10 * (1 + abs(before)):
                break
            t *= 0.5
            if t < 1e-10:
                return Constrained(u, value, g, W, A, promised <= 1e-10 * (1 + abs(value)))
        u = there
        value, g, H = objective.all(u)
    A = np.asarray(normals_of(u))
    multipliers = np.linalg.lstsq(A.T, -g, rcond=None)[0]
    W = H + np.asarray(hessian(lambda v: multipliers @ np.reshape(c(v), -1))(u))
    return Constrained(u, value, g, W, A, success)


def covariance_along(W: np.ndarray, A: np.ndarray) -> np.ndarray:
    """The inverse of the information `W` along the constraints with normals `A`, 0 across them."""
    d = _scale(W)
    Z = _along(A / d)
    inner = np.linalg.pinv(Z.T @ (W / np.outer(d, d)) @ Z, rcond=1e-12, hermitian=True)
    return np.asarray(Z @ inner @ Z.T / np.outer(d, d))


def profile_end(objective: Any, u: np.ndarray, g: Callable[[Any], Any], side: int, drop: float, best: float) -> float:
    """The extreme of g(u) among parameters whose log-likelihood is within `drop` of the maximum.

    Parameters
    ----------
    objective : Objective
    u : ndarray
        The estimates.
    g : callable
        From (k,) to a number, plain NumPy.
    side : {-1, 1}
        The smallest or the largest.
    drop : float
        Half a quantile of chi-square.
    best : float
        Minus the log-likelihood at the estimates.

    Returns
    -------
    float
        The end of the interval, an exact root of the likelihood ratio; infinite where that never falls so far.

    Notes
    -----
    Newton's method for g's gradient parallel to the likelihood's, and the likelihood at its bound, both at once
    (Venzon & Moolgavkar 1988); the bound is met by the quadratic, not by its tangent. Where that does not settle, a
    root is bracketed, the others being refitted for each trial value.
    """
    slope_of, bend_of = grad(g), hessian(g)
    here = np.array(u, float)
    value, gradient, H = objective.all(here)
    for step in range(25):
        a = np.asarray(slope_of(here))
        share = float(gradient @ a / (a @ a)) if step else 0.0
        W = H - share * np.asarray(bend_of(here))
        d = _scale(W)
        try:
            L = np.linalg.cholesky(W / np.outer(d, d))
        except np.linalg.LinAlgError:
            break
        solved = np.linalg.solve(L.T, np.linalg.solve(L, np.stack([-gradient / d, a / d], axis=1))) / d[:, None]
        back, out = solved.T
        # the quadratic at here + back + t out is the bound
        squared, linear = 0.5 * float(out @ H @ out), float(gradient @ out + back @ H @ out)
        rest = value + float(gradient @ back) + 0.5 * float(back @ H @ back) - best - drop
        root = linear**2 - 4 * squared * rest
        if not root >= 0 or not squared > 0:
            break
        move = back + (-linear + side * np.sqrt(root)) / (2 * squared) * out
        length = float(np.sqrt(max(move @ H @ move, 0.0)))
        if length > 3 + np.sqrt(2 * drop):
            move = move * (1 + np.sqrt(2 * drop)) / length
        here = here + move
        with np.errstate(all="ignore"):
            value, gradient, H = objective.all(here)
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(H).all()):
            break
        if length < 1e-6 and abs(value - best - drop) < 1e-10 * (1 + drop):
            return float(_plain(g(here)))
    return _bracketed(objective, u, g, side, drop, best)


def _bracketed(objective: Any, u: np.ndarray, g: Callable[[Any], Any], side: int, drop: float, best: float) -> float:
    """The same by trial values of g, the others refitted for each, between two of which the root is."""
    middle = float(_plain(g(u)))
    H = objective.all(u)[2]
    a = np.asarray(grad(g)(u))
    step = side * np.sqrt(2 * drop * max(float(a @ np.linalg.pinv(H, hermitian=True) @ a), 1e-300))
    here = u

    def fall(trial: float) -> tuple[float, float]:
        nonlocal here
        found = constrained(objective, here, lambda v: g(v) - trial)
        normal = found.normals[0]
        if np.isfinite(found.value):
            here = found.u
        return found.value - best - drop, float(found.gradient @ normal / (normal @ normal))

    inside, outside = middle, middle + step
    f, slope = fall(outside)
    for _ in range(60):
        if not f <= 0:
            break
        inside, outside = outside, middle + 2 * (outside - middle)
        if not np.isfinite(outside) or abs(outside - middle) > 1e4 * abs(step):
            return side * np.inf
        f, slope = fall(outside)
    trial = outside - f / slope if slope and np.isfinite(f) else 0.5 * (inside + outside)
    for _ in range(100):
        low, high = sorted((inside, outside))
        if not low < trial < high:
            trial = 0.5 * (inside + outside)
        f, slope = fall(trial)
        if f <= 0:
            inside = trial
        else:
            outside = trial
        move = f / slope if slope and np.isfinite(f) else np.inf
        if abs(move) <= 1e-11 * abs(step) or abs(outside - inside) <= 1e-11 * abs(step):
            return trial - move if np.isfinite(move) else trial
        trial = trial - move if np.isfinite(move) else 0.5 * (inside + outside)
    return trial


def _scale(H: np.ndarray) -> np.ndarray:
    d = np.abs(np.diag(H))
    return np.asarray(np.where((d > 0) & np.isfinite(d), np.sqrt(np.where(d > 0, d, 1.0)), 1.0))


def _along(A: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the directions that leave linearized constraints alone, shape (k, k - rank)."""
    _, s, V = np.linalg.svd(A, full_matrices=True)
    rank = int(np.sum(s > 1e-12 * s.max(initial=0.0)))
    return np.asarray(V[rank:].T)


def _plain(x: Any) -> Any:
    return getattr(x, "_data", x)
