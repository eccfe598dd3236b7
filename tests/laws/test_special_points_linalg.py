"""Where linear algebra goes wrong: singular and repeated, zero and huge, entries not read, stacks, empties, complex."""

import numpy as np
import pytest
import scipy.linalg

import bibun as bb
from bibun import linalg
from tests.laws.laws import difference

rng = np.random.default_rng(0)


def numeric(f, x, h=1e-3):
    """The gradient by differences."""
    g = np.zeros_like(x, dtype=float)
    for i in np.ndindex(x.shape):
        t = np.zeros_like(x, dtype=float)
        t[i] = 1
        g[i] = difference(f, [x], [t], h)[0]
    return g


def complex_gradient(f, x, h=1e-3):
    """The unconjugated gradient by differences: df = Re(Σ g·dx)."""
    real = numeric(lambda a: f(a + 1j * x.imag), x.real.copy(), h)
    return real - 1j * numeric(lambda b: f(x.real + 1j * b), x.imag.copy(), h)


# --- determinants -----------------------------------------------------------------------------------------------------

RANK_2 = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [5.0, 7.0, 9.0]])


def cofactors(a):
    return np.array(
        [
            [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(len(a))]
            for i in range(len(a))
        ]
    )


def test_det_of_a_singular_matrix_has_its_cofactors_as_gradient():
    np.testing.assert_allclose(bb.grad(np.linalg.det)(RANK_2), cofactors(RANK_2), atol=1e-13)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_det_gradient_and_hessian_for_every_rank(rank):
    a = rng.normal(size=(3, rank)) @ rng.normal(size=(rank, 3))
    np.testing.assert_allclose(bb.grad(np.linalg.det)(a), cofactors(a), atol=1e-13)
    t = rng.normal(size=(3, 3))
    expected = difference(cofactors, [a], [t])[0]
    np.testing.assert_allclose(bb.jvp(bb.grad(np.linalg.det), (a,), (t,))[1], expected, atol=1e-10)
    rr = bb.grad(lambda a: np.sum(bb.grad(np.linalg.det)(a) * t))(a)
    np.testing.assert_allclose(rr, expected, atol=1e-10)


def test_third_derivative_of_det_at_zero_is_the_permutation_symbol():
    a = np.zeros((3, 3))

    def directional(f, t):
        return lambda a: np.sum(bb.grad(f)(a) * t)

    e = np.eye(3)
    third = directional(
        directional(directional(np.linalg.det, np.outer(e[0], e[1])), np.outer(e[1], e[0])), np.outer(e[2], e[2])
    )
    assert third(a) == pytest.approx(-1.0)


def test_nearly_singular_det_keeps_its_relative_accuracy():
    u, v = np.linalg.qr(rng.normal(size=(4, 4)))[0], np.linalg.qr(rng.normal(size=(4, 4)))[0]
    a = u @ np.diag([1.0, 0.5, 0.25, 1e-14]) @ v
    np.testing.assert_allclose(bb.grad(np.linalg.det)(a), cofactors(a), rtol=1e-9)


def test_slogdet_of_a_singular_matrix_is_minus_infinity_with_an_infinite_slope_and_a_branch_not_taken_is_zero():
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    assert np.linalg.slogdet(bb.Variable(a))[1].data == -np.inf
    assert np.all(bb.grad(lambda a: np.linalg.slogdet(a)[1])(a) == np.inf)
    assert np.all(bb.grad(lambda a: np.where(False, np.linalg.slogdet(a)[1], np.sum(a)))(a) == 1)


def test_slogdet_of_one_singular_matrix_in_a_stack_leaves_the_others_right():
    a = np.stack([np.eye(2) * 2, np.zeros((2, 2))])
    g = bb.grad(lambda a: np.linalg.slogdet(a)[1][0])(a)
    np.testing.assert_allclose(g, [np.eye(2) / 2, np.zeros((2, 2))])


# --- repeated eigenvalues and singular values ---------------------------------------------------------------------------


def test_gradient_of_eigenvalues_that_are_equal():
    g = bb.grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(np.eye(3))
    np.testing.assert_allclose(g, np.eye(3))
    assert np.all(np.isfinite(bb.hessian(lambda a: np.sum(np.linalg.eigvalsh(a)))(np.eye(3))))


