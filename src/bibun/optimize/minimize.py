"""`minimize`: one door to every method, one kind of result.

The table METHODS says which are ours; every other name is SciPy's. Imports everything in this folder; a new method of
ours is a file beside this one and a line of the table.
"""

import difflib
import math
from collections.abc import Callable
from typing import Any

from .batches import Batches
from .first_order import METHODS as FIRST_ORDER
from .first_order import first_order
from .lbfgs import lbfgs
from .least_squares import Fit, Residuals, levenberg_marquardt
from .newton import newton
from .problem import MANY, Point, Problem
from .scipy_methods import LEAST_SQUARES, MINIMIZE, scipy_least_squares, scipy_minimize
from .search import Search
from .stopping import Stop, Tolerances, explain
from .trust_region import trust_newton

__all__ = ["METHODS", "minimize"]

Method = Callable[..., Stop]

# name: the method, gtol, ftol, maxiter
METHODS: dict[str, tuple[Method, float, float, int]] = {
    "trust-newton": (trust_newton, 1e-8, 1e-12, 10_000),
    "newton": (newton, 1e-8, 1e-12, 10_000),
    "l-bfgs": (lbfgs, 1e-6, 0.0, 10_000),
    **dict.fromkeys(FIRST_ORDER, (first_order, 1e-5, 0.0, 10_000)),
}
OF_RESIDUALS: dict[str, tuple[Method, float, float, int]] = {
    "levenberg-marquardt": (levenberg_marquardt, 0.0, 1e-12, 10_000),
}
PASSES = 100  # over the data, where it comes in batches and maxiter is not given
TOLERANCES = ("gtol", "ftol", "xtol")


