"""Random likelihoods with rows: compiled is eager, whichever derivative is asked for.

Rows of several predictors, groups and weights; sums of them, variances, moments, sums over groups, sums of sums.
"""

import numpy as np
import pytest

import bibun as bb
from bibun.core.tree import flatten

INNER = [np.tanh, lambda e: np.exp(0.3 * e), np.square, lambda e: np.logaddexp(0, e), np.sin, lambda e: e]
GROUPS, WIDE = 12, 18


def row(rng, b, s, u, X, Z, y, w, codes):
    """One number a row."""
    e = X @ b
    for _ in range(rng.integers(1, 3)):
        scale, group, shift = rng.random(3) < 0.4
        e = INNER[rng.integers(6)](e * (np.exp(s) if scale else 1.0) + (u[codes] if group else 0.0) - shift * y)
    return e * w if rng.random() < 0.3 else e


def by_group(e, codes):
    return np.bincount(codes, weights=e, minlength=GROUPS)


SUMS = [
    lambda e, s, u, X, Z, y, w, c: np.mean(np.sqrt(1 + e**2)),
    lambda e, s, u, X, Z, y, w, c: np.mean(e) * np.mean(e**2),
    lambda e, s, u, X, Z, y, w, c: np.var(e),
    lambda e, s, u, X, Z, y, w, c: np.std(e, ddof=1),
    lambda e, s, u, X, Z, y, w, c: np.sum((Z.T @ e / ROWS) ** 2),
    lambda e, s, u, X, Z, y, w, c: np.sum((e @ Z / ROWS) ** 2),
    lambda e, s, u, X, Z, y, w, c: np.sum(np.mean(Z * e[:, None], axis=0) ** 2),
    lambda e, s, u, X, Z, y, w, c: np.sum(np.tanh(by_group(e, c)) * u),
    lambda e, s, u, X, Z, y, w, c: np.mean((e - (by_group(e, c) / (by_group(w, c) + 1))[c]) ** 2),
    lambda e, s, u, X, Z, y, w, c: np.mean(w * (e - np.sum(w * e) / np.sum(w)) ** 2),
    lambda e, s, u, X, Z, y, w, c: np.mean(largest_apart(np.stack([e, e * s, y + s], axis=1))),
]
ROWS = 600


def largest_apart(e):
    m = np.max(e, axis=1, keepdims=True)
    return np.log(np.sum(np.exp(e - m), axis=1)) + m[:, 0]


DERIVATIVES = {
    "value": lambda f: lambda b, s, u, v, *data: f(b, s, u, *data),
    "gradient": lambda f: lambda b, s, u, v, *data: bb.value_and_grad(f, (0, 1, 2))(b, s, u, *data),
    "Hessian": lambda f: lambda b, s, u, v, *data: bb.hessian(lambda p: f(*p, u, *data))((b, s)),
    "product": lambda f: lambda b, s, u, v, *data: bb.hvp(lambda b: f(b, s, u, *data), (b,), (v,)),
    "products": lambda f: (
        lambda b, s, u, v, *data: bb.jvp(bb.grad(lambda *p: f(*p, *data), (0, 1, 2)), (b, s, u), (v, 0.7, u[::-1]))
    ),
    "slope of a curvature": lambda f: (
        lambda b, s, u, v, *data: bb.grad(lambda b: bb.hvp(lambda b: f(b, s, u, *data), (b,), (v,)) @ v)(b)
    ),
    "mixed": lambda f: (
        lambda b, s, u, v, *data: bb.grad(lambda s: np.sum(bb.grad(lambda b: f(b, s, u, *data))(b) ** 2))(s)
    ),
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", DERIVATIVES)
def test_random_likelihoods(name, seed):
    rng = np.random.default_rng([seed, *name.encode()])
    rows, width = int(rng.choice([70, 300, ROWS, 1100])), int(rng.integers(2, 7))
    order = rng.choice(["C", "F"])
    X, Z = (np.asarray(rng.normal(size=(rows, k)), order=order) for k in (width, int(rng.choice([2, 5, WIDE]))))
    data = X, Z, rng.normal(size=rows), rng.random(rows) + 0.1, rng.integers(0, GROUPS, rows)
    b, v, u = rng.normal(size=width) / 3, rng.normal(size=width), rng.normal(size=GROUPS) / 3
    choices = int(rng.integers(1 << 30))

    def f(b, s, u, *data):
        again = np.random.default_rng(choices)
        total = 0.0
        for _ in range(again.integers(1, 4)):
            e = row(again, b, s, u, *data)
            total = total + SUMS[again.integers(len(SUMS))](e, s, u, *data) * (np.exp(s) if again.random() < 0.3 else 1)
        return total

    g = DERIVATIVES[name](f)
    fast = bb.compile(g)
    for n in (rows, rows - 3):
        some = [a[:n] for a in data]
        for x, y in zip(flatten(fast(b, 0.2, u, v, *some))[0], flatten(g(b, 0.2, u, v, *some))[0], strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-9 * (1 + np.max(np.abs(y))))
    assert str(fast)
