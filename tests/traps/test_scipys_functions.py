"""SciPy's own Python functions let no Variable in: the error names the function of bibun to call in their place."""

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.special
import scipy.stats

import bibun as bb
from bibun.errors import TrackedVariable

ASKED = {
    "scipy.stats.norm.logpdf": ("bibun.stats.norm.logpdf", lambda v: scipy.stats.norm.logpdf(v)),
    "scipy.stats.norm.cdf": ("bibun.stats.norm.cdf", lambda v: scipy.stats.norm.cdf(0.0, scale=v)),
    "scipy.stats.norm.pdf": ("bibun.stats.norm.pdf", lambda v: scipy.stats.norm(0.0, v).pdf(1.0)),
    "scipy.stats.gamma.logpdf": ("bibun.stats.gamma.logpdf", lambda v: scipy.stats.gamma.logpdf([v[0], v[1]], 2.0)),
    "scipy.stats.poisson.logpmf": ("bibun.stats.poisson.logpmf", lambda v: scipy.stats.poisson.logpmf([1, 2], v)),
    "scipy.stats.multivariate_normal.logpdf": (
        "bibun.stats.multivariate_normal.logpdf",
        lambda v: scipy.stats.multivariate_normal.logpdf([0.0, 0.0], v),
    ),
    "scipy.special.logsumexp": ("bibun.special.logsumexp", lambda v: scipy.special.logsumexp(v)),
    "scipy.special.softmax": ("bibun.special.softmax", lambda v: scipy.special.softmax(v)),
    "scipy.special.log_softmax": ("bibun.special.log_softmax", lambda v: scipy.special.log_softmax(v)),
    "scipy.special.polygamma": ("bibun.special.polygamma", lambda v: scipy.special.polygamma(1, v)),
    "scipy.special.multigammaln": ("bibun.special.multigammaln", lambda v: scipy.special.multigammaln(v[0], 1)),
    "scipy.linalg.expm": ("bibun.linalg.expm", lambda v: scipy.linalg.expm(np.outer(v, v))),
    "scipy.linalg.solve_triangular": (
        "bibun.linalg.solve_triangular",
        lambda v: scipy.linalg.solve_triangular(np.outer(v, v), v),
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_the_function_to_call_is_named(name: str):
    ours, call = ASKED[name]
    for asked in (lambda: call(bb.Variable(np.array([1.0, 2.0]))), lambda: bb.grad(call)(np.array([1.0, 2.0]))):
        with pytest.raises(TrackedVariable) as error:
            asked()
        assert f"in {name}, " in str(error.value) and f"call {ours} in its place" in str(error.value)


def test_what_bibun_has_not_is_said():
    with pytest.raises(TrackedVariable, match=r"in scipy\.stats\.gaussian_kde, .* bibun has no such function"):
        scipy.stats.gaussian_kde(bb.Variable(np.array([1.0, 2.0, 4.0])))


def test_a_likelihood_with_scipys_density_is_refused_by_name():
    def loglik(p):
        return np.sum(scipy.stats.norm.logpdf(np.array([0.5, 1.0]), p["mu"], np.exp(p["log_sigma"])))

    with pytest.raises(TrackedVariable, match=r"bibun\.stats\.norm\.logpdf"):
        bb.grad(loglik)({"mu": 0.0, "log_sigma": 0.0})


def test_code_of_ones_own_that_scipy_calls_is_not_taken_for_scipys():
    v = bb.Variable(np.array([1.0, 2.0]))
    with pytest.raises(TrackedVariable, match=r"^a tracked Variable of shape \(2,\) would become an array"):
        scipy.optimize.minimize(lambda x: np.asarray(v).sum() + x @ x, np.zeros(2))
    with pytest.raises(TrackedVariable, match=r"^a tracked Variable of shape \(\) would become a float"):
        float(v[0])


def test_constants_go_anywhere():
    v = bb.stop_gradient(bb.Variable(np.array([1.0, 2.0])))
    assert np.allclose(scipy.stats.norm.logpdf(v), scipy.stats.norm.logpdf([1.0, 2.0]))
