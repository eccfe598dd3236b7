"""Directions of separation: the program that takes rows as they are needed, beside one of all rows."""

import numpy as np
import pytest
from scipy.optimize import linprog

from bibun.models.separation import recession


def exists(margins):
    """Whether any d has margins d ≥ 0, not all 0: maximize the sum with every margin in [0, 1]."""
    found = linprog(
        -margins.sum(axis=0),
        A_ub=np.vstack([-margins, margins]),
        b_ub=np.concatenate([np.zeros(len(margins)), np.ones(len(margins))]),
        bounds=(None, None),
    )
    assert found.status == 0
    return -found.fun > 1e-6


def problem(seed):
    """Small whole numbers, so that ties and rows on the boundary are common; separable about half the time."""
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(5, 120)), int(rng.integers(1, 5))
    X = np.column_stack([np.ones(n), rng.integers(-2, 3, (n, k))])
    eta = X @ rng.normal(size=k + 1) + rng.choice([0, 0, 0.3]) * rng.logistic(size=n)
    y = eta > 0
    return np.where(y, 1.0, -1.0)[:, None] * X, rng.normal(size=k + 1)


@pytest.mark.parametrize("seed", range(60))
def test_a_direction_is_found_exactly_where_there_is_one(seed):
    margins, ahead = problem(seed)
    free = np.arange(margins.shape[1]) == 0
    directions, left = recession(margins, free, ahead)
    assert bool(directions) == exists(margins)
    rest = np.ones(len(margins), bool)
    for d in directions:
        moved = margins[rest] @ d
        assert moved.min() >= -1e-6 * moved.max() and moved.max() > 0
        rest[rest] = moved <= 1e-7 * moved.max()
    assert (rest == left).all()
    assert not left.any() or not exists(margins[left]) or not margins[left].any()


def test_both_kinds_are_among_the_problems():
    kinds = {exists(problem(seed)[0]) for seed in range(60)}
    assert kinds == {True, False}


def test_the_sparsest_direction_is_taken():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(200), rng.normal(size=(200, 4))])
    y = np.where(X[:, 2] > 0.3, 1.0, -1.0)
    directions, _ = recession(y[:, None] * X, np.arange(5) == 0, rng.normal(size=5))
    assert np.flatnonzero(directions[0]).tolist() == [0, 2]
