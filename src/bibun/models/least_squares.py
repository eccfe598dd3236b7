"""Least squares to the last digit: Householder QR of scaled columns, the rank, and refinement in twice the precision.

Imports the compiler, for one pass over many rows. `Rows` is a design matrix that need not lie in memory, `Columns` its
factorization, from which every regression starts; what else can be asked of a set of columns goes into it.
"""

from functools import cached_property
from typing import Any

import numpy as np

from ..compiler.quick import quick
from ..transforms.gradient import grad
from ..transforms.hessian import hessian

__all__ = ["RANK", "Columns", "Rows", "predictor", "triangle"]

RANK = 1e-13  # a column nearer to the span of others than this share of its length is in it
WELL = 1e3  # condition of the scaled columns from which refinement pays, where they are many
MANY = 50_000  # numbers in the columns
FEW = 2000  # rows, below which BLAS has A'A sooner
APART = 1e-4  # the smallest eigenvalue of the correlations from which A'A serves
SAMPLE, EACH = 10_000, 50  # rows that may tell of many more what their columns are like, and for each column
CHUNK = 4096  # rows factored at a time, so that they stay in the cache


def predictor(X: Any, theta: Any) -> Any:
    """X theta, with a constant before the columns of X where `theta` has one number more than these."""
    return X @ theta if len(theta) == X.shape[1] else theta[0] + X @ theta[1:]


def _half_squares(theta: Any, X: Any, w: Any) -> Any:
    squares = predictor(X, theta) ** 2
    return 0.5 * np.sum(squares if w is None else squares * w)


_gram = quick(hessian(_half_squares))


def _left(theta: Any, X: Any, y: Any, root: Any) -> Any:
    eta = predictor(X, theta)
    return y - (eta if root is None else root * eta)


_and_products = grad(lambda *args: -0.5 * np.sum(_left(*args) ** 2))
_residuals = quick(lambda *args: (_left(*args), _and_products(*args)))
_products = quick(grad(lambda theta, X, r: np.sum(r * predictor(X, theta))))
_sums = quick(grad(lambda theta, X: np.sum(X @ theta)))