def test_projector_on_a_space_of_equal_eigenvalues_differentiates():
    q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    a = q @ np.diag([1.0, 1.0, 3.0, 4.0]) @ q.T
    w = rng.normal(size=(4, 4))

    def f(a):
        v = np.linalg.eigh((a + a.T) / 2)[1][:, :2]
        return np.sum(w * (v @ v.T))

    np.testing.assert_allclose(bb.grad(f)(a), numeric(f, a), atol=1e-8)
    t = rng.normal(size=(4, 4))
    assert bb.jvp(f, (a,), (t,))[1] == pytest.approx(np.sum(bb.grad(f)(a) * t))


def test_one_eigenvector_of_equal_eigenvalues_is_not_a_number_rather_than_wrong():
    g = bb.grad(lambda a: np.linalg.eigh(a)[1][0, 0] * 1.0 + np.linalg.eigh(a)[1][1, 0])(np.eye(2))
    assert not np.all(np.isfinite(g))


def test_singular_values_that_are_equal_or_zero():
    np.testing.assert_allclose(
        bb.grad(lambda a: np.sum(np.linalg.svd(a, compute_uv=False)))(np.eye(3)), np.eye(3), atol=1e-12
    )
    a = np.diag([2.0, 1.0, 0.0])
    g = bb.grad(lambda a: np.sum(np.linalg.svd(a)[1][:2]))(a)
    np.testing.assert_allclose(g, np.diag([1.0, 1.0, 0.0]), atol=1e-12)


def test_low_rank_approximation_by_svd_with_zero_singular_values():
    a = rng.normal(size=(4, 1)) @ rng.normal(size=(1, 3))

    def f(a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return np.sum(u[:, :1] * s[:1] @ vh[:1] * np.arange(12.0).reshape(4, 3))

    np.testing.assert_allclose(bb.grad(f)(a), numeric(f, a), atol=1e-6)


def test_defective_matrix_is_refused_by_name():
    with pytest.raises(np.linalg.LinAlgError, match="defective"):
        bb.grad(lambda a: np.sum(np.real(np.linalg.eigvals(a)) ** 2))(np.array([[1.0, 1.0], [0.0, 1.0]]))


# --- norms --------------------------------------------------------------------------------------------------------------


def test_norm_at_zero_has_gradient_zero():
    for kw in ({}, {"ord": 2}, {"ord": 1}, {"ord": 3}):
        assert np.all(bb.grad(lambda x, kw=kw: np.linalg.norm(x, **kw))(np.zeros(3)) == 0), kw
    assert np.all(bb.grad(np.linalg.norm)(np.zeros((2, 2))) == 0)


@pytest.mark.parametrize(
    "f", [lambda x: np.linalg.norm(x) ** 2, lambda x: np.linalg.norm(x) * np.linalg.norm(x), lambda x: np.square(np.linalg.norm(x)),
          lambda x: -2 * np.cos(np.linalg.norm(x)), lambda x: np.sum(np.linalg.norm(x[None, :], axis=1) ** 2),
          lambda x: 2 * np.sqrt(1 + np.linalg.norm(x) ** 2)],
)  # fmt: skip
def test_even_functions_of_a_norm_keep_their_hessian_at_zero(f):
    x = np.zeros(3)
    np.testing.assert_allclose(bb.hessian(f)(x), 2 * np.eye(3))
    np.testing.assert_allclose(bb.grad(f)(x), np.zeros(3))


def test_fourth_power_of_a_norm_at_zero_and_beside():
    np.testing.assert_allclose(bb.hessian(lambda x: np.linalg.norm(x) ** 4)(np.zeros(2)), np.zeros((2, 2)))
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    h = bb.hessian(lambda x: np.sum(np.linalg.norm(x, axis=1) ** 2))(x)
    np.testing.assert_allclose(h.reshape(4, 4), 2 * np.eye(4), atol=1e-14)


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e-310])
def test_norm_neither_overflows_nor_vanishes(size):
    x = np.array([3.0, 4.0]) * size
    assert np.linalg.norm(bb.Variable(x)).data == pytest.approx(5 * size)
    np.testing.assert_allclose(bb.grad(np.linalg.norm)(x), [0.6, 0.8], rtol=1e-12)


