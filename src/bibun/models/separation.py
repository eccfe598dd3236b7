"""Separation: directions in which the likelihood of a classification never stops rising, found exactly and named.

Imports nothing of the package; a linear program of SciPy decides. Albert & Anderson (1984) is the theory, Konis (2007)
the program; rows enter it as they turn out to be in the way.
"""

import numpy as np

__all__ = ["recession"]

EXACT = 1e-7  # of the largest margin that a direction adds: what counts as 0
ROUNDS = 200


def recession(margins: np.ndarray, free: np.ndarray, ahead: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Directions d with margins @ d ≥ 0 and not all 0, the sparsest first, and the rows that none of them moves.

    A later direction is one for the rows that the earlier ones do not move.

    Parameters
    ----------
    margins : ndarray of shape (m, k)
        What a unit of each coefficient adds to the margin of each observation; columns of a like size.
    free : ndarray of bool, shape (k,)
        Coefficients that cost nothing in a direction, such as intercepts, so that the others are named.
    ahead : ndarray of shape (k,)
        Where the search was heading: the rows that it moves least enter the program first.

    Returns
    -------
    directions : list of ndarray
    left : ndarray of bool, shape (m,)
    """
    left = np.ones(len(margins), bool)
    directions: list[np.ndarray] = []
    for _ in range(margins.shape[1]):
        rest = margins[left]
        if not rest.any():
            break
        d = _sparsest(rest, free, ahead)
        if d is None:
            break
        directions.append(d)
        moved = rest @ d
        left[left] = moved <= EXACT * moved.max()
    return directions, left


def _sparsest(margins: np.ndarray, free: np.ndarray, ahead: np.ndarray) -> np.ndarray | None:
    """The shortest d (sum of absolute values) with margins d ≥ 0 and a mean of 1; None where there is none."""
    from scipy.optimize import linprog

    k = margins.shape[1]
    cost = np.tile(np.where(free, 1e-3, 1.0), 2)
    mean = margins.mean(axis=0)
    size = np.maximum(np.abs(margins).max(axis=1), 1e-300)
    few = min(5 * k + 20, len(margins))
    rows = np.argpartition((margins @ ahead) / size, few - 1)[:few]
    for _ in range(ROUNDS):
        M = margins[rows] / size[rows, None]
        found = linprog(
            cost,
            A_ub=np.hstack([-M, M]),
            b_ub=np.zeros(len(M)),
            A_eq=np.concatenate([mean, -mean])[None, :],
            b_eq=[1.0],
            bounds=(0, None),
            method="highs",
        )
        if found.status != 0:
            return None
        d = found.x[:k] - found.x[k:]
        d = np.where(np.abs(d) > 1e-9 * np.abs(d).max(), d, 0.0)
        moved = margins @ d
        if moved.min() >= -EXACT * moved.max():
            return np.asarray(d)
        worst = np.argpartition(moved / size, few - 1)[:few]
        more = np.union1d(rows, worst[moved[worst] < 0])
        if len(more) == len(rows):
            return None
        rows = more
    return None