def minimize(
    f: Callable[..., Any],
    x0: Any,
    method: str = "trust-newton",
    *,
    args: Any = (),
    tol: float | None = None,
    maxiter: int | None = None,
    bounds: Any = None,
    constraints: Any = (),
    path: bool = False,
    callback: Callable[..., Any] | None = None,
    progress: bool | None = None,
    data: Any = None,
    batch_size: int | None = None,
    rng: Any = None,
    options: dict[str, Any] | None = None,
    **more: Any,
) -> Any:
    """Minimize a function of nested parameters, with exact derivatives.

    Parameters
    ----------
    f : callable
        `f(x, *args)`, or `f(x, data, *args)` where `data` is given; returns one real number. For least squares, the
        residuals: an array of any shape.
    x0 : array_like, or nested dicts, lists, tuples, dataclasses of them
        The start. Integers count as float64, and so does float32; a flat list of numbers is an array, as in SciPy.
    method : str
        Ours: "trust-newton", "newton" (exact Hessians), "l-bfgs" (for many parameters), "gradient-descent",
        "momentum", "nesterov", "adam"; for least squares "levenberg-marquardt". SciPy's, given our derivatives: every
        method of `scipy.optimize.minimize`, and of `scipy.optimize.least_squares` ("least_squares", "trf", "dogbox",
        "lm").
    args : tuple
        Passed on to `f`.
    tol : float, optional
        In place of the method's `gtol`; for SciPy's methods, its `tol`.
    maxiter : int, optional
        Iterations; with `batch_size`, passes over the data.
    bounds : sequence of (low, high), scipy.optimize.Bounds, or (lower, upper) with the structure of x0, optional
    constraints : as in scipy.optimize.minimize
        Their functions get x as `f` does, and are differentiated by bibun. Bounds and constraints are for SciPy's
        methods.
    path : bool
        Keep every point: `result.path`, a list with the structure of x0, and `result.path_fun`.
    callback : callable, optional
        `callback(x)` or `callback(intermediate_result)` after every iteration, as in SciPy; raising StopIteration or
        returning True stops.
    progress : bool, optional
        A line on stderr when it takes more than some seconds; by default where stderr is a terminal.
    data : array_like or nested, optional
        Handed to `f` after x; rows of it where `batch_size` is given.
    batch_size : int, optional
        For gradient descent, momentum, Nesterov and Adam: gradients from that many rows of `data` at a time. `f` should
        be a mean over rows, so that a batch estimates the whole.
    rng : numpy.random.Generator or int
        Draws the batches; must be given with `batch_size`.
    options : dict, optional
        SciPy's spelling for the keywords that follow.
    **more
        `gtol`, `ftol`, `xtol`, and the options of the method: `step`, `decay`, `beta` (first-order methods), `memory`
        (L-BFGS), `subproblem`, `initial_trust_radius`, `max_trust_radius` (trust-newton), SciPy's own.

    Returns
    -------
    scipy.optimize.OptimizeResult
        `x` and the gradient `jac` with the structure of x0; `hess`, the Hessian there as a matrix, if known; `fun`,
        `success`, `status`, `message`, `nit`, `nfev` (values), `njev` (gradients), `nhev` (Hessians, or their products
        with a vector).
        `message` says in a sentence which rule ended the search, with its figures, and what to do if it failed. On
        Ctrl-C the result is the best point so far, with `success` False.

    Raises
    ------
    ValueError
        If `f` is not finite at x0 (the parameters are named), x0 is empty or NaN, the method is unknown.
    TypeError
        If `f` returns no real number, an option is unknown.

    Notes
    -----
    The search ends when no component of the gradient exceeds `gtol`; the Newton methods also when the next step would
    lower f by no more than `ftol` |f| (half the squared Newton decrement; that step is still taken). The sources of the
    methods are in the notes of their files.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2)); y = X @ [1.0, -2.0] + 3.0
    >>> r = bb.minimize(lambda p: np.sum((y - p["a"] - X @ p["b"]) ** 2), {"a": 0.0, "b": np.zeros(2)})
    >>> round(float(r.x["a"]), 6), r.x["b"].round(6).tolist(), r.success
    (3.0, [1.0, -2.0], True)
    """
    if any(name in more for name in ("jac", "hess", "hessp")):
        raise TypeError("minimize has no jac, hess or hessp: bibun differentiates f itself; leave them out")
    settings = {**(options or {}), **more}
    maxiter = settings.pop("maxiter", None) if maxiter is None else maxiter
    if maxiter is not None and (isinstance(maxiter, bool) or int(maxiter) != maxiter or maxiter < 1):
        raise ValueError(f"maxiter={maxiter!r}: it is a whole number, 1 or more")
    name = method_named(method)
    args = args if isinstance(args, tuple) else (args,)
    if data is not None:
        args = (data, *args)
    if batch_size is not None and name not in FIRST_ORDER:
        raise ValueError(f"{name} sees all data at once: batch_size is for {', '.join(FIRST_ORDER)}")
    if batch_size is not None and data is None:
        raise ValueError("batch_size without data: give the rows in data=, and f as a function f(x, batch)")
    if name in LEAST_SQUARES:
        if constraints:
            raise ValueError("least squares takes bounds, no constraints: use method='trust-constr' on their sum")
        problem, search, outcome = scipy_least_squares(
            f, x0, args, name, bounds, tol, maxiter, settings, (path, callback, progress)
        )
        return _finished(problem, search, outcome)
    problem = (Residuals if name in OF_RESIDUALS else Problem)(f, x0, args)
    if name in MINIMIZE:
        search = Search(problem, Tolerances(math.nan, 0.0, 0.0, maxiter or 10**9), name, path, callback, progress)
        return _finished(
            problem, search, scipy_minimize(problem, search, name, bounds, constraints, tol, maxiter, settings)
        )
    if bounds is not None or constraints:
        what = "bounds" if bounds is not None else "constraints"
        ways = "'L-BFGS-B', 'TNC' or 'trust-constr'" if bounds is not None else "'SLSQP' or 'trust-constr'"
        if name in OF_RESIDUALS:
            ways = "'trf' or 'dogbox'" if bounds is not None else f"{ways} and the sum of squares"
        raise ValueError(f"{name} takes no {what}: use method={ways}, or parameters without {what} (x = np.exp(z))")
    run, gtol, ftol, most = {**METHODS, **OF_RESIDUALS}[name]
    if batch_size is not None:
        most = PASSES
    t = {"gtol": gtol, "ftol": ftol, "xtol": 0.0, **({} if tol is None else {"gtol": tol})}
    t.update({k: settings.pop(k) for k in TOLERANCES if k in settings})
    for k, v in t.items():
        if not (isinstance(v, (int, float)) and v >= 0):
            raise ValueError(f"{k}={v!r}: a tolerance is a number, 0 or more")
    tolerances = Tolerances(**t, maxiter=int(maxiter or most))
    search = Search(problem, tolerances, name, path, callback, progress)
    search.value_rule = run in (first_order, lbfgs)
    problem.second_order = run in (newton, trust_newton) and problem.n <= MANY and settings.get("subproblem") != "cg"
    if run is first_order:
        settings["method"] = name
        if batch_size is not None:
            settings["batches"] = Batches(data, batch_size, rng)
    _known(name, run, settings)
    return _finished(problem, search, _guarded(problem, search, run, settings))


