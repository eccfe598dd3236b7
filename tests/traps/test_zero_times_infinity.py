"""A cotangent or tangent that is exactly zero contributes exactly zero, in every walk."""

import warnings

import numpy as np
import pytest

import bibun as bb
from bibun import Variable

ABSENT = [
    ("log in the branch not taken", lambda x: np.sum(np.where(x > 0, np.log(np.abs(x)), 0.0)), [0.0, 2.0], [0, 0.5], [0, -0.25]),
    ("sqrt in the branch not taken", lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), [0.0, 4.0], [0, 0.25], [0, -1 / 32]),
    ("a division by zero not taken", lambda x: np.sum(np.where(x != 0, np.sin(x) / x, 1.0)), [0.0, 1.0], [0, np.cos(1) - np.sin(1)], None),
    ("a power not taken", lambda x: np.sum(np.where(x > 0, x**0.5, x)), [0.0, 4.0], [1, 0.25], [0, -1 / 32]),
    ("an element not read", lambda x: np.log(x)[1], [0.0, 2.0], [0, 0.5], [0, -0.25]),
    ("zero weights", lambda x: np.sum(np.array([0.0, 1.0]) * np.log(x)), [0.0, 2.0], [0, 0.5], [0, -0.25]),
    ("a matrix product with zeros", lambda x: np.array([0.0, 1.0]) @ np.log(x), [0.0, 2.0], [0, 0.5], [0, -0.25]),
    ("a maximum that hides it", lambda x: np.sum(np.maximum(np.log(x), -5.0)), [0.0, 2.0], [0, 0.5], [0, -0.25]),
    ("arccos at the edge, not read", lambda x: np.arccos(x)[1], [1.0, 0.5], [0, -1 / np.sqrt(0.75)], None),
]  # fmt: skip


def quiet(f):
    def g(*args):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return f(*args)

    return g


@pytest.mark.parametrize(("name", "f", "x", "gradient", "curvature"), ABSENT, ids=[a[0] for a in ABSENT])
def test_what_is_not_there_adds_nothing(name, f, x, gradient, curvature):
    f, x = quiet(f), np.array(x)
    np.testing.assert_allclose(bb.grad(f)(x), gradient, rtol=1e-14)
    forward = [bb.jvp(f, (x,), (e,))[1] for e in np.eye(2)]
    np.testing.assert_allclose(forward, gradient, rtol=1e-14)
    v = Variable(x)
    f(v).backward()
    np.testing.assert_allclose(v.grad.data, gradient, rtol=1e-14)
    if curvature is not None:
        h = bb.hessian(f)(x)
        np.testing.assert_allclose(np.diag(h), curvature, rtol=1e-13)
        assert h[0, 1] == h[1, 0] == 0
        rr = bb.grad(lambda z: np.sum(bb.grad(f)(z)))(x)
        np.testing.assert_allclose(rr, curvature, rtol=1e-13)


def test_an_infinite_slope_that_is_there_stays():
    assert bb.grad(np.sqrt)(0.0) == np.inf
    with np.errstate(divide="ignore"):
        assert bb.grad(np.log)(0.0) == np.inf


def test_the_price_is_said():
    # sqrt(x)**2 is x, and its derivative at 0 is 1: the chain rule has 0 * inf there and zero absorbs
    assert bb.grad(lambda x: np.sqrt(x) ** 2)(0.0) == 0
    assert bb.jvp(lambda x: np.sqrt(x) ** 2, (0.0,), (1.0,))[1] == 0


def test_a_nan_of_the_value_stays_nan():
    with np.errstate(invalid="ignore"):
        assert np.isnan(bb.grad(lambda x: np.log(x) * x)(-1.0))


def test_derivatives_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bb.grad(np.sqrt)(0.0)
        bb.hessian(lambda x: np.sum(x**3))(np.zeros(2))


class TestDebugNans:
    def test_forward(self):
        def f(x):
            return np.log(x - 1.0) * 2

        with (
            pytest.raises(
                bb.NonFinite, match=r"log made an infinity in its forward step.*shape \(\).*test_zero_times_infinity"
            ),
            bb.debug_nans(),
            np.errstate(all="ignore"),
        ):
            bb.grad(f)(1.0)

    def test_backward_names_the_line_that_recorded(self):
        with (
            pytest.raises(
                bb.NonFinite, match=r"sqrt made an infinity in its backward step.*test_zero_times_infinity.py:\d+"
            ),
            bb.debug_nans(),
        ):
            x = Variable(np.array(0.0))
            y = np.sqrt(x)
            y.backward()

    def test_forward_mode(self):
        with pytest.raises(bb.NonFinite, match="forward derivative"), bb.debug_nans():
            bb.jvp(np.sqrt, (0.0,), (1.0,))

    def test_a_branch_not_taken_is_no_fault(self):
        with bb.debug_nans():
            assert bb.grad(lambda x: np.where(x > 0, x, np.sqrt(np.abs(x))) * 1.0)(1.0) == 1

    def test_what_was_handed_on_is_not_blamed(self):
        with bb.debug_nans():
            x = Variable(np.array(np.inf))
            assert np.isinf((x * 2).data)

    def test_a_users_function(self):
        class Log(bb.Function):
            def forward(self, x):
                with np.errstate(all="ignore"):
                    return np.log(x)

            def backward(self, gy):
                return gy / self.input.data

        with pytest.raises(bb.NonFinite, match=r"Log made an infinity in its forward step"), bb.debug_nans():
            Log()(Variable(np.array(0.0)))

    def test_it_ends_with_its_block(self):
        with pytest.raises(ZeroDivisionError), bb.debug_nans():
            1 / 0
        with np.errstate(all="ignore"):
            assert np.isinf(bb.grad(np.log)(0.0))


@pytest.mark.parametrize("product", ["einsum", "tensordot", "cross", "convolve"])
def test_products_of_many_numbers(product):
    """Sums of products, of whatever function, are those of `*` and `sum` where a slope that is not taken is infinite."""

    def f(x, written_out):
        taken = np.where(x > 0, np.sqrt(np.where(x > 0, x, 0.0)), 0.0)  # its slope at 0 is infinite
        a, b = np.stack([taken, x, x * x]), np.array([0.0, 1.0, 2.0])
        if not written_out:
            two = {
                "einsum": lambda: np.einsum("ij,kj,i->k", a, a, b),
                "tensordot": lambda: np.tensordot(a, np.tensordot(b, a, 1), 1),
                "cross": lambda: np.cross(a.T, b),
                "convolve": lambda: np.convolve(a[:, 0], b),
            }
            return np.sum(two[product]() ** 2)
        out = {
            "einsum": lambda: np.sum((b[:, None, None] * a[:, None]) * a[None], (0, 2)),
            "tensordot": lambda: np.sum(a * np.sum(b[:, None] * a, 0), 1),
            "cross": lambda: np.stack(
                [a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3] for i in (0, 1, 2)]
            ),
            "convolve": lambda: np.stack(
                [sum(a[j, 0] * b[k - j] for j in range(3) if 0 <= k - j < 3) for k in range(5)]
            ),
        }
        return np.sum(out[product]() ** 2)

    x, t = np.array([0.0, 2.0]), np.array([1.0, 0.5])
    for walk in (lambda g: bb.grad(g)(x), lambda g: bb.hessian(g)(x), lambda g: bb.jvp(g, (x,), (t,))[1]):
        found, told = walk(lambda x: f(x, False)), walk(lambda x: f(x, True))
        assert np.isfinite(told).all()
        np.testing.assert_allclose(found, told, rtol=1e-12, atol=1e-12)
