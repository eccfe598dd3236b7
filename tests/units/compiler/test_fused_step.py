"""Groups of calls as one pass over their elements: what is grouped, and that it changes no number."""

import sys
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

import bibun as bb
from bibun.compiler import fused_step, fusion, machine, ordering
from bibun.compiler.fused_step import FusedStep
from bibun.compiler.plan import plan

RNG = np.random.default_rng(0)
N, K = 5003, 4
X, Y, B = RNG.normal(size=(N, K)), RNG.normal(size=N), RNG.normal(size=K)


@pytest.fixture(autouse=True)
def always(monkeypatch):
    """Kernels for arrays of any size that is large to a plan."""
    monkeypatch.setattr(fused_step, "WORK", 0)


def groups(p):
    return [s for s in p.steps if isinstance(s, FusedStep)]


def leaves(out):
    return list(out) if isinstance(out, (tuple, list)) else [out]


def agree(got, expected, tolerance=1e-13):
    assert len(leaves(got)) == len(leaves(expected))
    for a, b in zip(leaves(got), leaves(expected), strict=True):
        b = np.asarray(b)
        assert np.shape(a) == b.shape and np.asarray(a).dtype == b.dtype
        finite = np.abs(b[np.isfinite(b)]) if b.dtype.kind == "f" else b
        np.testing.assert_allclose(a, b, tolerance, tolerance * float(np.max(finite, initial=0.0)))


def eager(f, *args):
    with np.errstate(all="ignore"):
        return f(*args)


PROGRAMS = {
    "residuals": (lambda b, X, y: y - expit(X @ b), 1),
    "Pearson residuals": (lambda b, X, y: (y - np.exp(X @ b)) / np.sqrt(np.exp(X @ b)), 1),
    "a gradient by hand": (lambda b, X, y: X.T @ (expit(X @ b) - y), None),
    "and from the left": (lambda b, X, y: (expit(X @ b) - y) @ X + np.max(np.exp(y)), None),
    "a variance": (lambda b, X, y: np.sum((y - np.mean(y)) ** 2) / (y.size - 1.5) + b[0], None),
    "standardised": (lambda b, X, y: (y - np.mean(y)) / np.sqrt(np.mean((y - np.mean(y)) ** 2)), 1),
    "layers": (lambda b, X, y: np.tanh(np.tanh(X @ np.reshape(b, (4, 1)) + 0.5) * 2 - 1), None),
    "truth": (lambda b, X, y: ((y > 0) & (y < b[0]), ~(y > 0), np.where(y > 0, y > 1, y < -1)), 1),
    "a matrix": (lambda b, X, y: np.exp(X) * b[0] - X / 2, 1),
    "turned": (lambda b, X, y: np.exp(X.T) * b[0] - X.T / 2, 1),
    "dot": (lambda b, X, y: ((y * 2) @ (y + b[1]), y * 3), None),
    "by the data": (bb.grad(lambda b, X, y: np.sum(np.sin(y * b[0]) * y), argnums=2), 1),
    "softmax of all": (bb.grad(lambda b, X, y: np.log(np.sum(np.exp(y))) * b[0], argnums=2), 2),
    "several": (lambda b, X, y: (np.exp(y), np.exp(y) * 2, np.sum(np.exp(y)), np.mean(np.exp(y) * y)), 1),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    f, count = PROGRAMS[name]
    fast = bb.compile(f)
    for n in (N, 700, 4096, N):
        for t in (B, -B):
            agree(fast(t, X[:n], Y[:n]), eager(f, t, X[:n], Y[:n]))
    p = next(iter(fast.plans.values()))
    if count is not None:
        assert len(groups(p)) == count, str(p)


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_machine_code(name, monkeypatch):
    monkeypatch.setattr(machine, "available", lambda: False)
    f, _ = PROGRAMS[name]
    agree(bb.compile(f)(B, X, Y), eager(f, B, X, Y))


def test_one_plan_serves_any_number_of_rows():
    fast = bb.compile(PROGRAMS["residuals"][0])
    for n in (N, 600, 4096):
        fast(B, X[:n], Y[:n])
    assert len({id(p) for p in fast.plans.values()}) == 1


def test_a_matrix_is_read_once_for_a_gradient_by_hand():
    def f(b, X, y):
        r = np.where(np.cumsum(y) > 0, 1.0, -1.0) * (expit(X @ b) - y)
        return X.T @ r, r

    p = plan(f, B, X, Y)
    (step,) = groups(p)
    assert len(step.sources) == 3 and not any("@" in str(s) for s in p.steps)
    agree(p(B, X, Y), f(B, X, Y))


def test_a_square_matrix_times_what_is_computed_is_not_row_by_row(monkeypatch):
    monkeypatch.setattr(fusion, "FEWEST", 50)
    from bibun.compiler import plan as module

    monkeypatch.setattr(module, "FEWEST", 50)
    A, v = RNG.normal(size=(60, 60)), RNG.normal(size=60)
    f = lambda A, v: np.exp(A @ np.sin(v * 2 + 1)) * 3 + v @ A + A.T @ v
    agree(plan(f, A, v)(A, v), f(A, v))


def test_small_arrays_and_float32_are_left_to_numpy():
    assert not groups(plan(lambda x: np.exp(x) * 2 + 1, Y[:500]))
    single = Y.astype(np.float32)
    f = lambda x: np.exp(x) * 2 + 1
    p = bb.compile(f)
    np.testing.assert_array_equal(p(single), f(single))
    assert not groups(next(iter(p.plans.values())))
    mixed = lambda x, y: np.exp(x) * 2 + y * 3 - 1
    agree(bb.compile(mixed)(single, Y), mixed(single, Y))


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, bool])
def test_whole_numbers_and_truth_values(dtype):
    k = (RNG.uniform(size=N) * 200).astype(dtype)
    f = lambda k, y: (k * y + np.exp(y), np.where(k, y * 2, y), k + k, (y > 0) * 1.5 + k)
    agree(bb.compile(f)(k, Y), f(k, Y))
    large = np.array([2**53, 2**53 + 1] * N)
    g = lambda k, y: np.where(k == 2**53 + 1, y * 2, y + 1)
    agree(bb.compile(g)(large, np.arange(2.0 * N)), g(large, np.arange(2.0 * N)))


