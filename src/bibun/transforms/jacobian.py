"""All partial derivatives of an array function: `jacobian`. Imports gradient, directional."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.absorbing import has_nan
from ..core.backward import cotangents, depends, within
from ..core.graph import Node, Parts
from ..core.modes import here, modes
from ..core.tree import flatten
from ..core.variable import Variable, close, inner
from .batch import over_all
from .directional import push_tangents
from .gradient import entered, shaped

__all__ = ["jacobian"]


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, mode: str | None = None) -> Callable[..., Any]:
    """The Jacobian of `f`: a function of the same arguments.

    Parameters
    ----------
    f : callable
        Returns an array, or nested dicts, lists and tuples of them.
    argnums : int or sequence of int
    mode : {"forward", "reverse"}, optional
        By default forward where the argument has no more elements than the value.

    Returns
    -------
    callable
        Gives an array of shape `y.shape + x.shape`; for nested values and arguments, the structure of the argument
        inside that of the value.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> bb.jacobian(lambda x: x**2)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f"mode={mode!r}: it is 'forward', 'reverse' or None")
    several = not isinstance(argnums, int)
    nums = tuple(argnums) if not isinstance(argnums, int) else (argnums,)

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__"), updated=())
    def differentiated(*args: Any, **kw: Any) -> Any:
        parts, call = entered(f, nums, args, kw)
        ys, rebuild = flatten(call())
        xs = [x for part in parts for x in part.leaves]
        n_in = sum(x.size for x in xs)
        n_out = sum(np.size(getattr(y, "_data", y)) for y in ys)
        forward = mode == "forward" or (mode is None and n_in <= n_out)
        blocks = _columns(ys, xs) if forward else _rows(ys, xs)
        out = []
        for row in blocks:
            trees, k = [], 0
            for part in parts:
                n = len(part.leaves)
                trees.append(part.rebuild(row[k : k + n]))
                k += n
            out.append(tuple(trees) if several else trees[0])
        return rebuild(out)

    return differentiated


def _basis(x: Node) -> np.ndarray:
    dtype = x._data.dtype
    return np.eye(x._data.size, dtype=dtype).reshape(x._data.size, *x._data.shape)


ENOUGH = 8  # columns from which on they are pushed together
ROOM = (
    30_000  # numbers that an operation may hold for the columns pushed together: more leaves the cache, and is slower
)


def _modes() -> bool:
    """Whether a mode is on in which columns go one by one: all but recording for another machine."""
    return bool(modes.on) and (here.tracing is None or here.checking or here.paused or here.absorbing)


def _together(ys: Sequence[Any], xs: Sequence[Node]) -> list[list[Any]] | None:
    """Forward: the columns pushed together, or None where that is not possible or not worth its own cost.

    One walk is recorded, on tangents that are Variables; what depends on them then runs once for many columns, and a
    matrix times a vector becomes a matrix times a matrix.
    """
    few = 2 if modes.on else ENOUGH  # what is recorded for a machine costs nothing but once
    if sum(x._data.size for x in xs) < few or _modes() or any(not isinstance(x._data, np.ndarray) for x in xs):
        return None
    tracked = [y for y in ys if isinstance(y, Node) and y.order]
    if not tracked:
        return None
    nodes, _, recorded = within(tracked, xs)
    if (recorded and not modes.on) or any(v.rule.rule.kind == "function" or isinstance(v._data, Parts) for v in nodes):
        return None
    moving = depends(nodes, set(xs))
    if ROOM // max([1, *[int(np.size(v._data)) for v in nodes if v in moving]]) < ENOUGH // 2:
        return None
    ts = [close(inner(np.zeros_like(x._data))) for x in xs]
    tangents, _ = push_tangents(ys, xs, ts)
    ends = [t for t in tangents if isinstance(t, Node) and t.order]
    found = within(ends, ts)[0]
    moving = depends(found, set(ts))
    found = [v for v in reversed(found) if v in moving]
    if any(isinstance(v._data, Parts) for v in found):
        return None
    still = {x: (x if recorded else x._data, False) for v in found for x in v.inputs if x not in moving}
    chunk = ROOM // max([1, *[int(np.size(v._data)) for v in found]])
    blocks: list[list[Any]] = [[] for _ in ys]
    with np.errstate(all="ignore"):
        for k, x in enumerate(xs):
            columns: list[list[Any]] = [[] for _ in ys]
            basis = _basis(x)
            for i in range(0, len(basis), chunk):
                some = basis[i : i + chunk]
                values = {**still, **{t: (np.zeros_like(z._data), False) for t, z in zip(ts, xs, strict=True)}}
                values[ts[k]] = (some, True)
                for v in found:
                    values[v] = over_all(v, values, len(some))
                for column, t in zip(columns, tangents, strict=True):
                    value, spread = values.get(t, (t, False)) if isinstance(t, Node) else (t, False)
                    value = value._data if isinstance(value, Node) and not recorded else value
                    column.append(value if spread else np.broadcast_to(value, (len(some), *np.shape(value))))
            for block, column, y in zip(blocks, columns, ys, strict=True):
                shape = np.shape(getattr(y, "_data", y))
                whole = np.concatenate(column) if column else np.zeros((0, *shape))
                if not recorded and has_nan(whole):
                    return None  # the walks of single columns absorb
                block.append(np.moveaxis(whole, 0, -1).reshape((*shape, *x._data.shape)))
    return blocks


def _columns(ys: Sequence[Any], xs: Sequence[Node]) -> list[list[Any]]:
    """Forward: one walk an element of the argument, or one for many."""
    together = _together(ys, xs)
    if together is not None:
        return together
    blocks: list[list[Any]] = [[] for _ in ys]
    for k, x in enumerate(xs):
        columns: list[list[Any]] = [[] for _ in ys]
        for e in _basis(x):
            ts = [e if j == k else np.zeros(z._data.shape, z._data.dtype) for j, z in enumerate(xs)]
            for column, t in zip(columns, push_tangents(ys, xs, ts)[0], strict=True):
                column.append(t)
        for block, column, y in zip(blocks, columns, ys, strict=True):
            shape = np.shape(getattr(y, "_data", y))
            stacked = np.stack(column, axis=-1) if column else np.zeros((*shape, 0))
            block.append(stacked.reshape((*shape, *x._data.shape)))
    return blocks


def _rows(ys: Sequence[Any], xs: Sequence[Node]) -> list[list[Any]]:
    """Reverse: one walk an element of the value."""
    blocks = []
    for y in ys:
        shape = np.shape(getattr(y, "_data", y))
        n = int(np.prod(shape))
        dtype = y.dtype if isinstance(y, Variable) and y.dtype.kind in "fc" else np.float64
        rows = [cotangents([y], xs, [e])[0] for e in np.eye(n, dtype=dtype).reshape(n, *shape)]
        block = []
        for k, x in enumerate(xs):
            stacked = np.stack([shaped(row[k], x) for row in rows]) if rows else np.zeros((0, *x._data.shape))
            block.append(stacked.reshape((*shape, *x._data.shape)))
        blocks.append(block)
    return blocks
