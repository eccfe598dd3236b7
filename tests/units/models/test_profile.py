"""Profile and score intervals: closed forms, R's figures, hard problems, other valleys, ends that are nowhere."""

import numpy as np
import pytest
from scipy import special, stats

import bibun as bb
from bibun.models.constrained import constrained
from tests.units.models.test_glm_against_r import CASES, fitted
from tests.units.models.test_nist_nonlinear import fit

Z = special.ndtri(0.975)
COUNTS = {"y": np.array([3.0, 1.0, 4.0, 1.0, 5.0])}


def poisson(p, d):
    return d.y * np.log(p.mean) - p.mean


@pytest.mark.parametrize("name", [k for k, c in CASES.items() if c.get("score_interval")])
def test_both_kinds_beside_r(name):
    c, r = fitted(name)
    for method, key in (("profile", "profile"), ("score", "score_interval")):
        right = np.array(c[key])
        np.testing.assert_allclose(r.conf_int(method=method), right, rtol=2e-8, atol=2e-8 * np.abs(right).max())


@pytest.mark.parametrize(
    "name", ["glm_gamma_log", "glm_inverse_gaussian_log", "glm_quasipoisson", "glm_binomial_probit"]
)
@pytest.mark.parametrize("kind", ["profile", "score"])
def test_ends_are_where_the_test_has_the_level(name, kind):
    r = fitted(name)[1]
    test = {"profile": "lr", "score": "score"}[kind]
    for label in r.labels[1:3]:
        for end in r.conf_int(0.9, kind, parm=label)[0]:
            assert r.test(f"`{label}` = {float(end)!r}", kind=test).p_value == pytest.approx(0.1, rel=1e-8)


def test_a_poisson_mean():
    r = bb.MLE(poisson, {"mean": bb.Positive()}).fit(COUNTS)
    low, high = r.conf_int(method="score")[0]
    # n (x - m)² / m = z²
    n, x = 5, 14 / 5
    half = Z * np.sqrt(x / n + Z**2 / (4 * n**2))
    np.testing.assert_allclose([low, high], [x + Z**2 / (2 * n) - half, x + Z**2 / (2 * n) + half], rtol=1e-10)
    for m in r.conf_int(method="profile")[0]:
        assert 2 * n * (m - x + x * np.log(x / m)) == pytest.approx(Z**2, rel=1e-10)


def test_wilsons_interval_is_the_score_interval_of_an_intercept():
    d = {"dead": [7.0], "alive": [13.0]}
    r = bb.glm("cbind(dead, alive) ~ 1", d, "binomial")
    wilson = stats.binomtest(7, 20).proportion_ci(method="wilson")
    np.testing.assert_allclose(special.expit(r.conf_int(method="score")[0]), wilson, rtol=1e-10)


def test_linear_regression():
    rng = np.random.default_rng(1)
    d = {"x": rng.normal(size=30), "y": rng.normal(size=30)}
    r = bb.glm("y ~ x", d)
    np.testing.assert_allclose(r.conf_int(method="score"), r.conf_int(), rtol=1e-9)  # both are the F test
    tests = [r.test("x = 0.3", kind=k) for k in ("wald", "lr", "score")]
    np.testing.assert_allclose([t.statistic for t in tests], tests[0].statistic, rtol=1e-10)
    assert [t.df_resid for t in tests] == [28] * 3 and tests[1].name == "F test of deviances"
    # the likelihood of a variance too, by the general way
    rows = lambda p, d: -np.log(p.s) - 0.5 * ((d.y - p.a - p.b * d.x) / p.s) ** 2
    m = bb.MLE(rows, {"a": bb.Real(), "b": bb.Real(), "s": bb.Positive()}).fit(d)
    np.testing.assert_allclose(r.conf_int(method="profile"), m.conf_int(method="profile")[:2], rtol=1e-8)


@pytest.mark.parametrize("name", ["Bennett5", "Lanczos2", "MGH09", "MGH10", "MGH17", "Nelson", "Rat43"])
def test_hard_problems(name):
    r = fit(name, "start 2")
    space = r._space()
    target = r._quantile(0.95)
    for k in range(len(r.labels)):
        for end in r.conf_int(method="profile", parm=r.labels[k])[0]:
            assert np.isfinite(end)
            # the other way: walk there, the others refitted at each step
            u = r.u
            for value in np.linspace(r.coef[k], end, 12)[1:]:
                found = constrained(r.objective, u, space.stretched(k).at(value))
                u = found.u
                assert found.success and 2 * (found.value - space.best) <= target**2 * (1 + 1e-6)
            assert 2 * (found.value - space.best) == pytest.approx(target**2, rel=1e-6)


