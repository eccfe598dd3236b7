"""What `minimize` does with nested parameters, paths, callbacks, interruptions, data, and users' mistakes."""

import dataclasses
import warnings
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, OptimizeResult

import bibun as bb
from bibun.optimize import minimize
from bibun.optimize import search as search_module
from bibun.optimize.minimize import METHODS
from bibun.optimize.scipy_methods import LEAST_SQUARES, MINIMIZE

SAMPLE = np.array([1.0, 2.0, 4.0, 3.0])
EVERY = [*METHODS, "BFGS", "L-BFGS-B", "trust-exact", "Newton-CG", "Nelder-Mead"]


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def normal(p):
    """A negative log-likelihood that is not finite for a negative scale."""
    return np.sum(np.log(p["scale"]) + 0.5 * ((SAMPLE - p["loc"]) / p["scale"]) ** 2)


@dataclasses.dataclass
class Pair:
    a: Any
    b: Any


Named = namedtuple("Named", "u v")


# --- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", EVERY)
def test_nested_parameters(method: str):
    def f(p):
        return (
            np.sum((p.a - 2) ** 2)
            + (p.b["u"][0] - 1) ** 2
            + np.sum((p.b["v"].v - np.array([0.0, 5.0])) ** 2)
            + np.sum(p.b["v"].u ** 2)
        )

    x0 = Pair(np.ones(2), {"v": Named(0.5, np.zeros((1, 2))), "u": [3.0]})
    r = minimize(f, x0, method, path=True)
    assert isinstance(r, OptimizeResult) and r.success, r.message
    for x in (r.x, r.path[0], r.path[-1], *([r.jac] if r.get("jac") is not None else [])):
        assert isinstance(x, Pair) and isinstance(x.b["v"], Named) and isinstance(x.b["u"], list)
        assert x.a.shape == (2,) and x.b["v"].v.shape == (1, 2) and np.shape(x.b["v"].u) == ()
    assert np.allclose(r.x.a, 2, atol=1e-3) and np.allclose(r.x.b["v"].v, [[0, 5]], atol=1e-2)
    assert len(r.path) == len(r.path_fun) and r.path_fun[0] == pytest.approx(f(x0))


@pytest.mark.parametrize("x0", [3.0, np.array(3.0), np.array([[3.0, 1.0], [0.0, 2.0]]), [3, 1], (3.0, 1), np.arange(3)])
def test_shapes_are_kept(x0):
    r = minimize(lambda x: np.sum((x - 1) ** 4 + (x - 1) ** 2), x0)
    assert r.success and np.shape(r.x) == np.shape(x0) and np.shape(r.jac) == np.shape(x0)
    assert np.allclose(r.x, 1) and np.asarray(r.x).dtype == np.float64


def test_start_is_not_touched():
    x0 = {"a": np.array([1.0, 2.0])}
    r = minimize(lambda p: np.sum(p["a"] ** 2), x0, path=True)
    assert x0["a"].tolist() == [1.0, 2.0]
    r.x["a"][:] = 7
    assert r.path[-1]["a"].max() < 1


def test_args_and_data():
    r = minimize(lambda x, a, b: np.sum((x - a) ** 2) + b, np.zeros(2), args=(3.0, 1.0))
    assert np.allclose(r.x, 3) and r.fun == pytest.approx(1)
    r = minimize(lambda x, d, a: np.sum((d["y"] - x) ** 2) + a, 0.0, data={"y": SAMPLE}, args=2.0)
    assert r.x == pytest.approx(2.5)


# --- the path, callbacks, counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", EVERY)
def test_path_and_counts(method: str):
    calls = []

    def f(x):
        calls.append(isinstance(x, bb.Variable))
        return np.sum((x - 1) ** 2 * [1, 3]) + np.sum(x**4)

    r = minimize(f, np.array([3.0, -2.0]), method, path=True)
    assert r.success, r.message
    assert len(r.path) == len(r.path_fun) >= 2 and r.path[0].tolist() == [3.0, -2.0]
    assert np.allclose(r.path[-1], r.x, atol=1e-5) and r.path_fun[-1] == pytest.approx(r.fun)
    assert r.nfev >= r.nit and r.nfev <= len(calls) and (r.njev > 1) == (method != "Nelder-Mead")
    assert not hasattr(minimize(f, np.ones(2), method), "path")


