"""Least squares: Levenberg-Marquardt with exact Jacobians, ended by Newton steps with exact second derivatives.

`Squares` is a function of residuals with its derivatives, `Residuals` the problem it makes, `Linear` the residuals'
linear model around a point, on which every step is made. Imports the compiler, the transforms, the search.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..compiler.quick import quick
from ..transforms.directional import jvp
from ..transforms.hessian import hessian
from ..transforms.jacobian import jacobian
from .problem import Point, Problem
from .search import Search
from .stopping import EPSILON, Stop

__all__ = ["Fit", "Linear", "Residuals", "Squares", "levenberg_marquardt", "residuals_of", "triangle"]

ACCEPT = 1e-4  # of the promised decrease
POOR, GOOD = 0.25, 0.75
PATIENCE = 10  # steps, after which the curvature of the path is asked for
STRAIGHT = 0.75  # of the step: a bend that is longer is not believed
LAST = 1e-28  # of the value: what a Newton step promises that is the last
CHUNK = 1024  # rows factored at a time, so that they stay in the cache


def residuals_of(f: Callable[..., Any], x: Any, args: tuple[Any, ...]) -> Any:
    """The residuals `f(x, *args)` as one vector."""
    r = f(x, *args)
    if r is None:
        name = getattr(f, "__name__", "f")
        raise TypeError(f"{name} returned None: least squares needs residuals, an array; is its `return` missing?")
    if isinstance(r, (list, tuple)):
        r = np.stack(r)
    return np.ravel(r)


class Squares:
    """Residuals `f(x, *args)` with their Jacobian and their curvature, compiled where that pays.

    What asks for them again and again holds one of these; handed to `minimize` in place of a function, it keeps what
    was compiled.
    """

    residuals: Callable[..., Any]
    jacobian: Callable[..., Any]
    curvature: Callable[..., Any]
    bend: Callable[..., Any]

    def __init__(self, f: Callable[..., Any]) -> None:
        if not callable(f):
            raise TypeError(f"f is {type(f).__name__}: it must be a function of the parameters that returns residuals")

        def residuals(x: Any, *args: Any) -> Any:
            return residuals_of(f, x, args)

        self.f = f
        self.residuals = quick(residuals)
        self.jacobian = quick(jacobian(residuals))
        self.curvature = quick(hessian(lambda x, r, *args: np.sum(r * residuals(x, *args))))
        """The second derivatives of the residuals, each times a number: of (x, numbers, *args)."""

        def along(x: Any, v: Any, *args: Any) -> Any:
            return jvp(lambda z: residuals(z, *args), (x,), (v,))[1]

        self.bend = quick(lambda x, v, *args: jvp(lambda z: along(z, v, *args), (x,), (v,))[1])
        """The second derivative of the residuals in a direction: of (x, direction, *args)."""

    def __call__(self, x: Any, *args: Any) -> Any:
        return self.f(x, *args)

    def held(self, at: np.ndarray, free: np.ndarray) -> "Squares":
        """The same as a function of the `free` elements, the others staying as in `at`; nothing is compiled anew."""
        other = object.__new__(Squares)

        def whole(v: np.ndarray, x: np.ndarray = at) -> np.ndarray:
            x = x.copy()
            x[free] = v
            return x

        zero = np.zeros_like(at)
        other.f = lambda v, *args: self.f(whole(v), *args)
        other.residuals = lambda v, *args: self.residuals(whole(v), *args)
        other.jacobian = lambda v, *args: self.jacobian(whole(v), *args)[:, free]
        other.curvature = lambda v, r, *args: self.curvature(whole(v), r, *args)[np.ix_(free, free)]
        other.bend = lambda v, p, *args: self.bend(whole(v), whole(p, zero), *args)
        return other


class Fit(Point):
    """A point with its residuals and their Jacobian."""

    __slots__ = ("jacobian", "residuals")

    def __init__(self, x: np.ndarray, residuals: np.ndarray, J: np.ndarray) -> None:
        super().__init__(x, 0.5 * float(residuals @ residuals), residuals @ J)
        self.residuals, self.jacobian = residuals, J


class Residuals(Problem):
    """Half the sum of squared residuals of `f(x, *args)`."""

    def __init__(self, f: Any, x0: Any, args: tuple[Any, ...] = ()) -> None:
        given = f if isinstance(f, Squares) else Squares(f)

        def half(x: Any, *a: Any) -> Any:
            return np.sum(residuals_of(given.f, x, a) ** 2) / 2

        half.__name__ = getattr(given.f, "__name__", "f")
        super().__init__(half, x0, args)
        tree = self.parameters.traced
        self._squares = given if self.parameters.plain else Squares(lambda x, *a: given.f(tree(x), *a))

    def at(self, x: np.ndarray, args: tuple[Any, ...] | None = None) -> Point:
        """Residuals and Jacobian at `x`; a value of +inf where they are not finite."""
        r = self.residuals(x)
        return (None if r is None else self.linearized(x, r)) or Point(x, math.inf, None)

    def residuals(self, x: np.ndarray) -> np.ndarray | None:
        """The residuals; None where they, or their squares, are not finite."""
        self.nfev += 1
        try:
            with np.errstate(all="ignore"):
                r = np.asarray(self._squares.residuals(x.copy(), *self.args), dtype=np.float64)
                finite = math.isfinite(float(r @ r))
        except np.linalg.LinAlgError as e:
            self._refuse(x, f"LinAlgError: {e}")
            return None
        if not finite:
            bad = np.flatnonzero(~np.isfinite(r))
            self._refuse(x, f"residual {bad[0]} is {r[bad[0]]:g}" if bad.size else "the sum of squares is inf")
            return None
        return r

    def linearized(self, x: np.ndarray, r: np.ndarray) -> Fit | None:
        """The point of residuals `r`; None where the Jacobian is not finite."""
        self.njev += 1
        with np.errstate(all="ignore"):
            J = np.asarray(self._squares.jacobian(x.copy(), *self.args), dtype=np.float64).reshape(-1, self.n)
            point = Fit(x, r, J)
            finite = np.isfinite(lengths(J)).all() and np.isfinite(point.gradient).all()
        if not finite:
            self._refuse(x, "a derivative of a residual is not finite")
            return None
        if self.best is None or point.value < self.best.value:
            self.best = point
        return point

    def bend(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """The second derivative of the residuals in the direction p."""
        self.nhev += 1
        with np.errstate(all="ignore"):
            return np.asarray(self._squares.bend(x.copy(), p, *self.args), dtype=np.float64)

    def curvature_at(self, point: Fit) -> np.ndarray:
        """What the Hessian has beyond J'J: the residuals' second derivatives, each times its residual."""
        self.nhev += 1
        with np.errstate(all="ignore"):
            S = np.asarray(self._squares.curvature(point.x.copy(), point.residuals, *self.args), dtype=np.float64)
        return 0.5 * (S + S.T)


def lengths(J: np.ndarray) -> np.ndarray:
    """The length of each column."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->j", J, J)))


