"""`bb.compile`: what a user writes, compiled, must equal the same run eagerly.

One likelihood after another, with every derivative; then arrays of other kinds; then how a compiled function is called.
"""

import functools
import gc
import pickle
import threading
import types
import weakref

import numpy as np
import pytest
from scipy.special import gammaln

import bibun as bb
from bibun.compiler import machine
from bibun.compiler.compiled import compile as compiled
from bibun.core.tree import flatten

rng = np.random.default_rng(11)
N, D, GROUPS = 600, 4, 5
X = np.column_stack([np.ones(N), rng.normal(size=(N, D - 1))])
Y = X @ np.array([0.3, -0.5, 0.2, 0.1]) + rng.normal(size=N)
BINARY = (rng.random(N) < 0.4) * 1.0
COUNTS = rng.poisson(2.0, N).astype(float)
CODES = rng.integers(0, GROUPS, N)
OFFSET, WEIGHTS = rng.normal(size=N) / 5, rng.random(N) + 0.5
ONE_HOT = np.eye(3)[rng.integers(0, 3, N)]


def agree(one, two, rtol=1e-9):
    """Two results: the same tree, shapes and dtypes, and numbers equal but for rounding."""
    a, b = flatten(one)[0], flatten(two)[0]
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        x, y = np.asarray(x), np.asarray(y)
        assert x.shape == y.shape
        assert x.dtype == y.dtype
        finite = np.abs(y[np.isfinite(y)]) if y.dtype.kind == "f" else np.abs(y)
        scale = max(1.0, finite.max(initial=0.0))
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * scale * 1e-2)


def value(f):
    return f


def all_three(f):
    gradient, hessian = bb.value_and_grad(f), bb.hessian(f)
    return lambda *args: (*gradient(*args), hessian(*args))


def curvature(f):
    return lambda t, *data: bb.hvp(lambda p: f(p, *data), (t,), (np.cos(np.arange(t.size)).reshape(t.shape),))


DERIVATIVES = [value, bb.grad, bb.value_and_grad, bb.hessian, curvature, all_three]


def logistic(t, X, y):
    eta = X @ t
    return np.sum(np.logaddexp(0, eta) - y * eta)


def logistic_by_log1p(t, X, y):
    return np.sum(np.log1p(np.exp(-(2 * y - 1) * (X @ t))))


def logistic_by_probability(t, X, y):
    p = 1 / (1 + np.exp(-X @ t))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def poisson(t, X, y):
    eta = X @ t
    return np.sum(np.exp(eta) - y * eta + gammaln(y + 1))


def gaussian(t, X, y):
    z = (y - X @ t[:-1]) / np.exp(t[-1])
    return 0.5 * z @ z + len(y) * t[-1]


def gaussian_by_rows(t, X, y):
    return np.sum(0.5 * ((y - X @ t[:-1]) * np.exp(-t[-1])) ** 2 + t[-1])


def student(t, X, y):
    s, nu = np.exp(t[-2]), np.exp(t[-1])
    z = (y - X @ t[:-2]) / s
    row = (nu + 1) / 2 * np.log1p(z**2 / nu) + np.log(s) + 0.5 * np.log(nu * np.pi)
    return np.sum(row - gammaln((nu + 1) / 2) + gammaln(nu / 2))


def mixture(t, X, y):
    def density(m, s):
        return -0.5 * ((y - m) / np.exp(s)) ** 2 - s

    log_p = -np.logaddexp(0, -t[0])
    return -np.sum(np.logaddexp(log_p + density(t[1], t[3]), log_p - t[0] + density(t[2], t[4])))


def softmax(t, X, y):
    eta = X @ t
    return np.sum(bb.special.logsumexp(eta, axis=1)) - np.sum(y * eta)


def grouped(t, X, y):
    u = t[D : D + GROUPS]
    eta = X @ t[:D] + u[CODES]
    return np.sum(np.logaddexp(0, eta) - y * eta) + 0.5 * np.sum(u**2) * np.exp(-2 * t[-1]) + GROUPS * t[-1]


def offset_and_weights(t, X, y):
    eta = X @ t + OFFSET
    return np.sum(WEIGHTS * (np.exp(eta) - y * eta)) / np.sum(WEIGHTS)


def centred(t, X, y):
    r = y - X @ t
    r = r - np.mean(r)
    return np.log(np.mean(r**2)) + np.mean(r**4)


def centred_data(t, X, y):
    return np.sum(((y - np.mean(y)) / np.std(y) - (X - X.mean(axis=0)) @ t) ** 2)


