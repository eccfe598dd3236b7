"""Products of arrays: `matmul` is the primitive; the others are written with it, with `multiply` or with `einsum`.

Complex cotangents are not conjugated: <g, t> is the real part of the sum of g·t. Imports core; `einsum` has its own
file, the products of np.linalg are at the end of this one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.absorbing import Absorbing, absorb, undress
from ..core.broadcast import unbroadcast
from ..core.dispatch import answers
from ..core.domains import static
from ..core.graph import Node
from ..core.record import operand
from ..core.words import composite, multilinear
from ..errors import TrackedVariable
from ..typing import Array

__all__ = ["as_array", "certain", "fitting", "possible", "refuse_out", "transposed"]


ndarray: Any = np.ndarray


def fitting(g: Array, x: Array) -> Array:
    """The cotangent `g` of `x`: its real part where `x` is real."""
    return np.real(g) if g.dtype.kind == "c" and x.dtype.kind != "c" else g


def as_array(x: Array, name: str) -> Array:
    """`x` with `ndim` and `shape`: lists and Python numbers become arrays, lists of Variables are stacked."""
    return x if isinstance(x, (np.ndarray, np.generic, Node, Absorbing)) else operand(x, name)


def transposed(x: Array) -> Array:
    """The last two axes swapped."""
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


def refuse_out(out: Array, name: str) -> None:
    """Writing into an array given by the user would lose the derivative."""
    if out is not None:
        raise TrackedVariable(
            f"np.{name}(out=) of a tracked Variable would lose its derivative: write `v = np.{name}(…)`"
        )


def certain(mask: Array) -> bool:
    """Whether a mask holds somewhere; of one recorded for other values nobody can say so."""
    return not isinstance(mask, Node) and bool(np.any(mask))


def possible(mask: Array) -> bool:
    """Whether a mask holds somewhere, or may: one recorded for other values may."""
    return isinstance(mask, Node) or bool(np.any(mask))


# --- matmul ---------------------------------------------------------------------------------------------------------


def product(a: Array, b: Array) -> Array:
    """`a @ b`; of two plain vectors or matrices by `dot`, the same call of BLAS at half the cost around it."""
    if type(a) is ndarray is type(b) and 0 < a.ndim <= 2 and 0 < b.ndim <= 2:
        return a.dot(b)
    return a @ b


def matmul_left(g: Array, a: Array, b: Array) -> Array:
    """The cotangent of `a` in `a @ b`."""
    if a.ndim == 2 == b.ndim:
        g = product(g, b.T)
    elif b.ndim == 1:
        g = unbroadcast(g[..., None] * b if a.ndim > 1 else g * b, a)
    elif a.ndim == 1:
        g = product(b, g) if b.ndim == 2 else unbroadcast((b @ g[..., None])[..., 0], a)
    else:
        g = unbroadcast(g @ transposed(b), a)
    return fitting(g, a)


def matmul_right(g: Array, a: Array, b: Array) -> Array:
    """The cotangent of `b` in `a @ b`."""
    if a.ndim == 2:
        g = product(a.T, g) if b.ndim < 3 else unbroadcast(a.T @ g, b)
    elif a.ndim == 1:
        g = unbroadcast(g[..., None, :] * a[:, None] if b.ndim > 1 else g * a, b)
    elif b.ndim == 1:
        g = unbroadcast((transposed(a) @ g[..., None])[..., 0], b)
    else:
        g = unbroadcast(transposed(a) @ g, b)
    return fitting(g, b)


multilinear(
    np.matmul, matmul_left, matmul_right, run=product,
    cases=[((2, 3), (3, 2)), ((2, 3), (3,)), ((3,), (3, 2)), ((3,), (3,)), ((4, 2, 3), (4, 3, 2)), ((4, 2, 3), (3, 2)),
           ((2, 3), (4, 3, 2)), ((1, 2, 3), (5, 1, 3, 2)), ((4, 2, 3), (3,)), ((3,), (4, 3, 2)), ((2, 0), (0, 3)),
           ((0, 3), (3,))],
)  # fmt: skip
multilinear(
    absorb,
    lambda g, a, b: unbroadcast(absorb(undress(g), b), a), lambda g, a, b: unbroadcast(absorb(a, undress(g)), b),
    cases=[((3,), (3,)), ((2, 3), (3,))],
)  # fmt: skip


# --- written with it ------------------------------------------------------------------------------------------------


def dot(a: Array, b: Array, out: Array = None) -> Array:
    """np.dot: a scalar product, `@` up to two axes, and a sum over the last and the last but one axis beyond."""
    refuse_out(out, "dot")
    a, b = as_array(a, "dot"), as_array(b, "dot")
    if not a.ndim or not b.ndim:
        return np.multiply(a, b)
    if b.ndim <= 2:
        return a @ b
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 2,)))


def inner(a: Array, b: Array) -> Array:
    """np.inner: a sum over both last axes."""
    a, b = as_array(a, "inner"), as_array(b, "inner")
    if not a.ndim or not b.ndim:
        return np.multiply(a, b)
    if b.ndim == 1:
        return a @ b
    return a @ b.T if b.ndim == 2 else tensordot(a, b, ((a.ndim - 1,), (b.ndim - 1,)))


def outer(a: Array, b: Array, out: Array = None) -> Array:
    """np.outer: every product of two elements."""
    refuse_out(out, "outer")
    a, b = as_array(a, "outer"), as_array(b, "outer")
    return np.multiply(a.reshape(-1, 1), b.reshape(1, -1))


def vdot(a: Array, b: Array) -> Array:
    """np.vdot: the scalar product of all elements, the first conjugated."""
    a, b = as_array(a, "vdot"), as_array(b, "vdot")
    return conjugated(a.reshape(-1)) @ b.reshape(-1)


def conjugated(x: Array) -> Array:
    """The conjugate, at no cost for real numbers."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def tensordot(a: Array, b: Array, axes: int | Sequence[int] | tuple[Sequence[int], Sequence[int]] = 2) -> Array:
    """np.tensordot: one `@` of the operands with the summed axes brought together."""
    a, b = as_array(a, "tensordot"), as_array(b, "tensordot")
    if isinstance(axes, (int, np.integer)):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = [[k] if isinstance(k, (int, np.integer)) else list(k) for k in axes]
    left, right = [k % max(a.ndim, 1) for k in left], [k % max(b.ndim, 1) for k in right]
    if [a.shape[k] for k in left] != [b.shape[k] for k in right]:
        raise ValueError(f"np.tensordot of shapes {a.shape} and {b.shape}: the summed axes {axes} differ in length")
    free_a = [k for k in range(a.ndim) if k not in left]
    free_b = [k for k in range(b.ndim) if k not in right]
    n = int(np.prod([a.shape[k] for k in left], dtype=int))
    flat_a = moved(a, free_a + left).reshape(size_of(a, free_a), n)
    flat_b = moved(b, right + free_b).reshape(n, size_of(b, free_b))
    return (flat_a @ flat_b).reshape(tuple(a.shape[k] for k in free_a) + tuple(b.shape[k] for k in free_b))


