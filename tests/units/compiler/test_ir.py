"""The builder: every primitive as NumPy has it, every width alike, truth values among numbers, rare code."""

import re
from typing import Any

import numpy as np
import pytest

from bibun.compiler import lowering_ufuncs, machine  # noqa: F401
from bibun.compiler.expression import BOOLEAN, Expressions
from bibun.compiler.ir import VECTOR, Builder, literal
from bibun.compiler.scalar_math import PRIMITIVE, m
from tests.units.compiler.kernels import compiled, loop

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

POINTS = np.array([0.0, -0.0, 1, -1, 2.5, -2.5, 3.5, np.inf, -np.inf, np.nan, 5e-324, -1e-310, 1e300, 0.5, -0.5, 1e16])
WIDTHS = [(8, True), (4, True), (2, True), (1, True), (1, False)]
WRITTEN = sorted(PRIMITIVE - set(VECTOR))
UNARY = {"negative", "absolute", "sqrt", "floor", "ceil", "trunc", "rint", "logical_not", "isnan"}


def pairs() -> tuple[np.ndarray, np.ndarray]:
    a, b = np.meshgrid(POINTS, POINTS)
    return a.ravel(), b.ravel()


@pytest.mark.parametrize("lanes, inline", WIDTHS)
@pytest.mark.parametrize("op", [op for op in WRITTEN if op != "where"])
def test_primitive(op: str, lanes: int, inline: bool) -> None:
    home = Expressions()
    xs = pairs()
    leaves = [home.leaf("input", k) for k in range(1 if op in UNARY else 2)]
    (y,) = compiled([home.make(op, *leaves)], 2, lanes, inline)(*xs)
    with np.errstate(all="ignore"):
        expected = getattr(np, op)(*xs[: len(leaves)]).astype(float)
    assert np.array_equal(y, expected, equal_nan=True)
    if op not in ("maximum", "minimum"):  # of a zero of each sign NumPy takes one or the other, by the machine
        zero = expected == 0
        assert np.array_equal(np.signbit(y[zero]), np.signbit(expected[zero]))


@pytest.mark.parametrize("op", ["maximum", "minimum"])
@pytest.mark.parametrize("constant", [0.0, -1.0, np.inf, np.nan])
def test_extremes_of_a_constant(op: str, constant: float) -> None:
    home = Expressions()
    x = home.leaf("input", 0)
    y, z = compiled([home.make(op, x, constant), home.make(op, constant, x)], 1)(POINTS)
    with np.errstate(all="ignore"):
        expected = getattr(np, op)(POINTS, constant)
    assert np.array_equal(y, expected, equal_nan=True) and np.array_equal(z, expected, equal_nan=True)


def test_negative_turns_the_sign_of_zero_and_nan() -> None:
    home = Expressions()
    (y,) = compiled([-home.leaf("input", 0)], 1)(np.array([0.0, -0.0, np.nan]))
    assert np.signbit(y).tolist() == [True, False, True]


@pytest.mark.parametrize("lanes, inline", WIDTHS)
def test_truth_values_among_numbers(lanes: int, inline: bool) -> None:
    home = Expressions()
    a, b = home.leaf("input", 0), home.leaf("input", 1)
    less, nan = m.less(a, b), m.isnan(a)
    roots = [less + 1.0, less * a, m.where(less, nan, m.equal(a, b)), m.where(less, nan, a), m.where(a, 1.0, 2.0),
             m.logical_and(a, less), m.equal(less, nan), m.exp(less), m.maximum(less, 0.5)]  # fmt: skip
    x, y = pairs()
    with np.errstate(all="ignore"):
        lt, isnan = x < y, np.isnan(x)
        expected: list[Any] = [
            lt + 1.0, lt * x, np.where(lt, isnan, x == y), np.where(lt, isnan, x), np.where(x, 1.0, 2.0),
            np.logical_and(x, lt), lt == isnan, np.exp(lt.astype(float)), np.maximum(lt, 0.5),
        ]  # fmt: skip
    for k, (got, want) in enumerate(zip(compiled(roots, 2, lanes, inline)(x, y), expected, strict=True)):
        np.testing.assert_allclose(got, want, rtol=2e-16, atol=0, err_msg=str(k))


