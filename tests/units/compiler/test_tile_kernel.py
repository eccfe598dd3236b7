"""Tiles of a long axis as machine code: the same numbers as eagerly, for any width of vectors, length, order and type."""

import sys

import numpy as np
import pytest

import bibun as bb
from bibun import special
from bibun.compiler import blocked_step, machine, tile_kernel
from bibun.compiler.blocked_step import BlockedStep
from bibun.compiler.cells import Unsupported
from bibun.compiler.threads import threads
from bibun.compiler.tile_kernel import TileKernel
from bibun.compiler.tile_layout import TileLayout
from bibun.compiler.tile_program import TileProgram

from .test_row_kernel_memory import Guarded

pytestmark = pytest.mark.skipif(not machine.available(), reason="no machine code here")

RNG = np.random.default_rng(3)
N, D, K = 1003, 3, 17
X, M, Q = RNG.normal(size=(N, D)), RNG.normal(size=(K, D)), RNG.normal(size=(K, D, D))


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(blocked_step, "WORK", 0)


def mixture(m, q, x):
    z = q @ (x.T - m[:, :, None])
    return np.sum(special.logsumexp(m[:, :1] - 0.5 * np.sum(z * z, 1), 0))


def shares(m, q, x):
    e = np.sum((x[:, None, :] - m) ** 2, -1)
    return special.softmax(-e, 1), special.logsumexp(e, 1, keepdims=True), np.max(e, 1), np.min(e, 1), np.mean(e)


def many(m, q, x):
    h = np.tanh(x @ m.T)
    big = np.where(h > 0.2, h, 0.1 * h)
    return np.sum(big, 0), big[:, 1:7:2].T, np.sum(np.reshape(big, (len(x), 1, K)) * x[:, :, None], (0, 2))


def outer(m, q, x):
    w = np.exp(-np.abs(x @ m.T))
    return w.T @ x, np.sum(w * w[:, ::-1], 1), w @ m, w.T @ w


def counted(m, q, x):
    d = x @ m.T
    top = d >= np.max(d, 1, keepdims=True)
    return d * top / np.maximum(np.sum(top, 1, keepdims=True), 1), np.sum(d * top, 0)


PROGRAMS = {
    "mixture": mixture,
    "counted": counted,
    "its gradient": bb.value_and_grad(mixture, (0, 1)),
    "its gradient by the data": bb.grad(mixture, 2),
    "shares": shares,
    "many": many,
    "outer": outer,
    "its derivative": bb.grad(lambda *a: sum(np.sum(y * y) for y in outer(*a)), (0, 2)),
}


def leaves(out):
    return [y for part in out for y in leaves(part)] if isinstance(out, (tuple, list)) else [out]


def agree(got, expected):
    for a, b in zip(leaves(got), leaves(expected), strict=True):
        assert np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, 1e-11, 1e-11 * np.max(np.abs(b), initial=0, where=np.isfinite(b)))


def kernels(fast):
    return [s.kernel for p in fast.plans.values() for s in p.steps if isinstance(s, BlockedStep)]


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("count", [1, 3])
def test_programs(name, count):
    f = PROGRAMS[name]
    fast = bb.compile(f)
    with threads(count):
        for n in (N, 600, 1000, N):
            agree(fast(M, Q, X[:n]), f(M, Q, X[:n]))
    found = kernels(fast)
    assert found and all(type(k) is TileKernel for k in found), str(fast)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("lanes", [1, 2, 4, 8])
def test_widths(name, lanes):
    f = PROGRAMS[name]
    fast = bb.compile(f)
    expected = fast(M, Q, X)
    for plan in fast.plans.values():
        for step in plan.steps:
            if isinstance(step, BlockedStep):
                step.__dict__["kernel"] = TileKernel(TileLayout(TileProgram(*step.group, step.n), lanes))
    agree(fast(M, Q, X), expected)


@pytest.mark.parametrize("x", [
    np.asfortranarray(X), X[::-1], np.repeat(X, 2, 1)[:, ::2], (X * 10).astype(int), X > 0,
    np.require(np.concatenate([[0.0], X.ravel()]))[1:].reshape(X.shape),
])  # fmt: skip
def test_arrays_as_they_come(x):
    f = PROGRAMS["its gradient"]
    fast = bb.compile(f)
    agree(fast(M, Q, x), f(M, Q, x))
    agree(fast(M[::-1], np.asfortranarray(Q), x), f(M[::-1], Q, x))


def test_misaligned():
    memory = np.zeros(X.nbytes + 1, np.uint8)
    x = memory[1:].view(np.float64).reshape(X.shape)
    x[...] = X
    agree(bb.compile(mixture)(M, Q, x), mixture(M, Q, X))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e200, 1e-310, -0.0])
