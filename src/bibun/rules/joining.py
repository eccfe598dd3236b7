"""Joining arrays and cutting them apart.

`concatenate` and `stack` are rules; the others are written with them. Imports core, creation, indexing.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.dispatch import RULES, answers
from ..core.domains import static
from ..core.graph import Node
from ..core.words import composite, linear
from ..typing import Array
from .creation import arrayed
from .indexing import getitem, take
from .shapes import astype, frozen

__all__ = ["concatenate"]


def concatenate_back(g: Array, axis: int | None, *arrays: Array) -> tuple[Any, ...]:
    """Each array's stretch of the cotangent."""
    lead = (slice(None),) * (0 if axis is None else axis % g.ndim)
    parts, start = [], 0
    for a in arrays:
        n = a.size if axis is None else a.shape[axis]
        part = g[(*lead, slice(start, start + n))]
        parts.append(np.reshape(part, a.shape) if axis is None else part)
        start += n
    return (None, *parts)


def stack_back(g: Array, axis: int, *arrays: Array) -> tuple[Any, ...]:
    """Each array's slice of the cotangent."""
    lead = (slice(None),) * (axis % g.ndim)
    return (None, *[g[(*lead, k)] for k in range(len(arrays))])


concatenate_ = linear(
    np.concatenate, concatenate_back, joint=True, register=False,
    run=lambda axis, *arrays: np.concatenate(arrays, axis),
    cases=[([(2,), (3,)],), ([(2, 3), (2, 1)], dict(axis=-1)), ([(2, 3), (4,)], dict(axis=None)), ([(0,), (2,)],),
           ([(2, 2), static([[1.0, 2.0]]), (1, 2)],)],
)  # fmt: skip
stack_ = linear(
    np.stack, stack_back, joint=True, register=False, run=lambda axis, *arrays: np.stack(arrays, axis),
    cases=[([(), ()],), ([(2, 3), (2, 3)], dict(axis=1)), ([(3,), (3,), (3,)], dict(axis=-1)), ([(), static(1.0)],),
           ([(0,), (0,)],)],
)  # fmt: skip


def pieces(arrays: Any) -> list[Array]:
    """What is to be joined, each an array or a Variable."""
    return [a if isinstance(a, (Node, np.ndarray)) else arrayed(a) for a in arrays]


def _cast(y: Array, out: Any, dtype: Any, casting: str) -> Array:
    if out is not None:
        raise TypeError("joining into `out=` would lose the derivative: leave `out` out")
    return y if dtype is None else astype(y, dtype, casting=casting)


@answers(np.concatenate)
def concatenate(
    arrays: Any, /, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> Array:
    """np.concatenate."""
    return _cast(concatenate_(frozen(axis), *pieces(arrays)), out, dtype, casting)


@answers(np.stack)
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    """np.stack."""
    return _cast(stack_(frozen(axis), *pieces(arrays)), out, dtype, casting)


def hstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    """np.hstack."""
    arrays = [a if a.ndim else np.reshape(a, 1) for a in pieces(tup)]
    return concatenate(arrays, 0 if arrays and arrays[0].ndim == 1 else 1, dtype=dtype, casting=casting)


def vstack(tup: Any, *, dtype: Any = None, casting: str = "same_kind") -> Array:
    """np.vstack."""
    return concatenate([np.atleast_2d(a) for a in pieces(tup)], 0, dtype=dtype, casting=casting)


def column_stack(tup: Any) -> Array:
    """np.column_stack."""
    return concatenate([a if a.ndim > 1 else np.reshape(a, (a.size, 1)) for a in pieces(tup)], 1)


def block(arrays: Any) -> Array:
    """np.block: the innermost lists joined along the last axis, those around them along the one before."""
    depth = _depth(arrays)
    return _block(arrays, depth, max(depth, _ndim(arrays)))


def _depth(a: Any) -> int:
    return 1 + max(map(_depth, a), default=0) if isinstance(a, list) else 0


def _ndim(a: Any) -> int:
    return max(map(_ndim, a)) if isinstance(a, list) else np.ndim(a)


def _block(a: Any, depth: int, ndim: int) -> Array:
    if depth == 0:
        if isinstance(a, (list, tuple)):
            raise ValueError("np.block: lists nested to one depth everywhere, and no tuples")
        a = a if isinstance(a, Node) else np.asarray(a)
        return np.reshape(a, (1,) * (ndim - a.ndim) + a.shape)
    if not isinstance(a, list) or not a:
        raise ValueError("np.block: lists nested to one depth everywhere, none of them empty")
    return concatenate([_block(b, depth - 1, ndim) for b in a], ndim - depth)


def append(arr: Any, values: Any, axis: int | None = None) -> Array:
    """np.append."""
    return concatenate([arr, values], axis)


def insert(arr: Array, obj: Any, values: Any, axis: int | None = None) -> Array:
    """np.insert: where everything goes is found out by inserting positions into positions."""
    arr, values = pieces([arr, values])
    values = values if values.dtype == arr.dtype else astype(values, arr.dtype)
    there = np.arange(arr.size).reshape(arr.shape)
    new = arr.size + np.arange(values.size).reshape(values.shape)
    return take(concatenate([np.ravel(arr), np.ravel(values)]), np.insert(there, frozen_index(obj), new, axis))


def delete(arr: Array, obj: Any, axis: int | None = None) -> Array:
    """np.delete: the positions that remain are taken."""
    arr = arrayed(arr)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, arr.ndim)
    return take(arr, np.delete(np.arange(arr.shape[axis]), frozen_index(obj)), axis)