def test_integers():
    np.testing.assert_allclose(bb.grad(np.linalg.norm)(np.array([3, 4])), [0.6, 0.8])
    np.testing.assert_allclose(bb.grad(np.linalg.det)(np.array([[1, 2], [3, 4]])), [[4, -3], [-2, 1]])
    assert bb.grad(lambda a: np.sum(np.linalg.solve(np.array([[2, 0], [0, 4]]), a)))(np.array([1, 1])).tolist() == [
        0.5,
        0.25,
    ]


# --- entries that are not read ------------------------------------------------------------------------------------------

SPD = np.array([[4.0, 9.0, -7.0], [1.0, 5.0, 8.0], [0.5, -1.0, 6.0]])


@pytest.mark.parametrize(
    "f, upper",
    [(lambda a: np.sum(np.sin(np.linalg.cholesky(a))), False), (lambda a: np.sum(np.linalg.eigvalsh(a) ** 3), False),
     (lambda a: np.sum(np.linalg.eigvalsh(a, UPLO="U") ** 3), True),
     (lambda a: np.sum(np.sin(linalg.cholesky(a, lower=True))), False)],
    ids=["cholesky", "eigvalsh", "eigvalsh-U", "scipy-lower"],
)  # fmt: skip
def test_gradient_of_entries_not_read_is_zero(f, upper):
    a = SPD.T.copy() if upper else SPD
    g = bb.grad(f)(a)
    np.testing.assert_allclose(g, numeric(f, a), atol=1e-7)
    assert np.all((np.tril(g, -1) if upper else np.triu(g, 1)) == 0)
    t = rng.normal(size=(3, 3))
    assert bb.jvp(f, (a,), (t,))[1] == pytest.approx(np.sum(g * t))


def test_cholesky_upper_keyword_reads_the_upper_triangle():
    def f(a):
        return np.sum(np.linalg.cholesky(a, upper=True) ** 3)

    np.testing.assert_allclose(bb.grad(f)(SPD.T.copy()), numeric(f, SPD.T.copy()), atol=1e-7)


def test_triangle_and_unit_diagonal_not_read_by_solve_triangular():
    b = np.array([1.0, 2.0, 3.0])
    g = bb.grad(lambda a: np.sum(linalg.solve_triangular(a, b, lower=True, unit_diagonal=True) ** 2))(SPD)
    assert np.all(np.triu(g) == 0)
    assert np.all(g[np.tril_indices(3, -1)] != 0)


# --- pseudo-inverse and least squares -----------------------------------------------------------------------------------


def test_pinv_of_a_matrix_without_full_rank_along_its_own_rank():
    a0, b0 = rng.normal(size=(4, 2)), rng.normal(size=(2, 3))

    def f(a):
        return np.sum(np.linalg.pinv(a @ b0) * np.arange(12.0).reshape(3, 4))

    np.testing.assert_allclose(bb.grad(f)(a0), numeric(f, a0), rtol=1e-6, atol=1e-6)


def test_lstsq_residuals_rank_and_singular_values():
    a, b = rng.normal(size=(6, 2)), rng.normal(size=6)
    x, squared, rank, s = np.linalg.lstsq(bb.Variable(a), b, rcond=None)
    for mine, theirs in zip(
        (x, squared, s), np.array(np.linalg.lstsq(a, b, rcond=None), dtype=object)[[0, 1, 3]], strict=True
    ):
        np.testing.assert_allclose(mine.data, theirs)
    assert rank == 2
    np.testing.assert_allclose(
        bb.grad(lambda a: np.linalg.lstsq(a, b, rcond=None)[1][0])(a),
        numeric(lambda a: np.linalg.lstsq(a, b, rcond=None)[1][0], a), atol=1e-7,
    )  # fmt: skip