def test_special_values(value):
    x = X.copy()
    x[[3, 700, N - 1], [0, 1, 2]] = value
    for f in (shares, many, outer, mixture):
        with np.errstate(all="ignore"):
            agree(bb.compile(f)(M, Q, x), f(M, Q, x))


def test_the_last_places_count_once_and_nothing_past_them_is_read():
    memory = np.full((2000, D), np.nan)
    for n in range(600, 618):
        x = memory[:n]
        x[...] = X[:n]
        agree(bb.compile(shares)(M, Q, x), shares(M, Q, X[:n]))
        memory[:] = np.nan


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pages are guarded on Linux")
@pytest.mark.parametrize("name", ["shares", "outer", "its gradient"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("at_end", [True, False])
def test_no_byte_outside_is_touched(name, order, at_end, monkeypatch):
    """Of the arrays, the results, and the kernel's own memory."""
    guards = []

    def placed(shape, dtype=np.float64, order="C"):
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        guards.append(Guarded(size))
        return guards[-1].place(shape, dtype, order, at_end)

    def aligned(n, dtype=np.float64):
        size = -(-n * np.dtype(dtype).itemsize // 64) * 64
        a = placed((size,), np.uint8).view(dtype)
        a.fill(0)
        return a[:n]

    f = PROGRAMS[name]
    fast = bb.compile(f)
    fast(M, Q, X)
    monkeypatch.setattr(tile_kernel, "_aligned", aligned)
    monkeypatch.setattr(tile_kernel, "_result", placed)
    for n in (600, 601, 606, N):
        given = [placed(a.shape, order=order) for a in (M, Q, X[:n])]
        for a, b in zip(given, (M, Q, X[:n]), strict=True):
            a[...] = b
        agree(fast(*given), f(M, Q, X[:n]))
    assert all(type(k) is TileKernel for k in kernels(fast))


def test_threads_change_no_bit():
    fast = bb.compile(PROGRAMS["its gradient"])
    x = np.repeat(X, 20, 0)
    with threads(1):
        one = fast(M, Q, x)
    with threads(4):
        four = fast(M, Q, x)
    assert all(np.array_equal(a, b) for a, b in zip(leaves(one), leaves(four), strict=True))


def test_results_are_the_callers_own():
    fast = bb.compile(shares)
    one = fast(M, Q, X)
    kept = [np.array(y) for y in one]
    fast(M, Q, X + 1)
    assert all(np.array_equal(a, b) for a, b in zip(one, kept, strict=True))


def test_what_is_not_for_a_kernel_is_left_to_numpy():
    def sorting(m, q, x):
        d = np.sum((x[:, None] - m) ** 2, -1)
        return np.sum(np.exp(-d), 1), np.sum(special.logsumexp(d, 1, b=2.0) + np.max(d, 1))

    fast = bb.compile(sorting)
    agree(fast(M, Q, X), sorting(M, Q, X))
    for plan in fast.plans.values():
        for step in plan.steps:
            if isinstance(step, BlockedStep) and step.kernel is None:
                with pytest.raises(Unsupported):
                    TileProgram(*step.group, step.n)


def test_a_pass_over_the_rows_too_long_for_one_number_after_another():
    """What each row has is many numbers, every one a parameter: loops over them are quicker."""
    theta = RNG.normal(size=5 * 10)

    def user(theta, x):
        m, q = np.reshape(theta[:10], (5, 2)), np.reshape(theta[10:], (5, 8))[:, :4].reshape(5, 2, 2)
        return mixture(m, q, x)

    fast = bb.compile(bb.value_and_grad(user))
    agree(fast(theta, X[:, :2]), bb.value_and_grad(user)(theta, X[:, :2]))
    assert kernels(fast) and all(type(k) is TileKernel for k in kernels(fast)), str(fast)
    assert "machine code, tile by tile" in str(fast)


def test_the_axis_is_that_of_the_data_though_parameters_are_more():
    theta = RNG.normal(size=K * D + K * D * D + 9000)

    def user(theta, x):
        return mixture(np.reshape(theta[: K * D], (K, D)), np.reshape(theta[K * D : -9000], (K, D, D)), x)

    fast = bb.compile(bb.grad(user))
    agree(fast(theta, X), bb.grad(user)(theta, X))
    assert any(type(k) is TileKernel for k in kernels(fast)), str(fast)


def test_without_machine_code(monkeypatch):
    monkeypatch.setenv("BIBUN_COMPILER", "numpy")
    fast = bb.compile(shares)
    agree(fast(M, Q, X), shares(M, Q, X))
    assert kernels(fast) == [None]
