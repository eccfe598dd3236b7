"""Arrays of other libraries go through the same rules: lazily, chunk by chunk, never turned into NumPy in silence."""

import numpy as np
import pytest

import bibun as bb

da = pytest.importorskip("dask.array")


def nll(beta, X, y):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


def test_data_in_chunks():
    rng = np.random.default_rng(0)
    X, beta = rng.normal(size=(1000, 3)), np.array([0.1, -0.2, 0.3])
    y = (X[:, 0] > 0).astype(float)
    lazy = da.from_array(X, chunks=250), da.from_array(y, chunks=250)
    g = bb.grad(nll)(beta, *lazy)
    assert isinstance(g, da.Array)
    np.testing.assert_allclose(g.compute(), bb.grad(nll)(beta, X, y), rtol=1e-12)
    h = bb.hvp(lambda b: nll(b, *lazy), (beta,), (np.ones(3),))
    np.testing.assert_allclose(h.compute(), bb.hvp(lambda b: nll(b, X, y), (beta,), (np.ones(3),)), rtol=1e-12)


def test_a_leaf_of_another_library():
    v = bb.Variable(da.ones((4, 2), chunks=2))
    np.sum(v * v + np.sin(v)).backward()
    assert isinstance(v.data, da.Array) and isinstance(v.grad.data, da.Array)
    np.testing.assert_allclose(v.grad.data.compute(), 2 + np.cos(1.0))
