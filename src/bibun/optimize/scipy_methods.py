"""SciPy's methods, given our derivatives: `scipy.optimize.minimize` and `scipy.optimize.least_squares`.

The problem, the counting, the path and the result are those of our own methods. Imports the problem and the search;
SciPy itself when first used.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.tree import flatten
from ..transforms.hessian import hessian
from ..transforms.jacobian import jacobian
from .least_squares import residuals_of
from .problem import MANY, Point, Problem
from .search import Search
from .stopping import Stop, Tolerances, steepest

__all__ = ["LEAST_SQUARES", "MINIMIZE", "bounds_of", "scipy_least_squares", "scipy_minimize"]

VALUES = ("Nelder-Mead", "Powell", "COBYLA", "COBYQA")
GRADIENTS = ("BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP")
HESSIANS = ("trust-exact", "dogleg")
PRODUCTS = ("Newton-CG", "trust-krylov", "trust-ncg")
MINIMIZE = (*GRADIENTS, *HESSIANS, *PRODUCTS, "trust-constr", *VALUES)
LEAST_SQUARES = ("least_squares", "trf", "dogbox", "lm")
FAR = 1e100  # a residual for MINPACK, which knows no infinity


class _Halted(Exception):
    """The callback has had enough."""


def scipy_minimize(
    problem: Problem,
    search: Search,
    method: str,
    bounds: Any,
    constraints: Any,
    tol: float | None,
    maxiter: int | None,
    options: dict[str, Any],
) -> Any:
    """Run one of SciPy's methods; an OptimizeResult, or a Stop where it was cut short."""
    from scipy import optimize

    p = problem.parameters
    given: dict[str, Any] = {}
    if method in VALUES:
        problem.value(p.start)
        if problem.best is None:
            raise problem.no_start()
        search.begin(problem.best)
        given["fun"] = problem.value
    else:
        latest = problem.start()
        search.begin(latest)

        def both(x: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal latest
            if not np.array_equal(latest.x, x):
                latest = problem.at(x.copy())
            g = latest.gradient
            return latest.value, np.full(p.n, np.nan) if g is None else g.copy()

        given.update(fun=both, jac=True)
    if method in HESSIANS or (method == "trust-constr" and p.n <= MANY):
        given["hess"] = lambda x: _finite(problem, x)
    elif method in PRODUCTS or method == "trust-constr":
        given["hessp"] = _product(problem)
    if bounds is not None:
        given["bounds"] = bounds_of(problem, bounds)
    if constraints:
        given["constraints"] = [_constraint(problem, c) for c in _several(constraints)]
    if maxiter is not None:
        options = {**options, "maxiter": maxiter}

    def follow(xk: np.ndarray, *_: Any) -> None:
        x = np.array(xk, dtype=np.float64)
        if method in VALUES:
            best = problem.best
            value = best.value if best is not None and np.array_equal(best.x, x) else problem.value(x)
            point = Point(x, value, None)
        else:
            point = latest if np.array_equal(latest.x, x) else problem.at(x)
        stop = search.step(point)
        if stop is not None and stop.rule == "callback":
            raise _Halted

    try:
        with np.errstate(all="ignore"):
            r = optimize.minimize(
                x0=p.start.copy(), method=method, tol=tol, callback=follow, options=options or None, **given
            )
    except _Halted:
        return _cut(problem, search, "callback", bool(constraints))
    except KeyboardInterrupt:
        if search.point is None:
            raise
        return _cut(problem, search, "interrupted", bool(constraints))
    finally:
        search.end()
    point = _where(problem, np.asarray(r.x, dtype=np.float64), float(r.fun), method)
    best = problem.best
    if not r.success and best is not None and not point.value <= best.value and not constraints:
        point = best
    nit = int(getattr(r, "nit", search.nit))
    r.update(
        x=p.tree(point.x),
        fun=point.value,
        jac=None if point.gradient is None else p.tree(point.gradient),
        nit=nit,
        message=_sentence(problem, method, str(r.message), nit, point, bool(r.success)),
    )
    return r


def scipy_least_squares(
    f: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...],
    method: str,
    bounds: Any,
    tol: float | None,
    maxiter: int | None,
    options: dict[str, Any],
    watching: tuple[bool, Any, bool | None],
) -> tuple[Problem, Search, Any]:
    """Half the sum of squared residuals, by SciPy's `least_squares` with the exact Jacobian."""
    from scipy import optimize

    def half(x: Any, *a: Any) -> Any:
        return np.sum(residuals_of(f, x, a) ** 2) / 2

    half.__name__ = getattr(f, "__name__", "f")
    problem = Problem(half, x0, args)
    p = problem.parameters
    path, callback, progress = watching
    search = Search(problem, Tolerances(math.nan, 0.0, 0.0, maxiter or 10**9), method, path, callback, progress)
    derivative = jacobian(lambda x, *a: residuals_of(f, p.traced(x), a))
    kind = "trf" if method == "least_squares" else method
    kind = options.pop("method", kind)

    def residuals(x: np.ndarray) -> np.ndarray:
        problem.nfev += 1
        try:
            with np.errstate(all="ignore"):
                r = np.asarray(residuals_of(f, p.tree(x), args), dtype=np.float64)
        except np.linalg.LinAlgError as e:
            problem._refuse(x, f"LinAlgError: {e}")
            return np.full(size, FAR if kind == "lm" else np.inf)
        if not np.isfinite(r).all():
            problem._refuse(x, "a residual is not finite")
            return np.where(np.isfinite(r), r, FAR) if kind == "lm" else r
        cost = 0.5 * float(r @ r)
        if problem.best is None or cost < problem.best.value:
            problem.best = Point(x.copy(), cost, None)
        return r

    def slopes(x: np.ndarray) -> np.ndarray:
        problem.njev += 1
        with np.errstate(all="ignore"):
            J = np.asarray(derivative(x, *args), dtype=np.float64)
            r = np.asarray(residuals_of(f, p.tree(x), args), dtype=np.float64)
        point = Point(x.copy(), 0.5 * float(r @ r), J.T @ r)
        if search.point is None:
            search.begin(point)
        else:
            stop = search.step(point)
            if stop is not None and stop.rule == "callback":
                raise _Halted
        return J

    size = 0
    first = residuals(p.start)
    size = first.size
    if problem.best is None:
        raise problem.no_start()
    given = dict(options)
    if bounds is not None:
        b = bounds_of(problem, bounds)
        given["bounds"] = (b.lb, b.ub)
    for k in ("xtol", "ftol", "gtol"):
        if tol is not None:
            given.setdefault(k, tol)
    if maxiter is not None:
        given.setdefault("max_nfev", maxiter)
    try:
        with np.errstate(all="ignore"):
            r = optimize.least_squares(residuals, p.start.copy(), jac=slopes, method=kind, **given)
    except _Halted:
        return problem, search, _cut(problem, search, "callback", False)
    except KeyboardInterrupt:
        if problem.best is None:
            raise
        return problem, search, _cut(problem, search, "interrupted", False)
    finally:
        search.end()
    point = Point(r.x, float(r.cost), np.asarray(r.jac).T @ r.fun)
    if search.point is not None and not np.array_equal(search.point.x, r.x):
        search.step(point)
    outcome = optimize.OptimizeResult(
        x=p.tree(r.x),
        fun=float(r.cost),
        jac=p.tree(point.gradient),
        residuals=r.fun,
        jacobian=r.jac,
        active_mask=r.active_mask,
        optimality=r.optimality,
        success=bool(r.success),
        status=int(r.status),
        nit=search.nit,
        message=_sentence(problem, f"least_squares ({kind})", str(r.message), search.nit, point, bool(r.success)),
    )
    return problem, search, outcome


