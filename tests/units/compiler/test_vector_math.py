"""How far vector functions are from the truth (mpmath), at points chosen to be hard; and that no width matters.

    python tests/units/compiler/test_vector_math.py

writes tests/golden/accuracy.json, the table these tests keep true: the largest error of each function, in units in the
last place.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

mp = pytest.importorskip("mpmath")

from bibun.compiler import machine, vector_math, vector_trigonometry
from bibun.compiler.ir import VECTOR
from tests.units.compiler.kernels import compiled_function

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

TABLE = Path(__file__).parents[2] / "golden" / "accuracy.json"
MINE = (vector_math.__name__, vector_trigonometry.__name__)
NAMES = sorted(name for name, f in VECTOR.items() if f.__module__ in MINE)
BINARY = {"pow", "hypot", "arctan2", "fmod", "remainder", "floor_divide", "nextafter"}
EXACT = {"fmod", "remainder", "floor_divide", "nextafter"}
REFERENCE: dict[str, Callable[..., Any]] = {
    "exp": mp.exp, "exp_nonpositive": mp.exp, "exp2": lambda x: mp.mpf(2) ** x, "expm1": mp.expm1, "log": mp.log,
    "log1p": mp.log1p, "log1p_unit": mp.log1p, "log2": lambda x: mp.log(x) / mp.log(2), "log10": mp.log10,
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "arcsin": mp.asin,
    "arccos": mp.acos, "arctan": mp.atan, "arcsinh": mp.asinh, "arccosh": mp.acosh, "arctanh": mp.atanh,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)), "hypot": mp.hypot, "arctan2": mp.atan2, "pow": mp.power,
}  # fmt: skip
DOMAIN = {
    "exp_nonpositive": (-np.inf, 0), "log": (0, np.inf), "log2": (0, np.inf), "log10": (0, np.inf),
    "log1p": (-1, np.inf), "log1p_unit": (0, 1), "arcsin": (-1, 1), "arccos": (-1, 1), "arctanh": (-1, 1),
    "arccosh": (1, np.inf),
}  # fmt: skip
SPECIAL = np.array(
    [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 5e-324, -5e-324, 1e-310, 2.0**-1022, np.finfo(float).max, -1e300, 0.5, 2,
     3, -3, 1e-20, 700, -700, 750, -750, 1e22]
)  # fmt: skip


def around(*points: Any) -> np.ndarray:
    """Doubles nearest to some numbers, and a few steps to either side."""
    x = np.array([float(p) for p in points])
    steps = [x]
    for _ in range(3):
        steps += [np.nextafter(steps[-1], np.inf)]
    for k in range(3):
        steps += [np.nextafter(x if not k else steps[-1], -np.inf)]
    return np.concatenate(steps)


def hard_points(name: str, rng: np.random.Generator) -> np.ndarray:
    """Random numbers of all sizes, and where functions change their form, vanish or leave the range."""
    with mp.workdps(60):
        turns = [k * mp.pi / 4 for k in [*range(1, 12), 1001, 99_999, 10**6 + 1, 2**25 + 3, 2**31 + 1, 10**12]]
        halves = [k * mp.log(2) / 2 for k in (1, 2, 3, 5, 7, 21, 105, 107, 2043, 2044, 2047, 2048, 2149)]
    x = np.concatenate([
        rng.normal(size=700) * 10 ** rng.uniform(-5, 3, 700),
        rng.choice([-1, 1], 300) * 2 ** rng.uniform(-1074, 1023.9, 300),
        rng.uniform(-1.5, 1.5, 400),
        rng.uniform(-745, 710, 150),
        1 + rng.normal(size=150) * 10 ** rng.uniform(-16, -1, 150),
        around(*turns, *halves, 0.5, 1, 2**0.5, 0.5**0.5, 2**0.5 - 1, 2**0.5 + 1, 2, 4, 8, 10, 100, 22, 40, 2.0**28),
        around(2.0**30, 2.0**500, 2.0**1000, 2.0**-28, 2.0**-54, 2.0**-1022, 709.78, 710.47, 1e-300, 5e-320),
        np.array([5e-324, 1e22, 1e300, 3.0**30]),  # beyond 2**30 sines are the C library's
    ])  # fmt: skip
    x = np.concatenate([x, -x[1700:]])
    low, high = DOMAIN.get(name, (-np.inf, np.inf))
    x = np.where((x < low) & (-x >= low), -x, x)
    return x[(x >= low) & (x <= high)]


def hard_pairs(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    a = rng.normal(size=1500) * 10 ** rng.uniform(-4, 4, 1500)
    b = rng.normal(size=1500) * 10 ** rng.uniform(-4, 4, 1500)
    b[:300] = a[:300] * (1 + rng.normal(size=300) * 10 ** rng.uniform(-15, 0, 300))
    a[300:500] *= 10 ** rng.uniform(-290, 290, 200)
    b[400:600] *= 10 ** rng.uniform(-290, 290, 200)
    if name == "pow":
        a = np.abs(a)
        b[600:1200] = rng.uniform(-745, 709, 600) / np.log(a[600:1200])  # results all over the range
        a[1200:] = 1 + rng.uniform(0.1, 1, 300) * 10 ** rng.uniform(-14, -1, 300)
        b[1200:] = rng.uniform(-745, 709, 300) / np.log(a[1200:])
    return a, b


def errors(y: np.ndarray, name: str, *xs: np.ndarray) -> np.ndarray:
    """The error of each value in units in the last place of the truth."""
    out = np.zeros(len(y))
    with mp.workdps(40):
        for i, v in enumerate(y.tolist()):
            args = [mp.mpf(float(x[i])) for x in xs]
            with mp.workdps(360 if max(abs(a) for a in args) > 1e15 or min(abs(a) for a in args) < 1e-15 else 40):
                truth = REFERENCE[name](*args)
            rounded = float(truth)
            if rounded == v:
                exact = abs(truth) < 1e-307 or not np.isfinite(v)
                out[i] = 0 if exact else float(abs(mp.mpf(v) - truth) / mp.mpf(float(np.spacing(abs(rounded)))))
            elif np.isinf(rounded) or np.isinf(v) or np.isnan(v):
                beyond = mp.mpf(2) ** 1024
                out[i] = float(abs(mp.sign(v) * beyond - truth) / mp.mpf(2) ** 971) if np.isinf(v) else np.inf
            else:
                out[i] = float(abs(mp.mpf(v) - truth) / mp.mpf(float(np.spacing(abs(rounded)))))
    return out


def measured(name: str) -> tuple[float, float]:
    """The largest error, and where."""
    rng = np.random.default_rng([7, len(name), ord(name[-1])])
    xs = hard_pairs(name, rng) if name in BINARY else (hard_points(name, rng),)
    e = errors(compiled_function(name, len(xs))(*xs), name, *xs)
    return float(np.max(e)), float(xs[0][np.argmax(e)])


@pytest.mark.parametrize("name", sorted(set(NAMES) - EXACT))
def test_accuracy(name: str) -> None:
    table = json.loads(TABLE.read_text())
    error, where = measured(name)
    assert error <= table[name], f"{name}({where!r}) is {error:.3f} ulp from the truth; the table says {table[name]}"
    assert error > table[name] - 0.02, f"{name}: at most {error:.3f} ulp; the table's {table[name]} can be sharper"


@pytest.mark.parametrize("name", NAMES)
def test_width_does_not_matter(name: str) -> None:
    """Not by a bit, nor whether the function is called or written in place."""
    rng = np.random.default_rng(3)
    a, b = (np.concatenate([x.ravel(), rng.normal(size=400) * 10 ** rng.uniform(-5, 5, 400)])
            for x in np.meshgrid(SPECIAL, SPECIAL))  # fmt: skip
    xs = (a, b) if name in BINARY else (np.concatenate([a, hard_points(name, rng)]),)
    first = compiled_function(name, len(xs))(*xs)
    for lanes, inline in ((4, True), (2, True), (1, True), (1, False), (8, False)):
        y = compiled_function(name, len(xs), lanes, inline)(*xs)
        same = (y.view(np.int64) == first.view(np.int64)) | (np.isnan(y) & np.isnan(first))
        assert same.all(), (lanes, inline, [float(x[~same][0]) for x in xs])


@pytest.mark.parametrize("name", sorted(EXACT))
def test_exact_functions(name: str) -> None:
    rng = np.random.default_rng(4)
    a, b = (
        np.concatenate([x.ravel(), y])
        for x, y in zip(np.meshgrid(SPECIAL, SPECIAL), hard_pairs(name, rng), strict=True)
    )
    a, b = np.concatenate([a, np.round(a)]), np.concatenate([b, np.round(b)])
    y = compiled_function(name, 2)(a, b)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(a, b)
    assert np.array_equal(y, expected, equal_nan=True)
    assert np.array_equal(np.signbit(y[y == 0]), np.signbit(expected[y == 0]))


@pytest.mark.parametrize("name", sorted(set(NAMES) & set(dir(np))))
def test_special_values(name: str) -> None:
    a, b = (x.ravel() for x in np.meshgrid(SPECIAL, SPECIAL))
    xs = (a, b) if name in BINARY else (SPECIAL,)
    y = compiled_function(name, len(xs))(*xs)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(*xs)
    end = (expected == 0) | ~np.isfinite(expected)
    assert np.array_equal(y[end], expected[end], equal_nan=True)
    zero = expected == 0
    assert np.array_equal(np.signbit(y[zero]), np.signbit(expected[zero]))


if __name__ == "__main__":
    found = {name: measured(name) for name in sorted(set(NAMES) - EXACT)}
    for name, (error, where) in found.items():
        print(f"{name:16} {error:6.3f} ulp at {where!r}")
    rounded = {name: round(error + 0.005, 2) for name, (error, _) in found.items()}
    TABLE.write_text(json.dumps(rounded, indent=1, sort_keys=True) + "\n")
