"""Reverse mode for functions: `grad`, `value_and_grad`, `vjp`.

A function is called on fresh Variables equal to its arguments; the walk back from its result is the derivative. Nesting
needs no levels: the walk keeps to what is younger than those Variables, and records itself when something else tracked
reaches the result. Imports core. A new transform is a new file here.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.backward import cotangents, within
from ..core.graph import Node
from ..core.modes import here, modes
from ..core.tree import flatten, map_leaves
from ..core.variable import Variable, close, fitted, inner
from ..typing import Array

__all__ = ["grad", "stop_gradient", "value_and_grad", "vjp"]


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """The function that gives the value of `f` and its gradient.

    Parameters
    ----------
    f : callable
        Returns a real value of one element; with `has_aux`, a pair of that and anything else.
    argnums : int or sequence of int
        The positional arguments to differentiate with respect to; each an array or nested dicts, lists, tuples and
        dataclasses of arrays. Integers count as float64.
    has_aux : bool

    Returns
    -------
    callable
        `(*args, **kw) -> (value, gradient)`, or `((value, aux), gradient)`. The gradient has the structure and the
        shapes of the argument; a tuple of them where `argnums` is a sequence.

    Raises
    ------
    TypeError
        If the value is boolean or complex, or no number.
    ValueError
        If the value has more than one element.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> value, g = bb.value_and_grad(lambda p: np.sum(p["a"] ** 2) * p["b"])({"a": np.array([1.0, 2.0]), "b": 3.0})
    >>> float(value), g["a"].tolist(), float(g["b"])
    (15.0, [6.0, 12.0], 5.0)
    """
    several = not isinstance(argnums, int)
    nums = tuple(argnums) if not isinstance(argnums, int) else (argnums,)

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__"), updated=())
    def differentiated(*args: Any, **kw: Any) -> Any:
        xs, call = entered(f, nums, args, kw)
        out = call()
        y, aux = _with_aux(out, f) if has_aux else (out, None)
        check_scalar(y, f)
        gs, recorded = cotangents(
            [y], [x for part in xs for x in part.leaves], [np.ones_like(getattr(y, "_data", y), dtype=_float(y))]
        )
        y = left(y, recorded)
        trees = []
        for part in xs:
            trees.append(part.rebuild([shaped(g, x) for g, x in zip(gs[: len(part.leaves)], part.leaves, strict=True)]))
            gs = gs[len(part.leaves) :]
        g = tuple(trees) if several else trees[0]
        return ((y, map_leaves(lambda v: left(v, recorded), aux)) if has_aux else y), g

    return differentiated


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of `f`: a function of the same arguments.

    Parameters, errors as for `value_and_grad`; with `has_aux` it returns `(gradient, aux)`.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> print("{:.3f}".format(bb.grad(lambda x: np.exp(-x**2))(1.0)))
    -0.736
    >>> print(bb.grad(bb.grad(lambda x: x**3))(2.0))
    12.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f, assigned=("__module__", "__name__", "__qualname__"), updated=())
    def gradient(*args: Any, **kw: Any) -> Any:
        y, g = both(*args, **kw)
        return (g, y[1]) if has_aux else g

    return gradient


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of `f`, and the function that carries cotangents back to its arguments.

    Parameters
    ----------
    f : callable
        Returns an array, or nested dicts, lists and tuples of them.
    *primals : array_like or nested
        Where.

    Returns
    -------
    y : array or nested
    pullback : callable
        Takes a cotangent with the structure and shapes of `y`; returns a tuple with a cotangent for each of `primals`.
        May be called any number of times.

    Notes
    -----
    Complex numbers are transposed and not conjugated, as in JAX and autograd: the gradient of a real function of
    z = a + ib is df/da - i df/db, and step against its conjugate.

    Examples
    --------
    >>> import numpy as np, bibun as bb
    >>> y, pullback = bb.vjp(lambda x: x**2, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))[0].tolist()
    [2.0, 40.0]
    """
    xs, call = entered(f, range(len(primals)), primals, {})
    out = call()
    ys, rebuild = flatten(out)
    leaves = [x for part in xs for x in part.leaves]
    tracked = [y for y in ys if isinstance(y, Node) and y.order]
    recorded = within(tracked, leaves)[2] if tracked else False

    def pullback(g: Any) -> tuple[Any, ...]:
        gs = flatten(g)[0]
        if len(gs) != len(ys):
            raise ValueError(
                f"a cotangent of {len(gs)} arrays for a value of {len(ys)}: give one with the value's structure"
            )
        seeds = [as_cotangent(g, y) for g, y in zip(gs, ys, strict=True)]
        found, _ = cotangents(ys, leaves, seeds)
        out, k = [], 0
        for part in xs:
            n = len(part.leaves)
            out.append(part.rebuild([shaped(g, x) for g, x in zip(found[k : k + n], part.leaves, strict=True)]))
            k += n
        return tuple(out)

    return rebuild([left(y, recorded) for y in ys]), pullback


