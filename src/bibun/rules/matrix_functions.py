"""Functions of a matrix, matrix equations and matrices of a given pattern, under the names of scipy.linalg.

The derivative of f(A) in the direction E is a block of f([[A, E], [0, A]]) (R. Mathias, "A chain rule for matrix
functions and applications", 1996), so it can be differentiated as often as one likes. Imports core and the rules of
np.linalg; equations and factorisations are in scipy_linalg.py and scipy_factors.py.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dispatch import holds_node
from ..core.domains import spd, well
from ..core.modes import here, modes
from ..core.rule import Rule
from ..core.words import composite, general
from ..errors import MissingRule
from ..typing import Array
from .products import as_array, conjugated, fitting, transposed
from .scipy_linalg import floating
from .triangular import adjoint

__all__ = ["block_diag", "eigh_tridiagonal", "expm", "logm", "solve_continuous_lyapunov", "solve_discrete_lyapunov",
           "solve_sylvester", "solve_toeplitz", "sqrtm", "toeplitz"]  # fmt: skip

MATHIAS = "Mathias 1996"


def scipys(name: str) -> Callable[..., Array]:
    """A function of scipy.linalg, loaded when called; it computes in double precision and returns the argument's."""

    def run(*args: Array) -> Array:
        import scipy.linalg

        dtype = np.result_type(*args)
        if not all([np.isfinite(a).all() for a in args]):  # SciPy would raise, and a batch has other examples
            return np.full_like(args[-1], np.nan, dtype)
        double = np.result_type(dtype, np.float64)
        y = getattr(scipy.linalg, name)(*[a.astype(double, copy=False) for a in args])
        return y.astype(np.result_type(dtype, np.complex64) if y.dtype.kind == "c" else dtype, copy=False)

    run.__name__ = name
    return run


# --- functions of a matrix ------------------------------------------------------------------------------------------


def direction_of(f: Any, a: Array, e: Array) -> Array:
    """The derivative of f(a) in the direction `e`."""
    n = a.shape[-1]
    above = np.concatenate([a, e], axis=-1)
    below = np.concatenate([np.zeros_like(a), a], axis=-1)
    return f(np.concatenate([above, below], axis=-2))[..., :n, n:]


def real_only(name: str) -> Callable[..., Array]:
    """The function as one from real matrices to real matrices: NaN where its value is complex."""
    function = scipys(name)

    def run(a: Array) -> Array:
        y = function(a)
        if y.dtype != a.dtype and np.abs(y.imag).max(initial=0.0) <= 1e3 * np.finfo(a.dtype).eps * np.abs(y).max():
            y = y.real.astype(a.dtype)  # SciPy before 1.16 goes through complex numbers where the result is real
        return y if y.dtype == a.dtype else np.full_like(a, np.nan)

    run.__name__ = name
    return run


def of_type(rule: Rule, real: Rule) -> Any:
    """The rule; while recording for other values, which decide whether its result is complex, that of real ones."""
    return (lambda a: real(a) if a.dtype.kind != "c" else rule(a)) if modes.on and here.tracing else rule


def turning(rng: np.random.Generator) -> Array:
    """Matrices with complex eigenvalues, none of them negative."""
    return np.array([[2.0, 1.0], [-1.5, 2.5]]) + 0.2 * rng.normal(size=(2, 2))


