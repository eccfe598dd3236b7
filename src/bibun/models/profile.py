"""Ends of intervals that a likelihood tells: where its ratio, or its slope, stops refusing a value of g(u).

`Profile.end` inverts the likelihood ratio test, `Profile.score_end` the score test. Imports constrained; reads an
Objective.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .constrained import Constrained, Constraints, constrained, covariance_along

__all__ = ["Profile", "score"]

FAR = 1e4  # first steps: an end further out is none
FLAT = 1e-9  # of the target: what the statistic rises by over a distance as long again, where it stays below for ever
NEAR = 1e-6  # of the target: from here one more step is exact
Statistic = Callable[[Constrained], tuple[float, float]]


class Profile:
    """A likelihood around its maximum, and what must hold along with it.

    Parameters
    ----------
    objective : Objective
    u : ndarray of shape (k,)
        The estimates.
    best : float
        Minus the log-likelihood there.
    held : Constraints, optional
        What the estimates were restricted to.
    said : callable, optional
        A point in words.
    """

    def __init__(
        self,
        objective: Any,
        u: np.ndarray,
        best: float,
        held: Constraints | None = None,
        said: Callable[[np.ndarray], str] = str,
    ) -> None:
        self.objective, self.u, self.best, self.said = objective, np.array(u, float), best, said
        self.held = Constraints.none(len(u)) if held is None else held
        self.known = objective.all(self.u)
        A = self.held.normals(self.u)
        g, W = self.known[1], self.known[2]
        if len(A):
            W = W - self.held.bend(self.u, np.linalg.lstsq(A.T, g, rcond=None)[0])
        self.covariance = covariance_along(W, A)

    def end(self, of: Constraints, side: int, drop: float) -> float:
        """The extreme value of g among parameters whose log-likelihood is within `drop` of the maximum.

        Parameters
        ----------
        of : Constraints
            g, one number.
        side : {-1, 1}
            The smallest or the largest.
        drop : float
            Half a quantile of chi-square.

        Returns
        -------
        float
            The end of the interval, an exact root of the likelihood ratio; infinite where that never falls so far, NaN
            where the other parameters could not be refitted.

        Raises
        ------
        ArithmeticError
            If the log-likelihood is higher somewhere: the estimates are another maximum.

        Notes
        -----
        Newton's method for g's gradient parallel to the likelihood's, and the likelihood at its bound, both at once
        (Venzon & Moolgavkar 1988); the bound is met by the quadratic, not by its tangent. Its end is believed where the
        likelihood falls all the way there. Else the others are refitted for trial values of g, and Newton's method
        finds the root of the signed root of the likelihood ratio, which is nearly a line (Bates & Watts 1988).
        """
        if not len(self.held.level):
            found = self._direct(of, side, drop)
            if found is not None:
                return found
        target = math.sqrt(2 * drop)

        def statistic(found: Constrained) -> tuple[float, float]:
            rise = found.value - self.best
            if rise < -1e-6 * drop - 1e-10 * (1 + abs(self.best)) - float(getattr(self.objective, "noise", 0.0)) * 1e3:
                raise ArithmeticError(
                    f"the log-likelihood is higher, by {-rise:.6g}, at {self.said(found.u)}: the estimates are another "
                    "maximum; fit again from there"
                )
            tau = math.sqrt(2 * max(rise, 0.0))
            return tau, abs(float(found.multipliers[0])) / tau if tau else math.inf

        return self._march(of, side, target, statistic)

    def score_end(self, of: Constraints, side: int, target: float, information: Callable[..., np.ndarray]) -> float:
        """The same by the score test: where its statistic is `target` squared, others refitted to each value of g.

        Parameters
        ----------
        of, side
            As in `end`.
        target : float
            A quantile of the normal or t distribution.
        information : callable
            `information(u, H)`: the matrix that the slopes are compared with, H being the observed one.
        """

        def statistic(found: Constrained) -> tuple[float, float]:
            return math.sqrt(score(found, information, self.held.normals(found.u))), math.nan

        return self._march(of, side, target, statistic)

    def _direct(self, of: Constraints, side: int, drop: float) -> float | None:
        """The end by Newton's method on both conditions, or None."""
        here, (value, gradient, H) = self.u, self.known
        middle, bound = float(of.value(here)[0]), math.sqrt(2 * drop)
        tangent, length = None, math.inf
        for step in range(12):
            a = of.normals(here)[0]
            share = float(gradient @ a / (a @ a)) if step else 0.0
            W = H - of.bend(here, np.array([share]))
            d = np.sqrt(np.maximum(np.diag(W), 1e-300))
            try:
                L = np.linalg.cholesky(W / np.outer(d, d))
            except np.linalg.LinAlgError:
                return None
            solved = np.linalg.solve(L.T, np.linalg.solve(L, np.stack([-gradient / d, a / d], axis=1))) / d[:, None]
            back, out = solved.T
            # the quadratic at here + back + t out is the bound
            squared, linear = 0.5 * float(out @ H @ out), float(gradient @ out + back @ H @ out)
            rest = value + float(gradient @ back) + 0.5 * float(back @ H @ back) - self.best - drop
            root = linear**2 - 4 * squared * rest
            if not root >= 0 or not squared > 0:
                return None
            move = back + (-linear + side * math.sqrt(root)) / (2 * squared) * out
            before, length = length, math.sqrt(max(float(move @ H @ move), 0.0))
            if tangent is None:
                tangent = move
            elif not length < 0.5 * before or length > 3 + bound:
                return None
            here = here + move
            if length < 1e-5:  # the next would be its square
                end = float(of.value(here)[0])
                outward = side * share > 0 and side * (end - middle) > 0
                return end if outward and self._falls(here, tangent, middle, of, end, drop) else None
            with np.errstate(all="ignore"):
                value, gradient, H = self.objective.all(here)
            if not (math.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(H).all()):
                return None
        return None

    def _falls(
        self, there: np.ndarray, tangent: np.ndarray, middle: float, of: Constraints, end: float, drop: float
    ) -> bool:
        """Whether the likelihood falls from the estimates to an end without crossing its bound before.

        Looked at along the parabola through both that leaves the estimates as the profile does; what the profile has
        at the same values of g is no less likely.
        """
        slope = float(of.normals(self.u)[0] @ tangent)
        first = tangent * ((end - middle) / slope) if slope else there - self.u
        last = self.best
        for s in (0.25, 0.5, 0.75):
            with np.errstate(all="ignore"):
                value = self.objective.value(self.u + s * first + s**2 * (there - self.u - first))
            if not last <= value <= self.best + drop:
                return False
            last = value
        return True

    def _march(self, of: Constraints, side: int, target: float, statistic: Statistic) -> float:
        """The first value of g out from the estimates at which a statistic, 0 there, is `target`.

        Newton's method, or the secant's where its slope is not known, kept between a value inside and one outside. A
        trial at which the statistic is beyond twice the target says nothing: there it may be of another valley.
        """
        a = of.normals(self.u)[0]
        middle = float(of.value(self.u)[0])
        half = side * target * math.sqrt(max(float(a @ self.covariance @ a), 0.0))
        if not math.isfinite(half) or not half:
            return math.nan if math.isnan(half) else middle
        here, known = self.u, self.known
        near = max(NEAR * target, 10 * math.sqrt(float(getattr(self.objective, "noise", 0.0))))
        inside, at_inside, outside, trial = middle, (0.0, target / half), math.nan, middle + half
        last = inside, 0.0
        for _ in range(100):
            with np.errstate(all="ignore"):
                found = constrained(self.objective, here, of.at(trial) & self.held, known)
                tau, slope = statistic(found) if found.success else (math.nan, math.nan)
            if math.isnan(slope):
                slope, last = (tau - last[1]) / (trial - last[0]) if trial != last[0] else math.nan, (trial, tau)
                close = abs(tau - target) <= 1e-3 * near
            else:
                slope *= side
                close = abs(tau - target) <= near
            if close:
                return trial + (target - tau) / slope
            if tau < target and abs(slope * (trial - middle)) < FLAT * target:
                return math.copysign(math.inf, half)
            if not tau <= 2 * target:  # too far, or in another valley
                trial = 0.5 * (inside + trial)
                last = inside, at_inside[0]
            else:
                if tau < target:
                    inside, at_inside = trial, (tau, slope)
                    here, known = found.u, (found.value, found.gradient, found.information)
                else:
                    outside = trial
                trial = trial + (target - tau) / slope if slope else math.nan
            if not abs(inside - middle) < FAR * abs(half):
                return math.copysign(math.inf, half)
            furthest = middle + 3 * (inside - middle or half) if outside != outside else outside
            if not min(inside, furthest) < trial < max(inside, furthest):
                trial = furthest if outside != outside else 0.5 * (inside + outside)
            if abs(trial - inside) <= 1e-9 * abs(half) and abs(at_inside[0] - target) > 1e-6 * target:
                if outside != outside:
                    break
                outside = math.nan  # it was in another valley
                trial = inside + (target - at_inside[0]) / at_inside[1]
        return math.nan


def score(found: Constrained, information: Callable[..., np.ndarray], held: np.ndarray) -> float:
    """Rao's statistic at a restricted maximum: its slope, over its information along what is held.

    NaN where that is not positive, as an observed information need not be away from the estimates (Morgan, Palmer &
    Ridout 2007).
    """
    V = covariance_along(information(found.u, found.information), held)
    d = np.sqrt(np.abs(np.diag(V)))
    d = np.where(d > 0, d, 1.0)
    if np.linalg.eigvalsh(V / np.outer(d, d)).min(initial=0.0) < -1e-12:
        return math.nan
    return float(found.gradient @ V @ found.gradient)
