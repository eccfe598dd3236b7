"""Results of a pass over the rows, put together of the kernel's numbers; data around a function."""

import numpy as np
import pytest

import bibun as bb
from bibun.compiler import row_steps
from bibun.special import logsumexp

rng = np.random.default_rng(0)
Y, X = rng.normal(size=900), rng.normal(size=(900, 3))
THETA = rng.normal(size=12)


def mixture(t, y):
    parts = [t[8 + j] - t[4 + j] - 0.5 * ((y - t[j]) * np.exp(-t[4 + j])) ** 2 for j in range(4)]
    return np.sum(logsumexp(np.stack(parts, 0), 0))


def beside_a_matrix(t, y):
    return mixture(t, y - X @ t[[0, 5, 0]])


@pytest.mark.parametrize("f", [mixture, beside_a_matrix])
def test_gathered_results_are_those_of_terms_to_the_last_bit(f, monkeypatch):
    h = bb.hessian(f)
    gathered = bb.compile(h)(THETA, Y)
    np.testing.assert_allclose(gathered, h(THETA, Y), rtol=1e-12, atol=1e-12 * np.abs(gathered).max())
    monkeypatch.setattr(row_steps.RowStep, "_gathered", lambda self, runner, shapes: None)
    np.testing.assert_array_equal(gathered, bb.compile(h)(THETA, Y))


def test_blocks_need_rows_that_are_given():
    """All that has rows is known from around the function: the calls stay calls."""
    x = rng.normal(size=(900, 2))

    def f(t):
        means = np.reshape(t[:6], (3, 2))
        z = np.reshape(np.exp(t[:12]), (3, 2, 2)) @ (x.T - means[:, :, None])
        return np.sum(logsumexp(t[:3][:, None] - 0.5 * np.sum(z * z, 1), 0))

    h = bb.hessian(f)
    np.testing.assert_allclose(bb.compile(h)(THETA), h(THETA), rtol=1e-10, atol=1e-8)