_expm: Rule = general(
    scipys("expm"), register=False, source=MATHIAS,
    jvp=lambda t, y, a: direction_of(_expm, a, t),
    vjp=lambda g, y, a: fitting(direction_of(_expm, transposed(a), g), a),
    cases=[((3, 3),), ((2, 2, 2),), ((1, 1),)],
)  # fmt: skip
_logm: Any = general(
    scipys("logm"), register=False, source=MATHIAS,
    jvp=lambda t, y, a: direction_of(of_type(_logm, _real_logm), a, t),
    vjp=lambda g, y, a: fitting(direction_of(of_type(_logm, _real_logm), transposed(a), g), a),
    cases=[(spd(3),), (turning,)],
)  # fmt: skip
_sqrtm: Any = general(
    scipys("sqrtm"), register=False, source="d(y²) = y·dy + dy·y",
    jvp=lambda t, y, a: _sylvester(y, y, t),
    vjp=lambda g, y, a: fitting(_sylvester(transposed(y), transposed(y), g), a),
    cases=[(spd(3),), (turning,)],
)  # fmt: skip
_real_logm: Rule = general(
    real_only("logm"), _logm.jvp, _logm.vjp, register=False, name="real_logm", source=MATHIAS, cases=_logm.cases
)
_real_sqrtm: Rule = general(
    real_only("sqrtm"), _sqrtm.jvp, _sqrtm.vjp, register=False, name="real_sqrtm", cases=_sqrtm.cases
)
_sylvester: Rule = general(
    scipys("solve_sylvester"), register=False, source="a·dx + dx·b = dq - da·x - x·db",
    jvp=(lambda t, y, a, b, q: -_sylvester(a, b, t @ y),
         lambda t, y, a, b, q: -_sylvester(a, b, y @ t),
         lambda t, y, a, b, q: _sylvester(a, b, t)),
    vjp=(lambda g, y, a, b, q: fitting(-_sylvester(transposed(a), transposed(b), g) @ transposed(y), a),
         lambda g, y, a, b, q: fitting(-transposed(y) @ _sylvester(transposed(a), transposed(b), g), b),
         lambda g, y, a, b, q: fitting(_sylvester(transposed(a), transposed(b), g), q)),
    cases=[(spd(3), spd(2), (3, 2)), (well(1), well(1), (1, 1))],
)  # fmt: skip
for rule in (_expm, _logm, _sqrtm, _sylvester, _real_logm, _real_sqrtm):
    rule.func = rule


def expm(A: Array) -> Array:
    """The exponential of a matrix, stacked too.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> from bibun.linalg import expm
    >>> print(f"{bb.grad(lambda t: expm(t * np.array([[0.0, 1.0], [0.0, 0.0]]))[0, 1])(3.0):.6f}")
    1.000000
    """
    return _expm(floating(A, "expm"))


def logm(A: Array, disp: bool = True) -> Array:
    """The principal logarithm of a matrix.

    Notes
    -----
    Complex where it must be; while recording for other values (vmap, compile) NaN there, if `A` is real.
    """
    return of_type(_logm, _real_logm)(floating(A, "logm"))


def sqrtm(A: Array, disp: bool = True, blocksize: int = 64) -> Array:
    """The principal square root of a matrix; its derivative is infinite where 0 is an eigenvalue.

    Notes
    -----
    Complex where it must be; while recording for other values (vmap, compile) NaN there, if `A` is real.
    """
    return of_type(_sqrtm, _real_sqrtm)(floating(A, "sqrtm"))


# --- equations ------------------------------------------------------------------------------------------------------


def solve_sylvester(a: Array, b: Array, q: Array) -> Array:
    """The solution x of a·x + x·b = q."""
    return _sylvester(*[floating(x, "solve_sylvester") for x in (a, b, q)])


def solve_continuous_lyapunov(a: Array, q: Array) -> Array:
    """The solution x of a·x + x·aᴴ = q."""
    a = floating(a, "solve_continuous_lyapunov")
    return solve_sylvester(a, adjoint(a), q)


def solve_discrete_lyapunov(a: Array, q: Array, method: str | None = None) -> Array:
    """The solution x of a·x·aᴴ - x + q = 0.

    Notes
    -----
    `method="direct"` solves the n² equations, the default up to n = 9; `"bilinear"` a continuous equation instead.
    """
    a, q = floating(a, "solve_discrete_lyapunov"), floating(q, "solve_discrete_lyapunov")
    n = a.shape[0]
    one = np.eye(n, dtype=a.dtype)
    if method == "direct" or (method is None and n < 10):
        equations = np.eye(n * n, dtype=a.dtype) - np.kron(a, conjugated(a))
        return np.linalg.solve(equations, q.reshape(-1)).reshape(q.shape)
    if method not in (None, "bilinear"):
        raise ValueError(f"Unknown solver {method}")
    ah = adjoint(a)
    inverse = np.linalg.inv(ah + one)
    b = (ah - one) @ inverse
    c = 2 * (np.linalg.inv(a + one) @ q @ inverse)
    return solve_continuous_lyapunov(adjoint(b), -c)


