"""NumPy's functions of polynomials by their coefficients, and the convolutions that multiply them.

`convolve` of full length is the primitive; its other modes and `correlate` are pieces of it. Imports core, products.
"""

from typing import Any

import numpy as np

from ..core.dispatch import answers, holds_node, raw
from ..core.domains import between, static
from ..core.modes import here, modes
from ..core.words import composite, multilinear
from ..typing import Array
from .indexing import settled
from .products import as_array, conjugated, fitting

__all__: list[str] = []

# --- convolution ----------------------------------------------------------------------------------------------------

LENGTHS = ((5, 3), (2, 5), (4, 2), (3, 4), (3, 3))
_convolve = multilinear(
    np.convolve,
    lambda g, a, v: fitting(np.convolve(g, v[::-1], "valid"), a),
    lambda g, a, v: fitting(np.convolve(g, a[::-1], "valid"), v),
    register=False,
    cases=[((4,), (3,)), ((2,), (3,)), ((1,), (1,)), ((3,), (3,)),
           *[((n,), (k,), dict(mode=m)) for n, k in LENGTHS for m in ("same", "valid")]],
)  # fmt: skip

MODES = {0: "valid", 1: "same", 2: "full"}


@answers(np.convolve)
def convolve(a: Array, v: Array, mode: Any = "full") -> Array:
    """np.convolve."""
    a, v = as_array(a, "convolve"), as_array(v, "convolve")
    a, v = (x.reshape(1) if x.ndim == 0 else x for x in (a, v))
    return cut(_convolve(a, v), a.size, v.size, MODES.get(mode, mode), swapped=False)


def cut(full: Array, n: int, k: int, mode: str, swapped: bool) -> Array:
    """The middle of a full convolution of `n` and `k` elements that a mode keeps."""
    if mode == "full":
        return full
    low, high = min(n, k), max(n, k)
    start = low - 1 if mode == "valid" else (low - 1) // 2 if not swapped else low - 1 - (low - 1) // 2
    return full[start : start + (high - low + 1 if mode == "valid" else high)]


def correlate(a: Array, v: Array, mode: Any = "valid") -> Array:
    """np.correlate: the convolution with `v` reversed and conjugated."""
    a, v = as_array(a, "correlate"), as_array(v, "correlate")
    a, v = (x.reshape(1) if x.ndim == 0 else x for x in (a, v))
    full = np.convolve(a, conjugated(v)[::-1])
    return cut(full, a.size, v.size, MODES.get(mode, mode), swapped=a.size < v.size)


composite(
    np.correlate, correlate,
    cases=[((n,), (k,), dict(mode=m)) for n, k in LENGTHS for m in ("full", "same", "valid")],
)  # fmt: skip

# --- polynomials ----------------------------------------------------------------------------------------------------


def polyval(p: Array, x: Array) -> Array:
    """np.polyval by Horner's rule; highest power first."""
    p, x = as_array(p, "polyval"), as_array(x, "polyval")
    if not p.size:
        return np.zeros_like(x)
    y = p[0] + np.zeros_like(x)
    for k in range(1, p.size):
        y = y * x + p[k]
    return y


def aligned(a: Array, b: Array, name: str) -> tuple[Array, Array]:
    """Both coefficient vectors with leading zeros to one length."""
    a, b = as_array(a, name).reshape(-1), as_array(b, name).reshape(-1)
    n = max(a.size, b.size)
    return padded(a, n - a.size, 0), padded(b, n - b.size, 0)


def padded(x: Array, before: int, after: int) -> Array:
    """`x` with zeros around it."""
    dtype = x.dtype
    pieces = [
        np.zeros(k, dtype) if isinstance(k, int) else k for k in (before, x, after) if not isinstance(k, int) or k
    ]
    return np.concatenate(pieces) if len(pieces) > 1 else x


def polyder(p: Array, m: int = 1) -> Array:
    """np.polyder."""
    p = as_array(p, "polyder")
    for _ in range(m):
        p = p[:-1] * np.arange(p.size - 1, 0, -1)
    return p


def polyint(p: Array, m: int = 1, k: Any = None) -> Array:
    """np.polyint."""
    p = as_array(p, "polyint")
    constants = [0] * m if k is None else [k] if np.ndim(k) == 0 else list(k)
    constants = constants * m if len(constants) == 1 < m else constants
    for c in constants[:m]:
        p = p / np.arange(p.size, 0, -1)
        last = as_array(c, "polyint").reshape(1) if holds_node(c) else np.full(1, c, p.dtype)
        p = np.concatenate([p, last])
    return p


def poly(seq_of_zeros: Array) -> Array:
    """np.poly: the coefficients from the roots, or the characteristic polynomial of a matrix."""
    r = as_array(seq_of_zeros, "poly")
    r = np.linalg.eigvals(r) if r.ndim == 2 else r.reshape(-1)
    y = np.ones(1, r.dtype)
    for k in range(r.size):
        y = np.convolve(y, np.stack([np.ones((), r.dtype), -r[k]]))
    if r.dtype.kind != "c":
        return y
    z = settled(r, "np.poly of complex roots")
    return np.real(y) if np.all(np.sort(z) == np.sort(z.conj())) else y


