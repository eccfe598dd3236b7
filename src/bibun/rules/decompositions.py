"""Eigenvalues, singular values, QR and what rests on them: pinv and lstsq.

Eigenvectors and singular vectors of equal values are not determined, only the space they span: what rotates them inside
it counts as zero, so functions of that space have their derivative, and a cotangent that asks for more gets NaN. (Write
functions of a matrix, its square root say, with bibun.linalg: f(λ) put between eigenvectors has lost what joins equal
λ.) Formulas: M. Giles, "Collected matrix derivative results" (2008); G. Golub and V. Pereyra, "The differentiation
of pseudo-inverses" (1973). Imports core, products and triangular.
"""

from typing import Any

import numpy as np

from ..core.absorbing import undress
from ..core.dispatch import answers, function
from ..core.domains import static, symmetric, well
from ..core.modes import here, modes
from ..core.words import constant, general
from ..errors import MissingRule
from ..typing import Array
from .products import as_array, certain, conjugated, fitting, possible, transposed
from .triangular import adjoint, hermitian, read_back, triangular

GILES = "Giles 2008"
EighResult = type(np.linalg.eigh(np.eye(1)))
EigResult = type(np.linalg.eig(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))


def differences(w: Array) -> Array:
    """w_j - w_i at row i, column j."""
    return w[..., None, :] - w[..., :, None]


def reciprocal(x: Array, w: Array) -> Array:
    """1/x, and 0 where `x` is no more than the rounding of the values `w`; `x` has an axis more, or as many."""
    zero = vanishing(x, w)
    return np.where(zero, 0, 1 / np.where(zero, 1, x))


@function
def vanishing(x: Array, w: Array) -> Array:
    """Where `x` is no more than the rounding of the values `w`."""
    size = np.max(np.abs(w), axis=-1, keepdims=True, initial=0.0)
    size = size[..., None] if x.ndim > w.ndim else size
    return np.abs(x) <= 4 * w.shape[-1] * np.finfo(w.dtype).eps * size


def diagonal(x: Array) -> Array:
    """The diagonals of stacked matrices."""
    return np.diagonal(x, axis1=-2, axis2=-1)


def on_diagonal(d: Array) -> Array:
    """Diagonal matrices."""
    n = d.shape[-1]
    return np.where(np.eye(n, dtype=bool), d[..., None, :], 0)


# --- eigh -----------------------------------------------------------------------------------------------------------


def is_lower(uplo: str) -> bool:
    """Whether `UPLO` names the lower triangle."""
    return uplo.upper() == "L"


def eigh_push(t: Array, y: Any, a: Array, UPLO: str = "L") -> tuple[Array, Array]:
    """dw = diag(vᴴ dA v), dv = v·(F∘vᴴ dA v) with F = 1/(w_j - w_i)."""
    w, v = y
    m = adjoint(v) @ hermitian(t, is_lower(UPLO)) @ v
    return np.real(diagonal(m)), v @ (reciprocal(differences(w), w) * m)


def eigh_pull(g: Any, y: Any, a: Array, UPLO: str = "L") -> Array:
    """S = conj(v)·(diag(gw) + F∘vᵀgv)·vᵀ, on the triangle that was read."""
    (gw, gv), (w, v) = g, y
    q = transposed(v) @ gv
    gaps = differences(w)
    f = reciprocal(gaps, w)
    k = on_diagonal(gw) + undetermined(f, q) * q
    return fitting(read_back(conjugated(v) @ k @ transposed(v), is_lower(UPLO)), a)


def undetermined(f: Array, q: Any) -> Array:
    """`f`, with infinity where a cotangent asks how eigenvectors of equal values turn into each other."""
    asked = turned(f, undress(q))
    return np.where(asked, np.inf, f) if possible(asked) else f


@function
def turned(f: Array, q: Array) -> Array:
    """Where eigenvectors of equal values are asked to turn into each other."""
    skew = np.abs(q - adjoint(q))
    return (f == 0) & ~np.eye(q.shape[-1], dtype=bool) & (skew > 1e-6 * np.max(np.abs(q), initial=0.0))


general(
    np.linalg.eigh, eigh_push, eigh_pull, outputs=EighResult, source=GILES,
    cases=[(symmetric(3),), (symmetric(3), dict(UPLO="U")), (symmetric(2, 2),), (symmetric(1),), (well(3),), ((0, 0),)],
)  # fmt: skip


@answers(np.linalg.eigvalsh)
def eigvalsh(a: Array, UPLO: Any = "L") -> Array:
    """np.linalg.eigvalsh: the eigenvectors are needed for the derivative anyway."""
    return np.linalg.eigh(a, UPLO)[0]


# --- eig ------------------------------------------------------------------------------------------------------------