def toeplitz(c: Array, r: Array | None = None) -> Array:
    """The matrix with first column `c` and first row `r` (its first element not read; conj(c) by default).

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.linalg import toeplitz
    >>> toeplitz([1.0, 2.0, 3.0], [9.0, 5.0]).tolist()
    [[1.0, 5.0], [2.0, 1.0], [3.0, 2.0]]
    """
    c = as_array(c, "toeplitz").reshape(-1)
    r = conjugated(c) if r is None else as_array(r, "toeplitz").reshape(-1)
    values = np.concatenate([c[::-1], r[1:]])
    return values[(c.size - 1) - np.arange(c.size)[:, None] + np.arange(r.size)]


def solve_toeplitz(c_or_cr: Any, b: Array, check_finite: bool = True) -> Array:
    """Solve with a Toeplitz matrix, given its first column, or (column, row).

    Notes
    -----
    Of arrays by SciPy's Levinson recursion; of Variables as a full system.
    """
    if not holds_node(c_or_cr) and not holds_node(b):
        from scipy.linalg import solve_toeplitz as solved

        return solved(c_or_cr, b)
    c, r = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, None)
    a = toeplitz(c, r)
    return np.linalg.solve(a.astype(np.result_type(a.dtype, np.float64)), as_array(b, "solve_toeplitz"))


# --- patterns -------------------------------------------------------------------------------------------------------


def block_diag(*arrs: Array) -> Array:
    """The matrices along a diagonal, zeros elsewhere; a vector is a matrix of one row.

    Examples
    --------
    >>> import numpy as np
    >>> from bibun.linalg import block_diag
    >>> block_diag([[1.0]], [[2.0, 3.0]]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 2.0, 3.0]]
    """
    blocks = [np.atleast_2d(as_array(a, "block_diag")) for a in arrs] or [np.zeros((1, 0))]
    width = sum([b.shape[-1] for b in blocks])
    rows, left = [], 0
    for b in blocks:
        m, n = b.shape
        pieces = [np.zeros((m, left), b.dtype), b, np.zeros((m, width - left - n), b.dtype)]
        rows.append(np.concatenate(pieces, axis=1))
        left += n
    return np.concatenate(rows, axis=0)


def eigh_tridiagonal(d: Array, e: Array, eigvals_only: bool = False, select: str = "a", **kw: Any) -> Any:
    """Eigenvalues, and eigenvectors, of the symmetric matrix with diagonal `d` and `e` beside it.

    Notes
    -----
    Of arrays by SciPy; of Variables as a full matrix, whose eigenvectors may differ in sign.
    """
    if not holds_node(d) and not holds_node(e):
        from scipy.linalg import eigh_tridiagonal as solved

        return solved(d, e, eigvals_only, select, **kw)
    if select not in ("a", "all"):
        raise MissingRule(f"eigh_tridiagonal(select={select!r}) on a Variable: take all, and index the result")
    d, e = floating(d, "eigh_tridiagonal"), floating(e, "eigh_tridiagonal")
    w, v = np.linalg.eigh(np.diag(d) + np.diag(e, -1))
    return w if eigvals_only else (w, v)


# fmt: off
composite(expm, expm, cases=[((3, 3),), ((2, 2, 2),)])
composite(logm, logm, cases=[(spd(3),)])
composite(sqrtm, sqrtm, cases=[(spd(3),)])
composite(solve_sylvester, solve_sylvester, cases=[(spd(3), spd(2), (3, 2))])
composite(solve_continuous_lyapunov, solve_continuous_lyapunov, cases=[(spd(3), (3, 3))])
composite(solve_discrete_lyapunov, solve_discrete_lyapunov, cases=[
    (lambda rng: 0.2 * rng.normal(size=(3, 3)), (3, 3)),
    (lambda rng: 0.2 * rng.normal(size=(3, 3)), (3, 3), dict(method="bilinear"))])
composite(toeplitz, toeplitz, cases=[((3,),), ((3,), (2,)), ((1,), (3,))])
composite(solve_toeplitz, solve_toeplitz, cases=[
    (lambda rng: np.array([4.0, 1.0, 0.5]) + 0.1 * rng.normal(size=3), (3,)),
    (lambda rng: np.array([4.0, 1.0, 0.5]), (3, 2))])
composite(block_diag, block_diag, cases=[((2, 2), (1, 3)), ((3,), (2, 1)), ((2, 2),), ((), (2, 0))])
composite(eigh_tridiagonal, eigh_tridiagonal, cases=[((4,), (3,), dict(eigvals_only=True))])
# fmt: on