def stop_gradient(x: Any) -> Any:
    """`x` as plain arrays: a constant for every derivative.

    Examples
    --------
    >>> import bibun as bb
    >>> print(bb.grad(lambda x: x * bb.stop_gradient(x))(3.0))
    3.0
    """
    return map_leaves(lambda v: v._data if isinstance(v, Node) else v, x)


# --- what the transforms share ------------------------------------------------------------------------------------


class Entered:
    """One argument taken apart: fresh Variables for its leaves, and how to put it together."""

    __slots__ = ("leaves", "rebuild")

    def __init__(self, tree: Any, what: str) -> None:
        leaves, self.rebuild = flatten(tree)
        try:
            self.leaves = [inner(x) for x in leaves]
        except (TypeError, ValueError) as e:
            raise type(e)(f"{what} cannot be differentiated with respect to: {e}") from None


def entered(
    f: Callable[..., Any], nums: Sequence[int], args: Sequence[Any], kw: dict[str, Any]
) -> tuple[list[Entered], Callable[[], Any]]:
    """The arguments `nums` as fresh Variables, and the call of `f` on them."""
    called = list(args)
    xs = []
    for i in nums:
        if not -len(args) <= i < len(args):
            raise ValueError(
                f"argnums={i} for a call with {len(args)} positional arguments: pass the argument by position"
            )
        part = Entered(args[i], f"argument {i} of {_name(f)}")
        if not part.leaves:
            raise ValueError(
                f"argument {i} of {_name(f)} holds no array: there is nothing to differentiate with respect to"
            )
        called[i] = part.rebuild(list(part.leaves))
        xs.append(part)

    def call() -> Any:
        try:
            out = f(*called, **kw)
        finally:
            for part in xs:
                for x in part.leaves:
                    close(x)
        if modes.on and here.rewriting is not None:
            return here.rewriting(out, [x for part in xs for x in part.leaves])
        return out

    return xs, call


def left(y: Any, recorded: bool) -> Any:
    """What leaves a transform: the Variable where a walk around it is recorded, its array otherwise."""
    return y._data if isinstance(y, Node) and not recorded else y


def shaped(g: Array, x: Node) -> Any:
    """A cotangent in the floating type of its argument."""
    dtype = x._data.dtype
    if g.dtype == dtype:
        return g
    if not isinstance(g, Variable):
        return fitted(g, x)
    if g.dtype.kind == "c" and dtype.kind != "c":
        g = g.real  # type: ignore[attr-defined]
    return g.astype(dtype)


def as_cotangent(g: Any, y: Any) -> Any:
    """A cotangent of `y`, checked for its shape."""
    shape = np.shape(getattr(y, "_data", y))
    if not isinstance(g, Node):
        g = np.asarray(g)
        if g.dtype.kind in "biu":
            g = g.astype(np.float64)
    if g.shape != shape:
        raise ValueError(f"a cotangent of shape {g.shape} for a value of shape {shape}: they must be equal")
    return g


def check_scalar(y: Any, f: Callable[..., Any]) -> None:
    """Refuse what has no gradient, with a sentence."""
    if not isinstance(y, (Node, np.ndarray, np.generic, float, int, complex)):
        raise TypeError(
            f"{_name(f)} returned {type(y).__name__}: a gradient needs one real number; return an array, or use vjp"
        )
    data = np.asarray(getattr(y, "_data", y))
    if data.size != 1:
        raise ValueError(
            f"{_name(f)} returned an array of shape {data.shape}: a gradient needs one number; sum it, or use jacobian"
        )
    if data.dtype.kind not in "fiu":
        raise TypeError(
            f"{_name(f)} returned dtype {data.dtype}: a gradient needs a real number (np.real, np.abs, or a sum)"
        )


def _float(y: Any) -> Any:
    dtype = getattr(y, "dtype", np.dtype(np.float64))
    return dtype if dtype.kind in "fc" else np.float64


def _with_aux(out: Any, f: Callable[..., Any]) -> tuple[Any, Any]:
    if not isinstance(out, tuple) or len(out) != 2:
        raise TypeError(
            f"{_name(f)} with has_aux=True must return a pair (value, aux); it returned {type(out).__name__}"
        )
    return out


def _name(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)