@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize("spelling", ["x", "intermediate_result", "true"])
def test_callback_stops(method: str, spelling: str):
    seen = []

    def by_x(x):
        seen.append(x.copy())
        if len(seen) == 3:
            raise StopIteration

    def by_result(intermediate_result):
        seen.append(intermediate_result.x)
        assert intermediate_result.fun == pytest.approx(rosenbrock(intermediate_result.x))
        if len(seen) == 3:
            raise StopIteration

    callback = {"x": by_x, "intermediate_result": by_result, "true": lambda x: seen.append(x) or len(seen) == 3}[
        spelling
    ]
    r = minimize(rosenbrock, [-1.2, 1.0], method, callback=callback)
    assert len(seen) == 3 and r.nit == 3
    assert not r.success and r.status == 99 and "by the callback" in r.message
    assert r.fun <= rosenbrock(np.array([-1.2, 1.0]))


# --- Ctrl-C, values that are not finite -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [*METHODS, *(m for m in MINIMIZE if m not in ("dogleg", "COBYQA"))])
def test_interrupted(method: str):
    count = 0

    def f(x):
        nonlocal count
        count += 1
        if count > 15:
            raise KeyboardInterrupt
        return rosenbrock(x)

    r = minimize(f, np.array([-1.2, 1.0]), method)
    assert not r.success and r.status == 98
    assert r.message.startswith("Interrupted after ") and "best point so far" in r.message
    assert r.fun == pytest.approx(rosenbrock(r.x)) and r.fun <= 24.2


def test_interrupted_least_squares():
    count = 0

    def f(x):
        nonlocal count
        count += 1
        if count > 6:
            raise KeyboardInterrupt
        return np.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    r = minimize(f, [-1.2, 1.0], "trf")
    assert not r.success and "Interrupted" in r.message and r.fun <= 12.1


@pytest.mark.parametrize("method", EVERY)
def test_backs_away_from_what_is_not_finite(method: str):
    r = minimize(normal, {"loc": 0.0, "scale": 0.3}, method)
    assert r.success, r.message
    assert r.x["loc"] == pytest.approx(2.5, abs=1e-3) and r.x["scale"] == pytest.approx(SAMPLE.std(), abs=1e-3)


def test_message_names_what_was_not_finite():
    r = minimize(normal, {"loc": 0.0, "scale": 0.05}, "newton")
    assert r.success
    assert "f was not finite at " in r.message and "backed away from" in r.message
    assert "log made a NaN, with x['scale'] = -0." in r.message and "x['loc']" not in r.message.split("log made")[1]


def test_a_matrix_that_is_not_positive_definite_is_backed_away_from():
    def f(A):
        return np.trace(A) - 2 * np.sum(np.log(np.diag(np.linalg.cholesky(A))))

    r = minimize(f, np.eye(2) * 20)
    assert r.success and np.allclose(r.x, np.eye(2), atol=1e-6)


@pytest.mark.parametrize("method", [*METHODS, "BFGS", "Nelder-Mead"])
def test_not_finite_at_the_start(method: str):
    with pytest.raises(ValueError, match=r"f is not finite at x0: log made a NaN, with x\['scale'\] = -1\. A search"):
        minimize(normal, {"loc": 0.0, "scale": -1.0}, method)


def test_infinite_slope_at_the_start():
    with pytest.raises(ValueError, match="not finite at x0: the derivative with respect to x is inf, with x = 0"):
        minimize(np.sqrt, 0.0)


def test_residuals_not_finite_at_the_start():
    with pytest.raises(ValueError, match="not finite at x0: log made a NaN, with x = -1"):
        minimize(lambda x: np.log(x) * SAMPLE, -1.0, "trf")


# --- why it stopped ---------------------------------------------------------------------------------------------------


def test_messages_have_the_figures():
    r = minimize(rosenbrock, [-1.2, 1.0])
    assert r.message == (
        f"Converged after {r.nit} iterations: no component of the gradient is above gtol = 1e-08 (f = {r.fun:.10g}, "
        f"largest gradient component {r.jac[np.abs(r.jac).argmax()]:.3g} at x[{np.abs(r.jac).argmax()}])."
    )
    r = minimize(rosenbrock, [-1.2, 1.0], "gradient-descent", maxiter=5)
    assert r.status == 1 and r.nit == 5 and not r.success
    assert r.message.startswith("Stopped after 5 iterations, all that maxiter allows, before any rule was met (f = ")
    assert r.message.endswith(
        "Start again from this x with a larger maxiter, or try method='trust-newton' or 'l-bfgs'."
    )
    r = minimize(rosenbrock, [1.0, 1.0])
    assert r.success and r.nit == 0 and "after 0 iterations" in r.message


