"""The test functions, as a table: formula, standard start, the values of its minima.

Moré, Garbow and Hillstrom, "Testing unconstrained optimization software", ACM TOMS 7 (1981), written from the published
formulas as residuals; f is the sum of their squares. The others are the usual ones of two variables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

stack = np.stack


@dataclass
class TestFunction:
    __test__ = False
    name: str
    x0: np.ndarray
    minima: tuple[float, ...]
    f: Callable[[Any], Any]
    residuals: Callable[[Any], Any] | None = None


FUNCTIONS: list[TestFunction] = []


def function(name: str, x0: Any, *minima: float) -> Callable[..., Any]:
    def add(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        FUNCTIONS.append(TestFunction(name, np.array(x0, float), minima, f))
        return f

    return add


def squares(name: str, x0: Any, *minima: float) -> Callable[..., Any]:
    def add(r: Callable[[Any], Any]) -> Callable[[Any], Any]:
        FUNCTIONS.append(TestFunction(name, np.array(x0, float), minima, lambda x: np.sum(r(x) ** 2), residuals=r))
        return r

    return add


# --- two variables ----------------------------------------------------------------------------------------------------


@function("sphere", [3.0, -2.0], 0.0)
def sphere(x):
    return np.sum(x**2)


@function("Matyas", [5.0, -7.0], 0.0)
def matyas(x):
    return 0.26 * (x[0] ** 2 + x[1] ** 2) - 0.48 * x[0] * x[1]


@function("Goldstein-Price", [-0.5, -0.5], 3.0, 30.0, 84.0, 840.0)
def goldstein_price(v):
    x, y = v
    first = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    second = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return first * second


@function("Himmelblau", [0.0, 0.0], 0.0)
def himmelblau(v):
    x, y = v
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


# --- Moré, Garbow and Hillstrom, with their numbers -------------------------------------------------------------------


@squares("1 Rosenbrock", [-1.2, 1.0], 0.0)
def rosenbrock(x):
    return stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@squares("2 Freudenstein-Roth", [0.5, -2.0], 0.0, 48.98425367924)
def freudenstein_roth(x):
    return stack(
        [-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]],
    )


@squares("3 Powell badly scaled", [0.0, 1.0], 0.0)
def powell_badly_scaled(x):
    return stack([1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])


@squares("4 Brown badly scaled", [1.0, 1.0], 0.0)
def brown_badly_scaled(x):
    return stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])


@squares("5 Beale", [1.0, 1.0], 0.0)
def beale(x):
    return stack([y - x[0] * (1 - x[1] ** i) for i, y in ((1, 1.5), (2, 2.25), (3, 2.625))])


@squares("6 Jennrich-Sampson", [0.3, 0.4], 124.36218235561)
def jennrich_sampson(x):
    i = np.arange(1.0, 11.0)
    return 2 + 2 * i - (np.exp(i * x[0]) + np.exp(i * x[1]))


@squares("7 Helical valley", [-1.0, 0.0, 0.0], 0.0)
def helical_valley(x):
    theta = np.arctan(x[1] / x[0]) / (2 * np.pi) + np.where(x[0] < 0, 0.5, 0.0)
    return stack([10 * (x[2] - 10 * theta), 10 * (np.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]])


BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


@squares("8 Bard", [1.0, 1.0, 1.0], 8.2148773065e-3, 17.428694)
def bard(x):
    u = np.arange(1.0, 16.0)
    v = 16 - u
    return BARD - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


GAUSSIAN = np.array([9, 44, 175, 540, 1295, 2420, 3521, 3989, 3521, 2420, 1295, 540, 175, 44, 9]) / 1e4


@squares("9 Gaussian", [0.4, 1.0, 0.0], 1.127932769e-8)
def gaussian(x):
    t = (8 - np.arange(1.0, 16.0)) / 2
    return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - GAUSSIAN


MEYER = np.array(
    [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872.0]
)


@squares("10 Meyer", [0.02, 4000.0, 250.0], 87.945855171)
def meyer(x):
    t = 45 + 5 * np.arange(1.0, 17.0)
    return x[0] * np.exp(x[1] / (t + x[2])) - MEYER


@squares("11 Gulf research", [5.0, 2.5, 0.15], 0.0)
def gulf(x):
    t = np.arange(1.0, 100.0) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return np.exp(-(np.abs(y - x[1]) ** x[2]) / x[0]) - t


@squares("12 Box three-dimensional", [0.0, 10.0, 20.0], 0.0, 0.0755887)
def box(x):
    t = 0.1 * np.arange(1.0, 11.0)
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


@squares("13 Powell singular", [3.0, -1.0, 0.0, 1.0], 0.0)
def powell_singular(x):
    return stack(
        [
            x[0] + 10 * x[1],
            5**0.5 * (x[2] - x[3]),
            (x[1] - 2 * x[2]) ** 2,
            10**0.5 * (x[0] - x[3]) ** 2,
        ]
    )


@squares("14 Wood", [-3.0, -1.0, -3.0, -1.0], 0.0)
def wood(x):
    return stack(
        [
            10 * (x[1] - x[0] ** 2),
            1 - x[0],
            90**0.5 * (x[3] - x[2] ** 2),
            1 - x[2],
            10**0.5 * (x[1] + x[3] - 2),
            (x[1] - x[3]) / 10**0.5,
        ]
    )


KOWALIK_Y = np.array([0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246])
KOWALIK_U = np.array([4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])


@squares("15 Kowalik-Osborne", [0.25, 0.39, 0.415, 0.39], 3.0750560385e-4, 1.02734e-3)
def kowalik_osborne(x):
    u = KOWALIK_U
    return KOWALIK_Y - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


@squares("16 Brown-Dennis", [25.0, 5.0, -5.0, -1.0], 85822.2016263563)
def brown_dennis(x):
    t = np.arange(1.0, 21.0) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


OSBORNE_1 = np.array(
    [844, 908, 932, 936, 925, 908, 881, 850, 818, 784, 751, 718, 685, 658, 628, 603, 580, 558, 538, 522, 506, 490]
    + [478, 467, 457, 448, 438, 431, 424, 420, 414, 411, 406]
) / 1e3  # fmt: skip


@squares("17 Osborne 1", [0.5, 1.5, -1.0, 0.01, 0.02], 5.464894697e-5)
def osborne_1(x):
    t = 10 * np.arange(33.0)
    return OSBORNE_1 - (x[0] + x[1] * np.exp(-t * x[3]) + x[2] * np.exp(-t * x[4]))


@squares("18 Biggs EXP6", [1.0, 2.0, 1.0, 1.0, 1.0, 1.0], 0.0, 5.655649925e-3)
def biggs(x):
    t = 0.1 * np.arange(1.0, 14.0)
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y


OSBORNE_2 = np.array(
    [1366, 1191, 1112, 1013, 991, 885, 831, 847, 786, 725, 746, 679, 608, 655, 616, 606, 602, 626, 651, 724, 649, 649]
    + [694, 644, 624, 661, 612, 558, 533, 495, 500, 423, 395, 375, 372, 391, 396, 405, 428, 429, 523, 562, 607, 653]
    + [672, 708, 633, 668, 645, 632, 591, 559, 597, 625, 739, 710, 729, 720, 636, 581, 428, 292, 162, 98, 54]
) / 1e3  # fmt: skip


@squares("19 Osborne 2", [1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5], 4.01377362935e-2, 1.78981358)
def osborne_2(x):
    t = np.arange(65.0) / 10
    bells = [x[k] * np.exp(-((t - x[k + 7]) ** 2) * x[k + 4]) for k in (1, 2, 3)]
    return OSBORNE_2 - (x[0] * np.exp(-t * x[4]) + bells[0] + bells[1] + bells[2])


def watson(n: int) -> Callable[[Any], Any]:
    t = np.arange(1.0, 30.0)[:, None] / 29
    j = np.arange(n)
    slopes, powers = j[1:] * t ** (j[1:] - 1), t**j

    def residuals(x):
        return np.concatenate([slopes @ x[1:] - (powers @ x) ** 2 - 1, stack([x[0], x[1] - x[0] ** 2 - 1])])

    return residuals


squares("20 Watson, n=6", np.zeros(6), 2.28767005355e-3)(watson(6))
squares("20 Watson, n=9", np.zeros(9), 1.399760138e-6)(watson(9))


@squares("21 Extended Rosenbrock, n=10", [-1.2, 1.0] * 5, 0.0)
def extended_rosenbrock(x):
    return np.concatenate([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]])


@squares("22 Extended Powell singular, n=12", [3.0, -1.0, 0.0, 1.0] * 3, 0.0)
def extended_powell(x):
    a, b, c, d = x[0::4], x[1::4], x[2::4], x[3::4]
    return np.concatenate([a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2])


def penalty_1(x):
    return np.concatenate([1e-5**0.5 * (x - 1), stack([np.sum(x**2) - 0.25])])


squares("23 Penalty I, n=4", np.arange(1.0, 5.0), 2.24997750e-5)(penalty_1)
squares("23 Penalty I, n=10", np.arange(1.0, 11.0), 7.08765146e-5)(penalty_1)


def penalty_2(x):
    n = x.shape[0]
    i = np.arange(2.0, n + 1)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    a = 1e-5**0.5
    return np.concatenate(
        [
            stack([x[0] - 0.2]),
            a * (np.exp(x[1:] / 10) + np.exp(x[:-1] / 10) - y),
            a * (np.exp(x[1:] / 10) - np.exp(-0.1)),
            stack([np.sum(np.arange(n, 0.0, -1.0) * x**2) - 1]),
        ]
    )


squares("24 Penalty II, n=4", np.full(4, 0.5), 9.37629e-6)(penalty_2)
squares("24 Penalty II, n=10", np.full(10, 0.5), 2.93660e-4)(penalty_2)


@squares("25 Variably dimensioned, n=10", 1 - np.arange(1.0, 11.0) / 10, 0.0)
def variably_dimensioned(x):
    s = np.sum(np.arange(1.0, x.shape[0] + 1) * (x - 1))
    return np.concatenate([x - 1, stack([s, s**2])])


@squares("26 Trigonometric, n=10", np.full(10, 0.1), 0.0, 2.795061e-5, 4.22e-5)
def trigonometric(x):
    n = x.shape[0]
    return n - np.sum(np.cos(x)) + np.arange(1.0, n + 1) * (1 - np.cos(x)) - np.sin(x)


@squares("27 Brown almost-linear, n=10", np.full(10, 0.5), 0.0, 1.0)
def brown_almost_linear(x):
    n = x.shape[0]
    return np.concatenate([x[:-1] + np.sum(x) - (n + 1), stack([np.prod(x) - 1])])


def _grid(n: int) -> np.ndarray:
    return np.arange(1.0, n + 1) / (n + 1)


@squares("28 Discrete boundary value, n=10", _grid(10) * (_grid(10) - 1), 0.0)
def boundary_value(x):
    n = x.shape[0]
    t, h = _grid(n), 1 / (n + 1)
    wide = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return 2 * x - wide[:-2] - wide[2:] + h**2 * (x + t + 1) ** 3 / 2


@squares("29 Discrete integral equation, n=10", _grid(10) * (_grid(10) - 1), 0.0)
def integral_equation(x):
    n = x.shape[0]
    t, h = _grid(n), 1 / (n + 1)
    kernel = np.where(t <= t[:, None], (1 - t[:, None]) * t, t[:, None] * (1 - t))
    return x + h / 2 * (kernel @ (x + t + 1) ** 3)


@squares("30 Broyden tridiagonal, n=10", np.full(10, -1.0), 0.0)
def broyden_tridiagonal(x):
    wide = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return (3 - 2 * x) * x - wide[:-2] - 2 * wide[2:] + 1


@squares("31 Broyden banded, n=10", np.full(10, -1.0), 0.0, 3.05728, 2.68021)
def broyden_banded(x):
    i = np.arange(x.shape[0])
    near = (i != i[:, None]) & (i >= i[:, None] - 5) & (i <= i[:, None] + 1)
    return x * (2 + 5 * x**2) + 1 - near.astype(float) @ (x * (1 + x))


@squares("32 Linear, full rank, n=10, m=20", np.ones(10), 10.0)
def linear_full_rank(x):
    m = 20
    total = 2 * np.sum(x) / m + 1
    return np.concatenate([x - total, np.zeros(m - x.shape[0]) - total])


@squares("33 Linear, rank 1, n=10, m=20", np.ones(10), 20 * 19 / (2 * 41))
def linear_rank_1(x):
    return np.arange(1.0, 21.0) * np.sum(np.arange(1.0, x.shape[0] + 1) * x) - 1


@squares("35 Chebyquad, n=8", np.arange(1.0, 9.0) / 9, 3.5168737257e-3)
def chebyquad(x):
    n = x.shape[0]
    before, now = np.ones(n), 2 * x - 1
    out = []
    for k in range(1, n + 1):
        out.append(np.sum(now) / n + (1 / (k * k - 1) if k % 2 == 0 else 0.0))
        before, now = now, 2 * (2 * x - 1) * now - before
    return stack(out)
