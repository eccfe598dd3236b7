"""Scalar kernels: whatever goes in and comes out, pieces of every length, chains, threads, limits."""

import sys
import threading
from typing import Any

import numpy as np
import pytest

from bibun.compiler import machine, scalar_code, scalar_groups, scalar_kernel
from bibun.compiler.expression import Expression, Expressions
from bibun.compiler.scalar_kernel import NoKernel, ScalarKernel, TooLarge
from bibun.compiler.scalar_math import m
from tests.units.compiler.kernels import compiled_function

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.7853981633974483,
    0.7853981633974484,
    3.0,
    1e9,
    2.0**30,
    -1e22,
    5e-324,
    -1e-310,
    1e300,
]
SPECIAL += [np.inf, -np.inf, np.nan]


def leaves(n: int) -> list[Expression]:
    home = Expressions()
    return [home.leaf("input", k) for k in range(n)]


def array(*values: Any) -> np.ndarray:
    result = np.empty(len(values), object)
    result[:] = values
    return result


def single(e: Any) -> np.ndarray:
    result = np.empty((), object)
    result[()] = e
    return result


def same(a: Any, b: Any) -> bool:
    """Equal to the sign of a zero."""
    a, b = np.asarray(a), np.asarray(b)
    return np.array_equal(a, b, equal_nan=True) and np.array_equal(np.signbit(a[a == 0]), np.signbit(b[b == 0]))


def chain(x: Expression, n: int) -> tuple[Expression, Expression]:
    """benchmarks/cases.py's chain, and its derivative as a reverse walk has it."""
    h, xs = x.home, []
    for _ in range(n):
        xs.append(x)
        x = m.sin(x) * 0.9 + x * x * 0.1
    g: Any = h.number(1.0)
    for z in reversed(xs):
        half = g * 0.1
        g = g * 0.9 * m.cos(z) + half * z + half * z
    return x, g


def chain_by_hand(x: Any, n: int) -> tuple[Any, Any]:
    xs = []
    for _ in range(n):
        xs.append(x)
        x = np.sin(x) * 0.9 + x * x * 0.1
    g = 1.0
    for z in reversed(xs):
        half = g * 0.1
        g = g * 0.9 * np.cos(z) + half * z + half * z
    return x, g


def test_inputs_lie_end_to_end_in_c_order() -> None:
    x = leaves(7)
    kernel = ScalarKernel([((), float), ((2, 3), float)], [(array(*x[::-1]), float)])
    a = np.arange(6.0).reshape(2, 3)
    (y,) = kernel([10.0, a])
    assert y.tolist() == [5, 4, 3, 2, 1, 0, 10]
    (y,) = kernel([10.0, np.asfortranarray(a)])
    assert y.tolist() == [5, 4, 3, 2, 1, 0, 10]


@pytest.mark.parametrize("given", [2, 2.0, True, np.float32(2.5), np.array(3, np.int8), np.array(2.5), np.float64(7)])
def test_a_single_number_of_any_kind(given: Any) -> None:
    (x,) = leaves(1)
    (y,) = ScalarKernel([((), np.asarray(given).dtype)], [(single(x * 2.0 + 1.0), float)])([given])
    assert isinstance(y, np.ndarray) and y.shape == () and y == 2 * given + 1


def test_results_of_every_shape_and_dtype() -> None:
    x, y = leaves(2)
    both = array(x + y, 3.0, x * y, x.home.number(-1.5), 2, np.float64(0.25)).reshape(2, 3)
    outputs = [
        (both, np.float64), (both, np.float32), (array(x < y, True, x), bool), (single(x < y), float),
        (single(x), np.int64), (array(x, y), np.float16), (array().reshape(0, 3), float), (array(), np.float32),
    ]  # fmt: skip
    found = ScalarKernel([((2,), float)], outputs)([np.array([0.1, 1 / 3])])
    wanted = np.array([[0.1 + 1 / 3, 3, 0.1 * (1 / 3)], [-1.5, 2, 0.25]])
    assert [a.dtype for a in found] == [np.dtype(d) for _, d in outputs]
    assert [a.shape for a in found] == [y.shape for y, _ in outputs]
    assert same(found[0], wanted) and same(found[1], wanted.astype(np.float32))
    assert found[2].tolist() == [True, True, True] and found[3] == 1.0 and found[4] == 0
    assert same(found[5], np.array([0.1, 1 / 3], np.float16))


