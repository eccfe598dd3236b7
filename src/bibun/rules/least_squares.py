"""The pseudo-inverse and least squares, for matrices of any constant rank.

G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
separate" (1973). Imports core, products and triangular.
"""

from typing import Any

import numpy as np

from ..core.dispatch import answers, function
from ..core.graph import Node
from ..core.words import constant, general
from ..typing import Array
from .products import as_array, conjugated, fitting, transposed
from .triangular import adjoint, hermitian

SOURCE = "Golub & Pereyra 1973"


def pinv_push(t: Array, y: Array, a: Array, rcond: Any = None) -> Array:
    """dP = -P dA P + P Pᴴ dAᴴ (1 - aP) + (1 - Pa) dAᴴ Pᴴ P."""
    th, yh = adjoint(t), adjoint(y)
    left, right = (y @ yh) @ th, th @ (yh @ y)
    return -(y @ t @ y) + left - (left @ a) @ y + right - y @ (a @ right)


def pinv_pull(g: Array, y: Array, a: Array, rcond: Any = None) -> Array:
    """The transpose, term by term."""
    yc, yt, ac = conjugated(y), transposed(y), conjugated(a)
    gh = adjoint(g)
    left, right = gh @ (yc @ yt), (yt @ yc) @ gh
    return fitting(-(yt @ g @ yt) + left - ac @ (yc @ left) + right - (right @ yc) @ ac, a)


_pinv = general(
    np.linalg.pinv, pinv_push, pinv_pull, register=False, source=SOURCE,
    run=lambda a, rcond: np.linalg.pinv(a) if rcond is None else np.linalg.pinv(a, rcond),
    cases=[((4, 3),), ((2, 3),), ((3, 3),), ((2, 3, 2),), ((0, 2),)],
)  # fmt: skip


@answers(np.linalg.pinv)
def pinv(a: Array, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Array:
    """np.linalg.pinv."""
    a = as_array(a, "pinv")
    if rcond is None and rtol is not np._NoValue:
        rcond = np.finfo(np.result_type(a.dtype, np.float32)).eps * max(a.shape[-2:]) if rtol is None else rtol
    return _pinv(from_lower(a) if hermitian else a, rcond)


def from_lower(a: Array) -> Array:
    """The Hermitian matrix in the lower triangle of `a`."""
    return hermitian(a, lower=True)


# --- lstsq ----------------------------------------------------------------------------------------------------------


def lstsq_push(t: Array, y: Array, a: Array, b: Array, cutoff: float) -> Array:
    """dx = -P dA x + P Pᴴ dAᴴ (b - a x) + (1 - Pa) dAᴴ Pᴴ x."""
    p = np.linalg.pinv(a, cutoff)
    th, ph = adjoint(t), adjoint(p)
    right = th @ (ph @ y)
    return p @ (ph @ (th @ (b - a @ y)) - t @ y) + right - p @ (a @ right)


def lstsq_pull(g: Array, y: Array, a: Array, b: Array, cutoff: float) -> Array:
    """The transpose, term by term."""
    p = np.linalg.pinv(a, cutoff)
    pt, pc, ac = transposed(p), conjugated(p), conjugated(a)
    residual = b - a @ y
    pg = pt @ g
    gc = conjugated(g)
    free = gc - transposed(ac) @ (transposed(pc) @ gc)
    return fitting(
        -(pg @ transposed(y))
        + conjugated(residual) @ transposed(p @ conjugated(pg))
        + (pt @ conjugated(y)) @ transposed(free),
        a,
    )


_lstsq = general(
    lambda a, b: tuple(part for k, part in enumerate(np.linalg.lstsq(a, b)) if k != 2), register=False, source=SOURCE,
    jvp=(lstsq_push, lambda t, y, a, b, cutoff: np.linalg.pinv(a, cutoff) @ t),
    vjp=(lstsq_pull, lambda g, y, a, b, cutoff: fitting(transposed(np.linalg.pinv(a, cutoff)) @ g, b)),
    name="lstsq", run=lambda a, b, cutoff: np.linalg.lstsq(a, b, cutoff)[0],
    cases=[((5, 2), (5,)), ((5, 2), (5, 3)), ((2, 4), (2,)), ((3, 3), (3, 1))],
)  # fmt: skip


@function
def rank_of(a: Array, b: Array, rcond: float | None) -> Any:
    """The rank np.linalg.lstsq finds."""
    return np.linalg.lstsq(a, b, rcond)[2]


constant(rank_of)


@answers(np.linalg.lstsq)
def lstsq(a: Array, b: Array, rcond: float | None = None) -> tuple[Any, ...]:
    """np.linalg.lstsq: solution, sums of squared residuals, rank, singular values.

    The sums are an empty array where the rank is deficient; while recording for other values they are NaN there.
    """
    a, b = as_array(a, "lstsq"), as_array(b, "lstsq")
    rank = rank_of(a, b, rcond)
    recorded = isinstance(rank, Node)
    cutoff = np.finfo(np.result_type(a.dtype, np.float32)).eps * max(a.shape) if rcond is None else rcond
    x = _lstsq(a, b[:, None] if b.ndim == 1 else b, cutoff)
    residuals = (b[:, None] if b.ndim == 1 else b) - a @ x
    squared = np.sum(np.real(conjugated(residuals) * residuals), axis=0)
    if a.shape[1] >= a.shape[0]:
        squared = squared[:0]
    elif recorded:
        squared = np.where(np.equal(rank, a.shape[1]), squared, np.nan)
    elif rank < a.shape[1]:
        squared = squared[:0]
    return x[:, 0] if b.ndim == 1 else x, squared, rank, np.linalg.svdvals(a)
