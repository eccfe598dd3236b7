"""Newton's method in a trust region: the quadratic with the exact Hessian, minimized where it has proved itself.

`exact_step` for few parameters (by eigenvalues), `truncated_step` for many (by conjugate gradients and products).
Imports the Cholesky of newton.py and the search.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .newton import factor, finish, solve
from .problem import MANY, Point, Problem
from .search import Search
from .stopping import EPSILON, Stop

__all__ = ["exact_step", "truncated_step", "trust_newton"]

ACCEPT = 1e-4  # of the promised decrease
POOR, GOOD = 0.25, 0.75


class Quadratic:
    """The model of f around a point, by its Hessian: steps of any length."""

    def __init__(self, problem: Problem, point: Point, H: np.ndarray) -> None:
        self.g: Any = point.gradient
        self.H = H
        L = factor(H)
        self.newton = None if L is None else -solve(L, self.g)
        self.convex = L is not None
        self._eigen: tuple[np.ndarray, np.ndarray] | None = None

    def step(self, radius: float) -> tuple[np.ndarray, float, bool]:
        """The minimizer within `radius`, the decrease it promises, and whether it is at the edge."""
        if self.newton is not None and float(np.linalg.norm(self.newton)) <= radius:
            return self.newton, -float(self.g @ self.newton) / 2, False
        if self._eigen is None:
            self._eigen = np.linalg.eigh(self.H)
        return exact_step(self.g, *self._eigen, radius)


class Products:
    """The model of f around a point, by products with its Hessian."""

    newton = None
    convex = False

    def __init__(self, problem: Problem, point: Point) -> None:
        self.g: Any = point.gradient
        self.product = problem.products(point.x)
        size = float(np.linalg.norm(self.g))
        self.tolerance = min(0.5, math.sqrt(size)) * size

    def step(self, radius: float) -> tuple[np.ndarray, float, bool]:
        """A step within `radius`, the decrease it promises, and whether it is at the edge."""
        return truncated_step(self.product, self.g, radius, self.tolerance)


def trust_newton(
    problem: Problem,
    start: Point,
    search: Search,
    *,
    subproblem: str | None = None,
    initial_trust_radius: float | None = None,
    max_trust_radius: float = math.inf,
) -> Stop:
    """Minimize by Newton's method in a trust region.

    Parameters
    ----------
    subproblem : {"exact", "cg"}, optional
        How the quadratic is minimized. By default "exact" for up to 200 parameters.
    initial_trust_radius, max_trust_radius : float
        As in SciPy. By default the first radius is the length of the parameters, at least 1.

    Notes
    -----
    Conn, Gould and Toint 2000, algorithm 6.1.1. A step is taken if it brings at least 10⁻⁴ of what was promised; the
    radius shrinks below a quarter, and grows above three quarters where it was in the way. Decreases below the rounding
    error of f count as kept promises (ibid., section 17.4.2).
    """
    exact = {None: problem.n <= MANY, "exact": True, "cg": False}.get(subproblem)
    if exact is None:
        raise ValueError(f"subproblem={subproblem!r}: it is 'exact' (by eigenvalues) or 'cg' (by products)")
    model = _model(problem, start, exact)
    if model is None:
        raise ValueError(f"the second derivatives are not finite at x0: {problem.refusal()}; give another x0")
    point = start
    radius = _first_radius(start) if initial_trust_radius is None else float(initial_trust_radius)
    if not 0 < radius <= max_trust_radius:
        raise ValueError(f"initial_trust_radius={radius!r}: it must be above 0 and at most max_trust_radius")
    ftol = search.tolerances.ftol
    while True:
        p, promised, at_edge = model.step(radius)
        if model.convex and not at_edge and promised <= ftol * abs(point.value):
            return finish(problem, point, p, promised, search)
        new = problem.at(point.x + p)
        kept = _kept(point, new, promised)
        length = float(np.linalg.norm(p))
        if kept > ACCEPT:
            next_model = _model(problem, new, exact)
            if next_model is None:
                kept = -math.inf
        if kept < POOR:
            radius = _shrunk(point, new, p, length, kept)
        elif kept > GOOD and at_edge:
            radius = min(max(radius, 2 * length), max_trust_radius)
        if kept > ACCEPT:
            point, model = new, next_model
            stop = search.step(point)
            if stop is not None:
                return stop
        elif radius <= EPSILON * max(float(np.linalg.norm(point.x)), 1e-100) or promised <= 0:
            return search.stuck(max(promised, 0.0), point)


def _model(problem: Problem, point: Point, exact: bool) -> Any:
    """The quadratic at `point`; None where its Hessian is not finite."""
    if not exact:
        return Products(problem, point)
    H = problem.hessian(point.x)
    return None if H is None else Quadratic(problem, point, H)


def _first_radius(start: Point) -> float:
    return max(1.0, float(np.linalg.norm(start.x)))


def _kept(point: Point, new: Point, promised: float) -> float:
    """The share of the promised decrease that came; -inf where the value is not finite."""
    if not new.finite:
        return -math.inf
    slack = 10 * EPSILON * abs(point.value)
    gain = point.value - new.value
    if promised <= slack and abs(gain) <= slack:
        return 1.0 if new.steepest() <= point.steepest() else -1.0
    return gain / promised if promised > 0 else -math.inf


def _shrunk(point: Point, new: Point, p: np.ndarray, length: float, kept: float) -> float:
    """The radius after a poor step: where the parabola along it has its minimum, within [1/16, 1/2] of its length."""
    if not new.finite:
        return length / 4
    slope = float(point.gradient @ p)
    below = 2 * (new.value - point.value - slope)
    share = -slope / below if below > 0 else 0.25
    return length * min(max(share, 0.0625), 0.5)


def exact_step(g: np.ndarray, eigenvalues: np.ndarray, Q: np.ndarray, radius: float) -> tuple[np.ndarray, float, bool]:
    """The global minimizer of gᵀp + ½ pᵀHp within ‖p‖ ≤ radius, H = Q diag(eigenvalues) Qᵀ.

    Returns
    -------
    p : ndarray
    promised : float
        The decrease of the quadratic.
    at_edge : bool

    Notes
    -----
    p = -(H + λI)⁻¹g with the λ ≥ max(0, -λ₁) for which ‖p‖ = radius: Newton's method on 1/‖p(λ)‖, which is concave,
    from below (Moré and Sorensen 1983). The unknown here is μ = λ + λ₁, so that nothing cancels next to the pole. In
    the hard case, where g has no part in the eigenspace of λ₁ < 0, that direction makes up the length. Directions in
    which slope and curvature are rounding error are left alone.
    """
    a = Q.T @ g
    flat = np.abs(eigenvalues) <= g.size * EPSILON * np.abs(eigenvalues).max()
    if flat.any():
        a[flat & (np.abs(a) <= 100 * EPSILON * np.abs(a).max())] = 0.0
        eigenvalues = np.where(flat, 0.0, eigenvalues)
    lambda1 = float(eigenvalues.min())
    gaps = eigenvalues - lambda1
    lowest = max(0.0, lambda1)
    mu = max(lowest, float((np.abs(a) / radius - gaps).max()))
    c, at_edge = _coefficients(a, gaps, mu), True
    norm = float(np.linalg.norm(c))
    if norm > radius * (1 + 1e-10):
        for _ in range(50):
            squares = float(-(c @ _coefficients(c, gaps, mu)))
            if not squares > 0:
                break
            mu += (norm / radius - 1) * norm**2 / squares
            c = _coefficients(a, gaps, mu)
            norm = float(np.linalg.norm(c))
            if norm <= radius * (1 + 1e-8):
                break
    elif lambda1 >= 0 and mu == lowest:
        at_edge = norm >= radius * (1 - 1e-10)
    elif norm < radius:  # the hard case
        k = int(eigenvalues.argmin())
        c[k] += math.copysign(math.sqrt(radius**2 - norm**2), -a[k])
    promised = -float(a @ c + 0.5 * (eigenvalues * c) @ c)
    return Q @ c, promised, at_edge


def _coefficients(a: np.ndarray, gaps: np.ndarray, mu: float) -> np.ndarray:
    """-a / (gaps + μ), 0 where a is."""
    below = gaps + mu
    return np.where(a == 0, 0.0, -a / np.where(below == 0, 1.0, below))


def truncated_step(
    product: Callable[[np.ndarray], np.ndarray], g: np.ndarray, radius: float, tolerance: float
) -> tuple[np.ndarray, float, bool]:
    """A good step within ‖p‖ ≤ radius from products Hv alone.

    Returns
    -------
    p, promised, at_edge
        As for `exact_step`.

    Notes
    -----
    Conjugate gradients from 0, until the residual is below `tolerance`, the edge is met, or a direction of negative
    curvature is, which is followed to the edge (Steihaug 1983; Toint 1981).
    """
    p, r, d = np.zeros_like(g), g.copy(), -g
    Hp = np.zeros_like(g)
    square = float(r @ r)
    at_edge = False
    for _ in range(2 * g.size):
        Hd = product(d)
        bend = float(d @ Hd)
        if not np.isfinite(bend):
            break
        alpha = square / bend if bend > 0 else math.inf
        if bend <= 0 or float(np.linalg.norm(p + alpha * d)) >= radius:
            t = _to_edge(p, d, radius)
            p, Hp, at_edge = p + t * d, Hp + t * Hd, True
            break
        p, Hp = p + alpha * d, Hp + alpha * Hd
        r = r + alpha * Hd
        new = float(r @ r)
        if math.sqrt(new) <= tolerance:
            break
        d = -r + (new / square) * d
        square = new
    if not p.any():  # no curvature to be had: straight down
        p = -g * (radius / float(np.linalg.norm(g)))
        return p, -float(g @ p), True
    return p, -float(g @ p + 0.5 * p @ Hp), at_edge


def _to_edge(p: np.ndarray, d: np.ndarray, radius: float) -> float:
    """The t ≥ 0 at which ‖p + t d‖ = radius."""
    dd, pd, rest = float(d @ d), float(p @ d), radius**2 - float(p @ p)
    return rest / (pd + math.sqrt(pd**2 + dd * max(rest, 0.0)))