def roots(p: Array) -> Array:
    """np.roots: eigenvalues of the companion matrix, then the zeros.

    While recording for other values, how many coefficients are zero at either end is not known: none is taken off.
    """
    p = as_array(p, "roots")
    recording = modes.on and here.tracing and holds_node(p, tracked=True)
    nonzero = np.arange(p.size) if recording else np.flatnonzero(raw(p))
    if not nonzero.size:
        return np.zeros(0, p.dtype)
    zeros = p.size - int(nonzero[-1]) - 1
    p = p[int(nonzero[0]) : int(nonzero[-1]) + 1]
    n = p.size - 1
    if not n:
        return np.zeros(zeros, p.dtype)
    below = np.eye(n, k=-1, dtype=p.dtype)[1:]
    z = np.linalg.eigvals(np.concatenate([(-p[1:] / p[0])[None, :], below]))
    if z.dtype.kind == "c" and not recording and np.roots(raw(p)).dtype.kind != "c":
        z = np.real(z)  # NumPy 2.5 gives real roots as real numbers
    return padded(z, 0, zeros)


def polydiv(u: Array, v: Array) -> tuple[Array, Array]:
    """np.polydiv: quotient and remainder by long division; while recording for other values, of the full length."""
    u, v = as_array(u, "polydiv").reshape(-1), as_array(v, "polydiv").reshape(-1)
    quotient: list[Array] = []
    rest, scale = u + np.zeros((), v.dtype), 1.0 / v[0]
    for k in range(u.size - v.size + 1):
        quotient.append(scale * rest[k])
        rest = rest - padded(quotient[-1] * v, k, u.size - v.size - k)
    start, most = 0, rest.size - 1
    if modes.on and here.tracing and holds_node(rest, tracked=True):
        start = min(len(quotient), most)
    else:
        size = np.abs(raw(rest))
        while start < most and size[start] <= 1e-8:  # as NumPy trims
            start += 1
    return np.stack(quotient) if quotient else np.zeros(1, rest.dtype), rest[start:]


def polyfit(
    x: Array, y: Array, deg: int, rcond: Any = None, full: bool = False, w: Array = None, cov: Any = False
) -> Any:
    """np.polyfit: least squares on powers of `x`, the columns scaled to length one."""
    x, y = as_array(x, "polyfit") + 0.0, as_array(y, "polyfit") + 0.0
    rcond = x.size * np.finfo(x.dtype).eps if rcond is None else rcond
    left, right = np.vander(x, int(deg) + 1), y
    if w is not None:
        w = as_array(w, "polyfit")
        left, right = left * w[:, None], right * (w[:, None] if right.ndim == 2 else w)
        right = right if right.dtype == y.dtype else right.astype(y.dtype)  # NumPy multiplies in place
    scale = np.sqrt(np.sum(left * left, axis=0))
    c, squared, rank, s = np.linalg.lstsq(left / scale, right, rcond)
    c = c / scale if c.ndim == 1 else c / scale[:, None]
    if full:
        return c, squared, rank, s, rcond
    if not cov:
        return c
    base = np.linalg.inv(left.T @ left)
    if isinstance(cov, str) and cov == "unscaled":
        return c, base
    factor = squared / (x.size - (int(deg) + 1))
    return c, base * factor if y.ndim == 1 else base[:, :, None] * factor


def vander(x: Array, N: int | None = None, increasing: bool = False) -> Array:
    """np.vander: columns of powers, by repeated products."""
    x = as_array(x, "vander")
    x = x.astype(np.promote_types(x.dtype, int))
    columns = [np.ones_like(x)]
    for _ in range((x.size if N is None else N) - 1):
        columns.append(columns[-1] * x)
    if N == 0 or (N is None and not x.size):
        return np.zeros((x.size, 0), x.dtype)
    return np.stack(columns if increasing else columns[::-1], axis=1)


# fmt: off
composite(np.polyval, polyval, cases=[((4,), ()), ((3,), (2, 2)), ((1,), (3,)), ((2,), (0,))])
composite(np.polyadd, lambda a1, a2: np.add(*aligned(a1, a2, "polyadd")), name="polyadd",
          cases=[((3,), (2,)), ((2,), (2,)), ((1,), (3,))])
composite(np.polysub, lambda a1, a2: np.subtract(*aligned(a1, a2, "polysub")), name="polysub",
          cases=[((3,), (2,)), ((2,), (4,))])
composite(np.polymul, lambda a1, a2: np.convolve(a1, a2), name="polymul",
          cases=[((3,), (2,)), ((2,), (2,)), ((1,), (3,))])
composite(np.polydiv, polydiv, cases=[((5,), (2,)), ((4,), (3,)), ((2,), (3,))], domain=between(0.5, 2.0))
composite(np.polyder, polyder, cases=[((4,),), ((4,), dict(m=2)), ((1,),), ((3,), dict(m=0))])
composite(np.polyint, polyint, cases=[((3,),), ((3,), dict(m=2)), ((3,), dict(k=2.0)), ((2,), dict(m=2, k=[1.0, 2.0]))])
composite(np.poly, poly, cases=[((3,),), ((1,),), ((0,),)])
composite(np.roots, roots, cases=[(lambda rng: np.array([1.0, -6.0, 11.0, -6.0]),),
                                  (lambda rng: np.array([2.0, 1.0, 3.0]),),
                                  (lambda rng: np.array([2.0, 1.0]),)])
composite(np.polyfit, polyfit, cases=[
    ((6,), (6,), static(2)), ((6,), (6, 2), static(1)), ((6,), (6,), static(1), dict(w=static(np.arange(1.0, 7.0)))),
    ((6,), (6,), static(1), dict(cov=True))])
composite(np.vander, vander, cases=[((3,),), ((3,), static(4)), ((3,), dict(N=2, increasing=True)), ((2,), static(1))])
# fmt: on