def eig_push(t: Array, y: Any, a: Array) -> tuple[Array, Array]:
    """dw = diag(v⁻¹ dA v), dv = v·(F∘v⁻¹ dA v), kept at LAPACK's norm 1 with the largest component real."""
    w, v = y
    lost = defective(v)
    if certain(lost):
        raise np.linalg.LinAlgError(
            "the derivative of np.linalg.eig of a defective matrix does not exist: eigenvectors do not span the space"
        )
    m = np.linalg.solve(v, t @ v)
    m = np.where(lost[..., None, None], np.nan, m) if possible(lost) else m
    f = reciprocal(differences(w), w)
    dv = v @ (f * m)
    dv = dv - v * np.sum(np.real(conjugated(v) * dv), axis=-2, keepdims=True)
    if v.dtype.kind == "c":
        k = largest(v)
        turned = np.imag(np.take_along_axis(dv, k, -2)) / np.real(np.take_along_axis(v, k, -2))
        dv = dv - 1j * v * turned
    return diagonal(m), dv


@function
def defective(v: Array) -> Array:
    """Whether the eigenvectors do not span the space."""
    return np.asarray(np.linalg.cond(v) > 1 / np.finfo(v.dtype).eps)


@function
def largest(v: Array) -> Array:
    """The row of the largest component of each column."""
    return np.argmax(np.abs(v), axis=-2)[..., None, :]


def eig_complex(a: Array) -> tuple[Array, ...]:
    """np.linalg.eig with a complex result, also where a real one would do."""
    return tuple(part.astype(np.result_type(part, np.complex64)) for part in np.linalg.eig(a))


_eig = general(
    np.linalg.eig, eig_push, outputs=EigResult, register=False, source=GILES,
    cases=[(lambda rng: well(3)(rng) + np.diag([0.0, 4.0, 8.0]),), (lambda rng: np.array([[1.0, 3.0], [-2.0, 0.5]]),),
           (lambda rng: well(2, 2)(rng) + np.diag([0.0, 5.0]),)],
)  # fmt: skip
_eig_complex = general(np.linalg.eig, eig_push, outputs=EigResult, register=False, run=eig_complex, name="eig_complex",
                       cases=_eig.cases, source=GILES)  # fmt: skip
_eig_complex.func = _eig_complex


@answers(np.linalg.eig)
def eig(a: Array) -> Any:
    """np.linalg.eig. While recording for other values, which decide whether the result is complex, it always is."""
    return _eig_complex(a) if modes.on and here.tracing else _eig(a)


answers(np.linalg.eigvals)(lambda a: eig(a)[0])

# --- svd ------------------------------------------------------------------------------------------------------------


def svd_push(t: Array, y: Any, a: Array) -> tuple[Array, Array, Array]:
    """With P = uᴴ dA v: ds = diag P, and u and v turn by sym(P)/(s_j - s_i) ± skew(P)/(s_j + s_i)."""
    u, s, vh = y
    v = adjoint(vh)
    tv, ut = t @ v, adjoint(u) @ t
    p = ut @ v
    even = (p + adjoint(p)) / 2 * reciprocal(differences(s), s)
    odd = (p - adjoint(p)) / 2 * reciprocal(s[..., None, :] + s[..., :, None], s)
    du, dvh = u @ (even + odd), adjoint(even - odd) @ vh
    inverse = reciprocal(s, s)
    if u.shape[-2] > u.shape[-1]:
        du = du + (tv - u @ p) * inverse[..., None, :]
    if vh.shape[-1] > vh.shape[-2]:
        dvh = dvh + (ut - p @ vh) * inverse[..., :, None]
    return du, np.real(diagonal(p)), dvh


_svd = general(
    np.linalg.svd, svd_push, outputs=SVDResult, register=False, source=GILES,
    run=lambda a: np.linalg.svd(a, full_matrices=False),
    cases=[((4, 3), dict(full_matrices=False)), ((2, 4), dict(full_matrices=False)),
           (well(3), dict(full_matrices=False)),
           ((2, 3, 2), dict(full_matrices=False)), (well(2),), ((3, 2),), ((2, 3),), (well(3), dict(compute_uv=False)),
           (symmetric(3), dict(hermitian=True)), (symmetric(3), dict(hermitian=True, compute_uv=False))],
)  # fmt: skip


def svdvals_push(t: Array, y: Array, a: Array) -> Array:
    """ds = diag(uᴴ dA v)."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.real(diagonal(adjoint(u) @ t @ adjoint(vh)))


def svdvals_pull(g: Array, y: Array, a: Array) -> Array:
    """u·diag(g)·vᴴ."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    return fitting((conjugated(u) * g[..., None, :]) @ conjugated(vh), a)


