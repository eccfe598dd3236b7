"""LU and QR under scipy.linalg's names: row and column exchanges are LAPACK's and count as fixed in derivatives.

scipy.linalg is loaded by the first call that needs it. Imports core, scipy_linalg and the rules of np.linalg.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dispatch import function
from ..core.domains import lower as lower_triangular
from ..core.domains import static, well
from ..core.rule import Rule
from ..core.words import composite, constant, general
from ..errors import MissingRule
from ..typing import Array
from .indexing import take
from .products import as_array, transposed
from .scipy_linalg import floating, solve_triangular
from .triangular import triangular

__all__ = ["lu", "lu_factor", "lu_solve", "qr"]

# --- LU -------------------------------------------------------------------------------------------------------------


def lu_run(a: Array) -> tuple[Array, Array]:
    """The factors of a square matrix whose rows are already in the order of their pivots."""
    from scipy.linalg import lu as factorised

    _, left, right = factorised(a)
    return left, right


def lu_push(t: Array, y: Any, a: Array) -> tuple[Array, Array]:
    """With M = l⁻¹ dA u⁻¹: dl = l·(M below the diagonal), du = (the rest of M)·u."""
    left, right = y
    m = triangular(left, t, True, True)
    m = transposed(triangular(transposed(right), transposed(m), True, False))
    return left @ np.tril(m, -1), np.triu(m) @ right


_lu: Rule = general(
    lu_run, lu_push, register=False, name="lu", outputs=lambda left, right: (left, right),
    cases=[(lambda rng: lower_triangular(3)(rng) + 0.3 * np.triu(rng.normal(size=(3, 3)), 1) + 5 * np.eye(3),)],
    source="de Hoog, Anderssen & Lukas 2011",
)  # fmt: skip
_lu.func = _lu


@function
def pivots_of(a: Array) -> Array:
    """LAPACK's row exchanges, one after another."""
    from scipy.linalg import lu_factor as factorised

    return factorised(a, check_finite=False)[1] if a.size else np.arange(min(a.shape))


@function
def row_order(pivots: Array, m: int) -> Array:
    """The order in which these exchanges leave `m` rows."""
    order = np.arange(m)
    for i, k in enumerate(pivots):
        order[[i, k]] = order[[k, i]]
    return order


@function
def column_order(a: Array) -> Array:
    """The order of the columns in LAPACK's pivoted QR."""
    from scipy.linalg import qr as factorised

    return factorised(a, mode="r", pivoting=True)[1]


constant(pivots_of, row_order, column_order)


def pivoted(a: Array) -> tuple[Array, Array, Array, Array]:
    """Row order, l, u of a matrix of any shape, and LAPACK's pivots."""
    m, n = a.shape
    pivots = pivots_of(a)
    order = row_order(pivots, m)
    k = min(m, n)
    a = take(a, order, 0)
    left, right = _lu(a[:k, :k])
    if m > k:
        below = triangular(transposed(right), transposed(a[k:]), True, False)
        left = np.concatenate([left, transposed(below)], axis=0)
    if n > k:
        right = np.concatenate([right, triangular(left, a[:, k:], True, True)], axis=1)
    return order, left, right, pivots


def lu(
    a: Array, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> tuple[Array, ...]:
    """a = p·l·u with row exchanges, which count as fixed in derivatives."""
    a = floating(a, "lu")
    order, left, right, _ = pivoted(a)
    back = np.argsort(order)
    if permute_l:
        return take(left, back, 0), right
    eye = np.eye(a.shape[0], dtype=np.finfo(a.dtype).dtype)
    return back if p_indices else take(eye, back, 0), left, right


def lu_factor(a: Array, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Array, Array]:
    """l and u in one matrix, and the row exchanges, for `lu_solve`."""
    a = floating(a, "lu_factor")
    _, left, right, pivots = pivoted(a)
    m, n = a.shape
    below = np.tril(left, -1)
    if m > n:
        return np.concatenate([below[:n] + right, below[n:]], axis=0), pivots
    packed = below + right[:, :m]
    return (np.concatenate([packed, right[:, m:]], axis=1) if n > m else packed), pivots


def lu_solve(
    lu_and_piv: tuple[Array, Array], b: Array, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True
) -> Array:
    """Solve a·x = b, given `lu_factor(a)`; `trans=1` solves with aᵀ, 2 with aᴴ.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.linalg import lu_factor, lu_solve
    >>> np.round(lu_solve(lu_factor(np.array([[1.0, 2.0], [3.0, 4.0]])), np.array([3.0, 7.0])), 12).tolist()
    [1.0, 1.0]
    """
    packed, pivots = lu_and_piv
    order = row_order(pivots, packed.shape[0])
    if not trans:
        y = solve_triangular(packed, take(as_array(b, "lu_solve"), order, 0), lower=True, unit_diagonal=True)
        return solve_triangular(packed, y)
    y = solve_triangular(packed, b, trans=trans)
    y = solve_triangular(packed, y, trans=trans, lower=True, unit_diagonal=True)
    return take(y, np.argsort(order), 0)


def qr(
    a: Array,
    overwrite_a: bool = False,
    lwork: int | None = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> tuple[Array, ...] | Array:
    """a = q·r; with `pivoting`, a[:, p] = q·r for the columns in LAPACK's order, which counts as fixed."""
    a = floating(a, "qr")
    names = {"full": "complete", "economic": "reduced", "r": "r"}
    if mode not in names:
        raise MissingRule(f"bibun.linalg.qr(mode={mode!r}): use mode='full', 'economic' or 'r'")
    p: tuple[Array, ...] = ()
    if pivoting:
        p = (column_order(a),)
        a = take(a, p[0], 1)
    if mode == "r":
        return (full_rows(np.linalg.qr(a, mode="r"), a.shape[0]), *p)
    return (*np.linalg.qr(a, mode=names[mode]), *p)  # type: ignore[call-overload]


def full_rows(r: Array, m: int) -> Array:
    """`r` with rows of zeros below to `m` rows."""
    missing = m - r.shape[0]
    return np.concatenate([r, np.zeros((missing, r.shape[1]), r.dtype)], axis=0) if missing > 0 else r


# fmt: off
composite(lu, lu, name="scipy_lu", cases=[(well(3), dict(permute_l=True)), ((4, 2), dict(permute_l=True)),
                                          ((2, 3), dict(permute_l=True))])
composite(qr, qr, name="scipy_qr", cases=[((4, 2), dict(mode="economic")), ((3, 2),)])
# as the laws can call them: no whole numbers among the results
DEFINED: list[tuple[str, Callable[..., Any], list[Any]]] = [
    ("lu_solve", lambda a, b, trans: lu_solve(lu_factor(a), b, trans),
     [((3, 3), (3,), static(0)), (well(3), (3, 2), static(1)), (well(2), (2,), static(2))]),
    ("pivoted_qr", lambda a: qr(a, mode="economic", pivoting=True)[:2], [((4, 3),), ((3, 3),)]),
    ("lu_factors", lambda a: lu(a)[1:], [((3, 3),), ((4, 2),), ((2, 3),)]),
]
for _name, _f, _cases in DEFINED:
    composite(_f, _f, name=_name, cases=_cases)
# fmt: on
