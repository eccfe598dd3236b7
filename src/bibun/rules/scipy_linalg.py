"""Functions of scipy.linalg: equations and Cholesky's factors.

LU and QR are in scipy_factors.py, functions of matrices and equations of matrices in matrix_functions.py.

SciPy's names and arguments (`overwrite_…` is never done, `check_finite` has no effect); arrays give arrays, Variables
give Variables. scipy.linalg is loaded by the first call that needs it. Imports core and the rules of np.linalg.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.domains import lower as lower_triangular
from ..core.domains import spd, static, well
from ..core.rule import Rule
from ..core.words import composite, general
from ..typing import Array
from .products import as_array, fitting, transposed
from .triangular import adjoint, cholesky_factor, hermitian, triangle, triangular

__all__ = ["cho_factor", "cho_solve", "cholesky", "solve", "solve_banded", "solve_triangular"]

TRANSPOSES = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}


def floating(x: Array, name: str) -> Array:
    """`x` with `shape` and a floating dtype."""
    x = as_array(x, name)
    return x if x.dtype.kind in "fc" else x.astype(np.float64)


def column(b: Array) -> Array:
    """A vector as a matrix of one column."""
    return b[:, None] if b.ndim == 1 else b


def like_right_side(x: Array, b: Array) -> Array:
    """The solution as a vector, if the right side was one."""
    return x[..., 0] if b.ndim == 1 else x


def solve_triangular(
    a: Array,
    b: Array,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """Solve a·x = b with one triangle of `a`.

    Parameters
    ----------
    a : array_like or Variable, shape (..., n, n)
        Only one triangle is read; the derivative in the other is zero.
    b : array_like or Variable, shape (n,) or (..., n, k)
    trans : {0, 1, 2, "N", "T", "C"}
        1 solves aᵀ·x = b, 2 aᴴ·x = b.
    lower, unit_diagonal : bool
        Which triangle; whether its diagonal is ones and not read.

    Returns
    -------
    x : array or Variable, shape of `b`

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.linalg import solve_triangular
    >>> L, b = np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([2.0, 3.0])
    >>> solve_triangular(L, b, lower=True).tolist()
    [1.0, 2.0]
    >>> bb.grad(lambda L: np.sum(solve_triangular(L, b, lower=True) ** 2))(L).tolist()
    [[1.0, 0.0], [-4.0, -8.0]]
    """
    a, b = floating(a, "solve_triangular"), floating(b, "solve_triangular")
    kind = TRANSPOSES[trans]
    a = a if kind == 0 else transposed(a) if kind == 1 else adjoint(a)
    return like_right_side(triangular(a, column(b), bool(lower) != (kind > 0), bool(unit_diagonal)), b)


def cholesky(a: Array, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The Cholesky factor, from the triangle that `lower` names: a = l·lᴴ if `lower`, uᴴ·u otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.linalg import cholesky
    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]])).tolist()
    [[2.0, 1.0], [0.0, 2.0]]
    """
    a = floating(a, "cholesky")
    return cholesky_factor(a) if lower else adjoint(cholesky_factor(adjoint(a)))


def cho_factor(
    a: Array, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Array, bool]:
    """The Cholesky factor and which triangle it is, for `cho_solve`; the other triangle is zero."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Array, bool], b: Array, overwrite_b: bool = False, check_finite: bool = True) -> Array:
    """Solve a·x = b, given the Cholesky factor of `a`.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.linalg import cho_factor, cho_solve
    >>> np.round(cho_solve(cho_factor(np.array([[4.0, 2.0], [2.0, 5.0]])), np.array([6.0, 7.0])), 12).tolist()
    [1.0, 1.0]
    """
    c, lower = c_and_lower
    x = solve_triangular(c, b, trans=0 if lower else 2, lower=lower)
    return solve_triangular(c, x, trans=2 if lower else 0, lower=lower)


SYMMETRIC = {"sym", "symmetric", "her", "hermitian", "pos", "positive definite"}


def solve(
    a: Array,
    b: Array,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Array:
    """Solve a·x = b; with `assume_a` symmetric, Hermitian or positive definite, only one triangle of `a` is read.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.linalg import solve
    >>> solve(np.array([[4.0, 9.0], [2.0, 5.0]]), np.array([6.0, 7.0]), assume_a="pos").shape
    (2,)
    """
    a, b = floating(a, "solve"), floating(b, "solve")
    if assume_a in SYMMETRIC:
        if a.dtype.kind == "c" and assume_a in ("sym", "symmetric"):
            half = triangle(a, lower)
            a = half + np.swapaxes(triangle(a, lower, strict=True), -1, -2)
        else:
            a = hermitian(a, lower)
    elif assume_a in ("upper triangular", "lower triangular"):
        a = triangle(a, lower=assume_a.startswith("lower"))
    return np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b)


# --- banded equations -----------------------------------------------------------------------------------------------


def shifted(bands: int, n: int, by: Any, x: Array) -> Array:
    """x[..., by(d, j)] for each band d and column j, zero outside; `x` has one row a band, or is one vector."""
    d, j = np.arange(bands)[:, None], np.arange(n)[None, :]
    rows, columns = by(d, j)
    inside = (columns >= 0) & (columns < n)
    columns = np.clip(columns, 0, max(n - 1, 0))
    if rows is None:
        picked = x[columns]
        return np.where(inside[..., None], picked, 0)
    return np.where(inside, x[rows, columns], 0)


def banded_run(ab: Array, b: Array, low: int, up: int) -> Array:
    """SciPy's solution."""
    from scipy.linalg import solve_banded as solved

    return solved((low, up), ab, b, check_finite=False)


