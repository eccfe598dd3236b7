"""Shortest vectors and quadratic programs under inequalities, beside SciPy's and beside what they are by definition."""

import numpy as np
import pytest
from scipy import optimize

from bibun.models.constrained import Constraints
from bibun.models.inequalities import Contradiction, _nonnegative, bounded, inside, shortest


class Quadratic:
    """½ u'Hu - c'u, as an objective."""

    def __init__(self, H, c):
        self.H, self.c = H, c

    def value(self, u):
        return float(0.5 * u @ self.H @ u - self.c @ u)

    def all(self, u):
        return self.value(u), self.H @ u - self.c, self.H


class TestShortest:
    @pytest.mark.parametrize("seed", range(20))
    def test_it_is_a_minimum(self, seed):
        rng = np.random.default_rng(seed)
        m, k = rng.integers(1, 9), rng.integers(1, 6)
        G = rng.normal(size=(m, k)) * 10 ** rng.uniform(-3, 3, size=(m, 1))
        h = G @ rng.normal(size=k) - np.abs(rng.normal(size=m)) * rng.integers(0, 2, m)
        z, multipliers = shortest(G, h)
        size = np.abs(G) @ np.abs(z) + np.abs(h) + 1e-300
        assert ((G @ z - h) / size).min() >= -1e-12 and multipliers.min() >= 0
        np.testing.assert_allclose(z, G.T @ multipliers, atol=1e-10)
        np.testing.assert_allclose(multipliers * (G @ z - h), 0.0, atol=1e-9)
        on = G[multipliers > 0]
        assert not len(on) or np.linalg.matrix_rank(on) == len(on)

    def test_nothing_to_do(self):
        z, multipliers = shortest(np.array([[1.0, 2.0]]), np.array([-3.0]))
        assert not z.any() and not multipliers.any()
        assert shortest(np.zeros((0, 2)), np.zeros(0))[0].shape == (2,)

    def test_the_size_of_the_numbers_does_not_matter(self):
        for unit in (1e-12, 1.0, 1e12):
            z, _ = shortest(np.array([[1.0, 0.0], [1.0, 1.0]]), unit * np.array([1.0, 3.0]))
            np.testing.assert_allclose(z, unit * np.array([1.5, 1.5]), rtol=1e-12)

    def test_contradictions_have_weights(self):
        G, h = np.array([[1.0, 0.0], [-2.0, 0.0], [0.0, 1.0]]), np.array([1.0, 0.0, 5.0])
        with pytest.raises(Contradiction) as said:
            shortest(G, h)
        w = said.value.weights
        np.testing.assert_allclose(w @ G, 0.0, atol=1e-12)
        assert w @ h > 0 and abs(w[2]) < 1e-12


@pytest.mark.parametrize("seed", range(20))
def test_least_squares_of_nonnegative_numbers(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 9, 2)
    E, f = rng.normal(size=(n, m)), rng.normal(size=n)
    if seed % 2:
        E, f = np.round(E), np.round(f)  # columns twice, and of zeros
    w = _nonnegative(E, f)
    right = optimize.nnls(E, f)[1]
    assert w.min() >= 0 and np.linalg.norm(E @ w - f) == pytest.approx(right, abs=1e-12)
    assert np.linalg.matrix_rank(E[:, w > 0], tol=1e-10) == np.sum(w > 0) if w.any() else True
    assert _nonnegative(np.zeros((2, 0)), np.ones(2)).shape == (0,)


def random_program(seed):
    """A strictly convex quadratic, equations and inequalities that hold somewhere, some of them twice."""
    rng = np.random.default_rng(seed)
    k, m = int(rng.integers(2, 8)), int(rng.integers(1, 10))
    Q = rng.normal(size=(k, k))
    scale = 10 ** rng.uniform(-2, 2, k)
    H = (Q @ Q.T + 0.05 * np.eye(k)) * np.outer(scale, scale)
    c = 3 * rng.normal(size=k) * scale
    there = rng.normal(size=k) / scale
    B = np.round(rng.normal(size=(m, k)), seed % 3) * scale
    B = B[B.any(axis=1)]
    if seed % 2 and len(B):
        B = np.concatenate([B, 2 * B[:1]])
    least = B @ there - np.abs(rng.normal(size=len(B))) * (rng.random(len(B)) > 0.4)
    if seed % 2 and len(B):
        least[-1] = 2 * least[0]
    A = rng.normal(size=(seed % 2, k)) * scale
    return Quadratic(H, c), A, A @ there, B, least, there