def method_named(method: Any) -> str:
    """The name of a method in the spelling of the tables; a ValueError that offers the nearest one."""
    names = [*METHODS, *OF_RESIDUALS, *MINIMIZE, *LEAST_SQUARES]
    if not isinstance(method, str):
        raise TypeError(f"method is {type(method).__name__}: it is the name of one, such as 'trust-newton'")

    def bare(s: str) -> str:
        return "".join(c for c in s.lower() if c.isalnum())

    found = {bare(n): n for n in reversed(names)}
    if bare(method) in found:
        return found[bare(method)]
    near = difflib.get_close_matches(bare(method), list(found), n=1, cutoff=0.5)
    offer = f" Did you mean {found[near[0]]!r}?" if near else ""
    raise ValueError(
        f"unknown method {method!r}.{offer} Ours: {', '.join(METHODS)}; SciPy's: {', '.join(MINIMIZE)}; least squares: "
        f"{', '.join([*OF_RESIDUALS, *LEAST_SQUARES])}"
    )


def _known(name: str, run: Method, settings: dict[str, Any]) -> None:
    """Refuse options the method does not have."""
    if run is first_order:
        return  # its own sentence
    options = [k for k, v in (run.__kwdefaults__ or {}).items()]
    strange = [k for k in settings if k not in options]
    if strange:
        near = difflib.get_close_matches(strange[0], [*options, *TOLERANCES], n=1)
        raise TypeError(
            f"{name} has no option {strange[0]!r}{f' (did you mean {near[0]!r}?)' if near else ''}; it has "
            f"{', '.join([*TOLERANCES, 'maxiter', *options])}"
        )


def _guarded(problem: Problem, search: Search, run: Method, settings: dict[str, Any]) -> tuple[Stop, str]:
    """Run the method; Ctrl-C ends it at the best point so far."""
    try:
        start = problem.start()
        stop = search.begin(start) or run(problem, start, search, **settings)
    except KeyboardInterrupt:
        if problem.best is None:
            raise
        stop = Stop("interrupted", problem.best, {})
    finally:
        search.end()
    return stop, "passes" if "batches" in settings else "iterations"


def _finished(problem: Problem, search: Search, outcome: tuple[Stop, str] | Any) -> Any:
    """The OptimizeResult."""
    from scipy.optimize import OptimizeResult

    tree = problem.parameters.tree
    if isinstance(outcome, OptimizeResult):
        result = outcome
    else:
        stop, steps = outcome
        point = stop.point
        best: Point | None = problem.best
        if not stop.success and best is not None and best.value < point.value:
            point = best
        name = search.method
        hints = {"newton": ", or try method='trust-newton'", "trust-newton": ""}
        stop.figures.setdefault("other", hints.get(name, ", or try method='trust-newton' or 'l-bfgs'"))
        result = OptimizeResult(
            x=tree(point.x),
            fun=point.value,
            jac=tree(point.gradient) if point.gradient is not None else None,
            success=stop.success,
            status=stop.status,
            message=explain(stop, problem, search.tolerances, search.nit, point, steps),
            nit=search.nit,
        )
        if isinstance(point, Fit):
            result.update(residuals=point.residuals, jacobian=point.jacobian)
    H = problem.known_hessian(problem.parameters.vector(result.x))
    if H is not None:
        result.hess = H
    result.update(nfev=problem.nfev, njev=problem.njev, nhev=problem.nhev, method=search.method)
    if search.path is not None:
        result.path = [tree(x) for x in search.path]
        result.path_fun = list(search.path_fun)
    return result
