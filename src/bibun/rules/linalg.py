"""Equations, inverses and determinants of np.linalg, stacked as there.

Formulas are those of M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), written so that no determinant is divided by. Imports core and products; factorisations are in
decompositions.py, norms in norms.py.
"""

import math
from typing import Any

import numpy as np

from ..core.broadcast import spread, unbroadcast
from ..core.dispatch import answers, raw
from ..core.domains import static, well
from ..core.graph import Node
from ..core.rule import composite, constant, general
from ..typing import Array
from .products import as_array, conjugated, fitting, transposed

GILES = "Giles 2008"

# --- solve and inv --------------------------------------------------------------------------------------------------


def solve_matrix_back(g: Array, y: Array, a: Array, b: Array) -> Array:
    """The cotangent of `a` in the solution of a·y = b."""
    return fitting(unbroadcast(-(np.linalg.solve(transposed(a), g) @ transposed(y)), a), a)


_solve = general(
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


def signed_svd(a: Array) -> tuple[Array, Array, Array]:
    """u, s, vᴴ with a = u·s·vᴴ and s carrying the sign of det u · det v, so that the cofactors are those of diag(s)."""
    u, s, vh = np.linalg.svd(a)
    return u * (np.linalg.det(u) * np.linalg.det(vh))[..., None, None], s, vh


def cofactors(a: Array) -> Array:
    """The derivative of the determinant, right for every rank: no division, by the singular value decomposition."""
    u, s, vh = signed_svd(a)
    return conjugated(u * products_without(s, pairs=False)[..., None, :]) @ conjugated(vh) if False else _cofactors_of(u, s, vh)


def _cofactors_of(u: Array, s: Array, vh: Array) -> Array:
    return (u * products_without(s, pairs=False)[..., None, :]) @ vh
