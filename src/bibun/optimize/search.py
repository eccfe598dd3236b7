"""`Search`: what every method tells after every iteration. It keeps the path, calls back, shows progress, and answers
with the rule that is met, if one is.

Imports problem.py and stopping.py.
"""

import inspect
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .problem import Point, Problem
from .stopping import EPSILON, Stop, Tolerances

__all__ = ["Search"]

QUIET = 3.0  # seconds before the first line of progress
EVERY = 0.5  # seconds between lines that replace each other on a terminal
SELDOM = 10.0  # seconds between lines in a file
BOTTOM = -1e100


class Search:
    """The course of one minimization.

    Parameters
    ----------
    problem : Problem
    tolerances : Tolerances
    method : str
        For the line of progress.
    path : bool
        Keep every point.
    callback : callable, optional
        `callback(x)` or `callback(intermediate_result)`, as in SciPy; StopIteration or a return of True stops.
    progress : bool, optional
        By default where stderr is a terminal.
    """

    def __init__(
        self,
        problem: Problem,
        tolerances: Tolerances,
        method: str,
        path: bool = False,
        callback: Callable[..., Any] | None = None,
        progress: bool | None = None,
    ) -> None:
        self.problem, self.tolerances, self.method = problem, tolerances, method
        self.nit = 0
        self.path: list[np.ndarray] | None = [] if path else None
        self.path_fun: list[float] = []
        self.point: Point | None = None  # the latest
        self.first = np.nan
        self._callback = _called(callback)
        self._shows = sys.stderr.isatty() if progress is None else bool(progress)
        self._began = time.monotonic()
        self._next = self._began + QUIET
        self._shown = False

    def begin(self, point: Point) -> Stop | None:
        """The start."""
        self.first = point.value
        self._keep(point)
        return self.gradient_rule(point)

    def step(self, point: Point, decrement: float | None = None) -> Stop | None:
        """An iteration has led to `point`.

        `decrement` is what a quadratic says that the next step would still gain, where a method knows.
        """
        self.nit += 1
        before = self.point
        self._keep(point)
        if self._callback is not None and self._callback(self, point):
            return self.stop("callback")
        t = self.tolerances
        stop = self.gradient_rule(point)
        if stop is None and before is not None:
            stop = self._changes(before, point)
        if stop is None and point.value < BOTTOM:
            stop = self.stop("unbounded")
        if stop is None and self.nit >= t.maxiter:
            stop = self.stop("maxiter")
        return stop

    def gradient_rule(self, point: Point) -> Stop | None:
        """No component of the gradient above gtol."""
        if point.gradient is not None and point.steepest() <= self.tolerances.gtol:
            return self.stop("gradient", point)
        return None

    def _changes(self, before: Point, point: Point) -> Stop | None:
        t = self.tolerances
        gain = before.value - point.value
        if t.ftol > 0 and self.value_rule and 0 <= gain <= t.ftol * max(abs(before.value), abs(point.value)):
            return self.stop("value", decrement=gain)
        if t.xtol > 0:
            length = float(np.abs(point.x - before.x).max())
            if length <= t.xtol * (t.xtol + float(np.abs(point.x).max())):
                return self.stop("step", length=length)
        return None

    value_rule = True
    """Whether ftol is about the change of the value; the Newton methods ask it of the decrement instead."""

    def stop(self, rule: str, point: Point | None = None, **figures: Any) -> Stop:
        """The rule that is met, at the latest point."""
        where = point or self.point
        assert where is not None
        return Stop(rule, where, figures)

    def stuck(self, gain: float, point: Point) -> Stop:
        """No step lowers the value, though `gain` was promised: rounding, or a fault in f."""
        if gain <= 100 * EPSILON * abs(point.value):
            return self.stop("rounding", point, decrement=gain)
        return self.stop("no descent", point)

    def _keep(self, point: Point) -> None:
        self.point = point
        if self.path is not None:
            self.path.append(point.x.copy())
            self.path_fun.append(point.value)
        if self._shows and time.monotonic() >= self._next:
            self._show(point)

    def _show(self, point: Point) -> None:
        seconds = time.monotonic() - self._began
        largest = "" if point.gradient is None else f", largest gradient component {point.steepest():.3g}"
        most = f" of at most {self.tolerances.maxiter}" if self.tolerances.maxiter < 10**9 else ""
        line = f"{self.method}: iteration {self.nit}{most}, {seconds:.0f} s"
        line += f", f = {point.value:.10g}{largest}"
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K" + line)
            self._next += EVERY
        else:
            sys.stderr.write(line + "\n")
            self._next += SELDOM
        sys.stderr.flush()
        self._shown = True

    def end(self) -> None:
        """Leave the terminal on a line of its own."""
        if self._shown and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _called(callback: Callable[..., Any] | None) -> Callable[[Search, Point], bool] | None:
    """The user's callback in either of SciPy's two spellings; the answer says whether to stop."""
    if callback is None:
        return None
    if not callable(callback):
        raise TypeError(f"callback is {type(callback).__name__}: it must be a function of the parameters, or None")
    try:
        whole = set(inspect.signature(callback).parameters) == {"intermediate_result"}
    except (TypeError, ValueError):
        whole = False

    def call(search: Search, point: Point) -> bool:
        tree = search.problem.parameters.tree
        try:
            if whole:
                from scipy.optimize import OptimizeResult

                state = OptimizeResult(x=tree(point.x), fun=point.value, nit=search.nit)
                if point.gradient is not None:
                    state.jac = tree(point.gradient)
                answer = callback(intermediate_result=state)
            else:
                answer = callback(tree(point.x))
        except StopIteration:
            return True
        return answer is True

    return call