def prior(t, X, y):
    return logistic(t, X, y) + 0.5 * np.sum((t / 2.5) ** 2) + np.sum(np.log1p(t**2))


def column_by_column(t, X, y):
    eta = t[0] + t[1] * X[:, 1] + t[2] * X[:, 2] ** 2 + t[3] * X[:, 1] * X[:, 2]
    return np.sum(np.sqrt(1 + (y - eta) ** 2))


def products(t, X, y):
    return t @ (X.T @ X) @ t / 2 - (X.T @ y) @ t


def huber(t, X, y):
    r = y - X @ t
    return np.sum(np.where(np.abs(r) < 1.0, 0.5 * r**2, np.abs(r) - 0.5))


def clipped(t, X, y):
    return np.sum(np.maximum(0, 1 - (2 * y - 1) * (X @ t)) ** 2) + np.sum(np.clip(X @ t, -1, 1) * y)


def two_results(t, X, y):
    r = y - X @ t
    return np.sum(r**2) * np.sum(np.exp(-(r**2)))


LIKELIHOODS = [
    (logistic, (D,), BINARY),
    (logistic_by_log1p, (D,), BINARY),
    (logistic_by_probability, (D,), BINARY),
    (poisson, (D,), COUNTS),
    (gaussian, (D + 1,), Y),
    (gaussian_by_rows, (D + 1,), Y),
    (student, (D + 2,), Y),
    (mixture, (5,), Y),
    (softmax, (D, 3), ONE_HOT),
    (grouped, (D + GROUPS + 1,), BINARY),
    (offset_and_weights, (D,), COUNTS),
    (centred, (D,), Y),
    (centred_data, (D,), Y),
    (prior, (D,), BINARY),
    (column_by_column, (D,), Y),
    (products, (D,), Y),
    (huber, (D,), Y),
    (clipped, (D,), BINARY),
    (two_results, (D,), Y),
]
CAPTURING = {grouped, offset_and_weights}
NAMES = [f.__name__ for f, _, _ in LIKELIHOODS]


def start(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape) / 5


@pytest.mark.parametrize(("f", "shape", "y"), LIKELIHOODS, ids=NAMES)
@pytest.mark.parametrize("derivative", DERIVATIVES, ids=lambda d: d.__name__)
def test_derivatives_are_the_eager_ones(derivative, f, shape, y):
    eager = derivative(f)
    fast = compiled(eager)
    for seed in (0, 1):
        t = start(shape, seed)
        agree(fast(t, X, y), eager(t, X, y))


@pytest.mark.parametrize(("f", "shape", "y"), LIKELIHOODS, ids=NAMES)
def test_other_row_counts_after_the_first(f, shape, y):
    if f in CAPTURING:
        pytest.skip("what it captures has one number of rows")
    eager = bb.value_and_grad(f)
    fast = compiled(eager)
    t = start(shape)
    one = 2 if f in (centred, centred_data) else 1  # one row less its mean is 0, of which there is no logarithm
    for rows in (N, 513, 599, 100, 65, 5, one, N):
        agree(fast(t, X[:rows], y[:rows]), eager(t, X[:rows], y[:rows]))


@pytest.mark.parametrize(("f", "shape", "y"), LIKELIHOODS, ids=NAMES)
def test_fewer_than_many_rows(f, shape, y):
    if f in CAPTURING:
        pytest.skip("what it captures has one number of rows")
    eager, t = all_three(f), start(shape)
    agree(compiled(eager)(t, X[:90], y[:90]), eager(t, X[:90], y[:90]))


def layouts():
    wide = np.zeros((N, 2 * D))
    wide[:, ::2] = X
    tall = np.zeros((2 * N, D))
    tall[::2] = X
    still = X.copy()
    still.flags.writeable = False
    return {
        "C": np.ascontiguousarray(X),
        "F": np.asfortranarray(X),
        "columns apart": wide[:, ::2],
        "rows apart": tall[::2],
        "backwards": X[::-1].copy()[::-1],
        "read only": still,
        "other byte order": X.astype(">f8"),
    }


@pytest.mark.parametrize("layout", list(layouts()))
def test_memory_layouts(layout):
    A, t = layouts()[layout], start(D)
    eager = all_three(logistic)
    fast = compiled(eager)
    agree(fast(t, X, BINARY), eager(t, X, BINARY))
    found, wanted = fast(t, A, BINARY), eager(t, X, BINARY)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("f", [logistic, poisson, centred, huber], ids=lambda f: f.__name__)