@pytest.mark.parametrize("seed", range(40))
def test_random_quadratics_beside_slsqp(seed):
    f, A, equal, B, least, there = random_program(seed)
    start = np.random.default_rng(seed).normal(size=len(there))
    found, binds = bounded(f, start, Constraints(A, equal), Constraints(B, least))
    assert found.success
    rules = [{"type": "ineq", "fun": lambda x: B @ x - least, "jac": lambda x: B}]
    if len(A):
        rules.append({"type": "eq", "fun": lambda x: A @ x - equal, "jac": lambda x: A})
    right = optimize.minimize(
        f.value,
        there,
        jac=lambda x: f.all(x)[1],
        method="SLSQP",
        constraints=rules,
        options={"ftol": 1e-15, "maxiter": 999},
    )
    assert not right.success or found.value <= right.fun + 1e-7 * (1 + abs(right.fun))
    size = np.abs(B) @ np.abs(found.u) + np.abs(least)
    assert ((B @ found.u - least) / size).min(initial=0.0) >= -1e-10
    np.testing.assert_allclose(A @ found.u, equal, atol=1e-9)
    more = found.multipliers[len(A) :]
    assert (more * np.linalg.norm(B[binds], axis=1) >= -1e-6).all()
    slope = f.all(found.u)[1]
    np.testing.assert_allclose(
        slope, A.T @ found.multipliers[: len(A)] + B[binds].T @ more, atol=1e-7 * np.abs(f.c).max()
    )


def test_values_outside_are_never_asked_for():
    class Inside(Quadratic):
        def value(self, u):
            assert u.min() >= 0
            return super().value(u)

    f = Inside(np.array([[2.0, -1.9], [-1.9, 2.0]]), np.array([1.0, -5.0]))
    start = inside(np.array([-3.0, 2.0]), np.ones(2), Constraints.none(2), Constraints(np.eye(2), np.zeros(2)))
    np.testing.assert_allclose(start, [0.0, 2.0])
    found, binds = bounded(f, start, Constraints.none(2), Constraints(np.eye(2), np.zeros(2)))
    np.testing.assert_allclose(found.u, [0.5, 0.0], atol=1e-14)
    assert binds.tolist() == [False, True]


def test_a_margin():
    u = inside(np.zeros(2), np.array([1.0, 4.0]), Constraints.none(2), Constraints(np.eye(2), [1.0, -3.0]), 0.5)
    np.testing.assert_allclose(u, [1.5, 0.0])


def test_bounds_that_are_curved():
    """The nearest point of a disk, and of what is outside one."""
    f = Quadratic(np.eye(2), np.array([3.0, 4.0]))
    disk = Constraints(lambda u: 1.0 - u[0] ** 2 - u[1] ** 2)
    found, binds = bounded(f, np.array([0.1, 0.0]), Constraints.none(2), disk)
    np.testing.assert_allclose(found.u, [0.6, 0.8], rtol=1e-9)
    assert binds.all() and found.multipliers[0] == pytest.approx(2.0, rel=1e-8)
    f = Quadratic(np.eye(2), np.array([0.3, 0.4]))
    found, binds = bounded(
        f, np.array([2.0, 0.0]), Constraints.none(2), Constraints(lambda u: u[0] ** 2 + u[1] ** 2 - 1.0)
    )
    np.testing.assert_allclose(found.u, [0.6, 0.8], rtol=1e-9)


def test_a_maximum_that_there_is_none_of():
    found, _ = bounded(
        Quadratic(np.array([[-1.0]]), np.zeros(1)), np.array([1.0]), Constraints.none(1), Constraints(np.eye(1))
    )
    assert not found.success


@pytest.mark.parametrize("seed", [*range(12), 278])
def test_corners_where_more_meet_than_there_are_directions(seed):
    """Where what holds is a point or a face of no volume, rounding errors are no contradiction."""
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 7))
    scale = 10.0 ** rng.uniform(-4, 4, k)
    B = np.round(rng.normal(size=(14, k)), seed % 3) * scale
    B = B[B.any(axis=1)]
    corner = rng.normal(size=k) / scale
    least = Constraints(B, B @ corner - np.abs(rng.normal(size=len(B))) * (rng.random(len(B)) > 0.8))
    W = rng.normal(size=(k, k))
    H = (W @ W.T + 0.01 * np.eye(k)) * np.outer(scale, scale)
    start = inside(3 * rng.normal(size=k) / scale, scale, Constraints.none(k), least)
    found, binds = bounded(Quadratic(H, H @ corner + rng.normal(size=k) * scale), start, Constraints.none(k), least)
    assert found.success
    size = np.abs(B) @ np.abs(found.u) + np.abs(least.level)
    assert (least.off(found.u) / size).min() > -1e-9
    assert (found.multipliers * np.linalg.norm(B[binds] / scale, axis=1)).min(initial=0.0) > -1e-6
    np.testing.assert_allclose((found.gradient - B[binds].T @ found.multipliers) / scale, 0.0, atol=1e-6)
