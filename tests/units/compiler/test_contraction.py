"""Sums over rows as nodes: sums of sums, several at once, and sums over groups."""

import numpy as np
import pytest

import bibun as bb
from tests.units.compiler.plans import agree, compiled, steps_of_numpy

RANDOM = np.random.default_rng(8)
ROWS, WIDTH, GROUPS = 620, 6, 40
X = RANDOM.normal(size=(ROWS, WIDTH)) + 1
Z = RANDOM.normal(size=(ROWS, 20))
Y = (RANDOM.random(ROWS) < 0.5) * 1.0
WEIGHTS = RANDOM.random(ROWS) + 0.5
CODES = RANDOM.integers(0, GROUPS, ROWS)
B, V = RANDOM.normal(size=WIDTH) / 9, RANDOM.normal(size=WIDTH)


# --- sums of sums -----------------------------------------------------------------------------------------------------


def weighted_variance(b, X, y, w):
    r = y - X @ b
    m = np.sum(w * r) / np.sum(w)
    return np.sum(w * (r - m) ** 2) / np.sum(w)


def test_a_sum_of_data_is_no_column_of_it():
    """`np.sum(w)` inside a row is the same number in every row."""
    for derivative in (bb.value_and_grad, bb.hessian):
        assert compiled(derivative(weighted_variance), B, X, Y, WEIGHTS).passes == 2
    compiled(bb.value_and_grad(lambda b, X, y, w: np.sum((X @ b - w @ y / ROWS) ** 2)), B, X, Y, WEIGHTS)
    compiled(bb.value_and_grad(lambda b, X, y: np.sum(((X - np.sum(X, 0) / ROWS) @ b - y) ** 2)), B, X, Y)


SPREADS = {
    "var": lambda b, X, y: np.var(y - X @ b),
    "ddof": lambda b, X, y: np.var(y - X @ b, ddof=1),
    "half": lambda b, X, y: np.std(y - X @ b, ddof=1.5),
    "std": lambda b, X, y: np.std(np.exp(y - X @ b)),
    "columns": lambda b, X, y: np.sum(np.log(np.var(X * (y - X @ b)[:, None], axis=0, ddof=1))),
    "kept": lambda b, X, y: np.sum(np.std(X * b, axis=-2, keepdims=True) * b),
    "all": lambda b, X, y: np.var(X * b, axis=(0, 1), ddof=1),
    "profile": lambda b, X, y: -0.5 * np.log(np.var(y - X @ b)),
    "kurtosis": lambda b, X, y: np.mean((X @ b - np.mean(X @ b)) ** 4) / np.std(X @ b) ** 4,
    "correlation": lambda b, X, y: np.mean((y - np.mean(y)) * (X @ b)) / np.std(X @ b) / np.std(y),
}


@pytest.mark.parametrize("name", SPREADS)
def test_variances_are_two_passes(name):
    for derivative in (bb.value_and_grad, bb.hessian):
        plan = compiled(derivative(SPREADS[name]), B, X, Y)
        assert plan.passes == 2 and plan.any_rows, plan


def test_variances_of_other_numbers_of_rows():
    fast = bb.compile(bb.value_and_grad(SPREADS["ddof"]))
    for n in (ROWS, ROWS - 7, 50, 2):
        agree(fast(B, X[:n], Y[:n]), bb.value_and_grad(SPREADS["ddof"])(B, X[:n], Y[:n]))
    with pytest.warns(RuntimeWarning):
        agree(fast(B, X[:1], Y[:1])[1], bb.grad(SPREADS["ddof"])(B, X[:1], Y[:1]))


def test_a_variance_of_equal_numbers():
    """The curvature of a squared standard deviation at 0 is that of the variance."""
    zero = np.zeros(WIDTH)
    compiled(bb.grad(lambda b, X: np.std(X @ b)), zero, X)
    compiled(bb.hessian(lambda b, X: np.std(X @ b) ** 2), zero, X)


def test_float32_variances():
    args = [a.astype(np.float32) for a in (B, X, Y)]
    assert compiled(bb.value_and_grad(SPREADS["ddof"]), *args, tolerance=1e-5).passes == 2


# --- several sums at once ---------------------------------------------------------------------------------------------