def test_float32_data(f):
    y = {logistic: BINARY, poisson: COUNTS}.get(f, Y).astype(np.float32)
    eager, t = bb.value_and_grad(f), start(D)
    agree(compiled(eager)(t, X.astype(np.float32), y), eager(t, X.astype(np.float32), y), rtol=1e-5)


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint8, bool])
def test_whole_number_data(kind):
    y, t = BINARY.astype(kind), start(D)

    def f(t, X, y):
        eta = X @ t
        return np.sum(np.logaddexp(0, eta) - eta * y)

    eager = all_three(f)
    agree(compiled(eager)(t, X, y), eager(t, X, y))


def test_captured_data():
    eager = all_three(lambda t: logistic(t, X, BINARY))
    fast = compiled(eager)
    for seed in (0, 1):
        agree(fast(start(D, seed)), eager(start(D, seed)))


def test_captured_matrix_and_passed_response():
    eager = all_three(lambda t, y: logistic(t, X, y))
    fast = compiled(eager)
    for y in (BINARY, 1 - BINARY):
        agree(fast(start(D), y), eager(start(D), y))


ROWS = {
    "linear": lambda t, X: X @ t,
    "exponential": lambda t, X: np.exp(X @ t) * X[:, 1],
    "matrix": lambda t, X: X * t,
    "outer": lambda t, X: np.stack([np.sin(X @ t), X @ (t**2)], axis=1),
    "logsumexp": lambda t, X: bb.special.logsumexp(X * t, axis=1),
    "cumulative": lambda t, X: np.cumsum(np.exp(X @ t)),
    "sorted": lambda t, X: np.sort(X @ t),
    "difference": lambda t, X: np.diff(X @ t),
    "ahead": lambda t, X: (X @ t)[1:] * (X @ t)[:-1],
}


@pytest.mark.parametrize("name", list(ROWS))
@pytest.mark.parametrize("derivative", [value, bb.jacobian], ids=["value", "jacobian"])
def test_values_of_rows(derivative, name):
    eager = derivative(ROWS[name])
    fast, t = compiled(eager), start(D)
    for rows in (N, 530, 70):
        agree(fast(t, X[:rows]), eager(t, X[:rows]))


ACROSS = {
    "lag": lambda t, X, y: np.sum((y[1:] - t[0] * y[:-1] - X[1:] @ t) ** 2),
    "every other": lambda t, X, y: np.sum(np.exp((X @ t)[::2])),
    "first row": lambda t, X, y: (X @ t)[0] ** 2 + np.sum(X @ t),
    "largest": lambda t, X, y: np.max(X @ t) + np.sum((X @ t) ** 2),
    "partial likelihood": lambda t, X, y: -np.sum(y * (X @ t - np.log(np.cumsum(np.exp(X @ t))))),
    "all pairs": lambda t, X, y: np.mean(np.tanh((X @ t)[:, None] - (X @ t)[None, :]) ** 2),
    "softmax over rows": lambda t, X, y: bb.special.logsumexp(X @ t) - np.mean(X @ t * y),
    "reversed": lambda t, X, y: np.sum((X @ t)[::-1] * y),
    "backwards lag": lambda t, X, y: np.sum(np.roll(X @ t, 1) * y),
    "number of rows": lambda t, X, y: np.sum((X @ t) ** 2) / (len(y) - D) + np.log(X.shape[0]) * t[0],
    "row numbers": lambda t, X, y: np.sum(np.exp(-t[0] * np.arange(len(y)) / len(y)) * y),
    "standard deviation": lambda t, X, y: np.std(X @ t) + np.var(y * np.exp(t[0])),
    "column means": lambda t, X, y: np.sum((X * t - np.mean(X * t, axis=0)) ** 4),
    "halves": lambda t, X, y: np.sum((X @ t)[: len(y) // 2] ** 2) - np.sum((X @ t)[len(y) // 2 :]),
}


@pytest.mark.parametrize("name", list(ACROSS))
@pytest.mark.parametrize("rows", [(N, 514), (90, 80)])
def test_what_looks_at_other_rows(name, rows):
    eager = all_three(ACROSS[name])
    fast, t = compiled(eager), start(D)
    for n in rows:
        agree(fast(t, X[:n], BINARY[:n]), eager(t, X[:n], BINARY[:n]))


def test_nested_parameters():
    def f(p, X, y):
        r = (y - X @ p["beta"] - p["more"][0]) / np.exp(p["more"][1]["s"])
        return np.sum(0.5 * r**2 + p["more"][1]["s"])

    p = {"beta": start(D), "more": [0.3, {"s": np.array(0.1)}]}
    for eager in (f, bb.grad(f), bb.value_and_grad(f), bb.hessian(f)):
        fast = compiled(eager)
        agree(fast(p, X, Y), eager(p, X, Y))
        q = {"beta": start(D, 3), "more": [-0.2, {"s": np.array(0.4)}]}
        agree(fast(q, X[:540], Y[:540]), eager(q, X[:540], Y[:540]))


def test_data_in_a_dict():
    def f(t, data):
        return logistic(t, data["X"], data["y"]) + np.sum(t[data["codes"]] ** 2)

    eager = bb.value_and_grad(f)
    fast, t = compiled(eager), start(D)
    for n in (N, 560, 70):
        data = {"X": X[:n], "y": BINARY[:n], "codes": CODES[:n] % D}
        agree(fast(t, data), eager(t, data))


def effects(t, X, y, codes):
    eta = X @ t[:D] + t[D:][codes]
    return np.sum(np.logaddexp(0, eta) - y * eta) + np.sum(t[D:] ** 2)


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.int8, np.uint8])
def test_codes_as_an_argument(kind):
    eager, t = all_three(effects), start(D + GROUPS)
    fast = compiled(eager)
    for n, codes in ((N, CODES), (550, CODES[::-1]), (N, (CODES + 1) % GROUPS), (70, CODES)):
        args = t, X[:n], BINARY[:n], codes[:n].astype(kind)
        agree(fast(*args), eager(*args))