ODD = [0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, -5e-324, 1e-310, 1e308, -1e308, 1.0, -1.0, 0.5, 3.0]


def test_special_values_as_numpy():
    x, y = (a.ravel() for a in np.meshgrid(np.resize(ODD, 97), np.resize(ODD, 89)))
    f = lambda x, y: (
        x + y, x - y, x * y, x / y, np.sqrt(x), np.abs(x), -x, np.where(x > y, x, y), x < y, x == y, np.isnan(x * y),
        np.copysign(x, y), np.floor(x), (x * y) / y, np.where(np.isnan(x), 0, x), np.hypot(x, y), np.exp(x), np.log(y),
        np.log1p(x), np.expm1(y), np.tanh(x), np.logaddexp(x, y),
    )  # fmt: skip
    for a, b in zip(bb.compile(f)(x, y), eager(f, x, y), strict=True):
        np.testing.assert_allclose(a, b, 5e-16)
        number = ~np.isnan(b) if b.dtype.kind == "f" else slice(None)
        np.testing.assert_array_equal(np.signbit(a * 1.0)[number], np.signbit(b * 1.0)[number])
    with np.errstate(all="ignore"):
        assert bb.compile(lambda x: (np.sum(x * 2), np.mean(x + 1)))(np.full(N, np.inf)) == (np.inf, np.inf)
        assert np.isnan(bb.compile(lambda x: np.sum(x * 2))(np.resize([np.inf, -np.inf], N)))


def test_zero_absorbs_as_eagerly():
    f = bb.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), np.exp(-x)) * 2))
    x = np.where(Y > 1, 0.0, Y)
    agree(bb.compile(f)(x), f(x))


LAYOUTS = {
    "C": lambda a: a,
    "F": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, 0)[::2],
    "backwards": lambda a: a[::-1],
    "columns": lambda a: np.repeat(a, 3, 1)[:, 1::3],
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
    "big-endian": lambda a: a.astype(">f8"),
    "read-only": lambda a: np.broadcast_to(a, (1, *a.shape))[0],
}


@pytest.mark.parametrize("one", LAYOUTS)
@pytest.mark.parametrize("two", ["C", "F", "columns"])
def test_arrays_of_any_layout(one, two):
    x, y = LAYOUTS[one](X), LAYOUTS[two](X + 1)
    f = lambda x, y: (np.exp(x) * y - x, np.sum(x * y + 1), x[:, 0] * y[:, 1] + np.exp(y[:, 1]))
    for a, b in zip(bb.compile(f)(x, y), f(x, y), strict=True):
        np.testing.assert_allclose(a, b, 1e-13, 1e-11)


def test_empty_arrays():
    fast = bb.compile(PROGRAMS["residuals"][0])
    assert fast(B, X[:0], Y[:0]).shape == (0,)
    p = plan(PROGRAMS["residuals"][0], B, X, Y)
    p.any_rows = True
    assert p(B, X[:0], Y[:0]).shape == (0,)