def test_the_graph_says_what_is_boolean() -> None:
    home = Expressions()
    a = home.leaf("input", 0)
    for op in BOOLEAN & PRIMITIVE:
        assert home.make(op, *[a] * (1 if op in UNARY else 2)).boolean


def test_shared_nodes_are_written_once() -> None:
    home = Expressions()
    x = home.leaf("input", 0)
    e = m.exp(-m.absolute(x))
    b = Builder(8)
    b.body([e + 1.0, e * 2.0, m.log1p_unit(e)], lambda leaf: "%x")
    assert sum("fdiv" in line for line in b.lines) == 1
    assert sum(literal(-745.5) in line for line in b.lines) == 2  # a comparison and a choice: one exponential


def test_sine_and_cosine_share_their_reduction() -> None:
    home = Expressions()
    x = home.leaf("input", 0)
    both, one = Builder(8), Builder(8)
    both.body([m.sin(x), m.cos(x)], lambda leaf: "%x")
    one.body([m.sin(x)], lambda leaf: "%x")
    assert len(both.lines) < 1.5 * len(one.lines)
    y, z = compiled([m.sin(x), m.cos(x)], 1)(np.array([1.0, 1e10, -3.0]))
    np.testing.assert_allclose([y, z], [np.sin([1.0, 1e10, -3.0]), np.cos([1.0, 1e10, -3.0])], rtol=4e-16)


def test_a_called_function_is_written_once() -> None:
    home = Expressions()
    x = home.leaf("input", 0)
    b = Builder(1, inline=False)
    b.body([m.exp(m.exp(x)) + m.exp(x * 2.0)], lambda leaf: "%x")
    assert list(b.functions) == ["bibun_exp_1"]
    assert sum("call double @bibun_exp_1" in line for line in b.lines) == 3


@pytest.mark.parametrize("lanes", [8, 4, 2, 1])
def test_rare_code_runs_where_a_lane_needs_it(lanes: int) -> None:
    def write(b: Builder, xs: list[str]) -> list[str]:
        large = b.compare("ogt", xs[0], b.number(2.0))
        return [b.rarely(large, b.neg(xs[0]), "cubed", lambda b, x: b.mul(x, b.mul(x, x)), xs[0])]

    x = np.array([1.0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 5])
    (y,) = loop(write, 1, 1, lanes, True)(x)
    assert np.array_equal(y, np.where(x > 2, x**3, -x))


@pytest.mark.parametrize("lanes", [8, 1])
def test_functions_of_c(lanes: int) -> None:
    (y,) = loop(lambda b, xs: [b.call("fmod", *xs)], 2, 1, lanes, True)(np.arange(9.0), np.full(9, 4.0))
    assert np.array_equal(y, np.arange(9.0) % 4)


@pytest.mark.parametrize("inline", [True, False])
def test_static_arguments_are_part_of_a_called_functions_name(inline: bool) -> None:
    VECTOR["times"] = lambda b, x, n: b.mul(x, b.number(float(n)))
    try:
        made = loop(lambda b, xs: [b.function("times", xs[0], 3), b.function("times", xs[0], -2)], 1, 2, 1, inline)
        y, z = made(np.array([1.0, 2.0]))
    finally:
        del VECTOR["times"]
    assert y.tolist() == [3, 6] and z.tolist() == [-2, -4]


def test_an_operation_without_code_is_named() -> None:
    with pytest.raises(KeyError, match="no kernel can write 'nonsense'"):
        Builder(8).function("nonsense", "%x")


def test_constants_are_written_by_their_bits() -> None:
    assert Builder(1).number(-0.0) == "0x8000000000000000"
    assert re.fullmatch(r"splat \(double 0x7FF0000000000000\)", Builder(4).number(np.inf))
