"""How far the special functions' vector code is from the truth (mpmath), at points chosen to be hard.

    python -m tests.units.compiler.test_vector_special

writes tests/golden/accuracy_special.json, the table these tests keep true: the largest error of each function, in units
in the last place. An order stands after the function's name.
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

mp = pytest.importorskip("mpmath")

from bibun.compiler import machine, vector_special
from bibun.compiler.ir import VECTOR
from tests.units.compiler.kernels import loop

pytestmark = pytest.mark.skipif(not machine.available(), reason="no llvmlite, or no fused multiply-add")

TABLE = Path(__file__).parents[2] / "golden" / "accuracy_special.json"
FILES = ("vector_gamma", "vector_error", "vector_moments")
ORDERS: dict[str, tuple[int, ...]] = {
    "polygamma_step": (0, 1), "exp_power_mean": (1, 2, 3), "log1p_mean": (0, 1, 2, 3), "log_rising": (0, 1, 2),
    "ierfc_product": (1, 2), "ierfc_quotient": (1, 2),
}  # fmt: skip
NAMES = sorted(n for n, f in VECTOR.items() if f.__module__.rpartition(".")[2] in FILES)
KEYS = [f"{name} {n}" if n is not None else name for name in NAMES for n in ORDERS.get(name, (None,))]
BINARY = {"log_beta", "polygamma_step", "log_rising"}
FORBIDDEN = 1e-305  # no relative accuracy is asked of what is smaller


def normal(v: Any) -> Any:
    return mp.erfc(-v / mp.sqrt(2)) / 2


def log_normal(v: Any) -> Any:
    return mp.log(normal(v)) if v < 0 else mp.log1p(-normal(-v))


def mills(v: Any) -> Any:
    return mp.npdf(v) / normal(v)


def ierfc(n: int, x: Any) -> Any:
    """exp(x²) iⁿerfc(x), by its recurrence, in many digits."""
    before, y = 2 / mp.sqrt(mp.pi), mp.exp(x * x) * mp.erfc(x)
    for k in range(1, n + 1):
        before, y = y, (before - 2 * x * y) / (2 * k)
    return y


def log1p_mean(n: int, w: Any) -> Any:
    if w == 0:
        return mp.mpf(1) / (n + 1)
    y = mp.log1p(w) / w
    for k in range(1, n + 1):
        y = (y - (1 + w) ** -k / k) / w
    return y


def rising(n: int, k: Any, a: Any) -> Any:
    if n == 0:
        return mp.fsum(mp.log1p(j * a) for j in range(int(k)))
    return (-1) ** (n - 1) * mp.fsum((j / (1 + j * a)) ** n for j in range(int(k)))


REFERENCE: dict[str, Callable[..., Any]] = {
    "gammaln": mp.loggamma, "psi": mp.digamma, "trigamma": lambda x: mp.polygamma(1, x),
    "tetragamma": lambda x: mp.polygamma(2, x), "pentagamma": lambda x: mp.polygamma(3, x),
    "polygamma_step": lambda n, x, y: mp.polygamma(n, x + y) - mp.polygamma(n, x),
    "log_beta": lambda x, y: mp.loggamma(x) + mp.loggamma(y) - mp.loggamma(x + y),
    "stirling_rest": lambda x: mp.loggamma(x) - (x - 0.5) * mp.log(x) + x - mp.log(2 * mp.pi) / 2,
    "erf": mp.erf, "erfc": mp.erfc, "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x), "ndtr": normal,
    "log_ndtr": log_normal, "inverse_mills": mills, "mills_excess": lambda x: mills(x) + x, "ierfc_product": ierfc,
    "ierfc_quotient": lambda n, x: ierfc(n, x) / ierfc(n - 1, x),
    "exprel": lambda x: mp.expm1(x) / x if x else mp.mpf(1),
    "exp_power_mean": lambda n, x: mp.hyp1f1(n + 1, n + 2, x) / (n + 1), "log1p_mean": log1p_mean,
    "lag": lambda x: mp.log1p(x) - x / (1 + x), "log1p_rest": lambda x: mp.log1p(x) - x, "log_rising": rising,
}  # fmt: skip
DOMAIN = {
    "stirling_rest": (4, 1e60), "erfc": (-np.inf, 26.4), "erfcx": (-26.6, 1e30), "ndtr": (-37.4, np.inf),
    "log_ndtr": (-1e100, 37), "inverse_mills": (-1e30, 37.5), "mills_excess": (-1e6, 1e30), "exprel": (-1e30, 709),
    "ierfc_product": (-26, 1e4), "ierfc_quotient": (-1e4, 1e4), "exp_power_mean": (-1e4, 700), "lag": (0, 1e30),
    "log1p_rest": (-1, 1e30), "log1p_mean": (-0.9999, 1e10), "trigamma": (1e-150, 1e30), "tetragamma": (1e-100, 1e30),
    "pentagamma": (1e-75, 1e30), "gammaln": (0, np.inf), "psi": (1e-300, np.inf), "erf": (-np.inf, np.inf),
}  # fmt: skip
TURNS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.25, 3, 3.25, 4, 5, 6, 10, 1.4616321449683622, 0.29, 0.41, 0.6, 2.3, 2.828]


def hard_points(name: str, rng: np.random.Generator) -> np.ndarray:
    """Random numbers of all sizes; where forms change, and next to it; roots, and next to them at all distances."""
    turns = np.array(TURNS)
    near = [turns, -turns, np.nextafter(turns, 0), np.nextafter(turns, 99)]
    near += [v + rng.choice([-1, 1], 25) * 10 ** rng.uniform(-16, -1, 25) for v in (0, 1, 2, 1.4616321449683622, 4)]
    low, high = DOMAIN[name]
    x = np.concatenate([
        *near, rng.uniform(0, 8, 300), rng.normal(size=250) * 3, rng.normal(size=150) * 10 ** rng.uniform(-5, 2, 150),
        10 ** rng.uniform(-300, 300, 30), -(10 ** rng.uniform(-300, 300, 20)), 10 ** rng.uniform(0, 6, 80),
        np.array([5e-324, 1e-310, 1e305]),
    ])  # fmt: skip
    return x[(x > low) & (x < high)]


def hard_pairs(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    if name == "log_rising":
        k = np.concatenate([rng.integers(0, 12, 150), rng.integers(0, 400, 100), rng.integers(0, 9, 50)])
        return k.astype(float), np.concatenate([10 ** rng.uniform(-9, 3, 250), [0.0], 10 ** rng.uniform(-300, 3, 49)])
    a, b = 10 ** rng.uniform(-6, 6, (2, 400))
    a[:200], b[:200] = rng.uniform(0.1, 12, (2, 200))
    if name == "polygamma_step":
        b = np.where(rng.uniform(size=400) < 0.4, -rng.uniform(0, 1, 400) * np.minimum(a, b), b)
    return a, b


def function(key: str, lanes: int = 8, inline: bool = True) -> Callable[..., np.ndarray]:
    name, _, n = key.partition(" ")
    statics = (int(n),) if n else ()
    run = loop(lambda b, xs: [b.function(name, *statics, *xs)], 2 if name in BINARY else 1, 1, lanes, inline)
    return lambda *xs: run(*xs)[0]


def measured(key: str) -> tuple[float, float]:
    """The largest error in units in the last place of the truth, and where."""
    name, _, n = key.partition(" ")
    rng = np.random.default_rng([9, len(name), ord(name[-1])])
    xs = hard_pairs(name, rng) if name in BINARY else (hard_points(name, rng),)
    y = function(key)(*xs)
    worst, where = 0.0, np.nan
    for i, v in enumerate(y.tolist()):
        args = [mp.mpf(float(x[i])) for x in xs]
        size = max(abs(float(mp.log10(abs(a)))) if a else 0.0 for a in args)
        with mp.workdps(40 + int(4 * size) if name not in ("gammaln", "psi") else 60 + int(size)):
            truth = REFERENCE[name](*([int(n)] if n else []), *args)
            rounded = float(truth)
            if abs(rounded) < FORBIDDEN or not np.isfinite(rounded):
                continue
            unit = np.spacing(abs(rounded))
            if name == "log_beta":  # the logarithm vanishes where B(x, y) is 1
                unit = max(unit, np.spacing(1.0))
            error = float(abs(mp.mpf(v) - truth) / mp.mpf(float(unit))) if np.isfinite(v) else np.inf
        if error > worst:
            worst, where = error, float(xs[0][i])
    return worst, where


@pytest.fixture(autouse=True)
def scipy_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "load", functools.partial(machine.load, symbols=vector_special.symbols()))


@pytest.mark.parametrize("key", KEYS)
def test_accuracy(key: str) -> None:
    table = json.loads(TABLE.read_text())
    error, where = measured(key)
    assert error <= table[key], f"{key} at {where!r} is {error:.3f} ulp from the truth; the table says {table[key]}"
    assert error > table[key] - 0.02, f"{key}: at most {error:.3f} ulp; the table's {table[key]} can be sharper"


@pytest.mark.parametrize("key", KEYS)
def test_width_does_not_matter(key: str) -> None:
    """Not by a bit, nor whether the function is called or written in place."""
    rng = np.random.default_rng(3)
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, -2.5, 5e-324, 1e-310, 1e300, -1e300, 0.5, 2, 3, 40])
    a, b = (np.concatenate([x.ravel(), rng.normal(size=200) * 10 ** rng.uniform(-5, 5, 200)])
            for x in np.meshgrid(edges, edges))  # fmt: skip
    xs = (a, b) if key.partition(" ")[0] in BINARY else (a,)
    first = function(key)(*xs)
    for lanes, inline in ((4, True), (2, True), (1, True), (1, False), (8, False)):
        y = function(key, lanes, inline)(*xs)
        same = (y.view(np.int64) == first.view(np.int64)) | (np.isnan(y) & np.isnan(first))
        assert same.all(), (lanes, inline, [float(x[~same][0]) for x in xs])


@pytest.mark.parametrize("name", ["gammaln", "psi", "trigamma", "tetragamma", "pentagamma"])
def test_negative_arguments(name: str) -> None:
    """By reflection: exact to a few units of the larger of the value and 1, roots being nowhere special."""
    rng = np.random.default_rng(8)
    x = np.concatenate([-rng.uniform(0, 12, 200), -(10 ** rng.uniform(-20, 4, 100)), [-0.5, -1.5, -2.5, -20.25]])
    y = function(name)(x)
    for v, got in zip(x.tolist(), y.tolist(), strict=True):
        with mp.workdps(60):
            truth = mp.re(REFERENCE[name](mp.mpf(v)))
            near = abs(v - round(v)) / max(abs(v), 1e-300)  # a pole: what is lost in v - n is in the argument already
            assert abs(got - truth) <= 4e-15 * max(abs(truth), 1) * max(1, 1e-2 / near), (v, got, float(truth))


@pytest.mark.parametrize("name", ["gammaln", "psi", "trigamma", "tetragamma", "pentagamma"])
def test_poles(name: str) -> None:
    y = function(name)(np.array([-1.0, -2, -1e9, -1e300]))
    expected = {"gammaln": np.inf, "psi": np.nan, "trigamma": np.inf, "tetragamma": -np.inf, "pentagamma": np.inf}[name]
    assert np.array_equal(y, np.full(4, expected), equal_nan=True)


def test_symbols_are_found_when_asked_for() -> None:
    symbols = vector_special.symbols()
    assert len(symbols) == len(list(symbols)) > 60
    assert all(symbols[name] for name in symbols)
    assert symbols.get("exp") is None


if __name__ == "__main__":
    found = {key: measured(key) for key in KEYS}
    for key, (error, where) in found.items():
        print(f"{key:16} {error:6.3f} ulp at {where!r}")
    rounded = {key: round(error + 0.005, 2) for key, (error, _) in found.items()}
    TABLE.write_text(json.dumps(rounded, indent=1, sort_keys=True) + "\n")