def test_results_are_the_callers_own():
    K = RNG.normal(size=3)
    f = lambda x: (x.T, x[:, 1:], x, np.exp(x) * 2, np.exp(x) * 2, (np.exp(x) * 2).T, np.reshape(x, -1), K)
    fast = bb.compile(f)
    before = X.copy()
    one, two = fast(X), fast(X)
    everything = [*one, *two, X, K]
    for i, a in enumerate(everything):
        assert not any(np.shares_memory(a, b) for b in everything[:i])
        assert a.flags.writeable
    for a in one:
        a[...] = 0
    agree(fast(X), f(before))
    np.testing.assert_array_equal(X, before)


def test_nothing_is_held_after_its_last_use():
    seen = []

    class Spy(FusedStep):
        def __call__(self, values):
            super().__call__(values)
            seen.append(sum(isinstance(v, np.ndarray) and v.size == N for v in values))

    def f(x):
        for _ in range(8):
            x = np.cumsum(np.exp(-x * x) * 0.5)
            x = x / x[-1]
        return np.sum(x * 2)

    p = plan(f, Y)
    for s in groups(p):
        s.__class__ = Spy
    agree(p(Y), f(Y))
    assert len(seen) > 6 and max(seen) <= 3  # the argument, and what is read next


def test_arguments_are_not_kept():
    y = Y.copy()
    fast = bb.compile(lambda y: np.exp(y) * 2 + y)
    fast(y)
    alive = weakref.ref(y)
    del y
    assert alive() is None


def test_calls_in_threads():
    f = PROGRAMS["several"][0]
    fast = bb.compile(f)
    sizes = (N, 700, 4096, 5000)
    expected = {n: f(B, X[:n], Y[:n]) for n in sizes}
    fast(B, X, Y)
    wrong = []

    def work(k):
        for i in range(40):
            n = sizes[(k + i) % len(sizes)]
            for a, b in zip(fast(B, X[:n], Y[:n]), expected[n], strict=True):
                if not np.allclose(a, b, 1e-12, 1e-10):
                    wrong.append(n)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_many_operations_are_several_kernels(monkeypatch):
    monkeypatch.setattr(ordering, "MOST", 20)

    def f(x):
        y = x
        for k in range(40):
            y = np.sqrt(y * y + k) - x
        return y, np.sum(y)

    p = plan(f, Y)
    assert len(groups(p)) > 4
    agree(p(Y), f(Y), 1e-11)


UNARY = [np.negative, np.absolute, np.sqrt, np.floor, np.isnan, np.square, np.sign, np.logical_not]
BINARY = [np.add, np.subtract, np.multiply, np.divide, np.copysign, np.less, np.greater_equal, np.equal]
BINARY += [np.logical_and, np.logical_or]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 30), *[st.integers(0, 999)] * 3), min_size=2, max_size=25),
    st.integers(0, 2**32 - 1),
)
def test_random_programs_have_every_bit(steps, seed):
    """Operations that are exact, or rounded once: a kernel and NumPy cannot differ."""
    random = np.random.default_rng(seed)
    n = 4096 + seed % 70

    def f(x, y, c):
        made = [x, y, c, x * c, y > 0]
        for which, i, j, k in steps:
            a, b, d = (made[m % len(made)] for m in (i, j, k))
            if which < len(UNARY):
                made.append(UNARY[which](a if which > 6 else a * 1.0))
            elif which < len(UNARY) + len(BINARY):
                made.append(BINARY[which - len(UNARY)](a * 1.0, b))
            elif which < 24:
                made.append(np.where(a != 0, b, d))
            elif which < 27:
                made.append(a * [0.5, -0.0, np.inf, 3.0, -1e-310][k % 5])
            else:
                made.append(np.roll(b, 1) if np.ndim(b) else b)  # a call between groups
        return tuple(made[3:])

    draw = lambda: np.where(random.random(n) < 0.3, random.choice(ODD, n), random.normal(size=n))
    args = draw(), draw(), np.array(float(random.choice(ODD)))
    p = plan(f, *args)
    p._again = None
    for a, b in zip(p(*args), eager(f, *args), strict=True):
        assert np.shape(a) == np.shape(b) and np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_array_equal(a, b)
        number = ~np.isnan(np.asarray(b, float))
        np.testing.assert_array_equal(
            np.signbit(np.asarray(a, float))[number], np.signbit(np.asarray(b, float))[number]
        )
