"""What `print` says of a plan: arguments, passes with their formulas, calls of NumPy, results."""

import numpy as np
import pytest

import bibun as bb
from bibun.compiler.describing import argument_names, constant, operation
from bibun.compiler.plan import plan

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(600, 3))
Y = (RANDOM.random(600) < 0.5) * 1.0
G = RANDOM.integers(0, 4, 600)


def printed(f, *args):
    fast = bb.compile(f)
    fast(*args)
    return [line.strip() for line in str(fast).splitlines()]


def loss(beta, X, y):
    return np.sum(np.logaddexp(0, X @ beta) - y * (X @ beta))


def test_value_gradient_and_hessian():
    lines = printed(lambda beta, X, y: (bb.grad(loss)(beta, X, y), bb.hessian(loss)(beta, X, y)), np.zeros(3), X, Y)
    assert lines[0] == "f(beta[3], X[n×3], y[n])  for any number of rows n"
    assert lines[1].startswith("one pass over the rows of X, y (")
    assert lines[2] == "η  = X @ beta"
    assert lines[3].split(" = ")[1] == "Σ (expit(η) − y)·X         gradient by beta"
    assert lines[4].split(" = ")[1] == "Σ expit(η)·expit(−η)·X Xᵀ  Hessian by beta"
    assert lines[-1].startswith("return (%")


def test_what_parameters_are_made_of_stays_outside_the_rows():
    """An element of `T @ gamma` is one number to the rows, however many it is made of."""

    def f(gamma, T, X, y):
        theta = T @ gamma
        return np.sum(np.exp(theta[0] + X @ theta[1:]) * y + np.sum(theta))

    lines = printed(bb.value_and_grad(f), np.zeros(4), np.eye(4), X, Y)
    assert sum("gradient by" in line for line in lines) == 3 and not any("T[0, 1]" in line for line in lines)


def test_groups_slices_columns_and_scalars():
    def f(t, u, s, X, g, y):
        return np.sum(((y - X @ t[:3] - t[3] * X[:, 1] - u[g]) / s) ** 2)

    text = "\n".join(printed(bb.value_and_grad(f, argnums=(0, 1, 2)), np.zeros(4), np.zeros(4), 1.5, X, G, Y))
    assert "f(t[4], u[4], s, X[n×3], g[n int64], y[n])" in text
    for piece in ("η ", "X @ t[:3]", "t[3]", "u[g]", "X[:, 1]", "/ s", "·[g]"):
        assert piece in text, piece
    for remark in ("sum", "gradient by t[:3]", "gradient by t[3]", "gradient by u", "gradient by s"):
        assert remark in text, remark


def test_columns_of_a_matrix_of_parameters():
    def f(B, X, y):
        eta = X @ B
        return np.sum(np.logaddexp(eta[:, 0], eta[:, 1])) + B[2, 1] * np.sum(y)

    text = "\n".join(printed(f, np.ones((3, 2)), X, Y))
    assert "η₁ " in text and "X @ B[:, 0]" in text and "X @ B[:, 1]" in text


def test_calls_are_formulas():
    assert str(plan(lambda x: np.exp(-(x**2)), np.array(1.0))).split("\n") == [
        "f(x)", "  %1 = x²", "  %2 = −%1", "  %3 = exp(%2)", "  return %3",
    ]  # fmt: skip


def test_what_is_returned_has_the_structure_of_the_result():
    text = printed(lambda p: {"a": p["a"] * 2, "b": p["b"]}, {"a": 1.0, "b": np.zeros(3)})
    assert text[-1] == "return {'a': %2, 'b': x1}"


def test_many_operations_are_cut_short():
    def f(t, X, y):
        eta = X @ t
        for k in range(40):
            eta = np.sin(eta + k * y)
        return np.sum(eta)

    lines = printed(f, np.zeros(3), X, Y)
    assert max(map(len, lines)) < 130


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("multiply", [("a + b", 0), ("c", 5)], "(a + b)·c"),
        ("multiply", [("a / b", 1), ("c", 5)], "(a / b)·c"),
        ("divide", [("a", 5), ("b·c", 2)], "a / (b·c)"),
        ("subtract", [("a", 5), ("b − c", 0)], "a − (b − c)"),
        ("multiply", [("a", 5), ("−1", 3)], "−a"),
        ("multiply", [("a", 5), ("2", 5)], "2·a"),
        ("negative", [("a + b", 0)], "−(a + b)"),
        ("power", [("a·b", 2), ("2", 5)], "(a·b)²"),
        ("power", [("a", 5), ("p", 5)], "a^p"),
        ("share", [("η", 5), ("0", 5)], "expit(η)"),
        ("share", [("0", 5), ("η", 5)], "expit(−η)"),
        ("absolute", [("a − b", 0)], "|a − b|"),
        ("less", [("a", 5), ("b + c", 0)], "a < b + c"),
    ],
)
def test_operators_have_the_brackets_they_need(name, args, text):
    assert operation(name, args)[0] == text


def test_names_of_arguments():
    assert argument_names(loss, 3) == ["beta", "X", "y"]
    assert argument_names(bb.grad(loss), 3) == ["beta", "X", "y"]
    assert argument_names(lambda *a: a, 2) == ["x0", "x1"]
    assert argument_names(object(), 1) == ["x"]


def test_constants():
    shown = [constant(a) for a in (2.0, -0.5, np.ones(3), np.arange(3.0), (slice(None, 2), None), np.inf, True)]
    assert shown == ["2", "−0.5", "1", "array[3]", ":2, None", "∞", "True"]


def test_blocks_of_an_axis():
    def net(W, V, A):
        return np.sum(np.tanh(A @ W) @ V, axis=0)

    A = RANDOM.normal(size=(20000, 40))
    lines = printed(net, np.ones((40, 60)), np.ones((60, 5)), A)
    assert lines[0] == "net(W[40×60], V[60×5], A[n×40])  for any number of rows n"
    assert any(line.endswith(" = A @ W") for line in lines), lines
    assert any("tanh(%" in line for line in lines) and not any("None" in line for line in lines), lines
