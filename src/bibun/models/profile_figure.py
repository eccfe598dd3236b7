"""What `Result.plot_profile` shows: how the likelihood falls away from each estimate, the others adapting.

Imports figure, constrained; reads a Result and the Space it is searched in. report/profile_plot.py draws it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .answers import normal_quantile
from .constrained import constrained
from .figure import Figure

__all__ = ["ProfileFigure", "Trace", "profiles"]

STEPS = 5
"""Fits on each side of an estimate."""

BEYOND = 1.12
"""How far the curve goes on behind the widest interval."""

MOST = 24
"""Panels in one picture."""


@dataclass
class Trace:
    """The profile of one parameter.

    Attributes
    ----------
    label : str
    unit : str
    estimate : float
    values : ndarray of shape (m,)
        Increasing; the estimate and the ends of the intervals are among them.
    stretched : ndarray of shape (m,)
        The same on the scale without ends that Wald intervals are made on.
    root : ndarray of shape (m,)
        The signed root of twice what the log-likelihood falls by, exact at each value: ±the quantile at an end.
    wald : ndarray of shape (m,)
        The same by the standard error: the distance on that scale in standard errors.
    ends, wald_ends : dict of float to tuple of float
        Level to interval, as `conf_int` has them.
    absent : str
        Why there is no curve; empty where there is one.
    """

    label: str
    unit: str
    estimate: float
    values: np.ndarray = field(default_factory=lambda: np.zeros(0))
    stretched: np.ndarray = field(default_factory=lambda: np.zeros(0))
    root: np.ndarray = field(default_factory=lambda: np.zeros(0))
    wald: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ends: dict[float, tuple[float, float]] = field(default_factory=dict)
    wald_ends: dict[float, tuple[float, float]] = field(default_factory=dict)
    absent: str = ""
    scale: Any = field(default=None, repr=False)  # to the stretched scale and back

    @property
    def loglik(self) -> np.ndarray:
        """What the log-likelihood falls by at each value, 0 at the estimate: minus half the root squared."""
        return -0.5 * self.root**2


class ProfileFigure(Figure):
    """Profiles of parameters as a picture. A notebook shows it by itself; `save` writes it.

    Attributes
    ----------
    traces : list of Trace
    quantiles : dict of float to float
        Level to the root at which its interval ends.
    scale : {"loglik", "root"}
        What is drawn.
    statistic : {"z", "t"}
        "t" where a dispersion is estimated: then the root is that of the F test.
    """

    kind = "profile"

    def __init__(self, traces: list[Trace], quantiles: dict[float, float], scale: str, statistic: str) -> None:
        self.traces, self.quantiles, self.scale, self.statistic = traces, quantiles, scale, statistic
        self.title = "Profile likelihood"

    def __repr__(self) -> str:
        return f"<ProfileFigure of {', '.join(t.label for t in self.traces)}>"


def profiles(
    result: Any, parm: Any, levels: Sequence[float], units: Mapping[str, str] | None, scale: str
) -> ProfileFigure:
    """The figure of `Result.plot_profile`."""
    if scale not in ("loglik", "root"):
        raise ValueError(f"scale={scale!r}: 'loglik' or 'root'")
    wanted = list(dict.fromkeys(result._positions(parm)))
    if len(wanted) > MOST:
        raise ValueError(f"{len(wanted)} parameters are too many for one picture: name at most {MOST} with parm=")
    levels = sorted(levels, reverse=True)
    labels = [result.labels[k] for k in wanted]
    units = dict(units or {})
    unknown = [u for u in units if u not in labels]
    if unknown:
        raise ValueError(f"a unit for {unknown[0]!r}; the picture has {', '.join(labels)}")
    se, lost = result.se(), result.undetermined
    held = result._held is not None
    shown = [k for k in wanted if not lost[k] and (se[k] > 0 or not held)]
    closed = "_residuals" in vars(result)  # linear regression, whose profile has a closed form
    quantile = normal_quantile if closed else result._quantile
    ends = {level: _intervals(result, level, "profile", shown) for level in levels}
    wald = {level: _intervals(result, level, "wald", shown) for level in levels}
    tracer = _Tracer(result, se, {level: quantile(level) for level in levels}, closed)
    traces = []
    for k, label in zip(wanted, labels, strict=True):
        trace = Trace(label, units.get(label, ""), float(result.coef[k]))
        if k not in shown:
            trace.absent = "not determined by the data" if lost[k] else f"held: {', '.join(result._held.texts)}"
        else:
            trace.ends = {level: ends[level][k] for level in levels}
            trace.wald_ends = {level: wald[level][k] for level in levels}
            tracer.follow(trace, k)
        traces.append(trace)
    return ProfileFigure(traces, tracer.quantiles, scale, tracer.letter)


def _intervals(result: Any, level: float, method: str, wanted: list[int]) -> dict[int, tuple[float, float]]:
    """Each interval by the parameter's position."""
    if not wanted:
        return {}
    found = result.conf_int(level, method=method, parm=[result.labels[k] for k in wanted])
    return {k: (float(low), float(high)) for k, (low, high) in zip(wanted, found, strict=True)}


