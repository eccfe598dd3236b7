"""Functions that change the shape of an array or the order of its axes, and move whole axes.

Each is linear, and its transpose is as cheap as itself: a view where NumPy gives a view. Imports core only. What picks
single elements is in indexing.py; what joins arrays is in joining.py.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.broadcast import spread, unbroadcast
from ..core.dispatch import RULES, answers, function, holds_node, raw
from ..core.domains import static
from ..core.graph import Node
from ..core.record import lane_linear, refuse_tracked
from ..core.variable import Variable
from ..core.words import composite, constant, linear
from ..typing import Array

__all__ = ["astype", "frozen", "immutable"]


def frozen(a: Any) -> Any:
    """A static nobody can change any more: a tuple for a list or an array; a tracked Variable is refused."""
    if holds_node(a):
        refuse_tracked(a, "an axis, a shape or a count")
        a = raw(a)
    if isinstance(a, np.ndarray):
        a = a.tolist()
    return tuple([frozen(k) for k in a]) if isinstance(a, (list, tuple, range)) else a


def immutable(*funcs: Any) -> None:
    """Wrap the entries of these functions of one operand so that their statics are frozen."""

    def wrapped(entry: Any) -> Any:
        def enter(x: Array, *args: Any, **kw: Any) -> Any:
            return entry(x, *[frozen(a) for a in args], **{k: frozen(v) for k, v in kw.items()})

        return enter

    for func in funcs:
        RULES[func] = wrapped(RULES[func])


# --- the memory of an array -----------------------------------------------------------------------------------------


@function
def strides_of(a: Array) -> tuple[int, ...]:
    """The steps in memory along each axis."""
    return a.strides  # type: ignore[no-any-return]


@function
def is_fortran(a: Array) -> bool:
    """Whether the memory has the first axis innermost."""
    return bool(a.flags.f_contiguous and not a.flags.c_contiguous)


constant(strides_of, is_fortran, of_values=False)

# --- one shape for another ------------------------------------------------------------------------------------------

reshape_ = linear(
    np.reshape, lambda g, x, shape: np.reshape(g, x.shape), register=False, run=lambda x, shape: x.reshape(shape),
    cases=[((2, 3), static((3, 2))), ((4,), static(-1)), ((2, 3), static((3, -1)), dict(order="F")),
           ((), static((1, 1))),
           ((0, 2), static((2, 0)))],
)  # fmt: skip
_reshape = lane_linear(reshape_, reshape_.run)


@answers(np.reshape)
def reshape(a: Array, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Array:
    """np.reshape. Order "F" is "C" with the axes reversed before and after; "A" is whichever of them the memory has."""
    shape = shape if type(shape) is int else frozen(shape)
    if order == "C" or a.ndim == 0:
        return _reshape(a, shape)
    if order == "A":
        order = "F" if is_fortran(a) else "C"
    if order not in ("C", "F"):
        raise ValueError(f"np.reshape: order is 'C', 'F' or 'A', not {order!r}")
    if order == "C":
        return _reshape(a, shape)
    return np.transpose(_reshape(np.transpose(a), shape[::-1] if isinstance(shape, tuple) else shape))


def ravel(a: Array, order: str = "C") -> Array:
    """np.ravel; `order="K"` follows the memory of `a`."""
    if order == "K":
        strides = np.abs(strides_of(a))
        a, order = np.transpose(a, tuple(np.argsort(-strides, kind="stable").tolist())), "C"
    return reshape(a, -1, order)


composite(np.ravel, ravel, cases=[((2, 3),), ((2, 3), dict(order="F")), ((),), ((0, 2),)])
linear(
    np.expand_dims, lambda g, x, axis: np.reshape(g, x.shape),
    cases=[((2, 3), dict(axis=1)), ((3,), dict(axis=(0, -1))), ((), dict(axis=0))],
)  # fmt: skip
linear(
    np.squeeze, lambda g, x, axis=None: np.reshape(g, x.shape),
    cases=[((1, 3, 1),), ((1, 3, 1), dict(axis=-1)), ((1, 3, 1), dict(axis=(0, 2))), ((1,),), ((2, 3),)],
)  # fmt: skip
broadcast_to_ = linear(
    np.broadcast_to, lambda g, x, shape: unbroadcast(g, x), register=False, run=lambda x, shape: spread(x, shape),
    cases=[((3,), static((2, 3))), ((), static((2, 2))), ((2, 1), static((4, 2, 3))), ((1,), static((0,))),
           ((3,), static(3))],
)  # fmt: skip
_broadcast_to = lane_linear(broadcast_to_, broadcast_to_.run)


@answers(np.broadcast_to)
def broadcast_to(array: Array, shape: Any, subok: bool = False) -> Array:
    """np.broadcast_to."""
    shape = frozen(shape)
    return _broadcast_to(array, shape if isinstance(shape, tuple) else (shape,))


def broadcast_arrays(*args: Array, subok: bool = False) -> tuple[Array, ...]:
    """np.broadcast_arrays."""
    shape = np.broadcast_shapes(*[np.shape(a) for a in args])
    return tuple([np.broadcast_to(a, shape) for a in args])


composite(np.broadcast_arrays, broadcast_arrays, cases=[((3,), (2, 1)), ((), (2,), (1, 1)), ((2, 3),)])


def _each(reshaped: Any) -> Any:
    def atleast(*arys: Array) -> Any:
        out = [reshaped(a if isinstance(a, Node) else np.asarray(a)) for a in arys]
        return out[0] if len(out) == 1 else tuple(out)

    return atleast


def _two(a: Array) -> Array:
    return a if a.ndim > 1 else np.reshape(a, (1, a.size))


def _three(a: Array) -> Array:
    if a.ndim > 2:
        return a
    return np.expand_dims(a, 2) if a.ndim == 2 else np.reshape(a, (1, a.size, 1))


composite(np.atleast_1d, _each(lambda a: a if a.ndim else np.reshape(a, 1)), cases=[((),), ((2, 3),), ((), (2,))])
composite(np.atleast_2d, _each(_two), cases=[((),), ((3,),), ((2, 3),), ((), (2,))])
composite(np.atleast_3d, _each(_three), cases=[((),), ((3,),), ((2, 3),), ((1, 2, 3),), ((), (2,))])

# --- axes in another order ------------------------------------------------------------------------------------------


def transpose_back(g: Array, x: Array, axes: Any = None) -> Array:
    """The permutation undone."""
    if axes is None:
        return np.transpose(g)
    return np.transpose(g, tuple(sorted(range(x.ndim), key=lambda k: axes[k] % x.ndim)))


linear(
    np.transpose, transpose_back,
    cases=[((2, 3),), ((3,),), ((2, 3, 4), dict(axes=(1, 2, 0))), ((2, 3, 4), dict(axes=(-1, 0, 1))), ((),)],
)  # fmt: skip
linear(
    np.swapaxes, lambda g, x, axis1, axis2: np.swapaxes(g, axis1, axis2), run=lambda x, i, j: x.swapaxes(i, j),
    cases=[((2, 3), static(0), static(-1)), ((2, 3, 4), static(1), static(2))],
)  # fmt: skip
linear(
    np.moveaxis, lambda g, x, source, destination: np.moveaxis(g, destination, source),
    cases=[((2, 3, 4), static(0), static(-1)), ((2, 3, 4), static((0, 1)), static((-1, -2)))],
)  # fmt: skip


def rollaxis(a: Array, axis: int, start: int = 0) -> Array:
    """np.rollaxis."""
    axis, start = normalize_axis_index(axis, a.ndim), normalize_axis_index(start, a.ndim + 1)
    order = [k for k in range(a.ndim) if k != axis]
    order.insert(start - (start > axis), axis)
    return np.transpose(a, tuple(order))


def rot90(m: Array, k: int = 1, axes: Any = (0, 1)) -> Array:
    """np.rot90."""
    one, two = axes
    turns = k % 4
    if turns in (0, 2):
        return np.flip(m, (one, two)) if turns else m[:]
    if turns == 1:
        return np.swapaxes(np.flip(m, two), one, two)
    return np.flip(np.swapaxes(m, one, two), two)


composite(
    np.rollaxis,
    rollaxis,
    cases=[((2, 3, 4), static(2)), ((2, 3, 4), static(0), static(3)), ((2, 3, 4), static(-2), static(1))],
)
composite(np.rot90, rot90, cases=[((2, 3),), *[((2, 3, 4), dict(k=k, axes=(2, 0))) for k in (0, 1, 2, -1)]])
if hasattr(np, "matrix_transpose"):
    composite(np.matrix_transpose, lambda x, /: np.swapaxes(x, -1, -2), cases=[((2, 3),), ((2, 3, 4),)])
    RULES[np.linalg.matrix_transpose] = RULES[np.matrix_transpose]

# --- along an axis --------------------------------------------------------------------------------------------------

linear(
    np.flip, lambda g, x, axis=None: np.flip(g, axis),
    cases=[((3,),), ((2, 3),), ((2, 3), dict(axis=-1)), ((2, 3, 2), dict(axis=(0, 2))), ((),), ((0,),)],
)  # fmt: skip
composite(np.flipud, lambda m: np.flip(m, 0), cases=[((3,),), ((2, 3),)])
composite(np.fliplr, lambda m: np.flip(m, 1), cases=[((2, 3),)])


def roll_back(g: Array, x: Array, shift: Any, axis: Any = None) -> Array:
    """Rolled the other way."""
    return np.roll(g, tuple([-s for s in shift]) if isinstance(shift, tuple) else -shift, axis)


linear(
    np.roll, roll_back,
    cases=[((4,), static(1)), ((2, 3), static(-4)), ((2, 3), static(2), dict(axis=-1)),
           ((2, 3), static((1, 2)), dict(axis=(0, 1))),
           ((0,), static(1))],
)  # fmt: skip


def tile_back(g: Array, x: Array, reps: Any) -> Array:
    """The copies added up."""
    reps = reps if isinstance(reps, tuple) else (reps,)
    ndim = max(len(reps), x.ndim)
    reps, shape = (1,) * (ndim - len(reps)) + reps, (1,) * (ndim - x.ndim) + x.shape
    apart = tuple([n for pair in zip(reps, shape, strict=True) for n in pair])
    return np.reshape(np.sum(np.reshape(g, apart), axis=tuple(range(0, 2 * ndim, 2))), x.shape)


linear(
    np.tile, tile_back,
    cases=[((3,), static(2)), ((2, 3), static((2, 1, 3))), ((2, 3), static(2)), ((), static((2,))),
           ((3,), static(0)), ((0,), static(2))],
)  # fmt: skip


def repeat(a: Array, repeats: Any, axis: Any = None) -> Array:
    """np.repeat: one count for all by broadcasting, a count for each by taking."""
    repeats = np.asarray(frozen(repeats))
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    n = a.shape[axis]
    if repeats.size > 1:
        return np.take(a, np.repeat(np.arange(n), repeats), axis)
    k = int(repeats.reshape(()))
    before, after = a.shape[:axis], a.shape[axis + 1 :]
    apart = np.broadcast_to(np.expand_dims(a, axis + 1), (*before, n, k, *after))
    return np.reshape(apart, (*before, n * k, *after))


composite(
    np.repeat, repeat,
    cases=[((3,), static(2)), ((2, 3), static(2), dict(axis=-1)), ((2, 3), static([1, 2]), dict(axis=0)),
           ((), static(3)), ((3,), static([0, 2, 1])),
           ((2, 3), static(2)), ((0,), static(2)), ((3,), static(0))],
)  # fmt: skip


def resize(a: Array, new_shape: Any) -> Array:
    """np.resize: the elements over and over until the new shape is full."""
    shape = frozen(new_shape)
    n = int(np.prod(shape))
    if a.size == 0 or n == 0:
        return np.zeros_like(a, shape=shape)
    return np.reshape(np.take(np.ravel(a), np.arange(n) % a.size), shape)


composite(
    np.resize, resize, cases=[((2, 3), static((4, 2))), ((2, 3), static(4)), ((), static((2,))), ((3,), static((0,)))]
)

# --- copies, types, and what is only asked --------------------------------------------------------------------------

copy_ = linear(np.copy, lambda g, x: g, register=False, run=np.array, cases=[((2, 3),), ((),)])
_copy = lane_linear(copy_, np.array)
RULES[np.copy] = lambda a, order="K", subok=False: _copy(a)


def truncated(x: Array, dtype: Any) -> Array:
    """`x` as whole numbers or truth values, which do not change with it."""
    return x.astype(dtype)


constant(truncated)


def astype_back(g: Array, x: Array, dtype: Any) -> Array:
    """The cotangent in the type of `x`, real where that is real."""
    if x.dtype.kind != "c" and g.dtype.kind == "c":
        g = np.real(g)
    return g if x.dtype.kind not in "fc" or g.dtype == x.dtype else astype(g, x.dtype)


astype_ = linear(
    np.positive, astype_back, register=False, name="astype", run=lambda x, dtype: x.astype(dtype),
)  # fmt: skip


def astype(
    x: Array,
    dtype: Any,
    order: str = "K",
    casting: Any = "unsafe",
    subok: bool = True,
    copy: bool = True,
    *,
    device: Any = None,
) -> Array:
    """`x` in another type. To whole numbers or truth values the derivative is zero, so the result is a plain array."""
    dtype = np.dtype(dtype)
    if not isinstance(x, Variable):
        return x.astype(dtype)
    if not np.can_cast(x.dtype, dtype, casting):
        raise TypeError(f"cannot cast from {x.dtype} to {dtype} by the rule {casting!r}")
    if dtype.kind not in "fc":
        return RULES[truncated](x, dtype)
    return astype_(x, dtype)


astype_.func = astype
astype_.cases = [((2, 3), static("f8")), ((3,), static(complex)), ((), static(float))]
if hasattr(np, "astype"):
    RULES[np.astype] = astype

immutable(np.expand_dims, np.squeeze, np.transpose, np.moveaxis, np.flip, np.roll, np.tile)
