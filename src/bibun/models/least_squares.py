"""Least squares to the last digit: Householder QR of scaled columns, the rank, and refinement in twice the precision.

Imports nothing of the package. `Columns` is the factorization that every regression starts from; what else can be asked
of a set of columns goes into it.
"""

from typing import Any

import numpy as np

__all__ = ["RANK", "Columns", "triangle"]

RANK = 1e-13  # a column nearer to the span of others than this share of its length is in it
WELL = 1e3  # condition of the scaled columns from which refinement pays, where they are many
MANY = 50_000  # numbers in the columns
APART = 1e-4  # the smallest eigenvalue of the correlations from which A'A serves
CHUNK = 4096  # rows factored at a time, so that they stay in the cache


class Columns:
    """A design matrix as A = Q R of its independent columns, each scaled to length 1.

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

    def __init__(self, A: np.ndarray) -> None:
        from scipy import linalg

        self.A = A
        p = A.shape[1]
        R = triangle(A)
        peak = np.abs(R).max(axis=0, initial=0.0)
        peak = np.where(peak > 0, peak, 1.0)
        self.norms = peak * np.sqrt(np.sum((R / peak) ** 2, axis=0))
        zero = self.norms == 0
        self.norms = np.where(zero, 1.0, self.norms)
        R = R / self.norms
        S, pivots = linalg.qr(R, mode="r", pivoting=True)
        S = S[: min(S.shape)]
        d = np.abs(np.diag(S))
        self.rank = int(np.sum(d > RANK * np.sqrt(max(p, 1)))) if d.size else 0
        dependent = np.sort(pivots[self.rank :])
        if dependent.size:
            dependent = self._latest(R, S, pivots)
        self.dependent = dependent
        self.basis = np.setdiff1d(np.arange(p), dependent)
        self.R = linalg.qr(R[:, self.basis], mode="r")[0][: self.rank]
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

        A = self.A if self.rank == self.A.shape[1] else self.A[:, self.basis]
        n, k = A.shape
        if not k:
            return np.zeros(self.A.shape[1]), y.copy(), np.zeros((0, 0))
        norms = self.norms[self.basis]
        if A.size > MANY and self.condition <= WELL:
            inverse = inverse_gram(self.R) / norms / norms[:, None]
            x, r = np.zeros(k), y
            for _ in range(3):
                x = x + inverse @ (A.T @ r)
                r = y - A @ x
            return self.shortest(x), r, inverse
        scale = 2.0 ** np.round(np.log2(norms))  # an exact division
        exact = A / scale
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
        full = np.zeros(self.A.shape[1])
        full[self.basis] = x
        if not self.null.shape[1]:
            return full
        scaled = full * self.norms
        shorter: np.ndarray = (scaled - self.null @ np.linalg.lstsq(self.null, scaled, rcond=None)[0]) / self.norms
        return shorter

    def whole(self, inverse: np.ndarray) -> np.ndarray:
        """A matrix over the basis as one over all columns: right for every combination that the data determine."""
        out = np.zeros((self.A.shape[1],) * 2)
        out[np.ix_(self.basis, self.basis)] = inverse
        return out

    def spans(self, v: np.ndarray) -> bool:
        """Whether `v`, shape (n,), is a combination of the columns."""
        if not self.rank:
            return False
        T = self.transform()
        x = v
        for _ in range(2):
            x = x - self.A @ (T @ (T.T @ (self.A.T @ x)))
        return bool(np.linalg.norm(x) <= 1e-9 * np.linalg.norm(v))

    def transform(self) -> np.ndarray:
        """T of shape (p, rank): A T has orthonormal columns."""
        from scipy import linalg

        T = np.zeros((self.A.shape[1], self.rank))
        if self.rank:
            T[self.basis] = linalg.solve_triangular(self.R, np.eye(self.rank)) / self.norms[self.basis][:, None]
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


def triangle(A: np.ndarray) -> np.ndarray:
    """The triangular factor of A, the rows taken in pieces that stay in the cache."""
    if A.size > MANY:
        R = _by_gram(A)
        if R is not None:
            return R
    step = max(CHUNK, 4 * A.shape[1])
    pieces: list[np.ndarray] = [np.linalg.qr(A[i : i + step], mode="r") for i in range(0, len(A), step)]  # type: ignore[misc]
    return np.asarray(np.linalg.qr(np.concatenate(pieces), mode="r") if len(pieces) > 1 else pieces[0])


def _by_gram(A: np.ndarray) -> np.ndarray | None:
    """The same by Cholesky of A'A, in one pass; None unless the scaled columns are so far apart that it is as exact."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        G = A.T @ A
        norms = np.sqrt(np.diag(G))
        if not ((norms > 1e-100) & (norms < 1e100)).all():
            return None
        G = G / norms / norms[:, None]
    if not np.linalg.eigvalsh(G)[0] > APART:
        return None
    return np.asarray(np.linalg.cholesky(G).T * norms)


def inverse_gram(R: np.ndarray) -> np.ndarray:
    """(R'R)⁻¹."""
    from scipy import linalg

    inverse = linalg.solve_triangular(R, np.eye(len(R)))
    return np.asarray(inverse @ inverse.T)


# --- twice the precision ----------------------------------------------------------------------------------------------


def refined(A: np.ndarray, Q: np.ndarray, R: np.ndarray, y: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x and r of r + A x = y, A'r = g, for several right sides at once (columns of y and g)."""
    from scipy import linalg

    zero_x, zero_r = np.zeros_like(g), np.zeros_like(y)
    x, x_low, r, r_low = zero_x, zero_x, zero_r, zero_r
    f, h = y, g
    last = np.inf
    for _ in range(12):
        u = linalg.solve_triangular(R, h, trans="T")
        d = Q.T @ f
        dx = linalg.solve_triangular(R, d - u)
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