def test_narrow_results_overflow_in_silence() -> None:
    (x,) = leaves(1)
    outputs = [(single(x), np.float32), (single(x), np.float16), (single(x), bool)]
    a, b, c = ScalarKernel([((), float)], outputs)([1e300])
    assert a == np.inf and b == np.inf and c
    assert ScalarKernel([((), float)], outputs)([np.nan])[2]
    assert ScalarKernel([], [(single(1e300), np.float32)])([])[0] == np.inf


def test_constants_alone() -> None:
    home = Expressions()
    a, b = ScalarKernel([], [(array(1.0, home.number(np.nan)), float), (single(True), bool)])([])
    assert same(a, [1.0, np.nan]) and b.dtype == bool and b
    assert ScalarKernel([((3,), float)], [])([np.zeros(3)]) == []


def test_results_are_new_arrays() -> None:
    (x,) = leaves(1)
    kernel = ScalarKernel([((), float)], [(array(x, 1.0), float), (single(x), float)])
    first = kernel([1.0])
    first[0][1] = 5.0
    second = kernel([2.0])
    assert [a.tolist() for a in first] == [[1.0, 5.0], 1.0]
    assert [a.tolist() for a in second] == [[2.0, 1.0], 2.0]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 100, 1000])
@pytest.mark.parametrize("whole", [0, 10**6])
def test_pieces_of_any_length(piece: int, whole: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalar_code, "PIECE", piece)
    monkeypatch.setattr(scalar_code, "WHOLE", whole)
    x, y = leaves(2)
    value, slope = chain(x, 6)
    c = x < y  # a truth value that other pieces need
    z = m.where(c, m.exp(x), m.exp(y)) + c + m.tan(value) * m.where(m.logical_and(c, m.isnan(y)), 1.0, m.cos(slope))
    kernel = ScalarKernel([((2,), float)], [(array(value, slope, z), float), (single(c), bool)])
    pieces = kernel.ir.count("call void @piece")
    assert pieces == (1 if piece == 1000 else pieces) and (pieces > 1 or piece >= 100)
    v, g = chain_by_hand(0.3, 6)
    for other in (0.7, -0.7):
        found, smaller = kernel([[0.3, other]])
        last = np.exp(min(0.3, other)) + (other > 0.3) + np.tan(v) * np.cos(g)
        np.testing.assert_allclose(found, [v, g, last], rtol=1e-15)
        assert smaller == (other > 0.3)


@pytest.mark.parametrize("op", ["sin", "cos", "tan"])
def test_angles_are_those_of_vectors(op: str) -> None:
    x = leaves(1)[0]
    alone = ScalarKernel([((), float)], [(single(getattr(m, op)(x)), float)])
    pair = ScalarKernel([((), float)], [(array(m.sin(x), m.cos(x), m.tan(x)), float)])
    random = np.random.default_rng(0)
    points = np.concatenate([SPECIAL, random.normal(size=2000), random.normal(size=2000) * 1e6, [1e-8, -1e-160]])
    vector = compiled_function(op, 1)(points)
    assert same([alone([p])[0] for p in points], vector)
    assert same([pair([p])[0][["sin", "cos", "tan"].index(op)] for p in points], vector)


def test_the_chain_and_its_gradient() -> None:
    (x,) = leaves(1)
    value, slope = chain(x, 250)
    kernel = ScalarKernel([((), float)], [(single(value), float), (single(slope), float)])
    for point in (0.1, 2.0, -3.0, np.nan):
        with np.errstate(all="ignore"):
            wanted = chain_by_hand(point, 250)
        np.testing.assert_allclose(kernel([point]), wanted, rtol=1e-13)


