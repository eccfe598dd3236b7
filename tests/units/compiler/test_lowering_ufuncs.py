"""Every lowered name against the NumPy function of its rule, on special and random values."""

from typing import Any

import numpy as np
import pytest

import bibun  # noqa: F401  (declares the rules)
from bibun.compiler import lowering_ufuncs, machine
from bibun.compiler.expression import Expression, Expressions
from bibun.compiler.ir import VECTOR
from bibun.compiler.scalar_math import LOWERED, PRIMITIVE, lowered
from bibun.core.rule import TABLE
from tests.units.compiler.kernels import compiled

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

RULES = {rule.name: rule for rule in TABLE if rule.kind in ("elementwise", "constant", "general", "linear")}
RULES |= {rule.name: rule for rule in TABLE if rule.kind in ("elementwise", "multilinear")}
SPECIAL = np.array(
    [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 2, -2, 3, 1.5, 2.5, -3.5, 5e-324, -5e-324, 1e-310, 1e-160,
     -1e-160, 1e160, -1e160, np.finfo(float).max, -np.finfo(float).max, 36.7, -36.7, 709.5, -709.5, 750, -750, 1e-9, 1e9]
)  # fmt: skip
STATIC: dict[str, list[tuple[Any, ...]]] = {
    "power": [(v,) for v in (0, 1, 2, 3, 4, 5, 6, -1, -2, -3, 0.5, -0.5, 1.5, -1.5, 2.7, 7, 0.25, -4.0)],
    "ldexp": [(3,), (-1022,), (1023,), (0,)],
    "round": [(), (0,), (2,), (-1,)],
    "around": [(), (3,)],
    "bessel_quotient": [(0,), (1,), (3,)],
}
BINARY = {
    "absorb", "float_power", "share", "share2", "logaddexp", "logaddexp2", "cosine", "fmax", "fmin", "heaviside",
    "add", "subtract", "multiply", "divide", "maximum", "minimum", "copysign", "equal", "not_equal", "less",
    "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "hypot", "arctan2", "fmod",
    "remainder", "floor_divide", "nextafter",
}  # fmt: skip
TOLERANCE = {"bessel_quotient": 400, "logaddexp": 30, "logaddexp2": 30, "sech_squared": 6}
"""In units in the last place; 4 where nothing is said. Sums of both signs cancel; NumPy's sech² is off by 4 itself."""


def ulps(y: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How far apart, in units in the last place of the expected; 0 where both are NaN, the same, or next to 0."""
    with np.errstate(all="ignore"):
        far = np.abs(y - expected)
        far = np.where(far < 1e-305, 0, far / np.spacing(np.abs(expected)))
    same = (y == expected) | (np.isnan(y) & np.isnan(expected))
    return np.where(same, 0, np.where(np.isnan(far), np.inf, far))


def arguments(name: str, statics: tuple[Any, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    size = rng.normal(size=600) * 10 ** rng.uniform(-4, 3, 600)
    if name not in BINARY and not (name == "power" and not statics):
        return [np.concatenate([SPECIAL, size])]
    a, b = np.meshgrid(SPECIAL, SPECIAL)
    other = rng.normal(size=600) * 10 ** rng.uniform(-4, 3, 600)
    return [np.concatenate([a.ravel(), size, size]), np.concatenate([b.ravel(), other, size])]


def cases() -> list[Any]:
    ours = (None, "bibun.compiler.vector_math", "bibun.compiler.vector_trigonometry")  # the others: test_vector_special
    vectors = {name for name in PRIMITIVE if getattr(VECTOR.get(name), "__module__", None) in ours}
    lines = {name for name, line in LOWERED.items() if line.__module__ == lowering_ufuncs.__name__}
    names = sorted((lines | vectors) & set(RULES) - {"bitwise_and", "bitwise_or", "bitwise_xor", "invert", "where"})
    return [(name, statics) for name in names for statics in STATIC.get(name, [()])] + [("power", ())]


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # since NumPy 2.5
@pytest.mark.parametrize("name, statics", cases())
def test_equals_numpy(name: str, statics: tuple[Any, ...]) -> None:
    xs = arguments(name, statics)
    if name == "bessel_quotient":  # its last steps divide by x², which overflows
        xs = [xs[0][np.abs(xs[0]) < 1e100]]
    home = Expressions()
    leaves = [home.leaf("input", k) for k in range(len(xs))]
    roots = lowered([home.make(name, *leaves, *statics)])
    assert roots is not None
    (y,) = compiled(roots, len(xs))(*xs)
    rule = RULES[name]
    with np.errstate(all="ignore"):
        expected = np.asarray(rule.run(*xs, *statics), float)
    apart = ulps(y, expected)
    wrong = np.flatnonzero(apart > TOLERANCE.get(name, 4))
    assert not wrong.size, [(*(float(x[i]) for x in xs), float(y[i]), float(expected[i])) for i in wrong[:9]]
    zero = (y == 0) & (expected == 0)
    if name not in ("maximum", "minimum", "fmax", "fmin"):  # of a zero of each sign NumPy takes one or the other
        assert np.array_equal(np.signbit(y[zero]), np.signbit(expected[zero]))


def test_one_exponential_is_shared() -> None:
    """logaddexp, its slopes and the slopes' slopes need one exp(-|a - b|)."""
    home = Expressions()
    a, b = home.leaf("input", 0), home.leaf("input", 1)
    made = [home.make("logaddexp", a, b), home.make("share", a, b), home.make("share", b, a)]
    roots = lowered(made)
    assert roots is not None
    assert lowering_ufuncs.decay(a, b) in {e for root in roots for e in _behind(root)}
    assert sum(e.op == "exp" for e in {e for root in roots for e in _behind(root)}) == 1


def _behind(e: Expression) -> set[Expression]:
    return {e}.union(*(_behind(a) for a in e.args if isinstance(a, Expression)))
