"""Where a search starts: found where nothing was given, several at random, and what is said of them."""

import numpy as np
import pytest

import bibun as bb

RNG = np.random.default_rng(11)
Y = np.concatenate([RNG.normal(-2, 0.5, 150), RNG.normal(1.5, 1.0, 250)])


def mixture(p, d):
    a = np.log(p.w) - np.log(p.s[0]) - 0.5 * ((d.y - p.m[0]) / p.s[0]) ** 2
    b = np.log(1 - p.w) - np.log(p.s[1]) - 0.5 * ((d.y - p.m[1]) / p.s[1]) ** 2
    return np.logaddexp(a, b)


def test_a_start_is_found_where_the_declared_one_is_impossible():
    y = RNG.uniform(2.0, 5.0, 100)
    f = lambda p, d: bb.stats.beta.logpdf((d.y - p.low) / 10.0, 2.0, 2.0)  # finite only where low < min(y)
    r = bb.MLE(f, {"low": bb.Real(start=2.5)}).fit({"y": y})
    assert r.params["low"] < y.min() and np.isfinite(r.loglik)
    with pytest.raises(ValueError, match="give a start"):
        bb.MLE(f, {"low": bb.Real()}).fit({"y": y}, start={"low": 2.5})
    with pytest.raises(ValueError, match="rows 3"):
        bb.MLE(f, {"low": bb.Real()}).fit({"y": np.where(np.arange(100) == 3, np.nan, y)})


def test_several_starts_keep_the_best_end():
    model = bb.MLE(mixture, {"w": bb.UnitInterval(), "m": bb.Real(2), "s": bb.Positive(2)})
    symmetric = model.fit({"y": Y})  # both components start alike: a saddle, or a ridge
    r = model.fit({"y": Y}, starts=8, rng=1)
    assert len(r.search.starts) == 8 and min(r.search.starts) == r.search.fun
    assert r.loglik >= symmetric.loglik - 1e-8 and r.converged
    np.testing.assert_allclose(np.sort(r.params["m"]), [-2, 1.5], atol=0.3)
    again = model.fit({"y": Y}, starts=8, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(again.coef, r.coef)
    with pytest.raises(ValueError, match="give rng="):
        model.fit({"y": Y}, starts=3)
