"""Equations, inverses and determinants of np.linalg, stacked as there.

Formulas are those of M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), written so that no determinant is divided by. Imports core and products; factorisations are in
decompositions.py, norms in norms.py.
"""

import math
from typing import Any

import numpy as np

from ..core.broadcast import spread, unbroadcast
from ..core.dispatch import answers, function
from ..core.domains import well
from ..core.modes import here, modes
from ..core.rule import Rule
from ..core.words import composite, constant, general
from ..typing import Array
from .products import as_array, conjugated, fitting, transposed

GILES = "Giles 2008"

# --- solve and inv --------------------------------------------------------------------------------------------------


def solve_matrix_back(g: Array, y: Array, a: Array, b: Array) -> Array:
    """The cotangent of `a` in the solution of a·y = b."""
    return fitting(unbroadcast(-(np.linalg.solve(transposed(a), g) @ transposed(y)), a), a)


_solve: Rule = general(
    np.linalg.solve, register=False, source=GILES,
    jvp=(lambda t, y, a, b: -np.linalg.solve(a, t @ y),
         lambda t, y, a, b: spread(np.linalg.solve(a, t), y.shape)),
    vjp=(solve_matrix_back,
         lambda g, y, a, b: fitting(unbroadcast(np.linalg.solve(transposed(a), g), b), b)),
    cases=[(well(3), (3, 2)), (well(3), (3,)), (well(3, 2), (2, 3, 1)), (well(3), (2, 3, 2)), (well(2, 3), (2, 2)),
           (well(2, 3), (2,)), (well(1), (1,)), ((0, 0), (0, 2))],
)  # fmt: skip


@answers(np.linalg.solve)
def solve(a: Array, b: Array) -> Array:
    """np.linalg.solve: `b` is one vector if it has one axis, and matrices otherwise."""
    a, b = as_array(a, "solve"), as_array(b, "solve")
    return _solve(a, b[:, None])[..., 0] if b.ndim == 1 else _solve(a, b)


general(
    np.linalg.inv, source=GILES,
    jvp=lambda t, y, a: -(y @ t @ y),
    vjp=lambda g, y, a: -(transposed(y) @ g @ transposed(y)),
    cases=[(well(3),), (well(3, 2),), (well(1),), ((0, 0),)],
)  # fmt: skip


def tensorsolve(a: Array, b: Array, axes: Any = None) -> Array:
    """np.linalg.tensorsolve: x with tensordot(a, x, x.ndim) = b."""
    a, b = as_array(a, "tensorsolve"), as_array(b, "tensorsolve")
    if axes is not None:
        order = [k for k in range(a.ndim) if k not in axes] + list(axes)
        a = np.transpose(a, order)
    shape = a.shape[b.ndim :]
    n = math.prod(shape)
    return np.linalg.solve(a.reshape(b.size, n), b.reshape(-1)).reshape(shape)


def tensorinv(a: Array, ind: int = 2) -> Array:
    """np.linalg.tensorinv: the inverse of the map tensordot(a, ·)."""
    a = as_array(a, "tensorinv")
    return np.linalg.inv(a.reshape(math.prod(a.shape[:ind]), -1)).reshape(a.shape[ind:] + a.shape[:ind])


def shaped(n: int, *shape: int) -> Any:
    """A well-conditioned matrix seen with more axes."""
    return lambda rng: well(n)(rng).reshape(shape)


composite(
    np.linalg.tensorsolve, tensorsolve,
    cases=[(shaped(6, 2, 3, 6), (2, 3)), (shaped(4, 2, 4, 2), (2, 2), dict(axes=(1,))), (shaped(3, 3, 3), (3,))],
)  # fmt: skip
composite(np.linalg.tensorinv, tensorinv, cases=[(shaped(6, 2, 3, 6),), (shaped(4, 4, 2, 2), dict(ind=1))])

# --- det ------------------------------------------------------------------------------------------------------------


def products_without(s: Array, pairs: bool) -> Array:
    """The products of `s` with one factor left out (a vector), or with two (a matrix, its diagonal zero)."""
    n = s.shape[-1]
    k = np.arange(n)
    out = np.ones((*s.shape, n) if pairs else s.shape, s.dtype)
    for i in range(n):
        skip = (k == i) | (k[:, None] == i) if pairs else k == i
        out = out * np.where(skip, 1, s[..., i, None, None] if pairs else s[..., i, None])
    return np.where(np.eye(n, dtype=bool), 0, out) if pairs else out


def by_svd(a: Array) -> tuple[Array, Array, Array, Array]:
    """u, s, vh, d with cofactors(a) = d · u · cofactors(diag(s)) · vh."""
    u, s, vh = np.linalg.svd(a)
    d = np.linalg.det(u) * np.linalg.det(vh)
    return conjugated(u), s, conjugated(vh), d[..., None, None]


def far_from_singular(a: Array, inverse: Array) -> bool:
    """Whether every condition number is small enough to multiply by the determinant and divide by it again."""
    if not a.size:
        return True
    with np.errstate(invalid="ignore"):  # 0 times infinity
        return bool(np.all(np.sum(np.abs(a), (-2, -1)) * np.sum(np.abs(inverse), (-2, -1)) < 1e4))


def cofactors(a: Array) -> Array:
    """The derivative of the determinant, for every rank: nothing is divided where `a` is nearly singular."""
    y = inverse(a)
    if far_from_singular(a, y):
        return np.linalg.det(a)[..., None, None] * transposed(y)
    u, s, vh, d = by_svd(a)
    return d * ((u * products_without(s, pairs=False)[..., None, :]) @ vh)


