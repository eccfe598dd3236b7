"""Likelihoods of many kinds from their default starts: the scores sum to zero and the certificate finds nothing."""

import numpy as np
import pytest

import bibun as bb

RNG = np.random.default_rng(0)
S = bb.stats
X = np.column_stack([np.ones(500), RNG.normal(size=(500, 3))])
MEAN = np.exp(X @ [1.0, 0.5, -0.3, 0.0])
TWO = np.where(RNG.uniform(size=400) < 0.3, RNG.normal(-2, 1, 400), RNG.normal(2, 0.7, 400))
NORMAL = ({"mu": bb.Real(), "s": bb.Positive()}, lambda p, d: S.norm.logpdf(d.y, p.mu, p.s))


def mixture(p, d):
    first = np.log(p.w) + S.norm.logpdf(d.y, p.m1, p.s1)
    return np.logaddexp(first, np.log1p(-p.w) + S.norm.logpdf(d.y, p.m2, p.s2))


CASES = {
    "normal, far from the start": (*NORMAL, {"y": 1e6 + 1e3 * RNG.normal(size=200)}),
    "normal, tiny": (*NORMAL, {"y": 1e-6 * (1 + RNG.normal(size=200))}),
    "weibull": (
        {"c": bb.Positive(), "s": bb.Positive()},
        lambda p, d: S.weibull_min.logpdf(d.y, p.c, 0, p.s),
        {"y": 300 * RNG.weibull(2.5, 300)},
    ),
    "gamma": (
        {"a": bb.Positive(), "s": bb.Positive()},
        lambda p, d: S.gamma.logpdf(d.y, p.a, 0, p.s),
        {"y": RNG.gamma(3, 50, 300)},
    ),
    "student t": (
        {"df": bb.Positive(), "m": bb.Real(), "s": bb.Positive()},
        lambda p, d: S.t.logpdf(d.y, p.df, p.m, p.s),
        {"y": 5 + 2 * RNG.standard_t(4, 600)},
    ),
    "negative binomial": (
        {"b": bb.Real(4), "alpha": bb.Positive()},
        lambda p, d: S.nbinom.logpmf(d.y, log_mu=d.X @ p.b, alpha=p.alpha),
        {"X": X, "y": RNG.negative_binomial(2, 2 / (2 + MEAN)).astype(float)},
    ),
    "poisson": (
        {"b": bb.Real(4)},
        lambda p, d: S.poisson.logpmf(d.y, log_rate=d.X @ p.b),
        {"X": X, "y": RNG.poisson(MEAN).astype(float)},
    ),
    "mixture of two normals": (
        {
            "w": bb.UnitInterval(),
            "m1": bb.Real(start=-1.0),
            "m2": bb.Real(start=1.0),
            "s1": bb.Positive(),
            "s2": bb.Positive(),
        },
        mixture,
        {"y": TWO},
    ),
    "beta": (
        {"a": bb.Positive(), "b": bb.Positive()},
        lambda p, d: S.beta.logpdf(d.y, p.a, p.b),
        {"y": RNG.beta(2, 5, 300)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fit_ends_at_a_maximum(name):
    params, loglik, data = CASES[name]
    r = bb.MLE(loglik, params).fit(data)
    assert r.converged, str(r.certificate)
    np.testing.assert_allclose((r.scores() @ np.diag(r.se())).sum(axis=0), 0, atol=1e-6)
    assert np.isfinite(r.se()).all() and (r.se() > 0).all()
    low, high = r.conf_int().T
    assert (low < r.coef).all() and (r.coef < high).all()