def bounds_of(problem: Problem, bounds: Any) -> Any:
    """SciPy's Bounds, in the order of the vector, from any of the spellings."""
    from scipy.optimize import Bounds

    p = problem.parameters
    if isinstance(bounds, Bounds):
        low, high = np.broadcast_to(bounds.lb, p.n), np.broadcast_to(bounds.ub, p.n)
        return Bounds(low, high, bounds.keep_feasible)
    if not isinstance(bounds, (list, tuple, np.ndarray)):
        raise TypeError(
            f"bounds is {type(bounds).__name__}: give a (low, high) for each parameter, or (lower, upper) with the "
            "structure of x0"
        )
    pairs = len(bounds) == p.n and all(np.ndim(b) == 1 and len(b) == 2 for b in bounds if not isinstance(b, dict))
    pairs = pairs and not any(isinstance(b, dict) for b in bounds)
    if pairs:
        low = np.array([-np.inf if b[0] is None else b[0] for b in bounds], dtype=float)
        high = np.array([np.inf if b[1] is None else b[1] for b in bounds], dtype=float)
    elif len(bounds) == 2:
        low, high = (_spread(problem, side, name) for side, name in zip(bounds, ("lower", "upper"), strict=True))
    else:
        raise ValueError(
            f"{len(bounds)} bounds for {p.n} parameters: give a (low, high) for each, or (lower, upper) with the "
            "structure of x0"
        )
    if (low > high).any():
        i = int(np.flatnonzero(low > high)[0])
        raise ValueError(f"the bounds of {p.name(i)} are ({low[i]:g}, {high[i]:g}): the lower is above the upper")
    return Bounds(low, high)