def test_codes_from_the_end_and_beyond():
    eager, t = bb.value_and_grad(effects), start(D + GROUPS)
    fast = compiled(eager)
    agree(fast(t, X, BINARY, CODES), eager(t, X, BINARY, CODES))
    agree(fast(t, X, BINARY, CODES - GROUPS), eager(t, X, BINARY, CODES - GROUPS))
    with pytest.raises(IndexError):
        fast(t, X, BINARY, CODES + 1)


def test_codes_computed_from_the_data():
    """They are data too: read by the pass over the rows, from the end as well, and beyond it refused as by NumPy."""

    def steps(t, X, y, codes):
        low, high = t[D:][np.maximum(codes - 1, 0)], t[D:][np.minimum(codes, GROUPS - 1)]
        return np.sum(np.logaddexp(0, X @ t[:D] + low - high) - y * low)

    eager, t = bb.value_and_grad(steps), np.linspace(-1, 1, D + GROUPS)
    fast = compiled(eager)
    for n, codes in ((N, CODES), (550, CODES[::-1]), (70, CODES)):
        args = t, X[:n], BINARY[:n], codes[:n]
        agree(fast(*args), eager(*args))
    assert "one pass" in str(fast)
    args = t, X, BINARY, CODES - GROUPS  # the second gather counts from the end
    agree(fast(*args), eager(*args))
    wild = bb.compile(lambda u, codes, y: np.sum(u[codes * 2] * y))
    with pytest.raises(IndexError):
        wild(np.ones(GROUPS), CODES, BINARY)


def test_an_effect_for_every_row():
    eager, u = bb.value_and_grad(lambda u, X, y: np.sum((y - u * X[:, 1]) ** 2) + np.sum(np.diff(u) ** 2)), start(N)
    agree(compiled(eager)(u, X, Y), eager(u, X, Y))


def test_crossed_effects():
    other = rng.integers(0, 3, N)

    def f(t, X, y):
        r = y - X @ t[:D] - t[D : D + GROUPS][CODES] - np.exp(t[-3:])[other] * X[:, 1]
        return np.sum(r**2)

    eager, t = all_three(f), start(D + GROUPS + 3)
    agree(compiled(eager)(t, X, Y), eager(t, X, Y))


def test_a_square_matrix_of_data():
    A, t = rng.normal(size=(80, 80)) / 9, start(80)
    eager = all_three(lambda t, A, y: np.sum(np.logaddexp(0, A @ t) - y * (A @ t)))
    agree(compiled(eager)(t, A, BINARY[:80]), eager(t, A, BINARY[:80]))


def test_many_columns():
    A, t = rng.normal(size=(N, 70)) / 9, start(70)
    eager = all_three(logistic)
    agree(compiled(eager)(t, A, BINARY), eager(t, A, BINARY))


