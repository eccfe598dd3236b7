"""Every method on every test function: what it needs is in evaluations.json and may not silently worsen."""

import warnings

import numpy as np
import pytest

from bibun.optimize import minimize
from bibun.optimize.scipy_methods import MINIMIZE

from .beside import PAIRS, compared, runs
from .functions import FUNCTIONS, TestFunction
from .table import CLOSE, FIRST_ORDER, OURS, at_a_minimum, read, run

TABLE = read()
BY_NAME = {t.name: t for t in FUNCTIONS}


@pytest.mark.parametrize("method", OURS)
@pytest.mark.parametrize("name", BY_NAME)
def test_methods_on_functions(name: str, method: str):
    t, row = BY_NAME[name], TABLE[name][method]
    if not row["expected"]:
        assert method in FIRST_ORDER, "the others solve everything"
        r = run(t, method, maxiter=20)
        assert np.isfinite(r.fun) and r.fun <= t.f(t.x0)
        assert r.success or "Stopped" in r.message
        return
    r = run(t, method)
    assert r.success, r.message
    assert at_a_minimum(t, r.fun, CLOSE[method]), f"{r.fun} is none of {t.minima}"
    for what in ("nit", "nfev", "njev", "nhev"):
        assert r[what] <= 1.1 * row[what] + 2, (
            f"{what} was {row[what]}; if it must be {r[what]}, run python -m tests.units.optimize.table"
        )


def test_table_is_whole():
    assert set(TABLE) == set(BY_NAME) and len(TABLE) >= 26
    assert all(set(rows) == set(OURS) for rows in TABLE.values())
    for m in FIRST_ORDER:
        assert sum(TABLE[n][m]["expected"] for n in TABLE) >= 19


@pytest.mark.parametrize("method", MINIMIZE)
def test_scipys_methods_on_functions(method: str):
    """Same problem, same result; how many evaluations they need is SciPy's affair."""
    if method == "COBYQA":
        pytest.importorskip("scipy", "1.14")
    for t in FUNCTIONS[:: 1 if method in ("BFGS", "L-BFGS-B", "trust-exact") else 4]:
        if method == "dogleg" and t.name not in ("sphere", "5 Beale"):
            continue  # needs positive definite Hessians all the way
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy warns where its own line search gives up
            r = minimize(t.f, t.x0, method, maxiter=60)
        assert np.isfinite(r.fun) and r.fun <= t.f(t.x0) and r.x.shape == t.x0.shape
        assert r.message.startswith(f"SciPy's {method}, after ") and f"f = {r.fun:.10g}" in r.message
        assert r.nfev > 0 and r.nit >= 0 and isinstance(bool(r.success), bool)


@pytest.mark.parametrize("method", ["least_squares", "trf", "dogbox", "lm"])
def test_least_squares_on_functions(method: str):
    solved = 0
    squares = [t for t in FUNCTIONS if t.residuals and t.name not in ("20 Watson, n=9",)]
    for t in squares:
        r = minimize(t.residuals, t.x0, method, tol=1e-12)
        solved += at_a_minimum(t, 2 * r.fun, 1e-6)
        assert r.jac.shape == t.x0.shape and 2 * r.fun == pytest.approx(float(np.sum(r.residuals**2)))
    assert solved >= 0.85 * len(squares)


@pytest.fixture(scope="module")
def all_runs():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {m: runs(m) for m in dict.fromkeys(m for pair in PAIRS for m in pair)}


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_no_more_evaluations_than_scipy(all_runs, ours: str, theirs: str):
    mine, others, missed = compared(all_runs[ours], all_runs[theirs])
    assert not missed, f"{theirs} solves them, {ours} does not"
    if ours != "newton":  # a line search, for comparison: the trust region is the default
        assert mine <= others


def test_the_functions_are_the_published_ones():
    """Values at the standard starts, from the residuals written out again by hand for some."""
    value = {t.name: float(t.f(t.x0)) for t in FUNCTIONS}
    assert value["1 Rosenbrock"] == pytest.approx(24.2)
    assert value["2 Freudenstein-Roth"] == pytest.approx(400.5)
    assert value["5 Beale"] == pytest.approx(14.203125)
    assert value["7 Helical valley"] == pytest.approx(2500.0)
    assert value["13 Powell singular"] == pytest.approx(215.0)
    assert value["14 Wood"] == pytest.approx(19192.0)
    assert value["16 Brown-Dennis"] == pytest.approx(7926693.336997432)
    assert isinstance(FUNCTIONS[0], TestFunction)