def banded_product(ab: Array, x: Array, low: int, up: int) -> Array:
    """The banded matrix times a matrix: row i sums ab[d, i - d + up]·x[i - d + up]."""
    n, k = x.shape[0], low + up + 1
    entries = shifted(k, n, lambda d, j: (d, j - d + up), ab)
    return np.sum(entries[..., None] * shifted(k, n, lambda d, j: (None, j - d + up), x), axis=0)


def banded_transpose(ab: Array, low: int, up: int) -> Array:
    """The bands of the transpose: it has `up` below and `low` above."""
    return shifted(low + up + 1, ab.shape[1], lambda d, j: (low + up - d, j + d - low), ab)


def banded_back(g: Array, y: Array, ab: Array, b: Array, low: int, up: int) -> Array:
    """The cotangent of the bands: -gb at the row times y at the column."""
    g = _banded(banded_transpose(ab, low, up), g, up, low)
    rows = shifted(low + up + 1, ab.shape[1], lambda d, j: (None, j + d - up), g)
    return fitting(-np.sum(rows * y, axis=-1), ab)


def bands(low: int, up: int, n: int) -> Any:
    """A well-conditioned banded matrix."""

    def draw(rng: np.random.Generator) -> Array:
        ab = rng.normal(size=(low + up + 1, n))
        ab[up] += 5
        return ab

    return draw


_banded: Rule = general(
    banded_run, register=False, name="banded",
    jvp=(lambda t, y, ab, b, low, up: -_banded(ab, banded_product(t, y, low, up), low, up),
         lambda t, y, ab, b, low, up: _banded(ab, t, low, up)),
    vjp=(banded_back,
         lambda g, y, ab, b, low, up: fitting(_banded(banded_transpose(ab, low, up), g, up, low), b)),
    cases=[(bands(1, 1, 5), (5, 2), static(1), static(1)), (bands(2, 1, 4), (4, 1), static(2), static(1)),
           (bands(0, 2, 4), (4, 1), static(0), static(2))],
)  # fmt: skip
_banded.func = _banded


def solve_banded(
    l_and_u: tuple[int, int],
    ab: Array,
    b: Array,
    overwrite_ab: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """Solve a·x = b with a banded `a`, its diagonals the rows of `ab`: ab[u + i - j, j] = a[i, j].

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.linalg import solve_banded
    >>> ab = np.array([[0.0, 1.0, 1.0], [4.0, 4.0, 4.0], [1.0, 1.0, 0.0]])
    >>> np.round(solve_banded((1, 1), ab, np.array([5.0, 6.0, 5.0])), 12).tolist()
    [1.0, 1.0, 1.0]
    """
    ab, b = floating(ab, "solve_banded"), floating(b, "solve_banded")
    low, up = l_and_u
    return like_right_side(_banded(ab, column(b), int(low), int(up)), b)


# fmt: off
composite(solve_triangular, solve_triangular, cases=[
    (lower_triangular(3), (3,), dict(lower=True)), (spd(3), (3, 2)),
    (spd(3), (3,), dict(trans="T", unit_diagonal=True)),
    (spd(3, 2), (2, 3, 1), dict(lower=True, trans=1)), (lower_triangular(33), (33,), dict(lower=True))])
composite(cholesky, cholesky, cases=[(spd(3),), (spd(3, 2), dict(lower=True))])
composite(solve, solve, name="scipy_solve", cases=[
    (well(3), (3,)), (spd(3), (3, 2), dict(assume_a="pos")), (spd(3), (3,), dict(assume_a="sym", lower=True)),
    (well(3), (3,), dict(transposed=True)), (well(3), (3,), dict(assume_a="upper triangular"))])
composite(solve_banded, solve_banded, cases=[(static((1, 1)), bands(1, 1, 5), (5,)),
                                             (static((2, 0)), bands(2, 0, 4), (4, 2))])
# fmt: on
