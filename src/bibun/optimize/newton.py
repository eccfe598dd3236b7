"""Newton's method, damped: exact Hessians, made positive definite where they are not, and a backtracking line search.

Imports the line search and the search.
"""

from typing import Any

import numpy as np

from .line_search import backtracking
from .problem import Point, Problem
from .search import Search
from .stopping import Stop

__all__ = ["descent_direction", "factor", "finish", "newton"]

FLATTEST = 1e-10  # of the largest eigenvalue: what a smaller one, in magnitude, counts as


def newton(problem: Problem, start: Point, search: Search) -> Stop:
    """Minimize by Newton's method with a line search.

    Notes
    -----
    Where the Hessian is positive definite the direction is -H⁻¹g. Elsewhere its eigenvalues λ are replaced by
    max(|λ|, δ), which keeps the scale of every direction and turns away from saddles and maxima (Gill, Murray and
    Wright 1981, section 4.4; Nocedal and Wright 2006, section 3.4).
    """
    point = start
    H: Any = problem.hessian(point.x)
    if H is None:
        raise ValueError(f"the second derivatives are not finite at x0: {problem.refusal()}; give another x0")
    while True:
        direction, convex = descent_direction(H, point.gradient)
        decrement = -float(point.gradient @ direction) / 2
        if convex and decrement <= search.tolerances.ftol * abs(point.value):
            return finish(problem, point, direction, decrement, search)
        first = 1.0
        for _ in range(40):
            found = backtracking(problem, point, direction, first)
            if found is None:
                return search.stuck(decrement, point)
            H = problem.hessian(found[1].x)
            if H is not None:
                break
            first = found[0] / 2  # there is a value but no curvature: nearer
        else:
            return search.stop("no descent", point)
        point = found[1]
        stop = search.step(point)
        if stop is not None:
            return stop


def factor(H: np.ndarray) -> np.ndarray | None:
    """The Cholesky factor, lower; None unless `H` is safely positive definite."""
    from scipy.linalg.lapack import dpotrf

    L, info = dpotrf(H, lower=1)
    if info:
        return None
    d = L.diagonal()
    return L if d.min() > 1e-6 * d.max() or _scaled_well(H) else None


def _scaled_well(H: np.ndarray) -> bool:
    """Whether the Hessian is regular once its parameters have one scale: different units alone do no harm."""
    d = 1 / np.sqrt(H.diagonal())
    return bool(np.linalg.eigvalsh(d[:, None] * H * d)[0] > 1e-13 * len(d))


def solve(L: np.ndarray, g: np.ndarray) -> np.ndarray:
    """H⁻¹g from the Cholesky factor."""
    from scipy.linalg.lapack import dpotrs

    x, _ = dpotrs(L, g, lower=1)
    return x  # type: ignore[no-any-return]


def descent_direction(H: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, bool]:
    """-H⁻¹g and True; where H is not positive definite, -|H|⁻¹g and False."""
    L = factor(H)
    if L is not None:
        return -solve(L, g), True
    eigenvalues, Q = np.linalg.eigh(H)
    size = np.abs(eigenvalues)
    a = Q.T @ g
    if not size.max() > 0:  # flat: straight down
        return -g, False
    return -(Q @ (a / np.maximum(size, FLATTEST * size.max()))), False


def finish(problem: Problem, point: Point, step: np.ndarray, decrement: float, search: Search) -> Stop:
    """The last Newton step: what is left of the error is the square of what it mends, so nothing follows it."""
    last = problem.at(point.x + step)
    if last.finite and last.steepest() <= point.steepest():
        point = last
        stop = search.step(point)
        if stop is not None and stop.rule in ("gradient", "callback"):
            return stop
    return search.stop("decrement", point, decrement=decrement)