def test_decrement_rule_takes_the_last_step():
    y = np.random.default_rng(0).poisson(50, size=1000)
    r = minimize(lambda b: np.sum(np.exp(b) - y * b), 3.0)
    assert r.success and r.status in (0, 4) and r.x == pytest.approx(np.log(y.mean()), rel=1e-14)
    r = minimize(lambda b: 1e9 * np.sum(np.exp(b) - y * b), 3.0)
    assert r.status == 4 and "a last Newton step was to lower the value by" in r.message
    assert r.x == pytest.approx(np.log(y.mean()), rel=1e-14)


def test_value_and_step_rules():
    r = minimize(lambda x: 1 + rosenbrock(x), [-1.2, 1.0], "l-bfgs", ftol=1e-3)
    assert r.status == 5 and "not above ftol = 0.001 of it" in r.message
    r = minimize(rosenbrock, [-1.2, 1.0], "gradient-descent", xtol=1e-4)
    assert r.status == 6 and "not above xtol = 0.0001 of them" in r.message


def test_no_minimum():
    r = minimize(lambda x: -np.sum(x**2), [1.0, 2.0])
    assert r.status == 3 and not r.success and "no minimum: bound the parameters, or check the sign" in r.message


def test_a_step_that_is_too_long_says_so():
    r = minimize(lambda x: np.sum(x**2), [1.0, 2.0], "gradient-descent", step=1.1)
    assert r.status == 8 and r.x.tolist() == [1.0, 2.0]
    assert "they led upwards, from 5 to " in r.message and "below 2 / L = 1." in r.message


def test_kinks_and_rounding_are_told_apart():
    r = minimize(lambda x: np.sum(np.abs(x - np.array([0.1, 0.2]))), [1.0, 2.7], "l-bfgs")
    assert r.success or ("no step in the direction" in r.message and "kink" in r.message)
    big = 1e8
    r = minimize(lambda x: big + np.sum(np.exp(x) - 3 * x), [2.0, 3.0], "l-bfgs", gtol=0)
    assert r.status == 7 and r.success and "as far as float64 goes" in r.message
    assert np.allclose(r.x, np.log(3), atol=1e-4)


# --- first-order methods ----------------------------------------------------------------------------------------------


def test_fixed_steps_are_the_textbook_ones():
    H = np.diag([1.0, 4.0])

    def f(x):
        return x @ H @ x / 2

    x = np.array([1.0, 1.0])
    r = minimize(f, x, "gradient-descent", step=0.1, maxiter=7, path=True)
    for found in r.path[1:]:
        x = x - 0.1 * H @ x
        assert np.allclose(found, x)
    x, v = np.array([1.0, 1.0]), 0.0
    r = minimize(f, x, "momentum", step=0.1, beta=0.5, maxiter=7, path=True)
    for found in r.path[1:]:
        v = 0.5 * v - 0.1 * H @ x
        x = x + v
        assert np.allclose(found, x)
    theta, v = np.array([1.0, 1.0]), np.zeros(2)  # Nesterov, written with the point itself: ahead = theta + beta v
    r = minimize(f, theta, "nesterov", step=0.1, beta=0.5, maxiter=7, path=True)
    for found in r.path[1:]:
        v = 0.5 * v - 0.1 * H @ (theta + 0.5 * v)
        theta = theta + v
        assert np.allclose(found, theta + 0.5 * v)
    x, m, w = np.array([1.0, 1.0]), 0.0, 0.0
    r = minimize(f, x, "adam", step=0.1, maxiter=7, path=True)
    for k, found in enumerate(r.path[1:], 1):
        g = H @ x
        m, w = 0.9 * m + 0.1 * g, 0.999 * w + 0.001 * g**2
        x = x - 0.1 * (m / (1 - 0.9**k)) / (np.sqrt(w / (1 - 0.999**k)) + 1e-8)
        assert np.allclose(found, x)


