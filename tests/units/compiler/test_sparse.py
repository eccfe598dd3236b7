"""Sparse matrices in compiled functions: known from around them, or given as arguments, whose numbers may change."""

import numpy as np
import pytest
from scipy import sparse

import bibun as bb
from bibun.compiler.quick import PAYS, PAYS_SPARSE, quick

RNG = np.random.default_rng(0)
N = 600
DENSE = np.where(RNG.random((N, 4)) < 0.3, RNG.normal(size=(N, 4)), 0.0)
Y, B = (RNG.random(N) < 0.5).astype(float), np.array([0.3, -0.2, 0.5, 0.1])
TRANSFORMS = [lambda f: f, bb.grad, bb.value_and_grad, bb.hessian, lambda f: lambda *a: bb.jvp(f, a, a)[1]]


def loss(b, S, y):
    eta = S @ b
    return np.sum(np.logaddexp(0, eta) - y * eta) + np.sum(b**2)


def same(got, want):
    for a, b in zip(*[x if isinstance(x, tuple) else (x,) for x in (got, want)], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_array])
def test_one_that_is_known_from_around(form, transform):
    S = form(DENSE)
    fast = bb.compile(transform(lambda b: loss(b, S, Y)))
    for b in (B, 2 * B):
        same(fast(b), transform(lambda b: loss(b, DENSE, Y))(b))


@pytest.mark.parametrize("transform", TRANSFORMS[:-1])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix, sparse.bsr_array, sparse.dok_array])
def test_one_that_is_an_argument(form, transform):
    S = form(DENSE)
    fast = bb.compile(transform(loss))
    for y in (Y, 1 - Y):
        same(fast(B, S, y), transform(loss)(B, DENSE, y))
        same(fast(B, S=S, y=y), transform(loss)(B, DENSE, y))
    assert len(fast.plans) == 2  # by position, and by name


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.lil_array])
def test_its_numbers_are_those_of_now(form):
    def f(b, S):
        return np.sum((S @ b) ** 2) + np.sum((S @ np.ones(4)) * (S @ b)) + S.sum() * b[0]

    S, fast = form(DENSE), bb.compile(bb.grad(f))
    same(fast(B, S), bb.grad(f)(B, DENSE))
    for i, j in np.argwhere(DENSE)[:3]:  # of a format with arrays, in place
        S[i, j] = 3.0 - i
    same(fast(B, S), bb.grad(f)(B, S.toarray()))
    other = form(2 * DENSE)
    same(fast(B, other), bb.grad(f)(B, 2 * DENSE))
    same(fast(B, S), bb.grad(f)(B, S.toarray()))


def test_two_of_the_same_looks_are_two():
    S = sparse.csr_array(DENSE)
    R = S.copy()
    R.data = R.data[::-1].copy()

    def f(b, S, R):
        return np.sum(np.exp(S @ b) / (1 + np.exp(R @ b)) + np.log(np.exp(S @ b) + np.exp(R @ b)))

    for transform in TRANSFORMS[:3]:
        fast = bb.compile(transform(f))
        same(fast(B, S, R), transform(f)(B, DENSE, R.toarray()))
        same(fast(B, R, S), transform(f)(B, R.toarray(), DENSE))


def test_groups_in_a_pass_over_the_rows():
    """A sparse matrix over groups, which rows pick from: one pass, for any number of rows."""
    S = sparse.csr_array(DENSE[:20])
    group, X = RNG.integers(0, 20, N), RNG.normal(size=(N, 3))

    def f(p, S, X, group, y):
        eta = (S @ p["b"])[group] + X @ p["w"]
        return np.sum(np.logaddexp(0, eta) - y * eta)

    p = {"b": B, "w": np.array([0.1, 0.2, -0.3])}
    fast = bb.compile(bb.grad(f))
    for n in (N, 520):
        want = bb.grad(f)(p, DENSE[:20], X[:n], group[:n], Y[:n])
        got = fast(p, S, X[:n], group[:n], Y[:n])
        for k in p:
            same(got[k], want[k])
    assert all(plan.passes == 1 and plan.any_rows for plan in fast.plans.values())


def test_the_plan_says_which():
    S = sparse.csr_array(DENSE)
    fast = bb.compile(bb.grad(loss))
    fast(B, S, Y)
    assert "sparse(600, 4).T" in str(fast)


def test_quick_functions():
    few, many = (sparse.csr_array(([2.0], ([5], [1])), shape=(n, 3)) for n in (PAYS, PAYS_SPARSE))
    f = quick(lambda b, S: np.sum(S @ b))
    assert not f.pays(np.ones(3), few)
    assert f.pays(np.ones(3), {"S": many})
    assert not quick(f, sparse=np.inf).pays(np.ones(3), many)
    assert f(np.ones(3), many) == 2.0
    assert not f.refused