def triangle(A: np.ndarray) -> np.ndarray:
    """R of A = QR; of many rows, chunk by chunk."""
    n, k = A.shape
    if n >= 4 * CHUNK and k < CHUNK // 4:
        whole = n // CHUNK * CHUNK
        parts = np.asarray(np.linalg.qr(A[:whole].reshape(-1, CHUNK, k), mode="r"))
        A = np.concatenate([parts.reshape(-1, k), A[whole:]])
    return np.asarray(np.linalg.qr(A, mode="r"))


class Linear:
    """Residuals r + J p as r + U diag(s) V (scale p), and a = U'r: the singular values tell what the data determine.

    Directions whose singular value is rounding error have no part in it.
    """

    def __init__(self, r: np.ndarray, J: np.ndarray, scale: np.ndarray) -> None:
        k = J.shape[1]
        R = triangle(np.column_stack([J / scale, r]))
        U, s, V = np.linalg.svd(R[:k, :k], full_matrices=False)
        good = s > max(k, 10) * EPSILON * s.max(initial=0.0)
        self.s, self.V, self.a, self.scale = s[good], V[good], U.T[good] @ R[: len(U), k], scale

    def step(self, radius: float) -> "Step":
        """The step within ‖scale p‖ ≤ radius.

        The damping λ ≥ 0 of c = -s a / (s² + λ) is found by Newton's method on 1 / ‖c‖ (Moré 1978), to a tenth.
        """
        s, a = self.s, self.a
        c, damping = -a / s, 0.0
        for _ in range(100):
            length = float(np.linalg.norm(c))
            if length <= (1.1 if damping else 1.0) * radius:
                break
            damping += (length / radius - 1) * length**2 / float(c @ (c / (s**2 + damping)))
            c = -s * a / (s**2 + damping)
        promised = -float((s * a) @ c) - 0.5 * float(np.sum((s * c) ** 2))
        return Step(c @ self.V / self.scale, float(np.linalg.norm(c)), promised, damping)

    def bent(self, step: "Step", slope: np.ndarray) -> np.ndarray | None:
        """What the path's curvature adds to a step; None where that is not small beside it.

        `slope` is J' times the residuals' second derivative along the step.
        """
        c = -0.5 * (self.V @ (slope / self.scale)) / (self.s**2 + step.damping)
        small = float(np.linalg.norm(c)) <= 0.5 * STRAIGHT * step.length
        return np.asarray(c @ self.V / self.scale) if small else None

    @property
    def whitening(self) -> np.ndarray:
        """The matrix T with p = T z for which J T has orthonormal columns, shape (k, rank)."""
        return np.asarray((self.V / self.s[:, None] / self.scale).T)


class Step(NamedTuple):
    """p, ‖scale p‖, the decrease it promises, and the damping: above 0 at the edge of the trust region."""

    p: np.ndarray
    length: float
    promised: float
    damping: float


