"""Two objectives of Microsoft's ADBench, in NumPy as a user would write them: a Gaussian mixture and bundle adjustment.

What is computed is said in F. Srajer, Z. Kukelova, A. Fitzgibbon, "A benchmark of selected algorithmic differentiation
tools on some problems in computer vision and machine learning", Optimization Methods and Software 33 (2018); the data
here is random, of the published sizes. Every function takes the library's own modules of NumPy's and SciPy's names.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy
from scipy.special import multigammaln

__all__ = [
    "BA_SIZES",
    "GMM_SIZES",
    "ba_blocks",
    "ba_data",
    "ba_residual",
    "gmm",
    "gmm_bytes",
    "gmm_data",
    "rows_of",
    "sizes",
]

Array = numpy.ndarray

# --- Gaussian mixture with a Wishart prior ----------------------------------------------------------------------------

GAMMA, M = 1.0, 0

GMM_SIZES = [(n, d, k) for n in (1_000, 10_000) for d in (2, 10, 20, 32, 64, 128) for k in (5, 10, 25, 50, 100, 200)]
GMM_SIZES += [(2_500_000, d, k) for d in (2, 10, 20, 32, 64) for k in (5, 10, 25, 50, 100, 200)]


def gmm_bytes(n: int, d: int, k: int) -> int:
    """What one array of every component's coordinates takes: the backward pass keeps several."""
    return 8 * n * d * k


def gmm_data(n: int, d: int, k: int) -> tuple[Array, Array]:
    """Parameters in one vector (log weights, means, log diagonals, entries below them), and points."""
    rng = numpy.random.default_rng(n + 1000 * d + k)
    below = d * (d - 1) // 2
    theta = numpy.concatenate([rng.normal(size=k), rng.random(k * d), 0.3 * rng.normal(size=k * (d + below))])
    return theta, rng.random((n, d))


@functools.cache
def triangle(d: int) -> Array:
    """Where each entry of a lower triangle is: on the diagonal, among those below it by columns, or the zero last."""
    below = d * (d - 1) // 2
    place = numpy.full((d, d), d + below)
    place[numpy.triu_indices(d, 1)] = d + numpy.arange(below)
    place[numpy.diag_indices(d)] = numpy.arange(d)
    return place.T.copy()


def gmm(np: Any, special: Any, theta: Any, x: Any) -> Any:
    """The log-likelihood of the points and the prior's, as in the paper (equation 5)."""
    n, d = x.shape
    below = d * (d - 1) // 2
    k = theta.shape[0] // (1 + 2 * d + below)
    alphas, means = theta[:k], np.reshape(theta[k : k * (1 + d)], (k, d))
    rest = np.reshape(theta[k * (1 + d) :], (k, d + below))
    log_diagonal, lower = rest[:, :d], rest[:, d:]
    diagonal = np.exp(log_diagonal)
    Q = np.concatenate([diagonal, lower, np.zeros_like(alphas)[:, None]], 1)[:, triangle(d)]
    z = Q @ (x.T - means[:, :, None])  # (k, d, n)
    inner = (alphas + np.sum(log_diagonal, 1))[:, None] - 0.5 * np.sum(z * z, 1)
    rows, weights = special.logsumexp(inner, 0), special.logsumexp(alphas, 0)
    df = d + M + 1
    constant = df * d * numpy.log(GAMMA / numpy.sqrt(2)) - multigammaln(0.5 * df, d)
    prior = 0.5 * GAMMA**2 * (np.sum(diagonal**2) + np.sum(lower**2)) - M * np.sum(log_diagonal) - k * constant
    return -0.5 * n * d * numpy.log(2 * numpy.pi) + np.sum(rows) - n * weights + prior


# --- bundle adjustment ------------------------------------------------------------------------------------------------

BA_SIZES = [
    (49, 7776, 31843), (21, 11315, 36455), (161, 48126, 182072), (372, 47423, 204472), (257, 65132, 225911),
    (539, 65220, 277273), (93, 61203, 287451), (88, 64298, 383937), (810, 88814, 393775), (1197, 126327, 563734),
    (1723, 156502, 678718), (253, 163691, 899155), (245, 198739, 1091386), (356, 226730, 1255268),
    (1102, 780462, 4052340), (1544, 942409, 4750193), (1778, 993923, 5001946), (1936, 649673, 5213733),
    (4585, 1324582, 9125125), (13682, 4456117, 2987644),
]  # fmt: skip
"""Cameras, points, observations: the twenty published ones."""


def ba_data(n: int, m: int, p: int) -> tuple[Array, ...]:
    """Cameras (n, 11), points (m, 3), weights (p,), camera and point of each observation, features (p, 2)."""
    rng = numpy.random.default_rng(n)
    cameras = rng.normal(size=(n, 11)) * [0.1, 0.1, 0.1, 1, 1, 1, 1, 1, 1, 1e-2, 1e-3]
    cameras[:, 6] += 5
    points = rng.normal(size=(m, 3)) + [0, 0, 8]
    camera, point = rng.integers(0, n, p), rng.integers(0, m, p)
    return cameras, points, rng.random(p), camera, point, rng.normal(size=(p, 2))


def ba_residual(np: Any, axis: int, rows: Sequence[Any], feature: Any) -> Any:
    """The error of every observation along one axis of the picture.

    `rows` are what each observation depends on, a vector of each: rotation (3), centre (3), focal length, principal
    point (2), distortion (2), point (3) and weight.
    """
    a, b, c, c0, c1, c2, focal, u0, u1, k1, k2, p0, p1, p2, w = rows
    theta = np.sqrt(a * a + b * b + c * c)
    a, b, c = a / theta, b / theta, c / theta
    x, y, z = p0 - c0, p1 - c1, p2 - c2
    cos, sin = np.cos(theta), np.sin(theta)
    along = (a * x + b * y + c * z) * (1 - cos)
    x, y, z = (
        x * cos + (b * z - c * y) * sin + a * along,
        y * cos + (c * x - a * z) * sin + b * along,
        z * cos + (a * y - b * x) * sin + c * along,
    )
    u, v = x / z, y / z
    r2 = u * u + v * v
    bent = focal * (1 + k1 * r2 + k2 * r2 * r2)
    return w * (v * bent + u1 - feature) if axis else w * (u * bent + u0 - feature)


def ba_blocks(np: Any, gradient: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """The blocks of the sparse Jacobian: both errors of each observation by its 15 numbers, 15 vectors for each error.

    Rows do not meet, so the gradient of the sum over them holds every row's own.
    """
    first = gradient(lambda rows, feature: np.sum(ba_residual(np, 0, rows, feature)))
    second = gradient(lambda rows, feature: np.sum(ba_residual(np, 1, rows, feature)))
    return lambda rows, f0, f1: (first(rows, f0), second(rows, f1))


def rows_of(cameras: Array, points: Array, w: Array, camera: Array, point: Array) -> list[Array]:
    """What every observation depends on, a vector of each number."""
    return [*numpy.take(cameras.T, camera, 1), *numpy.take(points.T, point, 1), w]


def sizes(quick: bool, most_bytes: float) -> Iterator[tuple[int, int, int]]:
    """Those of `GMM_SIZES` whose arrays stay below `most_bytes` each; three with `quick`."""
    some = {(1_000, 2, 5), (1_000, 20, 25), (1_000, 64, 10)}
    for size in GMM_SIZES:
        if gmm_bytes(*size) <= most_bytes and (not quick or size in some):
            yield size
