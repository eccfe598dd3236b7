"""Traps of values and types, and the decided questions of what a Variable does when it meets plain NumPy."""

import math
import operator

import numpy as np
import pytest

import bibun as bb
from bibun import Variable


def leaf(value, **kw):
    return Variable(np.asarray(value, **kw))


@pytest.mark.parametrize(
    "expression",
    [
        lambda x: np.float64(2) * x,
        lambda x: x * np.float64(2),
        lambda x: 2 * x,
        lambda x: x + x,
        lambda x: np.array(2.0) * x,
        lambda x: x * np.int64(2),
        lambda x: np.int64(2) * x,
        lambda x: x - (-x),
        lambda x: 2 * x - 0,
        lambda x: 4 * x / 2,
        lambda x: x / np.float64(0.5),
    ],
)
def test_numbers_on_either_side(expression):
    x = leaf(3.0)
    y = expression(x)
    assert isinstance(y, Variable) and y.data == 6
    y.backward()
    assert x.grad.data == 2


def test_powers():
    assert bb.grad(lambda x: x ** np.int64(3))(2.0) == 12
    assert bb.grad(lambda x: 2**x)(3.0) == pytest.approx(8 * np.log(2))
    assert bb.grad(lambda x: np.float64(2) ** x)(3.0) == pytest.approx(8 * np.log(2))


def test_integers_differentiate_as_float64():
    x = Variable(np.array(10))
    y = x**2
    assert y.data == 100 and y.data.dtype == x.data.dtype and isinstance(y.data, np.ndarray)
    y.backward()
    assert x.grad.data == 20 and x.grad.dtype == np.float64
    g = bb.grad(lambda n: np.sum(n**2))(np.array([1, 2]))
    assert g.tolist() == [2, 4] and g.dtype == np.float64
    assert bb.grad(lambda n: n**3)(2) == 12
    x = Variable(np.array([1, 2, 4]))
    np.sum(x**-1.0).backward()
    np.testing.assert_allclose(x.grad.data, [-1, -1 / 4, -1 / 16])
    x = Variable(np.array([1, 2, 4]))
    np.sum(np.sqrt(x) / x).backward()
    np.testing.assert_allclose(x.grad.data, -0.5 * np.array([1.0, 2, 4]) ** -1.5)


@pytest.mark.parametrize(
    "expression",
    [
        lambda x: x * 2.5 + 1,
        lambda x: np.exp(-x) / 3,
        lambda x: x**2,
        lambda x: np.mean(x) * 0.5,
        lambda x: x @ x,
        lambda x: x - 1,
    ],
)
def test_float32_survives(expression):
    x = leaf([1.0, 2.0], dtype=np.float32)
    y = expression(x)
    assert y.dtype == np.float32
    np.sum(y).backward()
    assert x.grad.dtype == np.float32
    assert bb.grad(lambda z: np.sum(expression(z)))(x.data).dtype == np.float32


def test_empty_arrays():
    x = leaf(np.zeros((0, 3)))
    y = np.sum(np.exp(x) * 2)
    y.backward()
    assert y.data == 0 and x.grad.shape == (0, 3)


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6.0)[::-1].reshape(2, 3),
        np.arange(12.0).reshape(2, 6)[:, ::2],
        np.broadcast_to(np.arange(3.0), (2, 3)),
    ],
)
def test_any_memory_layout(array):
    g = bb.grad(lambda x: np.sum(np.sin(x) @ x.T))(array)
    np.testing.assert_allclose(g, bb.grad(lambda x: np.sum(np.sin(x) @ x.T))(np.array(array, order="C")), rtol=1e-14)


def test_subclasses_and_foreign_arrays():
    with pytest.raises(TypeError, match="masked"):
        Variable(np.ma.masked_array([1.0, 2.0], [True, False]))

    class Sub(np.ndarray):
        pass

    assert type(Variable(np.ones(2).view(Sub)).data) is np.ndarray
    with pytest.raises(TypeError, match="object"):
        Variable(np.array([1.0, None], dtype=object))
    with pytest.raises(TypeError, match="numbers"):
        Variable(["a"])

    class Mine(Variable):
        pass

    x = Mine(np.array(3.0))
    (x * x).backward()
    assert x.grad.data == 6