def size_of(x: Array, axes: Sequence[int]) -> int:
    """How many elements these axes span."""
    return int(np.prod([x.shape[k] for k in axes], dtype=int))


def moved(x: Array, order: list[int]) -> Array:
    """`x` with its axes in this order, and itself where they are."""
    return x if order == list(range(x.ndim)) else np.transpose(x, order)


def kron(a: Array, b: Array) -> Array:
    """np.kron: every block of the result is `b` times one element of `a`."""
    a, b = as_array(a, "kron"), as_array(b, "kron")
    n = max(a.ndim, b.ndim)
    a_shape, b_shape = (1,) * (n - a.ndim) + a.shape, (1,) * (n - b.ndim) + b.shape
    blocks = np.multiply(
        a.reshape(tuple(m for k in a_shape for m in (k, 1))), b.reshape(tuple(m for k in b_shape for m in (1, k)))
    )
    return blocks.reshape(tuple(p * q for p, q in zip(a_shape, b_shape, strict=True)))


composite(
    np.dot, dot,
    cases=[((2, 3), (3, 2)), ((2, 3), (3,)), ((3,), (3,)), ((), (3,)), ((2,), ()), ((2, 3), (4, 3, 2)),
           ((3,), (2, 3, 2)),
           ((2, 2, 3), (3, 2)), ((), ())],
)  # fmt: skip
composite(
    np.inner, inner,
    cases=[((3,), (3,)), ((2, 3), (4, 3)), ((), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (2, 2, 3)),
           ((3,), (2, 2, 3))],
)  # fmt: skip
composite(np.outer, outer, cases=[((3,), (2,)), ((2, 2), (3,)), ((), (3,))])
composite(np.vdot, vdot, cases=[((3,), (3,)), ((2, 2), (2, 2)), ((), ())])
composite(
    np.tensordot, tensordot,
    cases=[((2, 3, 4), (3, 4, 2)), ((2, 3), (4, 2), dict(axes=([0], [1]))), ((2, 3), (2, 2), dict(axes=0)),
           ((2, 3), (3, 2), dict(axes=1)), ((3, 2, 2), (2, 3), dict(axes=((0, -1), (1, 0)))),
           ((2, 3), (3, 4), dict(axes=(1, 0)))],
)  # fmt: skip
composite(
    np.kron,
    kron,
    cases=[((2, 2), (3, 2)), ((2,), (3,)), ((2,), (2, 3)), ((2, 3), (2,)), ((), (2,)), ((2, 1, 2), (2, 2))],
)


# --- cross ----------------------------------------------------------------------------------------------------------

_cross = multilinear(
    np.cross,
    lambda g, a, b: fitting(unbroadcast(np.cross(b, g), a), a),
    lambda g, a, b: fitting(unbroadcast(np.cross(g, a), b), b),
    cases=[((3,), (3,)), ((2, 3), (2, 3)), ((3,), (2, 3)), ((4, 1, 3), (2, 3)), ((3, 2), (2, 3), dict(axisa=0)),
           ((3, 2), (3, 2), dict(axis=0)), ((2, 3), (2, 3), dict(axisc=0))],
)  # fmt: skip


