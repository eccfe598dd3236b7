"""What people write first, and what they are told: plain numbers, data without names, hypotheses, levels, weights."""

import numpy as np
import pytest

import bibun as bb
from bibun.errors import NotDefined, TrackedVariable

RNG = np.random.default_rng(3)
Y, X, W = RNG.normal(size=40), RNG.normal(size=40), RNG.integers(1, 4, 40).astype(float)
DATA = {"y": Y, "x": X, "w": W}


def rows(p, d):
    return bb.stats.norm.logpdf(d.y, p.a + p.b * d.x, p.s)


MODEL = bb.MLE(rows, {"a": bb.Real(), "b": bb.Real(), "s": bb.Positive()})


@pytest.fixture(scope="module")
def fit():
    return MODEL.fit(DATA)


def test_scalars_are_floats(fit):
    for named in (fit.params, fit.bse, fit.restricted("b = 0").params):
        assert {type(v) for v in named.values()} == {float}
    assert "np.float64" not in repr([fit.params, fit.bse, fit.glance(), fit.tidy()])


@pytest.mark.parametrize("data", [Y, [Y, X], (Y, X)])
def test_data_without_names(data):
    with pytest.raises(TypeError, match=r"reads data by name .*fit\(\{'y': y, 'x': x\}\)"):
        MODEL.fit(data)


def test_data_as_keywords():
    with pytest.raises(TypeError, match=r"fit\(y=…, x=…\).*fit\(\{'y': y, 'x': x\}\)"):
        MODEL.fit(y=Y, x=X)
    with pytest.raises(TypeError, match="without data"):
        MODEL.fit()


def test_faults_of_the_likelihood_stay_its_own():
    with pytest.raises(AttributeError):
        bb.MLE(lambda p, d: -((p.a - d.nothing) ** 2), {"a": bb.Real()}).fit(DATA)
    with pytest.raises(TrackedVariable):
        bb.MLE(lambda p, d: -((float(p.a) - d) ** 2), {"a": bb.Real()}).fit(Y)
    assert bb.MLE(lambda p, d: -((p.a - d) ** 2), {"a": bb.Real()}).fit(Y).params["a"] == pytest.approx(Y.mean())


@pytest.mark.parametrize("hypothesis", [["a = 0", "b = 0.5"], ("a = 0", "b = 0.5"), {"a": 0, "b": 0.5}])
def test_equations_in_a_list_or_a_dict(fit, hypothesis):
    assert fit.test(hypothesis).statistic == fit.test("a = 0, b = 0.5").statistic


def test_hypotheses_that_are_none(fit):
    with pytest.raises(ValueError, match="no parameter 'z'; there are a, b, s"):
        fit.test({"z": 0})
    with pytest.raises(ValueError, match="not both"):
        fit.test(["a = 0", 1])


@pytest.mark.parametrize("level", ["95%", 95, 0, None])
@pytest.mark.parametrize("method", ["conf_int", "tidy", "summary"])
def test_levels(fit, level, method):
    with pytest.raises(ValueError, match=r"such as level=0\.95"):
        getattr(fit, method)(level)


def test_compare_in_words(fit):
    assert "H0: the smaller model" in str(fit.compare(fit.restricted("b = 0")))
    with pytest.raises(ValueError, match="of 40 and 30 rows"):
        fit.compare(MODEL.fit({k: v[:30] for k, v in DATA.items()}).restricted("b = 0"))


def test_weights_by_name(fit):
    by_name, given = MODEL.fit(DATA, weights="w"), MODEL.fit(DATA, weights=W)
    assert by_name.nobs == W.sum() and by_name.loglik == given.loglik
    assert MODEL.density(DATA, weights="w").logp(by_name.u) == MODEL.density(DATA, weights=W).logp(by_name.u)
    with pytest.raises(ValueError, match=r"weights='v': no column .* 'y', 'x', 'w'"):
        MODEL.fit(DATA, weights="v")


@pytest.mark.parametrize("method", ["avg_slopes", "avg_predictions", "contrasts", "marginal_means"])
def test_a_likelihood_says_no_mean(fit, method):
    with pytest.raises(NotDefined, match="delta"):
        getattr(fit, method)("x")


def test_what_is_fixed_has_no_test():
    pytest.importorskip("formulaic")
    r = bb.glm("y ~ x", DATA).restricted("x = 0.5")
    row = next(line for line in str(r.summary()).splitlines() if line.split()[:1] == ["x"])
    assert row.split() == ["x", "0.5", "0", "–", "–", "0.5", "0.5"]


def test_splines_beside_an_intercept_say_what_to_write():
    pytest.importorskip("formulaic")
    note = 'write `cr(x, df=4, constraints="center")`'
    r = bb.glm("y ~ cr(x, df=4)", DATA)
    assert note in str(r.summary()) and not r.converged
    for f in ("0 + cr(x, df=4)", 'cr(x, df=4, constraints="center")', "bs(x, df=4)", "np.exp(x)"):
        r = bb.glm(f"y ~ {f}", DATA)
        assert r.converged and "sum to 1" not in str(r.summary())


def test_what_a_likelihood_should_have_written():
    import math

    with pytest.raises(bb.errors.TrackedVariable, match=r"in the likelihood .*write np\.exp for math\.exp"):
        bb.MLE(lambda p, d: -d.y * math.exp(p.a), {"a": bb.Real()}).fit({"y": np.ones(3)})
    with pytest.raises(TypeError, match=r"the class Positive: write Positive\(\)"):
        bb.MLE(lambda p, d: -d.y * p.a, {"a": bb.Positive})
