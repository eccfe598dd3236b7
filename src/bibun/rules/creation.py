"""Making arrays: of another's shape, of Variables, in steps.

What only copies a shape gives a plain array. Imports core, shapes. A function that joins arrays is in joining.py.
"""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.broadcast import unbroadcast
from ..core.dispatch import RULES, answers, holds_node, raw
from ..core.domains import positive, static
from ..core.graph import Node
from ..core.modes import here, modes
from ..core.record import refuse_tracked
from ..core.words import composite, constant, linear
from ..typing import Array
from .shapes import astype, frozen

__all__ = ["arrayed"]

# --- arrays of Variables --------------------------------------------------------------------------------------------


def arrayed(x: Any) -> Array:
    """Nested lists of Variables, arrays and numbers as one value; anything else as np.asarray has it."""
    if isinstance(x, Node):
        return x
    if not holds_node(x):
        return x if hasattr(x, "__array_function__") else np.asarray(x)
    return np.stack([arrayed(v) for v in x])


@answers(np.array)
def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: Any = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: int = 0,
    ndmax: int = 0,
) -> Array:
    """np.array(…, like=v): nested lists of Variables and numbers, recorded."""
    y = arrayed(object)
    if dtype is not None and y.dtype != dtype:
        y = astype(y, dtype)
    if ndmin > y.ndim:
        y = np.reshape(y, (1,) * (ndmin - y.ndim) + y.shape)
    return np.copy(y) if y is object and copy else y


@answers(np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.require)
def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None, requirements: Any = None
) -> Array:
    """np.asarray(…, like=v): a Variable as it is, lists of them joined."""
    return array(a, dtype, copy=bool(copy))


# --- of another's shape ---------------------------------------------------------------------------------------------

constant(np.zeros_like, np.ones_like, np.empty_like, np.full_like, of_values=False)
_full_like = RULES[np.full_like]


@answers(np.full_like)
def full_like(
    a: Array,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Array:
    """np.full_like. A tracked value is broadcast."""
    if not holds_node(fill_value, tracked=True):
        return _full_like(a, raw(fill_value), dtype, order, shape=shape)
    dtype = np.dtype(a.dtype if dtype is None else dtype)
    if dtype.kind not in "fc":
        raise TypeError(f"np.full_like with {dtype} would round a tracked Variable: pass dtype=float")
    return np.broadcast_to(astype(arrayed(fill_value), dtype), np.shape(a) if shape is None else frozen(shape))


@answers(np.full)
def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None) -> Array:
    """np.full(…, like=v). A tracked value is broadcast."""
    value = arrayed(fill_value)
    if dtype is not None and value.dtype != dtype:
        value = astype(value, dtype)
    return np.broadcast_to(value, frozen(shape))


def _plain(func: Any) -> Any:
    """The function itself: `like=v` only said whose it is."""

    def enter(*args: Any, **kw: Any) -> Any:
        refuse_tracked(args, f"np.{func.__name__}")
        return func(*raw(args), **{k: raw(v) for k, v in kw.items()})

    return enter


for _f in (np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.arange, np.fromfunction):
    RULES[_f] = _plain(_f)

# --- in steps -------------------------------------------------------------------------------------------------------


def _weights(g: Array, num: int, endpoint: bool, axis: int) -> Array:
    """How much of `stop` is in each of the steps, along the axis of `g`."""
    w = np.arange(num, dtype=g.real.dtype) / max(num - 1 if endpoint else num, 1)
    return w.reshape((num,) + (1,) * (g.ndim - 1 - axis % g.ndim))


def linspace_start(g: Array, start: Array, stop: Array, num: int = 50, endpoint: bool = True, axis: int = 0) -> Array:
    """The steps weighed by their nearness to `start`."""
    return unbroadcast(np.sum(g * (1 - _weights(g, num, endpoint, axis)), axis=axis), start)


def linspace_stop(g: Array, start: Array, stop: Array, num: int = 50, endpoint: bool = True, axis: int = 0) -> Array:
    """The steps weighed by their nearness to `stop`."""
    return unbroadcast(np.sum(g * _weights(g, num, endpoint, axis), axis=axis), stop)


linspace_ = linear(
    np.linspace, linspace_start, linspace_stop, register=False,
    run=lambda start, stop, num=50, endpoint=True, axis=0: np.linspace(start, stop, num, endpoint, axis=axis),
    cases=[((), (), static(4)), ((2,), (), static(3), dict(axis=-1)), ((3,),
           (2, 1), static(4), dict(endpoint=False)), ((), static(2.0), dict(num=1)),
           ((), (), dict(num=3, retstep=True)), ((), (), static(0))],
)  # fmt: skip


@answers(np.linspace)
def linspace(
    start: Array,
    stop: Array,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """np.linspace."""
    num = frozen(num).__index__()
    y = linspace_(start, stop, num, bool(endpoint), axis)
    y = y if dtype is None else astype(y, dtype)
    pieces = num - 1 if endpoint else num
    return (y, (stop - start) / pieces if pieces > 0 else np.nan) if retstep else y


def logspace(
    start: Array,
    stop: Array,
    num: int = 50,
    endpoint: bool = True,
    base: Array = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    """np.logspace: the base to the power of even steps."""
    if np.ndim(base):
        start, stop, base = (arrayed(a) for a in (start, stop, base))
        ndim = max(start.ndim, stop.ndim, base.ndim)
        start, stop, base = (np.reshape(a, (1,) * (ndim - a.ndim) + a.shape) for a in (start, stop, base))
        base = np.expand_dims(base, axis)
    y = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else astype(y, dtype)


def geomspace(
    start: Array, stop: Array, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Array:
    """np.geomspace: steps of equal ratio."""
    start, stop = arrayed(start), arrayed(stop)
    kind = np.result_type(start.dtype, stop.dtype, np.float64)
    start, stop = astype(start, kind), astype(stop, kind)
    if not (modes.on and here.tracing) and not (np.all(raw(start)) and np.all(raw(stop))):
        raise ValueError("np.geomspace: neither end may be zero")
    ndim = max(start.ndim, stop.ndim)
    axis = normalize_axis_index(axis, ndim + 1)
    num = frozen(num).__index__()
    w = (np.arange(num) / max(num - 1 if endpoint else num, 1)).reshape((num,) + (1,) * (ndim - axis))
    begin = np.expand_dims(np.reshape(start, (1,) * (ndim - start.ndim) + start.shape), axis)
    ratio = np.expand_dims(np.divide(stop, start), axis)
    y = begin * np.power(ratio, w)
    return y if dtype is None else astype(y, dtype)


def vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """np.vander: the columns are powers."""
    n = x.shape[0] if N is None else frozen(N)
    powers = np.arange(n) if increasing else np.arange(n - 1, -1, -1)
    kind = np.promote_types(x.dtype, int)
    return np.power(np.expand_dims(x if x.dtype == kind else astype(x, kind), 1), powers)


composite(
    np.logspace,
    logspace,
    domain=positive,
    cases=[((), (), dict(num=4)), ((2,), (), dict(num=3, base=2.0, axis=-1)), ((), (), static(3), static(False), (2,))],
)
composite(
    np.geomspace,
    geomspace,
    domain=positive,
    cases=[((), (), dict(num=4)), ((2,), (), dict(num=3, axis=-1, endpoint=False))],
)
composite(np.vander, vander, cases=[((3,),), ((3,), dict(N=2)), ((2,), dict(N=4, increasing=True))])