def test_step_from_the_curvature():
    r = minimize(lambda x: np.sum(x**2 * [1, 5]), [1.0, 1.0], "gradient-descent", step="curvature", path=True)
    assert r.success and np.allclose(r.path[1], [0.8, 0.0])
    r = minimize(lambda x: np.sum(x**2), np.ones(60), "gradient-descent", step="curvature")
    assert r.success and r.nit <= 2


X = np.random.default_rng(1).normal(size=(300, 3))
Y = (np.random.default_rng(2).uniform(size=300) < 1 / (1 + np.exp(-X @ [1.0, -1.0, 0.5]))).astype(float)


def loss(beta, rows):
    x, y = rows
    return np.mean(np.logaddexp(0, x @ beta) - y * (x @ beta))


@pytest.mark.parametrize("method", ["gradient-descent", "momentum", "nesterov", "adam"])
def test_mini_batches(method: str):
    best = minimize(loss, np.zeros(3), data=(X, Y))
    settings = {"data": (X, Y), "batch_size": 32, "maxiter": 40, "decay": 0.1}
    runs = [minimize(loss, np.zeros(3), method, rng=np.random.default_rng(5), path=True, **settings) for _ in range(2)]
    assert all(np.array_equal(a, b) for a, b in zip(runs[0].path, runs[1].path, strict=True)), "the seed decides"
    other = minimize(loss, np.zeros(3), method, rng=6, **settings)
    assert not np.array_equal(other.x, runs[0].x)
    assert runs[0].fun < best.fun + 1e-2 and runs[0].fun == pytest.approx(float(loss(runs[0].x, (X, Y))))
    assert runs[0].nit == 40 and "after 40 passes" in runs[0].message and runs[0].nfev == 1 + 40 * 11


def test_mini_batches_of_frames():
    pandas = pytest.importorskip("pandas")
    data = {"x": pandas.DataFrame(X), "y": pandas.Series(Y)}
    r = minimize(
        lambda b, d: loss(b, (d["x"].to_numpy(), d["y"].to_numpy())),
        np.zeros(3), "adam", data=data, batch_size=50, rng=0, maxiter=2,
    )  # fmt: skip
    assert r.nit == 2


def test_mini_batches_back_away():
    def f(x, rows):
        return np.mean(rows * x - np.log(x))

    rows = np.random.default_rng(0).uniform(0.5, 1.5, size=64)
    r = minimize(f, 0.01, "gradient-descent", data=rows, batch_size=16, rng=0, step=10.0, maxiter=100)
    assert np.isfinite(r.fun) and r.x > 0 and "f was not finite" in r.message


# --- many parameters --------------------------------------------------------------------------------------------------


def test_conjugate_gradients_where_parameters_are_many():
    scale = np.linspace(1, 50, 400)

    def f(x):
        return np.sum(scale * (x - 1) ** 2) + np.sum(x[1:] ** 2 * x[:-1] ** 2)

    r = minimize(f, np.zeros(400))
    assert r.success and r.nhev > r.nit
    few = minimize(f, np.zeros(400), subproblem="exact")
    assert few.success and few.nhev <= few.nit + 1 and np.allclose(few.x, r.x, atol=1e-6)
    assert minimize(f, np.zeros(400), "trust-ncg").success
    nested = minimize(lambda p: f(np.concatenate([p["a"], p["b"]])), {"a": np.zeros(150), "b": np.zeros(250)})
    assert nested.nit == r.nit and np.allclose(nested.x["b"], r.x[150:])


# --- SciPy's methods --------------------------------------------------------------------------------------------------


def far(p):
    return np.sum((p["a"] - 2) ** 2) + p["b"] ** 2


START = {"a": np.full(2, 0.5), "b": 1.0}


@pytest.mark.parametrize("method", ["L-BFGS-B", "TNC", "SLSQP", "trust-constr"])
def test_bounds(method: str):
    for bounds in (
        ({"a": 0.0, "b": 0.5}, {"a": 1.0, "b": 9.0}),
        [(0, 1), (0, 1), (0.5, None)],
        Bounds([0, 0, 0.5], [1, 1, 9]),
    ):
        r = minimize(far, START, method, bounds=bounds)
        assert r.success and np.allclose(r.x["a"], 1, atol=1e-3) and r.x["b"] == pytest.approx(0.5, abs=1e-2)