# --- stacks and empties -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f", [np.linalg.inv, np.linalg.det, np.linalg.cholesky, lambda a: np.linalg.eigh(a)[0], np.linalg.eigvalsh, np.linalg.svdvals,
          np.linalg.pinv, lambda a: np.linalg.slogdet(a)[1], lambda a: np.linalg.qr(a)[1], lambda a: np.linalg.solve(a, a)],
)  # fmt: skip
def test_a_stack_is_a_loop(f):
    a = rng.normal(size=(2, 3, 3))
    a = a @ np.swapaxes(a, -1, -2) + np.eye(3)
    whole = bb.grad(lambda a: np.sum(np.sin(f(a))))(a)
    each = np.stack([bb.grad(lambda a: np.sum(np.sin(f(a))))(x) for x in a])
    np.testing.assert_allclose(whole, each, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("f", [np.linalg.det, np.linalg.inv, np.linalg.cholesky, np.linalg.eigvalsh, np.linalg.norm, np.linalg.pinv,
                               lambda a: np.linalg.slogdet(a)[1], lambda a: a @ a, lambda a: np.einsum("ij,jk", a, a)])  # fmt: skip
def test_empty_matrices(f):
    assert bb.grad(lambda a: np.sum(f(a)))(np.zeros((0, 0))).shape == (0, 0)


def test_wrong_shapes_are_numpys_errors():
    with pytest.raises(ValueError):
        np.einsum("ij,jk", bb.Variable(np.ones((2, 3))), np.ones((4, 2)))
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(bb.Variable(-np.eye(2)))
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.solve(bb.Variable(np.zeros((2, 2))), np.ones(2))


# --- complex numbers: gradients are not conjugated ------------------------------------------------------------------------

Z = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
B = rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))
H = np.tril(Z) + 6 * np.eye(3)


def size(y):
    return np.sum(np.abs(y * (1 + np.arange(np.size(np.real(getattr(y, "data", y)))).reshape(y.shape))) ** 2)


