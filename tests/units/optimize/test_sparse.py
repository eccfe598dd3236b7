"""Fits with sparse matrices: what `minimize` and `MLE` find with the dense ones."""

import numpy as np
import pytest
from scipy import sparse

import bibun as bb

RNG = np.random.default_rng(1)
DENSE = np.where(RNG.random((3000, 5)) < 0.3, RNG.normal(size=(3000, 5)), 0.0)
Y = (RNG.random(3000) < 1 / (1 + np.exp(-DENSE @ [1, -1, 0.5, 0, 2]))).astype(float)


def loss(b, S, y):
    eta = S @ b
    return np.sum(np.logaddexp(0, eta) - y * eta)


def loglik(p, d):
    eta = d.S @ p.b
    return d.y * eta - np.logaddexp(0, eta)


@pytest.mark.parametrize("method", ["trust-newton", "newton", "l-bfgs", "BFGS"])
def test_minimize(method):
    S = sparse.csr_array(DENSE)
    got = bb.minimize(loss, np.zeros(5), method, args=(S, Y))
    want = bb.minimize(loss, np.zeros(5), "newton", args=(DENSE, Y))
    np.testing.assert_allclose(got.x, want.x, atol=1e-4)


def test_minimize_of_many_rows_compiles_its_gradient():
    S = sparse.csr_array(sparse.vstack([sparse.csr_array(DENSE)] * 8))
    got = bb.minimize(loss, np.zeros(5), args=(S, np.tile(Y, 8)))
    want = bb.minimize(loss, np.zeros(5), args=(DENSE, Y))
    np.testing.assert_allclose(got.x, want.x, rtol=1e-8)


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array, sparse.dok_array])
def test_likelihoods(form):
    model = bb.MLE(loglik, {"b": bb.Real(5)})
    got, want = model.fit({"S": form(DENSE), "y": Y}), model.fit({"S": DENSE, "y": Y})
    np.testing.assert_allclose(got.params["b"], want.params["b"], rtol=1e-8)
    np.testing.assert_allclose(got.bse["b"], want.bse["b"], rtol=1e-8)
    np.testing.assert_allclose(got.cov_params("sandwich"), want.cov_params("sandwich"), rtol=1e-7)
    assert got.nobs == want.nobs
    assert got.loglik == pytest.approx(want.loglik, rel=1e-12)


def test_likelihoods_with_weights():
    w = np.arange(3000) % 3.0
    model = bb.MLE(loglik, {"b": bb.Real(5)})
    got = model.fit({"S": sparse.csr_array(DENSE), "y": Y}, weights=w)
    np.testing.assert_allclose(got.params["b"], model.fit({"S": DENSE, "y": Y}, weights=w).params["b"], rtol=1e-8)
