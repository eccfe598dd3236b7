"""The parts of the methods: the trust region's steps against their optimality conditions, line searches, names."""

import numpy as np
import pytest

from bibun.optimize.line_search import backtracking, strong_wolfe
from bibun.optimize.newton import descent_direction
from bibun.optimize.problem import Problem
from bibun.optimize.trust_region import exact_step, truncated_step


def quadratic(kind: str, n: int, rng: np.random.Generator):
    Q = np.linalg.qr(rng.normal(size=(n, n)))[0]
    values = rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3, size=n)
    values = {"indefinite": values, "convex": np.abs(values) + 1e-3, "singular": np.abs(values), "hard": values}[kind]
    if kind == "singular":
        values[0] = 0.0
    g = rng.normal(size=n)
    if kind == "hard":
        values[0] = -np.abs(values).max() - 1
        g -= Q[:, 0] * (Q[:, 0] @ g)
    return g, (Q * values) @ Q.T


@pytest.mark.parametrize("radius", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("kind", ["indefinite", "convex", "singular", "hard"])
def test_exact_step_is_the_global_minimizer(kind: str, radius: float):
    """More and Sorensen's conditions: (H + l I) p = -g, l >= 0, H + l I positive semidefinite, l (radius - |p|) = 0."""
    rng = np.random.default_rng(3)
    for n in (1, 2, 7):
        for _ in range(20):
            g, H = quadratic(kind, n, rng)
            p, promised, at_edge = exact_step(g, *np.linalg.eigh(H), radius)
            length = np.linalg.norm(p)
            size = np.linalg.norm(H, 2)
            assert length <= radius * (1 + 1e-6)
            assert promised == pytest.approx(-(g @ p + p @ H @ p / 2), rel=1e-6, abs=1e-9 * size * radius**2)
            multiplier = -(p @ (H @ p + g)) / (p @ p) if length else 0.0
            residual = np.linalg.norm(H @ p + multiplier * p + g)
            assert residual <= 1e-6 * (np.linalg.norm(g) + size * length)
            assert multiplier >= -1e-7 * (size + np.linalg.norm(g) / radius)
            assert np.linalg.eigvalsh(H)[0] + multiplier >= -1e-6 * size
            assert at_edge or multiplier <= 1e-6 * size


def test_truncated_step_agrees_inside_and_reaches_the_edge():
    rng = np.random.default_rng(4)
    for kind in ("convex", "indefinite"):
        for _ in range(20):
            A = rng.normal(size=(6, 6))
            H = A @ A.T + np.eye(6) if kind == "convex" else (A + A.T) / 2
            g = rng.normal(size=6)
            p, promised, at_edge = truncated_step(lambda v: H @ v, g, 1e3 if kind == "convex" else 1.0, 1e-12)
            assert promised == pytest.approx(-(g @ p + p @ H @ p / 2)) and promised > 0
            if kind == "convex":
                assert np.allclose(p, -np.linalg.solve(H, g)) and not at_edge
            else:
                assert not at_edge or np.linalg.norm(p) == pytest.approx(1.0)
                assert promised <= exact_step(g, *np.linalg.eigh(H), 1.0)[1] * (1 + 1e-9)


def test_directions_descend_whatever_the_hessian():
    rng = np.random.default_rng(5)
    for kind in ("indefinite", "convex", "singular"):
        g, H = quadratic(kind, 5, rng)
        d, convex = descent_direction(H, g)
        assert g @ d < 0 and convex == (kind == "convex")
    assert descent_direction(np.zeros((2, 2)), np.ones(2))[0].tolist() == [-1.0, -1.0]
    g, H = np.ones(2), np.diag([1e12, 1e-12])  # different units do no harm
    assert descent_direction(H, g)[1]


CURVES = {
    "rising late": lambda t: -t / (t**2 + 2),
    "narrow": lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
    "quartic": lambda t: (t - 3) ** 4,
    "logarithm": lambda t: t - np.log(t + 0.5),
    "wall": lambda t: -np.log(0.7 - t) - 8 * t,
}


@pytest.mark.parametrize("first", [1e-3, 0.1, 10.0, 1e3])
@pytest.mark.parametrize("name", CURVES)
def test_line_searches(name: str, first: float):
    """The curves of Moré and Thuente's kind, from trials far too short and far too long."""
    curve = CURVES[name]
    problem = Problem(lambda x: curve(x[0]), [0.0])
    start = problem.start()
    d = -np.sign(start.gradient)
    slope = float(start.gradient @ d)
    t, point = strong_wolfe(problem, start, d, first, flatten=0.1)
    assert point.value <= start.value + 1e-4 * t * slope
    assert abs(float(point.gradient @ d)) <= 0.1 * abs(slope)
    assert problem.nfev <= 22
    t, point = backtracking(problem, start, d, first)
    assert point.value <= start.value + 1e-4 * t * slope
    assert backtracking(problem, start, -d, first) is None and strong_wolfe(problem, start, -d, first) is None


def test_names_of_components():
    p = Problem(lambda x: 0.0, {"b": np.zeros((2, 2)), "a": [1.0, (2.0, np.zeros(2))]}).parameters
    assert [p.name(i) for i in range(p.n)] == [
        "x['a'][0]", "x['a'][1][0]", "x['a'][1][1][0]", "x['a'][1][1][1]",
        "x['b'][0, 0]", "x['b'][0, 1]", "x['b'][1, 0]", "x['b'][1, 1]",
    ]  # fmt: skip
