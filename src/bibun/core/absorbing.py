"""Zero times anything is zero: the cotangent of a branch not taken adds nothing, whatever its slope.

A walk that ends in a NaN is walked once more with its cotangents (or tangents) dressed as `Absorbing`: an array or a
Variable whose products are made by `absorb`. Rules are written as ever; the ordinary walk pays nothing.
Imports the registry only.
"""

from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..typing import Array
from .dispatch import function
from .graph import Node, Parts
from .modes import here, modes

__all__ = ["Absorbing", "absorb", "dress", "has_nan", "undress"]


@function
def absorb(g: Array, d: Array) -> Array:
    """`g * d`, and 0 wherever either is 0, whatever the other is there.

    Either, so that forward and reverse mode agree: what is a zero cotangent in one is a zero slope in the other.
    """
    product = np.multiply(g, d)
    return np.where(np.equal(g, 0) | np.equal(d, 0), product.dtype.type(0), product)


def _for_others() -> bool:
    """Whether a walk is recorded for other values than those of now, which may not be finite."""
    return bool(modes.on) and here.absorbing


def _matmul(g: Array, d: Array) -> Array:
    """`g @ d` as a sum of absorbed products; only reached where one holds an infinity or a NaN."""
    row, column = g.ndim == 1, d.ndim == 1
    g = g[None, :] if row else g
    d = d[:, None] if column else d
    out = np.sum(absorb(g[..., :, :, None], d[..., None, :, :]), axis=-2)
    out = out[..., 0, :] if row else out
    return out[..., 0] if column else out


class Absorbing(NDArrayOperatorsMixin):
    """A cotangent or tangent for which zero absorbs. Everything but products is passed on as it is."""

    __slots__ = ("inside",)

    def __init__(self, inside: Array) -> None:
        self.inside = inside

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kw: Any) -> Any:
        a = args[0]
        plain = [undress(x) for x in args]
        if method == "__call__" and not kw:
            swap = not isinstance(a, Absorbing)
            if ufunc is np.multiply:
                return Absorbing(absorb(*(plain[::-1] if swap else plain)))
            if ufunc is np.divide and not swap:
                return Absorbing(absorb(plain[0], 1 / plain[1]))
            if ufunc is np.matmul and (_for_others() or not all(np.isfinite(_raw(x)).all() for x in plain)):
                if swap:  # (d @ g) is (g.T @ d.T).T
                    g, d = (x if x.ndim == 1 else np.swapaxes(x, -1, -2) for x in plain[::-1])
                    out = _matmul(g, d)
                    return Absorbing(out if min(g.ndim, d.ndim) == 1 else np.swapaxes(out, -1, -2))
                return Absorbing(_matmul(*plain))
        return dress(getattr(ufunc, method)(*plain, **kw))

    def __array_function__(self, func: Any, types: Any, args: Any, kw: Any) -> Any:
        return dress(func(*_strip(args), **_strip(kw)))

    def __getitem__(self, i: Any) -> Any:
        return Absorbing(self.inside[i])

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inside, name)
        if not callable(value):
            return Absorbing(value) if name in ("T", "mT", "real", "imag") else value
        return lambda *args, **kw: dress(value(*_strip(args), **_strip(kw)))


def _raw(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x


def _strip(x: Any) -> Any:
    """`x` with every Absorbing in it undressed: arguments of a NumPy function may be nested in lists."""
    if isinstance(x, (tuple, list)):
        return type(x)(_strip(v) for v in x)
    if isinstance(x, dict):
        return {k: _strip(v) for k, v in x.items()}
    return undress(x)


def dress(g: Any) -> Any:
    """`g` as a value for which zero absorbs."""
    if isinstance(g, Parts):
        return Parts(None if p is None else Absorbing(p) for p in g)
    return Absorbing(g) if isinstance(g, (np.ndarray, np.generic, Node)) else g


def undress(g: Any) -> Any:
    """What is inside an Absorbing; anything else as it is."""
    if isinstance(g, Parts):
        return Parts(undress(p) for p in g)
    return g.inside if isinstance(g, Absorbing) else g


def has_nan(g: Any) -> bool:
    """Whether a NaN is among the values: by a product where small (inf * inf is no NaN), by one pass where large."""
    if isinstance(g, Parts):
        return any(has_nan(p) for p in g if p is not None)
    a = _raw(g)
    if isinstance(a, np.ndarray):
        if a.dtype.kind not in "fc" or not a.size:
            return False
        r = np.vdot(a, a) if a.size < 10_000 else np.minimum.reduce(a, axis=None)
        return bool(r != r)
    return bool(np.any(a != a))
