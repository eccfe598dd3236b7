"""Sums taken before what is linear: the same numbers by fewer products."""

import numpy as np
import pytest

from bibun.compiler.plan import plan

RNG = np.random.default_rng(1)
D = 6
Q = RNG.normal(size=(20, D, D))


@pytest.mark.parametrize(
    "f",
    [
        lambda q, x: np.sum(q @ x.T, -1), lambda q, x: np.sum(-(q @ x.T), 2), lambda q, x: np.sum(x @ q, 1),
        lambda q, x: np.sum(x @ q, (0, 1)), lambda q, x: np.sum(-(0.0 - (x @ q)), -2, keepdims=True),
        lambda q, x: (np.sum(q @ x.T, -1), q @ x.T), lambda q, x: np.sum(x @ q), lambda q, x: np.sum(-x, 0),
        lambda q, x: np.sum(x @ x.T, 1), lambda q, x: np.sum(q[0] @ q[1], 0),
    ],
)  # fmt: skip
def test_sums_taken_early(f):
    x = RNG.normal(size=(70, D))
    got, expected = plan(f, Q, x)(Q, x), f(Q, x)
    pairs = zip(got, expected, strict=True) if isinstance(got, tuple) else [(got, expected)]
    for a, b in pairs:
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, 1e-11, 1e-11 * np.max(np.abs(b)))


def test_a_product_is_not_made_for_its_sum():
    p = plan(lambda q, x: np.sum(-(q @ np.reshape(x, (1, D, -1))), -1), Q, RNG.normal(size=(D, 90)))
    assert [s.name for s in p.steps] == ["reshape", "sum", "matmul", "sum", "negative"]