def cofactors_along(t: Array, a: Array) -> Array:
    """The derivative of the cofactors in the direction `t`; symmetric in `t` and a cotangent, so it is both walks."""
    y = inverse(a)
    if far_from_singular(a, y):
        yt = y @ t
        return np.linalg.det(a)[..., None, None] * transposed(traces(yt) * y - yt @ y)
    u, s, vh, d = by_svd(a)
    p = transposed(u) @ t @ transposed(vh)
    without = products_without(s, pairs=True)
    sums = without @ np.diagonal(p, axis1=-2, axis2=-1)[..., None]
    return d * (u @ (np.eye(s.shape[-1], dtype=s.dtype) * sums - transposed(p) * without) @ vh)


def traces(x: Array) -> Array:
    """The traces of stacked matrices, to multiply matrices by."""
    return np.trace(x, axis1=-2, axis2=-1)[..., None, None]


def third(s: Array, t: Array, a: Array) -> Array:
    """The derivative of `cofactors_along(t, a)` in the direction `s`: from the inverse, if `a` is known to have one."""
    s, t = (np.broadcast_to(x, np.broadcast_shapes(x.shape, a.shape)) for x in (s, t))
    if a.shape[-1] < 3:
        return np.zeros_like(s)
    if (modes.on and here.tracing) or not well_conditioned(a):
        return by_minors(s, t, a)
    y = inverse(a)
    ys, yt = y @ s, y @ t
    both = traces(ys) * traces(yt) - traces(ys @ yt)
    turned = (ys @ yt + yt @ ys - traces(ys) * yt - traces(yt) * ys) @ y
    return np.linalg.det(a)[..., None, None] * transposed(both * y + turned)


def by_minors(s: Array, t: Array, a: Array) -> Array:
    """The same from the minor of every element: nothing is divided."""
    n = a.shape[-1]
    rest = np.array([[k for k in range(n) if k != i] for i in range(n)], dtype=int).reshape(n, -1)
    index = (..., rest[:, None, :, None], rest[None, :, None, :])
    sign = np.where(np.add.outer(range(n), range(n)) % 2, -1, 1)
    return sign * np.sum(_cofactors_along(s[index], a[index]) * t[index], axis=(-2, -1))


def inverse(a: Array) -> Array:
    """The inverse; infinite where there is none, so that a slope there is infinite too and not an exception."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        singular = is_singular(a)
        safe = np.where(singular, np.eye(a.shape[-1], dtype=a.dtype), a)
        return np.where(singular, np.inf, np.linalg.inv(safe))


@function
def is_singular(a: Array) -> Array:
    """Which matrices LAPACK finds no inverse of."""
    return (np.linalg.slogdet(a)[0] == 0)[..., None, None]


@function
def well_conditioned(a: Array) -> bool:
    """Whether all the matrices are far from singular."""
    return far_from_singular(a, inverse(a))


constant(is_singular, well_conditioned)
_cofactors: Rule = general(
    cofactors, register=False,
    jvp=lambda t, y, a: _cofactors_along(t, a), vjp=lambda g, y, a: _cofactors_along(g, a),
    cases=[(well(3),), (well(2, 2),), (well(1),), (well(4),)],
)  # fmt: skip
_cofactors.func = _cofactors
_cofactors_along: Rule = general(
    cofactors_along, register=False,
    jvp=(lambda d, y, t, a: _cofactors_along(d, a), lambda d, y, t, a: third(d, t, a)),
    vjp=(lambda g, y, t, a: _cofactors_along(g, a), lambda g, y, t, a: third(g, t, a)),
    cases=[((3, 3), well(3)), ((2, 2, 2), well(2, 2)), ((1, 1), well(1)), ((3, 3), lambda rng: near_singular(rng))],
)  # fmt: skip
_cofactors_along.func = _cofactors_along


def near_singular(rng: np.random.Generator) -> Array:
    """A matrix whose inverse would lose digits."""
    a = rng.normal(size=(3, 3))
    a[2] = a[0] + a[1] + 1e-7 * a[2]
    return a


general(
    np.linalg.det, source=GILES,
    jvp=lambda t, y, a: np.sum(_cofactors(a) * t, axis=(-2, -1)),
    vjp=lambda g, y, a: fitting(g[..., None, None] * _cofactors(a), a),
    cases=[(well(3),), (well(2, 2),), (well(1),), ((3, 3),), ((0, 0),)],
)  # fmt: skip

# --- slogdet --------------------------------------------------------------------------------------------------------


def slogdet_push(t: Array, y: Any, a: Array) -> tuple[Array, Array]:
    """d log|det a| = Re tr(a⁻¹ da); the sign turns by the imaginary part."""
    z = np.sum(transposed(inverse(a)) * t, axis=(-2, -1))
    if z.dtype.kind != "c":
        return np.zeros_like(y[0]), z
    return 1j * y[0] * np.imag(z), np.real(z)


def slogdet_pull(g: Any, y: Any, a: Array) -> Array:
    """a⁻ᵀ times the cotangent of the logarithm."""
    weight = g[1]
    if a.dtype.kind == "c":
        weight = weight - 1j * np.real(1j * g[0] * y[0])
    return weight[..., None, None] * transposed(inverse(a))


general(
    np.linalg.slogdet, slogdet_push, slogdet_pull, outputs=type(np.linalg.slogdet(np.eye(1))), source=GILES,
    cases=[(well(3),), (well(2, 2),), (well(1),), ((3, 3),), ((0, 0),)],
)  # fmt: skip
constant(np.linalg.matrix_rank)
