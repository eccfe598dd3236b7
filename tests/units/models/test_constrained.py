"""The maximum under constraints: closed forms, and multipliers as difference quotients."""

import numpy as np
import pytest

from bibun.models.constrained import Constraints, constrained, covariance_along
from bibun.optimize.derivatives import Derivatives


class Given:
    """A function as an objective."""

    def __init__(self, f):
        self.f = Derivatives(f)

    def value(self, u):
        return float(self.f.value(u))

    def all(self, u):
        return self.f.symmetric(u)


H = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])
CENTRE = np.array([1.0, -2.0, 0.5])


def quadratic(u):
    return 0.5 * (u - CENTRE) @ H @ (u - CENTRE)


def valley(u):
    return 100 * (u[1] - u[0] ** 2) ** 2 + (1 - u[0]) ** 2 + 0.1 * u[2] ** 2


def test_a_quadratic_under_linear_equations_is_solved_at_once():
    A, b = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 1.0]]), np.array([0.5, 2.0])
    V = np.linalg.inv(H)
    right = CENTRE - V @ A.T @ np.linalg.solve(A @ V @ A.T, A @ CENTRE - b)
    for c in (Constraints(A, b), Constraints(lambda u: A @ u, b), lambda u: A @ u - b):
        found = constrained(Given(quadratic), np.zeros(3), c)
        np.testing.assert_allclose(found.u, right, atol=1e-13)
        assert found.success and found.nit <= 2 and "2 constraints" in found.message
        inside = V - V @ A.T @ np.linalg.solve(A @ V @ A.T, A @ V)
        np.testing.assert_allclose(covariance_along(found.hessian, found.normals), inside, atol=1e-14)
        np.testing.assert_allclose(found.multipliers @ found.normals, found.gradient, atol=1e-12)


def test_without_constraints_it_is_newtons_method():
    found = constrained(Given(valley), np.array([-1.2, 1.0, 3.0]), Constraints.none(3))
    np.testing.assert_allclose(found.u, [1, 1, 0], atol=1e-8)
    assert found.success and found.multipliers.size == 0 and found.value < 1e-15


def test_on_a_curve():
    # the point of a circle that is nearest to (3, 4), from inside, outside and the other side
    for start in ([0.1, 0.2], [10.0, -3.0], [-1.0, -1.5]):
        found = constrained(
            Given(lambda u: 0.5 * np.sum((u - np.array([3.0, 4.0])) ** 2)), np.array(start), lambda u: u @ u - 1
        )
        np.testing.assert_allclose(found.u, [0.6, 0.8], atol=1e-9)
        # along the circle the distance squared, 26 - 10 cos, bends by 5
        assert covariance_along(found.hessian, found.normals).trace() == pytest.approx(1 / 5, rel=1e-9)


@pytest.mark.parametrize("level", [-3.0, 0.3, 4.0])
def test_in_a_narrow_valley_and_its_multiplier(level):
    c = Constraints(np.array([[1.0, 0.0, 0.0]]), level)
    found = constrained(Given(valley), np.array([1.0, 1.0, 0.0]), c)
    np.testing.assert_allclose(found.u, [level, level**2, 0], atol=1e-7)
    step = 1e-5
    near = [constrained(Given(valley), found.u, c.at(level + s * step)).value for s in (-1, 1)]
    assert found.multipliers[0] == pytest.approx((near[1] - near[0]) / (2 * step), rel=1e-6)


def test_constraints_together():
    line, curve = Constraints(np.array([[1.0, 1.0]]), 1.0), Constraints(lambda u: u[0] * u[1], 0.2)
    for both in (line & curve, curve & line, line & curve & Constraints.none(2)):
        u = constrained(Given(lambda u: np.sum((u - 2.0) ** 2 * np.array([1.0, 2.0]))), np.array([0.8, 0.1]), both).u
        assert u.sum() == pytest.approx(1) and u.prod() == pytest.approx(0.2)
    assert (line & line.at(2.0)).matrix.shape == (2, 2)


def test_what_cannot_hold_is_not_called_a_success():
    found = constrained(Given(lambda u: np.sum(u**2)), np.array([1.0, 1.0]), lambda u: u @ u + 1.0)
    assert not found.success
