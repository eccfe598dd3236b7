"""Triangles of matrices: taking one, Hermitian matrices read from one, equations with one, the Cholesky factor.

A function that reads one triangle has derivative zero in the other. Formulas: I. Murray, "Differentiation of the
Cholesky decomposition" (2016). Imports core and products.
"""

from typing import Any

import numpy as np

from ..core.broadcast import spread, unbroadcast
from ..core.dispatch import answers
from ..core.domains import lower as lower_triangular
from ..core.domains import spd, static
from ..core.rule import Rule
from ..core.words import general
from ..typing import Array
from .products import as_array, conjugated, fitting, transposed

__all__ = ["adjoint", "cholesky_factor", "halved", "hermitian", "read_back", "triangle", "triangular"]


def adjoint(x: Array) -> Array:
    """The conjugate of the last two axes swapped."""
    return conjugated(transposed(x))


def triangle(x: Array, lower: bool, strict: bool = False) -> Array:
    """One triangle of `x`, without its diagonal if `strict`."""
    return np.tril(x, -1 if strict else 0) if lower else np.triu(x, 1 if strict else 0)


def halved(x: Array, lower: bool) -> Array:
    """One triangle of `x` with half its diagonal: Φ of Murray 2016."""
    n = x.shape[-1]
    mask = np.tri(n, dtype=np.finfo(x.dtype).dtype) - 0.5 * np.eye(n, dtype=np.finfo(x.dtype).dtype)
    return x * (mask if lower else mask.T)


def hermitian(t: Array, lower: bool) -> Array:
    """The Hermitian matrix one reads from a triangle of `t`."""
    t = t if t.dtype.kind in "fc" else t.astype(np.float64)
    half = halved(t, lower)
    return half + adjoint(half)


def read_back(g: Array, lower: bool) -> Array:
    """The transpose of `hermitian`: a cotangent of the whole matrix on the triangle that was read."""
    return halved(g + adjoint(g), lower)


# --- equations ------------------------------------------------------------------------------------------------------

LAPACK_FROM = 32
"""From this size on a triangle is solved by SciPy; loading it costs more than smaller ones."""


def solved(a: Array, b: Array, lower: bool, unit: bool) -> Array:
    """Solve with one triangle of `a`."""
    if a.ndim == b.ndim == 2 and a.shape[0] >= LAPACK_FROM and isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        from scipy.linalg import solve_triangular  # type: ignore[import-untyped,unused-ignore]

        return solve_triangular(a, b, lower=lower, unit_diagonal=unit, check_finite=False)
    full = triangle(a, lower, strict=unit)
    return np.linalg.solve(full + np.eye(a.shape[-1], dtype=a.dtype) if unit else full, b)


triangular: Rule = general(
    solved, register=False, name="triangular",
    jvp=(lambda t, y, a, b, lower, unit: -triangular(a, triangle(t, lower, unit) @ y, lower, unit),
         lambda t, y, a, b, lower, unit: spread(triangular(a, t, lower, unit), y.shape)),
    vjp=(lambda g, y, a, b, lower, unit: triangular_back(g, y, a, lower, unit),
         lambda g, y, a, b, lower, unit: fitting(unbroadcast(triangular(transposed(a), g, not lower, unit), b), b)),
    cases=[(lower_triangular(3), (3, 2), static(True), static(False)), (spd(3), (3, 2), static(False), static(False)),
           (spd(3, 2), (3, 2), static(True), static(True)),
           (lower_triangular(3), (2, 3, 2), static(True), static(False)),
           (lower_triangular(33), (33, 1), static(True), static(False))],
)  # fmt: skip
triangular.func = triangular


def triangular_back(g: Array, y: Array, a: Array, lower: bool, unit: bool) -> Array:
    """The cotangent of the triangle: zero outside it."""
    g = triangular(transposed(a), g, not lower, unit)
    return fitting(unbroadcast(triangle(-(g @ transposed(y)), lower, unit), a), a)


# --- Cholesky -------------------------------------------------------------------------------------------------------


def cholesky_push(t: Array, y: Array, a: Array) -> Array:
    """dL = L·Φ(L⁻¹ dA L⁻ᴴ)."""
    x = triangular(y, hermitian(t, lower=True), True, False)
    return y @ halved(triangular(y, adjoint(x), True, False), lower=True)


def cholesky_pull(g: Array, y: Array, a: Array) -> Array:
    """S = L⁻ᵀ Φ(Lᵀ g) conj(L)⁻¹, on the triangle that was read."""
    p = triangular(transposed(y), halved(transposed(y) @ g, lower=True), False, False)
    s = triangular(adjoint(y), transposed(p), False, False)
    return read_back(transposed(s), lower=True)


cholesky_factor: Rule = general(
    np.linalg.cholesky, cholesky_push, cholesky_pull, register=False, source="Murray 2016",
    cases=[(spd(3),), (spd(2, 2),), (spd(1),), (spd(3), dict(upper=True)), (spd(33),), ((0, 0),)],
)  # fmt: skip


@answers(np.linalg.cholesky)
def cholesky(a: Array, /, *, upper: bool = False) -> Any:
    """np.linalg.cholesky: it reads the lower triangle, or the upper one with `upper`."""
    a = as_array(a, "cholesky")
    return adjoint(cholesky_factor(adjoint(a))) if upper else cholesky_factor(a)