def test_a_response_with_two_axes():
    eager, t = bb.value_and_grad(lambda t, X, y: np.sum((y - (X @ t)[:, None]) ** 2)), start(D)
    agree(compiled(eager)(t, X, Y[:, None]), eager(t, X, Y[:, None]))
    eager = bb.value_and_grad(lambda t, X, y: np.mean((y - X @ t) ** 2))  # every pair, as NumPy broadcasts it
    agree(compiled(eager)(t, X, Y[:, None]), eager(t, X, Y[:, None]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("f", [logistic, poisson, gaussian_by_rows, huber, student], ids=lambda f: f.__name__)
def test_rows_that_are_not_finite(f, bad):
    shape = {gaussian_by_rows: D + 1, student: D + 2}.get(f, D)
    y = Y.copy()
    y[17] = bad
    eager, t = all_three(f), start(shape)
    agree(compiled(eager)(t, X, np.abs(y) if f is poisson else y), eager(t, X, np.abs(y) if f is poisson else y))


def log_or_zero(t, X, y):
    eta = X @ t
    return np.sum(np.where(eta > 0, np.log(eta), 0.0))


def root_or_zero(t, X, y):
    return np.sum(np.where(y > 0, np.sqrt(y * np.exp(X @ t)), 0.0))


def missing(t, X, y):
    return np.sum(np.where(np.isnan(y), 0.0, (y - X @ t) ** 2))


def entropy(t, X, y):
    p = np.where(y > 0, y, 0.0) * np.exp(X @ t)
    return np.sum(np.where(p > 0, p * np.log(p), 0.0))


def overflowing(t, X, y):
    eta = 400 * (X @ t)
    return np.sum(np.where(eta > 0, eta, np.log1p(np.exp(eta))))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("derivative", [value, bb.grad, bb.hessian, all_three], ids=lambda d: d.__name__)
@pytest.mark.parametrize("f", [log_or_zero, root_or_zero, missing, entropy, overflowing], ids=lambda f: f.__name__)
def test_a_branch_not_taken(f, derivative):
    y = BINARY.copy()
    if f is missing:
        y[::7] = np.nan
    eager, t = derivative(f), 3 * start(D)
    fast = compiled(eager)
    agree(fast(t, X, y), eager(t, X, y))
    agree(fast(t, X[:90], y[:90]), eager(t, X[:90], y[:90]))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_finite_first_and_infinite_later():
    eager = bb.value_and_grad(log_or_zero)
    fast = compiled(eager)
    agree(fast(np.array([9.0, 0.1, 0.1, 0.1]), X, Y), eager(np.array([9.0, 0.1, 0.1, 0.1]), X, Y))
    agree(fast(start(D), X, Y), eager(start(D), X, Y))
    agree(fast(np.zeros(D), X, Y), eager(np.zeros(D), X, Y))


def branching(t, X, y):
    return np.sum((y - X @ t) ** 2) if t[0] > 0 else np.sum(np.abs(y - X @ t))


def branching_on_a_sum(t, X, y):
    loss = np.sum((y - X @ t) ** 2)
    return loss if loss < 1e9 else np.log(loss)


def branching_on_data(t, X, y):
    return np.sum((y - X @ t) ** 2) if y.mean() > 0 else np.sum(X @ t)


def with_a_python_maximum(t, X, y):
    return np.sum((y - X @ t) ** 2) * max(t[0], 0.1)


@pytest.mark.parametrize("derivative", [value, bb.grad, bb.hessian], ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    "f", [branching, branching_on_a_sum, branching_on_data, with_a_python_maximum], ids=lambda f: f.__name__
)
def test_a_branch_on_a_value_names_where(f, derivative):
    with pytest.raises(TypeError, match=r"np\.where"):
        compiled(derivative(f))(start(D), X, Y)


def test_a_python_number_from_a_value_is_refused():
    with pytest.raises(TypeError):
        compiled(lambda t, X, y: np.sum((y - X @ t) ** 2) * float(t[0]))(start(D), X, Y)


def test_pickled():
    fast, t = compiled(logistic), start(D)
    wanted = fast(t, X, BINARY)
    again = pickle.loads(pickle.dumps(fast))
    agree(again(t, X, BINARY), wanted)
    assert again.__name__ == "logistic"


def test_two_threads():
    eager = all_three(logistic)
    fast = compiled(eager)
    starts = [start(D, k) for k in range(8)]
    wanted = [eager(t, X, BINARY) for t in starts]
    failed, ready = [], threading.Barrier(2)

    def work(mine):
        ready.wait()
        try:
            for k in [*mine, *mine, *mine]:
                agree(fast(starts[k], X, BINARY), wanted[k])
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=work, args=(range(k, 8, 2),)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def powered(t, X, y, power=2, link="identity", scale=1.0):
    eta = X @ t if link == "identity" else np.exp(X @ t)
    return np.sum(np.abs(y - eta) ** power) / scale


@pytest.mark.parametrize("derivative", [value, bb.grad, bb.value_and_grad], ids=lambda d: d.__name__)
def test_names_whole_numbers_and_strings(derivative):
    eager = derivative(powered)
    fast, t = compiled(eager), start(D)
    for kw in (
        {},
        {"power": 3},
        {"link": "log"},
        {"power": 4, "link": "log", "scale": 2.0},
        {"scale": 3},
        {"power": 2},
    ):
        agree(fast(t, X, Y, **kw), eager(t, X, Y, **kw))
    agree(fast(t, X, Y, 3, "log", 2.0), eager(t, X, Y, 3, "log", 2.0))
    agree(fast(t, y=Y, X=X), eager(t, y=Y, X=X))
    agree(fast(t, X[:550], y=Y[:550], power=3), eager(t, X[:550], y=Y[:550], power=3))


def test_flags_and_none():
    def f(t, X, y, robust=False, weights=None):
        r = y - X @ t
        row = np.sqrt(1 + r**2) if robust else r**2
        return np.sum(row if weights is None else weights * row)

    eager = bb.value_and_grad(f)
    fast, t = compiled(eager), start(D)
    for kw in ({}, {"robust": True}, {"robust": False}, {"weights": WEIGHTS}, {"robust": True, "weights": WEIGHTS}):
        agree(fast(t, X, Y, **kw), eager(t, X, Y, **kw))


SMALL = {
    "banana": lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
    "solve": lambda x: x @ np.linalg.solve(np.eye(3) * 4 + np.outer(x, x), np.exp(x)),
    "log determinant": lambda x: np.linalg.slogdet(np.eye(3) + np.outer(x, x))[1],
    "loop": lambda x: functools.reduce(lambda s, k: np.sin(s + x[k % 3]), range(12), 0.0 * x[0]),
    "gammaln": lambda x: np.sum(gammaln(x**2 + 1)),
    "constant": lambda x: 0.0 * x[0] + 3.0,
}


@pytest.mark.parametrize("name", list(SMALL))
@pytest.mark.parametrize("derivative", [value, bb.grad, bb.hessian, all_three], ids=lambda d: d.__name__)
def test_small_functions(derivative, name):
    eager = derivative(SMALL[name])
    fast = compiled(eager)
    for seed in (0, 1):
        agree(fast(start(3, seed)), eager(start(3, seed)))


def test_one_number():
    eager = bb.value_and_grad(lambda x: np.exp(-x * x) * np.sin(x))
    fast = compiled(eager)
    for x in (0.3, np.array(0.4), np.float64(0.5), 2.0):
        agree(fast(x), eager(x))


def test_small_vectors_of_many_lengths():
    eager = all_three(lambda x: np.sum(np.exp(x) * np.roll(x, 1)) + np.prod(np.cos(x)))
    fast = compiled(eager)
    for k in (1, 2, 9, 40):
        agree(fast(start(k)), eager(start(k)))


@pytest.mark.parametrize("f", [logistic, centred, huber], ids=lambda f: f.__name__)
@pytest.mark.parametrize("argnums", [1, 2, (0, 1), (0, 2)])
def test_derivative_by_the_data(f, argnums):
    eager = bb.grad(f, argnums=argnums)
    fast, t = compiled(eager), start(D)
    for n in (N, 540, 70):
        agree(fast(t, X[:n], Y[:n]), eager(t, X[:n], Y[:n]))


@pytest.mark.parametrize("rows", [90, N])
@pytest.mark.parametrize("argnums", [1, 2])
def test_mixed_derivative_by_parameters_and_data(argnums, rows):
    eager = bb.jacobian(bb.grad(logistic), argnums=argnums)
    agree(compiled(eager)(start(D), X[:rows], Y[:rows]), eager(start(D), X[:rows], Y[:rows]))


def test_derivative_by_the_data_of_a_gradient_by_the_parameters():
    def score(y, t, X):
        return np.sum(bb.grad(lambda t: np.sum(np.exp(X @ t) * y))(t) ** 2)

    def along(t, X, y):
        return bb.jvp(lambda y: bb.grad(lambda t: np.sum(np.exp(X @ t) * y))(t), (y,), (np.ones_like(y),))[1]

    t = start(D)
    agree(compiled(bb.grad(score))(Y, t, X), bb.grad(score)(Y, t, X))
    agree(compiled(along)(t, X, Y), along(t, X, Y))


def test_the_largest_row_is_found_whatever_the_rounding():
    eager = bb.grad(lambda t, X: np.max(X @ t))
    fast = compiled(eager)
    for seed in range(30):
        agree(fast(start(D, seed), X), eager(start(D, seed), X))


@pytest.mark.parametrize("f", [logistic, poisson, centred], ids=lambda f: f.__name__)
def test_third_derivatives(f):
    eager = bb.jacobian(bb.hessian(f))
    fast, t = compiled(eager), start(D)
    for n in (N, 70):
        agree(fast(t, X[:n], COUNTS[:n]), eager(t, X[:n], COUNTS[:n]))
    laplace = bb.grad(lambda t, X, y: np.linalg.slogdet(bb.hessian(f)(t, X, y) + np.eye(D) * 9)[1])
    agree(compiled(laplace)(t, X, COUNTS), laplace(t, X, COUNTS))


def test_derivatives_of_a_compiled_function():
    fast, t = compiled(logistic), start(D)
    for derivative in (bb.grad, bb.hessian):
        agree(derivative(fast)(t, X, BINARY), derivative(logistic)(t, X, BINARY))
        agree(compiled(derivative(fast))(t, X, BINARY), derivative(logistic)(t, X, BINARY))


@pytest.mark.parametrize("derivative", [bb.grad, bb.hessian, all_three], ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    "f", [logistic, lambda t, X, y: np.sum(X @ t), lambda t, X, y: t[0] * 2.0], ids=["logistic", "linear", "no data"]
)
def test_results_belong_to_the_caller(f, derivative):
    eager = derivative(f)
    fast, t = compiled(eager), start(D)
    first = fast(t, X, BINARY)
    agree(fast(start(D, 1), X, BINARY), eager(start(D, 1), X, BINARY))
    agree(first, eager(t, X, BINARY))  # a later call leaves an earlier result alone
    for a in flatten(first)[0]:
        if isinstance(a, np.ndarray) and a.ndim:
            a[...] = 77.0
    agree(fast(t, X, BINARY), eager(t, X, BINARY))


def test_arguments_are_left_alone():
    fast, t = compiled(all_three(logistic)), start(D)
    before = t.copy(), X.copy(), BINARY.copy()
    fast(t, X, BINARY)
    for a, b in zip((t, X, BINARY), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_data_changed_in_place_is_seen():
    A, t = X.copy(), start(D)
    fast = compiled(logistic)
    fast(t, A, BINARY)
    A[3:90] *= 2
    agree(fast(t, A, BINARY), logistic(t, A, BINARY))


@pytest.mark.parametrize("rows", [0, 1, 63, 64, 511, 512])
def test_numbers_of_rows_at_the_edges(rows):
    eager, t = all_three(logistic), start(D)
    agree(compiled(eager)(t, X[:rows], BINARY[:rows]), eager(t, X[:rows], BINARY[:rows]))


# --- what a plan is made of ------------------------------------------------------------------------------------------


def test_one_pass_gives_value_gradient_and_hessian():
    fast = compiled(all_three(student))
    t = np.full(D + 2, 0.1)
    fast(t, X, Y)
    (plan,) = fast.plans.values()
    assert plan.passes == 1 and plan.any_rows
    fast(t, X[:550], Y[:550])
    assert set(map(id, fast.plans.values())) == {id(plan)}


def test_what_the_number_of_rows_decides_is_recorded_for_each():
    def f(t, y):
        assert y.shape[0] > 100  # as the few rows of a sample are not
        return np.sum((y - t[0]) ** 2) / len(y) if len(y) > 560 else np.sum(y * t[0])

    fast = compiled(bb.grad(f))
    for k in (600, 540, 580):
        agree(fast(np.ones(2), Y[:k]), bb.grad(f)(np.ones(2), Y[:k]))


def test_few_numbers_are_one_kernel():
    def f(x, A):
        for _ in range(3):
            x = np.tanh(A @ x)
        return np.sum(x**2)

    A, x = rng.normal(size=(3, 3)), np.array([0.1, 0.2, 0.3])
    fast = compiled(bb.hessian(f))
    agree(fast(x, A), bb.hessian(f)(x, A))
    (plan,) = fast.plans.values()
    assert plan.kernel is not None or not machine.available()
    agree(fast(-x, A.T.copy()), bb.hessian(f)(-x, A.T.copy()))


ODD = {
    "a parameter in two columns": lambda t, X, y, m, k: np.sum((X @ t[np.array([0, 0, 1, 2])] - y) ** 2),
    "a parameter of two groups": lambda t, X, y, m, k: np.sum((t[np.array([0, 0, 1, 2, 2])][CODES] - y) ** 2),
    "masks": lambda t, X, y, m, k: np.sum(np.where(~m & (y < 1) | (X[:, 1] > 1), t[0] * y, t[1] ** 2 * y)),
    "shifted": lambda t, X, y, m, k: np.sum((k << 1) * t[0] ** 2),
    "wrapped around": lambda t, X, y, m, k: np.sum((k.astype(np.uint8) * np.uint8(100)) * t[0] ** 2),
    "three that tie": lambda t, X, y, m, k: np.sum(np.max(np.stack([y * t[0], y * t[1], y * t[2]], axis=1), axis=1)),
    "two that tie": lambda t, X, y, m, k: np.sum(np.max(np.stack([y * t[0], y * t[1]], axis=1), axis=1)),
    "transposed": lambda t, X, y, m, k: np.sum((t[:D] @ X.T - y) ** 2),
    "remainders": lambda t, X, y, m, k: np.sum((k % 2) * t[0] ** 2 + (k // 2) * t[1] ** 3),
    "not below the largest": lambda t, X, y, m, k: np.sum(np.where(X @ t[:D] >= np.max(X @ t[:D]), X @ t[:D], 0.0)),
}


@pytest.mark.parametrize("derivative", [value, bb.grad, bb.hessian], ids=lambda d: d.__name__)
@pytest.mark.parametrize("name", list(ODD))
def test_odd_programs(name, derivative):
    g = derivative(ODD[name])
    args = np.full(5, 0.2), X, Y, Y > 0, CODES
    agree(compiled(g)(*args), g(*args))


def test_a_result_is_never_the_argument():
    a = np.arange(3.0)
    compiled(lambda x: x * 1.0)(a)[:] = 9.0
    assert a.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("rows", ["any number", "these"])
def test_a_plan_keeps_no_data(rows):
    """Neither the caller's arrays nor what was recorded of them, though the user's own code reads a shape."""
    A, y = X.copy(), Y.copy()

    def f(t, X, y):
        n = len(y) if rows == "these" else 1
        return n * np.log(np.sum((y - X @ t) ** 2))

    fast = compiled(all_three(f))
    agree(fast(start(D), A, y), all_three(f)(start(D), A, y))
    fast(np.full(D, np.nan), A, y)
    plan = next(iter(fast.plans.values()))
    assert plan.any_rows == (rows == "any number")
    gone = weakref.ref(A)
    del A
    seen, stack = set(), [plan]
    while stack:
        o = stack.pop()
        if id(o) in seen or isinstance(o, (type, types.ModuleType, types.FunctionType)):
            continue
        seen.add(id(o))
        assert not (isinstance(o, np.ndarray) and N in o.shape)
        stack += gc.get_referents(o)
    assert gone() is None


def test_plans_for_many_shapes_of_parameters_are_not_all_kept():
    fast = compiled(lambda t, X: np.sum(np.exp(X * t[0])))
    for k in range(1, 40):
        fast(np.zeros(k), X[:, 0])
    assert len(fast.plans) <= 32 and len(fast.any_rows) <= 32


@pytest.mark.parametrize(
    "f",
    [
        lambda s, X: X * np.reshape(s, (1,)),
        lambda s, X: np.concatenate([np.atleast_1d(s), X[:, 0]]),
        lambda s, X: np.cumsum(s) * X[:, :1],
        lambda s, X: np.outer(s, X[:, 0]) + np.stack([s, 2 * s])[1] + np.sum(s) + np.max(s) + np.ravel(s),
        lambda s, X: np.where(s < X, s, X),
    ],
)
def test_functions_of_arrays_take_pythons_numbers(f):
    for x in (X, X.astype(np.float32)):
        agree(compiled(f)(0.5, x), f(0.5, x), 1e-6)
        eager = bb.grad(lambda s, x: np.sum(f(s, x)))
        agree(compiled(eager)(0.5, x), eager(0.5, x), 1e-5)
