"""Programs of few numbers: loops, recurrences and small likelihoods become one kernel, and are what they are eagerly."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bibun as bb
from bibun.compiler import machine, scalar_steps

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

RANDOM = np.random.default_rng(7)
SERIES = np.cumsum(RANDOM.normal(size=30)) * 0.3
COUNTS = RANDOM.poisson(3.0, 30).astype(float)
SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e-310, 5e-324, 1e300, np.inf, -np.inf, np.nan]

Program = Callable[..., Any]


def normal(p: Any, y: Any) -> Any:
    return np.sum(0.5 * ((y - p[0]) / np.exp(p[1])) ** 2 + p[1])


def poisson(p: Any, y: Any) -> Any:
    eta = p[0] + p[1] * SERIES[: len(y)]
    return np.sum(np.exp(eta) - y * eta)


def autoregression(p: Any, y: Any) -> Any:
    total = 0.0
    for k in range(1, len(y)):
        e = y[k] - p[0] - p[1] * y[k - 1]
        total = total + 0.5 * e * e * np.exp(-p[0]) + 0.5 * p[0]
    return total


def garch(p: Any, y: Any) -> Any:
    a, b, total = np.exp(p[0]), np.exp(p[1]), 0.0
    h: Any = 1.2
    for k in range(len(y)):
        total = total + 0.5 * (np.log(h) + y[k] ** 2 / h)
        h = 0.1 + a * y[k] ** 2 + b * h
    return total


def kalman(p: Any, y: Any) -> Any:
    q, r = np.exp(p[0]), np.exp(p[1])
    a: Any = 0.0
    v: Any = 10.0
    total = 0.0
    for k in range(len(y)):
        v = v + q
        f, e = v + r, y[k] - a
        total = total + 0.5 * (np.log(f) + e * e / f)
        a, v = a + v / f * e, v * (1 - v / f)
    return total


def pendulum(p: Any, y: Any) -> Any:
    def slope(x: Any, v: Any) -> Any:
        return v, -p[0] * np.sin(x) - p[1] * v

    x, v, h = y[0], y[1], 0.1
    for _ in range(20):
        a, b = slope(x, v)
        c, d = slope(x + h * a, v + h * b)
        x, v = x + h / 2 * (a + c), v + h / 2 * (b + d)
    return x * x + v * v


def hidden_states(p: Any, y: Any) -> Any:
    stay, leave = -np.logaddexp(0, -p[0]), -np.logaddexp(0, p[0])
    a: Any = -1.0
    b: Any = -1.5
    for k in range(len(y)):
        s, t = -0.5 * (y[k] - p[1]) ** 2, -0.5 * (y[k] + p[1]) ** 2
        a, b = np.logaddexp(a + stay, b + leave) + s, np.logaddexp(a + leave, b + stay) + t
    return -np.logaddexp(a, b)


def mixture(p: Any, y: Any) -> Any:
    w = 1 / (1 + np.exp(-p[0]))
    return -np.sum(np.log(w * np.exp(-0.5 * (y - p[1]) ** 2) + (1 - w) * np.exp(-0.5 * (y + p[1]) ** 2)))


def rosenbrock(p: Any, y: Any) -> Any:
    return np.sum(100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2)


PROGRAMS: dict[str, tuple[Program, Any]] = {
    f.__name__: (f, y)
    for f, y in [
        (normal, SERIES), (poisson, COUNTS), (autoregression, SERIES), (garch, SERIES), (kalman, SERIES),
        (pendulum, SERIES), (hidden_states, SERIES), (mixture, SERIES), (rosenbrock, SERIES),
    ]
}  # fmt: skip

DERIVATIVES = {
    "value": lambda f: f,
    "value and gradient": bb.value_and_grad,
    "hessian": bb.hessian,
}


def leaves(x: Any) -> list[Any]:
    return [a for y in x for a in leaves(y)] if isinstance(x, (tuple, list)) else [x]


def agree(found: Any, wanted: Any, rtol: float = 1e-12) -> None:
    assert len(leaves(found)) == len(leaves(wanted))
    for a, b in zip(leaves(found), leaves(wanted), strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-13 * np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))


def kernels(f: Any) -> list[bool]:
    return [plan.kernel is not None for plan in f.plans.values()]


@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_one_kernel_for_a_small_program(name: str, derivative: str) -> None:
    f, y = PROGRAMS[name]
    p = np.array([0.3, -0.4])
    captured = DERIVATIVES[derivative](lambda p: f(p, y))
    given = DERIVATIVES[derivative](f)
    for g, args in ((captured, (p,)), (given, (p, y))):
        fast = bb.compile(g)
        agree(fast(*args), g(*args))
        assert kernels(fast) == [True]
        other = (p + 0.1, *args[1:])
        agree(fast(*other), g(*other))


@pytest.mark.parametrize("name", PROGRAMS)
def test_special_values_as_eagerly(name: str) -> None:
    f, y = PROGRAMS[name]
    g = bb.value_and_grad(lambda p: f(p, y[:6]))
    fast = bb.compile(g)
    for a in SPECIAL:
        for b in SPECIAL[::3]:
            p = np.array([a, b])
            with np.errstate(all="ignore"):
                wanted = g(p)
                if name == "mixture" and np.isnan(wanted[0]):  # in logaddexp a NaN reaches the other parameter too
                    assert np.isnan(fast(p)[0])
                elif not np.isinf(wanted[0]):  # where that overflows a stable form may be finite
                    agree(fast(p), wanted)


def test_a_recurrence_over_much_data() -> None:
    y = RANDOM.normal(size=1000)
    g = bb.value_and_grad(autoregression)
    fast = bb.compile(g)
    p = np.array([0.1, 0.5])
    agree(fast(p, y), g(p, y))
    agree(fast(p, y[::-1].copy()), g(p, y[::-1].copy()))
    assert kernels(fast) == [True]


def test_a_gradient_of_elements_does_not_grow_with_their_square() -> None:
    def f(x: Any) -> Any:
        total = 0.0
        for k in range(len(x) - 1):
            total = total + (x[k + 1] - x[k] ** 2) ** 2
        return total

    g, sizes = bb.value_and_grad(f), []
    for n in (20, 40):
        fast = bb.compile(g)
        x = RANDOM.normal(size=n)
        agree(fast(x), g(x))
        agree(fast(-0.0 * x), g(-0.0 * x))
        sizes.append(len(next(iter(fast.plans.values())).kernel.ir))
    assert sizes[1] < 2.5 * sizes[0]


def test_zero_and_its_sign_among_sums() -> None:
    def f(x: Any) -> Any:
        z = np.zeros(2)
        return (x + z) + z, (x - z) + z, x + (-z), (x * x + z) + z, (x + x) + z, ((x + 1.0) + z) * x

    fast = bb.compile(f)
    for p in SPECIAL:
        x = np.array([p, -p])
        with np.errstate(all="ignore"):
            for a, b in zip(fast(x), f(x), strict=True):
                assert np.array_equal(a, b, equal_nan=True)
                assert np.array_equal(np.signbit(a[a == 0]), np.signbit(b[b == 0]))
    assert kernels(fast) == [True]


@pytest.mark.parametrize("n", [1, 3, 7, 8, 9, 16, 21, 50, 63])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_sums_are_added_in_the_order_of_numpy(n: int, axis: Any) -> None:
    def f(x: Any) -> Any:
        y = x * 3.0
        return np.sum(y, axis=axis), np.mean(y, axis=axis), np.sum(y.T, axis=axis), np.sum(y, axis=axis, keepdims=True)

    x = RANDOM.normal(size=(n, 4)) * 10.0 ** RANDOM.integers(-8, 8, size=(n, 4))
    fast = bb.compile(f)
    for a, b in zip(fast(x), f(x), strict=True):
        assert np.array_equal(a, b)
    assert kernels(fast) == [True]


@pytest.mark.parametrize("n", [127, 128, 129, 136, 255, 300, 1000])
def test_long_sums_are_added_in_halves(n: int) -> None:
    x = RANDOM.normal(size=n)
    assert scalar_steps._pairwise(x.astype(object)) == np.sum(x)


def test_numbers_that_are_rounded_on_the_way_stay_with_numpy() -> None:
    def f(x: Any) -> Any:
        y = np.sin(x) * 2.0
        return np.sum(np.exp(np.cos(y.astype(np.float32).astype(np.float64)) * 1.5 + y))

    fast = bb.compile(f)
    x = np.array([0.1, 0.2])
    assert fast(x) == pytest.approx(float(f(x)), rel=1e-14)


@dataclasses.dataclass
class Point:
    x: Any
    y: Any


def test_the_structure_of_results() -> None:
    def f(x: Any) -> Any:
        y = np.exp(np.sin(x) * 2.0 + 1.0) - x * x
        return {"first": y, "it's": [y + 1.0, (x * 2.0, Point(y * 3.0, None))], "none": None, "empty": ()}

    fast = bb.compile(f)
    for x in (0.5, np.float64(-0.5), np.array(1.5), np.array([0.1, 0.2])):
        found, wanted = fast(x), f(x)
        assert list(found) == list(wanted)
        assert type(found["it's"]) is list and type(found["it's"][1]) is tuple and found["none"] is None
        assert found["empty"] == ()
        point = found["it's"][1][1]
        assert isinstance(point, Point) and point.y is None
        np.testing.assert_allclose(point.x, 3 * wanted["first"], rtol=1e-14)
        np.testing.assert_allclose(found["it's"][1][0], 2 * np.asarray(x))
    assert kernels(fast) == [True] * 3  # a Python number and NumPy's are one kind


def test_results_belong_to_the_caller() -> None:
    fast = bb.compile(bb.value_and_grad(lambda p: normal(p, SERIES)))
    p = np.array([0.1, 0.2])
    value, gradient = fast(p)
    before = gradient.copy()
    gradient[:] = 7.0
    value[...] = 7.0
    again = fast(p)
    assert np.array_equal(again[1], before) and again[0] != 7.0
    assert gradient.base is None and value.base is None and gradient.flags.writeable


def test_zero_times_infinity_is_computed_again() -> None:
    g = bb.value_and_grad(lambda p: np.sum(np.sqrt(p) ** 2 * 2.0 + np.sin(p) * 0.5 - p * p))
    fast = bb.compile(g)
    for p in (np.array([0.0, 1.0]), np.array([4.0, 1.0]), np.array([0.0, 0.0]), np.array([np.nan, 0.0])):
        agree(fast(p), g(p))


def test_a_kernel_says_whether_a_result_is_nan() -> None:
    from bibun.compiler.expression import Expressions
    from bibun.compiler.scalar_kernel import ScalarKernel

    home = Expressions()
    for n in (1, 2, 7, 8, 9, 16, 17, 40):
        x = np.empty(n, object)
        x[:] = [home.leaf("input", k) for k in range(n)]
        truth = np.empty((), object)
        truth[()] = x[0] < 1.0
        kernel = ScalarKernel([((n,), float)], [(truth, bool), (x, np.float32), (x[::-1], float)])
        call = kernel.calling(tuple, lambda arrays: "again")
        for k in range(n):
            values = np.arange(float(n))
            assert call([values])[0]
            values[k] = np.inf
            assert np.isinf(call([values])[1][k])
            values[k] = np.nan
            assert call([values]) == "again"
    assert ScalarKernel([((1,), float)], [(truth, bool)]).calling(list, lambda arrays: "again")([[np.nan]]) == [False]


def test_several_shapes_in_turn() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.exp(np.sin(x)) * x - np.cos(x) * 2.0)

    fast = bb.compile(bb.value_and_grad(f))
    for _ in range(3):
        for x in (np.ones(2), np.ones((2, 1)), np.array(1.0), 1.0, np.float32(1.0), np.ones(3, int), 1):
            agree(fast(x), bb.value_and_grad(f)(np.asarray(x, float)), rtol=1e-6)


def test_arrays_in_any_order_and_of_any_layout() -> None:
    a = RANDOM.normal(size=(3, 4))

    def f(x: Any, y: Any) -> Any:
        return np.sum(np.sin(x) * y, axis=0) + np.exp(x[0, 1]) - y

    fast = bb.compile(f)
    for x in (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2], a[::-1], a.astype(">f8")):
        agree(fast(x, a[0]), f(x, a[0]))


def test_programs_that_are_too_large_are_calls_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalar_steps, "SMALL", 20)
    fast = bb.compile(normal)
    assert fast(np.ones(2), SERIES) == pytest.approx(float(normal(np.ones(2), SERIES)))
    assert kernels(fast) == [False]


def test_counts_given_as_whole_numbers() -> None:
    def f(p: Any, y: Any, k: Any) -> Any:
        eta = p[0] + p[1] * SERIES
        return np.sum(np.exp(eta) - y * eta) * k + np.sum(y)

    p = np.array([0.3, -0.4])
    for derivative in DERIVATIVES.values():
        for y in (COUNTS.astype(int), COUNTS.astype(np.uint8), COUNTS):
            fast = bb.compile(derivative(f))
            for k in (2, np.int32(3), 1.5):
                agree(fast(p, y, k), derivative(f)(p, y, k))
            assert all(kernels(fast))


def test_whole_numbers_that_wrap_around_stay_with_numpy() -> None:
    def f(x: Any, k: Any) -> Any:
        return np.sum(np.exp(np.sin(x) * 2.0) + x * (k - 1) + x * k // 2 + np.cos(x))

    fast = bb.compile(f)
    x = np.array([0.1, 0.2])
    for k in (np.array([0, 255], np.uint8), np.array([2**62, -5]), -3):
        agree(fast(x, k), f(x, k))


def test_a_sum_inside_of_what_is_summed() -> None:
    def f(x: Any) -> Any:
        return np.exp(np.sum(np.sin(x)) * 0.5) * np.mean(x * x) + np.sum(x - np.mean(x)) ** 2

    x = np.array([0.3, -0.4, 0.5])
    for derivative in DERIVATIVES.values():
        fast = bb.compile(derivative(f))
        agree(fast(x), derivative(f)(x))
        assert kernels(fast) == [True]


@dataclasses.dataclass
class Unhashable:
    x: Any
    y: Any


def test_arguments_in_structures() -> None:
    def f(p: Any, power: int = 2, *, name: str = "sin") -> Any:
        a, b = (p.x, p.y) if isinstance(p, Unhashable) else (p["x"], p["y"])
        return np.sum(getattr(np, name)(a) ** power * b + np.exp(b * 0.5) - a)

    x, y = np.array([0.1, 0.2]), np.array(0.5)
    fast = bb.compile(f)
    for _ in range(2):
        for p in (Unhashable(x, y), {"x": x, "y": y}, {"x": x, "y": 0.5}):
            agree(np.asarray(fast(p)), np.asarray(f({"x": x, "y": y})))
            agree(np.asarray(fast(p, name="cos")), np.asarray(f({"x": x, "y": y}, name="cos")))
    assert kernels(fast) == [True] * 4  # a Python number and an array without axes are one kind here
    found = bb.grad(lambda x: fast(Unhashable(x, y)))(x)  # in another derivative the function itself is recorded
    np.testing.assert_allclose(found, 2 * np.sin(x) * np.cos(x) * 0.5 - 1)
    with pytest.raises(TypeError, match="neither a number nor hashable"):
        fast({"x": x, "y": y}, name=bytearray(b"sin"))
