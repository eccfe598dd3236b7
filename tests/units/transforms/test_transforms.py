"""The transforms as functions: signatures, structures, errors, and how they combine."""

import numpy as np
import pytest

import bibun as bb
from bibun import Variable


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


X = np.array([0.5, -1.0, 2.0])


def test_value_and_grad_calls_the_function_once():
    calls = []

    def f(x):
        calls.append(1)
        return np.sum(x**2)

    value, g = bb.value_and_grad(f)(X)
    assert value == np.sum(X**2) and g.tolist() == (2 * X).tolist() and len(calls) == 1


def test_keywords_and_arguments_pass_through():
    def f(x, scale, *, power=2):
        return np.sum(x**power) * scale

    np.testing.assert_allclose(bb.grad(f)(X, 3.0, power=3), 9 * X**2)
    np.testing.assert_allclose(bb.grad(f, argnums=1)(X, 3.0, power=3), np.sum(X**3))
    with pytest.raises(ValueError, match="argnums=5"):
        bb.grad(f, argnums=5)(X, 3.0)
    assert bb.grad(f).__name__ == "f"


def test_a_preset_gradient_is_the_seed():
    x = Variable(X)
    y = x**2
    y.grad = np.array([1.0, 0.0, 2.0])
    y.backward()
    assert x.grad.data.tolist() == [1.0, 0.0, 8.0]
    x.cleargrad()
    z = x * 3
    z.backward()  # without one it is ones, as in the book
    assert x.grad.data.tolist() == [3, 3, 3]


def test_jacobian_in_both_modes():
    f = lambda x: np.stack([np.sum(x**2), x[0] * x[1]])
    forward, reverse = (bb.jacobian(f, mode=m)(X) for m in ("forward", "reverse"))
    np.testing.assert_allclose(forward, [2 * X, [X[1], X[0], 0]])
    np.testing.assert_array_equal(forward, reverse)
    assert bb.jacobian(lambda x: {"a": x, "b": np.sum(x)})(X)["b"].tolist() == [1, 1, 1]
    assert bb.jacobian(lambda x: x * 2.0)(np.ones((2, 2))).shape == (2, 2, 2, 2)
    assert bb.jacobian(lambda x: x)(np.zeros(0)).shape == (0, 0)
    with pytest.raises(ValueError, match="mode"):
        bb.jacobian(f, mode="sideways")


def test_hessian_and_its_products():
    h = bb.hessian(rosenbrock)(X)
    np.testing.assert_allclose(h, h.T)
    np.testing.assert_allclose(bb.hvp(rosenbrock, (X,), (np.array([1.0, 2.0, 3.0]),)), h @ [1, 2, 3], rtol=1e-13)
    g = bb.grad(rosenbrock)
    step = 1e-5
    numeric = np.stack([(g(X + step * e) - g(X - step * e)) / (2 * step) for e in np.eye(3)])
    np.testing.assert_allclose(h, numeric, rtol=1e-6, atol=1e-6)
    assert bb.hessian(lambda a, b: a * b**2, argnums=1)(2.0, 3.0) == 4


def test_vjp_and_jvp_of_nested_values():
    f = lambda p: {"s": np.sum(p["a"]) * p["b"], "m": [p["a"] * 2]}
    p = {"a": X, "b": 3.0}
    _, pullback = bb.vjp(f, p)
    (g,) = pullback({"s": 1.0, "m": [np.ones(3)]})
    np.testing.assert_allclose(g["a"], 3 + 2 * np.ones(3))
    assert g["b"] == pytest.approx(np.sum(X))
    _, t = bb.jvp(f, (p,), ({"a": np.ones(3), "b": 1.0},))
    assert t["s"] == pytest.approx(9 + np.sum(X)) and t["m"][0].tolist() == [2, 2, 2]
    with pytest.raises(ValueError, match="structure"):
        pullback(1.0)
    with pytest.raises(ValueError, match="shape"):
        pullback({"s": np.ones(2), "m": [np.ones(3)]})
    with pytest.raises(ValueError, match="shape"):
        bb.jvp(np.sin, (X,), (np.ones(2),))
    with pytest.raises(TypeError, match="tuples"):
        bb.jvp(np.sin, X, X)


def test_linearize_runs_the_function_once():
    calls = []

    def f(x):
        calls.append(1)
        return np.sin(x)

    y, f_jvp = bb.linearize(f, X)
    for e in np.eye(3):
        np.testing.assert_allclose(f_jvp(e), np.cos(X) * e)
    assert len(calls) == 1 and y.tolist() == np.sin(X).tolist()


def test_complex_numbers_are_not_conjugated():
    z = np.array([1 + 2j, -0.5 + 0.1j])
    _, pullback = bb.vjp(lambda z: z**2, z)
    np.testing.assert_allclose(pullback(np.ones(2, complex))[0], 2 * z)
    _, t = bb.jvp(lambda z: z**3, (z,), (np.array([1j, 1.0]),))
    np.testing.assert_allclose(t, 3 * z**2 * [1j, 1])
    # of a real function: the transpose of (dx, dy) -> f' is f_x - i f_y
    g = bb.grad(lambda z: np.sum(np.real(z) ** 2 + 3 * np.imag(z)))(z)
    np.testing.assert_allclose(g, 2 * z.real - 3j)


