"""Derivatives of sums over rows: which are one pass, and when a Hessian is made."""

import numpy as np
import pytest

import bibun as bb
from tests.units.compiler.plans import compiled, orders, steps_of_numpy

RANDOM = np.random.default_rng(8)
ROWS, WIDTH, GROUPS = 620, 6, 40
X = RANDOM.normal(size=(ROWS, WIDTH)) + 1
Y = (RANDOM.random(ROWS) < 0.5) * 1.0
CODES = RANDOM.integers(0, GROUPS, ROWS)
B, V = RANDOM.normal(size=WIDTH) / 9, RANDOM.normal(size=WIDTH)


def logistic(b, X, y):
    return np.sum(np.logaddexp(0, X @ b) - y * (X @ b))


@pytest.mark.parametrize("constant", [False, True])
def test_a_product_with_the_hessian_makes_no_hessian(constant):
    if constant:
        plan = compiled(lambda b, X, y: bb.hvp(lambda b: logistic(b, X, y), (b,), (V,)), B, X, Y)
    else:
        plan = compiled(lambda b, v, X, y: bb.hvp(lambda b: logistic(b, X, y), (b,), (v,)), B, V, X, Y)
    assert orders(plan) == [(1, 1)] and plan.any_rows


def test_two_constant_vectors_are_two_products():
    plan = compiled(lambda b, X, y: [bb.hvp(lambda b: logistic(b, X, y), (b,), (v,)) for v in (V, V[::-1])], B, X, Y)
    assert plan.passes == 1


def test_as_many_products_as_parameters_are_taken_from_the_hessian():
    def products(b, V, X, y):
        _, product = bb.linearize(bb.grad(lambda b: logistic(b, X, y)), b)
        return np.stack([product(V[k]) for k in range(WIDTH)])

    assert orders(compiled(products, B, np.eye(WIDTH) * 2, X, Y)) == [(2, 0)]
    assert orders(compiled(bb.hessian(logistic), B, X, Y)) == [(2, 0)]
    assert orders(compiled(bb.jacobian(bb.grad(logistic), mode="reverse"), B, X, Y)) == [(2, 0)]


def likelihood(b, u, s, X, y, codes):
    eta = np.exp(s) * (X @ b) + u[codes]
    return np.mean(np.logaddexp(0, eta) - y * eta) + np.log(np.sum(np.exp(eta * s))) + u @ u


def test_along_several_parameters_at_once():
    def along(b, u, s, vb, vu, vs, *data):
        return bb.jvp(bb.grad(lambda *p: likelihood(*p, *data), (0, 1, 2)), (b, u, s), (vb, vu, vs))

    u = RANDOM.normal(size=GROUPS)
    plan = compiled(along, B, u, 0.3, V, u[::-1].copy(), -0.7, X, Y, CODES)
    assert plan.passes == 1 and plan.any_rows and not any(order == 2 for order, _ in orders(plan))


@pytest.mark.parametrize(
    "f",
    [
        lambda b, v, *data: bb.grad(lambda b: np.sum(bb.grad(logistic)(b, *data) ** 2))(b),
        lambda b, v, *data: bb.grad(lambda b: bb.hvp(lambda b: logistic(b, *data), (b,), (v,)) @ v)(b),
        lambda b, v, *data: bb.grad(lambda v: bb.hvp(lambda b: logistic(b, *data), (b,), (v,)) @ v)(v),
        lambda b, v, *data: bb.jacobian(bb.hessian(logistic))(b, *data),
        lambda b, v, X, y: bb.grad(lambda b: np.linalg.slogdet(bb.hessian(logistic)(b, X[:, :4], y))[1])(b[:4]),
    ],
    ids=["norm of a gradient", "slope of a curvature", "by the vector", "all of third order", "Laplace"],
)
def test_derivatives_of_products_are_passes_too(f):
    plan = compiled(f, B, V, X, Y)
    assert plan.passes and plan.any_rows and not steps_of_numpy(plan, 67)


def test_many_derivatives_of_hessians_are_products_of_matrices():
    compiled(bb.grad(lambda b, X, y: np.linalg.slogdet(bb.hessian(logistic)(b, X, y))[1]), B, X, Y)


def test_zero_times_infinity_along_a_vector():
    """The slope of sqrt at 0 meets a branch that is not taken, along a vector as well."""

    def f(b, X):
        eta = X @ b
        return np.sum(np.where(eta > 0, np.sqrt(np.where(eta > 0, eta, 0.0)), 0.0) * b[0])

    A = np.abs(X)
    A[5] = 0.0
    for g in (bb.hessian(f), lambda b, X: bb.hvp(lambda b: f(b, X), (b,), (V,))):
        compiled(g, np.abs(B), A)


def test_a_root_of_a_mean_times_a_parameter():
    """Recorded on zeros in place of sums, where the walk of the Hessian meets infinities twice."""
    compiled(bb.hessian(lambda b, X: np.sqrt(np.mean(X @ b)) * b[0]), np.abs(B), np.abs(X))


def test_what_print_says():
    text = str(compiled(lambda b, v, X, y: bb.hvp(lambda b: logistic(b, X, y), (b,), (v,)), B, V, X, Y))
    assert "Hessian by b along v" in text
    third = compiled(lambda b, v, *data: bb.jacobian(bb.hessian(logistic))(b, *data)[0] @ v, B, V, X, Y)
    assert "third derivative by" in str(third)