MOMENTS = {
    "matrix": lambda b, X, y, Z: Z.T @ (y - np.exp(X @ b)),
    "from the left": lambda b, X, y, Z: (y - np.exp(X @ b)) @ Z,
    "two": lambda b, X, y, Z: (Z.T @ np.stack([y - np.exp(X @ b), np.tanh(X @ b)], axis=1))[:, 0] * 2,
    "products": lambda b, X, y, Z: np.mean(Z * (y - np.exp(X @ b))[:, None], axis=0),
    "squares": lambda b, X, y, Z: np.sum((Z - (X @ b)[:, None]) ** 2, axis=0),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_more_sums_than_sixteen(name):
    def objective(b, *data):
        g = MOMENTS[name](b, *data)
        return g @ g / ROWS

    for derivative in (bb.value_and_grad, bb.hessian):
        plan = compiled(derivative(objective), B, X, Y, Z)
        assert plan.passes and plan.any_rows and not steps_of_numpy(plan, 67)
    compiled(bb.jacobian(MOMENTS[name]), B, X, Y, Z)
    compiled(MOMENTS[name], B, X, Y, Z)


def test_columns_and_fortran_order():
    def f(b, X, y, Z):
        return np.sum((Z.T @ (y - np.exp(X @ b))) ** 2)

    compiled(bb.value_and_grad(f), B, X, Y, np.asfortranarray(Z))
    compiled(bb.value_and_grad(f), B, X, Y, Z[:, :2])
    compiled(bb.value_and_grad(lambda b, X, y: f(b, X, y, Z)), B, X, Y)


# --- groups -----------------------------------------------------------------------------------------------------------


def by_group(b, X, y, codes):
    return np.bincount(codes, weights=np.exp(X @ b) * y, minlength=GROUPS)


def within_groups(b, X, y, codes):
    r = y - X @ b
    m = np.bincount(codes, weights=r, minlength=GROUPS) / np.bincount(codes, minlength=GROUPS)
    return np.sum((r - m[codes]) ** 2)


def marginal(b, X, y, codes):
    """A random intercept, by three nodes of Gauss and Hermite."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)
    rows = [
        np.bincount(codes, y * e - np.logaddexp(0, e), GROUPS) for e in [X @ b[1:] + np.exp(b[0]) * q for q in nodes]
    ]
    return np.sum(bb.special.logsumexp(np.stack(rows) + np.log(weights / np.sum(weights))[:, None], axis=0))


GROUPED = {
    "squares": lambda *args: np.sum(by_group(*args) ** 2),
    "within": within_groups,
    "marginal": lambda b, X, *rest: marginal(np.append(b[:1], b), X, *rest),
}


@pytest.mark.parametrize("name", GROUPED)
@pytest.mark.parametrize("captured", [False, True])
def test_sums_over_groups(name, captured):
    f = (lambda b, X, y: GROUPED[name](b, X, y, CODES)) if captured else GROUPED[name]
    args = (B, X, Y) if captured else (B, X, Y, CODES)
    for derivative in (bb.value_and_grad, bb.hessian):
        plan = compiled(derivative(f), *args)
        assert plan.passes in (2, 3) and not steps_of_numpy(plan, ROWS if captured else 67), plan
    vector = bb.jacobian(by_group)
    compiled(vector, B, X, Y, CODES)


def test_as_many_groups_as_were_said():
    fast = bb.compile(bb.value_and_grad(GROUPED["squares"]))
    fast(B, X, Y, CODES)
    few = np.minimum(CODES, 3)
    agree(fast(B, X, Y, few), bb.value_and_grad(GROUPED["squares"])(B, X, Y, few))
    more = np.where(np.arange(ROWS) == 7, GROUPS + 2, CODES)  # longer than recorded: as NumPy has it
    agree(fast(B, X, Y, more), bb.value_and_grad(GROUPED["squares"])(B, X, Y, more))
    counts = bb.compile(lambda c: np.bincount(c, minlength=GROUPS))(CODES)
    np.testing.assert_array_equal(counts, np.bincount(CODES, minlength=GROUPS))
    assert counts.dtype == np.bincount(CODES).dtype
    with pytest.raises(TypeError, match="the shape or the type of its result depends"):
        bb.compile(lambda c, y: np.bincount(c, weights=y))(CODES, Y)


def test_what_print_says():
    text = str(compiled(bb.grad(GROUPED["squares"]), B, X, Y, CODES))
    assert "·[x3]" in text and "  sum\n" in text and "gradient by x0 along %" in text
