"""Taking elements by position, and putting them back.

`getitem` and its transpose `scatter` are the two rules; `take`, `sort`, `unique`, `pad` and the rest find out by plain
NumPy where each element goes, and take it there. Imports core, shapes.
"""

import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.absorbing import Absorbing, dress
from ..core.broadcast import unbroadcast
from ..core.dispatch import ADVICE, RULES, answers, holds_node, raw, spelled
from ..core.domains import static
from ..core.graph import Node, now
from ..core.modes import here, modes
from ..core.record import lane_linear, refuse_tracked
from ..core.variable import Variable
from ..core.words import composite, linear
from ..typing import Array

__all__ = ["getitem", "scatter", "take"]

new = object.__new__
ndarray = np.ndarray
BASIC = frozenset((int, slice, type(None), type(Ellipsis)))

# --- an index, as a rule keeps it -----------------------------------------------------------------------------------


def index(i: Any) -> Any:
    """The index with its lists as arrays of our own, Variables unwrapped, whole numbers as Python's."""
    if type(i) is tuple:
        return tuple([k if type(k) in BASIC else single(k, own=True) for k in i])
    return i if type(i) in BASIC else single(i)


def single(k: Any, own: bool = False) -> Any:
    """One entry of an index; `own` if nobody else will copy the array."""
    if isinstance(k, Variable):
        if modes.on and here.tracing and k.order and not own and k.dtype.kind in "iu":
            return k
        if k.dtype.kind == "b":
            settled(k, "v[mask]")
        if modes.on and here.tracing and k.order:
            raise TypeError(
                f"an index that depends on the data, beside others, while recording for {here.tracing}: write "
                "np.take(v, index, axis) or np.take_along_axis"
            )
        refuse_tracked(k, "an index")
        k = k._data
    if isinstance(k, (list, tuple)):
        refuse_tracked(k, "an index")
        k = np.asarray(raw(k))
        if not k.size:
            k = k.astype(np.intp)
    elif own and isinstance(k, ndarray) and k.ndim:
        k = k.copy()
    elif not isinstance(k, (ndarray, int, slice, np.generic)) and k is not None and k is not Ellipsis:
        k = np.asarray(k)
    if isinstance(k, (bool, np.bool_)):
        return np.asarray(k)
    return int(k) if isinstance(k, (ndarray, np.integer)) and k.ndim == 0 and k.dtype.kind in "iu" else k


def distinct(i: Any) -> bool:
    """Whether no position can come up twice: only whole-number arrays repeat one."""
    if type(i) is tuple:
        return all([distinct(k) for k in i])
    return type(i) is not ndarray or i.dtype.kind == "b"


def settled(x: Any, name: str) -> Any:
    """The plain value of `x`, for results whose shape or type depends on it; refused while recording for others."""
    if modes.on and here.tracing and holds_node(x, tracked=True):
        raise TypeError(
            f"{name} while recording for {here.tracing}: the shape or the type of its result depends on the values, "
            "and those of now would be taken for every later input too; write np.where(condition, a, b), or weights "
            "of 0 and 1, or make its argument complex"
        )
    return raw(x)


# --- the two rules --------------------------------------------------------------------------------------------------


def picked(x: Array, i: Any) -> Array:
    """`x[i]`; `take` is the quicker of two ways for one array of positions."""
    if type(i) is ndarray and type(x) is ndarray and x.ndim and i.dtype.kind == "i":
        return x.take(i, 0)
    return x[i]