@pytest.mark.parametrize("method", ["SLSQP", "trust-constr"])
def test_constraints(method: str):
    kinds = [
        NonlinearConstraint(lambda p: np.sum(p["a"] ** 2) - p["b"], 0, 0),
        LinearConstraint(np.ones((1, 3)), 3, 3),
        {"type": "eq", "fun": lambda p: np.sum(p["a"]) - p["b"]},
    ]
    for c in kinds[: 3 if method == "SLSQP" else 2]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # trust-constr: "delta_grad == 0.0"
            r = minimize(far, START, method, constraints=c)
        assert r.success, r.message
        if isinstance(c, NonlinearConstraint):
            assert np.sum(r.x["a"] ** 2) == pytest.approx(r.x["b"], abs=1e-6)


def test_least_squares_result():
    t = np.linspace(0, 2, 20)
    y = 3 * np.exp(-1.5 * t) + 0.01 * np.cos(9 * t)

    def residuals(p):
        return p["scale"] * np.exp(-p["rate"] * t) - y

    found = [minimize(residuals, {"scale": 1.0, "rate": 1.0}, m, path=True) for m in LEAST_SQUARES]
    for r in found:
        assert r.success and r.jacobian.shape == (20, 2) and r.residuals.shape == (20,)
        assert r.fun == pytest.approx(np.sum(r.residuals**2) / 2) and set(r.jac) == {"scale", "rate"}
        assert r.path[0] == {"scale": 1.0, "rate": 1.0} and r.x["rate"] == pytest.approx(found[0].x["rate"], rel=1e-6)
    newton = minimize(lambda p: np.sum(residuals(p) ** 2) / 2, {"scale": 1.0, "rate": 1.0})
    assert newton.x["scale"] == pytest.approx(found[0].x["scale"], rel=1e-6)
    bounded = minimize(residuals, {"scale": 1.0, "rate": 1.0}, "trf", bounds=(0.0, {"scale": 2.0, "rate": 9.0}))
    assert bounded.x["scale"] <= 2.0


def test_methods_without_derivatives_take_functions_without():
    r = minimize(lambda x: float(abs(x[0] - 1)) + float(abs(x[1])), [3.0, 3.0], "Nelder-Mead")
    assert r.success and r.get("jac") is None and r.njev == 0


# --- progress ---------------------------------------------------------------------------------------------------------