@answers(np.cross)
def cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    """np.cross of vectors along any axis; a vector of two is one of three that lies in the plane."""
    a, b = as_array(a, "cross"), as_array(b, "cross")
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = (x if k in (-1, x.ndim - 1) else np.moveaxis(x, k, -1) for x, k in ((a, axisa), (b, axisb)))
    flat = a.shape[-1] == 2 == b.shape[-1]
    a, b = in_space(a), in_space(b)
    y = _cross(a, b)
    if flat:
        return y[..., 2]
    return y if axisc in (-1, y.ndim - 1) else np.moveaxis(y, -1, axisc)


def in_space(x: Array) -> Array:
    """Vectors of two as vectors of three."""
    return np.concatenate([x, np.zeros_like(x[..., :1])], axis=-1) if x.shape[-1] == 2 else x


# --- sums over one axis of stacked vectors (NumPy 2.0 and 2.2) ------------------------------------------------------


def vecdot(a: Array, b: Array, axis: int = -1) -> Array:
    """np.vecdot: scalar products along the last axis, the first vectors conjugated."""
    a, b = as_array(a, "vecdot"), as_array(b, "vecdot")
    if axis != -1:
        a, b = np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1)
    return np.sum(conjugated(a) * b, axis=-1)


def matvec(a: Array, x: Array) -> Array:
    """np.matvec: matrices times vectors, both stacked."""
    return (as_array(a, "matvec") @ as_array(x, "matvec")[..., None])[..., 0]


def vecmat(x: Array, a: Array) -> Array:
    """np.vecmat: conjugated vectors times matrices, both stacked."""
    return (conjugated(as_array(x, "vecmat"))[..., None, :] @ as_array(a, "vecmat"))[..., 0, :]


if hasattr(np, "vecdot"):
    composite(np.vecdot, vecdot, cases=[((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3))])
if hasattr(np, "matvec"):
    composite(np.matvec, matvec, cases=[((2, 3), (3,)), ((4, 2, 3), (4, 3)), ((2, 3), (4, 3))])
    composite(np.vecmat, vecmat, cases=[((3,), (3, 2)), ((4, 3), (3, 2)), ((3,), (4, 3, 2))])


# --- np.linalg's own ------------------------------------------------------------------------------------------------


def multi_dot(arrays: Sequence[Array], *, out: Array = None) -> Array:
    """np.linalg.multi_dot: the product of many matrices in the cheapest order."""
    refuse_out(out, "linalg.multi_dot")
    xs = [as_array(x, "multi_dot") for x in arrays]
    if len(xs) < 2:
        raise ValueError("np.linalg.multi_dot expects at least two arrays")
    row, column = xs[0].ndim == 1, xs[-1].ndim == 1
    xs[0] = xs[0][None, :] if row else xs[0]
    xs[-1] = xs[-1][:, None] if column else xs[-1]
    y = chained(xs, cheapest([xs[0].shape[0], *[x.shape[1] for x in xs]]), 0, len(xs) - 1)
    return y.reshape(y.shape[row : 1 if column else 2])


def cheapest(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each run of factors; sizes[i] by sizes[i + 1] is factor i. (Cormen et al., matrix chain order)"""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            costs = [cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)]
            cost[i, j] = min(costs)
            split[i, j] = i + costs.index(cost[i, j])
    return split


def chained(xs: list[Array], split: dict[tuple[int, int], int], i: int, j: int) -> Array:
    """The product of factors i to j."""
    if i == j:
        return xs[i]
    k = split[i, j]
    return chained(xs, split, i, k) @ chained(xs, split, k + 1, j)


def matrix_power(a: Array, n: int) -> Array:
    """np.linalg.matrix_power by squaring."""
    a = as_array(a, "matrix_power")
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape).copy()
    y = None
    while True:
        if n & 1:
            y = a if y is None else y @ a
        n >>= 1
        if not n:
            return y
        a = a @ a


composite(
    np.linalg.multi_dot, multi_dot,
    cases=[([(2, 3), (3, 4), (4, 2)],), ([(3,), (3, 2), (2,)],), ([(3,), (3, 2), (2, 2)],),
           ([(5, 2), (2, 3), (3, 2), (2, 4)],)],
)  # fmt: skip
composite(
    np.linalg.matrix_power, matrix_power,
    cases=[((3, 3), static(1)), ((3, 3), static(2)), ((2, 3, 3), static(5)), ((1, 1), static(3)), ((2, 2), static(0))],
)  # fmt: skip
answers(np.linalg.matmul)(lambda x1, x2: as_array(x1, "matmul") @ as_array(x2, "matmul"))
answers(np.linalg.outer)(lambda x1, x2: np.outer(x1, x2))
answers(np.linalg.tensordot)(lambda x1, x2, axes=2: np.tensordot(x1, x2, axes))
answers(np.linalg.vecdot)(lambda x1, x2, axis=-1: vecdot(x1, x2, axis))
answers(np.linalg.cross)(lambda x1, x2, axis=-1: np.cross(x1, x2, axis=axis))