_svdvals = general(
    np.linalg.svdvals,
    svdvals_push,
    svdvals_pull,
    source=GILES,
    cases=[((4, 3),), ((2, 3),), ((2, 3, 3),), ((1, 1),), ((0, 2),)],
)
_completed = general(
    lambda u, rest: rest, register=False, name="completed",
    jvp=(lambda t, y, u, rest: -(u @ (adjoint(t) @ y)), None),
    cases=[(lambda rng: np.linalg.qr(rng.normal(size=(4, 2)))[0], static(np.eye(4, 1)))],
           second="not a function of u alone",
)  # fmt: skip
"""The columns that complete `u` to a square orthogonal matrix: they turn no more than they must."""


def completed(u: Array, rest: Array) -> Array:
    """`u` and `rest`, the value of the columns that complete it, as a function of `u`."""
    return np.concatenate([u, _completed(u, rest)], axis=-1)


@function
def rest_of(a: Array, kind: str) -> Array:
    """The columns LAPACK adds to the left ("u") or right ("v") singular vectors, or to those of QR ("q")."""
    k = min(a.shape[-2:])
    if kind == "q":
        return np.linalg.qr(a, mode="complete")[0][..., k:]
    u, _, vh = np.linalg.svd(a)
    return u[..., k:] if kind == "u" else adjoint(vh[..., k:, :])


@answers(np.linalg.svd)
def svd(a: Array, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """np.linalg.svd."""
    if hermitian:
        return svd_hermitian(a, compute_uv)
    if not compute_uv:
        return _svdvals(a)
    u, s, vh = _svd(a)
    if full_matrices and a.shape[-1] != a.shape[-2]:
        if u.shape[-1] < u.shape[-2]:
            u = completed(u, rest_of(a, "u"))
        else:
            vh = adjoint(completed(adjoint(vh), rest_of(a, "v")))
    return SVDResult(u, s, vh)


def svd_hermitian(a: Array, compute_uv: bool) -> Any:
    """The singular values of a Hermitian matrix, from the triangle that eigh reads."""
    w, v = np.linalg.eigh(a)
    order = descending(w)
    s = np.take_along_axis(np.abs(w), order, -1)
    if not compute_uv:
        return s
    sign = np.where(np.less(w, 0), w.dtype.type(-1), w.dtype.type(1))
    u = np.take_along_axis(v, order[..., None, :], -1)
    return SVDResult(u, s, adjoint(u * np.take_along_axis(sign, order, -1)[..., None, :]))


@function
def descending(w: Array) -> Array:
    """The order of the values by size, the largest first."""
    return np.argsort(np.abs(w), axis=-1)[..., ::-1]


constant(vanishing, turned, defective, largest, rest_of, descending)

# --- qr -------------------------------------------------------------------------------------------------------------


def qr_push(t: Array, y: Any, a: Array) -> tuple[Array, Array]:
    """With M = qᴴ dA r⁻¹ and Ω its part below the diagonal made skew: dq = qΩ + (1 - qqᴴ) dA r⁻¹, dr = (M - Ω)r."""
    q, r = y
    tr = transposed(triangular(transposed(r), transposed(t), True, False))
    m = adjoint(q) @ tr
    below = np.tril(m, -1)
    turn = below - adjoint(below)
    if m.dtype.kind == "c":
        turn = turn + 1j * on_diagonal(np.imag(diagonal(m)))
    dq = q @ turn
    return (dq + tr - q @ m if q.shape[-2] > q.shape[-1] else dq), np.triu(m - turn) @ r


_qr = general(
    np.linalg.qr, qr_push, outputs=QRResult, register=False, source=GILES, run=lambda a: np.linalg.qr(a),
    cases=[((4, 3),), (well(3),), ((2, 3),), ((2, 3, 2),), ((4, 2), dict(mode="r")), ((3, 2), dict(mode="complete")),
           ((2, 4), dict(mode="complete"))],
)  # fmt: skip


@answers(np.linalg.qr)
def qr(a: Array, mode: str = "reduced") -> Any:
    """np.linalg.qr; of a wide matrix, the columns beyond the first square are qᴴ times theirs."""
    if mode not in ("reduced", "r", "complete"):
        raise MissingRule(f"np.linalg.qr(mode={mode!r}) on a Variable: use mode='reduced', 'r' or 'complete'")
    a = as_array(a, "qr")
    m, n = a.shape[-2:]
    if m < n:
        q, r = _qr(a[..., :m])
        r = np.concatenate([r, adjoint(q) @ a[..., m:]], axis=-1)
    else:
        q, r = _qr(a)
    if mode == "r":
        return r
    if mode == "complete" and m > n:
        q = completed(q, rest_of(a, "q"))
        r = np.concatenate([r, np.zeros_like(a[..., : m - n, :])], axis=-2)
    return QRResult(q, r)