@pytest.mark.parametrize(
    "f, z",
    [(lambda z: size(z @ B), Z), (lambda z: size(np.linalg.solve(z, B)), Z), (lambda z: size(np.linalg.solve(Z, z)), B),
     (lambda z: size(np.linalg.inv(z)), Z), (lambda z: np.abs(np.linalg.det(z)) ** 2, Z), (lambda z: np.linalg.slogdet(z)[1], Z),
     (lambda z: np.imag(np.linalg.slogdet(z)[0]), Z), (lambda z: size(np.linalg.cholesky(z)), H), (lambda z: size(np.linalg.eigvalsh(z)), H),
     (lambda z: size(np.linalg.svdvals(z)), Z), (lambda z: np.linalg.norm(z), Z), (lambda z: size(np.linalg.pinv(z)), B),
     (lambda z: size(np.linalg.qr(z)[1]), Z), (lambda z: size(np.linalg.qr(z)[0]), Z),
     (lambda z: size(np.linalg.eigvals(z)), Z), (lambda z: size(np.linalg.lstsq(z, Z[:, 0], rcond=None)[0]), B),
     (lambda z: size(np.fft.fft(z, axis=0)), Z), (lambda z: size(np.fft.ifft(z, 5)), Z), (lambda z: size(np.fft.irfft(z)), Z),
     (lambda z: size(np.fft.irfft(z, 5, norm="ortho")), Z), (lambda z: size(np.fft.hfft(z, norm="forward")), Z), (lambda z: size(np.fft.fftn(z)), Z),
     (lambda z: size(np.fft.irfftn(z)), Z), (lambda z: size(np.vdot(z, Z).reshape(1)), Z), (lambda z: size(np.einsum("ij,ij->i", z, Z)), Z),
     (lambda z: size(np.convolve(z[0], Z[1])), Z), (lambda z: size(np.correlate(Z[0], z[1], "full")), Z), (lambda z: size(np.vecdot(z, Z)), Z),
     (lambda z: size(linalg.solve_triangular(z, B, trans="C")), Z), (lambda z: size(linalg.expm(z)), 0.3 * Z),
     (lambda z: size(linalg.solve_continuous_lyapunov(z, H)), H)],
)  # fmt: skip
def test_complex_gradients_against_differences(f, z):
    np.testing.assert_allclose(bb.grad(f)(z), complex_gradient(f, z), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("f", [lambda x: size(x @ Z), lambda x: size(Z @ x), lambda x: size(np.linalg.solve(Z, x)), lambda x: size(np.fft.rfft(x)),
                               lambda x: size(np.fft.fft(x, 5)), lambda x: size(np.fft.rfftn(x)), lambda x: size(np.fft.ihfft(x)),
                               lambda x: size(np.einsum("ij,jk", Z, x)), lambda x: size(np.kron(x, B)), lambda x: size(np.linalg.eigvals(x))])  # fmt: skip
def test_real_gradients_of_complex_results_stay_real(f):
    x = rng.normal(size=(3, 3))
    g = bb.grad(f)(x)
    assert g.dtype == np.float64
    np.testing.assert_allclose(g, numeric(f, x), rtol=1e-5, atol=1e-6)


# --- bibun.linalg ---------------------------------------------------------------------------------------------------------


def test_arrays_give_arrays_with_scipys_numbers():
    a, b = SPD + SPD.T + 20 * np.eye(3), rng.normal(size=(3, 2))
    pairs = [
        (linalg.cho_solve(linalg.cho_factor(a), b), scipy.linalg.cho_solve(scipy.linalg.cho_factor(a), b)),
        (linalg.cho_solve(linalg.cho_factor(a, lower=True), b[:, 0]), np.linalg.solve(a, b[:, 0])),
        (linalg.lu_solve(linalg.lu_factor(SPD), b, trans=1), scipy.linalg.solve(SPD.T, b)),
        (linalg.lu_factor(SPD)[0], scipy.linalg.lu_factor(SPD)[0]), (linalg.lu_factor(b)[0], scipy.linalg.lu_factor(b)[0]),
        (linalg.lu(SPD)[0], scipy.linalg.lu(SPD)[0]), (linalg.lu_factor(b.T)[0], scipy.linalg.lu_factor(b.T)[0]),
        (linalg.expm(a / 9), scipy.linalg.expm(a / 9)), (linalg.sqrtm(a), scipy.linalg.sqrtm(a)),
        (linalg.toeplitz(b[:, 0]), scipy.linalg.toeplitz(b[:, 0])), (linalg.block_diag(a, b), scipy.linalg.block_diag(a, b)),
        (linalg.solve_triangular(a, b, trans=2), scipy.linalg.solve_triangular(a, b, trans=2)),
        (linalg.qr(b, mode="economic", pivoting=True)[1], scipy.linalg.qr(b, mode="economic", pivoting=True)[1]),
        (linalg.qr(b, mode="r")[0], scipy.linalg.qr(b, mode="r")[0]),
        (linalg.eigh_tridiagonal([1.0, 2.0], [0.5])[0], scipy.linalg.eigh_tridiagonal([1.0, 2.0], [0.5])[0]),
    ]  # fmt: skip
    for mine, theirs in pairs:
        assert type(mine) is np.ndarray
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "f", [lambda a: np.sum(np.sin(linalg.cho_solve(linalg.cho_factor(a), np.arange(3.0)))),
          lambda a: np.sum(np.sin(linalg.cho_solve(linalg.cho_factor(a, lower=True), np.eye(3)))),
          lambda a: np.sum(np.sin(linalg.lu_solve(linalg.lu_factor(a), np.arange(3.0)))),
          lambda a: np.sum(np.sin(linalg.lu_solve(linalg.lu_factor(a), np.eye(3), trans=1))),
          lambda a: np.sum(np.sin(linalg.qr(a, mode="r", pivoting=True)[0]))],
)  # fmt: skip
def test_factor_and_solve_differentiate(f):
    a = SPD + 20 * np.eye(3)
    np.testing.assert_allclose(bb.grad(f)(a), numeric(f, a), rtol=1e-6, atol=1e-8)


def test_gaussian_log_density_by_cholesky_has_the_closed_gradient_and_hessian():
    x = rng.normal(size=3)
    a = SPD @ SPD.T / 20 + np.eye(3)

    def density(a):
        c, lower = linalg.cho_factor(a, lower=True)
        return -np.sum(np.log(np.diagonal(c))) - 0.5 * x @ linalg.cho_solve((c, lower), x)

    inverse = np.linalg.inv(a)
    whole = 0.5 * (np.outer(inverse @ x, inverse @ x) - inverse)
    np.testing.assert_allclose(bb.grad(density)(a), np.tril(whole) + np.tril(whole, -1), atol=1e-12)
    t = rng.normal(size=(3, 3))
    np.testing.assert_allclose(
        bb.jvp(bb.grad(density), (a,), (t,))[1], difference(bb.grad(density), [a], [t])[0], atol=1e-8
    )