def levenberg_marquardt(
    problem: Residuals,
    start: Fit,
    search: Search,
    *,
    initial_trust_radius: float | None = None,
    to_the_last_digit: bool = True,
) -> Stop:
    """Minimize half the sum of squared residuals.

    Parameters
    ----------
    initial_trust_radius : float
        By default the length of the parameters, each in units of its column of the Jacobian.
    to_the_last_digit : bool
        Whether it ends with Newton steps; without, `ftol` says how exact it is.

    Notes
    -----
    Gauss-Newton steps in a trust region, whose shape is that of the longest columns of the Jacobian so far, so that no
    unit of a parameter matters (Moré 1978). Where it takes many, the sum of squares has a narrow valley: then each step
    is tried both straight and bent as the valley is, by the residuals' second derivative along it (Transtrum and Sethna
    2012), and the lower is taken. They end when the next one would lower the value by no more than `ftol` of it; then
    Newton steps go to the last digit.
    """
    point = start
    scale = _units(point.jacobian)
    model = Linear(point.residuals, point.jacobian, scale)
    radius = initial_trust_radius or float(np.linalg.norm(scale * point.x)) or 1.0
    if not 0 < radius < math.inf:
        raise ValueError(f"initial_trust_radius={radius!r}: it is a number above 0")
    while True:
        step = model.step(radius)
        if not step.damping and step.promised <= search.tolerances.ftol * point.value:
            if not to_the_last_digit:
                return search.stop("decrement", point, decrement=step.promised)
            return _to_the_last_digit(problem, point, search, "decrement", step.promised)
        x, r = _trial(problem, point, model, step, search.nit >= PATIENCE)
        gain = -math.inf if r is None else point.value - 0.5 * float(r @ r)
        kept = gain / step.promised if step.promised > 0 else -math.inf
        new = problem.linearized(x, r) if r is not None and kept > ACCEPT else None
        if new is None or kept < POOR:
            radius = min(radius, step.length) * (0.1 if r is None else 0.25)
        if new is not None:
            point = new
            scale = np.maximum(scale, lengths(point.jacobian))
            if kept > GOOD:
                radius = max(radius, 2 * float(np.linalg.norm(scale * step.p)))
            model = Linear(point.residuals, point.jacobian, scale)
            stop = search.step(point)
            if stop is not None:
                return stop
        elif radius <= EPSILON * max(float(np.linalg.norm(scale * point.x)), 1e-100) or not step.promised > 0:
            return _stuck(problem, point, search, model)


def _trial(
    problem: Residuals, point: Fit, model: Linear, step: Step, bends: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Where a step leads, and the residuals there: straight, or bent where that is lower."""
    x = point.x + step.p
    r = problem.residuals(x)
    if not (bends and step.damping):
        return x, r
    more = model.bent(step, problem.bend(point.x, step.p) @ point.jacobian)
    bent = None if more is None else problem.residuals(x + more)
    if more is None or bent is None or (r is not None and not bent @ bent < r @ r):
        return x, r
    return x + more, bent


def _stuck(problem: Residuals, point: Fit, search: Search, model: Linear) -> Stop:
    """No step lowers the value: by rounding, where the whole step promises no more than rounding does to it."""
    gain = 0.5 * float(model.a @ model.a)
    rounding = 100 * EPSILON * float(np.linalg.norm(model.scale * point.x))
    if gain <= max(1e-8 * point.value, rounding**2):
        return _to_the_last_digit(problem, point, search, "rounding", gain)
    return search.stop("no descent", point)


def _to_the_last_digit(problem: Residuals, point: Fit, search: Search, rule: str, decrement: float) -> Stop:
    """Newton steps as long as each promises less than a quarter of the one before.

    In coordinates in which J has orthonormal columns the Hessian is I + B, so that no digit is lost to its condition. B
    is that of the first point: the last steps are so short that it does not change.
    """
    S = problem.curvature_at(point)
    best, least = point, math.inf
    for _ in range(10):
        T = Linear(point.residuals, point.jacobian, _units(point.jacobian)).whitening
        H, g = np.eye(T.shape[1]) + T.T @ S @ T, T.T @ point.gradient
        if not np.isfinite(H).all() or np.linalg.eigvalsh(H).min(initial=1.0) <= 0:
            break
        z = -np.linalg.solve(H, g)
        promised = -0.5 * float(g @ z)
        if not promised < 0.25 * least:
            break
        best, least = point, promised
        if promised <= LAST * point.value:
            break
        r = problem.residuals(point.x + T @ z)
        new = None if r is None else problem.linearized(point.x + T @ z, r)
        if new is None or new.value > point.value * (1 + 1e-6):
            break
        point = new
    if best is not search.point:
        stop = search.step(best)
        if stop is not None and stop.rule == "callback":
            return stop
    return search.stop(rule, best, decrement=min(decrement, least))


def _units(J: np.ndarray) -> np.ndarray:
    d = lengths(J)
    return np.where(d > 0, d, 1.0)
