"""Functions of scipy.linalg for arrays and Variables alike, under SciPy's names.

What NumPy has too (`inv`, `det`, `eigh`, `svd`, `pinv`, `norm`, …) is called as `np.linalg.…` on Variables. The
functions are defined, with their derivatives, in rules/scipy_linalg.py, rules/scipy_factors.py and
rules/matrix_functions.py.
"""

from .rules.matrix_functions import (
    block_diag,
    eigh_tridiagonal,
    expm,
    logm,
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_sylvester,
    solve_toeplitz,
    sqrtm,
    toeplitz,
)
from .rules.scipy_factors import lu, lu_factor, lu_solve, qr
from .rules.scipy_linalg import (
    cho_factor,
    cho_solve,
    cholesky,
    solve,
    solve_banded,
    solve_triangular,
)

__all__ = [
    "block_diag", "cho_factor", "cho_solve", "cholesky", "eigh_tridiagonal", "expm", "logm", "lu", "lu_factor",
    "lu_solve", "qr", "solve", "solve_banded", "solve_continuous_lyapunov", "solve_discrete_lyapunov",
    "solve_sylvester", "solve_toeplitz", "solve_triangular", "sqrtm", "toeplitz",
]  # fmt: skip
