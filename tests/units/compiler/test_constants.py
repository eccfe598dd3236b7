"""Constants that differ are two constants, however long they are and wherever they stand."""

import numpy as np
import pytest

import bibun as bb
from bibun.compiler.constants import identity, same
from bibun.core.dispatch import function
from bibun.core.domains import positive
from bibun.core.rule import TABLE
from bibun.core.words import elementwise

A = np.random.default_rng(0).normal(size=(5000, 3))
ONE = np.arange(2000)
OTHER = np.where((ONE > 500) & (ONE < 600), 7, ONE)


@pytest.mark.parametrize(
    "f",
    [
        lambda A: np.sum(A[ONE, 0]) - np.sum(A[OTHER, 0]),
        lambda A: np.sum(A[(ONE,)] ** 2) - np.sum(A[(OTHER,)] ** 2),
        lambda A: np.sum(np.log(np.exp(A[ONE, 0]) / (1 + np.exp(A[OTHER, 0])))),
    ],
    ids=["elements", "rows", "a form that looks like a share"],
)
def test_long_indices_that_print_alike(f):
    assert repr((ONE, 0)) == repr((OTHER, 0))
    for derivative in (lambda f: f, bb.grad):
        np.testing.assert_allclose(bb.compile(derivative(f))(A), derivative(f)(A), rtol=1e-12, atol=1e-12)


def test_equal_and_not():
    for a, b, equal in (
        ((ONE, 0), (ONE.copy(), 0), True),
        ((ONE, 0), (OTHER, 0), False),
        ([1, 2], (1, 2), False),
        (slice(0, 5), slice(0, 5), True),
        (slice(0, 5), slice(0, 6), False),
        (1, True, False),
        (1.0, 1, False),
        (0.0, -0.0, False),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.zeros(3), np.zeros((1, 3)), False),
        (None, None, True),
        (Ellipsis, None, False),
    ):
        assert same(a, b) is equal, (a, b)
        small = not (isinstance(a, tuple) and isinstance(a[0], np.ndarray))
        assert (identity(a) == identity(b)) is (equal and small), (a, b)
    assert identity(ONE) == identity(ONE) != identity(ONE.copy())


def test_functions_of_one_name():
    """Somebody's own `log` is not NumPy's, nor another one's."""

    def logarithm(base):
        @function
        def log(x):
            return np.log(x) / np.log(base)

        TABLE.remove(elementwise(log, lambda y, x: 1 / (x * np.log(base)), domain=positive, cases=[]))
        return log

    two, ten = logarithm(2), logarithm(10)

    def f(b, x):
        return np.sum(two(b * x) - ten(b * x))

    for n in (5, 90, 3000):
        x = np.random.default_rng(1).uniform(1, 2, n)
        assert float(bb.compile(f)(1.5, x)) == pytest.approx(float(f(1.5, x)), rel=1e-13)
        assert float(bb.compile(bb.grad(f))(1.5, x)) == pytest.approx(float(bb.grad(f)(1.5, x)), rel=1e-13)