def added(g: Array, i: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of `shape` to which `g` is added at the positions `i`, repeated ones as often as they come."""
    z = np.zeros(shape, g.dtype) if isinstance(g, (ndarray, np.generic)) else np.zeros_like(g, shape=shape)
    if distinct(i):
        z[i] = g
    elif not g.size:
        pass
    elif z.dtype.char not in "efdFD" or g.size * 16 < z.size:
        np.add.at(z, i, g)
    elif type(i) is ndarray and g.size <= i.size * i.size:
        n = shape[0]
        flat = i.ravel().astype(np.intp, copy=False)
        if flat.size and flat.min() < 0:
            flat = np.where(flat < 0, flat + n, flat)
        columns, rows = z.reshape(n, -1), g.reshape(flat.size, -1)
        for k in range(columns.shape[1]):
            columns[:, k] = counted(flat, rows[:, k], n)
    else:
        flat = np.arange(z.size).reshape(shape)[i].ravel()
        z = counted(flat, g.ravel(), z.size).astype(z.dtype, copy=False).reshape(shape)
    return z


def counted(positions: Array, weights: Array, n: int) -> Array:
    """The weights added up by position, in double precision."""
    if weights.dtype.kind == "c":
        return counted(positions, weights.real, n) + 1j * counted(positions, weights.imag, n)
    return np.bincount(positions, weights, n)


getitem_ = linear(
    operator.getitem, lambda g, x, i: scatter(g, i, x.shape), register=False, name="getitem", run=picked,
)  # fmt: skip
scatter_ = linear(
    added, lambda g, x, i, shape: getitem_(g, i) if isinstance(i, Node) else getitem(g, i),
    register=False, name="scatter",
)  # fmt: skip
getitem_.without = scatter_.without = frozenset((1,))  # while tracing an index may depend on the data
_getitem = lane_linear(getitem_, picked)
_of_one = getitem_.form((0,), True)


def getitem(x: Array, i: Any) -> Array:
    """`x[i]`, recorded where `x` is a Variable. A whole number, the index of loops, is taken on the spot."""
    kind = type(i)
    if kind is int and type(x) is Variable and x.order and not modes.on:
        v = x._data
        data = v[i]
        if x.rule is not None or type(data) is not ndarray:
            y = new(Variable)
            y._data = data
            y.rule = _of_one
            y.inputs = (x,)
            y.values = (v, i)
            y.order = now()
            return y
    if isinstance(x, Node):
        return _getitem(x, i if kind in BASIC else index(i))
    i = index(i)
    return getitem_(x, i) if isinstance(i, Node) else picked(x, i)


def scatter(g: Array, i: Any, shape: tuple[int, ...]) -> Array:
    """The transpose of `getitem`: zeros of `shape`, with `g` added at `i`."""
    if isinstance(g, Absorbing):
        return dress(scatter(g.inside, i, shape))
    return scatter_(g, i, shape)


_rows = np.array([[0, 2], [-1, 0]])
_mask = np.array([[True, False, True], [False, True, True]])
getitem_.func = getitem
getitem_.cases = [
    ((3,), static(1)), ((3,), static(-1)), ((2, 3), static(1)), ((2, 3), static((0, slice(1, None)))),
    ((4,), static(slice(None, None, -2))),
    ((2, 3), static((Ellipsis, None, 1))), ((), static(())), ((), static(None)), ((3,), static(np.array([0, 0, 2]))),
    ((3,), static([-1, 0, -1])), ((3,), static([])), ((3,), static(_rows)), ((3, 2), static(_rows)),
    ((2, 3), static(_mask)),
    ((3,), static(np.array([True, False, True]))), ((2, 3), static((slice(None), [0, 2, 0]))),
    ((2, 3), static(([0, 1, 1, 0], [2, 0, 0, 2]))),
    ((2, 3, 2), static(([1, 1], slice(None), [0, 0]))), ((2, 3), static((_mask,))), ((2, 3, 2), static((_mask, 1))),
    ((3,), static(True)),
    ((3, 3), static((np.array([True, False, True]), np.array([[0], [0]])))), ((2, 3), static(np.int64(-1))),
    ((0,), static([])),
    ((3,), static(np.array([0, 1, 2, 0], np.uint8))), ((40,), static([3, 3])),
    ((2, 3), static((None, -1, [0, 0], None))),
]  # fmt: skip
scatter_.func = scatter
scatter_.cases = [
    ((2,), static(slice(1, 3)), static((4,))), ((3,), static(np.array([0, 0, 2])), static((4,))),
    ((), static(2), static((4,))),
    ((2, 2), static(_rows), static((3,))), ((2, 2, 2), static(_rows), static((3, 2))),
    ((2,), static((1, np.array([1, 1]))), static((2, 3))),
]  # fmt: skip

# --- where ----------------------------------------------------------------------------------------------------------

where_ = linear(
    np.where, None,
    lambda g, c, a, b: unbroadcast(np.where(c, g, 0), a),
    lambda g, c, a, b: unbroadcast(np.where(c, 0, g), b),
    register=False,
    cases=[(static(np.array([True, False, True])), (3,), (2, 3)), (static(True), (), ()), (static(_mask), (), (2, 3)),
           (static([[1, 0], [0, 1]]), (2,), static(0.0)), (static(False), static(1), (3,))],
)  # fmt: skip


@answers(np.where)
def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """np.where. The branch not taken has derivative zero whatever it holds, and so has the condition."""
    if x is None and y is None:
        return np.nonzero(settled(condition, "np.where(c)"))
    if isinstance(condition, Node) and not (modes.on and here.tracing):
        condition = condition._data
    return where_(condition, x, y)


def _where_not_zero(func: Any) -> Any:
    def enter(a: Any) -> Any:
        return func(settled(a, f"np.{func.__name__}"))

    return enter


RULES.update({f: _where_not_zero(f) for f in (np.nonzero, np.flatnonzero, np.argwhere)})  # plain positions


# --- taking along an axis -------------------------------------------------------------------------------------------


@answers(np.take)
def take(a: Array, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Array:
    """np.take."""
    if out is not None:
        raise TypeError("np.take(out=…) would write into an array: leave `out` out")
    a = a if isinstance(a, Node) else np.asarray(a)
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    i = single(indices)
    if mode != "raise":
        n = a.shape[axis]
        i = np.remainder(i, n) if mode == "wrap" else np.clip(i, 0, n - 1)
    if isinstance(i, Variable) and axis:
        return np.moveaxis(getitem(np.moveaxis(a, axis, 0), i), tuple(range(i.ndim)), tuple(range(axis, axis + i.ndim)))
    return getitem(a, (slice(None),) * axis + (i,) if axis else i)


def along_back(g: Array, arr: Array, indices: Array, axis: int | None = -1) -> Array:
    """Every element added back where it was taken."""
    positions = along_(np.arange(arr.size).reshape(arr.shape), indices, axis)
    return np.reshape(scatter(g, positions, (arr.size,)), arr.shape)


along_ = linear(
    np.take_along_axis, along_back, register=False,
    cases=[((2, 3), static(np.array([[0, 0], [2, -1]])), dict(axis=1)),
           ((2, 3), static(np.array([[1, 0, 1]])), dict(axis=0)),
           ((3,), static(np.array([2, 0, 0])), dict(axis=-1))],
)  # fmt: skip
along_.without = frozenset((1,))


@answers(np.take_along_axis)
def take_along_axis(arr: Array, indices: Any, axis: int | None = -1) -> Array:
    """np.take_along_axis."""
    arr = arr if isinstance(arr, Node) else np.asarray(arr)
    indices = single(indices)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return along_(arr, indices if isinstance(indices, Node) else np.asarray(indices), axis)


def compress(condition: Any, a: Array, axis: int | None = None, out: Any = None) -> Array:
    """np.compress."""
    return take(a, np.nonzero(np.asarray(settled(condition, "np.compress")))[0], axis, out)


def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Array:
    """np.choose: element by element one of the choices."""
    which: Any = a
    if isinstance(a, Node) and modes.on and here.tracing:
        mode = "clip" if mode == "raise" else mode
    else:
        refuse_tracked(a, "the choice")
        which = np.asarray(raw(a))
    choices = list(choices)
    n = len(choices)
    if out is not None or mode not in ("raise", "wrap", "clip"):
        raise TypeError("np.choose(out=…) would write into an array: leave `out` out")
    if mode == "raise" and ((which < 0) | (which >= n)).any():
        raise ValueError(f"np.choose: a choice outside the {n} given")
    which = np.remainder(which, n) if mode == "wrap" else np.clip(which, 0, n - 1)
    y = choices[0] + np.zeros_like(choices[0], shape=which.shape) if n == 1 else choices[0]
    for k, choice in enumerate(choices[1:], 1):
        y = np.where(which == k, choice, y)
    return y


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Array:
    """np.select: the choice of the first condition that holds."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            f"np.select of {len(condlist)} conditions and {len(choicelist)} choices: as many of each, at least one"
        )
    y = default
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist)), strict=True):
        y = np.where(condition, choice, y)
    return y


