"""Calls made block by block along one axis, and sums taken early: the same numbers for any blocks and threads."""

import numpy as np
import pytest

import bibun as bb
from bibun.compiler import blocked_step
from bibun.compiler.blocked_step import BlockedStep
from bibun.compiler.plan import plan
from bibun.compiler.threads import threads

RNG = np.random.default_rng(1)
N, D, K = 1003, 6, 20
X, M = RNG.normal(size=(N, D)), RNG.normal(size=(K, D))
Q = RNG.normal(size=(K, D, D))


@pytest.fixture(autouse=True)
def by_numpy(monkeypatch):
    monkeypatch.setattr(blocked_step, "WORK", 1 << 60)  # test_tile_kernel.py has machine code


def steps(p):
    return [s for s in p.steps if isinstance(s, BlockedStep)]


def mixture(m, q, x):
    z = q @ (x.T - m[:, :, None])
    e = -0.5 * np.sum(z * z, 1) + m[:, :1]
    top = np.max(e, 0)
    return np.sum(np.log(np.sum(np.exp(e - top), 0)) + top)


def distances(m, q, x):
    d = np.sum((x[:, None, :] - m) ** 2, -1)
    w = np.exp(-d)
    return w / np.sum(w, 1, keepdims=True), np.min(d, 1), np.sum(w, 0)


def layers(m, q, x):
    h = np.tanh(x @ m.T + 0.5)
    for a in q[:3]:
        h = np.maximum(np.reshape(h[:, :6], (x.shape[0], 6)) @ a, 0.1 * h[:, :6])
        h = np.concatenate([h, h, h, h[:, :2]], 1)
    return np.sum(h**2 @ m), h


PROGRAMS = {
    "mixture": mixture,
    "and its gradient": bb.value_and_grad(mixture, (0, 1)),
    "by the data": bb.grad(mixture, 2),
    "distances": distances,
    "layers": layers,
    "their gradient": bb.grad(lambda *a: layers(*a)[0], (0, 1)),
    "kernel": lambda m, q, x: np.exp(-np.sum((x[:, None] - m[None]) ** 2, -1) / 2) @ m[:, 0],
    "centred": lambda m, q, x: ((x - np.mean(x, 0)) @ q[0]).T @ (x @ q[1] * np.exp(x[:, :1])),
}
BLOCKED = {"mixture", "and its gradient", "by the data", "distances"}


def leaves(out):
    return [y for part in out for y in leaves(part)] if isinstance(out, (tuple, list)) else [out]


def agree(got, expected):
    for a, b in zip(leaves(got), leaves(expected), strict=True):
        assert np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, 1e-11, 1e-11 * np.max(np.abs(b), initial=0))


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("cache", [1, 1 << 18, 1 << 40])
@pytest.mark.parametrize("count", [1, 3])
def test_programs(name, cache, count, monkeypatch):
    monkeypatch.setattr(blocked_step, "CACHE", cache)
    monkeypatch.setattr(blocked_step, "THREADED", 0)
    f = PROGRAMS[name]
    fast = bb.compile(f)
    with threads(count):
        for n in (N, 600, N):
            for sign in (1, -1):
                agree(fast(M * sign, Q, X[:n]), f(M * sign, Q, X[:n]))
    if name in BLOCKED:
        assert any(steps(p) for p in fast.plans.values()), str(fast)


def test_blocks_of_equal_cut_give_equal_bits(monkeypatch):
    monkeypatch.setattr(blocked_step, "THREADED", 0)
    fast = bb.compile(PROGRAMS["and its gradient"])
    with threads(2):
        one, two = fast(M, Q, X), fast(M, Q, X)
    for a, b in zip((one[0], *one[1]), (two[0], *two[1]), strict=True):
        np.testing.assert_array_equal(a, b)


def test_results_stay_what_they_are_after_the_next_call():
    fast = bb.compile(distances)
    first = fast(M, Q, X)
    kept = [a.copy() for a in first]
    fast(M + 1, Q, X[::-1])
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(a, X)


def test_elementwise_work_of_one_shape_is_left_to_a_kernel():
    W = RNG.normal(size=(5000, 20))
    assert not steps(plan(lambda w: np.exp(w * 2 + 1) - w * w, W))


def test_special_values_along_the_axis():
    x = X.copy()
    x[3], x[700, 2], x[5, 0] = np.nan, np.inf, -0.0
    fast = bb.compile(distances)
    with np.errstate(all="ignore"):
        for a, b in zip(fast(M, Q, x), distances(M, Q, x), strict=True):
            np.testing.assert_allclose(a, b, 1e-11)


def test_an_error_in_a_block_is_raised(monkeypatch):
    monkeypatch.setattr(blocked_step, "CACHE", 1)
    p = plan(distances, M, Q, X)
    (step,) = steps(p)

    def broken(*args):
        raise KeyboardInterrupt

    run = step.steps[-1].run
    step.steps[-1].run = broken
    with pytest.raises(KeyboardInterrupt):
        p(M, Q, X)
    step.steps[-1].run = run
    agree(p(M, Q, X), distances(M, Q, X))
