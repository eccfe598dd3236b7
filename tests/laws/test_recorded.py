"""What rules do while recording for other values: record what they can, refuse what they cannot, never keep a value."""

import numpy as np
import pytest

import bibun as bb
from bibun.compiler.plan import plan
from bibun.errors import MissingRule
from bibun.linalg import logm, lu_factor, lu_solve, qr, sqrtm
from bibun.special import logsumexp, multigammaln, softmax

RNG = np.random.default_rng(0)
X, W, A = RNG.normal(size=(3, 20)), RNG.uniform(size=(3, 20)), RNG.normal(size=(6, 3, 3))


def looped(f, *stacks):
    """The results of the examples, stacked one by one."""
    outs = [f(*xs) for xs in zip(*stacks, strict=True)]
    outs = [o if isinstance(o, tuple) else (o,) for o in outs]
    return [np.stack([np.asarray(o) for o in parts]) for parts in zip(*outs, strict=True)]


@pytest.mark.parametrize(
    "f",
    [lambda x, w: np.histogram(x, 5, weights=w), lambda x, w: np.histogram(x, 4, density=True),
     lambda x, w: np.histogram(x, np.array([-1.0, 0.0, 2.0]), weights=w, density=True),
     lambda x, w: np.histogram(x, 3, weights=np.ones(20))[0], lambda x, w: np.average(x, weights=w),
     lambda x, w: np.cov(np.stack([x, w]), aweights=w), lambda x, w: np.logical_and.reduce(x > -1),
     lambda x, w: np.logical_or.accumulate(x > 1), lambda x, w: np.greater(x, 0) * w, lambda x, w: logsumexp(x, b=w - 0.4),
     lambda x, w: np.linalg.norm(x, 0) + w, lambda x, w: np.roots(x[:4]), lambda x, w: np.polydiv(x[:5], w[:2]),
     lambda x, w: np.vecdot(x, w, axis=0), lambda x, w: np.std(np.where(x > 0, 1.0, w)),
     lambda x, w: np.linalg.lstsq(x.reshape(10, 2), w[:10])[:2]],
)  # fmt: skip
def test_batched_is_looped(f):
    got = bb.vmap(f)(X, W)
    for g, e in zip(got if isinstance(got, tuple) else (got,), looped(f, X, W), strict=True):
        np.testing.assert_allclose(np.sort(g.ravel()), np.sort(e.ravel()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "f",
    [lambda a: lu_solve(lu_factor(a), np.arange(3.0)), lambda a: lu_solve(lu_factor(a), np.arange(3.0), trans=1),
     lambda a: qr(a, pivoting=True)[1], lambda a: np.linalg.qr(a[:, :2], "complete")[0], lambda a: np.linalg.svd(a[:2])[2],
     lambda a: np.linalg.svd(a + a.T, hermitian=True)[0], np.linalg.det, lambda a: np.linalg.slogdet(a)[1],
     lambda a: np.max(np.real(np.linalg.eigvals(a))), lambda a: np.linalg.cond(a, 1), softmax],
)  # fmt: skip
def test_matrices_of_other_signs_and_pivots(f):
    def s(a):
        return np.sum(f(a) ** 2)

    for g in (s, bb.grad(s), bb.grad(lambda a: np.sum(bb.grad(s)(a) ** 2))):
        p = plan(g, A[0])
        for a in A:
            np.testing.assert_allclose(p(a), g(a), rtol=1e-6, atol=1e-8)


def test_third_derivatives_of_a_determinant_on_any_path():
    ts = RNG.normal(size=(3, 3, 3))

    def third(a):
        def g(z):
            return np.sum(bb.grad(np.linalg.det)(z) * ts[0])

        return bb.grad(lambda z: np.sum(bb.grad(g)(z) * ts[1]))(a)

    p = plan(third, A[0])
    for a in (*A, np.ones((3, 3)), np.zeros((3, 3))):
        np.testing.assert_allclose(p(a), third(a), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(third(a), third(A[1]), rtol=1e-7, atol=1e-9)  # a cubic has a constant one


@pytest.mark.parametrize(
    "f",
    [np.unique, lambda x: np.union1d(x, x), np.nonzero, np.flatnonzero, np.argwhere, np.trim_zeros, lambda x: x[x > 0],
     lambda x: np.compress(x > 0, x), lambda x: np.extract(x > 0, x), np.emath.sqrt, lambda x: np.real_if_close(x + 0j),
     lambda x: np.histogram(x, "auto"), lambda x: np.histogram2d(x, x), lambda x: np.bincount(np.argsort(x), x),
     lambda x: np.poly(x + 1j), lambda x: np.where(x > 0), lambda x: np.intersect1d(x, x), lambda x: np.setxor1d(x, 2 * x)],
)  # fmt: skip
def test_what_depends_on_values_in_shape_or_type_is_refused(f):
    with pytest.raises(TypeError, match="while recording for vmap"):
        bb.vmap(f)(X)


def test_a_domain_is_checked_by_nan():
    stack = np.stack([2.1 * np.eye(2), [[1.0, 3.0], [3.0, 1.0]]])
    for f in (sqrtm, logm):
        both = bb.vmap(f)(stack)
        assert both.dtype == np.float64 and np.isfinite(both[0]).all() and np.isnan(both[1]).all()
        g = bb.vmap(bb.grad(lambda a: np.sum(f(a) ** 2)))(stack)
        assert np.isfinite(g[0]).all() and np.isnan(g[1]).all()
    y = bb.vmap(lambda a: multigammaln(a, 3))(np.array([2.0, 0.5]))
    assert np.isfinite(y[0]) and np.isnan(y[1])
    tall = np.stack([np.eye(3)[:, :2], np.ones((3, 2))])  # the second has rank 1
    squared = bb.vmap(lambda a: np.linalg.lstsq(a, np.arange(3.0), rcond=None)[1])(tall)
    assert np.isfinite(squared[0]).all() and np.isnan(squared[1]).all()
    assert np.linalg.eigvals(bb.Variable(np.eye(2))).dtype == np.linalg.eigvals(np.eye(2)).dtype
    assert bb.vmap(np.linalg.eigvals)(stack).dtype == np.complex128  # whatever the values are


EVEN = {
    "abs": lambda x: np.sum(np.abs(x) ** 2), "abs·abs": lambda x: np.sum(np.abs(x) * np.abs(x)),
    "fabs": lambda x: np.sum(np.fabs(x) ** 2), "modulus": lambda x: np.sum(np.abs(x + 0j * x) ** 2),
    "hypot": lambda x: np.sum(np.hypot(x, np.zeros((2, 3))) ** 2) / 2, "norm": lambda x: np.linalg.norm(x) ** 2,
    "cosh": lambda x: 2 * np.sum(np.cosh(np.abs(x)) - 1), "norm·norm": lambda x: np.linalg.norm(x) * np.linalg.norm(x),
}  # fmt: skip


@pytest.mark.parametrize("name", EVEN)
def test_even_functions_of_norms_keep_their_curvature_at_zero(name):
    f, zero = EVEN[name], np.zeros(3)
    hessian = bb.hessian(f)
    np.testing.assert_allclose(bb.grad(f)(zero), zero)
    np.testing.assert_allclose(hessian(zero), 2 * np.eye(3))
    np.testing.assert_allclose(bb.jacobian(bb.grad(f), mode="reverse")(zero), 2 * np.eye(3))
    np.testing.assert_allclose(bb.vmap(hessian)(np.stack([np.ones(3), zero]))[1], 2 * np.eye(3))
    np.testing.assert_allclose(plan(hessian, np.ones(3))(zero), 2 * np.eye(3))
    twice = bb.jacobian(bb.jacobian(f, mode="forward"), mode="forward")
    np.testing.assert_allclose(twice(zero), np.zeros((3, 3)))  # known: two forward derivatives see slope 0 and no more


def test_norms_themselves_have_slope_zero_at_zero():
    assert bb.grad(np.abs)(0.0) == 0 == bb.grad(bb.grad(np.abs))(0.0)
    assert bb.grad(lambda x: np.abs(x) ** 3)(0.0) == 0 == bb.grad(bb.grad(lambda x: np.abs(x) ** 3))(0.0)
    assert bb.hessian(lambda x: np.hypot(x, 0.0) ** 2)(0.0) == 2


def test_axes_of_ufuncs_of_vectors_and_matrices():
    a, b = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
    m, n, x = RNG.normal(size=(2, 3, 5)), RNG.normal(size=(3, 4, 5)), RNG.normal(size=(3, 5))
    calls = [
        (np.vecdot, (a, b), dict(axis=0)), (np.vecdot, (a, b.T), dict(axes=[0, 1])), (np.vecdot, (a, b.T), dict(axes=[0, 1, ()])),
        (np.matmul, (m, n), dict(axes=[(0, 1), (0, 1), (1, 2)])),
    ]  # fmt: skip
    if hasattr(np, "matvec"):
        calls += [(np.matvec, (m, x), dict(axes=[(0, 1), 0, 1])), (np.vecmat, (x, n), dict(axes=[0, (0, 1), 0]))]
    for f, args, kw in calls:
        for k in range(2):
            mixed = [bb.Variable(v) if i == k else v for i, v in enumerate(args)]
            np.testing.assert_allclose(f(*mixed, **kw).data, f(*args, **kw), rtol=1e-12)
    with pytest.raises(MissingRule, match="keepdims"):
        np.vecdot(bb.Variable(a), b, keepdims=True)


def test_ravel_of_one_axis_in_memory_order():
    x = np.arange(5.0)[::-1]
    assert np.ravel(bb.Variable(x), "K").data.tolist() == x.tolist()


def test_a_plan_absorbs_where_eager_does():
    import bibun as bb
    from bibun.compiler.plan import plan

    f = bb.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.abs(x)), 0.0)))
    p = plan(f, np.array([1.0, 4.0]))
    np.testing.assert_allclose(p(np.array([0.0, 4.0])), [0.0, 0.25])
    np.testing.assert_allclose(p(np.array([4.0, 4.0])), [0.25, 0.25])
