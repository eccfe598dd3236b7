"""The methods that use nothing but the gradient: gradient descent, momentum, Nesterov, Adam.

Each is one line of mathematics, `move(g, step)`: how far to go, from the gradient here and what the method remembers.
Around it are the three ways to choose the step: given, by backtracking, on mini-batches. Imports the line search,
the batches, the search; the next method is a class here with its name in METHODS.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .batches import Batches
from .line_search import backtracking
from .problem import Point, Problem
from .search import Search
from .stopping import EPSILON, Stop

__all__ = ["METHODS", "first_order"]


class GradientDescent:
    """x ← x - step g."""

    momentum = False
    default_step: float | None = None

    def move(self, g: np.ndarray, step: float) -> np.ndarray:
        """The change of x."""
        return -step * g

    def forget(self) -> None:
        """Start anew."""


class Momentum(GradientDescent):
    """v ← βv - step g, x ← x + v: a heavy ball (Polyak 1964)."""

    momentum = True

    def __init__(self, beta: float = 0.9) -> None:
        if not 0 <= beta < 1:
            raise ValueError(f"beta={beta!r}: the share of the last move that is kept is in [0, 1)")
        self.beta = beta
        self.v: Any = 0.0
        self.k = 0

    def move(self, g: np.ndarray, step: float) -> np.ndarray:
        """The change of x."""
        self.v = self.beta * self.v - step * g
        return self.v  # type: ignore[no-any-return]

    def forget(self) -> None:
        """Stand still."""
        self.v = 0.0
        self.k = 0


class Nesterov(Momentum):
    """v ← βv - step g, x ← x + βv - step g: the gradient where momentum leads (Nesterov 1983).

    x here is the point ahead, at which the gradient is taken, as Sutskever et al. 2013 and Bengio et al. 2013 write it.
    Without `beta`, β grows as k / (k + 3) with the iterations since the last restart.
    """

    def __init__(self, beta: float | None = None) -> None:
        super().__init__(0.0 if beta is None else beta)
        self.grows = beta is None

    def move(self, g: np.ndarray, step: float) -> np.ndarray:
        """The change of x."""
        self.k += 1
        beta = self.k / (self.k + 3) if self.grows else self.beta
        self.v = (((self.k - 1) / (self.k + 2)) if self.grows else beta) * self.v - step * g
        return beta * self.v - step * g  # type: ignore[no-any-return]


class Adam(GradientDescent):
    """x ← x - step m̂ / (√ŵ + ε), with running means m of g and w of g² (Kingma and Ba 2015)."""

    default_step = 0.1

    def __init__(self, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> None:
        for name, value in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= value < 1:
                raise ValueError(f"{name}={value!r}: the share of the running mean that is kept is in [0, 1)")
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.m: Any = 0.0
        self.w: Any = 0.0
        self.k = 0

    def move(self, g: np.ndarray, step: float) -> np.ndarray:
        """The change of x."""
        self.k += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.w = self.beta2 * self.w + (1 - self.beta2) * g**2
        m, w = self.m / (1 - self.beta1**self.k), self.w / (1 - self.beta2**self.k)
        return -step * m / (np.sqrt(w) + self.epsilon)  # type: ignore[no-any-return]

    def forget(self) -> None:
        """No means yet."""
        self.m = self.w = 0.0
        self.k = 0


METHODS: dict[str, Callable[..., GradientDescent]] = {
    "gradient-descent": GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adam": Adam,
}

PATIENCE = 20  # iterations without a new lowest value, after which Adam's own step is halved
GROWTH = 1.01  # of the step, each time that momentum leads down
UPHILL = 1e6  # times the value at the start: diverged


def first_order(
    problem: Problem,
    start: Point,
    search: Search,
    *,
    method: str,
    batches: Batches | None = None,
    step: float | str | None = None,
    decay: float = 0.0,
    **own: Any,
) -> Stop:
    """Minimize by one of METHODS.

    Parameters
    ----------
    step : float or "curvature", optional
        A fixed step length; "curvature" takes 1 / L, with the largest eigenvalue L of the Hessian at the start. Without
        it, gradient descent, momentum and Nesterov's method backtrack to a sufficient decrease (and start their
        momentum anew where it leads up), Adam halves its 0.1 where it no longer gets lower; on mini-batches the others
        take a tenth of "curvature", Adam 0.01.
    decay : float
        The step of iteration (or pass) k is step / (1 + decay k).
    beta, beta1, beta2, epsilon : float
        Of momentum and Nesterov; of Adam.
    """
    try:
        rule = METHODS[method](**own)
    except TypeError:
        known = {"momentum": "beta", "nesterov": "beta", "adam": "beta1, beta2, epsilon"}.get(method)
        raise TypeError(
            f"{method} has no option {', '.join(own)}; it has step, decay{', ' + known if known else ''}"
        ) from None
    if isinstance(step, str) and step != "curvature":
        raise ValueError(f"step={step!r}: it is a positive number, 'curvature', or None for the method's own choice")
    if step is not None and step != "curvature" and not (isinstance(step, (int, float)) and 0 < step < math.inf):
        raise ValueError(f"step={step!r}: it is a positive number, 'curvature', or None for the method's own choice")
    if not decay >= 0:
        raise ValueError(f"decay={decay!r}: it is 0 or more")
    if batches is not None:
        length = _length(problem, start, step, rule, stochastic=True)
        return _stochastic(problem, start, search, rule, batches, length, decay)
    if step is None and decay == 0 and not isinstance(rule, Adam):
        return _backtracked(problem, start, search, rule)
    length = _length(problem, start, step, rule, stochastic=False)
    return _fixed(problem, start, search, rule, length, decay, adapt=step is None)


def _length(problem: Problem, start: Point, step: Any, rule: GradientDescent, stochastic: bool) -> float:
    if isinstance(step, (int, float)):
        return float(step)
    if step is None and rule.default_step is not None:
        return rule.default_step / 10 if stochastic else rule.default_step
    L = problem.curvature(start.x)
    share = 0.1 if stochastic and step is None else 1.0
    if not (0 < L < math.inf):
        L = max(start.steepest(), EPSILON)
    return share / L


def _fixed(
    problem: Problem, start: Point, search: Search, rule: GradientDescent, length: float, decay: float, adapt: bool
) -> Stop:
    """Steps of a given length; with `adapt`, halved where the value has not been lower for a while."""
    point = lowest = start
    since = 0
    for k in range(10**12):
        move = rule.move(point.gradient, length / (1 + decay * k))
        new = problem.at(point.x + move)
        for _ in range(50):
            if new.finite:
                break
            move = move / 2
            new = problem.at(point.x + move)
        else:
            return search.stop("no descent", point)
        point = new
        stop = search.step(point)
        if stop is not None:
            return stop
        if point.value > start.value + UPHILL * max(1.0, abs(start.value)):
            return _diverged(problem, start, search)
        since = 0 if point.value < lowest.value else since + 1
        lowest = point if since == 0 else lowest
        if adapt and since >= PATIENCE:
            length, since, point = length / 2, 0, lowest
            rule.forget()
            if length < EPSILON * max(1.0, float(np.abs(point.x).max())):
                return search.stuck(length * point.steepest(), point)
    raise AssertionError("maxiter ends the loop")


def _diverged(problem: Problem, start: Point, search: Search) -> Stop:
    assert search.point is not None
    L = problem.curvature(start.x)
    limit = f": at x0 the curvature allows one below 2 / L = {2 / L:.3g}" if 0 < L < math.inf else ""
    return search.stop("diverged", first=start.value, last=search.point.value, limit=limit)


def _backtracked(problem: Problem, start: Point, search: Search, rule: GradientDescent) -> Stop:
    """Steps that lower the value enough. Momentum that leads up is forgotten, and a backtracking step taken instead."""
    point = start
    length = _first_length(problem, start)
    while True:
        new = None
        if rule.momentum:
            new = problem.at(point.x + rule.move(point.gradient, length))
            if not new.value < point.value:  # O'Donoghue and Candès 2015: restart
                rule.forget()
                new = None
            else:
                length *= GROWTH  # what was too long once may do here
        if new is None:
            # a step that was long enough may be longer: steepest descent alone shrinks to the shortest it ever needed
            found = backtracking(problem, point, -point.gradient, (4 if rule.momentum else 2) * length)
            if found is None:
                gain = length * float(point.gradient @ point.gradient)
                return search.stuck(gain, point)
            length, new = found
        point = new
        stop = search.step(point)
        if stop is not None:
            return stop


def _first_length(problem: Problem, start: Point) -> float:
    """The minimum of the quadratic along the gradient, gᵀg / gᵀHg; of the gradient's own length where it bends down."""
    g = start.gradient
    square = float(g @ g)
    bend = float(g @ problem.products(start.x)(g))
    if math.isfinite(bend) and bend > EPSILON * square:
        return square / bend
    return 1 / math.sqrt(square)


def _stochastic(
    problem: Problem,
    start: Point,
    search: Search,
    rule: GradientDescent,
    batches: Batches,
    length: float,
    decay: float,
) -> Stop:
    """Steps on the gradient of one batch after the other; an iteration is a pass over the data.

    After each pass value and gradient are those of the whole data. Where a step leads to a value that is not finite the
    pass is taken again from its start with half the step.
    """
    point, longest = start, length
    for k in range(10**12):
        x = point.x
        for batch in batches:
            at = problem.at(x, (batch, *problem.args[1:]))
            if not at.finite:
                break
            x = x + rule.move(at.gradient, length / (1 + decay * k))
        new = problem.at(x) if at.finite else at
        if not new.finite:
            rule.forget()
            length /= 2
            if length < 1e-15 * longest:
                return search.stop("no descent", point)
            continue
        point = new
        stop = search.step(point)
        if stop is not None:
            return stop
        if point.value > start.value + UPHILL * max(1.0, abs(start.value)):
            return _diverged(problem, start, search)
    raise AssertionError("maxiter ends the loop")
