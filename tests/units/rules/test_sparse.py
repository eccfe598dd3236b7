"""Sparse matrices as constants: what their products give is what the dense matrix gives, in every walk."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

import bibun as bb
from bibun.transforms.sparsity import jacobian_pattern

FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]
DENSE = np.array([[1.0, 0, 2, 0], [0, 0, 3, 0], [0, -1.5, 0, 0], [0, 0, 0, 0], [4, 0, 0, 0.5]])
B, R, W = np.array([0.3, -0.7, 1.1, 0.2]), np.arange(5.0) - 1.5, np.arange(8.0).reshape(4, 2) / 5


def matrix(form, array, dense=DENSE):
    kind = getattr(sparse, f"{form}_{'array' if array else 'matrix'}")
    return kind(dense)


@pytest.fixture(params=[(f, a) for f in FORMATS for a in (True, False)], ids=lambda p: f"{p[0]}-{p[1]}")
def S(request):
    return matrix(*request.param)


def curved(x):
    return np.sum(np.sin(x) * np.exp(0.3 * x))


FUNCTIONS = {
    "S @ b": (lambda S, b: S @ b, B),
    "S @ W": (lambda S, b: S @ b, W),
    "S.dot": (lambda S, b: S.dot(b) if sparse.issparse(S) else S @ b, B),
    "r @ S": (lambda S, b: b @ S, R),
    "W @ S": (lambda S, b: b.T @ S.T, W),
    "S.T @ r": (lambda S, b: S.T @ b, R),
    "-S @ b": (lambda S, b: (2 * -S) @ b, B),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_walk_is_that_of_the_dense_matrix(S, name):
    f, x = FUNCTIONS[name]

    def of(M):
        return lambda x: f(M, np.sin(x))

    def total(M):
        return lambda x: curved(of(M)(x))

    def same(got, want):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)

    dense, dense_total, t = of(DENSE), total(DENSE), np.cos(x)
    same(of(S)(x), dense(x))
    recorded = of(S)(bb.Variable(x))
    assert isinstance(recorded, bb.Variable)
    same(recorded.data, dense(x))
    for transform in (bb.grad, bb.hessian, bb.jacobian):
        same(transform(total(S))(x), transform(dense_total)(x))
    for mode in ("forward", "reverse"):
        same(bb.jacobian(of(S), mode=mode)(x), bb.jacobian(dense)(x))
    same(bb.jvp(of(S), (x,), (t,))[1], bb.jvp(dense, (x,), (t,))[1])
    same(bb.linearize(of(S), x)[1](t), bb.linearize(dense, x)[1](t))
    for got, want in zip(bb.taylor(of(S), (x,), (t,), 3), bb.taylor(dense, (x,), (t,), 3), strict=True):
        same(got, want)
    xs = np.stack([x, 2 * x, -x])
    for axis in (0, 1):
        same(
            bb.vmap(bb.grad(total(S)), in_axes=axis)(np.moveaxis(xs, 0, axis)),
            bb.vmap(bb.grad(dense_total), in_axes=axis)(np.moveaxis(xs, 0, axis)),
        )
    third = bb.jvp(bb.hessian(total(S)), (x,), (t,))[1]
    same(third, bb.jvp(bb.hessian(dense_total), (x,), (t,))[1])


def test_vmap_of_a_product_is_one_product(monkeypatch):
    from bibun.rules.sparse import Matrix

    calls, now = [], Matrix.now
    monkeypatch.setattr(Matrix, "now", lambda self: calls.append(1) or now(self))
    S = sparse.csr_array(DENSE)
    got = bb.vmap(lambda b: (S @ b) ** 2)(np.ones((50, 4)))
    np.testing.assert_allclose(got, (np.ones((50, 4)) @ DENSE.T) ** 2)
    assert len(calls) < 10


@pytest.mark.parametrize("form", ["coo", "csr"])
def test_one_axis(form):
    try:
        s = matrix(form, True, DENSE[0])
    except (ValueError, TypeError):
        pytest.skip("this SciPy has no such array of one axis")
    d = DENSE[0]
    for f, g, x in [
        (lambda x: s @ x, lambda x: d @ x, B),
        (lambda x: x @ s, lambda x: x @ d, B),
        (lambda x: s @ x, lambda x: d @ x, W),
        (lambda x: x.T @ s, lambda x: x.T @ d, W),
    ]:
        np.testing.assert_allclose(f(bb.Variable(x)).data, g(x))
        np.testing.assert_allclose(bb.grad(lambda x, f=f: curved(f(x)))(x), bb.grad(lambda x, g=g: curved(g(x)))(x))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex64, np.complex128, np.int8, np.bool_, np.uint8])
@pytest.mark.parametrize("of", [np.float32, np.float64, np.complex128])
def test_dtypes_are_scipys(kind, of):
    S = sparse.csr_array(DENSE.astype(kind))
    x = B.astype(of) * (1 + 0.5j if of is np.complex128 else 1)
    y = S @ bb.Variable(x)
    assert y.dtype == (S @ x).dtype
    np.testing.assert_array_equal(y.data, S @ x)

    def total(M):
        return lambda x: np.sum(np.real((M @ x) ** 2)) + np.sum(np.imag(M @ x))

    g = bb.grad(total(S))(x)
    assert g.dtype == x.dtype
    np.testing.assert_allclose(g, bb.grad(total(S.toarray()))(x), rtol=1e-5)


def test_constants_compute_as_arrays():
    S = sparse.csr_array(DENSE)
    with bb.no_grad():
        y = S @ bb.Variable(B)
    assert y.creator is None
    np.testing.assert_array_equal(np.asarray(y), DENSE @ B)
    np.testing.assert_array_equal(np.asarray(S @ y[:4]), S @ np.asarray(y)[:4])


def test_backward_of_the_book():
    S = sparse.csr_matrix(DENSE)
    b = bb.Variable(B)
    np.sum((S @ b) ** 2).backward()
    np.testing.assert_allclose(b.grad.data, 2 * DENSE.T @ (DENSE @ B))


def test_the_pattern_of_a_jacobian_is_exact(S):
    def f(b):
        return np.exp(S @ b) * (S @ (b * b))

    np.testing.assert_array_equal(jacobian_pattern(f)(B).toarray(), DENSE != 0)
    np.testing.assert_array_equal(jacobian_pattern(lambda r: r @ S)(R).toarray(), DENSE.T != 0)


def test_zero_absorbs_what_is_missing():
    dense = DENSE.copy()
    dense[1, 2] = np.nan
    rows = np.array([True, False, True, True, True])
    for M in (dense, sparse.csr_array(dense)):
        f = lambda b, M=M: np.sum(np.where(rows, (M @ b) ** 2, 0.0))
        want = 2 * DENSE.T @ np.where(rows, DENSE @ B, 0)
        np.testing.assert_allclose(bb.grad(f)(B), want)
        np.testing.assert_allclose(bb.jvp(f, (B,), (np.ones(4),))[1], want.sum())
        np.testing.assert_allclose(bb.hessian(f)(B), 2 * DENSE[rows].T @ DENSE[rows])
        np.testing.assert_allclose(bb.compile(bb.grad(f))(B), want)


def test_a_matrix_changed_in_place_is_found_out():
    S = sparse.csr_array(DENSE)
    y = np.sum((S @ bb.Variable(B)) ** 2)
    S.data[0] = 7.0
    with pytest.raises(bb.errors.ChangedInPlace):
        y.backward()


@pytest.mark.parametrize("array", [True, False])
@pytest.mark.parametrize(
    "f",
    [
        lambda S, v: S * v, lambda S, v: v * S, lambda S, v: S + v, lambda S, v: v - S, lambda S, v: S / v,
        lambda S, v: S.multiply(v), lambda S, v: S * v[0], lambda S, v: np.multiply(S, v), lambda S, v: v.dot(S),
        lambda S, v: np.dot(S, v), lambda S, v: np.logaddexp(v, S),
    ],
)  # fmt: skip
def test_anything_else_says_what_to_write(f, array):
    with pytest.raises((TypeError, AttributeError), match=r"S @ v.*S\.toarray\(\)"):
        f(matrix("csr", array, DENSE[:4]), bb.Variable(B))


def test_shapes_that_do_not_fit():
    S, v = sparse.csr_array(DENSE), bb.Variable(R)
    with pytest.raises(ValueError, match=r"\(5, 4\) and \(5,\)"):
        S @ v
    with pytest.raises(ValueError, match="0 axes"):
        S @ v[0]


def test_its_own_numbers_are_not_differentiated():
    i = np.arange(3)
    with pytest.raises(bb.errors.TrackedVariable, match=r"csr_array.*constant"):
        sparse.csr_array((bb.Variable(B[:3]), (i, i)))


def test_bibun_does_not_load_scipy_sparse():
    code = "import bibun, sys; assert 'scipy.sparse' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
