"""nls by a formula: NIST's problems as their files have them, and what a formula may not be."""

import pickle

import numpy as np
import pytest

import bibun as bb
from tests.units.estimators.nist_digits import digits
from tests.units.models.test_nist_nonlinear import FUNCTIONS, PROBLEMS, by_name

BOD = {"x": np.array([1.0, 2, 3, 5, 7, 10]), "y": np.array([109.0, 149, 149, 191, 213, 224]), "g": list("ababab")}
START = {"top": 100.0, "rate": 0.75}
TEXT = "y ~ top * (1 - exp(-rate * x))"


@pytest.mark.parametrize("name", [n for n in PROBLEMS if n != "Roszman1"])  # arctan is not on the list
def test_nist(name):
    problem = PROBLEMS[name]
    data = {k: np.array(v) for k, v in problem["data"].items()}
    data["y"] = eval(problem["response"], FUNCTIONS, dict(data))
    r = bb.nls(f"y ~ {problem['model'].replace('pi', repr(np.pi))}", by_name(problem["start 2"]), data)
    assert r.converged and digits(r.coef, problem["values"]) >= 10
    assert digits(r.se(), problem["deviations"]) >= (2 if name == "Lanczos1" else 10)


def test_it_is_the_function():
    a = bb.nls(TEXT, START, BOD)
    b = bb.nls(lambda p, d: p.top * (1 - np.exp(-p.rate * d.x)), START, {k: BOD[k] for k in "xy"})
    np.testing.assert_allclose(a.cov_params(), b.cov_params(), rtol=1e-10)
    np.testing.assert_allclose(a.conf_int(method="profile"), b.conf_int(method="profile"), rtol=1e-8)
    new = {"x": np.array([4.0])}
    np.testing.assert_allclose(a.predict(new).conf_int(), b.predict(new).conf_int())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(a)).predict(new).value, a.predict(new).value)


def test_names_of_any_kind_domains_and_another_response():
    d = {"dose (mg)": BOD["x"], "濃度": BOD["y"]}
    r = bb.nls("濃度 ~ top * (1 - exp(-rate * `dose (mg)`))", {"top": 100.0, "rate": bb.Positive(start=0.75)}, d)
    np.testing.assert_allclose(r.coef, bb.nls(TEXT, START, BOD).coef, rtol=1e-9)
    half = bb.nls(TEXT, {"top": 100.0, "rate": bb.Fixed(0.5)}, BOD)
    assert half.labels == ["top"]


def test_a_mean_without_columns():
    r = bb.nls("y ~ exp(a)", {"a": 5.0}, BOD)
    assert np.exp(r.coef[0]) == pytest.approx(BOD["y"].mean()) and r.predict().value.shape == (6,)


REFUSED = {
    "top * x": "write the response",
    "y ~": "write the response",
    "log(y) ~ top * x": "write the response",
    "top ~ x": "write the response",
    "y ~ x ~ top": "write the response",
    "y ~ top * z": "`z` is neither a parameter, of which start has top, rate, nor a column of the data: x, y, g",
    "y ~ top * x^2": r"write \*\* for a power",
    "y ~ top * center(x)": "`center` is no function of each value",
    "y ~ top * g": "`g` does not hold numbers",
    "y ~ C(g)": "stands alone|no function of each value",
    "y ~ __import__('os').system('true')": "`__import__`, which is not among the functions allowed",
    "y ~ top.real * x": "attribute|neither",
    "y ~ (lambda: top)()": "has no place|Python code|not among|neither",
    "y ~ top if x else rate": "Python code|cannot be read",
    "y ~ top * x**99": "a power is a number of size at most 10",
    "y ~ [top, x]": "not allowed|no place",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text):
    with pytest.raises(ValueError, match=REFUSED[text]):
        bb.nls(text, START, BOD)


def test_other_mistakes():
    with pytest.raises(ValueError, match="is a parameter and a column"):
        bb.nls("y ~ x", {"x": 1.0}, BOD)
    with pytest.raises(ValueError, match="in a formula each parameter is one"):
        bb.nls("y ~ b * x", {"b": [1.0, 2.0]}, BOD)
    with pytest.raises(ValueError, match="leave one out"):
        bb.nls(TEXT, START, BOD, response="z")