class TestOtherValleys:
    @pytest.mark.parametrize("height", [0.5, 1.0, 1.8])
    def test_an_end_behind_a_ridge_is_not_taken(self, height):
        # two maxima with a ridge between that is lower than the bound: the interval ends before it
        def value(p, d):
            u = p.u
            return np.logaddexp(-0.5 * u**2, -height - 0.5 * ((u - 9.0) / 1.5) ** 2) + 0 * d.y

        r = bb.MLE(value, {"u": bb.Real()}).fit({"y": np.zeros(1)})
        low, high = r.conf_int(method="profile")[0]
        assert -2.1 < low < -1.8 and 1.8 < high < 2.3

    def test_a_better_maximum_is_told(self):
        def value(p, d):
            return np.logaddexp(-0.5 * p.u**2, 1.0 - 0.5 * (p.u - 3.5) ** 2) + 0 * d.y

        model = bb.MLE(value, {"u": bb.Real(start=-0.5)})
        r = model.fit({"y": np.zeros(1)})
        assert abs(r.params["u"]) < 0.1
        with pytest.raises(ArithmeticError, match=r"the log-likelihood is higher, by .* at u = .*another maximum"):
            r.conf_int(0.999, method="profile")

    def test_a_likelihood_that_levels_off_has_no_end(self):
        r = bb.MLE(lambda p, d: -(p.u**2) / (1 + p.u**2) + 0 * d.y, {"u": bb.Real(start=0.2)}).fit({"y": np.zeros(1)})
        assert r.conf_int(method="profile").tolist() == [[-np.inf, np.inf]]
        assert np.isfinite(r.conf_int(0.7, method="profile")).all()


def test_parameters_that_move_together():
    # shares of a multinomial: the profile of each is that of a binomial
    d = {"n": np.array([12.0, 30.0, 8.0])}
    r = bb.MLE(lambda p, d: d.n * np.log(p.share), {"share": bb.Simplex(3)}).fit(d)
    ends = r.conf_int(method="profile")
    for k, n in enumerate(d["n"]):
        for e in ends[k]:
            x = n / 50
            fall = n * np.log(x / e) + (50 - n) * np.log((1 - x) / (1 - e))
            assert 2 * fall == pytest.approx(Z**2, rel=1e-8)
    # Rao's with the observed information is the binomial's Wilson interval
    score = r.conf_int(method="score")
    assert (np.abs(score - ends) < 0.05).all()


def test_an_observed_information_that_is_not_positive():
    # of a normal distribution with both parameters, the score statistic is n r² / (1 - 2 r²), r² = (m - x)²/rms², and
    # beyond r² = 1/2 there is none
    rows = lambda p, d: -np.log(p.s) - 0.5 * ((d.y - p.m) / p.s) ** 2
    y = np.array([1.0, 2.0, 4.0, 5.0])
    r = bb.MLE(rows, {"m": bb.Real(), "s": bb.Positive()}).fit({"y": y})
    share = (y.mean() - 3.6) ** 2 / np.mean((y - 3.6) ** 2)
    assert r.test("m = 3.6", "score").statistic == pytest.approx(4 * share / (1 - 2 * share), rel=1e-9)
    with pytest.raises(bb.NotDefined, match=r"not positive.*kind='lr'"):
        r.test("m = 20", "score")
    for end in r.conf_int(method="score", parm="m")[0]:
        share = (3 - end) ** 2 / np.mean((y - end) ** 2)
        assert 4 * share / (1 - 2 * share) == pytest.approx(Z**2, rel=1e-8)


def test_arguments():
    r = bb.MLE(poisson, {"mean": bb.Positive()}).fit(COUNTS)
    with pytest.raises(ValueError, match="'wald', 'profile', 'score' or 'bootstrap'"):
        r.conf_int(method="exact")
    with pytest.raises(ValueError, match="between 0 and 1"):
        r.conf_int(2.0, method="score")


def test_few_evaluations():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(400, 4))
    d = {**{f"x{k}": X[:, k] for k in range(4)}, "y": rng.poisson(np.exp(0.3 * X[:, 0] + 0.5)).astype(float)}
    r = bb.glm("y ~ x0 + x1 + x2 + x3", d, "poisson")
    calls = []
    space = r._space()

    class Counted:
        def value(self, u):
            return space.objective.value(u)

        def all(self, u):
            calls.append(u)
            return space.objective.all(u)

    from bibun.models.profile import Profile

    profile = Profile(Counted(), space.gamma, space.best)
    for k in range(5):
        for side in (-1, 1):
            profile.end(space.stretched(k), side, 0.5 * Z**2)
    assert len(calls) <= 1 + 10 * 4


def test_where_the_likelihood_never_falls_so_far_the_end_is_infinite():
    """Counts that vary no more than Poisson's: their negative binomial has no largest theta. A few refits tell it."""
    import bibun.models.profile as profile

    refits, run = 0, profile.constrained

    def counted(*args):
        nonlocal refits
        refits += 1
        return run(*args)

    r = bb.glm("y ~ 1", {"y": np.random.default_rng(5).poisson(3.0, 40)}, family="negative-binomial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profile, "constrained", counted)
        low, high = r.conf_int(method="profile", parm="theta")[0]
    assert 0 < low < r.params["theta"] and high == np.inf and refits < 20
