"""What the article's book goes on to teach, on this engine: branching graphs, optimisation, double backpropagation,
broadcasting, regression, a network, classification."""

import mpmath
import numpy as np
import pytest

import bibun as bb
from bibun import Function, Variable


def test_functions_of_two_variables():
    def matyas(x, y):
        return 0.26 * (x**2 + y**2) - 0.48 * x * y

    def goldstein(x, y):
        return (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
            30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
        )

    for f, expected in ((matyas, (0.040000000000000036, 0.040000000000000036)), (goldstein, (-5376.0, 8064.0))):
        x, y = Variable(np.array(1.0)), Variable(np.array(1.0))
        f(x, y).backward()
        np.testing.assert_allclose((x.grad.data, y.grad.data), expected, rtol=1e-13)


def test_gradient_descent_and_newton_on_a_polynomial():
    f = lambda x: x**4 - 2 * x**2
    x = Variable(np.array(2.0))
    for _ in range(10):  # Newton's method, with the second derivative from a recorded walk
        y = f(x)
        x.cleargrad()
        y.backward(create_graph=True)
        gx = x.grad
        x.cleargrad()
        gx.backward()
        x.data = x.data - gx.data / x.grad.data
    assert x.data == pytest.approx(1.0, abs=1e-15)


def test_rosenbrock_by_gradient_descent():
    x0, x1 = Variable(np.array(0.0)), Variable(np.array(2.0))
    for _ in range(10_000):
        y = 100 * (x1 - x0**2) ** 2 + (x0 - 1) ** 2
        x0.cleargrad()
        x1.cleargrad()
        y.backward()
        x0.data -= 0.001 * x0.grad
        x1.data -= 0.001 * x1.grad
    a, b = 0.0, 2.0
    for _ in range(10_000):
        a, b = a - 0.001 * (-400 * a * (b - a * a) + 2 * (a - 1)), b - 0.001 * 200 * (b - a * a)
    np.testing.assert_allclose((x0.data, x1.data), (a, b), rtol=1e-12)
    assert 0.99 < x0.data < 1 and 0.98 < x1.data < 1


def test_high_derivatives_of_sin_and_tanh():
    x = Variable(np.linspace(-7, 7, 50))
    y = np.sin(x)
    y.backward(create_graph=True)
    for expected in (np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v), np.sin):
        np.testing.assert_allclose(x.grad.data, expected(x.data), atol=1e-15)
        gx = x.grad
        x.cleargrad()
        gx.backward(create_graph=True)
    f = np.tanh
    for _ in range(6):
        f = bb.grad(f)
    assert f(0.5) == pytest.approx(float(mpmath.diff(mpmath.tanh, 0.5, 6)), rel=1e-12)


def test_double_backpropagation():
    x = Variable(np.array(2.0))
    y = x**2
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    z = gx**3 + y
    z.backward()
    assert x.grad.data == 100


def test_broadcasting_and_sums():
    a, b = Variable(np.array([1.0, 2.0, 3.0])), Variable(np.array([10.0]))
    np.sum((a + b) * 2, axis=0, keepdims=True).backward()
    assert a.grad.data.tolist() == [2, 2, 2] and b.grad.data.tolist() == [6]


def test_linear_regression():
    rng = np.random.default_rng(0)
    x = rng.random((100, 1))
    y = 5 + 2 * x + rng.random((100, 1))
    W, b = Variable(np.zeros((1, 1))), Variable(np.zeros(1))
    for _ in range(2000):
        loss = np.sum((y - (x @ W + b)) ** 2) / len(x)
        W.cleargrad()
        b.cleargrad()
        loss.backward()
        W.data -= 0.1 * W.grad.data
        b.data -= 0.1 * b.grad.data
    slope, intercept = np.polyfit(x[:, 0], y[:, 0], 1)
    assert W.data.item() == pytest.approx(slope, rel=1e-8) and b.data.item() == pytest.approx(intercept, rel=1e-8)


class Affine(Function):
    """A layer as a Function of three inputs."""

    def forward(self, x, W, b):
        return x @ W + b

    def backward(self, gy):
        x, W, _ = (v.data for v in self.inputs)
        return gy @ W.T, x.T @ gy, np.sum(gy, axis=0)


def test_a_two_layer_network():
    rng = np.random.default_rng(0)
    x = rng.random((100, 1))
    y = np.sin(2 * np.pi * x)
    p = [
        Variable(0.5 * rng.standard_normal((1, 10))),
        Variable(np.zeros(10)),
        Variable(0.5 * rng.standard_normal((10, 1))),
        Variable(np.zeros(1)),
    ]
    losses = []
    for _ in range(3000):
        h = 1 / (1 + np.exp(-Affine()(x, p[0], p[1])))
        loss = np.mean((Affine()(h, p[2], p[3]) - y) ** 2)
        for v in p:
            v.cleargrad()
        loss.backward()
        for v in p:
            v.data -= 0.5 * v.grad
        losses.append(loss.item())
    assert losses[-1] < 0.1 < losses[0]


def test_softmax_classification():
    from bibun.special import log_softmax

    rng = np.random.default_rng(1)
    centres = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])
    label = np.repeat(np.arange(3), 30)
    x = centres[label] + 0.5 * rng.standard_normal((90, 2))
    W, b = Variable(np.zeros((2, 3))), Variable(np.zeros(3))
    for _ in range(100):
        loss = -np.mean(log_softmax(x @ W + b, axis=1)[np.arange(90), label])
        W.cleargrad()
        b.cleargrad()
        loss.backward()
        W.data -= W.grad
        b.data -= b.grad
    assert np.mean(np.argmax(x @ W.data + b.data, axis=1) == label) == 1.0


def test_names_and_pictures():
    x = Variable(np.array(1.0), name="x")
    y = x * 2
    y.name = "y"
    assert x.name == "x" and "name='x'" in repr(x)
    dot = bb.draw(y, "dot").dot
    assert "x" in dot and "y" in dot
    assert (x * 1).name is None
