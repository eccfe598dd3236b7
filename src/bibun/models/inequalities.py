"""The maximum of a likelihood under inequalities, on which it may lie: a sequence of quadratic programs.

Each program is a shortest vector (Lawson & Hanson 1995, chapter 23); the last digits are Newton's method's, what binds
being equations. Imports constrained; reads an Objective.
"""

import math
from typing import Any

import numpy as np

from .constrained import Constrained, Constraints, along, constrained, units

__all__ = ["Contradiction", "bounded", "inside", "shortest", "spheres"]

STEPS = 200
EXACT = 1e-12  # of the log-likelihood still to be gained
FLAT = 1e-10  # curvature in units of each parameter's own: less is taken as this
NONE = 1e-13  # of the squared residual of a contradiction
NEAR = 1e-8  # of the length of a shortest vector: further off it is none, as near a contradiction
ROUNDING = 1e-12  # of the numbers that a statement adds up
CLOSE = 1e-6  # standard errors by which a statement may be off before it is one that binds


class Contradiction(ValueError):
    """Inequalities that cannot hold together; `weights` is of which sum the contradiction is."""

    def __init__(self, weights: np.ndarray) -> None:
        super().__init__("the inequalities contradict each other")
        self.weights = weights


def shortest(G: np.ndarray, h: np.ndarray, slack: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The shortest z with G z >= h, and its multipliers: z = G' multipliers, those above 0 of independent rows.

    Parameters
    ----------
    G : ndarray of shape (m, k)
    h : ndarray of shape (m,)
    slack : ndarray of shape (m,), optional
        Rounding errors of h, by which each may fail where there is none else.

    Raises
    ------
    Contradiction
        If there is none.

    Notes
    -----
    A least squares problem of nonnegative numbers, w, whose residual is z: ‖[G' ; h'] w - [0 ; 1]‖, the rows of G and
    the largest h being 1.
    """
    given = G, h if slack is None else h - slack
    length = np.linalg.norm(G, axis=1)
    length = np.where(length > 0, length, 1.0)
    G, h = G / length[:, None], h / length
    furthest = float(h.max(initial=0.0))
    if furthest <= 0:
        return np.zeros(G.shape[1]), np.zeros(len(h))
    E = np.concatenate([G.T, h[None] / furthest])
    target = np.zeros(len(E))
    target[-1] = 1.0
    w = _nonnegative(E, target)
    residual = target - E @ w
    with np.errstate(all="ignore"):
        z, multipliers = -residual[:-1] / residual[-1] * furthest, w / residual[-1] * furthest
        holds = residual[-1] > NONE and bool((G @ z - h >= -NEAR * (furthest + np.linalg.norm(z))).all())
    if holds:
        return z, multipliers / length
    if slack is None:
        raise Contradiction(w / length)
    return shortest(*given)


def _nonnegative(E: np.ndarray, f: np.ndarray) -> np.ndarray:
    """The w >= 0 for which E w is nearest to f, those above 0 of independent columns (Lawson & Hanson 1995, ch. 23).

    Columns come in one by one, that of the steepest slope first, and leave where the others would take them below 0.
    One that rounding errors would make leave at once has to wait until another one has come.
    """
    size = np.linalg.norm(E, axis=0)
    size = np.where(size > 0, size, 1.0)
    E = E / size
    w, free, waits = np.zeros(len(size)), np.zeros(len(size), bool), np.zeros(len(size), bool)
    for _ in range(30 * sum(E.shape) if len(w) else 0):
        slope = np.where(free | waits, 0.0, E.T @ (f - E @ w))
        j = int(np.argmax(slope))
        if slope[j] <= 1e-14:
            break
        free[j] = True
        there = _of_columns(E, f, free)
        if there[j] <= 0:
            free[j], waits[j] = False, True
            continue
        waits[:] = False
        while (there[free] <= 0).any():
            falls = free & (there <= 0)
            w = w + np.min(w[falls] / (w[falls] - there[falls])) * (there - w)
            free &= w > 1e-15 * w.max()
            w[~free] = 0.0
            there = _of_columns(E, f, free)
        w = there
    return np.asarray(w / size)


def _of_columns(E: np.ndarray, f: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The least squares coefficients of some columns, 0 of the others."""
    w = np.zeros(len(free))
    w[free] = np.linalg.lstsq(E[:, free], f, rcond=None)[0]
    return w


def _program(
    t0: np.ndarray, A: np.ndarray, off: np.ndarray, B: np.ndarray, over: np.ndarray, slack: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The t nearest to t0 with A t = -off and B t >= -over, whose rounding errors are `slack`; multipliers of both."""
    Z = along(A)
    onto = t0 - np.linalg.pinv(A) @ (A @ t0 + off) if len(A) else t0
    G = B @ Z
    own = np.linalg.norm(G, axis=1) > 1e-10 * np.linalg.norm(B, axis=1)  # the others are settled by the equations
    more = np.zeros(len(B))
    z, more[own] = shortest(G[own], (-over - B @ onto)[own], (slack + ROUNDING * (np.abs(B) @ np.abs(onto)))[own])
    t = onto + Z @ z
    return t, np.linalg.lstsq(A.T, t - t0 - B.T @ more, rcond=None)[0] if len(A) else np.zeros(0), more


def inside(u: np.ndarray, d: np.ndarray, equal: Constraints, least: Constraints, margin: float = 0.0) -> np.ndarray:
    """The point nearest to `u`, in units 1 / d, at which equations and inequalities hold; these by a margin.

    For statements that are not linear in u, the end of a few such steps.

    Raises
    ------
    Contradiction
    """
    for _ in range(20):
        A, B = equal.normals(u) / d, least.normals(u) / d
        over = least.off(u) - margin * np.linalg.norm(B, axis=1)
        t = _program(np.zeros(len(u)), A, equal.off(u), B, over, _rounding(least, u))[0]
        u = _clipped(u + t / d, least)
        if float(np.linalg.norm(t)) <= ROUNDING * (1 + float(np.linalg.norm(u * d))) or not np.isfinite(u).all():
            break
    return u


def bounded(objective: Any, u: np.ndarray, equal: Constraints, least: Constraints) -> tuple[Constrained, np.ndarray]:
    """Minimize minus the log-likelihood where equations and inequalities hold, from `u`.

    Parameters
    ----------
    objective : Objective
    u : ndarray of shape (k,)
        The log-likelihood is finite there; the statements need not hold.
    equal, least : Constraints
        c(u) = level, and c(u) >= level.

    Returns
    -------
    found : Constrained
        The minimum, the equations being `equal` and then those of `least` that bind.
    binds : ndarray of bool
        Which these are.

    Notes
    -----
    Sequential quadratic programming with exact Hessians: the quadratic of the Lagrangian, bent up where it bends down,
    is minimized where the linearized statements hold, and the step there is shortened until the value, plus a penalty
    for what the statements are off, falls (Nocedal & Wright 2006, chapter 18). With linear statements and a start where
    they hold all steps are such points. When twice the same statements bind, or nothing is left to gain, what binds is
    an equation to `constrained`; its end is the answer where every multiplier has the right sign and every other
    statement holds.
    """
    u = np.array(u, float)
    known = objective.all(u)
    noise = float(getattr(objective, "noise", 0.0))
    m, more, weight = np.zeros(len(equal.level)), np.zeros(len(least.level)), 0.0
    last, fresh, nit = np.zeros(0, bool), True, 0
    for nit in range(1, STEPS + 1):
        value, g, H = known
        A, B, off, over = equal.normals(u), least.normals(u), equal.off(u), least.off(u)
        W = H - equal.bend(u, m) - least.bend(u, more)
        if not (np.isfinite(W).all() and np.isfinite(g).all()):
            break
        S = spheres(W)
        try:
            t, m, more = _program(-(S.T @ g), A @ S, off, B @ S, over, _rounding(least, u))
        except Contradiction:  # of the linearized statements
            break
        binds = more > 0
        dearest = max(float(np.abs(m).max(initial=0.0)), float(more.max(initial=0.0)))
        missing = _missing(off, over)
        weight = max(weight, 2 * dearest)
        slope = float(t @ t) + (weight - dearest) * missing
        merit, slack = value + weight * missing, 1e-13 * (1 + abs(value)) + noise
        there, share = _clipped(u + S @ t, least), 1.0
        while slope > EXACT and share > 1e-12:
            with np.errstate(all="ignore"):
                after = objective.value(there) + weight * _missing(equal.off(there), least.off(there))
            if after <= merit - 1e-4 * share * slope + slack:
                break
            share *= 0.5
            there = _clipped(u + share * (S @ t), least)
        done = slope <= EXACT or share <= 1e-12
        again = np.array_equal(binds, last)
        if done or (again and (fresh or nit & (nit - 1) == 0)):  # at once, then ever less often
            answer = _settled(objective, u, equal, least, binds, known, nit)
            if answer is not None and answer[0].value <= merit + slack:
                return answer
        if done:
            break
        last, fresh = binds, not again
        u, known = there, objective.all(there)
    return Constrained(u, known, equal, math.nan, False, nit), np.zeros(len(least.level), bool)


def _settled(
    objective: Any, u: np.ndarray, equal: Constraints, least: Constraints, binds: np.ndarray, known: Any, nit: int
) -> tuple[Constrained, np.ndarray] | None:
    """The end of Newton's method with what binds as equations, if it is a minimum under all statements."""
    for _ in range(len(binds) + 2):
        found = constrained(objective, u, equal & least[binds], known)
        if not found.success:
            return None
        B, over, slack = least.normals(found.u), least.off(found.u), _rounding(least, found.u)
        S = spheres(found.hessian)
        spread = np.linalg.norm(B @ S, axis=1)
        if (over < -slack - CLOSE * spread).any():
            return None
        short = ~binds & (over < -slack) & _independent(found.normals, B)
        if short.any():
            binds = binds | (np.arange(len(binds)) == np.argmin(np.where(short, over, np.inf)))
            continue
        gained = found.multipliers[len(equal.level) :] * spread[binds]
        if along(found.normals @ S).shape[1] == len(u) - len(found.normals) and (gained >= -CLOSE).all():
            found.nit += nit
            return found, binds
        pull = _pull(S.T @ found.gradient, equal.normals(found.u) @ S, B @ S, binds | (over <= slack))
        if pull is None or np.array_equal(pull, binds):
            return None
        binds = pull
    return None


def _pull(g: np.ndarray, A: np.ndarray, B: np.ndarray, near: np.ndarray) -> np.ndarray | None:
    """Which rows of B, of those `near`, hold up the gradient besides those of A: independent, their multipliers not 0.

    None where no multipliers above 0 do.
    """
    Z = along(A)
    G = B @ Z
    near = np.flatnonzero(near & (np.linalg.norm(G, axis=1) > 1e-10 * np.linalg.norm(B, axis=1)))
    w = _nonnegative(G[near].T, Z.T @ g)
    if np.linalg.norm(G[near].T @ w - Z.T @ g) > CLOSE:
        return None
    out = np.zeros(len(B), bool)
    out[near[w > 0]] = True
    return out


def _independent(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Which rows of B are no combinations of those of A."""
    Z = along(A)
    return np.asarray(np.linalg.norm(B @ Z, axis=1) > 1e-8 * np.linalg.norm(B, axis=1))


def _rounding(c: Constraints, u: np.ndarray) -> np.ndarray:
    """Rounding errors of the left sides at `u`."""
    return ROUNDING * (np.abs(c.normals(u)) @ np.abs(u) + np.abs(c.level))


def _clipped(u: np.ndarray, least: Constraints) -> np.ndarray:
    """Numbers that have a bound of their own, put on it where rounding takes them beyond."""
    if least.matrix is None:
        return u
    alone = np.count_nonzero(least.matrix, axis=1) == 1
    for row, level in zip(least.matrix[alone], least.level[alone], strict=True):
        j = int(np.flatnonzero(row)[0])
        if row[j] * u[j] < level:
            u[j] = level / row[j] + 0.0  # not -0
    return u


def _missing(off: np.ndarray, over: np.ndarray) -> float:
    return float(np.abs(off).sum() + np.maximum(-over, 0.0).sum())


def spheres(W: np.ndarray) -> np.ndarray:
    """S with u = S t, in which a curvature, bent up where it bends down, is that of ½ |t|²."""
    d = units(W)
    curvature, V = np.linalg.eigh(W / np.outer(d, d))
    return np.asarray(V / np.sqrt(np.maximum(np.abs(curvature), FLAT)) / d[:, None])