def test_progress_on_long_runs(capsys, monkeypatch):
    monkeypatch.setattr(search_module, "QUIET", 0.0)
    monkeypatch.setattr(search_module, "SELDOM", 0.0)
    minimize(rosenbrock, [-1.2, 1.0], "l-bfgs", progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 20 and lines[3].startswith("l-bfgs: iteration 3 of at most 10000, 0 s, f = ")
    minimize(rosenbrock, [-1.2, 1.0], "l-bfgs")
    assert capsys.readouterr().err == "", "stderr is no terminal here"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(search_module, "EVERY", 0.0)
    minimize(rosenbrock, [-1.2, 1.0], "l-bfgs")
    shown = capsys.readouterr().err
    assert "\r\x1b[Kl-bfgs: iteration 5" in shown and "\n" not in shown and shown.endswith("\r\x1b[K")


def test_short_runs_are_silent(capsys):
    minimize(rosenbrock, [-1.2, 1.0], progress=True)
    assert capsys.readouterr().err == ""


# --- mistakes ---------------------------------------------------------------------------------------------------------


def square(x):
    return np.sum(x**2)


@pytest.mark.parametrize(
    ("error", "said", "call"),
    [
        (ValueError, r"unknown method 'newtn'\. Did you mean 'newton'\? Ours: trust-newton,", lambda: minimize(square, [1.0], "newtn")),
        (ValueError, r"Did you mean 'L-BFGS-B'\?", lambda: minimize(square, [1.0], "lbfgsbb")),
        (ValueError, r"unknown method 'qqq'\. Ours: ", lambda: minimize(square, [1.0], "qqq")),
        (TypeError, "method is NoneType", lambda: minimize(square, [1.0], None)),
        (ValueError, "x0 holds no number", lambda: minimize(square, [])),
        (ValueError, "x0 holds no number", lambda: minimize(square, {"a": np.zeros(0)})),
        (ValueError, r"x0 is not finite: x\['a'\]\[1\] = nan; give", lambda: minimize(square, {"a": np.array([1, np.nan])})),
        (TypeError, "x of x0 is boolean", lambda: minimize(square, np.array([True]))),
        (TypeError, r"x\['z'\] of x0 is complex: give its real", lambda: minimize(square, {"a": 1.0, "z": 1j})),
        (TypeError, r"x\['n'\] of x0 is no number \(str\): leave it out", lambda: minimize(square, {"a": 1.0, "n": "hi"})),
        (TypeError, "<lambda> returned NoneType: .* is its `return` missing", lambda: minimize(lambda x: None, [1.0])),
        (ValueError, r"array of shape \(2,\): .*Sum it .*least_squares", lambda: minimize(lambda x: x**2, [1.0, 2.0])),
        (TypeError, "returned dtype bool", lambda: minimize(lambda x: np.sum(x) > 0, [1.0, 2.0])),
        (TypeError, "f is int", lambda: minimize(3, [1.0])),
        (TypeError, "returned None: least squares needs residuals", lambda: minimize(lambda x: None, [1.0], "lm")),
        (TypeError, r"l-bfgs has no option 'memry' \(did you mean 'memory'\?\)", lambda: minimize(square, [1.0], "l-bfgs", memry=3)),
        (TypeError, "adam has no option beta; it has step, decay, beta1", lambda: minimize(square, [1.0], "adam", beta=0.9)),
        (ValueError, "beta=1.5: the share", lambda: minimize(square, [1.0], "momentum", beta=1.5)),
        (ValueError, "step=-1", lambda: minimize(square, [1.0], "adam", step=-1)),
        (ValueError, "memory=0", lambda: minimize(square, [1.0], "l-bfgs", memory=0)),
        (ValueError, "subproblem='x'", lambda: minimize(square, [1.0], subproblem="x")),
        (ValueError, "maxiter=0: it is a whole", lambda: minimize(square, [1.0], maxiter=0)),
        (ValueError, "gtol=-1", lambda: minimize(square, [1.0], tol=-1)),
        (TypeError, "no jac, hess or hessp: bibun differentiates", lambda: minimize(square, [1.0], jac=True)),
        (ValueError, "trust-newton takes no bounds: use method='L-BFGS-B'", lambda: minimize(square, [1.0], bounds=[(0, 1)])),
        (ValueError, "3 bounds for 1 parameters", lambda: minimize(square, [1.0], "TNC", bounds=[(0, 1)] * 3)),
        (ValueError, r"bounds of x\[0\] are \(2, 1\)", lambda: minimize(square, [1.0], "TNC", bounds=[(2, 1)])),
        (TypeError, "callback is int", lambda: minimize(square, [1.0], callback=3)),
        (ValueError, "batch_size without data", lambda: minimize(square, [1.0], "adam", batch_size=2)),
        (ValueError, "batch_size needs rng=", lambda: minimize(loss, np.zeros(3), "adam", data=(X, Y), batch_size=2)),
        (ValueError, "batch_size=0: it is .* the 300 rows", lambda: minimize(loss, np.zeros(3), "adam", data=(X, Y), batch_size=0, rng=0)),
        (ValueError, r"data holds \(300, 3\), \(2,\)", lambda: minimize(loss, np.zeros(3), "adam", data=(X, Y[:2]), batch_size=2, rng=0)),
        (ValueError, "newton sees all data at once", lambda: minimize(loss, np.zeros(3), "newton", data=(X, Y), batch_size=2)),
    ],
)  # fmt: skip
def test_mistakes_are_sentences(error, said, call):
    with pytest.raises(error, match=said):
        call()


def test_scipys_spelling_of_options():
    r = minimize(rosenbrock, [-1.2, 1.0], "l-bfgs", options={"maxiter": 3, "memory": 5})
    assert r.nit == 3
    assert minimize(rosenbrock, [-1.2, 1.0], "L_BFGS").method == "l-bfgs"
    assert minimize(rosenbrock, [-1.2, 1.0], "gradient descent", maxiter=1).method == "gradient-descent"
    assert minimize(rosenbrock, [-1.2, 1.0], "bfgs", options={"maxiter": 3}).nit == 3
