"""NIST's 27 nonlinear regressions from both starts: 8 digits at least of everything that is certified."""

import json
from pathlib import Path

import numpy as np
import pytest

from bibun.models.nls import NonlinearResult, nls
from tests.units.estimators.nist_digits import digits

PROBLEMS = json.loads((Path(__file__).parents[2] / "golden/nist_nonlinear.json").read_text(encoding="utf-8"))[
    "problems"
]
FUNCTIONS = {name: getattr(np, name) for name in ("exp", "log", "sin", "cos", "arctan", "pi")}
RUNS = [(name, start) for name in PROBLEMS for start in ("start 1", "start 2")]


def fit(name: str, start: str) -> NonlinearResult:
    """One of the runs; the model is the text of NIST's file."""
    problem = PROBLEMS[name]
    mean = compile(problem["model"], name, "eval")
    data = {k: np.array(v) for k, v in problem["data"].items()}
    data["y"] = eval(problem["response"], FUNCTIONS, dict(data))
    return nls(lambda p, d: eval(mean, FUNCTIONS, {**p, **d}), by_name(problem[start]), data)


def by_name(values):
    return {f"b{k + 1}": v for k, v in enumerate(values)}


@pytest.mark.parametrize(("name", "start"), RUNS)
def test_certified_digits(name, start):
    problem, r = PROBLEMS[name], fit(name, start)
    assert r.search.success and r.converged, (r.search.message, str(r.certificate))
    assert digits(r.coef, problem["values"]) >= 10
    if name == "Lanczos1":  # data of 14 digits: what is left is their rounding, and only its size is told
        assert digits(r.se(), problem["deviations"]) >= 2
        return
    assert digits(r.se(), problem["deviations"]) >= 10
    assert digits(r.rss, problem["residual sum of squares"]) >= 10
    assert digits(np.sqrt(r.scale), problem["residual standard deviation"]) >= 10
    assert r.df_resid == (11 if name == "Rat43" else problem["degrees of freedom"])


def test_all_27_are_there():
    assert len(PROBLEMS) == 27 and len(RUNS) == 54


@pytest.mark.parametrize("name", ["BoxBOD", "MGH09", "MGH17", "Misra1d", "Nelson", "Rat43"])
def test_profile_intervals_are_where_the_sum_of_squares_says(name):
    # the other way to them: walk there with the parameter fixed
    from bibun import Fixed

    r = fit(name, "start 2")
    ends, rise = r.conf_int(method="profile"), r.scale * r._quantile(0.95) ** 2
    for k, label in enumerate(r.labels):
        for end in ends[k]:
            others = dict(zip(r.labels, r.coef, strict=True))
            for value in np.linspace(r.coef[k], end, 6)[1:]:
                start = {n: Fixed(value) if n == label else v for n, v in others.items()}
                refitted = nls(r.objective.f, start, dict(r.objective.data))
                others.update(refitted.params)
            assert refitted.rss - r.rss == pytest.approx(rise, rel=1e-9)
