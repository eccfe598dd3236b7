"""Random programs of every operation a kernel knows: each operation has NumPy's value of the arguments it was given in
the kernel; the number of results, the cuts and the width of a kernel change no bit."""

import importlib
from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bibun  # noqa: F401  (declares the rules)
from bibun.compiler import lowering_ufuncs, machine, scalar_code, scalar_groups, vector_math, vector_trigonometry
from bibun.compiler.expression import LEAVES, Expression, Expressions, ordered
from bibun.compiler.ir import VECTOR
from bibun.compiler.scalar_kernel import ScalarKernel
from bibun.compiler.scalar_math import LOWERED, PRIMITIVE, lowered
from tests.units.compiler.kernels import compiled
from tests.units.compiler.test_lowering_ufuncs import BINARY, RULES, STATIC, TOLERANCE, ulps

for name in ("lowering_special", "vector_special"):
    importlib.import_module(f"bibun.compiler.{name}")

MINE = (vector_math.__name__, vector_trigonometry.__name__)

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

SPECIAL_UNARY = {
    "gammaln", "psi", "erf", "erfc", "erfcx", "ndtr", "log_ndtr", "expit", "log_expit", "logit", "entr", "i0e",
    "loggamma", "ndtri",
}  # fmt: skip
SPECIAL_BINARY = {"xlogy", "xlog1py", "rel_entr", "kl_div", "gammainc"}
SPECIAL = SPECIAL_UNARY | SPECIAL_BINARY
"""Of SciPy, some by their addresses. Other tests know how exact each is: here they are to be nearly right."""

POLES = {"gammaln", "loggamma", "psi"}
"""Near theirs SciPy has few digits right."""

LINES = {name for name, line in LOWERED.items() if line.__module__ == lowering_ufuncs.__name__}
OWN = {name for name in PRIMITIVE if getattr(VECTOR.get(name), "__module__", MINE[0]) in MINE}
UFUNCS = {name for name in (LINES | OWN) & set(RULES) - {"where", "invert"} if not name.startswith("bitwise")}
NAMES = sorted(UFUNCS | SPECIAL & (set(LOWERED) | PRIMITIVE))

CONSTANTS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -3.0, 1e-9, 1e160, -5e-324, np.inf, -np.inf, np.nan]
POINTS = [
    *CONSTANTS,
    0.1,
    -0.7,
    0.78,
    1.5707963267948966,
    3.7,
    -12.5,
    40.0,
    700.0,
    -745.2,
    1e5,
    2.0**31,
    1e-160,
    1e-310,
]
INPUTS, MANY = 3, 30

step = st.tuples(
    st.sampled_from([*NAMES, *["where", "add", "subtract", "multiply", "divide", "sin", "cos", "constant"] * 2]),
    st.tuples(*[st.integers(0, 10**6)] * 4),
)


def build(steps: list[tuple[str, tuple[int, ...]]]) -> list[Expression]:
    """The program: every step takes values made before it."""
    home = Expressions()
    made = [home.leaf("input", k) for k in range(INPUTS)]
    for name, (i, j, k, which) in steps:
        a, b, c = (made[n % len(made)] for n in (i, j, k))
        if name == "constant":
            made.append(home.number(CONSTANTS[which % len(CONSTANTS)]))
        elif name == "where":
            made.append(home.make("where", a, b, c))
        else:
            statics = STATIC.get(name, [()])
            args: tuple[Any, ...] = (a, b) if name in BINARY | SPECIAL_BINARY else (a, *statics[which % len(statics)])
            if name == "power" and which % 2:
                args = (a, b)
            if name in ("signbit", "copysign"):  # the sign of a NaN is nobody's
                args = tuple(home.make("where", home.make("isnan", x), 1.0, x) for x in args)
            made.append(home.make(name, *args))
    return [e for e in ordered(made) if e.op not in LEAVES]


def by_numpy(e: Expression, args: list[Any]) -> np.ndarray:
    """The rule's value: NumPy's, of numbers in double precision."""
    with np.errstate(all="ignore"):
        if e.op == "where":
            return np.where(args[0] != 0, args[1], args[2])
        if e.op == "power" and e.args[1].op == "number":  # x ** 0.5 is a square root, at -inf too
            args = [args[0], e.args[1].number]
        statics = [a for a in e.args if not isinstance(a, Expression)]
        run = getattr(scipy.special, e.op) if e.op in SPECIAL else RULES[e.op].run
        return np.asarray(run(*args, *statics), float)


def value_of(a: Expression, points: np.ndarray, found: dict[Expression, np.ndarray]) -> np.ndarray:
    if a.op == "input":
        return points[a.number]
    return np.full(points.shape[1], a.number) if a.op == "number" else found[a]


@pytest.fixture(scope="module", autouse=True)
def no_cache():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIBUN_CACHE", "")
        yield


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    st.lists(step, min_size=15, max_size=40),
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
)
def test_random_programs(steps: list[Any], seed: int, piece: int) -> None:
    program = build(steps)
    if not program:
        return
    random = np.random.default_rng(seed)
    size = (INPUTS, MANY)
    usual = random.normal(size=size) * random.choice([0.1, 1, 30], size)
    values = np.where(random.random(size) < 0.4, random.choice(POINTS, size), usual)
    outputs = np.empty(len(program), object)
    outputs[:] = program
    kernel = ScalarKernel([((INPUTS,), float)], [(outputs, float)])
    rows = np.array([kernel([values[:, p]])[0] for p in range(MANY)])
    found = dict(zip(program, rows.T, strict=True))
    for e in program:
        args = [value_of(a, values, found) for a in e.args if isinstance(a, Expression)]
        wanted = by_numpy(e, args)
        if e.op in SPECIAL:
            sizes = [a if e.op in POLES else np.abs(a) for a in args]
            usual = np.all([(a > 1e-3) & (a < 1e3) for a in sizes], axis=0) & np.isfinite(wanted)
            np.testing.assert_allclose(found[e][usual], wanted[usual], rtol=1e-10, atol=1e-12, err_msg=e.op)
            continue
        far = ulps(found[e], wanted)
        if e.op == "bessel_quotient":
            far[np.abs(args[0]) > 1e100] = 0
        if e.op.startswith("logaddexp"):  # a sum that cancels
            with np.errstate(all="ignore"):
                far[np.abs(found[e] - wanted) < 1e-15 * np.maximum(np.abs(args[0]), 1)] = 0
        wrong = np.flatnonzero(far > TOLERANCE.get(e.op, 4))
        assert not wrong.size, (e.op, e.args, [a[wrong] for a in args], found[e][wrong], wanted[wrong])

    # the same bits whatever else is computed, in pieces of any length, and in vectors
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scalar_code, "PIECE", piece)
        patch.setattr(scalar_code, "WHOLE", 0)
        patch.setattr(scalar_groups, "FEWEST", 1)
        patch.setattr(scalar_groups, "FEWEST_ANGLES", 1 + piece % 2)
        last = ScalarKernel([((INPUTS,), float)], [(outputs[-1:], float), (outputs[:1], float)])
    again = np.array([np.concatenate(last([values[:, p]])) for p in range(MANY)])
    np.testing.assert_array_equal(again, rows[:, [-1, 0]])
    if "declare double @bibun_" in kernel.ir:  # the loops of kernels.py have no addresses
        return
    roots = lowered(program)
    assert roots is not None
    for e, y in zip(program, compiled(roots, INPUTS)(*values), strict=True):
        np.testing.assert_array_equal(y, found[e], err_msg=e.op)
