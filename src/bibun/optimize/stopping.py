"""Why a search stops: the rules, and the sentence with the figures that each of them says.

A rule is one line of `RULES`; its number is the result's `status`. Imports nothing but problem.py.
"""

import math
from dataclasses import dataclass
from typing import Any

from .problem import Point, Problem

__all__ = ["EPSILON", "RULES", "Rule", "Stop", "Tolerances", "explain"]

EPSILON = 2.0**-52


@dataclass(frozen=True)
class Rule:
    """One way to end: SciPy's `status` and `success`, the sentence, and what to do next."""

    status: int
    success: bool
    sentence: str
    advice: str = ""


RULES = {
    "gradient": Rule(
        0, True, "Converged after {nit} {steps}: no component of the gradient is above gtol = {gtol:.3g} ({steepest})."
    ),
    "maxiter": Rule(
        1,
        False,
        "Stopped after {nit} {steps}, all that maxiter allows, before any rule was met ({steepest}; "
        "gtol = {gtol:.3g}).",
        "Start again from this x with a larger maxiter{other}.",
    ),
    "no descent": Rule(
        2,
        False,
        "Stopped after {nit} {steps}: no step in the direction of search lowers the value ({steepest}; "
        "gtol = {gtol:.3g}).",
        "Look for a kink or a jump in f, or parameters of very different sizes; bibun.check_grads(f, x) tests the "
        "derivatives here.",
    ),
    "unbounded": Rule(
        3,
        False,
        "Stopped after {nit} {steps}: the value fell to {fun:.6g}, below any bound.",
        "The function seems to have no minimum: bound the parameters, or check the sign of f.",
    ),
    "decrement": Rule(
        4,
        True,
        "Converged after {nit} {steps}: a last Newton step was to lower the value by {decrement:.3g}, not above ftol = "
        "{ftol:.3g} of it ({steepest}).",
    ),
    "value": Rule(
        5,
        True,
        "Converged after {nit} {steps}: the last one lowered the value by {decrement:.3g}, not above ftol = {ftol:.3g} "
        "of it ({steepest}).",
    ),
    "step": Rule(
        6,
        True,
        "Converged after {nit} {steps}: the last one changed the parameters by {length:.3g}, not above xtol = "
        "{xtol:.3g} of them ({steepest}).",
    ),
    "rounding": Rule(
        7,
        True,
        "Converged after {nit} {steps} as far as float64 goes: a step is still to lower the value by {decrement:.3g}, "
        "which is below its rounding error ({steepest}).",
    ),
    "diverged": Rule(
        8,
        False,
        "Stopped after {nit} {steps}: they led upwards, from {first:.6g} to {last:.6g}.",
        "The step is too long{limit}.",
    ),
    "interrupted": Rule(
        98,
        False,
        "Interrupted after {nit} {steps}; x is the best point so far ({steepest}).",
        "Start again from it to go on.",
    ),
    "callback": Rule(
        99, False, "Stopped after {nit} {steps} by the callback; x is the best point so far ({steepest})."
    ),
}


@dataclass(frozen=True)
class Tolerances:
    """When to stop.

    Attributes
    ----------
    gtol : float
        No component of the gradient is larger.
    ftol : float
        Relative to the value: what a step lowered it by; for the Newton methods, what the next one still would.
    xtol : float
        Relative to the parameters: the length of a step. 0: not asked.
    maxiter : int
    """

    gtol: float
    ftol: float
    xtol: float
    maxiter: int


@dataclass
class Stop:
    """A rule that was met, where, and its own figures."""

    rule: str
    point: Point
    figures: dict[str, Any]

    @property
    def status(self) -> int:
        """SciPy's number."""
        return RULES[self.rule].status

    @property
    def success(self) -> bool:
        """Whether it is a minimum, as far as the rule can tell."""
        return RULES[self.rule].success


def explain(stop: Stop, problem: Problem, tolerances: Tolerances, nit: int, point: Point, steps: str) -> str:
    """The sentences of a result."""
    rule = RULES[stop.rule]
    figures = {
        "gtol": tolerances.gtol,
        "ftol": tolerances.ftol,
        "xtol": tolerances.xtol,
        "nit": nit,
        "steps": steps if nit != 1 else steps[:-1],
        "fun": point.value,
        "steepest": steepest(problem, point),
        "decrement": math.nan,
        "length": math.nan,
        "first": math.nan,
        "last": math.nan,
        "limit": "",
        "other": "",
        **stop.figures,
    }
    said = [rule.sentence.format(**figures)]
    if not stop.success and point is not stop.point:
        said.append(f"x is the lowest point on the way, f = {point.value:.10g}.")
    if problem.refused:
        times = "1 point" if problem.refused == 1 else f"{problem.refused} points"
        said.append(f"f was not finite at {times}, which the search backed away from; the last: {problem.refusal()}.")
    if rule.advice:
        said.append(rule.advice.format(**figures))
    return " ".join(said)


def steepest(problem: Problem, point: Point) -> str:
    """`f = 1.5, largest gradient component 2e-09 at x['scale']`."""
    if point.gradient is None:
        return f"f = {point.value:.10g}"
    i = int(abs(point.gradient).argmax())
    return f"f = {point.value:.10g}, largest gradient component {point.gradient[i]:.3g} at {problem.parameters.name(i)}"
