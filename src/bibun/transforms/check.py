"""`check_grads`: the derivatives of a function against differences of its values, with a report one can read.

Imports gradient, directional.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.graph import Node
from ..core.tree import flatten
from .directional import jvp
from .gradient import vjp

__all__ = ["check_grads"]


def check_grads(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    rtol: float = 1e-5,
    atol: float = 1e-7,
    step: float = 1e-3,
    seed: int = 0,
) -> None:
    """Check the derivatives of `f` at `args` by difference quotients, in random directions.

    Forward and reverse mode, and each of them again on the other up to `order`.

    Parameters
    ----------
    f : callable
        Its value an array, or nested dicts, lists and tuples of them.
    *args : array_like or nested
    order : int
        How many derivatives to check.
    rtol, atol : float
        A tangent may differ from the difference quotient by `atol + rtol * size`, where `size` is that of the tangent.
    step : float
        The longest step of the six-point quotient, relative to the size of the arguments.
    seed : int
        Of the random directions.

    Raises
    ------
    AssertionError
        With the mode, the order, the worst element, both numbers and the step.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> bb.check_grads(lambda x: np.exp(-x**2), np.array([0.5, 1.0]))
    """
    rng = np.random.default_rng(seed)
    leaves, rebuild = _arguments(args)
    _check(lambda *xs: flatten(f(*rebuild(list(xs))))[0], leaves, order, "", rtol, atol, step, rng)


def _arguments(args: tuple[Any, ...]) -> tuple[list[np.ndarray], Callable[[list[Any]], list[Any]]]:
    parts = [flatten(a) for a in args]
    leaves = [np.asarray(v._data if isinstance(v, Node) else v) for ls, _ in parts for v in ls]
    leaves = [v.astype(np.float64) if v.dtype.kind in "biu" else v for v in leaves]

    def rebuild(values: list[Any]) -> list[Any]:
        out, k = [], 0
        for ls, put in parts:
            out.append(put(values[k : k + len(ls)]))
            k += len(ls)
        return out

    return leaves, rebuild


def _check(
    f: Any, xs: list[np.ndarray], order: int, path: str, rtol: float, atol: float, step: float, rng: Any
) -> None:
    ts = [_direction(x, rng) for x in xs]
    ys, pushed = jvp(f, xs, ts)
    quotients = _quotient(f, xs, ts, step)
    for k, (t, q) in enumerate(zip(pushed, quotients, strict=True)):
        _compare(np.asarray(t), q, f"{path}forward derivative of result {k}", rtol, atol, step)
    gs = [_direction(np.asarray(y), rng) for y in ys]
    back = vjp(f, *xs)[1](gs)
    left = sum(float(np.sum(np.real(g * q))) for g, q in zip(gs, quotients, strict=True))
    right = sum(float(np.sum(np.real(b * t))) for b, t in zip(back, ts, strict=True))
    _compare(
        np.asarray(right), np.asarray(left), f"{path}reverse derivative (cotangents times directions)", rtol, atol, step
    )
    if order > 1:
        _check(
            lambda *z: list(jvp(f, z, ts)[1]),
            xs,
            order - 1,
            f"{path}derivative of the forward derivative: ",
            rtol,
            atol,
            step,
            rng,
        )
        _check(
            lambda *z: list(vjp(f, *z)[1](gs)),
            xs,
            order - 1,
            f"{path}derivative of the reverse derivative: ",
            rtol,
            atol,
            step,
            rng,
        )


def _direction(x: np.ndarray, rng: Any) -> np.ndarray:
    t = rng.standard_normal(x.shape)
    dtype = x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)
    return np.asarray(t + 1j * rng.standard_normal(x.shape) if dtype.kind == "c" else t, dtype)


def _quotient(f: Any, xs: list[np.ndarray], ts: list[np.ndarray], step: float) -> list[np.ndarray]:
    """Central differences at three distances: error of order step⁶."""
    size = max([1.0, *[float(np.max(np.abs(x), initial=0.0)) for x in xs]])
    h = step * size
    total: list[Any] = []
    for weight, k in ((3 / 4, 1), (-3 / 20, 2), (1 / 60, 3)):
        ahead = f(*[x + k * h * t for x, t in zip(xs, ts, strict=True)])
        behind = f(*[x - k * h * t for x, t in zip(xs, ts, strict=True)])
        terms = [weight * (np.asarray(a) - np.asarray(b)) / h for a, b in zip(ahead, behind, strict=True)]
        total = [a + b for a, b in zip(total, terms, strict=True)] if total else terms
    return total


def _compare(ours: np.ndarray, quotient: np.ndarray, what: str, rtol: float, atol: float, step: float) -> None:
    if ours.shape != quotient.shape:
        raise AssertionError(f"{what}: shape {ours.shape}, and the values have shape {quotient.shape}")
    size = float(np.max(np.abs(quotient), initial=0.0))
    off = np.abs(ours - quotient)
    allowed = atol + rtol * size
    if not np.all(off <= allowed):
        where = np.unravel_index(int(np.argmax(np.where(np.isnan(off), np.inf, off))), off.shape) if off.ndim else ()
        raise AssertionError(
            f"{what} differs from the difference quotient at element {tuple(int(i) for i in where)}: "
            f"{ours[where]!s} against {quotient[where]!s} "
            f"(off by {off[where]:.2g}, allowed {allowed:.2g}; step {step:g}). Near a kink or a singularity the "
            "quotient is wrong; elsewhere the derivative is"
        )
