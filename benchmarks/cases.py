"""The table of programs: each written once for all peers, beside the same arithmetic in plain NumPy.

A case says how many operations it records, so that a time is a time per operation, and what is aimed at. `by_hand` is
the physical limit: the forward pass and the backward pass as a patient person would write them, no library between.
A new case is a new entry of `CASES`. Imports NumPy only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["CASES", "SMALL", "Case"]


@dataclass
class Case:
    """One program.

    Attributes
    ----------
    name, program : str, callable
        `program(np, x, *data)` returns one number.
    x, data : ndarray, sequence of ndarray
        What is differentiated with respect to, and the constants.
    by_hand : callable
        `by_hand(x, *data)` gives (value, gradient); with `direction`, `by_hand(x, v, *data)` gives the product.
    operations : int
        Recorded operations of one call; 0 where a call is what counts.
    targets : dict
        Name of a column -> bibun's time over its, at most.
    direction : ndarray or None
        Given, the case is the Hessian's product with it.
    group : str
        Cases of one group are also judged together, by their geometric mean.
    also : dict
        Name -> callable: further things to time, such as the plain function alone.
    jit : bool
        Whether compiling it is quick enough to show.
    """

    name: str
    program: Callable[..., Any]
    x: np.ndarray
    by_hand: Callable[..., Any]
    data: Sequence[np.ndarray] = ()
    operations: int = 0
    targets: dict[str, float] = field(default_factory=dict)
    direction: np.ndarray | None = None
    group: str = ""
    also: dict[str, Callable[..., Any]] = field(default_factory=dict)
    jit: bool = True


random = np.random.default_rng(20240229)
SMALL = 0.6, 0.75
"""Small programs over PyTorch: the geometric mean of the group at most, and each of them at most."""


# --- chains -----------------------------------------------------------------------------------------------------------


def chain(repetitions: int) -> Callable[..., Any]:
    def program(np: Any, x: Any) -> Any:
        for _ in range(repetitions):
            x = np.sin(x) * 0.9 + x * x * 0.1
        return np.sum(x)

    return program


def chain_by_hand(repetitions: int) -> Callable[..., Any]:
    def by_hand(x: np.ndarray) -> Any:
        xs = []
        for _ in range(repetitions):
            xs.append(x)
            x = np.sin(x) * 0.9 + x * x * 0.1
        g = np.ones_like(x)
        for z in reversed(xs):
            half = g * 0.1
            g = g * 0.9 * np.cos(z) + half * z + half * z
        return x.sum(), g

    return by_hand


def chain_twice_by_hand(repetitions: int) -> Callable[..., Any]:
    """Tangents along the chain, then values and tangents of the cotangents back along it."""

    def by_hand(x: np.ndarray, t: np.ndarray) -> Any:
        tape = []
        for _ in range(repetitions):
            s, c = np.sin(x), np.cos(x)
            tape.append((x, t, s, c))
            t = (c * 0.9 + x * 0.2) * t
            x = s * 0.9 + x * x * 0.1
        g, h = np.ones_like(x), np.zeros_like(x)
        for x, t, s, c in reversed(tape):
            d = c * 0.9 + x * 0.2
            h = h * d + g * (0.2 - s * 0.9) * t
            g = g * d
        return h

    return by_hand


# --- small programs ---------------------------------------------------------------------------------------------------

COEFFICIENTS = [0.3, -0.2, 0.5, 0.1, -0.4, 0.2, 0.05, -0.1, 0.15, 0.07]


def horner(np: Any, x: Any) -> Any:
    y = x * 0.07
    for c in COEFFICIENTS * 5:
        y = y * x + c
    return np.sum(y)


def horner_by_hand(x: np.ndarray) -> Any:
    y = x * 0.07
    ys = []
    for c in COEFFICIENTS * 5:
        ys.append(y)
        y = y * x + c
    g = np.ones_like(y)
    gx = np.zeros_like(x)
    for z in reversed(ys):
        gx = gx + g * z
        g = g * x
    return y.sum(), gx + g * 0.07


def powers(np: Any, x: Any) -> Any:
    for _ in range(20):
        x = 0.2 + 0.5 * x + 0.3 * x**2 - 0.2 * x**3
    return np.sum(x)


def powers_by_hand(x: np.ndarray) -> Any:
    xs = []
    for _ in range(20):
        xs.append(x)
        x = 0.2 + 0.5 * x + 0.3 * x**2 - 0.2 * x**3
    g = np.ones_like(x)
    for z in reversed(xs):
        g = g * 0.5 + (g * 0.3) * (2 * z) + (g * -0.2) * (3 * z**2)
    return x.sum(), g


def softplus(np: Any, x: Any) -> Any:
    for _ in range(40):
        x = np.tanh(np.log(1 + np.exp(x)))
    return np.sum(x)


def softplus_by_hand(x: np.ndarray) -> Any:
    tape = []
    for _ in range(40):
        e = np.exp(x)
        u = 1 + e
        x = np.tanh(np.log(u))
        tape.append((e, u, x))
    g = np.ones_like(x)
    for e, u, y in reversed(tape):
        g = g * (1 - y * y) * (1 / u) * e
    return x.sum(), g


def affine(np: Any, x: Any, a: Any, b: Any) -> Any:
    for _ in range(60):
        x = x * a + b
    return np.sum(x)


def affine_by_hand(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> Any:
    for _ in range(60):
        x = x * a + b
    g = np.ones_like(x)
    for _ in range(60):
        g = g * a
    return x.sum(), g


def products(np: Any, w: Any, x: Any) -> Any:
    for _ in range(50):
        x = x @ w
    return np.sum(x)


def products_by_hand(w: np.ndarray, x: np.ndarray) -> Any:
    xs = []
    for _ in range(50):
        xs.append(x)
        x = x @ w
    g = np.ones_like(x)
    gw = np.zeros_like(w)
    for z in reversed(xs):
        gw = gw + z.T @ g
        g = g @ w.T
    return x.sum(), gw


def indexing(np: Any, x: Any) -> Any:
    total = x[0] * x[1]
    for i in range(1, 50):
        total = total + x[i] * x[i + 1]
    return total


def indexing_by_hand(x: np.ndarray) -> Any:
    total = x[0] * x[1]
    for i in range(1, 50):
        total = total + x[i] * x[i + 1]
    g = np.zeros_like(x)
    for i in range(50):
        g[i] += x[i + 1]
        g[i + 1] += x[i]
    return total, g


def centred(np: Any, x: Any) -> Any:
    for _ in range(50):
        x = x - np.sum(x) * 0.01
    return np.sum(x * x)


def centred_by_hand(x: np.ndarray) -> Any:
    for _ in range(50):
        x = x - x.sum() * 0.01
    g = x + x
    for _ in range(50):
        g = g - g.sum() * 0.01
    return (x * x).sum(), g


def small(name: str, program: Any, by_hand: Any, x: np.ndarray, *data: np.ndarray, operations: int) -> Case:
    return Case(name, program, x, by_hand, data, operations, {"PyTorch": SMALL[1]}, group="small programs")


# --- the logistic likelihood ------------------------------------------------------------------------------------------


def logistic(np: Any, w: Any, X: Any, y: Any, zero: Any) -> Any:
    eta = X @ w
    return np.sum(np.logaddexp(zero, eta) - y * eta)


def logistic_alone(w: np.ndarray, X: np.ndarray, y: np.ndarray, zero: np.ndarray) -> Any:
    return logistic(np, w, X, y, zero)


def logistic_by_hand(w: np.ndarray, X: np.ndarray, y: np.ndarray, zero: np.ndarray) -> Any:
    eta = X @ w
    top = np.logaddexp(0, eta)
    return np.sum(top - y * eta), (np.exp(eta - top) - y) @ X


def logistic_twice_by_hand(w: np.ndarray, v: np.ndarray, X: np.ndarray, y: np.ndarray, zero: np.ndarray) -> Any:
    eta = X @ w
    p = np.exp(eta - np.logaddexp(0, eta))
    return (p * (1 - p) * (X @ v)) @ X


ROWS, COLUMNS = 100_000, 20
X = random.normal(size=(ROWS, COLUMNS))
W = random.normal(size=COLUMNS) * 0.3
Y = (random.random(ROWS) < 1 / (1 + np.exp(-X @ W))).astype(np.float64)
likelihood: Any = {"data": (X, Y, np.zeros(())), "also": {"NumPy function": logistic_alone}}

ONE, HUNDRED = np.array([0.1]), np.linspace(0.1, 1, 100)
TEN = np.linspace(-1, 1, 10)
CHAIN = {"PyTorch": 0.45, "autograd": 0.2}
TWICE: Any = {"operations": 250, "targets": {"PyTorch": 0.5}}
ROTATION = np.linalg.qr(random.normal(size=(10, 10)))[0]

CASES: list[Case] = [
    Case("chain, 1 element", chain(250), ONE, chain_by_hand(250), operations=1250, targets=CHAIN),
    Case("chain, 100 elements", chain(250), HUNDRED, chain_by_hand(250), operations=1250, targets=CHAIN),
    Case("chain twice, 1 element", chain(50), ONE, chain_twice_by_hand(50), direction=np.array([2.0]), **TWICE),
    Case("chain twice, 100 elements", chain(50), HUNDRED, chain_twice_by_hand(50), direction=HUNDRED + 1, **TWICE),
    small("polynomial, Horner", horner, horner_by_hand, TEN, operations=101),
    small("polynomial, powers", powers, powers_by_hand, TEN, operations=160),
    small("tanh(log(1 + exp(x)))", softplus, softplus_by_hand, TEN, operations=160),
    small("x * a + b", affine, affine_by_hand, TEN, 1 + TEN / 10, TEN / 10, operations=120),
    small("(4, 10) @ (10, 10)", products, products_by_hand, ROTATION, random.normal(size=(4, 10)), operations=50),
    small("x[i] * x[i + 1]", indexing, indexing_by_hand, np.linspace(0.1, 1, 51), operations=199),
    small("x - sum(x) * c", centred, centred_by_hand, TEN, operations=152),
    Case("logistic gradient, 1e5 x 20", logistic, W, logistic_by_hand, targets={"NumPy function": 1.6}, **likelihood),
    Case("logistic Hessian product, 1e5 x 20", logistic, W, logistic_twice_by_hand, targets={"NumPy function": 2.5},
         direction=np.linspace(1, 2, COLUMNS), **likelihood),
]  # fmt: skip
