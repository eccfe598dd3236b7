"""Traps of second order: users' Functions that read data, mixed modes, third derivatives."""

import numpy as np
import pytest

import bibun as bb
from bibun import Function, Variable


class Square(Function):
    """The article's: its backward reads data."""

    def forward(self, x):
        return x**2

    def backward(self, gy):
        x = self.input.data
        gx = 2 * x * gy
        return gx


class KeepsOutput(Function):
    def forward(self, x):
        self.y = np.exp(x)
        return self.y

    def backward(self, gy):
        return self.y * gy


class ReadsOutput(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return self.output.data * gy


class Opaque(Function):
    """Computes outside NumPy and keeps what it found."""

    def forward(self, x):
        import math

        self.slope = math.cos(float(x))
        return np.asarray(math.sin(float(x)))

    def backward(self, gy):
        return self.slope * gy


class Random(Function):
    def forward(self, x):
        self.noise = np.random.default_rng().normal()
        return x * x * self.noise

    def backward(self, gy):
        return 2 * self.input.data * self.noise * gy


class Swap(Function):
    def forward(self, a, b):
        return a * b, a + b

    def backward(self, gp, gs):
        a, b = (x.data for x in self.inputs)
        return gp * b + gs, gp * a + gs


@pytest.mark.parametrize("cls", [Square, KeepsOutput, ReadsOutput])
def test_a_users_function_is_right_at_every_order(cls):
    f = lambda x: cls()(x) * 1.0
    plain = {Square: lambda x: x**2}.get(cls, np.exp)
    assert np.isclose(bb.grad(bb.grad(f))(0.7), bb.grad(bb.grad(plain))(0.7), rtol=1e-14)
    assert np.isclose(bb.grad(bb.grad(bb.grad(f)))(0.7), bb.grad(bb.grad(bb.grad(plain)))(0.7), rtol=1e-14)
    assert np.isclose(bb.hvp(f, (0.7,), (1.0,)), bb.grad(bb.grad(plain))(0.7), rtol=1e-14)
    assert np.isclose(bb.jvp(f, (0.7,), (2.0,))[1], 2 * bb.grad(plain)(0.7), rtol=1e-14)
    x = Variable(np.array(0.7))
    y = f(x)
    y.backward(create_graph=True)
    g = x.grad
    x.cleargrad()
    g.backward()
    assert np.isclose(x.grad.data, bb.grad(bb.grad(plain))(0.7), rtol=1e-14)


def test_f_of_f_at_second_order():
    def f(x):
        s = Square()
        return s(s(x))

    assert bb.grad(bb.grad(f))(2.0) == 12 * 4


@pytest.mark.parametrize("cls", [Opaque, Random])
def test_what_cannot_be_recorded_again_is_refused(cls):
    x = Variable(np.array(0.7))
    cls()(x).backward()
    assert x.grad is not None
    with pytest.raises((RuntimeError, bb.TrackedVariable)):
        bb.grad(bb.grad(lambda x: cls()(x)))(0.7)


def test_functions_of_several_inputs_and_outputs_at_second_order():
    def f(v):
        p, s = Swap()(v[0], v[1])
        return p * s

    plain = lambda v: v[0] * v[1] * (v[0] + v[1])
    v = np.array([1.5, -0.5])
    np.testing.assert_allclose(bb.hessian(f)(v), bb.hessian(plain)(v), rtol=1e-13)
    np.testing.assert_allclose(bb.jacobian(f, mode="forward")(v), bb.grad(plain)(v), rtol=1e-13)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.exp(np.sin(x)) * x),
        lambda x: np.sum(np.tanh(x @ np.outer(x, x))),
        lambda x: np.log(np.sum(x**2)) * x[0] / x[1],
        lambda x: np.sum(np.where(x > 0.5, x**3, np.cos(x))),
    ],
)
def test_mixed_modes_agree_to_third_order(f):
    x, t, u = np.array([0.3, 0.9, 1.4]), np.array([1.0, -2.0, 0.5]), np.array([0.2, 0.1, -1.0])
    h_fr = bb.jvp(bb.grad(f), (x,), (t,))[1]
    h_rr = bb.grad(lambda x: np.sum(bb.grad(f)(x) * t))(x)
    h_rf = bb.grad(lambda x: bb.jvp(f, (x,), (t,))[1])(x)
    np.testing.assert_allclose(h_fr, h_rr, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(h_fr, h_rf, rtol=1e-12, atol=1e-14)
    ff = bb.jvp(lambda x: bb.jvp(f, (x,), (t,))[1], (x,), (u,))[1]
    np.testing.assert_allclose(ff, h_fr @ u, rtol=1e-12)
    third = bb.grad(lambda x: bb.jvp(lambda x: bb.jvp(f, (x,), (t,))[1], (x,), (u,))[1])(x)
    again = bb.jvp(bb.grad(lambda x: bb.jvp(f, (x,), (t,))[1]), (x,), (u,))[1]
    np.testing.assert_allclose(third, again, rtol=1e-11, atol=1e-12)


def test_fourth_order_of_a_power():
    f = lambda x: x**5
    for k in (5, 20, 60, 120, 120):
        f = bb.grad(f)
        if k == 5:
            assert f(2.0) == 80
    assert f(2.0) == 120


def test_create_graph_accumulates_variables():
    x = Variable(np.array(2.0))
    y = x**4 - 2 * x**2
    y.backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    gx.backward()
    assert gx.data == 24 and x.grad.data == 44  # the book's step 33
