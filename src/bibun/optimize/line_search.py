"""How far to go in a direction: `backtracking`, to a sufficient decrease; `strong_wolfe`, to where the slope has
flattened too.

A third one is a function here with the same result: the step length and the point, or None where no step will do.
Imports problem.py.
"""

import math
from typing import NamedTuple

import numpy as np

from .problem import Point, Problem
from .stopping import EPSILON

__all__ = ["backtracking", "strong_wolfe"]

DECREASE = 1e-4  # the share of the promised decrease that is sufficient (Armijo)
ROUNDING = 1000 * EPSILON  # of the value: differences below it may be nothing but rounding


def backtracking(
    problem: Problem, start: Point, direction: np.ndarray, first: float = 1.0, most: int = 60
) -> tuple[float, Point] | None:
    """The first step of a shrinking sequence that lowers the value enough.

    Notes
    -----
    Armijo's rule, f(x + t d) ≤ f(x) + 10⁻⁴ t gᵀd. The next trial is the minimum of the parabola through what is known,
    kept within [0.1, 0.5] of the last; half of it where the value was not finite. Armijo 1966; Dennis and Schnabel
    1983, section 6.3. A rise below the rounding error of f counts as none.
    """
    slope = float(start.gradient @ direction)
    if not slope < 0:
        return None
    slack = ROUNDING * abs(start.value)
    t = first
    for _ in range(most):
        point = problem.at(start.x + t * direction)
        if point.finite:
            if point.value <= start.value + DECREASE * t * slope + slack:
                return t, point
            parabola = -slope * t / (2 * (point.value - start.value - slope * t))
            t *= min(max(parabola, 0.1), 0.5)
        else:
            t *= 0.5
        if t * float(np.abs(direction).max()) <= 1e-300:
            return None
    return None


class _Trial(NamedTuple):
    t: float
    value: float
    slope: float
    point: Point


def strong_wolfe(
    problem: Problem,
    start: Point,
    direction: np.ndarray,
    first: float = 1.0,
    flatten: float = 0.9,
    most: int = 20,
) -> tuple[float, Point] | None:
    """A step that lowers the value enough and after which the slope has flattened.

    Notes
    -----
    f(x + t d) ≤ f(x) + 10⁻⁴ t gᵀd and |g(x + t d)ᵀd| ≤ `flatten` |gᵀd|. A bracket is found by going on, then narrowed:
    Nocedal and Wright 2006, algorithms 3.5 and 3.6, with the trial values of Moré and Thuente 1994 (the minimum of the
    cubic through two values and slopes, or of a parabola, kept inside). Near the minimum, where differences of the
    value are rounding error, slopes alone decide: the approximate conditions of Hager and Zhang 2005.
    """
    slope0 = float(start.gradient @ direction)
    if not slope0 < 0:
        return None
    slack = ROUNDING * abs(start.value)
    low = _Trial(0.0, start.value, slope0, start)
    high: _Trial | None = None
    ceiling = math.inf  # the shortest step known to be not finite
    t = first
    fallback: tuple[float, Point] | None = None
    for _ in range(most):
        point = problem.at(start.x + t * direction)
        if not point.finite:
            ceiling = t
            if high is not None and t >= high.t:
                high = None
            t = low.t + 0.2 * (t - low.t)
            if t - low.t <= 1e-16 * max(low.t, first * 1e-30):
                break
            continue
        now = _Trial(t, point.value, float(point.gradient @ direction), point)
        enough = now.value <= start.value + DECREASE * t * slope0
        level = abs(now.value - start.value) <= slack and now.slope <= (2 * DECREASE - 1) * slope0
        if (enough or level) and abs(now.slope) <= -flatten * slope0:
            return t, point
        if enough and now.value < (start if fallback is None else fallback[1]).value:
            fallback = (t, point)
        if not (enough or level) or (now.value > low.value + slack and low.t > 0):
            high = now
        else:
            if now.slope * ((high.t if high else math.inf) - low.t) >= 0:
                high = low
            previous, low = low, now
        if high is None:
            t = _further(previous, low, ceiling)
        else:
            width = high.t - low.t
            if abs(width) <= 1e-12 * max(abs(high.t), abs(low.t)):
                break
            t = _between(low, high)
    return fallback


def _further(a: _Trial, b: _Trial, ceiling: float) -> float:
    """The next trial beyond `b`, where the value still falls."""
    t = _cubic(a, b)
    nearest, furthest = b.t + 1.1 * (b.t - a.t), b.t + 4.0 * (b.t - a.t)
    if b.slope <= a.slope or not t > b.t:  # no minimum in sight
        t = furthest
    t = min(max(t, nearest), furthest)
    return t if t < ceiling else b.t + 0.5 * (ceiling - b.t)


def _between(low: _Trial, high: _Trial) -> float:
    """The next trial inside a bracket, away from its ends."""
    t = _cubic(low, high)
    width = high.t - low.t
    if high.value > low.value:
        parabola = low.t - low.slope * width**2 / (2 * (high.value - low.value - low.slope * width))
        if not abs(t - low.t) < abs(parabola - low.t):
            t = (t + parabola) / 2  # between the two where the cubic goes further, as Moré and Thuente do
    elif low.slope * high.slope < 0:
        secant = low.t + low.slope / (low.slope - high.slope) * width
        if not abs(t - low.t) >= abs(secant - low.t):
            t = secant
    near, far = sorted((low.t + 0.05 * width, high.t - 0.1 * width))
    return min(max(t, near), far) if math.isfinite(t) else low.t + 0.5 * width


def _cubic(a: _Trial, b: _Trial) -> float:
    """The minimum of the cubic with the values and slopes of `a` and `b`; NaN where it has none."""
    width = b.t - a.t
    d = a.slope + b.slope - 3 * (b.value - a.value) / width
    inside = d * d - a.slope * b.slope
    if not inside >= 0:
        return math.nan
    root = math.copysign(math.sqrt(inside), width)
    below = b.slope - a.slope + 2 * root
    return b.t - width * (b.slope + root - d) / below if below else math.nan
