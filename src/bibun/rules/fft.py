"""Fourier transforms. Each is linear; cotangents are not conjugated, so `fft` is its own transpose.

One axis at a time: the transforms of several are made of those of one. Imports core, products. Last of the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.words import composite, linear
from ..typing import Array
from .products import as_array, conjugated, fitting

OPPOSITE: dict[Any, Any] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The norm that divides where this one does not."""


def resized(x: Array, n: int, axis: int) -> Array:
    """`x` cut, or filled with zeros, to length `n` along `axis`: what a transform of length `n` reads."""
    if x.shape[axis] == n:
        return x
    index: list[Any] = [slice(None)] * x.ndim
    index[axis] = slice(n)
    if n < x.shape[axis]:
        return x[tuple(index)]
    shape = list(x.shape)
    shape[axis] = n - x.shape[axis]
    return np.concatenate([x, np.zeros(shape, x.dtype)], axis=axis)


def fft_back(transform: Callable[..., Any]) -> Any:
    """Symmetric matrices are their own transposes."""

    def back(g: Array, x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
        g = transform(g, axis=axis, norm=norm)
        return fitting(resized(g, x.shape[axis], axis), x)

    return back


def rfft_back(g: Array, x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """The first half of a transform: the other half of the cotangent is zero."""
    n = x.shape[axis] if n is None else n
    return resized(np.real(np.fft.fft(g, n, axis, norm)), x.shape[axis], axis)


def irfft_back(g: Array, x: Array, n: int | None = None, axis: int = -1, norm: Any = None) -> Array:
    """Every frequency but the first, and the last of an even length, was read twice."""
    n = 2 * (x.shape[axis] - 1) if n is None else n
    twice = np.full(n // 2 + 1, 2.0)
    twice[0] = 1
    if n % 2 == 0:
        twice[-1] = 1
    twice = twice.reshape([-1 if k == axis % x.ndim else 1 for k in range(x.ndim)]).astype(np.real(g).dtype)
    g = np.conjugate(np.fft.rfft(np.real(g) if g.dtype.kind == "c" else g, n, axis, OPPOSITE[norm])) * twice
    return fitting(resized(g, x.shape[axis], axis), x)


def drawn(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Complex numbers."""
    return lambda rng: rng.normal(size=shape) + 1j * rng.normal(size=shape)


_ONE: list[Any] = [
    ((5,),),
    ((2, 4), dict(n=3)),
    ((2, 4), dict(n=6, axis=0, norm="ortho")),
    ((4,), dict(norm="forward")),
]
_COMPLEX: list[Any] = [(drawn(5),), (drawn(2, 4), dict(n=5, axis=0)), (drawn(4), dict(n=2, norm="forward"))]
_HALF: list[Any] = [
    ((4,),),
    (drawn(4),),
    (drawn(4), dict(n=7)),
    (drawn(2, 4), dict(n=4, norm="ortho")),
    (drawn(4, 2), dict(axis=0, norm="forward")),
]

linear(np.fft.fft, fft_back(np.fft.fft), cases=_ONE + _COMPLEX)
linear(np.fft.ifft, fft_back(np.fft.ifft), cases=_ONE + _COMPLEX)
linear(np.fft.rfft, rfft_back, cases=_ONE)
linear(np.fft.irfft, irfft_back, cases=_HALF)

# --- made of these --------------------------------------------------------------------------------------------------


def hfft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None, out: Array = None) -> Array:
    """np.fft.hfft."""
    return np.fft.irfft(conjugated(as_array(a, "hfft")), n, axis, OPPOSITE[norm])


def ihfft(a: Array, n: int | None = None, axis: int = -1, norm: Any = None, out: Array = None) -> Array:
    """np.fft.ihfft."""
    return np.conjugate(np.fft.rfft(a, n, axis, OPPOSITE[norm]))


def axes_of(a: Array, s: Any, axes: Any, half: bool = False) -> list[tuple[int, int]]:
    """(length, axis) of each transform; of an inverse real one the last length is that of its result."""
    if axes is None:
        axes = range(-len(s), 0) if s is not None else range(-a.ndim, 0)
    axes = [int(k) for k in axes]
    lengths = [a.shape[k] for k in axes] if s is None else list(s)
    if s is None and half:
        lengths[-1] = 2 * (a.shape[axes[-1]] - 1)
    return [(a.shape[k] if n == -1 else int(n), k) for n, k in zip(lengths, axes, strict=True)]


def along_each(transform: Callable[..., Any]) -> Callable[..., Any]:
    """The transform over several axes, the last first."""

    def several(a: Array, s: Any = None, axes: Any = None, norm: Any = None, out: Array = None) -> Array:
        a = as_array(a, "fftn")
        for n, axis in reversed(axes_of(a, s, axes)):
            a = transform(a, n, axis, norm)
        return a

    return several


def rfftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None, out: Array = None) -> Array:
    """np.fft.rfftn: real along the last axis, complex along the others."""
    a = as_array(a, "rfftn")
    *others, (n, axis) = axes_of(a, s, axes)
    a = np.fft.rfft(a, n, axis, norm)
    for n, axis in reversed(others):
        a = np.fft.fft(a, n, axis, norm)
    return a


def irfftn(a: Array, s: Any = None, axes: Any = None, norm: Any = None, out: Array = None) -> Array:
    """np.fft.irfftn."""
    a = as_array(a, "irfftn")
    *others, (n, axis) = axes_of(a, s, axes, half=True)
    for k, other in others:
        a = np.fft.ifft(a, k, other, norm)
    return np.fft.irfft(a, n, axis, norm)


def in_two(several: Callable[..., Any]) -> Callable[..., Any]:
    """The transform of the last two axes."""

    def two(a: Array, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Array = None) -> Array:
        return several(a, s, axes, norm)

    return two


_SEVERAL: list[Any] = [((2, 3),), ((2, 3), dict(s=(3, 2), axes=(0, 1))), ((2, 3, 2), dict(axes=(-3, 1), norm="ortho"))]
_MANY = [*_SEVERAL, (drawn(2, 3),)]
_BACK: list[Any] = [
    (drawn(2, 3),),
    (drawn(2, 3), dict(s=(3, 5), axes=(0, 1))),
    (drawn(3, 3, 2), dict(axes=(2, 0), norm="forward")),
]

composite(np.fft.hfft, hfft, cases=_HALF)
composite(np.fft.ihfft, ihfft, cases=_ONE)
fftn, ifftn = along_each(np.fft.fft), along_each(np.fft.ifft)
composite(np.fft.fftn, fftn, cases=_MANY)
composite(np.fft.ifftn, ifftn, cases=_MANY)
composite(np.fft.fft2, in_two(fftn), cases=_MANY)
composite(np.fft.ifft2, in_two(ifftn), cases=_MANY)
composite(np.fft.rfftn, rfftn, cases=_SEVERAL)
composite(np.fft.rfft2, in_two(rfftn), cases=_SEVERAL)
composite(np.fft.irfftn, irfftn, cases=_BACK)
composite(np.fft.irfft2, in_two(irfftn), cases=_BACK)
linear(
    np.fft.fftshift,
    lambda g, x, axes=None: np.fft.ifftshift(g, axes),
    cases=[((5,),), ((2, 3), dict(axes=-1)), ((2, 3), dict(axes=(0, 1)))],
)
linear(
    np.fft.ifftshift,
    lambda g, x, axes=None: np.fft.fftshift(g, axes),
    cases=[((5,),), ((2, 3), dict(axes=-1)), ((4, 3),)],
)
