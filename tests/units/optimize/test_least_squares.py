"""Levenberg-Marquardt: one step in a trust region, the last digit, nested parameters, and what it refuses."""

import numpy as np
import pytest

from bibun.optimize import minimize
from bibun.optimize.least_squares import Linear, Squares, triangle

T = np.linspace(0, 2, 20)
Y = 3 * np.exp(-1.5 * T) + 0.01 * np.cos(9 * T)


def decay(p):
    return p["scale"] * np.exp(-p["rate"] * T) - Y


def fitted(f=decay, x0=None, **options):
    return minimize(f, {"scale": 1.0, "rate": 1.0} if x0 is None else x0, "levenberg-marquardt", **options)


def test_nested_parameters_and_what_a_result_holds():
    r = fitted(path=True)
    assert r.success and r.method == "levenberg-marquardt" and r.path[0] == {"scale": 1.0, "rate": 1.0}
    assert r.residuals.shape == (20,) and r.jacobian.shape == (20, 2)
    assert r.fun == pytest.approx(np.sum(r.residuals**2) / 2)
    newton = minimize(lambda p: np.sum(decay(p) ** 2) / 2, {"scale": 1.0, "rate": 1.0}, "newton", gtol=1e-13)
    assert r.x["scale"] == pytest.approx(newton.x["scale"], rel=1e-12)
    assert r.x["rate"] == pytest.approx(newton.x["rate"], rel=1e-12)


def test_the_last_digit_of_large_residuals():
    # Gauss-Newton gains a constant factor a step here; the Newton steps at the end make up for it
    x = np.linspace(0, 3, 40)
    y = np.exp(-x) + 0.4 * np.cos(5 * x)

    def f(b):
        return y - np.exp(-b[0] * x) * b[1]

    r = fitted(f, [0.5, 1.0])
    rough = fitted(f, [0.5, 1.0], to_the_last_digit=False, ftol=1e-4)
    mp = pytest.importorskip("mpmath")
    with mp.workdps(40):
        exact = mp.findroot(
            lambda a, b: (
                mp.fsum((mp.mpf(v) - b * mp.exp(-a * t)) * mp.exp(-a * t) for t, v in zip(x, y, strict=True)),
                mp.fsum((mp.mpf(v) - b * mp.exp(-a * t)) * t * mp.exp(-a * t) for t, v in zip(x, y, strict=True)),
            ),
            tuple(r.x),
        )
    np.testing.assert_allclose(r.x, [float(v) for v in exact], rtol=3e-15)
    assert abs(rough.x - r.x).max() > 1e-9


@pytest.mark.parametrize("radius", [1e-3, 0.1, 1.0, 30.0, 1e9])
def test_a_step_is_the_damped_minimizer_within_its_radius(radius):
    rng = np.random.default_rng(0)
    J, r = rng.normal(size=(9, 4)) * [1e3, 1.0, 1e-4, 1.0], rng.normal(size=9)
    J[:, 3] = J[:, 1] + 1e-6 * J[:, 3]
    scale = np.linalg.norm(J, axis=0)
    step = Linear(r, J, scale).step(radius)
    assert step.length == pytest.approx(np.linalg.norm(scale * step.p), rel=1e-6)
    assert step.length <= 1.1 * radius and (step.damping == 0 or step.length >= radius * (1 - 1e-12))
    A = np.concatenate([J, np.sqrt(step.damping) * np.diag(scale)])
    right = np.linalg.lstsq(A / np.linalg.norm(A, axis=0), -np.concatenate([r, np.zeros(4)]), rcond=None)[0]
    np.testing.assert_allclose(step.p, right / np.linalg.norm(A, axis=0), rtol=1e-5)
    assert step.promised == pytest.approx((r @ r - np.sum((r + J @ step.p) ** 2)) / 2, rel=1e-6)


def test_the_triangle_of_many_rows():
    A = np.random.default_rng(1).normal(size=(9001, 5))
    R = triangle(A)
    assert R.shape == (5, 5) and not np.tril(R, -1).any()
    np.testing.assert_allclose(R.T @ R, A.T @ A, rtol=1e-11, atol=1e-9)


def test_elements_that_are_held():
    squares = Squares(lambda x, y: y - x[0] * np.exp(-x[1] * T) - x[2])
    at, free = np.array([3.0, 1.0, 0.1]), np.array([True, False, True])
    held = squares.held(at, free)
    r = minimize(held, at[free], "levenberg-marquardt", args=Y)
    A = np.column_stack([np.exp(-T), np.ones(20)])
    np.testing.assert_allclose(r.x, np.linalg.lstsq(A, Y, rcond=None)[0], rtol=1e-12)
    v, p = at[free], np.array([0.3, -0.2])
    np.testing.assert_allclose(held.bend(v, p, Y), squares.bend(at, np.array([0.3, 0.0, -0.2]), Y))
    np.testing.assert_allclose(held.curvature(v, Y, Y), squares.curvature(at, Y, Y)[np.ix_(free, free)])


def test_flat_directions_and_no_direction_at_all():
    r = fitted(lambda x: x[:1] + x[1:] - 1.0, [5.0, 5.0])
    assert r.success and r.fun < 1e-30 and r.x.sum() == pytest.approx(1)
    r = fitted(lambda x: 0 * x + 1.0, [5.0])
    assert r.success and r.nit == 0


def test_a_narrow_curved_valley():
    r = fitted(lambda x: np.stack([1e4 * (x[1] - x[0] ** 3), 1 - x[0]]), [-1.2, 1.0])
    assert r.success and r.nit < 100
    np.testing.assert_allclose(r.x, [1.0, 1.0], rtol=1e-12)


def test_what_is_not_finite_on_the_way():
    r = fitted(lambda x: np.log(x) - 2.0, [300.0])
    assert r.success and r.x[0] == pytest.approx(np.exp(2)) and "not finite at" in r.message


def test_a_wrong_derivative_is_no_minimum():
    r = fitted(lambda x: np.floor(5 * x) - 0.3 * x, [0.99])
    assert r.success or "no step" in r.message


@pytest.mark.parametrize(
    ("error", "words", "options"),
    [
        (ValueError, "takes no bounds: use method='trf' or 'dogbox'", {"bounds": [(0, 1), (0, 1)]}),
        (TypeError, "no option 'initial_radius'.*initial_trust_radius", {"initial_radius": 1.0}),
        (ValueError, "initial_trust_radius=-1", {"initial_trust_radius": -1.0}),
        (TypeError, "returned None: least squares needs residuals", {"f": lambda p: None}),
        (TypeError, "f is int", {"f": 3}),
        (ValueError, "not finite at x0: .*scale", {"f": lambda p: np.log(p["scale"] - 1.0) * T}),
        (ValueError, "batch_size", {"batch_size": 3}),
    ],
)
def test_refusals(error, words, options):
    with pytest.raises(error, match=words):
        fitted(**options)


def test_ctrl_c_keeps_the_best():
    calls = 0

    def interrupted(p):
        nonlocal calls
        calls += 1
        if calls == 12:
            raise KeyboardInterrupt
        return decay(p)

    r = fitted(interrupted)
    assert not r.success and "interrupted" in r.message.lower() and r.residuals.shape == (20,)