class Rows:
    """A design matrix A as the caller has it: what is done to its rows is done when they are used, not to a copy.

    Parameters
    ----------
    X : ndarray of shape (n, k)
    constant : bool
        Whether a column of ones, which X does not hold, comes first.
    w : ndarray of shape (n,), optional
        Weights: each row is multiplied by the root of its own.
    lam : ndarray of shape (p,), optional
        Penalties, p = k + constant: below the n rows comes one with the root of each that is not 0.
    """

    def __init__(self, X: Any, constant: bool = False, w: Any = None, lam: Any = None) -> None:
        self.X, self.constant, self.w, self.lam = X, constant, w, lam
        self.root = None if w is None else np.sqrt(w)
        p = X.shape[1] + constant
        self.below = np.zeros((0, p)) if lam is None or not lam.any() else np.diag(np.sqrt(lam))[lam > 0]
        self.shape = len(X) + len(self.below), p

    def of(self, which: Any) -> np.ndarray:
        """Some rows of X in memory, with their constant; without weights."""
        X = self.X[which]
        return np.column_stack([np.ones(len(X)), X]) if self.constant else X

    @cached_property
    def matrix(self) -> np.ndarray:
        """All of it in memory."""
        A = self.of(slice(None))
        A = A if self.root is None else self.root[:, None] * A
        return np.concatenate([A, self.below]) if len(self.below) else A

    def times(self, x: np.ndarray) -> np.ndarray:
        """A x."""
        y = predictor(self.X, x)
        y = y if self.root is None else self.root * y
        return np.concatenate([y, self.below @ x]) if len(self.below) else np.asarray(y)

    def transposed(self, y: np.ndarray) -> np.ndarray:
        """A'y."""
        n = len(self.X)
        out = _products(np.zeros(self.shape[1]), self.X, y[:n] if self.root is None else self.root * y[:n])
        return np.asarray(out + y[n:] @ self.below if len(self.below) else out)

    def residuals(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """r = y - A x, and A'r."""
        n = len(self.X)
        r, products = _residuals(x, self.X, y[:n], self.root)
        if not len(self.below):
            return np.asarray(r), np.asarray(products)
        more = y[n:] - self.below @ x
        return np.concatenate([r, more]), np.asarray(products + more @ self.below)

    @cached_property
    def gram(self) -> np.ndarray:
        """A'A, in one pass over X."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            if len(self.X) < FEW or not self.X.shape[1]:
                return np.asarray(self.matrix.T @ self.matrix)
            return np.asarray(_gram(np.zeros(self.shape[1]), self.X, self.w)) + self.below.T @ self.below

    @property
    def many(self) -> bool:
        """Whether there are so many numbers that a pass over them is worth saving."""
        return self.shape[0] * self.shape[1] > MANY

    @property
    def total(self) -> float:
        """The number of rows, by their weights."""
        return float(len(self.X) if self.w is None else self.w.sum())

    @cached_property
    def some(self) -> "Rows | None":
        """As few of many rows as may tell what the columns are like; None where there are not many."""
        p = self.shape[1]
        step = len(self.X) // max(SAMPLE, EACH * p)
        if step < 4:
            return None
        w = None if self.w is None else self.w[::step]
        some = Rows(self.X[::step], self.constant, w)
        if not some.total > 0:
            return None
        return some if self.lam is None else Rows(some.X, self.constant, w, self.lam * some.total / self.total)

    def infinite(self, sampled: bool = False) -> np.ndarray:
        """Which columns of X hold something that is not finite; `sampled`: A'A will not be wanted."""
        k = self.X.shape[1]
        if sampled and self.some is not None and k:
            sums = _sums(np.zeros(k), self.X)
        else:
            sums = np.diag(self.gram) if self.many else self.X.sum()
        if np.isfinite(sums).all():
            return np.zeros(k, bool)
        return ~np.isfinite(self.X).all(axis=0)  # finite numbers too may have squares or a sum that is not


class Columns:
    """A design matrix as A = Q R of its independent columns, each scaled to length 1.

    Parameters
    ----------
    A : Rows or ndarray of shape (n, p)
    sampled : bool
        Whether some of many rows will do, where they show that the columns are independent: lengths and directions are
        then near those of all rows.

    Attributes
    ----------
    norms : ndarray of shape (p,)
        The length of each column (1 where it is zero).
    basis, dependent : ndarray of int
        The independent columns, in their own order; the others are combinations of these.
    R : ndarray of shape (rank, rank)
        Upper triangular, of the scaled columns of the basis.
    null : ndarray of shape (p, p - rank)
        Combinations of the scaled columns that vanish, an echelon form: each expresses a late column by earlier ones.
    condition : float
        Of R.
    """

    def __init__(self, A: Any, sampled: bool = False) -> None:
        from scipy import linalg

        self.rows = A if isinstance(A, Rows) else Rows(A)
        self.shape = self.rows.shape
        p = self.shape[1]
        some = self.rows.some if sampled else None
        R = None if some is None else _by_gram(some)
        self.sample = None if some is None or R is None else Columns(some)
        if R is None:
            R = triangle(self.rows)
        elif some is not None:
            R = R * np.sqrt(self.rows.total / some.total)
        peak = np.abs(R).max(axis=0, initial=0.0)
        peak = np.where(peak > 0, peak, 1.0)
        self.norms = peak * np.sqrt(np.sum((R / peak) ** 2, axis=0))
        zero = self.norms == 0
        self.norms = np.where(zero, 1.0, self.norms)
        R = R / self.norms
        S, pivots = linalg.qr(R, mode="r", pivoting=True) if p else (R, np.zeros(0, int))
        S = S[: min(S.shape)]
        d = np.abs(np.diag(S))
        self.rank = int(np.sum(d > RANK * np.sqrt(max(p, 1)))) if d.size else 0
        dependent = np.sort(pivots[self.rank :])
        if dependent.size:
            dependent = self._latest(R, S, pivots)
        self.dependent = dependent
        self.basis = np.setdiff1d(np.arange(p), dependent)
        self.R = linalg.qr(R[:, self.basis], mode="r")[0][: self.rank] if self.rank else np.zeros((0, 0))
        self.null = np.zeros((p, dependent.size))
        self.null[dependent, np.arange(dependent.size)] = 1.0
        if dependent.size:
            self.null[self.basis] = -linalg.lstsq(R[:, self.basis], R[:, dependent])[0] if self.rank else 0.0
            self.null[np.abs(self.null) < 1e-9] = 0.0
        self.condition = float(np.linalg.cond(self.R)) if self.rank else 1.0

    def _latest(self, R: np.ndarray, S: np.ndarray, pivots: np.ndarray) -> np.ndarray:
        """The dependent columns, the later ones where there is a choice: x3 = x1 + x2 rather than x1 = x3 - x2."""
        from scipy import linalg

        k = self.rank
        N = np.zeros((R.shape[1], R.shape[1] - k))
        N[pivots[k:], np.arange(N.shape[1])] = 1.0
        N[pivots[:k]] = -linalg.solve_triangular(S[:k, :k], S[:k, k:])
        chosen: list[int] = []
        for j in range(len(N) - 1, -1, -1):  # echelon form from the last row up, pivoting among the vectors left
            done = len(chosen)
            rest = N[:, done:]
            if not rest.shape[1]:
                break
            c = int(np.abs(rest[j]).argmax())
            if np.abs(rest[j, c]) <= 1e-6 * np.abs(rest).max():
                continue
            rest[:, [0, c]] = rest[:, [c, 0]]
            rest[:, 0] /= rest[j, 0]
            rest[:, 1:] -= np.outer(rest[:, 0], rest[j, 1:])
            chosen.append(j)
        return np.sort(np.array(chosen, int))

    # --- solutions ---------------------------------------------------------------------------------------------------

    def solve(self, y: np.ndarray, unit: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients (of minimal norm in the scaled columns), residuals, and the inverse of A'A on the basis.

        Notes
        -----
        Coefficients and residuals are refined together in the augmented system r + A x = y, A'r = 0 (Björck 1967), its
        own residuals being computed in twice the precision; so is the inverse, with unit vectors on the right.
        """
        from scipy import linalg

        (n, p), k = self.shape, self.rank
        if not k:
            return np.zeros(p), y.copy(), np.zeros((0, 0))
        norms = self.norms[self.basis]
        if n * k > MANY and self.condition <= WELL:
            inverse = inverse_gram(self.R) / norms / norms[:, None]
            x, (r, products) = np.zeros(p), (y, self.rows.transposed(y))
            for _ in range(3):
                x[self.basis] += inverse @ products[self.basis]
                r, products = self.rows.residuals(x, y)
            return self.shortest(x[self.basis]), r, inverse
        scale = 2.0 ** np.round(np.log2(norms))  # an exact division
        A = self.rows.matrix
        exact = (A if k == p else A[:, self.basis]) / scale
        Q, R = linalg.qr(exact, mode="economic")
        x, r = refined(exact, Q, R, y[:, None], np.zeros((k, 1)))
        x, r = x[:, 0], r[:, 0]
        if self.condition > WELL:
            inverse = refined(exact, Q, R, np.zeros((n, k)), -np.eye(k))[0]
        else:
            inverse = inverse_gram(R)
        inverse = 0.5 * (inverse + inverse.T) / np.outer(scale, scale)
        return self.shortest(x / scale), r, inverse

    def shortest(self, x: np.ndarray) -> np.ndarray:
        """Coefficients of the basis as coefficients of all columns, of minimal norm in scaled columns."""
        full = np.zeros(self.shape[1])
        full[self.basis] = x
        if not self.null.shape[1]:
            return full
        scaled = full * self.norms
        shorter: np.ndarray = (scaled - self.null @ np.linalg.lstsq(self.null, scaled, rcond=None)[0]) / self.norms
        return shorter

    def whole(self, inverse: np.ndarray) -> np.ndarray:
        """A matrix over the basis as one over all columns: right for every combination that the data determine."""
        out = np.zeros((self.shape[1],) * 2)
        out[np.ix_(self.basis, self.basis)] = inverse
        return out

    def spans(self, v: np.ndarray) -> bool:
        """Whether `v`, shape (n,), is a combination of the columns."""
        if not self.rank:
            return False
        T = self.transform()
        x, size = v, float(v @ v)
        for _ in range(2):
            along = T.T @ self.rows.transposed(x)
            if float(along @ along) < 0.999 * float(x @ x) and x is v:  # far from it: most are
                return False
            x = x - self.rows.times(T @ along)
        return float(x @ x) <= 1e-18 * size

    def transform(self) -> np.ndarray:
        """T of shape (p, rank): A T has orthonormal columns."""
        from scipy.linalg import lapack  # whose dtrtrs waits for threads, however small the matrix

        T = np.zeros((self.shape[1], self.rank))
        if self.rank:
            T[self.basis] = lapack.dtrtri(self.R)[0] / self.norms[self.basis][:, None]
        return T

    def dependencies(self, names: list[str]) -> list[str]:
        """Each combination in words: 'x3 = x1 + 2 x2'."""
        said = []
        with np.errstate(over="ignore"):
            N = self.null / self.norms[:, None]
        for k in range(N.shape[1]):
            j = int(np.flatnonzero(self.null[:, k])[-1]) if self.null[:, k].any() else 0
            others = [i for i in np.flatnonzero(self.null[:, k]) if i != j]
            if not others:
                said.append(f"{names[j]} is 0 in every row")
                continue
            terms: list[str] = []
            for i in others[:6]:
                c = -N[i, k] / N[j, k]
                size = f"{abs(c):.4g}"
                sign = ("- " if c < 0 else "+ ") if terms else ("-" if c < 0 else "")
                terms.append(sign + ("" if size == "1" else f"{size} ") + names[i])
            said.append(f"{names[j]} = {' '.join(terms)}{' + …' if len(others) > 6 else ''}")
        return said


def triangle(A: Any) -> np.ndarray:
    """The triangular factor of A (Rows or an array), the rows taken in pieces that stay in the cache."""
    rows = A if isinstance(A, Rows) else Rows(A)
    n, p = rows.shape
    if rows.many:
        R = _by_gram(rows)
        if R is not None:
            return R
    A, step = rows.matrix, max(CHUNK, 4 * p)
    pieces: list[np.ndarray] = [np.linalg.qr(A[i : i + step], mode="r") for i in range(0, n, step)]  # type: ignore[misc]
    return np.asarray(np.linalg.qr(np.concatenate(pieces), mode="r") if len(pieces) > 1 else pieces[0])


def _by_gram(rows: Rows) -> np.ndarray | None:
    """The same by Cholesky of A'A, in one pass; None unless the scaled columns are so far apart that it is as exact."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        G = rows.gram
        norms = np.sqrt(np.diag(G))
        if not ((norms > 1e-100) & (norms < 1e100)).all():
            return None
        G = G / norms / norms[:, None]
    if not np.linalg.eigvalsh(G)[0] > APART:
        return None
    return np.asarray(np.linalg.cholesky(G).T * norms)


def inverse_gram(R: np.ndarray) -> np.ndarray:
    """(R'R)⁻¹."""
    from scipy.linalg import lapack

    inverse = lapack.dtrtri(R)[0]
    return np.asarray(inverse @ inverse.T)


# --- twice the precision ----------------------------------------------------------------------------------------------


def refined(A: np.ndarray, Q: np.ndarray, R: np.ndarray, y: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x and r of r + A x = y, A'r = g, for several right sides at once (columns of y and g)."""
    from scipy.linalg import blas

    zero_x, zero_r = np.zeros_like(g), np.zeros_like(y)
    x, x_low, r, r_low = zero_x, zero_x, zero_r, zero_r
    f, h = y, g
    last = np.inf
    for _ in range(12):
        u = blas.dtrsm(1.0, R, h, trans_a=1)
        d = Q.T @ f
        dx = blas.dtrsm(1.0, R, d - u)
        dr = f - Q @ (d - u)
        size = float(np.abs(R @ dx).max(initial=0.0) + np.abs(dr).max(initial=0.0))
        if not np.isfinite(size) or size > 0.5 * last:
            break
        x, x_low = add(x, x_low, dx)
        r, r_low = add(r, r_low, dr)
        if size <= 1e-22 * float(np.abs(R @ x).max(initial=0.0) + np.abs(r).max(initial=0.0)):
            break
        last = size
        f_high, f_low = product(A, -x, y)
        f_high, f_low = add(f_high, f_low, -r)
        f = f_high + (f_low - r_low - A @ x_low)
        h_high, h_low = product_transposed(A, -r, g)
        h = h_high + (h_low - A.T @ r_low)
    return x + x_low, r + r_low


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """a + b and its rounding error, exactly (Knuth 1969)."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """a * b and its rounding error, exactly (Dekker 1971)."""
    p = a * b
    a_high, b_high = 134217729.0 * a, 134217729.0 * b
    a_high, b_high = a_high - (a_high - a), b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def add(high: np.ndarray, low: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A number in two parts plus another number."""
    s, e = two_sum(high, x)
    return two_sum(s, e + low)


def product(A: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y + A x in two parts, for the columns of x and y."""
    high, low = y, np.zeros_like(y)
    for j in range(A.shape[1]):
        p, e = two_product(A[:, j, None], x[None, j])
        high, carry = two_sum(high, p)
        low = low + (e + carry)
    return two_sum(high, low)


def product_transposed(A: np.ndarray, r: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g + A'r in two parts, for the columns of r and g."""
    high, low = np.empty_like(g), np.empty_like(g)
    for j in range(A.shape[1]):
        p, e = two_product(A[:, j, None], r)
        s, carry = total(p)
        high[j], more = two_sum(s, g[j])
        low[j] = carry + e.sum(axis=0) + more
    return two_sum(high, low)


def total(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum over rows and its rounding error, by halves."""
    error = np.zeros(p.shape[1:])
    while len(p) > 1:
        if len(p) % 2:
            p = np.concatenate([p, np.zeros((1, *p.shape[1:]))])
        p, e = two_sum(p[0::2], p[1::2])
        error = error + e.sum(axis=0)
    return p[0] if len(p) else error, error