class _Tracer:
    """Follows the likelihood of a result along its parameters."""

    def __init__(self, result: Any, se: np.ndarray, quantiles: dict[float, float], closed: bool) -> None:
        self.result, self.se, self.quantiles, self.closed = result, se, quantiles, closed
        self.parameters = result.parameters
        self.letter = "z" if closed or result._quantile(0.95) == normal_quantile(0.95) else "t"
        self.space = None if closed else result._space()
        self.at_estimates = np.array(self.parameters.stretched(result.coef), float)
        self.per_error = np.abs(self.parameters.stretch(result.coef))

    def follow(self, trace: Trace, k: int) -> None:
        """Fill in a trace."""
        middle, error = self.at_estimates[k], self.se[k] * self.per_error[k]
        if not error > 0 or not math.isfinite(error):
            trace.absent = "the fit is exact: every interval is a point"
            return
        points, roots, scale = [middle], [0.0], _Scale(self.parameters, self.result.coef, k)
        for side in (-1, 1):
            at = scale.stretched([e[(side + 1) // 2] for e in trace.ends.values()])
            knots = {float(t): side * self.quantiles[v] for t, v in zip(at, trace.ends, strict=True) if np.isfinite(t)}
            widest = max(self.quantiles.values())
            reach = max((abs(t - middle) for t in knots), default=0.0) if len(knots) == len(trace.ends) else 0.0
            reach = BEYOND * (reach or 2 * widest * error)
            grid = [middle + side * reach * (j + 1) / STEPS for j in range(STEPS)]
            for t, root in self._along(k, grid, side, error):
                if all(abs(t - known) > 0.02 * reach for known in knots):
                    points.append(t)
                    roots.append(root)
            points += knots
            roots += knots.values()
        order = np.argsort(points)
        trace.stretched, trace.root = np.array(points)[order], np.array(roots)[order]
        trace.scale, trace.values = scale, scale.natural(trace.stretched)
        trace.values[trace.stretched == middle] = trace.estimate
        trace.wald = (trace.stretched - middle) / error

    def _along(self, k: int, grid: list[float], side: int, error: float) -> list[tuple[float, float]]:
        """The root at each value, from the estimate outwards, as far as the others can be refitted."""
        if self.space is None:
            t = (np.array(grid) - self.at_estimates[k]) / error
            root = side * np.sqrt(self.result.nobs * np.log1p(t**2 / self.result.df_resid))
            return list(zip(grid, root.tolist(), strict=True))
        space, of = self.space, self.space.stretched(k)
        here, known, out = space.gamma, space.objective.all(space.gamma), []
        for t in grid:
            with np.errstate(all="ignore"):
                found = constrained(space.objective, here, of.at(t) & space.held, known)
            if not found.success or not math.isfinite(found.value):
                break
            here, known = found.u, (found.value, found.gradient, found.information)
            out.append((t, side * math.sqrt(2 * max(found.value - space.best, 0.0))))
        return out


class _Scale:
    """From what tables show k-th to its scale without ends, and back."""

    def __init__(self, parameters: Any, coef: np.ndarray, k: int) -> None:
        self.parameters, self.coef, self.k = parameters, np.array(coef, float), k

    def stretched(self, values: Any) -> np.ndarray:
        """To the scale without ends; not finite outside of the domain."""
        return self._each(values, self.coef, self.parameters.stretched)

    def natural(self, t: Any) -> np.ndarray:
        """Back."""
        return self._each(t, np.array(self.parameters.stretched(self.coef), float), self.parameters.unstretched)

    def _each(self, numbers: Any, others: np.ndarray, f: Any) -> np.ndarray:
        out = []
        for x in np.atleast_1d(numbers):
            whole = others.copy()
            whole[self.k] = x
            with np.errstate(all="ignore"):
                out.append(float(f(whole)[self.k]))
        return np.array(out)