class TestVmap:
    def test_axes(self):
        A, b = np.arange(6.0).reshape(2, 3), np.arange(3.0)
        np.testing.assert_allclose(bb.vmap(lambda a: a @ b)(A), A @ b)
        np.testing.assert_allclose(bb.vmap(lambda a, c: a * c, in_axes=(1, None))(A, 2.0), 2 * A.T)
        np.testing.assert_allclose(bb.vmap(lambda a: a * 2, out_axes=1)(A), 2 * A.T)
        np.testing.assert_allclose(bb.vmap(lambda p: p["x"] + p["y"])({"x": A, "y": A})[0], 2 * A[0])

    def test_with_derivatives_inside_and_outside(self):
        A = np.random.default_rng(0).normal(size=(4, 3))
        f = lambda x: np.sum(np.sin(x) ** 2)
        np.testing.assert_allclose(bb.vmap(bb.grad(f))(A), [bb.grad(f)(a) for a in A], rtol=1e-13)
        np.testing.assert_allclose(bb.vmap(bb.hessian(f))(A), [bb.hessian(f)(a) for a in A], rtol=1e-12, atol=1e-14)
        g = bb.grad(lambda A: np.sum(bb.vmap(f)(A)))(A)
        np.testing.assert_allclose(g, [bb.grad(f)(a) for a in A], rtol=1e-13)

    def test_errors(self):
        with pytest.raises(TypeError, match=r"np\.where"):
            bb.vmap(lambda x: x if x > 0 else -x)(X)
        with pytest.raises(ValueError, match="3 and 2"):
            bb.vmap(lambda a, b: a + b)(X, X[:2])
        with pytest.raises(ValueError, match="no examples"):
            bb.vmap(np.sin)(np.zeros((0, 2)))
        with pytest.raises(ValueError, match="in_axes"):
            bb.vmap(lambda a, b: a, in_axes=(0,))(X, X)
        with pytest.raises(ValueError, match="None everywhere"):
            bb.vmap(np.sin, in_axes=None)(X)

    def test_a_branch_not_taken_in_any_example(self):
        g = bb.vmap(bb.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), 0.0))))
        for examples in ([1.0, 0.0, 4.0], [0.0, 1.0, 4.0]):
            expected = [0.5 / np.sqrt(e) if e else 0.0 for e in examples]
            np.testing.assert_allclose(g(np.array(examples)[:, None])[:, 0], expected)
        h = bb.vmap(lambda x: bb.jvp(lambda z: np.where(z > 0, np.sqrt(z), 0.0), (x,), (1.0,))[1])
        np.testing.assert_allclose(h(np.array([1.0, 0.0])), [0.5, 0.0])

    def test_nothing_leaves_the_record(self):
        for f in (lambda x: x.item() * x, lambda x: x.data * x, lambda x: float(x) * x, lambda x: x.tolist() * x):
            with pytest.raises(TypeError, match=r"vmap|item"):
                bb.vmap(f)(np.array([1.0, 2.0]))

    def test_a_constant_result(self):
        assert bb.vmap(lambda x: 3.0)(X).tolist() == [3, 3, 3]


class TestTaylor:
    def test_against_known_series(self):
        import math

        coefficients = bb.taylor(lambda x: 1 / (1 - x), (0.0,), (1.0,), 6)
        np.testing.assert_allclose([float(c) for c in coefficients], np.ones(7))
        coefficients = bb.taylor(lambda x: np.exp(x) * np.cos(x), (0.0,), (1.0,), 8)
        expected = [np.real((1 + 1j) ** k) / math.factorial(k) for k in range(9)]
        np.testing.assert_allclose([float(c) for c in coefficients], expected, atol=1e-15)

    def test_a_high_order_stays_quick_and_right(self):
        coefficients = bb.taylor(lambda x: np.tanh(np.sin(x)), (0.3,), (1.0,), 15)
        step = 0.05
        value = sum(float(c) * step**k for k, c in enumerate(coefficients))
        assert value == pytest.approx(np.tanh(np.sin(0.35)), rel=1e-15)

    def test_order_zero_and_errors(self):
        assert [float(c) for c in bb.taylor(np.sin, (1.0,), (1.0,), 0)] == [np.sin(1.0)]
        with pytest.raises(ValueError, match="order"):
            bb.taylor(np.sin, (1.0,), (1.0,), -1)

    def test_can_be_differentiated(self):
        second = bb.grad(lambda x: 2 * bb.taylor(np.sin, (x,), (1.0,), 2)[2])(0.7)
        assert second == pytest.approx(-np.cos(0.7), rel=1e-14)


class TestCheckGrads:
    def test_finds_a_wrong_derivative_and_says_where(self):
        class Wrong(bb.Function):
            def forward(self, x):
                return np.sin(x)

            def backward(self, gy):
                return gy * np.sin(self.input.data)

        with pytest.raises(AssertionError, match=r"forward derivative of result 0 differs .* at element \(\d,\)"):
            bb.check_grads(Wrong(), X)

    def test_finds_a_wrong_second_derivative(self):
        class Wrong(bb.Function):
            def forward(self, x):
                return x**3

            def backward(self, gy):
                return 3 * np.asarray(bb.stop_gradient(self.input.data)) ** 2 * gy

        bb.check_grads(Wrong(), X, order=1)
        with pytest.raises(AssertionError, match="derivative of the forward derivative"):
            bb.check_grads(Wrong(), X)

    def test_passes_what_is_right(self):
        bb.check_grads(rosenbrock, X, order=3)
        bb.check_grads(lambda p, y: p["a"] * np.exp(-y) + p["b"], {"a": 1.0, "b": X}, np.array([0.1, 0.2, 0.3]))


def test_stop_gradient_on_nested():
    tree = bb.stop_gradient({"a": Variable(X), "b": [1.0]})
    assert isinstance(tree["a"], np.ndarray) and tree["b"] == [1.0]


def test_strict_watch_under_debug_nans():
    a = np.full(100_000, 2.0)
    x = Variable(np.ones(100_000))
    with bb.debug_nans():
        y = np.sum(x * a)
    a[12_345] = 7.0  # not among the 4096 that are sampled
    with pytest.raises(bb.ChangedInPlace):
        y.backward()