def frozen_index(obj: Any) -> Any:
    """An index for plain NumPy: a tracked Variable is refused, a constant unwrapped."""
    return (
        obj
        if isinstance(obj, (np.ndarray, slice, int))
        else (np.asarray(frozen(obj)) if isinstance(obj, (list, tuple)) else frozen(obj))
    )


_two = [(2,), (2,)]
composite(np.hstack, hstack, cases=[([(2,), (3,)],), ([(2, 1), (2, 2)],), ([(), ()],)])
composite(np.vstack, vstack, cases=[([(2,), (2,)],), ([(2, 1), (3, 1)],), ([(), ()],)])
composite(
    np.dstack,
    lambda tup: concatenate([np.atleast_3d(a) for a in pieces(tup)], 2),
    cases=[(_two,), ([(2, 1), (2, 1)],), ([(), ()],)],
)
composite(np.column_stack, column_stack, cases=[(_two,), ([(2,), (2, 2)],), ([(), ()],)])
composite(
    np.block,
    block,
    cases=[
        ([[(2, 2), (2, 1)], [(1, 2), (1, 1)]],),
        ([(2,), (1,)],),
        ([[(2,), (1,)], [static(np.ones(3))]],),
        ((2,),),
        ([(), static(1.0)],),
    ],
)
composite(np.append, append, cases=[((2, 3), (2,)), ((2, 3), (1, 3), dict(axis=0)), ((2,), static([[1.0], [2.0]]))])
composite(
    np.insert, insert,
    cases=[((3,), static(1), ()), ((3,), static([0, -1]), (2,)), ((2, 3), static(1), (2,), dict(axis=1)),
           ((2, 3), static([1]), (2, 1), dict(axis=1)),
           ((2, 3), static([0, 0, 2]), ()), ((3,), static(slice(0, 2)), static(5.0))],
)  # fmt: skip
composite(
    np.delete, delete,
    cases=[((4,), static(1)), ((2, 3), static([0, -1]), dict(axis=1)), ((2, 3), static(slice(None, None, 2))),
           ((3,), static([True, False, False]))],
)  # fmt: skip

# --- apart ----------------------------------------------------------------------------------------------------------


def cut(ary: Array, where: Any, axis: int, how: Any) -> list[Array]:
    """The stretches that `how`, np.split or np.array_split, makes of the positions along the axis."""
    axis = normalize_axis_index(axis, ary.ndim)
    lead = (slice(None),) * axis
    parts = [np.asarray(p) for p in how(np.arange(ary.shape[axis]), frozen(where))]
    return [getitem(ary, (*lead, slice(int(p[0]), int(p[-1]) + 1) if p.size else slice(0, 0))) for p in parts]


def split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """np.split."""
    return cut(ary, indices_or_sections, axis, np.split)


def array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> list[Array]:
    """np.array_split."""
    return cut(ary, indices_or_sections, axis, np.array_split)


def _splits(axis: int, least: int, name: str) -> Any:
    def along(ary: Array, indices_or_sections: Any) -> list[Array]:
        if ary.ndim < least:
            raise ValueError(f"np.{name} of {ary.ndim} axes: it needs at least {least}")
        return cut(ary, indices_or_sections, axis if ary.ndim > axis else 0, np.split)

    return along


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """np.unstack."""
    axis = normalize_axis_index(axis, x.ndim)
    return tuple([getitem(x, (slice(None),) * axis + (k,)) for k in range(x.shape[axis])])


composite(np.split, split, cases=[((4,), static(2)), ((2, 3), static([1]), dict(axis=-1)), ((5,), static((1, 3, 7)))])
composite(np.array_split, array_split, cases=[((5,), static(2)), ((2, 5), static(3), dict(axis=1)), ((2,), static(3))])
composite(np.hsplit, _splits(1, 1, "hsplit"), cases=[((2, 4), static(2)), ((4,), static([1]))])
composite(np.vsplit, _splits(0, 2, "vsplit"), cases=[((4, 2), static(2))])
composite(np.dsplit, _splits(2, 3, "dsplit"), cases=[((1, 2, 4), static(2))])
if hasattr(np, "unstack"):
    composite(np.unstack, unstack, cases=[((2, 3),), ((2, 3), dict(axis=-1))])


def meshgrid(*xi: Array, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Array, ...]:
    """np.meshgrid."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid: indexing is 'xy' or 'ij', not {indexing!r}")
    ndim = len(xi)
    place = [1, 0, *range(2, ndim)] if indexing == "xy" and ndim > 1 else list(range(ndim))
    out = []
    for x, k in zip(pieces(xi), place, strict=True):
        out.append(np.reshape(x, tuple([x.size if j == k else 1 for j in range(ndim)])))
    return tuple(out) if sparse else RULES[np.broadcast_arrays](*out) if out else ()


composite(
    np.meshgrid,
    meshgrid,
    cases=[((2,), (3,)), ((2,), (3,), (2,), dict(indexing="ij")), ((2,), (), dict(sparse=True)), ((3,),)],
)