def test_lists_of_variables():
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(bb.TrackedVariable, match=r"np\.stack|v\.data"):
        np.array([x, y])
    with pytest.raises(bb.TrackedVariable, match=r"np\.stack"):
        Variable([x, y])
    s = np.array([x, y * 2], like=x)
    np.sum(s * s).backward()
    assert (x.grad.data, y.grad.data) == (2, 16)
    x.cleargrad()
    np.sum(np.stack([x, y])).backward()
    assert x.grad.data == 1
    x.cleargrad()
    np.sum(leaf([1.0, 2.0]) * [x, 3.0]).backward()
    assert x.grad.data == 1


@pytest.mark.parametrize(
    ("escape", "advice"),
    [
        (lambda v: float(v), "v.item()"),
        (lambda v: math.exp(v), "np.exp(v) instead of math.exp(v)"),
        (lambda v: int(v), "v.item()"),
        (lambda v: complex(v), "v.item()"),
        (lambda v: np.asarray(v), "v.data"),
        (lambda v: np.array(v), "v.data"),
        (lambda v: [1, 2, 3][v], "v.item()"),
        (lambda v: operator.setitem(np.zeros(2), 0, v), "np.stack([v, …]) instead of a[i] = v"),
        (lambda v: np.full(3, v), "np.full_like"),
        (lambda v: np.add(1.0, v, out=np.zeros(())), "a + v"),
        (lambda v: operator.iadd(np.zeros(()), v), "a + v"),
        (lambda v: operator.setitem(v * np.ones(2), 0, 3.0), "np.where"),
        (lambda v: np.linspace(0, 1, v), "v.item()"),
    ],
)
def test_a_tracked_variable_never_becomes_plain_in_silence(escape, advice):
    with pytest.raises((TypeError, ValueError)) as caught:
        escape(leaf(2.0))
    said = caught.value if isinstance(caught.value, bb.TrackedVariable) else caught.value.__cause__  # NumPy may wrap it
    assert isinstance(said, bb.TrackedVariable) and advice in str(said)


def test_what_is_said_aloud_is_allowed():
    x = leaf(2.0)
    assert x.item() == 2 and float(x.data) == 2 and x.tolist() == 2
    assert bool(x) and (x > 1) and not (x < 1)
    assert isinstance(x > 1, (bool, np.bool_, np.ndarray))


def test_constants_behave_as_arrays_everywhere():
    x = leaf([1.0, 2.0])
    np.sum(x * x).backward()
    g = x.grad
    assert isinstance(g, Variable) and g.creator is None
    assert np.asarray(g).tolist() == [2, 4] and float(g[0]) == 2
    a = np.zeros(2)
    a[:] = g
    a += g
    assert a.tolist() == [4, 8]
    assert np.linalg.norm(g) == pytest.approx(np.sqrt(20))
    x.data -= 0.5 * g
    assert x.data.tolist() == [0, 0]
    x.data = x.data - 0.5 * x.grad
    assert x.data.tolist() == [-1, -2]
    assert f"{leaf(0.5) * 1:.3f}" == "0.500" and f"{leaf(2.0):.2f}" == "2.00"


def test_grad_is_kept_in_the_shape_and_type_of_the_leaf():
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match="shape"):
        x.grad = np.ones(3)
    with pytest.raises(bb.TrackedVariable):
        x.data = x * 2


def test_complex_intermediates_of_real_functions():
    x = np.array([1.0, 2.0, -1.0, 0.5])
    f = lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2)
    g = bb.grad(f)(x)
    assert g.dtype == np.float64
    np.testing.assert_allclose(g, 2 * 4 * x, rtol=1e-12)