@pytest.mark.parametrize("count", [5, 7, 8, 9, 20])
def test_functions_of_many_numbers_are_vectors(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = leaves(count)
    y = [m.exp(-e * e) + m.arctan2(e, 2.0 if k % 3 else x[0]) for k, e in enumerate(x)]
    z = [m.log(e + 5.0) * m.tanh(e) for e in [*y, x[0] < x[1]]]  # one level on, a truth value among the arguments
    outputs = [(array(*y), float), (single(sum(z[1:], z[0])), float)]
    alone = ScalarKernel([((count,), float)], outputs)
    assert ("bibun_many_exp_nonpositive" in alone.ir) == (machine.lanes() >= 4)
    point = np.linspace(-0.5, 2, count)
    found = alone([point])
    with monkeypatch.context() as patch:
        patch.setattr(scalar_groups, "FEWEST", 10**6)
        one_by_one = ScalarKernel([((count,), float)], outputs)
    assert "bibun_many" not in one_by_one.ir
    assert all(same(a, b) for a, b in zip(found, one_by_one([point]), strict=True))
    wanted = np.exp(-point * point) + np.arctan2(point, np.where(np.arange(count) % 3, 2.0, point[0]))
    np.testing.assert_allclose(found[0], wanted, rtol=1e-15)
    several = np.append(wanted, 1.0)
    np.testing.assert_allclose(found[1], np.sum(np.log(several + 5.0) * np.tanh(several)), rtol=1e-14)


def test_a_program_of_twenty_thousand_operations() -> None:
    (x,) = leaves(1)
    value, slope = chain(x, 1600)
    kernel = ScalarKernel([((), float)], [(single(value), float), (single(slope), float)])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(kernel([3.5]), chain_by_hand(3.5, 1600), rtol=1e-10)


def test_a_program_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalar_kernel, "LIMIT", 20_000)
    (x,) = leaves(1)
    value, _ = chain(x, scalar_kernel.LIMIT // 5)
    with pytest.raises(TooLarge, match=r"of 2\d{4} operations .* \(20000\): run it with NumPy"):
        ScalarKernel([((), float)], [(single(value), float)])
    with pytest.raises(TooLarge):  # results count too
        ScalarKernel([((), float)], [(array(*[x] * 20_001), float)])
    kernel = ScalarKernel([((), float)], [(array(x, *[1.0] * 20_001), float)])  # but constants cost nothing
    assert kernel([0.0])[0].sum() == 20_001


def test_an_operation_without_machine_code() -> None:
    (x,) = leaves(1)
    with pytest.raises(NoKernel, match="no machine code"):
        ScalarKernel([((), float)], [(single(x.home.make("bincount", x)), float)])


def test_wrong_arrays_do_no_harm() -> None:
    x = leaves(2)
    kernel = ScalarKernel([((2,), float)], [(array(*x), float)])
    with pytest.raises(ValueError):
        kernel([np.zeros(3)])
    with pytest.raises(ValueError):
        kernel([])
    assert kernel([[1, 2]])[0].tolist() == [1, 2]


def test_two_threads_at_once() -> None:
    (x,) = leaves(1)
    value, slope = chain(x, 20)
    kernel = ScalarKernel([((), float)], [(array(value, slope), float), (single(x), float)])
    wrong: list[float] = []

    def work(point: float) -> None:
        wanted = kernel([point])[0]
        for _ in range(2000):
            found, given = kernel([point])
            if not np.array_equal(found, wanted) or given != point:
                wrong.append(point)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(0.1 * k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_the_text_is_the_same_every_time() -> None:
    texts = set()
    for _ in range(2):
        (x,) = leaves(1)
        value, slope = chain(x, 100)
        texts.add(ScalarKernel([((), float)], [(array(value, slope, m.exp(x)), float)]).ir)
    assert len(texts) == 1