_which = np.array([[0, 1, 1], [2, 0, 1]])
composite(
    np.compress,
    compress,
    cases=[(static([True, False, True]), (3,)), (static([0, 1]), (2, 3), dict(axis=0)), (static([0, 1]), (2, 3))],
)
composite(
    np.extract, lambda condition, arr: take(arr, np.nonzero(np.ravel(settled(condition, "np.extract")))[0]),
    cases=[(static(_mask), (2, 3)), (static([False, False]), (2,))],
)  # fmt: skip
composite(
    np.choose,
    choose,
    cases=[(static(_which), [(3,), (), (2, 3)]), (static(_which), [(3,), (), (2, 3)], dict(mode="clip"))],
)
composite(
    np.select, select, cases=[(static([_mask, ~_mask]), [(2, 3), (3,)]), (static([_mask]), [(3,)], dict(default=2.0))]
)


# --- in place -------------------------------------------------------------------------------------------------------

for _func, _instead in {
    np.put: "`np.where(mask, v, a)`",
    np.place: "`np.where(mask, v, a)`",
    np.putmask: "`np.where(mask, v, a)`",
    np.copyto: "`np.where(mask, v, a)`; for np.full, np.full_like: `np.broadcast_to(v, shape)` or `v * np.ones(shape)`",
    np.fill_diagonal: "`np.where(np.eye(n, dtype=bool), v, a)`",
    np.put_along_axis: "`np.where(mask, v, a)` with `mask` made by np.put_along_axis on a plain boolean array",
}.items():
    ADVICE[_func] = f"{spelled(_func)} would change in place what operations have recorded: write {_instead}"


# --- where things are -------------------------------------------------------------------------------------------------


def _places(func: Any) -> Any:
    def places(a: Any, *args: Any, **kw: Any) -> Any:
        return func(settled(a, f"np.{func.__name__}"), *args, **kw)

    return places


for _func in (np.nonzero, np.argwhere, np.flatnonzero):
    RULES[_func] = _places(_func)