def _spread(problem: Problem, side: Any, name: str) -> np.ndarray:
    p = problem.parameters
    leaves = flatten(side)[0]
    if len(leaves) == 1:
        leaves = leaves * len(p.shapes)
    try:
        if len(leaves) != len(p.shapes):
            raise ValueError
        parts = [np.broadcast_to(np.asarray(b, float), s).ravel() for b, s in zip(leaves, p.shapes, strict=True)]
    except ValueError:
        raise ValueError(
            f"the {name} bounds do not have the structure of x0: a number for each of its arrays"
        ) from None
    return np.concatenate(parts)


def _finite(problem: Problem, x: np.ndarray) -> np.ndarray:
    H = problem.hessian(x)
    if H is None:
        raise ValueError(
            f"the second derivatives are not finite: {problem.refusal()}; method='trust-newton' backs away"
        )
    return H


def _product(problem: Problem) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """`hessp`, which linearizes the gradient once for each x."""
    kept: list[Any] = [None, None]

    def hessp(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        if kept[0] is None or not np.array_equal(kept[0], x):
            kept[:] = [x.copy(), problem.products(x)]
        return kept[1](np.ravel(v))  # type: ignore[no-any-return]

    return hessp


def _several(constraints: Any) -> Sequence[Any]:
    return constraints if isinstance(constraints, (list, tuple)) else [constraints]


def _constraint(problem: Problem, c: Any) -> Any:
    """A constraint whose function sees nested parameters, with its exact derivatives."""
    from scipy.optimize import NonlinearConstraint

    p = problem.parameters
    if isinstance(c, dict):
        extra = tuple(c.get("args", ()))
        fun, jac = _traced(c["fun"], p, extra)
        return {"type": c["type"], "fun": fun, "jac": jac}
    if isinstance(c, NonlinearConstraint):
        fun, jac = _traced(c.fun, p, ())
        weighted = hessian(lambda x, v: np.sum(v * np.ravel(c.fun(p.traced(x)))))
        return NonlinearConstraint(fun, c.lb, c.ub, jac=jac, hess=weighted, keep_feasible=c.keep_feasible)
    return c  # LinearConstraint: a matrix over the vector


def _traced(f: Callable[..., Any], p: Any, extra: tuple[Any, ...]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def fun(x: np.ndarray) -> np.ndarray:
        return np.atleast_1d(np.asarray(f(p.tree(x), *extra), dtype=float)).ravel()

    def traced(x: Any) -> Any:
        y = f(p.traced(x), *extra)
        return np.stack([np.ravel(v)[0] for v in y]) if isinstance(y, (list, tuple)) else y

    derivative = jacobian(traced)
    return fun, lambda x: np.asarray(derivative(x)).reshape(-1, p.n)


def _where(problem: Problem, x: np.ndarray, value: float, method: str) -> Point:
    if method in VALUES:
        return Point(x, value, None)
    best = problem.best
    return best if best is not None and np.array_equal(best.x, x) else problem.at(x)


def _cut(problem: Problem, search: Search, rule: str, constrained: bool) -> tuple[Stop, str]:
    """Where a search was cut short: the best point, or with constraints the latest, which is nearer to them."""
    point = search.point if constrained else problem.best
    if point is None:
        point = search.point
    assert point is not None
    return Stop(rule, point, {}), "iterations"


def _sentence(problem: Problem, method: str, said: str, nit: int, point: Point, success: bool) -> str:
    steps = "iteration" if nit == 1 else "iterations"
    said = said.strip().rstrip(".")
    out = f"SciPy's {method}, after {nit} {steps}: {said} ({steepest(problem, point)})."
    if problem.refused:
        times = "1 point" if problem.refused == 1 else f"{problem.refused} points"
        out += f" f was not finite at {times}; the last: {problem.refusal()}."
    if not success:
        out += " Try method='trust-newton', which says more." if method not in ("SLSQP", "trust-constr") else ""
    return out
