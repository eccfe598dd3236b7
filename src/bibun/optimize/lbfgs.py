"""L-BFGS: the direction of Newton's method, with the curvature guessed from the last few steps. For many parameters.

Imports the line search and the search.
"""

from collections import deque

import numpy as np

from .line_search import strong_wolfe
from .problem import Point, Problem
from .search import Search
from .stopping import EPSILON, Stop

__all__ = ["lbfgs"]

STANDSTILL = 10  # iterations without a lower value or a smaller gradient, after which there is nothing but rounding


def lbfgs(problem: Problem, start: Point, search: Search, *, memory: int = 20) -> Stop:
    """Minimize by limited-memory BFGS.

    Parameters
    ----------
    memory : int
        The pairs of steps and changes of the gradient that are kept.

    Notes
    -----
    The two loops of Nocedal 1980 apply the guessed inverse Hessian to the gradient; it starts from sᵀy / yᵀy, of the
    latest pair, times the identity (Liu and Nocedal 1989). Steps satisfy the strong Wolfe conditions, so sᵀy > 0.
    """
    if not memory >= 1:
        raise ValueError(f"memory={memory!r}: the number of steps remembered is 1 or more")
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=int(memory))
    point = start
    best, since = start.steepest(), 0
    while True:
        g = point.gradient
        direction = -_twoloop(pairs, g)
        first = 1.0 if pairs else min(1.0, 1.0 / float(np.linalg.norm(g)))
        found = strong_wolfe(problem, point, direction, first)
        if found is None:
            if pairs:  # the memory may be of elsewhere: once more, straight down
                gain = -float(g @ direction)
                pairs.clear()
                if gain <= 100 * EPSILON * abs(point.value):
                    return search.stuck(gain, point)
                continue
            return search.stuck(_promise(point, start, search), point)
        new = found[1]
        s, y = new.x - point.x, new.gradient - g
        curvature = float(s @ y)
        if curvature > EPSILON * float(y @ y):
            pairs.append((s, y, curvature))
        gained = point.value - new.value > 10 * EPSILON * abs(new.value)
        point = new
        stop = search.step(point)
        if stop is not None:
            return stop
        since = 0 if gained or point.steepest() < 0.9 * best else since + 1
        best = min(best, point.steepest())
        if since >= STANDSTILL:
            return search.stop("rounding", point, decrement=-float(point.gradient @ direction) / 2)


def _twoloop(pairs: deque[tuple[np.ndarray, np.ndarray, float]], g: np.ndarray) -> np.ndarray:
    """The guessed inverse Hessian times `g`."""
    q = g.copy()
    shares = []
    for s, y, curvature in reversed(pairs):
        share = float(s @ q) / curvature
        q -= share * y
        shares.append(share)
    if pairs:
        _, y, curvature = pairs[-1]
        q *= curvature / float(y @ y)
    for (s, y, curvature), share in zip(pairs, reversed(shares), strict=True):
        q += (share - float(y @ q) / curvature) * s
    return q


def _promise(point: Point, start: Point, search: Search) -> float:
    """What steepest descent still promises, with a step that rounding lets through: the value's own precision."""
    g = float(np.linalg.norm(point.gradient))
    size = float(np.linalg.norm(point.x)) or 1.0
    return float(g * size * EPSILON**0.5)
