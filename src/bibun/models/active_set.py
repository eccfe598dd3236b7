"""The minimum of a quadratic and a weighted sum of absolute values, exactly, by its active set. Imports nothing.

Elastic nets ask for it again and again, each time from the last answer, whose signs are nearly right.
"""

import numpy as np

__all__ = ["minimum"]

TOLERANCE = 1e-13  # of the largest slope: less is none


def minimum(H: np.ndarray, c: np.ndarray, l1: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The b that makes ½ b'Hb - c'b + Σ l1|b| smallest.

    Parameters
    ----------
    H : ndarray of shape (p, p)
        Symmetric, no eigenvalue below 0.
    c, l1 : ndarray of shape (p,)
        `l1` is 0 for what is not penalized.
    b : ndarray of shape (p,)
        Where to start.

    Notes
    -----
    The feature-sign search of Lee, Battle, Raina and Ng (2007): with the signs known, the minimum is that of a
    quadratic; on the way there the first coefficient that reaches 0 is left out; at its end the coefficient whose slope
    exceeds its penalty most comes in. Every step goes down, so no set of signs comes twice.
    """
    b = np.array(b, float)
    sign, active = np.sign(b), (b != 0) | (l1 == 0)
    slack = TOLERANCE * max(float(np.abs(c).max(initial=0.0)), float(l1.max(initial=0.0)))
    all_at_once = True
    for _ in range(100 * (len(b) + 10)):
        A = np.flatnonzero(active)
        G = H[np.ix_(A, A)]
        left = c[A] - l1[A] * sign[A] - G @ b[A]
        step, whole = _step(G, left, slack)
        away = (l1[A] > 0) & (step * sign[A] < 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(away, -b[A] / step, np.inf)
        first = int(np.argmin(reach)) if len(A) else 0
        if len(A) and reach[first] < (1.0 if whole else np.inf):
            gone = away & (reach <= reach[first])
            b[A] += reach[first] * step
            b[A[gone]], sign[A[gone]], active[A[gone]] = 0.0, 0.0, False
            continue
        b[A] += step
        slope = H[:, A] @ b[A] - c
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


def _step(G: np.ndarray, left: np.ndarray, slack: float) -> tuple[np.ndarray, bool]:
    """Where the quadratic of the active set goes down, and whether its minimum is a whole step away."""
    if not len(left):
        return left, True
    try:
        d = np.diag(np.linalg.cholesky(G))
        if d.min() > 1e-7 * d.max():
            return np.linalg.solve(G, left), True
    except np.linalg.LinAlgError:
        pass
    eigenvalues, V = np.linalg.eigh(G)
    kept = eigenvalues > 1e-12 * eigenvalues[-1]
    flat = V[:, ~kept] @ (V[:, ~kept].T @ left)
    if np.abs(flat).max(initial=0.0) > 1e3 * slack:  # without curvature it goes down until a coefficient is 0
        return flat, False
    return (V[:, kept] / eigenvalues[kept]) @ (V[:, kept].T @ left), True