def test_results_that_have_no_gradient_are_refused_with_a_sentence():
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        bb.grad(lambda x: x * 2)(np.ones(2))
    with pytest.raises(TypeError, match="bool"):
        bb.grad(lambda x: x > 0)(1.0)
    with pytest.raises(TypeError, match="complex"):
        bb.grad(lambda x: x * 1j)(1.0)
    with pytest.raises(TypeError, match="NoneType"):
        bb.grad(lambda x: None)(1.0)
    assert bb.grad(lambda x: np.reshape(x, (1, 1)) * 2)(1.0) == 2
    assert bb.grad(lambda x: 3.0)(np.ones((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert bb.grad(lambda x: np.floor(x))(1.5) == 0


def test_a_missing_rule_names_the_function_and_the_line():
    with pytest.raises(bb.MissingRule, match=r"np\.packbits.*general\(np\.packbits"):
        np.packbits(leaf([1.0]))
    with pytest.raises(NotImplementedError):
        np.packbits(leaf([1.0]))


def test_unknown_operands():
    with pytest.raises(TypeError):
        leaf(1.0) + "a"
    with pytest.raises(TypeError):
        leaf(1.0) + None


def test_functions_may_forget_their_super():
    class Odd(bb.Function):
        def __init__(self, k):
            self.k = k

        def forward(self, x):
            return self.k * x

        def backward(self, gy):
            return self.k * gy

    x = leaf(2.0)
    Odd(3)(x).backward()
    assert x.grad.data == 3


def test_what_a_function_returns_is_checked():
    class Bad(bb.Function):
        def forward(self, x):
            return x

        def backward(self, gy):
            return self.wrong(gy)

    class Shape(Bad):
        def wrong(self, gy):
            return np.ones(7)

    class Count(Bad):
        def wrong(self, gy):
            return gy, gy

    with pytest.raises(ValueError, match=r"shape \(7,\)"):
        Shape()(leaf([1.0, 2.0])).backward()
    with pytest.raises(ValueError, match="2 gradients for 1 input"):
        Count()(leaf(1.0)).backward()
    with pytest.raises(NotImplementedError, match="forward"):
        bb.Function()(leaf(1.0))


def test_nested_parameters():
    from dataclasses import dataclass

    @dataclass
    class P:
        a: object
        b: object

    g = bb.grad(lambda p: np.sum(p.a**2) * p.b[0])(P(np.array([1.0, 2.0]), (3.0, 4.0)))
    assert isinstance(g, P) and g.a.tolist() == [6, 12] and float(g.b[0]) == 5 and float(g.b[1]) == 0
    g = bb.grad(lambda p: p["x"] * p["y"][1])({"x": 2.0, "y": [1.0, 5.0]})
    assert float(g["x"]) == 5 and [float(v) for v in g["y"]] == [0, 2]
    g = bb.grad(lambda a, b: a * b, argnums=(0, 1))(2.0, 3.0)
    assert tuple(map(float, g)) == (3, 2)
    g, aux = bb.grad(lambda x: (x * x, {"twice": 2 * x}), has_aux=True)(3.0)
    assert g == 6 and aux["twice"] == 6 and not isinstance(aux["twice"], Variable)
    h = bb.hessian(lambda p: p["a"] ** 2 * p["b"])({"a": 2.0, "b": 3.0})
    assert float(h["a"]["a"]) == 6 and float(h["a"]["b"]) == 4 and float(h["b"]["b"]) == 0
    with pytest.raises(ValueError, match="no array"):
        bb.grad(lambda p: 1.0)({})
    with pytest.raises(TypeError, match="argument 0"):
        bb.grad(lambda p: 1.0)("text")


def test_transforms_give_arrays_for_arrays_and_variables_for_variables():
    assert not isinstance(bb.grad(np.sin)(1.0), Variable)
    assert isinstance(bb.grad(np.sin)(leaf(1.0)), Variable)
    y, t = bb.jvp(np.sin, (1.0,), (1.0,))
    assert not isinstance(y, Variable) and not isinstance(t, Variable)
    y, back = bb.vjp(np.sin, leaf(1.0))
    assert isinstance(y, Variable) and isinstance(back(1.0)[0], Variable)
