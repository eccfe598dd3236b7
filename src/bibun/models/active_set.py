"""The minimum of a quadratic and a weighted sum of absolute values, exactly, by its active set. Imports nothing.

Elastic nets ask for it again and again, each time from the last answer, whose signs are nearly right.
"""

import numpy as np

__all__ = ["Factors", "minimum"]

TOLERANCE = 1e-13  # of the largest slope: less is none


class Factors:
    """The last set of coefficients whose part of a matrix was factored, and its factor; for one matrix and `l2`."""

    def __init__(self) -> None:
        self.members, self.factor = np.zeros(0, int), np.zeros((0, 0))

    def of(self, H: np.ndarray, l2: np.ndarray, A: np.ndarray) -> np.ndarray | None:
        """The upper Cholesky factor of a set's part of H + diag(l2); None if that is not safely positive."""
        from scipy.linalg import lapack

        if not np.array_equal(A, self.members):
            factor, failed = lapack.dpotrf(_part(H, l2, A).T)  # symmetric, and in the order it takes
            d = np.diag(factor)
            if failed or d.min() <= 1e-7 * d.max():
                return None
            self.members, self.factor = A, factor
        return self.factor


def minimum(
    H: np.ndarray, c: np.ndarray, l1: np.ndarray, l2: np.ndarray, b: np.ndarray, factors: Factors | None = None
) -> np.ndarray:
    """The b that makes ½ b'Hb - c'b + Σ l1|b| + ½ Σ l2 b² smallest.

    Parameters
    ----------
    H : ndarray of shape (p, p)
        Symmetric, no eigenvalue below 0.
    c, l1, l2 : ndarray of shape (p,)
        `l1` is 0 for what is not penalized.
    b : ndarray of shape (p,)
        Where to start.
    factors : Factors, optional
        Of the same `H` and `l2`, from one call to the next.

    Notes
    -----
    The feature-sign search of Lee, Battle, Raina and Ng (2007): with the signs known, the minimum is that of a
    quadratic; on the way there the first coefficient that reaches 0 is left out; at its end the coefficient whose slope
    exceeds its penalty most comes in. Every step goes down, so no set of signs comes twice.
    """
    b, factors = np.array(b, float), Factors() if factors is None else factors
    sign, active = np.sign(b), (b != 0) | (l1 == 0)
    slack = TOLERANCE * max(float(np.abs(c).max(initial=0.0)), float(l1.max(initial=0.0)))
    slope, all_at_once = _slope(H, c, l2, b, active), True
    for _ in range(100 * (len(b) + 10)):
        A = np.flatnonzero(active)
        step, whole = _step(H, l2, A, -slope[A] - l1[A] * sign[A], slack, factors)
        away = (l1[A] > 0) & (step * sign[A] < 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(away, -b[A] / step, np.inf)
        first = int(np.argmin(reach)) if len(A) else 0
        if len(A) and reach[first] < (1.0 if whole else np.inf):
            gone = away & (reach <= reach[first])
            b[A] += reach[first] * step
            b[A[gone]], sign[A[gone]], active[A[gone]] = 0.0, 0.0, False
            slope = _slope(H, c, l2, b, active)
            continue
        b[A] += step
        slope = _slope(H, c, l2, b, active)
        over = np.where(active, 0.0, np.abs(slope) - l1)
        come = over > slack
        if not come.any():
            return b
        if not all_at_once:
            come = np.arange(len(b)) == np.argmax(over)
        all_at_once = False
        active |= come
        sign[come] = -np.sign(slope[come])
    raise ValueError("the active set of the penalized quadratic did not settle: scale the columns to sizes near 1")


def _part(H: np.ndarray, l2: np.ndarray, A: np.ndarray) -> np.ndarray:
    G = H[np.ix_(A, A)]
    G.flat[:: len(A) + 1] += l2[A]
    return np.asarray(G)


def _slope(H: np.ndarray, c: np.ndarray, l2: np.ndarray, b: np.ndarray, active: np.ndarray) -> np.ndarray:
    """Of the quadratic."""
    Hb = H @ b if active.all() else b[active] @ H[active]
    return np.asarray(Hb + l2 * b - c)


def _step(
    H: np.ndarray, l2: np.ndarray, A: np.ndarray, left: np.ndarray, slack: float, factors: Factors
) -> tuple[np.ndarray, bool]:
    """Where the quadratic of the active set goes down, and whether its minimum is a whole step away."""
    from scipy.linalg import lapack

    if not len(left):
        return left, True
    factor = factors.of(H, l2, A)
    if factor is not None:
        return lapack.dpotrs(factor, left)[0], True
    eigenvalues, V = np.linalg.eigh(_part(H, l2, A))
    kept = eigenvalues > 1e-12 * eigenvalues[-1]
    flat = V[:, ~kept] @ (V[:, ~kept].T @ left)
    if np.abs(flat).max(initial=0.0) > 1e3 * slack:  # without curvature it goes down until a coefficient is 0
        return flat, False
    return (V[:, kept] / eigenvalues[kept]) @ (V[:, kept].T @ left), True
